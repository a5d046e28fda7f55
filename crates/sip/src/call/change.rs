//! Changing a session that is running: re-INVITE and UPDATE in both directions, glare, refreshes
//! (RFC 3261 §14, RFC 3311, RFC 4028 §10).
//!
//! One change of ours is under way at a time; a newer wish replaces one that still waits. A refused change leaves the
//! session as it was.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::body::{Sdp, sdp_of};
use super::{Call, Phase};
use crate::event::{CauseKind, Event};
use crate::limits::GLARE_TRIES_MAX;
use crate::message::{Method, Request, Response};
use crate::transaction::key::{ClientKey, ServerKey};
use crate::transaction::table::{Failure, Owner, Table};
use crate::transaction::timer::{LIFETIME, TRYING_AFTER};

/// A re-INVITE of ours that got only provisional responses is given up after this.
const PROVISIONAL_PATIENCE: Duration = Duration::from_secs(64);

/// The outside must have answered the peer's change by then; the peer's own timer is 32 s.
const ANSWER_WITHIN: Duration = Duration::from_secs(30);

/// The longest Retry-After of a 500 that is obeyed instead of giving up (RFC 3311 §5.2 draws it from 0 to 10 s).
const RETRY_AFTER_MAX_S: u32 = 10;

/// Both directions of change.
#[derive(Default)]
pub(super) struct Change {
    pending: Option<Pending>,
    wanted: Option<Vec<u8>>,
    retry_at: Option<Instant>,
    tries: u8,
    incoming: Option<Incoming>,
}

/// Our change under way.
struct Pending {
    key: ClientKey,
    method: Method,
    offer: Option<Vec<u8>>,
    /// Only keeps the session alive; the outside did not ask for it.
    refresh: bool,
    /// It was sent again because of a challenge or a 422.
    repeated: bool,
    give_up_at: Instant,
}

/// The peer's change that the outside has not answered yet.
struct Incoming {
    server: ServerKey,
    request: Arc<Request>,
    offer: Option<Vec<u8>>,
    trying_at: Option<Instant>,
    answer_until: Instant,
}

impl Change {
    pub(super) fn is_pending(&self, key: ClientKey) -> bool {
        self.pending.as_ref().is_some_and(|pending| pending.key == key)
    }

    /// The transaction of our change under way.
    pub(super) fn pending_key(&self) -> Option<ClientKey> {
        self.pending.as_ref().map(|pending| pending.key)
    }

    pub(super) fn deadline(&self) -> Option<Instant> {
        let incoming = self.incoming.as_ref().map(|incoming| incoming.trying_at.unwrap_or(incoming.answer_until));
        let retry = self.retry_at.filter(|_| self.pending.is_none());
        [self.pending.as_ref().map(|pending| pending.give_up_at), retry, incoming].into_iter().flatten().min()
    }
}

impl Call {
    /// Wants the session to be as `sdp` says.
    pub(crate) fn reinvite(&mut self, table: &mut Table, now: Instant, sdp: Vec<u8>) {
        if self.ended {
            return;
        }
        self.change.wanted = Some(sdp);
        self.change_if_due(table, now);
    }

    /// Sends a change that has been waiting, when nothing holds it back any more.
    pub(super) fn change_if_due(&mut self, table: &mut Table, now: Instant) {
        let free = matches!(self.phase, Phase::Talking)
            && !self.ended
            && self.unacked.is_none()
            && self.owed_ack.is_none()
            && self.change.pending.is_none()
            && self.change.incoming.is_none()
            && self.change.retry_at.is_none_or(|at| at <= now);
        if !free {
            return;
        }
        if let Some(sdp) = self.change.wanted.take() {
            self.change.retry_at = None;
            self.send_change(table, now, Method::Invite, Some(sdp), false, None);
        }
    }

    /// Keeps the session alive (RFC 4028 §10): UPDATE when the peer takes it, else a re-INVITE with the unchanged SDP.
    pub(super) fn refresh(&mut self, table: &mut Table, now: Instant) {
        let busy = self.change.pending.is_some() || self.change.incoming.is_some() || self.unacked.is_some() || self.owed_ack.is_some();
        if busy {
            self.session.retry(now);
            return;
        }
        self.session.refreshing();
        if self.session.peer_updates() {
            self.send_change(table, now, Method::Update, None, true, None);
        } else {
            let sdp = self.local_sdp.clone();
            self.send_change(table, now, Method::Invite, sdp, true, None);
        }
    }

