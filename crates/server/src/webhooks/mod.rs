//! Telling other programs what happens: CloudEvents by HTTP POST, signed, until they are accepted.
//!
//! The dispatcher follows the journal with a place of its own that is kept in the store, so nothing is lost over a restart. A
//! delivery is a job in the store and may arrive twice; receivers tell repetitions by the event's id.
//!
//! # Layout
//!
//! `event` (from facts to CloudEvents), `address` (where deliveries may go), `dispatch` (from the journal to jobs), `deliver` (from
//! jobs to receivers), `log` (what became of them).

pub mod address;
mod deliver;
mod dispatch;
pub mod event;
pub(crate) mod log;

use crate::state::AppState;

pub(crate) use deliver::kind_of;
pub(crate) use dispatch::deliver_event;

/// Dispatches and delivers until the process ends.
pub async fn run(state: AppState) {
    tokio::join!(dispatch::run(state.clone()), deliver::run(state));
}
