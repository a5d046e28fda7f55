//! Conversations in writing: opened by whoever carries the messages, taken and answered by agents.

use crate::{
    api::{
        document::{agent::Channel, queue::SkillNeed},
        extract::{Body, Page, Query, id, rows},
        guard::guard,
        v1::conversations::PriorityChange,
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
    Command,
    endpoint::Party,
    ids::{AgentId, ConversationId, QueueId},
    queue::{Preferred, SkillRequirement},
    time::{Millis, Timestamp},
    written::{Letter, WorkState},
};
use dreiklang_store::report::{
    conversations::Cursor,
    written::{WrittenFilter, WrittenRow},
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

/// A conversation in writing, from its opening on.
#[derive(Debug, Serialize, ToSchema)]
pub struct Written {
    /// Which.
    pub id: String,
    /// How the customer writes.
    pub channel: Channel,
    /// The customer's address; absent when it is not known.
    pub customer_address: Option<String>,
    /// The customer's name.
    pub customer_name: Option<String>,
    /// What about.
    pub subject: Option<String>,
    /// Where it can be read.
    pub link: Option<String>,
    /// The last queue.
    pub queue: Option<String>,
    /// The last agent.
    pub agent: Option<String>,
    /// When it was opened.
    pub started_at: i64,
    /// When an agent took it first.
    pub taken_at: Option<i64>,
    /// When it was closed; absent while it is open.
    pub ended_at: Option<i64>,
    /// Whose doing its end was.
    pub result: Option<String>,
    /// Why it ended.
    pub reason: Option<String>,
    /// What became of it.
    pub disposition: Option<String>,
    /// Nobody said what became of it, though its queue asks for it.
    pub disposition_missing: bool,
    /// Sum of its waits in queues.
    pub wait_ms: u64,
    /// Sum of its times with agents.
    pub handling_ms: u64,
    /// Sum of the notes about it.
    pub wrap_up_ms: u64,
}

/// Somebody who writes.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewWritten {
    /// An id that makes opening it twice open it once; absent: a new one.
    #[serde(default)]
    #[schema(example = "cnv_01h455vb4pex5vsknk084sn02q")]
    pub id: Option<String>,
    /// How the customer writes.
    pub channel: Channel,
    /// The queue's id.
    pub queue: String,
    /// The customer's address.
    #[serde(default)]
    pub customer_address: Option<String>,
    /// The customer's name.
    #[serde(default)]
    pub customer_name: Option<String>,
    /// What about.
    #[serde(default)]
    pub subject: Option<String>,
    /// Where it can be read: an address that an agent's browser opens.
    #[serde(default)]
    #[schema(example = "https://tickets.example.com/4711")]
    pub link: Option<String>,
    /// Overrides the queue's priority.
    #[serde(default)]
    #[schema(maximum = 100)]
    pub priority: Option<u8>,
    /// Asked of the agent on top of the queue's skills; by id.
    #[serde(default)]
    pub skills: Vec<SkillNeed>,
    /// The language it is written in, as a BCP 47 tag.
    #[serde(default)]
    pub language: Option<String>,
    /// Who is waited for first.
    #[serde(default)]
    pub preferred: Option<PreferredAgent>,
}

/// An agent who is waited for first.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PreferredAgent {
    /// The agent's id.
    pub agent: String,
    /// For how long; then everybody is asked.
    #[schema(maximum = 600_000)]
    pub wait_ms: u64,
}

/// Which agent it is about.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Taker {
    /// The agent's id; absent: the agent who asks.
    pub agent: Option<String>,
}

/// Back into which queue.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Move {
    /// The queue's id; absent: the queue it was in last.
    pub queue: Option<String>,
    /// Who is waited for first.
    pub preferred: Option<PreferredAgent>,
}

/// How it ends.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Close {
    /// The customer ended it.
    pub by_customer: bool,
    /// What became of it; one of the queue's codes.
    pub disposition: Option<String>,
}

/// What became of it.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Notes {
    /// One of the queue's codes.
    pub disposition: Option<String>,
}

