//! One media thread: waits for packets, ticks and commands, and calls what handles them.
//!
//! Decides the order of work within one wake-up: commands first, because the packets that wait with them were mostly
//! caused by what the commands tell; then packets and ticks as they came. The thread sleeps in the kernel when nothing is there; ticks run only while it has
//! streams.

use std::collections::HashMap;
use std::io;
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::time::{Duration, Instant};

use rustix::buffer::spare_capacity;
use rustix::event::{EventfdFlags, epoll, eventfd};
use rustix::time::{Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec, timerfd_create, timerfd_settime};

use crate::engine::clock::{Clock, samples};
use crate::engine::edit::Edit;
use crate::engine::pace::{PHASES, TICK_MS};
use crate::engine::ports::Pair;
use crate::engine::recording::Recording;
use crate::engine::seed::Seed;
use crate::engine::slab::{Key, Slab};
use crate::engine::stream::Stream;
use crate::engine::tally::Tally;
use crate::engine::{Config, Event};
use crate::ids::{GroupId, RecordingId, StreamId};
use crate::limits;
use crate::record::Recorder;
use crate::rtp::HEADER_BYTES;

/// What all shards of an engine share.
pub(super) struct Shared {
    pub config: Config,
    pub events: Arc<dyn Fn(Event) + Send + Sync>,
}

/// What a shard is told.
pub(super) enum Command {
    Open { group: GroupId, stream: StreamId, sockets: Pair },
    Apply { group: GroupId, edits: Vec<Edit> },
    Shutdown,
}

/// The way to a running shard.
pub(super) struct Handle {
    commands: SyncSender<Command>,
    wake: Arc<OwnedFd>,
    pub tally: Arc<Tally>,
}

impl Handle {
    /// Hands over a command; false when the shard has ended.
    pub fn send(&self, command: Command) -> bool {
        let sent = self.commands.send(command).is_ok();
        // Fails only when the counter is full, and then the shard has been woken often enough.
        let _ = rustix::io::write(&*self.wake, &1u64.to_ne_bytes());
        sent
    }
}

/// What the kernel says is ready.
enum Ready {
    Wake,
    Timer,
    Rtp(Key),
    Rtcp(Key),
}

/// From this many packets per tick (4,000 a second, 40 calls) packets are left to gather.
const BUSY_PACKETS_PER_TICK: u64 = 20;

/// How long they gather: 5 % of a packet's length, and far below what a listener or a jitter buffer notices.
const GATHER: Duration = Duration::from_millis(1);

const WAKE: u64 = u64::MAX;
const TIMER: u64 = u64::MAX - 1;

impl Ready {
    fn token(self) -> epoll::EventData {
        let socket = |key: Key, rtcp: u64| u64::from(key.generation) << 32 | u64::from(key.index) << 1 | rtcp;
        epoll::EventData::new_u64(match self {
            Ready::Wake => WAKE,
            Ready::Timer => TIMER,
            Ready::Rtp(key) => socket(key, 0),
            Ready::Rtcp(key) => socket(key, 1),
        })
    }

    fn of(token: epoll::EventData) -> Ready {
        match token.u64() {
            WAKE => Ready::Wake,
            TIMER => Ready::Timer,
            token => {
                let key = Key { index: token as u32 >> 1, generation: (token >> 32) as u32 };
                if token & 1 == 0 { Ready::Rtp(key) } else { Ready::Rtcp(key) }
            }
        }
    }
}

pub(super) struct Shard {
    pub shared: Arc<Shared>,
    pub recorder: Recorder,
    pub tally: Arc<Tally>,
    pub clock: Clock,
    pub seed: Seed,
    commands: Receiver<Command>,
    epoll: OwnedFd,
    wake: Arc<OwnedFd>,
    timer: OwnedFd,
    ticking: bool,
    /// Packets since the last tick.
    received: u64,
    /// Whether so many come that it pays to let them gather.
    busy: bool,
    pub tick: u64,
    pub streams: Slab<Stream>,
    pub stream_numbers: HashMap<StreamId, u32>,
    /// Open streams of each group.
    pub groups: HashMap<GroupId, u32>,
    pub recordings: Slab<Recording>,
    pub recording_numbers: HashMap<RecordingId, u32>,
    pub paced: [Vec<u32>; PHASES],
    /// The datagram being handled.
    pub datagram: Box<[u8; limits::DATAGRAM_BYTES_MAX]>,
    /// A packet being built.
    pub scratch: Box<[u8; HEADER_BYTES + limits::DATAGRAM_BYTES_MAX]>,
    /// A packet being encrypted.
    pub sealed: Box<[u8; limits::SENT_BYTES_MAX]>,
}

impl Shard {
    /// Prepares a shard and the way to it; [`Shard::run`] is for its thread.
    pub fn new(shared: Arc<Shared>, recorder: Recorder, clock: Clock) -> io::Result<(Shard, Handle)> {
        let (sender, commands) = sync_channel(limits::COMMANDS_MAX);
        let epoll = epoll::create(epoll::CreateFlags::CLOEXEC)?;
        let wake = Arc::new(eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?);
        let timer = timerfd_create(TimerfdClockId::Monotonic, TimerfdFlags::CLOEXEC | TimerfdFlags::NONBLOCK)?;
        epoll::add(&epoll, &*wake, Ready::Wake.token(), epoll::EventFlags::IN)?;
        epoll::add(&epoll, &timer, Ready::Timer.token(), epoll::EventFlags::IN)?;
        let tally = Arc::new(Tally::default());
        let handle = Handle { commands: sender, wake: wake.clone(), tally: tally.clone() };
        let shard = Shard {
            shared,
            recorder,
            tally,
            clock,
            seed: Seed::new(),
            commands,
            epoll,
            wake,
            timer,
            ticking: false,
            received: 0,
            busy: false,
            tick: 0,
            streams: Slab::new(),
            stream_numbers: HashMap::new(),
            groups: HashMap::new(),
            recordings: Slab::new(),
            recording_numbers: HashMap::new(),
            paced: Default::default(),
            datagram: Box::new([0; limits::DATAGRAM_BYTES_MAX]),
            scratch: Box::new([0; HEADER_BYTES + limits::DATAGRAM_BYTES_MAX]),
            sealed: Box::new([0; limits::SENT_BYTES_MAX]),
        };
        Ok((shard, handle))
    }

