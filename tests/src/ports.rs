//! Free ports on the loopback interface.
//!
//! The programs under test are told a port rather than asked for one, so there is a moment between finding a port and using
//! it. Ports are never given out twice in one process, and such tests run one at a time.

use anyhow::{Context, Result};
use std::{
    collections::HashSet,
    net::{Ipv4Addr, SocketAddr, TcpListener, UdpSocket},
    ops::Range,
    sync::{Mutex, PoisonError},
};

/// Where single ports are looked for. Linux gives out ports from 32,768 on by itself, to whoever asks in the moment between our
/// finding a port and its use; below, nobody comes in between.
const SINGLES: Range<u16> = 21_000..32_000;
/// Where ranges are looked for.
const RANGES: Range<u16> = 10_000..21_000;

static GIVEN_OUT: Mutex<Option<HashSet<u16>>> = Mutex::new(None);

/// A port that is free for UDP and TCP on 127.0.0.1.
pub fn free() -> Result<u16> {
    // baresip listens for TLS on the port after its own, whether it is wanted or not.
    let is_free = |port: u16| {
        let [udp, tcp] = [UdpSocket::bind((Ipv4Addr::LOCALHOST, port)).is_ok(), TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok()];
        udp && tcp && TcpListener::bind((Ipv4Addr::LOCALHOST, port + 1)).is_ok()
    };
    find(SINGLES, 2, is_free).context("no port is free for both UDP and TCP")
}

/// The first of the places in `range` that is free and was not given out yet.
fn find(range: Range<u16>, step: u16, is_free: impl Fn(u16) -> bool) -> Option<u16> {
    let places = (range.end - range.start) / step;
    // Processes that run at the same time begin at different places, far enough apart for what each needs: their numbers are
    // often neighbors.
    let begin = (u64::from(std::process::id()) * 61 % u64::from(places)) as u16;
    let mut given_out = GIVEN_OUT.lock().unwrap_or_else(PoisonError::into_inner);
    let given_out = given_out.get_or_insert_default();
    (0..places).map(|place| range.start + (begin + place) % places * step).find(|port| given_out.insert(*port) && is_free(*port))
}

/// The same as an address.
pub fn free_address() -> Result<SocketAddr> {
    Ok((Ipv4Addr::LOCALHOST, free()?).into())
}

/// The first of `count` neighboring ports, even, all free for UDP: what a telephone needs for audio.
pub fn free_range(count: u16) -> Result<u16> {
    let is_free = |first: u16| (first..first + count).all(|port| UdpSocket::bind((Ipv4Addr::LOCALHOST, port)).is_ok());
    find(RANGES, count.next_multiple_of(2), is_free).with_context(|| format!("no {count} neighboring ports are free"))
}
