//! Work to be done later, and again until it succeeds: webhook deliveries, retention runs, exports.
//!
//! A claimed job comes back by itself when its time runs out, so a process that dies keeps nothing from being done; therefore
//! whatever a job does must bear being done twice. What the kinds mean is not known here.

use crate::{
    document::check_size,
    failure::Failure,
    limits,
    sqlite::{
        self,
        column::{Count, Id, Json, Word},
    },
    store::Store,
};
use dreiklang_core::{
    ids::TenantId,
    time::{Millis, Timestamp},
};
use rusqlite::{Connection, OptionalExtension, Row, params, params_from_iter};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Which job.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct JobId(pub u64);

/// Where a job stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// To be done at its time.
    Waiting,
    /// Claimed, until its time runs out.
    Running,
    /// Given up after [`limits::JOB_ATTEMPTS`] attempts.
    GivenUp,
}

/// A job to be done.
#[derive(Clone, Debug, PartialEq)]
pub struct NewJob {
    /// What kind of work.
    pub kind: String,
    /// Not before.
    pub run_at: Timestamp,
    /// What the worker needs to know.
    pub payload: Value,
}

/// A job.
#[derive(Clone, Debug, PartialEq)]
pub struct Job {
    /// Which.
    pub id: JobId,
    /// Whose.
    pub tenant: TenantId,
    /// What kind of work.
    pub kind: String,
    /// Where it stands.
    pub state: State,
    /// When it may be done (waiting), or when the claim runs out (running).
    pub run_at: Timestamp,
    /// How often it was claimed.
    pub attempts: u32,
    /// What the worker needs to know.
    pub payload: Value,
    /// What went wrong last.
    pub last_error: Option<String>,
    /// When it was asked for.
    pub created_at: Timestamp,
}

/// What became of a failed attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Retry {
    /// It is tried again at this time.
    At(Timestamp),
    /// It is given up.
    GivenUp,
    /// The claim had run out: somebody else has it, or it is gone.
    Lost,
}

impl Store {
    /// Asks for a job to be done. Fails with [`Failure::TooLarge`] when the tenant has too many.
    pub async fn add_job(&self, tenant: TenantId, job: NewJob) -> Result<JobId, Failure> {
        let payload = job.payload.to_string();
        check_size(payload.len())?;
        self.sqlite()
            .write(payload.len(), None, move |db| {
                if job_count(db, tenant)? >= limits::JOBS_PER_TENANT as u64 {
                    return Err(Failure::TooLarge { what: "jobs of a tenant", limit: limits::JOBS_PER_TENANT });
                }
                db.prepare_cached(
                    "INSERT INTO job (tenant, kind, state, run_at, attempts, payload, created_at) VALUES (?1, ?2, ?3, ?4, 0, ?5, ?6)",
                )?
                .execute(params![Id(tenant), job.kind, Word(State::Waiting), job.run_at.0, payload, sqlite::now().0])?;
                Ok(JobId(db.last_insert_rowid().unsigned_abs()))
            })
            .await
    }

    /// How many jobs a tenant has; at most [`limits::JOBS_PER_TENANT`].
    pub async fn job_count(&self, tenant: TenantId) -> Result<u64, Failure> {
        self.sqlite().read(move |db| job_count(db, tenant)).await
    }

    /// Takes up to `limit` jobs of these kinds that are due, oldest first; they come back after `hold` unless completed or failed
    /// before.
    pub async fn claim_jobs(&self, kinds: &[&str], now: Timestamp, hold: Millis, limit: usize) -> Result<Vec<Job>, Failure> {
        let kinds: Vec<String> = kinds.iter().map(|&kind| kind.to_owned()).collect();
        let limit = limit.min(limits::JOBS_PER_CLAIM);
        self.sqlite()
            .write(0, None, move |db| {
                let mut jobs = Vec::new();
                for kind in &kinds {
                    for state in [State::Waiting, State::Running] {
                        let mut statement = db.prepare_cached(
                            "UPDATE job SET state = ?1, attempts = attempts + 1, run_at = ?2
                             WHERE id IN (SELECT id FROM job WHERE kind = ?3 AND state = ?4 AND run_at <= ?5 ORDER BY run_at LIMIT ?6)
                             RETURNING id, tenant, kind, state, run_at, attempts, payload, last_error, created_at",
                        )?;
                        let room = Count((limit - jobs.len()) as u64);
                        let rows = statement
                            .query_map(params![Word(State::Running), (now + hold).0, kind, Word(state), now.0, room], row_to_job)?;
                        for job in rows {
                            jobs.push(job?);
                        }
                    }
                }
                jobs.sort_by_key(|job| job.id);
                Ok(jobs)
            })
            .await
    }

    /// When the next job of these kinds will be due; `None` when there is none.
    pub async fn next_job_at(&self, kinds: &[&str]) -> Result<Option<Timestamp>, Failure> {
        let kinds: Vec<String> = kinds.iter().map(|&kind| kind.to_owned()).collect();
        self.sqlite()
            .read(move |db| {
                let marks = vec!["?"; kinds.len()].join(", ");
                let sql = format!("SELECT min(run_at) FROM job WHERE state <> 'given_up' AND kind IN ({marks})");
                let at: Option<i64> = db.prepare_cached(&sql)?.query_row(params_from_iter(&kinds), |row| row.get(0))?;
                Ok(at.map(Timestamp))
            })
            .await
    }

