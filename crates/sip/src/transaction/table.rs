//! All transactions of an endpoint: their bytes, their owners, their timers, and the queue of what leaves.
//!
//! Calls and requests outside calls send and answer through this table; it knows nothing of their meaning.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::Instant;

use super::client::{ClientState, ClientTransaction, OnTimer as OnClientTimer};
use super::key::{ClientKey, ServerKey, TimerKey};
use super::server::{OnAck, OnTimer as OnServerTimer, ServerState, ServerTransaction};
use super::timer::{LIFETIME, Timers};
use super::ways::Ways;
use crate::config::Config;
use crate::event::{CallId, Event, Output, RequestId};
use crate::hop::Hop;
use crate::message::{Headers, Method, Request, Response, Via};
use crate::random::Random;

/// What we accept within calls.
const CALL_METHODS: [Method; 9] = [
    Method::Invite,
    Method::Ack,
    Method::Cancel,
    Method::Bye,
    Method::Options,
    Method::Info,
    Method::Update,
    Method::Refer,
    Method::Notify,
];

/// Who waits for the outcome of a request we sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Owner {
    /// Nobody: CANCEL, and BYE for what nobody remembers.
    Nobody,
    /// A call.
    Call(CallId),
    /// The outside.
    Request(RequestId),
}

struct Client {
    machine: ClientTransaction,
    method: Method,
    owner: Owner,
    hop: Hop,
    bytes: Arc<[u8]>,
    /// The INVITE without its body, from which CANCEL and the ACK of a refusal are built.
    invite: Option<Box<Request>>,
    ack: Option<Arc<[u8]>>,
}

struct Server {
    machine: ServerTransaction,
    hop: Hop,
    response: Option<Arc<[u8]>>,
    merge: Option<u128>,
    call: Option<CallId>,
    request: Option<RequestId>,
}

/// The outcome of a client transaction that reached no final response.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Failure {
    TimedOut,
    Transport,
}

pub(crate) struct Table {
    pub(crate) config: Config,
    pub(crate) random: Random,
    pub(crate) outputs: VecDeque<Output>,
    pub(crate) timers: Timers<TimerKey>,
    clients: HashMap<ClientKey, Client>,
    ways: Ways,
    servers: HashMap<ServerKey, Server>,
    merged: HashMap<u128, ServerKey>,
    allow: String,
    supported: String,
}

impl Table {
    pub(crate) fn new(config: Config, seed: [u8; 32]) -> Table {
        let mut allow = CALL_METHODS.map(|method| method.to_string()).to_vec();
        allow.extend(config.requests.iter().filter(|method| !CALL_METHODS.contains(method)).map(Method::to_string));
        let timer = config.session_expires.map(|_| "timer".to_owned());
        let supported: Vec<String> = timer.into_iter().chain(config.supported.iter().cloned()).collect();
        Table {
            allow: allow.join(", "),
            supported: supported.join(", "),
            config,
            random: Random::new(seed),
            outputs: VecDeque::new(),
            timers: Timers::new(),
            clients: HashMap::new(),
            ways: Ways::default(),
            servers: HashMap::new(),
            merged: HashMap::new(),
        }
    }

    /// Transactions in progress or absorbing repetitions.
    pub(crate) fn len(&self) -> usize {
        self.clients.len() + self.servers.len()
    }

    /// Whether no new work may begin.
    pub(crate) fn is_full(&self) -> bool {
        self.len() >= self.config.transactions_max
    }

    /// Whether even the work of existing calls is beyond all measure.
    pub(crate) fn is_overfull(&self) -> bool {
        self.len() >= self.config.transactions_max.saturating_mul(2)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.clients.is_empty() && self.ways.is_empty() && self.servers.is_empty() && self.merged.is_empty() && self.timers.is_empty()
    }

    pub(crate) fn emit(&mut self, event: Event) {
        self.outputs.push_back(Output::Event(event));
    }

    pub(crate) fn transmit(&mut self, hop: Hop, bytes: Arc<[u8]>) {
        self.outputs.push_back(Output::Transmit { hop, bytes });
    }

