//! Flows beside their documents: played through on paper, and versions to look at and return to.

use super::documents::tagged;
use crate::{
    api::{
        document::{
            Document,
            flow::{DryRun, Flow, FlowTrace},
            flow_version::{self, FlowVersion},
            kind::Kind,
            reference, write,
        },
        extract::{Body, IfMatch},
        guard::guard,
    },
    auth::{Permission as P, Principal, secret},
    error::Problem,
    state::{AppState, now},
};
use axum::{
    Json,
    extract::{Path, State},
    http::StatusCode,
    response::Response,
};
use dreiklang_core::{
    config::{Change, validate},
    flow::dry_run,
    ids::TenantId,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

pub(super) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(guard(P::ReadConfiguration, routes!(try_out)))
        .routes(guard(P::ReadConfiguration, routes!(versions)))
        .routes(guard(P::ReadConfiguration, routes!(version)))
        .routes(guard(P::WriteConfiguration, routes!(publish)))
}

/// Versions of a flow.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct FlowVersions {
    /// Oldest first; the last one is in effect.
    pub items: Vec<FlowVersion>,
}

/// Checks a flow, published or not, and plays a call through on paper. Nothing is written.
#[utoipa::path(post, path = "/flows/dry-run", tag = "flows", operation_id = "dryRunFlow", request_body = DryRun,
    responses((status = 200, description = "What the caller would go through.", body = FlowTrace)))]
async fn try_out(State(state): State<AppState>, principal: Principal, Body(asked): Body<DryRun>) -> Result<Json<FlowTrace>, Problem> {
    play(&state, principal.tenant, asked).await
}

/// Plays a call through a flow that is not written.
///
/// # Errors
/// What keeps the flow from being published.
pub(super) async fn play(state: &AppState, tenant: TenantId, mut asked: DryRun) -> Result<Json<FlowTrace>, Problem> {
    reference::resolve(state.store(), tenant, asked.flow.references()).await?;
    write::check(state, tenant, &asked.flow).await?;
    let id = asked.id.clone().unwrap_or_else(|| secret::new_id(Flow::PREFIX));
    let (flow, script) = (asked.flow.to_core(&id)?, asked.script(now()));
    let owner = state.tenant(tenant)?;
    let played = owner.read(move |world| {
        validate(world, &Change::PutFlow(Box::new(flow.clone())))?;
        Ok::<_, dreiklang_core::Refusal>(dry_run(world, &flow, &script))
    });
    let trace = played.await?.map_err(|refusal| write::in_our_words(refusal.into()))?;
    Ok(Json(FlowTrace::of(trace)?))
}

/// Lists the versions of a flow that were published.
#[utoipa::path(get, path = "/flows/{id}/versions", tag = "flows", operation_id = "listFlowVersions",
    params(("id" = String, Path, description = "Which flow.")),
    responses((status = 200, description = "As far back as they are kept.", body = FlowVersions)))]
async fn versions(State(state): State<AppState>, principal: Principal, Path(id): Path<String>) -> Result<Json<FlowVersions>, Problem> {
    write::read::<Flow>(&state, principal.tenant, &id).await?;
    Ok(Json(FlowVersions { items: flow_version::all(&state, principal.tenant, &id).await? }))
}

/// Reads one version of a flow.
#[utoipa::path(get, path = "/flows/{id}/versions/{version}", tag = "flows", operation_id = "getFlowVersion",
    params(("id" = String, Path, description = "Which flow."), ("version" = u64, Path, description = "Which version.")),
    responses((status = 200, description = "What it said.", body = FlowVersion)))]
async fn version(
    State(state): State<AppState>,
    principal: Principal,
    Path((id, version)): Path<(String, u64)>,
) -> Result<Json<FlowVersion>, Problem> {
    Ok(Json(flow_version::read(&state, principal.tenant, &id, version).await?))
}

/// Publishes an earlier version of a flow again, as a new version.
#[utoipa::path(post, path = "/flows/{id}/versions/{version}/publish", tag = "flows", operation_id = "publishFlowVersion",
    params(("id" = String, Path, description = "Which flow."), ("version" = u64, Path, description = "Which version."),
        ("If-Match" = String, Header, description = "The `ETag` this change builds on, or `*`.")),
    responses((status = 200, description = "It is in effect again.", body = Document<Flow>)))]
async fn publish(
    State(state): State<AppState>,
    principal: Principal,
    Path((id, version)): Path<(String, u64)>,
    if_match: IfMatch,
) -> Result<Response, Problem> {
    let former = flow_version::read(&state, principal.tenant, &id, version).await?;
    Ok(tagged(StatusCode::OK, write::put(&state, &principal, Some((&id, if_match)), former.flow).await?, None))
}
