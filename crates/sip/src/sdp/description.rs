//! Session descriptions as lines: reading, holding, printing.

use std::fmt;
use std::net::IpAddr;

use super::Media;
use crate::limits::{SDP_ATTRIBUTE_COUNT_MAX, SDP_BYTES_MAX, SDP_FORMAT_COUNT_MAX, SDP_MEDIA_COUNT_MAX};

/// Why a session description could not be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SdpError {
    /// The description or one of its lists exceeds a limit.
    #[error("{0} exceeds its limit")]
    TooLarge(&'static str),
    /// No line could be understood.
    #[error("not a session description")]
    NotSdp,
    /// A line whose meaning cannot be guessed.
    #[error("line {line}: {problem}")]
    Line {
        /// Counted from 1.
        line: usize,
        /// What is wrong.
        problem: &'static str,
    },
}

/// The `o=` line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// User name, `-` when there is none.
    pub username: String,
    /// Session id; text, because some peers write more digits than fit.
    pub session_id: String,
    /// Session version; text for the same reason.
    pub version: String,
    /// The address that created the session. It says nothing about where media go.
    pub address: Connection,
}

/// An address as in `c=` lines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Connection {
    /// `IP4` or `IP6`.
    pub address_type: String,
    /// The address without multicast suffixes: mostly an IP address, sometimes a host name.
    pub address: String,
}

impl Connection {
    /// The line of an address.
    #[must_use]
    pub fn from_ip(ip: IpAddr) -> Connection {
        Connection { address_type: if ip.is_ipv4() { "IP4" } else { "IP6" }.to_owned(), address: ip.to_string() }
    }

    /// The IP address; `None` for a host name. Brackets around IPv6 are tolerated.
    #[must_use]
    pub fn ip(&self) -> Option<IpAddr> {
        self.address.trim_start_matches('[').trim_end_matches(']').parse().ok()
    }

    fn parse(text: &str) -> Option<Connection> {
        let mut words = text.split_ascii_whitespace();
        if !words.next()?.eq_ignore_ascii_case("IN") {
            return None;
        }
        let address_type = words.next()?.to_ascii_uppercase();
        let address = words.next()?.split('/').next().filter(|address| !address.is_empty())?.to_owned();
        Some(Connection { address_type, address })
    }
}

impl fmt::Display for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "IN {} {}", self.address_type, self.address)
    }
}

/// An `a=` line.
#[derive(Clone, PartialEq, Eq)]
pub struct Attribute {
    /// The name before the colon.
    pub name: String,
    /// The text after the colon; `None` for a flag.
    pub value: Option<String>,
}

impl Attribute {
    /// A flag.
    #[must_use]
    pub fn flag(name: &str) -> Attribute {
        Attribute { name: name.to_owned(), value: None }
    }

    /// An attribute with a value.
    #[must_use]
    pub fn new(name: &str, value: impl Into<String>) -> Attribute {
        Attribute { name: name.to_owned(), value: Some(value.into()) }
    }

    fn parse(text: &str) -> Attribute {
        match text.split_once(':') {
            Some((name, value)) => Attribute { name: name.trim().to_owned(), value: Some(value.to_owned()) },
            None => Attribute::flag(text.trim()),
        }
    }
}

/// Does not show keys.
impl fmt::Debug for Attribute {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let value = if self.name.eq_ignore_ascii_case("crypto") { Some("..") } else { self.value.as_deref() };
        f.debug_struct("Attribute").field("name", &self.name).field("value", &value).finish()
    }
}

impl fmt::Display for Attribute {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.value {
            Some(value) => write!(f, "{}:{value}", self.name),
            None => f.write_str(&self.name),
        }
    }
}

/// A session description.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Description {
    /// The `o=` line; `None` when it is missing or unreadable, which is tolerated.
    pub origin: Option<Origin>,
    /// The `s=` line.
    pub session_name: String,
    /// The `c=` line of the session level.
    pub connection: Option<Connection>,
    /// The `b=` lines of the session level.
    pub bandwidth: Vec<String>,
    /// The first `t=` line.
    pub timing: String,
    /// The `a=` lines of the session level.
    pub attributes: Vec<Attribute>,
    /// The media in their order.
    pub media: Vec<Media>,
}

impl Description {
    /// Reads a session description. Any line end is taken; lines of unknown type are skipped; `v=`, `o=`, `s=` and `t=`
    /// may be missing.
    ///
    /// # Errors
    /// When a media line cannot be understood, since the answer has to mirror it, or when a limit is exceeded.
    pub fn parse(bytes: &[u8]) -> Result<Description, SdpError> {
        if bytes.len() > SDP_BYTES_MAX {
            return Err(SdpError::TooLarge("session description"));
        }
        let text = String::from_utf8_lossy(bytes);
        let mut description = Description {
            origin: None,
            session_name: "-".to_owned(),
            connection: None,
            bandwidth: Vec::new(),
            timing: "0 0".to_owned(),
            attributes: Vec::new(),
            media: Vec::new(),
        };
        let mut is_sdp = false;
        // A zero byte is in no line (RFC 8866 §9, `byte-string`); some end what they send with one.
        for (index, line) in text.split(['\n', '\r', '\0']).filter(|line| !line.is_empty()).enumerate() {
            let line = line.trim_matches([' ', '\t']);
            let Some((kind, value)) = line.split_once('=') else { continue };
            is_sdp |= matches!(kind, "v" | "o" | "s" | "m");
            description.add_line(kind.trim_end(), value.trim_start()).map_err(|error| match error {
                SdpError::Line { problem, .. } => SdpError::Line { line: index + 1, problem },
                other => other,
            })?;
        }
        if is_sdp { Ok(description) } else { Err(SdpError::NotSdp) }
    }

