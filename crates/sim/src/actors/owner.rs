//! The process that owns the tenant, and its store: slow at times, and replaced by another process at others.
//!
//! While the store writes, inputs wait. An owner that was replaced may have handled an input whose facts it could not append:
//! those never happened. The new one begins with what was stored.

use crate::{
    actors::line::{FarState, index_of},
    chance::Chance,
    stage::{Entry, Stage},
};
use dreiklang_core::{
    Engine, Input,
    ids::LegId,
    time::{Millis, Timestamp},
};
use std::collections::VecDeque;

/// Most inputs that wait for a slow store; the rest is lost, as it would be in a process that runs full.
const WAITING: usize = 10_000;

#[derive(Debug, Default)]
pub struct Owner {
    number: u32,
    state: State,
    waiting: VecDeque<Input>,
    refused: Vec<Input>,
    /// How long one write takes at most; zero = no time at all.
    slowness: Millis,
    writing_until: Timestamp,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum State {
    #[default]
    InCharge,
    /// The store writes: what comes waits.
    Writing,
    /// Nobody is in charge. Some of what lines report gets lost.
    Gone,
}

impl Owner {
    pub fn number(&self) -> u32 {
        self.number
    }

    /// Whether this one is still in charge.
    pub fn is(&self, number: u32) -> bool {
        self.number == number && self.state != State::Gone
    }

    /// Returns the input when it can be handled now.
    pub fn accept(&mut self, input: Input) -> Option<Input> {
        match self.state {
            State::InCharge => return Some(input),
            State::Writing if self.waiting.len() < WAITING => self.waiting.push_back(input),
            State::Writing | State::Gone => self.refused.push(input),
        }
        None
    }

    /// When what comes out now may be acted upon.
    pub fn durable_at(&self, now: Timestamp) -> Timestamp {
        now.max(self.writing_until)
    }
}

impl Stage<'_> {
    /// What nobody could take: commands are refused, reports of lines that outlive the process come later or never.
    pub fn refuse_unheard(&mut self) {
        for input in std::mem::take(&mut self.owner.refused) {
            self.forget_command(&input);
            if !matches!(input, Input::Command { .. } | Input::Wake) && self.chance.happens(0.5) {
                self.owner.waiting.push_back(input);
            }
        }
    }

    /// The facts of the last input are written.
    pub fn write(&mut self) {
        if self.owner.slowness == Millis(0) || self.owner.state != State::InCharge {
            return;
        }
        let takes = self.chance.between(Millis(1), self.owner.slowness);
        self.owner.writing_until = self.now + takes;
        self.owner.state = State::Writing;
        self.agenda.put(self.now + takes, Entry::StoreReady);
    }

    /// What waited is handed in at once, and written in one go.
    pub fn store_ready(&mut self) {
        if self.owner.state != State::Writing {
            return;
        }
        self.owner.state = State::InCharge;
        for input in std::mem::take(&mut self.owner.waiting) {
            match self.owner.accept(input) {
                Some(input) => self.hand_in(input),
                None => self.refuse_unheard(),
            }
        }
    }

    pub fn slow_store(&mut self, chance: &mut Chance) {
        self.owner.slowness = chance.between(Millis(50), Millis::from_secs(4));
        let lasts = chance.between(Millis::from_secs(10), Millis::from_secs(300));
        self.trace.note(self.now, &format!("the store takes up to {} ms a write", self.owner.slowness.0));
        self.agenda.put(self.now + lasts, Entry::StoreFast);
    }

    pub fn store_fast(&mut self) {
        self.owner.slowness = Millis(0);
        self.trace.note(self.now, "the store is fast again");
    }

    /// The owner is gone: killed, or cut off from the store.
    pub fn lose_owner(&mut self, chance: &mut Chance) {
        if self.owner.state == State::Gone {
            return;
        }
        self.trace.note(self.now, "the owner is gone");
        for input in std::mem::take(&mut self.owner.waiting) {
            self.owner.refused.push(input);
        }
        self.owner.state = State::Gone;
        self.silence_owner();
        self.refuse_unheard();
        let survivors = [chance.happens(0.5), chance.happens(0.8), chance.happens(0.8)];
        let gap = chance.between(Millis(100), Millis::from_secs(20));
        self.agenda.put(self.now + gap, Entry::TakeOver { survivors });
    }

    /// A new process takes over: what lived in the former one only is dead, the rest is as it was stored.
    pub fn take_over(&mut self, survivors: [bool; 3]) {
        let dead: Vec<LegId> = self
            .legs
            .iter()
            .filter(|(_, far)| far.state != FarState::Down && !survivors[index_of(far.line)])
            .map(|(leg, _)| *leg)
            .collect();
        for leg in dead {
            self.leg_down(leg, None);
        }
        self.owner.number += 1;
        self.owner.state = State::InCharge;
        self.owner.writing_until = self.now;
        self.engine = Engine::replay(self.stored().clone(), []);
        self.trace.note(self.now, "another process takes over");
        self.hand_in(Input::TookOver);
        for input in std::mem::take(&mut self.owner.waiting) {
            self.give(input);
        }
    }
}
