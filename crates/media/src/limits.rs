//! Every limit of this crate, with its unit and its reason. Nothing in the crate grows beyond what stands here.

/// Streams of one engine. Two port numbers each: more than the port space holds cannot exist anyway.
pub const STREAMS_MAX: usize = 30_000;

/// Media threads of one engine. More threads than cores only add context switches.
pub const SHARDS_MAX: usize = 64;

/// Commands waiting for one shard. A shard empties its queue every few milliseconds; a caller who fills it faster
/// waits until the shard has caught up.
pub const COMMANDS_MAX: usize = 8_192;

/// Streams that may hear the same stream: two parties, and supervisors who listen.
pub const LISTENERS_MAX: usize = 16;

/// Recordings that one stream may be part of at the same time.
pub const RECORDINGS_PER_STREAM_MAX: usize = 4;

/// Bytes of one datagram that we look at. 200 ms of G.711 (the longest packet RFC 3551 §4.2 asks a receiver to take)
/// are 1,600 bytes; longer datagrams are cut by the socket call, and then rejected as malformed or ignored.
pub const DATAGRAM_BYTES_MAX: usize = 2_048;

/// Bytes of one RTCP compound packet that we build: SR, one report block, SDES with a short CNAME, BYE.
pub const RTCP_BYTES_MAX: usize = 256;

/// Packets inside one received RTCP compound that are read; the rest is ignored.
pub const RTCP_PACKETS_PER_COMPOUND_MAX: usize = 16;

/// Bytes of a received CNAME or reason that are kept.
pub const RTCP_TEXT_BYTES_MAX: usize = 255;

/// Digits waiting to be sent on one stream. Longer than any number, extension and conference code together.
pub const DIGITS_QUEUED_MAX: usize = 128;

/// Tone length of one sent digit in milliseconds: shorter is not heard by all equipment, longer collides with the
/// 16-bit duration of RFC 4733 §2.3 (8.19 s at 8 kHz) and nobody's patience.
pub const DIGIT_TONE_MS: std::ops::RangeInclusive<u16> = 40..=5_000;

/// Pause between two sent digits in milliseconds.
pub const DIGIT_GAP_MS: std::ops::RangeInclusive<u16> = 40..=5_000;

/// Ready sockets taken from the kernel at one wake-up.
pub const READY_SOCKETS_PER_WAKE: usize = 512;

/// Milliseconds of playing that a late shard makes up for by sending frames at once; beyond that frames are skipped,
/// because a burst is worse than a gap.
pub const CATCH_UP_MS_MAX: u64 = 100;

/// Milliseconds of playing that are skipped at most after a longer stop of the whole machine; prompts then go on
/// where they were.
pub const SKIP_MS_MAX: u64 = 1_000;
