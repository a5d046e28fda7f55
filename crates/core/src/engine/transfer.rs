//! Blind transfer: the customer is handed to somebody else without asking first, and comes back when that fails.

use super::{Engine, agent::wrong_state, destination::UNREACHABLE, talk::AfterTalk};
use crate::{
    config::{Barred, Destination, Target, is_outside_number, is_sign_in_name},
    conversation::{CauseKind, Conversation, Direction, Part, Role, SegmentKind, Termination, TerminationReason, TerminationResult},
    endpoint::{Endpoint, Line, Party},
    ids::{AgentId, ConversationId, LegId, QueueId},
    input::{Actor, TransferTarget},
    limits::{LEGS_PER_CONVERSATION, RING_MARGIN, TRANSFER_RING, VISITS_PER_CONVERSATION},
    output::{Action, Event, HangUpReason, Prompt},
    queue::{FlowOutReason, Outcome, Preferred, Request},
    refusal::Refusal,
    routing::OfferOutcome,
};

impl Engine {
    pub(super) fn transfer(&mut self, by: Actor, id: ConversationId, to: TransferTarget) -> Result<(), Refusal> {
        self.check_transfer(id, &to)?;
        self.begin_transfer(by, id, to);
        Ok(())
    }

    /// A telephone asks; only an agent's in a talk is heeded. It is told how that went before it is told to end.
    pub(super) fn transfer_requested(&mut self, leg: LegId, target: &str) {
        let Some(found) = self.world.conversation_of(leg) else { return };
        let id = found.id;
        let agent = found.talk.as_ref().filter(|talk| talk.leg == leg).and_then(|talk| talk.agent);
        let Some(line) = found.leg(leg).filter(|leg| !leg.ending).map(|leg| leg.line) else { return };
        let to = agent.and_then(|agent| Some((agent, self.resolve(target)?))).filter(|(_, to)| self.check_transfer(id, to).is_ok());
        self.act(Action::AnswerTransfer { conversation: id, leg, line, accepted: to.is_some() });
        if let Some((agent, to)) = to {
            self.begin_transfer(Actor::Agent(agent), id, to);
        }
    }

    /// What a dialed text means: one of our numbers, an agent's telephone, a person of the organization, or a number outside.
    fn resolve(&self, text: &str) -> Option<TransferTarget> {
        if let Some(number) = self.index.number(text).and_then(|id| self.world.numbers.get(&id)) {
            return match number.target {
                Target::Queue(queue) => Some(TransferTarget::Queue(queue)),
                Target::Agent(agent) => Some(TransferTarget::Agent(agent)),
                // Flows are for callers who come from outside.
                Target::Flow(_) => None,
            };
        }
        if let Some(agent) = self.index.desk(text) {
            return Some(TransferTarget::Agent(agent));
        }
        if is_sign_in_name(text) {
            return Some(TransferTarget::Person(text.to_owned()));
        }
        is_outside_number(text).then(|| TransferTarget::Number(text.to_owned()))
    }

    pub(super) fn check_transfer(&self, id: ConversationId, to: &TransferTarget) -> Result<(), Refusal> {
        let Some(found) = self.world.conversations.get(&id) else { return Err(wrong_state("the conversation is over")) };
        if found.consult.is_some() {
            return Err(wrong_state("a consult is under way; complete it, or cancel it first"));
        }
        if !found.members.is_empty() {
            return Err(wrong_state("a conference is under way; let the others go first, or leave it to them"));
        }
        match found.place() {
            Some(SegmentKind::Queue) if found.callback.is_some() => {
                return Err(wrong_state("this is a callback that stands in line; cancel it and ask for one from another queue"));
            }
            Some(SegmentKind::Talk | SegmentKind::Hold | SegmentKind::Queue) => {}
            Some(SegmentKind::Transfer) => return Err(wrong_state("the customer is being transferred already")),
            Some(SegmentKind::SetUp | SegmentKind::Greeting) => {
                return Err(wrong_state("the customer is not connected to anybody yet"));
            }
            Some(SegmentKind::Callback) => return Err(wrong_state("the customer is asking to be called back")),
            Some(SegmentKind::Dialing) => return Err(wrong_state("the customer is being called; wait for the answer")),
            Some(SegmentKind::Voicemail) => return Err(wrong_state("the customer is leaving a message")),
            Some(SegmentKind::Flow) => return Err(wrong_state("the customer is in a call flow; wait until it has led on")),
            Some(SegmentKind::Ending) | None => return Err(wrong_state("the conversation is over")),
        }
        let queue = match to {
            TransferTarget::Agent(agent) => self.personal_queue_of_busy(*agent),
            TransferTarget::Queue(queue) => Some(*queue),
            TransferTarget::Number(_) | TransferTarget::Person(_) => None,
        };
        match queue {
            None => self.check_target(found, to),
            Some(queue) => {
                let Some(state) = self.world.queues.get(&queue) else { return self.check_target(found, to) };
                if !self.takes_callers(state) {
                    let name = &state.settings.name;
                    let why = state.closed.as_ref().map_or("outside its hours", |closed| closed.reason.as_str());
                    return Err(wrong_state(&format!("queue \"{name}\" is closed ({why}); choose another or open it")));
                }
                if !state.takes_one_more(self.index.arriving(queue)) {
                    let limit = u64::from(state.settings.max_waiting);
                    return Err(Refusal::Full { what: format!("queue \"{}\"", state.settings.name), limit });
                }
                if found.visits >= VISITS_PER_CONVERSATION {
                    return Err(Refusal::Full { what: "visits of one conversation".to_owned(), limit: VISITS_PER_CONVERSATION.into() });
                }
                Ok(())
            }
        }
    }

