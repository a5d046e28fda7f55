//! From characters to tokens.

use super::ExpressionError;
use crate::limits::EXPRESSION_CHARS;

/// One word of an expression.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Token {
    /// A name that may be a variable, a field or a function.
    Name(String),
    /// Digits without a sign; whether they fit depends on the sign before them.
    Whole(u64),
    Fraction(f64),
    Text(String),
    /// An operator, a bracket, or one of the words `true`, `false`, `null`, `in`.
    Sign(&'static str),
    End,
}

/// A token and where it begins, in characters from 0.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Placed {
    pub(super) token: Token,
    pub(super) at: u32,
}

/// Longest first, so that `<=` is not `<` and `=`.
const SIGNS: &[&str] =
    &["==", "!=", "<=", ">=", "&&", "||", "<", ">", "!", "+", "-", "*", "/", "%", "?", ":", ".", ",", "(", ")", "[", "]", "{", "}"];
const WORDS: &[&str] = &["true", "false", "null", "in"];

pub(super) fn tokens(source: &str) -> Result<Vec<Placed>, ExpressionError> {
    let characters: Vec<char> = source.chars().take(EXPRESSION_CHARS + 1).collect();
    if characters.len() > EXPRESSION_CHARS {
        return Err(ExpressionError::new(
            EXPRESSION_CHARS as u32,
            format!("the expression is longer than {EXPRESSION_CHARS} characters; compute parts of it in steps before"),
        ));
    }
    let mut reader = Reader { characters, next: 0 };
    let mut found = Vec::new();
    loop {
        reader.skip_blank();
        let at = reader.next as u32;
        let token = reader.token()?;
        let over = token == Token::End;
        found.push(Placed { token, at });
        if over {
            return Ok(found);
        }
    }
}

struct Reader {
    characters: Vec<char>,
    next: usize,
}

impl Reader {
    fn peek(&self, ahead: usize) -> Option<char> {
        self.characters.get(self.next + ahead).copied()
    }

    fn begins(&self, text: &str) -> bool {
        text.chars().enumerate().all(|(ahead, character)| self.peek(ahead) == Some(character))
    }

    fn error<T>(&self, at: usize, problem: impl Into<String>) -> Result<T, ExpressionError> {
        Err(ExpressionError::new(at as u32, problem))
    }

    fn take_while(&mut self, accepts: impl Fn(char) -> bool) -> String {
        let start = self.next;
        while self.peek(0).is_some_and(&accepts) {
            self.next += 1;
        }
        self.characters[start..self.next].iter().collect()
    }

    fn skip_blank(&mut self) {
        loop {
            match self.peek(0) {
                Some(' ' | '\t' | '\r' | '\n' | '\u{c}') => self.next += 1,
                Some('/') if self.peek(1) == Some('/') => {
                    self.take_while(|character| character != '\n');
                }
                _ => return,
            }
        }
    }

    fn token(&mut self) -> Result<Token, ExpressionError> {
        let Some(first) = self.peek(0) else { return Ok(Token::End) };
        let after_dot = first == '.' && self.peek(1).is_some_and(|next| next.is_ascii_digit());
        if first.is_ascii_digit() || after_dot {
            return self.number();
        }
        match first {
            '"' | '\'' => return self.text(),
            'r' | 'R' if matches!(self.peek(1), Some('"' | '\'')) => return self.raw_text(),
            'b' | 'B' if matches!(self.peek(1), Some('"' | '\'')) => {
                return self.error(self.next, "bytes are not supported; write a text without b before it");
            }
            _ => {}
        }
        if first.is_ascii_alphabetic() || first == '_' {
            let word = self.take_while(|character| character.is_ascii_alphanumeric() || character == '_');
            return Ok(match WORDS.iter().find(|known| **known == word) {
                Some(known) => Token::Sign(known),
                None => Token::Name(word),
            });
        }
        match SIGNS.iter().find(|sign| self.begins(sign)) {
            Some(sign) => {
                self.next += sign.len();
                Ok(Token::Sign(sign))
            }
            None => {
                let remedy = match first {
                    '=' => "compare with ==",
                    '&' => "write && for \"and\"",
                    '|' => "write || for \"or\"",
                    '“' | '”' | '„' | '‘' | '’' => "put texts between straight quotes",
                    _ => "put texts between quotes",
                };
                self.error(self.next, format!("\"{first}\" does not belong here; {remedy}"))
            }
        }
    }

