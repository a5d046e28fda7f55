//! The nodes of call flows, as programs see them. Expressions are texts, references ids or names.

use super::{
    flow::{Told, expression},
    mailbox::Mailbox,
    queue::Prompt,
    queue_rules::Destination,
    reference::Reference,
};
use crate::{api::extract, error::Problem};
use dreiklang_core::{flow, time::Millis};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// One node of a flow.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Node {
    /// Say something that a caller hears once per call.
    Greet {
        /// What is said.
        says: Told,
        /// The node that follows.
        next: String,
    },
    /// Say something.
    Say {
        /// What is said.
        says: Told,
        /// A key ends it early.
        #[serde(default)]
        interrupt: bool,
        /// The node that follows.
        next: String,
    },
    /// Let the caller choose with one key.
    Menu(Box<Menu>),
    /// Take several keys.
    Collect(Box<Collect>),
    /// Go by opening hours.
    Hours {
        /// Which, by id or name.
        hours: String,
        /// The node while they are open.
        open: String,
        /// The node while they are closed.
        closed: String,
    },
    /// Go by the first condition that holds.
    Branch {
        /// In the order they are asked.
        cases: Vec<Case>,
        /// The node when none holds.
        otherwise: String,
    },
    /// Compute variables.
    Set {
        /// Expressions by variable.
        values: BTreeMap<String, String>,
        /// The node that follows.
        next: String,
    },
    /// Say which language the caller speaks.
    Language {
        /// An expression such as `"de"` with its quotes.
        language: String,
        /// The node that follows.
        next: String,
    },
    /// Let the caller rate something with one key.
    Survey(Box<Survey>),
    /// Ask a web service of your organization and go on by its answer.
    AskService(Box<AskService>),
    /// Let the caller wait for an agent.
    Queue {
        /// The queue, by id or name.
        queue: String,
        /// An expression for a whole number from 0 to 100.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        priority: Option<String>,
        /// Asked of the agent on top of what queue and number ask.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        skills: Vec<AskedSkill>,
        /// The node when the queue takes nobody; absent: the fallback.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        otherwise: Option<String>,
    },
    /// Hand the caller to somebody.
    Transfer {
        /// To whom.
        to: Destination,
        /// The node when that one cannot be had or does not answer; absent: the fallback.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        otherwise: Option<String>,
    },
    /// Let the caller leave a message.
    Voicemail {
        /// In whose mailbox.
        mailbox: Mailbox,
        /// The node when that is not possible; absent: the fallback.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        otherwise: Option<String>,
    },
    /// Offer to call the caller back.
    Callback {
        /// From which queue, by id or name.
        queue: String,
        /// The node when that is not possible; absent: the fallback.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        otherwise: Option<String>,
    },
    /// Let the caller go.
    HangUp {
        /// Said before.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        says: Option<Told>,
    },
}

/// A question answered with one key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Menu {
    /// The question.
    pub says: Told,
    /// The node that follows each key.
    pub keys: BTreeMap<char, String>,
    /// How long a key is waited for once all is said.
    #[serde(default = "defaults::wait_ms")]
    pub wait_ms: u64,
    /// How often the question is put.
    #[serde(default = "defaults::attempts")]
    pub attempts: u8,
    /// Said instead of the question after a wrong key or none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wrong: Option<Told>,
    /// A key may come while the question is being said.
    #[serde(default = "defaults::interrupt")]
    pub interrupt: bool,
    /// The node when no attempt brought a choice.
    pub otherwise: String,
}

/// A question answered with several keys.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Collect {
    /// The question.
    pub says: Told,
    /// The variable that takes the keys.
    pub into: String,
    /// How many keys at least.
    #[serde(default = "defaults::one")]
    pub least: u8,
    /// How many keys at most.
    pub most: u8,
    /// The key that completes the answer, `#` or `*`; the empty text for none.
    #[serde(default = "defaults::end_key")]
    pub end_key: String,
    /// How long the first key is waited for once all is said.
    #[serde(default = "defaults::wait_ms")]
    pub wait_ms: u64,
    /// How long each further key is waited for.
    #[serde(default = "defaults::between_ms")]
    pub between_ms: u64,
    /// How often the question is put.
    #[serde(default = "defaults::attempts")]
    pub attempts: u8,
    /// Said instead of the question after a wrong answer or none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wrong: Option<Told>,
    /// An expression that has to hold, with the answer in its variable.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub check: Option<String>,
    /// A key may come while the question is being said.
    #[serde(default = "defaults::interrupt")]
    pub interrupt: bool,
    /// What is typed is a secret: it is written nowhere and not recorded. Only `check` may look at it, and `send` of an `ask_service`
    /// with `post`.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub private: bool,
    /// The node that follows a right answer.
    pub next: String,
    /// The node when no attempt brought one.
    pub otherwise: String,
}

