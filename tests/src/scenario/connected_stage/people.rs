//! Telephones of people, each with a tone of its own, and what their ears tell.

use crate::{tone_files::LENGTH_OF_PROMPT_MS, wait::SOON};
use anyhow::{Context, Result};
use dreiklang_lab::pstn::phone::{CallState, Config, Manner, Phone};
use dreiklang_media::{
    codec::CLOCK_HZ,
    tone,
    wav::{self, Encoding},
};
use std::{net::SocketAddr, os::unix::fs::PermissionsExt, path::Path};
use tempfile::TempDir;

/// What people say, in Hz: far enough apart, away from ringing (425) and the tone after which one speaks (850).
const VOICES_HZ: [u32; 8] = [620, 1_000, 1_230, 1_700, 1_450, 1_950, 740, 1_110];
/// What is heard of the network and of us.
pub const RINGBACK_HZ: u32 = 425;
pub const BEEP_HZ: u32 = 850;
pub const MUSIC_HZ: u32 = 2_200;
/// Texts, in the order in which they are first written.
const TEXTS_HZ: [u32; 7] = [2_350, 2_480, 2_610, 2_740, 2_870, 3_000, 3_130];
/// What is heard at a moment: long enough for a tone to be one.
const MOMENT_MS: usize = 500;
/// The tone after which one speaks is short; who looks a little later still counts it.
const MOMENT_OF_BEEP_MS: usize = 1_500;
/// Quieter than any sound of ours.
const SILENCE_DBFS: f64 = -50.0;

/// Somebody with a telephone.
pub struct Person {
    /// As the scenario calls them.
    pub name: String,
    /// Number or user name.
    pub user: String,
    pub phone: Phone,
    hz: u32,
}

/// What an ear tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Heard {
    /// A person, by place in the list.
    Person(usize),
    Music,
    Ringback,
    Beep,
    /// A text, by place in the list.
    Text(usize),
    /// Something loud that is none of these.
    Other,
}

/// Everybody, and all texts that can be heard.
pub struct People {
    all: Vec<Person>,
    /// Where the program that speaks keeps its texts.
    speech: TempDir,
}

impl People {
    pub fn new(speech: TempDir) -> People {
        People { all: Vec::new(), speech }
    }

    /// Somebody new.
    pub async fn add(&mut self, name: &str, user: &str, password: Option<String>, server: SocketAddr) -> Result<&Person> {
        let hz = *VOICES_HZ.get(self.all.len()).context("a scenario has at most eight people")?;
        let signs_in = password.is_some();
        let config = Config { user: user.to_owned(), password, server, ip: server.ip(), hz, manner: Manner::LetRing };
        let phone = Phone::start(config).await?;
        if signs_in {
            phone.wait_for(SOON, |state| state.signed_in).await.with_context(|| format!("{name}'s telephone cannot sign in"))?;
        }
        self.all.push(Person { name: name.to_owned(), user: user.to_owned(), phone, hz });
        self.find(name).context("somebody new is there")
    }

    /// Somebody by name, number or user name.
    pub fn find(&self, who: &str) -> Option<&Person> {
        self.all.iter().find(|person| person.name == who).or_else(|| self.all.iter().find(|person| person.user == who))
    }

    pub fn get(&self, place: usize) -> Option<&Person> {
        self.all.get(place)
    }

    /// The text at a place in the list; empty when nothing was spoken there yet.
    pub fn text_at(&self, place: usize) -> String {
        std::fs::read_to_string(self.speech.path().join(format!("{place}.txt"))).unwrap_or_default()
    }

    /// What a person hears at this moment; `None` without a call.
    pub fn hears(&self, who: &str) -> Option<Vec<Heard>> {
        let person = self.find(who)?;
        if person.phone.state().borrow().call != CallState::Talking {
            return None;
        }
        let recent = person.phone.audio().recent(MOMENT_MS);
        let is_there = |hz: u32| !tone::heard(&recent, &[hz]).is_empty();
        let voices = self.all.iter().enumerate().filter(|(_, other)| is_there(other.hz)).map(|(place, _)| Heard::Person(place));
        let texts = (0..TEXTS_HZ.len()).filter(|place| is_there(TEXTS_HZ[*place])).map(Heard::Text);
        let ours = [(MUSIC_HZ, Heard::Music), (RINGBACK_HZ, Heard::Ringback)].into_iter().filter(|(hz, _)| is_there(*hz));
        let mut heard: Vec<Heard> = voices.chain(texts).chain(ours.map(|(_, what)| what)).collect();
        if heard.is_empty() && !tone::heard(&person.phone.audio().recent(MOMENT_OF_BEEP_MS), &[BEEP_HZ]).is_empty() {
            heard.push(Heard::Beep);
        }
        if heard.is_empty() && tone::level_dbfs(&recent) > SILENCE_DBFS {
            heard.push(Heard::Other);
        }
        Some(heard)
    }
}

/// A sound that stands for a text or for music.
pub fn sound(hz: u32, ms: u32) -> Vec<i16> {
    tone::sines(&[hz], -15.0, ms)
}

/// Puts a program into the folder that is called like the one that speaks texts (espeak-ng), and says each new text with the
/// next tone.
pub fn prepare(folder: &Path) -> Result<()> {
    for (place, hz) in TEXTS_HZ.iter().enumerate() {
        let wav = wav::encode(&[&sound(*hz, LENGTH_OF_PROMPT_MS)], CLOCK_HZ, Encoding::Pcm16);
        std::fs::write(folder.join(format!("{place}.wav")), wav)?;
    }
    let program = folder.join("espeak-ng");
    let script = format!(
        "#!/bin/sh\n[ \"$1\" = --version ] && echo tones && exit\nset -C\ntext=$(cat)\nplace=0\n\
         until {{ printf %s \"$text\" > {folder}/$place.txt; }} 2>/dev/null || [ \"$(cat {folder}/$place.txt)\" = \"$text\" ]; do\n\
         place=$((place + 1))\n[ $place -lt {count} ] || exit 1\ndone\nexec cat {folder}/$place.wav\n",
        folder = folder.display(),
        count = TEXTS_HZ.len()
    );
    std::fs::write(&program, script)?;
    std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755))?;
    Ok(())
}
