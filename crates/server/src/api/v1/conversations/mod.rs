//! Conversations, past and present, and commands to those under way.
//!
//! # Layout
//!
//! `view` (what programs see of one), `recording` (commands to its recording), `parties` (out of turn, conferences and
//! supervision).

mod parties;
mod recording;
mod view;

use crate::{
    api::{
        document::agent::Line,
        extract::{Body, Page, Query, id, rows},
        guard::guard,
    },
    auth::{Permission as P, Principal},
    error::Problem,
    http::no_content,
    limits,
    live::view::agent_of,
    state::AppState,
};
use axum::{
    Json,
    extract::{Path, State},
    http::StatusCode,
};
use dreiklang_core::{
    Command,
    ids::{AgentId, ConversationId, QueueId},
    input::TransferTarget,
    time::Timestamp,
};
use dreiklang_store::report::conversations::{ConversationFilter, ConversationOutcome, Cursor};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};
use view::{Conversation, ConversationDetails};

/// What happened, fact by fact.
#[derive(Debug, Serialize, ToSchema)]
pub struct Trace {
    /// Facts as they stand in the journal, in order.
    #[schema(value_type = Vec<Object>)]
    pub events: Vec<serde_json::Value>,
    /// Send this as `after` for what follows; absent at the end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<u64>,
}

/// Which conversations of a list; all conditions must hold.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct ConversationQuery {
    /// Started at or after this.
    pub from: Option<i64>,
    /// Started before this.
    pub to: Option<i64>,
    /// Were in the queue of this id.
    pub queue: Option<String>,
    /// The agent of this id talked with the customer.
    pub agent: Option<String>,
    /// `answered`, `abandoned`, `flow_out` or `unserved`.
    #[param(value_type = Option<String>)]
    pub outcome: Option<ConversationOutcome>,
    /// Part of the caller's number or of the number dialed.
    pub number: Option<String>,
    /// Came over this line.
    pub line: Option<Line>,
    /// Still going on, or over.
    pub open: Option<bool>,
    /// Have recordings, or have none.
    pub recorded: Option<bool>,
    /// Have a talk of which this code says what became of it.
    pub disposition: Option<String>,
    /// Have a talk without the code that its queue asks for, or have none.
    pub disposition_missing: Option<bool>,
    /// The `next` of the page before.
    pub cursor: Option<String>,
    /// Rows at most.
    #[param(minimum = 1, maximum = 500, default = 50)]
    pub limit: Option<u32>,
}

/// From where in a trace.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct TraceQuery {
    /// Facts after this one.
    pub after: Option<u64>,
    /// Facts at most.
    #[param(minimum = 1, maximum = 500, default = 50)]
    pub limit: Option<u32>,
}

/// To whom a conversation is handed.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(tag = "kind", content = "id", rename_all = "snake_case", deny_unknown_fields)]
pub enum Transfer {
    /// A queue's id.
    Queue(String),
    /// An agent's id.
    Agent(String),
    /// A telephone number outside.
    Number(String),
    /// A person of the organization who is no agent, by sign-in name.
    Person(String),
}

/// Which language the customer speaks.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct LanguageChoice {
    /// A BCP 47 tag such as `de` or `en-GB`; absent: none in particular.
    #[serde(default)]
    #[schema(example = "de")]
    pub language: Option<String>,
}

/// How soon a waiting customer is served.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PriorityChange {
    /// Higher is served first; for the present stay in its queue.
    #[schema(maximum = 100)]
    pub priority: u8,
}

pub(super) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(guard(P::ReadOwnConversations, routes!(list)))
        .routes(guard(P::ReadOwnConversations, routes!(read)))
        .routes(guard(P::ReadAnyConversation, routes!(trace)))
        .routes(guard(P::ControlOwnConversations, routes!(hold)))
        .routes(guard(P::ControlOwnConversations, routes!(resume)))
        .routes(guard(P::ControlOwnConversations, routes!(transfer)))
        .routes(guard(P::ControlOwnConversations, routes!(consult)))
        .routes(guard(P::ControlOwnConversations, routes!(swap)))
        .routes(guard(P::ControlOwnConversations, routes!(complete)))
        .routes(guard(P::ControlOwnConversations, routes!(cancel)))
        .routes(guard(P::ControlOwnConversations, routes!(set_language)))
        .routes(guard(P::ControlAnyConversation, routes!(set_priority)))
        .merge(recording::router())
        .routes(guard(P::ReadAnyConversation, routes!(why)))
        .merge(parties::router())
        .routes(guard(P::ControlOwnConversations, routes!(hang_up)))
}

