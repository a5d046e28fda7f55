//! An offer does not outlive its ring time.

use super::Findings;
use dreiklang_core::{
    Event,
    ids::{ConversationId, OfferId},
    time::Timestamp,
};
use std::collections::{BTreeMap, BTreeSet};

const NAME: &str = "ringing";

#[derive(Debug, Default)]
pub struct Ringing {
    until: BTreeMap<OfferId, (Timestamp, ConversationId)>,
    order: BTreeSet<(Timestamp, OfferId)>,
}

impl Ringing {
    pub fn observe(&mut self, event: &Event) {
        match event {
            Event::OfferMade { offer, conversation, rings_until, .. } => {
                self.until.insert(*offer, (*rings_until, *conversation));
                self.order.insert((*rings_until, *offer));
            }
            Event::WrittenOffered { offer, conversation, until, .. } => {
                self.until.insert(*offer, (*until, *conversation));
                self.order.insert((*until, *offer));
            }
            // An answer that is to be confirmed lengthens all that ring together.
            Event::OfferAnswered { conversation, rings_until, .. } => {
                for (offer, (until, _)) in self.until.iter_mut().filter(|(_, (_, of))| of == conversation) {
                    self.order.remove(&(*until, *offer));
                    *until = *rings_until;
                    self.order.insert((*until, *offer));
                }
            }
            Event::OfferEnded { offer, .. } | Event::WrittenOfferEnded { offer, .. } => {
                if let Some((until, _)) = self.until.remove(offer) {
                    self.order.remove(&(until, *offer));
                }
            }
            _ => {}
        }
    }

    pub fn between(&self, now: Timestamp, found: &mut Findings) {
        let late = self.order.first().filter(|(until, _)| *until <= now);
        found.expect(late.is_none(), NAME, "an offer does not outlive its ring time", || format!("{late:?}"));
    }

    pub fn end(&self, found: &mut Findings) {
        found.expect(self.order.is_empty(), NAME, "every offer ends", || format!("{:?}", self.order));
    }
}
