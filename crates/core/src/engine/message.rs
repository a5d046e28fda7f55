//! Leaving a message: greeting, tone, what is said, and who takes care of it afterwards.
//!
//! A message has begun when the caller is led to the mailbox and is over when its recording is closed, which is later than the
//! call. Exactly one of `MessageLeft` and `MessageDiscarded` comes of it. Whatever ends the call (the key `#`, hanging up, the time
//! limit, a restart) ends it like that.

use super::Engine;
use crate::{
    config::Mailbox,
    conversation::{Conversation, SegmentKind, Termination, TerminationReason, TerminationResult},
    ids::{ConversationId, MessageId, RecordingId},
    input::Actor,
    limits::MESSAGES_PER_TENANT,
    output::{Action, Event, Prompt},
    phrase,
    refusal::Refusal,
    time::Millis,
    voicemail::{Discard, MessageState},
};

/// The key that ends a message.
const END: char = '#';
const LEFT: Termination = Termination { result: TerminationResult::Success, reason: TerminationReason::MessageLeft };
const NOT_RECORDED: Termination = Termination { result: TerminationResult::Us, reason: TerminationReason::Failure };

impl Engine {
    /// Whether one more message may be left there.
    pub(super) fn takes_message(&self, mailbox: Mailbox) -> bool {
        let Some(rules) = self.world.mailbox(mailbox) else { return false };
        let (messages, leaving) = (&self.world.messages, &self.world.leaving);
        let own = messages.of(mailbox).count() + leaving.values().filter(|open| open.mailbox == mailbox).count();
        own < rules.most as usize && messages.len() + leaving.len() < MESSAGES_PER_TENANT
    }

    /// Asks the customer, of whose place before nothing is open any more, for a message.
    pub(super) fn ask_for_message(&mut self, id: ConversationId, mailbox: Mailbox) {
        let Some(rules) = self.world.mailbox(mailbox) else {
            self.end_conversation(id, super::destination::UNREACHABLE);
            return;
        };
        let Some((leg, line)) = self.customer(id).filter(|_| self.takes_message(mailbox)) else {
            self.end_conversation(id, Termination { result: TerminationResult::Us, reason: TerminationReason::Full });
            return;
        };
        let greeting = rules.greeting.clone();
        let spoken = self.world.conversations.get(&id).and_then(|found| found.language.clone()).unwrap_or_else(|| "en".to_owned());
        let prompt = greeting.unwrap_or_else(|| phrase::leave_a_message(&spoken));
        // What a queue recorded of the wait is no part of the message.
        self.stop_recording(id);
        let message = MessageId(self.mint());
        self.close_segment(id, Some(SegmentKind::Voicemail));
        self.emit(Event::MessageStarted { conversation: id, message, mailbox });
        self.act(Action::Play { conversation: id, leg, line, prompt, repeat: false });
    }

    /// Greeting or tone have been heard.
    pub(super) fn message_prompt_over(&mut self, id: ConversationId) {
        if !self.is_recording_message(id) {
            self.record_message(id);
        }
    }

    /// A key: before the tone it skips the greeting, afterwards it ends the message.
    pub(super) fn key_in_message(&mut self, id: ConversationId, digit: char) {
        if digit != END {
            return;
        }
        if self.is_recording_message(id) {
            self.end_conversation(id, LEFT);
        } else {
            self.record_message(id);
        }
    }

    /// Everything from the tone on is recorded, so that no first word is missing.
    fn record_message(&mut self, id: ConversationId) {
        let Some((leg, line)) = self.customer(id) else { return };
        self.begin_recording(id, None, None);
        self.act(Action::Play { conversation: id, leg, line, prompt: Prompt::Beep, repeat: false });
    }

    fn is_recording_message(&self, id: ConversationId) -> bool {
        self.open_message(id).is_some_and(|message| self.world.leaving.get(&message).is_some_and(|open| open.recording.is_some()))
    }