    /// A Contact that leads back to us over the transport of `hop`.
    pub(crate) fn contact(&self, hop: &Hop, user: Option<&str>) -> String {
        let (host, port) = self.sent_by(hop);
        let user = user.map(|user| format!("{user}@")).unwrap_or_default();
        match hop.transport {
            crate::hop::Transport::Udp => format!("<sip:{user}{host}:{port}>"),
            other => format!("<sip:{user}{host}:{port};transport={}>", other.uri_token()),
        }
    }

    /// What we can do: Allow and Supported.
    pub(crate) fn describe_abilities(&self, headers: &mut Headers) {
        headers.push("Allow", &self.allow);
        if !self.supported.is_empty() {
            headers.push("Supported", &self.supported);
        }
    }

    /// Who we are, in a request.
    pub(crate) fn describe_self(&self, headers: &mut Headers) {
        if !self.config.user_agent.is_empty() {
            headers.push("User-Agent", &self.config.user_agent);
        }
    }

    /// Who we are, in a response.
    pub(crate) fn describe_server(&self, headers: &mut Headers) {
        if !self.config.user_agent.is_empty() {
            headers.push("Server", &self.config.user_agent);
        }
    }

    /// How a method is refused that has no meaning here: 405 for one that SIP knows, 501 for another, and our Allow.
    pub(crate) fn refusal_of(&self, method: &Method) -> (u16, String) {
        let status = if matches!(method, Method::Other(_)) { 501 } else { 405 };
        (status, self.allow.clone())
    }

    fn sent_by(&self, hop: &Hop) -> (&str, u16) {
        match self.config.locals.of(hop.transport) {
            Some(local) => (&local.host, local.port),
            None => ("localhost.invalid", hop.transport.default_port()),
        }
    }

    fn via(&self, hop: &Hop, key: ClientKey) -> String {
        let (host, port) = self.sent_by(hop);
        let transport = hop.transport.via_token();
        format!("SIP/2.0/{transport} {host}:{port};branch={};rport", key.branch_text())
    }

    fn new_client_key(&mut self) -> ClientKey {
        let branch = (u128::from(self.random.next_u64()) << 64) | u128::from(self.random.next_u64());
        ClientKey { branch, cancel: false }
    }

    /// Sends a request (without Via) in a transaction of its own.
    pub(crate) fn send(&mut self, now: Instant, mut request: Request, hop: Hop, owner: Owner) -> ClientKey {
        let key = self.new_client_key();
        request.headers.prepend("Via", &self.via(&hop, key));
        self.start(now, key, request, hop, owner);
        key
    }

    fn start(&mut self, now: Instant, key: ClientKey, mut request: Request, hop: Hop, owner: Owner) {
        let invite = request.method == Method::Invite;
        let bytes: Arc<[u8]> = Arc::from(request.to_bytes());
        self.transmit(hop.clone(), Arc::clone(&bytes));
        let machine = ClientTransaction::new(now, invite, hop.transport.is_reliable());
        self.timers.set(TimerKey::Client(key), machine.deadline());
        let method = request.method.clone();
        request.body = Vec::new();
        let invite = invite.then(|| Box::new(request));
        self.ways.insert(&hop, key);
        self.clients.insert(key, Client { machine, method, owner, hop, bytes, invite, ack: None });
    }

    /// Sends an ACK for a 2xx (without Via): a transaction of its own that nobody answers. Returns what was sent, to send
    /// it again whenever the 2xx comes again.
    pub(crate) fn send_ack(&mut self, mut ack: Request, hop: &Hop) -> Arc<[u8]> {
        let key = self.new_client_key();
        ack.headers.prepend("Via", &self.via(hop, key));
        let bytes: Arc<[u8]> = Arc::from(ack.to_bytes());
        self.transmit(hop.clone(), Arc::clone(&bytes));
        bytes
    }

