//! A queue's rules for its agents: what follows a missed offer, and what follows a talk.

use crate::{agent::NotReadyReason, time::Millis};
use serde::{Deserialize, Serialize};

/// A queue's rules for its agents.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct AgentRules {
    /// What follows an offer that was not taken.
    pub missed: MissRules,
    /// What belongs to wrap-up beside its length.
    pub wrap_up: WrapUpRules,
}

/// What follows an offer that was not taken, by how it was not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct MissRules {
    /// It rang out (RONA).
    pub no_answer: OnMiss,
    /// The agent declined.
    pub declined: OnMiss,
    /// The telephone was busy.
    pub busy: OnMiss,
    /// The telephone could not be reached.
    pub unreachable: OnMiss,
    /// After this time, who became not ready by these rules is ready again; `None` = only by choice.
    pub ready_again: Option<Millis>,
    /// After this time, who was passed over is asked for the same visit again; `None` = never. Without it a customer may wait
    /// beside an idle agent until somebody else is free.
    pub ask_again: Option<Millis>,
}

impl Default for MissRules {
    /// Not ready after every miss, until the agent says otherwise.
    fn default() -> Self {
        let usual = OnMiss::NotReady;
        MissRules {
            no_answer: usual,
            declined: usual,
            busy: usual,
            unreachable: usual,
            ready_again: None,
            ask_again: Some(Millis::from_secs(60)),
        }
    }
}

impl MissRules {
    /// What follows a miss of this kind.
    pub fn on(&self, reason: NotReadyReason) -> OnMiss {
        match reason {
            NotReadyReason::NoAnswer => self.no_answer,
            NotReadyReason::Declined => self.declined,
            NotReadyReason::Busy => self.busy,
            NotReadyReason::Unreachable => self.unreachable,
            NotReadyReason::SignedIn => OnMiss::NotReady,
        }
    }
}

/// What follows one missed offer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum OnMiss {
    /// The agent is not ready from now on.
    #[default]
    NotReady,
    /// The agent stays ready and is not asked for the same visit; others are. After
    /// [`crate::limits::MISSES_IN_A_ROW`] misses in a row not ready all the same.
    PassOver,
    /// As `PassOver`, and not ready after so many misses in a row: 2 to [`crate::limits::MISSES_IN_A_ROW`].
    NotReadyAfter {
        /// How many.
        misses: u8,
    },
    /// The agent is signed out of the queue until coming to work again or signing in, and stays ready for others. Agents of
    /// other queues who help out are not ready instead.
    SignOut,
}

/// What belongs to wrap-up beside its length, which is the queue's [`super::Allowance`].
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct WrapUpRules {
    /// By how much an agent may lengthen timed wrap-up, once; `None` = not at all.
    pub extension: Option<Millis>,
    /// When wrap-up that lasts until it is finished ends all the same; [`crate::limits::WRAP_UP_MAX`] where nothing is said.
    pub longest: Option<Millis>,
    /// Codes for what became of a conversation; the tenant's where there are none, and any text where that has none either.
    pub dispositions: Vec<Disposition>,
    /// Agents may not finish wrap-up without one.
    pub required: bool,
}

/// A code for what became of a conversation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Disposition {
    /// Kept with the conversation; no spaces.
    pub code: String,
    /// Shown to people.
    pub label: String,
    /// The customer is to hear from us again.
    #[serde(default)]
    pub follow_up: bool,
}

impl Disposition {
    /// One without follow-up.
    pub fn new(code: &str, label: &str) -> Disposition {
        Disposition { code: code.to_owned(), label: label.to_owned(), follow_up: false }
    }
}
