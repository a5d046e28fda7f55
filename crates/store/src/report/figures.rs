//! Figures of queues, agents, numbers and lines by interval: sums of the quarters of an hour that are kept, by the clock of any
//! time zone.

use super::too_many_rows;
use crate::{
    failure::Failure,
    limits,
    sqlite::column::{Count, Id, Json},
    store::Store,
};
use dreiklang_core::{
    ids::{NumberId, QueueId, TenantId},
    stats::{Books, Clock, Counter as _, Entry, Key, Kind, Metered, SLOT, Subject, Tally, Width, slot},
    time::Timestamp,
};
use rusqlite::{Connection, params};
use std::collections::BTreeMap;

/// Which figures.
#[derive(Clone, Debug)]
pub struct Wanted {
    /// Whose.
    pub kind: Kind,
    /// Of one alone: its id, or a line's word.
    pub subject: Option<String>,
    /// The first instant; the quarter of an hour it lies in counts as a whole.
    pub from: Timestamp,
    /// The first instant no longer covered, unless it lies within a quarter of an hour.
    pub to: Timestamp,
    /// Width of the intervals.
    pub width: Width,
    /// By which clock hours and days begin.
    pub clock: Clock,
}

/// One of them in one interval.
#[derive(Clone, Debug, PartialEq)]
pub struct FigureRow {
    /// Whose: an id, or a line's word.
    pub subject: String,
    /// When the interval begins.
    pub start: Timestamp,
    /// What was counted.
    pub tally: Tally,
}

impl Wanted {
    /// The time that is covered, in whole quarters of an hour.
    pub fn covered(&self) -> (Timestamp, Timestamp) {
        let to = slot(self.to);
        (slot(self.from), if to < self.to { to + SLOT } else { to })
    }
}

impl Store {
    /// Figures by interval and subject; intervals in which nothing was counted are left out. What agents are at present counts up
    /// to `now`. Fails with [`Failure::TooLarge`] when that would be more than [`limits::ROLL_UP_ROWS`] rows.
    pub async fn figures(&self, tenant: TenantId, wanted: Wanted, now: Timestamp) -> Result<Vec<FigureRow>, Failure> {
        let (from, to) = wanted.covered();
        self.sqlite()
            .read(move |db| {
                let mut found = Sums { wanted: &wanted, from, rows: BTreeMap::new() };
                let mut statement = db.prepare_cached(
                    "SELECT slot, subject, body FROM figure
                     WHERE tenant = ?1 AND kind = ?2 AND slot >= ?3 AND slot < ?4 AND (?5 IS NULL OR subject = ?5)",
                )?;
                let mut rows = statement.query(params![Id(tenant), wanted.kind.as_str(), from.0, to.0, wanted.subject])?;
                while let Some(row) = rows.next()? {
                    let Json(tally): Json<Tally> = row.get(2)?;
                    found.sum(row.get(1)?, Timestamp(row.get(0)?)).absorb(&tally);
                    found.check()?;
                }
                if wanted.kind == Kind::Agent {
                    present(db, tenant, to.min(now), &mut found)?;
                }
                let row = |((start, subject), tally)| FigureRow { subject, start, tally };
                Ok(found.rows.into_iter().map(row).collect())
            })
            .await
    }

    /// Of each queue, how many conversations that ended between `from` and `to` were answered and are older than `days` days, and
    /// of how many of them the caller called again within these days. Callers without a number are left out.
    pub async fn repeated_callers(
        &self,
        tenant: TenantId,
        (from, to): (Timestamp, Timestamp),
        days: u16,
        now: Timestamp,
    ) -> Result<BTreeMap<QueueId, (u64, u64)>, Failure> {
        let span = i64::from(days) * 24 * 3_600 * 1_000;
        self.sqlite()
            .read(move |db| {
                let mut statement = db.prepare_cached(
                    "SELECT queue, count(*), count(*) FILTER (WHERE EXISTS (
                         SELECT 1 FROM conversation AS later
                         WHERE later.tenant = ?1 AND later.caller_number = first.caller_number
                             AND later.started_at > first.ended_at AND later.started_at <= first.ended_at + ?4
                     ))
                     FROM conversation AS first
                     WHERE tenant = ?1 AND ended_at >= ?2 AND ended_at < min(?3, ?5 - ?4) AND outcome = 'answered'
                         AND queue IS NOT NULL AND caller_number IS NOT NULL AND direction = 'inbound'
                     GROUP BY queue",
                )?;
                let rows = statement.query_map(params![Id(tenant), from.0, to.0, span, now.0], |row| {
                    Ok((row.get::<_, Id<QueueId>>(0)?.0, (row.get::<_, Count>(1)?.0, row.get::<_, Count>(2)?.0)))
                })?;
                Ok(rows.collect::<Result<_, _>>()?)
            })
            .await
    }

    /// What dialed numbers are called, also those that were removed since.
    pub async fn number_names(&self, tenant: TenantId) -> Result<BTreeMap<NumberId, String>, Failure> {
        self.sqlite()
            .read(move |db| {
                let mut statement = db.prepare_cached("SELECT number, name FROM number_setting WHERE tenant = ?1")?;
                let rows = statement.query_map([Id(tenant)], |row| Ok((row.get::<_, Id<NumberId>>(0)?.0, row.get(1)?)))?;
                Ok(rows.collect::<Result<_, _>>()?)
            })
            .await
    }
}

struct Sums<'a> {
    wanted: &'a Wanted,
    from: Timestamp,
    rows: BTreeMap<(Timestamp, String), Tally>,
}

impl Sums<'_> {
    fn sum(&mut self, subject: String, slot: Timestamp) -> &mut Tally {
        let start = self.wanted.clock.begin(slot, self.wanted.width, self.from);
        self.rows.entry((start, subject)).or_default()
    }

    fn check(&self) -> Result<(), Failure> {
        if self.rows.len() > limits::ROLL_UP_ROWS { Err(too_many_rows()) } else { Ok(()) }
    }
}

/// The stretches that are under way, as if they ended at `until`.
fn present(db: &Connection, tenant: TenantId, until: Timestamp, found: &mut Sums<'_>) -> Result<(), Failure> {
    let mut ledger = dreiklang_core::stats::Ledger::default();
    let mut statement = db.prepare_cached("SELECT body FROM figure_memory WHERE tenant = ?1 AND id >= 'agt_' AND id < 'agt`'")?;
    for body in statement.query_map([Id(tenant)], |row| row.get::<_, Json<(Key, Entry)>>(0))? {
        let Json((key, entry)) = body?;
        ledger.restore(key, entry);
    }
    /// Those that were asked for.
    struct Cut<'a, 'b> {
        found: &'a mut Sums<'b>,
        elsewhere: Tally,
    }
    impl Books for Cut<'_, '_> {
        fn tally(&mut self, subject: Subject, slot: Timestamp) -> &mut Tally {
            let text = subject.to_string();
            if slot < self.found.from || self.found.wanted.subject.as_ref().is_some_and(|wanted| *wanted != text) {
                return &mut self.elsewhere;
            }
            self.found.sum(text, slot)
        }
        fn meter(&mut self, _: Metered) {}
    }
    ledger.book_present(until, &mut Cut { found, elsewhere: Tally::default() });
    found.check()
}
