//! Listing, reading, creating, replacing and removing documents: the same five operations for every kind.

use crate::{
    api::{
        document::{
            Document, Kind, agent::Agent, caller_list::CallerList, connection::Connection, flow::Flow, holidays::Holidays, hours::Hours,
            number::Number, phone::Phone, queue::Queue, service::Service, skill::Skill, tenant::Tenant, trunk::Trunk, webhook::Webhook,
            write,
        },
        extract::{Body, IfMatch, Page, Query, rows},
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
use serde::Deserialize;
use utoipa_axum::{router::OpenApiRouter, routes};

/// Which documents of a list.
#[derive(Clone, Debug, Default, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ListQuery {
    /// Only the one of this name.
    pub name: Option<String>,
    /// The `next` of the page before.
    pub cursor: Option<String>,
    /// Rows at most.
    #[param(minimum = 1, maximum = 500, default = 50)]
    pub limit: Option<u32>,
}

async fn list_of<K: Kind>(state: &AppState, principal: &Principal, query: ListQuery) -> Result<Page<Document<K>>, Problem> {
    let rows = rows(query.limit)?;
    let stored = match &query.name {
        Some(name) => state.store().get_by_name(principal.tenant, K::KIND, name).await?.into_iter().collect(),
        None => state.store().list(principal.tenant, K::KIND, query.cursor.as_deref(), rows + 1).await?,
    };
    let documents = stored.into_iter().map(Document::shown).collect::<Result<Vec<_>, _>>()?;
    Ok(Page::cut(documents, rows, |document| document.id.clone()))
}

/// A document with its `ETag`.
pub(super) fn tagged<K: Kind>(status: StatusCode, document: Document<K>, location: Option<String>) -> Response {
    let mut headers = HeaderMap::new();
    if let Ok(value) = HeaderValue::from_str(&format!("\"{}\"", document.version)) {
        headers.insert(header::ETAG, value);
    }
    if let Some(value) = location.and_then(|location| HeaderValue::from_str(&location).ok()) {
        headers.insert(header::LOCATION, value);
    }
    (status, headers, Json(document)).into_response()
}

async fn read_of<K: Kind>(state: &AppState, principal: &Principal, id: &str, headers: &HeaderMap) -> Result<Response, Problem> {
    let mut document = write::read::<K>(state, principal.tenant, id).await?;
    document.body.hide_secrets();
    let tag = format!("\"{}\"", document.version);
    if headers.get(header::IF_NONE_MATCH).and_then(|value| value.to_str().ok()).is_some_and(|value| value == tag) {
        return Ok((StatusCode::NOT_MODIFIED, [(header::ETAG, tag)]).into_response());
    }
    Ok(tagged(StatusCode::OK, document, None))
}

macro_rules! documents {
    ($($module:ident: $kind:ident, $path:literal, $one:literal, $tag:literal, $read:ident,
       $list:literal, $get:literal, $create:literal, $replace:literal, $remove:literal;)*) => {$(
        mod $module {
            use super::*;

            #[doc = concat!("Lists all ", $tag, ".")]
            #[utoipa::path(get, path = $path, tag = $tag, operation_id = $list, summary = concat!("Lists all ", $tag, "."), params(ListQuery),
                responses((status = 200, description = "A page.", body = Page<Document<$kind>>)))]
            pub(super) async fn list(State(state): State<AppState>, principal: Principal, Query(query): Query<ListQuery>) -> Result<Page<Document<$kind>>, Problem> {
                list_of::<$kind>(&state, &principal, query).await
            }

            #[doc = concat!("Creates one of the ", $tag, ".")]
            #[utoipa::path(post, path = $path, tag = $tag, operation_id = $create, summary = concat!("Creates one of the ", $tag, "."), request_body = $kind,
                responses((status = 201, description = "It is in effect; `ETag` has its version.", body = Document<$kind>)))]
            pub(super) async fn create(State(state): State<AppState>, principal: Principal, Body(body): Body<$kind>) -> Result<Response, Problem> {
                let document = write::put(&state, &principal, None, body).await?;
                let location = format!("/api/v1{}/{}", $path, document.id);
                Ok(tagged(StatusCode::CREATED, document, Some(location)))
            }

            #[doc = concat!("Reads one of the ", $tag, ".")]
            #[utoipa::path(get, path = $one, tag = $tag, operation_id = $get, summary = concat!("Reads one of the ", $tag, "."), params(("id" = String, Path, description = "Which.")),
                responses((status = 200, description = "`ETag` has its version.", body = Document<$kind>), (status = 304, description = "`If-None-Match` names the present version.")))]
            pub(super) async fn read(State(state): State<AppState>, principal: Principal, Path(id): Path<String>, headers: HeaderMap) -> Result<Response, Problem> {
                read_of::<$kind>(&state, &principal, &id, &headers).await
            }

            #[doc = concat!("Replaces one of the ", $tag, ".")]
            #[utoipa::path(put, path = $one, tag = $tag, operation_id = $replace, summary = concat!("Replaces one of the ", $tag, "."), request_body = $kind,
                params(("id" = String, Path, description = "Which."), ("If-Match" = String, Header, description = "The `ETag` this change builds on, or `*`.")),
                responses((status = 200, description = "It is in effect.", body = Document<$kind>)))]
            pub(super) async fn replace(State(state): State<AppState>, principal: Principal, Path(id): Path<String>, if_match: IfMatch, Body(body): Body<$kind>) -> Result<Response, Problem> {
                Ok(tagged(StatusCode::OK, write::put(&state, &principal, Some((&id, if_match)), body).await?, None))
            }

            #[doc = concat!("Removes one of the ", $tag, ".")]
            #[utoipa::path(delete, path = $one, tag = $tag, operation_id = $remove, summary = concat!("Removes one of the ", $tag, "."),
                params(("id" = String, Path, description = "Which."), ("If-Match" = String, Header, description = "The `ETag` of what is to be removed, or `*`.")),
                responses((status = 204, description = "It is gone.")))]
            pub(super) async fn remove(State(state): State<AppState>, principal: Principal, Path(id): Path<String>, if_match: IfMatch) -> Result<StatusCode, Problem> {
                write::remove::<$kind>(&state, &principal, &id, if_match).await?;
                Ok(StatusCode::NO_CONTENT)
            }
        })*

        pub(super) fn router() -> OpenApiRouter<AppState> {
            OpenApiRouter::new()
                $(.routes(guard(P::$read, routes!($module::list)))
                .routes(guard(P::WriteConfiguration, routes!($module::create)))
                .routes(guard(P::$read, routes!($module::read)))
                .routes(guard(P::WriteConfiguration, routes!($module::replace)))
                .routes(guard(P::WriteConfiguration, routes!($module::remove))))*
                .routes(guard(P::ReadConfiguration, routes!(read_tenant)))
                .routes(guard(P::WriteConfiguration, routes!(replace_tenant)))
        }
    };
}

