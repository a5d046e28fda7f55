//! The media threads and the handle to them.
//!
//! Decides on which thread a call lives (all streams of a group on one), which ports it gets, and carries commands in
//! and events out. What happens to a packet is decided in `shard`; nothing here runs per packet. Left out: any
//! notion of a call beyond "these streams may hear each other".

mod apply;
mod bridge;
mod clock;
mod control;
mod edit;
mod event;
mod latch;
mod mix;
mod outgoing;
mod pace;
mod play;
mod ports;
mod protection;
mod recording;
mod seed;
mod shard;
mod slab;
mod stream;
mod tally;
mod voice;

use std::net::{IpAddr, UdpSocket};
use std::ops::RangeInclusive;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};

pub use edit::{Direction, Edit, Remote, Repeat, Source};
pub use event::{Counters, Event, Figures, Report};

use crate::engine::clock::Clock;
use crate::engine::ports::Ports;
use crate::engine::seed::Seed;
use crate::engine::shard::{Command, Shard};
use crate::ids::{GroupId, StreamId};
use crate::limits;
use crate::record::{self, Recorder};

/// How the engine runs.
#[derive(Debug, Clone)]
pub struct Config {
    /// Address that the sockets are bound to; `0.0.0.0` or `::` for all.
    pub bind_ip: IpAddr,
    /// Address that is given to the other end ([`LocalAddress::ip`]).
    pub advertised_ip: IpAddr,
    /// Ports to use: each stream takes an even one for RTP and the next odd one for RTCP.
    pub ports: RangeInclusive<u16>,
    /// Media threads, at most [`crate::limits::SHARDS_MAX`]; one per core that media may use.
    pub shards: usize,
    /// Silence of the other end after which [`Event::Quiet`] is raised, in milliseconds; 30,000 is usual.
    pub quiet_ms: u64,
    /// Time without a packet of ours after which one frame of silence is sent, so that address translators and
    /// firewalls stay open, in milliseconds; 1,000 is usual.
    pub keep_open_ms: u64,
    /// Mean time between two RTCP reports of a stream, in milliseconds; RFC 3550 §6.2 says 5,000.
    pub rtcp_interval_ms: u64,
    /// How recordings are written.
    pub recordings: record::Config,
}

impl Config {
    /// Usual values for everything that has one: as many shards as cores, quiet after 30 s, paths kept open each
    /// second, RTCP every 5 s.
    pub fn new(bind_ip: IpAddr, advertised_ip: IpAddr, ports: RangeInclusive<u16>, recordings: record::Config) -> Config {
        let shards = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        Config { bind_ip, advertised_ip, ports, shards, quiet_ms: 30_000, keep_open_ms: 1_000, rtcp_interval_ms: 5_000, recordings }
    }
}

/// Where a stream can be reached: what goes into our session description.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LocalAddress {
    /// [`Config::advertised_ip`].
    pub ip: IpAddr,
    /// Even.
    pub rtp_port: u16,
    /// `rtp_port + 1`.
    pub rtcp_port: u16,
}

/// Why an engine does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The port range holds no pair of an even port and its successor.
    #[error("the port range {first}-{last} holds no pair of an even and the following odd port")]
    NoPorts {
        /// First port of the range.
        first: u16,
        /// Last port of the range.
        last: u16,
    },
    /// The number of media threads is 0 or above [`crate::limits::SHARDS_MAX`].
    #[error("{0} media threads were asked for; 1 to {max} are possible", max = crate::limits::SHARDS_MAX)]
    Shards(usize),
    /// The address cannot be bound on this machine.
    #[error("cannot bind a socket to {ip}: {source}")]
    Bind {
        /// [`Config::bind_ip`].
        ip: IpAddr,
        /// What the system said.
        source: std::io::Error,
    },
    /// The system has no more threads, file descriptors or timers.
    #[error("cannot start a media thread: {0}")]
    Thread(std::io::Error),
}

/// Why a stream cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// All ports of the range are in use.
    #[error("all {pairs} port pairs of the range are in use")]
    PortsExhausted {
        /// Pairs in the range.
        pairs: usize,
    },
    /// [`crate::limits::STREAMS_MAX`] streams are open.
    #[error("{max} streams are open, more are not possible", max = crate::limits::STREAMS_MAX)]
    TooManyStreams,
    /// A stream of this name is open.
    #[error("the stream is open already")]
    AlreadyOpen,
    /// The system refuses another socket (file descriptors, memory).
    #[error("cannot open a socket: {0}")]
    Socket(std::io::Error),
    /// The engine has been shut down.
    #[error("the media engine has been shut down")]
    ShutDown,
}

/// The handle to the media threads; clones are the same engine. When the last one is dropped the engine shuts down.
#[derive(Clone)]
pub struct Engine {
    inner: Arc<Inner>,
}

struct Inner {
    advertised_ip: IpAddr,
    ports: Arc<Ports>,
    recorder: Recorder,
    shards: Vec<shard::Handle>,
    threads: Mutex<Vec<JoinHandle<()>>>,
    closed: AtomicBool,
}

