//! What the far end of a call does: rings, answers, holds, wants to be replaced, hangs up.

use super::{
    arrive::dialed_of,
    causes,
    driver::{Done, Driver},
    session::Session,
};
use dreiklang_core::{
    Input,
    conversation::{Cause as CoreCause, CauseKind},
    ids::LegId,
};
use dreiklang_media::{engine::Edit, ids::StreamId};
use dreiklang_sip::{
    call::replaces::Replaces,
    event::{CallId, Cause, CauseKind as EndKind, Event},
    message::NameAddr,
};
use std::time::Instant;

impl Driver {
    /// One thing a call did.
    pub(super) fn on_signal(&mut self, now: Instant, event: Event) {
        match event {
            Event::Progress { call, status, .. } => self.on_progress(now, call, status),
            Event::Answered { call, sdp, .. } => self.on_answered(now, call, sdp.as_deref()),
            Event::Acknowledged { call, sdp } => self.on_acknowledged(now, call, sdp.as_deref()),
            Event::Reinvite { call, sdp } => self.on_reinvite(now, call, sdp.as_deref()),
            Event::Refer { call, refer_to, referred_by, replaces } => self.on_refer(now, call, &refer_to, referred_by, replaces),
            Event::Info { call, content_type, body } => self.on_info(call, content_type.as_deref(), &body),
            Event::Ended { call, cause } => self.on_ended(now, call, &cause),
            // We never re-negotiate or transfer by the peer yet, and requests outside calls are handled elsewhere.
            Event::ReinviteAnswered { .. }
            | Event::ReinviteFailed { .. }
            | Event::ReferAnswered { .. }
            | Event::ReferProgress { .. }
            | Event::Incoming { .. }
            | Event::Request { .. }
            | Event::Response { .. } => {}
        }
    }

    /// Teams often sends silence with a 183, and several devices ring at once; so early audio is not passed on, and who waits
    /// goes on hearing what the core has them hear.
    fn on_progress(&mut self, now: Instant, call: CallId, status: u16) {
        let Some(id) = self.legs.of_call(call) else { return };
        let Some(leg) = self.legs.get_mut(id) else { return };
        // 181 and 182 (forwarded, queued) are no ringing.
        if matches!(status, 180 | 183) && !leg.ringing && !leg.connected {
            leg.ringing = true;
            let tenant = leg.tenant;
            if let Some(asked_in) = leg.referred_in {
                self.endpoint.notify_refer(now, asked_in, 180, "");
            }
            self.tell(tenant, Input::Ringing { leg: id });
        }
    }

    /// Our call was accepted; the ACK has gone.
    fn on_answered(&mut self, now: Instant, call: CallId, sdp: Option<&[u8]>) {
        let Some(id) = self.legs.of_call(call) else {
            self.endpoint.hang_up(now, call, None);
            return;
        };
        if self.take_answer(now, id, sdp) {
            self.find_route(call);
            self.connected(now, id);
        }
    }

    /// The ACK to our 200: the caller is there.
    fn on_acknowledged(&mut self, now: Instant, call: CallId, sdp: Option<&[u8]>) {
        let Some(id) = self.legs.of_call(call) else { return };
        let Some(leg) = self.legs.get(id) else { return };
        let awaited = leg.session.as_ref().is_some_and(|session| session.awaits_answer());
        if awaited && !self.take_answer(now, id, sdp) {
            return;
        }
        if self.legs.get(id).is_some_and(|leg| !leg.connected) {
            self.connected(now, id);
        }
    }

    /// Reads the answer to our offer and points audio there; ends the leg if there is none to be had.
    fn take_answer(&mut self, now: Instant, id: LegId, sdp: Option<&[u8]>) -> bool {
        let Some(leg) = self.legs.get_mut(id) else { return false };
        let (call, stream, group) = (leg.call, leg.stream(), leg.group());
        let accepted = match (&mut leg.session, sdp) {
            (Some(session), Some(sdp)) => session.accept(sdp, stream).map_err(|problem| problem.to_string()),
            (_, None) => Err("the answer describes no audio".to_owned()),
            (None, _) => Err("no audio was opened".to_owned()),
        };
        match (accepted, group) {
            (Ok(edits), Some(group)) => {
                self.media.apply(group, edits);
                true
            }
            (result, _) => {
                let detail = result.err().unwrap_or_default();
                tracing::warn!(leg = %id, code = "LINE-007", detail, "answered without usable audio; ending the leg");
                self.end_by_us(id, CauseKind::Refused, &detail);
                self.endpoint.hang_up(now, call, Some("SIP;cause=488;text=\"Not acceptable here\""));
                false
            }
        }
    }

