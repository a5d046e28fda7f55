//! Figures by interval, and the catalogue that says what each of them means.

use super::{
    span,
    table::{Format, Table, wanted},
};
use crate::{
    api::extract::Query,
    auth::Principal,
    error::{Code, Problem},
    limits,
    state::{AppState, now},
};
use axum::{
    Json,
    extract::State,
    http::HeaderMap,
    response::{IntoResponse, Response},
};
use dreiklang_core::{
    ids::{AgentId, NumberId, QueueId},
    stats::{self, Attribution, Clock, Counter as _, Denominator, FIGURES, Kind, LIVE, MISSING, SLOT, Tally, Terms, Value, View, Width},
    time::Millis,
};
use dreiklang_store::report::figures::{FigureRow, Wanted};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use utoipa::{IntoParams, ToSchema};

/// Of what time, of whom, and how.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct ReportQuery {
    /// The first instant. The quarter of an hour it lies in counts as a whole.
    pub from: i64,
    /// The first instant no longer covered, unless it lies within a quarter of an hour.
    pub to: i64,
    /// Width of intervals: `15m`, `30m`, `60m`, `day`, or `total` for everything in one.
    #[serde(default)]
    #[param(value_type = String, default = "total")]
    pub interval: Width,
    /// Where times are booked: `completion`, where what took them ended, or `spread`, where they passed.
    #[serde(default)]
    #[param(value_type = String, default = "completion")]
    pub attribution: Attribution,
    /// By which clock hours and days begin: the IANA name of a time zone, such as `Europe/Berlin`.
    #[param(default = "UTC")]
    pub time_zone: Option<String>,
    /// Service levels by this threshold in seconds (5, 10, 15, 20, 30, 45, 60, 90, 120, 180, 300 or 600) instead of by what each
    /// queue promised.
    pub within_s: Option<u64>,
    /// What service levels are shares of: `offered_less_short`, `answered`, `answered_and_abandoned`,
    /// `answered_and_all_abandoned` or `offered`.
    #[serde(default)]
    #[param(value_type = String, default = "offered_less_short")]
    pub denominator: Denominator,
    /// Tell first contact resolution of queues: answered callers who did not call again within so many days. Only in total.
    #[param(minimum = 1, maximum = 90)]
    pub repeat_days: Option<u16>,
    /// Only the queue, agent or number of this id, or this line.
    pub only: Option<String>,
    /// `json` or `csv`; by the header `Accept` when left out.
    #[param(value_type = Option<String>)]
    pub format: Option<Format>,
}

/// What a figure means.
#[derive(Debug, Serialize, ToSchema)]
pub struct Formula {
    /// The field it explains.
    pub key: String,
    /// For people.
    pub title: String,
    /// How it is computed.
    pub formula: String,
    /// `count`, `share` (0 to 1) or `milliseconds`.
    pub unit: String,
    /// Of whom it is told: `queue`, `agent`, `number`, `line`.
    pub of: Vec<String>,
}

/// A figure the product cannot compute.
#[derive(Debug, Serialize, ToSchema)]
pub struct MissingFigure {
    /// For programs.
    pub key: String,
    /// For people.
    pub title: String,
    /// How it is defined.
    pub formula: String,
    /// What the product would have to know.
    pub needs: String,
}

/// Every figure there is.
#[derive(Debug, Serialize, ToSchema)]
pub struct Catalogue {
    /// Figures of reports, in the order in which to show them.
    pub figures: Vec<Formula>,
    /// Figures of the live state of a queue.
    pub live: Vec<Formula>,
    /// Figures of the field that are not computed, and why.
    pub missing: Vec<MissingFigure>,
}

/// Figures by interval.
#[derive(Debug, Serialize, ToSchema)]
pub struct Report {
    /// The first instant covered.
    pub from: i64,
    /// The first instant no longer covered.
    pub to: i64,
    /// What the figures mean.
    pub formulas: Vec<Formula>,
    /// By interval and subject; intervals in which nothing was counted are left out.
    pub rows: Vec<Row>,
    /// Everything together. Shares and means of nothing are absent, never zero.
    #[schema(value_type = BTreeMap<String, f64>)]
    pub total: BTreeMap<&'static str, Value>,
}

