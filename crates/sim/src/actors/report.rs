//! The way of reports from lines to the owner: they take time, overtake each other, come twice, late, or not at all.

use crate::stage::{Entry, Stage};
use dreiklang_core::{Input, ids::LegId};

impl Stage<'_> {
    /// A line reports about one of its legs.
    pub fn report(&mut self, leg: LegId, input: Input) {
        let faults = self.plan.faults;
        let now = self.now;
        let chance = match self.legs.get_mut(&leg) {
            Some(far) => &mut far.chance,
            None => &mut self.chance,
        };
        if chance.happens(faults.lost) {
            self.trace.note(now, &format!("the line loses the report {}", crate::trace::kind(&input)));
            return;
        }
        let usual = chance.between(faults.latency_least, faults.latency_most);
        let late = chance.happens(faults.late).then(|| chance.between(usual, faults.late_most));
        if chance.happens(faults.twice) {
            let after = chance.between(usual, faults.late_most);
            self.agenda.put(now + after, Entry::Give(Box::new(input.clone())));
        }
        self.agenda.put(now + late.unwrap_or(usual), Entry::Give(Box::new(input)));
    }

    /// The same for the first report of a leg, which a line does not hold back.
    pub fn report_now(&mut self, leg: LegId, input: Input) {
        let faults = self.plan.faults;
        if let Some(far) = self.legs.get_mut(&leg)
            && far.chance.happens(faults.twice)
        {
            let after = far.chance.between(faults.latency_least, faults.late_most);
            self.agenda.put(self.now + after, Entry::Give(Box::new(input.clone())));
        }
        self.agenda.put(self.now, Entry::Give(Box::new(input)));
    }

    /// An answer to an action: takes time, no more.
    pub fn give_later(&mut self, input: Input) {
        let mut chance = self.chance.clone();
        let at = self.arrival(&mut chance);
        self.chance = chance;
        self.agenda.put(at, Entry::Give(Box::new(input)));
    }
}
