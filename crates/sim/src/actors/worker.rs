//! Agents: they sign in and out, take breaks, fall asleep without a word, and react to what their desk shows.

use crate::{
    chance::{Chance, Stream},
    stage::{Entry, Stage},
};
use dreiklang_core::{
    Actor, Command, Event, Input, World,
    agent::{Availability, Duty, Occupation},
    config::Change,
    endpoint::Endpoint,
    ids::{AgentId, LegId},
    time::{Millis, Timestamp},
};

#[derive(Debug)]
pub struct Worker {
    pub id: AgentId,
    pub chance: Chance,
    /// The laptop sleeps: no telephone rings.
    pub asleep_until: Option<Timestamp>,
    /// The leg that was picked up last.
    pub on_telephone: Option<LegId>,
    at_work: bool,
    on_break: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WorkerStep {
    SignIn,
    SignOut,
    Break,
    BreakOver,
    Sleep,
    Awake,
    /// The line notices that the telephone is gone.
    Unreachable,
    /// The agent notices having been made not ready.
    Notice,
    FinishWrapUp,
    ExtendWrapUp,
}

/// What an agent wanted, to be tried again when it was refused.
#[derive(Clone, Copy, Debug)]
pub struct Purpose {
    agent: usize,
    step: WorkerStep,
}

impl Worker {
    pub fn new(seed: u64, index: usize, id: AgentId) -> Worker {
        let chance = Chance::new(seed, Stream::Agent, index as u64);
        Worker { id, chance, asleep_until: None, on_telephone: None, at_work: false, on_break: false }
    }

    pub fn name(&self, world: &World) -> String {
        world.agent(self.id).map(|agent| agent.settings.name.clone()).unwrap_or_default()
    }
}

impl Stage<'_> {
    pub fn worker_step(&mut self, agent: usize, step: WorkerStep) {
        let id = self.workers[agent].id;
        let by = Actor::Agent(id);
        match step {
            WorkerStep::SignIn => {
                self.workers[agent].at_work = true;
                self.tell_reachable(agent, true);
                let purpose = Some(Purpose { agent, step });
                self.ask(by.clone(), Command::SetDuty { agent: id, duty: Duty::OnDuty }, purpose);
                self.ask(by, Command::SetAvailability { agent: id, availability: Availability::Ready }, None);
            }
            WorkerStep::SignOut => {
                self.workers[agent].at_work = false;
                let duty = if self.workers[agent].chance.happens(0.2) { Duty::OffDuty } else { Duty::SignedOut };
                // Some finish what they are in and leave then; the others try again until it is over.
                let command = if self.workers[agent].chance.happens(0.3) {
                    Command::PlanDuty { agent: id, duty }
                } else {
                    Command::SetDuty { agent: id, duty }
                };
                self.ask(by, command, Some(Purpose { agent, step }));
            }
            WorkerStep::Break => {
                if self.workers[agent].at_work {
                    self.workers[agent].on_break = true;
                    let lasts = self.workers[agent].chance.exponential(self.profile.work.break_length);
                    self.agenda.put(self.now + lasts, Entry::Worker { agent, step: WorkerStep::BreakOver });
                    let availability = Availability::NotReady { reason: "break".to_owned() };
                    self.ask(by, Command::SetAvailability { agent: id, availability }, None);
                }
            }
            WorkerStep::BreakOver | WorkerStep::Notice => {
                if step == WorkerStep::BreakOver {
                    self.workers[agent].on_break = false;
                }
                if self.workers[agent].at_work && !self.workers[agent].on_break {
                    let command = Command::SetAvailability { agent: id, availability: Availability::Ready };
                    self.ask(by, command, Some(Purpose { agent, step }));
                }
            }
            WorkerStep::Sleep => {
                let worker = &mut self.workers[agent];
                let lasts = worker.chance.exponential(Millis::from_secs(300));
                worker.asleep_until = Some(self.now + lasts);
                let noticed = worker.chance.happens(0.5);
                if noticed {
                    let after = Millis(lasts.0 / 2);
                    self.agenda.put(self.now + after, Entry::Worker { agent, step: WorkerStep::Unreachable });
                }
                self.agenda.put(self.now + lasts, Entry::Worker { agent, step: WorkerStep::Awake });
                self.trace.note(self.now, &format!("{}'s laptop falls asleep", self.workers[agent].name(self.engine.world())));
            }
            WorkerStep::Unreachable => self.tell_reachable(agent, false),
            WorkerStep::Awake => {
                self.workers[agent].asleep_until = None;
                if self.workers[agent].at_work {
                    self.tell_reachable(agent, true);
                }
            }
            WorkerStep::FinishWrapUp if !self.wraps_up(id) => {}
            WorkerStep::FinishWrapUp => {
                const SAID: [Option<&str>; 4] = [None, Some("solved"), Some("open"), Some("something else")];
                let disposition = self.workers[agent].chance.pick(&SAID).copied().flatten().map(str::to_owned);
                self.ask(by, Command::FinishWrapUp { agent: id, disposition }, Some(Purpose { agent, step }));
            }
            WorkerStep::ExtendWrapUp => self.ask(by, Command::ExtendWrapUp { agent: id }, None),
        }
    }

