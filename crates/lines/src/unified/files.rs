//! Files of recordings: fetched from the service in the day it keeps them, checked, put where all recordings lie, and deleted there.
//!
//! Which recording of the service is which of ours is written down beside where the file will lie, because its notice may come to another
//! process than the one that began it.

use super::{
    driver::{Done, Driver},
    limits,
    record::Running,
};
use dreiklang_core::{
    Input,
    ids::{RecordingId, TenantId},
    time::Millis,
};
use dreiklang_media::wav::{self, Wav};
use dreiklang_microsoft::{
    acs::Client,
    event_grid::{Chunk, RecordingFile},
};
use serde::{Deserialize, Serialize};
use std::{
    io::Read as _,
    path::{Path, PathBuf},
};

/// A file that is here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Fetched {
    pub path: String,
    pub duration: Millis,
    pub channels: u8,
}

/// What is written down of a recording that runs.
#[derive(Serialize, Deserialize)]
struct Note {
    connection: String,
    name: String,
}

impl Driver {
    fn note_of(&self, tenant: TenantId, recording: RecordingId) -> PathBuf {
        self.config.recordings.join(tenant.to_string()).join(format!("{recording}.unified"))
    }

    /// Writes down which recording of the service is ours.
    pub(super) fn keep_name(&self, tenant: TenantId, recording: RecordingId, connection: &str, name: &str) {
        let path = self.note_of(tenant, recording);
        let note = Note { connection: connection.to_owned(), name: name.to_owned() };
        tokio::task::spawn_blocking(move || {
            let written = path.parent().map_or(Ok(()), std::fs::create_dir_all).and_then(|()| {
                let text = serde_json::to_vec(&note).map_err(std::io::Error::other)?;
                std::fs::write(&path, text)
            });
            if let Err(error) = written {
                tracing::warn!(code = "MEDIA-003", %error, path = %path.display(), "after a restart this recording could not be fetched");
            }
        });
    }

    /// Recordings that a former process began.
    pub(super) fn recordings_taken_up(&mut self, tenant: TenantId, recordings: Vec<RecordingId>) {
        for recording in recordings {
            if self.recordings.running.contains_key(&recording) {
                continue;
            }
            let note = std::fs::read(self.note_of(tenant, recording)).ok().and_then(|text| serde_json::from_slice::<Note>(&text).ok());
            match note {
                Some(Note { connection, name }) => {
                    let running =
                        Running { tenant, connection, call: None, name, paused: false, away: false, stopped: false, fetching: false };
                    self.recordings.running.insert(recording, running);
                }
                None => {
                    let reason = "the system was restarted before the service had named the recording".to_owned();
                    self.tell(tenant, Input::RecordingFailed { recording, reason });
                }
            }
        }
    }

    /// A recording can be fetched.
    pub(super) fn file_told(&mut self, connection: &str, file: RecordingFile) {
        let Some(recording) = self.recordings.named(connection, &file.recording) else { return };
        let Some(ready) = self.registry.get(connection) else { return };
        let Some(running) =
            self.recordings.running.get_mut(&recording).filter(|running| running.connection == connection && !running.fetching)
        else {
            return;
        };
        running.fetching = true;
        let folder = self.config.recordings.join(running.tenant.to_string());
        let relative = PathBuf::from(running.tenant.to_string()).join(format!("{recording}.wav")).to_string_lossy().into_owned();
        self.run_apart(async move {
            let result = fetch(&ready.client, &file, &folder, recording).await.map(|(duration, channels)| Fetched {
                path: relative,
                duration,
                channels,
            });
            Done::Fetched { recording, result }
        });
    }

    /// A file is here, or cannot be had.
    pub(super) fn fetched(&mut self, recording: RecordingId, result: Result<Fetched, String>) {
        self.recording_over(recording, result);
    }

    /// The notice of a file has not come.
    pub(super) fn file_missing(&mut self, recording: RecordingId) {
        let waits = |running: &&Running| !running.fetching && running.stopped;
        if self.recordings.running.get(&recording).filter(waits).is_some() {
            self.recording_over(
                recording,
                Err("the service has not told where the file lies; is Event Grid set up for recordings?".to_owned()),
            );
        }
    }

    /// A recording has come to its end.
    pub(super) fn recording_over(&mut self, recording: RecordingId, result: Result<Fetched, String>) {
        let Some(running) = self.recordings.running.remove(&recording) else { return };
        let note = self.note_of(running.tenant, recording);
        tokio::task::spawn_blocking(move || {
            // What is left over does no harm.
            let _ = std::fs::remove_file(note);
        });
        let input = match result {
            Ok(Fetched { path, duration, channels }) => Input::RecordingFinished { recording, path, duration, channels },
            Err(reason) => {
                tracing::error!(%recording, code = "MEDIA-003", reason, "recording failed; the call goes on");
                Input::RecordingFailed { recording, reason }
            }
        };
        self.tell(running.tenant, input);
    }
}

/// Fetches all pieces and makes one file of them.
async fn fetch(client: &Client, file: &RecordingFile, folder: &Path, recording: RecordingId) -> Result<(Millis, u8), String> {
    let wrong = |error: std::io::Error| format!("{}: {error}; check the disk and the folder's owner", folder.display());
    tokio::fs::create_dir_all(folder).await.map_err(wrong)?;
    let mut parts = Vec::new();
    for (index, chunk) in file.chunks.iter().enumerate() {
        let part = folder.join(format!("{recording}.{index}.part"));
        fetch_chunk(client, chunk, &part).await?;
        parts.push(part);
    }
    let whole = folder.join(format!("{recording}.wav"));
    let (made, told) = (whole.clone(), file.duration_ms);
    let shape = tokio::task::spawn_blocking(move || join(&parts, &made, told)).await.map_err(|error| error.to_string())??;
    for address in file.chunks.iter().filter_map(|chunk| chunk.delete_location.as_ref()) {
        if let Err(failure) = client.delete_file(address).await {
            tracing::warn!(%recording, %failure, "a fetched recording stays with the service until its time is over");
        }
    }
    Ok(shape)
}

