//! The library: prompts by their content, made once, kept in memory and on disk.
//!
//! A prompt's name in the cache is the hash of what it is made of (audio file, or text and voice), so nothing has to be
//! invalidated. The memory holds what was played lately; the directory holds spoken texts, which cost most to make.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use sha2::{Digest, Sha256};

use super::{Prompt, loudness, speech};
use crate::codec::CLOCK_HZ;
use crate::limits;
use crate::wav::{self, Wav, WavError};

/// A half-written file of a process that died is removed after this.
const PART_AGE_MAX: Duration = Duration::from_secs(3_600);
/// Changes when prompts are made differently (loudness, rate of speech), so that old ones are not found.
const RECIPE: &str = "dreiklang prompt 1";

/// How the library works.
#[derive(Debug, Clone)]
pub struct Config {
    /// Directory for spoken prompts; created if it is missing.
    pub cache: PathBuf,
    /// Bytes the directory may take; the prompts unused for longest are forgotten first.
    pub cache_bytes_max: u64,
    /// The speech program: a name to be found in `PATH`, or a path.
    pub engine: PathBuf,
    /// How long it may take for one prompt.
    pub time_limit: Duration,
}

impl Config {
    /// `espeak-ng`, 20 s per prompt, 256 MB of cache.
    pub fn new(cache: PathBuf) -> Config {
        Config { cache, cache_bytes_max: 256 << 20, engine: "espeak-ng".into(), time_limit: Duration::from_secs(20) }
    }
}

/// Why there is no prompt; written for the administrator who wanted it.
#[derive(Debug, thiserror::Error)]
pub enum PromptError {
    /// The speech program is not there.
    #[error("no text-to-speech: the program {engine} is not installed (on Debian and Ubuntu: apt-get install espeak-ng)")]
    NoEngine {
        /// The program.
        engine: String,
    },
    /// It did not finish in time and was killed.
    #[error("text-to-speech: {engine} was stopped after {seconds} s")]
    EngineTimeOut {
        /// The program.
        engine: String,
        /// The limit.
        seconds: u64,
    },
    /// It ended without audio.
    #[error("text-to-speech: {engine} failed: {complaint}")]
    EngineFailed {
        /// The program.
        engine: String,
        /// How it ended and what it said.
        complaint: String,
    },
    /// No voice for the language.
    #[error("text-to-speech has no voice for the language {0:?}; there are de and en")]
    NoVoice(String),
    /// Nothing to say.
    #[error("the text of the prompt is empty")]
    TextEmpty,
    /// Too much to say.
    #[error("the text of the prompt has {chars} characters; {max} are allowed")]
    TextTooLong {
        /// What it has.
        chars: usize,
        /// What is allowed.
        max: usize,
    },
    /// A file that is not usable.
    #[error("the prompt cannot be used: {0}")]
    Wav(#[from] WavError),
    /// Too long to be a prompt.
    #[error("the prompt is {0} s long; 600 s are allowed")]
    TooLong(u64),
    /// Without any audio.
    #[error("the prompt has no audio")]
    Empty,
    /// The cache directory refuses.
    #[error("the prompt cache {path} cannot be used: {error}")]
    Cache {
        /// The directory or file.
        path: PathBuf,
        /// What the operating system said.
        error: io::Error,
    },
}

/// Prompts from files and texts. All methods block (file, process); the server calls them on threads that may wait.
pub struct Library {
    config: Config,
    memory: Mutex<Memory>,
    speaking: Mutex<usize>,
    speaker_free: Condvar,
    /// Tells files apart that are being written at the same time.
    parts: AtomicU64,
}

type Key = [u8; 32];

/// What was used lately, oldest first.
#[derive(Default)]
struct Memory {
    prompts: Vec<(Key, Arc<Prompt>)>,
    bytes: usize,
}

impl Library {
    /// Opens the library and its cache directory.
    pub fn open(config: Config) -> Result<Library, PromptError> {
        std::fs::create_dir_all(&config.cache).map_err(|error| PromptError::Cache { path: config.cache.clone(), error })?;
        Ok(Library { config, memory: Mutex::default(), speaking: Mutex::new(0), speaker_free: Condvar::new(), parts: AtomicU64::new(0) })
    }

