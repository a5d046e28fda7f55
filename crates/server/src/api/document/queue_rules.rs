//! A queue's rules, as programs see them: how agents are chosen, and what happens to those who wait.

use super::{mailbox::Mailbox, queue::Prompt, reference::Reference};
use crate::{api::extract, error::Problem};
use dreiklang_core::{callback::CallbackRules, config, queue, routing, time::Millis};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// How agents are chosen, and how visits take turns.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Routing {
    /// Which of the agents who could take a visit is asked.
    pub strategy: Strategy,
    /// What is asked of agents less and less strictly while a visit waits; each adds to those before it.
    pub rings: Vec<Ring>,
    /// How the priority of a visit grows while it waits; absent: not at all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub aging: Option<Aging>,
    /// How much waiting counts beside other queues of equal priority; usually 100.
    #[schema(minimum = 1)]
    pub weight: u16,
}

impl Default for Routing {
    fn default() -> Self {
        Routing { strategy: Strategy::LongestIdle, rings: Vec::new(), aging: None, weight: 100 }
    }
}

/// Which of several agents is asked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Strategy {
    /// Who has been idle longest.
    #[default]
    LongestIdle,
    /// Each in turn.
    RoundRobin,
    /// Who has had the fewest calls.
    FewestCalls,
    /// All at once; the first to answer takes it.
    RingAll,
    /// Who knows the asked skills best.
    SkillLevel,
}

/// What is asked less strictly once a visit has waited for some time.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Ring {
    /// From this waiting time on.
    pub after_ms: u64,
    /// By how much the level of every asked skill sinks.
    pub lower: u8,
    /// Skills (ids or names) that are not asked for any more.
    pub drop: Vec<String>,
    /// Languages that will do as well.
    pub languages: Vec<String>,
    /// Any language will do.
    pub any_language: bool,
    /// Queues (ids or names) whose agents are asked too.
    pub queues: Vec<String>,
    /// Agents (ids or names) who are asked too.
    pub agents: Vec<String>,
}

/// How the priority of a visit grows while it waits: by `step` in each `every_ms`, up to `max`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Aging {
    /// The time in which it grows by `step`.
    pub every_ms: u64,
    /// By how much.
    pub step: u8,
    /// The priority it stops at.
    pub max: u8,
}

/// What happens to those who wait.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Waiting {
    /// Opening hours (id or name) the queue goes by; absent: always open.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hours: Option<String>,
    /// Tried in order; the first that applies leads the customer away.
    pub overflow: Vec<Overflow>,
    /// What those who wait are told.
    pub announcements: Announcements,
    /// Keys that lead out of the queue, and where.
    pub keys: BTreeMap<char, Destination>,
}

/// One way out of a queue by rule.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Overflow {
    /// When it applies.
    pub when: Condition,
    /// Where it leads.
    pub to: Destination,
}

/// When an overflow rule applies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Condition {
    /// So many wait already when the customer comes.
    Length {
        /// Waiting, without the one who comes.
        at_least: u32,
    },
    /// The customer has waited so long; also while a telephone rings.
    Waited {
        /// Since the visit began.
        after_ms: u64,
    },
    /// When the customer comes, the likely wait is so long.
    EstimatedWait {
        /// The likely wait.
        at_least_ms: u64,
    },
    /// Nobody who serves the queue has been on duty for so long.
    NoAgents {
        /// Zero applies at once.
        after_ms: u64,
    },
    /// The queue is closed when the customer comes.
    Closed,
}

/// Where a rule leads.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "kind", content = "to", rename_all = "snake_case")]
pub enum Destination {
    /// A queue, by id or name.
    Queue(String),
    /// An agent, by id or name.
    Agent(String),
    /// A telephone number outside.
    Number(String),
    /// A person of the organization who is no agent, by sign-in name.
    Person(String),
    /// A call flow, by id or name.
    Flow(String),
    /// Leave a message.
    Voicemail(Mailbox),
    /// Be called back from a queue, by id or name, instead of waiting.
    Callback(String),
    /// Hear this, then be let go.
    Message(Prompt),
    /// Be let go.
    HangUp,
}

/// What those who wait are told beside the music.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Announcements {
    /// Heard on entering.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub initial: Option<Prompt>,
    /// How often something is told; absent: never after the initial one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub every_ms: Option<u64>,
    /// Tell the place in the line.
    pub position: bool,
    /// Tell the estimated wait, as a range.
    pub estimate: bool,
    /// Told in turn, between position and estimate.
    pub comfort: Vec<Prompt>,
}

/// How a queue calls back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct CallbackSettings {
    /// How often the customer is called at most.
    #[schema(minimum = 1, maximum = 10)]
    pub attempts: u8,
    /// Time between one attempt and the next.
    pub gap_ms: u64,
    /// Open callbacks at most.
    pub most: u32,
}

impl Default for CallbackSettings {
    fn default() -> Self {
        let usual = CallbackRules::default();
        CallbackSettings { attempts: usual.attempts, gap_ms: usual.gap.0, most: usual.most }
    }
}

impl CallbackSettings {
    /// In the core's words.
    pub(super) fn to_core(self) -> CallbackRules {
        CallbackRules { attempts: self.attempts, gap: Millis(self.gap_ms), most: self.most }
    }
}

impl Routing {
    /// Every place where another document is named.
    pub(super) fn references(&mut self) -> impl Iterator<Item = (Reference, &mut String)> {
        self.rings.iter_mut().flat_map(|ring| {
            let skills = ring.drop.iter_mut().map(|skill| (Reference::Skill, skill));
            let queues = ring.queues.iter_mut().map(|queue| (Reference::Queue, queue));
            skills.chain(queues).chain(ring.agents.iter_mut().map(|agent| (Reference::Agent, agent)))
        })
    }

