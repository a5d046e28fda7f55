//! Candidates in order, so that a decision looks at heads of ordered sets instead of at everybody.
//!
//! Per queue and *class* (visits that ask for the same) there is the set of waiting visits and the set of idle agents who
//! qualify. All of it is derived from the world: built on load, kept up with every event, never stored.

use super::{Asked, Demand, Rank};
use crate::{
    agent::Agent,
    config::{Change, Number},
    conversation::{Conversation, Role},
    endpoint::Endpoint,
    ids::{AgentId, ConversationId, NumberId, QueueId},
    limits::CLASSES_PER_QUEUE,
    output::Event,
    queue::{self, Turn},
    time::Timestamp,
    world::World,
    written::Load,
};
use std::collections::{BTreeSet, HashMap};

/// Number of a class within its queue; never used twice.
type ClassNumber = u32;

/// Derived lookups of one world.
#[derive(Debug, Default)]
pub struct Index {
    numbers: HashMap<String, NumberId>,
    desks: HashMap<String, AgentId>,
    pub(super) queues: HashMap<QueueId, QueueIndex>,
    pub(super) agents: HashMap<AgentId, AgentEntry>,
    conversations: HashMap<ConversationId, ConversationEntry>,
    /// Who did not take a waiting conversation and is not asked again; only where there is somebody.
    pub(super) missed_by: HashMap<ConversationId, BTreeSet<AgentId>>,
    /// Agents by the queues they serve, whatever their skills.
    serving: HashMap<QueueId, BTreeSet<AgentId>>,
    /// Queues whose rings ask agents of others.
    widening: BTreeSet<QueueId>,
    /// Agents that have become candidates since the last decision.
    pub(super) fresh_agents: Vec<AgentId>,
    /// Visits that have become candidates since the last decision.
    pub(super) fresh_visits: BTreeSet<Turn>,
}

#[derive(Debug, Default)]
pub(super) struct QueueIndex {
    pub(super) classes: HashMap<ClassNumber, Class>,
    by_demand: HashMap<Demand, ClassNumber>,
    last_class: ClassNumber,
    /// Classes of visits that wait for one agent alone; they cost next to nothing and go with their last visit.
    personal: usize,
    /// Conversations on their way here that are not yet in it.
    arriving: usize,
}

#[derive(Debug)]
pub(super) struct Class {
    demand: Demand,
    pub(super) asked: Asked,
    /// Visits to which no telephone rings.
    pub(super) waiting: BTreeSet<Turn>,
    /// Agents who could be offered one of these visits now; `None` in classes beyond the limit, which are searched instead.
    pub(super) idle: Option<BTreeSet<(Rank, AgentId)>>,
}