    fn send_change(
        &mut self,
        table: &mut Table,
        now: Instant,
        method: Method,
        offer: Option<Vec<u8>>,
        refresh: bool,
        challenge: Option<&Response>,
    ) -> bool {
        let Some(dialog) = &mut self.dialog else { return false };
        let mut request = dialog.request(method.clone());
        let hop = dialog.next_hop();
        request.headers.push("Contact", &self.contact);
        table.describe_abilities(&mut request.headers);
        table.describe_self(&mut request.headers);
        self.session.describe_request(&table.config, &mut request.headers);
        if let Some(offer) = &offer {
            request.headers.push("Content-Type", "application/sdp");
            request.body.clone_from(offer);
        }
        let repeated = self.change.pending.is_some();
        if let Some(challenge) = challenge
            && !self.authorize(table, &mut request, challenge)
        {
            return false;
        }
        let key = table.send(now, request, hop, Owner::Call(self.id));
        self.change.pending = Some(Pending { key, method, offer, refresh, repeated, give_up_at: now + LIFETIME + PROVISIONAL_PATIENCE });
        true
    }

    pub(super) fn on_change_response(&mut self, table: &mut Table, now: Instant, response: &Arc<Response>) {
        if response.is_provisional() {
            return;
        }
        if response.is_success() {
            let Some(pending) = self.change.pending.take() else { return };
            self.on_change_success(table, now, pending, response);
        } else if !self.ended {
            self.on_change_refusal(table, now, response);
        } else {
            self.change.pending = None;
        }
        self.change_if_due(table, now);
    }

    fn on_change_success(&mut self, table: &mut Table, now: Instant, pending: Pending, response: &Arc<Response>) {
        if let Some(dialog) = &mut self.dialog {
            dialog.refresh_target(&response.headers);
        }
        if pending.method == Method::Invite {
            let number = response.headers.cseq_number().unwrap_or_default();
            self.acknowledge(table, number, None);
        }
        if self.ended {
            return;
        }
        self.session.on_success(now, &table.config, &response.headers);
        self.change.tries = 0;
        let sdp = match sdp_of(&response.headers, &response.body) {
            Sdp::Present(sdp) => Some(sdp),
            Sdp::Absent | Sdp::Unsupported => None,
        };
        let news = sdp.is_some() && sdp != self.remote_sdp;
        if sdp.is_some() {
            self.remote_sdp.clone_from(&sdp);
        }
        if pending.offer.is_some() {
            self.local_sdp = pending.offer;
        }
        if !pending.refresh || news {
            self.emit(table, Event::ReinviteAnswered { call: self.id, sdp });
        }
    }

    fn on_change_refusal(&mut self, table: &mut Table, now: Instant, response: &Arc<Response>) {
        let Some(pending) = &self.change.pending else { return };
        let (method, refresh, repeated) = (pending.method.clone(), pending.refresh, pending.repeated);
        let offer = pending.offer.clone();
        let retry_after = response.headers.retry_after_s().filter(|seconds| *seconds <= RETRY_AFTER_MAX_S);
        let again = match response.status {
            401 | 407 if !repeated => self.send_change(table, now, method, offer, refresh, Some(response)),
            422 if !repeated && self.session.raise(&table.config, &response.headers) => {
                self.send_change(table, now, method, offer, refresh, None)
            }
            _ => false,
        };
        if again {
            return;
        }
        let Some(pending) = self.change.pending.take() else { return };
        match response.status {
            408 => self.hang_up(table, now, CauseKind::Timeout, Some(408), Some("SIP;cause=408")),
            481 => self.hang_up(table, now, CauseKind::Lost, Some(481), Some("SIP;cause=481")),
            405 | 501 if pending.method == Method::Update => {
                // It said UPDATE in Allow and refuses it all the same: do without.
                let sdp = self.local_sdp.clone();
                self.send_change(table, now, Method::Invite, sdp, true, None);
            }
            _ if refresh => self.session.retry(now),
            491 | 500 if (response.status == 491 || retry_after.is_some()) && self.change.tries < GLARE_TRIES_MAX => {
                self.change.tries += 1;
                let wait = match retry_after.filter(|_| response.status == 500) {
                    Some(seconds) => Duration::from_secs(u64::from(seconds)),
                    // Who owns the Call-ID waits longer, so that both do not meet again (RFC 3261 §14.1).
                    None if self.outgoing => table.random.between(2_100..=4_000),
                    None => table.random.between(0..=2_000),
                };
                self.change.retry_at = Some(now + wait);
                self.change.wanted = self.change.wanted.take().or(pending.offer);
            }
            status => {
                self.change.tries = 0;
                self.emit(table, Event::ReinviteFailed { call: self.id, status });
            }
        }
    }

    pub(super) fn on_change_failure(&mut self, table: &mut Table, now: Instant, failure: Failure) {
        self.change.pending = None;
        match failure {
            Failure::TimedOut => self.hang_up(table, now, CauseKind::Timeout, Some(408), Some("SIP;cause=408")),
            Failure::Transport => self.hang_up(table, now, CauseKind::TransportError, Some(503), Some("SIP;cause=503")),
        }
    }

