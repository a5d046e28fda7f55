//! The owner of one tenant: the only place where the tenant's engine runs, and where its facts become durable before its
//! wishes are carried out.
//!
//! It moves data and decides nothing about calls. What it does decide: how many inputs share one commit (as many as came in
//! while the last commit was written), and what happens when the journal cannot be written: facts and wishes are kept, in
//! order and bounded, and retried, while arriving conversations are refused at once instead of being left ringing.

use super::limits;
use super::{
    clock::Clock,
    handle::{Commit, Request},
};
use crate::services::Services;
use dreiklang_core::{
    Action, Engine, Input, Output, Refusal, Stamped,
    ids::{ActionId, CommandId, LegId, TenantId},
    output::RejectReason,
    time::Timestamp,
};
use dreiklang_lines::Lines;
use dreiklang_store::{AppendError, Epoch, Store};
use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};
use tokio::{
    sync::{broadcast, mpsc, oneshot},
    time::Instant,
};
use tracing::{error, info, warn};

/// Why an owner stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StepDown {
    /// It was asked to.
    Asked,
    /// Somebody newer writes this tenant's journal; everything in memory is worthless.
    LostOwnership,
    /// The journal could not be written for so long that the bounded memory for unwritten facts is full.
    JournalLost,
}

/// What the rest of the process sees of an owner's condition.
#[derive(Debug, Default)]
pub struct Condition {
    /// The journal refuses writes at present.
    pub degraded: AtomicBool,
    /// The owner has stopped.
    pub stopped: AtomicBool,
}

/// Runs one tenant's engine.
pub(crate) struct Owner {
    pub tenant: TenantId,
    pub engine: Engine,
    /// What became of recordings that a former process left open.
    pub recovered: Vec<Input>,
    pub epoch: Epoch,
    pub store: Store,
    pub lines: Lines,
    pub services: Services,
    pub requests: mpsc::Receiver<Request>,
    pub commits: broadcast::Sender<Commit>,
    pub condition: Arc<Condition>,
    pub clock: Clock,
    pub metrics: super::Metrics,
}

/// Everything the engine said that is not yet durable.
#[derive(Default)]
struct Unwritten {
    events: Vec<Stamped>,
    actions: Vec<(ActionId, Action)>,
    replies: Vec<(CommandId, Result<(), Refusal>)>,
}

struct Progress {
    version: u64,
    snapshot_version: u64,
    wake_at: Option<Timestamp>,
    waiting: HashMap<CommandId, oneshot::Sender<Result<(), Refusal>>>,
    configured: Vec<oneshot::Sender<Result<(), Refusal>>>,
    unwritten: Unwritten,
    /// Answers of lines that could not even take a wish.
    refused: Vec<Input>,
}

impl Owner {
    /// Takes over and runs until stopped or fenced.
    pub async fn run(mut self) -> StepDown {
        let version = self.engine.world().version();
        let mut progress = Progress {
            version,
            snapshot_version: version,
            wake_at: None,
            waiting: HashMap::new(),
            configured: Vec::new(),
            unwritten: Unwritten::default(),
            refused: Vec::new(),
        };
        info!(tenant = %self.tenant, version, "owner takes over");
        self.handle(&mut progress, Input::TookOver);
        for input in std::mem::take(&mut self.recovered) {
            self.handle(&mut progress, input);
        }
        let outcome = self.drive(&mut progress).await;
        self.condition.stopped.store(true, Ordering::Relaxed);
        match outcome {
            StepDown::Asked => info!(tenant = %self.tenant, version = progress.version, "owner stopped"),
            StepDown::LostOwnership => {
                error!(tenant = %self.tenant, code = "STORE-020", "another process owns this tenant now; stepping down")
            }
            StepDown::JournalLost => {
                error!(tenant = %self.tenant, code = "RUN-001", "the journal could not be written for too long; stepping down, the state is rebuilt from what was written")
            }
        }
        outcome
    }