    /// Where customers wait for an agent who cannot be rung now; `None` when the agent can, or has no queue of the own.
    fn personal_queue_of_busy(&self, agent: AgentId) -> Option<QueueId> {
        let is_busy = self.world.agents.get(&agent).is_some_and(|agent| !agent.is_routable());
        self.personal_queue(agent).filter(|_| is_busy)
    }

    /// Whether a target can be called for this conversation: it exists, can be dialed, and there is room for its leg.
    pub(super) fn check_target(&self, found: &Conversation, to: &TransferTarget) -> Result<(), Refusal> {
        match to {
            TransferTarget::Queue(queue) => {
                let missing = || Refusal::NotFound { what: "queue".to_owned(), id: queue.to_string() };
                self.world.queues.get(queue).map(|_| ()).ok_or_else(missing)
            }
            TransferTarget::Agent(agent) => {
                let agent = self.agent(*agent)?;
                if !agent.is_routable() {
                    let reason = format!("{} cannot take a conversation now; choose somebody else or a queue", agent.settings.name);
                    return Err(Refusal::WrongState { reason });
                }
                has_room_for_leg(found)
            }
            TransferTarget::Number(number) => {
                if !is_outside_number(number) {
                    let problem = "is not a telephone number; write + and digits".to_owned();
                    return Err(Refusal::Invalid { field: "to".to_owned(), problem });
                }
                self.check_outbound_line()?;
                match self.barred(number) {
                    Some(barred @ Barred::Destination) => return Err(Refusal::NotAllowed { reason: format!("{number} {barred}") }),
                    Some(barred @ Barred::AtOnce(_)) => return Err(wrong_state(&format!("{number} {barred}"))),
                    None => {}
                }
                has_room_for_leg(found)
            }
            TransferTarget::Person(name) => {
                if !is_sign_in_name(name) {
                    let problem = "is not a sign-in name; write name@domain".to_owned();
                    return Err(Refusal::Invalid { field: "to".to_owned(), problem });
                }
                self.check_outbound_line()?;
                has_room_for_leg(found)
            }
        }
    }

    fn check_outbound_line(&self) -> Result<(), Refusal> {
        match self.world.settings.outbound_line {
            Some(_) => Ok(()),
            None => Err(wrong_state("calls to numbers and people outside have no line; set outbound_line in the tenant's settings")),
        }
    }

    /// Takes the customer from where it is and leads it to the target, which was checked.
    fn begin_transfer(&mut self, by: Actor, id: ConversationId, to: TransferTarget) {
        self.emit(Event::TransferStarted { conversation: id, by, to: to.clone() });
        self.end_offer(id, OfferOutcome::Withdrawn, Some(HangUpReason::CallerGone));
        self.end_visit(id, Outcome::FlowOut { reason: FlowOutReason::Transferred }, None);
        self.end_talk(id, Some(HangUpReason::Transferred), AfterTalk::WrapUp);
        match to {
            TransferTarget::Queue(queue) => {
                let request = self.world.conversations.get(&id).map(Conversation::request).unwrap_or_default();
                // Whoever transfers has chosen the queue, not the agent whom the number prefers.
                // A rule of that queue may begin a hand-over of its own.
                self.end_transfer(id, None);
                self.enqueue(id, queue, Request { preferred: None, ..request });
            }
            TransferTarget::Agent(agent) => match self.personal_queue_of_busy(agent) {
                Some(_) => {
                    self.end_transfer(id, None);
                    self.lead(id, &Destination::Agent(agent), UNREACHABLE);
                }
                None => {
                    self.let_wait(id);
                    self.offer_directly(id, agent);
                }
            },
            TransferTarget::Number(_) | TransferTarget::Person(_) => {
                self.let_wait(id);
                if let Some(endpoint) = to.as_endpoint() {
                    self.dial_outside(id, endpoint);
                }
            }
        }
    }

