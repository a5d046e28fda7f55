//! A small contact center inside a server: one queue, one number, one trunk, and agents with telephones.
//!
//! Decides what every test needs to be the same; a test says only what is special about its queue. Everything goes through
//! the interface that programs use, as a token with the rights of an administrator and a supervisor.

use crate::{
    baresip::{Baresip, Setup},
    server::{ADMINISTRATOR_PASSWORD, Server},
    sipp::Scenario,
    tone_files::{AGENT_HZ, CALLER_HZ},
    wait::{self, SOON},
};
use anyhow::{Context, Result, bail, ensure};
use dreiklang_media::{
    codec::CLOCK_HZ,
    wav::{self, Encoding, Wav},
};
use reqwest::{Client, Method, RequestBuilder as Request};
use serde_json::{Value, json};
use std::{collections::HashMap, net::SocketAddr};

/// The number callers dial.
pub const NUMBER: &str = "+493099900";

/// A server with a contact center, and the way to look into it.
pub struct ContactCenter {
    /// The server.
    pub server: Server,
    client: Client,
    token: String,
    /// Ids by name.
    agents: HashMap<String, String>,
    /// The queue's id.
    pub queue: String,
    /// What the queue was made from.
    settings: Value,
}

impl ContactCenter {
    /// Starts a server and sets it up. `queue` overrides what the queue is usually like.
    pub async fn open(queue: Value, agents: &[&str]) -> Result<ContactCenter> {
        ContactCenter::open_with_encryption(queue, agents, "optional").await
    }

    /// The same, with this `media_encryption` of the trunk and of all telephones.
    pub async fn open_with_encryption(queue: Value, agents: &[&str], media_encryption: &str) -> Result<ContactCenter> {
        let center = ContactCenter::open_on(Server::start().await?, queue, agents, media_encryption).await?;
        let trunk = json!({ "name": "Carrier", "sources": ["127.0.0.1"], "health_interval_s": 0, "media_encryption": media_encryption });
        center.create("trunks", trunk).await?;
        Ok(center)
    }

    /// A server with nothing in it.
    pub async fn empty(server: Server) -> Result<ContactCenter> {
        let client = Client::builder().no_proxy().build()?;
        let token = token(&client, &server).await?;
        Ok(ContactCenter { server, client, token, agents: HashMap::new(), queue: String::new(), settings: Value::Null })
    }

    /// The same on this server, without a trunk; `media_encryption` is that of the telephones.
    pub async fn open_on(server: Server, queue: Value, agents: &[&str], media_encryption: &str) -> Result<ContactCenter> {
        let mut center = ContactCenter::empty(server).await?;
        let mut settings = json!({ "name": "Support", "ring_ms": 20_000, "recording": "from_answer" });
        for (key, value) in queue.as_object().into_iter().flatten() {
            settings[key] = value.clone();
        }
        center.queue = center.create("queues", settings.clone()).await?;
        center.settings = settings;
        for name in agents {
            let agent = json!({ "name": name, "endpoint": { "kind": "desk", "value": name }, "queues": [center.queue] });
            let id = center.create("agents", agent).await?;
            let phone = json!({ "user": name, "agent": id, "password": password(name), "media_encryption": media_encryption });
            center.create("phones", phone).await?;
            center.agents.insert((*name).to_owned(), id);
        }
        let target = json!({ "kind": "queue", "id": center.queue });
        center.create("numbers", json!({ "number": NUMBER, "target": target })).await?;
        Ok(center)
    }

    /// Adds an agent who is called by number, and has no telephone that signs in.
    pub async fn hire_by_number(&mut self, name: &str, number: &str) -> Result<()> {
        self.hire_on("connected", name, json!({ "kind": "number", "value": number })).await
    }

    /// Adds an agent on this line with this endpoint.
    pub async fn hire_on(&mut self, line: &str, name: &str, endpoint: Value) -> Result<()> {
        let agent = json!({ "name": name, "line": line, "endpoint": endpoint, "queues": [self.queue] });
        let id = self.create("agents", agent).await?;
        self.agents.insert(name.to_owned(), id);
        Ok(())
    }

    /// The same, which talks to nobody without encryption.
    pub async fn encrypting_telephone(&self, agent: &str, tone_hz: u32) -> Result<Baresip> {
        Baresip::start(Setup::new(agent, tone_hz).signed_in(self.server.sip, &password(agent)).encrypting()).await
    }

    /// An agent's telephone with audio, signed in.
    pub async fn telephone(&self, agent: &str, tone_hz: u32) -> Result<Baresip> {
        Baresip::start(Setup::new(agent, tone_hz).signed_in(self.server.sip, &password(agent))).await
    }

