//! What the core wants of this line, carried out. Each wish is answered by `ActionDone` or `ActionFailed`; what follows from it
//! (a leg connected, a prompt played) comes as an input of its own.

use super::{causes, driver::Driver, leg::group_of, session::Session};
use crate::connected::leg::Leg;
use dreiklang_core::{
    Action, Input,
    conversation::{Cause, CauseKind},
    endpoint::Line,
    ids::{ActionId, ConversationId, LegId, TenantId},
    output::{ActionFailure, HangUpReason, RejectReason},
};
use dreiklang_media::{engine::OpenError, ids::StreamId};
use dreiklang_sip::sdp::Encryption;
use std::time::Instant;

impl Driver {
    /// Carries out one wish and answers it.
    pub(super) fn act(&mut self, now: Instant, tenant: TenantId, action: ActionId, wish: Action) {
        // What a new owner wishes before it has asked what lives here is left over from a former process, whose legs are gone: a
        // telephone must not ring for a caller who is not there any more. The survey's answer ends these legs.
        let left_over = !self.surveyed.contains(&tenant) && !matches!(wish, Action::Survey { .. } | Action::EndGhost { .. });
        if left_over {
            self.tell(tenant, Input::ActionDone { action });
            return;
        }
        let result = match wish {
            Action::Answer { conversation, leg, .. } => self.answer(now, tenant, conversation, leg),
            Action::Reject { leg, reason, .. } => self.reject(now, leg, reason),
            Action::Dial { conversation, leg, to, caller, ring_limit, .. } => {
                self.dial(now, tenant, conversation, leg, to, caller, ring_limit)
            }
            Action::HangUp { leg, reason, .. } => self.hang_up(now, tenant, leg, reason),
            Action::Play { leg, prompt, repeat, .. } => self.play(tenant, action, leg, prompt, repeat),
            Action::Bridge { conversation, a, b, .. } => self.bridge(conversation, a, b),
            Action::Mix { conversation, parties, .. } => self.mix(tenant, action, conversation, parties),
            Action::Silence { leg, .. } => self.silence(leg),
            Action::StartRecording { conversation, recording, left, right, .. } => {
                self.start_recording(tenant, conversation, recording, left, right)
            }
            Action::RecordRight { conversation, recording, right, .. } => self.record_right(conversation, recording, right),
            Action::PauseRecording { conversation, recording, .. } => self.pause_recording(conversation, recording, true),
            Action::ResumeRecording { conversation, recording, .. } => self.pause_recording(conversation, recording, false),
            Action::StopRecording { conversation, recording, .. } => self.stop_recording(conversation, recording),
            Action::AnswerTransfer { leg, accepted, .. } => self.answer_transfer(now, leg, accepted),
            Action::EndGhost { leg, token, .. } => self.end_ghost(now, leg, &token),
            Action::AskService { .. } => Err(failure("LINE-001", "no line asks services".to_owned())),
            Action::Survey { .. } => self.survey(tenant),
        };
        let input = match result {
            Ok(()) => Input::ActionDone { action },
            Err(failure) => {
                tracing::warn!(%tenant, %action, code = %failure.code, detail = %failure.detail, "wish not carried out");
                Input::ActionFailed { action, failure }
            }
        };
        self.tell(tenant, input);
    }

    fn answer(&mut self, now: Instant, tenant: TenantId, conversation: ConversationId, id: LegId) -> Result<(), ActionFailure> {
        let Some(leg) = self.legs.get_mut(id).filter(|leg| !leg.over) else {
            // The caller has given up meanwhile; the core knows or is about to. After a restart it does not: say it again.
            self.tell_ended(tenant, id, CauseKind::FarEnd, "no longer there");
            return Ok(());
        };
        if leg.session.is_some() {
            return Ok(());
        }
        leg.conversation = Some(conversation);
        let (call, encryption) = (leg.call, leg.encryption);
        let offer = leg.offer.take();
        let mut session = match self.open_audio(conversation, id, encryption) {
            Ok(session) => session,
            Err(error) => {
                self.endpoint.reject(now, call, 503, "Service Unavailable", vec![("Retry-After".to_owned(), "10".to_owned())]);
                self.end_by_us(id, CauseKind::Failure, &error.to_string());
                return Err(failure("MEDIA-001", error.to_string()));
            }
        };
        let body = match &offer {
            Some(offer) => match session.answer(offer) {
                Ok(body) => body,
                Err(problem) => {
                    let warning = Session::warning(&problem, self.trunks.own_host());
                    let phrase = if problem.status() == 488 { "Not Acceptable Here" } else { "Bad Session Description" };
                    self.endpoint.reject(now, call, problem.status(), phrase, vec![("Warning".to_owned(), warning)]);
                    self.end_by_us(id, CauseKind::Refused, &problem.to_string());
                    return Ok(());
                }
            },
            None => session.offer(),
        };
        let edits = session.edits(StreamId(id.0));
        if let Some(leg) = self.legs.get_mut(id) {
            leg.session = Some(session);
        }
        self.media.apply(group_of(conversation), edits);
        self.endpoint.answer(now, call, body);
        Ok(())
    }

