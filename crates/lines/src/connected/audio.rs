//! What each leg hears, and what is recorded.

use super::{
    act::failure,
    driver::{Done, Driver},
    leg::group_of,
};
use dreiklang_core::{
    Input,
    conversation::{CauseKind, Hearing, Quality, Stream},
    ids::{ActionId, ConversationId, LegId, RecordingId, TenantId},
    output::{ActionFailure, Prompt},
    time::Millis,
};
use dreiklang_media::{
    engine::{Edit, Event, Figures, Repeat, Report, Source},
    ids::{PlayId, RecordingId as MediaRecording, StreamId},
    prompt::{self, Builtin},
};
use std::{
    path::{Path, PathBuf},
    sync::{Arc, atomic::Ordering},
    time::Instant,
};

impl Driver {
    /// Lets a leg hear a prompt as soon as it is loaded.
    pub(super) fn play(
        &mut self,
        tenant: TenantId,
        action: ActionId,
        id: LegId,
        prompt: Prompt,
        repeat: bool,
    ) -> Result<(), ActionFailure> {
        let Some(leg) = self.legs.get_mut(id).filter(|leg| !leg.over) else { return Ok(()) };
        leg.hearing += 1;
        leg.play = None;
        leg.waits_with = repeat.then(|| prompt.clone());
        let hearing = leg.hearing;
        let builtin = match &prompt {
            Prompt::Music => Some(Builtin::HoldMusic),
            Prompt::Ringback => Some(Builtin::Ringback),
            Prompt::Beep => Some(Builtin::Beep),
            Prompt::File { .. } | Prompt::Text { .. } => None,
        };
        // Composing takes a moment the first time, and this task must never wait.
        if let Some(builtin) = builtin.filter(|_| self.builtins_ready.load(Ordering::Acquire)) {
            self.start_prompt(id, hearing, action, repeat, Ok(builtin.prompt()));
            return Ok(());
        }
        let library = Arc::clone(&self.prompts);
        let folder = self.config.prompts.join(tenant.to_string());
        self.in_background(move || {
            let result = match prompt {
                Prompt::File { name } => {
                    file_in(&folder, &name).and_then(|path| library.from_file(&path).map_err(|error| error.to_string()))
                }
                Prompt::Text { text, language } => library.speak(&text, &language).map_err(|error| error.to_string()),
                Prompt::Music => Ok(Builtin::HoldMusic.prompt()),
                Prompt::Ringback => Ok(Builtin::Ringback.prompt()),
                Prompt::Beep => Ok(Builtin::Beep.prompt()),
            };
            Done::Prompt { leg: id, hearing, action, repeat, result }
        });
        Ok(())
    }

    /// A prompt is loaded, or cannot be: then a greeting is skipped and music falls back to the built-in, so that nobody waits
    /// for a file that is missing.
    pub(super) fn start_prompt(
        &mut self,
        id: LegId,
        hearing: u64,
        action: ActionId,
        repeat: bool,
        result: Result<Arc<prompt::Prompt>, String>,
    ) {
        let Some(leg) = self.legs.get_mut(id).filter(|leg| !leg.over && leg.hearing == hearing) else { return };
        let (tenant, stream) = (leg.tenant, leg.stream());
        let Some(group) = leg.group() else { return };
        let prompt = match result {
            Ok(prompt) => prompt,
            Err(error) => {
                tracing::error!(leg = %id, code = "MEDIA-002", %error, "a prompt cannot be played");
                if !repeat {
                    self.tell(tenant, Input::PlayFinished { leg: id, play: action });
                    return;
                }
                Builtin::HoldMusic.prompt()
            }
        };
        let play = PlayId(self.next_play);
        self.next_play += 1;
        leg.play = (!repeat).then_some((play, action));
        let repeat = if repeat { Repeat::Forever } else { Repeat::Once };
        self.media.apply(group, vec![Edit::Hear { listener: stream, source: Source::Prompt { prompt, play, repeat } }]);
    }

    /// Lets two legs hear each other.
    pub(super) fn bridge(&mut self, conversation: ConversationId, a: LegId, b: LegId) -> Result<(), ActionFailure> {
        if self.with_audio(a).is_none() || self.with_audio(b).is_none() {
            // One of them has just ended; the core hears of it by itself.
            return Ok(());
        }
        for id in [a, b] {
            self.forget_prompt(id);
        }
        let (a, b) = (StreamId(a.0), StreamId(b.0));
        let edits = vec![Edit::Hear { listener: a, source: Source::Peer(b) }, Edit::Hear { listener: b, source: Source::Peer(a) }];
        self.media.apply(group_of(conversation), edits);
        Ok(())
    }

