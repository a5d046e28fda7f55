//! Who is not let in is led nowhere: no queue, no agent, nobody outside.

use super::Findings;
use dreiklang_core::{Event, World};

const NAME: &str = "blocked";

/// Seen right before the fact.
pub fn observe(world: &World, event: &Event, found: &mut Findings) {
    let (Event::VisitStarted { conversation, .. }
    | Event::OfferMade { conversation, .. }
    | Event::TalkStarted { conversation, .. }
    | Event::TransferStarted { conversation, .. }) = event
    else {
        return;
    };
    let blocked = world.conversation(*conversation).is_some_and(|conversation| conversation.is_blocked());
    found.expect(!blocked, NAME, "a blocked caller is led nowhere", || format!("{event:?}"));
}
