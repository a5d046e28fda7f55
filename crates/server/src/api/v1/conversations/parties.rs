//! Out of turn, conferences and supervision.

use super::command;
use crate::{
    api::{
        extract::{Body, id},
        guard::guard,
    },
    auth::{Permission as P, Principal},
    error::Problem,
    http::no_content,
    state::AppState,
};
use axum::{
    extract::{Path, State},
    http::StatusCode,
};
use dreiklang_core::{
    Actor, Command, conversation,
    ids::{AgentId, ConversationId, LegId, QueueId},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

/// Which agent it is about.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Who {
    /// The agent's id; absent: the agent who asks.
    pub agent: Option<String>,
}

/// Back into which queue, and how.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Requeue {
    /// The queue's id; absent: the queue the customer was in last.
    pub queue: Option<String>,
    /// Stand in line as one who has waited as long as in all queues before, and not as one who comes now.
    pub keep_wait: bool,
}

/// Who follows a talk, and how.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Supervise {
    /// The supervising agent's id; absent: the agent who asks.
    pub agent: Option<String>,
    /// What the supervisor takes part in.
    pub mode: SupervisionMode,
}

/// What a supervisor takes part in.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum SupervisionMode {
    /// Hears what the agent says and hears; is heard by nobody.
    #[default]
    Listen,
    /// The same, and is heard by the agent alone.
    Whisper,
    /// Talks with everybody with whom the agent talks.
    Barge,
}

/// A party of a conference.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Party {
    /// Its leg's id.
    pub leg: String,
}

impl SupervisionMode {
    fn to_core(self) -> conversation::SupervisionMode {
        match self {
            SupervisionMode::Listen => conversation::SupervisionMode::Listen,
            SupervisionMode::Whisper => conversation::SupervisionMode::Whisper,
            SupervisionMode::Barge => conversation::SupervisionMode::Barge,
        }
    }
}

pub(super) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(guard(P::ControlOwnConversations, routes!(pull)))
        .routes(guard(P::ControlOwnConversations, routes!(requeue)))
        .routes(guard(P::ControlOwnConversations, routes!(merge)))
        .routes(guard(P::ControlOwnConversations, routes!(drop_party)))
        .routes(guard(P::ControlOwnConversations, routes!(supervise)))
        .routes(guard(P::ControlOwnConversations, routes!(change)))
        .routes(guard(P::ControlOwnConversations, routes!(end)))
        .routes(guard(P::ControlOwnConversations, routes!(take_over)))
}

/// Asks for something in which an agent has a part. Who may act on every conversation does it by that right, for any agent; others
/// are that agent, and the core judges what such a one may.
async fn ask(state: &AppState, principal: &Principal, command: Command, agent: Option<AgentId>) -> Result<StatusCode, Problem> {
    let by = if principal.may(P::ControlAnyConversation) {
        principal.actor(None)
    } else {
        principal.require_for(P::ControlOwnConversations, P::ControlAnyConversation, agent)?;
        agent.map_or_else(|| principal.actor(None), Actor::Agent)
    };
    state.tenant(principal.tenant)?.command(by, command).await?;
    Ok(no_content())
}

fn agent_of(principal: &Principal, agent: Option<&str>) -> Result<AgentId, Problem> {
    match agent {
        Some(text) => id("agent", text),
        None => principal.agent.ok_or_else(|| Problem::invalid("agent", "Name the agent: who asks is none.")),
    }
}

/// Lets a certain agent have a certain waiting customer, whoever's turn it is.
#[utoipa::path(post, path = "/conversations/{id}/pull", tag = "conversations", operation_id = "pullConversation", request_body = Who,
    params(("id" = String, Path, description = "Which.")), responses((status = 204, description = "The agent's telephone rings.")))]
async fn pull(
    State(state): State<AppState>,
    principal: Principal,
    Path(text): Path<String>,
    Body(who): Body<Who>,
) -> Result<StatusCode, Problem> {
    for_agent(&state, &principal, &text, who.agent.as_deref(), |conversation, agent| Command::Pull { conversation, agent }).await
}

/// Puts the customer of a talk back into a queue.
#[utoipa::path(post, path = "/conversations/{id}/requeue", tag = "conversations", operation_id = "requeueConversation", request_body = Requeue,
    params(("id" = String, Path, description = "Which.")), responses((status = 204, description = "Done.")))]
async fn requeue(
    State(state): State<AppState>,
    principal: Principal,
    Path(text): Path<String>,
    Body(wish): Body<Requeue>,
) -> Result<StatusCode, Problem> {
    let queue: Option<QueueId> = wish.queue.as_deref().map(|text| id("queue", text)).transpose()?;
    let keep_wait = wish.keep_wait;
    command(&state, &principal, &text, |conversation| Command::Requeue { conversation, queue, keep_wait }).await
}

