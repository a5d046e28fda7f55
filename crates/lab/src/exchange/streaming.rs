//! Sound and text of a call to the application's socket, and sound from it. The frames as the service writes them.

use crate::people::sound::{self, Converter, FRAME, Frame, RATE_HZ};
use data_encoding::BASE64;
use serde_json::{Value, json};
use std::collections::VecDeque;

/// Seconds of sound an application may send ahead; the oldest goes first.
const AHEAD_SAMPLES: usize = 120 * RATE_HZ as usize;

/// What the application wants of its media socket.
#[derive(Clone, Debug, Default)]
pub(crate) struct StreamingOptions {
    pub(crate) id: String,
    pub(crate) url: Option<String>,
    pub(crate) unmixed: bool,
    pub(crate) start: bool,
    pub(crate) bidirectional: bool,
    pub(crate) dtmf: bool,
    pub(crate) is_24k: bool,
}

/// A media socket.
pub(crate) struct Streaming {
    pub(crate) options: StreamingOptions,
    pub(crate) socket: Socket,
    /// Who asked last, to be told: context and callback.
    pub(crate) asked: (Option<String>, Option<String>),
    from_application: VecDeque<i16>,
    converters: Vec<(String, Converter)>,
}

/// How far a socket is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Socket {
    Closed,
    Opening(u64),
    Open(u64),
}

impl Socket {
    pub(crate) fn id(self) -> Option<u64> {
        match self {
            Socket::Closed => None,
            Socket::Opening(id) | Socket::Open(id) => Some(id),
        }
    }

    fn word(self) -> &'static str {
        if matches!(self, Socket::Open(_)) { "active" } else { "inactive" }
    }
}

impl Streaming {
    pub(crate) fn new(options: StreamingOptions) -> Streaming {
        Streaming { options, socket: Socket::Closed, asked: (None, None), from_application: VecDeque::new(), converters: Vec::new() }
    }

    pub(crate) fn json(&self) -> Value {
        json!({ "id": self.options.id, "state": self.socket.word(), "subscribedContentTypes": ["audio"] })
    }

    /// The first frame.
    pub(crate) fn metadata(&self) -> String {
        let (rate, length) = if self.options.is_24k { (24_000, 960) } else { (16_000, 640) };
        let metadata = json!({
            "subscriptionId": self.options.id, "encoding": "PCM", "sampleRate": rate, "channels": 1, "length": length,
        });
        json!({ "kind": "AudioMetadata", "audioMetadata": metadata }).to_string()
    }

    /// 20 ms of somebody (or of all).
    pub(crate) fn audio(&mut self, frame: &Frame, speaker: Option<&str>, time: jiff::Timestamp) -> String {
        let name = speaker.unwrap_or_default();
        let samples = if self.options.is_24k {
            let index = self.converters.iter().position(|(of, _)| of == name).unwrap_or_else(|| {
                self.converters.push((name.to_owned(), Converter::default()));
                self.converters.len() - 1
            });
            self.converters[index].1.up(frame)
        } else {
            frame.to_vec()
        };
        let silent = samples.iter().all(|sample| *sample == 0);
        let bytes: Vec<u8> = samples.iter().flat_map(|sample| sample.to_le_bytes()).collect();
        let mut data = json!({ "timestamp": time.to_string(), "data": BASE64.encode(&bytes), "silent": silent });
        if let Some(speaker) = speaker {
            data["participantRawID"] = json!(speaker);
        }
        json!({ "kind": "AudioData", "audioData": data }).to_string()
    }

    /// A frame of the application: more to be said, or the end of it. The kind decides, keys in any case.
    pub(crate) fn receive(&mut self, text: &str) {
        if !self.options.bidirectional {
            return;
        }
        let Ok(frame) = serde_json::from_str::<Value>(text) else { return };
        let kind = field(&frame, "kind").and_then(Value::as_str).unwrap_or_default().to_ascii_lowercase();
        match kind.as_str() {
            "stopaudio" => self.from_application.clear(),
            "audiodata" => {
                let data = field(&frame, "audioData").and_then(|data| field(data, "data")).and_then(Value::as_str);
                let Some(bytes) = data.and_then(|data| BASE64.decode(data.as_bytes()).ok()) else { return };
                let samples: Vec<i16> = bytes.chunks_exact(2).map(|pair| i16::from_le_bytes([pair[0], pair[1]])).collect();
                self.from_application.extend(if self.options.is_24k { sound::down(&samples) } else { samples });
                let too_many = self.from_application.len().saturating_sub(AHEAD_SAMPLES);
                self.from_application.drain(..too_many);
            }
            _ => {}
        }
    }

    /// The next 20 ms the application says; false when it says nothing.
    pub(crate) fn next(&mut self, frame: &mut Frame) -> bool {
        if self.from_application.is_empty() {
            return false;
        }
        frame.fill(0);
        let ready = self.from_application.len().min(FRAME);
        for (sample, said) in frame.iter_mut().zip(self.from_application.drain(..ready)) {
            *sample = said;
        }
        true
    }
}

