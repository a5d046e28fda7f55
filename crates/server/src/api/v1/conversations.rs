//! Conversations, past and present, and commands to those under way.

use super::recordings::Recording;
use crate::{
    api::{
        document::agent::{Endpoint, Line},
        extract::{Body, Page, Query, id, rows},
        guard::guard,
    },
    auth::{Permission as P, Principal},
    error::Problem,
    http::no_content,
    limits,
    live::view,
    metrics::word,
    state::AppState,
};
use axum::{
    Json,
    extract::{Path, State},
    http::StatusCode,
};
use dreiklang_core::{
    Command,
    conversation::Termination,
    ids::{AgentId, ConversationId, QueueId},
    input::TransferTarget,
    time::Timestamp,
};
use dreiklang_store::report::{
    conversations::{ConversationFilter, ConversationOutcome, ConversationRow, Cursor},
    details,
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

/// A conversation in a list.
#[derive(Debug, Serialize, ToSchema)]
pub struct Conversation {
    /// Which.
    pub id: String,
    /// The line it came over.
    pub line: Line,
    /// `inbound` or `outbound`.
    pub direction: String,
    /// The customer's number; absent when withheld.
    pub caller_number: Option<String>,
    /// The customer's name, as the network says.
    pub caller_name: Option<String>,
    /// What was dialed.
    pub dialed: String,
    /// When it began.
    pub started_at: i64,
    /// When the customer left; absent while it goes on.
    pub ended_at: Option<i64>,
    /// How it ended.
    pub termination: Option<Ended>,
    /// `answered`, `abandoned`, `flow_out` or `unserved`; absent while nothing is decided.
    pub outcome: Option<String>,
    /// The last queue.
    pub queue: Option<String>,
    /// The last agent.
    pub agent: Option<String>,
    /// Sum of its waits in queues.
    pub wait_ms: u64,
    /// Sum of its talks.
    pub talk_ms: u64,
    /// Sum of its holds.
    pub hold_ms: u64,
    /// Number of its recordings.
    pub recordings: u64,
}

/// How something ended.
#[derive(Debug, Serialize, ToSchema)]
pub struct Ended {
    /// Whose doing: `success`, `caller`, `agent`, `upstream`, `us` or `unknown`.
    pub result: String,
    /// The reason, such as `hung_up`.
    pub reason: String,
}

/// A conversation with everything that is known of it.
#[derive(Debug, Serialize, ToSchema)]
pub struct ConversationDetails {
    /// The conversation.
    #[serde(flatten)]
    pub conversation: Conversation,
    /// Every party's connection.
    pub legs: Vec<Leg>,
    /// Its stays in queues.
    pub visits: Vec<Visit>,
    /// Its offers to agents.
    pub offers: Vec<Offer>,
    /// What the customer's time was spent with; without gap or overlap.
    pub segments: Vec<Segment>,
    /// Who talked with the customer.
    pub talks: Vec<Talk>,
    /// Its recordings.
    pub recordings_made: Vec<Recording>,
}

/// One party's connection.
#[derive(Debug, Serialize, ToSchema)]
pub struct Leg {
    /// Which.
    pub id: String,
    /// `customer`, `agent` or `external`.
    pub role: String,
    /// Which agent.
    pub agent: Option<String>,
    /// Over which line.
    pub line: Line,
    /// `inbound` or `outbound`.
    pub direction: Option<String>,
    /// Where it ends.
    pub endpoint: Option<Endpoint>,
    /// When it began.
    pub started_at: i64,
    /// When it began to ring.
    pub ringing_at: Option<i64>,
    /// When audio was there.
    pub connected_at: Option<i64>,
    /// When it ended.
    pub ended_at: Option<i64>,
    /// How.
    pub termination: Option<Ended>,
    /// Audio figures of both directions.
    pub quality: Option<Quality>,
}

/// Audio figures.
#[derive(Debug, Serialize, ToSchema)]
pub struct Quality {
    /// From the far end to us.
    pub received: Option<Stream>,
    /// From us to the far end.
    pub sent: Option<Stream>,
    /// There and back.
    pub round_trip_ms: Option<f64>,
    /// Rated poor by the rule of Microsoft's call quality dashboard.
    pub poor: bool,
}

/// Audio figures of one direction.
#[derive(Debug, Serialize, ToSchema)]
pub struct Stream {
    /// Packets that arrived, or were sent.
    pub packets: u64,
    /// Packets that did not arrive.
    pub lost: u64,
    /// Jitter.
    pub jitter_ms: f64,
    /// Mean opinion score, 1 to 4.5.
    pub mos: Option<f64>,
}

/// A stay in a queue.
#[derive(Debug, Serialize, ToSchema)]
pub struct Visit {
    /// Which.
    pub id: String,
    /// In which queue.
    pub queue: String,
    /// Higher is served first.
    pub priority: Option<u8>,
    /// When it began.
    pub enqueued_at: i64,
    /// When it ended.
    pub ended_at: Option<i64>,
    /// `answered`, `abandoned` or `flow_out`.
    pub outcome: Option<String>,
    /// The caller left within the queue's short-abandon time.
    pub short_abandon: bool,
    /// Why it left the queue without agent and without the caller's doing.
    pub flow_out_reason: Option<String>,
    /// How long it took.
    pub wait_ms: Option<u64>,
    /// The promise at that time.
    pub service_level_within_ms: Option<u64>,
    /// Who took it.
    pub agent: Option<String>,
}

/// An offer to an agent.
#[derive(Debug, Serialize, ToSchema)]
pub struct Offer {
    /// Which.
    pub id: String,
    /// Of which stay.
    pub visit: Option<String>,
    /// Of which queue.
    pub queue: Option<String>,
    /// To whom.
    pub agent: String,
    /// When it was made.
    pub made_at: i64,
    /// When it ended.
    pub ended_at: Option<i64>,
    /// `accepted`, `declined`, `no_answer`, `busy`, `unreachable` or `withdrawn`.
    pub outcome: Option<String>,
}

/// A stretch of the customer's time.
#[derive(Debug, Serialize, ToSchema)]
pub struct Segment {
    /// `set_up`, `greeting`, `queue`, `talk`, `hold`, `transfer` or `ending`.
    pub kind: String,
    /// Its beginning.
    pub from: i64,
    /// Its end.
    pub to: i64,
    /// The queue it counts for.
    pub queue: Option<String>,
    /// The agent it was with.
    pub agent: Option<String>,
}

/// Somebody talking with the customer.
#[derive(Debug, Serialize, ToSchema)]
pub struct Talk {
    /// Whose connection.
    pub leg: String,
    /// The queue it came from.
    pub queue: Option<String>,
    /// Which agent; absent for somebody outside.
    pub agent: Option<String>,
    /// When it began.
    pub started_at: i64,
    /// When it ended.
    pub ended_at: Option<i64>,
    /// Without holds.
    pub talk_ms: u64,
    /// On hold.
    pub hold_ms: u64,
    /// Notes afterwards.
    pub wrap_up_ms: u64,
    /// The code chosen for it.
    pub disposition: Option<String>,
}

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
}