    /// The claimed job is done and forgotten; `false` when the claim had run out and somebody else has it.
    pub async fn complete_job(&self, job: &Job) -> Result<bool, Failure> {
        let (id, attempts) = (job.id, job.attempts);
        self.sqlite()
            .write(0, None, move |db| {
                let done = db
                    .prepare_cached("DELETE FROM job WHERE id = ?1 AND attempts = ?2 AND state = 'running'")?
                    .execute(params![Count(id.0), attempts])?;
                Ok(done > 0)
            })
            .await
    }

    /// The claimed job did not succeed: it is tried again after a pause that doubles each time (but not before `not_before`, which
    /// a peer may have asked for), or given up.
    pub async fn fail_job(&self, job: &Job, error: &str, now: Timestamp, not_before: Option<Timestamp>) -> Result<Retry, Failure> {
        let (id, attempts, tenant) = (job.id, job.attempts, job.tenant);
        let error: String = error.chars().take(ERROR_CHARS).collect();
        self.sqlite()
            .write(0, None, move |db| {
                let at = (now + pause(attempts)).max(not_before.unwrap_or(now));
                let state = if attempts >= limits::JOB_ATTEMPTS { State::GivenUp } else { State::Waiting };
                let changed = db
                    .prepare_cached(
                        "UPDATE job SET state = ?1, run_at = ?2, last_error = ?3 WHERE id = ?4 AND attempts = ?5 AND tenant = ?6 AND state = 'running'",
                    )?
                    .execute(params![Word(state), at.0, error, Count(id.0), attempts, Id(tenant)])?;
                Ok(match (changed, state) {
                    (0, _) => Retry::Lost,
                    (_, State::GivenUp) => Retry::GivenUp,
                    _ => Retry::At(at),
                })
            })
            .await
    }

    /// A tenant's jobs by id, after `after`; at most `limit` and a page.
    pub async fn jobs(&self, tenant: TenantId, after: Option<JobId>, limit: usize) -> Result<Vec<Job>, Failure> {
        self.sqlite()
            .read(move |db| {
                let mut statement = db.prepare_cached(
                    "SELECT id, tenant, kind, state, run_at, attempts, payload, last_error, created_at FROM job
                     WHERE tenant = ?1 AND id > ?2 ORDER BY id LIMIT ?3",
                )?;
                let after = after.map_or(0, |id| id.0);
                let rows = statement.query_map(params![Id(tenant), Count(after), limit.min(limits::PAGE_ROWS) as i64], row_to_job)?;
                Ok(rows.collect::<Result<_, _>>()?)
            })
            .await
    }

    /// Lets a job that was given up (or waits) be tried at once, with all its attempts again; `false` when there is no such job or it is
    /// being done right now.
    pub async fn retry_job(&self, tenant: TenantId, id: JobId, now: Timestamp) -> Result<bool, Failure> {
        self.sqlite()
            .write(0, None, move |db| {
                let changed = db
                    .prepare_cached(
                        "UPDATE job SET state = 'waiting', run_at = ?3, attempts = 0 WHERE tenant = ?1 AND id = ?2 AND state <> 'running'",
                    )?
                    .execute(params![Id(tenant), Count(id.0), now.0])?;
                Ok(changed > 0)
            })
            .await
    }

    /// Forgets a job, whatever its state; `false` when there is none.
    pub async fn delete_job(&self, tenant: TenantId, id: JobId) -> Result<bool, Failure> {
        self.sqlite().write(0, None, move |db| remove(db, tenant, id)).await
    }
}

/// Longest error text kept, in characters.
const ERROR_CHARS: usize = 1_000;

fn job_count(db: &Connection, tenant: TenantId) -> Result<u64, Failure> {
    let count: Option<Count> =
        db.prepare_cached("SELECT count FROM job_count WHERE tenant = ?1")?.query_row([Id(tenant)], |row| row.get(0)).optional()?;
    Ok(count.map_or(0, |count| count.0))
}

fn remove(db: &Connection, tenant: TenantId, id: JobId) -> Result<bool, Failure> {
    let gone: Option<i64> = db
        .prepare_cached("DELETE FROM job WHERE tenant = ?1 AND id = ?2 RETURNING id")?
        .query_row(params![Id(tenant), Count(id.0)], |row| row.get(0))
        .optional()?;
    Ok(gone.is_some())
}

/// The pause after the attempt of this number, counted from 1.
fn pause(attempts: u32) -> Millis {
    let doublings = attempts.saturating_sub(1).min(31);
    Millis(limits::JOB_PAUSE_FIRST_MS.saturating_mul(1 << doublings).min(limits::JOB_PAUSE_MAX_MS))
}

fn row_to_job(row: &Row<'_>) -> rusqlite::Result<Job> {
    Ok(Job {
        id: JobId(row.get::<_, Count>(0)?.0),
        tenant: row.get::<_, Id<TenantId>>(1)?.0,
        kind: row.get(2)?,
        state: row.get::<_, Word<State>>(3)?.0,
        run_at: Timestamp(row.get(4)?),
        attempts: row.get(5)?,
        payload: row.get::<_, Json<Value>>(6)?.0,
        last_error: row.get(7)?,
        created_at: Timestamp(row.get(8)?),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pause_doubles_up_to_an_hour() {
        assert_eq!(pause(1), Millis(2_000));
        assert_eq!(pause(2), Millis(4_000));
        assert_eq!(pause(11), Millis(2_048_000));
        assert_eq!(pause(12), Millis(3_600_000));
        assert_eq!(pause(u32::MAX), Millis(3_600_000));
    }
}
