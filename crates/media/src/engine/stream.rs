//! One stream: its sockets, where the other end is, what it hears, and everything counted about it.
//!
//! Decides whether and where to a packet is sent. Which packet is sent is decided by its callers: [`super::bridge`] for
//! what another says, [`super::mix`] for what several say at once, [`super::pace`] for what we say ourselves.

use std::io::ErrorKind;
use std::net::{IpAddr, SocketAddr};

use crate::dtmf;
use crate::engine::clock::{millis, samples};
use crate::engine::control::Control;
use crate::engine::latch::Latch;
use crate::engine::mix::Mix;
use crate::engine::outgoing::Outgoing;
use crate::engine::play::Play;
use crate::engine::ports::Pair;
use crate::engine::protection::Protection;
use crate::engine::seed::Seed;
use crate::engine::tally::Tally;
use crate::engine::voice::Voice;
use crate::engine::{Figures, Remote, Report};
use crate::ids::{GroupId, StreamId};
use crate::limits;
use crate::quality;
use crate::reception::Reception;
use crate::record::Channel;
use crate::rtp::{HEADER_BYTES, Kind};
use crate::srtp::{KeyPair, OVERHEAD_BYTES_MAX, Refused};

/// What a stream is sent, with the other stream's number instead of its name.
pub(super) enum Hears {
    Silence,
    Peer(u32),
    Mix(Mix),
    Play(Play),
}

pub(super) struct Stream {
    pub id: StreamId,
    pub group: GroupId,
    pub sockets: Pair,
    pub remote: Option<Remote>,
    pub latch: Latch,
    /// Encryption, where it was negotiated.
    protection: Option<Box<Protection>>,
    /// Whether the RTP socket is connected: the kernel knows the route and drops packets of others.
    connected: bool,
    rtcp_target: Option<SocketAddr>,
    pub outgoing: Outgoing,
    pub reception: Reception,
    pub control: Control,
    pub presses: dtmf::Presses,
    pub hears: Hears,
    /// Digits being sent, and how many requests they come from.
    pub digits: Option<dtmf::Sender>,
    pub digit_requests: u32,
    /// Who hears this stream and nothing else.
    pub listeners: Vec<u32>,
    /// This stream for those who hear it in a mix, if there are any.
    pub voice: Option<Box<Voice>>,
    /// Which channels of which recordings this stream is.
    pub recorded: Vec<(u32, Channel)>,
    /// Which list of paced streams this one is in.
    pub phase: Option<u8>,
    opened: u64,
    pub last_sent: u64,
    pub last_heard: u64,
    pub quiet: bool,
    pub ignored: u64,
}

impl Stream {
    pub fn new(id: StreamId, group: GroupId, sockets: Pair, now: u64, rtcp_interval: u64, seed: &mut Seed) -> Stream {
        Stream {
            id,
            group,
            sockets,
            remote: None,
            latch: Latch::new(),
            protection: None,
            connected: false,
            rtcp_target: None,
            outgoing: Outgoing::new(seed, now as u32),
            reception: Reception::default(),
            control: Control::new(rtcp_interval, seed),
            presses: dtmf::Presses::default(),
            hears: Hears::Silence,
            digits: None,
            digit_requests: 0,
            listeners: Vec::new(),
            voice: None,
            recorded: Vec::new(),
            phase: None,
            opened: now,
            last_sent: now,
            last_heard: now,
            quiet: false,
            ignored: 0,
        }
    }

    /// Takes what was negotiated.
    pub fn negotiate(&mut self, mut remote: Remote, own: IpAddr, now: u64, seed: &mut Seed) {
        if self.sockets.rtp.local_addr().is_ok_and(|local| local.is_ipv6()) {
            remote.rtp = mapped(remote.rtp);
            remote.rtcp = mapped(remote.rtcp);
        }
        self.unlock();
        self.latch.signal(remote.rtp, own);
        if self.remote.is_none_or(|before| before.rtcp != remote.rtcp) {
            self.rtcp_target = (remote.rtcp.port() != 0 && !remote.rtcp.ip().is_unspecified()).then_some(remote.rtcp);
        }
        let was_receiving = self.receives();
        self.remote = Some(remote);
        if !was_receiving && self.receives() {
            self.last_heard = now;
            self.quiet = false;
        }
        if !remote.direction.sends() {
            self.outgoing.disconnect();
        }
        self.control.start(now, seed);
    }

