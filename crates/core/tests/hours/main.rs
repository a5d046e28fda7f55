//! Opening hours by themselves: what is open when, and until when; and calendars of others.
#![allow(clippy::unwrap_used, reason = "what cannot be read is a failed test")]

mod clocks;
mod import;
mod promises;
mod shop;
mod week;
