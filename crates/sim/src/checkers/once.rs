//! What begins ends once: visits, offers, talks, flows, recordings, actions; no id is given twice; no action comes out of nothing.

use super::Findings;
use dreiklang_core::{
    Action, Event, Stamped, World,
    ids::{ActionId, CallbackId, ConversationId, MessageId, OfferId, RecordingId, VisitId},
};
use std::collections::{BTreeMap, BTreeSet};

const NAME: &str = "once";

#[derive(Debug, Default)]
pub struct Once {
    visits: BTreeSet<VisitId>,
    offers: BTreeSet<OfferId>,
    talks: BTreeSet<ConversationId>,
    flows: BTreeSet<ConversationId>,
    recordings: BTreeSet<RecordingId>,
    messages: BTreeSet<MessageId>,
    callbacks: BTreeSet<CallbackId>,
    actions: BTreeMap<ActionId, bool>,
    /// Settled since the last input.
    settled: Vec<ActionId>,
    given: BTreeSet<u128>,
}

impl Once {
    pub fn observe(&mut self, world: &World, stamped: &Stamped, found: &mut Findings) {
        let event = &stamped.event;
        let says = || format!("{event:?}");
        match event {
            Event::ConversationStarted { conversation, .. } => self.fresh(conversation.0, event, found),
            Event::VisitStarted { visit, .. } => {
                self.fresh(visit.0, event, found);
                self.visits.insert(*visit);
            }
            Event::VisitEnded { visit, .. } => found.expect(self.visits.remove(visit), NAME, "a visit ends once", says),
            Event::OfferMade { offer, .. } => {
                self.fresh(offer.0, event, found);
                self.offers.insert(*offer);
            }
            Event::OfferEnded { offer, .. } => found.expect(self.offers.remove(offer), NAME, "an offer ends once", says),
            Event::TalkStarted { conversation, .. } => {
                found.expect(self.talks.insert(*conversation), NAME, "there is one talk at a time", says);
            }
            Event::TalkEnded { conversation, talk, hold, .. } => {
                found.expect(self.talks.remove(conversation), NAME, "a talk ends once", says);
                let began = world.conversation(*conversation).and_then(|found| found.talk.as_ref()).map(|talk| talk.started_at);
                let whole = began.map(|began| stamped.at.since(began));
                found.expect(whole == Some(*talk + *hold), NAME, "talk and hold make up the whole", says);
            }
            Event::CallbackRequested { callback, .. } => {
                self.fresh(callback.0, event, found);
                self.callbacks.insert(*callback);
            }
            Event::CallbackEnded { callback, .. } => {
                found.expect(self.callbacks.remove(callback), NAME, "a callback ends once", says);
            }
            Event::MessageStarted { message, .. } => {
                self.fresh(message.0, event, found);
                self.messages.insert(*message);
            }
            Event::MessageLeft { message, .. } | Event::MessageDiscarded { message, .. } => {
                found.expect(self.messages.remove(message), NAME, "a message is left or not, once", says);
            }
            Event::FlowEntered { conversation, .. } => {
                found.expect(self.flows.insert(*conversation), NAME, "a customer is in one flow at a time", says);
            }
            Event::FlowLeft { conversation, .. } => {
                found.expect(self.flows.remove(conversation), NAME, "a flow is left once", says);
            }
            Event::RecordingStarted { recording, .. } => {
                self.fresh(recording.0, event, found);
                self.recordings.insert(*recording);
            }
            Event::RecordingFinished { recording, .. } | Event::RecordingFailed { recording, .. } => {
                found.expect(self.recordings.remove(recording), NAME, "a recording is closed once", says);
            }
            Event::ActionRequested { action, wish } => {
                let survey = matches!(wish, Action::Survey { .. });
                found.expect(self.actions.insert(*action, survey).is_none(), NAME, "an action is requested once", says);
            }
            Event::ActionSettled { action, .. } => {
                found.expect(self.actions.remove(action).is_some(), NAME, "an action is settled once", says);
                self.settled.push(*action);
            }
            _ => {}
        }
    }

    fn fresh(&mut self, id: u128, event: &Event, found: &mut Findings) {
        found.expect(self.given.insert(id), NAME, "an id is given once", || format!("{event:?}"));
    }

    pub fn uttered(&mut self, action: ActionId, found: &mut Findings) {
        let known = self.actions.contains_key(&action) || self.settled.contains(&action);
        found.expect(known, NAME, "an action comes after the fact that it is wished", || action.to_string());
    }

    pub fn between(&mut self) {
        self.settled.clear();
    }

    pub fn end(&self, found: &mut Findings) {
        // A line that nobody answers for may just be asked once more.
        let open = self.actions.values().filter(|is_survey| !**is_survey).count();
        found.expect(open == 0, NAME, "every action is settled", || format!("{open} are open"));
        let nothing = self.visits.is_empty() && self.offers.is_empty() && self.talks.is_empty() && self.recordings.is_empty();
        found.expect(self.callbacks.is_empty(), NAME, "callbacks end", || format!("{:?}", self.callbacks));
        found.expect(self.messages.is_empty(), NAME, "messages end", || format!("{:?}", self.messages));
        found.expect(self.flows.is_empty(), NAME, "nobody stays in a flow", || format!("{:?}", self.flows));
        found.expect(nothing, NAME, "visits, offers, talks and recordings end", || {
            format!("{:?} {:?} {:?} {:?}", self.visits, self.offers, self.talks, self.recordings)
        });
    }
}
