//! Callbacks: asked for by web forms, agents and supervisors; listed, moved, cancelled.

use crate::{
    api::{
        extract::{Body, Query, id},
        guard::guard,
    },
    auth::{Permission as P, Principal},
    error::Problem,
    http::no_content,
    state::AppState,
};
use axum::{
    Json,
    extract::{Path, State},
    http::StatusCode,
};
use dreiklang_core::{
    Command, World, callback,
    config::Mailbox,
    endpoint::Party,
    ids::{AgentId, CallbackId, QueueId},
    time::Timestamp,
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

/// A promise to call somebody back that has not been kept yet.
#[derive(Debug, Serialize, ToSchema)]
pub struct Callback {
    /// Which.
    pub id: String,
    /// Whose agents call.
    pub queue: String,
    /// Who is called.
    pub number: String,
    /// Who that is.
    pub name: Option<String>,
    /// When it was asked for.
    pub requested_at: i64,
    /// Since when it counts as being in line.
    pub in_line_since: i64,
    /// When it stands in line, next time or this time.
    pub due: i64,
    /// How often the customer has been called.
    pub attempts: u8,
    /// What it is doing.
    pub state: CallbackState,
    /// The conversation in which it stands in line or the customer is called.
    pub conversation: Option<String>,
}

/// What a callback is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum CallbackState {
    /// Waits for its time.
    Scheduled,
    /// Stands in line.
    Waiting,
    /// The customer is being called.
    Calling,
}

/// Open callbacks.
#[derive(Debug, Serialize, ToSchema)]
pub struct Callbacks {
    /// In the order in which they were asked for.
    pub items: Vec<Callback>,
}

/// Somebody to be called back.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CallbackRequest {
    /// The queue's id.
    pub queue: String,
    /// `+` and digits.
    pub number: String,
    /// Who that is.
    #[serde(default)]
    pub name: Option<String>,
    /// When it stands in line; absent: from now on.
    #[serde(default)]
    pub at: Option<i64>,
    /// Overrides the queue's priority.
    #[serde(default)]
    #[schema(maximum = 100)]
    pub priority: Option<u8>,
    /// The customer's language, as a BCP 47 tag.
    #[serde(default)]
    pub language: Option<String>,
}

/// Another time.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CallbackTime {
    /// When it stands in line; absent: from now on.
    #[serde(default)]
    pub at: Option<i64>,
}

/// Which callbacks of a list; all conditions must hold.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct CallbackQuery {
    /// Of the queue of this id.
    pub queue: Option<String>,
    /// To this number.
    pub number: Option<String>,
    /// In this state.
    #[param(inline)]
    pub state: Option<CallbackState>,
}

impl Callback {
    fn of(open: &callback::Callback) -> Callback {
        Callback {
            id: open.id.to_string(),
            queue: open.queue.to_string(),
            number: open.number.clone(),
            name: open.name.clone(),
            requested_at: open.requested_at.0,
            in_line_since: open.place.in_line_since.0,
            due: open.due.0,
            attempts: open.attempts,
            state: match (open.conversation, open.calling) {
                (None, _) => CallbackState::Scheduled,
                (Some(_), false) => CallbackState::Waiting,
                (Some(_), true) => CallbackState::Calling,
            },
            conversation: open.conversation.map(|id| id.to_string()),
        }
    }
}

pub(super) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(guard(P::ReadOwnConversations, routes!(list)))
        .routes(guard(P::ReadOwnConversations, routes!(read)))
        .routes(guard(P::ControlOwnConversations, routes!(request)))
        .routes(guard(P::ControlAnyConversation, routes!(reschedule)))
        .routes(guard(P::ControlAnyConversation, routes!(cancel)))
}

/// Whose callbacks somebody may see: everybody's, or those of queues this agent serves.
fn seen(world: &World, all: bool, agent: Option<AgentId>, queue: QueueId) -> bool {
    all || agent.is_some_and(|agent| world.may_hear(agent, Mailbox::Queue(queue)))
}

/// Lists open callbacks. Agents see those of queues they serve.
#[utoipa::path(get, path = "/callbacks", tag = "callbacks", operation_id = "listCallbacks", params(CallbackQuery),
    responses((status = 200, description = "The callbacks.", body = Callbacks)))]
