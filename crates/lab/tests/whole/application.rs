//! An application: signs its requests, answers the handshake, keeps what it is told.

use axum::{
    Router,
    body::Bytes,
    extract::{State, WebSocketUpgrade, ws::Message},
    http::{HeaderMap, StatusCode},
    response::IntoResponse,
    routing::{any, get, post},
};
use data_encoding::{BASE64, BASE64URL_NOPAD};
use dreiklang_lab::Lab;
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
    time::Duration,
};
use tokio::{net::TcpListener, sync::watch};

/// Limit for whatever should happen at once, with room for a busy machine.
pub const SOON: Duration = Duration::from_secs(20);

/// What it was told, newest last.
#[derive(Default)]
pub struct Told {
    pub grid: Vec<Value>,
    pub callbacks: Vec<(Value, Value)>,
    pub frames: Vec<Value>,
    /// Statuses to answer the next events and callbacks with, before all is well.
    pub refusals: VecDeque<u16>,
    pub socket_headers: Vec<HeaderMap>,
    pub wav: Vec<u8>,
}

pub struct Application {
    pub url: String,
    pub told: watch::Sender<Told>,
    base: String,
    key: String,
    http: reqwest::Client,
}

type Shared = (watch::Sender<Told>, Arc<Mutex<Vec<Value>>>);

impl Application {
    /// Starts it on any port, and subscribes it.
    pub async fn start(lab: &Lab) -> Arc<Application> {
        let application = Application::without_subscription(lab).await;
        lab.subscribe(&format!("{}/events", application.url)).await.unwrap();
        application
    }

    pub async fn without_subscription(lab: &Lab) -> Arc<Application> {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let told = watch::Sender::new(Told::default());
        let to_say = Arc::new(Mutex::new(Vec::new()));
        let router = Router::new()
            .route("/events", post(events))
            .route("/callbacks", post(callbacks))
            .route("/media", any(media))
            .route("/prompt.wav", get(|State((told, _)): State<Shared>| async move { told.borrow().wav.clone() }))
            .with_state((told.clone(), Arc::clone(&to_say)));
        tokio::spawn(async move { axum::serve(listener, router).await });
        let mut http = reqwest::Client::builder().no_proxy();
        if let Some(pem) = lab.ca_pem() {
            http = http.tls_certs_only([reqwest::Certificate::from_pem(pem.as_bytes()).unwrap()]);
        }
        let http = http.build().unwrap();
        Arc::new(Application { url, told, base: lab.url().to_owned(), key: lab.access_key(), http })
    }

    /// Waits for something among what it was told.
    pub async fn wait<T>(&self, what: &str, mut look: impl FnMut(&Told) -> Option<T>) -> T {
        let mut told = self.told.subscribe();
        let waiting = async {
            loop {
                if let Some(found) = look(&told.borrow_and_update()) {
                    return found;
                }
                told.changed().await.unwrap();
            }
        };
        let found = tokio::time::timeout(SOON, waiting).await;
        found.unwrap_or_else(|_| panic!("waited for {what}, told {:?}", self.told.borrow().callbacks))
    }

    /// Waits for a callback of this kind; its data.
    pub async fn event(&self, kind: &str) -> Value {
        let kind = format!("Microsoft.Communication.{kind}");
        self.wait(&kind.clone(), |told| {
            told.callbacks.iter().rfind(|(event, _)| event["type"] == kind.as_str()).map(|(event, _)| event["data"].clone())
        })
        .await
    }

    /// Waits for an incoming call; its data.
    pub async fn incoming(&self) -> Value {
        let is_call = |event: &&Value| event["eventType"] == "Microsoft.Communication.IncomingCall";
        self.wait("an incoming call", |told| told.grid.iter().rfind(is_call).map(|event| event["data"].clone())).await
    }

    /// Asks the service, signed. Status and body.
    pub async fn ask(&self, method: &str, path: &str, body: Option<Value>) -> (u16, Value) {
        self.ask_with(method, path, body, &[]).await
    }

