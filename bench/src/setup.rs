//! Call set-up: how many calls per second a peer takes, how long each waits for its answer, what a thousand of them cost.

use crate::{
    machine::{Snapshot, Usage},
    row::{Row, median},
    sip::{tally::Tally, world::Pace},
    target::{Bench, Target},
    timers::{MS, Nanos, SECOND},
};
use std::{thread, time::Duration};

/// A run is held below this share of failed calls.
const FAILED_PCT_MAX: f64 = 0.1;
/// A run is held below this time from INVITE to conversation for 99 of 100 calls.
const CONNECT_P99_MS_MAX: f64 = 500.0;
/// The generator has to begin this share of the calls it should have begun.
const PACE_SHARE_MIN: f64 = 0.97;
/// After the measured part calls go on for so long, so that the last measured ones meet the same load.
const TAIL: Nanos = 300 * MS;
/// Bisections of a search; five narrow a doubling down to 3 %.
const BISECTIONS: u32 = 5;
/// Below this the difference of two rates is not worth another run.
const RATE_STEP_MIN: f64 = 0.03;
/// How often a rate that was held once and then was not is lowered.
const STEPS_DOWN_MAX: u32 = 5;
/// What one set-up keeps an agent besides talking, when nothing better is known.
const SERVICE: Nanos = 50 * MS;

/// Options of `setup`.
#[derive(clap::Args, Debug)]
pub struct Args {
    #[command(flatten)]
    target: Target,
    /// Calls per second; of a search the first rate.
    #[arg(long, default_value_t = 50.0)]
    rate: f64,
    /// Measured seconds of each run.
    #[arg(long, default_value_t = 8)]
    seconds: u64,
    /// Seconds before them.
    #[arg(long, default_value_t = 2)]
    warm_up: u64,
    /// Time between being connected and hanging up.
    #[arg(long, default_value_t = 0, value_name = "MS")]
    hold_ms: u64,
    /// Find the highest rate that is held: doubling, then bisection, then three runs at it and three at half of it.
    #[arg(long)]
    search: bool,
    /// Where a search ends.
    #[arg(long, default_value_t = 20_000.0)]
    rate_max: f64,
    /// Runs at the rate, or at the result of a search and at half of it.
    #[arg(long, default_value_t = 0, value_name = "N")]
    repeat: u32,
    /// Seconds between runs.
    #[arg(long, default_value_t = 3)]
    cool_down: u64,
}

/// Runs the measurement; false when the peer did not hold the load.
pub fn run(args: &Args) -> anyhow::Result<bool> {
    anyhow::ensure!(args.rate > 0.0 && args.rate <= args.rate_max, "--rate is between 0 and --rate-max");
    let bench = args.target.start(args.hold_ms * MS, false)?;
    let setup = Setup { args, bench: &bench };
    let outcome = if args.search { setup.search() } else { setup.fixed() };
    bench.stop();
    outcome
}

struct Setup<'a> {
    args: &'a Args,
    bench: &'a Bench,
}

