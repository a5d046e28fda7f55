//! A telephone and its person: signs in, rings, answers (or not), talks, holds, hands on, hangs up.
//!
//! Over datagrams on loopback or a real network. The person's manner is set beforehand or changed at any time; what happened is
//! seen in [`State`], which can be waited for.

use super::audio::Audio;
use dreiklang_media::codec::Codec;
use dreiklang_sip::{
    config::Config as EndpointConfig,
    digest::Credentials,
    endpoint::{Endpoint, Invite},
    event::{CallId, CauseKind, Event, Output},
    hop::Hop,
    message::{Host, NameAddr, Uri},
    registration::{Registration, RegistrationConfig, RegistrationEvent},
    sdp::{AudioCodec, Direction, LocalAudio, Negotiated, Session},
    transport::{self, Item, Transports},
};
use std::{
    io,
    net::{IpAddr, SocketAddr},
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::sync::{mpsc, watch};

/// Things the person may be asked to do that wait to be done.
const WORK_QUEUED: usize = 64;
/// How long a sign-in lasts.
const SIGN_IN_LASTS: Duration = Duration::from_secs(300);
/// How long an outgoing call of the lab may ring.
const RING_LIMIT: Duration = Duration::from_secs(120);

/// What a person does when the telephone rings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Manner {
    /// Answers after a while.
    Answer {
        /// How long it rings.
        after: Duration,
    },
    /// Lets it ring.
    LetRing,
    /// Is busy.
    Busy,
    /// Declines.
    Decline,
}

/// How a telephone is set up.
#[derive(Clone, Debug)]
pub struct Config {
    /// User name; shown as the caller.
    pub user: String,
    /// Password for signing in; without one the telephone does not sign in and is only reachable by its address.
    pub password: Option<String>,
    /// Where it signs in and sends its calls.
    pub server: SocketAddr,
    /// Own address.
    pub ip: IpAddr,
    /// The tone its person says.
    pub hz: u32,
    /// What its person does when it rings.
    pub manner: Manner,
}

/// What a telephone is doing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct State {
    /// Signed in.
    pub signed_in: bool,
    /// Why signing in failed last.
    pub sign_in_problem: Option<String>,
    /// The present or last call.
    pub call: CallState,
    /// Calls that rang here since the start.
    pub rang: u32,
}

/// What a telephone's call is doing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum CallState {
    /// There was none yet.
    #[default]
    Idle,
    /// Calling somebody.
    Calling,
    /// The far end rings.
    FarEndRings,
    /// Somebody calls.
    Rings {
        /// Who, as shown.
        caller: String,
    },
    /// Talking.
    Talking,
    /// It is over.
    Over {
        /// The far end ended it.
        by_far_end: bool,
        /// Status of a refusal.
        status: Option<u16>,
    },
}

enum Work {
    Call(String),
    Answer,
    Decline,
    HangUp,
    Hold(bool),
    Transfer(String),
    Manner(Manner),
    SignOut,
}

/// A telephone. It is put down when dropped (without goodbye).
pub struct Phone {
    work: mpsc::Sender<Work>,
    state: watch::Receiver<State>,
    audio: Arc<Audio>,
    address: SocketAddr,
    task: tokio::task::JoinHandle<()>,
}

impl Phone {
    /// Plugs a telephone in; signs in if it has a password.
    ///
    /// # Errors
    /// When no socket can be opened.
    pub async fn start(config: Config) -> io::Result<Phone> {
        let audio = Arc::new(Audio::open(config.ip, config.hz).await?);
        let transports = Transports::bind(transport::Config { udp: Some(SocketAddr::new(config.ip, 0)), ..transport::Config::default() })
            .await
            .map_err(io::Error::other)?;
        let address = transports.local_addresses().udp.ok_or_else(|| io::Error::other("no datagram socket"))?;
        let (work, work_queue) = mpsc::channel(WORK_QUEUED);
        let (tell, state) = watch::channel(State::default());
        let locals = transports.local_addresses().advertised(&config.ip.to_string());
        let mut endpoint_config = EndpointConfig::new("Dreiklang lab", locals);
        endpoint_config.session_expires = None;
        let endpoint = Endpoint::new(endpoint_config, seed());
        let person = Person {
            registration: None,
            call: None,
            session: None,
            agreed: None,
            holding: false,
            offer: None,
            answer_at: None,
            tell,
            audio: Arc::clone(&audio),
            endpoint,
            transports,
            work: work_queue,
            config,
            address,
        };
        let task = tokio::spawn(person.run());
        Ok(Phone { work, state, audio, address, task })
    }

