//! What is played: fetched from where it lies, or spoken by the speech program (a babble where there is none).

use super::Hub;
use crate::{
    exchange::{effect::Source, operation::Failure},
    people::sound::{self, RATE_HZ},
};
use dreiklang_media::{codec::Codec, wav};
use std::sync::Arc;

/// Largest file that is fetched.
const FILE_BYTES_MAX: usize = 64 * 1024 * 1024;

impl Hub {
    /// Fetches all sources, in their order.
    pub(super) async fn load(self: Arc<Hub>, ticket: u64, sources: Vec<Source>) {
        let mut sounds = Vec::with_capacity(sources.len());
        let mut failed = None;
        for (index, source) in sources.iter().enumerate() {
            let sound = match source {
                Source::File(url) => self.file(url).await,
                Source::Text { text, language } => Ok(self.speech(text, language).await),
            };
            match sound {
                Ok(sound) => sounds.push(sound),
                Err(failure) => {
                    failed = Some((index, failure));
                    break;
                }
            }
        }
        self.with(|state| state.exchange.loaded(ticket, failed.map_or(Ok(sounds), Err)));
    }

    async fn file(&self, url: &str) -> Result<Arc<[i16]>, Failure> {
        let response = self.http.get(url).send().await.and_then(reqwest::Response::error_for_status);
        let response = response.map_err(|error| {
            tracing::warn!(url, %error, "a prompt cannot be fetched");
            Failure::Download
        })?;
        let bytes = response.bytes().await.map_err(|_| Failure::Download)?;
        if bytes.len() > FILE_BYTES_MAX || !is_wav_16_bit(&bytes) {
            return Err(Failure::Format);
        }
        let wav = wav::Wav::parse(&bytes).map_err(|_| Failure::Format)?;
        match wav.channels.as_slice() {
            [samples] if wav.rate_hz == RATE_HZ => Ok(samples.as_slice().into()),
            _ => {
                tracing::warn!(url, rate_hz = wav.rate_hz, channels = wav.channels.len(), "a prompt is not mono at 16 kHz");
                Err(Failure::Format)
            }
        }
    }

    /// A spoken text.
    pub(crate) async fn speech(self: &Arc<Hub>, text: &str, language: &str) -> Arc<[i16]> {
        let (hub, words, language) = (Arc::clone(self), text.to_owned(), language.to_owned());
        let spoken = tokio::task::spawn_blocking(move || {
            let library = hub.prompts.as_ref()?;
            let prompt = library.speak(&words, &language).or_else(|_| library.speak(&words, "en-US")).ok()?;
            Some(wav::resample(&prompt.samples(Codec::Pcmu), 8_000, RATE_HZ))
        });
        match spoken.await {
            Ok(Some(samples)) => samples.into(),
            Ok(None) | Err(_) => babble(text).into(),
        }
    }

    /// Puts a recording into the customer's storage.
    pub(super) async fn upload(&self, url: &str, content_type: &str, bytes: Vec<u8>, token: &str) {
        let request = self.http.put(url).bearer_auth(token).header("x-ms-blob-type", "BlockBlob").header("x-ms-version", "2023-11-03");
        let result = request.header("content-type", content_type).body(bytes).send().await.and_then(reqwest::Response::error_for_status);
        if let Err(error) = result {
            tracing::warn!(url, %error, "a recording could not be put into its storage");
        }
    }
}

/// Syllables without words, about as long as the text.
fn babble(text: &str) -> Vec<i16> {
    text.bytes().filter(u8::is_ascii_alphanumeric).flat_map(|letter| sound::beep(300 + u32::from(letter) * 4, 60)).collect()
}

/// Whether a file's format is linear with 16 bits.
fn is_wav_16_bit(bytes: &[u8]) -> bool {
    let format = bytes.windows(4).position(|window| window == b"fmt ").map(|at| at + 8);
    let number = |at: usize| bytes.get(at..at + 2).map(|pair| u16::from_le_bytes([pair[0], pair[1]]));
    format.is_some_and(|at| matches!(number(at), Some(1 | 0xFFFE)) && number(at + 14) == Some(16))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_linear_16_bit_is_taken() {
        let samples = [1_i16; 100];
        assert!(is_wav_16_bit(&wav::encode(&[&samples], RATE_HZ, wav::Encoding::Pcm16)));
        assert!(!is_wav_16_bit(b"RIFF....WAVEdata"));
    }

    #[test]
    fn a_babble_is_as_long_as_its_text() {
        assert_eq!(babble("hello you").len(), 8 * 960);
    }
}