    /// Takes the keys that were negotiated.
    pub fn protect(&mut self, keys: Option<KeyPair>, now: u64, seed: &mut Seed) {
        let begins = match (&mut self.protection, keys) {
            (_, None) => {
                self.protection = None;
                false
            }
            (Some(protection), Some(keys)) => protection.rekey(keys, now),
            (None, Some(keys)) => {
                self.protection = Some(Box::new(Protection::new(keys)));
                true
            }
        };
        if begins {
            self.outgoing.restart(seed);
        }
    }

    /// Opens a datagram from the other end where it lies, and gives the length of what was in it; `None` when it is not
    /// to be believed.
    pub fn open(&mut self, datagram: &mut [u8], kind: Kind, now: u64, tally: &Tally) -> Option<usize> {
        let Some(protection) = &mut self.protection else { return Some(datagram.len()) };
        match protection.open(datagram, kind, now) {
            Ok(length) => return Some(length),
            Err(Refused::Replayed) => tally.replayed.add(1),
            Err(Refused::Malformed | Refused::Unauthentic) => tally.unauthentic.add(1),
        }
        self.ignored += 1;
        None
    }

    /// Whether audio from the other end is taken.
    pub fn receives(&self) -> bool {
        self.remote.is_some_and(|remote| remote.direction.receives())
    }

    /// The other end, if audio may be sent to it now.
    pub fn sendable(&self) -> Option<Remote> {
        self.remote.filter(|remote| remote.direction.sends() && self.latch.target().is_some())
    }

    /// The source is known for sure: lets the kernel remember the route and drop everything else.
    pub fn lock(&mut self) {
        if let Some(target) = self.latch.target() {
            self.connected = self.sockets.rtp.connect(target).is_ok();
            // A party behind a translator is nowhere near the control port it announced.
            if let Some(rtcp) = &mut self.rtcp_target
                && self.remote.is_some_and(|remote| remote.rtcp == *rtcp)
                && rtcp.ip() != target.ip()
            {
                *rtcp = SocketAddr::new(target.ip(), target.port().saturating_add(1));
            }
        }
    }

    fn unlock(&mut self) {
        if self.connected {
            // If it cannot be undone the old source stays the only one, which is where we were.
            self.connected = rustix::net::connect_unspec(&self.sockets.rtp).is_err();
        }
    }

    /// Sends one RTP packet: header and payload in `datagram`. `room` is where it is encrypted, if it is: others may need
    /// it as it is.
    pub fn send(&mut self, datagram: &[u8], now: u64, tally: &Tally, room: &mut [u8; limits::SENT_BYTES_MAX]) {
        let Some(target) = self.latch.target() else { return };
        let sealed = match &mut self.protection {
            None => datagram,
            // A relayed packet that came twice goes out once.
            Some(protection) => match protection.seal(datagram, Kind::Rtp, room) {
                Some(length) => &room[..length],
                None => return,
            },
        };
        let mut result = self.send_once(sealed, target);
        if matches!(&result, Err(error) if error.kind() == ErrorKind::ConnectionRefused) {
            // The error belongs to an earlier packet; this one has not been tried yet.
            result = self.send_once(sealed, target);
        }
        match result {
            Ok(_) => tally.packets_out.add(1),
            Err(_) => tally.send_failed.add(1),
        }
        self.outgoing.sent(datagram.len() - HEADER_BYTES);
        self.last_sent = now;
    }

    fn send_once(&self, datagram: &[u8], target: SocketAddr) -> std::io::Result<usize> {
        if self.connected { self.sockets.rtp.send(datagram) } else { self.sockets.rtp.send_to(datagram, target) }
    }

