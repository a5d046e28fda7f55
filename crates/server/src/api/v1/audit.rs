//! Who did what.

use crate::{
    api::{
        extract::{Page, PageQuery, Query},
        guard::guard,
    },
    auth::{Permission, Principal},
    error::Problem,
    state::AppState,
};
use axum::extract::State;
use dreiklang_core::Actor;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

/// Something done by somebody.
#[derive(Debug, Serialize, ToSchema)]
pub struct AuditEntry {
    /// Its place in the log; grows.
    pub id: u64,
    /// When.
    pub at: i64,
    /// By whom: `user:…`, `token:…`, `agent:…` or `system`.
    pub actor: String,
    /// What, such as `queue.changed`.
    pub action: String,
    /// To what: an id or a name.
    pub subject: String,
    /// More about it.
    #[schema(value_type = Object)]
    pub detail: serde_json::Value,
}

pub(super) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(guard(Permission::ReadAudit, routes!(list)))
}

/// Who acted, as one text.
pub(super) fn actor_text(actor: &Actor) -> String {
    match actor {
        Actor::System => "system".to_owned(),
        Actor::Agent(id) => format!("agent:{id}"),
        Actor::User(name) => format!("user:{name}"),
        Actor::Token(name) => format!("token:{name}"),
    }
}

/// Lists who did what, newest first.
#[utoipa::path(get, path = "/audit", tag = "audit", operation_id = "listAudit", params(PageQuery),
    responses((status = 200, description = "A page.", body = Page<AuditEntry>)))]
async fn list(State(state): State<AppState>, principal: Principal, Query(query): Query<PageQuery>) -> Result<Page<AuditEntry>, Problem> {
    let rows = query.rows()?;
    let before = match &query.cursor {
        Some(cursor) => Some(cursor.parse().map_err(|_| Problem::invalid("cursor", "This is not a cursor that a list has given."))?),
        None => None,
    };
    let entries = state.store().audit_log(principal.tenant, before, rows + 1).await?;
    let items = entries
        .into_iter()
        .map(|entry| AuditEntry {
            id: entry.id,
            at: entry.note.at.0,
            actor: actor_text(&entry.note.actor),
            action: entry.note.action,
            subject: entry.note.subject,
            detail: entry.note.detail,
        })
        .collect();
    Ok(Page::cut(items, rows, |entry| entry.id.to_string()))
}
