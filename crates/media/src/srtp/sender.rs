//! What we send.

use super::cipher::{Cipher, Protocol};
use super::keys::Keys;
use super::window::Window;
use super::{CONTROL_HEADER_BYTES, CONTROL_TAG_BYTES, ENCRYPTED, INDEX_BYTES};
use crate::rtp;

/// RTP packets under one key (RFC 3711 §9.2).
const PACKETS_MAX: u64 = 1 << 48;

/// Seals the packets of one direction.
pub struct Sender {
    keys: Keys,
    rtp: Cipher,
    rtcp: Cipher,
    /// Whose packets `sent` are.
    ssrc: Option<u32>,
    sent: Window,
    next_control: u32,
}

impl Sender {
    /// A sender at the beginning: nothing has been sent with these keys.
    pub fn new(keys: Keys) -> Sender {
        let (rtp, rtcp) = (Cipher::new(&keys, Protocol::Rtp), Cipher::new(&keys, Protocol::Rtcp));
        Sender { keys, rtp, rtcp, ssrc: None, sent: Window::default(), next_control: 0 }
    }

    /// With which keys.
    pub fn keys(&self) -> &Keys {
        &self.keys
    }

    /// Writes the sealed form of an RTP packet and gives its length. `None` when it must not be sent: its number has
    /// gone out already (what hides it may hide nothing else), it is older than what is remembered, or `into` is too
    /// short.
    pub fn seal_rtp(&mut self, packet: &[u8], into: &mut [u8]) -> Option<usize> {
        let start = rtp::payload_start(packet).ok()?;
        let (sequence, ssrc) = rtp::sequence_and_ssrc(packet)?;
        if self.ssrc != Some(ssrc) {
            (self.ssrc, self.sent) = (Some(ssrc), Window::default());
        }
        let index = self.sent.index(sequence).filter(|index| *index < PACKETS_MAX && self.sent.is_new(*index))?;
        let tag_bytes = self.keys.suite.tag_bytes();
        let length = packet.len() + tag_bytes;
        let (sealed, tag) = into.get_mut(..length)?.split_at_mut(packet.len());
        sealed.copy_from_slice(packet);
        self.rtp.apply(ssrc, index, &mut sealed[start..]);
        tag.copy_from_slice(&self.rtp.tag([sealed, &rollovers(index)])[..tag_bytes]);
        self.sent.mark(index);
        Some(length)
    }

    /// The same for an RTCP compound packet. `None` also when all indexes have been used.
    pub fn seal_rtcp(&mut self, packet: &[u8], into: &mut [u8]) -> Option<usize> {
        let ssrc = rtcp_ssrc(packet)?;
        let index = self.next_control;
        let word = index.checked_add(ENCRYPTED).filter(|_| index < ENCRYPTED)?;
        let end = packet.len() + INDEX_BYTES;
        let (sealed, tag) = into.get_mut(..end + CONTROL_TAG_BYTES)?.split_at_mut(end);
        let (body, place) = sealed.split_at_mut(packet.len());
        body.copy_from_slice(packet);
        self.rtcp.apply(ssrc, u64::from(index), &mut body[CONTROL_HEADER_BYTES..]);
        place.copy_from_slice(&word.to_be_bytes());
        tag.copy_from_slice(&self.rtcp.tag([sealed, &[]])[..CONTROL_TAG_BYTES]);
        self.next_control = index + 1;
        Some(end + CONTROL_TAG_BYTES)
    }
}

/// How often the sequence number has wrapped, as it is authenticated with each packet.
pub(super) fn rollovers(index: u64) -> [u8; 4] {
    ((index >> 16) as u32).to_be_bytes()
}

/// The sender of an RTCP packet.
pub(super) fn rtcp_ssrc(packet: &[u8]) -> Option<u32> {
    let header = packet.get(..CONTROL_HEADER_BYTES)?;
    Some(u32::from_be_bytes([header[4], header[5], header[6], header[7]]))
}
