//! The registrar: where the telephones of agents say how they can be reached (RFC 3261 §10.3).
//!
//! Every REGISTER is authenticated by digest, and a user may only register itself. A binding keeps the way its REGISTER
//! came, because that is the way back through a NAT. Who may register is asked of the caller; what is registered can be
//! exported, and imported after a restart.

use std::collections::{BTreeSet, HashMap};
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::digest::{Algorithm, Challenger, Secret, Verdict};
use crate::hop::{ConnectionId, Hop, Transport};
use crate::limits::{AORS_MAX, BINDINGS_PER_AOR_MAX, CONTACT_COUNT_MAX, FAILED_SOURCES_MAX};
use crate::message::{Headers, NameAddr, Request, Response, Uri};
use crate::transaction::table::response_hop;

/// The settings of a [`Registrar`].
#[derive(Debug, Clone)]
pub struct RegistrarConfig {
    /// The realm in challenges.
    pub realm: String,
    /// The algorithms offered in challenges, the preferred one first. Old telephones give up at a challenge that begins with one
    /// they do not know, instead of looking for another (RFC 8760 §2.4 asks them to look).
    pub algorithms: Vec<Algorithm>,
    /// How long a binding lives that asks for nothing.
    pub expires_default: Duration,
    /// Shorter wishes are refused with 423.
    pub expires_min: Duration,
    /// Longer wishes are shortened.
    pub expires_max: Duration,
    /// Bindings per user; a further one takes the place of the one that was refreshed longest ago.
    pub bindings_max: usize,
    /// Failed authentications from one address within [`RegistrarConfig::failures_window`] after which it is refused
    /// without looking at its credentials.
    pub failures_max: u32,
    /// How long failures count.
    pub failures_window: Duration,
}

impl RegistrarConfig {
    /// One hour by default, one minute to two hours, five bindings, ten failures in a minute.
    #[must_use]
    pub fn new(realm: &str) -> RegistrarConfig {
        RegistrarConfig {
            realm: realm.to_owned(),
            algorithms: vec![Algorithm::Sha256, Algorithm::Md5],
            expires_default: Duration::from_secs(3_600),
            expires_min: Duration::from_secs(60),
            expires_max: Duration::from_secs(7_200),
            bindings_max: BINDINGS_PER_AOR_MAX,
            failures_max: 10,
            failures_window: Duration::from_secs(60),
        }
    }
}

/// One way to reach a user.
#[derive(Debug, Clone)]
pub struct Binding {
    /// The Contact URI: the Request-URI of calls to it.
    pub contact: Uri,
    /// Where calls to it are sent.
    pub hop: Hop,
    /// Until when it holds.
    pub expires_at: Instant,
    /// The preference among several, in thousandths.
    pub q: u16,
    /// What the telephone calls itself.
    pub user_agent: Option<String>,
    instance: Option<String>,
    call_id: String,
    number: u32,
    refreshed_at: Instant,
}

/// A binding as it can be stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredBinding {
    /// The user.
    pub user: String,
    /// The Contact URI.
    pub contact: String,
    /// The protocol.
    pub transport: Transport,
    /// The telephone's address, as seen from here.
    pub remote: SocketAddr,
    /// How much longer it holds.
    pub expires_in: Duration,
    /// The preference, in thousandths.
    pub q: u16,
    /// What the telephone calls itself.
    pub user_agent: Option<String>,
    /// The `+sip.instance` of the telephone.
    pub instance: Option<String>,
    /// The Call-ID of its REGISTERs.
    pub call_id: String,
    /// The CSeq number of its last REGISTER.
    pub number: u32,
}

/// What changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RegistrarEvent {
    /// A binding was added or refreshed.
    Registered {
        /// The user.
        user: String,
        /// The Contact URI.
        contact: String,
        /// It was not there before.
        is_new: bool,
    },
    /// A binding was removed by its telephone, or gave way to a newer one.
    Unregistered {
        /// The user.
        user: String,
        /// The Contact URI.
        contact: String,
    },
    /// A binding was not refreshed in time.
    Expired {
        /// The user.
        user: String,
        /// The Contact URI.
        contact: String,
    },
}