/// Lists conversations, newest first. Agents see their own.
#[utoipa::path(get, path = "/conversations", tag = "conversations", operation_id = "listConversations", params(ConversationQuery),
    responses((status = 200, description = "A page.", body = Page<Conversation>)))]
async fn list(
    State(state): State<AppState>,
    principal: Principal,
    Query(query): Query<ConversationQuery>,
) -> Result<Page<Conversation>, Problem> {
    let rows = rows(query.limit)?;
    if query.number.as_ref().is_some_and(|number| number.chars().count() > limits::SEARCH_CHARS) {
        return Err(Problem::invalid("number", format!("A search has at most {} characters.", limits::SEARCH_CHARS)));
    }
    if query.disposition.as_ref().is_some_and(|code| code.chars().count() > limits::SEARCH_CHARS) {
        return Err(Problem::invalid("disposition", format!("A code has at most {} characters.", limits::SEARCH_CHARS)));
    }
    let agent = match &query.agent {
        Some(text) => Some(id::<AgentId>("agent", text)?),
        // Those who may see only their own ask for them without saying so.
        None if !principal.may(P::ReadAnyConversation) => principal.agent,
        None => None,
    };
    principal.require_for(P::ReadOwnConversations, P::ReadAnyConversation, agent)?;
    let filter = ConversationFilter {
        from: query.from.map(Timestamp),
        to: query.to.map(Timestamp),
        queue: query.queue.as_deref().map(|text| id::<QueueId>("queue", text)).transpose()?,
        agent,
        outcome: query.outcome,
        number: query.number,
        line: query.line.map(Into::into),
        open: query.open,
        recorded: query.recorded,
        disposition: query.disposition,
        disposition_missing: query.disposition_missing,
    };
    let after: Option<Cursor> = match &query.cursor {
        Some(cursor) => Some(cursor.parse().map_err(|_| Problem::invalid("cursor", "This is not a cursor that a list has given."))?),
        None => None,
    };
    let page = state.store().conversations(principal.tenant, filter, after, rows).await?;
    Ok(Page { items: page.rows.iter().map(Conversation::of).collect(), next: page.next.map(|cursor| cursor.to_string()) })
}

/// Reads a conversation with its legs, visits, offers, segments, talks, recordings and survey scores.
#[utoipa::path(get, path = "/conversations/{id}", tag = "conversations", operation_id = "getConversation", params(("id" = String, Path, description = "Which.")),
    responses((status = 200, description = "The conversation.", body = ConversationDetails)))]
async fn read(State(state): State<AppState>, principal: Principal, Path(text): Path<String>) -> Result<Json<ConversationDetails>, Problem> {
    let conversation: ConversationId = id("conversation", &text)?;
    let found =
        state.store().conversation(principal.tenant, conversation).await?.ok_or_else(|| Problem::not_found("conversation", &text))?;
    let own = principal.agent.is_some_and(|agent| found.talks.iter().any(|talk| talk.agent == Some(agent)));
    if !own && !principal.may(P::ReadAnyConversation) {
        // Whether there is such a conversation is none of their business.
        return Err(Problem::not_found("conversation", text));
    }
    Ok(Json(ConversationDetails::of(&found)))
}

/// Reads what happened in a conversation, fact by fact.
#[utoipa::path(get, path = "/conversations/{id}/trace", tag = "conversations", operation_id = "getConversationTrace",
    params(("id" = String, Path, description = "Which."), TraceQuery), responses((status = 200, description = "Facts.", body = Trace)))]
