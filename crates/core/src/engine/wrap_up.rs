//! After a talk: wrap-up, its length, and what became of the conversation.

use super::{Engine, agent::wrong_state, talk::AfterTalk};
use crate::{
    agent::{Agent, Occupation},
    ids::{AgentId, ConversationId, QueueId},
    input::Actor,
    limits::{NAME_CHARS, WRAP_UP_MAX},
    output::Event,
    queue::{Allowance, Disposition, WrapUpRules},
    refusal::Refusal,
    time::Millis,
};

impl Engine {
    /// What comes after a talk: wrap-up, or nothing.
    pub(super) fn after_talk(&mut self, id: AgentId, conversation: ConversationId, queue: Option<QueueId>, after: AfterTalk) {
        let Some(agent) = self.world.agents.get(&id) else { return };
        let settings = queue.and_then(|queue| self.world.queues.get(&queue)).map(|queue| &queue.settings);
        let length = match settings.filter(|_| after == AfterTalk::WrapUp && !agent.retiring) {
            Some(settings) => match settings.wrap_up {
                Allowance::None => Millis::default(),
                Allowance::Timed { duration } => duration,
                Allowance::UntilFinished => settings.agents.wrap_up.longest.unwrap_or(WRAP_UP_MAX),
            },
            None => Millis::default(),
        };
        if length == Millis::default() {
            self.apply_planned(id);
            self.become_idle(id);
            return;
        }
        let until = Some(self.now + length);
        self.emit(Event::WrapUpStarted { agent: id, conversation, queue, until });
        self.occupy(id, Occupation::WrapUp { conversation, queue, until });
    }

    pub(super) fn finish_wrap_up(&mut self, by: Actor, id: AgentId, disposition: Option<String>) -> Result<(), Refusal> {
        let agent = self.agent(id)?;
        let Occupation::WrapUp { queue, .. } = agent.occupation else {
            return Err(wrong_state("there is no wrap-up to finish"));
        };
        if disposition.is_some() {
            self.set_disposition(by.clone(), id, disposition)?;
        } else if agent.disposition.is_none() && self.must_say(&by, queue) {
            let problem = format!("is missing; choose one of {}", codes(self.dispositions(queue)));
            return Err(Refusal::Invalid { field: "disposition".to_owned(), problem });
        }
        self.end_wrap_up(id, by);
        Ok(())
    }

    /// Whether this one may not leave wrap-up without saying what became of the conversation. Others may end it for an agent
    /// who is gone.
    pub(super) fn must_say(&self, by: &Actor, queue: Option<QueueId>) -> bool {
        matches!(by, Actor::Agent(_)) && self.wrap_up_rules(queue).is_some_and(|rules| rules.required)
    }

    /// Ends wrap-up, if the agent is in it; the agent is idle then.
    pub(super) fn end_wrap_up(&mut self, id: AgentId, by: Actor) {
        self.leave_wrap_up(id, by, true);
    }

    /// The talk that the notes are about may go on: what becomes of it is said later. Whether the agent planned to end work then is
    /// for the caller to see to (`begin_planned_duty`).
    pub(super) fn stop_notes(&mut self, agent: AgentId, id: ConversationId) {
        let about = |agent: &Agent| matches!(agent.occupation, Occupation::WrapUp { conversation, .. } if conversation == id);
        if self.world.agents.get(&agent).is_some_and(about) {
            self.leave_wrap_up(agent, Actor::System, false);
        }
    }

    fn leave_wrap_up(&mut self, id: AgentId, by: Actor, for_good: bool) {
        let Some(agent) = self.world.agents.get(&id) else { return };
        let Occupation::WrapUp { conversation, queue, .. } = agent.occupation else { return };
        let (started_at, disposition) = (agent.occupation_since, agent.disposition.clone());
        let missing = for_good && disposition.is_none() && self.wrap_up_rules(queue).is_some_and(|rules| rules.required);
        self.emit(Event::WrapUpEnded { agent: id, conversation, queue, started_at, disposition, missing, by });
        self.apply_planned(id);
        self.occupy(id, Occupation::Idle);
        if for_good {
            self.begin_planned_duty(id);
        }
    }

