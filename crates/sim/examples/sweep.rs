//! Runs many days and prints what they cost: `cargo run --release -p dreiklang-sim --example sweep -- faults 1 100`.
#![allow(clippy::print_stdout, reason = "that is what it is for")]

use dreiklang_sim::{Options, Plan, profile::named, shrink, sweep};
use std::time::Instant;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let name = arguments.first().map_or("faults", String::as_str);
    let number = |index: usize| arguments.get(index).and_then(|text| text.parse().ok());
    let (first, seeds) = (number(1).unwrap_or(1), number(2).unwrap_or(1));
    let Some(profile) = named(name) else { return println!("there is no day called {name}") };
    let began = Instant::now();
    let (report, failures) = sweep::sweep(&profile, first, seeds);
    let took = began.elapsed().as_secs_f64();
    let per_second = report.conversations as f64 / took;
    println!("{}", serde_json::to_string(&report).unwrap_or_default());
    println!("{took:.2} s, {per_second:.0} conversations/s, {:.0} inputs/s", report.inputs as f64 / took);
    let held = report.estimates_held as f64 / report.estimates.max(1) as f64;
    println!("{} predicted waits, {:.1} % of them in the predicted range", report.estimates, held * 100.0);
    for failure in &failures {
        let rules: Vec<_> = failure.outcome.findings.iter().map(|finding| &finding.rule).collect();
        println!("seed {}: {rules:?}", failure.seed);
    }
    for failure in failures.iter().take(1) {
        println!("{:#?}", failure.outcome.findings);
        let plan = Plan::new(&profile, failure.seed);
        if let Some(shrunk) = shrink::shrink(&profile, &plan, &failure.outcome, Options::default()) {
            println!("shrunk in {} runs:", shrunk.runs);
            shrunk.outcome.trace.iter().for_each(|line| println!("{line}"));
        }
    }
}