    /// Cancels an INVITE of ours (RFC 3261 §9.1). The caller has seen a provisional response.
    pub(crate) fn cancel(&mut self, now: Instant, key: ClientKey, reason: Option<&str>) {
        let Some(client) = self.clients.get(&key) else { return };
        let Some(invite) = &client.invite else { return };
        let mut cancel = hop_by_hop(invite, Method::Cancel, invite.headers.get("To").unwrap_or_default());
        if let Some(reason) = reason {
            cancel.headers.push("Reason", reason);
        }
        let hop = client.hop.clone();
        self.start(now, ClientKey { cancel: true, ..key }, cancel, hop, Owner::Nobody);
    }

    /// Forgets a client transaction whose outcome no longer matters.
    pub(crate) fn abandon(&mut self, key: ClientKey) {
        if let Some(client) = self.clients.remove(&key) {
            self.ways.remove(&client.hop, key);
        }
        self.timers.set(TimerKey::Client(key), None);
    }

    /// Lets a transaction without owner absorb what still comes for a while.
    pub(crate) fn orphan(&mut self, now: Instant, key: ClientKey) {
        if let Some(client) = self.clients.get_mut(&key) {
            client.machine.end_by(now + LIFETIME);
            self.settle_client(key);
        }
    }

    /// A response arrived. `Some` when its owner is to see it.
    pub(crate) fn receive_response(&mut self, now: Instant, response: &Response) -> Option<(ClientKey, Owner)> {
        let via = response.headers.top_via().ok()?;
        let cseq = response.headers.cseq().ok()?;
        let key = ClientKey::parse(via.branch()?, cseq.method == Method::Cancel)?;
        let client = self.clients.get_mut(&key)?;
        if client.method != cseq.method {
            return None;
        }
        let outcome = client.machine.on_response(now, response.status);
        if outcome.acknowledge {
            if client.ack.is_none() {
                let to = response.headers.get("To").unwrap_or_default();
                client.ack = client.invite.as_ref().map(|invite| Arc::from(hop_by_hop(invite, Method::Ack, to).to_bytes()));
            }
            if let Some(ack) = &client.ack {
                self.outputs.push_back(Output::Transmit { hop: client.hop.clone(), bytes: Arc::clone(ack) });
            }
        }
        let owner = client.owner;
        if response.status >= 200 {
            // Nothing of the request is needed any more; the transaction may stay for another 32 s.
            client.bytes = Arc::from([].as_slice());
            client.invite = None;
        }
        self.settle_client(key);
        outcome.deliver.then_some((key, owner))
    }

    fn settle_client(&mut self, key: ClientKey) {
        let Some(client) = self.clients.get(&key) else { return };
        if client.machine.state() == ClientState::Terminated {
            self.abandon(key);
        } else {
            self.timers.set(TimerKey::Client(key), client.machine.deadline());
        }
    }

    /// A deadline of a client transaction. `Some` when its owner is to learn that it failed.
    pub(crate) fn on_client_timer(&mut self, now: Instant, key: ClientKey) -> Option<(ClientKey, Owner)> {
        let client = self.clients.get_mut(&key)?;
        let outcome = client.machine.on_timer(now);
        let owner = client.owner;
        if outcome == OnClientTimer::Retransmit {
            self.outputs.push_back(Output::Transmit { hop: client.hop.clone(), bytes: Arc::clone(&client.bytes) });
        }
        self.settle_client(key);
        (outcome == OnClientTimer::TimedOut).then_some((key, owner))
    }

