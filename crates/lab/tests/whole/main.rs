//! The lab over real sockets: an application of a few lines, with its webhooks and socket, against it.

mod application;
mod calls;
mod deliveries;
mod interface;
