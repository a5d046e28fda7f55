//! The journal: every fact of a tenant, in order, durable before anything is done because of it.
//!
//! Safety comes from compare-and-append: an append names the version it builds on and the epoch of its owner, and is refused
//! when either is no longer the newest. Who may become owner, and when, is decided elsewhere; [`Store::acquire`] only makes sure
//! that afterwards nobody else can write.

use crate::{
    failure::Failure,
    limits,
    sqlite::column::{Count, Id},
    store::Store,
};
use dreiklang_core::{Stamped, ids::TenantId, time::Timestamp};
use rusqlite::{Connection, OptionalExtension, params};
use serde::{Deserialize, Serialize};

/// The fence: grows with every owner of a tenant; only the owner with the newest may append.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Epoch(pub u64);

/// The right to append to one tenant's journal, until somebody else acquires it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Acquired {
    /// To be named with every append.
    pub epoch: Epoch,
    /// Length of the journal at that moment: nobody but the holder of `epoch` makes it longer.
    pub version: u64,
}

/// An append that did not happen. Nothing of it was written, except after `Failed(Failure::Io)`, when that is unknown: the
/// owner then has to give up and load again.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AppendError {
    /// Somebody newer owns the tenant, or the journal is not at the expected version.
    #[error("the journal belongs to epoch {} and is at version {actual}", .epoch.0)]
    Fenced {
        /// The version found.
        actual: u64,
        /// The epoch found.
        epoch: Epoch,
    },
    /// No space left; nothing was written, the same append succeeds once there is space.
    #[error("there is no space left for the journal: free disk space or raise the store's size limit")]
    Full,
    /// The events do not follow each other, or are too many; a mistake of the caller.
    #[error("these events cannot be appended: {detail}")]
    Malformed {
        /// What is wrong.
        detail: String,
    },
    /// The disk failed, or the store is closed.
    #[error(transparent)]
    Failed(Failure),
}

impl AppendError {
    /// The stable code, with a page of its own in `docs/errors`.
    pub fn code(&self) -> &'static str {
        match self {
            AppendError::Fenced { .. } => "STORE-020",
            AppendError::Full => Failure::Full.code(),
            AppendError::Malformed { .. } => "STORE-021",
            AppendError::Failed(failure) => failure.code(),
        }
    }
}

impl From<Failure> for AppendError {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Full => AppendError::Full,
            other => AppendError::Failed(other),
        }
    }
}

impl From<rusqlite::Error> for AppendError {
    fn from(error: rusqlite::Error) -> Self {
        Failure::from(error).into()
    }
}

/// A journal that cannot be read from where it was asked for.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LoadError {
    /// The events after the wanted place were removed by retention; begin with a snapshot.
    #[error("the journal begins with event {oldest}")]
    Pruned {
        /// The first event still there.
        oldest: u64,
    },
    /// The disk failed, or the journal is damaged.
    #[error(transparent)]
    Failed(#[from] Failure),
}

impl From<rusqlite::Error> for LoadError {
    fn from(error: rusqlite::Error) -> Self {
        LoadError::Failed(error.into())
    }
}

/// A stretch of the journal.
#[derive(Clone, Debug, PartialEq)]
pub struct Loaded {
    /// In order, without gaps.
    pub events: Vec<Stamped>,
    /// There is more after the last of them.
    pub more: bool,
}

impl Store {
    /// Becomes the owner of a tenant's journal: every append of an earlier owner is refused from now on.
    ///
    /// `owner` is a name for people (host and process).
    pub async fn acquire(&self, tenant: TenantId, owner: &str) -> Result<Acquired, Failure> {
        let owner = owner.to_owned();
        self.sqlite()
            .write(0, None, move |db| {
                let (epoch, version) = db
                    .prepare_cached(
                        "INSERT INTO journal_head (tenant, version, epoch, owner) VALUES (?1, 0, 1, ?2)
                         ON CONFLICT (tenant) DO UPDATE SET epoch = epoch + 1, owner = excluded.owner
                         RETURNING epoch, version",
                    )?
                    .query_row(params![Id(tenant), owner], |row| Ok((row.get::<_, Count>(0)?.0, row.get::<_, Count>(1)?.0)))?;
                Ok(Acquired { epoch: Epoch(epoch), version })
            })
            .await
    }

