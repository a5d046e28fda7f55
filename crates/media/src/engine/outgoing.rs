//! The one RTP stream that we send to a party, whoever speaks in it.
//!
//! Decides sequence numbers and timestamps: own SSRC, sequence without gaps that the network did not make, timestamps
//! that follow the media clock over every change of source. Own frames (prompts, silence, digits) count up; relayed
//! packets keep their distances, so that loss and reordering on the way to us stay visible to the receiver.

use crate::engine::seed::Seed;
use crate::rtp::{Header, MAX_DROPOUT, sequence_distance, timestamp_distance};

/// A relayed timestamp that strays from the media clock by more than this many samples (2 s) is a jump of its source.
const STRAY_SAMPLES: i32 = 16_000;

/// How far behind the newest packet the relay still passes on old ones.
const REORDER_WINDOW: u16 = 100;

/// Sender state of one stream.
#[derive(Debug, Clone)]
pub(super) struct Outgoing {
    pub ssrc: u32,
    next_sequence: u16,
    /// The timestamp right after the last packet sent.
    next_timestamp: u32,
    /// What the media clock's 0 is in timestamps of this stream.
    clock_offset: u32,
    /// How the present source's numbers become ours; `None` when the next relayed packet has to find out.
    relay: Option<Relay>,
    /// Timestamp of the telephone event being sent.
    event_timestamp: u32,
    pub packets: u64,
    pub bytes: u64,
    /// What of that was sent as an earlier source.
    before: (u64, u64),
}

#[derive(Debug, Clone, Copy)]
struct Relay {
    ssrc: u32,
    sequence_offset: u16,
    timestamp_offset: u32,
    /// Packets before this one belong to the time before the source was connected.
    oldest: u16,
}

impl Outgoing {
    /// `now` is the media clock when the stream is opened.
    pub fn new(seed: &mut Seed, now: u32) -> Outgoing {
        let (a, b) = (seed.next(), seed.next());
        Outgoing {
            ssrc: a as u32,
            next_sequence: (a >> 32) as u16,
            next_timestamp: b as u32,
            clock_offset: (b as u32).wrapping_sub(now),
            relay: None,
            event_timestamp: 0,
            packets: 0,
            bytes: 0,
            before: (0, 0),
        }
    }

    /// Goes on as another source. Its first number is in the lower half, so that who misses the first packets does not
    /// miss a wrap with them (RFC 3711 §3.3.1).
    pub fn restart(&mut self, seed: &mut Seed) {
        let random = seed.next();
        self.ssrc = random as u32;
        self.next_sequence = (random >> 32) as u16 >> 1;
        self.relay = None;
        self.before = (self.packets, self.bytes);
    }

    /// Packets and bytes of the present source, as sender reports count them.
    pub fn of_source(&self) -> (u64, u64) {
        (self.packets - self.before.0, self.bytes - self.before.1)
    }

    /// The timestamp that belongs to `now`, or the one after the last packet if that lies ahead.
    fn timestamp_at(&self, now: u32) -> u32 {
        let clock = self.clock_offset.wrapping_add(now);
        if timestamp_distance(self.next_timestamp, clock) > 0 { clock } else { self.next_timestamp }
    }

    /// What the media clock's `now` is in timestamps of this stream, for sender reports.
    pub fn report_timestamp(&self, now: u32) -> u32 {
        self.clock_offset.wrapping_add(now)
    }

    /// Whoever was relayed: the next relayed packet begins a talkspurt.
    pub fn disconnect(&mut self) {
        self.relay = None;
    }

    /// The header of a frame of our own. `continues` says that it follows the last one without a gap.
    pub fn own(&mut self, now: u32, payload_type: u8, samples: u32, continues: bool) -> Header {
        let timestamp = if continues { self.next_timestamp } else { self.timestamp_at(now) };
        self.relay = None;
        self.next_timestamp = timestamp.wrapping_add(samples);
        self.header(payload_type, timestamp, !continues)
    }

