//! The RTCP side of one stream: when a report is due, what goes into it, and what the other end's reports say.
//!
//! Knows no sockets: gives bytes to send and takes packets that arrived.

use crate::engine::outgoing::Outgoing;
use crate::engine::seed::Seed;
use crate::limits;
use crate::reception::Reception;
use crate::rtcp::{self, Outline, Packet, ReportBlock, SenderInfo};

pub(super) struct Control {
    cname: String,
    /// Media clock of the next report; `None` before the first negotiation.
    next: Option<u64>,
    interval: u64,
    /// Middle of the NTP time of the other end's last sender report, and our NTP middle when it came.
    echo: Option<(u32, u32)>,
    /// RTP packets that had been sent at the last report.
    packets_reported: u64,
    /// What the other end last said about our stream.
    pub remote_view: Option<ReportBlock>,
    pub round_trip_ms: Option<f64>,
}

impl Control {
    /// `interval` is the mean distance of reports in samples.
    pub fn new(interval: u64, seed: &mut Seed) -> Control {
        // RFC 7022 §4.2: a name for this one session, of random bits, that tells nothing about us.
        let cname = format!("{:016x}", seed.next());
        Control { cname, next: None, interval, echo: None, packets_reported: 0, remote_view: None, round_trip_ms: None }
    }

    /// Plans the first report: half an interval from now, give or take (RFC 3550 §6.2).
    pub fn start(&mut self, now: u64, seed: &mut Seed) {
        if self.next.is_none() {
            self.next = Some(now + spread(self.interval / 2, seed));
        }
    }

    /// Whether a report is due; if so plans the next.
    pub fn due(&mut self, now: u64, seed: &mut Seed) -> bool {
        let due = self.next.is_some_and(|next| next <= now);
        if due {
            self.next = Some(now + spread(self.interval, seed));
        }
        due
    }

    /// Writes a report (and a goodbye) and returns its length.
    pub fn write(
        &mut self,
        outgoing: &Outgoing,
        reception: &mut Reception,
        now: u64,
        ntp: u64,
        goodbye: bool,
        into: &mut [u8; limits::RTCP_BYTES_MAX],
    ) -> usize {
        let (packets, bytes) = outgoing.of_source();
        let sender = (outgoing.packets > self.packets_reported).then(|| SenderInfo {
            ntp,
            rtp_timestamp: outgoing.report_timestamp(now as u32),
            packets: packets as u32,
            bytes: bytes as u32,
        });
        self.packets_reported = outgoing.packets;
        let echo = self.echo.map(|(report, at)| (report, rtcp::ntp_middle(ntp).wrapping_sub(at)));
        let block = reception.report().map(|snapshot| ReportBlock::new(snapshot, echo));
        rtcp::write(&Outline { ssrc: outgoing.ssrc, sender, block, cname: &self.cname, goodbye }, into)
    }

    /// Takes a packet of the other end. `our_ssrc` and `their_ssrc` are the sources of the two RTP streams.
    pub fn handle(&mut self, packet: Packet<'_>, our_ssrc: u32, their_ssrc: Option<u32>, ntp: u64) {
        let blocks = match packet {
            Packet::SenderReport { ssrc, info, blocks } => {
                if their_ssrc.is_none_or(|known| known == ssrc) {
                    self.echo = Some((rtcp::ntp_middle(info.ntp), rtcp::ntp_middle(ntp)));
                }
                blocks
            }
            Packet::ReceiverReport { blocks, .. } => blocks,
            // A goodbye ends a source, not a call: what counts is signalling.
            Packet::Description { .. } | Packet::Goodbye { .. } | Packet::Other { .. } => return,
        };
        for block in blocks.filter(|block| block.ssrc == our_ssrc) {
            self.remote_view = Some(block);
            self.round_trip_ms = block.round_trip_ms(ntp).or(self.round_trip_ms);
        }
    }

    /// The RTP source of the other end changed: its reports are not those of the old one.
    pub fn source_changed(&mut self) {
        self.echo = None;
    }
}

/// Between half and one and a half of `mean` (RFC 3550 §6.3.1), so that reports of many calls do not march in step.
fn spread(mean: u64, seed: &mut Seed) -> u64 {
    mean / 2 + seed.next() % mean.max(1)
}
