//! What was ever written into a journal is read for ever: one fact of each kind, with each kind of wish and document, as it was
//! written when the kind was new.
//!
//! `tests/data/facts.jsonl` is only added to. `UPDATE_GOLDEN=1` adds the kinds that are not there yet, from simulated days; lines
//! that are there stay as they are, whatever became of the code.
#![allow(clippy::unwrap_used, reason = "what goes wrong is a failed test")]

use dreiklang_core::Stamped;
use dreiklang_sim::{Options, Plan, profile::named, run, trace::fact_kind};
use serde_json::Value;
use std::collections::BTreeMap;

const GOLDEN: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/facts.jsonl");
/// Days that are looked through for kinds that are missing in the file.
const DAYS: u64 = 20;

/// Whether all that was written is still there; fields may have been added since.
fn holds(now: &Value, written: &Value) -> bool {
    match (now, written) {
        (Value::Object(now), Value::Object(written)) => {
            written.iter().all(|(key, value)| now.get(key).is_some_and(|now| holds(now, value)))
        }
        (Value::Array(now), Value::Array(written)) => {
            now.len() == written.len() && now.iter().zip(written).all(|(now, written)| holds(now, written))
        }
        _ => now == written,
    }
}

fn golden() -> BTreeMap<String, String> {
    let text = std::fs::read_to_string(GOLDEN).unwrap_or_default();
    let read = |line: &str| -> Stamped { serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}")) };
    text.lines().map(|line| (fact_kind(&read(line).event), line.to_owned())).collect()
}

#[test]
fn every_kind_of_fact_that_was_ever_written_is_read_with_all_it_said() {
    let mut lines = golden();
    let profile = named("faults").unwrap();
    let day = |seed| run(&profile, &Plan::new(&profile, seed), Options { trace: true, ..Options::default() }).facts;
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        for (kind, line) in (1..=DAYS).flat_map(day) {
            lines.entry(kind).or_insert(line);
        }
        let text: Vec<&str> = lines.values().map(String::as_str).collect();
        std::fs::write(GOLDEN, text.join("\n") + "\n").unwrap();
    }
    assert!(lines.len() > 100, "{}", lines.len());
    for line in lines.values() {
        let stamped: Stamped = serde_json::from_str(line).unwrap();
        let written: Value = serde_json::from_str(line).unwrap();
        assert!(holds(&serde_json::to_value(&stamped).unwrap(), &written), "something is lost or changed: {line}");
    }
    let missing: Vec<String> = day(1).into_keys().filter(|kind| !lines.contains_key(kind)).collect();
    assert!(missing.is_empty(), "run this test with UPDATE_GOLDEN=1 to add what is new: {missing:?}");
}