    /// A caller who talks to an agent, both on real telephones; the caller hears the agent already.
    pub async fn talk(&self, agent: &str) -> Result<(Baresip, Baresip)> {
        let mut telephone = self.telephone(agent, AGENT_HZ).await?;
        self.make_ready(agent).await?;
        let mut caller = Baresip::start(Setup::new("+4930555111", CALLER_HZ)).await?;
        caller.dial(&self.uri()).await?;
        telephone.wait_for("CALL_ESTABLISHED").await?;
        caller.wait_until_hears(&[AGENT_HZ]).await?;
        Ok((caller, telephone))
    }

    /// How an agent's telephone is set up that signs in at this address of ours.
    pub fn signed_in_at(&self, agent: &str, tone_hz: u32, address: SocketAddr) -> Setup {
        Setup::new(agent, tone_hz).signed_in(address, &password(agent))
    }

    /// An agent's telephone that does what a scenario says: signed in, listening.
    pub async fn scripted_telephone(&self, agent: &str, scenario: &str) -> Result<Scenario> {
        let telephone = Scenario::new(scenario, self.server.sip)?;
        let sign_in = Scenario::new("phone_signs_in", self.server.sip)?.at(telephone.address());
        sign_in.service(agent).credentials(agent, &password(agent)).word("expires_s", "120").run().await?;
        self.wait_for_agent(agent, "reachable", |state| state["reachable"] == json!(true)).await?;
        Ok(telephone)
    }

    /// A caller's scenario towards the number.
    pub fn caller(&self, scenario: &str) -> Result<Scenario> {
        Ok(Scenario::new(scenario, self.server.sip)?.service(NUMBER))
    }

    /// What a telephone dials to call the number.
    pub fn uri(&self) -> String {
        format!("sip:{NUMBER}@{}", self.server.sip)
    }

    /// Lets an agent begin work and take conversations.
    pub async fn make_ready(&self, agent: &str) -> Result<()> {
        let id = self.agent(agent)?;
        self.request(Method::PUT, &format!("agents/{id}/duty"), Some(json!({ "duty": "on_duty" }))).await?;
        self.request(Method::PUT, &format!("agents/{id}/availability"), Some(json!({ "state": "ready" }))).await?;
        Ok(())
    }

    /// Lets the queue's customers on hold hear this instead of music, over and over.
    pub async fn hold_music(&self, samples: &[i16]) -> Result<()> {
        self.put_prompt("hold", samples).await?;
        let mut queue = self.settings.clone();
        queue["hold_music"] = json!({ "kind": "file", "name": "hold" });
        self.replace(&format!("queues/{}", self.queue), &queue).await
    }

    /// Puts an audio file among the prompts.
    pub async fn put_prompt(&self, name: &str, samples: &[i16]) -> Result<()> {
        let file = wav::encode(&[samples], CLOCK_HZ, Encoding::Pcm16);
        let url = self.server.url(&format!("/api/v1/prompts/{name}"));
        let request = self.client.put(url).bearer_auth(&self.token).header("content-type", "audio/wav");
        let answer = request.body(file).send().await?;
        ensure!(answer.status().is_success(), "the prompt is answered with {}: {}", answer.status(), answer.text().await?);
        Ok(())
    }

    /// Puts another document in the place of one, whatever that was.
    pub async fn replace(&self, path: &str, document: &Value) -> Result<()> {
        let request = self.client.put(self.server.url(&format!("/api/v1/{path}"))).bearer_auth(&self.token).header("if-match", "*");
        let answer = request.json(document).send().await?;
        ensure!(answer.status().is_success(), "{path} is answered with {}: {}", answer.status(), answer.text().await?);
        Ok(())
    }

    /// An agent's id.
    pub fn agent(&self, name: &str) -> Result<&str> {
        self.agents.get(name).map(String::as_str).with_context(|| format!("there is no agent {name}"))
    }

    /// Waits until an agent's state is as wanted.
    pub async fn wait_for_agent(&self, name: &str, what: &str, wanted: impl Fn(&Value) -> bool) -> Result<Value> {
        let path = format!("agents/{}/state", self.agent(name)?);
        self.wait_for(&path, &format!("{name} to be {what}"), wanted).await
    }

    /// Waits until the only conversation there has been is as wanted, and returns it in full.
    pub async fn wait_for_conversation(&self, what: &str, wanted: impl Fn(&Value) -> bool) -> Result<Value> {
        let list = self
            .wait_for("conversations", "a conversation", |list| list["items"].as_array().is_some_and(|items| !items.is_empty()))
            .await?;
        let items = list["items"].as_array().map(Vec::as_slice).unwrap_or_default();
        let [conversation] = items else { bail!("there should be one conversation, not {}", items.len()) };
        let id = conversation["id"].as_str().context("a conversation has an id")?;
        self.wait_for(&format!("conversations/{id}"), what, wanted).await
    }

    /// The conversation after its end.
    pub async fn ended_conversation(&self) -> Result<Value> {
        self.wait_for_conversation("the conversation to be over", |conversation| conversation["ended_at"].is_i64()).await
    }

