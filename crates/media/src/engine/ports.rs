//! Which local ports are free, and the sockets bound to a pair of them.
//!
//! Decides the order in which ports are used: shuffled at the start, because a predictable port invites injected
//! audio, and the one that has rested longest first, because the party of the last call may still be sending there.

use std::collections::{HashSet, VecDeque};
use std::io;
use std::net::{IpAddr, UdpSocket};
use std::ops::RangeInclusive;
use std::sync::{Arc, Mutex, PoisonError};

use crate::engine::OpenError;
use crate::engine::seed::Seed;
use crate::ids::StreamId;
use crate::limits;

/// The port pairs of one engine.
pub(super) struct Ports {
    bind_ip: IpAddr,
    pairs: usize,
    inner: Mutex<Inner>,
}

struct Inner {
    free: VecDeque<u16>,
    open: HashSet<StreamId>,
}

/// Two bound sockets. The fields are dropped in this order: first the sockets, then the ports become free.
pub(super) struct Pair {
    pub rtp: UdpSocket,
    pub rtcp: UdpSocket,
    lease: Lease,
}

struct Lease {
    ports: Arc<Ports>,
    stream: StreamId,
    rtp_port: u16,
}

impl Ports {
    /// All pairs of `range`; `None` when it holds none.
    pub fn new(bind_ip: IpAddr, range: &RangeInclusive<u16>, seed: &mut Seed) -> Option<Ports> {
        let mut free: Vec<u16> = range
            .clone()
            .filter(|port| *port > 0 && port % 2 == 0 && port.checked_add(1).is_some_and(|next| range.contains(&next)))
            .collect();
        for at in (1..free.len()).rev() {
            free.swap(at, seed.next() as usize % (at + 1));
        }
        let pairs = free.len();
        let inner = Mutex::new(Inner { free: free.into(), open: HashSet::new() });
        (pairs > 0).then_some(Ports { bind_ip, pairs, inner })
    }

    /// Binds the next free pair. Ports that another process holds are passed over and tried again later.
    pub fn open(self: &Arc<Ports>, stream: StreamId) -> Result<Pair, OpenError> {
        {
            let mut inner = self.lock();
            if inner.open.len() >= limits::STREAMS_MAX {
                return Err(OpenError::TooManyStreams);
            }
            if !inner.open.insert(stream) {
                return Err(OpenError::AlreadyOpen);
            }
        }
        // From here on dropping the lease undoes the insert; port 0 stands for none.
        let mut lease = Lease { ports: self.clone(), stream, rtp_port: 0 };
        for _ in 0..self.pairs {
            let Some(port) = self.lock().free.pop_front() else { break };
            lease.rtp_port = port;
            match bind(self.bind_ip, port).and_then(|rtp| Ok((rtp, bind(self.bind_ip, port + 1)?))) {
                Ok((rtp, rtcp)) => return Ok(Pair { rtp, rtcp, lease }),
                Err(error) if error.kind() == io::ErrorKind::AddrInUse => {
                    self.lock().free.push_back(port);
                    lease.rtp_port = 0;
                }
                Err(error) => return Err(OpenError::Socket(error)),
            }
        }
        Err(OpenError::PortsExhausted { pairs: self.pairs })
    }

    #[cfg(test)]
    fn open_streams(&self) -> usize {
        self.lock().open.len()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Inner> {
        // A panic cannot leave the two collections half changed: each is touched by one call.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Pair {
    /// The even port.
    pub fn rtp_port(&self) -> u16 {
        self.lease.rtp_port
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        let mut inner = self.ports.lock();
        inner.open.remove(&self.stream);
        if self.rtp_port != 0 {
            inner.free.push_back(self.rtp_port);
        }
    }
}

fn bind(ip: IpAddr, port: u16) -> io::Result<UdpSocket> {
    let socket = UdpSocket::bind((ip, port))?;
    socket.set_nonblocking(true)?;
    Ok(socket)
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOCALHOST: IpAddr = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);

    /// A range of `pairs` pairs that are very likely free: around a port the system has just given us.
    fn range(pairs: u16) -> RangeInclusive<u16> {
        let port = UdpSocket::bind((LOCALHOST, 0)).and_then(|socket| socket.local_addr()).expect("a port").port();
        let first = (port.min(60_000) + 2) & !1;
        first..=first + 2 * pairs - 1
    }

    #[test]
    fn only_whole_pairs_of_the_range_are_used() {
        let pairs = |range| Ports::new(LOCALHOST, &range, &mut Seed::new()).map(|ports| ports.pairs);
        assert_eq!(pairs(10_000..=10_009), Some(5));
        assert_eq!(pairs(10_001..=10_010), Some(4), "10001 and 10010 have no partner");
        assert_eq!(pairs(10_001..=10_002), None);
        assert_eq!(pairs(65_534..=65_535), Some(1));
        assert_eq!(pairs(0..=1), None, "port 0 is no port");
    }

    #[test]
    fn a_pair_is_free_again_when_its_sockets_are_dropped() {
        let ports = Arc::new(Ports::new(LOCALHOST, &range(2), &mut Seed::new()).expect("pairs"));
        for round in 0..1_000 {
            let first = ports.open(StreamId(round)).expect("a pair");
            let second = ports.open(StreamId(round + 10_000)).expect("a pair");
            assert!(matches!(ports.open(StreamId(7_777_777)), Err(OpenError::PortsExhausted { pairs: 2 })));
            assert_eq!(ports.open_streams(), 2);
            drop((first, second));
        }
        assert_eq!(ports.open_streams(), 0);
    }

    #[test]
    fn a_stream_is_open_only_once() {
        let ports = Arc::new(Ports::new(LOCALHOST, &range(2), &mut Seed::new()).expect("pairs"));
        let first = ports.open(StreamId(1)).expect("a pair");
        assert!(matches!(ports.open(StreamId(1)), Err(OpenError::AlreadyOpen)));
        drop(first);
        assert!(ports.open(StreamId(1)).is_ok());
    }

    #[test]
    fn a_port_that_somebody_else_holds_is_passed_over() {
        let range = range(2);
        let ports = Arc::new(Ports::new(LOCALHOST, &range, &mut Seed::new()).expect("pairs"));
        let foreign = UdpSocket::bind((LOCALHOST, range.start() + 1)).expect("free until now");
        let ours = ports.open(StreamId(1)).expect("the other pair");
        assert_eq!(ours.rtp_port(), range.start() + 2);
        assert!(matches!(ports.open(StreamId(2)), Err(OpenError::PortsExhausted { .. })));
        drop(foreign);
        assert!(ports.open(StreamId(2)).is_ok());
    }
}
