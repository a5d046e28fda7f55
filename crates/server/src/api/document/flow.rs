//! Call flows, as programs see them. What is written is published; calls that are under way keep the version they began with.

use super::{
    agent::Line,
    flow_node::{Method, Node},
    kind::Kind,
    queue::Prompt,
    queue_rules::Destination,
    reference::Reference,
};
use crate::{api::extract, error::Problem};
use dreiklang_core::{
    config::Change,
    endpoint::Party,
    expression::{self, Expression, Plain},
    flow,
    ids::FlowId,
    time::Timestamp,
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// What callers go through before an agent, as nodes that lead to each other.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Flow {
    /// Shown to people; unique.
    #[schema(example = "Hotline")]
    pub name: String,
    /// The node a caller comes to first.
    #[serde(default = "start")]
    pub start: String,
    /// All nodes, by names of your choice.
    pub nodes: BTreeMap<String, Node>,
    /// What the flow remembers about a call, by name.
    #[serde(default)]
    pub variables: BTreeMap<String, Variable>,
    /// Where callers go when the flow cannot go on.
    pub fallback: Destination,
}

fn start() -> String {
    "start".to_owned()
}

/// Something a flow remembers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Variable {
    /// What it can hold.
    pub kind: VariableKind,
    /// An expression for what it holds at first; absent: the empty text, 0, false or nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default: Option<String>,
}

/// What a variable can hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum VariableKind {
    /// A text.
    String,
    /// A whole number.
    Int,
    /// Yes or no.
    Bool,
    /// A number with a fraction.
    Double,
    /// Values in an order.
    List,
    /// Values by keys.
    Map,
    /// Anything.
    Any,
}

/// What callers are told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Told {
    /// What is said when no language fits. Spoken texts may hold expressions in braces.
    pub prompt: Prompt,
    /// What is said instead to callers of a language, by its tag.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub languages: BTreeMap<String, Prompt>,
}

impl Told {
    /// Every wording.
    pub(crate) fn prompts(&self) -> impl Iterator<Item = &Prompt> {
        std::iter::once(&self.prompt).chain(self.languages.values())
    }

    pub(super) fn to_core(&self) -> flow::Told {
        let languages = self.languages.iter().map(|(tag, prompt)| (tag.clone(), prompt.to_core())).collect();
        flow::Told { prompt: self.prompt.to_core(), languages }
    }
}

/// Reads an expression; `field` is where it stands.
pub(super) fn expression(field: &str, source: &str) -> Result<Expression, Problem> {
    Expression::parse(source).map_err(|error| Problem::invalid(field, error.to_string()))
}

impl VariableKind {
    fn to_core(self) -> expression::Type {
        match self {
            VariableKind::String => expression::Type::String,
            VariableKind::Int => expression::Type::Int,
            VariableKind::Bool => expression::Type::Bool,
            VariableKind::Double => expression::Type::Double,
            VariableKind::List => expression::Type::List,
            VariableKind::Map => expression::Type::Map,
            VariableKind::Any => expression::Type::Any,
        }
    }
}

impl Flow {
    /// In the core's words; references are ids here.
    ///
    /// # Errors
    /// When a reference is no id, or an expression cannot be read.
    pub fn to_core(&self, id: &str) -> Result<flow::Flow, Problem> {
        let variable = |(name, variable): (&String, &Variable)| {
            let field = format!("variables.{name}.default");
            let default = variable.default.as_ref().map(|default| expression(&field, default)).transpose()?;
            Ok::<_, Problem>((name.clone(), flow::Variable { kind: variable.kind.to_core(), default }))
        };
        let node = |(key, node): (&String, &Node)| Ok::<_, Problem>((key.clone(), node.to_core(&format!("nodes.{key}"))?));
        Ok(flow::Flow {
            id: extract::id("flow", id)?,
            name: self.name.clone(),
            start: self.start.clone(),
            nodes: self.nodes.iter().map(node).collect::<Result<_, _>>()?,
            variables: self.variables.iter().map(variable).collect::<Result<_, _>>()?,
            fallback: self.fallback.to_core()?,
        })
    }

    /// What keeps it from being read, place by place.
    pub(super) fn unreadable(&self) -> Vec<Problem> {
        let nodes = self.nodes.iter().filter_map(|(key, node)| node.to_core(&format!("nodes.{key}")).err());
        let default =
            |(name, variable): (&String, &Variable)| expression(&format!("variables.{name}.default"), variable.default.as_deref()?).err();
        nodes.chain(self.variables.iter().filter_map(default)).chain(self.fallback.to_core().err()).collect()
    }

    /// Every prompt it plays.
    pub(crate) fn prompts(&self) -> impl Iterator<Item = &Prompt> {
        self.nodes.values().flat_map(Node::prompts).chain(self.fallback.prompt())
    }
}

