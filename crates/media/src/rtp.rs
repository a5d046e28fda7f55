//! RTP packets (RFC 3550 §5.1): reading and writing the header, and arithmetic on numbers that wrap.
//!
//! Decides what is a well-formed packet. Does not know payloads, sources or time. The payload is returned as a range
//! of the datagram, so that a relay can put a new header in front of it without copying the audio.

use std::ops::Range;

/// Bytes of a header without contributing sources and extension, the only kind we send.
pub const HEADER_BYTES: usize = 12;

/// RFC 3550 A.1: a sequence number this much ahead is a jump, not loss.
pub const MAX_DROPOUT: i32 = 3_000;

/// RFC 3550 A.1: a sequence number this much behind is a jump, not reordering.
pub const MAX_MISORDER: i32 = 100;

const VERSION: u8 = 2;

/// The fields of a header that mean something to us.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Header {
    /// First packet of a talkspurt (RFC 3551 §4.1) or of a telephone event.
    pub marker: bool,
    /// 0-127.
    pub payload_type: u8,
    /// Counts packets; wraps.
    pub sequence: u16,
    /// Sampling instant of the first sample; wraps.
    pub timestamp: u32,
    /// Who sends.
    pub ssrc: u32,
}

/// A received packet: its header and where in the datagram its payload lies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Packet {
    /// The header.
    pub header: Header,
    /// The payload inside the datagram; starts at [`HEADER_BYTES`] or later.
    pub payload: Range<usize>,
}

/// Why a datagram is no RTP or RTCP packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Malformed {
    /// Shorter than its header says.
    #[error("the packet is shorter than its header says")]
    Truncated,
    /// Another protocol, or another version of this one.
    #[error("the version is not 2")]
    Version,
    /// More padding than payload, or none where it is announced.
    #[error("the padding count is impossible")]
    Padding,
    /// Not a packet type of the range that RTCP uses (RFC 5761 §4).
    #[error("the packet type is not one of RTCP")]
    PacketType,
}

/// What a datagram on a shared port is (RFC 5761 §4, RFC 7983 §7).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Audio or telephone events.
    Rtp,
    /// Control.
    Rtcp,
    /// STUN, DTLS or rubbish.
    Other,
}

/// Tells RTP from RTCP by the first two bytes.
pub fn kind(datagram: &[u8]) -> Kind {
    match datagram {
        [first, second, ..] if first >> 6 == VERSION => match second {
            192..=223 => Kind::Rtcp,
            _ => Kind::Rtp,
        },
        _ => Kind::Other,
    }
}

/// Where the payload begins: behind contributing sources and header extension.
///
/// # Errors
/// [`Malformed`] when these do not fit into the datagram.
pub fn payload_start(datagram: &[u8]) -> Result<usize, Malformed> {
    let Some((head, _)) = datagram.split_first_chunk::<HEADER_BYTES>() else {
        return Err(Malformed::Truncated);
    };
    if head[0] >> 6 != VERSION {
        return Err(Malformed::Version);
    }
    let mut start = HEADER_BYTES + 4 * usize::from(head[0] & 0x0F);
    if head[0] & 0x10 != 0 {
        // RFC 3550 §5.3.1: 16 bits of meaning, then the length in 32-bit words.
        let Some(length) = datagram.get(start + 2..start + 4) else {
            return Err(Malformed::Truncated);
        };
        start += 4 + 4 * usize::from(u16::from_be_bytes([length[0], length[1]]));
    }
    if start > datagram.len() { Err(Malformed::Truncated) } else { Ok(start) }
}

/// Number and sender of a packet that is long enough to have them.
pub fn sequence_and_ssrc(datagram: &[u8]) -> Option<(u16, u32)> {
    let head = datagram.first_chunk::<HEADER_BYTES>()?;
    Some((u16::from_be_bytes([head[2], head[3]]), u32::from_be_bytes([head[8], head[9], head[10], head[11]])))
}

/// Reads a packet.
///
/// # Errors
/// [`Malformed`] when contributing sources, header extension or padding do not fit into the datagram.
pub fn parse(datagram: &[u8]) -> Result<Packet, Malformed> {
    let start = payload_start(datagram)?;
    let Some((head, _)) = datagram.split_first_chunk::<HEADER_BYTES>() else {
        return Err(Malformed::Truncated);
    };
    let mut end = datagram.len();
    if head[0] & 0x20 != 0 {
        let padding = usize::from(datagram[end - 1]);
        if padding == 0 || padding > end - start {
            return Err(Malformed::Padding);
        }
        end -= padding;
    }
    let header = Header {
        marker: head[1] & 0x80 != 0,
        payload_type: head[1] & 0x7F,
        sequence: u16::from_be_bytes([head[2], head[3]]),
        timestamp: u32::from_be_bytes([head[4], head[5], head[6], head[7]]),
        ssrc: u32::from_be_bytes([head[8], head[9], head[10], head[11]]),
    };
    Ok(Packet { header, payload: start..end })
}

