//! The runtime: owners of tenants, the interface for programs and pages, sign-in, figures and logs.
#![forbid(unsafe_code)]

pub mod runtime;
