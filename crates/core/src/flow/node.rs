//! The nodes of a flow, each with its ways out.

use super::{AskService, NodeKey, Survey, Told};
use crate::{
    config::{Destination, Mailbox},
    expression::Expression,
    ids::{HoursId, QueueId, SkillId},
    time::Millis,
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// One node.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Node {
    /// Say something that a customer hears once per call, however often a flow begins anew.
    Greet {
        /// What is said.
        says: Told,
        /// What follows.
        next: NodeKey,
    },
    /// Say something.
    Say {
        /// What is said.
        says: Told,
        /// A key ends it early, and counts where it leads to a question.
        #[serde(default)]
        interrupt: bool,
        /// What follows.
        next: NodeKey,
    },
    /// Let the customer choose with one key.
    Menu(Box<Menu>),
    /// Take several keys: a customer's number, say.
    Collect(Box<Collect>),
    /// Go by opening hours, switches by hand included.
    Hours {
        /// Which.
        hours: HoursId,
        /// While they are open.
        open: NodeKey,
        /// While they are closed.
        closed: NodeKey,
    },
    /// Go by conditions; the first that holds.
    Branch {
        /// In the order they are asked.
        cases: Vec<Case>,
        /// When none holds. A condition that cannot be computed does not hold.
        otherwise: NodeKey,
    },
    /// Compute variables, all from what they were before.
    Set {
        /// The new values by variable.
        values: BTreeMap<String, Expression>,
        /// What follows.
        next: NodeKey,
    },
    /// Say which language the customer speaks, for prompts and queues.
    Language {
        /// A text such as `"de"`; the empty text for none in particular.
        language: Expression,
        /// What follows.
        next: NodeKey,
    },
    /// Let the customer rate something with one key.
    Survey(Box<Survey>),
    /// Ask a service of the organization, and go on by its answer.
    AskService(Box<AskService>),
    /// Let the customer wait for an agent.
    Queue {
        /// Where.
        queue: QueueId,
        /// A whole number from 0 to 100 instead of the priority of number and queue.
        #[serde(default)]
        priority: Option<Expression>,
        /// Asked of the agent on top of what queue and number ask.
        #[serde(default)]
        skills: Vec<AskedSkill>,
        /// When the queue is full, or closed without a rule; without it the flow's fallback.
        #[serde(default)]
        otherwise: Option<NodeKey>,
    },
    /// Hand the customer to somebody.
    Transfer {
        /// To whom.
        to: Destination,
        /// When that one cannot be reached or does not answer; without it the flow's fallback.
        #[serde(default)]
        otherwise: Option<NodeKey>,
    },
    /// Let the customer leave a message.
    Voicemail {
        /// For whom.
        mailbox: Mailbox,
        /// When that is not possible; without it the flow's fallback.
        #[serde(default)]
        otherwise: Option<NodeKey>,
    },
    /// Offer to call the customer back.
    Callback {
        /// From which queue.
        queue: QueueId,
        /// When that is not possible; without it the flow's fallback.
        #[serde(default)]
        otherwise: Option<NodeKey>,
    },
    /// Let the customer go.
    HangUp {
        /// Said before.
        #[serde(default)]
        says: Option<Told>,
    },
}

/// A question answered with one key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Menu {
    /// The question.
    pub says: Told,
    /// What follows each key.
    pub keys: BTreeMap<char, NodeKey>,
    /// How long a key is waited for once all is said.
    #[serde(default = "defaults::wait")]
    pub wait: Millis,
    /// How often the question is put.
    #[serde(default = "defaults::attempts")]
    pub attempts: u8,
    /// Said instead of the question after a wrong key or none.
    #[serde(default)]
    pub wrong: Option<Told>,
    /// A key may come while the question is being said.
    #[serde(default = "defaults::interrupt")]
    pub interrupt: bool,
    /// What follows when no attempt brought a choice.
    pub otherwise: NodeKey,
}

