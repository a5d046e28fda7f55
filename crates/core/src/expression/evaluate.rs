//! The value of an expression, within a limit of work.

use super::{
    ExpressionError, check,
    function::{self, Function},
    moment,
    pattern::Pattern,
    tree::{Kind, Node, Operator},
    value::{Key, Value},
};
use crate::limits::{EXPRESSION_STEPS, EXPRESSION_TEXT_BYTES};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use std::{borrow::Cow, cmp::Ordering, collections::BTreeMap};

/// Variables by name.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Scope(BTreeMap<String, Value>);

impl Scope {
    /// No variables.
    pub fn new() -> Scope {
        Scope::default()
    }

    /// Writes a variable.
    pub fn set(&mut self, name: impl Into<String>, value: impl Into<Value>) {
        self.0.insert(name.into(), value.into());
    }

    /// With one more variable.
    pub fn with(mut self, name: impl Into<String>, value: impl Into<Value>) -> Scope {
        self.set(name, value);
        self
    }

    /// A variable's value.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.0.get(name)
    }

    /// All variables.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&str, &Value)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value))
    }
}

impl<K: Into<String>> FromIterator<(K, Value)> for Scope {
    fn from_iter<I: IntoIterator<Item = (K, Value)>>(variables: I) -> Scope {
        Scope(variables.into_iter().map(|(name, value)| (name.into(), value)).collect())
    }
}

pub(super) fn evaluate(root: &Node, scope: &Scope) -> Result<Value, ExpressionError> {
    Run { scope, steps_left: EXPRESSION_STEPS }.value(root).map(Cow::into_owned)
}

pub(super) struct Run<'a> {
    scope: &'a Scope,
    steps_left: usize,
}

pub(super) type Found<'a> = Result<Cow<'a, Value>, ExpressionError>;

pub(super) fn owned<'a>(value: impl Into<Value>) -> Found<'a> {
    Ok(Cow::Owned(value.into()))
}

/// Work that copying or searching a text is, in steps.
pub(super) fn weight(text: &str) -> usize {
    text.len() / 64
}

impl<'a> Run<'a> {
    pub(super) fn spend(&mut self, steps: usize, at: u32) -> Result<(), ExpressionError> {
        match self.steps_left.checked_sub(steps) {
            Some(left) => {
                self.steps_left = left;
                Ok(())
            }
            None => {
                // Once out of steps, always out of steps: && and || must not absorb this one.
                self.steps_left = 0;
                Err(ExpressionError::new(at, format!("needs more than {EXPRESSION_STEPS} steps; use shorter texts and lists")))
            }
        }
    }

