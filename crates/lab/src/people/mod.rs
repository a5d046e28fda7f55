//! People: callers on the telephone network and agents with their clients, with real sound on a grid of 20 ms.
//!
//! # Layout
//!
//! `sound` (the grid, voices, ears), `person` (manner and state of one), `handle` (what tests and programs do with one).

pub(crate) mod handle;
pub(crate) mod person;
pub(crate) mod sound;

pub use handle::{CallOptions, Person};
pub use person::{Manner, PersonState, Ringing, Stage};
