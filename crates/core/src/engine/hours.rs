//! The switch of opening hours.

use super::Engine;
use crate::{hours::Switch, ids::HoursId, input::Actor, output::Event, refusal::Refusal};

impl Engine {
    pub(super) fn switch_hours(&mut self, by: Actor, hours: HoursId, to: Switch) -> Result<(), Refusal> {
        if let Actor::Agent(_) = by {
            return Err(Refusal::NotAllowed { reason: "agents do not open or close; ask a supervisor".to_owned() });
        }
        if !self.world.hours.contains_key(&hours) {
            return Err(Refusal::NotFound { what: "opening hours".to_owned(), id: hours.to_string() });
        }
        if to.until().is_some_and(|until| until <= self.now) {
            return Err(Refusal::Invalid {
                field: "to.until".to_owned(),
                problem: "is past already; choose a later time or none".to_owned(),
            });
        }
        let stands = self.world.overrides.get(&hours).map_or(Switch::Automatic, |found| found.switch);
        if stands != to {
            self.emit(Event::HoursOverridden { hours, to, by });
        }
        Ok(())
    }
}
