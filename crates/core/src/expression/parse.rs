//! From tokens to a tree.

use super::{
    ExpressionError,
    function::{self, Function},
    pattern::Pattern,
    token::{Placed, Token, tokens},
    tree::{Kind, Node, Operator},
    value::Value,
};
use crate::limits::EXPRESSION_DEPTH;

/// Words of the language that cannot be variables, so that it may grow.
const RESERVED: &[&str] = &[
    "as",
    "break",
    "const",
    "continue",
    "else",
    "for",
    "function",
    "if",
    "import",
    "let",
    "loop",
    "package",
    "namespace",
    "return",
    "var",
    "void",
    "while",
];

/// Operators of two sides, weakest first; `&&` and `||` are weaker than all of them.
const LEVELS: &[&[&str]] = &[&["==", "!=", "<", "<=", ">", ">=", "in"], &["+", "-"], &["*", "/", "%"]];

pub(super) fn parse(source: &str) -> Result<Node, ExpressionError> {
    let mut parser = Parser { tokens: tokens(source)?, next: 0, depth: 0 };
    if parser.token() == &Token::End {
        return parser.error("the expression is empty; write what has to be true, such as caller.known");
    }
    let root = parser.expression()?;
    match parser.token() {
        Token::End => Ok(root),
        found => parser.error(format!("{} is unexpected; join two parts by an operator", shown(found))),
    }
}

struct Parser {
    tokens: Vec<Placed>,
    next: usize,
    depth: usize,
}

type Parsed = Result<Node, ExpressionError>;

impl Parser {
    fn placed(&self, ahead: usize) -> &Placed {
        // The last token is the end, and nothing goes past it.
        &self.tokens[(self.next + ahead).min(self.tokens.len() - 1)]
    }

    fn token(&self) -> &Token {
        &self.placed(0).token
    }

    fn at(&self) -> u32 {
        self.placed(0).at
    }

    fn error<T>(&self, problem: impl Into<String>) -> Result<T, ExpressionError> {
        Err(ExpressionError::new(self.at(), problem))
    }

    fn is(&self, sign: &str) -> bool {
        matches!(self.token(), Token::Sign(found) if *found == sign)
    }

    fn accept(&mut self, sign: &str) -> bool {
        let found = self.is(sign);
        self.next += usize::from(found);
        found
    }

    fn expect(&mut self, sign: &str, why: &str) -> Result<(), ExpressionError> {
        if self.accept(sign) { Ok(()) } else { self.error(format!("\"{sign}\" is missing {why}, before {}", shown(self.token()))) }
    }

    fn made(&self, kind: Kind, at: u32) -> Parsed {
        let node = Node::new(kind, at);
        if node.height > EXPRESSION_DEPTH { Err(too_deep(at)) } else { Ok(node) }
    }

    fn expression(&mut self) -> Parsed {
        self.depth += 1;
        if self.depth > EXPRESSION_DEPTH {
            return Err(too_deep(self.at()));
        }
        let at = self.at();
        let condition = self.either()?;
        let node = if self.accept("?") {
            let then = self.either()?;
            self.expect(":", "after what is chosen when the condition holds")?;
            let otherwise = self.expression()?;
            self.made(Kind::Conditional(Box::new([condition, then, otherwise])), at)?
        } else {
            condition
        };
        self.depth -= 1;
        Ok(node)
    }

    fn either(&mut self) -> Parsed {
        let at = self.at();
        let mut sides = vec![self.both()?];
        while self.accept("||") {
            sides.push(self.both()?);
        }
        if sides.len() == 1 { Ok(sides.remove(0)) } else { self.made(Kind::Or(sides), at) }
    }

    fn both(&mut self) -> Parsed {
        let at = self.at();
        let mut sides = vec![self.binary(LEVELS)?];
        while self.accept("&&") {
            sides.push(self.binary(LEVELS)?);
        }
        if sides.len() == 1 { Ok(sides.remove(0)) } else { self.made(Kind::And(sides), at) }
    }

    fn binary(&mut self, levels: &[&[&str]]) -> Parsed {
        let Some((signs, stronger)) = levels.split_first() else { return self.unary() };
        let mut left = self.binary(stronger)?;
        while let Token::Sign(sign) = *self.token()
            && signs.contains(&sign)
            && let Some(operator) = Operator::of(sign)
        {
            let at = self.at();
            self.next += 1;
            let right = self.binary(stronger)?;
            left = self.made(Kind::Binary(operator, Box::new(left), Box::new(right)), at)?;
        }
        Ok(left)
    }

    fn begins_negative_number(&self) -> bool {
        self.is("-") && matches!(self.placed(1).token, Token::Whole(_) | Token::Fraction(_))
    }

    fn unary(&mut self) -> Parsed {
        let at = self.at();
        // Pairs of them cancel out, as the language has it.
        let mut nots = 0;
        while self.accept("!") {
            nots += 1;
        }
        if nots > 0 {
            let operand = self.member()?;
            return if nots % 2 == 1 { self.made(Kind::Not(Box::new(operand)), at) } else { Ok(operand) };
        }
        let mut minuses = 0;
        while !self.begins_negative_number() && self.accept("-") {
            minuses += 1;
        }
        let operand = self.member()?;
        if minuses % 2 == 1 { self.made(Kind::Negate(Box::new(operand)), at) } else { Ok(operand) }
    }

