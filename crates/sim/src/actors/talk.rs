//! What caller and agent do in a talk: hold, transfer, end it; and what the network does to it.

use crate::{
    actors::line::{FarState, Who},
    profile::company::CODES,
    stage::{Entry, Stage},
};
use dreiklang_core::{
    Actor, Command, Input,
    conversation::CauseKind,
    ids::{AgentId, ConversationId, LegId, QueueId},
    input::TransferTarget,
    time::Millis,
};

/// A party outside that customers are transferred to.
const OUTSIDE: &str = "+49891234567";
/// Nobody may call there: every minute costs a fortune.
const COSTLY: &str = "0088216123456";

#[derive(Clone, Copy, Debug)]
pub enum TalkStep {
    /// Something is said that must not be recorded.
    Pause,
    /// It has been said.
    RecordAgain,
    /// Let the customer wait.
    Hold,
    /// Take the customer back.
    Resume,
    /// Hand the customer on.
    Transfer,
    /// Ask somebody first.
    Consult,
    /// Turn from the one who is asked to the customer, or back.
    Swap,
    /// Give the customer to who was asked.
    Complete,
    /// Bring everybody together.
    Merge,
    /// Let somebody go, or leave it to the others.
    Drop,
    /// Let who was asked go.
    Cancel,
    /// Write down which language the customer speaks.
    Language,
    /// Write down what became of the conversation.
    Outcome,
    /// Say goodbye.
    End,
    /// The connection breaks.
    Break,
}

