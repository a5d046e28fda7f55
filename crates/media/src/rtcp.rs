//! RTCP packets (RFC 3550 §6): reading and writing compounds, and the round trip.
//!
//! Decides what is well formed and how long a round trip took. Reads sender and receiver reports, the CNAME and
//! goodbyes; skips everything else. When a report is due is the engine's business. Nothing here allocates.

use crate::limits;
use crate::reception::Snapshot;
use crate::rtp::Malformed;

const VERSION_BITS: u8 = 2 << 6;
const SENDER_REPORT: u8 = 200;
const RECEIVER_REPORT: u8 = 201;
const SOURCE_DESCRIPTION: u8 = 202;
const GOODBYE: u8 = 203;
const CNAME: u8 = 1;
const BLOCK_BYTES: usize = 24;
const SENDER_INFO_BYTES: usize = 20;

/// Seconds from 1900 (NTP) to 1970 (Unix): 70 years with 17 leap days.
const NTP_UNIX_OFFSET_S: u64 = 2_208_988_800;

/// What a sender says about its own stream (RFC 3550 §6.4.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SenderInfo {
    /// Wall clock of the report, NTP format (32.32 fixed point).
    pub ntp: u64,
    /// The same instant in units of the RTP timestamp.
    pub rtp_timestamp: u32,
    /// RTP packets sent since the source began.
    pub packets: u32,
    /// Payload bytes sent since the source began.
    pub bytes: u32,
}

/// What a receiver says about a stream (RFC 3550 §6.4.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReportBlock {
    /// The stream it is about.
    pub ssrc: u32,
    /// Packets lost since the last report, in 1/256.
    pub fraction_lost: u8,
    /// Packets lost since the beginning; 24 bits, negative with duplicates.
    pub cumulative_lost: i32,
    /// Wraps and highest sequence number received.
    pub extended_highest: u32,
    /// Jitter in units of the RTP timestamp.
    pub jitter: u32,
    /// Middle 32 bits of the NTP time of the last sender report; 0 when there was none.
    pub last_report: u32,
    /// Time since that report, in 1/65,536 s.
    pub since_last_report: u32,
}

/// One packet of a compound.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Packet<'a> {
    /// From somebody who sends audio.
    SenderReport {
        /// Who reports.
        ssrc: u32,
        /// About its own stream.
        info: SenderInfo,
        /// About the streams it receives.
        blocks: Blocks<'a>,
    },
    /// From somebody who only receives.
    ReceiverReport {
        /// Who reports.
        ssrc: u32,
        /// About the streams it receives.
        blocks: Blocks<'a>,
    },
    /// The CNAME of a source, cut to [`limits::RTCP_TEXT_BYTES_MAX`].
    Description {
        /// Who.
        ssrc: u32,
        /// The canonical name, as bytes of UTF-8 that nobody has checked.
        cname: &'a [u8],
    },
    /// A source stops. Says nothing about the call.
    Goodbye {
        /// The first of the sources that stop.
        ssrc: u32,
    },
    /// Something else (application, feedback, extended report), or one of the above without content.
    Other {
        /// RTCP packet type.
        packet_type: u8,
    },
}

/// The report blocks of a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Blocks<'a>(&'a [u8]);

impl Iterator for Blocks<'_> {
    type Item = ReportBlock;

    fn next(&mut self) -> Option<ReportBlock> {
        let (block, rest) = self.0.split_first_chunk::<BLOCK_BYTES>()?;
        self.0 = rest;
        // 24 bits with sign: shifted up as the high bytes of an i32 and back down.
        let lost = i32::from_be_bytes([block[5], block[6], block[7], 0]) >> 8;
        Some(ReportBlock {
            ssrc: word(block, 0),
            fraction_lost: block[4],
            cumulative_lost: lost,
            extended_highest: word(block, 8),
            jitter: word(block, 12),
            last_report: word(block, 16),
            since_last_report: word(block, 20),
        })
    }
}

/// The packets of a compound that [`parse`] has found well formed.
#[derive(Debug, Clone)]
pub struct Compound<'a> {
    rest: &'a [u8],
    left: usize,
}

/// Checks a datagram and gives its packets. Compounds that do not begin with a report (RFC 5506) are taken as well.
///
/// # Errors
/// [`Malformed`] when the lengths do not add up to the datagram's, or a version or packet type is not RTCP's.
pub fn parse(datagram: &[u8]) -> Result<Compound<'_>, Malformed> {
    let mut rest = datagram;
    if rest.is_empty() {
        return Err(Malformed::Truncated);
    }
    while !rest.is_empty() {
        let (head, length) = frame(rest)?;
        if head[0] & 0x20 != 0 {
            // Only the last packet may be padded (§6.4.1), and by whole words that include the count.
            let padding = usize::from(rest[length - 1]);
            if length != rest.len() || padding == 0 || padding % 4 != 0 || padding > length - 4 {
                return Err(Malformed::Padding);
            }
        }
        rest = &rest[length..];
    }
    Ok(Compound { rest: datagram, left: limits::RTCP_PACKETS_PER_COMPOUND_MAX })
}

