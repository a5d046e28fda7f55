//! Of two equal visits, the one that has waited longer is served first. Equal are those of the same queue and priority that
//! ask for the same.

use super::Findings;
use dreiklang_core::{
    World,
    conversation::Visit,
    ids::{AgentId, ConversationId},
};

const NAME: &str = "order";

fn asks_the_same(one: &Visit, other: &Visit) -> bool {
    let terms = |visit: &Visit| (visit.terms.preferred.map(|waited| waited.agent), visit.terms.language.clone());
    one.skills == other.skills && terms(one) == terms(other)
}

/// Seen right before the offer. Whoever was missed by this agent before is passed over.
pub fn offered(world: &World, id: ConversationId, agent: AgentId, found: &mut Findings) {
    let Some(conversation) = world.conversation(id) else { return };
    let Some(visit) = &conversation.visit else { return };
    let Some(queue) = world.queue(visit.queue) else { return };
    if conversation.offer.is_some() {
        // One more telephone rings for the same visit.
        return;
    }
    let own = visit.turn(id);
    let elder = queue.waiting.iter().filter(|turn| turn.priority == own.priority && turn.enqueued_at < own.enqueued_at).find(|turn| {
        let could_have = |other: &Visit| asks_the_same(other, visit) && !other.missed_by.contains_key(&agent);
        world.conversation(turn.conversation).is_some_and(|other| other.wants_agent() && other.visit.as_ref().is_some_and(could_have))
    });
    found.expect(elder.is_none(), NAME, "of two equal visits the older one is served first", || {
        format!("{id} is offered to {agent} although {elder:?} has waited longer")
    });
}
