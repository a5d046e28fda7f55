//! Carries the journal over into the report tables, a few events at a time, with the place it has reached written in the same
//! transaction: exactly once, whatever happens in between.

use super::column::{Count, Id};
use crate::{
    failure::Failure,
    journal, limits,
    project::{self, figures},
};
use dreiklang_core::{ids::TenantId, stats::Ledger};
use rusqlite::{Connection, params};
use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
};
use tokio::sync::watch;

/// How far each tenant's journal is projected, for those who wait for it.
pub(super) type Progress = BTreeMap<TenantId, u64>;

pub(super) struct Projector {
    /// Tenants with events not yet projected, each once; served in turn.
    behind: VecDeque<TenantId>,
    progress: Arc<watch::Sender<Progress>>,
    /// What the figures of each tenant remember, as it is in the database; read when it is first needed.
    ledgers: BTreeMap<TenantId, Ledger>,
}

impl Projector {
    /// Finds out where the last process stopped.
    pub(super) fn start(db: &Connection, progress: Arc<watch::Sender<Progress>>) -> Result<Projector, Failure> {
        let mut behind = VecDeque::new();
        let mut reached = Progress::new();
        let mut statement = db.prepare("SELECT tenant, version, min(projected, booked) FROM journal_head ORDER BY tenant")?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let (Id(tenant), version, projected): (Id<TenantId>, i64, Count) = (row.get(0)?, row.get(1)?, row.get(2)?);
            reached.insert(tenant, projected.0);
            if version.unsigned_abs() > projected.0 {
                behind.push_back(tenant);
            }
        }
        progress.send_replace(reached);
        Ok(Projector { behind, progress, ledgers: BTreeMap::new() })
    }

    pub(super) fn is_behind(&self) -> bool {
        !self.behind.is_empty()
    }

    pub(super) fn appended(&mut self, tenant: TenantId) {
        // Few tenants are behind at any time; a search is cheaper than keeping a set as well.
        if !self.behind.contains(&tenant) {
            self.behind.push_back(tenant);
        }
    }

    /// Projects one batch of the tenant whose turn it is.
    pub(super) fn step(&mut self, db: &Connection) -> Result<(), Failure> {
        let Some(&tenant) = self.behind.front() else {
            return Ok(());
        };
        let outcome = self.project(db, tenant, false).or_else(|failure| match failure {
            Failure::Damaged { .. } | Failure::Internal { .. } | Failure::TooLarge { .. } => self.project(db, tenant, true),
            other => Err(other),
        });
        // Whatever happened, the next tenant is served next: one with a problem must not hold up the others.
        self.behind.rotate_left(1);
        let (reached, version) = outcome?;
        if reached >= version {
            self.behind.retain(|other| *other != tenant);
        }
        self.progress.send_modify(|progress| {
            progress.insert(tenant, reached);
        });
        Ok(())
    }
}

impl Projector {
    fn project(&mut self, db: &Connection, tenant: TenantId, careful: bool) -> Result<(u64, u64), Failure> {
        // Out of the map while it is worked with: what a failed batch leaves in it is not what the database has.
        let mut ledger = match self.ledgers.remove(&tenant) {
            Some(ledger) => ledger,
            None => figures::load(db, tenant)?,
        };
        let reached = project_batch(db, tenant, &mut ledger, careful)?;
        self.ledgers.insert(tenant, ledger);
        Ok(reached)
    }
}

/// A `careful` batch leaves out, and counts, an event whose rows cannot be written: figures with a gap are better than figures that
/// stand still for ever. Returns how far the tenant is projected now, and how long its journal is.
fn project_batch(db: &Connection, tenant: TenantId, ledger: &mut Ledger, careful: bool) -> Result<(u64, u64), Failure> {
    // No flush of its own: after a power failure this batch may be gone, together with its cursor, and is done again. The next
    // append's flush covers it.
    db.pragma_update(None, "synchronous", "normal")?;
    let outcome = (|| {
        let change = db.unchecked_transaction()?;
        let (version, projected, booked) = change
            .prepare_cached("SELECT version, projected, booked FROM journal_head WHERE tenant = ?1")?
            .query_row([Id(tenant)], |row| Ok((row.get::<_, Count>(0)?.0, row.get::<_, Count>(1)?.0, row.get::<_, Count>(2)?.0)))?;
        // The figures are behind the rest in a store that is older than they are.
        let mut page = journal::read_leniently(&change, tenant, projected.min(booked), limits::EVENTS_PER_PROJECTION)?;
        let mut batch = figures::Batch::default();
        for stamped in &page.events {
            if stamped.seq > booked {
                batch.observe(ledger, stamped);
            }
            if stamped.seq <= projected {
                continue;
            }
            if !careful {
                project::apply(&change, tenant, stamped)?;
                continue;
            }
            change.execute_batch("SAVEPOINT event")?;
            if let Err(failure) = project::apply(&change, tenant, stamped) {
                if matches!(failure, Failure::Full | Failure::Io { .. } | Failure::Closed) {
                    return Err(failure);
                }
                change.execute_batch("ROLLBACK TO event")?;
                tracing::error!(%tenant, seq = stamped.seq, code = failure.code(), %failure, "an event is missing from the reports");
                page.skipped += 1;
            }
            change.execute_batch("RELEASE event")?;
        }
        batch.write(&change, tenant, ledger)?;
        // Nothing is left to read where retention has removed it.
        let last = if page.last <= projected.min(booked) { version } else { page.last };
        // What cannot be read was counted when the rest was projected.
        let skipped = if page.last > projected { page.skipped } else { 0 };
        change
            .prepare_cached(
                "UPDATE journal_head SET projected = max(projected, ?2), booked = max(booked, ?2), skipped = skipped + ?3 WHERE tenant = ?1",
            )?
            .execute(params![Id(tenant), Count(last), Count(skipped)])?;
        let reached = last;
        change.commit()?;
        Ok((reached, version))
    })();
    db.pragma_update(None, "synchronous", "full")?;
    outcome
}
