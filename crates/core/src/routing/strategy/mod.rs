//! Which of several agents who could take a visit is asked. Each way is a rank by which a set is kept in order, so that the
//! choice is a look at its head.

mod fewest_calls;
mod longest_idle;
mod ring_all;
mod round_robin;
mod skill_level;

use super::Asked;
use crate::{agent::Agent, ids::AgentId, time::Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// Ways to choose among the agents who could take a visit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Strategy {
    /// Who has been idle longest.
    #[default]
    LongestIdle,
    /// One after the other, always in the same order.
    RoundRobin,
    /// Who has taken the fewest conversations of queues since signing in.
    FewestCalls,
    /// Everybody at once; the first to answer has it.
    RingAll,
    /// Who has the highest levels in what is asked.
    SkillLevel,
}

/// An agent's place among the idle: the lowest is asked first. Agents of equal rank are in the order of their ids.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Rank {
    /// What the strategy looks at first.
    pub score: i64,
    /// Since when the agent has been idle, for strategies that look at that.
    pub since: Timestamp,
}

/// More than any strategy's own score, so that what an agent has in writing counts first.
const PER_CONVERSATION: i64 = 1 << 40;

impl Strategy {
    /// An agent's rank for what is asked.
    pub fn rank(self, asked: &Asked, agent: &Agent) -> Rank {
        match self {
            Strategy::LongestIdle => longest_idle::rank(agent),
            Strategy::RoundRobin => round_robin::rank(),
            Strategy::FewestCalls => fewest_calls::rank(agent),
            Strategy::RingAll => ring_all::rank(agent),
            Strategy::SkillLevel => skill_level::rank(asked, agent),
        }
    }

    /// The rank of an agent who could be offered it now; `None` for others. Among those who write, whoever has least of the channel
    /// is asked first, but for [`Strategy::RoundRobin`], which is the same for everybody.
    pub(super) fn rank_if_free(self, asked: &Asked, agent: &Agent) -> Option<Rank> {
        let has = match asked.channel {
            None => agent.is_routable().then_some(0),
            Some(channel) => agent.is_free_for(channel).then(|| agent.has_of(channel)),
        };
        let rank = self.rank(asked, agent);
        let load = if self == Strategy::RoundRobin { 0 } else { i64::try_from(has?).unwrap_or(i64::MAX) };
        has.map(|_| Rank { score: rank.score.saturating_add(load.saturating_mul(PER_CONVERSATION)), ..rank })
    }

    /// Who of the idle who `may` be asked is asked, first to be asked first; `last` is who was asked last by the queue. At most
    /// `room`, and more than one only where several are asked at once.
    pub(super) fn choose(
        self,
        idle: &BTreeSet<(Rank, AgentId)>,
        may: impl Fn(AgentId) -> bool,
        last: Option<AgentId>,
        room: usize,
    ) -> Vec<AgentId> {
        match self {
            Strategy::RoundRobin => round_robin::choose(idle, may, last).into_iter().take(room).collect(),
            Strategy::RingAll => ring_all::choose(idle, may, room),
            Strategy::LongestIdle | Strategy::FewestCalls | Strategy::SkillLevel => {
                idle.iter().map(|(_, agent)| *agent).filter(|agent| may(*agent)).take(room.min(1)).collect()
            }
        }
    }
}
