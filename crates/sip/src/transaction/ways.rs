//! Which of our requests travel over which stream, so that the end of a connection is cheap to deal with.
//!
//! Peers decide when connections end; looking through every transaction each time would let them keep us busy. Datagrams
//! are not listed: their errors are our own and rare.

use std::collections::{BTreeSet, HashMap};
use std::net::SocketAddr;

use super::key::ClientKey;
use crate::hop::{ConnectionId, Hop, Transport};

/// An index of transactions over streams.
#[derive(Debug, Default)]
pub(super) struct Ways {
    by_connection: HashMap<ConnectionId, BTreeSet<ClientKey>>,
    by_remote: HashMap<(Transport, SocketAddr), BTreeSet<ClientKey>>,
}

impl Ways {
    pub(super) fn insert(&mut self, hop: &Hop, key: ClientKey) {
        if !hop.transport.is_reliable() {
            return;
        }
        if let Some(connection) = hop.connection {
            self.by_connection.entry(connection).or_default().insert(key);
        }
        self.by_remote.entry((hop.transport, hop.remote)).or_default().insert(key);
    }

    pub(super) fn remove(&mut self, hop: &Hop, key: ClientKey) {
        if !hop.transport.is_reliable() {
            return;
        }
        if let Some(connection) = hop.connection
            && let Some(keys) = self.by_connection.get_mut(&connection)
        {
            keys.remove(&key);
            if keys.is_empty() {
                self.by_connection.remove(&connection);
            }
        }
        if let Some(keys) = self.by_remote.get_mut(&(hop.transport, hop.remote)) {
            keys.remove(&key);
            if keys.is_empty() {
                self.by_remote.remove(&(hop.transport, hop.remote));
            }
        }
    }

    /// Transactions over the connection of `hop`, or towards its remote address, in a fixed order.
    pub(super) fn over(&self, hop: &Hop) -> Vec<ClientKey> {
        let mut keys: BTreeSet<ClientKey> = self.by_remote.get(&(hop.transport, hop.remote)).cloned().unwrap_or_default();
        if let Some(connection) = hop.connection {
            keys.extend(self.by_connection.get(&connection).into_iter().flatten());
        }
        keys.into_iter().collect()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.by_connection.is_empty() && self.by_remote.is_empty()
    }
}
