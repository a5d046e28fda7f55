//! The Replaces header (RFC 3891): which dialog a new call takes the place of.

use crate::message::Params;

/// A dialog named by another call. The tags are seen from whoever receives the header: `to_tag` is the receiver's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Replaces {
    /// The Call-ID header of the dialog.
    pub call_id: String,
    /// The receiver's tag.
    pub to_tag: String,
    /// The tag of the receiver's peer.
    pub from_tag: String,
    /// Only a dialog that is not yet confirmed may be replaced.
    pub early_only: bool,
}

impl Replaces {
    /// Reads a header value; `None` when it is not one.
    #[must_use]
    pub fn parse(value: &str) -> Option<Replaces> {
        let (call_id, params) = match value.find(';') {
            Some(at) => (value[..at].trim(), Params::parse(value[at..].trim_end()).ok()?),
            None => return None,
        };
        if call_id.is_empty() {
            return None;
        }
        Some(Replaces {
            call_id: call_id.to_owned(),
            to_tag: params.get("to-tag")?.to_owned(),
            from_tag: params.get("from-tag")?.to_owned(),
            early_only: params.contains("early-only"),
        })
    }

    /// Reads the `Replaces` among the escaped headers of a Refer-To URI (`?Replaces=…&…`).
    #[must_use]
    pub fn in_uri_headers(headers: &str) -> Option<Replaces> {
        headers.split('&').find_map(|pair| {
            let (name, value) = pair.split_once('=')?;
            if !name.eq_ignore_ascii_case("replaces") {
                return None;
            }
            Replaces::parse(&unescape(value)?)
        })
    }
}

/// Undoes `%41`; `None` when the result is not text or an escape is cut short.
pub(crate) fn unescape(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte == b'%' {
            let high = char::from(rest.next()?).to_digit(16)?;
            let low = char::from(rest.next()?).to_digit(16)?;
            bytes.push(u8::try_from(high * 16 + low).ok()?);
        } else {
            bytes.push(byte);
        }
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_replaces_value_is_read() {
        let read = Replaces::parse("98732@sip.example.com; from-tag=r33th4x0r ;to-tag=ff87ff;early-only").unwrap();
        assert_eq!(read.call_id, "98732@sip.example.com");
        assert_eq!(read.to_tag, "ff87ff");
        assert_eq!(read.from_tag, "r33th4x0r");
        assert!(read.early_only);
    }

    #[test]
    fn a_replaces_without_both_tags_is_none() {
        assert_eq!(Replaces::parse("a@b;to-tag=1"), None);
        assert_eq!(Replaces::parse("a@b"), None);
        assert_eq!(Replaces::parse(";to-tag=1;from-tag=2"), None);
    }

    #[test]
    fn a_replaces_is_found_among_the_headers_of_a_uri() {
        let headers = "Require=replaces&Replaces=a%40b%3Bto-tag%3D1%3Bfrom-tag%3D2";
        let read = Replaces::in_uri_headers(headers).unwrap();
        assert_eq!((read.call_id.as_str(), read.to_tag.as_str(), read.from_tag.as_str()), ("a@b", "1", "2"));
        assert_eq!(Replaces::in_uri_headers("Replaces=%zz"), None);
    }
}
