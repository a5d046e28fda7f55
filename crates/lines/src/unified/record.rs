//! Recordings as the core wants them, by the service's own.
//!
//! The service records a whole call, each party on a channel of its own. What is not to be heard in it is kept out by a pause: when the
//! core wants one, and while the agent talks with somebody else without the customer.

use super::{
    call::{CallKey, Job, What},
    driver::{Done, Driver},
    limits,
    registry::Ready,
};
use dreiklang_core::{
    Input,
    ids::{ActionId, LegId, RecordingId, TenantId},
    output::ActionFailure,
};
use dreiklang_microsoft::{
    Failure,
    acs::{
        RequestId,
        model::{ChannelAffinity, StartRecording},
    },
};
use std::{collections::HashMap, sync::Arc};
use tokio::time::Instant;

/// What is wished of a recording.
#[derive(Debug)]
pub(super) enum Record {
    Start {
        recording: RecordingId,
        left: LegId,
        right: Option<LegId>,
    },
    /// Whom the customer is recorded with from now on; nobody while the agent talks with somebody else.
    Right {
        recording: RecordingId,
        away: bool,
    },
    Pause {
        recording: RecordingId,
        on: bool,
    },
    Stop {
        recording: RecordingId,
    },
}

impl Record {
    fn recording(&self) -> RecordingId {
        match self {
            Record::Start { recording, .. }
            | Record::Right { recording, .. }
            | Record::Pause { recording, .. }
            | Record::Stop { recording } => *recording,
        }
    }
}

/// A recording that runs, or whose file has not come.
#[derive(Debug)]
pub(super) struct Running {
    pub tenant: TenantId,
    pub connection: String,
    /// The call it is of; `None` once that is over, or after a restart.
    pub call: Option<CallKey>,
    /// The service's name of it.
    pub name: String,
    /// The core wants a pause.
    pub paused: bool,
    /// The agent talks with somebody else.
    pub away: bool,
    pub stopped: bool,
    pub fetching: bool,
}

/// All of them.
#[derive(Default)]
pub(super) struct Recordings {
    pub running: HashMap<RecordingId, Running>,
    /// Those that are being started, each with its call.
    starting: HashMap<RecordingId, CallKey>,
}

impl Recordings {
    pub fn named(&self, connection: &str, name: &str) -> Option<RecordingId> {
        self.running.iter().find(|(_, running)| running.connection == connection && running.name == name).map(|(id, _)| *id)
    }
}

/// What was done about a recording.
#[derive(Debug)]
pub(super) enum Recorded {
    Started { connection: String, name: String },
    Changed { paused: bool, away: bool },
    Stopped,
}

impl Driver {
    /// Records a call.
    pub(super) fn start_recording(
        &mut self,
        tenant: TenantId,
        action: ActionId,
        recording: RecordingId,
        left: LegId,
        right: Option<LegId>,
    ) {
        if self.recordings.running.contains_key(&recording) {
            return self.done(tenant, action);
        }
        let Some(key) = self.calls.legs.get(&left).map(|leg| leg.call) else {
            let reason = "the customer's leg has ended".to_owned();
            self.tell(tenant, Input::RecordingFailed { recording, reason });
            return self.done(tenant, action);
        };
        self.recordings.starting.insert(recording, key);
        self.push(tenant, key, Job { action, what: What::Record(Record::Start { recording, left, right }) });
    }

    /// Records the customer with somebody else, or alone.
    pub(super) fn record_right(&mut self, tenant: TenantId, action: ActionId, recording: RecordingId, right: Option<LegId>) {
        // Whoever is alone goes on being recorded; what an agent says to somebody else meanwhile does not.
        let call = self.recordings.running.get(&recording).and_then(|running| running.call);
        let others = call.is_some_and(|key| self.calls.legs.values().filter(|leg| leg.call == key && leg.is_there()).count() > 1);
        self.push_record(tenant, action, Record::Right { recording, away: right.is_none() && others });
    }

    /// Records nothing for a while, or again.
    pub(super) fn pause_recording(&mut self, tenant: TenantId, action: ActionId, recording: RecordingId, on: bool) {
        self.push_record(tenant, action, Record::Pause { recording, on });
    }

    /// Closes a recording; its file follows.
    pub(super) fn stop_recording(&mut self, tenant: TenantId, action: ActionId, recording: RecordingId) {
        self.push_record(tenant, action, Record::Stop { recording });
    }

    /// In the lane of its call, so that nothing overtakes its start.
    fn push_record(&mut self, tenant: TenantId, action: ActionId, record: Record) {
        let recording = record.recording();
        let running = self.recordings.running.get(&recording).and_then(|running| running.call);
        let key = running.or_else(|| self.recordings.starting.get(&recording).copied());
        match key.filter(|key| self.calls.calls.contains_key(key)) {
            Some(key) => self.push(tenant, key, Job { action, what: What::Record(record) }),
            None => self.record_without_call(tenant, action, record),
        }
    }

    /// The call is over, and the recording with it; or it was taken over from a former process.
    fn record_without_call(&mut self, tenant: TenantId, action: ActionId, record: Record) {
        let recording = record.recording();
        let Some(running) = self.recordings.running.get(&recording) else {
            return self.failed(tenant, action, "MEDIA-003", format!("{recording} does not run on this line"));
        };
        let Some(ready) = self.registry.get(&running.connection) else {
            return self.failed(tenant, action, "MEDIA-003", "its connection is not set up any more".to_owned());
        };
        self.apply_record(None, tenant, action, ready, String::new(), record);
    }