fn frame(rest: &[u8]) -> Result<([u8; 4], usize), Malformed> {
    let Some((head, _)) = rest.split_first_chunk::<4>() else {
        return Err(Malformed::Truncated);
    };
    if head[0] >> 6 != 2 {
        return Err(Malformed::Version);
    }
    if !(192..=223).contains(&head[1]) {
        return Err(Malformed::PacketType);
    }
    let length = 4 + 4 * usize::from(u16::from_be_bytes([head[2], head[3]]));
    if length > rest.len() {
        return Err(Malformed::Truncated);
    }
    Ok((*head, length))
}

impl<'a> Iterator for Compound<'a> {
    type Item = Packet<'a>;

    fn next(&mut self) -> Option<Packet<'a>> {
        self.left = self.left.checked_sub(1)?;
        let (head, length) = frame(self.rest).ok()?;
        let (packet, rest) = self.rest.split_at(length);
        self.rest = rest;
        let padding = if head[0] & 0x20 != 0 { usize::from(packet[length - 1]) } else { 0 };
        let body = &packet[4..length - padding];
        Some(read(head, body).unwrap_or(Packet::Other { packet_type: head[1] }))
    }
}

fn read(head: [u8; 4], body: &[u8]) -> Option<Packet<'_>> {
    let count = usize::from(head[0] & 0x1F);
    let ssrc = u32::from_be_bytes(*body.first_chunk::<4>()?);
    match head[1] {
        SENDER_REPORT => {
            let info = body.get(4..4 + SENDER_INFO_BYTES)?;
            let blocks = body.get(4 + SENDER_INFO_BYTES..)?;
            Some(Packet::SenderReport {
                ssrc,
                info: SenderInfo {
                    ntp: u64::from(word(info, 0)) << 32 | u64::from(word(info, 4)),
                    rtp_timestamp: word(info, 8),
                    packets: word(info, 12),
                    bytes: word(info, 16),
                },
                blocks: Blocks(blocks.get(..count * BLOCK_BYTES)?),
            })
        }
        RECEIVER_REPORT => Some(Packet::ReceiverReport { ssrc, blocks: Blocks(body.get(4..4 + count * BLOCK_BYTES)?) }),
        SOURCE_DESCRIPTION => {
            // Only the first chunk: an endpoint describes itself, and we are connected to endpoints.
            let mut items = body.get(4..)?;
            while let [kind, length, rest @ ..] = items {
                let text = rest.get(..usize::from(*length))?;
                match *kind {
                    0 => break,
                    CNAME => return Some(Packet::Description { ssrc, cname: text }),
                    _ => items = &rest[text.len()..],
                }
            }
            None
        }
        GOODBYE if count > 0 => Some(Packet::Goodbye { ssrc }),
        _ => None,
    }
}

/// The big-endian word at `at`; the callers have checked that it is there.
fn word(bytes: &[u8], at: usize) -> u32 {
    u32::from_be_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
}

/// What goes into a compound that we send.
#[derive(Debug, Clone, Copy)]
pub struct Outline<'a> {
    /// Our source.
    pub ssrc: u32,
    /// Present when audio was sent since the last report.
    pub sender: Option<SenderInfo>,
    /// About what we receive, if anything.
    pub block: Option<ReportBlock>,
    /// Our canonical name (RFC 7022).
    pub cname: &'a str,
    /// Whether our source stops.
    pub goodbye: bool,
}

