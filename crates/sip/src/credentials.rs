//! Who we are towards a peer that asks for digest authentication (RFC 3261 §22).

use std::fmt;

use crate::message::{Request, Response};

/// A user name and its password.
#[derive(Clone, PartialEq, Eq)]
pub struct Credentials {
    /// The user name in the peer's realm.
    pub username: String,
    /// The password; never printed.
    pub password: String,
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials").field("username", &self.username).finish_non_exhaustive()
    }
}

/// Adds to `request` the answer to a 401 or 407. `false` when the challenge cannot be answered.
pub(crate) fn authorize(_request: &mut Request, _challenge: &Response, _credentials: &Credentials, _cnonce: &str) -> bool {
    false
}
