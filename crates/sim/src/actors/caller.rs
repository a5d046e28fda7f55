//! People who call: they wait as long as their patience lasts, press keys, hang up, and some call again.

use crate::{
    actors::line::{FarLeg, FarState, Who},
    chance::{Chance, Stream},
    plan::Call,
    stage::{Entry, Stage},
};
use dreiklang_core::{Input, conversation::CauseKind, endpoint::Party, ids::LegId, time::Millis};

/// Ids of callers' legs begin here; those that the engine makes lie far above.
const FIRST_LEG: u128 = 1 << 64;

#[derive(Debug)]
pub struct Caller {
    pub plan: Call,
    pub leg: Option<LegId>,
    /// Whom this one talks to.
    pub partner: Option<LegId>,
    /// Counts what changed, so that old intentions are recognized.
    pub turn: u32,
    pub chance: Chance,
    /// Legs that were called on this one's behalf.
    pub called: u64,
    talked: bool,
    attempts: u32,
}

impl Caller {
    pub fn new(seed: u64, call: &Call) -> Caller {
        let chance = Chance::new(seed, Stream::Caller, call.index);
        Caller { plan: *call, leg: None, partner: None, turn: 0, chance, called: 0, talked: false, attempts: 0 }
    }

    /// This one's telephone rings.
    pub fn called_back(&mut self, leg: LegId) {
        self.turn += 1;
        (self.leg, self.partner, self.talked) = (Some(leg), None, false);
    }
}

impl Stage<'_> {
    /// Somebody picks up the telephone and dials.
    pub fn call(&mut self, index: usize) {
        let manners = &self.profile.callers;
        let Some(caller) = self.callers.get_mut(index).filter(|caller| caller.leg.is_none()) else { return };
        let Some(dialed) = self.profile.dialed.get(caller.plan.dialed) else { return };
        caller.attempts += 1;
        caller.turn += 1;
        caller.called += 1;
        (caller.talked, caller.partner) = (false, None);
        let leg = LegId(FIRST_LEG + u128::from(caller.plan.index) * 64 + u128::from(caller.attempts));
        caller.leg = Some(leg);
        let number = (!caller.chance.happens(manners.withheld)).then(|| format!("+491701{:06}", caller.plan.index));
        let stream = caller.plan.index * 64 + caller.called;
        let far = FarLeg::new(dialed.line, Who::Caller(index), Chance::new(self.plan.seed, Stream::CallerLine, stream));
        self.legs.insert(leg, far);
        let patience = if caller.chance.happens(manners.misdialed) {
            Some(caller.chance.between(Millis(500), Millis::from_secs(4)))
        } else {
            manners.patience.map(|mean| caller.chance.exponential(mean))
        };
        let turn = caller.turn;
        if let Some(patience) = patience {
            self.agenda.put(self.now + patience, Entry::Patience { caller: index, turn });
        }
        self.report_now(
            leg,
            Input::Arrived { leg, line: dialed.line, caller: Party { number, name: None }, dialed: dialed.number.clone() },
        );
        self.plan_key(index);
    }

    /// The caller waits (again): how long, and whether a key is pressed meanwhile.
    pub fn wait_again(&mut self, index: usize) {
        let Some(caller) = self.callers.get_mut(index) else { return };
        caller.partner = None;
        caller.turn += 1;
        let turn = caller.turn;
        if let Some(mean) = self.profile.callers.patience {
            let patience = caller.chance.exponential(mean) + Millis(1);
            self.agenda.put(self.now + patience, Entry::Patience { caller: index, turn });
        }
        self.plan_key(index);
    }

    fn plan_key(&mut self, index: usize) {
        let rate = self.profile.callers.keys_per_minute;
        if rate > 0.0
            && let Some(caller) = self.callers.get_mut(index)
        {
            let after = caller.chance.exponential(Millis((60_000.0 / rate) as u64));
            self.agenda.put(self.now + after, Entry::Key { caller: index, turn: caller.turn });
        }
    }

    pub fn press_key(&mut self, index: usize, turn: u32) {
        const KEYS: [char; 8] = ['1', '2', '3', '0', '*', '#', '9', 'A'];
        let Some(caller) = self.callers.get_mut(index).filter(|caller| caller.turn == turn) else { return };
        let (Some(leg), Some(digit)) = (caller.leg, caller.chance.pick(&KEYS).copied()) else { return };
        if self.legs.get(&leg).is_some_and(|far| far.state == FarState::Up) {
            self.report(leg, Input::Digit { leg, digit });
            self.plan_key(index);
        }
    }

    /// The caller hears words that ask for keys: most press some, while they are said or after.
    pub fn is_asked(&mut self, index: usize) {
        const ANSWERS: [&str; 10] = ["1", "1", "2", "3", "9", "7", "12", "1234", "00#", "45#"];
        if self.profile.callers.keys_per_minute <= 0.0 {
            return;
        }
        let Some(caller) = self.callers.get_mut(index) else { return };
        let Some(keys) = caller.chance.pick(&ANSWERS).copied() else { return };
        if caller.chance.happens(0.2) {
            return;
        }
        let mut at = self.now + caller.chance.between(Millis(500), Millis::from_secs(9));
        let turn = caller.turn;
        for key in keys.chars() {
            self.agenda.put(at, Entry::Reply { caller: index, turn, key });
            at = at + caller.chance.between(Millis(200), Millis(1_200));
        }
    }

    pub fn reply(&mut self, index: usize, turn: u32, key: char) {
        let Some(leg) = self.callers.get(index).filter(|caller| caller.turn == turn).and_then(|caller| caller.leg) else { return };
        if self.legs.get(&leg).is_some_and(|far| far.state == FarState::Up) {
            self.report(leg, Input::Digit { leg, digit: key });
        }
    }

    pub fn lose_patience(&mut self, index: usize, turn: u32) {
        let Some(caller) = self.callers.get(index) else { return };
        if caller.turn == turn
            && caller.partner.is_none()
            && let Some(leg) = caller.leg
        {
            self.leg_down(leg, Some(CauseKind::FarEnd));
        }
    }

    /// Caller and somebody hear each other. Returns whether that is a new talk.
    pub fn hears(&mut self, index: usize, partner: LegId) -> bool {
        let Some(caller) = self.callers.get_mut(index) else { return false };
        if caller.partner == Some(partner) {
            return false;
        }
        caller.partner = Some(partner);
        caller.talked = true;
        caller.turn += 1;
        true
    }

    /// The caller's leg is over, for whatever reason.
    pub fn caller_gone(&mut self, index: usize) {
        const CALLS_AGAIN_WITHIN: Millis = Millis::from_secs(600);
        const ATTEMPTS: u32 = 5;
        let Some(caller) = self.callers.get_mut(index) else { return };
        (caller.leg, caller.partner) = (None, None);
        caller.turn += 1;
        if !caller.talked && caller.attempts < ATTEMPTS && caller.chance.happens(self.profile.callers.call_again) {
            let after = caller.chance.between(Millis::from_secs(5), CALLS_AGAIN_WITHIN);
            self.agenda.put(self.now + after, Entry::Call(index));
        }
    }
}
