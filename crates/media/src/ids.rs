//! Names of the things the media engine is told about; given by the caller, opaque here.
//!
//! The engine compares and hashes them and puts them into events, nothing else. That they are unique is the caller's
//! business (UUIDs are a good source for the 128-bit ones).

/// A call: the streams that may hear each other. All streams of a group live on one media thread.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct GroupId(pub u128);

/// One RTP stream pair (what we send to and receive from one party), bound to one local port pair.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct StreamId(pub u128);

/// A recording.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RecordingId(pub u128);

/// One playing of one prompt to one stream; comes back in [`crate::engine::Event::PlayFinished`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PlayId(pub u64);
