//! Where a stream sends to, and from where it takes packets (symmetric RTP, RFC 4961).
//!
//! Address translators make the signalled address wrong, so we follow the packets; but whoever can send to our port
//! must not be able to take over the audio (RFC 7362 §5). Therefore: packets from the signalled address are taken at
//! once. Another port of the signalled IP address, or any address when the signalled one cannot be reached from here,
//! is believed after two consistent packets. The first address that has shown two packets is the only one until the
//! next negotiation. Everything else is ignored.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use crate::rtp::{Header, sequence_distance};

/// Packets of the same source that make an address believed.
const PACKETS_TO_BELIEVE: u8 = 2;

/// Sequence numbers that two consistent packets may lie apart.
const CONSISTENT_DISTANCE: i32 = 50;

/// The rule and its state for one stream.
#[derive(Debug, Clone)]
pub(super) struct Latch {
    /// What signalling says; `None` before the first negotiation.
    signalled: Option<SocketAddr>,
    /// Where we send to.
    target: Option<SocketAddr>,
    /// Any address will do, because nothing can come from the signalled one.
    any: bool,
    locked: bool,
    candidate: Option<Candidate>,
}

#[derive(Debug, Clone, Copy)]
struct Candidate {
    from: SocketAddr,
    ssrc: u32,
    sequence: u16,
    packets: u8,
}

/// What to do with a packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Hear it.
    Take,
    /// Hear it; from now on only this source is heard and sent to.
    TakeAndLock,
    /// Do not hear it.
    Ignore,
}

impl Latch {
    pub fn new() -> Latch {
        Latch { signalled: None, target: None, any: false, locked: false, candidate: None }
    }

    /// A negotiation says where the other end is. `own` is our advertised address.
    ///
    /// If it is where it was, we keep sending to where its packets came from, but other ports may be believed again.
    pub fn signal(&mut self, address: SocketAddr, own: IpAddr) {
        if self.signalled != Some(address) {
            self.signalled = Some(address);
            self.target = (address.port() != 0 && !address.ip().is_unspecified()).then_some(address);
        }
        self.any = !reachable(address.ip(), own);
        self.locked = false;
        self.candidate = None;
    }

    /// Where to send; `None` when nowhere yet.
    pub fn target(&self) -> Option<SocketAddr> {
        self.target
    }

    /// Judges a packet.
    pub fn judge(&mut self, from: SocketAddr, header: &Header) -> Verdict {
        if self.locked {
            return if self.target == Some(from) { Verdict::Take } else { Verdict::Ignore };
        }
        let Some(signalled) = self.signalled else { return Verdict::Ignore };
        let expected = self.target == Some(from);
        if !expected && !self.any && from.ip() != signalled.ip() {
            return Verdict::Ignore;
        }
        let packets = match self.candidate {
            Some(candidate)
                if candidate.from == from
                    && candidate.ssrc == header.ssrc
                    && (1..CONSISTENT_DISTANCE).contains(&sequence_distance(candidate.sequence, header.sequence)) =>
            {
                candidate.packets + 1
            }
            // Another port does not displace the expected one while that one is sending.
            Some(candidate) if !expected && self.target == Some(candidate.from) => return Verdict::Ignore,
            _ => 1,
        };
        self.candidate = Some(Candidate { from, ssrc: header.ssrc, sequence: header.sequence, packets });
        if packets >= PACKETS_TO_BELIEVE {
            self.locked = true;
            self.target = Some(from);
            Verdict::TakeAndLock
        } else if expected {
            Verdict::Take
        } else {
            Verdict::Ignore
        }
    }

    /// Whether a control packet may come from `from`: the host we exchange audio with, or the signalled one.
    pub fn same_host(&self, from: SocketAddr) -> bool {
        [self.target, self.signalled].iter().flatten().any(|known| known.ip() == from.ip())
    }
}

