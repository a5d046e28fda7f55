//! Those who call: INVITE, ACK, a while of talking, BYE (RFC 3261 §13.2, §15, §17.1).
//!
//! Left out on purpose: early media, reliable provisional responses, session timers, several answers from forked requests (the
//! first counts). Responses to the peer's requests go to where those came from.

use super::{
    LINGER, T2,
    dialog::Dialog,
    next_repeat,
    outbox::{Outbox, Side},
    scenario::HangUp,
    session,
};
use crate::{
    audio::StreamId,
    timers::{Nanos, Timer},
};
use dreiklang_sip::{
    digest,
    message::{BRANCH_COOKIE, CSeq, Headers, Method, Request, Response, Uri},
};
use std::{collections::HashMap, net::SocketAddr, sync::Arc};

/// Calls at the same time, ended ones that are still remembered included; some 2 kB each.
pub const CALLS_MAX: usize = 200_000;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// INVITE sent, no final answer.
    Inviting,
    /// CANCEL sent.
    Cancelling,
    /// Answered.
    Up,
    /// BYE sent.
    Leaving,
    /// Over, whatever came of it.
    Over,
}

struct Call {
    state: State,
    /// It began in the measured part of the step.
    measured: bool,
    began: Nanos,
    left: Nanos,
    answered: bool,
    /// The answerer is in conversation too.
    met: bool,
    connected: bool,
    heard_anything: bool,
    counted: bool,
    challenged: bool,
    cseq: u32,
    repeats: u32,
    /// The request that is repeated.
    pending: Arc<[u8]>,
    /// Repeated when the answer is.
    ack: Option<Arc<[u8]>>,
    dialog: Option<Dialog>,
    stream: StreamId,
}

/// All callers.
pub struct Callers {
    calls: HashMap<u64, Call>,
    /// Calls begun, which is also the next number.
    pub started: u64,
    /// Calls that are not over.
    pub live: usize,
    /// Calls of the present step that are neither completed nor failed.
    pub open: usize,
    target: Uri,
}

impl Callers {
    /// Nobody has called yet.
    pub fn new(target: Uri) -> Callers {
        Callers { calls: HashMap::new(), started: 0, live: 0, open: 0, target }
    }

    /// The call of a Call-ID of ours.
    fn number_of(call_id: &str, run: &str) -> Option<u64> {
        let (number, rest) = call_id.split_once('-')?;
        rest.strip_suffix("@bench").filter(|found| *found == run)?;
        u64::from_str_radix(number, 16).ok()
    }

    /// Begins a call; `None` when too many are up.
    pub fn begin(&mut self, io: &mut Outbox, measured: bool) -> Option<u64> {
        if self.calls.len() >= CALLS_MAX {
            io.tally.held_back += u64::from(measured);
            return None;
        }
        let number = self.started;
        self.started += 1;
        let stream = io.audio.reserve();
        let invite = self.invite(io, number, 1, stream);
        let pending: Arc<[u8]> = invite.to_bytes().into();
        let call = Call {
            state: State::Inviting,
            measured,
            began: io.now,
            left: 0,
            answered: false,
            met: false,
            connected: false,
            heard_anything: false,
            counted: false,
            challenged: false,
            cseq: 1,
            repeats: 0,
            pending: pending.clone(),
            ack: None,
            dialog: None,
            stream,
        };
        self.calls.insert(number, call);
        self.live += 1;
        self.open += 1;
        io.tally.offered += u64::from(measured);
        io.send(Side::Caller, io.scenario.peer, pending);
        io.after(next_repeat(0, Nanos::MAX).unwrap_or(T2), Timer::CallRepeat { call: number, cseq: 1 });
        io.after(io.scenario.patience, Timer::CallGiveUp(number));
        Some(number)
    }

    fn invite(&self, io: &Outbox, number: u64, cseq: u32, stream: StreamId) -> Request {
        let scenario = &io.scenario;
        let (own, user) = (scenario.caller_address, scenario.caller_number(number));
        let run = &scenario.run;
        let mut headers = Headers::with_capacity(640, 12);
        headers.push("Via", &format!("SIP/2.0/UDP {own};branch={BRANCH_COOKIE}{};rport", branch(run, number, cseq)));
        headers.push("Max-Forwards", "70");
        headers.push("From", &format!("<sip:{user}@{}>;tag={number:x}c{run}", own.ip()));
        headers.push("To", &format!("<{}>", self.target));
        headers.push("Call-ID", &format!("{number:x}-{run}@bench"));
        headers.push("CSeq", &format!("{cseq} INVITE"));
        headers.push("Contact", &format!("<sip:{user}@{own}>"));
        headers.push("Allow", ALLOW);
        session::mark(&mut headers);
        let body = session::offer(io.audio.address(stream));
        Request { method: Method::Invite, uri: self.target.clone(), headers, body }
    }