pub(super) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(guard(P::ReadOwnConversations, routes!(list)))
        .routes(guard(P::ReadOwnConversations, routes!(read)))
        .routes(guard(P::ReadAnyConversation, routes!(trace)))
        .routes(guard(P::ControlOwnConversations, routes!(hold)))
        .routes(guard(P::ControlOwnConversations, routes!(resume)))
        .routes(guard(P::ControlOwnConversations, routes!(transfer)))
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
    };
    let after: Option<Cursor> = match &query.cursor {
        Some(cursor) => Some(cursor.parse().map_err(|_| Problem::invalid("cursor", "This is not a cursor that a list has given."))?),
        None => None,
    };
    let page = state.store().conversations(principal.tenant, filter, after, rows).await?;
    Ok(Page { items: page.rows.iter().map(Conversation::of).collect(), next: page.next.map(|cursor| cursor.to_string()) })
}

/// Reads a conversation with its legs, visits, offers, segments, talks and recordings.
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
    let next = if trace.more { trace.events.last().map(|stamped| stamped.seq) } else { None };
    let events = trace.events.iter().map(|stamped| serde_json::to_value(stamped).unwrap_or_default()).collect();
    Ok(Json(Trace { events, next }))
}

async fn command(
    state: &AppState,
    principal: &Principal,
    text: &str,
    command: impl FnOnce(ConversationId) -> Command,
) -> Result<StatusCode, Problem> {
    let conversation: ConversationId = id("conversation", text)?;
    let handle = state.tenant(principal.tenant)?;
    let agent = handle.read(move |world| world.conversation(conversation).map(view::agent_of)).await?;
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
    let to = match to {
        Transfer::Queue(queue) => TransferTarget::Queue(id("queue", &queue)?),
        Transfer::Agent(agent) => TransferTarget::Agent(id("agent", &agent)?),
        Transfer::Number(number) => TransferTarget::Number(number),
    };
    command(&state, &principal, &text, |conversation| Command::Transfer { conversation, to }).await
}

/// Ends a conversation, for the customer too.
#[utoipa::path(post, path = "/conversations/{id}/hang-up", tag = "conversations", operation_id = "hangUpConversation", params(("id" = String, Path, description = "Which.")),
    responses((status = 204, description = "Begun.")))]
async fn hang_up(State(state): State<AppState>, principal: Principal, Path(id): Path<String>) -> Result<StatusCode, Problem> {
    command(&state, &principal, &id, |conversation| Command::HangUp { conversation }).await
}

