//! The exchange: every call of the lab, its parties and their sound, and what the applications asked of it.
//!
//! Plain state without clock or socket: operations change it, [`Exchange::step`] moves it on by 20 ms, and what is to be done outside
//! is collected in [`Post::out`].
//!
//! # Layout
//!
//! `call` (what a call is made of), `lines` (from a number to the first ring), `parties` (who joins, leaves, is held), `operation` and
//! `media` (prompts and answers), `streaming` and `sockets`, `recording`, `step` (the 20 ms), `effect` (what is told and wished).

pub(crate) mod call;
pub(crate) mod effect;
pub(crate) mod lines;
pub(crate) mod media;
pub(crate) mod operation;
pub(crate) mod parties;
pub(crate) mod recording;
pub(crate) mod sockets;
mod step;
pub(crate) mod streaming;

use crate::{
    acs::{identifier::Identifier, refusal::Refusal},
    dice::Dice,
    entra::directory::Directory,
    faults::Faults,
    people::{person::Person, sound},
};
use call::{Call, LegStage};
use effect::{Cause, Effect, Post};
use recording::Recordings;
use serde_json::{Value, json};
use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

/// Answers to incoming calls that are remembered, to be able to say why a second one comes too late.
const CONTEXTS_MAX: usize = 20_000;

/// Times and numbers of the service.
#[derive(Clone, Debug)]
pub struct Limits {
    /// An incoming call rings so long.
    pub ring_ms: u64,
    /// A telephone is rung so long when no other time is asked for.
    pub invite_phone_ms: u64,
    /// A client is rung so long when no other time is asked for.
    pub invite_client_ms: u64,
    /// A transfer's target is rung so long.
    pub transfer_ms: u64,
    /// Calls from one service number to telephones at the same time.
    pub outbound_per_number: usize,
    /// A caller to an account without consent hears nothing for so long.
    pub silence_without_consent_ms: u64,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            ring_ms: 30_000,
            invite_phone_ms: 115_000,
            invite_client_ms: 85_000,
            transfer_ms: 60_000,
            outbound_per_number: 2,
            silence_without_consent_ms: 3_000,
        }
    }
}

/// What became of an incoming call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    Rings(u64),
    Answered(u64),
    Redirected,
    Rejected,
    Over,
}

/// All calls.
pub(crate) struct Exchange {
    pub(crate) post: Post,
    pub(crate) directory: Directory,
    pub(crate) limits: Limits,
    pub(crate) faults: Faults,
    pub(crate) recordings: Recordings,
    /// What people called hear when they are recorded.
    pub(crate) announcement: Arc<[i16]>,
    people: BTreeMap<String, Person>,
    calls: BTreeMap<u64, Box<Call>>,
    call_next: u64,
    connections: HashMap<String, u64>,
    contexts: HashMap<String, Fate>,
    ticket_next: u64,
    sockets: HashMap<u64, String>,
    silent: Vec<(u64, String)>,
}

impl Exchange {
    pub(crate) fn new(seed: u64, start: jiff::Timestamp, limits: Limits) -> Exchange {
        let mut dice = Dice::new(seed);
        let directory = Directory::new(&mut dice);
        let post = Post { out: Vec::new(), dice, start, now: 0, resource_name: directory.resource_name.clone() };
        Exchange {
            post,
            directory,
            limits,
            faults: Faults::default(),
            recordings: Recordings::default(),
            announcement: sound::beep(1_400, 400).into(),
            people: BTreeMap::new(),
            calls: BTreeMap::new(),
            call_next: 1,
            connections: HashMap::new(),
            contexts: HashMap::new(),
            ticket_next: 1,
            sockets: HashMap::new(),
            silent: Vec::new(),
        }
    }

    /// Seconds since 1970.
    pub(crate) fn seconds(&self) -> i64 {
        self.post.time().as_second()
    }

    pub(crate) fn guid(&mut self) -> String {
        self.post.dice.guid()
    }

