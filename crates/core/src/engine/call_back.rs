//! Calling back: the agent has taken it and hears the customer's telephone ring.

use super::{Engine, ending::Closing, talk::AfterTalk};
use crate::{
    callback::CallbackOutcome,
    conversation::{Conversation, Direction, Role, SegmentKind, Termination, TerminationReason, TerminationResult},
    endpoint::{Endpoint, Party},
    ids::{AgentId, ConversationId, LegId, QueueId},
    input::Actor,
    limits::{ANSWER_MAX, RING_MARGIN},
    output::{Action, Event, Prompt},
    queue::{FlowOutReason, Outcome},
};

impl Engine {
    /// Whether the agent who takes this conversation has to call its customer first.
    pub(super) fn calls_back(&self, id: ConversationId) -> bool {
        self.world.conversations.get(&id).is_some_and(|found| found.callback.is_some() && found.customer.is_none())
    }

    /// The agent has taken the callback.
    pub(super) fn call_customer(&mut self, id: ConversationId, own: LegId, agent: AgentId, queue: Option<QueueId>) {
        let Some(found) = self.world.conversations.get(&id) else { return };
        let (Some(callback), line, Some(number)) = (found.callback, found.line, found.caller.number.clone()) else { return };
        let attempt = self.world.callbacks.get(callback).map_or(0, |callback| callback.attempts).saturating_add(1);
        self.close_segment(id, Some(SegmentKind::Dialing));
        self.end_visit(id, Outcome::Answered, Some(agent));
        self.emit(Event::CallbackCalled { callback, conversation: id, queue, agent, leg: own, attempt });
        self.become_talking(agent, id);
        if let Some(line) = self.world.leg(own).map(|leg| leg.line) {
            self.act(Action::Play { conversation: id, leg: own, line, prompt: Prompt::Ringback, repeat: true });
        }
        if self.barred(&number).is_some() {
            // The rules were changed meanwhile, or too many are called: as if nobody had answered.
            return self.called_customer_silent(id);
        }
        let to = Endpoint::Number(number);
        let leg = LegId(self.mint());
        let (role, direction) = (Role::Customer, Direction::Outbound);
        self.emit(Event::LegAdded { conversation: id, leg, role, line, direction, endpoint: to.clone() });
        let caller = Party { number: self.world.settings.caller_number.clone(), name: None };
        self.act(Action::Dial { conversation: id, leg, line, to, caller, ring_limit: ANSWER_MAX + RING_MARGIN });
    }

    /// The customer answers.
    pub(super) fn called_customer_connected(&mut self, id: ConversationId) {
        let Some(found) = self.world.conversations.get(&id) else { return };
        let (Some(dialing), Some(callback)) = (found.dialing.clone(), found.callback) else { return };
        self.end_callback(callback, CallbackOutcome::Connected, Actor::System);
        self.start_talk(id, dialing.leg, Some(dialing.agent), dialing.queue);
    }

    /// The customer's telephone has rung long enough.
    pub(super) fn called_customer_silent(&mut self, id: ConversationId) {
        let termination = Termination { result: TerminationResult::Caller, reason: TerminationReason::NoAnswer };
        let visit = Outcome::FlowOut { reason: FlowOutReason::Failure };
        self.close_all(id, Closing { visit, transfer: "the customer did not answer", agent: AfterTalk::Nothing });
        self.end_conversation(id, termination);
    }

    /// The agent is gone before the customer answered.
    pub(super) fn calling_agent_left(&mut self, id: ConversationId, termination: Termination) {
        self.free_calling_agent(id);
        self.end_conversation(id, termination);
    }

    /// The agent has nothing to finish: there was no talk.
    pub(super) fn free_calling_agent(&mut self, id: ConversationId) {
        let dialing = self.world.conversations.get(&id).and_then(|found| found.dialing.clone());
        if let Some(dialing) = dialing {
            self.after_talk(dialing.agent, id, None, AfterTalk::Nothing);
        }
    }

    /// Whether this conversation's customer is being called back.
    pub(super) fn is_dialing(&self, id: ConversationId) -> bool {
        self.world.conversations.get(&id).and_then(Conversation::place) == Some(SegmentKind::Dialing)
    }
}
