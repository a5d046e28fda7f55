//! One resource, and how requests to it are made, signed and repeated.

use super::{
    sign::{AccessKey, host_of, sign},
    version::ApiVersion,
};
use crate::{
    entra::{Application, Tokens},
    limits,
    transport::{Failure, Repeat, Transport, read, told},
};
use reqwest::{Method, Request, Url, header};
use serde::{Serialize, de::DeserializeOwned};
use std::time::SystemTime;
use uuid::Uuid;

/// The scope of tokens for calls; the two slashes are the service's.
pub const SCOPE: &str = "https://communication.azure.com//.default";

/// Names a wish, so that the service recognizes it when it comes again, even from another process of ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RequestId(pub u128);

impl RequestId {
    /// A new one.
    pub fn new() -> RequestId {
        RequestId(Uuid::new_v4().as_u128())
    }
}

impl Default for RequestId {
    fn default() -> RequestId {
        RequestId::new()
    }
}

/// What a resource is and how it is used.
#[derive(Clone, Debug, PartialEq)]
pub struct Settings {
    /// Such as `https://cc.communication.azure.com`.
    pub endpoint: String,
    /// Which version of the interface is spoken.
    pub version: ApiVersion,
    /// Which version of the interface for access is spoken.
    pub access_version: ApiVersion,
    /// How we prove who we are.
    pub credential: Credential,
}

/// How we prove who we are.
#[derive(Clone, Debug, PartialEq)]
pub enum Credential {
    /// By the resource's key.
    Key(AccessKey),
    /// By an application that has a role at the resource.
    Application(Application),
}

/// A resource, ready to be used. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Client {
    pub(super) transport: Transport,
    endpoint: Url,
    pub(super) version: ApiVersion,
    pub(super) access_version: ApiVersion,
    proof: Proof,
}

#[derive(Clone, Debug)]
enum Proof {
    Key(AccessKey),
    Tokens(Tokens),
}

/// What is sent.
pub(super) struct Call<'a> {
    pub method: Method,
    /// With a version for every operation, without for files.
    pub url: Url,
    pub body: Vec<u8>,
    /// The service recognizes it by this.
    pub id: Option<RequestId>,
    pub repeat: Repeat,
    /// For files: whom it is signed for.
    pub signed_host: Option<&'a str>,
    pub range: Option<String>,
}

impl<'a> Call<'a> {
    pub(super) fn new(method: Method, url: Url, repeat: Repeat) -> Call<'a> {
        Call { method, url, body: Vec::new(), id: None, repeat, signed_host: None, range: None }
    }
}

impl Client {
    /// Checks the settings; sends nothing.
    ///
    /// # Errors
    /// When the endpoint is no address.
    pub fn new(transport: Transport, settings: Settings) -> Result<Client, Failure> {
        let mut endpoint = transport.address(settings.endpoint.trim())?;
        endpoint.set_query(None);
        endpoint.set_fragment(None);
        let proof = match settings.credential {
            Credential::Key(key) => Proof::Key(key),
            Credential::Application(application) => Proof::Tokens(Tokens::new(transport.clone(), application, SCOPE)),
        };
        Ok(Client { transport, endpoint, version: settings.version, access_version: settings.access_version, proof })
    }

    /// The version of the interface that is spoken.
    pub fn version(&self) -> &ApiVersion {
        &self.version
    }

    pub(super) fn host(&self) -> String {
        host_of(&self.endpoint)
    }

    pub(super) fn host_name(&self) -> &str {
        self.endpoint.host_str().unwrap_or_default()
    }

    /// An operation's address. Parts are escaped here.
    pub(super) fn url(&self, parts: &[&str], version: &ApiVersion) -> Result<Url, Failure> {
        let mut url = self.endpoint.clone();
        {
            let mut path = url.path_segments_mut().map_err(|()| Failure::Impossible("the endpoint cannot have a path".to_owned()))?;
            path.pop_if_empty().extend(parts);
        }
        url.query_pairs_mut().append_pair("api-version", &version.0);
        Ok(url)
    }

