//! How legs end: told to go in the way their stage asks for, and reported once.

use super::{
    call::{CallKey, Stage},
    causes,
    count::Count,
    driver::{Done, Driver, Due},
    limits,
    registry::Ready,
};
use dreiklang_core::{
    Input,
    conversation::{Cause, CauseKind},
    ids::{ActionId, LegId, TenantId},
    output::RejectReason,
};
use dreiklang_microsoft::{
    Failure,
    acs::{RequestId, model::RejectCall},
};
use std::sync::Arc;

impl Driver {
    /// Refuses a call that rings with us.
    pub(super) fn reject(&mut self, tenant: TenantId, action: ActionId, id: LegId, reason: RejectReason) {
        self.done(tenant, action);
        let Some(leg) = self.calls.legs.get(&id) else { return };
        let Stage::Arrived { context } = leg.stage.clone() else { return };
        let Some(call) = self.calls.calls.get(&leg.call) else { return };
        let ready = Arc::clone(&call.ready);
        self.aside(async move {
            let request = RejectCall { incoming_call_context: context, call_reject_reason: causes::rejection_of(reason) };
            ready.client.reject_call(&request, RequestId(id.0)).await
        });
        self.leg_over(id, Cause { kind: CauseKind::Ours, detail: Some("rejected".to_owned()) });
    }

    /// Ends a leg in whatever state it is. May be called again while it is ending.
    pub(super) fn let_go(&mut self, id: LegId) {
        let Some(leg) = self.calls.legs.get_mut(&id) else { return };
        leg.ending.get_or_insert(Cause { kind: CauseKind::Ours, detail: None });
        let (key, stage, who, invitation, invited) = (leg.call, leg.stage.clone(), leg.who.clone(), leg.invitation.clone(), leg.invited);
        let others = self.calls.legs.values().any(|other| other.call == key && other.id != id && other.ending.is_none());
        let Some(call) = self.calls.calls.get_mut(&key) else { return };
        let (ready, name) = (Arc::clone(&call.ready), call.id.clone());
        let done = move |whole: bool, over: bool, result| Done::LetGo { leg: id, call: key, whole, over, result };
        match (stage, name) {
            (Stage::Arrived { context }, _) => self.run_apart(async move {
                let request = RejectCall { incoming_call_context: context, call_reject_reason: "busy".into() };
                done(false, true, ready.client.reject_call(&request, RequestId(id.0)).await)
            }),
            // What it is called, or how its invitation, is not known yet; it goes when that is.
            (_, None) => {}
            (Stage::Dialing, Some(name)) if invited => {
                let Some(invitation) = invitation else { return };
                self.run_apart(async move {
                    let context = format!("cancel_{id}");
                    done(false, false, ready.client.cancel_add(&name, &invitation, &context, RequestId::new()).await)
                });
            }
            (_, Some(name)) if others => self.run_apart(async move {
                let context = format!("remove_{id}");
                done(false, false, ready.client.remove(&name, &who, &context, RequestId::new()).await)
            }),
            (_, Some(name)) => {
                call.ending = true;
                self.run_apart(async move { done(true, true, ready.client.terminate(&name, RequestId::new()).await) });
            }
        }
    }

    /// The service has heard that a leg, or a whole call, is to go.
    pub(super) fn was_let_go(&mut self, id: LegId, key: CallKey, whole: bool, over: bool, result: Result<(), Failure>) {
        match result {
            Ok(()) if whole => self.call_over(key, None),
            Ok(()) if over => self.leg_over(id, Cause { kind: CauseKind::Ours, detail: None }),
            Ok(()) => self.later(limits::REMOVED, Due::Gone(id)),
            Err(failure) if failure.is_gone() && whole => self.call_over(key, None),
            // It is gone, or the whole call is.
            Err(failure) if failure.is_gone() || failure.status().is_some_and(|status| status < 500) => self.count(key, Count::Now),
            // The core says it again.
            Err(failure) => tracing::warn!(leg = %id, code = "LINE-021", %failure, "a leg does not go yet"),
        }
    }

    /// A leg is over: said once. When nobody is left, the call is ended too.
    pub(super) fn leg_over(&mut self, id: LegId, cause: Cause) {
        let Some(leg) = self.calls.legs.remove(&id) else { return };
        self.departed.add(id);
        let cause = leg.ending.unwrap_or(cause);
        tracing::info!(leg = %id, kind = ?cause.kind, detail = cause.detail.as_deref().unwrap_or_default(), "leg is over");
        self.tell(leg.tenant, Input::Ended { leg: id, cause });
        let key = leg.call;
        if let Some(call) = self.calls.calls.get_mut(&key)
            && call.playing.as_ref().is_some_and(|playing| playing.leg == id)
        {
            call.playing = None;
        }
        if !self.calls.legs.values().any(|other| other.call == key) {
            self.drop_call(key);
        }
    }

    /// A call is over for everybody in it.
    pub(super) fn call_over(&mut self, key: CallKey, cause: Option<Cause>) {
        if let Some(call) = self.calls.calls.get_mut(&key) {
            // It need not be ended any more.
            call.ending = true;
        }
        let mut legs = self.calls.legs_of(key);
        // The customer's leg first: who rings for somebody who is gone has declined nothing.
        legs.sort_by_key(|id| self.calls.legs.get(id).is_some_and(|leg| leg.invited));
        for id in &legs {
            let invited = self.calls.legs.get(id).is_some_and(|leg| leg.invited);
            let own = cause.clone().filter(|_| !invited);
            self.leg_over(*id, own.unwrap_or(Cause { kind: CauseKind::Ours, detail: Some("the call was ended".to_owned()) }));
        }
        if legs.is_empty() {
            self.drop_call(key);
        }
    }

    fn drop_call(&mut self, key: CallKey) {
        let Some(call) = self.calls.remove(key) else { return };
        for job in call.lane {
            self.done(call.tenant, job.action);
        }
        if call.unproven {
            self.answer_survey(call.tenant);
        }
        if let (Some(name), false) = (call.id, call.ending) {
            self.aside(async move { call.ready.client.terminate(&name, RequestId::new()).await });
        }
    }

    /// A call lives that nobody here waits for.
    pub(super) fn end_stranger(&self, ready: &Arc<Ready>, call: String) {
        let ready = Arc::clone(ready);
        self.aside(async move { ready.client.terminate(&call, RequestId::new()).await });
    }
}
