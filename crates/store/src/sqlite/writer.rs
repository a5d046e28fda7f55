//! The one thread that writes.
//!
//! It takes all requests that wait, runs them in one transaction (each in a savepoint of its own, so that one which is refused
//! leaves no trace and disturbs no other), commits once, and only then answers: many callers share one flush of the disk. When
//! nothing waits it projects the journal into the report tables.
//!
//! Decides no domain question: what a request does is its own closure.

use super::projector::Projector;
use crate::{failure::Failure, limits};
use dreiklang_core::ids::TenantId;
use rusqlite::Connection;
use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
        mpsc::{Receiver, RecvTimeoutError, SyncSender, TryRecvError},
    },
    time::{Duration, Instant},
};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};

/// Whether what a request did stays.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    Keep,
    Undo,
}

/// A request: may be run more than once, when the transaction it ran in had to be given up.
pub(super) trait Job: Send {
    fn run(&mut self, db: &Connection) -> Verdict;
    /// Called once, after the commit.
    fn answer(self: Box<Self>, commit: Result<(), Failure>);
}

pub(super) enum Request {
    Write {
        job: Box<dyn Job>,
        appended: Option<TenantId>,
        room: OwnedSemaphorePermit,
    },
    /// For stores without readers: runs between transactions.
    Read(Box<dyn FnOnce(&Connection) + Send>, OwnedSemaphorePermit),
    /// Run outside of any transaction (backup, pragmas).
    Exclusive(Box<dyn FnOnce(&mut Connection) + Send>, OwnedSemaphorePermit),
    /// Do nothing further.
    Close,
}

/// A closure and the one who waits for its result.
pub(super) struct Call<T, E, F> {
    body: F,
    result: Option<Result<T, E>>,
    reply: oneshot::Sender<Result<T, E>>,
}

impl<T, E, F> Call<T, E, F> {
    pub(super) fn new(body: F, reply: oneshot::Sender<Result<T, E>>) -> Self {
        Call { body, result: None, reply }
    }
}

impl<T, E, F> Job for Call<T, E, F>
where
    T: Send,
    E: From<Failure> + Send,
    F: FnMut(&Connection) -> Result<T, E> + Send,
{
    fn run(&mut self, db: &Connection) -> Verdict {
        let result = (self.body)(db);
        let verdict = if result.is_ok() { Verdict::Keep } else { Verdict::Undo };
        self.result = Some(result);
        verdict
    }

    fn answer(self: Box<Self>, commit: Result<(), Failure>) {
        let result = match (self.result, commit) {
            (Some(Err(refused)), _) => Err(refused),
            (_, Err(failure)) => Err(failure.into()),
            (Some(Ok(value)), Ok(())) => Ok(value),
            (None, Ok(())) => Err(Failure::Internal { detail: "a request was answered before it ran".to_owned() }.into()),
        };
        // Whoever asked may have gone; what was written stays written.
        let _ = self.reply.send(result);
    }
}

/// What the writer has done since it started.
#[derive(Default)]
pub(crate) struct Tally {
    pub(crate) writes: AtomicU64,
    pub(crate) commits: AtomicU64,
    pub(crate) projections: AtomicU64,
}

struct Pending {
    job: Box<dyn Job>,
    appended: Option<TenantId>,
    /// Freed when the request is answered.
    _room: OwnedSemaphorePermit,
}

pub(super) struct Writer {
    db: Connection,
    requests: Receiver<Request>,
    projector: Projector,
    tally: Arc<Tally>,
    /// Wakes the thread that copies the write-ahead log back; it ends when this is gone.
    copier: Option<SyncSender<()>>,
    commits_since_look: u32,
    /// No projection before this, after one that failed.
    projection_paused_until: Option<Instant>,
}

impl Writer {
    pub(super) fn new(
        db: Connection,
        requests: Receiver<Request>,
        projector: Projector,
        tally: Arc<Tally>,
        copier: Option<SyncSender<()>>,
    ) -> Writer {
        Writer { db, requests, projector, tally, copier, commits_since_look: 0, projection_paused_until: None }
    }

