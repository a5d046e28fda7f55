//! Many days, on all cores.

use crate::{
    plan::Plan,
    profile::Profile,
    report::Report,
    stage::{Options, Outcome, run},
};
use std::{
    num::NonZero,
    sync::{
        Mutex,
        atomic::{AtomicU64, Ordering},
    },
    thread,
};

/// Of so many days, one is written out and read back: that takes several times as long as the day itself.
const SAMPLE_EVERY: u64 = 25;

/// A day that went wrong.
#[derive(Clone, Debug)]
pub struct Failure {
    /// Its seed.
    pub seed: u64,
    /// How it went.
    pub outcome: Outcome,
}

/// Runs the days of `seeds` seeds from `first` on. The sum does not depend on the number of cores; of the failures, those with
/// the lowest seeds are kept.
pub fn sweep(profile: &Profile, first: u64, seeds: u64) -> (Report, Vec<Failure>) {
    const KEPT: usize = 5;
    let next = AtomicU64::new(0);
    let sum = Mutex::new((Report::new(first, seeds), Vec::<Failure>::new()));
    let threads = thread::available_parallelism().map_or(1, NonZero::get).min(seeds as usize);
    thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                loop {
                    let index = next.fetch_add(1, Ordering::Relaxed);
                    if index >= seeds {
                        return;
                    }
                    let seed = first.wrapping_add(index);
                    let outcome = run_one(profile, seed, index.is_multiple_of(SAMPLE_EVERY));
                    let Ok(mut sum) = sum.lock() else { return };
                    sum.0.add(&outcome);
                    if !outcome.findings.is_empty() {
                        sum.1.push(Failure { seed, outcome });
                        sum.1.sort_by_key(|failure| failure.seed.wrapping_sub(first));
                        sum.1.truncate(KEPT);
                    }
                }
            });
        }
    });
    sum.into_inner().unwrap_or_default()
}

/// One day; when sampled, also written out, read back, and run again with every report coming twice.
pub fn run_one(profile: &Profile, seed: u64, sample: bool) -> Outcome {
    let plan = Plan::new(profile, seed);
    let mut outcome = run(profile, &plan, Options { sample, ..Options::default() });
    if sample && outcome.findings.is_empty() {
        let doubled = run(profile, &plan, Options { doubled: true, ..Options::default() });
        if doubled.findings.is_empty() && doubled.fingerprint != outcome.fingerprint {
            outcome.findings.push(crate::checkers::Finding {
                at: crate::plan::MIDNIGHT,
                checker: "repeats",
                rule: "a day on which every report comes twice is the same day".to_owned(),
                detail: format!("{} events instead of {}", doubled.events, outcome.events),
            });
        }
        outcome.findings.extend(doubled.findings);
    }
    outcome
}