impl Setup<'_> {
    fn fixed(&self) -> anyhow::Result<bool> {
        self.say_agents(self.args.rate);
        let mut held = true;
        for _ in 0..self.args.repeat.max(1) {
            held &= self.step(self.args.rate, "fixed")?.is_held();
        }
        Ok(held)
    }

    /// An agent takes one call at a time: so many are busy on average, by Little's law.
    fn say_agents(&self, rate: f64) {
        if self.bench.agents == 0 {
            return;
        }
        let per_call = (self.args.hold_ms * MS + SERVICE) as f64 / SECOND as f64;
        let (needed, most) = ((rate * per_call).ceil(), self.bench.agents as f64 / per_call);
        let verdict = if needed > self.bench.agents as f64 { "too few: calls will wait in the queue" } else { "enough" };
        eprintln!(
            "{rate:.0} calls/s with {} ms of talking need about {needed:.0} agents; there are {} ({verdict}; they could take {most:.0} calls/s)",
            self.args.hold_ms, self.bench.agents
        );
    }

    fn search(&self) -> anyhow::Result<bool> {
        let (mut good, mut bad) = (None, None);
        let mut rate = self.args.rate;
        while bad.is_none() && rate <= self.args.rate_max {
            // One bad run may be the machine's fault; two are the peer's.
            if self.step(rate, "ladder")?.is_held() || self.step(rate, "again")?.is_held() {
                good = Some(rate);
                rate *= 2.0;
            } else {
                bad = Some(rate);
            }
        }
        let Some(mut good) = good else {
            eprintln!("not even {} calls/s were held; begin lower with --rate", self.args.rate);
            return Ok(false);
        };
        if let Some(mut bad) = bad {
            for _ in 0..BISECTIONS {
                let middle = ((good + bad) / 2.0).round();
                if middle - good < RATE_STEP_MIN * good {
                    break;
                }
                if self.step(middle, "bisection")?.is_held() { good = middle } else { bad = middle }
            }
        }
        self.confirm(good)
    }

    /// Repeats the result, and measures at half of it what a peer with room to breathe does.
    fn confirm(&self, found: f64) -> anyhow::Result<bool> {
        let repeat = if self.args.repeat == 0 { 3 } else { self.args.repeat };
        let runs = |rate: f64, tag: &str| (0..repeat).map(|_| self.step(rate, tag)).collect::<anyhow::Result<Vec<Row>>>();
        let mut rate = found;
        let mut top = runs(rate, "top")?;
        for _ in 0..STEPS_DOWN_MAX {
            if 2 * top.iter().filter(|row| row.is_held()).count() > top.len() {
                break;
            }
            rate = (rate * 0.93).round();
            top = runs(rate, "top")?;
        }
        let is_held = 2 * top.iter().filter(|row| row.is_held()).count() > top.len();
        let half = runs((rate / 2.0).round(), "half")?;
        let middle = |rows: &[Row], name: &str| median(rows.iter().filter_map(|row| row.get(name)));
        let mut row = Row::new("setup-result", &self.bench.label, "median");
        row.set("held", is_held)
            .number("calls_per_s", rate)
            .set("agents", self.bench.agents)
            .set("hold_ms", self.args.hold_ms)
            .set("runs", repeat);
        for (name, rows, figure) in [
            ("top_connect_p99_ms", &top, "connect_p99_ms"),
            ("top_peer_cpu_pct", &top, "peer_cpu_pct"),
            ("top_cpu_s_per_1000", &top, "cpu_s_per_1000"),
            ("top_own_cpu_pct", &top, "own_cpu_pct"),
            ("top_foreign_cpu_pct", &top, "foreign_cpu_pct"),
            ("peer_rss_mb", &top, "peer_rss_mb"),
            ("half_answer_p50_ms", &half, "answer_p50_ms"),
            ("half_answer_p99_ms", &half, "answer_p99_ms"),
            ("half_connect_p50_ms", &half, "connect_p50_ms"),
            ("half_connect_p99_ms", &half, "connect_p99_ms"),
            ("half_cpu_s_per_1000", &half, "cpu_s_per_1000"),
        ] {
            row.number(name, middle(rows, figure));
        }
        let line = format!(
            "{}: {} calls/s held ({} CPU s per 1,000; p99 {} ms); at half of it INVITE to conversation p50 {} p99 {} ms",
            self.bench.label,
            row.show("calls_per_s"),
            row.show("top_cpu_s_per_1000"),
            row.show("top_connect_p99_ms"),
            row.show("half_connect_p50_ms"),
            row.show("half_connect_p99_ms"),
        );
        row.publish(&line, self.bench.out.as_deref())?;
        Ok(is_held)
    }

    /// One run at one rate.
    fn step(&self, rate: f64, tag: &str) -> anyhow::Result<Row> {
        let (bench, args) = (self.bench, self.args);
        bench.prepare()?;
        let mut row = Row::new("setup", &bench.label, tag);
        let from = bench.exchange.clock.now() + 50 * MS;
        let measured_from = from + args.warm_up * SECOND;
        let measured_to = measured_from + args.seconds * SECOND;
        let until = measured_to + TAIL;
        bench.exchange.with(|world| world.begin(Pace { from, rate, until, count: u64::MAX, measured_from, measured_to }));
        bench.sleep_until(measured_from);
        let before = Snapshot::take(&bench.peer);
        bench.sleep_until(measured_to);
        let usage = before.until(&Snapshot::take(&bench.peer));
        bench.sleep_until(until);
        bench.wait(bench.call_limit(), |world| world.callers.open == 0);
        let tally = bench.exchange.with(|world| {
            world.stop_calling();
            world.callers.end_all(&mut world.io, "still up at the end");
            world.io.tally.clone()
        });
        // Goodbyes are part of the load; the next run should not find them.
        bench.wait(5 * SECOND, |world| world.callers.live == 0 && world.answerers.live == 0);
        self.fill(&mut row, rate, &tally, &usage);
        let line = format!(
            "{:<16} {tag:<9} {rate:>6.0}/s failed {:.3} % · INVITE→200 p50 {} p99 {} ms · →conversation p50 {} p99 {} ms · peer {} % CPU, {} s per 1,000, {} MB · we {} % · others {} % · load {} · {}",
            bench.label,
            tally.failed_pct(),
            row.show("answer_p50_ms"),
            row.show("answer_p99_ms"),
            row.show("connect_p50_ms"),
            row.show("connect_p99_ms"),
            row.show("peer_cpu_pct"),
            row.show("cpu_s_per_1000"),
            row.show("peer_rss_mb"),
            row.show("own_cpu_pct"),
            row.show("foreign_cpu_pct"),
            row.show("load_1m"),
            if row.is_held() { "held" } else { row.text("why") },
        );
        row.publish(&line, bench.out.as_deref())?;
        bench.after(row.is_held());
        thread::sleep(Duration::from_secs(args.cool_down));
        Ok(row)
    }

    fn fill(&self, row: &mut Row, rate: f64, tally: &Tally, usage: &Usage) {
        let seconds = self.args.seconds as f64;
        let why = reason_not_held(rate * seconds, tally);
        row.number("rate", rate).set("seconds", self.args.seconds).set("hold_ms", self.args.hold_ms).set("agents", self.bench.agents);
        row.set("offered", tally.offered).set("answered", tally.answered).set("connected", tally.connected);
        row.set("completed", tally.completed)
            .set("failed", tally.failed)
            .number("failed_pct", tally.failed_pct())
            .set("causes", tally.causes_text());
        row.number("calls_per_s", tally.completed as f64 / seconds);
        for (name, histogram) in
            [("answer", &tally.answer), ("arrival", &tally.arrival), ("connect", &tally.connect), ("goodbye", &tally.goodbye)]
        {
            row.number(&format!("{name}_p50_ms"), histogram.quantile_ms(0.5));
            row.number(&format!("{name}_p99_ms"), histogram.quantile_ms(0.99));
            row.number(&format!("{name}_max_ms"), histogram.quantile_ms(1.0));
        }
        row.set("repeats_sent", tally.repeats_sent).set("repeats_seen", tally.repeats_seen).set("malformed", tally.malformed);
        row.set("double_offers", tally.double_offers).set("unmatched", tally.unmatched).set("held_back", tally.held_back);
        row.number("late_p99_ms", tally.lateness.quantile_ms(0.99));
        row.usage(usage);
        row.number("cpu_s_per_1000", usage.peer_cpu_s.map(|cpu| cpu / (rate * usage.seconds) * 1_000.0));
        row.set("held", why.is_none()).set("why", why.unwrap_or_default());
    }
}

