//! Which types the parts of an expression have, as far as that can be known before it is evaluated.

use super::{
    ExpressionError, function,
    tree::{Kind, Node, Operator},
    value::Value,
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The type of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Type {
    /// Not known before evaluation.
    Any,
    /// `null`.
    Null,
    /// Yes or no.
    Bool,
    /// A whole number.
    Int,
    /// A number with a fraction.
    Double,
    /// A text.
    String,
    /// Values in an order.
    List,
    /// Values by keys.
    Map,
    /// A moment.
    Timestamp,
    /// A span of time.
    Duration,
}

impl Type {
    /// In words, for people.
    pub(crate) fn article(self) -> &'static str {
        match self {
            Type::Any => "anything",
            Type::Null => "null",
            Type::Bool => "true or false",
            Type::Int => "a whole number",
            Type::Double => "a number",
            Type::String => "a text",
            Type::List => "a list",
            Type::Map => "a map",
            Type::Timestamp => "a moment",
            Type::Duration => "a duration",
        }
    }

    fn is_number(self) -> bool {
        matches!(self, Type::Int | Type::Double | Type::Any)
    }

    /// Whether a value known as `self` may turn out to be an `other`.
    fn may_be(self, other: Type) -> bool {
        self == other || self == Type::Any || other == Type::Any
    }
}

impl Value {
    /// Its type.
    pub fn kind(&self) -> Type {
        match self {
            Value::Null => Type::Null,
            Value::Bool(_) => Type::Bool,
            Value::Int(_) => Type::Int,
            Value::Double(_) => Type::Double,
            Value::String(_) => Type::String,
            Value::List(_) => Type::List,
            Value::Map(_) => Type::Map,
            Value::Timestamp(_) => Type::Timestamp,
            Value::Duration(_) => Type::Duration,
        }
    }
}

pub(super) fn check(node: &Node, variables: &BTreeMap<String, Type>) -> Result<Type, ExpressionError> {
    let of = |node: &Node| check(node, variables);
    let demand = |node: &Node, wanted: Type, whose: &str| match of(node)? {
        found if found.may_be(wanted) => Ok(()),
        found => Err(ExpressionError::new(node.at, format!("{whose} has to be {}, not {}", wanted.article(), found.article()))),
    };
    match &node.kind {
        Kind::Literal(value) => Ok(value.kind()),
        Kind::Variable(name) => variables.get(name).copied().ok_or_else(|| {
            let known: Vec<&str> = variables.keys().map(String::as_str).take(20).collect();
            let remedy = if known.is_empty() { "there are none here".to_owned() } else { format!("there are {}", known.join(", ")) };
            ExpressionError::new(node.at, format!("there is no variable {name}; {remedy}"))
        }),
        Kind::List(elements) => {
            elements.iter().try_for_each(|element| of(element).map(drop))?;
            Ok(Type::List)
        }
        Kind::Map(entries) => {
            for (key, value) in entries {
                let found = of(key)?;
                if !matches!(found, Type::Bool | Type::Int | Type::String | Type::Any) {
                    return Err(ExpressionError::new(key.at, format!("{} cannot be a key; use a text", found.article())));
                }
                of(value)?;
            }
            Ok(Type::Map)
        }
        Kind::Select(operand, field) => {
            demand(operand, Type::Map, &format!("what has a field {field}"))?;
            Ok(Type::Any)
        }
        Kind::Has(operand, field) => {
            demand(operand, Type::Map, &format!("what has a field {field}"))?;
            Ok(Type::Bool)
        }
        Kind::Index(operand, index) => {
            let (container, key) = (of(operand)?, of(index)?);
            match container {
                Type::List if !key.is_number() => {
                    Err(ExpressionError::new(index.at, format!("a list's place is a whole number, not {}", key.article())))
                }
                Type::Map if !matches!(key, Type::Bool | Type::Int | Type::Double | Type::String | Type::Any) => {
                    Err(ExpressionError::new(index.at, format!("{} cannot be a key; use a text", key.article())))
                }
                Type::List | Type::Map | Type::Any => Ok(Type::Any),
                other => Err(ExpressionError::new(operand.at, format!("{} has no elements; use a list or a map", other.article()))),
            }
        }
        Kind::Call(called, arguments) => {
            let given: Vec<Type> = arguments.iter().map(of).collect::<Result<_, _>>()?;
            let mut fitting = function::fitting(*called, &given);
            match fitting.next() {
                Some(first) if fitting.all(|other| other.result == first.result) => Ok(first.result),
                Some(_) => Ok(Type::Any),
                None => Err(ExpressionError::new(node.at, function::misfit(*called, &given))),
            }
        }
        Kind::Matches(text, _) => {
            demand(text, Type::String, "what is matched")?;
            Ok(Type::Bool)
        }
        Kind::Not(operand) => {
            demand(operand, Type::Bool, "what follows !")?;
            Ok(Type::Bool)
        }
        Kind::Negate(operand) => match of(operand)? {
            found if found.is_number() => Ok(found),
            found => Err(ExpressionError::new(operand.at, format!("what follows - has to be a number, not {}", found.article()))),
        },
        Kind::And(sides) | Kind::Or(sides) => {
            let whose = if matches!(node.kind, Kind::And(_)) { "each side of &&" } else { "each side of ||" };
            sides.iter().try_for_each(|side| demand(side, Type::Bool, whose))?;
            Ok(Type::Bool)
        }
        Kind::Conditional(parts) => {
            let [condition, then, otherwise] = &**parts;
            demand(condition, Type::Bool, "what stands before ?")?;
            let (then, otherwise) = (of(then)?, of(otherwise)?);
            Ok(if then == otherwise { then } else { Type::Any })
        }
        Kind::Binary(operator, left, right) => {
            let (left, right) = (of(left)?, of(right)?);
            binary(*operator, left, right).ok_or_else(|| ExpressionError::new(node.at, misfit(*operator, left, right)))
        }
    }
}

