//! Deadlines as state: kept in the world, so that they survive a change of process and are the same after a replay.

use crate::{
    endpoint::Line,
    ids::{ActionId, AgentId, CallbackId, ConversationId, HoursId, LegId, MessageId, QueueId, RecordingId},
    time::Timestamp,
};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// What a deadline is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(tag = "kind", content = "id", rename_all = "snake_case")]
pub enum Timer {
    /// The longest life of a conversation.
    Conversation(ConversationId),
    /// An arriving leg has to be connected.
    Answer(LegId),
    /// The greeting has to be over.
    Prompt(ConversationId),
    /// What the conversation's flow waits for, or the flow itself, is overdue.
    Flow(ConversationId),
    /// The conversation's offer rings out.
    Ring(ConversationId),
    /// The conversation's visit asks for less.
    Widen(ConversationId),
    /// The conversation's longest wait in its queue.
    MaxWait(ConversationId),
    /// A rule leads the conversation out of its queue.
    Overflow(ConversationId),
    /// The conversation is told something while it waits.
    Announce(ConversationId),
    /// A queue closed by hand opens.
    Reopen(QueueId),
    /// The party outside has to answer a transfer or consult, or a supervisor the call.
    TransferRing(LegId),
    /// A leg that was told to end has to have ended.
    HangUp(LegId),
    /// A leg's line could not take the wish to end it: it is uttered again.
    HangUpAgain(LegId),
    /// Wrap-up ends.
    WrapUp(AgentId),
    /// An agent who missed something is ready again.
    ReadyAgain(AgentId),
    /// Agents who did not take the conversation may be asked again.
    AskAgain(ConversationId),
    /// An action has to be answered.
    Action(ActionId),
    /// A recording has to be closed.
    Recording(RecordingId),
    /// Ask a line again which legs live.
    Survey(Line),
    /// Somebody of the consulted queue has to be free.
    ConsultWait(ConversationId),
    /// The pause of a recording ends by itself.
    RecordingPause(RecordingId),
    /// A callback stands in line, or is to be tried again.
    Callback(CallbackId),
    /// The customer has to have said which number is to be called back.
    Asking(ConversationId),
    /// The message being left has reached its longest length.
    Message(ConversationId),
    /// A message is forgotten.
    MessageExpiry(MessageId),
    /// Notes about a conversation in writing end.
    Notes(ConversationId),
    /// Opening hours that were switched decide by themselves again.
    HoursOverride(HoursId),
}

/// All deadlines: at most one per [`Timer`].
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(from = "Vec<(Timer, Timestamp)>", into = "Vec<(Timer, Timestamp)>")]
pub struct Timers {
    due: BTreeMap<Timer, Timestamp>,
    order: BTreeSet<(Timestamp, Timer)>,
}

impl Timers {
    pub(crate) fn set(&mut self, timer: Timer, due: Timestamp) {
        self.clear(timer);
        self.due.insert(timer, due);
        self.order.insert((due, timer));
    }

    pub(crate) fn clear(&mut self, timer: Timer) {
        if let Some(due) = self.due.remove(&timer) {
            self.order.remove(&(due, timer));
        }
    }

    /// When this one is due.
    pub fn due(&self, timer: Timer) -> Option<Timestamp> {
        self.due.get(&timer).copied()
    }

    /// The earliest of all.
    pub fn next(&self) -> Option<(Timestamp, Timer)> {
        self.order.first().copied()
    }

    /// All that are due at `now`, earliest first.
    pub fn due_at(&self, now: Timestamp) -> impl Iterator<Item = Timer> + '_ {
        self.order.iter().take_while(move |(due, _)| *due <= now).map(|(_, timer)| *timer)
    }

    /// All, earliest first.
    pub fn iter(&self) -> impl Iterator<Item = (Timestamp, Timer)> + '_ {
        self.order.iter().copied()
    }

    /// How many.
    pub fn len(&self) -> usize {
        self.due.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.due.is_empty()
    }
}

impl From<Vec<(Timer, Timestamp)>> for Timers {
    fn from(list: Vec<(Timer, Timestamp)>) -> Timers {
        let mut timers = Timers::default();
        for (timer, due) in list {
            timers.set(timer, due);
        }
        timers
    }
}

impl From<Timers> for Vec<(Timer, Timestamp)> {
    fn from(timers: Timers) -> Self {
        timers.due.into_iter().collect()
    }
}
