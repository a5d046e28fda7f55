//! Makes a day that went wrong as short as it can be and still go wrong in the same way.

use crate::{
    plan::Plan,
    profile::{Faults, Profile},
    stage::{Options, Outcome, run},
};
use dreiklang_core::time::{Millis, Timestamp};

/// Most runs that are spent on it.
const RUNS: usize = 600;

/// A short day that goes wrong.
#[derive(Clone, Debug)]
pub struct Shrunk {
    /// The day.
    pub plan: Plan,
    /// How it goes, with a trace.
    pub outcome: Outcome,
    /// Runs spent.
    pub runs: usize,
}

/// Shrinks `plan`, of which `outcome` tells what goes wrong; `None` when nothing does.
pub fn shrink(profile: &Profile, plan: &Plan, outcome: &Outcome, options: Options) -> Option<Shrunk> {
    let wanted = outcome.findings.first()?;
    let mut search = Search { profile, options, checker: wanted.checker, rule: wanted.rule.clone(), best: plan.clone(), runs: 0 };
    search.cut(wanted.at);
    loop {
        let before = search.size();
        search.reduce(|plan| &mut plan.calls);
        search.reduce(|plan| &mut plan.letters);
        search.reduce(|plan| &mut plan.incidents);
        search.reduce(|plan| &mut plan.shifts);
        for index in 0..search.best.shifts.len() {
            search.reduce(|plan| &mut plan.shifts[index].breaks);
            search.reduce(|plan| &mut plan.shifts[index].sleeps);
        }
        search.quiet_faults();
        if search.size() == before || search.runs >= RUNS {
            break;
        }
    }
    let traced = Options { trace: true, ..options };
    let outcome = run(profile, &search.best, traced);
    Some(Shrunk { plan: search.best, outcome, runs: search.runs })
}

struct Search<'day> {
    profile: &'day Profile,
    options: Options,
    checker: &'static str,
    rule: String,
    best: Plan,
    runs: usize,
}

impl Search<'_> {
    fn size(&self) -> usize {
        let shifts: usize = self.best.shifts.iter().map(|shift| 1 + shift.breaks.len() + shift.sleeps.len()).sum();
        self.best.calls.len() + self.best.letters.len() + self.best.incidents.len() + shifts
    }

    /// Takes a smaller plan over if it goes wrong in the same way.
    fn try_out(&mut self, plan: Plan) -> bool {
        if self.runs >= RUNS {
            return false;
        }
        self.runs += 1;
        let outcome = run(self.profile, &plan, self.options);
        let same = outcome.findings.iter().any(|finding| finding.checker == self.checker && finding.rule == self.rule);
        if same {
            self.best = plan;
        }
        same
    }

    /// Leaves out what would have come afterwards, and then what came long before.
    fn cut(&mut self, at: Timestamp) {
        let mut plan = self.best.clone();
        plan.calls.retain(|call| call.at <= at);
        plan.letters.retain(|letter| letter.at <= at);
        plan.incidents.retain(|incident| incident.at <= at);
        self.try_out(plan);
        for minutes in [5, 15, 60] {
            let from = at.0 - minutes * 60_000;
            let mut plan = self.best.clone();
            plan.calls.retain(|call| call.at.0 >= from);
            plan.letters.retain(|letter| letter.at.0 >= from);
            plan.incidents.retain(|incident| incident.at.0 >= from);
            if self.try_out(plan) {
                return;
            }
        }
    }

    /// Leaves out ever smaller parts of a list.
    fn reduce<T: Clone>(&mut self, list: impl Fn(&mut Plan) -> &mut Vec<T>) {
        let mut part = list(&mut self.best.clone()).len();
        while part > 0 {
            let mut from = 0;
            loop {
                let mut plan = self.best.clone();
                let entries = list(&mut plan);
                if from >= entries.len() {
                    break;
                }
                let to = (from + part).min(entries.len());
                entries.drain(from..to);
                if !self.try_out(plan) {
                    from = to;
                }
            }
            part /= 2;
        }
    }

    /// Lets lines do less wrong, one kind of fault after the other.
    fn quiet_faults(&mut self) {
        type Quieten = fn(&mut Faults);
        const KINDS: [Quieten; 10] = [
            |faults| *faults = faults.none_of(),
            |faults| (faults.latency_least, faults.latency_most) = (Millis(0), Millis(0)),
            |faults| faults.late = 0.0,
            |faults| faults.twice = 0.0,
            |faults| faults.lost = 0.0,
            |faults| faults.refused = 0.0,
            |faults| faults.unanswered = 0.0,
            |faults| faults.ignored = 0.0,
            |faults| faults.breaks_per_minute = 0.0,
            |faults| faults.repeated = 0.0,
        ];
        for quieten in KINDS {
            let mut plan = self.best.clone();
            quieten(&mut plan.faults);
            self.try_out(plan);
        }
    }
}
