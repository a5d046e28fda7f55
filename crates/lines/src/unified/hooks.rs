//! What Microsoft sends us: believed only when it proves to be Microsoft's, answered at once, worked on afterwards.

use super::{Handle, Work, limits};
use dreiklang_core::ids::LegId;
use dreiklang_microsoft::{
    acs::event,
    event_grid::{self, IncomingCall, Known},
    webhook::Untrusted,
};
use sha2::{Digest, Sha256};
use std::hash::{BuildHasher, RandomState};
use tokio::sync::mpsc::error::TrySendError;

/// How a request is answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reply {
    /// It is being worked on.
    Taken,
    /// With this JSON.
    Body(String),
    /// Nobody has this address.
    Unknown,
    /// It is not Microsoft's.
    Refused(String),
    /// It cannot be read.
    Malformed(String),
    /// Not now; send it again.
    Later,
}

/// A call that comes in.
pub(crate) struct Arrival {
    pub connection: String,
    pub call: IncomingCall,
    /// The same whenever the same call is told.
    pub leg: LegId,
}

impl Handle {
    /// A delivery of Event Grid.
    pub fn event_grid(&self, connection: &str, key: &str, body: &[u8]) -> Reply {
        let Some(ready) = self.registry.get(connection) else { return Reply::Unknown };
        if !same(key, &ready.settings.event_key) {
            return Reply::Refused("the address lacks its key".to_owned());
        }
        let events = match event_grid::parse(body) {
            Ok(events) => events,
            Err(problem) => return Reply::Malformed(problem),
        };
        for event in events {
            let work = match event.known() {
                Ok(Known::Validation { code }) => return Reply::Body(event_grid::validation_response(&code)),
                Ok(Known::IncomingCall(call)) => {
                    let leg = leg_of(&call);
                    Work::Arrived(Box::new(Arrival { connection: connection.to_owned(), call: *call, leg }))
                }
                Ok(Known::RecordingFile(file)) if file.chunks.len() <= limits::FILE_CHUNKS => {
                    Work::File { connection: connection.to_owned(), file }
                }
                Ok(Known::RecordingFile(_) | Known::Other) => continue,
                Err(problem) => return Reply::Malformed(problem),
            };
            match self.work.try_send(work) {
                Ok(()) => {}
                Err(TrySendError::Full(_)) => return Reply::Later,
                Err(TrySendError::Closed(_)) => return Reply::Later,
            }
        }
        Reply::Taken
    }

    /// A delivery of events of calls.
    pub async fn callback(&self, connection: &str, authorization: Option<&str>, body: &[u8]) -> Reply {
        let Some(ready) = self.registry.get(connection) else { return Reply::Unknown };
        match ready.verifier.verify(authorization).await {
            Ok(()) => {}
            // Ours is the fault: the service sends it again.
            Err(problem @ Untrusted::NoKeys(_)) => {
                tracing::error!(code = "LINE-020", %problem, "callbacks cannot be checked and are not taken");
                return Reply::Later;
            }
            Err(problem) => {
                tracing::warn!(code = "LINE-020", %problem, "a callback that is not Microsoft's");
                return Reply::Refused(problem.to_string());
            }
        }
        let events = match event::parse(body) {
            Ok(events) => events,
            Err(problem) => return Reply::Malformed(problem),
        };
        // The service takes no for an answer badly: what is lost here is asked for later.
        if self.work.try_send(Work::Happened { connection: connection.to_owned(), events }).is_err() {
            tracing::error!(code = "LINE-002", "events of calls were lost because the line has more work than it can take");
        }
        Reply::Taken
    }
}

/// What an arriving leg is called: the same when its event comes again, also in another process of ours.
fn leg_of(call: &IncomingCall) -> LegId {
    let hash = Sha256::digest(call.incoming_call_context.as_bytes());
    let mut bytes = [0_u8; 16];
    bytes.copy_from_slice(&hash[..16]);
    LegId(u128::from_be_bytes(bytes))
}

/// Compares without telling by time where the difference is.
fn same(one: &str, other: &str) -> bool {
    let state = RandomState::new();
    !other.is_empty() && one.len() == other.len() && state.hash_one(one) == state.hash_one(other) && one == other
}
