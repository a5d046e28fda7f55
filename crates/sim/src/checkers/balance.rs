//! Offered = answered + abandoned + flow-out, in every queue at every moment; and who entered and has not left is waiting.

use super::Findings;
use dreiklang_core::{Stamped, World, ids::QueueId, stats::Interval};
use std::collections::BTreeMap;

const NAME: &str = "balance";

#[derive(Debug, Default)]
pub struct Balance {
    intervals: BTreeMap<QueueId, Interval>,
    touched: Vec<QueueId>,
}

impl Balance {
    pub fn intervals(&self) -> &BTreeMap<QueueId, Interval> {
        &self.intervals
    }

    pub fn observe(&mut self, world: &World, stamped: &Stamped) {
        let Some(id) = Interval::queue_of(&stamped.event) else { return };
        let within = world.queue(id).map(|queue| queue.settings.service_level.within).unwrap_or_default();
        self.intervals.entry(id).or_default().observe(&stamped.event, within, stamped.at);
        self.touched.push(id);
    }

    pub fn between(&mut self, world: &World, found: &mut Findings) {
        while let Some(id) = self.touched.pop() {
            self.check(id, world, found);
        }
    }

    pub fn end(&self, world: &World, found: &mut Findings) {
        for id in self.intervals.keys() {
            self.check(*id, world, found);
        }
    }

    fn check(&self, id: QueueId, world: &World, found: &mut Findings) {
        let Some(interval) = self.intervals.get(&id) else { return };
        found.expect(interval.residual() == 0, NAME, "offered = answered + abandoned + flow-out", || format!("{id}: {interval:?}"));
        let waiting = world.queue(id).map_or(0, |queue| queue.waiting.len() as u64);
        let left = interval.entered.checked_sub(interval.offered);
        found.expect(left == Some(waiting), NAME, "who entered a queue and has not left is waiting", || {
            format!("{id}: {waiting} waiting, {interval:?}")
        });
    }
}
