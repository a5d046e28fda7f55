//! The lab: the telephone network and its people, as one local program, faithful enough that the product cannot tell.
//!
//! # Layout
//!
//! `pstn/` (callers and agents with real telephones and real audio). Microsoft's side follows.
#![forbid(unsafe_code)]

pub mod pstn;
