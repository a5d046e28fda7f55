//! What follows an offer that was not taken, by the rules of the queue it came from.

use super::Engine;
use crate::{
    agent::{Availability, NotReadyReason, Occupation},
    ids::{AgentId, ConversationId, QueueId},
    input::Actor,
    limits::{MISSES_IN_A_ROW, PASSED_OVER_PER_VISIT},
    output::Event,
    queue::{MissRules, OnMiss},
};

impl Engine {
    /// The offer is over; how often in a row this agent has missed one is counted already.
    pub(super) fn offer_missed(&mut self, id: ConversationId, queue: Option<QueueId>, agent: AgentId, reason: NotReadyReason) {
        let rules = queue.and_then(|queue| self.world.queues.get(&queue)).map(|queue| queue.settings.agents.missed);
        let rules = rules.unwrap_or_default();
        let misses = self.world.agents.get(&agent).map_or(0, |agent| agent.missed);
        let most = match rules.on(reason) {
            OnMiss::NotReady => 0,
            OnMiss::SignOut if self.sign_out_by_rule(queue, agent) => {
                self.agent_missed(agent, None);
                return;
            }
            OnMiss::SignOut => 0,
            OnMiss::PassOver => MISSES_IN_A_ROW,
            OnMiss::NotReadyAfter { misses } => misses.min(MISSES_IN_A_ROW),
        };
        if misses < most && self.pass_over(id, agent, rules) {
            self.agent_missed(agent, None);
            return;
        }
        let by_rule = Availability::not_ready(reason);
        self.agent_missed(agent, Some(by_rule.clone()));
        if let Some(after) = rules.ready_again
            && self.world.agents.get(&agent).is_some_and(|agent| agent.availability == by_rule && agent.planned.is_none())
        {
            self.emit(Event::ReturnPlanned { agent, due: self.now + after });
        }
    }

    /// Lets the visit ask others. Returns whether it can.
    fn pass_over(&mut self, id: ConversationId, agent: AgentId, rules: MissRules) -> bool {
        let Some(visit) = self.world.visit(id) else { return false };
        if visit.missed_by.len() >= PASSED_OVER_PER_VISIT {
            return false;
        }
        let until = rules.ask_again.map(|after| self.now + after);
        self.emit(Event::AgentPassedOver { visit: visit.id, conversation: id, queue: visit.queue, agent, until });
        true
    }

    /// Signs the agent out of the queue the offer came from. Returns whether it is one of the agent's.
    fn sign_out_by_rule(&mut self, queue: Option<QueueId>, id: AgentId) -> bool {
        let works_for = |queue: &QueueId| self.world.agents.get(&id).is_some_and(|agent| agent.works_for(*queue));
        let Some(queue) = queue.filter(works_for) else { return false };
        self.emit(Event::QueueSignIn { agent: id, queue, signed_in: false, by: Actor::System });
        true
    }

    /// Some of those who were passed over may be asked again.
    pub(super) fn ask_again(&mut self, id: ConversationId) {
        let Some(visit) = self.world.visit(id) else { return };
        let due = visit.missed_by.iter().filter(|(_, until)| until.is_some_and(|until| until <= self.now));
        let agents: Vec<AgentId> = due.map(|(agent, _)| *agent).collect();
        self.emit(Event::AgentsAskedAgain { visit: visit.id, conversation: id, queue: visit.queue, agents });
    }

    /// The time of not being ready by rule is over.
    pub(super) fn ready_again(&mut self, agent: AgentId) {
        let (availability, by) = (Availability::Ready, Actor::System);
        match self.world.agents.get(&agent) {
            // Somebody was pulled meanwhile.
            Some(state) if state.occupation != Occupation::Idle => {
                self.emit(Event::AvailabilityPlanned { agent, availability: Some(availability), by });
            }
            _ => self.emit(Event::AvailabilityChanged { agent, availability, by }),
        }
    }
}
