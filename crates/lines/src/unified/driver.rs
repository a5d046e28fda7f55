//! The loop of the Unified line.
//!
//! Everything about calls is changed in one task. Whatever has to wait for the service runs elsewhere and comes back as a [`Done`].

use super::{
    Config, Work,
    call::{CallKey, Calls, Stage},
    count::Count,
    limits,
    prompts::Shelf,
    record::{Recorded, Recordings},
    registry::{Ready, Registry},
};
use crate::Notice;
use dreiklang_core::{
    Input,
    conversation::{Cause, CauseKind},
    ids::{ActionId, LegId, RecordingId, TenantId},
    output::ActionFailure,
};
use dreiklang_microsoft::{
    Failure,
    acs::model::{CallConnection, Invitation, Participant},
};
use std::{
    collections::{BTreeMap, HashMap, HashSet, VecDeque},
    hash::Hash,
    sync::Arc,
    time::Duration,
};
use tokio::{
    sync::{Semaphore, mpsc},
    time::Instant,
};

/// Something that had to wait for the service and is done.
pub(super) enum Done {
    /// A call that was answered or made.
    Begun { leg: LegId, ready: Arc<Ready>, action: ActionId, result: Result<CallConnection, Failure> },
    /// Somebody was called into a call.
    Invited { leg: LegId, tenant: TenantId, action: ActionId, result: Result<Invitation, Failure> },
    /// A leg was told to go, or its whole call.
    LetGo { leg: LegId, call: CallKey, whole: bool, over: bool, result: Result<(), Failure> },
    /// A call that stands is what the service says.
    Looked { leg: LegId, result: Result<CallConnection, Failure> },
    /// Who is in a call.
    Counted { call: CallKey, result: Result<Vec<Participant>, Failure> },
    /// Whether somebody is in a call whom the list of all did not name.
    Sought { leg: LegId, call: CallKey, result: Result<Participant, Failure> },
    /// A job of a call's lane has ended.
    Lane { call: CallKey, tenant: TenantId, action: ActionId, outcome: super::hear::Outcome },
    /// The same about a recording.
    Recorded { call: Option<CallKey>, tenant: TenantId, action: ActionId, recording: RecordingId, result: Result<Recorded, ActionFailure> },
    /// A recording's file is here, or cannot be had.
    Fetched { recording: RecordingId, result: Result<super::files::Fetched, String> },
}

/// What is looked at when its time has come.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Due {
    /// An answered or made call should be connected.
    Begun(LegId),
    /// Somebody who rings should have answered, or not.
    Rung(LegId),
    /// Somebody who was let out should be gone.
    Gone(LegId),
    /// Somebody's invitation was taken back; the call should be over by now.
    CalledOff(LegId),
    /// A prompt should have ended.
    Played(LegId, ActionId),
    /// Missing keys are not waited for any longer.
    Keys(LegId),
    /// Everybody is counted, and will be again.
    Count(CallKey),
    /// Everybody is counted this once.
    CountAgain(CallKey),
    /// The file of a recording should have been told.
    File(RecordingId),
}

/// Runs the line; see [`Driver::run`].
pub struct Driver {
    pub(super) config: Arc<Config>,
    pub(super) registry: Registry,
    pub(super) shelf: Shelf,
    pub(super) calls: Calls,
    pub(super) recordings: Recordings,
    /// Tenants whose connections were told.
    pub(super) known: HashSet<TenantId>,
    /// What waits for that.
    pub(super) early: HashMap<TenantId, VecDeque<Work>>,
    /// Calls of a former process that have to be seen before a survey is answered.
    pub(super) surveys: HashMap<TenantId, ()>,
    /// Legs that have ended, so that wishes about them are told from wishes about others' legs.
    pub(super) departed: Recent<LegId>,
    pub(super) stopping: bool,
    seen: Recent<String>,
    due: BTreeMap<(Instant, u64), Due>,
    counter: u64,
    done: mpsc::Sender<Done>,
    done_queue: mpsc::Receiver<Done>,
    work: mpsc::Receiver<Work>,
    places: Arc<Semaphore>,
    notices: mpsc::Sender<Notice>,
    outbox: VecDeque<Notice>,
}

