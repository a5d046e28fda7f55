//! Bodies of requests: fields by name, with the refusals for what is missing or wrong.

use super::{identifier::Identifier, refusal::Refusal};
use serde_json::Value;

/// A body of JSON.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Fields<'a>(pub(crate) &'a Value);

impl<'a> Fields<'a> {
    pub(crate) fn get(self, name: &str) -> Option<&'a Value> {
        self.0.get(name).filter(|value| !value.is_null())
    }

    /// An object in the body; empty when it is not there.
    pub(crate) fn part(self, name: &str) -> Fields<'a> {
        Fields(&self.0[name])
    }

    pub(crate) fn text(self, name: &str) -> Option<String> {
        self.get(name)?.as_str().filter(|text| !text.is_empty()).map(str::to_owned)
    }

    /// A word of an enumeration, in lower case: clients write them in any.
    pub(crate) fn word(self, name: &str) -> Option<String> {
        self.text(name).map(|text| text.to_ascii_lowercase())
    }

    /// A word out of these (given in lower case).
    pub(crate) fn word_of(self, name: &str, words: &[&str]) -> Result<Option<String>, Refusal> {
        match self.word(name) {
            Some(word) if !words.contains(&word.as_str()) => {
                Err(Refusal::field(format!("The field {name} is invalid: `{word}` is none of {}.", words.join(", "))))
            }
            word => Ok(word),
        }
    }

    pub(crate) fn need(self, name: &str) -> Result<String, Refusal> {
        self.text(name).ok_or_else(|| Refusal::field(format!("The {name} field is required.")))
    }

    pub(crate) fn flag(self, name: &str) -> bool {
        self.get(name).and_then(Value::as_bool).unwrap_or(false)
    }

    /// A whole number within limits.
    pub(crate) fn number(self, name: &str, least: u64, most: u64) -> Result<Option<u64>, Refusal> {
        let Some(value) = self.get(name) else { return Ok(None) };
        let found = value.as_u64().filter(|number| (least..=most).contains(number));
        found.map(Some).ok_or_else(|| Refusal::field(format!("The field {name} must be between {least} and {most}.")))
    }

    pub(crate) fn list(self, name: &str) -> &'a [Value] {
        self.get(name).and_then(Value::as_array).map_or(&[], Vec::as_slice)
    }

    pub(crate) fn identifier(self, name: &str) -> Result<Option<Identifier>, Refusal> {
        let invalid = |why| Refusal::field(format!("The field {name} is invalid: {why}."));
        self.get(name).map(|value| Identifier::from_json(value).map_err(invalid)).transpose()
    }

    pub(crate) fn need_identifier(self, name: &str) -> Result<Identifier, Refusal> {
        self.identifier(name)?.ok_or_else(|| Refusal::field(format!("The {name} field is required.")))
    }

    pub(crate) fn identifiers(self, name: &str) -> Result<Vec<Identifier>, Refusal> {
        let invalid = |why| Refusal::field(format!("The field {name} is invalid: {why}."));
        self.list(name).iter().map(|value| Identifier::from_json(value).map_err(invalid)).collect()
    }

    /// An address events are sent to.
    pub(crate) fn address(self, name: &str) -> Result<Option<String>, Refusal> {
        match self.text(name) {
            Some(address) if !address.starts_with("https://") && !address.starts_with("http://") => {
                Err(Refusal::field(format!("The field {name} is invalid.")))
            }
            address => Ok(address),
        }
    }
}