    /// The customer hears the target's telephone ring.
    pub(super) fn let_wait(&mut self, id: ConversationId) {
        self.close_segment(id, Some(SegmentKind::Transfer));
        self.record_right(id, None);
        self.play_to_customer(id, Prompt::Ringback);
    }

    /// Calls somebody outside; the new leg.
    pub(super) fn dial_outside(&mut self, id: ConversationId, to: Endpoint) -> LegId {
        let line = self.world.settings.outbound_line.unwrap_or(Line::Connected);
        // Carriers refuse callers' numbers that are not ours, so the tenant's own is shown where there is one.
        let caller = match &self.world.settings.caller_number {
            Some(own) => Party { number: Some(own.clone()), name: None },
            None => self.world.conversations.get(&id).map(|found| found.caller.clone()).unwrap_or_default(),
        };
        let leg = LegId(self.mint());
        let direction = Direction::Outbound;
        self.emit(Event::LegAdded { conversation: id, leg, role: Role::External, line, direction, endpoint: to.clone() });
        self.act(Action::Dial { conversation: id, leg, line, to, caller, ring_limit: TRANSFER_RING + RING_MARGIN });
        leg
    }

    /// The party outside answers.
    pub(super) fn outsider_connected(&mut self, id: ConversationId, leg: LegId) {
        match self.world.conversations.get(&id).and_then(|found| found.part_of(leg)) {
            Some(Part::Transfer) => self.start_talk(id, leg, None, None),
            Some(Part::Consult) => self.consult_answered(id, None, leg),
            _ => self.hang_up(leg, HangUpReason::CallerGone),
        }
    }

    /// The party outside could not be had; its leg is over or being ended.
    pub(super) fn outsider_failed(&mut self, id: ConversationId, kind: CauseKind) {
        let (words, reason) = match kind {
            CauseKind::FarEnd | CauseKind::Declined => ("the other party declined", TerminationReason::Declined),
            CauseKind::Busy => ("the other party is busy", TerminationReason::Busy),
            CauseKind::NoAnswer => ("the other party did not answer", TerminationReason::NoAnswer),
            CauseKind::Unreachable => ("the number could not be reached", TerminationReason::Unreachable),
            CauseKind::Refused => ("the network refused the call", TerminationReason::Refused),
            CauseKind::Timeout => ("the network did not answer", TerminationReason::Timeout),
            CauseKind::Network | CauseKind::MediaLost => ("the connection broke", TerminationReason::NetworkFailure),
            CauseKind::Ours | CauseKind::Failure => ("the call could not be placed", TerminationReason::Failure),
        };
        self.transfer_failed(id, words, Termination { result: TerminationResult::Upstream, reason });
    }

    /// The target does not take the customer: back to the agent who transferred, where the rule of the last queue wants that, and
    /// to that queue; without a queue to that agent, or to the end.
    pub(super) fn transfer_failed(&mut self, id: ConversationId, words: &str, otherwise: Termination) {
        let from = self.world.conversations.get(&id).and_then(|found| found.transfer.as_ref()).and_then(|transfer| transfer.from);
        self.end_transfer(id, Some(words));
        let queue = self.world.conversations.get(&id).and_then(|found| found.last_queue);
        match (queue.and_then(|queue| self.world.queues.get(&queue)), from) {
            (Some(queue), Some(agent)) => {
                let preferred = queue.settings.calls.take_back.map(|wait| Preferred { agent, wait });
                if preferred.is_some() {
                    self.stop_notes(agent, id);
                    self.begin_planned_duty(agent);
                }
                self.return_to(id, preferred, otherwise);
            }
            (None, Some(agent)) => {
                self.stop_notes(agent, id);
                self.ring_agent_or_end(id, agent, otherwise);
                self.begin_planned_duty(agent);
            }
            (_, None) => self.return_to(id, None, otherwise),
        }
    }
}

pub(super) fn has_room_for_leg(found: &Conversation) -> Result<(), Refusal> {
    if found.legs.len() < LEGS_PER_CONVERSATION {
        return Ok(());
    }
    Err(Refusal::Full { what: "legs of one conversation".to_owned(), limit: LEGS_PER_CONVERSATION as u64 })
}