    pub(super) fn on_change_timer(&mut self, table: &mut Table, now: Instant) {
        if let Some(pending) = self.change.pending.take_if(|pending| pending.give_up_at <= now) {
            table.abandon(pending.key);
            self.on_change_failure(table, now, Failure::TimedOut);
        }
        if let Some(incoming) = &mut self.change.incoming {
            if incoming.trying_at.is_some_and(|at| at <= now) {
                incoming.trying_at = None;
                if incoming.request.method == Method::Invite {
                    table.respond(now, incoming.server, &Response::to_request(&incoming.request, 100, ""));
                }
            }
            if incoming.answer_until <= now {
                self.answer_change(table, now, Err((500, None)));
            }
        }
        if self.change.retry_at.is_some_and(|at| at <= now) {
            self.change.retry_at = None;
            self.change_if_due(table, now);
        }
    }

    /// A re-INVITE, or an UPDATE.
    pub(super) fn on_change_request(&mut self, table: &mut Table, now: Instant, server: ServerKey, request: Request) {
        let is_update = request.method == Method::Update;
        if let Err(min_se_s) = self.session.check_request(&table.config, &request.headers) {
            return self.reply_with(table, now, server, &request, 422, &[("Min-SE", &min_se_s.to_string())]);
        }
        let offer = match sdp_of(&request.headers, &request.body) {
            Sdp::Present(sdp) => Some(sdp),
            Sdp::Absent => None,
            Sdp::Unsupported => return self.reply_with(table, now, server, &request, 415, &[("Accept", "application/sdp")]),
        };
        if is_update && offer.is_none() {
            return self.accept_update(table, now, server, &request, None);
        }
        let talking = matches!(self.phase, Phase::Talking);
        if self.change.incoming.is_some() || !talking {
            let wait = table.random.between(0..=10_000).as_secs().to_string();
            return self.reply_with(table, now, server, &request, 500, &[("Retry-After", &wait)]);
        }
        let ours_open = self.change.pending.as_ref().is_some_and(|pending| pending.method == Method::Invite);
        if ours_open || self.unacked.is_some() || self.owed_ack.is_some() {
            return self.reply(table, now, server, &request, 491);
        }
        self.change.incoming = Some(Incoming {
            server,
            request: Arc::new(request),
            offer: offer.clone(),
            trying_at: Some(now + TRYING_AFTER),
            answer_until: now + ANSWER_WITHIN,
        });
        self.emit(table, Event::Reinvite { call: self.id, sdp: offer });
    }

    /// The outside's answer to the peer's change: our SDP, or the status that refuses it.
    pub(crate) fn answer_change(&mut self, table: &mut Table, now: Instant, answer: Result<Vec<u8>, (u16, Option<&str>)>) {
        let Some(incoming) = self.change.incoming.take() else { return };
        match answer {
            Ok(sdp) if incoming.request.method == Method::Update => {
                self.remote_sdp = incoming.offer;
                self.accept_update(table, now, incoming.server, &incoming.request, Some(sdp));
            }
            Ok(sdp) => {
                if let Some(dialog) = &mut self.dialog {
                    dialog.refresh_target(&incoming.request.headers);
                }
                if incoming.offer.is_some() {
                    self.remote_sdp = incoming.offer;
                }
                self.accept_invite(table, now, incoming.server, &incoming.request, sdp, false);
            }
            Err((status, warning)) => {
                let warning: Vec<_> = warning.map(|warning| ("Warning", warning)).into_iter().collect();
                self.reply_with(table, now, incoming.server, &incoming.request, status.max(300), &warning);
            }
        }
        self.change_if_due(table, now);
    }

    fn accept_update(&mut self, table: &mut Table, now: Instant, server: ServerKey, request: &Request, sdp: Option<Vec<u8>>) {
        if let Some(dialog) = &mut self.dialog {
            dialog.refresh_target(&request.headers);
        }
        let mut response = self.response(request, 200, "");
        response.headers.push("Contact", &self.contact);
        table.describe_abilities(&mut response.headers);
        table.describe_server(&mut response.headers);
        if matches!(self.phase, Phase::Talking) {
            self.session.describe_answer(now, &table.config, &request.headers, &mut response.headers);
        }
        if let Some(sdp) = sdp {
            response.headers.push("Content-Type", "application/sdp");
            response.body.clone_from(&sdp);
            self.local_sdp = Some(sdp);
        }
        table.respond(now, server, &response);
    }

    /// The peer took its re-INVITE back; the 200 to its CANCEL has been sent.
    pub(super) fn on_change_canceled(&mut self, table: &mut Table, now: Instant, server: ServerKey) {
        if self.change.incoming.as_ref().is_some_and(|incoming| incoming.server == server) {
            self.drop_incoming_change(table, now);
            self.change_if_due(table, now);
        }
    }

    /// Ends a change of the peer that nobody will answer any more.
    pub(super) fn drop_incoming_change(&mut self, table: &mut Table, now: Instant) {
        if let Some(incoming) = self.change.incoming.take() {
            self.reply(table, now, incoming.server, &incoming.request, 487);
        }
    }
}
