//! Prompts: everything a caller hears that no person says, ready to be sent.
//!
//! # Layout
//! - [`Prompt`]: encoded frames, shared by all calls that hear them.
//! - [`Library`] (`library.rs`): prompts from files and from text, with a cache in memory and on disk.
//! - [`Builtin`] (`builtin.rs`, `music.rs`): call progress tones and the hold music, made in code.
//! - `speech.rs`: the text-to-speech process. `loudness.rs`: one loudness for all prompts.
//!
//! Decides: how prompts are made equally loud, what may not be a prompt (limits), when the cache forgets. Leaves out:
//! who hears what (the engine), which text is said when (flows), speech services on the network (the server).

mod builtin;
mod library;
mod loudness;
mod music;
mod speech;

use std::fmt;

use crate::codec::{Codec, FRAME_MS, FRAME_SAMPLES, Frame};

pub use builtin::Builtin;
pub use library::{Config, Library, PromptError};

/// The loudness of every prompt and of the music, RMS of its active parts relative to full scale: what a telephone
/// connection is planned for, with room for peaks.
pub const LOUDNESS_DBFS: f64 = -23.0;

/// Audio that is ready to be sent: 20 ms frames, already encoded in every codec, so that playing costs a copy.
#[derive(PartialEq, Eq)]
pub struct Prompt {
    pcmu: Box<[Frame]>,
    pcma: Box<[Frame]>,
}

impl Prompt {
    /// Encodes 8 kHz mono samples as they are; the last frame is filled up with silence.
    pub fn from_samples(samples: &[i16]) -> Prompt {
        let encode = |codec: Codec| {
            let frames = samples.chunks(FRAME_SAMPLES).map(|chunk| {
                let mut frame = codec.silent_frame();
                codec.encode_into(chunk, &mut frame);
                frame
            });
            frames.collect()
        };
        Prompt { pcmu: encode(Codec::Pcmu), pcma: encode(Codec::Pcma) }
    }

    /// How many 20 ms frames the prompt has.
    pub fn frames(&self) -> usize {
        self.pcmu.len()
    }

    /// The encoded frame at `index`, counted from 0; `None` after the last.
    pub fn frame(&self, codec: Codec, index: usize) -> Option<&Frame> {
        match codec {
            Codec::Pcmu => self.pcmu.get(index),
            Codec::Pcma => self.pcma.get(index),
        }
    }

    /// Playing time in milliseconds.
    pub fn duration_ms(&self) -> u64 {
        self.frames() as u64 * u64::from(FRAME_MS)
    }

    /// What a caller hears: the frames of `codec`, decoded.
    pub fn samples(&self, codec: Codec) -> Vec<i16> {
        let frames = match codec {
            Codec::Pcmu => &self.pcmu,
            Codec::Pcma => &self.pcma,
        };
        frames.iter().flat_map(|frame| frame.iter().map(|byte| codec.decode(*byte))).collect()
    }

    /// Bytes of memory.
    fn bytes(&self) -> usize {
        self.frames() * 2 * FRAME_SAMPLES
    }
}

impl fmt::Debug for Prompt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Prompt({} ms)", self.duration_ms())
    }
}

#[cfg(test)]
mod tests;
