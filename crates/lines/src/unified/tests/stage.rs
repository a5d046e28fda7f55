//! A line with a service in the test's own process. The test plays the service's events itself.

use super::super::{Config, Handle, Work, hooks::Arrival, settings, start};
use crate::Notice;
use axum::{
    Router,
    body::Bytes,
    extract::State,
    http::{Method, StatusCode, Uri},
};
use dreiklang_core::{
    Action, Input,
    endpoint::Line,
    ids::{ActionId, LegId, TenantId},
};
use dreiklang_microsoft::{TransportConfig, acs::event, event_grid};
use serde_json::{Value, json};
use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, Mutex},
    time::Duration,
};
use tokio::sync::{Notify, mpsc};

pub const TENANT: TenantId = TenantId(1);
pub const RESOURCE: &str = "0f8fad5b-d9cb-469f-a165-70867728950e";
pub const DIRECTORY: &str = "72f988bf-86f1-41af-91ab-2d7cd011db47";
pub const ACCOUNT: &str = "cc3a8e2c-0f8d-4a65-9c5f-5a1f4d5b7e11";
pub const AGENT: &str = "11111111-2222-3333-4444-555555555555";
const PATIENCE: Duration = Duration::from_secs(20);

/// Verb and path without version, and the body.
#[derive(Clone, Debug, PartialEq)]
pub struct Asked {
    pub what: String,
    pub body: Value,
}

type Answers = VecDeque<(u16, Value)>;

#[derive(Clone, Default)]
struct Service {
    asked: Arc<Mutex<Vec<Asked>>>,
    told: Arc<Notify>,
    answers: Arc<Mutex<HashMap<String, Answers>>>,
}

pub struct Stage {
    pub handle: Handle,
    pub notices: mpsc::Receiver<Notice>,
    service: Service,
    seen: usize,
    events: u64,
    pub folder: tempfile::TempDir,
}

impl Stage {
    pub async fn new() -> Stage {
        let service = Service::default();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        let app = Router::new().fallback(answer).with_state(service.clone());
        tokio::spawn(async move { axum::serve(listener, app).await });
        let folder = tempfile::tempdir().unwrap();
        let config = Config {
            address: "https://cc.example".to_owned(),
            transport: TransportConfig { allow_plain: true, ..TransportConfig::default() },
            recordings: folder.path().join("recordings"),
            prompts: folder.path().join("prompts"),
            prompt_cache: folder.path().join("cache"),
        };
        let (notice, notices) = mpsc::channel(1_000);
        let (handle, driver) = start(config, notice).unwrap();
        tokio::spawn(driver.run());
        let connection = settings::Connection {
            id: "ucn_1".to_owned(),
            endpoint,
            api_version: settings::API_VERSION.to_owned(),
            credential: settings::Secret::Key("c2VjcmV0".to_owned()),
            resource: RESOURCE.to_owned(),
            directory: DIRECTORY.to_owned(),
            accounts: vec![settings::Account { object: ACCOUNT.to_owned(), number: "+4930100".to_owned() }],
            speech: None,
            issuer: settings::ISSUER.to_owned(),
            discovery: settings::DISCOVERY.to_owned(),
            event_key: "0123456789abcdef".to_owned(),
        };
        assert!(handle.set_connections(TENANT, vec![connection]).await.is_empty());
        Stage { handle, notices, service, seen: 0, events: 0, folder }
    }

    /// What the service answers the next time this is asked.
    pub fn answers(&self, what: &str, status: u16, body: Value) {
        self.service.answers.lock().unwrap().entry(what.to_owned()).or_default().push_back((status, body));
    }

    /// The next thing the service is asked, with its body. What is asked meanwhile is passed over.
    pub async fn asked(&mut self, what: &str) -> Value {
        let waited = tokio::time::timeout(PATIENCE, async {
            loop {
                let told = self.service.told.notified();
                let found = {
                    let asked = self.service.asked.lock().unwrap();
                    asked.iter().enumerate().skip(self.seen).find(|(_, one)| one.what == what).map(|(at, one)| (at, one.body.clone()))
                };
                if let Some((at, body)) = found {
                    self.seen = at + 1;
                    return body;
                }
                told.await;
            }
        });
        match waited.await {
            Ok(body) => body,
            Err(_) => panic!("{what} was not asked for; asked was {:#?}", self.all()),
        }
    }

    /// Everything that was asked.
    pub fn all(&self) -> Vec<String> {
        self.service.asked.lock().unwrap().iter().map(|one| one.what.clone()).collect()
    }

    pub fn count(&self, what: &str) -> usize {
        self.all().iter().filter(|one| *one == what).count()
    }

    /// The next thing the core is told. Answers to wishes are passed over.
    pub async fn told(&mut self) -> Input {
        loop {
            let notice = match tokio::time::timeout(PATIENCE, self.notices.recv()).await {
                Ok(notice) => notice.unwrap(),
                Err(_) => panic!("the core was told nothing; asked was {:#?}", self.all()),
            };
            if let Notice::Input { input, .. } = notice
                && !matches!(*input, Input::ActionDone { .. })
            {
                return *input;
            }
        }
    }

    /// Waits until a wish was carried out.
    pub async fn done(&mut self, action: u128) {
        loop {
            let notice = tokio::time::timeout(PATIENCE, self.notices.recv()).await.expect("the wish is answered").unwrap();
            if let Notice::Input { input, .. } = notice
                && *input == (Input::ActionDone { action: ActionId(action) })
            {
                return;
            }
        }
    }

