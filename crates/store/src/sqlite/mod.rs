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
    sync::{
        Arc, Mutex,
        mpsc::{self, SyncSender},
    },
    thread::JoinHandle,
    time::{SystemTime, UNIX_EPOCH},
};
use tokio::sync::{oneshot, watch};
use writer::{Call, Handle, Request, Writer};

pub(crate) use writer::Tally;

/// An open database.
pub(crate) struct Sqlite {
    writer: Handle,
    /// The writer, then the one it wakes.
    threads: Mutex<Vec<JoinHandle<()>>>,
    readers: Option<Readers>,
    progress: Arc<watch::Sender<Progress>>,
    tally: Arc<Tally>,
    path: Option<PathBuf>,
    /// Keeps other processes out; freed after the threads have ended.
    lock: Mutex<Option<File>>,
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
        let copier = start_copier(open::copier(path)?).map_err(failed)?;
        Sqlite::start(db, Some(readers), Some(copier), Some(path.to_owned()), Some(lock)).map_err(failed)
    }

    pub(crate) fn in_memory() -> Result<Sqlite, Failure> {
        Sqlite::start(open::writer_in_memory(now().0)?, None, None, None, None)
    }

    fn start(
        db: Connection,
        readers: Option<Readers>,
        copier: Option<(SyncSender<()>, JoinHandle<()>)>,
        path: Option<PathBuf>,
        lock: Option<File>,
    ) -> Result<Sqlite, Failure> {
        let progress = Arc::new(watch::Sender::new(Progress::new()));
        let projector = Projector::start(&db, Arc::clone(&progress))?;
        let tally = Arc::new(Tally::default());
        let writer_tally = Arc::clone(&tally);
        let (copier, copier_thread) = copier.unzip();
        let (sender, requests) = mpsc::sync_channel(limits::WRITE_QUEUE + 1);
        let thread = std::thread::Builder::new()
            .name("store-writer".to_owned())
            .spawn(move || Writer::new(db, requests, projector, writer_tally, copier).run())
            .map_err(|error| Failure::Io { detail: error.to_string() })?;
        Ok(Sqlite {
            writer: Handle::new(sender),
            threads: Mutex::new([Some(thread), copier_thread].into_iter().flatten().collect()),
            readers,
            progress,
            tally,
            path,
            lock: Mutex::new(lock),
        })
    }

    /// Runs `body` in a transaction and answers after it is durable. `bytes` is the weight of what `body` carries.
    /// The body may run more than once; what an earlier run wrote is undone before.
    pub(crate) async fn write<T, E, F>(&self, bytes: usize, appended: Option<TenantId>, body: F) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<Failure> + Send + 'static,
        F: FnMut(&Connection) -> Result<T, E> + Send + 'static,
    {
        let room = self.writer.room(bytes).await?;
        let (reply, answer) = oneshot::channel();
        self.writer.send(Request::Write { job: Box::new(Call::new(body, reply)), appended, room })?;
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
                let room = self.writer.room(0).await?;
                let body = move |db: &Connection| {
                    let result = reader::consistently(db, body);
                    let _ = reply.send(result);
                };
                self.writer.send(Request::Read(Box::new(body), room))?;
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
        let room = self.writer.room(0).await?;
        let (reply, answer) = oneshot::channel();
        let body = move |db: &mut Connection| {
            let _ = reply.send(body(db));
        };
        self.writer.send(Request::Exclusive(Box::new(body), room))?;
        answer.await.unwrap_or(Err(Failure::Closed))
    }

    /// How far each tenant is projected, now and from now on.
    pub(crate) fn progress(&self) -> watch::Receiver<Progress> {
        self.progress.subscribe()
    }

    /// What the writer has done so far.
    pub(crate) fn tally(&self) -> &Tally {
        &self.tally
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
        self.writer.close();
        let threads = self.threads.lock().map(|mut threads| std::mem::take(&mut *threads)).unwrap_or_default();
        for thread in threads {
            if thread.join().is_err() {
                tracing::error!("a thread of the store ended by a panic");
            }
        }
        if let Ok(mut lock) = self.lock.lock() {
            lock.take();
        }
    }
}

/// The thread that copies the write-ahead log back when it is told to, while the writer goes on.
fn start_copier(db: Connection) -> Result<(SyncSender<()>, JoinHandle<()>), Failure> {
    let (wake, woken) = mpsc::sync_channel(1);
    let thread = std::thread::Builder::new()
        .name("store-copier".to_owned())
        .spawn(move || {
            while let Ok(()) = woken.recv() {
                writer::checkpoint(&db);
            }
        })
        .map_err(|error| Failure::Io { detail: error.to_string() })?;
    Ok((wake, thread))
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

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering};

    /// Writers that wait while the disk is busy share the next commit; one that is refused neither writes nor disturbs them.
    #[tokio::test]
    async fn requests_that_wait_together_share_one_commit() {
        let folder = tempfile::tempdir().unwrap();
        let sqlite = Arc::new(Sqlite::open(&folder.path().join("store.db"), None).unwrap());
        let (release, held) = mpsc::sync_channel::<()>(0);
        let holder = Arc::clone(&sqlite);
        let hold = tokio::spawn(async move {
            holder
                .exclusively(move |_| {
                    held.recv().unwrap();
                    Ok(())
                })
                .await
        });
        tokio::task::yield_now().await;
        let mut writes = tokio::task::JoinSet::new();
        let begun = Arc::new(AtomicUsize::new(0));
        for number in 0..100 {
            let (sqlite, begun) = (Arc::clone(&sqlite), Arc::clone(&begun));
            writes.spawn(async move {
                begun.fetch_add(1, Ordering::Relaxed);
                sqlite
                    .write(0, None, move |db| {
                        db.execute("INSERT INTO binding (aor, body, expires_at) VALUES (?1, x'00', 0)", [number])?;
                        if number % 10 == 0 { Err(Failure::Internal { detail: "refused".to_owned() }) } else { Ok(()) }
                    })
                    .await
            });
        }
        // Everything runs on this thread: a write that has begun has been handed in before anything else goes on.
        while begun.load(Ordering::Relaxed) < 100 {
            tokio::task::yield_now().await;
        }
        let before = sqlite.tally().commits.load(Ordering::Relaxed);
        release.send(()).unwrap();
        hold.await.unwrap().unwrap();
        let results = writes.join_all().await;
        assert_eq!(results.iter().filter(|result| result.is_ok()).count(), 90);
        assert_eq!(sqlite.tally().commits.load(Ordering::Relaxed) - before, 1);
        let rows: i64 =
            sqlite.read(|db| Ok::<_, Failure>(db.query_row("SELECT count(*) FROM binding", [], |row| row.get(0))?)).await.unwrap();
        assert_eq!(rows, 90);
    }

    #[tokio::test]
    async fn a_closed_store_refuses_instead_of_waiting() {
        let folder = tempfile::tempdir().unwrap();
        let sqlite = Sqlite::open(&folder.path().join("store.db"), None).unwrap();
        sqlite.close();
        assert_eq!(sqlite.write(0, None, |_| Ok::<_, Failure>(())).await, Err(Failure::Closed));
        assert_eq!(sqlite.read(|_| Ok::<_, Failure>(())).await, Err(Failure::Closed));
        assert_eq!(sqlite.exclusively(|_| Ok(())).await, Err(Failure::Closed));
        sqlite.close();
    }
}
