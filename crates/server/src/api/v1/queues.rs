//! What supervisors do with whole queues: close, open, tell everybody something.

use crate::{
    api::{
        document::queue::Prompt,
        extract::{Body, id},
        guard::guard,
    },
    auth::{Permission as P, Principal},
    error::Problem,
    http::no_content,
    state::AppState,
};
use axum::{
    extract::{Path, State},
    http::StatusCode,
};
use dreiklang_core::{Command, ids::QueueId, time::Timestamp};
use serde::Deserialize;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

/// Why a queue takes nobody, and until when.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Closing {
    /// For people.
    pub reason: String,
    /// When it opens by itself; absent: when somebody opens it.
    #[serde(default)]
    pub until: Option<i64>,
}

/// What everybody in a queue is told first.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Notice {
    /// A file or a text; absent: nothing any more.
    #[serde(default)]
    pub prompt: Option<Prompt>,
}

pub(super) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(guard(P::ControlAnyConversation, routes!(close)))
        .routes(guard(P::ControlAnyConversation, routes!(open)))
        .routes(guard(P::ControlAnyConversation, routes!(notice)))
}

async fn command(state: &AppState, principal: &Principal, command: Command) -> Result<StatusCode, Problem> {
    state.tenant(principal.tenant)?.command(principal.actor(None), command).await?;
    Ok(no_content())
}

/// Lets a queue take nobody; who waits already is served.
#[utoipa::path(post, path = "/queues/{id}/close", tag = "queues", operation_id = "closeQueue", request_body = Closing,
    params(("id" = String, Path, description = "Which.")), responses((status = 204, description = "Done.")))]
async fn close(
    State(state): State<AppState>,
    principal: Principal,
    Path(text): Path<String>,
    Body(closing): Body<Closing>,
) -> Result<StatusCode, Problem> {
    let queue: QueueId = id("queue", &text)?;
    let until = closing.until.map(Timestamp);
    command(&state, &principal, Command::CloseQueue { queue, reason: closing.reason, until }).await
}

/// Lets a queue take callers again.
#[utoipa::path(post, path = "/queues/{id}/open", tag = "queues", operation_id = "openQueue",
    params(("id" = String, Path, description = "Which.")), responses((status = 204, description = "Done.")))]
async fn open(State(state): State<AppState>, principal: Principal, Path(text): Path<String>) -> Result<StatusCode, Problem> {
    let queue: QueueId = id("queue", &text)?;
    command(&state, &principal, Command::OpenQueue { queue }).await
}

/// Tells everybody who waits in or comes to a queue something first.
#[utoipa::path(put, path = "/queues/{id}/notice", tag = "queues", operation_id = "setQueueNotice", request_body = Notice,
    params(("id" = String, Path, description = "Which.")), responses((status = 204, description = "Done.")))]
async fn notice(
    State(state): State<AppState>,
    principal: Principal,
    Path(text): Path<String>,
    Body(notice): Body<Notice>,
) -> Result<StatusCode, Problem> {
    let queue: QueueId = id("queue", &text)?;
    let notice = notice.prompt.as_ref().map(Prompt::to_core);
    command(&state, &principal, Command::SetNotice { queue, notice }).await
}
