//! The store from outside: what survives, what is refused, and whether the figures are right.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod backups;
mod documents;
mod durability;
mod golden;
mod jobs;
mod journals;
mod opening;
mod people;
mod reports;
mod retention;
mod space;
mod story;

use std::{future::Future, time::Duration};

/// Waits for what must happen soon; a test that would wait for ever fails instead.
async fn soon<T>(what: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(60), what).await.expect("this takes far too long")
}