    /// Ends every transaction whose request could not reach `hop`; returns them with their owners. What was sent over a
    /// connection that already existed is tried once more over a new one.
    ///
    /// An INVITE that is already ringing survives: its responses may come over another connection.
    pub(crate) fn on_transport_error(&mut self, hop: &Hop) -> Vec<(ClientKey, Owner)> {
        let near: Vec<ClientKey> = if hop.transport.is_reliable() {
            self.ways.over(hop)
        } else {
            let mut keys: Vec<ClientKey> = self.clients.iter().filter(|(_, client)| client.hop == *hop).map(|(key, _)| *key).collect();
            keys.sort_unstable();
            keys
        };
        let fails = |client: &Client| {
            // A request over another open connection to the same machine goes on.
            let other = client.hop.connection.is_some() && client.hop.connection != hop.connection;
            let waiting = client.machine.state() == ClientState::Calling
                || (client.machine.state() == ClientState::Proceeding && client.method != Method::Invite);
            waiting && !other
        };
        let failed: Vec<ClientKey> = near.into_iter().filter(|key| self.clients.get(key).is_some_and(fails)).collect();
        let mut owners = Vec::with_capacity(failed.len());
        for key in failed {
            let Some(client) = self.clients.get_mut(&key) else { continue };
            if client.hop.connection.is_some() {
                // The connection died under the request. The peer may still be there: over a new connection, where a
                // request that did arrive counts as repeated.
                self.ways.remove(&client.hop, key);
                client.hop.connection = None;
                self.ways.insert(&client.hop, key);
                self.outputs.push_back(Output::Transmit { hop: client.hop.clone(), bytes: Arc::clone(&client.bytes) });
                continue;
            }
            if client.machine.on_transport_error() {
                owners.push((key, client.owner));
            }
            self.settle_client(key);
        }
        owners
    }

    /// Begins a server transaction. `merge` is set for requests without To tag.
    pub(crate) fn open_server(&mut self, now: Instant, key: ServerKey, method: &Method, hop: Hop, merge: Option<u128>) {
        let machine = ServerTransaction::new(now, *method == Method::Invite, hop.transport.is_reliable());
        self.timers.set(TimerKey::Server(key), machine.deadline());
        if let Some(merge) = merge {
            self.merged.insert(merge, key);
        }
        self.servers.insert(key, Server { machine, hop, response: None, merge, call: None, request: None });
    }

    /// Whether the request that `merge` stands for already arrived by another way.
    pub(crate) fn is_merged(&self, merge: u128) -> bool {
        self.merged.contains_key(&merge)
    }

    /// Ties an INVITE transaction to its call, so that a CANCEL finds it.
    pub(crate) fn assign(&mut self, key: ServerKey, call: CallId) {
        if let Some(server) = self.servers.get_mut(&key) {
            server.call = Some(call);
        }
    }

    /// Ties a transaction to a request that the outside will answer.
    pub(crate) fn assign_request(&mut self, key: ServerKey, id: RequestId) {
        if let Some(server) = self.servers.get_mut(&key) {
            server.request = Some(id);
        }
    }

    /// The call of an INVITE transaction; the outer `None` when there is no such transaction.
    pub(crate) fn call_of(&self, key: ServerKey) -> Option<Option<CallId>> {
        self.servers.get(&key).map(|server| server.call)
    }

    /// A request arrived. Returns whether it is a repetition, which has then been dealt with.
    pub(crate) fn absorb_repeated(&mut self, key: ServerKey) -> bool {
        let Some(server) = self.servers.get(&key) else { return false };
        if server.machine.on_repeated_request()
            && let Some(response) = &server.response
        {
            self.outputs.push_back(Output::Transmit { hop: server.hop.clone(), bytes: Arc::clone(response) });
        }
        true
    }

    /// An ACK arrived. Returns whether a call may be interested.
    pub(crate) fn receive_ack(&mut self, now: Instant, key: ServerKey) -> bool {
        let Some(server) = self.servers.get_mut(&key) else { return true };
        let outcome = server.machine.on_ack(now);
        self.settle_server(key);
        outcome == OnAck::Deliver
    }

    /// Sends a response in its transaction. Returns the bytes and where they went, or `None` when a final response has
    /// already left.
    pub(crate) fn respond(&mut self, now: Instant, key: ServerKey, response: &Response) -> Option<(Arc<[u8]>, Hop)> {
        let server = self.servers.get_mut(&key)?;
        if !server.machine.on_send(now, response.status) {
            return None;
        }
        if response.status >= 300
            && let Some(merge) = server.merge.take()
        {
            // What was refused may be tried again, by way of another datacenter for example.
            self.merged.remove(&merge);
        }
        let bytes: Arc<[u8]> = Arc::from(response.to_bytes());
        let hop = server.hop.clone();
        server.response = (server.machine.state() != ServerState::Accepted).then(|| Arc::clone(&bytes));
        self.transmit(hop.clone(), Arc::clone(&bytes));
        self.settle_server(key);
        Some((bytes, hop))
    }