    /// Own address for calls.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// What it says and hears.
    pub fn audio(&self) -> &Audio {
        &self.audio
    }

    /// What it is doing, and every change of it.
    pub fn state(&self) -> watch::Receiver<State> {
        self.state.clone()
    }

    /// Waits until the state is as wanted. `None` when it is not within the time.
    pub async fn wait_for(&self, within: Duration, wanted: impl Fn(&State) -> bool) -> Option<State> {
        let mut state = self.state.clone();
        let reached = tokio::time::timeout(within, state.wait_for(|state| wanted(state))).await;
        reached.ok()?.ok().map(|state| state.clone())
    }

    /// Calls a number or name at the server.
    pub async fn call(&self, number: &str) {
        self.ask(Work::Call(number.to_owned())).await;
    }

    /// Takes the call that rings.
    pub async fn answer(&self) {
        self.ask(Work::Answer).await;
    }

    /// Declines the call that rings.
    pub async fn decline(&self) {
        self.ask(Work::Decline).await;
    }

    /// Presses keys, one after the other. False when the far end takes none.
    pub fn press(&self, keys: &str) -> bool {
        self.audio.press(keys)
    }

    /// Puts the receiver down.
    pub async fn hang_up(&self) {
        self.ask(Work::HangUp).await;
    }

    /// Presses hold (or takes the call back).
    pub async fn hold(&self, on: bool) {
        self.ask(Work::Hold(on)).await;
    }

    /// Hands the call on without asking first.
    pub async fn transfer(&self, number: &str) {
        self.ask(Work::Transfer(number.to_owned())).await;
    }

    /// Changes what the person does at the next call.
    pub async fn set_manner(&self, manner: Manner) {
        self.ask(Work::Manner(manner)).await;
    }

    /// Signs out.
    pub async fn sign_out(&self) {
        self.ask(Work::SignOut).await;
    }

    async fn ask(&self, work: Work) {
        // The task ends only with the telephone.
        let _ = self.work.send(work).await;
    }
}

impl Drop for Phone {
    fn drop(&mut self) {
        self.task.abort();
    }
}

struct Person {
    config: Config,
    address: SocketAddr,
    endpoint: Endpoint,
    transports: Transports,
    work: mpsc::Receiver<Work>,
    tell: watch::Sender<State>,
    audio: Arc<Audio>,
    registration: Option<Registration>,
    call: Option<CallId>,
    session: Option<Session>,
    agreed: Option<Negotiated>,
    holding: bool,
    /// What whoever rings offers.
    offer: Option<Vec<u8>>,
    answer_at: Option<Instant>,
}

impl Person {
    async fn run(mut self) {
        let now = Instant::now();
        if let Some(password) = &self.config.password {
            let config = RegistrationConfig {
                registrar: Uri::sip(None, Host::from(self.config.server.ip()), Some(self.config.server.port())),
                hop: Hop::udp(self.config.server),
                aor: NameAddr::new(Uri::sip(Some(&self.config.user), Host::from(self.config.server.ip()), None)),
                contact: NameAddr::new(Uri::sip(Some(&self.config.user), Host::from(self.config.ip), Some(self.address.port())))
                    .to_string(),
                credentials: Some(Credentials::new(&self.config.user, password)),
                expires: SIGN_IN_LASTS,
            };
            let mut registration = Registration::new(config, seed());
            registration.start(now, &mut self.endpoint);
            self.registration = Some(registration);
        }
        loop {
            let now = Instant::now();
            if let Some(registration) = &mut self.registration {
                registration.handle_timeout(now, &mut self.endpoint);
            }
            while let Some(output) = self.endpoint.poll_output() {
                match output {
                    Output::Transmit { hop, bytes } => self.transports.send(&hop, bytes.to_vec()),
                    Output::Event(event) => self.on_event(now, event),
                }
            }
            let due = [self.endpoint.poll_timeout(), self.answer_at, self.registration.as_ref().and_then(Registration::poll_timeout)];
            let due = due.into_iter().flatten().min();
            tokio::select! {
                () = sleep_until(due) => {
                    let now = Instant::now();
                    self.endpoint.handle_timeout(now);
                    if self.answer_at.is_some_and(|at| at <= now) {
                        self.answer(now);
                    }
                }
                received = self.transports.recv() => match received.item {
                    Item::Message(message) => self.endpoint.handle_message(Instant::now(), received.hop, message),
                    Item::Malformed(malformed) => self.endpoint.handle_malformed(Instant::now(), received.hop, malformed),
                    Item::Closed | Item::Failed { .. } => self.endpoint.handle_transport_error(Instant::now(), &received.hop),
                },
                work = self.work.recv() => {
                    let Some(work) = work else { return };
                    self.do_work(Instant::now(), work);
                }
            }
        }
    }

