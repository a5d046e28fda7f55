//! What agents do with their own state, and supervisors with that of others.

use crate::{
    api::{
        extract::{Body, id},
        guard::guard,
    },
    auth::{Permission as P, Principal},
    error::Problem,
    http::no_content,
    live::view::AgentState,
    state::AppState,
};
use axum::{
    Json,
    extract::{Path, State},
    http::StatusCode,
};
use dreiklang_core::{
    Command, agent,
    ids::{AgentId, QueueId},
};
use serde::Deserialize;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

/// At work or not.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DutyChange {
    /// The new duty.
    pub duty: Duty,
    /// Only after the present conversation and its wrap-up; at once where there is none. The present duty takes such a plan back.
    #[serde(default)]
    pub after_conversation: bool,
}

/// At work or not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Duty {
    /// Not signed in.
    SignedOut,
    /// Signed in, but not working conversations at present.
    OffDuty,
    /// Working.
    OnDuty,
}

/// Ready or not.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(tag = "state", rename_all = "snake_case", deny_unknown_fields)]
pub enum AvailabilityChange {
    /// Give me conversations.
    Ready,
    /// Do not.
    NotReady {
        /// Why: one of the tenant's codes.
        reason: String,
    },
}

/// The end of wrap-up.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct WrapUpEnd {
    /// The code chosen for the conversation.
    #[serde(default)]
    pub disposition: Option<String>,
}

/// Whether an agent works for a queue.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct QueueSignIn {
    /// Signed in, or out.
    pub signed_in: bool,
}

/// What an agent works for.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ProfileChoice {
    /// The name of one of the agent's duty profiles; `null` = all queues.
    pub profile: Option<String>,
}

/// What became of a conversation.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DispositionChange {
    /// One of the queue's codes; `null` takes it back.
    pub disposition: Option<String>,
}

impl From<Duty> for agent::Duty {
    fn from(duty: Duty) -> Self {
        match duty {
            Duty::SignedOut => agent::Duty::SignedOut,
            Duty::OffDuty => agent::Duty::OffDuty,
            Duty::OnDuty => agent::Duty::OnDuty,
        }
    }
}

impl From<agent::Duty> for Duty {
    fn from(duty: agent::Duty) -> Self {
        match duty {
            agent::Duty::SignedOut => Duty::SignedOut,
            agent::Duty::OffDuty => Duty::OffDuty,
            agent::Duty::OnDuty => Duty::OnDuty,
        }
    }
}

pub(super) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(guard(P::ReadLive, routes!(read)))
        .routes(guard(P::ChangeOwnState, routes!(set_duty)))
        .routes(guard(P::ChangeOwnState, routes!(set_availability)))
        .routes(guard(P::ChangeOwnState, routes!(finish_wrap_up)))
        .routes(guard(P::ChangeOwnState, routes!(sign_into_queue)))
        .routes(guard(P::ChangeOwnState, routes!(choose_profile)))
        .routes(guard(P::ChangeOwnState, routes!(extend_wrap_up)))
        .routes(guard(P::ChangeOwnState, routes!(set_disposition)))
        .routes(guard(P::ChangeOwnState, routes!(decline)))
}

async fn command(
    state: &AppState,
    principal: &Principal,
    text: &str,
    command: impl FnOnce(AgentId) -> Command,
) -> Result<StatusCode, Problem> {
    let agent: AgentId = id("agent", text)?;
    principal.require_for(P::ChangeOwnState, P::ChangeAnyState, Some(agent))?;
    state.tenant(principal.tenant)?.command(principal.actor(Some(agent)), command(agent)).await?;
    Ok(no_content())
}

/// Reads an agent's present state.
#[utoipa::path(get, path = "/agents/{id}/state", tag = "agents", operation_id = "getAgentState", params(("id" = String, Path, description = "Which.")),
    responses((status = 200, description = "The state.", body = AgentState)))]
async fn read(State(state): State<AppState>, principal: Principal, Path(text): Path<String>) -> Result<Json<AgentState>, Problem> {
    let agent: AgentId = id("agent", &text)?;
    let found = state.tenant(principal.tenant)?.read(move |world| world.agent(agent).map(AgentState::of)).await?;
    found.map(Json).ok_or_else(|| Problem::not_found("agent", text))
}

/// Begins or ends work, now or after the present conversation.
#[utoipa::path(put, path = "/agents/{id}/duty", tag = "agents", operation_id = "setDuty", request_body = DutyChange,
    params(("id" = String, Path, description = "Whose.")), responses((status = 204, description = "Done.")))]
async fn set_duty(
    State(state): State<AppState>,
    principal: Principal,
    Path(id): Path<String>,
    Body(change): Body<DutyChange>,
) -> Result<StatusCode, Problem> {
    let duty = change.duty.into();
    command(&state, &principal, &id, |agent| match change.after_conversation {
        true => Command::PlanDuty { agent, duty },
        false => Command::SetDuty { agent, duty },
    })
    .await
}