async fn list(State(state): State<AppState>, principal: Principal, Query(query): Query<CallbackQuery>) -> Result<Json<Callbacks>, Problem> {
    let queue = query.queue.as_deref().map(|text| id::<QueueId>("queue", text)).transpose()?;
    let (all, own) = (principal.may(P::ReadAnyConversation), principal.agent);
    let owner = state.tenant(principal.tenant)?;
    let items = owner.read(move |world| {
        let open = world.callbacks().iter().filter(|open| seen(world, all, own, open.queue)).filter(|open| {
            queue.is_none_or(|queue| open.queue == queue) && query.number.as_ref().is_none_or(|number| open.number == *number)
        });
        open.map(Callback::of).filter(|open| query.state.is_none_or(|state| open.state == state)).collect()
    });
    Ok(Json(Callbacks { items: items.await? }))
}

/// Reads an open callback.
#[utoipa::path(get, path = "/callbacks/{id}", tag = "callbacks", operation_id = "getCallback", params(("id" = String, Path, description = "Which.")),
    responses((status = 200, description = "The callback.", body = Callback)))]
async fn read(State(state): State<AppState>, principal: Principal, Path(text): Path<String>) -> Result<Json<Callback>, Problem> {
    let callback: CallbackId = id("callback", &text)?;
    let (all, own) = (principal.may(P::ReadAnyConversation), principal.agent);
    let owner = state.tenant(principal.tenant)?;
    let found = owner.read(move |world| world.callback(callback).filter(|open| seen(world, all, own, open.queue)).map(Callback::of));
    found.await?.map(Json).ok_or_else(|| Problem::not_found("open callback", text))
}

/// Promises to call somebody back. A number that a queue is going to call back already is not called twice: the answer is the
/// callback that stands.
#[utoipa::path(post, path = "/callbacks", tag = "callbacks", operation_id = "requestCallback", request_body = CallbackRequest,
    responses((status = 200, description = "The callback.", body = Callback)))]
async fn request(
    State(state): State<AppState>,
    principal: Principal,
    Body(wanted): Body<CallbackRequest>,
) -> Result<Json<Callback>, Problem> {
    let queue: QueueId = id("queue", &wanted.queue)?;
    let (number, at) = (wanted.number, wanted.at.map(Timestamp));
    let party = Party { number: Some(number.clone()), name: wanted.name };
    let command = Command::RequestCallback { queue, party, at, priority: wanted.priority, language: wanted.language };
    let owner = state.tenant(principal.tenant)?;
    owner.command(principal.actor(None), command).await?;
    let found = owner.read(move |world| world.callbacks().of(&number, queue).map(Callback::of)).await?;
    found.map(Json).ok_or_else(|| Problem::not_found("open callback", "for this number; it has been kept or cancelled meanwhile"))
}

/// Lets a callback stand in line at another time.
#[utoipa::path(put, path = "/callbacks/{id}/time", tag = "callbacks", operation_id = "rescheduleCallback", request_body = CallbackTime,
    params(("id" = String, Path, description = "Which.")), responses((status = 204, description = "Done.")))]
async fn reschedule(
    State(state): State<AppState>,
    principal: Principal,
    Path(text): Path<String>,
    Body(time): Body<CallbackTime>,
) -> Result<StatusCode, Problem> {
    let callback: CallbackId = id("callback", &text)?;
    command(&state, &principal, Command::RescheduleCallback { callback, at: time.at.map(Timestamp) }).await
}

/// Calls nobody back after all.
#[utoipa::path(delete, path = "/callbacks/{id}", tag = "callbacks", operation_id = "cancelCallback", params(("id" = String, Path, description = "Which.")),
    responses((status = 204, description = "Done.")))]
async fn cancel(State(state): State<AppState>, principal: Principal, Path(text): Path<String>) -> Result<StatusCode, Problem> {
    let callback: CallbackId = id("callback", &text)?;
    command(&state, &principal, Command::CancelCallback { callback }).await
}

async fn command(state: &AppState, principal: &Principal, command: Command) -> Result<StatusCode, Problem> {
    state.tenant(principal.tenant)?.command(principal.actor(None), command).await?;
    Ok(no_content())
}
