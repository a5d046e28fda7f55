//! Those who answer: at one address that the peer routes to, or at the telephones of agents who signed in.
//!
//! An agent has one telephone and takes one call at a time; a second offer is refused and counted as the peer's error. An
//! address without agents takes every call.

use super::{
    LINGER, T2,
    caller::{ALLOW, CALLS_MAX},
    dialog::Dialog,
    next_repeat,
    outbox::{Outbox, Side},
    scenario::HangUp,
    session::{self, Remote},
};
use crate::{audio::StreamId, timers::Timer};
use dreiklang_sip::message::{Method, Request, Response, Uri};
use std::{collections::HashMap, net::SocketAddr, sync::Arc};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Offered, not answered.
    Ringing,
    /// Answered, the ACK is missing.
    Answered,
    /// In conversation.
    Up,
    /// BYE sent.
    Leaving,
    /// Over.
    Over,
}

struct Leg {
    state: State,
    call_id: String,
    /// The agent it was offered to.
    agent: Option<usize>,
    /// The caller's call.
    call: Option<u64>,
    invite: Request,
    invite_cseq: u32,
    source: SocketAddr,
    own: Uri,
    tag: String,
    remote: Option<Remote>,
    /// The last answer, or our BYE: what is repeated.
    pending: Arc<[u8]>,
    pending_cseq: u32,
    repeats: u32,
    dialog: Option<Dialog>,
    stream: StreamId,
}

/// What the callers have to know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum News {
    /// This call arrived.
    Arrived(u64),
    /// This call's answerer is in conversation.
    Met(u64),
}

/// All who answer.
pub struct Answerers {
    legs: HashMap<u64, Leg>,
    by_call_id: HashMap<String, u64>,
    next: u64,
    /// Per agent: the leg in progress. Empty without agents.
    agents: Vec<Option<u64>>,
    agent_by_user: HashMap<String, usize>,
    /// Legs in conversation or on the way there.
    pub live: usize,
}

impl Answerers {
    /// Answerers with these user names; none = every call is taken.
    pub fn new(users: Vec<String>) -> Answerers {
        let agents = vec![None; users.len()];
        let agent_by_user = users.into_iter().enumerate().map(|(index, user)| (user, index)).collect();
        Answerers { legs: HashMap::new(), by_call_id: HashMap::new(), next: 0, agents, agent_by_user, live: 0 }
    }

    /// A request of the peer. `started` = calls begun so far.
    pub fn on_request(&mut self, io: &mut Outbox, request: &Request, from: SocketAddr, started: u64) -> Option<News> {
        let known = request.headers.call_id().ok().and_then(|id| self.by_call_id.get(id).copied());
        match (&request.method, known) {
            (Method::Invite, None) => return self.on_offer(io, request, from, started),
            (Method::Invite, Some(leg)) => self.on_invite_again(io, leg, request, from),
            (Method::Ack, Some(leg)) => return self.on_ack(io, leg, request),
            (Method::Ack, None) => {}
            (Method::Bye, Some(leg)) => {
                respond(io, request, from, 200);
                self.end(io, leg);
            }
            (Method::Cancel, Some(leg)) => self.on_cancel(io, leg, request, from),
            (Method::Update, Some(leg)) => self.on_update(io, leg, request, from),
            (Method::Bye | Method::Cancel | Method::Update, None) => respond(io, request, from, 481),
            (Method::Options | Method::Info | Method::Notify | Method::Message, _) => respond(io, request, from, 200),
            _ => respond(io, request, from, 501),
        }
        None
    }

    fn on_offer(&mut self, io: &mut Outbox, request: &Request, from: SocketAddr, started: u64) -> Option<News> {
        if request.headers.to_tag().is_some() {
            respond(io, request, from, 481);
            return None;
        }
        if self.legs.len() >= CALLS_MAX {
            respond(io, request, from, 503);
            return None;
        }
        let user = request.uri.user_unescaped().unwrap_or_default();
        let agent = self.agent_by_user.get(&user).copied();
        if agent.is_none() && !self.agents.is_empty() {
            respond(io, request, from, 404);
            return None;
        }
        if agent.is_some_and(|agent| self.agents[agent].is_some()) {
            io.tally.double_offers += 1;
            respond(io, request, from, 486);
            return None;
        }
        let remote = session::read(&request.body);
        if remote.is_none() && !request.body.is_empty() {
            respond(io, request, from, 488);
            return None;
        }
        let call = caller_of(io, request, started);
        io.tally.unmatched += u64::from(call.is_none());
        let number = self.next;
        self.next += 1;
        let scenario = io.scenario.clone();
        let tag = format!("{number:x}a{}", scenario.run);
        let own_ip = scenario.answer_address.ip();
        let own = Uri::sip(Some(&user), own_ip, Some(scenario.answer_address.port()));
        let call_id = request.headers.call_id().unwrap_or_default().to_owned();
        let stream = io.audio.reserve();
        let leg = Leg {
            state: State::Ringing,
            call_id: call_id.clone(),
            agent,
            call,
            invite_cseq: request.headers.cseq_number().unwrap_or_default(),
            source: from,
            dialog: Dialog::of_answerer(&request.headers, &tag, &own, from),
            own,
            tag,
            remote,
            invite: request.clone(),
            pending: Arc::from([]),
            pending_cseq: 0,
            repeats: 0,
            stream,
        };
        self.legs.insert(number, leg);
        self.by_call_id.insert(call_id, number);
        self.live += 1;
        if let Some(agent) = agent {
            self.agents[agent] = Some(number);
        }
        if scenario.ring == 0 {
            self.answer(io, number);
        } else {
            self.send_response(io, number, 180, None);
            io.after(scenario.ring, Timer::LegAnswer(number));
        }
        call.map(News::Arrived)
    }

