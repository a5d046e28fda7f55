//! Why a message, or a part of one, could not be read.

use super::Response;

/// What is wrong with a message or a part of it. The text names the part and the problem, never the peer's bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ParseError {
    /// Nothing but line ends, for example a keep-alive datagram.
    #[error("no message")]
    Empty,
    /// The message, a line or a list exceeds a limit.
    #[error("{0} exceeds its limit")]
    TooLarge(&'static str),
    /// The first line is neither a request line nor a status line.
    #[error("start line: {0}")]
    StartLine(&'static str),
    /// A request of a SIP version other than 2.0.
    #[error("SIP version is not 2.0")]
    Version,
    /// A line of the header section is not `name: value`.
    #[error("header line: {0}")]
    HeaderLine(&'static str),
    /// A mandatory header is absent.
    #[error("header {0} is missing")]
    Missing(&'static str),
    /// A header that may occur once occurs several times.
    #[error("header {0} occurs more than once")]
    Repeated(&'static str),
    /// The value of a header breaks its grammar or range.
    #[error("header {name}: {problem}")]
    Header {
        /// Canonical name of the header.
        name: &'static str,
        /// What is wrong.
        problem: &'static str,
    },
    /// A URI breaks its grammar.
    #[error("URI: {0}")]
    Uri(&'static str),
    /// A value such as a Via, an address or a parameter list breaks its grammar.
    #[error("{0}")]
    Value(&'static str),
    /// The method in CSeq differs from the method of the request.
    #[error("CSeq names another method than the request line")]
    MethodMismatch,
    /// Fewer bytes follow than Content-Length announces.
    #[error("body is shorter than Content-Length")]
    BodyShort,
}

impl ParseError {
    /// The status that answers a request with this defect: 400, 505 or 513 (RFC 3261 §21).
    #[must_use]
    pub fn status(self) -> u16 {
        match self {
            ParseError::Version => 505,
            ParseError::TooLarge(_) => 513,
            _ => 400,
        }
    }

    /// The same defect, said of a header.
    pub(crate) fn in_header(self, name: &'static str) -> ParseError {
        match self {
            ParseError::Uri(problem) | ParseError::Value(problem) => ParseError::Header { name, problem },
            other => other,
        }
    }
}

/// A message that could not be accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Malformed {
    /// What is wrong.
    pub error: ParseError,
    /// The response to send back to where the message came from, when it was a request other than ACK with a Via.
    /// Its top Via is the peer's and may itself be malformed: the sender adds `received` and `rport` when it can be read.
    pub answerable: Option<Box<Response>>,
    /// On a stream: where the next message begins is unknown, so that the connection must be closed.
    pub framing_lost: bool,
}
