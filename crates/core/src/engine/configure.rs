//! Configuration changes, and what they mean for what is under way.

use super::Engine;
use crate::{
    config::{Change, validate},
    conversation::{TerminationReason, TerminationResult},
    ids::ConversationId,
    input::Actor,
    output::Event,
    queue::FlowOutReason,
};

impl Engine {
    /// Takes over a document. One that does not hold together is passed over: whoever hands it in asks `config::validate` first.
    pub(super) fn configure(&mut self, change: Change) {
        if validate(&self.world, &change).is_err() || self.is_known(&change) {
            return;
        }
        if let Change::RemoveQueue(id) = &change {
            self.cancel_callbacks_of(*id);
            let waiting: Vec<ConversationId> =
                self.world.queues.get(id).into_iter().flat_map(|queue| &queue.waiting).map(|turn| turn.conversation).collect();
            for conversation in waiting {
                self.break_off(conversation, FlowOutReason::QueueRemoved, TerminationResult::Us, TerminationReason::Ended);
            }
        }
        if let Change::RemoveQueue(id) = &change {
            self.close_written_of(*id);
        }
        let removed_agent = match &change {
            Change::RemoveAgent(id) => Some(*id),
            _ => None,
        };
        let is_queue = matches!(change, Change::PutQueue(_));
        self.emit(Event::Configured { change });
        if is_queue {
            // By the new rules, visits may have waited long enough already for what comes next.
            self.fire_timers();
        }
        if let Some(agent) = removed_agent {
            self.end_wrap_up(agent, Actor::System);
            self.take_work_from(agent);
        }
    }

    /// Whether the document is already what it would become.
    fn is_known(&self, change: &Change) -> bool {
        let world = &self.world;
        match change {
            Change::PutSkill(skill) => world.skills.get(&skill.id) == Some(skill),
            Change::PutQueue(settings) => world.queues.get(&settings.id).is_some_and(|queue| queue.settings == *settings),
            Change::PutAgent(settings) => {
                world.agents.get(&settings.id).is_some_and(|agent| agent.settings == *settings && !agent.retiring)
            }
            Change::PutNumber(number) => world.numbers.get(&number.id) == Some(number),
            Change::PutFlow(flow) => world.flow(flow.id).is_some_and(|(_, published)| *published == **flow),
            Change::PutTenant(settings) => world.settings == *settings,
            Change::RemoveAgent(id) => world.agents.get(id).is_some_and(|agent| agent.retiring),
            Change::PutService(service) => world.services.get(&service.id) == Some(service),
            Change::PutCallerList(list) => world.caller_lists.get(&list.id) == Some(list.as_ref()),
            Change::PutHours(hours) => world.hours.get(&hours.id) == Some(hours.as_ref()),
            Change::PutHolidays(holidays) => world.holidays.get(&holidays.id) == Some(holidays),
            Change::RemoveSkill(_)
            | Change::RemoveQueue(_)
            | Change::RemoveNumber(_)
            | Change::RemoveFlow(_)
            | Change::RemoveService(_)
            | Change::RemoveCallerList(_)
            | Change::RemoveHours(_)
            | Change::RemoveHolidays(_) => false,
        }
    }
}
