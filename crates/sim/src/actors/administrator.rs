//! Administrators, who change documents while calls are under way.

use crate::{chance::Chance, stage::Stage};
use dreiklang_core::{
    Input,
    config::{Change, Target},
    flow::Node,
    queue::{Aging, Allowance, RecordingPolicy},
    routing::Strategy,
    time::Millis,
};

impl Stage<'_> {
    pub fn administrate(&mut self, chance: &mut Chance) {
        let change = match chance.below(11) {
            0..=3 => self.change_queue(chance),
            4..=5 => self.change_agent(chance),
            6 => self.retarget_number(chance),
            7 if chance.happens(0.5) => self.change_flow(chance),
            7 => {
                // Whether the agent is busy or not: who is, disappears when done.
                let agent = chance.pick(&self.profile.agents).copied();
                agent.map(Change::RemoveAgent)
            }
            8 => {
                let lists: Vec<_> = self.engine.world().caller_lists().map(|list| list.id).collect();
                chance.pick(&lists).copied().map(Change::RemoveCallerList)
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
        match chance.below(9) {
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
            3 => {
                let ways = [Strategy::LongestIdle, Strategy::RoundRobin, Strategy::FewestCalls, Strategy::RingAll, Strategy::SkillLevel];
                settings.routing.strategy = *chance.pick(&ways)?;
            }
            4 => {
                let every = chance.between(Millis::from_secs(1), Millis::from_secs(60));
                let aging = Aging { every, step: 1 + chance.below(10) as u8, max: chance.below(101) as u8 };
                settings.routing.aging = chance.happens(0.7).then_some(aging);
                settings.routing.weight = 1 + chance.below(500) as u16;
            }
            5 => {
                // The widest of today's rings is the only one of tomorrow, or there is none.
                let last = settings.routing.rings.pop();
                settings.routing.rings = last.into_iter().filter(|_| chance.happens(0.6)).collect();
            }
            6 => settings.priority = chance.below(101) as u8,
            7 => settings.max_waiting = 1 + chance.below(30) as u32,
            _ => settings.max_wait = chance.happens(0.5).then(|| chance.between(Millis::from_secs(5), Millis::from_secs(400))),
        }
        Some(Change::PutQueue(settings))
    }

    /// The next version of a flow; who is in the one before stays in it.
    fn change_flow(&self, chance: &mut Chance) -> Option<Change> {
        let (_, _, flow) = self.engine.world().flows().next()?;
        let mut flow = flow.clone();
        for node in flow.nodes.values_mut() {
            if let Node::Menu(menu) = node {
                menu.wait = chance.between(Millis::from_secs(1), Millis::from_secs(10));
                menu.attempts = 1 + chance.below(4) as u8;
                menu.interrupt = chance.happens(0.7);
            }
        }
        Some(Change::PutFlow(Box::new(flow)))
    }

    fn change_agent(&self, chance: &mut Chance) -> Option<Change> {
        let id = *chance.pick(&self.profile.agents)?;
        let mut settings = self.engine.world().agent(id)?.settings.clone();
        let queue = *chance.pick(&self.profile.queues)?;
        if !settings.queues.remove(&queue) {
            settings.queues.insert(queue);
        }
        settings.personal.take_if(|queue| !settings.queues.contains(queue));
        for queues in settings.profiles.values_mut() {
            queues.retain(|queue| settings.queues.contains(queue));
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
