//! SIP, SIPS and tel URIs (RFC 3261 §19.1, RFC 3966); others are carried opaquely.
//!
//! Escapes, parameters and the letters of the host are kept as they came, so that printing gives back what was read; only
//! the scheme is printed in lower case and the port without leading zeros. Comparing unescapes on the fly.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::str::FromStr;

use super::lex::{escapes_are_valid, port as parse_port};
use super::params::scan_uri_params;
use super::{Params, ParseError};

/// The scheme of a URI.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Scheme {
    /// `sip`
    Sip,
    /// `sips`
    Sips,
    /// `tel`: the number is in [`Uri::user`], the host is empty.
    Tel,
    /// Any other, in lower case: everything after the colon is in [`Uri::user`], the host is empty.
    Other(Box<str>),
}

impl Scheme {
    /// The scheme without its colon.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Scheme::Sip => "sip",
            Scheme::Sips => "sips",
            Scheme::Tel => "tel",
            Scheme::Other(other) => other,
        }
    }
}

/// A host as it is written in URIs and Via: a name, an IPv4 address, or an IPv6 address in brackets.
#[derive(Clone, PartialEq, Eq, Hash, Default)]
pub struct Host(Box<str>);

impl Host {
    /// Reads a host without a port.
    ///
    /// # Errors
    /// When it is neither a host name nor an address; an IPv6 address needs its brackets (RFC 5118 §4.2).
    pub fn parse(text: &str) -> Result<Host, ParseError> {
        check_host(text)?;
        Ok(Host(text.into()))
    }

    pub(super) fn from_scanned(text: &str) -> Host {
        Host(text.into())
    }

    /// The text, IPv6 in brackets.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The address, when the host is an address and not a name.
    #[must_use]
    pub fn ip(&self) -> Option<IpAddr> {
        host_ip(&self.0)
    }

    /// Whether both name the same host: case-insensitive, addresses by value.
    #[must_use]
    pub fn same_as(&self, other: &Host) -> bool {
        self.0.eq_ignore_ascii_case(&other.0) || self.ip().is_some_and(|ip| other.ip() == Some(ip))
    }
}

impl From<IpAddr> for Host {
    fn from(ip: IpAddr) -> Host {
        Host(match ip {
            IpAddr::V4(v4) => v4.to_string().into(),
            IpAddr::V6(v6) => format!("[{v6}]").into(),
        })
    }
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Host({})", self.0)
    }
}

pub(super) fn host_ip(text: &str) -> Option<IpAddr> {
    match text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        Some(inner) => inner.parse::<Ipv6Addr>().ok().map(IpAddr::V6),
        None if text.starts_with(|first: char| first.is_ascii_digit()) => text.parse::<Ipv4Addr>().ok().map(IpAddr::V4),
        None => None,
    }
}

pub(super) fn check_host(text: &str) -> Result<(), ParseError> {
    const BAD: ParseError = ParseError::Uri("host is not a name or an address");
    if let Some(rest) = text.strip_prefix('[') {
        let inner = rest.strip_suffix(']').ok_or(ParseError::Uri("IPv6 address without closing bracket"))?;
        // The RFC's own grammar allows three colons (RFC 5118 §4.10), therefore only the characters are checked here;
        // `Host::ip` is None for what is not an address.
        let is_reference = inner.contains(':') && inner.bytes().all(|byte| byte.is_ascii_hexdigit() || matches!(byte, b':' | b'.' | b'%'));
        return if is_reference { Ok(()) } else { Err(BAD) };
    }
    // Underscores are not legal in host names but common in private networks.
    if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_')) {
        return Err(BAD);
    }
    Ok(())
}

/// Splits `host[:port]`, IPv6 in brackets.
pub(super) fn split_host_port(text: &str) -> Result<(&str, Option<&str>), ParseError> {
    let after_host = match text.find(']') {
        Some(bracket) if text.starts_with('[') => bracket + 1,
        _ => text.find(':').unwrap_or(text.len()),
    };
    let (host, rest) = text.split_at(after_host);
    match rest.strip_prefix(':') {
        Some(port) => Ok((host, Some(port))),
        None if rest.is_empty() => Ok((host, None)),
        None => Err(ParseError::Uri("text after the host")),
    }
}