impl Kind for Flow {
    const KIND: &'static str = "flow";
    const WHAT: &'static str = "flow";
    const PREFIX: &'static str = FlowId::PREFIX;

    fn name(&self) -> &str {
        &self.name
    }

    fn references(&mut self) -> Vec<(Reference, &mut String)> {
        self.nodes.values_mut().flat_map(Node::references).chain(self.fallback.reference()).collect()
    }

    fn change(&self, id: &str) -> Result<Option<Change>, Problem> {
        Ok(Some(Change::PutFlow(Box::new(self.to_core(id)?))))
    }

    /// Flows lead to each other.
    fn announcement(&self, id: &str) -> Result<Option<Change>, Problem> {
        Ok(Some(Change::PutFlow(Box::new(flow::Flow::announced(extract::id("flow", id)?, &self.name)))))
    }

    fn removal(id: &str) -> Result<Option<Change>, Problem> {
        Ok(Some(Change::RemoveFlow(extract::id("flow", id)?)))
    }
}

/// A call that is played through on paper.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DryRun {
    /// The flow, published or not.
    pub flow: Flow,
    /// Its id, when it is published already; else it is checked as a new one.
    #[serde(default)]
    pub id: Option<String>,
    /// Who calls; absent: withheld.
    #[serde(default)]
    pub caller: Option<String>,
    /// What is dialed.
    #[serde(default)]
    pub dialed: String,
    /// Over which line.
    #[serde(default = "connected")]
    pub line: Line,
    /// The caller's language, as far as it is known at the beginning.
    #[serde(default)]
    pub language: Option<String>,
    /// When, in milliseconds since 1970; absent: now.
    #[serde(default)]
    pub at: Option<i64>,
    /// What comes whenever the flow waits, in order; after the last, nothing comes.
    #[serde(default)]
    pub answers: Vec<Answer>,
}

fn connected() -> Line {
    Line::Connected
}

/// One thing that comes while a flow waits.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    /// The caller presses these keys.
    Keys(String),
    /// The caller does nothing.
    Nothing,
    /// Whom or what the flow leads to cannot be had, or the service that it asks cannot be reached.
    Unavailable,
    /// The service that is asked answers this.
    Service {
        /// Its status.
        #[serde(default = "well")]
        status: u16,
        /// What it says, as JSON.
        #[serde(default)]
        body: serde_json::Value,
    },
}

fn well() -> u16 {
    200
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct FlowTrace {
    /// Node by node.
    pub steps: Vec<TraceStep>,
    /// `led`, `finished` or `fallback`.
    pub end: String,
    /// Where the caller was led; ids.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Object)]
    pub to: Option<serde_json::Value>,
    /// Why the flow could not go on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
}

/// One node.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct TraceStep {
    /// Which.
    pub node: String,
    /// What was said there, in order.
    #[schema(value_type = Vec<Prompt>)]
    pub said: Vec<dreiklang_core::output::Prompt>,
    /// What a service was asked there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub asked: Option<AskedService>,
    /// Keys pressed there; `•••` where they are private.
    pub keyed: String,
    /// The way out that was taken.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exit: Option<String>,
    /// Variables that changed.
    #[schema(value_type = Object)]
    pub set: serde_json::Map<String, serde_json::Value>,
    /// What could not be computed and was passed over.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
}

/// What a service would be asked.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct AskedService {
    /// How.
    pub method: Method,
    /// The path, with all computed.
    pub path: String,
    /// What is sent along; `•••` in place of what is typed privately.
    #[schema(value_type = Object)]
    pub send: serde_json::Value,
}

impl AskedService {
    fn of(request: flow::ServiceRequest) -> Result<AskedService, Problem> {
        let part = |part| match part {
            flow::PathPart::Written(text) | flow::PathPart::Computed(text) => text,
        };
        let hidden = request.private.into_iter().map(|value| (value.name, expression::Value::from(flow::PRIVATE_VALUE)));
        let send = request.send.into_iter().chain(hidden);
        Ok(AskedService {
            method: match request.method {
                flow::Method::Get => Method::Get,
                flow::Method::Post => Method::Post,
            },
            path: request.path.into_iter().map(part).collect(),
            send: serde_json::to_value(Plain(expression::Value::map(send))).map_err(|error| Problem::failure(&error))?,
        })
    }
}

