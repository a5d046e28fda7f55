//! Further parties of a talk: members of a conference, and supervisors.

use crate::{
    ids::{AgentId, LegId},
    input::Actor,
    time::Timestamp,
};
use serde::{Deserialize, Serialize};

/// Somebody who talks with customer and agent, and has a part of their own in it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Member {
    /// The leg.
    pub leg: LegId,
    /// Who that is; `None` for somebody outside.
    pub agent: Option<AgentId>,
    /// Since when.
    pub joined_at: Timestamp,
}

/// How somebody's part in a conference ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MemberEnd {
    /// Hung up, or the connection broke.
    Left,
    /// Was let go by somebody.
    Dropped,
    /// Became the other party of the talk, because the one before left.
    Promoted,
    /// The talk ended.
    TalkEnded,
    /// The line could not connect so many.
    Failed,
}

/// Somebody who follows a talk without being a party of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Supervision {
    /// Who.
    pub supervisor: AgentId,
    /// That one's leg.
    pub leg: LegId,
    /// How.
    pub mode: SupervisionMode,
    /// On whose behalf.
    pub by: Actor,
    /// Since when.
    pub started_at: Timestamp,
    /// Since when the supervisor has been there.
    pub answered_at: Option<Timestamp>,
}

/// What a supervisor takes part in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SupervisionMode {
    /// Hears what the agent says and hears; is heard by nobody.
    #[default]
    Listen,
    /// The same, and is heard by the agent alone.
    Whisper,
    /// Talks with everybody with whom the agent talks.
    Barge,
}

/// How a supervision ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SupervisionOutcome {
    /// By wish.
    Ended,
    /// The supervisor hung up, or the connection broke.
    Left,
    /// The supervisor became the agent of the talk.
    TookOver,
    /// The talk ended.
    TalkEnded,
    /// The supervisor did not answer.
    NoAnswer,
    /// The supervisor declined.
    Declined,
    /// The supervisor's telephone was busy.
    Busy,
    /// The supervisor's telephone could not be reached.
    Unreachable,
    /// The line could not connect more than two, or something of ours failed.
    Failed,
}
