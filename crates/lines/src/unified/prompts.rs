//! What the service plays: rendered here to the WAV it wants, and fetched by it from an address that is good for minutes only.
//!
//! A prompt's name is the hash of its audio, so that the service may keep it, and nobody can guess another one.

use super::limits;
use data_encoding::HEXLOWER;
use dreiklang_core::{ids::TenantId, output::Prompt};
use dreiklang_media::{
    codec::Codec,
    prompt::{self, Builtin, Library},
    wav,
};
use dreiklang_microsoft::acs::model::{FileSource, PlaySource, TextSource};
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};
use std::{
    collections::VecDeque,
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

/// The rate the service wants.
const RATE_HZ: u32 = 16_000;
/// The rate prompts have.
const TELEPHONE_HZ: u32 = 8_000;

/// Renders prompts and hands them out. Cheap to clone; clones are the same.
#[derive(Clone)]
pub(super) struct Shelf {
    library: Arc<Library>,
    prompts: PathBuf,
    key: [u8; 32],
    kept: Arc<Mutex<Kept>>,
}

#[derive(Default)]
struct Kept {
    files: VecDeque<(String, Arc<Vec<u8>>)>,
    bytes: usize,
}

/// Something the service can play.
pub(super) struct Playable {
    pub source: PlaySource,
    pub length: Duration,
}

impl Shelf {
    pub fn new(prompts: PathBuf, cache: PathBuf, key: [u8; 32]) -> Result<Shelf, prompt::PromptError> {
        Ok(Shelf { library: Arc::new(Library::open(prompt::Config::new(cache))?), prompts, key, kept: Arc::default() })
    }

    /// A prompt as the service plays it. `address` is where it fetches files from; `speaks` says that it speaks texts itself.
    pub async fn playable(&self, tenant: TenantId, prompt: Prompt, address: String, speaks: bool) -> Result<Playable, String> {
        if let (Prompt::Text { text, language }, true) = (&prompt, speaks) {
            let length = limits::SPOKEN_CHAR * u32::try_from(text.chars().count()).unwrap_or(u32::MAX) + limits::PLAYED;
            let text = TextSource { text: text.clone(), source_locale: Some(locale_of(language)), voice_kind: Some("female".into()) };
            return Ok(Playable { source: PlaySource::Text { text }, length });
        }
        let shelf = self.clone();
        let rendered = tokio::task::spawn_blocking(move || shelf.render(tenant, prompt)).await;
        let (name, length) = rendered.map_err(|error| error.to_string())??;
        let until = now() + limits::PROMPT_LIFE.as_secs();
        let uri = format!("{address}/hooks/unified/prompts/{name}.wav/{until}/{}", self.sign(&name, until));
        Ok(Playable { source: PlaySource::File { file: FileSource { uri }, cache: Some(name) }, length })
    }

    /// Composes the music before anybody waits for it.
    pub fn warm_up(&self) {
        let shelf = self.clone();
        tokio::task::spawn_blocking(move || {
            if let Err(problem) = shelf.render(TenantId(0), Prompt::Music) {
                tracing::error!(code = "MEDIA-002", problem, "there is no music");
            }
        });
    }

    /// The file of an address that we gave out. `None` for one that is wrong, or too old.
    pub fn file(&self, name: &str, until: u64, signature: &str) -> Option<Arc<Vec<u8>>> {
        let wanted = HEXLOWER.decode(signature.as_bytes()).ok()?;
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.key).ok()?;
        mac.update(format!("{name} {until}").as_bytes());
        mac.verify_slice(&wanted).ok()?;
        if until < now() {
            return None;
        }
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let at = kept.files.iter().position(|(known, _)| known == name)?;
        let found = kept.files.remove(at)?;
        let bytes = Arc::clone(&found.1);
        kept.files.push_back(found);
        Some(bytes)
    }

    fn sign(&self, name: &str, until: u64) -> String {
        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(&self.key) else { return String::new() };
        mac.update(format!("{name} {until}").as_bytes());
        HEXLOWER.encode(&mac.finalize().into_bytes())
    }

    fn render(&self, tenant: TenantId, prompt: Prompt) -> Result<(String, Duration), String> {
        let text = |error: prompt::PromptError| error.to_string();
        let prompt = match prompt {
            Prompt::File { name } => {
                // Names are plain, so that none leads out of the folder.
                if name.is_empty() || name.starts_with('.') || name.contains(['/', '\\', '\0']) {
                    return Err(format!("\"{name}\" is no name of a prompt"));
                }
                self.library.from_file(&self.prompts.join(tenant.to_string()).join(format!("{name}.wav"))).map_err(text)?
            }
            Prompt::Text { text: said, language } => self.library.speak(&said, &language).map_err(text)?,
            Prompt::Music => Builtin::HoldMusic.prompt(),
            Prompt::Ringback => Builtin::Ringback.prompt(),
            Prompt::Beep => Builtin::Beep.prompt(),
        };
        let samples = prompt.samples(Codec::Pcma);
        let name = {
            let bytes: Vec<u8> = samples.iter().flat_map(|sample| sample.to_le_bytes()).collect();
            HEXLOWER.encode(&Sha256::digest(&bytes)[..16])
        };
        let length = Duration::from_millis(prompt.duration_ms());
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(at) = kept.files.iter().position(|(known, _)| *known == name)
            && let Some(found) = kept.files.remove(at)
        {
            kept.files.push_back(found);
            return Ok((name, length));
        }
        let file = wav::encode(&[&wav::resample(&samples, TELEPHONE_HZ, RATE_HZ)], RATE_HZ, wav::Encoding::Pcm16);
        kept.bytes += file.len();
        kept.files.push_back((name.clone(), Arc::new(file)));
        while kept.bytes > limits::PROMPT_BYTES && kept.files.len() > 1 {
            if let Some((_, oldest)) = kept.files.pop_front() {
                kept.bytes -= oldest.len();
            }
        }
        Ok((name, length))
    }
}

