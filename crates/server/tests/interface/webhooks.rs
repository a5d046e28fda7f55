//! Webhooks, with receivers of our own.

use super::server::{PATIENCE, Server, eventually};
use axum::{
    Router,
    body::Bytes,
    extract::State,
    http::{HeaderMap, StatusCode},
    routing::post,
};
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use std::sync::{Arc, Mutex};
use tokio::{net::TcpListener, sync::mpsc};

#[derive(Clone)]
struct Receiver {
    told: mpsc::Sender<(HeaderMap, Bytes)>,
    /// What to answer next; 200 when there is nothing.
    answers: Arc<Mutex<Vec<u16>>>,
}

async fn take(State(receiver): State<Receiver>, headers: HeaderMap, body: Bytes) -> StatusCode {
    let answer = receiver.answers.lock().unwrap().pop().unwrap_or(200);
    receiver.told.send((headers, body)).await.unwrap();
    StatusCode::from_u16(answer).unwrap()
}

struct Crm {
    url: String,
    events: mpsc::Receiver<(HeaderMap, Bytes)>,
    answers: Arc<Mutex<Vec<u16>>>,
}

impl Crm {
    async fn start() -> Crm {
        let (told, events) = mpsc::channel(100);
        let answers: Arc<Mutex<Vec<u16>>> = Arc::default();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/hooks", listener.local_addr().unwrap());
        let router = Router::new().route("/hooks", post(take)).with_state(Receiver { told, answers: Arc::clone(&answers) });
        tokio::spawn(async move { axum::serve(listener, router).await });
        Crm { url, events, answers }
    }

    async fn next(&mut self) -> (HeaderMap, Bytes) {
        tokio::time::timeout(PATIENCE, self.events.recv()).await.expect("an event comes").unwrap()
    }

    async fn event(&mut self) -> Value {
        serde_json::from_slice(&self.next().await.1).unwrap()
    }
}

async fn server() -> Server {
    Server::start_with(|config| config.webhooks.allow_local = true).await
}

#[tokio::test]
async fn an_event_is_delivered_signed() {
    let server = server().await;
    let mut crm = Crm::start().await;
    let (_, agent, _) = server.office().await;
    let made =
        server.post("/webhooks", json!({ "name": "CRM", "url": crm.url, "types": ["dev.dreiklang.agent.state_changed.v1"] })).await.ok();
    let secret = made["secret"].as_str().expect("shown once").to_owned();
    let path = format!("/webhooks/{}", made["id"].as_str().unwrap());
    assert_eq!(server.get(&path).await.ok().get("secret"), None);
    server.put(&format!("/agents/{agent}/duty"), json!({ "duty": "on_duty" })).await.ok();
    let (headers, body) = crm.next().await;
    assert_eq!(headers["content-type"], "application/cloudevents+json; charset=utf-8");
    let signature = headers["x-dreiklang-signature"].to_str().unwrap();
    let (time, code) = signature.strip_prefix("t=").unwrap().split_once(",v1=").unwrap();
    let mut mac = Hmac::<sha2::Sha256>::new_from_slice(secret.as_bytes()).unwrap();
    mac.update(format!("{time}.{}", str::from_utf8(&body).unwrap()).as_bytes());
    assert_eq!(code, data_encoding::HEXLOWER.encode(&mac.finalize().into_bytes()));
    let event: Value = serde_json::from_slice(&body).unwrap();
    assert_eq!((event["specversion"].as_str(), event["type"].as_str()), (Some("1.0"), Some("dev.dreiklang.agent.state_changed.v1")));
    assert_eq!((event["data"]["agent"].as_str(), event["data"]["duty"].as_str()), (Some(agent.as_str()), Some("on_duty")));
    let deliveries = eventually("the delivery is in the log", async || {
        let list = server.get(&format!("{path}/deliveries")).await.ok();
        (!list["items"].as_array().unwrap().is_empty()).then_some(list)
    })
    .await;
    assert_eq!((&deliveries["items"][0]["status"], &deliveries["items"][0]["error"]), (&json!(200), &Value::Null));
}

#[tokio::test]
async fn a_refused_event_is_sent_again() {
    let server = server().await;
    let mut crm = Crm::start().await;
    crm.answers.lock().unwrap().push(500);
    let webhook = server.make("/webhooks", json!({ "name": "CRM", "url": crm.url })).await;
    assert_eq!(server.post(&format!("/webhooks/{webhook}/test"), json!({})).await.status, 202);
    let first = crm.event().await;
    assert_eq!(first["type"], "dev.dreiklang.test.v1");
    let failed = eventually("the failure is in the log", async || {
        let list = server.get(&format!("/webhooks/{webhook}/deliveries")).await.ok();
        list["items"][0]["job"].as_u64()
    })
    .await;
    let resent = server.post(&format!("/webhooks/{webhook}/deliveries/{failed}/resend"), json!({})).await;
    assert_eq!(resent.status, 204, "{resent:?}");
    assert_eq!(crm.event().await["id"], first["id"], "the same event, so that the receiver can tell");
    eventually("the success is in the log", async || {
        let list = server.get(&format!("/webhooks/{webhook}/deliveries")).await.ok();
        (list["items"][0]["status"] == 200).then_some(())
    })
    .await;
    server.post(&format!("/webhooks/{webhook}/deliveries/{failed}/resend"), json!({})).await.problem(404, "API-003");
}

#[tokio::test]
async fn nothing_is_lost_over_a_restart() {
    let server = server().await;
    let mut crm = Crm::start().await;
    let (_, agent, _) = server.office().await;
    server.make("/webhooks", json!({ "name": "CRM", "url": crm.url, "types": ["dev.dreiklang.conversation.arrived.v1", "dev.dreiklang.agent.state_changed.v1"] })).await;
    server.put(&format!("/agents/{agent}/duty"), json!({ "duty": "on_duty" })).await.ok();
    crm.event().await;
    // While nobody dispatched, somebody called.
    let _server = server
        .restart(async |store, tenant| {
            let mut past = super::past::Past::after(store, tenant).await;
            past.arrive("+4930111", "+49302000");
            past.write(store, tenant).await;
        })
        .await;
    let mut arrived = crm.event().await;
    while arrived["type"] != "dev.dreiklang.conversation.arrived.v1" {
        arrived = crm.event().await;
    }
    assert_eq!((arrived["data"]["caller_number"].as_str(), arrived["data"]["dialed"].as_str()), (Some("+4930111"), Some("+49302000")));
}

#[tokio::test]
async fn addresses_of_this_machine_are_refused() {
    let server = Server::start().await;
    for url in ["https://127.0.0.1/", "http://crm.example.com/", "https://localhost/", "https://169.254.169.254/latest"] {
        let refused = server.post("/webhooks", json!({ "name": "CRM", "url": url })).await.problem(422, "HOOK-001");
        assert_eq!(refused["field"], "url");
    }
    server
        .post("/webhooks", json!({ "name": "CRM", "url": "https://crm.example.com/", "types": ["nothing"] }))
        .await
        .problem(422, "API-002");
}
