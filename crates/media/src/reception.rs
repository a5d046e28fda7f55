//! What is known about the packets that come from one source: sequence, loss, jitter (RFC 3550 A.1, A.3, A.8).
//!
//! Decides whether a packet belongs to the stream we are receiving, begins a new one, or is a straggler, and keeps the
//! figures of receiver reports. Knows no sockets and no wall clock: arrival times are parameters, in samples.
//!
//! Unlike RFC 3550 A.1 there is no probation: the first packet counts, because a recording must contain it. Who may
//! send to us at all is the business of the engine's latch.

use crate::rtp::{Header, MAX_DROPOUT, MAX_MISORDER, sequence_distance, timestamp_distance};

/// A source that was replaced is not listened to again while its successor was heard within this many samples (200 ms):
/// the tail of an old stream must not flip the reception back and forth.
const SUCCESSOR_SILENT_SAMPLES: i32 = 1_600;

/// A transit time that changes by more than this many samples (5 s) is a jump of the sender's clock, not jitter.
const TRANSIT_JUMP_SAMPLES: i32 = 40_000;

/// What a packet is to the stream it came on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Arrival {
    /// The first packet of a source (new SSRC), or of one that started its numbers anew: timing must be learned again.
    New,
    /// Belongs to the running stream, in order or slightly out of it.
    Running,
    /// A tail of a replaced source, or the first sign of a jump that the next packet must confirm: not to be heard.
    Stray,
}

/// Reception of one RTP stream; the totals go on over changes of the source.
#[derive(Debug, Clone, Default)]
pub struct Reception {
    source: Option<Source>,
    previous_ssrc: Option<u32>,
    packets_before: u64,
    expected_before: u64,
    bytes: u64,
}

#[derive(Debug, Clone)]
struct Source {
    ssrc: u32,
    base: u32,
    highest: u16,
    cycles: u32,
    /// The only sequence number that makes us believe in a jump: the one after the last odd one.
    jump_next: Option<u16>,
    received: u64,
    expected_reported: u64,
    received_reported: u64,
    transit: Option<i32>,
    /// Jitter in samples, times 16 (A.8).
    jitter_16: u32,
    last_arrival: u32,
}

/// The figures about one source in a report block (RFC 3550 §6.4.1), without the sender-report echo.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Snapshot {
    /// The source.
    pub ssrc: u32,
    /// Packets lost since the last snapshot, in 1/256.
    pub fraction_lost: u8,
    /// Packets lost since the source began; negative with duplicates.
    pub cumulative_lost: i64,
    /// Wraps of the sequence number and the highest one received.
    pub extended_highest: u32,
    /// Jitter in samples.
    pub jitter: u32,
}

impl Reception {
    /// Counts a packet. `arrival` is the local clock in samples; `audio` says that its timestamp tells when it was
    /// spoken (packets of one telephone event share a timestamp and would spoil the jitter, RFC 4733 §2.6.1).
    pub fn handle(&mut self, header: &Header, payload_bytes: usize, arrival: u32, audio: bool) -> Arrival {
        let what = match &mut self.source {
            Some(source) if source.ssrc == header.ssrc => source.handle(header.sequence),
            Some(source) => {
                let quiet_samples = timestamp_distance(source.last_arrival, arrival);
                if self.previous_ssrc == Some(header.ssrc) && quiet_samples < SUCCESSOR_SILENT_SAMPLES {
                    Arrival::Stray
                } else {
                    Arrival::New
                }
            }
            None => Arrival::New,
        };
        match what {
            Arrival::Stray => return what,
            Arrival::New => self.begin(header),
            Arrival::Running => {}
        }
        self.bytes += payload_bytes as u64;
        if let Some(source) = &mut self.source {
            source.received += 1;
            source.last_arrival = arrival;
            if audio {
                source.measure(header.timestamp, arrival);
            }
        }
        what
    }