impl Header {
    /// The header as bytes, without contributing sources, extension and padding.
    pub fn to_bytes(self) -> [u8; HEADER_BYTES] {
        let mut bytes = [0; HEADER_BYTES];
        bytes[0] = VERSION << 6;
        bytes[1] = (self.payload_type & 0x7F) | if self.marker { 0x80 } else { 0 };
        bytes[2..4].copy_from_slice(&self.sequence.to_be_bytes());
        bytes[4..8].copy_from_slice(&self.timestamp.to_be_bytes());
        bytes[8..12].copy_from_slice(&self.ssrc.to_be_bytes());
        bytes
    }
}

/// How far `to` lies after `from`, between -32,768 and 32,767.
pub fn sequence_distance(from: u16, to: u16) -> i32 {
    i32::from(to.wrapping_sub(from).cast_signed())
}

/// How far `to` lies after `from`, in units of the clock, between -2^31 and 2^31 - 1.
pub fn timestamp_distance(from: u32, to: u32) -> i32 {
    to.wrapping_sub(from).cast_signed()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn header() -> impl Strategy<Value = Header> {
        (any::<bool>(), 0u8..128, any::<u16>(), any::<u32>(), any::<u32>())
            .prop_map(|(marker, payload_type, sequence, timestamp, ssrc)| Header { marker, payload_type, sequence, timestamp, ssrc })
    }

    proptest! {
        #[test]
        fn any_bytes_are_parsed_or_refused_without_a_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            kind(&bytes);
            if let Ok(packet) = parse(&bytes) {
                prop_assert!(packet.payload.start >= HEADER_BYTES);
                prop_assert!(packet.payload.start <= packet.payload.end);
                prop_assert!(packet.payload.end <= bytes.len());
            }
        }

        #[test]
        fn a_written_header_reads_back_the_same(header in header(), payload in proptest::collection::vec(any::<u8>(), 0..200)) {
            let mut bytes = header.to_bytes().to_vec();
            bytes.extend_from_slice(&payload);
            let packet = parse(&bytes).expect("well formed");
            prop_assert_eq!(packet.header, header);
            prop_assert_eq!(&bytes[packet.payload], &payload[..]);
        }

        #[test]
        fn sources_extension_and_padding_are_taken_off_the_payload(
            header in header(),
            sources in 0u8..16,
            extension in proptest::option::of(0u16..8),
            padding in 0u8..9,
            payload in proptest::collection::vec(any::<u8>(), 0..50),
        ) {
            let mut bytes = header.to_bytes().to_vec();
            bytes[0] |= sources;
            bytes.extend(std::iter::repeat_n(7, 4 * usize::from(sources)));
            if let Some(words) = extension {
                bytes[0] |= 0x10;
                bytes.extend([0xBE, 0xDE]);
                bytes.extend(words.to_be_bytes());
                bytes.extend(std::iter::repeat_n(9, 4 * usize::from(words)));
            }
            bytes.extend_from_slice(&payload);
            if padding > 0 {
                bytes[0] |= 0x20;
                bytes.extend(std::iter::repeat_n(0, usize::from(padding) - 1));
                bytes.push(padding);
            }
            let packet = parse(&bytes).expect("well formed");
            prop_assert_eq!(&bytes[packet.payload], &payload[..]);
        }
    }

    #[test]
    fn impossible_headers_are_refused() {
        let good = Header { marker: false, payload_type: 0, sequence: 1, timestamp: 2, ssrc: 3 }.to_bytes();
        assert_eq!(parse(&good[..11]), Err(Malformed::Truncated));
        let with_first = |first: u8| {
            let mut bytes = good;
            bytes[0] = first;
            bytes
        };
        assert_eq!(parse(&with_first(0x40)), Err(Malformed::Version));
        assert_eq!(parse(&with_first(0x81)), Err(Malformed::Truncated), "a source that is not there");
        assert_eq!(parse(&with_first(0x90)), Err(Malformed::Truncated), "an extension that is not there");
        assert_eq!(parse(&with_first(0xA0)), Err(Malformed::Padding), "padding of more bytes than there are");
    }

    #[test]
    fn control_is_told_from_audio_by_its_second_byte() {
        assert_eq!(kind(&[0x80, 0]), Kind::Rtp);
        assert_eq!(kind(&[0x80, 0x80 | 8]), Kind::Rtp, "marker bit and A-law");
        assert_eq!(kind(&[0x80, 0x80 | 101]), Kind::Rtp, "marker bit and telephone events");
        assert_eq!(kind(&[0x81, 200]), Kind::Rtcp);
        assert_eq!(kind(&[0x00, 1]), Kind::Other, "STUN");
        assert_eq!(kind(&[22, 254]), Kind::Other, "DTLS");
        assert_eq!(kind(&[]), Kind::Other);
    }

    #[test]
    fn distances_survive_the_wrap() {
        assert_eq!(sequence_distance(65_535, 0), 1);
        assert_eq!(sequence_distance(0, 65_535), -1);
        assert_eq!(timestamp_distance(u32::MAX - 79, 80), 160);
        assert_eq!(timestamp_distance(80, u32::MAX - 79), -160);
    }
}
