//! One running recording as the media shard holds it: payloads go in at their positions, blocks come out.

use std::sync::atomic::Ordering;
use std::sync::mpsc::SyncSender;
use std::sync::{Arc, PoisonError};
use std::thread::Thread;

use super::{Body, Message, Shared, Span, Track};
use crate::codec::Codec;
use crate::limits;

/// Samples handed over at a time: 400 ms, so that a crash costs less than a second and a recording five system calls a
/// second.
const BLOCK_SAMPLES: u64 = 3_200;
/// Samples kept back after a block's end: audio up to 200 ms out of order costs nothing.
const REORDER_SAMPLES: u64 = 1_600;
const WINDOW_SAMPLES: u64 = BLOCK_SAMPLES + REORDER_SAMPLES;
const SILENCE: u8 = Codec::Pcmu.silence();
const CHANNELS: usize = 2;

/// Which side of the stereo file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Channel {
    /// The first party (the caller).
    Left,
    /// The second party (the agent).
    Right,
}

impl Channel {
    pub(super) fn index(self) -> usize {
        match self {
            Channel::Left => 0,
            Channel::Right => 1,
        }
    }
}

/// One running recording, owned by the shard that has the streams. Positions are samples (8 kHz) since the start of
/// the recording. Nothing here blocks, and memory is taken once per 400 ms. Dropping the sink finishes the recording at
/// the last position it knows.
pub struct Sink {
    number: u64,
    track: Arc<Track>,
    queue: SyncSender<Message>,
    writer: Thread,
    shared: Arc<Shared>,
    samples_max: u64,
    /// µ-law of both channels interleaved, from `base` on; [`SILENCE`] where nothing has come.
    window: Box<[u8]>,
    base: u64,
    /// End of the audio in the window; not above `base` when it is empty.
    filled_to: u64,
    /// The furthest position heard of: where the recording ends if nobody says so.
    reached: u64,
    pauses: Vec<Span>,
    ended: bool,
}

impl Sink {
    pub(super) fn new(
        number: u64,
        track: Arc<Track>,
        queue: SyncSender<Message>,
        writer: Thread,
        shared: Arc<Shared>,
        samples_max: u64,
    ) -> Sink {
        Sink {
            number,
            track,
            queue,
            writer,
            shared,
            samples_max,
            window: vec![SILENCE; WINDOW_SAMPLES as usize * CHANNELS].into_boxed_slice(),
            base: 0,
            filled_to: 0,
            reached: 0,
            pauses: Vec::new(),
            ended: false,
        }
    }

    /// Puts a payload at `position`; up to 200 ms out of order is free, up to 10 s is slower but not lost. Audio that
    /// comes during a pause, or belongs into one, is left out. The later write wins where two overlap.
    pub fn write(&mut self, channel: Channel, position: u64, payload: &[u8], codec: Codec) {
        // While paused nothing is taken, wherever it claims to belong: a sender whose clock has drifted must not get
        // audio into the file that was said during the pause.
        if self.is_closed() || self.is_paused() {
            return;
        }
        let end = position.saturating_add(payload.len() as u64).min(self.samples_max);
        self.reached = self.reached.max(end);
        let mut from = position;
        let first = self.pauses.partition_point(|pause| pause.to <= position);
        for index in first..self.pauses.len() {
            let pause = self.pauses[index];
            if pause.from >= end {
                break;
            }
            if pause.from > from {
                self.place(channel, Span { from, to: pause.from }, &payload[(from - position) as usize..], codec);
            }
            from = from.max(pause.to);
        }
        if from < end {
            self.place(channel, Span { from, to: end }, &payload[(from - position) as usize..], codec);
        }
        if position >= self.samples_max {
            self.end(self.samples_max);
        }
    }

    /// Says that the media clock has reached `position` even if no audio came: called every 100 to 200 ms, so that
    /// silence reaches the file in time as well.
    pub fn advance(&mut self, position: u64) {
        if self.is_closed() {
            return;
        }
        self.reached = self.reached.max(position.min(self.samples_max));
        if position >= self.samples_max {
            return self.end(self.samples_max);
        }
        while position.saturating_sub(self.base) >= WINDOW_SAMPLES {
            if self.filled_to <= self.base {
                // Nothing but silence since: the last block of it is enough, the writer fills up what comes before.
                self.base = position - WINDOW_SAMPLES;
            }
            self.hand_over_block();
        }
    }

    /// Leaves everything out from `position` on, also what has come already.
    pub fn pause(&mut self, position: u64) {
        if self.is_closed() || self.is_paused() {
            return;
        }
        // Pauses stay in order even if the caller's clock does not.
        let position = position.max(self.pauses.last().map_or(0, |pause| pause.to));
        self.pauses.push(Span { from: position, to: u64::MAX });
        if position < self.base {
            let from = position.max(self.base.saturating_sub(limits::RECORDING_LATE_SAMPLES_MAX));
            if !self.send(from, Body::Silence(self.base)) {
                // The span must not stay in the file: better no recording than one that breaks the promise.
                self.share_pauses();
                return self.end(position);
            }
        }
        let kept = (position.saturating_sub(self.base) as usize * CHANNELS).min(self.window.len());
        self.window[kept..].fill(SILENCE);
        self.filled_to = self.filled_to.min(position);
        self.share_pauses();
    }

