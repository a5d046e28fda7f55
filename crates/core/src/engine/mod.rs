//! Decides; never acts.
//!
//! Every call of [`Engine::handle`] fires the deadlines that have passed, takes in one input, and then gives waiting visits
//! to idle agents as far as there are any: between two calls no suitable agent idles while somebody waits.
//!
//! One file per kind of happening: `arrive`, `flow` and `queueing` bring the customer to a place, `offer` and `talk` join customer
//! and agent, `missed` and `wrap_up` say what an agent does afterwards, `sign_in` for whom, `hold`, `consult`, `transfer` and
//! `record` are what happens meanwhile, `message` is what is left when nobody comes, `survey` asks how a talk was, `service` asks others on
//! a flow's behalf, `private` keeps what is written nowhere, `ask`, `callback` and `call_back` are for
//! who need not wait on the line, `written` and `writing` for who writes and for the agents who answer, `ending` closes things, `leg` sorts what lines report, `command` what people ask, `timer` what
//! time does, `takeover` what a new process has to repair.

mod action;
mod agent;
mod announce;
mod arrive;
mod ask;
mod call_back;
mod callback;
mod command;
mod conference;
mod configure;
mod consult;
mod destination;
mod digit;
mod ending;
mod flow;
mod hearing;
mod hold;
mod hours;
mod leg;
mod message;
mod mint;
mod missed;
mod offer;
mod outbound;
mod overflow;
mod pause;
mod private;
mod pull;
mod queueing;
mod record;
mod requeue;
mod service;
mod sign_in;
mod supervise;
mod survey;
mod takeover;
mod talk;
mod timer;
mod transfer;
mod wrap_up;
mod writing;
mod written;

use crate::{
    ids::{AgentId, TenantId},
    input::Input,
    output::{Event, Output, Stamped},
    routing::{Index, Staff, Standing},
    time::Timestamp,
    world::World,
};
use std::collections::{BTreeSet, VecDeque};

/// One tenant's mind.
///
/// The driver hands in inputs one at a time, drains [`Engine::poll_output`] after each, appends the events to the journal and
/// only then carries out the actions. Its clock should not jump: time that goes back is taken as standing still.
#[derive(Debug)]
pub struct Engine {
    world: World,
    index: Index,
    staff: Staff,
    outputs: VecDeque<Output>,
    now: Timestamp,
    mint: mint::Mint,
    /// What no fact says.
    private: private::Memory,
    /// The wake-up last asked for.
    announced: Option<Timestamp>,
}

impl Engine {
    /// For a tenant in which nothing ever happened.
    pub fn new(tenant: TenantId) -> Engine {
        Engine::replay(World::new(tenant), [])
    }

    /// From a snapshot and the events after it. Events the snapshot already holds are passed over. Nothing comes out of it:
    /// hand in [`Input::TookOver`] to resume work.
    ///
    /// # Panics
    /// When the events have a gap: a journal with a gap must not be decided upon.
    pub fn replay(mut world: World, events: impl IntoIterator<Item = Stamped>) -> Engine {
        for stamped in events {
            if stamped.seq > world.version() {
                world.apply(&stamped);
            }
        }
        let mut index = Index::new(&world);
        // Whoever could be offered something was looked at when it happened.
        index.take_fresh();
        let staff = Staff::new(&world);
        Engine {
            now: world.at(),
            world,
            index,
            staff,
            outputs: VecDeque::new(),
            mint: mint::Mint::default(),
            private: private::Memory::default(),
            announced: None,
        }
    }

    /// The present state.
    pub fn world(&self) -> &World {
        &self.world
    }

    /// Takes in what happened at `now`.
    ///
    /// Drain [`Engine::poll_output`] afterwards until it returns `None`.
    pub fn handle(&mut self, now: Timestamp, input: Input) {
        self.now = now.max(self.world.at());
        // What rang while nobody was in charge is judged by the takeover, not by the clock.
        if input != Input::TookOver {
            self.fire_timers();
        }
        if input == Input::Wake {
            // Should it come early, by a clock's rounding, it is asked for again.
            self.announced = None;
        }
        let took_over = input == Input::TookOver;
        self.take_in(input);
        self.note_staffing();
        // By a changed rule, or without staff, somebody may have waited long enough already.
        if !took_over {
            self.fire_timers();
        }
        self.route();
        self.announce_wake();
        #[cfg(debug_assertions)]
        self.assert_sound();
    }

