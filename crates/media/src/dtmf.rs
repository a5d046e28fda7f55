//! Telephone events (RFC 4733): digits that travel as RTP packets of their own.
//!
//! Decides which packets are one key press ([`Presses`]) and which packets make a digit ([`Sender`]). Does not know
//! sockets or payload types. Tones in the audio itself are another matter ([`crate::tone`]).

use std::collections::VecDeque;

use crate::limits;
use crate::rtp::timestamp_distance;

/// Bytes of one event in a payload (RFC 4733 §2.3).
pub const PAYLOAD_BYTES: usize = 4;

/// Samples between two packets of an event: 20 ms.
const STEP_SAMPLES: u16 = 160;

/// Milliseconds between two calls of [`Sender::step`].
pub const STEP_MS: u16 = 20;

/// The last packet of an event is sent this often (RFC 4733 §2.5.1.4), because it ends the tone at the receiver.
const END_PACKETS: u8 = 3;

/// Level of sent digits in -dBm0. Networks expect -4 to -10 per tone pair.
const VOLUME: u8 = 10;

/// A packet whose press began this much (5 s) before the latest one was overtaken by it; further back, the sender has
/// begun its timestamps anew.
const OVERTAKEN_SAMPLES: i32 = 40_000;

/// A comma in a string of digits waits for one second, as telephones do.
const COMMA_STEPS: u16 = 50;

/// The sixteen digits in the order of their event codes (RFC 4733 §3.2).
const DIGITS: [char; 16] = ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9', '*', '#', 'A', 'B', 'C', 'D'];

/// One telephone-event payload.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Payload {
    /// Event code; 0-15 are the digits.
    pub event: u8,
    /// Whether this is the end of the event.
    pub end: bool,
    /// Level in -dBm0, 0-63.
    pub volume: u8,
    /// Length so far in samples.
    pub duration: u16,
}

impl Payload {
    /// Reads the first event of a payload.
    pub fn parse(bytes: &[u8]) -> Option<Payload> {
        let [event, flags, high, low, ..] = bytes else {
            return None;
        };
        Some(Payload { event: *event, end: flags & 0x80 != 0, volume: flags & 0x3F, duration: u16::from_be_bytes([*high, *low]) })
    }

    /// The payload as bytes.
    pub fn to_bytes(self) -> [u8; PAYLOAD_BYTES] {
        let [high, low] = self.duration.to_be_bytes();
        let flags = (self.volume & 0x3F) | if self.end { 0x80 } else { 0 };
        [self.event, flags, high, low]
    }

    /// The digit of the event, if it is one.
    pub fn digit(self) -> Option<char> {
        DIGITS.get(usize::from(self.event)).copied()
    }
}

/// The event code of a digit; letters in either case.
pub fn event_of(digit: char) -> Option<u8> {
    let digit = digit.to_ascii_uppercase();
    DIGITS.iter().position(|known| *known == digit).map(|event| event as u8)
}

/// Tells key presses from the many packets of each: all packets of one press share source and timestamp (RFC 4733
/// §2.2, §2.5.1.2), whatever gets lost, repeated or reordered.
#[derive(Debug, Clone, Copy, Default)]
pub struct Presses {
    last: Option<Press>,
}

#[derive(Debug, Clone, Copy)]
struct Press {
    ssrc: u32,
    timestamp: u32,
    event: u8,
    ended: bool,
    duration: u16,
}

impl Presses {
    /// Takes one packet; gives the digit when it is the first of a press.
    pub fn handle(&mut self, ssrc: u32, timestamp: u32, payload: Payload) -> Option<char> {
        let mut fresh = true;
        if let Some(last) = &mut self.last
            && last.ssrc == ssrc
        {
            let ahead = timestamp_distance(last.timestamp, timestamp);
            if (-OVERTAKEN_SAMPLES..0).contains(&ahead) {
                return None;
            }
            if ahead == 0 {
                last.ended |= payload.end;
                last.duration = last.duration.max(payload.duration);
                return None;
            }
            // A press longer than 16 bits of samples goes on under a new timestamp (RFC 4733 §2.5.1.3).
            let goes_on = last.duration >= u16::MAX - 2 * STEP_SAMPLES && !last.ended && ahead <= 0xFFFF;
            fresh = !(goes_on && last.event == payload.event);
        }
        let Payload { event, end, duration, .. } = payload;
        self.last = Some(Press { ssrc, timestamp, event, ended: end, duration });
        if fresh { payload.digit() } else { None }
    }
}

/// What is to be sent in one step of 20 ms.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// One event packet.
    Packet {
        /// Its payload.
        payload: Payload,
        /// Whether it begins a press: marker bit, and a new timestamp.
        begins: bool,
    },
    /// Nothing: the pause between two digits.
    Pause,
    /// All digits are out.
    Done,
}

