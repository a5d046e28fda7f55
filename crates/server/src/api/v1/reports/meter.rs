//! What can be rated later.

use super::{
    span,
    table::{Format, Table, wanted},
};
use crate::{
    api::extract::{Page, Query, rows},
    auth::Principal,
    error::Problem,
    metrics::word,
    state::AppState,
};
use axum::{
    extract::State,
    http::HeaderMap,
    response::{IntoResponse, Response},
};
use dreiklang_core::{
    conversation::Role,
    stats::{Metered, meter::Unit},
    time::Timestamp,
};
use dreiklang_store::report::meter::MeterPlace;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// Of what time.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct MeterQuery {
    /// The first instant in which something ended.
    pub from: i64,
    /// The first instant no longer covered.
    pub to: i64,
    /// The `next` of the page before.
    pub cursor: Option<String>,
    /// Rows at most.
    #[param(minimum = 1, maximum = 500, default = 50)]
    pub limit: Option<u32>,
    /// `json` or `csv`; by the header `Accept` when left out. A table names the next page in the header `X-Next-Cursor`.
    #[param(value_type = Option<String>)]
    pub format: Option<Format>,
}

/// One record: a leg that ended or a recording that finished.
#[derive(Debug, Serialize, ToSchema)]
pub struct MeterRecord {
    /// The event of the journal it follows from; together with `unit` it tells records apart.
    pub seq: u64,
    /// `connected` (a leg's time with audio), `platform` (the same, for legs that Microsoft charges for by participant), or
    /// `recorded` (without pauses).
    pub unit: String,
    /// How much, in exact milliseconds: rounding is the rate's matter.
    pub quantity_ms: u64,
    /// From when.
    pub from: i64,
    /// To when.
    pub to: i64,
    /// For which conversation.
    pub conversation: String,
    /// The queue the customer was in last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub queue: Option<String>,
    /// Over which line.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<String>,
    /// The leg.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub leg: Option<String>,
    /// Whose leg: `customer`, `agent` or `external`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub role: Option<String>,
    /// Which agent's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub agent: Option<String>,
    /// `inbound` or `outbound`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub direction: Option<String>,
    /// `inside` for telephones of one's own, `outside` for the public network.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reach: Option<String>,
    /// The recording.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub recording: Option<String>,
}

/// What was used: one record for every leg that ended and every recording that finished, in the order in which they ended.
#[utoipa::path(get, path = "/reports/metering", tag = "reports", operation_id = "listMetering", params(MeterQuery),
    responses((status = 200, description = "A page, as JSON or CSV.", body = Page<MeterRecord>)))]
pub(super) async fn metering(
    State(state): State<AppState>,
    principal: Principal,
    headers: HeaderMap,
    Query(query): Query<MeterQuery>,
) -> Result<Response, Problem> {
    let span = span(query.from, query.to)?;
    let rows = rows(query.limit)?;
    let after = query.cursor.as_deref().map(place).transpose()?;
    let found = state.store().metered(principal.tenant, span, after, rows + 1).await?;
    let page = Page::cut(found.into_iter().map(record).collect(), rows, |row: &MeterRecord| format!("{}.{}.{}", row.to, row.seq, row.unit));
    if !wanted(query.format, &headers) {
        return Ok(page.into_response());
    }
    let mut table = Table::new([
        "seq",
        "unit",
        "quantity_ms",
        "from",
        "to",
        "conversation",
        "queue",
        "line",
        "leg",
        "role",
        "agent",
        "direction",
        "reach",
        "recording",
    ]);
    for row in page.items {
        let texts = [Some(row.conversation), row.queue, row.line, row.leg, row.role, row.agent, row.direction, row.reach, row.recording];
        let numbers = [row.seq.to_string(), row.unit, row.quantity_ms.to_string(), row.from.to_string(), row.to.to_string()];
        table.row(numbers.into_iter().chain(texts.into_iter().map(Option::unwrap_or_default)));
    }
    let mut answer = table.answer();
    if let Some(next) = page.next.and_then(|next| next.parse().ok()) {
        answer.headers_mut().insert("x-next-cursor", next);
    }
    Ok(answer)
}

fn place(text: &str) -> Result<MeterPlace, Problem> {
    let mut parts = text.splitn(3, '.');
    let mut part = || parts.next().unwrap_or_default();
    let (at, seq, unit) = (part().parse().ok(), part().parse().ok(), part());
    let unit = [Unit::Connected, Unit::Platform, Unit::Recorded].into_iter().find(|known| known.as_str() == unit);
    match (at, seq, unit) {
        (Some(at), Some(seq), Some(unit)) => Ok((Timestamp(at), seq, unit)),
        _ => Err(Problem::invalid("cursor", "This is not a cursor that a list has given.")),
    }
}

fn record(metered: Metered) -> MeterRecord {
    MeterRecord {
        seq: metered.seq,
        unit: metered.unit.as_str().to_owned(),
        quantity_ms: metered.quantity.0,
        from: metered.from.0,
        to: metered.to.0,
        conversation: metered.conversation.to_string(),
        queue: metered.queue.map(|id| id.to_string()),
        line: metered.line.map(|line| line.as_str().to_owned()),
        leg: metered.leg.map(|id| id.to_string()),
        role: metered.role.map(|role| {
            match role {
                Role::Customer => "customer",
                Role::Agent(_) => "agent",
                Role::External => "external",
            }
            .to_owned()
        }),
        agent: match metered.role {
            Some(Role::Agent(agent)) => Some(agent.to_string()),
            _ => None,
        },
        direction: metered.direction.map(|direction| word(&direction)),
        reach: metered.reach.map(|reach| word(&reach)),
        recording: metered.recording.map(|id| id.to_string()),
    }
}
