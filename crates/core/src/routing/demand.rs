//! What a visit asks of an agent at present, and whether an agent is that.

use crate::{
    agent::Agent,
    conversation::{Conversation, Visit},
    ids::{AgentId, QueueId, SkillId},
    queue::{self, SkillRequirement},
    world::World,
    written::{Channel, Written},
};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// Skills asked, in the form in which equal sets are equal: sorted, each skill once at its highest level.
pub(crate) fn normalize(skills: &[SkillRequirement]) -> Vec<SkillRequirement> {
    let mut levels = BTreeMap::new();
    for need in skills {
        let level = levels.entry(need.skill).or_insert(need.level);
        *level = (*level).max(need.level);
    }
    levels.into_iter().map(|(skill, level)| SkillRequirement { skill, level }).collect()
}

/// What a visit asks beyond what its queue does. Visits of a queue with equal demands are served by the same agents.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Demand {
    /// Skills on top of the queue's; sorted, each skill once.
    pub skills: Vec<SkillRequirement>,
    /// The language, in lower case.
    pub language: Option<String>,
    /// How many of the queue's rings it has reached.
    pub ring: u8,
    /// The agent for whom it waits alone.
    pub only: Option<AgentId>,
    /// How the customer writes; `None` = calls.
    pub channel: Option<Channel>,
}

/// Why an agent is not who is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", content = "id", rename_all = "snake_case")]
pub enum Misfit {
    /// Serves neither the queue nor one of those that help out.
    OtherQueue,
    /// Is signed out of the queue.
    SignedOut,
    /// The visit waits for somebody else.
    NotPreferred,
    /// Has not this skill, or not at the asked level.
    Skill(SkillId),
    /// Speaks none of the languages that will do.
    Language,
    /// Takes nothing of this channel.
    Channel(Channel),
}

/// A demand with all that queue and rings say to it: what an agent has to be.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Asked {
    /// The queue the visit waits in; who is signed out of it is not asked.
    pub own: Option<QueueId>,
    /// Agents of these queues are asked.
    pub queues: BTreeSet<QueueId>,
    /// And these.
    pub agents: BTreeSet<AgentId>,
    /// Only this one of them, whatever the skills.
    pub only: Option<AgentId>,
    /// All of these skills.
    pub skills: Vec<SkillRequirement>,
    /// One of these languages; any when there is none.
    pub languages: Vec<String>,
    /// Takes this channel; `None` = calls, which everybody takes.
    pub channel: Option<Channel>,
}

impl Demand {
    /// What a visit asks at present.
    pub fn of(visit: &Visit, channel: Option<Channel>) -> Demand {
        Demand {
            skills: visit.skills.clone(),
            language: visit.terms.language.clone(),
            ring: visit.ring,
            only: visit.terms.preferred.map(|waited| waited.agent),
            channel,
        }
    }
}

impl Asked {
    /// What a demand means in a queue.
    pub fn new(queue: &queue::Settings, demand: &Demand) -> Asked {
        let rings = &queue.routing.rings[..usize::from(demand.ring).min(queue.routing.rings.len())];
        let mut skills = normalize(&[queue.skills.as_slice(), &demand.skills].concat());
        let mut languages: Vec<String> = demand.language.iter().cloned().collect();
        let mut asked =
            Asked { own: Some(queue.id), queues: [queue.id].into(), only: demand.only, channel: demand.channel, ..Asked::default() };
        for ring in rings {
            ring.relax(&mut skills);
            asked.queues.extend(&ring.queues);
            asked.agents.extend(&ring.agents);
            if !languages.is_empty() {
                languages.extend(ring.languages.iter().cloned());
            }
        }
        if rings.iter().any(|ring| ring.any_language) {
            languages.clear();
        }
        Asked { skills, languages, ..asked }
    }

    /// What keeps this agent from being asked, whatever the agent is doing; `None` when nothing does.
    pub fn misfit(&self, agent: &Agent) -> Option<Misfit> {
        let settings = &agent.settings;
        if self.own.is_some_and(|own| agent.signed_out.contains_key(&own)) {
            return Some(Misfit::SignedOut);
        }
        if !self.agents.contains(&settings.id) && !self.queues.iter().any(|queue| agent.works_for(*queue)) {
            return Some(Misfit::OtherQueue);
        }
        if let Some(channel) = self.channel.filter(|channel| !settings.channels.contains_key(channel)) {
            return Some(Misfit::Channel(channel));
        }
        if let Some(only) = self.only {
            return (only != settings.id).then_some(Misfit::NotPreferred);
        }
        let has = |need: &SkillRequirement| settings.skills.get(&need.skill).is_some_and(|level| *level >= need.level);
        if let Some(lacking) = self.skills.iter().find(|need| !has(need)) {
            return Some(Misfit::Skill(lacking.skill));
        }
        (!self.languages.is_empty() && self.language_level(agent).is_none()).then_some(Misfit::Language)
    }

    /// The sum of an agent's levels in what is asked.
    pub(super) fn levels(&self, agent: &Agent) -> i64 {
        let skills = self.skills.iter().filter_map(|need| agent.settings.skills.get(&need.skill)).map(|level| i64::from(*level));
        skills.sum::<i64>() + self.language_level(agent).map_or(0, i64::from)
    }

    fn language_level(&self, agent: &Agent) -> Option<u8> {
        let spoken = agent.settings.languages.iter();
        spoken.filter(|(tag, _)| self.languages.iter().any(|asked| is_same_language(asked, tag))).map(|(_, level)| *level).max()
    }
}

/// Whether who speaks one also understands the other: `de` and `de-AT` do, `de-AT` and `de-CH` do not.
fn is_same_language(one: &str, other: &str) -> bool {
    let mut pairs = one.split('-').zip(other.split('-'));
    pairs.all(|(one, other)| one.eq_ignore_ascii_case(other))
}

/// What a waiting conversation asks at present; `None` when it is in no queue.
pub fn asked(world: &World, conversation: &Conversation) -> Option<Asked> {
    let visit = conversation.visit.as_ref()?;
    Some(Asked::new(&world.queue(visit.queue)?.settings, &Demand::of(visit, None)))
}

/// The same of a conversation in writing.
pub fn asked_in_writing(world: &World, written: &Written) -> Option<Asked> {
    let visit = written.visit.as_ref()?;
    Some(Asked::new(&world.queue(visit.queue)?.settings, &Demand::of(visit, Some(written.channel))))
}
