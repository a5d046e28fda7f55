//! People who write, systems that have work for agents, and what agents do with it at their desks.

use crate::{
    chance::{Chance, Stream},
    plan::Letter as Planned,
    profile::company::{CODES, ENGLISH},
    stage::{Entry, Stage},
};
use dreiklang_core::{
    Actor, Command, Event,
    endpoint::Party,
    ids::{AgentId, ConversationId, QueueId},
    queue::{Preferred, SkillRequirement},
    time::Millis,
    written::{Channel, Letter},
};

#[derive(Debug)]
pub struct Writer {
    chance: Chance,
    conversation: ConversationId,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WriterStep {
    Write,
    /// The customer does not wait any longer.
    Leave,
    /// The agent takes it, or says no.
    Answer {
        agent: AgentId,
        takes: bool,
    },
    /// The agent is done with it.
    Done(AgentId),
    /// The agent's notes are done.
    Notes(AgentId),
}

/// Apart from all ids that the core gives.
const FIRST: u128 = 1 << 100;

/// How long an agent waits before trying again what was refused or got lost.
const AGAIN: Millis = Millis::from_secs(45);

impl Writer {
    pub fn new(seed: u64, letter: &Planned) -> Writer {
        let chance = Chance::new(seed, Stream::Writer, letter.index);
        Writer { chance, conversation: ConversationId(FIRST + u128::from(letter.index)) }
    }
}

impl Stage<'_> {
    pub fn writer_step(&mut self, letter: usize, step: WriterStep) {
        let conversation = self.writers[letter].conversation;
        let found = self.engine.world().written_of(conversation);
        let has = |agent| found.is_some_and(|found| found.handling.is_some_and(|handling| handling.agent == agent));
        let notes = |agent| found.is_some_and(|found| found.wrap_up.is_some_and(|notes| notes.agent == agent));
        match step {
            WriterStep::Write => self.write_letter(letter),
            WriterStep::Leave => {
                if found.is_some_and(|found| !found.is_over()) {
                    let command = Command::CloseWritten { conversation, by_customer: true, disposition: None };
                    self.ask(Actor::Token("chat".to_owned()), command, None);
                }
            }
            WriterStep::Answer { agent, takes } => {
                let command =
                    if takes { Command::TakeWritten { conversation, agent } } else { Command::DeclineWritten { conversation, agent } };
                self.ask(Actor::Agent(agent), command, None);
            }
            WriterStep::Done(agent) if has(agent) => {
                let command = self.what_becomes_of(letter);
                self.ask(Actor::Agent(agent), command, None);
                self.agenda.put(self.now + AGAIN, Entry::Writer { letter, step });
            }
            WriterStep::Notes(agent) if notes(agent) => {
                let said = [None, Some("solved"), Some("nobody"), Some("something else")];
                let disposition = self.writers[letter].chance.pick(&said).copied().flatten().map(str::to_owned);
                self.ask(Actor::Agent(agent), Command::FinishWritten { conversation, disposition }, None);
                self.agenda.put(self.now + AGAIN, Entry::Writer { letter, step });
            }
            WriterStep::Done(_) | WriterStep::Notes(_) => {}
        }
    }

    fn write_letter(&mut self, letter: usize) {
        let queues = &self.profile.queues;
        let agents = &self.profile.agents;
        let Writer { chance, conversation } = &mut self.writers[letter];
        let channel = [Channel::Chat, Channel::Chat, Channel::Email, Channel::Task][chance.below(4) as usize];
        let Some(queue) = chance.pick(queues).copied() else { return };
        let preferred = chance.happens(0.1).then(|| chance.pick(agents).copied()).flatten();
        let opened = Letter {
            conversation: *conversation,
            channel,
            queue,
            customer: Party { number: Some(format!("writer{letter}@example.com")), name: None },
            subject: chance.happens(0.5).then(|| "My order".to_owned()),
            link: chance.happens(0.5).then(|| format!("inbox/{letter}")),
            priority: chance.happens(0.2).then(|| chance.below(101) as u8),
            skills: if chance.happens(0.1) { vec![SkillRequirement { skill: ENGLISH, level: 2 }] } else { Vec::new() },
            language: chance.happens(0.2).then(|| "de".to_owned()),
            preferred: preferred.map(|agent| Preferred { agent, wait: Millis::from_secs(60) }),
        };
        let again = chance.happens(self.plan.faults.twice);
        if channel.is_live() {
            let patience = chance.exponential(Millis::from_secs(300)) + Millis(1);
            self.agenda.put(self.now + patience, Entry::Writer { letter, step: WriterStep::Leave });
        }
        for _ in 0..1 + usize::from(again) {
            let command = Command::OpenWritten { letter: Box::new(opened.clone()) };
            self.ask(Actor::Token("inbox".to_owned()), command, None);
        }
    }

