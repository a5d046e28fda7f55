//! Whether a request is Microsoft's: its token is checked before anything in it is believed.
//!
//! RS256 only. The keys are the issuer's published ones, kept for an hour; a key nobody knows lets them be read again, but not at the
//! will of whoever sends requests.

use crate::{
    limits,
    transport::{Failure, Repeat, Transport, read, told},
};
use aws_lc_rs::signature::{RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents};
use data_encoding::BASE64URL_NOPAD;
use reqwest::Method;
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::Value;
use std::{
    collections::BTreeMap,
    sync::Arc,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};
use tokio::sync::Mutex;

/// Where the service publishes how its tokens are checked.
pub const ACS_DISCOVERY: &str = "https://acscallautomation.communication.azure.com/calling/.well-known/acsopenidconfiguration";
/// Who signs the service's callbacks.
pub const ACS_ISSUER: &str = "https://acscallautomation.communication.azure.com";

/// Why a request is not believed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Untrusted {
    /// No `Authorization: Bearer`.
    #[error("the request has no token")]
    NoToken,
    /// Not three parts of base64url with JSON.
    #[error("its token cannot be read: {0}")]
    Malformed(&'static str),
    /// Another algorithm than RS256, `none` included.
    #[error("its token is signed by an algorithm that is not taken")]
    Algorithm,
    /// Nobody published this key.
    #[error("its token is signed by a key that is not published")]
    UnknownKey,
    /// Not signed by this key.
    #[error("its token's signature is wrong")]
    Signature,
    /// Somebody else's token.
    #[error("its token was given out by somebody else")]
    Issuer,
    /// For somebody else.
    #[error("its token is meant for somebody else")]
    Audience,
    /// Too old, or not valid yet.
    #[error("its token is not valid at this time; check this machine's clock")]
    Time,
    /// The keys cannot be read.
    #[error("the published keys cannot be read: {0}")]
    NoKeys(String),
}

/// Checks tokens of one issuer for one audience. Cheap to clone; clones share the keys.
#[derive(Clone, Debug)]
pub struct Verifier {
    transport: Transport,
    discovery: String,
    issuer: String,
    audience: String,
    keys: Arc<Mutex<Keys>>,
}

#[derive(Debug, Default)]
struct Keys {
    known: BTreeMap<String, Key>,
    read: Option<Instant>,
    tried: Option<Instant>,
}

#[derive(Clone, Debug)]
struct Key {
    n: Vec<u8>,
    e: Vec<u8>,
}

#[derive(Deserialize)]
struct Head {
    alg: String,
    #[serde(default)]
    kid: String,
}

#[derive(Deserialize)]
struct Claims {
    iss: String,
    aud: Value,
    exp: u64,
    #[serde(default)]
    nbf: Option<u64>,
}

#[derive(Deserialize)]
struct Discovery {
    jwks_uri: String,
}

#[derive(Deserialize)]
struct Jwks {
    keys: Vec<Value>,
}

#[derive(Deserialize)]
struct Jwk {
    kty: String,
    #[serde(default)]
    kid: String,
    n: String,
    e: String,
}

impl Verifier {
    /// `discovery` is the address of the OpenID configuration; `audience` the resource's immutable id.
    pub fn new(transport: Transport, discovery: &str, issuer: &str, audience: &str) -> Verifier {
        Verifier {
            transport,
            discovery: discovery.to_owned(),
            issuer: issuer.to_owned(),
            audience: audience.to_owned(),
            keys: Arc::default(),
        }
    }

