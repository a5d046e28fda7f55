//! The health of a peer such as a trunk: OPTIONS at intervals, up or down, and how long to leave it alone.
//!
//! A peer is down after several pings without a usable answer, and at once when it answers 503; it is up with the first
//! good answer. What calls experience can be told as well, so that a dead trunk is noticed before the next ping.

use std::time::{Duration, Instant};

use crate::endpoint::Endpoint;
use crate::event::{RequestFailed, RequestId};
use crate::hop::Hop;
use crate::message::{Method, NameAddr, Request, Response, Uri};

/// While a peer is suspected or down it is asked this often.
const SUSPECT_INTERVAL: Duration = Duration::from_secs(10);

/// The longest Retry-After that is obeyed: a peer must not be able to switch itself off for days.
const RETRY_AFTER_MAX: Duration = Duration::from_secs(600);

/// Whom to ask, and how often.
#[derive(Debug, Clone)]
pub struct HealthConfig {
    /// The Request-URI of the OPTIONS.
    pub uri: Uri,
    /// Where it is sent.
    pub hop: Hop,
    /// Who asks; Direct Routing wants the trunk's domain name here.
    pub from: NameAddr,
    /// Our Contact as a whole value; Direct Routing ignores OPTIONS without it.
    pub contact: Option<String>,
    /// The time between pings of a healthy peer.
    pub interval: Duration,
    /// An answer that takes longer counts as none.
    pub reply_limit: Duration,
    /// Pings without answer, one after the other, until the peer counts as down.
    pub failures_max: u32,
    /// Only a 2xx counts as healthy. Otherwise any answer of a living peer does, 404 and 405 too.
    pub success_only: bool,
}

impl HealthConfig {
    /// Every 30 s, down after two pings without an answer within 5 s.
    #[must_use]
    pub fn new(uri: Uri, hop: Hop, from: NameAddr) -> HealthConfig {
        HealthConfig {
            uri,
            hop,
            from,
            contact: None,
            interval: Duration::from_secs(30),
            reply_limit: Duration::from_secs(5),
            failures_max: 2,
            success_only: false,
        }
    }
}

/// How a peer is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PeerHealth {
    /// No ping has been answered or missed yet: worth a try.
    Unknown,
    /// It answers.
    Up,
    /// It does not answer, or says that it is unavailable.
    Down,
}

/// Watches one peer.
#[derive(Debug)]
pub struct Health {
    config: HealthConfig,
    health: PeerHealth,
    pending: Option<(RequestId, Instant)>,
    next_at: Instant,
    failures: u32,
    /// The peer asked to be left alone until then.
    quiet_until: Option<Instant>,
    /// The status of the last ping's answer.
    last_status: Option<u16>,
}

impl Health {
    /// A watch whose first ping is due at `now`.
    #[must_use]
    pub fn new(config: HealthConfig, now: Instant) -> Health {
        Health { config, health: PeerHealth::Unknown, pending: None, next_at: now, failures: 0, quiet_until: None, last_status: None }
    }

    /// How the peer is.
    #[must_use]
    pub fn health(&self) -> PeerHealth {
        self.health
    }

    /// The status the last ping was answered with; `None` when nothing came.
    #[must_use]
    pub fn last_status(&self) -> Option<u16> {
        self.last_status
    }

    /// Whether calls may be sent to the peer.
    #[must_use]
    pub fn is_usable(&self) -> bool {
        self.health != PeerHealth::Down
    }

    /// When [`Health::handle_timeout`] is due.
    #[must_use]
    pub fn poll_timeout(&self) -> Instant {
        self.pending.map_or(self.next_at, |(_, until)| until)
    }

    /// Sends a ping, or gives up waiting for one, when that is due. Returns the health when it changed.
    pub fn handle_timeout(&mut self, now: Instant, endpoint: &mut Endpoint) -> Option<PeerHealth> {
        if let Some((_, until)) = self.pending {
            if until > now {
                return None;
            }
            self.pending = None;
            self.last_status = None;
            return self.note_failure(now);
        }
        if self.next_at <= now {
            let mut ping = Request::new(Method::Options, self.config.uri.clone());
            ping.headers.push("From", &self.config.from.to_string());
            ping.headers.push("To", &format!("<{}>", self.config.uri));
            if let Some(contact) = &self.config.contact {
                ping.headers.push("Contact", contact);
            }
            ping.headers.push("Accept", "application/sdp");
            let id = endpoint.request(now, ping, self.config.hop.clone());
            self.pending = Some((id, now + self.config.reply_limit));
        }
        None
    }

    /// Whether a response is for this watch.
    #[must_use]
    pub fn owns(&self, id: RequestId) -> bool {
        self.pending.is_some_and(|(pending, _)| pending == id)
    }

    /// Takes the outcome of a ping; to be called for every [`crate::event::Event::Response`] whose id [`Health::owns`].
    /// Returns the health when it changed.
    pub fn handle_response(&mut self, now: Instant, id: RequestId, result: &Result<Response, RequestFailed>) -> Option<PeerHealth> {
        self.pending.take_if(|(pending, _)| *pending == id)?;
        self.last_status = result.as_ref().ok().map(|response| response.status);
        match result {
            Ok(response) if response.status == 503 => {
                let wait = response.headers.retry_after_s().map(|seconds| Duration::from_secs(u64::from(seconds)));
                self.note_unavailable(now, wait)
            }
            // These say that something behind the peer is broken. Any other answer, 404 and 405 too, comes from a living one.
            Ok(response) if matches!(response.status, 408 | 500 | 502 | 504) => self.note_failure(now),
            Ok(response) if self.config.success_only && !response.is_success() => self.note_failure(now),
            Ok(_) => {
                self.failures = 0;
                self.quiet_until = None;
                self.next_at = now + self.config.interval;
                self.become_health(PeerHealth::Up)
            }
            Err(_) => self.note_failure(now),
        }
    }

    /// A ping, or a call by this peer, got no answer. Returns the health when it changed.
    pub fn note_failure(&mut self, now: Instant) -> Option<PeerHealth> {
        self.failures = self.failures.saturating_add(1);
        let soon = now + SUSPECT_INTERVAL.min(self.config.interval);
        self.next_at = self.quiet_until.map_or(soon, |quiet| quiet.max(soon));
        if self.failures >= self.config.failures_max { self.become_health(PeerHealth::Down) } else { None }
    }

    /// The peer answered 503 to a ping or to a call. Returns the health when it changed.
    pub fn note_unavailable(&mut self, now: Instant, retry_after: Option<Duration>) -> Option<PeerHealth> {
        let wait = retry_after.unwrap_or(SUSPECT_INTERVAL).clamp(Duration::from_secs(1), RETRY_AFTER_MAX);
        self.quiet_until = Some(now + wait);
        self.next_at = now + wait;
        self.become_health(PeerHealth::Down)
    }

    fn become_health(&mut self, health: PeerHealth) -> Option<PeerHealth> {
        if self.health == health {
            return None;
        }
        self.health = health;
        Some(health)
    }
}