    /// An operation that is harmless twice because the service recognizes it.
    pub(super) async fn post<B: Serialize>(&self, parts: &[&str], body: Option<&B>, id: RequestId) -> Result<Vec<u8>, Failure> {
        let call = Call { body: json(body)?, id: Some(id), ..Call::new(Method::POST, self.url(parts, &self.version)?, Repeat::Safe) };
        self.answer(&call).await
    }

    /// An operation that the service would carry out twice.
    pub(super) async fn post_once<B: Serialize>(&self, parts: &[&str], body: Option<&B>) -> Result<Vec<u8>, Failure> {
        let call = Call { body: json(body)?, ..Call::new(Method::POST, self.url(parts, &self.version)?, Repeat::Unsafe) };
        self.answer(&call).await
    }

    /// An operation that has the same effect however often it is asked for, without the service's help.
    pub(super) async fn post_same<B: Serialize>(&self, parts: &[&str], body: Option<&B>) -> Result<Vec<u8>, Failure> {
        let call = Call { body: json(body)?, ..Call::new(Method::POST, self.url(parts, &self.version)?, Repeat::Safe) };
        self.answer(&call).await
    }

    pub(super) async fn answer(&self, call: &Call<'_>) -> Result<Vec<u8>, Failure> {
        read(self.send(call).await?, limits::ANSWER_BYTES).await
    }

    /// Sends it, once more with a fresh token where the present one is not taken any more.
    pub(super) async fn send(&self, call: &Call<'_>) -> Result<reqwest::Response, Failure> {
        let first_sent = httpdate::fmt_http_date(SystemTime::now());
        let attempt = || self.prepare(call, &first_sent);
        let sent = self.transport.send(call.repeat, attempt).await;
        match (&sent, &self.proof) {
            (Err(failure), Proof::Tokens(tokens)) if failure.status() == Some(401) => {
                if let Ok(token) = tokens.token().await {
                    tokens.forget(&token).await;
                }
                self.transport.send(call.repeat, attempt).await
            }
            _ => sent,
        }
    }

    /// One attempt: signed anew, because the time is part of what is signed; the id stays.
    async fn prepare(&self, call: &Call<'_>, first_sent: &str) -> Result<Request, Failure> {
        let mut request = self.transport.request(call.method.clone(), call.url.clone()).header(header::ACCEPT, "application/json");
        if let Some(id) = call.id {
            request = request
                .header("Repeatability-Request-ID", Uuid::from_u128(id.0).to_string())
                .header("Repeatability-First-Sent", first_sent);
        }
        if let Some(range) = &call.range {
            request = request.header(header::RANGE, range);
        }
        match &self.proof {
            Proof::Key(key) => {
                let sent_to = host_of(&call.url);
                let host = call.signed_host.unwrap_or(&sent_to);
                let proof = sign(key, call.method.as_str(), &call.url, host, &call.body, SystemTime::now());
                request = request
                    .header("x-ms-date", proof.date)
                    .header("x-ms-content-sha256", proof.content_hash)
                    .header(header::AUTHORIZATION, proof.authorization);
                if call.signed_host.is_some() {
                    request = request.header("x-ms-host", host);
                }
            }
            Proof::Tokens(tokens) => request = request.bearer_auth(tokens.token().await?),
        }
        if !call.body.is_empty() {
            request = request.header(header::CONTENT_TYPE, "application/json");
        } else if call.method == Method::POST {
            request = request.header(header::CONTENT_LENGTH, "0");
        }
        request.body(call.body.clone()).build().map_err(|error| Failure::Impossible(told(&error.without_url())))
    }
}

fn json<B: Serialize>(body: Option<&B>) -> Result<Vec<u8>, Failure> {
    match body {
        Some(body) => serde_json::to_vec(body).map_err(|error| Failure::Impossible(error.to_string())),
        None => Ok(Vec::new()),
    }
}

/// What the service answered; an empty body is a value whose every part is missing.
pub(super) fn parsed<T: DeserializeOwned>(body: &[u8]) -> Result<T, Failure> {
    let body = if body.is_empty() { b"{}" } else { body };
    serde_json::from_slice(body).map_err(|error| Failure::Unreadable(error.to_string()))
}
