//! What customers type that must stand nowhere: the number of a card, a secret number.
//!
//! It lives in the memory of whoever carries the flow out, beside the world, from the first key to the end of the flow. Facts and
//! wishes name what was typed and never say it; a new process does not have it and asks again.

use super::{Collect, Flow, Node, NodeKey};
use crate::expression::{Expression, Value};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, fmt};

/// Stands for one key of a private answer. No telephone has it.
pub const PRIVATE_KEY: char = '•';
/// Stands for a private value, whatever its length.
pub const PRIVATE_VALUE: &str = "•••";

/// A value with a name that is carried and never written: not with the facts, and in no text about it.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub struct PrivateValue {
    /// Its name.
    pub name: String,
    #[serde(skip)]
    value: Option<Value>,
}

impl PrivateValue {
    pub(crate) fn new(name: &str, value: Value) -> PrivateValue {
        PrivateValue { name: name.to_owned(), value: Some(value) }
    }

    /// What it is; `None` where it was read back from what is written.
    pub fn value(&self) -> Option<&Value> {
        self.value.as_ref()
    }

    /// As it may be written.
    pub(crate) fn written(&self) -> PrivateValue {
        PrivateValue { name: self.name.clone(), value: None }
    }
}

impl fmt::Debug for PrivateValue {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: {PRIVATE_VALUE}", self.name)
    }
}

/// What one customer has typed privately in the present flow.
#[derive(Clone, Default, PartialEq)]
pub(crate) struct Typed {
    /// Keys of the answer so far.
    pub(crate) keyed: String,
    /// Complete answers, by variable.
    pub(crate) values: BTreeMap<String, Value>,
}

impl fmt::Debug for Typed {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_list().entries(self.values.keys()).finish()
    }
}

impl Flow {
    /// The private question that a node puts.
    pub(crate) fn private_question(&self, node: &str) -> Option<&Collect> {
        match self.nodes.get(node) {
            Some(Node::Collect(collect)) if collect.private => Some(collect),
            _ => None,
        }
    }

    /// Whether a key pressed at this node may be part of a private answer: at the question, and where a key leads straight to it.
    pub(crate) fn hears_privately(&self, node: &str) -> bool {
        let next = match self.nodes.get(node) {
            Some(Node::Say { interrupt: true, next, .. }) => next,
            _ => node,
        };
        self.private_question(next).is_some()
    }

    /// Variables that hold what is typed privately, each with a node that asks for it.
    pub(super) fn private_variables(&self) -> BTreeMap<&str, &NodeKey> {
        self.nodes.keys().filter_map(|key| Some((self.private_question(key)?.into.as_str(), key))).collect()
    }
}

/// The first of these variables that an expression reads.
pub(super) fn reads<'a>(expression: &Expression, private: &BTreeMap<&'a str, &NodeKey>) -> Option<&'a str> {
    let read = expression.variables();
    private.keys().copied().find(|name| read.contains(name))
}