    /// A prompt from a WAV file.
    pub fn from_file(&self, path: &Path) -> Result<Arc<Prompt>, PromptError> {
        let size = std::fs::metadata(path).map_err(WavError::from)?.len();
        if size > limits::PROMPT_FILE_BYTES_MAX {
            return Err(WavError::TooLarge(limits::PROMPT_FILE_BYTES_MAX).into());
        }
        self.from_wav(&std::fs::read(path).map_err(WavError::from)?)
    }

    /// A prompt from a WAV file's content, made equally loud as all others.
    pub fn from_wav(&self, bytes: &[u8]) -> Result<Arc<Prompt>, PromptError> {
        if bytes.len() as u64 > limits::PROMPT_FILE_BYTES_MAX {
            return Err(WavError::TooLarge(limits::PROMPT_FILE_BYTES_MAX).into());
        }
        let key = key(&[b"file", bytes]);
        if let Some(prompt) = self.remembered(&key) {
            return Ok(prompt);
        }
        let samples = telephone_audio(bytes)?;
        Ok(self.remember(key, &samples))
    }

    /// A spoken text in the voice of a language tag such as `de` or `en-US`.
    pub fn speak(&self, text: &str, language: &str) -> Result<Arc<Prompt>, PromptError> {
        let voice = speech::voice(language).ok_or_else(|| PromptError::NoVoice(language.to_owned()))?;
        let text = text.trim();
        let chars = text.chars().count();
        if chars == 0 {
            return Err(PromptError::TextEmpty);
        }
        if chars > limits::PROMPT_TEXT_CHARS_MAX {
            return Err(PromptError::TextTooLong { chars, max: limits::PROMPT_TEXT_CHARS_MAX });
        }
        let key = key(&[b"text", voice.as_bytes(), text.as_bytes()]);
        if let Some(prompt) = self.remembered(&key) {
            return Ok(prompt);
        }
        let path = self.config.cache.join(format!("{}.wav", hex(&key)));
        if let Some(samples) = cached(&path) {
            return Ok(self.remember(key, &samples));
        }
        let spoken = {
            let _speaker = self.speaker();
            speech::speak(&self.config.engine, voice, text, self.config.time_limit)?
        };
        let samples = telephone_audio(&spoken)?;
        // A prompt that cannot be kept can be played nevertheless.
        if let Err(error) = self.keep(&path, &samples) {
            tracing::warn!(%error, "a spoken prompt is not cached");
        }
        Ok(self.remember(key, &samples))
    }

    /// What the speech program says about itself, or why it cannot be used.
    pub fn engine_version(&self) -> Result<String, PromptError> {
        speech::version(&self.config.engine, self.config.time_limit)
    }

    fn remembered(&self, key: &Key) -> Option<Arc<Prompt>> {
        let prompts = &mut locked(&self.memory).prompts;
        let index = prompts.iter().position(|(known, _)| known == key)?;
        let entry = prompts.remove(index);
        let prompt = entry.1.clone();
        prompts.push(entry);
        Some(prompt)
    }

    fn remember(&self, key: Key, samples: &[i16]) -> Arc<Prompt> {
        let prompt = Arc::new(Prompt::from_samples(samples));
        let mut memory = locked(&self.memory);
        memory.bytes += prompt.bytes();
        memory.prompts.push((key, prompt.clone()));
        while memory.bytes > limits::PROMPT_MEMORY_BYTES_MAX && memory.prompts.len() > 1 {
            let (_, oldest) = memory.prompts.remove(0);
            memory.bytes -= oldest.bytes();
        }
        prompt
    }