impl Engine {
    /// Starts the media threads and the recorder. `events` is called from these threads: it must return at once (push
    /// into a queue), and must not call the engine. Raises the process's soft limit of open files to the hard limit,
    /// because each stream needs two sockets.
    ///
    /// # Errors
    /// See [`StartError`].
    pub fn start(config: Config, events: impl Fn(Event) + Send + Sync + 'static) -> Result<Engine, StartError> {
        if !(1..=limits::SHARDS_MAX).contains(&config.shards) {
            return Err(StartError::Shards(config.shards));
        }
        let no_ports = StartError::NoPorts { first: *config.ports.start(), last: *config.ports.end() };
        let ports = Ports::new(config.bind_ip, &config.ports, &mut Seed::new()).ok_or(no_ports)?;
        UdpSocket::bind((config.bind_ip, 0)).map_err(|source| StartError::Bind { ip: config.bind_ip, source })?;
        raise_open_files();
        let events: Arc<dyn Fn(Event) + Send + Sync> = Arc::new(events);
        let recorder = {
            let events = events.clone();
            Recorder::start(config.recordings.clone(), move |event| events(event.into()))
        };
        let advertised_ip = config.advertised_ip;
        let count = config.shards;
        let shared = Arc::new(shard::Shared { config, events });
        let clock = Clock::start();
        let (mut shards, mut threads) = (Vec::with_capacity(count), Vec::with_capacity(count));
        for number in 0..count {
            let (shard, handle) = Shard::new(shared.clone(), recorder.clone(), clock).map_err(StartError::Thread)?;
            let thread = thread::Builder::new().name(format!("media-{number}")).spawn(move || shard.run());
            threads.push(thread.map_err(StartError::Thread)?);
            shards.push(handle);
        }
        let (threads, closed) = (Mutex::new(threads), AtomicBool::new(false));
        let inner = Inner { advertised_ip, ports: Arc::new(ports), recorder, shards, threads, closed };
        Ok(Engine { inner: Arc::new(inner) })
    }

    /// Opens a stream: binds its two sockets and hands them to the thread of its group. Nothing is sent before
    /// [`Edit::Remote`].
    ///
    /// # Errors
    /// See [`OpenError`].
    pub fn open(&self, group: GroupId, stream: StreamId) -> Result<LocalAddress, OpenError> {
        if self.inner.closed.load(Ordering::Acquire) {
            return Err(OpenError::ShutDown);
        }
        let sockets = self.inner.ports.open(stream)?;
        let rtp_port = sockets.rtp_port();
        if !self.inner.shard(group).send(Command::Open { group, stream, sockets }) {
            return Err(OpenError::ShutDown);
        }
        Ok(LocalAddress { ip: self.inner.advertised_ip, rtp_port, rtcp_port: rtp_port + 1 })
    }

    /// Changes a call: all edits take effect in order, with no packet between them. Edits of one group keep the order
    /// of the calls.
    pub fn apply(&self, group: GroupId, edits: Vec<Edit>) {
        self.inner.shard(group).send(Command::Apply { group, edits });
    }

    /// Figures for monitoring; cheap.
    pub fn counters(&self) -> Counters {
        let mut sum = Counters::default();
        for shard in &self.inner.shards {
            shard.tally.add_to(&mut sum);
        }
        sum.recording_blocks_lost = self.inner.recorder.counters().blocks_overflowed;
        sum
    }

    /// Closes every stream (with BYE and [`Event::Closed`]), finishes the recordings and ends the threads. Returns when
    /// all files are complete. Calling it again does nothing.
    pub fn shutdown(&self) {
        self.inner.shutdown();
    }
}

impl Inner {
    fn shard(&self, group: GroupId) -> &shard::Handle {
        // The two halves folded: UUIDs of version 7 differ in both, counters only in the lower.
        let folded = (group.0 ^ (group.0 >> 64)) as u64;
        let mixed = folded.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 32;
        &self.shards[mixed as usize % self.shards.len()]
    }

    fn shutdown(&self) {
        if self.closed.swap(true, Ordering::AcqRel) {
            return;
        }
        for shard in &self.shards {
            shard.send(Command::Shutdown);
        }
        let threads = std::mem::take(&mut *self.threads.lock().unwrap_or_else(PoisonError::into_inner));
        for thread in threads {
            // The last handle may have lived in an event on a media thread: that one cannot wait for itself.
            if thread.thread().id() != thread::current().id() && thread.join().is_err() {
                tracing::error!("a media thread has panicked");
            }
        }
        self.recorder.shutdown();
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.shutdown();
    }
}

/// Lets the process open as many files as it may: distributions start programs with 1,024, which is 250 calls.
fn raise_open_files() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    if current != maximum
        && let Err(error) = setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum })
    {
        tracing::warn!(%error, "the limit of open files cannot be raised");
    }
}
