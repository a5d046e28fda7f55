//! One media of a session description, and typed views of the attributes that audio needs.

use std::fmt;
use std::net::IpAddr;

use super::description::find_attribute;
use super::{Attribute, Connection, Crypto};

/// In which directions media flow, seen from whoever wrote the description.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Direction {
    /// Both ways.
    SendRecv,
    /// The writer only sends.
    SendOnly,
    /// The writer only receives.
    RecvOnly,
    /// Neither.
    Inactive,
}

impl Direction {
    /// From what the writer does.
    #[must_use]
    pub fn of(sends: bool, receives: bool) -> Direction {
        match (sends, receives) {
            (true, true) => Direction::SendRecv,
            (true, false) => Direction::SendOnly,
            (false, true) => Direction::RecvOnly,
            (false, false) => Direction::Inactive,
        }
    }

    /// Whether the writer sends.
    #[must_use]
    pub fn sends(self) -> bool {
        matches!(self, Direction::SendRecv | Direction::SendOnly)
    }

    /// Whether the writer receives.
    #[must_use]
    pub fn receives(self) -> bool {
        matches!(self, Direction::SendRecv | Direction::RecvOnly)
    }

    /// The same flow seen from the other side.
    #[must_use]
    pub fn reversed(self) -> Direction {
        Direction::of(self.receives(), self.sends())
    }

    /// What remains when both have to agree.
    #[must_use]
    pub fn and(self, other: Direction) -> Direction {
        Direction::of(self.sends() && other.sends(), self.receives() && other.receives())
    }

    /// The attribute's name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Direction::SendRecv => "sendrecv",
            Direction::SendOnly => "sendonly",
            Direction::RecvOnly => "recvonly",
            Direction::Inactive => "inactive",
        }
    }

    /// The last direction attribute of a list.
    pub(super) fn find(attributes: &[Attribute]) -> Option<Direction> {
        attributes.iter().rev().find_map(|attribute| {
            [Direction::SendRecv, Direction::SendOnly, Direction::RecvOnly, Direction::Inactive]
                .into_iter()
                .find(|direction| attribute.name.eq_ignore_ascii_case(direction.as_str()))
        })
    }
}

/// A payload type and what it stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RtpMap {
    /// RTP payload type, 0 to 127.
    pub payload_type: u8,
    /// Encoding name as written.
    pub name: String,
    /// RTP clock in Hz.
    pub clock: u32,
    /// Audio channels.
    pub channels: u8,
    /// Format parameters, raw.
    pub fmtp: Option<String>,
}

/// A media line with the lines that follow it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Media {
    /// `audio`, `video`, …
    pub kind: String,
    /// The port; 0 means refused or removed.
    pub port: u16,
    /// Number of ports, when written after a slash.
    pub port_count: Option<u16>,
    /// The transport protocol, such as `RTP/AVP`.
    pub protocol: String,
    /// Formats in order of preference; payload types for RTP.
    pub formats: Vec<String>,
    /// Its own `c=` line.
    pub connection: Option<Connection>,
    /// Its `b=` lines.
    pub bandwidth: Vec<String>,
    /// Its `a=` lines.
    pub attributes: Vec<Attribute>,
}

impl Media {
    /// The value of the first attribute of this name; empty for a flag.
    #[must_use]
    pub fn attribute(&self, name: &str) -> Option<&str> {
        find_attribute(&self.attributes, name)
    }

    /// Whether it is audio that is offered or accepted, over RTP of any profile.
    #[must_use]
    pub fn is_live_audio(&self) -> bool {
        self.kind.eq_ignore_ascii_case("audio") && self.port != 0 && self.protocol.to_ascii_uppercase().contains("RTP/")
    }

    /// The direction written at this media; `None` leaves it to the session level.
    #[must_use]
    pub fn direction(&self) -> Option<Direction> {
        Direction::find(&self.attributes)
    }