/// A question answered with a score.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Survey {
    /// What is asked about, for reports.
    #[schema(example = "satisfaction")]
    pub question: String,
    /// The question.
    pub says: Told,
    /// The lowest score.
    #[serde(default = "defaults::one")]
    pub least: u8,
    /// The highest score, which is the best.
    #[serde(default = "defaults::five")]
    pub most: u8,
    /// The variable, an int, that takes the score.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub into: Option<String>,
    /// How long a key is waited for once all is said.
    #[serde(default = "defaults::wait_ms")]
    pub wait_ms: u64,
    /// How often the question is put.
    #[serde(default = "defaults::attempts")]
    pub attempts: u8,
    /// Said instead of the question after a wrong key or none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wrong: Option<Told>,
    /// A key may come while the question is being said.
    #[serde(default = "defaults::interrupt")]
    pub interrupt: bool,
    /// The node that follows a score.
    pub next: String,
    /// The node when no attempt brought one.
    pub otherwise: String,
}

/// A question to a service.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AskService {
    /// Which, by id or name.
    pub service: String,
    /// How it is asked.
    #[serde(default)]
    pub method: Method,
    /// Added to the service's address; may hold expressions in braces, each of which is one name within the path.
    #[schema(example = "/customers/{caller}")]
    pub path: String,
    /// Expressions by name: sent in the query with `get`, as a JSON object with `post`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub send: BTreeMap<String, String>,
    /// Variables by name, each with a JSON Pointer (RFC 6901) into the answer.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schema(example = json!({ "name": "/customer/name" }))]
    pub take: BTreeMap<String, String>,
    /// The variable, an int, that takes the status of the answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<String>,
    /// How long an answer is waited for, at most 20 seconds. The caller hears nothing meanwhile.
    #[serde(default = "defaults::service_limit_ms")]
    pub limit_ms: u64,
    /// The node that follows an answer with a status from 200 to 299.
    pub next: String,
    /// The node that follows any other answer, or when the service could not be asked.
    pub failed: String,
    /// The node when no answer came in time; absent: as `failed`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout: Option<String>,
}

/// How a service is asked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Method {
    /// By GET, to read something.
    #[default]
    Get,
    /// By POST, to have something done.
    Post,
}

/// One of several conditions.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Case {
    /// An expression that is true or false.
    pub when: String,
    /// The node when it holds.
    pub to: String,
}

/// A skill a flow asks for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AskedSkill {
    /// Which, by id or name.
    pub skill: String,
    /// At least this level.
    #[serde(default = "defaults::one")]
    pub level: u8,
    /// An expression; only asked for when it holds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub when: Option<String>,
}

mod defaults {
    pub(super) fn wait_ms() -> u64 {
        5_000
    }
    pub(super) fn between_ms() -> u64 {
        3_000
    }
    pub(super) fn attempts() -> u8 {
        3
    }
    pub(super) fn interrupt() -> bool {
        true
    }
    pub(super) fn one() -> u8 {
        1
    }
    pub(super) fn service_limit_ms() -> u64 {
        5_000
    }
    pub(super) fn five() -> u8 {
        5
    }
    pub(super) fn end_key() -> String {
        "#".to_owned()
    }
}

impl Node {
    /// Every place where another document is named.
    pub(super) fn references(&mut self) -> Vec<(Reference, &mut String)> {
        match self {
            Node::Queue { queue, skills, .. } => {
                let skills = skills.iter_mut().map(|asked| (Reference::Skill, &mut asked.skill));
                std::iter::once((Reference::Queue, queue)).chain(skills).collect()
            }
            Node::Transfer { to, .. } => to.reference().into_iter().collect(),
            Node::Voicemail { mailbox, .. } => vec![mailbox.reference()],
            Node::Callback { queue, .. } => vec![(Reference::Queue, queue)],
            Node::Hours { hours, .. } => vec![(Reference::Hours, hours)],
            Node::AskService(asked) => vec![(Reference::Service, &mut asked.service)],
            _ => Vec::new(),
        }
    }

    /// Every prompt it plays.
    pub(super) fn prompts(&self) -> Vec<&Prompt> {
        match self {
            Node::Greet { says, .. } | Node::Say { says, .. } | Node::HangUp { says: Some(says) } => says.prompts().collect(),
            Node::Menu(menu) => menu.says.prompts().chain(menu.wrong.iter().flat_map(Told::prompts)).collect(),
            Node::Survey(survey) => survey.says.prompts().chain(survey.wrong.iter().flat_map(Told::prompts)).collect(),
            Node::Collect(collect) => collect.says.prompts().chain(collect.wrong.iter().flat_map(Told::prompts)).collect(),
            Node::Transfer { to, .. } => to.prompt().into_iter().collect(),
            _ => Vec::new(),
        }
    }

