//! Ends: of segments, of everything that is open in a conversation, of the conversation itself.
//!
//! A conversation ends in one of two ways. Either the customer has left: [`Engine::settle_conversation`]. Or we end it:
//! [`Engine::end_conversation`] tells the customer's leg to hang up, and its end (or the deadline for it) settles.

use super::{Engine, talk::AfterTalk};
use crate::{
    conversation::{Cause, ConsultOutcome, MemberEnd, Role, SegmentKind, Termination, leg_termination},
    flow::FlowEnd,
    ids::{ConversationId, LegId},
    input::Actor,
    output::{Event, HangUpReason},
    queue::Outcome,
    routing::OfferOutcome,
};

/// How what is open gets closed when a conversation ends.
#[derive(Clone, Copy, Debug)]
pub(super) struct Closing {
    /// A stay in a queue counts as this.
    pub(super) visit: Outcome,
    /// Words for a transfer under way.
    pub(super) transfer: &'static str,
    /// What an agent who was talking does next.
    pub(super) agent: AfterTalk,
}

impl Engine {
    /// Closes the open segment and opens the next one at the same instant.
    pub(super) fn close_segment(&mut self, id: ConversationId, next: Option<SegmentKind>) {
        let Some(found) = self.world.conversations.get(&id) else { return };
        let Some(segment) = found.segment else { return };
        self.emit(Event::SegmentClosed {
            conversation: id,
            kind: segment.kind,
            from: segment.from,
            to: self.now,
            queue: segment.queue,
            agent: segment.agent,
            next,
        });
    }

    /// Writes down that a leg is over, and drops what was wished for it.
    pub(super) fn write_leg_end(&mut self, id: LegId, termination: Termination, cause: Option<Cause>, given_up: bool) {
        let Some(conversation) = self.world.conversation_of(id).map(|found| found.id) else { return };
        self.settle_leg(conversation, id);
        let Some(leg) = self.world.leg(id) else { return };
        self.emit(Event::LegEnded {
            conversation,
            leg: id,
            role: leg.role,
            line: leg.line,
            started_at: leg.started_at,
            connected_at: leg.connected_at,
            termination,
            cause,
            given_up,
        });
    }

    /// How this leg's end is classified if it comes now with this cause.
    pub(super) fn classify(&self, id: LegId, cause: &Cause) -> Option<Termination> {
        let found = self.world.conversation_of(id)?;
        let leg = found.leg(id)?;
        match found.ending {
            // The customer's leg ends as the conversation does.
            Some(termination) if leg.role == Role::Customer => Some(termination),
            // Who is asked how the talk was has talked, and may leave at any time.
            _ if found.surveyed => Some(leg_termination(leg, Some(SegmentKind::Talk), cause)),
            _ => Some(leg_termination(leg, found.place(), cause)),
        }
    }

    /// Closes visit, offer, talk, transfer and flow, and tells every leg but the customer's to end.
    pub(super) fn close_all(&mut self, id: ConversationId, closing: Closing) {
        let Some(found) = self.world.conversations.get(&id) else { return };
        // A telephone that still rings may say that the caller is gone instead of ringing off without a word.
        let legs = if found.talk.is_some() { HangUpReason::Normal } else { HangUpReason::CallerGone };
        // Before the talk ends, so that a pause lasts to the end of what is recorded.
        self.stop_recording(id);
        self.end_offer(id, OfferOutcome::Withdrawn, Some(legs));
        self.end_visit(id, closing.visit, None);
        self.end_consult(id, ConsultOutcome::ConversationEnded, Some(legs), Actor::System);
        self.end_members(id, MemberEnd::TalkEnded, legs, None);
        self.end_talk(id, Some(legs), closing.agent);
        self.end_transfer(id, Some(closing.transfer));
        self.close_message(id);
        self.leave_flow(id, FlowEnd::Ended);
        self.free_calling_agent(id);
        let Some(found) = self.world.conversations.get(&id) else { return };
        let others: Vec<LegId> = found.legs.iter().filter(|leg| Some(leg.id) != found.customer).map(|leg| leg.id).collect();
        for leg in others {
            self.hang_up(leg, legs);
        }
    }

    /// We end it; visit, offer, talk and transfer are closed already.
    pub(super) fn end_conversation(&mut self, id: ConversationId, termination: Termination) {
        let Some(found) = self.world.conversations.get(&id) else { return };
        if found.is_over() || found.ending.is_some() {
            return;
        }
        let customer = found.customer;
        self.close_message(id);
        self.leave_flow(id, FlowEnd::Ended);
        self.emit(Event::ConversationEnding { conversation: id, termination });
        self.stop_recording(id);
        match customer {
            Some(leg) => {
                self.close_segment(id, Some(SegmentKind::Ending));
                self.hang_up(leg, HangUpReason::Normal);
            }
            None => self.settle_conversation(id, termination),
        }
    }

    /// The customer has left; visit, offer, talk and transfer are closed already.
    pub(super) fn settle_conversation(&mut self, id: ConversationId, termination: Termination) {
        let Some(found) = self.world.conversations.get(&id) else { return };
        if found.is_over() {
            return;
        }
        let (started_at, termination) = (found.started_at, found.ending.unwrap_or(termination));
        let callback = found.callback;
        self.stop_recording(id);
        self.close_segment(id, None);
        self.emit(Event::ConversationEnded { conversation: id, started_at, termination });
        if let Some(callback) = callback {
            self.callback_attempt_over(callback, id, termination);
        }
    }

    /// Ends the stay in the queue, if there is one.
    pub(super) fn end_visit(&mut self, id: ConversationId, outcome: Outcome, agent: Option<crate::ids::AgentId>) {
        let Some(visit) = self.world.conversations.get(&id).and_then(|found| found.visit.clone()) else { return };
        self.emit(Event::VisitEnded {
            visit: visit.id,
            conversation: id,
            queue: visit.queue,
            enqueued_at: visit.enqueued_at,
            outcome,
            wait: self.now.since(visit.enqueued_at),
            agent,
        });
    }

    /// Ends the hand-over, if there is one; `failure` is `None` when the target has the customer.
    pub(super) fn end_transfer(&mut self, id: ConversationId, failure: Option<&str>) {
        let Some(transfer) = self.world.conversations.get(&id).and_then(|found| found.transfer.clone()) else { return };
        self.emit(Event::TransferEnded { conversation: id, to: transfer.to, failure: failure.map(str::to_owned) });
    }
}