/// Which of a list; all conditions must hold.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct WrittenQuery {
    /// Opened at or after this.
    pub from: Option<i64>,
    /// Opened before this.
    pub to: Option<i64>,
    /// Of this channel.
    #[param(inline)]
    pub channel: Option<Channel>,
    /// In the queue of this id last.
    pub queue: Option<String>,
    /// The agent of this id had it last.
    pub agent: Option<String>,
    /// Still open, or closed.
    pub open: Option<bool>,
    /// The `next` of the page before.
    pub cursor: Option<String>,
    /// Rows at most.
    #[param(minimum = 1, maximum = 500, default = 50)]
    pub limit: Option<u32>,
}

impl Written {
    fn of(row: &WrittenRow) -> Written {
        Written {
            id: row.id.to_string(),
            channel: row.channel.into(),
            customer_address: row.customer.number.clone(),
            customer_name: row.customer.name.clone(),
            subject: row.subject.clone(),
            link: row.link.clone(),
            queue: row.queue.map(|queue| queue.to_string()),
            agent: row.agent.map(|agent| agent.to_string()),
            started_at: row.started_at.0,
            taken_at: row.taken_at.map(|at| at.0),
            ended_at: row.ended_at.map(|at| at.0),
            result: row.termination.map(|termination| crate::metrics::word(&termination.result)),
            reason: row.termination.map(|termination| crate::metrics::word(&termination.reason)),
            disposition: row.disposition.clone(),
            disposition_missing: row.disposition_missing,
            wait_ms: row.wait.0,
            handling_ms: row.handling.0,
            wrap_up_ms: row.wrap_up.0,
        }
    }
}

pub(super) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(guard(P::ReadOwnConversations, routes!(list)))
        .routes(guard(P::ReadOwnConversations, routes!(read)))
        .routes(guard(P::ControlAnyConversation, routes!(open)))
        .routes(guard(P::ControlOwnConversations, routes!(take)))
        .routes(guard(P::ControlOwnConversations, routes!(decline)))
        .routes(guard(P::ControlOwnConversations, routes!(move_to_queue)))
        .routes(guard(P::ControlAnyConversation, routes!(set_priority)))
        .routes(guard(P::ControlOwnConversations, routes!(close)))
        .routes(guard(P::ControlOwnConversations, routes!(finish)))
}

/// Lists conversations in writing, newest first. Agents see their own.
#[utoipa::path(get, path = "/written", tag = "written", operation_id = "listWritten", params(WrittenQuery),
    responses((status = 200, description = "A page.", body = Page<Written>)))]
async fn list(State(state): State<AppState>, principal: Principal, Query(query): Query<WrittenQuery>) -> Result<Page<Written>, Problem> {
    let rows = rows(query.limit)?;
    let agent = match &query.agent {
        Some(text) => Some(id::<AgentId>("agent", text)?),
        None if !principal.may(P::ReadAnyConversation) => principal.agent,
        None => None,
    };
    principal.require_for(P::ReadOwnConversations, P::ReadAnyConversation, agent)?;
    let filter = WrittenFilter {
        from: query.from.map(Timestamp),
        to: query.to.map(Timestamp),
        channel: query.channel.map(Into::into),
        queue: query.queue.as_deref().map(|text| id::<QueueId>("queue", text)).transpose()?,
        agent,
        open: query.open,
    };
    let after: Option<Cursor> = match &query.cursor {
        Some(cursor) => Some(cursor.parse().map_err(|_| Problem::invalid("cursor", "This is not a cursor that a list has given."))?),
        None => None,
    };
    let page = state.store().written(principal.tenant, filter, after, rows).await?;
    Ok(Page { items: page.rows.iter().map(Written::of).collect(), next: page.next.map(|cursor| cursor.to_string()) })
}

/// Reads a conversation in writing.
#[utoipa::path(get, path = "/written/{id}", tag = "written", operation_id = "getWritten", params(("id" = String, Path, description = "Which.")),
    responses((status = 200, description = "The conversation.", body = Written)))]
