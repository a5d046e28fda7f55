//! What must never happen, each rule in a file of its own. They see the stream of facts and the world that the facts make,
//! nothing of the engine, and keep up event by event; the core's own look at a whole world comes every now and then.

mod answers;
mod balance;
mod blocked;
mod capacity;
mod ends;
mod once;
mod order;
mod outside;
mod place;
mod private;
mod ready;
mod reasons;
mod replay;
mod ringing;
mod stuck;
mod tiling;
mod voices;
mod whole;
mod written;

use dreiklang_core::{
    Action, Event, Refusal, Stamped, World,
    conversation::Purpose,
    ids::{ActionId, CommandId, TenantId},
    stats::Daybook,
    time::Timestamp,
};

/// Something that must never be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// When it was found.
    pub at: Timestamp,
    /// By whom: the name of the checker's file.
    pub checker: &'static str,
    /// The rule, as a sentence.
    pub rule: String,
    /// What exactly.
    pub detail: String,
}

/// Most findings of one day that are kept; one fault makes many.
const KEPT: usize = 10;

/// What was found so far.
#[derive(Debug, Default)]
pub struct Findings {
    at: Timestamp,
    list: Vec<Finding>,
}

impl Findings {
    fn expect(&mut self, holds: bool, checker: &'static str, rule: &str, detail: impl FnOnce() -> String) {
        if !holds && self.list.len() < KEPT {
            self.list.push(Finding { at: self.at, checker, rule: rule.to_owned(), detail: detail() });
        }
    }
}

/// All checkers of one day, and the world they look at.
pub struct Checkers {
    world: World,
    found: Findings,
    answers: answers::Answers,
    balance: balance::Balance,
    capacity: capacity::Capacity,
    ends: ends::Ends,
    once: once::Once,
    place: place::Place,
    ringing: ringing::Ringing,
    tiling: tiling::Tiling,
    whole: whole::Whole,
    written: written::Written,
    reasons: reasons::Reasons,
    replay: replay::Replay,
}

impl Checkers {
    /// For a tenant in which nothing has happened. `sample` asks for the slow checks of what is written out and read back.
    pub fn new(tenant: TenantId, sample: bool) -> Checkers {
        Checkers {
            world: World::new(tenant),
            found: Findings::default(),
            answers: answers::Answers::default(),
            balance: balance::Balance::default(),
            capacity: capacity::Capacity::default(),
            ends: ends::Ends::default(),
            once: once::Once::default(),
            place: place::Place::default(),
            ringing: ringing::Ringing::default(),
            tiling: tiling::Tiling::default(),
            whole: whole::Whole::default(),
            written: written::Written::default(),
            reasons: reasons::Reasons::default(),
            replay: replay::Replay::new(tenant, sample),
        }
    }

    /// The world that the facts made.
    pub fn world(&self) -> &World {
        &self.world
    }

    /// The figures of the day.
    pub fn books(&self) -> &Daybook {
        self.balance.books()
    }

    /// What was found so far.
    pub fn findings(&self) -> &[Finding] {
        &self.found.list
    }

    /// Looks at one fact, and takes it over.
    pub fn observe(&mut self, stamped: &Stamped) {
        let (world, found) = (&self.world, &mut self.found);
        found.at = stamped.at;
        found.expect(stamped.at >= world.at(), "replay", "time does not go back in the journal", || format!("{stamped:?}"));
        self.once.observe(world, stamped, found);
        self.tiling.observe(stamped, found);
        self.ends.observe(&stamped.event, found);
        self.ringing.observe(&stamped.event);
        self.reasons.observe(&stamped.event, found);
        self.capacity.observe(world, &stamped.event, found);
        self.written.observe(world, &stamped.event, found);
        if let Event::OfferMade { visit, conversation, agent, purpose, .. } = &stamped.event {
            ready::offered(world, *conversation, *agent, *purpose, found);
            if visit.is_some() && *purpose != Purpose::Pull {
                order::offered(world, *conversation, *agent, found);
            }
        }
        blocked::observe(world, &stamped.event, found);
        private::observe(world, &stamped.event, found);
        if let Event::ActionRequested { wish, .. } = &stamped.event {
            voices::told(world, wish, found);
            outside::told(world, wish, found);
        }
        self.balance.observe(stamped);
        self.place.observe(&stamped.event);
        self.replay.observe(stamped);
        self.world.apply(stamped);
    }

    /// An action came out, to be carried out now.
    pub fn uttered(&mut self, action: ActionId, wish: &Action) {
        self.once.uttered(action, &mut self.found);
        private::uttered(wish, &mut self.found);
    }

    /// A command was handed in.
    pub fn asked(&mut self, command: CommandId) {
        self.answers.asked(command);
    }

    /// A command was handed to an owner that is no more.
    pub fn lost(&mut self, command: CommandId) {
        self.answers.lost(command);
    }

    /// A command was answered.
    pub fn answered(&mut self, command: CommandId, answer: &Result<(), Refusal>) {
        self.answers.answered(command, answer, &mut self.found);
    }

    /// A report came for the second time and something came of it.
    pub fn repeated(&mut self, now: Timestamp, detail: impl FnOnce() -> String) {
        self.found.at = now;
        self.found.expect(false, "repeats", "what lines report twice or late changes nothing", detail);
    }

    /// One input is done with.
    pub fn between(&mut self, now: Timestamp) {
        let (world, found) = (&self.world, &mut self.found);
        found.at = now;
        self.ringing.between(now, found);
        self.capacity.between(world, found);
        self.written.between(world, found);
        self.place.between(world, found);
        self.balance.between(world, found);
        self.once.between();
        self.whole.between(world, found);
    }

    /// Everybody has gone home, and every deadline has passed.
    pub fn end(&mut self, now: Timestamp, engine: &World) {
        let (world, found) = (&self.world, &mut self.found);
        found.at = now;
        self.whole.end(world, found);
        stuck::end(world, found);
        self.written.end(world, found);
        self.once.end(found);
        self.ends.end(found);
        self.tiling.end(found);
        self.ringing.end(found);
        self.answers.end(found);
        self.balance.end(world, found);
        self.replay.end(world, engine, found);
    }
}
