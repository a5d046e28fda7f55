//! The figures: offered = answered + abandoned + flow-out in every interval; who entered a queue and has not left is waiting;
//! agents' states tile the time signed in; every time is booked once where it ended and once where it passed; and when
//! everybody has gone home nothing is left open.

use super::Findings;
use dreiklang_core::{
    Event, Stamped, World,
    ids::QueueId,
    stats::{Daybook, Ledger, SLOT, Subject, Tally, meter::Unit, slot},
    time::Timestamp,
};
use std::collections::{BTreeMap, BTreeSet};

const NAME: &str = "balance";

#[derive(Debug, Default)]
pub struct Balance {
    ledger: Ledger,
    books: Daybook,
    /// Visits that began and have not ended.
    waiting: BTreeMap<QueueId, i64>,
    touched: Vec<(QueueId, Timestamp)>,
    legs_ended: usize,
}

impl Balance {
    pub fn books(&self) -> &Daybook {
        &self.books
    }

    pub fn observe(&mut self, stamped: &Stamped) {
        self.ledger.observe(stamped, &mut self.books);
        match &stamped.event {
            Event::VisitStarted { queue, .. } => self.touch(*queue, stamped.at, 1),
            Event::VisitEnded { queue, .. } => self.touch(*queue, stamped.at, -1),
            Event::LegEnded { .. } => self.legs_ended += 1,
            _ => {}
        }
    }

    fn touch(&mut self, queue: QueueId, at: Timestamp, change: i64) {
        *self.waiting.entry(queue).or_default() += change;
        self.touched.push((queue, slot(at)));
    }

    pub fn between(&mut self, world: &World, found: &mut Findings) {
        while let Some((id, slot)) = self.touched.pop() {
            if let Some(tally) = self.books.tallies.get(&(Subject::Queue(id), slot)) {
                check_tally(Subject::Queue(id), tally, found);
            }
            let waiting = world.queue(id).map_or(0, |queue| queue.waiting.len() as i64);
            found.expect(self.waiting.get(&id) == Some(&waiting), NAME, "who entered a queue and has not left is waiting", || {
                format!("{id}: {waiting} waiting, {:?} entered and not left", self.waiting.get(&id))
            });
        }
    }

    pub fn end(&mut self, world: &World, found: &mut Findings) {
        self.ledger.book_present(world.at(), &mut self.books);
        for ((subject, _), tally) in &self.books.tallies {
            check_tally(*subject, tally, found);
        }
        let subjects: BTreeSet<Subject> = self.books.tallies.keys().map(|(subject, _)| *subject).collect();
        for subject in subjects {
            let Tally { interval, spent, .. } = self.books.total(subject);
            let ended = (interval.wait_all, interval.wait_answered, interval.talk, interval.hold, interval.wrap_up);
            let passed = (spent.wait_all, spent.wait_answered, spent.talk, spent.hold, spent.wrap_up);
            found.expect(ended == passed, NAME, "a time is booked once where it ended and once where it passed", || {
                format!("{subject:?}: {ended:?} ended, {passed:?} passed")
            });
            found.expect(interval.talks == interval.handled, NAME, "every talk that began is handled", || {
                format!("{subject:?}: {interval:?}")
            });
            for (channel, writing) in &interval.written {
                let taken = writing.answered == writing.handled;
                let left = writing.entered == writing.offered || !matches!(subject, Subject::Queue(_));
                found.expect(taken && left, NAME, "what was written came to an end", || format!("{subject:?} {channel:?}: {writing:?}"));
            }
            if matches!(subject, Subject::Queue(_)) {
                found.expect(interval.entered == interval.offered, NAME, "every visit that began has ended", || {
                    format!("{subject:?}: {interval:?}")
                });
            }
        }
        let open: Vec<_> = self.ledger.open_conversations().collect();
        found.expect(open.is_empty(), NAME, "the figures wait for nothing any more", || format!("{open:?}"));
        let metered = self.books.metered.iter().filter(|record| record.unit == Unit::Connected).count();
        found.expect(metered == self.legs_ended, NAME, "every leg is metered once", || {
            format!("{} legs, {metered} records", self.legs_ended)
        });
    }
}

fn check_tally(subject: Subject, tally: &Tally, found: &mut Findings) {
    let interval = &tally.interval;
    found.expect(interval.balance().is_ok(), NAME, "offered = answered + abandoned + flow-out", || format!("{subject:?}: {interval:?}"));
    let states = &tally.states;
    found.expect(states.residual() == 0 && states.signed_in <= SLOT, NAME, "states tile the time signed in", || {
        format!("{subject:?}: {states:?}")
    });
}
