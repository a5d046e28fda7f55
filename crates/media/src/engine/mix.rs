//! A stream that hears several others at once.
//!
//! Decides how voices become one: everybody who listens has a list of voices of their own, they are added up 20 ms at a
//! time, and what is too loud together is clipped rather than wrapped around. The frames are the listener's own
//! (one RTP stream with continuous numbers, whatever it heard before and hears afterwards), in the listener's own law.
//! Telephone events of the voices are not passed on: they cannot be added up. Two who only hear each other need none of
//! this; see [`super::bridge`].

use crate::codec::{Codec, FRAME_SAMPLES};
use crate::engine::clock::samples;
use crate::engine::edit::Remote;
use crate::engine::recording::Recording;
use crate::engine::shard::Shard;
use crate::engine::stream::Hears;
use crate::engine::voice::Voice;
use crate::ids::{GroupId, StreamId};
use crate::limits;
use crate::record::Channel;
use crate::rtp::HEADER_BYTES;

const FRAME: u64 = FRAME_SAMPLES as u64;

/// Packets that have been said already and are to come yet, in samples (60 ms): a recording rather lacks as much than
/// that it has something of a pause.
const ON_THE_WAY: u64 = 3 * FRAME;

/// What a listener has of a mix.
pub(super) struct Mix {
    /// Whom it hears.
    voices: Vec<u32>,
    /// Where on the media clock the next frame begins; `None` before the first.
    next: Option<u64>,
    /// Whether the last step's frame was sent, so that the next one follows it without a gap.
    pub continues: bool,
}

impl Mix {
    fn new() -> Mix {
        Mix { voices: Vec::with_capacity(limits::MIX_VOICES_MAX), next: None, continues: false }
    }

    /// Where this step's frame begins. Steps follow each other without a gap; only who has strayed from the clock (the
    /// thread stood still) begins anew.
    fn step(&mut self, now: u64, stalled: bool) -> u64 {
        let on_clock = |next: &u64| !stalled && *next <= now + FRAME && *next + samples(limits::CATCH_UP_MS_MAX) >= now;
        let position = self.next.filter(on_clock).unwrap_or(now);
        self.next = Some(position + FRAME);
        position
    }
}

impl Shard {
    /// Lets a stream hear these others. Whom it heard in a mix before and still hears goes on without a gap.
    pub(super) fn hear_mix(&mut self, group: GroupId, index: u32, names: &[StreamId]) {
        let mut wanted: Vec<u32> = Vec::with_capacity(limits::MIX_VOICES_MAX);
        for name in names {
            let Some(voice) = self.number(group, *name).filter(|voice| !wanted.contains(voice)) else { continue };
            if wanted.len() >= limits::MIX_VOICES_MAX {
                tracing::warn!(stream = name.0, "too many voices in a mix, another is left out");
                break;
            }
            wanted.push(voice);
        }
        if wanted.is_empty() {
            return self.disconnect(index);
        }
        if !self.streams.get(index).is_some_and(|stream| matches!(stream.hears, Hears::Mix(_))) {
            self.disconnect(index);
        }
        let Some(stream) = self.streams.get_mut(index) else { return };
        let mut mix = match std::mem::replace(&mut stream.hears, Hears::Silence) {
            Hears::Mix(mix) => mix,
            _ => Mix::new(),
        };
        for gone in mix.voices.iter().filter(|voice| !wanted.contains(voice)) {
            self.leave_voice(*gone, index);
        }
        mix.voices.retain(|voice| wanted.contains(voice));
        for voice in wanted {
            if !mix.voices.contains(&voice) && self.join_voice(voice, index) {
                mix.voices.push(voice);
            }
        }
        if let Some(stream) = self.streams.get_mut(index).filter(|_| !mix.voices.is_empty()) {
            stream.hears = Hears::Mix(mix);
            self.start_pacing(index);
        }
    }

    fn join_voice(&mut self, voice: u32, listener: u32) -> bool {
        let Some(stream) = self.streams.get_mut(voice) else { return false };
        let voice = stream.voice.get_or_insert_with(|| Box::new(Voice::new()));
        if voice.listeners.len() >= limits::LISTENERS_MAX {
            tracing::warn!(stream = stream.id.0, "too many streams hear this one, another is refused");
            return false;
        }
        voice.listeners.push(listener);
        true
    }

    fn leave_voice(&mut self, voice: u32, listener: u32) {
        let Some(stream) = self.streams.get_mut(voice) else { return };
        if let Some(voice) = &mut stream.voice {
            voice.listeners.retain(|other| *other != listener);
            if voice.listeners.is_empty() {
                stream.voice = None;
            }
        }
    }

    /// A stream does not hear its mix any more.
    pub(super) fn leave_mix(&mut self, index: u32, mix: &Mix) {
        for voice in &mix.voices {
            self.leave_voice(*voice, index);
        }
    }

    /// A voice is gone for good: those who heard it hear the rest, or silence when there is none.
    pub(super) fn voice_closed(&mut self, closed: u32, voice: &Voice) {
        for listener in &voice.listeners {
            let Some(stream) = self.streams.get_mut(*listener) else { continue };
            if let Hears::Mix(mix) = &mut stream.hears {
                mix.voices.retain(|voice| *voice != closed);
                if mix.voices.is_empty() {
                    stream.hears = Hears::Silence;
                }
            }
            self.choose_recorded(*listener);
        }
    }

