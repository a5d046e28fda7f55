//! A SIP user agent for a back-to-back user agent (B2BUA): signalling in, signalling out.
//!
//! The crate decides what SIP asks for (RFC 3261 and its companions) and negotiates audio in SDP; it carries no media and
//! knows no contact-centre word. Everything except [`transport`] is free of sockets, clocks, tasks and randomness: bytes
//! and instants come in, bytes and events go out.
//!
//! # Layout
//!
//! - [`limits`]: every limit with its unit and reason
//! - [`hop`]: where bytes go to or came from
//! - [`message`]: requests, responses, URIs, headers; parsing from datagrams and streams, writing
//! - [`sdp`]: session descriptions; offer and answer for audio
//! - [`digest`]: digest authentication, both sides
//! - [`config`]: what an endpoint is told once
//! - [`event`]: what an endpoint tells: bytes to send and things that happened
//! - [`transaction`]: repetition and matching of requests and responses
//! - [`call`]: calls from INVITE to BYE
//! - [`endpoint`]: the one struct the outside drives
//! - [`registrar`]: telephones register with us
//! - [`registration`]: we register with a carrier
//! - [`health`]: whether a peer answers
//! - [`transport`]: sockets for UDP, TCP and TLS

pub mod call;
pub mod config;
pub mod digest;
pub mod endpoint;
pub mod event;
pub mod health;
pub mod hop;
pub mod limits;
pub mod message;
pub mod random;
pub mod registrar;
pub mod registration;
pub mod sdp;
pub mod transaction;
pub mod transport;
