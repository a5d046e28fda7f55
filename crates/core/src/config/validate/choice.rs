//! What an agent may choose from, and what callers who want just this agent meet.

use super::{check_name, invalid, waiting::check_announcement};
use crate::{agent::Settings, limits::PROFILES_PER_AGENT, refusal::Refusal};

pub(super) fn check(settings: &Settings) -> Result<(), Refusal> {
    if let Some(queue) = settings.personal.filter(|queue| !settings.queues.contains(queue)) {
        return invalid("agent.personal", format!("names {queue}, which the agent does not serve; add it to the agent's queues"));
    }
    if let Some(prompt) = &settings.confirm {
        check_announcement("agent.confirm", prompt)?;
    }
    if settings.profiles.len() > PROFILES_PER_AGENT {
        return invalid("agent.profiles", format!("holds more than {PROFILES_PER_AGENT}"));
    }
    for (name, queues) in &settings.profiles {
        let field = format!("agent.profiles.{name}");
        check_name(&field, name)?;
        if let Some(queue) = queues.iter().find(|queue| !settings.queues.contains(queue)) {
            return invalid(&field, format!("names {queue}, which the agent does not serve; add it to the agent's queues"));
        }
    }
    Ok(())
}
