//! Tells the line who hears whom: two by two as long as two talk, else the whole table at once.

use super::Engine;
use crate::{
    conversation::{Conversation, Hearing},
    endpoint::Line,
    ids::{ConversationId, LegId},
    output::Action,
};
use std::collections::BTreeSet;

impl Engine {
    /// Utters a wish about what legs of a talk hear. Where more than two take part, the table says it instead; the state it is made
    /// of has been written down before.
    pub(super) fn let_hear(&mut self, wish: Action) {
        match wish.conversation().filter(|id| self.world.conversations.get(id).is_some_and(Conversation::is_mixed)) {
            Some(id) => self.mix(id),
            None => {
                self.act(wish);
            }
        }
    }

    /// Somebody joined or left, or takes part differently: says anew who hears whom, as far as that changed.
    pub(super) fn rehear(&mut self, id: ConversationId) {
        let Some(found) = self.world.conversations.get(&id) else { return };
        if found.is_mixed() {
            self.mix(id);
        } else if found.mixed.is_some() {
            self.unmix(id);
        }
    }

    fn mix(&mut self, id: ConversationId) {
        let Some((parties, line)) = self.table(id) else { return };
        let told = self.world.conversations.get(&id).and_then(|found| found.mixed.as_ref());
        if told != Some(&parties) {
            self.act(Action::Mix { conversation: id, line, parties });
        }
    }

    /// Two talk again: what the table says of them is said leg by leg.
    fn unmix(&mut self, id: ConversationId) {
        let Some((parties, line)) = self.table(id) else { return };
        let mut said: BTreeSet<LegId> = BTreeSet::new();
        for party in &parties {
            let leg = party.leg;
            let line = self.world.leg(leg).map_or(line, |leg| leg.line);
            let bridged = party.voices.first().copied().filter(|other| hears(&parties, *other, leg));
            match (bridged, &party.prompt) {
                _ if said.contains(&leg) => {}
                (Some(other), _) => {
                    said.insert(other);
                    self.act(Action::Bridge { conversation: id, a: leg, b: other, line });
                }
                (None, Some(prompt)) => {
                    self.act(Action::Play { conversation: id, leg, line, prompt: prompt.clone(), repeat: true });
                }
                (None, None) => {
                    self.act(Action::Silence { conversation: id, leg, line });
                }
            }
        }
    }

    fn table(&self, id: ConversationId) -> Option<(Vec<Hearing>, Line)> {
        let (_, line) = self.customer(id)?;
        let found = self.world.conversations.get(&id)?;
        let table = found.hearing(&self.world.hold_music(found));
        (!table.is_empty()).then_some((table, line))
    }
}

fn hears(parties: &[Hearing], listener: LegId, speaker: LegId) -> bool {
    parties.iter().any(|party| party.leg == listener && party.voices.contains(&speaker))
}
