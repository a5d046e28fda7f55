//! Brings a database from whatever version it has to ours: numbered files, forward only, each in a transaction of its own,
//! each remembered with its checksum so that a file edited after its release is noticed.

use crate::failure::Failure;
use rusqlite::{Connection, OptionalExtension, params};
use sha2::{Digest, Sha256};

/// Marks a file as ours (SQLite's `application_id`): "DRKL".
pub(crate) const APPLICATION_ID: i32 = 0x4452_4b4c;

/// All migrations, in order; the number is the place in this list, counted from 1.
const MIGRATIONS: [&str; 8] = [
    include_str!("../../migrations/sqlite/0001_journal.sql"),
    include_str!("../../migrations/sqlite/0002_documents.sql"),
    include_str!("../../migrations/sqlite/0003_reports.sql"),
    include_str!("../../migrations/sqlite/0004_jobs.sql"),
    include_str!("../../migrations/sqlite/0005_job_count.sql"),
    include_str!("../../migrations/sqlite/0006_figures.sql"),
    include_str!("../../migrations/sqlite/0007_dispositions.sql"),
    include_str!("../../migrations/sqlite/0008_written.sql"),
];

/// The version this program writes.
pub(crate) const NEWEST: u32 = MIGRATIONS.len() as u32;

/// What a database turned out to be.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Found {
    /// Nothing in it yet.
    Empty,
    /// Ours, at this version.
    Version(u32),
    /// Of another program.
    Foreign,
    /// Ours, but this migration's text differs from ours.
    Differs(u32),
}

/// Looks without changing anything.
pub(crate) fn inspect(db: &Connection) -> Result<Found, Failure> {
    let application: i32 = db.pragma_query_value(None, "application_id", |row| row.get(0))?;
    let version: u32 = db.pragma_query_value(None, "user_version", |row| row.get(0))?;
    if application != APPLICATION_ID {
        let tables: u64 = db.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get::<_, i64>(0))?.unsigned_abs();
        return Ok(if tables == 0 && version == 0 && application == 0 { Found::Empty } else { Found::Foreign });
    }
    if version > NEWEST {
        return Ok(Found::Version(version));
    }
    for (number, sql) in (1..=version).zip(MIGRATIONS) {
        let recorded: Option<String> =
            db.query_row("SELECT checksum FROM migration WHERE number = ?1", [number], |row| row.get(0)).optional()?;
        if recorded.as_deref() != Some(checksum(sql).as_str()) {
            return Ok(Found::Differs(number));
        }
    }
    Ok(Found::Version(version))
}

/// Applies what is missing after version `from`, up to `to`.
pub(crate) fn migrate(db: &mut Connection, from: u32, to: u32, now_ms: i64) -> Result<(), Failure> {
    for (number, sql) in (1..=to).zip(MIGRATIONS).skip(from as usize) {
        let change = db.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
        if number == 1 {
            change.execute_batch(
                "CREATE TABLE migration (number INTEGER NOT NULL PRIMARY KEY, checksum TEXT NOT NULL, applied_at INTEGER NOT NULL) STRICT",
            )?;
            change.pragma_update(None, "application_id", APPLICATION_ID)?;
        }
        change.execute_batch(sql)?;
        change
            .execute("INSERT INTO migration (number, checksum, applied_at) VALUES (?1, ?2, ?3)", params![number, checksum(sql), now_ms])?;
        change.pragma_update(None, "user_version", number)?;
        change.commit()?;
        tracing::info!(number, "store migrated");
    }
    Ok(())
}

fn checksum(sql: &str) -> String {
    Sha256::digest(sql.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn schema(db: &Connection) -> Vec<(String, String)> {
        let mut statement = db.prepare("SELECT name, coalesce(sql, '') FROM sqlite_schema ORDER BY name").unwrap();
        statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap().map(Result::unwrap).collect()
    }

    #[test]
    fn every_older_version_reaches_the_newest_schema_with_its_rows() {
        let mut fresh = Connection::open_in_memory().unwrap();
        migrate(&mut fresh, 0, NEWEST, 0).unwrap();
        for start in 1..=NEWEST {
            let mut db = Connection::open_in_memory().unwrap();
            migrate(&mut db, 0, start, 0).unwrap();
            assert_eq!(inspect(&db).unwrap(), Found::Version(start));
            db.execute("INSERT INTO journal (tenant, first_seq, count, at, body) VALUES ('t', 1, 1, 5, '[]')", []).unwrap();
            if start >= 2 {
                db.execute(
                    "INSERT INTO document (tenant, kind, id, name, version, updated_at, body) VALUES ('t', 'k', 'i', 'n', 3, 0, '{}')",
                    [],
                )
                .unwrap();
            }
            if start >= 4 {
                db.execute(
                    "INSERT INTO job (tenant, kind, state, run_at, attempts, payload, created_at) VALUES ('t', 'k', 'waiting', 0, 0, '{}', 0)",
                    [],
                )
                .unwrap();
            }
            migrate(&mut db, start, NEWEST, 1).unwrap();
            let jobs: i64 = db.query_row("SELECT coalesce(sum(count), 0) FROM job_count", [], |row| row.get(0)).unwrap();
            assert_eq!(jobs, i64::from(start >= 4));
            assert_eq!(inspect(&db).unwrap(), Found::Version(NEWEST));
            assert_eq!(schema(&db), schema(&fresh), "from {start}");
            assert_eq!(db.query_row("SELECT at FROM journal", [], |row| row.get::<_, i64>(0)).unwrap(), 5);
            if start >= 2 {
                assert_eq!(db.query_row("SELECT version FROM document", [], |row| row.get::<_, i64>(0)).unwrap(), 3);
            }
        }
    }

    #[test]
    fn a_failing_migration_leaves_the_version_before_it() {
        let mut db = Connection::open_in_memory().unwrap();
        migrate(&mut db, 0, 1, 0).unwrap();
        db.execute_batch("CREATE TABLE user (x)").unwrap();
        assert!(migrate(&mut db, 1, 2, 0).is_err());
        assert_eq!(inspect(&db).unwrap(), Found::Version(1));
        let documents: i64 = db.query_row("SELECT count(*) FROM sqlite_schema WHERE name = 'document'", [], |row| row.get(0)).unwrap();
        assert_eq!(documents, 0, "what the migration did before it failed is undone");
    }

    #[test]
    fn an_edited_migration_is_noticed() {
        let mut db = Connection::open_in_memory().unwrap();
        migrate(&mut db, 0, NEWEST, 0).unwrap();
        db.execute("UPDATE migration SET checksum = 'x' WHERE number = 2", []).unwrap();
        assert_eq!(inspect(&db).unwrap(), Found::Differs(2));
    }

    #[test]
    fn a_database_of_another_program_is_told_from_an_empty_one() {
        let db = Connection::open_in_memory().unwrap();
        assert_eq!(inspect(&db).unwrap(), Found::Empty);
        db.execute_batch("CREATE TABLE theirs (x)").unwrap();
        assert_eq!(inspect(&db).unwrap(), Found::Foreign);
    }
}
