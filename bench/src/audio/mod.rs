//! Audio of the calls: a packet every 20 ms in each direction, each carrying when it was sent.
//!
//! Streams share a few sockets: the peer tells its streams apart by its own ports, and we tell ours apart by what is in the
//! packet. Loss is exact: a packet counts as sent and as received by its own time of sending, so that packets on their way at
//! the borders of the window are never counted on one side only.
//!
//! # Layout
//!
//! `packet` (what is in a packet) → `received` (what arrived) → this file (sockets, threads, the pace).

pub mod packet;
mod received;

use crate::{
    histogram::Histogram,
    timers::{Clock, MS, Nanos},
};
use packet::{PACKET_BYTES, Stamp};
use received::Received;
use std::{
    io,
    net::{IpAddr, SocketAddr, UdpSocket},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

/// Sockets that streams share. More would wake more receivers for fewer packets each; fewer would fill their buffers sooner.
const SOCKETS: usize = 4;
/// Receive buffer in bytes: a tenth of a second of packets for a quarter of 2,000 calls, at some 770 bytes of kernel memory each.
const BUFFER_BYTES: usize = 4 << 20;
/// Attempts to get an even port.
const PORT_ATTEMPTS: usize = 64;
/// Ticks in which all streams send once.
const TICKS_PER_PACKET: u64 = 20;
/// How far the sender may fall behind before it gives up catching up, in ticks.
const BEHIND_MAX: u64 = 100;
/// Streams of a run: as many as a packet can name.
const STREAMS_MAX: usize = packet::STREAMS_MAX;
/// How often idle receivers look whether they are to stop.
const STOP_CHECK: Duration = Duration::from_millis(200);

/// A stream that we send, and the port its counterpart arrives at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StreamId(usize);

#[derive(Clone, Copy)]
struct Stream {
    to: Option<SocketAddr>,
    count: u32,
}

/// Sockets, streams and figures.
pub struct Audio {
    clock: Clock,
    sockets: Vec<UdpSocket>,
    addresses: Vec<SocketAddr>,
    /// Without it nothing is sent and what arrives is left to the kernel.
    is_flowing: bool,
    streams: Mutex<Vec<Stream>>,
    received: Vec<Mutex<Received>>,
    window_from: AtomicU64,
    window_to: AtomicU64,
    sent: AtomicU64,
    send_errors: AtomicU64,
    lateness: Mutex<Histogram>,
    stop: AtomicBool,
}

/// Figures of one window.
pub struct Heard {
    /// Packets sent in the window.
    pub sent: u64,
    /// Packets of those that arrived.
    pub received: u64,
    /// Packets the kernel did not take from us.
    pub send_errors: u64,
    /// Packets that are none of ours: prompts, tones, comfort noise.
    pub foreign: u64,
    /// Packets that came after a later one, or twice.
    pub disordered: u64,
    /// Streams that were heard at all.
    pub streams: usize,
    /// From sending to receiving.
    pub delay: Histogram,
    /// Jitter (RFC 3550 §6.4.1) of each stream at its end.
    pub jitter: Histogram,
    /// How late the sender was.
    pub lateness: Histogram,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // A panic elsewhere ends the program anyway; figures are not worth a second one.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Audio {
    /// Opens sockets at this address. With `is_flowing`, [`Audio::spawn`] has to follow.
    pub fn open(ip: IpAddr, clock: Clock, is_flowing: bool) -> io::Result<Audio> {
        let sockets: Vec<UdpSocket> = (0..if is_flowing { SOCKETS } else { 2 }).map(|_| even_port(ip)).collect::<io::Result<_>>()?;
        let addresses = sockets.iter().map(UdpSocket::local_addr).collect::<io::Result<_>>()?;
        Ok(Audio {
            clock,
            received: sockets.iter().map(|_| Mutex::new(Received::default())).collect(),
            sockets,
            addresses,
            is_flowing,
            streams: Mutex::default(),
            window_from: AtomicU64::new(u64::MAX),
            window_to: AtomicU64::new(u64::MAX),
            sent: AtomicU64::new(0),
            send_errors: AtomicU64::new(0),
            lateness: Mutex::default(),
            stop: AtomicBool::new(false),
        })
    }

    /// A port for a new stream. It sends once it is connected.
    pub fn reserve(&self) -> StreamId {
        let mut streams = lock(&self.streams);
        if self.is_flowing && streams.len() < STREAMS_MAX {
            streams.push(Stream { to: None, count: 0 });
        }
        StreamId(streams.len().saturating_sub(1))
    }

    /// Where the stream's counterpart is to be sent to.
    pub fn address(&self, stream: StreamId) -> SocketAddr {
        self.addresses[stream.0 % self.addresses.len()]
    }

    /// Begins or goes on sending, to this address.
    pub fn connect(&self, stream: StreamId, to: SocketAddr) {
        if let Some(stream) = lock(&self.streams).get_mut(stream.0) {
            stream.to = Some(to);
        }
    }

    /// Ends sending.
    pub fn release(&self, stream: StreamId) {
        if let Some(stream) = lock(&self.streams).get_mut(stream.0) {
            stream.to = None;
        }
    }

    /// Streams that send.
    pub fn sending(&self) -> usize {
        lock(&self.streams).iter().filter(|stream| stream.to.is_some()).count()
    }

    /// Forgets all streams and figures. Nothing may be up.
    pub fn reset(&self) {
        self.window_from.store(u64::MAX, Ordering::SeqCst);
        self.window_to.store(u64::MAX, Ordering::SeqCst);
        lock(&self.streams).clear();
        self.sent.store(0, Ordering::SeqCst);
        self.send_errors.store(0, Ordering::SeqCst);
        *lock(&self.lateness) = Histogram::default();
        for received in &self.received {
            *lock(received) = Received::default();
        }
    }

    /// Measures what is sent from `from` to `to`.
    pub fn measure(&self, from: Nanos, to: Nanos) {
        self.window_to.store(to, Ordering::SeqCst);
        self.window_from.store(from, Ordering::SeqCst);
    }

    fn is_measured(&self, sent_at: Nanos) -> bool {
        sent_at >= self.window_from.load(Ordering::Relaxed) && sent_at < self.window_to.load(Ordering::Relaxed)
    }

    /// The figures so far.
    pub fn heard(&self) -> Heard {
        let mut heard = Heard {
            sent: self.sent.load(Ordering::SeqCst),
            received: 0,
            send_errors: self.send_errors.load(Ordering::SeqCst),
            foreign: 0,
            disordered: 0,
            streams: 0,
            delay: Histogram::default(),
            jitter: Histogram::default(),
            lateness: lock(&self.lateness).clone(),
        };
        for received in &self.received {
            lock(received).add_to(&mut heard);
        }
        heard
    }

    /// Starts the threads.
    pub fn spawn(self: &Arc<Self>) -> io::Result<Vec<JoinHandle<()>>> {
        let mut threads = Vec::new();
        for index in 0..self.sockets.len() {
            self.sockets[index].set_read_timeout(Some(STOP_CHECK))?;
            let audio = self.clone();
            threads.push(thread::Builder::new().name(format!("rtp-in-{index}")).spawn(move || audio.receive(index))?);
        }
        let audio = self.clone();
        threads.push(thread::Builder::new().name("rtp-out".to_owned()).spawn(move || audio.send())?);
        Ok(threads)
    }

    /// Ends the threads.
    pub fn stop(&self) {
        self.stop.store(true, Ordering::SeqCst);
    }

    fn receive(&self, index: usize) {
        let mut buffer = [0_u8; 2_048];
        while !self.stop.load(Ordering::Relaxed) {
            let Ok((len, _)) = self.sockets[index].recv_from(&mut buffer) else { continue };
            let now = self.clock.now();
            let mut received = lock(&self.received[index]);
            match packet::read(&buffer[..len]) {
                Some(stamp) if self.is_measured(stamp.sent_at) => received.record(&stamp, now),
                Some(_) => {}
                None => received.foreign += 1,
            }
        }
    }

    /// Every millisecond a twentieth of the streams sends, so that the load is even.
    fn send(&self) {
        let start = self.clock.now();
        let mut tick = 0_u64;
        let mut due: Vec<(usize, SocketAddr, u32)> = Vec::new();
        let mut packet = [0_u8; PACKET_BYTES];
        while !self.stop.load(Ordering::Relaxed) {
            let at = start + tick * MS;
            let now = self.clock.now();
            if now < at {
                thread::sleep(Duration::from_nanos(at - now));
                continue;
            }
            due.clear();
            {
                let mut streams = lock(&self.streams);
                let mut index = (tick % TICKS_PER_PACKET) as usize;
                while let Some(stream) = streams.get_mut(index) {
                    if let Some(to) = stream.to {
                        due.push((index, to, stream.count));
                        stream.count = stream.count.wrapping_add(1);
                    }
                    index += TICKS_PER_PACKET as usize;
                }
            }
            if !due.is_empty() && self.is_measured(now) {
                lock(&self.lateness).record(now - at);
            }
            for (stream, to, count) in &due {
                let stamp = Stamp { stream: *stream, count: *count, sent_at: self.clock.now() / 1_000 * 1_000 };
                packet::write(&mut packet, &stamp);
                let outcome = self.sockets[stream % self.sockets.len()].send_to(&packet, to);
                let is_measured = self.is_measured(stamp.sent_at);
                self.sent.fetch_add(u64::from(is_measured), Ordering::Relaxed);
                self.send_errors.fetch_add(u64::from(outcome.is_err()), Ordering::Relaxed);
            }
            let behind = self.clock.now().saturating_sub(at) / MS;
            tick += if behind > BEHIND_MAX { behind } else { 1 };
        }
    }
}

/// A socket with an even port, as RTP wants it (RFC 3550 §11).
fn even_port(ip: IpAddr) -> io::Result<UdpSocket> {
    let mut last = None;
    for _ in 0..PORT_ATTEMPTS {
        let socket = UdpSocket::bind(SocketAddr::new(ip, 0))?;
        if socket.local_addr()?.port().is_multiple_of(2) {
            socket2::SockRef::from(&socket).set_recv_buffer_size(BUFFER_BYTES)?;
            return Ok(socket);
        }
        // Kept until the next one is there, so that the same port is not given again.
        last = Some(socket);
    }
    drop(last);
    Err(io::Error::other("no even port is free"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Instant;

    #[test]
    fn two_streams_sent_to_each_other_arrive_complete_and_in_order() {
        let clock = Clock::start();
        let audio = Arc::new(Audio::open(IpAddr::from([127, 0, 0, 1]), clock, true).unwrap());
        let (one, two) = (audio.reserve(), audio.reserve());
        assert_ne!(audio.address(one), audio.address(two));
        audio.measure(clock.now(), clock.now() + 200 * MS);
        audio.connect(one, audio.address(two));
        audio.connect(two, audio.address(one));
        let threads = audio.spawn().unwrap();
        let deadline = Instant::now() + Duration::from_secs(10);
        while (audio.clock.now() < audio.window_to.load(Ordering::SeqCst) || audio.heard().received < audio.heard().sent)
            && Instant::now() < deadline
        {
            thread::yield_now();
        }
        let heard = audio.heard();
        assert!(heard.sent >= 10, "{} packets sent in 200 ms", heard.sent);
        assert_eq!((heard.received, heard.streams, heard.disordered, heard.foreign), (heard.sent, 2, 0, 0));
        audio.release(one);
        assert_eq!(audio.sending(), 1);
        audio.stop();
        threads.into_iter().for_each(|thread| thread.join().unwrap());
    }

    #[test]
    fn silent_audio_has_ports_but_no_streams() {
        let audio = Audio::open(IpAddr::from([127, 0, 0, 1]), Clock::start(), false).unwrap();
        let stream = audio.reserve();
        audio.connect(stream, audio.address(stream));
        assert_eq!(audio.sending(), 0);
        assert!(audio.address(stream).port().is_multiple_of(2));
    }
}
