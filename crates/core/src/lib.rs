//! Decides everything a contact center decides: conversations, legs, queues, agents, routing, figures.
//!
//! Pure: no clock, socket, file, thread, environment or randomness; it knows no protocol and no vendor. Whoever drives it hands
//! in what happened and when ([`Input`]), makes the facts durable ([`Event`]), carries out the wishes ([`Action`]) and wakes it
//! up in time.
//!
//! # Layout
//!
//! Read in this order: `ids` → `time` → `endpoint` → `input` → `output` → `world` → `engine`; then `conversation`, `queue`, `agent`,
//! `routing`, `hours`, `voicemail`, `callback`, `flow` for what callers go through, `written` for those who write, and `expression` for what administrators write to branch by, `stats` for the figures, and `check` for what must never happen.
#![forbid(unsafe_code)]

pub mod agent;
pub mod callback;
pub mod callers;
pub mod check;
pub mod config;
pub mod conversation;
pub mod endpoint;
pub mod engine;
pub mod expression;
pub mod flow;
pub mod hours;
pub mod ids;
pub mod input;
pub mod limits;
pub mod output;
mod phrase;
pub mod queue;
pub mod refusal;
pub mod routing;
pub mod stats;
mod text;
pub mod time;
pub mod voicemail;
pub mod world;
pub mod written;
mod zone;

pub use engine::Engine;
pub use input::{Actor, Command, Input};
pub use output::{Action, Event, Output, Stamped};
pub use refusal::Refusal;
pub use world::World;
