//! Sorting what arrives: to its transaction, its call, the outside, or a refusal (RFC 3261 §8.2, §16.3).

use std::sync::Arc;
use std::time::Instant;

use super::Endpoint;
use crate::call::Call;
use crate::call::body::{Sdp, sdp_of};
use crate::call::dialog::parse_tag;
use crate::call::outgoing::end_stray;
use crate::event::Event;
use crate::hop::Hop;
use crate::message::{Malformed, Message, Method, Request, Response, Scheme};
use crate::transaction::key::{ServerKey, merge_key};
use crate::transaction::table::{Owner, response_hop, unsupported};

impl Endpoint {
    /// A message arrived from `hop`.
    pub fn handle_message(&mut self, now: Instant, hop: Hop, message: Message) {
        match message {
            Message::Request(request) => self.handle_request(now, hop, request),
            Message::Response(response) => self.handle_response(now, &hop, response),
        }
    }

    /// Bytes arrived that are no acceptable message: answers them where that is possible.
    pub fn handle_malformed(&mut self, _now: Instant, hop: Hop, malformed: Malformed) {
        let Some(mut response) = malformed.answerable else { return };
        let Ok(mut via) = response.headers.top_via() else { return };
        let back = response_hop(&hop, &via);
        via.set_source(hop.remote);
        response.headers.set_top_via(&via);
        response.headers.add_to_tag(&format!("{:016x}", self.table.random.next_u64()));
        self.table.describe_server(&mut response.headers);
        self.table.transmit(back, Arc::from(response.to_bytes()));
    }

    fn handle_response(&mut self, now: Instant, hop: &Hop, response: Response) {
        let Some((key, owner)) = self.table.receive_response(now, &response) else { return };
        match owner {
            Owner::Nobody => {}
            Owner::Request(id) => self.deliver_response(id, response),
            Owner::Call(id) if self.calls.contains_key(&id) => {
                self.with_call(now, id, |call, table| call.on_response(table, now, key, hop, response));
            }
            Owner::Call(_) => {
                let is_invite = response.headers.cseq().is_ok_and(|cseq| cseq.method == Method::Invite);
                if is_invite && response.is_success() {
                    self.answer_late_success(now, hop, &response);
                }
            }
        }
    }

    /// A 2xx to an INVITE of a call that is over.
    fn answer_late_success(&mut self, now: Instant, hop: &Hop, response: &Response) {
        let Some(tag) = response.headers.from_tag().and_then(parse_tag) else { return };
        let remote_tag = response.headers.to_tag().unwrap_or_default();
        let known = self.tombstones.knows(tag, remote_tag);
        end_stray(&mut self.table, now, hop, response, known);
        if !known {
            let next = self.tombstones.remember(now, tag, remote_tag);
            self.table.timers.set(crate::transaction::key::TimerKey::Tombstones, next);
        }
    }

    fn handle_request(&mut self, now: Instant, hop: Hop, mut request: Request) {
        let Ok(mut via) = request.headers.top_via() else { return };
        let key = ServerKey::of(&request, &via);
        if request.method == Method::Ack {
            if self.table.receive_ack(now, key) {
                self.handle_ack(now, &request);
            }
            return;
        }
        if self.table.absorb_repeated(key) {
            return;
        }
        if self.table.is_overfull() {
            return;
        }
        let back = response_hop(&hop, &via);
        let canceled = (request.method == Method::Cancel).then(|| ServerKey::canceled_by(&request, &via));
        via.set_source(hop.remote);
        request.headers.set_top_via(&via);
        let has_to_tag = request.headers.to_tag().is_some();
        let known = request.headers.to_tag().and_then(parse_tag).and_then(|tag| self.tags.get(&tag).copied());
        // Calls that exist may always be brought to their end; only new work is turned away.
        if known.is_none() && canceled.is_none() && self.table.is_full() {
            return self.refuse_statelessly(&request, back, 503);
        }
        let merge = (!has_to_tag && canceled.is_none()).then(|| merge_key(&request, request.headers.from_tag().unwrap_or_default()));
        if merge.is_some_and(|merge| self.table.is_merged(merge)) {
            return self.refuse_statelessly(&request, back, 482);
        }
        self.table.open_server(now, key, &request.method, back, merge);
        if let Some(call) = known {
            self.table.assign(key, call);
        }
        if let Some(invite) = canceled {
            self.handle_cancel(now, key, invite, &request);
        } else if let Some(call) = known {
            self.with_call(now, call, |call, table| call.on_request(table, now, key, &hop, request));
        } else if has_to_tag {
            self.refuse(now, key, &request, 481, &[]);
        } else {
            self.handle_new_request(now, hop, key, request);
        }
    }

    fn handle_ack(&mut self, now: Instant, request: &Request) {
        let tag = request.headers.to_tag().and_then(parse_tag);
        if let Some(call) = tag.and_then(|tag| self.tags.get(&tag).copied()) {
            self.with_call(now, call, |call, table| call.on_ack(table, now, request));
        }
    }

