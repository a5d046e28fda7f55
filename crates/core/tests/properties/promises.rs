//! The promises themselves.

use crate::{
    day::{self, Step},
    history::{self, History},
};
use dreiklang_core::{
    Actor, Command, Engine, Input, Output, Stamped, World,
    agent::Occupation,
    check::check,
    ids::{CommandId, ConversationId, LegId, TenantId},
    limits,
    time::Timestamp,
};
use proptest::prelude::*;

const TENANT: TenantId = TenantId(42);

/// An engine, its history, and a clock.
struct Run {
    engine: Engine,
    history: History,
    journal: Vec<Stamped>,
    now: Timestamp,
    next_id: u128,
    last: Option<Input>,
    given: u64,
}

impl Run {
    fn new(how: u8) -> Run {
        let mut run = Run {
            engine: Engine::new(TENANT),
            history: History::new(World::new(TENANT)),
            journal: Vec::new(),
            now: Timestamp(1_700_000_000_000),
            next_id: 1_000_000,
            last: None,
            given: 0,
        };
        for input in day::opening(how) {
            run.now.0 += 1;
            run.give(input);
        }
        run
    }

    /// Hands in one input and checks all that can be checked after it. Returns the number of events.
    fn give(&mut self, input: Input) -> usize {
        let is_command = matches!(input, Input::Command { .. });
        self.engine.handle(self.now, input.clone());
        let (mut events, mut replies) = (0, 0);
        while let Some(output) = self.engine.poll_output() {
            match output {
                Output::Event(event) => {
                    self.history.observe(&event);
                    self.journal.push(event);
                    events += 1;
                }
                Output::Action(id, action) => {
                    assert!(day::is_wish(&action));
                    // Settled later in the same breath, or open: requested it is in any case.
                    assert!(self.journal.iter().rev().any(|stamped| matches!(&stamped.event,
                        dreiklang_core::Event::ActionRequested { action, .. } if *action == id)));
                }
                Output::Reply(..) => replies += 1,
                Output::WakeAt(_) => {}
            }
        }
        assert_eq!(replies, usize::from(is_command), "commands and only they are answered, once");
        assert_eq!(check(self.engine.world()), []);
        assert_eq!(self.engine.world(), &self.history.world, "the world is what its events made it");
        self.history.expect_balanced();
        let overdue = self.engine.world().timers().next().filter(|(due, _)| *due <= self.now && input != Input::TookOver);
        assert_eq!(overdue, None, "no deadline is left behind");
        self.last = Some(input);
        self.given += 1;
        events
    }

    fn close_everything_written(&mut self) {
        let open: Vec<ConversationId> = self.engine.world().written().filter(|found| !found.is_over()).map(|found| found.id).collect();
        for conversation in open {
            self.next_id += 1;
            let command = Command::CloseWritten { conversation, by_customer: false, disposition: None };
            self.give(Input::Command { id: CommandId(self.next_id), by: Actor::User("u".to_owned()), command });
        }
    }

    /// Whether an input came of it.
    fn step(&mut self, step: &Step) -> bool {
        let before = self.given;
        match step {
            Step::Pass(ms) => self.pass(i64::from(*ms)),
            Step::Oversleep(ms) => self.now.0 += i64::from(*ms),
            Step::PutBack(ms) => self.now.0 -= i64::from(*ms),
            Step::Again => {
                if let Some(input) = self.last.clone() {
                    self.give(input);
                }
            }
            _ => {
                self.next_id += 1;
                if let Some(input) = day::input(step, self.engine.world(), &self.history.legs, self.next_id) {
                    self.give(input);
                }
            }
        }
        self.history.expect_figures();
        self.given > before
    }

