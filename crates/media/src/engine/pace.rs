//! What happens on the ticks of the media clock: prompts, mixes and digits go out every 20 ms, and every stream is looked
//! after five times a second (reports, silence that keeps a path open, quiet other ends).
//!
//! Ticks come every 5 ms; a stream that is paced belongs to one of four phases, so that a thousand prompts do not
//! leave in one burst. The grid is absolute: a frame is sent for every
//! 20 ms that passed, unless the thread was stopped for so long that this would be a burst.

use crate::codec::FRAME_SAMPLES;
use crate::dtmf::{self, Step};
use crate::engine::clock::{millis, samples};
use crate::engine::shard::Shard;
use crate::engine::stream::Hears;
use crate::engine::{Event, Remote};
use crate::limits;
use crate::rtp::{HEADER_BYTES, Header};

/// Milliseconds between two ticks.
pub(super) const TICK_MS: u64 = 5;

/// Ticks in one frame of 20 ms: the number of phases.
pub(super) const PHASES: usize = 4;

/// Ticks after which every stream and every recording has been looked after once: 200 ms.
const ROUND_TICKS: u64 = 40;

/// Samples in one frame, as timestamps count.
const FRAME: u32 = FRAME_SAMPLES as u32;

impl Shard {
    /// `expired` ticks have passed since the last call. A short delay is made up for; after a long one everybody goes on
    /// where they were, because the words of a prompt matter more than their time.
    pub(super) fn ticks(&mut self, expired: u64, now: u64) {
        self.tally.late_ticks.add(expired.saturating_sub(1));
        let stalled = expired > limits::CATCH_UP_MS_MAX / TICK_MS;
        if stalled {
            self.tally.stalls.add(1);
        }
        for _ in 0..if stalled { PHASES as u64 } else { expired } {
            self.tick = self.tick.wrapping_add(1);
            self.pace(now, stalled);
            self.look_after(now);
        }
    }

    /// One step of 20 ms for every paced stream whose phase this is.
    fn pace(&mut self, now: u64, stalled: bool) {
        let phase = (self.tick % PHASES as u64) as usize;
        let mut at = 0;
        while let Some(index) = self.paced[phase].get(at).copied() {
            if self.step(index, now, stalled) {
                at += 1;
            } else {
                self.paced[phase].swap_remove(at);
                if let Some(stream) = self.streams.get_mut(index) {
                    stream.phase = None;
                }
            }
        }
    }

    /// Lets the next step of `index` be at the next tick, if it is not paced already.
    pub(super) fn start_pacing(&mut self, index: u32) {
        if let Some(stream) = self.streams.get_mut(index)
            && stream.phase.is_none()
        {
            let phase = (self.tick.wrapping_add(1) % PHASES as u64) as usize;
            stream.phase = Some(phase as u8);
            self.paced[phase].push(index);
        }
    }

    /// One step of a stream; false when it has nothing of its own to send any more.
    fn step(&mut self, index: u32, now: u64, stalled: bool) -> bool {
        let Some(stream) = self.streams.get_mut(index) else { return false };
        if stream.digits.is_some() {
            self.step_digits(index, now);
            self.step_mix(index, now, stalled, false);
            return true;
        }
        let Hears::Play(play) = &mut stream.hears else { return self.step_mix(index, now, stalled, true) };
        // Nobody is there yet: the prompt waits.
        let Some(Remote { codec, payload_type, .. }) = stream.remote else { return true };
        let continues = play.continues && !stalled;
        play.continues = false;
        let Some(frame) = play.step(codec) else {
            let id = play.id;
            stream.hears = Hears::Silence;
            (self.shared.events)(Event::PlayFinished { group: stream.group, stream: stream.id, play: id });
            return false;
        };
        self.scratch[HEADER_BYTES..HEADER_BYTES + FRAME_SAMPLES].copy_from_slice(frame);
        if stream.sendable().is_some() {
            let header = stream.outgoing.own(now as u32, payload_type, FRAME, continues);
            self.scratch[..HEADER_BYTES].copy_from_slice(&header.to_bytes());
            stream.send(&self.scratch[..HEADER_BYTES + FRAME_SAMPLES], now, &self.tally, &mut self.sealed);
            if let Hears::Play(play) = &mut stream.hears {
                play.continues = true;
            }
        }
        true
    }

