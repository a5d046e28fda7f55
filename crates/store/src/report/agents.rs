//! Figures per agent and interval.
//!
//! Offers, talks and wrap-ups are booked when they are over, as in [`dreiklang_core::stats::Interval`]; time is booked where it passed, so that an agent's times of an interval add up
//! to at most the interval.

use super::{Range, too_many_rows};
use crate::{
    failure::Failure,
    limits,
    sqlite::column::{Count, Id},
    store::Store,
};
use dreiklang_core::{
    ids::{AgentId, TenantId},
    time::{Millis, Timestamp},
};
use rusqlite::{Connection, params};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Counts and sums of one agent; those of several intervals or agents can be added.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AgentFigures {
    /// Offers that ended, withdrawn ones included.
    pub offers: u64,
    /// Offers the agent took.
    pub accepted: u64,
    /// Offers the agent refused.
    pub declined: u64,
    /// Offers that rang out (RONA).
    pub missed: u64,
    /// Offers that did not ring because the telephone was busy or out of reach.
    pub failed: u64,
    /// Offers taken back because the caller left or the offer lost its meaning.
    pub withdrawn: u64,
    /// Talks that were over.
    pub handled: u64,
    /// Sum of their talk times, holds not included.
    pub talk: Millis,
    /// Sum of their holds.
    pub hold: Millis,
    /// Sum of the wrap-ups that were over.
    pub wrap_up: Millis,
    /// Time signed in, on duty or not.
    pub signed_in: Millis,
    /// Time on duty.
    pub on_duty: Millis,
    /// Time on duty, ready and with nothing to do: the "idle" of occupancy.
    pub idle: Millis,
    /// Time an offer rang.
    pub offered: Millis,
    /// Time in conversations, holds included.
    pub talking: Millis,
    /// Time finishing notes.
    pub wrapping_up: Millis,
    /// Time on duty, not ready and with nothing to do, by reason.
    pub not_ready: BTreeMap<String, Millis>,
}

impl AgentFigures {
    /// Adds the figures of another interval or agent.
    pub fn add(&mut self, other: &AgentFigures) {
        self.offers += other.offers;
        self.accepted += other.accepted;
        self.declined += other.declined;
        self.missed += other.missed;
        self.failed += other.failed;
        self.withdrawn += other.withdrawn;
        self.handled += other.handled;
        self.talk = self.talk + other.talk;
        self.hold = self.hold + other.hold;
        self.wrap_up = self.wrap_up + other.wrap_up;
        self.signed_in = self.signed_in + other.signed_in;
        self.on_duty = self.on_duty + other.on_duty;
        self.idle = self.idle + other.idle;
        self.offered = self.offered + other.offered;
        self.talking = self.talking + other.talking;
        self.wrapping_up = self.wrapping_up + other.wrapping_up;
        for (reason, time) in &other.not_ready {
            let sum = self.not_ready.entry(reason.clone()).or_default();
            *sum = *sum + *time;
        }
    }

    /// Occupancy, 0 to 1: time with conversations (talking and wrap-up) ÷ (that + idle time). `None` without either.
    pub fn occupancy(&self) -> Option<f64> {
        let handling = self.talking + self.wrapping_up;
        let whole = handling + self.idle;
        (whole.0 > 0).then(|| handling.0 as f64 / whole.0 as f64)
    }
}

/// One agent in one interval.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AgentInterval {
    /// The agent.
    pub agent: AgentId,
    /// When the interval begins.
    pub start: Timestamp,
    /// The figures.
    #[serde(flatten)]
    pub figures: AgentFigures,
}

/// One stretch of an agent's time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AgentStretch {
    /// The agent.
    pub agent: AgentId,
    /// From when.
    pub from: Timestamp,
    /// Until when; for the present stretch, the time that was given as "now".
    pub to: Timestamp,
    /// `signed_out`, `off_duty` or `on_duty`.
    pub duty: String,
    /// `ready` or `not_ready`.
    pub availability: String,
    /// Why not ready.
    pub reason: Option<String>,
    /// `idle`, `offered`, `talking` or `wrap_up`.
    pub occupation: String,
}

