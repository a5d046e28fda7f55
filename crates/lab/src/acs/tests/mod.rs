//! Calls through the interface, on a clock the tests move: no socket, no waiting.

mod control;
mod media;
mod parties;
mod recording;
mod rules;
mod streams;

use super::{identifier::Identifier, operations};
use crate::{
    exchange::{Exchange, Limits, effect::Effect, lines::Outfit, operation::Failure, wishes},
    origin::message::tests::request,
    people::{
        person::{Manner, PersonState, Ringing},
        sound::{self, Voice},
    },
};
use serde_json::{Value, json};

const NUMBER: &str = "+49301000";
const CALLER: &str = "4:+4930555";
const TONE_CALLER: u32 = 440;
const TONE_AGENT: u32 = 620;
const TONE_OTHER: u32 = 800;
const TONE_PROMPT: u32 = 1_000;
const TONES: &[u32] = &[TONE_CALLER, TONE_AGENT, TONE_OTHER, TONE_PROMPT, 1_400];

/// An application, its people, and everything it was told.
struct Bench {
    exchange: Exchange,
    account: String,
    told: Vec<Value>,
    grid: Vec<Value>,
    frames: Vec<Value>,
    version: &'static str,
}

impl Bench {
    fn new() -> Bench {
        let mut exchange = Exchange::new(1, jiff::Timestamp::UNIX_EPOCH, Limits::default());
        let account = exchange.directory.add_resource_account(&mut exchange.post.dice, "Support", NUMBER).id;
        let mut bench = Bench { exchange, account, told: Vec::new(), grid: Vec::new(), frames: Vec::new(), version: "2026-03-12" };
        bench.consent("teamsResourceAccount", &bench.account.clone());
        bench.person(CALLER, TONE_CALLER, Manner::default());
        bench
    }

    fn consent(&mut self, kind: &str, id: &str) {
        let assignment = crate::entra::directory::Assignment { principal_type: kind.to_owned(), client_ids: Vec::new() };
        self.exchange.directory.assignments.insert(id.to_owned(), assignment);
    }

    fn person(&mut self, raw: &str, hz: u32, manner: Manner) {
        let person = self.exchange.add_person(raw, Identifier::from_raw(raw));
        person.voice = Voice::tone(hz);
        person.manner = manner;
    }

    /// An agent with consent; her contact-center identity.
    fn agent(&mut self, name: &str, hz: u32, manner: Manner) -> String {
        let user = self.exchange.directory.add_user(&mut self.exchange.post.dice, name).object_id;
        self.consent("user", &user);
        let raw = self.exchange.directory.extension_raw_id(&user);
        self.person(&raw, hz, manner);
        raw
    }

    /// Asks; status and body.
    fn ask(&mut self, method: &str, path: &str, body: Value) -> (u16, Value) {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let request = request(method, &format!("/calling/{path}"), &body);
        let segments = request.segments();
        let path: Vec<&str> = segments.iter().map(String::as_str).collect();
        let reply = operations::answer(&mut self.exchange, &request, &path, self.version).unwrap_or_else(|refusal| refusal.reply());
        self.carry_out();
        (reply.status, serde_json::from_slice(&reply.body).unwrap_or(Value::Null))
    }

    /// Asks for something about a call that has to be done.
    fn call(&mut self, id: &str, what: &str, body: Value) -> Value {
        let (status, answer) = self.ask("POST", &format!("callConnections/{id}{what}"), body);
        assert!((200..300).contains(&status), "{what}: {status} {answer}");
        answer
    }

    fn pass(&mut self, ms: u64) {
        for _ in 0..ms / sound::FRAME_MS {
            self.exchange.step();
            self.carry_out();
        }
    }

