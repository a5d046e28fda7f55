//! The handle everybody holds, and what concerns the store as a whole.

use crate::{
    failure::{Failure, OpenError},
    journal,
    sqlite::{self, Sqlite},
};
use dreiklang_core::ids::TenantId;
use std::{
    fmt,
    path::Path,
    sync::{Arc, atomic::Ordering},
};

/// Everything the product remembers. Cheap to clone; all clones are the same store.
///
/// Its methods may be awaited from any runtime: the work is done on threads of its own. A write is on the disk when its future
/// is ready; dropping the future does not take it back.
#[derive(Clone)]
pub struct Store {
    backend: Backend,
}

impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Store").field("path", &self.sqlite().path()).finish_non_exhaustive()
    }
}

/// Where things lie. A second kind of database becomes a second variant, and the compiler lists what is missing.
#[derive(Clone)]
enum Backend {
    Sqlite(Arc<Sqlite>),
}

/// How to open a store.
#[derive(Clone, Copy, Debug, Default)]
pub struct Options {
    /// The database may grow to this many bytes (the write-ahead log beside it not counted); then writes fail with
    /// [`Failure::Full`]. `None` = as far as the disk goes.
    pub size_max: Option<u64>,
}

/// How much room the store takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size {
    /// Bytes of the database file.
    pub database: u64,
    /// Bytes of the write-ahead log.
    pub log: u64,
    /// Bytes within the database file that are free for new data.
    pub free: u64,
}

/// What the writer has done since the store was opened; for metrics.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Writes, appends among them.
    pub writes: u64,
    /// Commits they shared.
    pub commits: u64,
    /// Batches of events carried over into the reports.
    pub projections: u64,
}

impl Store {
    /// Opens the store in this file, and makes it if there is none; brings an older one to the present version.
    ///
    /// Blocks for as long as that takes (a few milliseconds, unless there is something to migrate).
    pub fn open(path: impl AsRef<Path>) -> Result<Store, OpenError> {
        Store::open_with(path, Options::default())
    }

    /// Like [`Store::open`].
    pub fn open_with(path: impl AsRef<Path>, options: Options) -> Result<Store, OpenError> {
        let sqlite = Sqlite::open(path.as_ref(), options.size_max)?;
        Ok(Store { backend: Backend::Sqlite(Arc::new(sqlite)) })
    }

    /// A store that is gone when the last clone is; for tests.
    pub fn in_memory() -> Result<Store, Failure> {
        Ok(Store { backend: Backend::Sqlite(Arc::new(Sqlite::in_memory()?)) })
    }

    /// Finishes what was asked for and lets go of the file. What is asked for afterwards, on any clone, fails with
    /// [`Failure::Closed`]. Dropping the last clone does the same. Blocks until done.
    pub fn close(&self) {
        self.sqlite().close();
    }

    /// Changes [`Options::size_max`]. What is there already stays, even when it is more.
    pub async fn limit_size(&self, size_max: Option<u64>) -> Result<(), Failure> {
        self.sqlite().exclusively(move |db| sqlite::limit_size(db, size_max)).await
    }

    /// How much room the store takes.
    pub async fn size(&self) -> Result<Size, Failure> {
        let log = self.sqlite().path().map(sqlite::log_path).and_then(|path| std::fs::metadata(path).ok()).map_or(0, |data| data.len());
        self.sqlite()
            .read(move |db| {
                let number =
                    |name| -> Result<u64, Failure> { Ok(db.pragma_query_value(None, name, |row| row.get::<_, i64>(0))?.unsigned_abs()) };
                let page = number("page_size")?;
                Ok(Size { database: number("page_count")? * page, log, free: number("freelist_count")? * page })
            })
            .await
    }

    /// Reads everything and returns what is wrong with it; empty when nothing is. Takes as long as reading the whole file.
    pub async fn check(&self) -> Result<Vec<String>, Failure> {
        self.sqlite().read(sqlite::backup::problems).await
    }

    /// How far a tenant's journal has reached the reports.
    pub fn projected(&self, tenant: TenantId) -> u64 {
        self.sqlite().progress().borrow().get(&tenant).copied().unwrap_or(0)
    }

    /// Events that are missing from a tenant's reports because they could not be read; anything but 0 is a case for the log.
    pub async fn skipped(&self, tenant: TenantId) -> Result<u64, Failure> {
        self.sqlite().read(move |db| journal::skipped(db, tenant)).await
    }

    /// Waits until the reports contain everything up to event `seq` of the journal. Waits for ever when there is no such event.
    pub async fn wait_projected(&self, tenant: TenantId, seq: u64) -> Result<(), Failure> {
        let mut progress = self.sqlite().progress();
        let reached = progress.wait_for(|progress| progress.get(&tenant).copied().unwrap_or(0) >= seq).await;
        reached.map(|_| ()).map_err(|_| Failure::Closed)
    }

    /// What the writer has done since the store was opened.
    pub fn counters(&self) -> Counters {
        let tally = self.sqlite().tally();
        Counters {
            writes: tally.writes.load(Ordering::Relaxed),
            commits: tally.commits.load(Ordering::Relaxed),
            projections: tally.projections.load(Ordering::Relaxed),
        }
    }

    pub(crate) fn sqlite(&self) -> &Sqlite {
        match &self.backend {
            Backend::Sqlite(sqlite) => sqlite,
        }
    }
}