    fn open_message(&self, id: ConversationId) -> Option<MessageId> {
        self.world.conversations.get(&id)?.message
    }

    /// The longest message has been left.
    pub(super) fn message_long_enough(&mut self, id: ConversationId) {
        self.end_conversation(id, LEFT);
    }

    /// The place is being left. What was recorded is judged when it is on disk.
    pub(super) fn close_message(&mut self, id: ConversationId) {
        if let Some(message) = self.open_message(id)
            && !self.is_recording_message(id)
        {
            self.discard_message(message, Discard::NothingSaid);
        }
    }

    fn discard_message(&mut self, message: MessageId, reason: Discard) {
        let Some(open) = self.world.leaving.get(&message) else { return };
        let (conversation, mailbox, recording) = (open.conversation, open.mailbox, open.recording);
        self.emit(Event::MessageDiscarded { conversation, message, mailbox, recording, reason });
    }

    /// The recording of a message is closed.
    pub(super) fn message_recorded(&mut self, message: MessageId, recording: RecordingId, duration: Millis) {
        let Some(open) = self.world.leaving.get(&message).cloned() else { return };
        match self.world.mailbox(open.mailbox).map(|rules| (duration < rules.shortest, rules.keep)) {
            None => self.discard_message(message, Discard::MailboxRemoved),
            Some((true, _)) => self.discard_message(message, Discard::TooShort),
            Some((false, keep)) => self.emit(Event::MessageLeft {
                conversation: open.conversation,
                message,
                mailbox: open.mailbox,
                caller: open.caller,
                recording,
                duration,
                expires_at: self.now + keep,
            }),
        }
        self.release_speaker(open.conversation, message, LEFT);
    }

    /// There is no recording of it.
    pub(super) fn message_not_recorded(&mut self, message: MessageId) {
        let Some(conversation) = self.world.leaving.get(&message).map(|open| open.conversation) else { return };
        self.discard_message(message, Discard::NotRecorded);
        self.release_speaker(conversation, message, NOT_RECORDED);
    }

    /// A recording that ends by itself takes away what the customer is there for.
    fn release_speaker(&mut self, id: ConversationId, message: MessageId, termination: Termination) {
        let speaks = |found: &Conversation| found.message == Some(message);
        if self.world.conversations.get(&id).is_some_and(speaks) {
            self.end_conversation(id, termination);
        }
    }

    pub(super) fn mark_message(&mut self, by: Actor, id: MessageId, state: MessageState) -> Result<(), Refusal> {
        let (mailbox, from) = self.message_for(&by, id)?;
        if from != state {
            self.emit(Event::MessageMarked { message: id, mailbox, from, state, by });
        }
        Ok(())
    }

    pub(super) fn delete_message(&mut self, by: Actor, id: MessageId) -> Result<(), Refusal> {
        let (mailbox, _) = self.message_for(&by, id)?;
        self.emit(Event::MessageDeleted { message: id, mailbox, by });
        Ok(())
    }

    /// A message has been kept as long as it should be.
    pub(super) fn message_expired(&mut self, id: MessageId) {
        if let Some(message) = self.world.messages.get(id) {
            let mailbox = message.mailbox;
            self.emit(Event::MessageDeleted { message: id, mailbox, by: Actor::System });
        }
    }

    /// A message that this one may take care of: agents their own and those of queues they serve.
    fn message_for(&self, by: &Actor, id: MessageId) -> Result<(Mailbox, MessageState), Refusal> {
        let missing = || Refusal::NotFound { what: "message".to_owned(), id: id.to_string() };
        let message = self.world.messages.get(id).ok_or_else(missing)?;
        if let Actor::Agent(agent) = by
            && !self.world.may_hear(*agent, message.mailbox)
        {
            let reason = "agents take care of their own messages and those of queues they serve; ask a supervisor".to_owned();
            return Err(Refusal::NotAllowed { reason });
        }
        Ok((message.mailbox, message.state))
    }
}
