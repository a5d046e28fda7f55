//! The audit log: who did what to what, when. Rows are only ever added, and removed by retention.

use crate::{
    document::check_size,
    failure::Failure,
    limits,
    sqlite::column::{Count, Id, Json},
    store::Store,
};
use dreiklang_core::{Actor, ids::TenantId, time::Timestamp};
use rusqlite::params;
use serde_json::Value;

/// What is noted.
#[derive(Clone, Debug, PartialEq)]
pub struct AuditNote {
    /// When it was done.
    pub at: Timestamp,
    /// By whom.
    pub actor: Actor,
    /// What, such as `recording.play`.
    pub action: String,
    /// To what: an id, or a name.
    pub subject: String,
    /// More about it.
    pub detail: Value,
}

/// A row of the log.
#[derive(Clone, Debug, PartialEq)]
pub struct AuditEntry {
    /// Its place in the log; grows.
    pub id: u64,
    /// What was noted.
    pub note: AuditNote,
}

impl Store {
    /// Adds a row, and returns its place.
    pub async fn audit(&self, tenant: TenantId, note: AuditNote) -> Result<u64, Failure> {
        let detail = note.detail.to_string();
        check_size(detail.len())?;
        self.sqlite()
            .write(detail.len(), None, move |db| {
                db.prepare_cached("INSERT INTO audit (tenant, at, actor, action, subject, detail) VALUES (?1, ?2, ?3, ?4, ?5, ?6)")?
                    .execute(params![Id(tenant), note.at.0, Json(&note.actor), note.action, note.subject, detail])?;
                Ok(db.last_insert_rowid().unsigned_abs())
            })
            .await
    }

    /// Rows of a tenant, newest first, older than the place `before`; at most `limit` and a page.
    pub async fn audit_log(&self, tenant: TenantId, before: Option<u64>, limit: usize) -> Result<Vec<AuditEntry>, Failure> {
        let before = before.unwrap_or(i64::MAX.unsigned_abs());
        self.sqlite()
            .read(move |db| {
                let mut statement = db.prepare_cached(
                    "SELECT id, at, actor, action, subject, detail FROM audit WHERE tenant = ?1 AND id < ?2 ORDER BY id DESC LIMIT ?3",
                )?;
                let rows = statement.query_map(params![Id(tenant), Count(before), limit.min(limits::PAGE_ROWS) as i64], |row| {
                    Ok(AuditEntry {
                        id: row.get::<_, Count>(0)?.0,
                        note: AuditNote {
                            at: Timestamp(row.get(1)?),
                            actor: row.get::<_, Json<Actor>>(2)?.0,
                            action: row.get(3)?,
                            subject: row.get(4)?,
                            detail: row.get::<_, Json<Value>>(5)?.0,
                        },
                    })
                })?;
                Ok(rows.collect::<Result<_, _>>()?)
            })
            .await
    }

    /// Removes up to a page of a tenant's rows older than `before`, and returns how many; call again until it returns 0.
    pub async fn prune_audit(&self, tenant: TenantId, before: Timestamp) -> Result<usize, Failure> {
        self.sqlite()
            .write(0, None, move |db| {
                let removed = db
                    .prepare_cached(
                        "DELETE FROM audit WHERE id IN (SELECT id FROM audit WHERE tenant = ?1 AND at < ?2 ORDER BY id LIMIT ?3)",
                    )?
                    .execute(params![Id(tenant), before.0, limits::PAGE_ROWS as i64])?;
                Ok(removed)
            })
            .await
    }
}
