//! Through call flows: node after node, until one of them has to wait or leads out.
//!
//! Whatever happens, a customer in a flow hears something or is waited for with a deadline; where a flow cannot go on, its
//! fallback takes over.

use super::{Engine, destination::UNREACHABLE, timer::no_answer};
use crate::{
    config::Destination,
    conversation::{SegmentKind, Termination, TerminationReason, TerminationResult},
    flow::{Doing, FlowEnd, Heard, Run, Situation, Step},
    ids::{AgentId, ConversationId, FlowId},
    input::TransferTarget,
    limits::{FLOW_MAX, FLOW_STEPS, FLOWS_PER_CONVERSATION, TEXT_CHARS},
    output::{Action, Event, Prompt},
    queue::Request,
    text::clip,
};

/// How a conversation ends whose flow failed and whose fallback is to let the customer go.
const FAILED: Termination = Termination { result: TerminationResult::Us, reason: TerminationReason::Failure };
/// How a conversation ends that a flow has served to the end.
const SERVED: Termination = Termination { result: TerminationResult::Success, reason: TerminationReason::HungUp };

impl Engine {
    /// The customer comes to a flow.
    pub(super) fn enter_flow(&mut self, id: ConversationId, flow: FlowId) {
        self.leave_flow(id, FlowEnd::Led { to: Destination::Flow(flow) });
        let Some(found) = self.world.conversations.get(&id) else { return };
        if found.flows >= FLOWS_PER_CONVERSATION {
            let full = Termination { result: TerminationResult::Us, reason: TerminationReason::Full };
            self.end_conversation(id, full);
            return;
        }
        let Some((version, _)) = self.world.flow(flow) else {
            self.end_conversation(id, UNREACHABLE);
            return;
        };
        self.close_segment(id, Some(SegmentKind::Flow));
        self.emit(Event::FlowEntered { conversation: id, flow, version, ends_at: self.now + FLOW_MAX });
        self.walk(id);
    }

    /// Goes on from node to node until one has to wait.
    pub(super) fn walk(&mut self, id: ConversationId) {
        while let Some(wish) = self.in_flow(id, |situation| situation.arrive()) {
            self.mind_recording(id);
            if self.run(id).is_some_and(|run| run.steps >= FLOW_STEPS) {
                self.give_up_flow(id, FlowEnd::TooManySteps);
                return;
            }
            match wish {
                Ok(Doing::Pass(step)) => self.step(id, step),
                Ok(Doing::Say(prompt) | Doing::Ask(prompt)) => return self.say_in_flow(id, prompt),
                Ok(Doing::AskService(service, request)) => return self.ask_service(id, service, request),
                Ok(Doing::Finish(farewell)) => {
                    self.leave_flow(id, FlowEnd::Finished);
                    match farewell {
                        Some(prompt) => self.say_farewell(id, prompt, SERVED),
                        None => self.end_conversation(id, SERVED),
                    }
                    return;
                }
                Ok(Doing::Lead(to, request)) if self.can_lead(id, &to) => return self.lead_out(id, &to, request),
                Ok(Doing::Lead(..)) => match self.in_flow(id, |situation| situation.not_had()).flatten() {
                    Some(step) => self.step(id, step),
                    None => return self.fail_flow(id, "where the node leads cannot be had".to_owned()),
                },
                Err(problem) => return self.fail_flow(id, problem),
            }
        }
    }

    pub(super) fn step(&mut self, id: ConversationId, step: Step) {
        let Some(run) = self.run(id) else { return };
        let (flow, node) = (run.flow, run.node.clone());
        if let Some(score) = step.score {
            self.scored(id, flow, score);
        }
        let problem = step.problem.map(|problem| clip(problem, TEXT_CHARS));
        let private = step.kept.map(|kept| self.private.keep(id, kept));
        self.emit(Event::FlowStepped { conversation: id, flow, node, exit: step.exit, to: step.to, set: step.set, problem, private });
        if let Some(language) = step.language {
            self.choose_language(id, language);
        }
    }

