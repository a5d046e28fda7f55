//! Connected: telephones, trunks and session border controllers.
//!
//! # Layout
//!
//! `settings` (what administrators set up for this line).

pub mod settings;