    fn what_becomes_of(&mut self, letter: usize) -> Command {
        let queues = &self.profile.queues;
        let agents = &self.profile.agents;
        let Writer { chance, conversation } = &mut self.writers[letter];
        let conversation = *conversation;
        if chance.happens(0.15) {
            let queue = chance.happens(0.5).then(|| chance.pick(queues).copied()).flatten();
            let agent = chance.happens(0.3).then(|| chance.pick(agents).copied()).flatten();
            let preferred = agent.map(|agent| Preferred { agent, wait: Millis::from_secs(120) });
            return Command::MoveWritten { conversation, queue, preferred };
        }
        let disposition = chance.happens(0.5).then(|| chance.pick(&CODES).copied()).flatten().map(str::to_owned);
        Command::CloseWritten { conversation, by_customer: false, disposition }
    }

    /// What an agent's desk shows of what is written, and what the agent makes of it.
    pub fn notice_letter(&mut self, event: &Event) {
        let work = &self.profile.work;
        let (conversation, agent) = match event {
            Event::WrittenOffered { conversation, agent, .. }
            | Event::WrittenTaken { conversation, agent, .. }
            | Event::WrittenWrapUpStarted { conversation, agent, .. } => (*conversation, *agent),
            _ => return,
        };
        let Some(letter) = self.writers.iter().position(|writer| writer.conversation == conversation) else { return };
        let asleep = self.worker_of(agent).is_none_or(|worker| self.workers[worker].asleep_until.is_some());
        let chance = &mut self.writers[letter].chance;
        let (after, step) = match event {
            Event::WrittenOffered { .. } => {
                if asleep || chance.happens(work.misses) {
                    return;
                }
                let takes = !chance.happens(work.declines);
                (chance.exponential(work.answer_delay), WriterStep::Answer { agent, takes })
            }
            Event::WrittenTaken { .. } => (chance.exponential(Millis::from_secs(240)), WriterStep::Done(agent)),
            _ => (chance.exponential(work.finishes_after), WriterStep::Notes(agent)),
        };
        self.agenda.put(self.now + after + Millis(1), Entry::Writer { letter, step });
    }

    /// Supervisors give work to somebody, move it, or end it.
    pub fn look_after_letters(&mut self, chance: &mut Chance) {
        let written: Vec<ConversationId> = self.engine.world().written().map(|found| found.id).collect();
        let Some(conversation) = chance.pick(&written).copied() else { return };
        let (agent, queue): (Option<AgentId>, Option<QueueId>) =
            (chance.pick(&self.profile.agents).copied(), chance.pick(&self.profile.queues).copied());
        let command = match (chance.below(5), agent) {
            (0..=1, Some(agent)) => Command::TakeWritten { conversation, agent },
            (2, _) => Command::MoveWritten { conversation, queue, preferred: None },
            (3, _) => Command::SetPriority { conversation, priority: chance.below(101) as u8 },
            _ => Command::CloseWritten { conversation, by_customer: false, disposition: None },
        };
        self.ask(Actor::User("supervisor".to_owned()), command, None);
    }

    /// The day is over: nobody reads it any more.
    pub fn close_all_letters(&mut self) {
        let open: Vec<ConversationId> = self.engine.world().written().filter(|found| !found.is_over()).map(|found| found.id).collect();
        for conversation in open {
            let command = Command::CloseWritten { conversation, by_customer: false, disposition: None };
            self.ask(Actor::User("supervisor".to_owned()), command, None);
        }
    }
}
