//! Present figures, for those who ask instead of listening.

use crate::{
    api::guard::guard,
    auth::{Permission, Principal},
    error::Problem,
    live::view::Snapshot,
    state::{AppState, now},
};
use axum::{Json, extract::State};
use utoipa_axum::{router::OpenApiRouter, routes};

pub(super) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(guard(Permission::ReadLive, routes!(snapshot)))
}

/// Reads what is going on at present, as far as one may see it. `/api/v1/live` tells it continuously.
#[utoipa::path(get, path = "/live/snapshot", tag = "live", operation_id = "getSnapshot",
    responses((status = 200, description = "The present state.", body = Snapshot)))]
async fn snapshot(State(state): State<AppState>, principal: Principal) -> Result<Json<Snapshot>, Problem> {
    let viewer = crate::live::view::Viewer::of(&principal);
    Ok(Json(state.tenant(principal.tenant)?.read(move |world| Snapshot::of(world, viewer, now())).await?))
}
