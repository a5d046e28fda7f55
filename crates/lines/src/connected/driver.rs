//! The loop of the Connected line: the only place where its sockets, calls and timers meet.
//!
//! Everything here runs in one task, so that a call's state is changed by one thing at a time. Work that may take long (reading
//! and rendering prompts, looking up names) runs elsewhere and comes back as a [`Done`].

use super::{
    Config, StartError, Status, Work, directory::Directory, leg::Legs, limits, phones::Phones, referral::Referral, trunks::Trunks,
};
use crate::Notice;
use dreiklang_core::{
    Input,
    conversation::{Cause, CauseKind},
    ids::{ConversationId, LegId, RecordingId, TenantId},
};
use dreiklang_media::{engine, prompt};
use dreiklang_sip::{
    config::Config as EndpointConfig,
    endpoint::Endpoint,
    event::{CallId, Event, Output},
    hop::Hop,
    hop::Transport,
    message::Method,
    transport::{self, Item, PeerCertificate, Transports},
};
use std::{
    collections::{HashMap, HashSet, VecDeque},
    net::{SocketAddr, ToSocketAddrs},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Instant,
};
use tokio::sync::mpsc;

/// Something that took long and is done.
pub(super) enum Done {
    /// A prompt is ready (or not) for a leg.
    Prompt { leg: LegId, hearing: u64, action: dreiklang_core::ids::ActionId, repeat: bool, result: Result<Arc<prompt::Prompt>, String> },
    /// A trunk's peer was looked up.
    Resolved { tenant: TenantId, trunk: String, peer: usize, addresses: Vec<SocketAddr>, failure: Option<String> },
    /// Where the requests of a call go was looked up.
    Route { call: CallId, addresses: Vec<SocketAddr> },
    /// Where an outgoing leg goes was looked up.
    Found { leg: LegId, addresses: Vec<SocketAddr> },
}

/// Runs the line; see [`Driver::run`].
pub struct Driver {
    pub(super) config: Config,
    pub(super) endpoint: Endpoint,
    pub(super) media: engine::Engine,
    pub(super) prompts: Arc<prompt::Library>,
    /// The built-in prompts have been composed.
    pub(super) builtins_ready: Arc<AtomicBool>,
    pub(super) directory: Directory,
    pub(super) legs: Legs,
    pub(super) phones: Phones,
    pub(super) trunks: Trunks,
    /// Transfers that Teams has asked for and that are not dialed yet, by what they are part of.
    pub(super) referrals: HashMap<ConversationId, Referral>,
    pub(super) done: mpsc::Sender<Done>,
    pub(super) next_play: u64,
    /// Tenants whose owner has asked what lives here.
    pub(super) surveyed: HashSet<TenantId>,
    /// Whose a running recording is; ends with its finished or failed event.
    pub(super) recording_tenants: HashMap<RecordingId, TenantId>,
    pub(super) stopping: bool,
    transports: Transports,
    media_events: mpsc::Receiver<engine::Event>,
    work: mpsc::Receiver<Work>,
    done_queue: mpsc::Receiver<Done>,
    notices: mpsc::Sender<Notice>,
    outbox: VecDeque<Notice>,
}

impl Driver {
    pub(super) fn new(
        config: Config,
        transports: Transports,
        addresses: &transport::LocalAddresses,
        media: engine::Engine,
        media_events: mpsc::Receiver<engine::Event>,
        work: mpsc::Receiver<Work>,
        notices: mpsc::Sender<Notice>,
    ) -> Result<Driver, StartError> {
        let mut seed = [0_u8; 32];
        getrandom::fill(&mut seed).map_err(|error| StartError::Random(error.to_string()))?;
        let mut realm_key = [0_u8; 32];
        getrandom::fill(&mut realm_key).map_err(|error| StartError::Random(error.to_string()))?;
        let host = config.advertised_host.clone();
        let locals = addresses.advertised(&host);
        let mut endpoint_config = EndpointConfig::new(&config.user_agent, locals);
        endpoint_config.requests.push(Method::Options);
        let endpoint = Endpoint::new(endpoint_config, seed);
        let (done, done_queue) = mpsc::channel(limits::BACKGROUND_RESULTS);
        let prompts = Arc::new(prompt::Library::open(prompt::Config::new(config.prompt_cache.clone()))?);
        Ok(Driver {
            endpoint,
            media,
            prompts,
            builtins_ready: compose_builtins(),
            directory: Directory::default(),
            legs: Legs::default(),
            phones: Phones::new(&config.realm, realm_key),
            trunks: Trunks::new(&host),
            referrals: HashMap::new(),
            done,
            next_play: 1,
            surveyed: HashSet::new(),
            recording_tenants: HashMap::new(),
            stopping: false,
            transports,
            media_events,
            work,
            done_queue,
            notices,
            outbox: VecDeque::new(),
            config,
        })
    }

