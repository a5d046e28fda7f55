//! Days of every kind keep every promise, and the checkers find what is broken on purpose.
#![allow(clippy::unwrap_used, reason = "what goes wrong is a failed test")]

use dreiklang_sim::{
    Options, Plan,
    mutation::Mutation,
    profile::{NAMES, named},
    run, shrink,
    sweep::run_one,
};

/// Fails with the story of the first finding.
fn expect_clean(name: &str, seeds: std::ops::RangeInclusive<u64>) {
    let profile = named(name).unwrap();
    for seed in seeds {
        let outcome = run_one(&profile, seed, true);
        assert!(outcome.conversations > 10, "{name} has hardly any calls: {}", outcome.conversations);
        if outcome.findings.is_empty() {
            continue;
        }
        // Shrinking takes its time; what was found is worth more than the short story of it.
        eprintln!("seed {seed} of day {name}: {:#?}", outcome.findings);
        let story = shrink::shrink(&profile, &Plan::new(&profile, seed), &outcome, Options::default());
        let story = story.map(|story| story.outcome.trace.join("\n")).unwrap_or_default();
        panic!("seed {seed} of day {name}: {:#?}\n{story}", outcome.findings);
    }
}

#[test]
fn a_quiet_day_keeps_every_promise() {
    expect_clean("quiet", 1..=10);
}

#[test]
fn an_office_day_keeps_every_promise() {
    expect_clean("office", 1..=1);
}

#[test]
fn a_day_with_a_spike_keeps_every_promise() {
    expect_clean("spike", 1..=1);
}

#[test]
fn a_day_with_faults_keeps_every_promise() {
    expect_clean("faults", 1..=3);
}

#[test]
fn every_day_in_the_list_exists() {
    for (name, _) in NAMES {
        assert_eq!(named(name).map(|profile| profile.name), Some(*name));
    }
    assert!(named("doomsday").is_none());
}

#[test]
fn a_seed_gives_the_same_day_every_time_and_another_seed_another() {
    let profile = named("faults").unwrap();
    let day = |seed| run(&profile, &Plan::new(&profile, seed), Options::default()).fingerprint;
    assert_eq!(day(5), day(5));
    assert_ne!(day(5), day(6));
}

#[test]
fn each_checker_finds_the_fault_it_is_for() {
    let profile = named("office").unwrap();
    let faulty = dreiklang_sim::Profile { faults: dreiklang_sim::profile::Faults { repeated: 0.2, ..profile.faults }, ..profile };
    for (mutation, checkers) in Mutation::ALL {
        // Not every day has occasion for every fault.
        let mut found: Vec<&str> = Vec::new();
        let caught = (1..=5).any(|seed| {
            let outcome = run(&faulty, &Plan::new(&faulty, seed), Options { mutation: Some(*mutation), ..Options::default() });
            found.extend(outcome.findings.iter().map(|finding| finding.checker));
            found.iter().any(|name| checkers.contains(name))
        });
        assert!(caught, "{mutation:?} is found by {found:?}, not by {checkers:?}");
    }
}

#[test]
fn a_day_that_goes_wrong_is_shrunk_to_a_short_story() {
    let profile = named("quiet").unwrap();
    let options = Options { mutation: Some(Mutation::RingForEver), ..Options::default() };
    let (plan, outcome) = (1..50)
        .map(|seed| Plan::new(&profile, seed))
        .map(|plan| (run(&profile, &plan, options), plan))
        .find_map(|(outcome, plan)| (!outcome.findings.is_empty()).then_some((plan, outcome)))
        .unwrap();
    let shrunk = shrink::shrink(&profile, &plan, &outcome, options).unwrap();
    assert_eq!(shrunk.outcome.findings[0].checker, "ringing");
    assert!(shrunk.plan.calls.len() < plan.calls.len(), "{} of {} calls are left", shrunk.plan.calls.len(), plan.calls.len());
    assert!(shrunk.outcome.trace.last().unwrap().contains("VIOLATION"), "{:#?}", shrunk.outcome.trace);
}
