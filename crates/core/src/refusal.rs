//! What the domain says no to: values, part of the API, never logged as errors.

use serde::{Deserialize, Serialize};

/// A command that was refused. The text is for the person who asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(tag = "code", rename_all = "snake_case")]
pub enum Refusal {
    /// The thing named is not there.
    #[error("there is no {what} {id}")]
    NotFound {
        /// Its kind, in words.
        what: String,
        /// What was asked for.
        id: String,
    },
    /// The thing is not in a state in which this is possible.
    #[error("{reason}")]
    WrongState {
        /// What stands in the way, and what would help.
        reason: String,
    },
    /// A configuration document does not hold together.
    #[error("{field}: {problem}")]
    Invalid {
        /// Path of the field, such as `queue.ring`.
        field: String,
        /// What is wrong and what would be right.
        problem: String,
    },
    /// Somebody not allowed to.
    #[error("{reason}")]
    NotAllowed {
        /// Why not.
        reason: String,
    },
    /// A limit is reached.
    #[error("{what} is limited to {limit}")]
    Full {
        /// What is limited.
        what: String,
        /// To how many.
        limit: u64,
    },
}

impl Refusal {
    /// The stable code, with a page of its own in `docs/errors`.
    pub fn code(&self) -> &'static str {
        match self {
            Refusal::NotFound { .. } => "CORE-001",
            Refusal::WrongState { .. } => "CORE-002",
            Refusal::Invalid { .. } => "CORE-003",
            Refusal::NotAllowed { .. } => "CORE-004",
            Refusal::Full { .. } => "CORE-005",
        }
    }
}
