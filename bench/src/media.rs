//! Audio: how many calls a peer bridges at the same time, what it loses and delays, what a hundred of them cost.

use crate::{
    audio::Heard,
    machine::{Snapshot, Usage},
    row::Row,
    sip::world::Pace,
    target::{Bench, Target},
    timers::{MS, Nanos, SECOND},
};
use anyhow::bail;
use std::{thread, time::Duration};

/// A run is held below this share of lost packets.
const LOSS_PCT_MAX: f64 = 0.1;
/// A run is held below this added delay of 99 of 100 packets.
const DELAY_P99_MS_MAX: f64 = 20.0;
/// Beyond this loss more calls are not tried.
const LOSS_PCT_HOPELESS: f64 = 5.0;
/// How long packets sent in the window may take; whatever is later counts as lost.
const STRAGGLERS: Nanos = 300 * MS;
/// Calls ended in one go, and the pause until the next: 400 a second, so that ending is not a load test of its own.
const END_AT_ONCE: usize = 20;
const END_PAUSE: Duration = Duration::from_millis(50);

/// Options of `media`.
#[derive(clap::Args, Debug)]
pub struct Args {
    #[command(flatten)]
    target: Target,
    /// Calls at the same time; several numbers are tried one after the other.
    #[arg(long, value_delimiter = ',', default_value = "100", value_name = "N,…")]
    calls: Vec<usize>,
    /// Measured seconds of each run.
    #[arg(long, default_value_t = 10)]
    seconds: u64,
    /// Seconds between the last call's beginning and the measurement.
    #[arg(long, default_value_t = 3)]
    settle: u64,
    /// Calls begun per second.
    #[arg(long, default_value_t = 40.0)]
    rate: f64,
    /// Runs for each number of calls.
    #[arg(long, default_value_t = 1, value_name = "N")]
    repeat: u32,
    /// Seconds between runs.
    #[arg(long, default_value_t = 3)]
    cool_down: u64,
}

/// Runs the measurement; false when the peer did not hold the load.
pub fn run(args: &Args) -> anyhow::Result<bool> {
    anyhow::ensure!(args.rate > 0.0, "--rate is more than 0");
    let bench = args.target.start(Nanos::MAX, true)?;
    let most = args.calls.iter().copied().max().unwrap_or_default();
    if bench.agents > 0 && bench.agents < most {
        bail!("{most} calls at the same time need {most} agents; there are {}", bench.agents);
    }
    let media = Media { args, bench: &bench, resident_before_kb: bench.peer.resident_kb() };
    let outcome = media.all();
    bench.stop();
    outcome
}

struct Media<'a> {
    args: &'a Args,
    bench: &'a Bench,
    /// Memory of the peer before the first call: it keeps what it got for earlier runs.
    resident_before_kb: Option<u64>,
}

