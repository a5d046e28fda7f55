//! Whether a configuration document holds together with the rest, with the remedy when it does not.
//!
//! Pure, so that the API can say no before anything is written; the engine asks again and passes over what is refused.

mod agents;
mod callers;
mod choice;
mod mailbox;
mod routing;
mod waiting;
mod written;

pub(crate) use waiting::{check_announcement, check_destination};

use super::{Change, Destination, Mailbox, Number, Service, Skill, Target, Tenant};
use crate::{
    agent,
    callback::CallbackRules,
    endpoint::Endpoint,
    flow::{self, Node},
    hours,
    ids::SkillId,
    limits::{
        AGENTS_PER_TENANT, CALLBACK_ATTEMPTS, CALLBACK_GAP, CALLBACKS_PER_TENANT, CONVERSATION_MAX, LANGUAGE_CHARS, NAME_CHARS,
        NOT_READY_REASONS, NUMBER_RULES, NUMBERS_PER_TENANT, PREFERRED_WAIT_MAX, PRIORITY_MAX, PROMPT_CHARS, QUEUES_PER_AGENT,
        QUEUES_PER_TENANT, RING_MAX, RING_MIN, SERVICES_PER_TENANT, SHORT_ABANDON_MAX, SKILL_LEVEL_MAX, SKILLS_ASKED, SKILLS_PER_AGENT,
        SKILLS_PER_TENANT, WAITING_PER_QUEUE, WRAP_UP_MAX,
    },
    output::Prompt,
    queue::{self, Allowance, Preferred, SkillRequirement},
    refusal::Refusal,
    time::Millis,
    world::World,
};
use std::collections::BTreeSet;

/// Digits of a public number without its `+` (ITU-T E.164 §6: at most 15).
const E164_DIGITS: std::ops::RangeInclusive<usize> = 3..=15;

/// Says what is wrong with a change, or nothing.
///
/// # Errors
/// [`Refusal::Invalid`] with the field and a remedy, [`Refusal::NotFound`] when what is to be removed is not there,
/// [`Refusal::Full`] when there is no room for one more.
pub fn validate(world: &World, change: &Change) -> Result<(), Refusal> {
    match change {
        Change::PutSkill(skill) => put_skill(world, skill),
        Change::PutQueue(settings) => put_queue(world, settings),
        Change::PutAgent(settings) => put_agent(world, settings),
        Change::PutNumber(number) => put_number(world, number),
        Change::PutFlow(flow) => flow::put_flow(world, flow),
        Change::PutTenant(settings) => put_tenant(settings),
        Change::RemoveSkill(id) => {
            known(world.skills.contains_key(id), "skill", id)?;
            let asks = |skills: &[SkillRequirement]| skills.iter().any(|need| need.skill == *id);
            if let Some(queue) = world.queues.values().find(|queue| asks(&queue.settings.skills)) {
                return invalid("skill", format!("is asked for by queue \"{}\"; remove it there first", queue.settings.name));
            }
            if let Some(number) = world.numbers.values().find(|number| asks(&number.skills)) {
                return invalid("skill", format!("is asked for by number {}; remove it there first", number.number));
            }
            routing::skill_not_in_rings(world, *id)?;
            let asks = |node: &Node| matches!(node, Node::Queue { skills, .. } if skills.iter().any(|asked| asked.skill == *id));
            flow::not_named(world, "skill", asks, |_| false)?;
            callers::skill_not_asked(world, *id)?;
            match world.agents.values().find(|agent| !agent.retiring && agent.settings.skills.contains_key(id)) {
                Some(agent) => invalid("skill", format!("agent \"{}\" has it; remove it there first", agent.settings.name)),
                None => Ok(()),
            }
        }
        Change::RemoveQueue(id) => {
            known(world.queues.contains_key(id), "queue", id)?;
            unused(world, Target::Queue(*id), "queue")?;
            routing::queue_not_in_rings(world, *id)?;
            waiting::unnamed(world, &Destination::Queue(*id), "queue")?;
            waiting::unnamed(world, &Destination::Callback(*id), "queue")?;
            mailbox::unused(world, Mailbox::Queue(*id), "queue")?;
            match world.agents.values().find(|agent| !agent.retiring && agent.settings.queues.contains(id)) {
                Some(agent) => invalid("queue", format!("is served by agent \"{}\"; take it from the agent first", agent.settings.name)),
                None => Ok(()),
            }
        }
        Change::RemoveAgent(id) => {
            known(world.agents.contains_key(id), "agent", id)?;
            unused(world, Target::Agent(*id), "agent")?;
            routing::agent_not_wanted(world, *id)?;
            callers::agent_not_preferred(world, *id)?;
            waiting::unnamed(world, &Destination::Agent(*id), "agent")?;
            mailbox::unused(world, Mailbox::Agent(*id), "agent")
        }
        Change::RemoveNumber(id) => known(world.numbers.contains_key(id), "number", id),
        Change::RemoveFlow(id) => {
            known(world.flow(*id).is_some(), "flow", id)?;
            unused(world, Target::Flow(*id), "flow")?;
            if let Some(queue) = world.queues.values().find(|queue| queue.settings.calls.after_talk == Some(*id)) {
                return invalid("flow", format!("queue \"{}\" leads to it after talks; change the queue first", queue.settings.name));
            }
            waiting::unnamed(world, &Destination::Flow(*id), "flow")
        }
        Change::PutService(service) => put_service(world, service),
        Change::RemoveService(id) => {
            known(world.services.contains_key(id), "service", id)?;
            flow::not_named(world, "service", |node| matches!(node, Node::AskService(asked) if asked.service == *id), |_| false)
        }
        Change::PutCallerList(list) => callers::put_list(world, list),
        Change::RemoveCallerList(id) => known(world.caller_lists.contains_key(id), "list of callers", id),
        Change::PutHours(hours) => hours::put_hours(world, hours),
        Change::PutHolidays(holidays) => hours::put_holidays(world, holidays),
        Change::RemoveHours(id) => {
            known(world.hours.contains_key(id), "opening hours", id)?;
            match world.queues.values().find(|queue| queue.settings.waiting.hours == Some(*id)) {
                Some(queue) => invalid("hours", format!("queue \"{}\" goes by them; change it there first", queue.settings.name)),
                None => flow::not_named(world, "hours", |node| matches!(node, Node::Hours { hours, .. } if hours == id), |_| false),
            }
        }
        Change::RemoveHolidays(id) => {
            known(world.holidays.contains_key(id), "holidays", id)?;
            match world.hours.values().find(|hours| hours.holidays.contains(id)) {
                Some(hours) => invalid("holidays", format!("opening hours \"{}\" name them; remove them there first", hours.name)),
                None => Ok(()),
            }
        }
    }
}