    fn pass(&mut self, ms: i64) {
        let until = Timestamp(self.now.0 + ms);
        while let Some((due, _)) = self.engine.world().timers().next().filter(|(due, _)| *due <= until) {
            self.now = self.now.max(due);
            self.give(Input::Wake);
        }
        self.now = self.now.max(until);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { max_shrink_iters: 20_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_happens_every_promise_is_kept_and_in_the_end_nobody_is_stuck(how in any::<u8>(), steps in day::steps(150)) {
        let mut run = Run::new(how);
        for step in &steps {
            run.step(step);
        }
        // What is written may wait for months, and be offered again and again; here somebody closes it.
        run.close_everything_written();
        // Nothing is heard of anybody any more: deadlines alone must end everything.
        let after = limits::HANG_UP_MAX + limits::RECORDING_CLOSE_MAX + limits::ACTION_MAX + limits::WRAP_UP_MAX;
        // What was promised for later may have to be given up first.
        let longest = (limits::CALLBACK_WAIT_MAX + limits::CALLBACK_WAIT_MAX + limits::CONVERSATION_MAX + after).0 + 10_000;
        run.pass(i64::try_from(longest).unwrap());
        run.history.expect_nothing_open();
        run.history.expect_figures();
        for agent in run.engine.world().agents() {
            prop_assert_eq!(agent.occupation, Occupation::Idle, "{:?}", agent);
            prop_assert_eq!(agent.leg, None);
            prop_assert!(agent.work.is_empty(), "{:?}", agent);
        }
    }

    #[test]
    fn a_replayed_engine_is_the_same_and_goes_on_the_same(how in any::<u8>(), steps in day::steps(80), cut in any::<prop::sample::Index>()) {
        let mut run = Run::new(how);
        let cut = cut.index(steps.len());
        for step in &steps[..cut] {
            run.step(step);
        }
        // A snapshot from the middle of the journal, written out and read back, and the rest of the events.
        let half = run.journal.len() / 2;
        let mut early = World::new(TENANT);
        for stamped in &run.journal[..half] {
            early.apply(stamped);
        }
        let snapshot: World = serde_json::from_str(&serde_json::to_string(&early).unwrap()).unwrap();
        prop_assert_eq!(&snapshot, &early);
        let mut replayed = Engine::replay(snapshot, run.journal.clone());
        prop_assert_eq!(replayed.world(), run.engine.world());
        prop_assert!(replayed.poll_output().is_none(), "a replay utters nothing");
        // What was typed privately is not replayed: both go on as another process does.
        if run.journal.iter().any(history::is_private) {
            let now = run.now.max(run.engine.world().at());
            replayed.handle(now, Input::TookOver);
            while replayed.poll_output().is_some() {}
            run.now = now;
            run.give(Input::TookOver);
            prop_assert_eq!(replayed.world(), run.engine.world());
        }
        for step in &steps[cut..] {
            run.next_id += 1;
            if let Some(input) = day::input(step, run.engine.world(), &run.history.legs, run.next_id) {
                replayed.handle(run.now.max(run.engine.world().at()), input.clone());
                let mut events = Vec::new();
                while let Some(output) = replayed.poll_output() {
                    if let Output::Event(event) = output {
                        events.push(event);
                    }
                }
                let before = run.journal.len();
                run.now = run.now.max(run.engine.world().at());
                run.give(input);
                prop_assert_eq!(&run.journal[before..], &events[..]);
            }
        }
    }

    #[test]
    fn what_lines_report_twice_changes_nothing_the_second_time(how in any::<u8>(), steps in day::steps(120)) {
        let mut run = Run::new(how);
        for step in &steps {
            // Not after time steps: what follows those is no repetition any more.
            let at_once = run.step(step);
            if let Some(input) = run.last.clone().filter(|input| at_once && day::is_report(input)) {
                prop_assert_eq!(run.give(input.clone()), 0, "{:?} came twice", input);
            }
        }
    }

    #[test]
    fn what_comes_late_about_ended_legs_changes_nothing(how in any::<u8>(), steps in day::steps(120)) {
        let mut run = Run::new(how);
        for step in &steps {
            run.step(step);
        }
        let world = run.engine.world();
        let over: Vec<LegId> =
            run.history.legs.iter().copied().filter(|leg| world.departed().get(*leg).is_some_and(|gone| !gone.given_up)).collect();
        // What is due by now happens first.
        run.give(Input::Wake);
        for leg in over {
            for what in 0..6 {
                let known = [leg];
                let input = day::input(&Step::Late(0, what), run.engine.world(), &known, 0).unwrap();
                prop_assert_eq!(run.give(input.clone()), 0, "{:?} came late", input);
            }
        }
    }

    #[test]
    fn every_event_reads_back_from_its_text(how in any::<u8>(), steps in day::steps(80)) {
        let mut run = Run::new(how);
        for step in &steps {
            run.step(step);
        }
        for stamped in &run.journal {
            let text = serde_json::to_string(stamped).unwrap();
            let back: Stamped = serde_json::from_str(&text).unwrap();
            prop_assert_eq!(&back, stamped);
        }
    }
}