impl Media<'_> {
    fn all(&self) -> anyhow::Result<bool> {
        let mut held = true;
        for calls in &self.args.calls {
            let mut is_hopeless = true;
            for _ in 0..self.args.repeat.max(1) {
                let row = self.step(*calls)?;
                held &= row.is_held();
                is_hopeless &= row.get("loss_pct").is_none_or(|loss| loss > LOSS_PCT_HOPELESS);
            }
            if is_hopeless {
                eprintln!("more calls are not tried");
                break;
            }
        }
        Ok(held)
    }

    fn step(&self, calls: usize) -> anyhow::Result<Row> {
        let (bench, args) = (self.bench, self.args);
        bench.prepare()?;
        bench.audio.reset();
        let mut row = Row::new("media", &bench.label, "run");
        let from = bench.exchange.clock.now() + 50 * MS;
        let pace = Pace { from, rate: args.rate, until: Nanos::MAX, count: calls as u64, measured_from: from, measured_to: Nanos::MAX };
        bench.exchange.with(|world| world.begin(pace));
        let ramp = (calls as f64 / args.rate * SECOND as f64) as Nanos;
        bench.wait(ramp + bench.patience() + SECOND, |world| world.callers.connected() as u64 + world.io.tally.failed >= calls as u64);
        let settled = bench.exchange.clock.now() + args.settle * SECOND;
        let (window_from, window_to) = (settled, settled + args.seconds * SECOND);
        bench.audio.measure(window_from, window_to);
        bench.sleep_until(window_from);
        let up_before = bench.exchange.with(|world| world.callers.connected());
        let streams = bench.audio.sending();
        let before = Snapshot::take(&bench.peer);
        bench.sleep_until(window_to);
        let usage = before.until(&Snapshot::take(&bench.peer));
        let up_after = bench.exchange.with(|world| world.callers.connected());
        bench.sleep_until(window_to + STRAGGLERS);
        let heard = bench.audio.heard();
        let tally = bench.exchange.with(|world| world.io.tally.clone());
        self.end_all()?;
        row.set("calls", calls).set("connected", up_before).set("dropped", up_before.saturating_sub(up_after));
        row.set("streams_sending", streams).set("causes", tally.causes_text()).number("connect_p99_ms", tally.connect.quantile_ms(0.99));
        self.fill(&mut row, calls, up_before.min(up_after), &heard, &usage);
        let line = format!(
            "{:<16} {calls:>5} calls, {} connected · lost {:.3} % · delay p50 {} p99 {} max {} ms · jitter p99 {} ms · peer {} % CPU, {} % per 100, {} µs per packet, {} kB per call · we {} % · others {} % · load {} · {}",
            bench.label,
            up_before,
            row.get("loss_pct").unwrap_or(100.0),
            row.show("delay_p50_ms"),
            row.show("delay_p99_ms"),
            row.show("delay_max_ms"),
            row.show("jitter_p99_ms"),
            row.show("peer_cpu_pct"),
            row.show("cpu_pct_per_100"),
            row.show("us_per_packet"),
            row.show("kb_per_call"),
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

    fn end_all(&self) -> anyhow::Result<()> {
        let bench = self.bench;
        bench.exchange.with(crate::sip::world::World::stop_calling);
        while bench.exchange.with(|world| world.callers.end_some(&mut world.io, END_AT_ONCE)) {
            thread::sleep(END_PAUSE);
        }
        let is_over = bench.wait(2 * bench.patience(), |world| world.callers.live == 0 && world.answerers.live == 0);
        if !is_over {
            let (callers, answerers) = bench.exchange.with(|world| (world.callers.live, world.answerers.live));
            bail!("the peer does not end calls: {callers} callers and {answerers} answerers are still up");
        }
        Ok(())
    }

    fn fill(&self, row: &mut Row, calls: usize, up: usize, heard: &Heard, usage: &Usage) {
        let loss = (heard.sent > 0).then(|| 100.0 * heard.sent.saturating_sub(heard.received) as f64 / heard.sent as f64);
        let delay_p99 = heard.delay.quantile_ms(0.99);
        row.set("sent", heard.sent).set("received", heard.received).number("loss_pct", loss);
        row.number("packets_per_s", heard.sent as f64 / self.args.seconds as f64).set("streams_heard", heard.streams);
        row.set("foreign_packets", heard.foreign).set("disordered", heard.disordered).set("send_errors", heard.send_errors);
        row.number("delay_p50_ms", heard.delay.quantile_ms(0.5)).number("delay_p99_ms", delay_p99);
        row.number("delay_p999_ms", heard.delay.quantile_ms(0.999)).number("delay_max_ms", heard.delay.quantile_ms(1.0));
        row.number("jitter_p50_ms", heard.jitter.quantile_ms(0.5)).number("jitter_p99_ms", heard.jitter.quantile_ms(0.99));
        row.number("late_p99_ms", heard.lateness.quantile_ms(0.99)).set("seconds", self.args.seconds);
        row.usage(usage);
        row.number("cpu_pct_per_100", usage.peer_cpu_pct().map(|pct| pct * 100.0 / up.max(1) as f64));
        row.number("us_per_packet", usage.peer_cpu_s.map(|cpu| cpu * 1e6 / heard.sent.max(1) as f64));
        let grown = usage.resident_kb.zip(self.resident_before_kb).map(|(now, before)| now.saturating_sub(before) as f64);
        row.number("kb_per_call", grown.map(|kb| kb / up.max(1) as f64));
        let why = if up < calls {
            Some(format!("only {up} of {calls} calls stayed up; {}", row.text("causes")))
        } else if loss.is_none_or(|loss| loss >= LOSS_PCT_MAX) {
            Some("too much loss".to_owned())
        } else if delay_p99.is_none_or(|delay| delay >= DELAY_P99_MS_MAX) {
            Some("too much delay".to_owned())
        } else {
            None
        };
        row.set("held", why.is_none()).set("why", why.unwrap_or_default());
    }
}
