//! What is going on, told as it happens: `/api/v1/live`.
//!
//! # Layout
//!
//! `view` (who may see what of the present state), `frame` (facts as they are told), `hub` (one per tenant: from commits to frames),
//! `socket` (one per client).

pub mod frame;
mod hub;
mod socket;
pub mod view;

pub use hub::{Hubs, follow_all};
pub(crate) use socket::router;
