//! One of the proxies, with the calls that came or went by it.

use super::{
    Authority, Condition, Shared, State, Work, lock,
    rules::{Expected, Refusal},
    wire,
};
use crate::pstn::phone::{CallState, Manner};
use dreiklang_media::{
    codec::Codec,
    srtp::{KeyPair, Keys, MASTER_BYTES, Suite},
};
use dreiklang_sip::{
    config::Config as EndpointConfig,
    endpoint::{Endpoint, Invite},
    event::{CallId, Cause, CauseKind, Event, Output, RequestId},
    hop::Hop,
    message::{Host, Message, Method, NameAddr, Request, Response, Uri},
    sdp::{self, AudioCodec, Direction, Encryption, LocalAudio, MasterKey, Negotiated, Session},
    transport::{self, ClientCertificates, Item, StreamLimits, TlsConfig, Transports},
};
use std::{
    collections::HashMap,
    io,
    net::{IpAddr, SocketAddr},
    sync::{
        Arc,
        atomic::{AtomicU8, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};
use tokio::sync::mpsc;

/// How often Teams asks a border controller whether it is there, once that has asked first.
const PING_EVERY: Duration = Duration::from_secs(60);
/// How long somebody who is called from Teams may let it ring.
const RING_LIMIT: Duration = Duration::from_secs(60);
/// What Microsoft's proxies call themselves.
const SERVER: &str = "Microsoft.PSTNHub.SIPProxy v.2026.1.1.1 i.LAB.1";

pub(super) struct Proxy {
    host: String,
    port: u16,
    record_route: String,
    shared: Arc<Shared>,
    endpoint: Endpoint,
    transports: Transports,
    transport_config: transport::Config,
    work: mpsc::Receiver<(usize, Work)>,
    condition: Arc<AtomicU8>,
    invites: Arc<AtomicU64>,
    calls: HashMap<CallId, Call>,
    next_contact: u64,
    ping_at: Option<Instant>,
    ping: Option<RequestId>,
}

/// A person's call.
struct Call {
    person: usize,
    contact: String,
    session: Session,
    agreed: Option<Negotiated>,
    holding: bool,
    /// When it is answered, with the offer.
    answer: Option<(Instant, Vec<u8>)>,
    /// A transfer was asked for in it and is not decided.
    transferring: bool,
}

impl Proxy {
    pub(super) async fn open(
        host: &str,
        ip: IpAddr,
        authority: &Authority,
        shared: Arc<Shared>,
        work: mpsc::Receiver<(usize, Work)>,
        condition: Arc<AtomicU8>,
        invites: Arc<AtomicU64>,
    ) -> io::Result<Proxy> {
        let issued = authority.issue(&[host])?;
        let tls = TlsConfig {
            address: SocketAddr::new(ip, 0),
            certificate_file: issued.certificate,
            key_file: issued.key,
            authority_file: Some(authority.file().to_owned()),
            client_certificates: ClientCertificates::Required,
        };
        let mut transport_config = transport::Config { udp: None, tcp: None, tls: Some(tls), streams: StreamLimits::default() };
        let transports = Transports::bind(transport_config.clone()).await.map_err(io::Error::other)?;
        let address = transports.local_addresses().tls.ok_or_else(|| io::Error::other("no encrypted socket"))?;
        let port = address.port();
        if let Some(tls) = &mut transport_config.tls {
            tls.address = address;
        }
        let mut config = EndpointConfig::new(SERVER, transports.local_addresses().advertised(host));
        config.requests = vec![Method::Options];
        config.session_expires = Some(Duration::from_secs(3_600));
        config.session_expires_min = Duration::from_secs(300);
        let endpoint = Endpoint::new(config, seed());
        let record_route = format!("<sip:{host}:{port};transport=tls;lr>");
        Ok(Proxy {
            host: host.to_owned(),
            port,
            record_route,
            shared,
            endpoint,
            transports,
            transport_config,
            work,
            condition,
            invites,
            calls: HashMap::new(),
            next_contact: 1,
            ping_at: None,
            ping: None,
        })
    }

    pub(super) fn address(&self) -> String {
        format!("{}:{}", self.host, self.port)
    }

    pub(super) async fn run(mut self) {
        loop {
            while let Some(output) = self.endpoint.poll_output() {
                match output {
                    Output::Transmit { hop, bytes } => self.transmit(&hop, &bytes),
                    Output::Event(event) => self.on_event(Instant::now(), event),
                }
            }
            let answers = self.calls.values().filter_map(|call| call.answer.as_ref().map(|(at, _)| *at));
            let due = answers.chain(self.endpoint.poll_timeout()).chain(self.ping_at).min();
            tokio::select! {
                () = sleep_until(due) => self.on_time(Instant::now()),
                received = self.transports.recv() => self.on_received(Instant::now(), received),
                work = self.work.recv() => {
                    let Some((person, work)) = work else { return };
                    match work {
                        Work::Reconnect => self.reconnect().await,
                        work => self.do_work(Instant::now(), person, work),
                    }
                }
            }
        }
    }

    async fn reconnect(&mut self) {
        // The old sockets have to be closed before their address is free.
        self.transports.close().await;
        match Transports::bind(self.transport_config.clone()).await {
            Ok(transports) => self.transports = transports,
            Err(error) => self.shared.violation(format!("the lab cannot open its socket again: {error}")),
        }
    }

    /// Requests go to the border controller by a connection of our own, never by the one it opened.
    fn transmit(&self, hop: &Hop, bytes: &[u8]) {
        let bytes = wire::microsofts(bytes, &self.record_route);
        if bytes.starts_with(b"SIP/2.0 ") {
            self.transports.send(hop, bytes);
        } else {
            self.transports.send(&self.gateway_hop(), bytes);
        }
    }

    fn gateway_hop(&self) -> Hop {
        Hop::tls(self.shared.gateway.address, &self.shared.gateway.fqdn)
    }

    fn condition(&self) -> Condition {
        match self.condition.load(Ordering::Acquire) {
            busy if busy == Condition::Busy as u8 => Condition::Busy,
            silent if silent == Condition::Silent as u8 => Condition::Silent,
            _ => Condition::Working,
        }
    }

    fn on_received(&mut self, now: Instant, received: transport::Incoming) {
        if self.condition() == Condition::Silent {
            return;
        }
        match received.item {
            Item::Message(message) => {
                match &message {
                    Message::Request(request) if request.headers.to_tag().is_some() => {
                        let call_id = request.headers.call_id().unwrap_or_default();
                        let call = self.calls.iter().find(|(id, _)| self.endpoint.sip_call_id(**id) == Some(call_id));
                        if let Some((_, call)) = call {
                            self.shared.check_within(request, &self.record_route, &call.contact);
                        }
                    }
                    Message::Response(response) => self.shared.check_contact(&response.headers, "an answer"),
                    Message::Request(_) => {}
                }
                self.endpoint.handle_message(now, received.hop, message);
            }
            Item::Malformed(malformed) => {
                self.shared.violation(format!("a message that cannot be read: {}", malformed.error));
                self.endpoint.handle_malformed(now, received.hop, malformed);
            }
            Item::Closed | Item::Failed { .. } => self.endpoint.handle_transport_error(now, &received.hop),
        }
    }

    fn on_time(&mut self, now: Instant) {
        self.endpoint.handle_timeout(now);
        let due: Vec<CallId> =
            self.calls.iter().filter(|(_, call)| call.answer.as_ref().is_some_and(|(at, _)| *at <= now)).map(|(id, _)| *id).collect();
        for call in due {
            self.answer(now, call);
        }
        if self.ping_at.is_some_and(|at| at <= now) {
            self.ping_at = Some(now + PING_EVERY);
            self.send_ping(now);
        }
    }

    fn send_ping(&mut self, now: Instant) {
        let gateway = &self.shared.gateway;
        let (Ok(host), Ok(own)) = (Host::parse(&gateway.fqdn), Host::parse(&self.host)) else { return };
        let mut uri = Uri::sip(None, host, Some(gateway.address.port()));
        uri.params.set("transport", Some("tls"));
        let own = NameAddr::new(Uri::sip(None, own, Some(self.port)));
        let mut ping = Request::new(Method::Options, uri);
        ping.headers.push("From", &own.to_string());
        ping.headers.push("Contact", &own.to_string());
        let hop = self.gateway_hop();
        self.ping = Some(self.endpoint.request(now, ping, hop));
    }

    fn on_event(&mut self, now: Instant, event: Event) {
        match event {
            Event::Request { id, hop, request } => self.on_options(now, id, &hop, &request),
            Event::Response { id, result } => self.on_response(id, result.ok()),
            Event::Incoming { call, hop, request, sdp } => self.on_invite(now, call, &hop, &request, sdp),
            Event::Progress { call, status, .. } if status >= 180 => self.tell(call, |state| state.call = CallState::FarEndRings),
            Event::Answered { call, sdp, .. } => {
                self.take_answer(call, sdp.as_deref());
                self.tell(call, |state| state.call = CallState::Talking);
            }
            Event::Acknowledged { call, .. } => self.tell(call, |state| state.call = CallState::Talking),
            Event::Reinvite { call, sdp } => self.on_reinvite(now, call, sdp),
            Event::ReinviteAnswered { call, sdp } => {
                self.take_answer(call, sdp.as_deref());
                self.tell(call, |state| state.changes += 1);
            }
            Event::ReinviteFailed { status, .. } => self.shared.violation(format!("a change of the session was refused with {status}")),
            Event::ReferAnswered { call, status } => {
                if status >= 300
                    && let Some(call) = self.calls.get_mut(&call)
                {
                    call.transferring = false;
                }
                self.tell(call, |state| state.transfer.push(status));
            }
            Event::ReferProgress { call, status, terminated, .. } => {
                if terminated && let Some(call) = self.calls.get_mut(&call) {
                    call.transferring = false;
                }
                self.tell(call, |state| state.transfer.push(status));
            }
            Event::Ended { call, cause } => self.on_ended(call, &cause),
            Event::Progress { .. } | Event::Refer { .. } | Event::Info { .. } => {}
        }
    }

    fn tell(&self, call: CallId, change: impl FnOnce(&mut State)) {
        if let Some(call) = self.calls.get(&call) {
            self.shared.people[call.person].change(change);
        }
    }

    fn on_options(&mut self, now: Instant, id: RequestId, hop: &Hop, request: &Request) {
        let certificate = hop.connection.and_then(|connection| self.transports.peer_certificate(connection));
        let mut response = if self.condition() == Condition::Busy {
            busy(request)
        } else if self.shared.knows(&request.headers, certificate.as_deref()) {
            // We ask back as soon as the border controller has asked.
            self.ping_at.get_or_insert(now);
            Response::to_request(request, 200, "OK")
        } else {
            Response::to_request(request, 403, "Forbidden")
        };
        response.headers.push("Allow", "INVITE,ACK,OPTIONS,CANCEL,BYE,NOTIFY");
        self.endpoint.respond(now, id, response);
    }

    fn on_response(&mut self, id: RequestId, response: Option<Response>) {
        if self.ping.take_if(|ping| *ping == id).is_none() {
            return;
        }
        let Some(response) = response else { return self.shared.violation("a ping without answer") };
        let allow = response.headers.get("Allow").unwrap_or_default();
        if response.status != 200 {
            self.shared.violation(format!("a ping is answered with {}", response.status));
        } else if response.headers.contact().is_none() {
            self.shared.violation("a ping is answered without Contact");
        } else if !allow.contains("REFER") || !allow.contains("NOTIFY") {
            self.shared.violation(format!("transfers need REFER and NOTIFY in Allow, which is {allow}"));
        } else {
            self.shared.pinged.send_modify(|count| *count += 1);
        }
    }

    fn on_invite(&mut self, now: Instant, call: CallId, hop: &Hop, request: &Request, sdp: Option<Vec<u8>>) {
        self.invites.fetch_add(1, Ordering::AcqRel);
        if self.condition() == Condition::Busy {
            return self.endpoint.reject(now, call, 503, "Service Unavailable", vec![("Retry-After".to_owned(), "1".to_owned())]);
        }
        let certificate = hop.connection.and_then(|connection| self.transports.peer_certificate(connection));
        let person = match self.shared.called(request, certificate.as_deref(), sdp.is_some()) {
            Ok(person) => person,
            Err(Refusal { status, phrase, reason }) => {
                return self.endpoint.reject(now, call, status, phrase, vec![("Reason".to_owned(), reason.to_owned())]);
            }
        };
        let contact = self.contact();
        self.endpoint.set_contact(call, &contact);
        let manner = self.shared.people[person].manner();
        let is_busy = self.calls.values().any(|other| other.person == person);
        let caller = request.headers.from().ok().and_then(|from| from.uri.user_unescaped()).unwrap_or_default();
        let called_as = request.uri.to_string();
        let refuse = |endpoint: &mut Endpoint, status, phrase: &str| {
            let reason = vec![("Reason".to_owned(), "Q.850;cause=34".to_owned())];
            endpoint.reject(now, call, status, phrase, reason);
        };
        let taken = match manner {
            _ if is_busy => {
                refuse(&mut self.endpoint, 486, "Busy Here");
                false
            }
            Manner::Busy => {
                refuse(&mut self.endpoint, 486, "Busy Here");
                false
            }
            Manner::Decline => {
                refuse(&mut self.endpoint, 603, "Decline");
                false
            }
            Manner::Answer { .. } | Manner::LetRing => true,
        };
        if taken {
            let answer = match manner {
                Manner::Answer { after } => Some((now + after, sdp.unwrap_or_default())),
                _ => None,
            };
            let session = Session::new(self.next_contact);
            self.calls.insert(call, Call { person, contact, session, agreed: None, holding: false, answer, transferring: false });
            self.endpoint.ring(now, call, None);
        }
        self.shared.people[person].change(|state| {
            state.rang += 1;
            state.called_as = Some(called_as);
            if taken {
                state.transfer.clear();
                state.call = CallState::Rings { caller };
            }
        });
    }

    /// Our address in a call: nobody listens there, because requests go by the route.
    fn contact(&mut self) -> String {
        self.next_contact += 1;
        let id = self.next_contact;
        format!("<sip:api-du-a-lab.{}.invalid:443;x-i=00000000-0000-4000-8000-{id:012x};x-c=lab%2F{id}/d/8/ab>", "pstnhub")
    }

    fn local_audio(&self, person: usize, holding: bool) -> LocalAudio {
        let local = LocalAudio::new(self.shared.people[person].audio().local());
        let direction = if holding { Direction::Inactive } else { Direction::SendRecv };
        LocalAudio { encryption: Encryption::Required, fresh_key: Some(MasterKey::new(key())), ..local }.with_direction(direction)
    }

    fn answer(&mut self, now: Instant, id: CallId) {
        let Some(person) = self.calls.get(&id).map(|call| call.person) else { return };
        let local = self.local_audio(person, false);
        let Some(call) = self.calls.get_mut(&id) else { return };
        let Some((_, offer)) = call.answer.take() else { return };
        match call.session.answer(&offer, &local) {
            Ok((answer, agreed)) => {
                call.agreed = Some(agreed);
                self.endpoint.answer(now, id, answer);
                self.follow(id);
            }
            Err(problem) => {
                let reason = vec![("Reason".to_owned(), format!("Q.850;cause=88;text=\"{problem}\""))];
                self.endpoint.reject(now, id, 488, "Not Acceptable Here", reason);
            }
        }
    }

    fn on_reinvite(&mut self, now: Instant, id: CallId, sdp: Option<Vec<u8>>) {
        let Some((person, holding)) = self.calls.get(&id).map(|call| (call.person, call.holding)) else { return };
        let local = self.local_audio(person, holding);
        let Some(call) = self.calls.get_mut(&id) else { return };
        let Some(offer) = sdp else { return self.endpoint.answer_reinvite(now, id, Err(488)) };
        let answer = call.session.answer(&offer, &local).map(|(answer, agreed)| {
            call.agreed = Some(agreed);
            answer
        });
        self.endpoint.answer_reinvite(now, id, answer.map_err(|problem| problem.status()));
        self.follow(id);
    }

    fn take_answer(&mut self, id: CallId, sdp: Option<&[u8]>) {
        let Some(call) = self.calls.get_mut(&id) else { return };
        if call.holding && !sdp.is_some_and(|sdp| String::from_utf8_lossy(sdp).contains("a=inactive")) {
            self.shared.violation("a hold with inactive is not answered with inactive");
        }
        match sdp.map(|sdp| call.session.read_answer(sdp)) {
            Some(Ok(agreed)) => call.agreed = Some(agreed),
            Some(Err(problem)) => self.shared.violation(format!("an answer without usable audio: {problem}")),
            None => self.shared.violation("an answer without audio"),
        }
        self.follow(id);
    }

    fn follow(&self, id: CallId) {
        let Some(call) = self.calls.get(&id) else { return };
        let Some(agreed) = &call.agreed else { return };
        let codec = match agreed.codec.name {
            AudioCodec::Pcmu => Codec::Pcmu,
            AudioCodec::Pcma => Codec::Pcma,
        };
        let audio = self.shared.people[call.person].audio();
        audio.protect(agreed.keys.as_ref().map(|keys| {
            let suite = match keys.suite {
                sdp::Suite::Tag80 => Suite::Aes128Tag80,
                sdp::Suite::Tag32 => Suite::Aes128Tag32,
            };
            KeyPair { send: Keys::new(suite, keys.send.bytes()), receive: Keys::new(suite, keys.receive.bytes()) }
        }));
        audio.set_peer(agreed.remote_rtp, codec, agreed.direction.sends(), agreed.direction.receives());
    }

    fn on_ended(&mut self, id: CallId, cause: &Cause) {
        let Some(call) = self.calls.remove(&id) else { return };
        if call.transferring && cause.kind == CauseKind::RemoteHangUp {
            self.shared.violation("the call was ended before its transfer was decided");
        }
        let by_far_end = matches!(cause.kind, CauseKind::RemoteHangUp | CauseKind::Canceled | CauseKind::Rejected);
        self.shared.people[call.person].change(|state| {
            state.over += 1;
            state.call = CallState::Over { by_far_end, status: cause.status };
        });
    }

    fn call_of(&self, person: usize) -> Option<CallId> {
        self.calls.iter().find(|(_, call)| call.person == person).map(|(id, _)| *id)
    }

    fn do_work(&mut self, now: Instant, person: usize, work: Work) {
        match work {
            // It is done by itself.
            Work::Reconnect => {}
            Work::Call(number) => self.call(now, person, &number, None),
            Work::TakeOver { from } => {
                let Some(replaces) = self.call_of(from).and_then(|call| self.endpoint.replaces_of(call)) else { return };
                let value = format!("{};to-tag={};from-tag={}", replaces.call_id, replaces.to_tag, replaces.from_tag);
                self.call(now, person, "", Some(value));
            }
            Work::HangUp => {
                if let Some(call) = self.call_of(person) {
                    self.endpoint.hang_up(now, call, None);
                }
            }
            Work::Hold(on) => {
                let local = self.local_audio(person, on);
                let Some(id) = self.call_of(person) else { return };
                let Some(call) = self.calls.get_mut(&id) else { return };
                call.holding = on;
                let offer = call.session.offer(&local);
                self.endpoint.reinvite(now, id, offer);
            }
            Work::ChangeDevice => {
                let local = self.local_audio(person, false);
                self.next_contact += 1;
                let Some(id) = self.call_of(person) else { return };
                let Some(call) = self.calls.get_mut(&id) else { return };
                call.session = Session::new(self.next_contact);
                let offer = call.session.offer(&local);
                self.endpoint.reinvite(now, id, offer);
            }
            Work::Transfer { object_id } => {
                let Some(id) = self.call_of(person) else { return };
                let own = &self.shared.people[person].profile().object_id;
                let uri = format!("sip:{}:{};transport=tls;x-m=8:orgid:{object_id}", self.host, self.port);
                let referred_by = format!(
                    "<sip:{}:{};x-m=8:orgid:{own};x-t=11111111-2222-4333-8444-555555555555;x-ti=AbCd;x-tt=aHR0cHM6Ly9sYWIvQ2FsbD9kY2k9MQ%3D%3D>",
                    self.host, self.port
                );
                lock(&self.shared.expected).push(Expected { uri: uri.clone(), referred_by: referred_by.clone() });
                if let Some(call) = self.calls.get_mut(&id) {
                    call.transferring = true;
                }
                self.endpoint.refer(now, id, &format!("<{uri}>"), Some(&referred_by));
            }
        }
    }

    /// A person calls out, or takes over the call that `replaces` names.
    fn call(&mut self, now: Instant, person: usize, number: &str, replaces: Option<String>) {
        let gateway = self.shared.gateway.clone();
        let (Ok(host), Ok(own)) = (Host::parse(&gateway.fqdn), Host::parse(&self.host)) else { return };
        let mut uri = Uri::sip(Some(number).filter(|number| !number.is_empty()), host, Some(gateway.address.port()));
        uri.params.set("user", Some("phone"));
        uri.params.set("transport", Some("tls"));
        let profile = self.shared.people[person].profile();
        let mut from = Uri::sip(Some(&profile.number), own, Some(self.port));
        from.params.set("user", Some("phone"));
        let from = NameAddr::new(from).with_display(profile.sign_in.clone());
        let mut invite = Invite::new(uri.clone(), self.gateway_hop(), from, NameAddr::new(uri));
        let contact = self.contact();
        let mut session = Session::new(self.next_contact);
        invite.body = Some(session.offer(&self.local_audio(person, false)));
        invite.contact = Some(contact.clone());
        invite.ring_limit = RING_LIMIT;
        if let Some(replaces) = replaces {
            invite.extra = vec![("Replaces".to_owned(), replaces), ("Require".to_owned(), "replaces".to_owned())];
        }
        let call = self.endpoint.invite(now, invite);
        self.calls.insert(call, Call { person, contact, session, agreed: None, holding: false, answer: None, transferring: false });
        self.tell(call, |state| state.call = CallState::Calling);
    }
}

fn busy(request: &Request) -> Response {
    let mut response = Response::to_request(request, 503, "Service Unavailable");
    response.headers.push("Retry-After", "1");
    response
}

/// Randomness for ids; without any they repeat, which only other proxies of the lab would notice.
fn seed() -> [u8; 32] {
    let mut seed = [0; 32];
    let _ = getrandom::fill(&mut seed);
    seed
}

fn key() -> [u8; MASTER_BYTES] {
    let mut key = [0; MASTER_BYTES];
    let _ = getrandom::fill(&mut key);
    key
}

async fn sleep_until(at: Option<Instant>) {
    match at {
        Some(at) => tokio::time::sleep_until(tokio::time::Instant::from_std(at)).await,
        None => std::future::pending::<()>().await,
    }
}