/// Whether a text can be dialed as a telephone number outside: `+` and digits, or digits alone.
pub fn is_outside_number(text: &str) -> bool {
    let digits = text.strip_prefix('+').unwrap_or(text);
    E164_DIGITS.contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit())
}

/// Whether a text can be the sign-in name of a person: `name@domain`, without spaces.
pub fn is_sign_in_name(text: &str) -> bool {
    let plain =
        text.chars().count() <= NAME_CHARS && !text.chars().any(|c| c.is_whitespace() || c.is_control() || "<>\"'()[]:;,\\/".contains(c));
    let whole = text.split_once('@').is_some_and(|(name, domain)| {
        !name.is_empty() && domain.contains('.') && domain.split('.').all(|label| !label.is_empty()) && !domain.contains('@')
    });
    plain && whole
}

fn put_skill(world: &World, skill: &Skill) -> Result<(), Refusal> {
    check_name("skill.name", &skill.name)?;
    check_unique("skill.name", &skill.name, world.skills.values().filter(|other| other.id != skill.id).map(|other| &other.name))?;
    room(world.skills.contains_key(&skill.id), world.skills.len(), SKILLS_PER_TENANT, "skills")
}

fn put_service(world: &World, service: &Service) -> Result<(), Refusal> {
    check_name("service.name", &service.name)?;
    let others = world.services.values().filter(|other| other.id != service.id).map(|other| &other.name);
    check_unique("service.name", &service.name, others)?;
    room(world.services.contains_key(&service.id), world.services.len(), SERVICES_PER_TENANT, "services")
}

