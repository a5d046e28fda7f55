//! The interface against a real store and a real owner, over real sockets. No line runs; what calls leave behind is written by the
//! core itself (`past`).

#![allow(clippy::unwrap_used, reason = "what cannot be prepared is a failed test")]

mod access;
mod agents;
mod api_description;
mod apply;
mod callbacks;
mod callers;
mod calls;
mod documents;
mod error_pages;
mod flow_drafts;
mod flows;
mod hours;
mod live;
mod matrix;
mod messages;
mod past;
mod private_answers;
mod queues;
mod reports;
mod server;
mod services;
mod sessions;
mod unified;
mod webhooks;
mod written;
