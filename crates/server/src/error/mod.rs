//! How failures and refusals reach those who asked: one shape, one code each, one page per code.
//!
//! # Layout
//!
//! `code` (every code of this crate), `problem` (the shape on the wire).

mod code;
pub mod problem;

pub use code::Code;
pub use problem::{Problem, chain};
