//! What the core wants of this line. Each wish is answered by `ActionDone` or `ActionFailed`; what follows from it (a leg connected, a
//! prompt played) comes as an input of its own.

use super::{dial::Dial, driver::Driver, restore};
use dreiklang_core::{
    Action,
    conversation::{Cause, CauseKind},
    ids::{ActionId, LegId, TenantId},
    output::HangUpReason,
};

impl Driver {
    /// Carries out one wish.
    pub(super) fn act(&mut self, tenant: TenantId, action: ActionId, wish: Action) {
        match wish {
            Action::Answer { conversation, leg, .. } => self.answer(tenant, action, conversation, leg),
            Action::Reject { leg, reason, .. } => self.reject(tenant, action, leg, reason),
            Action::Dial { conversation, leg, to, caller, ring_limit, .. } => {
                self.dial(tenant, action, Dial { conversation, leg, to, caller, ring_limit });
            }
            Action::HangUp { leg, reason, .. } => self.hang_up(tenant, action, leg, reason),
            Action::Play { leg, prompt, repeat, .. } => self.play(tenant, action, leg, prompt, repeat),
            Action::Bridge { a, b, .. } => self.bridge(tenant, action, a, b),
            Action::Mix { parties, .. } => self.mix(tenant, action, parties),
            Action::Silence { leg, .. } => self.silence(tenant, action, leg),
            Action::StartRecording { recording, left, right, .. } => self.start_recording(tenant, action, recording, left, right),
            Action::RecordRight { recording, right, .. } => self.record_right(tenant, action, recording, right),
            Action::PauseRecording { recording, .. } => self.pause_recording(tenant, action, recording, true),
            Action::ResumeRecording { recording, .. } => self.pause_recording(tenant, action, recording, false),
            Action::StopRecording { recording, .. } => self.stop_recording(tenant, action, recording),
            // Nobody asks for a transfer by telephone here.
            Action::AnswerTransfer { .. } => self.done(tenant, action),
            Action::EndGhost { leg, token, .. } => self.end_ghost(tenant, action, leg, &token),
            Action::AskService { .. } => self.failed(tenant, action, "LINE-001", "no line asks services".to_owned()),
            Action::Survey { .. } => {
                self.surveys.insert(tenant, ());
                self.answer_survey(tenant);
            }
        }
    }

    fn hang_up(&mut self, tenant: TenantId, action: ActionId, id: LegId, reason: HangUpReason) {
        match self.calls.legs.get_mut(&id) {
            Some(leg) => {
                leg.ending.get_or_insert_with(|| Cause { kind: CauseKind::Ours, detail: Some(format!("{reason:?}")) });
                self.let_go(id);
            }
            None => self.tell_ended(tenant, id, CauseKind::Ours, "no longer there"),
        }
        self.done(tenant, action);
    }

    /// Ends what a former process left, by what was kept of it.
    fn end_ghost(&mut self, tenant: TenantId, action: ActionId, id: LegId, token: &str) {
        if !self.calls.legs.contains_key(&id)
            && let Some(kept) = restore::read(token)
            && let Some(ready) = self.registry.get(&kept.connection).filter(|ready| ready.tenant == tenant)
            && self.calls.named(&kept.call).is_none()
        {
            self.aside(async move { ready.client.terminate(&kept.call, dreiklang_microsoft::acs::RequestId(action.0)).await });
        }
        self.done(tenant, action);
    }
}
