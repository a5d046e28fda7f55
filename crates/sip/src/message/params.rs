//! Parameter lists of URIs and headers: `;name=value;flag`.
//!
//! The text is kept as it came, because Teams compares URI parameters byte by byte; lookups scan it.

use std::borrow::Cow;
use std::fmt;

use super::ParseError;
use super::lex::{escapes_are_valid, is_token, quoted_len, trim, trim_end, trim_start, unquote};

/// An ordered list of parameters, printed exactly as it was read.
#[derive(Clone, Default, PartialEq, Eq, Hash)]
pub struct Params {
    /// Empty, or text that begins with `;`.
    text: String,
}

impl Params {
    /// An empty list.
    #[must_use]
    pub fn new() -> Params {
        Params::default()
    }

    /// Reads a header's parameter list, which is empty or begins with `;`.
    ///
    /// # Errors
    /// Says which rule of RFC 3261 `generic-param` is broken.
    pub fn parse(text: &str) -> Result<Params, ParseError> {
        Ok(Params { text: scan_header_params(text)?.to_owned() })
    }

    pub(super) fn from_scanned(text: &str) -> Params {
        Params { text: text.to_owned() }
    }

    /// Whether the list is empty.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.text.is_empty()
    }

    /// The list as text: empty, or beginning with `;`.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Names and values in order. A value keeps its quotes and escapes.
    pub fn iter(&self) -> impl Iterator<Item = (&str, Option<&str>)> {
        Pairs::new(&self.text)
    }

    /// The raw value of the first parameter of this name (case-insensitive); empty for a flag without a value.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        find(&self.text, name)
    }

    /// Like [`Params::get`], with quotes and quoted pairs removed.
    #[must_use]
    pub fn unquoted(&self, name: &str) -> Option<Cow<'_, str>> {
        self.get(name).map(unquote)
    }

    /// Whether a parameter of this name is present.
    #[must_use]
    pub fn contains(&self, name: &str) -> bool {
        self.get(name).is_some()
    }

    /// Replaces the parameter in place, or appends it. The value is written as given: quote or escape it before.
    pub fn set(&mut self, name: &str, value: Option<&str>) {
        let mut text = String::with_capacity(self.text.len() + name.len() + value.map_or(1, |value| value.len() + 2));
        let mut is_written = false;
        for (old_name, old_value) in Pairs::new(&self.text) {
            if !old_name.eq_ignore_ascii_case(name) {
                push_pair(&mut text, old_name, old_value);
            } else if !is_written {
                push_pair(&mut text, name, value);
                is_written = true;
            }
        }
        if !is_written {
            push_pair(&mut text, name, value);
        }
        self.text = text;
    }

    /// Removes every parameter of this name; says whether there was one.
    pub fn remove(&mut self, name: &str) -> bool {
        if !self.contains(name) {
            return false;
        }
        let mut text = String::with_capacity(self.text.len());
        for (old_name, old_value) in Pairs::new(&self.text) {
            if !old_name.eq_ignore_ascii_case(name) {
                push_pair(&mut text, old_name, old_value);
            }
        }
        self.text = text;
        true
    }

    /// Builder form of [`Params::set`].
    #[must_use]
    pub fn with(mut self, name: &str, value: Option<&str>) -> Params {
        self.set(name, value);
        self
    }
}

impl fmt::Display for Params {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Debug for Params {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Params({:?})", self.text)
    }
}

fn push_pair(text: &mut String, name: &str, value: Option<&str>) {
    text.push(';');
    text.push_str(name);
    if let Some(value) = value {
        text.push('=');
        text.push_str(value);
    }
}

/// The value of the first parameter `name` in a scanned list; empty for a flag.
pub(super) fn find<'a>(list: &'a str, name: &str) -> Option<&'a str> {
    Pairs::new(list).find(|(candidate, _)| candidate.eq_ignore_ascii_case(name)).map(|(_, value)| value.unwrap_or(""))
}

/// Iterates over a list that a scanner accepted.
struct Pairs<'a> {
    rest: &'a str,
}

impl<'a> Pairs<'a> {
    fn new(list: &'a str) -> Pairs<'a> {
        Pairs { rest: list }
    }
}

impl<'a> Iterator for Pairs<'a> {
    type Item = (&'a str, Option<&'a str>);

