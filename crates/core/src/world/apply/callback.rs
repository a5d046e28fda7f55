//! Callbacks.

use crate::{
    callback::{Callback, CallbackOutcome},
    conversation::{Asking, Dialing},
    ids::{CallbackId, ConversationId},
    limits,
    output::{Event, Stamped},
    time::Timestamp,
    world::{Timer, World},
};

impl World {
    pub(super) fn apply_callback(&mut self, stamped: &Stamped) {
        let at = stamped.at;
        match &stamped.event {
            Event::CallbackOffered { conversation, queue } => {
                if let Some(found) = self.conversations.get_mut(conversation) {
                    found.asking = Some(Asking { queue: *queue, digits: String::new() });
                    self.timers.set(Timer::Asking(*conversation), at + limits::CALLBACK_QUESTION);
                }
            }
            Event::NumberTyped { conversation, digits } => {
                if let Some(asking) = self.conversations.get_mut(conversation).and_then(|found| found.asking.as_mut()) {
                    asking.digits.clone_from(digits);
                    self.timers.set(Timer::Asking(*conversation), at + limits::CALLBACK_QUESTION);
                }
            }
            Event::CallbackRequested { callback, queue, number, name, place, due, conversation, by } => {
                let promised = Callback {
                    id: *callback,
                    queue: *queue,
                    number: number.clone(),
                    name: name.clone(),
                    requested_at: at,
                    by: by.clone(),
                    origin: *conversation,
                    place: place.clone(),
                    due: *due,
                    attempts: 0,
                    conversation: None,
                    calling: false,
                };
                self.callbacks.insert(promised);
                self.timers.set(Timer::Callback(*callback), *due);
            }
            Event::CallbackRescheduled { callback, due, in_line_since, .. } => {
                if let Some(callback) = self.callbacks.get_mut(*callback) {
                    callback.place.in_line_since = *in_line_since;
                }
                self.plan_callback(*callback, *due);
            }
            Event::CallbackCalled { callback, conversation, queue, agent, leg, attempt } => {
                if let Some(found) = self.conversations.get_mut(conversation) {
                    found.dialing = Some(Dialing { agent: *agent, leg: *leg, queue: *queue });
                    if let Some(segment) = &mut found.segment {
                        (segment.queue, segment.agent) = (*queue, Some(*agent));
                    }
                    self.timers.set(Timer::Conversation(*conversation), at + limits::CONVERSATION_MAX);
                }
                if let Some(callback) = self.callbacks.get_mut(*callback) {
                    (callback.attempts, callback.calling) = (*attempt, true);
                }
            }
            Event::CallbackMissed { callback, attempts, next, .. } => {
                if let Some(callback) = self.callbacks.get_mut(*callback) {
                    callback.attempts = *attempts;
                }
                self.plan_callback(*callback, *next);
            }
            Event::CallbackEnded { callback, conversation, outcome, .. } => {
                self.callbacks.remove(*callback);
                self.timers.clear(Timer::Callback(*callback));
                if *outcome == CallbackOutcome::Connected
                    && let Some(found) = conversation.and_then(|id| self.conversations.get_mut(&id))
                {
                    // From now on it is a talk like any other.
                    found.callback = None;
                }
            }
            _ => {}
        }
    }

    /// It waits for its time, out of line.
    fn plan_callback(&mut self, id: CallbackId, due: Timestamp) {
        let Some(callback) = self.callbacks.get_mut(id) else { return };
        callback.due = due;
        (callback.conversation, callback.calling) = (None, false);
        self.timers.set(Timer::Callback(id), due);
    }

    /// It stands in line: the conversation that does so for it has begun.
    pub(super) fn line_up(&mut self, id: CallbackId, conversation: ConversationId) {
        if let Some(callback) = self.callbacks.get_mut(id) {
            callback.conversation = Some(conversation);
        }
        self.timers.clear(Timer::Callback(id));
    }
}
