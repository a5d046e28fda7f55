//! Figures per queue and interval.
//!
//! A visit is booked in the interval in which it ended, therefore offered = answered + abandoned + flow-out in every interval. A
//! talk and its wrap-up are booked when both are over.

use super::{Range, too_many_rows};
use crate::{
    failure::Failure,
    limits,
    sqlite::column::{Count, Id},
    store::Store,
};
use dreiklang_core::{
    ids::{QueueId, TenantId},
    time::{Millis, Timestamp},
};
use rusqlite::{Connection, params};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Counts and sums of one queue; those of several intervals or queues can be added.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct QueueFigures {
    /// Visits that ended: answered + abandoned + flow-out.
    pub offered: u64,
    /// Visits an agent took.
    pub answered: u64,
    /// Visits that ended because the caller left, short ones included.
    pub abandoned: u64,
    /// Those of them within the queue's short-abandon time.
    pub abandoned_short: u64,
    /// Visits that left the queue without an agent and without the caller's doing.
    pub flow_out: u64,
    /// Visits answered within the queue's promise, as it was when they ended.
    pub answered_in_sl: u64,
    /// Sum of the waits of answered visits, ringing included.
    pub wait_answered: Millis,
    /// Sum of the waits of abandoned visits.
    pub wait_abandoned: Millis,
    /// Sum of the waits of visits that flowed out.
    pub wait_flow_out: Millis,
    /// Longest wait of any visit.
    pub wait_max: Millis,
    /// Talks with agents that were over, wrap-up included.
    pub handled: u64,
    /// Sum of their talk times, holds not included.
    pub talk: Millis,
    /// Sum of their holds.
    pub hold: Millis,
    /// Sum of their wrap-ups.
    pub wrap_up: Millis,
}

impl QueueFigures {
    /// Adds the figures of another interval or queue.
    pub fn add(&mut self, other: &QueueFigures) {
        self.offered += other.offered;
        self.answered += other.answered;
        self.abandoned += other.abandoned;
        self.abandoned_short += other.abandoned_short;
        self.flow_out += other.flow_out;
        self.answered_in_sl += other.answered_in_sl;
        self.wait_answered = self.wait_answered + other.wait_answered;
        self.wait_abandoned = self.wait_abandoned + other.wait_abandoned;
        self.wait_flow_out = self.wait_flow_out + other.wait_flow_out;
        self.wait_max = self.wait_max.max(other.wait_max);
        self.handled += other.handled;
        self.talk = self.talk + other.talk;
        self.hold = self.hold + other.hold;
        self.wrap_up = self.wrap_up + other.wrap_up;
    }
}

/// One queue in one interval.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct QueueInterval {
    /// The queue.
    pub queue: QueueId,
    /// When the interval begins.
    pub start: Timestamp,
    /// The figures.
    #[serde(flatten)]
    pub figures: QueueFigures,
}

impl Store {
    /// Figures per queue and interval, by interval and queue; intervals in which nothing ended are left out. Of one queue, or of
    /// all. Fails with [`Failure::TooLarge`] when that would be more than [`limits::ROLL_UP_ROWS`] rows.
    pub async fn queue_intervals(&self, tenant: TenantId, range: Range, queue: Option<QueueId>) -> Result<Vec<QueueInterval>, Failure> {
        range.check()?;
        self.sqlite()
            .read(move |db| {
                let mut found = BTreeMap::new();
                visits(db, tenant, range, queue, &mut found)?;
                talks(db, tenant, range, queue, &mut found)?;
                Ok(found
                    .into_iter()
                    .map(|((slot, queue), figures)| QueueInterval { queue, start: range.slot_start(slot), figures })
                    .collect())
            })
            .await
    }
}

type Found = BTreeMap<(i64, QueueId), QueueFigures>;

fn visits(db: &Connection, tenant: TenantId, range: Range, queue: Option<QueueId>, found: &mut Found) -> Result<(), Failure> {
    let mut statement = db.prepare_cached(
        "SELECT (ended_at - ?2) / ?4 AS slot, queue,
             count(*) FILTER (WHERE outcome = 'answered'),
             count(*) FILTER (WHERE outcome = 'abandoned'),
             count(*) FILTER (WHERE outcome = 'abandoned' AND short),
             count(*) FILTER (WHERE outcome = 'flow_out'),
             count(*) FILTER (WHERE outcome = 'answered' AND wait_ms <= within_ms),
             coalesce(sum(wait_ms) FILTER (WHERE outcome = 'answered'), 0),
             coalesce(sum(wait_ms) FILTER (WHERE outcome = 'abandoned'), 0),
             coalesce(sum(wait_ms) FILTER (WHERE outcome = 'flow_out'), 0),
             max(wait_ms)
         FROM visit WHERE tenant = ?1 AND ended_at >= ?2 AND ended_at < ?3 AND (?5 IS NULL OR queue = ?5)
         GROUP BY slot, queue LIMIT ?6",
    )?;
    let limit = Count(limits::ROLL_UP_ROWS as u64 + 1);
    let mut rows = statement.query(params![Id(tenant), range.from.0, range.to.0, range.step_ms(), queue.map(Id), limit])?;
    while let Some(row) = rows.next()? {
        let count = |column| row.get::<_, Count>(column).map(|count| count.0);
        let figures = found.entry((row.get(0)?, row.get::<_, Id<QueueId>>(1)?.0)).or_default();
        figures.answered = count(2)?;
        figures.abandoned = count(3)?;
        figures.abandoned_short = count(4)?;
        figures.flow_out = count(5)?;
        figures.offered = figures.answered + figures.abandoned + figures.flow_out;
        figures.answered_in_sl = count(6)?;
        figures.wait_answered = Millis(count(7)?);
        figures.wait_abandoned = Millis(count(8)?);
        figures.wait_flow_out = Millis(count(9)?);
        figures.wait_max = Millis(count(10)?);
        if found.len() > limits::ROLL_UP_ROWS {
            return Err(too_many_rows());
        }
    }
    Ok(())
}

fn talks(db: &Connection, tenant: TenantId, range: Range, queue: Option<QueueId>, found: &mut Found) -> Result<(), Failure> {
    let mut statement = db.prepare_cached(
        "SELECT (handled_at - ?2) / ?4 AS slot, queue, count(*), sum(talk_ms), sum(hold_ms), sum(wrap_up_ms)
         FROM talk WHERE tenant = ?1 AND handled_at >= ?2 AND handled_at < ?3 AND agent IS NOT NULL AND queue IS NOT NULL
             AND (?5 IS NULL OR queue = ?5)
         GROUP BY slot, queue LIMIT ?6",
    )?;
    let limit = Count(limits::ROLL_UP_ROWS as u64 + 1);
    let mut rows = statement.query(params![Id(tenant), range.from.0, range.to.0, range.step_ms(), queue.map(Id), limit])?;
    while let Some(row) = rows.next()? {
        let count = |column| row.get::<_, Count>(column).map(|count| count.0);
        let figures = found.entry((row.get(0)?, row.get::<_, Id<QueueId>>(1)?.0)).or_default();
        figures.handled = count(2)?;
        figures.talk = Millis(count(3)?);
        figures.hold = Millis(count(4)?);
        figures.wrap_up = Millis(count(5)?);
        if found.len() > limits::ROLL_UP_ROWS {
            return Err(too_many_rows());
        }
    }
    Ok(())
}
