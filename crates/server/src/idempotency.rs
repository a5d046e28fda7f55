//! Commands that are repeated with the same `Idempotency-Key` get the first one's answer and have no second effect.
//!
//! Kept in memory for a day and bounded: a restart forgets them, as do very many commands. Both are rare compared with the lost
//! answers this is for.

use crate::{
    auth::Principal,
    error::{Code, Problem},
    limits,
    state::AppState,
};
use axum::{
    body::{Body, Bytes, to_bytes},
    extract::{Request, State},
    http::{HeaderMap, HeaderName, Method, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use dreiklang_core::ids::TenantId;
use sha2::{Digest, Sha256};
use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, Mutex, MutexGuard},
    time::Instant,
};

/// The header.
pub const HEADER: HeaderName = HeaderName::from_static("idempotency-key");
/// Answers longer than this are not remembered, in bytes; commands answer briefly.
const ANSWER_BYTES: usize = 64 * 1024;

#[derive(Clone, PartialEq, Eq, Hash)]
struct Key {
    tenant: TenantId,
    principal: String,
    key: String,
}

struct Entry {
    request: [u8; 32],
    at: Instant,
    /// `None` while the first request is being worked on.
    answer: Option<(StatusCode, Option<header::HeaderValue>, Bytes)>,
}

#[derive(Default)]
struct Remembered {
    entries: HashMap<Key, Entry>,
    order: VecDeque<(Instant, Key)>,
}

/// The remembered answers. Cheap to clone.
#[derive(Clone, Default)]
pub struct Answers {
    remembered: Arc<Mutex<Remembered>>,
}

/// Takes back the reservation of a request that was not answered, for example because the asker went away.
struct Reservation<'a> {
    answers: &'a Answers,
    key: Key,
    kept: bool,
}

impl Drop for Reservation<'_> {
    fn drop(&mut self) {
        if !self.kept {
            self.answers.lock().entries.remove(&self.key);
        }
    }
}

impl Answers {
    fn lock(&self) -> MutexGuard<'_, Remembered> {
        self.remembered.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    /// The answer given before, or a reservation for giving it.
    fn begin(&self, key: Key, request: [u8; 32], now: Instant) -> Result<Result<Response, Reservation<'_>>, Problem> {
        let mut remembered = self.lock();
        while let Some((at, _)) = remembered.order.front() {
            let old = now.saturating_duration_since(*at) >= limits::IDEMPOTENCY_TIME;
            if !old && remembered.order.len() < limits::IDEMPOTENCY_KEYS {
                break;
            }
            if let Some((at, key)) = remembered.order.pop_front()
                && remembered.entries.get(&key).is_some_and(|entry| entry.at == at)
            {
                remembered.entries.remove(&key);
            }
        }
        if let Some(entry) = remembered.entries.get(&key) {
            if entry.request != request {
                return Err(Problem::new(Code::KeyReused, "This Idempotency-Key came with another request before; make a new one."));
            }
            let Some((status, kind, body)) = entry.answer.clone() else {
                return Err(
                    Problem::new(Code::InProgress, "The first request with this Idempotency-Key is being worked on.").retry_after(1)
                );
            };
            let mut response = (status, body).into_response();
            if let Some(kind) = kind {
                response.headers_mut().insert(header::CONTENT_TYPE, kind);
            }
            response.headers_mut().insert(HeaderName::from_static("idempotency-replayed"), header::HeaderValue::from_static("true"));
            return Ok(Ok(response));
        }
        remembered.entries.insert(key.clone(), Entry { request, at: now, answer: None });
        remembered.order.push_back((now, key.clone()));
        Ok(Err(Reservation { answers: self, key, kept: false }))
    }

    fn keep(&self, key: &Key, status: StatusCode, kind: Option<header::HeaderValue>, body: Bytes) {
        if let Some(entry) = self.lock().entries.get_mut(key) {
            entry.answer = Some((status, kind, body));
        }
    }
}

