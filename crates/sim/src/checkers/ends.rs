//! Every leg ends once, and with a classified cause.

use super::Findings;
use dreiklang_core::{
    Event,
    conversation::{Termination, TerminationReason, TerminationResult},
    ids::LegId,
};
use std::collections::BTreeSet;

const NAME: &str = "ends";

#[derive(Debug, Default)]
pub struct Ends {
    open: BTreeSet<LegId>,
}

impl Ends {
    pub fn observe(&mut self, event: &Event, found: &mut Findings) {
        match event {
            Event::LegAdded { leg, .. } => {
                let fresh = self.open.insert(*leg);
                found.expect(fresh, NAME, "a leg is added once", || format!("{event:?}"));
            }
            Event::LegEnded { leg, termination, .. } => {
                let known = self.open.remove(leg);
                found.expect(known, NAME, "a leg ends once", || format!("{event:?}"));
                found.expect(is_classified(*termination), NAME, "a leg ends with a classified cause", || format!("{event:?}"));
            }
            Event::ConversationEnded { termination, .. } => {
                found.expect(is_classified(*termination), NAME, "a conversation ends with a classified cause", || format!("{event:?}"));
            }
            _ => {}
        }
    }

    pub fn end(&self, found: &mut Findings) {
        found.expect(self.open.is_empty(), NAME, "every leg ends", || format!("{:?}", self.open));
    }
}

fn is_classified(termination: Termination) -> bool {
    termination.result != TerminationResult::Unknown && termination.reason != TerminationReason::Unknown
}
