//! Every limit of the runtime, with its unit and the reason for its size.

use std::time::Duration;

/// Inputs that share one commit: bounds how long a wish waits for others' decisions, at 100 µs each.
pub const INPUTS_PER_COMMIT: usize = 512;
/// Facts kept in memory while the journal cannot be written: minutes of a busy tenant. Then the owner gives up and rebuilds.
pub const UNWRITTEN_EVENTS: usize = 200_000;
/// Pause before the journal is tried again.
pub const JOURNAL_RETRY: Duration = Duration::from_millis(500);
/// Facts between two snapshots: replaying this many takes well under a second.
pub const EVENTS_PER_SNAPSHOT: u64 = 50_000;
/// Requests waiting for one owner.
pub const REQUESTS_QUEUED: usize = 8_192;
/// Pause before a tenant that cannot be taken over is tried again.
pub const TAKEOVER_RETRY: Duration = Duration::from_secs(2);