    /// Plays the world: files are there unless their name says otherwise, sockets open.
    fn carry_out(&mut self) {
        for wish in wishes(&mut self.exchange) {
            match wish {
                Effect::Callback { event, uri, .. } => {
                    let mut event = event;
                    event["uri"] = json!(uri);
                    self.told.push(event);
                }
                Effect::Grid(event) => self.grid.push(event),
                Effect::Load { ticket, sources } => {
                    let missing = sources.iter().position(|source| format!("{source:?}").contains("missing"));
                    let beep: std::sync::Arc<[i16]> = sound::beep(TONE_PROMPT, 600).into();
                    let sounds = missing.map_or_else(
                        || Ok(sources.iter().map(|_| std::sync::Arc::clone(&beep)).collect()),
                        |index| Err((index, Failure::Download)),
                    );
                    self.exchange.loaded(ticket, sounds);
                }
                Effect::OpenSocket { id, url, .. } if url.contains("refuses") => {
                    self.exchange.socket_failed(id, "initialWebSocketConnectionFailed");
                    self.carry_out();
                }
                Effect::OpenSocket { id, .. } => {
                    self.exchange.socket_opened(id);
                    self.carry_out();
                }
                Effect::SocketText { id, text } => {
                    let mut frame: Value = serde_json::from_str(&text).unwrap();
                    frame["socket"] = json!(id);
                    self.frames.push(frame);
                }
                Effect::CloseSocket { .. } | Effect::Upload { .. } => {}
            }
        }
    }

    /// Names of the events since the last time.
    fn events(&mut self) -> Vec<String> {
        let told = std::mem::take(&mut self.told);
        told.iter().map(|event| event["type"].as_str().unwrap().trim_start_matches("Microsoft.Communication.").to_owned()).collect()
    }

    /// The data of the last event of a kind.
    fn event(&self, kind: &str) -> &Value {
        let found = self.told.iter().rfind(|event| event["type"].as_str().unwrap().ends_with(&format!(".{kind}")));
        &found.unwrap_or_else(|| panic!("no {kind} in {:?}", self.told))["data"]
    }

    fn sub_code(&self, kind: &str) -> (u64, u64) {
        let result = &self.event(kind)["resultInformation"];
        (result["code"].as_u64().unwrap(), result["subCode"].as_u64().unwrap())
    }

    fn rings(&mut self) -> String {
        self.exchange.place_call(CALLER, NUMBER, &Outfit::default()).unwrap();
        self.carry_out();
        self.grid.last().unwrap()["data"]["incomingCallContext"].as_str().unwrap().to_owned()
    }

    fn answer_body(context: &str) -> Value {
        json!({
            "incomingCallContext": context, "callbackUri": "https://app/cb", "operationContext": "answered",
            "callIntelligenceOptions": { "cognitiveServicesEndpoint": "https://ai" },
        })
    }

    /// The caller calls and the application answers; the connection.
    fn answered(&mut self) -> String {
        let context = self.rings();
        let (status, answer) = self.ask("POST", "callConnections:answer", Bench::answer_body(&context));
        assert_eq!(status, 200, "{answer}");
        answer["callConnectionId"].as_str().unwrap().to_owned()
    }

    fn hang_up(&mut self, raw: &str) -> bool {
        let done = self.exchange.hang_up(raw);
        self.carry_out();
        done
    }

    fn press(&mut self, raw: &str, key: char) -> bool {
        let done = self.exchange.press(raw, key);
        self.carry_out();
        done
    }

    fn state(&mut self, raw: &str) -> PersonState {
        self.exchange.person(raw).unwrap().tell.borrow().clone()
    }

    fn stage(&mut self, raw: &str) -> String {
        json!(self.state(raw))["call"]["stage"].as_str().unwrap().to_owned()
    }

    fn cause(&mut self, raw: &str) -> String {
        json!(self.state(raw))["call"]["cause"].as_str().unwrap_or_default().to_owned()
    }

    fn hears(&mut self, raw: &str) -> Vec<u32> {
        self.exchange.person(raw).unwrap().ear.tones(TONES)
    }

    fn roster(&mut self, id: &str) -> Vec<String> {
        let (_, answer) = self.ask("GET", &format!("callConnections/{id}/participants"), Value::Null);
        answer["value"].as_array().unwrap().iter().map(|one| one["identifier"]["rawId"].as_str().unwrap().to_owned()).collect()
    }

    /// Adds an agent who answers at once.
    fn with_agent(&mut self, id: &str, name: &str, hz: u32) -> String {
        let agent = self.agent(name, hz, Manner::default());
        self.call(id, "/participants:add", json!({ "participantToAdd": { "rawId": agent } }));
        self.pass(400);
        agent
    }
}

fn raw(raw: &str) -> Value {
    json!({ "rawId": raw })
}

fn file() -> Value {
    json!({ "kind": "file", "file": { "uri": "https://app/prompt.wav" } })
}

fn of(ringing: Ringing) -> Manner {
    Manner::of(ringing)
}
