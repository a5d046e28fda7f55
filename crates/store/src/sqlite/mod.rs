//! SQLite: one writing thread, a few reading ones.

pub(crate) mod backup;
pub(crate) mod column;
mod migrate;
mod open;
mod projector;
mod reader;
mod writer;

use crate::{
    failure::{Failure, OpenError},
    limits,
};
use dreiklang_core::{ids::TenantId, time::Timestamp};
use projector::{Progress, Projector};
use reader::Readers;
use rusqlite::Connection;
use std::{
    fs::File,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, mpsc},
    thread::JoinHandle,
    time::{SystemTime, UNIX_EPOCH},
};
use tokio::sync::{oneshot, watch};
use writer::{Call, Handle, Request, Writer};

/// An open database.
pub(crate) struct Sqlite {
    /// `None` once closed: the writer ends when the last sender is gone.
    writer: Mutex<Option<Arc<Handle>>>,
    thread: Mutex<Option<JoinHandle<()>>>,
    readers: Option<Readers>,
    progress: Arc<watch::Sender<Progress>>,
    path: Option<PathBuf>,
    /// Keeps other processes out; freed after the threads have ended.
    _lock: Option<File>,
}

impl Sqlite {
    pub(crate) fn open(path: &Path, size_max: Option<u64>) -> Result<Sqlite, OpenError> {
        let lock = open::lock(path)?;
        let db = open::writer(path, now().0)?;
        let failed = |source| OpenError::Failed { path: path.to_owned(), source };
        limit_size(&db, size_max).map_err(failed)?;
        let mut connections = Vec::with_capacity(limits::READERS);
        for _ in 0..limits::READERS {
            connections.push(open::reader(path)?);
        }
        let readers = Readers::start(connections).map_err(failed)?;
        Sqlite::start(db, Some(readers), Some(path.to_owned()), Some(lock)).map_err(failed)
    }

    pub(crate) fn in_memory() -> Result<Sqlite, Failure> {
        Sqlite::start(open::writer_in_memory(now().0)?, None, None, None)
    }

    fn start(db: Connection, readers: Option<Readers>, path: Option<PathBuf>, lock: Option<File>) -> Result<Sqlite, Failure> {
        let progress = Arc::new(watch::Sender::new(Progress::new()));
        let projector = Projector::start(&db, Arc::clone(&progress))?;
        let (sender, requests) = mpsc::channel();
        let thread = std::thread::Builder::new()
            .name("store-writer".to_owned())
            .spawn(move || Writer::new(db, requests, projector).run())
            .map_err(|error| Failure::Io { detail: error.to_string() })?;
        Ok(Sqlite {
            writer: Mutex::new(Some(Arc::new(Handle::new(sender)))),
            thread: Mutex::new(Some(thread)),
            readers,
            progress,
            path,
            _lock: lock,
        })
    }

    fn handle(&self) -> Result<Arc<Handle>, Failure> {
        self.writer.lock().map_err(|_| Failure::Closed)?.clone().ok_or(Failure::Closed)
    }

    /// Runs `body` in a transaction and answers after it is durable. `bytes` is the weight of what `body` carries.
    /// The body may run more than once; what an earlier run wrote is undone before.
    pub(crate) async fn write<T, E, F>(&self, bytes: usize, appended: Option<TenantId>, body: F) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<Failure> + Send + 'static,
        F: FnMut(&Connection) -> Result<T, E> + Send + 'static,
    {
        let handle = self.handle()?;
        let room = handle.room(bytes).await?;
        let (reply, answer) = oneshot::channel();
        handle.send(Request::Write { job: Box::new(Call::new(body, reply)), appended, room })?;
        drop(handle);
        answer.await.unwrap_or_else(|_| Err(Failure::Closed.into()))
    }

    /// Runs `body` on a consistent view of everything committed before the call.
    pub(crate) async fn read<T, E, F>(&self, body: F) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<Failure> + Send + 'static,
        F: FnOnce(&Connection) -> Result<T, E> + Send + 'static,
    {
        let (reply, answer) = oneshot::channel();
        match &self.readers {
            Some(readers) => {
                readers
                    .run(move |db| {
                        let result = reader::consistently(db, body);
                        let _ = reply.send(result);
                    })
                    .await?;
            }
            None => {
                let handle = self.handle()?;
                let room = handle.room(0).await?;
                let body = move |db: &Connection| {
                    let result = reader::consistently(db, body);
                    let _ = reply.send(result);
                };
                handle.send(Request::Read(Box::new(body), room))?;
            }
        }
        answer.await.unwrap_or_else(|_| Err(Failure::Closed.into()))
    }

    /// Runs `body` on the writer's connection outside of any transaction.
    pub(crate) async fn exclusively<T, F>(&self, body: F) -> Result<T, Failure>
    where
        T: Send + 'static,
        F: FnOnce(&mut Connection) -> Result<T, Failure> + Send + 'static,
    {
        let (reply, answer) = oneshot::channel();
        self.handle()?.send(Request::Exclusive(Box::new(move |db| {
            let _ = reply.send(body(db));
        })))?;
        answer.await.unwrap_or(Err(Failure::Closed))
    }

    /// How far each tenant is projected, now and from now on.
    pub(crate) fn progress(&self) -> watch::Receiver<Progress> {
        self.progress.subscribe()
    }

    /// The file; `None` in memory.
    pub(crate) fn path(&self) -> Option<&Path> {
        self.path.as_deref()
    }

    /// Ends the threads after everything asked for is done. What is asked for later fails with `Closed`.
    pub(crate) fn close(&self) {
        if let Some(readers) = &self.readers {
            readers.close();
        }
        if let Ok(mut writer) = self.writer.lock() {
            writer.take();
        }
        let thread = self.thread.lock().ok().and_then(|mut thread| thread.take());
        if thread.is_some_and(|thread| thread.join().is_err()) {
            tracing::error!("the store's writer ended by a panic");
        }
    }
}

impl Drop for Sqlite {
    fn drop(&mut self) {
        self.close();
    }
}

/// Lets the database grow to this size and no further; `None` = as far as SQLite goes.
pub(crate) fn limit_size(db: &Connection, size_max: Option<u64>) -> Result<(), Failure> {
    let page: i64 = db.pragma_query_value(None, "page_size", |row| row.get(0))?;
    let pages = match size_max {
        Some(bytes) => i64::try_from(bytes).unwrap_or(i64::MAX) / page.max(1),
        None => 0xffff_fffe,
    };
    db.pragma_update_and_check(None, "max_page_count", pages.max(1), |_| Ok(()))?;
    Ok(())
}

/// The computer's clock; only for columns that people read. Whatever decides is told the time by the caller.
pub(crate) fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}

/// The write-ahead log that belongs to a database file.
pub(crate) fn log_path(path: &Path) -> PathBuf {
    open::beside(path, "-wal")
}
