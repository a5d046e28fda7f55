//! A call that we place: the INVITE until its final response, forks, CANCEL and its races (RFC 3261 §9.1, §13.2).

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::body::{Sdp, sdp_of};
use super::dialog::{Dialog, tag_text};
use super::{Call, Phase};
use crate::digest::{Credentials, is_stale};
use crate::event::{CallId, Cause, CauseKind, Event};
use crate::hop::Hop;
use crate::limits::FORKS_MAX;
use crate::message::{Headers, Method, NameAddr, Request, Response, Uri};
use crate::transaction::key::ClientKey;
use crate::transaction::table::{Failure, Owner, Table};
use crate::transaction::timer::LIFETIME;

/// A call to be placed.
#[derive(Debug, Clone)]
pub struct Invite {
    /// The Request-URI.
    pub uri: Uri,
    /// Where the INVITE goes.
    pub hop: Hop,
    /// Who calls; a tag is added.
    pub from: NameAddr,
    /// Who is called.
    pub to: NameAddr,
    /// Our Contact as a whole value such as `<sip:sbc.example.com:5061;transport=tls>`; `None` derives it from the
    /// advertised address of the transport.
    pub contact: Option<String>,
    /// More headers. Those that the endpoint itself writes are left out.
    pub extra: Vec<(String, String)>,
    /// The offer; `None` asks the callee for one. Another body than SDP needs its Content-Type among `extra`.
    pub body: Option<Vec<u8>>,
    /// Answers a 401 or 407, and later challenges within the call.
    pub credentials: Option<Credentials>,
    /// How long it may ring before we give up.
    pub ring_limit: Duration,
    /// How long until any response must have come; `None` leaves it to timer B (32 s).
    pub reply_limit: Option<Duration>,
}

impl Invite {
    /// A call with an offer-less INVITE and a ring limit of three minutes; set the rest as needed.
    #[must_use]
    pub fn new(uri: Uri, hop: Hop, from: NameAddr, to: NameAddr) -> Invite {
        Invite {
            uri,
            hop,
            from,
            to,
            contact: None,
            extra: Vec::new(),
            body: None,
            credentials: None,
            ring_limit: Duration::from_secs(180),
            reply_limit: None,
        }
    }
}

/// Headers that only the endpoint writes into an INVITE.
const OWN_HEADERS: [&str; 10] = ["Via", "From", "To", "Call-ID", "CSeq", "Contact", "Content-Length", "Session-Expires", "Min-SE", "Allow"];

/// How often one call may send its INVITE again because a response asked for another form of it.
const RETRIES_MAX: u8 = 3;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Cancel {
    No,
    /// As soon as a provisional response allows it.
    Wanted,
    Sent,
}

/// What is known while our INVITE has no final response.
pub(super) struct Inviting {
    pub(super) key: ClientKey,
    invite: Invite,
    call_id: String,
    number: u32,
    retries: u8,
    authorized: bool,
    heard: bool,
    cancel: Cancel,
    cancel_reason: Option<String>,
    /// Early dialogs: the tag and the SDP of its last provisional response.
    early: Vec<(String, Option<Vec<u8>>)>,
    ring_until: Instant,
    reply_until: Option<Instant>,
    /// After CANCEL: no final response is expected any more (RFC 3261 §9.1).
    give_up_at: Option<Instant>,
}

impl Inviting {
    pub(super) fn deadline(&self) -> Option<Instant> {
        match self.cancel {
            Cancel::No => Some(self.reply_until.map_or(self.ring_until, |reply| reply.min(self.ring_until))),
            Cancel::Wanted | Cancel::Sent => self.give_up_at,
        }
    }
}

impl Call {
    /// Places a call.
    pub(crate) fn place(table: &mut Table, now: Instant, id: CallId, tag: u64, mut invite: Invite) -> Call {
        let contact = invite.contact.take().unwrap_or_else(|| table.contact(&invite.hop, invite.from.uri.user.as_deref()));
        let call_id = format!("{:016x}{:016x}", table.random.next_u64(), table.random.next_u64());
        let inviting = Inviting {
            key: ClientKey { branch: 0, cancel: false },
            call_id,
            number: 1,
            retries: 0,
            authorized: false,
            heard: false,
            cancel: Cancel::No,
            cancel_reason: None,
            early: Vec::new(),
            ring_until: now + invite.ring_limit,
            reply_until: invite.reply_limit.map(|limit| now + limit),
            give_up_at: None,
            invite,
        };
        let mut call = Call::new(id, tag, true, contact, Phase::Over);
        call.credentials = inviting.invite.credentials.clone();
        call.local_sdp = inviting.invite.body.clone();
        call.send_invite(table, now, Box::new(inviting), None);
        call
    }

    /// Sends the INVITE, or sends it again in the form a response asked for. `false` when that is not possible.
    fn send_invite(&mut self, table: &mut Table, now: Instant, mut inviting: Box<Inviting>, challenge: Option<&Response>) -> bool {
        let mut request = self.build_invite(table, &inviting);
        if let Some(challenge) = challenge
            && !self.authorize(table, &mut request, challenge)
        {
            return false;
        }
        inviting.key = table.send(now, request, inviting.invite.hop.clone(), Owner::Call(self.id));
        self.invite_key = Some(inviting.key);
        self.phase = Phase::Inviting(inviting);
        true
    }

