//! The endpoint over a simulated network: virtual clock, loss, duplication, delay, and a hand-written peer.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod basics;
mod cancel;
mod challenge;
mod change;
mod fork;
mod health;
mod loss;
mod network;
mod peer;
mod property;
mod refer;
mod refusals;
mod register;
mod session;
mod survival;
