//! What happens to those who wait beside being served: estimates, overflow, announcements, closing.

use crate::{
    ids::{ConversationId, QueueId},
    limits::OVERFLOWS_PER_CONVERSATION,
    output::{Event, Stamped},
    queue::Condition,
    time::Timestamp,
    world::{Timer, World},
};

impl World {
    pub(super) fn apply_waiting(&mut self, stamped: &Stamped) {
        let at = stamped.at;
        match &stamped.event {
            Event::VisitEstimated { conversation, estimate, .. } => {
                if let Some(visit) = self.visit_mut(*conversation) {
                    visit.estimate = Some(*estimate);
                }
            }
            Event::PaceMeasured { queue, gap, able } => {
                if let Some(queue) = self.queues.get_mut(queue) {
                    queue.pace.learn(*gap, *able as usize);
                }
            }
            Event::VisitOverflowed { conversation, .. } => {
                if let Some(found) = self.conversations.get_mut(conversation) {
                    found.overflows = found.overflows.saturating_add(1);
                }
            }
            Event::OverflowPassedOver { conversation, rule, .. } => {
                if let Some(visit) = self.visit_mut(*conversation) {
                    visit.passed_over |= bit(usize::from(*rule));
                }
                self.plan_waiting(*conversation);
            }
            Event::Announced { conversation, step, .. } => {
                if let Some(visit) = self.visit_mut(*conversation) {
                    visit.announced = Some((*step, at));
                }
                self.plan_waiting(*conversation);
            }
            Event::FarewellStarted { conversation, termination } => {
                if let Some(found) = self.conversations.get_mut(conversation) {
                    found.farewell = Some(*termination);
                }
            }
            Event::QueueStaffed { queue, staffed } => {
                if let Some(queue) = self.queues.get_mut(queue) {
                    queue.deserted_since = (!staffed).then_some(at);
                }
                self.plan_all_waiting(*queue);
            }
            Event::QueueClosed { queue, closed, .. } => {
                let until = closed.as_ref().and_then(|closed| closed.until);
                match until {
                    Some(until) => self.timers.set(Timer::Reopen(*queue), until),
                    None => self.timers.clear(Timer::Reopen(*queue)),
                }
                if let Some(queue) = self.queues.get_mut(queue) {
                    queue.closed.clone_from(closed);
                }
            }
            Event::NoticeChanged { queue, notice, .. } => {
                if let Some(queue) = self.queues.get_mut(queue) {
                    queue.notice.clone_from(notice);
                }
            }
            _ => {}
        }
    }

    /// Sets the deadlines of everybody who waits in a queue by its present rules.
    pub(super) fn plan_all_waiting(&mut self, queue: QueueId) {
        let waiting: Vec<ConversationId> =
            self.queues.get(&queue).into_iter().flat_map(|queue| &queue.waiting).map(|turn| turn.conversation).collect();
        for conversation in waiting {
            self.plan_waiting(conversation);
        }
    }

    /// Sets the deadlines of one who waits by the queue's present rules.
    pub(super) fn plan_waiting(&mut self, id: ConversationId) {
        for (timer, due) in
            [(Timer::Overflow(id), self.overflow_due(id).map(|(due, _)| due)), (Timer::Announce(id), self.announcement_due(id))]
        {
            match due {
                Some(due) => self.timers.set(timer, due),
                None => self.timers.clear(timer),
            }
        }
    }

    /// When the next overflow rule of the queue applies to one who waits there, and which of the rules it is.
    pub(crate) fn overflow_due(&self, id: ConversationId) -> Option<(Timestamp, usize)> {
        let found = self.conversations.get(&id)?;
        // Who is called back waits as long as it takes.
        let visit = found.visit.as_ref().filter(|_| found.overflows < OVERFLOWS_PER_CONVERSATION && found.callback.is_none())?;
        let queue = self.queues.get(&visit.queue)?;
        let due = |condition: &Condition| match condition {
            Condition::Waited { after } => Some(visit.enqueued_at + *after),
            Condition::NoAgents { after } => queue.deserted_since.map(|since| since.max(visit.enqueued_at) + *after),
            // Asked once, when the customer comes.
            Condition::Length { .. } | Condition::EstimatedWait { .. } | Condition::Closed => None,
        };
        let rules = queue.settings.waiting.overflow.iter().enumerate().filter(|(rule, _)| visit.passed_over & bit(*rule) == 0);
        rules.filter_map(|(rule, overflow)| Some((due(&overflow.when)?, rule))).min()
    }

    /// When one who waits is told something next.
    pub(crate) fn announcement_due(&self, id: ConversationId) -> Option<Timestamp> {
        let visit = self.conversations.get(&id).filter(|found| found.callback.is_none())?.visit.as_ref()?;
        let told = &self.queues.get(&visit.queue)?.settings.waiting.announcements;
        let tells = told.position || told.estimate || !told.comfort.is_empty();
        let last = visit.announced.map_or(visit.enqueued_at, |(_, at)| at);
        told.every.filter(|_| tells).map(|every| last + every)
    }
}

/// The bit of a rule among those passed over; a queue has fewer rules than there are bits.
fn bit(rule: usize) -> u32 {
    const { assert!(crate::limits::OVERFLOW_RULES <= 32) };
    1u32.checked_shl(u32::try_from(rule).unwrap_or(u32::MAX)).unwrap_or_default()
}
