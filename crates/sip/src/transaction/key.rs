//! Which message belongs to which transaction (RFC 3261 §17.1.3, §17.2.3, §8.2.2.2).
//!
//! Our own branches are random numbers and are read back as numbers. Foreign keys are hashed with SHA-256, so that a key
//! has a fixed size whatever a peer invents.

use sha2::{Digest, Sha256};

use crate::event::CallId;
use crate::message::{Method, Request, Via};

/// The start of every branch since RFC 3261 (§8.1.1.7).
const COOKIE: &str = "z9hG4bK";

/// Digits of the number in our branches.
const BRANCH_DIGITS: usize = 32;

/// A request we sent. A CANCEL shares its branch with the INVITE it cancels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct ClientKey {
    pub(crate) branch: u128,
    pub(crate) cancel: bool,
}

impl ClientKey {
    /// The branch as it stands in the Via.
    pub(crate) fn branch_text(self) -> String {
        format!("{COOKIE}{:032x}", self.branch)
    }

    /// Reads a branch of ours; `None` when it cannot be one.
    pub(crate) fn parse(branch: &str, cancel: bool) -> Option<ClientKey> {
        let digits = branch.strip_prefix(COOKIE)?;
        let lower = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        if digits.len() != BRANCH_DIGITS || !digits.bytes().all(lower) {
            return None;
        }
        Some(ClientKey { branch: u128::from_str_radix(digits, 16).ok()?, cancel })
    }
}

/// A request we received.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct ServerKey(u128);

impl ServerKey {
    /// The transaction that `request` belongs to: its own, or the INVITE's for an ACK.
    pub(crate) fn of(request: &Request, via: &Via) -> ServerKey {
        let method = if request.method == Method::Ack { &Method::Invite } else { &request.method };
        ServerKey::with_method(request, via, method)
    }

    /// The INVITE transaction that a CANCEL is aimed at.
    pub(crate) fn canceled_by(request: &Request, via: &Via) -> ServerKey {
        ServerKey::with_method(request, via, &Method::Invite)
    }

    fn with_method(request: &Request, via: &Via, method: &Method) -> ServerKey {
        let port = via.sent_by_port.map_or_else(String::new, |port| port.to_string());
        let host = via.sent_by_host.as_str().to_ascii_lowercase();
        match via.branch() {
            Some(branch) if branch.starts_with(COOKIE) && branch.len() > COOKIE.len() => {
                ServerKey(digest(&[branch, &host, &port, method.as_str()]))
            }
            // A peer of RFC 2543: no unique branch, so everything that stays the same over ACK and CANCEL counts.
            other => ServerKey(digest(&[
                other.unwrap_or_default(),
                &host,
                &port,
                method.as_str(),
                request.headers.get("Call-ID").unwrap_or_default(),
                request.headers.get("From").unwrap_or_default(),
                request.headers.get("CSeq").and_then(|cseq| cseq.split_whitespace().next()).unwrap_or_default(),
                &request.uri.to_string(),
            ])),
        }
    }
}

/// What stays the same when a fork brings one request to us by two ways (RFC 3261 §8.2.2.2).
pub(crate) fn merge_key(request: &Request, from_tag: &str) -> u128 {
    digest(&[request.headers.get("Call-ID").unwrap_or_default(), from_tag, request.headers.get("CSeq").unwrap_or_default()])
}

fn digest(parts: &[&str]) -> u128 {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(part.as_bytes());
        hash.update([0]);
    }
    let mut key = [0; 16];
    key.copy_from_slice(&hash.finalize()[..16]);
    u128::from_be_bytes(key)
}

/// Whose deadline it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum TimerKey {
    Client(ClientKey),
    Server(ServerKey),
    Call(CallId),
    Tombstones,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn our_branch_is_read_back_and_others_are_not() {
        let key = ClientKey { branch: 0x1234, cancel: false };
        assert_eq!(ClientKey::parse(&key.branch_text(), false), Some(key));
        assert_eq!(ClientKey::parse("z9hG4bK1234", false), None);
        assert_eq!(ClientKey::parse(&key.branch_text().to_uppercase(), false), None);
    }

    #[test]
    fn parts_of_a_key_cannot_run_into_each_other() {
        assert_ne!(digest(&["ab", "c"]), digest(&["a", "bc"]));
    }
}
