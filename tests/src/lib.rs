//! Tests of the whole product: the real program, real SIP telephones that share no code with it, and real audio.
//!
//! Decides how the programs are started, watched and ended; what they are expected to do stands in `tests/` next to this
//! folder. Nothing here reaches outside the loopback interface, uses a fixed port, or leaves a process behind.
//!
//! # Layout
//!
//! - [`server`]: the product, in a folder and on ports of its own
//! - [`contact_center`]: a queue, a number and agents in it
//! - [`teams`]: a contact center with Direct Routing, and Teams at its other end
//! - [`unified`]: a contact center whose calls Microsoft carries
//! - [`sipp`]: scenarios of `tests/sipp`, message by message
//! - [`baresip`]: a telephone with audio, driven by commands
//! - [`kamailio`]: a session border controller that is not ours
//! - [`tone_files`]: who hears whom
//! - [`scenario`]: what a contact center does, in texts that are played
//! - [`ports`], [`wait`]: free ports, and waiting for other processes
#![forbid(unsafe_code)]

pub mod baresip;
pub mod contact_center;
pub mod kamailio;
pub mod ports;
pub mod scenario;
pub mod server;
pub mod sipp;
pub mod teams;
pub mod tone_files;
pub mod unified;
pub mod wait;
