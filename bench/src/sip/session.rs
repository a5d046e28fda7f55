//! Session descriptions: one audio stream of G.711 µ-law over plain RTP, nothing else.
//!
//! Only one codec is offered and accepted, so that no peer has a reason to convert and every peer does the same work.

use dreiklang_sip::message::Headers;
use std::{
    fmt::Write as _,
    net::{IpAddr, SocketAddr},
};

/// Payload type of G.711 µ-law (RFC 3551 §6).
const PCMU: &str = "0";
/// Payload type we offer for keys (RFC 4733).
const KEYS: &str = "101";

/// What the other side's description says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Remote {
    /// Where audio goes.
    pub address: SocketAddr,
    /// Its payload type for keys.
    keys: Option<String>,
}

/// A description that offers audio at this address.
pub fn offer(address: SocketAddr) -> Vec<u8> {
    describe(address, Some(KEYS))
}

/// The answer to an offer that was read with [`read`].
pub fn answer(address: SocketAddr, offer: &Remote) -> Vec<u8> {
    describe(address, offer.keys.as_deref())
}

fn describe(address: SocketAddr, keys: Option<&str>) -> Vec<u8> {
    let (ip, port) = (address.ip(), address.port());
    let family = if ip.is_ipv4() { "IP4" } else { "IP6" };
    let mut text =
        format!("v=0\r\no=bench {port} 1 IN {family} {ip}\r\ns=-\r\nc=IN {family} {ip}\r\nt=0 0\r\nm=audio {port} RTP/AVP {PCMU}");
    // Writing to a String cannot fail.
    let _ = match keys {
        Some(keys) => write!(text, " {keys}\r\na=rtpmap:0 PCMU/8000\r\na=rtpmap:{keys} telephone-event/8000\r\na=fmtp:{keys} 0-16\r\n"),
        None => write!(text, "\r\na=rtpmap:0 PCMU/8000\r\n"),
    };
    text.push_str("a=ptime:20\r\na=sendrecv\r\n");
    text.into_bytes()
}

/// Reads a description; `None` when it has no µ-law audio over plain RTP.
pub fn read(body: &[u8]) -> Option<Remote> {
    let text = std::str::from_utf8(body).ok()?;
    let mut ip: Option<IpAddr> = None;
    let mut port: Option<u16> = None;
    let mut keys = None;
    let mut in_audio = false;
    for line in text.lines() {
        let Some((kind, value)) = line.split_once('=') else { continue };
        match kind {
            "m" => {
                in_audio = false;
                let mut words = value.split_whitespace();
                if port.is_none() && words.next() == Some("audio") {
                    in_audio = true;
                    port = Some(words.next()?.parse().ok()?);
                    if words.next() != Some("RTP/AVP") || !words.any(|payload| payload == PCMU) {
                        return None;
                    }
                }
            }
            // The one of the session counts unless the stream has its own.
            "c" if port.is_none() || in_audio => ip = value.split_whitespace().nth(2).and_then(|address| address.parse().ok()).or(ip),
            "a" if in_audio => {
                if let Some((payload, "telephone-event/8000")) = value.strip_prefix("rtpmap:").and_then(|map| map.split_once(' ')) {
                    keys = Some(payload.to_owned());
                }
            }
            _ => {}
        }
    }
    let port = port.filter(|port| *port != 0)?;
    Some(Remote { address: SocketAddr::new(ip?, port), keys })
}

/// Marks a body as a session description.
pub fn mark(headers: &mut Headers) {
    headers.push("Content-Type", "application/sdp");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_we_offer_we_can_read() {
        let address = SocketAddr::from(([192, 0, 2, 7], 40_000));
        let read_back = read(&offer(address)).unwrap();
        assert_eq!(read_back.address, address);
        assert_eq!(read(&answer(address, &read_back)).unwrap().keys.as_deref(), Some("101"));
    }

    #[test]
    fn the_streams_own_address_and_the_offers_payload_for_keys_count() {
        let text = b"v=0\no=- 1 1 IN IP4 192.0.2.1\ns=-\nc=IN IP4 192.0.2.1\nt=0 0\nm=audio 4000 RTP/AVP 9 8 0 96\nc=IN IP4 192.0.2.2\na=rtpmap:96 telephone-event/8000\nm=video 4002 RTP/AVP 31\nc=IN IP4 192.0.2.3\n";
        let remote = read(text).unwrap();
        assert_eq!(remote.address, SocketAddr::from(([192, 0, 2, 2], 4_000)));
        assert!(String::from_utf8(answer(remote.address, &remote)).unwrap().contains("RTP/AVP 0 96\r\n"));
    }

    #[test]
    fn streams_we_cannot_serve_are_refused() {
        let with = |media: &str| read(format!("v=0\r\nc=IN IP4 192.0.2.1\r\n{media}\r\n").as_bytes());
        assert!(with("m=audio 4000 RTP/AVP 0").is_some());
        assert_eq!(with("m=audio 4000 RTP/SAVP 0"), None);
        assert_eq!(with("m=audio 4000 RTP/AVP 8"), None);
        assert_eq!(with("m=audio 0 RTP/AVP 0"), None);
        assert_eq!(with("m=video 4000 RTP/AVP 0"), None);
        assert_eq!(read(b""), None);
    }
}
