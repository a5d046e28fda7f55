//! Agents: what they choose, what their telephones say, and the step from one occupation to the next.

use super::{Engine, talk::AfterTalk};
use crate::{
    agent::{Agent, Availability, Duty, Occupation},
    ids::{AgentId, ConversationId, QueueId},
    input::Actor,
    limits::NAME_CHARS,
    output::Event,
    queue::Allowance,
    refusal::Refusal,
    time::Millis,
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
                return Err(wrong_state("a conversation is being offered; take or decline it first"));
            }
            Occupation::Talking { .. } => {
                return Err(wrong_state("a conversation is under way; end or transfer it first"));
            }
            Occupation::Consulting { .. } => {
                return Err(wrong_state("a consult is under way; end it first"));
            }
            // Who goes home has finished the notes.
            Occupation::WrapUp { .. } if duty != Duty::OnDuty => self.end_wrap_up(id, None, by.clone()),
            Occupation::WrapUp { .. } | Occupation::Idle => {}
        }
        self.emit(Event::DutyChanged { agent: id, duty, by });
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

    pub(super) fn finish_wrap_up(&mut self, by: Actor, id: AgentId, disposition: Option<String>) -> Result<(), Refusal> {
        let agent = self.agent(id)?;
        if !matches!(agent.occupation, Occupation::WrapUp { .. }) {
            return Err(wrong_state("there is no wrap-up to finish"));
        }
        if disposition.as_ref().is_some_and(|code| code.trim().is_empty() || code.chars().count() > NAME_CHARS) {
            let problem = format!("is empty or longer than {NAME_CHARS} characters");
            return Err(Refusal::Invalid { field: "disposition".to_owned(), problem });
        }
        self.end_wrap_up(id, disposition, by);
        Ok(())
    }

    /// Ends wrap-up, if the agent is in it; the agent is idle then.
    pub(super) fn end_wrap_up(&mut self, id: AgentId, disposition: Option<String>, by: Actor) {
        let Some(agent) = self.world.agents.get(&id) else { return };
        let Occupation::WrapUp { conversation, queue, .. } = agent.occupation else { return };
        let started_at = agent.occupation_since;
        self.emit(Event::WrapUpEnded { agent: id, conversation, queue, started_at, disposition, by });
        self.apply_planned(id);
        self.become_idle(id);
    }

    /// What comes after a talk: wrap-up, or nothing.
    pub(super) fn after_talk(&mut self, id: AgentId, conversation: ConversationId, queue: Option<QueueId>, after: AfterTalk) {
        let Some(agent) = self.world.agents.get(&id) else { return };
        let allowance = match queue.and_then(|queue| self.world.queues.get(&queue)) {
            Some(queue) if after == AfterTalk::WrapUp && !agent.retiring => queue.settings.wrap_up,
            _ => Allowance::None,
        };
        let until = match allowance {
            Allowance::None | Allowance::Timed { duration: Millis(0) } => {
                self.apply_planned(id);
                self.become_idle(id);
                return;
            }
            Allowance::Timed { duration } => Some(self.now + duration),
            Allowance::UntilFinished => None,
        };
        self.emit(Event::WrapUpStarted { agent: id, conversation, queue, until });
        self.occupy(id, Occupation::WrapUp { conversation, queue, until });
    }

    /// Takes on what the agent chose while busy.
    fn apply_planned(&mut self, id: AgentId) {
        if let Some(availability) = self.world.agents.get(&id).and_then(|agent| agent.planned.clone()) {
            self.emit(Event::AvailabilityChanged { agent: id, availability, by: Actor::Agent(id) });
        }
    }

    /// Takes on what an offer's end means. A break chosen while it rang counts more than the rule's reason; being ready does not.
    pub(super) fn agent_missed(&mut self, id: AgentId, by_rule: Option<Availability>) {
        let planned = self.world.agents.get(&id).and_then(|agent| agent.planned.clone());
        match by_rule {
            Some(availability) if !matches!(planned, Some(Availability::NotReady { .. })) => {
                self.emit(Event::AvailabilityChanged { agent: id, availability, by: Actor::System });
            }
            _ => self.apply_planned(id),
        }
    }

    pub(super) fn become_idle(&mut self, id: AgentId) {
        self.occupy(id, Occupation::Idle);
    }

    pub(super) fn become_talking(&mut self, id: AgentId, conversation: ConversationId) {
        self.occupy(id, Occupation::Talking { conversation });
    }

    pub(super) fn become_consulting(&mut self, id: AgentId, conversation: ConversationId) {
        self.occupy(id, Occupation::Consulting { conversation });
    }

    fn occupy(&mut self, id: AgentId, occupation: Occupation) {
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
