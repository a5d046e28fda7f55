//! How the lines are doing, for administrators.

use crate::{
    api::guard::guard,
    auth::{Permission, Principal},
    error::Problem,
    state::AppState,
};
use axum::{Json, extract::State};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

/// How the lines are doing.
#[derive(Debug, Serialize, ToSchema)]
pub struct Status {
    /// The program's version.
    pub version: String,
    /// The Connected line runs in this process.
    pub connected: bool,
    /// What trunks' peers were last said to be.
    pub peers: Vec<PeerStatus>,
    /// Telephones of this tenant that are signed in.
    pub phones: Vec<PhoneStatus>,
    /// What stands in the way of taking conversations.
    pub problems: Vec<String>,
}

/// One address of a trunk.
#[derive(Debug, Serialize, ToSchema)]
pub struct PeerStatus {
    /// The trunk's name.
    pub trunk: String,
    /// Which address of it, or `registration`.
    pub peer: String,
    /// Whether it can be used.
    pub up: bool,
    /// For people.
    pub detail: String,
}

/// A telephone that is signed in.
#[derive(Debug, Serialize, ToSchema)]
pub struct PhoneStatus {
    /// Its user name.
    pub user: String,
    /// Where it signed in from.
    pub address: String,
}

pub(super) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(guard(Permission::ReadSetup, routes!(read)))
}

/// Reads how the lines are doing.
#[utoipa::path(get, path = "/status", tag = "status", operation_id = "getStatus",
    responses((status = 200, description = "The present state.", body = Status)))]
async fn read(State(state): State<AppState>, principal: Principal) -> Result<Json<Status>, Problem> {
    let peers = state.runtime().peers().borrow().clone();
    let peers = peers
        .into_iter()
        .filter(|((tenant, _, _), _)| *tenant == principal.tenant)
        .map(|((_, trunk, peer), health)| PeerStatus { trunk, peer, up: health.up, detail: health.detail })
        .collect();
    let connected = state.runtime().lines().connected();
    let mut phones = Vec::new();
    if let Some(connected) = connected
        && let Some(status) = connected.status().await
    {
        for (user, address) in status.phones {
            // The line knows telephones of all tenants; only our own are shown.
            if state.store().get_by_name(principal.tenant, "phone", &user).await?.is_some() {
                phones.push(PhoneStatus { user, address });
            }
        }
    }
    Ok(Json(Status {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        connected: connected.is_some(),
        peers,
        phones,
        problems: state.runtime().problems(),
    }))
}
