//! Random numbers where RTP wants them: SSRCs, first sequence numbers and timestamps (RFC 3550 §5.1), the CNAME, the
//! order of ports, the spacing of reports.
//!
//! They must not be guessable from outside and must differ between runs, nothing more: SplitMix64 over a state that
//! the standard library's hash keys seed from the system.

use std::hash::{BuildHasher, RandomState};

/// A source of random numbers.
pub(super) struct Seed(u64);

impl Seed {
    pub fn new() -> Seed {
        Seed(RandomState::new().hash_one(0u64))
    }

    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }
}