    /// Lets every one of these legs hear what is said of it. All voices change at once, so that nobody hears for a moment who is
    /// not meant to be heard; prompts come where voices have gone. Who hears the same as before notices nothing.
    pub(super) fn mix(
        &mut self,
        tenant: TenantId,
        action: ActionId,
        conversation: ConversationId,
        parties: Vec<Hearing>,
    ) -> Result<(), ActionFailure> {
        let mut edits = Vec::with_capacity(parties.len());
        let mut prompts = Vec::new();
        for Hearing { leg: id, voices, prompt } in parties {
            // Who has just ended hears nothing and is not heard; the core hears of it by itself.
            let Some(leg) = self.with_audio(id) else { continue };
            let listener = leg.stream();
            let voices: Vec<StreamId> = voices.into_iter().filter_map(|voice| Some(self.with_audio(voice)?.stream())).collect();
            if voices.is_empty() && prompt.is_some() && leg.waits_with == prompt {
                continue;
            }
            self.forget_prompt(id);
            let source = match voices[..] {
                [] => Source::Silence,
                // One alone needs no mixing: nothing is delayed, and keys get through.
                [voice] => Source::Peer(voice),
                _ => Source::Mix(voices),
            };
            prompts.extend(prompt.filter(|_| matches!(source, Source::Silence)).map(|prompt| (id, prompt)));
            edits.push(Edit::Hear { listener, source });
        }
        self.media.apply(group_of(conversation), edits);
        for (id, prompt) in prompts {
            self.play(tenant, action, id, prompt, true)?;
        }
        Ok(())
    }

    /// Lets a leg hear nothing.
    pub(super) fn silence(&mut self, id: LegId) -> Result<(), ActionFailure> {
        self.forget_prompt(id);
        if let Some(leg) = self.with_audio(id)
            && let Some(group) = leg.group()
        {
            self.media.apply(group, vec![Edit::Hear { listener: leg.stream(), source: Source::Silence }]);
        }
        Ok(())
    }

    fn forget_prompt(&mut self, id: LegId) {
        if let Some(leg) = self.legs.get_mut(id) {
            leg.hearing += 1;
            leg.play = None;
            leg.waits_with = None;
        }
    }

    pub(super) fn start_recording(
        &mut self,
        tenant: TenantId,
        conversation: ConversationId,
        recording: RecordingId,
        left: LegId,
        right: Option<LegId>,
    ) -> Result<(), ActionFailure> {
        if self.with_audio(left).is_none() {
            let reason = "the customer's leg has ended".to_owned();
            self.tell(tenant, Input::RecordingFailed { recording, reason });
            return Ok(());
        }
        let folder = self.config.recordings.join(tenant.to_string());
        std::fs::create_dir_all(&folder).map_err(|error| {
            failure("MEDIA-003", format!("cannot create {}: {error}; check the disk and the folder's owner", folder.display()))
        })?;
        let edit = Edit::Record {
            recording: MediaRecording(recording.0),
            path: folder.join(format!("{recording}.wav")),
            left: StreamId(left.0),
            right: right.map(|leg| StreamId(leg.0)),
        };
        self.recording_tenants.insert(recording, tenant);
        self.media.apply(group_of(conversation), vec![edit]);
        Ok(())
    }

    pub(super) fn record_right(
        &mut self,
        conversation: ConversationId,
        recording: RecordingId,
        right: Option<LegId>,
    ) -> Result<(), ActionFailure> {
        let edit = Edit::RecordRight { recording: MediaRecording(recording.0), right: right.map(|leg| StreamId(leg.0)) };
        self.media.apply(group_of(conversation), vec![edit]);
        Ok(())
    }

    /// Keeps what is said out of the file, or no longer. One that does not run here cannot be vouched for.
    pub(super) fn pause_recording(
        &mut self,
        conversation: ConversationId,
        recording: RecordingId,
        pause: bool,
    ) -> Result<(), ActionFailure> {
        if !self.recording_tenants.contains_key(&recording) {
            return Err(failure("MEDIA-003", format!("{recording} does not run on this line")));
        }
        let recording = MediaRecording(recording.0);
        let edit = if pause { Edit::PauseRecording { recording } } else { Edit::ResumeRecording { recording } };
        self.media.apply(group_of(conversation), vec![edit]);
        Ok(())
    }