/// A field by its name in any case.
fn field<'a>(value: &'a Value, name: &str) -> Option<&'a Value> {
    let object = value.as_object()?;
    object.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value)
}

/// What the application wants of its transcription socket.
#[derive(Clone, Debug, Default)]
pub(crate) struct TranscriptionOptions {
    pub(crate) id: String,
    pub(crate) url: Option<String>,
    pub(crate) locale: String,
    pub(crate) start: bool,
    pub(crate) intermediate: bool,
    pub(crate) model: Option<String>,
}

/// A transcription socket.
pub(crate) struct Transcription {
    pub(crate) options: TranscriptionOptions,
    pub(crate) socket: Socket,
    pub(crate) asked: (Option<String>, Option<String>),
    /// When it began, ms.
    pub(crate) began: u64,
}

impl Transcription {
    pub(crate) fn new(options: TranscriptionOptions) -> Transcription {
        Transcription { options, socket: Socket::Closed, asked: (None, None), began: 0 }
    }

    pub(crate) fn json(&self) -> Value {
        let types: &[&str] = if self.options.intermediate { &["final", "intermediate"] } else { &["final"] };
        json!({ "id": self.options.id, "state": self.socket.word(), "subscribedResultTypes": types, "locale": self.options.locale })
    }

    pub(crate) fn metadata(&self, connection: &str, correlation: &str) -> String {
        let mut metadata = json!({
            "subscriptionId": self.options.id, "locale": self.options.locale, "callConnectionId": connection, "correlationId": correlation,
        });
        if let Some(model) = &self.options.model {
            metadata["speechRecognitionModelEndpointId"] = json!(model);
        }
        json!({ "kind": "TranscriptionMetadata", "transcriptionMetadata": metadata }).to_string()
    }

    /// A sentence (or its beginning), spoken between two moments.
    pub(crate) fn data(&self, text: &str, speaker: &str, from: u64, until: u64, is_final: bool) -> String {
        let ticks = |ms: u64| ms.saturating_sub(self.began) * 10_000;
        let words: Vec<&str> = text.split_whitespace().collect();
        let each = (until - from) / words.len().max(1) as u64;
        let words: Vec<Value> = words
            .iter()
            .enumerate()
            .map(|(index, word)| {
                let plain: String = word.chars().filter(|letter| letter.is_alphanumeric()).collect();
                json!({ "text": plain.to_lowercase(), "offset": ticks(from + each * index as u64), "duration": each * 10_000 })
            })
            .collect();
        let data = json!({
            "text": text, "format": "display", "confidence": 0.95, "offset": ticks(from), "duration": (until - from) * 10_000,
            "words": words, "participantRawID": speaker, "resultStatus": if is_final { "Final" } else { "Intermediate" },
        });
        json!({ "kind": "TranscriptionData", "transcriptionData": data }).to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_application_is_heard_in_either_spelling_and_can_stop_itself() {
        let mut streaming = Streaming::new(StreamingOptions { bidirectional: true, ..StreamingOptions::default() });
        let data = BASE64.encode(&[1_i16; 640].iter().flat_map(|sample| sample.to_le_bytes()).collect::<Vec<_>>());
        let docs = json!({ "Kind": "AudioData", "AudioData": { "Data": data }, "StopAudio": null }).to_string();
        let helper = json!({ "kind": "audioData", "audioData": { "data": data, "isSilent": false }, "stopAudio": {} }).to_string();
        let mut frame = [0; FRAME];
        for text in [docs, helper] {
            streaming.receive(&text);
            assert!(streaming.next(&mut frame) && frame[0] == 1 && streaming.next(&mut frame));
            assert!(!streaming.next(&mut frame));
            streaming.receive(&text);
            streaming.receive(r#"{"kind":"stopAudio","stopAudio":{}}"#);
            assert!(!streaming.next(&mut frame), "stopped");
        }
        let mut one_way = Streaming::new(StreamingOptions::default());
        one_way.receive(&json!({ "kind": "AudioData", "audioData": { "data": data } }).to_string());
        assert!(!one_way.next(&mut frame));
    }

    #[test]
    fn frames_have_the_length_their_metadata_says() {
        for (is_24k, length) in [(false, 640), (true, 960)] {
            let mut streaming = Streaming::new(StreamingOptions { is_24k, ..StreamingOptions::default() });
            let metadata: Value = serde_json::from_str(&streaming.metadata()).unwrap();
            assert_eq!(metadata["audioMetadata"]["length"], length);
            let frame: Value = serde_json::from_str(&streaming.audio(&[9; FRAME], Some("4:+1"), jiff::Timestamp::UNIX_EPOCH)).unwrap();
            let bytes = BASE64.decode(frame["audioData"]["data"].as_str().unwrap().as_bytes()).unwrap();
            assert_eq!((bytes.len() as u64, frame["audioData"]["silent"].as_bool()), (length, Some(false)));
            assert_eq!(frame["audioData"]["participantRawID"], "4:+1");
        }
    }
}