    fn begin(&mut self, header: &Header) {
        if let Some(old) = self.source.take() {
            self.packets_before += old.received;
            self.expected_before += old.expected();
            if old.ssrc != header.ssrc {
                self.previous_ssrc = Some(old.ssrc);
            }
        }
        self.source = Some(Source {
            ssrc: header.ssrc,
            base: u32::from(header.sequence),
            highest: header.sequence,
            cycles: 0,
            jump_next: None,
            received: 0,
            expected_reported: 0,
            received_reported: 0,
            transit: None,
            jitter_16: 0,
            last_arrival: 0,
        });
    }

    /// Who sends, if anybody has.
    pub fn ssrc(&self) -> Option<u32> {
        self.source.as_ref().map(|source| source.ssrc)
    }

    /// Packets received, of all sources.
    pub fn packets(&self) -> u64 {
        self.packets_before + self.source.as_ref().map_or(0, |source| source.received)
    }

    /// Payload bytes received, of all sources.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Packets that should have come, of all sources.
    pub fn expected(&self) -> u64 {
        self.expected_before + self.source.as_ref().map_or(0, Source::expected)
    }

    /// Packets that should have come and did not.
    pub fn lost(&self) -> u64 {
        self.expected().saturating_sub(self.packets())
    }

    /// Jitter of the present source in samples.
    pub fn jitter(&self) -> u32 {
        self.source.as_ref().map_or(0, |source| source.jitter_16 >> 4)
    }

    /// The figures for a report, and the beginning of the next reporting interval.
    pub fn report(&mut self) -> Option<Snapshot> {
        let source = self.source.as_mut()?;
        let expected = source.expected();
        let expected_now = expected - source.expected_reported;
        let received_now = source.received - source.received_reported;
        source.expected_reported = expected;
        source.received_reported = source.received;
        let lost_now = expected_now.saturating_sub(received_now);
        Some(Snapshot {
            ssrc: source.ssrc,
            fraction_lost: (lost_now * 256).checked_div(expected_now).map_or(0, |part| part.min(255) as u8),
            cumulative_lost: expected.cast_signed() - source.received.cast_signed(),
            extended_highest: source.cycles + u32::from(source.highest),
            jitter: source.jitter_16 >> 4,
        })
    }
}

impl Source {
    fn expected(&self) -> u64 {
        u64::from(self.cycles) + u64::from(self.highest) + 1 - u64::from(self.base)
    }

    fn handle(&mut self, sequence: u16) -> Arrival {
        let ahead = sequence_distance(self.highest, sequence);
        if (0..MAX_DROPOUT).contains(&ahead) {
            if sequence < self.highest {
                self.cycles = self.cycles.wrapping_add(1 << 16);
            }
            self.highest = sequence;
        } else if !(-MAX_MISORDER..MAX_DROPOUT).contains(&ahead) {
            // Two packets in a row tell a sender that restarted from a single odd packet.
            if self.jump_next == Some(sequence) {
                return Arrival::New;
            }
            self.jump_next = Some(sequence.wrapping_add(1));
            return Arrival::Stray;
        }
        self.jump_next = None;
        Arrival::Running
    }

