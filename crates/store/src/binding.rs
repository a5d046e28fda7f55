//! Registrations of telephones, so that they need not all register again after a restart. Opaque here; the registrar lives in
//! the Connected line, for which one address belongs to one tenant already.

use crate::{failure::Failure, limits, sqlite::column::Count, store::Store};
use dreiklang_core::time::Timestamp;
use rusqlite::params;

/// Where a telephone can be reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Binding {
    /// The address it registered as; unique.
    pub aor: String,
    /// The registrar's own notes; an empty one takes the binding away.
    pub body: Vec<u8>,
    /// When it ends.
    pub expires_at: Timestamp,
}

impl Store {
    /// Writes bindings, all or none; one with an empty body is removed.
    pub async fn save_bindings(&self, bindings: Vec<Binding>) -> Result<(), Failure> {
        if bindings.len() > limits::BINDINGS_PER_SAVE {
            return Err(Failure::TooLarge { what: "bindings of one call", limit: limits::BINDINGS_PER_SAVE });
        }
        let bytes = bindings.iter().map(|binding| binding.body.len() + binding.aor.len()).sum();
        self.sqlite()
            .write(bytes, None, move |db| {
                let mut remove = db.prepare_cached("DELETE FROM binding WHERE aor = ?1")?;
                let mut save = db.prepare_cached(
                    "INSERT INTO binding (aor, body, expires_at) VALUES (?1, ?2, ?3)
                     ON CONFLICT (aor) DO UPDATE SET body = excluded.body, expires_at = excluded.expires_at",
                )?;
                for binding in &bindings {
                    if binding.body.is_empty() {
                        remove.execute([&binding.aor])?;
                    } else {
                        save.execute(params![binding.aor, binding.body, binding.expires_at.0])?;
                    }
                }
                Ok(())
            })
            .await
    }

    /// All bindings that last beyond `now`, and forgets the others.
    pub async fn load_bindings(&self, now: Timestamp) -> Result<Vec<Binding>, Failure> {
        self.sqlite()
            .write(0, None, move |db| {
                db.prepare_cached("DELETE FROM binding WHERE expires_at <= ?1")?.execute([now.0])?;
                let mut statement = db.prepare_cached("SELECT aor, body, expires_at FROM binding ORDER BY aor LIMIT ?1")?;
                let rows = statement.query_map([Count(limits::BINDINGS as u64)], |row| {
                    Ok(Binding { aor: row.get(0)?, body: row.get(1)?, expires_at: Timestamp(row.get(2)?) })
                })?;
                Ok(rows.collect::<Result<_, _>>()?)
            })
            .await
    }
}
