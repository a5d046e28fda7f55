//! Asking a customer for the number to call back: the own one, or one that is typed.

use super::{Engine, callback::Wanted, destination::UNREACHABLE};
use crate::{
    callback::KeptPlace,
    config::is_outside_number,
    conversation::{Asking, SegmentKind, Termination, TerminationReason, TerminationResult},
    ids::{ConversationId, QueueId},
    input::Actor,
    limits::{CALLBACK_AFTER, CALLBACK_DIGITS},
    output::{Action, Event},
    phrase,
    queue::Request,
};

const PROMISED: Termination = Termination { result: TerminationResult::Success, reason: TerminationReason::CallbackPromised };

impl Engine {
    /// Offers the customer, of whose place before nothing is open any more, to be called back.
    pub(super) fn offer_callback(&mut self, id: ConversationId, queue: QueueId) {
        if self.customer(id).is_none() || !self.promises_callback(queue) {
            self.end_conversation(id, UNREACHABLE);
            return;
        }
        self.stop_recording(id);
        self.close_segment(id, Some(SegmentKind::Callback));
        self.emit(Event::CallbackOffered { conversation: id, queue });
        self.ask_for_number(id);
    }

    fn ask_for_number(&mut self, id: ConversationId) {
        let Some((leg, line)) = self.customer(id) else { return };
        let prompt = phrase::ask_for_number(&self.spoken(id), self.own_number(id).is_some());
        self.act(Action::Play { conversation: id, leg, line, prompt, repeat: false });
    }

    fn spoken(&self, id: ConversationId) -> String {
        self.world.conversations.get(&id).and_then(|found| found.language.clone()).unwrap_or_else(|| "en".to_owned())
    }

    /// The customer's own number, when it can be called.
    fn own_number(&self, id: ConversationId) -> Option<String> {
        self.world.conversations.get(&id)?.caller.number.clone().filter(|number| self.can_be_called_back(number))
    }

    /// Callers may not make us call whom they like.
    fn can_be_called_back(&self, number: &str) -> bool {
        is_outside_number(number) && self.world.settings.outbound.allows(number)
    }

    fn asking(&self, id: ConversationId) -> Option<&Asking> {
        self.world.conversations.get(&id)?.asking.as_ref()
    }

    /// Digits are the number, the star begins it anew, the pound key ends it; on its own it means the customer's own number.
    pub(super) fn key_in_callback(&mut self, id: ConversationId, digit: char) {
        let Some(asking) = self.asking(id) else { return };
        let mut digits = asking.digits.clone();
        match digit {
            '#' if digits.is_empty() => {
                if let Some(number) = self.own_number(id) {
                    self.promise_to(id, number);
                }
            }
            '#' if self.can_be_called_back(&digits) => self.promise_to(id, digits),
            '#' | '*' => {
                self.emit(Event::NumberTyped { conversation: id, digits: String::new() });
                self.ask_for_number(id);
            }
            '0'..='9' if digits.len() < CALLBACK_DIGITS => {
                digits.push(digit);
                self.emit(Event::NumberTyped { conversation: id, digits });
            }
            _ => {}
        }
    }

    /// The customer has pressed nothing for some time: what was typed counts, or else the own number.
    pub(super) fn number_overdue(&mut self, id: ConversationId) {
        let Some(asking) = self.asking(id) else { return };
        let typed = Some(asking.digits.clone()).filter(|digits| self.can_be_called_back(digits));
        match typed.or_else(|| self.own_number(id)) {
            Some(number) => self.promise_to(id, number),
            None => self.end_conversation(id, UNREACHABLE),
        }
    }

    fn promise_to(&mut self, id: ConversationId, number: String) {
        let Some(found) = self.world.conversations.get(&id) else { return };
        let Some(queue) = found.asking.as_ref().map(|asking| asking.queue) else { return };
        let Some(state) = self.world.queues.get(&queue) else {
            self.end_conversation(id, UNREACHABLE);
            return;
        };
        let kept = found.kept_place.clone().unwrap_or_else(|| {
            // Who has not waited yet stands where entering the queue would have led to.
            let Request { priority, least_priority, skills, language, .. } = found.request();
            let favored = (least_priority > 0).then(|| priority.unwrap_or(state.settings.priority).max(least_priority));
            KeptPlace { in_line_since: self.now, priority: favored.or(priority), skills, language }
        });
        let place = KeptPlace { language: found.language.clone().or(kept.language), ..kept };
        let name = found.caller.name.clone().filter(|_| found.caller.number.as_deref() == Some(number.as_str()));
        let prompt = phrase::callback_promised(&self.spoken(id));
        // Time to put the telephone down; the place in line does not depend on it.
        let due = self.now + CALLBACK_AFTER;
        self.promise(Actor::System, Wanted { queue, number, name, place, due, origin: Some(id) });
        self.say_farewell(id, prompt, PROMISED);
    }
}