    fn connected(&mut self, now: Instant, id: LegId) {
        let Some(leg) = self.legs.get_mut(id) else { return };
        if let Some(asked_in) = leg.referred_in.take() {
            self.endpoint.notify_refer(now, asked_in, 200, "");
            self.endpoint.hang_up(now, asked_in, None);
        }
        leg.connected = true;
        leg.dialing = None;
        let (tenant, call) = (leg.tenant, leg.call);
        let token = self.endpoint.dialog_token(call);
        self.tell(tenant, Input::Connected { leg: id, token });
    }

    fn on_reinvite(&mut self, now: Instant, call: CallId, sdp: Option<&[u8]>) {
        let Some(id) = self.legs.of_call(call) else {
            // It only waits for the outcome of its transfer, and then ends.
            self.endpoint.answer_reinvite(now, call, Err(491));
            return;
        };
        let Some(leg) = self.legs.get_mut(id) else { return };
        let Some(session) = &mut leg.session else {
            self.endpoint.answer_reinvite(now, call, Err(500));
            return;
        };
        let Some(offer) = sdp else {
            let offer = session.offer();
            self.endpoint.answer_reinvite(now, call, Ok(offer));
            return;
        };
        match session.answer(offer) {
            Err(problem) => {
                tracing::warn!(leg = %id, %problem, "a change of the session was refused");
                let warning = Session::warning(&problem, self.trunks.own_host());
                self.endpoint.refuse_reinvite(now, call, problem.status(), &warning);
            }
            Ok(answer) => {
                let held = session.is_held();
                let edits = session.edits(StreamId(id.0));
                let (tenant, group) = (leg.tenant, leg.group());
                let changed = leg.held != held;
                leg.held = held;
                self.endpoint.answer_reinvite(now, call, Ok(answer));
                if let Some(group) = group {
                    self.media.apply(group, edits);
                }
                if changed {
                    self.tell(tenant, Input::HeldByParty { leg: id, held });
                }
            }
        }
    }

    fn on_refer(&mut self, now: Instant, call: CallId, refer_to: &str, referred_by: Option<String>, replaces: Option<Replaces>) {
        let Some(id) = self.legs.of_call(call) else {
            self.endpoint.answer_refer(now, call, Err(481));
            return;
        };
        if self.legs.get(id).is_some_and(|leg| leg.teams.is_some()) {
            return self.on_teams_refer(now, id, refer_to, referred_by, replaces);
        }
        let target = NameAddr::parse(refer_to).ok().map(|target| dialed_of(&target.uri)).filter(|target| !target.is_empty());
        let Some(leg) = self.legs.get_mut(id) else { return };
        match target {
            // The other call of an attended transfer is not known to the core yet; the telephone gets both callers back.
            _ if replaces.is_some() => self.endpoint.answer_refer(now, call, Err(501)),
            None => self.endpoint.answer_refer(now, call, Err(400)),
            Some(_) if leg.transfer_asked => self.endpoint.answer_refer(now, call, Err(491)),
            Some(target) => {
                leg.transfer_asked = true;
                let tenant = leg.tenant;
                self.tell(tenant, Input::TransferRequested { leg: id, target });
            }
        }
    }

