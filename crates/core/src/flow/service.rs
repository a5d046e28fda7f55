//! A node that asks a service of the organization: what is asked, and what becomes of the answer.

use super::{Flow, NodeKey, PrivateValue, Step, defaults, interpret::weight};
use crate::{
    expression::{Expression, Key, Type, Value},
    ids::ServiceId,
    limits::{FLOW_VALUE_BYTES, TEXT_CHARS},
    text::clip,
    time::Millis,
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A question to a service.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AskService {
    /// Which.
    pub service: ServiceId,
    /// Whether something is read there or done.
    #[serde(default)]
    pub method: Method,
    /// What is asked for there, such as `/customers/{caller}`.
    pub path: String,
    /// What is sent along, by name.
    #[serde(default)]
    pub send: BTreeMap<String, Expression>,
    /// What is taken from the answer: variables, each with its place there as a JSON Pointer (RFC 6901) such as `/customer/name`.
    #[serde(default)]
    pub take: BTreeMap<String, String>,
    /// The variable that takes the answer's status, a whole number.
    #[serde(default)]
    pub status: Option<String>,
    /// How long an answer is waited for.
    #[serde(default = "defaults::service_limit")]
    pub limit: Millis,
    /// What follows an answer that says yes.
    pub next: NodeKey,
    /// What follows any other answer, or when there can be none.
    pub failed: NodeKey,
    /// What follows when no answer came in time; without it what follows a failure.
    #[serde(default)]
    pub timeout: Option<NodeKey>,
}

/// What a service is asked to do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Method {
    /// Tell something.
    #[default]
    Get,
    /// Take something.
    Post,
}

/// What a service is asked, with everything computed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ServiceRequest {
    /// To tell or to take something.
    pub method: Method,
    /// What is asked for there, in order.
    pub path: Vec<PathPart>,
    /// What is sent along.
    #[serde(default)]
    pub send: Vec<(String, Value)>,
    /// What is sent along and written nowhere.
    #[serde(default)]
    pub private: Vec<PrivateValue>,
    /// How long an answer is waited for.
    pub limit: Millis,
}

/// A piece of what is asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PathPart {
    /// As the administrator wrote it.
    Written(String),
    /// As it was computed: whatever it holds, it is one name within the path.
    Computed(String),
}

/// What a service answered.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ServiceAnswer {
    /// From 200 to 299 it says yes.
    pub status: u16,
    /// What it says.
    pub body: Value,
}

impl ServiceRequest {
    /// As it may be written.
    pub(crate) fn written(&self) -> ServiceRequest {
        ServiceRequest { private: self.private.iter().map(PrivateValue::written).collect(), ..self.clone() }
    }
}

impl AskService {
    /// A question that reads something, with the usual patience.
    pub fn new(service: ServiceId, path: &str, next: &str, failed: &str) -> AskService {
        AskService {
            service,
            method: Method::Get,
            path: path.to_owned(),
            send: BTreeMap::new(),
            take: BTreeMap::new(),
            status: None,
            limit: defaults::service_limit(),
            next: next.to_owned(),
            failed: failed.to_owned(),
            timeout: None,
        }
    }

    /// The way on when there can be no answer.
    pub(super) fn failed(&self, problem: String) -> Step {
        Step { problem: Some(problem), ..Step::new("failed", &self.failed) }
    }

    /// The way on when no answer came in time.
    pub(super) fn timed_out(&self) -> Step {
        let problem = Some(format!("the service did not answer within {} ms", self.limit.0));
        let step = match &self.timeout {
            Some(to) => Step::new("timeout", to),
            None => Step::new("failed", &self.failed),
        };
        Step { problem, ..step }
    }

