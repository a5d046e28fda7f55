//! A contact-center day on a virtual clock: callers, agents, lines, a store, administrators and supervisors around the real
//! core, with faults, and with checkers for what must never happen.
//!
//! One seed decides everything. What everybody is going to do is drawn before the day begins and per person, so that a
//! [`Plan`] can be made smaller without changing those who stay: that is how a failing day is shrunk to a short story.
//!
//! # Layout
//!
//! `chance` → `profile` (what a day is like) → `plan` (who does what on one day) → `agenda` (the clock) → `stage` (the run) with
//! `actors` and `checkers` → `trace`, `shrink`, `report`, `sweep` (many days). `mutation` breaks the day on purpose to prove the
//! checkers; `erlang` is the theory that a simple day is held against.
#![forbid(unsafe_code)]

mod actors;
mod agenda;
pub mod chance;
pub mod checkers;
pub mod erlang;
pub mod mutation;
pub mod plan;
pub mod profile;
pub mod report;
pub mod shrink;
pub mod stage;
pub mod sweep;
pub mod trace;

pub use plan::Plan;
pub use profile::Profile;
pub use report::Report;
pub use stage::{Options, Outcome, run};
