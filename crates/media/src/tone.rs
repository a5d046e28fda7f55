//! Pure tones: making them, and telling which of them are heard in a piece of audio.
//!
//! A tone is how a test (and a measuring call) knows who hears whom: every party sends its own frequency, and
//! [`heard`] says whose arrive. Speech, music and noise are not tones: a tone is narrow and holds its level for
//! [`HEARD_MS`]. Digits are not found here; they travel as events (`dtmf`).
//!
//! Levels are RMS relative to full scale (32768) in dB: a sine of full amplitude has -3 dBFS.

use std::f64::consts::TAU;

use crate::codec::CLOCK_HZ;

/// A tone must hold this long to be [`heard`].
pub const HEARD_MS: u32 = 300;
/// Tones weaker than this are not [`heard`].
pub const HEARD_DBFS_MIN: f64 = -50.0;

/// Samples that are analyzed at a time: 100 ms resolve 20 Hz with a Hann window.
const WINDOW_SAMPLES: usize = 800;
const HOP_SAMPLES: usize = WINDOW_SAMPLES / 2;
/// Windows in a row that make [`HEARD_MS`].
const WINDOWS_STEADY: usize = (HEARD_MS * CLOCK_HZ / 1_000) as usize / HOP_SAMPLES - 1;
/// A tone's part of the energy (-16 dB): what is weaker is quantization or leakage of something else.
const SHARE_MIN: f64 = 0.025;
/// Beside a tone the spectrum falls: at this distance by 6 dB for the Hann window.
const BESIDE_HZ: f64 = CLOCK_HZ as f64 / WINDOW_SAMPLES as f64;
/// How much must be left of those 6 dB: allows for a clock that is off by 3 Hz.
const BESIDE_DB_MIN: f64 = 2.0;
/// A tone keeps its level; a plucked or sung note does not.
const STEADY_DB_MAX: f64 = 1.0;

/// Makes one sine or a mix of several, without a seam between calls.
#[derive(Debug, Clone)]
pub struct Generator {
    oscillators: Vec<Oscillator>,
    amplitude: f64,
}

#[derive(Debug, Clone)]
struct Oscillator {
    phase: f64,
    step: f64,
}

impl Generator {
    /// Sines of these frequencies, each at `level_dbfs`, at 8 kHz.
    pub fn new(frequencies_hz: &[u32], level_dbfs: f64) -> Generator {
        let oscillators = frequencies_hz.iter().map(|hz| Oscillator { phase: 0.0, step: f64::from(*hz) / f64::from(CLOCK_HZ) });
        Generator { oscillators: oscillators.collect(), amplitude: 32_768.0 * 2f64.sqrt() * amplitude(level_dbfs) }
    }

    /// The next samples; the sum is clipped where it is too loud.
    pub fn fill(&mut self, samples: &mut [i16]) {
        for sample in samples {
            let mut sum = 0.0;
            for oscillator in &mut self.oscillators {
                sum += (oscillator.phase * TAU).sin();
                oscillator.phase = (oscillator.phase + oscillator.step).fract();
            }
            *sample = (sum * self.amplitude).round().clamp(-32_768.0, 32_767.0) as i16;
        }
    }
}

/// `duration_ms` of sines of these frequencies, each at `level_dbfs`.
pub fn sines(frequencies_hz: &[u32], level_dbfs: f64, duration_ms: u32) -> Vec<i16> {
    let mut samples = vec![0; (duration_ms * CLOCK_HZ / 1_000) as usize];
    Generator::new(frequencies_hz, level_dbfs).fill(&mut samples);
    samples
}

/// The level of everything in `samples`; -infinity for digital silence.
pub fn level_dbfs(samples: &[i16]) -> f64 {
    if samples.is_empty() {
        return f64::NEG_INFINITY;
    }
    10.0 * (energy(samples) / samples.len() as f64 / 32_768f64.powi(2)).log10()
}

