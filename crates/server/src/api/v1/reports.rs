//! Figures of the past: per queue or agent, in intervals or in total, each with its formula.

use crate::{
    api::{
        extract::{Query, id},
        guard::guard,
    },
    auth::{Permission as P, Principal},
    error::{Code, Problem},
    limits,
    metrics::word,
    state::{AppState, now},
};
use axum::{
    Json,
    extract::{Path, State},
};
use dreiklang_core::{
    ids::{AgentId, QueueId},
    stats,
    time::{Millis, Timestamp},
};
use dreiklang_store::report::{Range, Step, agents::AgentFigures};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

/// Width of intervals.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub enum Interval {
    /// 15 minutes.
    #[serde(rename = "15m")]
    QuarterHour,
    /// 30 minutes.
    #[serde(rename = "30m")]
    HalfHour,
    /// 60 minutes.
    #[serde(rename = "60m")]
    Hour,
    /// Everything in one.
    #[default]
    #[serde(rename = "total")]
    Total,
}

/// Of what time, and of whom.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct ReportQuery {
    /// The first instant.
    pub from: i64,
    /// The first instant no longer covered.
    pub to: i64,
    /// Width of intervals, counted from `from` on; `total` when left out.
    #[serde(default)]
    #[param(inline)]
    pub interval: Interval,
    /// Only the queue of this id.
    pub queue: Option<String>,
    /// Only the agent of this id.
    pub agent: Option<String>,
}

/// Of what time.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct TimeQuery {
    /// The first instant.
    pub from: i64,
    /// The first instant no longer covered.
    pub to: i64,
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
}

/// Figures of queues.
#[derive(Debug, Serialize, ToSchema)]
pub struct QueueReport {
    /// What the figures mean.
    pub formulas: Vec<Formula>,
    /// By interval and queue; intervals in which nothing ended are left out.
    pub rows: Vec<QueueRow>,
    /// Everything together.
    pub total: QueueKpis,
}

/// One queue in one interval.
#[derive(Debug, Serialize, ToSchema)]
pub struct QueueRow {
    /// The queue.
    pub queue: String,
    /// Its name as configured last.
    pub name: String,
    /// When the interval begins.
    pub start: i64,
    /// The figures.
    #[serde(flatten)]
    pub figures: QueueKpis,
}

/// Figures of a queue. Means and shares of nothing are absent, never zero.
#[derive(Debug, Serialize, ToSchema)]
pub struct QueueKpis {
    /// Visits that began.
    pub entered: u64,
    /// Visits that ended.
    pub offered: u64,
    /// Visits an agent took.
    pub answered: u64,
    /// Visits answered within the promised time.
    pub answered_in_time: u64,
    /// Visits that ended because the caller left, short ones included.
    pub abandoned: u64,
    /// Those within the queue's short-abandon time.
    pub short_abandoned: u64,
    /// Visits that left without an agent and without the caller's doing.
    pub flow_out: u64,
    /// Offered less answered, abandoned and flow-out: always 0.
    pub residual: i64,
    /// Share answered in time.
    pub service_level: Option<f64>,
    /// Share abandoned.
    pub abandon_rate: Option<f64>,
    /// Mean wait of answered visits, in milliseconds.
    pub average_speed_of_answer: Option<f64>,
    /// Mean wait of all visits, in milliseconds.
    pub average_wait: Option<f64>,
    /// Greatest wait, in milliseconds.
    pub longest_wait: u64,
    /// Talks that ended.
    pub handled: u64,
    /// Mean of talk, hold and wrap-up together, in milliseconds.
    pub average_handle_time: Option<f64>,
    /// Mean talk, in milliseconds.
    pub average_talk: Option<f64>,
    /// Mean hold, in milliseconds.
    pub average_hold: Option<f64>,
    /// Mean wrap-up, in milliseconds.
    pub average_wrap_up: Option<f64>,
    /// Offers that rang out (RONA), one for each attempt.
    pub offers_no_answer: u64,
}

/// Figures of agents.
#[derive(Debug, Serialize, ToSchema)]
pub struct AgentReport {
    /// What the figures mean.
    pub formulas: Vec<Formula>,
    /// By interval and agent; intervals without any are left out.
    pub rows: Vec<AgentRow>,
    /// Everybody together.
    pub total: AgentKpis,
}

