//! Skill level: who has the highest sum of levels in the skills that are asked, and in the language; among equals who has been
//! idle longest. What a ring no longer asks does not count.

use super::{Asked, Rank};
use crate::agent::Agent;

pub(super) fn rank(asked: &Asked, agent: &Agent) -> Rank {
    Rank { score: -asked.levels(agent), since: agent.idle_since }
}
