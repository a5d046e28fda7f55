//! Supervisors who follow talks: they listen, whisper, barge in and take over, in random order.

use crate::{
    chance::Chance,
    stage::{Entry, Stage},
};
use dreiklang_core::{
    Actor, Command,
    conversation::SupervisionMode,
    ids::{AgentId, ConversationId},
    time::Millis,
};

const MODES: [SupervisionMode; 3] = [SupervisionMode::Listen, SupervisionMode::Whisper, SupervisionMode::Barge];
/// What one supervisor does with one talk, at most.
const STEPS: u32 = 6;

impl Stage<'_> {
    /// Some talks get a supervisor, who does something about each every few seconds.
    pub fn begin_following(&mut self, chance: &mut Chance) {
        let talks: Vec<ConversationId> =
            self.engine.world().conversations().filter(|found| found.talk.is_some()).map(|found| found.id).collect();
        let free: Vec<AgentId> =
            self.engine.world().agents().filter(|agent| agent.can_supervise()).map(|agent| agent.settings.id).collect();
        for _ in 0..1 + chance.below(3) {
            let (Some(conversation), Some(supervisor)) = (chance.pick(&talks).copied(), chance.pick(&free).copied()) else { return };
            let mode = chance.pick(&MODES).copied().unwrap_or_default();
            let by = if chance.happens(0.3) { Actor::Agent(supervisor) } else { Actor::User("supervisor".to_owned()) };
            self.ask(by, Command::Supervise { conversation, agent: supervisor, mode }, None);
            self.plan_following(conversation, supervisor, STEPS, chance.exponential(Millis::from_secs(8)));
        }
    }

    fn plan_following(&mut self, conversation: ConversationId, supervisor: AgentId, steps: u32, after: Millis) {
        if let Some(steps) = steps.checked_sub(1) {
            self.agenda.put(self.now + after + Millis(1), Entry::Supervisor { conversation, supervisor, steps });
        }
    }

    pub fn follow(&mut self, conversation: ConversationId, supervisor: AgentId, steps: u32) {
        let follows = self
            .engine
            .world()
            .conversation(conversation)
            .is_some_and(|found| found.supervisors.iter().any(|one| one.supervisor == supervisor));
        if !follows {
            return;
        }
        let mode = self.chance.pick(&MODES).copied().unwrap_or_default();
        let command = match self.chance.below(10) {
            0 => Command::EndSupervision { conversation, agent: supervisor },
            1..=2 => Command::TakeOver { conversation, agent: supervisor },
            _ => Command::ChangeSupervision { conversation, agent: supervisor, mode },
        };
        self.ask(Actor::User("supervisor".to_owned()), command, None);
        let after = self.chance.exponential(Millis::from_secs(10));
        self.plan_following(conversation, supervisor, steps, after);
    }
}
