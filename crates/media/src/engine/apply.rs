//! Carrying out [`Edit`]s on the streams and recordings of one shard.
//!
//! Keeps the cross references straight: who hears whom is stored at both ends, and so is who is recorded where.

use std::path::PathBuf;

use crate::engine::Event;
use crate::engine::edit::{Edit, Source};
use crate::engine::play::Play;
use crate::engine::recording::Recording;
use crate::engine::shard::Shard;
use crate::engine::stream::Hears;
use crate::ids::{GroupId, RecordingId, StreamId};
use crate::limits;
use crate::record::Channel;

impl Shard {
    /// Carries out the edits of one call.
    pub(super) fn apply(&mut self, group: GroupId, edits: Vec<Edit>, now: u64) {
        for edit in edits {
            self.edit(group, edit, now);
        }
    }

    fn edit(&mut self, group: GroupId, edit: Edit, now: u64) {
        match edit {
            Edit::Remote { stream, remote } => {
                let own = self.shared.config.advertised_ip;
                if let Some(index) = self.number(group, stream)
                    && let Some(stream) = self.streams.get_mut(index)
                {
                    stream.negotiate(remote, own, now, &mut self.seed);
                }
            }
            Edit::Protect { stream, keys } => {
                if let Some(index) = self.number(group, stream)
                    && let Some(stream) = self.streams.get_mut(index)
                {
                    stream.protect(keys, now, &mut self.seed);
                }
            }
            Edit::Hear { listener, source } => {
                if let Some(index) = self.number(group, listener) {
                    self.hear(group, index, source);
                    self.choose_recorded(index);
                }
            }
            Edit::SendDigits { stream, digits, tone_ms, gap_ms } => {
                if let Some(index) = self.number(group, stream) {
                    self.send_digits(index, &digits, tone_ms, gap_ms);
                }
            }
            Edit::Record { recording, path, left, right } => self.start_recording(group, recording, path, left, right, now),
            Edit::RecordRight { recording, right } => {
                if let Some(index) = self.recording(group, recording) {
                    let right = right.and_then(|stream| self.number(group, stream));
                    self.assign(index, Channel::Right, right);
                }
            }
            Edit::PauseRecording { recording } => {
                if let Some(recording) = self.recording(group, recording).and_then(|index| self.recordings.get_mut(index)) {
                    recording.pause(now);
                }
            }
            Edit::ResumeRecording { recording } => {
                if let Some(index) = self.recording(group, recording) {
                    self.resume_recording(index, now);
                }
            }
            Edit::StopRecording { recording } => {
                if let Some(index) = self.recording(group, recording) {
                    self.finish_recording(index, now);
                }
            }
            Edit::Close { stream } => {
                if let Some(index) = self.number(group, stream) {
                    self.close(index, now);
                }
            }
        }
    }

    /// The number of a stream, if it is open and of this group.
    pub(super) fn number(&self, group: GroupId, stream: StreamId) -> Option<u32> {
        let index = self.stream_numbers.get(&stream).copied();
        let found = index.filter(|index| self.streams.get(*index).is_some_and(|stream| stream.group == group));
        if found.is_none() {
            tracing::debug!(group = group.0, stream = stream.0, "an edit names a stream that is not open");
        }
        found
    }

    /// The number of a recording, if it runs and is of this group.
    fn recording(&self, group: GroupId, recording: RecordingId) -> Option<u32> {
        let index = self.recording_numbers.get(&recording).copied()?;
        self.recordings.get(index).filter(|recording| recording.group == group).map(|_| index)
    }

    fn hear(&mut self, group: GroupId, index: u32, source: Source) {
        let hears = match source {
            Source::Silence => Hears::Silence,
            Source::Prompt { prompt, play, repeat } => Hears::Play(Play::new(prompt, play, repeat)),
            Source::Peer(peer) => match self.number(group, peer) {
                Some(peer) => Hears::Peer(peer),
                None => return,
            },
            Source::Mix(voices) => return self.hear_mix(group, index, &voices),
        };
        if let (Hears::Peer(new), Some(Hears::Peer(old))) = (&hears, self.streams.get(index).map(|stream| &stream.hears))
            && new == old
        {
            // The same again: the numbers go on.
            return;
        }
        self.disconnect(index);
        match &hears {
            Hears::Silence | Hears::Mix(_) => {}
            Hears::Play(_) => self.start_pacing(index),
            Hears::Peer(peer) => {
                let Some(peer) = self.streams.get_mut(*peer) else { return };
                if peer.listeners.len() >= limits::LISTENERS_MAX {
                    tracing::warn!(stream = peer.id.0, "too many streams hear this one, another is refused");
                    return;
                }
                peer.listeners.push(index);
            }
        }
        if let Some(stream) = self.streams.get_mut(index) {
            stream.hears = hears;
        }
    }

    /// Lets a stream hear silence.
    pub(super) fn disconnect(&mut self, index: u32) {
        let Some(stream) = self.streams.get_mut(index) else { return };
        stream.outgoing.disconnect();
        match std::mem::replace(&mut stream.hears, Hears::Silence) {
            Hears::Peer(peer) => {
                if let Some(peer) = self.streams.get_mut(peer) {
                    peer.listeners.retain(|listener| *listener != index);
                }
            }
            Hears::Mix(mix) => self.leave_mix(index, &mix),
            Hears::Play(_) | Hears::Silence => {}
        }
    }