    fn member(&mut self) -> Parsed {
        let mut node = self.primary()?;
        loop {
            let at = self.at();
            if self.accept(".") {
                let Token::Name(name) = self.token().clone() else {
                    return self.error(format!("the name of a field has to follow the dot, not {}", shown(self.token())));
                };
                let at = self.at();
                self.next += 1;
                node = if self.accept("(") {
                    let mut arguments = vec![node];
                    self.list(")", &mut arguments)?;
                    self.call(&name, true, arguments, at)?
                } else {
                    self.made(Kind::Select(Box::new(node), name), at)?
                };
            } else if self.accept("[") {
                let index = self.expression()?;
                self.expect("]", "after the key or place")?;
                node = self.made(Kind::Index(Box::new(node), Box::new(index)), at)?;
            } else {
                return Ok(node);
            }
        }
    }

    fn primary(&mut self) -> Parsed {
        let at = self.at();
        let negative = self.begins_negative_number();
        self.next += usize::from(negative);
        let token = self.token().clone();
        if token == Token::End {
            return self.error("the expression ends too early; a value has to follow");
        }
        self.next += 1;
        let value = match token {
            Token::Whole(magnitude) => {
                let value = if negative { 0i64.checked_sub_unsigned(magnitude) } else { i64::try_from(magnitude).ok() };
                match value {
                    Some(value) => Value::Int(value),
                    None => return Err(ExpressionError::new(at, "is too large a whole number; write .0 behind it for a fraction")),
                }
            }
            Token::Fraction(value) => Value::Double(if negative { -value } else { value }),
            Token::Text(text) => Value::String(text),
            Token::Sign("true") => Value::Bool(true),
            Token::Sign("false") => Value::Bool(false),
            Token::Sign("null") => Value::Null,
            Token::Name(name) if self.accept("(") => {
                let mut arguments = Vec::new();
                self.list(")", &mut arguments)?;
                return if name == "has" { self.has(arguments, at) } else { self.call(&name, false, arguments, at) };
            }
            Token::Name(name) if RESERVED.contains(&name.as_str()) => {
                return Err(ExpressionError::new(at, format!("{name} is a word of the language; name the variable otherwise")));
            }
            Token::Name(name) => return self.made(Kind::Variable(name), at),
            Token::Sign("(") => {
                let inner = self.expression()?;
                self.expect(")", "after what is in parentheses")?;
                return Ok(inner);
            }
            Token::Sign("[") => {
                let mut elements = Vec::new();
                self.list("]", &mut elements)?;
                return self.made(Kind::List(elements), at);
            }
            Token::Sign("{") => return self.map(at),
            Token::Sign(_) | Token::End => {
                return Err(ExpressionError::new(at, format!("a value has to stand here, not {}", shown(&token))));
            }
        };
        self.made(Kind::Literal(value), at)
    }

    /// What stands between commas, up to the closing sign. A comma before a closing bracket is fine, one before a parenthesis is not.
    fn list(&mut self, close: &str, into: &mut Vec<Node>) -> Result<(), ExpressionError> {
        let mut first = true;
        loop {
            if self.is(close) && (first || close != ")") {
                break;
            }
            into.push(self.expression()?);
            first = false;
            if !self.accept(",") {
                break;
            }
        }
        self.expect(close, "after the last element")
    }

    fn map(&mut self, at: u32) -> Parsed {
        let mut entries = Vec::new();
        while !self.is("}") {
            let key = self.expression()?;
            self.expect(":", "between a key and its value")?;
            entries.push((key, self.expression()?));
            if !self.accept(",") {
                break;
            }
        }
        self.expect("}", "after the last entry")?;
        self.made(Kind::Map(entries), at)
    }

    fn has(&self, mut arguments: Vec<Node>, at: u32) -> Parsed {
        match (arguments.pop(), arguments.is_empty()) {
            (Some(Node { kind: Kind::Select(operand, field), .. }), true) => self.made(Kind::Has(operand, field), at),
            _ => Err(ExpressionError::new(at, "has takes one field of a map; write has(map.field)")),
        }
    }

    fn call(&self, name: &str, method: bool, mut arguments: Vec<Node>, at: u32) -> Parsed {
        let function = function::find(name, method, arguments.len()).map_err(|problem| ExpressionError::new(at, problem))?;
        // A pattern that stands here is understood once, and its errors are told before anybody calls.
        if function == Function::Matches
            && let Some(Node { kind: Kind::Literal(Value::String(pattern)), at: pattern_at, .. }) = arguments.last()
        {
            let pattern = Pattern::parse(pattern).map_err(|problem| ExpressionError::new(*pattern_at, problem))?;
            let text = arguments.swap_remove(0);
            return self.made(Kind::Matches(Box::new(text), pattern), at);
        }
        self.made(Kind::Call(function, arguments), at)
    }
}

fn too_deep(at: u32) -> ExpressionError {
    ExpressionError::new(at, format!("is nested deeper than {EXPRESSION_DEPTH}; compute parts of it in steps before"))
}

fn shown(token: &Token) -> String {
    match token {
        Token::Name(name) => format!("\"{name}\""),
        Token::Whole(number) => number.to_string(),
        Token::Fraction(number) => number.to_string(),
        Token::Text(_) => "a text".to_owned(),
        Token::Sign(sign) => format!("\"{sign}\""),
        Token::End => "the end".to_owned(),
    }
}