    /// Digits some telephones send as INFO (`application/dtmf-relay`: `Signal=5`, or `application/dtmf`: `5`).
    fn on_info(&mut self, call: CallId, content_type: Option<&str>, body: &[u8]) {
        let Some(id) = self.legs.of_call(call) else { return };
        let Some(tenant) = self.legs.get(id).map(|leg| leg.tenant) else { return };
        let text = String::from_utf8_lossy(body);
        let signal = match content_type.map(str::trim) {
            Some(kind) if kind.eq_ignore_ascii_case("application/dtmf-relay") => {
                text.lines().find_map(|line| line.trim().strip_prefix("Signal=").map(str::trim))
            }
            Some(kind) if kind.eq_ignore_ascii_case("application/dtmf") => Some(text.trim()),
            _ => None,
        };
        let digit = match signal {
            Some("10") => Some('*'),
            Some("11") => Some('#'),
            Some(signal) if signal.len() == 1 => signal.chars().next().filter(|digit| "0123456789*#ABCD".contains(*digit)),
            _ => None,
        };
        if let Some(digit) = digit {
            self.tell(tenant, Input::Digit { leg: id, digit });
        }
    }

    fn on_ended(&mut self, now: Instant, call: CallId, cause: &Cause) {
        let Some(id) = self.legs.of_call(call) else { return };
        if self.try_next_address(now, id, cause) {
            return;
        }
        if let Some(asked_in) = self.legs.get_mut(id).and_then(|leg| leg.referred_in.take()) {
            // A status that says nothing of the target would only puzzle whoever asked.
            self.end_referral(now, asked_in, cause.status.filter(|status| *status >= 300).unwrap_or(480));
        }
        if let Some(leg) = self.legs.get(id) {
            let cause = if leg.teams.is_some() { causes::cause_of_teams(cause) } else { causes::cause_of(cause) };
            self.leg_over(id, cause);
        }
    }

    /// The leg has no call any more: the core is told, and audio is measured.
    pub(super) fn leg_over(&mut self, id: LegId, cause: CoreCause) {
        let Some(leg) = self.legs.get_mut(id) else { return };
        leg.over = true;
        leg.dialing = None;
        let cause = leg.own_cause.take().unwrap_or(cause);
        let (tenant, stream, group, has_audio, call) = (leg.tenant, leg.stream(), leg.group(), leg.session.is_some(), leg.call);
        self.legs.forget_call(call);
        tracing::info!(leg = %id, kind = ?cause.kind, detail = cause.detail.as_deref().unwrap_or_default(), "leg ended");
        self.tell(tenant, Input::Ended { leg: id, cause });
        match group.filter(|_| has_audio) {
            // The leg goes when its figures are there.
            Some(group) => self.media.apply(group, vec![Edit::Close { stream }]),
            None => drop(self.legs.remove(id)),
        }
    }

    /// A refused or unanswered call may have another address left, as long as nothing rang there (RFC 3263 §4.3).
    fn try_next_address(&mut self, now: Instant, id: LegId, cause: &Cause) -> bool {
        let retryable = matches!(cause.kind, EndKind::Timeout | EndKind::TransportError | EndKind::NoAnswer)
            || (cause.kind == EndKind::Rejected && matches!(cause.status, Some(408 | 503)));
        let Some(leg) = self.legs.get(id) else { return false };
        if let Some(hop) = leg.dialing.as_ref().and_then(|dialing| dialing.trying.clone()).filter(|_| retryable) {
            self.note_refused(now, &hop, cause);
        }
        let Some(leg) = self.legs.get(id) else { return false };
        let more = leg.dialing.as_ref().is_some_and(|dialing| !dialing.hops.is_empty());
        if !retryable || !more || leg.ringing || leg.connected || leg.own_cause.is_some() {
            return false;
        }
        tracing::info!(leg = %id, "the peer does not take the call; trying its next address");
        self.dial_next(now, id)
    }

    /// Something slow is done.
    pub(super) fn on_done(&mut self, now: Instant, done: Done) {
        match done {
            Done::Prompt { leg, hearing, action, repeat, result } => self.start_prompt(leg, hearing, action, repeat, result),
            Done::Resolved { tenant, trunk, peer, addresses, failure } => self.on_resolved(now, tenant, &trunk, peer, addresses, failure),
            Done::Route { call, addresses } => self.on_route(call, &addresses),
            Done::Found { leg, addresses } => self.on_found(now, leg, addresses),
        }
    }
}
