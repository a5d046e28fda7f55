//! Callbacks: asked for, due, cancelled, tried again, kept. What happens while the customer is asked for the number is in `ask`, what
//! happens while the customer is called in `call_back`.
//!
//! A callback that stands in line is a conversation with a visit and no customer; everything that chooses agents treats it like
//! any other. Its end without a connection leads to the next attempt or to the end of the callback, whatever the reason.

use super::{Engine, agent::wrong_state};
use crate::{
    callback::{Callback, CallbackOutcome, KeptPlace},
    config::{Barred, check_language, is_outside_number},
    conversation::{Direction, Termination, TerminationReason, TerminationResult},
    endpoint::Party,
    ids::{CallbackId, ConversationId, QueueId},
    input::Actor,
    limits::{
        CALLBACK_AHEAD_MAX, CALLBACK_POSTPONED, CALLBACK_WAIT_MAX, CALLBACKS_PER_TENANT, CONVERSATIONS_PER_TENANT, PRIORITY_MAX, TEXT_CHARS,
    },
    output::Event,
    queue::{FlowOutReason, Request},
    refusal::Refusal,
    text::clip,
    time::{Millis, Timestamp},
};

/// Somebody to be called back.
pub(super) struct Wanted {
    pub(super) queue: QueueId,
    pub(super) number: String,
    pub(super) name: Option<String>,
    pub(super) place: KeptPlace,
    pub(super) due: Timestamp,
    pub(super) origin: Option<ConversationId>,
}

impl Engine {
    /// Whether a queue can promise one more callback.
    pub(super) fn promises_callback(&self, queue: QueueId) -> bool {
        let Some(state) = self.world.queues.get(&queue) else { return false };
        let callbacks = &self.world.callbacks;
        let own = callbacks.iter().filter(|callback| callback.queue == queue).count();
        self.world.settings.outbound_line.is_some()
            && own < state.settings.callbacks.most as usize
            && callbacks.len() < CALLBACKS_PER_TENANT
    }

    pub(super) fn request_callback(
        &mut self,
        by: Actor,
        queue: QueueId,
        party: Party,
        at: Option<Timestamp>,
        place: KeptPlace,
    ) -> Result<(), Refusal> {
        self.queue(queue)?;
        let number = party.number.unwrap_or_default();
        if !is_outside_number(&number) {
            return refused("number", format!("\"{number}\" is not a telephone number; write + and 3 to 15 digits"));
        }
        if !self.world.settings.outbound.allows(&number) {
            return refused("number", format!("\"{number}\" {}", Barred::Destination));
        }
        if place.priority.is_some_and(|priority| priority > PRIORITY_MAX) {
            return refused("priority", format!("must be from 0 to {PRIORITY_MAX}"));
        }
        if let Some(language) = &place.language {
            check_language("language", language)?;
        }
        let due = self.check_due(queue, at)?;
        if self.world.settings.outbound_line.is_none() {
            return Err(wrong_state("calls to numbers outside have no line; set outbound_line in the tenant's settings"));
        }
        if self.world.callbacks.of(&number, queue).is_none() && !self.promises_callback(queue) {
            let limit = self.world.queues.get(&queue).map_or(0, |queue| queue.settings.callbacks.most);
            return Err(Refusal::Full { what: "open callbacks of the queue".to_owned(), limit: limit.into() });
        }
        let name = party.name.map(|name| clip(name, TEXT_CHARS));
        let place = KeptPlace { in_line_since: due, ..place };
        self.promise(by, Wanted { queue, number, name, place, due, origin: None });
        Ok(())
    }

    /// A time at which the queue is open, or now.
    fn check_due(&self, queue: QueueId, at: Option<Timestamp>) -> Result<Timestamp, Refusal> {
        let Some(at) = at else { return Ok(self.now) };
        if at <= self.now || at > self.now + CALLBACK_AHEAD_MAX {
            return refused("at", "must be a time to come, at most 60 days ahead".to_owned());
        }
        let hours = self.world.queues.get(&queue).and_then(|queue| queue.settings.waiting.hours);
        if let Some(closed) = hours.and_then(|hours| self.world.is_open(hours, at)).filter(|state| !state.open) {
            let opens = closed.until.map(|opens| format!("; it opens at {} (milliseconds since 1970)", opens.0)).unwrap_or_default();
            return refused("at", format!("is outside the hours of the queue{opens}"));
        }
        Ok(at)
    }

