//! Every limit of this crate, with its unit and its reason. Nothing in the crate grows beyond what stands here.

/// Streams of one engine. Two port numbers each: more than the port space holds cannot exist anyway.
pub const STREAMS_MAX: usize = 30_000;

/// Media threads of one engine. More threads than cores only add context switches.
pub const SHARDS_MAX: usize = 64;

/// Commands waiting for one shard. A shard empties its queue every few milliseconds; a caller who fills it faster
/// waits until the shard has caught up.
pub const COMMANDS_MAX: usize = 8_192;

/// Streams that may hear the same stream alone, and as many again that hear it in a mix: the parties of a conference, and
/// supervisors who listen.
pub const LISTENERS_MAX: usize = 16;

/// Voices in one mix: a customer, an agent, eight further parties of a conference, one who is consulted and four
/// supervisors are fifteen.
pub const MIX_VOICES_MAX: usize = 16;

/// Samples of decoded audio (8 kHz, half a second) that are kept of a stream that is heard in a mix. A power of two.
pub const VOICE_SAMPLES: usize = 4_096;

/// Recordings that one stream may be part of at the same time.
pub const RECORDINGS_PER_STREAM_MAX: usize = 4;

/// Bytes of one datagram that we look at. 200 ms of G.711 (the longest packet RFC 3551 §4.2 asks a receiver to take)
/// are 1,600 bytes; longer datagrams are cut by the socket call, and then rejected as malformed or ignored.
pub const DATAGRAM_BYTES_MAX: usize = 2_048;

/// Bytes of one datagram that we send: a header in front of a payload as long as we receive, and what encryption adds.
pub const SENT_BYTES_MAX: usize = crate::rtp::HEADER_BYTES + DATAGRAM_BYTES_MAX + crate::srtp::OVERHEAD_BYTES_MAX;

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

/// Milliseconds of playing that a late shard makes up for by sending frames at once; beyond that prompts go on where they
/// were, later, because a burst is worse than a gap.
pub const CATCH_UP_MS_MAX: u64 = 100;

/// Longest recording in milliseconds whatever the configuration says (72 h): a WAV file's sizes have 32 bits, which two
/// G.711 channels fill in 74 hours.
pub const RECORDING_MS_CAP: u64 = 72 * 3_600_000;

/// Blocks (400 ms) that wait for the recordings' writer, per recording that may run: 4 s of stalled disk before audio
/// is lost.
pub const RECORDING_BLOCKS_QUEUED: usize = 10;

/// Smallest queue to the writer, so that a configuration for one recording still takes a burst.
pub const RECORDING_BLOCKS_QUEUED_MIN: usize = 64;

/// Pauses of one recording. A further pause lasts to the end: rather too little recorded than too much.
pub const RECORDING_PAUSES_MAX: usize = 1_000;

/// Audio that comes later than this after its time (in samples: 10 s) is an error of somebody's clock, not the
/// network's delay, and is left out of a recording.
pub const RECORDING_LATE_SAMPLES_MAX: u64 = 80_000;

/// Ended recordings that wait for the disk before the writer waits with them.
pub const RECORDINGS_ENDED_MAX: usize = 256;

/// Chunks of a WAV file that are looked at; real files have fewer than ten.
pub const WAV_CHUNKS_MAX: usize = 256;

/// Channels of a WAV file.
pub const WAV_CHANNELS_MAX: u16 = 32;

/// Samples per second of a WAV file: from what still carries speech to the fastest in use.
pub const WAV_RATE_HZ: std::ops::RangeInclusive<u32> = 4_000..=384_000;

/// Bytes of a WAV file that is read whole: a recording of four hours.
pub const WAV_BYTES_MAX: u64 = 256 << 20;

/// Longest prompt in milliseconds: ten minutes, 10 MB in memory.
pub const PROMPT_MS_MAX: u64 = 600_000;

/// Bytes of a prompt's audio file: five minutes of stereo at 48 kHz and 16 bit.
pub const PROMPT_FILE_BYTES_MAX: u64 = 64 << 20;

/// Bytes of memory for prompts that were played lately; those that are being played stay anyway.
pub const PROMPT_MEMORY_BYTES_MAX: usize = 64 << 20;

/// Characters of a text to be spoken: two minutes of speech.
pub const PROMPT_TEXT_CHARS_MAX: usize = 2_000;

/// Files in the prompt cache that are looked at; a directory with more is not ours.
pub const PROMPT_CACHE_FILES_MAX: usize = 100_000;

/// Speech processes at a time: they are short and use a core each.
pub const SPEAKERS_MAX: usize = 2;

/// Bytes of audio taken from a speech process: twelve minutes at its 22,050 samples a second.
pub const SPEECH_BYTES_MAX: u64 = 32 << 20;

/// Bytes of complaint taken from a speech process.
pub const SPEECH_COMPLAINT_BYTES_MAX: u64 = 4_096;
