//! What a leg is let hear.

use serde::{Deserialize, Serialize};

/// What a leg is let hear.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Prompt {
    /// An audio file among the tenant's prompts.
    File {
        /// Its name there.
        name: String,
    },
    /// A text, spoken.
    Text {
        /// What is said.
        text: String,
        /// BCP 47 tag such as `de` or `en-GB`.
        language: String,
    },
    /// The built-in hold music.
    Music,
    /// The sound of a ringing telephone.
    Ringback,
    /// A short tone: speak now.
    Beep,
}
