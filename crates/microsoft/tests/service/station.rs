//! A service that answers as it is told, and notes what it was asked.

use axum::{
    Router,
    body::{Body, Bytes},
    extract::State,
    http::{HeaderMap, Method, Response, Uri},
};
use dreiklang_microsoft::{
    Transport, TransportConfig,
    acs::{AccessKey, Client, Credential, Settings, version::ApiVersion},
};
use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
};

/// One request as it came.
#[derive(Clone, Debug)]
pub struct Asked {
    pub method: Method,
    pub target: String,
    pub headers: HeaderMap,
    pub body: String,
}

impl Asked {
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }
}

pub type Answer = (u16, Vec<(&'static str, String)>, String);

/// The service. Answers are used up one by one; the last one stays.
#[derive(Clone, Default)]
pub struct Station {
    pub answers: Arc<Mutex<VecDeque<Answer>>>,
    pub asked: Arc<Mutex<Vec<Asked>>>,
    pub address: String,
}

impl Station {
    pub async fn start(answers: Vec<Answer>) -> Station {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let station = Station { answers: Arc::new(Mutex::new(answers.into())), asked: Arc::default(), address };
        let app = Router::new().fallback(answer).with_state(station.clone());
        tokio::spawn(async move { axum::serve(listener, app).await });
        station
    }

    pub fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }

    pub fn transport() -> Transport {
        Transport::new(TransportConfig { allow_plain: true, ..TransportConfig::default() }).unwrap()
    }

    pub fn settings(&self) -> Settings {
        Settings {
            endpoint: self.address.clone(),
            version: ApiVersion::default(),
            access_version: ApiVersion("2025-06-30".to_owned()),
            credential: Credential::Key(AccessKey::parse("c2VjcmV0").unwrap()),
        }
    }

    pub fn client(&self) -> Client {
        Client::new(Station::transport(), self.settings()).unwrap()
    }
}

async fn answer(State(station): State<Station>, method: Method, uri: Uri, headers: HeaderMap, body: Bytes) -> Response<Body> {
    let target = uri.path_and_query().unwrap().to_string();
    station.asked.lock().unwrap().push(Asked { method, target, headers, body: String::from_utf8_lossy(&body).into_owned() });
    let mut answers = station.answers.lock().unwrap();
    let (status, headers, body) = if answers.len() > 1 { answers.pop_front().unwrap() } else { answers[0].clone() };
    let mut response = Response::builder().status(status);
    for (name, value) in headers {
        response = response.header(name, value);
    }
    response.body(Body::from(body)).unwrap()
}

pub fn ok(body: &str) -> Answer {
    (200, Vec::new(), body.to_owned())
}

pub fn status(status: u16) -> Answer {
    (status, vec![("retry-after-ms", "1".to_owned())], format!(r#"{{"error":{{"code":"{status}0","message":"no"}}}}"#))
}
