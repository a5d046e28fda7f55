//! One hub per tenant: follows the tenant's commits, counts them, and hands frames to its sockets.
//!
//! Facts are taken from the owner as they become durable; what a hub misses because it was too slow it reads from the journal, so
//! that frames have no gap.

use super::{
    frame::{Frame, Teller},
    view::{Viewer, Whole},
};
use crate::{
    error::{Code, Problem, chain},
    limits,
    metrics::Metrics,
    runtime::{CommandError, Commit, TenantHandle},
    state::{AppState, now},
};
use dreiklang_core::{Stamped, ids::TenantId};
use dreiklang_store::Store;
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};
use tokio::sync::{broadcast, oneshot, watch};

/// How often new tenants are looked for; they come into being a few times a year.
const TENANTS_PAUSE: Duration = Duration::from_secs(5);
/// Longest wait of a client for a hub to begin.
const BEGIN_TIME: Duration = Duration::from_secs(10);
/// Pause before a journal that cannot be read is read again.
const JOURNAL_PAUSE: Duration = Duration::from_secs(1);

/// Frames of one commit, in order.
pub(super) type Batch = Arc<Vec<Frame>>;

/// Every hub of this process. Cheap to clone.
#[derive(Clone)]
pub struct Hubs {
    hubs: Arc<Mutex<HashMap<TenantId, Arc<Hub>>>>,
    metrics: Metrics,
}

/// One tenant's.
pub(super) struct Hub {
    frames: broadcast::Sender<Batch>,
    /// Whether frames are being sent; before, a client would miss some.
    following: watch::Sender<bool>,
    sockets: Mutex<HashMap<String, usize>>,
    looking: Mutex<Looking>,
}

/// Those who wait for the present state. Many pages come at once after a restart; the owner is asked once for all of them.
#[derive(Default)]
struct Looking {
    waiting: Vec<oneshot::Sender<Arc<Whole>>>,
    under_way: bool,
}

/// A socket's place; given back when it is dropped.
pub(super) struct Place {
    hub: Arc<Hub>,
    principal: String,
    hubs: Hubs,
}

