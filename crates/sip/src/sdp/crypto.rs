//! Keys of encrypted audio in session descriptions (`a=crypto`, RFC 4568).
//!
//! Reading is lenient: of several lines the best that can be used is taken, others are skipped, padding may be missing.
//! What is written is one line of the suite that everybody has to know. No `Debug` of anything here shows a key.

use std::fmt;

use data_encoding::{BASE64, BASE64_NOPAD};

/// Bytes of a master key with its salt.
const KEY_BYTES: usize = 30;

/// Longest name of a key in a packet (RFC 4568 §6.1).
const MKI_BYTES_MAX: u8 = 128;

/// Whether audio is encrypted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Encryption {
    /// Never, not even when the peer asks for it.
    Never,
    /// When the peer offers it. Our own offers are plain.
    Optional,
    /// Always: nothing else is offered or accepted.
    Required,
}

/// How audio is encrypted and authenticated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Suite {
    /// `AES_CM_128_HMAC_SHA1_80`.
    Tag80,
    /// `AES_CM_128_HMAC_SHA1_32`.
    Tag32,
}

impl Suite {
    /// Its registered name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Suite::Tag80 => "AES_CM_128_HMAC_SHA1_80",
            Suite::Tag32 => "AES_CM_128_HMAC_SHA1_32",
        }
    }

    fn parse(name: &str) -> Option<Suite> {
        [Suite::Tag80, Suite::Tag32].into_iter().find(|suite| suite.name().eq_ignore_ascii_case(name))
    }
}

/// A master key with its salt.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct MasterKey([u8; KEY_BYTES]);

impl MasterKey {
    /// From bytes that nobody can guess: 16 of the key, 14 of the salt.
    #[must_use]
    pub fn new(bytes: [u8; KEY_BYTES]) -> MasterKey {
        MasterKey(bytes)
    }

    /// The bytes.
    #[must_use]
    pub fn bytes(&self) -> [u8; KEY_BYTES] {
        self.0
    }

    /// From base64, with or without padding.
    fn decode(text: &str) -> Option<MasterKey> {
        let bytes = BASE64_NOPAD.decode(text.trim_end_matches('=').as_bytes()).ok()?;
        bytes.try_into().ok().map(MasterKey)
    }
}

impl fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MasterKey(..)")
    }
}

/// The keys of both directions, as agreed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AgreedKeys {
    /// How.
    pub suite: Suite,
    /// Of what we send.
    pub send: MasterKey,
    /// Of what the peer sends.
    pub receive: MasterKey,
    /// Bytes of the key's name that the peer puts into each packet; 0 for none.
    pub mki_bytes: u8,
    /// The line's tag.
    pub(super) tag: u32,
}

impl AgreedKeys {
    /// Whether the peer's side is that of `offered`.
    pub(super) fn is_of(&self, offered: &Offered) -> bool {
        (self.suite, self.receive, self.mki_bytes) == (offered.suite, offered.key, offered.mki_bytes)
    }
}

/// An `a=crypto` line in its pieces; the key is not decoded here.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Crypto<'a> {
    /// The tag. Microsoft begins at 0.
    pub tag: u32,
    /// The suite, such as `AES_CM_128_HMAC_SHA1_80`.
    pub suite: &'a str,
    /// Key and salt in base64 without `inline:`; padding may be missing.
    pub key: &'a str,
    /// Lifetime, such as `2^31`, when written.
    pub lifetime: Option<&'a str>,
    /// Master key identifier and its length, such as `1:1`, when written.
    pub mki: Option<&'a str>,
    /// Session parameters, raw; empty when there are none.
    pub session: &'a str,
}

impl fmt::Debug for Crypto<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Crypto").field("tag", &self.tag).field("suite", &self.suite).finish_non_exhaustive()
    }
}

/// A line that can be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Offered {
    pub tag: u32,
    pub suite: Suite,
    pub key: MasterKey,
    pub mki_bytes: u8,
}

impl<'a> Crypto<'a> {
    /// Takes the text after `a=crypto:` apart.
    pub(super) fn parse(value: &'a str) -> Option<Crypto<'a>> {
        let value = value.trim();
        let (tag, rest) = value.split_once([' ', '\t'])?;
        let (suite, rest) = rest.trim_start().split_once([' ', '\t'])?;
        let rest = rest.trim_start();
        let (key_params, session) = rest.split_once([' ', '\t']).unwrap_or((rest, ""));
        // Several keys may be joined by `;`: the first is in use.
        let first = key_params.split(';').next()?;
        let inline = first.get(..7).filter(|method| method.eq_ignore_ascii_case("inline:")).and(first.get(7..))?;
        let mut pieces = inline.split('|');
        let key = pieces.next()?;
        let (mut lifetime, mut mki) = (None, None);
        for piece in pieces {
            if piece.contains(':') {
                mki = Some(piece);
            } else {
                lifetime = Some(piece);
            }
        }
        Some(Crypto { tag: tag.parse().ok()?, suite, key, lifetime, mki, session: session.trim() })
    }

    /// The line as we can use it, if we can. How long a key lives is for its owner to watch.
    pub(super) fn usable(&self) -> Option<Offered> {
        let mki_bytes = match self.mki {
            None => 0,
            Some(mki) => mki.split_once(':')?.1.parse().ok().filter(|bytes| (1..=MKI_BYTES_MAX).contains(bytes))?,
        };
        let can_do = self.session.split_ascii_whitespace().all(|parameter| {
            // A window is a wish; what begins with `-` may be ignored (RFC 4568 §6.3.7); all others change the packets.
            parameter.get(..4).is_some_and(|name| name.eq_ignore_ascii_case("WSH=")) || parameter.starts_with('-')
        });
        let (suite, key) = (Suite::parse(self.suite)?, MasterKey::decode(self.key)?);
        can_do.then_some(Offered { tag: self.tag, suite, key, mki_bytes })
    }
}

/// The line that we like best: without names of keys in each packet, and with the long tag.
pub(super) fn best<'a>(lines: impl Iterator<Item = Crypto<'a>>) -> Option<Offered> {
    lines.filter_map(|line| line.usable()).min_by_key(|line| (line.mki_bytes, line.suite != Suite::Tag80))
}

/// What was offered, for an error's text: suites alone.
pub(super) fn suite_names<'a>(lines: impl Iterator<Item = Crypto<'a>>) -> String {
    let is_name = |name: &str| name.len() <= 40 && name.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_');
    let names: Vec<&str> = lines.map(|line| line.suite).filter(|name| is_name(name)).take(8).collect();
    if names.is_empty() { "none".to_owned() } else { names.join(" ") }
}

/// A line of ours.
pub(super) fn line(tag: u32, suite: Suite, key: &MasterKey) -> String {
    format!("a=crypto:{tag} {} inline:{}\r\n", suite.name(), BASE64.encode(&key.0))
}
