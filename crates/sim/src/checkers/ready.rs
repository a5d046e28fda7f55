//! Nobody is offered a conversation who is not on duty, ready, reachable and idle; ready need not be who asked for just that one.

use super::Findings;
use dreiklang_core::{World, conversation::Purpose, ids::AgentId};

const NAME: &str = "ready";

/// Seen right before the offer.
pub fn offered(world: &World, id: AgentId, purpose: Purpose, found: &mut Findings) {
    let agent = world.agent(id);
    found.expect(
        agent.is_some_and(|agent| agent.is_routable() || purpose == Purpose::Pull && agent.can_be_rung()),
        NAME,
        "only an agent who is ready and idle is offered a conversation",
        || format!("{agent:?}"),
    );
}