    pub async fn ask_with(&self, method: &str, path: &str, body: Option<Value>, headers: &[(&str, String)]) -> (u16, Value) {
        let target = format!("{path}{}api-version=2026-03-12", if path.contains('?') { '&' } else { '?' });
        let body = body.map_or_else(String::new, |body| body.to_string());
        let date = jiff::Timestamp::now().strftime("%a, %d %b %Y %H:%M:%S GMT").to_string();
        let host = self.base.split("://").nth(1).unwrap();
        let hash = BASE64.encode(&Sha256::digest(body.as_bytes()));
        let key = BASE64.decode(self.key.as_bytes()).unwrap();
        let mut mac = Hmac::<Sha256>::new_from_slice(&key).unwrap();
        mac.update(format!("{method}\n{target}\n{date};{host};{hash}").as_bytes());
        let signature = BASE64.encode(&mac.finalize().into_bytes());
        let mut request = self
            .http
            .request(method.parse().unwrap(), format!("{}{target}", self.base))
            .header("x-ms-date", date)
            .header("x-ms-content-sha256", hash)
            .header("authorization", format!("HMAC-SHA256 SignedHeaders=x-ms-date;host;x-ms-content-sha256&Signature={signature}"))
            .header("content-type", "application/json")
            .body(body);
        for (name, value) in headers {
            request = request.header(*name, value);
        }
        let answer = request.send().await.unwrap();
        let status = answer.status().as_u16();
        (status, answer.json().await.unwrap_or(Value::Null))
    }

    /// Asks without a signature.
    pub async fn plain(&self, method: &str, path: &str, body: Option<Value>) -> (u16, Value) {
        let mut request = self.http.request(method.parse().unwrap(), format!("{}{path}", self.base));
        if let Some(body) = body {
            request = request.json(&body);
        }
        let answer = request.send().await.unwrap();
        (answer.status().as_u16(), answer.json().await.unwrap_or(Value::Null))
    }

    /// Answers a call; the connection.
    pub async fn answer(&self, context: &Value, more: Value) -> String {
        let mut body = json!({
            "incomingCallContext": context, "callbackUri": format!("{}/callbacks", self.url), "operationContext": "answered",
            "callIntelligenceOptions": { "cognitiveServicesEndpoint": "https://ai" },
        });
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let (status, answer) = self.ask("POST", "/calling/callConnections:answer", Some(body)).await;
        assert_eq!(status, 200, "{answer}");
        answer["callConnectionId"].as_str().unwrap().to_owned()
    }

    /// Something about a call that has to be done.
    pub async fn call(&self, id: &str, what: &str, body: Value) -> Value {
        let (status, answer) = self.ask("POST", &format!("/calling/callConnections/{id}{what}"), Some(body)).await;
        assert!((200..300).contains(&status), "{what}: {status} {answer}");
        answer
    }
}

/// Takes a refusal from the list, if there is one.
fn refusal(told: &watch::Sender<Told>) -> Option<StatusCode> {
    let mut status = None;
    told.send_modify(|told| status = told.refusals.pop_front());
    status.and_then(|status| StatusCode::from_u16(status).ok())
}

async fn events(State((told, _)): State<Shared>, headers: HeaderMap, body: Bytes) -> impl IntoResponse {
    let events: Vec<Value> = serde_json::from_slice(&body).unwrap();
    if headers["aeg-event-type"] == "SubscriptionValidation" {
        let answer = json!({ "validationResponse": events[0]["data"]["validationCode"] });
        return (StatusCode::OK, axum::Json(answer)).into_response();
    }
    if let Some(status) = refusal(&told) {
        return status.into_response();
    }
    told.send_modify(|told| told.grid.extend(events));
    StatusCode::OK.into_response()
}

async fn callbacks(State((told, _)): State<Shared>, headers: HeaderMap, body: Bytes) -> StatusCode {
    let events: Vec<Value> = serde_json::from_slice(&body).unwrap();
    if let Some(status) = refusal(&told) {
        return status;
    }
    let token = headers["authorization"].to_str().unwrap().strip_prefix("Bearer ").unwrap().to_owned();
    let claims = token.split('.').nth(1).unwrap();
    let claims: Value = serde_json::from_slice(&BASE64URL_NOPAD.decode(claims.as_bytes()).unwrap()).unwrap();
    told.send_modify(|told| told.callbacks.extend(events.into_iter().map(|event| (event, claims.clone()))));
    StatusCode::OK
}

/// Keeps the frames; says whatever it hears back, ten times a second.
async fn media(State((told, _)): State<Shared>, headers: HeaderMap, upgrade: WebSocketUpgrade) -> impl IntoResponse {
    told.send_modify(|told| told.socket_headers.push(headers));
    upgrade.on_upgrade(move |mut socket| async move {
        while let Some(Ok(message)) = socket.recv().await {
            let Message::Text(text) = message else { continue };
            let frame: Value = serde_json::from_str(text.as_str()).unwrap();
            if frame["kind"] == "AudioData" {
                let echo = json!({ "kind": "AudioData", "audioData": { "data": frame["audioData"]["data"] } });
                if socket.send(Message::text(echo.to_string())).await.is_err() {
                    return;
                }
            }
            told.send_modify(|told| told.frames.push(frame));
        }
    })
}
