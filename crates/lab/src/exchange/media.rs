//! Prompts and answers: what applications play and listen for, and the keys and words of people.

use super::{
    Exchange,
    call::{Call, KeyListener},
    effect::{self, Cause, Effect, Source},
    operation::{Failure, Kind, Operation, Sound},
    parties::{Asked, established},
    streaming::Socket,
};
use crate::{
    acs::{identifier::Identifier, refusal::Refusal},
    people::person::Stage,
};
use serde_json::json;
use std::sync::Arc;

/// Operations that wait behind each other on one connection.
const OPERATIONS_MAX: usize = 64;

/// The names of the keys.
const TONES: &[(char, &str)] = &[
    ('0', "zero"),
    ('1', "one"),
    ('2', "two"),
    ('3', "three"),
    ('4', "four"),
    ('5', "five"),
    ('6', "six"),
    ('7', "seven"),
    ('8', "eight"),
    ('9', "nine"),
    ('A', "a"),
    ('B', "b"),
    ('C', "c"),
    ('D', "d"),
    ('#', "pound"),
    ('*', "asterisk"),
];

/// The name of a key.
pub(crate) fn tone_of(key: char) -> Option<&'static str> {
    let key = key.to_ascii_uppercase();
    TONES.iter().find(|(found, _)| *found == key).map(|(_, name)| *name)
}

/// The key of a name.
pub(crate) fn key_of(tone: &str) -> Option<char> {
    TONES.iter().find(|(_, name)| name.eq_ignore_ascii_case(tone)).map(|(key, _)| *key)
}

impl Exchange {
    /// Begins a media operation, or queues it behind those it cannot run beside.
    pub(crate) fn begin(&mut self, id: &str, kind: Kind, sources: Vec<Source>, interrupt: bool, asked: &Asked) -> Result<(), Refusal> {
        self.with_connection(id, |exchange, call, index| {
            established(call, index)?;
            let named: Vec<&String> = match &kind {
                Kind::Play { to, .. } => to.iter().collect(),
                Kind::Recognize(recognition) => vec![&recognition.target],
            };
            for raw in named {
                if !call.connected().any(|leg| leg.raw.eq_ignore_ascii_case(raw)) {
                    return Err(Refusal::not_found("Participant"));
                }
            }
            if interrupt {
                exchange.cancel_operations(call, index);
            }
            if call.connections[index].operations.len() >= OPERATIONS_MAX {
                return Err(Refusal::too_many("Too many media operations wait on this call."));
            }
            let ticket = exchange.ticket();
            let mut operation = Operation::new(ticket, kind, asked.context.clone(), asked.callback.clone());
            let speech = sources.iter().position(|source| matches!(source, Source::Text { .. }));
            match speech.filter(|_| !call.connections[index].has_speech) {
                Some(source) => operation.sound = Sound::Ready(Err((source, Failure::Speech))),
                None if sources.is_empty() => operation.sound = Sound::Ready(Ok(Vec::new())),
                None => exchange.post.out.push(Effect::Load { ticket, sources }),
            }
            call.connections[index].operations.push_back(operation);
            Ok(())
        })
    }

    /// Stops everything that plays or listens on a connection.
    pub(crate) fn cancel_media(&mut self, id: &str) -> Result<(), Refusal> {
        self.with_connection(id, |exchange, call, index| {
            established(call, index)?;
            exchange.cancel_operations(call, index);
            Ok(())
        })
    }

    fn cancel_operations(&mut self, call: &mut Call, index: usize) {
        for operation in std::mem::take(&mut call.connections[index].operations) {
            let (kind, extra) = operation.canceled();
            self.tell(call, index, kind, (operation.context.as_deref(), operation.callback.as_deref()), extra);
        }
    }

    /// What was to be fetched is there, or not.
    pub(crate) fn loaded(&mut self, ticket: u64, sounds: Result<Vec<Arc<[i16]>>, (usize, Failure)>) {
        for call in self.calls.values_mut() {
            for connection in &mut call.connections {
                if let Some(operation) = connection.operations.iter_mut().find(|operation| operation.ticket == ticket) {
                    operation.sound = Sound::Ready(sounds);
                    return;
                }
            }
            let music = call.legs.iter_mut().filter_map(|leg| leg.hold_music.as_mut()).find(|music| music.ticket == ticket);
            if let Some(music) = music {
                match sounds {
                    Ok(sounds) => music.samples = Some(sounds.concat().into()),
                    Err((_, failure)) => {
                        // The party stays on hold, in silence.
                        let cause = match failure {
                            Failure::Format => Cause::new(400, 8_535, "Action failed, file format is invalid."),
                            Failure::Download | Failure::Speech => Cause::new(400, 8_536, "Action failed, file could not be downloaded."),
                        };
                        let key = call.key;
                        self.with_call(key, |exchange, call| {
                            for index in 0..call.connections.len() {
                                exchange.tell(call, index, "HoldFailed", (None, None), cause.json());
                            }
                        });
                    }
                }
                return;
            }
        }
    }

