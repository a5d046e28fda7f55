//! A call that reaches us: their INVITE until our final response, and our 2xx until its ACK (RFC 3261 §13.3, §9.2).

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::body::{Sdp, sdp_of};
use super::dialog::Dialog;
use super::{Call, Phase};
use crate::event::{CallId, Cause, CauseKind, Event};
use crate::hop::Hop;
use crate::limits::RINGING_MAX;
use crate::message::{Headers, Request, Response};
use crate::transaction::key::ServerKey;
use crate::transaction::table::Table;
use crate::transaction::timer::{LIFETIME, T1, T2, TRYING_AFTER};

/// A provisional response is repeated this often, so that no proxy gives up (RFC 3261 §13.3.1.1).
const PROGRESS_EVERY: Duration = Duration::from_secs(60);

/// What is known while their INVITE has no final response.
pub(super) struct Ringing {
    server: ServerKey,
    request: Arc<Request>,
    /// When 100 Trying leaves, unless something better has.
    trying_at: Option<Instant>,
    progress: Option<(Instant, Response)>,
    until: Instant,
}

impl Ringing {
    pub(super) fn deadline(&self) -> Option<Instant> {
        [self.trying_at, self.progress.as_ref().map(|(at, _)| *at), Some(self.until)].into_iter().flatten().min()
    }
}

/// A 2xx of ours to an INVITE or re-INVITE, repeated until its ACK whatever the transport (RFC 3261 §13.3.1.4).
pub(super) struct Unacked {
    pub(super) initial: bool,
    number: u32,
    bytes: Arc<[u8]>,
    hop: Hop,
    interval: Duration,
    repeat_at: Instant,
    give_up_at: Instant,
}

impl Unacked {
    pub(super) fn deadline(&self) -> Instant {
        self.repeat_at.min(self.give_up_at)
    }
}

impl Call {
    /// A call for a new INVITE. `None` when it has no Contact to answer to.
    pub(crate) fn receive(
        table: &mut Table,
        now: Instant,
        id: CallId,
        tag: u64,
        server: ServerKey,
        hop: &Hop,
        request: &Arc<Request>,
    ) -> Option<Call> {
        let dialog = Dialog::from_request(request, tag, hop.clone())?;
        let contact = table.contact(hop, request.uri.user.as_deref());
        let ringing =
            Ringing { server, request: Arc::clone(request), trying_at: Some(now + TRYING_AFTER), progress: None, until: now + RINGING_MAX };
        let mut call = Call::new(id, tag, false, contact, Phase::Ringing(Box::new(ringing)));
        call.dialog = Some(dialog);
        call.session.learn(&request.headers);
        Some(call)
    }

    /// Checks the session interval that the caller asks for.
    ///
    /// # Errors
    /// The Min-SE of the 422 that must answer it, in seconds.
    pub(crate) fn check_session(&mut self, table: &Table, request: &Request) -> Result<(), u32> {
        self.session.check_request(&table.config, &request.headers)
    }

    pub(super) fn on_ringing_timer(&mut self, table: &mut Table, now: Instant) {
        let Phase::Ringing(ringing) = &mut self.phase else { return };
        if ringing.trying_at.is_some_and(|at| at <= now) {
            ringing.trying_at = None;
            let trying = Response::to_request(&ringing.request, 100, "");
            table.respond(now, ringing.server, &trying);
        }
        if let Some((at, response)) = &mut ringing.progress
            && *at <= now
        {
            *at = now + PROGRESS_EVERY;
            table.respond(now, ringing.server, response);
        }
        if ringing.until <= now {
            self.hang_up(table, now, CauseKind::NoAnswer, Some(480), None);
        }
    }

    /// The call rings (180), or has early media (183).
    pub(crate) fn ring(&mut self, table: &mut Table, now: Instant, sdp: Option<Vec<u8>>) {
        let Phase::Ringing(ringing) = &self.phase else { return };
        let request = Arc::clone(&ringing.request);
        let mut response = self.response(&request, if sdp.is_some() { 183 } else { 180 }, "");
        self.describe_dialog(table, &request, &mut response.headers);
        if let Some(sdp) = sdp {
            response.headers.push("Content-Type", "application/sdp");
            response.body = sdp;
        }
        let Phase::Ringing(ringing) = &mut self.phase else { return };
        ringing.trying_at = None;
        table.respond(now, ringing.server, &response);
        ringing.progress = Some((now + PROGRESS_EVERY, response));
    }

