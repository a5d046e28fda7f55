//! Pauses of recordings, and the gaps they leave.

use crate::{input::Actor, time::Timestamp};
use serde::{Deserialize, Serialize};

/// Why nothing is recorded for a while.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PauseReason {
    /// Somebody wanted it; it ends when somebody wants that.
    #[default]
    Choice,
    /// Something is said that must not be recorded, such as the number of a card. It ends by itself, lest the rest of the talk
    /// be missing because somebody forgot.
    Secure,
}

/// A pause that is under way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pause {
    /// Since when.
    pub from: Timestamp,
    /// Who wanted it.
    pub by: Actor,
    /// Why.
    pub reason: PauseReason,
    /// When it ends by itself.
    pub until: Option<Timestamp>,
}

/// A stretch that was not recorded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gap {
    /// From when.
    pub from: Timestamp,
    /// To when.
    pub to: Timestamp,
    /// Who wanted it.
    pub by: Actor,
    /// Why.
    pub reason: PauseReason,
}

impl Pause {
    /// The gap it leaves when it ends at `to`.
    pub fn ended(&self, to: Timestamp) -> Gap {
        Gap { from: self.from, to, by: self.by.clone(), reason: self.reason }
    }
}
