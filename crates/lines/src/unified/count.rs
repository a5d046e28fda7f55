//! Who is really in a call: asked of the service when an event is missing, when a roster lacks somebody, and now and then, because the
//! notice that somebody left may be lost.

use super::{
    call::{CallKey, Stage},
    driver::{Done, Driver, Due},
    limits,
};
use dreiklang_core::{
    conversation::{Cause, CauseKind},
    ids::LegId,
};
use dreiklang_microsoft::{
    Failure,
    acs::{
        RequestId,
        identifier::Identifier,
        model::{CallConnection, Participant},
    },
};
use std::sync::Arc;

/// Why everybody is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Count {
    Now,
    /// It is time again.
    Regularly,
}

impl Driver {
    /// Counts everybody in a call, unless that is under way.
    pub(super) fn count(&mut self, key: CallKey, why: Count) {
        let Some(call) = self.calls.calls.get_mut(&key) else { return };
        let Some(name) = call.id.clone() else { return };
        if why == Count::Regularly {
            self.later(limits::COUNT, Due::Count(key));
        }
        let Some(call) = self.calls.calls.get_mut(&key) else { return };
        if std::mem::replace(&mut call.counting, true) {
            call.count_again = why == Count::Now;
            return;
        }
        let ready = Arc::clone(&call.ready);
        self.run_apart(async move { Done::Counted { call: key, result: ready.client.participants(&name).await } });
    }

    /// The service says who is there.
    pub(super) fn counted(&mut self, key: CallKey, result: Result<Vec<Participant>, Failure>) {
        let Some(call) = self.calls.calls.get_mut(&key) else { return };
        call.counting = false;
        let again = std::mem::take(&mut call.count_again);
        let was_unproven = std::mem::take(&mut call.unproven);
        let tenant = call.tenant;
        match result {
            Ok(present) => {
                if let Some(call) = self.calls.calls.get_mut(&key) {
                    call.stands = true;
                }
                for id in self.calls.legs_of(key) {
                    self.compare(id, &present);
                }
            }
            Err(failure) if failure.is_gone() => {
                self.call_over(key, Some(Cause { kind: CauseKind::FarEnd, detail: Some("the call is over".to_owned()) }));
            }
            Err(failure) => {
                tracing::warn!(code = "LINE-021", %failure, "who is in a call cannot be told");
                self.later(limits::ASK_AGAIN, Due::CountAgain(key));
            }
        }
        if was_unproven {
            self.answer_survey(tenant);
        }
        if again {
            self.count(key, Count::Now);
        }
    }

    fn compare(&mut self, id: LegId, present: &[Participant]) {
        let Some(leg) = self.calls.legs.get_mut(&id) else { return };
        let here = present.iter().find(|one| is_same(&one.identifier, &leg.who));
        match (&leg.stage, here) {
            (Stage::Connected, Some(here)) => {
                leg.asked = 0;
                if leg.held.is_none() && here.is_on_hold {
                    leg.held = Some(None);
                }
                leg.muted |= here.is_muted;
                if leg.ending.is_some() {
                    self.let_go(id);
                }
            }
            // A list is not enough: lists have been wrong.
            (Stage::Connected, None) if leg.ending.is_none() => self.seek(id),
            (Stage::Connected, None) => self.leg_over(id, Cause { kind: CauseKind::Ours, detail: None }),
            (Stage::Dialing | Stage::Answering, Some(_)) => self.connected(id),
            (Stage::Dialing, None) if leg.invited => {
                leg.asked += 1;
                let (asked, ending) = (leg.asked, leg.ending.is_some());
                if asked >= limits::ASKED || ending {
                    self.leg_over(id, Cause { kind: CauseKind::NoAnswer, detail: Some("nothing was heard of it".to_owned()) });
                } else {
                    self.later(limits::ASK_AGAIN, Due::Rung(id));
                }
            }
            (Stage::Arrived { .. } | Stage::Answering | Stage::Dialing, _) => {}
        }
    }

