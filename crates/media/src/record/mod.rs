//! Recording of calls: stereo WAV files (µ-law, 8 kHz; left = first party, right = second) written by one thread.
//!
//! A shard of the media engine owns a [`Sink`] per recording and puts every payload at its place on the recording's
//! clock; the sink gathers blocks and hands them to the writer thread through a bounded queue that never blocks.

use std::path::PathBuf;
use std::sync::Arc;

use crate::codec::Codec;
use crate::ids::RecordingId;

/// How recordings are written.
#[derive(Debug, Clone)]
pub struct Config {
    /// Recordings that may run at the same time; further ones fail at once.
    pub concurrent_max: usize,
    /// Longest single recording in milliseconds; it is finished there, the call goes on.
    pub duration_ms_max: u64,
    /// Bytes that must stay free on the file system; below this no recording starts, and running ones stop.
    pub free_bytes_min: u64,
}

/// What the recorder reports, from its own threads.
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
        /// Audio that never reached the file because the writer could not keep up, in milliseconds.
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

/// Which side of the stereo file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Channel {
    /// The first party (the caller).
    Left,
    /// The second party (the agent).
    Right,
}

/// The recorder of a media node; clones share the writer thread.
#[derive(Clone)]
pub struct Recorder {
    _on_event: Arc<dyn Fn(Event) + Send + Sync>,
}

impl Recorder {
    /// Starts the writer thread. `on_event` is called from the recorder's threads and must not block.
    pub fn start(_config: Config, on_event: impl Fn(Event) + Send + Sync + 'static) -> Recorder {
        Recorder { _on_event: Arc::new(on_event) }
    }

    /// Begins a recording. Never blocks and never fails here: whatever is wrong (no directory, limit, disk) comes as
    /// [`Event::Failed`], and the sink then swallows what it is given.
    pub fn open(&self, _recording: RecordingId, _path: PathBuf) -> Sink {
        Sink {}
    }

    /// Finishes every recording, waits until the files are complete and ends the thread.
    pub fn shutdown(&self) {}
}

/// One running recording, owned by the shard that has the streams. Positions are samples (8 kHz) since the start of the
/// recording. Dropping it finishes the recording at the last position it knows.
pub struct Sink {}

impl Sink {
    /// Puts a payload at `position`; up to ~200 ms out of order is free, later is slower but not lost. Audio inside a
    /// pause is left out. The later write wins where two overlap.
    pub fn write(&mut self, _channel: Channel, _position: u64, _payload: &[u8], _codec: Codec) {}

    /// Says that the media clock has reached `position` even if no audio came: call it every 100-200 ms per recording,
    /// so that silence reaches the file as well.
    pub fn advance(&mut self, _position: u64) {}

    /// Leaves everything out from `position` on.
    pub fn pause(&mut self, _position: u64) {}

    /// Records again from `position` on.
    pub fn resume(&mut self, _position: u64) {}

    /// Ends the recording at `position`; [`Event::Finished`] follows when the file is on the disk.
    pub fn finish(self, _position: u64) {}

    /// Whether the recording has ended on its own (failed, or reached its longest duration): the sink can be dropped.
    pub fn is_closed(&self) -> bool {
        false
    }
}
