//! What the service tells of calls. Nothing here counts on order, or on being told once.

use super::{
    call::{Call, CallKey, Stage, Wants},
    causes,
    count::{Count, is_same},
    driver::{Driver, Due},
    limits,
    registry::Ready,
};
use dreiklang_core::{
    Input,
    conversation::{Cause, CauseKind},
    ids::{ActionId, LegId},
};
use dreiklang_microsoft::acs::{
    event::{About, Event, Happening},
    identifier::Identifier,
    model::Participant,
};
use std::sync::Arc;

impl Driver {
    /// Something happened to a call.
    pub(super) fn on_event(&mut self, ready: &Arc<Ready>, event: Event) {
        let Event { about, what, .. } = event;
        let context = about.operation_context.clone().unwrap_or_default();
        let named: Option<LegId> = context.parse().ok();
        // Whoever may speak for one tenant's connection must not speak of another tenant's calls.
        let mentioned = named.or_else(|| ["cancel_", "remove_", "keys_"].iter().find_map(|start| leg_after(&context, start)));
        if mentioned.and_then(|id| self.calls.legs.get(&id)).is_some_and(|leg| leg.tenant != ready.tenant) {
            return;
        }
        // An event may overtake the answer that would have named the call.
        if let Some(leg) = named.and_then(|id| self.calls.legs.get(&id)).filter(|leg| !leg.invited) {
            self.calls.name(leg.call, &about.call_connection_id);
        }
        let key = self.calls.named(&about.call_connection_id);
        if key.and_then(|key| self.calls.calls.get(&key)).is_some_and(|call| call.tenant != ready.tenant) {
            return;
        }
        match what {
            Happening::CallConnected => match named.filter(|id| self.calls.legs.contains_key(id)) {
                Some(id) => self.connected(id),
                // Answered or made for a leg that was given up meanwhile, or by a process that is gone.
                None if key.is_none() && named.is_some() => self.end_stranger(ready, about.call_connection_id),
                None => {}
            },
            Happening::CallDisconnected => {
                if let Some(key) = key {
                    self.call_over(key, Some(causes::cause_of(about.result_information.as_ref())));
                }
            }
            Happening::AnswerFailed | Happening::CreateCallFailed => {
                if let Some(id) = named {
                    self.never_came(id, &about);
                }
            }
            Happening::AddParticipantSucceeded(who) => self.came(ready, named, &about.call_connection_id, who),
            Happening::AddParticipantFailed(_) => {
                if let Some(id) = named {
                    self.never_came(id, &about);
                }
            }
            Happening::CancelAddParticipantSucceeded => {
                if let Some(id) = leg_after(&context, "cancel_") {
                    self.leg_over(id, Cause { kind: CauseKind::Ours, detail: None });
                }
            }
            Happening::RemoveParticipantSucceeded(who) => {
                let by_name = leg_after(&context, "remove_");
                let by_who = || self.calls.legs.values().find(|leg| Some(leg.call) == key && is_same(&leg.who, &who)).map(|leg| leg.id);
                if let Some(id) = by_name.or_else(by_who) {
                    self.leg_over(id, Cause { kind: CauseKind::Ours, detail: None });
                }
            }
            Happening::CancelAddParticipantFailed | Happening::RemoveParticipantFailed(_) => {
                if let Some(key) = key {
                    self.count(key, Count::Now);
                }
            }
            Happening::ParticipantsUpdated { participants, sequence } => {
                if let Some(key) = key {
                    self.roster(key, &participants, sequence);
                }
            }
            Happening::PlayCompleted | Happening::PlayFailed | Happening::PlayCanceled => self.on_prompt(ready, &context),
            Happening::Tone { key: pressed, sequence } => {
                if let Some(id) = leg_after(&context, "keys_") {
                    self.on_key(id, pressed, sequence);
                }
            }
            Happening::TonesStopped => {
                if let Some(id) = leg_after(&context, "keys_") {
                    self.keys_stopped(id);
                }
            }
            Happening::StartRecordingFailed { recording } => {
                if let Some(recording) = recording {
                    let why = about.result_information.and_then(|result| result.message).unwrap_or_default();
                    self.recording_broke(&ready.settings.id, &recording, &why);
                }
            }
            Happening::HoldFailed => tracing::warn!(code = "LINE-021", "the service could not put somebody on hold"),
            // A move is waited for by counting; a recording's state is asked for where it matters.
            Happening::MoveParticipantSucceeded(_)
            | Happening::MoveParticipantFailed(_)
            | Happening::RecordingStateChanged { .. }
            | Happening::Other => {}
        }
    }

