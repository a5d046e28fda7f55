//! Into a queue.

use super::Engine;
use crate::{
    conversation::{SegmentKind, Termination, TerminationReason, TerminationResult},
    ids::{ConversationId, QueueId, VisitId},
    limits::{PRIORITY_MAX, VISITS_PER_CONVERSATION},
    output::Event,
    queue::RecordingPolicy,
    routing::normalize,
};

impl Engine {
    /// Begins a visit; the customer comes from a place where nothing is open any more. `priority` overrides the queue's.
    pub(super) fn enqueue(&mut self, id: ConversationId, queue: QueueId, priority: Option<u8>) {
        let (Some(found), Some(state)) = (self.world.conversations.get(&id), self.world.queues.get(&queue)) else { return };
        if found.visits >= VISITS_PER_CONVERSATION {
            let termination = Termination { result: TerminationResult::Us, reason: TerminationReason::Full };
            self.end_conversation(id, termination);
            return;
        }
        let priority = priority.unwrap_or(state.settings.priority).min(PRIORITY_MAX);
        let music = state.settings.hold_music.clone();
        let policy = state.settings.recording;
        let skills = normalize(&found.skills);
        let visit = VisitId(self.mint());
        self.close_segment(id, Some(SegmentKind::Queue));
        self.emit(Event::VisitStarted { visit, conversation: id, queue, priority, skills, enqueued_at: self.now });
        match policy {
            RecordingPolicy::Off => self.stop_recording(id),
            RecordingPolicy::FromAnswer => self.record_right(id, None),
            RecordingPolicy::FromQueue => self.ensure_recording(id, None),
        }
        self.play_to_customer(id, music);
    }

    /// Brings a customer back whose agent or transfer got lost: to the front of the last queue, or, when there is none,
    /// to the end.
    pub(super) fn return_to_queue(&mut self, id: ConversationId, otherwise: Termination) {
        let queue = self.world.conversations.get(&id).and_then(|found| found.last_queue);
        match queue.filter(|queue| self.world.queues.contains_key(queue)) {
            Some(queue) => self.enqueue(id, queue, Some(PRIORITY_MAX)),
            None => self.end_conversation(id, otherwise),
        }
    }
}