#[derive(Debug, Default)]
struct Aor {
    bindings: Vec<Binding>,
    queued_at: Option<Instant>,
}

#[derive(Debug)]
struct Failures {
    count: u32,
    until: Instant,
}

/// One Contact of a REGISTER, checked.
struct Wish {
    contact: NameAddr,
    /// Zero removes the binding.
    expires: Duration,
}

/// Keeps the bindings of all users of one realm.
#[derive(Debug)]
pub struct Registrar {
    config: RegistrarConfig,
    challenger: Challenger,
    aors: HashMap<Arc<str>, Aor>,
    /// The earliest expiry of every user.
    queue: BTreeSet<(Instant, Arc<str>)>,
    failures: HashMap<IpAddr, Failures>,
}

impl Registrar {
    /// A registrar without bindings. `key` must be secret and random; it signs nonces.
    #[must_use]
    pub fn new(config: RegistrarConfig, key: [u8; 32], now: Instant) -> Registrar {
        let challenger = Challenger::new(&config.realm, key, now).with_algorithms(&config.algorithms);
        Registrar { config, challenger, aors: HashMap::new(), queue: BTreeSet::new(), failures: HashMap::new() }
    }

    /// Serves a REGISTER that came from `hop`. `lookup` knows the secrets of users.
    ///
    /// The request's top Via must have been completed with its source, as [`crate::event::Event::Request`] has it.
    pub fn handle(
        &mut self,
        now: Instant,
        hop: &Hop,
        request: &Request,
        lookup: &dyn Fn(&str) -> Option<Secret>,
    ) -> (Response, Vec<RegistrarEvent>) {
        let refuse = |status: u16| (Response::to_request(request, status, ""), Vec::new());
        let source = hop.remote.ip();
        if let Some(wait) = self.locked_out(now, source) {
            let mut response = Response::to_request(request, 403, "Too many failures");
            response.headers.push("Retry-After", &wait.as_secs().max(1).to_string());
            return (response, Vec::new());
        }
        let Some(user) = request.headers.to().ok().filter(|to| to.uri.is_sip()).and_then(|to| to.uri.user_unescaped()) else {
            return refuse(400);
        };
        match self.challenger.verify(now, request, source, lookup) {
            Verdict::Accepted { username } if username == user => {}
            Verdict::Accepted { .. } => return refuse(403),
            Verdict::Missing => return (self.challenger.challenge(now, request, source, false), Vec::new()),
            Verdict::Stale { .. } => return (self.challenger.challenge(now, request, source, true), Vec::new()),
            Verdict::Refused { .. } => {
                self.note_failure(now, source);
                return (self.challenger.challenge(now, request, source, false), Vec::new());
            }
            Verdict::Malformed(_) => {
                self.note_failure(now, source);
                return refuse(400);
            }
        }
        match self.register(now, hop, request, &user) {
            Ok(events) => {
                let mut response = Response::to_request(request, 200, "");
                self.list(now, &user, &mut response.headers);
                (response, events)
            }
            Err(423) => {
                let mut response = Response::to_request(request, 423, "");
                response.headers.push("Min-Expires", &self.config.expires_min.as_secs().to_string());
                (response, Vec::new())
            }
            Err(status) => refuse(status),
        }
    }

