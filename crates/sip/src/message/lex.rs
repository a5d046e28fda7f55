//! Character classes and small scanners shared by the parsers of this folder (RFC 3261 §25.1).

use std::borrow::Cow;
use std::fmt::{self, Write as _};

use super::ParseError;

/// One entry per byte, because every header name and parameter is checked.
const TOKEN_BYTES: [bool; 256] = {
    let mut table = [false; 256];
    let mut byte = 0;
    while byte < 128 {
        let is_mark = matches!(byte as u8, b'-' | b'.' | b'!' | b'%' | b'*' | b'_' | b'+' | b'`' | b'\'' | b'~');
        table[byte] = (byte as u8).is_ascii_alphanumeric() || is_mark;
        byte += 1;
    }
    table
};

/// `token` characters.
pub(crate) fn is_token_byte(byte: u8) -> bool {
    TOKEN_BYTES[usize::from(byte)]
}

/// Whether the text is a `token`.
pub(crate) fn is_token(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(is_token_byte)
}

/// Removes linear white space at both ends. Folding has been undone before, so that only SP and HTAB remain.
pub(crate) fn trim(text: &str) -> &str {
    trim_end(trim_start(text))
}

pub(crate) fn trim_start(text: &str) -> &str {
    let blanks = text.bytes().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
    &text[blanks..]
}

pub(crate) fn trim_end(text: &str) -> &str {
    let blanks = text.bytes().rev().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
    &text[..text.len() - blanks]
}

/// Length in bytes of the quoted string at the start of `text`, both quotes included; `None` when it does not end.
pub(crate) fn quoted_len(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    debug_assert_eq!(bytes.first(), Some(&b'"'));
    let mut at = 1;
    while at < bytes.len() {
        match bytes[at] {
            b'"' => return Some(at + 1),
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
    None
}

/// The content of a quoted string with its quoted pairs resolved; text without quotes is returned as it is.
pub(crate) fn unquote(text: &str) -> Cow<'_, str> {
    let Some(inner) = text.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) else {
        return Cow::Borrowed(text);
    };
    if !inner.contains('\\') {
        return Cow::Borrowed(inner);
    }
    let mut plain = String::with_capacity(inner.len());
    let mut escaped = false;
    for character in inner.chars() {
        if character == '\\' && !escaped {
            escaped = true;
        } else {
            plain.push(character);
            escaped = false;
        }
    }
    Cow::Owned(plain)
}

/// Writes a quoted string. CR and LF cannot be quoted (RFC 3261 §25.1 `quoted-pair`), they become spaces.
pub(crate) fn write_quoted(f: &mut fmt::Formatter<'_>, text: &str) -> fmt::Result {
    f.write_char('"')?;
    for character in text.chars() {
        match character {
            '"' | '\\' => {
                f.write_char('\\')?;
                f.write_char(character)?;
            }
            '\r' | '\n' => f.write_char(' ')?,
            control if control.is_ascii_control() && control != '\t' => {
                f.write_char('\\')?;
                f.write_char(control)?;
            }
            other => f.write_char(other)?,
        }
    }
    f.write_char('"')
}

/// Splits a header value at commas that stand outside quoted strings and angle brackets; skips empty elements.
#[derive(Debug, Clone)]
pub(crate) struct Commas<'a> {
    rest: Option<&'a str>,
    splits: bool,
}

impl<'a> Commas<'a> {
    pub(crate) fn new(value: &'a str) -> Commas<'a> {
        Commas { rest: Some(value), splits: true }
    }

    /// The whole value as one element, for headers whose commas do not separate.
    pub(crate) fn whole(value: &'a str) -> Commas<'a> {
        Commas { rest: Some(value), splits: false }
    }
}

impl<'a> Iterator for Commas<'a> {
    type Item = &'a str;

    fn next(&mut self) -> Option<&'a str> {
        loop {
            let rest = self.rest.take()?;
            if !self.splits {
                return Some(trim(rest));
            }
            let end = comma(rest);
            self.rest = end.map(|at| &rest[at + 1..]);
            let element = trim(&rest[..end.unwrap_or(rest.len())]);
            if !element.is_empty() {
                return Some(element);
            }
        }
    }
}

fn comma(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    let mut at = 0;
    let mut in_angle = false;
    while at < bytes.len() {
        match bytes[at] {
            // An unbalanced quote hides the rest: the element is reported as malformed by whoever parses it.
            b'"' if !in_angle => at += quoted_len(&text[at..])?,
            b'<' => {
                in_angle = true;
                at += 1;
            }
            b'>' => {
                in_angle = false;
                at += 1;
            }
            b',' if !in_angle => return Some(at),
            _ => at += 1,
        }
    }
    None
}

/// A decimal number of digits only, at most `max`.
pub(crate) fn number(text: &str, max: u64) -> Result<u64, ParseError> {
    if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(ParseError::Value("not a number"));
    }
    // Leading zeros are legal (RFC 4475 §3.1.1.1), so that the length alone says nothing about the range.
    let mut value: u64 = 0;
    for byte in text.bytes() {
        value = value.saturating_mul(10).saturating_add(u64::from(byte - b'0'));
        if value > max {
            return Err(ParseError::Value("number out of range"));
        }
    }
    Ok(value)
}

/// A port number.
pub(crate) fn port(text: &str) -> Result<u16, ParseError> {
    match number(text, u64::from(u16::MAX)) {
        Ok(value) => Ok(u16::try_from(value).unwrap_or(u16::MAX)),
        Err(_) => Err(ParseError::Value("port is not a number up to 65535")),
    }
}

/// Whether every `%` is followed by two hexadecimal digits.
pub(crate) fn escapes_are_valid(text: &str) -> bool {
    let bytes = text.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        if bytes[at] == b'%' {
            match bytes.get(at + 1..at + 3) {
                Some([high, low]) if high.is_ascii_hexdigit() && low.is_ascii_hexdigit() => at += 3,
                _ => return false,
            }
        } else {
            at += 1;
        }
    }
    true
}
