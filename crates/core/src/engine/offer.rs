//! Offers: an agent's telephone rings until the agent takes the conversation, or the offer ends otherwise.

use super::Engine;
use crate::{
    agent::{Availability, NotReadyReason, Occupation},
    conversation::{CauseKind, Conversation, Direction, Offer, Purpose, Role, Termination, TerminationReason, TerminationResult},
    ids::{AgentId, ConversationId, LegId, OfferId},
    limits::{CONFIRM, LEGS_PER_CONVERSATION, RING_ALL_AGENTS, RING_MARGIN, RING_MAX, TRANSFER_RING},
    output::{Action, Event, HangUpReason},
    queue::{Outcome, Turn},
    routing::OfferOutcome,
    time::Millis,
    world::Timer,
};

impl Engine {
    /// Offers a waiting visit to whom the queue's strategy chooses, if there is anybody.
    pub(super) fn offer_to_best(&mut self, turn: Turn) {
        let Some(found) = self.world.conversations.get(&turn.conversation) else { return self.offer_in_writing(turn) };
        let room = LEGS_PER_CONVERSATION.saturating_sub(found.legs.len()).min(RING_ALL_AGENTS);
        let Some(choice) = self.index.decide(&self.world, &turn, room, self.now) else { return };
        let agents = choice.decision.chosen.clone();
        let (conversation, visit, queue) = (turn.conversation, choice.visit, choice.queue);
        self.emit(Event::Decided { conversation, visit, queue, decision: choice.decision });
        for agent in agents {
            self.offer_visit(turn, agent);
        }
    }

