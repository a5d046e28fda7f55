//! The runtime: owners of tenants, the interface for programs and pages, sign-in, figures and logs.
#![forbid(unsafe_code)]

pub mod auth;
pub mod config;
pub mod error;
pub mod limits;
pub mod runtime;
