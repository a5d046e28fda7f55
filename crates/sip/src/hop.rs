//! Transport-neutral addressing: which way bytes travel.
//!
//! A [`Hop`] is all that the protocol layers know of sockets. It decides nothing; the transport resolves it to an open
//! connection or opens one.

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;

/// A transport protocol that we speak.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Transport {
    /// Datagrams; requests and responses are retransmitted by the transaction layer.
    Udp,
    /// A plain byte stream.
    Tcp,
    /// A byte stream in TLS.
    Tls,
}

impl Transport {
    /// The word in a Via header, such as `UDP`.
    #[must_use]
    pub fn via_token(self) -> &'static str {
        match self {
            Transport::Udp => "UDP",
            Transport::Tcp => "TCP",
            Transport::Tls => "TLS",
        }
    }

    /// The word in a `transport` URI parameter, such as `udp`.
    #[must_use]
    pub fn uri_token(self) -> &'static str {
        match self {
            Transport::Udp => "udp",
            Transport::Tcp => "tcp",
            Transport::Tls => "tls",
        }
    }

    /// Reads a Via transport or a `transport` URI parameter, in any case; `None` for one that we do not speak.
    #[must_use]
    pub fn parse(token: &str) -> Option<Transport> {
        [Transport::Udp, Transport::Tcp, Transport::Tls].into_iter().find(|known| known.uri_token().eq_ignore_ascii_case(token))
    }

    /// Whether delivery is reliable, so that the transaction layer need not retransmit.
    #[must_use]
    pub fn is_reliable(self) -> bool {
        !matches!(self, Transport::Udp)
    }

    /// The port used when a URI or Via names none (RFC 3261 §19.1.2).
    #[must_use]
    pub fn default_port(self) -> u16 {
        match self {
            Transport::Udp | Transport::Tcp => 5060,
            Transport::Tls => 5061,
        }
    }
}

impl fmt::Display for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.via_token())
    }
}

/// An open stream connection of this process; never reused while the process lives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ConnectionId(pub u64);

/// Where bytes go to, or came from.
///
/// For streams `connection` names the open connection; when it is `None` or gone, the transport opens one to `remote`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Hop {
    /// The protocol.
    pub transport: Transport,
    /// The peer's address: the source of what was received, the destination of what is sent.
    pub remote: SocketAddr,
    /// The open connection, for streams.
    pub connection: Option<ConnectionId>,
    /// For TLS that we open: the name sent as SNI and verified in the peer's certificate. Without one the address is verified.
    pub server_name: Option<Arc<str>>,
}

impl Hop {
    /// A UDP destination.
    #[must_use]
    pub fn udp(remote: SocketAddr) -> Hop {
        Hop { transport: Transport::Udp, remote, connection: None, server_name: None }
    }

    /// A TCP destination without an open connection.
    #[must_use]
    pub fn tcp(remote: SocketAddr) -> Hop {
        Hop { transport: Transport::Tcp, remote, connection: None, server_name: None }
    }

    /// A TLS destination without an open connection, verified as `server_name`.
    #[must_use]
    pub fn tls(remote: SocketAddr, server_name: &str) -> Hop {
        Hop { transport: Transport::Tls, remote, connection: None, server_name: Some(Arc::from(server_name)) }
    }
}

impl fmt::Display for Hop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.transport.uri_token(), self.remote)?;
        if let Some(connection) = self.connection {
            write!(f, "#{}", connection.0)?;
        }
        Ok(())
    }
}