/// A question answered with several keys.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Collect {
    /// The question.
    pub says: Told,
    /// The variable that takes the keys: a text, or a whole number (which forgets zeros in front).
    pub into: String,
    /// How many keys at least.
    #[serde(default = "defaults::least")]
    pub least: u8,
    /// How many keys at most; the last one completes the answer.
    pub most: u8,
    /// The key that completes the answer and is no part of it.
    #[serde(default = "defaults::end_key")]
    pub end_key: Option<char>,
    /// How long the first key is waited for once all is said.
    #[serde(default = "defaults::wait")]
    pub wait: Millis,
    /// How long each further key is waited for; then the answer is complete if it is long enough.
    #[serde(default = "defaults::between")]
    pub between: Millis,
    /// How often the question is put.
    #[serde(default = "defaults::attempts")]
    pub attempts: u8,
    /// Said instead of the question after a wrong answer or none.
    #[serde(default)]
    pub wrong: Option<Told>,
    /// What has to hold, with the answer in its variable.
    #[serde(default)]
    pub check: Option<Expression>,
    /// A key may come while the question is being said.
    #[serde(default = "defaults::interrupt")]
    pub interrupt: bool,
    /// What is typed stands nowhere, and is neither written nor recorded: only `check` and what a service is sent can use it.
    #[serde(default)]
    pub private: bool,
    /// What follows a right answer.
    pub next: NodeKey,
    /// What follows when no attempt brought one.
    pub otherwise: NodeKey,
}

/// One of several conditions.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Case {
    /// True or false.
    pub when: Expression,
    /// What follows when it holds.
    pub to: NodeKey,
}

/// A skill a flow asks for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AskedSkill {
    /// Which.
    pub skill: SkillId,
    /// At least this level.
    #[serde(default = "defaults::level")]
    pub level: u8,
    /// Only asked for when this holds.
    #[serde(default)]
    pub when: Option<Expression>,
}

impl Menu {
    /// A question with the usual patience.
    pub fn new(says: Told, keys: impl IntoIterator<Item = (char, &'static str)>, otherwise: &str) -> Menu {
        Menu {
            says,
            keys: keys.into_iter().map(|(key, to)| (key, to.to_owned())).collect(),
            wait: defaults::wait(),
            attempts: defaults::attempts(),
            wrong: None,
            interrupt: true,
            otherwise: otherwise.to_owned(),
        }
    }
}

impl Collect {
    /// A question with the usual patience, for up to `most` keys.
    pub fn new(says: Told, into: &str, most: u8, next: &str, otherwise: &str) -> Collect {
        Collect {
            says,
            into: into.to_owned(),
            least: defaults::least(),
            most,
            end_key: defaults::end_key(),
            wait: defaults::wait(),
            between: defaults::between(),
            attempts: defaults::attempts(),
            wrong: None,
            check: None,
            interrupt: true,
            private: false,
            next: next.to_owned(),
            otherwise: otherwise.to_owned(),
        }
    }
}

impl Node {
    /// Its ways out: the name of each, and where it leads. A way that is not drawn leads to the flow's fallback.
    pub fn exits(&self) -> Vec<(String, &str)> {
        match self {
            Node::Greet { next, .. } | Node::Say { next, .. } | Node::Set { next, .. } | Node::Language { next, .. } => {
                vec![("next".to_owned(), next)]
            }
            Node::Menu(menu) => {
                let keys = menu.keys.iter().map(|(key, to)| (format!("keys.{key}"), to.as_str()));
                keys.chain([("otherwise".to_owned(), menu.otherwise.as_str())]).collect()
            }
            Node::Collect(collect) => vec![("next".to_owned(), &collect.next), ("otherwise".to_owned(), &collect.otherwise)],
            Node::Survey(survey) => vec![("next".to_owned(), &survey.next), ("otherwise".to_owned(), &survey.otherwise)],
            Node::Hours { open, closed, .. } => vec![("open".to_owned(), open), ("closed".to_owned(), closed)],
            Node::Branch { cases, otherwise } => {
                let cases = cases.iter().enumerate().map(|(index, case)| (format!("cases[{index}].to"), case.to.as_str()));
                cases.chain([("otherwise".to_owned(), otherwise.as_str())]).collect()
            }
            Node::AskService(asked) => [("next", Some(&asked.next)), ("failed", Some(&asked.failed)), ("timeout", asked.timeout.as_ref())]
                .into_iter()
                .filter_map(|(exit, to)| Some((exit.to_owned(), to?.as_str())))
                .collect(),
            Node::Queue { otherwise, .. }
            | Node::Transfer { otherwise, .. }
            | Node::Voicemail { otherwise, .. }
            | Node::Callback { otherwise, .. } => otherwise.iter().map(|to| ("otherwise".to_owned(), to.as_str())).collect(),
            Node::HangUp { .. } => Vec::new(),
        }
    }

