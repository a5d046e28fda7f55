//! What is in a packet: 20 ms of G.711 whose samples spell which stream it is of, which number it has, and when it was sent.
//!
//! Digits are written as sixteen quiet µ-law codes that survive decoding and encoding again, so that a peer may mix or record
//! the audio; one that changes its level or its codec makes the packets unreadable, which shows as loss.

use crate::timers::Nanos;

/// Bytes of an RTP header without extensions (RFC 3550 §5.1).
const HEADER_BYTES: usize = 12;
/// Samples in 20 ms at 8 kHz.
const SAMPLES: usize = 160;
/// Bytes of a packet.
pub const PACKET_BYTES: usize = HEADER_BYTES + SAMPLES;
/// Code of digit 0; the others follow. The range avoids both zeros, which some decoders make one.
const DIGIT_0: u8 = 0xe0;
/// Digits that say the packet is ours.
const MAGIC: u64 = 0x7d3b;
const MAGIC_DIGITS: usize = 4;
const STREAM_DIGITS: usize = 5;
const COUNT_DIGITS: usize = 8;
/// Microseconds: 2^44 of them are half a year.
const TIME_DIGITS: usize = 11;
/// Streams that can be named.
pub const STREAMS_MAX: usize = 1 << (4 * STREAM_DIGITS);

/// What a packet says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stamp {
    /// Which stream.
    pub stream: usize,
    /// How many packets of it were sent before.
    pub count: u32,
    /// When it was sent, in whole microseconds.
    pub sent_at: Nanos,
}

/// Writes a packet.
pub fn write(packet: &mut [u8; PACKET_BYTES], stamp: &Stamp) {
    packet[0] = 0x80;
    packet[1] = 0;
    packet[2..4].copy_from_slice(&(stamp.count as u16).to_be_bytes());
    packet[4..8].copy_from_slice(&stamp.count.wrapping_mul(SAMPLES as u32).to_be_bytes());
    packet[8..12].copy_from_slice(&(0x6200_0000_u32 | stamp.stream as u32).to_be_bytes());
    let mut at = HEADER_BYTES;
    let mut put = |value: u64, digits: usize| {
        for digit in (0..digits).rev() {
            packet[at] = DIGIT_0 | (value >> (4 * digit) & 0xf) as u8;
            at += 1;
        }
    };
    put(MAGIC, MAGIC_DIGITS);
    put(stamp.stream as u64, STREAM_DIGITS);
    put(u64::from(stamp.count), COUNT_DIGITS);
    put(stamp.sent_at / 1_000, TIME_DIGITS);
    packet[at..].fill(DIGIT_0 | 8);
}

/// Reads a packet; `None` when it is none of ours. Whatever the peer put into the header does not matter.
pub fn read(packet: &[u8]) -> Option<Stamp> {
    let (first, extension) = (*packet.first()?, 4 * usize::from(packet.first()? & 0xf));
    let mut start = HEADER_BYTES + extension;
    if first & 0x10 != 0 {
        let words = packet.get(start + 2..start + 4)?;
        start += 4 + 4 * usize::from(u16::from_be_bytes([words[0], words[1]]));
    }
    let mut digits = packet.get(start..)?.iter();
    let mut take = |count: usize| {
        (0..count).try_fold(0_u64, |value, _| {
            let code = *digits.next()?;
            (code & 0xf0 == DIGIT_0).then_some(value << 4 | u64::from(code & 0xf))
        })
    };
    if take(MAGIC_DIGITS)? != MAGIC {
        return None;
    }
    let stream = usize::try_from(take(STREAM_DIGITS)?).ok()?;
    let count = u32::try_from(take(COUNT_DIGITS)?).ok()?;
    Some(Stamp { stream, count, sent_at: take(TIME_DIGITS)? * 1_000 })
}

#[cfg(test)]
mod tests {
    use super::*;

    const STAMP: Stamp = Stamp { stream: 0xf_edcb, count: 0xdead_beef, sent_at: 0x7ff_1234_5678 * 1_000 };

    fn packet() -> [u8; PACKET_BYTES] {
        let mut packet = [0; PACKET_BYTES];
        write(&mut packet, &STAMP);
        packet
    }

    #[test]
    fn a_packet_says_what_was_written() {
        assert_eq!(read(&packet()), Some(STAMP));
    }

    #[test]
    fn sources_and_extensions_that_a_peer_adds_are_skipped() {
        let packet = packet();
        let mut longer = packet[..HEADER_BYTES].to_vec();
        longer[0] = 0x92;
        longer.extend([9; 8]);
        longer.extend([0xbe, 0xde, 0, 1, 7, 7, 7, 7]);
        longer.extend(&packet[HEADER_BYTES..]);
        assert_eq!(read(&longer), Some(STAMP));
        for len in 0..longer.len() - SAMPLES {
            assert_eq!(read(&longer[..len]), None);
        }
    }

    #[test]
    fn what_a_peer_plays_is_not_taken_for_ours() {
        let mut other = packet();
        other[HEADER_BYTES] ^= 1;
        assert_eq!(read(&other), None);
        other[HEADER_BYTES..].fill(0xff);
        assert_eq!(read(&other), None);
    }

    /// G.711 µ-law as the standard defines it, to see that a peer may decode and encode.
    #[test]
    fn digits_survive_decoding_and_encoding() {
        let decode = |code: u8| {
            let code = !code;
            let magnitude = (((i32::from(code & 0xf) << 3) + 0x84) << (code >> 4 & 7)) - 0x84;
            if code & 0x80 == 0 { magnitude } else { -magnitude }
        };
        let encode = |sample: i32| {
            let magnitude = sample.abs() + 0x84;
            let segment = 31 - magnitude.leading_zeros() - 7;
            let code = (segment << 4) as u8 | (magnitude >> (segment + 3) & 0xf) as u8;
            !(code | if sample < 0 { 0x80 } else { 0 })
        };
        for digit in 0..16 {
            let code = DIGIT_0 | digit;
            assert_eq!(encode(decode(code)), code, "{code:#x}");
        }
    }
}