/// Writes a compound (report, CNAME, perhaps goodbye) and returns its length in bytes.
pub fn write(outline: &Outline<'_>, into: &mut [u8; limits::RTCP_BYTES_MAX]) -> usize {
    let mut out = Writer { bytes: into, length: 0 };
    let blocks = u8::from(outline.block.is_some());
    let (packet_type, info_words) = if outline.sender.is_some() { (SENDER_REPORT, 5) } else { (RECEIVER_REPORT, 0) };
    out.head(blocks, packet_type, 1 + info_words + 6 * u16::from(blocks));
    out.word(outline.ssrc);
    if let Some(info) = outline.sender {
        out.word((info.ntp >> 32) as u32);
        out.word(info.ntp as u32);
        out.word(info.rtp_timestamp);
        out.word(info.packets);
        out.word(info.bytes);
    }
    if let Some(block) = outline.block {
        let lost = block.cumulative_lost.clamp(-0x80_0000, 0x7F_FFFF) & 0xFF_FFFF;
        out.word(block.ssrc);
        out.word(u32::from(block.fraction_lost) << 24 | lost.cast_unsigned());
        out.word(block.extended_highest);
        out.word(block.jitter);
        out.word(block.last_report);
        out.word(block.since_last_report);
    }
    // The cut keeps the compound within its buffer; our own names are 16 characters long.
    let cname = &outline.cname.as_bytes()[..outline.cname.len().min(64)];
    // Chunk: SSRC, item head, text, and one to four zero bytes up to the next word (§6.5).
    let chunk_words = 1 + (2 + cname.len()) / 4 + 1;
    out.head(1, SOURCE_DESCRIPTION, chunk_words as u16);
    out.word(outline.ssrc);
    out.slice(&[CNAME, cname.len() as u8]);
    out.slice(cname);
    out.slice(&[0; 4][..4 - (2 + cname.len()) % 4]);
    if outline.goodbye {
        out.head(1, GOODBYE, 1);
        out.word(outline.ssrc);
    }
    out.length
}

struct Writer<'a> {
    bytes: &'a mut [u8; limits::RTCP_BYTES_MAX],
    length: usize,
}

impl Writer<'_> {
    fn head(&mut self, count: u8, packet_type: u8, words: u16) {
        self.slice(&[VERSION_BITS | count, packet_type]);
        self.slice(&words.to_be_bytes());
    }

    fn word(&mut self, word: u32) {
        self.slice(&word.to_be_bytes());
    }

    fn slice(&mut self, slice: &[u8]) {
        self.bytes[self.length..self.length + slice.len()].copy_from_slice(slice);
        self.length += slice.len();
    }
}

impl ReportBlock {
    /// A block from the figures of a reception and, if there was a sender report, when it came: the middle of its NTP
    /// time and the time since in 1/65,536 s.
    pub fn new(snapshot: Snapshot, echo: Option<(u32, u32)>) -> ReportBlock {
        let (last_report, since_last_report) = echo.unwrap_or((0, 0));
        ReportBlock {
            ssrc: snapshot.ssrc,
            fraction_lost: snapshot.fraction_lost,
            cumulative_lost: snapshot.cumulative_lost.clamp(-0x80_0000, 0x7F_FFFF) as i32,
            extended_highest: snapshot.extended_highest,
            jitter: snapshot.jitter,
            last_report,
            since_last_report,
        }
    }

    /// The round trip in milliseconds when this block arrived at `now` (NTP), or `None` when the other end has not had
    /// a report of ours or its figures are impossible (RFC 3550 §6.4.1).
    pub fn round_trip_ms(&self, now: u64) -> Option<f64> {
        if self.last_report == 0 {
            return None;
        }
        let there_and_back = ntp_middle(now).wrapping_sub(self.last_report).wrapping_sub(self.since_last_report);
        // A clock that runs a bit differently can make a very short round trip negative: that is zero.
        let there_and_back = there_and_back.cast_signed().max(0);
        let ms = f64::from(there_and_back) * 1_000.0 / 65_536.0;
        // A minute is no round trip but a peer that echoes rubbish.
        (ms < 60_000.0).then_some(ms)
    }
}

/// A Unix time as NTP time, 32.32 fixed point.
pub fn ntp(unix: std::time::Duration) -> u64 {
    let fraction = (u64::from(unix.subsec_nanos()) << 32) / 1_000_000_000;
    (unix.as_secs() + NTP_UNIX_OFFSET_S) << 32 | fraction
}

