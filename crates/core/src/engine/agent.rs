//! Agents: what they choose, what their telephones say, and the step from one occupation to the next. What follows a talk is in
//! `wrap_up`, what follows a missed offer in `missed`.

use super::Engine;
use crate::{
    agent::{Agent, Availability, Duty, Occupation},
    ids::{AgentId, ConversationId},
    input::Actor,
    limits::NAME_CHARS,
    output::Event,
    refusal::Refusal,
};

impl Engine {
    pub(super) fn reachable(&mut self, agent: AgentId, reachable: bool) {
        if self.world.agents.get(&agent).is_some_and(|state| state.reachable != reachable) {
            self.emit(Event::ReachabilityChanged { agent, reachable });
        }
    }

    pub(super) fn set_duty(&mut self, by: Actor, id: AgentId, duty: Duty) -> Result<(), Refusal> {
        let agent = self.agent(id)?;
        if agent.duty == duty {
            return Ok(());
        }
        match agent.occupation {
            Occupation::Offered { .. } => {
                return Err(wrong_state("a conversation is being offered; take or decline it first, or plan the change for afterwards"));
            }
            Occupation::Talking { .. } => {
                return Err(wrong_state("a conversation is under way; end or transfer it first, or plan the change for afterwards"));
            }
            Occupation::Consulting { .. } => {
                return Err(wrong_state("a consult is under way; end it first, or plan the change for afterwards"));
            }
            Occupation::Supervising { .. } => {
                return Err(wrong_state("a talk is being supervised; end that first, or plan the change for afterwards"));
            }
            Occupation::WrapUp { queue, .. } if duty != Duty::OnDuty && agent.disposition.is_none() && self.must_say(&by, queue) => {
                return Err(wrong_state("say first what became of the conversation; its queue asks for a disposition"));
            }
            _ if duty != Duty::OnDuty && !agent.work.is_empty() => {
                return Err(wrong_state(
                    "conversations in writing are not done; close or move them first, or plan the change for afterwards",
                ));
            }
            // Who goes home has finished the notes.
            Occupation::WrapUp { .. } if duty != Duty::OnDuty => self.end_wrap_up(id, by.clone()),
            Occupation::WrapUp { .. } | Occupation::Idle => {}
        }
        let comes_to_work = self.world.agents.get(&id).is_some_and(|agent| agent.duty == Duty::SignedOut);
        self.emit(Event::DutyChanged { agent: id, duty, by });
        if comes_to_work {
            self.sign_in_anew(id);
        }
        Ok(())
    }

    /// Plans what is to follow the present conversation and its notes. Who has none begins at once.
    pub(super) fn plan_duty(&mut self, by: Actor, id: AgentId, duty: Duty) -> Result<(), Refusal> {
        let agent = self.agent(id)?;
        if agent.has_nothing_to_do() {
            return self.set_duty(by, id, duty);
        }
        // Staying is no plan.
        let planned = (duty != agent.duty).then_some(duty);
        if agent.planned_duty != planned {
            self.emit(Event::DutyPlanned { agent: id, duty: planned, by });
        }
        Ok(())
    }

    pub(super) fn set_availability(&mut self, by: Actor, id: AgentId, availability: Availability) -> Result<(), Refusal> {
        self.check_reason(&availability)?;
        let agent = self.agent(id)?;
        let same = agent.availability == availability;
        if agent.occupation == Occupation::Idle {
            if !same {
                self.emit(Event::AvailabilityChanged { agent: id, availability, by });
            }
            return Ok(());
        }
        let planned = (!same).then_some(availability);
        if agent.planned != planned {
            self.emit(Event::AvailabilityPlanned { agent: id, availability: planned, by });
        }
        Ok(())
    }

    fn check_reason(&self, availability: &Availability) -> Result<(), Refusal> {
        let Availability::NotReady { reason } = availability else { return Ok(()) };
        let codes = &self.world.settings.not_ready_reasons;
        let problem = if reason.trim().is_empty() {
            "is empty; say why".to_owned()
        } else if reason.chars().count() > NAME_CHARS {
            format!("is longer than {NAME_CHARS} characters")
        } else if !codes.is_empty() && !codes.contains(reason) {
            format!("is not one of the tenant's codes: {}", codes.join(", "))
        } else {
            return Ok(());
        };
        Err(Refusal::Invalid { field: "availability.reason".to_owned(), problem })
    }

    /// Takes on what the agent chose while busy.
    pub(super) fn apply_planned(&mut self, id: AgentId) {
        if let Some(availability) = self.world.agents.get(&id).and_then(|agent| agent.planned.clone()) {
            self.emit(Event::AvailabilityChanged { agent: id, availability, by: Actor::Agent(id) });
        }
    }

    /// Takes on what an offer's end means. A break chosen while it rang counts more than the rule's reason; being ready does not.
    pub(super) fn agent_missed(&mut self, id: AgentId, by_rule: Option<Availability>) {
        let Some(agent) = self.world.agents.get(&id) else { return };
        let planned = agent.planned.clone();
        let in_call = match agent.occupation {
            Occupation::Idle => false,
            // The offer that was missed is gone already; another one rings on.
            Occupation::Offered { offer, conversation } => {
                self.world.conversations.get(&conversation).is_some_and(|found| found.offers().any(|other| other.id == offer))
            }
            _ => true,
        };
        match by_rule {
            // In a call, somebody else's chat was missed: it is said when the call is over.
            Some(availability) if in_call => {
                if planned.is_none() {
                    self.emit(Event::AvailabilityPlanned { agent: id, availability: Some(availability), by: Actor::System });
                }
            }
            None if in_call => {}
            Some(availability) if !matches!(planned, Some(Availability::NotReady { .. })) => {
                self.emit(Event::AvailabilityChanged { agent: id, availability, by: Actor::System });
            }
            _ => self.apply_planned(id),
        }
    }

    /// Nothing to do any more; whoever planned to end work then does.
    pub(super) fn become_idle(&mut self, id: AgentId) {
        self.occupy(id, Occupation::Idle);
        self.begin_planned_duty(id);
    }

    /// Takes on the duty that was planned for when there is nothing to do, if there is nothing.
    pub(super) fn begin_planned_duty(&mut self, id: AgentId) {
        if let Some(duty) = self.world.agents.get(&id).filter(|agent| agent.has_nothing_to_do()).and_then(|agent| agent.planned_duty) {
            self.emit(Event::DutyChanged { agent: id, duty, by: Actor::Agent(id) });
        }
    }

    pub(super) fn become_talking(&mut self, id: AgentId, conversation: ConversationId) {
        self.occupy(id, Occupation::Talking { conversation });
    }

    pub(super) fn become_consulting(&mut self, id: AgentId, conversation: ConversationId) {
        self.occupy(id, Occupation::Consulting { conversation });
    }

    pub(super) fn occupy(&mut self, id: AgentId, occupation: Occupation) {
        let Some(agent) = self.world.agents.get(&id) else { return };
        if agent.occupation == occupation {
            return;
        }
        self.emit(Event::OccupationChanged { agent: id, occupation, from: agent.occupation, since: agent.occupation_since });
    }

    /// One agent, or the refusal that there is none.
    pub(super) fn agent(&self, id: AgentId) -> Result<&Agent, Refusal> {
        self.world.agents.get(&id).ok_or_else(|| Refusal::NotFound { what: "agent".to_owned(), id: id.to_string() })
    }
}

/// "Not now", with what would help.
pub(super) fn wrong_state(reason: &str) -> Refusal {
    Refusal::WrongState { reason: reason.to_owned() }
}