impl Driver {
    pub(super) fn new(
        config: Config,
        registry: Registry,
        shelf: Shelf,
        work: mpsc::Receiver<Work>,
        notices: mpsc::Sender<Notice>,
    ) -> Driver {
        let (done, done_queue) = mpsc::channel(limits::RESULTS_QUEUED);
        Driver {
            config: Arc::new(config),
            registry,
            shelf,
            calls: Calls::default(),
            recordings: Recordings::default(),
            known: HashSet::new(),
            early: HashMap::new(),
            surveys: HashMap::new(),
            departed: Recent::default(),
            stopping: false,
            seen: Recent::default(),
            due: BTreeMap::new(),
            counter: 0,
            done,
            done_queue,
            work,
            places: Arc::new(Semaphore::new(limits::OPERATIONS)),
            notices,
            outbox: VecDeque::new(),
        }
    }

    /// Runs until stopped, or until nobody holds a handle any more.
    pub async fn run(mut self) {
        self.shelf.warm_up();
        let mut stop_at: Option<Instant> = None;
        loop {
            self.flush().await;
            if self.stopping && (self.calls.legs.is_empty() || stop_at.is_some_and(|at| at <= Instant::now())) {
                break;
            }
            let wake_at = self.due.first_key_value().map(|((at, _), _)| *at);
            tokio::select! {
                biased;
                () = sleep_until(stop_at) => {}
                () = sleep_until(wake_at) => self.on_time(),
                Some(done) = self.done_queue.recv() => self.on_done(done),
                work = self.work.recv() => {
                    let Some(work) = work else { break };
                    if let Work::Stop { within } = work {
                        stop_at = Some(Instant::now() + within);
                        self.stop();
                    } else {
                        self.on_work(work);
                    }
                }
            }
        }
        self.flush().await;
    }

    pub(super) fn on_work(&mut self, work: Work) {
        // After a start wishes may come before the connections they need.
        let tenant = match &work {
            Work::Act { tenant, .. } | Work::Restore { tenant, .. } => Some(*tenant),
            _ => None,
        };
        if let Some(tenant) = tenant.filter(|tenant| !self.known.contains(tenant)) {
            let waiting = self.early.entry(tenant).or_default();
            if waiting.len() < limits::EARLY {
                waiting.push_back(work);
            } else if let Work::Act { action, .. } = work {
                self.failed(tenant, action, "LINE-002", "more wishes wait for the connections than there is room for".to_owned());
            }
            return;
        }
        match work {
            Work::Act { tenant, action, wish } => self.act(tenant, action, wish),
            Work::Connections { tenant } => {
                self.known.insert(tenant);
                for work in self.early.remove(&tenant).unwrap_or_default() {
                    self.on_work(work);
                }
            }
            Work::Restore { tenant, former } => self.restore(tenant, former),
            Work::Arrived(arrival) => self.arrive(*arrival),
            Work::Happened { connection, events } => {
                let Some(ready) = self.registry.get(&connection) else { return };
                for event in events {
                    if self.seen.add(format!("{connection} {}", event.id)) {
                        self.on_event(&ready, event);
                    }
                }
            }
            Work::File { connection, file } => self.file_told(&connection, *file),
            Work::Stop { .. } => {}
        }
    }

    fn stop(&mut self) {
        self.stopping = true;
        let legs: Vec<LegId> = self.calls.legs.keys().copied().collect();
        for leg in legs {
            self.end_leg_by_us(leg, CauseKind::Ours, "the line stops");
        }
    }

    fn on_done(&mut self, done: Done) {
        match done {
            Done::Begun { leg, ready, action, result } => self.begun(leg, &ready, action, result),
            Done::Invited { leg, tenant, action, result } => self.invited(leg, tenant, action, result),
            Done::LetGo { leg, call, whole, over, result } => self.was_let_go(leg, call, whole, over, result),
            Done::Looked { leg, result } => self.looked(leg, result),
            Done::Counted { call, result } => self.counted(call, result),
            Done::Sought { leg, call, result } => self.sought(leg, call, result),
            Done::Lane { call, tenant, action, outcome } => self.lane_done(call, tenant, action, outcome),
            Done::Recorded { call, tenant, action, recording, result } => self.recorded(call, tenant, action, recording, result),
            Done::Fetched { recording, result } => self.fetched(recording, result),
        }
    }