impl Store {
    /// Figures per agent and interval, by interval and agent; intervals without any are left out. Of one agent, or of all. What an
    /// agent is at present counts up to `now`. Fails with [`Failure::TooLarge`] when that would be more than
    /// [`limits::ROLL_UP_ROWS`] rows.
    pub async fn agent_intervals(
        &self,
        tenant: TenantId,
        range: Range,
        agent: Option<AgentId>,
        now: Timestamp,
    ) -> Result<Vec<AgentInterval>, Failure> {
        range.check()?;
        self.sqlite()
            .read(move |db| {
                let mut found = Found::new();
                offers(db, tenant, range, agent, &mut found)?;
                talks(db, tenant, range, agent, &mut found)?;
                stretches(db, tenant, range, agent, now, |stretch| spread(range, &stretch, &mut found))?;
                Ok(found
                    .into_iter()
                    .map(|((slot, agent), figures)| AgentInterval { agent, start: range.slot_start(slot), figures })
                    .collect())
            })
            .await
    }

    /// One agent's time from `range.from` to `range.to`, stretch by stretch, in order; at most [`limits::ROLL_UP_ROWS`].
    pub async fn agent_timeline(
        &self,
        tenant: TenantId,
        range: Range,
        agent: AgentId,
        now: Timestamp,
    ) -> Result<Vec<AgentStretch>, Failure> {
        self.sqlite()
            .read(move |db| {
                let mut found = Vec::new();
                stretches(db, tenant, range, Some(agent), now, |stretch| {
                    if found.len() >= limits::ROLL_UP_ROWS {
                        return Err(too_many_rows());
                    }
                    found.push(stretch);
                    Ok(())
                })?;
                found.sort_by_key(|stretch: &AgentStretch| stretch.from);
                Ok(found)
            })
            .await
    }
}

type Found = BTreeMap<(i64, AgentId), AgentFigures>;

fn offers(db: &Connection, tenant: TenantId, range: Range, agent: Option<AgentId>, found: &mut Found) -> Result<(), Failure> {
    let mut statement = db.prepare_cached(
        "SELECT (ended_at - ?2) / ?4 AS slot, agent, count(*),
             count(*) FILTER (WHERE outcome = 'accepted'),
             count(*) FILTER (WHERE outcome = 'declined'),
             count(*) FILTER (WHERE outcome = 'no_answer'),
             count(*) FILTER (WHERE outcome IN ('busy', 'unreachable')),
             count(*) FILTER (WHERE outcome = 'withdrawn')
         FROM offer WHERE tenant = ?1 AND ended_at >= ?2 AND ended_at < ?3 AND (?5 IS NULL OR agent = ?5)
         GROUP BY slot, agent LIMIT ?6",
    )?;
    let limit = Count(limits::ROLL_UP_ROWS as u64 + 1);
    let mut rows = statement.query(params![Id(tenant), range.from.0, range.to.0, range.step_ms(), agent.map(Id), limit])?;
    while let Some(row) = rows.next()? {
        let count = |column| row.get::<_, Count>(column).map(|count| count.0);
        let figures = found.entry((row.get(0)?, row.get::<_, Id<AgentId>>(1)?.0)).or_default();
        figures.offers = count(2)?;
        figures.accepted = count(3)?;
        figures.declined = count(4)?;
        figures.missed = count(5)?;
        figures.failed = count(6)?;
        figures.withdrawn = count(7)?;
    }
    check(found)
}

