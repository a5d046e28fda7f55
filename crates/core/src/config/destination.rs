//! Where rules lead a customer: overflow, call flows, closed hours, what follows a failure.

use crate::{
    ids::{AgentId, FlowId, QueueId},
    output::Prompt,
};
use serde::{Deserialize, Serialize};

/// One place a rule can name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", content = "to", rename_all = "snake_case")]
pub enum Destination {
    /// A queue; the customer begins a new visit there.
    Queue(QueueId),
    /// One agent, or that agent's personal queue.
    Agent(AgentId),
    /// A telephone number outside.
    Number(String),
    /// A person of the organization, by sign-in name; not an agent of ours.
    Person(String),
    /// A call flow.
    Flow(FlowId),
    /// Leave a message.
    Voicemail(Mailbox),
    /// Be called back instead of waiting, from this queue.
    Callback(QueueId),
    /// Hear this, then be let go.
    Message(Prompt),
    /// Be let go.
    HangUp,
}

/// Whose message it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(tag = "kind", content = "id", rename_all = "snake_case")]
pub enum Mailbox {
    /// Everybody's who serves the queue.
    Queue(QueueId),
    /// One agent's.
    Agent(AgentId),
}

impl std::fmt::Display for Mailbox {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Mailbox::Queue(id) => id.fmt(f),
            Mailbox::Agent(id) => id.fmt(f),
        }
    }
}
