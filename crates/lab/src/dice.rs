//! Ids and chances from one seed, so that a day in the lab can be had again.

/// A small generator (splitmix64, Steele et al. 2014); nothing here guards a secret.
#[derive(Clone, Debug)]
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn new(seed: u64) -> Dice {
        Dice(seed)
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// Whether something of this probability happens.
    pub(crate) fn chance(&mut self, probability: f64) -> bool {
        probability > 0.0 && ((self.next() >> 11) as f64 / (1_u64 << 53) as f64) < probability
    }

    /// A GUID in the form of version 4.
    pub(crate) fn guid(&mut self) -> String {
        let (a, b) = (self.next(), self.next());
        format!(
            "{:08x}-{:04x}-4{:03x}-{:04x}-{:012x}",
            a >> 32,
            (a >> 16) & 0xFFFF,
            a & 0xFFF,
            0x8000 | ((b >> 48) & 0x3FFF),
            b & 0xFFFF_FFFF_FFFF
        )
    }

    /// Letters that say nothing, as the service's opaque ids.
    pub(crate) fn opaque(&mut self, words: usize) -> String {
        let bytes: Vec<u8> = (0..words).flat_map(|_| self.next().to_be_bytes()).collect();
        data_encoding::BASE64URL_NOPAD.encode(&bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_gives_the_same_ids_and_another_gives_others() {
        assert_eq!(Dice::new(1).guid(), Dice::new(1).guid());
        assert_ne!(Dice::new(1).guid(), Dice::new(2).guid());
        assert_eq!(Dice::new(1).guid().len(), 36);
    }

    #[test]
    fn chances_are_kept() {
        let mut dice = Dice::new(7);
        let happened = (0..10_000).filter(|_| dice.chance(0.25)).count();
        assert!((2_300..2_700).contains(&happened), "{happened}");
        assert!(!dice.chance(0.0) && dice.chance(1.0));
    }
}
