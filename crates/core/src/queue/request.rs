//! What a customer brings into a queue: the wishes a number, a flow, a callers' list or a callback may have for one visit.

use super::SkillRequirement;
use crate::{
    ids::AgentId,
    time::{Millis, Timestamp},
};
use serde::{Deserialize, Serialize};

/// What one visit asks for. All of it is optional: the default asks for nothing beyond what the queue does.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Request {
    /// Overrides the queue's priority; at most [`crate::limits::PRIORITY_MAX`].
    pub priority: Option<u8>,
    /// The priority is at least this, whatever the queue or a number says.
    pub least_priority: u8,
    /// Asked of the agent on top of the queue's skills.
    pub skills: Vec<SkillRequirement>,
    /// The agent who is waited for first.
    pub preferred: Option<Preferred>,
    /// The language the customer speaks, as a BCP 47 tag such as `de` or `en-GB`: only agents who speak it are asked.
    pub language: Option<String>,
    /// Since when the customer has been in line, for one who comes back to a place that was kept. The wait itself, as figures
    /// count it, begins with the visit.
    pub in_line_since: Option<Timestamp>,
    /// Comes back through no wish of its own (a lost agent, a failed transfer): rules for those who enter do not apply.
    pub returning: bool,
}

/// An agent a customer should rather have than any other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Preferred {
    /// Who.
    pub agent: AgentId,
    /// How long the customer waits for that one alone; then for everybody.
    pub wait: Millis,
}

/// By what a visit goes beside its priority and skills; fixed when it begins.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Terms {
    /// Since when the customer has been in line, where that was before the visit began: a place that was kept.
    pub in_line_since: Option<Timestamp>,
    /// The agent who is waited for alone.
    pub preferred: Option<Waited>,
    /// The language asked for, in lower case.
    pub language: Option<String>,
}

/// An agent for whom a visit waits, and until when.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Waited {
    /// Who.
    pub agent: AgentId,
    /// From then on everybody is asked.
    pub until: Timestamp,
}
