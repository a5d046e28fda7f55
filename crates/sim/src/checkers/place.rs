//! A conversation is in exactly one place, and what that place needs is there.

use super::Findings;
use dreiklang_core::{Event, World, conversation::SegmentKind, ids::ConversationId};

const NAME: &str = "place";

#[derive(Debug, Default)]
pub struct Place {
    touched: Vec<ConversationId>,
}

impl Place {
    pub fn observe(&mut self, event: &Event) {
        match event {
            Event::SegmentClosed { conversation, .. }
            | Event::VisitStarted { conversation, .. }
            | Event::VisitEnded { conversation, .. }
            | Event::TalkStarted { conversation, .. }
            | Event::TalkEnded { conversation, .. }
            | Event::OfferMade { conversation, .. }
            | Event::ConversationEnded { conversation, .. } => self.touched.push(*conversation),
            _ => {}
        }
    }

    pub fn between(&mut self, world: &World, found: &mut Findings) {
        while let Some(id) = self.touched.pop() {
            let Some(conversation) = world.conversation(id) else { continue };
            let place = conversation.place();
            let in_queue = conversation.visit.is_some();
            let in_talk = conversation.talk.is_some();
            let says = || format!("{id} is in {place:?}, in a queue: {in_queue}, in a talk: {in_talk}");
            let rule = "a conversation is in exactly one place";
            found.expect(in_queue == (place == Some(SegmentKind::Queue)), NAME, rule, says);
            found.expect(in_talk == matches!(place, Some(SegmentKind::Talk | SegmentKind::Hold)), NAME, rule, says);
            found.expect(!(in_queue && in_talk), NAME, rule, says);
            for leg in &conversation.legs {
                let owner = world.conversation_of(leg.id).map(|owner| owner.id);
                found.expect(owner == Some(id), NAME, "a leg belongs to one conversation", || format!("{} belongs to {owner:?}", leg.id));
            }
        }
    }
}
