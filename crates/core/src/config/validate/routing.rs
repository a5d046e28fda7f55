//! A queue's rules of routing, and who and what they name.

use super::{check_language, check_skill_known, check_span, invalid};
use crate::{
    agent,
    ids::{AgentId, QueueId, SkillId},
    limits::{
        ADDED_PER_RING, AGING_EVERY, CONVERSATION_MAX, LANGUAGES_PER_AGENT, PRIORITY_MAX, RINGS_PER_QUEUE, SKILL_LEVEL_MAX, WEIGHT_MAX,
    },
    queue::{self, Aging, Ring},
    refusal::Refusal,
    time::Millis,
    world::World,
};

pub(super) fn check_routing(world: &World, settings: &queue::Settings) -> Result<(), Refusal> {
    let rules = &settings.routing;
    if !(1..=WEIGHT_MAX).contains(&rules.weight) {
        return invalid("queue.routing.weight", format!("must be from 1 to {WEIGHT_MAX}; 100 is usual"));
    }
    if let Some(aging) = rules.aging {
        check_aging(aging)?;
    }
    if rules.rings.len() > RINGS_PER_QUEUE {
        return invalid("queue.routing.rings", format!("holds more than {RINGS_PER_QUEUE}"));
    }
    let mut least = Millis::from_secs(1);
    for ring in &rules.rings {
        check_span("queue.routing.rings.after", ring.after, least, CONVERSATION_MAX)?;
        least = Millis(ring.after.0 + 1);
        check_ring(world, settings.id, ring)?;
    }
    Ok(())
}

fn check_aging(aging: Aging) -> Result<(), Refusal> {
    check_span("queue.routing.aging.every", aging.every, *AGING_EVERY.start(), *AGING_EVERY.end())?;
    if !(1..=PRIORITY_MAX).contains(&aging.step) {
        return invalid("queue.routing.aging.step", format!("must be from 1 to {PRIORITY_MAX}"));
    }
    if aging.max > PRIORITY_MAX {
        return invalid("queue.routing.aging.max", format!("must be from 0 to {PRIORITY_MAX}"));
    }
    Ok(())
}

fn check_ring(world: &World, own: QueueId, ring: &Ring) -> Result<(), Refusal> {
    if ring.lower > SKILL_LEVEL_MAX {
        return invalid("queue.routing.rings.lower", format!("must be from 0 to {SKILL_LEVEL_MAX}"));
    }
    for (field, count) in [
        ("queue.routing.rings.drop", ring.drop.len()),
        ("queue.routing.rings.languages", ring.languages.len()),
        ("queue.routing.rings.queues", ring.queues.len()),
        ("queue.routing.rings.agents", ring.agents.len()),
    ] {
        if count > ADDED_PER_RING {
            return invalid(field, format!("holds more than {ADDED_PER_RING}"));
        }
    }
    for skill in &ring.drop {
        check_skill_known(world, "queue.routing.rings.drop", *skill)?;
    }
    for language in &ring.languages {
        check_language("queue.routing.rings.languages", language)?;
    }
    if let Some(missing) = ring.queues.iter().find(|id| **id != own && !world.queues.contains_key(id)) {
        return invalid("queue.routing.rings.queues", format!("names {missing}, which does not exist; create the queue first"));
    }
    match ring.agents.iter().find(|id| world.agents.get(id).is_none_or(|agent| agent.retiring)) {
        Some(missing) => invalid("queue.routing.rings.agents", format!("names {missing}, who does not exist; create the agent first")),
        None => Ok(()),
    }
}

pub(super) fn check_languages(settings: &agent::Settings) -> Result<(), Refusal> {
    if settings.languages.len() > LANGUAGES_PER_AGENT {
        return invalid("agent.languages", format!("holds more than {LANGUAGES_PER_AGENT}"));
    }
    for (language, level) in &settings.languages {
        check_language("agent.languages", language)?;
        if !(1..=SKILL_LEVEL_MAX).contains(level) {
            return invalid("agent.languages", format!("has a level outside 1 to {SKILL_LEVEL_MAX}"));
        }
    }
    Ok(())
}

/// Nothing that a ring names is removed.
pub(super) fn not_in_rings(world: &World, field: &str, names: impl Fn(&Ring) -> bool) -> Result<(), Refusal> {
    match world.queues.values().find(|queue| queue.settings.routing.rings.iter().any(&names)) {
        Some(queue) => invalid(field, format!("is named by a ring of queue \"{}\"; remove it there first", queue.settings.name)),
        None => Ok(()),
    }
}

pub(super) fn skill_not_in_rings(world: &World, id: SkillId) -> Result<(), Refusal> {
    not_in_rings(world, "skill", |ring| ring.drop.contains(&id))
}

pub(super) fn queue_not_in_rings(world: &World, id: QueueId) -> Result<(), Refusal> {
    let others = world.queues.values().filter(|queue| queue.settings.id != id);
    match others.into_iter().find(|queue| queue.settings.routing.rings.iter().any(|ring| ring.queues.contains(&id))) {
        Some(queue) => invalid("queue", format!("is named by a ring of queue \"{}\"; remove it there first", queue.settings.name)),
        None => Ok(()),
    }
}

/// Neither a ring nor a number waits for an agent who is removed.
pub(super) fn agent_not_wanted(world: &World, id: AgentId) -> Result<(), Refusal> {
    not_in_rings(world, "agent", |ring| ring.agents.contains(&id))?;
    match world.numbers.values().find(|number| number.preferred.is_some_and(|preferred| preferred.agent == id)) {
        Some(number) => invalid("agent", format!("is preferred by number {}; take that from the number first", number.number)),
        None => Ok(()),
    }
}