    async fn drive(&mut self, progress: &mut Progress) -> StepDown {
        let mut retry_at: Option<Instant> = None;
        loop {
            for input in std::mem::take(&mut progress.refused) {
                self.handle(progress, input);
            }
            if retry_at.is_none() {
                match self.commit(progress).await {
                    Ok(()) => {}
                    Err(Some(down)) => return down,
                    Err(None) => retry_at = Some(Instant::now() + limits::JOURNAL_RETRY),
                }
                if !progress.refused.is_empty() {
                    continue;
                }
            }
            if progress.unwritten.events.len() > limits::UNWRITTEN_EVENTS {
                return StepDown::JournalLost;
            }
            // A due wake-up comes first: a flood of requests must not delay ring times.
            let (wake_at, clock) = (progress.wake_at, self.clock);
            tokio::select! {
                biased;
                () = woken(clock, wake_at) => {
                    progress.wake_at = None;
                    self.handle(progress, Input::Wake);
                }
                () = sleep_until(retry_at) => retry_at = None,
                request = self.requests.recv() => {
                    let Some(request) = request else { return StepDown::Asked };
                    if let Some(done) = self.take(progress, request) {
                        return self.stop(progress, done).await;
                    }
                }
            }
            // Whatever else is there already shares the coming commit.
            for _ in 1..limits::INPUTS_PER_COMMIT {
                let Ok(request) = self.requests.try_recv() else { break };
                if let Some(done) = self.take(progress, request) {
                    return self.stop(progress, done).await;
                }
            }
        }
    }

    async fn stop(&mut self, progress: &mut Progress, done: oneshot::Sender<()>) -> StepDown {
        if self.commit(progress).await.is_ok() {
            self.snapshot(progress).await;
        }
        // Whoever asked may have given up waiting.
        let _ = done.send(());
        StepDown::Asked
    }

    /// Handles one request; returns the answering end when it was the request to stop.
    fn take(&mut self, progress: &mut Progress, request: Request) -> Option<oneshot::Sender<()>> {
        let degraded = self.condition.degraded.load(Ordering::Relaxed);
        match request {
            Request::Input(Input::Arrived { leg, line, .. }) if degraded => self.refuse_arrival(leg, line),
            Request::Input(input) => self.handle(progress, input),
            Request::Command(_, _, _, answer) | Request::Configure(_, answer) if degraded => {
                let reason =
                    "the journal cannot be written at present (is the disk full?); try again when the operator has made room".to_owned();
                let _ = answer.send(Err(Refusal::WrongState { reason }));
            }
            Request::Command(id, by, command, answer) => {
                progress.waiting.insert(id, answer);
                self.handle(progress, Input::Command { id, by, command });
            }
            Request::Configure(change, answer) => match dreiklang_core::config::validate(self.engine.world(), &change) {
                Err(refusal) => {
                    let _ = answer.send(Err(refusal));
                }
                Ok(()) => {
                    self.handle(progress, Input::Configure { change });
                    progress.configured.push(answer);
                }
            },
            Request::Read(look) => look(self.engine.world()),
            Request::Stop(done) => return Some(done),
        }
        None
    }

    fn refuse_arrival(&self, leg: LegId, line: dreiklang_core::endpoint::Line) {
        warn!(tenant = %self.tenant, %leg, code = "RUN-002", "conversation refused: the journal cannot be written");
        let conversation = dreiklang_core::ids::ConversationId(leg.0);
        let wish = Action::Reject { conversation, leg, line, reason: RejectReason::Busy };
        // A line that cannot even refuse lets the caller give up.
        let _ = self.lines.submit(self.tenant, ActionId(leg.0), wish);
    }

    fn handle(&mut self, progress: &mut Progress, input: Input) {
        let started = std::time::Instant::now();
        self.engine.handle(self.clock.now(), input);
        self.metrics.decision.observe(started.elapsed().as_secs_f64());
        while let Some(output) = self.engine.poll_output() {
            match output {
                Output::Event(event) => progress.unwritten.events.push(event),
                Output::Action(id, action) => progress.unwritten.actions.push((id, action)),
                Output::Reply(id, reply) => progress.unwritten.replies.push((id, reply)),
                Output::WakeAt(at) => progress.wake_at = Some(at),
            }
        }
    }

