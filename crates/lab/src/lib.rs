//! The lab: Microsoft's side and the telephone network with its people, as one local program, faithful enough that the product and
//! Microsoft's own SDKs cannot tell.
//!
//! # Layout
//!
//! [`Lab`] is the value to hold. Behind it: `origin` (one TLS origin), `entra` (tokens and sign-in), `acs` (Call Automation and
//! identity as interfaces), `exchange` (the calls themselves, plain state), `people` (who calls and answers, with real sound),
//! `event_grid`, `faults`, `control` (the lab's own interface), `shell` (the clock, and everything done outside).
//!
//! Beside it, for calls over SIP: [`pstn`] (telephones) and [`direct_routing`] (Teams behind its SIP proxies).
#![forbid(unsafe_code)]

mod acs;
mod control;
mod dice;
pub mod direct_routing;
mod entra;
mod event_grid;
mod exchange;
mod faults;
mod lab;
mod origin;
pub mod people;
pub mod pstn;
mod shell;

pub use acs::identifier::Identifier;
pub use entra::directory::{ResourceAccount, User};
pub use event_grid::{Provisioning, Subscription};
pub use exchange::Limits;
pub use faults::Faults;
pub use lab::{Agent, CALLBACK_ISSUER, Lab, Settings};
