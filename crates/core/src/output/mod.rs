//! What the engine answers: facts, wishes, replies and the time of its next wake-up.

mod action;
mod event;
mod prompt;

pub use action::{Action, ActionFailure, HangUpReason, RejectReason};
pub use event::Event;
pub use prompt::Prompt;

use crate::{
    ids::{ActionId, CommandId},
    refusal::Refusal,
    time::Timestamp,
};
use serde::{Deserialize, Serialize};

/// One thing that comes out of the engine. Order matters: an event must be durable before any later action is carried out.
#[derive(Clone, Debug, PartialEq)]
pub enum Output {
    /// A fact, to be appended to the tenant's journal.
    Event(Stamped),
    /// A wish, to be carried out once all events before it are durable, and answered by `ActionDone` or `ActionFailed`.
    Action(ActionId, Action),
    /// The answer to a command.
    Reply(CommandId, Result<(), Refusal>),
    /// Hand in `Input::Wake` at this time, or any other input earlier. The latest one counts.
    WakeAt(Timestamp),
}

/// A fact with its place in the tenant's history.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Stamped {
    /// Counts up by one from 1, without gaps, per tenant.
    pub seq: u64,
    /// When it happened, as the engine was told.
    pub at: Timestamp,
    /// The fact.
    #[serde(flatten)]
    pub event: Event,
}