    fn number(&mut self) -> Result<Token, ExpressionError> {
        let start = self.next;
        let token = if self.begins("0x") {
            self.next += 2;
            let digits = self.take_while(|character| character.is_ascii_hexdigit());
            match u64::from_str_radix(&digits, 16) {
                Ok(value) => Token::Whole(value),
                Err(_) => return self.error(start, "is not a whole number in hexadecimal digits; write it like 0x1F"),
            }
        } else {
            let mut text = self.take_while(|character| character.is_ascii_digit());
            let mut is_fraction = false;
            if self.peek(0) == Some('.') && self.peek(1).is_some_and(|next| next.is_ascii_digit()) {
                is_fraction = true;
                self.next += 1;
                text.push('.');
                text.push_str(&self.take_while(|character| character.is_ascii_digit()));
            }
            let sign = usize::from(matches!(self.peek(1), Some('+' | '-')));
            if matches!(self.peek(0), Some('e' | 'E')) && self.peek(1 + sign).is_some_and(|next| next.is_ascii_digit()) {
                is_fraction = true;
                text.extend(&self.characters[self.next..=self.next + sign]);
                self.next += 1 + sign;
                text.push_str(&self.take_while(|character| character.is_ascii_digit()));
            }
            if is_fraction {
                match text.parse::<f64>() {
                    Ok(value) if value.is_finite() => Token::Fraction(value),
                    _ => return self.error(start, format!("{text} is too large a number")),
                }
            } else {
                match text.parse::<u64>() {
                    Ok(value) => Token::Whole(value),
                    Err(_) => return self.error(start, format!("{text} is too large a whole number; write {text}.0 for a fraction")),
                }
            }
        };
        match self.peek(0) {
            Some('u' | 'U') => self.error(self.next, "unsigned numbers are not supported; write the number without u"),
            Some(next) if next.is_ascii_alphanumeric() || next == '_' => {
                self.error(self.next, "a name cannot begin with a digit; put texts between quotes")
            }
            _ => Ok(token),
        }
    }

    fn text(&mut self) -> Result<Token, ExpressionError> {
        let start = self.next;
        let quote = self.characters[start];
        if self.peek(1) == Some(quote) && self.peek(2) == Some(quote) {
            return self.error(start, "texts between three quotes are not supported; use one");
        }
        self.next += 1;
        let mut text = String::new();
        loop {
            let at = self.next;
            let Some(character) = self.peek(0).filter(|character| !matches!(character, '\n' | '\r')) else {
                return self.error(start, format!("the text is not closed; end it with {quote}"));
            };
            self.next += 1;
            match character {
                '\\' => text.push(self.escape(at)?),
                _ if character == quote => return Ok(Token::Text(text)),
                _ => text.push(character),
            }
        }
    }

    fn raw_text(&mut self) -> Result<Token, ExpressionError> {
        let start = self.next;
        self.next += 1;
        let quote = self.characters[self.next];
        if self.peek(1) == Some(quote) && self.peek(2) == Some(quote) {
            return self.error(start, "texts between three quotes are not supported; use one");
        }
        self.next += 1;
        let text = self.take_while(|character| character != quote && character != '\n' && character != '\r');
        if self.peek(0) != Some(quote) {
            return self.error(start, format!("the text is not closed; end it with {quote}"));
        }
        self.next += 1;
        Ok(Token::Text(text))
    }

    /// What follows a backslash.
    fn escape(&mut self, at: usize) -> Result<char, ExpressionError> {
        let Some(kind) = self.peek(0) else { return self.error(at, "a character has to follow the backslash") };
        let digits = match kind {
            'x' | 'X' => 2,
            'u' => 4,
            'U' => 8,
            '0'..='3' => {
                return self.code(at, 3, 8);
            }
            _ => {
                self.next += 1;
                return match kind {
                    'a' => Ok('\u{7}'),
                    'b' => Ok('\u{8}'),
                    'f' => Ok('\u{c}'),
                    'n' => Ok('\n'),
                    'r' => Ok('\r'),
                    't' => Ok('\t'),
                    'v' => Ok('\u{b}'),
                    '\\' | '\'' | '"' | '`' | '?' => Ok(kind),
                    _ => self.error(at, format!("\\{kind} means nothing; write \\\\ for a backslash, or r before the text")),
                };
            }
        };
        self.next += 1;
        self.code(at, digits, 16)
    }

    fn code(&mut self, at: usize, digits: usize, radix: u32) -> Result<char, ExpressionError> {
        let mut value: u32 = 0;
        for _ in 0..digits {
            let Some(digit) = self.peek(0).and_then(|character| character.to_digit(radix)) else {
                return self.error(at, format!("{digits} digits have to follow here"));
            };
            self.next += 1;
            value = value.saturating_mul(radix).saturating_add(digit);
        }
        match char::from_u32(value) {
            Some(character) => Ok(character),
            None => self.error(at, "there is no such character"),
        }
    }
}
