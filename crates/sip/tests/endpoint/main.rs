//! The endpoint over a simulated network: virtual clock, loss, duplication, delay, and a hand-written peer.

mod basics;
mod cancel;
mod change;
mod fork;
mod loss;
mod network;
mod peer;
mod refer;
mod refusals;
mod session;
mod survival;
