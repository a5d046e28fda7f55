//! What every request handler holds.

use crate::{
    auth::{attempts::Attempts, password::Hasher, rates::Rates, session::Recent},
    config::Config,
    error::{Code, Problem},
    idempotency::Answers,
    live::Hubs,
    metrics::Metrics,
    runtime::{Runtime, TenantHandle},
};
use dreiklang_core::{ids::TenantId, time::Timestamp};
use dreiklang_store::Store;
use std::{
    collections::HashMap,
    path::PathBuf,
    sync::{Arc, Mutex},
    time::{SystemTime, UNIX_EPOCH},
};
use tokio::sync::watch;

/// The shared state of the interface. Cheap to clone; all clones are the same.
#[derive(Clone)]
pub struct AppState {
    shared: Arc<Shared>,
}

struct Shared {
    config: Config,
    store: Store,
    runtime: Runtime,
    metrics: Metrics,
    hasher: Hasher,
    attempts: Attempts,
    recent: Recent,
    rates: Rates,
    answers: Answers,
    hubs: Hubs,
    /// One writer of documents per tenant at a time: between validation and taking over nothing must change.
    writers: Mutex<HashMap<TenantId, Arc<tokio::sync::Mutex<()>>>>,
    stopping: watch::Sender<bool>,
    /// Counts changes of webhooks, so that the dispatcher reads them again.
    webhooks: watch::Sender<u64>,
    /// Counts deliveries that came into being or ended, so that nobody has to look for them.
    deliveries: watch::Sender<u64>,
}

impl AppState {
    /// Brings together what the interface needs. `runtime` should hold every tenant already; later ones are served too.
    pub fn new(config: Config, store: Store, runtime: Runtime, metrics: Metrics) -> AppState {
        AppState {
            shared: Arc::new(Shared {
                hubs: Hubs::new(metrics.clone()),
                config,
                store,
                runtime,
                metrics,
                hasher: Hasher::default(),
                attempts: Attempts::default(),
                recent: Recent::default(),
                rates: Rates::default(),
                answers: Answers::default(),
                writers: Mutex::default(),
                stopping: watch::Sender::new(false),
                webhooks: watch::Sender::new(0),
                deliveries: watch::Sender::new(0),
            }),
        }
    }

    /// The bootstrap configuration.
    pub fn config(&self) -> &Config {
        &self.shared.config
    }

    /// The store.
    pub fn store(&self) -> &Store {
        &self.shared.store
    }

    /// Owners and lines.
    pub fn runtime(&self) -> &Runtime {
        &self.shared.runtime
    }

    /// Figures for Prometheus.
    pub fn metrics(&self) -> &Metrics {
        &self.shared.metrics
    }

    /// The owner of a tenant.
    ///
    /// # Errors
    /// `SERVER-001` when it does not run here.
    pub fn tenant(&self, tenant: TenantId) -> Result<TenantHandle, Problem> {
        self.runtime()
            .tenants()
            .get(tenant)
            .ok_or_else(|| Problem::new(Code::Unavailable, "This tenant is not served here at present.").retry_after(2))
    }

    /// Directory of a tenant's prompts.
    pub fn prompts(&self, tenant: TenantId) -> PathBuf {
        self.config().prompts_directory().join(tenant.to_string())
    }

    pub(crate) fn hasher(&self) -> &Hasher {
        &self.shared.hasher
    }

    pub(crate) fn attempts(&self) -> &Attempts {
        &self.shared.attempts
    }

    pub(crate) fn recent(&self) -> &Recent {
        &self.shared.recent
    }

    pub(crate) fn rates(&self) -> &Rates {
        &self.shared.rates
    }

    pub(crate) fn answers(&self) -> &Answers {
        &self.shared.answers
    }

    pub(crate) fn hubs(&self) -> &Hubs {
        &self.shared.hubs
    }

    pub(crate) fn writer(&self, tenant: TenantId) -> Arc<tokio::sync::Mutex<()>> {
        let mut writers = self.shared.writers.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        Arc::clone(writers.entry(tenant).or_default())
    }

    /// Becomes `true` when the interface is about to stop; live connections end then.
    pub fn stopping(&self) -> watch::Receiver<bool> {
        self.shared.stopping.subscribe()
    }

    pub(crate) fn webhooks_changed(&self) {
        self.shared.webhooks.send_modify(|count| *count += 1);
    }

    pub(crate) fn webhook_changes(&self) -> watch::Receiver<u64> {
        self.shared.webhooks.subscribe()
    }

    pub(crate) fn deliveries_changed(&self) {
        self.shared.deliveries.send_modify(|count| *count += 1);
    }

    pub(crate) fn delivery_changes(&self) -> watch::Receiver<u64> {
        self.shared.deliveries.subscribe()
    }

    pub(crate) fn stop(&self) {
        self.shared.stopping.send_replace(true);
    }
}

/// The time, as the store and the API know it.
pub fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}