    /// Accepts the call.
    pub(crate) fn answer(&mut self, table: &mut Table, now: Instant, sdp: Vec<u8>) {
        let Phase::Ringing(ringing) = &self.phase else { return };
        let (server, request) = (ringing.server, Arc::clone(&ringing.request));
        self.phase = Phase::Talking;
        if let Sdp::Present(offer) = sdp_of(&request.headers, &request.body) {
            self.remote_sdp = Some(offer);
        }
        self.accept_invite(table, now, server, &request, sdp, true);
    }

    /// Sends the 2xx to an INVITE or re-INVITE and begins to wait for its ACK.
    pub(super) fn accept_invite(
        &mut self,
        table: &mut Table,
        now: Instant,
        server: ServerKey,
        request: &Request,
        sdp: Vec<u8>,
        initial: bool,
    ) {
        let mut response = self.response(request, 200, "");
        self.describe_dialog(table, request, &mut response.headers);
        self.session.describe_answer(now, &table.config, &request.headers, &mut response.headers);
        response.headers.push("Content-Type", "application/sdp");
        response.body.clone_from(&sdp);
        self.local_sdp = Some(sdp);
        if let Some((bytes, hop)) = table.respond(now, server, &response) {
            self.unacked = Some(Unacked {
                initial,
                number: request.headers.cseq_number().unwrap_or_default(),
                bytes,
                hop,
                interval: T1,
                repeat_at: now + T1,
                give_up_at: now + LIFETIME,
            });
        }
    }

    /// Headers of every response that makes or refreshes a dialog (RFC 3261 §12.1.1).
    pub(super) fn describe_dialog(&self, table: &Table, request: &Request, headers: &mut Headers) {
        for route in request.headers.all("Record-Route") {
            headers.push("Record-Route", route);
        }
        headers.push("Contact", &self.contact);
        table.describe_abilities(headers);
        table.describe_server(headers);
    }

    /// Refuses the call.
    pub(crate) fn refuse(&mut self, table: &mut Table, now: Instant, status: u16, reason: &str, extra: &[(String, String)], cause: Cause) {
        let Phase::Ringing(ringing) = &self.phase else { return };
        let mut response = self.response(&ringing.request, status, reason);
        for (name, value) in extra {
            response.headers.push(name, value);
        }
        table.describe_server(&mut response.headers);
        table.respond(now, ringing.server, &response);
        self.phase = Phase::Over;
        self.end(table, cause);
    }

    /// Leaves the INVITE without any response.
    pub(crate) fn ignore(&mut self, table: &mut Table, now: Instant) {
        let Phase::Ringing(ringing) = &self.phase else { return };
        table.ignore(now, ringing.server);
        self.phase = Phase::Over;
        self.end(table, Cause::new(CauseKind::Local, None));
    }

    /// The caller gave up. The CANCEL itself has been answered.
    pub(crate) fn on_cancel(&mut self, table: &mut Table, now: Instant, server: ServerKey, cancel: &Headers) {
        match &self.phase {
            Phase::Ringing(ringing) if ringing.server == server => {
                let mut cause = Cause::new(CauseKind::Canceled, Some(487));
                cause.reason = cancel.get("Reason").map(str::to_owned);
                self.refuse(table, now, 487, "", &[], cause);
            }
            _ => self.on_change_canceled(table, now, server),
        }
    }

    /// An ACK that no refusal of ours was waiting for.
    pub(crate) fn on_ack(&mut self, table: &mut Table, now: Instant, request: &Request) {
        if !self.dialog.as_ref().is_some_and(|dialog| dialog.matches(&request.headers)) {
            return;
        }
        let number = request.headers.cseq_number();
        let Some(unacked) = self.unacked.take_if(|unacked| Some(unacked.number) == number) else { return };
        let sdp = match sdp_of(&request.headers, &request.body) {
            Sdp::Present(sdp) => Some(sdp),
            Sdp::Absent | Sdp::Unsupported => None,
        };
        if sdp.is_some() && !self.ended {
            self.remote_sdp.clone_from(&sdp);
        }
        if unacked.initial || sdp.is_some() {
            self.emit(table, Event::Acknowledged { call: self.id, sdp });
        }
        self.bye_if_due(table, now);
        self.change_if_due(table, now);
    }

    pub(super) fn on_unacked_timer(&mut self, table: &mut Table, now: Instant) {
        let Some(unacked) = &mut self.unacked else { return };
        if unacked.give_up_at <= now {
            self.unacked = None;
            if self.ended {
                self.bye_if_due(table, now);
            } else {
                self.hang_up(table, now, CauseKind::NoAck, Some(408), Some("SIP;cause=408;text=\"ACK missing\""));
            }
        } else if unacked.repeat_at <= now {
            unacked.interval = (unacked.interval * 2).min(T2);
            unacked.repeat_at = now + unacked.interval;
            table.transmit(unacked.hop.clone(), Arc::clone(&unacked.bytes));
        }
    }
}
