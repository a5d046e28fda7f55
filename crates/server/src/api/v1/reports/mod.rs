//! Figures of the past: of queues, agents, numbers or lines, in intervals or in total, each with its formula; what can be rated.

mod figures;
mod meter;
mod table;

use crate::{
    api::{
        extract::{Query, id},
        guard::guard,
    },
    auth::{Permission as P, Principal},
    error::Problem,
    state::{AppState, now},
};
use axum::{
    Json,
    extract::{Path, State},
};
use dreiklang_core::{ids::AgentId, time::Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

/// Of what time.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct TimeQuery {
    /// The first instant.
    pub from: i64,
    /// The first instant no longer covered.
    pub to: i64,
}

/// An agent's time, stretch by stretch.
#[derive(Debug, Serialize, ToSchema)]
pub struct Timeline {
    /// In order, without gap.
    pub stretches: Vec<Stretch>,
}

/// A stretch of an agent's time.
#[derive(Debug, Serialize, ToSchema)]
pub struct Stretch {
    /// Its beginning.
    pub from: i64,
    /// Its end.
    pub to: i64,
    /// `signed_out`, `off_duty` or `on_duty`.
    pub duty: String,
    /// `ready` or `not_ready`.
    pub availability: String,
    /// Why not ready.
    pub reason: Option<String>,
    /// `idle`, `offered`, `talking`, `consulting`, `supervising` or `wrap_up`.
    pub occupation: String,
}

pub(super) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(guard(P::ReadReports, routes!(figures::catalogue)))
        .routes(guard(P::ReadReports, routes!(figures::queues)))
        .routes(guard(P::ReadReports, routes!(figures::agents)))
        .routes(guard(P::ReadReports, routes!(figures::numbers)))
        .routes(guard(P::ReadReports, routes!(figures::lines)))
        .routes(guard(P::ReadReports, routes!(meter::metering)))
        .routes(guard(P::ReadReports, routes!(timeline)))
}

/// Both ends of a time, in the right order.
fn span(from: i64, to: i64) -> Result<(Timestamp, Timestamp), Problem> {
    if to <= from {
        return Err(Problem::invalid("to", "The end lies before the beginning."));
    }
    Ok((Timestamp(from), Timestamp(to)))
}

/// An agent's time, stretch by stretch.
#[utoipa::path(get, path = "/reports/agents/{id}/timeline", tag = "reports", operation_id = "reportAgentTimeline",
    params(("id" = String, Path, description = "Whose."), TimeQuery), responses((status = 200, description = "The stretches.", body = Timeline)))]
async fn timeline(
    State(state): State<AppState>,
    principal: Principal,
    Path(text): Path<String>,
    Query(query): Query<TimeQuery>,
) -> Result<Json<Timeline>, Problem> {
    let agent: AgentId = id("agent", &text)?;
    let stretches = state.store().agent_timeline(principal.tenant, span(query.from, query.to)?, agent, now()).await?;
    let stretches = stretches
        .into_iter()
        .map(|stretch| Stretch {
            from: stretch.from.0,
            to: stretch.to.0,
            duty: stretch.duty,
            availability: stretch.availability,
            reason: stretch.reason,
            occupation: stretch.occupation,
        })
        .collect();
    Ok(Json(Timeline { stretches }))
}
