//! Opening the file: whose it is, whether we may, and whether nobody else has it.

use super::migrate::{self, Found, NEWEST};
use crate::{
    failure::{Failure, OpenError},
    limits,
};
use rusqlite::{Connection, ErrorCode, OpenFlags};
use std::{
    fs::{File, OpenOptions, TryLockError},
    io::{ErrorKind, Read, Seek, SeekFrom, Write},
    path::{Path, PathBuf},
    time::Duration,
};

/// How every SQLite file begins.
const MAGIC: &[u8; 16] = b"SQLite format 3\0";

/// Takes the lock that keeps a second server out. Held as long as the file is open; the system frees it when the process dies.
pub(super) fn lock(path: &Path) -> Result<File, OpenError> {
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    if !folder.is_dir() {
        return Err(OpenError::DirectoryMissing { path: folder.to_owned() });
    }
    if path.is_dir() {
        return Err(OpenError::IsDirectory { path: path.to_owned() });
    }
    let beside = beside(path, ".lock");
    let mut file = private().create(true).truncate(false).read(true).write(true).open(&beside).map_err(|error| from_io(path, &error))?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            let mut text = String::new();
            // The text only helps the message; without it the message is less precise.
            let _ = (&file).take(16).read_to_string(&mut text);
            return Err(OpenError::InUse { path: path.to_owned(), pid: text.trim().parse().ok() });
        }
        Err(TryLockError::Error(error)) => return Err(from_io(path, &error)),
    }
    let note = |file: &mut File| -> std::io::Result<()> {
        file.set_len(0)?;
        file.seek(SeekFrom::Start(0))?;
        write!(file, "{}", std::process::id())
    };
    note(&mut file).map_err(|error| from_io(path, &error))?;
    Ok(file)
}

/// Opens the writer's connection, checks the file and brings it to our version. The lock must be held.
pub(super) fn writer(path: &Path, now_ms: i64) -> Result<Connection, OpenError> {
    check_head(path)?;
    make(path).map_err(|error| from_io(path, &error))?;
    let wrap = |error: rusqlite::Error| from_sqlite(path, error);
    let mut db = Connection::open_with_flags(
        path,
        OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX,
    )
    .map_err(wrap)?;
    let found = migrate::inspect(&db).map_err(|failure| from_failure(path, failure))?;
    let version = match found {
        Found::Empty => 0,
        Found::Version(version) if version > NEWEST => {
            return Err(OpenError::NewerVersion { path: path.to_owned(), found: version, known: NEWEST });
        }
        Found::Version(version) => version,
        Found::Foreign => return Err(OpenError::Foreign { path: path.to_owned() }),
        Found::Differs(number) => return Err(OpenError::MigrationDiffers { path: path.to_owned(), number }),
    };
    prepare_writer(&db).map_err(wrap)?;
    migrate::migrate(&mut db, version, NEWEST, now_ms).map_err(|failure| from_failure(path, failure))?;
    Ok(db)
}

/// A writer in memory, for tests.
pub(super) fn writer_in_memory(now_ms: i64) -> Result<Connection, Failure> {
    let mut db = Connection::open_in_memory()?;
    prepare_writer(&db)?;
    migrate::migrate(&mut db, 0, NEWEST, now_ms)?;
    Ok(db)
}

/// Opens a reader's connection of a store that a writer has prepared.
pub(super) fn reader(path: &Path) -> Result<Connection, OpenError> {
    let wrap = |error: rusqlite::Error| from_sqlite(path, error);
    // Read-write, because a reader of a write-ahead log may have to build its index; `query_only` keeps it from writing rows.
    let db = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX).map_err(wrap)?;
    prepare(&db).and_then(|()| db.pragma_update(None, "query_only", true)).map_err(wrap)?;
    Ok(db)
}

/// Opens the connection that copies the write-ahead log back.
pub(super) fn copier(path: &Path) -> Result<Connection, OpenError> {
    let wrap = |error: rusqlite::Error| from_sqlite(path, error);
    let db = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX).map_err(wrap)?;
    prepare(&db).and_then(|()| db.pragma_update(None, "synchronous", "full")).map_err(wrap)?;
    Ok(db)
}

fn prepare(db: &Connection) -> rusqlite::Result<()> {
    db.set_prepared_statement_cache_capacity(limits::STATEMENTS);
    db.busy_timeout(Duration::from_millis(limits::BUSY_MS))?;
    db.pragma_update(None, "temp_store", "memory")?;
    db.pragma_update(None, "cache_size", -16_384)
}

fn prepare_writer(db: &Connection) -> rusqlite::Result<()> {
    prepare(db)?;
    // The answer of `journal_mode` is the mode in force: "memory" for tests.
    db.pragma_update_and_check(None, "journal_mode", "wal", |_| Ok(()))?;
    db.pragma_update(None, "synchronous", "full")?;
    db.pragma_update(None, "journal_size_limit", limits::WAL_BYTES)?;
    // The writer itself decides when to copy the log back: between commits, not within one.
    db.pragma_update(None, "wal_autocheckpoint", 0)
}

/// Makes an empty file that only our own user can read, if there is none: the files SQLite puts beside it get the same rights.
pub(super) fn make(path: &Path) -> std::io::Result<()> {
    private().create(true).append(true).open(path).map(|_| ())
}

/// Other users of the computer have no business with what people said to each other, nor with password hashes.
fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

fn check_head(path: &Path) -> Result<(), OpenError> {
    let mut file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(from_io(path, &error)),
    };
    let mut head = [0; MAGIC.len()];
    match file.read_exact(&mut head) {
        Ok(()) if &head == MAGIC => Ok(()),
        Err(error) if error.kind() == ErrorKind::UnexpectedEof && file.metadata().is_ok_and(|data| data.len() == 0) => Ok(()),
        Ok(()) => Err(OpenError::NotADatabase { path: path.to_owned() }),
        Err(error) if error.kind() == ErrorKind::UnexpectedEof => Err(OpenError::NotADatabase { path: path.to_owned() }),
        Err(error) => Err(from_io(path, &error)),
    }
}

/// The name of a file that belongs to the store's file.
pub(super) fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

fn from_io(path: &Path, error: &std::io::Error) -> OpenError {
    let path = path.to_owned();
    match error.kind() {
        ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => OpenError::NotWritable { path },
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => OpenError::DiskFull { path },
        _ => OpenError::Failed { path, source: Failure::Io { detail: error.to_string() } },
    }
}

fn from_sqlite(path: &Path, error: rusqlite::Error) -> OpenError {
    let path = path.to_owned();
    match error.sqlite_error_code() {
        Some(ErrorCode::ReadOnly | ErrorCode::CannotOpen | ErrorCode::PermissionDenied) => OpenError::NotWritable { path },
        Some(ErrorCode::DiskFull) => OpenError::DiskFull { path },
        Some(ErrorCode::NotADatabase) => OpenError::NotADatabase { path },
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => OpenError::InUse { path, pid: None },
        _ => OpenError::Failed { path, source: Failure::from(error) },
    }
}

fn from_failure(path: &Path, failure: Failure) -> OpenError {
    let path = path.to_owned();
    match failure {
        Failure::Full => OpenError::DiskFull { path },
        source => OpenError::Failed { path, source },
    }
}
