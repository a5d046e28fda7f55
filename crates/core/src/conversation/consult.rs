//! A consult: the agent of a talk asks somebody before handing the customer over, who is on hold meanwhile.

use crate::{
    ids::{AgentId, LegId},
    input::{Actor, TransferTarget},
    time::Timestamp,
};
use serde::{Deserialize, Serialize};

/// A consult that is under way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Consult {
    /// Who asks: the agent of the talk.
    pub agent: AgentId,
    /// On whose behalf.
    pub by: Actor,
    /// Who is asked. A queue stands for the agent idle longest of those who serve it.
    pub to: TransferTarget,
    /// The agent of ours who has answered; `None` for a party outside, and as long as nobody has.
    pub target: Option<AgentId>,
    /// The target's leg: a party's outside from its dialing on, an agent's once that one has answered. Until then an agent's
    /// leg is the offer's.
    pub leg: Option<LegId>,
    /// Since when.
    pub started_at: Timestamp,
    /// Since when the target has been there.
    pub answered_at: Option<Timestamp>,
    /// Whom the agent hears; the other one hears music.
    pub facing: Facing,
}

impl Consult {
    /// The target's leg once the target has answered.
    pub fn answered_leg(&self) -> Option<LegId> {
        self.leg.filter(|_| self.answered_at.is_some())
    }
}

/// Whom an agent in a consult hears.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Facing {
    /// Who is consulted (or the sound of that one's telephone).
    #[default]
    Target,
    /// The customer.
    Customer,
}

/// How a consult ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ConsultOutcome {
    /// The target has the customer; the agent left.
    Completed,
    /// Agent, customer and target talk with each other from now on.
    Merged,
    /// The agent's telephone dropped, and the target was given the customer.
    Joined,
    /// Taken back by the agent or on the agent's behalf; the agent has the customer.
    Cancelled,
    /// The target declined; the agent has the customer. So it is with all that the target did not do.
    Declined,
    /// The target did not answer.
    NoAnswer,
    /// The target was busy.
    Busy,
    /// The target could not be reached.
    Unreachable,
    /// Nobody of the queue became free in time.
    NobodyFree,
    /// The target hung up, or its connection broke.
    TargetLeft,
    /// The agent's telephone dropped, and the customer went back to the queue.
    AgentLeft,
    /// The customer left or the conversation was ended.
    ConversationEnded,
    /// Something of ours failed.
    Failure,
}