    pub(super) fn say_in_flow(&mut self, id: ConversationId, prompt: Prompt) {
        let Some((leg, line)) = self.customer(id) else { return };
        self.act(Action::Play { conversation: id, leg, line, prompt, repeat: false });
    }

    /// What was to be said has been said, or cannot be.
    pub(super) fn flow_said(&mut self, id: ConversationId) {
        match self.in_flow(id, |situation| situation.said()) {
            Some(Ok(step)) => {
                self.step(id, step);
                self.walk(id);
            }
            Some(Err(wait)) => {
                let Some(node) = self.run(id).map(|run| run.node.clone()) else { return };
                self.emit(Event::FlowWaiting { conversation: id, node, until: self.now + wait });
            }
            None => {}
        }
    }

    /// A customer in a flow pressed a key.
    pub(super) fn key_in_flow(&mut self, id: ConversationId, key: char) {
        if self.in_flow(id, |situation| situation.asks_service()) == Some(true) {
            return;
        }
        let playing = self.world.conversations.get(&id).is_some_and(|found| found.playing.is_some());
        if playing {
            if self.in_flow(id, |situation| situation.may_interrupt()) != Some(true) {
                return;
            }
            // The prompt is over for good: what the line says about its end comes too late.
            let Some((leg, line)) = self.customer(id) else { return };
            self.act(Action::Silence { conversation: id, leg, line });
            if self.in_flow(id, |situation| situation.asks()) != Some(true) {
                self.flow_said(id);
                // The key that ended an explanation answers the question behind it.
                if self.in_flow(id, |situation| situation.asks() && situation.may_interrupt()) == Some(true) {
                    self.key_in_flow(id, key);
                }
                return;
            }
        }
        if self.ask_forgotten(id) {
            return;
        }
        let part = self.in_flow(id, |situation| situation.types_privately(key)) == Some(true);
        let heard = self.in_flow(id, |situation| situation.pressed(key));
        if part && matches!(heard, Some(Ok(Heard::Answered(_)))) {
            self.private.hush(id, self.now);
        }
        self.heard(id, heard);
    }

    /// No key came in time, or the flow has taken too long.
    pub(super) fn flow_overdue(&mut self, id: ConversationId) {
        if self.run(id).is_some_and(|run| run.ends_at <= self.now) {
            self.give_up_flow(id, FlowEnd::TooLong);
            return;
        }
        if self.service_overdue(id, no_answer()) {
            return;
        }
        if self.ask_forgotten(id) {
            return;
        }
        let heard = self.in_flow(id, |situation| situation.nothing_pressed());
        self.heard(id, heard);
    }

    fn heard(&mut self, id: ConversationId, heard: Option<Result<Heard, String>>) {
        let Some((node, attempt)) = self.run(id).map(|run| (run.node.clone(), run.attempt)) else { return };
        match heard {
            Some(Ok(Heard::More(key, wait))) => {
                let private = self.in_flow(id, |situation| situation.is_private()) == Some(true);
                let key = if private { self.private.add(id, key) } else { key };
                self.emit(Event::FlowKeyed { conversation: id, node, key, until: self.now + wait });
            }
            Some(Ok(Heard::Answered(step))) => {
                self.step(id, step);
                self.walk(id);
            }
            Some(Ok(Heard::Again(prompt))) => {
                self.emit(Event::FlowAskedAgain { conversation: id, node, attempt: attempt.saturating_add(1) });
                self.say_in_flow(id, prompt);
            }
            Some(Err(problem)) => self.fail_flow(id, problem),
            None => {}
        }
    }