    fn next(&mut self) -> Option<Self::Item> {
        let body = trim_start(self.rest).strip_prefix(';')?;
        let end = element_len(body);
        self.rest = &body[end..];
        let element = &body[..end];
        Some(match element.split_once('=') {
            Some((name, value)) => (trim(name), Some(trim(value))),
            None => (trim(element), None),
        })
    }
}

/// Bytes up to the next `;` outside a quoted string.
fn element_len(text: &str) -> usize {
    let bytes = text.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        match bytes[at] {
            b';' => return at,
            b'"' => at += quoted_len(&text[at..]).unwrap_or(bytes.len() - at),
            _ => at += 1,
        }
    }
    bytes.len()
}

/// Checks the parameter list that ends a header value; returns it without surrounding white space.
pub(super) fn scan_header_params(text: &str) -> Result<&str, ParseError> {
    let text = trim(text);
    let mut rest = text;
    while !rest.is_empty() {
        rest = trim_start(rest).strip_prefix(';').ok_or(ParseError::Value("text after the value"))?;
        let end = element_len(rest);
        let (element, after) = rest.split_at(end);
        check_header_param(element)?;
        rest = after;
    }
    Ok(text)
}

fn check_header_param(element: &str) -> Result<(), ParseError> {
    let (name, value) = match element.split_once('=') {
        Some((name, value)) => (trim(name), Some(trim(value))),
        None => (trim(element), None),
    };
    if !is_token(name) {
        return Err(ParseError::Value("parameter name is empty or not a token"));
    }
    let Some(value) = value else { return Ok(()) };
    if value.starts_with('"') {
        return match quoted_len(value) {
            Some(len) if trim_end(&value[len..]).is_empty() => Ok(()),
            Some(_) => Err(ParseError::Value("text after a quoted parameter")),
            None => Err(ParseError::Value("unbalanced quotes")),
        };
    }
    // More than a token is tolerated (received=2001:db8::1, +sip.instance forms), separators that change the structure are not.
    if value.bytes().any(|byte| byte <= b' ' || matches!(byte, b',' | b'"' | b'<' | b'>' | 0x7f)) {
        return Err(ParseError::Value("parameter value contains a separator"));
    }
    Ok(())
}

/// Checks the parameter list of a URI, from the first `;` to the end.
pub(super) fn scan_uri_params(text: &str) -> Result<(), ParseError> {
    let Some(list) = text.strip_prefix(';') else {
        return if text.is_empty() { Ok(()) } else { Err(ParseError::Uri("text after the host")) };
    };
    for element in list.split(';') {
        let name = element.split_once('=').map_or(element, |(name, _)| name);
        if name.is_empty() {
            return Err(ParseError::Uri("parameter without a name"));
        }
    }
    if !escapes_are_valid(list) {
        return Err(ParseError::Uri("% is not followed by two hexadecimal digits"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lookup_ignores_case_and_white_space() {
        let params = Params::parse(" ;  Tag  = 98asjd8 ; lr;x=\"a;b\"").unwrap();
        assert_eq!(params.get("tag"), Some("98asjd8"));
        assert_eq!(params.get("LR"), Some(""));
        assert_eq!(params.unquoted("x").as_deref(), Some("a;b"));
        assert_eq!(params.get("y"), None);
    }

    #[test]
    fn set_replaces_in_place_and_appends() {
        let mut params = Params::parse(";rport;branch=z9hG4bK1").unwrap();
        params.set("RPORT", Some("5062"));
        params.set("received", Some("192.0.2.1"));
        assert_eq!(params.as_str(), ";RPORT=5062;branch=z9hG4bK1;received=192.0.2.1");
        assert!(params.remove("branch"));
        assert!(!params.remove("branch"));
        assert_eq!(params.as_str(), ";RPORT=5062;received=192.0.2.1");
    }

    #[test]
    fn empty_elements_and_stray_text_are_refused() {
        for bad in [";;a", ";", ";a=b c", "a=b", ";a=\"x", ";a=\"x\"y", ";a=b,c"] {
            assert!(Params::parse(bad).is_err(), "{bad}");
        }
    }
}
