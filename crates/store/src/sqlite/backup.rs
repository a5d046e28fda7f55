//! Copying the store while it works, and telling whether a copy is good.

use super::{
    Sqlite,
    migrate::{self, Found},
    open,
};
use crate::{failure::Failure, limits, store::Store};
use rusqlite::{
    Connection, OpenFlags,
    backup::{Backup, StepResult},
};
use std::{
    fs::{self, File},
    path::{Path, PathBuf},
};
use tokio::sync::oneshot;

/// How far a backup is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BackupProgress {
    /// Pages copied.
    pub pages_done: u64,
    /// Pages of the whole.
    pub pages_total: u64,
}

/// What a backup contains.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BackupSummary {
    /// Bytes of the file.
    pub bytes: u64,
    /// Version of its schema.
    pub schema: u32,
    /// Tenants with a journal.
    pub tenants: u64,
    /// Events in all their journals.
    pub events: u64,
}

/// A backup that was not made, or is not good.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BackupError {
    /// There is a file of that name; it is not overwritten.
    #[error("{} exists: name another file, or remove it first", .path.display())]
    Exists {
        /// The file.
        path: PathBuf,
    },
    /// There is no such file.
    #[error("{} does not exist", .path.display())]
    Missing {
        /// The file.
        path: PathBuf,
    },
    /// The file is not a backup of ours.
    #[error("{} is not a backup of this program", .path.display())]
    NotABackup {
        /// The file.
        path: PathBuf,
    },
    /// The backup needs a newer program.
    #[error("{} was made by a newer version (schema {found}, this program knows up to {known})", .path.display())]
    NewerVersion {
        /// The file.
        path: PathBuf,
        /// Its schema.
        found: u32,
        /// Ours.
        known: u32,
    },
    /// The file is damaged.
    #[error("{} is damaged: {}", .path.display(), .problems.join("; "))]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What was found, at most a hundred lines.
        problems: Vec<String>,
    },
    /// The disk failed or is full.
    #[error(transparent)]
    Failed(#[from] Failure),
}

impl From<rusqlite::Error> for BackupError {
    fn from(error: rusqlite::Error) -> Self {
        BackupError::Failed(error.into())
    }
}

impl BackupError {
    /// The stable code, with a page of its own in `docs/errors`.
    pub fn code(&self) -> &'static str {
        match self {
            BackupError::Exists { .. } => "STORE-040",
            BackupError::Missing { .. } => "STORE-041",
            BackupError::NotABackup { .. } => "STORE-042",
            BackupError::NewerVersion { .. } => "STORE-016",
            BackupError::Damaged { .. } => "STORE-043",
            BackupError::Failed(failure) => failure.code(),
        }
    }
}

impl Store {
    /// Copies the store, as it is at the beginning of the call, into a new file, while everybody goes on working. The file
    /// appears under its name only when it is complete, checked and on the disk. `progress` is called every few megabytes.
    pub async fn backup(
        &self,
        path: impl AsRef<Path>,
        mut progress: impl FnMut(BackupProgress) + Send + 'static,
    ) -> Result<BackupSummary, BackupError> {
        let target = path.as_ref().to_owned();
        let sqlite: &Sqlite = self.sqlite();
        if let Some(source) = sqlite.path() {
            copy_in_thread(source.to_owned(), target, progress).await
        } else {
            sqlite.exclusively(move |db| Ok(copy(db, &target, &mut progress))).await?
        }
    }
}

/// As [`Store::backup`], of a store that another process may have open, or nobody.
pub async fn backup_of(
    store: impl AsRef<Path>,
    path: impl AsRef<Path>,
    progress: impl FnMut(BackupProgress) + Send + 'static,
) -> Result<BackupSummary, BackupError> {
    let source = store.as_ref().to_owned();
    if !source.is_file() {
        return Err(BackupError::Missing { path: source });
    }
    copy_in_thread(source, path.as_ref().to_owned(), progress).await
}

/// In a thread of its own: it reads for as long as the copy takes, and must hold up neither readers nor the writer.
async fn copy_in_thread(
    source: PathBuf,
    target: PathBuf,
    mut progress: impl FnMut(BackupProgress) + Send + 'static,
) -> Result<BackupSummary, BackupError> {
    let (reply, answer) = oneshot::channel();
    std::thread::Builder::new()
        .name("store-backup".to_owned())
        .spawn(move || {
            let result = open::reader(&source)
                .map_err(|error| BackupError::Failed(Failure::Io { detail: error.to_string() }))
                .and_then(|db| copy(&db, &target, &mut progress));
            // Whoever asked may have given up.
            let _ = reply.send(result);
        })
        .map_err(|error| Failure::Io { detail: error.to_string() })?;
    answer.await.unwrap_or(Err(BackupError::Failed(Failure::Closed)))
}

fn copy(source: &Connection, target: &Path, progress: &mut dyn FnMut(BackupProgress)) -> Result<BackupSummary, BackupError> {
    if target.exists() {
        return Err(BackupError::Exists { path: target.to_owned() });
    }
    let partial = open::beside(target, ".partial");
    let result = copy_to(source, &partial, progress).and_then(|()| {
        let summary = verify_backup(&partial)?;
        appear(&partial, target)?;
        Ok(summary)
    });
    if result.is_err() {
        // It is incomplete and ours; what cannot be removed does no harm.
        let _ = fs::remove_file(&partial);
    }
    result
}

/// Gives a complete file its name, durably.
fn appear(partial: &Path, target: &Path) -> Result<(), Failure> {
    let durable = || -> std::io::Result<()> {
        File::open(partial)?.sync_all()?;
        fs::rename(partial, target)?;
        let folder = target.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        File::open(folder)?.sync_all()
    };
    durable().map_err(|error| Failure::Io { detail: error.to_string() })
}