    /// Makes the facts durable, then lets wishes, replies and facts go. `Err(None)` = not possible now, everything is kept.
    async fn commit(&mut self, progress: &mut Progress) -> Result<(), Option<StepDown>> {
        if !progress.unwritten.events.is_empty() {
            let started = std::time::Instant::now();
            if let Err(down) = self.append(progress).await {
                // Who waits for an owner that steps down learns it from the closed channel.
                if down.is_none() {
                    Self::disappoint(progress);
                }
                return Err(down);
            }
            self.metrics.append.observe(started.elapsed().as_secs_f64());
            if self.condition.degraded.swap(false, Ordering::Relaxed) {
                info!(tenant = %self.tenant, "the journal can be written again");
            }
        }
        for (id, action) in progress.unwritten.actions.drain(..) {
            let taken = match action {
                Action::AskService { service, request, .. } => self.services.submit(self.tenant, id, service, *request),
                action => self.lines.submit(self.tenant, id, action),
            };
            if let Err(answer) = taken {
                progress.refused.push(*answer);
            }
        }
        for (id, reply) in progress.unwritten.replies.drain(..) {
            if let Some(answer) = progress.waiting.remove(&id) {
                let _ = answer.send(reply);
            }
        }
        for answer in progress.configured.drain(..) {
            let _ = answer.send(Ok(()));
        }
        if progress.version - progress.snapshot_version >= limits::EVENTS_PER_SNAPSHOT {
            self.snapshot(progress).await;
        }
        Ok(())
    }

    /// Nobody is left waiting for a disk: what was decided takes effect when it can be written, and that is what they are told.
    fn disappoint(progress: &mut Progress) {
        let reason = "the journal cannot be written at present (is the disk full?); what was asked for takes effect when it can".to_owned();
        let refusal = Refusal::WrongState { reason };
        for (id, _) in progress.unwritten.replies.drain(..) {
            if let Some(answer) = progress.waiting.remove(&id) {
                let _ = answer.send(Err(refusal.clone()));
            }
        }
        for answer in progress.configured.drain(..) {
            let _ = answer.send(Err(refusal.clone()));
        }
    }

    /// Writes every fact, in pieces the store takes. What was written stays written when a later piece fails.
    async fn append(&self, progress: &mut Progress) -> Result<(), Option<StepDown>> {
        while !progress.unwritten.events.is_empty() {
            let count = progress.unwritten.events.len().min(dreiklang_store::limits::EVENTS_PER_APPEND);
            match self.store.append(self.tenant, self.epoch, progress.version, &progress.unwritten.events[..count]).await {
                Ok(version) => progress.version = version,
                // A write that was reported as failed may have reached the disk all the same: then these very facts are there,
                // under our epoch, and nobody else can have written them.
                Err(AppendError::Fenced { actual, epoch }) if epoch == self.epoch && actual == progress.version + count as u64 => {
                    progress.version = actual
                }
                Err(AppendError::Fenced { .. }) => return Err(Some(StepDown::LostOwnership)),
                Err(failure) => {
                    if !self.condition.degraded.swap(true, Ordering::Relaxed) {
                        error!(tenant = %self.tenant, code = failure.code(), %failure, "the journal cannot be written; new conversations are refused until it can");
                    }
                    return Err(None);
                }
            }
            let written: Commit = Arc::new(progress.unwritten.events.drain(..count).collect());
            // No receiver is fine: nobody watches.
            let _ = self.commits.send(written);
        }
        Ok(())
    }

    /// Keeps the state so that the next start need not replay everything. Failing is no harm: the journal has it all.
    async fn snapshot(&mut self, progress: &mut Progress) {
        if progress.snapshot_version == progress.version {
            return;
        }
        match serde_json::to_vec(self.engine.world()) {
            Ok(bytes) => match self.store.save_snapshot(self.tenant, progress.version, bytes).await {
                Ok(()) => progress.snapshot_version = progress.version,
                Err(failure) => warn!(tenant = %self.tenant, %failure, "could not keep a snapshot; the next start replays more"),
            },
            Err(failure) => warn!(tenant = %self.tenant, %failure, "could not write a snapshot; the next start replays more"),
        }
    }
}

/// Waits until then, or for ever when there is nothing to wait for.
async fn woken(clock: Clock, at: Option<Timestamp>) {
    match at {
        Some(at) => clock.reached(at).await,
        None => std::future::pending::<()>().await,
    }
}

/// Sleeps until then, or for ever when there is nothing to wait for.
async fn sleep_until(at: Option<Instant>) {
    match at {
        Some(at) => tokio::time::sleep_until(at).await,
        None => std::future::pending::<()>().await,
    }
}

/// How long an owner may take to write its last facts when asked to stop.
pub(crate) const STOP_WITHIN: Duration = Duration::from_secs(10);
