//! Commands to the recording of a conversation under way.

use super::command;
use crate::{
    api::{extract::Body, guard::guard},
    auth::{Permission as P, Principal},
    error::Problem,
    state::AppState,
};
use axum::{
    extract::{Path, State},
    http::StatusCode,
};
use dreiklang_core::{Command, time::Millis};
use serde::Deserialize;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

/// What kind of pause.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct PauseRequest {
    /// Something is said that must not be recorded, such as a card's number: the pause ends by itself, after `at_most_ms` or with
    /// the talk, and a recording that cannot be paused for sure is ended.
    pub secure: bool,
    /// How long at most; a secure pause has a limit even when none is given.
    pub at_most_ms: Option<u64>,
}

pub(super) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(guard(P::ControlOwnConversations, routes!(start)))
        .routes(guard(P::ControlOwnConversations, routes!(pause)))
        .routes(guard(P::ControlOwnConversations, routes!(resume)))
        .routes(guard(P::ControlOwnConversations, routes!(stop)))
}

/// Records the conversation from now on.
#[utoipa::path(post, path = "/conversations/{id}/recording/start", tag = "conversations", operation_id = "startRecording",
    params(("id" = String, Path, description = "Which.")), responses((status = 204, description = "Begun.")))]
async fn start(State(state): State<AppState>, principal: Principal, Path(id): Path<String>) -> Result<StatusCode, Problem> {
    command(&state, &principal, &id, |conversation| Command::StartRecording { conversation }).await
}

/// Records nothing for a while; the gap is kept with the recording.
#[utoipa::path(post, path = "/conversations/{id}/recording/pause", tag = "conversations", operation_id = "pauseRecording", request_body = PauseRequest,
    params(("id" = String, Path, description = "Which.")), responses((status = 204, description = "Begun.")))]
async fn pause(
    State(state): State<AppState>,
    principal: Principal,
    Path(id): Path<String>,
    Body(wanted): Body<PauseRequest>,
) -> Result<StatusCode, Problem> {
    let at_most = wanted.at_most_ms.map(Millis);
    command(&state, &principal, &id, |conversation| Command::PauseRecording { conversation, secure: wanted.secure, at_most }).await
}

/// Records again.
#[utoipa::path(post, path = "/conversations/{id}/recording/resume", tag = "conversations", operation_id = "resumeRecording",
    params(("id" = String, Path, description = "Which.")), responses((status = 204, description = "Begun.")))]
async fn resume(State(state): State<AppState>, principal: Principal, Path(id): Path<String>) -> Result<StatusCode, Problem> {
    command(&state, &principal, &id, |conversation| Command::ResumeRecording { conversation }).await
}

/// Records no more of this conversation.
#[utoipa::path(post, path = "/conversations/{id}/recording/stop", tag = "conversations", operation_id = "stopRecording",
    params(("id" = String, Path, description = "Which.")), responses((status = 204, description = "Begun.")))]
async fn stop(State(state): State<AppState>, principal: Principal, Path(id): Path<String>) -> Result<StatusCode, Problem> {
    command(&state, &principal, &id, |conversation| Command::StopRecording { conversation }).await
}
