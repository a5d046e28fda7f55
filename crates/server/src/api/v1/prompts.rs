//! The tenant's own audio files: greetings and hold music.
//!
//! Decides that a file is a WAV file that lines can play, by its head; converting is the media engine's business.

use crate::{
    api::{document::write, extract::Page, guard::guard},
    auth::{Permission as P, Principal},
    error::{Code, Problem},
    limits,
    state::AppState,
};
use axum::{
    Json,
    body::Bytes,
    extract::{DefaultBodyLimit, FromRequest, Path, Request, State},
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::Serialize;
use serde_json::json;
use std::{
    io,
    path::{Path as FilePath, PathBuf},
};
use tower_http::services::ServeFile;
use utoipa::ToSchema;
use utoipa_axum::{
    router::{OpenApiRouter, UtoipaMethodRouterExt},
    routes,
};

/// Longest name of a prompt, in characters; file systems take 255 bytes.
const NAME_CHARS: usize = 100;
/// Sample rates that lines can play, in Hz.
const RATES: std::ops::RangeInclusive<u32> = 8_000..=48_000;

/// An audio file.
#[derive(Debug, Serialize, ToSchema)]
pub struct PromptFile {
    /// Its name, as used in `{"kind": "file", "name": …}`.
    #[schema(example = "welcome")]
    pub name: String,
    /// Length of the audio.
    pub duration_ms: u64,
    /// Samples per second.
    pub rate: u32,
    /// Channels.
    pub channels: u16,
    /// Size of the file.
    pub bytes: u64,
}

pub(super) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(guard(P::ReadConfiguration, routes!(list)))
        .routes(guard(P::WriteConfiguration, routes!(upload)).layer(DefaultBodyLimit::max(limits::PROMPT_BYTES)))
        .routes(guard(P::ReadConfiguration, routes!(audio)))
        .routes(guard(P::WriteConfiguration, routes!(remove)))
}

/// Where a prompt lies.
///
/// # Errors
/// When the name could lead out of the directory.
pub(crate) fn path_of(directory: &FilePath, name: &str) -> Result<PathBuf, Problem> {
    let plain = |character: char| character.is_alphanumeric() || matches!(character, '-' | '_' | ' ' | '.');
    let sound =
        !name.is_empty() && name.chars().count() <= NAME_CHARS && name.chars().all(plain) && !name.starts_with('.') && name.trim() == name;
    if !sound {
        return Err(Problem::invalid(
            "name",
            format!("A prompt's name has 1 to {NAME_CHARS} letters, digits, spaces, dots, dashes or underscores."),
        ));
    }
    Ok(directory.join(format!("{name}.wav")))
}

/// Lists the tenant's prompts.
#[utoipa::path(get, path = "/prompts", tag = "prompts", operation_id = "listPrompts",
    responses((status = 200, description = "All of them.", body = Page<PromptFile>)))]
async fn list(State(state): State<AppState>, principal: Principal) -> Result<Page<PromptFile>, Problem> {
    let directory = state.prompts(principal.tenant);
    let items = tokio::task::spawn_blocking(move || list_in(&directory)).await.map_err(|error| Problem::failure(&error))?;
    Ok(Page { items: items.map_err(|error| Problem::failure(&error))?, next: None })
}

fn list_in(directory: &FilePath) -> io::Result<Vec<PromptFile>> {
    let entries = match std::fs::read_dir(directory) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let mut prompts = Vec::new();
    for entry in entries.take(limits::PROMPTS_PER_TENANT) {
        let path = entry?.path();
        let name = path.file_stem().and_then(|name| name.to_str()).unwrap_or_default().to_owned();
        if path.extension().is_none_or(|extension| extension != "wav") || name.is_empty() || name.starts_with('.') {
            continue;
        }
        let mut head = vec![0_u8; HEAD_BYTES];
        let mut file = std::fs::File::open(&path)?;
        let length = io::Read::read(&mut file, &mut head)?;
        head.truncate(length);
        let bytes = file.metadata()?.len();
        if let Ok(wav) = wav_head(&head, bytes) {
            prompts.push(PromptFile { name, duration_ms: wav.duration_ms, rate: wav.rate, channels: wav.channels, bytes });
        }
    }
    prompts.sort_by(|one, other| one.name.cmp(&other.name));
    Ok(prompts)
}

/// Uploads a prompt, or replaces it.
#[utoipa::path(put, path = "/prompts/{name}", tag = "prompts", operation_id = "putPrompt", params(("name" = String, Path, description = "Its name.")),
    request_body(content = String, description = "A WAV file: PCM of 16 bits or G.711, one or two channels, 8 to 48 kHz.", content_type = "audio/wav"),
    responses((status = 200, description = "It can be used.", body = PromptFile)))]