documents! {
    queues: Queue, "/queues", "/queues/{id}", "queues", ReadConfiguration,
        "listQueues", "getQueue", "createQueue", "replaceQueue", "deleteQueue";
    agents: Agent, "/agents", "/agents/{id}", "agents", ReadConfiguration,
        "listAgents", "getAgent", "createAgent", "replaceAgent", "deleteAgent";
    skills: Skill, "/skills", "/skills/{id}", "skills", ReadConfiguration,
        "listSkills", "getSkill", "createSkill", "replaceSkill", "deleteSkill";
    hours: Hours, "/hours", "/hours/{id}", "hours", ReadConfiguration,
        "listHours", "getHours", "createHours", "replaceHours", "deleteHours";
    holidays: Holidays, "/holidays", "/holidays/{id}", "holidays", ReadConfiguration,
        "listHolidays", "getHolidays", "createHolidays", "replaceHolidays", "deleteHolidays";
    caller_lists: CallerList, "/caller-lists", "/caller-lists/{id}", "caller lists", ReadSetup,
        "listCallerLists", "getCallerList", "createCallerList", "replaceCallerList", "deleteCallerList";
    numbers: Number, "/numbers", "/numbers/{id}", "numbers", ReadConfiguration,
        "listNumbers", "getNumber", "createNumber", "replaceNumber", "deleteNumber";
    flows: Flow, "/flows", "/flows/{id}", "flows", ReadConfiguration,
        "listFlows", "getFlow", "createFlow", "replaceFlow", "deleteFlow";
    services: Service, "/services", "/services/{id}", "services", ReadSetup,
        "listServices", "getService", "createService", "replaceService", "deleteService";
    trunks: Trunk, "/trunks", "/trunks/{id}", "trunks", ReadSetup,
        "listTrunks", "getTrunk", "createTrunk", "replaceTrunk", "deleteTrunk";
    phones: Phone, "/phones", "/phones/{id}", "phones", ReadSetup,
        "listPhones", "getPhone", "createPhone", "replacePhone", "deletePhone";
    connections: Connection, "/connections", "/connections/{id}", "connections", ReadSetup,
        "listConnections", "getConnection", "createConnection", "replaceConnection", "deleteConnection";
    webhooks: Webhook, "/webhooks", "/webhooks/{id}", "webhooks", ReadSetup,
        "listWebhooks", "getWebhook", "createWebhook", "replaceWebhook", "deleteWebhook";
}

/// Reads the tenant's own settings.
#[utoipa::path(get, path = "/tenant", tag = "tenant", operation_id = "getTenant",
    responses((status = 200, description = "`ETag` has their version.", body = Document<Tenant>), (status = 304, description = "`If-None-Match` names the present version.")))]
async fn read_tenant(State(state): State<AppState>, principal: Principal, headers: HeaderMap) -> Result<Response, Problem> {
    read_of::<Tenant>(&state, &principal, &principal.tenant.to_string(), &headers).await
}

/// Replaces the tenant's own settings.
#[utoipa::path(put, path = "/tenant", tag = "tenant", operation_id = "replaceTenant", request_body = Tenant,
    params(("If-Match" = String, Header, description = "The `ETag` this change builds on, or `*`.")),
    responses((status = 200, description = "They are in effect.", body = Document<Tenant>)))]
async fn replace_tenant(
    State(state): State<AppState>,
    principal: Principal,
    if_match: IfMatch,
    Body(body): Body<Tenant>,
) -> Result<Response, Problem> {
    let id = principal.tenant.to_string();
    Ok(tagged(StatusCode::OK, write::put(&state, &principal, Some((&id, if_match)), body).await?, None))
}
