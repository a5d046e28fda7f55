//! One loudness for all prompts, whoever recorded them.
//!
//! Measured over the parts in which something is said, so that pauses do not make a prompt louder; peaks that the gain
//! would push out of range are bent, not cut.

use super::LOUDNESS_DBFS;
use crate::codec::FRAME_SAMPLES;
use crate::tone::{amplitude, level_dbfs};

/// Frames this far below the loudest one are pauses.
const PAUSE_DB: f64 = 25.0;
/// Below this nothing is said at all, and noise is not made louder.
const SILENCE_DBFS: f64 = -60.0;
/// The most a quiet recording is raised: beyond, one hears the microphone.
const GAIN_DB_MAX: f64 = 30.0;
/// From this share of full scale on peaks are bent; the curve ends at full scale.
const KNEE: f64 = 0.6;

/// The level of the active parts; `None` where nothing is said.
pub(super) fn active_dbfs(samples: &[i16]) -> Option<f64> {
    let levels: Vec<f64> = samples.chunks(FRAME_SAMPLES).map(level_dbfs).collect();
    let loudest = levels.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    if loudest < SILENCE_DBFS {
        return None;
    }
    let active: Vec<f64> = levels.into_iter().filter(|level| *level >= loudest - PAUSE_DB).collect();
    let power: f64 = active.iter().map(|level| 10f64.powf(level / 10.0)).sum();
    Some(10.0 * (power / active.len() as f64).log10())
}

/// Brings the active parts to [`LOUDNESS_DBFS`].
pub(super) fn normalize(samples: &mut [i16]) {
    let Some(level) = active_dbfs(samples) else { return };
    let gain = amplitude((LOUDNESS_DBFS - level).min(GAIN_DB_MAX));
    for sample in samples {
        *sample = (bent(f64::from(*sample) / 32_768.0 * gain) * 32_767.0).round() as i16;
    }
}

fn bent(value: f64) -> f64 {
    let above = value.abs() - KNEE;
    if above <= 0.0 { value } else { value.signum() * (KNEE + (1.0 - KNEE) * (above / (1.0 - KNEE)).tanh()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tone::sines;

    #[test]
    fn quiet_and_loud_prompts_become_equally_loud() {
        for level in [-45.0, -30.0, -10.0, -4.0] {
            let mut samples = sines(&[620], level, 500);
            normalize(&mut samples);
            let heard = level_dbfs(&samples);
            assert!((heard - LOUDNESS_DBFS).abs() < 0.1, "{level} dBFS became {heard}");
        }
    }

    #[test]
    fn pauses_do_not_count_and_hiss_is_not_raised_without_end() {
        let mut samples = sines(&[620], -35.0, 500);
        samples.extend(vec![0; 40_000]);
        normalize(&mut samples);
        assert!((level_dbfs(&samples[..4_000]) - LOUDNESS_DBFS).abs() < 0.1);
        assert!(samples[4_000..].iter().all(|sample| *sample == 0));
        let mut quiet = sines(&[620], -57.0, 500);
        normalize(&mut quiet);
        assert!((level_dbfs(&quiet) + 27.0).abs() < 0.5);
        let mut hiss = vec![3; 8_000];
        normalize(&mut hiss);
        assert_eq!(hiss, [3; 8_000]);
        normalize(&mut []);
    }

    #[test]
    fn peaks_are_bent_below_full_scale() {
        let mut samples = sines(&[620], -40.0, 2_000);
        samples[8_000] = 20_000;
        normalize(&mut samples);
        assert!(samples[8_000] > 30_000);
        assert!((active_dbfs(&samples).unwrap() - LOUDNESS_DBFS).abs() < 2.0);
    }
}
