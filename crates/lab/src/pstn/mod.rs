//! The telephone network: people with telephones that ring, answer, talk, listen and hang up, over real sockets.
//!
//! # Layout
//!
//! `phone` (a telephone and its person) and `audio` (what it says and hears).

pub mod audio;
pub mod phone;
