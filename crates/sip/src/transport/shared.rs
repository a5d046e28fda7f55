//! What the owner and all socket tasks share.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{Notify, mpsc, watch};

use super::table::{Connections, Queued};
use super::{Incoming, Item, LocalAddresses, StreamLimits, outgoing, tls, udp};
use crate::hop::{ConnectionId, Hop, Transport};
use crate::limits::FAILURES_MAX;

/// Locks; a panic of another task while it held the lock does not stop SIP.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What the owner and all socket tasks share.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) udp: Option<udp::Sender>,
    tls: Mutex<Option<Arc<tls::Context>>>,
    pub(super) addresses: LocalAddresses,
    pub(super) limits: StreamLimits,
    pub(super) connections: Connections,
    pub(super) failures: Failures,
    deliver: mpsc::Sender<Vec<Incoming>>,
    stopped: watch::Receiver<bool>,
    /// Cloned into every task; see [`Shared::guard`].
    guard: Mutex<Option<mpsc::Sender<()>>>,
    next_connection: AtomicU64,
}

impl Shared {
    pub(super) fn new(
        udp: Option<udp::Sender>,
        tls: Option<tls::Context>,
        addresses: LocalAddresses,
        limits: StreamLimits,
        deliver: mpsc::Sender<Vec<Incoming>>,
        stopped: watch::Receiver<bool>,
        guard: mpsc::Sender<()>,
    ) -> Shared {
        let connections = Connections::new(limits.connections_max, limits.connections_per_address_max);
        Shared {
            udp,
            tls: Mutex::new(tls.map(Arc::new)),
            addresses,
            limits,
            connections,
            failures: Failures::default(),
            deliver,
            stopped,
            guard: Mutex::new(Some(guard)),
            next_connection: AtomicU64::new(1),
        }
    }

    /// Hands received items to the owner; waits while the owner is behind.
    pub(super) async fn deliver(&self, batch: Vec<Incoming>) {
        if !batch.is_empty() {
            // Nobody receives any more: the owner is gone, and the task is about to be stopped.
            let _ = self.deliver.send(batch).await;
        }
    }

    /// Held by a task as long as it runs, so that closing can wait for it; `None` once closing has begun.
    pub(super) fn guard(&self) -> Option<mpsc::Sender<()>> {
        lock(&self.guard).clone()
    }

    pub(super) fn release_guard(&self) {
        lock(&self.guard).take();
    }

    /// Resolves when the owner closes or is gone.
    pub(super) fn stopped(&self) -> impl Future<Output = ()> + use<> {
        let mut stopped = self.stopped.clone();
        async move {
            // An error means that the owner is gone.
            let _ = stopped.wait_for(|stopped| *stopped).await;
        }
    }

    pub(super) fn tls(&self) -> Option<Arc<tls::Context>> {
        lock(&self.tls).clone()
    }

    pub(super) fn replace_tls(&self, context: tls::Context) {
        *lock(&self.tls) = Some(Arc::new(context));
    }

    pub(super) fn next_connection(&self) -> ConnectionId {
        ConnectionId(self.next_connection.fetch_add(1, Ordering::Relaxed))
    }

    pub(super) fn send(shared: &Arc<Shared>, hop: &Hop, bytes: Vec<u8>) {
        let result = match hop.transport {
            Transport::Udp => match &shared.udp {
                Some(udp) => udp.send(hop.remote, bytes),
                None => Err("UDP is not configured".to_owned()),
            },
            Transport::Tcp | Transport::Tls => match shared.connections.queue_of(hop) {
                Some(queue) => queue.try_send(Queued { hop: hop.clone(), bytes }).map_err(|_| "the peer does not read".to_owned()),
                None => outgoing::open(shared, hop, bytes),
            },
        };
        if let Err(reason) = result {
            shared.failures.push(hop.clone(), reason);
        }
    }
}

/// Failures on their way to the owner. They come from places that must not wait, and are too important to be dropped
/// while a flood of messages fills the channel.
#[derive(Debug, Default)]
pub(super) struct Failures {
    queue: Mutex<VecDeque<Incoming>>,
    added: Notify,
}

impl Failures {
    pub(super) fn push(&self, hop: Hop, reason: String) {
        tracing::debug!(%hop, reason, "SIP message not sent");
        let mut queue = lock(&self.queue);
        if queue.len() >= FAILURES_MAX {
            queue.pop_front();
        }
        queue.push_back(Incoming { hop, item: Item::Failed { reason } });
        drop(queue);
        self.added.notify_one();
    }

    pub(super) fn pop(&self) -> Option<Incoming> {
        lock(&self.queue).pop_front()
    }

    pub(super) async fn wait(&self) {
        self.added.notified().await;
    }
}