    /// One number is called back by one queue once: who asks again has the place that was promised first, and the earlier time.
    pub(super) fn promise(&mut self, by: Actor, wanted: Wanted) {
        let Wanted { queue, number, name, place, due, origin } = wanted;
        if let Some(open) = self.world.callbacks.of(&number, queue) {
            let (callback, sooner) = (open.id, open.conversation.is_none() && due < open.due);
            let in_line_since = open.place.in_line_since.min(place.in_line_since);
            self.emit(Event::CallbackRepeated { callback, queue, conversation: origin, by: by.clone() });
            if sooner {
                self.emit(Event::CallbackRescheduled { callback, queue, due, in_line_since, by });
            }
            return;
        }
        let callback = CallbackId(self.mint());
        self.emit(Event::CallbackRequested { callback, queue, number, name, place, due, conversation: origin, by });
        if due <= self.now {
            self.callback_due(callback);
        }
    }

    /// It stands in line from now on, if the queue is open.
    pub(super) fn callback_due(&mut self, id: CallbackId) {
        let Some(callback) = self.world.callbacks.get(id).filter(|callback| callback.conversation.is_none()).cloned() else { return };
        let (Some(line), Some(state)) = (self.world.settings.outbound_line, self.world.queues.get(&callback.queue)) else {
            self.end_callback(id, CallbackOutcome::Failed, Actor::System);
            return;
        };
        let barred = self.barred(&callback.number);
        if barred == Some(Barred::Destination) {
            self.end_callback(id, CallbackOutcome::Failed, Actor::System);
            return;
        }
        let opens = if self.world.is_closed(state, self.now) {
            let by_hand = state.closed.as_ref().and_then(|closed| closed.until);
            let hours = state.settings.waiting.hours.and_then(|hours| self.world.is_open(hours, self.now)).filter(|hours| !hours.open);
            Some(by_hand.max(hours.and_then(|hours| hours.until)).unwrap_or(self.now + CALLBACK_POSTPONED))
        } else if barred.is_some() || self.world.conversations.len() >= CONVERSATIONS_PER_TENANT {
            Some(self.now + CALLBACK_POSTPONED)
        } else {
            None
        };
        let in_line_since = callback.place.in_line_since;
        if let Some(opens) = opens {
            if self.now >= in_line_since + CALLBACK_WAIT_MAX {
                self.end_callback(id, CallbackOutcome::Expired, Actor::System);
                return;
            }
            // Never at once again, whatever hours say.
            let due = opens.max(self.now + Millis::from_secs(1));
            self.emit(Event::CallbackRescheduled { callback: id, queue: callback.queue, due, in_line_since, by: Actor::System });
            return;
        }
        let conversation = ConversationId(self.mint());
        let Callback { number, name, place, queue, .. } = callback;
        let caller = Party { number: Some(number.clone()), name };
        let (direction, dialed) = (Direction::Outbound, number);
        self.emit(Event::ConversationStarted { conversation, line, direction, caller, dialed, number: None, callback: Some(id) });
        let request = Request {
            priority: place.priority,
            skills: place.skills,
            language: place.language,
            in_line_since: Some(place.in_line_since),
            returning: true,
            ..Request::default()
        };
        self.enqueue(conversation, queue, request);
    }

    pub(super) fn cancel_callback(&mut self, by: Actor, id: CallbackId) -> Result<(), Refusal> {
        self.open_callback(&by, id)?;
        self.take_callback_back(id, CallbackOutcome::Cancelled, by);
        Ok(())
    }