/// A URI.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Uri {
    /// The scheme.
    pub scheme: Scheme,
    /// The user part with its escapes; the number of a `tel` URI; everything after the colon for other schemes.
    pub user: Option<String>,
    /// The password with its escapes (deprecated by RFC 3261 §19.1.1, carried on).
    pub password: Option<String>,
    /// The host; empty for schemes without one.
    pub host: Host,
    /// The port, when one is written.
    pub port: Option<u16>,
    /// URI parameters.
    pub params: Params,
    /// What follows the `?`, raw and with its escapes. It is never turned into headers here (RFC 4475 §3.1.2.11).
    pub headers: Option<String>,
}

/// The pieces of a URI as slices of the text, after its grammar was checked.
pub(super) struct UriParts<'a> {
    scheme: &'a str,
    user: Option<&'a str>,
    password: Option<&'a str>,
    host: &'a str,
    port: Option<u16>,
    params: &'a str,
    headers: Option<&'a str>,
}

/// Checks a URI without allocating.
pub(super) fn scan_uri(text: &str) -> Result<UriParts<'_>, ParseError> {
    if text.bytes().any(|byte| byte <= b' ' || matches!(byte, b'<' | b'>' | b'"' | 0x7f)) {
        return Err(ParseError::Uri("white space, quote or angle bracket inside"));
    }
    let (scheme, rest) = text.split_once(':').ok_or(ParseError::Uri("scheme is missing"))?;
    let is_scheme = scheme.bytes().next().is_some_and(|first| first.is_ascii_alphabetic())
        && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.'));
    if !is_scheme {
        return Err(ParseError::Uri("scheme is not a word"));
    }
    if rest.is_empty() {
        return Err(ParseError::Uri("nothing after the scheme"));
    }
    if scheme.eq_ignore_ascii_case("sip") || scheme.eq_ignore_ascii_case("sips") {
        return scan_sip(scheme, rest);
    }
    let mut parts = UriParts { scheme, user: Some(rest), password: None, host: "", port: None, params: "", headers: None };
    if scheme.eq_ignore_ascii_case("tel") {
        let (number, params) = rest.split_at(rest.find(';').unwrap_or(rest.len()));
        if !number.bytes().any(|byte| byte.is_ascii_hexdigit() || matches!(byte, b'*' | b'#')) {
            return Err(ParseError::Uri("tel URI without a number"));
        }
        scan_uri_params(params)?;
        parts.user = Some(number);
        parts.params = params;
    }
    Ok(parts)
}

fn scan_sip<'a>(scheme: &'a str, rest: &'a str) -> Result<UriParts<'a>, ParseError> {
    // `;`, `?` and `/` are legal in the user part and `@` nowhere else (RFC 3261 §25.1): the first `@` ends it.
    let (userinfo, after) = match rest.split_once('@') {
        Some((userinfo, after)) => (Some(userinfo), after),
        None => (None, rest),
    };
    let (user, password) = match userinfo.map(|info| info.split_once(':').map_or((info, None), |(user, password)| (user, Some(password)))) {
        Some((user, password)) => (Some(user), password),
        None => (None, None),
    };
    if user == Some("") {
        return Err(ParseError::Uri("user part is empty"));
    }
    if !userinfo.is_none_or(escapes_are_valid) {
        return Err(ParseError::Uri("% is not followed by two hexadecimal digits"));
    }
    let host_end = after.find([';', '?']).unwrap_or(after.len());
    let (host_port, tail) = after.split_at(host_end);
    let (host, port) = split_host_port(host_port)?;
    check_host(host)?;
    let port = port.map(parse_port).transpose().map_err(|_| ParseError::Uri("port is not a number up to 65535"))?;
    let (params, headers) = match tail.split_once('?') {
        Some((params, headers)) => (params, Some(headers)),
        None => (tail, None),
    };
    scan_uri_params(params)?;
    Ok(UriParts { scheme, user, password, host, port, params, headers })
}

