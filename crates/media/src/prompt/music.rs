//! The hold music: eight bars of broken chords over a soft pad, with a sparse melody in the second half.
//!
//! Composed for this product and made in code, so that nobody's rights are in the way and no file has to be shipped.
//! Made for the telephone: everything that carries it lies between 200 Hz and 3 kHz, and nothing is hard enough to be
//! torn by a speech codec. Sounds ring on across the end into the beginning, so that the loop has no seam. The tuning is
//! off concert pitch on purpose: no note or overtone lies within 12 Hz of the usual test tones (440, 620, 880, 1000,
//! 1230, 1700 Hz), so that measuring calls can tell them from music.

use std::f64::consts::{PI, TAU};

use super::LOUDNESS_DBFS;
use crate::codec::CLOCK_HZ;
use crate::tone::amplitude;

/// 64 beats a minute; a step is half a beat: 468.75 ms.
const STEP_SAMPLES: usize = 3_750;
const STEPS_PER_BAR: usize = 8;
const BARS: usize = 8;
/// 30 s, a whole number of 20 ms frames.
const SAMPLES: usize = STEP_SAMPLES * STEPS_PER_BAR * BARS;
/// The pitch of the tonic.
const TONIC_HZ: f64 = 270.0;

/// The chord of each bar as semitones above the tonic, low to high: I vi IV V, I iii IV V.
const CHORDS: [[i32; 4]; BARS] =
    [[0, 4, 7, 12], [-3, 4, 9, 12], [0, 5, 9, 12], [-1, 2, 7, 11], [0, 4, 7, 12], [-1, 4, 7, 11], [0, 5, 9, 12], [-1, 2, 7, 11]];
/// The root of each bar, for the bass.
const ROOTS: [i32; BARS] = [0, -3, -7, -5, 0, -8, -7, -5];
/// Which note of the chord each step plucks.
const PATTERN: [usize; STEPS_PER_BAR] = [0, 1, 2, 3, 2, 3, 1, 2];
/// The melody: step from the beginning of the fifth bar, semitones above the tonic.
const MELODY: [(usize, i32); 11] = [(0, 16), (3, 14), (4, 12), (8, 11), (12, 7), (16, 9), (19, 11), (20, 12), (24, 14), (27, 12), (28, 11)];

/// One kind of sound.
struct Voice {
    /// Strength of the fundamental and the overtones.
    partials: &'static [f64],
    /// Seconds until it is at full strength.
    attack_s: f64,
    /// Seconds in which it falls to a third; overtones fall faster.
    decay_s: f64,
    strength: f64,
}

const PLUCK: Voice = Voice { partials: &[1.0, 0.32, 0.12, 0.04], attack_s: 0.012, decay_s: 0.55, strength: 0.5 };
const BELL: Voice = Voice { partials: &[1.0, 0.18, 0.06], attack_s: 0.03, decay_s: 0.9, strength: 0.42 };
const BASS: Voice = Voice { partials: &[1.0, 0.6, 0.3, 0.12], attack_s: 0.025, decay_s: 1.1, strength: 0.45 };
/// The pad is held for a bar, swelling and fading, with two slightly different pitches that beat slowly.
const PAD_STRENGTH: f64 = 0.09;
const PAD_DETUNE_HZ: f64 = 0.9;

/// Renders one round of the loop at [`LOUDNESS_DBFS`].
pub(super) fn compose() -> Vec<i16> {
    let mut mix = vec![0.0; SAMPLES];
    for (bar, (chord, root)) in CHORDS.iter().zip(ROOTS).enumerate() {
        let start = bar * STEPS_PER_BAR;
        for (step, note) in PATTERN.iter().enumerate() {
            // The first of four is a little stronger: it gives the meter.
            let accent = if step % 4 == 0 { 1.0 } else { 0.8 };
            strike(&mut mix, start + step, chord[*note], &PLUCK, accent);
        }
        strike(&mut mix, start, root, &BASS, 1.0);
        strike(&mut mix, start + STEPS_PER_BAR / 2, root, &BASS, 0.6);
        for note in &chord[1..] {
            hold(&mut mix, start, *note);
        }
    }
    for (step, note) in MELODY {
        strike(&mut mix, (BARS / 2) * STEPS_PER_BAR + step, note, &BELL, 1.0);
    }
    let power = mix.iter().map(|value| value * value).sum::<f64>() / SAMPLES as f64;
    let gain = amplitude(LOUDNESS_DBFS) * 32_768.0 / power.sqrt();
    mix.iter().map(|value| (value * gain).round() as i16).collect()
}

fn pitch_hz(semitones: i32) -> f64 {
    TONIC_HZ * 2f64.powf(f64::from(semitones) / 12.0)
}

