//! Peers that bring and take calls: where their names lead, whether they answer, and signing in where a carrier wants it.
//!
//! Decides which addresses an outgoing call may try, in which order: peers in the administrator's order, those known to be down
//! left out unless all are.

use super::{
    directory::TenantEntries,
    driver::{Done, Driver},
    limits,
    settings::{Dialect, MediaEncryption, Peer, PeerTransport, Trunk},
    teams::{self, Teams},
};
use crate::Notice;
use dreiklang_core::ids::TenantId;
use dreiklang_sip::{
    digest::Credentials,
    endpoint::Endpoint,
    event::{Cause, CauseKind, RequestFailed, RequestId},
    health::{Health, HealthConfig, PeerHealth},
    hop::{Hop, Transport},
    message::{Host, NameAddr, Response, Uri},
    registration::{Registration, RegistrationConfig, RegistrationEvent},
};
use std::{
    collections::VecDeque,
    net::{IpAddr, SocketAddr, ToSocketAddrs},
    time::{Duration, Instant},
};

/// All peers of all tenants.
pub(super) struct Trunks {
    own_host: String,
    peers: Vec<PeerState>,
    registrations: Vec<RegistrationState>,
    resolve_at: Option<Instant>,
}

/// A trunk that takes a call outside.
pub(super) struct Outbound {
    /// Addresses to try.
    pub hops: VecDeque<Hop>,
    /// The host for the request.
    pub host: String,
    /// If the trunk has some.
    pub credentials: Option<Credentials>,
    pub encryption: MediaEncryption,
    /// If the trunk leads to Teams.
    pub teams: Option<Teams>,
}

