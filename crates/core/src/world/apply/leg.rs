//! What happens to legs.

use crate::{
    conversation::{Leg, Role},
    limits,
    output::{Event, Stamped},
    world::{DepartedLeg, Timer, World},
};

impl World {
    pub(super) fn apply_leg(&mut self, stamped: &Stamped) {
        let at = stamped.at;
        match &stamped.event {
            Event::LegAdded { conversation, leg, role, line, direction, endpoint } => {
                let Some(found) = self.conversations.get_mut(conversation) else { return };
                found.legs.push(Leg {
                    id: *leg,
                    role: *role,
                    line: *line,
                    direction: *direction,
                    endpoint: endpoint.clone(),
                    started_at: at,
                    ringing_at: None,
                    connected_at: None,
                    held: false,
                    ending: false,
                    ending_reason: None,
                    token: None,
                    measured: false,
                    since: stamped.seq,
                });
                self.legs.insert(*leg, *conversation);
                match role {
                    Role::Customer => {
                        found.customer = Some(*leg);
                        self.timers.set(Timer::Answer(*leg), at + limits::ANSWER_MAX);
                    }
                    Role::Agent(id) => {
                        if let Some(agent) = self.agents.get_mut(id) {
                            agent.leg = Some(*leg);
                        }
                    }
                    Role::External => {
                        if let Some(transfer) = &mut found.transfer {
                            transfer.leg = Some(*leg);
                        }
                        self.timers.set(Timer::TransferRing(*leg), at + limits::TRANSFER_RING);
                    }
                }
            }
            Event::LegRinging { leg, .. } => {
                if let Some(leg) = self.leg_mut(*leg) {
                    leg.ringing_at.get_or_insert(at);
                }
            }
            Event::LegConnected { leg, token, .. } => {
                self.timers.clear(Timer::Answer(*leg));
                self.timers.clear(Timer::TransferRing(*leg));
                if let Some(leg) = self.leg_mut(*leg) {
                    leg.connected_at.get_or_insert(at);
                    leg.token.clone_from(token);
                }
            }
            Event::LegHeld { leg, held, .. } => {
                if let Some(leg) = self.leg_mut(*leg) {
                    leg.held = *held;
                }
            }
            Event::LegEnded { conversation, leg, line, given_up, .. } => {
                for timer in [Timer::Answer(*leg), Timer::TransferRing(*leg), Timer::HangUp(*leg), Timer::HangUpAgain(*leg)] {
                    self.timers.clear(timer);
                }
                self.legs.remove(leg);
                let mut measured = false;
                let mut of_agent = None;
                if let Some(found) = self.conversations.get_mut(conversation) {
                    if let Some(index) = found.legs.iter().position(|candidate| candidate.id == *leg) {
                        let gone = found.legs.remove(index);
                        measured = gone.measured;
                        if let Role::Agent(agent) = gone.role {
                            of_agent = Some(agent);
                        }
                    }
                    if found.customer == Some(*leg) {
                        found.customer = None;
                    }
                }
                self.departed.insert(DepartedLeg { leg: *leg, conversation: *conversation, line: *line, measured, given_up: *given_up });
                if let Some(id) = of_agent {
                    if let Some(agent) = self.agents.get_mut(&id)
                        && agent.leg == Some(*leg)
                    {
                        agent.leg = None;
                    }
                    self.retire_when_done(id);
                }
                self.forget_when_done(*conversation);
            }
            Event::LegMeasured { leg, .. } => {
                if let Some(leg) = self.leg_mut(*leg) {
                    leg.measured = true;
                } else if let Some(leg) = self.departed.get_mut(*leg) {
                    leg.measured = true;
                }
            }
            _ => {}
        }
    }
}
