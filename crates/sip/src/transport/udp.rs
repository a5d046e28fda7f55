//! One UDP socket: a task that receives and parses in batches, and sending that does not wait.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use socket2::{Domain, Protocol, Socket, Type};
use tokio::net::UdpSocket;
use tokio::sync::mpsc;

use super::shared::Shared;
use super::{BindError, Incoming, Item};
use crate::hop::{Hop, Transport};
use crate::limits::{UDP_BACKLOG_MAX, UDP_BATCH_MAX, UDP_KERNEL_BUFFER_BYTES, UDP_RECEIVE_BYTES};
use crate::message::{ParseError, parse_datagram};

/// Datagrams that wait for the socket.
pub(super) type Backlog = mpsc::Receiver<(SocketAddr, Vec<u8>)>;

/// Opens the socket.
pub(super) fn bind(address: SocketAddr) -> Result<UdpSocket, BindError> {
    let open = || -> io::Result<UdpSocket> {
        let socket = Socket::new(Domain::for_address(address), Type::DGRAM, Some(Protocol::UDP))?;
        if address.is_ipv6() {
            // [::] serves IPv4, too, whatever the system's default is.
            socket.set_only_v6(!address.ip().is_unspecified())?;
        }
        socket.set_nonblocking(true)?;
        // The system grants what it is configured to; smaller buffers still work.
        let _ = socket.set_recv_buffer_size(UDP_KERNEL_BUFFER_BYTES);
        let _ = socket.set_send_buffer_size(UDP_KERNEL_BUFFER_BYTES);
        socket.bind(&address.into())?;
        UdpSocket::from_std(socket.into())
    };
    open().map_err(|error| BindError::of(Transport::Udp, address, &error))
}

/// The sending side.
#[derive(Debug)]
pub(super) struct Sender {
    socket: Arc<UdpSocket>,
    is_ipv6: bool,
    backlog: mpsc::Sender<(SocketAddr, Vec<u8>)>,
    /// Set while datagrams wait, so that later ones do not overtake them.
    has_backlog: AtomicBool,
    dropped: AtomicU64,
}

impl Sender {
    pub(super) fn new(socket: UdpSocket) -> (Sender, Backlog) {
        let (backlog, waiting) = mpsc::channel(UDP_BACKLOG_MAX);
        let is_ipv6 = socket.local_addr().is_ok_and(|address| address.is_ipv6());
        (Sender { socket: Arc::new(socket), is_ipv6, backlog, has_backlog: AtomicBool::new(false), dropped: AtomicU64::new(0) }, waiting)
    }

    pub(super) fn dropped(&self) -> u64 {
        self.dropped.load(Ordering::Relaxed)
    }

    /// Sends at once, or queues while the socket is full.
    pub(super) fn send(&self, remote: SocketAddr, bytes: Vec<u8>) -> Result<(), String> {
        let remote = match remote.ip() {
            IpAddr::V4(v4) if self.is_ipv6 => SocketAddr::new(v4.to_ipv6_mapped().into(), remote.port()),
            _ => remote,
        };
        if !self.has_backlog.load(Ordering::Acquire) {
            match self.socket.try_send_to(&bytes, remote) {
                Ok(_) => return Ok(()),
                Err(error) if is_temporary(&error) => {}
                Err(error) => return Err(error.to_string()),
            }
        }
        self.has_backlog.store(true, Ordering::Release);
        if self.backlog.try_send((remote, bytes)).is_err() {
            self.dropped.fetch_add(1, Ordering::Relaxed);
        }
        Ok(())
    }
}

fn is_temporary(error: &io::Error) -> bool {
    // ENOBUFS has no kind of its own.
    error.kind() == io::ErrorKind::WouldBlock || error.raw_os_error() == Some(105)
}

/// Starts the two tasks of the socket.
pub(super) fn start(shared: &Arc<Shared>, backlog: Backlog) {
    for task in [Task::Receive, Task::Drain(backlog)] {
        let (shared, guard) = (Arc::clone(shared), shared.guard());
        tokio::spawn(async move {
            let _guard = guard;
            let Some(udp) = &shared.udp else { return };
            let work = async {
                match task {
                    Task::Receive => receive(&shared, &udp.socket).await,
                    Task::Drain(backlog) => drain(udp, backlog).await,
                }
            };
            tokio::select! {
                () = work => {}
                () = shared.stopped() => {}
            }
        });
    }
}

enum Task {
    Receive,
    Drain(Backlog),
}

async fn receive(shared: &Shared, socket: &UdpSocket) {
    let mut buffer = vec![0; UDP_RECEIVE_BYTES];
    loop {
        if let Err(error) = socket.readable().await {
            tracing::error!(%error, "the UDP socket for SIP cannot be read any more");
            return;
        }
        let mut batch = Vec::new();
        for _ in 0..UDP_BATCH_MAX {
            match socket.try_recv_from(&mut buffer) {
                Ok((len, source)) => batch.extend(read(&buffer[..len], source)),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                // An ICMP error of an earlier datagram: it says nothing about this socket.
                Err(_) => {}
            }
        }
        shared.deliver(batch).await;
    }
}

fn read(datagram: &[u8], source: SocketAddr) -> Option<Incoming> {
    let hop = Hop::udp(SocketAddr::new(source.ip().to_canonical(), source.port()));
    match parse_datagram(datagram) {
        Ok(message) => Some(Incoming { hop, item: Item::Message(message) }),
        // Keep-alives, and STUN or RTP that went astray: SIP begins with a letter.
        Err(malformed) if malformed.error == ParseError::Empty || !datagram[0].is_ascii_alphabetic() => None,
        Err(malformed) => Some(Incoming { hop, item: Item::Malformed(malformed) }),
    }
}

/// Writes what the socket did not take at first.
async fn drain(udp: &Sender, mut backlog: Backlog) {
    while let Some((remote, bytes)) = backlog.recv().await {
        if udp.socket.send_to(&bytes, remote).await.is_err() {
            udp.dropped.fetch_add(1, Ordering::Relaxed);
        }
        if backlog.is_empty() {
            udp.has_backlog.store(false, Ordering::Release);
        }
    }
}
