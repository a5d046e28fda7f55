//! Consult: the agent of a talk asks somebody while the customer is on hold; then hands over, or comes back.
//!
//! The customer is never left alone by it. Whatever becomes of the target, the agent has the customer again; whatever becomes
//! of the agent, the customer has the target, or is first in the queue.
//!
//! A consulted queue stands for one of its agents: the one idle longest at that moment, who is made an offer like any other. The
//! customer gets no visit of that queue by it, so that no figure of the queue counts a question as a customer. When nobody is
//! free the consult waits for up to [`CONSULT_WAIT`], behind the customers who wait there.

use super::{
    Engine,
    agent::wrong_state,
    talk::{AfterTalk, Loss},
};
use crate::{
    conversation::{CauseKind, Consult, ConsultOutcome, Conversation, Facing, Purpose, SegmentKind, Termination},
    ids::{AgentId, ConversationId, LegId, QueueId},
    input::{Actor, TransferTarget},
    limits::{CONSULT_WAIT, TRANSFER_RING},
    output::{Action, Event, HangUpReason, Prompt},
    queue::ConsultDrop,
    refusal::Refusal,
    routing::OfferOutcome,
};

impl Engine {
    /// The conversation's agent asks `to`, which is checked.
    pub(super) fn consult(&mut self, by: Actor, id: ConversationId, to: TransferTarget) -> Result<(), Refusal> {
        let agent = self.check_consult(id, &to)?;
        self.emit(Event::ConsultStarted { conversation: id, agent, by: by.clone(), to: to.clone() });
        if self.place(id) == Some(SegmentKind::Talk) {
            self.hold_customer(by, id);
        }
        self.record_talk(id);
        self.become_consulting(agent, id);
        let outside = to.as_endpoint();
        match to {
            TransferTarget::Agent(target) => {
                self.let_agent_hear(id, Prompt::Ringback);
                self.make_offer(id, target, TRANSFER_RING, Purpose::Consult);
            }
            TransferTarget::Number(_) | TransferTarget::Person(_) => {
                let Some(endpoint) = outside else { return Ok(()) };
                self.let_agent_hear(id, Prompt::Ringback);
                let leg = self.dial_outside(id, endpoint);
                self.emit(Event::ConsultCalled { conversation: id, leg });
            }
            // Rings as soon as somebody is free: at the end of this input, or later.
            TransferTarget::Queue(queue) => {
                debug_assert!(self.world.queues.contains_key(&queue), "it was checked");
                let music = self.last_queue_music(id);
                self.let_agent_hear(id, music);
            }
        }
        Ok(())
    }

    fn check_consult(&self, id: ConversationId, to: &TransferTarget) -> Result<AgentId, Refusal> {
        let Some(found) = self.world.conversations.get(&id) else { return Err(wrong_state("the conversation is over")) };
        if found.consult.is_some() {
            return Err(wrong_state("a consult is under way already; complete or cancel it first"));
        }
        let Some(talk) = &found.talk else { return Err(wrong_state("there is no talk in which somebody could be consulted")) };
        let Some(agent) = talk.agent else {
            return Err(wrong_state("no agent of yours is in this talk; only agents can consult"));
        };
        if found.leg(talk.leg).is_some_and(|leg| leg.held) {
            return Err(wrong_state("the telephone itself holds the call; take it back there first"));
        }
        self.check_target(found, to)?;
        Ok(agent)
    }

    /// Makes offers for consults of queues in which somebody is free now. Customers who wait have been served before.
    pub(super) fn route_consults(&mut self) {
        let waiting: Vec<(ConversationId, QueueId)> = self
            .world
            .queue_consults
            .iter()
            .filter_map(|id| self.world.conversations.get(id))
            .filter_map(|found| Some((found.id, found.consulted_queue()?)))
            .collect();
        for (id, queue) in waiting {
            if let Some(agent) = self.index.best_of_queue(&self.world, queue) {
                let ring = self.world.queues.get(&queue).map_or(TRANSFER_RING, |queue| queue.settings.ring);
                self.let_agent_hear(id, Prompt::Ringback);
                self.make_offer(id, agent, ring, Purpose::Consult);
                self.rehear(id);
            }
        }
    }

    /// The target is there.
    pub(super) fn consult_answered(&mut self, id: ConversationId, target: Option<AgentId>, leg: LegId) {
        let Some((own, line)) = self.agent_leg(id) else { return };
        self.emit(Event::ConsultAnswered { conversation: id, agent: target, leg });
        if let Some(target) = target {
            self.become_consulting(target, id);
        }
        self.let_hear(Action::Bridge { conversation: id, a: own, b: leg, line });
    }

