//! Pull: a certain agent gets a certain waiting customer, whoever's turn it is.
//!
//! The customer keeps the place in the queue until the agent has answered, so that nothing is lost by a pull that fails.

use super::{Engine, agent::wrong_state, transfer::has_room_for_leg};
use crate::{
    conversation::Purpose,
    ids::{AgentId, ConversationId},
    input::Actor,
    limits::TRANSFER_RING,
    output::{Event, HangUpReason},
    refusal::Refusal,
    routing::OfferOutcome,
};

impl Engine {
    pub(super) fn pull(&mut self, by: Actor, id: ConversationId, agent: AgentId) -> Result<(), Refusal> {
        let missing = || Refusal::NotFound { what: "conversation".to_owned(), id: id.to_string() };
        let found = self.world.conversations.get(&id).filter(|found| !found.is_over()).ok_or_else(missing)?;
        let Some(visit) = &found.visit else {
            return Err(wrong_state("the customer does not wait in a queue; only who waits can be pulled"));
        };
        let (visit, queue) = (visit.id, visit.queue);
        let state = self.agent(agent)?;
        if matches!(by, Actor::Agent(_)) && !state.settings.queues.contains(&queue) {
            let reason = "agents pull from queues they serve; ask a supervisor".to_owned();
            return Err(Refusal::NotAllowed { reason });
        }
        if found.offers().any(|offer| offer.agent == agent) {
            return Err(wrong_state("it rings at that agent's telephone already"));
        }
        if !state.can_be_rung() {
            let name = &state.settings.name;
            let reason = format!("{name} cannot be rung now; who pulls is on duty, reachable, and busy with nothing else");
            return Err(Refusal::WrongState { reason });
        }
        has_room_for_leg(found)?;
        let ring = self.world.queues.get(&queue).map_or(TRANSFER_RING, |queue| queue.settings.ring);
        self.emit(Event::VisitPulled { visit, conversation: id, queue, agent, by });
        self.end_offer(id, OfferOutcome::Withdrawn, Some(HangUpReason::AnsweredElsewhere));
        self.make_offer(id, agent, ring, Purpose::Pull);
        Ok(())
    }
}
