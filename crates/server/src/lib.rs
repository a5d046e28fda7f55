//! The runtime: owners of tenants, the interface for programs and pages, sign-in, figures and logs.
//!
//! # Layout
//!
//! `config` and `limits` → `runtime` (owners) → `state` (what handlers hold) → `http` (the listener) → `auth` (who asks) → `api` (what
//! can be asked), `live` (what is told), `webhooks` (who is told elsewhere), `services` (who is asked elsewhere), `web` (the pages), `health` (what machines ask); `setup`
//! (what is told to owners and lines), `error`, `metrics`, `telemetry`, `idempotency`.
#![forbid(unsafe_code)]

pub mod api;
pub mod auth;
pub mod config;
pub mod error;
pub mod health;
mod hooks;
pub mod http;
mod idempotency;
pub mod limits;
pub mod live;
pub mod machine;
pub mod metrics;
pub mod runtime;
pub mod services;
pub mod setup;
pub mod state;
pub mod telemetry;
mod web;
mod webhooks;

pub use state::AppState;
