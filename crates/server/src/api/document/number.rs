//! Numbers that callers dial, as programs see them.

use super::{
    agent::Line,
    kind::Kind,
    queue::{Prompt, SkillNeed},
    reference::Reference,
};
use crate::{api::extract, error::Problem};
use dreiklang_core::{
    config::{self, Change},
    ids::NumberId,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A number callers dial, and what happens then.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Number {
    /// As the line delivers it; `+` and digits for public numbers. Unique.
    #[schema(example = "+4930123456")]
    pub number: String,
    /// The line it arrives on.
    #[serde(default)]
    pub line: Line,
    /// Said before anything else.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub greeting: Option<Prompt>,
    /// Where it leads.
    pub target: Target,
    /// Asked of the agent on top of the queue's skills.
    #[serde(default)]
    pub skills: Vec<SkillNeed>,
    /// Overrides the queue's priority.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(maximum = 100)]
    pub priority: Option<u8>,
}

/// Where a number leads.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "kind", content = "id", rename_all = "snake_case", deny_unknown_fields)]
pub enum Target {
    /// Into a queue: its id or name.
    Queue(String),
    /// To one agent: the id or name.
    Agent(String),
}

impl Kind for Number {
    const KIND: &'static str = "number";
    const WHAT: &'static str = "number";
    const PREFIX: &'static str = NumberId::PREFIX;

    fn name(&self) -> &str {
        &self.number
    }

    fn references(&mut self) -> Vec<(Reference, &mut String)> {
        let target = match &mut self.target {
            Target::Queue(queue) => (Reference::Queue, queue),
            Target::Agent(agent) => (Reference::Agent, agent),
        };
        let skills = self.skills.iter_mut().map(|need| (Reference::Skill, &mut need.skill));
        std::iter::once(target).chain(skills).collect()
    }

    fn change(&self, id: &str) -> Result<Option<Change>, Problem> {
        let target = match &self.target {
            Target::Queue(queue) => config::Target::Queue(extract::id("queue", queue)?),
            Target::Agent(agent) => config::Target::Agent(extract::id("agent", agent)?),
        };
        Ok(Some(Change::PutNumber(config::Number {
            greeting: self.greeting.as_ref().map(Prompt::to_core),
            skills: self.skills.iter().map(SkillNeed::to_core).collect::<Result<_, _>>()?,
            priority: self.priority,
            ..config::Number::new(extract::id("number", id)?, &self.number, self.line.into(), target)
        })))
    }

    fn removal(id: &str) -> Result<Option<Change>, Problem> {
        Ok(Some(Change::RemoveNumber(extract::id("number", id)?)))
    }
}