    /// The header of a telephone-event packet of our own; all packets of an event carry the time of its beginning.
    pub fn event(&mut self, now: u32, payload_type: u8, begins: bool) -> Header {
        if begins {
            self.event_timestamp = self.timestamp_at(now);
        }
        self.relay = None;
        let clock = self.clock_offset.wrapping_add(now);
        if timestamp_distance(self.next_timestamp, clock) > 0 {
            self.next_timestamp = clock;
        }
        self.header(payload_type, self.event_timestamp, begins)
    }

    fn header(&mut self, payload_type: u8, timestamp: u32, marker: bool) -> Header {
        let sequence = self.next_sequence;
        self.next_sequence = sequence.wrapping_add(1);
        Header { marker, payload_type, sequence, timestamp, ssrc: self.ssrc }
    }

    /// The header of a relayed packet, or `None` when it is older than the connection to its source. `samples` is 0 for
    /// telephone events, whose timestamp lies in the past on purpose.
    pub fn relayed(&mut self, incoming: &Header, now: u32, payload_type: u8, samples: u32) -> Option<Header> {
        if let Some(relay) = &mut self.relay
            && relay.ssrc == incoming.ssrc
        {
            let ahead = sequence_distance(relay.oldest, incoming.sequence);
            if ahead < 0 && ahead > -MAX_DROPOUT {
                return None;
            }
            let sequence = incoming.sequence.wrapping_add(relay.sequence_offset);
            let timestamp = incoming.timestamp.wrapping_add(relay.timestamp_offset);
            let off_clock = timestamp_distance(self.clock_offset.wrapping_add(now), timestamp);
            if (0..MAX_DROPOUT).contains(&ahead) && (samples == 0 || off_clock.abs() < STRAY_SAMPLES) {
                if ahead > i32::from(REORDER_WINDOW) {
                    relay.oldest = incoming.sequence.wrapping_sub(REORDER_WINDOW);
                }
                if sequence_distance(self.next_sequence, sequence) >= 0 {
                    self.next_sequence = sequence.wrapping_add(1);
                }
                let after = timestamp.wrapping_add(samples);
                if timestamp_distance(self.next_timestamp, after) > 0 {
                    self.next_timestamp = after;
                }
                return Some(Header { marker: incoming.marker, payload_type, sequence, timestamp, ssrc: self.ssrc });
            }
        }
        let timestamp = self.timestamp_at(now);
        self.relay = Some(Relay {
            ssrc: incoming.ssrc,
            sequence_offset: self.next_sequence.wrapping_sub(incoming.sequence),
            timestamp_offset: timestamp.wrapping_sub(incoming.timestamp),
            oldest: incoming.sequence,
        });
        self.next_timestamp = timestamp.wrapping_add(samples);
        Some(self.header(payload_type, timestamp, true))
    }

    /// A packet of the relayed source is left out on purpose: that must not look like loss.
    pub fn leave_out(&mut self, incoming: &Header) {
        if let Some(relay) = &mut self.relay
            && relay.ssrc == incoming.ssrc
            && sequence_distance(self.next_sequence, incoming.sequence.wrapping_add(relay.sequence_offset)) >= 0
        {
            relay.sequence_offset = relay.sequence_offset.wrapping_sub(1);
        }
    }

