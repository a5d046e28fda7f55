//! What a stream says, decoded and on the media clock, for those who hear it together with others.
//!
//! Decides when a packet is heard. Its sender's timestamps keep their distances, so that jitter is not heard; a packet
//! that would come too late moves the voice back in time, and where the voice has come to wait longer than it needs to
//! (a sender with a fast clock, a burst) it is moved forward again, in a quiet moment if there is one. What is lost is
//! the last frame once more, fading out. There is one voice per stream, however many hear it, and none where nobody
//! hears it in a mix. Nothing here allocates after [`Voice::new`].

use crate::codec::{Codec, FRAME_SAMPLES};
use crate::limits::{DATAGRAM_BYTES_MAX, LISTENERS_MAX, VOICE_SAMPLES};
use crate::rtp::{Header, sequence_distance, timestamp_distance};

/// How long a packet waits that begins a talkspurt: one frame, so that the next may come late by as much.
const WAIT_SAMPLES: i64 = FRAME_SAMPLES as i64;

/// A voice whose packets come in time by less than this (5 ms) at times is about to be cut.
const SCARCE_SAMPLES: i64 = 40;

/// A voice whose packets all wait longer than this (40 ms) is heard later than it needs to be.
const AMPLE_SAMPLES: i64 = 2 * WAIT_SAMPLES;

/// A packet that would wait longer than this (300 ms) is from a sender whose clock has jumped, or the end of a burst.
const WAIT_SAMPLES_MAX: i64 = 2_400;

/// Packets over which is observed how long they wait: one second.
const WINDOW_PACKETS: u32 = 50;

/// What is not louder than this (-40 dBFS) may be left out or repeated without being missed.
const QUIET_PEAK: u16 = 328;

/// Who reads a voice has stopped if nothing was read for this long (100 ms).
const READERS_GONE_SAMPLES: u64 = 800;

const MASK: u64 = VOICE_SAMPLES as u64 - 1;

const _: () = assert!(VOICE_SAMPLES.is_power_of_two() && VOICE_SAMPLES >= DATAGRAM_BYTES_MAX);

/// One stream's decoded audio.
pub(super) struct Voice {
    /// Which streams hear it in a mix.
    pub listeners: Vec<u32>,
    /// The sample of position `p` lies at `p` modulo the length.
    samples: Box<[i16; VOICE_SAMPLES]>,
    /// Where the last packet ends; what lies further back than the ring is long has been overwritten.
    end: u64,
    /// Up to where somebody has listened.
    read_to: u64,
    newest: Option<Newest>,
    /// The shortest wait in the present window, and how many packets it has seen.
    least_wait: i64,
    packets: u32,
    /// By how much the voice should move in the next quiet moment.
    wanted_shift: i64,
}

/// The packet with the highest number so far.
#[derive(Clone, Copy)]
struct Newest {
    ssrc: u32,
    sequence: u16,
    timestamp: u32,
    position: i64,
}

impl Voice {
    pub fn new() -> Voice {
        Voice {
            listeners: Vec::with_capacity(LISTENERS_MAX),
            samples: Box::new([0; VOICE_SAMPLES]),
            end: 0,
            read_to: 0,
            newest: None,
            least_wait: i64::MAX,
            packets: 0,
            wanted_shift: 0,
        }
    }

    /// Where what has come so far ends.
    pub fn end(&self) -> u64 {
        self.end
    }

    /// The next packet comes from somebody else, or counts anew.
    pub fn restart(&mut self) {
        self.newest = None;
    }

    /// Takes a packet that arrived at `now` on the media clock.
    pub fn take(&mut self, header: &Header, payload: &[u8], codec: Codec, now: u64) {
        let newest = self.newest.filter(|newest| newest.ssrc == header.ssrc);
        let by_timestamp = newest.map(|newest| newest.position + i64::from(timestamp_distance(newest.timestamp, header.timestamp)));
        if let (Some(newest), Some(position)) = (newest, by_timestamp)
            && sequence_distance(newest.sequence, header.sequence) <= 0
        {
            // Overtaken on the way: fills its gap if that has not been heard yet, and says nothing about time.
            return self.place(position, payload, codec);
        }
        let edge = self.edge(now);
        let begins = header.marker && by_timestamp.is_some_and(|position| position > self.end.cast_signed());
        let position = match by_timestamp.filter(|position| !begins && (edge..=edge + WAIT_SAMPLES_MAX).contains(position)) {
            Some(position) => self.observe(position, edge, payload, codec),
            None => {
                self.forget_waits();
                edge + WAIT_SAMPLES
            }
        };
        // What lies ahead of the newest packet is from before the voice moved.
        self.end = self.end.min(position.unsigned_abs());
        self.newest = Some(Newest { ssrc: header.ssrc, sequence: header.sequence, timestamp: header.timestamp, position });
        self.place(position, payload, codec);
    }

