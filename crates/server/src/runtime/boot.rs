//! From the store to running owners and lines, and back to a clean stop.

use super::{
    Metrics,
    clock::Clock,
    handle::{Request, TenantHandle, Tenants},
    limits,
    owner::{Condition, Owner, STOP_WITHIN, StepDown},
    sign_ins,
};
use crate::services::{Rules, Services};
use dreiklang_core::{Engine, Input, World, endpoint::Line, ids::TenantId, time::Timestamp};
use dreiklang_lines::{Lines, Notice, connected, unified};
use dreiklang_store::{Failure, LoadError, Store};
use std::{
    collections::BTreeMap,
    path::PathBuf,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};
use tokio::{
    sync::{broadcast, mpsc, oneshot, watch},
    task::JoinHandle,
};
use tracing::{error, info, warn};

/// Why the runtime does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The store failed.
    #[error("the store cannot be read: {0}")]
    Store(#[from] Failure),
    /// The journal and the snapshots do not fit together.
    #[error("the journal of tenant {tenant} cannot be read: {source}")]
    Journal {
        /// Whose.
        tenant: TenantId,
        /// Why.
        source: LoadError,
    },
    /// A line does not start.
    #[error(transparent)]
    Line(#[from] connected::StartError),
    /// The Unified line does not start.
    #[error(transparent)]
    Unified(#[from] unified::StartError),
}

/// The lines to run.
#[derive(Default)]
pub struct LineConfigs {
    /// Telephones and trunks.
    pub connected: Option<connected::Config>,
    /// Calls of resource accounts.
    pub unified: Option<unified::Config>,
}

/// Health of one trunk's peer, as last told by its line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PeerHealth {
    /// Usable.
    pub up: bool,
    /// For people.
    pub detail: String,
}

/// Tenant, trunk, peer.
pub type PeerKey = (TenantId, String, String);

/// Every owner and line of this process. Cheap to clone.
#[derive(Clone)]
pub struct Runtime {
    shared: Arc<Shared>,
}

struct Shared {
    store: Store,
    tenants: Tenants,
    lines: Lines,
    services: Services,
    metrics: Metrics,
    conditions: Mutex<BTreeMap<TenantId, Arc<Condition>>>,
    owners: Mutex<BTreeMap<TenantId, JoinHandle<()>>>,
    background: Mutex<Vec<JoinHandle<()>>>,
    peers: watch::Sender<BTreeMap<PeerKey, PeerHealth>>,
    draining: AtomicBool,
    /// Where the Connected line records.
    recordings: Option<PathBuf>,
    name: String,
}

impl Runtime {
    /// Starts the lines; tenants are added one by one. `services` says where services may be that flows ask.
    ///
    /// # Errors
    /// See [`StartError`].
    pub async fn start(store: Store, lines: LineConfigs, services: Rules, metrics: Metrics) -> Result<Runtime, StartError> {
        let (notices, notice_queue) = mpsc::channel(connected::limits::NOTICES_QUEUED);
        let mut background = Vec::new();
        let mut recordings = None;
        let connected = match lines.connected {
            Some(config) => {
                recordings = Some(config.recordings.clone());
                let (handle, driver) = connected::start(config, notices.clone()).await?;
                background.push(tokio::spawn(driver.run()));
                handle.restore_bindings(sign_ins::load(&store).await?).await;
                Some(handle)
            }
            None => None,
        };
        let unified = match lines.unified {
            Some(config) => {
                let (handle, driver) = unified::start(config, notices.clone())?;
                background.push(tokio::spawn(driver.run()));
                Some(handle)
            }
            None => None,
        };
        drop(notices);
        let lines = Lines::new(connected, unified);
        let tenants = Tenants::default();
        let shared = Arc::new(Shared {
            services: Services::new(store.clone(), tenants.clone(), services),
            store,
            tenants,
            lines,
            metrics,
            conditions: Mutex::default(),
            owners: Mutex::default(),
            background: Mutex::new(background),
            peers: watch::Sender::new(BTreeMap::new()),
            draining: AtomicBool::new(false),
            recordings,
            name: format!("{}@{}", std::process::id(), Clock::new().now().0),
        });
        let runtime = Runtime { shared };
        let dispatcher = tokio::spawn(runtime.clone().dispatch(notice_queue));
        lock(&runtime.shared.background).push(dispatcher);
        Ok(runtime)
    }

    /// Every tenant that runs here.
    pub fn tenants(&self) -> &Tenants {
        &self.shared.tenants
    }

    /// The lines that run here.
    pub fn lines(&self) -> &Lines {
        &self.shared.lines
    }

    /// What trunks' peers were last said to be.
    pub fn peers(&self) -> watch::Receiver<BTreeMap<PeerKey, PeerHealth>> {
        self.shared.peers.subscribe()
    }

    /// What stands in the way of taking new conversations; empty when nothing does.
    pub fn problems(&self) -> Vec<String> {
        let mut problems = Vec::new();
        if self.shared.draining.load(Ordering::Relaxed) {
            problems.push("draining: no new conversations are taken".to_owned());
        }
        for (tenant, condition) in lock(&self.shared.conditions).iter() {
            if condition.stopped.load(Ordering::Relaxed) {
                problems.push(format!("tenant {tenant} has no owner"));
            }
            if condition.degraded.load(Ordering::Relaxed) {
                problems.push(format!("the journal of tenant {tenant} cannot be written"));
            }
        }
        problems
    }

    /// Rebuilds a tenant's state from the store and runs its owner. If the owner has to step down it is started again from what
    /// is written.
    ///
    /// # Errors
    /// When the journal cannot be read.
    pub async fn add_tenant(&self, tenant: TenantId) -> Result<TenantHandle, StartError> {
        let (requests, request_queue) = mpsc::channel(limits::REQUESTS_QUEUED);
        let (commits, _) = broadcast::channel(crate::limits::COMMITS_BUFFERED);
        let handle = TenantHandle { tenant, requests, commits: commits.clone() };
        let condition = Arc::new(Condition::default());
        let owner = self.owner_of(tenant, request_queue, commits, Arc::clone(&condition)).await?;
        lock(&self.shared.conditions).insert(tenant, Arc::clone(&condition));
        self.shared.tenants.insert(handle.clone());
        let task = tokio::spawn(self.clone().keep(owner, condition));
        lock(&self.shared.owners).insert(tenant, task);
        Ok(handle)
    }

    /// Takes the tenant's journal for this process and replays it.
    async fn owner_of(
        &self,
        tenant: TenantId,
        requests: mpsc::Receiver<Request>,
        commits: broadcast::Sender<super::Commit>,
        condition: Arc<Condition>,
    ) -> Result<Owner, StartError> {
        let started = std::time::Instant::now();
        let acquired = self.shared.store.acquire(tenant, &self.shared.name).await?;
        let (world, from) = self.snapshot_of(tenant).await?;
        let mut events = Vec::new();
        let mut latest = Timestamp(0);
        self.shared
            .store
            .replay(tenant, from, |stamped| {
                latest = latest.max(stamped.at);
                events.push(stamped);
            })
            .await
            .map_err(|source| StartError::Journal { tenant, source })?;
        let count = events.len();
        let engine = Engine::replay(world, events);
        let recovered = self.recover_recordings(&engine).await;
        if let Some(unified) = self.shared.lines.unified() {
            unified.restore(tenant, unified::Former::of(engine.world())).await;
        }
        info!(%tenant, events = count, version = engine.world().version(), ms = started.elapsed().as_millis() as u64, "journal replayed");
        Ok(Owner {
            tenant,
            engine,
            recovered,
            epoch: acquired.epoch,
            store: self.shared.store.clone(),
            lines: self.shared.lines.clone(),
            services: self.shared.services.clone(),
            requests,
            commits,
            condition,
            clock: Clock::new().not_before(latest),
            metrics: self.shared.metrics.clone(),
        })
    }

    /// Makes recordings whole that a former process left open.
    async fn recover_recordings(&self, engine: &Engine) -> Vec<Input> {
        let Some(folder) = self.shared.recordings.clone() else { return Vec::new() };
        let tenant = engine.world().tenant();
        let open: Vec<_> = engine.world().recordings().filter(|(_, open)| open.line == Line::Connected).map(|(id, _)| id).collect();
        let recover = move || open.into_iter().map(|id| connected::recover_recording(&folder, tenant, id)).collect();
        tokio::task::spawn_blocking(recover).await.unwrap_or_default()
    }

    /// The newest readable snapshot, or an empty world; and the event it stands at.
    async fn snapshot_of(&self, tenant: TenantId) -> Result<(World, u64), StartError> {
        let Some(snapshot) = self.shared.store.latest_snapshot(tenant).await? else { return Ok((World::new(tenant), 0)) };
        match serde_json::from_slice::<World>(&snapshot.bytes) {
            Ok(world) => Ok((world, snapshot.seq)),
            Err(failure) => {
                // The journal is kept whole, so an unreadable snapshot (of another version) only costs time.
                warn!(%tenant, seq = snapshot.seq, %failure, "the snapshot cannot be read; replaying the whole journal");
                Ok((World::new(tenant), 0))
            }
        }
    }

    /// Runs an owner, and another one whenever it steps down without being asked to.
    async fn keep(self, owner: Owner, condition: Arc<Condition>) {
        let tenant = owner.tenant;
        let mut owner = owner;
        loop {
            let (requests, queue) = mpsc::channel(limits::REQUESTS_QUEUED);
            let commits = owner.commits.clone();
            if owner.run().await != StepDown::JournalLost {
                return;
            }
            // Everything handed to the lost owner is void; whoever waits for an answer is told so by the closed channel.
            self.shared.tenants.insert(TenantHandle { tenant, requests, commits: commits.clone() });
            condition.degraded.store(false, Ordering::Relaxed);
            condition.stopped.store(false, Ordering::Relaxed);
            let mut wait = queue;
            owner = loop {
                match self.owner_of(tenant, wait, commits.clone(), Arc::clone(&condition)).await {
                    Ok(owner) => break owner,
                    Err(failure) => {
                        error!(%tenant, code = "RUN-003", %failure, "the tenant cannot be taken over; trying again");
                        tokio::time::sleep(limits::TAKEOVER_RETRY).await;
                        let (requests, queue) = mpsc::channel(limits::REQUESTS_QUEUED);
                        self.shared.tenants.insert(TenantHandle { tenant, requests, commits: commits.clone() });
                        wait = queue;
                    }
                }
            };
        }
    }

    /// Brings what lines tell to where it belongs.
    async fn dispatch(self, mut notices: mpsc::Receiver<Notice>) {
        while let Some(notice) = notices.recv().await {
            match notice {
                Notice::Input { tenant, input } => {
                    let Some(handle) = self.shared.tenants.get(tenant) else { continue };
                    if handle.requests.send(Request::Input(*input)).await.is_err() {
                        warn!(%tenant, "an input was dropped: the tenant has no owner");
                    }
                }
                Notice::Bindings { user, bindings } => {
                    if let Err(failure) = sign_ins::save(&self.shared.store, user, bindings).await {
                        warn!(code = failure.code(), %failure, "sign-ins of telephones cannot be kept; after a restart they have to sign in again");
                    }
                }
                Notice::TrunkGone { tenant, trunk, peer } => {
                    self.shared.peers.send_modify(|peers| {
                        peers.remove(&(tenant, trunk, peer));
                    });
                }
                Notice::TrunkHealth { tenant, trunk, peer, up, detail } => {
                    self.shared.peers.send_modify(|peers| {
                        peers.insert((tenant, trunk, peer), PeerHealth { up, detail });
                    });
                }
            }
        }
    }

    /// Takes no new conversations from now on.
    pub async fn drain(&self) {
        self.shared.draining.store(true, Ordering::Relaxed);
        for handle in self.shared.tenants.all() {
            // A tenant without owner takes none anyway.
            let _ = handle.requests.send(Request::Input(Input::Drain { on: true })).await;
        }
    }

    /// Conversations alive at present.
    pub async fn conversations(&self) -> usize {
        let mut count = 0;
        for handle in self.shared.tenants.all() {
            count += handle.read(|world| world.conversations().count()).await.unwrap_or(0);
        }
        count
    }

    /// Takes no new conversations, lets present ones finish for at most `patience` (or until `hurry` is ready), then ends everything and writes what is to
    /// be written.
    pub async fn stop(&self, patience: Duration, hurry: impl Future<Output = ()>) {
        self.drain().await;
        let deadline = tokio::time::Instant::now() + patience;
        tokio::pin!(hurry);
        let mut hurried = false;
        loop {
            let alive = self.conversations().await;
            if alive == 0 || hurried || tokio::time::Instant::now() >= deadline {
                if alive > 0 {
                    warn!(alive, "ending conversations that did not finish in time");
                }
                break;
            }
            // There is no event for "all conversations of all tenants are over", and stopping is rare.
            tokio::select! {
                () = tokio::time::sleep(Duration::from_millis(100)) => {}
                () = &mut hurry, if !hurried => hurried = true,
            }
        }
        if let Some(connected) = self.shared.lines.connected() {
            connected.stop(STOP_WITHIN / 2).await;
        }
        if let Some(unified) = self.shared.lines.unified() {
            unified.stop(STOP_WITHIN / 2).await;
        }
        // First the line, then whatever brings its last words to the owners.
        let background: Vec<_> = lock(&self.shared.background).drain(..).collect();
        for task in background {
            if tokio::time::timeout(STOP_WITHIN, task).await.is_err() {
                warn!("a line did not stop in time");
            }
        }
        for handle in self.shared.tenants.all() {
            let (done, stopped) = oneshot::channel();
            if handle.requests.send(Request::Stop(done)).await.is_ok() && tokio::time::timeout(STOP_WITHIN, stopped).await.is_err() {
                warn!(tenant = %handle.tenant(), "the owner did not stop in time");
            }
        }
    }
}

/// A panic elsewhere leaves the tables usable.
fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
