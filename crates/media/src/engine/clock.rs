//! The media clock: samples (8 kHz) since the engine started, and what that is on the wall.

use std::time::{Duration, Instant, SystemTime};

use crate::codec::CLOCK_HZ;
use crate::rtcp;

const NANOS_PER_SAMPLE: u64 = 1_000_000_000 / CLOCK_HZ as u64;

/// Samples in one millisecond.
pub(super) const SAMPLES_PER_MS: u64 = CLOCK_HZ as u64 / 1_000;

/// The clock of one engine; all its shards share the beginning.
#[derive(Debug, Clone, Copy)]
pub(super) struct Clock {
    epoch: Instant,
    /// Unix time of `epoch`. Wall-clock steps during the life of the engine are not followed: the round trip needs a
    /// steady clock, and nobody reads the date from RTCP.
    unix: Duration,
}

impl Clock {
    pub fn start() -> Clock {
        let unix = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        Clock { epoch: Instant::now(), unix }
    }

    /// Samples since the start.
    pub fn now(&self) -> u64 {
        self.at(Instant::now())
    }

    /// The same for a moment that is known already.
    pub fn at(&self, moment: Instant) -> u64 {
        moment.duration_since(self.epoch).as_nanos() as u64 / NANOS_PER_SAMPLE
    }

    /// A time of this clock as NTP time.
    pub fn ntp(&self, now: u64) -> u64 {
        rtcp::ntp(self.unix + Duration::from_nanos(now * NANOS_PER_SAMPLE))
    }
}

/// Milliseconds as samples.
pub(super) const fn samples(ms: u64) -> u64 {
    ms * SAMPLES_PER_MS
}

/// Samples as milliseconds, rounded down.
pub(super) const fn millis(samples: u64) -> u64 {
    samples / SAMPLES_PER_MS
}
