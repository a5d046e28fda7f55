//! Signing into and out of single queues: an agent who is signed out of a queue serves the others as before.

use super::{Engine, agent::wrong_state};
use crate::{
    agent::{Agent, Occupation},
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
        if !signed_in && self.queue_of_offer(agent) == Some(queue) {
            return Err(wrong_state("a conversation of this queue is being offered; take or decline it first"));
        }
        self.emit(Event::QueueSignIn { agent: id, queue, signed_in, by });
        Ok(())
    }

    /// The queue whose conversation rings at the agent's telephone.
    fn queue_of_offer(&self, agent: &Agent) -> Option<QueueId> {
        let Occupation::Offered { conversation, offer } = agent.occupation else { return None };
        self.world.conversations.get(&conversation)?.offers().find(|made| made.id == offer)?.queue
    }

    /// Signs into the queues of a duty profile and out of all others; single queues may be chosen otherwise afterwards.
    pub(super) fn choose_profile(&mut self, by: Actor, id: AgentId, profile: Option<String>) -> Result<(), Refusal> {
        let agent = self.agent(id)?;
        let settings = &agent.settings;
        let chosen = match &profile {
            None => &settings.queues,
            Some(name) => settings.profiles.get(name).ok_or_else(|| {
                let known: Vec<&str> = settings.profiles.keys().map(String::as_str).collect();
                let problem = match known.is_empty() {
                    true => "is none of the agent's duty profiles: there are none; an administrator sets them up".to_owned(),
                    false => format!("is none of the agent's duty profiles: {}", known.join(", ")),
                };
                Refusal::Invalid { field: "profile".to_owned(), problem }
            })?,
        };
        if self.queue_of_offer(agent).is_some_and(|queue| !chosen.contains(&queue)) {
            return Err(wrong_state("a conversation of another queue is being offered; take or decline it first"));
        }
        let differs = |queue: &&QueueId| agent.works_for(**queue) != chosen.contains(*queue);
        let changes: Vec<(QueueId, bool)> = settings.queues.iter().filter(differs).map(|queue| (*queue, chosen.contains(queue))).collect();
        let same = agent.profile == profile;
        for (queue, signed_in) in changes {
            self.emit(Event::QueueSignIn { agent: id, queue, signed_in, by: by.clone() });
        }
        if !same {
            self.emit(Event::ProfileChosen { agent: id, profile, by });
        }
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
