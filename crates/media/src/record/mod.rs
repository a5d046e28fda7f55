//! Recording of calls: stereo WAV files (µ-law, 8 kHz; left = first party, right = second) written by one thread.
//!
//! # Layout
//! - [`Recorder`], [`Config`], [`Event`]: what the media engine and its owner see.
//! - `sink.rs`: [`Sink`], one running recording as the shard of the media engine holds it; gathers payloads into
//!   blocks on the recording's own clock and hands them over without ever blocking.
//! - `writer.rs`: the thread that owns the files, and the one that waits for the disk when a recording ends.
//! - `file.rs`: one growing WAV file whose header is kept current.
//! - `repair.rs`: what a crash left, made whole; and what a finished file says about itself.
//!
//! Decides: what a pause leaves out, where late audio belongs, when a recording must stop (length, disk, limits).
//! Leaves out: whether a call is to be recorded, encryption at rest, retention; those are the server's.

mod file;
mod repair;
mod sink;
mod writer;

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::mpsc::{SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{JoinHandle, Thread};

use crate::ids::RecordingId;
use crate::limits;

pub use repair::{Info, RepairError, Repaired, read_info, repair};
pub use sink::{Channel, Sink};

/// Why a recording is refused after the end.
const SHUT_DOWN: &str = "the recorder has been shut down";

/// How recordings are written.
#[derive(Debug, Clone)]
pub struct Config {
    /// Recordings that may run at the same time; further ones fail at once.
    pub concurrent_max: usize,
    /// Longest single recording in milliseconds; it is finished there, the call goes on.
    pub duration_ms_max: u64,
    /// Bytes that must stay free on the file system; below this no recording starts, and running ones stop. Keeps the
    /// journal, which may live on the same disk, from failing because of audio.
    pub free_bytes_min: u64,
}

impl Default for Config {
    fn default() -> Config {
        Config { concurrent_max: 2_000, duration_ms_max: 8 * 3_600_000, free_bytes_min: 256 << 20 }
    }
}

/// What the recorder reports.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// The file is complete and on the disk.
    Finished {
        /// Which recording.
        recording: RecordingId,
        /// Its file.
        path: PathBuf,
        /// Length in milliseconds, pauses included.
        duration_ms: u64,
        /// Audio that never reached the file because the writer could not keep up or because it came far too late, in
        /// milliseconds of one or both channels.
        lost_ms: u64,
        /// Paused spans (start, end) in milliseconds from the beginning; silence in the file.
        gaps: Vec<(u64, u64)>,
    },
    /// The recording could not start or had to stop; the audio of the call is not affected.
    Failed {
        /// Which recording.
        recording: RecordingId,
        /// Where it was (to be) written.
        path: PathBuf,
        /// What went wrong, for the operator.
        reason: String,
        /// What the file holds nevertheless, in milliseconds; 0 when there is no file.
        kept_ms: u64,
    },
}

/// Figures of the recorder since it started.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counters {
    /// Recordings that run now or are being completed.
    pub active: usize,
    /// Blocks that found the queue to the writer full: lost audio.
    pub blocks_overflowed: u64,
    /// Bytes of audio written.
    pub bytes_written: u64,
}

/// The recorder of a media node; clones share the writer thread, which ends when the last of them is dropped or at
/// [`Recorder::shutdown`].
#[derive(Clone)]
pub struct Recorder {
    handle: Arc<Handle>,
}

impl Recorder {
    /// Starts the writer. `on_event` must not block; it is called on the recorder's threads, and inside
    /// [`Recorder::open`] when a recording is refused there.
    pub fn start(config: Config, on_event: impl Fn(Event) + Send + Sync + 'static) -> Recorder {
        let blocks = config.concurrent_max.saturating_mul(limits::RECORDING_BLOCKS_QUEUED).max(limits::RECORDING_BLOCKS_QUEUED_MIN);
        let (queue, blocks_in) = sync_channel(blocks);
        let shared = Arc::new(Shared {
            config,
            on_event: Box::new(on_event),
            stop: AtomicBool::new(false),
            woken: AtomicBool::new(false),
            active: AtomicUsize::new(0),
            blocks_overflowed: AtomicU64::new(0),
            bytes_written: AtomicU64::new(0),
        });
        let writer = writer::spawn(shared.clone(), blocks_in, blocks);
        let thread = writer.thread().clone();
        Recorder { handle: Arc::new(Handle { shared, queue, thread, writer: Mutex::new(Some(writer)), next_track: AtomicU64::new(0) }) }
    }