async fn fetch_chunk(client: &Client, chunk: &Chunk, part: &Path) -> Result<(), String> {
    let mut tries = 1;
    loop {
        let mut out = tokio::fs::File::create(part).await.map_err(|error| format!("{}: {error}", part.display()))?;
        let failure = match client.fetch(&chunk.content_location, &mut out, limits::FILE_BYTES).await {
            Ok(_) => return out.sync_all().await.map_err(|error| format!("{}: {error}", part.display())),
            Err(failure) => failure,
        };
        if tries >= limits::FETCHES {
            return Err(format!("the file cannot be fetched: {failure}"));
        }
        tries += 1;
        tokio::time::sleep(limits::FETCH_PAUSE).await;
    }
}

/// One piece is taken as it is; several are put behind each other.
fn join(parts: &[PathBuf], whole: &Path, told_ms: u64) -> Result<(Millis, u8), String> {
    let wrong = |path: &Path| {
        let path = path.display().to_string();
        move |error: std::io::Error| format!("{path}: {error}")
    };
    let [first, rest @ ..] = parts else { return Err("the service named no file".to_owned()) };
    if rest.is_empty() {
        let (duration, channels) = shape(first).map_err(|problem| format!("the fetched file is no recording: {problem}"))?;
        std::fs::rename(first, whole).map_err(wrong(whole))?;
        return Ok((Millis(duration.unwrap_or(told_ms)), channels));
    }
    let mut joined: Option<Wav> = None;
    for part in parts {
        let wav = Wav::read(part, limits::FILE_BYTES).map_err(|error| format!("the fetched file is no recording: {error}"))?;
        match &mut joined {
            None => joined = Some(wav),
            Some(joined) if joined.rate_hz == wav.rate_hz && joined.channels.len() == wav.channels.len() => {
                for (all, more) in joined.channels.iter_mut().zip(wav.channels) {
                    all.extend(more);
                }
            }
            Some(_) => return Err("the pieces of the recording do not fit together".to_owned()),
        }
    }
    let joined = joined.ok_or("the service named no file")?;
    let channels: Vec<&[i16]> = joined.channels.iter().map(Vec::as_slice).collect();
    std::fs::write(whole, wav::encode(&channels, joined.rate_hz, wav::Encoding::Pcm16)).map_err(wrong(whole))?;
    for part in parts {
        // What is left over does no harm.
        let _ = std::fs::remove_file(part);
    }
    Ok((Millis(joined.duration_ms()), u8::try_from(channels.len()).unwrap_or(u8::MAX)))
}

/// Length and channels by the head of a WAV file, without reading it all.
fn shape(path: &Path) -> Result<(Option<u64>, u8), String> {
    let mut head = [0_u8; 44];
    let mut file = std::fs::File::open(path).map_err(|error| error.to_string())?;
    file.read_exact(&mut head).map_err(|error| error.to_string())?;
    if &head[..4] != b"RIFF" || &head[8..12] != b"WAVE" {
        return Err("it does not begin with RIFF and WAVE".to_owned());
    }
    if &head[12..16] != b"fmt " {
        return Ok((None, 1));
    }
    let channels = u8::try_from(u16::from_le_bytes([head[22], head[23]])).unwrap_or(u8::MAX);
    let bytes_per_second = u64::from(u32::from_le_bytes([head[28], head[29], head[30], head[31]]));
    let length = file.metadata().map_err(|error| error.to_string())?.len().saturating_sub(44);
    Ok(((bytes_per_second > 0).then(|| length * 1_000 / bytes_per_second), channels.max(1)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn part(folder: &Path, name: &str, left: i16, samples: usize) -> PathBuf {
        let (one, other) = (vec![left; samples], vec![-left; samples]);
        let path = folder.join(name);
        std::fs::write(&path, wav::encode(&[&one, &other], 16_000, wav::Encoding::Pcm16)).unwrap();
        path
    }

    #[test]
    fn one_piece_is_taken_as_it_is_and_several_are_put_behind_each_other() {
        let folder = tempfile::tempdir().unwrap();
        let whole = folder.path().join("whole.wav");
        let first = part(folder.path(), "a", 5, 16_000);
        assert_eq!(join(&[first], &whole, 0).unwrap(), (Millis(1_000), 2));
        let parts = [part(folder.path(), "b", 5, 8_000), part(folder.path(), "c", 9, 16_000)];
        assert_eq!(join(&parts, &whole, 0).unwrap(), (Millis(1_500), 2));
        let joined = Wav::read(&whole, 1 << 20).unwrap();
        assert_eq!((joined.channels[0][7_999], joined.channels[0][8_000], joined.channels[1][8_000]), (5, 9, -9));
        assert!(!parts[0].exists());
    }

    #[test]
    fn what_is_no_recording_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x");
        std::fs::write(&path, vec![b'<'; 100]).unwrap();
        assert!(join(&[path], &folder.path().join("whole.wav"), 0).unwrap_err().contains("no recording"));
        assert!(join(&[], &folder.path().join("whole.wav"), 0).is_err());
    }
}