    /// A response to one of our requests.
    pub fn on_response(&mut self, io: &mut Outbox, response: &Response) {
        let headers = &response.headers;
        let number = headers.call_id().ok().and_then(|id| Self::number_of(id, &io.scenario.run));
        let Some((number, call)) = number.and_then(|number| Some((number, self.calls.get_mut(&number)?))) else { return };
        let Ok(cseq) = headers.cseq() else { return };
        match cseq.method {
            Method::Invite => {
                call.heard_anything = true;
                if response.is_success() {
                    self.on_answer(io, number, response, &cseq);
                } else if !response.is_provisional() {
                    self.on_refusal(io, number, response, &cseq);
                }
            }
            Method::Bye if call.state == State::Leaving && !response.is_provisional() && cseq.number == call.cseq => {
                if call.measured {
                    io.tally.goodbye.record(io.now - call.left);
                }
                // A peer that answered the first BYE may have forgotten the call when a repetition of it arrives.
                let is_over = response.is_success() || (response.status == 481 && call.repeats > 0);
                let cause = (!is_over).then(|| format!("BYE {}", response.status));
                self.end(io, number, cause.as_deref());
            }
            _ => {}
        }
    }

    fn on_answer(&mut self, io: &mut Outbox, number: u64, response: &Response, cseq: &CSeq) {
        let Some(call) = self.calls.get_mut(&number) else { return };
        if let (Some(ack), Some(dialog)) = (&call.ack, &call.dialog) {
            io.tally.repeats_seen += 1;
            io.send(Side::Caller, dialog.destination, ack.clone());
            return;
        }
        let Some(dialog) = Dialog::of_caller(&response.headers, &self.target, call.cseq, io.scenario.peer) else { return };
        let scenario = io.scenario.clone();
        let ack =
            dialog.request(Method::Ack, cseq.number, scenario.caller_address, &format!("{}a", branch(&scenario.run, number, cseq.number)));
        let ack: Arc<[u8]> = ack.to_bytes().into();
        io.send(Side::Caller, dialog.destination, ack.clone());
        call.ack = Some(ack);
        call.dialog = Some(dialog);
        let is_late = call.state != State::Inviting;
        call.state = State::Up;
        if is_late {
            // The answer crossed our CANCEL, or came after we had given up: it still has to be ended.
            self.leave(io, number);
            return;
        }
        call.answered = true;
        if call.measured {
            io.tally.answered += 1;
            io.tally.answer.record(io.now - call.began);
        }
        match session::read(&response.body) {
            Some(remote) => io.audio.connect(call.stream, remote.address),
            None => {
                self.count(io, number, Some("no usable audio in the answer"));
                self.leave(io, number);
                return;
            }
        }
        if scenario.connected_on_answer {
            call.met = true;
        }
        self.check_connected(io, number);
    }

    /// The one who answered is in conversation.
    pub fn on_met(&mut self, io: &mut Outbox, number: u64) {
        if let Some(call) = self.calls.get_mut(&number) {
            call.met = true;
            self.check_connected(io, number);
        }
    }

    /// The call has arrived at the one who answers.
    pub fn on_arrival(&mut self, io: &mut Outbox, number: u64) {
        if let Some(call) = self.calls.get(&number).filter(|call| call.measured) {
            io.tally.arrival.record(io.now - call.began);
        }
    }

    fn check_connected(&mut self, io: &mut Outbox, number: u64) {
        let Some(call) = self.calls.get_mut(&number) else { return };
        if call.connected || !call.met || !call.answered || call.state != State::Up {
            return;
        }
        call.connected = true;
        if call.measured {
            io.tally.connected += 1;
            io.tally.connect.record(io.now - call.began);
        }
        if io.scenario.hang_up == HangUp::Caller {
            if io.scenario.hold == 0 {
                self.leave(io, number);
            } else {
                io.after(io.scenario.hold, Timer::CallHangUp(number));
            }
        }
    }