/// A call that is played through on paper in a flow's draft.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DraftDryRun {
    /// Who calls; absent: withheld.
    #[serde(default)]
    pub caller: Option<String>,
    /// What is dialed.
    #[serde(default)]
    pub dialed: String,
    /// Over which line; absent: connected.
    #[serde(default)]
    pub line: Option<Line>,
    /// The caller's language, as far as it is known at the beginning.
    #[serde(default)]
    pub language: Option<String>,
    /// When, in milliseconds since 1970; absent: now.
    #[serde(default)]
    pub at: Option<i64>,
    /// What comes whenever the flow waits, in order; after the last, nothing comes.
    #[serde(default)]
    pub answers: Vec<Answer>,
}

impl DraftDryRun {
    /// The same of a flow that is sent along.
    pub(crate) fn of(self, id: &str, flow: Flow) -> DryRun {
        let DraftDryRun { caller, dialed, line, language, at, answers } = self;
        DryRun { flow, id: Some(id.to_owned()), caller, dialed, line: line.unwrap_or_else(connected), language, at, answers }
    }
}

impl DryRun {
    pub(crate) fn script(&self, now: Timestamp) -> flow::Script {
        let answer = |answer: &Answer| match answer.clone() {
            Answer::Keys(keys) => flow::Answer::Keys(keys),
            Answer::Nothing => flow::Answer::Nothing,
            Answer::Unavailable => flow::Answer::Unavailable,
            Answer::Service { status, body } => {
                let Plain(body) = serde_json::from_value(body).unwrap_or(Plain(expression::Value::Null));
                flow::Answer::Service(flow::ServiceAnswer { status, body })
            }
        };
        flow::Script {
            caller: Party { number: self.caller.clone(), name: None },
            dialed: self.dialed.clone(),
            line: self.line.into(),
            language: self.language.clone(),
            at: self.at.map_or(now, Timestamp),
            answers: self.answers.iter().map(answer).collect(),
        }
    }
}

impl FlowTrace {
    pub(crate) fn of(trace: flow::Trace) -> Result<FlowTrace, Problem> {
        let (end, to, problem) = match trace.end {
            flow::TraceEnd::Led { to, .. } => ("led", Some(to), None),
            flow::TraceEnd::Finished => ("finished", None, None),
            flow::TraceEnd::Fallback { problem } => ("fallback", None, Some(problem)),
        };
        let plain = |value| serde_json::to_value(value).map_err(|error| Problem::failure(&error));
        let step = |step: flow::TraceStep| {
            let set = step.set.into_iter().map(|(name, value)| Ok::<_, Problem>((name, plain(Plain(value))?)));
            let set = set.collect::<Result<_, _>>()?;
            Ok::<_, Problem>(TraceStep {
                node: step.node,
                said: step.said,
                asked: step.asked.map(AskedService::of).transpose()?,
                keyed: step.keyed,
                exit: step.exit,
                set,
                problem: step.problem,
            })
        };
        Ok(FlowTrace {
            steps: trace.steps.into_iter().map(step).collect::<Result<_, _>>()?,
            end: end.to_owned(),
            to: to.map(|to| serde_json::to_value(to).map_err(|error| Problem::failure(&error))).transpose()?,
            problem,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use dreiklang_core::ids::ServiceId;
    use serde_json::json;

    #[test]
    fn what_is_left_out_is_what_the_core_would_choose() {
        let id = FlowId(1);
        let prompt = json!({ "kind": "text", "text": "?", "language": "en" });
        let asks = json!({ "kind": "ask_service", "service": ServiceId(1), "path": "/", "next": "bye", "failed": "bye" });
        let nodes = json!({
            "asks": asks,
            "rates": { "kind": "survey", "question": "satisfaction", "says": { "prompt": prompt }, "next": "bye", "otherwise": "bye" },
            "start": { "kind": "menu", "says": { "prompt": prompt }, "keys": { "1": "code" }, "otherwise": "bye" },
            "code": { "kind": "collect", "says": { "prompt": prompt }, "into": "code", "most": 4, "next": "bye", "otherwise": "bye" },
            "bye": { "kind": "hang_up" },
        });
        let document = json!({ "name": "x", "start": "start", "nodes": nodes, "fallback": { "kind": "hang_up" } });
        let ours: Flow = serde_json::from_value(document.clone()).unwrap();
        let mut theirs = document;
        theirs["id"] = json!(id);
        let cores: flow::Flow = serde_json::from_value(theirs).unwrap();
        assert_eq!(ours.to_core(&id.to_string()).unwrap(), cores);
    }

    #[test]
    fn an_expression_that_cannot_be_read_is_named_with_its_place() {
        let nodes = json!({ "start": { "kind": "language", "language": "'de", "next": "start" } });
        let document = json!({ "name": "x", "nodes": nodes, "fallback": { "kind": "hang_up" } });
        let flow: Flow = serde_json::from_value(document).unwrap();
        let problem = flow.to_core(&FlowId(1).to_string()).unwrap_err();
        assert_eq!(problem.offending_field(), Some("nodes.start.language"));
    }
}
