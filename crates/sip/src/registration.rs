//! Our registration at somebody else's registrar, such as a carrier's trunk (RFC 3261 §10.2).
//!
//! Keeps one binding alive: refreshes it in time, answers challenges, obeys 423 and Retry-After, and backs off after
//! failures (RFC 5626 §4.5). It sends through an [`Endpoint`] and is handed the responses to its own requests.

use std::time::{Duration, Instant};

use crate::digest::{self, Credentials};
use crate::endpoint::Endpoint;
use crate::event::{RequestFailed, RequestId};
use crate::hop::Hop;
use crate::message::{Method, NameAddr, Request, Response, Uri};
use crate::random::Random;

/// The wait after the first failure.
const BACKOFF_FIRST: Duration = Duration::from_secs(30);

/// The longest wait between tries.
const BACKOFF_MAX: Duration = Duration::from_secs(1_800);

/// A binding is never refreshed more often than this, whatever the registrar grants.
const REFRESH_MIN: Duration = Duration::from_secs(10);

/// How often one try may be sent again because of a challenge or a 423.
const RETRIES_MAX: u8 = 3;

/// What is to be registered, where.
#[derive(Debug, Clone)]
pub struct RegistrationConfig {
    /// The Request-URI: the registrar's domain, without user.
    pub registrar: Uri,
    /// Where REGISTER is sent.
    pub hop: Hop,
    /// The address of record.
    pub aor: NameAddr,
    /// Our Contact as a whole value.
    pub contact: String,
    /// The answer to challenges.
    pub credentials: Option<Credentials>,
    /// The lifetime we ask for.
    pub expires: Duration,
}

/// What became of a registration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RegistrationEvent {
    /// It holds.
    Registered {
        /// As long as the registrar granted.
        expires: Duration,
    },
    /// It failed, and is tried again by itself.
    Failed {
        /// The final status; `None` when nothing came back.
        status: Option<u16>,
        /// The next try comes after this.
        retry_in: Duration,
    },
    /// It was taken back.
    Unregistered,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Idle,
    Registering,
    Unregistering,
}

/// One registration.
#[derive(Debug)]
pub struct Registration {
    config: RegistrationConfig,
    random: Random,
    call_id: String,
    tag: String,
    number: u32,
    state: State,
    pending: Option<RequestId>,
    retries: u8,
    authorized: bool,
    expires: Duration,
    failures: u32,
    next_at: Option<Instant>,
    is_registered: bool,
}

impl Registration {
    /// A registration that does nothing yet. `seed` gives its Call-ID, tag and back-off.
    #[must_use]
    pub fn new(config: RegistrationConfig, seed: [u8; 32]) -> Registration {
        let mut random = Random::new(seed);
        let call_id = format!("{:016x}{:016x}", random.next_u64(), random.next_u64());
        let tag = format!("{:016x}", random.next_u64());
        Registration {
            expires: config.expires,
            config,
            random,
            call_id,
            tag,
            number: 0,
            state: State::Idle,
            pending: None,
            retries: 0,
            authorized: false,
            failures: 0,
            next_at: None,
            is_registered: false,
        }
    }

    /// Whether the last word of the registrar was yes.
    #[must_use]
    pub fn is_registered(&self) -> bool {
        self.is_registered
    }

    /// Registers now, and keeps the registration until [`Registration::stop`].
    pub fn start(&mut self, now: Instant, endpoint: &mut Endpoint) {
        self.state = State::Registering;
        self.begin(now, endpoint);
    }

    /// Takes the binding back.
    pub fn stop(&mut self, now: Instant, endpoint: &mut Endpoint) {
        if self.state == State::Registering {
            self.state = State::Unregistering;
            self.begin(now, endpoint);
        }
    }

