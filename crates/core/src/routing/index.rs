//! Candidates in order, so that a decision looks at heads of ordered sets instead of at everybody.
//!
//! Per queue and *class* (the set of skills asked beyond the queue's own) there is the set of waiting visits and the set of
//! idle agents who qualify. All of it is derived from the world: built on load, kept up with every event, never stored.

use crate::{
    config::{Change, Number},
    conversation::{Conversation, Role},
    endpoint::Endpoint,
    ids::{AgentId, ConversationId, NumberId, QueueId},
    limits::CLASSES_PER_QUEUE,
    output::Event,
    queue::{SkillRequirement, Turn},
    time::Timestamp,
    world::World,
};
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// Number of a class within its queue; never used twice.
type ClassNumber = u32;

/// Skills asked, in the form in which equal sets are equal: sorted, each skill once at its highest level.
pub(crate) fn normalize(skills: &[SkillRequirement]) -> Vec<SkillRequirement> {
    let mut levels = BTreeMap::new();
    for need in skills {
        let level = levels.entry(need.skill).or_insert(need.level);
        *level = (*level).max(need.level);
    }
    levels.into_iter().map(|(skill, level)| SkillRequirement { skill, level }).collect()
}

/// Derived lookups of one world.
#[derive(Debug, Default)]
pub struct Index {
    numbers: HashMap<String, NumberId>,
    desks: HashMap<String, AgentId>,
    pub(super) queues: HashMap<QueueId, QueueIndex>,
    pub(super) agents: HashMap<AgentId, AgentEntry>,
    conversations: HashMap<ConversationId, ConversationEntry>,
    /// Agents that have become candidates since the last decision.
    pub(super) fresh_agents: Vec<AgentId>,
    /// Visits that have become candidates since the last decision.
    pub(super) fresh_visits: BTreeSet<Turn>,
}

#[derive(Debug, Default)]
pub(super) struct QueueIndex {
    pub(super) classes: HashMap<ClassNumber, Class>,
    by_skills: HashMap<Vec<SkillRequirement>, ClassNumber>,
    last_class: ClassNumber,
    /// Agents who serve the queue and have its own skills.
    members: BTreeSet<AgentId>,
    /// Conversations on their way here that are not yet in it.
    arriving: usize,
}

#[derive(Debug)]
pub(super) struct Class {
    pub(super) skills: Vec<SkillRequirement>,
    /// Visits to which no telephone rings.
    pub(super) waiting: BTreeSet<Turn>,
    /// Agents who could be offered a visit now; `None` in classes beyond the limit, which are searched instead.
    pub(super) idle: Option<BTreeSet<(Timestamp, AgentId)>>,
}

#[derive(Debug, Default)]
pub(super) struct AgentEntry {
    /// Set while the agent is routable: the key in the idle sets.
    pub(super) idle_since: Option<Timestamp>,
    /// Every class the agent qualifies for.
    pub(super) classes: Vec<(QueueId, ClassNumber)>,
    desk: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum ConversationEntry {
    Arriving(QueueId),
    Waiting(QueueId, ClassNumber, Turn),
}

impl Index {
    /// Builds everything from a world.
    pub fn new(world: &World) -> Index {
        let mut index = Index::default();
        for number in world.numbers() {
            index.put_number(number);
        }
        for queue in world.queues() {
            index.rebuild_queue(world, queue.settings.id);
        }
        for agent in world.agents() {
            index.rebuild_agent(world, agent.settings.id);
        }
        for conversation in world.conversations() {
            index.refresh_conversation(world, conversation.id);
        }
        index
    }

    /// The number document with this text.
    pub fn number(&self, text: &str) -> Option<NumberId> {
        self.numbers.get(text).copied()
    }

    /// The agent whose own telephone signs in under this name.
    pub fn desk(&self, name: &str) -> Option<AgentId> {
        self.desks.get(name).copied()
    }

    /// Conversations on their way into a queue, still connecting or hearing a greeting.
    pub fn arriving(&self, queue: QueueId) -> usize {
        self.queues.get(&queue).map_or(0, |entry| entry.arriving)
    }

    /// Takes over what an event changed; called right after the world applied it.
    pub(crate) fn observe(&mut self, world: &World, event: &Event) {
        match event {
            Event::Configured { change } => self.observe_change(world, change),
            Event::LegAdded { conversation, role, .. } | Event::LegEnded { conversation, role, .. } => {
                self.refresh_conversation(world, *conversation);
                if let Role::Agent(agent) = role {
                    self.refresh_agent(world, *agent);
                }
            }
            Event::ConversationStarted { conversation, .. }
            | Event::ConversationEnding { conversation, .. }
            | Event::ConversationEnded { conversation, .. }
            | Event::SegmentClosed { conversation, .. }
            | Event::VisitStarted { conversation, .. }
            | Event::VisitEnded { conversation, .. }
            | Event::OfferMade { conversation, .. }
            | Event::OfferEnded { conversation, .. } => self.refresh_conversation(world, *conversation),
            Event::DutyChanged { agent, .. }
            | Event::AvailabilityChanged { agent, .. }
            | Event::ReachabilityChanged { agent, .. }
            | Event::OccupationChanged { agent, .. } => self.refresh_agent(world, *agent),
            _ => {}
        }
    }

