//! The bookkeeper: reads the journal event by event and books what each one says, for queues, agents, numbers and lines.
//!
//! What an event does not say itself (which number the caller dialed, what the queue promised) is remembered from earlier
//! events for as long as it can matter. Each event touches at most one remembered entry, so that whoever keeps the entries
//! elsewhere writes one at a time. The same events always give the same books, whoever reads them, in one go or in pieces.

mod conversation;
mod visit;
mod written;

use super::{
    meter::{Metered, Reach, Unit},
    slot::{self, spread},
    states::{Changed, Present},
    tally::{Books, Subject, Tally},
    teams::TeamsTarget,
};
use crate::{
    agent::Duty,
    config::Change,
    ids::{AgentId, ConversationId, QueueId},
    limits::CONVERSATIONS_PER_TENANT,
    output::{Event, Stamped},
    time::{Millis, Timestamp},
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

pub use conversation::Known;

/// What is remembered.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Ledger {
    promises: BTreeMap<QueueId, Millis>,
    agents: BTreeMap<AgentId, Present>,
    conversations: BTreeMap<ConversationId, Known>,
}

/// Of whom something is remembered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Key {
    /// A queue.
    Queue(QueueId),
    /// An agent.
    Agent(AgentId),
    /// A conversation with something still to come.
    Conversation(ConversationId),
}

/// What is remembered of one, to be kept elsewhere and put back.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Entry {
    /// The time in which a queue promises to answer.
    Promise(Millis),
    /// What an agent is at present.
    Agent(Present),
    /// What is open in a conversation.
    Conversation(Box<Known>),
}

impl Ledger {
    /// Books what the event says, and returns whose entry it changed.
    pub fn observe(&mut self, stamped: &Stamped, books: &mut impl Books) -> Option<Key> {
        let at = stamped.at;
        match &stamped.event {
            Event::Configured { change } => self.configured(change, at, books),
            Event::DutyChanged { agent, duty, .. } => Some(self.agent(*agent, at, Changed::Duty(*duty), books)),
            Event::AvailabilityChanged { agent, availability, .. } => {
                Some(self.agent(*agent, at, Changed::Availability(availability), books))
            }
            Event::OccupationChanged { agent, occupation, .. } => Some(self.agent(*agent, at, Changed::Occupation(occupation), books)),
            Event::WrittenQueued { .. }
            | Event::WrittenOfferEnded { .. }
            | Event::WrittenUnqueued { .. }
            | Event::WrittenTaken { .. }
            | Event::WrittenReleased { .. }
            | Event::WrittenWrapUpStarted { .. }
            | Event::WrittenWrapUpEnded { .. } => self.written(stamped, books),
            Event::VisitStarted { .. }
            | Event::VisitOverflowed { .. }
            | Event::VisitEnded { .. }
            | Event::OfferEnded { .. }
            | Event::EstimateMeasured { .. }
            | Event::CallbackOffered { .. }
            | Event::CallbackRequested { .. }
            | Event::CallbackRepeated { .. }
            | Event::CallbackCalled { .. }
            | Event::CallbackEnded { .. } => self.visit(stamped, books),
            _ => self.conversation(stamped, books),
        }
    }

    /// What is remembered of one; `None` when nothing is, or nothing any more.
    pub fn entry(&self, key: Key) -> Option<Entry> {
        match key {
            Key::Queue(id) => self.promises.get(&id).copied().map(Entry::Promise),
            Key::Agent(id) => self.agents.get(&id).cloned().map(Entry::Agent),
            Key::Conversation(id) => self.conversations.get(&id).cloned().map(|known| Entry::Conversation(Box::new(known))),
        }
    }

    /// Puts back what [`Ledger::entry`] gave; an entry of another kind than its key is none.
    pub fn restore(&mut self, key: Key, entry: Entry) {
        match (key, entry) {
            (Key::Queue(id), Entry::Promise(within)) => {
                self.promises.insert(id, within);
            }
            (Key::Agent(id), Entry::Agent(present)) => {
                self.agents.insert(id, present);
            }
            (Key::Conversation(id), Entry::Conversation(known)) => {
                self.conversations.insert(id, *known);
            }
            _ => {}
        }
    }

    /// Drops what is remembered of one.
    pub fn forget(&mut self, key: Key) {
        match key {
            Key::Queue(id) => {
                self.promises.remove(&id);
            }
            Key::Agent(id) => {
                self.agents.remove(&id);
            }
            Key::Conversation(id) => {
                self.conversations.remove(&id);
            }
        }
    }

    /// Conversations of which something is still to come.
    pub fn open_conversations(&self) -> impl Iterator<Item = ConversationId> {
        self.conversations.keys().copied()
    }

    /// Books agents' present stretches up to `until`, as if they ended there.
    pub fn book_present(&self, until: Timestamp, books: &mut impl Books) {
        for (agent, present) in &self.agents {
            present.book(until, |slot, add| add(&mut books.tally(Subject::Agent(*agent), slot).states));
        }
    }

    fn configured(&mut self, change: &Change, at: Timestamp, books: &mut impl Books) -> Option<Key> {
        match change {
            Change::PutQueue(settings) => {
                self.promises.insert(settings.id, settings.service_level.within);
                Some(Key::Queue(settings.id))
            }
            Change::RemoveQueue(id) => {
                // Its last visits end after this; the entry is two numbers, and ids are not used twice.
                self.promises.contains_key(id).then_some(Key::Queue(*id))
            }
            Change::RemoveAgent(id) => Some(self.agent(*id, at, Changed::Duty(Duty::SignedOut), books)),
            _ => None,
        }
    }

    fn agent(&mut self, id: AgentId, at: Timestamp, changed: Changed<'_>, books: &mut impl Books) -> Key {
        let present = self.agents.entry(id).or_insert_with(|| Present::new(at));
        present.change(at, changed, |slot, add| add(&mut books.tally(Subject::Agent(id), slot).states));
        Key::Agent(id)
    }

    fn known(&self, id: ConversationId) -> Known {
        // Of a journal that was cut, the beginning is missing: then there is no number and no line to book on.
        self.conversations.get(&id).cloned().unwrap_or_default()
    }

    /// Makes room for one more conversation. More than live at once are only there when ends are missing from the journal.
    fn make_room(&mut self) {
        while self.conversations.len() >= 2 * CONVERSATIONS_PER_TENANT {
            let ended = self.conversations.iter().find(|(_, known)| known.is_over()).map(|(id, _)| *id);
            match ended.or_else(|| self.conversations.keys().next().copied()) {
                Some(id) => self.conversations.remove(&id),
                None => break,
            };
        }
    }
}

/// Books something for each of several.
fn book(books: &mut impl Books, subjects: &[Subject], slot: Timestamp, mut add: impl FnMut(&mut Tally)) {
    for subject in subjects {
        add(books.tally(*subject, slot));
    }
}