/// One agent in one interval.
#[derive(Debug, Serialize, ToSchema)]
pub struct AgentRow {
    /// The agent.
    pub agent: String,
    /// The name as configured last.
    pub name: String,
    /// When the interval begins.
    pub start: i64,
    /// The figures.
    #[serde(flatten)]
    pub figures: AgentKpis,
}

/// Figures of an agent.
#[derive(Debug, Serialize, ToSchema)]
pub struct AgentKpis {
    /// Offers that ended, those taken back included.
    pub offers: u64,
    /// Offers taken.
    pub accepted: u64,
    /// Offers refused.
    pub declined: u64,
    /// Offers that rang out (RONA).
    pub missed: u64,
    /// Offers that could not ring.
    pub failed: u64,
    /// Offers taken back.
    pub withdrawn: u64,
    /// Share of the offers that were up to the agent and were taken.
    pub answer_rate: Option<f64>,
    /// Talks that were over, wrap-up included.
    pub handled: u64,
    /// Mean of talk, hold and wrap-up together, in milliseconds.
    pub average_handle_time: Option<f64>,
    /// Share of time with conversations in the time with conversations or idle.
    pub occupancy: Option<f64>,
    /// Share of time with conversations in the time signed in.
    pub utilization: Option<f64>,
    /// Time signed in.
    pub signed_in_ms: u64,
    /// Time on duty.
    pub on_duty_ms: u64,
    /// Time ready with nothing to do.
    pub idle_ms: u64,
    /// Time an offer rang.
    pub offered_ms: u64,
    /// Time in conversations.
    pub talking_ms: u64,
    /// Time finishing notes.
    pub wrap_up_ms: u64,
    /// Time not ready with nothing to do, by reason.
    pub not_ready_ms: BTreeMap<String, u64>,
}

/// An agent's time, stretch by stretch.
#[derive(Debug, Serialize, ToSchema)]
pub struct Timeline {
    /// In order, without gap.
    pub stretches: Vec<Stretch>,
}

/// A stretch of an agent's time.
#[derive(Debug, Serialize, ToSchema)]
pub struct Stretch {
    /// Its beginning.
    pub from: i64,
    /// Its end.
    pub to: i64,
    /// `signed_out`, `off_duty` or `on_duty`.
    pub duty: String,
    /// `ready` or `not_ready`.
    pub availability: String,
    /// Why not ready.
    pub reason: Option<String>,
    /// `idle`, `offered`, `talking` or `wrap_up`.
    pub occupation: String,
}

/// Formulas of agents' figures; those of queues are the core's.
const AGENT_FORMULAS: &[(&str, &str, &str, &str)] = &[
    ("answer_rate", "Answer rate", "accepted ÷ (accepted + declined + missed)", "share"),
    ("missed", "Missed offers (RONA)", "offers that rang out, one for each attempt", "count"),
    ("average_handle_time", "Average handle time (AHT)", "(Σ talk + Σ hold + Σ wrap-up) ÷ handled", "milliseconds"),
    ("occupancy", "Occupancy", "(talking + wrap-up) ÷ (talking + wrap-up + idle)", "share"),
    ("utilization", "Utilization", "(talking + wrap-up) ÷ signed in", "share"),
];

pub(super) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(guard(P::ReadReports, routes!(queues)))
        .routes(guard(P::ReadReports, routes!(agents)))
        .routes(guard(P::ReadReports, routes!(timeline)))
}

fn range(from: i64, to: i64, interval: Interval) -> Result<Range, Problem> {
    if to <= from {
        return Err(Problem::invalid("to", "The end lies before the beginning."));
    }
    let step = match interval {
        Interval::QuarterHour => Step::QuarterHour,
        Interval::HalfHour => Step::HalfHour,
        Interval::Hour | Interval::Total => Step::Hour,
    };
    let range = Range { from: Timestamp(from), to: Timestamp(to), step };
    let intervals = range.to.since(range.from).0.div_ceil(step.millis().0);
    if intervals > limits::REPORT_INTERVALS as u64 {
        return Err(Problem::new(
            Code::Invalid,
            format!(
                "That is {intervals} intervals; a report has at most {}. Ask for a shorter time or wider intervals.",
                limits::REPORT_INTERVALS
            ),
        )
        .field("to"));
    }
    Ok(range)
}

