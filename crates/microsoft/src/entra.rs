//! Tokens of an application by its own credential.

use crate::{
    limits,
    transport::{Failure, Repeat, Transport, read, told},
};
use reqwest::{Method, Url, header};
use serde::Deserialize;
use std::{
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::sync::Mutex;

/// The public cloud's sign-in.
pub const AUTHORITY: &str = "https://login.microsoftonline.com";

/// An application registered in a directory.
#[derive(Clone, PartialEq, Eq)]
pub struct Application {
    /// Where tokens are given out: [`AUTHORITY`], a national cloud, or the lab.
    pub authority: String,
    /// The directory it signs in to.
    pub tenant: String,
    /// Its client id.
    pub client: String,
    /// Its secret.
    pub secret: String,
}

impl std::fmt::Debug for Application {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Application").field("tenant", &self.tenant).field("client", &self.client).finish_non_exhaustive()
    }
}

/// Gets tokens for one scope and keeps the present one. Cheap to clone; clones share it.
#[derive(Clone, Debug)]
pub struct Tokens {
    transport: Transport,
    application: Application,
    scope: String,
    kept: Arc<Mutex<Option<Kept>>>,
}

#[derive(Debug)]
struct Kept {
    token: String,
    until: Instant,
}

#[derive(Deserialize)]
struct Answer {
    access_token: String,
    expires_in: u64,
}

impl Tokens {
    /// For an application and a scope such as `https://communication.azure.com//.default`.
    pub fn new(transport: Transport, application: Application, scope: &str) -> Tokens {
        Tokens { transport, application, scope: scope.to_owned(), kept: Arc::default() }
    }

    /// A token that lasts for a while. Whoever asks meanwhile waits for the same one.
    ///
    /// # Errors
    /// When it is refused, or the service does not answer. A token that still lasts is used until then.
    pub async fn token(&self) -> Result<String, Failure> {
        let mut kept = self.kept.lock().await;
        let now = Instant::now();
        if let Some(kept) = kept.as_ref().filter(|kept| kept.until > now + limits::TOKEN_MARGIN) {
            return Ok(kept.token.clone());
        }
        match self.fetch(now).await {
            Ok(fresh) => {
                let token = fresh.token.clone();
                *kept = Some(fresh);
                Ok(token)
            }
            Err(failure) => match kept.as_ref().filter(|kept| kept.until > Instant::now()) {
                Some(old) => {
                    tracing::warn!(%failure, "a token cannot be renewed yet; the present one is used");
                    Ok(old.token.clone())
                }
                None => Err(failure),
            },
        }
    }

    /// The service does not take this token any more.
    pub async fn forget(&self, token: &str) {
        let mut kept = self.kept.lock().await;
        if kept.as_ref().is_some_and(|kept| kept.token == token) {
            *kept = None;
        }
    }

    async fn fetch(&self, now: Instant) -> Result<Kept, Failure> {
        let Application { authority, tenant, client, secret } = &self.application;
        let url = self.transport.address(&format!("{}/{tenant}/oauth2/v2.0/token", authority.trim_end_matches('/')))?;
        let fields = [("grant_type", "client_credentials"), ("client_id", client), ("client_secret", secret), ("scope", &self.scope)];
        // Writing a form is part of writing addresses.
        let mut form = Url::parse("form:").map_err(|error| Failure::Impossible(told(&error)))?;
        form.query_pairs_mut().extend_pairs(fields);
        let body = form.query().unwrap_or_default().to_owned();
        let prepare = || async {
            self.transport
                .request(Method::POST, url.clone())
                .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
                .body(body.clone())
                .build()
                .map_err(|error| Failure::Impossible(told(&error.without_url())))
        };
        let response = self.transport.send(Repeat::Safe, prepare).await?;
        let body = read(response, limits::ANSWER_BYTES).await?;
        // What cannot be read may hold the token, so it is not repeated in the error.
        let answer: Answer = serde_json::from_slice(&body).map_err(|_| Failure::Unreadable("it is no token".to_owned()))?;
        Ok(Kept { token: answer.access_token, until: now + Duration::from_secs(answer.expires_in) })
    }
}