    /// The first position that nobody has heard yet.
    fn edge(&self, now: u64) -> i64 {
        let listening = self.read_to + READERS_GONE_SAMPLES > now;
        if listening { self.read_to } else { now }.cast_signed()
    }

    /// Learns from a packet in time how much time there is, and gives where it belongs: there, or a little off, where
    /// that is better in the long run.
    fn observe(&mut self, position: i64, edge: i64, payload: &[u8], codec: Codec) -> i64 {
        self.least_wait = self.least_wait.min(position - edge);
        self.packets += 1;
        let mut at_once = false;
        if self.packets >= WINDOW_PACKETS {
            let shift = match self.least_wait {
                ..SCARCE_SAMPLES => WAIT_SAMPLES,
                SCARCE_SAMPLES..=AMPLE_SAMPLES => 0,
                ample => WAIT_SAMPLES - ample,
            };
            // There was no quiet moment for a whole window.
            at_once = shift < 0 && self.wanted_shift < 0;
            self.wanted_shift = shift;
            (self.least_wait, self.packets) = (i64::MAX, 0);
        }
        if self.wanted_shift == 0 || !(at_once || is_quiet(payload, codec)) {
            return position;
        }
        let shift = self.wanted_shift;
        self.forget_waits();
        (position + shift).max(edge)
    }

    fn forget_waits(&mut self) {
        (self.least_wait, self.packets, self.wanted_shift) = (i64::MAX, 0, 0);
    }

    /// Decodes a packet to where it belongs, unless that lies further back than what is kept.
    fn place(&mut self, position: i64, payload: &[u8], codec: Codec) {
        let Ok(position) = u64::try_from(position) else { return };
        if position + VOICE_SAMPLES as u64 <= self.end + payload.len() as u64 {
            return;
        }
        self.conceal_to(position);
        let start = (position & MASK) as usize;
        let (first, rest) = payload.split_at(payload.len().min(VOICE_SAMPLES - start));
        codec.decode_into(first, &mut self.samples[start..]);
        codec.decode_into(rest, &mut self.samples[..]);
        self.end = self.end.max(position + payload.len() as u64);
    }

    /// Fills the gap between the last packet and the next one, if there is one, with what is heard in place of it.
    fn conceal_to(&mut self, position: u64) {
        let gap = position.saturating_sub(self.end);
        if gap >= VOICE_SAMPLES as u64 {
            self.samples.fill(0);
        } else {
            for after in 0..gap {
                self.samples[((self.end + after) & MASK) as usize] = self.fading(after);
            }
        }
        self.end = self.end.max(position);
    }

    /// What is heard `after` the end of the last packet if nothing comes: its last frame once more, fading out.
    fn fading(&self, after: u64) -> i16 {
        const FRAME: u64 = FRAME_SAMPLES as u64;
        if after >= FRAME || self.end < FRAME {
            return 0;
        }
        let again = i32::from(self.samples[((self.end - FRAME + after) & MASK) as usize]);
        (again * (FRAME - 1 - after) as i32 / FRAME as i32) as i16
    }

    /// Adds 20 ms of it from `position` on to `sum`.
    pub fn add_to(&mut self, sum: &mut [i32; FRAME_SAMPLES], position: u64) {
        let end = position + FRAME_SAMPLES as u64;
        self.read_to = self.read_to.max(end);
        if position + VOICE_SAMPLES as u64 <= self.end {
            return;
        }
        let there = (self.end.min(end).saturating_sub(position)) as usize;
        let start = (position & MASK) as usize;
        let (first, rest) = sum[..there].split_at_mut(there.min(VOICE_SAMPLES - start));
        first.iter_mut().zip(&self.samples[start..]).for_each(|(sum, sample)| *sum += i32::from(*sample));
        rest.iter_mut().zip(&self.samples[..]).for_each(|(sum, sample)| *sum += i32::from(*sample));
        for (at, sum) in sum.iter_mut().enumerate().skip(there) {
            *sum += i32::from(self.fading(position + at as u64 - self.end));
        }
    }
}

