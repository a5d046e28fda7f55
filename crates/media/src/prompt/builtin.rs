//! Prompts that need no file: call progress tones as Germany knows them, a beep, and the hold music.

use std::sync::{Arc, OnceLock};

use super::{LOUDNESS_DBFS, Prompt, music};
use crate::codec::CLOCK_HZ;
use crate::tone::Generator;

/// A prompt that is always there. Tones and music are made to be repeated without a seam.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Builtin {
    /// A composition of our own, half a minute long.
    HoldMusic,
    /// It rings: 425 Hz, one second in five (ITU-T E.180, Germany).
    Ringback,
    /// Busy: 425 Hz, 480 ms in 960 ms.
    Busy,
    /// The network has no way: 425 Hz, 240 ms in 480 ms.
    Congestion,
    /// Speak now: 850 Hz for 400 ms.
    Beep,
}

/// What tones in Europe are made of.
const EUROPEAN_TONE_HZ: u32 = 425;
const BEEP_HZ: u32 = 850;
/// A tone switched at once clicks.
const FADE_MS: u32 = 5;

impl Builtin {
    /// All of them.
    pub const ALL: [Builtin; 5] = [Builtin::HoldMusic, Builtin::Ringback, Builtin::Busy, Builtin::Congestion, Builtin::Beep];

    /// The name in configuration and flows.
    pub const fn name(self) -> &'static str {
        match self {
            Builtin::HoldMusic => "hold-music",
            Builtin::Ringback => "ringback",
            Builtin::Busy => "busy",
            Builtin::Congestion => "congestion",
            Builtin::Beep => "beep",
        }
    }

    /// The built-in prompt of a name.
    pub fn from_name(name: &str) -> Option<Builtin> {
        Builtin::ALL.into_iter().find(|builtin| builtin.name() == name)
    }

    /// The audio; made when it is first wanted, shared from then on.
    pub fn prompt(self) -> Arc<Prompt> {
        static PROMPTS: [OnceLock<Arc<Prompt>>; Builtin::ALL.len()] = [const { OnceLock::new() }; Builtin::ALL.len()];
        PROMPTS[self as usize].get_or_init(|| Arc::new(Prompt::from_samples(&self.samples()))).clone()
    }

    fn samples(self) -> Vec<i16> {
        match self {
            Builtin::HoldMusic => music::compose(),
            Builtin::Ringback => cadence(EUROPEAN_TONE_HZ, 1_000, 4_000),
            Builtin::Busy => cadence(EUROPEAN_TONE_HZ, 480, 480),
            Builtin::Congestion => cadence(EUROPEAN_TONE_HZ, 240, 240),
            Builtin::Beep => cadence(BEEP_HZ, 400, 100),
        }
    }
}

/// A tone of `on_ms`, then silence of `off_ms`.
fn cadence(hz: u32, on_ms: u32, off_ms: u32) -> Vec<i16> {
    let samples = |ms: u32| (ms * CLOCK_HZ / 1_000) as usize;
    let mut tone = vec![0; samples(on_ms)];
    Generator::new(&[hz], LOUDNESS_DBFS).fill(&mut tone);
    let (count, fade) = (tone.len(), samples(FADE_MS));
    for (index, sample) in tone.iter_mut().enumerate() {
        let edge = index.min(count - 1 - index);
        if edge < fade {
            *sample = (i32::from(*sample) * edge as i32 / fade as i32) as i16;
        }
    }
    tone.resize(count + samples(off_ms), 0);
    tone
}