async fn upload(
    State(state): State<AppState>,
    principal: Principal,
    Path(name): Path<String>,
    request: Request,
) -> Result<Json<PromptFile>, Problem> {
    let path = path_of(&state.prompts(principal.tenant), &name)?;
    let bytes = Bytes::from_request(request, &state)
        .await
        .map_err(|_| Problem::new(Code::TooLarge, format!("A prompt has at most {} MiB.", limits::PROMPT_BYTES >> 20)))?;
    let wav = wav_head(&bytes[..bytes.len().min(HEAD_BYTES)], bytes.len() as u64).map_err(|problem| Problem::invalid("body", problem))?;
    let prompt =
        PromptFile { name: name.clone(), duration_ms: wav.duration_ms, rate: wav.rate, channels: wav.channels, bytes: bytes.len() as u64 };
    let writer = state.writer(principal.tenant);
    let _turn = writer.lock().await;
    let directory = state.prompts(principal.tenant);
    let stored = tokio::task::spawn_blocking(move || store(&directory, &path, &bytes)).await.map_err(|error| Problem::failure(&error))?;
    match stored {
        Ok(true) => {}
        Ok(false) => return Err(Problem::new(Code::LimitReached, format!("A tenant has at most {} prompts.", limits::PROMPTS_PER_TENANT))),
        Err(error) => return Err(Problem::failure(&error)),
    }
    write::note(&state, &principal, "prompt.put", &name, json!({ "bytes": prompt.bytes })).await?;
    Ok(Json(prompt))
}

/// Writes the file whole or not at all; `false` when there are too many.
fn store(directory: &FilePath, path: &FilePath, bytes: &[u8]) -> io::Result<bool> {
    std::fs::create_dir_all(directory)?;
    if !path.exists() && std::fs::read_dir(directory)?.count() >= limits::PROMPTS_PER_TENANT {
        return Ok(false);
    }
    let beside = directory.join(format!(".{}.part", uuid::Uuid::now_v7().simple()));
    let written = std::fs::write(&beside, bytes)
        .and_then(|()| std::fs::File::open(&beside)?.sync_all())
        .and_then(|()| std::fs::rename(&beside, path));
    if written.is_err() {
        // What is left is hidden from lists; the error below is what matters.
        let _ = std::fs::remove_file(&beside);
    }
    written.map(|()| true)
}

/// Reads a prompt's audio; answers ranges.
#[utoipa::path(get, path = "/prompts/{name}", tag = "prompts", operation_id = "getPromptAudio", params(("name" = String, Path, description = "Its name.")),
    responses((status = 200, description = "The file.", content_type = "audio/wav")))]
async fn audio(
    State(state): State<AppState>,
    principal: Principal,
    Path(name): Path<String>,
    request: Request,
) -> Result<Response, Problem> {
    let path = path_of(&state.prompts(principal.tenant), &name)?;
    serve_file(&path, request, &format!("{name}.wav")).await
}

/// A file with ranges.
pub(super) async fn serve_file(path: &FilePath, request: Request, name: &str) -> Result<Response, Problem> {
    let served = ServeFile::new(path).try_call(request).await;
    let mut response = match served {
        Ok(response) => response.into_response(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(Problem::not_found("file", name)),
        Err(error) => return Err(Problem::failure(&error)),
    };
    match response.status() {
        StatusCode::NOT_FOUND => return Err(Problem::not_found("file", name)),
        StatusCode::RANGE_NOT_SATISFIABLE => {
            return Err(Problem::new(Code::RangeNotSatisfiable, "The file is shorter than that, or several parts were asked for at once."));
        }
        _ => {}
    }
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, header::HeaderValue::from_static("audio/wav"));
    // Names are checked; what is not ASCII is left out rather than encoded.
    let ascii: String = name.chars().filter(|character| character.is_ascii_alphanumeric() || "-_. ".contains(*character)).collect();
    if let Ok(value) = header::HeaderValue::from_str(&format!("inline; filename=\"{ascii}\"")) {
        headers.insert(header::CONTENT_DISPOSITION, value);
    }
    Ok(response)
}

/// Removes a prompt.
#[utoipa::path(delete, path = "/prompts/{name}", tag = "prompts", operation_id = "deletePrompt", params(("name" = String, Path, description = "Its name.")),
    responses((status = 204, description = "Gone.")))]
