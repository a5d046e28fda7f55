//! Offer and answer for one audio stream (RFC 3264): what we send, and what both sides then agreed on.
//!
//! A [`Session`] lives as long as a dialog. It keeps the order of media lines that the peer knows, numbers the versions of
//! our description, and repeats it byte by byte when nothing changed (some peers hang up on a refresh that differs).

use std::fmt::{self, Write as _};
use std::net::{IpAddr, SocketAddr};

use super::crypto::{self, AgreedKeys, Encryption, MasterKey, Offered, Suite};
use super::negotiation_error::NegotiationError;
use super::remote::{Chosen, choose, codec_names, is_plain_rtp, read_key, remote_address, remote_direction, remote_rtcp, send_ptime};
use super::{Connection, Description, Direction, Media, RtpMap};

/// Payload type of telephone events in our offers, the one that nearly everybody uses.
const DTMF_PAYLOAD_TYPE: u8 = 101;

/// An audio codec that the media engine speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum AudioCodec {
    /// G.711 µ-law.
    Pcmu,
    /// G.711 A-law.
    Pcma,
}

impl AudioCodec {
    /// The encoding name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            AudioCodec::Pcmu => "PCMU",
            AudioCodec::Pcma => "PCMA",
        }
    }

    /// RTP clock in Hz.
    #[must_use]
    pub fn clock(self) -> u32 {
        8000
    }

    /// The static payload type (RFC 3551 table 4).
    #[must_use]
    pub fn payload_type(self) -> u8 {
        match self {
            AudioCodec::Pcmu => 0,
            AudioCodec::Pcma => 8,
        }
    }

    pub(super) fn is(self, map: &RtpMap) -> bool {
        map.name.eq_ignore_ascii_case(self.name()) && map.clock == self.clock() && map.channels == 1
    }
}

/// A codec with the numbers that the peer gave it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Codec {
    /// Which codec.
    pub name: AudioCodec,
    /// The payload type to send with.
    pub payload_type: u8,
    /// RTP clock in Hz.
    pub clock: u32,
}

/// Our side of an audio stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LocalAudio {
    /// Where we receive RTP, as the peer reaches it. RTCP is on the next port, or on the same with multiplexing.
    pub rtp: SocketAddr,
    /// Codecs in our order of preference.
    pub codecs: Vec<AudioCodec>,
    /// Whether telephone events are offered and taken.
    pub dtmf: bool,
    /// What we want to do.
    pub direction: Direction,
    /// Packet time in ms that we like to receive.
    pub ptime_ms: u16,
    /// Whether RTP and RTCP may share a port.
    pub rtcp_mux: bool,
    /// Whether it is encrypted.
    pub encryption: Encryption,
    /// A key that was never used, for when one is needed; without one nothing can be encrypted.
    pub fresh_key: Option<MasterKey>,
}

impl LocalAudio {
    /// Two-way G.711 in packets of 20 ms with telephone events, not encrypted.
    #[must_use]
    pub fn new(rtp: SocketAddr) -> LocalAudio {
        LocalAudio {
            rtp,
            codecs: vec![AudioCodec::Pcma, AudioCodec::Pcmu],
            dtmf: true,
            direction: Direction::SendRecv,
            ptime_ms: 20,
            rtcp_mux: false,
            encryption: Encryption::Never,
            fresh_key: None,
        }
    }

    /// The same with another direction.
    #[must_use]
    pub fn with_direction(mut self, direction: Direction) -> LocalAudio {
        self.direction = direction;
        self
    }
}

/// What both sides agreed on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Negotiated {
    /// Where to send RTP. The address is unspecified (0.0.0.0) for a hold of the old style.
    pub remote_rtp: SocketAddr,
    /// Where to send RTCP.
    pub remote_rtcp: SocketAddr,
    /// The codec to send.
    pub codec: Codec,
    /// The payload type in which the peer sends this codec.
    pub receive_payload_type: u8,
    /// The payload type to send telephone events with; `None` when the peer does not take them.
    pub dtmf: Option<u8>,
    /// The payload type in which telephone events arrive.
    pub receive_dtmf: Option<u8>,
    /// What we do: `SendOnly` means that we send and the peer only listens.
    pub direction: Direction,
    /// Packet time in ms that the peer wants to receive.
    pub ptime_ms: u16,
    /// Whether RTP and RTCP share a port.
    pub rtcp_mux: bool,
    /// The keys, if audio is encrypted.
    pub keys: Option<AgreedKeys>,
}