    /// Begins a recording in a new file at `path`. Never blocks and never fails here: whatever is wrong (no directory,
    /// limit, disk) comes as [`Event::Failed`], and the sink then swallows what it is given.
    pub fn open(&self, recording: RecordingId, path: PathBuf) -> Sink {
        let Handle { shared, queue, thread, next_track, .. } = &*self.handle;
        let track = Arc::new(Track::default());
        let number = next_track.fetch_add(1, Ordering::Relaxed);
        let refused = if shared.stop.load(Ordering::Acquire) {
            Some((SHUT_DOWN.to_owned(), path))
        } else if shared.active.fetch_add(1, Ordering::AcqRel) >= shared.config.concurrent_max {
            shared.active.fetch_sub(1, Ordering::AcqRel);
            Some((format!("the limit of {} recordings at a time is reached", shared.config.concurrent_max), path))
        } else {
            let message = Message { track: number, position: 0, body: Body::Open { recording, path, track: track.clone() } };
            match queue.try_send(message) {
                Ok(()) => None,
                Err(TrySendError::Full(message) | TrySendError::Disconnected(message)) => {
                    shared.active.fetch_sub(1, Ordering::AcqRel);
                    match message.body {
                        Body::Open { path, .. } => Some(("the disk is too slow, the queue of recordings is full".to_owned(), path)),
                        _ => None,
                    }
                }
            }
        };
        if let Some((reason, path)) = refused {
            track.closed.store(true, Ordering::Release);
            (shared.on_event)(Event::Failed { recording, path, reason, kept_ms: 0 });
        }
        shared.wake(thread);
        let samples_max = ms_to_samples(shared.config.duration_ms_max.min(limits::RECORDING_MS_CAP));
        Sink::new(number, track, queue.clone(), thread.clone(), shared.clone(), samples_max)
    }

    /// Figures for the node's metrics.
    pub fn counters(&self) -> Counters {
        let shared = &self.handle.shared;
        Counters {
            active: shared.active.load(Ordering::Relaxed),
            blocks_overflowed: shared.blocks_overflowed.load(Ordering::Relaxed),
            bytes_written: shared.bytes_written.load(Ordering::Relaxed),
        }
    }

    /// Completes every recording with what has reached the writer (finish sinks first to keep their last half second),
    /// waits until the files are on the disk and their events are raised, and ends the threads. Not to be called from
    /// `on_event`.
    pub fn shutdown(&self) {
        self.handle.shutdown();
    }
}

struct Handle {
    shared: Arc<Shared>,
    queue: SyncSender<Message>,
    thread: Thread,
    writer: Mutex<Option<JoinHandle<()>>>,
    next_track: AtomicU64,
}

impl Handle {
    fn shutdown(&self) {
        self.shared.stop.store(true, Ordering::Release);
        self.shared.wake(&self.thread);
        let writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(writer) = writer
            && writer.join().is_err()
        {
            tracing::error!("the recorder's writer thread panicked");
        }
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.shutdown();
    }
}

/// What all threads of one recorder share.
struct Shared {
    config: Config,
    on_event: Box<dyn Fn(Event) + Send + Sync>,
    stop: AtomicBool,
    /// The writer has something to look at. Unparking alone is not enough: the writer may be waiting in a channel, whose
    /// own parking swallows the token.
    woken: AtomicBool,
    active: AtomicUsize,
    blocks_overflowed: AtomicU64,
    bytes_written: AtomicU64,
}

impl Shared {
    /// Lets the writer look at what has changed, which must have been made visible before.
    fn wake(&self, writer: &Thread) {
        self.woken.store(true, Ordering::Release);
        writer.unpark();
    }
}

/// What a sink and the writer share about one recording besides the queue. The end does not travel through the queue,
/// because the queue may be full and an end must not get lost.
#[derive(Default)]
struct Track {
    /// Set by the sink once `end` is known; everything it had to say is in the queue by then.
    ended: AtomicBool,
    /// Set by the writer: it takes nothing more.
    closed: AtomicBool,
    samples_lost: AtomicU64,
    end: Mutex<End>,
}

/// How a recording ended, as the sink knows it.
#[derive(Default, Clone)]
struct End {
    /// Length in samples; `None` while it runs.
    position: Option<u64>,
    /// Pauses in samples, in order; the last may be open (`u64::MAX`).
    pauses: Vec<Span>,
}

/// Samples `from..to` of a recording.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Span {
    from: u64,
    to: u64,
}

/// One thing for the writer to do.
struct Message {
    track: u64,
    /// Samples since the start of the recording.
    position: u64,
    body: Body,
}

enum Body {
    Open {
        recording: RecordingId,
        path: PathBuf,
        track: Arc<Track>,
    },
    /// µ-law, both channels interleaved.
    Block(Box<[u8]>),
    /// µ-law of one channel that came after its block had gone.
    Late(Channel, Box<[u8]>),
    /// Both channels silent up to this position: a pause that begins before what has gone already.
    Silence(u64),
}

const SAMPLES_PER_MS: u64 = crate::codec::CLOCK_HZ as u64 / 1_000;

fn ms_to_samples(ms: u64) -> u64 {
    ms * SAMPLES_PER_MS
}

fn samples_to_ms(samples: u64) -> u64 {
    samples / SAMPLES_PER_MS
}

#[cfg(test)]
mod tests;
