//! Out of a queue by rule, by key, or because it is closed.

use super::{Engine, agent::wrong_state};
use crate::{
    config::Destination,
    conversation::{Conversation, SegmentKind, Termination, TerminationReason, TerminationResult},
    ids::{ConversationId, QueueId},
    input::Actor,
    limits::{CLOSED_MAX, FLOWS_PER_CONVERSATION, NAME_CHARS, OVERFLOWS_PER_CONVERSATION},
    output::{Action, Event, HangUpReason, Prompt},
    queue::{Closed, Condition, FlowOutReason, Outcome, Queue},
    refusal::Refusal,
    routing::OfferOutcome,
    time::Timestamp,
};

impl Engine {
    /// The rule of `queue` that leads away a customer who enters, if there is one.
    pub(super) fn overflow_on_entry(&self, id: ConversationId, queue: QueueId) -> Option<(FlowOutReason, Destination)> {
        let (found, state) = (self.world.conversations.get(&id)?, self.world.queues.get(&queue)?);
        if found.overflows >= OVERFLOWS_PER_CONVERSATION {
            return None;
        }
        let applies = |condition: &Condition| match condition {
            Condition::Length { at_least } => state.waiting.len() >= *at_least as usize,
            Condition::EstimatedWait { at_least } => {
                let estimate = state.pace.estimate(state.waiting.len() + 1, self.staff.able(queue));
                estimate.is_some_and(|estimate| estimate.likely >= *at_least)
            }
            Condition::NoAgents { after } => after.0 == 0 && state.deserted_since.is_some(),
            Condition::Closed => self.world.is_closed(state, self.now),
            Condition::Waited { .. } => false,
        };
        let rules = &state.settings.waiting.overflow;
        let rule = rules.iter().find(|rule| applies(&rule.when) && self.can_lead(id, &rule.to))?;
        Some((reason_of(&rule.when), rule.to.clone()))
    }

    /// Leads a waiting customer away; the offer under way is taken back.
    pub(super) fn overflow(&mut self, id: ConversationId, reason: FlowOutReason, to: &Destination) {
        let Some(visit) = self.world.conversations.get(&id).and_then(|found| found.visit.as_ref()) else { return };
        self.emit(Event::VisitOverflowed { visit: visit.id, conversation: id, queue: visit.queue, reason, to: to.clone() });
        self.end_offer(id, OfferOutcome::Withdrawn, Some(HangUpReason::CallerGone));
        let counted = match to {
            Destination::Voicemail(_) => FlowOutReason::Voicemail,
            Destination::Callback(_) => FlowOutReason::Callback,
            _ => reason,
        };
        self.end_visit(id, Outcome::FlowOut { reason: counted }, None);
        let reason = match reason {
            FlowOutReason::Overlong => TerminationReason::Full,
            FlowOutReason::TimedOut | FlowOutReason::EstimatedWait => TerminationReason::MaxWait,
            FlowOutReason::NoAgents => TerminationReason::Unreachable,
            FlowOutReason::Closed => TerminationReason::Closed,
            _ => TerminationReason::Ended,
        };
        self.lead(id, to, Termination { result: TerminationResult::Us, reason });
    }

    /// A rule that depends on time is due.
    pub(super) fn overflow_due(&mut self, id: ConversationId) {
        let Some((_, rule)) = self.world.overflow_due(id) else { return };
        let Some(visit) = self.world.conversations.get(&id).and_then(|found| found.visit.clone()) else { return };
        let Some(overflow) = self.world.queues.get(&visit.queue).and_then(|queue| queue.settings.waiting.overflow.get(rule)).cloned()
        else {
            return;
        };
        if self.can_lead(id, &overflow.to) {
            self.overflow(id, reason_of(&overflow.when), &overflow.to);
        } else {
            let (rule, to) = (u8::try_from(rule).unwrap_or(u8::MAX), overflow.to);
            self.emit(Event::OverflowPassedOver { visit: visit.id, conversation: id, queue: visit.queue, rule, to });
        }
    }

    /// A customer who waits pressed a key.
    pub(super) fn key_in_queue(&mut self, id: ConversationId, digit: char) {
        let Some(found) = self.world.conversations.get(&id).filter(|found| found.overflows < OVERFLOWS_PER_CONVERSATION) else { return };
        let queue = found.visit.as_ref().and_then(|visit| self.world.queues.get(&visit.queue));
        let Some(to) = queue.and_then(|queue| queue.settings.waiting.keys.get(&digit)).cloned() else { return };
        if self.can_lead(id, &to) {
            self.overflow(id, FlowOutReason::Key, &to);
        }
    }