    fn register(&mut self, now: Instant, hop: &Hop, request: &Request, user: &str) -> Result<Vec<RegistrarEvent>, u16> {
        let headers = &request.headers;
        let call_id = headers.call_id().map_err(|_| 400_u16)?.to_owned();
        let number = headers.cseq_number().ok_or(400_u16)?;
        let mut events = Vec::new();
        if headers.is_contact_wildcard() {
            if headers.expires_s() != Some(0) {
                return Err(400);
            }
            self.remove_where(user, &mut events, |binding| binding.call_id != call_id || binding.number < number)?;
            return Ok(events);
        }
        let wishes = self.wishes(headers)?;
        if wishes.is_empty() {
            return Ok(events);
        }
        if !self.aors.contains_key(user) && self.aors.len() >= AORS_MAX {
            return Err(503);
        }
        let known = self.aors.get(user).map(|aor| aor.bindings.as_slice()).unwrap_or_default();
        let late = |wish: &Wish| {
            known.iter().any(|binding| is_same(binding, &wish.contact) && binding.call_id == call_id && binding.number >= number)
        };
        // All or nothing (RFC 3261 §10.3 step 7).
        if wishes.iter().any(late) {
            return Err(500);
        }
        for wish in wishes {
            if wish.expires.is_zero() {
                self.remove_where(user, &mut events, |binding| is_same(binding, &wish.contact))?;
            } else {
                self.bind(now, hop, request, user, &wish, &call_id, number, &mut events);
            }
        }
        self.requeue(user);
        Ok(events)
    }

    fn wishes(&self, headers: &Headers) -> Result<Vec<Wish>, u16> {
        let default = headers.expires_s().map_or(self.config.expires_default, |seconds| Duration::from_secs(u64::from(seconds)));
        let mut wishes = Vec::new();
        for contact in headers.contacts() {
            let contact = contact.map_err(|_| 400_u16)?;
            if !contact.uri.is_sip() || wishes.len() >= CONTACT_COUNT_MAX.min(self.config.bindings_max) {
                return Err(400);
            }
            let expires = contact.expires_s().map_or(default, |seconds| Duration::from_secs(u64::from(seconds)));
            if !expires.is_zero() && expires < self.config.expires_min {
                return Err(423);
            }
            wishes.push(Wish { contact, expires: expires.min(self.config.expires_max) });
        }
        Ok(wishes)
    }

    #[expect(clippy::too_many_arguments, reason = "one REGISTER in its parts; a struct for one call would hide nothing")]
    fn bind(
        &mut self,
        now: Instant,
        hop: &Hop,
        request: &Request,
        user: &str,
        wish: &Wish,
        call_id: &str,
        number: u32,
        events: &mut Vec<RegistrarEvent>,
    ) {
        let name = self.aors.get_key_value(user).map_or_else(|| Arc::from(user), |(name, _)| Arc::clone(name));
        let aor = self.aors.entry(name).or_default();
        let binding = Binding {
            contact: wish.contact.uri.clone(),
            hop: way_back(hop, request, &wish.contact.uri),
            expires_at: now + wish.expires,
            q: wish.contact.params.get("q").map_or(1_000, thousandths),
            user_agent: request.headers.get("User-Agent").map(str::to_owned),
            instance: wish.contact.params.get("+sip.instance").map(str::to_owned),
            call_id: call_id.to_owned(),
            number,
            refreshed_at: now,
        };
        let contact = binding.contact.to_string();
        let before = aor.bindings.iter().position(|known| is_same(known, &wish.contact));
        if let Some(at) = before {
            let old = std::mem::replace(&mut aor.bindings[at], binding);
            if !old.contact.same_as(&wish.contact.uri) {
                events.push(RegistrarEvent::Unregistered { user: user.to_owned(), contact: old.contact.to_string() });
            }
        } else {
            if aor.bindings.len() >= self.config.bindings_max
                && let Some((oldest, _)) = aor.bindings.iter().enumerate().min_by_key(|(_, known)| known.refreshed_at)
            {
                let gone = aor.bindings.remove(oldest);
                events.push(RegistrarEvent::Unregistered { user: user.to_owned(), contact: gone.contact.to_string() });
            }
            aor.bindings.push(binding);
        }
        aor.bindings.sort_by(|one, other| other.q.cmp(&one.q).then(other.refreshed_at.cmp(&one.refreshed_at)));
        events.push(RegistrarEvent::Registered { user: user.to_owned(), contact, is_new: before.is_none() });
    }

