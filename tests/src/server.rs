//! The product, built by `./test` or `cargo build -p dreiklang`, in a folder and on ports of its own.
//!
//! Decides where the program is found and how it is configured for a test: loopback only, nothing shared with another
//! test. What a contact center is made of (queues, agents, telephones) is the test's matter and applied as one document.

use crate::{
    ports,
    wait::{self, SOON},
};
use anyhow::{Context, Result, bail, ensure};
use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};
use tempfile::TempDir;
use tokio::process::{Child, Command};

/// What the first administrator signs in with.
pub const ADMINISTRATOR_PASSWORD: &str = "a password for tests";
/// Audio ports per server: two per party, for a few dozen calls.
const AUDIO_PORTS: u16 = 200;
/// How long the program may take to end by itself after it was asked to.
const STOP_MAX: Duration = Duration::from_secs(20);

/// The built program, next to the test's own executable.
pub fn program() -> Result<PathBuf> {
    // Tests lie in <target>/<profile>/deps.
    let test = std::env::current_exe().context("a test has a path")?;
    let profile = test.parent().and_then(Path::parent).context("a test lies in <target>/<profile>/deps")?;
    let program = profile.join("dreiklang");
    ensure!(program.is_file(), "{} is not there; build it first: cargo build -p dreiklang (./test does)", program.display());
    Ok(program)
}

/// A running server. It is killed with the value; [`Server::stop`] asks it to end by itself.
pub struct Server {
    /// Where its interface for programs is.
    pub http: SocketAddr,
    /// Where it takes SIP over UDP and TCP.
    pub sip: SocketAddr,
    folder: TempDir,
    child: Child,
    rehearsal: Option<Rehearsal>,
}

/// What is different for a server whose time is moved by hand.
#[derive(Clone, Debug)]
struct Rehearsal {
    /// Where its time is moved.
    address: SocketAddr,
    /// Where programs are looked for first.
    programs: PathBuf,
}

impl Server {
    /// Starts a server on an empty data directory and waits until it is ready.
    pub async fn start() -> Result<Server> {
        let folder = TempDir::with_prefix("dreiklang-")?;
        Server::start_with(folder, "").await
    }

    /// Starts a server whose time stands still until it is moved over the address returned. Programs it uses are looked for in
    /// this folder first.
    pub async fn start_with_time_stopped(programs: &Path) -> Result<(Server, SocketAddr)> {
        let address = ports::free_address()?;
        let rehearsal = Rehearsal { address, programs: programs.to_owned() };
        Ok((Server::configure(TempDir::with_prefix("dreiklang-")?, "", Some(rehearsal)).await?, address))
    }

    /// Starts a server in this folder with more lines in its section `connected`, and waits until it is ready.
    pub async fn start_with(folder: TempDir, connected: &str) -> Result<Server> {
        Server::configure(folder, connected, None).await
    }

    async fn configure(folder: TempDir, connected: &str, rehearsal: Option<Rehearsal>) -> Result<Server> {
        let (http, sip) = (ports::free_address()?, ports::free_address()?);
        let first = ports::free_range(AUDIO_PORTS)?;
        let configuration = format!(
            "\
data_directory = {:?}

[http]
listen = \"{http}\"
secure_cookies = false

[connected]
udp = \"{sip}\"
tcp = \"{sip}\"
{connected}
[media]
port_first = {first}
port_last = {}
threads = 1

[log]
filter = \"info\"

[services]
allow_local = true
",
            folder.path().join("data").display().to_string(),
            first + AUDIO_PORTS - 1
        );
        std::fs::write(folder.path().join("dreiklang.toml"), configuration)?;
        Server::start_rehearsing(folder, http, sip, rehearsal).await
    }

    /// Starts a server in a folder that has a `dreiklang.toml` with these addresses already, and waits until it is ready.
    pub async fn start_in(folder: TempDir, http: SocketAddr, sip: SocketAddr) -> Result<Server> {
        Server::start_rehearsing(folder, http, sip, None).await
    }

    async fn start_rehearsing(folder: TempDir, http: SocketAddr, sip: SocketAddr, rehearsal: Option<Rehearsal>) -> Result<Server> {
        let child = spawn(folder.path(), rehearsal.as_ref())?;
        let mut server = Server { http, sip, folder, child, rehearsal };
        server.wait_until_ready().await?;
        Ok(server)
    }

