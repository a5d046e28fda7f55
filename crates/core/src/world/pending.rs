//! Wishes that were uttered and not yet answered, in the order they were uttered.

use crate::{
    endpoint::Line,
    ids::{ActionId, ConversationId},
    output::Action,
};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// Open actions. Ids grow with time, so their order is the order of utterance.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(from = "Vec<(ActionId, Action)>", into = "Vec<(ActionId, Action)>")]
pub struct Pending {
    actions: BTreeMap<ActionId, Action>,
    by_conversation: BTreeSet<(ConversationId, ActionId)>,
}

impl Pending {
    pub(crate) fn insert(&mut self, id: ActionId, action: Action) {
        if let Some(conversation) = action.conversation() {
            self.by_conversation.insert((conversation, id));
        }
        self.actions.insert(id, action);
    }

    pub(crate) fn remove(&mut self, id: ActionId) -> Option<Action> {
        let action = self.actions.remove(&id)?;
        if let Some(conversation) = action.conversation() {
            self.by_conversation.remove(&(conversation, id));
        }
        Some(action)
    }

    /// One of them.
    pub fn get(&self, id: ActionId) -> Option<&Action> {
        self.actions.get(&id)
    }

    /// All, in the order they were uttered.
    pub fn iter(&self) -> impl Iterator<Item = (ActionId, &Action)> {
        self.actions.iter().map(|(id, action)| (*id, action))
    }

    /// Those about one conversation, in the order they were uttered.
    pub fn of_conversation(&self, conversation: ConversationId) -> impl Iterator<Item = (ActionId, &Action)> {
        self.by_conversation
            .range((conversation, ActionId(0))..=(conversation, ActionId(u128::MAX)))
            .filter_map(|(_, id)| self.actions.get(id).map(|action| (*id, action)))
    }

    /// The open question to a line which legs live with it.
    pub fn survey(&self, line: Line) -> Option<ActionId> {
        self.iter().find(|(_, action)| matches!(action, Action::Survey { line: asked } if *asked == line)).map(|(id, _)| id)
    }

    /// How many.
    pub fn len(&self) -> usize {
        self.actions.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.actions.is_empty()
    }
}

impl From<Vec<(ActionId, Action)>> for Pending {
    fn from(list: Vec<(ActionId, Action)>) -> Pending {
        let mut pending = Pending::default();
        for (id, action) in list {
            pending.insert(id, action);
        }
        pending
    }
}

impl From<Pending> for Vec<(ActionId, Action)> {
    fn from(pending: Pending) -> Self {
        pending.actions.into_iter().collect()
    }
}
