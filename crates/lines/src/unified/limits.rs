//! Every limit of the Unified line, with its unit and the reason for its size.

use std::time::Duration;

/// Wishes and events waiting for the driver; a burst of a thousand calls.
pub const WORK_QUEUED: usize = 16_384;
/// Results of operations waiting for the driver.
pub const RESULTS_QUEUED: usize = 4_096;
/// Operations under way at once; more wait. Connections are shared, so that this bounds memory rather than sockets.
pub const OPERATIONS: usize = 1_024;
/// Legs alive.
pub const LEGS: usize = 20_000;
/// Wishes about what is heard and recorded that wait for one call; one decision seldom brings three.
pub const LANE: usize = 64;
/// Wishes that wait for a tenant's connections to be told after a start.
pub const EARLY: usize = 4_096;
/// Events remembered so that repeated ones are passed over.
pub const SEEN: usize = 16_384;
/// Recordings whose files have not come.
pub const RECORDINGS: usize = 20_000;
/// Longest displayed name taken over.
pub const NAME_CHARS: usize = 100;
/// How long after an answer its event may be missing before the call is asked for.
pub const ANSWERED: Duration = Duration::from_secs(4);
/// How often a missing event is asked for, and how often before a leg is given up.
pub const ASK_AGAIN: Duration = Duration::from_secs(3);
/// Times the service is asked whether a leg is there before it is taken for gone.
pub const ASKED: u8 = 4;
/// How long after a ring's end its event may be missing.
pub const RUNG: Duration = Duration::from_secs(4);
/// How long after somebody was let out the event may be missing.
pub const REMOVED: Duration = Duration::from_secs(3);
/// How long after a prompt's own length its end may be missing.
pub const PLAYED: Duration = Duration::from_secs(4);
/// How long a text takes to be spoken at most, by character, where the service speaks it.
pub const SPOKEN_CHAR: Duration = Duration::from_millis(120);
/// How often everybody in a call is counted, because the notice that somebody left may be lost.
pub const COUNT: Duration = Duration::from_secs(30);
/// How long a key may be missing before later ones are taken.
pub const KEY_GAP: Duration = Duration::from_millis(400);
/// Keys that wait for a missing one.
pub const KEYS: usize = 32;
/// How often a recording is asked for its state until a pause is sure, and for how long; the core waits three seconds.
pub const PAUSE_ASK: Duration = Duration::from_millis(150);
/// See [`PAUSE_ASK`].
pub const PAUSE_SURE: Duration = Duration::from_millis(2_700);
/// How long after its end the file of a recording may be missing; the service keeps it for a day.
pub const FILE: Duration = Duration::from_secs(3_600);
/// Largest file of a recording.
pub const FILE_BYTES: u64 = 2 << 30;
/// Pieces of one recording.
pub const FILE_CHUNKS: usize = 64;
/// Times a file is tried to be fetched.
pub const FETCHES: u32 = 5;
/// Pause between these.
pub const FETCH_PAUSE: Duration = Duration::from_secs(10);
/// How long the address of a prompt is good; the service fetches it at once.
pub const PROMPT_LIFE: Duration = Duration::from_secs(600);
/// Rendered prompts kept in memory, in bytes.
pub const PROMPT_BYTES: usize = 64 << 20;
/// Longest the service lets somebody ring, in seconds.
pub const RING_SECONDS: u64 = 180;
/// Times music that ended by itself is begun again.
pub const RESTARTS: u8 = 5;
/// How long after an invitation was taken back the end of its call may be told.
pub const CALLED_OFF: Duration = Duration::from_secs(2);