    /// Runs until stopped, or until nobody holds a handle any more.
    pub async fn run(mut self) {
        let mut stop_at: Option<tokio::time::Instant> = None;
        loop {
            self.flush().await;
            if self.stopping && (self.legs.len() == 0 || stop_at.is_some_and(|at| at <= tokio::time::Instant::now())) {
                break;
            }
            let wake_at = self.next_wake().map(tokio::time::Instant::from_std);
            tokio::select! {
                biased;
                () = sleep_until(stop_at) => continue,
                () = sleep_until(wake_at) => self.on_time(Instant::now()),
                Some(event) = self.media_events.recv() => {
                    self.on_media(event);
                    for _ in 1..limits::BATCH {
                        let Ok(event) = self.media_events.try_recv() else { break };
                        self.on_media(event);
                    }
                }
                Some(done) = self.done_queue.recv() => self.on_done(Instant::now(), done),
                work = self.work.recv() => {
                    let Some(work) = work else { break };
                    if let Some(at) = self.on_work(work) {
                        stop_at = Some(at);
                    }
                    for _ in 1..limits::BATCH {
                        let Ok(work) = self.work.try_recv() else { break };
                        if let Some(at) = self.on_work(work) {
                            stop_at = Some(at);
                        }
                    }
                }
                received = self.transports.recv() => {
                    let now = Instant::now();
                    self.on_received(now, received);
                    for _ in 1..limits::BATCH {
                        let Some(received) = self.transports.try_recv() else { break };
                        self.on_received(now, received);
                    }
                }
            }
        }
        self.transports.close().await;
        // Finishing recordings waits for the disk.
        let media = self.media.clone();
        if tokio::task::spawn_blocking(move || media.shutdown()).await.is_err() {
            tracing::error!(code = "LINE-004", "the media engine did not stop cleanly");
        }
        while let Ok(event) = self.media_events.try_recv() {
            self.on_media(event);
        }
        self.flush().await;
    }

    fn on_received(&mut self, now: Instant, received: transport::Incoming) {
        match received.item {
            Item::Message(message) => self.endpoint.handle_message(now, received.hop, message),
            // Who is nobody we know learns from nonsense no more than from sense.
            Item::Malformed(_) if received.hop.transport == Transport::Udp && !self.directory.is_source(received.hop.remote.ip()) => {}
            Item::Malformed(malformed) => {
                tracing::debug!(source = %received.hop, error = %malformed.error, "malformed message");
                self.endpoint.handle_malformed(now, received.hop, malformed);
            }
            Item::Closed | Item::Failed { .. } => self.endpoint.handle_transport_error(now, &received.hop),
        }
    }

    fn on_work(&mut self, work: Work) -> Option<tokio::time::Instant> {
        let now = Instant::now();
        match work {
            Work::Act { tenant, action, wish } => self.act(now, tenant, action, wish),
            Work::Directory { tenant, entries } => self.set_directory(now, tenant, entries),
            Work::Bindings { kept } => self.restore_bindings(now, kept),
            Work::Status { answer } => {
                // Whoever asked may have given up.
                let _ = answer.send(self.status());
            }
            Work::Stop { within } => {
                self.stopping = true;
                self.end_everything(now);
                return Some(tokio::time::Instant::now() + within);
            }
        }
        None
    }

    fn status(&self) -> Status {
        Status { legs: self.legs.live().count(), phones: self.phones.signed_in(), peers: self.trunks.status() }
    }

    fn end_everything(&mut self, now: Instant) {
        let calls: Vec<_> = self.legs.live().map(|leg| leg.call).collect();
        // Those whose transfer is not dialed have no leg any more.
        let transfers = std::mem::take(&mut self.referrals).into_values().map(|referral| referral.call);
        for call in calls.into_iter().chain(transfers) {
            self.endpoint.hang_up(now, call, None);
        }
    }

