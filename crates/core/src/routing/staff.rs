//! Who is at work for which queue: derived from the world, kept up with every event, never stored.

use crate::{
    agent::{Agent, Availability, Duty},
    config::Change,
    ids::{AgentId, QueueId},
    output::Event,
    world::World,
};
use std::collections::{BTreeSet, HashMap};

/// Agents at work by queue.
#[derive(Debug, Default)]
pub struct Staff {
    queues: HashMap<QueueId, AtWork>,
    agents: HashMap<AgentId, Vec<QueueId>>,
    /// Queues whose staff has changed since the last look.
    changed: BTreeSet<QueueId>,
}

#[derive(Debug, Default)]
struct AtWork {
    /// Serve the queue, have its skills, and are on duty.
    on_duty: BTreeSet<AgentId>,
    /// Of these, ready, whatever they are busy with.
    able: BTreeSet<AgentId>,
}

impl Staff {
    /// Builds everything from a world.
    pub fn new(world: &World) -> Staff {
        let mut staff = Staff::default();
        for agent in world.agents() {
            staff.refresh(world, agent.settings.id);
        }
        staff.changed = world.queues().map(|queue| queue.settings.id).collect();
        staff
    }

    /// Whether somebody is on duty who serves the queue.
    pub fn is_staffed(&self, queue: QueueId) -> bool {
        self.queues.get(&queue).is_some_and(|at_work| !at_work.on_duty.is_empty())
    }

    /// How many could serve the queue, now or once they are done with what they do.
    pub fn able(&self, queue: QueueId) -> usize {
        self.queues.get(&queue).map_or(0, |at_work| at_work.able.len())
    }

    /// Queues whose staff has changed since the last call.
    pub(crate) fn take_changed(&mut self) -> BTreeSet<QueueId> {
        std::mem::take(&mut self.changed)
    }

    /// Takes over what an event changed; called right after the world applied it.
    pub(crate) fn observe(&mut self, world: &World, event: &Event) {
        match event {
            Event::DutyChanged { agent, .. } | Event::AvailabilityChanged { agent, .. } | Event::QueueSignIn { agent, .. } => {
                self.refresh(world, *agent)
            }
            Event::OccupationChanged { agent, .. } if world.agent(*agent).is_none() => self.refresh(world, *agent),
            Event::Configured { change: Change::PutAgent(settings) } => self.refresh(world, settings.id),
            Event::Configured { change: Change::RemoveAgent(agent) } => self.refresh(world, *agent),
            Event::Configured { change: Change::PutQueue(settings) } => {
                let serve = |agent: &&Agent| agent.settings.queues.contains(&settings.id);
                let agents: Vec<AgentId> = world.agents().filter(serve).map(|agent| agent.settings.id).collect();
                for agent in agents {
                    self.refresh(world, agent);
                }
                self.changed.insert(settings.id);
            }
            Event::Configured { change: Change::RemoveQueue(queue) } => {
                self.queues.remove(queue);
                self.changed.remove(queue);
            }
            _ => {}
        }
    }

    fn refresh(&mut self, world: &World, id: AgentId) {
        for queue in self.agents.remove(&id).unwrap_or_default() {
            if let Some(at_work) = self.queues.get_mut(&queue) {
                at_work.on_duty.remove(&id);
                at_work.able.remove(&id);
                self.changed.insert(queue);
            }
        }
        let Some(agent) = world.agent(id).filter(|agent| agent.duty == Duty::OnDuty && !agent.retiring) else { return };
        let serves =
            |queue: &QueueId| agent.works_for(*queue) && world.queue(*queue).is_some_and(|state| agent.has_skills(&state.settings.skills));
        let queues: Vec<QueueId> = agent.settings.queues.iter().copied().filter(serves).collect();
        for queue in &queues {
            let at_work = self.queues.entry(*queue).or_default();
            at_work.on_duty.insert(id);
            if agent.availability == Availability::Ready {
                at_work.able.insert(id);
            }
            self.changed.insert(*queue);
        }
        self.agents.insert(id, queues);
    }
}