    fn offer_visit(&mut self, turn: Turn, agent: AgentId) {
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

    /// The agent's leg has audio: the agent took it, or is asked whether it was the agent who answered.
    pub(super) fn offer_answered(&mut self, id: ConversationId, leg: LegId) {
        let Some(offer) = self.world.conversations.get(&id).and_then(|found| found.offer_over(leg)) else { return };
        let (offer, agent, latest) = (offer.id, offer.agent, offer.made_at + RING_MAX + CONFIRM);
        let Some(prompt) = self.world.agents.get(&agent).and_then(|agent| agent.settings.confirm.clone()) else {
            return self.offer_accepted(id, leg);
        };
        let rings_until = self.world.timers.due(Timer::Ring(id)).unwrap_or(self.now).max(self.now + CONFIRM).min(latest);
        self.emit(Event::OfferAnswered { offer, conversation: id, agent, leg, rings_until });
        if let Some(line) = self.world.leg(leg).map(|leg| leg.line) {
            self.let_hear(Action::Play { conversation: id, leg, line, prompt, repeat: true });
        }
    }

    /// Whoever answered pressed a key; only `1` takes the conversation, which no mailbox presses.
    pub(super) fn key_in_offer(&mut self, id: ConversationId, leg: LegId, digit: char) {
        let answered = |found: &Conversation| found.offer_over(leg).is_some_and(|offer| offer.answered_at.is_some());
        if digit == '1' && self.world.conversations.get(&id).is_some_and(answered) {
            self.offer_accepted(id, leg);
        }
    }

    /// The agent has the conversation. Whoever else it rang for need not any more.
    pub(super) fn offer_accepted(&mut self, id: ConversationId, leg: LegId) {
        self.measure_wait(id, leg);
        let Some(found) = self.world.conversations.get(&id) else { return };
        let Some(offer) = found.offer_over(leg).cloned() else { return };
        let visit_of = found.visit.as_ref().map(|visit| visit.queue);
        let others: Vec<Offer> = found.offers().filter(|other| other.id != offer.id).cloned().collect();
        self.write_offer_end(id, &offer, OfferOutcome::Accepted);
        for other in others {
            self.end_one_offer(id, &other, OfferOutcome::Withdrawn, Some(HangUpReason::AnsweredElsewhere));
        }
        match offer.purpose {
            Purpose::Serve | Purpose::Pull if self.calls_back(id) => self.call_customer(id, offer.leg, offer.agent, visit_of),
            Purpose::Serve | Purpose::Pull => self.start_talk(id, offer.leg, Some(offer.agent), visit_of),
            Purpose::Consult => self.consult_answered(id, Some(offer.agent), offer.leg),
        }
    }

    fn write_offer_end(&mut self, id: ConversationId, offer: &Offer, outcome: OfferOutcome) {
        self.emit(Event::OfferEnded {
            offer: offer.id,
            conversation: id,
            queue: offer.queue,
            agent: offer.agent,
            made_at: offer.made_at,
            outcome,
        });
    }

    /// Ends every offer of a conversation without its being accepted. `hang_up` is `None` when the leg has ended already.
    ///
    /// Returns whether there was one. The agents are idle again; what comes of having missed or refused it says the queue.
    pub(super) fn end_offer(&mut self, id: ConversationId, outcome: OfferOutcome, hang_up: Option<HangUpReason>) -> bool {
        let offers: Vec<Offer> = self.world.conversations.get(&id).into_iter().flat_map(|found| found.offers()).cloned().collect();
        for offer in &offers {
            self.end_one_offer(id, offer, outcome, hang_up);
        }
        !offers.is_empty()
    }

    fn end_one_offer(&mut self, id: ConversationId, offer: &Offer, outcome: OfferOutcome, hang_up: Option<HangUpReason>) {
        self.write_offer_end(id, offer, outcome);
        if let Some(reason) = hang_up {
            self.hang_up(offer.leg, reason);
        }
        // Who was not ready stays so for the reason already given.
        let ready = self.world.agents.get(&offer.agent).is_some_and(|agent| agent.availability == Availability::Ready);
        let missed = match outcome {
            _ if !ready => None,
            OfferOutcome::Accepted | OfferOutcome::Withdrawn => None,
            OfferOutcome::NoAnswer => Some(NotReadyReason::NoAnswer),
            OfferOutcome::Declined => Some(NotReadyReason::Declined),
            OfferOutcome::Busy => Some(NotReadyReason::Busy),
            OfferOutcome::Unreachable => Some(NotReadyReason::Unreachable),
        };
        match missed {
            Some(reason) => self.offer_missed(id, offer.queue, offer.agent, reason),
            None => self.agent_missed(offer.agent, None),
        }
        self.become_idle(offer.agent);
    }

    /// One agent, or that one's telephone, does not take it. It rings on where it also rings; else it goes on to the next
    /// agent, or back from a transfer.
    pub(super) fn one_offer_failed(&mut self, id: ConversationId, leg: LegId, outcome: OfferOutcome, hang_up: Option<HangUpReason>) {
        let Some(found) = self.world.conversations.get(&id) else { return };
        let Some(offer) = found.offer_over(leg).cloned() else { return };
        if found.also.is_empty() {
            self.offer_failed(id, outcome, hang_up);
        } else {
            self.end_one_offer(id, &offer, outcome, hang_up);
        }
    }

    /// Nobody to whom it was offered takes it: on to the next agent, or back from a transfer.
    pub(super) fn offer_failed(&mut self, id: ConversationId, outcome: OfferOutcome, hang_up: Option<HangUpReason>) {
        let purpose = self.world.conversations.get(&id).and_then(|found| found.offer.as_ref()).map(|offer| offer.purpose);
        if !self.end_offer(id, outcome, hang_up) {
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
    pub(super) fn offered_leg_ended(&mut self, id: ConversationId, leg: LegId, cause: CauseKind) {
        let offer = self.world.conversations.get(&id).and_then(|found| found.offer_over(leg));
        let unconfirmed = offer.is_some_and(|offer| offer.answered_at.is_some());
        let outcome = match cause {
            // A mailbox that heard no voice, or somebody who did not want it.
            CauseKind::FarEnd if unconfirmed => OfferOutcome::NoAnswer,
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
        self.one_offer_failed(id, leg, outcome, None);
    }

    /// The visit's outcome and the transfer's success, once the agent has the customer.
    pub(super) fn close_what_led_here(&mut self, id: ConversationId, agent: Option<AgentId>) {
        self.end_visit(id, Outcome::Answered, agent);
        self.end_transfer(id, None);
    }
}