fn copy_to(source: &Connection, partial: &Path, progress: &mut dyn FnMut(BackupProgress)) -> Result<(), BackupError> {
    match fs::remove_file(partial) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            return Err(Failure::Io { detail: error.to_string() }.into());
        }
        _ => {}
    }
    open::make(partial).map_err(|error| Failure::Io { detail: error.to_string() })?;
    let mut target = Connection::open(partial)?;
    // One view for the whole copy: without it every commit of the writer would make the copy begin again.
    let view = source.unchecked_transaction()?;
    view.query_row("SELECT count(*) FROM migration", [], |_| Ok(()))?;
    {
        let backup = Backup::new(&view, &mut target)?;
        loop {
            let step = backup.step(limits::BACKUP_STEP_PAGES)?;
            let at = backup.progress();
            let total = at.pagecount.max(0).unsigned_abs();
            let left = at.remaining.max(0).unsigned_abs();
            progress(BackupProgress { pages_done: u64::from(total.saturating_sub(left)), pages_total: u64::from(total) });
            match step {
                StepResult::Done => break,
                StepResult::More => {}
                _ => return Err(Failure::Io { detail: "the copy is held up by a lock".to_owned() }.into()),
            }
        }
    }
    view.finish()?;
    // A single file that any SQLite opens without side files.
    target.pragma_update_and_check(None, "journal_mode", "delete", |_| Ok(()))?;
    target.close().map_err(|(_, error)| error)?;
    Ok(())
}

/// Reads a whole backup and says what is in it, or what is wrong with it. Blocks for as long as that takes.
pub fn verify_backup(path: impl AsRef<Path>) -> Result<BackupSummary, BackupError> {
    let path = path.as_ref();
    let bytes = match fs::metadata(path) {
        Ok(data) => data.len(),
        Err(_) => return Err(BackupError::Missing { path: path.to_owned() }),
    };
    let not_ours = || BackupError::NotABackup { path: path.to_owned() };
    let db = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    let schema = match migrate::inspect(&db) {
        Ok(Found::Version(found)) if found > migrate::NEWEST => {
            return Err(BackupError::NewerVersion { path: path.to_owned(), found, known: migrate::NEWEST });
        }
        Ok(Found::Version(version)) => version,
        Ok(Found::Empty | Found::Foreign | Found::Differs(_)) => return Err(not_ours()),
        Err(Failure::Damaged { detail }) if detail.contains("not a database") => return Err(not_ours()),
        Err(Failure::Damaged { detail }) => return Err(BackupError::Damaged { path: path.to_owned(), problems: vec![detail] }),
        Err(other) => return Err(other.into()),
    };
    let problems = match problems(&db) {
        Ok(problems) => problems,
        Err(Failure::Damaged { detail }) => vec![detail],
        Err(other) => return Err(other.into()),
    };
    if !problems.is_empty() {
        return Err(BackupError::Damaged { path: path.to_owned(), problems });
    }
    let (tenants, events) = db.query_row("SELECT count(*), coalesce(sum(version), 0) FROM journal_head", [], |row| {
        Ok((row.get::<_, i64>(0)?.unsigned_abs(), row.get::<_, i64>(1)?.unsigned_abs()))
    })?;
    Ok(BackupSummary { bytes, schema, tenants, events })
}

/// Puts a backup in the place of a store that is not there (any more), after reading the whole of it. The store's file must not exist:
/// whoever wants to replace one moves it away first. Blocks for as long as that takes.
pub fn restore_backup(backup: impl AsRef<Path>, store: impl AsRef<Path>) -> Result<BackupSummary, BackupError> {
    let (backup, store) = (backup.as_ref(), store.as_ref());
    for path in [store.to_owned(), super::log_path(store)] {
        if path.exists() {
            return Err(BackupError::Exists { path });
        }
    }
    verify_backup(backup)?;
    let partial = open::beside(store, ".partial");
    let copied = open::make(&partial).and_then(|()| fs::copy(backup, &partial));
    let result = match copied {
        // What was read well may have been written badly.
        Ok(_) => verify_backup(&partial).and_then(|summary| {
            appear(&partial, store)?;
            Ok(summary)
        }),
        Err(error) if error.kind() == std::io::ErrorKind::StorageFull => Err(Failure::Full.into()),
        Err(error) => Err(Failure::Io { detail: error.to_string() }.into()),
    };
    if result.is_err() {
        // It is incomplete and ours; what cannot be removed does no harm.
        let _ = fs::remove_file(&partial);
    }
    result
}

/// What is wrong with a database: SQLite's own findings, and gaps in journals.
pub(crate) fn problems(db: &Connection) -> Result<Vec<String>, Failure> {
    let mut found = Vec::new();
    let mut statement = db.prepare("PRAGMA integrity_check(100)")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let line: String = row.get(0)?;
        if line != "ok" {
            found.push(line);
        }
    }
    // Every row begins where the one before it ended, and the last ends at the version.
    let mut statement = db.prepare(
        "SELECT tenant, first_seq FROM (
             SELECT tenant, first_seq, lag(first_seq + count) OVER (PARTITION BY tenant ORDER BY first_seq) AS wanted FROM journal
         ) WHERE wanted <> first_seq
         UNION ALL
         SELECT head.tenant, head.version FROM journal_head AS head
         WHERE head.version > 0 AND head.version <> (SELECT max(first_seq + count - 1) FROM journal WHERE journal.tenant = head.tenant)
         LIMIT 100",
    )?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let (tenant, seq): (String, i64) = (row.get(0)?, row.get(1)?);
        found.push(format!("the journal of {tenant} has a gap before event {seq}"));
    }
    Ok(found)
}