    /// In the core's words; `field` is the node's own place.
    pub(super) fn to_core(&self, field: &str) -> Result<flow::Node, Problem> {
        let read = |name: &str, source: &String| expression(&format!("{field}.{name}"), source);
        Ok(match self.clone() {
            Node::Greet { says, next } => flow::Node::Greet { says: says.to_core(), next },
            Node::Say { says, interrupt, next } => flow::Node::Say { says: says.to_core(), interrupt, next },
            Node::Menu(menu) => flow::Node::Menu(Box::new(menu.to_core())),
            Node::Collect(collect) => flow::Node::Collect(Box::new(collect.to_core(field)?)),
            Node::Hours { hours, open, closed } => flow::Node::Hours { hours: extract::id("hours", &hours)?, open, closed },
            Node::Branch { cases, otherwise } => {
                let cases = cases.into_iter().enumerate().map(|(index, case)| {
                    let when = read(&format!("cases[{index}].when"), &case.when)?;
                    Ok::<_, Problem>(flow::Case { when, to: case.to })
                });
                flow::Node::Branch { cases: cases.collect::<Result<_, _>>()?, otherwise }
            }
            Node::Set { values, next } => {
                let values = values.into_iter().map(|(name, value)| {
                    let value = read(&format!("values.{name}"), &value)?;
                    Ok::<_, Problem>((name, value))
                });
                flow::Node::Set { values: values.collect::<Result<_, _>>()?, next }
            }
            Node::Language { language, next } => flow::Node::Language { language: read("language", &language)?, next },
            Node::Survey(survey) => flow::Node::Survey(Box::new(survey.to_core())),
            Node::AskService(asked) => flow::Node::AskService(Box::new(asked.to_core(field)?)),
            Node::Queue { queue, priority, skills, otherwise } => {
                let skills = skills.iter().enumerate().map(|(index, asked)| {
                    let when = asked.when.as_ref().map(|when| read(&format!("skills[{index}].when"), when)).transpose()?;
                    Ok::<_, Problem>(flow::AskedSkill { skill: extract::id("skill", &asked.skill)?, level: asked.level, when })
                });
                flow::Node::Queue {
                    queue: extract::id("queue", &queue)?,
                    priority: priority.as_ref().map(|priority| read("priority", priority)).transpose()?,
                    skills: skills.collect::<Result<_, _>>()?,
                    otherwise,
                }
            }
            Node::Transfer { to, otherwise } => flow::Node::Transfer { to: to.to_core()?, otherwise },
            Node::Voicemail { mailbox, otherwise } => flow::Node::Voicemail { mailbox: mailbox.to_core()?, otherwise },
            Node::Callback { queue, otherwise } => flow::Node::Callback { queue: extract::id("queue", &queue)?, otherwise },
            Node::HangUp { says } => flow::Node::HangUp { says: says.map(|says| says.to_core()) },
        })
    }
}

impl Menu {
    fn to_core(&self) -> flow::Menu {
        flow::Menu {
            says: self.says.to_core(),
            keys: self.keys.clone(),
            wait: Millis(self.wait_ms),
            attempts: self.attempts,
            wrong: self.wrong.as_ref().map(Told::to_core),
            interrupt: self.interrupt,
            otherwise: self.otherwise.clone(),
        }
    }
}

impl Survey {
    fn to_core(&self) -> flow::Survey {
        flow::Survey {
            question: self.question.clone(),
            says: self.says.to_core(),
            least: self.least,
            most: self.most,
            into: self.into.clone(),
            wait: Millis(self.wait_ms),
            attempts: self.attempts,
            wrong: self.wrong.as_ref().map(Told::to_core),
            interrupt: self.interrupt,
            next: self.next.clone(),
            otherwise: self.otherwise.clone(),
        }
    }
}

impl AskService {
    fn to_core(&self, field: &str) -> Result<flow::AskService, Problem> {
        let send = self.send.iter().map(|(name, value)| {
            let value = expression(&format!("{field}.send.{name}"), value)?;
            Ok::<_, Problem>((name.clone(), value))
        });
        Ok(flow::AskService {
            service: extract::id("service", &self.service)?,
            method: match self.method {
                Method::Get => flow::Method::Get,
                Method::Post => flow::Method::Post,
            },
            path: self.path.clone(),
            send: send.collect::<Result<_, _>>()?,
            take: self.take.clone(),
            status: self.status.clone(),
            limit: Millis(self.limit_ms),
            next: self.next.clone(),
            failed: self.failed.clone(),
            timeout: self.timeout.clone(),
        })
    }
}

impl Collect {
    fn to_core(&self, field: &str) -> Result<flow::Collect, Problem> {
        let check = self.check.as_ref().map(|check| expression(&format!("{field}.check"), check)).transpose()?;
        let mut keys = self.end_key.chars();
        let end_key = keys.next();
        if keys.next().is_some() {
            return Err(Problem::invalid(&format!("{field}.end_key"), "One key at most; write # or *, or nothing."));
        }
        Ok(flow::Collect {
            says: self.says.to_core(),
            into: self.into.clone(),
            least: self.least,
            most: self.most,
            end_key,
            wait: Millis(self.wait_ms),
            between: Millis(self.between_ms),
            attempts: self.attempts,
            wrong: self.wrong.as_ref().map(Told::to_core),
            check,
            interrupt: self.interrupt,
            private: self.private,
            next: self.next.clone(),
            otherwise: self.otherwise.clone(),
        })
    }
}