    fn next_wake(&self) -> Option<Instant> {
        [self.endpoint.poll_timeout(), self.phones.poll_timeout(), self.trunks.poll_timeout(), self.referrals_wake()]
            .into_iter()
            .flatten()
            .min()
    }

    fn on_time(&mut self, now: Instant) {
        self.endpoint.handle_timeout(now);
        self.phones_on_time(now);
        self.trunks_on_time(now);
        self.referrals_on_time(now);
    }

    /// Carries out everything the endpoint wants, then tells the server everything it should know.
    async fn flush(&mut self) {
        let now = Instant::now();
        while let Some(output) = self.endpoint.poll_output() {
            match output {
                Output::Transmit { hop, bytes } => self.transports.send(&hop, bytes.to_vec()),
                Output::Event(event) => self.on_event(now, event),
            }
        }
        while let Some(notice) = self.outbox.pop_front() {
            if self.notices.send(notice).await.is_err() {
                // The server has gone; there is nobody left to tell.
                self.outbox.clear();
            }
        }
    }

    fn on_event(&mut self, now: Instant, event: Event) {
        match event {
            Event::Incoming { call, hop, request, sdp } => self.arrive(now, call, &hop, &request, sdp),
            Event::Request { id, hop, request } => self.on_request(now, id, &hop, &request),
            Event::Response { id, result } => self.on_response(now, id, &result),
            event => self.on_signal(now, event),
        }
    }

    /// Who is at the other end of an encrypted connection, as far as it has proved it.
    pub(super) fn certificate_of(&self, hop: &Hop) -> Option<Arc<PeerCertificate>> {
        self.transports.peer_certificate(hop.connection?)
    }

    /// Looks the name up that leads to the peer of a call, so that the call outlives the connection it came by.
    pub(super) fn find_route(&self, call: CallId) {
        let Some((name, port)) = self.endpoint.route_name(call) else { return };
        self.in_background(move || Done::Route {
            call,
            addresses: (&*name, port).to_socket_addrs().map(Iterator::collect).unwrap_or_default(),
        });
    }

    /// The name was looked up.
    pub(super) fn on_route(&mut self, call: CallId, addresses: &[SocketAddr]) {
        let ipv4 = self.config.speaks_ipv4();
        if let Some(address) = addresses.iter().find(|address| address.is_ipv4() == ipv4) {
            self.endpoint.set_route(call, *address);
        }
    }

    /// Tells the core.
    pub(super) fn tell(&mut self, tenant: TenantId, input: Input) {
        self.outbox.push_back(Notice::Input { tenant, input: Box::new(input) });
    }

    /// Tells the server something else.
    pub(super) fn notice(&mut self, notice: Notice) {
        self.outbox.push_back(notice);
    }

    /// Tells the core that a leg is over which never was, or is not any more, alive here.
    pub(super) fn tell_ended(&mut self, tenant: TenantId, leg: LegId, kind: CauseKind, detail: &str) {
        let cause = Cause { kind, detail: Some(detail.to_owned()) };
        self.tell(tenant, Input::Ended { leg, cause });
    }

    /// Runs something slow off this task; the result comes back as a [`Done`].
    pub(super) fn in_background(&self, work: impl FnOnce() -> Done + Send + 'static) {
        let done = self.done.clone();
        tokio::task::spawn_blocking(move || {
            let result = work();
            // A stopped driver has no use for it.
            let _ = done.blocking_send(result);
        });
    }
}

/// Composes the built-in prompts off this task, so that the first caller hears music at once.
fn compose_builtins() -> Arc<AtomicBool> {
    let ready = Arc::new(AtomicBool::new(false));
    let tell = Arc::clone(&ready);
    tokio::task::spawn_blocking(move || {
        for builtin in prompt::Builtin::ALL {
            builtin.prompt();
        }
        tell.store(true, Ordering::Release);
    });
    ready
}

async fn sleep_until(at: Option<tokio::time::Instant>) {
    match at {
        Some(at) => tokio::time::sleep_until(at).await,
        None => std::future::pending::<()>().await,
    }
}
