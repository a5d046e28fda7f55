//! Everything that is set up: documents with a version, kept in the store and told to the tenant's owner.
//!
//! The store's copy is the truth; the owner's is rebuilt from it at start-up ([`crate::setup`]). A write is checked against the
//! owner's state first, then stored, then taken over; when the owner refuses after all, the store gets the former one back. References
//! between documents may be written as ids or names and are stored as ids.
//!
//! # Layout
//!
//! `kind` (what a kind of document is), `queue` with `queue_rules` and `queue_written`, `agent`, `skill`, `hours`, `holidays`,
//! `caller_list`, `service`, `flow` with `flow_node`, `flow_draft` and `flow_version`, `number`, `tenant`, `trunk`, `phone`, `webhook` (the kinds),
//! `write` (how a change is made), `reference` (ids and names).

pub mod agent;
pub mod caller_list;
pub mod connection;
pub mod flow;
pub mod flow_draft;
pub mod flow_node;
pub mod flow_version;
pub mod holidays;
pub mod hours;
pub mod kind;
pub mod mailbox;
pub mod number;
pub mod phone;
pub mod queue;
pub mod queue_agents;
pub mod queue_calls;
pub mod queue_rules;
pub mod queue_written;
pub mod reference;
pub mod service;
pub mod skill;
pub mod tenant;
pub mod trunk;
pub mod webhook;
pub mod write;

pub use kind::{Document, Kind};
