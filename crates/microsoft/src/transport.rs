//! One request to a service: sent, and sent again where that cannot do anything twice.
//!
//! Decides what may be repeated. A refusal for lack of room (429) and a connection that never came about have done nothing, so
//! anything may be sent again. After any other failure it is unknown whether the service has acted: then only requests are repeated
//! that are harmless twice.

use crate::limits;
use reqwest::{Method, Request, Response, StatusCode, Url, header};
use std::{
    net::SocketAddr,
    time::{Duration, SystemTime},
};
use tokio::time::Instant;

/// How services are reached.
#[derive(Clone, Debug, Default)]
pub struct TransportConfig {
    /// Certificates (PEM) of authorities that are trusted on top of the public ones.
    pub authorities: Option<Vec<u8>>,
    /// Names that are looked up here instead of in the network.
    pub names: Vec<(String, SocketAddr)>,
    /// Addresses without encryption are used as well; for the lab.
    pub allow_plain: bool,
}

/// Why there is no transport.
#[derive(Debug, thiserror::Error)]
#[error("requests to Microsoft cannot be set up: {0}")]
pub struct TransportError(String);

/// Sends requests. Cheap to clone; clones share their connections.
#[derive(Clone, Debug)]
pub struct Transport {
    client: reqwest::Client,
    allow_plain: bool,
}

/// Why an operation did not succeed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// The service said no.
    #[error("HTTP {status}, {code}: {message}")]
    Refused {
        /// HTTP status.
        status: u16,
        /// The service's own code; empty where it named none.
        code: String,
        /// For people.
        message: String,
    },
    /// Nothing was carried out: the service could not be reached or had no room.
    #[error("not carried out: {0}")]
    NotTaken(String),
    /// It may have been carried out: the answer did not come.
    #[error("may have been carried out: {0}")]
    Uncertain(String),
    /// Carried out, but the answer cannot be read.
    #[error("the answer cannot be read: {0}")]
    Unreadable(String),
    /// It cannot be asked like this.
    #[error("{0}")]
    Impossible(String),
}

impl Failure {
    /// The status of a refusal.
    pub fn status(&self) -> Option<u16> {
        match self {
            Failure::Refused { status, .. } => Some(*status),
            _ => None,
        }
    }

    /// What was asked for does not exist (any more).
    pub fn is_gone(&self) -> bool {
        matches!(self.status(), Some(404 | 410))
    }
}

/// Whether a request is harmless when it is carried out twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Repeat {
    /// It is, or the service recognizes it by an id.
    Safe,
    /// It would be heard, or counted, twice.
    Unsafe,
}

impl Transport {
    /// Sets requests up.
    ///
    /// # Errors
    /// When the certificates are none.
    pub fn new(config: TransportConfig) -> Result<Transport, TransportError> {
        let mut builder = reqwest::Client::builder()
            // A redirect would carry credentials elsewhere.
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(limits::CONNECT)
            .timeout(limits::ATTEMPT)
            .user_agent(concat!("Dreiklang/", env!("CARGO_PKG_VERSION")));
        for (name, address) in &config.names {
            builder = builder.resolve(name, *address);
        }
        if let Some(pem) = &config.authorities {
            let found = reqwest::Certificate::from_pem_bundle(pem).map_err(|error| TransportError(told(&error)))?;
            builder = builder.tls_certs_merge(found);
        }
        let client = builder.build().map_err(|error| TransportError(told(&error)))?;
        Ok(Transport { client, allow_plain: config.allow_plain })
    }

    /// The address, if it may be used.
    pub(crate) fn address(&self, text: &str) -> Result<Url, Failure> {
        let url = Url::parse(text).map_err(|error| Failure::Impossible(format!("\"{text}\" is no address: {error}")))?;
        match url.scheme() {
            "https" => Ok(url),
            "http" if self.allow_plain => Ok(url),
            other => Err(Failure::Impossible(format!("the address {text} begins with {other}://; https:// is needed"))),
        }
    }

    pub(crate) fn request(&self, method: Method, url: Url) -> reqwest::RequestBuilder {
        self.client.request(method, url)
    }

