//! Offers: an agent's telephone rings until the agent takes the conversation, or the offer ends otherwise.

use super::Engine;
use crate::{
    agent::{Availability, NotReadyReason, Occupation},
    conversation::{CauseKind, Direction, Purpose, Role, Termination, TerminationReason, TerminationResult},
    ids::{AgentId, ConversationId, LegId, OfferId},
    limits::{RING_MARGIN, TRANSFER_RING},
    output::{Action, Event, HangUpReason},
    queue::{Outcome, Turn},
    routing::OfferOutcome,
    time::Millis,
};

impl Engine {
    /// Offers a waiting visit to an agent.
    pub(super) fn offer_visit(&mut self, turn: Turn, agent: AgentId) {
        let Some(found) = self.world.conversations.get(&turn.conversation) else { return };
        let Some(visit) = &found.visit else { return };
        let ring = self.world.queues.get(&visit.queue).map_or(TRANSFER_RING, |queue| queue.settings.ring);
        self.make_offer(turn.conversation, agent, ring, Purpose::Serve);
    }

    /// Offers a conversation to an agent without a queue: a direct call, or a transfer.
    pub(super) fn offer_directly(&mut self, conversation: ConversationId, agent: AgentId) {
        self.make_offer(conversation, agent, TRANSFER_RING, Purpose::Serve);
    }

    pub(super) fn make_offer(&mut self, conversation: ConversationId, agent: AgentId, ring: Millis, purpose: Purpose) {
        let (Some(found), Some(state)) = (self.world.conversations.get(&conversation), self.world.agents.get(&agent)) else { return };
        let (visit, queue) = (found.visit.as_ref().map(|visit| visit.id), found.visit.as_ref().map(|visit| visit.queue));
        let caller = found.caller.clone();
        let (line, endpoint) = (state.settings.line, state.settings.endpoint.clone());
        let (from, since) = (state.occupation, state.occupation_since);
        let offer = OfferId(self.mint());
        let leg = LegId(self.mint());
        let rings_until = self.now + ring;
        self.emit(Event::OfferMade { offer, visit, conversation, queue, agent, leg, rings_until, purpose });
        let role = Role::Agent(agent);
        self.emit(Event::LegAdded { conversation, leg, role, line, direction: Direction::Outbound, endpoint: endpoint.clone() });
        let occupation = Occupation::Offered { offer, conversation };
        self.emit(Event::OccupationChanged { agent, occupation, from, since });
        self.act(Action::Dial { conversation, leg, line, to: endpoint, caller, ring_limit: ring + RING_MARGIN });
    }

    /// The agent's leg has audio: the agent took it.
    pub(super) fn offer_accepted(&mut self, id: ConversationId) {
        let Some(found) = self.world.conversations.get(&id) else { return };
        let Some(offer) = found.offer.clone() else { return };
        let visit_of = found.visit.as_ref().map(|visit| visit.queue);
        self.emit(Event::OfferEnded {
            offer: offer.id,
            conversation: id,
            queue: offer.queue,
            agent: offer.agent,
            made_at: offer.made_at,
            outcome: OfferOutcome::Accepted,
        });
        match offer.purpose {
            Purpose::Serve => self.start_talk(id, offer.leg, Some(offer.agent), visit_of),
            Purpose::Consult => self.consult_answered(id, Some(offer.agent), offer.leg),
        }
    }

    /// Ends the offer without its being accepted, if there is one. `hang_up` is `None` when the leg has ended already.
    ///
    /// Returns the agent it was made to. The agent is idle again; one who missed or refused it is not ready any more.
    pub(super) fn end_offer(&mut self, id: ConversationId, outcome: OfferOutcome, hang_up: Option<HangUpReason>) -> Option<AgentId> {
        let offer = self.world.conversations.get(&id)?.offer.clone()?;
        self.emit(Event::OfferEnded {
            offer: offer.id,
            conversation: id,
            queue: offer.queue,
            agent: offer.agent,
            made_at: offer.made_at,
            outcome,
        });
        if let Some(reason) = hang_up {
            self.hang_up(offer.leg, reason);
        }
        let missed = match outcome {
            OfferOutcome::Accepted | OfferOutcome::Withdrawn => None,
            OfferOutcome::NoAnswer => Some(NotReadyReason::NoAnswer),
            OfferOutcome::Declined => Some(NotReadyReason::Declined),
            OfferOutcome::Busy => Some(NotReadyReason::Busy),
            OfferOutcome::Unreachable => Some(NotReadyReason::Unreachable),
        };
        self.agent_missed(offer.agent, missed.map(Availability::not_ready));
        self.become_idle(offer.agent);
        Some(offer.agent)
    }

    /// The offer failed by the agent or the agent's telephone: on to the next agent, or back from a transfer.
    pub(super) fn offer_failed(&mut self, id: ConversationId, outcome: OfferOutcome, hang_up: Option<HangUpReason>) {
        let purpose = self.world.conversations.get(&id).and_then(|found| found.offer.as_ref()).map(|offer| offer.purpose);
        if self.end_offer(id, outcome, hang_up).is_none() {
            return;
        }
        if purpose == Some(Purpose::Consult) {
            self.consult_offer_failed(id, outcome);
            return;
        }
        let Some(found) = self.world.conversations.get(&id) else { return };
        if found.visit.is_some() {
            // It keeps its place, and the routing after this input takes it on.
            return;
        }
        let (words, reason) = match outcome {
            OfferOutcome::NoAnswer => ("the agent did not answer", TerminationReason::NoAnswer),
            OfferOutcome::Declined => ("the agent declined", TerminationReason::Declined),
            OfferOutcome::Busy => ("the agent's telephone was busy", TerminationReason::Busy),
            OfferOutcome::Unreachable => ("the agent's telephone could not be reached", TerminationReason::Unreachable),
            OfferOutcome::Accepted | OfferOutcome::Withdrawn => ("the offer was taken back", TerminationReason::Withdrawn),
        };
        let termination = Termination { result: TerminationResult::Agent, reason };
        if found.transfer.is_some() {
            self.transfer_failed(id, words, termination);
        } else {
            self.return_to_queue(id, termination);
        }
    }

    /// An agent's leg ended before it had audio.
    pub(super) fn offered_leg_ended(&mut self, id: ConversationId, cause: CauseKind) {
        let outcome = match cause {
            CauseKind::FarEnd | CauseKind::Declined => OfferOutcome::Declined,
            CauseKind::Busy => OfferOutcome::Busy,
            CauseKind::NoAnswer => OfferOutcome::NoAnswer,
            CauseKind::Ours
            | CauseKind::Unreachable
            | CauseKind::Refused
            | CauseKind::Timeout
            | CauseKind::Network
            | CauseKind::MediaLost
            | CauseKind::Failure => OfferOutcome::Unreachable,
        };
        self.offer_failed(id, outcome, None);
    }

    /// The visit's outcome and the transfer's success, once the agent has the customer.
    pub(super) fn close_what_led_here(&mut self, id: ConversationId, agent: Option<AgentId>) {
        self.end_visit(id, Outcome::Answered, agent);
        self.end_transfer(id, None);
    }
}