    /// Returns when told to close, after everything asked for before is done.
    pub(super) fn run(mut self) {
        let mut projected_at = Instant::now();
        loop {
            let first = match self.requests.try_recv() {
                Ok(request) => request,
                Err(TryRecvError::Disconnected) => break,
                Err(TryRecvError::Empty) => {
                    if self.may_project() {
                        self.project();
                        projected_at = Instant::now();
                        continue;
                    }
                    match self.wait() {
                        Ok(request) => request,
                        Err(RecvTimeoutError::Timeout) => continue,
                        Err(RecvTimeoutError::Disconnected) => break,
                    }
                }
            };
            if !self.serve(first) {
                break;
            }
            if self.may_project() && projected_at.elapsed() >= Duration::from_millis(limits::PROJECTION_PATIENCE_MS) {
                self.project();
                projected_at = Instant::now();
            }
        }
        checkpoint(&self.db);
    }

    fn wait(&mut self) -> Result<Request, RecvTimeoutError> {
        match self.projection_paused_until {
            Some(until) if self.projector.is_behind() => self.requests.recv_timeout(until.saturating_duration_since(Instant::now())),
            _ => self.requests.recv().map_err(|_| RecvTimeoutError::Disconnected),
        }
    }

    fn may_project(&mut self) -> bool {
        if self.projection_paused_until.is_some_and(|until| Instant::now() >= until) {
            self.projection_paused_until = None;
        }
        self.projection_paused_until.is_none() && self.projector.is_behind()
    }

    fn project(&mut self) {
        self.tally.projections.fetch_add(1, Ordering::Relaxed);
        if let Err(failure) = self.projector.step(&self.db) {
            tracing::warn!(code = failure.code(), %failure, "reports wait");
            self.projection_paused_until = Some(Instant::now() + Duration::from_millis(limits::PROJECTION_RETRY_MS));
        }
        self.commits_since_look += 1;
        self.look_at_log();
    }

    /// Serves `first` and what else waits, up to the size of one commit; `false` when told to close.
    fn serve(&mut self, first: Request) -> bool {
        let mut open = true;
        let mut batch: Vec<Pending> = Vec::new();
        let mut next = Some(first);
        while let Some(request) = next.take() {
            match request {
                Request::Write { job, appended, room } => {
                    batch.push(Pending { job, appended, _room: room });
                    if batch.len() < limits::JOBS_PER_COMMIT {
                        next = self.requests.try_recv().ok();
                    }
                }
                // Both see what was asked for before them.
                Request::Read(body, _room) => {
                    self.commit(std::mem::take(&mut batch));
                    body(&self.db);
                }
                Request::Exclusive(body, _room) => {
                    self.commit(std::mem::take(&mut batch));
                    body(&mut self.db);
                }
                Request::Close => open = false,
            }
        }
        self.commit(batch);
        self.look_at_log();
        open
    }

    fn commit(&mut self, mut batch: Vec<Pending>) {
        if batch.is_empty() {
            return;
        }
        self.tally.writes.fetch_add(batch.len() as u64, Ordering::Relaxed);
        self.tally.commits.fetch_add(1, Ordering::Relaxed);
        let alone = batch.len() == 1;
        match self.run_together(&mut batch, alone) {
            Ok(()) => self.answer(batch, Ok(())),
            // The whole transaction is undone. With several in it, one may have been too large for the space left: try each alone.
            Err(Failure::Full) if !alone => {
                for mut pending in batch {
                    let outcome = self.run_together(std::slice::from_mut(&mut pending), true);
                    self.answer(vec![pending], outcome);
                }
            }
            Err(failure) => self.answer(batch, Err(failure)),
        }
        self.commits_since_look += 1;
    }

    fn answer(&mut self, batch: Vec<Pending>, outcome: Result<(), Failure>) {
        for pending in batch {
            if let (Some(tenant), Ok(())) = (pending.appended, &outcome) {
                self.projector.appended(tenant);
            }
            pending.job.answer(outcome.clone());
        }
    }

