//! Expressions: what they mean, what is refused, and that they agree with another implementation of the same language.
#![allow(clippy::unwrap_used, reason = "what cannot be read is a failed test")]

mod limits;
mod meaning;
mod referee;
mod refusals;
mod storage;
mod texts;
