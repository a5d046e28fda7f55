//! Snapshots of a tenant's world, so that a start need not read the whole journal. Opaque bytes here, guarded by a checksum.

use crate::{
    failure::Failure,
    limits,
    sqlite::column::{Count, Id},
    store::Store,
};
use dreiklang_core::ids::TenantId;
use rusqlite::params;
use sha2::{Digest, Sha256};
use std::sync::Arc;

/// A world as it was after an event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snapshot {
    /// The last event it contains.
    pub seq: u64,
    /// As handed in.
    pub bytes: Vec<u8>,
}

impl Store {
    /// Keeps a snapshot of the world after event `seq`, and forgets all but the newest two.
    pub async fn save_snapshot(&self, tenant: TenantId, seq: u64, bytes: Vec<u8>) -> Result<(), Failure> {
        if bytes.len() > limits::SNAPSHOT_BYTES {
            return Err(Failure::TooLarge { what: "bytes of a snapshot", limit: limits::SNAPSHOT_BYTES });
        }
        let sum = Sha256::digest(&bytes).to_vec();
        // Shared, because the request may have to run twice.
        let bytes = Arc::new(bytes);
        self.sqlite()
            .write(bytes.len(), None, move |db| {
                db.prepare_cached(
                    "INSERT INTO snapshot (tenant, seq, sha256, body) VALUES (?1, ?2, ?3, ?4)
                     ON CONFLICT (tenant, seq) DO UPDATE SET sha256 = excluded.sha256, body = excluded.body",
                )?
                .execute(params![Id(tenant), Count(seq), sum, bytes.as_slice()])?;
                db.prepare_cached(
                    "DELETE FROM snapshot WHERE tenant = ?1 AND seq NOT IN (SELECT seq FROM snapshot WHERE tenant = ?1 ORDER BY seq DESC LIMIT ?2)",
                )?
                .execute(params![Id(tenant), Count(limits::SNAPSHOTS_KEPT as u64)])?;
                Ok(())
            })
            .await
    }

    /// The newest snapshot that is intact.
    pub async fn latest_snapshot(&self, tenant: TenantId) -> Result<Option<Snapshot>, Failure> {
        self.sqlite()
            .read(move |db| {
                let mut statement = db.prepare_cached("SELECT seq, sha256, body FROM snapshot WHERE tenant = ?1 ORDER BY seq DESC")?;
                let mut rows = statement.query([Id(tenant)])?;
                while let Some(row) = rows.next()? {
                    let seq = row.get::<_, Count>(0)?.0;
                    let (sum, bytes): (Vec<u8>, Vec<u8>) = (row.get(1)?, row.get(2)?);
                    if Sha256::digest(&bytes).as_slice() == sum.as_slice() {
                        return Ok(Some(Snapshot { seq, bytes }));
                    }
                    tracing::error!(%tenant, seq, code = "STORE-003", "a snapshot is damaged; using the one before");
                }
                Ok(None)
            })
            .await
    }
}