    fn observe_change(&mut self, world: &World, change: &Change) {
        match change {
            Change::PutNumber(number) => {
                self.numbers.retain(|_, id| *id != number.id);
                self.put_number(number);
            }
            Change::RemoveNumber(id) => self.numbers.retain(|_, known| known != id),
            Change::PutQueue(settings) => {
                let id = settings.id;
                self.rebuild_queue(world, id);
                for agent in world.agents().filter(|agent| agent.settings.queues.contains(&id)) {
                    self.rebuild_agent(world, agent.settings.id);
                }
                for turn in world.queue(id).into_iter().flat_map(|queue| &queue.waiting) {
                    self.conversations.remove(&turn.conversation);
                    self.refresh_conversation(world, turn.conversation);
                }
            }
            Change::RemoveQueue(id) => {
                self.queues.remove(id);
                self.conversations.retain(|_, entry| match entry {
                    ConversationEntry::Arriving(queue) | ConversationEntry::Waiting(queue, ..) => queue != id,
                });
                for entry in self.agents.values_mut() {
                    entry.classes.retain(|(queue, _)| queue != id);
                }
            }
            Change::PutAgent(settings) => self.rebuild_agent(world, settings.id),
            Change::RemoveAgent(id) => self.refresh_agent(world, *id),
            Change::PutSkill(_) | Change::RemoveSkill(_) | Change::PutTenant(_) => {}
        }
    }

    fn put_number(&mut self, number: &Number) {
        self.numbers.insert(number.number.clone(), number.id);
    }

    /// Forgets a queue's candidates and sets up its empty classes; agents and conversations are entered by their own calls.
    fn rebuild_queue(&mut self, world: &World, id: QueueId) {
        let arriving = self.queues.get(&id).map_or(0, |entry| entry.arriving);
        self.queues.insert(id, QueueIndex { arriving, ..QueueIndex::default() });
        for entry in self.agents.values_mut() {
            entry.classes.retain(|(queue, _)| *queue != id);
        }
        // The class of visits that ask for nothing more exists always.
        self.class(world, id, &[]);
    }

    /// Enters an agent anew with all classes; needed when queues or skills changed.
    fn rebuild_agent(&mut self, world: &World, id: AgentId) {
        self.drop_agent(id);
        let Some(agent) = world.agent(id) else { return };
        let mut entry = AgentEntry::default();
        if let Endpoint::Desk(name) = &agent.settings.endpoint {
            self.desks.insert(name.clone(), id);
            entry.desk = Some(name.clone());
        }
        for queue in &agent.settings.queues {
            let (Some(state), Some(index)) = (world.queue(*queue), self.queues.get_mut(queue)) else { continue };
            if !agent.has_skills(&state.settings.skills) {
                continue;
            }
            index.members.insert(id);
            entry
                .classes
                .extend(index.classes.iter().filter(|(_, class)| agent.has_skills(&class.skills)).map(|(number, _)| (*queue, *number)));
        }
        self.agents.insert(id, entry);
        self.refresh_agent(world, id);
    }

    fn drop_agent(&mut self, id: AgentId) {
        self.take_from_idle(id);
        let Some(entry) = self.agents.remove(&id) else { return };
        if let Some(desk) = entry.desk
            && self.desks.get(&desk) == Some(&id)
        {
            self.desks.remove(&desk);
        }
        // Members of a queue are in its base class at least, so no queue is left out.
        for (queue, _) in entry.classes {
            if let Some(index) = self.queues.get_mut(&queue) {
                index.members.remove(&id);
            }
        }
    }

    /// Makes the agent's places in the idle sets what the world says.
    fn refresh_agent(&mut self, world: &World, id: AgentId) {
        let Some(agent) = world.agent(id) else {
            self.drop_agent(id);
            return;
        };
        let wanted = agent.is_routable().then_some(agent.idle_since);
        if self.agents.get(&id).is_some_and(|entry| entry.idle_since == wanted) {
            return;
        }
        self.take_from_idle(id);
        let (Some(since), Some(entry)) = (wanted, self.agents.get_mut(&id)) else { return };
        entry.idle_since = Some(since);
        for (queue, number) in &entry.classes {
            if let Some(idle) =
                self.queues.get_mut(queue).and_then(|index| index.classes.get_mut(number)).and_then(|class| class.idle.as_mut())
            {
                idle.insert((since, id));
            }
        }
        self.fresh_agents.push(id);
    }

