//! Connected: telephones, trunks and session border controllers.
//!
//! One driver runs the signalling of all tenants in this process; audio runs on the media engine's own threads. The driver
//! decides nothing about conversations: it translates.
//!
//! # Layout
//!
//! `settings` (what administrators set up) → `directory` (who is who) → `driver` (the loop) → `leg` (one party's state) →
//! `arrive` and `dial` (how legs begin), `signal` (what the far end does), `act` (what the core wants), `audio` (prompts,
//! bridging, recording), `phones` and `trunks` (sign-ins and health), `session` (offers and answers), `causes` (why things end),
//! `teams` (Microsoft's dialect), `referral` (transfers that Teams begins) and `replacing` (calls that take another's place).

mod act;
mod arrive;
mod audio;
mod causes;
mod dial;
pub mod directory;
mod driver;
mod leg;
pub mod limits;
mod phones;
mod referral;
mod replacing;
mod session;
pub mod settings;
mod signal;
mod teams;
mod trunks;

use crate::Notice;
use directory::TenantEntries;
use dreiklang_core::{
    Action, Input,
    ids::{ActionId, RecordingId, TenantId},
    time::Millis,
};
use dreiklang_media::{engine, record};
use dreiklang_sip::transport;
use std::{
    net::{IpAddr, SocketAddr},
    ops::RangeInclusive,
    path::PathBuf,
    time::Duration,
};
use tokio::sync::{mpsc, oneshot};

pub use driver::Driver;
pub use phones::Kept;

/// Where the line listens and keeps things: what the bootstrap configuration says of it.
#[derive(Clone, Debug)]
pub struct Listening {
    /// Datagrams.
    pub udp: Option<SocketAddr>,
    /// Plain streams.
    pub tcp: Option<SocketAddr>,
    /// Encrypted streams; needs `certificate` and `key`.
    pub tls: Option<SocketAddr>,
    /// PEM file of our certificate and its chain.
    pub certificate: Option<PathBuf>,
    /// PEM file of its key.
    pub key: Option<PathBuf>,
    /// PEM file of the authorities peers' certificates must come from; the public ones otherwise.
    pub authorities: Option<PathBuf>,
    /// Whether who connects by TLS is asked for a certificate. One that is shown has to be valid; Teams shows one.
    pub ask_certificates: bool,
    /// Host that peers are told to reach us at (name or address); the port is the listener's own. `None` = the audio's address.
    pub advertised_host: Option<String>,
    /// Realm in which telephones sign in.
    pub realm: String,
    /// Address audio sockets are bound to.
    pub media_bind: IpAddr,
    /// Address the other end is told to send audio to.
    pub media_advertised: IpAddr,
    /// Ports of audio.
    pub media_ports: RangeInclusive<u16>,
    /// Media threads; 0 = one per core.
    pub media_threads: usize,
    /// Where recordings go: `<recordings>/<tenant>/<recording>.wav`.
    pub recordings: PathBuf,
    /// Where prompts lie: `<prompts>/<tenant>/<name>.wav`.
    pub prompts: PathBuf,
    /// Where rendered speech is kept.
    pub prompt_cache: PathBuf,
}

/// How the line runs.
#[derive(Clone, Debug)]
pub struct Config {
    transports: transport::Config,
    media: engine::Config,
    advertised_host: String,
    /// Where recordings go.
    pub recordings: PathBuf,
    prompts: PathBuf,
    prompt_cache: PathBuf,
    realm: String,
    user_agent: String,
}

impl Config {
    /// Checks what fits together.
    ///
    /// # Errors
    /// A sentence that says what is missing.
    pub fn new(listening: Listening) -> Result<Config, String> {
        let tls = match (listening.tls, listening.certificate, listening.key) {
            (None, _, _) => None,
            (Some(address), Some(certificate_file), Some(key_file)) => Some(transport::TlsConfig {
                address,
                certificate_file,
                key_file,
                authority_file: listening.authorities,
                client_certificates: if listening.ask_certificates {
                    transport::ClientCertificates::Optional
                } else {
                    transport::ClientCertificates::NotRequested
                },
            }),
            (Some(_), _, _) => return Err("encrypted streams need a certificate and its key".to_owned()),
        };
        let mut media =
            engine::Config::new(listening.media_bind, listening.media_advertised, listening.media_ports, record::Config::default());
        media.quiet_ms = u64::try_from(limits::SILENCE.as_millis()).unwrap_or(u64::MAX);
        if listening.media_threads > 0 {
            media.shards = listening.media_threads;
        }
        let printed = match listening.media_advertised {
            IpAddr::V4(ip) => ip.to_string(),
            // IPv6 addresses go in brackets wherever a port could follow.
            IpAddr::V6(ip) => format!("[{ip}]"),
        };
        Ok(Config {
            transports: transport::Config { udp: listening.udp, tcp: listening.tcp, tls, ..transport::Config::default() },
            media,
            advertised_host: listening.advertised_host.unwrap_or(printed),
            recordings: listening.recordings,
            prompts: listening.prompts,
            prompt_cache: listening.prompt_cache,
            realm: listening.realm,
            user_agent: concat!("Dreiklang/", env!("CARGO_PKG_VERSION")).to_owned(),
        })
    }

    /// Whether our own sockets are for IPv4.
    pub(crate) fn speaks_ipv4(&self) -> bool {
        self.media.advertised_ip.is_ipv4()
    }