/// Whether packets can arrive here with `signalled` as their source: a private address can only from within the same
/// private network, and nothing comes from "unspecified" or from a link that is not ours.
fn reachable(signalled: IpAddr, own: IpAddr) -> bool {
    match network(signalled) {
        Network::Nowhere => false,
        Network::Public => true,
        private => private == network(own),
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Network {
    Public,
    Loopback,
    /// RFC 1918, RFC 6598 and RFC 3927 blocks by their first address, IPv6 unique local and link local as blocks.
    Private(u32),
    Nowhere,
}

fn network(ip: IpAddr) -> Network {
    let block = |ip: Ipv4Addr, bits: u32| Network::Private(u32::from(ip) >> (32 - bits) << (32 - bits));
    match ip.to_canonical() {
        ip if ip.is_unspecified() => Network::Nowhere,
        ip if ip.is_loopback() => Network::Loopback,
        IpAddr::V4(ip) => match ip.octets() {
            [10, ..] => block(ip, 8),
            [172, 16..=31, ..] => block(ip, 12),
            [192, 168, ..] | [169, 254, ..] => block(ip, 16),
            [100, 64..=127, ..] => block(ip, 10),
            _ => Network::Public,
        },
        IpAddr::V6(ip) if ip.is_unique_local() => Network::Private(0xFC),
        IpAddr::V6(ip) if ip.is_unicast_link_local() => Network::Private(0xFE),
        IpAddr::V6(_) => Network::Public,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packet(ssrc: u32, sequence: u16) -> Header {
        Header { marker: false, payload_type: 0, sequence, timestamp: 0, ssrc }
    }

    fn address(text: &str) -> SocketAddr {
        text.parse().expect("an address")
    }

    const PUBLIC: IpAddr = IpAddr::V4(Ipv4Addr::new(198, 51, 100, 1));

    fn latch(signalled: &str) -> Latch {
        let mut latch = Latch::new();
        latch.signal(address(signalled), PUBLIC);
        latch
    }

    #[test]
    fn the_signalled_address_is_heard_from_its_first_packet_and_locked_at_the_second() {
        let mut latch = latch("203.0.113.9:4000");
        let peer = address("203.0.113.9:4000");
        assert_eq!(latch.judge(peer, &packet(1, 10)), Verdict::Take);
        assert_eq!(latch.judge(peer, &packet(1, 11)), Verdict::TakeAndLock);
        assert_eq!(latch.judge(peer, &packet(2, 900)), Verdict::Take, "a new source at the same address");
    }

    #[test]
    fn another_port_of_the_same_host_is_believed_at_its_second_packet() {
        let mut latch = latch("203.0.113.9:4000");
        let peer = address("203.0.113.9:61000");
        assert_eq!(latch.judge(peer, &packet(1, 10)), Verdict::Ignore);
        assert_eq!(latch.judge(peer, &packet(1, 11)), Verdict::TakeAndLock);
        assert_eq!(latch.target(), Some(peer));
        assert_eq!(latch.judge(address("203.0.113.9:4000"), &packet(3, 1)), Verdict::Ignore, "locked");
    }

    #[test]
    fn another_host_is_never_believed_while_the_signalled_one_is_reachable() {
        let mut latch = latch("203.0.113.9:4000");
        for sequence in 0..100 {
            assert_eq!(latch.judge(address("192.0.2.66:4000"), &packet(1, sequence)), Verdict::Ignore);
        }
        assert_eq!(latch.target(), Some(address("203.0.113.9:4000")));
    }

    #[test]
    fn an_injector_cannot_displace_a_sender_that_is_being_heard() {
        let mut latch = latch("203.0.113.9:4000");
        let (peer, injector) = (address("203.0.113.9:4000"), address("203.0.113.9:4002"));
        assert_eq!(latch.judge(peer, &packet(1, 10)), Verdict::Take);
        assert_eq!(latch.judge(injector, &packet(9, 1)), Verdict::Ignore);
        assert_eq!(latch.judge(injector, &packet(9, 2)), Verdict::Ignore);
        assert_eq!(latch.judge(peer, &packet(1, 11)), Verdict::TakeAndLock);
    }

    #[test]
    fn inconsistent_packets_are_not_believed() {
        let mut latch = latch("203.0.113.9:4000");
        let peer = address("203.0.113.9:61000");
        for (ssrc, sequence) in [(1, 10), (2, 11), (2, 500), (2, 499), (2, 499)] {
            assert_eq!(latch.judge(peer, &packet(ssrc, sequence)), Verdict::Ignore);
        }
    }

    #[test]
    fn any_host_is_believed_when_the_signalled_one_is_behind_a_translator() {
        for signalled in ["192.168.1.7:4000", "10.0.0.1:4000", "100.64.3.3:4000", "0.0.0.0:4000", "[fe80::1]:4000"] {
            let mut latch = latch(signalled);
            let peer = address("203.0.113.9:61000");
            assert_eq!(latch.judge(peer, &packet(1, 10)), Verdict::Ignore, "{signalled}");
            assert_eq!(latch.judge(peer, &packet(1, 11)), Verdict::TakeAndLock, "{signalled}");
            assert_eq!(latch.judge(address("192.0.2.66:4000"), &packet(1, 12)), Verdict::Ignore, "{signalled}");
        }
    }

    #[test]
    fn private_addresses_are_believed_to_reach_us_within_the_same_network_only() {
        let own = |text: &str| text.parse::<IpAddr>().expect("an address");
        assert!(reachable(own("10.1.2.3"), own("10.200.0.1")));
        assert!(!reachable(own("10.1.2.3"), own("192.168.0.1")));
        assert!(reachable(own("127.0.0.1"), own("127.0.0.1")));
        assert!(!reachable(own("127.0.0.1"), own("192.168.0.1")));
        assert!(reachable(own("203.0.113.9"), own("10.0.0.1")));
        assert!(reachable(own("::ffff:10.1.2.3"), own("10.0.0.1")));
    }

    #[test]
    fn a_negotiation_opens_the_lock_and_keeps_sending_to_the_same_place_if_nothing_moved() {
        let mut latch = latch("203.0.113.9:4000");
        let old = address("203.0.113.9:61000");
        latch.judge(old, &packet(1, 1));
        latch.judge(old, &packet(1, 2));
        latch.signal(address("203.0.113.9:4000"), PUBLIC);
        assert_eq!(latch.target(), Some(old));
        assert_eq!(latch.judge(old, &packet(1, 3)), Verdict::Take);
        latch.signal(address("203.0.113.200:4000"), PUBLIC);
        assert_eq!(latch.target(), Some(address("203.0.113.200:4000")));
        assert_eq!(latch.judge(old, &packet(1, 4)), Verdict::Ignore, "the old host");
        assert_eq!(latch.judge(address("203.0.113.200:4000"), &packet(5, 4)), Verdict::Take);
    }

    #[test]
    fn nothing_is_sent_to_an_address_that_is_none() {
        assert_eq!(latch("0.0.0.0:4000").target(), None, "hold as in RFC 2543");
        assert_eq!(latch("203.0.113.9:0").target(), None, "a rejected media line");
        let mut latch = Latch::new();
        assert_eq!(latch.judge(address("203.0.113.9:4000"), &packet(1, 1)), Verdict::Ignore, "before any negotiation");
    }
}
