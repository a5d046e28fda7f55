//! SIP message by message: sipp with the scenarios of `tests/sipp`.
//!
//! Each scenario is named by what it does and expects; it passes when every message came as written. A scenario that fails
//! is reported with sipp's own error file and the messages that were sent and received.

use crate::{ports, wait::SOON};
use anyhow::{Context, Result, bail, ensure};
use std::{
    net::{Ipv4Addr, SocketAddr},
    path::PathBuf,
    process::Stdio,
    time::Duration,
};
use tempfile::TempDir;
use tokio::{
    process::{Child, Command},
    time::timeout,
};

/// Longest scenario: one that waits for the end of SIP's longest timer, 64·T1 = 32 s, with some room.
const SCENARIO_MAX: Duration = Duration::from_secs(50);
/// Bytes of a message file shown in a failure.
const SHOWN_BYTES: usize = 20_000;

/// What to run, and towards whom.
#[derive(Clone, Debug)]
pub struct Scenario {
    name: String,
    target: SocketAddr,
    address: SocketAddr,
    calls: u32,
    calls_at_once: u32,
    calls_per_second: u32,
    arguments: Vec<String>,
}

impl Scenario {
    /// The scenario `tests/sipp/<name>.xml`, once, towards `target`.
    pub fn new(name: &str, target: SocketAddr) -> Result<Scenario> {
        Ok(Scenario {
            name: name.to_owned(),
            target,
            address: ports::free_address()?,
            calls: 1,
            calls_at_once: 1,
            calls_per_second: 10,
            arguments: Vec::new(),
        })
    }

    /// The number or user that is called, or that signs in.
    pub fn service(self, service: &str) -> Scenario {
        self.arguments(["-s", service])
    }

    /// Credentials for when the other side asks for them.
    pub fn credentials(self, user: &str, password: &str) -> Scenario {
        self.arguments(["-au", user, "-ap", password])
    }

    /// A word that the scenario calls `[name]`.
    pub fn word(self, name: &str, value: &str) -> Scenario {
        self.arguments(["-key", name, value])
    }

    /// Over TCP instead of UDP.
    pub fn over_tcp(self) -> Scenario {
        self.arguments(["-t", "t1"])
    }

    /// Takes every message as it comes; otherwise sipp answers repeated ones by itself and the scenario never sees them.
    pub fn seeing_repetitions(self) -> Scenario {
        self.arguments(["-nr"])
    }

    /// Many calls instead of one.
    pub fn calls(self, calls: u32, at_once: u32, per_second: u32) -> Scenario {
        Scenario { calls, calls_at_once: at_once, calls_per_second: per_second, ..self }
    }

    /// From (or at) this address instead of a free one.
    pub fn at(self, address: SocketAddr) -> Scenario {
        Scenario { address, ..self }
    }

    /// Where the scenario sends from and listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    fn arguments<const COUNT: usize>(mut self, arguments: [&str; COUNT]) -> Scenario {
        self.arguments.extend(arguments.map(str::to_owned));
        self
    }

    /// Starts the scenario; [`Running::finish`] waits for its end.
    pub async fn start(self) -> Result<Running> {
        let file = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("sipp").join(format!("{}.xml", self.name));
        ensure!(file.is_file(), "there is no scenario {}", file.display());
        let folder = TempDir::with_prefix("sipp-")?;
        let media_port = ports::free_range(4)?;
        let text = |value: u32| value.to_string();
        let child = Command::new("sipp")
            .arg(self.target.to_string())
            .arg("-sf")
            .arg(&file)
            .args(["-i", &self.address.ip().to_string(), "-p", &self.address.port().to_string()])
            .args(["-mi", &self.address.ip().to_string(), "-mp", &media_port.to_string()])
            .args(["-m", &text(self.calls), "-l", &text(self.calls_at_once), "-r", &text(self.calls_per_second)])
            .args(["-nostdin", "-trace_err", "-error_file", "errors", "-trace_msg", "-message_file", "messages"])
            .args(&self.arguments)
            .current_dir(folder.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(std::fs::File::create(folder.path().join("stderr"))?)
            .kill_on_drop(true)
            .spawn()
            .context("cannot start sipp; ./test installs it (Debian package sip-tester)")?;
        Ok(Running { name: self.name, folder, child })
    }

    /// Starts the scenario and returns once it listens on its port: for scenarios that begin by receiving.
    pub async fn start_listening(self) -> Result<Running> {
        let address = self.address;
        let running = self.start().await?;
        // The port is taken as soon as nobody else can have it.
        crate::wait::until("sipp to listen", SOON, async || std::net::UdpSocket::bind(address).err().map(drop)).await?;
        Ok(running)
    }

    /// Starts the scenario and waits for its success.
    pub async fn run(self) -> Result<()> {
        self.start().await?.finish().await
    }
}

/// A scenario at work. It ends with the value.
pub struct Running {
    name: String,
    folder: TempDir,
    child: Child,
}

impl Running {
    /// Waits until the scenario is over; fails when any call was not as written.
    pub async fn finish(mut self) -> Result<()> {
        let Ok(status) = timeout(SCENARIO_MAX, self.child.wait()).await else {
            bail!("{} is not over after {} s\n{}", self.name, SCENARIO_MAX.as_secs(), self.report());
        };
        let status = status?;
        ensure!(status.success(), "{} failed ({status})\n{}", self.name, self.report());
        Ok(())
    }

    /// Every message sent and received so far, with sipp's headings between them.
    pub fn messages(&self) -> String {
        self.file("messages")
    }

    fn file(&self, name: &str) -> String {
        String::from_utf8_lossy(&std::fs::read(self.folder.path().join(name)).unwrap_or_default()).into_owned()
    }

    fn report(&self) -> String {
        let mut messages = self.messages();
        if messages.len() > SHOWN_BYTES {
            let cut = messages.char_indices().map(|(at, _)| at).find(|at| messages.len() - at <= SHOWN_BYTES).unwrap_or(0);
            messages.replace_range(..cut, "[…]");
        }
        format!("{}{}\n{messages}", self.file("stderr"), self.file("errors"))
    }
}

/// An address of its own on the loopback interface, for a caller that is nobody's known peer.
pub fn stranger() -> Result<SocketAddr> {
    Ok((Ipv4Addr::new(127, 0, 0, 9), ports::free()?).into())
}
