//! What those who wait are told, and how long they are likely to wait.

use super::Engine;
use crate::{
    conversation::{Conversation, SegmentKind, Visit},
    ids::{ConversationId, LegId, QueueId},
    input::Actor,
    output::{Action, Event, Prompt},
    phrase,
    queue::{Estimate, Queue},
    refusal::Refusal,
};

impl Engine {
    /// What a customer hears who has just entered a queue: its notice, its initial announcement, or music at once.
    pub(super) fn welcome_to_queue(&mut self, id: ConversationId) {
        let Some(visit) = self.visit(id).filter(|_| self.customer(id).is_some()).cloned() else { return };
        let Some(queue) = self.world.queues.get(&visit.queue) else { return };
        let first = queue.notice.clone().or_else(|| queue.settings.waiting.announcements.initial.clone());
        match first {
            Some(prompt) => {
                self.emit(Event::Announced { visit: visit.id, conversation: id, queue: visit.queue, step: 0 });
                self.play_once_to_customer(id, prompt);
            }
            None => self.play_music(id),
        }
    }

    /// It is time to tell one who waits something.
    pub(super) fn announce(&mut self, id: ConversationId) {
        let Some(visit) = self.visit(id).cloned() else { return };
        let step = visit.announced.map_or(0, |(step, _)| step).saturating_add(1);
        let prompt = self.announcement(&visit, id, step);
        self.emit(Event::Announced { visit: visit.id, conversation: id, queue: visit.queue, step });
        if let Some(prompt) = prompt {
            self.play_once_to_customer(id, prompt);
        }
    }

    /// The announcement whose turn it is: place and wait first, then the comfort prompts one by one, and again.
    fn announcement(&self, visit: &Visit, id: ConversationId, step: u32) -> Option<Prompt> {
        let queue = self.world.queues.get(&visit.queue)?;
        let told = &queue.settings.waiting.announcements;
        let spoken = usize::from(told.position || told.estimate);
        let turns = spoken + told.comfort.len();
        let turn = (step as usize).saturating_sub(1).checked_rem(turns)?;
        if turn >= spoken {
            return told.comfort.get(turn - spoken).cloned();
        }
        let position = place_in_line(queue, visit, id);
        let estimate = told.estimate.then(|| queue.pace.estimate(position, self.staff.able(visit.queue))).flatten();
        let language = self.language_of(id, queue);
        phrase::waiting(&language, told.position.then_some(position), estimate)
    }

    /// The customer's language, else the one the queue speaks in its own announcement, else English.
    fn language_of(&self, id: ConversationId, queue: &Queue) -> String {
        let chosen = self.world.conversations.get(&id).and_then(|found| found.language.clone());
        let own = match &queue.settings.waiting.announcements.initial {
            Some(Prompt::Text { language, .. }) => Some(language.clone()),
            _ => None,
        };
        chosen.or(own).unwrap_or_else(|| "en".to_owned())
    }

    /// The wait of whoever enters now is predicted, where there is a basis.
    pub(super) fn predict_wait(&mut self, id: ConversationId) {
        let Some(visit) = self.visit(id) else { return };
        let (visit_id, queue) = (visit.id, visit.queue);
        let Some(state) = self.world.queues.get(&queue) else { return };
        let position = place_in_line(state, visit, id);
        let Some(estimate) = state.pace.estimate(position, self.staff.able(queue)) else { return };
        let position = u32::try_from(position).unwrap_or(u32::MAX);
        self.emit(Event::VisitEstimated { visit: visit_id, conversation: id, queue, position, estimate });
    }

    /// An agent has taken one who waited: the queue's pace is learned from, and the prediction compared.
    pub(super) fn measure_wait(&mut self, id: ConversationId, leg: LegId) {
        let Some(visit) = self.visit(id).cloned() else { return };
        let Some(state) = self.world.queues.get(&visit.queue) else { return };
        let wait = self.now.since(visit.enqueued_at);
        let offered_at = self.world.conversations.get(&id).and_then(|found| found.offer_over(leg)).map(|offer| offer.made_at);
        let kept_waiting = offered_at.is_some_and(|at| at > visit.enqueued_at);
        // Who is answered at once says how fast people pick up, not how fast the queue moves.
        if let Some(since) = state.pace.since.filter(|_| kept_waiting) {
            let able = u32::try_from(self.staff.able(visit.queue)).unwrap_or(u32::MAX);
            self.emit(Event::PaceMeasured { queue: visit.queue, gap: self.now.since(since), able });
        }
        if let Some(estimate) = visit.estimate {
            let held = estimate.holds(wait);
            let queue = visit.queue;
            self.emit(Event::EstimateMeasured { visit: visit.id, conversation: id, queue, estimate, wait, held });
        }
    }

    /// The likely wait of one who would enter the queue now.
    pub fn estimate(&self, queue: QueueId) -> Option<Estimate> {
        let state = self.world.queues.get(&queue)?;
        state.pace.estimate(state.waiting.len() + 1, self.staff.able(queue))
    }

    /// Sets or takes back what everybody in the queue is told, and tells it to those who wait.
    pub(super) fn set_notice(&mut self, by: Actor, queue: QueueId, notice: Option<Prompt>) -> Result<(), Refusal> {
        self.only_supervisors(&by)?;
        let state = self.queue(queue)?;
        if let Some(prompt) = &notice {
            crate::config::check_announcement("notice", prompt)?;
        }
        if state.notice == notice {
            return Ok(());
        }
        let waiting: Vec<ConversationId> = state.waiting.iter().map(|turn| turn.conversation).collect();
        self.emit(Event::NoticeChanged { queue, notice: notice.clone(), by });
        if let Some(prompt) = notice {
            for id in waiting {
                self.play_once_to_customer(id, prompt.clone());
            }
        }
        Ok(())
    }

    /// The queue's music, after an announcement or instead of one.
    pub(super) fn play_music(&mut self, id: ConversationId) {
        let queue = self.visit(id).and_then(|visit| self.world.queues.get(&visit.queue));
        let music = queue.map_or(Prompt::Music, |queue| queue.settings.hold_music.clone());
        self.play_to_customer(id, music);
    }

    fn play_once_to_customer(&mut self, id: ConversationId, prompt: Prompt) {
        let waits = self.world.conversations.get(&id).and_then(Conversation::place) == Some(SegmentKind::Queue);
        if let Some((leg, line)) = self.customer(id).filter(|_| waits) {
            self.act(Action::Play { conversation: id, leg, line, prompt, repeat: false });
        }
    }

    fn visit(&self, id: ConversationId) -> Option<&Visit> {
        self.world.conversations.get(&id)?.visit.as_ref()
    }
}

/// Place in the order of service, 1 for the next. Most ask at the end of the line, where nothing has to be counted.
fn place_in_line(queue: &Queue, visit: &Visit, id: ConversationId) -> usize {
    let turn = visit.turn(id);
    if queue.waiting.last() == Some(&turn) {
        return queue.waiting.len();
    }
    queue.waiting.range(..=turn).count().max(1)
}
