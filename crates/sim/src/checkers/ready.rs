//! Nobody is offered a conversation who is not on duty, ready, reachable and idle, or who has just missed it; ready need not be
//! who asked for just that one.

use super::Findings;
use dreiklang_core::{
    World,
    conversation::Purpose,
    ids::{AgentId, ConversationId},
};

const NAME: &str = "ready";

/// Seen right before the offer.
pub fn offered(world: &World, conversation: ConversationId, id: AgentId, purpose: Purpose, found: &mut Findings) {
    let agent = world.agent(id);
    found.expect(
        agent.is_some_and(|agent| agent.is_routable() || purpose == Purpose::Pull && agent.can_be_rung()),
        NAME,
        "only an agent who is ready and idle is offered a conversation",
        || format!("{agent:?}"),
    );
    let queue = world.conversation(conversation).and_then(|found| found.visit.as_ref()).map(|visit| visit.queue);
    let signed_out = agent.zip(queue).is_some_and(|(agent, queue)| agent.signed_out.contains_key(&queue));
    found.expect(purpose != Purpose::Serve || !signed_out, NAME, "nobody is offered a queue they are signed out of", || {
        format!("{agent:?} and {queue:?}")
    });
    let missed = world.conversation(conversation).and_then(|found| found.visit.as_ref()).map(|visit| &visit.missed_by);
    let passed_over = purpose == Purpose::Serve && missed.is_some_and(|missed| missed.contains_key(&id));
    found.expect(!passed_over, NAME, "who is passed over for a visit is not offered it", || format!("{id}: {missed:?}"));
}