/// Whom a call outside goes to.
#[derive(Clone, Copy)]
pub(super) enum Outside<'a> {
    /// A number.
    Number(&'a str),
    /// A person of the organization.
    Person,
    /// Whoever: by this trunk.
    By(&'a str),
}

struct PeerState {
    tenant: TenantId,
    trunk: String,
    index: usize,
    peer: Peer,
    addresses: Vec<SocketAddr>,
    problem: Option<String>,
    interval: Duration,
    health: Option<Health>,
    told: Option<bool>,
    /// If the trunk leads to Teams.
    teams: Option<Teams>,
}

struct RegistrationState {
    tenant: TenantId,
    trunk: String,
    settings: super::settings::Registration,
    machine: Option<Registration>,
    detail: String,
    told: Option<bool>,
    news: Option<bool>,
}

impl Trunks {
    pub fn new(own_host: &str) -> Trunks {
        Trunks { own_host: own_host.to_owned(), peers: Vec::new(), registrations: Vec::new(), resolve_at: None }
    }

    /// The host we call ourselves.
    pub fn own_host(&self) -> &str {
        &self.own_host
    }

    /// Where calls outside go: by the first trunk that fits best and is up, else by the first that fits best.
    pub fn outbound(&self, tenant: TenantId, trunks: &[Trunk], to: Outside<'_>, tls_port: Option<u16>) -> Result<Outbound, String> {
        let fit = |trunk: &Trunk| match to {
            _ if trunk.peers.is_empty() => None,
            Outside::By(name) => (trunk.name == name).then_some(0),
            _ if !trunk.outbound => None,
            Outside::Number(number) => trunk.takes(number),
            // People of the organization are in Teams.
            Outside::Person => Some(usize::from(trunk.dialect == Dialect::Teams)),
        };
        let best = trunks.iter().filter_map(fit).max();
        let mut first: Option<Outbound> = None;
        for trunk in trunks.iter().filter(|trunk| best.is_some() && fit(trunk) == best) {
            let of_trunk: Vec<&PeerState> = self.peers.iter().filter(|state| state.tenant == tenant && state.trunk == trunk.name).collect();
            let up: VecDeque<Hop> = of_trunk.iter().filter(|state| state.told != Some(false)).flat_map(|state| state.hops()).collect();
            let any: VecDeque<Hop> = of_trunk.iter().flat_map(|state| state.hops()).collect();
            let way = |hops| Outbound {
                hops,
                host: trunk.peers[0].address.clone(),
                credentials: trunk.registration.as_ref().map(|own| Credentials::new(&own.username, &own.password)),
                encryption: trunk.encryption(),
                teams: Teams::of(trunk, tls_port),
            };
            if !up.is_empty() {
                return Ok(way(up));
            }
            if !any.is_empty() && first.is_none() {
                first = Some(way(any));
            }
        }
        first.ok_or_else(|| {
            let what = match to {
                Outside::Number(number) => format!("to {number}"),
                Outside::Person | Outside::By(_) => "outside".to_owned(),
            };
            format!("no trunk of this tenant can take a call {what}; set one up with \"peers\" and \"outbound\"")
        })
    }

    pub fn poll_timeout(&self) -> Option<Instant> {
        let health = self.peers.iter().filter_map(|state| state.health.as_ref().map(Health::poll_timeout));
        let registrations = self.registrations.iter().filter_map(|state| state.machine.as_ref().and_then(Registration::poll_timeout));
        health.chain(registrations).chain(self.resolve_at).min()
    }

    /// For `doctor` and the pages.
    pub fn status(&self) -> Vec<(TenantId, String, String, bool, String)> {
        let peers = self.peers.iter().map(|state| {
            let up = state.told.unwrap_or(state.problem.is_none());
            let detail =
                state.problem.clone().unwrap_or_else(|| if state.health.is_none() { "not checked".to_owned() } else { state.detail(up) });
            (state.tenant, state.trunk.clone(), state.peer.address.clone(), up, detail)
        });
        let registrations = self
            .registrations
            .iter()
            .map(|state| (state.tenant, state.trunk.clone(), "registration".to_owned(), state.told == Some(true), state.detail.clone()));
        peers.chain(registrations).collect()
    }
}

impl PeerState {
    fn transport(&self) -> Transport {
        transport_of(&self.peer)
    }

    /// How the peer is, for people.
    fn detail(&self, up: bool) -> String {
        let status = self.health.as_ref().and_then(Health::last_status);
        match status {
            _ if up => "answers".to_owned(),
            Some(status) if self.teams.is_some() => {
                let hint = teams::hint(status).map(|hint| format!("; {hint}")).unwrap_or_default();
                format!("answers health checks with {status}{hint}")
            }
            _ => "does not answer health checks; look at its address, its firewall and whether it knows us".to_owned(),
        }
    }

    fn hops(&self) -> impl Iterator<Item = Hop> {
        let name = host_of(&self.peer.address).to_owned();
        let transport = self.transport();
        self.addresses.iter().map(move |address| match transport {
            Transport::Udp => Hop::udp(*address),
            Transport::Tcp => Hop::tcp(*address),
            Transport::Tls => Hop::tls(*address, &name),
        })
    }
}

impl Driver {
    /// A tenant's trunks, telephones and numbers changed.
    pub(super) fn set_directory(&mut self, now: Instant, tenant: TenantId, entries: TenantEntries) {
        let trunks = entries.trunks.clone();
        let tls_port = self.tls_port();
        for user in self.directory.put(tenant, entries) {
            tracing::error!(%tenant, user, code = "LINE-008", "this telephone's user name belongs to another tenant; it cannot sign in here");
        }
        let mut before = Vec::new();
        std::mem::swap(&mut before, &mut self.trunks.peers);
        let (mut kept, mut old): (Vec<_>, Vec<_>) = before.into_iter().partition(|state| state.tenant != tenant);
        for trunk in &trunks {
            for (index, peer) in trunk.peers.iter().enumerate() {
                let interval = Duration::from_secs(u64::from(trunk.health_interval_s));
                let teams = Teams::of(trunk, tls_port);
                // What did not change goes on, with what is known of it.
                let same = old.iter().position(|state| {
                    state.trunk == trunk.name
                        && state.index == index
                        && state.peer == *peer
                        && state.interval == interval
                        && state.teams == teams
                });
                kept.push(match same {
                    Some(at) => old.swap_remove(at),
                    None => PeerState {
                        tenant,
                        trunk: trunk.name.clone(),
                        index,
                        peer: peer.clone(),
                        // Names are looked up; until then a call goes elsewhere.
                        addresses: literal_address(peer).into_iter().collect(),
                        problem: None,
                        interval,
                        health: None,
                        told: None,
                        teams,
                    },
                });
            }
        }
        self.trunks.peers = kept;
        for gone in old {
            self.notice(Notice::TrunkGone { tenant, trunk: gone.trunk, peer: gone.peer.address });
        }
        self.set_registrations(now, tenant, &trunks);
        self.resolve_peers(now);
        self.tell_reachability(tenant);
    }

    fn set_registrations(&mut self, now: Instant, tenant: TenantId, trunks: &[Trunk]) {
        let mut before = Vec::new();
        std::mem::swap(&mut before, &mut self.trunks.registrations);
        let (mut kept, mut old): (Vec<_>, Vec<_>) = before.into_iter().partition(|state| state.tenant != tenant);
        for trunk in trunks {
            let Some(settings) = &trunk.registration else { continue };
            let same = old.iter().position(|state| state.trunk == trunk.name && state.settings == *settings);
            kept.push(match same {
                Some(at) => old.swap_remove(at),
                None => RegistrationState {
                    tenant,
                    trunk: trunk.name.clone(),
                    settings: settings.clone(),
                    machine: None,
                    detail: "waits for the peer's address".to_owned(),
                    told: None,
                    news: None,
                },
            });
        }
        for mut gone in old {
            if let Some(machine) = &mut gone.machine {
                machine.stop(now, &mut self.endpoint);
            }
            self.notice(Notice::TrunkGone { tenant, trunk: gone.trunk, peer: "registration".to_owned() });
        }
        self.trunks.registrations = kept;
    }

    /// Looks every peer's name up, off this task.
    fn resolve_peers(&mut self, now: Instant) {
        for state in &self.trunks.peers {
            let (tenant, trunk, peer, address) = (state.tenant, state.trunk.clone(), state.index, state.peer.address.clone());
            let port = state.transport().default_port();
            self.in_background(move || {
                let (addresses, failure) = match look_up(&address, port) {
                    Ok(addresses) => (addresses, None),
                    Err(error) => (Vec::new(), Some(format!("{address}: {error}"))),
                };
                Done::Resolved { tenant, trunk, peer, addresses, failure }
            });
        }
        self.trunks.resolve_at = (!self.trunks.peers.is_empty()).then(|| now + limits::RESOLVE_EVERY);
    }

    pub(super) fn on_resolved(
        &mut self,
        now: Instant,
        tenant: TenantId,
        trunk: &str,
        peer: usize,
        mut addresses: Vec<SocketAddr>,
        failure: Option<String>,
    ) {
        // What our own sockets can reach comes first: a name such as `localhost` has addresses of both families.
        addresses.sort_by_key(|address| address.is_ipv4() != self.config.speaks_ipv4());
        self.directory.peer_resolved(tenant, trunk, &addresses);
        let found = self.trunks.peers.iter_mut().find(|state| state.tenant == tenant && state.trunk == trunk && state.index == peer);
        let Some(state) = found else { return };
        if let Some(problem) = failure {
            // The addresses known before stay: a name server's bad minute is no reason to lose a trunk.
            if state.problem.as_ref() != Some(&problem) {
                tracing::warn!(%tenant, trunk, code = "LINE-009", problem, "a peer's name cannot be looked up");
            }
            state.problem = Some(problem);
            return;
        }
        state.problem = None;
        if state.addresses != addresses {
            state.addresses = addresses;
            state.health = None;
        }
        let first = state.hops().next();
        let own_host = Host::parse(&self.trunks.own_host).unwrap_or_else(|_| Host::from(std::net::IpAddr::from([127, 0, 0, 1])));
        if let (None, Some(hop), false) = (&state.health, &first, state.interval.is_zero()) {
            let host = Host::parse(host_of(&state.peer.address)).unwrap_or_else(|_| Host::from(hop.remote.ip()));
            let uri = Uri::sip(None, host, Some(hop.remote.port()));
            let mut config = HealthConfig::new(uri, hop.clone(), NameAddr::new(Uri::sip(None, own_host.clone(), None)));
            config.interval = state.interval;
            if let Some(teams) = &state.teams {
                // Teams finds our tenant by the Contact, and answers with a refusal when that is not as it should be.
                config.from = teams.own_address();
                config.contact = Some(teams.contact(None));
                config.success_only = true;
            }
            state.health = Some(Health::new(config, now));
        }
        let port = first.as_ref().and_then(|hop| own_port(&self.endpoint, hop.transport));
        let domain_of_peer = host_of(&state.peer.address).to_owned();
        for registration in self.trunks.registrations.iter_mut().filter(|candidate| candidate.tenant == tenant && candidate.trunk == trunk)
        {
            if let (None, Some(hop), 0) = (&registration.machine, &first, peer) {
                let settings = &registration.settings;
                let domain = settings.domain.clone().unwrap_or_else(|| domain_of_peer.clone());
                let domain = Host::parse(&domain).unwrap_or_else(|_| Host::from(hop.remote.ip()));
                let mut seed = [0_u8; 32];
                // Without randomness the Call-ID is no secret, which costs nothing here.
                let _ = getrandom::fill(&mut seed);
                let config = RegistrationConfig {
                    registrar: Uri::sip(None, domain.clone(), None),
                    hop: hop.clone(),
                    aor: NameAddr::new(Uri::sip(Some(&settings.username), domain, None)),
                    contact: NameAddr::new(Uri::sip(Some(&settings.username), own_host.clone(), port)).to_string(),
                    credentials: Some(Credentials::new(&settings.username, &settings.password)),
                    expires: Duration::from_secs(u64::from(settings.expires_s)),
                };
                let mut machine = Registration::new(config, seed);
                machine.start(now, &mut self.endpoint);
                registration.detail = "signing in".to_owned();
                registration.machine = Some(machine);
            }
        }
        self.trunks_on_time(now);
    }

    /// Sends what is due: health checks, sign-ins, look-ups.
    pub(super) fn trunks_on_time(&mut self, now: Instant) {
        if self.trunks.resolve_at.is_some_and(|at| at <= now) {
            self.resolve_peers(now);
        }
        for health in self.trunks.peers.iter_mut().filter_map(|state| state.health.as_mut()) {
            health.handle_timeout(now, &mut self.endpoint);
        }
        for machine in self.trunks.registrations.iter_mut().filter_map(|state| state.machine.as_mut()) {
            machine.handle_timeout(now, &mut self.endpoint);
        }
        self.tell_trunk_health();
    }

    /// The outcome of a request outside calls.
    pub(super) fn on_response(&mut self, now: Instant, id: RequestId, result: &Result<Response, RequestFailed>) {
        if let Some(health) = self.trunks.peers.iter_mut().filter_map(|state| state.health.as_mut()).find(|health| health.owns(id)) {
            health.handle_response(now, id, result);
        }
        for state in &mut self.trunks.registrations {
            let Some(machine) = state.machine.as_mut().filter(|machine| machine.owns(id)) else { continue };
            let Some(event) = machine.handle_response(now, &mut self.endpoint, id, result) else { continue };
            (state.news, state.detail) = match event {
                RegistrationEvent::Registered { expires } => (Some(true), format!("signed in for {} s", expires.as_secs())),
                RegistrationEvent::Failed { status, retry_in } => (Some(false), refused(status, retry_in)),
                RegistrationEvent::Unregistered => (Some(false), "signed out".to_owned()),
            };
        }
        self.tell_trunk_health();
    }

    /// What a call experienced at this address counts as a health check, so that the next call does not try it in vain.
    pub(super) fn note_refused(&mut self, now: Instant, hop: &Hop, cause: &Cause) {
        for state in &mut self.trunks.peers {
            if !state.hops().any(|own| own.transport == hop.transport && own.remote == hop.remote) {
                continue;
            }
            let Some(health) = &mut state.health else { continue };
            match cause.kind {
                CauseKind::Rejected if cause.status == Some(503) => {
                    let wait = cause.response.as_ref().and_then(|response| response.headers.retry_after_s());
                    health.note_unavailable(now, wait.map(|seconds| Duration::from_secs(u64::from(seconds))));
                }
                CauseKind::Timeout | CauseKind::TransportError => {
                    health.note_failure(now);
                }
                _ => {}
            }
        }
        self.tell_trunk_health();
    }

    /// The port we take encrypted calls at, as peers are told.
    pub(super) fn tls_port(&self) -> Option<u16> {
        own_port(&self.endpoint, Transport::Tls)
    }

    fn tell_trunk_health(&mut self) {
        let mut notices = Vec::new();
        for state in &mut self.trunks.peers {
            let up = match state.health.as_ref().map(Health::health) {
                Some(PeerHealth::Up) => true,
                Some(PeerHealth::Down) => false,
                Some(PeerHealth::Unknown) | None => continue,
            };
            if state.told != Some(up) {
                state.told = Some(up);
                let detail = state.detail(up);
                notices.push((state.tenant, state.trunk.clone(), state.peer.address.clone(), up, detail));
            }
        }
        for state in &mut self.trunks.registrations {
            let Some(up) = state.news.take() else { continue };
            if state.told != Some(up) {
                state.told = Some(up);
                notices.push((state.tenant, state.trunk.clone(), "registration".to_owned(), up, state.detail.clone()));
            }
        }
        for (tenant, trunk, peer, up, detail) in notices {
            if up {
                tracing::info!(%tenant, trunk, peer, detail, "trunk up");
            } else {
                tracing::warn!(%tenant, trunk, peer, detail, code = "LINE-010", "trunk down");
            }
            self.notice(Notice::TrunkHealth { tenant, trunk, peer, up, detail });
        }
    }
}

fn refused(status: Option<u16>, retry_in: Duration) -> String {
    let why = match status {
        Some(401 | 407 | 403) => "the carrier refuses user name or password".to_owned(),
        Some(404) => "the carrier does not know this user".to_owned(),
        Some(status) => format!("the carrier answers {status}"),
        None => "the carrier does not answer".to_owned(),
    };
    format!("not signed in: {why}; trying again in {} s", retry_in.as_secs())
}

/// Our port for a transport, as peers are told.
fn own_port(endpoint: &Endpoint, transport: Transport) -> Option<u16> {
    let locals = &endpoint.config().locals;
    let local = match transport {
        Transport::Udp => &locals.udp,
        Transport::Tcp => &locals.tcp,
        Transport::Tls => &locals.tls,
    };
    local.as_ref().map(|local| local.port)
}

fn transport_of(peer: &Peer) -> Transport {
    match peer.transport {
        PeerTransport::Udp => Transport::Udp,
        PeerTransport::Tcp => Transport::Tcp,
        PeerTransport::Tls => Transport::Tls,
    }
}

/// Where a peer is that is given by address, which needs no looking up.
fn literal_address(peer: &Peer) -> Option<SocketAddr> {
    let host: Option<IpAddr> = peer.address.trim_matches(['[', ']']).parse().ok();
    peer.address.parse().ok().or(host.map(|ip| SocketAddr::new(ip, transport_of(peer).default_port())))
}

/// The host in `host`, `host:port` or `[address]:port`.
pub(super) fn host_of(address: &str) -> &str {
    if address.starts_with('[') {
        return address.find(']').map_or(address, |end| &address[..=end]);
    }
    match address.rsplit_once(':') {
        Some((host, port)) if !host.contains(':') && port.bytes().all(|b| b.is_ascii_digit()) => host,
        _ => address,
    }
}

/// Addresses of `host` or `host:port`. Blocks on the system's resolver.
pub(super) fn look_up(address: &str, default_port: u16) -> std::io::Result<Vec<SocketAddr>> {
    let host = host_of(address);
    if host.len() == address.len() {
        (host.trim_matches(['[', ']']), default_port).to_socket_addrs().map(Iterator::collect)
    } else {
        address.to_socket_addrs().map(Iterator::collect)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_is_told_from_its_port() {
        assert_eq!(host_of("sbc.example:5061"), "sbc.example");
        assert_eq!(host_of("sbc.example"), "sbc.example");
        assert_eq!(host_of("[2001:db8::1]:5060"), "[2001:db8::1]");
        assert_eq!(host_of("2001:db8::1"), "2001:db8::1");
        let given = |address: &str| literal_address(&Peer { address: address.to_owned(), transport: PeerTransport::Tls });
        assert_eq!(given("192.0.2.1"), "192.0.2.1:5061".parse().ok());
        assert_eq!(given("[2001:db8::1]:5070"), "[2001:db8::1]:5070".parse().ok());
        assert_eq!(given("sbc.example:5061"), None);
        assert_eq!(look_up("192.0.2.1", 5060).unwrap(), ["192.0.2.1:5060".parse().unwrap()]);
        assert_eq!(look_up("192.0.2.1:5070", 5060).unwrap(), ["192.0.2.1:5070".parse().unwrap()]);
    }
}
