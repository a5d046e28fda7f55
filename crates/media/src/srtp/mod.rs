//! Encrypted and authenticated RTP and RTCP (SRTP, RFC 3711) with keys from signalling (RFC 4568).
//!
//! Decides which packets of the other end are believed and what of ours may leave: every packet is authenticated before
//! anything else is done with it, none is taken twice, and no piece of keystream is used twice. AES in counter mode and
//! HMAC-SHA1 come from the RustCrypto crates. Knows no sockets and no time, and allocates nothing per packet.
//!
//! Left out: AES-256, AES-GCM, keys derived anew at a rate, and unencrypted or unauthenticated packets.

mod cipher;
mod keys;
mod receiver;
mod sender;
#[cfg(test)]
mod tests;
mod window;

pub use keys::{KeyPair, Keys, MASTER_BYTES, Suite};
pub use receiver::{Receiver, Refused};
pub use sender::Sender;

/// Bytes that a sealed packet is longer than a plain one, at most: the index of RTCP and the longest tag.
pub const OVERHEAD_BYTES_MAX: usize = INDEX_BYTES + 10;

/// The word with flag and index that a sealed RTCP packet carries.
const INDEX_BYTES: usize = 4;

/// Says in that word that the packet is encrypted.
const ENCRYPTED: u32 = 1 << 31;

/// What of an RTCP packet stays readable: the first header and its sender.
const CONTROL_HEADER_BYTES: usize = 8;

/// RTCP packets always have the long tag, whatever the suite (RFC 4568 §6.2).
const CONTROL_TAG_BYTES: usize = 10;
