//! Recordings.

use crate::{
    conversation::Pause,
    ids::RecordingId,
    limits,
    output::{Event, Stamped},
    time::Timestamp,
    world::{OpenRecording, Timer, World},
};

impl World {
    pub(super) fn apply_recording(&mut self, stamped: &Stamped) {
        let at = stamped.at;
        match &stamped.event {
            Event::RecordingStarted { conversation, recording, .. } => {
                if let Some(found) = self.conversations.get_mut(conversation) {
                    found.recording = Some(*recording);
                    found.record_no_more = false;
                    let open = OpenRecording {
                        conversation: *conversation,
                        line: found.line,
                        started_at: at,
                        stopping: false,
                        pause: None,
                        gaps: Vec::new(),
                        message: found.message,
                    };
                    if let Some(open) = found.message.and_then(|message| self.leaving.get_mut(&message)) {
                        open.recording = Some(*recording);
                        let mailbox = open.mailbox;
                        let longest = self.mailbox(mailbox).map_or(limits::MESSAGE_MAX, |rules| rules.longest);
                        self.timers.set(Timer::Message(*conversation), at + longest);
                    }
                    self.recordings.insert(*recording, open);
                }
            }
            Event::RecordingPaused { recording, by, reason, until, .. } => {
                if let Some(open) = self.recordings.get_mut(recording) {
                    open.pause = Some(Pause { from: at, by: by.clone(), reason: *reason, until: *until });
                    match until {
                        Some(until) => self.timers.set(Timer::RecordingPause(*recording), *until),
                        None => self.timers.clear(Timer::RecordingPause(*recording)),
                    }
                }
            }
            Event::RecordingResumed { recording, .. } => self.end_pause(*recording, at),
            Event::RecordingRefused { conversation, .. } => {
                if let Some(found) = self.conversations.get_mut(conversation) {
                    found.record_no_more = true;
                }
            }
            Event::RecordingFinished { conversation, recording, .. } | Event::RecordingFailed { conversation, recording, .. } => {
                if let Some(found) = self.conversations.get_mut(conversation)
                    && found.recording == Some(*recording)
                {
                    found.recording = None;
                }
                self.recordings.remove(recording);
                self.timers.clear(Timer::Recording(*recording));
                self.timers.clear(Timer::RecordingPause(*recording));
            }
            _ => {}
        }
    }

    /// A pause becomes a gap.
    pub(super) fn end_pause(&mut self, recording: RecordingId, at: Timestamp) {
        self.timers.clear(Timer::RecordingPause(recording));
        if let Some(open) = self.recordings.get_mut(&recording)
            && let Some(pause) = open.pause.take()
        {
            open.gaps.push(pause.ended(at));
        }
    }
}