    fn run_together(&self, batch: &mut [Pending], alone: bool) -> Result<(), Failure> {
        let db = &self.db;
        execute(db, "BEGIN IMMEDIATE")?;
        let outcome = (|| {
            for pending in batch {
                if alone {
                    if pending.job.run(db) == Verdict::Undo {
                        return Ok(false);
                    }
                } else {
                    execute(db, "SAVEPOINT request")?;
                    let verdict = pending.job.run(db);
                    // Some errors (no space, damage) make SQLite give up the whole transaction.
                    if db.is_autocommit() {
                        return Err(Failure::Full);
                    }
                    if verdict == Verdict::Undo {
                        execute(db, "ROLLBACK TO request")?;
                    }
                    execute(db, "RELEASE request")?;
                }
            }
            Ok(true)
        })();
        match outcome {
            Ok(true) => match execute(db, "COMMIT") {
                Ok(()) => Ok(()),
                Err(failure) => {
                    self.roll_back();
                    Err(failure)
                }
            },
            Ok(false) => {
                self.roll_back();
                Ok(())
            }
            Err(failure) => {
                self.roll_back();
                Err(failure)
            }
        }
    }

    fn roll_back(&self) {
        if !self.db.is_autocommit()
            && let Err(failure) = execute(&self.db, "ROLLBACK")
        {
            tracing::error!(code = failure.code(), %failure, "a transaction could not be undone");
        }
    }

    /// Sees to it that the write-ahead log is copied back before it is too long.
    fn look_at_log(&mut self) {
        if self.commits_since_look < limits::COMMITS_PER_LOOK {
            return;
        }
        self.commits_since_look = 0;
        let lengths = self.db.query_row("PRAGMA wal_checkpoint(NOOP)", [], |row| Ok((row.get::<_, i64>(1)?, row.get::<_, i64>(2)?)));
        let Ok((pages, copied)) = lengths else {
            return;
        };
        if pages < limits::CHECKPOINT_PAGES {
            return;
        }
        // Only when everything is copied, at a moment when nobody writes, does the log begin anew.
        if pages - copied <= limits::CHECKPOINT_REST_PAGES || pages >= limits::CHECKPOINT_PAGES_MAX {
            checkpoint(&self.db);
        } else if let Some(copier) = &self.copier {
            // It may be copying already.
            let _ = copier.try_send(());
        }
    }
}

/// Copies what it can of the write-ahead log into the database, without making anybody wait.
pub(super) fn checkpoint(db: &Connection) {
    if let Err(error) = db.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(())) {
        tracing::warn!(%error, "the write-ahead log could not be copied back; trying again later");
    }
}

fn execute(db: &Connection, sql: &str) -> Result<(), Failure> {
    db.prepare_cached(sql)?.execute([])?;
    Ok(())
}

/// The side of the writer that callers hold.
pub(super) struct Handle {
    sender: SyncSender<Request>,
    room: Arc<Semaphore>,
}

impl Handle {
    pub(super) fn new(sender: SyncSender<Request>) -> Handle {
        Handle { sender, room: Arc::new(Semaphore::new(limits::WRITE_QUEUE_KIB)) }
    }

    /// Waits until the queue has room for something of this many bytes.
    pub(super) async fn room(&self, bytes: usize) -> Result<OwnedSemaphorePermit, Failure> {
        let kib = (bytes / 1024).clamp(limits::REQUEST_KIB, limits::WRITE_QUEUE_KIB);
        let permits = u32::try_from(kib).unwrap_or(u32::MAX);
        Arc::clone(&self.room).acquire_many_owned(permits).await.map_err(|_| Failure::Closed)
    }

    pub(super) fn send(&self, request: Request) -> Result<(), Failure> {
        // Never full: every request holds its share of the room, and there are no more shares than places.
        self.sender.try_send(request).map_err(|_| Failure::Closed)
    }

    /// Lets nothing more in, and tells the writer to end; a second time it does nothing.
    pub(super) fn close(&self) {
        if !self.room.is_closed() {
            self.room.close();
            // There is one place more than there are shares of room. If the writer is gone already, so is the need.
            let _ = self.sender.try_send(Request::Close);
        }
    }
}
