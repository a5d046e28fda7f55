//! What expressions compute with.

use crate::time::{Millis, Timestamp};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, fmt};

/// A value. Serializes with its type, so that it reads back as what it was; [`super::Plain`] is for exchange with others.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", content = "value", rename_all = "snake_case")]
pub enum Value {
    /// Nothing.
    Null,
    /// Yes or no.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// A number with a fraction.
    Double(#[serde(with = "any_double")] f64),
    /// A text.
    String(String),
    /// Values in an order.
    List(Vec<Value>),
    /// Values by keys.
    Map(#[serde(with = "pairs")] BTreeMap<Key, Value>),
    /// A moment, from the year 1 to 9999-12-30.
    Timestamp(jiff::Timestamp),
    /// A span in nanoseconds, forth or back.
    Duration(i64),
}

/// What a map can have as a key.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Key {
    /// Yes or no.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// A text.
    String(String),
}

impl Value {
    /// A map with texts as keys.
    pub fn map<K: Into<String>>(entries: impl IntoIterator<Item = (K, Value)>) -> Value {
        Value::Map(entries.into_iter().map(|(key, value)| (Key::String(key.into()), value)).collect())
    }

    /// The text, when it is one.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Value::String(text) => Some(text),
            _ => None,
        }
    }

    /// The whole number, when it is one.
    pub fn as_int(&self) -> Option<i64> {
        match self {
            Value::Int(number) => Some(*number),
            _ => None,
        }
    }

    /// Yes or no, when it is one of them.
    pub fn as_bool(&self) -> Option<bool> {
        match self {
            Value::Bool(truth) => Some(*truth),
            _ => None,
        }
    }
}

impl From<bool> for Value {
    fn from(truth: bool) -> Value {
        Value::Bool(truth)
    }
}

impl From<i64> for Value {
    fn from(number: i64) -> Value {
        Value::Int(number)
    }
}

impl From<f64> for Value {
    fn from(number: f64) -> Value {
        Value::Double(number)
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Value {
        Value::String(text.to_owned())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Value {
        Value::String(text)
    }
}

impl From<Vec<Value>> for Value {
    fn from(list: Vec<Value>) -> Value {
        Value::List(list)
    }
}

impl From<Timestamp> for Value {
    fn from(moment: Timestamp) -> Value {
        Value::Timestamp(crate::zone::instant(moment))
    }
}

impl From<Millis> for Value {
    fn from(span: Millis) -> Value {
        Value::Duration(i64::try_from(span.0).unwrap_or(i64::MAX).saturating_mul(1_000_000))
    }
}

impl From<Option<Value>> for Value {
    fn from(value: Option<Value>) -> Value {
        value.unwrap_or(Value::Null)
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Key::Bool(truth) => write!(f, "{truth}"),
            Key::Int(number) => write!(f, "{number}"),
            Key::String(text) => f.write_str(text),
        }
    }
}

/// Written as a text, which reads back as exactly this number: JSON has no infinity, and readers of JSON round.
mod any_double {
    use serde::{Deserialize, Deserializer, Serializer};

    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Stored {
        Number(f64),
        Word(String),
    }

    pub(super) fn serialize<S: Serializer>(value: &f64, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(value)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
        match Stored::deserialize(deserializer)? {
            Stored::Number(value) => Ok(value),
            Stored::Word(word) => word.parse().map_err(serde::de::Error::custom),
        }
    }
}

/// Keys need not be texts, so maps are stored as a list of pairs.
mod pairs {
    use super::{Key, Value};
    use serde::{Deserialize, Deserializer, Serialize, Serializer};
    use std::collections::BTreeMap;

    pub(super) fn serialize<S: Serializer>(map: &BTreeMap<Key, Value>, serializer: S) -> Result<S::Ok, S::Error> {
        map.iter().collect::<Vec<_>>().serialize(serializer)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<BTreeMap<Key, Value>, D::Error> {
        Ok(Vec::<(Key, Value)>::deserialize(deserializer)?.into_iter().collect())
    }
}