    fn build_invite(&self, table: &Table, inviting: &Inviting) -> Request {
        let invite = &inviting.invite;
        let mut headers = Headers::with_capacity(1_024, 20);
        if !invite.extra.iter().any(|(name, _)| name.eq_ignore_ascii_case("Max-Forwards")) {
            headers.push("Max-Forwards", "70");
        }
        headers.push("From", &invite.from.clone().with_tag(&tag_text(self.tag)).to_string());
        headers.push("To", &invite.to.to_string());
        headers.push("Call-ID", &inviting.call_id);
        headers.push("CSeq", &format!("{} INVITE", inviting.number));
        headers.push("Contact", &self.contact);
        table.describe_abilities(&mut headers);
        table.describe_self(&mut headers);
        self.session.describe_request(&table.config, &mut headers);
        for (name, value) in &invite.extra {
            if !OWN_HEADERS.iter().any(|own| own.eq_ignore_ascii_case(name)) {
                headers.push(name, value);
            }
        }
        let body = invite.body.clone().unwrap_or_default();
        if !body.is_empty() && !headers.contains("Content-Type") {
            headers.push("Content-Type", "application/sdp");
        }
        Request { method: Method::Invite, uri: invite.uri.clone(), headers, body }
    }

    /// Whether a request with our tag belongs to our INVITE that has no final response yet.
    pub(super) fn owns_early(&self, headers: &Headers) -> bool {
        matches!(&self.phase, Phase::Inviting(inviting) if headers.call_id().is_ok_and(|call_id| call_id == inviting.call_id))
    }

    pub(super) fn on_inviting_timer(&mut self, table: &mut Table, now: Instant) {
        let Phase::Inviting(inviting) = &self.phase else { return };
        let due = |at: Option<Instant>| at.is_some_and(|at| at <= now);
        if inviting.cancel != Cancel::No {
            if due(inviting.give_up_at) {
                table.abandon(inviting.key);
                self.phase = Phase::Over;
            }
        } else if due(inviting.reply_until) {
            self.hang_up(table, now, CauseKind::Timeout, Some(408), None);
        } else if due(Some(inviting.ring_until)) {
            self.hang_up(table, now, CauseKind::NoAnswer, Some(408), Some("SIP;cause=480;text=\"No answer\""));
        }
    }

    /// Gives up an INVITE without final response. The CANCEL waits for a provisional response.
    pub(super) fn cancel(&mut self, table: &mut Table, now: Instant, reason: Option<&str>) {
        let Phase::Inviting(inviting) = &mut self.phase else { return };
        if inviting.cancel != Cancel::No {
            return;
        }
        inviting.cancel = Cancel::Wanted;
        inviting.cancel_reason = reason.map(str::to_owned);
        if inviting.heard {
            send_cancel(table, now, inviting);
        }
    }

    pub(super) fn on_invite_response(&mut self, table: &mut Table, now: Instant, hop: &Hop, response: &Arc<Response>) {
        match response.status {
            ..=199 => self.on_invite_progress(table, now, response),
            200..=299 => self.on_invite_success(table, now, hop, response),
            _ => self.on_invite_refusal(table, now, response),
        }
    }

    fn on_invite_progress(&mut self, table: &mut Table, now: Instant, response: &Arc<Response>) {
        let Phase::Inviting(inviting) = &mut self.phase else { return };
        inviting.heard = true;
        inviting.reply_until = None;
        match inviting.cancel {
            Cancel::Wanted => return send_cancel(table, now, inviting),
            Cancel::Sent => return,
            Cancel::No => {}
        }
        if response.status == 100 {
            return;
        }
        let sdp = match sdp_of(&response.headers, &response.body) {
            Sdp::Present(sdp) => Some(sdp),
            Sdp::Absent | Sdp::Unsupported => None,
        };
        if let Some(tag) = response.headers.to_tag() {
            if let Some((_, early)) = inviting.early.iter_mut().find(|(known, _)| known == tag) {
                *early = sdp.clone().or(early.take());
            } else if inviting.early.len() < FORKS_MAX {
                inviting.early.push((tag.to_owned(), sdp.clone()));
            }
        }
        self.emit(table, Event::Progress { call: self.id, status: response.status, reason: response.reason.clone(), sdp });
    }