    fn send_digits(&mut self, index: u32, digits: &str, tone_ms: u16, gap_ms: u16) {
        let Some(stream) = self.streams.get_mut(index) else { return };
        let possible = stream.remote.is_some_and(|remote| remote.dtmf.is_some() && remote.direction.sends());
        let queue = stream.digits.get_or_insert_default();
        if possible && queue.queue(digits, tone_ms, gap_ms) {
            stream.digit_requests += 1;
            self.start_pacing(index);
            return;
        }
        if stream.digit_requests == 0 {
            stream.digits = None;
        }
        (self.shared.events)(Event::DigitsSent { group: stream.group, stream: stream.id, complete: false });
    }

    fn start_recording(&mut self, group: GroupId, id: RecordingId, path: PathBuf, left: StreamId, right: Option<StreamId>, now: u64) {
        let failure = if self.recording_numbers.contains_key(&id) {
            Some("a recording of this name is running")
        } else if self.number(group, left).is_none() {
            Some("the stream to be recorded is not open")
        } else {
            None
        };
        if let Some(reason) = failure {
            return (self.shared.events)(Event::RecordingFailed { recording: id, path, reason: reason.to_owned(), kept_ms: 0 });
        }
        let sink = self.recorder.open(id, path);
        let key = self.recordings.insert(Recording::new(id, group, sink, now));
        self.recording_numbers.insert(id, key.index);
        self.tally.recordings.set(self.recordings.len() as u64);
        let left = self.number(group, left);
        let right = right.and_then(|right| self.number(group, right));
        self.assign(key.index, Channel::Left, left);
        self.assign(key.index, Channel::Right, right);
    }

    /// Lets a channel of a recording be `stream` from now on.
    fn assign(&mut self, index: u32, channel: Channel, stream: Option<u32>) {
        let Some(recording) = self.recordings.get_mut(index) else { return };
        let place = match channel {
            Channel::Left => &mut recording.left,
            Channel::Right => &mut recording.right,
        };
        let before = std::mem::replace(place, stream);
        recording.source_changed(channel);
        if let Some(before) = before.and_then(|before| self.streams.get_mut(before)) {
            before.recorded.retain(|recorded| *recorded != (index, channel));
        }
        self.choose_right(index);
        if let Some(stream) = stream.and_then(|stream| self.streams.get_mut(stream)) {
            if stream.recorded.len() >= limits::RECORDINGS_PER_STREAM_MAX {
                tracing::warn!(stream = stream.id.0, "a stream is in too many recordings, another gets silence");
                return;
            }
            stream.recorded.push((index, channel));
        }
    }

    /// Ends a recording; the recorder reports when the file is complete.
    pub(super) fn finish_recording(&mut self, index: u32, now: u64) {
        if let Some(recording) = self.forget_recording(index) {
            recording.finish(now);
        }
    }

    /// Takes a recording out of everything that refers to it.
    pub(super) fn forget_recording(&mut self, index: u32) -> Option<Box<Recording>> {
        self.assign(index, Channel::Left, None);
        self.assign(index, Channel::Right, None);
        let recording = self.recordings.remove(index)?;
        self.recording_numbers.remove(&recording.id);
        self.tally.recordings.set(self.recordings.len() as u64);
        Some(recording)
    }

    /// Closes a stream, and ends the recordings of its group if it was the last.
    pub(super) fn close(&mut self, index: u32, now: u64) {
        if self.streams.get(index).is_some_and(|stream| stream.digits.is_some()) {
            self.digits_over(index, false);
        }
        self.disconnect(index);
        let Some(mut stream) = self.streams.remove(index) else { return };
        stream.report(now, self.clock.ntp(now), true, &self.tally);
        self.stream_numbers.remove(&stream.id);
        for listener in &stream.listeners {
            if let Some(listener) = self.streams.get_mut(*listener) {
                listener.hears = Hears::Silence;
                listener.outgoing.disconnect();
            }
        }
        if let Some(voice) = &stream.voice {
            self.voice_closed(index, voice);
        }
        if let Some(phase) = stream.phase {
            self.paced[usize::from(phase)].retain(|paced| *paced != index);
        }
        for (index, channel) in &stream.recorded {
            if let Some(recording) = self.recordings.get_mut(*index) {
                match channel {
                    Channel::Left => recording.left = None,
                    Channel::Right => recording.right = None,
                }
                self.choose_right(*index);
            }
        }
        let report = stream.figures(now);
        self.tally.lost_in.add(report.received.lost.unwrap_or(0));
        self.tally.streams.set(self.streams.len() as u64);
        let (group, id) = (stream.group, stream.id);
        // The ports are free before anybody hears about it.
        drop(stream);
        self.leave_group(group, now);
        (self.shared.events)(Event::Closed { group, stream: id, report });
    }

    fn leave_group(&mut self, group: GroupId, now: u64) {
        let Some(streams) = self.groups.get_mut(&group) else { return };
        *streams -= 1;
        if *streams > 0 {
            return;
        }
        self.groups.remove(&group);
        for index in 0..self.recordings.end() {
            if self.recordings.get(index).is_some_and(|recording| recording.group == group) {
                self.finish_recording(index, now);
            }
        }
    }
}