/// Adds a note that begins at `step` and rings until it is gone, across the end if need be.
fn strike(mix: &mut [f64], step: usize, semitones: i32, voice: &Voice, accent: f64) {
    /// Decays after which a note is 60 dB down.
    const DECAYS: f64 = 7.0;
    let hz = pitch_hz(semitones);
    let rate = f64::from(CLOCK_HZ);
    let start = step * STEP_SAMPLES;
    for index in 0..(voice.decay_s * DECAYS * rate) as usize {
        let time = index as f64 / rate;
        let attack = if time < voice.attack_s { 0.5 - 0.5 * (PI * time / voice.attack_s).cos() } else { 1.0 };
        let mut value = 0.0;
        for (overtone, strength) in voice.partials.iter().enumerate() {
            let multiple = (overtone + 1) as f64;
            // Overtones fall faster, as on a string; none may reach the edge of the telephone's band.
            if hz * multiple < 3_200.0 {
                value += strength * (-time * multiple.sqrt() / voice.decay_s).exp() * (TAU * hz * multiple * time).sin();
            }
        }
        mix[(start + index) % SAMPLES] += value * attack * voice.strength * accent;
    }
}

/// Adds one note of the pad for a bar from `step` on, overlapping its neighbors by half a beat.
fn hold(mix: &mut [f64], step: usize, semitones: i32) {
    let hz = pitch_hz(semitones);
    let length = (STEPS_PER_BAR + 1) * STEP_SAMPLES;
    for index in 0..length {
        let time = index as f64 / f64::from(CLOCK_HZ);
        let swell = (PI * index as f64 / length as f64).sin();
        let value = (TAU * (hz - PAD_DETUNE_HZ) * time).sin() + (TAU * (hz + PAD_DETUNE_HZ) * time).sin();
        mix[(step * STEP_SAMPLES + index) % SAMPLES] += value * swell * PAD_STRENGTH;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tone::{heard, level_dbfs, sines, tone_dbfs};

    const TEST_TONES: [u32; 6] = [440, 620, 880, 1_000, 1_230, 1_700];

    #[test]
    fn the_music_is_as_loud_as_prompts_everywhere_and_never_clips() {
        let music = compose();
        assert_eq!(music.len(), 240_000);
        assert!((level_dbfs(&music) - LOUDNESS_DBFS).abs() < 0.01);
        for second in music.chunks(8_000) {
            let level = level_dbfs(second);
            assert!((LOUDNESS_DBFS - 5.0..LOUDNESS_DBFS + 4.0).contains(&level), "{level}");
        }
        let peak = music.iter().map(|sample| sample.unsigned_abs()).max().unwrap();
        assert!(peak < 16_384, "{peak}");
    }

    #[test]
    fn the_loop_has_no_seam() {
        let music = compose();
        let steps: Vec<i32> = music.windows(2).map(|pair| (i32::from(pair[1]) - i32::from(pair[0])).abs()).collect();
        let seam = (i32::from(music[0]) - i32::from(music[SAMPLES - 1])).abs();
        assert!(seam <= *steps.iter().max().unwrap() / 2, "{seam}");
        // The first bar comes in no harder than the others, and over what still sounds of the last.
        let rise = |bar: usize| {
            let start = bar * STEPS_PER_BAR * STEP_SAMPLES;
            let before = (start + SAMPLES - 160) % SAMPLES;
            level_dbfs(&music[start..start + 160]) - level_dbfs(&music[before..before + 160])
        };
        let hardest = (1..BARS).map(rise).fold(f64::MIN, f64::max);
        assert!(rise(0) < hardest + 2.0, "{} after {hardest}", rise(0));
        assert!(level_dbfs(&music[..40]) > -40.0);
    }

    #[test]
    fn no_test_tone_is_heard_in_the_music() {
        let music = compose();
        assert!(heard(&music, &TEST_TONES).is_empty());
        for window in music.chunks(4_000) {
            let strongest = TEST_TONES.iter().map(|hz| tone_dbfs(window, f64::from(*hz))).fold(f64::MIN, f64::max);
            assert!(strongest < -35.0, "{strongest}");
        }
    }

    #[test]
    fn a_test_tone_over_the_music_is_heard_and_only_that() {
        let music = compose();
        for hz in TEST_TONES {
            let tone = sines(&[hz], -20.0, 30_000);
            let mix: Vec<i16> = music.iter().zip(&tone).map(|(music, tone)| music + tone).collect();
            for part in mix.chunks(16_000) {
                assert_eq!(heard(part, &TEST_TONES), [hz]);
            }
        }
    }

    #[test]
    fn hardly_any_frequency_at_all_is_taken_for_a_tone() {
        let music = compose();
        let all: Vec<u32> = (300..3_400).step_by(5).collect();
        let mistaken = heard(&music, &all);
        assert!(mistaken.len() < all.len() / 50, "{mistaken:?}");
    }
}
