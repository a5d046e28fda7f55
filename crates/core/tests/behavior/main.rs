//! What the engine does, told as short stories: each test is a sentence about a contact center.
#![allow(clippy::unwrap_used, reason = "a story that goes wrong is a failed test")]

mod agents;
mod announcements;
mod arrivals;
mod callbacks;
mod callers;
mod conferences;
mod configuration;
mod confirmations;
mod consults;
mod direct;
mod figures;
mod flow_documents;
mod flows;
mod hearing;
mod journal;
mod main_path;
mod messages;
mod misses;
mod offers;
mod office;
mod overflow;
mod pauses;
mod pulls;
mod queues;
mod recordings;
mod requeues;
mod routing;
mod services;
mod sign_in;
mod supervision;
mod surveys;
mod takeovers;
mod talks;
mod transfers;
mod wrap_ups;
