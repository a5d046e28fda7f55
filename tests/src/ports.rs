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
pub fn free_range(count: u16) -> Result<u16> {
    for _ in 0..TRIES_MAX {
        let first = free()? & !1;
        let Some(last) = first.checked_add(count) else { continue };
        let held: Vec<_> = (first..last).map_while(|port| UdpSocket::bind((Ipv4Addr::LOCALHOST, port)).ok()).collect();
        if held.len() == usize::from(count) {
            return Ok(first);
        }
    }
    bail!("no {count} neighboring ports are free")
}
