//! Drives the core: one owner per tenant, which makes facts durable before wishes are carried out.
//!
//! # Layout
//!
//! `handle` (what the rest of the server holds of a tenant) → `owner` (the loop) → `boot` (from the store to running owners and
//! lines, and back) → `sign_ins` (telephones' sign-ins over a restart) → `clock`, which rehearsals move by `hand`.

pub mod boot;
pub mod clock;
pub mod hand;
pub mod handle;
pub mod limits;
pub mod owner;
mod sign_ins;

pub use boot::{LineConfigs, Runtime, StartError};
pub use handle::{CommandError, Commit, TenantHandle, Tenants};

use prometheus_client::metrics::histogram::Histogram;

/// What owners measure, shared by all tenants.
#[derive(Clone, Debug)]
pub struct Metrics {
    /// Seconds one input took in the engine.
    pub decision: Histogram,
    /// Seconds one append took until it was durable.
    pub append: Histogram,
}

impl Default for Metrics {
    fn default() -> Self {
        Metrics {
            decision: Histogram::new([0.000_01, 0.000_03, 0.000_1, 0.000_3, 0.001, 0.003, 0.01, 0.1]),
            append: Histogram::new([0.000_3, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0]),
        }
    }
}
