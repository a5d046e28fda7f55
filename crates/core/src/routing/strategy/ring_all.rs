//! Ring all: everybody who could take the visit is asked at once, up to what one conversation has room for; those idle longest
//! first where there are more. The first to answer has it; for the others it was answered elsewhere, and nobody is blamed.

use super::Rank;
use crate::{agent::Agent, ids::AgentId};
use std::collections::BTreeSet;

pub(super) fn rank(agent: &Agent) -> Rank {
    Rank { score: 0, since: agent.idle_since }
}

pub(super) fn choose(idle: &BTreeSet<(Rank, AgentId)>, may: impl Fn(AgentId) -> bool, room: usize) -> Vec<AgentId> {
    idle.iter().map(|(_, agent)| *agent).filter(|agent| may(*agent)).take(room).collect()
}
