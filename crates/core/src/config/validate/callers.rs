//! Whether a list of callers holds together.

use super::{check_name, check_preferred, check_priority, check_skills, check_token, check_unique, invalid, room, waiting};
use crate::{
    callers::{CallerList, Treatment},
    ids::{AgentId, SkillId},
    limits::{CALLER_LISTS_PER_TENANT, CALLER_PREFIX_CHARS, CALLERS_PER_LIST, NAME_CHARS},
    refusal::Refusal,
    world::World,
};

pub(super) fn put_list(world: &World, list: &CallerList) -> Result<(), Refusal> {
    check_name("caller_list.name", &list.name)?;
    let others = world.caller_lists.values().filter(|other| other.id != list.id).map(|other| &other.name);
    check_unique("caller_list.name", &list.name, others)?;
    room(world.caller_lists.contains_key(&list.id), world.caller_lists.len(), CALLER_LISTS_PER_TENANT, "lists of callers")?;
    if list.callers.len() > CALLERS_PER_LIST {
        let problem = format!("holds more than {CALLERS_PER_LIST}; write beginnings of numbers such as +4989*, or a second list");
        return invalid("caller_list.callers", problem);
    }
    for (caller, note) in &list.callers {
        check_caller(caller)?;
        if note.chars().count() > NAME_CHARS {
            return invalid("caller_list.callers", format!("has a note of more than {NAME_CHARS} characters at {caller}; shorten it"));
        }
    }
    match &list.treatment {
        Treatment::Block { message: None } => Ok(()),
        Treatment::Block { message: Some(prompt) } => waiting::check_announcement("caller_list.treatment.message", prompt),
        Treatment::Favor { priority, skills, preferred } => {
            check_priority("caller_list.treatment.priority", *priority)?;
            check_skills(world, "caller_list.treatment.skills", skills)?;
            match preferred {
                Some(preferred) => check_preferred(world, "caller_list.treatment.preferred", preferred),
                None => Ok(()),
            }
        }
    }
}

fn check_caller(caller: &str) -> Result<(), Refusal> {
    const FIELD: &str = "caller_list.callers";
    check_token(FIELD, caller)?;
    let Some(prefix) = caller.strip_suffix('*') else { return Ok(()) };
    if prefix.is_empty() {
        return invalid(FIELD, "names everybody; write at least the first digits before the *".to_owned());
    }
    if prefix.contains('*') || prefix.chars().count() > CALLER_PREFIX_CHARS {
        let problem = format!("holds \"{caller}\"; write at most {CALLER_PREFIX_CHARS} characters and one * at the end");
        return invalid(FIELD, problem);
    }
    Ok(())
}

/// Whether no list asks for this skill.
pub(super) fn skill_not_asked(world: &World, skill: SkillId) -> Result<(), Refusal> {
    let asks = |list: &&CallerList| match &list.treatment {
        Treatment::Favor { skills, .. } => skills.iter().any(|need| need.skill == skill),
        Treatment::Block { .. } => false,
    };
    match world.caller_lists.values().find(asks) {
        Some(list) => invalid("skill", format!("is asked for by the list of callers \"{}\"; remove it there first", list.name)),
        None => Ok(()),
    }
}

/// Whether no list prefers this agent.
pub(super) fn agent_not_preferred(world: &World, agent: AgentId) -> Result<(), Refusal> {
    let prefers = |list: &&CallerList| match &list.treatment {
        Treatment::Favor { preferred, .. } => preferred.is_some_and(|preferred| preferred.agent == agent),
        Treatment::Block { .. } => false,
    };
    match world.caller_lists.values().find(prefers) {
        Some(list) => invalid("agent", format!("is preferred by the list of callers \"{}\"; change that list first", list.name)),
        None => Ok(()),
    }
}