async fn trace(
    State(state): State<AppState>,
    principal: Principal,
    Path(text): Path<String>,
    Query(query): Query<TraceQuery>,
) -> Result<Json<Trace>, Problem> {
    let conversation: ConversationId = id("conversation", &text)?;
    let rows = rows(query.limit)?;
    let after = query.after.unwrap_or(0);
    let trace = state.store().trace(principal.tenant, conversation, after, rows).await?;
    if trace.events.is_empty() && after == 0 {
        return Err(Problem::not_found("conversation", text));
    }
    Ok(Json(Trace::of(&trace)))
}

impl Trace {
    fn of(found: &dreiklang_store::report::details::Trace) -> Trace {
        let next = if found.more { found.events.last().map(|stamped| stamped.seq) } else { None };
        let events = found.events.iter().map(|stamped| serde_json::to_value(stamped).unwrap_or_default()).collect();
        Trace { events, next }
    }
}

async fn command(
    state: &AppState,
    principal: &Principal,
    text: &str,
    command: impl FnOnce(ConversationId) -> Command,
) -> Result<StatusCode, Problem> {
    let conversation: ConversationId = id("conversation", text)?;
    let handle = state.tenant(principal.tenant)?;
    let agent = handle.read(move |world| world.conversation(conversation).map(agent_of)).await?;
    let agent = agent.ok_or_else(|| Problem::not_found("conversation", text))?;
    principal.require_for(P::ControlOwnConversations, P::ControlAnyConversation, agent)?;
    handle.command(principal.actor(agent), command(conversation)).await?;
    Ok(no_content())
}

/// Puts the customer on hold.
#[utoipa::path(post, path = "/conversations/{id}/hold", tag = "conversations", operation_id = "holdConversation", params(("id" = String, Path, description = "Which.")),
    responses((status = 204, description = "Done.")))]
async fn hold(State(state): State<AppState>, principal: Principal, Path(id): Path<String>) -> Result<StatusCode, Problem> {
    command(&state, &principal, &id, |conversation| Command::Hold { conversation }).await
}

/// Takes the customer back from hold.
#[utoipa::path(post, path = "/conversations/{id}/resume", tag = "conversations", operation_id = "resumeConversation", params(("id" = String, Path, description = "Which.")),
    responses((status = 204, description = "Done.")))]
async fn resume(State(state): State<AppState>, principal: Principal, Path(id): Path<String>) -> Result<StatusCode, Problem> {
    command(&state, &principal, &id, |conversation| Command::Resume { conversation }).await
}

/// Hands the customer to somebody else without asking first.
#[utoipa::path(post, path = "/conversations/{id}/transfer", tag = "conversations", operation_id = "transferConversation", request_body = Transfer,
    params(("id" = String, Path, description = "Which.")), responses((status = 204, description = "Begun.")))]
async fn transfer(
    State(state): State<AppState>,
    principal: Principal,
    Path(text): Path<String>,
    Body(to): Body<Transfer>,
) -> Result<StatusCode, Problem> {
    let to = target(to)?;
    command(&state, &principal, &text, |conversation| Command::Transfer { conversation, to }).await
}

fn target(to: Transfer) -> Result<TransferTarget, Problem> {
    Ok(match to {
        Transfer::Queue(queue) => TransferTarget::Queue(id("queue", &queue)?),
        Transfer::Agent(agent) => TransferTarget::Agent(id("agent", &agent)?),
        Transfer::Number(number) => TransferTarget::Number(number),
        Transfer::Person(name) => TransferTarget::Person(name),
    })
}

/// Asks somebody while the customer is on hold.
#[utoipa::path(post, path = "/conversations/{id}/consult", tag = "conversations", operation_id = "consult", request_body = Transfer,
    params(("id" = String, Path, description = "Which.")), responses((status = 204, description = "Begun.")))]
async fn consult(
    State(state): State<AppState>,
    principal: Principal,
    Path(text): Path<String>,
    Body(to): Body<Transfer>,
) -> Result<StatusCode, Problem> {
    let to = target(to)?;
    command(&state, &principal, &text, |conversation| Command::Consult { conversation, to }).await
}

/// Changes between the customer and who is consulted.
#[utoipa::path(post, path = "/conversations/{id}/consult/swap", tag = "conversations", operation_id = "swapConsult",
    params(("id" = String, Path, description = "Which.")), responses((status = 204, description = "Done.")))]
