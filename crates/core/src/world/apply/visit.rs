//! Stays in queues.

use crate::{
    callback::KeptPlace,
    conversation::Visit,
    ids::{ConversationId, QueueId},
    output::{Event, Stamped},
    queue::{self, Outcome},
    world::{Timer, World},
};

impl World {
    pub(super) fn apply_visit(&mut self, stamped: &Stamped) {
        match &stamped.event {
            Event::VisitStarted { visit, conversation, queue, priority, skills, enqueued_at, terms } => {
                let Some(found) = self.conversations.get_mut(conversation) else { return };
                let mut visit = Visit::new(*visit, *queue, *priority, skills.clone(), *enqueued_at, terms.clone());
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
                let Some(visit) = self.visit_mut(*conversation) else { return };
                visit.ring = *ring;
                visit.terms.preferred = visit.terms.preferred.filter(|waited| Some(waited.agent) == *preferred);
                self.plan_widening(*conversation);
            }
            Event::PriorityChanged { conversation, priority, .. } => {
                let writes = self.written.contains_key(conversation);
                let Some(settings) = self.visit(*conversation).and_then(|visit| self.queues.get(&visit.queue)).map(|queue| &queue.settings)
                else {
                    return;
                };
                let settings = settings.clone();
                let Some(visit) = self.visit_mut(*conversation) else { return };
                let former = visit.turn(*conversation);
                visit.priority = *priority;
                visit.aged = aged(&settings, visit);
                let turn = visit.turn(*conversation);
                if let Some(queue) = self.queues.get_mut(&settings.id) {
                    let line = if writes { &mut queue.written } else { &mut queue.waiting };
                    line.remove(&former);
                    line.insert(turn);
                }
            }
            Event::Decided { conversation, decision, .. } => {
                if let Some(visit) = self.visit_mut(*conversation) {
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
    pub(super) fn plan_widening(&mut self, id: ConversationId) {
        let due = self.visit(id).and_then(|visit| {
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
        let writing: Vec<ConversationId> = state.written.iter().map(|turn| turn.conversation).collect();
        state.written.clear();
        for id in &writing {
            if let Some(visit) = self.written.get_mut(id).and_then(|found| found.visit.as_mut()) {
                visit.aged = aged(&state.settings, visit);
                state.written.insert(visit.turn(*id));
            }
        }
        for id in waiting.into_iter().chain(writing) {
            self.plan_widening(id);
        }
    }

    /// The stay in a queue of whoever calls or writes.
    pub(super) fn visit_mut(&mut self, id: ConversationId) -> Option<&mut Visit> {
        match self.conversations.get_mut(&id) {
            Some(found) => found.visit.as_mut(),
            None => self.written.get_mut(&id)?.visit.as_mut(),
        }
    }
}

/// A visit's key in the order of service of its queue.
pub(super) fn aged(queue: &queue::Settings, visit: &Visit) -> Option<i64> {
    queue.routing.aging.and_then(|aging| aging.key(visit.priority, visit.in_line_since()))
}