/// One queue, agent, number or line in one interval.
#[derive(Debug, Serialize, ToSchema)]
pub struct Row {
    /// Its id, or the line's word.
    pub id: String,
    /// Its name as configured last, the dialed number, or the line's word.
    pub name: String,
    /// When the interval begins.
    pub start: i64,
    /// The same on the clock of the time zone.
    pub start_local: String,
    /// The figures by key. Shares and means of nothing are absent, never zero.
    #[schema(value_type = BTreeMap<String, f64>)]
    pub figures: BTreeMap<&'static str, Value>,
    /// An agent's time on duty, not ready and with nothing to do, by reason.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub not_ready_ms: Option<BTreeMap<String, u64>>,
}

/// Every figure with its formula.
#[utoipa::path(get, path = "/reports/figures", tag = "reports", operation_id = "listFigures",
    responses((status = 200, description = "The catalogue.", body = Catalogue)))]
pub(super) async fn catalogue(_principal: Principal) -> Json<Catalogue> {
    let live = LIVE.iter().map(|figure| Formula {
        key: figure.key.to_owned(),
        title: figure.title.to_owned(),
        formula: figure.formula.to_owned(),
        unit: figure.unit.as_str().to_owned(),
        of: vec![Kind::Queue.as_str().to_owned()],
    });
    let missing = MISSING.iter().map(|missing| MissingFigure {
        key: missing.key.to_owned(),
        title: missing.title.to_owned(),
        formula: missing.formula.to_owned(),
        needs: missing.needs.to_owned(),
    });
    Json(Catalogue { figures: formulas(None), live: live.collect(), missing: missing.collect() })
}

/// Figures of queues.
#[utoipa::path(get, path = "/reports/queues", tag = "reports", operation_id = "reportQueues", params(ReportQuery),
    responses((status = 200, description = "The report, as JSON or CSV.", body = Report)))]
pub(super) async fn queues(
    State(state): State<AppState>,
    principal: Principal,
    headers: HeaderMap,
    Query(query): Query<ReportQuery>,
) -> Result<Response, Problem> {
    report(&state, &principal, &headers, query, Kind::Queue).await
}

/// Figures of agents.
#[utoipa::path(get, path = "/reports/agents", tag = "reports", operation_id = "reportAgents", params(ReportQuery),
    responses((status = 200, description = "The report, as JSON or CSV.", body = Report)))]
pub(super) async fn agents(
    State(state): State<AppState>,
    principal: Principal,
    headers: HeaderMap,
    Query(query): Query<ReportQuery>,
) -> Result<Response, Problem> {
    report(&state, &principal, &headers, query, Kind::Agent).await
}

/// Figures of dialed numbers.
#[utoipa::path(get, path = "/reports/numbers", tag = "reports", operation_id = "reportNumbers", params(ReportQuery),
    responses((status = 200, description = "The report, as JSON or CSV.", body = Report)))]
pub(super) async fn numbers(
    State(state): State<AppState>,
    principal: Principal,
    headers: HeaderMap,
    Query(query): Query<ReportQuery>,
) -> Result<Response, Problem> {
    report(&state, &principal, &headers, query, Kind::Number).await
}

/// Figures of the lines customers come over.
#[utoipa::path(get, path = "/reports/lines", tag = "reports", operation_id = "reportLines", params(ReportQuery),
    responses((status = 200, description = "The report, as JSON or CSV.", body = Report)))]
pub(super) async fn lines(
    State(state): State<AppState>,
    principal: Principal,
    headers: HeaderMap,
    Query(query): Query<ReportQuery>,
) -> Result<Response, Problem> {
    report(&state, &principal, &headers, query, Kind::Line).await
}

