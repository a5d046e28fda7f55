//! Recordings and their playback.

use super::prompts::serve_file;
use crate::{
    api::{document::write, extract::id, guard::guard},
    auth::{Permission as P, Principal},
    error::{Code, Problem},
    state::AppState,
};
use axum::{
    Json,
    extract::{Path, Request, State},
    http::{Method, header},
    response::Response,
};
use dreiklang_core::ids::RecordingId;
use dreiklang_store::report::recordings as rows;
use serde::Serialize;
use serde_json::json;
use std::path::{Component, Path as FilePath};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

/// A recording of a conversation.
#[derive(Debug, Serialize, ToSchema)]
pub struct Recording {
    /// Which.
    pub id: String,
    /// Of which conversation.
    pub conversation: String,
    /// `recording`, `finished` or `failed`.
    pub status: String,
    /// When it began.
    pub started_at: i64,
    /// When it was closed.
    pub finished_at: Option<i64>,
    /// Length of the audio.
    pub duration_ms: Option<u64>,
    /// Channels; customer left, agent right.
    pub channels: Option<u8>,
    /// Why there is none.
    pub failure: Option<String>,
}

impl Recording {
    /// As programs see it; where it lies is our business.
    pub(super) fn of(row: &rows::Recording) -> Recording {
        Recording {
            id: row.id.to_string(),
            conversation: row.conversation.to_string(),
            status: crate::metrics::word(&row.status),
            started_at: row.started_at.0,
            finished_at: row.finished_at.map(|at| at.0),
            duration_ms: row.duration.map(|span| span.0),
            channels: row.channels,
            failure: row.failure.clone(),
        }
    }
}

pub(super) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(guard(P::HearRecordings, routes!(read))).routes(guard(P::HearRecordings, routes!(audio)))
}

async fn find(state: &AppState, principal: &Principal, text: &str) -> Result<rows::Recording, Problem> {
    let recording: RecordingId = id("recording", text)?;
    state.store().recording(principal.tenant, recording).await?.ok_or_else(|| Problem::not_found("recording", text))
}

/// Reads what is known of a recording.
#[utoipa::path(get, path = "/recordings/{id}", tag = "recordings", operation_id = "getRecording", params(("id" = String, Path, description = "Which.")),
    responses((status = 200, description = "The recording.", body = Recording)))]
async fn read(State(state): State<AppState>, principal: Principal, Path(id): Path<String>) -> Result<Json<Recording>, Problem> {
    Ok(Json(Recording::of(&find(&state, &principal, &id).await?)))
}

/// Plays a recording; answers ranges. Every playback is noted in the audit log.
#[utoipa::path(get, path = "/recordings/{id}/audio", tag = "recordings", operation_id = "getRecordingAudio", params(("id" = String, Path, description = "Which.")),
    responses((status = 200, description = "The audio.", content_type = "audio/wav"), (status = 206, description = "The part asked for.", content_type = "audio/wav")))]
async fn audio(State(state): State<AppState>, principal: Principal, Path(id): Path<String>, request: Request) -> Result<Response, Problem> {
    let recording = find(&state, &principal, &id).await?;
    play(&state, &principal, recording, "recording.played", &id, request).await
}

/// Serves the audio, and notes under `done` who heard what (`subject`).
pub(super) async fn play(
    state: &AppState,
    principal: &Principal,
    recording: rows::Recording,
    done: &str,
    subject: &str,
    request: Request,
) -> Result<Response, Problem> {
    let path = recording.path.ok_or_else(|| {
        Problem::new(
            Code::NotFound,
            recording.failure.unwrap_or_else(|| "The recording is not finished yet; try again after the conversation.".to_owned()),
        )
    })?;
    let path = FilePath::new(&path);
    // The path comes from our own journal; a wrong one must still not lead anywhere else.
    if path.components().any(|part| !matches!(part, Component::Normal(_))) {
        return Err(Problem::new(Code::NotFound, "The recording's place is not known."));
    }
    let path = state.config().recordings_directory().join(path);
    // Players ask for one part after the other; one line per playback is enough.
    let range = request.headers().get(header::RANGE).and_then(|value| value.to_str().ok()).unwrap_or("bytes=0-").to_owned();
    if request.method() == Method::GET && range.starts_with("bytes=0-") {
        write::note(state, principal, done, subject, json!({ "conversation": recording.conversation })).await?;
    }
    serve_file(&path, request, &format!("{subject}.wav")).await
}