    /// Packet time in ms, when written and sensible.
    #[must_use]
    pub fn ptime_ms(&self) -> Option<u16> {
        // Some write fractions such as 20.0.
        let value = self.attribute("ptime")?.split('.').next()?;
        value.parse().ok().filter(|ptime| (5..=200).contains(ptime))
    }

    /// Whether RTP and RTCP may share the port (RFC 5761).
    #[must_use]
    pub fn has_rtcp_mux(&self) -> bool {
        self.attribute("rtcp-mux").is_some()
    }

    /// Port and, when written, address of RTCP (RFC 3605).
    #[must_use]
    pub fn rtcp(&self) -> Option<(u16, Option<IpAddr>)> {
        let mut words = self.attribute("rtcp")?.split_ascii_whitespace();
        let port = words.next()?.parse().ok()?;
        Some((port, words.nth(2).and_then(|address| address.parse().ok())))
    }

    /// Payload types in order of preference with their meaning; static ones need no `a=rtpmap`.
    #[must_use]
    pub fn rtp_maps(&self) -> Vec<RtpMap> {
        self.formats
            .iter()
            .filter_map(|format| format.parse().ok().filter(|payload_type| *payload_type < 128))
            .filter_map(|payload_type| self.rtp_map(payload_type))
            .collect()
    }

    fn rtp_map(&self, payload_type: u8) -> Option<RtpMap> {
        let value_for = |attribute: &'static str| {
            self.attributes.iter().filter(move |candidate| candidate.name.eq_ignore_ascii_case(attribute)).find_map(|candidate| {
                let (number, value) = candidate.value.as_deref()?.trim().split_once([' ', '\t'])?;
                (number.parse() == Ok(payload_type)).then(|| value.trim())
            })
        };
        let encoding = value_for("rtpmap").or_else(|| static_encoding(payload_type))?;
        let mut pieces = encoding.split('/');
        let name = pieces.next()?.trim().to_owned();
        let clock = pieces.next()?.trim().parse().ok()?;
        let channels = pieces.next().and_then(|channels| channels.trim().parse().ok()).unwrap_or(1);
        Some(RtpMap { payload_type, name, clock, channels, fmtp: value_for("fmtp").map(str::to_owned) })
    }

    /// The payload type of telephone events of this clock (RFC 4733), when offered.
    #[must_use]
    pub fn telephone_event(&self, clock: u32) -> Option<u8> {
        self.rtp_maps()
            .into_iter()
            .find(|map| map.name.eq_ignore_ascii_case("telephone-event") && map.clock == clock)
            .map(|map| map.payload_type)
    }

    /// The keys in the order written. Lines that cannot be taken apart are left out.
    pub fn cryptos(&self) -> impl Iterator<Item = Crypto<'_>> {
        self.attributes
            .iter()
            .filter(|attribute| attribute.name.eq_ignore_ascii_case("crypto"))
            .filter_map(|attribute| Crypto::parse(attribute.value.as_deref()?))
    }
}

/// RFC 3551 table 4, audio.
fn static_encoding(payload_type: u8) -> Option<&'static str> {
    Some(match payload_type {
        0 => "PCMU/8000",
        3 => "GSM/8000",
        4 => "G723/8000",
        8 => "PCMA/8000",
        9 => "G722/8000",
        13 => "CN/8000",
        18 => "G729/8000",
        _ => return None,
    })
}

impl fmt::Display for Media {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "m={} {}", self.kind, self.port)?;
        if let Some(count) = self.port_count {
            write!(f, "/{count}")?;
        }
        write!(f, " {}", self.protocol)?;
        for format in &self.formats {
            write!(f, " {format}")?;
        }
        f.write_str("\r\n")?;
        if let Some(connection) = &self.connection {
            write!(f, "c={connection}\r\n")?;
        }
        for bandwidth in &self.bandwidth {
            write!(f, "b={bandwidth}\r\n")?;
        }
        for attribute in &self.attributes {
            write!(f, "a={attribute}\r\n")?;
        }
        Ok(())
    }
}
