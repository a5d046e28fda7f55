//! Unified: calls of Teams resource accounts, carried by Azure Communication Services.
//!
//! The service has the audio; we tell it what to do and are told what happened. What it tells may come late, twice, in any order, or
//! not at all, so that every expectation has a time after which the service is asked instead.
//!
//! # Layout
//!
//! `settings` (what administrators set up) → `registry` (connections in use) → `hooks` (what Microsoft sends, checked before it is
//! read) → `driver` (the loop) → `call` (calls and legs) → `arrive` and `dial` (how legs begin), `signal` (what happens), `count` (who is
//! really there), `act` (what the core wants), `letting_go` (how legs end), `hear` and `plan` (who hears what), `prompts` (what is played),
//! `keys`, `record` and `files` (recordings), `restore` (after a restart), `causes` (why things end).

mod act;
mod arrive;
mod call;
mod causes;
mod count;
mod dial;
mod driver;
mod files;
mod hear;
pub mod hooks;
mod keys;
mod letting_go;
pub mod limits;
mod plan;
mod prompts;
mod record;
mod registry;
mod restore;
pub mod settings;
mod signal;
#[cfg(test)]
mod tests;

use crate::Notice;
use dreiklang_core::{
    Action,
    ids::{ActionId, TenantId},
};
use dreiklang_microsoft::{Transport, TransportError};
use prompts::Shelf;
use registry::Registry;
use std::{path::PathBuf, sync::Arc, time::Duration};
use tokio::sync::mpsc;

pub use dreiklang_microsoft::TransportConfig;
pub use driver::Driver;
pub use restore::Former;

/// How the line runs: what the bootstrap configuration says of it.
#[derive(Clone, Debug)]
pub struct Config {
    /// How Microsoft reaches us, such as `https://calls.example.com`.
    pub address: String,
    /// How we reach Microsoft.
    pub transport: TransportConfig,
    /// Where recordings go: `<recordings>/<tenant>/<recording>.wav`.
    pub recordings: PathBuf,
    /// Where prompts lie: `<prompts>/<tenant>/<name>.wav`.
    pub prompts: PathBuf,
    /// Where rendered speech is kept.
    pub prompt_cache: PathBuf,
}

/// Why the line does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// Requests cannot be sent.
    #[error(transparent)]
    Transport(#[from] TransportError),
    /// Rendered speech cannot be kept.
    #[error(transparent)]
    Prompts(#[from] dreiklang_media::prompt::PromptError),
    /// Randomness could not be had.
    #[error("the system gives no random numbers: {0}")]
    Random(String),
}

/// What the driver can be asked.
pub(crate) enum Work {
    Act {
        tenant: TenantId,
        action: ActionId,
        wish: Action,
    },
    /// The tenant's connections were told; the registry has them.
    Connections {
        tenant: TenantId,
    },
    Restore {
        tenant: TenantId,
        former: Former,
    },
    Arrived(Box<hooks::Arrival>),
    Happened {
        connection: String,
        events: Vec<dreiklang_microsoft::acs::event::Event>,
    },
    File {
        connection: String,
        file: Box<dreiklang_microsoft::event_grid::RecordingFile>,
    },
    Stop {
        within: Duration,
    },
}

/// The line as seen from outside. Cheap to clone.
#[derive(Clone)]
pub struct Handle {
    work: mpsc::Sender<Work>,
    registry: Registry,
    transport: Transport,
    shelf: Shelf,
}

impl Handle {
    /// Hands over a wish of the core without waiting.
    ///
    /// # Errors
    /// When the driver has stopped or has [`limits::WORK_QUEUED`] things to do already.
    pub(crate) fn try_submit(&self, tenant: TenantId, action: ActionId, wish: Action) -> Result<(), mpsc::error::TrySendError<()>> {
        self.work.try_send(Work::Act { tenant, action, wish }).map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => mpsc::error::TrySendError::Full(()),
            mpsc::error::TrySendError::Closed(_) => mpsc::error::TrySendError::Closed(()),
        })
    }

    /// Replaces a tenant's connections. Returns what is wrong with those that cannot be used.
    pub async fn set_connections(&self, tenant: TenantId, connections: Vec<settings::Connection>) -> Vec<String> {
        let problems = self.registry.set(&self.transport, tenant, connections);
        // A stopped driver needs none.
        let _ = self.work.send(Work::Connections { tenant }).await;
        problems
    }

    /// Tells what a former process left of a tenant's calls; to be called before the tenant's owner begins.
    pub async fn restore(&self, tenant: TenantId, former: Former) {
        let _ = self.work.send(Work::Restore { tenant, former }).await;
    }

    /// Ends every call and stops, at the latest after `within`.
    pub async fn stop(&self, within: Duration) {
        let _ = self.work.send(Work::Stop { within }).await;
    }

    /// The audio of an address that Microsoft was given; `None` for one that is wrong, or too old.
    pub fn prompt(&self, name: &str, until: u64, signature: &str) -> Option<Arc<Vec<u8>>> {
        self.shelf.file(name, until, signature)
    }
}

/// Makes the line ready. The returned driver's `run` has to be polled for anything to happen.
///
/// # Errors
/// See [`StartError`].
pub fn start(config: Config, notices: mpsc::Sender<Notice>) -> Result<(Handle, Driver), StartError> {
    let mut key = [0_u8; 32];
    getrandom::fill(&mut key).map_err(|error| StartError::Random(error.to_string()))?;
    let transport = Transport::new(config.transport.clone())?;
    let shelf = Shelf::new(config.prompts.clone(), config.prompt_cache.clone(), key)?;
    let registry = Registry::default();
    let (work, work_queue) = mpsc::channel(limits::WORK_QUEUED);
    let handle = Handle { work, registry: registry.clone(), transport, shelf: shelf.clone() };
    Ok((handle, Driver::new(config, registry, shelf, work_queue, notices)))
}
