//! What customers type privately: kept here, in memory, and nowhere else.
//!
//! Facts count its keys and name its variable. So a replayed world is the same, and a process that takes over knows that something
//! was typed and not what: the question is put again.

use super::Engine;
use crate::{
    flow::{PRIVATE_KEY, PrivateValue, Typed},
    ids::{ActionId, ConversationId},
    limits::PRIVATE_HUSH,
    output::{Action, Event},
    time::Timestamp,
};
use std::{collections::BTreeMap, fmt};

/// What this process has heard and does not tell.
#[derive(Default)]
pub(super) struct Memory {
    typed: BTreeMap<ConversationId, Typed>,
    /// Until when keys may still belong to an answer that was complete without them.
    hushed: BTreeMap<ConversationId, Timestamp>,
}

impl fmt::Debug for Memory {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "private answers of {}", self.typed.len())
    }
}

impl Memory {
    pub(super) fn of(&self, id: ConversationId) -> Option<&Typed> {
        self.typed.get(&id)
    }

    /// One more key of an answer. Returns what may be written of it.
    pub(super) fn add(&mut self, id: ConversationId, key: char) -> char {
        self.typed.entry(id).or_default().keyed.push(key);
        PRIVATE_KEY
    }

    /// A complete answer. Returns its name.
    pub(super) fn keep(&mut self, id: ConversationId, kept: PrivateValue) -> String {
        if let Some(value) = kept.value() {
            self.typed.entry(id).or_default().values.insert(kept.name.clone(), value.clone());
        }
        kept.name
    }

    /// An answer is complete with its last key: who typed more than was asked for goes on typing for a moment.
    pub(super) fn hush(&mut self, id: ConversationId, now: Timestamp) {
        self.hushed.insert(id, now + PRIVATE_HUSH);
    }

    /// Whether a key still belongs to a private answer that is complete. It counts nowhere, or else it would be written.
    pub(super) fn is_beyond(&mut self, id: ConversationId, key: char, now: Timestamp) -> bool {
        let Some(until) = self.hushed.remove(&id) else { return false };
        let beyond = now < until;
        if beyond && key.is_ascii_digit() {
            self.hush(id, now);
        }
        beyond
    }

    pub(super) fn observe(&mut self, event: &Event) {
        match event {
            Event::FlowStepped { conversation, .. } | Event::FlowAskedAgain { conversation, .. } => {
                if let Some(typed) = self.typed.get_mut(conversation) {
                    typed.keyed.clear();
                }
            }
            Event::FlowLeft { conversation, .. } => {
                self.typed.remove(conversation);
            }
            Event::ConversationEnded { conversation, .. } => {
                self.hushed.remove(conversation);
            }
            _ => {}
        }
    }
}

impl Engine {
    /// Another process has heard what was typed until now.
    pub(super) fn forget_private(&mut self) {
        self.private = Memory::default();
        let sends = |action: &Action| match action {
            Action::AskService { conversation, request, .. } if !request.private.is_empty() => Some(*conversation),
            _ => None,
        };
        let asked: Vec<(ActionId, ConversationId)> =
            self.world.pending.iter().filter_map(|(action, wish)| Some((action, sends(wish)?))).collect();
        for (action, id) in asked {
            // The service cannot be asked without it; the flow goes back to the question.
            self.settle(action, None);
            self.walk(id);
        }
        let typing: Vec<ConversationId> =
            self.world.conversations.values().filter(|found| found.run.is_some()).map(|found| found.id).collect();
        for id in typing {
            self.ask_forgotten(id);
        }
    }

    /// Puts a private question again whose answer was begun in another process; that is no attempt of the customer's. Says whether
    /// there was one.
    pub(super) fn ask_forgotten(&mut self, id: ConversationId) -> bool {
        if self.in_flow(id, |situation| situation.is_forgotten()) != Some(true) {
            return false;
        }
        let Some((node, attempt)) = self.run(id).map(|run| (run.node.clone(), run.attempt)) else { return false };
        self.emit(Event::FlowAskedAgain { conversation: id, node, attempt });
        match self.in_flow(id, |situation| situation.question()) {
            Some(Ok(prompt)) => self.say_in_flow(id, prompt),
            Some(Err(problem)) => self.fail_flow(id, problem),
            None => {}
        }
        true
    }
}
