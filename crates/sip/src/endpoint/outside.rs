//! Requests that belong to no call: ours, and those of peers that the configuration lets through.

use std::sync::Arc;
use std::time::Instant;

use super::Endpoint;
use crate::event::{Event, RequestFailed, RequestId};
use crate::hop::Hop;
use crate::message::{Request, Response};
use crate::transaction::key::ServerKey;
use crate::transaction::table::{Failure, Owner};

impl Endpoint {
    /// Sends a request outside calls; [`Event::Response`] brings the outcome. Not for INVITE, ACK and CANCEL.
    ///
    /// Via is always added; CSeq, Call-ID, Max-Forwards and the From tag only where they are missing.
    pub fn request(&mut self, now: Instant, mut request: Request, hop: Hop) -> RequestId {
        self.last_request += 1;
        let id = RequestId(self.last_request);
        if self.table.is_full() {
            self.table.emit(Event::Response { id, result: Err(RequestFailed::Overloaded) });
            return id;
        }
        let headers = &mut request.headers;
        headers.remove("Via");
        if !headers.contains("Max-Forwards") {
            headers.push("Max-Forwards", "70");
        }
        if !headers.contains("From") {
            let from = self.table.contact(&hop, None);
            headers.push("From", &from);
        }
        if headers.from_tag().is_none() {
            let from = format!("{};tag={:016x}", headers.get("From").unwrap_or_default(), self.table.random.next_u64());
            headers.set("From", &from);
        }
        if !headers.contains("To") {
            let to = format!("<{}>", request.uri);
            headers.push("To", &to);
        }
        if !headers.contains("Call-ID") {
            let call_id = format!("{:016x}{:016x}", self.table.random.next_u64(), self.table.random.next_u64());
            headers.push("Call-ID", &call_id);
        }
        if !headers.contains("CSeq") {
            let cseq = format!("1 {}", request.method);
            headers.push("CSeq", &cseq);
        }
        if !headers.contains("User-Agent") {
            self.table.describe_self(headers);
        }
        self.table.send(now, request, hop, Owner::Request(id));
        id
    }

    /// Answers an [`Event::Request`]. The response may be built with [`Response::to_request`]; a To tag is added where it
    /// is missing. A final response closes the request, and so do 32 s without one.
    pub fn respond(&mut self, now: Instant, id: RequestId, mut response: Response) {
        let Some(server) = self.open_requests.get(&id).copied() else { return };
        if response.status > 100 {
            response.headers.add_to_tag(&format!("{:016x}", self.table.random.next_u64()));
        }
        if !response.headers.contains("Server") {
            self.table.describe_server(&mut response.headers);
        }
        if response.status >= 200 {
            self.open_requests.remove(&id);
        }
        self.table.respond(now, server, &response);
    }

    /// What we can do: the answer to an OPTIONS that was handed out, for [`Endpoint::respond`]. `contact` is a whole value.
    #[must_use]
    pub fn options_answer(&self, request: &Request, contact: &str) -> Response {
        let mut response = Response::to_request(request, 200, "");
        response.headers.push("Contact", contact);
        response.headers.push("Accept", "application/sdp");
        self.table.describe_abilities(&mut response.headers);
        self.table.describe_server(&mut response.headers);
        response
    }

    /// Our Contact as peers at this hop know it, as a whole value.
    #[must_use]
    pub fn contact_for(&self, hop: &Hop) -> String {
        self.table.contact(hop, None)
    }

    /// Leaves an [`Event::Request`] without any response: for scanners. Repetitions are absorbed.
    pub fn ignore_request(&mut self, now: Instant, id: RequestId) {
        if let Some(server) = self.open_requests.remove(&id) {
            self.table.ignore(now, server);
        }
    }

    pub(super) fn hand_out(&mut self, hop: Hop, server: ServerKey, request: Request) {
        self.last_request += 1;
        let id = RequestId(self.last_request);
        let request = Arc::new(request);
        self.open_requests.insert(id, server);
        self.table.assign_request(server, id);
        self.table.emit(Event::Request { id, hop, request });
    }

    pub(super) fn deliver_response(&mut self, id: RequestId, response: Response) {
        if response.status >= 200 {
            self.table.emit(Event::Response { id, result: Ok(response) });
        }
    }

    pub(super) fn fail_request(&mut self, id: RequestId, failure: Failure) {
        let error = match failure {
            Failure::TimedOut => RequestFailed::TimedOut,
            Failure::Transport => RequestFailed::TransportFailed,
        };
        self.table.emit(Event::Response { id, result: Err(error) });
    }
}
