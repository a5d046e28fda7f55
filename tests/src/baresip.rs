//! A SIP telephone with audio: baresip, in a folder and on ports of its own, driven over its control connection.
//!
//! Decides how the telephone is set up so that it needs no sound card, no home folder and no network but loopback. What it
//! says is a tone; what it hears is written to files. Its events are kept, so that a test can wait for one that has come
//! already. It has no jitter buffer: that would let out what came before a silence one frame at a time during it.

use crate::{
    ports, tone_files,
    wait::{self, SOON},
};
use anyhow::{Context, Result, anyhow, bail};
use dreiklang_lab::direct_routing::certificates::Issued;
use dreiklang_media::tone;
use serde_json::{Value, json};
use std::{
    net::{Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
    process::Stdio,
    time::{Duration, Instant},
};
use tempfile::TempDir;
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::{
        TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
    process::{Child, Command},
    sync::mpsc,
    time::timeout,
};

/// Events a test has not looked at yet; a telephone sends a handful per call.
const EVENTS_MAX: usize = 1_000;
/// Longest message of the control connection.
const MESSAGE_BYTES_MAX: usize = 64 * 1024;
/// Where Debian puts the modules.
const MODULES: &str = "/usr/lib/baresip/modules";
/// Time over which a telephone has to hear who it should, and nobody else.
const HEARD_MS: u32 = 1_000;
/// Quieter than any tone or music of ours.
const SILENCE_DBFS: f64 = -55.0;
/// Audio ports per telephone: two for each of a few calls.
const AUDIO_PORTS: u16 = 16;

/// What becomes of an incoming call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Answered at once.
    Automatically,
    /// Rings until [`Baresip::accept`] or [`Baresip::hang_up`].
    WhenTold,
}

/// How a telephone is set up.
#[derive(Clone, Debug)]
pub struct Setup {
    /// Its user name.
    pub user: String,
    /// What it says, in Hz.
    pub tone_hz: u32,
    /// What becomes of incoming calls.
    pub answer: Answer,
    /// Where it signs in, and its password there; without it, it is reached and calls directly.
    pub registrar: Option<(SocketAddr, String)>,
    /// `PCMA` or `PCMU`.
    pub codec: &'static str,
    /// `srtp` offers encrypted audio to who wants it, `srtp-mand` talks to nobody without.
    pub media_encryption: Option<&'static str>,
    /// Signals over TLS.
    pub tls: Option<Tls>,
}

/// What a telephone needs for TLS.
#[derive(Clone, Debug)]
pub struct Tls {
    /// Whose certificates it believes.
    pub authority: PathBuf,
    /// Its own.
    pub own: Issued,
}

impl Setup {
    /// A telephone that answers at once and signs in nowhere.
    pub fn new(user: &str, tone_hz: u32) -> Setup {
        Setup {
            user: user.to_owned(),
            tone_hz,
            answer: Answer::Automatically,
            registrar: None,
            codec: "PCMA",
            media_encryption: None,
            tls: None,
        }
    }

    /// The same, signed in.
    pub fn signed_in(self, registrar: SocketAddr, password: &str) -> Setup {
        Setup { registrar: Some((registrar, password.to_owned())), ..self }
    }

    /// The same, which talks to nobody without encryption.
    pub fn encrypting(self) -> Setup {
        Setup { media_encryption: Some("srtp-mand"), ..self }
    }

    /// The same, signalling over TLS alone.
    pub fn over_tls(self, tls: Tls) -> Setup {
        Setup { tls: Some(tls), ..self }
    }

    /// The same, ringing until told to answer.
    pub fn answering_when_told(self) -> Setup {
        Setup { answer: Answer::WhenTold, ..self }
    }
}

/// One thing the telephone reports, such as `CALL_ESTABLISHED`.
#[derive(Clone, Debug)]
pub struct Event {
    /// Its kind.
    pub kind: String,
    /// Everything it says.
    pub body: Value,
}

/// A running telephone. It ends with the value.
pub struct Baresip {
    /// Where it takes calls.
    pub address: SocketAddr,
    user: String,
    folder: TempDir,
    control: OwnedWriteHalf,
    responses: mpsc::Receiver<Value>,
    events: mpsc::Receiver<Event>,
    /// Events that came while another was waited for.
    kept: Vec<Event>,
    _child: Child,
}