    fn remove_where(&mut self, user: &str, events: &mut Vec<RegistrarEvent>, gone: impl Fn(&Binding) -> bool) -> Result<(), u16> {
        if let Some(aor) = self.aors.get_mut(user) {
            for binding in aor.bindings.extract_if(.., |binding| gone(binding)) {
                events.push(RegistrarEvent::Unregistered { user: user.to_owned(), contact: binding.contact.to_string() });
            }
        }
        self.requeue(user);
        Ok(())
    }

    /// Moves the user's deadline to its earliest expiry, and forgets a user without bindings.
    fn requeue(&mut self, user: &str) {
        let Some((name, aor)) = self.aors.get_key_value(user) else { return };
        let name = Arc::clone(name);
        let next = aor.bindings.iter().map(|binding| binding.expires_at).min();
        if let Some(before) = aor.queued_at {
            self.queue.remove(&(before, Arc::clone(&name)));
        }
        match next {
            Some(next) => {
                self.queue.insert((next, Arc::clone(&name)));
                if let Some(aor) = self.aors.get_mut(&name) {
                    aor.queued_at = Some(next);
                }
            }
            None => {
                self.aors.remove(&name);
            }
        }
    }

    fn list(&self, now: Instant, user: &str, headers: &mut Headers) {
        for binding in self.bindings(user) {
            let left = binding.expires_at.saturating_duration_since(now).as_secs();
            headers.push("Contact", &format!("<{}>;expires={left}", binding.contact));
        }
    }

    /// How a user can be reached, preferred first.
    #[must_use]
    pub fn bindings(&self, user: &str) -> &[Binding] {
        self.aors.get(user).map(|aor| aor.bindings.as_slice()).unwrap_or_default()
    }

    /// Users with at least one binding.
    pub fn users(&self) -> impl Iterator<Item = &str> {
        self.aors.keys().map(AsRef::as_ref)
    }

