//! Callbacks: promises to call a customer back, who keeps the place in the queue instead of the line.
//!
//! When it is due, a callback becomes a conversation of its own that waits in the queue without a customer, in the order of service
//! like everybody else. The agent who takes it hears the customer's telephone ring.

use crate::{
    ids::{CallbackId, ConversationId, QueueId},
    input::Actor,
    queue::SkillRequirement,
    time::{Millis, Timestamp},
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// How a queue calls back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct CallbackRules {
    /// How often the customer is called at most.
    pub attempts: u8,
    /// Time between one attempt and the next.
    pub gap: Millis,
    /// Open callbacks at most; who asks for one more is not promised any.
    pub most: u32,
}

impl Default for CallbackRules {
    /// Three times, ten minutes apart.
    fn default() -> Self {
        CallbackRules { attempts: 3, gap: Millis::from_secs(600), most: 200 }
    }
}

/// A promise that has not been kept yet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Callback {
    /// Which.
    pub id: CallbackId,
    /// Whose agents call.
    pub queue: QueueId,
    /// Who is called.
    pub number: String,
    /// Who that is.
    pub name: Option<String>,
    /// When it was asked for.
    pub requested_at: Timestamp,
    /// Who asked: the system for customers who did on the telephone.
    pub by: Actor,
    /// The conversation in which the customer asked.
    pub origin: Option<ConversationId>,
    /// The place that is kept.
    pub place: KeptPlace,
    /// When it stands in line, next time or this time.
    pub due: Timestamp,
    /// How often the customer has been called.
    pub attempts: u8,
    /// The conversation in which it stands in line, or the customer is being called.
    pub conversation: Option<ConversationId>,
    /// The customer has been called in that conversation.
    pub calling: bool,
}

/// Where somebody stands in line while being away.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct KeptPlace {
    /// Since when.
    pub in_line_since: Timestamp,
    /// With which priority; `None` = the queue's.
    pub priority: Option<u8>,
    /// Asked of the agent on top of the queue's skills.
    pub skills: Vec<SkillRequirement>,
    /// The customer's language.
    pub language: Option<String>,
}

/// What became of a callback.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CallbackOutcome {
    /// Customer and agent hear each other.
    Connected,
    /// The customer was called as often as the queue wants and could not be had, or there is no way to call.
    Failed,
    /// Somebody took it back.
    Cancelled,
    /// The customer called again and was answered.
    CalledAgain,
    /// Nobody had time for it for so long that nobody expects it any more.
    Expired,
}

/// All open callbacks of a tenant, by number too.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(from = "Vec<Callback>", into = "Vec<Callback>")]
pub struct Callbacks {
    by_id: BTreeMap<CallbackId, Callback>,
    by_number: BTreeMap<(String, QueueId), CallbackId>,
}

impl Callbacks {
    pub(crate) fn insert(&mut self, callback: Callback) {
        self.by_number.insert((callback.number.clone(), callback.queue), callback.id);
        self.by_id.insert(callback.id, callback);
    }

    pub(crate) fn remove(&mut self, id: CallbackId) -> Option<Callback> {
        let callback = self.by_id.remove(&id)?;
        self.by_number.remove(&(callback.number.clone(), callback.queue));
        Some(callback)
    }

    pub(crate) fn get_mut(&mut self, id: CallbackId) -> Option<&mut Callback> {
        self.by_id.get_mut(&id)
    }

    /// One of them.
    pub fn get(&self, id: CallbackId) -> Option<&Callback> {
        self.by_id.get(&id)
    }

    /// All, oldest first.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &Callback> {
        self.by_id.values()
    }

    /// The one of a queue to a number; there is never more than one.
    pub fn of(&self, number: &str, queue: QueueId) -> Option<&Callback> {
        self.by_number.get(&(number.to_owned(), queue)).and_then(|id| self.by_id.get(id))
    }

    /// All to a number.
    pub fn to_number(&self, number: &str) -> impl Iterator<Item = &Callback> {
        let all = (number.to_owned(), QueueId(0))..=(number.to_owned(), QueueId(u128::MAX));
        self.by_number.range(all).filter_map(|(_, id)| self.by_id.get(id))
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

impl From<Vec<Callback>> for Callbacks {
    fn from(list: Vec<Callback>) -> Callbacks {
        let mut callbacks = Callbacks::default();
        for callback in list {
            callbacks.insert(callback);
        }
        callbacks
    }
}

impl From<Callbacks> for Vec<Callback> {
    fn from(callbacks: Callbacks) -> Self {
        callbacks.by_id.into_values().collect()
    }
}
