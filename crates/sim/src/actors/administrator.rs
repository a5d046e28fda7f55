//! Administrators, who change documents while calls are under way.

use crate::{chance::Chance, stage::Stage};
use dreiklang_core::{
    Input,
    config::{Change, Target},
    queue::{Allowance, RecordingPolicy},
    time::Millis,
};

impl Stage<'_> {
    pub fn administrate(&mut self, chance: &mut Chance) {
        let change = match chance.below(10) {
            0..=3 => self.change_queue(chance),
            4..=5 => self.change_agent(chance),
            6 => self.retarget_number(chance),
            7 => {
                // Whether the agent is busy or not: who is, disappears when done.
                let agent = chance.pick(&self.profile.agents).copied();
                agent.map(Change::RemoveAgent)
            }
            // What was changed or removed becomes again what it was in the morning.
            _ => chance.pick(&self.profile.documents).cloned(),
        };
        if let Some(change) = change {
            self.give(Input::Configure { change });
        }
    }

    fn change_queue(&self, chance: &mut Chance) -> Option<Change> {
        let id = *chance.pick(&self.profile.queues)?;
        let mut settings = self.engine.world().queue(id)?.settings.clone();
        match chance.below(6) {
            0 => settings.ring = chance.between(Millis::from_secs(3), Millis::from_secs(40)),
            1 => {
                settings.wrap_up = match chance.below(3) {
                    0 => Allowance::None,
                    1 => Allowance::Timed { duration: chance.between(Millis(0), Millis::from_secs(60)) },
                    _ => Allowance::UntilFinished,
                }
            }
            2 => {
                let policies = [RecordingPolicy::Off, RecordingPolicy::FromAnswer, RecordingPolicy::FromQueue];
                settings.recording = *chance.pick(&policies)?;
            }
            3 => settings.priority = chance.below(101) as u8,
            4 => settings.max_waiting = 1 + chance.below(30) as u32,
            _ => settings.max_wait = chance.happens(0.5).then(|| chance.between(Millis::from_secs(5), Millis::from_secs(400))),
        }
        Some(Change::PutQueue(settings))
    }

    fn change_agent(&self, chance: &mut Chance) -> Option<Change> {
        let id = *chance.pick(&self.profile.agents)?;
        let mut settings = self.engine.world().agent(id)?.settings.clone();
        let queue = *chance.pick(&self.profile.queues)?;
        if !settings.queues.remove(&queue) {
            settings.queues.insert(queue);
        }
        if chance.happens(0.3) {
            for level in settings.skills.values_mut() {
                *level = 1 + chance.below(5) as u8;
            }
        }
        Some(Change::PutAgent(settings))
    }

    fn retarget_number(&self, chance: &mut Chance) -> Option<Change> {
        let numbers: Vec<_> = self.engine.world().numbers().collect();
        let mut number = (*chance.pick(&numbers)?).clone();
        number.target = if chance.happens(0.8) {
            Target::Queue(*chance.pick(&self.profile.queues)?)
        } else {
            Target::Agent(*chance.pick(&self.profile.agents)?)
        };
        Some(Change::PutNumber(number))
    }
}