    /// Checks the value of an `Authorization` header.
    ///
    /// # Errors
    /// Why it is not believed.
    pub async fn verify(&self, authorization: Option<&str>) -> Result<(), Untrusted> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        self.verify_at(authorization, now).await
    }

    /// The same at a time, counted from 1970.
    ///
    /// # Errors
    /// As [`Verifier::verify`].
    pub async fn verify_at(&self, authorization: Option<&str>, now: Duration) -> Result<(), Untrusted> {
        let token = authorization.and_then(bearer).ok_or(Untrusted::NoToken)?;
        if token.len() > limits::JWT_BYTES {
            return Err(Untrusted::Malformed("it is too long"));
        }
        let (signed, signature) = token.rsplit_once('.').ok_or(Untrusted::Malformed("it does not have three parts"))?;
        let (head, claims) = signed.split_once('.').ok_or(Untrusted::Malformed("it does not have three parts"))?;
        let head: Head = part(head)?;
        if head.alg != "RS256" {
            return Err(Untrusted::Algorithm);
        }
        let signature = BASE64URL_NOPAD.decode(signature.as_bytes()).map_err(|_| Untrusted::Malformed("its signature is no base64url"))?;
        let claims: Claims = part(claims)?;
        // What is cheap to refuse is refused before keys are looked for.
        self.check(&claims, now)?;
        let key = self.key(&head.kid).await?;
        RsaPublicKeyComponents { n: &key.n, e: &key.e }
            .verify(&RSA_PKCS1_2048_8192_SHA256, signed.as_bytes(), &signature)
            .map_err(|_| Untrusted::Signature)
    }

    fn check(&self, claims: &Claims, now: Duration) -> Result<(), Untrusted> {
        if claims.iss.trim_end_matches('/') != self.issuer.trim_end_matches('/') {
            return Err(Untrusted::Issuer);
        }
        let meant = |value: &Value| value.as_str().is_some_and(|text| text.eq_ignore_ascii_case(&self.audience));
        let for_us = match &claims.aud {
            Value::Array(several) => several.iter().any(meant),
            one => meant(one),
        };
        if !for_us {
            return Err(Untrusted::Audience);
        }
        let (now, leeway) = (now.as_secs(), limits::LEEWAY.as_secs());
        let ended = claims.exp.saturating_add(leeway) < now;
        let early = claims.nbf.is_some_and(|from| from > now.saturating_add(leeway));
        if ended || early { Err(Untrusted::Time) } else { Ok(()) }
    }

    /// The key of this name. Who asks while keys are being read waits for them.
    async fn key(&self, id: &str) -> Result<Key, Untrusted> {
        let mut keys = self.keys.lock().await;
        let fresh = keys.read.is_some_and(|at| at.elapsed() < limits::KEYS_FRESH);
        if let Some(key) = keys.known.get(id).filter(|_| fresh) {
            return Ok(key.clone());
        }
        // A stream of made-up names must not become a stream of requests.
        if keys.tried.is_some_and(|at| at.elapsed() < limits::KEYS_AGAIN) {
            return keys.known.get(id).cloned().ok_or(Untrusted::UnknownKey);
        }
        keys.tried = Some(Instant::now());
        match self.published().await {
            Ok(known) => {
                keys.known = known;
                keys.read = Some(Instant::now());
            }
            // Keys live for weeks: old ones are better than a contact center that hears nothing.
            Err(failure) if keys.known.contains_key(id) => tracing::warn!(%failure, "the published keys cannot be read again"),
            Err(failure) => return Err(Untrusted::NoKeys(failure.to_string())),
        }
        keys.known.get(id).cloned().ok_or(Untrusted::UnknownKey)
    }

    async fn published(&self) -> Result<BTreeMap<String, Key>, Failure> {
        let discovery: Discovery = self.get(&self.discovery).await?;
        let published: Jwks = self.get(&discovery.jwks_uri).await?;
        // Keys of kinds that we do not take stand among the others.
        let usable = |value: Value| {
            let jwk: Jwk = serde_json::from_value(value).ok().filter(|jwk: &Jwk| jwk.kty == "RSA")?;
            let number = |text: &str| BASE64URL_NOPAD.decode(text.trim_end_matches('=').as_bytes()).ok();
            Some((jwk.kid, Key { n: number(&jwk.n)?, e: number(&jwk.e)? }))
        };
        Ok(published.keys.into_iter().take(limits::KEYS).filter_map(usable).collect())
    }

    async fn get<T: DeserializeOwned>(&self, address: &str) -> Result<T, Failure> {
        let url = self.transport.address(address)?;
        let prepare = || async {
            self.transport.request(Method::GET, url.clone()).build().map_err(|error| Failure::Impossible(told(&error.without_url())))
        };
        let body = read(self.transport.send(Repeat::Safe, prepare).await?, limits::ANSWER_BYTES).await?;
        serde_json::from_slice(&body).map_err(|error| Failure::Unreadable(error.to_string()))
    }
}

fn bearer(header: &str) -> Option<&str> {
    let (scheme, token) = header.trim().split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then_some(token.trim())
}

fn part<T: DeserializeOwned>(text: &str) -> Result<T, Untrusted> {
    let json = BASE64URL_NOPAD.decode(text.as_bytes()).map_err(|_| Untrusted::Malformed("a part is no base64url"))?;
    serde_json::from_slice(&json).map_err(|_| Untrusted::Malformed("a part is not what it should be"))
}

/// The events of a delivery: an array, or one alone.
pub(crate) fn events<T: DeserializeOwned>(body: &[u8]) -> Result<Vec<T>, String> {
    if body.len() > limits::WEBHOOK_BYTES {
        return Err(format!("a delivery has at most {} bytes", limits::WEBHOOK_BYTES));
    }
    let value: Value = serde_json::from_slice(body).map_err(|error| format!("a delivery is JSON: {error}"))?;
    let events = match value {
        Value::Array(events) => events,
        one => vec![one],
    };
    if events.len() > limits::EVENTS {
        return Err(format!("a delivery has at most {} events", limits::EVENTS));
    }
    events.into_iter().map(|event| serde_json::from_value(event).map_err(|error| format!("an event cannot be read: {error}"))).collect()
}
