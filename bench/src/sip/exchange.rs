//! Sockets and threads: one that waits for the time, one per socket that waits for messages. The world is behind one lock;
//! reading messages and sending them happens outside it.

use super::{
    outbox::{Outgoing, Side},
    world::World,
};
use crate::timers::{Clock, Nanos};
use dreiklang_sip::message::parse_datagram;
use std::{
    io,
    net::{SocketAddr, UdpSocket},
    sync::{
        Arc, Mutex, MutexGuard, OnceLock, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle, Thread},
    time::Duration,
};

/// Receive buffer in bytes; the kernel gives what it allows. At 5,000 calls a second it holds some 100 ms.
const BUFFER_BYTES: usize = 8 << 20;
/// Largest datagram.
const DATAGRAM_BYTES: usize = 65_535;
/// How often idle threads look whether they are to stop.
const STOP_CHECK: Duration = Duration::from_millis(100);

/// The running generator.
pub struct Exchange {
    world: Mutex<World>,
    /// The one clock.
    pub clock: Clock,
    sockets: [UdpSocket; 2],
    stop: AtomicBool,
    timekeeper: OnceLock<Thread>,
}

/// A socket for signaling.
pub fn open(address: SocketAddr) -> io::Result<UdpSocket> {
    let socket = UdpSocket::bind(address)?;
    let options = socket2::SockRef::from(&socket);
    options.set_recv_buffer_size(BUFFER_BYTES)?;
    options.set_send_buffer_size(BUFFER_BYTES)?;
    socket.set_read_timeout(Some(STOP_CHECK))?;
    Ok(socket)
}

impl Exchange {
    /// Starts the threads.
    pub fn start(world: World, clock: Clock, caller: UdpSocket, answerer: UdpSocket) -> io::Result<(Arc<Exchange>, Vec<JoinHandle<()>>)> {
        let exchange = Arc::new(Exchange {
            world: Mutex::new(world),
            clock,
            sockets: [caller, answerer],
            stop: AtomicBool::new(false),
            timekeeper: OnceLock::new(),
        });
        let mut threads = Vec::new();
        for side in [Side::Caller, Side::Answerer] {
            let exchange = exchange.clone();
            threads.push(thread::Builder::new().name(format!("{side:?}").to_lowercase()).spawn(move || exchange.receive(side))?);
        }
        let own = exchange.clone();
        let timekeeper = thread::Builder::new().name("time".to_owned()).spawn(move || own.keep_time())?;
        // The receivers may have wanted to wake it already: it looks by itself soon enough.
        let _ = exchange.timekeeper.set(timekeeper.thread().clone());
        threads.push(timekeeper);
        Ok((exchange, threads))
    }

    /// Ends the threads.
    pub fn stop(&self) {
        self.stop.store(true, Ordering::SeqCst);
        self.wake();
    }

    fn wake(&self) {
        if let Some(thread) = self.timekeeper.get() {
            thread.unpark();
        }
    }

    fn lock(&self) -> MutexGuard<'_, World> {
        // A panic in another thread ends the run; its figures are not worth a second panic.
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Does something with the world, and sends what comes of it.
    pub fn with<R>(&self, act: impl FnOnce(&mut World) -> R) -> R {
        let mut messages = Vec::new();
        let (result, _) = self.act(&mut messages, |world, now| {
            world.io.now = now;
            act(world)
        });
        self.send(&mut messages);
        // The pace may have changed, which no timer tells.
        self.wake();
        result
    }

    fn act<R>(&self, messages: &mut Vec<Outgoing>, act: impl FnOnce(&mut World, Nanos) -> R) -> (R, bool) {
        let mut world = self.lock();
        let result = act(&mut world, self.clock.now());
        std::mem::swap(messages, &mut world.io.messages);
        (result, world.io.timers.take_moved_ahead())
    }

    fn send(&self, messages: &mut Vec<Outgoing>) {
        for message in messages.drain(..) {
            // What the kernel does not take is lost, and repeated like everything that is lost.
            let _ = self.sockets[message.side as usize].send_to(&message.bytes, message.to);
        }
    }

    fn receive(&self, side: Side) {
        let mut buffer = vec![0; DATAGRAM_BYTES];
        let mut messages = Vec::new();
        while !self.stop.load(Ordering::Relaxed) {
            let Ok((len, from)) = self.sockets[side as usize].recv_from(&mut buffer) else { continue };
            // Keep-alives have no message in them (RFC 5626 §3.5.1).
            if buffer[..len].iter().all(|byte| matches!(byte, b'\r' | b'\n' | 0)) {
                continue;
            }
            let parsed = parse_datagram(&buffer[..len]);
            let (_, is_sooner) = self.act(&mut messages, |world, now| match &parsed {
                Ok(message) => world.on_message(now, side, from, message),
                Err(_) => world.io.tally.malformed += 1,
            });
            self.send(&mut messages);
            if is_sooner {
                self.wake();
            }
        }
    }

    fn keep_time(&self) {
        let mut messages = Vec::new();
        while !self.stop.load(Ordering::Relaxed) {
            let ((is_more_due, next), _) = self.act(&mut messages, |world, now| (world.on_time(now), world.next_due()));
            self.send(&mut messages);
            if is_more_due {
                continue;
            }
            let now = self.clock.now();
            let sleep = next.map_or(STOP_CHECK, |next| Duration::from_nanos(next.saturating_sub(now)).min(STOP_CHECK));
            if !sleep.is_zero() {
                thread::park_timeout(sleep);
            }
        }
    }
}
