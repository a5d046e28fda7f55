//! What happens to agents.

use crate::{
    agent::{self, Agent, Availability, Occupation},
    input::Actor,
    output::{Event, Stamped},
    world::{Timer, World},
};

impl World {
    pub(super) fn apply_agent(&mut self, stamped: &Stamped) {
        let at = stamped.at;
        let id = match &stamped.event {
            Event::DutyChanged { agent, .. }
            | Event::AvailabilityChanged { agent, .. }
            | Event::AvailabilityPlanned { agent, .. }
            | Event::DutyPlanned { agent, .. }
            | Event::QueueSignIn { agent, .. }
            | Event::ProfileChosen { agent, .. }
            | Event::ReachabilityChanged { agent, .. }
            | Event::OccupationChanged { agent, .. }
            | Event::DispositionSet { agent, .. }
            | Event::WrapUpStarted { agent, .. }
            | Event::WrapUpExtended { agent, .. }
            | Event::WrapUpEnded { agent, .. } => *agent,
            _ => return,
        };
        let Some(agent) = self.agents.get_mut(&id) else { return };
        let could_be_offered = is_willing(agent);
        match &stamped.event {
            Event::DutyChanged { duty, .. } => {
                if agent.duty == agent::Duty::SignedOut {
                    agent.taken = 0;
                }
                agent.duty = *duty;
                agent.planned_duty = None;
                agent.state_since = at;
                self.timers.clear(Timer::ReadyAgain(id));
            }
            Event::AvailabilityChanged { availability, .. } => {
                agent.availability = availability.clone();
                agent.planned = None;
                agent.missed = 0;
                agent.state_since = at;
                self.timers.clear(Timer::ReadyAgain(id));
            }
            Event::AvailabilityPlanned { availability, .. } => {
                agent.planned.clone_from(availability);
                self.timers.clear(Timer::ReadyAgain(id));
            }
            Event::DutyPlanned { duty, .. } => agent.planned_duty = *duty,
            Event::ProfileChosen { profile, .. } => agent.profile.clone_from(profile),
            Event::QueueSignIn { queue, signed_in: true, .. } => {
                agent.signed_out.remove(queue);
            }
            Event::QueueSignIn { queue, signed_in: false, by, .. } => {
                agent.signed_out.insert(*queue, *by == Actor::System);
            }
            Event::ReachabilityChanged { reachable, .. } => agent.reachable = *reachable,
            Event::OccupationChanged { occupation, .. } => {
                // An offer that was taken back leaves the agent's place among the idle as it was.
                if *occupation == Occupation::Idle && !matches!(agent.occupation, Occupation::Offered { .. }) {
                    agent.idle_since = at;
                }
                if *occupation == Occupation::Idle {
                    (agent.disposition, agent.extended) = (None, false);
                }
                agent.occupation = *occupation;
                agent.occupation_since = at;
            }
            Event::DispositionSet { disposition, .. } => agent.disposition.clone_from(disposition),
            Event::WrapUpExtended { until, .. } => {
                if let Occupation::WrapUp { until: ends, .. } = &mut agent.occupation {
                    *ends = Some(*until);
                    agent.extended = true;
                    self.timers.set(Timer::WrapUp(id), *until);
                }
            }
            Event::WrapUpStarted { until: Some(until), .. } => self.timers.set(Timer::WrapUp(id), *until),
            Event::WrapUpEnded { .. } => self.timers.clear(Timer::WrapUp(id)),
            _ => {}
        }
        if !could_be_offered && is_willing(agent) {
            agent.idle_since = at;
        }
        self.retire_when_done(id);
    }
}

/// Routable but for what the agent is busy with.
fn is_willing(agent: &Agent) -> bool {
    agent.duty == agent::Duty::OnDuty && agent.availability == Availability::Ready && agent.reachable
}