fn is_quiet(payload: &[u8], codec: Codec) -> bool {
    payload.iter().all(|byte| codec.decode(*byte).unsigned_abs() <= QUIET_PEAK)
}

#[cfg(test)]
mod tests {
    use super::*;

    const FRAME: u64 = FRAME_SAMPLES as u64;

    /// A voice, somebody who speaks into it and somebody who listens, on a clock of the test.
    struct Talk {
        voice: Voice,
        said: u32,
        now: u64,
        heard: Vec<i32>,
    }

    impl Talk {
        fn new() -> Talk {
            Talk { voice: Voice::new(), said: 0, now: 1_000_000, heard: Vec::new() }
        }

        fn header(number: u32) -> Header {
            // Both numbers wrap on the way.
            let (sequence, timestamp) = ((number as u16).wrapping_sub(20), (number * 160).wrapping_sub(5_000));
            Header { marker: false, payload_type: 0, sequence, timestamp, ssrc: 7 }
        }

        /// Packet `number` arrives: 20 ms of a level that tells which one it is.
        fn packet(&mut self, number: u32) {
            self.voice.take(&Talk::header(number), &[level(number); FRAME_SAMPLES], Codec::Pcmu, self.now);
        }

        fn say(&mut self) {
            self.packet(self.said);
            self.said += 1;
        }

        fn listen(&mut self) {
            let mut sum = [0; FRAME_SAMPLES];
            self.voice.add_to(&mut sum, self.now);
            self.heard.extend(sum);
            self.now += FRAME;
        }

        /// The numbers of the packets that are heard, each once per run of its samples, with the length of the run.
        fn runs(&self) -> Vec<(u32, usize)> {
            let number = |sample: &i32| (0..LEVELS).find(|number| i32::from(Codec::Pcmu.decode(level(*number))) == *sample);
            let runs = self.heard.chunk_by(|one, next| one == next).filter(|run| run.len() > 1);
            runs.filter_map(|run| Some((number(&run[0])?, run.len()))).collect()
        }
    }

    const LEVELS: u32 = 50;

    /// One of the loudest levels of µ-law.
    fn level(number: u32) -> u8 {
        0x80 + (number % LEVELS) as u8
    }

    fn whole(numbers: impl IntoIterator<Item = u32>) -> Vec<(u32, usize)> {
        numbers.into_iter().map(|number| (number % LEVELS, FRAME_SAMPLES)).collect()
    }

    #[test]
    fn a_voice_is_heard_whole_and_soon() {
        let mut talk = Talk::new();
        for _ in 0..30 {
            talk.say();
            talk.listen();
        }
        assert_eq!(talk.runs(), whole(0..29));
        assert_eq!(talk.heard.iter().position(|sample| *sample != 0), Some(FRAME_SAMPLES), "20 ms after it has come");
    }

    #[test]
    fn packets_that_come_late_by_turns_are_heard_as_if_they_were_in_time() {
        let mut talk = Talk::new();
        // Now and then one comes together with the next.
        for round in 0..38 {
            if round % 5 != 1 {
                while talk.said <= round {
                    talk.say();
                }
            }
            talk.listen();
        }
        assert_eq!(talk.runs(), whole(0..37));
    }

    #[test]
    fn who_overtakes_is_put_back_in_order() {
        let mut talk = Talk::new();
        for number in [0, 1, 3, 2, 4, 6, 5, 7, 8, 9] {
            talk.packet(number);
            talk.listen();
        }
        // 2 and 5 come when their time has come, not before.
        assert_eq!(talk.runs().iter().map(|(number, _)| *number).collect::<Vec<_>>(), (0..9).collect::<Vec<_>>());
    }

    #[test]
    fn what_is_lost_is_the_last_frame_once_more_fading_out() {
        let mut talk = Talk::new();
        for round in 0..20 {
            if (10..13).contains(&round) {
                talk.said += 1;
            } else {
                talk.say();
            }
            talk.listen();
        }
        assert_eq!(
            talk.runs().iter().map(|(number, _)| *number).collect::<Vec<_>>(),
            [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 13, 14, 15, 16, 17, 18]
        );
        let lost = &talk.heard[11 * FRAME_SAMPLES..14 * FRAME_SAMPLES];
        assert!(lost[..FRAME_SAMPLES].is_sorted_by(|one, next| one >= next) && lost[0] > 15_000, "{lost:?}");
        assert!(lost[FRAME_SAMPLES..].iter().all(|sample| *sample == 0));
    }