async fn read(State(state): State<AppState>, principal: Principal, Path(text): Path<String>) -> Result<Json<Written>, Problem> {
    let conversation: ConversationId = id("conversation", &text)?;
    let found = state.store().written_one(principal.tenant, conversation).await?;
    let offered = match principal.agent {
        Some(agent) => is_offered(&state, &principal, conversation, agent).await?,
        None => false,
    };
    let sees = |row: &WrittenRow| principal.may(P::ReadAnyConversation) || offered || row.agent.is_some() && row.agent == principal.agent;
    // Whether there is such a conversation is none of others' business.
    let found = found.filter(sees).ok_or_else(|| Problem::not_found("conversation in writing", text))?;
    Ok(Json(Written::of(&found)))
}

async fn is_offered(state: &AppState, principal: &Principal, conversation: ConversationId, agent: AgentId) -> Result<bool, Problem> {
    let offered = move |world: &dreiklang_core::World| {
        let work = world.agent(agent).and_then(|agent| agent.work_on(conversation));
        work.is_some_and(|work| matches!(work.state, WorkState::Offered { .. }))
    };
    Ok(state.tenant(principal.tenant)?.read(offered).await?)
}

/// Lets somebody who writes, or work of another system, wait for an agent.
#[utoipa::path(post, path = "/written", tag = "written", operation_id = "openWritten", request_body = NewWritten,
    responses((status = 201, description = "It waits, or is being offered.", body = Opened)))]
async fn open(
    State(state): State<AppState>,
    principal: Principal,
    Body(wanted): Body<NewWritten>,
) -> Result<(StatusCode, Json<Opened>), Problem> {
    let conversation = match &wanted.id {
        Some(text) => id::<ConversationId>("conversation", text)?,
        None => ConversationId(uuid::Uuid::now_v7().as_u128()),
    };
    if let Some(link) = &wanted.link
        && !link.starts_with("https://")
        && !link.starts_with("http://")
    {
        return Err(Problem::invalid("link", "A link begins with https:// or http://, so that an agent's browser opens it."));
    }
    let letter = Letter {
        conversation,
        channel: wanted.channel.into(),
        queue: id("queue", &wanted.queue)?,
        customer: Party { number: wanted.customer_address, name: wanted.customer_name },
        subject: wanted.subject,
        link: wanted.link,
        priority: wanted.priority,
        skills: wanted.skills.iter().map(skill).collect::<Result<_, _>>()?,
        language: wanted.language,
        preferred: wanted.preferred.as_ref().map(preferred).transpose()?,
    };
    let command = Command::OpenWritten { letter: Box::new(letter) };
    state.tenant(principal.tenant)?.command(principal.actor(None), command).await?;
    Ok((StatusCode::CREATED, Json(Opened { id: conversation.to_string() })))
}

/// What was opened.
#[derive(Debug, Serialize, ToSchema)]
pub struct Opened {
    /// Its id.
    pub id: String,
}

fn skill(need: &SkillNeed) -> Result<SkillRequirement, Problem> {
    Ok(SkillRequirement { skill: id("skill", &need.skill)?, level: need.level })
}

fn preferred(wanted: &PreferredAgent) -> Result<Preferred, Problem> {
    Ok(Preferred { agent: id("agent", &wanted.agent)?, wait: Millis(wanted.wait_ms) })
}

/// Takes what is offered, or what waits in a queue the agent works for.
#[utoipa::path(post, path = "/written/{id}/take", tag = "written", operation_id = "takeWritten", request_body = Taker,
    params(("id" = String, Path, description = "Which.")), responses((status = 204, description = "The agent has it.")))]
async fn take(
    State(state): State<AppState>,
    principal: Principal,
    Path(text): Path<String>,
    Body(taker): Body<Taker>,
) -> Result<StatusCode, Problem> {
    let (conversation, agent) = (id("conversation", &text)?, taker_of(&principal, &taker)?);
    act(&state, &principal, Some(agent), Command::TakeWritten { conversation, agent }).await
}

/// Does not take what is offered.
#[utoipa::path(post, path = "/written/{id}/decline", tag = "written", operation_id = "declineWritten", request_body = Taker,
    params(("id" = String, Path, description = "Which.")), responses((status = 204, description = "Others are asked.")))]
async fn decline(
    State(state): State<AppState>,
    principal: Principal,
    Path(text): Path<String>,
    Body(taker): Body<Taker>,
) -> Result<StatusCode, Problem> {
    let (conversation, agent) = (id("conversation", &text)?, taker_of(&principal, &taker)?);
    act(&state, &principal, Some(agent), Command::DeclineWritten { conversation, agent }).await
}

