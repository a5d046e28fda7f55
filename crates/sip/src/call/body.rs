//! Finding the SDP in a body: alone, or as a part of `multipart/mixed` (RFC 5621).

use crate::limits::BODY_PARTS_MAX;
use crate::message::Headers;

/// What a message says about the session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sdp {
    /// There is no body, or one that may be disregarded.
    Absent,
    /// The SDP text.
    Present(Vec<u8>),
    /// A body that must be understood and is not: 415 (RFC 3261 §8.2.3).
    Unsupported,
}

/// Looks for SDP in a message's body.
#[must_use]
pub fn sdp_of(headers: &Headers, body: &[u8]) -> Sdp {
    if body.is_empty() {
        return Sdp::Absent;
    }
    let encoded = headers.get("Content-Encoding").is_some_and(|coding| !coding.eq_ignore_ascii_case("identity"));
    let optional =
        headers.get("Content-Disposition").is_some_and(|value| value.to_ascii_lowercase().replace(' ', "").contains("handling=optional"));
    let found = match headers.content_type().as_deref() {
        _ if encoded => None,
        Some("application/sdp") | None => Some(body),
        Some(kind) if kind.starts_with("multipart/") => {
            boundary(headers.get("Content-Type").unwrap_or_default()).and_then(|boundary| part(body, &boundary))
        }
        Some(_) => None,
    };
    match found {
        Some(sdp) => Sdp::Present(sdp.to_vec()),
        None if optional => Sdp::Absent,
        None => Sdp::Unsupported,
    }
}

fn boundary(content_type: &str) -> Option<String> {
    let at = content_type.to_ascii_lowercase().find("boundary=")?;
    let value = &content_type[at + "boundary=".len()..];
    let value = match value.strip_prefix('"') {
        Some(quoted) => quoted.split('"').next()?,
        None => value.split(';').next()?.trim(),
    };
    (!value.is_empty()).then(|| value.to_owned())
}

/// The first part of type `application/sdp`.
fn part<'a>(body: &'a [u8], boundary: &str) -> Option<&'a [u8]> {
    let delimiter = format!("--{boundary}");
    let mut rest = after(body, delimiter.as_bytes())?;
    for _ in 0..BODY_PARTS_MAX {
        if rest.starts_with(b"--") {
            return None;
        }
        let end = find(rest, delimiter.as_bytes())?;
        let this = &rest[..end];
        rest = &rest[end + delimiter.len()..];
        let Some(head_end) = find(this, b"\r\n\r\n") else { continue };
        let head = String::from_utf8_lossy(&this[..head_end]).to_ascii_lowercase();
        let is_sdp = head.lines().any(|line| {
            let (name, value) = line.split_once(':').unwrap_or_default();
            matches!(name.trim(), "content-type" | "c") && value.trim().starts_with("application/sdp")
        });
        if is_sdp {
            let sdp = &this[head_end + 4..];
            // The line end before the delimiter belongs to the delimiter; SDP keeps its own last one.
            return Some(sdp.strip_suffix(b"\r\n").filter(|text| text.ends_with(b"\r\n")).unwrap_or(sdp));
        }
    }
    None
}

fn after<'a>(text: &'a [u8], pattern: &[u8]) -> Option<&'a [u8]> {
    find(text, pattern).map(|at| &text[at + pattern.len()..])
}

fn find(text: &[u8], pattern: &[u8]) -> Option<usize> {
    text.windows(pattern.len()).position(|window| window == pattern)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(content_type: &str) -> Headers {
        let mut headers = Headers::new();
        headers.push("Content-Type", content_type);
        headers
    }

    #[test]
    fn sdp_alone_is_the_whole_body() {
        assert_eq!(sdp_of(&headers("application/SDP;charset=utf-8"), b"v=0\r\n"), Sdp::Present(b"v=0\r\n".to_vec()));
        assert_eq!(sdp_of(&headers("application/sdp"), b""), Sdp::Absent);
    }

    #[test]
    fn sdp_is_found_between_other_parts() {
        let body = b"--b1\r\nContent-Type: text/plain\r\n\r\nhello\r\n--b1\r\nContent-Type: application/sdp\r\n\r\n\
            v=0\r\ns=-\r\n\r\n--b1--\r\n";
        let found = sdp_of(&headers("multipart/mixed; boundary=\"b1\""), body);
        assert_eq!(found, Sdp::Present(b"v=0\r\ns=-\r\n".to_vec()));
    }

    #[test]
    fn an_unknown_body_is_unsupported_unless_it_is_optional() {
        let mut headers = headers("application/x-strange");
        assert_eq!(sdp_of(&headers, b"x"), Sdp::Unsupported);
        headers.push("Content-Disposition", "session; handling = optional");
        assert_eq!(sdp_of(&headers, b"x"), Sdp::Absent);
    }

    #[test]
    fn a_multipart_body_that_never_ends_is_unsupported() {
        assert_eq!(sdp_of(&headers("multipart/mixed; boundary=x"), b"--x\r\n\r\nabc"), Sdp::Unsupported);
    }
}
