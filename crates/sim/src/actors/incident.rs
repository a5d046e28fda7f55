//! What happens to the whole installation, sorted to those who do it.

use crate::{
    chance::{Chance, Stream},
    plan::IncidentKind,
    stage::{Entry, Stage},
};
use dreiklang_core::{Input, time::Millis};

impl Stage<'_> {
    pub fn incident(&mut self, index: usize) {
        let Some(incident) = self.plan.incidents.get(index).copied() else { return };
        let mut chance = Chance::new(self.plan.seed, Stream::Incident, incident.index);
        match incident.kind {
            IncidentKind::TakeOver => self.lose_owner(&mut chance),
            IncidentKind::Outage(line) => self.outage(line, &mut chance),
            IncidentKind::SlowStore => self.slow_store(&mut chance),
            IncidentKind::Change => self.administrate(&mut chance),
            IncidentKind::Intervention => self.supervise(&mut chance),
            IncidentKind::Drain => {
                let lasts = chance.between(Millis::from_secs(5), Millis::from_secs(120));
                self.agenda.put(self.now + lasts, Entry::DrainOver);
                self.give(Input::Drain { on: true });
            }
        }
    }
}
