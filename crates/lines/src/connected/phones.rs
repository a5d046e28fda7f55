//! Agents' telephones: signing in, and where each can be reached.
//!
//! Decides who may sign in (whoever knows the password the administrator set). Left out: what an agent may do; that a telephone
//! is there only makes its agent reachable.

use super::{directory::Directory, driver::Driver};
use crate::Notice;
use dreiklang_core::{Input, ids::TenantId};
use dreiklang_sip::{
    digest::{Algorithm, Challenger, Secret, Verdict},
    event::RequestId,
    hop::{Hop, Transport},
    message::{Method, Request, Response, Uri},
    registrar::{Registrar, RegistrarConfig, RegistrarEvent, StoredBinding},
};
use serde::{Deserialize, Serialize};
use std::{
    collections::VecDeque,
    net::SocketAddr,
    time::{Duration, Instant},
};

/// What telephones are asked to prove their password with. Many in service (and libre-based programs up to 1.0) know MD5 alone and
/// give up when a challenge begins with anything else, so that offering SHA-256 beside it would lock them out.
const ALGORITHMS: [Algorithm; 1] = [Algorithm::Md5];

/// What programs call themselves that look for somebody to call through (as others that stand between carriers and the internet know
/// them). Whoever says nothing of the kind is asked for a password, like a telephone.
const SCANNERS: [&str; 5] = ["friendly-scanner", "sipvicious", "sipcli", "pplsip", "sip-scan"];

/// Sign-ins of all telephones.
pub(super) struct Phones {
    registrar: Registrar,
    challenger: Challenger,
}

/// What is sent back to a call that has not proved whose it is.
pub(super) struct Challenge {
    pub status: u16,
    pub reason: &'static str,
    pub headers: Vec<(String, String)>,
}

impl Phones {
    pub fn new(realm: &str, key: [u8; 32]) -> Phones {
        let now = Instant::now();
        let mut config = RegistrarConfig::new(realm);
        config.algorithms = ALGORITHMS.to_vec();
        Phones { registrar: Registrar::new(config, key, now), challenger: Challenger::new(realm, key, now).with_algorithms(&ALGORITHMS) }
    }

    /// Where a telephone can be reached: the preferred sign-in first, among equals the latest.
    pub fn hops(&self, user: &str) -> VecDeque<(Uri, Hop)> {
        let mut bindings: Vec<_> = self.registrar.bindings(user).iter().collect();
        bindings.sort_by_key(|binding| std::cmp::Reverse((binding.q, binding.expires_at)));
        bindings.into_iter().map(|binding| (binding.contact.clone(), binding.hop.clone())).collect()
    }

    /// Whether this telephone has signed in from there.
    pub fn is_signed_in_from(&self, user: &str, hop: &Hop) -> bool {
        self.registrar.bindings(user).iter().any(|binding| binding.hop.transport == hop.transport && binding.hop.remote == hop.remote)
    }

    pub fn poll_timeout(&self) -> Option<Instant> {
        self.registrar.poll_timeout()
    }

    /// For `doctor` and the pages.
    pub fn signed_in(&self) -> Vec<(String, String)> {
        let of_user =
            |user: &str| self.registrar.bindings(user).iter().map(|binding| (user.to_owned(), binding.hop.to_string())).collect::<Vec<_>>();
        self.registrar.users().flat_map(of_user).collect()
    }
}

impl Driver {
    /// A request outside calls: signing in, and asking whether we are there.
    pub(super) fn on_request(&mut self, now: Instant, id: RequestId, hop: &Hop, request: &Request) {
        if request.method == Method::Options {
            return self.on_options(now, id, hop, request);
        }
        let by_datagram = hop.transport == Transport::Udp;
        if request.method != Method::Register {
            if by_datagram && !self.knows(hop, request) {
                return self.endpoint.ignore_request(now, id);
            }
            self.endpoint.respond(now, id, Response::to_request(request, 405, "Method Not Allowed"));
            return;
        }
        // A telephone may be anywhere, so that a sign-in has to be answered; but not where there are no telephones, or to those
        // who say themselves that they only look around.
        if by_datagram && (self.directory.phones().next().is_none() || is_scanner(request)) {
            return self.endpoint.ignore_request(now, id);
        }
        let directory = &self.directory;
        let (response, events) = self.phones.registrar.handle(now, hop, request, &|user| secret_of(directory, user));
        self.endpoint.respond(now, id, response);
        self.after_registrar(now, events);
    }

    pub(super) fn phones_on_time(&mut self, now: Instant) {
        let events = self.phones.registrar.handle_timeout(now);
        self.after_registrar(now, events);
    }

