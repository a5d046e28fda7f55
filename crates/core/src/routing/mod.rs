//! Who gets which conversation: the visit whose turn it is goes to the agent whom the queue's strategy chooses, among those who
//! are what the visit asks for.
//!
//! `demand` says what is asked and who is that, `strategy` who of several is chosen, `standing` whose turn it is; `index` keeps
//! all of them in order, `decide` looks at the heads, and `explain` says afterwards why.

mod decide;
mod demand;
mod explain;
mod index;
mod staff;
mod standing;
mod strategy;

use decide::Pick;
pub(crate) use demand::normalize;
pub use demand::{Asked, Demand, Misfit, asked, asked_in_writing};
pub use explain::{Candidate, Decision, Verdict};
pub use index::Index;
pub use staff::Staff;
pub use standing::Standing;
pub use strategy::{Rank, Strategy};

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