/// A media line in the order that both sides know.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Slot {
    Audio,
    /// Refused for good: kind, protocol and formats as the peer wrote them.
    Refused {
        kind: String,
        protocol: String,
        formats: Vec<String>,
    },
}

/// What of an offer is needed to understand its answer.
#[derive(Debug, Clone)]
struct PendingOffer {
    local: LocalAudio,
    dtmf_payload_type: u8,
    /// Tag, suite and key of ours, if it is encrypted.
    own_key: Option<(u32, Suite, MasterKey)>,
    /// The description to return to when the offer is refused.
    previous: Option<Sent>,
    /// An answer was read. The offer stays known, because a 200 repeats the answer of a 183, or a fork gives another.
    is_answered: bool,
}

/// A description of ours.
#[derive(Clone)]
struct Sent {
    /// The text without the version.
    content: String,
    bytes: Vec<u8>,
}

/// Shows nothing: there may be a key in it.
impl fmt::Debug for Sent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sent").finish_non_exhaustive()
    }
}

/// Our half of the session descriptions of one dialog.
#[derive(Debug, Clone)]
pub struct Session {
    session_id: u64,
    version: u64,
    protocol: String,
    slots: Vec<Slot>,
    /// The payload type of telephone events, once the peer gave one (a number keeps its meaning, RFC 3264 §8.3.2).
    dtmf_payload_type: u8,
    /// The keys in force.
    keys: Option<AgreedKeys>,
    sent: Option<Sent>,
    pending: Option<PendingOffer>,
}

impl Session {
    /// A session with this id, which should be unique and unguessable; the upper two bits are not used.
    #[must_use]
    pub fn new(session_id: u64) -> Session {
        Session {
            // Some peers read the id as a signed number.
            session_id: session_id & (u64::MAX >> 2),
            version: 0,
            protocol: "RTP/AVP".to_owned(),
            slots: vec![Slot::Audio],
            dtmf_payload_type: DTMF_PAYLOAD_TYPE,
            keys: None,
            sent: None,
            pending: None,
        }
    }

    /// The description that was sent last, for a refresh that changes nothing.
    #[must_use]
    pub fn current(&self) -> Option<&[u8]> {
        self.sent.as_ref().map(|sent| sent.bytes.as_slice())
    }

    /// Makes an offer. It is byte-identical to the last description when nothing changed.
    pub fn offer(&mut self, local: &LocalAudio) -> Vec<u8> {
        let previous = match self.pending.take() {
            // The earlier offer was never answered: the description before it still counts.
            Some(pending) if !pending.is_answered => pending.previous,
            _ => self.sent.clone(),
        };
        let formats: Vec<(u8, AudioCodec)> = local.codecs.iter().map(|codec| (codec.payload_type(), *codec)).collect();
        let dtmf = local.dtmf.then_some(self.dtmf_payload_type);
        let own_key = match self.keys {
            // The same key again: both ends go on counting its packets.
            Some(keys) => Some((keys.tag, keys.suite, keys.send)),
            None => local.fresh_key.filter(|_| local.encryption == Encryption::Required).map(|key| (1, Suite::Tag80, key)),
        };
        let begins = own_key.is_some() && self.keys.is_none();
        let audio = AudioLines {
            local,
            formats: &formats,
            dtmf,
            direction: local.direction,
            rtcp_mux: local.rtcp_mux,
            protocol: if begins { "RTP/SAVP" } else { &self.protocol },
            own_key,
        };
        let media = self.render(&audio);
        let dtmf_payload_type = self.dtmf_payload_type;
        self.pending = Some(PendingOffer { local: local.clone(), dtmf_payload_type, own_key, previous, is_answered: false });
        self.publish(local.rtp.ip(), &media)
    }