async fn swap(State(state): State<AppState>, principal: Principal, Path(id): Path<String>) -> Result<StatusCode, Problem> {
    command(&state, &principal, &id, |conversation| Command::SwapConsult { conversation }).await
}

/// Hands the customer to who is consulted, and leaves.
#[utoipa::path(post, path = "/conversations/{id}/consult/complete", tag = "conversations", operation_id = "completeConsult",
    params(("id" = String, Path, description = "Which.")), responses((status = 204, description = "Done.")))]
async fn complete(State(state): State<AppState>, principal: Principal, Path(id): Path<String>) -> Result<StatusCode, Problem> {
    command(&state, &principal, &id, |conversation| Command::CompleteConsult { conversation }).await
}

/// Lets go who is consulted, and takes the customer back.
#[utoipa::path(post, path = "/conversations/{id}/consult/cancel", tag = "conversations", operation_id = "cancelConsult",
    params(("id" = String, Path, description = "Which.")), responses((status = 204, description = "Done.")))]
async fn cancel(State(state): State<AppState>, principal: Principal, Path(id): Path<String>) -> Result<StatusCode, Problem> {
    command(&state, &principal, &id, |conversation| Command::CancelConsult { conversation }).await
}

/// Says which language the customer speaks; queues entered from now on ask for agents who speak it.
#[utoipa::path(put, path = "/conversations/{id}/language", tag = "conversations", operation_id = "setConversationLanguage", request_body = LanguageChoice,
    params(("id" = String, Path, description = "Which.")), responses((status = 204, description = "Done.")))]
async fn set_language(
    State(state): State<AppState>,
    principal: Principal,
    Path(id): Path<String>,
    Body(choice): Body<LanguageChoice>,
) -> Result<StatusCode, Problem> {
    command(&state, &principal, &id, |conversation| Command::SetLanguage { conversation, language: choice.language }).await
}

/// Lets a waiting customer be served sooner or later than others.
#[utoipa::path(put, path = "/conversations/{id}/priority", tag = "conversations", operation_id = "setConversationPriority", request_body = PriorityChange,
    params(("id" = String, Path, description = "Which.")), responses((status = 204, description = "Done.")))]
async fn set_priority(
    State(state): State<AppState>,
    principal: Principal,
    Path(text): Path<String>,
    Body(change): Body<PriorityChange>,
) -> Result<StatusCode, Problem> {
    let conversation: ConversationId = id("conversation", &text)?;
    let command = Command::SetPriority { conversation, priority: change.priority };
    state.tenant(principal.tenant)?.command(principal.actor(None), command).await?;
    Ok(no_content())
}

/// Says why each agent was asked, or why nobody could be: every routing decision with its candidates, reasons and scores.
#[utoipa::path(get, path = "/conversations/{id}/why", tag = "conversations", operation_id = "getConversationWhy",
    params(("id" = String, Path, description = "Which."), TraceQuery), responses((status = 200, description = "Decisions.", body = Trace)))]
async fn why(
    State(state): State<AppState>,
    principal: Principal,
    Path(text): Path<String>,
    Query(query): Query<TraceQuery>,
) -> Result<Json<Trace>, Problem> {
    let conversation: ConversationId = id("conversation", &text)?;
    let found = state.store().decisions(principal.tenant, conversation, query.after.unwrap_or(0), rows(query.limit)?).await?;
    if found.events.is_empty() && state.store().trace(principal.tenant, conversation, 0, 1).await?.events.is_empty() {
        return Err(Problem::not_found("conversation", text));
    }
    Ok(Json(Trace::of(&found)))
}

/// Ends a conversation, for the customer too.
#[utoipa::path(post, path = "/conversations/{id}/hang-up", tag = "conversations", operation_id = "hangUpConversation", params(("id" = String, Path, description = "Which.")),
    responses((status = 204, description = "Begun.")))]
async fn hang_up(State(state): State<AppState>, principal: Principal, Path(id): Path<String>) -> Result<StatusCode, Problem> {
    command(&state, &principal, &id, |conversation| Command::HangUp { conversation }).await
}
