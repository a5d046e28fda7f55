//! Against a small service in the test's own process.
#![allow(clippy::unwrap_used, reason = "tests may panic")]

mod calls;
mod files;
mod station;
mod tokens;
mod webhooks;