    /// The agent to whom the consult was offered does not take it. A queue has others, as long as there is time.
    pub(super) fn consult_offer_failed(&mut self, id: ConversationId, outcome: OfferOutcome) {
        let Some(consult) = self.world.conversations.get(&id).and_then(|found| found.consult.as_ref()) else { return };
        if matches!(consult.to, TransferTarget::Queue(_)) && self.now < consult.started_at + CONSULT_WAIT {
            let music = self.last_queue_music(id);
            self.let_agent_hear(id, music);
            return;
        }
        let outcome = match outcome {
            OfferOutcome::Declined => ConsultOutcome::Declined,
            OfferOutcome::NoAnswer => ConsultOutcome::NoAnswer,
            OfferOutcome::Busy => ConsultOutcome::Busy,
            OfferOutcome::Unreachable => ConsultOutcome::Unreachable,
            OfferOutcome::Accepted | OfferOutcome::Withdrawn => ConsultOutcome::Failure,
        };
        self.consult_failed(id, outcome, None);
    }

    /// The party outside that was consulted cannot be had or is gone; its leg is over.
    pub(super) fn consulted_leg_ended(&mut self, id: ConversationId, kind: CauseKind) {
        let answered =
            self.world.conversations.get(&id).and_then(|found| found.consult.as_ref()).is_some_and(|consult| consult.answered_at.is_some());
        let outcome = match kind {
            _ if answered => ConsultOutcome::TargetLeft,
            CauseKind::FarEnd | CauseKind::Declined => ConsultOutcome::Declined,
            CauseKind::Busy => ConsultOutcome::Busy,
            CauseKind::NoAnswer => ConsultOutcome::NoAnswer,
            CauseKind::Unreachable | CauseKind::Refused | CauseKind::Timeout | CauseKind::Network | CauseKind::MediaLost => {
                ConsultOutcome::Unreachable
            }
            CauseKind::Ours | CauseKind::Failure => ConsultOutcome::Failure,
        };
        self.consult_failed(id, outcome, None);
    }

    /// The consult came to nothing: the agent has the customer again.
    pub(super) fn consult_failed(&mut self, id: ConversationId, outcome: ConsultOutcome, hang_up: Option<HangUpReason>) {
        if self.end_consult(id, outcome, hang_up, Actor::System) {
            self.back_to_customer(id);
        }
    }

    /// Turns the agent from one to the other.
    pub(super) fn swap_consult(&mut self, by: Actor, id: ConversationId) -> Result<(), Refusal> {
        let (leg, facing) = self.answered_consult(id)?;
        let (Some((own, line)), Some((customer, _))) = (self.agent_leg(id), self.customer(id)) else {
            return Err(wrong_state("the conversation is being ended"));
        };
        if facing == Facing::Target {
            self.emit(Event::ConsultTurned { conversation: id, facing: Facing::Customer, by });
            self.emit(Event::HoldEnded { conversation: id });
            self.close_segment(id, Some(SegmentKind::Talk));
            self.record_talk(id);
            self.let_hear(Action::Bridge { conversation: id, a: customer, b: own, line });
            let (music, line) = (self.last_queue_music(id), self.world.leg(leg).map_or(line, |leg| leg.line));
            self.let_hear(Action::Play { conversation: id, leg, line, prompt: music, repeat: true });
        } else {
            self.emit(Event::ConsultTurned { conversation: id, facing: Facing::Target, by: by.clone() });
            self.hold_customer(by, id);
            self.record_talk(id);
            self.let_hear(Action::Bridge { conversation: id, a: own, b: leg, line });
        }
        Ok(())
    }

    /// The target gets the customer.
    pub(super) fn complete_consult(&mut self, by: Actor, id: ConversationId) -> Result<(), Refusal> {
        self.answered_consult(id)?;
        self.hand_over(id, ConsultOutcome::Completed, by, Some(HangUpReason::Transferred), AfterTalk::WrapUp);
        Ok(())
    }

    pub(super) fn cancel_consult(&mut self, by: Actor, id: ConversationId) -> Result<(), Refusal> {
        if self.end_consult(id, ConsultOutcome::Cancelled, Some(HangUpReason::CallerGone), by) {
            self.back_to_customer(id);
            return Ok(());
        }
        Err(wrong_state("no consult is under way"))
    }

    pub(super) fn answered_consult(&self, id: ConversationId) -> Result<(LegId, Facing), Refusal> {
        let consult = self.world.conversations.get(&id).and_then(|found| found.consult.as_ref());
        let Some(consult) = consult else { return Err(wrong_state("no consult is under way")) };
        match consult.answered_leg() {
            Some(leg) => Ok((leg, consult.facing)),
            None => Err(wrong_state("who is consulted has not answered yet; wait, or cancel the consult and transfer without asking")),
        }
    }

    /// Ends the talk with the agent and begins one with the target.
    fn hand_over(&mut self, id: ConversationId, outcome: ConsultOutcome, by: Actor, hang_up: Option<HangUpReason>, after: AfterTalk) {
        let Some(found) = self.world.conversations.get(&id) else { return };
        let (Some(consult), Some(talk)) = (found.consult.clone(), &found.talk) else { return };
        let Some(leg) = consult.answered_leg() else { return };
        // An agent of the consulted queue works for that one now, any other for the queue the customer came from.
        let queue = match (consult.target, &consult.to) {
            (None, _) => None,
            (Some(_), TransferTarget::Queue(queue)) => Some(*queue),
            (Some(_), _) => talk.queue,
        };
        self.write_consult_end(id, &consult, outcome, by);
        self.end_talk(id, hang_up, after);
        self.start_talk(id, leg, consult.target, queue);
    }

