//! Customer and another party hear each other: how that begins, and what follows when it ends.

use super::Engine;
use crate::{
    conversation::{SegmentKind, SupervisionOutcome, Termination, TerminationReason, TerminationResult},
    ids::{AgentId, ConversationId, LegId, QueueId},
    output::{Action, Event, HangUpReason},
    queue::RecordingPolicy,
};

/// What an agent does after a talk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum AfterTalk {
    /// Wrap-up, as the queue allows.
    WrapUp,
    /// Nothing: the talk was cut off by a restart of ours.
    Nothing,
}

/// How the other party was lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Loss {
    /// The connection broke, or audio stopped.
    Network,
    /// Something of ours failed.
    Failure,
    /// Our process was restarted.
    Restart,
}

impl Engine {
    /// Lets customer and `leg` hear each other.
    pub(super) fn start_talk(&mut self, id: ConversationId, leg: LegId, agent: Option<AgentId>, queue: Option<QueueId>) {
        let Some((customer, line)) = self.customer(id) else { return };
        self.flow_has_led(id, agent);
        // The segment that ends belonged to the queue and, with the offer, to the agent.
        self.close_segment(id, Some(SegmentKind::Talk));
        self.close_what_led_here(id, agent);
        let policy = queue.and_then(|queue| self.world.queues.get(&queue)).map(|queue| queue.settings.recording);
        match policy {
            Some(RecordingPolicy::FromAnswer | RecordingPolicy::FromQueue) => self.ensure_recording(id, Some(leg)),
            Some(RecordingPolicy::Off) | None => self.record_right(id, Some(leg)),
        }
        self.emit(Event::TalkStarted { conversation: id, queue, agent, leg });
        if agent.is_some() {
            self.forget_callbacks_of(id);
        }
        if let Some(agent) = agent {
            self.become_talking(agent, id);
        }
        self.let_hear(Action::Bridge { conversation: id, a: customer, b: leg, line });
    }

    /// Ends the talk, if there is one. `hang_up` is what the other party's telephone is told.
    pub(super) fn end_talk(&mut self, id: ConversationId, hang_up: Option<HangUpReason>, after: AfterTalk) {
        let Some(talk) = self.world.conversations.get(&id).and_then(|found| found.talk.clone()) else { return };
        self.end_secure_pause(id);
        self.end_supervisions(id, SupervisionOutcome::TalkEnded, None);
        if talk.held_since.is_some() {
            self.emit(Event::HoldEnded { conversation: id });
        }
        let (time, hold) = talk.durations(self.now);
        self.emit(Event::TalkEnded { conversation: id, queue: talk.queue, agent: talk.agent, leg: talk.leg, talk: time, hold });
        if let Some(reason) = hang_up {
            self.hang_up(talk.leg, reason);
        }
        if let Some(agent) = talk.agent {
            self.after_talk(agent, id, talk.queue, after);
        }
    }

    /// The other party hung up: the conversation is over for the customer too.
    pub(super) fn partner_left(&mut self, id: ConversationId, termination: Termination) {
        if self.agent_lost_in_consult(id, None, termination) {
            return;
        }
        if self.continue_without_partner(id, AfterTalk::WrapUp) || self.survey_after_talk(id, None) {
            return;
        }
        self.stop_recording(id);
        self.end_talk(id, None, AfterTalk::WrapUp);
        self.end_conversation(id, termination);
    }

    /// The other party got lost without wanting to: the customer of an agent waits again, first in the queue.
    pub(super) fn partner_lost(&mut self, id: ConversationId, loss: Loss) {
        let (result, reason) = match loss {
            Loss::Network => (TerminationResult::Upstream, TerminationReason::NetworkFailure),
            Loss::Failure => (TerminationResult::Us, TerminationReason::Failure),
            Loss::Restart => (TerminationResult::Us, TerminationReason::Restarted),
        };
        let termination = Termination { result, reason };
        if self.agent_lost_in_consult(id, Some(loss), termination) {
            return;
        }
        let of_agent = self.world.conversations.get(&id).and_then(|found| found.talk.as_ref()).is_some_and(|talk| talk.agent.is_some());
        let after = if loss == Loss::Restart { AfterTalk::Nothing } else { AfterTalk::WrapUp };
        if self.continue_without_partner(id, after) {
            return;
        }
        if !of_agent {
            self.stop_recording(id);
        }
        self.end_talk(id, None, after);
        if of_agent {
            self.return_to_queue(id, termination);
        } else {
            self.end_conversation(id, termination);
        }
    }
}
