//! Into a queue.

use super::{Engine, agent::wrong_state};
use crate::{
    agent::Duty,
    config::Destination,
    conversation::{Conversation, SegmentKind, Termination, TerminationReason, TerminationResult},
    flow::FlowEnd,
    ids::{AgentId, ConversationId, QueueId, VisitId},
    input::Actor,
    limits::{LANGUAGE_CHARS, PREFERRED_WAIT_MAX, PRIORITY_MAX, VISITS_PER_CONVERSATION},
    output::Event,
    queue::{Preferred, RecordingPolicy, Request, Terms, Waited},
    refusal::Refusal,
    routing::{Asked, Demand, Misfit, normalize},
    text::clip,
    time::{Millis, Timestamp},
    written::Channel,
};

impl Engine {
    /// Begins a visit; the customer comes from a place where nothing is open any more. What the conversation itself asks for
    /// is [`crate::conversation::Conversation::request`]; rules change that as they need.
    pub(super) fn enqueue(&mut self, id: ConversationId, queue: QueueId, request: Request) {
        self.leave_flow(id, FlowEnd::Led { to: Destination::Queue(queue) });
        let (Some(found), Some(state)) = (self.world.conversations.get(&id), self.world.queues.get(&queue)) else { return };
        if found.visits >= VISITS_PER_CONVERSATION {
            let termination = Termination { result: TerminationResult::Us, reason: TerminationReason::Full };
            self.end_conversation(id, termination);
            return;
        }
        let priority = request.priority.unwrap_or(state.settings.priority).max(request.least_priority).min(PRIORITY_MAX);
        let policy = state.settings.recording;
        let skills = normalize(&request.skills);
        let terms = self.terms(queue, None, request.in_line_since, request.preferred, request.language);
        let overflow = if request.returning { None } else { self.overflow_on_entry(id, queue) };
        let visit = VisitId(self.mint());
        self.close_segment(id, Some(SegmentKind::Queue));
        self.emit(Event::VisitStarted { visit, conversation: id, queue, priority, skills, enqueued_at: self.now, terms });
        if let Some((reason, to)) = overflow {
            self.overflow(id, reason, &to);
            return;
        }
        self.predict_wait(id);
        match policy {
            RecordingPolicy::Off => self.stop_recording(id),
            RecordingPolicy::FromAnswer => self.record_right(id, None),
            RecordingPolicy::FromQueue => self.ensure_recording(id, None),
        }
        self.welcome_to_queue(id);
    }

    /// By what a stay in a queue goes that begins now.
    pub(super) fn terms(
        &self,
        queue: QueueId,
        channel: Option<Channel>,
        in_line_since: Option<Timestamp>,
        preferred: Option<Preferred>,
        language: Option<String>,
    ) -> Terms {
        let worth = |preferred: &Preferred| preferred.wait > Millis::default() && self.could_come(queue, channel, preferred.agent);
        Terms {
            in_line_since: in_line_since.filter(|since| *since < self.now),
            preferred: preferred
                .filter(worth)
                .map(|preferred| Waited { agent: preferred.agent, until: self.now + preferred.wait.min(PREFERRED_WAIT_MAX) }),
            language: language.map(|tag| clip(tag, LANGUAGE_CHARS).to_ascii_lowercase()),
        }
    }

    /// Whether it is of use to wait for this agent: at work, and one of the queue's own or of those it may ask later.
    fn could_come(&self, queue: QueueId, channel: Option<Channel>, agent: AgentId) -> bool {
        let (Some(queue), Some(agent)) = (self.world.queues.get(&queue), self.world.agents.get(&agent)) else { return false };
        let misfit = Asked::new(&queue.settings, &Demand { channel, ..Demand::default() }).misfit(agent);
        let serves = !matches!(misfit, Some(Misfit::OtherQueue | Misfit::SignedOut | Misfit::Channel(_)));
        serves && !agent.retiring && agent.duty == Duty::OnDuty
    }

    /// The visit has waited long enough to ask for less.
    pub(super) fn widen(&mut self, id: ConversationId) {
        let Some(visit) = self.world.visit(id) else { return };
        let Some(queue) = self.world.queues.get(&visit.queue) else { return };
        let reached = queue.settings.routing.rings.iter().take_while(|ring| visit.in_line_since() + ring.after <= self.now).count();
        let ring = u8::try_from(reached).unwrap_or(u8::MAX).max(visit.ring);
        let preferred = visit.terms.preferred.filter(|waited| waited.until > self.now).map(|waited| waited.agent);
        self.emit(Event::VisitWidened { visit: visit.id, conversation: id, queue: visit.queue, ring, preferred });
    }

    /// The customer speaks this language; queues entered from now on ask for it.
    pub(super) fn choose_language(&mut self, id: ConversationId, language: Option<String>) {
        let language = language.map(|tag| clip(tag, LANGUAGE_CHARS).to_ascii_lowercase());
        if self.world.conversations.get(&id).is_some_and(|found| !found.is_over() && found.language != language) {
            self.emit(Event::LanguageChosen { conversation: id, language });
        }
    }

    /// A supervisor lets a waiting customer be served sooner or later.
    pub(super) fn set_priority(&mut self, by: Actor, id: ConversationId, priority: u8) -> Result<(), Refusal> {
        self.only_supervisors(&by)?;
        if priority > PRIORITY_MAX {
            let problem = format!("must be from 0 to {PRIORITY_MAX}");
            return Err(Refusal::Invalid { field: "priority".to_owned(), problem });
        }
        let Some(visit) = self.world.visit(id) else { return Err(wrong_state("the customer waits in no queue")) };
        if visit.priority != priority {
            self.emit(Event::PriorityChanged { visit: visit.id, conversation: id, queue: visit.queue, priority, by });
        }
        Ok(())
    }

    /// Brings a customer back whose agent or transfer got lost: to the front of the last queue, or, when there is none,
    /// to the end. Whom a flow handed over goes on there.
    pub(super) fn return_to_queue(&mut self, id: ConversationId, otherwise: Termination) {
        self.return_to(id, None, otherwise);
    }

    /// The same, for one agent alone at first.
    pub(super) fn return_to(&mut self, id: ConversationId, preferred: Option<Preferred>, otherwise: Termination) {
        if self.flow_goes_on(id) {
            return;
        }
        let queue = self.world.conversations.get(&id).and_then(|found| found.last_queue);
        match queue.filter(|queue| self.world.queues.contains_key(queue)) {
            Some(queue) => {
                let request = self.world.conversations.get(&id).map(Conversation::request).unwrap_or_default();
                self.enqueue(id, queue, Request { priority: Some(PRIORITY_MAX), preferred, returning: true, ..request });
            }
            None => self.end_conversation(id, otherwise),
        }
    }
}
