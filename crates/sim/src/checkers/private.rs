//! What customers type privately stands nowhere, and still reaches the service it is for.

use super::Findings;
use dreiklang_core::{
    Action, Event, World,
    flow::{Collect, Node, PRIVATE_KEY},
    ids::ConversationId,
};

const NAME: &str = "private";

/// Seen right before the fact.
pub fn observe(world: &World, event: &Event, found: &mut Findings) {
    match event {
        Event::FlowKeyed { conversation, key, .. } => {
            let private = question(world, *conversation).is_some();
            let rule = "a key of a private answer, and no other, is only counted";
            found.expect(private == (*key == PRIVATE_KEY), NAME, rule, || format!("{event:?}"));
        }
        Event::FlowStepped { conversation, set, private, .. } => {
            let asked = question(world, *conversation);
            let open = asked.is_some_and(|asked| set.iter().any(|(name, _)| *name == asked.into));
            found.expect(!open, NAME, "no fact says what a private answer was", || format!("{event:?}"));
            let named = private.is_none() || asked.map(|asked| &asked.into) == private.as_ref();
            found.expect(named, NAME, "a private answer is named after its question", || format!("{event:?}"));
        }
        Event::ActionRequested { wish: Action::AskService { request, .. }, .. } => {
            let open = request.private.iter().any(|value| value.value().is_some());
            found.expect(!open, NAME, "no fact says what a private answer was", || format!("{event:?}"));
        }
        _ => {}
    }
}

/// The service is told what was typed, whoever the owner is by now.
pub fn uttered(wish: &Action, found: &mut Findings) {
    if let Action::AskService { request, .. } = wish {
        let told = request.private.iter().all(|value| value.value().is_some());
        found.expect(told, NAME, "no service is asked without what was typed for it", || format!("{wish:?}"));
    }
}

/// The private question that a customer is at.
fn question(world: &World, id: ConversationId) -> Option<&Collect> {
    let run = world.conversation(id)?.run.as_ref()?;
    match world.editions(run.flow)?.edition(run.version)?.nodes.get(&run.node)? {
        Node::Collect(collect) if collect.private => Some(collect),
        _ => None,
    }
}
