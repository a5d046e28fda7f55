//! Plays scenarios over Connected: the real program, telephones that really call, and tones that tell who hears whom.
//!
//! The program's time stands still but for what a scenario lets pass, as on the core's stage; telephones and audio keep real
//! time. What people do goes over SIP and keys over RTP; what agents and supervisors ask for, and all documents, over the
//! interface. The hold music is a tone, and the program that speaks
//! texts says each of them with a tone of its own, so that it can be told what is heard.
//!
//! - [`people`]: telephones and ears
//! - [`play`]: what a scenario does and looks at
//! - [`words`]: the interface's words for documents and operations
//! - [`services`]: what flows ask
//! - [`door`]: time, and how things stand

mod door;
mod people;
mod play;
mod services;
mod words;

use super::stage::{Counts, Score, Sound, Stage, written_place};
use crate::{
    contact_center::{ContactCenter, Session},
    server::Server,
    wait::{self, SOON},
};
use anyhow::{Context, Result, bail, ensure};
use door::Door;
use dreiklang_core::{
    World,
    agent::Agent,
    config::Mailbox,
    conversation::{Conversation, Direction, Leg, Role},
    endpoint::Endpoint,
    ids::{AgentId, ConversationId, QueueId},
    voicemail::MessageState,
};
use dreiklang_lab::pstn::phone::CallState;
use people::{Heard, MUSIC_HZ, People, Person};
use reqwest::Method;
use serde_json::{Map, Value, json};
use services::Service;
use std::{
    cell::RefCell,
    collections::{BTreeMap, BTreeSet},
    time::{Duration, Instant},
};
use tempfile::TempDir;
use tokio::runtime::Runtime;

/// The hold music's file among the prompts.
const MUSIC: &str = "music";
/// It begins again at its end.
const MUSIC_MS: u32 = 2_000;
/// Looks at what is expected before it counts as wrong; one takes a moment each.
const LOOKS_MAX: u32 = 400;
/// Looks for what a key changes.
const LOOKS_PER_KEY: usize = 25;
/// What agents ask for with their own rights; for the rest it makes no difference, and signing in takes its time.
const BY_THEMSELVES: [&str; 3] = ["pull", "supervise", "finish_wrap_up"];
/// The name of the trunk to people of the organization.
const PEOPLE: &str = "People";
/// The number outsiders see.
const OWN_NUMBER: &str = "+4930999";

/// The program, the people, and their telephones.
pub struct ConnectedStage {
    runtime: Runtime,
    center: ContactCenter,
    door: RefCell<Door>,
    documents: BTreeMap<(String, String), Map<String, Value>>,
    ids: BTreeMap<(String, String), String>,
    people: People,
    /// Agents who asked for something.
    sessions: BTreeMap<String, Session>,
    services: BTreeMap<String, Service>,
    /// Numbers that a trunk leads to.
    outside: BTreeSet<String>,
}

