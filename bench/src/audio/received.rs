//! What arrived at one socket.

use super::{Heard, packet::Stamp};
use crate::{histogram::Histogram, timers::Nanos};
use std::collections::HashMap;

/// Streams one socket tells apart; more than a run has.
const STREAMS_MAX: usize = 100_000;

#[derive(Default)]
struct Stream {
    count: u32,
    delay: i64,
    jitter: f64,
}

/// Figures of one socket.
#[derive(Default)]
pub struct Received {
    packets: u64,
    /// Packets that are none of ours.
    pub foreign: u64,
    disordered: u64,
    delay: Histogram,
    streams: HashMap<usize, Stream>,
}

impl Received {
    /// Takes a packet in.
    pub fn record(&mut self, stamp: &Stamp, now: Nanos) {
        let delay = now.saturating_sub(stamp.sent_at);
        if self.streams.len() >= STREAMS_MAX && !self.streams.contains_key(&stamp.stream) {
            self.foreign += 1;
            return;
        }
        self.packets += 1;
        self.delay.record(delay);
        let delay = i64::try_from(delay).unwrap_or(i64::MAX);
        let is_first = !self.streams.contains_key(&stamp.stream);
        let stream = self.streams.entry(stamp.stream).or_default();
        if !is_first {
            if stamp.count <= stream.count {
                self.disordered += 1;
            }
            // The difference of two packets' transit times, smoothed by 1/16.
            stream.jitter += (delay.abs_diff(stream.delay) as f64 - stream.jitter) / 16.0;
        }
        stream.count = stamp.count;
        stream.delay = delay;
    }

    /// Adds the figures to those of other sockets.
    pub fn add_to(&self, heard: &mut Heard) {
        heard.received += self.packets;
        heard.foreign += self.foreign;
        heard.disordered += self.disordered;
        heard.streams += self.streams.len();
        heard.delay.merge(&self.delay);
        for stream in self.streams.values() {
            heard.jitter.record(stream.jitter as Nanos);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::timers::MS;

    #[test]
    fn jitter_is_smoothed_and_repeated_packets_are_seen() {
        let mut received = Received::default();
        for (count, delay) in [(0, 10), (1, 26), (1, 26), (2, 26)] {
            let sent_at = u64::from(count) * 20 * MS;
            received.record(&Stamp { stream: 3, count, sent_at }, sent_at + delay * MS);
        }
        assert_eq!((received.packets, received.disordered), (4, 1));
        // 16 ms / 16, then twice 15/16 of it.
        let expected = 1e6 * (15.0_f64 / 16.0).powi(2);
        assert!((received.streams[&3].jitter - expected).abs() < 1.0);
    }
}
