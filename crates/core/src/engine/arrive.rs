//! Somebody calls: refused, or answered, greeted and led to where the number leads.

use super::{Engine, destination::UNREACHABLE};
use crate::{
    callers::Treatment,
    config::{Destination, Target},
    conversation::{Direction, Role, SegmentKind, Termination, TerminationReason, TerminationResult},
    endpoint::{Endpoint, Line, Party},
    ids::{ConversationId, LegId, NumberId},
    limits::{CONVERSATIONS_PER_TENANT, TEXT_CHARS},
    output::{Action, Event, RejectReason},
    text::clip,
};

/// How a conversation ends whose caller is not let in.
const BLOCKED: Termination = Termination { result: TerminationResult::Caller, reason: TerminationReason::Blocked };

impl Engine {
    pub(super) fn arrived(&mut self, leg: LegId, line: Line, caller: Party, dialed: String) {
        if self.world.legs.contains_key(&leg) || self.world.departed.get(leg).is_some() {
            return;
        }
        let caller =
            Party { number: caller.number.map(|text| clip(text, TEXT_CHARS)), name: caller.name.map(|text| clip(text, TEXT_CHARS)) };
        let dialed = clip(dialed, TEXT_CHARS);
        let number = self.index.number(&dialed);
        let listed = self.world.list_of(caller.number.as_deref()).map(|list| (list.id, list.treatment.clone()));
        let refusal = match &listed {
            Some((_, Treatment::Block { message: None })) => Some((RejectReason::Blocked, BLOCKED)),
            _ => self.reason_to_reject(number),
        };

        let conversation = ConversationId(self.mint());
        let endpoint = caller.number.clone().map_or_else(|| Endpoint::Address("withheld".to_owned()), Endpoint::Number);
        self.emit(Event::ConversationStarted { conversation, line, direction: Direction::Inbound, caller, dialed, number, callback: None });
        if let Some((list, treatment)) = listed {
            self.emit(Event::CallerListed { conversation, list, treatment: Box::new(treatment) });
        }
        self.emit(Event::LegAdded { conversation, leg, role: Role::Customer, line, direction: Direction::Inbound, endpoint });
        match refusal {
            None => {
                self.act(Action::Answer { conversation, leg, line });
            }
            Some((reason, termination)) => {
                self.write_leg_end(leg, termination, None, false);
                self.settle_conversation(conversation, termination);
                self.act(Action::Reject { conversation, leg, line, reason });
            }
        }
    }

    fn reason_to_reject(&self, number: Option<NumberId>) -> Option<(RejectReason, Termination)> {
        use TerminationReason as Reason;
        use TerminationResult::{Caller, Us};
        let refused = |reject, result, reason| Some((reject, Termination { result, reason }));
        if self.world.draining {
            return refused(RejectReason::Draining, Us, Reason::Draining);
        }
        let Some(number) = number.and_then(|id| self.world.numbers.get(&id)) else {
            return refused(RejectReason::UnknownNumber, Caller, Reason::UnknownNumber);
        };
        if self.world.conversations.len() >= CONVERSATIONS_PER_TENANT {
            return refused(RejectReason::Busy, Us, Reason::Full);
        }
        let target = match number.target {
            Target::Agent(agent) => self.personal_queue(agent).map_or(number.target, Target::Queue),
            target => target,
        };
        match target {
            Target::Queue(id) => match self.world.queues.get(&id) {
                Some(queue) if !self.takes_callers(queue) => refused(RejectReason::Unavailable, Us, Reason::Closed),
                Some(queue) if queue.takes_one_more(self.index.arriving(id)) => None,
                Some(_) => refused(RejectReason::Busy, Us, Reason::Full),
                None => refused(RejectReason::Unavailable, Us, Reason::Unreachable),
            },
            Target::Agent(id) => match self.world.agents.get(&id) {
                Some(agent) if agent.is_routable() => None,
                _ => refused(RejectReason::Unavailable, Us, Reason::Unreachable),
            },
            Target::Flow(id) => match self.world.flow(id) {
                Some(_) => None,
                None => refused(RejectReason::Unavailable, Us, Reason::Unreachable),
            },
        }
    }

    /// The customer's leg has audio: greet, then lead on.
    pub(super) fn customer_connected(&mut self, id: ConversationId) {
        let Some(found) = self.world.conversations.get(&id) else { return };
        if found.place() == Some(SegmentKind::Dialing) {
            self.called_customer_connected(id);
            return;
        }
        if found.place() != Some(SegmentKind::SetUp) {
            return;
        }
        if let Some(Treatment::Block { message }) = found.listed.as_deref().map(|listed| &listed.treatment) {
            match message.clone() {
                Some(message) => self.say_farewell(id, message, BLOCKED),
                None => self.end_conversation(id, BLOCKED),
            }
            return;
        }
        let greeting = found.number.and_then(|number| self.world.numbers.get(&number)).and_then(|number| number.greeting.clone());
        match (greeting, self.customer(id)) {
            (Some(prompt), Some((leg, line))) => {
                self.close_segment(id, Some(SegmentKind::Greeting));
                self.act(Action::Play { conversation: id, leg, line, prompt, repeat: false });
            }
            _ => self.go_to_target(id),
        }
    }

    /// Leads the customer to where the number led when the conversation began.
    pub(super) fn go_to_target(&mut self, id: ConversationId) {
        let Some(found) = self.world.conversations.get(&id) else { return };
        match found.target {
            Some(Target::Queue(queue)) if self.world.queues.contains_key(&queue) => {
                let request = found.request();
                self.enqueue(id, queue, request);
            }
            Some(Target::Agent(agent)) => self.lead(id, &Destination::Agent(agent), UNREACHABLE),
            Some(Target::Flow(flow)) => self.lead(id, &Destination::Flow(flow), UNREACHABLE),
            _ => self.end_conversation(id, UNREACHABLE),
        }
    }
}
