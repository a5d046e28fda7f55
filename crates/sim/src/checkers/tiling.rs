//! The segments of a conversation tile its time without gap or overlap.

use super::Findings;
use dreiklang_core::{Event, Stamped, conversation::SegmentKind, ids::ConversationId, time::Timestamp};
use std::collections::BTreeMap;

const NAME: &str = "tiling";

#[derive(Debug)]
struct Tiled {
    began: Timestamp,
    to: Timestamp,
    open: Option<SegmentKind>,
}

#[derive(Debug, Default)]
pub struct Tiling {
    conversations: BTreeMap<ConversationId, Tiled>,
}

impl Tiling {
    pub fn observe(&mut self, stamped: &Stamped, found: &mut Findings) {
        let event = &stamped.event;
        let says = || format!("{event:?}");
        match event {
            Event::ConversationStarted { conversation, .. } => {
                let tiled = Tiled { began: stamped.at, to: stamped.at, open: Some(SegmentKind::SetUp) };
                let fresh = self.conversations.insert(*conversation, tiled).is_none();
                found.expect(fresh, NAME, "a conversation begins once", says);
            }
            Event::SegmentClosed { conversation, kind, from, to, next, .. } => {
                let Some(tiled) = self.conversations.get_mut(conversation) else {
                    found.expect(false, NAME, "a segment belongs to a conversation that lives", says);
                    return;
                };
                found.expect(tiled.to == *from && from <= to, NAME, "segments leave no gap and do not overlap", says);
                found.expect(tiled.open == Some(*kind), NAME, "the segment that is closed is the open one", says);
                (tiled.to, tiled.open) = (*to, *next);
            }
            Event::ConversationEnded { conversation, started_at, .. } => {
                let tiled = self.conversations.remove(conversation);
                let whole = tiled.as_ref().is_some_and(|tiled| (tiled.began, tiled.to, tiled.open) == (*started_at, stamped.at, None));
                found.expect(whole, NAME, "segments reach from the beginning to the end", || format!("{tiled:?}, {event:?}"));
            }
            _ => {}
        }
    }

    pub fn end(&self, found: &mut Findings) {
        found.expect(self.conversations.is_empty(), NAME, "every conversation ends", || format!("{:?}", self.conversations));
    }
}