    /// Whether the agent's desk shows wrap-up.
    fn wraps_up(&self, id: AgentId) -> bool {
        self.engine.world().agent(id).is_some_and(|agent| matches!(agent.occupation, Occupation::WrapUp { .. }))
    }

    fn tell_reachable(&mut self, agent: usize, reachable: bool) {
        let id = self.workers[agent].id;
        let desk = self.engine.world().agent(id).is_some_and(|agent| matches!(agent.settings.endpoint, Endpoint::Desk(_)));
        if desk || !reachable || self.workers[agent].chance.happens(0.3) {
            self.give(Input::Reachable { agent: id, reachable });
        }
    }

    /// A command was answered.
    pub fn replied(&mut self, purpose: Purpose, granted: bool) {
        if granted {
            return;
        }
        let Purpose { agent, step } = purpose;
        let after = self.workers[agent].chance.between(Millis::from_secs(10), Millis::from_secs(60));
        // Who was refused tries again; but for the late, the day is over some time.
        let plan = self.plan;
        let to = plan.shifts.iter().find(|shift| shift.agent == agent).map_or(self.now, |shift| shift.to);
        if step == WorkerStep::SignOut || self.now < to {
            self.agenda.put(self.now + after, Entry::Worker { agent, step });
        }
    }

    /// What an agent's desk shows, and what the agent makes of it.
    pub fn notice(&mut self, event: &Event) {
        let work = &self.profile.work;
        match event {
            Event::AvailabilityChanged { agent, availability: Availability::NotReady { .. }, by: Actor::System | Actor::User(_) } => {
                let Some(agent) = self.worker_of(*agent) else { return };
                let after = self.workers[agent].chance.exponential(work.notices_after) + Millis::from_secs(1);
                self.agenda.put(self.now + after, Entry::Worker { agent, step: WorkerStep::Notice });
            }
            Event::WrapUpStarted { agent, until, .. } => {
                let Some(agent) = self.worker_of(*agent) else { return };
                let chance = &mut self.workers[agent].chance;
                let after = match until {
                    None => Some(chance.exponential(work.finishes_after) + Millis(1)),
                    Some(until) if chance.happens(work.early_finishes) => Some(Millis(until.since(self.now).0 / 2)),
                    Some(_) => None,
                };
                let step = match after {
                    // Some would like to take longer than they may.
                    Some(_) if until.is_some() && chance.happens(0.3) => WorkerStep::ExtendWrapUp,
                    _ => WorkerStep::FinishWrapUp,
                };
                if let Some(after) = after {
                    self.agenda.put(self.now + after, Entry::Worker { agent, step });
                }
            }
            // Written anew after having been removed, or sent home by somebody.
            Event::Configured { change: Change::PutAgent(settings) } => self.come_back(settings.id),
            Event::DutyChanged { agent, duty, by: Actor::User(_) } if *duty != Duty::OnDuty => self.come_back(*agent),
            _ => {}
        }
    }

    fn come_back(&mut self, id: AgentId) {
        let Some(agent) = self.worker_of(id) else { return };
        if self.workers[agent].at_work {
            let after = self.workers[agent].chance.exponential(Millis::from_secs(60)) + Millis(1);
            self.agenda.put(self.now + after, Entry::Worker { agent, step: WorkerStep::SignIn });
        }
    }

    pub fn worker_of(&self, id: AgentId) -> Option<usize> {
        self.workers.iter().position(|worker| worker.id == id)
    }
}
