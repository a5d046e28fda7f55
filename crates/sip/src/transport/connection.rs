//! Stream connections from accepting or opening to the end: one reader and one writer each.

use std::collections::HashSet;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use rustls::pki_types::CertificateDer;
use socket2::{Domain, Protocol, SockRef, Socket, TcpKeepalive, Type};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until, timeout, timeout_at};

use super::certificate::PeerCertificate;
use super::shared::Shared;
use super::table::Queued;
use super::{BindError, Incoming, Item};
use crate::hop::{ConnectionId, Hop, Transport};
use crate::limits::{CONNECTION_QUEUE_MAX, STREAM_READ_BYTES, STREAM_WRITE_BYTES};
use crate::message::{StreamDecoder, StreamItem};

/// Connections that the system holds ready to be accepted.
const ACCEPT_BACKLOG: i32 = 1_024;

/// Pause after a failure to accept, mostly for want of file descriptors, so that it does not fill the log.
const ACCEPT_RETRY: Duration = Duration::from_millis(100);

/// How long a connection stays writable after a message that ruined it, for the answer to it.
const FAREWELL: Duration = Duration::from_secs(1);

/// For the last bytes and the end of TLS.
const SHUTDOWN_TIMEOUT: Duration = Duration::from_secs(1);

/// When the system begins to probe a silent peer, so that a vanished one is noticed.
const PROBE_AFTER: Duration = Duration::from_secs(60);

/// Who began the connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Origin {
    Accepted,
    Opened,
}

/// Opens a listening socket.
pub(super) fn listen(transport: Transport, address: SocketAddr) -> Result<TcpListener, BindError> {
    let open = || -> io::Result<TcpListener> {
        let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
        if address.is_ipv6() {
            socket.set_only_v6(!address.ip().is_unspecified())?;
        }
        // A restart must not wait for old connections to be forgotten.
        socket.set_reuse_address(true)?;
        socket.set_nonblocking(true)?;
        socket.bind(&address.into())?;
        socket.listen(ACCEPT_BACKLOG)?;
        TcpListener::from_std(socket.into())
    };
    open().map_err(|error| BindError::of(transport, address, &error))
}

/// Settings of every connection; none of them is worth failing for.
pub(super) fn tune(stream: &TcpStream) {
    let _ = stream.set_nodelay(true);
    let _ = SockRef::from(stream).set_tcp_keepalive(&TcpKeepalive::new().with_time(PROBE_AFTER).with_interval(Duration::from_secs(15)));
}

/// Accepts connections until the owner stops.
pub(super) fn accept(shared: &Arc<Shared>, listener: TcpListener, transport: Transport) {
    let (shared, guard) = (Arc::clone(shared), shared.guard());
    tokio::spawn(async move {
        let _guard = guard;
        let work = async {
            loop {
                match listener.accept().await {
                    Ok((stream, remote)) => welcome(&shared, stream, remote, transport),
                    Err(error) => {
                        tracing::warn!(%error, %transport, "cannot accept a SIP connection");
                        tokio::time::sleep(ACCEPT_RETRY).await;
                    }
                }
            }
        };
        tokio::select! {
            () = work => {}
            () = shared.stopped() => {}
        }
    });
}

fn welcome(shared: &Arc<Shared>, stream: TcpStream, remote: SocketAddr, transport: Transport) {
    let remote = SocketAddr::new(remote.ip().to_canonical(), remote.port());
    let Some(guard) = shared.guard() else { return };
    let id = shared.next_connection();
    let (queue, waiting) = mpsc::channel(CONNECTION_QUEUE_MAX);
    if !shared.connections.add_accepted(id, transport, remote.ip(), queue) {
        tracing::debug!(%remote, %transport, "SIP connection refused: too many");
        return;
    }
    tune(&stream);
    let shared = Arc::clone(shared);
    let hop = Hop { transport, remote, connection: Some(id), server_name: None };
    tokio::spawn(async move {
        let _guard = guard;
        if transport == Transport::Tls {
            secure(&shared, hop, id, stream, waiting).await;
        } else {
            run(&shared, hop, id, Origin::Accepted, stream, waiting).await;
        }
    });
}