    /// The next thing that came out; `None` when all is drained.
    pub fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    fn take_in(&mut self, input: Input) {
        match input {
            Input::Wake => {}
            Input::Configure { change } => self.configure(change),
            Input::Arrived { leg, line, caller, dialed } => self.arrived(leg, line, caller, dialed),
            Input::Ringing { leg } => self.ringing(leg),
            Input::Connected { leg, token } => self.connected(leg, token),
            Input::Ended { leg, cause } => self.ended(leg, cause),
            Input::Measured { leg, quality } => self.measured(leg, quality),
            Input::PlayFinished { leg, play } => self.play_finished(leg, play),
            Input::Digit { leg, digit } => self.digit(leg, digit),
            Input::HeldByParty { leg, held } => self.held_by_party(leg, held),
            Input::TransferRequested { leg, target } => self.transfer_requested(leg, &target),
            Input::Reachable { agent, reachable } => self.reachable(agent, reachable),
            Input::RecordingFinished { recording, path, duration, channels } => {
                self.recording_finished(recording, path, duration, channels);
            }
            Input::RecordingFailed { recording, reason } => self.recording_failed(recording, reason),
            Input::ActionDone { action } => self.action_done(action),
            Input::ActionFailed { action, failure } => self.action_failed(action, failure),
            Input::ServiceAnswered { action, answer } => self.service_answered(action, &answer),
            Input::Command { id, by, command } => self.command(id, by, command),
            Input::TookOver => self.took_over(),
            Input::Survey { line, live } => self.surveyed(line, &live),
            Input::Drain { on } => {
                if self.world.draining != on {
                    self.emit(Event::DrainChanged { on });
                }
            }
        }
    }

    /// Writes down a fact and makes it true.
    fn emit(&mut self, event: Event) {
        let stamped = Stamped { seq: self.world.version + 1, at: self.now, event };
        self.world.apply(&stamped);
        self.index.observe(&self.world, &stamped.event);
        self.staff.observe(&self.world, &stamped.event);
        self.private.observe(&stamped.event);
        self.outputs.push_back(Output::Event(stamped));
    }

    fn mint(&mut self) -> u128 {
        self.mint.next(self.world.tenant, self.world.version, self.now)
    }

    /// Gives visits to agents until nobody is left who could have somebody.
    ///
    /// The visit that comes first of all that can be served goes first, and to the agent who comes first of all who suit it;
    /// so both sides are treated fairly even when one input frees several agents and visits at once.
    fn route(&mut self) {
        loop {
            let (agents, visits) = self.index.take_fresh();
            if agents.is_empty() && visits.is_empty() {
                break;
            }
            let now = self.now;
            let mut next: BTreeSet<(Standing, Option<AgentId>)> =
                visits.into_iter().filter_map(|turn| Some((self.index.standing(&self.world, &turn, now)?, None))).collect();
            let best = |index: &Index, world: &World, agent| Some((index.best_visit(world, agent, now)?, Some(agent)));
            next.extend(agents.into_iter().filter_map(|agent| best(&self.index, &self.world, agent)));
            while let Some((standing, freed)) = next.pop_first() {
                self.offer_to_best(standing.turn);
                // Somebody who comes first by the queue's strategy may have taken it.
                next.extend(freed.and_then(|agent| best(&self.index, &self.world, agent)));
            }
        }
        self.route_consults();
    }

    fn announce_wake(&mut self) {
        let next = self.world.timers.next().map(|(due, _)| due);
        if next != self.announced {
            self.announced = next;
            if let Some(due) = next {
                self.outputs.push_back(Output::WakeAt(due));
            }
        }
    }

    /// Looks for what must never happen: after every call in small worlds, now and then in large ones.
    #[cfg(debug_assertions)]
    fn assert_sound(&self) {
        const SMALL: usize = 64;
        const EVERY: u64 = 1_024;
        if self.world.conversations.len() + self.world.agents.len() <= SMALL || self.world.version.is_multiple_of(EVERY) {
            let violations = crate::check::check(&self.world);
            assert!(violations.is_empty(), "{violations:#?}");
        }
    }
}
