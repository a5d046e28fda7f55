//! Consults.

use crate::{
    conversation::Consult,
    input::TransferTarget,
    limits,
    output::{Event, Stamped},
    world::{Timer, World},
};

impl World {
    pub(super) fn apply_consult(&mut self, stamped: &Stamped) {
        let at = stamped.at;
        match &stamped.event {
            Event::ConsultStarted { conversation, agent, by, to } => {
                let Some(found) = self.conversations.get_mut(conversation) else { return };
                found.consult = Some(Consult {
                    agent: *agent,
                    by: by.clone(),
                    to: to.clone(),
                    target: None,
                    leg: None,
                    started_at: at,
                    answered_at: None,
                    facing: Default::default(),
                });
                if let TransferTarget::Queue(_) = to {
                    self.queue_consults.insert(*conversation);
                    self.timers.set(Timer::ConsultWait(*conversation), at + limits::CONSULT_WAIT);
                }
            }
            Event::ConsultCalled { conversation, leg } => {
                if let Some(consult) = self.conversations.get_mut(conversation).and_then(|found| found.consult.as_mut()) {
                    consult.leg = Some(*leg);
                }
            }
            Event::ConsultAnswered { conversation, agent, leg } => {
                self.forget_queue_consult(*conversation);
                if let Some(consult) = self.conversations.get_mut(conversation).and_then(|found| found.consult.as_mut()) {
                    (consult.target, consult.leg, consult.answered_at) = (*agent, Some(*leg), Some(at));
                }
            }
            Event::ConsultTurned { conversation, facing, .. } => {
                if let Some(consult) = self.conversations.get_mut(conversation).and_then(|found| found.consult.as_mut()) {
                    consult.facing = *facing;
                }
            }
            Event::ConsultEnded { conversation, .. } => {
                self.forget_queue_consult(*conversation);
                if let Some(found) = self.conversations.get_mut(conversation) {
                    found.consult = None;
                }
            }
            _ => {}
        }
    }

    fn forget_queue_consult(&mut self, conversation: crate::ids::ConversationId) {
        self.queue_consults.remove(&conversation);
        self.timers.clear(Timer::ConsultWait(conversation));
    }
}
