//! Finding the session description in a body, which may be multipart (RFC 5621): Teams adds locations, SIPREC metadata.

use crate::limits::{MULTIPART_DEPTH_MAX, MULTIPART_PART_COUNT_MAX};

/// The session description in a body of this Content-Type; `None` when there is none.
#[must_use]
pub fn find_sdp<'a>(content_type: &str, body: &'a [u8]) -> Option<&'a [u8]> {
    find(content_type, body, 0)
}

fn find<'a>(content_type: &str, body: &'a [u8], depth: usize) -> Option<&'a [u8]> {
    let media_type = content_type.split(';').next().unwrap_or("").trim();
    if media_type.eq_ignore_ascii_case("application/sdp") {
        return Some(body);
    }
    let is_multipart = media_type.get(..10).is_some_and(|start| start.eq_ignore_ascii_case("multipart/"));
    if !is_multipart || depth >= MULTIPART_DEPTH_MAX {
        return None;
    }
    let boundary = boundary(content_type)?;
    parts(body, boundary).into_iter().find_map(|part| {
        let (head, content) = split_head(part);
        let head = String::from_utf8_lossy(head);
        let part_type = head.split("\r\n").find_map(|line| {
            let (name, value) = line.split_once(':')?;
            let name = name.trim();
            (name.eq_ignore_ascii_case("Content-Type") || name.eq_ignore_ascii_case("c")).then_some(value.trim())
        })?;
        find(part_type, content, depth + 1)
    })
}

fn boundary(content_type: &str) -> Option<&str> {
    let (_, after) = content_type.split_at(content_type.to_ascii_lowercase().find("boundary")? + "boundary".len());
    let value = after.trim_start().strip_prefix('=')?.trim_start();
    let value = match value.strip_prefix('"') {
        Some(quoted) => quoted.split('"').next()?,
        None => value.split([';', ' ', '\t']).next()?,
    };
    // RFC 2046 §5.1.1: 1 to 70 characters.
    (1..=70).contains(&value.len()).then_some(value)
}

/// The parts between the delimiter lines, without the line end that belongs to the delimiter.
fn parts<'a>(body: &'a [u8], boundary: &str) -> Vec<&'a [u8]> {
    let delimiter = format!("--{boundary}");
    let mut parts = Vec::new();
    let mut start = None;
    let mut at = 0;
    while at < body.len() && parts.len() < MULTIPART_PART_COUNT_MAX {
        let line_end = body[at..].iter().position(|byte| *byte == b'\n').map_or(body.len(), |len| at + len + 1);
        let line = body[at..line_end].trim_ascii_end();
        let is_closing = line.strip_prefix(delimiter.as_bytes()) == Some(b"--");
        if is_closing || line == delimiter.as_bytes() {
            if let Some(start) = start {
                let part = &body[start..at];
                parts.push(part.strip_suffix(b"\r\n").or_else(|| part.strip_suffix(b"\n")).unwrap_or(part));
            }
            if is_closing {
                return parts;
            }
            start = Some(line_end);
        }
        at = line_end;
    }
    // The closing delimiter is missing: the rest is taken as the last part.
    if let Some(start) = start.filter(|_| parts.len() < MULTIPART_PART_COUNT_MAX) {
        parts.push(&body[start..]);
    }
    parts
}

fn split_head(part: &[u8]) -> (&[u8], &[u8]) {
    if let Some(content) = part.strip_prefix(b"\r\n") {
        return (b"", content);
    }
    match part.windows(4).position(|window| window == b"\r\n\r\n") {
        Some(at) => (&part[..at], &part[at + 4..]),
        None => (part, b""),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MULTIPART: &[u8] = b"preamble\r\n--b1\r\nContent-Type: application/pidf+xml\r\n\r\n<x/>\r\n--b1\r\ncontent-type : application/sdp\r\nContent-Disposition: session\r\n\r\nv=0\r\n\r\n--b1--\r\n";

    #[test]
    fn a_plain_body_is_the_description() {
        assert_eq!(find_sdp("Application/SDP;charset=utf-8", b"v=0"), Some(&b"v=0"[..]));
        assert_eq!(find_sdp("text/plain", b"v=0"), None);
    }

    #[test]
    fn the_description_is_found_among_other_parts() {
        assert_eq!(find_sdp("multipart/mixed;boundary=b1", MULTIPART), Some(&b"v=0\r\n"[..]));
        assert_eq!(find_sdp("multipart/mixed; Boundary = \"b1\"; x=y", MULTIPART), Some(&b"v=0\r\n"[..]));
        assert_eq!(find_sdp("multipart/mixed;boundary=b2", MULTIPART), None);
        assert_eq!(find_sdp("multipart/mixed", MULTIPART), None);
    }

    #[test]
    fn nesting_is_followed_to_its_limit() {
        let mut body = b"v=0".to_vec();
        let mut content_type = "application/sdp".to_owned();
        for depth in 0..MULTIPART_DEPTH_MAX + 1 {
            assert!(find_sdp(&content_type, &body).is_some(), "{depth}");
            let mut outer = format!("--x{depth}\r\nContent-Type: {content_type}\r\n\r\n").into_bytes();
            outer.extend_from_slice(&body);
            outer.extend_from_slice(format!("\r\n--x{depth}--\r\n").as_bytes());
            body = outer;
            content_type = format!("multipart/mixed;boundary=x{depth}");
        }
        assert!(find_sdp(&content_type, &body).is_none());
    }
}
