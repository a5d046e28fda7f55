//! Where Microsoft calls us: events of calls, deliveries of Event Grid, and prompts that it fetches to play.
//!
//! These requests prove themselves in their own ways, which their line checks; nobody is signed in here. They are answered at once and
//! worked on afterwards.

use crate::{
    error::{Code, Problem},
    state::AppState,
};
use axum::{
    Router,
    body::{Body, Bytes},
    extract::{DefaultBodyLimit, Path, Query, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use dreiklang_lines::unified::{Handle, hooks::Reply};
use serde::Deserialize;

/// Largest delivery.
const BODY_BYTES: usize = 1024 * 1024;

/// The routes.
pub(crate) fn router() -> Router<AppState> {
    Router::new()
        .route("/hooks/unified/{connection}/events", post(event_grid))
        .route("/hooks/unified/{connection}/calls", post(calls))
        .route("/hooks/unified/prompts/{file}/{until}/{signature}", get(prompt))
        .layer(DefaultBodyLimit::max(BODY_BYTES))
}

#[derive(Deserialize)]
struct Key {
    #[serde(default)]
    key: String,
}

async fn event_grid(
    State(state): State<AppState>,
    Path(connection): Path<String>,
    Query(Key { key }): Query<Key>,
    body: Bytes,
) -> Response {
    match line(&state) {
        Ok(line) => answer(line.event_grid(&connection, &key, &body)),
        Err(problem) => problem.into_response(),
    }
}

async fn calls(State(state): State<AppState>, Path(connection): Path<String>, headers: HeaderMap, body: Bytes) -> Response {
    let authorization = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    match line(&state) {
        Ok(line) => answer(line.callback(&connection, authorization, &body).await),
        Err(problem) => problem.into_response(),
    }
}

async fn prompt(State(state): State<AppState>, Path((file, until, signature)): Path<(String, u64, String)>) -> Response {
    let found = || line(&state).ok()?.prompt(file.strip_suffix(".wav")?, until, &signature);
    match found() {
        Some(audio) => {
            let headers = [(header::CONTENT_TYPE, "audio/wav"), (header::CACHE_CONTROL, "private, max-age=600")];
            (headers, Body::from(audio.as_ref().clone())).into_response()
        }
        None => nothing().into_response(),
    }
}

fn line(state: &AppState) -> Result<&Handle, Problem> {
    state.runtime().lines().unified().ok_or_else(nothing)
}

fn nothing() -> Problem {
    Problem::new(Code::NotFound, "There is nothing at this address.")
}

fn answer(reply: Reply) -> Response {
    match reply {
        Reply::Taken => StatusCode::OK.into_response(),
        Reply::Body(json) => ([(header::CONTENT_TYPE, "application/json")], json).into_response(),
        Reply::Unknown => nothing().into_response(),
        Reply::Refused(why) => Problem::new(Code::NotSignedIn, format!("This is not taken: {why}.")).into_response(),
        Reply::Malformed(why) => Problem::new(Code::Malformed, why).into_response(),
        Reply::Later => Problem::new(Code::Unavailable, "Not now; send it again.").retry_after(5).into_response(),
    }
}