    pub fn act(&self, action: u128, wish: Action) {
        self.handle.try_submit(TENANT, ActionId(action), wish).unwrap();
    }

    /// The service tells something.
    pub async fn happens(&mut self, kind: &str, data: Value) {
        self.events += 1;
        let event = json!([{ "id": format!("e{}", self.events), "type": format!("Microsoft.Communication.{kind}"), "data": data }]);
        self.tell_again(&event).await;
    }

    /// The same by another connection.
    pub async fn happens_at(&mut self, connection: &str, kind: &str, data: Value) {
        self.events += 1;
        let event = json!([{ "id": format!("e{}", self.events), "type": format!("Microsoft.Communication.{kind}"), "data": data }]);
        let events = event::parse(event.to_string().as_bytes()).unwrap();
        self.handle.work.send(Work::Happened { connection: connection.to_owned(), events }).await.unwrap();
    }

    /// Another tenant has a connection too.
    pub async fn other_tenants_connection(&self) -> String {
        let ours = self.handle.registry.get("ucn_1").unwrap().settings.clone();
        let theirs = settings::Connection { id: "ucn_2".to_owned(), ..ours };
        assert!(self.handle.set_connections(TenantId(2), vec![theirs]).await.is_empty());
        "ucn_2".to_owned()
    }

    pub async fn tell_again(&self, event: &Value) {
        let events = event::parse(event.to_string().as_bytes()).unwrap();
        self.handle.work.send(Work::Happened { connection: "ucn_1".to_owned(), events }).await.unwrap();
    }

    /// Somebody calls the account.
    pub async fn rings(&self, leg: u128) {
        let data = json!([{ "id": "i", "eventType": "Microsoft.Communication.IncomingCall", "data": {
            "to": { "kind": "unknown", "rawId": format!("28:orgid:{ACCOUNT}") },
            "from": { "kind": "phoneNumber", "rawId": "4:+49170", "phoneNumber": { "value": "+49170" } },
            "incomingCallContext": "ctx", "correlationId": "k" } }]);
        let event_grid::Known::IncomingCall(call) = event_grid::parse(data.to_string().as_bytes()).unwrap()[0].known().unwrap() else {
            panic!()
        };
        let arrival = Arrival { connection: "ucn_1".to_owned(), call: *call, leg: LegId(leg) };
        self.handle.work.send(Work::Arrived(Box::new(arrival))).await.unwrap();
    }

    /// A customer is in call `c1`, as leg 1 of conversation 1.
    pub async fn customer(&mut self) {
        self.rings(1).await;
        assert!(matches!(self.told().await, Input::Arrived { line: Line::Unified, .. }));
        self.answers("POST callConnections:answer", 200, json!({ "callConnectionId": "c1", "callConnectionState": "connecting" }));
        self.act(1, Action::Answer { conversation: conversation(), leg: LegId(1), line: Line::Unified });
        self.asked("POST callConnections:answer").await;
        self.happens("CallConnected", json!({ "callConnectionId": "c1", "operationContext": LegId(1).to_string() })).await;
        assert!(matches!(self.told().await, Input::Connected { leg: LegId(1), token: Some(_) }));
        self.asked("POST callConnections/c1:startContinuousDtmfRecognition").await;
    }

    /// An agent is called into it as leg 2 by wish 2.
    pub async fn dial_agent(&mut self) -> Value {
        self.answers("POST callConnections/c1/participants:add", 202, json!({ "invitationId": "inv" }));
        self.act(2, dial(2, dreiklang_core::endpoint::Endpoint::Address(AGENT.to_owned())));
        let asked = self.asked("POST callConnections/c1/participants:add").await;
        assert_eq!(self.told().await, Input::Ringing { leg: LegId(2) });
        asked
    }

    /// And takes it.
    pub async fn agent(&mut self) {
        self.dial_agent().await;
        self.happens("AddParticipantSucceeded", about(2, json!({ "participant": { "rawId": agent_raw() } }))).await;
        assert!(matches!(self.told().await, Input::Connected { leg: LegId(2), .. }));
    }
}

pub fn conversation() -> dreiklang_core::ids::ConversationId {
    dreiklang_core::ids::ConversationId(1)
}

pub fn dial(leg: u128, to: dreiklang_core::endpoint::Endpoint) -> Action {
    Action::Dial {
        conversation: conversation(),
        leg: LegId(leg),
        line: Line::Unified,
        to,
        caller: dreiklang_core::endpoint::Party { number: Some("+49170".to_owned()), name: None },
        ring_limit: dreiklang_core::time::Millis::from_secs(20),
    }
}

pub fn agent_raw() -> String {
    format!("8:acs:{RESOURCE}_{DIRECTORY}_{AGENT}")
}

/// An event's data about call `c1` and the operation that began a leg.
pub fn about(leg: u128, mut more: Value) -> Value {
    more["callConnectionId"] = json!("c1");
    more["operationContext"] = json!(LegId(leg).to_string());
    more
}

async fn answer(State(service): State<Service>, method: Method, uri: Uri, body: Bytes) -> (StatusCode, String) {
    let path = uri.path().trim_start_matches("/calling/").to_owned();
    let what = format!("{method} {path}");
    let body = serde_json::from_slice(&body).unwrap_or_default();
    let told = service.answers.lock().unwrap().get_mut(&what).and_then(VecDeque::pop_front);
    service.asked.lock().unwrap().push(Asked { what, body });
    service.told.notify_waiters();
    let (status, body) = told.unwrap_or((if method == Method::GET { 404 } else { 202 }, json!({})));
    (StatusCode::from_u16(status).unwrap(), body.to_string())
}
