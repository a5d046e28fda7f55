//! Drafts of flows: kept, looked at, played through and published. No call sees one before.

use super::{documents::tagged, flows};
use crate::{
    api::{
        document::{
            Document,
            flow::{DraftDryRun, Flow, FlowTrace},
            flow_draft::{self, DraftWrite, FlowDraft},
        },
        extract::{Body, IfMatch, Page, PageQuery, Query},
        guard::guard,
    },
    auth::{Permission as P, Principal},
    error::Problem,
    state::AppState,
};
use axum::{
    Json,
    extract::{Path, State},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use utoipa_axum::{router::OpenApiRouter, routes};

pub(super) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(guard(P::ReadConfiguration, routes!(list)))
        .routes(guard(P::WriteConfiguration, routes!(create)))
        .routes(guard(P::ReadConfiguration, routes!(read)))
        .routes(guard(P::WriteConfiguration, routes!(save)))
        .routes(guard(P::WriteConfiguration, routes!(remove)))
        .routes(guard(P::ReadConfiguration, routes!(try_out)))
        .routes(guard(P::WriteConfiguration, routes!(publish)))
}

fn shown(status: StatusCode, draft: FlowDraft) -> Response {
    let mut headers = HeaderMap::new();
    headers.extend(HeaderValue::from_str(&format!("\"{}\"", draft.version)).map(|tag| (header::ETAG, tag)));
    let location = format!("/api/v1/flows/{}/draft", draft.id);
    headers.extend(HeaderValue::from_str(&location).ok().filter(|_| status == StatusCode::CREATED).map(|place| (header::LOCATION, place)));
    (status, headers, Json(draft)).into_response()
}

/// Lists drafts of flows.
#[utoipa::path(get, path = "/flows/drafts", tag = "flows", operation_id = "listFlowDrafts", params(PageQuery),
    responses((status = 200, description = "A page, each with what keeps it from being published.", body = Page<FlowDraft>)))]
async fn list(State(state): State<AppState>, principal: Principal, Query(query): Query<PageQuery>) -> Result<Page<FlowDraft>, Problem> {
    let rows = query.rows()?;
    let drafts = flow_draft::list(&state, principal.tenant, query.cursor.as_deref(), rows + 1).await?;
    Ok(Page::cut(drafts, rows, |draft| draft.id.clone()))
}

/// Keeps the draft of a new flow.
#[utoipa::path(post, path = "/flows/drafts", tag = "flows", operation_id = "createFlowDraft", request_body = DraftWrite,
    responses((status = 201, description = "It is kept, whatever is wrong with it; `ETag` has its version.", body = FlowDraft)))]
async fn create(State(state): State<AppState>, principal: Principal, Body(body): Body<DraftWrite>) -> Result<Response, Problem> {
    Ok(shown(StatusCode::CREATED, flow_draft::put(&state, &principal, None, body).await?))
}

/// Reads the draft of a flow.
#[utoipa::path(get, path = "/flows/{id}/draft", tag = "flows", operation_id = "getFlowDraft",
    params(("id" = String, Path, description = "Which flow.")),
    responses((status = 200, description = "With what keeps it from being published; `ETag` has its version.", body = FlowDraft)))]
async fn read(State(state): State<AppState>, principal: Principal, Path(id): Path<String>) -> Result<Response, Problem> {
    Ok(shown(StatusCode::OK, flow_draft::read(&state, principal.tenant, &id).await?))
}

/// Keeps the draft of a flow.
#[utoipa::path(put, path = "/flows/{id}/draft", tag = "flows", operation_id = "saveFlowDraft", request_body = DraftWrite,
    params(("id" = String, Path, description = "Which flow."),
        ("If-Match" = String, Header, description = "The `ETag` of the draft this change builds on, `\"0\"` where there is none yet, or `*`.")),
    responses((status = 200, description = "It is kept, whatever is wrong with it.", body = FlowDraft)))]
async fn save(
    State(state): State<AppState>,
    principal: Principal,
    Path(id): Path<String>,
    if_match: IfMatch,
    Body(body): Body<DraftWrite>,
) -> Result<Response, Problem> {
    Ok(shown(StatusCode::OK, flow_draft::put(&state, &principal, Some((&id, if_match)), body).await?))
}

/// Gives the draft of a flow up; what is published stays.
#[utoipa::path(delete, path = "/flows/{id}/draft", tag = "flows", operation_id = "deleteFlowDraft",
    params(("id" = String, Path, description = "Which flow."), ("If-Match" = String, Header, description = "The `ETag` of the draft, or `*`.")),
    responses((status = 204, description = "It is gone.")))]
async fn remove(
    State(state): State<AppState>,
    principal: Principal,
    Path(id): Path<String>,
    if_match: IfMatch,
) -> Result<StatusCode, Problem> {
    flow_draft::remove(&state, &principal, &id, if_match).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Plays a call through the draft of a flow on paper. Nothing is written.
#[utoipa::path(post, path = "/flows/{id}/draft/dry-run", tag = "flows", operation_id = "dryRunFlowDraft", request_body = DraftDryRun,
    params(("id" = String, Path, description = "Which flow.")),
    responses((status = 200, description = "What the caller would go through.", body = FlowTrace)))]
async fn try_out(
    State(state): State<AppState>,
    principal: Principal,
    Path(id): Path<String>,
    Body(asked): Body<DraftDryRun>,
) -> Result<Json<FlowTrace>, Problem> {
    let flow = flow_draft::flow(&state, principal.tenant, &id).await?;
    flows::play(&state, principal.tenant, asked.of(&id, flow)).await
}

/// Publishes the draft of a flow, which is then gone.
#[utoipa::path(post, path = "/flows/{id}/draft/publish", tag = "flows", operation_id = "publishFlowDraft",
    params(("id" = String, Path, description = "Which flow."), ("If-Match" = String, Header, description = "The `ETag` of the draft, or `*`.")),
    responses((status = 200, description = "The flow is in effect; `ETag` has its version.", body = Document<Flow>)))]
async fn publish(
    State(state): State<AppState>,
    principal: Principal,
    Path(id): Path<String>,
    if_match: IfMatch,
) -> Result<Response, Problem> {
    Ok(tagged(StatusCode::OK, flow_draft::publish(&state, &principal, &id, if_match).await?, None))
}
