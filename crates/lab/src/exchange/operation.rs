//! One media operation: a prompt that plays, or a prompt after which somebody is listened to. Plain state, stepped every 20 ms.

use super::effect::Cause;
use crate::people::sound::{FRAME, Frame};
use serde_json::{Value, json};
use std::sync::Arc;

const CANCELED: Cause = Cause::new(400, 8_508, "Action failed, the operation was canceled.");

/// What somebody may give as an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Input {
    Dtmf,
    Speech,
    SpeechOrDtmf,
    Choices,
}

/// An answer to choose.
#[derive(Clone, Debug)]
pub(crate) struct Choice {
    pub(crate) label: String,
    pub(crate) phrases: Vec<String>,
    pub(crate) tone: Option<String>,
}

/// What is listened for, and how far it is.
#[derive(Clone, Debug)]
pub(crate) struct Recognition {
    pub(crate) input: Input,
    pub(crate) target: String,
    pub(crate) interrupt_prompt: bool,
    pub(crate) initial_silence_ms: u64,
    pub(crate) inter_tone_ms: u64,
    pub(crate) tones_max: Option<usize>,
    pub(crate) stop_tones: Vec<String>,
    pub(crate) choices: Vec<Choice>,
    pub(crate) end_silence_ms: u64,
    /// Whether speech services are linked to the call.
    pub(crate) has_speech: bool,
    /// Since when it listens; not yet while the prompt plays.
    pub(crate) listening_since: Option<u64>,
    pub(crate) tones: Vec<String>,
    pub(crate) last_tone: u64,
    /// What was said, and when that is over.
    pub(crate) said: Option<(String, u64)>,
    /// Somebody speaks: the silence has ended.
    pub(crate) speaks: bool,
}

/// Play or recognize.
#[derive(Clone, Debug)]
pub(crate) enum Kind {
    /// Plays to these, or to all.
    Play { to: Vec<String>, repeat: bool },
    /// Plays to one and listens.
    Recognize(Box<Recognition>),
}

/// The sound of an operation.
#[derive(Clone, Debug)]
pub(crate) enum Sound {
    /// Is being fetched.
    Loading,
    /// Is there, or the first source that is not (index, why).
    Ready(Result<Vec<Arc<[i16]>>, (usize, Failure)>),
}

/// Why a source cannot be played.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Failure {
    /// Not WAV, mono, 16 bit, 16 kHz.
    Format,
    /// Not there.
    Download,
    /// No speech services.
    Speech,
}

impl Failure {
    fn cause(self) -> Cause {
        match self {
            Failure::Format => Cause::new(400, 8_535, "Action failed, file format is invalid."),
            Failure::Download => Cause::new(400, 8_536, "Action failed, file could not be downloaded."),
            Failure::Speech => Cause::new(400, 8_565, "Action failed due to a bad request to Cognitive Services."),
        }
    }
}

/// One operation.
#[derive(Clone, Debug)]
pub(crate) struct Operation {
    pub(crate) ticket: u64,
    pub(crate) context: Option<String>,
    pub(crate) callback: Option<String>,
    pub(crate) kind: Kind,
    pub(crate) sound: Sound,
    pub(crate) began: bool,
    piece: usize,
    at: usize,
}