    fn measure(&mut self, timestamp: u32, arrival: u32) {
        let transit = timestamp_distance(timestamp, arrival);
        if let Some(before) = self.transit.replace(transit) {
            let change = transit.wrapping_sub(before);
            if change.unsigned_abs() < TRANSIT_JUMP_SAMPLES.unsigned_abs() {
                // RFC 3550 A.8, in integers: J += (|D| - J) / 16.
                let jitter = self.jitter_16 + change.unsigned_abs();
                self.jitter_16 = jitter - ((self.jitter_16 + 8) >> 4);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packet(ssrc: u32, sequence: u16, timestamp: u32) -> Header {
        Header { marker: false, payload_type: 0, sequence, timestamp, ssrc }
    }

    /// Sends packets `range` of a 20 ms stream that arrive on time, except those in `lost`.
    fn receive(reception: &mut Reception, ssrc: u32, range: std::ops::Range<u32>, lost: &[u32]) {
        for number in range.filter(|number| !lost.contains(number)) {
            reception.handle(&packet(ssrc, number as u16, number * 160), 160, 5_000 + number * 160, true);
        }
    }

    #[test]
    fn an_undisturbed_stream_has_neither_loss_nor_jitter() {
        let mut reception = Reception::default();
        receive(&mut reception, 1, 0..200_000, &[]);
        assert_eq!(reception.packets(), 200_000);
        assert_eq!(reception.lost(), 0);
        assert_eq!(reception.jitter(), 0);
        let snapshot = reception.report().expect("a source");
        assert_eq!(snapshot.extended_highest, 199_999, "three wraps of the sequence number");
        assert_eq!(snapshot.cumulative_lost, 0);
    }

    #[test]
    fn loss_is_counted_per_interval_and_in_total() {
        let mut reception = Reception::default();
        receive(&mut reception, 1, 100..200, &[110, 111, 150, 151, 152, 160, 170, 180, 190, 195]);
        let first = reception.report().expect("a source");
        assert_eq!(first.cumulative_lost, 10);
        assert_eq!(first.fraction_lost, 25, "10 of 100 in 1/256");
        receive(&mut reception, 1, 200..300, &[]);
        let second = reception.report().expect("a source");
        assert_eq!(second.fraction_lost, 0);
        assert_eq!(second.cumulative_lost, 10);
        assert_eq!(reception.expected(), 200);
    }

    #[test]
    fn reordering_is_no_loss_and_duplicates_never_make_it_negative() {
        let mut reception = Reception::default();
        for number in [1u16, 3, 2, 4, 4, 4, 6, 5] {
            let what = reception.handle(&packet(1, number, u32::from(number) * 160), 160, 0, false);
            assert_ne!(what, Arrival::Stray);
        }
        assert_eq!(reception.lost(), 0);
        assert_eq!(reception.report().map(|snapshot| snapshot.cumulative_lost), Some(-2));
    }

    #[test]
    fn jitter_follows_the_formula_of_the_rfc() {
        // Every second packet is 80 samples (10 ms) late: |D| is 80 from packet to packet, so J tends to 80.
        let mut reception = Reception::default();
        for number in 0..400u32 {
            let late = if number % 2 == 0 { 0 } else { 80 };
            reception.handle(&packet(1, number as u16, number * 160), 160, number * 160 + late, true);
        }
        assert!((79..=80).contains(&reception.jitter()), "jitter {}", reception.jitter());
    }

    #[test]
    fn telephone_events_do_not_disturb_the_jitter() {
        let mut reception = Reception::default();
        for number in 0..50u32 {
            let event = (10..20).contains(&number);
            let timestamp = if event { 10 * 160 } else { number * 160 };
            reception.handle(&packet(1, number as u16, timestamp), 160, number * 160, !event);
        }
        assert_eq!(reception.jitter(), 0);
    }

    #[test]
    fn a_new_source_begins_anew_and_the_tail_of_the_old_one_is_stray() {
        let mut reception = Reception::default();
        assert_eq!(reception.handle(&packet(1, 500, 0), 160, 0, true), Arrival::New);
        assert_eq!(reception.handle(&packet(1, 501, 160), 160, 160, true), Arrival::Running);
        assert_eq!(reception.handle(&packet(2, 9_000, 77), 160, 320, true), Arrival::New);
        assert_eq!(reception.handle(&packet(1, 502, 320), 160, 330, true), Arrival::Stray);
        assert_eq!(reception.handle(&packet(2, 9_001, 237), 160, 480, true), Arrival::Running);
        assert_eq!(reception.packets(), 4);
        assert_eq!(reception.lost(), 0, "the jump from 501 to 9000 is no loss");
        let later = 480 + 1_600;
        assert_eq!(reception.handle(&packet(1, 600, 9_000), 160, later, true), Arrival::New, "the old one is back");
    }

    #[test]
    fn a_sender_that_restarts_its_numbers_is_believed_at_the_second_packet() {
        let mut reception = Reception::default();
        receive(&mut reception, 1, 100..150, &[]);
        assert_eq!(reception.handle(&packet(1, 40_000, 0), 160, 0, true), Arrival::Stray);
        assert_eq!(reception.handle(&packet(1, 40_001, 160), 160, 0, true), Arrival::New);
        assert_eq!(reception.handle(&packet(1, 40_002, 320), 160, 0, true), Arrival::Running);
        assert_eq!(reception.lost(), 0);
    }
}