    /// Tells one party's keys from now on, or not any more.
    pub(crate) fn listen_to_keys(&mut self, id: &str, target: &Identifier, on: bool, asked: &Asked) -> Result<(), Refusal> {
        self.with_connection(id, |exchange, call, index| {
            established(call, index)?;
            let raw = target.raw_id();
            if call.connected_leg(&raw).is_none() {
                return Err(Refusal::not_found("Participant"));
            }
            let listeners = &mut call.connections[index].listeners;
            let before = listeners.len();
            listeners.retain(|listener| listener.raw != raw);
            let was_on = listeners.len() < before;
            if on {
                listeners.push(KeyListener { raw, context: asked.context.clone(), callback: asked.callback.clone(), sequence: 0 });
            } else if was_on {
                exchange.tell(call, index, "ContinuousDtmfRecognitionStopped", asked.parts(), effect::SUCCESS.json());
            }
            Ok(())
        })
    }

    /// Sends keys to one party.
    pub(crate) fn send_keys(&mut self, id: &str, tones: &[String], target: &Identifier, asked: &Asked) -> Result<(), Refusal> {
        self.with_connection(id, |exchange, call, index| {
            established(call, index)?;
            let raw = target.raw_id();
            let is_there = call.connected_leg(&raw).is_some();
            if !is_there {
                let cause = Cause::new(404, 8_522, "The participant is not in the call.");
                exchange.tell(call, index, "SendDtmfTonesFailed", asked.parts(), cause.json());
                return Ok(());
            }
            let keys: String = tones.iter().filter_map(|tone| key_of(tone)).collect();
            if let Some(person) = exchange.people.get_mut(&raw) {
                person.set(|state| state.keys_heard.push_str(&keys));
            }
            exchange.tell(call, index, "SendDtmfTonesCompleted", asked.parts(), effect::SUCCESS.json());
            Ok(())
        })
    }

    /// A person presses a key. Other parties do not hear it; applications that listen do.
    pub(crate) fn press(&mut self, raw: &str, key: char) -> bool {
        let Some(tone) = tone_of(key) else { return false };
        let Some(person) = self.people.get(raw) else { return false };
        let (Some(call), true) = (person.call, person.tell.borrow().call == Stage::Talking) else { return false };
        let now = self.post.now;
        self.with_call(call, |exchange, call| {
            for index in 0..call.connections.len() {
                if let Some(operation) = call.connections[index].operations.iter_mut().find(|operation| operation.is_heard_by(raw)) {
                    operation.press(raw, tone, now);
                }
                let listener = call.connections[index].listeners.iter_mut().find(|listener| listener.raw == raw);
                let told = listener.map(|listener| {
                    listener.sequence += 1;
                    (listener.sequence, listener.context.clone(), listener.callback.clone())
                });
                if let Some((sequence, context, callback)) = told {
                    let asked = (context.as_deref(), callback.as_deref());
                    if exchange.faults.tones_fail {
                        exchange.tell(call, index, "ContinuousDtmfRecognitionToneFailed", asked, effect::SERVER_FAILED.json());
                    } else {
                        let mut extra = effect::SUCCESS.json();
                        extra["sequenceId"] = json!(sequence);
                        extra["tone"] = json!(tone);
                        exchange.tell(call, index, "ContinuousDtmfRecognitionToneReceived", asked, extra);
                    }
                }
                if let Some(streaming) = &call.connections[index].streaming
                    && streaming.options.dtmf
                    && let Socket::Open(id) = streaming.socket
                {
                    let text = json!({ "kind": "DtmfData", "dtmfData": { "data": key.to_string() } }).to_string();
                    exchange.post.out.push(Effect::SocketText { id, text });
                }
            }
        });
        true
    }

    /// A person says a sentence: everybody hears the sound, and those who understand speech get the words when it is over.
    pub(crate) fn say(&mut self, raw: &str, text: &str, samples: Arc<[i16]>) -> bool {
        let now = self.post.now;
        let Some(person) = self.people.get_mut(raw) else { return false };
        person.say(text, samples, now);
        if let Some(call) = person.call {
            let until = self.people.get(raw).and_then(|person| person.saying.as_ref()).map_or(now, |saying| saying.until);
            let raw = raw.to_owned();
            self.with_call(call, |exchange, call| {
                let is_heard = call.connected().any(|leg| leg.raw == raw && !leg.muted && !leg.on_hold);
                if !is_heard {
                    return;
                }
                for connection in &mut call.connections {
                    for operation in &mut connection.operations {
                        operation.speech_began(&raw, now);
                    }
                }
                exchange.transcribe(call, &raw, text.split(' ').next().unwrap_or_default(), now, until, false);
            });
        }
        true
    }

    /// The end of a sentence.
    pub(super) fn said(&mut self, raw: &str, text: &str, began: u64) {
        let now = self.post.now;
        let Some(call) = self.people.get(raw).and_then(|person| person.call) else { return };
        self.with_call(call, |exchange, call| {
            if !call.connected().any(|leg| leg.raw == raw && !leg.muted && !leg.on_hold) {
                return;
            }
            for connection in &mut call.connections {
                for operation in &mut connection.operations {
                    operation.speech_ended(raw, text, now);
                }
            }
            exchange.transcribe(call, raw, text, began, now, true);
        });
    }
}
