//! A histogram of durations with a fixed size and a known error.
//!
//! Buckets grow with the value: each power of two is cut into [`STEPS`] equal parts, so a quantile is at most 1/64 (1.6 %)
//! above the true one. Recording is a shift, an add and no allocation.

/// log2 of the buckets per power of two.
const STEP_BITS: u32 = 6;
/// Buckets per power of two.
const STEPS: usize = 1 << STEP_BITS;
/// Buckets for all of `u64`: the linear part and one group per remaining power of two.
const BUCKETS: usize = (64 - STEP_BITS as usize + 1) * STEPS;

/// A histogram of values in nanoseconds.
#[derive(Clone)]
pub struct Histogram {
    buckets: Vec<u64>,
    count: u64,
    max: u64,
}

impl Default for Histogram {
    fn default() -> Self {
        Histogram { buckets: vec![0; BUCKETS], count: 0, max: 0 }
    }
}

fn bucket_of(value: u64) -> usize {
    if value < STEPS as u64 {
        return value as usize;
    }
    let shift = 63 - value.leading_zeros() - STEP_BITS;
    ((shift as usize) << STEP_BITS) + (value >> shift) as usize
}

/// The largest value of a bucket.
fn top_of(bucket: usize) -> u64 {
    if bucket < 2 * STEPS {
        return bucket as u64;
    }
    let shift = (bucket >> STEP_BITS) - 1;
    let mantissa = (STEPS + (bucket & (STEPS - 1))) as u64;
    // The last bucket ends at u64::MAX, where the sum would not fit.
    ((mantissa as u128 + 1) << shift).saturating_sub(1).min(u128::from(u64::MAX)) as u64
}

impl Histogram {
    /// Adds a value.
    pub fn record(&mut self, value: u64) {
        self.buckets[bucket_of(value)] += 1;
        self.count += 1;
        self.max = self.max.max(value);
    }

    /// Adds all values of another one.
    pub fn merge(&mut self, other: &Histogram) {
        for (mine, theirs) in self.buckets.iter_mut().zip(&other.buckets) {
            *mine += theirs;
        }
        self.count += other.count;
        self.max = self.max.max(other.max);
    }

    /// The value that `share` (0 to 1) of all values do not exceed; `None` without values.
    pub fn quantile(&self, share: f64) -> Option<u64> {
        if self.count == 0 {
            return None;
        }
        let wanted = ((self.count as f64 * share).ceil() as u64).clamp(1, self.count);
        let mut seen = 0;
        for (bucket, count) in self.buckets.iter().enumerate() {
            seen += count;
            if seen >= wanted {
                return Some(top_of(bucket).min(self.max));
            }
        }
        Some(self.max)
    }

    /// [`Histogram::quantile`] in milliseconds, to three digits after the point.
    pub fn quantile_ms(&self, share: f64) -> Option<f64> {
        self.quantile(share).map(|value| (value as f64 / 1e3).round() / 1e3)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buckets_follow_each_other_without_gap_or_overlap() {
        for bucket in 0..BUCKETS - 1 {
            let top = top_of(bucket);
            assert_eq!(bucket_of(top), bucket);
            assert_eq!(bucket_of(top + 1), bucket + 1, "after {top}");
        }
        assert_eq!(bucket_of(u64::MAX), BUCKETS - 1);
        assert_eq!(top_of(BUCKETS - 1), u64::MAX);
    }

    #[test]
    fn quantiles_are_at_most_one_64th_too_high() {
        let mut histogram = Histogram::default();
        for value in 1..=100_000_u64 {
            histogram.record(value * 1_000);
        }
        for share in [0.01, 0.5, 0.9, 0.99, 0.999, 1.0] {
            let (found, exact) = (histogram.quantile(share).unwrap() as f64, 1e8 * share);
            assert!(found >= exact && found <= exact * (1.0 + 1.0 / 64.0), "{share}: {found} for {exact}");
        }
        assert_eq!(histogram.quantile(1.0), Some(100_000_000));
    }

    #[test]
    fn merging_is_the_same_as_recording_everything_in_one() {
        let (mut one, mut two, mut both) = (Histogram::default(), Histogram::default(), Histogram::default());
        for value in 0..1_000_u64 {
            if value % 3 == 0 { &mut one } else { &mut two }.record(value * value);
            both.record(value * value);
        }
        one.merge(&two);
        assert_eq!((one.count, one.buckets, one.max), (both.count, both.buckets, both.max));
    }

    #[test]
    fn nothing_recorded_has_no_quantile() {
        assert_eq!(Histogram::default().quantile(0.5), None);
    }
}
