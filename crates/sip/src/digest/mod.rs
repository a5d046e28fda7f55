//! Digest authentication (RFC 3261 §22 with RFC 7616 and RFC 8760): challenging and verifying as a server, answering
//! challenges as a client.
//!
//! SHA-256 and SHA-512/256 come first, MD5 remains because carriers and telephones still know nothing else. Basic is never
//! used. Nonces carry their own proof of origin, so that a flood of unauthenticated requests leaves no state behind.

mod client;
mod header;
mod server;

use std::fmt::{self, Write as _};

use sha2::Digest as _;

pub use client::{authorize, is_stale};
pub use server::{Challenger, Secret, Verdict};

/// A hash that both sides agree on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Algorithm {
    /// MD5; broken as a hash, still what most carriers ask for.
    Md5,
    /// SHA-256.
    Sha256,
    /// SHA-512/256.
    Sha512Trunc256,
}

impl Algorithm {
    /// The token in headers.
    #[must_use]
    pub fn token(self) -> &'static str {
        match self {
            Algorithm::Md5 => "MD5",
            Algorithm::Sha256 => "SHA-256",
            Algorithm::Sha512Trunc256 => "SHA-512-256",
        }
    }

    /// Reads a token without its `-sess` suffix; in any case.
    #[must_use]
    pub fn parse(token: &str) -> Option<Algorithm> {
        [Algorithm::Md5, Algorithm::Sha256, Algorithm::Sha512Trunc256].into_iter().find(|known| known.token().eq_ignore_ascii_case(token))
    }

    /// The hash of the parts joined by colons, in lower-case hexadecimal.
    fn hash(self, parts: &[&[u8]]) -> String {
        match self {
            Algorithm::Md5 => hash_with(md5::Md5::new(), parts),
            Algorithm::Sha256 => hash_with(sha2::Sha256::new(), parts),
            Algorithm::Sha512Trunc256 => hash_with(sha2::Sha512_256::new(), parts),
        }
    }

    /// The hash of user name, realm and password, which can be stored in place of the password (RFC 7616 §3.4.2).
    #[must_use]
    pub fn ha1(self, username: &str, realm: &str, password: &str) -> String {
        self.hash(&[username.as_bytes(), realm.as_bytes(), password.as_bytes()])
    }
}

fn hash_with<D: sha2::Digest>(mut digest: D, parts: &[&[u8]]) -> String {
    for (index, part) in parts.iter().enumerate() {
        if index > 0 {
            digest.update(b":");
        }
        digest.update(part);
    }
    hex(&digest.finalize())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// A user name with its password, as a carrier gives them to us.
#[derive(Clone, PartialEq, Eq)]
pub struct Credentials {
    /// The user name for authentication, often not the number.
    pub username: String,
    /// The password.
    pub password: String,
}

impl Credentials {
    /// Both together.
    #[must_use]
    pub fn new(username: impl Into<String>, password: impl Into<String>) -> Credentials {
        Credentials { username: username.into(), password: password.into() }
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials").field("username", &self.username).field("password", &"***").finish()
    }
}

/// What protects the body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Qop {
    /// Nothing, as in RFC 2069.
    None,
    /// `auth`
    Auth,
    /// `auth-int`: the body is hashed too.
    AuthInt,
}

impl Qop {
    fn token(self) -> Option<&'static str> {
        match self {
            Qop::None => None,
            Qop::Auth => Some("auth"),
            Qop::AuthInt => Some("auth-int"),
        }
    }
}

/// Everything that goes into a response besides the secret.
struct Question<'a> {
    algorithm: Algorithm,
    is_session: bool,
    nonce: &'a str,
    cnonce: &'a str,
    /// Eight hexadecimal digits.
    nonce_count: &'a str,
    qop: Qop,
    method: &'a str,
    uri: &'a str,
    body: &'a [u8],
}

