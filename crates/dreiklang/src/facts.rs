//! Waiting for what the product writes down.

use anyhow::{anyhow, bail};
use dreiklang_core::Event;
use dreiklang_server::runtime::Commit;
use std::time::Duration;
use tokio::sync::broadcast;

/// Waits for a fact among those committed since `commits` was subscribed to or last read.
///
/// # Errors
/// When it does not come within the time, or the server stops.
pub async fn next<T>(
    commits: &mut broadcast::Receiver<Commit>,
    within: Duration,
    mut wanted: impl FnMut(&Event) -> Option<T>,
) -> anyhow::Result<T> {
    let search = async {
        loop {
            match commits.recv().await {
                Ok(commit) => {
                    if let Some(found) = commit.iter().find_map(|stamped| wanted(&stamped.event)) {
                        return Ok(found);
                    }
                }
                Err(broadcast::error::RecvError::Lagged(_)) => {}
                Err(broadcast::error::RecvError::Closed) => bail!("the server stopped"),
            }
        }
    };
    tokio::time::timeout(within, search).await.map_err(|_| anyhow!("waited {} s in vain", within.as_secs()))?
}