    /// One step of a stream that hears a mix; false when it does not. `speaks` says that its frame may be sent, and not
    /// only be recorded.
    pub(super) fn step_mix(&mut self, index: u32, now: u64, stalled: bool, speaks: bool) -> bool {
        let Some(stream) = self.streams.get_mut(index) else { return false };
        let sends = speaks && stream.sendable().is_some();
        let Hears::Mix(mix) = &mut stream.hears else { return false };
        let position = mix.step(now, stalled);
        let continues = std::mem::replace(&mut mix.continues, sends) && !stalled;
        let Some(Remote { codec, payload_type, .. }) = stream.remote else { return true };
        let records = stream.recorded.iter().any(|(recording, channel)| {
            *channel == Channel::Left && self.recordings.get(*recording).is_some_and(Recording::right_is_mixed)
        });
        if !sends && !records {
            return true;
        }
        self.add_up(index, position, codec);
        if records {
            self.record_mix(index, position, codec, now);
        }
        if sends && let Some(stream) = self.streams.get_mut(index) {
            let header = stream.outgoing.own(now as u32, payload_type, FRAME as u32, continues);
            self.scratch[..HEADER_BYTES].copy_from_slice(&header.to_bytes());
            stream.send(&self.scratch[..HEADER_BYTES + FRAME_SAMPLES], now, &self.tally, &mut self.sealed);
        }
        true
    }

    /// Leaves what a stream hears from `position` on behind the header in the packet being built.
    fn add_up(&mut self, index: u32, position: u64, codec: Codec) {
        let mut sum = [0; FRAME_SAMPLES];
        let mut at = 0;
        while let Some(voice) = self.voice_of(index, at) {
            if let Some(voice) = self.streams.get_mut(voice).and_then(|stream| stream.voice.as_mut()) {
                voice.add_to(&mut sum, position);
            }
            at += 1;
        }
        for (byte, sample) in self.scratch[HEADER_BYTES..].iter_mut().zip(sum) {
            *byte = codec.encode(sample.clamp(i32::from(i16::MIN), i32::from(i16::MAX)) as i16);
        }
    }

    fn voice_of(&self, index: u32, at: usize) -> Option<u32> {
        match &self.streams.get(index)?.hears {
            Hears::Mix(mix) => mix.voices.get(at).copied(),
            _ => None,
        }
    }
    fn voices_of(&self, index: u32) -> impl Iterator<Item = &Voice> {
        let voices = match self.streams.get(index).map(|stream| &stream.hears) {
            Some(Hears::Mix(mix)) => &mix.voices[..],
            _ => &[],
        };
        voices.iter().filter_map(|voice| self.streams.get(*voice)?.voice.as_deref())
    }

    fn record_mix(&mut self, index: u32, position: u64, codec: Codec, now: u64) {
        let Some(stream) = self.streams.get(index) else { return };
        let frame = &self.scratch[HEADER_BYTES..HEADER_BYTES + FRAME_SAMPLES];
        for (recording, channel) in &stream.recorded {
            if let Some(recording) = self.recordings.get_mut(*recording).filter(|_| *channel == Channel::Left) {
                recording.write_mixed(stream.outgoing.ssrc, position, frame, codec, now);
            }
        }
    }

    /// A stream hears something else: decides what the recordings of it take for the other side.
    pub(super) fn choose_recorded(&mut self, index: u32) {
        let mut at = 0;
        while let Some((recording, _)) = self.streams.get(index).and_then(|stream| stream.recorded.get(at).copied()) {
            self.choose_right(recording);
            at += 1;
        }
    }

    /// Decides what the right channel of a recording is: the right party, or, where the left one hears it together with
    /// others, all that the left one hears.
    pub(super) fn choose_right(&mut self, index: u32) {
        let Some(recording) = self.recordings.get(index) else { return };
        let together = recording.left.zip(recording.right).filter(|(left, right)| match self.streams.get(*left).map(|left| &left.hears) {
            Some(Hears::Mix(mix)) => mix.voices.contains(right),
            _ => false,
        });
        let from = together.map(|(left, _)| self.heard_from(left));
        if let Some(recording) = self.recordings.get_mut(index) {
            recording.mixed_from = from.map(|from| recording.mixed_from.unwrap_or(from));
        }
    }

    /// From where on a listener's mix has nothing of what was said until now.
    fn heard_from(&self, listener: u32) -> u64 {
        self.voices_of(listener).map(Voice::end).max().unwrap_or(0) + ON_THE_WAY
    }

    /// Ends the pause of a recording. What was said during the pause may wait to be mixed, and stays out.
    pub(super) fn resume_recording(&mut self, index: u32, now: u64) {
        let from = self.recordings.get(index).and_then(|recording| recording.left).map(|left| self.heard_from(left));
        let Some(recording) = self.recordings.get_mut(index) else { return };
        recording.mixed_from = recording.mixed_from.map(|before| from.unwrap_or(before));
        recording.resume(now);
    }
}