    /// Appends events that follow on `expected_version`, and returns the new version once they are on the disk.
    ///
    /// All or nothing. Dropping the future does not take the append back.
    pub async fn append(&self, tenant: TenantId, epoch: Epoch, expected_version: u64, events: &[Stamped]) -> Result<u64, AppendError> {
        check(expected_version, events)?;
        let body = serde_json::to_string(events).map_err(|error| AppendError::Malformed { detail: error.to_string() })?;
        if body.len() > limits::APPEND_BYTES {
            return Err(AppendError::Malformed { detail: format!("more than {} bytes", limits::APPEND_BYTES) });
        }
        let count = events.len() as u64;
        let at = events.first().map_or(Timestamp(0), |stamped| stamped.at);
        self.sqlite()
            .write(body.len(), Some(tenant), move |db| {
                let head = db
                    .prepare_cached("SELECT version, epoch FROM journal_head WHERE tenant = ?1")?
                    .query_row([Id(tenant)], |row| Ok((row.get::<_, Count>(0)?.0, row.get::<_, Count>(1)?.0)))
                    .optional()?;
                let version = match head {
                    Some((version, newest)) if newest == epoch.0 && version == expected_version => version,
                    Some((actual, newest)) => return Err(AppendError::Fenced { actual, epoch: Epoch(newest) }),
                    None => return Err(AppendError::Fenced { actual: 0, epoch: Epoch(0) }),
                };
                if count == 0 {
                    return Ok(version);
                }
                db.prepare_cached("INSERT INTO journal (tenant, first_seq, count, at, body) VALUES (?1, ?2, ?3, ?4, ?5)")?
                    .execute(params![Id(tenant), Count(version + 1), Count(count), at.0, body])?;
                db.prepare_cached("UPDATE journal_head SET version = ?2 WHERE tenant = ?1")?
                    .execute(params![Id(tenant), Count(version + count)])?;
                Ok(version + count)
            })
            .await
    }

    /// The next events after `after_seq`, a bounded number of them.
    pub async fn load(&self, tenant: TenantId, after_seq: u64) -> Result<Loaded, LoadError> {
        self.sqlite().read(move |db| read_strictly(db, tenant, after_seq)).await
    }

    /// Hands every event after `after_seq` to `each`, in order, with bounded memory; returns the number of the last one.
    pub async fn replay(&self, tenant: TenantId, after_seq: u64, mut each: impl FnMut(Stamped)) -> Result<u64, LoadError> {
        let mut reached = after_seq;
        loop {
            let loaded = self.load(tenant, reached).await?;
            for stamped in loaded.events {
                reached = stamped.seq;
                each(stamped);
            }
            if !loaded.more {
                return Ok(reached);
            }
        }
    }

    /// Length of a tenant's journal; 0 when it has none.
    pub async fn version(&self, tenant: TenantId) -> Result<u64, Failure> {
        self.sqlite().read(move |db| version(db, tenant)).await
    }

    /// The last event before the first append of `at` or later; 0 when there is none. Turns a retention time into a place for
    /// [`Store::prune`].
    pub async fn seq_before(&self, tenant: TenantId, at: Timestamp) -> Result<u64, Failure> {
        self.sqlite()
            .read(move |db| {
                // From the oldest on: where pruning is usual, that is near what is looked for.
                let first: Option<Count> = db
                    .prepare_cached("SELECT first_seq FROM journal WHERE tenant = ?1 AND at >= ?2 ORDER BY first_seq LIMIT 1")?
                    .query_row(params![Id(tenant), at.0], |row| row.get(0))
                    .optional()?;
                match first {
                    Some(first) => Ok(first.0.saturating_sub(1)),
                    None => version(db, tenant),
                }
            })
            .await
    }

