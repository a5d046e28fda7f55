//! What is left of a call: its tags, for as long as its 2xx may be repeated.
//!
//! Requests for a call that is over need no memory, because 481 answers every unknown dialog. A 2xx does: it must be
//! acknowledged again, while one from an unknown fork must be acknowledged and ended.

use std::collections::{HashMap, VecDeque};
use std::time::Instant;

use crate::limits::{FORKS_MAX, TOMBSTONES_MAX};
use crate::transaction::timer::LIFETIME;

/// The calls that ended within the last 32 s.
#[derive(Debug, Default)]
pub(super) struct Tombstones {
    by_tag: HashMap<u64, Vec<String>>,
    queue: VecDeque<(Instant, u64)>,
}

impl Tombstones {
    /// Remembers the peer's tags of a call. Returns when [`Tombstones::expire`] is due.
    pub(super) fn insert(&mut self, now: Instant, tag: u64, known: Vec<String>) -> Option<Instant> {
        if self.queue.len() >= TOMBSTONES_MAX
            && let Some((_, oldest)) = self.queue.pop_front()
        {
            self.by_tag.remove(&oldest);
        }
        self.by_tag.insert(tag, known);
        self.queue.push_back((now + LIFETIME, tag));
        self.next()
    }

    /// Remembers one more peer of an ended call. Returns when [`Tombstones::expire`] is due.
    pub(super) fn remember(&mut self, now: Instant, tag: u64, remote_tag: &str) -> Option<Instant> {
        match self.by_tag.get_mut(&tag) {
            Some(known) if known.len() < FORKS_MAX => known.push(remote_tag.to_owned()),
            Some(_) => {}
            None => return self.insert(now, tag, vec![remote_tag.to_owned()]),
        }
        self.next()
    }

    /// Whether the ended call with our `tag` had this peer.
    pub(super) fn knows(&self, tag: u64, remote_tag: &str) -> bool {
        self.by_tag.get(&tag).is_some_and(|known| known.iter().any(|known| known == remote_tag))
    }

    /// Forgets what is old enough. Returns when it is due again.
    pub(super) fn expire(&mut self, now: Instant) -> Option<Instant> {
        while let Some((_, tag)) = self.queue.pop_front_if(|(until, _)| *until <= now) {
            self.by_tag.remove(&tag);
        }
        self.next()
    }

    fn next(&self) -> Option<Instant> {
        self.queue.front().map(|(until, _)| *until)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.by_tag.is_empty() && self.queue.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_tombstone_is_known_for_32_s() {
        let start = Instant::now();
        let mut tombstones = Tombstones::default();
        assert_eq!(tombstones.insert(start, 1, vec!["a".into()]), Some(start + LIFETIME));
        tombstones.remember(start, 1, "b");
        tombstones.insert(start + Duration::from_secs(1), 2, vec!["c".into()]);
        assert!(tombstones.knows(1, "a") && tombstones.knows(1, "b") && !tombstones.knows(1, "c"));
        assert_eq!(tombstones.expire(start + LIFETIME), Some(start + LIFETIME + Duration::from_secs(1)));
        assert!(!tombstones.knows(1, "a") && tombstones.knows(2, "c"));
        assert_eq!(tombstones.expire(start + LIFETIME * 2), None);
        assert!(tombstones.is_empty());
    }
}