fn talks(db: &Connection, tenant: TenantId, range: Range, agent: Option<AgentId>, found: &mut Found) -> Result<(), Failure> {
    let limit = Count(limits::ROLL_UP_ROWS as u64 + 1);
    let key = params![Id(tenant), range.from.0, range.to.0, range.step_ms(), agent.map(Id), limit];
    let mut statement = db.prepare_cached(
        "SELECT (ended_at - ?2) / ?4 AS slot, agent, count(*), sum(talk_ms), sum(hold_ms)
         FROM talk WHERE tenant = ?1 AND ended_at >= ?2 AND ended_at < ?3 AND agent IS NOT NULL AND (?5 IS NULL OR agent = ?5)
         GROUP BY slot, agent LIMIT ?6",
    )?;
    let mut rows = statement.query(key)?;
    while let Some(row) = rows.next()? {
        let count = |column| row.get::<_, Count>(column).map(|count| count.0);
        let figures = found.entry((row.get(0)?, row.get::<_, Id<AgentId>>(1)?.0)).or_default();
        figures.handled = count(2)?;
        figures.talk = Millis(count(3)?);
        figures.hold = Millis(count(4)?);
    }
    let mut statement = db.prepare_cached(
        "SELECT (wrap_up_ended_at - ?2) / ?4 AS slot, agent, sum(wrap_up_ms)
         FROM talk WHERE tenant = ?1 AND wrap_up_ended_at >= ?2 AND wrap_up_ended_at < ?3 AND agent IS NOT NULL AND (?5 IS NULL OR agent = ?5)
         GROUP BY slot, agent LIMIT ?6",
    )?;
    let mut rows = statement.query(key)?;
    while let Some(row) = rows.next()? {
        let figures = found.entry((row.get(0)?, row.get::<_, Id<AgentId>>(1)?.0)).or_default();
        figures.wrap_up = Millis(row.get::<_, Count>(2)?.0);
    }
    check(found)
}

fn check(found: &Found) -> Result<(), Failure> {
    if found.len() > limits::ROLL_UP_ROWS { Err(too_many_rows()) } else { Ok(()) }
}

/// Every stretch that touches the range, cut to it, the present ones included.
fn stretches(
    db: &Connection,
    tenant: TenantId,
    range: Range,
    agent: Option<AgentId>,
    now: Timestamp,
    mut each: impl FnMut(AgentStretch) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let end = range.to.min(now);
    // A row is at most AGENT_TIME_ROW_MS long, so none that ends later than that after the range touches it.
    let mut statement = db.prepare_cached(
        "SELECT agent, from_at, to_at, duty, availability, reason, occupation FROM agent_time
         WHERE tenant = ?1 AND to_at > ?2 AND to_at <= ?3 + ?4 AND from_at < ?3 AND (?5 IS NULL OR agent = ?5)
         UNION ALL
         SELECT agent, since, ?6, duty, availability, reason, occupation FROM agent_state
         WHERE tenant = ?1 AND since < ?6 AND ?6 > ?2 AND (duty <> 'signed_out' OR occupation <> 'idle') AND (?5 IS NULL OR agent = ?5)",
    )?;
    let mut rows = statement.query(params![Id(tenant), range.from.0, range.to.0, limits::AGENT_TIME_ROW_MS, agent.map(Id), end.0])?;
    while let Some(row) = rows.next()? {
        each(AgentStretch {
            agent: row.get::<_, Id<AgentId>>(0)?.0,
            from: Timestamp(row.get::<_, i64>(1)?.max(range.from.0)),
            to: Timestamp(row.get::<_, i64>(2)?.min(range.to.0)),
            duty: row.get(3)?,
            availability: row.get(4)?,
            reason: row.get(5)?,
            occupation: row.get(6)?,
        })?;
    }
    Ok(())
}

/// Books a stretch (which lies within the range) in the intervals it touches.
fn spread(range: Range, stretch: &AgentStretch, found: &mut Found) -> Result<(), Failure> {
    let mut from = stretch.from;
    while from < stretch.to {
        let slot = range.slot(from.0);
        let to = stretch.to.min(range.slot_start(slot + 1));
        let time = to.since(from);
        let figures = found.entry((slot, stretch.agent)).or_default();
        let mut sums: Vec<&mut Millis> = Vec::with_capacity(3);
        if stretch.duty != "signed_out" {
            sums.push(&mut figures.signed_in);
        }
        if stretch.duty == "on_duty" {
            sums.push(&mut figures.on_duty);
        }
        match stretch.occupation.as_str() {
            "offered" => sums.push(&mut figures.offered),
            // Asking somebody is part of handling the customer, who is on hold meanwhile.
            "talking" | "consulting" => sums.push(&mut figures.talking),
            "wrap_up" => sums.push(&mut figures.wrapping_up),
            _ if stretch.duty == "on_duty" && stretch.availability == "ready" => sums.push(&mut figures.idle),
            _ if stretch.duty == "on_duty" => sums.push(figures.not_ready.entry(stretch.reason.clone().unwrap_or_default()).or_default()),
            _ => {}
        }
        for sum in sums {
            *sum = *sum + time;
        }
        check(found)?;
        from = to;
    }
    Ok(())
}
