//! How many conversations in writing an agent has at a time, per channel, and beside calls.
//!
//! A call takes the whole agent. Conversations in writing are counted channel by channel, and everything counts that the agent
//! has to see to: what is offered, what is open, and what notes are being finished about.

use super::Channel;
use crate::{
    agent::{Agent, Availability, Duty, Occupation},
    ids::{ConversationId, OfferId},
    time::Timestamp,
};
use serde::{Deserialize, Serialize};

/// What of one channel an agent takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Share {
    /// How many at once, 1 to [`crate::limits::WRITTEN_AT_ONCE`].
    pub at_once: u8,
    /// More are offered while the agent is busy with a call.
    #[serde(default)]
    pub during_calls: bool,
    /// Calls are offered while the agent has some of these.
    #[serde(default = "yes")]
    pub calls_interrupt: bool,
}

fn yes() -> bool {
    true
}

/// One conversation in writing that an agent has to see to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Work {
    /// How the customer writes.
    pub channel: Channel,
    /// What the agent has to do.
    pub state: WorkState,
    /// Since when.
    pub since: Timestamp,
}

/// What an agent has to do with a conversation in writing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum WorkState {
    /// Take it or decline it.
    Offered {
        /// Which offer.
        offer: OfferId,
        /// Until when.
        until: Timestamp,
    },
    /// Answer it.
    Open,
    /// Finish notes.
    WrapUp {
        /// When that ends by itself.
        until: Timestamp,
    },
}

/// What an agent could be offered at a moment; equal loads rank equally.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Load {
    /// A call.
    pub call: bool,
    /// How many the agent has of each channel of [`Channel::ALL`]; `None` when no more of it can be offered.
    pub written: [Option<u8>; Channel::ALL.len()],
}

impl Load {
    /// How many of this channel the agent has who could be offered one more; `None` when that one cannot. For a call it is nought.
    pub fn room(&self, channel: Option<Channel>) -> Option<u8> {
        match channel {
            None => self.call.then_some(0),
            Some(channel) => self.written[channel as usize],
        }
    }

    /// Nothing could be offered.
    pub fn is_full(&self) -> bool {
        !self.call && self.written.iter().all(Option::is_none)
    }
}

impl Agent {
    /// How many conversations of a channel the agent has to see to.
    pub fn has_of(&self, channel: Channel) -> usize {
        self.work.values().filter(|work| work.channel == channel).count()
    }

    /// Whether one more of a channel fits beside what the agent has, whatever else the agent is busy with.
    pub fn has_room_for(&self, channel: Channel) -> bool {
        self.settings.channels.get(&channel).is_some_and(|share| self.has_of(channel) < usize::from(share.at_once))
    }

    /// Whether one of a channel may be offered now.
    pub fn is_free_for(&self, channel: Channel) -> bool {
        let beside = self.occupation == Occupation::Idle
            || self.settings.channels.get(&channel).is_some_and(|share| share.during_calls) && self.planned.is_none();
        self.wants_more() && beside && self.has_room_for(channel)
    }

    /// Whether conversations in writing keep calls away.
    pub fn is_undisturbed(&self) -> bool {
        let disturbs = |work: &Work| self.settings.channels.get(&work.channel).is_none_or(|share| share.calls_interrupt);
        !self.work.values().all(disturbs)
    }

    /// On duty and ready, with no plan to end work, and not about to disappear.
    pub(crate) fn wants_more(&self) -> bool {
        self.duty == Duty::OnDuty && self.availability == Availability::Ready && self.planned_duty.is_none() && !self.retiring
    }

    /// What could be offered now.
    pub fn load(&self) -> Load {
        let written = Channel::ALL.map(|channel| {
            let has = || u8::try_from(self.has_of(channel)).unwrap_or(u8::MAX);
            (!self.settings.channels.is_empty() && self.is_free_for(channel)).then(has)
        });
        Load { call: self.is_routable(), written }
    }

    /// Nothing to see to: no call, and nothing in writing.
    pub fn has_nothing_to_do(&self) -> bool {
        self.occupation == Occupation::Idle && self.work.is_empty()
    }

    /// One of the conversations in writing.
    pub fn work_on(&self, id: ConversationId) -> Option<&Work> {
        self.work.get(&id)
    }
}
