//! The thread that owns all recordings' files, and the one that waits for the disk when a recording ends.
//!
//! The writer wakes ten times a second while recordings run, writes what has come, and sleeps without a time limit when
//! there are none. Waiting for the disk (fsync) is another thread's work, so that one ending recording cannot hold up
//! the others.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use super::file::{RecordFile, enough_space, failure};
use super::{Body, Event, Message, Shared, Span, Track, samples_to_ms};
use crate::ids::RecordingId;
use crate::limits;

/// How often the queue is emptied.
const TICK: Duration = Duration::from_millis(100);
/// How often the free space of the file systems is read.
const SPACE_CHECK: Duration = Duration::from_secs(5);

/// Starts both threads; the handle is the writer's, which waits for the other.
pub(super) fn spawn(shared: Arc<Shared>, blocks: Receiver<Message>, blocks_max: usize) -> JoinHandle<()> {
    let (ended, ended_in) = sync_channel(limits::RECORDINGS_ENDED_MAX);
    let start = move || {
        let for_ended = shared.clone();
        let completer = thread::Builder::new()
            .name("record-sync".into())
            .spawn(move || complete(&for_ended, &ended_in))
            .expect("a thread can be started when the media node starts");
        Writer { shared, blocks, blocks_max, ended, running: HashMap::new(), space_checked: Instant::now() }.run();
        if completer.join().is_err() {
            tracing::error!("the thread that completes recordings panicked");
        }
    };
    thread::Builder::new().name("record".into()).spawn(start).expect("a thread can be started when the media node starts")
}

struct Running {
    recording: RecordingId,
    path: PathBuf,
    file: RecordFile,
    track: Arc<Track>,
}

/// A recording whose file is written and only has to reach the disk.
struct Ended {
    running: Running,
    pauses: Vec<Span>,
}

struct Writer {
    shared: Arc<Shared>,
    blocks: Receiver<Message>,
    /// Most messages taken in one round: the capacity of the queue.
    blocks_max: usize,
    ended: SyncSender<Ended>,
    running: HashMap<u64, Running>,
    space_checked: Instant,
}

impl Writer {
    fn run(mut self) {
        loop {
            self.shared.woken.swap(false, Ordering::AcqRel);
            let stop = self.shared.stop.load(Ordering::Acquire);
            // Read before the queue is emptied: what an ended sink sent lies in the queue by now.
            let ended: Vec<u64> = self
                .running
                .iter()
                .filter(|(_, running)| stop || running.track.ended.load(Ordering::Acquire))
                .map(|(number, _)| *number)
                .collect();
            for _ in 0..self.blocks_max {
                let Ok(message) = self.blocks.try_recv() else { break };
                self.take(message);
            }
            for number in ended {
                self.end(number);
            }
            if self.space_checked.elapsed() >= SPACE_CHECK {
                self.check_space();
            }
            match (stop, self.running.is_empty()) {
                (true, true) => break,
                // Recordings that were opened while we were stopping.
                (true, false) => {}
                _ if self.shared.woken.load(Ordering::Acquire) => {}
                (false, true) => thread::park(),
                (false, false) => thread::park_timeout(TICK),
            }
        }
        // Opened in the very moment of the end.
        while let Ok(message) = self.blocks.try_recv() {
            if let Body::Open { recording, path, track } = message.body {
                track.closed.store(true, Ordering::Release);
                self.report(Event::Failed { recording, path, reason: super::SHUT_DOWN.to_owned(), kept_ms: 0 });
            }
        }
    }

    fn take(&mut self, message: Message) {
        let Message { track: number, position, body } = message;
        if let Body::Open { recording, path, track } = body {
            match RecordFile::create(&path, self.shared.config.free_bytes_min) {
                Ok(file) => {
                    self.running.insert(number, Running { recording, path, file, track });
                }
                Err(reason) => {
                    track.closed.store(true, Ordering::Release);
                    self.report(Event::Failed { recording, path, reason, kept_ms: 0 });
                }
            }
            return;
        }
        // Of a recording that has failed: its sink has not looked yet.
        let Some(running) = self.running.get_mut(&number) else { return };
        let before = running.file.end();
        let written = match &body {
            Body::Open { .. } => Ok(()),
            Body::Block(stereo) => running.file.write_block(position, stereo),
            Body::Late(channel, mono) => running.file.write_channel(position, *channel, mono),
            Body::Silence(to) => running.file.write_silence(position, *to),
        };
        let grown = (running.file.end() - before) * super::file::BLOCK_ALIGN;
        self.shared.bytes_written.fetch_add(grown, Ordering::Relaxed);
        if let Err(error) = written {
            self.fail(number, failure("write", &error));
        }
    }

    fn end(&mut self, number: u64) {
        let Some(mut running) = self.running.remove(&number) else { return };
        running.track.closed.store(true, Ordering::Release);
        let end = running.track.end.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let position = end.position.unwrap_or(running.file.end());
        let pauses: Vec<Span> = end
            .pauses
            .into_iter()
            .map(|pause| Span { from: pause.from, to: pause.to.min(position) })
            .filter(|pause| pause.from < pause.to)
            .collect();
        match running.file.complete(position, &pauses) {
            Ok(()) => {
                if let Err(unsent) = self.ended.send(Ended { running, pauses }) {
                    tracing::error!(path = %unsent.0.running.path.display(), "a recording ended after the recorder");
                }
            }
            Err(error) => {
                self.running.insert(number, running);
                self.fail(number, failure("complete", &error));
            }
        }
    }

    fn fail(&mut self, number: u64, reason: String) {
        let Some(mut running) = self.running.remove(&number) else { return };
        running.track.closed.store(true, Ordering::Release);
        running.file.abandon();
        let kept_ms = samples_to_ms(running.file.end());
        self.report(Event::Failed { recording: running.recording, path: running.path, reason, kept_ms });
    }

    fn report(&self, event: Event) {
        report(&self.shared, event);
    }

    /// Stops recordings before they take the last of a disk that others need as well.
    fn check_space(&mut self) {
        self.space_checked = Instant::now();
        let mut devices: HashMap<u64, Result<(), String>> = HashMap::new();
        for running in self.running.values() {
            devices
                .entry(running.file.device)
                .or_insert_with(|| running.file.free_bytes().map_or(Ok(()), |free| enough_space(free, self.shared.config.free_bytes_min)));
        }
        let full = |running: &Running| devices.get(&running.file.device).and_then(|space| space.clone().err());
        let stopped: Vec<(u64, String)> = self.running.iter().filter_map(|(number, running)| Some((*number, full(running)?))).collect();
        for (number, reason) in stopped {
            self.fail(number, reason);
        }
    }
}

/// The second thread: waits for the disk, then says that the recording is there.
fn complete(shared: &Shared, ended: &Receiver<Ended>) {
    for Ended { running, pauses } in ended {
        let Running { recording, path, file, track } = running;
        let duration_ms = samples_to_ms(file.end());
        let event = match file.sync() {
            Ok(()) => Event::Finished {
                recording,
                path,
                duration_ms,
                lost_ms: samples_to_ms(track.samples_lost.load(Ordering::Relaxed)),
                gaps: pauses.iter().map(|pause| (samples_to_ms(pause.from), samples_to_ms(pause.to))).collect(),
            },
            Err(error) => Event::Failed { recording, path, reason: failure("complete", &error), kept_ms: duration_ms },
        };
        drop(file);
        report(shared, event);
    }
}

/// Raises the last event of a recording, which frees its place.
fn report(shared: &Shared, event: Event) {
    shared.active.fetch_sub(1, Ordering::AcqRel);
    (shared.on_event)(event);
}