    /// In the core's words; references are ids here.
    pub(super) fn to_core(&self) -> Result<queue::RoutingRules, Problem> {
        Ok(queue::RoutingRules {
            strategy: match self.strategy {
                Strategy::LongestIdle => routing::Strategy::LongestIdle,
                Strategy::RoundRobin => routing::Strategy::RoundRobin,
                Strategy::FewestCalls => routing::Strategy::FewestCalls,
                Strategy::RingAll => routing::Strategy::RingAll,
                Strategy::SkillLevel => routing::Strategy::SkillLevel,
            },
            rings: self.rings.iter().map(Ring::to_core).collect::<Result<_, _>>()?,
            aging: self.aging.map(|aging| queue::Aging { every: Millis(aging.every_ms), step: aging.step, max: aging.max }),
            weight: self.weight,
        })
    }
}

impl Ring {
    fn to_core(&self) -> Result<queue::Ring, Problem> {
        Ok(queue::Ring {
            after: Millis(self.after_ms),
            lower: self.lower,
            drop: self.drop.iter().map(|skill| extract::id("skill", skill)).collect::<Result<_, _>>()?,
            languages: self.languages.clone(),
            any_language: self.any_language,
            queues: self.queues.iter().map(|queue| extract::id("queue", queue)).collect::<Result<_, _>>()?,
            agents: self.agents.iter().map(|agent| extract::id("agent", agent)).collect::<Result<_, _>>()?,
        })
    }
}

impl Waiting {
    /// Every place where another document is named.
    pub(super) fn references(&mut self) -> impl Iterator<Item = (Reference, &mut String)> {
        let hours = self.hours.iter_mut().map(|hours| (Reference::Hours, hours));
        let to = self.overflow.iter_mut().map(|rule| &mut rule.to).chain(self.keys.values_mut());
        hours.chain(to.filter_map(Destination::reference))
    }

    /// Every prompt it plays.
    pub(super) fn prompts(&self) -> impl Iterator<Item = &Prompt> {
        let to = self.overflow.iter().map(|rule| &rule.to).chain(self.keys.values());
        let said = to.filter_map(Destination::prompt);
        self.announcements.initial.iter().chain(&self.announcements.comfort).chain(said)
    }

    /// In the core's words; references are ids here.
    pub(super) fn to_core(&self) -> Result<queue::WaitingRules, Problem> {
        let told = &self.announcements;
        let rule = |rule: &Overflow| Ok::<_, Problem>(queue::OverflowRule { when: rule.when.to_core(), to: rule.to.to_core()? });
        Ok(queue::WaitingRules {
            overflow: self.overflow.iter().map(rule).collect::<Result<_, _>>()?,
            announcements: queue::Announcements {
                initial: told.initial.as_ref().map(Prompt::to_core),
                every: told.every_ms.map(Millis),
                position: told.position,
                estimate: told.estimate,
                comfort: told.comfort.iter().map(Prompt::to_core).collect(),
            },
            hours: self.hours.as_ref().map(|hours| extract::id("opening hours", hours)).transpose()?,
            keys: self.keys.iter().map(|(key, to)| Ok::<_, Problem>((*key, to.to_core()?))).collect::<Result<_, _>>()?,
        })
    }
}

impl Condition {
    fn to_core(self) -> queue::Condition {
        match self {
            Condition::Length { at_least } => queue::Condition::Length { at_least },
            Condition::Waited { after_ms } => queue::Condition::Waited { after: Millis(after_ms) },
            Condition::EstimatedWait { at_least_ms } => queue::Condition::EstimatedWait { at_least: Millis(at_least_ms) },
            Condition::NoAgents { after_ms } => queue::Condition::NoAgents { after: Millis(after_ms) },
            Condition::Closed => queue::Condition::Closed,
        }
    }
}

impl Destination {
    /// The document it names, if it names one.
    pub(super) fn reference(&mut self) -> Option<(Reference, &mut String)> {
        match self {
            Destination::Queue(queue) | Destination::Callback(queue) => Some((Reference::Queue, queue)),
            Destination::Agent(agent) => Some((Reference::Agent, agent)),
            Destination::Flow(flow) => Some((Reference::Flow, flow)),
            Destination::Voicemail(mailbox) => Some(mailbox.reference()),
            Destination::Number(_) | Destination::Person(_) | Destination::Message(_) | Destination::HangUp => None,
        }
    }

    /// What it says, if it says something.
    pub(super) fn prompt(&self) -> Option<&Prompt> {
        match self {
            Destination::Message(prompt) => Some(prompt),
            _ => None,
        }
    }

    /// In the core's words; references are ids here.
    pub(super) fn to_core(&self) -> Result<config::Destination, Problem> {
        Ok(match self {
            Destination::Queue(queue) => config::Destination::Queue(extract::id("queue", queue)?),
            Destination::Agent(agent) => config::Destination::Agent(extract::id("agent", agent)?),
            Destination::Number(number) => config::Destination::Number(number.clone()),
            Destination::Person(name) => config::Destination::Person(name.clone()),
            Destination::Flow(flow) => config::Destination::Flow(extract::id("flow", flow)?),
            Destination::Voicemail(mailbox) => config::Destination::Voicemail(mailbox.to_core()?),
            Destination::Callback(queue) => config::Destination::Callback(extract::id("queue", queue)?),
            Destination::Message(prompt) => config::Destination::Message(prompt.to_core()),
            Destination::HangUp => config::Destination::HangUp,
        })
    }
}
