//! What a configuration document changes.

use crate::{
    agent::Agent,
    config::{Change, Mailbox},
    endpoint::Endpoint,
    queue::Queue,
    time::Timestamp,
    world::{Timer, World},
};

impl World {
    pub(super) fn apply_configured(&mut self, at: Timestamp, change: &Change) {
        match change {
            Change::PutSkill(skill) => {
                self.skills.insert(skill.id, skill.clone());
            }
            Change::PutQueue(settings) => {
                match self.queues.get_mut(&settings.id) {
                    Some(queue) => {
                        queue.settings = settings.clone();
                        self.reorder(settings.id);
                    }
                    None => {
                        self.queues.insert(settings.id, Queue::new(settings.clone()));
                    }
                }
                self.plan_all_waiting(settings.id);
            }
            Change::PutAgent(settings) => match self.agents.get_mut(&settings.id) {
                Some(agent) => {
                    // Another kind of telephone is reached in another way; what was known of the old one says nothing.
                    let desk = |endpoint: &Endpoint| matches!(endpoint, Endpoint::Desk(_));
                    if desk(&agent.settings.endpoint) != desk(&settings.endpoint) {
                        agent.reachable = !desk(&settings.endpoint);
                    }
                    agent.settings = settings.clone();
                    agent.signed_out.retain(|queue, _| settings.queues.contains(queue));
                    agent.profile.take_if(|profile| !settings.profiles.contains_key(profile));
                    agent.retiring = false;
                }
                None => {
                    self.agents.insert(settings.id, Agent::new(settings.clone(), at));
                }
            },
            Change::PutNumber(number) => {
                self.numbers.insert(number.id, number.clone());
            }
            Change::PutFlow(flow) => self.flows.entry(flow.id).or_default().publish(flow),
            Change::RemoveFlow(id) => {
                if let Some(editions) = self.flows.get_mut(id) {
                    editions.remove();
                }
                self.forget_flow_when_done(*id);
            }
            Change::PutTenant(settings) => self.settings = settings.clone(),
            Change::RemoveSkill(id) => {
                self.skills.remove(id);
            }
            Change::RemoveQueue(id) => {
                self.queues.remove(id);
                for agent in self.agents.values_mut() {
                    agent.signed_out.remove(id);
                }
                self.forget_mailbox(Mailbox::Queue(*id));
                self.timers.clear(Timer::Reopen(*id));
            }
            Change::RemoveAgent(id) => {
                self.forget_mailbox(Mailbox::Agent(*id));
                if let Some(agent) = self.agents.get_mut(id) {
                    agent.retiring = true;
                }
                self.retire_when_done(*id);
            }
            Change::RemoveNumber(id) => {
                self.numbers.remove(id);
            }
            Change::PutService(service) => {
                self.services.insert(service.id, service.clone());
            }
            Change::RemoveService(id) => {
                self.services.remove(id);
            }
            Change::PutCallerList(list) => {
                self.caller_lists.insert(list.id, list.as_ref().clone());
            }
            Change::RemoveCallerList(id) => {
                self.caller_lists.remove(id);
            }
            Change::PutHours(hours) => {
                self.hours.insert(hours.id, hours.as_ref().clone());
            }
            Change::PutHolidays(holidays) => {
                self.holidays.insert(holidays.id, holidays.clone());
            }
            Change::RemoveHours(id) => {
                self.hours.remove(id);
                self.overrides.remove(id);
                self.timers.clear(Timer::HoursOverride(*id));
            }
            Change::RemoveHolidays(id) => {
                self.holidays.remove(id);
            }
        }
    }
}
