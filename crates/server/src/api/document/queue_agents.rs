//! A queue's rules for its agents, as programs see them: what follows a missed offer, and what belongs to wrap-up.

use dreiklang_core::{queue, time::Millis};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Rules for the queue's agents.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct AgentRules {
    /// What follows an offer that was not taken.
    pub missed: MissRules,
    /// What belongs to wrap-up beside its length.
    pub wrap_up: WrapUpRules,
}

/// What follows an offer that was not taken, by how it was not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct MissRules {
    /// It rang out.
    pub no_answer: OnMiss,
    /// The agent declined.
    pub declined: OnMiss,
    /// The telephone was busy.
    pub busy: OnMiss,
    /// The telephone could not be reached.
    pub unreachable: OnMiss,
    /// After this time, who became not ready by these rules is ready again; `null`: only by choice.
    pub ready_again_ms: Option<u64>,
    /// After this time, who was passed over is asked for the same visit again; `null`: never.
    pub ask_again_ms: Option<u64>,
}

impl Default for MissRules {
    fn default() -> Self {
        let usual = OnMiss::NotReady;
        let ask_again_ms = queue::MissRules::default().ask_again.map(|after| after.0);
        MissRules { no_answer: usual, declined: usual, busy: usual, unreachable: usual, ready_again_ms: None, ask_again_ms }
    }
}

/// What follows one missed offer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum OnMiss {
    /// The agent is not ready from now on.
    #[default]
    NotReady,
    /// The agent stays ready and is not asked for the same visit; after ten misses in a row not ready all the same.
    PassOver,
    /// As `pass_over`, and not ready after so many misses in a row.
    NotReadyAfter {
        /// How many.
        #[schema(minimum = 2, maximum = 10)]
        misses: u8,
    },
    /// The agent is signed out of the queue until coming to work again or signing in.
    SignOut,
}

/// What belongs to wrap-up beside its length.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct WrapUpRules {
    /// By how much an agent may lengthen timed wrap-up, once; absent: not at all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub extension_ms: Option<u64>,
    /// When wrap-up that lasts until it is finished ends all the same; absent: after an hour.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub longest_ms: Option<u64>,
    /// Codes for what became of a conversation; the tenant's where there are none, and any text where that has none either.
    pub dispositions: Vec<Disposition>,
    /// Agents may not finish wrap-up without one.
    pub required: bool,
}

/// A code for what became of a conversation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Disposition {
    /// Kept with the conversation; no spaces.
    #[schema(example = "solved")]
    pub code: String,
    /// Shown to people.
    #[schema(example = "Solved")]
    pub label: String,
    /// The customer is to hear from us again.
    #[serde(default)]
    pub follow_up: bool,
}

impl AgentRules {
    /// In the core's words.
    pub(super) fn to_core(&self) -> queue::AgentRules {
        let (missed, wrap_up) = (self.missed, &self.wrap_up);
        queue::AgentRules {
            missed: queue::MissRules {
                no_answer: missed.no_answer.into(),
                declined: missed.declined.into(),
                busy: missed.busy.into(),
                unreachable: missed.unreachable.into(),
                ready_again: missed.ready_again_ms.map(Millis),
                ask_again: missed.ask_again_ms.map(Millis),
            },
            wrap_up: queue::WrapUpRules {
                extension: wrap_up.extension_ms.map(Millis),
                longest: wrap_up.longest_ms.map(Millis),
                dispositions: wrap_up.dispositions.iter().map(Disposition::to_core).collect(),
                required: wrap_up.required,
            },
        }
    }
}

impl Disposition {
    /// In the core's words.
    pub(super) fn to_core(&self) -> queue::Disposition {
        queue::Disposition { code: self.code.clone(), label: self.label.clone(), follow_up: self.follow_up }
    }
}

impl From<OnMiss> for queue::OnMiss {
    fn from(rule: OnMiss) -> Self {
        match rule {
            OnMiss::NotReady => queue::OnMiss::NotReady,
            OnMiss::PassOver => queue::OnMiss::PassOver,
            OnMiss::NotReadyAfter { misses } => queue::OnMiss::NotReadyAfter { misses },
            OnMiss::SignOut => queue::OnMiss::SignOut,
        }
    }
}