    fn on_time(&mut self) {
        let now = Instant::now();
        while let Some(entry) = self.due.first_entry().filter(|entry| entry.key().0 <= now) {
            match entry.remove() {
                Due::Begun(leg) => self.look_for(leg),
                Due::Rung(id) | Due::Gone(id) => {
                    match self.calls.legs.get(&id).map(|leg| (leg.call, leg.invited || leg.stage == Stage::Connected)) {
                        Some((call, true)) => self.count(call, Count::Now),
                        Some((_, false)) => self.look_for(id),
                        None => {}
                    }
                }
                Due::CalledOff(id) => self.leg_over(id, Cause { kind: CauseKind::FarEnd, detail: Some("called off".to_owned()) }),
                Due::Played(leg, action) => self.prompt_ended(leg, action),
                Due::Keys(leg) => self.missing_keys(leg),
                Due::Count(call) => self.count(call, Count::Regularly),
                Due::CountAgain(call) => self.count(call, Count::Now),
                Due::File(recording) => self.file_missing(recording),
            }
        }
    }

    /// Looks at something later.
    pub(super) fn later(&mut self, after: Duration, due: Due) {
        self.counter += 1;
        self.due.insert((Instant::now() + after, self.counter), due);
    }

    /// Runs something that waits for the service; its result comes back.
    pub(super) fn run_apart(&self, work: impl Future<Output = Done> + Send + 'static) {
        let (done, places) = (self.done.clone(), Arc::clone(&self.places));
        tokio::spawn(async move {
            let place = places.acquire_owned().await;
            let result = work.await;
            drop(place);
            // A stopped driver has no use for it.
            let _ = done.send(result).await;
        });
    }

    /// Where a connection's events of calls go.
    pub(super) fn callback_address(&self, connection: &str) -> String {
        format!("{}/hooks/unified/{connection}/calls", self.config.address)
    }

    /// Tells the core.
    pub(super) fn tell(&mut self, tenant: TenantId, input: Input) {
        self.outbox.push_back(Notice::Input { tenant, input: Box::new(input) });
    }

    pub(super) fn done(&mut self, tenant: TenantId, action: ActionId) {
        self.tell(tenant, Input::ActionDone { action });
    }

    pub(super) fn failed(&mut self, tenant: TenantId, action: ActionId, code: &str, detail: String) {
        tracing::warn!(%tenant, %action, code, detail, "wish not carried out");
        self.tell(tenant, Input::ActionFailed { action, failure: ActionFailure { code: code.to_owned(), detail } });
    }

    /// Tells the core that a leg is over which is not, or not any more, alive here.
    pub(super) fn tell_ended(&mut self, tenant: TenantId, leg: LegId, kind: CauseKind, detail: &str) {
        self.tell(tenant, Input::Ended { leg, cause: Cause { kind, detail: Some(detail.to_owned()) } });
    }

    async fn flush(&mut self) {
        while let Some(notice) = self.outbox.pop_front() {
            if self.notices.send(notice).await.is_err() {
                // The server has gone; there is nobody left to tell.
                self.outbox.clear();
            }
        }
    }
}

/// The last so many of something.
pub(super) struct Recent<T> {
    known: HashSet<T>,
    order: VecDeque<T>,
}

impl<T> Default for Recent<T> {
    fn default() -> Self {
        Recent { known: HashSet::new(), order: VecDeque::new() }
    }
}

impl<T: Clone + Eq + Hash> Recent<T> {
    /// Remembers it; whether it is new.
    pub fn add(&mut self, one: T) -> bool {
        if !self.known.insert(one.clone()) {
            return false;
        }
        self.order.push_back(one);
        if self.order.len() > limits::SEEN
            && let Some(oldest) = self.order.pop_front()
        {
            self.known.remove(&oldest);
        }
        true
    }

    pub fn has(&self, one: &T) -> bool {
        self.known.contains(one)
    }
}

async fn sleep_until(at: Option<Instant>) {
    match at {
        Some(at) => tokio::time::sleep_until(at).await,
        None => std::future::pending::<()>().await,
    }
}
