//! A running recording: where on its own clock a packet belongs.
//!
//! Decides positions. Within a talkspurt the sender's timestamps say when a packet was spoken, so that network jitter
//! does not reach the file; where they stray from the time of arrival (a new source, a jump, clocks that drift) the
//! arrival decides anew. Both channels count from the same moment, so they stay aligned. What becomes of the samples
//! is the recorder's business ([`crate::record`]).

use crate::codec::Codec;
use crate::ids::{GroupId, RecordingId};
use crate::record::{Channel, Sink};
use crate::rtp::{Header, timestamp_distance};

/// A packet may seem to come this many samples (200 ms) early at most: nothing arrives before it was spoken, except by
/// what the first packet of the source was late.
const AHEAD_SAMPLES_MAX: i64 = 1_600;

/// And this many (1 s) late: a stall of the network, after which everything arrives at once.
const BEHIND_SAMPLES_MAX: i64 = 8_000;

pub(super) struct Recording {
    pub id: RecordingId,
    pub group: GroupId,
    pub left: Option<u32>,
    pub right: Option<u32>,
    /// Since when the right channel is what the left party hears, because that is the right one and others together:
    /// from this position of the media clock on. `None` while it is the right party alone.
    pub mixed_from: Option<u64>,
    sink: Sink,
    started: u64,
    /// End of the last packet: a packet that came early must not be cut off at the end.
    written_to: u64,
    places: [Place; 2],
}

/// Relation of the sender's clock to the recording's on one channel.
#[derive(Debug, Clone, Copy, Default)]
struct Place {
    known: Option<Known>,
}

#[derive(Debug, Clone, Copy)]
struct Known {
    ssrc: u32,
    timestamp: u32,
    position: i64,
}

impl Place {
    /// Where a packet belongs that was spoken until `arrival` at the latest (on the recording's clock) and lasts
    /// `samples`.
    fn of(&mut self, header: &Header, samples: i64, arrival: i64) -> i64 {
        if let Some(known) = self.known
            && known.ssrc == header.ssrc
        {
            let position = known.position + i64::from(timestamp_distance(known.timestamp, header.timestamp));
            let late = arrival - samples - position;
            if (-AHEAD_SAMPLES_MAX..=BEHIND_SAMPLES_MAX).contains(&late) {
                // Move along, so that the distance never comes near the wrap.
                self.known = Some(Known { ssrc: header.ssrc, timestamp: header.timestamp, position });
                return position;
            }
        }
        // The packet that was on its way when the recording began belongs to its beginning.
        let position = (arrival - samples).max(0);
        self.known = Some(Known { ssrc: header.ssrc, timestamp: header.timestamp, position });
        position
    }
}

impl Recording {
    pub fn new(id: RecordingId, group: GroupId, sink: Sink, now: u64) -> Recording {
        Recording { id, group, left: None, right: None, mixed_from: None, sink, started: now, written_to: 0, places: [Place::default(); 2] }
    }

    fn position(&self, now: u64) -> u64 {
        now.saturating_sub(self.started)
    }

    /// Takes a packet's audio.
    pub fn write(&mut self, channel: Channel, header: &Header, payload: &[u8], codec: Codec, now: u64) {
        let arrival = self.position(now).cast_signed();
        let position = self.places[channel as usize].of(header, payload.len() as i64, arrival);
        // What was spoken before the recording began is cut off a straggler.
        let before = usize::try_from(-position).unwrap_or(0).min(payload.len());
        let (position, payload) = (position.max(0).cast_unsigned(), &payload[before..]);
        if !payload.is_empty() {
            self.written_to = self.written_to.max(position + payload.len() as u64);
            self.sink.write(channel, position, payload, codec);
        }
    }

    /// Whether the right channel is what the left party hears.
    pub fn right_is_mixed(&self) -> bool {
        self.mixed_from.is_some()
    }

    /// Takes a frame of what the left party hears, made at `now` for `position` of the media clock. `ssrc` is of the
    /// stream that the left party is sent.
    pub fn write_mixed(&mut self, ssrc: u32, position: u64, frame: &[u8], codec: Codec, now: u64) {
        if self.mixed_from.is_some_and(|from| position >= from) {
            let header = Header { marker: false, payload_type: 0, sequence: 0, timestamp: position as u32, ssrc };
            // Voices wait for about a frame before they are mixed.
            self.write(Channel::Right, &header, frame, codec, now.saturating_sub(frame.len() as u64));
        }
    }

    /// The next packet of `channel` comes from somebody else.
    pub fn source_changed(&mut self, channel: Channel) {
        self.places[channel as usize].known = None;
    }

    pub fn advance(&mut self, now: u64) {
        self.sink.advance(self.position(now));
    }

    pub fn pause(&mut self, now: u64) {
        self.sink.pause(self.position(now));
    }

    pub fn resume(&mut self, now: u64) {
        self.sink.resume(self.position(now));
    }

    pub fn finish(self, now: u64) {
        let position = self.position(now).max(self.written_to);
        self.sink.finish(position);
    }

    /// Whether the recorder has given it up.
    pub fn is_closed(&self) -> bool {
        self.sink.is_closed()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packet(ssrc: u32, timestamp: u32) -> Header {
        Header { marker: false, payload_type: 0, sequence: 0, timestamp, ssrc }
    }

    #[test]
    fn jitter_does_not_move_audio() {
        let mut place = Place::default();
        assert_eq!(place.of(&packet(1, u32::MAX - 159), 160, 660), 500);
        for (number, late) in [(1, 0), (2, 300), (3, 140), (5, 0), (4, 160), (6, 700)] {
            let position = 500 + i64::from(number) * 160;
            assert_eq!(place.of(&packet(1, number * 160 - 160), 160, position + 160 + late), position);
        }
    }

    #[test]
    fn the_first_packet_begins_at_the_beginning_even_if_it_was_on_its_way_before() {
        assert_eq!(Place::default().of(&packet(1, 0), 160, 40), 0);
    }

    #[test]
    fn a_pause_of_the_sender_is_a_gap_of_the_same_length() {
        let mut place = Place::default();
        place.of(&packet(1, 0), 160, 160);
        assert_eq!(place.of(&packet(1, 80_000), 160, 80_170), 80_000);
    }

    #[test]
    fn a_burst_after_a_stall_is_spread_over_the_time_it_was_spoken_in() {
        let mut place = Place::default();
        place.of(&packet(1, 0), 160, 160);
        for number in 1..=40 {
            assert_eq!(place.of(&packet(1, number * 160), 160, 41 * 160), i64::from(number) * 160);
        }
    }

    #[test]
    fn a_new_source_and_a_jumping_clock_are_placed_by_their_arrival() {
        let mut place = Place::default();
        place.of(&packet(1, 0), 160, 160);
        assert_eq!(place.of(&packet(2, 77), 160, 1_160), 1_000);
        assert_eq!(place.of(&packet(2, 900_000_000), 160, 1_320), 1_160);
        assert_eq!(place.of(&packet(2, 900_000_160), 160, 1_490), 1_320);
    }
}
