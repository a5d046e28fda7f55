//! Why a visit was offered to whom it was, or to nobody: written down with every decision, bounded in size and number.
//!
//! Of those who could take the visit the first few are named in the order of the strategy; then some of the queue's own agents
//! who could not, each with the first thing that is in the way. To look through all of them would cost more than the decision.

use super::{Asked, Misfit, Pick, Rank, Strategy};
use crate::{
    agent::{Agent, Availability, Duty, Occupation},
    ids::AgentId,
    limits::{EXPLAIN_SCAN, EXPLAINED},
    time::{Millis, Timestamp},
    world::World,
    written::Channel,
};
use serde::{Deserialize, Serialize};

/// One look for an agent for one visit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decision {
    /// By which the choice was made.
    pub strategy: Strategy,
    /// How many of the queue's rings the visit had reached.
    pub ring: u8,
    /// For whom it waited alone.
    pub preferred: Option<AgentId>,
    /// Its effective priority.
    pub priority: u8,
    /// How long it had been in line.
    pub waited: Millis,
    /// How many were suitable and idle.
    pub idle: u32,
    /// Who was asked; nobody when it has to wait.
    pub chosen: Vec<AgentId>,
    /// Some of those who were looked at, those who were asked first.
    pub candidates: Vec<Candidate>,
}

/// One agent in a decision.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Candidate {
    /// Who.
    pub agent: AgentId,
    /// What became of it.
    pub verdict: Verdict,
    /// What the strategy looked at first: the lowest is asked. Conversations taken for fewest calls, the negative sum of levels
    /// for skill level, nought else; with what the agent has of a written channel before all that, 2⁴⁰ for each.
    pub score: i64,
    /// Idle since.
    pub since: Timestamp,
}

/// Why an agent was asked, or was not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", content = "detail", rename_all = "snake_case")]
pub enum Verdict {
    /// Asked.
    Chosen,
    /// Could take it; others come first.
    Later,
    /// Is not what is asked for.
    Unfit(Misfit),
    /// Did not take it when it was offered before.
    PassedOver,
    /// Is not at work.
    OffDuty,
    /// Is not ready.
    NotReady,
    /// The telephone cannot be reached.
    Unreachable,
    /// Another conversation is being offered.
    Offered,
    /// Is in a conversation.
    Talking,
    /// Asks somebody, or is asked.
    Consulting,
    /// Follows another agent's talk.
    Supervising,
    /// Is finishing notes.
    WrapUp,
    /// Has as many of this channel as fit.
    Full,
    /// Has something in writing that calls must not interrupt.
    Undisturbed,
    /// Is about to end work.
    Ending,
    /// The telephone is still being hung up, or the agent is about to be removed.
    Leaving,
}

impl Verdict {
    /// What is in the way of asking this agent; [`Verdict::Later`] when nothing is.
    fn of(asked: &Asked, agent: &Agent) -> Verdict {
        if let Some(misfit) = asked.misfit(agent) {
            return Verdict::Unfit(misfit);
        }
        if agent.duty != Duty::OnDuty {
            return Verdict::OffDuty;
        }
        if let Some(channel) = asked.channel {
            return Verdict::of_writer(agent, channel);
        }
        match agent.occupation {
            Occupation::Offered { .. } => return Verdict::Offered,
            Occupation::Talking { .. } => return Verdict::Talking,
            Occupation::Consulting { .. } => return Verdict::Consulting,
            Occupation::Supervising { .. } => return Verdict::Supervising,
            Occupation::WrapUp { .. } => return Verdict::WrapUp,
            Occupation::Idle => {}
        }
        if agent.availability != Availability::Ready {
            Verdict::NotReady
        } else if !agent.reachable {
            Verdict::Unreachable
        } else if agent.planned_duty.is_some() {
            Verdict::Ending
        } else if agent.is_undisturbed() {
            Verdict::Undisturbed
        } else if agent.is_routable() {
            Verdict::Later
        } else {
            Verdict::Leaving
        }
    }
}

impl Verdict {
    /// The same for one who is asked to answer in writing.
    fn of_writer(agent: &Agent, channel: Channel) -> Verdict {
        if agent.availability != Availability::Ready {
            Verdict::NotReady
        } else if agent.planned_duty.is_some() {
            Verdict::Ending
        } else if !agent.has_room_for(channel) {
            Verdict::Full
        } else if agent.is_free_for(channel) {
            Verdict::Later
        } else {
            match agent.occupation {
                Occupation::Offered { .. } => Verdict::Offered,
                Occupation::Talking { .. } => Verdict::Talking,
                Occupation::Consulting { .. } => Verdict::Consulting,
                Occupation::Supervising { .. } => Verdict::Supervising,
                Occupation::WrapUp { .. } => Verdict::WrapUp,
                Occupation::Idle => Verdict::Leaving,
            }
        }
    }
}

/// Names who was chosen, who would have come next, and some of those who could not be asked.
pub(super) fn candidates<'a>(world: &World, pick: &Pick<'_>, members: impl Iterator<Item = &'a AgentId>) -> Vec<Candidate> {
    let candidate = |agent: &Agent, verdict: Verdict| {
        let Rank { score, .. } = pick.strategy.rank_if_free(pick.asked, agent).unwrap_or_else(|| pick.strategy.rank(pick.asked, agent));
        Candidate { agent: agent.settings.id, verdict, score, since: agent.idle_since }
    };
    let mut named: Vec<Candidate> =
        pick.agents.iter().take(EXPLAINED).filter_map(|id| world.agent(*id)).map(|agent| candidate(agent, Verdict::Chosen)).collect();
    let next = pick.idle.into_iter().flatten().map(|(_, id)| id).take(EXPLAINED + pick.agents.len());
    for id in next.filter(|id| !pick.agents.contains(id)) {
        if named.len() < EXPLAINED
            && let Some(agent) = world.agent(*id)
        {
            named.push(candidate(agent, if pick.passes_over(*id) { Verdict::PassedOver } else { Verdict::Later }));
        }
    }
    let others = members.take(EXPLAIN_SCAN).filter(|id| !pick.agents.contains(id)).filter_map(|id| world.agent(*id));
    let mut others: Vec<(bool, &Agent, Verdict)> = others
        .map(|agent| match Verdict::of(pick.asked, agent) {
            // The telephone may still be ringing off.
            Verdict::Leaving if pick.passes_over(agent.settings.id) => (agent, Verdict::PassedOver),
            verdict => (agent, verdict),
        })
        .filter(|(_, verdict)| *verdict != Verdict::Later)
        .map(|(agent, verdict)| (matches!(verdict, Verdict::Unfit(_)), agent, verdict))
        .collect();
    // Who would be suitable says more than who is not.
    others.sort_by_key(|(unfit, ..)| *unfit);
    let room = EXPLAINED.saturating_sub(named.len());
    named.extend(others.into_iter().take(room).map(|(_, agent, verdict)| candidate(agent, verdict)));
    named
}
