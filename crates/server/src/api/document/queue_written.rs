//! A queue's rules for those who write.

use dreiklang_core::{time::Millis, written};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What is promised to those who write.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct WrittenRules {
    /// How long an agent has for taking what is offered.
    #[schema(minimum = 3_000, maximum = 600_000)]
    pub ring_ms: u64,
    /// Chats that are taken within this time are served in time.
    pub chat_within_ms: u64,
    /// The same for mail.
    pub email_within_ms: u64,
    /// The same for tasks.
    pub task_within_ms: u64,
}

impl Default for WrittenRules {
    fn default() -> WrittenRules {
        let written::WrittenRules { ring, chat_within, email_within, task_within } = written::WrittenRules::default();
        WrittenRules { ring_ms: ring.0, chat_within_ms: chat_within.0, email_within_ms: email_within.0, task_within_ms: task_within.0 }
    }
}

impl WrittenRules {
    /// In the core's words.
    pub(super) fn to_core(&self) -> written::WrittenRules {
        written::WrittenRules {
            ring: Millis(self.ring_ms),
            chat_within: Millis(self.chat_within_ms),
            email_within: Millis(self.email_within_ms),
            task_within: Millis(self.task_within_ms),
        }
    }
}
