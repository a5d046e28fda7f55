//! The decision: which waiting visit goes to whom. Both directions look only at heads of ordered sets.

use super::{Asked, Decision, Index, Rank, Standing, Strategy, explain};
use crate::{
    ids::{AgentId, QueueId, VisitId},
    queue::{Queue, Turn},
    time::Timestamp,
    world::World,
};
use std::collections::BTreeSet;

/// A decision about a visit.
#[derive(Debug)]
pub(crate) struct Choice {
    /// Of which visit.
    pub(crate) visit: VisitId,
    /// In which queue.
    pub(crate) queue: QueueId,
    /// What was decided, and why.
    pub(crate) decision: Decision,
}

/// Who is asked to take a visit, and among whom that was chosen.
#[derive(Debug)]
pub(super) struct Pick<'a> {
    /// The queue the visit waits in.
    pub(super) queue: QueueId,
    /// What is asked of agents.
    pub(super) asked: &'a Asked,
    /// By which the choice was made.
    pub(super) strategy: Strategy,
    /// Who is asked, first to be asked first; empty when nobody suitable is idle.
    pub(super) agents: Vec<AgentId>,
    /// Everybody suitable who is idle, in the order of the strategy; `None` where no such set is kept.
    pub(super) idle: Option<&'a BTreeSet<(Rank, AgentId)>>,
    /// Who did not take the visit before and is not asked again; `None` = nobody.
    pub(super) missed_by: Option<&'a BTreeSet<AgentId>>,
}

impl Pick<'_> {
    /// Whether this agent did not take the visit before.
    pub(super) fn passes_over(&self, agent: AgentId) -> bool {
        self.missed_by.is_some_and(|missed| missed.contains(&agent))
    }
}

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
        let load = entry.idle?.load;
        let heads = entry.places.iter().filter_map(|place| {
            let class = self.queues.get(&place.queue)?.classes.get(&place.class)?;
            load.room(class.asked.channel)?;
            let mut waiting = class.waiting.iter();
            let turn = waiting.find(|turn| !self.passes_over(turn, agent))?;
            Some(Standing::new(&world.queue(place.queue)?.settings.routing, *turn, now))
        });
        heads.min()
    }

    /// The agent of a queue who comes first by its strategy, for what asks for no more than the queue does.
    pub(crate) fn best_of_queue(&self, world: &World, queue: QueueId) -> Option<AgentId> {
        let state = world.queue(queue)?;
        let idle = self.base_class(queue)?.idle.as_ref()?;
        state.settings.routing.strategy.choose(idle, |_| true, state.last_offered, 1).first().copied()
    }

    /// Who should be offered a visit, at most `room` at once, and why; `None` when it is not a candidate, and
    /// where nobody is found and that was said already.
    pub(crate) fn decide(&self, world: &World, turn: &Turn, room: usize, now: Timestamp) -> Option<Choice> {
        let pick = self.pick(world, turn, room)?;
        let visit = world.visit(turn.conversation)?;
        if pick.agents.is_empty() && visit.unserved == Some(visit.stage()) {
            return None;
        }
        let members = pick.asked.agents.iter().chain(pick.asked.queues.iter().filter_map(|queue| self.serving(*queue)).flatten());
        let only = pick.asked.only.as_ref();
        let candidates = explain::candidates(world, &pick, only.into_iter().chain(members.filter(|id| Some(*id) != only)));
        let standing = Standing::new(&world.queue(pick.queue)?.settings.routing, *turn, now);
        let decision = Decision {
            strategy: pick.strategy,
            ring: visit.ring,
            preferred: pick.asked.only,
            priority: standing.priority.0,
            waited: now.since(turn.enqueued_at),
            idle: u32::try_from(self.count_idle(&pick)).unwrap_or(u32::MAX),
            chosen: pick.agents,
            candidates,
        };
        Some(Choice { visit: turn.visit, queue: pick.queue, decision })
    }

    /// Who should be offered a visit; `None` when it is not a candidate.
    fn pick(&self, world: &World, turn: &Turn, room: usize) -> Option<Pick<'_>> {
        let (queue, class) = self.waiting_in(turn)?;
        let state = world.queue(queue)?;
        let strategy = state.settings.routing.strategy;
        let missed_by = self.missed_by.get(&turn.conversation);
        let may = |agent: AgentId| missed_by.is_none_or(|missed| !missed.contains(&agent));
        let agents = match &class.idle {
            Some(idle) => strategy.choose(idle, may, state.last_offered, room),
            None => strategy.choose(&search(world, state, &class.asked), may, state.last_offered, room),
        };
        Some(Pick { queue, asked: &class.asked, strategy, agents, idle: class.idle.as_ref(), missed_by })
    }

    /// How many of those who could be asked are idle.
    fn count_idle(&self, pick: &Pick<'_>) -> usize {
        let Some(idle) = pick.idle else { return pick.agents.len() };
        let is_idle = |agent: &&AgentId| {
            let entry = self.agents.get(agent).filter(|entry| entry.idle.is_some());
            entry.is_some_and(|entry| entry.places.iter().any(|place| idle.contains(&(place.rank, **agent))))
        };
        idle.len() - pick.missed_by.map_or(0, |missed| missed.iter().filter(is_idle).count())
    }
}

/// The idle agents of a class for which none are kept in order.
fn search(world: &World, queue: &Queue, asked: &Asked) -> BTreeSet<(Rank, AgentId)> {
    let strategy = queue.settings.routing.strategy;
    let suitable = world.agents().filter(|agent| asked.misfit(agent).is_none());
    suitable.filter_map(|agent| Some((strategy.rank_if_free(asked, agent)?, agent.settings.id))).collect()
}