    /// Begins a job; `false` when there is nothing to do.
    pub(super) fn begin_record(
        &mut self,
        key: CallKey,
        tenant: TenantId,
        action: ActionId,
        ready: Arc<Ready>,
        call: String,
        record: Record,
    ) -> bool {
        let known = matches!(record, Record::Start { .. }) || self.recordings.running.contains_key(&record.recording());
        if !known {
            self.failed(tenant, action, "MEDIA-003", format!("{} does not run on this line", record.recording()));
            return false;
        }
        if let Some(call) = self.calls.calls.get_mut(&key) {
            call.busy = true;
        }
        self.apply_record(Some(key), tenant, action, ready, call, record);
        true
    }

    fn apply_record(&mut self, key: Option<CallKey>, tenant: TenantId, action: ActionId, ready: Arc<Ready>, call: String, record: Record) {
        let recording = record.recording();
        let present = self.recordings.running.get(&recording).map(|running| (running.name.clone(), running.paused, running.away));
        let channels: Vec<ChannelAffinity> = match &record {
            Record::Start { left, right, .. } => {
                let legs = [Some(*left), *right].into_iter().enumerate();
                let affinity = |(channel, id): (usize, Option<LegId>)| {
                    let participant = self.calls.legs.get(&id?)?.who.clone();
                    Some(ChannelAffinity { channel: u8::try_from(channel).unwrap_or(0), participant })
                };
                legs.filter_map(affinity).collect()
            }
            _ => Vec::new(),
        };
        let callback = self.callback_address(&ready.settings.id);
        self.run_apart(async move {
            let result = match (&record, present) {
                (Record::Start { .. }, _) => {
                    let request = StartRecording {
                        call_connection_id: call,
                        recording_state_callback_uri: Some(callback),
                        recording_content_type: "audio".into(),
                        recording_channel_type: "unmixed".into(),
                        recording_format_type: "wav".into(),
                        channel_affinity: channels,
                    };
                    let connection = ready.settings.id.clone();
                    let started = ready.client.start_recording(&request, RequestId(action.0)).await;
                    started.map(|started| Recorded::Started { connection, name: started.recording_id })
                }
                (Record::Right { away, .. }, Some((name, paused, _))) => change(&ready, &name, paused, *away).await,
                (Record::Pause { on, .. }, Some((name, _, away))) => change(&ready, &name, *on, away).await,
                (Record::Stop { .. }, Some((name, ..))) => match ready.client.stop_recording(&name).await {
                    // It ends with its call.
                    Err(failure) if failure.is_gone() || failure.status() == Some(400) => Ok(Recorded::Stopped),
                    other => other.map(|()| Recorded::Stopped),
                },
                (_, None) => Err(Failure::Impossible("it does not run".to_owned())),
            };
            let result = result.map_err(|failure| ActionFailure { code: "MEDIA-003".to_owned(), detail: failure.to_string() });
            Done::Recorded { call: key, tenant, action, recording, result }
        });
    }

    /// Something was done about a recording, or not.
    pub(super) fn recorded(
        &mut self,
        key: Option<CallKey>,
        tenant: TenantId,
        action: ActionId,
        recording: RecordingId,
        result: Result<Recorded, ActionFailure>,
    ) {
        self.recordings.starting.remove(&recording);
        if let Some(call) = key.and_then(|key| self.calls.calls.get_mut(&key)) {
            call.busy = false;
        }
        match result {
            Ok(Recorded::Started { connection, name }) => {
                self.keep_name(tenant, recording, &connection, &name);
                let running = Running { tenant, connection, call: key, name, paused: false, away: false, stopped: false, fetching: false };
                if self.recordings.running.len() < limits::RECORDINGS {
                    self.recordings.running.insert(recording, running);
                }
                self.done(tenant, action);
            }
            Ok(Recorded::Changed { paused, away }) => {
                if let Some(running) = self.recordings.running.get_mut(&recording) {
                    (running.paused, running.away) = (paused, away);
                }
                self.done(tenant, action);
            }
            Ok(Recorded::Stopped) => {
                if let Some(running) = self.recordings.running.get_mut(&recording) {
                    running.stopped = true;
                    self.later(limits::FILE, super::driver::Due::File(recording));
                }
                self.done(tenant, action);
            }
            Err(failure) => {
                tracing::warn!(%tenant, %action, code = failure.code, detail = failure.detail, "wish about a recording not carried out");
                self.tell(tenant, Input::ActionFailed { action, failure });
            }
        }
        if let Some(key) = key {
            self.advance(key);
        }
    }

    /// The service could not record.
    pub(super) fn recording_broke(&mut self, connection: &str, name: &str, why: &str) {
        if let Some(recording) = self.recordings.named(connection, name) {
            self.recording_over(recording, Err(format!("the service could not record: {why}")));
        }
    }
}

/// Brings a recording to what both reasons for a pause say. A pause is done when the service says that nothing is recorded.
async fn change(ready: &Ready, name: &str, paused: bool, away: bool) -> Result<Recorded, Failure> {
    let rests = paused || away;
    let changed = if rests { ready.client.pause_recording(name).await } else { ready.client.resume_recording(name).await };
    match changed {
        Ok(()) => {}
        // It was so already, as a state asked for below shows.
        Err(failure) if failure.status() == Some(400) || failure.status() == Some(409) => {}
        Err(failure) => return Err(failure),
    }
    let until = Instant::now() + limits::PAUSE_SURE;
    loop {
        let state = ready.client.recording(name).await?.recording_state;
        if state.is("inactive") == rests {
            return Ok(Recorded::Changed { paused, away });
        }
        if Instant::now() >= until {
            return Err(Failure::Uncertain("the service does not say that the recording has changed".to_owned()));
        }
        tokio::time::sleep(limits::PAUSE_ASK).await;
    }
}
