//! A person of the lab in somebody's hand: calls, talks, presses keys, listens.

use super::person::{Manner, PersonState};
use crate::{
    acs::identifier::Identifier,
    exchange::lines::Outfit,
    people::sound::{self, Voice},
    shell::Hub,
};
use serde_json::{Map, Value};
use std::{sync::Arc, time::Duration};
use tokio::sync::watch;

/// A telephone or client with its person. Clones mean the same person.
#[derive(Clone)]
pub struct Person {
    pub(crate) hub: Arc<Hub>,
    pub(crate) raw: String,
    pub(crate) state: watch::Receiver<PersonState>,
}

/// What goes along with a call.
#[derive(Clone, Debug, Default)]
pub struct CallOptions {
    /// Name to show instead of the person's.
    pub display_name: Option<String>,
    /// SIP headers, as the border controller sent them (`User-To-User`, `X-…`).
    pub sip_headers: Vec<(String, String)>,
    /// VoIP headers.
    pub voip_headers: Vec<(String, String)>,
    /// Object id of the resource account on whose behalf an agent's client calls.
    pub on_behalf_of: Option<String>,
}

impl CallOptions {
    pub(crate) fn outfit(&self) -> Outfit {
        let object = |headers: &[(String, String)]| {
            Value::Object(headers.iter().map(|(key, value)| (key.clone(), Value::String(value.clone()))).collect::<Map<_, _>>())
        };
        Outfit {
            display_name: self.display_name.clone(),
            sip_headers: object(&self.sip_headers),
            voip_headers: object(&self.voip_headers),
            on_behalf_of: self.on_behalf_of.clone(),
        }
    }
}

impl Person {
    /// Raw id, as the interface of calls knows the person.
    pub fn raw_id(&self) -> &str {
        &self.raw
    }

    /// Who it is.
    pub fn identifier(&self) -> Identifier {
        Identifier::from_raw(&self.raw)
    }

    /// What the person is doing, and every change of it.
    pub fn state(&self) -> watch::Receiver<PersonState> {
        self.state.clone()
    }

    /// Waits until the state is as wanted. `None` when it is not within the time.
    pub async fn wait_for(&self, within: Duration, wanted: impl Fn(&PersonState) -> bool) -> Option<PersonState> {
        let mut state = self.state.clone();
        let reached = tokio::time::timeout(within, state.wait_for(|state| wanted(state))).await;
        reached.ok()?.ok().map(|state| state.clone())
    }

    /// Changes what happens when it rings, from the next call on.
    pub fn set_manner(&self, manner: Manner) {
        self.with(|person| person.manner = manner);
    }

    /// Says a steady tone from now on; 0 is silence.
    pub fn set_tone(&self, hz: u32) {
        self.with(|person| person.voice = Voice::tone(hz));
    }

    /// Says a WAV file once, or again and again.
    ///
    /// # Errors
    /// When the file cannot be read as WAV.
    pub fn set_wav(&self, bytes: &[u8], repeat: bool) -> Result<(), String> {
        let samples = sound::from_wav(bytes)?.into();
        self.with(|person| person.voice = Voice::Samples { samples, at: 0, repeat });
        Ok(())
    }

    /// Calls a number. What comes of it is in the state.
    ///
    /// # Errors
    /// When the person is in a call.
    pub fn call(&self, number: &str) -> Result<(), String> {
        self.call_with(number, &CallOptions::default())
    }

    /// Calls a number and sends something along.
    ///
    /// # Errors
    /// When the person is in a call.
    pub fn call_with(&self, number: &str, options: &CallOptions) -> Result<(), String> {
        let outfit = options.outfit();
        self.hub.with(|state| state.exchange.place_call(&self.raw, number, &outfit))
    }

    /// Hangs up, declines, or gives up calling. False when there was nothing to end.
    pub fn hang_up(&self) -> bool {
        self.hub.with(|state| state.exchange.hang_up(&self.raw))
    }

    /// Presses keys, all at once. False when the person is not talking or one is not a key.
    pub fn press(&self, keys: &str) -> bool {
        self.hub.with(|state| keys.chars().all(|key| state.exchange.press(&self.raw, key)))
    }

    /// Says a sentence: its sound is heard, and its words are understood by recognition and transcription when it is over.
    pub async fn say(&self, text: &str, language: &str) {
        let samples = self.hub.speech(text, language).await;
        self.hub.with(|state| state.exchange.say(&self.raw, text, samples));
    }

    /// Which of these tones the last half second contained.
    pub fn hears(&self, candidates_hz: &[u32]) -> Vec<u32> {
        self.with(|person| person.ear.tones(candidates_hz)).unwrap_or_default()
    }

    /// Loudness of the last half second in dBFS; -infinity for silence.
    pub fn level_dbfs(&self) -> f64 {
        self.with(|person| person.ear.level_dbfs()).unwrap_or(f64::NEG_INFINITY)
    }

    /// The last three seconds of what was heard, 16 kHz.
    pub fn heard(&self) -> Vec<i16> {
        self.with(|person| person.ear.samples()).unwrap_or_default()
    }

    /// Waits until exactly these of the candidates are heard. False when they are not within the time.
    pub async fn wait_to_hear(&self, wanted_hz: &[u32], candidates_hz: &[u32], within: Duration) -> bool {
        let mut steps = self.hub.steps();
        let listening = async {
            while self.hears(candidates_hz) != wanted_hz {
                if steps.changed().await.is_err() {
                    return false;
                }
            }
            true
        };
        tokio::time::timeout(within, listening).await.unwrap_or(false)
    }

    fn with<T>(&self, act: impl FnOnce(&mut super::person::Person) -> T) -> Option<T> {
        self.hub.with(|state| state.exchange.person(&self.raw).map(act))
    }
}
