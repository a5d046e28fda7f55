//! Chance from a seed: the same on every machine, and a stream of its own for everybody, so that leaving somebody out does
//! not change what happens to the others.

use dreiklang_core::time::Millis;

/// Who or what a stream of chance is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stream {
    /// When calls arrive.
    Arrivals,
    /// What a caller is like and does.
    Caller,
    /// What the network does with a caller's leg.
    CallerLine,
    /// What an agent does.
    Agent,
    /// What the network does with an agent's telephone.
    AgentLine,
    /// When incidents happen.
    Incidents,
    /// What happens in an incident.
    Incident,
    /// What happens to parties outside.
    Outside,
    /// What the store does.
    Store,
    /// Which reports come once more.
    Repeats,
    /// When somebody writes.
    Letters,
    /// What who writes is like and does.
    Writer,
}

/// A generator: xoshiro256++ (Blackman and Vigna), seeded by SplitMix64.
#[derive(Clone, Debug)]
pub struct Chance([u64; 4]);

fn mix(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut z = *state;
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

impl Chance {
    /// The stream of one of many, such as the third caller.
    pub fn new(seed: u64, stream: Stream, index: u64) -> Chance {
        let mut state = seed;
        let a = mix(&mut state);
        let mut state = a ^ (stream as u64).wrapping_mul(0xd6e8_feb8_6659_fd93);
        let b = mix(&mut state);
        let mut state = b ^ index.wrapping_mul(0xa076_1d64_78bd_642f);
        Chance([mix(&mut state), mix(&mut state), mix(&mut state), mix(&mut state)])
    }

    /// 64 random bits.
    pub fn bits(&mut self) -> u64 {
        let s = &mut self.0;
        let result = s[0].wrapping_add(s[3]).rotate_left(23).wrapping_add(s[0]);
        let t = s[1] << 17;
        s[2] ^= s[0];
        s[3] ^= s[1];
        s[1] ^= s[2];
        s[0] ^= s[3];
        s[2] ^= t;
        s[3] = s[3].rotate_left(45);
        result
    }

    /// From 0 to 1, without 1.
    pub fn unit(&mut self) -> f64 {
        (self.bits() >> 11) as f64 / (1u64 << 53) as f64
    }

    /// True in this share of cases.
    pub fn happens(&mut self, share: f64) -> bool {
        share > 0.0 && self.unit() < share
    }

    /// From 0 to `end`, without `end`; 0 when there is nothing to choose from.
    pub fn below(&mut self, end: u64) -> u64 {
        if end == 0 { 0 } else { ((u128::from(self.bits()) * u128::from(end)) >> 64) as u64 }
    }

    /// An exponentially distributed span.
    pub fn exponential(&mut self, mean: Millis) -> Millis {
        let unit = 1.0 - self.unit();
        Millis((-unit.ln() * mean.0 as f64).round() as u64)
    }

    /// A span between two, all equally likely.
    pub fn between(&mut self, least: Millis, most: Millis) -> Millis {
        Millis(least.0 + self.below(most.0.saturating_sub(least.0) + 1))
    }

    /// One of them.
    pub fn pick<'list, T>(&mut self, list: &'list [T]) -> Option<&'list T> {
        list.get(self.below(list.len() as u64) as usize)
    }

    /// One of them, likely by its weight.
    pub fn pick_by_weight(&mut self, weights: impl Iterator<Item = f64> + Clone) -> Option<usize> {
        let total: f64 = weights.clone().sum();
        let mut left = self.unit() * total;
        let mut last = None;
        for (index, weight) in weights.enumerate() {
            last = Some(index);
            left -= weight;
            if left < 0.0 {
                break;
            }
        }
        last
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn streams_are_repeatable_and_differ() {
        let draw = |seed, stream, index| Chance::new(seed, stream, index).bits();
        assert_eq!(draw(1, Stream::Caller, 3), draw(1, Stream::Caller, 3));
        assert_ne!(draw(1, Stream::Caller, 3), draw(2, Stream::Caller, 3));
        assert_ne!(draw(1, Stream::Caller, 3), draw(1, Stream::Agent, 3));
        assert_ne!(draw(1, Stream::Caller, 3), draw(1, Stream::Caller, 4));
    }

    #[test]
    fn spans_have_the_mean_that_was_asked_for() {
        let mut chance = Chance::new(1, Stream::Caller, 0);
        let count = 100_000;
        let sum: u64 = (0..count).map(|_| chance.exponential(Millis(1_000)).0).sum();
        let mean = sum as f64 / count as f64;
        // Standard error is 1000/sqrt(100000) = 3.2.
        assert!((mean - 1_000.0).abs() < 13.0, "{mean}");
    }

    #[test]
    fn weights_are_heeded() {
        let mut chance = Chance::new(1, Stream::Caller, 0);
        let mut counts = [0u32; 3];
        for _ in 0..30_000 {
            counts[chance.pick_by_weight([1.0, 0.0, 2.0].into_iter()).unwrap()] += 1;
        }
        assert_eq!(counts[1], 0);
        assert!((9_500..10_500).contains(&counts[0]), "{counts:?}");
    }
}
