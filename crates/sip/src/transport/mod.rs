//! Sockets: UDP, TCP and TLS. The only part of the crate that waits.
//!
//! Messages are parsed where they are received, and reach the owner in batches through one bounded channel. Sending never
//! blocks: what cannot be sent comes back as [`Item::Failed`]. The transport knows no transactions and retransmits nothing;
//! it opens stream connections where a [`Hop`] asks for one and keeps them for later messages to the same peer.

mod bind_error;
mod certificate;
mod connection;
mod outgoing;
mod shared;
mod table;
mod tls;
mod udp;

use std::collections::VecDeque;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, watch};

pub use bind_error::BindError;
pub use certificate::PeerCertificate;

use crate::config::{Local, Locals};
use crate::hop::{ConnectionId, Hop, Transport};
use crate::limits::{CONNECTIONS_MAX, CONNECTIONS_PER_ADDRESS_MAX, RECEIVED_BATCHES_MAX};
use crate::message::{Malformed, Message};
use shared::Shared;

/// Which sockets to open, and how streams are kept.
#[derive(Debug, Clone, Default)]
pub struct Config {
    /// Where to receive datagrams.
    pub udp: Option<SocketAddr>,
    /// Where to accept TCP connections.
    pub tcp: Option<SocketAddr>,
    /// Where to accept TLS connections, and who we are on those that we open.
    pub tls: Option<TlsConfig>,
    /// Limits of stream connections.
    pub streams: StreamLimits,
}

/// TLS in both directions. Files are PEM.
#[derive(Debug, Clone)]
pub struct TlsConfig {
    /// Where to accept connections.
    pub address: SocketAddr,
    /// Our certificate, then its intermediates.
    pub certificate_file: PathBuf,
    /// The private key of our certificate.
    pub key_file: PathBuf,
    /// Authorities that peers' certificates are verified against; `None` takes those of the operating system.
    pub authority_file: Option<PathBuf>,
    /// Whether peers that connect to us have to present a certificate.
    pub client_certificates: ClientCertificates,
}

/// What we ask of peers that connect to us by TLS.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ClientCertificates {
    /// Nothing.
    #[default]
    NotRequested,
    /// Whoever shows a certificate that our authorities answer for has proved who it is; others connect as well.
    Optional,
    /// Without a valid certificate there is no connection.
    Required,
}

/// Limits of stream connections.
#[derive(Debug, Clone)]
pub struct StreamLimits {
    /// Connections at the same time, both ways.
    pub connections_max: usize,
    /// Accepted connections of one address.
    pub connections_per_address_max: usize,
    /// From dialing to the end of the TLS handshake.
    pub connect_timeout: Duration,
    /// From accepting to the first complete message, and from the first to the last byte of every other one.
    pub message_timeout: Duration,
    /// Without a byte from the peer the connection is closed. Longer than the refresh of a registration.
    pub idle_timeout: Duration,
    /// One write of gathered messages.
    pub write_timeout: Duration,
    /// Between keep-alive pings on connections that we opened (RFC 5626 §4.4.1 suggests 95 to 120 s).
    pub ping_interval: Duration,
    /// From a ping to its answer; enforced with peers that have answered one before.
    pub pong_timeout: Duration,
}

impl Default for StreamLimits {
    fn default() -> StreamLimits {
        StreamLimits {
            connections_max: CONNECTIONS_MAX,
            connections_per_address_max: CONNECTIONS_PER_ADDRESS_MAX,
            connect_timeout: Duration::from_secs(5),
            message_timeout: Duration::from_secs(10),
            idle_timeout: Duration::from_secs(3_900),
            write_timeout: Duration::from_secs(10),
            ping_interval: Duration::from_secs(100),
            pong_timeout: Duration::from_secs(10),
        }
    }
}

/// The addresses that were bound, with the ports that the system chose.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct LocalAddresses {
    /// For datagrams.
    pub udp: Option<SocketAddr>,
    /// For plain streams.
    pub tcp: Option<SocketAddr>,
    /// For streams in TLS.
    pub tls: Option<SocketAddr>,
}

impl LocalAddresses {
    /// What Via and Contact say: these ports at a host that peers reach. IPv6 may be given with or without brackets.
    #[must_use]
    pub fn advertised(&self, host: &str) -> Locals {
        let host = match host.parse::<IpAddr>() {
            Ok(IpAddr::V6(v6)) => format!("[{v6}]"),
            _ => host.to_owned(),
        };
        let local = |address: Option<SocketAddr>| address.map(|address| Local::new(&host, address.port()));
        Locals { udp: local(self.udp), tcp: local(self.tcp), tls: local(self.tls) }
    }
}

/// Something that came from the network.
#[derive(Debug)]
pub struct Incoming {
    /// Where it came from. For a failed message: the hop that it was sent to, as it was given.
    pub hop: Hop,
    /// What came.
    pub item: Item,
}

/// What came from the network.
#[derive(Debug)]
pub enum Item {
    /// A message.
    Message(Message),
    /// Something that is no acceptable message. Over a stream that cannot go on, the connection closes soon after, with
    /// time for an answer.
    Malformed(Malformed),
    /// A connection ended.
    Closed,
    /// A message could not be sent.
    Failed {
        /// Why, for the operator.
        reason: String,
    },
}

