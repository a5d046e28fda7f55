//! Recording by command: start, stop, pause, resume.
//!
//! A pause is kept or the recording ends: when nobody confirms within [`PAUSE_ANSWER_MAX`](crate::limits::PAUSE_ANSWER_MAX) that nothing is recorded any more,
//! the recording is stopped, because what is said then must not be in it. A secure pause ends by itself, after its time or
//! with the talk. Where a flow lets a customer type something private, it lasts as long as that.

use super::{Engine, agent::wrong_state};
use crate::{
    conversation::{PauseReason, SegmentKind},
    endpoint::Line,
    ids::{ConversationId, RecordingId},
    input::Actor,
    limits::{RECORDING_GAPS, SECURE_PAUSE, SECURE_PAUSE_MAX},
    output::{Action, Event},
    refusal::Refusal,
    time::{Millis, Timestamp},
    world::OpenRecording,
};

impl Engine {
    pub(super) fn start_recording_by(&mut self, by: Actor, id: ConversationId) -> Result<(), Refusal> {
        let Some(found) = self.world.conversations.get(&id) else { return Err(wrong_state("the conversation is over")) };
        if found.recording.is_some() {
            return Err(wrong_state("the conversation is being recorded already"));
        }
        if !matches!(found.place(), Some(SegmentKind::Talk | SegmentKind::Hold)) {
            return Err(wrong_state("there is no talk to record yet"));
        }
        self.begin_recording(id, None, Some(by));
        self.record_talk(id);
        Ok(())
    }

    /// Ends the recording, and lets no queue's rule begin another one: whoever objects does so for the whole conversation.
    pub(super) fn stop_recording_by(&mut self, by: Actor, id: ConversationId) -> Result<(), Refusal> {
        let (recording, _) = self.recorded(id)?;
        self.emit(Event::RecordingRefused { conversation: id, recording, by });
        self.stop_recording(id);
        Ok(())
    }

    /// Lets nothing be recorded for a while. `at_most` bounds a secure pause; any other lasts until it is ended.
    pub(super) fn pause_recording(&mut self, by: Actor, id: ConversationId, secure: bool, at_most: Option<Millis>) -> Result<(), Refusal> {
        let (recording, open) = self.recorded(id)?;
        if at_most.is_some_and(|at_most| !(Millis(1)..=SECURE_PAUSE_MAX).contains(&at_most)) {
            let problem = format!("must be from 1 ms to {} s", SECURE_PAUSE_MAX.0 / 1_000);
            return Err(Refusal::Invalid { field: "at_most".to_owned(), problem });
        }
        if secure && self.world.conversations.get(&id).is_none_or(|found| found.talk.is_none()) {
            return Err(wrong_state("there is no talk that a secure pause could end with; pause without it"));
        }
        if open.pause.as_ref().is_some_and(|pause| pause.reason == PauseReason::Secure || !secure) {
            return Err(wrong_state("the recording is paused already; resume it first to begin another pause"));
        }
        if open.gaps.len() + 1 >= RECORDING_GAPS {
            return Err(Refusal::Full { what: "pauses of one recording; stop it instead".to_owned(), limit: RECORDING_GAPS as u64 });
        }
        let (line, was_paused) = (open.line, open.pause.as_ref().map(|pause| (pause.from, pause.reason)));
        // A pause that turns into a secure one leaves two gaps, one after the other.
        if let Some((from, reason)) = was_paused {
            self.emit(Event::RecordingResumed { conversation: id, recording, by: by.clone(), from, reason });
        }
        let reason = if secure { PauseReason::Secure } else { PauseReason::Choice };
        let until = match (secure, at_most) {
            (true, at_most) => Some(self.now + at_most.unwrap_or(SECURE_PAUSE)),
            (false, at_most) => at_most.map(|at_most| self.now + at_most),
        };
        self.begin_pause(id, recording, line, by, reason, until);
        Ok(())
    }

    fn begin_pause(
        &mut self,
        id: ConversationId,
        recording: RecordingId,
        line: Line,
        by: Actor,
        reason: PauseReason,
        until: Option<Timestamp>,
    ) {
        self.emit(Event::RecordingPaused { conversation: id, recording, by, reason, until });
        self.settle_pauses(id, recording);
        self.act(Action::PauseRecording { conversation: id, recording, line });
    }