    fn value(&mut self, node: &'a Node) -> Found<'a> {
        let at = node.at;
        self.spend(1, at)?;
        match &node.kind {
            Kind::Literal(value) => Ok(Cow::Borrowed(value)),
            Kind::Variable(name) => match self.scope.get(name) {
                Some(value) => Ok(Cow::Borrowed(value)),
                None => Err(ExpressionError::new(at, format!("there is no variable {name}; set it before it is used"))),
            },
            Kind::List(elements) => {
                let values: Result<Vec<Value>, ExpressionError> = elements.iter().map(|element| self.taken(element)).collect();
                owned(values?)
            }
            Kind::Map(entries) => self.map(entries),
            Kind::Select(operand, field) => {
                let operand = self.value(operand)?;
                field_of(operand, field, at)
            }
            Kind::Has(operand, field) => match &*self.value(operand)? {
                Value::Map(map) => owned(map.contains_key(&Key::String(field.clone()))),
                other => Err(no_field(other, field, at)),
            },
            Kind::Index(operand, index) => {
                let operand = self.value(operand)?;
                let index = self.value(index)?;
                element_of(operand, &index, at)
            }
            Kind::Not(operand) => owned(!self.truth(operand)?),
            Kind::Negate(operand) => match &*self.value(operand)? {
                Value::Int(number) => owned(number.checked_neg().ok_or_else(|| overflow(at))?),
                Value::Double(number) => owned(-number),
                other => Err(ExpressionError::new(at, format!("- does not take {}", other.kind().article()))),
            },
            Kind::And(sides) => owned(!self.decided_by(sides, false)?),
            Kind::Or(sides) => owned(self.decided_by(sides, true)?),
            Kind::Conditional(parts) => {
                let [condition, then, otherwise] = &**parts;
                if self.truth(condition)? { self.value(then) } else { self.value(otherwise) }
            }
            Kind::Binary(operator, left, right) => {
                let left = self.value(left)?;
                let right = self.value(right)?;
                self.binary(*operator, left, right, at)
            }
            Kind::Matches(text, pattern) => match &*self.value(text)? {
                Value::String(text) => owned(self.is_found(pattern, text, at)?),
                other => Err(ExpressionError::new(at, function::misfit(Function::Matches, &[other.kind()]))),
            },
            Kind::Call(called, arguments) => {
                let values: Result<Vec<Cow<'a, Value>>, ExpressionError> = arguments.iter().map(|node| self.value(node)).collect();
                self.call(*called, values?, at)
            }
        }
    }

    /// A value to be kept inside of another: copying it is work.
    fn taken(&mut self, node: &'a Node) -> Result<Value, ExpressionError> {
        let value = self.value(node)?;
        if let Cow::Borrowed(value) = &value {
            self.spend(size_of(value), node.at)?;
        }
        Ok(value.into_owned())
    }

    fn map(&mut self, entries: &'a [(Node, Node)]) -> Found<'a> {
        let mut map = BTreeMap::new();
        for (key_node, value_node) in entries {
            let key = match self.taken(key_node)? {
                Value::Bool(truth) => Key::Bool(truth),
                Value::Int(number) => Key::Int(number),
                Value::String(text) => Key::String(text),
                other => {
                    let problem = format!("{} cannot be a key; use a text", other.kind().article());
                    return Err(ExpressionError::new(key_node.at, problem));
                }
            };
            let value = self.taken(value_node)?;
            if map.contains_key(&key) {
                return Err(ExpressionError::new(key_node.at, format!("the key {key} stands twice in the map; remove one")));
            }
            map.insert(key, value);
        }
        Ok(Cow::Owned(Value::Map(map)))
    }

    fn truth(&mut self, node: &'a Node) -> Result<bool, ExpressionError> {
        match &*self.value(node)? {
            Value::Bool(truth) => Ok(*truth),
            other => Err(ExpressionError::new(node.at, format!("has to be true or false, not {}", other.kind().article()))),
        }
    }

    /// Whether one of the sides is `deciding`. Errors of the others do not matter then.
    fn decided_by(&mut self, sides: &'a [Node], deciding: bool) -> Result<bool, ExpressionError> {
        let mut failed = None;
        for side in sides {
            match self.truth(side) {
                Ok(truth) if truth == deciding => return Ok(true),
                Ok(_) => {}
                Err(error) => {
                    failed.get_or_insert(error);
                }
            }
        }
        failed.map_or(Ok(false), Err)
    }

    fn binary(&mut self, operator: Operator, left: Cow<'a, Value>, right: Cow<'a, Value>, at: u32) -> Found<'a> {
        match operator {
            Operator::Equal => owned(self.is_equal(&left, &right, at)?),
            Operator::NotEqual => owned(!self.is_equal(&left, &right, at)?),
            Operator::Less | Operator::LessOrEqual | Operator::Greater | Operator::GreaterOrEqual => {
                let order = self.order(operator, &left, &right, at)?;
                owned(match operator {
                    Operator::Less => order.is_lt(),
                    Operator::LessOrEqual => order.is_le(),
                    Operator::Greater => order.is_gt(),
                    _ => order.is_ge(),
                })
            }
            Operator::In => owned(self.is_in(&left, &right, at)?),
            Operator::Add | Operator::Subtract | Operator::Multiply | Operator::Divide | Operator::Remainder => {
                self.compute(operator, left, &right, at)
            }
        }
    }

    fn is_equal(&mut self, left: &Value, right: &Value, at: u32) -> Result<bool, ExpressionError> {
        self.spend(1, at)?;
        Ok(match (left, right) {
            (Value::Int(left), Value::Double(right)) => *left as f64 == *right,
            (Value::Double(left), Value::Int(right)) => *left == *right as f64,
            (Value::String(left), Value::String(right)) => {
                self.spend(weight(left).min(weight(right)), at)?;
                left == right
            }
            (Value::List(left), Value::List(right)) => {
                if left.len() != right.len() {
                    return Ok(false);
                }
                for (left, right) in left.iter().zip(right) {
                    if !self.is_equal(left, right, at)? {
                        return Ok(false);
                    }
                }
                true
            }
            (Value::Map(left), Value::Map(right)) => {
                if left.len() != right.len() {
                    return Ok(false);
                }
                for (key, left) in left {
                    match right.get(key) {
                        Some(right) if self.is_equal(left, right, at)? => {}
                        _ => return Ok(false),
                    }
                }
                true
            }
            _ => left == right,
        })
    }

    fn order(&mut self, operator: Operator, left: &Value, right: &Value, at: u32) -> Result<Ordering, ExpressionError> {
        let order = match (left, right) {
            (Value::Bool(left), Value::Bool(right)) => Some(left.cmp(right)),
            (Value::Int(left), Value::Int(right)) => Some(left.cmp(right)),
            (Value::Double(left), Value::Double(right)) => left.partial_cmp(right),
            (Value::Int(left), Value::Double(right)) => (*left as f64).partial_cmp(right),
            (Value::Double(left), Value::Int(right)) => left.partial_cmp(&(*right as f64)),
            (Value::Timestamp(left), Value::Timestamp(right)) => Some(left.cmp(right)),
            (Value::Duration(left), Value::Duration(right)) => Some(left.cmp(right)),
            (Value::String(left), Value::String(right)) => {
                self.spend(weight(left).min(weight(right)), at)?;
                Some(left.cmp(right))
            }
            _ => return Err(ExpressionError::new(at, check::misfit(operator, left.kind(), right.kind()))),
        };
        order.ok_or_else(|| ExpressionError::new(at, "what is not a number has no order; test the division before"))
    }

    fn is_in(&mut self, element: &Value, container: &Value, at: u32) -> Result<bool, ExpressionError> {
        match container {
            Value::List(list) => {
                for candidate in list {
                    if self.is_equal(candidate, element, at)? {
                        return Ok(true);
                    }
                }
                Ok(false)
            }
            Value::Map(map) => Ok(lookup(map, element, at)?.is_some()),
            other => Err(ExpressionError::new(at, check::misfit(Operator::In, element.kind(), other.kind()))),
        }
    }

    fn compute(&mut self, operator: Operator, left: Cow<'a, Value>, right: &Value, at: u32) -> Found<'a> {
        let whole = |result: Option<i64>| result.map_or_else(|| Err(overflow(at)), owned);
        let moment = |at_: Timestamp, span: SignedDuration| match at_.checked_add(span).ok().filter(|result| moment::in_range(*result)) {
            Some(result) => Ok(Cow::Owned(Value::Timestamp(result))),
            None => Err(ExpressionError::new(at, "leaves the years 1 to 9999")),
        };
        match (operator, left.into_owned(), right) {
            (Operator::Add, Value::Int(left), Value::Int(right)) => whole(left.checked_add(*right)),
            (Operator::Subtract, Value::Int(left), Value::Int(right)) => whole(left.checked_sub(*right)),
            (Operator::Multiply, Value::Int(left), Value::Int(right)) => whole(left.checked_mul(*right)),
            (Operator::Divide | Operator::Remainder, Value::Int(_), Value::Int(0)) => {
                Err(ExpressionError::new(at, "divides by zero; test for it before"))
            }
            (Operator::Divide, Value::Int(left), Value::Int(right)) => whole(left.checked_div(*right)),
            (Operator::Remainder, Value::Int(left), Value::Int(right)) => whole(left.checked_rem(*right)),
            (Operator::Add, Value::Double(left), Value::Double(right)) => owned(left + right),
            (Operator::Subtract, Value::Double(left), Value::Double(right)) => owned(left - right),
            (Operator::Multiply, Value::Double(left), Value::Double(right)) => owned(left * right),
            (Operator::Divide, Value::Double(left), Value::Double(right)) => owned(left / right),
            (Operator::Add, Value::String(mut left), Value::String(right)) => {
                self.spend(weight(&left) + weight(right), at)?;
                if left.len() + right.len() > EXPRESSION_TEXT_BYTES {
                    return Err(ExpressionError::new(at, format!("makes a text longer than {EXPRESSION_TEXT_BYTES} bytes")));
                }
                left.push_str(right);
                owned(left)
            }
            (Operator::Add, Value::List(mut left), Value::List(right)) => {
                self.spend(right.iter().chain(&left).map(size_of).sum(), at)?;
                left.extend_from_slice(right);
                owned(left)
            }
            (Operator::Add, Value::Duration(left), Value::Duration(right)) => span(left.checked_add(*right), at),
            (Operator::Subtract, Value::Duration(left), Value::Duration(right)) => span(left.checked_sub(*right), at),
            (Operator::Add, Value::Timestamp(left), Value::Duration(right)) => moment(left, SignedDuration::from_nanos(*right)),
            (Operator::Add, Value::Duration(left), Value::Timestamp(right)) => moment(*right, SignedDuration::from_nanos(left)),
            (Operator::Subtract, Value::Timestamp(left), Value::Duration(right)) => moment(left, -SignedDuration::from_nanos(*right)),
            (Operator::Subtract, Value::Timestamp(left), Value::Timestamp(right)) => {
                span(i64::try_from(left.as_nanosecond() - right.as_nanosecond()).ok(), at)
            }
            (_, left, right) => Err(ExpressionError::new(at, check::misfit(operator, left.kind(), right.kind()))),
        }
    }

    pub(super) fn is_found(&mut self, pattern: &Pattern, text: &str, at: u32) -> Result<bool, ExpressionError> {
        // Looking at a state is less work than a step of anything else.
        pattern.is_found(text, |states| self.spend(1 + states / 8, at))
    }
}

fn span<'a>(nanoseconds: Option<i64>, at: u32) -> Found<'a> {
    nanoseconds.map_or_else(|| Err(overflow(at)), |nanoseconds| Ok(Cow::Owned(Value::Duration(nanoseconds))))
}

pub(super) fn overflow(at: u32) -> ExpressionError {
    ExpressionError::new(at, "the result is too large; use smaller numbers or double()")
}

/// How much copying a value is, in steps.
fn size_of(value: &Value) -> usize {
    match value {
        Value::String(text) => 1 + weight(text),
        Value::List(list) => 1 + list.iter().map(size_of).sum::<usize>(),
        Value::Map(map) => 1 + map.values().map(size_of).sum::<usize>(),
        _ => 1,
    }
}

fn no_field(value: &Value, field: &str, at: u32) -> ExpressionError {
    ExpressionError::new(at, format!("{} has no field {field}; only maps have fields", value.kind().article()))
}

fn no_key(key: &str, at: u32) -> ExpressionError {
    ExpressionError::new(at, format!("there is nothing under \"{}\"; test with has() or \"in\" before", shortened(key)))
}

fn field_of<'a>(operand: Cow<'a, Value>, field: &str, at: u32) -> Found<'a> {
    let key = Key::String(field.to_owned());
    let missing = || no_key(field, at);
    match operand {
        Cow::Borrowed(Value::Map(map)) => map.get(&key).map(Cow::Borrowed).ok_or_else(missing),
        Cow::Owned(Value::Map(mut map)) => map.remove(&key).map(Cow::Owned).ok_or_else(missing),
        other => Err(no_field(&other, field, at)),
    }
}

