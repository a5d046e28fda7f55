//! Secrets we hand out: sign-in cookies, API tokens, webhook keys. Only their hashes are kept where that is enough.

use super::password;
use data_encoding::BASE32_NOPAD;
use dreiklang_store::SecretHash;
use sha2::{Digest, Sha256};

/// What API tokens begin with, so that scanners of source code find a leaked one.
pub const TOKEN_PREFIX: &str = "dkt_";
/// Longest text taken for a cookie or token; ours are shorter.
pub const SECRET_BYTES_MAX: usize = 128;

/// A new secret with 256 bits of randomness.
pub fn generate(prefix: &str) -> String {
    let mut bytes = [0_u8; 32];
    password::fill(&mut bytes);
    format!("{prefix}{}", BASE32_NOPAD.encode(&bytes).to_lowercase())
}

/// What is kept of a secret. A plain hash is enough: there is nothing to guess in 256 random bits.
pub fn hash(secret: &str) -> SecretHash {
    Sha256::digest(secret.as_bytes()).into()
}

/// The proof a page has to send along with its cookie. Derived from the cookie's value, which a page from elsewhere cannot read,
/// so nothing needs to be kept.
pub fn csrf(session: &str) -> String {
    let digest = Sha256::digest(format!("dreiklang csrf {session}").as_bytes());
    BASE32_NOPAD.encode(&digest[..20]).to_lowercase()
}

/// Compares without telling by time where the difference is.
pub fn same(one: &str, other: &str) -> bool {
    let (one, other) = (Sha256::digest(one.as_bytes()), Sha256::digest(other.as_bytes()));
    one.iter().zip(other.iter()).fold(0_u8, |difference, (a, b)| difference | (a ^ b)) == 0
}

/// A new id such as `usr_01jz…`: a time-ordered UUID behind a prefix, like the core's ids.
pub fn new_id(prefix: &str) -> String {
    // The core's ids carry the notation; only their prefix differs.
    let text = dreiklang_core::ids::CommandId(uuid::Uuid::now_v7().as_u128()).to_string();
    let digits = text.split_once('_').map_or("", |(_, digits)| digits);
    format!("{prefix}_{digits}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_long_and_new_each_time() {
        let token = generate(TOKEN_PREFIX);
        assert_eq!(token.len(), 56);
        assert!(token.len() <= SECRET_BYTES_MAX);
        assert_ne!(token, generate(TOKEN_PREFIX));
        assert_ne!(hash(&token), hash(&generate(TOKEN_PREFIX)));
    }

    #[test]
    fn the_proof_belongs_to_one_session() {
        assert!(same(&csrf("a"), &csrf("a")));
        assert!(!same(&csrf("a"), &csrf("b")));
    }

    #[test]
    fn ids_grow_with_time() {
        let one = new_id("usr");
        let other = new_id("usr");
        assert!(one.starts_with("usr_") && one.len() == 30 && one <= other, "{one} {other}");
    }
}