impl Hubs {
    /// None yet.
    pub fn new(metrics: Metrics) -> Hubs {
        Hubs { hubs: Arc::default(), metrics }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<TenantId, Arc<Hub>>> {
        self.hubs.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    pub(super) fn hub(&self, tenant: TenantId) -> Arc<Hub> {
        let mut hubs = self.lock();
        Arc::clone(hubs.entry(tenant).or_insert_with(|| {
            Arc::new(Hub {
                frames: broadcast::Sender::new(limits::FRAMES_BUFFERED),
                following: watch::Sender::new(false),
                sockets: Mutex::default(),
                looking: Mutex::default(),
            })
        }))
    }

    /// Takes a place for a socket.
    pub(super) fn enter(&self, tenant: TenantId, principal: &str) -> Result<Place, Problem> {
        let hub = self.hub(tenant);
        {
            let mut sockets = hub.sockets();
            let all: usize = sockets.values().sum();
            let own = sockets.entry(principal.to_owned()).or_default();
            if all >= limits::SOCKETS_PER_TENANT || *own >= limits::SOCKETS_PER_PRINCIPAL {
                return Err(Problem::new(Code::Busy, "There are too many live connections; close some.").retry_after(30));
            }
            *own += 1;
        }
        let place = Place { hub, principal: principal.to_owned(), hubs: self.clone() };
        self.count();
        Ok(place)
    }

    /// The present state, read by the owner after this was asked for.
    pub(crate) async fn whole(&self, state: &AppState, tenant: TenantId) -> Result<Arc<Whole>, Problem> {
        let hub = self.hub(tenant);
        let (tell, told) = oneshot::channel();
        let leads = {
            let mut looking = hub.looking();
            looking.waiting.push(tell);
            !std::mem::replace(&mut looking.under_way, true)
        };
        if leads {
            // A task of its own: whoever asked first may go away.
            tokio::spawn(look(hub, state.clone(), tenant));
        }
        told.await
            .map_err(|_| Problem::new(Code::Unavailable, "The tenant is not available at present; try again in a moment.").retry_after(1))
    }

    fn count(&self) {
        let hubs: Vec<_> = self.lock().values().cloned().collect();
        self.metrics.live_clients(hubs.iter().map(|hub| hub.sockets().values().sum::<usize>()).sum());
    }
}

impl Hub {
    fn sockets(&self) -> MutexGuard<'_, HashMap<String, usize>> {
        self.sockets.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    fn looking(&self) -> MutexGuard<'_, Looking> {
        self.looking.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    /// Frames from now on; waits until they are being sent.
    pub(super) async fn listen(&self) -> Option<broadcast::Receiver<Batch>> {
        let mut following = self.following.subscribe();
        let begun = tokio::time::timeout(BEGIN_TIME, following.wait_for(|following| *following)).await;
        matches!(begun, Ok(Ok(_))).then(|| self.frames.subscribe())
    }
}

/// Reads the state for everybody who waits, until nobody does.
async fn look(hub: Arc<Hub>, state: AppState, tenant: TenantId) {
    loop {
        let waiting = std::mem::take(&mut hub.looking().waiting);
        if let Ok(handle) = state.tenant(tenant)
            && let Ok(whole) = handle.read(|world| Whole::of(world, now())).await
        {
            let whole = Arc::new(whole);
            for tell in waiting {
                // Whoever went away misses nothing.
                let _ = tell.send(Arc::clone(&whole));
            }
        }
        let mut looking = hub.looking();
        if looking.waiting.is_empty() {
            looking.under_way = false;
            return;
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        {
            let mut sockets = self.hub.sockets();
            if let Some(own) = sockets.get_mut(&self.principal) {
                *own -= 1;
                if *own == 0 {
                    sockets.remove(&self.principal);
                }
            }
        }
        self.hubs.count();
    }
}

/// Runs a hub for every tenant of this process.
pub async fn follow_all(state: AppState) {
    let mut running = HashMap::new();
    let mut stopping = state.stopping();
    loop {
        for handle in state.runtime().tenants().all() {
            running.entry(handle.tenant()).or_insert_with(|| tokio::spawn(follow(state.clone(), handle.tenant())));
        }
        running.retain(|_, task| !task.is_finished());
        tokio::select! {
            () = tokio::time::sleep(TENANTS_PAUSE) => {}
            // The sender lives in `state`.
            _ = stopping.wait_for(|stopping| *stopping) => break,
        }
    }
    for task in running.into_values() {
        task.abort();
    }
}

async fn follow(state: AppState, tenant: TenantId) {
    let hub = state.hubs().hub(tenant);
    let mut follower: Option<Follower> = None;
    loop {
        let Some(handle) = state.runtime().tenants().get(tenant) else { return };
        // Listening begins before the state is read, so that nothing falls in between.
        let mut commits = handle.commits();
        let follower = match &mut follower {
            // The owner changed; facts go on where they were.
            Some(follower) => {
                follower.catch_up().await;
                follower
            }
            None => match begin(&handle).await {
                Ok((teller, reached)) => {
                    hub.following.send_replace(true);
                    follower.insert(Follower {
                        metrics: state.metrics().clone(),
                        store: state.store().clone(),
                        hub: Arc::clone(&hub),
                        tenant,
                        teller,
                        reached,
                    })
                }
                Err(_) => {
                    tokio::time::sleep(JOURNAL_PAUSE).await;
                    continue;
                }
            },
        };
        follower.run(&mut commits).await;
        tokio::time::sleep(JOURNAL_PAUSE).await;
    }
}

async fn begin(handle: &TenantHandle) -> Result<(Teller, u64), CommandError> {
    handle.read(|world| (Teller::of(world), world.version())).await
}

struct Follower {
    metrics: Metrics,
    store: Store,
    hub: Arc<Hub>,
    tenant: TenantId,
    teller: Teller,
    reached: u64,
}

impl Follower {
    /// Until the tenant's channel of commits ends.
    async fn run(&mut self, commits: &mut broadcast::Receiver<Commit>) {
        loop {
            match commits.recv().await {
                Ok(commit) => {
                    if commit.first().is_some_and(|first| first.seq > self.reached + 1) {
                        self.catch_up().await;
                    }
                    self.tell(&commit);
                }
                Err(broadcast::error::RecvError::Lagged(missed)) => {
                    tracing::warn!(tenant = %self.tenant, missed, "live figures fell behind; reading the journal");
                    self.catch_up().await;
                }
                Err(broadcast::error::RecvError::Closed) => return,
            }
        }
    }

    async fn catch_up(&mut self) {
        loop {
            match self.store.load(self.tenant, self.reached).await {
                Ok(loaded) => {
                    self.tell(&loaded.events);
                    if !loaded.more {
                        return;
                    }
                }
                Err(error) => {
                    tracing::error!(tenant = %self.tenant, error = chain(&error), "the journal cannot be read for live figures");
                    tokio::time::sleep(JOURNAL_PAUSE).await;
                }
            }
        }
    }

    fn tell(&mut self, facts: &[Stamped]) {
        let mut frames = Vec::new();
        let reached = self.reached;
        for stamped in facts.iter().filter(|stamped| stamped.seq > reached) {
            self.metrics.observe(stamped);
            frames.extend(self.teller.tell(stamped));
        }
        let Some(last) = facts.last().filter(|last| last.seq > self.reached) else { return };
        self.reached = last.seq;
        self.metrics.live_lag(Duration::from_millis(now().since(last.at).0));
        // Nobody listening is fine.
        let _ = self.hub.frames.send(Arc::new(frames));
    }
}

/// Frames of facts already in the journal, for a client that resumes; `None` when they are too many or no longer there.
pub(super) async fn replay(store: &Store, tenant: TenantId, after: u64, upto: u64, viewer: Viewer) -> Result<Option<Vec<Frame>>, Problem> {
    if viewer != Viewer::All || after > upto || upto - after > limits::REPLAY_EVENTS {
        // What an agent may see depends on what happened before, so agents get the present state anew.
        return Ok(None);
    }
    let mut frames = Vec::new();
    let mut teller = Teller::default();
    let mut reached = after;
    while reached < upto {
        let loaded = match store.load(tenant, reached).await {
            Ok(loaded) => loaded,
            Err(dreiklang_store::LoadError::Pruned { .. }) => return Ok(None),
            Err(dreiklang_store::LoadError::Failed(failure)) => return Err(failure.into()),
        };
        if loaded.events.is_empty() {
            break;
        }
        for stamped in loaded.events.iter().take_while(|stamped| stamped.seq <= upto) {
            // Figures of queues come with the closing frame; half-known ones would be wrong.
            frames.extend(teller.tell(stamped).into_iter().filter(|frame| !frame.derived));
            reached = stamped.seq;
        }
        if loaded.events.last().is_some_and(|last| last.seq >= upto) || !loaded.more {
            break;
        }
    }
    Ok(Some(frames))
}
