//! The three ways calls reach us: each line turns the core's actions into protocol operations and protocol events into the
//! core's inputs.
//!
//! # Layout
//!
//! `connected/` (telephones and trunks), `unified/` (Teams Phone extensibility); `extended/` follows. This is the only place where
//! protocol words and core words meet.
#![forbid(unsafe_code)]

pub mod connected;
pub mod unified;

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
    unified: Option<unified::Handle>,
}

impl Lines {
    /// The lines that run.
    pub fn new(connected: Option<connected::Handle>, unified: Option<unified::Handle>) -> Lines {
        Lines { connected, unified }
    }

    /// The Unified line, if it runs.
    pub fn unified(&self) -> Option<&unified::Handle> {
        self.unified.as_ref()
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
        let submitted = match (line, &self.connected, &self.unified) {
            (Some(Line::Connected), Some(connected), _) => connected.try_submit(tenant, action, wish),
            (Some(Line::Unified), _, Some(unified)) => unified.try_submit(tenant, action, wish),
            (Some(line), ..) => return refused("LINE-001", format!("this installation runs no line \"{}\"", line.as_str())),
            (None, ..) => return refused("LINE-001", "no line can do this".to_owned()),
        };
        let name = line.map_or("", Line::as_str);
        match submitted {
            Ok(()) => Ok(()),
            Err(mpsc::error::TrySendError::Full(())) => refused("LINE-002", format!("the line \"{name}\" has more work than it can take")),
            Err(mpsc::error::TrySendError::Closed(())) => refused("LINE-001", format!("the line \"{name}\" has stopped")),
        }
    }
}