impl UriParts<'_> {
    pub(super) fn to_uri(&self) -> Uri {
        let scheme = match self.scheme {
            sip if sip.eq_ignore_ascii_case("sip") => Scheme::Sip,
            sips if sips.eq_ignore_ascii_case("sips") => Scheme::Sips,
            tel if tel.eq_ignore_ascii_case("tel") => Scheme::Tel,
            other => Scheme::Other(other.to_ascii_lowercase().into()),
        };
        Uri {
            scheme,
            user: self.user.map(str::to_owned),
            password: self.password.map(str::to_owned),
            host: Host::from_scanned(self.host),
            port: self.port,
            params: Params::from_scanned(self.params),
            headers: self.headers.map(str::to_owned),
        }
    }

    /// Whether the text has parts that are ambiguous outside angle brackets.
    pub(super) fn has_headers(&self) -> bool {
        self.headers.is_some()
    }
}

impl Uri {
    /// Reads a URI, without angle brackets.
    ///
    /// # Errors
    /// Says which rule of the grammar is broken.
    pub fn parse(text: &str) -> Result<Uri, ParseError> {
        scan_uri(text).map(|parts| parts.to_uri())
    }

    /// A `sip` URI. Characters that may not stand in a user part are escaped.
    #[must_use]
    pub fn sip(user: Option<&str>, host: impl Into<Host>, port: Option<u16>) -> Uri {
        Uri {
            scheme: Scheme::Sip,
            user: user.filter(|user| !user.is_empty()).map(escape_user),
            password: None,
            host: host.into(),
            port,
            params: Params::new(),
            headers: None,
        }
    }

    /// The user part with its escapes resolved; bytes that are not UTF-8 are replaced.
    #[must_use]
    pub fn user_unescaped(&self) -> Option<String> {
        self.user.as_deref().map(unescape)
    }

    /// Whether the scheme is `sip` or `sips`.
    #[must_use]
    pub fn is_sip(&self) -> bool {
        matches!(self.scheme, Scheme::Sip | Scheme::Sips)
    }

    /// The socket address, when the host is an address; the port is `default_port` when none is written.
    #[must_use]
    pub fn socket_addr(&self, default_port: u16) -> Option<SocketAddr> {
        self.host.ip().map(|ip| SocketAddr::new(ip, self.port.unwrap_or(default_port)))
    }

    /// Equality as RFC 3261 §19.1.4 defines it for SIP URIs and RFC 3966 §4 for `tel`; other schemes compare as text.
    #[must_use]
    pub fn same_as(&self, other: &Uri) -> bool {
        if self.scheme != other.scheme {
            return false;
        }
        match self.scheme {
            Scheme::Other(_) => self.user == other.user,
            Scheme::Tel => {
                let digits = |uri: &Uri| {
                    uri.user
                        .as_deref()
                        .unwrap_or("")
                        .bytes()
                        .filter(|byte| !matches!(byte, b'-' | b'.' | b'(' | b')'))
                        .map(|byte| byte.to_ascii_lowercase())
                        .collect::<Vec<u8>>()
                };
                digits(self) == digits(other) && params_match(&self.params, &other.params, |_| true)
            }
            Scheme::Sip | Scheme::Sips => {
                same_text(self.user.as_deref(), other.user.as_deref())
                    && same_text(self.password.as_deref(), other.password.as_deref())
                    && self.host.same_as(&other.host)
                    && self.port == other.port
                    && params_match(&self.params, &other.params, is_significant_param)
                    && same_headers(self.headers.as_deref(), other.headers.as_deref())
            }
        }
    }
}

/// Parameters that make URIs different even when only one of them has it (RFC 3261 §19.1.4).
fn is_significant_param(name: &str) -> bool {
    ["transport", "user", "ttl", "method", "maddr"].iter().any(|known| name.eq_ignore_ascii_case(known))
}

