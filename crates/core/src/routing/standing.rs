//! Whose turn it is among visits of different queues.
//!
//! Within a queue the order of service is that of [`Turn`]. Between queues that an agent serves, the first of each is compared:
//! the higher effective priority is served first, and among equals the higher **weight × time at that priority**. Without aging
//! that is the time waited; a priority that has just been reached begins anew, so that nobody is lifted twice by the same wait.
//! With equal weights and no aging this is "highest priority, then longest wait" over all queues.

use crate::{
    queue::{RoutingRules, Turn},
    time::Timestamp,
};
use std::cmp::Reverse;

/// A visit's place among those of all queues at one moment: the least is served first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Standing {
    /// The effective priority.
    pub priority: Reverse<u8>,
    /// Weight × milliseconds at that priority.
    pub waited: Reverse<u64>,
    /// Decides between equals; within one queue it says the same as the two above.
    pub turn: Turn,
}

impl Standing {
    /// Where a visit of a queue with these rules stands at `now`.
    pub fn new(rules: &RoutingRules, turn: Turn, now: Timestamp) -> Standing {
        let (priority, waited) = match (turn.aged, rules.aging) {
            (Some(key), Some(aging)) => aging.effective(key, turn.priority, now),
            _ => (turn.priority, now.since(turn.enqueued_at).0),
        };
        Standing { priority: Reverse(priority), waited: Reverse(waited.saturating_mul(u64::from(rules.weight))), turn }
    }
}
