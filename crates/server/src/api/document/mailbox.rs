//! Mailboxes, as programs see them: a part of the queue or agent whose they are.

use super::{queue::Prompt, reference::Reference};
use crate::{api::extract, error::Problem};
use dreiklang_core::{config, time::Millis, voicemail::MailboxRules};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// How messages are taken.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Voicemail {
    /// Said before the tone; absent: a sentence of the product's own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub greeting: Option<Prompt>,
    /// Longest message.
    #[schema(minimum = 5_000, maximum = 600_000)]
    pub longest_ms: u64,
    /// A message shorter than this is none.
    pub shortest_ms: u64,
    /// How long a message is kept.
    #[schema(minimum = 3_600_000)]
    pub keep_ms: u64,
    /// Messages kept at most.
    #[schema(minimum = 1, maximum = 1_000)]
    pub most: u32,
}

impl Default for Voicemail {
    fn default() -> Self {
        let usual = MailboxRules::default();
        Voicemail { greeting: None, longest_ms: usual.longest.0, shortest_ms: usual.shortest.0, keep_ms: usual.keep.0, most: usual.most }
    }
}

/// Whose mailbox.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "kind", content = "id", rename_all = "snake_case", deny_unknown_fields)]
pub enum Mailbox {
    /// Of everybody who serves a queue, by id or name.
    Queue(String),
    /// Of an agent, by id or name.
    Agent(String),
}

impl Voicemail {
    /// In the core's words.
    pub(super) fn to_core(&self) -> MailboxRules {
        MailboxRules {
            greeting: self.greeting.as_ref().map(Prompt::to_core),
            longest: Millis(self.longest_ms),
            shortest: Millis(self.shortest_ms),
            keep: Millis(self.keep_ms),
            most: self.most,
        }
    }
}

impl Mailbox {
    /// The document that is named.
    pub(super) fn reference(&mut self) -> (Reference, &mut String) {
        match self {
            Mailbox::Queue(queue) => (Reference::Queue, queue),
            Mailbox::Agent(agent) => (Reference::Agent, agent),
        }
    }

    /// In the core's words; the reference is an id here.
    pub(crate) fn to_core(&self) -> Result<config::Mailbox, Problem> {
        Ok(match self {
            Mailbox::Queue(queue) => config::Mailbox::Queue(extract::id("queue", queue)?),
            Mailbox::Agent(agent) => config::Mailbox::Agent(extract::id("agent", agent)?),
        })
    }
}

impl From<config::Mailbox> for Mailbox {
    fn from(mailbox: config::Mailbox) -> Self {
        match mailbox {
            config::Mailbox::Queue(queue) => Mailbox::Queue(queue.to_string()),
            config::Mailbox::Agent(agent) => Mailbox::Agent(agent.to_string()),
        }
    }
}
