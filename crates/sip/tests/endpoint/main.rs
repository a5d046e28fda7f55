//! The endpoint over a simulated network: virtual clock, loss, duplication, delay, and a hand-written peer.

mod basics;
mod network;
mod peer;
