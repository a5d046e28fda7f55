//! The session keys of one direction and protocol: deriving them, the keystream, the tags.

use aes::Aes128;
use aes::cipher::{InnerIvInit, KeyInit, StreamCipherCore};
use ctr::CtrCore;
use ctr::flavors::Ctr128BE;
use hmac::{Hmac, Mac};
use sha1::Sha1;

use super::keys::Keys;

/// What the session keys are for; the first of three labels of key derivation (RFC 3711 §4.3.1, §4.3.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Protocol {
    Rtp = 0,
    Rtcp = 3,
}

/// Bytes of the key of HMAC-SHA1 (RFC 3711 §5.2).
pub(super) const AUTH_KEY_BYTES: usize = 20;

pub(super) struct Cipher {
    aes: Aes128,
    salt: [u8; 14],
    /// With its key taken in; each packet begins with a copy.
    hmac: Hmac<Sha1>,
}

impl Cipher {
    pub fn new(keys: &Keys, protocol: Protocol) -> Cipher {
        let (master, salt) = keys.parts();
        let master = Aes128::new(&master.into());
        let label = protocol as u8;
        let mut key = [0; 16];
        derive(&master, &salt, label, &mut key);
        let mut auth = [0; AUTH_KEY_BYTES];
        derive(&master, &salt, label + 1, &mut auth);
        let mut session_salt = [0; 14];
        derive(&master, &salt, label + 2, &mut session_salt);
        #[expect(clippy::expect_used, reason = "HMAC takes keys of all lengths")]
        let hmac = Hmac::<Sha1>::new_from_slice(&auth).expect("a key of any length");
        Cipher { aes: Aes128::new(&key.into()), salt: session_salt, hmac }
    }

    /// Encrypts or decrypts what a packet carries (RFC 3711 §4.1.1).
    pub fn apply(&self, ssrc: u32, index: u64, bytes: &mut [u8]) {
        let mut iv = [0; 16];
        iv[..14].copy_from_slice(&self.salt);
        for (to, from) in iv[4..8].iter_mut().zip(ssrc.to_be_bytes()) {
            *to ^= from;
        }
        // The index has 48 bits.
        for (to, from) in iv[8..14].iter_mut().zip(&index.to_be_bytes()[2..]) {
            *to ^= from;
        }
        keystream(&self.aes, iv, bytes);
    }

    /// The tag of what is sent, as long as it may be.
    pub fn tag(&self, pieces: [&[u8]; 2]) -> [u8; 20] {
        self.mac(pieces).finalize().into_bytes().into()
    }

    /// Whether a tag is right, in a time that does not tell how much of it is.
    pub fn is_authentic(&self, pieces: [&[u8]; 2], tag: &[u8]) -> bool {
        self.mac(pieces).verify_truncated_left(tag).is_ok()
    }

    fn mac(&self, pieces: [&[u8]; 2]) -> Hmac<Sha1> {
        let mut mac = self.hmac.clone();
        for piece in pieces {
            mac.update(piece);
        }
        mac
    }
}

/// RFC 3711 §4.3.3, with a key derivation rate of 0: the keystream of the master key at the salt with the label in it.
pub(super) fn derive(master: &Aes128, salt: &[u8; 14], label: u8, into: &mut [u8]) {
    let mut iv = [0; 16];
    iv[..14].copy_from_slice(salt);
    iv[7] ^= label;
    into.fill(0);
    keystream(master, iv, into);
}

/// XORs AES in counter mode over `bytes`. Packets are far shorter than what 16 bits count.
pub(super) fn keystream(aes: &Aes128, iv: [u8; 16], bytes: &mut [u8]) {
    CtrCore::<&Aes128, Ctr128BE>::inner_iv_init(aes, &iv.into()).apply_keystream_partial(bytes.into());
}