/// Sends queued digits, one step per 20 ms.
#[derive(Debug, Clone)]
pub struct Sender {
    queue: VecDeque<Queued>,
    now: Phase,
}

#[derive(Debug, Clone, Copy)]
struct Queued {
    /// `None` is a comma.
    event: Option<u8>,
    tone_steps: u16,
    gap_steps: u16,
}

#[derive(Debug, Clone, Copy)]
enum Phase {
    Next,
    Tone { event: u8, step: u16, of: u16, gap_steps: u16 },
    End { event: u8, duration: u16, left: u8, gap_steps: u16 },
    Gap { left: u16 },
}

impl Default for Sender {
    fn default() -> Sender {
        Sender { queue: VecDeque::new(), now: Phase::Next }
    }
}

impl Sender {
    /// Queues digits; times are brought into their limits and rounded up to 20 ms. False, and nothing queued, when
    /// more than [`limits::DIGITS_QUEUED_MAX`] would wait or there is no digit at all.
    pub fn queue(&mut self, digits: &str, tone_ms: u16, gap_ms: u16) -> bool {
        let steps = |ms: u16, limits: std::ops::RangeInclusive<u16>| ms.clamp(*limits.start(), *limits.end()).div_ceil(STEP_MS);
        let tone_steps = steps(tone_ms, limits::DIGIT_TONE_MS);
        let gap_steps = steps(gap_ms, limits::DIGIT_GAP_MS);
        let known = || digits.chars().filter_map(|digit| if digit == ',' { Some(None) } else { event_of(digit).map(Some) });
        let count = known().take(limits::DIGITS_QUEUED_MAX + 1).count();
        if count == 0 || self.queue.len() + count > limits::DIGITS_QUEUED_MAX {
            return false;
        }
        self.queue.extend(known().map(|event| Queued { event, tone_steps, gap_steps }));
        true
    }

