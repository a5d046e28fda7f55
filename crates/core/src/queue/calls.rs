//! What a queue's rules are for what happens during a call: consults, and who may be recorded in them.

use crate::{ids::FlowId, time::Millis};
use serde::{Deserialize, Serialize};

/// A queue's rules for calls under way; they hold for a conversation while its last queue is this one.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct CallRules {
    /// Where the customer goes when the agent's telephone drops in a consult that the target has answered.
    pub consult_drop: ConsultDrop,
    /// Whether what the agent says to a consulted party is recorded in the place of the talk. The party itself never is.
    pub record_consult: bool,
    /// A customer whose transfer failed waits this long for the agent who transferred alone, then for everybody. `None` = for
    /// everybody at once.
    pub take_back: Option<Millis>,
    /// The flow to which a customer goes whose agent has ended the talk; the customer may leave it by hanging up. `None` = the
    /// conversation ends.
    pub after_talk: Option<FlowId>,
}

/// Where a customer on hold goes when the agent who consulted is gone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ConsultDrop {
    /// To who was consulted: for most people hanging up is how one hands over.
    #[default]
    Join,
    /// To the front of the queue.
    Queue,
}