/// Lets customer, agent and who is consulted talk with each other.
#[utoipa::path(post, path = "/conversations/{id}/consult/merge", tag = "conversations", operation_id = "mergeConsult",
    params(("id" = String, Path, description = "Which.")), responses((status = 204, description = "Done.")))]
async fn merge(State(state): State<AppState>, principal: Principal, Path(id): Path<String>) -> Result<StatusCode, Problem> {
    command(&state, &principal, &id, |conversation| Command::MergeConsult { conversation }).await
}

/// Lets one party of a conference go; the rest goes on.
#[utoipa::path(post, path = "/conversations/{id}/drop-party", tag = "conversations", operation_id = "dropParty", request_body = Party,
    params(("id" = String, Path, description = "Which.")), responses((status = 204, description = "Done.")))]
async fn drop_party(
    State(state): State<AppState>,
    principal: Principal,
    Path(text): Path<String>,
    Body(party): Body<Party>,
) -> Result<StatusCode, Problem> {
    let conversation: ConversationId = id("conversation", &text)?;
    let leg: LegId = id("leg", &party.leg)?;
    ask(&state, &principal, Command::DropParty { conversation, leg }, principal.agent).await
}

/// Calls a supervisor to follow an agent's talk.
#[utoipa::path(post, path = "/conversations/{id}/supervise", tag = "conversations", operation_id = "superviseConversation",
    request_body = Supervise, params(("id" = String, Path, description = "Which.")),
    responses((status = 204, description = "The supervisor's telephone rings.")))]
async fn supervise(
    State(state): State<AppState>,
    principal: Principal,
    Path(text): Path<String>,
    Body(wish): Body<Supervise>,
) -> Result<StatusCode, Problem> {
    let mode = wish.mode.to_core();
    for_agent(&state, &principal, &text, wish.agent.as_deref(), |conversation, agent| Command::Supervise { conversation, agent, mode })
        .await
}

/// Changes what a supervisor takes part in.
#[utoipa::path(post, path = "/conversations/{id}/supervise/change", tag = "conversations", operation_id = "changeSupervision",
    request_body = Supervise, params(("id" = String, Path, description = "Which.")), responses((status = 204, description = "Done.")))]
async fn change(
    State(state): State<AppState>,
    principal: Principal,
    Path(text): Path<String>,
    Body(wish): Body<Supervise>,
) -> Result<StatusCode, Problem> {
    let mode = wish.mode.to_core();
    for_agent(&state, &principal, &text, wish.agent.as_deref(), |conversation, agent| Command::ChangeSupervision {
        conversation,
        agent,
        mode,
    })
    .await
}

/// Lets a supervisor go.
#[utoipa::path(post, path = "/conversations/{id}/supervise/end", tag = "conversations", operation_id = "endSupervision", request_body = Who,
    params(("id" = String, Path, description = "Which.")), responses((status = 204, description = "Done.")))]
async fn end(
    State(state): State<AppState>,
    principal: Principal,
    Path(text): Path<String>,
    Body(who): Body<Who>,
) -> Result<StatusCode, Problem> {
    for_agent(&state, &principal, &text, who.agent.as_deref(), |conversation, agent| Command::EndSupervision { conversation, agent }).await
}

/// Lets a supervisor have the customer; the agent leaves and wraps up.
#[utoipa::path(post, path = "/conversations/{id}/supervise/take-over", tag = "conversations", operation_id = "takeOverConversation",
    request_body = Who, params(("id" = String, Path, description = "Which.")), responses((status = 204, description = "Done.")))]
async fn take_over(
    State(state): State<AppState>,
    principal: Principal,
    Path(text): Path<String>,
    Body(who): Body<Who>,
) -> Result<StatusCode, Problem> {
    for_agent(&state, &principal, &text, who.agent.as_deref(), |conversation, agent| Command::TakeOver { conversation, agent }).await
}

/// Asks for something about a conversation on behalf of an agent: the one named, or else who asks.
async fn for_agent(
    state: &AppState,
    principal: &Principal,
    conversation: &str,
    agent: Option<&str>,
    wish: impl FnOnce(ConversationId, AgentId) -> Command,
) -> Result<StatusCode, Problem> {
    let conversation: ConversationId = id("conversation", conversation)?;
    let agent = agent_of(principal, agent)?;
    ask(state, principal, wish(conversation, agent), Some(agent)).await
}