    fn add_line(&mut self, kind: &str, value: &str) -> Result<(), SdpError> {
        match (kind, self.media.last_mut()) {
            ("o", None) => self.origin = parse_origin(value),
            ("s", None) => value.clone_into(&mut self.session_name),
            ("t", None) => value.clone_into(&mut self.timing),
            ("c", None) => self.connection = Connection::parse(value).or(self.connection.take()),
            // Several c= lines of one media are alternatives for layered multicast: the first is taken.
            ("c", Some(media)) => media.connection = media.connection.take().or(Connection::parse(value)),
            ("b", media) => {
                let lines = media.map_or(&mut self.bandwidth, |media| &mut media.bandwidth);
                push_limited(lines, value.to_owned())?;
            }
            ("a", media) => {
                let lines = media.map_or(&mut self.attributes, |media| &mut media.attributes);
                push_limited(lines, Attribute::parse(value))?;
            }
            ("m", _) => {
                if self.media.len() == SDP_MEDIA_COUNT_MAX {
                    return Err(SdpError::TooLarge("number of media"));
                }
                self.media.push(parse_media(value)?);
            }
            _ => {}
        }
        Ok(())
    }

    /// The value of the first session-level attribute of this name; empty for a flag.
    #[must_use]
    pub fn attribute(&self, name: &str) -> Option<&str> {
        find_attribute(&self.attributes, name)
    }

    /// Where a media is received: its own `c=` line, else that of the session.
    #[must_use]
    pub fn connection_of<'a>(&'a self, media: &'a Media) -> Option<&'a Connection> {
        media.connection.as_ref().or(self.connection.as_ref())
    }

    /// The description as bytes.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        self.to_string().into_bytes()
    }
}

fn push_limited<T>(lines: &mut Vec<T>, line: T) -> Result<(), SdpError> {
    if lines.len() == SDP_ATTRIBUTE_COUNT_MAX {
        return Err(SdpError::TooLarge("number of attributes"));
    }
    lines.push(line);
    Ok(())
}

pub(super) fn find_attribute<'a>(attributes: &'a [Attribute], name: &str) -> Option<&'a str> {
    attributes
        .iter()
        .find(|attribute| attribute.name.eq_ignore_ascii_case(name))
        .map(|attribute| attribute.value.as_deref().unwrap_or("").trim())
}

fn parse_origin(value: &str) -> Option<Origin> {
    let mut words = value.splitn(4, ' ');
    Some(Origin {
        username: words.next()?.to_owned(),
        session_id: words.next()?.to_owned(),
        version: words.next()?.to_owned(),
        address: Connection::parse(words.next()?)?,
    })
}

fn parse_media(value: &str) -> Result<Media, SdpError> {
    let problem = |problem| SdpError::Line { line: 0, problem };
    let mut words = value.split_ascii_whitespace();
    let kind = words.next().ok_or(problem("media line is empty"))?.to_owned();
    let port = words.next().ok_or(problem("media line without a port"))?;
    let (port, port_count) = match port.split_once('/') {
        Some((port, count)) => (port, Some(count.parse().map_err(|_| problem("number of ports is not a number"))?)),
        None => (port, None),
    };
    let port = port.parse().map_err(|_| problem("port is not a number up to 65535"))?;
    let protocol = words.next().ok_or(problem("media line without a protocol"))?.to_owned();
    let formats: Vec<String> = words.map(str::to_owned).collect();
    if formats.len() > SDP_FORMAT_COUNT_MAX {
        return Err(SdpError::TooLarge("number of formats"));
    }
    Ok(Media { kind, port, port_count, protocol, formats, connection: None, bandwidth: Vec::new(), attributes: Vec::new() })
}

impl fmt::Display for Description {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("v=0\r\n")?;
        if let Some(origin) = &self.origin {
            write!(f, "o={} {} {} {}\r\n", origin.username, origin.session_id, origin.version, origin.address)?;
        }
        write!(f, "s={}\r\n", self.session_name)?;
        if let Some(connection) = &self.connection {
            write!(f, "c={connection}\r\n")?;
        }
        for bandwidth in &self.bandwidth {
            write!(f, "b={bandwidth}\r\n")?;
        }
        write!(f, "t={}\r\n", self.timing)?;
        for attribute in &self.attributes {
            write!(f, "a={attribute}\r\n")?;
        }
        for media in &self.media {
            write!(f, "{media}")?;
        }
        Ok(())
    }
}
