//! What follows missed offers.

use crate::{
    ids::ConversationId,
    output::{Event, Stamped},
    routing::OfferOutcome,
    world::{Timer, World},
};

impl World {
    pub(super) fn apply_missed(&mut self, stamped: &Stamped) {
        match &stamped.event {
            Event::OfferEnded { agent, outcome, .. } | Event::WrittenOfferEnded { agent, outcome, .. } => {
                let Some(agent) = self.agents.get_mut(agent) else { return };
                match outcome {
                    OfferOutcome::Accepted => agent.missed = 0,
                    OfferOutcome::Withdrawn => {}
                    OfferOutcome::NoAnswer | OfferOutcome::Declined | OfferOutcome::Busy | OfferOutcome::Unreachable => {
                        agent.missed = agent.missed.saturating_add(1);
                    }
                }
            }
            Event::AgentPassedOver { conversation, agent, until, .. } => {
                // Others come first from now on, for other visits too.
                if let Some(agent) = self.agents.get_mut(agent) {
                    agent.idle_since = stamped.at;
                }
                if let Some(visit) = self.visit_mut(*conversation) {
                    visit.missed_by.insert(*agent, *until);
                }
                self.plan_asking_again(*conversation);
            }
            Event::AgentsAskedAgain { conversation, agents, .. } => {
                if let Some(visit) = self.visit_mut(*conversation) {
                    visit.missed_by.retain(|agent, _| !agents.contains(agent));
                }
                self.plan_asking_again(*conversation);
            }
            Event::ReturnPlanned { agent, due } => self.timers.set(Timer::ReadyAgain(*agent), *due),
            _ => {}
        }
    }

    fn plan_asking_again(&mut self, id: ConversationId) {
        match self.visit(id).and_then(|visit| visit.asks_again_at()) {
            Some(due) => self.timers.set(Timer::AskAgain(id), due),
            None => self.timers.clear(Timer::AskAgain(id)),
        }
    }
}
