//! The three ways calls reach us: each line turns the core's actions into protocol operations and protocol events into the
//! core's inputs.
//!
//! # Layout
//!
//! `connected/` (telephones and trunks) is here; `extended/` and `unified/` follow. This is the only place where protocol words
//! and core words meet.
#![forbid(unsafe_code)]

pub mod connected;

use dreiklang_core::{
    Action, Input,
    endpoint::Line,
    ids::{ActionId, TenantId},
    output::ActionFailure,
};
use tokio::sync::mpsc;

/// What a line tells the server.
#[derive(Clone, Debug, PartialEq)]
pub enum Notice {
    /// Something happened to a tenant.
    Input {
        /// Whose.
        tenant: TenantId,
        /// What.
        input: Box<Input>,
    },
    /// The sign-ins of a telephone changed; keep them over a restart in place of what was kept for it before.
    Bindings {
        /// User name of the telephone.
        user: String,
        /// All its sign-ins; none when it has gone.
        bindings: Vec<connected::Kept>,
    },
    /// A trunk's peer came up or went down.
    TrunkHealth {
        /// Whose.
        tenant: TenantId,
        /// Name of the trunk.
        trunk: String,
        /// Which address of it, or `registration`.
        peer: String,
        /// Whether it can be used.
        up: bool,
        /// For people.
        detail: String,
    },
    /// A trunk's peer is not set up any more.
    TrunkGone {
        /// Whose.
        tenant: TenantId,
        /// Name of the trunk.
        trunk: String,
        /// Which address of it, or `registration`.
        peer: String,
    },
}

/// Every line of this process. Cheap to clone.
#[derive(Clone, Default)]
pub struct Lines {
    connected: Option<connected::Handle>,
}

impl Lines {
    /// The lines that run.
    pub fn new(connected: Option<connected::Handle>) -> Lines {
        Lines { connected }
    }

    /// The Connected line, if it runs.
    pub fn connected(&self) -> Option<&connected::Handle> {
        self.connected.as_ref()
    }

    /// Hands a wish to its line, which answers by `ActionDone` or `ActionFailed`. Returns what is to be answered instead when
    /// there is no such line or it cannot take more.
    pub fn submit(&self, tenant: TenantId, action: ActionId, wish: Action) -> Result<(), Box<Input>> {
        let line = wish.line();
        let refused = |code: &str, detail: String| {
            Err(Box::new(Input::ActionFailed { action, failure: ActionFailure { code: code.to_owned(), detail } }))
        };
        match (line, &self.connected) {
            (None, _) => refused("LINE-001", "no line can do this".to_owned()),
            (Some(Line::Connected), Some(connected)) => match connected.try_submit(tenant, action, wish) {
                Ok(()) => Ok(()),
                Err(mpsc::error::TrySendError::Full(_)) => {
                    refused("LINE-002", "the Connected line has more work than it can take".to_owned())
                }
                Err(mpsc::error::TrySendError::Closed(_)) => refused("LINE-001", "the Connected line has stopped".to_owned()),
            },
            (Some(line), _) => refused("LINE-001", format!("this installation runs no line \"{}\"", line.as_str())),
        }
    }
}