impl Baresip {
    /// Starts a telephone; when it is to sign in somewhere, returns after it did.
    pub async fn start(setup: Setup) -> Result<Baresip> {
        let folder = TempDir::with_prefix("baresip-")?;
        let address = ports::free_address()?;
        let control_port = ports::free()?;
        let tone = folder.path().join("tone.wav");
        tone_files::write(&tone, setup.tone_hz)?;
        let mut config = config(folder.path(), address, control_port)?;
        if let Some(tls) = &setup.tls {
            // baresip wants both in one file.
            let own = folder.path().join("own.pem");
            std::fs::write(&own, [std::fs::read(&tls.own.certificate)?, std::fs::read(&tls.own.key)?].concat())?;
            config += &format!("sip_certificate {}\nsip_cafile {}\n", own.display(), tls.authority.display());
        }
        std::fs::write(folder.path().join("config"), config)?;
        std::fs::write(folder.path().join("accounts"), account(&setup, address))?;
        let log = std::fs::File::create(folder.path().join("log"))?;
        let child = Command::new("baresip")
            .args(["-4", "-v", "-f"])
            .arg(folder.path())
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .kill_on_drop(true)
            .spawn()
            .context("cannot start baresip; ./test installs it (Debian package baresip-core)")?;
        let connection =
            wait::until("baresip's control connection", SOON, async || TcpStream::connect((Ipv4Addr::LOCALHOST, control_port)).await.ok());
        let connection = connection.await.with_context(|| log_of(folder.path()))?;
        let (reader, control) = connection.into_split();
        let (tell_response, responses) = mpsc::channel(EVENTS_MAX);
        let (tell_event, events) = mpsc::channel(EVENTS_MAX);
        tokio::spawn(read_messages(reader, tell_response, tell_event));
        let user = setup.user;
        let telephone = Baresip { address, user, folder, control, responses, events, kept: Vec::new(), _child: child };
        if setup.registrar.is_some() {
            // The event may come before anybody listens on the control connection; the log has it in any case.
            let signed_in = wait::until("the sign-in", SOON, async || log_of(telephone.folder.path()).contains(" binding]").then_some(()));
            signed_in.await.with_context(|| log_of(telephone.folder.path()))?;
        }
        Ok(telephone)
    }

    /// The address it is called at.
    pub fn uri(&self) -> String {
        format!("sip:{}@{}", self.user, self.address)
    }

    /// Calls an address, such as `sip:+4930123@127.0.0.1:5060`.
    pub async fn dial(&mut self, uri: &str) -> Result<()> {
        self.command("dial", uri).await
    }

    /// Answers the ringing call.
    pub async fn accept(&mut self) -> Result<()> {
        self.command("accept", "").await
    }

    /// Ends, declines or gives up the present call.
    pub async fn hang_up(&mut self) -> Result<()> {
        self.command("hangup", "").await
    }

    /// Puts the other side on hold.
    pub async fn hold(&mut self) -> Result<()> {
        self.command("hold", "").await
    }

    /// Takes the other side back.
    pub async fn resume(&mut self) -> Result<()> {
        self.command("resume", "").await
    }

    /// Presses a key.
    pub async fn press(&mut self, key: char) -> Result<()> {
        self.command("sndcode", &key.to_string()).await
    }

    /// Asks the other side to call somebody else instead of us.
    pub async fn transfer(&mut self, uri: &str) -> Result<()> {
        self.command("transfer", uri).await
    }

    /// Waits for an event of this kind, also one that has come already and was not waited for before.
    pub async fn wait_for(&mut self, kind: &str) -> Result<Event> {
        self.wait_for_up_to(kind, SOON).await
    }

    /// The same, with a limit of its own.
    pub async fn wait_for_up_to(&mut self, kind: &str, limit: Duration) -> Result<Event> {
        if let Some(index) = self.kept.iter().position(|event| event.kind == kind) {
            return Ok(self.kept.remove(index));
        }
        let next = async {
            while let Some(event) = self.events.recv().await {
                if event.kind == kind {
                    return Ok(event);
                }
                self.kept.push(event);
            }
            Err(anyhow!("baresip is gone"))
        };
        let outcome = timeout(limit, next).await.unwrap_or_else(|_| Err(anyhow!("waited {} s", limit.as_secs())));
        outcome.with_context(|| {
            let came: Vec<&str> = self.kept.iter().map(|event| event.kind.as_str()).collect();
            format!("{} expected {kind}; what came: {}\n{}", self.user, came.join(", "), log_of(self.folder.path()))
        })
    }

    /// Waits until the telephone heard exactly these parties in the last [`HEARD_MS`] milliseconds.
    pub async fn wait_until_hears(&self, parties_hz: &[u32]) -> Result<()> {
        let mut last = Vec::new();
        let heard = wait::until("the expected tones", SOON, async || {
            let samples = tone_files::read_unfinished(&self.sound_files("dec").pop()?).ok()?;
            let recent = tone_files::last_ms(&samples, HEARD_MS)?;
            last = tone_files::parties_heard(recent);
            (last == parties_hz).then_some(())
        });
        heard.await.with_context(|| format!("{} should hear {parties_hz:?} and hears {last:?}", self.user))
    }

