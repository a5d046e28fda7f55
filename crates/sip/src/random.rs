//! Unguessable numbers from a seed: branches, tags, Call-IDs and back-off times.
//!
//! The crate has no randomness of its own. Whoever builds an endpoint hands over 32 secret bytes; SHA-256 over the seed
//! and a counter stretches them. The same seed gives the same run, which the tests rely on.

use std::ops::RangeInclusive;
use std::time::Duration;

use sha2::{Digest, Sha256};

/// Bytes of one SHA-256 block.
const BLOCK: usize = 32;

/// A deterministic generator that cannot be predicted without its seed.
#[derive(Debug, Clone)]
pub struct Random {
    seed: [u8; 32],
    counter: u64,
    block: [u8; BLOCK],
    used: usize,
}

impl Random {
    /// Starts the sequence that belongs to `seed`.
    #[must_use]
    pub fn new(seed: [u8; 32]) -> Random {
        Random { seed, counter: 0, block: [0; BLOCK], used: BLOCK }
    }

    /// The next 64 bits.
    pub fn next_u64(&mut self) -> u64 {
        if self.used + 8 > BLOCK {
            let mut hash = Sha256::new();
            hash.update(self.seed);
            hash.update(self.counter.to_be_bytes());
            self.block = hash.finalize().into();
            self.counter += 1;
            self.used = 0;
        }
        let mut word = [0; 8];
        word.copy_from_slice(&self.block[self.used..self.used + 8]);
        self.used += 8;
        u64::from_be_bytes(word)
    }

    /// A seed for another generator, such as a registration's own.
    pub fn fork(&mut self) -> [u8; 32] {
        let mut seed = [0; 32];
        for chunk in seed.chunks_exact_mut(8) {
            chunk.copy_from_slice(&self.next_u64().to_be_bytes());
        }
        seed
    }

    /// A whole number of milliseconds within the range, ends included.
    pub fn between(&mut self, milliseconds: RangeInclusive<u64>) -> Duration {
        let width = milliseconds.end().saturating_sub(*milliseconds.start()).saturating_add(1);
        Duration::from_millis(milliseconds.start() + self.next_u64() % width)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_gives_the_same_numbers_and_another_seed_others() {
        let mut first = Random::new([1; 32]);
        let mut again = Random::new([1; 32]);
        let mut other = Random::new([2; 32]);
        let numbers: Vec<u64> = (0..9).map(|_| first.next_u64()).collect();
        assert_eq!(numbers, (0..9).map(|_| again.next_u64()).collect::<Vec<_>>());
        assert_ne!(numbers[0], other.next_u64());
        let mut distinct = numbers.clone();
        distinct.sort_unstable();
        distinct.dedup();
        assert_eq!(distinct.len(), numbers.len());
    }

    #[test]
    fn between_stays_within_its_range() {
        let mut random = Random::new([3; 32]);
        for _ in 0..1_000 {
            let drawn = random.between(2_100..=4_000).as_millis();
            assert!((2_100..=4_000).contains(&drawn));
        }
    }
}
