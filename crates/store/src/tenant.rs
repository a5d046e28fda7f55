//! Which tenants there are.

use crate::{
    document::PutError,
    failure::Failure,
    limits,
    sqlite::{self, column::Id},
    store::Store,
};
use dreiklang_core::{ids::TenantId, time::Timestamp};
use rusqlite::params;

/// A customer organization.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tenant {
    /// Which.
    pub id: TenantId,
    /// Unique in the installation.
    pub name: String,
    /// When it was made known.
    pub created_at: Timestamp,
}

impl Store {
    /// Makes a tenant known, or renames it.
    pub async fn put_tenant(&self, id: TenantId, name: &str) -> Result<(), PutError> {
        let name = name.to_owned();
        self.sqlite()
            .write(0, None, move |db| {
                let taken = db.prepare_cached("SELECT 1 FROM tenant WHERE name = ?2 AND id <> ?1")?.exists(params![Id(id), name])?;
                if taken {
                    return Err(PutError::NameTaken { name: name.clone() });
                }
                db.prepare_cached(
                    "INSERT INTO tenant (id, name, created_at) VALUES (?1, ?2, ?3) ON CONFLICT (id) DO UPDATE SET name = excluded.name",
                )?
                .execute(params![Id(id), name, sqlite::now().0])?;
                Ok(())
            })
            .await
    }

    /// All tenants, by name; at most [`limits::PAGE_ROWS`] after the name `after`.
    pub async fn tenants(&self, after: Option<&str>) -> Result<Vec<Tenant>, Failure> {
        let after = after.unwrap_or_default().to_owned();
        self.sqlite()
            .read(move |db| {
                let mut statement = db.prepare_cached("SELECT id, name, created_at FROM tenant WHERE name > ?1 ORDER BY name LIMIT ?2")?;
                let rows = statement.query_map(params![after, limits::PAGE_ROWS as i64], |row| {
                    Ok(Tenant { id: row.get::<_, Id<TenantId>>(0)?.0, name: row.get(1)?, created_at: Timestamp(row.get(2)?) })
                })?;
                Ok(rows.collect::<Result<_, _>>()?)
            })
            .await
    }
}
