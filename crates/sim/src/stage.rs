//! One run of one day: the real engine, everybody around it, and the checkers, on a clock that jumps from one thing to the
//! next.

use crate::{
    actors::{
        caller::Caller,
        line::{FarLeg, LineStep},
        owner::Owner,
        talk::TalkStep,
        worker::{Purpose, Worker, WorkerStep},
        writer::{Writer, WriterStep},
    },
    agenda::Agenda,
    chance::{Chance, Stream},
    checkers::{Checkers, Finding},
    mutation::{Mutant, Mutation},
    plan::{MIDNIGHT, Plan},
    profile::Profile,
    trace::Trace,
};
use dreiklang_core::{
    Action, Actor, Command, Engine, Event, Input, Output, Stamped, World, config,
    conversation::Role,
    endpoint::Line,
    ids::{ActionId, AgentId, CommandId, ConversationId, LegId, RecordingId, TenantId},
    limits, queue,
    stats::{Kind, Tally},
    time::{Millis, Timestamp},
};
use std::collections::{BTreeMap, BTreeSet};

/// The tenant of all days.
pub const TENANT: TenantId = TenantId(7);

/// How a day is run.
#[derive(Clone, Copy, Debug, Default)]
pub struct Options {
    /// Keep a line of text per fact.
    pub trace: bool,
    /// Write facts and a snapshot out and read them back.
    pub sample: bool,
    /// Hand in every report of lines twice at once.
    pub doubled: bool,
    /// Break something on purpose.
    pub mutation: Option<Mutation>,
    /// Keep every visit's wait.
    pub waits: bool,
    /// End the day here, whatever is going on; nothing is said about its end then.
    pub until: Option<Timestamp>,
}

/// A stay in a queue that is over.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Wait {
    /// When it began.
    pub from: Timestamp,
    /// How long it took.
    pub wait: Millis,
    /// How it ended.
    pub outcome: queue::Outcome,
}

/// How a day went.
#[derive(Clone, Debug, Default)]
pub struct Outcome {
    /// Conversations that began.
    pub conversations: u64,
    /// Facts.
    pub events: u64,
    /// Inputs.
    pub inputs: u64,
    /// Answered visits whose wait had been predicted.
    pub estimates: u64,
    /// Of these, with a wait in the predicted range.
    pub estimates_held: u64,
    /// What must never be and was.
    pub findings: Vec<Finding>,
    /// What was counted for all queues together.
    pub queues: Tally,
    /// What was counted for all agents together.
    pub agents: Tally,
    /// A line per fact, when asked for.
    pub trace: Vec<String>,
    /// Every visit, when asked for.
    pub waits: Vec<Wait>,
    /// The same facts give the same number.
    pub fingerprint: u64,
    /// Kinds of facts, actions and commands that occurred, when a trace was asked for.
    pub kinds: BTreeSet<String>,
    /// The first fact of each kind as it is written down, when a trace was asked for.
    pub facts: BTreeMap<String, String>,
}

/// Runs a day.
pub fn run(profile: &Profile, plan: &Plan, options: Options) -> Outcome {
    let mut stage = Stage::new(profile, plan, options);
    stage.open();
    stage.play();
    stage.close()
}

/// Everything that is going to happen.
#[derive(Debug)]
pub(crate) enum Entry {
    /// An input reaches the owner.
    Give(Box<Input>),
    /// An action is durable and is handed to its line, if its owner is still in charge.
    Act { owner: u32, action: ActionId, wish: Box<Action> },
    /// Something happens at a line.
    Line(LineStep),
    /// Somebody calls.
    Call(usize),
    /// A caller's patience ends, unless something happened meanwhile.
    Patience { caller: usize, turn: u32 },
    /// A caller who waits presses a key.
    Key { caller: usize, turn: u32 },
    /// A caller answers a question.
    Reply { caller: usize, turn: u32, key: char },
    /// Something happens in a talk.
    Talk { caller: usize, partner: LegId, step: TalkStep },
    /// An agent does something.
    Worker { agent: usize, step: WorkerStep },
    /// Something happens to what somebody writes.
    Writer { letter: usize, step: WriterStep },
    /// An incident happens.
    Incident(usize),
    /// A line works again.
    OutageOver(Line),
    /// The store is fast again.
    StoreFast,
    /// The store has written; what waited is handed in.
    StoreReady,
    /// Another process takes over.
    TakeOver { survivors: [bool; 3] },
    /// New conversations are taken again.
    DrainOver,
    /// Who is to be called back, and who wrote, is told that it was too late.
    CancelCallbacks,
    /// A supervisor who follows a talk does something else.
    Supervisor { conversation: ConversationId, supervisor: AgentId, steps: u32 },
}

