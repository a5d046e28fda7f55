//! Counters per queue and interval, the same that [`Interval::observe`] counts from events: everything is booked when it ends,
//! therefore offered = answered + abandoned + flow-out in every interval.

use super::{Range, too_many_rows};
use crate::{
    failure::Failure,
    limits,
    sqlite::column::{Count, Id},
    store::Store,
};
use dreiklang_core::{
    ids::{QueueId, TenantId},
    stats::Interval,
    time::{Millis, Timestamp},
};
use rusqlite::{Connection, Params, Row, params};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// One queue in one interval.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct QueueInterval {
    /// The queue.
    pub queue: QueueId,
    /// When the interval begins.
    pub start: Timestamp,
    /// What was counted; `answered_in_time` by the promise the queue had when each visit ended.
    pub counters: Interval,
}

impl Store {
    /// Counters per queue and interval, by interval and queue; intervals in which nothing happened are left out. Of one queue, or of
    /// all. Fails with [`Failure::TooLarge`] when that would be more than [`limits::ROLL_UP_ROWS`] rows.
    pub async fn queue_intervals(&self, tenant: TenantId, range: Range, queue: Option<QueueId>) -> Result<Vec<QueueInterval>, Failure> {
        range.check()?;
        self.sqlite()
            .read(move |db| {
                let mut found = Found::new();
                for (sql, take) in QUERIES {
                    let limit = Count(limits::ROLL_UP_ROWS as u64 + 1);
                    let key = params![Id(tenant), range.from.0, range.to.0, range.step_ms(), queue.map(Id), limit];
                    collect(db, sql, key, take, &mut found)?;
                }
                let row = |((slot, queue), counters)| QueueInterval { queue, start: range.slot_start(slot), counters };
                Ok(found.into_iter().map(row).collect())
            })
            .await
    }
}

type Found = BTreeMap<(i64, QueueId), Interval>;
type Take = fn(&Row<'_>, &mut Interval) -> rusqlite::Result<()>;

/// Each statement gives interval, queue, and the columns that its function takes over.
const QUERIES: [(&str, Take); 5] = [
    (
        "SELECT (enqueued_at - ?2) / ?4 AS slot, queue, count(*)
         FROM visit WHERE tenant = ?1 AND enqueued_at >= ?2 AND enqueued_at < ?3 AND (?5 IS NULL OR queue = ?5)
         GROUP BY slot, queue LIMIT ?6",
        |row, counters| {
            counters.entered = count(row, 2)?;
            Ok(())
        },
    ),
    (
        "SELECT (ended_at - ?2) / ?4 AS slot, queue,
             count(*) FILTER (WHERE outcome = 'answered'),
             count(*) FILTER (WHERE outcome = 'answered' AND wait_ms <= within_ms),
             count(*) FILTER (WHERE outcome = 'abandoned'),
             count(*) FILTER (WHERE outcome = 'abandoned' AND short),
             count(*) FILTER (WHERE outcome = 'flow_out'),
             count(*) FILTER (WHERE outcome = 'flow_out' AND flow_out_reason = 'transferred'),
             coalesce(sum(wait_ms) FILTER (WHERE outcome = 'answered'), 0),
             coalesce(sum(wait_ms) FILTER (WHERE outcome = 'abandoned'), 0),
             sum(wait_ms), max(wait_ms), count(*)
         FROM visit WHERE tenant = ?1 AND ended_at >= ?2 AND ended_at < ?3 AND (?5 IS NULL OR queue = ?5)
         GROUP BY slot, queue LIMIT ?6",
        |row, counters| {
            counters.answered = count(row, 2)?;
            counters.answered_in_time = count(row, 3)?;
            counters.abandoned = count(row, 4)?;
            counters.short_abandoned = count(row, 5)?;
            counters.flow_out = count(row, 6)?;
            counters.flow_out_transferred = count(row, 7)?;
            counters.wait_answered = millis(row, 8)?;
            counters.wait_abandoned = millis(row, 9)?;
            counters.wait_all = millis(row, 10)?;
            counters.longest_wait = millis(row, 11)?;
            counters.offered = count(row, 12)?;
            Ok(())
        },
    ),
    (
        "SELECT (ended_at - ?2) / ?4 AS slot, queue, count(*), sum(talk_ms), sum(hold_ms), count(*) FILTER (WHERE hold_ms > 0)
         FROM talk WHERE tenant = ?1 AND ended_at >= ?2 AND ended_at < ?3 AND agent IS NOT NULL AND queue IS NOT NULL
             AND (?5 IS NULL OR queue = ?5)
         GROUP BY slot, queue LIMIT ?6",
        |row, counters| {
            counters.handled = count(row, 2)?;
            counters.talk = millis(row, 3)?;
            counters.hold = millis(row, 4)?;
            counters.held = count(row, 5)?;
            Ok(())
        },
    ),
    (
        "SELECT (wrap_up_ended_at - ?2) / ?4 AS slot, queue, sum(wrap_up_ms)
         FROM talk WHERE tenant = ?1 AND wrap_up_ended_at >= ?2 AND wrap_up_ended_at < ?3 AND queue IS NOT NULL
             AND (?5 IS NULL OR queue = ?5)
         GROUP BY slot, queue LIMIT ?6",
        |row, counters| {
            counters.wrap_up = millis(row, 2)?;
            Ok(())
        },
    ),
    (
        "SELECT (ended_at - ?2) / ?4 AS slot, queue, count(*),
             count(*) FILTER (WHERE outcome = 'no_answer'),
             count(*) FILTER (WHERE outcome = 'declined'),
             count(*) FILTER (WHERE outcome IN ('busy', 'unreachable'))
         FROM offer WHERE tenant = ?1 AND ended_at >= ?2 AND ended_at < ?3 AND queue IS NOT NULL AND (?5 IS NULL OR queue = ?5)
         GROUP BY slot, queue LIMIT ?6",
        |row, counters| {
            counters.offers = count(row, 2)?;
            counters.offers_no_answer = count(row, 3)?;
            counters.offers_declined = count(row, 4)?;
            counters.offers_unreachable = count(row, 5)?;
            Ok(())
        },
    ),
];

fn count(row: &Row<'_>, column: usize) -> rusqlite::Result<u64> {
    row.get::<_, Count>(column).map(|count| count.0)
}

fn millis(row: &Row<'_>, column: usize) -> rusqlite::Result<Millis> {
    count(row, column).map(Millis)
}

fn collect(db: &Connection, sql: &str, key: impl Params, take: Take, found: &mut Found) -> Result<(), Failure> {
    let mut statement = db.prepare_cached(sql)?;
    let mut rows = statement.query(key)?;
    while let Some(row) = rows.next()? {
        take(row, found.entry((row.get(0)?, row.get::<_, Id<QueueId>>(1)?.0)).or_default())?;
        if found.len() > limits::ROLL_UP_ROWS {
            return Err(too_many_rows());
        }
    }
    Ok(())
}
