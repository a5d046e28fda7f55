//! What the engine can be told about a call ([`Edit`]).

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use crate::codec::Codec;
use crate::ids::{PlayId, RecordingId, StreamId};
use crate::prompt::Prompt;
use crate::srtp::KeyPair;

/// One change of one call. Edits given together ([`crate::engine::Engine::apply`]) take effect in order and with no
/// packet between them. An edit that names an unknown stream or recording, or one of another group, changes nothing
/// (a recording that cannot start is reported as [`crate::engine::Event::RecordingFailed`]).
#[derive(Debug, Clone)]
pub enum Edit {
    /// Where the other end is and what it understands; also on every re-negotiation. What we send stays one
    /// continuous RTP stream (same SSRC, counting sequence numbers and timestamps).
    Remote {
        /// Which stream.
        stream: StreamId,
        /// The other end.
        remote: Remote,
    },
    /// With which keys a stream is encrypted from now on, or that it is not. Before [`Edit::Remote`] and together with
    /// it, also on every re-negotiation: keys that stay the same go on where they are, and with another key of ours what
    /// we send becomes a new RTP stream (SSRC), so that both ends count from the same beginning. What does not
    /// authenticate is dropped before it has any effect; packets under the keys before are taken for two more seconds.
    Protect {
        /// Which stream.
        stream: StreamId,
        /// The keys of both directions; `None` for plain RTP.
        keys: Option<KeyPair>,
    },
    /// What `listener` is sent from now on. A new stream hears [`Source::Silence`].
    Hear {
        /// Who listens.
        listener: StreamId,
        /// To what.
        source: Source,
    },
    /// Sends digits as telephone events (RFC 4733). Audio to this stream is left out meanwhile. Digits queue behind
    /// digits that are still being sent. Answered by [`crate::engine::Event::DigitsSent`].
    SendDigits {
        /// Which stream.
        stream: StreamId,
        /// `0`-`9`, `*`, `#`, `A`-`D`; a comma is a pause of one second; anything else is left out.
        digits: String,
        /// Length of each digit in milliseconds ([`crate::limits::DIGIT_TONE_MS`]); 100 is a good value.
        tone_ms: u16,
        /// Pause after each digit in milliseconds ([`crate::limits::DIGIT_GAP_MS`]); 100 is a good value.
        gap_ms: u16,
    },
    /// Starts a recording: each channel is the audio received *from* its stream, from the first packet after this
    /// edit on. Position 0 of the file is the moment of this edit.
    Record {
        /// Name of the recording.
        recording: RecordingId,
        /// The file to write.
        path: PathBuf,
        /// First party.
        left: StreamId,
        /// Second party, if there is one already. While the first party hears it together with others
        /// ([`Source::Mix`]), the right channel is all that the first party hears.
        right: Option<StreamId>,
    },
    /// Lets the right channel continue with another stream (transfer), or with silence.
    RecordRight {
        /// Which recording.
        recording: RecordingId,
        /// The new second party.
        right: Option<StreamId>,
    },
    /// Keeps what is said from now on out of the file; time goes on.
    PauseRecording {
        /// Which recording.
        recording: RecordingId,
    },
    /// Ends a pause.
    ResumeRecording {
        /// Which recording.
        recording: RecordingId,
    },
    /// Ends a recording. Recordings also end when the last stream of their group is closed.
    StopRecording {
        /// Which recording.
        recording: RecordingId,
    },
    /// Ends a stream: RTCP BYE, the ports become free, [`crate::engine::Event::Closed`] follows. Streams that heard
    /// it hear silence.
    Close {
        /// Which stream.
        stream: StreamId,
    },
}

/// The other end of a stream, as negotiated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Remote {
    /// Where its audio port is said to be. Packets from elsewhere are only accepted in the narrow cases of symmetric RTP (RFC 4961).
    pub rtp: SocketAddr,
    /// Where its RTCP port is; equal to `rtp` when RTCP shares the port (RFC 5761).
    pub rtcp: SocketAddr,
    /// What we send.
    pub codec: Codec,
    /// RTP payload type of `codec`, in both directions. Static types of G.711 are understood as well.
    pub payload_type: u8,
    /// RTP payload type of telephone events (RFC 4733), if the other end takes them.
    pub dtmf: Option<u8>,
    /// Who may send.
    pub direction: Direction,
    /// Milliseconds of audio in one packet that the other end would like. We send 20 ms packets whatever it is, which
    /// every receiver has to take (RFC 3551 §4.2); relayed packets keep the length they came with.
    pub ptime_ms: u8,
}

/// Who may send, from our point of view (RFC 3264 §6.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Direction {
    /// Both.
    SendRecv,
    /// Only we.
    SendOnly,
    /// Only the other end.
    RecvOnly,
    /// Nobody: both hold, or a side that knows no half hold.
    Inactive,
}

impl Direction {
    /// Whether we may send audio.
    pub const fn sends(self) -> bool {
        matches!(self, Direction::SendRecv | Direction::SendOnly)
    }

    /// Whether audio from the other end is taken.
    pub const fn receives(self) -> bool {
        matches!(self, Direction::SendRecv | Direction::RecvOnly)
    }
}

/// What a stream is sent.
#[derive(Debug, Clone)]
pub enum Source {
    /// Nothing, except a frame of silence each second that keeps address translators and firewalls open.
    Silence,
    /// What is received from another stream of the same group.
    Peer(StreamId),
    /// What is received from all of these streams of the same group, added up: one voice each, at most
    /// [`crate::limits::MIX_VOICES_MAX`], all of them in the law they come in and heard in the listener's. Who of them is
    /// not open is left out; who is closed later is not heard any more, and with the last of them comes silence. A frame
    /// is sent every 20 ms, whether anybody speaks or not. A voice is heard about 40 ms after it has come, later where
    /// its packets come irregularly. Telephone events are not passed on. To hear one other alone, use
    /// [`Source::Peer`]: it delays nothing and costs less.
    Mix(Vec<StreamId>),
    /// A prompt or music. Begins when the other end is known ([`Edit::Remote`]), and goes on unheard while the
    /// direction forbids sending.
    Prompt {
        /// The audio.
        prompt: Arc<Prompt>,
        /// Comes back in [`crate::engine::Event::PlayFinished`].
        play: PlayId,
        /// Once or as hold music.
        repeat: Repeat,
    },
}

/// How often a prompt is played.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Repeat {
    /// To its end, then silence and [`crate::engine::Event::PlayFinished`].
    Once,
    /// Until the stream hears something else.
    Forever,
}