/// The service wants a region; the usual one of languages that come without.
fn locale_of(language: &str) -> String {
    match language.to_ascii_lowercase().as_str() {
        "en" => "en-US".to_owned(),
        "da" => "da-DK".to_owned(),
        "sv" => "sv-SE".to_owned(),
        "cs" => "cs-CZ".to_owned(),
        "ja" => "ja-JP".to_owned(),
        "zh" => "zh-CN".to_owned(),
        "uk" => "uk-UA".to_owned(),
        short if short.len() == 2 => format!("{short}-{}", short.to_ascii_uppercase()),
        _ => language.to_owned(),
    }
}

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shelf() -> (tempfile::TempDir, Shelf) {
        let folder = tempfile::tempdir().unwrap();
        let shelf = Shelf::new(folder.path().join("prompts"), folder.path().join("cache"), [7; 32]).unwrap();
        (folder, shelf)
    }

    fn parts(playable: &Playable) -> (String, u64, String) {
        let PlaySource::File { file, .. } = &playable.source else { panic!("{:?}", playable.source) };
        let rest = file.uri.strip_prefix("https://cc/hooks/unified/prompts/").unwrap();
        let parts: Vec<&str> = rest.split('/').collect();
        (parts[0].strip_suffix(".wav").unwrap().to_owned(), parts[1].parse().unwrap(), parts[2].to_owned())
    }

    #[tokio::test]
    async fn the_service_fetches_what_we_gave_out_and_nothing_else() {
        let (_folder, shelf) = shelf();
        let played = shelf.playable(TenantId(1), Prompt::Beep, "https://cc".to_owned(), false).await.unwrap();
        let (name, until, signature) = parts(&played);
        let file = wav::Wav::parse(&shelf.file(&name, until, &signature).unwrap()).unwrap();
        assert_eq!((file.rate_hz, file.channels.len(), file.duration_ms()), (16_000, 1, 500));
        assert_eq!(shelf.file(&name, until + 1, &signature), None, "its life is signed too");
        assert_eq!(shelf.file("other", until, &signature), None);
        assert_eq!(shelf.file(&name, until, "00"), None);
        assert_eq!(shelf.file(&name, 5, &shelf.sign(&name, 5)), None, "too old");
        let again = shelf.playable(TenantId(2), Prompt::Beep, "https://cc".to_owned(), true).await.unwrap();
        assert_eq!(parts(&again).0, name, "the same audio has the same name");
    }

    #[tokio::test]
    async fn texts_are_spoken_by_the_service_where_it_can() {
        let (_folder, shelf) = shelf();
        let prompt = Prompt::Text { text: "Hallo".to_owned(), language: "de".to_owned() };
        let spoken = shelf.playable(TenantId(1), prompt, String::new(), true).await.unwrap();
        let PlaySource::Text { text } = spoken.source else { panic!() };
        assert_eq!((text.text.as_str(), text.source_locale.as_deref()), ("Hallo", Some("de-DE")));
        assert_eq!(locale_of("en"), "en-US");
        assert_eq!(locale_of("pt-BR"), "pt-BR");
    }

    #[tokio::test]
    async fn no_name_of_a_prompt_leads_elsewhere() {
        let (_folder, shelf) = shelf();
        for name in ["../secret", "a/b", ".hidden", ""] {
            assert!(shelf.playable(TenantId(1), Prompt::File { name: name.to_owned() }, String::new(), false).await.is_err(), "{name}");
        }
    }
}
