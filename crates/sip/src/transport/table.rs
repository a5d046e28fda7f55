//! The open stream connections: by number, by the peer they were opened to, and counted per address.

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex};

use tokio::sync::mpsc;

use super::certificate::PeerCertificate;
use super::shared::lock;
use crate::hop::{ConnectionId, Hop, Transport};

/// A message that waits to be written.
#[derive(Debug)]
pub(super) struct Queued {
    /// Where the sender wanted it to go, given back when it fails.
    pub(super) hop: Hop,
    pub(super) bytes: Vec<u8>,
}

/// A connection that was opened for this peer serves later messages to it, too.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Target {
    transport: Transport,
    remote: SocketAddr,
    server_name: Option<Arc<str>>,
}

impl Target {
    pub(super) fn of(hop: &Hop) -> Target {
        Target { transport: hop.transport, remote: hop.remote, server_name: hop.server_name.clone() }
    }
}

#[derive(Debug)]
struct Entry {
    queue: mpsc::Sender<Queued>,
    transport: Transport,
    /// For connections that we opened.
    target: Option<Target>,
    /// For connections that we accepted.
    source: Option<IpAddr>,
    certificate: Option<Arc<PeerCertificate>>,
}

#[derive(Debug, Default)]
struct Inner {
    entries: HashMap<ConnectionId, Entry>,
    targets: HashMap<Target, ConnectionId>,
    per_address: HashMap<IpAddr, usize>,
}

/// The open stream connections.
#[derive(Debug)]
pub(super) struct Connections {
    inner: Mutex<Inner>,
    connections_max: usize,
    per_address_max: usize,
}

impl Connections {
    pub(super) fn new(connections_max: usize, per_address_max: usize) -> Connections {
        Connections { inner: Mutex::default(), connections_max, per_address_max }
    }

    /// Adds a connection that we accepted; `false` when there are too many.
    pub(super) fn add_accepted(&self, id: ConnectionId, transport: Transport, source: IpAddr, queue: mpsc::Sender<Queued>) -> bool {
        let mut inner = lock(&self.inner);
        let count = inner.per_address.get(&source).copied().unwrap_or(0);
        if inner.entries.len() >= self.connections_max || count >= self.per_address_max {
            return false;
        }
        inner.per_address.insert(source, count + 1);
        inner.entries.insert(id, Entry { queue, transport, target: None, source: Some(source), certificate: None });
        true
    }

    /// Adds a connection that is being opened; `false` when there are too many.
    pub(super) fn add_opened(&self, id: ConnectionId, target: Target, queue: mpsc::Sender<Queued>) -> bool {
        let mut inner = lock(&self.inner);
        if inner.entries.len() >= self.connections_max {
            return false;
        }
        inner.targets.insert(target.clone(), id);
        inner.entries.insert(id, Entry { queue, transport: target.transport, target: Some(target), source: None, certificate: None });
        true
    }

    /// Removes a connection. From now on messages to its peer open a new one.
    pub(super) fn remove(&self, id: ConnectionId) {
        let mut inner = lock(&self.inner);
        let Some(entry) = inner.entries.remove(&id) else { return };
        if let Some(target) = entry.target
            && inner.targets.get(&target) == Some(&id)
        {
            inner.targets.remove(&target);
        }
        if let Some(source) = entry.source
            && let Some(count) = inner.per_address.get_mut(&source)
        {
            *count -= 1;
            if *count == 0 {
                inner.per_address.remove(&source);
            }
        }
    }

    /// The queue of the connection that a hop names, else of one that was opened for the same peer.
    pub(super) fn queue_of(&self, hop: &Hop) -> Option<mpsc::Sender<Queued>> {
        let inner = lock(&self.inner);
        let named = hop.connection.and_then(|id| inner.entries.get(&id)).filter(|entry| entry.transport == hop.transport);
        let entry = match named {
            Some(entry) => entry,
            None => inner.entries.get(inner.targets.get(&Target::of(hop))?)?,
        };
        Some(entry.queue.clone())
    }

    pub(super) fn set_certificate(&self, id: ConnectionId, certificate: Option<Arc<PeerCertificate>>) {
        if let Some(entry) = lock(&self.inner).entries.get_mut(&id) {
            entry.certificate = certificate;
        }
    }

    pub(super) fn certificate(&self, id: ConnectionId) -> Option<Arc<PeerCertificate>> {
        lock(&self.inner).entries.get(&id)?.certificate.clone()
    }

    pub(super) fn len(&self) -> usize {
        lock(&self.inner).entries.len()
    }
}