async fn secure(shared: &Arc<Shared>, hop: Hop, id: ConnectionId, stream: TcpStream, waiting: mpsc::Receiver<Queued>) {
    let Some(context) = shared.tls() else { return shared.connections.remove(id) };
    let handshake = timeout(shared.limits.message_timeout, context.acceptor.accept(stream));
    let result = tokio::select! {
        result = handshake => result,
        () = shared.stopped() => return shared.connections.remove(id),
    };
    match result {
        Ok(Ok(stream)) => {
            let (_, session) = stream.get_ref();
            shared.connections.set_certificate(id, context.proved(session.peer_certificates()));
            Box::pin(run(shared, hop, id, Origin::Accepted, stream, waiting)).await;
        }
        Ok(Err(error)) => {
            tracing::info!(remote = %hop.remote, %error, "TLS handshake of a SIP peer failed");
            shared.connections.remove(id);
        }
        Err(_) => shared.connections.remove(id),
    }
}

pub(super) fn peer_certificate(chain: Option<&[CertificateDer<'_>]>) -> Option<Arc<PeerCertificate>> {
    chain?.first().map(|certificate| Arc::new(PeerCertificate::new(certificate)))
}

/// What reader and writer of one connection tell each other.
struct Pulse {
    start: Instant,
    /// Milliseconds after `start` at which the peer was last heard.
    heard_ms: AtomicU64,
    /// A ping was written whose answer the reader does not expect yet.
    ping_written: AtomicBool,
    /// The peer has answered a ping before, so that silence means something.
    answers_pings: AtomicBool,
    /// The peer wants an answer to its ping.
    pong_wanted: tokio::sync::Notify,
}

/// Serves a connection until it ends, then gives back what was not written.
pub(super) async fn run<S>(shared: &Arc<Shared>, hop: Hop, id: ConnectionId, origin: Origin, stream: S, mut waiting: mpsc::Receiver<Queued>)
where
    S: AsyncRead + AsyncWrite + Unpin + Send,
{
    let (mut reader, mut writer) = tokio::io::split(stream);
    let pulse = Pulse {
        start: Instant::now(),
        heard_ms: AtomicU64::new(0),
        ping_written: AtomicBool::new(false),
        answers_pings: AtomicBool::new(false),
        pong_wanted: tokio::sync::Notify::new(),
    };
    let mut in_flight = Vec::new();
    let reason = tokio::select! {
        reason = read(shared, &hop, origin, &pulse, &mut reader) => reason,
        reason = write(shared, origin, &pulse, &mut writer, &mut waiting, &mut in_flight) => reason,
    };
    shared.connections.remove(id);
    let _ = timeout(SHUTDOWN_TIMEOUT, writer.shutdown()).await;
    waiting.close();
    let mut failed: HashSet<Hop> = in_flight.into_iter().collect();
    while let Ok(queued) = waiting.try_recv() {
        failed.insert(queued.hop);
    }
    for hop in failed {
        shared.failures.push(hop, reason.to_owned());
    }
    tracing::debug!(%hop, reason, "SIP connection closed");
    shared.deliver(vec![Incoming { hop, item: Item::Closed }]).await;
}

/// Reads until the connection has to end; says why.
async fn read(shared: &Shared, hop: &Hop, origin: Origin, pulse: &Pulse, reader: &mut (impl AsyncRead + Unpin)) -> &'static str {
    let limits = &shared.limits;
    let mut decoder = StreamDecoder::new();
    let mut buffer = vec![0; STREAM_READ_BYTES];
    // Until the first message an accepted connection is on probation.
    let mut message_deadline = (origin == Origin::Accepted).then(|| pulse.start + limits.message_timeout);
    loop {
        let deadline = message_deadline.unwrap_or_else(|| Instant::now() + limits.idle_timeout);
        let len = match timeout_at(deadline, reader.read(&mut buffer)).await {
            Ok(Ok(0)) => return "the peer closed",
            Ok(Ok(len)) => len,
            Ok(Err(_)) => return "the connection broke",
            Err(_) if message_deadline.is_some() => return "no complete message in time",
            Err(_) => return "idle for too long",
        };
        pulse.heard_ms.store(u64::try_from(pulse.start.elapsed().as_millis()).unwrap_or(u64::MAX), Ordering::Relaxed);
        if pulse.ping_written.swap(false, Ordering::Relaxed) {
            decoder.expect_pong();
        }
        decoder.feed(&buffer[..len]);
        let mut batch = Vec::new();
        let mut has_complete = false;
        let mut framing_lost = false;
        while let Some(item) = decoder.next() {
            let item = match item {
                Ok(StreamItem::Message(message)) => {
                    has_complete = true;
                    Item::Message(message)
                }
                Ok(StreamItem::KeepAlivePing) => {
                    pulse.pong_wanted.notify_one();
                    continue;
                }
                Ok(StreamItem::KeepAlivePong) => {
                    pulse.answers_pings.store(true, Ordering::Relaxed);
                    continue;
                }
                Err(malformed) => {
                    has_complete = true;
                    framing_lost |= malformed.framing_lost;
                    Item::Malformed(malformed)
                }
            };
            batch.push(Incoming { hop: hop.clone(), item });
        }
        shared.deliver(batch).await;
        if framing_lost {
            tokio::time::sleep(FAREWELL).await;
            return "what the peer sends is not SIP";
        }
        if decoder.is_mid_message() {
            // A message that was begun has to be finished; trickling bytes do not extend the time.
            message_deadline = message_deadline.filter(|_| !has_complete).or_else(|| Some(Instant::now() + limits.message_timeout));
        } else if has_complete || message_deadline.is_some_and(|_| origin == Origin::Opened) {
            message_deadline = None;
        }
    }
}

