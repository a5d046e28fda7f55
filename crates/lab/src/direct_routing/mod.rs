//! Teams as a session border controller sees it: three SIP proxies over mutual TLS, and people behind them.
//!
//! Plays Microsoft's side of Direct Routing by what Microsoft writes of it: asks for our certificate and our name, refuses what
//! it refuses, pings back, rings its people's devices, holds with `a=inactive`, transfers by REFER, takes over by Replaces. What
//! a border controller does wrong although the call goes on is collected in [`DirectRouting::violations`]. Left out: media
//! bypass (ICE) and the other codecs of Teams.
//!
//! # Layout
//!
//! `certificates` (an authority and what it issues), `proxy` (one of the three), `rules` (what is asked of the other side),
//! `person` (people and what they can be asked to do), `wire` (how Microsoft writes messages).

pub mod certificates;
pub mod person;
mod proxy;
mod rules;
mod wire;

use crate::pstn::{audio::Audio, phone::Manner};
use certificates::Authority;
use person::{Exit, Person, Profile, State, Work};
use proxy::Proxy;
use std::{
    io,
    net::{IpAddr, SocketAddr},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU8, AtomicU64, Ordering},
    },
};
use tokio::sync::{mpsc, watch};

/// Things proxies may be asked to do that wait to be done.
const WORK_QUEUED: usize = 64;
/// Violations kept: the first are the ones that explain the others.
const VIOLATIONS_MAX: usize = 100;

/// What is set up.
pub struct Config {
    /// The border controller that Teams knows (`New-CsOnlinePSTNGateway`).
    pub gateway: Gateway,
    /// The proxies' hosts, in the order of the data centres; each a name or address of this machine.
    pub proxies: Vec<(String, IpAddr)>,
    /// People of the tenant.
    pub people: Vec<Profile>,
    /// Tone of the recorder that answers for voicemail.
    pub voicemail_hz: u32,
}

/// A border controller.
#[derive(Clone, Debug)]
pub struct Gateway {
    /// Its name.
    pub fqdn: String,
    /// Where it takes calls by TLS.
    pub address: SocketAddr,
}

/// How a data centre is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Condition {
    /// It works.
    Working,
    /// It answers 503 and wants to be left alone for a second.
    Busy,
    /// It takes connections and says nothing.
    Silent,
}

/// What all proxies share.
struct Shared {
    gateway: Gateway,
    people: Vec<Person>,
    voicemail: usize,
    violations: Mutex<Vec<String>>,
    /// Transfers that were asked for: what has to come back.
    expected: Mutex<Vec<rules::Expected>>,
    /// The border controller's answers to our pings.
    pinged: watch::Sender<u64>,
}

/// The running proxies. They end when dropped.
pub struct DirectRouting {
    shared: Arc<Shared>,
    proxies: Vec<ProxyHandle>,
}

struct ProxyHandle {
    address: String,
    condition: Arc<AtomicU8>,
    invites: Arc<AtomicU64>,
    work: mpsc::Sender<(usize, Work)>,
    task: tokio::task::JoinHandle<()>,
}

impl DirectRouting {
    /// Starts the proxies with certificates of this authority, which are for servers only, as Microsoft's are since 2026.
    ///
    /// # Errors
    /// When a socket cannot be opened or a certificate cannot be written.
    pub async fn start(config: Config, authority: &Authority) -> io::Result<DirectRouting> {
        let (mut exits, mut queues) = (Vec::new(), Vec::new());
        for _ in &config.proxies {
            let (sender, queue) = mpsc::channel(WORK_QUEUED);
            exits.push(Exit { work: sender, condition: Arc::new(AtomicU8::new(Condition::Working as u8)) });
            queues.push(queue);
        }
        let voicemail = Profile {
            number: String::new(),
            sign_in: "voicemail".to_owned(),
            object_id: "voicemail".to_owned(),
            hz: config.voicemail_hz,
            manner: Manner::Answer { after: std::time::Duration::ZERO },
        };
        let first_ip = config.proxies.first().map_or(IpAddr::from([127, 0, 0, 1]), |(_, ip)| *ip);
        let mut people = Vec::new();
        for (index, profile) in config.people.into_iter().chain([voicemail]).enumerate() {
            let audio = Arc::new(Audio::open(first_ip, profile.hz).await?);
            people.push(Person::new(index, profile, audio, exits.clone()));
        }
        let shared = Arc::new(Shared {
            gateway: config.gateway,
            voicemail: people.len() - 1,
            people,
            violations: Mutex::default(),
            expected: Mutex::default(),
            pinged: watch::Sender::new(0),
        });
        let mut proxies = Vec::new();
        for (((host, ip), queue), Exit { work, condition }) in config.proxies.into_iter().zip(queues).zip(exits) {
            let invites = Arc::new(AtomicU64::new(0));
            let proxy = Proxy::open(&host, ip, authority, Arc::clone(&shared), queue, Arc::clone(&condition), Arc::clone(&invites)).await?;
            proxies.push(ProxyHandle { address: proxy.address(), condition, invites, work, task: tokio::spawn(proxy.run()) });
        }
        Ok(DirectRouting { shared, proxies })
    }

    /// `host:port` of every proxy, in order.
    pub fn addresses(&self) -> Vec<String> {
        self.proxies.iter().map(|proxy| proxy.address.clone()).collect()
    }

    /// A person, by number or sign-in name.
    pub fn person(&self, who: &str) -> Option<&Person> {
        self.shared.people.iter().find(|person| person.profile().number == who || person.profile().sign_in == who)
    }

    /// The recorder that answers for voicemail.
    pub fn voicemail(&self) -> &Person {
        &self.shared.people[self.shared.voicemail]
    }

    /// Changes how a data centre is.
    pub fn set_condition(&self, proxy: usize, condition: Condition) {
        self.proxies[proxy].condition.store(condition as u8, Ordering::Release);
    }

    /// Takes a data centre off the network; its connections break.
    pub fn stop(&self, proxy: usize) {
        self.proxies[proxy].task.abort();
    }

    /// Breaks all connections of a data centre, which goes on with its calls and takes new connections at the same address.
    pub async fn break_connections(&self, proxy: usize) {
        // One that was taken off the network has none.
        let _ = self.proxies[proxy].work.send((self.shared.voicemail, Work::Reconnect)).await;
    }

    /// Calls that a data centre was asked to take.
    pub fn invites(&self, proxy: usize) -> u64 {
        self.proxies[proxy].invites.load(Ordering::Acquire)
    }

    /// What the border controller did wrong, in words.
    pub fn violations(&self) -> Vec<String> {
        lock(&self.shared.violations).clone()
    }

    /// How often the border controller has answered a ping as it should.
    pub fn pinged(&self) -> watch::Receiver<u64> {
        self.shared.pinged.subscribe()
    }
}

impl Drop for DirectRouting {
    fn drop(&mut self) {
        for proxy in &self.proxies {
            proxy.task.abort();
        }
    }
}

impl Shared {
    fn violation(&self, words: impl Into<String>) {
        let words = words.into();
        tracing::warn!(words, "the border controller breaks a rule");
        let mut violations = lock(&self.violations);
        if violations.len() < VIOLATIONS_MAX {
            violations.push(words);
        }
    }
}

/// A panic in another task leaves the values usable.
fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
