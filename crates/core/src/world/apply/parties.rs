//! Conferences and supervision.

use crate::{
    conversation::{Member, Supervision},
    limits,
    output::{Event, Stamped},
    world::{Timer, World},
};

impl World {
    pub(super) fn apply_parties(&mut self, stamped: &Stamped) {
        let at = stamped.at;
        match &stamped.event {
            Event::MemberJoined { conversation, leg, agent, .. } => {
                if let Some(found) = self.conversations.get_mut(conversation) {
                    found.members.push(Member { leg: *leg, agent: *agent, joined_at: at });
                }
            }
            Event::MemberLeft { conversation, leg, .. } => {
                if let Some(found) = self.conversations.get_mut(conversation) {
                    found.members.retain(|member| member.leg != *leg);
                }
            }
            Event::SupervisionStarted { conversation, supervisor, leg, mode, by, .. } => {
                let Some(found) = self.conversations.get_mut(conversation) else { return };
                found.supervisors.push(Supervision {
                    supervisor: *supervisor,
                    leg: *leg,
                    mode: *mode,
                    by: by.clone(),
                    started_at: at,
                    answered_at: None,
                });
                self.timers.set(Timer::TransferRing(*leg), at + limits::TRANSFER_RING);
            }
            Event::SupervisionAnswered { conversation, leg, .. } => {
                let found = self.conversations.get_mut(conversation);
                if let Some(one) = found.and_then(|found| found.supervisors.iter_mut().find(|one| one.leg == *leg)) {
                    one.answered_at = Some(at);
                }
            }
            Event::SupervisionChanged { conversation, supervisor, mode, .. } => {
                let found = self.conversations.get_mut(conversation);
                if let Some(one) = found.and_then(|found| found.supervisors.iter_mut().find(|one| one.supervisor == *supervisor)) {
                    one.mode = *mode;
                }
            }
            Event::SupervisionEnded { conversation, leg, .. } => {
                self.timers.clear(Timer::TransferRing(*leg));
                if let Some(found) = self.conversations.get_mut(conversation) {
                    found.supervisors.retain(|one| one.leg != *leg);
                }
            }
            _ => {}
        }
    }
}