    /// Counts what was handed to the network.
    pub fn sent(&mut self, payload_bytes: usize) {
        self.packets += 1;
        self.bytes += payload_bytes as u64;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn incoming(ssrc: u32, sequence: u16, timestamp: u32) -> Header {
        Header { marker: false, payload_type: 0, sequence, timestamp, ssrc }
    }

    /// Sends what `step` makes and checks that it follows on `last` by one packet and `samples`.
    fn follows(out: &mut Outgoing, last: Option<Header>, samples: i32, step: impl FnOnce(&mut Outgoing) -> Header) -> Header {
        let header = step(out);
        out.sent(160);
        if let Some(last) = last {
            assert_eq!(sequence_distance(last.sequence, header.sequence), 1);
            assert_eq!(timestamp_distance(last.timestamp, header.timestamp), samples);
            assert_eq!(last.ssrc, header.ssrc);
        }
        header
    }

    #[test]
    fn numbers_are_continuous_from_prompt_to_peer_to_silence_to_another_peer() {
        let mut now = 3_000_000_000;
        let mut out = Outgoing::new(&mut Seed::new(), now);
        let mut last = Some(follows(&mut out, None, 0, |out| out.own(now, 0, 160, false)));
        assert!(last.is_some_and(|header| header.marker));
        for _ in 0..10 {
            now += 160;
            last = Some(follows(&mut out, last, 160, |out| out.own(now, 0, 160, true)));
        }
        // The peer's first packet comes 30 ms later.
        now += 240;
        let mut header = follows(&mut out, last, 240, |out| out.relayed(&incoming(5, 60_000, 77), now, 0, 160).expect("relayed"));
        assert!(header.marker, "a new talkspurt");
        for number in 1..70_000u32 {
            now += 160;
            let packet = incoming(5, 60_000u16.wrapping_add(number as u16), 77 + number * 160);
            header = follows(&mut out, Some(header), 160, |out| out.relayed(&packet, now, 0, 160).expect("relayed"));
            assert!(!header.marker);
        }
        now += 8_000;
        header = follows(&mut out, Some(header), 8_000, |out| out.own(now, 0, 160, false));
        now += 80;
        // Sooner than the frame of silence lasts: after it, not inside it.
        header = follows(&mut out, Some(header), 160, |out| out.relayed(&incoming(6, 3, 0), now, 0, 160).expect("relayed"));
        assert!(header.marker);
    }

    #[test]
    fn loss_and_reordering_of_the_source_stay_visible() {
        let mut out = Outgoing::new(&mut Seed::new(), 0);
        let mut sent = Vec::new();
        for number in [10u16, 11, 14, 13, 15, 9] {
            let header = out.relayed(&incoming(5, number, u32::from(number) * 160), u32::from(number) * 160, 0, 160);
            sent.push(header.map(|header| header.sequence));
            out.sent(160);
        }
        let first = sent[0].expect("relayed");
        let expected = [0, 1, 4, 3, 5].map(|distance| Some(first.wrapping_add(distance)));
        assert_eq!(sent[..5], expected);
        assert_eq!(sent[5], None, "from before the connection; its number is taken");
    }

    #[test]
    fn a_packet_left_out_on_purpose_leaves_no_gap() {
        let mut out = Outgoing::new(&mut Seed::new(), 0);
        let first = out.relayed(&incoming(5, 10, 0), 0, 0, 160).expect("relayed");
        out.leave_out(&incoming(5, 11, 160));
        out.leave_out(&incoming(5, 12, 160));
        let next = out.relayed(&incoming(5, 13, 480), 480, 0, 160).expect("relayed");
        assert_eq!(sequence_distance(first.sequence, next.sequence), 1);
        assert_eq!(timestamp_distance(first.timestamp, next.timestamp), 480);
    }

    #[test]
    fn a_source_whose_clock_jumps_is_taken_up_anew() {
        let mut out = Outgoing::new(&mut Seed::new(), 0);
        let first = out.relayed(&incoming(5, 10, 0), 0, 0, 160).expect("relayed");
        out.sent(160);
        let jumped = out.relayed(&incoming(5, 11, 0x8000_0000), 160, 0, 160).expect("relayed");
        assert_eq!(timestamp_distance(first.timestamp, jumped.timestamp), 160);
        assert_eq!(sequence_distance(first.sequence, jumped.sequence), 1);
        assert!(jumped.marker);
    }

    #[test]
    fn packets_of_one_event_share_its_timestamp_and_audio_goes_on_after_it() {
        let mut out = Outgoing::new(&mut Seed::new(), 0);
        let audio = out.own(0, 0, 160, false);
        out.sent(160);
        let begin = out.event(800, 101, true);
        let update = out.event(960, 101, false);
        assert_eq!(begin.timestamp, update.timestamp);
        assert!(begin.marker && !update.marker);
        assert_eq!(sequence_distance(begin.sequence, update.sequence), 1);
        assert_eq!(timestamp_distance(audio.timestamp, begin.timestamp), 800);
        let audio = out.own(1_120, 0, 160, false);
        assert_eq!(timestamp_distance(begin.timestamp, audio.timestamp), 320);
    }
}