impl ConnectedStage {
    /// Starts the program with nothing in it but a trunk for callers.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn open() -> Result<ConnectedStage> {
        let runtime = Runtime::new()?;
        let speech = TempDir::with_prefix("speech-")?;
        people::prepare(speech.path())?;
        let (center, door) = runtime.block_on(async {
            let (server, rehearsal) = Server::start_with_time_stopped(speech.path()).await?;
            let center = ContactCenter::empty(server).await?;
            let door = Door::open(rehearsal)?;
            // The first trunk that takes no numbers is the one for people.
            center.create("trunks", people_trunk("127.0.0.1:9")).await?;
            center.create("trunks", json!({ "name": "Callers", "sources": ["127.0.0.1"], "health_interval_s": 0 })).await?;
            let tenant = json!({
                "name": "Scenario",
                "caller_number": OWN_NUMBER,
                "outbound_line": "connected",
                "not_ready_reasons": ["lunch", "paperwork"],
            });
            center.request(Method::POST, "configuration", Some(json!({ "tenant": tenant }))).await?;
            center.put_prompt(MUSIC, &people::sound(MUSIC_HZ, MUSIC_MS)).await?;
            Ok::<_, anyhow::Error>((center, door))
        })?;
        Ok(ConnectedStage {
            runtime,
            center,
            door: RefCell::new(door),
            documents: BTreeMap::new(),
            ids: BTreeMap::new(),
            people: People::new(speech),
            sessions: BTreeMap::new(),
            services: BTreeMap::new(),
            outside: BTreeSet::new(),
        })
    }

    /// How things stand once lines have done what they were asked.
    fn world(&self) -> Result<World> {
        self.door.borrow_mut().pass(Duration::ZERO).with_context(|| self.center.server.log())
    }

    /// Waits until something holds.
    fn until<T>(&self, what: &str, mut look: impl FnMut(&World) -> Option<T>) -> Result<T> {
        let begin = Instant::now();
        loop {
            if let Some(found) = look(&self.world()?) {
                return Ok(found);
            }
            ensure!(begin.elapsed() < SOON, "waited {} s for {what}\n{}", SOON.as_secs(), self.center.server.log());
            wait::a_moment();
        }
    }

    fn request(&self, method: Method, path: &str, body: Option<Value>) -> Result<Value> {
        self.runtime.block_on(self.center.request(method, path, body))
    }

    /// The id of a document, which is made when it is first named.
    fn id_of(&mut self, kind: &str, name: &str) -> Result<String> {
        if let Some(id) = self.ids.get(&(kind.to_owned(), name.to_owned())) {
            return Ok(id.clone());
        }
        let (path, mut first) = words::collection(kind, name)?;
        match kind {
            "service" => {
                let service = self.runtime.block_on(Service::start())?;
                first["address"] = json!(format!("http://{}", service.address));
                self.services.insert(name.to_owned(), service);
            }
            "flow" => first["nodes"] = json!({ "start": { "kind": "hang_up" } }),
            "caller_list" => first["treatment"] = json!({ "kind": "block" }),
            _ => {}
        }
        let fields = first.as_object().cloned().unwrap_or_default();
        self.documents.insert((kind.to_owned(), name.to_owned()), fields);
        if kind == "number" {
            // It leads nowhere yet; the first setting makes it.
            return Ok(String::new());
        }
        let id = self.runtime.block_on(self.center.create(path, first))?;
        self.ids.insert((kind.to_owned(), name.to_owned()), id.clone());
        if kind == "agent" {
            self.furnish(name, &id)?;
        }
        Ok(id)
    }

    /// Gives a new agent a telephone.
    fn furnish(&mut self, name: &str, id: &str) -> Result<()> {
        let password = format!("{name}-on-the-desk");
        self.request(Method::POST, "phones", Some(json!({ "user": name, "agent": id, "password": password })))?;
        let server = self.center.server.sip;
        self.runtime.block_on(self.people.add(name, name, Some(password), server))?;
        self.until(&format!("{name} to be reachable"), |world| agent_in(world, id).filter(|agent| agent.reachable).map(|_| ()))
    }

    /// Somebody outside, by number or sign-in name, with a trunk that leads there.
    fn outsider(&mut self, who: &str) -> Result<()> {
        if self.people.find(who).is_none() {
            let user = who.split('@').next().unwrap_or(who);
            self.runtime.block_on(self.people.add(who, user, None, self.center.server.sip))?;
        }
        self.reach(who)
    }

    /// Sets up a trunk to somebody's telephone.
    fn reach(&mut self, who: &str) -> Result<()> {
        if !self.outside.insert(who.to_owned()) {
            return Ok(());
        }
        let address = self.people.find(who).context("somebody outside is there")?.phone.address();
        if who.contains('@') {
            let all = self.request(Method::GET, "trunks", None)?;
            let people = all["items"].as_array().into_iter().flatten().find(|trunk| trunk["name"] == PEOPLE);
            let id = people.and_then(|trunk| trunk["id"].as_str()).context("there is a trunk for people")?;
            let document = people_trunk(&address.to_string());
            return self.runtime.block_on(self.center.replace(&format!("trunks/{id}"), &document));
        }
        let peers = json!([{ "address": address.to_string() }]);
        let trunk = json!({ "name": format!("To {who}"), "peers": peers, "prefixes": [who], "health_interval_s": 0 });
        self.request(Method::POST, "trunks", Some(trunk))?;
        Ok(())
    }

    /// Puts ids in the place of `@kind:name`, in keys and values.
    fn resolve(&mut self, value: Value) -> Result<Value> {
        Ok(match value {
            Value::String(text) => Value::String(self.resolve_text(text)?),
            Value::Array(list) => list.into_iter().map(|item| self.resolve(item)).collect::<Result<_>>()?,
            Value::Object(fields) => {
                let mut resolved = Map::new();
                for (key, item) in fields {
                    resolved.insert(self.resolve_text(key)?, self.resolve(item)?);
                }
                Value::Object(resolved)
            }
            other => other,
        })
    }

    fn resolve_text(&mut self, text: String) -> Result<String> {
        match text.strip_prefix('@').and_then(|rest| rest.split_once(':')) {
            Some(("call", person)) => {
                let what = format!("{person} to be in a call");
                self.until(&what, |world| self.call_of(world, person).map(|found| found.id.to_string()))
            }
            Some(("leg", person)) => {
                let what = format!("{person} to be in a call");
                self.until(&what, |world| self.leg_of(world, person).map(|leg| leg.id.to_string()))
            }
            Some(("written", name)) => Ok(self.written_id(name)),
            Some((kind, name)) => self.id_of(kind, name),
            None => Ok(text),
        }
    }

    /// The id of what somebody writes, which is named before it is opened.
    fn written_id(&mut self, name: &str) -> String {
        let number = 1 + self.ids.len() as u128;
        let key = ("written".to_owned(), name.to_owned());
        self.ids.entry(key).or_insert_with(|| ConversationId(number).to_string()).clone()
    }

    fn known(&self, kind: &str, name: &str) -> Option<&str> {
        self.ids.get(&(kind.to_owned(), name.to_owned())).map(String::as_str)
    }

    fn agent_id(&self, name: &str) -> Option<AgentId> {
        self.known("agent", name)?.parse().ok()
    }

    fn mailbox(&self, name: &str) -> Option<Mailbox> {
        let queue = self.known("queue", name).and_then(|id| id.parse().ok());
        queue.map(Mailbox::Queue).or_else(|| self.agent_id(name).map(Mailbox::Agent))
    }

    fn person(&self, name: &str) -> Result<&Person> {
        self.people.find(name).with_context(|| format!("nobody is called {name}"))
    }

    /// The leg of somebody's telephone.
    fn leg_of<'a>(&self, world: &'a World, person: &str) -> Option<&'a Leg> {
        let user = &self.people.find(person)?.user;
        let agent = self.agent_id(person);
        let is_theirs = |found: &Conversation, leg: &Leg| match leg.role {
            Role::Agent(id) => Some(id) == agent,
            Role::External => [Endpoint::Number(person.to_owned()), Endpoint::Person(person.to_owned())].contains(&leg.endpoint),
            Role::Customer if leg.direction == Direction::Outbound => leg.endpoint == Endpoint::Number(user.clone()),
            Role::Customer => found.caller.number.as_ref() == Some(user),
        };
        let all = world.conversations().flat_map(|found| found.legs.iter().map(move |leg| (found, leg)));
        all.filter(|(_, leg)| !leg.ending).find(|(found, leg)| is_theirs(found, leg)).map(|(_, leg)| leg)
    }

    fn call_of<'a>(&self, world: &'a World, person: &str) -> Option<&'a Conversation> {
        self.leg_of(world, person).and_then(|leg| world.conversation_of(leg.id))
    }

    /// Waits until somebody's telephone rings.
    fn wait_to_ring(&self, person: &str) -> Result<()> {
        let who = self.person(person)?;
        let rings = |state: &dreiklang_lab::pstn::phone::State| matches!(state.call, CallState::Rings { .. });
        let rang = self.runtime.block_on(who.phone.wait_for(SOON, rings));
        rang.with_context(|| format!("{person}'s telephone does not ring\n{}", self.center.server.log()))?;
        Ok(())
    }

    /// Waits until a telephone is out of its call, on both ends.
    fn wait_to_end(&self, person: &str) -> Result<()> {
        let who = self.person(person)?;
        let over = |state: &dreiklang_lab::pstn::phone::State| matches!(state.call, CallState::Over { .. });
        self.runtime.block_on(who.phone.wait_for(SOON, over)).with_context(|| format!("{person}'s call does not end"))?;
        self.until(&format!("{person}'s call to be over"), |world| self.leg_of(world, person).is_none().then_some(()))
    }
}

/// The trunk by which people of the organization are called; it takes no number that anybody has.
fn people_trunk(address: &str) -> Value {
    json!({ "name": PEOPLE, "peers": [{ "address": address }], "prefixes": ["+99999"], "health_interval_s": 0 })
}

fn agent_in<'a>(world: &'a World, id: &str) -> Option<&'a Agent> {
    world.agent(id.parse().ok()?)
}
