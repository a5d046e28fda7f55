//! Clients of Microsoft's services, and the checks of what these services send us.
//!
//! Knows nothing of contact centers: operations, events, identifiers, as the services name them.
//!
//! # Layout
//!
//! `transport` (one request, tried again where that is harmless) → `entra` (tokens) and `acs` (calls) use it; `webhook` tells whether
//! a request is Microsoft's; `event_grid` reads its envelope; `word` is an enumeration that may grow.
#![forbid(unsafe_code)]

pub mod acs;
pub mod entra;
pub mod event_grid;
pub mod limits;
mod transport;
pub mod webhook;
mod word;

pub use transport::{Failure, Transport, TransportConfig, TransportError};
pub use word::Word;
