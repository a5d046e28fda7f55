//! The timer values of RFC 3261 table 4 and the queue that knows which deadline is next.

use std::collections::{BTreeSet, HashMap};
use std::hash::Hash;
use std::time::{Duration, Instant};

/// T1: the estimated round-trip time, the first retransmission interval.
pub const T1: Duration = Duration::from_millis(500);

/// T2: the longest retransmission interval of non-INVITE requests and of INVITE responses.
pub const T2: Duration = Duration::from_secs(4);

/// T4: how long a message can stay in the network.
pub const T4: Duration = Duration::from_secs(5);

/// 64·T1: timers B, F, H, J, L and M, and the wait for the ACK of a 2xx.
pub const LIFETIME: Duration = Duration::from_secs(32);

/// Timer D over datagrams: how long a final response to INVITE can be repeated (RFC 3261 §17.1.1.2).
pub const TIMER_D: Duration = Duration::from_secs(32);

/// How long a server waits for its user before it says 100 Trying by itself (RFC 3261 §17.2.1).
pub const TRYING_AFTER: Duration = Duration::from_millis(200);

/// Deadlines, at most one per key.
#[derive(Debug)]
pub struct Timers<K> {
    queue: BTreeSet<(Instant, K)>,
    armed: HashMap<K, Instant>,
}

impl<K: Copy + Ord + Hash> Timers<K> {
    /// No deadline at all.
    #[must_use]
    pub fn new() -> Timers<K> {
        Timers { queue: BTreeSet::new(), armed: HashMap::new() }
    }

    /// Sets, moves or (with `None`) removes the deadline of `key`.
    pub fn set(&mut self, key: K, at: Option<Instant>) {
        let before = match at {
            Some(at) => self.armed.insert(key, at),
            None => self.armed.remove(&key),
        };
        if before == at {
            return;
        }
        if let Some(before) = before {
            self.queue.remove(&(before, key));
        }
        if let Some(at) = at {
            self.queue.insert((at, key));
        }
    }

    /// The earliest deadline.
    #[must_use]
    pub fn next(&self) -> Option<Instant> {
        self.queue.first().map(|(at, _)| *at)
    }

    /// Removes one deadline that has been reached.
    pub fn pop_due(&mut self, now: Instant) -> Option<K> {
        let (at, key) = *self.queue.first()?;
        if at > now {
            return None;
        }
        self.queue.pop_first();
        self.armed.remove(&key);
        Some(key)
    }

    /// Whether no deadline is set.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.queue.is_empty()
    }
}

impl<K: Copy + Ord + Hash> Default for Timers<K> {
    fn default() -> Timers<K> {
        Timers::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn deadlines_come_in_order_and_a_moved_one_comes_once() {
        let start = Instant::now();
        let mut timers = Timers::new();
        timers.set('a', Some(start + T1));
        timers.set('b', Some(start + T2));
        timers.set('a', Some(start + T4));
        assert_eq!(timers.next(), Some(start + T2));
        assert_eq!(timers.pop_due(start + T1), None);
        assert_eq!(timers.pop_due(start + LIFETIME), Some('b'));
        assert_eq!(timers.pop_due(start + LIFETIME), Some('a'));
        assert!(timers.is_empty());
    }

    #[test]
    fn a_removed_deadline_never_comes() {
        let start = Instant::now();
        let mut timers = Timers::new();
        timers.set(1, Some(start));
        timers.set(1, None);
        assert_eq!(timers.pop_due(start + LIFETIME), None);
        assert_eq!(timers.next(), None);
    }
}
