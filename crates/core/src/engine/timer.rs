//! What time does.

use super::Engine;
use crate::{
    conversation::{Cause, CauseKind, Part, TerminationReason, TerminationResult},
    hours::Switch,
    ids::{ConversationId, LegId},
    input::Actor,
    output::{Action, ActionFailure, Event, HangUpReason},
    queue::FlowOutReason,
    routing::OfferOutcome,
    world::Timer,
};

impl Engine {
    /// Fires every deadline that has passed, and routes what that set free.
    pub(super) fn fire_timers(&mut self) {
        loop {
            let due: Vec<Timer> = self.world.timers.due_at(self.now).collect();
            if due.is_empty() {
                return;
            }
            let before = self.world.version;
            for timer in due {
                // An earlier one may have ended what this one is for, or moved it.
                if self.world.timers.due(timer).is_some_and(|at| at <= self.now) {
                    self.fire(timer);
                }
            }
            self.route();
            if self.world.version == before {
                debug_assert!(false, "a deadline passed and nothing came of it");
                return;
            }
        }
    }

    fn fire(&mut self, timer: Timer) {
        match timer {
            Timer::Conversation(id) if self.world.written.contains_key(&id) => self.written_too_long(id),
            Timer::Conversation(id) => {
                self.break_off(id, FlowOutReason::Failure, TerminationResult::Us, TerminationReason::TooLong);
            }
            Timer::Answer(leg) => {
                if let Some(id) = self.world.legs.get(&leg).copied() {
                    if self.is_dialing(id) {
                        return self.called_customer_silent(id);
                    }
                    self.break_off(id, FlowOutReason::Failure, TerminationResult::Upstream, TerminationReason::Timeout);
                }
            }
            Timer::Prompt(id) => self.prompt_overdue(id),
            Timer::Flow(id) => self.flow_overdue(id),
            Timer::Ring(id) if self.world.written.contains_key(&id) => self.written_offers_failed(id),
            Timer::Ring(id) => self.offer_failed(id, OfferOutcome::NoAnswer, Some(HangUpReason::NoAnswer)),
            Timer::Widen(id) => self.widen(id),
            Timer::Overflow(id) => self.overflow_due(id),
            Timer::Announce(id) => self.announce(id),
            Timer::Reopen(queue) => self.emit(Event::QueueClosed { queue, closed: None, by: Actor::System }),
            Timer::MaxWait(id) => {
                self.break_off(id, FlowOutReason::MaxWait, TerminationResult::Us, TerminationReason::MaxWait);
            }
            Timer::TransferRing(leg) => {
                if let Some(id) = self.world.legs.get(&leg).copied() {
                    let part = self.world.conversations.get(&id).and_then(|found| found.part_of(leg));
                    self.hang_up(leg, HangUpReason::NoAnswer);
                    match part {
                        Some(Part::Consult) => self.consulted_leg_ended(id, CauseKind::NoAnswer),
                        Some(Part::Supervisor) => self.supervisor_gone(id, leg, CauseKind::NoAnswer),
                        _ => self.outsider_failed(id, CauseKind::NoAnswer),
                    }
                }
            }
            Timer::HangUp(leg) => self.give_up(leg),
            Timer::HangUpAgain(leg) => {
                if let Some(conversation) = self.world.legs.get(&leg).copied() {
                    self.hang_up_again(conversation, leg);
                }
            }
            Timer::WrapUp(agent) => self.end_wrap_up(agent, Actor::System),
            Timer::ReadyAgain(agent) => self.ready_again(agent),
            Timer::AskAgain(id) => self.ask_again(id),
            Timer::Action(action) => match self.world.pending.get(action) {
                // Without an answer it is not known what is recorded; and a flow has to go on.
                Some(Action::PauseRecording { .. } | Action::ResumeRecording { .. } | Action::AskService { .. }) => {
                    self.action_failed(action, no_answer())
                }
                // Perhaps the line never heard of it, and two people sit in silence. Said anew until there is an answer.
                Some(wish @ (Action::Bridge { .. } | Action::Mix { .. })) => {
                    let wish = wish.clone();
                    self.settle(action, Some(no_answer()));
                    self.act(wish);
                }
                _ => self.settle(action, Some(no_answer())),
            },
            Timer::RecordingPause(recording) => self.pause_over(recording),
            Timer::Recording(recording) => self.recording_failed(recording, "it was not closed in time".to_owned()),
            Timer::Callback(callback) => self.callback_due(callback),
            Timer::Asking(id) => self.number_overdue(id),
            Timer::Message(id) => self.message_long_enough(id),
            Timer::MessageExpiry(message) => self.message_expired(message),
            Timer::ConsultWait(id) => self.consult_waited_too_long(id),
            Timer::Survey(line) => {
                self.act(Action::Survey { line });
            }
            Timer::Notes(id) => self.end_notes(id, Actor::System),
            Timer::HoursOverride(hours) => self.emit(Event::HoursOverridden { hours, to: Switch::Automatic, by: Actor::System }),
        }
    }

    /// The prompt should have ended long ago; the customer is led on as if it had.
    fn prompt_overdue(&mut self, id: ConversationId) {
        let Some(found) = self.world.conversations.get(&id) else { return };
        if let Some(play) = found.playing {
            self.settle(play, Some(no_answer()));
            self.prompt_over(Some(id));
        }
    }

    /// The line never said that the leg ended.
    fn give_up(&mut self, leg: LegId) {
        let cause = Cause { kind: CauseKind::Timeout, detail: None };
        if let Some(termination) = self.classify(leg, &cause) {
            self.end_leg(leg, termination, CauseKind::Timeout, None, true);
        }
    }
}

pub(super) fn no_answer() -> ActionFailure {
    ActionFailure { code: "CORE-006".to_owned(), detail: "nobody answered the action in time".to_owned() }
}
