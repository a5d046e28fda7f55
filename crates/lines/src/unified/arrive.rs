//! How legs begin that somebody else starts.

use super::{
    call::{Call, Leg, Stage},
    driver::{Done, Driver},
    hooks::Arrival,
    limits,
};
use dreiklang_core::{
    Input,
    endpoint::{Line, Party},
    ids::{ActionId, ConversationId, LegId, TenantId},
};
use dreiklang_microsoft::acs::{
    RequestId,
    model::{AnswerCall, CallIntelligence, RejectCall},
};
use std::sync::Arc;

impl Driver {
    /// Somebody calls a resource account.
    pub(super) fn arrive(&mut self, arrival: Arrival) {
        let Arrival { connection, call, leg: id } = arrival;
        let Some(ready) = self.registry.get(&connection) else { return };
        if self.calls.legs.contains_key(&id) || self.departed.has(&id) {
            // Event Grid delivers at least once.
            return;
        }
        let tenant = ready.tenant;
        let account = call
            .to
            .resource_account()
            .and_then(|object| ready.settings.accounts.iter().find(|account| account.object.eq_ignore_ascii_case(object)));
        // An agent's client calls out by calling us; such calls are begun here, by our own interface, or not at all.
        let by_client = call.on_behalf_of_callee.is_some() || call.from.teams_extension_user.is_some();
        let full = self.calls.legs.len() >= limits::LEGS / 2;
        if self.stopping || full || by_client {
            let word = if by_client { "forbidden" } else { "busy" };
            tracing::warn!(%tenant, code = "LINE-005", full, by_client, "call refused");
            let (client, context) = (ready.client.clone(), call.incoming_call_context);
            self.departed.add(id);
            self.aside(async move {
                let request = RejectCall { incoming_call_context: context, call_reject_reason: word.into() };
                client.reject_call(&request, RequestId(id.0)).await
            });
            return;
        }
        let dialed = account.map(|account| account.number.clone()).or_else(|| call.to.raw()).unwrap_or_default();
        let caller = Party {
            number: call.from.number().map(str::to_owned),
            name: call
                .caller_display_name
                .map(|name| name.chars().take(limits::NAME_CHARS).collect())
                .filter(|name: &String| !name.is_empty()),
        };
        let key = self.calls.add(Call::new(tenant, Arc::clone(&ready), None));
        let stage = Stage::Arrived { context: call.incoming_call_context };
        let mut leg = Leg::new(id, tenant, key, call.from, stage);
        leg.inbound = true;
        self.calls.legs.insert(id, leg);
        tracing::info!(leg = %id, %tenant, correlation = call.correlation_id, "call arrives");
        self.tell(tenant, Input::Arrived { leg: id, line: Line::Unified, caller, dialed });
    }

    /// Takes a call.
    pub(super) fn answer(&mut self, tenant: TenantId, action: ActionId, conversation: ConversationId, id: LegId) {
        let Some(leg) = self.calls.legs.get_mut(&id) else {
            // The caller has given up meanwhile, or a former process knew it; say it again.
            self.tell_ended(tenant, id, dreiklang_core::conversation::CauseKind::FarEnd, "no longer there");
            return self.done(tenant, action);
        };
        let Stage::Arrived { context } = leg.stage.clone() else { return self.done(tenant, action) };
        leg.stage = Stage::Answering;
        let Some(call) = self.calls.calls.get_mut(&leg.call) else { return self.done(tenant, action) };
        call.conversation = Some(conversation);
        let ready = Arc::clone(&call.ready);
        let request = AnswerCall {
            incoming_call_context: context,
            callback_uri: self.callback_address(&ready.settings.id),
            operation_context: Some(id.to_string()),
            call_intelligence_options: intelligence(ready.settings.speech.as_deref()),
        };
        self.run_apart(async move {
            let result = ready.client.answer_call(&request, RequestId(action.0)).await;
            Done::Begun { leg: id, ready, action, result }
        });
    }

    /// Does something about which nobody waits for an answer.
    pub(super) fn aside(&self, work: impl Future<Output = Result<(), dreiklang_microsoft::Failure>> + Send + 'static) {
        tokio::spawn(async move {
            if let Err(failure) = work.await
                && !failure.is_gone()
            {
                tracing::warn!(%failure, "an operation failed");
            }
        });
    }
}

/// Who speaks texts, where somebody does.
pub(super) fn intelligence(speech: Option<&str>) -> Option<CallIntelligence> {
    speech.map(|endpoint| CallIntelligence { cognitive_services_endpoint: endpoint.to_owned() })
}