    pub(super) fn reschedule_callback(&mut self, by: Actor, id: CallbackId, at: Option<Timestamp>) -> Result<(), Refusal> {
        let callback = self.open_callback(&by, id)?;
        let (queue, conversation, calling) = (callback.queue, callback.conversation, callback.calling);
        if calling {
            return Err(wrong_state("the customer is being called at this moment"));
        }
        let due = self.check_due(queue, at)?;
        self.emit(Event::CallbackRescheduled { callback: id, queue, due, in_line_since: due, by });
        if let Some(conversation) = conversation {
            self.break_off(conversation, FlowOutReason::Ended, TerminationResult::Us, TerminationReason::Ended);
        }
        if due <= self.now {
            self.callback_due(id);
        }
        Ok(())
    }

    fn open_callback(&self, by: &Actor, id: CallbackId) -> Result<&Callback, Refusal> {
        self.only_supervisors(by)?;
        self.world.callbacks.get(id).ok_or_else(|| Refusal::NotFound { what: "open callback".to_owned(), id: id.to_string() })
    }

    /// Ends a callback, and what is going on because of it.
    fn take_callback_back(&mut self, id: CallbackId, outcome: CallbackOutcome, by: Actor) {
        let conversation = self.world.callbacks.get(id).and_then(|callback| callback.conversation);
        self.end_callback(id, outcome, by);
        if let Some(conversation) = conversation {
            self.break_off(conversation, FlowOutReason::Ended, TerminationResult::Us, TerminationReason::Ended);
        }
    }

    /// A customer talks to an agent: nobody needs to call back any more.
    pub(super) fn forget_callbacks_of(&mut self, id: ConversationId) {
        let Some(number) = self.world.conversations.get(&id).and_then(|found| found.caller.number.clone()) else { return };
        let open: Vec<CallbackId> = self.world.callbacks.to_number(&number).map(|callback| callback.id).collect();
        for callback in open {
            self.take_callback_back(callback, CallbackOutcome::CalledAgain, Actor::System);
        }
    }

    /// The queue is being removed: nobody is there to keep its promises.
    pub(super) fn cancel_callbacks_of(&mut self, queue: QueueId) {
        let open: Vec<CallbackId> =
            self.world.callbacks.iter().filter(|callback| callback.queue == queue).map(|callback| callback.id).collect();
        for callback in open {
            self.take_callback_back(callback, CallbackOutcome::Cancelled, Actor::System);
        }
    }

    pub(super) fn end_callback(&mut self, id: CallbackId, outcome: CallbackOutcome, by: Actor) {
        let Some(callback) = self.world.callbacks.get(id) else { return };
        let (queue, requested_at, attempts, conversation) =
            (callback.queue, callback.requested_at, callback.attempts, callback.conversation);
        let in_line_since = callback.place.in_line_since;
        self.emit(Event::CallbackEnded { callback: id, queue, outcome, requested_at, in_line_since, attempts, conversation, by });
    }

    /// A conversation in which a customer was to be called back is over without that.
    pub(super) fn callback_attempt_over(&mut self, id: CallbackId, conversation: ConversationId, termination: Termination) {
        let Some(callback) = self.world.callbacks.get(id).filter(|callback| callback.conversation == Some(conversation)) else { return };
        let (queue, calling, attempts) = (callback.queue, callback.calling, callback.attempts);
        // What a restart of ours cut off was no attempt.
        let restarted = termination.reason == TerminationReason::Restarted;
        let rules = self.world.queues.get(&queue).map(|queue| queue.settings.callbacks).unwrap_or_default();
        match termination.reason {
            TerminationReason::TooLong => self.end_callback(id, CallbackOutcome::Expired, Actor::System),
            // A supervisor let it go while it stood in line.
            _ if !calling && !restarted => self.end_callback(id, CallbackOutcome::Cancelled, Actor::System),
            _ if !restarted && attempts >= rules.attempts => self.end_callback(id, CallbackOutcome::Failed, Actor::System),
            reason => {
                let (attempts, next) =
                    if restarted { (attempts.saturating_sub(u8::from(calling)), self.now) } else { (attempts, self.now + rules.gap) };
                self.emit(Event::CallbackMissed { callback: id, queue, conversation, reason, attempts, next });
            }
        }
    }
}

fn refused<T>(field: &str, problem: String) -> Result<T, Refusal> {
    Err(Refusal::Invalid { field: field.to_owned(), problem })
}
