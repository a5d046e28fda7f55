//! Conversations in writing: how they begin, wait, move and end. Offers and notes are in `writing`.

use super::{Engine, agent::wrong_state};
use crate::{
    config::{check_language, check_skill},
    conversation::{Termination, TerminationReason, TerminationResult},
    ids::{ConversationId, QueueId, VisitId},
    input::Actor,
    limits::{
        LINK_CHARS, NAME_CHARS, PRIORITY_MAX, SKILLS_ASKED, SUBJECT_CHARS, VISITS_PER_CONVERSATION, WRITTEN_PER_QUEUE, WRITTEN_PER_TENANT,
    },
    output::Event,
    queue::{FlowOutReason, Outcome, Preferred, SkillRequirement},
    refusal::Refusal,
    routing::normalize,
    written::{Letter, Written},
};

/// What is known of one that comes into a queue.
struct Asks {
    priority: Option<u8>,
    skills: Vec<SkillRequirement>,
    preferred: Option<Preferred>,
    in_line_since: Option<crate::time::Timestamp>,
}

impl Engine {
    /// Somebody writes. Saying it twice opens one.
    pub(super) fn open_written(&mut self, by: Actor, letter: Letter) -> Result<(), Refusal> {
        self.only_supervisors(&by)?;
        let Letter { conversation, channel, queue, customer, subject, link, priority, skills, language, preferred } = letter;
        if self.world.written.contains_key(&conversation) {
            return Ok(());
        }
        if self.world.conversations.contains_key(&conversation) {
            return Err(wrong_state("this conversation is a call"));
        }
        let Some(state) = self.world.queues.get(&queue) else {
            return Err(Refusal::NotFound { what: "queue".to_owned(), id: queue.to_string() });
        };
        for (field, text, most) in [
            ("customer.number", &customer.number, NAME_CHARS),
            ("customer.name", &customer.name, NAME_CHARS),
            ("subject", &subject, SUBJECT_CHARS),
            ("link", &link, LINK_CHARS),
        ] {
            if text.as_ref().is_some_and(|text| text.chars().count() > most) {
                return invalid(field, format!("is longer than {most} characters"));
            }
        }
        if priority.is_some_and(|priority| priority > PRIORITY_MAX) {
            return invalid("priority", format!("must be from 0 to {PRIORITY_MAX}"));
        }
        if skills.len() > SKILLS_ASKED {
            return invalid("skills", format!("asks for more than {SKILLS_ASKED}"));
        }
        for need in &skills {
            check_skill(&self.world, "skills", *need)?;
        }
        if let Some(tag) = &language {
            check_language("language", tag)?;
        }
        if channel.is_live() && self.world.is_closed(state, self.now) {
            return Err(wrong_state("the queue is closed; who chats would wait for nobody"));
        }
        let full = |what: &str, limit: usize| Err(Refusal::Full { what: what.to_owned(), limit: limit as u64 });
        if state.written.len() >= WRITTEN_PER_QUEUE {
            return full("what waits in one queue in writing", WRITTEN_PER_QUEUE);
        }
        if self.world.written.len() >= WRITTEN_PER_TENANT {
            return full("conversations in writing at once", WRITTEN_PER_TENANT);
        }
        let opened = Event::WrittenOpened { conversation, channel, customer, subject, link, language, by: by.clone() };
        self.emit(opened);
        self.queue_written(by, conversation, queue, Asks { priority, skills, preferred, in_line_since: None });
        Ok(())
    }

    fn queue_written(&mut self, by: Actor, id: ConversationId, queue: QueueId, asks: Asks) {
        let (Some(found), Some(state)) = (self.world.written.get(&id), self.world.queues.get(&queue)) else { return };
        let (channel, language) = (found.channel, found.language.clone());
        let priority = asks.priority.unwrap_or(state.settings.priority);
        let terms = self.terms(queue, Some(channel), asks.in_line_since, asks.preferred, language);
        let (visit, skills) = (VisitId(self.mint()), normalize(&asks.skills));
        self.emit(Event::WrittenQueued { conversation: id, channel, visit, queue, priority, skills, terms, by });
    }

    /// Takes it out of its queue; whoever it was offered to need not answer any more.
    pub(super) fn unqueue_written(&mut self, id: ConversationId, outcome: Outcome, agent: Option<crate::ids::AgentId>) {
        self.withdraw_written(id, agent);
        let Some(found) = self.world.written.get(&id) else { return };
        let Some(visit) = &found.visit else { return };
        let (channel, queue, enqueued_at) = (found.channel, visit.queue, visit.enqueued_at);
        let rules = self.world.queues.get(&queue).map(|queue| queue.settings.written).unwrap_or_default();
        self.emit(Event::WrittenUnqueued {
            conversation: id,
            channel,
            visit: visit.id,
            queue,
            enqueued_at,
            outcome,
            wait: self.now.since(enqueued_at),
            within: rules.within(channel),
            agent,
        });
    }

    /// Lets it wait in a queue again, or in another one.
    pub(super) fn move_written(
        &mut self,
        by: Actor,
        id: ConversationId,
        queue: Option<QueueId>,
        preferred: Option<Preferred>,
    ) -> Result<(), Refusal> {
        let found = self.written(id)?;
        if found.is_over() {
            return Err(wrong_state("the conversation is closed; only its notes are not finished"));
        }
        if found.visits >= VISITS_PER_CONVERSATION {
            return Err(Refusal::Full { what: "times one conversation waits".to_owned(), limit: u64::from(VISITS_PER_CONVERSATION) });
        }
        let Some(queue) = queue.or(found.queue()) else { return Err(wrong_state("say in which queue it is to wait")) };
        if !self.world.queues.contains_key(&queue) {
            return Err(Refusal::NotFound { what: "queue".to_owned(), id: queue.to_string() });
        }
        if let Some(agent) = preferred.map(|preferred| preferred.agent) {
            self.agent(agent)?;
        }
        self.move_to(by, id, queue, preferred);
        Ok(())
    }