    /// Who was called has answered.
    fn came(&mut self, ready: &Arc<Ready>, named: Option<LegId>, call: &str, who: Identifier) {
        match named.and_then(|id| self.calls.legs.get_mut(&id)) {
            Some(leg) => {
                if who.raw().is_some() {
                    leg.who = who;
                }
                let id = leg.id;
                self.connected(id);
            }
            None if named.is_some() && who.raw().is_some() => self.remove_stranger(ready, call, who),
            None => {}
        }
    }

    /// Who was called does not come.
    fn never_came(&mut self, id: LegId, about: &About) {
        let Some(leg) = self.calls.legs.get(&id).filter(|leg| leg.stage != Stage::Connected) else { return };
        let result = about.result_information.as_ref();
        if leg.invited && leg.ending.is_none() && result.is_some_and(causes::is_called_off) {
            // Nobody of ours called it off: the customer is gone, which is told in a moment, and the agent is not to blame.
            return self.later(limits::CALLED_OFF, Due::CalledOff(id));
        }
        self.leg_over(id, causes::cause_of(result));
    }

    /// Who is in a call now, as far as the service tells it unasked.
    fn roster(&mut self, key: CallKey, participants: &[Participant], sequence: i64) {
        let Some(call) = self.calls.calls.get_mut(&key).filter(|call| sequence > call.sequence) else { return };
        call.sequence = sequence;
        let is_here = |who: &Identifier| participants.iter().any(|one| is_same(&one.identifier, who));
        let mut missing = false;
        for id in self.calls.legs_of(key) {
            let Some(leg) = self.calls.legs.get(&id) else { continue };
            match (&leg.stage, is_here(&leg.who)) {
                (Stage::Connected, false) => missing = true,
                (Stage::Dialing, true) if leg.ending.is_none() => self.connected(id),
                _ => {}
            }
        }
        if missing {
            self.count(key, Count::Now);
        }
    }

    /// A prompt has ended, one way or another.
    fn on_prompt(&mut self, ready: &Ready, context: &str) {
        if let Ok(action) = context.parse::<ActionId>() {
            let leg = self
                .calls
                .legs
                .values()
                .find(|leg| matches!(&leg.wants, Wants::Once(wanted, _) if *wanted == action && leg.tenant == ready.tenant));
            if let Some(id) = leg.map(|leg| leg.id) {
                self.prompt_ended(id, action);
            }
            return;
        }
        let playing = |call: &Call| call.tenant == ready.tenant && call.playing.as_ref().is_some_and(|playing| playing.context == context);
        let Some(key) = self.calls.calls.iter().find(|(_, call)| playing(call)).map(|(key, _)| *key) else { return };
        self.music_ended(key);
    }

    /// The end of a prompt was told, or is overdue.
    pub(super) fn prompt_ended(&mut self, id: LegId, action: ActionId) {
        let Some(leg) = self.calls.legs.get_mut(&id) else { return };
        if !matches!(&leg.wants, Wants::Once(wanted, _) if *wanted == action) {
            return;
        }
        leg.wants = Wants::Nothing;
        let (tenant, key) = (leg.tenant, leg.call);
        if let Some(call) = self.calls.calls.get_mut(&key)
            && call.playing.as_ref().is_some_and(|playing| playing.context == action.to_string())
        {
            call.playing = None;
        }
        self.tell(tenant, Input::PlayFinished { leg: id, play: action });
    }

    fn on_key(&mut self, id: LegId, pressed: char, sequence: i64) {
        let Some(leg) = self.calls.legs.get_mut(&id) else { return };
        let ready = leg.keys.take(sequence, pressed);
        let waits = leg.keys.has_gap();
        self.tell_keys(id, ready);
        if waits {
            self.later(limits::KEY_GAP, Due::Keys(id));
        }
    }

    /// What is missing among the keys does not come any more.
    pub(super) fn missing_keys(&mut self, id: LegId) {
        let Some(leg) = self.calls.legs.get_mut(&id).filter(|leg| leg.keys.has_gap()) else { return };
        let ready = leg.keys.give_up();
        let waits = leg.keys.has_gap();
        self.tell_keys(id, ready);
        if waits {
            self.later(limits::KEY_GAP, Due::Keys(id));
        }
    }

    fn tell_keys(&mut self, id: LegId, keys: Vec<char>) {
        let Some(tenant) = self.calls.legs.get(&id).map(|leg| leg.tenant) else { return };
        for digit in keys {
            self.tell(tenant, Input::Digit { leg: id, digit });
        }
    }

    /// Keys are not told any more although we did not ask for that.
    fn keys_stopped(&mut self, id: LegId) {
        let Some(leg) = self.calls.legs.get_mut(&id).filter(|leg| leg.is_there() && leg.restarts < limits::RESTARTS) else { return };
        leg.restarts += 1;
        self.follow_keys(id);
    }
}

fn leg_after(context: &str, start: &str) -> Option<LegId> {
    context.strip_prefix(start)?.parse().ok()
}