/// The type of what an operator makes of these; nothing when it cannot take them.
fn binary(operator: Operator, left: Type, right: Type) -> Option<Type> {
    use Type::{Any, Bool, Double, Int, List, Map, String};
    let both_numbers = left.is_number() && right.is_number();
    match operator {
        Operator::Equal | Operator::NotEqual => (left.may_be(right) || both_numbers).then_some(Bool),
        Operator::Less | Operator::LessOrEqual | Operator::Greater | Operator::GreaterOrEqual => {
            let ordered = |kind| !matches!(kind, Type::Null | List | Map);
            (both_numbers || (left.may_be(right) && ordered(left) && ordered(right))).then_some(Bool)
        }
        Operator::In => match right {
            List | Any => Some(Bool),
            Map if matches!(left, Bool | Int | Double | String | Any) => Some(Bool),
            _ => None,
        },
        Operator::Add | Operator::Subtract | Operator::Multiply | Operator::Divide | Operator::Remainder => {
            let possible = RESULTS.iter().filter(|(known, a, b, _)| *known == operator && left.may_be(*a) && right.may_be(*b));
            let mut results = possible.map(|(_, _, _, result)| *result);
            let first = results.next()?;
            Some(if results.all(|other| other == first) { first } else { Any })
        }
    }
}

/// What arithmetic takes and gives.
const RESULTS: &[(Operator, Type, Type, Type)] = &[
    (Operator::Add, Type::Int, Type::Int, Type::Int),
    (Operator::Add, Type::Double, Type::Double, Type::Double),
    (Operator::Add, Type::String, Type::String, Type::String),
    (Operator::Add, Type::List, Type::List, Type::List),
    (Operator::Add, Type::Duration, Type::Duration, Type::Duration),
    (Operator::Add, Type::Timestamp, Type::Duration, Type::Timestamp),
    (Operator::Add, Type::Duration, Type::Timestamp, Type::Timestamp),
    (Operator::Subtract, Type::Int, Type::Int, Type::Int),
    (Operator::Subtract, Type::Double, Type::Double, Type::Double),
    (Operator::Subtract, Type::Duration, Type::Duration, Type::Duration),
    (Operator::Subtract, Type::Timestamp, Type::Duration, Type::Timestamp),
    (Operator::Subtract, Type::Timestamp, Type::Timestamp, Type::Duration),
    (Operator::Multiply, Type::Int, Type::Int, Type::Int),
    (Operator::Multiply, Type::Double, Type::Double, Type::Double),
    (Operator::Divide, Type::Int, Type::Int, Type::Int),
    (Operator::Divide, Type::Double, Type::Double, Type::Double),
    (Operator::Remainder, Type::Int, Type::Int, Type::Int),
];

/// What to say about operands an operator cannot take.
pub(super) fn misfit(operator: Operator, left: Type, right: Type) -> String {
    let remedy = match (operator, left, right) {
        (Operator::Equal | Operator::NotEqual, ..) => "; they are never equal: convert one of them with int() or string()",
        (Operator::In, ..) => "; a list or a map has to stand after \"in\", and texts are searched with contains()",
        (_, Type::Int, Type::Double) | (_, Type::Double, Type::Int) => "; write double() around the whole number",
        (_, Type::String, _) | (_, _, Type::String) => "; convert one of them with int() or string()",
        _ => "",
    };
    format!("{} does not take {} and {}{remedy}", operator.sign(), left.article(), right.article())
}
