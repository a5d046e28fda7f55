//! Sign-ins of telephones, kept over a restart, so that agents are reachable at once and not only when their telephones next
//! sign in.

use super::clock::Clock;
use dreiklang_core::time::{Millis, Timestamp};
use dreiklang_lines::connected::Kept;
use dreiklang_store::{Binding, Failure, Store};
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize)]
struct Body {
    saved_at: Timestamp,
    bindings: Vec<Kept>,
}

/// Keeps what a telephone has now; nothing when it has gone.
pub(super) async fn save(store: &Store, user: String, bindings: Vec<Kept>) -> Result<(), Failure> {
    let now = Clock::new().now();
    let longest = bindings.iter().map(|kept| kept.expires_in_ms).max().unwrap_or(0);
    let body = if bindings.is_empty() {
        Vec::new()
    } else {
        serde_json::to_vec(&Body { saved_at: now, bindings }).map_err(|error| Failure::Internal { detail: error.to_string() })?
    };
    store.save_bindings(vec![Binding { aor: user, body, expires_at: now + Millis(longest) }]).await
}

/// What still holds.
pub(super) async fn load(store: &Store) -> Result<Vec<Kept>, Failure> {
    let now = Clock::new().now();
    let mut all = Vec::new();
    for binding in store.load_bindings(now).await? {
        let Ok(body) = serde_json::from_slice::<Body>(&binding.body) else {
            tracing::warn!(user = binding.aor, "a kept sign-in cannot be read; the telephone has to sign in again");
            continue;
        };
        let passed = now.since(body.saved_at).0;
        let holding = body.bindings.into_iter().filter(|kept| kept.expires_in_ms > passed);
        all.extend(holding.map(|mut kept| {
            kept.expires_in_ms -= passed;
            kept
        }));
    }
    Ok(all)
}