    /// Removes journal rows whose events all lie before `before_seq`, and returns how many events that were. Never removes what
    /// a kept snapshot needs to be brought up to date, nor what is not yet in the reports.
    pub async fn prune(&self, tenant: TenantId, before_seq: u64) -> Result<u64, Failure> {
        let mut removed = 0;
        loop {
            let step: u64 = self.sqlite().write(0, None, move |db| prune_step(db, tenant, before_seq)).await?;
            removed += step;
            if step == 0 {
                return Ok(removed);
            }
        }
    }
}

fn check(expected_version: u64, events: &[Stamped]) -> Result<(), AppendError> {
    if events.len() > limits::EVENTS_PER_APPEND {
        return Err(AppendError::Malformed { detail: format!("more than {} events", limits::EVENTS_PER_APPEND) });
    }
    for (offset, stamped) in (1..).zip(events) {
        let wanted = expected_version + offset;
        if stamped.seq != wanted {
            return Err(AppendError::Malformed { detail: format!("event {} stands where {wanted} belongs", stamped.seq) });
        }
    }
    Ok(())
}

fn version(db: &Connection, tenant: TenantId) -> Result<u64, Failure> {
    let version: Option<Count> =
        db.prepare_cached("SELECT version FROM journal_head WHERE tenant = ?1")?.query_row([Id(tenant)], |row| row.get(0)).optional()?;
    Ok(version.map_or(0, |version| version.0))
}

/// Rows that hold events after `after`, beginning with the one that holds the next.
const ROWS_AFTER: &str = "SELECT first_seq, count, body FROM journal WHERE tenant = ?1
     AND first_seq >= coalesce((SELECT max(first_seq) FROM journal WHERE tenant = ?1 AND first_seq <= ?2), 0)
     ORDER BY first_seq";

fn read_strictly(db: &Connection, tenant: TenantId, after: u64) -> Result<Loaded, LoadError> {
    let version = version(db, tenant)?;
    let mut events: Vec<Stamped> = Vec::new();
    let mut bytes = 0;
    let mut reached = after;
    let mut statement = db.prepare_cached(ROWS_AFTER)?;
    let mut rows = statement.query(params![Id(tenant), Count(after + 1)])?;
    while reached < version && events.len() < limits::EVENTS_PER_LOAD && bytes < limits::LOAD_BYTES {
        let Some(row) = rows.next()? else {
            break;
        };
        let (first, count) = (row.get::<_, Count>(0)?.0, row.get::<_, Count>(1)?.0);
        if first > reached + 1 {
            if events.is_empty() {
                return Err(LoadError::Pruned { oldest: first });
            }
            return Err(damaged(tenant, reached + 1));
        }
        let body = row.get_ref(2)?.as_str().map_err(|error| Failure::Damaged { detail: error.to_string() })?;
        bytes += body.len();
        let batch: Vec<Stamped> = serde_json::from_str(body)
            .map_err(|error| Failure::Damaged { detail: format!("events from {first} of {tenant} cannot be read: {error}") })?;
        if batch.len() as u64 != count {
            return Err(damaged(tenant, first));
        }
        for stamped in batch {
            if stamped.seq <= after {
                continue;
            }
            if stamped.seq != reached + 1 {
                return Err(damaged(tenant, reached + 1));
            }
            reached = stamped.seq;
            events.push(stamped);
        }
    }
    if events.is_empty() && reached < version {
        return match rows.next()? {
            Some(row) => Err(LoadError::Pruned { oldest: row.get::<_, Count>(0)?.0 }),
            None => Err(LoadError::Pruned { oldest: version + 1 }),
        };
    }
    Ok(Loaded { events, more: reached < version })
}

fn damaged(tenant: TenantId, seq: u64) -> LoadError {
    LoadError::Failed(Failure::Damaged { detail: format!("event {seq} of {tenant} is not where it should be") })
}

