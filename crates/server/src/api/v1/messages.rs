//! Messages that callers left: listed, heard, taken care of.
//!
//! Agents see their own and those of queues they serve; who may hear recordings may hear all of them.

use super::recordings;
use crate::{
    api::{
        document::mailbox::Mailbox,
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
    extract::{Path, Request, State},
    http::StatusCode,
    response::Response,
};
use dreiklang_core::{
    Command, World, config,
    ids::{AgentId, MessageId, QueueId},
    voicemail,
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

/// A message that a caller left.
#[derive(Debug, Serialize, ToSchema)]
pub struct Message {
    /// Which.
    pub id: String,
    /// Whose.
    pub mailbox: Mailbox,
    /// The conversation in which it was left.
    pub conversation: String,
    /// The caller's number; absent when withheld.
    pub caller_number: Option<String>,
    /// The caller's name, as the network says.
    pub caller_name: Option<String>,
    /// When it was left.
    pub left_at: i64,
    /// Length of the audio.
    pub duration_ms: u64,
    /// When it is forgotten.
    pub expires_at: i64,
    /// Whether somebody has taken care of it.
    pub state: MessageState,
    /// When somebody said so last.
    pub marked_at: Option<i64>,
}

/// Messages.
#[derive(Debug, Serialize, ToSchema)]
pub struct Messages {
    /// Newest first.
    pub items: Vec<Message>,
}

/// Whether somebody has taken care of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum MessageState {
    /// Nobody has heard it.
    New,
    /// Somebody has heard it.
    Heard,
    /// What it asks for has been done.
    Done,
}

/// A new state.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct MessageMark {
    /// The new state.
    pub state: MessageState,
}

/// Which messages of a list; all conditions must hold.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct MessageQuery {
    /// For those who serve the queue of this id.
    pub queue: Option<String>,
    /// For the agent of this id.
    pub agent: Option<String>,
    /// In this state.
    #[param(inline)]
    pub state: Option<MessageState>,
}

impl Message {
    fn of(message: &voicemail::Message) -> Message {
        Message {
            id: message.id.to_string(),
            mailbox: message.mailbox.into(),
            conversation: message.conversation.to_string(),
            caller_number: message.caller.number.clone(),
            caller_name: message.caller.name.clone(),
            left_at: message.left_at.0,
            duration_ms: message.duration.0,
            expires_at: message.expires_at.0,
            state: message.state.into(),
            marked_at: message.marked.as_ref().map(|(_, at)| at.0),
        }
    }
}

impl From<voicemail::MessageState> for MessageState {
    fn from(state: voicemail::MessageState) -> Self {
        match state {
            voicemail::MessageState::New => MessageState::New,
            voicemail::MessageState::Heard => MessageState::Heard,
            voicemail::MessageState::Done => MessageState::Done,
        }
    }
}

impl From<MessageState> for voicemail::MessageState {
    fn from(state: MessageState) -> Self {
        match state {
            MessageState::New => voicemail::MessageState::New,
            MessageState::Heard => voicemail::MessageState::Heard,
            MessageState::Done => voicemail::MessageState::Done,
        }
    }
}

pub(super) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(guard(P::ReadOwnConversations, routes!(list)))
        .routes(guard(P::ReadOwnConversations, routes!(read)))
        .routes(guard(P::ReadOwnConversations, routes!(audio)))
        .routes(guard(P::ControlOwnConversations, routes!(mark)))
        .routes(guard(P::ControlOwnConversations, routes!(delete)))
}

/// Whose messages somebody may see: everybody's, or those that are this agent's business.
fn seen(world: &World, all: bool, agent: Option<AgentId>, mailbox: config::Mailbox) -> bool {
    all || agent.is_some_and(|agent| world.may_hear(agent, mailbox))
}

async fn find(state: &AppState, principal: &Principal, text: &str, any: P) -> Result<voicemail::Message, Problem> {
    let message: MessageId = id("message", text)?;
    let (all, agent) = (principal.may(any), principal.agent);
    let owner = state.tenant(principal.tenant)?;
    let found = owner.read(move |world| {
        let found = world.message(message)?;
        Some((found.clone(), seen(world, all, agent, found.mailbox)))
    });
    match found.await? {
        Some((found, true)) => Ok(found),
        Some((_, false)) => Err(principal.require(any).err().unwrap_or_else(|| Problem::not_found("message", text))),
        None => Err(Problem::not_found("message", text)),
    }
}