    /// Waits until the telephone has heard nothing for [`HEARD_MS`] milliseconds: silence, or hardly any audio at all.
    pub async fn wait_until_silent(&self) -> Result<()> {
        // What came since when: a file that hardly grows says nothing about the last second by its own length.
        let mut mark = None;
        let mut last_dbfs = 0.0;
        let silent = wait::until("silence", SOON, async || {
            let samples = tone_files::read_unfinished(&self.sound_files("dec").pop()?).ok()?;
            let (from, since) = *mark.get_or_insert((samples.len(), Instant::now()));
            if since.elapsed() < Duration::from_millis(HEARD_MS.into()) {
                return None;
            }
            last_dbfs = tone::level_dbfs(samples.get(from..).unwrap_or_default());
            mark = Some((samples.len(), Instant::now()));
            (last_dbfs < SILENCE_DBFS).then_some(())
        });
        silent.await.with_context(|| format!("{} should hear nothing and hears {last_dbfs:.0} dBFS", self.user))
    }

    /// Everything it heard in its calls so far, oldest call first. Complete once a call is closed.
    pub fn heard(&self) -> Result<Vec<Vec<i16>>> {
        self.sound_files("dec").iter().map(|path| tone_files::read_unfinished(path)).collect()
    }

    /// Files that the sound module wrote, oldest first: `enc` is what was said, `dec` what was heard.
    fn sound_files(&self, direction: &str) -> Vec<PathBuf> {
        let entries = std::fs::read_dir(self.folder.path()).into_iter().flatten().flatten().map(|entry| entry.path());
        let mut files: Vec<PathBuf> = entries.filter(|path| path.to_string_lossy().ends_with(&format!("-{direction}.wav"))).collect();
        // The names carry the time.
        files.sort();
        files
    }

    async fn command(&mut self, command: &str, parameters: &str) -> Result<()> {
        let message = json!({ "command": command, "params": parameters, "token": command }).to_string();
        self.control.write_all(format!("{}:{message},", message.len()).as_bytes()).await.context("baresip is gone")?;
        let response = timeout(SOON, self.responses.recv()).await.ok().flatten();
        let response = response.with_context(|| format!("baresip does not answer {command}\n{}", log_of(self.folder.path())))?;
        if response["ok"] != json!(true) {
            bail!("baresip refuses {command} {parameters}: {response}\n{}", log_of(self.folder.path()));
        }
        Ok(())
    }
}

/// Reads netstrings with JSON inside and hands them out by what they are.
async fn read_messages(reader: OwnedReadHalf, responses: mpsc::Sender<Value>, events: mpsc::Sender<Event>) -> Option<()> {
    let mut reader = BufReader::new(reader);
    loop {
        let mut length = Vec::new();
        reader.read_until(b':', &mut length).await.ok()?;
        let length: usize = std::str::from_utf8(length.strip_suffix(b":")?).ok()?.parse().ok()?;
        if length > MESSAGE_BYTES_MAX {
            return None;
        }
        let mut message = vec![0; length + 1];
        reader.read_exact(&mut message).await.ok()?;
        let body: Value = serde_json::from_slice(&message[..length]).ok()?;
        if body["event"] == json!(true) {
            let kind = body["type"].as_str().unwrap_or_default().to_owned();
            events.send(Event { kind, body }).await.ok()?;
        } else {
            responses.send(body).await.ok()?;
        }
    }
}

fn config(folder: &Path, address: SocketAddr, control_port: u16) -> Result<String> {
    let first = ports::free_range(AUDIO_PORTS)?;
    let last = first + AUDIO_PORTS - 1;
    let folder = folder.display();
    Ok(format!(
        "\
poll_method epoll
sip_listen {address}
net_interface 127.0.0.1
call_local_timeout 120
call_max_calls 4
audio_path {folder}
audio_source aufile,{folder}/tone.wav
audio_player aubridge,heard
audio_alert aubridge,alert
ausrc_srate 8000
auplay_srate 8000
ausrc_channels 1
auplay_channels 1
audio_level no
rtp_ports {first}-{last}
jitter_buffer_delay 0-0
rtp_stats yes
snd_path {folder}
module_path {MODULES}
module g711.so
module sndfile.so
module aufile.so
module aubridge.so
module srtp.so
module_tmp uuid.so
module_tmp account.so
module_app menu.so
module_app ctrl_tcp.so
ctrl_tcp_listen 127.0.0.1:{control_port}
"
    ))
}

fn account(setup: &Setup, address: SocketAddr) -> String {
    let user = &setup.user;
    let answer = match setup.answer {
        Answer::Automatically => "auto",
        Answer::WhenTold => "manual",
    };
    let domain = setup.registrar.as_ref().map_or(address, |(registrar, _)| *registrar);
    let sign_in = match &setup.registrar {
        Some((_, password)) => format!("auth_user={user};auth_pass={password};regint=60"),
        None => "regint=0".to_owned(),
    };
    let encryption = setup.media_encryption.map(|how| format!(";mediaenc={how}")).unwrap_or_default();
    let transport = if setup.tls.is_some() { ";transport=tls" } else { "" };
    format!("<sip:{user}@{domain}{transport}>;{sign_in};answermode={answer};audio_codecs={}/8000/1{encryption}\n", setup.codec)
}

fn log_of(folder: &Path) -> String {
    let log = std::fs::read(folder.join("log")).unwrap_or_default();
    format!("baresip's log:\n{}", String::from_utf8_lossy(&log))
}