    /// Leaves a request unanswered, repetitions included.
    pub(crate) fn ignore(&mut self, now: Instant, key: ServerKey) {
        if let Some(server) = self.servers.get_mut(&key) {
            server.machine.ignore(now);
            server.response = None;
            self.settle_server(key);
        }
    }

    fn settle_server(&mut self, key: ServerKey) {
        let Some(server) = self.servers.get(&key) else { return };
        if server.machine.state() != ServerState::Terminated {
            self.timers.set(TimerKey::Server(key), server.machine.deadline());
            return;
        }
        self.timers.set(TimerKey::Server(key), None);
        if let Some(merge) = self.servers.remove(&key).and_then(|server| server.merge) {
            self.merged.remove(&merge);
        }
    }

    /// A deadline of a server transaction. `Some` when the outside has forgotten to answer this request.
    pub(crate) fn on_server_timer(&mut self, now: Instant, key: ServerKey) -> Option<RequestId> {
        let server = self.servers.get_mut(&key)?;
        let unanswered = server.machine.state() == ServerState::Proceeding;
        let request = server.request;
        if server.machine.on_timer(now) == OnServerTimer::Retransmit
            && let Some(response) = &server.response
        {
            self.outputs.push_back(Output::Transmit { hop: server.hop.clone(), bytes: Arc::clone(response) });
        }
        self.settle_server(key);
        request.filter(|_| unanswered && !self.servers.contains_key(&key))
    }
}

/// The option tags in Require that we do not support, as the value of Unsupported (RFC 3261 §8.2.2.3).
pub(crate) fn unsupported(config: &Config, headers: &Headers) -> Option<String> {
    let known = |tag: &str| {
        (config.session_expires.is_some() && tag.eq_ignore_ascii_case("timer"))
            || config.supported.iter().any(|known| known.eq_ignore_ascii_case(tag))
    };
    let tags: Vec<&str> = headers.values("Require").filter(|tag| !tag.is_empty() && !known(tag)).collect();
    (!tags.is_empty()).then(|| tags.join(", "))
}

/// A CANCEL, or the ACK of a refusal: same way, same branch, same CSeq number as the INVITE (RFC 3261 §9.1, §17.1.1.3).
fn hop_by_hop(invite: &Request, method: Method, to: &str) -> Request {
    let mut headers = Headers::new();
    if let Some(via) = invite.headers.get("Via") {
        headers.push("Via", via);
    }
    for route in invite.headers.all("Route") {
        headers.push("Route", route);
    }
    headers.push("Max-Forwards", "70");
    headers.push("From", invite.headers.get("From").unwrap_or_default());
    headers.push("To", to);
    headers.push("Call-ID", invite.headers.get("Call-ID").unwrap_or_default());
    let number = invite.headers.get("CSeq").and_then(|cseq| cseq.split_whitespace().next()).unwrap_or("1");
    headers.push("CSeq", &format!("{number} {method}"));
    Request { method, uri: invite.uri.clone(), headers, body: Vec::new() }
}

/// Where the responses to a request go (RFC 3261 §18.2.2, RFC 3581 §4).
///
/// Streams: back over the connection. Datagrams: to the source when the peer asked for that with `rport`, otherwise to the
/// source address and the port it named.
pub(crate) fn response_hop(hop: &Hop, via: &Via) -> Hop {
    let mut back = hop.clone();
    if !hop.transport.is_reliable() && via.rport().is_none() {
        back.remote.set_port(via.sent_by_port.unwrap_or_else(|| hop.transport.default_port()));
    }
    back
}
