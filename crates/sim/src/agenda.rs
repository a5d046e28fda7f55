//! What is going to happen, in order of time; among equal times, in the order in which it was put down.

use dreiklang_core::time::Timestamp;
use std::{cmp::Reverse, collections::BinaryHeap};

/// A priority queue over virtual time. Only small keys move in the heap; the entries lie still.
#[derive(Debug)]
pub struct Agenda<T> {
    order: BinaryHeap<Reverse<(Timestamp, u64, usize)>>,
    entries: Vec<Option<T>>,
    free: Vec<usize>,
    count: u64,
}

impl<T> Agenda<T> {
    pub fn new() -> Agenda<T> {
        Agenda { order: BinaryHeap::new(), entries: Vec::new(), free: Vec::new(), count: 0 }
    }

    pub fn put(&mut self, at: Timestamp, entry: T) {
        let slot = match self.free.pop() {
            Some(slot) => {
                self.entries[slot] = Some(entry);
                slot
            }
            None => {
                self.entries.push(Some(entry));
                self.entries.len() - 1
            }
        };
        self.count += 1;
        self.order.push(Reverse((at, self.count, slot)));
    }

    /// When the next one is due.
    pub fn next_at(&self) -> Option<Timestamp> {
        self.order.peek().map(|Reverse((at, ..))| *at)
    }

    pub fn take(&mut self) -> Option<(Timestamp, T)> {
        let Reverse((at, _, slot)) = self.order.pop()?;
        self.free.push(slot);
        self.entries[slot].take().map(|entry| (at, entry))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn things_come_in_order_of_time_and_then_of_putting() {
        let mut agenda = Agenda::new();
        for (at, name) in [(5, "c"), (1, "a"), (5, "d"), (2, "b")] {
            agenda.put(Timestamp(at), name);
        }
        let mut taken = Vec::new();
        while let Some((_, name)) = agenda.take() {
            taken.push(name);
            if name == "a" {
                agenda.put(Timestamp(5), "e");
            }
        }
        assert_eq!(taken, ["a", "b", "c", "d", "e"]);
    }
}