    pub(super) fn stop_recording(&mut self, conversation: ConversationId, recording: RecordingId) -> Result<(), ActionFailure> {
        self.media.apply(group_of(conversation), vec![Edit::StopRecording { recording: MediaRecording(recording.0) }]);
        Ok(())
    }

    /// Something happened to audio.
    pub(super) fn on_media(&mut self, event: Event) {
        match event {
            Event::PlayFinished { stream, play, .. } => {
                let id = LegId(stream.0);
                let Some(leg) = self.legs.get_mut(id) else { return };
                if let Some((expected, action)) = leg.play
                    && expected == play
                {
                    leg.play = None;
                    let tenant = leg.tenant;
                    self.tell(tenant, Input::PlayFinished { leg: id, play: action });
                }
            }
            Event::Digit { stream, digit, .. } => {
                let id = LegId(stream.0);
                if let Some(tenant) = self.legs.get(id).map(|leg| leg.tenant) {
                    self.tell(tenant, Input::Digit { leg: id, digit });
                }
            }
            Event::Quiet { stream, ms, .. } => self.on_quiet(LegId(stream.0), ms),
            Event::RecordingFinished { recording, path, duration_ms, channels, .. } => {
                let recording = RecordingId(recording.0);
                if let Some(tenant) = self.recording_tenants.remove(&recording) {
                    let path = path.strip_prefix(&self.config.recordings).unwrap_or(&path).to_string_lossy().into_owned();
                    self.tell(tenant, Input::RecordingFinished { recording, path, duration: Millis(duration_ms), channels });
                }
            }
            Event::RecordingFailed { recording, reason, .. } => {
                let recording = RecordingId(recording.0);
                if let Some(tenant) = self.recording_tenants.remove(&recording) {
                    tracing::error!(%recording, code = "MEDIA-003", %reason, "recording failed; the call goes on");
                    self.tell(tenant, Input::RecordingFailed { recording, reason });
                }
            }
            Event::Closed { stream, report, .. } => {
                let id = LegId(stream.0);
                let Some((tenant, exposed)) = self.legs.get(id).map(|leg| (leg.tenant, !leg.signalling_encrypted)) else { return };
                if report.unauthentic > 0 {
                    let packets = report.unauthentic;
                    tracing::warn!(leg = %id, packets, code = "MEDIA-006", "encrypted audio came that does not authenticate");
                }
                self.tell(tenant, Input::Measured { leg: id, quality: quality_of(&report, exposed) });
                if self.legs.get(id).is_some_and(|leg| leg.over) {
                    self.legs.remove(id);
                }
            }
            Event::FirstPacket { group, stream } => tracing::debug!(?group, ?stream, "first audio"),
            Event::DigitsSent { .. } => {}
        }
    }

    /// No audio although there should be some: the far end has probably gone without saying so.
    fn on_quiet(&mut self, id: LegId, ms: u64) {
        let Some(leg) = self.legs.get(id).filter(|leg| leg.connected && !leg.held && !leg.over) else { return };
        tracing::warn!(leg = %id, ms, code = "MEDIA-004", "no audio arrives; ending the leg");
        let call = leg.call;
        self.end_by_us(id, CauseKind::MediaLost, "no audio");
        self.endpoint.hang_up(Instant::now(), call, Some("Q.850;cause=38;text=\"No audio received\""));
    }
}

/// The file of an uploaded prompt. Names are plain, so that none leads out of the folder.
fn file_in(folder: &Path, name: &str) -> Result<PathBuf, String> {
    let plain = !name.is_empty() && !name.starts_with('.') && !name.contains(['/', '\\', '\0']);
    if plain { Ok(folder.join(format!("{name}.wav"))) } else { Err(format!("\"{name}\" is no name of a prompt")) }
}

/// `exposed` says that signalling was not encrypted, so that keys in it were readable on the way.
fn quality_of(report: &Report, exposed: bool) -> Quality {
    let stream = |figures: &Figures| Stream {
        packets: figures.packets,
        lost: figures.lost.unwrap_or(0),
        jitter_ms: figures.jitter_ms.unwrap_or(0.0),
        mos: figures.mos,
    };
    Quality {
        received: Some(stream(&report.received)),
        sent: Some(stream(&report.sent)),
        round_trip_ms: report.round_trip_ms,
        poor: report.received.poor || report.sent.poor,
        encrypted: report.encrypted,
        key_exposed: report.encrypted && exposed,
    }
}