    /// What to send now. After [`Step::Done`] there is nothing more until the next [`Sender::queue`].
    pub fn step(&mut self) -> Step {
        loop {
            match self.now {
                Phase::Next => match self.queue.pop_front() {
                    None => return Step::Done,
                    Some(Queued { event: None, .. }) => self.now = Phase::Gap { left: COMMA_STEPS },
                    Some(Queued { event: Some(event), tone_steps, gap_steps }) => {
                        self.now = Phase::Tone { event, step: 0, of: tone_steps, gap_steps };
                    }
                },
                Phase::Tone { event, step, of, gap_steps } if step < of => {
                    self.now = Phase::Tone { event, step: step + 1, of, gap_steps };
                    let duration = (step + 1) * STEP_SAMPLES;
                    let payload = Payload { event, end: false, volume: VOLUME, duration };
                    return Step::Packet { payload, begins: step == 0 };
                }
                Phase::Tone { event, of, gap_steps, .. } => {
                    self.now = Phase::End { event, duration: of * STEP_SAMPLES, left: END_PACKETS, gap_steps };
                }
                Phase::End { event, duration, left, gap_steps } if left > 0 => {
                    self.now = Phase::End { event, duration, left: left - 1, gap_steps };
                    let payload = Payload { event, end: true, volume: VOLUME, duration };
                    return Step::Packet { payload, begins: false };
                }
                // The three end packets already took part of the pause.
                Phase::End { gap_steps, .. } => {
                    self.now = Phase::Gap { left: gap_steps.saturating_sub(u16::from(END_PACKETS)) };
                }
                Phase::Gap { left } if left > 0 => {
                    self.now = Phase::Gap { left: left - 1 };
                    return Step::Pause;
                }
                Phase::Gap { .. } => self.now = Phase::Next,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn press(event: u8, end: bool, duration: u16) -> Payload {
        Payload { event, end, volume: 10, duration }
    }

    #[test]
    fn a_payload_is_four_bytes_of_the_standards_layout() {
        let payload = press(11, true, 1_600);
        assert_eq!(payload.to_bytes(), [11, 0x80 | 10, 0x06, 0x40]);
        assert_eq!(Payload::parse(&[11, 0x80 | 10, 0x06, 0x40]), Some(payload));
        assert_eq!(Payload::parse(&[11, 0x80, 0x06]), None);
        assert_eq!(payload.digit(), Some('#'));
        assert_eq!(press(16, false, 0).digit(), None, "hook flash is no digit");
    }

    #[test]
    fn every_digit_has_a_code_and_back() {
        for digit in "0123456789*#ABCD".chars() {
            let event = event_of(digit).expect("a digit");
            assert_eq!(press(event, false, 0).digit(), Some(digit));
        }
        assert_eq!(event_of('d'), Some(15));
        assert_eq!(event_of('x'), None);
    }

    #[test]
    fn a_press_is_one_digit_however_its_packets_arrive() {
        let mut presses = Presses::default();
        let mut heard = String::new();
        let mut hear = |ssrc, timestamp, payload| heard.extend(presses.handle(ssrc, timestamp, payload));
        // The first packet of the press is lost, the end comes three times, one update is late.
        for (end, duration) in [(false, 320), (false, 640), (true, 800), (true, 800), (false, 480), (true, 800)] {
            hear(1, 1_000, press(5, end, duration));
        }
        // The same key again, of which only an end packet survives.
        hear(1, 3_000, press(5, true, 800));
        // A straggler of the first press.
        hear(1, 1_000, press(5, true, 800));
        // Another key from a new source that happens to use the same timestamp.
        hear(2, 3_000, press(6, false, 160));
        assert_eq!(heard, "556");
    }

    #[test]
    fn a_very_long_press_that_goes_on_in_segments_is_one_digit() {
        let mut presses = Presses::default();
        let mut heard = String::new();
        heard.extend(presses.handle(1, 0, press(1, false, 0xFFFF)));
        heard.extend(presses.handle(1, 0xFFFF, press(1, false, 160)));
        heard.extend(presses.handle(1, 0xFFFF, press(1, true, 320)));
        heard.extend(presses.handle(1, 0x1_2000, press(1, false, 160)));
        assert_eq!(heard, "11", "the second press is a press again");
    }

    #[test]
    fn presses_are_heard_after_the_sender_has_begun_its_timestamps_anew() {
        let mut presses = Presses::default();
        assert_eq!(presses.handle(1, 1_000_000_000, press(1, true, 800)), Some('1'));
        assert_eq!(presses.handle(1, 500, press(2, false, 160)), Some('2'));
        assert_eq!(presses.handle(1, 500, press(2, true, 800)), None);
    }

    #[test]
    fn a_sent_digit_is_updates_then_three_ends_then_a_pause() {
        let mut sender = Sender::default();
        assert!(sender.queue("7", 100, 100));
        let mut steps = Vec::new();
        loop {
            match sender.step() {
                Step::Done => break,
                step => steps.push(step),
            }
        }
        let expected = [
            (160, false, true),
            (320, false, false),
            (480, false, false),
            (640, false, false),
            (800, false, false),
            (800, true, false),
            (800, true, false),
            (800, true, false),
        ];
        let packets: Vec<_> = expected
            .map(|(duration, end, begins)| Step::Packet { payload: press(7, end, duration), begins })
            .into_iter()
            .chain([Step::Pause, Step::Pause])
            .collect();
        assert_eq!(steps, packets);
    }

    #[test]
    fn a_comma_waits_a_second() {
        let mut sender = Sender::default();
        assert!(sender.queue(",", 100, 100));
        let pauses = std::iter::from_fn(|| (sender.step() == Step::Pause).then_some(())).count();
        assert_eq!(pauses, 50);
    }

    #[test]
    fn a_queue_that_is_full_or_given_no_digits_refuses() {
        let mut sender = Sender::default();
        assert!(!sender.queue("hello?", 100, 100));
        assert!(sender.queue(&"1".repeat(limits::DIGITS_QUEUED_MAX), 100, 100));
        assert!(!sender.queue("1", 100, 100));
    }

    proptest! {
        #[test]
        fn what_a_sender_sends_is_what_presses_hears(digits in "[0-9A-D*#]{1,20}", tone in 0u16..400, gap in 0u16..400, lose in any::<u64>()) {
            let mut sender = Sender::default();
            prop_assert!(sender.queue(&digits, tone, gap));
            let mut presses = Presses::default();
            let mut heard = String::new();
            let mut clock = 0u32;
            let mut timestamp = 0;
            let mut number = 0;
            let mut lost_in_a_row = 0;
            loop {
                match sender.step() {
                    Step::Packet { payload, begins } => {
                        if begins {
                            timestamp = clock;
                        }
                        number += 1;
                        // Any loss that leaves one packet of a press: at most three in a row of at least five.
                        if lose >> (number % 64) & 1 == 1 && lost_in_a_row < 3 {
                            lost_in_a_row += 1;
                        } else {
                            lost_in_a_row = 0;
                            let payload = Payload::parse(&payload.to_bytes()).expect("four bytes");
                            heard.extend(presses.handle(1, timestamp, payload));
                        }
                    }
                    Step::Pause => {}
                    Step::Done => break,
                }
                clock += 160;
            }
            prop_assert_eq!(heard, digits);
        }

        #[test]
        fn any_payload_is_taken_without_a_panic(packets in proptest::collection::vec((any::<u32>(), any::<u32>(), any::<[u8; 4]>()), 0..50)) {
            let mut presses = Presses::default();
            for (ssrc, timestamp, bytes) in packets {
                presses.handle(ssrc % 2, timestamp, Payload::parse(&bytes).expect("four bytes"));
            }
        }
    }
}
