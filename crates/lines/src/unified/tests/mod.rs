//! The line against a service that answers as it is told: what is asked of it, and what the core hears.

mod calls;
mod hearing;
mod recordings;
mod stage;