    /// Says something for the last time and lets the customer go.
    pub(super) fn say_farewell(&mut self, id: ConversationId, prompt: Prompt, termination: Termination) {
        let Some((leg, line)) = self.customer(id) else { return };
        self.emit(Event::FarewellStarted { conversation: id, termination });
        self.close_segment(id, Some(SegmentKind::Greeting));
        self.act(Action::Play { conversation: id, leg, line, prompt, repeat: false });
    }

    pub(super) fn close_queue(&mut self, by: Actor, queue: QueueId, reason: String, until: Option<Timestamp>) -> Result<(), Refusal> {
        self.only_supervisors(&by)?;
        let state = self.queue(queue)?;
        if reason.trim().is_empty() || reason.chars().count() > NAME_CHARS {
            let problem = format!("must be 1 to {NAME_CHARS} characters; say why");
            return Err(Refusal::Invalid { field: "reason".to_owned(), problem });
        }
        if until.is_some_and(|until| until <= self.now || until > self.now + CLOSED_MAX) {
            let problem = "must be a time to come, at most 400 days ahead".to_owned();
            return Err(Refusal::Invalid { field: "until".to_owned(), problem });
        }
        let closed = Some(Closed { reason, until });
        if state.closed != closed {
            self.emit(Event::QueueClosed { queue, closed, by });
        }
        Ok(())
    }

    pub(super) fn open_queue(&mut self, by: Actor, queue: QueueId) -> Result<(), Refusal> {
        self.only_supervisors(&by)?;
        if self.queue(queue)?.closed.is_none() {
            return Err(wrong_state("the queue is open"));
        }
        self.emit(Event::QueueClosed { queue, closed: None, by });
        Ok(())
    }

    /// Notes which queues nobody serves at present; asked after every input.
    pub(super) fn note_staffing(&mut self) {
        for queue in self.staff.take_changed() {
            let staffed = self.staff.is_staffed(queue);
            if self.world.queues.get(&queue).is_some_and(|state| state.deserted_since.is_none() != staffed) {
                self.emit(Event::QueueStaffed { queue, staffed });
            }
        }
    }

    /// One queue, or the refusal that there is none.
    pub(super) fn queue(&self, id: QueueId) -> Result<&Queue, Refusal> {
        self.world.queues.get(&id).ok_or_else(|| Refusal::NotFound { what: "queue".to_owned(), id: id.to_string() })
    }

    /// Whether callers may come: the queue is open, or a rule says where they go while it is closed.
    pub(super) fn takes_callers(&self, queue: &Queue) -> bool {
        queue.leads_on_when_closed() || !self.world.is_closed(queue, self.now)
    }

    /// Agents do not decide about queues.
    pub(super) fn only_supervisors(&self, by: &Actor) -> Result<(), Refusal> {
        match by {
            Actor::Agent(_) => Err(Refusal::NotAllowed { reason: "only supervisors decide about queues; ask one".to_owned() }),
            Actor::System | Actor::User(_) | Actor::Token(_) => Ok(()),
        }
    }

    /// Whether a customer who is in a queue could be led there now.
    pub(super) fn can_lead(&self, id: ConversationId, to: &Destination) -> bool {
        let room = |found: &Conversation| found.visits < crate::limits::VISITS_PER_CONVERSATION;
        match to {
            Destination::Agent(agent) if let Some(queue) = self.personal_queue(*agent) => self.can_lead(id, &Destination::Queue(queue)),
            Destination::Queue(queue) => {
                let state = self.world.queues.get(queue);
                let takes = |state: &Queue| self.takes_callers(state) && state.takes_one_more(self.index.arriving(*queue));
                state.is_some_and(takes) && self.world.conversations.get(&id).is_some_and(room)
            }
            Destination::Agent(agent) => self.world.agents.get(agent).is_some_and(|agent| agent.is_routable()),
            Destination::Flow(flow) => {
                let room = |found: &Conversation| found.flows < FLOWS_PER_CONVERSATION;
                self.world.flow(*flow).is_some() && self.world.conversations.get(&id).is_some_and(room)
            }
            Destination::Number(_) | Destination::Person(_) => self.world.settings.outbound_line.is_some() && !self.bars_destination(to),
            Destination::Message(_) | Destination::HangUp => true,
            Destination::Voicemail(mailbox) => self.takes_message(*mailbox),
            Destination::Callback(queue) => self.promises_callback(*queue),
        }
    }
}

fn reason_of(condition: &Condition) -> FlowOutReason {
    match condition {
        Condition::Length { .. } => FlowOutReason::Overlong,
        Condition::Waited { .. } => FlowOutReason::TimedOut,
        Condition::EstimatedWait { .. } => FlowOutReason::EstimatedWait,
        Condition::NoAgents { .. } => FlowOutReason::NoAgents,
        Condition::Closed => FlowOutReason::Closed,
    }
}