fn put_queue(world: &World, settings: &queue::Settings) -> Result<(), Refusal> {
    check_name("queue.name", &settings.name)?;
    let others = world.queues.values().filter(|other| other.settings.id != settings.id).map(|other| &other.settings.name);
    check_unique("queue.name", &settings.name, others)?;
    room(world.queues.contains_key(&settings.id), world.queues.len(), QUEUES_PER_TENANT, "queues")?;
    check_skills(world, "queue.skills", &settings.skills)?;
    check_priority("queue.priority", settings.priority)?;
    check_span("queue.ring", settings.ring, RING_MIN, RING_MAX)?;
    check_prompt("queue.hold_music", &settings.hold_music)?;
    if let Allowance::Timed { duration } = settings.wrap_up {
        check_span("queue.wrap_up.duration", duration, Millis::default(), WRAP_UP_MAX)?;
    }
    // Written so that not-a-number is refused too.
    if !(0.0..=1.0).contains(&settings.service_level.target) {
        return invalid("queue.service_level.target", "must be a share from 0 to 1".to_owned());
    }
    check_span("queue.service_level.within", settings.service_level.within, Millis(1), CONVERSATION_MAX)?;
    check_span("queue.short_abandon", settings.short_abandon, Millis::default(), SHORT_ABANDON_MAX)?;
    if !(1..=WAITING_PER_QUEUE).contains(&settings.max_waiting) {
        return invalid("queue.max_waiting", format!("must be from 1 to {WAITING_PER_QUEUE}"));
    }
    routing::check_routing(world, settings)?;
    if let Some(longest) = settings.max_wait {
        check_span("queue.max_wait", longest, Millis::from_secs(1), CONVERSATION_MAX)?;
    }
    if let Some(wait) = settings.calls.take_back {
        check_span("queue.calls.take_back", wait, Millis::from_secs(1), PREFERRED_WAIT_MAX)?;
    }
    if let Some(flow) = settings.calls.after_talk {
        check_destination(world, "queue.calls.after_talk", &Destination::Flow(flow))?;
    }
    check_callbacks(&settings.callbacks)?;
    mailbox::check("queue.voicemail", &settings.voicemail)?;
    agents::check(settings)?;
    written::check_rules(&settings.written)?;
    waiting::check(world, settings)
}

fn put_agent(world: &World, settings: &agent::Settings) -> Result<(), Refusal> {
    check_name("agent.name", &settings.name)?;
    let others = world.agents.values().filter(|other| other.settings.id != settings.id);
    check_unique("agent.name", &settings.name, others.clone().map(|other| &other.settings.name))?;
    room(world.agents.contains_key(&settings.id), world.agents.len(), AGENTS_PER_TENANT, "agents")?;
    match &settings.endpoint {
        Endpoint::Number(number) => check_dialable("agent.endpoint", number)?,
        Endpoint::Desk(text) | Endpoint::Address(text) => check_token("agent.endpoint", text)?,
        Endpoint::Person(name) => check_sign_in_name("agent.endpoint", name)?,
    }
    if let Some(other) = others.clone().find(|other| other.settings.endpoint == settings.endpoint) {
        return invalid("agent.endpoint", format!("is agent \"{}\"'s already; give each agent an own one", other.settings.name));
    }
    if settings.queues.len() > QUEUES_PER_AGENT {
        return invalid("agent.queues", format!("holds more than {QUEUES_PER_AGENT}"));
    }
    if let Some(missing) = settings.queues.iter().find(|id| !world.queues.contains_key(id)) {
        return invalid("agent.queues", format!("names {missing}, which does not exist; create the queue first"));
    }
    if settings.skills.len() > SKILLS_PER_AGENT {
        return invalid("agent.skills", format!("holds more than {SKILLS_PER_AGENT}"));
    }
    for (skill, level) in &settings.skills {
        check_skill(world, "agent.skills", SkillRequirement { skill: *skill, level: *level })?;
    }
    mailbox::check("agent.voicemail", &settings.voicemail)?;
    choice::check(settings)?;
    written::check_channels(settings)?;
    routing::check_languages(settings)
}