    /// A new identity of the resource.
    pub(crate) fn new_identity(&mut self) -> String {
        let guid = self.guid();
        format!("8:acs:{}_{guid}", self.directory.resource_id)
    }

    fn ticket(&mut self) -> u64 {
        self.ticket_next += 1;
        self.ticket_next
    }

    /// Adds somebody who can be called; one with this identity stays.
    pub(crate) fn add_person(&mut self, name: &str, identifier: Identifier) -> &mut Person {
        self.people.entry(identifier.raw_id()).or_insert_with(|| Person::new(name, identifier))
    }

    pub(crate) fn person(&mut self, raw: &str) -> Option<&mut Person> {
        self.people.get_mut(raw)
    }

    pub(crate) fn people(&self) -> impl Iterator<Item = (&String, &Person)> {
        self.people.iter()
    }

    /// Everything that goes on, for people who look.
    pub(crate) fn overview(&self) -> Vec<Value> {
        let call = |call: &Call| {
            let legs: Vec<Value> = call
                .legs
                .iter()
                .map(|leg| {
                    json!({
                        "rawId": leg.raw, "connected": leg.is_connected(), "muted": leg.muted, "onHold": leg.on_hold,
                        "name": self.people.get(&leg.raw).map(|person| &person.name),
                    })
                })
                .collect();
            let connections: Vec<Value> =
                call.connections.iter().map(|connection| json!({ "callConnectionId": connection.id, "state": connection.state })).collect();
            json!({
                "serverCallId": call.server_call_id, "correlationId": call.correlation_id, "caller": call.caller.raw_id(),
                "dialed": call.dialed, "resourceAccount": call.account, "rings": call.ring.is_some(), "parties": legs,
                "connections": connections,
            })
        };
        self.calls.values().map(|found| call(found)).collect()
    }

    /// Does something with the call of a connection.
    pub(crate) fn with_connection<T>(
        &mut self,
        id: &str,
        act: impl FnOnce(&mut Exchange, &mut Call, usize) -> Result<T, Refusal>,
    ) -> Result<T, Refusal> {
        let key = self.connections.get(id).copied();
        let Some(mut call) = key.and_then(|key| self.calls.remove(&key)) else {
            return Err(Refusal::not_found("Call"));
        };
        let result = match call.connection(id) {
            Some(index) => act(self, &mut call, index),
            None => Err(Refusal::not_found("Call")),
        };
        self.put(call);
        result
    }

    /// Does something with a call, if it is there.
    pub(super) fn with_call<T>(&mut self, key: u64, act: impl FnOnce(&mut Exchange, &mut Call) -> T) -> Option<T> {
        let mut call = self.calls.remove(&key)?;
        let result = act(self, &mut call);
        self.put(call);
        Some(result)
    }

    /// Puts a call back; one that is over is forgotten.
    fn put(&mut self, call: Box<Call>) {
        if call.is_over {
            for connection in &call.connections {
                self.connections.remove(&connection.id);
            }
            if let Some(ring) = &call.ring {
                self.contexts.insert(ring.context.clone(), Fate::Over);
            }
        } else {
            self.calls.insert(call.key, call);
        }
        if self.contexts.len() > CONTEXTS_MAX {
            self.contexts.retain(|_, fate| matches!(fate, Fate::Rings(_) | Fate::Answered(_)));
        }
    }

    fn new_call(&mut self, caller: Identifier, account: Option<String>, dialed: Option<String>) -> Box<Call> {
        let key = self.call_next;
        self.call_next += 1;
        let server_call_id = self.post.dice.opaque(8);
        Box::new(Call {
            key,
            server_call_id,
            correlation_id: self.guid(),
            account,
            dialed,
            caller,
            ring: None,
            legs: Vec::new(),
            connections: Vec::new(),
            is_over: false,
            group: None,
        })
    }