    /// The customer has come to a node of a flow: what is typed privately is not recorded.
    pub(super) fn mind_recording(&mut self, id: ConversationId) {
        if !self.world.types_privately(id) {
            self.end_secure_pause(id);
            return;
        }
        let Ok((recording, open)) = self.recorded(id) else { return };
        // Whatever somebody chose not to have recorded goes on like that.
        if open.pause.is_none() {
            self.pause_privately(id, recording);
        }
    }

    fn pause_privately(&mut self, id: ConversationId, recording: RecordingId) {
        let Some(open) = self.world.recordings.get(&recording) else { return };
        if open.gaps.len() + 1 >= RECORDING_GAPS {
            self.stop_recording(id);
            return;
        }
        let line = open.line;
        // The flow ends first.
        let until = self.run(id).map(|run| run.ends_at + Millis(1));
        self.begin_pause(id, recording, line, Actor::System, PauseReason::Secure, until);
    }

    pub(super) fn resume_recording(&mut self, by: Actor, id: ConversationId) -> Result<(), Refusal> {
        let (recording, open) = self.recorded(id)?;
        if open.pause.is_none() {
            return Err(wrong_state("the recording is not paused"));
        }
        if self.world.types_privately(id) {
            return Err(wrong_state("the customer types something private, which is not recorded; resume it afterwards"));
        }
        self.end_pause(recording, by);
        Ok(())
    }

    /// The time of a pause is over.
    pub(super) fn pause_over(&mut self, recording: RecordingId) {
        let Some(open) = self.world.recordings.get(&recording) else { return };
        let (id, Some(pause)) = (open.conversation, open.pause.clone()) else { return };
        if pause.reason == PauseReason::Choice && self.world.types_privately(id) {
            let over = Event::RecordingResumed { conversation: id, recording, by: Actor::System, from: pause.from, reason: pause.reason };
            self.emit(over);
            self.pause_privately(id, recording);
            return;
        }
        self.end_pause(recording, Actor::System);
    }

    /// A secure pause does not outlive the talk for which it was begun.
    pub(super) fn end_secure_pause(&mut self, id: ConversationId) {
        if let Ok((recording, open)) = self.recorded(id)
            && open.pause.as_ref().is_some_and(|pause| pause.reason == PauseReason::Secure)
        {
            self.end_pause(recording, Actor::System);
        }
    }

    fn end_pause(&mut self, recording: RecordingId, by: Actor) {
        let Some(open) = self.world.recordings.get(&recording) else { return };
        let (id, line, Some(pause)) = (open.conversation, open.line, open.pause.clone()) else { return };
        self.emit(Event::RecordingResumed { conversation: id, recording, by, from: pause.from, reason: pause.reason });
        self.settle_pauses(id, recording);
        self.act(Action::ResumeRecording { conversation: id, recording, line });
    }

    /// Nothing shows that the recording does what it should: it ends, so that it holds nothing it must not hold.
    pub(super) fn pause_failed(&mut self, id: ConversationId, recording: RecordingId, why: &str) {
        let current = self.world.conversations.get(&id).is_some_and(|found| found.recording == Some(recording));
        if !current {
            return;
        }
        let problem = format!("the line could not pause or resume ({why}); the recording was stopped, start a new one if it is needed");
        self.emit(Event::RecordingPauseFailed { conversation: id, recording, problem });
        self.stop_recording(id);
    }

    fn settle_pauses(&mut self, id: ConversationId, recording: RecordingId) {
        let about = |action: &Action| matches!(action, Action::PauseRecording { recording: other, .. } | Action::ResumeRecording { recording: other, .. } if *other == recording);
        self.settle_where(id, about);
    }

    /// The running recording of a conversation.
    fn recorded(&self, id: ConversationId) -> Result<(RecordingId, &OpenRecording), Refusal> {
        let recording = self.world.conversations.get(&id).and_then(|found| found.recording);
        let open = recording.and_then(|recording| Some((recording, self.world.recordings.get(&recording)?)));
        open.ok_or_else(|| wrong_state("the conversation is not being recorded"))
    }
}
