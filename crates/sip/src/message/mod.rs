//! SIP messages: reading them leniently where that is safe, refusing what is ambiguous, writing them strictly.
//!
//! Unknown methods, headers, URI schemes and parameters are carried as they came. What SIP itself relies on (Via, From,
//! To, Call-ID, CSeq, Contact, Max-Forwards, Content-Length) is checked while parsing, so that every later layer may
//! trust it. Bodies are bytes; SDP is read in [`crate::sdp`].

mod cseq;
mod error;
mod header;
pub(crate) mod lex;
mod method;
mod name;
mod name_addr;
mod params;
mod parse;
mod status;
mod stream;
mod typed;
mod uri;
mod via;
mod write;

pub use cseq::CSeq;
pub use error::{Malformed, ParseError};
pub use header::Headers;
pub use method::Method;
pub use name_addr::NameAddr;
pub use params::Params;
pub use parse::parse_datagram;
pub use status::reason_phrase;
pub use stream::{StreamDecoder, StreamItem};
pub use uri::{Host, Scheme, Uri};
pub use via::{BRANCH_COOKIE, Via};

/// A request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// What is asked for.
    pub method: Method,
    /// Of whom it is asked.
    pub uri: Uri,
    /// The header section without Content-Length.
    pub headers: Headers,
    /// The body, empty when there is none.
    pub body: Vec<u8>,
}

/// A response.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Response {
    /// The status code, 100 to 699.
    pub status: u16,
    /// The reason phrase; no decision depends on it.
    pub reason: String,
    /// The header section without Content-Length.
    pub headers: Headers,
    /// The body, empty when there is none.
    pub body: Vec<u8>,
}

/// A request or a response.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Message {
    /// A request.
    Request(Request),
    /// A response.
    Response(Response),
}

impl Request {
    /// A request without headers and body.
    #[must_use]
    pub fn new(method: Method, uri: Uri) -> Request {
        Request { method, uri, headers: Headers::new(), body: Vec::new() }
    }
}

impl Response {
    /// The response to a request: copies Via, From, To, Call-ID, CSeq, and Timestamp into a 100 (RFC 3261 §8.2.6).
    ///
    /// An empty `reason` is replaced by the registered phrase. A To tag is the caller's to add ([`Headers::add_to_tag`]).
    #[must_use]
    pub fn to_request(request: &Request, status: u16, reason: &str) -> Response {
        Response::to_headers(&request.headers, status, reason)
    }

    pub(crate) fn to_headers(request: &Headers, status: u16, reason: &str) -> Response {
        let mut headers = Headers::with_capacity(512, 12);
        for via in request.all("Via") {
            headers.push("Via", via);
        }
        for name in ["From", "To", "Call-ID", "CSeq"] {
            if let Some(value) = request.get(name) {
                headers.push(name, value);
            }
        }
        if status == 100
            && let Some(timestamp) = request.get("Timestamp")
        {
            headers.push("Timestamp", timestamp);
        }
        let reason = if reason.is_empty() { reason_phrase(status) } else { reason };
        Response { status, reason: reason.to_owned(), headers, body: Vec::new() }
    }

    /// Whether the response is provisional (1xx).
    #[must_use]
    pub fn is_provisional(&self) -> bool {
        self.status < 200
    }

    /// Whether the response is a success (2xx).
    #[must_use]
    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }
}

impl Message {
    /// The header section of either kind.
    #[must_use]
    pub fn headers(&self) -> &Headers {
        match self {
            Message::Request(request) => &request.headers,
            Message::Response(response) => &response.headers,
        }
    }

    /// The body of either kind.
    #[must_use]
    pub fn body(&self) -> &[u8] {
        match self {
            Message::Request(request) => &request.body,
            Message::Response(response) => &response.body,
        }
    }

    /// The message as bytes.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        match self {
            Message::Request(request) => request.to_bytes(),
            Message::Response(response) => response.to_bytes(),
        }
    }
}