/// The level of the tone at `hz` in `samples` (Goertzel, Hann window), in dBFS.
pub fn tone_dbfs(samples: &[i16], hz: f64) -> f64 {
    10.0 * tone_power(samples, hz).log10()
}

/// Which of `candidates_hz` are heard as tones anywhere in `samples` (8 kHz), in the order given. Tones closer than
/// 40 Hz to each other hide each other.
pub fn heard(samples: &[i16], candidates_hz: &[u32]) -> Vec<u32> {
    candidates_hz.iter().copied().filter(|hz| is_heard(samples, *hz)).collect()
}

/// The first sample from which the tone at `hz` is the loudest thing for 20 ms, to within 5 ms: what delays are
/// measured with.
pub fn onset(samples: &[i16], hz: u32) -> Option<usize> {
    const WINDOW: usize = 160;
    const HOP: usize = 40;
    let starts = (0..samples.len().saturating_sub(WINDOW - 1)).step_by(HOP);
    starts.into_iter().find(|start| {
        let window = &samples[*start..*start + WINDOW];
        let level = level_dbfs(window);
        level >= HEARD_DBFS_MIN && tone_dbfs(window, f64::from(hz)) > level - 3.0
    })
}

fn is_heard(samples: &[i16], hz: u32) -> bool {
    let mut steady: Vec<f64> = Vec::with_capacity(WINDOWS_STEADY);
    for start in (0..samples.len().saturating_sub(WINDOW_SAMPLES - 1)).step_by(HOP_SAMPLES) {
        let Some(level) = tone_in(&samples[start..start + WINDOW_SAMPLES], f64::from(hz)) else {
            steady.clear();
            continue;
        };
        while steady.iter().any(|before| (before - level).abs() > STEADY_DB_MAX) {
            steady.remove(0);
        }
        steady.push(level);
        if steady.len() == WINDOWS_STEADY {
            return true;
        }
    }
    false
}

/// The level of the tone at `hz` in one window, if there is one.
fn tone_in(window: &[i16], hz: f64) -> Option<f64> {
    let power = tone_power(window, hz);
    let level = 10.0 * power.log10();
    let all = energy(window) / window.len() as f64 / 32_768f64.powi(2);
    if level < HEARD_DBFS_MIN || power < all * SHARE_MIN {
        return None;
    }
    let beside = [hz - BESIDE_HZ, hz + BESIDE_HZ];
    beside.iter().all(|beside| tone_dbfs(window, *beside) <= level - BESIDE_DB_MIN).then_some(level)
}

/// Mean power of the sine at `hz`, relative to full scale squared.
fn tone_power(samples: &[i16], hz: f64) -> f64 {
    let step = TAU * hz / f64::from(CLOCK_HZ);
    let coefficient = 2.0 * step.cos();
    let (mut before, mut last, mut weights) = (0.0, 0.0, 0.0);
    for (index, sample) in samples.iter().enumerate() {
        let weight = 0.5 - 0.5 * (TAU * (index as f64 + 0.5) / samples.len() as f64).cos();
        let next = f64::from(*sample) * weight + coefficient * last - before;
        (before, last, weights) = (last, next, weights + weight);
    }
    let magnitude_squared = last * last + before * before - coefficient * last * before;
    // The magnitude is half the amplitude per weight, and the power half the amplitude squared.
    2.0 * magnitude_squared.max(0.0) / (weights * 32_768.0).powi(2)
}

fn energy(samples: &[i16]) -> f64 {
    samples.iter().map(|sample| f64::from(*sample).powi(2)).sum()
}