    /// Sends what `prepare` makes for each attempt, until the service has answered for good. The answer has a status of success.
    pub(crate) async fn send<F, T>(&self, repeat: Repeat, prepare: F) -> Result<Response, Failure>
    where
        F: Fn() -> T,
        T: Future<Output = Result<Request, Failure>>,
    {
        let until = Instant::now() + limits::OPERATION;
        let mut pause = limits::PAUSE;
        let mut attempt = 1;
        loop {
            let request = prepare().await?;
            let (failure, wait, again) = match self.client.execute(request).await {
                Ok(response) if response.status().is_success() => return Ok(response),
                Ok(response) => {
                    let status = response.status();
                    let wait = retry_after(&response);
                    let none_taken = status == StatusCode::TOO_MANY_REQUESTS;
                    let passing = status.is_server_error() || status == StatusCode::REQUEST_TIMEOUT;
                    (refusal(response).await, wait, none_taken || (passing && repeat == Repeat::Safe))
                }
                Err(error) if error.is_connect() => (Failure::NotTaken(told(&error.without_url())), None, true),
                Err(error) => (Failure::Uncertain(told(&error.without_url())), None, repeat == Repeat::Safe),
            };
            let wait = wait.unwrap_or(pause).max(Duration::from_millis(1));
            if !again || attempt >= limits::ATTEMPTS || Instant::now() + wait >= until {
                return Err(failure);
            }
            tracing::debug!(%failure, attempt, ?wait, "a request is tried again");
            tokio::time::sleep(wait + wait.mul_f64(chance() / 5.0)).await;
            pause *= 2;
            attempt += 1;
        }
    }
}

/// What the service asked for, in seconds or as a date (RFC 9110 §10.2.3).
fn retry_after(response: &Response) -> Option<Duration> {
    let milliseconds = |name: &str| response.headers().get(name)?.to_str().ok()?.trim().parse().ok().map(Duration::from_millis);
    if let Some(wait) = milliseconds("retry-after-ms").or_else(|| milliseconds("x-ms-retry-after-ms")) {
        return Some(wait);
    }
    let text = response.headers().get(header::RETRY_AFTER)?.to_str().ok()?.trim();
    match text.parse() {
        Ok(seconds) => Some(Duration::from_secs(seconds)),
        Err(_) => httpdate::parse_http_date(text).ok().map(|at| at.duration_since(SystemTime::now()).unwrap_or_default()),
    }
}

/// The service's own words.
async fn refusal(response: Response) -> Failure {
    let status = response.status().as_u16();
    let body = read(response, limits::ANSWER_BYTES).await.unwrap_or_default();
    let parsed: serde_json::Value = serde_json::from_slice(&body).unwrap_or_default();
    // The communication services say {"error":{"code","message"}}, the token service {"error","error_description"}.
    let error = &parsed["error"];
    let text = |value: &serde_json::Value| match value {
        serde_json::Value::String(text) => Some(text.clone()),
        serde_json::Value::Number(number) => Some(number.to_string()),
        _ => None,
    };
    let code = text(&error["code"]).or_else(|| text(error)).unwrap_or_default();
    let message = text(&error["message"]).or_else(|| text(&parsed["error_description"]));
    let message = message.unwrap_or_else(|| String::from_utf8_lossy(&body).into_owned());
    Failure::Refused { status, code, message: message.chars().take(limits::TOLD_CHARS).collect() }
}

/// The body, as far as it is not larger than `most`.
pub(crate) async fn read(mut response: Response, most: usize) -> Result<Vec<u8>, Failure> {
    let mut body = Vec::new();
    loop {
        match response.chunk().await {
            Ok(Some(part)) if body.len() + part.len() <= most => body.extend_from_slice(&part),
            Ok(Some(_)) => return Err(Failure::Unreadable(format!("it is longer than {most} bytes"))),
            Ok(None) => return Ok(body),
            Err(error) => return Err(Failure::Unreadable(told(&error.without_url()))),
        }
    }
}

/// An error with what is behind it.
pub(crate) fn told(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(behind) = source {
        text.push_str(": ");
        text.push_str(&behind.to_string());
        source = behind.source();
    }
    text.chars().take(limits::TOLD_CHARS).collect()
}

/// 0 to 1, so that many who failed together do not come back together.
fn chance() -> f64 {
    let mut bytes = [0_u8; 2];
    // Without randomness they do come back together, which is no reason to fail.
    let _ = getrandom::fill(&mut bytes);
    f64::from(u16::from_le_bytes(bytes)) / f64::from(u16::MAX)
}