impl Question<'_> {
    /// The response of whoever knows the secret (RFC 7616 §3.4.1).
    fn response(&self, ha1: &str) -> String {
        let hash = |parts: &[&[u8]]| self.algorithm.hash(parts);
        let session_ha1;
        let ha1 = if self.is_session {
            session_ha1 = hash(&[ha1.as_bytes(), self.nonce.as_bytes(), self.cnonce.as_bytes()]);
            &session_ha1
        } else {
            ha1
        };
        let ha2 = match self.qop {
            Qop::AuthInt => hash(&[self.method.as_bytes(), self.uri.as_bytes(), hash(&[self.body]).as_bytes()]),
            Qop::None | Qop::Auth => hash(&[self.method.as_bytes(), self.uri.as_bytes()]),
        };
        match self.qop.token() {
            Some(qop) => hash(&[
                ha1.as_bytes(),
                self.nonce.as_bytes(),
                self.nonce_count.as_bytes(),
                self.cnonce.as_bytes(),
                qop.as_bytes(),
                ha2.as_bytes(),
            ]),
            None => hash(&[ha1.as_bytes(), self.nonce.as_bytes(), ha2.as_bytes()]),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 7616 §3.9.1.
    #[test]
    fn the_vectors_of_the_standard_are_reproduced() {
        let cases = [
            (Algorithm::Md5, "8ca523f5e9506fed4657c9700eebdbec"),
            (Algorithm::Sha256, "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"),
        ];
        for (algorithm, expected) in cases {
            let question = Question {
                algorithm,
                is_session: false,
                nonce: "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v",
                cnonce: "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ",
                nonce_count: "00000001",
                qop: Qop::Auth,
                method: "GET",
                uri: "/dir/index.html",
                body: b"",
            };
            assert_eq!(question.response(&algorithm.ha1("Mufasa", "http-auth@example.org", "Circle of Life")), expected);
        }
    }

    /// The inputs of RFC 7616 §3.9.2. The hashes printed there are not SHA-512/256 (its user hash is the first half of plain
    /// SHA-512), therefore the expected value was computed with OpenSSL.
    #[test]
    fn sha_512_256_is_the_hash_of_fips_180_4() {
        let algorithm = Algorithm::Sha512Trunc256;
        let question = Question {
            algorithm,
            is_session: false,
            nonce: "5TsQWLVdgBdmrQ0XsxbDODV+57QdFR34I9HAbC/RVvkK",
            cnonce: "NTg6RKcb9boFIAS3KrFK9BGeh+niz/sm",
            nonce_count: "00000001",
            qop: Qop::Auth,
            method: "GET",
            uri: "/doe.json",
            body: b"",
        };
        assert_eq!(
            question.response(&algorithm.ha1("J\u{e4}s\u{f8}n Doe", "api@example.org", "Secret, or not?")),
            "7a4e1192babbba02e91182d2895bfdbf7adafc6e48d4e517ca301974843d840c"
        );
    }

    /// RFC 2617 §3.5, whose values older servers still produce, and the form of RFC 2069 by hand.
    #[test]
    fn the_older_forms_are_reproduced() {
        let question = Question {
            algorithm: Algorithm::Md5,
            is_session: false,
            nonce: "dcd98b7102dd2f0e8b11d0f600bfb0c093",
            cnonce: "0a4f113b",
            nonce_count: "00000001",
            qop: Qop::Auth,
            method: "GET",
            uri: "/dir/index.html",
            body: b"",
        };
        let ha1 = Algorithm::Md5.ha1("Mufasa", "testrealm@host.com", "Circle Of Life");
        assert_eq!(ha1, "939e7578ed9e3c518a452acee763bce9");
        assert_eq!(question.response(&ha1), "6629fae49393a05397450978507c4ef1");
        let old = Question { qop: Qop::None, ..question };
        assert_eq!(old.response(&ha1), "670fd8c2df070c60b045671b8b24ff02");
    }

    #[test]
    fn passwords_stay_out_of_debug_output() {
        assert!(!format!("{:?}", Credentials::new("alice", "s3cret")).contains("s3cret"));
    }
}
