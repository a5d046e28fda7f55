//! Stays in queues.

use crate::{
    callback::KeptPlace,
    conversation::Visit,
    ids::{ConversationId, QueueId},
    output::{Event, Stamped},
    queue::{self, Outcome},
    world::{Timer, World},
};
use std::collections::BTreeMap;

impl World {
    pub(super) fn apply_visit(&mut self, stamped: &Stamped) {
        match &stamped.event {
            Event::VisitStarted { visit, conversation, queue, priority, skills, enqueued_at, terms } => {
                let Some(found) = self.conversations.get_mut(conversation) else { return };
                let mut visit = Visit {
                    id: *visit,
                    queue: *queue,
                    priority: *priority,
                    skills: skills.clone(),
                    enqueued_at: *enqueued_at,
                    terms: terms.clone(),
                    ring: 0,
                    unserved: None,
                    aged: None,
                    estimate: None,
                    announced: None,
                    passed_over: 0,
                    missed_by: BTreeMap::new(),
                };
                if let Some(queue) = self.queues.get(queue) {
                    visit.aged = aged(&queue.settings, &visit);
                }
                let waits_away = found.callback.is_some();
                let turn = visit.turn(*conversation);
                let widens_at = self.queues.get(queue).and_then(|queue| visit.widens_at(&queue.settings));
                found.visit = Some(visit);
                if let Some(segment) = &mut found.segment {
                    segment.queue = Some(*queue);
                }
                found.last_queue = Some(*queue);
                found.visits += 1;
                if let Some(queue) = self.queues.get_mut(queue) {
                    if queue.waiting.is_empty() {
                        queue.pace.since = Some(stamped.at);
                    }
                    queue.waiting.insert(turn);
                    queue.callbacks += u32::from(waits_away);
                    if let Some(due) = widens_at {
                        self.timers.set(Timer::Widen(*conversation), due);
                    }
                    if let Some(longest) = queue.settings.max_wait.filter(|_| !waits_away) {
                        self.timers.set(Timer::MaxWait(*conversation), *enqueued_at + longest);
                    }
                }
                self.plan_waiting(*conversation);
            }
            Event::VisitWidened { conversation, ring, preferred, .. } => {
                let Some(visit) = self.conversations.get_mut(conversation).and_then(|found| found.visit.as_mut()) else { return };
                visit.ring = *ring;
                visit.terms.preferred = visit.terms.preferred.filter(|waited| Some(waited.agent) == *preferred);
                self.plan_widening(*conversation);
            }
            Event::PriorityChanged { conversation, priority, .. } => {
                let Some(visit) = self.conversations.get_mut(conversation).and_then(|found| found.visit.as_mut()) else { return };
                let former = visit.turn(*conversation);
                visit.priority = *priority;
                if let Some(queue) = self.queues.get_mut(&visit.queue) {
                    visit.aged = aged(&queue.settings, visit);
                    queue.waiting.remove(&former);
                    queue.waiting.insert(visit.turn(*conversation));
                }
            }
            Event::Decided { conversation, decision, .. } => {
                if let Some(visit) = self.conversations.get_mut(conversation).and_then(|found| found.visit.as_mut()) {
                    visit.unserved = decision.chosen.is_empty().then(|| visit.stage());
                }
            }
            Event::VisitEnded { conversation, outcome, wait, .. } => {
                for timer in [
                    Timer::Widen(*conversation),
                    Timer::MaxWait(*conversation),
                    Timer::Overflow(*conversation),
                    Timer::AskAgain(*conversation),
                    Timer::Announce(*conversation),
                ] {
                    self.timers.clear(timer);
                }
                let Some(found) = self.conversations.get_mut(conversation) else { return };
                let waits_away = found.callback.is_some();
                let Some(visit) = found.visit.take() else { return };
                found.kept_place = Some(KeptPlace {
                    in_line_since: visit.in_line_since(),
                    priority: Some(visit.priority),
                    skills: visit.skills.clone(),
                    language: visit.terms.language.clone(),
                });
                found.waited = found.waited + *wait;
                if let Some(queue) = self.queues.get_mut(&visit.queue) {
                    queue.waiting.remove(&visit.turn(*conversation));
                    queue.callbacks = queue.callbacks.saturating_sub(u32::from(waits_away));
                    if queue.waiting.is_empty() {
                        queue.pace.since = None;
                    } else if *outcome == Outcome::Answered {
                        queue.pace.since = Some(stamped.at);
                    }
                }
            }
            _ => {}
        }
    }

    /// Makes the deadline of a visit's next ring what queue and visit say.
    fn plan_widening(&mut self, id: ConversationId) {
        let due = self.conversations.get(&id).and_then(|found| found.visit.as_ref()).and_then(|visit| {
            let queue = self.queues.get(&visit.queue)?;
            visit.widens_at(&queue.settings)
        });
        match due {
            Some(due) => self.timers.set(Timer::Widen(id), due),
            None => self.timers.clear(Timer::Widen(id)),
        }
    }

    /// The queue's rules have changed: those who wait take turns by the new ones.
    pub(super) fn reorder(&mut self, queue: QueueId) {
        let Some(state) = self.queues.get_mut(&queue) else { return };
        let waiting: Vec<ConversationId> = state.waiting.iter().map(|turn| turn.conversation).collect();
        state.waiting.clear();
        for id in &waiting {
            if let Some(visit) = self.conversations.get_mut(id).and_then(|found| found.visit.as_mut()) {
                visit.aged = aged(&state.settings, visit);
                state.waiting.insert(visit.turn(*id));
            }
        }
        for id in waiting {
            self.plan_widening(id);
        }
    }
}

/// A visit's key in the order of service of its queue.
fn aged(queue: &queue::Settings, visit: &Visit) -> Option<i64> {
    queue.routing.aging.and_then(|aging| aging.key(visit.priority, visit.in_line_since()))
}
