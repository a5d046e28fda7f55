//! Options that all measurements share, and what is built from them: addresses, agents, the running generator.

use crate::{
    audio::Audio,
    machine::{Peer, Snapshot},
    sip::{
        exchange::{self, Exchange},
        phone::{Pattern, Phones, Progress},
        scenario::{HangUp, Scenario},
        world::World,
    },
    timers::{Clock, MS, Nanos, SECOND},
};
use anyhow::{Context as _, bail};
use dreiklang_sip::{digest::Credentials, message::Uri};
use std::{
    cell::Cell,
    net::{IpAddr, SocketAddr, ToSocketAddrs as _, UdpSocket},
    path::PathBuf,
    process::{Command, Stdio},
    sync::Arc,
    thread::{self, JoinHandle},
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

/// Agents that fit one pattern.
const AGENTS_MAX: usize = 9_999;
/// How long agents may take to sign in.
const SIGN_IN_LIMIT: Duration = Duration::from_secs(60);
/// How often progress is looked at.
const GLANCE: Duration = Duration::from_millis(20);
/// How long a look at the rest of the machine takes.
const QUIET_LOOK: Duration = Duration::from_millis(1_500);

/// Options of all measurements.
#[derive(clap::Args, Clone, Debug)]
pub struct Target {
    /// Where the peer takes calls.
    #[arg(long, value_name = "HOST:PORT", required_unless_present = "direct")]
    peer: Option<String>,
    /// Call our own answering side directly: what the generator itself can do.
    #[arg(long, conflicts_with_all = ["peer", "pid", "agents"])]
    direct: bool,
    /// Number or user that is called.
    #[arg(long, default_value = "+4930100")]
    user: String,
    /// Host part of called addresses and of agents; without it the peer's.
    #[arg(long)]
    domain: Option<String>,
    /// Processes of the peer on this machine, for CPU and memory; their children count too.
    #[arg(long, value_delimiter = ',', value_name = "PID,…")]
    pid: Vec<u32>,
    /// Agents who sign in at the peer and answer; {} becomes 0001, 0002, … Without it one address answers: see --answer-port.
    #[arg(long, num_args = 2, value_names = ["USER{}:PASSWORD{}[@DOMAIN]", "COUNT"])]
    agents: Vec<String>,
    /// Port that the peer sends calls to when there are no agents; 0 takes any.
    #[arg(long, default_value_t = 0)]
    answer_port: u16,
    /// Port that calls come from; 0 takes any.
    #[arg(long, default_value_t = 0)]
    caller_port: u16,
    /// Time between an offer and its answer.
    #[arg(long, default_value_t = 0, value_name = "MS")]
    ring_ms: u64,
    /// Time after which a call that is not connected has failed.
    #[arg(long, default_value_t = 10, value_name = "SECONDS")]
    patience: u64,
    /// Who ends calls.
    #[arg(long, value_enum, default_value = "caller")]
    hang_up: HangUp,
    /// Callers' numbers: this and eight digits.
    #[arg(long, default_value = "+4999")]
    caller_prefix: String,
    /// Credentials of callers, if the peer wants some.
    #[arg(long, value_name = "USER:PASSWORD")]
    caller_login: Option<String>,
    /// A call counts as connected when the caller has an answer: for an answering side that is not ours, or a peer that hides
    /// the caller's number.
    #[arg(long)]
    connect_on_answer: bool,
    /// Name of the peer in the results.
    #[arg(long, default_value = "peer")]
    pub label: String,
    /// Append one JSON object per run to this file.
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// Shell command that puts the peer in order: run before the first run and after each that was not held.
    #[arg(long, value_name = "COMMAND")]
    before: Option<String>,
    /// Before each run wait up to this long until the rest of the machine uses less than 30 % of a core.
    #[arg(long, default_value_t = 0, value_name = "SECONDS")]
    wait_quiet: u64,
}

/// A generator that runs, and the peer's processes.
pub struct Bench {
    /// The generator.
    pub exchange: Arc<Exchange>,
    /// Its audio.
    pub audio: Arc<Audio>,
    /// The peer.
    pub peer: Peer,
    /// Number of agents; 0 = one address answers everything.
    pub agents: usize,
    /// Name of the peer in the results.
    pub label: String,
    /// Where results go.
    pub out: Option<PathBuf>,
    patience: Nanos,
    hold: Nanos,
    wait_quiet: Duration,
    before: Option<String>,
    is_in_order: Cell<bool>,
    threads: Vec<JoinHandle<()>>,
}

impl Target {
    /// Opens sockets, starts the threads and signs the agents in.
    pub fn start(&self, hold: Nanos, with_audio: bool) -> anyhow::Result<Bench> {
        let clock = Clock::start();
        let peer = self.peer.as_deref().map(address_of).transpose()?;
        let ip = match peer {
            Some(peer) => way_to(peer).with_context(|| format!("this machine has no way to {peer}"))?,
            None => IpAddr::from([127, 0, 0, 1]),
        };
        let open = |port: u16| exchange::open(SocketAddr::new(ip, port)).with_context(|| format!("cannot open {ip}:{port}"));
        let (caller, answerer) = (open(self.caller_port)?, open(self.answer_port)?);
        let (caller_address, answer_address) = (caller.local_addr()?, answerer.local_addr()?);
        let peer = peer.unwrap_or(answer_address);
        let host = if peer.is_ipv4() { peer.ip().to_string() } else { format!("[{}]", peer.ip()) };
        let domain = self.domain.clone().unwrap_or(host);
        let (pattern, agents) = self.agents()?;
        let caller_credentials = match &self.caller_login {
            Some(login) => {
                let (user, password) = login.split_once(':').context("--caller-login is user:password")?;
                Some(Credentials::new(user, password))
            }
            None => None,
        };
        let target =
            Uri::parse(&format!("sip:{}@{domain}", self.user)).with_context(|| format!("\"{}@{domain}\" cannot be called", self.user))?;
        let scenario = Arc::new(Scenario {
            peer,
            caller_address,
            answer_address,
            run: run_name(),
            caller_prefix: self.caller_prefix.clone(),
            caller_credentials,
            hold,
            ring: self.ring_ms * MS,
            patience: self.patience * SECOND,
            hang_up: self.hang_up,
            connected_on_answer: self.connect_on_answer,
        });
        let audio = Arc::new(Audio::open(ip, clock, with_audio).context("cannot open audio ports")?);
        let phones = Phones::new(pattern.as_ref(), agents, &domain);
        let world = World::new(scenario, audio.clone(), target, phones);
        let (exchange, mut threads) = Exchange::start(world, clock, caller, answerer).context("cannot start threads")?;
        if with_audio {
            threads.extend(audio.spawn().context("cannot start threads")?);
        }
        let bench = Bench {
            exchange,
            audio,
            peer: Peer::new(self.pid.clone()),
            agents,
            label: self.label.clone(),
            out: self.out.clone(),
            patience: self.patience * SECOND,
            hold,
            wait_quiet: Duration::from_secs(self.wait_quiet),
            before: self.before.clone(),
            is_in_order: Cell::new(false),
            threads,
        };
        bench.check_peer()?;
        bench.sign_in()?;
        if agents == 0 && !self.direct {
            eprintln!("answering at {answer_address}; calls come from {caller_address}");
        }
        Ok(bench)
    }

    fn agents(&self) -> anyhow::Result<(Option<Pattern>, usize)> {
        let [pattern, count] = &self.agents[..] else { return Ok((None, 0)) };
        let count: usize = count.parse().with_context(|| format!("\"{count}\" is no number of agents"))?;
        anyhow::ensure!((1..=AGENTS_MAX).contains(&count), "between 1 and {AGENTS_MAX} agents, not {count}");
        Ok((Some(Pattern::parse(pattern)?), count))
    }
}

impl Bench {
    /// Gets ready for a run: the peer lives, is in order, and the machine is quiet.
    pub fn prepare(&self) -> anyhow::Result<()> {
        self.check_peer()?;
        if let Some(command) = self.before.as_ref().filter(|_| !self.is_in_order.get()) {
            let status = Command::new("sh").args(["-c", command]).stdout(Stdio::null()).status().context("there is no shell")?;
            anyhow::ensure!(status.success(), "\"{command}\" failed: {status}");
            self.is_in_order.set(true);
        }
        self.wait_until_quiet();
        Ok(())
    }

    /// Remembers that the peer may be out of order when it did not hold a load.
    pub fn after(&self, is_held: bool) {
        self.is_in_order.set(is_held && self.is_in_order.get());
    }

    fn check_peer(&self) -> anyhow::Result<()> {
        anyhow::ensure!(self.peer.is_alive(), "the peer's process is gone");
        Ok(())
    }

    fn sign_in(&self) -> anyhow::Result<()> {
        if self.agents == 0 {
            return Ok(());
        }
        let began = Instant::now();
        self.exchange.with(|world| world.phones.sign_in(&mut world.io));
        loop {
            match self.exchange.with(|world| world.phones.progress()) {
                Progress::Done => break,
                Progress::Failed { user, problem } => bail!("agent {user} cannot sign in: {problem}"),
                Progress::Underway(done) if began.elapsed() > SIGN_IN_LIMIT => {
                    bail!("only {done} of {} agents signed in within {SIGN_IN_LIMIT:?}", self.agents)
                }
                Progress::Underway(_) => thread::sleep(GLANCE),
            }
        }
        eprintln!("{} agents signed in within {:.1} s", self.agents, began.elapsed().as_secs_f64());
        Ok(())
    }

    /// Waits until the rest of the machine is quiet, as long as was asked for.
    fn wait_until_quiet(&self) {
        const QUIET_PCT: f64 = 30.0;
        let deadline = Instant::now() + self.wait_quiet;
        while Instant::now() < deadline {
            let before = Snapshot::take(&self.peer);
            thread::sleep(QUIET_LOOK);
            if before.until(&Snapshot::take(&self.peer)).foreign_cpu_pct < QUIET_PCT {
                return;
            }
        }
    }

    /// Sleeps until this moment of the generator's clock.
    pub fn sleep_until(&self, at: Nanos) {
        let now = self.exchange.clock.now();
        if at > now {
            thread::sleep(Duration::from_nanos(at - now));
        }
    }

    /// Waits until `done`, at most for `limit`. Says whether it came.
    pub fn wait(&self, limit: Nanos, mut done: impl FnMut(&mut World) -> bool) -> bool {
        let deadline = self.exchange.clock.now().saturating_add(limit);
        loop {
            if self.exchange.with(&mut done) {
                return true;
            }
            if self.exchange.clock.now() >= deadline {
                return false;
            }
            thread::sleep(GLANCE);
        }
    }

    /// How long a call may take to be connected.
    pub fn patience(&self) -> Nanos {
        self.patience
    }

    /// How long a call may take from its beginning to its end.
    pub fn call_limit(&self) -> Nanos {
        self.patience.saturating_add(self.hold).saturating_add(2 * SECOND)
    }

    /// Ends the threads.
    pub fn stop(self) {
        self.exchange.stop();
        self.audio.stop();
        for thread in self.threads {
            // A thread that panicked has said so.
            let _ = thread.join();
        }
    }
}

fn address_of(text: &str) -> anyhow::Result<SocketAddr> {
    let mut found = text.to_socket_addrs().with_context(|| format!("\"{text}\" is no address; write host:port"))?;
    found.next().with_context(|| format!("\"{text}\" has no address"))
}

/// Our own address on the way to the peer.
fn way_to(peer: SocketAddr) -> std::io::Result<IpAddr> {
    let any: IpAddr = if peer.is_ipv4() { IpAddr::from([0, 0, 0, 0]) } else { IpAddr::from([0_u16; 8]) };
    let socket = UdpSocket::bind(SocketAddr::new(any, 0))?;
    socket.connect(peer)?;
    Ok(socket.local_addr()?.ip())
}

fn run_name() -> String {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    format!("{:x}", (since.as_millis() as u64 ^ u64::from(std::process::id()) << 24) & 0xff_ffff_ffff)
}