/// Becomes ready or not ready; during a conversation it applies once wrap-up is over.
#[utoipa::path(put, path = "/agents/{id}/availability", tag = "agents", operation_id = "setAvailability", request_body = AvailabilityChange,
    params(("id" = String, Path, description = "Whose.")), responses((status = 204, description = "Done.")))]
async fn set_availability(
    State(state): State<AppState>,
    principal: Principal,
    Path(id): Path<String>,
    Body(change): Body<AvailabilityChange>,
) -> Result<StatusCode, Problem> {
    let availability = match change {
        AvailabilityChange::Ready => agent::Availability::Ready,
        AvailabilityChange::NotReady { reason } => agent::Availability::NotReady { reason },
    };
    command(&state, &principal, &id, |agent| Command::SetAvailability { agent, availability }).await
}

/// Ends wrap-up before its time.
#[utoipa::path(post, path = "/agents/{id}/wrap-up/finish", tag = "agents", operation_id = "finishWrapUp", request_body = WrapUpEnd,
    params(("id" = String, Path, description = "Whose.")), responses((status = 204, description = "Done.")))]
async fn finish_wrap_up(
    State(state): State<AppState>,
    principal: Principal,
    Path(id): Path<String>,
    Body(end): Body<WrapUpEnd>,
) -> Result<StatusCode, Problem> {
    command(&state, &principal, &id, |agent| Command::FinishWrapUp { agent, disposition: end.disposition }).await
}

/// Signs an agent into one of the queues assigned to the agent, or out of it.
#[utoipa::path(put, path = "/agents/{id}/queues/{queue}", tag = "agents", operation_id = "signIntoQueue", request_body = QueueSignIn,
    params(("id" = String, Path, description = "Who."), ("queue" = String, Path, description = "Which queue.")),
    responses((status = 204, description = "Done.")))]
async fn sign_into_queue(
    State(state): State<AppState>,
    principal: Principal,
    Path((agent, queue)): Path<(String, String)>,
    Body(change): Body<QueueSignIn>,
) -> Result<StatusCode, Problem> {
    let queue: QueueId = id("queue", &queue)?;
    command(&state, &principal, &agent, |agent| match change.signed_in {
        true => Command::SignIntoQueue { agent, queue },
        false => Command::SignOutOfQueue { agent, queue },
    })
    .await
}

/// Signs an agent into the queues of one of the agent's duty profiles, and out of all others.
#[utoipa::path(put, path = "/agents/{id}/profile", tag = "agents", operation_id = "chooseProfile", request_body = ProfileChoice,
    params(("id" = String, Path, description = "Who.")), responses((status = 204, description = "Done.")))]
async fn choose_profile(
    State(state): State<AppState>,
    principal: Principal,
    Path(id): Path<String>,
    Body(choice): Body<ProfileChoice>,
) -> Result<StatusCode, Problem> {
    command(&state, &principal, &id, |agent| Command::ChooseProfile { agent, profile: choice.profile }).await
}

/// Takes longer for wrap-up, once, where the queue allows it.
#[utoipa::path(post, path = "/agents/{id}/wrap-up/extend", tag = "agents", operation_id = "extendWrapUp",
    params(("id" = String, Path, description = "Whose.")), responses((status = 204, description = "Done.")))]
async fn extend_wrap_up(State(state): State<AppState>, principal: Principal, Path(id): Path<String>) -> Result<StatusCode, Problem> {
    command(&state, &principal, &id, |agent| Command::ExtendWrapUp { agent }).await
}

/// Says what became of the conversation that the agent is in or wraps up.
#[utoipa::path(put, path = "/agents/{id}/disposition", tag = "agents", operation_id = "setDisposition", request_body = DispositionChange,
    params(("id" = String, Path, description = "Whose.")), responses((status = 204, description = "Done.")))]
async fn set_disposition(
    State(state): State<AppState>,
    principal: Principal,
    Path(id): Path<String>,
    Body(change): Body<DispositionChange>,
) -> Result<StatusCode, Problem> {
    command(&state, &principal, &id, |agent| Command::SetDisposition { agent, disposition: change.disposition }).await
}

/// Refuses the present offer.
#[utoipa::path(post, path = "/agents/{id}/offer/decline", tag = "agents", operation_id = "declineOffer",
    params(("id" = String, Path, description = "Whose.")), responses((status = 204, description = "Done.")))]
async fn decline(State(state): State<AppState>, principal: Principal, Path(id): Path<String>) -> Result<StatusCode, Problem> {
    command(&state, &principal, &id, |agent| Command::Decline { agent }).await
}