    /// Forgets an offer that was refused (RFC 6141): what was agreed before goes on.
    pub fn offer_refused(&mut self) {
        if let Some(pending) = self.pending.take_if(|pending| !pending.is_answered) {
            self.sent = pending.previous;
        }
    }

    /// Answers an offer.
    ///
    /// # Errors
    /// Why there is no common audio; nothing changes then.
    pub fn answer(&mut self, offer: &[u8], local: &LocalAudio) -> Result<(Vec<u8>, Negotiated), NegotiationError> {
        let offer = Description::parse(offer)?;
        self.answer_description(&offer, local)
    }

    /// Answers an offer that was parsed before.
    ///
    /// # Errors
    /// Why there is no common audio; nothing changes then.
    pub fn answer_description(&mut self, offer: &Description, local: &LocalAudio) -> Result<(Vec<u8>, Negotiated), NegotiationError> {
        let Chosen { index, media, name, map, key } = choose(offer, local)?;
        let (remote_rtp, is_old_hold) = remote_address(offer, media, local)?;
        let rtcp_mux = local.rtcp_mux && media.has_rtcp_mux();
        let direction = remote_direction(offer, media, is_old_hold).reversed().and(local.direction);
        let dtmf = local.dtmf.then(|| media.telephone_event(map.clock)).flatten();
        let keys = key.and_then(|offered| self.answer_key(&offered, local.fresh_key));
        let negotiated = Negotiated {
            remote_rtp,
            remote_rtcp: remote_rtcp(media, remote_rtp, rtcp_mux),
            keys,
            codec: Codec { name, payload_type: map.payload_type, clock: map.clock },
            receive_payload_type: map.payload_type,
            dtmf,
            receive_dtmf: dtmf,
            direction,
            ptime_ms: send_ptime(media, local),
            rtcp_mux,
        };
        self.pending = None;
        self.keys = keys;
        self.protocol.clone_from(&media.protocol);
        self.dtmf_payload_type = dtmf.unwrap_or(self.dtmf_payload_type);
        self.slots =
            offer.media.iter().enumerate().map(|(at, media)| if at == index { Slot::Audio } else { Slot::refused(media) }).collect();
        let own_key = keys.map(|keys| (keys.tag, keys.suite, keys.send));
        let formats = [(map.payload_type, name)];
        let audio = AudioLines { local, formats: &formats, dtmf, direction, rtcp_mux, protocol: &self.protocol, own_key };
        let media = self.render(&audio);
        Ok((self.publish(local.rtp.ip(), &media), negotiated))
    }

    /// Reads the answer to our last offer.
    ///
    /// # Errors
    /// Why there is no common audio. The call cannot go on with it (RFC 3264 §6: an answer cannot be refused), it is for
    /// the caller to hang up or to offer again.
    pub fn read_answer(&mut self, answer: &[u8]) -> Result<Negotiated, NegotiationError> {
        let pending = self.pending.as_ref().ok_or(NegotiationError::NoOffer)?;
        let local = &pending.local;
        let answer = Description::parse(answer)?;
        let index = self.slots.iter().position(|slot| *slot == Slot::Audio).unwrap_or(0);
        let media =
            answer.media.get(index).filter(|media| media.kind.eq_ignore_ascii_case("audio")).ok_or(NegotiationError::MediaMismatch)?;
        if media.port == 0 {
            return Err(NegotiationError::Refused);
        }
        // The answerer's order tells what it will send, and we follow it.
        let maps = media.rtp_maps();
        let (name, map) = maps
            .iter()
            .find_map(|map| local.codecs.iter().find(|codec| codec.is(map)).map(|codec| (*codec, map)))
            .ok_or_else(|| NegotiationError::NoCommonCodec(codec_names(&maps)))?;
        let (remote_rtp, is_old_hold) = remote_address(&answer, media, local)?;
        let rtcp_mux = local.rtcp_mux && media.has_rtcp_mux();
        let dtmf = local.dtmf.then(|| media.telephone_event(map.clock)).flatten();
        let keys = pending.own_key.map(|own| read_key(media, own)).transpose()?;
        let negotiated = Negotiated {
            remote_rtp,
            remote_rtcp: remote_rtcp(media, remote_rtp, rtcp_mux),
            keys,
            codec: Codec { name, payload_type: map.payload_type, clock: map.clock },
            receive_payload_type: name.payload_type(),
            dtmf,
            receive_dtmf: dtmf.map(|_| pending.dtmf_payload_type),
            direction: remote_direction(&answer, media, is_old_hold).reversed().and(local.direction),
            ptime_ms: send_ptime(media, local),
            rtcp_mux,
        };
        if keys.is_some() && is_plain_rtp(&self.protocol) && !is_plain_rtp(&media.protocol) {
            self.protocol = "RTP/SAVP".to_owned();
        }
        self.keys = keys;
        if let Some(pending) = &mut self.pending {
            pending.is_answered = true;
        }
        Ok(negotiated)
    }

