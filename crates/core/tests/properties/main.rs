//! Whatever happens, in whatever order: random days in a contact center keep every promise of the design.
#![allow(clippy::unwrap_used, reason = "what goes wrong is a failed test")]

mod day;
mod flows;
mod history;
mod promises;