    /// When [`Registration::handle_timeout`] is due.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Instant> {
        self.next_at
    }

    /// Refreshes or tries again, when that is due.
    pub fn handle_timeout(&mut self, now: Instant, endpoint: &mut Endpoint) {
        if self.next_at.is_some_and(|at| at <= now) && self.state == State::Registering {
            self.begin(now, endpoint);
        }
    }

    /// Whether a response is for this registration.
    #[must_use]
    pub fn owns(&self, id: RequestId) -> bool {
        self.pending == Some(id)
    }

    fn begin(&mut self, now: Instant, endpoint: &mut Endpoint) {
        self.retries = 0;
        self.authorized = false;
        self.send(now, endpoint, None);
    }

    /// Sends REGISTER, with the answer to a challenge if there is one. `false` when it cannot be answered.
    fn send(&mut self, now: Instant, endpoint: &mut Endpoint, challenge: Option<&Response>) -> bool {
        self.next_at = None;
        self.number += 1;
        let mut request = Request::new(Method::Register, self.config.registrar.clone());
        let headers = &mut request.headers;
        headers.push("Max-Forwards", "70");
        headers.push("From", &self.config.aor.clone().with_tag(&self.tag).to_string());
        headers.push("To", &self.config.aor.to_string());
        headers.push("Call-ID", &self.call_id);
        headers.push("CSeq", &format!("{} REGISTER", self.number));
        headers.push("Contact", &self.config.contact);
        let expires = if self.state == State::Unregistering { 0 } else { self.expires.as_secs() };
        headers.push("Expires", &expires.to_string());
        if let Some(challenge) = challenge {
            let cnonce = format!("{:016x}", self.random.next_u64());
            let answered = self.config.credentials.as_ref().is_some_and(|own| digest::authorize(&mut request, challenge, own, &cnonce));
            if !answered {
                return false;
            }
        }
        self.pending = Some(endpoint.request(now, request, self.config.hop.clone()));
        true
    }

    /// Takes the outcome of a request of ours; to be called for every [`crate::event::Event::Response`] whose id
    /// [`Registration::owns`].
    pub fn handle_response(
        &mut self,
        now: Instant,
        endpoint: &mut Endpoint,
        id: RequestId,
        result: &Result<Response, RequestFailed>,
    ) -> Option<RegistrationEvent> {
        self.pending.take_if(|pending| *pending == id)?;
        let response = match result {
            Ok(response) => response,
            Err(_) => return self.fail(now, None, None),
        };
        if self.retries < RETRIES_MAX {
            self.retries += 1;
            let again = match response.status {
                401 | 407 if !self.authorized || digest::is_stale(response) => {
                    self.authorized = true;
                    self.send(now, endpoint, Some(response))
                }
                423 => match response.headers.min_expires_s().map(|seconds| Duration::from_secs(u64::from(seconds))) {
                    Some(least) if least > self.expires => {
                        self.expires = least;
                        self.authorized = false;
                        self.send(now, endpoint, None)
                    }
                    _ => false,
                },
                _ => false,
            };
            if again {
                return None;
            }
        }
        if !response.is_success() {
            let wait = response.headers.retry_after_s().map(|seconds| Duration::from_secs(u64::from(seconds)));
            return self.fail(now, Some(response.status), wait);
        }
        if self.state == State::Unregistering {
            self.state = State::Idle;
            self.is_registered = false;
            return Some(RegistrationEvent::Unregistered);
        }
        self.failures = 0;
        self.is_registered = true;
        let expires = self.granted(response);
        // At three quarters, a little earlier by chance, so that many registrations do not refresh together.
        let refresh = (expires / 4 * 3).max(REFRESH_MIN);
        let jitter = self.random.between(0..=u64::try_from(refresh.as_millis() / 20).unwrap_or(0));
        self.next_at = Some(now + refresh - jitter);
        Some(RegistrationEvent::Registered { expires })
    }

    /// The lifetime of our own Contact in the response, else the Expires header, else what we asked for.
    fn granted(&self, response: &Response) -> Duration {
        let own = NameAddr::parse(&self.config.contact).ok();
        let listed = response
            .headers
            .contacts()
            .flatten()
            .find(|contact| own.as_ref().is_some_and(|own| own.uri.same_as(&contact.uri)))
            .and_then(|contact| contact.expires_s());
        listed.or(response.headers.expires_s()).map_or(self.expires, |seconds| Duration::from_secs(u64::from(seconds)))
    }

    fn fail(&mut self, now: Instant, status: Option<u16>, retry_after: Option<Duration>) -> Option<RegistrationEvent> {
        self.is_registered = false;
        if self.state == State::Unregistering {
            // The binding runs out by itself.
            self.state = State::Idle;
            return Some(RegistrationEvent::Unregistered);
        }
        let longest = BACKOFF_FIRST.saturating_mul(1 << self.failures.min(10)).min(BACKOFF_MAX);
        self.failures = self.failures.saturating_add(1);
        let milliseconds = u64::try_from(longest.as_millis()).unwrap_or(u64::MAX);
        let drawn = self.random.between(milliseconds / 2..=milliseconds);
        let retry_in = retry_after.map_or(drawn, |wait| wait.clamp(Duration::from_secs(1), BACKOFF_MAX));
        self.next_at = Some(now + retry_in);
        Some(RegistrationEvent::Failed { status, retry_in })
    }
}