    #[test]
    fn who_stops_is_silent_and_who_begins_again_is_heard_soon() {
        let mut talk = Talk::new();
        for round in 0..100 {
            if !(10..90).contains(&round) {
                talk.say();
            }
            talk.listen();
        }
        assert_eq!(talk.runs(), whole(0..19));
        assert!(talk.heard[12 * FRAME_SAMPLES..91 * FRAME_SAMPLES].iter().all(|sample| *sample == 0));
    }

    #[test]
    fn a_stall_of_the_network_delays_the_voice_for_a_while_only() {
        let mut talk = Talk::new();
        for _ in 0..10 {
            talk.say();
            talk.listen();
        }
        for _ in 0..12 {
            talk.listen();
        }
        for _ in 0..12 {
            talk.say();
        }
        for _ in 0..400 {
            talk.say();
            talk.listen();
        }
        let wait = talk.voice.end() - talk.now;
        assert!(wait <= 2 * FRAME, "{wait}");
    }

    #[test]
    fn a_sender_with_another_clock_is_heard_without_growing_delay() {
        for (name, more) in [("fast", 1), ("slow", -1)] {
            let mut talk = Talk::new();
            let (mut broken, mut delay_max) = (0, 0);
            for round in 0..20_000 {
                // One packet in 200 too many or too few: half a percent, fifty times what clocks are off.
                let packets = if round % 200 == 199 { 1 + more } else { 1 };
                for _ in 0..packets {
                    talk.say();
                }
                talk.listen();
                let silent = talk.heard.iter().filter(|sample| **sample == 0).count();
                broken += usize::from(round > 10 && silent > 0);
                delay_max = delay_max.max(talk.voice.end().saturating_sub(talk.now));
                talk.heard.clear();
            }
            assert!(delay_max <= 5 * FRAME, "{name}: {delay_max}");
            assert!(broken <= 400, "{name}: {broken} of 20,000 frames");
        }
    }

    #[test]
    fn a_clock_is_corrected_in_a_quiet_moment_if_there_is_one() {
        let mut talk = Talk::new();
        let mut corrections = Vec::new();
        for round in 0..3_000u32 {
            let quiet = round % 40 == 0;
            for _ in 0..if round % 100 == 99 { 2 } else { 1 } {
                let byte = Codec::Pcmu.encode(if quiet { 0 } else { 8_000 });
                let before = talk.voice.end();
                talk.voice.take(&Talk::header(talk.said), &[byte; FRAME_SAMPLES], Codec::Pcmu, talk.now);
                talk.said += 1;
                if round > 0 && talk.voice.end() != before + FRAME {
                    corrections.push(quiet);
                }
            }
            talk.listen();
        }
        // Thirty frames too many were said; a few of them still wait to be heard.
        assert!(corrections.len() >= 10 && corrections.iter().all(|quiet| *quiet), "{corrections:?}");
        let wait = talk.voice.end() - talk.now;
        assert!(wait <= 5 * FRAME, "{wait}");
    }

    #[test]
    fn a_sender_that_counts_anew_is_heard_at_once() {
        let mut talk = Talk::new();
        for _ in 0..5 {
            talk.say();
            talk.listen();
        }
        // Jumps ahead in time.
        let mut jumped = Talk::header(5);
        jumped.timestamp = jumped.timestamp.wrapping_add(1 << 30);
        talk.voice.take(&jumped, &[level(20); FRAME_SAMPLES], Codec::Pcmu, talk.now);
        talk.listen();
        talk.listen();
        // The same source with numbers from before: its stream says so.
        talk.voice.restart();
        talk.packet(1);
        talk.listen();
        talk.listen();
        talk.listen();
        let numbers: Vec<u32> = talk.runs().iter().map(|(number, _)| *number).collect();
        assert_eq!(numbers, [0, 1, 2, 3, 4, 20, 1]);
    }

    #[test]
    fn packets_of_all_lengths_fit() {
        let mut talk = Talk::new();
        let mut timestamp = 0;
        for (number, samples) in [80, 240, 1_600, 1, 0, 480, 2_000, 160].into_iter().enumerate() {
            let header = Header { marker: false, payload_type: 8, sequence: number as u16, timestamp, ssrc: 1 };
            talk.voice.take(&header, &vec![Codec::Pcma.encode(9_000); samples], Codec::Pcma, talk.now);
            timestamp += samples as u32;
            talk.listen();
        }
        let loud = talk.heard.iter().filter(|sample| **sample > 8_000).count();
        assert!(loud >= 900, "{loud}");
    }
}