pub(crate) struct Stage<'day> {
    pub profile: &'day Profile,
    pub plan: &'day Plan,
    pub options: Options,
    pub now: Timestamp,
    pub agenda: Agenda<Entry>,
    pub engine: Engine,
    pub owner: Owner,
    pub callers: Vec<Caller>,
    pub workers: Vec<Worker>,
    pub writers: Vec<Writer>,
    pub legs: BTreeMap<LegId, FarLeg>,
    /// When the last action of a conversation was handed to its line: they are carried out in order.
    pub queued_until: BTreeMap<ConversationId, Timestamp>,
    pub caller_of: BTreeMap<ConversationId, usize>,
    /// When lines began to record.
    pub recorded_since: BTreeMap<RecordingId, Timestamp>,
    pub outages: [u32; 3],
    pub purposes: BTreeMap<CommandId, Purpose>,
    pub chance: Chance,
    pub repeats: Chance,
    pub trace: Trace,
    checkers: Checkers,
    mutant: Option<Mutant>,
    /// Reports of late, to be handed in once more.
    recent: Vec<Input>,
    wake_at: Option<Timestamp>,
    next_command: u128,
    conversations: u64,
    waits: Vec<Wait>,
    inputs: u64,
    estimates: u64,
    estimates_held: u64,
    fingerprint: u64,
}

