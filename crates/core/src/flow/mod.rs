//! Call flows: what a customer hears, is asked, and where that leads, drawn by an administrator as nodes that lead to each other.
//!
//! A flow is checked before it is published ([`validate`]), so that every way out of a node leads somewhere and every expression
//! can be computed. What cannot be known before (a loop that never waits, an answer of the wrong kind) is cut at run time:
//! the customer is then led to the flow's fallback, never left standing.
//!
//! `interpret` says what a node wants, without doing it; the engine does it for real, [`dry_run`] on paper.

mod dry_run;
mod interpret;
mod node;
mod private;
mod run;
mod service;
mod survey;
mod text;
mod validate;

pub use dry_run::{Answer, Script, Trace, TraceEnd, TraceStep, dry_run};
pub(crate) use interpret::{Doing, Heard, Situation, Step};
pub use node::{AskedSkill, Case, Collect, Menu, Node};
pub(crate) use private::Typed;
pub use private::{PRIVATE_KEY, PRIVATE_VALUE, PrivateValue};
pub use run::{Editions, FlowEnd, Run};
pub use service::{AskService, Method, PathPart, ServiceAnswer, ServiceRequest};
pub(crate) use survey::Score;
pub use survey::Survey;
pub use validate::problems;
pub(crate) use validate::{not_named, put_flow};

use node::defaults;

use crate::{
    config::Destination,
    expression::{Expression, Type, Value},
    ids::FlowId,
    output::Prompt,
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A key of a node within its flow, such as `main_menu`.
pub type NodeKey = String;

/// A published call flow.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Flow {
    /// Which.
    pub id: FlowId,
    /// Shown to people; unique in the tenant.
    pub name: String,
    /// The node a customer comes to first.
    pub start: NodeKey,
    /// All nodes.
    pub nodes: BTreeMap<NodeKey, Node>,
    /// What the flow remembers about a call, by name.
    #[serde(default)]
    pub variables: BTreeMap<String, Variable>,
    /// Where customers go when the flow cannot go on: a limit is reached, or something it needs is not there.
    pub fallback: Destination,
}

/// Something a flow remembers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Variable {
    /// What it can hold.
    pub kind: Type,
    /// What it holds at first; without it the empty text, 0, false or null.
    #[serde(default)]
    pub default: Option<Expression>,
}

/// What a customer is told, in one language or several.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Told {
    /// What is said when nothing else fits. Spoken texts may hold expressions in braces: `You are caller {number}.`
    pub prompt: Prompt,
    /// What is said instead to customers of a language, by its BCP 47 tag; `de` stands for `de-AT` as well.
    #[serde(default)]
    pub languages: BTreeMap<String, Prompt>,
}

impl Flow {
    /// A flow of these nodes that begins with the one called `start`.
    pub fn new(id: FlowId, name: &str, nodes: impl IntoIterator<Item = (&'static str, Node)>, fallback: Destination) -> Flow {
        let nodes = nodes.into_iter().map(|(key, node)| (key.to_owned(), node)).collect();
        Flow { id, name: name.to_owned(), start: "start".to_owned(), nodes, variables: BTreeMap::new(), fallback }
    }

    /// A flow in name only, for others to name before it is drawn itself: two flows may lead to each other. The one that is drawn
    /// takes its place, as the same version.
    pub fn announced(id: FlowId, name: &str) -> Flow {
        const ONLY: &str = "announced";
        let hang_up = Node::HangUp { says: None };
        let flow = Flow::new(id, name, [(ONLY, hang_up)], Destination::Message(Prompt::Beep));
        Flow { start: ONLY.to_owned(), ..flow }
    }

    fn is_announced(&self) -> bool {
        *self == Flow::announced(self.id, &self.name)
    }
}

impl Variable {
    /// An empty one.
    pub fn new(kind: Type) -> Variable {
        Variable { kind, default: None }
    }

    /// What it holds before anything was set. Defaults are checked to be computable before a flow is published.
    pub(crate) fn first(&self) -> Value {
        let computed = self.default.as_ref().and_then(|default| default.evaluate(&crate::expression::Scope::new()).ok());
        computed.unwrap_or_else(|| match self.kind {
            Type::Bool => Value::Bool(false),
            Type::Int => Value::Int(0),
            Type::Double => Value::Double(0.0),
            Type::String => Value::String(String::new()),
            Type::List => Value::List(Vec::new()),
            Type::Map => Value::Map(BTreeMap::new()),
            Type::Any | Type::Null | Type::Timestamp | Type::Duration => Value::Null,
        })
    }

    /// Whether it can hold this.
    pub(crate) fn takes(&self, value: &Value) -> bool {
        self.kind == Type::Any || value.kind() == self.kind
    }
}

impl Told {
    /// The same for everybody.
    pub fn new(prompt: Prompt) -> Told {
        Told { prompt, languages: BTreeMap::new() }
    }

    /// What customers of this language are told.
    pub(crate) fn choose(&self, language: Option<&str>) -> &Prompt {
        let find = |tag: &str| self.languages.iter().find(|(known, _)| known.eq_ignore_ascii_case(tag)).map(|(_, prompt)| prompt);
        let primary = |tag: &str| tag.split('-').next().and_then(find);
        language.and_then(|tag| find(tag).or_else(|| primary(tag))).unwrap_or(&self.prompt)
    }

    /// Every wording.
    pub(crate) fn prompts(&self) -> impl Iterator<Item = &Prompt> {
        std::iter::once(&self.prompt).chain(self.languages.values())
    }
}
