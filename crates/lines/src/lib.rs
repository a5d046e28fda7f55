//! The three ways calls reach us: each line turns the core's actions into protocol operations and protocol events into the
//! core's inputs.
//!
//! # Layout
//!
//! `connected/` (telephones and trunks) is here; `extended/` and `unified/` follow. This is the only place where protocol words
//! and core words meet.
#![forbid(unsafe_code)]

pub mod connected;
