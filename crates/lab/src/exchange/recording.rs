//! Recordings: begun, paused, ended, and the files that come of them.

use super::{
    Exchange,
    call::{Call, Loop},
    effect::{Cause, Effect},
};
use crate::{
    acs::{identifier::Identifier, refusal::Refusal},
    people::sound::{FRAME, Frame, RATE_HZ, Sum, without},
};
use dreiklang_media::wav;
use serde_json::{Value, json};
use std::{collections::BTreeMap, sync::Arc};

/// Longest recording kept in memory: half an hour.
const SAMPLES_MAX: usize = 30 * 60 * RATE_HZ as usize;
/// Channels of an unmixed file.
const CHANNELS_MAX: usize = 5;
/// Files are kept for a day, as the service does; in milliseconds.
const KEPT_MS: u64 = 24 * 3_600 * 1_000;

/// What is asked for.
#[derive(Clone, Debug, Default)]
pub(crate) struct Wanted {
    pub(crate) connection: Option<String>,
    pub(crate) server_call: Option<String>,
    pub(crate) callback: Option<String>,
    pub(crate) unmixed: bool,
    pub(crate) paused: bool,
    /// Container of the customer's own storage.
    pub(crate) container: Option<String>,
    /// Who is on which channel, as far as it is said.
    pub(crate) channels: Vec<(usize, String)>,
}

/// A recording under way.
pub(crate) struct Recording {
    id: String,
    call: u64,
    ids: super::effect::Ids,
    callback: Option<String>,
    active: bool,
    unmixed: bool,
    container: Option<String>,
    began: u64,
    channels: Vec<(String, Vec<i16>)>,
    pauses: Vec<(u64, Option<u64>)>,
    people: Vec<String>,
}

impl Recording {
    fn state(&self) -> Value {
        json!({
            "recordingId": self.id, "recordingState": if self.active { "active" } else { "inactive" },
            "recordingKind": "azureCommunicationServices",
        })
    }
}

/// A file to be fetched.
pub(crate) struct Document {
    pub(crate) audio: Vec<u8>,
    pub(crate) metadata: Value,
    kept_until: u64,
}

/// All of them.
#[derive(Default)]
pub(crate) struct Recordings {
    under_way: BTreeMap<String, Recording>,
    pub(crate) documents: BTreeMap<String, Document>,
    /// Where files are fetched, without a slash at the end: a host Microsoft's SDKs believe.
    pub(crate) storage: String,
}

impl Exchange {
    /// Begins to record.
    pub(crate) fn start_recording(&mut self, wanted: &Wanted) -> Result<Value, Refusal> {
        let key = match (&wanted.connection, &wanted.server_call) {
            (Some(id), _) => self.connections.get(id).copied(),
            (None, Some(id)) => {
                let call = self.calls.values().find(|call| call.server_call_id == *id);
                if call.is_some_and(|call| call.account.is_some()) {
                    return Err(Refusal::field(
                        "Calls over Teams Phone extensibility are recorded by callConnectionId, and not by a call locator.",
                    ));
                }
                call.map(|call| call.key)
            }
            (None, None) => None,
        };
        let key = key.ok_or_else(|| Refusal::not_found("Call"))?;
        if self.recordings.under_way.values().any(|recording| recording.call == key) {
            return Err(Refusal::new(409, "8553", "Recording is already in progress, one recording per call can be active."));
        }
        let id = self.post.dice.opaque(6);
        let started = self.with_call(key, |exchange, call| {
            if call.connected().next().is_none() {
                return Err(Refusal::state("Action is invalid when call is not in Established state."));
            }
            let index = wanted.connection.as_ref().and_then(|id| call.connection(id)).unwrap_or(0);
            let connection = call.connections.get(index).map_or_else(String::new, |connection| connection.id.clone());
            let mut channels: Vec<(String, Vec<i16>)> = Vec::new();
            if wanted.unmixed {
                let mut named = wanted.channels.clone();
                named.sort_by_key(|(channel, _)| *channel);
                channels.extend(named.into_iter().map(|(_, raw)| (raw, Vec::new())));
            } else {
                channels.push((String::new(), Vec::new()));
            }
            let recording = Recording {
                id: id.clone(),
                call: key,
                ids: call.ids(&connection),
                callback: wanted.callback.clone(),
                active: !wanted.paused,
                unmixed: wanted.unmixed,
                container: wanted.container.clone(),
                began: exchange.post.now,
                channels,
                pauses: if wanted.paused { vec![(exchange.post.now, None)] } else { Vec::new() },
                people: Vec::new(),
            };
            let state = recording.state();
            if exchange.faults.recording_fails {
                if let Some(uri) = &recording.callback {
                    let mut extra = super::effect::SERVER_FAILED.json();
                    extra["recordingId"] = json!(recording.id);
                    exchange.post.event(&recording.ids, uri, "StartRecordingFailed", None, extra);
                }
                return Ok(state);
            }
            exchange.tell_recording(&recording);
            exchange.recordings.under_way.insert(id, recording);
            exchange.announce_recording(call);
            Ok(state)
        });
        started.ok_or_else(|| Refusal::not_found("Call"))?
    }

