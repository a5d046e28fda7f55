//! A simulation proves nothing about what does not happen in it: every fact, wish and command that the core knows occurs on
//! days with faults. What is new in the core is found here first.
#![allow(clippy::unwrap_used, reason = "what goes wrong is a failed test")]

use dreiklang_sim::{Options, Plan, profile::named, run};
use std::collections::BTreeSet;

const SOURCES: [(&str, &str); 3] = [
    ("Event", include_str!("../../core/src/output/event.rs")),
    ("Action", include_str!("../../core/src/output/action.rs")),
    ("Command", include_str!("../../core/src/input/command.rs")),
];

/// What has to happen too, though it is no kind of its own: `trace` tells them apart.
const MOMENTS: &[&str] = &["Moment::TypedPrivately", "Moment::PausedForWhatIsPrivate"];

/// What does not occur, and why.
const ABSENT: &[(&str, &str)] = &[];

/// The variants of an enum, read from its source: indented by four, beginning with a capital.
fn variants(name: &str, source: &str) -> BTreeSet<String> {
    let begin = source.find(&format!("pub enum {name} {{")).unwrap();
    let body = source[begin..].lines().skip(1).take_while(|line| *line != "}");
    let variant = |line: &str| {
        let text = line.strip_prefix("    ").filter(|text| text.starts_with(|first: char| first.is_ascii_uppercase()))?;
        Some(format!("{name}::{}", text.chars().take_while(char::is_ascii_alphanumeric).collect::<String>()))
    };
    body.filter_map(variant).collect()
}

#[test]
fn everything_the_core_knows_happens_on_days_with_faults() {
    const MOST: u64 = 20;
    let profile = named("faults").unwrap();
    let mut missing: BTreeSet<String> = SOURCES.iter().flat_map(|(name, source)| variants(name, source)).collect();
    assert!(missing.len() > 60, "{missing:?}");
    missing.extend(MOMENTS.iter().map(|name| (*name).to_owned()));
    for (name, why) in ABSENT {
        assert!(missing.remove(*name), "{name} need not be excused ({why}): there is no such thing");
    }
    for seed in 1..=MOST {
        if missing.is_empty() {
            break;
        }
        let outcome = run(&profile, &Plan::new(&profile, seed), Options { trace: true, ..Options::default() });
        missing.retain(|name| !outcome.kinds.contains(name));
    }
    assert!(missing.is_empty(), "these never happen in {MOST} days: {missing:?}");
}

#[test]
fn what_was_typed_in_a_process_that_is_gone_is_asked_for_again() {
    const MOST: u64 = 10;
    let mut profile = named("faults").unwrap();
    // Everybody calls the reception, and owners do not last.
    profile.dialed.retain(|dialed| dialed.number == "+4930108");
    profile.incidents.take_overs = 80.0;
    let happens = (1..=MOST).any(|seed| {
        let outcome = run(&profile, &Plan::new(&profile, seed), Options { trace: true, ..Options::default() });
        assert_eq!(outcome.findings, [], "day {seed}");
        outcome.kinds.contains("Moment::TypedInAnotherProcess")
    });
    assert!(happens, "nobody is asked again in {MOST} days");
}
