//! Everything the product remembers: journals, documents, people, reports, jobs. The only crate that contains SQL.
//!
//! Embedded SQLite: one thread writes (many callers share one flush of the disk), a few read. The methods are asynchronous, but
//! the crate starts no tasks and needs no certain runtime. Decides nothing about contact centers; what it stores of them it
//! takes from the words of `dreiklang-core`.
//!
//! # Layout
//!
//! `store` (the handle) → `journal` and `snapshot` (the truth) → `project` (from facts to rows) → `report` (what can be asked of
//! them) → the rest: one file per kind of thing. `sqlite` has the threads, the opening and the backup.
#![forbid(unsafe_code)]

pub mod audit;
pub mod binding;
pub mod document;
pub mod failure;
pub mod job;
pub mod journal;
pub mod limits;
pub mod people;
mod project;
pub mod report;
pub mod retention;
pub mod snapshot;
mod sqlite;
pub mod store;
pub mod tenant;

pub use audit::{AuditEntry, AuditNote};
pub use binding::Binding;
pub use document::{Document, NewDocument, PutError};
pub use failure::{Failure, OpenError};
pub use job::{Job, JobId, NewJob, Retry};
pub use journal::{Acquired, AppendError, Epoch, LoadError, Loaded};
pub use people::{SecretHash, Session, Token, User};
pub use retention::Due;
pub use snapshot::Snapshot;
pub use sqlite::backup::{BackupError, BackupProgress, BackupSummary, backup_of, restore_backup, verify_backup};
pub use store::{Counters, Options, Size, Store};
pub use tenant::Tenant;
