//! Round robin: agents in the order of their ids, beginning after the one whom the queue asked last, whether or not that one
//! answered. Who is busy when the turn comes is passed over until the next round.

use super::Rank;
use crate::ids::AgentId;
use std::{
    collections::BTreeSet,
    ops::Bound::{Excluded, Unbounded},
};

pub(super) fn rank() -> Rank {
    Rank::default()
}

pub(super) fn choose(idle: &BTreeSet<(Rank, AgentId)>, may: impl Fn(AgentId) -> bool, last: Option<AgentId>) -> Option<AgentId> {
    let after = last.and_then(|last| idle.range((Excluded((rank(), last)), Unbounded)).find(|(_, agent)| may(*agent)));
    after.or_else(|| idle.iter().find(|(_, agent)| may(*agent))).map(|(_, agent)| *agent)
}