impl<'day> Stage<'day> {
    fn new(profile: &'day Profile, plan: &'day Plan, options: Options) -> Stage<'day> {
        let seed = plan.seed;
        Stage {
            profile,
            plan,
            options,
            now: MIDNIGHT,
            agenda: Agenda::new(),
            engine: Engine::new(TENANT),
            owner: Owner::default(),
            callers: Vec::new(),
            writers: plan.letters.iter().map(|letter| Writer::new(seed, letter)).collect(),
            workers: profile.agents.iter().enumerate().map(|(index, id)| Worker::new(seed, index, *id)).collect(),
            legs: BTreeMap::new(),
            queued_until: BTreeMap::new(),
            caller_of: BTreeMap::new(),
            recorded_since: BTreeMap::new(),
            outages: [0; 3],
            purposes: BTreeMap::new(),
            chance: Chance::new(seed, Stream::Store, 0),
            repeats: Chance::new(seed, Stream::Repeats, 0),
            trace: Trace::new(options.trace),
            checkers: Checkers::new(TENANT, options.sample),
            mutant: options.mutation.map(Mutant::new),
            recent: Vec::new(),
            wake_at: None,
            next_command: 0,
            conversations: 0,
            waits: Vec::new(),
            inputs: 0,
            estimates: 0,
            estimates_held: 0,
            fingerprint: 0xcbf2_9ce4_8422_2325,
        }
    }

    /// The documents, and everybody's first step.
    fn open(&mut self) {
        for change in &self.profile.documents {
            let refused = config::validate(self.engine.world(), change).err();
            assert_eq!(refused, None, "the profile's documents hold together: {change:?}");
            self.hand_in(Input::Configure { change: change.clone() });
        }
        for (index, call) in self.plan.calls.iter().enumerate() {
            self.agenda.put(call.at, Entry::Call(index));
            self.callers.push(Caller::new(self.plan.seed, call));
        }
        for (index, letter) in self.plan.letters.iter().enumerate() {
            self.agenda.put(letter.at, Entry::Writer { letter: index, step: WriterStep::Write });
        }
        for shift in &self.plan.shifts {
            let mut put = |at: Timestamp, step| self.agenda.put(at, Entry::Worker { agent: shift.agent, step });
            put(shift.from, WorkerStep::SignIn);
            put(shift.to, WorkerStep::SignOut);
            shift.breaks.iter().for_each(|at| put(*at, WorkerStep::Break));
            shift.sleeps.iter().for_each(|at| put(*at, WorkerStep::Sleep));
        }
        // When even the longest conversation is over and no fault is left to come.
        let late = MIDNIGHT + self.profile.closes + limits::CONVERSATION_MAX;
        self.agenda.put(late, Entry::CancelCallbacks);
        for (index, incident) in self.plan.incidents.iter().enumerate() {
            self.agenda.put(incident.at, Entry::Incident(index));
        }
    }

    fn play(&mut self) {
        let end = self.options.until.unwrap_or_else(|| self.last_moment());
        while self.checkers.findings().is_empty() {
            let next = self.agenda.next_at();
            let wake = self.wake_at.filter(|wake| next.is_none_or(|next| *wake <= next));
            let Some(at) = wake.or(next).filter(|at| *at <= end) else { return };
            self.now = self.now.max(at);
            if wake.is_some() {
                self.wake_at = None;
                self.give(Input::Wake);
            } else if let Some((_, entry)) = self.agenda.take() {
                self.happen(entry);
            }
        }
    }

    /// When even what is forgotten by everybody has been ended by its deadline.
    fn last_moment(&self) -> Timestamp {
        let after = limits::HANG_UP_MAX + limits::RECORDING_CLOSE_MAX + limits::ACTION_MAX + limits::WRAP_UP_MAX;
        let shifts = self.plan.shifts.iter().map(|shift| shift.to).max().unwrap_or(MIDNIGHT);
        let callbacks_over = (MIDNIGHT + self.profile.closes).max(shifts) + limits::CONVERSATION_MAX;
        // Who was called back right before that is talked to as long as anybody.
        callbacks_over + limits::CONVERSATION_MAX + after + Millis::from_secs(3_600)
    }

    fn happen(&mut self, entry: Entry) {
        match entry {
            Entry::Give(input) => self.give(*input),
            Entry::Act { owner, action, wish } => {
                if self.owner.is(owner) {
                    self.carry_out(action, *wish);
                }
            }
            Entry::Line(step) => self.at_line(step),
            Entry::Call(caller) => self.call(caller),
            Entry::Patience { caller, turn } => self.lose_patience(caller, turn),
            Entry::Key { caller, turn } => self.press_key(caller, turn),
            Entry::Reply { caller, turn, key } => self.reply(caller, turn, key),
            Entry::Talk { caller, partner, step } => self.talk_step(caller, partner, step),
            Entry::Worker { agent, step } => self.worker_step(agent, step),
            Entry::Writer { letter, step } => self.writer_step(letter, step),
            Entry::Incident(index) => self.incident(index),
            Entry::OutageOver(line) => self.outage_over(line),
            Entry::StoreFast => self.store_fast(),
            Entry::StoreReady => self.store_ready(),
            Entry::TakeOver { survivors } => self.take_over(survivors),
            Entry::CancelCallbacks => {
                self.cancel_callbacks();
                self.close_all_letters();
            }
            Entry::DrainOver => self.give(Input::Drain { on: false }),
            Entry::Supervisor { conversation, supervisor, steps } => self.follow(conversation, supervisor, steps),
        }
    }

    /// An input reaches the owner: handled now, or when the store has written what came before, or never.
    pub fn give(&mut self, input: Input) {
        match self.owner.accept(input) {
            Some(input) => self.hand_in(input),
            None => self.refuse_unheard(),
        }
    }

    /// The owner handles an input.
    pub fn hand_in(&mut self, input: Input) {
        let again = self.repeatable(&input);
        self.handle(input);
        if let Some(input) = again {
            self.repeat(input);
        }
        self.repeat_something_late();
        self.write();
    }

    fn handle(&mut self, input: Input) -> u64 {
        self.inputs += 1;
        if let Input::Command { id, command, .. } = &input {
            self.checkers.asked(*id);
            self.trace.command(command);
        }
        self.engine.handle(self.now, input);
        let mut events = 0;
        while let Some(output) = self.engine.poll_output() {
            match output {
                Output::Event(stamped) => {
                    events += 1;
                    self.fact(stamped);
                }
                Output::Action(action, wish) => {
                    if self.mutant.is_none() {
                        self.checkers.uttered(action, &wish);
                    }
                    self.trace.action(&wish);
                    let at = self.owner.durable_at(self.now);
                    self.agenda.put(at, Entry::Act { owner: self.owner.number(), action, wish: Box::new(wish) });
                }
                Output::Reply(command, answer) => {
                    self.checkers.answered(command, &answer);
                    if let Some(purpose) = self.purposes.remove(&command) {
                        self.replied(purpose, answer.is_ok());
                    }
                }
                Output::WakeAt(at) => self.wake_at = Some(at),
            }
        }
        if self.engine.world().timers().is_empty() {
            self.wake_at = None;
        }
        self.checkers.between(self.now);
        events
    }

    fn fact(&mut self, stamped: Stamped) {
        self.trace.fact(&stamped, self.engine.world());
        match &stamped.event {
            Event::ConversationStarted { .. } | Event::WrittenOpened { .. } => self.conversations += 1,
            Event::EstimateMeasured { held, .. } => {
                self.estimates += 1;
                self.estimates_held += u64::from(*held);
            }
            Event::LegAdded { conversation, leg, role: Role::Customer, .. } => {
                if let Some(caller) = self.legs.get(leg).and_then(|leg| leg.caller()) {
                    self.caller_of.insert(*conversation, caller);
                }
            }
            Event::VisitEnded { enqueued_at, outcome, wait, .. } if self.options.waits => {
                self.waits.push(Wait { from: *enqueued_at, wait: *wait, outcome: *outcome });
            }
            _ => {}
        }
        self.mix(&stamped);
        self.notice(&stamped.event);
        self.notice_letter(&stamped.event);
        match &mut self.mutant {
            None => self.checkers.observe(&stamped),
            Some(mutant) => {
                for event in mutant.alter(&stamped) {
                    // What was left out leaves no gap.
                    let seq = self.checkers.world().version() + 1;
                    self.checkers.observe(&Stamped { seq, at: stamped.at, event });
                }
            }
        }
    }

    /// Mixes a fact into the fingerprint, cheaply: its kind, time and place are enough to tell two days apart.
    fn mix(&mut self, stamped: &Stamped) {
        let kind = match &stamped.event {
            Event::ActionRequested { action, .. } => action.0 as u64,
            Event::OfferMade { agent, .. } => agent.0 as u64,
            Event::LegEnded { termination, .. } => (termination.reason as u64) << 8 | termination.result as u64,
            _ => 0,
        };
        for part in [stamped.seq, stamped.at.0 as u64, kind] {
            self.fingerprint = (self.fingerprint ^ part).wrapping_mul(0x0000_0100_0000_01b3).rotate_left(23);
        }
    }

    /// A report that is going to be handed in twice.
    fn repeatable(&mut self, input: &Input) -> Option<Input> {
        let share = self.plan.faults.repeated;
        if !(self.options.doubled || share > 0.0) || !is_report(input) {
            return None;
        }
        if share > 0.0 && self.repeats.happens(share) {
            const KEPT: usize = 32;
            if self.recent.len() == KEPT {
                let index = self.repeats.below(KEPT as u64) as usize;
                self.recent.swap_remove(index);
            }
            self.recent.push(input.clone());
        }
        (self.options.doubled || self.repeats.happens(share)).then(|| input.clone())
    }

    fn repeat(&mut self, mut input: Input) {
        if let Some(mutant) = &self.mutant {
            mutant.alter_repeated(&mut input);
        }
        let said = input.clone();
        if self.handle(input) > 0 {
            self.checkers.repeated(self.now, || format!("{said:?} came twice"));
        }
    }

    /// A report about a leg that is over comes once more.
    fn repeat_something_late(&mut self) {
        let share = self.plan.faults.repeated;
        if self.recent.is_empty() || !self.repeats.happens(share) {
            return;
        }
        let index = self.repeats.below(self.recent.len() as u64) as usize;
        let world = self.engine.world();
        let over = |leg: LegId| world.departed().get(leg).is_some_and(|gone| !gone.given_up && gone.measured);
        if leg_of(&self.recent[index]).is_some_and(over) {
            // What is due by now happens first.
            self.handle(Input::Wake);
            let input = self.recent[index].clone();
            if self.handle(input.clone()) > 0 {
                self.checkers.repeated(self.now, || format!("{input:?} came late"));
            }
        }
    }

    /// Somebody asks for something.
    pub fn ask(&mut self, by: Actor, command: Command, purpose: Option<Purpose>) {
        self.next_command += 1;
        let id = CommandId(self.next_command);
        if let Some(purpose) = purpose {
            self.purposes.insert(id, purpose);
        }
        self.give(Input::Command { id, by, command });
    }

    /// What was handed to an owner that cannot take it any more.
    pub fn forget_command(&mut self, input: &Input) {
        if let Input::Command { id, .. } = input {
            self.checkers.lost(*id);
            if let Some(purpose) = self.purposes.remove(id) {
                self.replied(purpose, false);
            }
        }
    }

    /// The state that the facts made, as a store would give it to a new owner.
    pub fn stored(&self) -> &World {
        self.checkers.world()
    }

    /// The owner is gone: its outputs are lost, its wake-up too.
    pub fn silence_owner(&mut self) {
        self.wake_at = None;
    }

    fn close(mut self) -> Outcome {
        if self.checkers.findings().is_empty() && self.options.until.is_none() {
            self.checkers.end(self.now, self.engine.world());
        }
        for finding in self.checkers.findings() {
            self.trace.note(finding.at, &format!("VIOLATION ({}): {}: {}", finding.checker, finding.rule, finding.detail));
        }
        let (trace, kinds, facts) = self.trace.into_parts();
        Outcome {
            conversations: self.conversations,
            events: self.engine.world().version(),
            inputs: self.inputs,
            estimates: self.estimates,
            estimates_held: self.estimates_held,
            findings: self.checkers.findings().to_vec(),
            queues: self.checkers.books().sum(Kind::Queue),
            agents: self.checkers.books().sum(Kind::Agent),
            trace,
            waits: self.waits,
            fingerprint: self.fingerprint,
            kinds,
            facts,
        }
    }
}

/// Inputs that lines report and that may come twice.
fn is_report(input: &Input) -> bool {
    matches!(
        input,
        Input::Arrived { .. }
            | Input::Ringing { .. }
            | Input::Connected { .. }
            | Input::Ended { .. }
            | Input::Measured { .. }
            | Input::PlayFinished { .. }
            | Input::HeldByParty { .. }
            | Input::Reachable { .. }
            | Input::RecordingFinished { .. }
            | Input::RecordingFailed { .. }
            | Input::ActionDone { .. }
            | Input::ActionFailed { .. }
            | Input::Survey { .. }
    )
}

/// The leg a report is about.
fn leg_of(input: &Input) -> Option<LegId> {
    match input {
        Input::Arrived { leg, .. }
        | Input::Ringing { leg }
        | Input::Connected { leg, .. }
        | Input::Ended { leg, .. }
        | Input::Measured { leg, .. }
        | Input::HeldByParty { leg, .. }
        | Input::TransferRequested { leg, .. } => Some(*leg),
        _ => None,
    }
}
