//! Who asks, and whether they may.
//!
//! # Layout
//!
//! `role` (the table of permissions), `principal` (who asks), `password` and `secret` (what proves it), `attempts` (guessing
//! takes forever).

pub mod attempts;
pub mod password;
pub mod principal;
pub mod role;
pub mod secret;

pub use principal::{Principal, Proof};
pub use role::{Permission, Role};
