//! Queues, as programs see them.

use super::{
    kind::Kind,
    mailbox::Voicemail,
    queue_agents::AgentRules,
    queue_calls::Calls,
    queue_rules::{CallbackSettings, Routing, Waiting},
    queue_written::WrittenRules,
    reference::Reference,
};
use crate::{api::extract, error::Problem};
use dreiklang_core::{config::Change, ids::QueueId, output, queue, time::Millis};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A waiting line.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Queue {
    /// Shown to people; unique.
    #[schema(example = "Support")]
    pub name: String,
    /// Skills every agent needs to be offered a visit of this queue.
    #[serde(default)]
    pub skills: Vec<SkillNeed>,
    /// Priority of visits that bring none of their own: 0 to 100, higher is served first.
    #[serde(default = "defaults::priority")]
    #[schema(maximum = 100)]
    pub priority: u8,
    /// How long an offer rings.
    #[serde(default = "defaults::ring_ms")]
    pub ring_ms: u64,
    /// What callers hear while they wait.
    #[serde(default)]
    pub hold_music: Prompt,
    /// The agent's time after a conversation.
    #[serde(default)]
    pub wrap_up: WrapUp,
    /// Whether and from when conversations are recorded.
    #[serde(default)]
    pub recording: RecordingPolicy,
    /// The promise by which service level is measured.
    #[serde(default)]
    pub service_level: ServiceLevel,
    /// Callers who leave within this time do not count as abandoned for the service level.
    #[serde(default = "defaults::short_abandon_ms")]
    pub short_abandon_ms: u64,
    /// How many may wait; the next is refused.
    #[serde(default = "defaults::max_waiting")]
    pub max_waiting: u32,
    /// How long one may wait; then the conversation ends. Absent: as long as the caller stays.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_wait_ms: Option<u64>,
    /// What happens during a call.
    #[serde(default)]
    pub calls: Calls,
    /// How agents are chosen, and how visits take turns.
    #[serde(default)]
    pub routing: Routing,
    /// What happens to those who wait.
    #[serde(default)]
    pub waiting: Waiting,
    /// How messages for everybody in it are taken.
    #[serde(default)]
    pub voicemail: Voicemail,
    /// Rules for its agents.
    #[serde(default)]
    pub agents: AgentRules,
    /// How customers are called back.
    #[serde(default)]
    pub callbacks: CallbackSettings,
    /// What is promised to those who write.
    #[serde(default)]
    pub written: WrittenRules,
}

/// A skill and the least level of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SkillNeed {
    /// The skill's id or name.
    #[schema(example = "german")]
    pub skill: String,
    /// At least this level, 1 to 10.
    #[serde(default = "defaults::level")]
    #[schema(minimum = 1, maximum = 10)]
    pub level: u8,
}

/// What somebody hears.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Prompt {
    /// An audio file among the tenant's prompts.
    File {
        /// Its name there.
        name: String,
    },
    /// A text, spoken.
    Text {
        /// What is said.
        text: String,
        /// BCP 47 tag such as `de` or `en-GB`.
        language: String,
    },
    /// The built-in hold music.
    #[default]
    Music,
    /// The sound of a ringing telephone.
    Ringback,
    /// A short tone: speak now.
    Beep,
}

/// The agent's time after a conversation.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum WrapUp {
    /// None.
    #[default]
    None,
    /// Ends by itself.
    Timed {
        /// How long.
        duration_ms: u64,
    },
    /// Ends when the agent or a supervisor says so, and at the latest after `agents.wrap_up.longest_ms`.
    UntilFinished,
}

/// Whether and from when conversations are recorded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum RecordingPolicy {
    /// Not at all.
    #[default]
    Off,
    /// From the moment customer and agent hear each other.
    FromAnswer,
    /// From the moment the customer enters the queue.
    FromQueue,
}

/// "`target` of the offered visits answered within `within_ms`".
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ServiceLevel {
    /// Share, 0 to 1.
    #[schema(minimum = 0, maximum = 1, example = 0.8)]
    pub target: f64,
    /// Waiting time that still counts as served in time.
    #[schema(example = 20_000)]
    pub within_ms: u64,
}

impl Default for ServiceLevel {
    fn default() -> Self {
        let usual = queue::ServiceLevel::default();
        ServiceLevel { target: usual.target, within_ms: usual.within.0 }
    }
}

