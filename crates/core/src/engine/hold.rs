//! Hold: by command, or by the agent's own telephone. The customer hears music, the agent nothing.

use super::{Engine, agent::wrong_state};
use crate::{
    conversation::{Conversation, SegmentKind},
    ids::{ConversationId, LegId},
    input::Actor,
    output::{Action, Event, Prompt},
    refusal::Refusal,
};

impl Engine {
    pub(super) fn hold(&mut self, by: Actor, id: ConversationId) -> Result<(), Refusal> {
        self.check_no_consult(id)?;
        match self.world.conversations.get(&id).and_then(Conversation::place) {
            Some(SegmentKind::Talk) => {
                self.start_hold(by, id);
                Ok(())
            }
            Some(SegmentKind::Hold) => Err(wrong_state("the customer is on hold already")),
            _ => Err(wrong_state("there is no talk to hold")),
        }
    }

    pub(super) fn resume(&mut self, id: ConversationId) -> Result<(), Refusal> {
        self.check_no_consult(id)?;
        let Some(found) = self.world.conversations.get(&id) else { return Err(wrong_state("the conversation is over")) };
        if found.place() != Some(SegmentKind::Hold) {
            return Err(wrong_state("the customer is not on hold"));
        }
        if found.talk.as_ref().and_then(|talk| found.leg(talk.leg)).is_some_and(|leg| leg.held) {
            return Err(wrong_state("the telephone itself holds the call; take it back there"));
        }
        self.end_hold(id);
        Ok(())
    }

    /// A party's own telephone holds or takes back. Only the agent's matters to the customer's place.
    pub(super) fn held_by_party(&mut self, id: LegId, held: bool) {
        let Some(found) = self.world.conversation_of(id) else { return };
        let Some(leg) = found.leg(id) else { return };
        if leg.held == held || leg.ending || leg.connected_at.is_none() {
            return;
        }
        let conversation = found.id;
        // In a consult it is the consult that says who hears whom; what the telephone wants counts again after it.
        let place = found.place().filter(|_| found.consult.is_none());
        let agent = found.talk.as_ref().filter(|talk| talk.leg == id).and_then(|talk| talk.agent);
        self.emit(Event::LegHeld { conversation, leg: id, held });
        match (agent, place) {
            (Some(agent), Some(SegmentKind::Talk)) if held => self.start_hold(Actor::Agent(agent), conversation),
            (Some(_), Some(SegmentKind::Hold)) if !held => self.end_hold(conversation),
            // In a conference the others are not to hear the music of that telephone.
            _ => self.rehear(conversation),
        }
    }

    fn check_no_consult(&self, id: ConversationId) -> Result<(), Refusal> {
        match self.world.conversations.get(&id).and_then(|found| found.consult.as_ref()) {
            Some(_) => Err(wrong_state("a consult is under way; swap, complete or cancel it")),
            None => Ok(()),
        }
    }

    pub(super) fn start_hold(&mut self, by: Actor, id: ConversationId) {
        let Some(found) = self.world.conversations.get(&id) else { return };
        let Some(talk) = &found.talk else { return };
        let leg = talk.leg;
        let Some(line) = found.leg(leg).map(|leg| leg.line) else { return };
        self.hold_customer(by, id);
        self.let_hear(Action::Silence { conversation: id, leg, line });
    }

    /// The customer hears music from now on; what the other party hears is the caller's matter.
    pub(super) fn hold_customer(&mut self, by: Actor, id: ConversationId) {
        let music = self.last_queue_music(id);
        self.emit(Event::HoldStarted { conversation: id, by });
        self.close_segment(id, Some(SegmentKind::Hold));
        self.play_to_customer(id, music);
    }

    /// What somebody hears who is put on hold in this conversation.
    pub(super) fn last_queue_music(&self, id: ConversationId) -> Prompt {
        self.world.conversations.get(&id).map_or(Prompt::Music, |found| self.world.hold_music(found))
    }

    pub(super) fn end_hold(&mut self, id: ConversationId) {
        let Some((a, line)) = self.customer(id) else { return };
        let Some(b) = self.world.conversations.get(&id).and_then(|found| found.talk.as_ref()).map(|talk| talk.leg) else { return };
        self.emit(Event::HoldEnded { conversation: id });
        self.close_segment(id, Some(SegmentKind::Talk));
        self.let_hear(Action::Bridge { conversation: id, a, b, line });
    }
}
