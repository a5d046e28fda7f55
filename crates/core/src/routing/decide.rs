//! The decision: which waiting visit goes to whom. Both directions look only at heads of ordered sets.

use super::{Asked, Index, Rank, Standing};
use crate::{
    ids::{AgentId, QueueId},
    queue::{Queue, Turn},
    time::Timestamp,
    world::World,
};
use std::collections::BTreeSet;

impl Index {
    /// What has become a candidate since the last call: agents by idle time, longest first, and visits in order of service.
    pub(crate) fn take_fresh(&mut self) -> (Vec<AgentId>, Vec<Turn>) {
        let mut agents = std::mem::take(&mut self.fresh_agents);
        let entries = &self.agents;
        let since = |id: &AgentId| entries.get(id).and_then(|entry| entry.idle).map(|idle| idle.since);
        agents.retain(|id| since(id).is_some());
        agents.sort_unstable_by_key(|id| (since(id), *id));
        agents.dedup();
        (agents, std::mem::take(&mut self.fresh_visits).into_iter().collect())
    }

    /// Where a visit that may be offered stands; `None` when it is not a candidate.
    pub fn standing(&self, world: &World, turn: &Turn, now: Timestamp) -> Option<Standing> {
        let (queue, _) = self.waiting_in(turn)?;
        Some(Standing::new(&world.queue(queue)?.settings.routing, *turn, now))
    }

    /// The visit an agent should be offered; `None` when the agent is not a candidate or nobody suitable waits.
    pub fn best_visit(&self, world: &World, agent: AgentId, now: Timestamp) -> Option<Standing> {
        let entry = self.agents.get(&agent)?;
        entry.idle?;
        let heads = entry.places.iter().filter_map(|place| {
            let turn = self.queues.get(&place.queue)?.classes.get(&place.class)?.waiting.first()?;
            Some(Standing::new(&world.queue(place.queue)?.settings.routing, *turn, now))
        });
        heads.min()
    }

    /// The agent of a queue who comes first by its strategy, for what asks for no more than the queue does.
    pub(crate) fn best_of_queue(&self, world: &World, queue: QueueId) -> Option<AgentId> {
        let state = world.queue(queue)?;
        let idle = self.base_class(queue)?.idle.as_ref()?;
        state.settings.routing.strategy.choose(idle, state.last_offered, 1).first().copied()
    }

    /// Who should be offered a visit, at most `room` at once; nobody when it is not a candidate.
    pub(crate) fn pick(&self, world: &World, turn: &Turn, room: usize) -> Vec<AgentId> {
        let Some((queue, class)) = self.waiting_in(turn) else { return Vec::new() };
        let Some(state) = world.queue(queue) else { return Vec::new() };
        let strategy = state.settings.routing.strategy;
        match &class.idle {
            Some(idle) => strategy.choose(idle, state.last_offered, room),
            None => strategy.choose(&search(world, state, &class.asked), state.last_offered, room),
        }
    }
}

/// The idle agents of a class for which none are kept in order.
fn search(world: &World, queue: &Queue, asked: &Asked) -> BTreeSet<(Rank, AgentId)> {
    let strategy = queue.settings.routing.strategy;
    let suitable = world.agents().filter(|agent| agent.is_routable() && asked.misfit(agent).is_none());
    suitable.map(|agent| (strategy.rank(asked, agent), agent.settings.id)).collect()
}