    /// How a recording is.
    pub(crate) fn recording_state(&self, id: &str) -> Result<Value, Refusal> {
        self.recordings.under_way.get(id).map(Recording::state).ok_or_else(|| Refusal::not_found("Recording"))
    }

    /// Pauses or goes on.
    pub(crate) fn pause_recording(&mut self, id: &str, pause: bool) -> Result<(), Refusal> {
        let now = self.post.now;
        let Some(mut recording) = self.recordings.under_way.remove(id) else { return Err(Refusal::not_found("Recording")) };
        if recording.active == pause {
            recording.active = !pause;
            if pause {
                recording.pauses.push((now, None));
            } else if let Some((_, end)) = recording.pauses.last_mut() {
                *end = Some(now);
            }
            self.tell_recording(&recording);
            let key = recording.call;
            self.recordings.under_way.insert(id.to_owned(), recording);
            self.with_call(key, |exchange, call| exchange.announce_recording(call));
        } else {
            self.recordings.under_way.insert(id.to_owned(), recording);
        }
        Ok(())
    }

    /// Ends a recording; its file is announced.
    pub(crate) fn stop_recording(&mut self, id: &str, reason: &str) -> Result<(), Refusal> {
        let Some(mut recording) = self.recordings.under_way.remove(id) else { return Err(Refusal::not_found("Recording")) };
        recording.active = false;
        self.tell_recording(&recording);
        self.file(&recording, reason);
        Ok(())
    }

    /// With the call its recording ends.
    pub(super) fn finish_recordings_of(&mut self, call: &Call) {
        let found: Vec<String> = self
            .recordings
            .under_way
            .values()
            .filter(|recording| recording.call == call.key)
            .map(|recording| recording.id.clone())
            .collect();
        for id in found {
            // It was there a moment ago.
            let _ = self.stop_recording(&id, "CallEnded");
        }
    }

    fn tell_recording(&mut self, recording: &Recording) {
        let Some(uri) = recording.callback.clone() else { return };
        let mut extra = Cause::new(200, 0, "").json();
        extra["recordingId"] = json!(recording.id);
        extra["state"] = json!(if recording.active { "active" } else { "inactive" });
        extra["startDateTime"] = json!(self.post.time_at(recording.began).to_string());
        extra["recordingKind"] = json!("azureCommunicationServices");
        self.post.event(&recording.ids, &uri, "RecordingStateChanged", None, extra);
    }

    /// Makes the file and says where it is.
    fn file(&mut self, recording: &Recording, reason: &str) {
        let document = format!("0-{}", self.guid());
        let longest = recording.channels.iter().map(|(_, samples)| samples.len()).max().unwrap_or(0);
        let channels: Vec<&[i16]> = recording.channels.iter().map(|(_, samples)| samples.as_slice()).collect();
        let audio = wav::encode(&channels, RATE_HZ, wav::Encoding::Pcm16);
        let duration = longest as u64 / 16;
        let began = self.post.time_at(recording.began).to_string();
        let channel_type = if recording.unmixed { "unmixed" } else { "mixed" };
        let pauses: Vec<Value> = recording
            .pauses
            .iter()
            .map(|(from, until)| {
                json!({ "startTime": self.post.time_at(*from).to_string(), "duration": until.unwrap_or(self.post.now) - from })
            })
            .collect();
        let participants: Vec<Value> = if recording.unmixed {
            recording.channels.iter().enumerate().map(|(channel, (raw, _))| json!({ "participantId": raw, "channel": channel })).collect()
        } else {
            recording.people.iter().map(|raw| json!({ "participantId": raw })).collect()
        };
        let metadata = json!({
            "resourceId": self.directory.resource_id,
            "callId": recording.ids.correlation,
            "chunkDocumentId": document,
            "chunkIndex": 0,
            "chunkStartTime": began,
            "chunkDuration": duration,
            "pauseResumeIntervals": pauses,
            "recordingInfo": {
                "contentType": "audio", "channelType": channel_type, "format": "wav",
                "audioConfiguration": { "sampleRate": RATE_HZ, "bitRate": RATE_HZ * 16 * channels.len() as u32, "channels": channels.len() },
            },
            "participants": participants,
        });
        let place = match &recording.container {
            Some(container) => self.upload(recording, container, &document, &audio, &metadata),
            None => {
                let base = format!("{}/v1/objects/{document}", self.recordings.storage);
                json!({
                    "contentLocation": format!("{base}/content/audio"),
                    "metadataLocation": format!("{base}/content/acsmetadata"),
                    "deleteLocation": base,
                })
            }
        };
        let mut chunk = json!({ "documentId": document, "index": 0, "endReason": reason });
        super::effect::merge(&mut chunk, place);
        let mut data = json!({
            "recordingStorageInfo": { "recordingChunks": [chunk] },
            "recordingStartTime": began,
            "recordingDurationMs": duration,
            "recordingContentType": "audio",
            "recordingChannelType": channel_type,
            "recordingFormatType": "wav",
            "sessionEndReason": reason,
        });
        if recording.container.is_some() {
            data["storageType"] = json!("AzureBlob");
            data["recordingId"] = json!(recording.id);
        }
        let subject = format!(
            "/recording/call/{}/serverCallId/{}/recordingId/{}",
            recording.ids.correlation, recording.ids.server_call, recording.id
        );
        let now = self.post.now;
        self.recordings.documents.retain(|_, document| document.kept_until > now);
        if recording.container.is_none() {
            self.recordings.documents.insert(document, Document { audio, metadata, kept_until: now + KEPT_MS });
        }
        self.post.grid("RecordingFileStatusUpdated", &subject, data);
    }

