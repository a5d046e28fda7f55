//! Expressions that administrators write to branch in flows: a subset of the Common Expression Language (CEL).
//!
//! What is taken over means the same as there (tests hold it against another implementation):
//!
//! | | |
//! |---|---|
//! | Values | `null`, `true`, `42`, `0x2A`, `4.2`, `1e3`, `"text"`, `'text'`, `r"raw"`, lists `[1, 2]`, maps `{"a": 1}`, moments, durations |
//! | Operators | `? :`, <code>\|\|</code>, `&&`, `== != < <= > >= in`, `+ -`, `* / %`, `! -` |
//! | Access | `caller.number`, `answer["code"]`, `list[0]`, `has(answer.code)` |
//! | Texts | `size`, `contains`, `startsWith`, `endsWith`, `matches`, `lowerAscii`, `upperAscii` |
//! | Conversions | `int`, `double`, `string`, `bool`, `timestamp`, `duration` |
//! | Moments | `getFullYear`, `getMonth`, `getDate`, `getDayOfMonth`, `getDayOfWeek`, `getDayOfYear`, `getHours`, `getMinutes`, `getSeconds`, `getMilliseconds`, each with a time zone if wanted |
//!
//! Left out: unsigned integers, bytes, messages, `type`, and everything that runs over the elements of a list
//! (`all`, `exists`, `map`, `filter`), so that the work an expression makes grows with its own length.
//!
//! `&&` and `||` do not care about the order of their sides: one side's error does not matter when the other decides alone.
//! Whole numbers that overflow are an error, never a wrong value. Everything is limited: see `limits.rs`.

mod call;
mod check;
mod evaluate;
mod function;
mod moment;
mod parse;
mod pattern;
mod plain;
mod token;
mod tree;
mod value;

pub use check::Type;
pub use evaluate::Scope;
pub use plain::Plain;
pub use value::{Key, Value};

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    str::FromStr,
    sync::Arc,
};

/// An expression that could be read. Stored as its text; equal when the text is.
#[derive(Clone)]
pub struct Expression {
    source: Arc<str>,
    root: Arc<tree::Node>,
}

/// What is wrong with an expression, or with one evaluation of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("at character {position}: {problem}")]
pub struct ExpressionError {
    /// The character it is about, counted from 1.
    pub position: usize,
    /// What is wrong, and what would be right.
    pub problem: String,
}

impl Expression {
    /// Reads an expression. Functions must be known and get as many arguments as they take; types are [`Expression::check`]'s matter.
    ///
    /// # Errors
    /// The first thing that is not understood, or the limit that is reached.
    pub fn parse(source: &str) -> Result<Expression, ExpressionError> {
        Ok(Expression { source: source.into(), root: Arc::new(parse::parse(source)?) })
    }

    /// The text it was read from.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// Names of the variables it looks at.
    pub fn variables(&self) -> BTreeSet<&str> {
        let mut names = BTreeSet::new();
        self.root.collect_variables(&mut names);
        names
    }

    /// The type of its value, as far as that can be said before it is evaluated: what is inside of lists and maps cannot.
    ///
    /// # Errors
    /// A variable that is not among `variables`, or an operation that can never succeed.
    pub fn check(&self, variables: &BTreeMap<String, Type>) -> Result<Type, ExpressionError> {
        check::check(&self.root, variables)
    }

    /// Its value.
    ///
    /// # Errors
    /// What could not be computed: a variable or key that is not there, operands of the wrong kind, an overflow, too much work.
    pub fn evaluate(&self, scope: &Scope) -> Result<Value, ExpressionError> {
        evaluate::evaluate(&self.root, scope)
    }
}

impl ExpressionError {
    /// `at` counts from 0.
    fn new(at: u32, problem: impl Into<String>) -> ExpressionError {
        ExpressionError { position: at as usize + 1, problem: problem.into() }
    }
}

impl FromStr for Expression {
    type Err = ExpressionError;
    fn from_str(source: &str) -> Result<Expression, ExpressionError> {
        Expression::parse(source)
    }
}

impl PartialEq for Expression {
    fn eq(&self, other: &Expression) -> bool {
        self.source == other.source
    }
}

impl Eq for Expression {}

impl fmt::Display for Expression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.source)
    }
}

impl fmt::Debug for Expression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Expression({:?})", self.source)
    }
}

impl Serialize for Expression {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.source)
    }
}

impl<'de> Deserialize<'de> for Expression {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let source = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        source.parse().map_err(serde::de::Error::custom)
    }
}
