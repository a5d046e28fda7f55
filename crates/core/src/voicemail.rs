//! Messages that callers leave: how a mailbox is set up, what is kept of a message, and what becomes of it.
//!
//! A mailbox is a queue's or an agent's and needs no document of its own. What was said is a recording like any other; here is
//! whose it is, who left it and whether somebody has taken care of it.

use crate::{
    config::Mailbox,
    endpoint::Party,
    ids::{ConversationId, MessageId, RecordingId},
    input::Actor,
    output::Prompt,
    time::{Millis, Timestamp},
};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// How a mailbox takes messages.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct MailboxRules {
    /// Said before the tone; `None` = a sentence of the product's own, in the caller's language.
    pub greeting: Option<Prompt>,
    /// Longest message; then the call ends.
    pub longest: Millis,
    /// A message shorter than this is none: somebody heard the tone and hung up.
    pub shortest: Millis,
    /// How long a message is kept, whatever its state.
    pub keep: Millis,
    /// Messages kept at most; who comes when it is full is not asked to leave another.
    pub most: u32,
}

impl Default for MailboxRules {
    /// Three minutes, kept for 30 days.
    fn default() -> Self {
        MailboxRules {
            greeting: None,
            longest: Millis::from_secs(180),
            shortest: Millis::from_secs(2),
            keep: Millis::from_secs(30 * 86_400),
            most: 100,
        }
    }
}

/// Whether somebody has taken care of a message.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MessageState {
    /// Nobody has heard it.
    #[default]
    New,
    /// Somebody has heard it.
    Heard,
    /// What it asks for has been done.
    Done,
}

/// A message that can be heard.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Message {
    /// Which.
    pub id: MessageId,
    /// Whose.
    pub mailbox: Mailbox,
    /// The conversation in which it was left.
    pub conversation: ConversationId,
    /// Who left it.
    pub caller: Party,
    /// What was said.
    pub recording: RecordingId,
    /// How long that is.
    pub duration: Millis,
    /// Since when it has been there.
    pub left_at: Timestamp,
    /// When it is forgotten.
    pub expires_at: Timestamp,
    /// Whether it has been taken care of.
    pub state: MessageState,
    /// Who said so last, and when.
    pub marked: Option<(Actor, Timestamp)>,
}

/// A message that is being left, until what was said is on disk.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpenMessage {
    /// Whose it is going to be.
    pub mailbox: Mailbox,
    /// In which conversation.
    pub conversation: ConversationId,
    /// Who leaves it.
    pub caller: Party,
    /// What is said, from the tone on.
    pub recording: Option<RecordingId>,
}

/// Why no message came of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Discard {
    /// The caller left before the tone.
    NothingSaid,
    /// Shorter than the mailbox takes.
    TooShort,
    /// It could not be recorded.
    NotRecorded,
    /// The mailbox was removed meanwhile.
    MailboxRemoved,
}

/// All messages of a tenant, by mailbox too.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(from = "Vec<Message>", into = "Vec<Message>")]
pub struct Messages {
    by_id: BTreeMap<MessageId, Message>,
    by_mailbox: BTreeSet<(Mailbox, MessageId)>,
}

impl Messages {
    pub(crate) fn insert(&mut self, message: Message) {
        self.by_mailbox.insert((message.mailbox, message.id));
        self.by_id.insert(message.id, message);
    }

    pub(crate) fn remove(&mut self, id: MessageId) -> Option<Message> {
        let message = self.by_id.remove(&id)?;
        self.by_mailbox.remove(&(message.mailbox, id));
        Some(message)
    }

    pub(crate) fn get_mut(&mut self, id: MessageId) -> Option<&mut Message> {
        self.by_id.get_mut(&id)
    }

    /// One of them.
    pub fn get(&self, id: MessageId) -> Option<&Message> {
        self.by_id.get(&id)
    }

    /// All, oldest first.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &Message> {
        self.by_id.values()
    }

    /// Those of one mailbox, oldest first.
    pub fn of(&self, mailbox: Mailbox) -> impl Iterator<Item = &Message> {
        let all = (mailbox, MessageId(0))..=(mailbox, MessageId(u128::MAX));
        self.by_mailbox.range(all).filter_map(|(_, id)| self.by_id.get(id))
    }

    /// How many.
    pub fn len(&self) -> usize {
        self.by_id.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.by_id.is_empty()
    }
}

impl From<Vec<Message>> for Messages {
    fn from(list: Vec<Message>) -> Messages {
        let mut messages = Messages::default();
        for message in list {
            messages.insert(message);
        }
        messages
    }
}

impl From<Messages> for Vec<Message> {
    fn from(messages: Messages) -> Self {
        messages.by_id.into_values().collect()
    }
}
