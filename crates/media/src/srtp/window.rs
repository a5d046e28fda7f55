//! Which packets of one source have been there (RFC 3711 §3.3.1, §3.3.2).

use crate::rtp::sequence_distance;

/// Packets behind the newest that are told apart; older ones count as seen. More than the relay's own window of late
/// packets, so that nothing is lost here.
pub(super) const WINDOW: u64 = 128;

/// The newest index, and which of those before it have been seen.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Window {
    newest: Option<u64>,
    /// Bit n: the index n before the newest.
    seen: u128,
}

impl Window {
    /// The index of a sequence number: the one next to the newest, so that it counts over wraps. Before the first
    /// packet it is the number itself.
    pub fn index(&self, sequence: u16) -> Option<u64> {
        match self.newest {
            None => Some(u64::from(sequence)),
            Some(newest) => newest.checked_add_signed(i64::from(sequence_distance(newest as u16, sequence))),
        }
    }

    /// Whether this index has not been there yet, as far as that is known.
    pub fn is_new(&self, index: u64) -> bool {
        match self.newest {
            Some(newest) if index <= newest => newest - index < WINDOW && self.seen >> (newest - index) & 1 == 0,
            _ => true,
        }
    }

    /// This index has been there.
    pub fn mark(&mut self, index: u64) {
        let newest = self.newest.unwrap_or(index);
        if index <= newest {
            self.newest = Some(newest);
            if newest - index < WINDOW {
                self.seen |= 1 << (newest - index);
            }
            return;
        }
        let ahead = index - newest;
        self.seen = if ahead < WINDOW { self.seen << ahead | 1 } else { 1 };
        self.newest = Some(index);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::HashSet;

    #[test]
    fn numbers_count_over_wraps_in_both_directions() {
        let mut window = Window::default();
        assert_eq!(window.index(65_530), Some(65_530));
        window.mark(65_530);
        assert_eq!(window.index(5), Some(65_541));
        window.mark(65_541);
        assert_eq!(window.index(65_535), Some(65_535), "overtaken at the wrap");
        assert_eq!(window.index(5 + 32_767), Some(65_541 + 32_767));
        let fresh = Window { newest: Some(3), seen: 1 };
        assert_eq!(fresh.index(65_534), None, "from before the first packet");
    }

    #[test]
    fn what_is_too_old_counts_as_seen() {
        let mut window = Window::default();
        window.mark(1_000);
        assert!(window.is_new(1_000 - WINDOW + 1));
        assert!(!window.is_new(1_000 - WINDOW));
        window.mark(1_000_000);
        assert!(!window.is_new(1_000) && window.is_new(999_999));
    }

    proptest! {
        #[test]
        fn nothing_is_new_twice(steps in proptest::collection::vec(0u64..400, 1..300)) {
            let mut window = Window::default();
            let (mut seen, mut newest) = (HashSet::new(), 0);
            for index in steps {
                let new = window.is_new(index);
                prop_assert!(!(new && seen.contains(&index)), "twice: {index}");
                let told_apart = seen.is_empty() || index + WINDOW > newest;
                prop_assert!(new || !told_apart || seen.contains(&index), "refused for nothing: {index}");
                if new {
                    window.mark(index);
                    seen.insert(index);
                    newest = newest.max(index);
                }
            }
        }
    }
}