async fn remove(State(state): State<AppState>, principal: Principal, Path(name): Path<String>) -> Result<StatusCode, Problem> {
    let path = path_of(&state.prompts(principal.tenant), &name)?;
    let writer = state.writer(principal.tenant);
    let _turn = writer.lock().await;
    let wanted = name.clone();
    let user = state.tenant(principal.tenant)?.read(move |world| user_of(world, &wanted)).await?;
    if let Some(user) = user {
        return Err(Problem::new(Code::StillUsed, format!("{user} plays it; change that first.")));
    }
    match tokio::fs::remove_file(&path).await {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(Problem::not_found("prompt", name)),
        Err(error) => return Err(Problem::failure(&error)),
    }
    write::note(&state, &principal, "prompt.removed", &name, json!({})).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// What plays a prompt, in words.
fn user_of(world: &dreiklang_core::World, name: &str) -> Option<String> {
    let is_it =
        |prompt: &dreiklang_core::output::Prompt| matches!(prompt, dreiklang_core::output::Prompt::File { name: file } if file == name);
    let queue =
        world.queues().find(|queue| is_it(&queue.settings.hold_music)).map(|queue| format!("The queue \"{}\"", queue.settings.name));
    queue.or_else(|| {
        world.numbers().find(|number| number.greeting.as_ref().is_some_and(is_it)).map(|number| format!("The number {}", number.number))
    })
}

/// How much of a file is looked at: some programs put pictures and texts before the audio.
const HEAD_BYTES: usize = 64 * 1024;

#[derive(Debug, PartialEq, Eq)]
struct Wav {
    rate: u32,
    channels: u16,
    duration_ms: u64,
}

/// Reads the chunks up to the audio.
fn wav_head(head: &[u8], file_bytes: u64) -> Result<Wav, String> {
    let bytes = |at: usize, length: usize| head.get(at..at + length);
    let number = |at: usize| bytes(at, 4).and_then(|bytes| bytes.try_into().ok()).map(u32::from_le_bytes);
    let short = |at: usize| bytes(at, 2).and_then(|bytes| bytes.try_into().ok()).map(u16::from_le_bytes);
    if bytes(0, 4) != Some(b"RIFF") || bytes(8, 4) != Some(b"WAVE") {
        return Err("This is not a WAV file.".to_owned());
    }
    let mut at = 12;
    let mut format: Option<(u16, u32, u32)> = None;
    while let (Some(name), Some(length)) = (bytes(at, 4), number(at + 4)) {
        match name {
            b"fmt " => {
                let (Some(mut code), Some(channels), Some(rate), Some(rate_bytes), Some(bits)) =
                    (short(at + 8), short(at + 10), number(at + 12), number(at + 16), short(at + 22))
                else {
                    break;
                };
                // The extensible form repeats the code further behind.
                if code == 0xFFFE {
                    code = short(at + 32).unwrap_or(code);
                }
                let playable = matches!((code, bits), (1, 16) | (6, 8) | (7, 8)) && matches!(channels, 1 | 2) && RATES.contains(&rate);
                if !playable || rate_bytes == 0 {
                    return Err(format!(
                        "WAV files of format {code} with {bits} bits, {channels} channels and {rate} Hz cannot be played; use PCM with 16 bits, one or two channels, 8 to 48 kHz."
                    ));
                }
                format = Some((channels, rate, rate_bytes));
            }
            b"data" => {
                let Some((channels, rate, rate_bytes)) = format else { break };
                // Recorders that were cut off leave a length that is too long.
                let length = u64::from(length).min(file_bytes.saturating_sub(at as u64 + 8));
                if length == 0 {
                    return Err("The WAV file holds no audio.".to_owned());
                }
                return Ok(Wav { rate, channels, duration_ms: length * 1_000 / u64::from(rate_bytes) });
            }
            _ => {}
        }
        at = at.saturating_add(8).saturating_add(length as usize).saturating_add(length as usize & 1);
    }
    Err("The WAV file has no audio where it should be.".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wav(code: u16, channels: u16, rate: u32, bits: u16, data: usize) -> Vec<u8> {
        let rate_bytes = rate * u32::from(channels) * u32::from(bits) / 8;
        let mut file = b"RIFF\0\0\0\0WAVEfmt \x10\0\0\0".to_vec();
        file.extend(code.to_le_bytes());
        file.extend(channels.to_le_bytes());
        file.extend(rate.to_le_bytes());
        file.extend(rate_bytes.to_le_bytes());
        file.extend((channels * bits / 8).to_le_bytes());
        file.extend(bits.to_le_bytes());
        file.extend(b"LIST\x03\0\0\0abc\0data");
        file.extend((data as u32).to_le_bytes());
        file.resize(file.len() + data, 0);
        file
    }

    #[test]
    fn the_length_of_the_audio_is_read() {
        let file = wav(1, 1, 8_000, 16, 16_000);
        assert_eq!(wav_head(&file, file.len() as u64), Ok(Wav { rate: 8_000, channels: 1, duration_ms: 1_000 }));
        let cut = &file[..file.len() - 8_000];
        assert_eq!(wav_head(cut, cut.len() as u64).unwrap().duration_ms, 500, "what is not there does not count");
    }

    #[test]
    fn what_cannot_be_played_is_refused() {
        for file in [
            b"ID3".to_vec(),
            wav(1, 1, 8_000, 24, 100),
            wav(1, 6, 8_000, 16, 100),
            wav(3, 1, 8_000, 16, 100),
            wav(1, 1, 96_000, 16, 100),
            wav(1, 1, 8_000, 16, 0),
        ] {
            assert!(wav_head(&file, file.len() as u64).is_err());
        }
        for length in 0..60 {
            let file = wav(1, 1, 8_000, 16, 100);
            let _ = wav_head(&file[..length], length as u64);
        }
    }

    #[test]
    fn a_name_cannot_lead_out_of_the_directory() {
        let directory = FilePath::new("/prompts");
        for name in ["../x", "a/b", "..", ".hidden", "", " x", "a\0b", "a\\b"] {
            assert!(path_of(directory, name).is_err(), "{name:?}");
        }
        assert_eq!(path_of(directory, "Grüße 1.2").unwrap(), PathBuf::from("/prompts/Grüße 1.2.wav"));
    }
}
