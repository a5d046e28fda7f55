//! Keys that somebody presses, told in any order and more than once, put into theirs.
//!
//! A key that comes after its successor is waited for, for a moment; then it counts as lost, because a code with a missing digit is
//! refused and asked for again, while one with two digits swapped may be somebody else's.

use super::limits;
use std::collections::BTreeMap;

/// The keys of one leg.
#[derive(Debug, Default)]
pub(super) struct Keys {
    /// Number of the last one taken.
    last: Option<i64>,
    waiting: BTreeMap<i64, char>,
}

impl Keys {
    /// Takes a key in. Returns those whose turn it is.
    pub fn take(&mut self, sequence: i64, key: char) -> Vec<char> {
        let old = self.last.is_some_and(|last| sequence <= last);
        if !old && self.waiting.len() < limits::KEYS {
            self.waiting.insert(sequence, key);
        }
        self.ready()
    }

    /// Those that are missing are not waited for any longer.
    pub fn give_up(&mut self) -> Vec<char> {
        if let Some((first, _)) = self.waiting.first_key_value() {
            self.last = Some(first - 1);
        }
        self.ready()
    }

    /// Whether somebody waits for a missing one.
    pub fn has_gap(&self) -> bool {
        !self.waiting.is_empty()
    }

    fn ready(&mut self) -> Vec<char> {
        let mut ready = Vec::new();
        while let Some((sequence, key)) = self.waiting.first_key_value().map(|(sequence, key)| (*sequence, *key)) {
            // Counting begins at 0 or 1; whoever begins elsewhere may have been overtaken.
            let next = self.last.map_or(sequence <= 1, |last| sequence == last + 1);
            if !next {
                break;
            }
            self.waiting.remove(&sequence);
            self.last = Some(sequence);
            ready.push(key);
        }
        ready
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(keys: Vec<char>) -> String {
        keys.into_iter().collect()
    }

    #[test]
    fn keys_come_in_their_order_once_each() {
        let mut keys = Keys::default();
        assert_eq!(text(keys.take(1, '1')), "1");
        assert_eq!(text(keys.take(3, '3')), "");
        assert_eq!(text(keys.take(1, '1')), "");
        assert!(keys.has_gap());
        assert_eq!(text(keys.take(2, '2')), "23");
        assert_eq!(text(keys.take(2, '2')), "");
        assert!(!keys.has_gap());
    }

    #[test]
    fn a_lost_key_is_not_waited_for_for_ever() {
        let mut keys = Keys::default();
        assert_eq!(text(keys.take(7, '7')), "", "it may have been overtaken");
        assert_eq!(text(keys.take(9, '9')), "");
        assert_eq!(text(keys.give_up()), "7");
        assert_eq!(text(keys.give_up()), "9");
        assert_eq!(text(keys.take(8, '8')), "", "too late");
        assert_eq!(text(keys.take(10, '0')), "0");
    }
}
