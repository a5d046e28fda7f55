//! Master keys as signalling agrees on them.

use std::fmt;

/// Bytes of a master key together with its salt.
pub const MASTER_BYTES: usize = 30;

/// How packets are encrypted and authenticated (RFC 4568 §6.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Suite {
    /// AES in counter mode with a key of 128 bits; HMAC-SHA1 cut to 80 bits. The one that everybody has to know.
    Aes128Tag80,
    /// The same with 32 bits for RTP.
    Aes128Tag32,
}

impl Suite {
    /// Bytes of the tag behind an RTP packet.
    pub(super) const fn tag_bytes(self) -> usize {
        match self {
            Suite::Aes128Tag80 => 10,
            Suite::Aes128Tag32 => 4,
        }
    }
}

/// What protects one direction. Two are equal when they open the same packets.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Keys {
    /// How.
    pub suite: Suite,
    /// Master key and salt.
    master: [u8; MASTER_BYTES],
    /// Bytes of the key's name that stand before each tag; 0 when keys have no names (RFC 3711 §3.1, MKI).
    name_bytes: u8,
}

impl Keys {
    /// Keys whose packets name no key. `master` is the key's 16 bytes, then the salt's 14.
    pub const fn new(suite: Suite, master: [u8; MASTER_BYTES]) -> Keys {
        Keys { suite, master, name_bytes: 0 }
    }

    /// The same keys, when each packet carries a name of this length before its tag. Only for receiving.
    #[must_use]
    pub const fn named(self, name_bytes: u8) -> Keys {
        Keys { name_bytes, ..self }
    }

    pub(super) fn name_bytes(&self) -> usize {
        usize::from(self.name_bytes)
    }

    /// Key and salt.
    pub(super) fn parts(&self) -> ([u8; 16], [u8; 14]) {
        let (mut key, mut salt) = ([0; 16], [0; 14]);
        key.copy_from_slice(&self.master[..16]);
        salt.copy_from_slice(&self.master[16..]);
        (key, salt)
    }
}

/// Never shows the key.
impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keys").field("suite", &self.suite).finish_non_exhaustive()
    }
}

/// The keys of both directions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeyPair {
    /// Of what we send.
    pub send: Keys,
    /// Of what we receive.
    pub receive: Keys,
}