/// Writes until the connection has to end; says why. `in_flight` holds the hops of messages that may not have arrived.
async fn write(
    shared: &Shared,
    origin: Origin,
    pulse: &Pulse,
    writer: &mut (impl AsyncWrite + Unpin),
    waiting: &mut mpsc::Receiver<Queued>,
    in_flight: &mut Vec<Hop>,
) -> &'static str {
    let limits = &shared.limits;
    let mut stopped = std::pin::pin!(shared.stopped());
    let mut is_stopping = false;
    let mut gathered = Vec::new();
    let mut next_ping = Instant::now() + limits.ping_interval;
    let mut pong_due: Option<(Instant, u64)> = None;
    loop {
        gathered.clear();
        in_flight.clear();
        let pong_deadline = pong_due.map_or(next_ping, |(due, _)| due.min(next_ping));
        tokio::select! {
            biased;
            queued = waiting.recv() => {
                let Some(queued) = queued else { return "we stop" };
                gathered = queued.bytes;
                in_flight.push(queued.hop);
                while gathered.len() < STREAM_WRITE_BYTES
                    && let Ok(queued) = waiting.try_recv()
                {
                    gathered.extend_from_slice(&queued.bytes);
                    in_flight.push(queued.hop);
                }
            }
            // After everything that is queued: the last responses and BYEs still have to go out.
            () = &mut stopped, if !is_stopping => {
                waiting.close();
                is_stopping = true;
            }
            () = pulse.pong_wanted.notified() => gathered.extend_from_slice(b"\r\n"),
            () = sleep_until(pong_deadline), if origin == Origin::Opened => {
                let now = Instant::now();
                if let Some((due, asked_ms)) = pong_due
                    && due <= now
                {
                    pong_due = None;
                    let is_silent = pulse.heard_ms.load(Ordering::Relaxed) < asked_ms;
                    if is_silent && pulse.answers_pings.load(Ordering::Relaxed) {
                        return "the peer does not answer keep-alives";
                    }
                }
                if next_ping <= now {
                    next_ping = now + limits.ping_interval;
                    // A ping that still waits for its answer keeps its earlier deadline.
                    pong_due.get_or_insert((now + limits.pong_timeout, u64::try_from(pulse.start.elapsed().as_millis()).unwrap_or(u64::MAX)));
                    pulse.ping_written.store(true, Ordering::Relaxed);
                    gathered.extend_from_slice(b"\r\n\r\n");
                }
            }
        }
        if gathered.is_empty() {
            continue;
        }
        let flushed = async {
            writer.write_all(&gathered).await?;
            writer.flush().await
        };
        match timeout(limits.write_timeout, flushed).await {
            Ok(Ok(())) => {}
            Ok(Err(_)) => return "the connection broke",
            Err(_) => return "the peer does not read",
        }
    }
}