/// An event to be told: its name and what belongs to it.
pub(crate) type Told = (&'static str, Value);

/// What a step gave.
#[derive(Debug, Default)]
pub(crate) struct Step {
    /// There is sound in the frame.
    pub(crate) sounds: bool,
    pub(crate) told: Vec<Told>,
    pub(crate) is_over: bool,
}

impl Operation {
    pub(crate) fn new(ticket: u64, kind: Kind, context: Option<String>, callback: Option<String>) -> Operation {
        Operation { ticket, context, callback, kind, sound: Sound::Loading, began: false, piece: 0, at: 0 }
    }

    /// Whether the other cannot run beside this one.
    pub(crate) fn excludes(&self, other: &Operation) -> bool {
        match (&self.kind, &other.kind) {
            (Kind::Play { to, .. }, Kind::Play { to: others, .. }) => {
                (to.is_empty() && others.is_empty()) || to.iter().any(|one| others.contains(one))
            }
            (Kind::Play { to, .. }, Kind::Recognize(recognition)) | (Kind::Recognize(recognition), Kind::Play { to, .. }) => {
                to.is_empty() || to.contains(&recognition.target)
            }
            (Kind::Recognize(one), Kind::Recognize(two)) => one.target == two.target,
        }
    }

    /// Who hears it; nobody in particular means everybody.
    pub(crate) fn is_heard_by(&self, raw: &str) -> bool {
        match &self.kind {
            Kind::Play { to, .. } => to.is_empty() || to.iter().any(|one| one == raw),
            Kind::Recognize(recognition) => recognition.target == raw,
        }
    }

    /// The next 20 ms.
    pub(crate) fn step(&mut self, now: u64, frame: &mut Frame) -> Step {
        let mut step = Step::default();
        let pieces = match &self.sound {
            Sound::Loading => return step,
            Sound::Ready(Err((index, failure))) => {
                let (name, mut extra) = match self.kind {
                    Kind::Play { .. } => ("PlayFailed", failure.cause().json()),
                    Kind::Recognize(_) => {
                        let mut cause = Cause::new(500, 8_511, "Action failed, encountered failure while trying to play the prompt.");
                        if *failure != Failure::Download {
                            cause = failure.cause();
                        }
                        ("RecognizeFailed", cause.json())
                    }
                };
                extra["failedPlaySourceIndex"] = json!(index);
                return Step { told: vec![(name, extra)], is_over: true, ..step };
            }
            Sound::Ready(Ok(pieces)) => pieces,
        };
        if !self.began {
            self.began = true;
            if !pieces.is_empty() {
                step.told.push(("PlayStarted", Cause::new(200, 0, "Action started successfully.").json()));
            }
        }
        while pieces.get(self.piece).is_some_and(|piece| self.at >= piece.len()) {
            self.piece += 1;
            self.at = 0;
        }
        let repeats = matches!(self.kind, Kind::Play { repeat: true, .. }) && pieces.iter().any(|piece| !piece.is_empty());
        if repeats && self.piece >= pieces.len() {
            (self.piece, self.at) = (0, 0);
        }
        if let Some(piece) = pieces.get(self.piece) {
            let part = &piece[self.at..piece.len().min(self.at + FRAME)];
            frame[..part.len()].copy_from_slice(part);
            frame[part.len()..].fill(0);
            self.at += FRAME;
            step.sounds = true;
            if let Kind::Recognize(recognition) = &self.kind
                && let Some(told) = recognition.outcome(now)
            {
                step.told.push(told);
                step.is_over = true;
            }
            return step;
        }
        match &mut self.kind {
            Kind::Play { .. } => {
                step.told.push(("PlayCompleted", Cause::new(200, 0, "Action completed successfully.").json()));
                step.is_over = true;
            }
            Kind::Recognize(recognition) => {
                if recognition.listening_since.is_none() {
                    recognition.listening_since = Some(now);
                }
                if let Some(told) = recognition.outcome(now) {
                    step.told.push(told);
                    step.is_over = true;
                }
            }
        }
        step
    }

    /// What is said when it is canceled.
    pub(crate) fn canceled(&self) -> Told {
        match self.kind {
            Kind::Play { .. } => ("PlayCanceled", CANCELED.json()),
            Kind::Recognize(_) => ("RecognizeCanceled", CANCELED.json()),
        }
    }

    fn stop_prompt(&mut self, now: u64) {
        self.piece = usize::MAX;
        if let Kind::Recognize(recognition) = &mut self.kind {
            recognition.listening_since.get_or_insert(now);
        }
    }

    /// Somebody pressed a key. Keys during a prompt that may not be interrupted are lost, as with the service.
    pub(crate) fn press(&mut self, raw: &str, tone: &str, now: u64) {
        let Kind::Recognize(recognition) = &mut self.kind else { return };
        let listens = recognition.listening_since.is_some() || recognition.interrupt_prompt;
        if recognition.target != raw || recognition.input == Input::Speech || !self.began || !listens {
            return;
        }
        recognition.tones.push(tone.to_owned());
        recognition.last_tone = now;
        self.stop_prompt(now);
    }

    /// Somebody began to speak.
    pub(crate) fn speech_began(&mut self, raw: &str, now: u64) {
        let Kind::Recognize(recognition) = &mut self.kind else { return };
        if recognition.target != raw || recognition.input == Input::Dtmf || !self.began {
            return;
        }
        if recognition.listening_since.is_some() || recognition.interrupt_prompt {
            recognition.speaks = true;
            self.stop_prompt(now);
        }
    }

    /// Somebody finished a sentence.
    pub(crate) fn speech_ended(&mut self, raw: &str, text: &str, now: u64) {
        let Kind::Recognize(recognition) = &mut self.kind else { return };
        if recognition.target != raw || !recognition.speaks {
            return;
        }
        let before = recognition.said.take().map_or_else(String::new, |(said, _)| format!("{said} "));
        recognition.said = Some((format!("{before}{text}"), now + recognition.end_silence_ms));
    }
}

impl Recognition {
    /// How it ended, if it has.
    fn outcome(&self, now: u64) -> Option<Told> {
        self.outcome_of_tones(now).or_else(|| self.outcome_of_speech(now)).or_else(|| {
            let since = self.listening_since?;
            let silent = self.tones.is_empty() && !self.speaks && now >= since + self.initial_silence_ms;
            silent.then(|| failed(400, 8_510, "Action failed, initial silence timeout reached."))
        })
    }

    fn outcome_of_tones(&self, now: u64) -> Option<Told> {
        let last = self.tones.last()?;
        if self.input == Input::Choices {
            let choice = self.choices.iter().find(|choice| choice.tone.as_ref() == Some(last));
            return Some(match choice {
                Some(choice) => self.chosen(choice, None, 8_533, "Action completed, DTMF option matched."),
                None => failed(400, 8_547, "Action failed, recognized tone does not match a valid option."),
            });
        }
        if self.stop_tones.contains(last) {
            let tones = &self.tones[..self.tones.len() - 1];
            return Some(completed_tones(tones, 8_514, "Action completed as stop tone was detected."));
        }
        if self.tones_max.is_some_and(|most| self.tones.len() >= most) {
            return Some(completed_tones(&self.tones, 8_531, "Action completed, max digits received."));
        }
        (now >= self.last_tone + self.inter_tone_ms).then(|| match self.input {
            Input::SpeechOrDtmf => completed_tones(&self.tones, 8_531, "Action completed."),
            _ => failed(400, 8_532, "Action failed, inter-digit silence timeout reached."),
        })
    }

    fn outcome_of_speech(&self, now: u64) -> Option<Told> {
        let (text, over) = self.said.as_ref()?;
        if now < *over {
            return None;
        }
        if !self.has_speech {
            return Some(failed(400, 8_563, "Action failed, speech could not be recognized."));
        }
        if self.input != Input::Choices {
            let mut extra = Cause::new(200, 8_569, "Action completed, speech was recognized.").json();
            extra["recognitionType"] = json!("speech");
            extra["speechResult"] = json!({ "speech": text, "confidence": 0.95 });
            return Some(("RecognizeCompleted", extra));
        }
        let plain = text.to_lowercase();
        let matches = |phrase: &String| contains_words(&plain, &phrase.to_lowercase());
        let found =
            self.choices.iter().find_map(|choice| choice.phrases.iter().find(|phrase| matches(phrase)).map(|phrase| (choice, phrase)));
        Some(match found {
            Some((choice, phrase)) => self.chosen(choice, Some(phrase), 8_545, "Action completed, speech option matched."),
            None => failed(400, 8_547, "Action failed, recognized phrase does not match a valid option."),
        })
    }

    fn chosen(&self, choice: &Choice, phrase: Option<&str>, sub_code: u32, message: &'static str) -> Told {
        let mut extra = Cause::new(200, sub_code, message).json();
        extra["recognitionType"] = json!("choices");
        extra["choiceResult"] = json!({ "label": choice.label, "recognizedPhrase": phrase, "confidence": phrase.map(|_| 0.95) });
        ("RecognizeCompleted", extra)
    }
}

fn completed_tones(tones: &[String], sub_code: u32, message: &'static str) -> Told {
    let mut extra = Cause::new(200, sub_code, message).json();
    extra["recognitionType"] = json!("dtmf");
    extra["dtmfResult"] = json!({ "tones": tones });
    ("RecognizeCompleted", extra)
}

fn failed(code: u32, sub_code: u32, message: &'static str) -> Told {
    ("RecognizeFailed", Cause::new(code, sub_code, message).json())
}

/// Whether the words of a phrase stand in a text, one after the other.
fn contains_words(text: &str, phrase: &str) -> bool {
    let words = |text: &str| -> Vec<String> {
        text.split(|letter: char| !letter.is_alphanumeric()).filter(|word| !word.is_empty()).map(str::to_owned).collect()
    };
    let (text, phrase) = (words(text), words(phrase));
    !phrase.is_empty() && text.windows(phrase.len()).any(|window| window == phrase)
}

#[cfg(test)]
#[path = "operation_tests.rs"]
mod tests;
