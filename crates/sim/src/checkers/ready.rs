//! Nobody is offered a conversation who is not on duty, ready, reachable and idle.

use super::Findings;
use dreiklang_core::{World, ids::AgentId};

const NAME: &str = "ready";

/// Seen right before the offer.
pub fn offered(world: &World, id: AgentId, found: &mut Findings) {
    let agent = world.agent(id);
    found.expect(
        agent.is_some_and(|agent| agent.is_routable()),
        NAME,
        "only an agent who is ready and idle is offered a conversation",
        || format!("{agent:?}"),
    );
}