    /// Sends an RTCP report, and says goodbye if asked to.
    pub fn report(&mut self, now: u64, ntp: u64, goodbye: bool, tally: &Tally) {
        let Some(remote) = self.remote else { return };
        let mut bytes = [0; limits::RTCP_BYTES_MAX];
        let length = self.control.write(&self.outgoing, &mut self.reception, now, ntp, goodbye, &mut bytes);
        let mut room = [0; limits::RTCP_BYTES_MAX + OVERHEAD_BYTES_MAX];
        let bytes = match &mut self.protection {
            None => &bytes[..length],
            Some(protection) => match protection.seal(&bytes[..length], Kind::Rtcp, &mut room) {
                Some(length) => &room[..length],
                None => return,
            },
        };
        let result = if remote.rtcp == remote.rtp {
            // RFC 5761: one port for both.
            self.latch.target().map(|target| self.send_once(bytes, target))
        } else {
            self.rtcp_target.map(|target| self.sockets.rtcp.send_to(bytes, target))
        };
        match result {
            Some(Ok(_)) => tally.rtcp_out.add(1),
            Some(Err(_)) => tally.send_failed.add(1),
            None => {}
        }
    }

    /// Takes note that `from` sends RTCP on the control port; false when it must be ignored.
    pub fn accept_control(&mut self, from: SocketAddr) -> bool {
        let known = self.latch.same_host(from);
        if known {
            self.rtcp_target = Some(from);
        }
        known
    }

    /// The final figures.
    pub fn figures(&self, now: u64) -> Report {
        let round_trip_ms = self.control.round_trip_ms;
        let heard = self.reception.packets() > 0;
        let received =
            Heard { expected: self.reception.expected(), lost: self.reception.lost(), jitter_ms: jitter_ms(self.reception.jitter()) };
        let view = self.control.remote_view.map(|view| Heard {
            expected: self.outgoing.packets,
            lost: u64::from(view.cumulative_lost.max(0).unsigned_abs()),
            jitter_ms: jitter_ms(view.jitter),
        });
        Report {
            duration_ms: millis(now.saturating_sub(self.opened)),
            received: direction(self.reception.packets(), self.reception.bytes(), heard.then_some(received), round_trip_ms),
            sent: direction(self.outgoing.packets, self.outgoing.bytes, view, round_trip_ms),
            round_trip_ms,
            ignored: self.ignored,
            encrypted: self.protection.is_some(),
            unauthentic: self.protection.as_ref().map_or(0, |protection| protection.unauthentic),
            replayed: self.protection.as_ref().map_or(0, |protection| protection.replayed),
        }
    }
}

/// One direction as its receiver sees it.
struct Heard {
    expected: u64,
    lost: u64,
    jitter_ms: f64,
}

fn direction(packets: u64, bytes: u64, heard: Option<Heard>, round_trip_ms: Option<f64>) -> Figures {
    let score = heard.as_ref().filter(|heard| heard.expected > 0).map(|heard| {
        let loss_ratio = (heard.lost as f64 / heard.expected as f64).min(1.0);
        quality::Direction { loss_ratio, jitter_ms: heard.jitter_ms, round_trip_ms }.score()
    });
    Figures {
        packets,
        bytes,
        lost: heard.as_ref().map(|heard| heard.lost),
        jitter_ms: heard.as_ref().map(|heard| heard.jitter_ms),
        mos: score.map(|score| score.mos),
        poor: score.is_some_and(|score| score.poor),
    }
}

fn jitter_ms(jitter: u32) -> f64 {
    f64::from(jitter) / samples(1) as f64
}

/// The address as a socket for both IP versions sees it (RFC 4291 §2.5.5.2).
fn mapped(address: SocketAddr) -> SocketAddr {
    match address.ip() {
        IpAddr::V4(ip) => SocketAddr::new(IpAddr::V6(ip.to_ipv6_mapped()), address.port()),
        IpAddr::V6(_) => address,
    }
}
