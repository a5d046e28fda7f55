//! Conversations in writing and the agents who answer: offers, taking, and the notes afterwards.

use super::{Engine, agent::wrong_state, wrap_up::codes};
use crate::{
    agent::{Availability, Duty, NotReadyReason},
    ids::{AgentId, ConversationId, OfferId, QueueId},
    input::Actor,
    limits::{RING_ALL_AGENTS, WRITTEN_RING},
    output::Event,
    queue::{Allowance, Outcome, Turn},
    refusal::Refusal,
    routing::OfferOutcome,
    time::Millis,
    written::{NOTES_MAX, WrittenOffer},
};

impl Engine {
    /// Offers one that waits to whom the queue's strategy chooses, if there is anybody.
    pub(super) fn offer_in_writing(&mut self, turn: Turn) {
        let Some(choice) = self.index.decide(&self.world, &turn, RING_ALL_AGENTS, self.now) else { return };
        let agents = choice.decision.chosen.clone();
        let (conversation, visit, queue) = (turn.conversation, choice.visit, choice.queue);
        self.emit(Event::Decided { conversation, visit, queue, decision: choice.decision });
        let ring = self.world.queues.get(&queue).map_or(WRITTEN_RING, |queue| queue.settings.written.ring);
        let Some(channel) = self.world.written.get(&conversation).map(|found| found.channel) else { return };
        for agent in agents {
            let offer = OfferId(self.mint());
            self.emit(Event::WrittenOffered { offer, conversation, channel, visit, queue, agent, until: self.now + ring });
        }
    }

    /// The agent takes it: what was offered, or what waits in one of the agent's queues.
    pub(super) fn take_written(&mut self, by: Actor, id: ConversationId, agent: AgentId) -> Result<(), Refusal> {
        let state = self.agent(agent)?;
        let found = self.written(id)?;
        let Some(visit) = &found.visit else {
            let has = found.agent() == Some(agent);
            return if has { Ok(()) } else { Err(wrong_state("somebody else has taken it, or it is closed")) };
        };
        let (queue, channel) = (visit.queue, found.channel);
        if found.offer_to(agent).is_none() {
            if matches!(by, Actor::Agent(_)) && !state.works_for(queue) {
                return Err(Refusal::NotAllowed { reason: "it waits in a queue you do not work for".to_owned() });
            }
            if state.duty != Duty::OnDuty || state.retiring {
                return Err(wrong_state("the agent is not on duty"));
            }
        }
        let beside = state.has_of(channel) - usize::from(found.offer_to(agent).is_some());
        let most = state.settings.channels.get(&channel).map_or(0, |share| usize::from(share.at_once));
        if beside >= most {
            let reason = format!("the agent has {most} of channel {} at once at most; close or move one first", channel.as_str());
            return Err(wrong_state(&reason));
        }
        if let Some(offer) = found.offer_to(agent).copied() {
            self.write_written_offer_end(id, &offer, OfferOutcome::Accepted);
        }
        self.unqueue_written(id, Outcome::Answered, Some(agent));
        self.emit(Event::WrittenTaken { conversation: id, channel, queue, agent });
        Ok(())
    }

    /// The agent does not take it.
    pub(super) fn decline_written(&mut self, id: ConversationId, agent: AgentId) -> Result<(), Refusal> {
        let offer = self.written(id)?.offer_to(agent).copied();
        let Some(offer) = offer else { return Err(wrong_state("it is not being offered to this agent")) };
        self.end_written_offer(id, &offer, OfferOutcome::Declined);
        Ok(())
    }

    /// Nobody took it in time.
    pub(super) fn written_offers_failed(&mut self, id: ConversationId) {
        let offers = self.world.written.get(&id).map(|found| found.offers.clone()).unwrap_or_default();
        for offer in offers {
            self.end_written_offer(id, &offer, OfferOutcome::NoAnswer);
        }
    }

    /// Takes every offer back; the one to `taker` is over already.
    pub(super) fn withdraw_written(&mut self, id: ConversationId, taker: Option<AgentId>) {
        let offers = self.world.written.get(&id).map(|found| found.offers.clone()).unwrap_or_default();
        for offer in offers.into_iter().filter(|offer| Some(offer.agent) != taker) {
            self.write_written_offer_end(id, &offer, OfferOutcome::Withdrawn);
            self.begin_planned_duty(offer.agent);
        }
    }

    /// Takes the offer to one agent back.
    pub(super) fn take_back_offer(&mut self, id: ConversationId, agent: AgentId) {
        if let Some(offer) = self.world.written.get(&id).and_then(|found| found.offer_to(agent)).copied() {
            self.write_written_offer_end(id, &offer, OfferOutcome::Withdrawn);
        }
    }

