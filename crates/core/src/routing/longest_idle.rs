//! The decision: which waiting visit goes to which idle agent.
//!
//! A free agent gets the visit with the highest priority, and among equals the one that has waited longest, over all queues
//! served. A new visit gets the agent who has been idle longest. Both look only at heads of ordered sets.

use super::Index;
use crate::{
    ids::{AgentId, QueueId},
    queue::Turn,
    world::World,
};

impl Index {
    /// What has become a candidate since the last call: agents by idle time, longest first, and visits in order of service.
    pub(crate) fn take_fresh(&mut self) -> (Vec<AgentId>, Vec<Turn>) {
        let mut agents = std::mem::take(&mut self.fresh_agents);
        let entries = &self.agents;
        agents.retain(|id| entries.get(id).is_some_and(|entry| entry.idle_since.is_some()));
        agents.sort_unstable_by_key(|id| (entries.get(id).and_then(|entry| entry.idle_since), *id));
        agents.dedup();
        (agents, std::mem::take(&mut self.fresh_visits).into_iter().collect())
    }

    /// The visit an agent should be offered; `None` when the agent is not a candidate or nobody suitable waits.
    pub fn best_visit(&self, agent: AgentId) -> Option<Turn> {
        let entry = self.agents.get(&agent)?;
        entry.idle_since?;
        let heads = entry.classes.iter().filter_map(|(queue, number)| self.queues.get(queue)?.classes.get(number)?.waiting.first());
        heads.min().copied()
    }

    /// The agent of a queue who has been idle longest, for what asks for no more than the queue does.
    pub(crate) fn best_of_queue(&self, queue: QueueId) -> Option<AgentId> {
        self.base_class(queue)?.idle.as_ref()?.first().map(|(_, agent)| *agent)
    }

    /// The agent a visit should be offered to; `None` when it is not a candidate or nobody suitable is idle.
    pub fn best_agent(&self, world: &World, turn: &Turn) -> Option<AgentId> {
        let (queue, class) = self.waiting_in(turn)?;
        match &class.idle {
            Some(idle) => idle.first().map(|(_, agent)| *agent),
            None => {
                let everybody = self.base_class(queue)?.idle.as_ref()?;
                let qualifies = |id: &AgentId| world.agent(*id).is_some_and(|agent| agent.has_skills(&class.skills));
                everybody.iter().map(|(_, agent)| *agent).find(qualifies)
            }
        }
    }
}