/// Middleware for everything that changes something.
pub(crate) async fn layer(State(state): State<AppState>, request: Request, next: Next) -> Result<Response, Problem> {
    let changes = !matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS);
    let (Some(text), Some(principal), true) = (key_of(request.headers())?, request.extensions().get::<Principal>().cloned(), changes)
    else {
        return Ok(next.run(request).await);
    };
    let (parts, body) = request.into_parts();
    let body = to_bytes(body, limits::BODY_BYTES)
        .await
        .map_err(|_| Problem::new(Code::TooLarge, format!("With an Idempotency-Key a body has at most {} bytes.", limits::BODY_BYTES)))?;
    let mut digest = Sha256::new();
    digest.update(parts.method.as_str());
    digest.update([0]);
    digest.update(parts.uri.to_string());
    digest.update([0]);
    digest.update(&body);
    let key = Key { tenant: principal.tenant, principal: principal.id, key: text };
    let mut reservation = match state.answers().begin(key, digest.finalize().into(), Instant::now())? {
        Ok(answer) => return Ok(answer),
        Err(reservation) => reservation,
    };
    let response = next.run(Request::from_parts(parts, Body::from(body))).await;
    // What failed for reasons of ours may succeed the next time, so it is not remembered.
    if response.status().is_server_error() {
        return Ok(response);
    }
    let (parts, body) = response.into_parts();
    let body = to_bytes(body, ANSWER_BYTES).await.map_err(|error| Problem::failure(&error))?;
    state.answers().keep(&reservation.key, parts.status, parts.headers.get(header::CONTENT_TYPE).cloned(), body.clone());
    reservation.kept = true;
    drop(reservation);
    Ok(Response::from_parts(parts, Body::from(body)))
}

fn key_of(headers: &HeaderMap) -> Result<Option<String>, Problem> {
    let Some(value) = headers.get(HEADER) else { return Ok(None) };
    match value.to_str() {
        Ok(text) if !text.is_empty() && text.len() <= limits::IDEMPOTENCY_KEY_BYTES => Ok(Some(text.to_owned())),
        _ => Err(Problem::invalid(
            "Idempotency-Key",
            format!("An Idempotency-Key has 1 to {} printable characters.", limits::IDEMPOTENCY_KEY_BYTES),
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(text: &str) -> Key {
        Key { tenant: TenantId(1), principal: "p".into(), key: text.into() }
    }

    #[test]
    fn a_repeated_request_gets_the_first_answer() {
        let answers = Answers::default();
        let now = Instant::now();
        let Ok(Err(mut reservation)) = answers.begin(key("a"), [1; 32], now) else { panic!("the first one is worked on") };
        assert_eq!(answers.begin(key("a"), [1; 32], now).err().map(|problem| problem.code()), Some("API-014"));
        answers.keep(&key("a"), StatusCode::NO_CONTENT, None, Bytes::new());
        reservation.kept = true;
        drop(reservation);
        let Ok(Ok(answer)) = answers.begin(key("a"), [1; 32], now) else { panic!("the second one is answered from memory") };
        assert_eq!(answer.status(), StatusCode::NO_CONTENT);
        assert_eq!(answers.begin(key("a"), [2; 32], now).err().map(|problem| problem.code()), Some("API-009"));
    }

    #[test]
    fn an_unanswered_request_may_be_repeated() {
        let answers = Answers::default();
        let now = Instant::now();
        drop(answers.begin(key("a"), [1; 32], now));
        assert!(matches!(answers.begin(key("a"), [1; 32], now), Ok(Err(_))));
    }

    #[test]
    fn memory_is_bounded_in_number_and_time() {
        let answers = Answers::default();
        let now = Instant::now();
        for index in 0..limits::IDEMPOTENCY_KEYS + 10 {
            if let Ok(Err(mut reservation)) = answers.begin(key(&index.to_string()), [1; 32], now) {
                reservation.kept = true;
            }
        }
        assert!(answers.lock().entries.len() <= limits::IDEMPOTENCY_KEYS);
        let _ = answers.begin(key("later"), [1; 32], now + limits::IDEMPOTENCY_TIME);
        assert_eq!(answers.lock().entries.len(), 0, "the reservation was dropped, the others are old");
    }
}