    /// Puts the files into the customer's container, laid out as the service does.
    fn upload(&mut self, recording: &Recording, container: &str, document: &str, audio: &[u8], metadata: &Value) -> Value {
        let day = self.post.time_at(recording.began).strftime("%Y%m%d").to_string();
        let first: String = recording.id.chars().take(8).collect();
        let folder = format!("{}/{day}/{}/{first}-{}", container.trim_end_matches('/'), recording.ids.correlation, self.guid());
        let audio_url = format!("{folder}/0-audiowav.{document}.wav");
        let metadata_url = format!("{folder}/0-acsmetadata.{document}.json");
        self.post.out.push(Effect::Upload { url: audio_url.clone(), content_type: "audio/wav", bytes: audio.to_vec() });
        let bytes = metadata.to_string().into_bytes();
        self.post.out.push(Effect::Upload { url: metadata_url.clone(), content_type: "application/json", bytes });
        json!({ "contentLocation": audio_url, "metadataLocation": metadata_url })
    }

    /// Says to the telephones in a call that it is recorded, whenever somebody of Teams is in it. Nobody can turn that off.
    fn announce_recording(&mut self, call: &mut Call) {
        for leg in 0..call.legs.len() {
            self.announce_recording_to(call, leg);
        }
    }

    /// The same for one who has come.
    pub(super) fn announce_recording_to(&mut self, call: &mut Call, leg: usize) {
        if !self.recordings.under_way.values().any(|recording| recording.call == call.key) {
            return;
        }
        let has_teams = call.connected().any(|leg| leg.identifier.is_teams());
        let samples: Arc<[i16]> = Arc::clone(&self.announcement);
        // Somebody of Teams who joins makes the recording known to the telephones that are there.
        let came_from_teams = call.legs[leg].identifier.is_teams();
        for (index, other) in call.legs.iter_mut().enumerate() {
            let concerned = index == leg || came_from_teams;
            if concerned && has_teams && other.is_connected() && matches!(other.identifier, Identifier::Phone(_)) {
                other.announcement = Some(Loop { ticket: 0, samples: Some(Arc::clone(&samples)), at: 0 });
            }
        }
    }
}

impl Recordings {
    /// Takes down 20 ms of a call: all of it, or each party.
    pub(super) fn take(&mut self, call: &Call, all: &Sum) {
        for recording in self.under_way.values_mut().filter(|recording| recording.call == call.key) {
            for leg in call.connected() {
                if !recording.people.contains(&leg.raw) {
                    recording.people.push(leg.raw.clone());
                }
            }
            if !recording.active {
                continue;
            }
            if !recording.unmixed {
                let (_, samples) = &mut recording.channels[0];
                if samples.len() < SAMPLES_MAX {
                    samples.extend_from_slice(&without(all, None));
                }
                continue;
            }
            let length = recording.channels.iter().map(|(_, samples)| samples.len()).max().unwrap_or(0);
            if length >= SAMPLES_MAX {
                continue;
            }
            for leg in call.connected() {
                let channel = recording.channels.iter().position(|(raw, _)| *raw == leg.raw);
                let channel = channel.or_else(|| {
                    (recording.channels.len() < CHANNELS_MAX).then(|| {
                        recording.channels.push((leg.raw.clone(), vec![0; length]));
                        recording.channels.len() - 1
                    })
                });
                if let Some(channel) = channel {
                    let samples = &mut recording.channels[channel].1;
                    samples.resize(length, 0);
                    let silence: Frame = [0; FRAME];
                    samples.extend_from_slice(if leg.speaks { &leg.frame } else { &silence });
                }
            }
            for (_, samples) in &mut recording.channels {
                samples.resize(length + FRAME, 0);
            }
        }
    }
}
