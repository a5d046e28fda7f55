//! Deliveries: callbacks in their order (unless a fault says otherwise), events of Event Grid with their ladder of retries.

use super::{Hub, lock};
use crate::{
    event_grid::{self, Delivery, Parcel, Provisioning},
    faults::Fortune,
};
use serde_json::{Value, json};
use std::{sync::Arc, time::Duration};
use tokio::{sync::mpsc, time::Instant};

/// Callbacks that wait for one application's call.
const QUEUED_MAX: usize = 1_024;
/// A queue nobody used for so long goes away.
const IDLE: Duration = Duration::from_secs(60);
/// Waits between tries of a callback; the service's own are not documented.
const RETRIES_MS: &[u64] = &[500, 1_000, 2_000, 4_000, 8_000];

/// A callback on its way.
pub(super) struct Callback {
    pub(super) uri: String,
    pub(super) event: Value,
    pub(super) claims: Value,
    pub(super) fortune: Fortune,
}

impl Hub {
    /// Puts a callback behind the others of its call.
    pub(super) fn queue_callback(self: &Arc<Hub>, connection: &str, mut callback: Callback) {
        let mut queues = lock(&self.callbacks);
        if let Some(queue) = queues.get(connection) {
            match queue.try_send(callback) {
                Ok(()) => return,
                Err(mpsc::error::TrySendError::Full(_)) => {
                    tracing::warn!(connection, "too many callbacks wait; one is lost");
                    return;
                }
                Err(mpsc::error::TrySendError::Closed(back)) => callback = back,
            }
        }
        queues.retain(|_, queue| !queue.is_closed());
        let (sender, queue) = mpsc::channel(QUEUED_MAX);
        // The queue is new and empty.
        let _ = sender.try_send(callback);
        queues.insert(connection.to_owned(), sender);
        tokio::spawn(Arc::clone(self).work_off(queue));
    }

    /// Where a subscriber of Event Grid proves that it wants events. Returns how far it came.
    pub(crate) async fn subscribe(
        self: &Arc<Hub>,
        url: &str,
        attempts: u32,
        ttl_ms: u64,
        types: &[String],
    ) -> Result<event_grid::Subscription, String> {
        let (subscription, event) = self.with(|state| {
            let base = self.base.clone();
            state.subscriptions.begin(&mut state.exchange.post.dice, url, attempts, ttl_ms, types, &base)
        })?;
        let request = self.http.post(url).header("aeg-event-type", "SubscriptionValidation").header("aeg-subscription-name", "lab");
        let (status, answer) = match request.json(&event).send().await {
            Ok(response) => (Some(response.status().as_u16()), response.json().await.unwrap_or(Value::Null)),
            Err(error) => {
                tracing::warn!(url, %error, "the subscriber cannot be reached");
                (None, Value::Null)
            }
        };
        let found = self.with(|state| state.subscriptions.validated(&subscription.id, status, &answer));
        let provisioning = found.unwrap_or(Provisioning::Failed);
        if provisioning == Provisioning::Failed {
            self.with(|state| state.subscriptions.list.retain(|kept| kept.id != subscription.id));
            let status = status.map_or_else(|| "not reached".to_owned(), |status| format!("answered with {status}"));
            return Err(format!("the handshake failed: {url} {status}; 200 with the validationResponse is needed"));
        }
        Ok(event_grid::Subscription { provisioning, ..subscription })
    }

    /// Delivers an event until it is taken, or its time is over.
    pub(super) async fn deliver_parcel(self: Arc<Hub>, parcel: Parcel) {
        let Parcel { subscription, event, fortune } = parcel;
        tokio::time::sleep(Duration::from_millis(fortune.delay_ms)).await;
        let began = Instant::now();
        for copy in 0..fortune.copies {
            for attempt in 0..subscription.max_attempts {
                let request = self.http.post(&subscription.url).header("aeg-event-type", "Notification");
                let request = request.header("aeg-delivery-count", attempt.to_string()).header("aeg-subscription-name", "lab");
                let status = request.json(&json!([event])).send().await.ok().map(|response| response.status().as_u16());
                match event_grid::outcome(status) {
                    Delivery::Done => break,
                    Delivery::Never => {
                        tracing::warn!(url = subscription.url, status, "an event was refused for good");
                        return;
                    }
                    Delivery::Retry => {}
                }
                let ladder = &self.grid_retries_ms;
                let wait = ladder.get(attempt as usize).or(ladder.last()).copied().unwrap_or(10_000);
                if began.elapsed() + Duration::from_millis(wait) > Duration::from_millis(subscription.ttl_ms) {
                    tracing::warn!(url = subscription.url, copy, "an event is given up");
                    break;
                }
                tokio::time::sleep(Duration::from_millis(wait)).await;
            }
        }
    }

    async fn work_off(self: Arc<Hub>, mut queue: mpsc::Receiver<Callback>) {
        while let Ok(Some(callback)) = tokio::time::timeout(IDLE, queue.recv()).await {
            if callback.fortune.is_lost {
                continue;
            }
            if callback.fortune.is_overtaken {
                let hub = Arc::clone(&self);
                tokio::spawn(async move {
                    tokio::time::sleep(Duration::from_millis(callback.fortune.delay_ms)).await;
                    hub.send(callback).await;
                });
                continue;
            }
            tokio::time::sleep(Duration::from_millis(callback.fortune.delay_ms)).await;
            self.send(callback).await;
        }
    }

    async fn send(self: &Arc<Hub>, callback: Callback) {
        for _ in 0..callback.fortune.copies {
            if !self.post_callback(&callback).await {
                let hub = Arc::clone(self);
                // Those behind do not wait for it.
                tokio::spawn(async move {
                    for wait in RETRIES_MS {
                        tokio::time::sleep(Duration::from_millis(*wait)).await;
                        if hub.post_callback(&callback).await {
                            return;
                        }
                    }
                    tracing::warn!(uri = callback.uri, kind = %callback.event["type"], "a callback is given up");
                });
                return;
            }
        }
    }

    /// Whether it need not be tried again.
    async fn post_callback(&self, callback: &Callback) -> bool {
        let token = self.keys.sign(&callback.claims);
        let request = self.http.post(&callback.uri).bearer_auth(token).json(&json!([callback.event]));
        match request.send().await {
            Ok(response) => {
                let status = response.status().as_u16();
                tracing::debug!(uri = callback.uri, kind = %callback.event["type"], status, "told");
                !matches!(status, 408 | 429 | 500..)
            }
            Err(error) => {
                tracing::debug!(uri = callback.uri, %error, "not told");
                false
            }
        }
    }
}