fn put_number(world: &World, number: &Number) -> Result<(), Refusal> {
    check_token("number.number", &number.number)?;
    if number.number.starts_with('+') {
        check_dialable("number.number", &number.number)?;
    }
    if world.numbers.values().any(|other| other.id != number.id && other.number == number.number) {
        return invalid("number.number", format!("{} exists already; change that document instead", number.number));
    }
    room(world.numbers.contains_key(&number.id), world.numbers.len(), NUMBERS_PER_TENANT, "numbers")?;
    if let Some(greeting) = &number.greeting {
        check_prompt("number.greeting", greeting)?;
        if matches!(greeting, Prompt::Music | Prompt::Ringback) {
            return invalid("number.greeting", "never ends; choose a file or a text".to_owned());
        }
    }
    match number.target {
        Target::Queue(id) if !world.queues.contains_key(&id) => {
            return invalid("number.target", format!("{id} does not exist; create the queue first"));
        }
        Target::Agent(id) if world.agents.get(&id).is_none_or(|agent| agent.retiring) => {
            return invalid("number.target", format!("{id} does not exist; create the agent first"));
        }
        Target::Flow(id) if world.flow(id).is_none() => {
            return invalid("number.target", format!("names {id}, which does not exist; publish the flow first"));
        }
        Target::Queue(_) | Target::Agent(_) | Target::Flow(_) => {}
    }
    check_skills(world, "number.skills", &number.skills)?;
    if let Some(language) = &number.language {
        check_language("number.language", language)?;
    }
    if let Some(preferred) = &number.preferred {
        check_preferred(world, "number.preferred", preferred)?;
    }
    match number.priority {
        Some(priority) => check_priority("number.priority", priority),
        None => Ok(()),
    }
}

fn put_tenant(settings: &Tenant) -> Result<(), Refusal> {
    check_name("tenant.name", &settings.name)?;
    if let Some(number) = &settings.caller_number {
        check_dialable("tenant.caller_number", number)?;
    }
    if settings.not_ready_reasons.len() > NOT_READY_REASONS {
        return invalid("tenant.not_ready_reasons", format!("holds more than {NOT_READY_REASONS}"));
    }
    let mut seen = BTreeSet::new();
    for reason in &settings.not_ready_reasons {
        check_name("tenant.not_ready_reasons", reason)?;
        if !seen.insert(reason) {
            return invalid("tenant.not_ready_reasons", format!("names \"{reason}\" twice"));
        }
    }
    let rules = &settings.outbound;
    for (field, beginnings) in [("tenant.outbound.allowed", &rules.allowed), ("tenant.outbound.denied", &rules.denied)] {
        if beginnings.len() > NUMBER_RULES {
            return invalid(field, format!("holds more than {NUMBER_RULES}; a shorter beginning covers many numbers"));
        }
        for begin in beginnings {
            let digits = begin.strip_prefix('+').unwrap_or(begin);
            if digits.is_empty() || digits.len() > *E164_DIGITS.end() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
                return invalid(field, format!("\"{begin}\" is not how a number begins; write + and digits, or digits alone"));
            }
        }
    }
    if rules.at_once == Some(0) {
        return invalid("tenant.outbound.at_once", "must be at least 1; to call nobody, leave outbound_line out".to_owned());
    }
    agents::check_dispositions("tenant.dispositions", &settings.dispositions)
}

pub(crate) fn invalid(field: &str, problem: String) -> Result<(), Refusal> {
    Err(Refusal::Invalid { field: field.to_owned(), problem })
}

fn known(is_there: bool, what: &str, id: &impl ToString) -> Result<(), Refusal> {
    if is_there { Ok(()) } else { Err(Refusal::NotFound { what: what.to_owned(), id: id.to_string() }) }
}

pub(crate) fn room(is_there: bool, count: usize, limit: usize, what: &str) -> Result<(), Refusal> {
    if is_there || count < limit { Ok(()) } else { Err(Refusal::Full { what: what.to_owned(), limit: limit as u64 }) }
}

fn unused(world: &World, target: Target, field: &str) -> Result<(), Refusal> {
    match world.numbers.values().find(|number| number.target == target) {
        Some(number) => invalid(field, format!("number {} leads to it; let the number lead elsewhere first", number.number)),
        None => Ok(()),
    }
}

pub(crate) fn check_name(field: &str, name: &str) -> Result<(), Refusal> {
    if name.trim().is_empty() {
        return invalid(field, "is empty".to_owned());
    }
    if name.chars().any(char::is_control) {
        return invalid(field, "holds a control character".to_owned());
    }
    if name.chars().count() > NAME_CHARS {
        return invalid(field, format!("is longer than {NAME_CHARS} characters"));
    }
    Ok(())
}

pub(crate) fn check_unique<'a>(field: &str, name: &str, mut others: impl Iterator<Item = &'a String>) -> Result<(), Refusal> {
    if others.any(|other| other.eq_ignore_ascii_case(name)) {
        return invalid(field, format!("\"{name}\" is taken; choose another"));
    }
    Ok(())
}