async fn report(state: &AppState, principal: &Principal, headers: &HeaderMap, query: ReportQuery, kind: Kind) -> Result<Response, Problem> {
    let terms = terms(&query)?;
    let wish = wish(&query, kind)?;
    let (covered, clock) = (wish.covered(), wish.clock.clone());
    let names = names(state, principal, kind).await?;
    let mut found = state.store().figures(principal.tenant, wish, now()).await?;
    if let Some(days) = query.repeat_days {
        if !(1..=90).contains(&days) || query.interval != Width::Total || kind != Kind::Queue {
            return Err(Problem::invalid(
                "repeat_days",
                "Ask for 1 to 90 days, of queues, and without an interval: who calls again does so in another one.",
            ));
        }
        let repeated = state.store().repeated_callers(principal.tenant, covered, days, now()).await?;
        for row in &mut found {
            if let Some((contacts, again)) = row.subject.parse::<QueueId>().ok().and_then(|id| repeated.get(&id)) {
                (row.tally.interval.first_contacts, row.tally.interval.called_again) = (*contacts, *again);
            }
        }
    }
    let mut total = Tally::default();
    let mut rows = Vec::with_capacity(found.len());
    for FigureRow { subject, start, tally } in found {
        total.absorb(&tally);
        rows.push(Row {
            name: names.get(&subject).cloned().unwrap_or_else(|| if kind == Kind::Line { subject.clone() } else { String::new() }),
            id: subject,
            start: start.0,
            start_local: clock.written(start),
            figures: figures(&tally, query.attribution, terms, kind),
            not_ready_ms: (kind == Kind::Agent)
                .then(|| tally.states.not_ready.iter().map(|(reason, span)| (reason.clone(), span.0)).collect()),
        });
    }
    if wanted(query.format, headers) {
        return Ok(table(kind, &rows).answer());
    }
    let total = figures(&total, query.attribution, terms, kind);
    Ok(Json(Report { from: covered.0.0, to: covered.1.0, formulas: formulas(Some(kind)), rows, total }).into_response())
}

fn figures(tally: &Tally, attribution: Attribution, terms: Terms, kind: Kind) -> BTreeMap<&'static str, Value> {
    View { interval: &tally.attributed(attribution), states: &tally.states, terms }.figures(kind)
}

fn table(kind: Kind, rows: &[Row]) -> Table {
    let keys: Vec<&str> = FIGURES.iter().filter(|figure| figure.of.contains(&kind)).map(|figure| figure.key).collect();
    let mut table = Table::new(["start", "id", "name"].into_iter().chain(keys.iter().copied()));
    for row in rows {
        let cells = keys.iter().map(|key| match row.figures.get(key) {
            Some(Value::Whole(count)) => count.to_string(),
            Some(Value::Part(part)) => part.to_string(),
            None => String::new(),
        });
        table.row([row.start_local.clone(), row.id.clone(), row.name.clone()].into_iter().chain(cells));
    }
    table
}

fn formulas(kind: Option<Kind>) -> Vec<Formula> {
    let of_kind = FIGURES.iter().filter(|figure| kind.is_none_or(|kind| figure.of.contains(&kind)));
    of_kind
        .map(|figure| Formula {
            key: figure.key.to_owned(),
            title: figure.title.to_owned(),
            formula: figure.formula.to_owned(),
            unit: figure.unit.as_str().to_owned(),
            of: figure.of.iter().map(|kind| kind.as_str().to_owned()).collect(),
        })
        .collect()
}

fn terms(query: &ReportQuery) -> Result<Terms, Problem> {
    if let Some(seconds) = query.within_s.filter(|seconds| !stats::THRESHOLDS.contains(seconds)) {
        let known = stats::THRESHOLDS.map(|seconds| seconds.to_string()).join(", ");
        return Err(Problem::invalid("within_s", format!("Waits are not counted by {seconds} seconds; ask for one of {known}.")));
    }
    Ok(Terms { within: query.within_s.map(Millis::from_secs), denominator: query.denominator })
}

