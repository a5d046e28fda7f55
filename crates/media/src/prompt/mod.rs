//! Prompts: everything a caller hears that no person says, ready to be sent.

use crate::codec::{Codec, Frame};

/// Audio that is ready to be sent: 20 ms frames, already encoded in every codec, so that playing costs a copy.
#[derive(PartialEq, Eq)]
pub struct Prompt {
    pcmu: Box<[Frame]>,
    pcma: Box<[Frame]>,
}

impl Prompt {
    /// Encodes 8 kHz mono samples; the last frame is filled up with silence.
    pub fn from_samples(samples: &[i16]) -> Prompt {
        let encode = |codec: Codec| {
            let frames = samples.chunks(crate::codec::FRAME_SAMPLES).map(|chunk| {
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
        self.frames() as u64 * u64::from(crate::codec::FRAME_MS)
    }
}

impl std::fmt::Debug for Prompt {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Prompt({} ms)", self.duration_ms())
    }
}
