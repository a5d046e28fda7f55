//! After a restart: the service's calls go on while nobody is in charge, and are taken up again from what the core has kept of them.

use super::{
    call::{Call, Leg, Stage},
    count::Count,
    driver::{Driver, Due},
    limits,
};
use dreiklang_core::{
    Input, World,
    endpoint::Line,
    ids::{ConversationId, LegId, RecordingId, TenantId},
};
use dreiklang_microsoft::acs::identifier::Identifier;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// What a tenant's state says of legs and recordings on this line.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Former {
    legs: Vec<(ConversationId, LegId, String)>,
    recordings: Vec<RecordingId>,
}

impl Former {
    /// Reads it out of a state.
    pub fn of(world: &World) -> Former {
        let mut former = Former::default();
        for conversation in world.conversations() {
            for leg in conversation.legs.iter().filter(|leg| leg.line == Line::Unified) {
                former.legs.extend(leg.token.clone().map(|token| (conversation.id, leg.id, token)));
            }
        }
        former.recordings.extend(world.recordings().filter(|(_, open)| open.line == Line::Unified).map(|(id, _)| id));
        former
    }
}

#[cfg(test)]
impl Former {
    pub(super) fn for_tests(legs: Vec<(ConversationId, LegId, String)>) -> Former {
        Former { legs, recordings: Vec::new() }
    }

    pub(super) fn with_recordings(recordings: Vec<RecordingId>) -> Former {
        Former { legs: Vec::new(), recordings }
    }
}

/// What is kept of a leg.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Kept {
    pub connection: String,
    pub call: String,
    pub who: String,
    pub inbound: bool,
}

/// Reads what is kept of a leg.
pub(super) fn read(token: &str) -> Option<Kept> {
    serde_json::from_str(token).ok()
}

impl Driver {
    /// What the core keeps of a leg for a later process.
    pub(super) fn token_of(&self, id: LegId) -> Option<String> {
        let leg = self.calls.legs.get(&id)?;
        let call = self.calls.calls.get(&leg.call)?;
        let kept = Kept { connection: call.ready.settings.id.clone(), call: call.id.clone()?, who: leg.who.raw()?, inbound: leg.inbound };
        serde_json::to_string(&kept).ok()
    }

    /// Takes up what a former process left; whether it lives is asked at once.
    pub(super) fn restore(&mut self, tenant: TenantId, former: Former) {
        let mut taken_up = Vec::new();
        for (conversation, id, token) in former.legs {
            if self.calls.legs.contains_key(&id) {
                continue;
            }
            let Some(kept) = read(&token) else { continue };
            let Some(ready) = self.registry.get(&kept.connection).filter(|ready| ready.tenant == tenant) else { continue };
            let key = self.calls.named(&kept.call).unwrap_or_else(|| {
                let mut call = Call::new(tenant, Arc::clone(&ready), Some(conversation));
                call.id = Some(kept.call.clone());
                call.stands = true;
                call.unproven = true;
                self.calls.add(call)
            });
            let mut leg = Leg::new(id, tenant, key, Identifier::of_raw(&kept.who), Stage::Connected);
            leg.inbound = kept.inbound;
            self.calls.legs.insert(id, leg);
            if !taken_up.contains(&key) {
                taken_up.push(key);
            }
        }
        for key in taken_up {
            self.later(limits::COUNT, Due::Count(key));
            self.count(key, Count::Now);
        }
        self.recordings_taken_up(tenant, former.recordings);
    }

    /// Answers a survey once every call of a former process was seen or is gone.
    pub(super) fn answer_survey(&mut self, tenant: TenantId) {
        let unproven = self.calls.calls.values().any(|call| call.tenant == tenant && (call.unproven || call.seeking > 0));
        if unproven || self.surveys.remove(&tenant).is_none() {
            return;
        }
        let mut live: Vec<LegId> = self.calls.legs.values().filter(|leg| leg.tenant == tenant).map(|leg| leg.id).collect();
        live.sort();
        self.tell(tenant, Input::Survey { line: Line::Unified, live });
    }
}
