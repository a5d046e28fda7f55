//! Spoken texts with expressions in braces.

use crate::{
    expression::{Expression, Scope, Type, Value},
    limits::PROMPT_CHARS,
    output::Prompt,
    text::clip,
};
use std::collections::BTreeMap;

/// A piece of a text.
enum Piece<'a> {
    Words(&'a str),
    Computed(&'a str),
}

fn pieces(text: &str) -> Result<Vec<Piece<'_>>, String> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some((words, after)) = rest.split_once('{') {
        let Some((source, after)) = after.split_once('}') else {
            return Err("has { without }; write an expression between them, such as {number}".to_owned());
        };
        found.extend([Piece::Words(words), Piece::Computed(source)]);
        rest = after;
    }
    found.push(Piece::Words(rest));
    Ok(found)
}

/// What is wrong with a spoken text, if something is.
pub(super) fn check(prompt: &Prompt, variables: &BTreeMap<String, Type>) -> Result<(), String> {
    let Prompt::Text { text, .. } = prompt else { return Ok(()) };
    check_text(text, variables)
}

/// What is wrong with a text, if something is.
pub(super) fn check_text(text: &str, variables: &BTreeMap<String, Type>) -> Result<(), String> {
    for piece in pieces(text)? {
        let Piece::Computed(source) = piece else { continue };
        let kind = Expression::parse(source).and_then(|expression| expression.check(variables));
        match kind.map_err(|error| format!("{{{source}}}: {error}"))? {
            Type::Any | Type::String | Type::Int | Type::Double | Type::Bool => {}
            _ => return Err(format!("{{{source}}} cannot be spoken; make a text of it with string()")),
        }
    }
    Ok(())
}

/// The prompt with all that stands in braces computed.
pub(super) fn fill(prompt: &Prompt, scope: &Scope) -> Result<Prompt, String> {
    let Prompt::Text { text, language } = prompt else { return Ok(prompt.clone()) };
    if !text.contains('{') {
        return Ok(prompt.clone());
    }
    let filled: String = compute(text, scope)?.into_iter().map(|(_, piece)| piece).collect();
    let text = clip(filled, PROMPT_CHARS);
    if text.trim().is_empty() {
        return Err("nothing is left to be said".to_owned());
    }
    Ok(Prompt::Text { text, language: language.clone() })
}

/// The pieces of a text in order, those in braces computed and marked so.
pub(super) fn compute(text: &str, scope: &Scope) -> Result<Vec<(bool, String)>, String> {
    let computed = |piece| match piece {
        Piece::Words(words) => Ok((false, words.to_owned())),
        Piece::Computed(source) => {
            let value = Expression::parse(source).and_then(|expression| expression.evaluate(scope));
            Ok((true, spoken(&value.map_err(|error| format!("{{{source}}}: {error}"))?)?))
        }
    };
    pieces(text)?.into_iter().map(computed).collect()
}

/// Sources of all expressions in a spoken text, as far as it can be read.
pub(super) fn sources(prompt: &Prompt) -> Vec<&str> {
    let Prompt::Text { text, .. } = prompt else { return Vec::new() };
    sources_of(text)
}

/// Sources of all expressions in a text, as far as it can be read.
pub(super) fn sources_of(text: &str) -> Vec<&str> {
    let computed = |piece| match piece {
        Piece::Computed(source) => Some(source),
        Piece::Words(_) => None,
    };
    pieces(text).unwrap_or_default().into_iter().filter_map(computed).collect()
}

fn spoken(value: &Value) -> Result<String, String> {
    match value {
        Value::String(text) => Ok(text.clone()),
        Value::Int(number) => Ok(number.to_string()),
        Value::Double(number) => Ok(number.to_string()),
        Value::Bool(truth) => Ok(truth.to_string()),
        Value::Null | Value::List(_) | Value::Map(_) | Value::Timestamp(_) | Value::Duration(_) => {
            Err("a value cannot be spoken; make a text of it with string()".to_owned())
        }
    }
}
