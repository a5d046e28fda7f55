//! Free ports on the loopback interface.
//!
//! The programs under test are told a port rather than asked for one, so there is a moment between finding a port and using
//! it. Ports are taken where the kernel gives them out, never twice in one process, and such tests run one at a time.

use anyhow::{Context, Result, bail};
use std::{
    collections::HashSet,
    net::{Ipv4Addr, SocketAddr, TcpListener, UdpSocket},
    sync::{Mutex, PoisonError},
};

/// Tries before giving up: a port free for TCP may be taken for UDP.
const TRIES_MAX: usize = 100;

/// Where ranges are looked for; Linux gives out ports from 32,768 on.
const RANGES_FROM: u16 = 10_000;
const RANGES_TO: u16 = 32_000;

static GIVEN_OUT: Mutex<Option<HashSet<u16>>> = Mutex::new(None);

/// A port that is free for UDP and TCP on 127.0.0.1.
pub fn free() -> Result<u16> {
    for _ in 0..TRIES_MAX {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).context("no free TCP port")?;
        let port = listener.local_addr()?.port();
        let Some(next) = port.checked_add(1) else { continue };
        // baresip listens for TLS on the port after its own, whether it is wanted or not.
        let is_free = UdpSocket::bind((Ipv4Addr::LOCALHOST, port)).is_ok() && TcpListener::bind((Ipv4Addr::LOCALHOST, next)).is_ok();
        let mut given_out = GIVEN_OUT.lock().unwrap_or_else(PoisonError::into_inner);
        let given_out = given_out.get_or_insert_default();
        if is_free && !given_out.contains(&next) && given_out.insert(port) {
            given_out.insert(next);
            return Ok(port);
        }
    }
    bail!("no port is free for both UDP and TCP")
}

/// The same as an address.
pub fn free_address() -> Result<SocketAddr> {
    Ok((Ipv4Addr::LOCALHOST, free()?).into())
}

/// The first of `count` neighboring ports, even, all free for UDP: what a telephone needs for audio.
///
/// They are looked for below the ports the kernel gives out by itself, where a busy machine has no 200 free in a row.
pub fn free_range(count: u16) -> Result<u16> {
    let step = count.next_multiple_of(2);
    let places = (RANGES_TO - RANGES_FROM) / step;
    // Processes that run at the same time begin at different places.
    let begin = std::process::id() as u16 % places;
    for place in 0..places {
        let first = RANGES_FROM + (begin + place) % places * step;
        let mut given_out = GIVEN_OUT.lock().unwrap_or_else(PoisonError::into_inner);
        if !given_out.get_or_insert_default().insert(first) {
            continue;
        }
        let held = (first..first + count).map_while(|port| UdpSocket::bind((Ipv4Addr::LOCALHOST, port)).ok()).count();
        if held == usize::from(count) {
            return Ok(first);
        }
    }
    bail!("no {count} neighboring ports are free")
}
