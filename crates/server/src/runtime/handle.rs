//! What the rest of the server holds of a tenant: a way to ask its owner, and to hear what became fact.

use dreiklang_core::{
    Actor, Command, Input, Refusal, Stamped, config,
    ids::{CommandId, TenantId},
};
use std::{
    collections::BTreeMap,
    sync::{Arc, RwLock},
};
use tokio::sync::{broadcast, mpsc, oneshot};

/// Facts of one commit, in order, after they became durable.
pub type Commit = Arc<Vec<Stamped>>;

/// What an owner can be asked.
pub(crate) enum Request {
    /// Hand an input to the engine.
    Input(Input),
    /// Hand a command to the engine and answer with its reply, after the facts are durable.
    Command(CommandId, Actor, Command, oneshot::Sender<Result<(), Refusal>>),
    /// Take over a configuration document, validated.
    Configure(config::Change, oneshot::Sender<Result<(), Refusal>>),
    /// Look at the state.
    Read(Box<dyn FnOnce(&dreiklang_core::World) + Send>),
    /// Finish what is written, then stop.
    Stop(oneshot::Sender<()>),
}

/// Why a command had no effect.
#[derive(Debug, thiserror::Error)]
pub enum CommandError {
    /// The core said no.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The tenant has no owner at present, or it is overloaded; try again.
    #[error("the tenant is not available at present; try again in a moment")]
    Unavailable,
}

/// One tenant's owner, as seen from outside. Cheap to clone.
#[derive(Clone)]
pub struct TenantHandle {
    pub(crate) tenant: TenantId,
    pub(crate) requests: mpsc::Sender<Request>,
    pub(crate) commits: broadcast::Sender<Commit>,
}

impl TenantHandle {
    /// Which tenant.
    pub fn tenant(&self) -> TenantId {
        self.tenant
    }

    /// Asks the core on somebody's behalf. Returns after the resulting facts are durable.
    pub async fn command(&self, by: Actor, command: Command) -> Result<(), CommandError> {
        let id = CommandId(uuid::Uuid::now_v7().as_u128());
        let (tell, answer) = oneshot::channel();
        self.requests.send(Request::Command(id, by, command, tell)).await.map_err(|_| CommandError::Unavailable)?;
        answer.await.map_err(|_| CommandError::Unavailable)?.map_err(CommandError::Refused)
    }

    /// Hands the core a configuration document. Returns after it is durable; refused when it does not hold together.
    pub async fn configure(&self, change: config::Change) -> Result<(), CommandError> {
        let (tell, answer) = oneshot::channel();
        self.requests.send(Request::Configure(change, tell)).await.map_err(|_| CommandError::Unavailable)?;
        answer.await.map_err(|_| CommandError::Unavailable)?.map_err(CommandError::Refused)
    }

    /// Looks at the present state. Keep `look` short: the tenant decides nothing meanwhile.
    pub async fn read<T: Send + 'static>(
        &self,
        look: impl FnOnce(&dreiklang_core::World) -> T + Send + 'static,
    ) -> Result<T, CommandError> {
        let (tell, answer) = oneshot::channel();
        let look = Box::new(move |world: &dreiklang_core::World| {
            // The asker may have gone away; then nobody misses the answer.
            let _ = tell.send(look(world));
        });
        self.requests.send(Request::Read(look)).await.map_err(|_| CommandError::Unavailable)?;
        answer.await.map_err(|_| CommandError::Unavailable)
    }

    /// Facts as they become durable, from now on. A receiver that falls behind by more than
    /// [`crate::limits::COMMITS_BUFFERED`] commits is told so and reads the rest from the journal.
    pub fn commits(&self) -> broadcast::Receiver<Commit> {
        self.commits.subscribe()
    }
}

/// All tenants of this process. Cheap to clone.
#[derive(Clone, Default)]
pub struct Tenants {
    handles: Arc<RwLock<BTreeMap<TenantId, TenantHandle>>>,
}

impl Tenants {
    /// The owner of a tenant, if it runs here.
    pub fn get(&self, tenant: TenantId) -> Option<TenantHandle> {
        self.handles.read().unwrap_or_else(|poisoned| poisoned.into_inner()).get(&tenant).cloned()
    }

    /// Every tenant that runs here.
    pub fn all(&self) -> Vec<TenantHandle> {
        self.handles.read().unwrap_or_else(|poisoned| poisoned.into_inner()).values().cloned().collect()
    }

    pub(crate) fn insert(&self, handle: TenantHandle) {
        self.handles.write().unwrap_or_else(|poisoned| poisoned.into_inner()).insert(handle.tenant, handle);
    }
}