#[derive(Debug, Default)]
pub(super) struct AgentEntry {
    /// Set while the agent could be offered anything: what ranks depend on.
    pub(super) idle: Option<Idle>,
    /// Every class the agent qualifies for.
    pub(super) places: Vec<Place>,
    queues: BTreeSet<QueueId>,
    desk: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Idle {
    pub(super) since: Timestamp,
    taken: u32,
    pub(super) load: Load,
}

/// An agent's membership of a class.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    pub(super) queue: QueueId,
    pub(super) class: ClassNumber,
    /// Where the agent stands among the idle there, while idle.
    pub(super) rank: Rank,
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
        for written in world.written() {
            index.refresh_conversation(world, written.id);
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
            | Event::CallerListed { conversation, .. }
            | Event::ConversationEnding { conversation, .. }
            | Event::ConversationEnded { conversation, .. }
            | Event::SegmentClosed { conversation, .. }
            | Event::VisitStarted { conversation, .. }
            | Event::VisitEnded { conversation, .. }
            | Event::VisitWidened { conversation, .. }
            | Event::PriorityChanged { conversation, .. }
            | Event::OfferMade { conversation, .. }
            | Event::OfferEnded { conversation, .. }
            | Event::WrittenQueued { conversation, .. }
            | Event::WrittenUnqueued { conversation, .. } => self.refresh_conversation(world, *conversation),
            Event::WrittenOffered { conversation, agent, .. } | Event::WrittenOfferEnded { conversation, agent, .. } => {
                self.refresh_conversation(world, *conversation);
                self.refresh_agent(world, *agent);
            }
            Event::WrittenTaken { agent, .. }
            | Event::WrittenReleased { agent, .. }
            | Event::WrittenWrapUpStarted { agent, .. }
            | Event::WrittenWrapUpEnded { agent, .. } => self.refresh_agent(world, *agent),
            // Others come first from now on; where no call was missed, nothing else tells.
            Event::AgentPassedOver { conversation, agent, .. } => {
                self.refresh_conversation(world, *conversation);
                self.refresh_agent(world, *agent);
            }
            Event::AgentsAskedAgain { conversation, .. } => {
                self.refresh_conversation(world, *conversation);
                if let Some(ConversationEntry::Waiting(_, _, turn)) = self.conversations.get(conversation) {
                    self.fresh_visits.insert(*turn);
                }
            }
            Event::QueueSignIn { agent, .. } => self.rebuild_agent(world, *agent),
            Event::DutyChanged { agent, .. }
            | Event::AvailabilityChanged { agent, .. }
            | Event::AvailabilityPlanned { agent, .. }
            | Event::DutyPlanned { agent, .. }
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
                // Whoever waits is looked at anew, and with that every agent who could take one of them.
                for turn in world.queue(id).into_iter().flat_map(|queue| queue.waiting.iter().chain(&queue.written)) {
                    self.conversations.remove(&turn.conversation);
                    self.refresh_conversation(world, turn.conversation);
                }
            }
            Change::RemoveQueue(id) => {
                self.queues.remove(id);
                self.widening.remove(id);
                self.conversations.retain(|_, entry| match entry {
                    ConversationEntry::Arriving(queue) | ConversationEntry::Waiting(queue, ..) => queue != id,
                });
                let entries = &self.conversations;
                self.missed_by.retain(|conversation, _| entries.contains_key(conversation));
                for entry in self.agents.values_mut() {
                    entry.places.retain(|place| place.queue != *id);
                }
            }
            Change::PutAgent(settings) => self.rebuild_agent(world, settings.id),
            Change::RemoveAgent(id) => self.refresh_agent(world, *id),
            Change::PutSkill(_)
            | Change::RemoveSkill(_)
            | Change::PutTenant(_)
            | Change::PutFlow(_)
            | Change::RemoveFlow(_)
            | Change::PutService(_)
            | Change::RemoveService(_)
            | Change::PutCallerList(_)
            | Change::RemoveCallerList(_)
            | Change::PutHours(_)
            | Change::PutHolidays(_)
            | Change::RemoveHours(_)
            | Change::RemoveHolidays(_) => {}
        }
    }

    fn put_number(&mut self, number: &Number) {
        self.numbers.insert(number.number.clone(), number.id);
    }

    /// Forgets a queue's candidates and sets up its empty classes; conversations are entered by their own calls.
    fn rebuild_queue(&mut self, world: &World, id: QueueId) {
        let arriving = self.queues.get(&id).map_or(0, |entry| entry.arriving);
        self.queues.insert(id, QueueIndex { arriving, ..QueueIndex::default() });
        for entry in self.agents.values_mut() {
            entry.places.retain(|place| place.queue != id);
        }
        let reaches_out =
            |queue: &queue::Queue| queue.settings.routing.rings.iter().any(|ring| !ring.queues.is_empty() || !ring.agents.is_empty());
        if world.queue(id).is_some_and(reaches_out) {
            self.widening.insert(id);
        } else {
            self.widening.remove(&id);
        }
        // The class of visits that ask for nothing more exists always.
        self.class(world, id, &Demand::default());
    }

    /// Enters an agent anew with all classes; needed when queues or skills changed.
    fn rebuild_agent(&mut self, world: &World, id: AgentId) {
        self.drop_agent(id);
        let Some(agent) = world.agent(id) else { return };
        let mut entry = AgentEntry { queues: agent.settings.queues.clone(), ..AgentEntry::default() };
        if let Endpoint::Desk(name) = &agent.settings.endpoint {
            self.desks.insert(name.clone(), id);
            entry.desk = Some(name.clone());
        }
        for queue in &agent.settings.queues {
            self.serving.entry(*queue).or_default().insert(id);
        }
        for queue in self.widening.union(&agent.settings.queues) {
            let Some(index) = self.queues.get(queue) else { continue };
            let fitting = index.classes.iter().filter(|(_, class)| class.asked.misfit(agent).is_none());
            entry.places.extend(fitting.map(|(number, _)| Place { queue: *queue, class: *number, rank: Rank::default() }));
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
        for queue in &entry.queues {
            if let Some(serving) = self.serving.get_mut(queue) {
                serving.remove(&id);
            }
        }
    }

    /// Makes the agent's places in the idle sets what the world says.
    fn refresh_agent(&mut self, world: &World, id: AgentId) {
        let Some(agent) = world.agent(id) else {
            self.drop_agent(id);
            return;
        };
        let wanted = idle(agent);
        if self.agents.get(&id).is_some_and(|entry| entry.idle == wanted) {
            return;
        }
        self.take_from_idle(id);
        let Some(entry) = self.agents.get_mut(&id) else { return };
        entry.idle = wanted;
        if wanted.is_none() {
            return;
        }
        for place in &mut entry.places {
            let Some(class) = self.queues.get_mut(&place.queue).and_then(|index| index.classes.get_mut(&place.class)) else { continue };
            let Some(state) = world.queue(place.queue) else { continue };
            let rank = state.settings.routing.strategy.rank_if_free(&class.asked, agent);
            if let (Some(idle), Some(rank)) = (&mut class.idle, rank) {
                place.rank = rank;
                idle.insert((rank, id));
            }
        }
        self.fresh_agents.push(id);
    }

    fn take_from_idle(&mut self, id: AgentId) {
        let Some(entry) = self.agents.get_mut(&id) else { return };
        if entry.idle.take().is_none() {
            return;
        }
        for place in &entry.places {
            let class = self.queues.get_mut(&place.queue).and_then(|index| index.classes.get_mut(&place.class));
            if let Some(idle) = class.and_then(|class| class.idle.as_mut()) {
                idle.remove(&(place.rank, id));
            }
        }
    }

    /// Makes the conversation's place among the waiting what the world says.
    fn refresh_conversation(&mut self, world: &World, id: ConversationId) {
        let missed_by = world.visit(id).map(|visit| &visit.missed_by);
        match missed_by.filter(|missed| !missed.is_empty()) {
            Some(missed) => {
                self.missed_by.insert(id, missed.keys().copied().collect());
            }
            None => {
                self.missed_by.remove(&id);
            }
        }
        let wanted = match world.conversation(id) {
            Some(conversation) => self.entry_of(world, conversation),
            None => self.entry_in_writing(world, id),
        };
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
                if let Some(index) = self.queues.get_mut(&queue)
                    && let Some(found) = index.classes.get_mut(&class)
                {
                    found.waiting.remove(&turn);
                    let stays = matches!(wanted, Some(ConversationEntry::Waiting(to, number, _)) if (to, number) == (queue, class));
                    if found.waiting.is_empty() && found.demand.only.is_some() && !stays {
                        forget_class(index, &mut self.agents, queue, class);
                    }
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
            let class = conversation.wants_agent().then(|| self.class(world, visit.queue, &Demand::of(visit, None))).flatten()?;
            return Some(ConversationEntry::Waiting(visit.queue, class, visit.turn(conversation.id)));
        }
        match conversation.target {
            Some(crate::config::Target::Queue(queue))
                if conversation.visits == 0
                    && conversation.ending.is_none()
                    && !conversation.is_blocked()
                    && !conversation.is_over()
                    && self.queues.contains_key(&queue) =>
            {
                Some(ConversationEntry::Arriving(queue))
            }
            _ => None,
        }
    }

    fn entry_in_writing(&mut self, world: &World, id: ConversationId) -> Option<ConversationEntry> {
        let written = world.written_of(id).filter(|written| written.wants_agent())?;
        let visit = written.visit.as_ref()?;
        let class = self.class(world, visit.queue, &Demand::of(visit, Some(written.channel)))?;
        Some(ConversationEntry::Waiting(visit.queue, class, visit.turn(id)))
    }

    /// The class of this demand, made if there is none yet.
    fn class(&mut self, world: &World, queue: QueueId, demand: &Demand) -> Option<ClassNumber> {
        let index = self.queues.get_mut(&queue)?;
        if let Some(number) = index.by_demand.get(demand) {
            return Some(*number);
        }
        let settings = &world.queue(queue)?.settings;
        let personal = demand.only.is_some();
        if !personal && index.classes.len() - index.personal >= CLASSES_PER_QUEUE {
            evict_empty_class(index, &mut self.agents, queue);
        }
        let is_kept = personal || index.classes.len() - index.personal < CLASSES_PER_QUEUE;
        index.last_class += 1;
        index.personal += usize::from(personal);
        let number = index.last_class;
        let asked = Asked::new(settings, demand);
        let mut idle = BTreeSet::new();
        let mut enter = |id: AgentId| {
            let (Some(entry), Some(agent)) = (self.agents.get_mut(&id), world.agent(id)) else { return };
            if asked.misfit(agent).is_some() || entry.places.last().is_some_and(|place| (place.queue, place.class) == (queue, number)) {
                return;
            }
            let rank = entry.idle.and_then(|_| settings.routing.strategy.rank_if_free(&asked, agent));
            entry.places.push(Place { queue, class: number, rank: rank.unwrap_or_default() });
            idle.extend(rank.map(|rank| (rank, id)));
        };
        match demand.only {
            Some(only) => enter(only),
            None => {
                let serving = asked.queues.iter().filter_map(|queue| self.serving.get(queue)).flatten();
                serving.chain(&asked.agents).copied().for_each(&mut enter);
            }
        }
        index.classes.insert(number, Class { demand: demand.clone(), asked, waiting: BTreeSet::new(), idle: is_kept.then_some(idle) });
        index.by_demand.insert(demand.clone(), number);
        Some(number)
    }

    /// The base class of a queue: of visits that ask for nothing more.
    pub(super) fn base_class(&self, queue: QueueId) -> Option<&Class> {
        let index = self.queues.get(&queue)?;
        index.classes.get(index.by_demand.get(&Demand::default())?)
    }

    /// Agents who serve a queue, whatever their skills.
    pub(super) fn serving(&self, queue: QueueId) -> Option<&BTreeSet<AgentId>> {
        self.serving.get(&queue)
    }

    /// Whether this agent did not take the visit before and is not asked again.
    pub(super) fn passes_over(&self, turn: &Turn, agent: AgentId) -> bool {
        !self.missed_by.is_empty() && self.missed_by.get(&turn.conversation).is_some_and(|missed| missed.contains(&agent))
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

/// What ranks depend on, while the agent is routable.
fn idle(agent: &Agent) -> Option<Idle> {
    let load = agent.load();
    (!load.is_full()).then_some(Idle { since: agent.idle_since, taken: agent.taken, load })
}

/// Makes room for a class, if there is one in which nobody waits: the oldest of those.
fn evict_empty_class(index: &mut QueueIndex, agents: &mut HashMap<AgentId, AgentEntry>, queue: QueueId) {
    let base = Demand::default();
    let empty = |(number, class): (&ClassNumber, &Class)| {
        (class.waiting.is_empty() && class.demand != base && class.demand.only.is_none()).then_some(*number)
    };
    if let Some(victim) = index.classes.iter().filter_map(empty).min() {
        forget_class(index, agents, queue, victim);
    }
}

fn forget_class(index: &mut QueueIndex, agents: &mut HashMap<AgentId, AgentEntry>, queue: QueueId, number: ClassNumber) {
    let Some(class) = index.classes.remove(&number) else { return };
    index.by_demand.remove(&class.demand);
    let leave = |entry: &mut AgentEntry| entry.places.retain(|place| (place.queue, place.class) != (queue, number));
    match class.demand.only {
        Some(only) => {
            index.personal -= 1;
            agents.get_mut(&only).into_iter().for_each(leave);
        }
        None => agents.values_mut().for_each(leave),
    }
}