    fn move_to(&mut self, by: Actor, id: ConversationId, queue: QueueId, preferred: Option<Preferred>) {
        let Some(found) = self.world.written.get(&id) else { return };
        let (since, asked) = (found.started_at, found.visit.clone());
        // It is as old as it is, wherever it waits.
        let asks = Asks {
            priority: asked.as_ref().map(|visit| visit.priority),
            skills: asked.map(|visit| visit.skills).unwrap_or_default(),
            preferred,
            in_line_since: Some(since),
        };
        self.unqueue_written(id, Outcome::FlowOut { reason: FlowOutReason::Transferred }, None);
        let freed = self.release_written(id, true);
        self.queue_written(by, id, queue, asks);
        if let Some(agent) = freed {
            self.begin_planned_duty(agent);
        }
    }

    /// Ends it: it is done, or the customer is gone.
    pub(super) fn close_written(
        &mut self,
        by: Actor,
        id: ConversationId,
        by_customer: bool,
        disposition: Option<String>,
    ) -> Result<(), Refusal> {
        let found = self.written(id)?;
        if found.is_over() {
            return Err(wrong_state("the conversation is closed already"));
        }
        if by_customer {
            self.only_supervisors(&by)?;
        }
        let waits = found.visit.is_some();
        if let Some(code) = disposition {
            self.dispose_written(&by, id, code)?;
        }
        let (result, reason, outcome) = match (&by, by_customer, waits) {
            (_, true, true) => (TerminationResult::Caller, TerminationReason::Abandoned, Outcome::Abandoned { short: false }),
            (_, true, false) => (TerminationResult::Caller, TerminationReason::Finished, Outcome::Answered),
            (Actor::Agent(_), false, _) => (TerminationResult::Agent, TerminationReason::Finished, Outcome::Answered),
            (_, false, true) => (TerminationResult::Us, TerminationReason::Ended, Outcome::FlowOut { reason: FlowOutReason::Ended }),
            (_, false, false) => (TerminationResult::Us, TerminationReason::Ended, Outcome::Answered),
        };
        self.end_written(by, id, outcome, Termination { result, reason });
        Ok(())
    }

    /// Ends it; `outcome` is that of its stay in a queue, if it waits.
    fn end_written(&mut self, by: Actor, id: ConversationId, outcome: Outcome, termination: Termination) {
        self.unqueue_written(id, outcome, None);
        let freed = self.release_written(id, false);
        let Some(found) = self.world.written.get(&id) else { return };
        let (channel, started_at) = (found.channel, found.started_at);
        self.emit(Event::WrittenClosed { conversation: id, channel, started_at, termination, by });
        if let Some(agent) = freed {
            self.begin_planned_duty(agent);
        }
    }

    /// It lives longer than anything should.
    pub(super) fn written_too_long(&mut self, id: ConversationId) {
        let termination = Termination { result: TerminationResult::Us, reason: TerminationReason::TooLong };
        self.end_written(Actor::System, id, Outcome::FlowOut { reason: FlowOutReason::Failure }, termination);
    }

    /// A queue is about to go: what waits in it ends. What agents have of it goes on.
    pub(super) fn close_written_of(&mut self, queue: QueueId) {
        let waiting = self.world.queues.get(&queue).into_iter().flat_map(|queue| &queue.written);
        let waiting: Vec<ConversationId> = waiting.map(|turn| turn.conversation).collect();
        for id in waiting {
            let termination = Termination { result: TerminationResult::Us, reason: TerminationReason::Ended };
            self.end_written(Actor::System, id, Outcome::FlowOut { reason: FlowOutReason::QueueRemoved }, termination);
        }
    }

    /// An agent goes for good: what that one has waits again, as old as it is, and notes are over.
    pub(super) fn take_work_from(&mut self, agent: crate::ids::AgentId) {
        let work = self.world.agents.get(&agent).map(|agent| agent.work.keys().copied().collect::<Vec<_>>()).unwrap_or_default();
        for id in work {
            self.end_notes(id, Actor::System);
            let Some(found) = self.world.written.get(&id) else { continue };
            let handled = found.handling.is_some();
            match found.last_queue.filter(|queue| self.world.queues.contains_key(queue)) {
                Some(queue) if handled => self.move_to(Actor::System, id, queue, None),
                None if handled => {
                    let termination = Termination { result: TerminationResult::Us, reason: TerminationReason::Ended };
                    self.end_written(Actor::System, id, Outcome::Answered, termination);
                }
                _ => self.take_back_offer(id, agent),
            }
        }
    }

    /// One of them, or the refusal that there is none.
    pub(super) fn written(&self, id: ConversationId) -> Result<&Written, Refusal> {
        self.world.written.get(&id).ok_or_else(|| Refusal::NotFound { what: "conversation in writing".to_owned(), id: id.to_string() })
    }

    /// Agents decide about what they have; others about everything.
    pub(super) fn may_write(&self, by: &Actor, id: ConversationId) -> Result<(), Refusal> {
        let found = self.written(id)?;
        match by {
            Actor::Agent(own) if found.agent() != Some(*own) => {
                Err(Refusal::NotAllowed { reason: "agents decide about conversations they have taken; take it first".to_owned() })
            }
            _ => Ok(()),
        }
    }
}

fn invalid(field: &str, problem: String) -> Result<(), Refusal> {
    Err(Refusal::Invalid { field: field.to_owned(), problem })
}