fn params_match(left: &Params, right: &Params, is_significant: impl Fn(&str) -> bool + Copy) -> bool {
    let one_way = |from: &Params, to: &Params| {
        from.iter().all(|(name, value)| match to.get(name) {
            Some(other) => Normalized::new(value.unwrap_or("")).map(lower).eq(Normalized::new(other).map(lower)),
            None => !is_significant(name),
        })
    };
    one_way(left, right) && one_way(right, left)
}

fn same_text(left: Option<&str>, right: Option<&str>) -> bool {
    match (left, right) {
        (Some(left), Some(right)) => left == right || Normalized::new(left).eq(Normalized::new(right)),
        (None, None) => true,
        _ => false,
    }
}

fn same_headers(left: Option<&str>, right: Option<&str>) -> bool {
    let sorted = |headers: Option<&str>| {
        let mut all: Vec<Vec<u16>> = headers
            .unwrap_or("")
            .split('&')
            .filter(|header| !header.is_empty())
            .map(|header| Normalized::new(header).map(lower).collect())
            .collect();
        all.sort_unstable();
        all
    };
    left == right || sorted(left) == sorted(right)
}

fn lower(unit: u16) -> u16 {
    u8::try_from(unit).map_or(unit, |byte| u16::from(byte.to_ascii_lowercase()))
}

/// Bytes of a URI part with escapes resolved. An escaped reserved character stays different from the bare one
/// (RFC 3261 §19.1.4), therefore it comes out above 255.
struct Normalized<'a> {
    bytes: &'a [u8],
}

impl<'a> Normalized<'a> {
    fn new(text: &'a str) -> Normalized<'a> {
        Normalized { bytes: text.as_bytes() }
    }
}

impl Iterator for Normalized<'_> {
    type Item = u16;

    fn next(&mut self) -> Option<u16> {
        let (&first, rest) = self.bytes.split_first()?;
        if first == b'%'
            && let Some(byte) = rest.get(..2).and_then(hex_pair)
        {
            self.bytes = &rest[2..];
            let is_reserved = matches!(byte, b';' | b'/' | b'?' | b':' | b'@' | b'&' | b'=' | b'+' | b'$' | b',');
            return Some(if is_reserved { 0x100 | u16::from(byte) } else { u16::from(byte) });
        }
        self.bytes = rest;
        Some(u16::from(first))
    }
}

fn hex_pair(digits: &[u8]) -> Option<u8> {
    let digit = |byte: u8| (byte as char).to_digit(16).and_then(|value| u8::try_from(value).ok());
    Some(digit(digits[0])? << 4 | digit(digits[1])?)
}

fn unescape(text: &str) -> String {
    let bytes: Vec<u8> = Normalized::new(text).map(|unit| u8::try_from(unit & 0xff).unwrap_or(b'?')).collect();
    String::from_utf8_lossy(&bytes).into_owned()
}

fn escape_user(user: &str) -> String {
    let mut escaped = String::with_capacity(user.len());
    for byte in user.bytes() {
        // unreserved and user-unreserved of RFC 3261 §25.1
        if byte.is_ascii_alphanumeric() || b"-_.!~*'()&=+$,;?/".contains(&byte) {
            escaped.push(byte as char);
        } else {
            escaped.push_str(&format!("%{byte:02X}"));
        }
    }
    escaped
}

impl FromStr for Uri {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Uri, ParseError> {
        Uri::parse(text)
    }
}

impl fmt::Display for Uri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.scheme.as_str())?;
        f.write_str(":")?;
        if let Some(user) = &self.user {
            f.write_str(user)?;
            if let Some(password) = &self.password {
                write!(f, ":{password}")?;
            }
            if self.is_sip() {
                f.write_str("@")?;
            }
        }
        f.write_str(self.host.as_str())?;
        if let Some(port) = self.port {
            write!(f, ":{port}")?;
        }
        f.write_str(self.params.as_str())?;
        if let Some(headers) = &self.headers {
            write!(f, "?{headers}")?;
        }
        Ok(())
    }
}