    /// Legs there are ports for: each takes an even port and the next.
    pub(crate) fn media_pairs(&self) -> usize {
        self.media.ports.clone().count() / 2
    }
}

/// Why the line does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// A listener cannot be opened.
    #[error(transparent)]
    Bind(#[from] transport::BindError),
    /// The media engine cannot run.
    #[error("audio cannot start: {0}")]
    Media(#[from] engine::StartError),
    /// A folder cannot be made.
    #[error("cannot create the folder {path}: {source}; check that its parent exists and is writable")]
    Folder {
        /// Which.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// Rendered speech cannot be kept.
    #[error(transparent)]
    Prompts(#[from] dreiklang_media::prompt::PromptError),
    /// Randomness could not be had.
    #[error("the system gives no random numbers: {0}")]
    Random(String),
}

/// What the driver can be asked.
pub(crate) enum Work {
    Act { tenant: TenantId, action: ActionId, wish: Action },
    Directory { tenant: TenantId, entries: TenantEntries },
    Bindings { kept: Vec<Kept> },
    Status { answer: oneshot::Sender<Status> },
    Stop { within: Duration },
}

/// What the line is doing at present.
#[derive(Clone, Debug, Default)]
pub struct Status {
    /// Legs alive.
    pub legs: usize,
    /// Telephones signed in: user name and where from.
    pub phones: Vec<(String, String)>,
    /// Peers of trunks: tenant, trunk, peer, usable, detail.
    pub peers: Vec<(TenantId, String, String, bool, String)>,
}

/// The line as seen from outside. Cheap to clone.
#[derive(Clone)]
pub struct Handle {
    work: mpsc::Sender<Work>,
    media: engine::Engine,
    addresses: transport::LocalAddresses,
}

impl Handle {
    /// Hands over a wish of the core without waiting.
    ///
    /// # Errors
    /// When the driver has stopped or has [`limits::WORK_QUEUED`] things to do already.
    pub(crate) fn try_submit(&self, tenant: TenantId, action: ActionId, wish: Action) -> Result<(), mpsc::error::TrySendError<()>> {
        self.work.try_send(Work::Act { tenant, action, wish }).map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => mpsc::error::TrySendError::Full(()),
            mpsc::error::TrySendError::Closed(_) => mpsc::error::TrySendError::Closed(()),
        })
    }

    /// Replaces what the line knows of a tenant.
    pub async fn set_directory(&self, tenant: TenantId, entries: TenantEntries) {
        // A stopped driver needs no directory.
        let _ = self.work.send(Work::Directory { tenant, entries }).await;
    }

    /// Gives back what [`Notice::Bindings`] asked to keep; to be called before telephones are expected.
    pub async fn restore_bindings(&self, kept: Vec<Kept>) {
        let _ = self.work.send(Work::Bindings { kept }).await;
    }

    /// What the line is doing; `None` when it has stopped.
    pub async fn status(&self) -> Option<Status> {
        let (answer, status) = oneshot::channel();
        self.work.send(Work::Status { answer }).await.ok()?;
        status.await.ok()
    }

    /// Figures of the media threads.
    pub fn media_counters(&self) -> engine::Counters {
        self.media.counters()
    }

    /// Where the line listens.
    pub fn addresses(&self) -> &transport::LocalAddresses {
        &self.addresses
    }

    /// Ends every call, finishes recordings and stops, at the latest after `within`.
    pub async fn stop(&self, within: Duration) {
        let _ = self.work.send(Work::Stop { within }).await;
    }
}

/// Opens the sockets and media threads. The returned driver's `run` has to be polled for anything to happen.
///
/// # Errors
/// See [`StartError`].
pub async fn start(config: Config, notices: mpsc::Sender<Notice>) -> Result<(Handle, Driver), StartError> {
    for path in [&config.recordings, &config.prompts, &config.prompt_cache] {
        std::fs::create_dir_all(path).map_err(|source| StartError::Folder { path: path.clone(), source })?;
    }
    let (media_tell, media_events) = mpsc::channel(limits::MEDIA_EVENTS_QUEUED);
    let media = engine::Engine::start(config.media.clone(), move |event| {
        // Media threads must never wait. A full queue means the driver has hung for seconds; then losing the event is the
        // smaller harm, and the legs end by their silence.
        if media_tell.try_send(event).is_err() {
            tracing::error!(code = "LINE-003", "an audio event was lost because signalling is too slow");
        }
    })?;
    let transports = transport::Transports::bind(config.transports.clone()).await?;
    let addresses = transports.local_addresses();
    let (work, work_queue) = mpsc::channel(limits::WORK_QUEUED);
    let handle = Handle { work, media: media.clone(), addresses };
    let driver = Driver::new(config, transports, &addresses, media, media_events, work_queue, notices)?;
    Ok((handle, driver))
}

/// Makes a recording whole that a former process left open, and says what became of it. Blocks on the disk.
pub fn recover_recording(recordings: &std::path::Path, tenant: TenantId, recording: RecordingId) -> Input {
    let relative = PathBuf::from(tenant.to_string()).join(format!("{recording}.wav"));
    match record::repair(&recordings.join(&relative)) {
        Ok(repaired) => Input::RecordingFinished {
            recording,
            path: relative.to_string_lossy().into_owned(),
            duration: Millis(repaired.duration_ms),
            channels: 2,
        },
        Err(error) => Input::RecordingFailed { recording, reason: error.to_string() },
    }
}
