//! How many waits were how long: what lets a service level be asked for any of the usual promises afterwards.

use super::counter::Counter;
use crate::time::Millis;
use serde::{Deserialize, Serialize};

/// The promises a service level can be asked for, in seconds, beside the one the queue had.
pub const THRESHOLDS: [u64; 12] = [5, 10, 15, 20, 30, 45, 60, 90, 120, 180, 300, 600];

/// Waits by length: one count for each of [`THRESHOLDS`], of those no longer than it and longer than the one before. Longer
/// ones than the last are not in here.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Waits([u64; THRESHOLDS.len()]);

impl Waits {
    /// Counts one.
    pub fn count(&mut self, wait: Millis) {
        if let Some(place) = THRESHOLDS.iter().position(|seconds| wait <= Millis::from_secs(*seconds)) {
            self.0[place] += 1;
        }
    }

    /// How many were no longer than this; `None` when it is none of [`THRESHOLDS`].
    pub fn within(&self, threshold: Millis) -> Option<u64> {
        let place = THRESHOLDS.iter().position(|seconds| Millis::from_secs(*seconds) == threshold)?;
        Some(self.0[..=place].iter().sum())
    }
}

impl Counter for Waits {
    fn absorb(&mut self, other: &Self) {
        for (sum, count) in self.0.iter_mut().zip(other.0) {
            *sum += count;
        }
    }

    fn is_nothing(&self) -> bool {
        self.0.iter().all(|count| *count == 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wait_counts_for_every_promise_it_keeps() {
        let mut waits = Waits::default();
        for wait in [0, 5_000, 5_001, 20_000, 20_001, 700_000] {
            waits.count(Millis(wait));
        }
        let within = |seconds| waits.within(Millis::from_secs(seconds));
        assert_eq!((within(5), within(10), within(20), within(30), within(600)), (Some(2), Some(3), Some(4), Some(5), Some(5)));
        assert_eq!(within(21), None);
    }
}
