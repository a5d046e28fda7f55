//! Session descriptions (RFC 8866) and the offer/answer exchange for audio (RFC 3264).
//!
//! Reading is lenient: what Teams, carriers and old telephones write is taken as far as its meaning is clear. Writing is
//! strict and repeatable byte by byte. Only audio over RTP is negotiated; other media are refused with port 0 and kept in
//! their place. Keys of encrypted audio are negotiated here (`a=crypto`); who encrypts is told them.

mod crypto;
mod description;
mod media;
mod negotiation_error;
mod offer_answer;
mod remote;

pub use crypto::{AgreedKeys, Crypto, Encryption, MasterKey, Suite};
pub use description::{Attribute, Connection, Description, Origin, SdpError};
pub use media::{Direction, Media, RtpMap};
pub use negotiation_error::NegotiationError;
pub use offer_answer::{AudioCodec, Codec, LocalAudio, Negotiated, Session};