    fn do_work(&mut self, now: Instant, work: Work) {
        match work {
            Work::Call(number) => self.begin_call(now, &number),
            // Only what rings has no session yet.
            Work::Answer if self.session.is_none() => self.answer(now),
            Work::Decline if self.session.is_none() => {
                self.answer_at = None;
                if let Some(call) = self.call {
                    self.endpoint.reject(now, call, 603, "Decline", Vec::new());
                }
            }
            Work::Answer | Work::Decline => {}
            Work::HangUp => {
                self.answer_at = None;
                if let Some(call) = self.call {
                    self.endpoint.hang_up(now, call, None);
                }
            }
            Work::Hold(on) => {
                let local = self.local_audio(on);
                if let (Some(call), Some(session)) = (self.call, &mut self.session) {
                    self.holding = on;
                    let offer = session.offer(&local);
                    self.endpoint.reinvite(now, call, offer);
                }
            }
            Work::Transfer(number) => {
                if let Some(call) = self.call {
                    let target = format!("<sip:{number}@{}>", self.config.server);
                    self.endpoint.refer(now, call, &target, None);
                }
            }
            Work::Manner(manner) => self.config.manner = manner,
            Work::SignOut => {
                if let Some(registration) = &mut self.registration {
                    registration.stop(now, &mut self.endpoint);
                }
            }
        }
    }

    fn begin_call(&mut self, now: Instant, number: &str) {
        if self.call.is_some() {
            return;
        }
        let server = self.config.server;
        let uri = Uri::sip(Some(number), Host::from(server.ip()), Some(server.port()));
        let from = NameAddr::new(Uri::sip(Some(&self.config.user), Host::from(self.config.ip), None));
        let mut session = Session::new(u64::from(self.address.port()));
        let offer = session.offer(&self.local_audio(false));
        self.session = Some(session);
        self.holding = false;
        let credentials = self.config.password.as_ref().map(|password| Credentials::new(&self.config.user, password));
        let invite = Invite {
            to: NameAddr::new(uri.clone()),
            uri,
            hop: Hop::udp(server),
            from,
            extra: Vec::new(),
            body: Some(offer),
            credentials,
            ring_limit: RING_LIMIT,
            contact: None,
            reply_limit: None,
        };
        self.call = Some(self.endpoint.invite(now, invite));
        self.tell.send_modify(|state| state.call = CallState::Calling);
    }

    fn local_audio(&self, hold: bool) -> LocalAudio {
        LocalAudio::new(self.audio.local()).with_direction(if hold { Direction::SendOnly } else { Direction::SendRecv })
    }