impl Stage<'_> {
    /// Caller and partner hear each other for the first time.
    pub fn begin_talk(&mut self, index: usize, partner: LegId) {
        let (callers, work, faults) = (&self.profile.callers, &self.profile.work, &self.plan.faults);
        let with_agent = self.legs.get(&partner).is_some_and(|far| matches!(far.who, Who::Telephone(_)));
        let Some(caller) = self.callers.get_mut(index) else { return };
        let chance = &mut caller.chance;
        let lasts = chance.exponential(callers.talk);
        let mut steps = Vec::new();
        let last = match () {
            () if with_agent && chance.happens(work.transfers) => TalkStep::Transfer,
            () if with_agent && chance.happens(work.consults) => TalkStep::Consult,
            () => TalkStep::End,
        };
        steps.push((lasts, last));
        if with_agent && chance.happens(work.holds) {
            let from = Millis((lasts.0 as f64 * chance.unit()) as u64);
            steps.push((from, TalkStep::Hold));
            steps.push((from + chance.exponential(work.hold_length), TalkStep::Resume));
        }
        if with_agent && chance.happens(work.notes) {
            steps.push((Millis(lasts.0 / 3), TalkStep::Language));
        }
        if with_agent && chance.happens(work.notes) {
            steps.push((Millis(lasts.0 / 2), TalkStep::Outcome));
        }
        if with_agent && chance.happens(work.notes) {
            steps.push((Millis(lasts.0 / 4), TalkStep::Pause));
            if chance.happens(0.8) {
                steps.push((Millis(lasts.0 / 2), TalkStep::RecordAgain));
            }
        }
        if faults.breaks_per_minute > 0.0 {
            let after = chance.exponential(Millis((60_000.0 / faults.breaks_per_minute) as u64));
            steps.push((after, TalkStep::Break));
        }
        for (after, step) in steps {
            self.agenda.put(self.now + after, Entry::Talk { caller: index, partner, step });
        }
    }

    pub fn talk_step(&mut self, index: usize, partner: LegId, step: TalkStep) {
        let Some(customer) = self.callers.get(index).filter(|caller| caller.partner == Some(partner)).and_then(|caller| caller.leg) else {
            return;
        };
        if self.legs.get(&partner).is_none_or(|far| far.state != FarState::Up) {
            return;
        }
        match step {
            TalkStep::Hold => self.hold(index, partner, true),
            TalkStep::Resume => self.hold(index, partner, false),
            TalkStep::Transfer => self.transfer(index, partner),
            TalkStep::Consult => self.consult(index, partner),
            TalkStep::Swap => self.steer(partner, |conversation| Command::SwapConsult { conversation }),
            TalkStep::Complete => self.steer(partner, |conversation| Command::CompleteConsult { conversation }),
            TalkStep::Merge => self.steer(partner, |conversation| Command::MergeConsult { conversation }),
            TalkStep::Drop => {
                let member = self.engine.world().conversation_of(partner).and_then(|found| found.members.first()).map(|member| member.leg);
                let leg = self.draw(index, &[Some(partner), member]).unwrap_or(partner);
                self.steer(partner, |conversation| Command::DropParty { conversation, leg });
            }
            TalkStep::Cancel => self.steer(partner, |conversation| Command::CancelConsult { conversation }),
            TalkStep::Language => {
                let language = self.draw(index, &[Some("de"), Some("en"), None]).map(str::to_owned);
                self.steer(partner, |conversation| Command::SetLanguage { conversation, language });
            }
            TalkStep::Outcome => {
                let disposition = self.draw(index, &[Some(CODES[0]), Some(CODES[1]), Some("a long story"), None]).map(str::to_owned);
                if let Some((agent, _)) = self.desk(partner) {
                    self.ask(Actor::Agent(agent), Command::SetDisposition { agent, disposition }, None);
                }
            }
            TalkStep::Pause => {
                let (secure, at_most) = self.draw(index, &[(true, None), (true, Some(Millis::from_secs(20))), (false, None)]);
                self.steer(partner, |conversation| Command::PauseRecording { conversation, secure, at_most });
            }
            TalkStep::RecordAgain => self.steer(partner, |conversation| Command::ResumeRecording { conversation }),
            TalkStep::End => self.say_goodbye(index, customer, partner),
            TalkStep::Break => {
                let kind = self.draw(index, &[CauseKind::Network, CauseKind::MediaLost, CauseKind::Timeout, CauseKind::Failure]);
                let which = self.draw(index, &[customer, partner]);
                self.leg_down(which, Some(kind));
            }
        }
    }

    fn draw<T: Copy>(&mut self, caller: usize, list: &[T]) -> T {
        let index = self.callers[caller].chance.below(list.len() as u64) as usize;
        list[index]
    }

    /// The agent on this leg, and the conversation as the desk shows it.
    fn desk(&self, partner: LegId) -> Option<(AgentId, ConversationId)> {
        let Who::Telephone(agent) = self.legs.get(&partner)?.who else { return None };
        Some((self.workers[agent].id, self.engine.world().conversation_of(partner)?.id))
    }

    fn hold(&mut self, index: usize, partner: LegId, held: bool) {
        let by_telephone = self.callers[index].chance.happens(self.profile.work.by_telephone);
        if by_telephone {
            self.report(partner, Input::HeldByParty { leg: partner, held });
        } else if let Some((agent, conversation)) = self.desk(partner) {
            let command = if held { Command::Hold { conversation } } else { Command::Resume { conversation } };
            self.ask(Actor::Agent(agent), command, None);
        }
    }

    /// The agent on this leg asks for something about the conversation.
    fn steer(&mut self, partner: LegId, command: impl FnOnce(ConversationId) -> Command) {
        if let Some((agent, conversation)) = self.desk(partner) {
            self.ask(Actor::Agent(agent), command(conversation), None);
        }
    }

    /// Asks somebody, turns to and fro, and in the end hands over or thinks better of it.
    fn consult(&mut self, index: usize, partner: LegId) {
        let to = self.draw_target(index);
        self.steer(partner, |conversation| Command::Consult { conversation, to });
        let chance = &mut self.callers[index].chance;
        let mut after = chance.exponential(Millis::from_secs(25));
        let mut steps = Vec::new();
        while chance.happens(0.3) && steps.len() < 4 {
            steps.push((after, TalkStep::Swap));
            after = after + chance.exponential(Millis::from_secs(10));
        }
        match chance.below(13) {
            0..=5 => steps.push((after, TalkStep::Complete)),
            6..=8 => steps.push((after, TalkStep::Cancel)),
            9..=11 => {
                steps.push((after, TalkStep::Merge));
                after = after + chance.exponential(Millis::from_secs(20));
                // One more is asked, and may join as well.
                steps.push((after, if chance.happens(0.5) { TalkStep::Consult } else { TalkStep::Drop }));
            }
            // Hangs up in the middle of it: many people hand over like that.
            _ => {}
        }
        steps.push((after + chance.exponential(Millis::from_secs(30)), TalkStep::End));
        for (after, step) in steps {
            self.agenda.put(self.now + after, Entry::Talk { caller: index, partner, step });
        }
    }

    fn draw_target(&mut self, index: usize) -> TransferTarget {
        let queue = self.draw_queue(index);
        let chance = &mut self.callers[index].chance;
        let colleague = chance.below(self.workers.len() as u64) as usize;
        match chance.below(10) {
            0..=4 => TransferTarget::Queue(queue),
            5..=7 => TransferTarget::Agent(self.workers[colleague].id),
            8 => TransferTarget::Person("ada@example.com".to_owned()),
            _ => TransferTarget::Number(if chance.happens(0.2) { COSTLY } else { OUTSIDE }.to_owned()),
        }
    }

    fn transfer(&mut self, index: usize, partner: LegId) {
        // Should it fail, the talk goes on for a while.
        let after = self.callers[index].chance.exponential(Millis::from_secs(20)) + Millis::from_secs(2);
        self.agenda.put(self.now + after, Entry::Talk { caller: index, partner, step: TalkStep::End });
        if self.callers[index].chance.happens(self.profile.work.by_telephone) {
            let chance = &mut self.callers[index].chance;
            let colleague = chance.below(self.workers.len() as u64) as usize;
            let target = match chance.below(10) {
                0..=4 => self.profile.dialed.get(colleague % self.profile.dialed.len().max(1)).map(|dialed| dialed.number.clone()),
                5..=7 => self.workers.get(colleague).map(|worker| worker.name(self.engine.world()).to_lowercase()),
                8 => Some(OUTSIDE.to_owned()),
                _ => Some("nobody".to_owned()),
            };
            self.report(partner, Input::TransferRequested { leg: partner, target: target.unwrap_or_default() });
        } else {
            let to = self.draw_target(index);
            self.steer(partner, |conversation| Command::Transfer { conversation, to });
        }
    }

    fn draw_queue(&mut self, caller: usize) -> QueueId {
        let index = self.callers[caller].chance.below(self.profile.queues.len() as u64) as usize;
        self.profile.queues.get(index).copied().unwrap_or(QueueId(1))
    }

    fn say_goodbye(&mut self, index: usize, customer: LegId, partner: LegId) {
        let caller = self.callers[index].chance.happens(self.profile.callers.hang_up);
        if caller {
            self.leg_down(customer, Some(CauseKind::FarEnd));
        } else if self.callers[index].chance.happens(self.profile.work.by_telephone) {
            self.leg_down(partner, Some(CauseKind::FarEnd));
        } else if let Some((agent, conversation)) = self.desk(partner) {
            self.ask(Actor::Agent(agent), Command::HangUp { conversation }, None);
            // Should nothing come of it, the caller has had enough.
            self.agenda.put(self.now + Millis::from_secs(90), Entry::Talk { caller: index, partner, step: TalkStep::End });
        } else {
            self.leg_down(partner, Some(CauseKind::FarEnd));
        }
    }
}