/// What the projection reads: events that cannot be read are counted and left out, because figures with a gap are better than
/// figures that stand still for ever.
pub(crate) struct Lenient {
    pub(crate) events: Vec<Stamped>,
    /// The last event that was read or left out.
    pub(crate) last: u64,
    pub(crate) skipped: u64,
}

/// The next events after `after`, about `count_max` of them.
pub(crate) fn read_leniently(db: &Connection, tenant: TenantId, after: u64, count_max: usize) -> Result<Lenient, Failure> {
    let mut found = Lenient { events: Vec::new(), last: after, skipped: 0 };
    let mut statement = db.prepare_cached(ROWS_AFTER)?;
    let mut rows = statement.query(params![Id(tenant), Count(after + 1)])?;
    while found.events.len() < count_max
        && let Some(row) = rows.next()?
    {
        let (first, count) = (row.get::<_, Count>(0)?.0, row.get::<_, Count>(1)?.0);
        let last = first + count - 1;
        if last <= after {
            continue;
        }
        let body = row.get_ref(2)?.as_str().unwrap_or_default();
        match serde_json::from_str::<Vec<Stamped>>(body) {
            Ok(batch) => {
                let room = count_max - found.events.len();
                found.events.extend(batch.into_iter().filter(|stamped| stamped.seq > after).take(room));
                found.last = found.events.last().map_or(last, |stamped| stamped.seq);
            }
            Err(_) => {
                let each: Vec<serde_json::Value> = serde_json::from_str(body).unwrap_or_default();
                let readable = each.into_iter().filter_map(|value| serde_json::from_value::<Stamped>(value).ok());
                let before = found.events.len();
                found.events.extend(readable.filter(|stamped| stamped.seq > after));
                let lost = (last - after.max(first - 1)).saturating_sub((found.events.len() - before) as u64);
                tracing::error!(%tenant, first, lost, code = "STORE-003", "events cannot be read and are missing from the reports");
                found.skipped += lost;
                found.last = last;
            }
        }
    }
    Ok(found)
}

/// How many events the projection had to leave out.
pub(crate) fn skipped(db: &Connection, tenant: TenantId) -> Result<u64, Failure> {
    let skipped: Option<Count> =
        db.prepare_cached("SELECT skipped FROM journal_head WHERE tenant = ?1")?.query_row([Id(tenant)], |row| row.get(0)).optional()?;
    Ok(skipped.map_or(0, |skipped| skipped.0))
}

/// Rows removed in one transaction, so that appends need not wait for a large one.
const PRUNE_ROWS: i64 = 2_000;

fn prune_step(db: &Connection, tenant: TenantId, before_seq: u64) -> Result<u64, Failure> {
    let needed: Option<Count> =
        db.prepare_cached("SELECT min(seq) FROM snapshot WHERE tenant = ?1")?.query_row([Id(tenant)], |row| row.get(0))?;
    let projected: Option<Count> = db
        .prepare_cached("SELECT min(projected, booked) FROM journal_head WHERE tenant = ?1")?
        .query_row([Id(tenant)], |row| row.get(0))
        .optional()?;
    let (Some(needed), Some(projected)) = (needed, projected) else {
        return Ok(0);
    };
    // Removable: rows whose last event is at most this.
    let last = needed.0.min(projected.0).min(before_seq.saturating_sub(1));
    let mut statement = db.prepare_cached(
        "DELETE FROM journal WHERE rowid IN (
             SELECT rowid FROM journal WHERE tenant = ?1 AND first_seq <= ?2 AND first_seq + count - 1 <= ?2 ORDER BY first_seq LIMIT ?3
         ) RETURNING count",
    )?;
    let mut rows = statement.query(params![Id(tenant), Count(last), PRUNE_ROWS])?;
    let mut removed = 0;
    while let Some(row) = rows.next()? {
        removed += row.get::<_, Count>(0)?.0;
    }
    Ok(removed)
}