    fn on_event(&mut self, now: Instant, event: Event) {
        match event {
            Event::Incoming { call, request, sdp, .. } => {
                if self.call.is_some() {
                    self.endpoint.reject(now, call, 486, "Busy Here", Vec::new());
                    return;
                }
                let caller = request.headers.from().ok().and_then(|from| from.uri.user_unescaped()).unwrap_or_default();
                match self.config.manner {
                    Manner::Busy => self.endpoint.reject(now, call, 486, "Busy Here", Vec::new()),
                    Manner::Decline => self.endpoint.reject(now, call, 603, "Decline", Vec::new()),
                    Manner::Answer { .. } | Manner::LetRing => {
                        self.call = Some(call);
                        self.endpoint.ring(now, call, None);
                        self.offer = sdp;
                        if let Manner::Answer { after } = self.config.manner {
                            self.answer_at = Some(now + after);
                        }
                    }
                }
                self.tell.send_modify(|state| {
                    state.rang += 1;
                    if self.call == Some(call) {
                        state.call = CallState::Rings { caller };
                    }
                });
            }
            Event::Progress { call, status, .. } if self.call == Some(call) && status >= 180 => {
                self.tell.send_modify(|state| state.call = CallState::FarEndRings);
            }
            Event::Answered { call, sdp, .. } if self.call == Some(call) => {
                self.take_answer(sdp.as_deref());
                self.tell.send_modify(|state| state.call = CallState::Talking);
            }
            Event::Acknowledged { call, .. } if self.call == Some(call) => {
                self.tell.send_modify(|state| state.call = CallState::Talking);
            }
            Event::Reinvite { call, sdp } if self.call == Some(call) => {
                let local = self.local_audio(self.holding);
                let Some(session) = &mut self.session else { return };
                let answer = match sdp {
                    Some(offer) => session.answer(&offer, &local).map(|(answer, agreed)| {
                        self.agreed = Some(agreed);
                        answer
                    }),
                    None => Ok(session.offer(&local)),
                };
                self.endpoint.answer_reinvite(now, call, answer.map_err(|problem| problem.status()));
                self.follow_agreement();
            }
            Event::ReinviteAnswered { call, sdp } if self.call == Some(call) => self.take_answer(sdp.as_deref()),
            Event::Ended { call, cause } if self.call == Some(call) => {
                self.call = None;
                self.session = None;
                self.agreed = None;
                self.answer_at = None;
                let by_far_end = matches!(cause.kind, CauseKind::RemoteHangUp | CauseKind::Canceled | CauseKind::Rejected);
                self.tell.send_modify(|state| state.call = CallState::Over { by_far_end, status: cause.status });
            }
            Event::Response { id, result } => {
                let Some(registration) = &mut self.registration else { return };
                let Some(event) = registration.handle_response(now, &mut self.endpoint, id, &result) else { return };
                let (signed_in, problem) = match event {
                    RegistrationEvent::Registered { .. } => (true, None),
                    RegistrationEvent::Unregistered => (false, None),
                    RegistrationEvent::Failed { status: Some(status), .. } => (false, Some(format!("refused with {status}"))),
                    RegistrationEvent::Failed { status: None, .. } => (false, Some("no answer".to_owned())),
                };
                self.tell.send_modify(|state| {
                    state.signed_in = signed_in;
                    state.sign_in_problem = problem;
                });
            }
            _ => {}
        }
    }

    fn answer(&mut self, now: Instant) {
        self.answer_at = None;
        let Some(call) = self.call else { return };
        let offer = self.offer.take();
        let local = self.local_audio(false);
        let mut session = Session::new(u64::from(self.address.port()));
        self.holding = false;
        let body = match offer {
            Some(offer) => match session.answer(&offer, &local) {
                Ok((answer, agreed)) => {
                    self.agreed = Some(agreed);
                    answer
                }
                Err(problem) => {
                    self.endpoint.reject(now, call, problem.status(), "Not Acceptable Here", Vec::new());
                    return;
                }
            },
            None => session.offer(&local),
        };
        self.session = Some(session);
        self.endpoint.answer(now, call, body);
        self.follow_agreement();
    }

    fn take_answer(&mut self, sdp: Option<&[u8]>) {
        if let (Some(session), Some(sdp)) = (&mut self.session, sdp)
            && let Ok(agreed) = session.read_answer(sdp)
        {
            self.agreed = Some(agreed);
            self.follow_agreement();
        }
    }

    fn follow_agreement(&self) {
        let Some(agreed) = &self.agreed else { return };
        self.audio.set_keys(agreed.dtmf);
        let codec = match agreed.codec.name {
            AudioCodec::Pcmu => Codec::Pcmu,
            AudioCodec::Pcma => Codec::Pcma,
        };
        // A telephone on hold plays nothing to its person's ear and takes nothing from the microphone.
        let active = !self.holding;
        self.audio.set_peer(agreed.remote_rtp, codec, agreed.direction.sends() && active, agreed.direction.receives() && active);
    }
}

/// Randomness for ids; without any they repeat, which only other telephones of the lab would notice.
fn seed() -> [u8; 32] {
    let mut seed = [0; 32];
    let _ = getrandom::fill(&mut seed);
    seed
}

async fn sleep_until(at: Option<Instant>) {
    match at {
        Some(at) => tokio::time::sleep_until(tokio::time::Instant::from_std(at)).await,
        None => std::future::pending::<()>().await,
    }
}