    /// When [`Registrar::handle_timeout`] is due.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Instant> {
        self.queue.first().map(|(at, _)| *at)
    }

    /// Removes what was not refreshed in time.
    pub fn handle_timeout(&mut self, now: Instant) -> Vec<RegistrarEvent> {
        let mut events = Vec::new();
        while let Some((_, name)) = self.queue.first().filter(|(at, _)| *at <= now).cloned() {
            if let Some(aor) = self.aors.get_mut(&name) {
                for binding in aor.bindings.extract_if(.., |binding| binding.expires_at <= now) {
                    events.push(RegistrarEvent::Expired { user: name.to_string(), contact: binding.contact.to_string() });
                }
            }
            self.requeue(&name);
        }
        self.failures.retain(|_, failures| failures.until > now);
        events
    }

    /// A stream ended. Telephones that can only be reached over it are removed; the others are dialed at their Contact.
    pub fn handle_closed(&mut self, connection: ConnectionId) -> Vec<RegistrarEvent> {
        let mut events = Vec::new();
        let mut touched = Vec::new();
        for (user, aor) in &mut self.aors {
            for binding in aor.bindings.iter_mut().filter(|binding| binding.hop.connection == Some(connection)) {
                binding.hop.connection = None;
                touched.push(Arc::clone(user));
            }
            let unreachable = |binding: &mut Binding| {
                let hop = &binding.hop;
                hop.transport.is_reliable()
                    && hop.connection.is_none()
                    && binding.contact.socket_addr(hop.transport.default_port()) != Some(hop.remote)
            };
            if touched.last() == Some(user) {
                for gone in aor.bindings.extract_if(.., unreachable) {
                    events.push(RegistrarEvent::Expired { user: user.to_string(), contact: gone.contact.to_string() });
                }
            }
        }
        for user in touched {
            self.requeue(&user);
        }
        events
    }

    /// Everything that is registered, to be stored.
    #[must_use]
    pub fn export(&self, now: Instant) -> Vec<StoredBinding> {
        let mut stored: Vec<StoredBinding> = self
            .aors
            .iter()
            .flat_map(|(user, aor)| aor.bindings.iter().map(move |binding| (user, binding)))
            .map(|(user, binding)| StoredBinding {
                user: user.to_string(),
                contact: binding.contact.to_string(),
                transport: binding.hop.transport,
                remote: binding.hop.remote,
                expires_in: binding.expires_at.saturating_duration_since(now),
                q: binding.q,
                user_agent: binding.user_agent.clone(),
                instance: binding.instance.clone(),
                call_id: binding.call_id.clone(),
                number: binding.number,
            })
            .collect();
        stored.sort_by(|one, other| (&one.user, &one.contact).cmp(&(&other.user, &other.contact)));
        stored
    }

    /// Takes over what was exported. What has run out or cannot be read is left out.
    pub fn import(&mut self, now: Instant, stored: Vec<StoredBinding>) {
        for stored in stored {
            let Ok(contact) = Uri::parse(&stored.contact) else { continue };
            if stored.expires_in.is_zero() || (!self.aors.contains_key(stored.user.as_str()) && self.aors.len() >= AORS_MAX) {
                continue;
            }
            let aor = self.aors.entry(Arc::from(stored.user.as_str())).or_default();
            if aor.bindings.len() < self.config.bindings_max {
                aor.bindings.push(Binding {
                    contact,
                    hop: Hop { transport: stored.transport, remote: stored.remote, connection: None, server_name: None },
                    expires_at: now + stored.expires_in.min(self.config.expires_max),
                    q: stored.q,
                    user_agent: stored.user_agent,
                    instance: stored.instance,
                    call_id: stored.call_id,
                    number: stored.number,
                    refreshed_at: now,
                });
            }
            self.requeue(&stored.user);
        }
    }

    /// How much longer an address is refused, if it is.
    fn locked_out(&self, now: Instant, source: IpAddr) -> Option<Duration> {
        let failures = self.failures.get(&source)?;
        (failures.count >= self.config.failures_max && failures.until > now).then(|| failures.until - now)
    }

    fn note_failure(&mut self, now: Instant, source: IpAddr) {
        if self.failures.len() >= FAILED_SOURCES_MAX && !self.failures.contains_key(&source) {
            self.failures.retain(|_, failures| failures.until > now);
            let oldest = self.failures.iter().min_by_key(|(_, failures)| failures.until).map(|(source, _)| *source);
            if let Some(oldest) = oldest.filter(|_| self.failures.len() >= FAILED_SOURCES_MAX) {
                self.failures.remove(&oldest);
            }
        }
        let window = now + self.config.failures_window;
        let failures = self.failures.entry(source).or_insert(Failures { count: 0, until: window });
        if failures.until <= now {
            *failures = Failures { count: 0, until: window };
        }
        failures.count += 1;
    }
}

/// Whether a Contact means this binding: the same URI, or the same telephone under a new address (RFC 5626 §5.1).
fn is_same(binding: &Binding, contact: &NameAddr) -> bool {
    match (&binding.instance, contact.params.get("+sip.instance")) {
        (Some(known), Some(instance)) => known == instance,
        _ => binding.contact.same_as(&contact.uri),
    }
}

/// Where calls to a Contact go: the address it names when its REGISTER came from there, else back the way it came.
fn way_back(hop: &Hop, request: &Request, contact: &Uri) -> Hop {
    let mut back = request.headers.top_via().map_or_else(|_| hop.clone(), |via| response_hop(hop, &via));
    if let Some(named) = contact.socket_addr(hop.transport.default_port())
        && named.ip().to_canonical() == hop.remote.ip().to_canonical()
    {
        back.remote = named;
    }
    back
}

/// A `q` value such as `0.7`, in thousandths.
fn thousandths(q: &str) -> u16 {
    let q: f32 = q.trim().parse().unwrap_or(1.0);
    // In range by the clamp; rounding a preference is harmless.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to 0..=1000")]
    let value = (q.clamp(0.0, 1.0) * 1_000.0).round() as u16;
    value
}