fn reason_not_held(expected: f64, tally: &Tally) -> Option<String> {
    if (tally.offered as f64) < PACE_SHARE_MIN * expected {
        return Some(format!("the generator began only {} of {expected:.0} calls", tally.offered));
    }
    if tally.failed_pct() >= FAILED_PCT_MAX {
        return Some(tally.causes_text());
    }
    match tally.connect.quantile_ms(0.99) {
        Some(p99) if p99 < CONNECT_P99_MS_MAX => None,
        Some(p99) => Some(format!("p99 {p99:.0} ms")),
        None => Some("no call was connected".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tally(offered: u64, failed: u64, connect_ms: u64) -> Tally {
        let mut tally = Tally { offered, ..Tally::default() };
        (0..failed).for_each(|_| tally.fail("503"));
        (failed..offered).for_each(|_| tally.connect.record(connect_ms * MS));
        tally
    }

    #[test]
    fn a_run_is_held_only_with_few_failures_short_waits_and_a_generator_that_kept_the_pace() {
        assert_eq!(reason_not_held(1_000.0, &tally(1_000, 0, 10)), None);
        assert_eq!(reason_not_held(1_000.0, &tally(1_000, 1, 10)), Some("1 × 503".to_owned()));
        assert_eq!(reason_not_held(1_000.0, &tally(1_000, 0, 600)), Some("p99 600 ms".to_owned()));
        assert!(reason_not_held(1_000.0, &tally(900, 0, 10)).unwrap().contains("900 of 1000"));
        assert_eq!(reason_not_held(0.0, &tally(0, 0, 0)), Some("no call was connected".to_owned()));
    }
}