/// The factor of a level.
pub(crate) fn amplitude(db: f64) -> f64 {
    10f64.powf(db / 20.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::Codec;

    const CANDIDATES: [u32; 8] = [440, 620, 880, 1_000, 1_230, 1_330, 1_700, 2_100];

    /// Noise that is the same in every run (linear congruence, Knuth's constants).
    fn noise(level_dbfs: f64, samples: usize) -> Vec<i16> {
        let mut state = 7u64;
        let scale = amplitude(level_dbfs) * 32_768.0 * 3f64.sqrt();
        let mut next = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            ((state >> 40) as f64 / (1u64 << 23) as f64 - 1.0) * scale
        };
        (0..samples).map(|_| next() as i16).collect()
    }

    #[test]
    fn a_sine_has_the_level_it_was_asked_for() {
        for level in [-40.0, -20.0, -3.1] {
            let sine = sines(&[620], level, 1_000);
            assert!((level_dbfs(&sine) - level).abs() < 0.05);
            assert!((tone_dbfs(&sine, 620.0) - level).abs() < 0.05);
            assert!(tone_dbfs(&sine, 700.0) < level - 60.0);
        }
        assert_eq!(level_dbfs(&[0; 100]), f64::NEG_INFINITY);
        assert_eq!(level_dbfs(&[]), f64::NEG_INFINITY);
    }

    #[test]
    fn a_generator_has_no_seam_between_calls() {
        let whole = sines(&[620, 1_230], -20.0, 60);
        let mut pieces = vec![0; whole.len()];
        let mut generator = Generator::new(&[620, 1_230], -20.0);
        pieces.chunks_mut(77).for_each(|piece| generator.fill(piece));
        assert_eq!(whole, pieces);
    }

    #[test]
    fn each_tone_is_heard_alone_and_in_a_mix_through_both_codecs() {
        for codec in Codec::ALL {
            let through = |samples: &[i16]| codec.decode_all(&codec.encode_all(samples));
            for hz in CANDIDATES {
                assert_eq!(heard(&through(&sines(&[hz], -20.0, 500)), &CANDIDATES), [hz]);
            }
            let mix = through(&sines(&[620, 1_230, 1_700], -24.0, 500));
            assert_eq!(heard(&mix, &CANDIDATES), [620, 1_230, 1_700]);
        }
    }

    #[test]
    fn a_weak_tone_is_heard_beside_a_loud_one_and_in_noise() {
        let loud = sines(&[1_700], -15.0, 1_000);
        let weak = sines(&[620], -29.0, 1_000);
        let hiss = noise(-30.0, loud.len());
        let mix: Vec<i16> = loud.iter().zip(&weak).zip(&hiss).map(|((loud, weak), hiss)| loud + weak + hiss).collect();
        assert_eq!(heard(&mix, &CANDIDATES), [620, 1_700]);
    }

    #[test]
    fn silence_noise_and_short_beeps_are_not_tones() {
        assert!(heard(&[0; 16_000], &CANDIDATES).is_empty());
        assert!(heard(&[0; 10], &CANDIDATES).is_empty());
        assert!(heard(&noise(-20.0, 80_000), &CANDIDATES).is_empty());
        assert!(heard(&sines(&[620], -55.0, 1_000), &CANDIDATES).is_empty());
        let mut beep = sines(&[620], -20.0, 200);
        beep.resize(8_000, 0);
        assert!(heard(&beep, &CANDIDATES).is_empty());
    }

    #[test]
    fn a_neighboring_frequency_is_not_taken_for_the_tone() {
        assert!(heard(&sines(&[630], -20.0, 1_000), &[620]).is_empty());
        assert!(heard(&sines(&[622], -20.0, 1_000), &[620]) == [620]);
    }

    #[test]
    fn the_onset_is_found_to_within_five_milliseconds() {
        let mut samples = sines(&[1_230], -20.0, 437);
        let start = samples.len();
        samples.extend(sines(&[620], -20.0, 300));
        let found = onset(&samples, 620).expect("the tone is there");
        assert!(found.abs_diff(start) <= 80, "{found} instead of {start}");
        assert_eq!(onset(&samples, 1_700), None);
    }
}