/// Figures of queues. A visit counts where it ended, a talk where its wrap-up ended.
#[utoipa::path(get, path = "/reports/queues", tag = "reports", operation_id = "reportQueues", params(ReportQuery),
    responses((status = 200, description = "The report.", body = QueueReport)))]
async fn queues(
    State(state): State<AppState>,
    principal: Principal,
    Query(query): Query<ReportQuery>,
) -> Result<Json<QueueReport>, Problem> {
    let range = range(query.from, query.to, query.interval)?;
    let queue = query.queue.as_deref().map(|text| id::<QueueId>("queue", text)).transpose()?;
    let names = state.store().names(principal.tenant).await?;
    let found = state.store().queue_intervals(principal.tenant, range, queue).await?;
    let mut total = stats::Interval::default();
    let mut rows: BTreeMap<(Timestamp, QueueId), stats::Interval> = BTreeMap::new();
    for row in found {
        total.merge(&row.counters);
        let start = if query.interval == Interval::Total { range.from } else { row.start };
        rows.entry((start, row.queue)).or_default().merge(&row.counters);
    }
    let rows = rows
        .into_iter()
        .map(|((start, queue), figures)| QueueRow {
            name: names.queues.get(&queue).cloned().unwrap_or_default(),
            queue: queue.to_string(),
            start: start.0,
            figures: QueueKpis::of(&figures),
        })
        .collect();
    let formulas = stats::FORMULAS
        .iter()
        .map(|formula| Formula {
            key: formula.key.to_owned(),
            title: formula.title.to_owned(),
            formula: formula.formula.to_owned(),
            unit: word(&formula.unit),
        })
        .collect();
    Ok(Json(QueueReport { formulas, rows, total: QueueKpis::of(&total) }))
}

/// Figures of agents.
#[utoipa::path(get, path = "/reports/agents", tag = "reports", operation_id = "reportAgents", params(ReportQuery),
    responses((status = 200, description = "The report.", body = AgentReport)))]
async fn agents(
    State(state): State<AppState>,
    principal: Principal,
    Query(query): Query<ReportQuery>,
) -> Result<Json<AgentReport>, Problem> {
    let range = range(query.from, query.to, query.interval)?;
    let agent = query.agent.as_deref().map(|text| id::<AgentId>("agent", text)).transpose()?;
    let names = state.store().names(principal.tenant).await?;
    let found = state.store().agent_intervals(principal.tenant, range, agent, now()).await?;
    let mut total = AgentFigures::default();
    let mut rows: BTreeMap<(Timestamp, AgentId), AgentFigures> = BTreeMap::new();
    for row in found {
        total.add(&row.figures);
        let start = if query.interval == Interval::Total { range.from } else { row.start };
        rows.entry((start, row.agent)).or_default().add(&row.figures);
    }
    let rows = rows
        .into_iter()
        .map(|((start, agent), figures)| AgentRow {
            name: names.agents.get(&agent).cloned().unwrap_or_default(),
            agent: agent.to_string(),
            start: start.0,
            figures: AgentKpis::of(&figures),
        })
        .collect();
    let formulas = AGENT_FORMULAS
        .iter()
        .map(|(key, title, formula, unit)| Formula {
            key: (*key).to_owned(),
            title: (*title).to_owned(),
            formula: (*formula).to_owned(),
            unit: (*unit).to_owned(),
        })
        .collect();
    Ok(Json(AgentReport { formulas, rows, total: AgentKpis::of(&total) }))
}

/// An agent's time, stretch by stretch.
#[utoipa::path(get, path = "/reports/agents/{id}/timeline", tag = "reports", operation_id = "reportAgentTimeline",
    params(("id" = String, Path, description = "Whose."), TimeQuery), responses((status = 200, description = "The stretches.", body = Timeline)))]
