//! Request methods. Unknown ones are carried, not refused: the endpoint answers them 405 or 501.

use std::fmt;

use super::ParseError;
use super::lex::is_token;

/// A request method; case-sensitive (RFC 3261 §7.1).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Method {
    /// `INVITE`
    Invite,
    /// `ACK`
    Ack,
    /// `BYE`
    Bye,
    /// `CANCEL`
    Cancel,
    /// `REGISTER`
    Register,
    /// `OPTIONS`
    Options,
    /// `PRACK` (RFC 3262)
    Prack,
    /// `UPDATE` (RFC 3311)
    Update,
    /// `INFO` (RFC 6086)
    Info,
    /// `REFER` (RFC 3515)
    Refer,
    /// `NOTIFY` (RFC 6665)
    Notify,
    /// `SUBSCRIBE` (RFC 6665)
    Subscribe,
    /// `MESSAGE` (RFC 3428)
    Message,
    /// `PUBLISH` (RFC 3903)
    Publish,
    /// Any other token.
    Other(Box<str>),
}

const KNOWN: [Method; 14] = [
    Method::Invite,
    Method::Ack,
    Method::Bye,
    Method::Cancel,
    Method::Register,
    Method::Options,
    Method::Prack,
    Method::Update,
    Method::Info,
    Method::Refer,
    Method::Notify,
    Method::Subscribe,
    Method::Message,
    Method::Publish,
];

impl Method {
    /// Reads a method.
    ///
    /// # Errors
    /// When the text is not a token.
    pub fn parse(text: &str) -> Result<Method, ParseError> {
        if let Some(known) = KNOWN.iter().find(|known| known.as_str() == text) {
            return Ok(known.clone());
        }
        if is_token(text) { Ok(Method::Other(text.into())) } else { Err(ParseError::Value("method is not a token")) }
    }

    /// The method as it is written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Method::Invite => "INVITE",
            Method::Ack => "ACK",
            Method::Bye => "BYE",
            Method::Cancel => "CANCEL",
            Method::Register => "REGISTER",
            Method::Options => "OPTIONS",
            Method::Prack => "PRACK",
            Method::Update => "UPDATE",
            Method::Info => "INFO",
            Method::Refer => "REFER",
            Method::Notify => "NOTIFY",
            Method::Subscribe => "SUBSCRIBE",
            Method::Message => "MESSAGE",
            Method::Publish => "PUBLISH",
            Method::Other(other) => other,
        }
    }
}

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