    /// Writes a prompt to the cache, whole or not at all, and makes room for it.
    fn keep(&self, path: &Path, samples: &[i16]) -> Result<(), PromptError> {
        let number = self.parts.fetch_add(1, Ordering::Relaxed);
        let part = path.with_extension(format!("{}-{number}.part", std::process::id()));
        let failed = |error| PromptError::Cache { path: part.clone(), error };
        let bytes = wav::encode(&[samples], CLOCK_HZ, wav::Encoding::Pcm16);
        let written = std::fs::write(&part, bytes).and_then(|()| std::fs::rename(&part, path));
        if written.is_err() {
            let _ = std::fs::remove_file(&part);
        }
        written.map_err(failed)?;
        self.make_room().map_err(failed)
    }

    fn make_room(&self) -> io::Result<()> {
        let now = SystemTime::now();
        let mut files = Vec::new();
        for entry in std::fs::read_dir(&self.config.cache)?.take(limits::PROMPT_CACHE_FILES_MAX) {
            let entry = entry?;
            // Another process may have removed it since.
            let Ok(metadata) = entry.metadata() else { continue };
            let used = metadata.modified()?;
            match entry.path().extension().and_then(|extension| extension.to_str()) {
                Some("wav") => files.push((used, metadata.len(), entry.path())),
                Some("part") if now.duration_since(used).is_ok_and(|age| age > PART_AGE_MAX) => {
                    std::fs::remove_file(entry.path())?;
                }
                _ => {}
            }
        }
        let mut bytes: u64 = files.iter().map(|(_, bytes, _)| bytes).sum();
        files.sort();
        for (_, size, path) in files {
            if bytes <= self.config.cache_bytes_max {
                break;
            }
            std::fs::remove_file(path)?;
            bytes -= size;
        }
        Ok(())
    }

    /// Waits until fewer than [`limits::SPEAKERS_MAX`] processes run.
    fn speaker(&self) -> Speaker<'_> {
        let speaking = locked(&self.speaking);
        let mut speaking =
            self.speaker_free.wait_while(speaking, |speaking| *speaking >= limits::SPEAKERS_MAX).unwrap_or_else(PoisonError::into_inner);
        *speaking += 1;
        Speaker(self)
    }
}

/// The right to run one speech process.
struct Speaker<'a>(&'a Library);

impl Drop for Speaker<'_> {
    fn drop(&mut self) {
        *locked(&self.0.speaking) -= 1;
        self.0.speaker_free.notify_one();
    }
}

/// Decodes, converts and levels; checks the limits of a prompt.
fn telephone_audio(bytes: &[u8]) -> Result<Vec<i16>, PromptError> {
    let wav = Wav::parse(bytes)?;
    if wav.is_empty() {
        return Err(PromptError::Empty);
    }
    if wav.duration_ms() > limits::PROMPT_MS_MAX {
        return Err(PromptError::TooLong(wav.duration_ms() / 1_000));
    }
    let mut samples = wav.to_telephone();
    loudness::normalize(&mut samples);
    Ok(samples)
}

/// A prompt from the cache, noted as used now. A damaged file counts as none and will be written anew.
fn cached(path: &Path) -> Option<Vec<i16>> {
    let wav = Wav::read(path, limits::PROMPT_FILE_BYTES_MAX).ok()?;
    if wav.truncated || wav.is_empty() || wav.rate_hz != CLOCK_HZ {
        return None;
    }
    let touched = std::fs::File::options().append(true).open(path).and_then(|file| file.set_modified(SystemTime::now()));
    if let Err(error) = touched {
        tracing::debug!(%error, "a cached prompt cannot be noted as used");
    }
    wav.channels.into_iter().next()
}

fn key(parts: &[&[u8]]) -> Key {
    let mut hash = Sha256::new();
    hash.update(RECIPE);
    for part in parts {
        // The lengths keep "a" + "bc" apart from "ab" + "c".
        hash.update((part.len() as u64).to_le_bytes());
        hash.update(part);
    }
    hash.finalize().into()
}

fn hex(key: &Key) -> String {
    key.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
