//! The one clock owners read: wall time that never runs backward.

use super::hand::Hand;
use dreiklang_core::time::Timestamp;
use std::time::{SystemTime, UNIX_EPOCH};
use tokio::time::Instant;

/// Wall time, anchored to the monotonic clock at creation, so that a step of the system's clock does not end calls or stretch
/// ring times. The anchor is renewed at each start of the process.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    anchor: Instant,
    anchor_ms: i64,
    /// In rehearsals; then the rest counts for nothing.
    hand: Option<&'static Hand>,
}

impl Clock {
    /// Reads the system's clock once.
    pub fn new() -> Clock {
        let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let anchor_ms = i64::try_from(since_epoch.as_millis()).unwrap_or(i64::MAX);
        Clock { anchor: Instant::now(), anchor_ms, hand: Hand::of_this_process() }
    }

    /// Starts no earlier than `latest`: after a takeover the journal must not go back in time even if the system's clock did.
    pub fn not_before(mut self, latest: Timestamp) -> Clock {
        self.anchor_ms = self.anchor_ms.max(latest.0);
        if let Some(hand) = self.hand {
            hand.move_to(latest);
        }
        self
    }

    /// Now.
    pub fn now(&self) -> Timestamp {
        if let Some(hand) = self.hand {
            return hand.now();
        }
        Timestamp(self.anchor_ms + i64::try_from(self.anchor.elapsed().as_millis()).unwrap_or(i64::MAX))
    }

    /// Waits until `now` is `at`.
    pub async fn reached(&self, at: Timestamp) {
        if let Some(hand) = self.hand {
            return hand.reached(at).await;
        }
        let ms = u64::try_from(at.0.saturating_sub(self.anchor_ms)).unwrap_or(0);
        tokio::time::sleep_until(self.anchor + std::time::Duration::from_millis(ms)).await;
    }
}

impl Default for Clock {
    fn default() -> Self {
        Clock::new()
    }
}
