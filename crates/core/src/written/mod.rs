//! Conversations in writing: chats, letters by mail and tasks. They wait in the same queues as callers and are given to the same
//! agents by the same rules, but need no telephone, and an agent may have several at a time.
//!
//! What is written is not the core's business; it knows who waits for whom, and who has what.

mod capacity;

pub use capacity::{Load, Share, Work, WorkState};

use crate::{
    conversation::{Termination, Visit},
    endpoint::Party,
    ids::{AgentId, ConversationId, OfferId, QueueId},
    limits::{WRAP_UP_MAX, WRITTEN_RING},
    queue::SkillRequirement,
    time::{Millis, Timestamp},
};
use serde::{Deserialize, Serialize};

/// The way somebody writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Channel {
    /// The customer waits at a screen.
    Chat,
    /// The customer reads the answer some time.
    Email,
    /// Work that another system has for an agent: an order to check, a form to answer.
    Task,
}

impl Channel {
    /// Every channel.
    pub const ALL: [Channel; 3] = [Channel::Chat, Channel::Email, Channel::Task];

    /// The word used on the wire and in the pages.
    pub fn as_str(self) -> &'static str {
        match self {
            Channel::Chat => "chat",
            Channel::Email => "email",
            Channel::Task => "task",
        }
    }

    /// Whether somebody waits who leaves when nobody comes.
    pub fn is_live(self) -> bool {
        self == Channel::Chat
    }
}

/// What a queue does with those who write.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct WrittenRules {
    /// How long an agent has for taking what is offered.
    pub ring: Millis,
    /// Chats that are taken within this time are served in time.
    pub chat_within: Millis,
    /// The same for mail.
    pub email_within: Millis,
    /// The same for tasks.
    pub task_within: Millis,
}

impl Default for WrittenRules {
    /// A minute for a chat, the half of a working day for the others.
    fn default() -> WrittenRules {
        const HALF_A_DAY: Millis = Millis::from_secs(4 * 3_600);
        WrittenRules { ring: WRITTEN_RING, chat_within: Millis::from_secs(60), email_within: HALF_A_DAY, task_within: HALF_A_DAY }
    }
}

impl WrittenRules {
    /// The time within which one of this channel is to be taken.
    pub fn within(&self, channel: Channel) -> Millis {
        match channel {
            Channel::Chat => self.chat_within,
            Channel::Email => self.email_within,
            Channel::Task => self.task_within,
        }
    }
}

/// Somebody who writes, or wrote, as told by whoever carries the messages.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Letter {
    /// Which conversation it becomes; named by whoever carries the messages, so that saying it twice makes one.
    pub conversation: ConversationId,
    /// How.
    pub channel: Channel,
    /// The queue it waits in.
    pub queue: QueueId,
    /// Who writes: `number` holds the address.
    pub customer: Party,
    /// What about.
    #[serde(default)]
    pub subject: Option<String>,
    /// Where it can be read.
    #[serde(default)]
    pub link: Option<String>,
    /// Overrides the queue's priority.
    #[serde(default)]
    pub priority: Option<u8>,
    /// Asked of the agent on top of the queue's skills.
    #[serde(default)]
    pub skills: Vec<SkillRequirement>,
    /// The language it is written in, as a BCP 47 tag.
    #[serde(default)]
    pub language: Option<String>,
    /// The agent who is waited for first.
    #[serde(default)]
    pub preferred: Option<crate::queue::Preferred>,
}

/// One conversation in writing, until it is closed and its notes are finished. It is in exactly one place: `visit` while it
/// waits, `handling` while an agent has it, and `wrap_up` when it is closed and its agent finishes notes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Written {
    /// Which.
    pub id: ConversationId,
    /// How the customer writes.
    pub channel: Channel,
    /// Who.
    pub customer: Party,
    /// What about.
    pub subject: Option<String>,
    /// Where it can be read.
    pub link: Option<String>,
    /// The language it is written in.
    pub language: Option<String>,
    /// When it was opened.
    pub started_at: Timestamp,
    /// The stay in a queue.
    pub visit: Option<Visit>,
    /// Agents to whom it is offered; several where the queue asks several at once. None without `visit`.
    pub offers: Vec<WrittenOffer>,
    /// Who has it.
    pub handling: Option<Handling>,
    /// Who finishes notes about it.
    pub wrap_up: Option<WrittenWrapUp>,
    /// What became of it, as its agent says.
    pub disposition: Option<String>,
    /// Queue of the last stay.
    pub last_queue: Option<QueueId>,
    /// Stays in queues so far.
    pub visits: u32,
    /// How it ended.
    pub ended: Option<Termination>,
}

/// One attempt to give it to one agent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WrittenOffer {
    /// Which.
    pub id: OfferId,
    /// To whom.
    pub agent: AgentId,
    /// Since when.
    pub made_at: Timestamp,
    /// Then it counts as not answered.
    pub until: Timestamp,
}

/// An agent has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Handling {
    /// Who.
    pub agent: AgentId,
    /// The queue it came from.
    pub queue: QueueId,
    /// Since when.
    pub since: Timestamp,
}

/// An agent finishes notes about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WrittenWrapUp {
    /// Who.
    pub agent: AgentId,
    /// The queue it came from.
    pub queue: QueueId,
    /// Since when.
    pub since: Timestamp,
    /// When it ends by itself.
    pub until: Timestamp,
}

impl Written {
    /// Whether it waits and could be offered now.
    pub fn wants_agent(&self) -> bool {
        self.visit.is_some() && self.offers.is_empty()
    }

    /// Whether the customer has nothing to expect any more.
    pub fn is_over(&self) -> bool {
        self.ended.is_some()
    }

    /// The agent who has it, or finishes notes about it.
    pub fn agent(&self) -> Option<AgentId> {
        self.handling.map(|handling| handling.agent).or(self.wrap_up.map(|wrap_up| wrap_up.agent))
    }

    /// The queue it waits in, or was taken from.
    pub fn queue(&self) -> Option<QueueId> {
        self.visit.as_ref().map(|visit| visit.queue).or(self.last_queue)
    }

    /// The offer to an agent.
    pub fn offer_to(&self, agent: AgentId) -> Option<&WrittenOffer> {
        self.offers.iter().find(|offer| offer.agent == agent)
    }
}

/// The longest notes about one may take when its queue sets no end.
pub(crate) const NOTES_MAX: Millis = WRAP_UP_MAX;
