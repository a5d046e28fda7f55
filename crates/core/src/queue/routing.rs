//! By which rules a queue finds an agent for a visit, and how its visits take turns.

use super::SkillRequirement;
use crate::{
    ids::{AgentId, QueueId, SkillId},
    routing::Strategy,
    time::{Millis, Timestamp},
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// A queue's rules of routing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct RoutingRules {
    /// Which of the agents who could take a visit is asked.
    pub strategy: Strategy,
    /// What is asked of agents less and less strictly while a visit waits, by waiting time. Each ring adds to those before it.
    pub rings: Vec<Ring>,
    /// How the priority of a visit grows while it waits; `None` = not at all.
    pub aging: Option<Aging>,
    /// How much a millisecond of waiting counts beside other queues of equal priority: 1 to [`crate::limits::WEIGHT_MAX`],
    /// usually 100.
    pub weight: u16,
}

impl Default for RoutingRules {
    fn default() -> Self {
        RoutingRules { strategy: Strategy::default(), rings: Vec::new(), aging: None, weight: 100 }
    }
}

/// What is no longer asked, or who else is asked, once a visit has waited for some time (a ring of a bullseye).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Ring {
    /// From this waiting time on; longer than the ring's before it.
    pub after: Millis,
    /// By how much the level of every asked skill sinks; never below 1.
    pub lower: u8,
    /// Skills that are not asked for any more.
    pub drop: BTreeSet<SkillId>,
    /// Languages that will do as well.
    pub languages: Vec<String>,
    /// Any language will do.
    pub any_language: bool,
    /// Queues whose agents are asked too, provided that they have the skills.
    pub queues: BTreeSet<QueueId>,
    /// Agents who are asked too, provided that they have the skills.
    pub agents: BTreeSet<AgentId>,
}

impl Ring {
    /// Takes from `skills` what this ring no longer asks.
    pub(crate) fn relax(&self, skills: &mut Vec<SkillRequirement>) {
        skills.retain(|need| !self.drop.contains(&need.skill));
        for need in skills {
            need.level = need.level.saturating_sub(self.lower).max(1);
        }
    }
}

/// How the priority of a visit grows while it waits.
///
/// The effective priority of a visit with priority `p` that has waited `w` is `min(p + step · w / every, max)`. Visits with a
/// priority above `max` do not age and come before all that do.
///
/// The order of service within a queue follows from it without ever being sorted again: who has waited for `w` with priority
/// `p` is level with who has come now with `p + step · w / every`, so that both sort by the moment at which the effective
/// priority would have been nought, `enqueued_at − p · every / step`, and that does not change with time. Two visits of equal
/// priority are always served in the order in which they came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Aging {
    /// The time in which it grows by `step`.
    pub every: Millis,
    /// By how much.
    pub step: u8,
    /// The priority it stops at.
    pub max: u8,
}

impl Aging {
    /// The key by which a visit that ages is sorted: the moment at which its effective priority would have been nought, times
    /// `step`. `None` when a visit of this priority does not age.
    pub(crate) fn key(self, priority: u8, since: Timestamp) -> Option<i64> {
        (priority <= self.max).then(|| since.0.saturating_mul(self.step()) - i64::from(priority).saturating_mul(self.every()))
    }

    /// The effective priority at `now` of a visit with this key, and for how long (in milliseconds) it has been reached.
    pub(crate) fn effective(self, key: i64, priority: u8, now: Timestamp) -> (u8, u64) {
        let grown = now.0.saturating_mul(self.step()).saturating_sub(key).max(0);
        let reached = (grown / self.every()).clamp(i64::from(priority.min(self.max)), i64::from(self.max));
        let beyond = (grown - reached * self.every()).max(0) / self.step();
        (u8::try_from(reached).unwrap_or(self.max), beyond.unsigned_abs())
    }

    fn step(self) -> i64 {
        i64::from(self.step.max(1))
    }

    fn every(self) -> i64 {
        i64::try_from(self.every.0).unwrap_or(i64::MAX).max(1)
    }
}