    /// The way on after an answer.
    pub(super) fn answered(&self, flow: &Flow, answer: &ServiceAnswer) -> Step {
        let status = self.status.iter().map(|name| (name.clone(), Value::Int(answer.status.into())));
        if !(200..300).contains(&answer.status) {
            let problem = format!("the service answered {}", answer.status);
            return Step { set: status.collect(), ..self.failed(problem) };
        }
        let mut set: Vec<(String, Value)> = status.collect();
        let mut problem = None;
        for (name, place) in &self.take {
            // What is not there, or nothing, leaves the variable as it was.
            let Some(found) = point(&answer.body, place).filter(|found| **found != Value::Null) else { continue };
            let kind = flow.variables.get(name).map_or(Type::Any, |variable| variable.kind);
            match fit(found, kind) {
                Some(value) if weight(&value).is_some_and(|bytes| bytes <= FLOW_VALUE_BYTES) => set.push((name.clone(), value)),
                Some(_) => problem = Some(format!("what stands at {place} is too much to be kept in {name}")),
                None => problem = Some(format!("what stands at {place} is not of the kind {name} was declared with")),
            }
        }
        Step { set, problem: problem.map(|problem| clip(problem, TEXT_CHARS)), ..Step::new("next", &self.next) }
    }
}

/// Whether a text names a place in an answer (RFC 6901 §3).
pub(super) fn is_place(text: &str) -> bool {
    let escaped = |part: &str| part.split('~').skip(1).all(|rest| rest.starts_with(['0', '1']));
    text.is_empty() || (text.starts_with('/') && text.split('/').all(escaped))
}

/// What stands at a place of an answer (RFC 6901 §4).
fn point<'a>(body: &'a Value, place: &str) -> Option<&'a Value> {
    place.split('/').skip(1).try_fold(body, |found, part| {
        let name = part.replace("~1", "/").replace("~0", "~");
        match found {
            Value::Map(map) => map.get(&Key::String(name)),
            Value::List(list) if name == "0" || !name.starts_with(['0', '+']) => list.get(name.parse::<usize>().ok()?),
            _ => None,
        }
    })
}

/// A value as a variable of this kind can hold it: numbers may be texts and whole numbers may have a fraction, as long as nothing
/// is lost.
fn fit(value: &Value, kind: Type) -> Option<Value> {
    match (value, kind) {
        (_, Type::Any) => Some(value.clone()),
        (_, kind) if value.kind() == kind => Some(value.clone()),
        (Value::Int(number), Type::String) => Some(Value::String(number.to_string())),
        (Value::Double(number), Type::String) => Some(Value::String(number.to_string())),
        (Value::Bool(truth), Type::String) => Some(Value::String(truth.to_string())),
        #[allow(clippy::cast_precision_loss, reason = "beyond 2^53 a rounded number is what a fraction means")]
        (Value::Int(number), Type::Double) => Some(Value::Double(*number as f64)),
        (Value::String(text), Type::Int) => text.parse().ok().map(Value::Int),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_found_as_the_standard_says() {
        let body = Value::map([
            ("foo", Value::List(vec![Value::from("bar"), Value::from("baz")])),
            ("", Value::Int(0)),
            ("a/b", Value::Int(1)),
            ("m~n", Value::Int(8)),
            ("~1", Value::Int(9)),
        ]);
        let at = |place| point(&body, place).cloned();
        assert_eq!(at(""), Some(body.clone()));
        assert_eq!(at("/foo/0"), Some(Value::from("bar")));
        assert_eq!(at("/"), Some(Value::Int(0)));
        assert_eq!(at("/a~1b"), Some(Value::Int(1)));
        assert_eq!(at("/m~0n"), Some(Value::Int(8)));
        assert_eq!(at("/~01"), Some(Value::Int(9)));
        assert_eq!([at("/foo/2"), at("/foo/-"), at("/foo/01"), at("/foo/+1"), at("/foo/0/x"), at("/bar")], [const { None }; 6]);
        assert!(["", "/", "/a/b", "/~0~1"].into_iter().all(is_place));
        assert!(!["a", "/~", "/~2", "#/a"].into_iter().any(is_place));
    }

    #[test]
    fn values_take_the_kind_of_their_variable_as_long_as_nothing_is_lost() {
        assert_eq!(fit(&Value::Int(7), Type::String), Some(Value::from("7")));
        assert_eq!(fit(&Value::from("0042"), Type::Int), Some(Value::Int(42)));
        assert_eq!(fit(&Value::from("four"), Type::Int), None);
        assert_eq!(fit(&Value::Double(1.5), Type::Int), None);
        assert_eq!(fit(&Value::Int(2), Type::Double), Some(Value::Double(2.0)));
        assert_eq!(fit(&Value::from("yes"), Type::Bool), None);
        assert_eq!(fit(&Value::from("yes"), Type::Any), Some(Value::from("yes")));
    }
}
