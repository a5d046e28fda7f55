//! What can go wrong with the disk underneath, in words for the operator, with stable codes.

use std::path::PathBuf;

/// The store could not do what was asked, through no fault of the question.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// No space left, on the disk or under the store's own size limit. Nothing was written; the same call works once there is space.
    #[error("there is no space left for the store: free disk space or raise its size limit")]
    Full,
    /// The disk or file system failed.
    #[error("the store's disk failed: {detail}")]
    Io {
        /// SQLite's words.
        detail: String,
    },
    /// What was read cannot have been written by us.
    #[error("the store is damaged: {detail}; restore the last backup")]
    Damaged {
        /// What was found.
        detail: String,
    },
    /// Too much was asked for or handed in.
    #[error("{what} is limited to {limit}")]
    TooLarge {
        /// What.
        what: &'static str,
        /// The limit, in the unit that `what` names.
        limit: usize,
    },
    /// The store was closed.
    #[error("the store is closed")]
    Closed,
    /// A mistake of ours.
    #[error("the store was used wrongly: {detail}")]
    Internal {
        /// For the bug report.
        detail: String,
    },
}

impl Failure {
    /// The stable code, with a page of its own in `docs/errors`.
    pub fn code(&self) -> &'static str {
        match self {
            Failure::Full => "STORE-001",
            Failure::Io { .. } => "STORE-002",
            Failure::Damaged { .. } => "STORE-003",
            Failure::TooLarge { .. } => "STORE-004",
            Failure::Closed => "STORE-005",
            Failure::Internal { .. } => "STORE-006",
        }
    }
}

impl From<rusqlite::Error> for Failure {
    fn from(error: rusqlite::Error) -> Failure {
        use rusqlite::{Error, ErrorCode};
        let detail = error.to_string();
        match &error {
            Error::SqliteFailure(cause, _) => match cause.code {
                ErrorCode::DiskFull => Failure::Full,
                ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase => Failure::Damaged { detail },
                ErrorCode::TooBig => Failure::TooLarge { what: "bytes of a value", limit: crate::limits::SNAPSHOT_BYTES },
                ErrorCode::SystemIoFailure
                | ErrorCode::CannotOpen
                | ErrorCode::ReadOnly
                | ErrorCode::PermissionDenied
                | ErrorCode::DatabaseBusy
                | ErrorCode::DatabaseLocked
                | ErrorCode::OutOfMemory
                | ErrorCode::FileLockingProtocolFailed => Failure::Io { detail },
                _ => Failure::Internal { detail },
            },
            Error::FromSqlConversionFailure(..) | Error::IntegralValueOutOfRange(..) | Error::InvalidColumnType(..) => {
                Failure::Damaged { detail }
            }
            _ => Failure::Internal { detail },
        }
    }
}

/// Why a store could not be opened; each says what to do.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The folder is not there.
    #[error("the folder {} does not exist: create it, or change the store's path in the configuration", .path.display())]
    DirectoryMissing {
        /// The folder.
        path: PathBuf,
    },
    /// The path is a folder.
    #[error("{} is a folder: name a file in it, such as {}", .path.display(), .path.join("dreiklang.db").display())]
    IsDirectory {
        /// The path as given.
        path: PathBuf,
    },
    /// We may not write there.
    #[error("{} cannot be written: give the user that runs the server write access to the file and its folder", .path.display())]
    NotWritable {
        /// The file.
        path: PathBuf,
    },
    /// No space.
    #[error("there is no space left on the disk of {}: free some and start again", .path.display())]
    DiskFull {
        /// The file.
        path: PathBuf,
    },
    /// The file is something else.
    #[error("{} is not a database: move it away, or name another file as the store", .path.display())]
    NotADatabase {
        /// The file.
        path: PathBuf,
    },
    /// The file is a database of another program.
    #[error("{} is the database of another program: name another file as the store", .path.display())]
    Foreign {
        /// The file.
        path: PathBuf,
    },
    /// The file was written by a newer version of this program.
    #[error("{} was written by a newer version (schema {found}, this program knows up to {known}): install that version, or restore a backup made before the upgrade", .path.display())]
    NewerVersion {
        /// The file.
        path: PathBuf,
        /// Its schema.
        found: u32,
        /// Ours.
        known: u32,
    },
    /// The file's schema was made by other migrations than ours.
    #[error("{} was set up by another build (migration {number} differs): use the released program that wrote it", .path.display())]
    MigrationDiffers {
        /// The file.
        path: PathBuf,
        /// The first that differs.
        number: u32,
    },
    /// Another process has it open.
    #[error("{} is in use by another process{}: stop it first, two servers must not share a store", .path.display(), .pid.map(|pid| format!(" ({pid})")).unwrap_or_default())]
    InUse {
        /// The file.
        path: PathBuf,
        /// Who, as far as is known.
        pid: Option<u32>,
    },
    /// Anything else.
    #[error("{} could not be opened", .path.display())]
    Failed {
        /// The file.
        path: PathBuf,
        /// What happened.
        #[source]
        source: Failure,
    },
}

impl OpenError {
    /// The stable code, with a page of its own in `docs/errors`.
    pub fn code(&self) -> &'static str {
        match self {
            OpenError::DirectoryMissing { .. } => "STORE-010",
            OpenError::IsDirectory { .. } => "STORE-011",
            OpenError::NotWritable { .. } => "STORE-012",
            OpenError::DiskFull { .. } => "STORE-013",
            OpenError::NotADatabase { .. } => "STORE-014",
            OpenError::Foreign { .. } => "STORE-015",
            OpenError::NewerVersion { .. } => "STORE-016",
            OpenError::MigrationDiffers { .. } => "STORE-017",
            OpenError::InUse { .. } => "STORE-018",
            OpenError::Failed { source, .. } => source.code(),
        }
    }
}
