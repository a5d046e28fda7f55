//! From one sampling rate to another: a windowed-sinc filter, good enough that the telephone's band (to 3.4 kHz) comes
//! through untouched and nothing folds down into it.

use std::f64::consts::PI;

/// Zero crossings of the sinc on each side: 64 lobes leave a transition of 640 Hz at 8 kHz.
const LOBES: usize = 32;
/// Kaiser window's shape: 80 dB of attenuation.
const KAISER_BETA: f64 = 8.0;
/// Where the filter is 6 dB down, as a share of the lower of the two rates: half the transition below its half.
const CUTOFF: f64 = 0.5 - 0.04;
/// Table entries per lobe; between them linear interpolation errs by less than -110 dB.
const ENTRIES_PER_LOBE: usize = 1_024;

/// Converts samples at `from_hz` to samples at `to_hz`, of the same length in time, without delay.
pub fn resample(samples: &[i16], from_hz: u32, to_hz: u32) -> Vec<i16> {
    if from_hz == to_hz || samples.is_empty() || from_hz == 0 || to_hz == 0 {
        return samples.to_vec();
    }
    let kernel = kernel();
    // One lobe of the filter in input samples; the filter is as long as the lower rate asks.
    let lobe = 1.0 / (2.0 * CUTOFF * (f64::from(to_hz) / f64::from(from_hz)).min(1.0));
    let reach = lobe * LOBES as f64;
    let entries_per_sample = ENTRIES_PER_LOBE as f64 / lobe;
    let count = (samples.len() as u64 * u64::from(to_hz)).div_ceil(u64::from(from_hz));
    let convert = |index: u64| {
        let center = index as f64 * f64::from(from_hz) / f64::from(to_hz);
        let first = (center - reach).ceil().max(0.0) as usize;
        let last = ((center + reach).floor() as usize).min(samples.len() - 1);
        let mut sum = 0.0;
        for (offset, sample) in samples[first.min(last)..=last].iter().enumerate() {
            let place = ((first + offset) as f64 - center).abs() * entries_per_sample;
            let entry = place as usize;
            let Some([low, high]) = kernel.get(entry..entry + 2) else { continue };
            sum += f64::from(*sample) * (low + (high - low) * (place - entry as f64));
        }
        (sum / lobe).round().clamp(-32_768.0, 32_767.0) as i16
    };
    (0..count).map(convert).collect()
}

/// One side of the filter's impulse response, from its middle outwards.
fn kernel() -> Vec<f64> {
    let entries = LOBES * ENTRIES_PER_LOBE;
    let value = |entry: usize| {
        let x = entry as f64 / ENTRIES_PER_LOBE as f64;
        let sinc = if entry == 0 { 1.0 } else { (PI * x).sin() / (PI * x) };
        let edge = x / LOBES as f64;
        sinc * bessel_i0(KAISER_BETA * (1.0 - edge * edge).max(0.0).sqrt()) / bessel_i0(KAISER_BETA)
    };
    (0..=entries).map(value).collect()
}

/// The modified Bessel function of order zero, by its power series; 30 terms are exact for arguments up to 10.
fn bessel_i0(x: f64) -> f64 {
    let quarter = x * x / 4.0;
    let mut term = 1.0;
    let mut sum = 1.0;
    for k in 1..30 {
        term *= quarter / f64::from(k * k);
        sum += term;
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sine(hz: f64, rate_hz: u32, ms: u32) -> Vec<i16> {
        let samples = rate_hz as u64 * u64::from(ms) / 1_000;
        (0..samples).map(|n| (10_000.0 * (2.0 * PI * hz * n as f64 / f64::from(rate_hz)).sin()).round() as i16).collect()
    }

    /// The ratio of what agrees with `expected` to what does not, in dB, without the filter's run-in.
    fn signal_to_noise_db(heard: &[i16], expected: &[i16]) -> f64 {
        let middle = 200..heard.len().min(expected.len()) - 200;
        let (mut signal, mut noise) = (0.0, 0.0);
        for index in middle {
            signal += f64::from(expected[index]).powi(2);
            noise += (f64::from(heard[index]) - f64::from(expected[index])).powi(2);
        }
        10.0 * (signal / noise.max(1e-9)).log10()
    }

    #[test]
    fn a_sine_comes_out_as_the_same_sine_at_the_same_time() {
        for rate_hz in [44_100, 48_000, 16_000, 22_050, 11_025, 96_000] {
            for hz in [100.0, 440.0, 1_230.0, 3_300.0] {
                let heard = resample(&sine(hz, rate_hz, 1_000), rate_hz, 8_000);
                assert!(heard.len().abs_diff(8_000) <= 1);
                let ratio = signal_to_noise_db(&heard, &sine(hz, 8_000, 1_000));
                assert!(ratio > 60.0, "{hz} Hz from {rate_hz} Hz: {ratio:.1} dB");
            }
        }
    }

    #[test]
    fn a_slow_rate_is_made_faster_without_images() {
        let heard = resample(&sine(1_000.0, 4_000, 1_000), 4_000, 8_000);
        let ratio = signal_to_noise_db(&heard, &sine(1_000.0, 8_000, 1_000));
        assert!(ratio > 60.0, "{ratio:.1} dB");
    }

    #[test]
    fn what_the_telephone_cannot_carry_is_gone_and_does_not_fold_down() {
        for (hz, rate_hz) in [(5_000.0, 16_000), (4_400.0, 48_000), (9_000.0, 44_100), (7_770.0, 44_100)] {
            let heard = resample(&sine(hz, rate_hz, 1_000), rate_hz, 8_000);
            let level = crate::tone::level_dbfs(&heard[200..heard.len() - 200]);
            assert!(level < -80.0, "{hz} Hz at {rate_hz} Hz leaves {level:.1} dBFS");
        }
    }

    #[test]
    fn a_single_sample_and_none_at_all_do_no_harm() {
        assert!(resample(&[], 48_000, 8_000).is_empty());
        assert_eq!(resample(&[1_000], 48_000, 8_000).len(), 1);
        assert_eq!(resample(&[5, 6], 8_000, 8_000), [5, 6]);
        assert_eq!(resample(&[i16::MAX; 600], 48_000, 8_000).len(), 100);
    }
}
