//! An expression taken apart.

use super::{function::Function, pattern::Pattern, value::Value};
use std::collections::BTreeSet;

/// One part and where it begins, in characters from 0.
#[derive(Debug)]
pub(super) struct Node {
    pub(super) kind: Kind,
    pub(super) at: u32,
    /// Parts below it, the longest way down; what evaluation needs of the stack.
    pub(super) height: usize,
}

#[derive(Debug)]
pub(super) enum Kind {
    Literal(Value),
    Variable(String),
    List(Vec<Node>),
    Map(Vec<(Node, Node)>),
    /// `operand.field`
    Select(Box<Node>, String),
    /// `operand[index]`
    Index(Box<Node>, Box<Node>),
    /// `has(operand.field)`
    Has(Box<Node>, String),
    /// Arguments, the one before the dot first.
    Call(Function, Vec<Node>),
    /// `matches` with a pattern that stands in the expression.
    Matches(Box<Node>, Pattern),
    Not(Box<Node>),
    Negate(Box<Node>),
    Binary(Operator, Box<Node>, Box<Node>),
    /// Sides joined by `&&`.
    And(Vec<Node>),
    /// Sides joined by `||`.
    Or(Vec<Node>),
    /// `condition ? then : otherwise`
    Conditional(Box<[Node; 3]>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operator {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    In,
    Add,
    Subtract,
    Multiply,
    Divide,
    Remainder,
}

impl Operator {
    pub(super) fn of(sign: &str) -> Option<Operator> {
        Some(match sign {
            "==" => Operator::Equal,
            "!=" => Operator::NotEqual,
            "<" => Operator::Less,
            "<=" => Operator::LessOrEqual,
            ">" => Operator::Greater,
            ">=" => Operator::GreaterOrEqual,
            "in" => Operator::In,
            "+" => Operator::Add,
            "-" => Operator::Subtract,
            "*" => Operator::Multiply,
            "/" => Operator::Divide,
            "%" => Operator::Remainder,
            _ => return None,
        })
    }

    pub(super) fn sign(self) -> &'static str {
        match self {
            Operator::Equal => "==",
            Operator::NotEqual => "!=",
            Operator::Less => "<",
            Operator::LessOrEqual => "<=",
            Operator::Greater => ">",
            Operator::GreaterOrEqual => ">=",
            Operator::In => "in",
            Operator::Add => "+",
            Operator::Subtract => "-",
            Operator::Multiply => "*",
            Operator::Divide => "/",
            Operator::Remainder => "%",
        }
    }
}

impl Node {
    pub(super) fn new(kind: Kind, at: u32) -> Node {
        let mut height = 0;
        kind.each_child(&mut |child| height = height.max(child.height));
        Node { kind, at, height: height + 1 }
    }

    pub(super) fn collect_variables<'a>(&'a self, names: &mut BTreeSet<&'a str>) {
        if let Kind::Variable(name) = &self.kind {
            names.insert(name);
        }
        self.kind.each_child(&mut |child| child.collect_variables(names));
    }
}

impl Kind {
    fn each_child<'a>(&'a self, visit: &mut dyn FnMut(&'a Node)) {
        match self {
            Kind::Literal(_) | Kind::Variable(_) => {}
            Kind::List(nodes) | Kind::Call(_, nodes) | Kind::And(nodes) | Kind::Or(nodes) => nodes.iter().for_each(visit),
            Kind::Map(entries) => entries.iter().for_each(|(key, value)| {
                visit(key);
                visit(value);
            }),
            Kind::Select(node, _) | Kind::Has(node, _) | Kind::Matches(node, _) | Kind::Not(node) | Kind::Negate(node) => visit(node),
            Kind::Index(left, right) | Kind::Binary(_, left, right) => {
                visit(left);
                visit(right);
            }
            Kind::Conditional(parts) => parts.iter().for_each(visit),
        }
    }
}
