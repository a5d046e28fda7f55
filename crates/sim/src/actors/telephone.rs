//! Telephones that the core calls: agents' and those of parties outside.

use crate::{
    actors::line::{FarLeg, FarState, LineStep, Who},
    stage::{Entry, Stage},
};
use dreiklang_core::{
    Input,
    conversation::CauseKind,
    endpoint::{Endpoint, Line},
    ids::{ConversationId, LegId},
    time::Millis,
};

impl Stage<'_> {
    /// A line calls somebody.
    pub fn dial(&mut self, conversation: ConversationId, leg: LegId, line: Line, to: &Endpoint) -> Result<(), &'static str> {
        if self.legs.contains_key(&leg) {
            return Ok(());
        }
        let agent = self.engine.world().agents().find(|agent| agent.settings.endpoint == *to).map(|agent| agent.settings.id);
        let worker = agent.and_then(|id| self.workers.iter().position(|worker| worker.id == id));
        let who = worker.map_or(Who::Outside, Who::Telephone);
        let chance = self.chance_of_called(conversation);
        self.legs.insert(leg, FarLeg::new(line, who, chance));
        match worker {
            Some(agent) => self.ring_agent(agent, leg),
            None => self.ring_outside(leg),
        }
        Ok(())
    }

    fn ring_agent(&mut self, agent: usize, leg: LegId) {
        let work = &self.profile.work;
        let now = self.now;
        let worker = &self.workers[agent];
        if worker.asleep_until.is_some_and(|until| now < until) {
            // Nothing rings, and nobody says so.
            return;
        }
        let busy = worker.on_telephone.is_some_and(|other| self.legs.get(&other).is_some_and(|far| far.state == FarState::Up));
        let Some(far) = self.legs.get_mut(&leg) else { return };
        let chance = &mut far.chance;
        let mut after = if work.answer_delay == Millis(0) { Millis(0) } else { chance.exponential(work.answer_delay) };
        let step = if busy || chance.happens(work.busy) {
            Some(LineStep::Refuse(leg, CauseKind::Busy))
        } else if chance.happens(work.misses) {
            None
        } else if chance.happens(work.declines) {
            Some(LineStep::Refuse(leg, CauseKind::Declined))
        } else {
            Some(LineStep::PickUp(leg))
        };
        if matches!(step, Some(LineStep::Refuse(_, CauseKind::Busy))) {
            after = Millis(0);
        } else if chance.happens(0.8) {
            self.report(leg, Input::Ringing { leg });
        }
        if let Some(step) = step {
            self.agenda.put(now + after, Entry::Line(step));
        }
    }

    fn ring_outside(&mut self, leg: LegId) {
        const DELAY: Millis = Millis::from_secs(6);
        let Some(far) = self.legs.get_mut(&leg) else { return };
        let after = far.chance.exponential(DELAY);
        let step = match far.chance.below(10) {
            0 => Some(LineStep::Refuse(leg, CauseKind::Busy)),
            1 => Some(LineStep::Refuse(leg, CauseKind::Unreachable)),
            2 => None,
            _ => Some(LineStep::PickUp(leg)),
        };
        if let Some(step) = step {
            self.agenda.put(self.now + after, Entry::Line(step));
        }
    }

    /// Somebody answers.
    pub fn pick_up(&mut self, leg: LegId) {
        let Some(far) = self.legs.get_mut(&leg).filter(|far| far.state == FarState::Coming) else { return };
        far.state = FarState::Up;
        if let Who::Telephone(agent) = far.who {
            self.workers[agent].on_telephone = Some(leg);
        }
        self.report(leg, Input::Connected { leg, token: Some(format!("token of {leg}")) });
    }
}