    /// What it says, with the name of the field.
    pub(crate) fn told(&self) -> Vec<(&'static str, &Told)> {
        match self {
            Node::Greet { says, .. } | Node::Say { says, .. } | Node::HangUp { says: Some(says) } => vec![("says", says)],
            Node::Menu(menu) => [("says", &menu.says)].into_iter().chain(menu.wrong.iter().map(|told| ("wrong", told))).collect(),
            Node::Survey(asked) => [("says", &asked.says)].into_iter().chain(asked.wrong.iter().map(|told| ("wrong", told))).collect(),
            Node::Collect(asked) => [("says", &asked.says)].into_iter().chain(asked.wrong.iter().map(|told| ("wrong", told))).collect(),
            _ => Vec::new(),
        }
    }

    /// Where it leads out of the flow.
    pub fn destination(&self) -> Option<Destination> {
        match self {
            Node::Queue { queue, .. } => Some(Destination::Queue(*queue)),
            Node::Transfer { to, .. } => Some(to.clone()),
            Node::Voicemail { mailbox, .. } => Some(Destination::Voicemail(*mailbox)),
            Node::Callback { queue, .. } => Some(Destination::Callback(*queue)),
            _ => None,
        }
    }

    /// Its expressions, with the name of the field; those within spoken texts are not among them.
    pub(crate) fn expressions(&self) -> Vec<(String, &Expression)> {
        match self {
            Node::Branch { cases, .. } => {
                cases.iter().enumerate().map(|(index, case)| (format!("cases[{index}].when"), &case.when)).collect()
            }
            Node::Set { values, .. } => values.iter().map(|(name, value)| (format!("values.{name}"), value)).collect(),
            Node::Language { language, .. } => vec![("language".to_owned(), language)],
            Node::Collect(collect) => collect.check.iter().map(|check| ("check".to_owned(), check)).collect(),
            Node::AskService(asked) => asked.send.iter().map(|(name, value)| (format!("send.{name}"), value)).collect(),
            Node::Queue { priority, skills, .. } => {
                let asked = skills.iter().enumerate();
                let asked = asked.filter_map(|(index, asked)| Some((format!("skills[{index}].when"), asked.when.as_ref()?)));
                priority.iter().map(|priority| ("priority".to_owned(), priority)).chain(asked).collect()
            }
            _ => Vec::new(),
        }
    }
}

pub(super) mod defaults {
    use super::Millis;

    pub fn wait() -> Millis {
        Millis::from_secs(5)
    }
    pub fn between() -> Millis {
        Millis::from_secs(3)
    }
    pub fn attempts() -> u8 {
        3
    }
    pub fn interrupt() -> bool {
        true
    }
    pub fn least() -> u8 {
        1
    }
    #[allow(clippy::unnecessary_wraps, reason = "serde wants the field's own type")]
    pub fn end_key() -> Option<char> {
        Some('#')
    }
    pub fn least_score() -> u8 {
        1
    }
    pub fn most_score() -> u8 {
        5
    }
    pub fn service_limit() -> Millis {
        Millis::from_secs(5)
    }
    pub fn level() -> u8 {
        1
    }
}
