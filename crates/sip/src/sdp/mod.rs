//! Session descriptions (RFC 8866) and the offer/answer exchange for audio (RFC 3264).
//!
//! Reading is lenient: what Teams, carriers and old telephones write is taken as far as its meaning is clear. Writing is
//! strict and repeatable byte by byte. Only audio over RTP is negotiated; other media are refused with port 0 and kept in
//! their place. Keys (`a=crypto`) are kept for whoever encrypts.

mod description;
mod media;
mod negotiation_error;
mod offer_answer;

pub use description::{Attribute, Connection, Description, Origin, SdpError};
pub use media::{Crypto, Direction, Media, RtpMap};
pub use negotiation_error::NegotiationError;
pub use offer_answer::{AudioCodec, Codec, LocalAudio, Negotiated, Session};