    /// A node leads out of the flow to where the customer can be led.
    fn lead_out(&mut self, id: ConversationId, to: &Destination, request: Option<Box<Request>>) {
        if let (Destination::Queue(queue), Some(request)) = (to, request) {
            self.enqueue(id, *queue, *request);
            return;
        }
        // Somebody's telephone may ring in vain; then the flow goes on.
        let rings = match to {
            // Who has a queue of callers of the own is not rung without one.
            Destination::Agent(agent) => self.personal_queue(*agent).is_none(),
            Destination::Number(_) | Destination::Person(_) => true,
            _ => false,
        };
        if let Some(run) = self.run(id).filter(|_| rings) {
            let node = run.node.clone();
            self.emit(Event::FlowSuspended { conversation: id, node });
            self.lead(id, to, SERVED);
            if self.place(id) == Some(SegmentKind::Transfer) {
                return;
            }
        }
        self.leave_flow(id, FlowEnd::Led { to: to.clone() });
        if self.place(id) == Some(SegmentKind::Flow) {
            self.lead(id, to, SERVED);
        }
    }

    /// Whom the flow handed the customer to has the customer now.
    pub(super) fn flow_has_led(&mut self, id: ConversationId, agent: Option<AgentId>) {
        let Some(found) = self.world.conversations.get(&id).filter(|found| found.run.is_some()) else { return };
        let to = match (agent, found.transfer.as_ref().map(|transfer| &transfer.to)) {
            (Some(agent), _) => Destination::Agent(agent),
            (None, Some(TransferTarget::Number(number))) => Destination::Number(number.clone()),
            (None, Some(TransferTarget::Person(name))) => Destination::Person(name.clone()),
            (None, _) => Destination::HangUp,
        };
        self.leave_flow(id, FlowEnd::Led { to });
    }

    /// Whom the flow handed the customer to does not take the customer: on in the flow. Says whether there is one.
    pub(super) fn flow_goes_on(&mut self, id: ConversationId) -> bool {
        if !self.run(id).is_some_and(|run| run.away) {
            return false;
        }
        self.close_segment(id, Some(SegmentKind::Flow));
        match self.in_flow(id, |situation| situation.not_had()).flatten() {
            Some(step) => {
                self.step(id, step);
                self.walk(id);
            }
            None => self.fail_flow(id, "whom the customer was handed to did not answer".to_owned()),
        }
        true
    }

    pub(super) fn fail_flow(&mut self, id: ConversationId, problem: String) {
        self.give_up_flow(id, FlowEnd::Failed { problem: clip(problem, TEXT_CHARS) });
    }

    /// The flow cannot go on: its fallback takes the customer.
    fn give_up_flow(&mut self, id: ConversationId, end: FlowEnd) {
        let fallback = self.in_flow(id, |situation| situation.flow.fallback.clone()).unwrap_or(Destination::HangUp);
        self.leave_flow(id, end);
        self.lead(id, &fallback, FAILED);
    }

    /// The customer is no longer in the flow, if there was one.
    pub(super) fn leave_flow(&mut self, id: ConversationId, end: FlowEnd) {
        let Some(run) = self.run(id) else { return };
        let (flow, version, steps, entered_at) = (run.flow, run.version, run.steps, run.entered_at);
        let node = run.node.clone();
        self.forget_service(id);
        // A call that ends takes its recording with it, and what was typed last must not be in it.
        let goes_on = end != FlowEnd::Ended;
        self.emit(Event::FlowLeft { conversation: id, flow, version, node, entered_at, steps, end });
        if goes_on {
            self.end_secure_pause(id);
        }
    }

    pub(super) fn run(&self, id: ConversationId) -> Option<&Run> {
        self.world.conversations.get(&id)?.run.as_deref()
    }

    /// Asks the flow a conversation is in; nothing when it is in none.
    pub(super) fn in_flow<T>(&self, id: ConversationId, ask: impl FnOnce(Situation<'_>) -> T) -> Option<T> {
        let found = self.world.conversations.get(&id)?;
        let run = found.run.as_deref()?;
        let flow = self.world.editions(run.flow)?.edition(run.version)?;
        Some(ask(Situation::of(&self.world, found, flow, run, self.private.of(id), self.now)))
    }
}
