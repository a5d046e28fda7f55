//! Writing messages. Content-Length is computed here, and no text of ours or of a peer can break a line.

use std::fmt::Write as _;

use super::{Headers, Request, Response};

/// Appends text with CR and LF replaced by spaces. Other control characters may stand in quoted strings and have to be
/// echoed as they came (RFC 4475 §3.1.1.2).
pub(super) fn push_clean(out: &mut String, text: &str) {
    if text.contains(['\r', '\n']) {
        out.extend(text.chars().map(|character| if matches!(character, '\r' | '\n') { ' ' } else { character }));
    } else {
        out.push_str(text);
    }
}

impl Request {
    /// The message as bytes.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut head = String::with_capacity(room(&self.headers, self.body.len()));
        head.push_str(self.method.as_str());
        head.push(' ');
        let uri_start = head.len();
        // Writing to a String cannot fail.
        let _ = write!(head, "{}", self.uri);
        if head[uri_start..].bytes().any(|byte| byte <= b' ') {
            let clean: String = head[uri_start..].chars().filter(|character| *character > ' ').collect();
            head.truncate(uri_start);
            head.push_str(&clean);
        }
        head.push_str(" SIP/2.0\r\n");
        finish(head, &self.headers, &self.body)
    }
}

impl Response {
    /// The message as bytes.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut head = String::with_capacity(room(&self.headers, self.body.len()));
        let _ = write!(head, "SIP/2.0 {} ", self.status);
        push_clean(&mut head, &self.reason);
        head.push_str("\r\n");
        finish(head, &self.headers, &self.body)
    }
}

fn room(headers: &Headers, body_bytes: usize) -> usize {
    // Start line and Content-Length, and name, colon, space and line end of each line.
    headers.iter().map(|(name, value)| name.len() + value.len() + 4).sum::<usize>() + body_bytes + 256
}

fn finish(mut head: String, headers: &Headers, body: &[u8]) -> Vec<u8> {
    for (name, value) in headers.iter() {
        if name.eq_ignore_ascii_case("Content-Length") {
            continue;
        }
        head.push_str(name);
        head.push_str(": ");
        head.push_str(value);
        head.push_str("\r\n");
    }
    let _ = write!(head, "Content-Length: {}\r\n\r\n", body.len());
    let mut bytes = head.into_bytes();
    bytes.extend_from_slice(body);
    bytes
}
