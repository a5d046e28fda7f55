//! The lab over real sockets: an application of a few lines, with its webhooks and socket, against it.
#![allow(clippy::unwrap_used, reason = "what goes wrong is a failed test")]

mod application;
mod calls;
mod deliveries;
mod interface;
