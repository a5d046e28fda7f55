//! Opening connections to peers.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use rustls::pki_types::ServerName;
use tokio::net::{TcpSocket, TcpStream};
use tokio::sync::mpsc;

use super::connection::{self, Origin};
use super::shared::Shared;
use super::table::{Queued, Target};
use crate::hop::{ConnectionId, Hop, Transport};
use crate::limits::CONNECTION_QUEUE_MAX;

/// Begins to open a connection for a message; messages that follow wait in the same queue.
pub(super) fn open(shared: &Arc<Shared>, hop: &Hop, bytes: Vec<u8>) -> Result<(), String> {
    if hop.transport == Transport::Tls && shared.tls().is_none() {
        return Err("TLS is not configured".to_owned());
    }
    let Some(guard) = shared.guard() else { return Err("the transport is closed".to_owned()) };
    let id = shared.next_connection();
    let (queue, waiting) = mpsc::channel(CONNECTION_QUEUE_MAX);
    // The queue is new and empty.
    let _ = queue.try_send(Queued { hop: hop.clone(), bytes });
    if !shared.connections.add_opened(id, Target::of(hop), queue) {
        return Err("too many connections".to_owned());
    }
    let (shared, hop) = (Arc::clone(shared), hop.clone());
    tokio::spawn(async move {
        let _guard = guard;
        tokio::select! {
            biased;
            () = shared.stopped() => shared.connections.remove(id),
            connected = tokio::time::timeout(shared.limits.connect_timeout, connect(&shared, &hop)) => {
                let result = connected.unwrap_or_else(|_| Err(io::Error::new(io::ErrorKind::TimedOut, "no connection in time")));
                match result {
                    Ok(stream) => run(&shared, id, &hop, stream, waiting).await,
                    Err(error) => give_up(&shared, id, waiting, &error),
                }
            }
        }
    });
    Ok(())
}

enum Stream {
    Plain(TcpStream),
    Tls(Box<tokio_rustls::client::TlsStream<TcpStream>>),
}

async fn connect(shared: &Shared, hop: &Hop) -> io::Result<Stream> {
    let local = match hop.transport {
        Transport::Tls => shared.addresses.tls,
        _ => shared.addresses.tcp,
    };
    let socket = if hop.remote.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    // Peers that know us by address see the one that we listen on.
    if let Some(ip) = local.map(|local| local.ip()).filter(|ip: &IpAddr| !ip.is_unspecified() && ip.is_ipv4() == hop.remote.is_ipv4()) {
        socket.bind(SocketAddr::new(ip, 0))?;
    }
    let stream = socket.connect(hop.remote).await?;
    connection::tune(&stream);
    if hop.transport != Transport::Tls {
        return Ok(Stream::Plain(stream));
    }
    let context = shared.tls().ok_or_else(|| io::Error::other("TLS is not configured"))?;
    let name = match &hop.server_name {
        Some(name) => ServerName::try_from(name.to_string()).map_err(io::Error::other)?,
        None => ServerName::IpAddress(hop.remote.ip().into()),
    };
    let stream = context.connector.connect(name, stream).await?;
    Ok(Stream::Tls(Box::new(stream)))
}

async fn run(shared: &Arc<Shared>, id: ConnectionId, hop: &Hop, stream: Stream, waiting: mpsc::Receiver<Queued>) {
    let hop = Hop { connection: Some(id), ..hop.clone() };
    match stream {
        Stream::Plain(stream) => connection::run(shared, hop, id, Origin::Opened, stream, waiting).await,
        Stream::Tls(stream) => {
            let (_, session) = stream.get_ref();
            shared.connections.set_certificate(id, connection::peer_certificate(session.peer_certificates()));
            connection::run(shared, hop, id, Origin::Opened, stream, waiting).await;
        }
    }
}

/// Gives every waiting message back.
fn give_up(shared: &Shared, id: ConnectionId, mut waiting: mpsc::Receiver<Queued>, error: &io::Error) {
    shared.connections.remove(id);
    waiting.close();
    while let Ok(queued) = waiting.try_recv() {
        shared.failures.push(queued.hop, error.to_string());
    }
}
