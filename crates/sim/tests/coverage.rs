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