/// A key for looking up; whole doubles find whole numbers.
fn as_key(value: &Value) -> Option<Option<Key>> {
    match value {
        Value::Bool(truth) => Some(Some(Key::Bool(*truth))),
        Value::Int(number) => Some(Some(Key::Int(*number))),
        Value::String(text) => Some(Some(Key::String(text.clone()))),
        Value::Double(number) => Some(as_whole(*number).map(Key::Int)),
        _ => None,
    }
}

fn as_whole(number: f64) -> Option<i64> {
    let fits = number > i64::MIN as f64 && number < i64::MAX as f64;
    Some(number as i64).filter(|whole| fits && *whole as f64 == number)
}

fn lookup<'m>(map: &'m BTreeMap<Key, Value>, key: &Value, at: u32) -> Result<Option<&'m Value>, ExpressionError> {
    match as_key(key) {
        Some(key) => Ok(key.and_then(|key| map.get(&key))),
        None => Err(ExpressionError::new(at, format!("{} cannot be a key; use a text", key.kind().article()))),
    }
}

fn element_of<'a>(operand: Cow<'a, Value>, index: &Value, at: u32) -> Found<'a> {
    let place = |length: usize| {
        let whole = match index {
            Value::Int(whole) => Some(*whole),
            Value::Double(number) => as_whole(*number),
            _ => None,
        };
        let Some(whole) = whole else {
            return Err(ExpressionError::new(at, format!("a list's place is a whole number, not {}", index.kind().article())));
        };
        usize::try_from(whole).ok().filter(|place| *place < length).ok_or_else(|| {
            ExpressionError::new(at, format!("the list has no place {whole}; it has {length}, counted from 0, so test size() before"))
        })
    };
    let missing = || match index {
        Value::String(text) => no_key(text, at),
        Value::Int(number) => no_key(&number.to_string(), at),
        _ => no_key("this key", at),
    };
    match operand {
        Cow::Borrowed(Value::List(list)) => Ok(Cow::Borrowed(&list[place(list.len())?])),
        Cow::Owned(Value::List(mut list)) => {
            let place = place(list.len())?;
            Ok(Cow::Owned(list.swap_remove(place)))
        }
        Cow::Borrowed(Value::Map(map)) => lookup(map, index, at)?.map(Cow::Borrowed).ok_or_else(missing),
        Cow::Owned(Value::Map(map)) => lookup(&map, index, at)?.cloned().map(Cow::Owned).ok_or_else(missing),
        other => Err(ExpressionError::new(at, format!("{} has no elements; use a list or a map", other.kind().article()))),
    }
}

/// Enough of a text to recognize it by.
pub(super) fn shortened(text: &str) -> String {
    let mut short: String = text.chars().take(40).collect();
    if short.len() < text.len() {
        short.push('…');
    }
    short
}
