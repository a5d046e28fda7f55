//! A queue's rules for what happens during a call.

use super::reference::Reference;
use crate::{api::extract, error::Problem};
use dreiklang_core::{queue, time::Millis};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Rules for calls under way; they hold while this is the last queue the customer was in.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Calls {
    /// Where the customer goes when the agent's telephone drops in a consult that has been answered.
    pub consult_drop: ConsultDrop,
    /// Whether what the agent says to a consulted party is recorded. The party itself never is.
    pub record_consult: bool,
    /// How long a customer whose transfer failed waits for the agent who transferred alone. Absent: everybody is asked at once.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 1_000, maximum = 600_000)]
    pub take_back_ms: Option<u64>,
    /// The flow, by id or name, to which a customer goes whose agent has ended the talk: a survey, say. Absent: the call ends.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after_talk: Option<String>,
}

/// Where a customer on hold goes when the agent who consulted is gone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ConsultDrop {
    /// To who was consulted.
    #[default]
    Join,
    /// To the front of the queue.
    Queue,
}

impl Calls {
    /// In the core's words.
    ///
    /// # Errors
    /// When the flow is named by no id.
    pub(super) fn to_core(&self) -> Result<queue::CallRules, Problem> {
        Ok(queue::CallRules {
            after_talk: self.after_talk.as_ref().map(|flow| extract::id("flow", flow)).transpose()?,
            consult_drop: match self.consult_drop {
                ConsultDrop::Join => queue::ConsultDrop::Join,
                ConsultDrop::Queue => queue::ConsultDrop::Queue,
            },
            record_consult: self.record_consult,
            take_back: self.take_back_ms.map(Millis),
        })
    }

    /// Every place where another document is named.
    pub(super) fn references(&mut self) -> impl Iterator<Item = (Reference, &mut String)> {
        self.after_talk.iter_mut().map(|flow| (Reference::Flow, flow))
    }
}