    fn handle_cancel(&mut self, now: Instant, key: ServerKey, invite: ServerKey, request: &Request) {
        let Some(call) = self.table.call_of(invite) else {
            return self.refuse(now, key, request, 481, &[]);
        };
        let mut response = Response::to_request(request, 200, "");
        let tag = call.and_then(|call| self.calls.get(&call)).map_or_else(|| self.table.random.next_u64(), |call| call.tag);
        response.headers.add_to_tag(&crate::call::dialog::tag_text(tag));
        self.table.respond(now, key, &response);
        if let Some(call) = call {
            self.with_call(now, call, |call, table| call.on_cancel(table, now, invite, &request.headers));
        }
    }

    /// A request outside any dialog.
    fn handle_new_request(&mut self, now: Instant, hop: Hop, key: ServerKey, request: Request) {
        let listed = self.table.config.requests.contains(&request.method);
        let served = listed || matches!(request.method, Method::Invite | Method::Options);
        if !served {
            let (status, allow) = match request.method {
                // These only mean something within a call (RFC 3261 §15.1.2, RFC 3311 §5.2).
                Method::Bye | Method::Update | Method::Info => (481, None),
                ref other => {
                    let (status, allow) = self.table.refusal_of(other);
                    (status, Some(allow))
                }
            };
            let extra: Vec<(&str, &str)> = allow.as_deref().map(|allow| ("Allow", allow)).into_iter().collect();
            return self.refuse(now, key, &request, status, &extra);
        }
        if !matches!(request.uri.scheme, Scheme::Sip | Scheme::Sips | Scheme::Tel) {
            return self.refuse(now, key, &request, 416, &[]);
        }
        if let Some(tags) = unsupported(&self.table.config, &request.headers) {
            return self.refuse(now, key, &request, 420, &[("Unsupported", &tags)]);
        }
        if listed {
            return self.hand_out(hop, key, request);
        }
        if request.method == Method::Options {
            return self.answer_options(now, key, &hop, &request);
        }
        // We pass calls on, so the hop count must not have run out.
        if request.headers.max_forwards() == Ok(Some(0)) {
            return self.refuse(now, key, &request, 483, &[]);
        }
        self.handle_invite(now, hop, key, request);
    }

    fn answer_options(&mut self, now: Instant, key: ServerKey, hop: &Hop, request: &Request) {
        let contact = self.table.contact(hop, None);
        let mut response = self.options_answer(request, &contact);
        response.headers.add_to_tag(&format!("{:016x}", self.table.random.next_u64()));
        self.table.respond(now, key, &response);
    }

    fn handle_invite(&mut self, now: Instant, hop: Hop, key: ServerKey, request: Request) {
        // The transaction of this very INVITE has been let in already.
        if self.calls.len() >= self.table.config.calls_max {
            let wait = self.table.config.overload_retry_after.as_secs().to_string();
            return self.refuse(now, key, &request, 503, &[("Retry-After", &wait)]);
        }
        let sdp = match sdp_of(&request.headers, &request.body) {
            Sdp::Present(sdp) => Some(sdp),
            Sdp::Absent => None,
            Sdp::Unsupported => {
                let accept = [("Accept", "application/sdp, multipart/mixed"), ("Accept-Encoding", "identity")];
                return self.refuse(now, key, &request, 415, &accept);
            }
        };
        let (id, tag) = self.next_call();
        let request = Arc::new(request);
        let Some(mut call) = Call::receive(&mut self.table, now, id, tag, key, &hop, &request) else {
            return self.refuse(now, key, &request, 400, &[]);
        };
        if let Err(min_se_s) = call.check_session(&self.table, &request) {
            return self.refuse(now, key, &request, 422, &[("Min-SE", &min_se_s.to_string())]);
        }
        self.table.assign(key, id);
        self.calls.insert(id, call);
        self.tags.insert(tag, id);
        self.table.emit(Event::Incoming { call: id, hop, request, sdp });
        self.settle(now, id);
    }

    fn refusal(&mut self, request: &Request, status: u16, extra: &[(&str, &str)]) -> Response {
        let mut response = Response::to_request(request, status, "");
        response.headers.add_to_tag(&format!("{:016x}", self.table.random.next_u64()));
        for (name, value) in extra {
            response.headers.push(name, value);
        }
        self.table.describe_server(&mut response.headers);
        response
    }

    fn refuse(&mut self, now: Instant, key: ServerKey, request: &Request, status: u16, extra: &[(&str, &str)]) {
        let response = self.refusal(request, status, extra);
        self.table.respond(now, key, &response);
    }

    /// Refuses without a transaction; the ACK that may follow is dropped like every unknown one.
    fn refuse_statelessly(&mut self, request: &Request, back: Hop, status: u16) {
        let wait = self.table.config.overload_retry_after.as_secs().to_string();
        let extra: &[(&str, &str)] = if status == 503 { &[("Retry-After", &wait)] } else { &[] };
        let response = self.refusal(request, status, extra);
        self.table.transmit(back, Arc::from(response.to_bytes()));
    }
}