    fn after_registrar(&mut self, now: Instant, events: Vec<RegistrarEvent>) {
        let mut users: Vec<String> = Vec::new();
        let mut changed = false;
        for event in events {
            let user = match event {
                RegistrarEvent::Registered { user, is_new, .. } => {
                    changed |= is_new;
                    user
                }
                RegistrarEvent::Unregistered { user, .. } | RegistrarEvent::Expired { user, .. } => {
                    changed = true;
                    user
                }
            };
            if !users.contains(&user) {
                users.push(user);
            }
        }
        for user in users {
            let reachable = !self.phones.registrar.bindings(&user).is_empty();
            if let Some((tenant, agent)) = self.directory.agent_of(&user)
                && changed
            {
                tracing::info!(%tenant, %agent, user, reachable, "telephone");
                self.tell(tenant, Input::Reachable { agent, reachable });
            }
            // A refresh is kept as well: else the kept sign-in would end with the first lifetime.
            let bindings = self
                .phones
                .registrar
                .export(now)
                .into_iter()
                .filter(|stored| stored.user == user)
                .map(|stored| Kept::from(&stored))
                .collect();
            self.notice(Notice::Bindings { user, bindings });
        }
    }

    /// Tells the core of every telephone of a tenant whether it is there: after the directory changed, and after a restart.
    pub(super) fn tell_reachability(&mut self, tenant: TenantId) {
        let phones: Vec<_> =
            self.directory.phones().filter(|(owner, _)| *owner == tenant).map(|(_, phone)| (phone.agent, phone.user.clone())).collect();
        for (agent, user) in phones {
            let reachable = !self.phones.registrar.bindings(&user).is_empty();
            self.tell(tenant, Input::Reachable { agent, reachable });
        }
    }

    /// Takes back what was kept over a restart.
    pub(super) fn restore_bindings(&mut self, now: Instant, kept: Vec<Kept>) {
        let count = kept.len();
        let stored: Vec<_> = kept.into_iter().filter_map(Kept::into_stored).collect();
        if stored.len() < count {
            tracing::warn!(
                code = "LINE-011",
                unreadable = count - stored.len(),
                "some kept sign-ins cannot be read; these telephones have to sign in again"
            );
        }
        tracing::info!(count = stored.len(), "sign-ins of telephones taken over");
        self.phones.registrar.import(now, stored);
    }

    /// Lets a signed-in telephone prove that a call is its own.
    pub(super) fn check_phone(&mut self, now: Instant, hop: &Hop, request: &Request, user: &str) -> Result<(), Challenge> {
        let source = hop.remote.ip();
        let directory = &self.directory;
        let verdict =
            self.phones.challenger.verify(now, request, source, |name| (name == user).then(|| secret_of(directory, name)).flatten());
        let is_stale = match verdict {
            Verdict::Accepted { .. } => return Ok(()),
            Verdict::Stale { .. } => true,
            Verdict::Missing => false,
            Verdict::Refused { .. } => return Err(Challenge { status: 403, reason: "Forbidden", headers: Vec::new() }),
            Verdict::Malformed(_) => return Err(Challenge { status: 400, reason: "Bad Request", headers: Vec::new() }),
        };
        let challenges = self.phones.challenger.challenges(now, source, is_stale);
        let headers = challenges.into_iter().map(|value| ("WWW-Authenticate".to_owned(), value)).collect();
        Err(Challenge { status: 401, reason: "Unauthorized", headers })
    }
}

fn is_scanner(request: &Request) -> bool {
    let name = request.headers.get("User-Agent").unwrap_or_default().to_ascii_lowercase();
    SCANNERS.iter().any(|scanner| name.contains(scanner))
}

fn secret_of(directory: &Directory, user: &str) -> Option<Secret> {
    let (_, phone) = directory.phone(user)?;
    (!phone.password.is_empty()).then(|| Secret::Password(phone.password.clone()))
}

/// A sign-in as it is kept over a restart.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Kept {
    user: String,
    contact: String,
    transport: String,
    remote: SocketAddr,
    /// How much longer it holds, in milliseconds, at the time of keeping.
    pub expires_in_ms: u64,
    q: u16,
    user_agent: Option<String>,
    instance: Option<String>,
    call_id: String,
    number: u32,
}

impl From<&StoredBinding> for Kept {
    fn from(stored: &StoredBinding) -> Kept {
        Kept {
            user: stored.user.clone(),
            contact: stored.contact.clone(),
            transport: stored.transport.uri_token().to_owned(),
            remote: stored.remote,
            expires_in_ms: u64::try_from(stored.expires_in.as_millis()).unwrap_or(u64::MAX),
            q: stored.q,
            user_agent: stored.user_agent.clone(),
            instance: stored.instance.clone(),
            call_id: stored.call_id.clone(),
            number: stored.number,
        }
    }
}

impl Kept {
    fn into_stored(self) -> Option<StoredBinding> {
        Some(StoredBinding {
            transport: Transport::parse(&self.transport)?,
            user: self.user,
            contact: self.contact,
            remote: self.remote,
            expires_in: Duration::from_millis(self.expires_in_ms),
            q: self.q,
            user_agent: self.user_agent,
            instance: self.instance,
            call_id: self.call_id,
            number: self.number,
        })
    }
}
