//! Recording: begun by a queue's policy, follows the customer, closed with the customer's conversation.

use super::Engine;
use crate::{
    conversation::Facing,
    ids::{ConversationId, LegId, RecordingId},
    input::Actor,
    limits::{PATH_CHARS, TEXT_CHARS},
    output::{Action, Event},
    text::clip,
    time::Millis,
};

impl Engine {
    /// Records the customer and, where there is one, the other party; begins a recording when none runs.
    pub(super) fn ensure_recording(&mut self, id: ConversationId, right: Option<LegId>) {
        let Some(found) = self.world.conversations.get(&id) else { return };
        if found.recording.is_some() {
            self.record_right(id, right);
        } else if !found.record_no_more {
            self.begin_recording(id, right, None);
        }
    }

    pub(super) fn begin_recording(&mut self, id: ConversationId, right: Option<LegId>, by: Option<Actor>) {
        let Some((left, line)) = self.customer(id) else { return };
        let recording = RecordingId(self.mint());
        self.emit(Event::RecordingStarted { conversation: id, recording, by });
        self.act(Action::StartRecording { conversation: id, recording, line, left, right });
    }

    /// Lets a running recording follow to another party.
    pub(super) fn record_right(&mut self, id: ConversationId, right: Option<LegId>) {
        let Some((recording, line)) = self.running_recording(id) else { return };
        self.settle_where(id, |action| matches!(action, Action::RecordRight { .. }));
        self.act(Action::RecordRight { conversation: id, recording, line, right });
    }

    /// Lets a running recording follow to the talk's other party, as far as that one may be recorded now.
    pub(super) fn record_talk(&mut self, id: ConversationId) {
        let Some(found) = self.world.conversations.get(&id) else { return };
        let Some(talk) = &found.talk else { return };
        let away = found.consult.as_ref().is_some_and(|consult| consult.facing == Facing::Target);
        let queue = found.last_queue.and_then(|queue| self.world.queues.get(&queue));
        let recorded = !away || queue.is_some_and(|queue| queue.settings.calls.record_consult);
        let leg = talk.leg;
        self.record_right(id, recorded.then_some(leg));
    }

    /// Closes a running recording.
    pub(super) fn stop_recording(&mut self, id: ConversationId) {
        let Some((recording, line)) = self.running_recording(id) else { return };
        self.act(Action::StopRecording { conversation: id, recording, line });
    }

    fn running_recording(&self, id: ConversationId) -> Option<(RecordingId, crate::endpoint::Line)> {
        let recording = self.world.conversations.get(&id)?.recording?;
        Some((recording, self.world.recordings.get(&recording)?.line))
    }

    pub(super) fn recording_finished(&mut self, recording: RecordingId, path: String, duration: Millis, channels: u8) {
        let Some(open) = self.world.recordings.get(&recording) else { return };
        let (conversation, message) = (open.conversation, open.message);
        let mut gaps = open.gaps.clone();
        gaps.extend(open.pause.as_ref().map(|pause| pause.ended(self.now)));
        self.emit(Event::RecordingFinished { conversation, recording, path: clip(path, PATH_CHARS), duration, channels, gaps });
        self.settle_recording(conversation, recording);
        if let Some(message) = message {
            self.message_recorded(message, recording, duration);
        }
    }

    pub(super) fn recording_failed(&mut self, recording: RecordingId, reason: String) {
        let Some((conversation, message)) = self.world.recordings.get(&recording).map(|open| (open.conversation, open.message)) else {
            return;
        };
        self.emit(Event::RecordingFailed { conversation, recording, reason: clip(reason, TEXT_CHARS) });
        self.settle_recording(conversation, recording);
        if let Some(message) = message {
            self.message_not_recorded(message);
        }
    }
}
