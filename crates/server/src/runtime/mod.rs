//! Drives the core: one owner per tenant, which makes facts durable before wishes are carried out.

pub mod handle;

pub use handle::{CommandError, TenantHandle, Tenants};
