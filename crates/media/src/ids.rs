//! Names of the things the media engine is told about; given by the caller, opaque here.

/// A recording.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RecordingId(pub u128);