async fn timeline(
    State(state): State<AppState>,
    principal: Principal,
    Path(text): Path<String>,
    Query(query): Query<TimeQuery>,
) -> Result<Json<Timeline>, Problem> {
    let agent: AgentId = id("agent", &text)?;
    let range = range(query.from, query.to, Interval::Hour)?;
    let stretches = state.store().agent_timeline(principal.tenant, range, agent, now()).await?;
    let stretches = stretches
        .into_iter()
        .map(|stretch| Stretch {
            from: stretch.from.0,
            to: stretch.to.0,
            duty: stretch.duty,
            availability: stretch.availability,
            reason: stretch.reason,
            occupation: stretch.occupation,
        })
        .collect();
    Ok(Json(Timeline { stretches }))
}

impl QueueKpis {
    /// Computed by the core's formulas.
    fn of(interval: &stats::Interval) -> QueueKpis {
        let kpis = interval.figures();
        QueueKpis {
            offered: kpis.offered,
            answered: kpis.answered,
            answered_in_time: interval.answered_in_time,
            abandoned: kpis.abandoned,
            short_abandoned: kpis.short_abandoned,
            flow_out: kpis.flow_out,
            residual: i64::try_from(interval.residual()).unwrap_or(i64::MAX),
            service_level: kpis.service_level,
            abandon_rate: kpis.abandon_rate,
            average_speed_of_answer: kpis.average_speed_of_answer,
            average_wait: kpis.average_wait,
            longest_wait: kpis.longest_wait,
            handled: kpis.handled,
            average_handle_time: kpis.average_handle_time,
            average_talk: kpis.average_talk,
            average_hold: kpis.average_hold,
            average_wrap_up: kpis.average_wrap_up,
            entered: interval.entered,
            offers_no_answer: kpis.offers_no_answer,
        }
    }
}

impl AgentKpis {
    fn of(figures: &AgentFigures) -> AgentKpis {
        let share = |part: Millis, whole: Millis| (whole.0 > 0).then(|| part.0 as f64 / whole.0 as f64);
        let own = figures.accepted + figures.declined + figures.missed;
        let handling = figures.talk + figures.hold + figures.wrap_up;
        AgentKpis {
            offers: figures.offers,
            accepted: figures.accepted,
            declined: figures.declined,
            missed: figures.missed,
            failed: figures.failed,
            withdrawn: figures.withdrawn,
            answer_rate: (own > 0).then(|| figures.accepted as f64 / own as f64),
            handled: figures.handled,
            average_handle_time: (figures.handled > 0).then(|| handling.0 as f64 / figures.handled as f64),
            occupancy: figures.occupancy(),
            utilization: share(figures.talking + figures.wrapping_up, figures.signed_in),
            signed_in_ms: figures.signed_in.0,
            on_duty_ms: figures.on_duty.0,
            idle_ms: figures.idle.0,
            offered_ms: figures.offered.0,
            talking_ms: figures.talking.0,
            wrap_up_ms: figures.wrapping_up.0,
            not_ready_ms: figures.not_ready.iter().map(|(reason, span)| (reason.clone(), span.0)).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_figure_has_the_formula_of_its_name() {
        let row = serde_json::to_value(QueueKpis::of(&stats::Interval::default())).unwrap();
        for formula in stats::FORMULAS {
            assert!(row.get(formula.key).is_some(), "{} is explained but not reported", formula.key);
        }
        let row = serde_json::to_value(AgentKpis::of(&AgentFigures::default())).unwrap();
        for (key, ..) in AGENT_FORMULAS {
            assert!(row.get(key).is_some(), "{key} is explained but not reported");
        }
    }

    #[test]
    fn a_report_balances() {
        let figures = stats::Interval { offered: 3, answered: 1, abandoned: 1, flow_out: 1, ..stats::Interval::default() };
        assert_eq!(QueueKpis::of(&figures).residual, 0);
    }

    #[test]
    fn too_long_a_time_is_refused_with_advice() {
        let day = 24 * 3_600 * 1_000;
        assert!(range(0, 30 * day, Interval::QuarterHour).is_ok());
        assert_eq!(range(0, 400 * day, Interval::Hour).unwrap_err().offending_field(), Some("to"));
        assert_eq!(range(5, 5, Interval::Hour).unwrap_err().code(), "API-002");
    }
}
