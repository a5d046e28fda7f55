//! `dreiklang simulate`: contact-center days on a virtual clock, with checkers for what must never happen.

use anyhow::{Context as _, bail};
use dreiklang_sim::{
    Options, Outcome, Plan, Profile, Report,
    profile::{NAMES, named},
    shrink,
    stage::run,
    sweep::{self, Failure},
};
use std::{
    io::{BufWriter, Write as _},
    process::ExitCode,
    time::Instant,
};

/// Arguments of `simulate`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// What all chance comes from; the same seed gives the same day.
    #[arg(long, default_value_t = 1, value_name = "N")]
    seed: u64,
    /// So many days, of seeds that follow each other, on all cores.
    #[arg(long, default_value_t = 1, value_name = "COUNT", value_parser = clap::value_parser!(u64).range(1..))]
    seeds: u64,
    /// The kind of day.
    #[arg(long, default_value = "office", value_name = "NAME", value_parser = clap::builder::PossibleValuesParser::new(NAMES.iter().map(|(name, about)| clap::builder::PossibleValue::new(*name).help(*about))))]
    day: String,
    /// Print every fact of the day, one per line.
    #[arg(long, conflicts_with = "seeds")]
    trace: bool,
    /// One JSON object.
    #[arg(long)]
    json: bool,
    /// Say how long it took.
    #[arg(long)]
    timing: bool,
}

/// Runs the days. The exit code is 1 when something happened that must never happen.
pub fn run_days(args: &Args) -> anyhow::Result<ExitCode> {
    let Some(profile) = named(&args.day) else { bail!("there is no day called {}", args.day) };
    let began = Instant::now();
    let (mut report, failures) = if args.trace { with_trace(&profile, args.seed) } else { sweep::sweep(&profile, args.seed, args.seeds) };
    let took = began.elapsed();
    for failure in &failures {
        eprint!("{}", story(&profile, failure));
    }
    report.took_ms = args.timing.then_some(u64::try_from(took.as_millis()).unwrap_or(u64::MAX));
    let summary = if args.json {
        serde_json::to_string(&report).context("the report is not JSON")?
    } else {
        for_people(&report, args, took.as_secs_f64())
    };
    // Whoever stops reading has seen enough.
    let _ = writeln!(std::io::stdout(), "{summary}");
    Ok(if report.violations == 0 { ExitCode::SUCCESS } else { ExitCode::from(super::exit::FAILED) })
}

fn with_trace(profile: &Profile, seed: u64) -> (Report, Vec<Failure>) {
    let outcome = run(profile, &Plan::new(profile, seed), Options { trace: true, sample: true, ..Options::default() });
    let mut out = BufWriter::new(std::io::stdout().lock());
    // Whoever stops reading has seen enough.
    let _ = outcome.trace.iter().try_for_each(|line| writeln!(out, "{line}")).and_then(|()| out.flush());
    drop(out);
    let mut report = Report::new(seed, 1);
    report.add(&outcome);
    let failures = if outcome.findings.is_empty() { Vec::new() } else { vec![Failure { seed, outcome }] };
    (report, failures)
}

/// What went wrong on a day, told as shortly as it can be.
fn story(profile: &Profile, failure: &Failure) -> String {
    let mut text = format!("Seed {} of day \"{}\" goes wrong:\n", failure.seed, profile.name);
    findings(&mut text, &failure.outcome);
    let plan = Plan::new(profile, failure.seed);
    if let Some(shrunk) = shrink::shrink(profile, &plan, &failure.outcome, Options::default()) {
        let (calls, all) = (shrunk.plan.calls.len(), plan.calls.len());
        text.push_str(&format!("The same with {calls} of {all} callers:\n"));
        for line in &shrunk.outcome.trace {
            text.push_str(&format!("  {line}\n"));
        }
    }
    text.push_str(&format!("Repeat it with: dreiklang simulate --day {} --seed {} --trace\n\n", profile.name, failure.seed));
    text
}

fn findings(text: &mut String, outcome: &Outcome) {
    for finding in &outcome.findings {
        let at = dreiklang_sim::trace::clock(finding.at);
        text.push_str(&format!("  {at} {} ({}): {}\n", finding.rule, finding.checker, finding.detail));
    }
}

fn for_people(report: &Report, args: &Args, seconds: f64) -> String {
    let days = if args.seeds == 1 { format!("seed {}", args.seed) } else { format!("{} days from seed {} on", args.seeds, args.seed) };
    let mut text = format!(
        "Day \"{}\", {days}: {} conversations, {} {} with violations",
        args.day,
        report.conversations,
        report.violations,
        if report.violations == 1 { "day" } else { "days" }
    );
    if let Some(kpis) = &report.kpis {
        let count = |key| kpis.number(key).unwrap_or_default();
        let percent = |key| kpis.number(key).map_or_else(|| "–".to_owned(), |share| format!("{:.1} %", share * 100.0));
        let span = |key| kpis.number(key).map_or_else(|| "–".to_owned(), |ms| format!("{:.1} s", ms / 1_000.0));
        text.push_str(&format!(
            "\noffered {}, answered {}, abandoned {}, flow-out {}\nservice level {}, average speed of answer {}, average handle time {}",
            count("offered"),
            count("answered"),
            count("abandoned"),
            count("flow_out"),
            percent("service_level"),
            span("average_speed_of_answer"),
            span("average_handle_time")
        ));
    }
    if args.timing {
        text.push_str(&format!("\n{seconds:.1} s, {:.0} conversations a second", report.conversations as f64 / seconds));
    }
    text
}