/// Lists messages, newest first. Agents see their own and those of queues they serve.
#[utoipa::path(get, path = "/messages", tag = "messages", operation_id = "listMessages", params(MessageQuery),
    responses((status = 200, description = "The messages.", body = Messages)))]
async fn list(State(state): State<AppState>, principal: Principal, Query(query): Query<MessageQuery>) -> Result<Json<Messages>, Problem> {
    let queue = query.queue.as_deref().map(|text| id::<QueueId>("queue", text)).transpose()?;
    let agent = query.agent.as_deref().map(|text| id::<AgentId>("agent", text)).transpose()?;
    let wanted = query.state.map(voicemail::MessageState::from);
    let (all, own) = (principal.may(P::ReadAnyConversation), principal.agent);
    let owner = state.tenant(principal.tenant)?;
    let items = owner.read(move |world| {
        let matches = |message: &&voicemail::Message| {
            queue.is_none_or(|queue| message.mailbox == config::Mailbox::Queue(queue))
                && agent.is_none_or(|agent| message.mailbox == config::Mailbox::Agent(agent))
                && wanted.is_none_or(|wanted| message.state == wanted)
                && seen(world, all, own, message.mailbox)
        };
        let mut items: Vec<Message> = world.messages().iter().filter(matches).map(Message::of).collect();
        items.sort_by_key(|message| std::cmp::Reverse(message.left_at));
        items
    });
    Ok(Json(Messages { items: items.await? }))
}

/// Reads what is known of a message.
#[utoipa::path(get, path = "/messages/{id}", tag = "messages", operation_id = "getMessage", params(("id" = String, Path, description = "Which.")),
    responses((status = 200, description = "The message.", body = Message)))]
async fn read(State(state): State<AppState>, principal: Principal, Path(id): Path<String>) -> Result<Json<Message>, Problem> {
    Ok(Json(Message::of(&find(&state, &principal, &id, P::ReadAnyConversation).await?)))
}

/// Plays a message; answers ranges. Every playback is noted in the audit log; the message's state stays as it is.
#[utoipa::path(get, path = "/messages/{id}/audio", tag = "messages", operation_id = "getMessageAudio", params(("id" = String, Path, description = "Which.")),
    responses((status = 200, description = "The audio.", content_type = "audio/wav"), (status = 206, description = "The part asked for.", content_type = "audio/wav")))]
async fn audio(State(state): State<AppState>, principal: Principal, Path(id): Path<String>, request: Request) -> Result<Response, Problem> {
    let message = find(&state, &principal, &id, P::HearRecordings).await?;
    let recording = state.store().recording(principal.tenant, message.recording).await?;
    let recording = recording.ok_or_else(|| Problem::not_found("recording", message.recording.to_string()))?;
    recordings::play(&state, &principal, recording, "message.played", &id, request).await
}

/// Says whether a message has been taken care of.
#[utoipa::path(put, path = "/messages/{id}/state", tag = "messages", operation_id = "setMessageState", request_body = MessageMark,
    params(("id" = String, Path, description = "Which.")), responses((status = 204, description = "Done.")))]
async fn mark(
    State(state): State<AppState>,
    principal: Principal,
    Path(id): Path<String>,
    Body(mark): Body<MessageMark>,
) -> Result<StatusCode, Problem> {
    let message = find(&state, &principal, &id, P::ControlAnyConversation).await?.id;
    command(&state, &principal, Command::MarkMessage { message, state: mark.state.into() }).await
}

/// Forgets a message.
#[utoipa::path(delete, path = "/messages/{id}", tag = "messages", operation_id = "deleteMessage", params(("id" = String, Path, description = "Which.")),
    responses((status = 204, description = "Done.")))]
async fn delete(State(state): State<AppState>, principal: Principal, Path(id): Path<String>) -> Result<StatusCode, Problem> {
    let message = find(&state, &principal, &id, P::ControlAnyConversation).await?.id;
    command(&state, &principal, Command::DeleteMessage { message }).await
}

/// As whoever may act on everything, or as the agent.
async fn command(state: &AppState, principal: &Principal, command: Command) -> Result<StatusCode, Problem> {
    let own = principal.agent.filter(|_| !principal.may(P::ControlAnyConversation));
    state.tenant(principal.tenant)?.command(principal.actor(own), command).await?;
    Ok(no_content())
}