fn wish(query: &ReportQuery, kind: Kind) -> Result<Wanted, Problem> {
    let (from, to) = span(query.from, query.to)?;
    let zone = query.time_zone.as_deref().unwrap_or("UTC");
    let clock = Clock::named(zone).ok_or_else(|| {
        Problem::invalid(
            "time_zone",
            format!("{:?} is no time zone; write a name such as \"Europe/Berlin\" or \"UTC\".", zone.chars().take(64).collect::<String>()),
        )
    })?;
    let width = match query.interval {
        Width::QuarterHour => SLOT,
        Width::HalfHour => Millis(SLOT.0 * 2),
        Width::Hour | Width::Total => Millis(SLOT.0 * 4),
        Width::Day => Millis(SLOT.0 * 96),
    };
    let intervals = to.since(from).0.div_ceil(width.0);
    // However wide the intervals are, they are sums of what is kept by the quarter hour.
    let slots = to.since(from).0.div_ceil(SLOT.0);
    if intervals > limits::REPORT_INTERVALS as u64 || slots > limits::REPORT_SLOTS as u64 {
        return Err(Problem::new(
            Code::Invalid,
            format!(
                "That is {intervals} intervals; a report has at most {}, and covers at most 400 days. Ask for a shorter time or wider intervals.",
                limits::REPORT_INTERVALS
            ),
        )
        .field("to"));
    }
    let subject = query.only.clone();
    if let Some(text) = &subject {
        let known = match kind {
            Kind::Queue => text.parse::<QueueId>().is_ok(),
            Kind::Agent => text.parse::<AgentId>().is_ok(),
            Kind::Number => text.parse::<NumberId>().is_ok(),
            Kind::Line => ["connected", "extended", "unified"].contains(&text.as_str()),
        };
        if !known {
            return Err(Problem::invalid("only", format!("This is not the id of a {} that a report has given.", kind.as_str())));
        }
    }
    Ok(Wanted { kind, subject, from, to, width: query.interval, clock })
}

/// Names by id.
async fn names(state: &AppState, principal: &Principal, kind: Kind) -> Result<BTreeMap<String, String>, Problem> {
    let text = |(id, name): (String, String)| (id, name);
    Ok(match kind {
        Kind::Queue => {
            state.store().names(principal.tenant).await?.queues.into_iter().map(|(id, name)| text((id.to_string(), name))).collect()
        }
        Kind::Agent => {
            state.store().names(principal.tenant).await?.agents.into_iter().map(|(id, name)| text((id.to_string(), name))).collect()
        }
        Kind::Number => {
            state.store().number_names(principal.tenant).await?.into_iter().map(|(id, name)| text((id.to_string(), name))).collect()
        }
        Kind::Line => BTreeMap::new(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn query(text: &str) -> ReportQuery {
        serde_json::from_str(text).unwrap()
    }

    #[test]
    fn too_long_a_time_is_refused_with_advice() {
        let day = 24 * 3_600 * 1_000;
        let asked =
            |days: i64, interval: &str| wish(&query(&format!(r#"{{"from":0,"to":{},"interval":"{interval}"}}"#, days * day)), Kind::Queue);
        assert!(asked(30, "15m").is_ok() && asked(400, "day").is_ok() && asked(100, "total").is_ok());
        assert_eq!(asked(40, "15m").unwrap_err().offending_field(), Some("to"));
        assert_eq!(asked(500, "day").unwrap_err().offending_field(), Some("to"));
        assert_eq!(asked(0, "60m").unwrap_err().code(), "API-002");
    }

    #[test]
    fn what_cannot_be_asked_for_is_refused_by_field() {
        let field = |text: &str| {
            let query = query(text);
            let refused = terms(&query).and_then(|_| wish(&query, Kind::Queue)).unwrap_err();
            refused.offending_field().map(str::to_owned)
        };
        assert_eq!(field(r#"{"from":0,"to":1,"within_s":7}"#).as_deref(), Some("within_s"));
        assert_eq!(field(r#"{"from":0,"to":1,"time_zone":"Mars/Olympus"}"#).as_deref(), Some("time_zone"));
        assert_eq!(field(r#"{"from":0,"to":1,"only":"connected"}"#).as_deref(), Some("only"));
    }
}