    /// The only recording of a conversation: its channels, at the telephone's rate.
    pub async fn recording(&self, conversation: &Value) -> Result<Vec<Vec<i16>>> {
        let recordings = conversation["recordings_made"].as_array().map(Vec::as_slice).unwrap_or_default();
        let [recording] = recordings else { bail!("there should be one recording: {conversation}") };
        let id = recording["id"].as_str().context("a recording has an id")?;
        let request = self.client.get(self.server.url(&format!("/api/v1/recordings/{id}/audio"))).bearer_auth(&self.token);
        let answer = request.send().await?;
        ensure!(answer.status().is_success(), "the recording is answered with {}: {}", answer.status(), answer.text().await?);
        let wav = Wav::parse(&answer.bytes().await?)?;
        ensure!(!wav.truncated, "the recording is cut short");
        Ok(wav.channels)
    }

    /// Asks the interface, and returns its answer's body (null when it has none).
    pub async fn request(&self, method: Method, path: &str, body: Option<Value>) -> Result<Value> {
        self.ask(method, path, body, |request| request.bearer_auth(&self.token)).await
    }

    /// The same as somebody who signed in.
    pub async fn request_as(&self, session: &Session, method: Method, path: &str, body: Option<Value>) -> Result<Value> {
        self.ask(method, path, body, |request| session.show(request)).await
    }

    /// Makes an agent a user, and signs in as one.
    pub async fn sign_in_as_agent(&self, name: &str, agent: &str) -> Result<Session> {
        let password = format!("{name} at the desk");
        let user = json!({ "name": name, "password": password, "roles": ["agent"], "agent": agent });
        self.request(Method::POST, "users", Some(user)).await?;
        Session::open(&self.client, &self.server, name, &password).await
    }

    async fn ask(&self, method: Method, path: &str, body: Option<Value>, prove: impl FnOnce(Request) -> Request) -> Result<Value> {
        let request = prove(self.client.request(method.clone(), self.server.url(&format!("/api/v1/{path}"))));
        let request = match body {
            Some(body) => request.json(&body),
            None => request,
        };
        let answer = request.send().await?;
        let status = answer.status();
        let text = answer.text().await?;
        ensure!(status.is_success(), "{method} {path} is answered with {status}: {text}");
        if text.is_empty() { Ok(Value::Null) } else { Ok(serde_json::from_str(&text)?) }
    }

    /// Looks at something of the interface until it is as wanted.
    pub async fn wait_for(&self, path: &str, what: &str, wanted: impl Fn(&Value) -> bool) -> Result<Value> {
        let mut last = Ok(Value::Null);
        let found = wait::until(what, SOON, async || {
            last = self.request(Method::GET, path, None).await;
            last.as_ref().ok().filter(|value| wanted(value)).cloned()
        });
        let found = found.await;
        found.with_context(|| match &last {
            Ok(value) => format!("it was {value:#}\n{}", self.server.log()),
            Err(error) => format!("{error:#}\n{}", self.server.log()),
        })
    }

    /// Creates a document, and returns its id.
    pub async fn create(&self, kind: &str, document: Value) -> Result<String> {
        let created = self.request(Method::POST, kind, Some(document)).await?;
        created["id"].as_str().map(str::to_owned).with_context(|| format!("what was created has no id: {created}"))
    }
}

/// The password of an agent's telephone.
fn password(agent: &str) -> String {
    format!("{agent}-on-the-desk")
}

/// Somebody who signed in to the interface.
pub struct Session {
    cookie: String,
    csrf: String,
}

impl Session {
    async fn open(client: &Client, server: &Server, user: &str, password: &str) -> Result<Session> {
        let sign_in = json!({ "user": user, "password": password });
        let answer = client.post(server.url("/api/v1/session")).json(&sign_in).send().await?;
        ensure!(answer.status().is_success(), "signing in is answered with {}: {}", answer.status(), answer.text().await?);
        let cookie = answer.headers().get("set-cookie").and_then(|cookie| cookie.to_str().ok()).context("signing in sets a cookie")?;
        let cookie = cookie.split(';').next().unwrap_or_default().to_owned();
        let me: Value = answer.json().await?;
        let csrf = me["csrf_token"].as_str().context("signing in gives a token against forged requests")?.to_owned();
        Ok(Session { cookie, csrf })
    }

    fn show(&self, request: Request) -> Request {
        request.header("cookie", &self.cookie).header("x-csrf-token", &self.csrf)
    }
}

/// Signs in as the first administrator and makes a token.
async fn token(client: &Client, server: &Server) -> Result<String> {
    let session = Session::open(client, server, "admin", ADMINISTRATOR_PASSWORD).await?;
    let new = json!({ "name": "tests", "roles": ["administrator", "supervisor"] });
    let answer = session.show(client.post(server.url("/api/v1/tokens"))).json(&new).send().await?;
    ensure!(answer.status().is_success(), "making a token is answered with {}: {}", answer.status(), answer.text().await?);
    let token: Value = answer.json().await?;
    token["secret"].as_str().map(str::to_owned).context("a new token has a secret")
}