    /// Works until [`Command::Shutdown`].
    pub fn run(mut self) {
        let mut ready = Vec::with_capacity(limits::READY_SOCKETS_PER_WAKE);
        loop {
            ready.clear();
            match epoll::wait(&self.epoll, spare_capacity(&mut ready), None) {
                Ok(_) | Err(rustix::io::Errno::INTR) => {}
                Err(error) => {
                    // Cannot happen with valid descriptors; ending the thread beats spinning.
                    tracing::error!(%error, "the media thread cannot wait for packets and ends");
                    self.close_everything();
                    return;
                }
            }
            let woke = Instant::now();
            let now = self.clock.at(woke);
            if ready.iter().any(|event| matches!(Ready::of(event.data), Ready::Wake)) && !self.commands(now) {
                return;
            }
            for event in &ready {
                match Ready::of(event.data) {
                    Ready::Wake => {}
                    Ready::Timer => {
                        let expired = self.expirations();
                        self.busy = self.received >= BUSY_PACKETS_PER_TICK * expired;
                        self.received = 0;
                        self.ticks(expired, now);
                    }
                    Ready::Rtp(key) if self.streams.holds(key) => {
                        self.received += 1;
                        self.receive_rtp(key.index, now);
                    }
                    Ready::Rtcp(key) if self.streams.holds(key) => {
                        self.receive_rtcp(key.index, now);
                    }
                    // Closed in this wake-up.
                    Ready::Rtp(_) | Ready::Rtcp(_) => {}
                }
            }
            self.gather(woke);
        }
    }

    /// Lets packets gather if there are many: waking for each of them costs more than relaying it. A shard that is
    /// behind has `woke` long ago and does not wait at all.
    fn gather(&self, woke: Instant) {
        if self.busy
            && let Some(rest) = GATHER.checked_sub(woke.elapsed())
        {
            // A signal may end it early, which does no harm.
            let _ = rustix::thread::nanosleep(&Timespec { tv_sec: 0, tv_nsec: i64::from(rest.subsec_nanos()) });
        }
    }

    /// Ticks since the last look at the timer.
    fn expirations(&self) -> u64 {
        let mut bytes = [0; 8];
        match rustix::io::read(&self.timer, &mut bytes) {
            Ok(8) => u64::from_ne_bytes(bytes),
            _ => 0,
        }
    }

    /// Carries out what has been commanded; false when it is over.
    fn commands(&mut self, now: u64) -> bool {
        // Before the queue is emptied: whatever comes after this wakes us again.
        let _ = rustix::io::read(&*self.wake, &mut [0u8; 8]);
        while let Ok(command) = self.commands.try_recv() {
            match command {
                Command::Open { group, stream, sockets } => self.open(group, stream, sockets, now),
                Command::Apply { group, edits } => self.apply(group, edits, now),
                Command::Shutdown => {
                    self.close_everything();
                    return false;
                }
            }
        }
        self.tick_if_needed();
        true
    }

    fn open(&mut self, group: GroupId, id: StreamId, sockets: Pair, now: u64) {
        let interval = samples(self.shared.config.rtcp_interval_ms);
        let stream = Stream::new(id, group, sockets, now, interval, &mut self.seed);
        let key = self.streams.insert(stream);
        let Some(stream) = self.streams.get(key.index) else { return };
        let added = epoll::add(&self.epoll, &stream.sockets.rtp, Ready::Rtp(key).token(), epoll::EventFlags::IN)
            .and_then(|()| epoll::add(&self.epoll, &stream.sockets.rtcp, Ready::Rtcp(key).token(), epoll::EventFlags::IN));
        if let Err(error) = added {
            // The stream stays, deaf: its owner is told by silence, and closing it still works.
            tracing::error!(%error, stream = id.0, "the kernel does not watch a media socket");
        }
        self.stream_numbers.insert(id, key.index);
        *self.groups.entry(group).or_default() += 1;
        self.tally.streams.set(self.streams.len() as u64);
    }

    /// Runs the media clock while there is anything to look after.
    fn tick_if_needed(&mut self) {
        let needed = self.streams.len() > 0 || self.recordings.len() > 0;
        if needed == self.ticking {
            return;
        }
        let period = Timespec { tv_sec: 0, tv_nsec: if needed { TICK_MS as i64 * 1_000_000 } else { 0 } };
        // A periodic kernel timer does not drift: each expiration is computed from the one before, not from our read.
        match timerfd_settime(&self.timer, TimerfdTimerFlags::empty(), &Itimerspec { it_interval: period, it_value: period }) {
            Ok(_) => self.ticking = needed,
            Err(error) => tracing::error!(%error, "the media clock cannot be set"),
        }
    }

    fn close_everything(&mut self) {
        let now = self.clock.now();
        for index in 0..self.recordings.end() {
            self.finish_recording(index, now);
        }
        for index in 0..self.streams.end() {
            self.close(index, now);
        }
    }
}
