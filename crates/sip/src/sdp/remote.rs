//! What is taken of a peer's description: which audio, codec and key, and where it receives.

use std::net::SocketAddr;

use super::crypto::{self, AgreedKeys, Encryption, MasterKey, Offered, Suite};
use super::negotiation_error::NegotiationError;
use super::offer_answer::{AudioCodec, LocalAudio};
use super::{Description, Direction, Media, RtpMap};

/// Packet times that we send, in ms.
const PTIME_MS_CHOICES: [u16; 6] = [10, 20, 30, 40, 50, 60];

/// What is taken of an offer.
pub(super) struct Chosen<'a> {
    pub index: usize,
    pub media: &'a Media,
    pub name: AudioCodec,
    pub map: RtpMap,
    /// The peer's key, if it is encrypted.
    pub key: Option<Offered>,
}

/// The first audio with a codec of ours that is encrypted as it has to be, and of its codecs the one that we like best.
pub(super) fn choose<'a>(offer: &'a Description, local: &LocalAudio) -> Result<Chosen<'a>, NegotiationError> {
    let mut reason = NegotiationError::NoAudio;
    for (index, media) in offer.media.iter().enumerate() {
        if !media.kind.eq_ignore_ascii_case("audio") || media.port == 0 {
            continue;
        }
        let key = match choose_key(media, local) {
            Ok(key) => key,
            Err(problem) => {
                reason = problem;
                continue;
            }
        };
        let maps = media.rtp_maps();
        match local.codecs.iter().find_map(|codec| maps.iter().find(|map| codec.is(map)).map(|map| (*codec, map.clone()))) {
            Some((name, map)) => return Ok(Chosen { index, media, name, map, key }),
            None => reason = NegotiationError::NoCommonCodec(codec_names(&maps)),
        }
    }
    Err(reason)
}

/// The peer's key for an offered audio; `None` when it is to be plain.
fn choose_key(media: &Media, local: &LocalAudio) -> Result<Option<Offered>, NegotiationError> {
    let is_plain = is_plain_rtp(&media.protocol);
    // Keys by handshake need no a=crypto line, and are none of ours.
    let is_by_line = is_secure_rtp(&media.protocol) && (!is_by_handshake(&media.protocol) || media.cryptos().next().is_some());
    if !is_plain && !is_by_line {
        return Err(NegotiationError::Transport(media.protocol.clone()));
    }
    if local.encryption == Encryption::Never || local.fresh_key.is_none() {
        return if is_plain && local.encryption != Encryption::Required { Ok(None) } else { Err(NegotiationError::EncryptionOff) };
    }
    match crypto::best(media.cryptos()) {
        Some(key) => Ok(Some(key)),
        None if !is_plain => Err(NegotiationError::NoUsableKey(crypto::suite_names(media.cryptos()))),
        None if local.encryption == Encryption::Required => Err(NegotiationError::NotEncrypted),
        None => Ok(None),
    }
}

/// The answerer's key to an offer of ours: of our suite; the tag should be ours too, and is not with everybody.
pub(super) fn read_key(media: &Media, (tag, suite, send): (u32, Suite, MasterKey)) -> Result<AgreedKeys, NegotiationError> {
    let offered = media.cryptos().filter_map(|line| line.usable()).filter(|line| line.suite == suite);
    let chosen = offered.min_by_key(|line| (line.tag != tag, line.mki_bytes));
    let Offered { key, mki_bytes, .. } = chosen.ok_or_else(|| NegotiationError::NoUsableKey(crypto::suite_names(media.cryptos())))?;
    Ok(AgreedKeys { suite, send, receive: key, mki_bytes, tag })
}

pub(super) fn is_plain_rtp(protocol: &str) -> bool {
    ["RTP/AVP", "RTP/AVPF"].iter().any(|plain| protocol.eq_ignore_ascii_case(plain))
}

fn is_secure_rtp(protocol: &str) -> bool {
    ["RTP/SAVP", "RTP/SAVPF"].iter().any(|secure| protocol.eq_ignore_ascii_case(secure)) || is_by_handshake(protocol)
}

fn is_by_handshake(protocol: &str) -> bool {
    ["UDP/TLS/RTP/SAVP", "UDP/TLS/RTP/SAVPF"].iter().any(|secure| protocol.eq_ignore_ascii_case(secure))
}

pub(super) fn codec_names(maps: &[RtpMap]) -> String {
    let names: Vec<String> = maps.iter().take(12).map(|map| format!("{}/{}", map.name, map.clock)).collect();
    if names.is_empty() { "none".to_owned() } else { names.join(" ") }
}

/// Where the peer receives, and whether that is the 0.0.0.0 of an old-style hold (RFC 2543 §B.5).
pub(super) fn remote_address(remote: &Description, media: &Media, local: &LocalAudio) -> Result<(SocketAddr, bool), NegotiationError> {
    let connection = remote.connection_of(media).ok_or(NegotiationError::Address("c= line is missing or unreadable"))?;
    let ip = connection.ip().ok_or(NegotiationError::Address("it is a host name, not an IP address"))?;
    if ip.is_multicast() {
        return Err(NegotiationError::Address("it is a multicast address"));
    }
    if ip.is_ipv4() != local.rtp.is_ipv4() {
        return Err(NegotiationError::Address("it is of the other IP version"));
    }
    Ok((SocketAddr::new(ip, media.port), ip.is_unspecified()))
}

pub(super) fn remote_direction(remote: &Description, media: &Media, is_old_hold: bool) -> Direction {
    let direction = media.direction().or_else(|| Direction::find(&remote.attributes)).unwrap_or(Direction::SendRecv);
    // Who gives no address cannot receive.
    if is_old_hold { direction.and(Direction::SendOnly) } else { direction }
}

pub(super) fn remote_rtcp(media: &Media, rtp: SocketAddr, rtcp_mux: bool) -> SocketAddr {
    if rtcp_mux {
        return rtp;
    }
    match media.rtcp() {
        Some((port, address)) if port != 0 => SocketAddr::new(address.unwrap_or(rtp.ip()), port),
        _ => SocketAddr::new(rtp.ip(), rtp.port().saturating_add(1)),
    }
}

pub(super) fn send_ptime(remote: &Media, local: &LocalAudio) -> u16 {
    remote.ptime_ms().filter(|ptime| PTIME_MS_CHOICES.contains(ptime)).unwrap_or(local.ptime_ms)
}
