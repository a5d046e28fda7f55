//! Waiting for something another process does, with a limit in time.
//!
//! Another process's files and ports have no events for us, so its state is looked at again and again; everything that does
//! have events (its standard output, its control connection) is waited for by those.

use anyhow::{Result, bail};
use std::time::{Duration, Instant};

/// Limit for whatever should happen at once, with room for a busy machine.
pub const SOON: Duration = Duration::from_secs(15);

/// Time between two looks.
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// Looks until `look` finds something; fails with `what` when the limit is over.
pub async fn until<T>(what: &str, limit: Duration, mut look: impl AsyncFnMut() -> Option<T>) -> Result<T> {
    let begin = Instant::now();
    loop {
        if let Some(found) = look().await {
            return Ok(found);
        }
        if begin.elapsed() > limit {
            bail!("waited {} s for {what}", limit.as_secs());
        }
        // tidy: allow(test-habit): the one place that looks again and again, for all tests
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

/// Lets a moment pass before the next look, where looking is not asynchronous.
pub fn a_moment() {
    // tidy: allow(test-habit): the same for a look that is not asynchronous
    std::thread::sleep(LOOK_EVERY);
}
