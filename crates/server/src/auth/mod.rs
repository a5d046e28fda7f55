//! Who asks, and whether they may.
//!
//! # Layout
//!
//! `role` (the table of permissions), `principal` (who asks), `password` and `secret` (what proves it), `session` (from a request
//! to a principal), `attempts` (guessing takes forever), `first` (the first administrator), `rates` (how fast one may ask).

pub mod attempts;
pub mod first;
pub mod password;
pub mod principal;
pub mod rates;
pub mod role;
pub mod secret;
pub mod session;

pub use principal::{Principal, Proof};
pub use role::{Permission, Role};
