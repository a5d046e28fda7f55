//! Asking a service of the organization while the customer is in a flow. Whatever becomes of it, the flow goes on: by an answer,
//! by a failure, or by its own clock.

use super::Engine;
use crate::{
    flow::{ServiceAnswer, ServiceRequest, Situation, Step},
    ids::{ActionId, ConversationId, ServiceId},
    output::{Action, ActionFailure, Event},
};

impl Engine {
    pub(super) fn ask_service(&mut self, id: ConversationId, service: ServiceId, request: Box<ServiceRequest>) {
        let Some(node) = self.run(id).map(|run| run.node.clone()) else { return };
        let until = self.now + request.limit;
        self.act(Action::AskService { conversation: id, service, request });
        self.emit(Event::FlowWaiting { conversation: id, node, until });
    }

    /// A service answered. What comes twice, too late, or after the customer has left, is about nothing.
    pub(super) fn service_answered(&mut self, action: ActionId, answer: &ServiceAnswer) {
        let Some(Action::AskService { conversation, .. }) = self.world.pending.get(action) else { return };
        let id = *conversation;
        self.settle(action, None);
        self.after_service(id, |situation| situation.answered(answer));
    }

    /// A service could not be asked; the action is settled.
    pub(super) fn service_failed(&mut self, id: ConversationId, problem: String) {
        self.after_service(id, |situation| situation.unanswered(problem));
    }

    /// The flow waited long enough for a service. Says whether that is what it waited for.
    pub(super) fn service_overdue(&mut self, id: ConversationId, failure: ActionFailure) -> bool {
        let asked = |action: &Action| matches!(action, Action::AskService { .. });
        let Some(action) = self.world.pending.of_conversation(id).find(|(_, action)| asked(action)).map(|(action, _)| action) else {
            return false;
        };
        self.settle(action, Some(failure));
        self.after_service(id, |situation| situation.service_late());
        true
    }

    /// Nobody waits for a service's answer any more.
    pub(super) fn forget_service(&mut self, id: ConversationId) {
        self.settle_where(id, |action| matches!(action, Action::AskService { .. }));
    }

    fn after_service(&mut self, id: ConversationId, way: impl FnOnce(Situation<'_>) -> Option<Step>) {
        if let Some(step) = self.in_flow(id, way).flatten() {
            self.step(id, step);
            self.walk(id);
        }
    }
}
