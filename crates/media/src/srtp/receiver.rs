//! What we receive.

use super::cipher::{Cipher, Protocol};
use super::keys::Keys;
use super::sender::{rollovers, rtcp_ssrc};
use super::window::Window;
use super::{CONTROL_HEADER_BYTES, CONTROL_TAG_BYTES, ENCRYPTED, INDEX_BYTES};
use crate::rtp;

/// Sources that are told apart: who is transferred behind the other end's back is a new one. The one not heard for
/// longest is forgotten.
const SOURCES: usize = 4;

/// A new source with a number below this may have wrapped before its first packet reached us.
const FRESH_WRAP: u16 = 1 << 15;

/// Why a packet is dropped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// Too short to be one.
    #[error("the packet is too short")]
    Malformed,
    /// Of somebody who does not have the key, or changed on the way.
    #[error("the packet is not authentic")]
    Unauthentic,
    /// It has been there already, or is older than what is remembered.
    #[error("the packet has been there already")]
    Replayed,
}

/// Opens the packets of one direction.
pub struct Receiver {
    keys: Keys,
    rtp: Cipher,
    rtcp: Cipher,
    sources: [Option<Source>; SOURCES],
    /// Counts packets, to find the source not heard for longest.
    clock: u64,
}

#[derive(Debug, Clone, Copy)]
struct Source {
    ssrc: u32,
    rtp: Window,
    rtcp: Window,
    heard: u64,
}

impl Receiver {
    /// A receiver at the beginning: nothing has come under these keys.
    pub fn new(keys: Keys) -> Receiver {
        let (rtp, rtcp) = (Cipher::new(&keys, Protocol::Rtp), Cipher::new(&keys, Protocol::Rtcp));
        Receiver { keys, rtp, rtcp, sources: [None; SOURCES], clock: 0 }
    }

    /// With which keys.
    pub fn keys(&self) -> &Keys {
        &self.keys
    }

    /// Opens an RTP packet where it lies and gives its length.
    ///
    /// # Errors
    /// Why it must be dropped. Nothing changes then, neither here nor in the packet.
    pub fn open_rtp(&mut self, packet: &mut [u8]) -> Result<usize, Refused> {
        let start = rtp::payload_start(packet).map_err(|_| Refused::Malformed)?;
        let (sequence, ssrc) = rtp::sequence_and_ssrc(packet).ok_or(Refused::Malformed)?;
        let tag_bytes = self.keys.suite.tag_bytes();
        let tag_at = packet.len().checked_sub(tag_bytes).ok_or(Refused::Malformed)?;
        let end = tag_at.checked_sub(self.keys.name_bytes()).filter(|end| *end >= start).ok_or(Refused::Malformed)?;
        let known = self.source(ssrc);
        let window = known.map_or_else(Window::default, |source| source.rtp);
        let index = window.index(sequence).filter(|index| window.is_new(*index)).ok_or(Refused::Replayed)?;
        let is_authentic = |index: u64| self.rtp.is_authentic([&packet[..end], &rollovers(index)], &packet[tag_at..]);
        let index = if is_authentic(index) {
            index
        } else {
            let wrapped = index + (1 << 16);
            let may_have_wrapped = known.is_none() && sequence < FRESH_WRAP;
            Some(wrapped).filter(|wrapped| may_have_wrapped && is_authentic(*wrapped)).ok_or(Refused::Unauthentic)?
        };
        self.rtp.apply(ssrc, index, &mut packet[start..end]);
        self.source_mut(ssrc).rtp.mark(index);
        Ok(end)
    }

    /// The same for an RTCP compound packet.
    ///
    /// # Errors
    /// Why it must be dropped.
    pub fn open_rtcp(&mut self, packet: &mut [u8]) -> Result<usize, Refused> {
        let ssrc = rtcp_ssrc(packet).ok_or(Refused::Malformed)?;
        let tag_at = packet.len().checked_sub(CONTROL_TAG_BYTES).ok_or(Refused::Malformed)?;
        let authentic_end = tag_at.checked_sub(self.keys.name_bytes()).ok_or(Refused::Malformed)?;
        let end = authentic_end.checked_sub(INDEX_BYTES).filter(|end| *end >= CONTROL_HEADER_BYTES).ok_or(Refused::Malformed)?;
        let word = u32::from_be_bytes([packet[end], packet[end + 1], packet[end + 2], packet[end + 3]]);
        let index = u64::from(word & !ENCRYPTED);
        if self.source(ssrc).is_some_and(|source| !source.rtcp.is_new(index)) {
            return Err(Refused::Replayed);
        }
        if !self.rtcp.is_authentic([&packet[..authentic_end], &[]], &packet[tag_at..]) {
            return Err(Refused::Unauthentic);
        }
        if word & ENCRYPTED != 0 {
            self.rtcp.apply(ssrc, index, &mut packet[CONTROL_HEADER_BYTES..end]);
        }
        self.source_mut(ssrc).rtcp.mark(index);
        Ok(end)
    }

    fn source(&self, ssrc: u32) -> Option<&Source> {
        self.sources.iter().flatten().find(|source| source.ssrc == ssrc)
    }

    /// A source that has just proved to have the key.
    fn source_mut(&mut self, ssrc: u32) -> &mut Source {
        self.clock += 1;
        let heard = self.clock;
        let at = self.sources.iter().position(|source| source.is_some_and(|source| source.ssrc == ssrc));
        let at = at.unwrap_or_else(|| {
            let longest_silent = |at: &usize| self.sources[*at].map_or(0, |source| source.heard);
            (0..SOURCES).min_by_key(longest_silent).unwrap_or(0)
        });
        let fresh = Source { ssrc, rtp: Window::default(), rtcp: Window::default(), heard };
        let source = self.sources[at].get_or_insert(fresh);
        if source.ssrc != ssrc {
            *source = fresh;
        }
        source.heard = heard;
        source
    }
}
