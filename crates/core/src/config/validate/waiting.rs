//! Whether a queue's rules for those who wait hold together.

use super::{check_dialable, check_prompt, check_sign_in_name, check_span, invalid};
use crate::{
    config::{Destination, Mailbox},
    flow,
    limits::{ANNOUNCE_MIN, COMFORT_PROMPTS, CONVERSATION_MAX, OVERFLOW_RULES, WAITING_PER_QUEUE},
    output::Prompt,
    queue::{Condition, Queue, Settings},
    refusal::Refusal,
    time::Millis,
    world::World,
};

/// Keys that can lead out of a queue (ITU-T Q.23, without the letters that telephones lack).
const KEYS: &str = "0123456789*#";

pub(super) fn check(world: &World, settings: &Settings) -> Result<(), Refusal> {
    let rules = &settings.waiting;
    if let Some(missing) = rules.hours.filter(|id| !world.hours.contains_key(id)) {
        return invalid("queue.waiting.hours", format!("names {missing}, which does not exist; create the opening hours first"));
    }
    if rules.overflow.len() > OVERFLOW_RULES {
        return invalid("queue.waiting.overflow", format!("holds more than {OVERFLOW_RULES} rules"));
    }
    for (index, rule) in rules.overflow.iter().enumerate() {
        let field = format!("queue.waiting.overflow[{index}]");
        check_condition(&format!("{field}.when"), &rule.when)?;
        check_way_out(world, settings, &format!("{field}.to"), &rule.to)?;
        if rule.to == Destination::Queue(settings.id) {
            return invalid(&format!("{field}.to"), "is this queue itself; choose another".to_owned());
        }
    }
    for (key, to) in &rules.keys {
        let field = format!("queue.waiting.keys.{key}");
        if !KEYS.contains(*key) {
            return invalid(&field, format!("is not a key of a telephone; choose one of {KEYS}"));
        }
        check_way_out(world, settings, &field, to)?;
    }
    let told = &rules.announcements;
    if let Some(prompt) = &told.initial {
        check_announcement("queue.waiting.announcements.initial", prompt)?;
    }
    if let Some(every) = told.every {
        check_span("queue.waiting.announcements.every", every, ANNOUNCE_MIN, CONVERSATION_MAX)?;
    }
    if told.comfort.len() > COMFORT_PROMPTS {
        return invalid("queue.waiting.announcements.comfort", format!("holds more than {COMFORT_PROMPTS}"));
    }
    told.comfort.iter().try_for_each(|prompt| check_announcement("queue.waiting.announcements.comfort", prompt))
}

/// Whether no queue's rule leads there.
pub(super) fn unnamed(world: &World, destination: &Destination, field: &str) -> Result<(), Refusal> {
    let leads = |settings: &Settings| {
        let rules = &settings.waiting;
        rules.overflow.iter().map(|rule| &rule.to).chain(rules.keys.values()).any(|to| to == destination)
    };
    let itself = |queue: &&Queue| {
        let own = queue.settings.id;
        *destination == Destination::Voicemail(Mailbox::Queue(own)) || *destination == Destination::Callback(own)
    };
    match world.queues.values().filter(|queue| !itself(queue)).find(|queue| leads(&queue.settings)) {
        Some(queue) => invalid(field, format!("queue \"{}\" leads to it by a rule; change that rule first", queue.settings.name)),
        None => flow::not_named(world, field, |node| node.destination().as_ref() == Some(destination), |to| to == destination),
    }
}

fn check_condition(field: &str, condition: &Condition) -> Result<(), Refusal> {
    match condition {
        Condition::Length { at_least } if *at_least > WAITING_PER_QUEUE => {
            invalid(&format!("{field}.at_least"), format!("must be from 0 to {WAITING_PER_QUEUE}"))
        }
        Condition::Waited { after } => check_span(&format!("{field}.after"), *after, Millis::from_secs(1), CONVERSATION_MAX),
        Condition::NoAgents { after } => check_span(&format!("{field}.after"), *after, Millis::default(), CONVERSATION_MAX),
        Condition::EstimatedWait { at_least } => {
            check_span(&format!("{field}.at_least"), *at_least, Millis::from_secs(1), CONVERSATION_MAX)
        }
        Condition::Length { .. } | Condition::Closed => Ok(()),
    }
}

/// A queue's own mailbox and callbacks are there with the queue.
fn check_way_out(world: &World, settings: &Settings, field: &str, to: &Destination) -> Result<(), Refusal> {
    let own = [Destination::Voicemail(Mailbox::Queue(settings.id)), Destination::Callback(settings.id)];
    if own.contains(to) { Ok(()) } else { check_destination(world, field, to) }
}

/// Whether a place a rule names is there.
pub(crate) fn check_destination(world: &World, field: &str, to: &Destination) -> Result<(), Refusal> {
    match to {
        Destination::Queue(id) | Destination::Callback(id) if !world.queues.contains_key(id) => {
            invalid(field, format!("names {id}, which does not exist; create the queue first"))
        }
        Destination::Agent(id) if world.agents.get(id).is_none_or(|agent| agent.retiring) => {
            invalid(field, format!("names {id}, which does not exist; create the agent first"))
        }
        Destination::Number(number) => check_dialable(field, number),
        Destination::Message(prompt) => check_announcement(field, prompt),
        Destination::Voicemail(mailbox) if world.mailbox(*mailbox).is_none() => {
            invalid(field, format!("names the mailbox of {mailbox}, which does not exist; create the queue or agent first"))
        }
        Destination::Flow(id) if world.flow(*id).is_none() => {
            invalid(field, format!("names {id}, which does not exist; publish the flow first"))
        }
        Destination::Person(name) => check_sign_in_name(field, name),
        Destination::Queue(_)
        | Destination::Agent(_)
        | Destination::Flow(_)
        | Destination::Voicemail(_)
        | Destination::Callback(_)
        | Destination::HangUp => Ok(()),
    }
}

/// Whether a prompt can be told once: it has to end.
pub(crate) fn check_announcement(field: &str, prompt: &Prompt) -> Result<(), Refusal> {
    check_prompt(field, prompt)?;
    match prompt {
        Prompt::Music | Prompt::Ringback => invalid(field, "never ends; choose a file or a text".to_owned()),
        Prompt::File { .. } | Prompt::Text { .. } | Prompt::Beep => Ok(()),
    }
}
