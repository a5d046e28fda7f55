//! The one clock owners read: wall time that never runs backward.

use dreiklang_core::time::Timestamp;
use std::time::{SystemTime, UNIX_EPOCH};
use tokio::time::Instant;

/// Wall time, anchored to the monotonic clock at creation, so that a step of the system's clock does not end calls or stretch
/// ring times. The anchor is renewed at each start of the process.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    anchor: Instant,
    anchor_ms: i64,
}

impl Clock {
    /// Reads the system's clock once.
    pub fn new() -> Clock {
        let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Clock { anchor: Instant::now(), anchor_ms: i64::try_from(since_epoch.as_millis()).unwrap_or(i64::MAX) }
    }

    /// Starts no earlier than `latest`: after a takeover the journal must not go back in time even if the system's clock did.
    pub fn not_before(mut self, latest: Timestamp) -> Clock {
        self.anchor_ms = self.anchor_ms.max(latest.0);
        self
    }

    /// Now.
    pub fn now(&self) -> Timestamp {
        Timestamp(self.anchor_ms + i64::try_from(self.anchor.elapsed().as_millis()).unwrap_or(i64::MAX))
    }

    /// The moment of the monotonic clock at which `now` will be `at`.
    pub fn instant_of(&self, at: Timestamp) -> Instant {
        let ms = u64::try_from(at.0.saturating_sub(self.anchor_ms)).unwrap_or(0);
        self.anchor + std::time::Duration::from_millis(ms)
    }
}

impl Default for Clock {
    fn default() -> Self {
        Clock::new()
    }
}
