//! Messages that callers leave.

use crate::{
    config::Mailbox,
    output::{Event, Stamped},
    voicemail::{Message, MessageState, OpenMessage},
    world::{Timer, World},
};

impl World {
    pub(super) fn apply_message(&mut self, stamped: &Stamped) {
        let at = stamped.at;
        match &stamped.event {
            Event::MessageStarted { conversation, message, mailbox } => {
                let Some(found) = self.conversations.get_mut(conversation) else { return };
                found.message = Some(*message);
                let open = OpenMessage { mailbox: *mailbox, conversation: *conversation, caller: found.caller.clone(), recording: None };
                self.leaving.insert(*message, open);
            }
            Event::MessageLeft { conversation, message, mailbox, caller, recording, duration, expires_at } => {
                self.leaving.remove(message);
                let left = Message {
                    id: *message,
                    mailbox: *mailbox,
                    conversation: *conversation,
                    caller: caller.clone(),
                    recording: *recording,
                    duration: *duration,
                    left_at: at,
                    expires_at: *expires_at,
                    state: MessageState::New,
                    marked: None,
                };
                self.messages.insert(left);
                self.timers.set(Timer::MessageExpiry(*message), *expires_at);
            }
            Event::MessageDiscarded { message, .. } => {
                self.leaving.remove(message);
            }
            Event::MessageMarked { message, state, by, .. } => {
                if let Some(message) = self.messages.get_mut(*message) {
                    message.state = *state;
                    message.marked = Some((by.clone(), at));
                }
            }
            Event::MessageDeleted { message, .. } => {
                self.messages.remove(*message);
                self.timers.clear(Timer::MessageExpiry(*message));
            }
            _ => {}
        }
    }

    /// What was left for somebody who is no longer there has been heard, or nobody could remove that one.
    pub(super) fn forget_mailbox(&mut self, mailbox: Mailbox) {
        let gone: Vec<_> = self.messages.of(mailbox).map(|message| message.id).collect();
        for message in gone {
            self.messages.remove(message);
            self.timers.clear(Timer::MessageExpiry(message));
        }
    }
}
