//! Via: the way back of a response (RFC 3261 §20.42, RFC 3581).

use std::fmt;
use std::net::{IpAddr, SocketAddr};

use super::lex::{is_token, port as parse_port, trim, trim_end, trim_start};
use super::params::{find, scan_header_params};
use super::uri::{check_host, host_ip, split_host_port};
use super::{Host, Params, ParseError};

/// The branch prefix of RFC 3261 transactions.
pub const BRANCH_COOKIE: &str = "z9hG4bK";

/// One Via entry of `SIP/2.0`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Via {
    /// The transport token as written, such as `UDP`; it may be one that we do not speak.
    pub transport: String,
    /// The host that the sender named.
    pub sent_by_host: Host,
    /// The port that the sender named.
    pub sent_by_port: Option<u16>,
    /// Parameters such as `branch`, `received`, `rport`.
    pub params: Params,
}

/// The checked pieces of one Via entry as slices.
pub(super) struct ViaParts<'a> {
    pub(super) transport: &'a str,
    pub(super) host: &'a str,
    pub(super) port: Option<u16>,
    pub(super) params: &'a str,
}

/// Checks one Via entry without allocating.
pub(super) fn scan_via(text: &str) -> Result<ViaParts<'_>, ParseError> {
    const PROTOCOL: ParseError = ParseError::Value("sent-protocol is not SIP/2.0/transport");
    let (name, rest) = text.split_once('/').ok_or(PROTOCOL)?;
    let (version, rest) = rest.split_once('/').ok_or(PROTOCOL)?;
    if !trim(name).eq_ignore_ascii_case("SIP") || trim(version) != "2.0" {
        return Err(PROTOCOL);
    }
    let rest = trim_start(rest);
    let (transport, rest) = rest.split_at(rest.find([' ', '\t']).ok_or(ParseError::Value("sent-by is missing"))?);
    if !is_token(transport) {
        return Err(PROTOCOL);
    }
    let (sent_by, params) = rest.split_at(rest.find(';').unwrap_or(rest.len()));
    let (host, port) = split_host_port(trim(sent_by))?;
    let host = trim_end(host);
    check_host(host)?;
    let port = port.map(|port| parse_port(trim(port))).transpose()?;
    Ok(ViaParts { transport, host, port, params: scan_header_params(params)? })
}

impl<'a> ViaParts<'a> {
    pub(super) fn to_via(&self) -> Via {
        Via {
            transport: self.transport.to_owned(),
            sent_by_host: Host::from_scanned(self.host),
            sent_by_port: self.port,
            params: Params::from_scanned(self.params),
        }
    }

    pub(super) fn branch(&self) -> Option<&'a str> {
        find(self.params, "branch")
    }
}

impl Via {
    /// Reads one Via entry.
    ///
    /// # Errors
    /// Says which rule of the grammar is broken.
    pub fn parse(text: &str) -> Result<Via, ParseError> {
        scan_via(trim(text)).map(|parts| parts.to_via())
    }

    /// A Via of our own, asking for symmetric responses (RFC 3581 §3).
    #[must_use]
    pub fn new(transport: crate::hop::Transport, host: Host, port: Option<u16>, branch: &str) -> Via {
        Via {
            transport: transport.via_token().to_owned(),
            sent_by_host: host,
            sent_by_port: port,
            params: Params::new().with("branch", Some(branch)).with("rport", None),
        }
    }

    /// The `branch` parameter.
    #[must_use]
    pub fn branch(&self) -> Option<&str> {
        self.params.get("branch")
    }

    /// The `received` address; brackets are tolerated (RFC 5118 §4.5).
    #[must_use]
    pub fn received(&self) -> Option<IpAddr> {
        let text = self.params.get("received")?;
        host_ip(text).or_else(|| text.parse().ok())
    }

    /// Whether the sender asked for `rport`, or the port that was filled in.
    #[must_use]
    pub fn rport(&self) -> Option<Option<u16>> {
        self.params.get("rport").map(|value| parse_port(value).ok())
    }

    /// Notes where the request came from: `received` when it differs from sent-by or `rport` was asked for, `rport` when
    /// it was asked for (RFC 3261 §18.2.1, RFC 3581 §4). IPv6 is written without brackets.
    pub fn set_source(&mut self, source: SocketAddr) {
        let wants_rport = self.params.contains("rport");
        if wants_rport || self.sent_by_host.ip() != Some(source.ip()) {
            self.params.set("received", Some(&source.ip().to_string()));
        }
        if wants_rport {
            self.params.set("rport", Some(&source.port().to_string()));
        }
    }
}

impl fmt::Display for Via {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SIP/2.0/{} {}", self.transport, self.sent_by_host)?;
        if let Some(port) = self.sent_by_port {
            write!(f, ":{port}")?;
        }
        f.write_str(self.params.as_str())
    }
}
