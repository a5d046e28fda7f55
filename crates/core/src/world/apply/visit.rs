//! Stays in queues.

use crate::{
    conversation::Visit,
    output::{Event, Stamped},
    world::{Timer, World},
};

impl World {
    pub(super) fn apply_visit(&mut self, stamped: &Stamped) {
        match &stamped.event {
            Event::VisitStarted { visit, conversation, queue, priority, skills, enqueued_at, terms } => {
                let Some(found) = self.conversations.get_mut(conversation) else { return };
                let visit = Visit {
                    id: *visit,
                    queue: *queue,
                    priority: *priority,
                    skills: skills.clone(),
                    enqueued_at: *enqueued_at,
                    terms: terms.clone(),
                };
                let turn = visit.turn(*conversation);
                found.visit = Some(visit);
                if let Some(segment) = &mut found.segment {
                    segment.queue = Some(*queue);
                }
                found.last_queue = Some(*queue);
                found.visits += 1;
                if let Some(queue) = self.queues.get_mut(queue) {
                    queue.waiting.insert(turn);
                    if let Some(longest) = queue.settings.max_wait {
                        self.timers.set(Timer::MaxWait(*conversation), *enqueued_at + longest);
                    }
                }
            }
            Event::VisitEnded { conversation, .. } => {
                self.timers.clear(Timer::MaxWait(*conversation));
                let Some(visit) = self.conversations.get_mut(conversation).and_then(|found| found.visit.take()) else { return };
                if let Some(queue) = self.queues.get_mut(&visit.queue) {
                    queue.waiting.remove(&visit.turn(*conversation));
                }
            }
            _ => {}
        }
    }
}
