//! Azure Communication Services, Call Automation with Teams Phone extensibility.
//!
//! # Layout
//!
//! `client` (who we are, and how requests are sent) → `calls`, `media`, `recordings`, `access` (the operations) → `model` (what they
//! say) → `identifier` (who); `sign` proves who we are; `version` knows what differs between versions; `event` is what comes back.

pub mod access;
mod calls;
pub mod client;
pub mod event;
pub mod identifier;
mod media;
pub mod model;
mod recordings;
mod sign;
pub mod version;

pub use client::{Client, Credential, RequestId, Settings};
pub use sign::{AccessKey, BadKey};