    /// The telephone of the agent who consults is gone. Says whether there was a consult, and then has settled everything.
    pub(super) fn agent_lost_in_consult(&mut self, id: ConversationId, loss: Option<Loss>, otherwise: Termination) -> bool {
        let Some(found) = self.world.conversations.get(&id) else { return false };
        let Some(consult) = &found.consult else { return false };
        let rule = found
            .last_queue
            .and_then(|queue| self.world.queues.get(&queue))
            .map_or(ConsultDrop::Join, |queue| queue.settings.calls.consult_drop);
        let after = if loss == Some(Loss::Restart) { AfterTalk::Nothing } else { AfterTalk::WrapUp };
        if consult.answered_leg().is_some() && rule == ConsultDrop::Join {
            self.hand_over(id, ConsultOutcome::Joined, Actor::System, None, after);
        } else {
            self.end_consult(id, ConsultOutcome::AgentLeft, Some(HangUpReason::CallerGone), Actor::System);
            if !self.continue_without_partner(id, after) {
                self.end_talk(id, None, after);
                self.return_to_queue(id, otherwise);
            }
        }
        true
    }

    /// Ends the consult, if there is one, and lets the target go; the agent who asked is left as is. `hang_up` is `None` when
    /// the target's leg has ended already.
    pub(super) fn end_consult(&mut self, id: ConversationId, outcome: ConsultOutcome, hang_up: Option<HangUpReason>, by: Actor) -> bool {
        let Some(found) = self.world.conversations.get(&id) else { return false };
        let Some(consult) = found.consult.clone() else { return false };
        if found.offer.as_ref().is_some_and(|offer| offer.purpose == Purpose::Consult) {
            self.end_offer(id, OfferOutcome::Withdrawn, Some(HangUpReason::CallerGone));
        }
        self.write_consult_end(id, &consult, outcome, by);
        if let (Some(leg), Some(reason)) = (consult.leg, hang_up) {
            self.hang_up(leg, if consult.answered_at.is_some() { HangUpReason::Normal } else { reason });
        }
        if let Some(target) = consult.target {
            self.after_talk(target, id, None, AfterTalk::Nothing);
        }
        true
    }

    pub(super) fn write_consult_end(&mut self, id: ConversationId, consult: &Consult, outcome: ConsultOutcome, by: Actor) {
        self.emit(Event::ConsultEnded {
            conversation: id,
            agent: consult.agent,
            to: consult.to.clone(),
            target: consult.target,
            started_at: consult.started_at,
            answered_at: consult.answered_at,
            outcome,
            by,
        });
    }

    /// Agent and customer hear each other again, unless the agent's own telephone holds.
    pub(super) fn back_to_customer(&mut self, id: ConversationId) {
        let Some(found) = self.world.conversations.get(&id) else { return };
        let Some(talk) = &found.talk else { return };
        let (agent, held) = (talk.agent, found.leg(talk.leg).is_some_and(|leg| leg.held));
        let Some((own, line)) = self.agent_leg(id) else { return };
        match (found.place(), held) {
            (Some(SegmentKind::Hold), false) => self.end_hold(id),
            (Some(SegmentKind::Hold), true) => {
                self.let_hear(Action::Silence { conversation: id, leg: own, line });
            }
            (_, true) => {
                if let Some(agent) = agent {
                    self.start_hold(Actor::Agent(agent), id);
                }
            }
            (_, false) => {}
        }
        self.record_talk(id);
        if let Some(agent) = agent {
            self.become_talking(agent, id);
        }
        self.rehear(id);
    }

    /// Nobody of the consulted queue became free.
    pub(super) fn consult_waited_too_long(&mut self, id: ConversationId) {
        self.consult_failed(id, ConsultOutcome::NobodyFree, None);
    }

    fn let_agent_hear(&mut self, id: ConversationId, prompt: Prompt) {
        if let Some((leg, line)) = self.agent_leg(id) {
            self.let_hear(Action::Play { conversation: id, leg, line, prompt, repeat: true });
        }
    }

    /// The leg of the talk's other party, and its line.
    fn agent_leg(&self, id: ConversationId) -> Option<(LegId, crate::endpoint::Line)> {
        let found = self.world.conversations.get(&id)?;
        let leg = found.leg(found.talk.as_ref()?.leg)?;
        (!leg.ending).then_some((leg.id, leg.line))
    }

    pub(super) fn place(&self, id: ConversationId) -> Option<SegmentKind> {
        self.world.conversations.get(&id).and_then(Conversation::place)
    }
}
