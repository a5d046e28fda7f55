//! Decides everything a contact center decides: conversations, legs, queues, agents, routing, figures.
//!
//! Pure: no clock, socket, file, thread, environment or randomness; it knows no protocol and no vendor. Whoever drives it hands
//! in what happened and when ([`Input`]), makes the facts durable ([`Event`]), carries out the wishes ([`Action`]) and wakes it
//! up in time.
//!
//! # Layout
//!
//! Read in this order: `ids` → `time` → `endpoint` → `input` → `output` → `engine`; then `conversation`, `queue`, `agent`,
//! `routing`, and `stats` for the figures.
#![forbid(unsafe_code)]

pub mod agent;
pub mod config;
pub mod conversation;
pub mod endpoint;
pub mod ids;
pub mod input;
pub mod limits;
pub mod output;
pub mod queue;
pub mod refusal;
pub mod routing;
pub mod time;

pub use input::{Actor, Command, Input};
pub use output::{Action, Event, Output, Stamped};
pub use refusal::Refusal;