/// The middle 32 bits of an NTP time: seconds and 1/65,536 s.
pub fn ntp_middle(ntp: u64) -> u32 {
    (ntp >> 16) as u32
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use proptest::prelude::*;

    use super::*;

    fn block() -> impl Strategy<Value = ReportBlock> {
        (any::<u32>(), any::<u8>(), -0x80_0000i32..0x80_0000, any::<[u32; 4]>()).prop_map(
            |(ssrc, fraction_lost, cumulative_lost, [extended_highest, jitter, last_report, since_last_report])| ReportBlock {
                ssrc,
                fraction_lost,
                cumulative_lost,
                extended_highest,
                jitter,
                last_report,
                since_last_report,
            },
        )
    }

    fn info() -> impl Strategy<Value = SenderInfo> {
        (any::<u64>(), any::<[u32; 3]>()).prop_map(|(ntp, [rtp_timestamp, packets, bytes])| SenderInfo {
            ntp,
            rtp_timestamp,
            packets,
            bytes,
        })
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_refused_without_a_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            if let Ok(compound) = parse(&bytes) {
                for packet in compound {
                    if let Packet::SenderReport { blocks, .. } | Packet::ReceiverReport { blocks, .. } = packet {
                        prop_assert!(blocks.count() <= 31);
                    }
                }
            }
        }

        #[test]
        fn almost_good_bytes_are_read_or_refused_without_a_panic(
            info in info(), block in block(), at in 0usize..120, value in any::<u8>(), cut in 0usize..120,
        ) {
            let mut bytes = [0; limits::RTCP_BYTES_MAX];
            let outline = Outline { ssrc: 7, sender: Some(info), block: Some(block), cname: "0123456789", goodbye: true };
            let length = write(&outline, &mut bytes);
            let bytes = &mut bytes[..length];
            if let Some(byte) = bytes.get_mut(at) {
                *byte = value;
            }
            for part in [&bytes[..], &bytes[..cut.min(length)]] {
                if let Ok(compound) = parse(part) {
                    prop_assert!(compound.count() <= limits::RTCP_PACKETS_PER_COMPOUND_MAX);
                }
            }
        }

        #[test]
        fn a_written_compound_reads_back_the_same(
            ssrc in any::<u32>(),
            sender in proptest::option::of(info()),
            block in proptest::option::of(block()),
            cname in "[a-z0-9]{0,64}",
            goodbye in any::<bool>(),
        ) {
            let mut bytes = [0; limits::RTCP_BYTES_MAX];
            let length = write(&Outline { ssrc, sender, block, cname: &cname, goodbye }, &mut bytes);
            prop_assert_eq!(length % 4, 0);
            let mut packets = parse(&bytes[..length]).expect("well formed");
            match (packets.next().expect("a report"), sender) {
                (Packet::SenderReport { ssrc: from, info, mut blocks }, Some(sender)) => {
                    prop_assert_eq!(from, ssrc);
                    prop_assert_eq!(info, sender);
                    prop_assert_eq!(blocks.next(), block);
                }
                (Packet::ReceiverReport { ssrc: from, mut blocks }, None) => {
                    prop_assert_eq!(from, ssrc);
                    prop_assert_eq!(blocks.next(), block);
                }
                (other, _) => prop_assert!(false, "not the report that was written: {:?}", other),
            }
            prop_assert_eq!(packets.next(), Some(Packet::Description { ssrc, cname: cname.as_bytes() }));
            prop_assert_eq!(packets.next(), goodbye.then_some(Packet::Goodbye { ssrc }));
            prop_assert_eq!(packets.next(), None);
        }
    }

    #[test]
    fn lengths_must_add_up() {
        let mut bytes = [0; limits::RTCP_BYTES_MAX];
        let outline = Outline { ssrc: 7, sender: None, block: None, cname: "x", goodbye: false };
        let length = write(&outline, &mut bytes);
        assert_eq!(parse(&bytes[..length - 1]).err(), Some(Malformed::Truncated));
        assert_eq!(parse(&bytes[..length + 4]).err(), Some(Malformed::Version), "rubbish behind the last packet");
        assert_eq!(parse(&[]).err(), Some(Malformed::Truncated));
        assert_eq!(parse(&[0x80, 72, 0, 0]).err(), Some(Malformed::PacketType));
    }

    #[test]
    fn the_round_trip_is_what_the_standards_figure_shows() {
        // RFC 3550 §6.4.1, figure 2: report sent 0xb705:2000, echoed after 5.250 s, back at 0xb710:8000.
        let block = ReportBlock {
            ssrc: 1,
            fraction_lost: 0,
            cumulative_lost: 0,
            extended_highest: 0,
            jitter: 0,
            last_report: 0xb705_2000,
            since_last_report: 0x0005_4000,
        };
        let arrival = 0x44d_b710_8000_u64 << 16 & 0xFFFF_FFFF_0000_u64;
        assert_eq!(block.round_trip_ms(arrival), Some(6_125.0));
        assert_eq!(ReportBlock { last_report: 0, ..block }.round_trip_ms(arrival), None, "no report was received");
        let too_early = u64::from(0xb70a_5fff_u32) << 16;
        assert_eq!(block.round_trip_ms(too_early), Some(0.0), "never negative");
    }

    #[test]
    fn ntp_time_counts_from_1900() {
        let unix = Duration::new(1, 500_000_000);
        assert_eq!(ntp(unix), (2_208_988_801 << 32) | 0x8000_0000);
        assert_eq!(ntp_middle(0x0000_1234_5678_0000), 0x1234_5678);
    }
}
