//! How legs begin that we start: to an agent's telephone, to a number by a trunk, or to an address.

use super::{
    act::failure,
    driver::{Done, Driver},
    leg::{Dialing, Leg},
    limits,
    referral::Referral,
    settings::MediaEncryption,
    teams::{self, Teams},
    trunks::{Outbound, Outside},
};
use dreiklang_core::{
    conversation::CauseKind,
    endpoint::{Endpoint as Target, Party},
    ids::{ConversationId, LegId, TenantId},
    output::ActionFailure,
    time::Millis,
};
use dreiklang_sip::{
    digest::Credentials,
    endpoint::Invite,
    event::CallId,
    hop::{Hop, Transport},
    message::{Host, NameAddr, Params, Uri},
    sdp::Encryption,
};
use std::{
    collections::VecDeque,
    net::{IpAddr, SocketAddr},
    time::{Duration, Instant},
};

/// Where an outgoing leg may go.
struct Route {
    hops: VecDeque<(Option<Uri>, Hop)>,
    user: String,
    host: Option<String>,
    credentials: Option<Credentials>,
    encryption: MediaEncryption,
    teams: Option<Teams>,
    headers: Vec<(String, String)>,
}

impl Route {
    fn new(hops: VecDeque<(Option<Uri>, Hop)>, user: &str, encryption: MediaEncryption) -> Route {
        let user = user.to_owned();
        Route { hops, user, host: None, credentials: None, encryption, teams: None, headers: Vec::new() }
    }
}

impl Driver {
    #[expect(clippy::too_many_arguments, reason = "the fields of one action")]
    pub(super) fn dial(
        &mut self,
        now: Instant,
        tenant: TenantId,
        conversation: ConversationId,
        id: LegId,
        to: Target,
        caller: Party,
        ring_limit: Millis,
    ) -> Result<(), ActionFailure> {
        if self.legs.get(id).is_some() {
            return Ok(());
        }
        let referral = match &to {
            Target::Person(name) => self.take_referral(conversation, name),
            _ => None,
        };
        let referred_in = referral.as_ref().map(|referral| referral.call);
        let route = match referral {
            Some(referral) => self.route_referral(tenant, referral),
            None => self.route(tenant, &to),
        };
        let (dialing, encryption, teams) = match route {
            Ok(Route { hops, user, host, credentials, encryption, teams, headers }) => {
                let ring_limit = Duration::from_millis(ring_limit.0);
                let dialing = Dialing { hops, user, host, caller, ring_limit, credentials, headers, trying: None };
                (dialing, Encryption::from(encryption), teams)
            }
            Err(detail) => {
                if let Some(asked_in) = referred_in {
                    self.end_referral(now, asked_in, 503);
                }
                self.tell_ended(tenant, id, CauseKind::Unreachable, &detail);
                return Ok(());
            }
        };
        let session = match self.open_audio(conversation, id, encryption) {
            Ok(session) => session,
            Err(error) => {
                if let Some(asked_in) = referred_in {
                    self.end_referral(now, asked_in, 503);
                }
                self.tell_ended(tenant, id, CauseKind::Failure, &error.to_string());
                return Err(failure("MEDIA-001", error.to_string()));
            }
        };
        // The handle is replaced by the first call; until then no call has it.
        let mut leg = Leg::new(id, tenant, CallId(u64::MAX));
        leg.conversation = Some(conversation);
        leg.session = Some(session);
        leg.encryption = encryption;
        leg.teams = teams;
        leg.referred_in = referred_in;
        let lookup = dialing.hops.is_empty().then(|| dialing.host.clone()).flatten();
        leg.dialing = Some(dialing);
        self.legs.insert(leg);
        match lookup {
            Some(host) => self.find(id, &host),
            None => {
                self.dial_next(now, id);
            }
        }
        Ok(())
    }

    /// Addresses, user part and host of the target, or why there are none.
    fn route(&self, tenant: TenantId, to: &Target) -> Result<Route, String> {
        match to {
            Target::Desk(user) => {
                let phone = self.directory.phone(user).filter(|(owner, _)| *owner == tenant);
                let Some((_, phone)) = phone else { return Err(format!("no telephone \"{user}\" is set up")) };
                let hops: VecDeque<_> = self.phones.hops(user).into_iter().map(|(contact, hop)| (Some(contact), hop)).collect();
                if hops.is_empty() {
                    return Err(format!("the telephone \"{user}\" is not signed in"));
                }
                Ok(Route::new(hops, user, phone.media_encryption))
            }
            Target::Number(number) => {
                let way = self.outbound(tenant, Outside::Number(number))?;
                let is_teams = way.teams.is_some();
                let to_hop = |hop: Hop| Ok((is_teams.then(|| teams::number_uri(number, &hop)).transpose()?, hop));
                let hops = way.hops.into_iter().map(to_hop).collect::<Result<_, String>>()?;
                let (host, credentials, teams) = (Some(way.host), way.credentials, way.teams);
                Ok(Route { host, credentials, teams, ..Route::new(hops, number, way.encryption) })
            }
            // The border controller knows its people by their sign-in names.
            Target::Person(name) => {
                let way = self.outbound(tenant, Outside::Person)?;
                let (user, domain) = name.split_once('@').ok_or_else(|| format!("\"{name}\" is no sign-in name"))?;
                let uri = way.teams.is_some().then(|| teams::person_uri(name)).transpose()?;
                let hops = way.hops.into_iter().map(|hop| (uri.clone(), hop)).collect();
                let (host, credentials, teams) = (Some(domain.to_owned()), way.credentials, way.teams);
                Ok(Route { host, credentials, teams, ..Route::new(hops, user, way.encryption) })
            }
            Target::Address(address) => {
                let uri = Uri::parse(address).map_err(|error| format!("\"{address}\" is no address: {error}"))?;
                let user = uri.user.clone().unwrap_or_default();
                let port = uri.port;
                let host = uri.host.to_string();
                let hops =
                    host.trim_matches(['[', ']']).parse::<IpAddr>().ok().map(|ip| Hop::udp(SocketAddr::new(ip, port.unwrap_or(5060))));
                let host = port.map_or(host.clone(), |port| format!("{host}:{port}"));
                let hops = hops.into_iter().map(|hop| (None, hop)).collect();
                Ok(Route { host: Some(host), ..Route::new(hops, &user, MediaEncryption::default()) })
            }
        }
    }