    /// Sends a response to the leg's present INVITE and keeps it for repetitions.
    fn send_response(&mut self, io: &mut Outbox, number: u64, status: u16, body: Option<Vec<u8>>) {
        let Some(leg) = self.legs.get_mut(&number) else { return };
        let mut response = Response::to_request(&leg.invite, status, "");
        for route in leg.invite.headers.all("Record-Route") {
            response.headers.push("Record-Route", route);
        }
        response.headers.add_to_tag(&leg.tag);
        response.headers.push("Contact", &format!("<{}>", leg.own));
        if let Some(body) = body {
            response.headers.push("Allow", ALLOW);
            session::mark(&mut response.headers);
            response.body = body;
        }
        leg.pending = response.to_bytes().into();
        leg.pending_cseq = leg.invite_cseq;
        io.send(Side::Answerer, leg.source, leg.pending.clone());
    }

    fn answer(&mut self, io: &mut Outbox, number: u64) {
        let Some(leg) = self.legs.get_mut(&number) else { return };
        let own = io.audio.address(leg.stream);
        let body = leg.remote.as_ref().map_or_else(|| session::offer(own), |remote| session::answer(own, remote));
        leg.state = State::Answered;
        leg.repeats = 0;
        let cseq = leg.invite_cseq;
        self.send_response(io, number, 200, Some(body));
        io.after(next_repeat(0, T2).unwrap_or(T2), Timer::LegRepeat { leg: number, cseq });
    }

    /// A repeated INVITE gets the same response again; a new one in the call gets an answer of its own.
    fn on_invite_again(&mut self, io: &mut Outbox, number: u64, request: &Request, from: SocketAddr) {
        let Some(leg) = self.legs.get_mut(&number) else { return };
        let cseq = request.headers.cseq_number().unwrap_or_default();
        if cseq == leg.invite_cseq {
            io.tally.repeats_seen += 1;
            if !leg.pending.is_empty() && leg.pending_cseq == cseq {
                io.send(Side::Answerer, leg.source, leg.pending.clone());
            }
            return;
        }
        if leg.state != State::Up && leg.state != State::Answered {
            respond(io, request, from, 481);
            return;
        }
        let remote = session::read(&request.body);
        if remote.is_none() && !request.body.is_empty() {
            respond(io, request, from, 488);
            return;
        }
        if let Some(remote) = &remote {
            io.audio.connect(leg.stream, remote.address);
        }
        leg.remote = remote;
        leg.invite = request.clone();
        leg.invite_cseq = cseq;
        leg.source = from;
        let own = io.audio.address(leg.stream);
        let body = leg.remote.as_ref().map_or_else(|| session::offer(own), |remote| session::answer(own, remote));
        // The peer repeats its INVITE should this answer be lost; the state does not change.
        self.send_response(io, number, 200, Some(body));
    }

    fn on_update(&mut self, io: &mut Outbox, number: u64, request: &Request, from: SocketAddr) {
        let Some(leg) = self.legs.get(&number).filter(|leg| leg.state != State::Over) else {
            respond(io, request, from, 481);
            return;
        };
        let mut response = Response::to_request(request, 200, "");
        if let Some(remote) = session::read(&request.body) {
            io.audio.connect(leg.stream, remote.address);
            session::mark(&mut response.headers);
            response.body = session::answer(io.audio.address(leg.stream), &remote);
        }
        response.headers.push("Contact", &format!("<{}>", leg.own));
        io.send(Side::Answerer, from, response.to_bytes());
    }

    fn on_ack(&mut self, io: &mut Outbox, number: u64, request: &Request) -> Option<News> {
        let leg = self.legs.get_mut(&number)?;
        if leg.state != State::Answered {
            return None;
        }
        leg.state = State::Up;
        // An INVITE without an offer is answered with one, and the ACK brings the answer to it.
        let remote = session::read(&request.body).or_else(|| leg.remote.clone());
        if let Some(remote) = remote {
            io.audio.connect(leg.stream, remote.address);
        }
        let call = leg.call;
        if io.scenario.hang_up == HangUp::Answerer {
            io.after(io.scenario.hold, Timer::LegHangUp(number));
        }
        call.map(News::Met)
    }