    /// Kills the program as a failing machine would, and starts it again on the same data and ports.
    pub async fn kill_and_restart(&mut self) -> Result<()> {
        self.child.kill().await?;
        self.child = spawn(self.folder.path(), self.rehearsal.as_ref())?;
        self.wait_until_ready().await
    }

    /// Runs a command of the program with this server's configuration, and returns what it printed.
    pub async fn command(&self, arguments: &[&str]) -> Result<String> {
        let mut command = program_in(self.folder.path())?;
        let output = command.args(arguments).output().await?;
        ensure!(
            output.status.success(),
            "dreiklang {} failed ({}): {}",
            arguments.join(" "),
            output.status,
            String::from_utf8_lossy(&output.stderr)
        );
        String::from_utf8(output.stdout).context("the program prints UTF-8")
    }

    /// Applies a document with queues, agents, numbers, trunks and telephones.
    pub async fn apply(&self, document: &str) -> Result<String> {
        let file = self.folder.path().join("apply.toml");
        std::fs::write(&file, document)?;
        self.command(&["apply", &file.display().to_string()]).await
    }

    /// The address of something the interface offers.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.http)
    }

    /// The server's folder: `data/` and `log`.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Everything the server wrote to its log.
    pub fn log(&self) -> String {
        String::from_utf8_lossy(&std::fs::read(self.folder.path().join("log")).unwrap_or_default()).into_owned()
    }

    /// Asks the server to end, as Ctrl-C does, and does not wait for it.
    pub async fn ask_to_stop(&self) -> Result<()> {
        let id = self.child.id().context("the server has ended already")?;
        let asked = Command::new("kill").args(["-INT", &id.to_string()]).status().await?;
        ensure!(asked.success(), "cannot ask the server to end");
        Ok(())
    }

    /// Waits until the server has ended by itself, and checks that it did so without an error.
    pub async fn wait_until_ended(mut self) -> Result<()> {
        match tokio::time::timeout(STOP_MAX, self.child.wait()).await {
            Ok(status) => {
                let status = status?;
                ensure!(status.success(), "the server ended with {status}\n{}", self.log());
                Ok(())
            }
            Err(_) => bail!("the server has not ended after {} s\n{}", STOP_MAX.as_secs(), self.log()),
        }
    }

    /// Asks the server to end and waits until it has.
    pub async fn stop(self) -> Result<()> {
        self.ask_to_stop().await?;
        self.wait_until_ended().await
    }

    async fn wait_until_ready(&mut self) -> Result<()> {
        let client = reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(1)).build()?;
        let url = self.url("/readyz");
        let child = &mut self.child;
        let mut ended = None;
        let ready = wait::until("the server to be ready", SOON, async || {
            ended = child.try_wait().ok().flatten();
            let is_ready = client.get(&url).send().await.is_ok_and(|answer| answer.status().is_success());
            (is_ready || ended.is_some()).then_some(())
        });
        ready.await.with_context(|| self.log())?;
        match ended {
            Some(status) => bail!("the server ended at once ({status})\n{}", self.log()),
            None => Ok(()),
        }
    }
}

fn program_in(folder: &Path) -> Result<Command> {
    let mut command = Command::new(program()?);
    command
        .current_dir(folder)
        .env("DREIKLANG_CONFIG", folder.join("dreiklang.toml"))
        .env("DREIKLANG_ADMIN_PASSWORD", ADMINISTRATOR_PASSWORD)
        .env("DREIKLANG_PASSWORD", ADMINISTRATOR_PASSWORD)
        .stdin(Stdio::null())
        .kill_on_drop(true);
    Ok(command)
}

fn spawn(folder: &Path, rehearsal: Option<&Rehearsal>) -> Result<Child> {
    let log = std::fs::OpenOptions::new().create(true).append(true).open(folder.join("log"))?;
    let mut command = program_in(folder)?;
    if let Some(Rehearsal { address, programs }) = rehearsal {
        let path = std::env::var("PATH").unwrap_or_default();
        command.env("REHEARSAL_OF_DREIKLANG", address.to_string()).env("PATH", format!("{}:{path}", programs.display()));
    }
    command.arg("serve").stdout(log.try_clone()?).stderr(log).spawn().context("cannot start dreiklang serve")
}