    fn on_invite_success(&mut self, table: &mut Table, now: Instant, hop: &Hop, response: &Arc<Response>) {
        let Phase::Inviting(inviting) = std::mem::replace(&mut self.phase, Phase::Talking) else { return };
        self.dialog = Dialog::from_response(response, &inviting.invite.uri, dialog_hop(&inviting.invite.hop, hop));
        let Some(dialog) = &self.dialog else {
            // The parser lets no response without From, To, Call-ID and CSeq through.
            self.finish(table, now, Cause::new(CauseKind::Lost, Some(500)));
            return;
        };
        let number = dialog.local_seq;
        let own = match sdp_of(&response.headers, &response.body) {
            Sdp::Present(sdp) => Some(sdp),
            Sdp::Absent | Sdp::Unsupported => None,
        };
        // The answer may have come in a provisional response of the same dialog only.
        let early = inviting.early.into_iter().find(|(tag, _)| *tag == dialog.remote_tag).and_then(|(_, sdp)| sdp);
        let offered = inviting.invite.body.is_some();
        let sdp = if offered { own.or(early) } else { own };
        self.session.on_success(now, &table.config, &response.headers);
        self.remote_sdp.clone_from(&sdp);
        if self.ended || offered || sdp.is_none() {
            self.acknowledge(table, number, None);
        } else {
            self.owed_ack = Some(number);
        }
        if self.ended {
            // The 200 crossed our CANCEL: the call exists, so it ends as a call (RFC 3261 §9.1).
            self.say_bye(table, now, inviting.cancel_reason.as_deref());
            return;
        }
        self.emit(table, Event::Answered { call: self.id, sdp, response: Arc::clone(response) });
    }

    fn on_invite_refusal(&mut self, table: &mut Table, now: Instant, response: &Arc<Response>) {
        let Phase::Inviting(mut inviting) = std::mem::replace(&mut self.phase, Phase::Over) else { return };
        if self.ended {
            return;
        }
        if inviting.retries < RETRIES_MAX {
            inviting.retries += 1;
            inviting.number += 1;
            inviting.early.clear();
            let retried = match response.status {
                401 | 407 if (!inviting.authorized || is_stale(response)) && self.credentials.is_some() => {
                    inviting.authorized = true;
                    self.send_invite(table, now, inviting, Some(response))
                }
                422 if self.session.raise(&table.config, &response.headers) => {
                    inviting.authorized = false;
                    self.send_invite(table, now, inviting, None)
                }
                _ => false,
            };
            if retried {
                return;
            }
        }
        self.phase = Phase::Over;
        let cause = Cause {
            kind: CauseKind::Rejected,
            status: Some(response.status),
            reason: response.headers.get("Reason").map(str::to_owned),
            response: Some(Arc::clone(response)),
        };
        self.end(table, cause);
    }

    pub(super) fn on_invite_failure(&mut self, table: &mut Table, failure: Failure) {
        self.phase = Phase::Over;
        let cause = match failure {
            Failure::TimedOut => Cause::new(CauseKind::Timeout, Some(408)),
            Failure::Transport => Cause::new(CauseKind::TransportError, Some(503)),
        };
        self.end(table, cause);
    }

    /// A response to the INVITE after its first 2xx: a repetition, or another fork that also accepted.
    pub(super) fn on_late_invite_response(&mut self, table: &mut Table, now: Instant, hop: &Hop, response: &Arc<Response>) {
        if !response.is_success() {
            return;
        }
        let tag = response.headers.to_tag().unwrap_or_default();
        if self.dialog.as_ref().is_some_and(|dialog| dialog.remote_tag == tag) {
            self.acknowledge_again(table, response);
            return;
        }
        let known = self.strays.iter().any(|stray| stray == tag);
        if !known && self.strays.len() < FORKS_MAX {
            self.strays.push(tag.to_owned());
        }
        end_stray(table, now, hop, response, known);
    }

    /// Sends the ACK that carries our answer to an offer in a 2xx.
    pub(crate) fn acknowledge_with(&mut self, table: &mut Table, now: Instant, sdp: Option<Vec<u8>>) {
        if self.ended {
            return;
        }
        if let Some(number) = self.owed_ack.take() {
            self.local_sdp.clone_from(&sdp);
            self.acknowledge(table, number, sdp);
            self.change_if_due(table, now);
        }
    }
}

fn send_cancel(table: &mut Table, now: Instant, inviting: &mut Inviting) {
    table.cancel(now, inviting.key, inviting.cancel_reason.as_deref());
    inviting.cancel = Cancel::Sent;
    inviting.give_up_at = Some(now + LIFETIME);
}

/// The way the dialog lives on: where the INVITE went, over the connection that the response came back on.
fn dialog_hop(sent: &Hop, received: &Hop) -> Hop {
    let mut hop = sent.clone();
    if received.transport == sent.transport && received.transport.is_reliable() {
        hop.connection = received.connection;
    }
    hop
}

/// Accepts and ends a call that nobody wants: a second fork, or a 2xx that came after we forgot the call
/// (RFC 3261 §13.2.2.4). `known` only repeats the ACK.
pub(crate) fn end_stray(table: &mut Table, now: Instant, hop: &Hop, response: &Response, known: bool) {
    let Some(fallback) = response.headers.to().ok().map(|to| to.uri) else { return };
    let Some(mut dialog) = Dialog::from_response(response, &fallback, hop.clone()) else { return };
    let next = dialog.next_hop();
    table.send_ack(dialog.ack(dialog.local_seq), &next);
    if !known {
        let mut bye = dialog.request(Method::Bye);
        table.describe_self(&mut bye.headers);
        table.send(now, bye, next, Owner::Nobody);
    }
}