    pub(super) fn extend_wrap_up(&mut self, by: Actor, id: AgentId) -> Result<(), Refusal> {
        let agent = self.agent(id)?;
        let Occupation::WrapUp { conversation, queue, until: Some(until) } = agent.occupation else {
            return Err(wrong_state("there is no wrap-up to extend"));
        };
        let Some(extension) = self.wrap_up_rules(queue).and_then(|rules| rules.extension) else {
            return Err(wrong_state("the queue allows no extension of wrap-up"));
        };
        if agent.extended {
            return Err(wrong_state("wrap-up was extended already; it can be once"));
        }
        self.emit(Event::WrapUpExtended { agent: id, conversation, queue, until: until + extension, by });
        Ok(())
    }

    pub(super) fn set_disposition(&mut self, by: Actor, id: AgentId, disposition: Option<String>) -> Result<(), Refusal> {
        let agent = self.agent(id)?;
        let (conversation, queue) = match agent.occupation {
            Occupation::WrapUp { conversation, queue, .. } => (conversation, queue),
            Occupation::Talking { conversation } | Occupation::Consulting { conversation } => {
                let talk = self.world.conversations.get(&conversation).and_then(|found| found.talk.as_ref());
                match talk.filter(|talk| talk.agent == Some(id)) {
                    Some(talk) => (conversation, talk.queue),
                    None => return Err(wrong_state("the conversation is somebody else's, who says what becomes of it")),
                }
            }
            Occupation::Idle | Occupation::Offered { .. } | Occupation::Supervising { .. } => {
                return Err(wrong_state("there is no conversation to say something of; it can be said until wrap-up is over"));
            }
        };
        if agent.disposition == disposition {
            return Ok(());
        }
        let follow_up = match &disposition {
            Some(code) => self.check_disposition(queue, code)?,
            None => false,
        };
        self.emit(Event::DispositionSet { agent: id, conversation, queue, disposition, follow_up, by });
        Ok(())
    }

    /// Whether the customer is to hear from us again after a conversation with this code.
    pub(super) fn check_disposition(&self, queue: Option<QueueId>, code: &str) -> Result<bool, Refusal> {
        let known = self.dispositions(queue);
        let found = known.iter().find(|disposition| disposition.code == code);
        let problem = if code.trim().is_empty() || code.chars().count() > NAME_CHARS {
            format!("is empty or longer than {NAME_CHARS} characters")
        } else if !known.is_empty() && found.is_none() {
            format!("is not one of {}", codes(known))
        } else {
            return Ok(found.is_some_and(|disposition| disposition.follow_up));
        };
        Err(Refusal::Invalid { field: "disposition".to_owned(), problem })
    }

    /// The codes that can be chosen for a conversation of this queue.
    pub(super) fn dispositions(&self, queue: Option<QueueId>) -> &[Disposition] {
        match self.wrap_up_rules(queue) {
            Some(rules) if !rules.dispositions.is_empty() => &rules.dispositions,
            _ => &self.world.settings.dispositions,
        }
    }

    pub(super) fn wrap_up_rules(&self, queue: Option<QueueId>) -> Option<&WrapUpRules> {
        queue.and_then(|queue| self.world.queues.get(&queue)).map(|queue| &queue.settings.agents.wrap_up)
    }
}

/// Codes for people to choose from; the first few of many.
pub(super) fn codes(known: &[Disposition]) -> String {
    const NAMED: usize = 20;
    match known {
        [] => "your own words".to_owned(),
        _ => known.iter().take(NAMED).map(|disposition| disposition.code.as_str()).collect::<Vec<_>>().join(", "),
    }
}
