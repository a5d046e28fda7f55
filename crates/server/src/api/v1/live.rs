//! Present figures, for those who ask instead of listening.

use crate::{
    api::guard::guard,
    auth::{Permission, Principal},
    error::Problem,
    live::view::{Snapshot, Viewer},
    state::AppState,
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
    let whole = state.hubs().whole(&state, principal.tenant).await?;
    Ok(Json(whole.seen_by(Viewer::of(&principal))))
}
