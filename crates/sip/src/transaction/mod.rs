//! Transactions: repetition, absorption and matching of requests and responses (RFC 3261 §17, RFC 6026).
//!
//! # Layout
//!
//! - [`timer`]: the values of the timers and the queue of deadlines
//! - [`client`]: the state machine of a request we sent
//! - [`server`]: the state machine of a request we received
//! - `key`: which message belongs to which transaction
//! - `ways`: which requests travel over which stream
//! - `table`: all transactions of an endpoint with their bytes, and what they put out

pub mod client;
pub(crate) mod key;
pub mod server;
pub(crate) mod table;
pub mod timer;
mod ways;