/// The open sockets of one endpoint. Dropping it closes them at once, [`Transports::close`] writes out what is queued.
#[derive(Debug)]
pub struct Transports {
    shared: Arc<Shared>,
    received: mpsc::Receiver<Vec<Incoming>>,
    /// The rest of the last batch.
    batch: VecDeque<Incoming>,
    addresses: LocalAddresses,
    stop: watch::Sender<bool>,
    /// Yields `None` once every task has ended.
    tasks: mpsc::Receiver<()>,
}

impl Transports {
    /// Opens the sockets and starts to receive.
    ///
    /// # Errors
    /// Which address or file is the problem and what to do about it.
    pub async fn bind(config: Config) -> Result<Transports, BindError> {
        let (deliver, received) = mpsc::channel(RECEIVED_BATCHES_MAX);
        let (stop, stopped) = watch::channel(false);
        let (task_guard, tasks) = mpsc::channel(1);
        let tls = config.tls.as_ref().map(tls::Context::load).transpose()?;
        let udp = config.udp.map(udp::bind).transpose()?;
        let tcp_listener = config.tcp.map(|address| connection::listen(Transport::Tcp, address)).transpose()?;
        let tls_listener = config.tls.as_ref().map(|tls| connection::listen(Transport::Tls, tls.address)).transpose()?;
        let read = |transport, address: std::io::Result<SocketAddr>| address.map_err(|error| BindError::other(transport, None, &error));
        let addresses = LocalAddresses {
            udp: udp.as_ref().map(|socket| read(Transport::Udp, socket.local_addr())).transpose()?,
            tcp: tcp_listener.as_ref().map(|listener| read(Transport::Tcp, listener.local_addr())).transpose()?,
            tls: tls_listener.as_ref().map(|listener| read(Transport::Tls, listener.local_addr())).transpose()?,
        };
        let (udp, backlog) = match udp {
            Some(socket) => {
                let (sender, backlog) = udp::Sender::new(socket);
                (Some(sender), Some(backlog))
            }
            None => (None, None),
        };
        let shared = Arc::new(Shared::new(udp, tls, addresses, config.streams, deliver, stopped, task_guard));
        if let Some(backlog) = backlog {
            udp::start(&shared, backlog);
        }
        if let Some(listener) = tcp_listener {
            connection::accept(&shared, listener, Transport::Tcp);
        }
        if let Some(listener) = tls_listener {
            connection::accept(&shared, listener, Transport::Tls);
        }
        Ok(Transports { shared, received, batch: VecDeque::new(), addresses, stop, tasks })
    }

    /// The addresses that were bound.
    #[must_use]
    pub fn local_addresses(&self) -> LocalAddresses {
        self.addresses
    }

    /// The next thing that came. Dropping the future loses nothing.
    pub async fn recv(&mut self) -> Incoming {
        loop {
            if let Some(incoming) = self.try_recv() {
                return incoming;
            }
            tokio::select! {
                batch = self.received.recv() => match batch {
                    Some(batch) => self.batch.extend(batch),
                    // The shared state holds a sender, so that this does not happen while `self` lives.
                    None => std::future::pending::<()>().await,
                },
                () = self.shared.failures.wait() => {}
            }
        }
    }

    /// The next thing that already came, without waiting.
    pub fn try_recv(&mut self) -> Option<Incoming> {
        if let Some(failure) = self.shared.failures.pop() {
            return Some(failure);
        }
        loop {
            if let Some(incoming) = self.batch.pop_front() {
                return Some(incoming);
            }
            self.batch.extend(self.received.try_recv().ok()?);
        }
    }

    /// Sends bytes without waiting. A failure comes back as [`Item::Failed`] with the same hop; a datagram that gets lost
    /// does not.
    pub fn send(&self, hop: &Hop, bytes: Vec<u8>) {
        Shared::send(&self.shared, hop, bytes);
    }

    /// The certificate that the peer of a TLS connection proved to own, while the connection is open.
    #[must_use]
    pub fn peer_certificate(&self, connection: ConnectionId) -> Option<Arc<PeerCertificate>> {
        self.shared.connections.certificate(connection)
    }

    /// Number of open stream connections, both ways.
    #[must_use]
    pub fn connection_count(&self) -> usize {
        self.shared.connections.len()
    }

    /// Datagrams dropped because the socket did not take them in time.
    #[must_use]
    pub fn dropped_datagrams(&self) -> u64 {
        self.shared.udp.as_ref().map_or(0, udp::Sender::dropped)
    }

    /// Reads certificate, key and authorities again, for new connections both ways; open ones go on with the old ones.
    ///
    /// # Errors
    /// What is wrong with the files; the old ones stay in use then.
    pub fn reload_tls(&self, config: &TlsConfig) -> Result<(), BindError> {
        self.shared.replace_tls(tls::Context::load(config)?);
        Ok(())
    }

    /// Stops accepting and receiving, writes out what is queued and closes all sockets; takes two seconds at most.
    pub async fn close(&mut self) {
        // Nobody listening is fine: then every task has ended already.
        let _ = self.stop.send(true);
        self.shared.release_guard();
        let all_ended = async { while self.tasks.recv().await.is_some() {} };
        if tokio::time::timeout(CLOSE_TIMEOUT, all_ended).await.is_err() {
            tracing::warn!("some SIP connections did not close in time");
        }
    }
}

/// How long [`Transports::close`] waits for peers that do not read.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(2);