    fn end_written_offer(&mut self, id: ConversationId, offer: &WrittenOffer, outcome: OfferOutcome) {
        let queue = self.world.visit(id).map(|visit| visit.queue);
        self.write_written_offer_end(id, offer, outcome);
        // Who was not ready stays so for the reason already given.
        if self.world.agents.get(&offer.agent).is_some_and(|agent| agent.availability == Availability::Ready) {
            let reason = if outcome == OfferOutcome::Declined { NotReadyReason::Declined } else { NotReadyReason::NoAnswer };
            self.offer_missed(id, queue, offer.agent, reason);
        }
        self.begin_planned_duty(offer.agent);
    }

    fn write_written_offer_end(&mut self, id: ConversationId, offer: &WrittenOffer, outcome: OfferOutcome) {
        let Some(found) = self.world.written.get(&id) else { return };
        let Some(visit) = &found.visit else { return };
        self.emit(Event::WrittenOfferEnded {
            offer: offer.id,
            conversation: id,
            channel: found.channel,
            queue: visit.queue,
            agent: offer.agent,
            made_at: offer.made_at,
            outcome,
        });
    }

    /// The agent has it no longer. Unless it was moved, notes follow as the queue allows. Returns whose it was.
    pub(super) fn release_written(&mut self, id: ConversationId, moved: bool) -> Option<AgentId> {
        let found = self.world.written.get(&id)?;
        let (handling, channel) = (found.handling?, found.channel);
        let (agent, queue) = (handling.agent, handling.queue);
        let stays = self.world.agents.get(&agent).is_some_and(|agent| !agent.retiring);
        self.emit(Event::WrittenReleased { conversation: id, channel, queue, agent, since: handling.since, moved });
        let length = if moved || !stays { Millis::default() } else { self.notes_length(queue) };
        if length > Millis::default() {
            self.emit(Event::WrittenWrapUpStarted { conversation: id, channel, queue, agent, until: self.now + length });
        }
        Some(agent)
    }

    fn notes_length(&self, queue: QueueId) -> Millis {
        let Some(settings) = self.world.queues.get(&queue).map(|queue| &queue.settings) else { return Millis::default() };
        match settings.wrap_up {
            Allowance::None => Millis::default(),
            Allowance::Timed { duration } => duration,
            Allowance::UntilFinished => settings.agents.wrap_up.longest.unwrap_or(NOTES_MAX),
        }
    }

    /// The agent says what became of it.
    pub(super) fn dispose_written(&mut self, by: &Actor, id: ConversationId, code: String) -> Result<(), Refusal> {
        let found = self.written(id)?;
        let (Some(agent), Some(queue)) = (found.agent(), found.last_queue) else {
            return Err(wrong_state("nobody has it, so nothing became of it; take it first"));
        };
        let follow_up = self.check_disposition(Some(queue), &code)?;
        if self.written(id)?.disposition.as_ref() != Some(&code) {
            self.emit(Event::WrittenDisposed { conversation: id, queue, agent, disposition: code, follow_up, by: by.clone() });
        }
        Ok(())
    }

    /// The notes are finished.
    pub(super) fn finish_written(&mut self, by: Actor, id: ConversationId, disposition: Option<String>) -> Result<(), Refusal> {
        let found = self.written(id)?;
        let Some(wrap_up) = found.wrap_up else {
            return Err(wrong_state("there are no notes to finish; close the conversation first"));
        };
        match disposition {
            Some(code) => self.dispose_written(&by, id, code)?,
            None if found.disposition.is_none() && self.must_say(&by, Some(wrap_up.queue)) => {
                let problem = format!("is missing; choose one of {}", codes(self.dispositions(Some(wrap_up.queue))));
                return Err(Refusal::Invalid { field: "disposition".to_owned(), problem });
            }
            None => {}
        }
        self.end_notes(id, by);
        Ok(())
    }

    /// Ends the notes about it, if there are any.
    pub(super) fn end_notes(&mut self, id: ConversationId, by: Actor) {
        let Some(found) = self.world.written.get(&id) else { return };
        let Some(wrap_up) = found.wrap_up else { return };
        let (channel, disposition) = (found.channel, found.disposition.clone());
        let missing = disposition.is_none() && self.wrap_up_rules(Some(wrap_up.queue)).is_some_and(|rules| rules.required);
        self.emit(Event::WrittenWrapUpEnded {
            conversation: id,
            channel,
            queue: wrap_up.queue,
            agent: wrap_up.agent,
            started_at: wrap_up.since,
            disposition,
            missing,
            by,
        });
        self.begin_planned_duty(wrap_up.agent);
    }
}
