//! Who gets which conversation: the visit that comes first goes to the agent who has been idle longest, among those who have
//! the skills. `index` keeps the candidates in order, `longest_idle` decides.

mod index;
mod longest_idle;

pub use index::Index;
pub(crate) use index::normalize;

use serde::{Deserialize, Serialize};

/// How an offer ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OfferOutcome {
    /// The agent took it.
    Accepted,
    /// The agent refused it.
    Declined,
    /// It rang out (RONA).
    NoAnswer,
    /// The telephone was busy.
    Busy,
    /// The telephone could not be reached.
    Unreachable,
    /// The caller left or the offer lost its meaning.
    Withdrawn,
}
