//! What an endpoint is told once: its names, its addresses and its limits.

use std::time::Duration;

use crate::hop::Transport;
use crate::limits;
use crate::message::Method;

/// The settings of one [`Endpoint`](crate::endpoint::Endpoint).
#[derive(Debug, Clone)]
pub struct Config {
    /// The value of User-Agent and Server; empty leaves both out.
    pub user_agent: String,
    /// How peers reach us.
    pub locals: Locals,
    /// The session interval that we ask for (RFC 4028); `None` turns session timers off on our side.
    pub session_expires: Option<Duration>,
    /// The shortest session interval that we accept; at least 90 s (RFC 4028 §5).
    pub session_expires_min: Duration,
    /// Calls at the same time; more INVITEs get 503.
    pub calls_max: usize,
    /// Transactions at the same time, including those that only absorb repetitions; more new requests get 503.
    pub transactions_max: usize,
    /// What Retry-After says in such a 503.
    pub overload_retry_after: Duration,
    /// Methods outside calls that reach [`Event::Request`](crate::event::Event::Request); the others get 405.
    /// OPTIONS is answered by the endpoint unless it is listed here.
    pub requests: Vec<Method>,
    /// Option tags accepted in Require and listed in Supported, besides `timer`.
    pub supported: Vec<String>,
}

impl Config {
    /// Settings that suit a contact centre: half-hour session timers, REGISTER handed to the outside, Replaces known.
    #[must_use]
    pub fn new(user_agent: &str, locals: Locals) -> Config {
        Config {
            user_agent: user_agent.to_owned(),
            locals,
            session_expires: Some(Duration::from_secs(1_800)),
            session_expires_min: Duration::from_secs(90),
            calls_max: limits::CALLS_MAX,
            transactions_max: limits::TRANSACTIONS_MAX,
            overload_retry_after: Duration::from_secs(5),
            requests: vec![Method::Register],
            supported: vec!["replaces".to_owned()],
        }
    }
}

/// The addresses we advertise in Via and Contact, one per transport.
#[derive(Debug, Clone, Default)]
pub struct Locals {
    /// For datagrams.
    pub udp: Option<Local>,
    /// For plain streams.
    pub tcp: Option<Local>,
    /// For streams in TLS.
    pub tls: Option<Local>,
}

impl Locals {
    /// The address of a transport, or any other one when that transport has none.
    pub(crate) fn of(&self, transport: Transport) -> Option<&Local> {
        let own = match transport {
            Transport::Udp => &self.udp,
            Transport::Tcp => &self.tcp,
            Transport::Tls => &self.tls,
        };
        own.as_ref().or(self.udp.as_ref()).or(self.tcp.as_ref()).or(self.tls.as_ref())
    }
}

/// A host and port that peers can reach.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Local {
    /// A domain name or address as it is to be printed: IPv6 in brackets.
    pub host: String,
    /// The port peers send to.
    pub port: u16,
}

impl Local {
    /// An advertised address.
    #[must_use]
    pub fn new(host: &str, port: u16) -> Local {
        Local { host: host.to_owned(), port }
    }
}