    fn step_digits(&mut self, index: u32, now: u64) {
        let Some(stream) = self.streams.get_mut(index) else { return };
        let Some(digits) = &mut stream.digits else { return };
        let remote = stream.remote.filter(|remote| remote.direction.sends());
        let step = digits.step();
        match (step, remote.and_then(|remote| remote.dtmf)) {
            (Step::Packet { payload, begins }, Some(payload_type)) => {
                let header = stream.outgoing.event(now as u32, payload_type, begins);
                let datagram = event_packet(header, payload);
                stream.send(&datagram, now, &self.tally, &mut self.sealed);
                if let Hears::Play(play) = &mut stream.hears {
                    play.continues = false;
                }
            }
            (Step::Pause, Some(_)) => {}
            (Step::Done, _) => self.digits_over(index, true),
            (_, None) => self.digits_over(index, false),
        }
    }

    /// Ends the sending of digits, and says so once per request.
    pub(super) fn digits_over(&mut self, index: u32, complete: bool) {
        let Some(stream) = self.streams.get_mut(index) else { return };
        stream.digits = None;
        for _ in 0..std::mem::take(&mut stream.digit_requests) {
            (self.shared.events)(Event::DigitsSent { group: stream.group, stream: stream.id, complete });
        }
    }

    /// Looks after the streams and recordings whose turn it is.
    fn look_after(&mut self, now: u64) {
        let turn = (self.tick % ROUND_TICKS) as u32;
        for index in (turn..self.streams.end()).step_by(ROUND_TICKS as usize) {
            self.look_after_stream(index, now);
        }
        for index in (turn..self.recordings.end()).step_by(ROUND_TICKS as usize) {
            let Some(recording) = self.recordings.get_mut(index) else { continue };
            recording.advance(now);
            if recording.is_closed() {
                self.forget_recording(index);
            }
        }
    }

    fn look_after_stream(&mut self, index: u32, now: u64) {
        let Some(stream) = self.streams.get_mut(index) else { return };
        if let Some(remote) = stream.sendable()
            && now.saturating_sub(stream.last_sent) >= samples(self.shared.config.keep_open_ms)
        {
            let header = stream.outgoing.own(now as u32, remote.payload_type, FRAME, false);
            self.scratch[..HEADER_BYTES].copy_from_slice(&header.to_bytes());
            self.scratch[HEADER_BYTES..HEADER_BYTES + FRAME_SAMPLES].fill(remote.codec.silence());
            stream.send(&self.scratch[..HEADER_BYTES + FRAME_SAMPLES], now, &self.tally, &mut self.sealed);
        }
        if stream.control.due(now, &mut self.seed) {
            stream.report(now, self.clock.ntp(now), false, &self.tally);
        }
        let silent_ms = millis(now.saturating_sub(stream.last_heard));
        if stream.receives() && !stream.quiet && silent_ms >= self.shared.config.quiet_ms {
            stream.quiet = true;
            (self.shared.events)(Event::Quiet { group: stream.group, stream: stream.id, ms: silent_ms });
        }
    }
}

fn event_packet(header: Header, payload: dtmf::Payload) -> [u8; HEADER_BYTES + dtmf::PAYLOAD_BYTES] {
    let mut datagram = [0; HEADER_BYTES + dtmf::PAYLOAD_BYTES];
    datagram[..HEADER_BYTES].copy_from_slice(&header.to_bytes());
    datagram[HEADER_BYTES..].copy_from_slice(&payload.to_bytes());
    datagram
}
