//! One telephone or client with its person: manner, voice, ear, and what it is doing.

use super::sound::{Ear, Voice};
use crate::acs::identifier::Identifier;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::{sync::Arc, time::Duration};
use tokio::sync::watch;

/// What a person does when it rings.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Ringing {
    /// Answers after [`Manner::answer_after_ms`].
    Answer,
    /// Lets it ring.
    LetRing,
    /// Declines.
    Decline,
    /// Is busy.
    Busy,
    /// Is not signed in anywhere, or switched off.
    Unreachable,
}

/// How a person behaves.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Manner {
    /// What happens when it rings.
    pub ringing: Ringing,
    /// How long it rings before it is answered.
    pub answer_after_ms: u64,
    /// Keys pressed once talking.
    pub press: Option<String>,
    /// How long after the beginning of the talk the first key is pressed.
    pub press_after_ms: u64,
    /// Hangs up so long after the beginning of the talk.
    pub hang_up_after_ms: Option<u64>,
}

impl Default for Manner {
    fn default() -> Manner {
        Manner { ringing: Ringing::Answer, answer_after_ms: 200, press: None, press_after_ms: 0, hang_up_after_ms: None }
    }
}

impl Manner {
    /// Answers after a while.
    pub fn answer(after: Duration) -> Manner {
        Manner { answer_after_ms: after.as_millis() as u64, ..Manner::default() }
    }

    /// Does this when it rings.
    pub fn of(ringing: Ringing) -> Manner {
        Manner { ringing, ..Manner::default() }
    }

    /// Presses these keys so long after the beginning of the talk.
    #[must_use]
    pub fn pressing(mut self, keys: &str, after: Duration) -> Manner {
        self.press = Some(keys.to_owned());
        self.press_after_ms = after.as_millis() as u64;
        self
    }

    /// Hangs up so long after the beginning of the talk.
    #[must_use]
    pub fn hanging_up(mut self, after: Duration) -> Manner {
        self.hang_up_after_ms = Some(after.as_millis() as u64);
        self
    }
}

/// What a person's call is doing.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase", tag = "stage")]
pub enum Stage {
    /// There was none yet.
    #[default]
    Idle,
    /// Calls somebody and waits.
    Calling,
    /// It rings.
    Rings {
        /// Raw id of who calls, as shown.
        caller: String,
    },
    /// Is in a call.
    Talking,
    /// The call is over.
    Over {
        /// Somebody else ended it, or it was never answered.
        by_far_end: bool,
        /// `code/subCode` of the end.
        cause: String,
    },
}

/// What can be seen of a person.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PersonState {
    /// The present or last call.
    pub call: Stage,
    /// Calls that rang here so far.
    pub rang: u32,
    /// On hold at present.
    pub on_hold: bool,
    /// Muted by somebody else at present.
    pub muted: bool,
    /// Keys the far end sent in this call.
    pub keys_heard: String,
    /// What came with the last call that rang: `customCallingContext`.
    pub context: Value,
}

/// A person as the exchange knows it.
pub(crate) struct Person {
    pub(crate) name: String,
    pub(crate) identifier: Identifier,
    pub(crate) manner: Manner,
    pub(crate) voice: Voice,
    pub(crate) ear: Ear,
    pub(crate) call: Option<u64>,
    pub(crate) tell: watch::Sender<PersonState>,
    /// Moments (ms) at which the person does something by itself.
    pub(crate) answer_at: Option<u64>,
    pub(crate) press_at: Option<(u64, String)>,
    pub(crate) hang_up_at: Option<u64>,
    /// What is being said, and the tone (or silence) after it.
    pub(crate) saying: Option<Saying>,
}

/// A sentence on its way.
#[derive(Clone)]
pub(crate) struct Saying {
    pub(crate) text: String,
    pub(crate) began: u64,
    pub(crate) until: u64,
    pub(crate) voice_after: Voice,
}

impl Person {
    pub(crate) fn new(name: &str, identifier: Identifier) -> Person {
        Person {
            name: name.to_owned(),
            identifier,
            manner: Manner::default(),
            voice: Voice::Silence,
            ear: Ear::default(),
            call: None,
            tell: watch::Sender::new(PersonState::default()),
            answer_at: None,
            press_at: None,
            hang_up_at: None,
            saying: None,
        }
    }

    pub(crate) fn set(&self, change: impl FnOnce(&mut PersonState)) {
        self.tell.send_modify(change);
    }

    /// Begins to say a sentence.
    pub(crate) fn say(&mut self, text: &str, samples: Arc<[i16]>, now: u64) {
        let voice_after = match self.saying.take() {
            Some(before) => before.voice_after,
            None => self.voice.clone(),
        };
        let until = now + samples.len() as u64 / 16;
        self.voice = Voice::Samples { samples, at: 0, repeat: false };
        self.saying = Some(Saying { text: text.to_owned(), began: now, until, voice_after });
    }

    /// The call has begun; what the manner says about it is planned.
    pub(crate) fn begin_talk(&mut self, now: u64) {
        self.answer_at = None;
        self.ear.clear();
        self.press_at = self.manner.press.clone().filter(|keys| !keys.is_empty()).map(|keys| (now + self.manner.press_after_ms, keys));
        self.hang_up_at = self.manner.hang_up_after_ms.map(|after| now + after);
        self.set(|state| {
            state.call = Stage::Talking;
            state.keys_heard.clear();
            state.on_hold = false;
            state.muted = false;
        });
    }

    /// The call is over.
    pub(crate) fn end(&mut self, by_far_end: bool, cause: &str) {
        self.call = None;
        self.answer_at = None;
        self.press_at = None;
        self.hang_up_at = None;
        if let Some(saying) = self.saying.take() {
            self.voice = saying.voice_after;
        }
        self.set(|state| {
            state.call = Stage::Over { by_far_end, cause: cause.to_owned() };
            state.on_hold = false;
            state.muted = false;
        });
    }
}
