//! Longest idle: who has had nothing to do for the longest time. An offer that was taken back, and one that was not answered
//! by no fault of the agent's, leaves that time as it was.

use super::Rank;
use crate::agent::Agent;

pub(super) fn rank(agent: &Agent) -> Rank {
    Rank { score: 0, since: agent.idle_since }
}