    /// Our key for an answer: the one in force while the peer keeps its own (who counts its packets goes on counting), else
    /// a fresh one, because the peer begins anew as well.
    fn answer_key(&self, offered: &Offered, fresh: Option<MasterKey>) -> Option<AgreedKeys> {
        let send = self.keys.filter(|keys| keys.is_of(offered)).map(|keys| keys.send).or(fresh)?;
        let &Offered { tag, suite, key, mki_bytes } = offered;
        Some(AgreedKeys { suite, send, receive: key, mki_bytes, tag })
    }

    fn render(&self, audio: &AudioLines<'_>) -> String {
        let mut text = String::with_capacity(320);
        for slot in &self.slots {
            match slot {
                Slot::Audio => audio.write(&mut text),
                Slot::Refused { kind, protocol, formats } => {
                    // Writing to a String cannot fail.
                    let _ = write!(text, "m={kind} 0 {protocol} {}\r\n", formats.join(" "));
                }
            }
        }
        text
    }

    /// Numbers the description: a new version when it differs from the last (RFC 3264 §8), else the same bytes again.
    fn publish(&mut self, ip: IpAddr, media: &str) -> Vec<u8> {
        let connection = Connection::from_ip(ip);
        let content = format!("{connection}\r\n{media}");
        if let Some(sent) = self.sent.as_ref().filter(|sent| sent.content == content) {
            return sent.bytes.clone();
        }
        self.version += 1;
        let bytes = format!("v=0\r\no=- {} {} {connection}\r\ns=-\r\nc={connection}\r\nt=0 0\r\n{media}", self.session_id, self.version)
            .into_bytes();
        self.sent = Some(Sent { content, bytes: bytes.clone() });
        bytes
    }
}

impl Slot {
    fn refused(media: &Media) -> Slot {
        let formats = if media.formats.is_empty() { vec!["0".to_owned()] } else { media.formats.clone() };
        Slot::Refused { kind: media.kind.clone(), protocol: media.protocol.clone(), formats }
    }
}

/// The lines of our audio.
struct AudioLines<'a> {
    local: &'a LocalAudio,
    formats: &'a [(u8, AudioCodec)],
    dtmf: Option<u8>,
    direction: Direction,
    rtcp_mux: bool,
    protocol: &'a str,
    own_key: Option<(u32, Suite, MasterKey)>,
}

impl AudioLines<'_> {
    fn write(&self, text: &mut String) {
        // Writing to a String cannot fail.
        let _ = write!(text, "m=audio {} {}", self.local.rtp.port(), self.protocol);
        for payload_type in self.formats.iter().map(|(payload_type, _)| *payload_type).chain(self.dtmf) {
            let _ = write!(text, " {payload_type}");
        }
        text.push_str("\r\n");
        for (payload_type, codec) in self.formats {
            let _ = write!(text, "a=rtpmap:{payload_type} {}/{}\r\n", codec.name(), codec.clock());
        }
        if let Some(dtmf) = self.dtmf {
            let _ = write!(text, "a=rtpmap:{dtmf} telephone-event/8000\r\na=fmtp:{dtmf} 0-16\r\n");
        }
        if let Some((tag, suite, key)) = &self.own_key {
            text.push_str(&crypto::line(*tag, *suite, key));
        }
        let _ = write!(text, "a=ptime:{}\r\na={}\r\n", self.local.ptime_ms, self.direction.as_str());
        if self.rtcp_mux {
            text.push_str("a=rtcp-mux\r\n");
        }
    }
}
