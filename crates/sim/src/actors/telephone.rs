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

/// How callers' numbers begin.
const CALLERS: &str = "+491701";

impl Stage<'_> {
    /// A line calls somebody.
    pub fn dial(&mut self, conversation: ConversationId, leg: LegId, line: Line, to: &Endpoint) -> Result<(), &'static str> {
        if self.legs.contains_key(&leg) {
            return Ok(());
        }
        let agent = self.engine.world().agents().find(|agent| agent.settings.endpoint == *to).map(|agent| agent.settings.id);
        if let Some(caller) = self.called_back(to) {
            self.ring_caller(conversation, caller, leg, line);
            return Ok(());
        }
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

    /// The caller who has this number.
    fn called_back(&self, to: &Endpoint) -> Option<usize> {
        let Endpoint::Number(number) = to else { return None };
        let index: u64 = number.strip_prefix(CALLERS)?.parse().ok()?;
        self.callers.iter().position(|caller| caller.plan.index == index)
    }

    /// Who asked to be called back is there, or telephones, or is not there.
    fn ring_caller(&mut self, conversation: ConversationId, caller: usize, leg: LegId, line: Line) {
        let chance = self.chance_of_called(conversation);
        let busy = self.callers[caller].leg.is_some();
        let who = if busy { Who::Outside } else { Who::Caller(caller) };
        self.legs.insert(leg, FarLeg::new(line, who, chance));
        if busy {
            self.agenda.put(self.now, Entry::Line(LineStep::Refuse(leg, CauseKind::Busy)));
            return;
        }
        self.callers[caller].called_back(leg);
        self.caller_of.insert(conversation, caller);
        self.report(leg, Input::Ringing { leg });
        self.ring_outside(leg);
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
            // One in five times it is the mailbox, which presses nothing and hangs up when it hears no voice.
            let (after, by_mailbox) = (far.chance.exponential(Millis::from_secs(2)), far.chance.happens(0.2));
            self.workers[agent].on_telephone = Some(leg);
            let id = self.workers[agent].id;
            if self.engine.world().agent(id).is_some_and(|agent| agent.settings.confirm.is_some()) {
                let (after, step) = match by_mailbox {
                    true => (after + Millis::from_secs(8), LineStep::Break(leg, CauseKind::FarEnd)),
                    false => (after, LineStep::Confirm(leg)),
                };
                self.agenda.put(self.now + after, Entry::Line(step));
            }
        }
        self.report(leg, Input::Connected { leg, token: Some(format!("token of {leg}")) });
    }
}