    fn on_refusal(&mut self, io: &mut Outbox, number: u64, response: &Response, cseq: &CSeq) {
        let Some(call) = self.calls.get_mut(&number) else { return };
        // The ACK of a refusal belongs to the INVITE: same branch, same address, no routes (RFC 3261 §17.1.1.3).
        let scenario = io.scenario.clone();
        let mut headers = Headers::with_capacity(384, 7);
        let own_branch = branch(&scenario.run, number, cseq.number);
        headers.push("Via", &format!("SIP/2.0/UDP {};branch={BRANCH_COOKIE}{own_branch};rport", scenario.caller_address));
        headers.push("Max-Forwards", "70");
        for name in ["From", "To", "Call-ID"] {
            headers.push(name, response.headers.get(name).unwrap_or_default());
        }
        headers.push("CSeq", &format!("{} ACK", cseq.number));
        let ack = Request { method: Method::Ack, uri: self.target.clone(), headers, body: Vec::new() };
        io.send(Side::Caller, scenario.peer, ack.to_bytes());
        if cseq.number != call.cseq || !matches!(call.state, State::Inviting | State::Cancelling) {
            io.tally.repeats_seen += 1;
            return;
        }
        if let (401 | 407, Some(credentials), false, State::Inviting) =
            (response.status, &scenario.caller_credentials, call.challenged, call.state)
        {
            call.challenged = true;
            let (stream, cseq) = (call.stream, call.cseq + 1);
            let mut again = self.invite(io, number, cseq, stream);
            if digest::authorize(&mut again, response, credentials, &format!("{number:x}{}", scenario.run)) {
                let Some(call) = self.calls.get_mut(&number) else { return };
                call.cseq = cseq;
                call.repeats = 0;
                call.heard_anything = false;
                call.pending = again.to_bytes().into();
                io.send(Side::Caller, scenario.peer, call.pending.clone());
                io.after(next_repeat(0, Nanos::MAX).unwrap_or(T2), Timer::CallRepeat { call: number, cseq });
                return;
            }
        }
        self.end(io, number, Some(&response.status.to_string()));
    }

    /// Hangs up: BYE when answered, CANCEL when ringing.
    pub fn leave(&mut self, io: &mut Outbox, number: u64) {
        let Some(call) = self.calls.get_mut(&number) else { return };
        let scenario = io.scenario.clone();
        io.audio.release(call.stream);
        match (call.state, &mut call.dialog) {
            (State::Up, Some(dialog)) => {
                dialog.cseq += 1;
                let cseq = dialog.cseq;
                let bye = dialog.request(Method::Bye, cseq, scenario.caller_address, &branch(&scenario.run, number, cseq));
                call.pending = bye.to_bytes().into();
                call.cseq = cseq;
                call.state = State::Leaving;
                call.repeats = 0;
                call.left = io.now;
                io.send(Side::Caller, dialog.destination, call.pending.clone());
                io.after(next_repeat(0, T2).unwrap_or(T2), Timer::CallRepeat { call: number, cseq });
            }
            (State::Inviting, _) if call.heard_anything => {
                call.state = State::Cancelling;
                let cancel = self.cancel(io, number);
                io.send(Side::Caller, scenario.peer, cancel.to_bytes());
                // The peer has as long to say 487 as it had to answer; then it is forgotten.
                io.after(super::TRANSACTION_LIMIT, Timer::CallGiveUp(number));
            }
            (State::Inviting, _) => self.end(io, number, Some("no reply")),
            _ => {}
        }
    }

    fn cancel(&self, io: &Outbox, number: u64) -> Request {
        let Some(call) = self.calls.get(&number) else { return Request::new(Method::Cancel, self.target.clone()) };
        let mut cancel = self.invite(io, number, call.cseq, call.stream);
        cancel.method = Method::Cancel;
        cancel.headers.set("CSeq", &format!("{} CANCEL", call.cseq));
        for name in ["Contact", "Allow", "Content-Type"] {
            cancel.headers.remove(name);
        }
        cancel.body.clear();
        cancel
    }

    /// A request of the peer within or outside a call.
    pub fn on_request(&mut self, io: &mut Outbox, request: &Request, from: SocketAddr) {
        let number = request.headers.call_id().ok().and_then(|id| Self::number_of(id, &io.scenario.run));
        let call = number.and_then(|number| self.calls.get_mut(&number));
        let respond = |io: &mut Outbox, status: u16, body: Option<Vec<u8>>| {
            let mut response = Response::to_request(request, status, "");
            if let Some(body) = body {
                response.headers.push("Contact", &format!("<sip:bench@{}>", io.scenario.caller_address));
                session::mark(&mut response.headers);
                response.body = body;
            }
            io.send(Side::Caller, from, response.to_bytes());
        };
        match (&request.method, call) {
            (Method::Ack, _) => {}
            (Method::Bye, Some(call)) => {
                respond(io, 200, None);
                let (is_over, by_plan) = (call.state == State::Over, call.connected && io.scenario.hang_up == HangUp::Answerer);
                let crossed = call.state == State::Leaving;
                if let (false, Some(number)) = (is_over, number) {
                    self.end(io, number, (!by_plan && !crossed).then_some("hung up by the peer"));
                }
            }
            (Method::Invite | Method::Update, Some(call)) if call.state != State::Over => {
                let own = io.audio.address(call.stream);
                let body = match session::read(&request.body) {
                    Some(remote) => {
                        io.audio.connect(call.stream, remote.address);
                        Some(session::answer(own, &remote))
                    }
                    None if !request.body.is_empty() => return respond(io, 488, None),
                    None => (request.method == Method::Invite).then(|| session::offer(own)),
                };
                respond(io, 200, body);
            }
            (Method::Bye | Method::Invite | Method::Update | Method::Cancel, _) => respond(io, 481, None),
            (Method::Options | Method::Info | Method::Notify | Method::Message, _) => respond(io, 200, None),
            _ => respond(io, 501, None),
        }
    }

