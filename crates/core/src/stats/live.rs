//! Figures of the present moment, which no interval can hold.

use super::figure::Unit;
use crate::{queue::Queue, time::Timestamp};

/// A figure of the live state.
#[derive(Clone, Copy, Debug)]
pub struct Live {
    /// The field of a queue's live state it is read from.
    pub key: &'static str,
    /// For people.
    pub title: &'static str,
    /// What the number counts.
    pub unit: Unit,
    /// How it is computed.
    pub formula: &'static str,
}

/// All of them.
pub static LIVE: &[Live] = &[
    Live { key: "waiting", title: "Waiting", unit: Unit::Count, formula: "visits that began and have not ended" },
    Live {
        key: "oldest_enqueued_at",
        title: "Longest wait at present (LWT)",
        unit: Unit::Milliseconds,
        formula: "now − the time since when the visit has waited that has waited longest, a place that was kept included",
    },
];

/// Since when the visit has waited that has waited longest; `None` while nobody waits.
pub fn oldest_waiting(queue: &Queue) -> Option<Timestamp> {
    queue.waiting.iter().map(|turn| turn.enqueued_at).min()
}
