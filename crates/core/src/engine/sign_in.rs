//! Signing into and out of single queues: an agent who is signed out of a queue serves the others as before.

use super::{Engine, agent::wrong_state};
use crate::{
    agent::Occupation,
    ids::{AgentId, QueueId},
    input::Actor,
    output::Event,
    refusal::Refusal,
};

impl Engine {
    pub(super) fn sign_in_or_out(&mut self, by: Actor, id: AgentId, queue: QueueId, signed_in: bool) -> Result<(), Refusal> {
        let agent = self.agent(id)?;
        if !agent.settings.queues.contains(&queue) {
            return Err(wrong_state("the agent does not serve this queue; an administrator assigns it first"));
        }
        if agent.works_for(queue) == signed_in {
            return Ok(());
        }
        if let Occupation::Offered { conversation, offer } = agent.occupation {
            let offers = self.world.conversations.get(&conversation).into_iter().flat_map(|found| found.offers());
            if !signed_in && offers.into_iter().any(|made| made.id == offer && made.queue == Some(queue)) {
                return Err(wrong_state("a conversation of this queue is being offered; take or decline it first"));
            }
        }
        self.emit(Event::QueueSignIn { agent: id, queue, signed_in, by });
        Ok(())
    }

    /// Who comes to work is signed into the queues that a rule had signed out of, so that nobody is missing there for days.
    pub(super) fn sign_in_anew(&mut self, id: AgentId) {
        let by_rule = |(queue, by_rule): (&QueueId, &bool)| by_rule.then_some(*queue);
        let queues: Vec<QueueId> = self.world.agents.get(&id).into_iter().flat_map(|agent| &agent.signed_out).filter_map(by_rule).collect();
        for queue in queues {
            self.emit(Event::QueueSignIn { agent: id, queue, signed_in: true, by: Actor::System });
        }
    }
}
