//! Legs that ended lately, so that what comes late or twice about them is recognized and attributed.

use crate::{
    endpoint::Line,
    ids::{ConversationId, LegId},
    limits::LEGS_REMEMBERED,
};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, VecDeque};

/// What is kept of an ended leg.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DepartedLeg {
    /// Which.
    pub leg: LegId,
    /// Of which conversation.
    pub conversation: ConversationId,
    /// Over which line.
    pub line: Line,
    /// Its audio figures have come.
    pub measured: bool,
    /// Its end was never confirmed.
    pub given_up: bool,
}

/// The last [`LEGS_REMEMBERED`] legs that ended.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(from = "Vec<DepartedLeg>", into = "Vec<DepartedLeg>")]
pub struct Departed {
    order: VecDeque<LegId>,
    legs: BTreeMap<LegId, DepartedLeg>,
}

impl Departed {
    pub(crate) fn insert(&mut self, leg: DepartedLeg) {
        if self.legs.insert(leg.leg, leg).is_none() {
            self.order.push_back(leg.leg);
        }
        if self.order.len() > LEGS_REMEMBERED
            && let Some(oldest) = self.order.pop_front()
        {
            self.legs.remove(&oldest);
        }
    }

    pub(crate) fn get_mut(&mut self, leg: LegId) -> Option<&mut DepartedLeg> {
        self.legs.get_mut(&leg)
    }

    /// One of them.
    pub fn get(&self, leg: LegId) -> Option<&DepartedLeg> {
        self.legs.get(&leg)
    }

    /// How many.
    pub fn len(&self) -> usize {
        self.legs.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.legs.is_empty()
    }
}

impl From<Vec<DepartedLeg>> for Departed {
    fn from(list: Vec<DepartedLeg>) -> Departed {
        let mut departed = Departed::default();
        for leg in list {
            departed.insert(leg);
        }
        departed
    }
}

impl From<Departed> for Vec<DepartedLeg> {
    fn from(departed: Departed) -> Self {
        departed.order.iter().filter_map(|leg| departed.legs.get(leg).copied()).collect()
    }
}