    /// Records again from `position` on.
    pub fn resume(&mut self, position: u64) {
        if self.is_closed() || self.pauses.len() >= limits::RECORDING_PAUSES_MAX {
            return;
        }
        if let Some(pause) = self.pauses.last_mut().filter(|pause| pause.to == u64::MAX) {
            pause.to = position.max(pause.from);
            self.share_pauses();
        }
    }

    /// Whether audio is being left out now.
    pub fn is_paused(&self) -> bool {
        self.pauses.last().is_some_and(|pause| pause.to == u64::MAX)
    }

    /// Ends the recording at `position`; [`super::Event::Finished`] follows when the file is on the disk.
    pub fn finish(mut self, position: u64) {
        self.end(position);
    }

    /// Whether the recording has ended on its own (failed, or reached its longest duration): the sink can be dropped.
    pub fn is_closed(&self) -> bool {
        self.ended || self.track.closed.load(Ordering::Acquire)
    }

    /// Puts the beginning of `bytes` at `span`, which no pause touches.
    fn place(&mut self, channel: Channel, span: Span, bytes: &[u8], codec: Codec) {
        let mut span = span;
        let mut bytes = &bytes[..(span.to - span.from) as usize];
        while span.to > self.base + WINDOW_SAMPLES {
            if self.filled_to <= self.base {
                self.base = span.to - WINDOW_SAMPLES;
            } else {
                self.hand_over_block();
            }
        }
        if span.from < self.base {
            let late = (self.base - span.from).min(bytes.len() as u64);
            let (gone, rest) = bytes.split_at(late as usize);
            self.place_late(channel, span.from, gone, codec);
            (span.from, bytes) = (span.from + late, rest);
        }
        if bytes.is_empty() {
            return;
        }
        self.filled_to = self.filled_to.max(span.to);
        let start = (span.from - self.base) as usize * CHANNELS + channel.index();
        let places = self.window[start..].iter_mut().step_by(CHANNELS);
        match codec.table_to(Codec::Pcmu) {
            None => places.zip(bytes).for_each(|(place, byte)| *place = *byte),
            Some(table) => places.zip(bytes).for_each(|(place, byte)| *place = table[usize::from(*byte)]),
        }
    }

    fn place_late(&mut self, channel: Channel, position: u64, bytes: &[u8], codec: Codec) {
        if self.base - position > limits::RECORDING_LATE_SAMPLES_MAX {
            self.track.samples_lost.fetch_add(bytes.len() as u64, Ordering::Relaxed);
            return;
        }
        let mut bytes: Box<[u8]> = bytes.into();
        codec.transcode_in_place(Codec::Pcmu, &mut bytes);
        self.send(position, Body::Late(channel, bytes));
    }

    /// Hands over the first block of the window and moves the rest to its beginning.
    fn hand_over_block(&mut self) {
        self.hand_over(BLOCK_SAMPLES);
    }

    fn hand_over(&mut self, samples: u64) {
        let bytes = samples as usize * CHANNELS;
        let block: Box<[u8]> = self.window[..bytes].into();
        self.window.copy_within(bytes.., 0);
        let kept = self.window.len() - bytes;
        self.window[kept..].fill(SILENCE);
        let position = self.base;
        self.base += samples;
        self.send(position, Body::Block(block));
    }

    /// Queues a message; counts what it carries as lost where the queue is full.
    fn send(&mut self, position: u64, body: Body) -> bool {
        let samples = match &body {
            Body::Block(bytes) if bytes.iter().any(|byte| *byte != SILENCE) => (bytes.len() / CHANNELS) as u64,
            Body::Late(_, bytes) => bytes.len() as u64,
            _ => 0,
        };
        let sent = self.queue.try_send(Message { track: self.number, position, body }).is_ok();
        if !sent {
            self.track.samples_lost.fetch_add(samples, Ordering::Relaxed);
            self.shared.blocks_overflowed.fetch_add(1, Ordering::Relaxed);
        }
        sent
    }

    fn end(&mut self, position: u64) {
        if self.is_closed() {
            self.ended = true;
            return;
        }
        self.ended = true;
        let position = position.min(self.samples_max);
        let kept = position.min(self.filled_to).saturating_sub(self.base);
        if kept > 0 {
            self.hand_over(kept);
        }
        let mut end = self.track.end.lock().unwrap_or_else(PoisonError::into_inner);
        end.position = Some(position);
        end.pauses.clone_from(&self.pauses);
        drop(end);
        self.track.ended.store(true, Ordering::Release);
        self.shared.wake(&self.writer);
    }

    /// Lets the writer know the pauses in case it has to finish without us. Pauses are rare; the lock is never held for
    /// long.
    fn share_pauses(&self) {
        let mut end = self.track.end.lock().unwrap_or_else(PoisonError::into_inner);
        end.pauses.clone_from(&self.pauses);
    }
}

impl Drop for Sink {
    fn drop(&mut self) {
        self.end(self.reached);
    }
}
