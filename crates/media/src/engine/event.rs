//! What the engine reports: [`Event`], the figures of a finished stream ([`Report`]) and the running [`Counters`].

use std::path::PathBuf;

use crate::ids::{GroupId, PlayId, RecordingId, StreamId};
use crate::record;

/// Something that happened to a call.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// A prompt with [`crate::engine::Repeat::Once`] has been played to its end. Not sent for a prompt that was
    /// replaced before.
    PlayFinished {
        /// Call.
        group: GroupId,
        /// Who heard it.
        stream: StreamId,
        /// Which playing.
        play: PlayId,
    },
    /// A digit was received as a telephone event (RFC 4733): once per key press, when its first packet arrives.
    Digit {
        /// Call.
        group: GroupId,
        /// Who pressed the key.
        stream: StreamId,
        /// `0`-`9`, `*`, `#`, `A`-`D`.
        digit: char,
    },
    /// The digits of an [`crate::engine::Edit::SendDigits`] are out.
    DigitsSent {
        /// Call.
        group: GroupId,
        /// To whom.
        stream: StreamId,
        /// False when the other end takes no telephone events, too many digits were waiting, or the direction changed.
        complete: bool,
    },
    /// The first audio packet of this stream was accepted.
    FirstPacket {
        /// Call.
        group: GroupId,
        /// From whom.
        stream: StreamId,
    },
    /// Neither RTP nor RTCP came for [`crate::engine::Config::quiet_ms`] while audio was expected (not held).
    /// Reported once until packets return.
    Quiet {
        /// Call.
        group: GroupId,
        /// From whom.
        stream: StreamId,
        /// Since when, in milliseconds.
        ms: u64,
    },
    /// A recording is complete and on the disk.
    RecordingFinished {
        /// Which recording.
        recording: RecordingId,
        /// Its file.
        path: PathBuf,
        /// Length in milliseconds, pauses included.
        duration_ms: u64,
        /// Channels in the file: always 2, left and right.
        channels: u8,
        /// Audio that did not reach the file because the disk could not keep up, in milliseconds.
        lost_ms: u64,
        /// Paused spans (start, end) in milliseconds from the beginning; silence in the file.
        gaps: Vec<(u64, u64)>,
    },
    /// A recording could not start or had to stop. The call goes on.
    RecordingFailed {
        /// Which recording.
        recording: RecordingId,
        /// Where it was (to be) written.
        path: PathBuf,
        /// What went wrong, for the operator.
        reason: String,
        /// What the file holds nevertheless, in milliseconds; 0 when there is no file.
        kept_ms: u64,
    },
    /// A stream is closed and its ports are free.
    Closed {
        /// Call.
        group: GroupId,
        /// Which stream.
        stream: StreamId,
        /// What it was like.
        report: Report,
    },
}

/// The figures of a finished stream.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Report {
    /// From [`crate::engine::Engine::open`] to the end, in milliseconds.
    pub duration_ms: u64,
    /// What came from the other end, as we saw it.
    pub received: Figures,
    /// What we sent; loss and jitter are what the other end reported (RTCP), and unknown where it never did.
    pub sent: Figures,
    /// Last measured round trip in milliseconds (RFC 3550 §6.4.1), if the other end answers sender reports.
    pub round_trip_ms: Option<f64>,
    /// Datagrams that were not counted as received: other sources, unknown payload types, malformed.
    pub ignored: u64,
    /// Whether it was encrypted, at the end.
    pub encrypted: bool,
    /// Of the ignored: packets under keys that did not authenticate.
    pub unauthentic: u64,
    /// Of the ignored: packets under keys that had been there before.
    pub replayed: u64,
}

/// One direction of a stream.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Figures {
    /// RTP packets.
    pub packets: u64,
    /// Payload bytes.
    pub bytes: u64,
    /// Packets expected but never seen (RFC 3550 A.3); duplicates can make it smaller than the true loss, not negative.
    pub lost: Option<u64>,
    /// Interarrival jitter in milliseconds (RFC 3550 A.8), last value.
    pub jitter_ms: Option<f64>,
    /// Estimated mean opinion score, 1.0-4.5; `None` without figures to estimate from.
    pub mos: Option<f64>,
    /// Whether Microsoft's Call Quality Dashboard would call it poor.
    pub poor: bool,
}

/// Sums since the start of the engine (except where "now" is said), for monitoring.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counters {
    /// Open streams now.
    pub streams: u64,
    /// Running recordings now.
    pub recordings: u64,
    /// RTP packets accepted.
    pub packets_in: u64,
    /// RTP packets sent.
    pub packets_out: u64,
    /// RTP packets lost on the way to us, of closed streams.
    pub lost_in: u64,
    /// RTP datagrams from a source that a stream does not listen to. A locked stream lets the kernel drop these, so
    /// this counts only what comes before.
    pub ignored_source: u64,
    /// RTP packets with a payload type that was not negotiated.
    pub ignored_payload: u64,
    /// RTP packets that came while the direction says that nothing comes (hold).
    pub ignored_held: u64,
    /// Datagrams that are no RTP or RTCP.
    pub malformed: u64,
    /// Packets of encrypted streams that did not authenticate: a wrong key, plain audio, or somebody who interferes.
    pub unauthentic: u64,
    /// Packets of encrypted streams that had been there before.
    pub replayed: u64,
    /// Packets that the kernel did not take.
    pub send_failed: u64,
    /// RTCP compounds accepted.
    pub rtcp_in: u64,
    /// RTCP compounds sent.
    pub rtcp_out: u64,
    /// Ticks of the media clock that came late by a whole tick or more; rising means that the machine is too busy.
    pub late_ticks: u64,
    /// Times that a media thread was later than [`crate::limits::CATCH_UP_MS_MAX`]: prompts were heard later by as much.
    pub stalls: u64,
    /// Blocks of audio that the recorder's queue had no room for.
    pub recording_blocks_lost: u64,
}

impl From<record::Event> for Event {
    fn from(event: record::Event) -> Event {
        match event {
            record::Event::Finished { recording, path, duration_ms, lost_ms, gaps } => {
                Event::RecordingFinished { recording, path, duration_ms, channels: 2, lost_ms, gaps }
            }
            record::Event::Failed { recording, path, reason, kept_ms } => Event::RecordingFailed { recording, path, reason, kept_ms },
        }
    }
}
