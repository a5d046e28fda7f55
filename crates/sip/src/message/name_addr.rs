//! Addresses with an optional display name and header parameters: From, To, Contact, Route, Refer-To and others.

use std::borrow::Cow;
use std::fmt;

use super::lex::{is_token_byte, quoted_len, trim, trim_end, trim_start, unquote, write_quoted};
use super::params::{find, scan_header_params};
use super::uri::{UriParts, scan_uri};
use super::{Params, ParseError, Uri};

/// A `name-addr` or `addr-spec` with its header parameters; printed with angle brackets.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct NameAddr {
    /// The display name without quotes and escapes.
    pub display: Option<String>,
    /// The URI.
    pub uri: Uri,
    /// Header parameters such as `tag`, `expires`, `q`.
    pub params: Params,
}

/// The checked pieces of an address as slices.
pub(super) struct NameAddrParts<'a> {
    display: Option<Cow<'a, str>>,
    uri: UriParts<'a>,
    params: &'a str,
}

/// Checks an address without allocating (unless the display name contains quoted pairs).
pub(super) fn scan_name_addr(text: &str) -> Result<NameAddrParts<'_>, ParseError> {
    let text = trim(text);
    let (display, rest) = if text.starts_with('"') {
        let len = quoted_len(text).ok_or(ParseError::Value("unbalanced quotes"))?;
        (Some(unquote(&text[..len])), trim_start(&text[len..]))
    } else {
        match text.find('<') {
            Some(0) => (None, text),
            Some(angle) if !is_bare_address(&text[..angle]) => {
                let display = trim_end(&text[..angle]);
                check_unquoted_display(display)?;
                (Some(Cow::Borrowed(display)), &text[angle..])
            }
            _ => return scan_bare(text),
        }
    };
    let inner = rest.strip_prefix('<').ok_or(ParseError::Value("display name without an address in angle brackets"))?;
    let end = inner.find('>').ok_or(ParseError::Value("angle bracket is not closed"))?;
    let uri = scan_uri(&inner[..end])?;
    let params = scan_header_params(&inner[end + 1..])?;
    Ok(NameAddrParts { display, uri, params })
}

/// Whether the text before the first `<` already is an address, so that the bracket belongs to a parameter.
fn is_bare_address(before: &str) -> bool {
    before.contains(';') && before.contains(':')
}

/// An address without angle brackets: parameters belong to the header, and `?` and `,` may not occur (RFC 3261 §20.10).
fn scan_bare(text: &str) -> Result<NameAddrParts<'_>, ParseError> {
    let (address, params) = text.split_at(text.find(';').unwrap_or(text.len()));
    let uri = scan_uri(trim_end(address))?;
    if uri.has_headers() || address.contains([',', '?']) {
        return Err(ParseError::Value("address with ? or , needs angle brackets"));
    }
    Ok(NameAddrParts { display: None, uri, params: scan_header_params(params)? })
}

/// The grammar allows tokens only; letters of other scripts and common punctuation are tolerated, structure is not.
fn check_unquoted_display(display: &str) -> Result<(), ParseError> {
    let is_tolerated = |byte: u8| {
        is_token_byte(byte) || byte >= 0x80 || matches!(byte, b' ' | b'\t' | b'(' | b')' | b'/' | b'&' | b'#' | b'=' | b'?' | b'$')
    };
    if display.bytes().all(is_tolerated) { Ok(()) } else { Err(ParseError::Value("display name needs quotes")) }
}

impl NameAddrParts<'_> {
    pub(super) fn to_name_addr(&self) -> NameAddr {
        NameAddr { display: self.display.as_deref().map(str::to_owned), uri: self.uri.to_uri(), params: Params::from_scanned(self.params) }
    }
}

/// The raw value of a header parameter of an address, without building it; used for tags.
pub(super) fn param_of<'a>(value: &'a str, name: &str) -> Option<&'a str> {
    let value = trim(value);
    let mut from = 0;
    if value.starts_with('"') {
        from = quoted_len(value)?;
    }
    if let Some(angle) = value[from..].find('<').filter(|&at| !is_bare_address(&value[from..from + at])) {
        from += angle + value[from + angle..].find('>')?;
    }
    let semicolon = value[from..].find(';')?;
    find(&value[from + semicolon..], name)
}

impl NameAddr {
    /// Reads an address.
    ///
    /// # Errors
    /// Says which rule of the grammar is broken.
    pub fn parse(text: &str) -> Result<NameAddr, ParseError> {
        scan_name_addr(text).map(|parts| parts.to_name_addr())
    }

    /// An address of a URI alone.
    #[must_use]
    pub fn new(uri: Uri) -> NameAddr {
        NameAddr { display: None, uri, params: Params::new() }
    }

    /// The same address with a display name.
    #[must_use]
    pub fn with_display(mut self, display: impl Into<String>) -> NameAddr {
        self.display = Some(display.into());
        self
    }

    /// The same address with this tag.
    #[must_use]
    pub fn with_tag(mut self, tag: &str) -> NameAddr {
        self.params.set("tag", Some(tag));
        self
    }

    /// The `tag` parameter.
    #[must_use]
    pub fn tag(&self) -> Option<&str> {
        self.params.get("tag")
    }

    /// The `expires` parameter of a Contact, in seconds; an unreadable one counts as absent (RFC 3261 §20.10).
    #[must_use]
    pub fn expires_s(&self) -> Option<u32> {
        self.params.get("expires")?.parse().ok()
    }
}

impl fmt::Display for NameAddr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(display) = &self.display {
            write_quoted(f, display)?;
            f.write_str(" ")?;
        }
        write!(f, "<{}>{}", self.uri, self.params)
    }
}