    /// Back to Teams by the trunk the wish came by, with everything as Teams wrote it.
    fn route_referral(&self, tenant: TenantId, referral: Referral) -> Result<Route, String> {
        let way = self.outbound(tenant, Outside::By(&referral.teams.trunk))?;
        let hops = way.hops.into_iter().map(|hop| (Some(referral.uri.clone()), hop)).collect();
        let (teams, headers) = (Some(referral.teams), referral.headers);
        Ok(Route { teams, headers, ..Route::new(hops, "", way.encryption) })
    }

    fn outbound(&self, tenant: TenantId, to: Outside<'_>) -> Result<Outbound, String> {
        self.trunks.outbound(tenant, self.directory.trunks(tenant), to, self.tls_port())
    }

    /// Looks a host up off this task.
    fn find(&self, leg: LegId, host: &str) {
        let host = host.to_owned();
        self.in_background(move || Done::Found { leg, addresses: super::trunks::look_up(&host, 5060).unwrap_or_default() });
    }

    /// The host was looked up.
    pub(super) fn on_found(&mut self, now: Instant, id: LegId, addresses: Vec<SocketAddr>) {
        let Some(leg) = self.legs.get_mut(id).filter(|leg| !leg.over) else { return };
        if let Some(dialing) = &mut leg.dialing {
            dialing.hops = addresses.into_iter().map(|address| (None, Hop::udp(address))).collect();
        }
        if !self.dial_next(now, id) {
            let tenant = self.legs.remove(id).map(|leg| leg.tenant);
            if let Some(tenant) = tenant {
                self.tell_ended(tenant, id, CauseKind::Unreachable, "the host is unknown");
            }
        }
    }

    /// Calls the next address of an outgoing leg. False when there is none.
    pub(super) fn dial_next(&mut self, now: Instant, id: LegId) -> bool {
        let Some(leg) = self.legs.get_mut(id) else { return false };
        let (Some(dialing), Some(session)) = (&mut leg.dialing, &mut leg.session) else { return false };
        let Some((contact, hop)) = dialing.hops.pop_front() else { return false };
        leg.signalling_encrypted = hop.transport == Transport::Tls;
        dialing.trying = Some(hop.clone());
        let own_host = self.trunks.own_host();
        let uri = contact.unwrap_or_else(|| target_uri(&dialing.user, dialing.host.as_deref(), &hop));
        let mut extra = dialing.headers.clone();
        let (from, contact) = match &leg.teams {
            Some(teams) => {
                let (from, privacy) = teams.from(&dialing.caller);
                extra.extend(privacy);
                let number = dialing.caller.number.as_deref().filter(|number| teams::is_e164(number));
                (from, Some(teams.contact(number)))
            }
            None => (from_party(&dialing.caller, own_host), None),
        };
        let to = NameAddr { display: None, uri: uri.clone(), params: Params::default() };
        let invite = Invite {
            uri,
            hop,
            from,
            to,
            extra,
            body: Some(session.offer()),
            credentials: dialing.credentials.clone(),
            ring_limit: dialing.ring_limit,
            contact,
            reply_limit: Some(limits::PEER_SILENT),
        };
        let call = self.endpoint.invite(now, invite);
        self.legs.replace_call(id, call);
        true
    }
}

/// Where the request goes: the user at the peer's host, by the hop's transport.
fn target_uri(user: &str, host: Option<&str>, hop: &Hop) -> Uri {
    let (host, port) = match host {
        Some(host) => match host.rsplit_once(':').and_then(|(name, port)| Some((name, port.parse().ok()?))) {
            Some((name, port)) if !name.ends_with(':') => (Host::parse(name), Some(port)),
            _ => (Host::parse(host), None),
        },
        None => (Ok(Host::from(hop.remote.ip())), Some(hop.remote.port())),
    };
    let host = host.unwrap_or_else(|_| Host::from(hop.remote.ip()));
    let mut uri = Uri::sip(Some(&escaped(user)), host, port);
    if hop.transport != Transport::Udp {
        uri.params.set("transport", Some(hop.transport.uri_token()));
    }
    uri
}

/// Characters a user part may not contain as they are (RFC 3261 §25.1 `user`).
fn escaped(user: &str) -> String {
    let mut out = String::with_capacity(user.len());
    for byte in user.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.!~*'()&=+$,;?/".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

/// The caller as our From: so that an agent's telephone shows the customer. Nobody is `anonymous` (RFC 3323 §4.1).
fn from_party(caller: &Party, own_host: &str) -> NameAddr {
    let host = if caller.number.is_some() { own_host } else { "anonymous.invalid" };
    let user = caller.number.as_deref().map_or_else(|| "anonymous".to_owned(), escaped);
    let host = Host::parse(host).unwrap_or_else(|_| Host::from(IpAddr::from([127, 0, 0, 1])));
    let display = caller.name.clone().or_else(|| caller.number.is_none().then(|| "Anonymous".to_owned()));
    NameAddr { display, uri: Uri::sip(Some(&user), host, None), params: Params::default() }
}