mod defaults {
    pub(super) fn priority() -> u8 {
        50
    }
    pub(super) fn level() -> u8 {
        1
    }
    pub(super) fn ring_ms() -> u64 {
        20_000
    }
    pub(super) fn short_abandon_ms() -> u64 {
        5_000
    }
    pub(super) fn max_waiting() -> u32 {
        200
    }
}

impl SkillNeed {
    /// In the core's words; the reference is an id here.
    pub(super) fn to_core(&self) -> Result<queue::SkillRequirement, Problem> {
        Ok(queue::SkillRequirement { skill: extract::id("skill", &self.skill)?, level: self.level })
    }
}

impl Prompt {
    /// In the core's words.
    pub(crate) fn to_core(&self) -> output::Prompt {
        match self.clone() {
            Prompt::File { name } => output::Prompt::File { name },
            Prompt::Text { text, language } => output::Prompt::Text { text, language },
            Prompt::Music => output::Prompt::Music,
            Prompt::Ringback => output::Prompt::Ringback,
            Prompt::Beep => output::Prompt::Beep,
        }
    }
}

impl Kind for Queue {
    const KIND: &'static str = "queue";
    const WHAT: &'static str = "queue";
    const PREFIX: &'static str = QueueId::PREFIX;

    fn name(&self) -> &str {
        &self.name
    }

    fn references(&mut self) -> Vec<(Reference, &mut String)> {
        let skills = self.skills.iter_mut().map(|need| (Reference::Skill, &mut need.skill));
        skills.chain(self.routing.references()).chain(self.waiting.references()).chain(self.calls.references()).collect()
    }

    fn change(&self, id: &str) -> Result<Option<Change>, Problem> {
        Ok(Some(Change::PutQueue(queue::Settings {
            skills: self.skills.iter().map(SkillNeed::to_core).collect::<Result<_, _>>()?,
            priority: self.priority,
            ring: Millis(self.ring_ms),
            hold_music: self.hold_music.to_core(),
            wrap_up: match self.wrap_up {
                WrapUp::None => queue::Allowance::None,
                WrapUp::Timed { duration_ms } => queue::Allowance::Timed { duration: Millis(duration_ms) },
                WrapUp::UntilFinished => queue::Allowance::UntilFinished,
            },
            recording: match self.recording {
                RecordingPolicy::Off => queue::RecordingPolicy::Off,
                RecordingPolicy::FromAnswer => queue::RecordingPolicy::FromAnswer,
                RecordingPolicy::FromQueue => queue::RecordingPolicy::FromQueue,
            },
            service_level: queue::ServiceLevel { target: self.service_level.target, within: Millis(self.service_level.within_ms) },
            short_abandon: Millis(self.short_abandon_ms),
            max_waiting: self.max_waiting,
            max_wait: self.max_wait_ms.map(Millis),
            calls: Box::new(self.calls.to_core()?),
            routing: self.routing.to_core()?,
            waiting: Box::new(self.waiting.to_core()?),
            voicemail: Box::new(self.voicemail.to_core()),
            agents: Box::new(self.agents.to_core()),
            callbacks: self.callbacks.to_core(),
            written: self.written.to_core(),
            ..queue::Settings::new(extract::id("queue", id)?, &self.name)
        })))
    }

    /// Queues and agents name each other.
    fn announcement(&self, id: &str) -> Result<Option<Change>, Problem> {
        Ok(Some(Change::PutQueue(queue::Settings::new(extract::id("queue", id)?, &self.name))))
    }

    fn removal(id: &str) -> Result<Option<Change>, Problem> {
        Ok(Some(Change::RemoveQueue(extract::id("queue", id)?)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_out_is_what_the_core_would_choose() {
        let id = QueueId(1);
        let ours: Queue = serde_json::from_value(serde_json::json!({"name": "Support"})).unwrap();
        let cores: queue::Settings = serde_json::from_value(serde_json::json!({"id": id, "name": "Support"})).unwrap();
        assert_eq!(ours.change(&id.to_string()).unwrap(), Some(Change::PutQueue(cores)));
    }

    #[test]
    fn an_unknown_field_is_refused() {
        let error = serde_json::from_value::<Queue>(serde_json::json!({"name": "x", "rimg_ms": 1})).unwrap_err();
        assert!(error.to_string().contains("rimg_ms"));
    }
}