    /// Asks of one alone whether that one is there.
    fn seek(&mut self, id: LegId) {
        let Some(leg) = self.calls.legs.get(&id) else { return };
        let (key, who) = (leg.call, leg.who.clone());
        let Some(call) = self.calls.calls.get_mut(&key) else { return };
        let Some(name) = call.id.clone() else { return };
        call.seeking += 1;
        let ready = Arc::clone(&call.ready);
        self.run_apart(async move { Done::Sought { leg: id, call: key, result: ready.client.participant(&name, &who).await } });
    }

    /// Whether somebody is in a call whom the list of all did not name.
    pub(super) fn sought(&mut self, id: LegId, key: CallKey, result: Result<Participant, Failure>) {
        let tenant = self.calls.calls.get_mut(&key).map(|call| {
            call.seeking = call.seeking.saturating_sub(1);
            call.tenant
        });
        match result {
            Ok(_) => {}
            Err(failure) if failure.is_gone() => self.leg_over(id, Cause { kind: CauseKind::FarEnd, detail: Some("left".to_owned()) }),
            Err(failure) => {
                tracing::warn!(code = "LINE-021", %failure, "whether somebody is in a call cannot be told");
                self.later(limits::ASK_AGAIN, Due::CountAgain(key));
            }
        }
        if let Some(tenant) = tenant {
            self.answer_survey(tenant);
        }
    }

    /// An answered or made call should be connected by now.
    pub(super) fn look_for(&mut self, id: LegId) {
        let Some(leg) = self.calls.legs.get_mut(&id).filter(|leg| matches!(leg.stage, Stage::Answering | Stage::Dialing)) else { return };
        leg.asked += 1;
        let (asked, key) = (leg.asked, leg.call);
        let Some(call) = self.calls.calls.get(&key) else { return };
        let Some(name) = call.id.clone().filter(|_| asked <= limits::ASKED) else {
            if asked > limits::ASKED {
                self.leg_over(id, Cause { kind: CauseKind::Timeout, detail: Some("nothing was heard of it".to_owned()) });
            } else {
                self.later(limits::ASK_AGAIN, Due::Begun(id));
            }
            return;
        };
        let ready = Arc::clone(&call.ready);
        self.run_apart(async move { Done::Looked { leg: id, result: ready.client.call(&name).await } });
    }

    /// The service says what the call is.
    pub(super) fn looked(&mut self, id: LegId, result: Result<CallConnection, Failure>) {
        match result {
            Ok(call) if call.is_connected() => self.connected(id),
            Ok(call) if call.is_over() => self.leg_over(id, Cause { kind: CauseKind::FarEnd, detail: Some("the call is over".to_owned()) }),
            Err(failure) if failure.is_gone() => {
                self.leg_over(id, Cause { kind: CauseKind::FarEnd, detail: Some("the call is over".to_owned()) });
            }
            Ok(_) | Err(_) => self.later(limits::ASK_AGAIN, Due::Begun(id)),
        }
    }

    /// Somebody is in a call who is not meant to be there.
    pub(super) fn remove_stranger(&self, ready: &Arc<super::registry::Ready>, call: &str, who: Identifier) {
        let (ready, name) = (Arc::clone(ready), call.to_owned());
        self.aside(async move { ready.client.remove(&name, &who, "stranger", RequestId::new()).await });
    }
}

/// Whether both are the same party. A number that is there twice has something behind it.
pub(super) fn is_same(one: &Identifier, other: &Identifier) -> bool {
    let without = |who: &Identifier| {
        let raw = who.raw()?;
        let is_number = raw.starts_with("4:");
        Some(if is_number { raw.split('_').next().unwrap_or(&raw).to_owned() } else { raw.to_ascii_lowercase() })
    };
    matches!((without(one), without(other)), (Some(one), Some(other)) if one == other)
}
