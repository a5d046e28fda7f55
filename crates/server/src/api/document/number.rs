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
    queue,
    time::Millis,
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
    /// The language of those who dial it, as a BCP 47 tag: only agents who speak it are asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "fr")]
    pub language: Option<String>,
    /// The agent who is waited for first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub preferred: Option<Preferred>,
}

/// An agent a customer should rather have than any other.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Preferred {
    /// The agent's id or name.
    pub agent: String,
    /// How long the customer waits for that one alone; then for everybody.
    #[schema(example = 20_000)]
    pub wait_ms: u64,
}

impl Preferred {
    /// In the core's words; the reference is an id here.
    pub(super) fn to_core(&self) -> Result<queue::Preferred, Problem> {
        Ok(queue::Preferred { agent: extract::id("agent", &self.agent)?, wait: Millis(self.wait_ms) })
    }
}

/// Where a number leads.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "kind", content = "id", rename_all = "snake_case", deny_unknown_fields)]
pub enum Target {
    /// Into a queue: its id or name.
    Queue(String),
    /// To one agent: the id or name.
    Agent(String),
    /// Into a call flow: its id or name.
    Flow(String),
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
            Target::Flow(flow) => (Reference::Flow, flow),
        };
        let skills = self.skills.iter_mut().map(|need| (Reference::Skill, &mut need.skill));
        let preferred = self.preferred.iter_mut().map(|preferred| (Reference::Agent, &mut preferred.agent));
        std::iter::once(target).chain(skills).chain(preferred).collect()
    }

    fn change(&self, id: &str) -> Result<Option<Change>, Problem> {
        let target = match &self.target {
            Target::Queue(queue) => config::Target::Queue(extract::id("queue", queue)?),
            Target::Agent(agent) => config::Target::Agent(extract::id("agent", agent)?),
            Target::Flow(flow) => config::Target::Flow(extract::id("flow", flow)?),
        };
        Ok(Some(Change::PutNumber(config::Number {
            greeting: self.greeting.as_ref().map(Prompt::to_core),
            skills: self.skills.iter().map(SkillNeed::to_core).collect::<Result<_, _>>()?,
            priority: self.priority,
            language: self.language.clone(),
            preferred: self.preferred.as_ref().map(Preferred::to_core).transpose()?,
            ..config::Number::new(extract::id("number", id)?, &self.number, self.line.into(), target)
        })))
    }

    fn removal(id: &str) -> Result<Option<Change>, Problem> {
        Ok(Some(Change::RemoveNumber(extract::id("number", id)?)))
    }
}
