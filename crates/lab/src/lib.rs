//! The lab: the telephone network and its people, as one local program, faithful enough that the product cannot tell.
//!
//! # Layout
//!
//! `pstn/` (callers and agents with real telephones and real audio) and `direct_routing/` (Teams behind its SIP proxies).
//! More of Microsoft's side follows.
#![forbid(unsafe_code)]

pub mod direct_routing;
pub mod pstn;