impl Ended {
    fn of(termination: Termination) -> Ended {
        Ended { result: word(&termination.result), reason: word(&termination.reason) }
    }
}

impl Conversation {
    fn of(row: &ConversationRow) -> Conversation {
        Conversation {
            id: row.id.to_string(),
            line: row.line.into(),
            direction: word(&row.direction),
            caller_number: row.caller.number.clone(),
            caller_name: row.caller.name.clone(),
            dialed: row.dialed.clone(),
            started_at: row.started_at.0,
            ended_at: row.ended_at.map(|at| at.0),
            termination: row.termination.map(Ended::of),
            outcome: row.outcome.as_ref().map(word),
            queue: row.queue.map(|id| id.to_string()),
            agent: row.agent.map(|id| id.to_string()),
            wait_ms: row.wait.0,
            talk_ms: row.talk.0,
            hold_ms: row.hold.0,
            recordings: row.recordings,
        }
    }
}

impl ConversationDetails {
    fn of(found: &details::ConversationDetails) -> ConversationDetails {
        ConversationDetails {
            conversation: Conversation::of(&found.conversation),
            legs: found.legs.iter().map(Leg::of).collect(),
            visits: found.visits.iter().map(Visit::of).collect(),
            offers: found.offers.iter().map(Offer::of).collect(),
            segments: found.segments.iter().map(Segment::of).collect(),
            talks: found.talks.iter().map(Talk::of).collect(),
            recordings_made: found.recordings.iter().map(Recording::of).collect(),
        }
    }
}

impl Leg {
    fn of(row: &details::LegRow) -> Leg {
        let stream = |stream: &dreiklang_core::conversation::Stream| Stream {
            packets: stream.packets,
            lost: stream.lost,
            jitter_ms: stream.jitter_ms,
            mos: stream.mos,
        };
        Leg {
            id: row.id.to_string(),
            role: row.role.clone(),
            agent: row.agent.map(|id| id.to_string()),
            line: row.line.into(),
            direction: row.direction.as_ref().map(word),
            endpoint: row.endpoint.clone().map(Into::into),
            started_at: row.started_at.0,
            ringing_at: row.ringing_at.map(|at| at.0),
            connected_at: row.connected_at.map(|at| at.0),
            ended_at: row.ended_at.map(|at| at.0),
            termination: row.termination.map(Ended::of),
            quality: row.quality.as_ref().map(|quality| Quality {
                received: quality.received.as_ref().map(stream),
                sent: quality.sent.as_ref().map(stream),
                round_trip_ms: quality.round_trip_ms,
                poor: quality.poor,
            }),
        }
    }
}

impl Visit {
    fn of(row: &details::VisitRow) -> Visit {
        use dreiklang_core::queue::Outcome;
        Visit {
            id: row.id.to_string(),
            queue: row.queue.to_string(),
            priority: row.priority,
            enqueued_at: row.enqueued_at.0,
            ended_at: row.ended_at.map(|at| at.0),
            outcome: row.outcome.map(|outcome| match outcome {
                Outcome::Answered => "answered".to_owned(),
                Outcome::Abandoned { .. } => "abandoned".to_owned(),
                Outcome::FlowOut { .. } => "flow_out".to_owned(),
            }),
            short_abandon: matches!(row.outcome, Some(Outcome::Abandoned { short: true })),
            flow_out_reason: match &row.outcome {
                Some(Outcome::FlowOut { reason }) => Some(word(reason)),
                _ => None,
            },
            wait_ms: row.wait.map(|span| span.0),
            service_level_within_ms: row.within.map(|span| span.0),
            agent: row.agent.map(|id| id.to_string()),
        }
    }
}

impl Offer {
    fn of(row: &details::OfferRow) -> Offer {
        Offer {
            id: row.id.to_string(),
            visit: row.visit.map(|id| id.to_string()),
            queue: row.queue.map(|id| id.to_string()),
            agent: row.agent.to_string(),
            made_at: row.made_at.0,
            ended_at: row.ended_at.map(|at| at.0),
            outcome: row.outcome.as_ref().map(word),
        }
    }
}

impl Segment {
    fn of(row: &details::SegmentRow) -> Segment {
        Segment {
            kind: word(&row.kind),
            from: row.from.0,
            to: row.to.0,
            queue: row.queue.map(|id| id.to_string()),
            agent: row.agent.map(|id| id.to_string()),
        }
    }
}

impl Talk {
    fn of(row: &details::TalkRow) -> Talk {
        Talk {
            leg: row.leg.to_string(),
            queue: row.queue.map(|id| id.to_string()),
            agent: row.agent.map(|id| id.to_string()),
            started_at: row.started_at.0,
            ended_at: row.ended_at.map(|at| at.0),
            talk_ms: row.talk.0,
            hold_ms: row.hold.0,
            wrap_up_ms: row.wrap_up.0,
            disposition: row.disposition.clone(),
        }
    }
}
