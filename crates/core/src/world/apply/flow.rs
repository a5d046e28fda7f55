//! Ways through flows.

use crate::{
    flow::Run,
    ids::{ConversationId, FlowId},
    output::{Event, Stamped},
    world::{Timer, World},
};

impl World {
    pub(super) fn apply_flow(&mut self, stamped: &Stamped) {
        match &stamped.event {
            Event::FlowEntered { conversation, flow, version, ends_at } => {
                let Some(editions) = self.flows.get_mut(flow) else { return };
                let Some(run) = editions.edition(*version).map(|document| Run::new(document, *version, stamped.at, *ends_at)) else {
                    return;
                };
                let Some(found) = self.conversations.get_mut(conversation) else { return };
                editions.count(*version, |runs| runs.saturating_add(1));
                found.run = Some(Box::new(run));
                found.flows = found.flows.saturating_add(1);
                self.plan_flow(*conversation);
            }
            Event::FlowStepped { conversation, to, set, private, .. } => {
                self.change_run(*conversation, |run| run.step(to, set, private.as_deref()));
            }
            Event::FlowWaiting { conversation, until, .. } => {
                self.change_run(*conversation, |run| run.waits_until = Some(*until));
            }
            Event::FlowKeyed { conversation, key, until, .. } => self.change_run(*conversation, |run| {
                run.keyed.push(*key);
                run.waits_until = Some(*until);
            }),
            Event::FlowAskedAgain { conversation, attempt, .. } => self.change_run(*conversation, |run| {
                run.keyed.clear();
                (run.attempt, run.waits_until) = (*attempt, None);
            }),
            Event::FlowSuspended { conversation, .. } => self.change_run(*conversation, |run| {
                (run.waits_until, run.away) = (None, true);
            }),
            Event::FlowLeft { conversation, flow, version, .. } => {
                let Some(found) = self.conversations.get_mut(conversation) else { return };
                (found.run, found.surveyed) = (None, false);
                if let Some(editions) = self.flows.get_mut(flow) {
                    editions.count(*version, |runs| runs.saturating_sub(1));
                }
                self.timers.clear(Timer::Flow(*conversation));
                self.forget_flow_when_done(*flow);
            }
            Event::SurveyOffered { conversation, .. } => {
                if let Some(found) = self.conversations.get_mut(conversation) {
                    found.surveyed = true;
                }
            }
            _ => {}
        }
    }

    fn change_run(&mut self, id: ConversationId, change: impl FnOnce(&mut Run)) {
        if let Some(run) = self.conversations.get_mut(&id).and_then(|found| found.run.as_mut()) {
            change(run);
        }
        self.plan_flow(id);
    }

    /// Sets the deadline of a way through a flow.
    fn plan_flow(&mut self, id: ConversationId) {
        match self.conversations.get(&id).and_then(|found| found.run.as_ref()).and_then(|run| run.due()) {
            Some(due) => self.timers.set(Timer::Flow(id), due),
            None => self.timers.clear(Timer::Flow(id)),
        }
    }

    /// A removed flow is kept as long as somebody is in it.
    pub(super) fn forget_flow_when_done(&mut self, id: FlowId) {
        if self.flows.get(&id).is_some_and(|editions| editions.is_unneeded()) {
            self.flows.remove(&id);
        }
    }
}