    fn take_from_idle(&mut self, id: AgentId) {
        let Some(entry) = self.agents.get_mut(&id) else { return };
        let Some(since) = entry.idle_since.take() else { return };
        for (queue, number) in &entry.classes {
            if let Some(idle) =
                self.queues.get_mut(queue).and_then(|index| index.classes.get_mut(number)).and_then(|class| class.idle.as_mut())
            {
                idle.remove(&(since, id));
            }
        }
    }

    /// Makes the conversation's place among the waiting what the world says.
    fn refresh_conversation(&mut self, world: &World, id: ConversationId) {
        let wanted = world.conversation(id).and_then(|conversation| self.entry_of(world, conversation));
        let present = self.conversations.get(&id).copied();
        if present == wanted {
            return;
        }
        match present {
            Some(ConversationEntry::Arriving(queue)) => {
                if let Some(index) = self.queues.get_mut(&queue) {
                    index.arriving = index.arriving.saturating_sub(1);
                }
            }
            Some(ConversationEntry::Waiting(queue, class, turn)) => {
                if let Some(class) = self.queues.get_mut(&queue).and_then(|index| index.classes.get_mut(&class)) {
                    class.waiting.remove(&turn);
                }
                self.fresh_visits.remove(&turn);
            }
            None => {}
        }
        match wanted {
            Some(ConversationEntry::Arriving(queue)) => {
                if let Some(index) = self.queues.get_mut(&queue) {
                    index.arriving += 1;
                }
            }
            Some(ConversationEntry::Waiting(queue, class, turn)) => {
                if let Some(class) = self.queues.get_mut(&queue).and_then(|index| index.classes.get_mut(&class)) {
                    class.waiting.insert(turn);
                }
                self.fresh_visits.insert(turn);
            }
            None => {
                self.conversations.remove(&id);
                return;
            }
        }
        if let Some(entry) = wanted {
            self.conversations.insert(id, entry);
        }
    }

    fn entry_of(&mut self, world: &World, conversation: &Conversation) -> Option<ConversationEntry> {
        if let Some(visit) = &conversation.visit {
            let class = conversation.wants_agent().then(|| self.class(world, visit.queue, &visit.skills)).flatten()?;
            return Some(ConversationEntry::Waiting(visit.queue, class, visit.turn(conversation.id)));
        }
        match conversation.target {
            Some(crate::config::Target::Queue(queue))
                if conversation.visits == 0
                    && conversation.ending.is_none()
                    && !conversation.is_over()
                    && self.queues.contains_key(&queue) =>
            {
                Some(ConversationEntry::Arriving(queue))
            }
            _ => None,
        }
    }

    /// The class of these skills, made if there is none yet.
    fn class(&mut self, world: &World, queue: QueueId, skills: &[SkillRequirement]) -> Option<ClassNumber> {
        let index = self.queues.get_mut(&queue)?;
        if let Some(number) = index.by_skills.get(skills) {
            return Some(*number);
        }
        if index.classes.len() >= CLASSES_PER_QUEUE {
            evict_empty_class(index, &mut self.agents, queue);
        }
        index.last_class += 1;
        let number = index.last_class;
        let mut idle = BTreeSet::new();
        for id in &index.members {
            if let Some(entry) = self.agents.get_mut(id)
                && world.agent(*id).is_some_and(|agent| agent.has_skills(skills))
            {
                entry.classes.push((queue, number));
                idle.extend(entry.idle_since.map(|since| (since, *id)));
            }
        }
        let idle = (index.classes.len() < CLASSES_PER_QUEUE).then_some(idle);
        index.classes.insert(number, Class { skills: skills.to_vec(), waiting: BTreeSet::new(), idle });
        index.by_skills.insert(skills.to_vec(), number);
        Some(number)
    }

    /// The base class of a queue: of visits that ask for nothing more.
    pub(super) fn base_class(&self, queue: QueueId) -> Option<&Class> {
        let index = self.queues.get(&queue)?;
        index.classes.get(index.by_skills.get([].as_slice())?)
    }

    /// Where a visit that may be offered stands.
    pub(super) fn waiting_in(&self, turn: &Turn) -> Option<(QueueId, &Class)> {
        match self.conversations.get(&turn.conversation)? {
            ConversationEntry::Waiting(queue, class, present) if present == turn => {
                Some((*queue, self.queues.get(queue)?.classes.get(class)?))
            }
            _ => None,
        }
    }
}

/// Makes room for a class, if there is one in which nobody waits: the oldest of those.
fn evict_empty_class(index: &mut QueueIndex, agents: &mut HashMap<AgentId, AgentEntry>, queue: QueueId) {
    let empty = |(number, class): (&ClassNumber, &Class)| (class.waiting.is_empty() && !class.skills.is_empty()).then_some(*number);
    let Some(victim) = index.classes.iter().filter_map(empty).min() else { return };
    if let Some(class) = index.classes.remove(&victim) {
        index.by_skills.remove(&class.skills);
    }
    for id in &index.members {
        if let Some(entry) = agents.get_mut(id) {
            entry.classes.retain(|place| *place != (queue, victim));
        }
    }
}