    /// Opens sockets for a leg in its conversation's group.
    pub(super) fn open_audio(&mut self, conversation: ConversationId, leg: LegId, encryption: Encryption) -> Result<Session, OpenError> {
        let local = self.media.open(group_of(conversation), StreamId(leg.0))?;
        Ok(Session::new(local, encryption))
    }

    fn reject(&mut self, now: Instant, id: LegId, reason: RejectReason) -> Result<(), ActionFailure> {
        if let Some(leg) = self.legs.get(id).filter(|leg| !leg.over) {
            let (status, phrase, headers) = causes::rejection_of(reason);
            self.endpoint.reject(now, leg.call, status, phrase, headers);
        }
        Ok(())
    }

    fn hang_up(&mut self, now: Instant, tenant: TenantId, id: LegId, reason: HangUpReason) -> Result<(), ActionFailure> {
        match self.legs.get_mut(id).filter(|leg| !leg.over) {
            Some(leg) => {
                leg.dialing = None;
                let call = leg.call;
                if self.keeps_for_referral(call) {
                    // Teams has asked for the transfer that takes this leg's place, and needs the call until that is decided.
                    self.leg_over(id, Cause { kind: CauseKind::Ours, detail: Some("transferred by Teams".to_owned()) });
                } else {
                    self.endpoint.hang_up(now, call, causes::reason_header(reason));
                }
            }
            None => self.tell_ended(tenant, id, CauseKind::Ours, "no longer there"),
        }
        Ok(())
    }

    fn answer_transfer(&mut self, now: Instant, id: LegId, accepted: bool) -> Result<(), ActionFailure> {
        let Some(leg) = self.legs.get_mut(id).filter(|leg| leg.transfer_asked) else { return Ok(()) };
        leg.transfer_asked = false;
        let call = leg.call;
        if self.answer_teams_refer(now, call, accepted).is_some() {
            return Ok(());
        }
        if accepted {
            self.endpoint.answer_refer(now, call, Ok(()));
            // We take the customer over at once, so for the telephone the transfer has succeeded; should the target not answer,
            // the customer goes back to the queue and the telephone is no longer concerned.
            self.endpoint.notify_refer(now, call, 100, "Trying");
            self.endpoint.notify_refer(now, call, 200, "OK");
        } else {
            self.endpoint.answer_refer(now, call, Err(603));
        }
        Ok(())
    }

    fn end_ghost(&mut self, now: Instant, id: LegId, token: &str) -> Result<(), ActionFailure> {
        if self.legs.get(id).is_some() {
            return Ok(());
        }
        self.endpoint.end_ghost(now, token).map_err(|error| failure("LINE-006", format!("the kept dialog cannot be read: {error}")))
    }

    fn survey(&mut self, tenant: TenantId) -> Result<(), ActionFailure> {
        self.surveyed.insert(tenant);
        let live = self.legs.live().filter(|leg| leg.tenant == tenant).map(|leg| leg.id).collect();
        self.tell(tenant, Input::Survey { line: Line::Connected, live });
        Ok(())
    }

    /// Notes why a leg ends by our own doing, so that its end is reported as that. The call itself is ended by the caller of this.
    pub(super) fn end_by_us(&mut self, id: LegId, kind: CauseKind, detail: &str) {
        if let Some(leg) = self.legs.get_mut(id) {
            leg.own_cause = Some(Cause { kind, detail: Some(detail.to_owned()) });
        }
    }

    /// The leg, if its call is alive and its audio open.
    pub(super) fn with_audio(&self, id: LegId) -> Option<&Leg> {
        self.legs.get(id).filter(|leg| !leg.over && leg.session.is_some())
    }
}

/// A failure with its code.
pub(super) fn failure(code: &str, detail: String) -> ActionFailure {
    ActionFailure { code: code.to_owned(), detail }
}