    fn on_cancel(&mut self, io: &mut Outbox, number: u64, request: &Request, from: SocketAddr) {
        respond(io, request, from, 200);
        if self.legs.get(&number).is_some_and(|leg| leg.state == State::Ringing) {
            self.send_response(io, number, 487, None);
            self.end(io, number);
        }
    }

    /// A response to our BYE.
    pub fn on_response(&mut self, io: &mut Outbox, response: &Response) {
        let known = response.headers.call_id().ok().and_then(|id| self.by_call_id.get(id).copied());
        let Some(number) = known else { return };
        let is_leaving = self.legs.get(&number).is_some_and(|leg| leg.state == State::Leaving);
        if is_leaving && !response.is_provisional() {
            self.end(io, number);
        }
    }

    fn leave(&mut self, io: &mut Outbox, number: u64) {
        let scenario = io.scenario.clone();
        let Some(leg) = self.legs.get_mut(&number).filter(|leg| matches!(leg.state, State::Answered | State::Up)) else { return };
        let Some(dialog) = &mut leg.dialog else { return };
        dialog.cseq += 1;
        let cseq = dialog.cseq;
        let branch = format!("{}l{number:x}q{cseq}", scenario.run);
        leg.pending = dialog.request(Method::Bye, cseq, scenario.answer_address, &branch).to_bytes().into();
        leg.pending_cseq = cseq;
        leg.state = State::Leaving;
        leg.repeats = 0;
        io.audio.release(leg.stream);
        io.send(Side::Answerer, dialog.destination, leg.pending.clone());
        io.after(next_repeat(0, T2).unwrap_or(T2), Timer::LegRepeat { leg: number, cseq });
    }

    fn end(&mut self, io: &mut Outbox, number: u64) {
        let Some(leg) = self.legs.get_mut(&number).filter(|leg| leg.state != State::Over) else { return };
        leg.state = State::Over;
        // From here on only repetitions are answered.
        leg.invite = Request::new(Method::Invite, leg.own.clone());
        if let Some(agent) = leg.agent {
            self.agents[agent] = None;
        }
        self.live -= 1;
        io.audio.release(leg.stream);
        io.after(LINGER, Timer::LegForget(number));
    }

    /// A timer of a leg fired.
    pub fn on_time(&mut self, io: &mut Outbox, timer: Timer) {
        match timer {
            Timer::LegAnswer(number) if self.legs.get(&number).is_some_and(|leg| leg.state == State::Ringing) => self.answer(io, number),
            Timer::LegHangUp(number) => self.leave(io, number),
            Timer::LegForget(number) => {
                if let Some(leg) = self.legs.remove(&number) {
                    self.by_call_id.remove(&leg.call_id);
                }
            }
            Timer::LegRepeat { leg, cseq } => self.repeat(io, leg, cseq),
            _ => {}
        }
    }

    fn repeat(&mut self, io: &mut Outbox, number: u64, cseq: u32) {
        let Some(leg) = self.legs.get_mut(&number).filter(|leg| leg.pending_cseq == cseq) else { return };
        let to = match (leg.state, &leg.dialog) {
            (State::Answered, _) => leg.source,
            (State::Leaving, Some(dialog)) => dialog.destination,
            _ => return,
        };
        leg.repeats += 1;
        match next_repeat(leg.repeats, T2) {
            Some(delay) => {
                io.tally.repeats_sent += 1;
                io.send(Side::Answerer, to, leg.pending.clone());
                io.after(delay, Timer::LegRepeat { leg: number, cseq });
            }
            // Nobody acknowledged the answer: the call is ended as the standard asks (RFC 3261 §13.3.1.4).
            None if leg.state == State::Answered => self.leave(io, number),
            None => self.end(io, number),
        }
    }
}

/// The call that an offer belongs to, from the number it shows.
fn caller_of(io: &Outbox, request: &Request, started: u64) -> Option<u64> {
    let from = request.headers.from().ok().and_then(|from| from.uri.user_unescaped());
    let asserted = request.headers.get("P-Asserted-Identity").and_then(|value| dreiklang_sip::message::NameAddr::parse(value).ok());
    let asserted = asserted.and_then(|identity| identity.uri.user_unescaped());
    [from, asserted].into_iter().flatten().find_map(|number| io.scenario.call_of_number(&number, started))
}

fn respond(io: &mut Outbox, request: &Request, to: SocketAddr, status: u16) {
    let mut response = Response::to_request(request, status, "");
    if response.headers.to_tag().is_none() {
        response.headers.add_to_tag(&format!("x{}", io.scenario.run));
    }
    io.send(Side::Answerer, to, response.to_bytes());
}
