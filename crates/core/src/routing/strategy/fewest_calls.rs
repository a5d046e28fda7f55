//! Fewest calls: who has taken the fewest conversations of any queue since signing in; among equals who has been idle longest.
//!
//! Counted since signing in and not since midnight, so that a late shift does not begin with the debts of the early one, and no
//! time zone matters. Calls to an agent directly and consults do not count: nobody was routed.

use super::Rank;
use crate::agent::Agent;

pub(super) fn rank(agent: &Agent) -> Rank {
    Rank { score: i64::from(agent.taken), since: agent.idle_since }
}
