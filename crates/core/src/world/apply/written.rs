//! Conversations in writing.

use crate::{
    conversation::Visit,
    ids::{AgentId, ConversationId},
    limits::WRITTEN_MAX,
    output::{Event, Stamped},
    world::{Timer, World},
    written::{Channel, Handling, Work, WorkState, Written, WrittenOffer, WrittenWrapUp},
};

impl World {
    pub(super) fn apply_written(&mut self, stamped: &Stamped) {
        let at = stamped.at;
        match &stamped.event {
            Event::WrittenOpened { conversation, channel, customer, subject, link, language, .. } => {
                let opened = Written {
                    id: *conversation,
                    channel: *channel,
                    customer: customer.clone(),
                    subject: subject.clone(),
                    link: link.clone(),
                    language: language.clone(),
                    started_at: at,
                    visit: None,
                    offers: Vec::new(),
                    handling: None,
                    wrap_up: None,
                    disposition: None,
                    last_queue: None,
                    visits: 0,
                    ended: None,
                };
                self.written.insert(*conversation, opened);
                self.timers.set(Timer::Conversation(*conversation), at + WRITTEN_MAX);
            }
            Event::WrittenQueued { conversation, visit, queue, priority, skills, terms, .. } => {
                let (Some(found), Some(queue)) = (self.written.get_mut(conversation), self.queues.get_mut(queue)) else { return };
                let mut visit = Visit::new(*visit, queue.settings.id, *priority, skills.clone(), at, terms.clone());
                visit.aged = super::visit::aged(&queue.settings, &visit);
                queue.written.insert(visit.turn(*conversation));
                (found.last_queue, found.visits) = (Some(visit.queue), found.visits.saturating_add(1));
                found.visit = Some(visit);
                self.plan_widening(*conversation);
            }
            Event::WrittenOffered { offer, conversation, channel, queue, agent, until, .. } => {
                if let Some(queue) = self.queues.get_mut(queue) {
                    queue.last_offered = Some(*agent);
                }
                let Some(found) = self.written.get_mut(conversation) else { return };
                found.offers.push(WrittenOffer { id: *offer, agent: *agent, made_at: at, until: *until });
                if let Some(visit) = &mut found.visit {
                    visit.unserved = None;
                }
                self.timers.set(Timer::Ring(*conversation), *until);
                self.give(*agent, *conversation, *channel, WorkState::Offered { offer: *offer, until: *until }, stamped);
            }
            Event::WrittenOfferEnded { offer, conversation, agent, .. } => {
                let Some(found) = self.written.get_mut(conversation) else { return };
                found.offers.retain(|made| made.id != *offer);
                if found.offers.is_empty() {
                    self.timers.clear(Timer::Ring(*conversation));
                }
                self.take_away(*agent, *conversation, None);
                self.apply_missed(stamped);
            }
            Event::WrittenUnqueued { conversation, .. } => {
                for timer in [Timer::Widen(*conversation), Timer::AskAgain(*conversation)] {
                    self.timers.clear(timer);
                }
                let Some(visit) = self.written.get_mut(conversation).and_then(|found| found.visit.take()) else { return };
                if let Some(queue) = self.queues.get_mut(&visit.queue) {
                    queue.written.remove(&visit.turn(*conversation));
                }
            }
            Event::WrittenTaken { conversation, channel, queue, agent } => {
                let Some(found) = self.written.get_mut(conversation) else { return };
                found.handling = Some(Handling { agent: *agent, queue: *queue, since: at });
                self.give(*agent, *conversation, *channel, WorkState::Open, stamped);
                if let Some(agent) = self.agents.get_mut(agent) {
                    agent.taken = agent.taken.saturating_add(1);
                }
            }
            Event::WrittenReleased { conversation, agent, .. } => {
                let Some(found) = self.written.get_mut(conversation) else { return };
                found.handling = None;
                self.take_away(*agent, *conversation, Some(stamped));
            }
            Event::WrittenDisposed { conversation, disposition, .. } => {
                if let Some(found) = self.written.get_mut(conversation) {
                    found.disposition = Some(disposition.clone());
                }
            }
            Event::WrittenWrapUpStarted { conversation, channel, queue, agent, until } => {
                let Some(found) = self.written.get_mut(conversation) else { return };
                found.wrap_up = Some(WrittenWrapUp { agent: *agent, queue: *queue, since: at, until: *until });
                self.timers.set(Timer::Notes(*conversation), *until);
                self.give(*agent, *conversation, *channel, WorkState::WrapUp { until: *until }, stamped);
            }
            Event::WrittenWrapUpEnded { conversation, agent, .. } => {
                self.timers.clear(Timer::Notes(*conversation));
                let Some(found) = self.written.get_mut(conversation) else { return };
                found.wrap_up = None;
                self.take_away(*agent, *conversation, Some(stamped));
                self.forget_written_when_done(*conversation);
            }
            Event::WrittenClosed { conversation, termination, .. } => {
                self.timers.clear(Timer::Conversation(*conversation));
                if let Some(found) = self.written.get_mut(conversation) {
                    found.ended = Some(*termination);
                }
                self.forget_written_when_done(*conversation);
            }
            _ => {}
        }
    }

    fn give(&mut self, agent: AgentId, conversation: ConversationId, channel: Channel, state: WorkState, stamped: &Stamped) {
        if let Some(agent) = self.agents.get_mut(&agent) {
            agent.work.insert(conversation, Work { channel, state, since: stamped.at });
        }
    }

    /// Nothing to see to any more; whoever had it (`done`) has been idle since now, unless there is something else.
    fn take_away(&mut self, id: AgentId, conversation: ConversationId, done: Option<&Stamped>) {
        let Some(agent) = self.agents.get_mut(&id) else { return };
        agent.work.remove(&conversation);
        if let Some(stamped) = done
            && agent.has_nothing_to_do()
        {
            agent.idle_since = stamped.at;
        }
        self.retire_when_done(id);
    }

    fn forget_written_when_done(&mut self, id: ConversationId) {
        if self.written.get(&id).is_some_and(|found| found.is_over() && found.wrap_up.is_none()) {
            self.written.remove(&id);
        }
    }
}