    /// A timer of a call fired.
    pub fn on_time(&mut self, io: &mut Outbox, timer: Timer) {
        match timer {
            Timer::CallRepeat { call: number, cseq } => self.repeat(io, number, cseq),
            Timer::CallHangUp(number) if self.calls.get(&number).is_some_and(|call| call.state == State::Up) => self.leave(io, number),
            Timer::CallGiveUp(number) => {
                let Some(call) = self.calls.get(&number) else { return };
                let cause = match call.state {
                    State::Inviting if call.heard_anything => "no answer",
                    State::Inviting => "no reply",
                    State::Up if !call.connected => "answered but not put through",
                    State::Cancelling => return self.end(io, number, Some("no answer to CANCEL")),
                    _ => return,
                };
                self.count(io, number, Some(cause));
                self.leave(io, number);
            }
            Timer::CallForget(number) => {
                self.calls.remove(&number);
            }
            _ => {}
        }
    }

    fn repeat(&mut self, io: &mut Outbox, number: u64, cseq: u32) {
        let Some(call) = self.calls.get_mut(&number).filter(|call| call.cseq == cseq) else { return };
        let (longest, to) = match call.state {
            State::Inviting if !call.heard_anything => (Nanos::MAX, io.scenario.peer),
            State::Leaving => (T2, call.dialog.as_ref().map_or(io.scenario.peer, |dialog| dialog.destination)),
            _ => return,
        };
        call.repeats += 1;
        match next_repeat(call.repeats, longest) {
            Some(delay) => {
                io.tally.repeats_sent += 1;
                io.send(Side::Caller, to, call.pending.clone());
                io.after(delay, Timer::CallRepeat { call: number, cseq });
            }
            None => {
                let cause = if call.state == State::Leaving { "BYE unanswered" } else { "no reply" };
                self.end(io, number, Some(cause));
            }
        }
    }

    /// Decides what came of a call, once.
    fn count(&mut self, io: &mut Outbox, number: u64, cause: Option<&str>) {
        let Some(call) = self.calls.get_mut(&number).filter(|call| !call.counted) else { return };
        call.counted = true;
        self.open = self.open.saturating_sub(1);
        if call.measured {
            match cause {
                Some(cause) => io.tally.fail(cause),
                None => io.tally.completed += 1,
            }
        }
    }

    fn end(&mut self, io: &mut Outbox, number: u64, cause: Option<&str>) {
        self.count(io, number, cause);
        let Some(call) = self.calls.get_mut(&number).filter(|call| call.state != State::Over) else { return };
        call.state = State::Over;
        // Only the ACK may be asked for again.
        call.pending = Arc::from([]);
        self.live -= 1;
        io.audio.release(call.stream);
        io.after(LINGER, Timer::CallForget(number));
    }

    /// Ends every call; those of the present step that are open have failed with `cause`.
    pub fn end_all(&mut self, io: &mut Outbox, cause: &str) {
        let all: Vec<u64> =
            self.calls.iter().filter(|(_, call)| matches!(call.state, State::Inviting | State::Up)).map(|(number, _)| *number).collect();
        for number in all {
            self.count(io, number, Some(cause));
            self.leave(io, number);
        }
    }

    /// Ends up to `count` calls; false when there was none left.
    pub fn end_some(&mut self, io: &mut Outbox, count: usize) -> bool {
        let some: Vec<u64> = self
            .calls
            .iter()
            .filter(|(_, call)| matches!(call.state, State::Inviting | State::Up))
            .map(|(number, _)| *number)
            .take(count)
            .collect();
        for number in &some {
            self.leave(io, *number);
        }
        !some.is_empty()
    }

    /// A new step begins: calls that linger from the last one are not counted any more.
    pub fn begin_step(&mut self) {
        self.open = 0;
        for call in self.calls.values_mut() {
            call.measured = false;
            call.counted = true;
        }
    }

    /// Calls in conversation.
    pub fn connected(&self) -> usize {
        self.calls.values().filter(|call| call.connected && call.state == State::Up).count()
    }
}

/// What we take.
pub const ALLOW: &str = "INVITE, ACK, CANCEL, BYE, OPTIONS, UPDATE, INFO, NOTIFY";

fn branch(run: &str, number: u64, cseq: u32) -> String {
    format!("{run}c{number:x}q{cseq}")
}