/// Lets it wait in a queue again, or in another one.
#[utoipa::path(post, path = "/written/{id}/move", tag = "written", operation_id = "moveWritten", request_body = Move,
    params(("id" = String, Path, description = "Which.")), responses((status = 204, description = "It waits there.")))]
async fn move_to_queue(
    State(state): State<AppState>,
    principal: Principal,
    Path(text): Path<String>,
    Body(to): Body<Move>,
) -> Result<StatusCode, Problem> {
    let conversation: ConversationId = id("conversation", &text)?;
    let queue = to.queue.as_deref().map(|queue| id::<QueueId>("queue", queue)).transpose()?;
    let preferred = to.preferred.as_ref().map(preferred).transpose()?;
    let agent = whose(&state, &principal, conversation).await?;
    act(&state, &principal, agent, Command::MoveWritten { conversation, queue, preferred }).await
}

/// Lets one that waits be served sooner or later than others.
#[utoipa::path(put, path = "/written/{id}/priority", tag = "written", operation_id = "setWrittenPriority", request_body = PriorityChange,
    params(("id" = String, Path, description = "Which.")), responses((status = 204, description = "Done.")))]
async fn set_priority(
    State(state): State<AppState>,
    principal: Principal,
    Path(text): Path<String>,
    Body(change): Body<PriorityChange>,
) -> Result<StatusCode, Problem> {
    let conversation: ConversationId = id("conversation", &text)?;
    let agent = whose(&state, &principal, conversation).await?;
    act(&state, &principal, agent, Command::SetPriority { conversation, priority: change.priority }).await
}

/// Closes it: it is done, or the customer is gone.
#[utoipa::path(post, path = "/written/{id}/close", tag = "written", operation_id = "closeWritten", request_body = Close,
    params(("id" = String, Path, description = "Which.")), responses((status = 204, description = "Closed; notes follow as its queue allows.")))]
async fn close(
    State(state): State<AppState>,
    principal: Principal,
    Path(text): Path<String>,
    Body(how): Body<Close>,
) -> Result<StatusCode, Problem> {
    let conversation: ConversationId = id("conversation", &text)?;
    let agent = whose(&state, &principal, conversation).await?;
    let command = Command::CloseWritten { conversation, by_customer: how.by_customer, disposition: how.disposition };
    act(&state, &principal, agent, command).await
}

/// Finishes the notes about it.
#[utoipa::path(post, path = "/written/{id}/finish", tag = "written", operation_id = "finishWritten", request_body = Notes,
    params(("id" = String, Path, description = "Which.")), responses((status = 204, description = "The agent has room for the next.")))]
async fn finish(
    State(state): State<AppState>,
    principal: Principal,
    Path(text): Path<String>,
    Body(notes): Body<Notes>,
) -> Result<StatusCode, Problem> {
    let conversation: ConversationId = id("conversation", &text)?;
    let agent = whose(&state, &principal, conversation).await?;
    act(&state, &principal, agent, Command::FinishWritten { conversation, disposition: notes.disposition }).await
}

fn taker_of(principal: &Principal, taker: &Taker) -> Result<AgentId, Problem> {
    match &taker.agent {
        Some(text) => id("agent", text),
        None => principal.agent.ok_or_else(|| Problem::invalid("agent", "Say which agent: you are none yourself.")),
    }
}

/// Who has it at present.
async fn whose(state: &AppState, principal: &Principal, conversation: ConversationId) -> Result<Option<AgentId>, Problem> {
    let agent = move |world: &dreiklang_core::World| world.written_of(conversation).map(|found| found.agent());
    let found = state.tenant(principal.tenant)?.read(agent).await?;
    found.ok_or_else(|| Problem::not_found("open conversation in writing", conversation))
}

async fn act(state: &AppState, principal: &Principal, agent: Option<AgentId>, command: Command) -> Result<StatusCode, Problem> {
    principal.require_for(P::ControlOwnConversations, P::ControlAnyConversation, agent)?;
    state.tenant(principal.tenant)?.command(principal.actor(agent), command).await?;
    Ok(no_content())
}