    /// Tells one application.
    fn tell(&mut self, call: &Call, index: usize, kind: &str, asked: (Option<&str>, Option<&str>), extra: Value) {
        let connection = &call.connections[index];
        let uri = asked.1.unwrap_or(&connection.callback).to_owned();
        self.post.event(&call.ids(&connection.id), &uri, kind, asked.0, extra);
    }

    /// Tells the application behind an invite, if it is still in a call.
    fn tell_inviter(&mut self, call: &Call, invite: &call::Invite, kind: &str, extra: Value) {
        let Some(index) = invite.connection.as_ref().and_then(|id| call.connection(id)) else { return };
        self.tell(call, index, kind, (invite.context.as_deref(), invite.callback.as_deref()), extra);
    }

    /// Tells every application who is in the call now.
    fn tell_roster(&mut self, call: &mut Call) {
        let mut roster = call.roster();
        if self.faults.wrong_roster && !roster.is_empty() {
            roster.pop();
        }
        for index in 0..call.connections.len() {
            if call.connections[index].state == "connecting" {
                continue;
            }
            call.connections[index].roster_number += 1;
            let mut extra = effect::SUCCESS.json();
            extra["participants"] = json!(roster);
            extra["sequenceNumber"] = json!(call.connections[index].roster_number);
            self.tell(call, index, "ParticipantsUpdated", (None, None), extra);
        }
    }

    /// Ends a call for everybody.
    fn end(&mut self, call: &mut Call, cause: &Cause, by_person: Option<&str>) {
        if call.is_over {
            return;
        }
        call.is_over = true;
        for leg in &call.legs {
            if let Some(person) = self.people.get_mut(&leg.raw).filter(|person| person.call == Some(call.key)) {
                person.end(by_person != Some(leg.raw.as_str()), &cause.short());
            }
        }
        let raws: Vec<String> = call.connected().map(|leg| leg.raw.clone()).collect();
        for raw in raws {
            self.cancel_transfers_of(call, &raw);
        }
        let invites: Vec<(call::Invite, Value)> =
            call.legs.iter().filter_map(|leg| leg.invite().map(|invite| (invite.clone(), leg.identifier.to_json()))).collect();
        for (invite, participant) in invites {
            if matches!(invite.purpose, call::Purpose::Add) {
                let mut extra = effect::CANCELED.json();
                extra["participant"] = participant;
                self.tell_inviter(call, &invite, "AddParticipantFailed", extra);
            }
        }
        call.legs.clear();
        self.finish_recordings_of(call);
        for index in 0..call.connections.len() {
            self.disconnect(call, index, cause);
        }
    }

    /// An application's connection ends: its sockets close, and it is told.
    fn disconnect(&mut self, call: &mut Call, index: usize, cause: &Cause) {
        self.close_sockets(call, index);
        call.connections[index].state = "disconnected";
        let context = call.connections[index].context.clone();
        self.tell(call, index, "CallDisconnected", (context.as_deref(), None), cause.json());
        self.connections.remove(&call.connections[index].id);
    }

    /// Ends what ends by itself: called after somebody left.
    fn end_if_empty(&mut self, call: &mut Call, cause: &Cause, by_person: Option<&str>) {
        let connected = call.connected().count();
        let is_waiting = call.ring.is_some() || call.legs.iter().any(|leg| matches!(leg.stage, LegStage::Ringing { .. }));
        let is_over = if call.connections.is_empty() { connected < 2 && !(connected == 1 && is_waiting) } else { connected == 0 };
        if is_over {
            self.end(call, cause, by_person);
        }
    }

    /// Calls from a service number to telephones.
    fn outbound_of(&self, account: &str, besides: &Call) -> usize {
        let legs =
            |call: &Call| if call.account.as_deref() == Some(account) { call.legs.iter().filter(|leg| leg.is_outbound).count() } else { 0 };
        self.calls.values().map(|call| legs(call)).sum::<usize>() + legs(besides)
    }
}

/// What was wished since the last time.
pub(crate) fn wishes(exchange: &mut Exchange) -> Vec<Effect> {
    std::mem::take(&mut exchange.post.out)
}