/// A name for machines: no spaces.
fn check_token(field: &str, text: &str) -> Result<(), Refusal> {
    check_name(field, text)?;
    if text.contains(char::is_whitespace) {
        return invalid(field, "holds a space".to_owned());
    }
    Ok(())
}

fn check_dialable(field: &str, number: &str) -> Result<(), Refusal> {
    if !is_outside_number(number) {
        return invalid(field, format!("\"{number}\" is not a telephone number; write + and 3 to 15 digits"));
    }
    Ok(())
}

fn check_sign_in_name(field: &str, name: &str) -> Result<(), Refusal> {
    if !is_sign_in_name(name) {
        return invalid(field, format!("\"{name}\" is not a sign-in name; write name@domain"));
    }
    Ok(())
}

fn check_priority(field: &str, priority: u8) -> Result<(), Refusal> {
    if priority > PRIORITY_MAX {
        return invalid(field, format!("must be from 0 to {PRIORITY_MAX}"));
    }
    Ok(())
}

pub(crate) fn check_span(field: &str, span: Millis, least: Millis, most: Millis) -> Result<(), Refusal> {
    if span < least || span > most {
        return invalid(field, format!("must be from {} to {} ms", least.0, most.0));
    }
    Ok(())
}

fn check_preferred(world: &World, field: &str, preferred: &Preferred) -> Result<(), Refusal> {
    if world.agents.get(&preferred.agent).is_none_or(|agent| agent.retiring) {
        return invalid(&format!("{field}.agent"), format!("{} does not exist; create the agent first", preferred.agent));
    }
    check_span(&format!("{field}.wait"), preferred.wait, Millis::from_secs(1), PREFERRED_WAIT_MAX)
}

fn check_callbacks(rules: &CallbackRules) -> Result<(), Refusal> {
    if !(1..=CALLBACK_ATTEMPTS).contains(&rules.attempts) {
        return invalid("queue.callbacks.attempts", format!("must be from 1 to {CALLBACK_ATTEMPTS}"));
    }
    check_span("queue.callbacks.gap", rules.gap, *CALLBACK_GAP.start(), *CALLBACK_GAP.end())?;
    if rules.most as usize > CALLBACKS_PER_TENANT {
        return invalid("queue.callbacks.most", format!("must be from 0 to {CALLBACKS_PER_TENANT}"));
    }
    Ok(())
}

fn check_skills(world: &World, field: &str, skills: &[SkillRequirement]) -> Result<(), Refusal> {
    if skills.len() > SKILLS_ASKED {
        return invalid(field, format!("asks for more than {SKILLS_ASKED}"));
    }
    let mut seen = BTreeSet::new();
    for need in skills {
        check_skill(world, field, *need)?;
        if !seen.insert(need.skill) {
            return invalid(field, format!("names {} twice", need.skill));
        }
    }
    Ok(())
}

fn check_skill_known(world: &World, field: &str, skill: SkillId) -> Result<(), Refusal> {
    if !world.skills.contains_key(&skill) {
        return invalid(field, format!("names {skill}, which does not exist; create the skill first"));
    }
    Ok(())
}

pub(crate) fn check_skill(world: &World, field: &str, need: SkillRequirement) -> Result<(), Refusal> {
    check_skill_known(world, field, need.skill)?;
    if !(1..=SKILL_LEVEL_MAX).contains(&need.level) {
        return invalid(field, format!("has a level outside 1 to {SKILL_LEVEL_MAX}"));
    }
    Ok(())
}

pub(crate) fn check_language(field: &str, language: &str) -> Result<(), Refusal> {
    let is_tag =
        (2..=LANGUAGE_CHARS).contains(&language.len()) && language.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    if is_tag { Ok(()) } else { invalid(field, format!("\"{language}\" is not a language tag such as de or en-GB")) }
}

fn check_prompt(field: &str, prompt: &Prompt) -> Result<(), Refusal> {
    match prompt {
        Prompt::File { name } => {
            check_name(field, name)?;
            // A name among the tenant's prompts, never a path out of there.
            if name.contains(['/', '\\']) || name.starts_with('.') {
                return invalid(field, "must be a file's name without folders".to_owned());
            }
            Ok(())
        }
        Prompt::Text { text, language } => {
            if text.trim().is_empty() || text.chars().count() > PROMPT_CHARS {
                return invalid(field, format!("must be 1 to {PROMPT_CHARS} characters"));
            }
            check_language(field, language)
        }
        Prompt::Music | Prompt::Ringback | Prompt::Beep => Ok(()),
    }
}
