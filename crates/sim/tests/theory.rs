//! A simulated day of the textbook agrees with the textbook.
//!
//! Independent replications: each seed is a day of its own, of which the first hours are left out because they begin with an
//! empty queue. The figures of the days are independent and about normal, so that their mean ± t·s/√R is an interval that
//! holds the true value with the probability of t: here 99 %. The seeds are fixed; the test gives the same every time.
#![allow(clippy::unwrap_used, reason = "what goes wrong is a failed test")]

use dreiklang_core::{queue::Outcome, time::Millis};
use dreiklang_sim::{Options, Plan, Profile, erlang::Load, plan::MIDNIGHT, run, stage::Wait};

/// Days, and Student's t for 99 % and one degree of freedom less.
const DAYS: u64 = 16;
const T: f64 = 2.947;
const WARM_UP: Millis = Millis::from_secs(2 * 3_600);
const SERVICE: Millis = Millis::from_secs(120);

/// The waits of one day, the beginning left out.
fn waits(profile: &Profile, seed: u64) -> Vec<Wait> {
    let plan = Plan::new(profile, seed);
    let outcome = run(profile, &plan, Options { waits: true, ..Options::default() });
    assert_eq!(outcome.findings, [], "seed {seed}");
    outcome.waits.into_iter().filter(|wait| wait.from >= MIDNIGHT + WARM_UP).collect()
}

/// Mean and half width of the interval.
fn interval(values: &[f64]) -> (f64, f64) {
    let count = values.len() as f64;
    let mean = values.iter().sum::<f64>() / count;
    let variance = values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / (count - 1.0);
    (mean, T * (variance / count).sqrt())
}

fn expect(what: &str, values: &[f64], theory: f64, widest: f64) {
    let (mean, half) = interval(values);
    assert!((mean - theory).abs() <= half, "{what}: theory says {theory:.4}, the days {mean:.4} ± {half:.4}");
    // An interval that holds everything would prove nothing.
    assert!(half <= widest * theory, "{what}: {mean:.4} ± {half:.4} is too wide to prove anything");
}

fn answered(waits: &[Wait]) -> Vec<f64> {
    waits.iter().filter(|wait| wait.outcome == Outcome::Answered).map(|wait| wait.wait.0 as f64 / 1_000.0).collect()
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len().max(1) as f64
}

#[test]
fn patient_callers_wait_as_erlang_c_says() {
    let load = Load { agents: 6, erlangs: 4.5, service: 120.0 };
    let theory = load.erlang_c().unwrap();
    let profile = Profile::mmn(6, 4.5, SERVICE, None);
    let days: Vec<Vec<f64>> = (1..=DAYS).map(|seed| answered(&waits(&profile, seed))).collect();
    let speeds: Vec<f64> = days.iter().map(|day| mean(day)).collect();
    expect("mean wait in seconds", &speeds, theory.speed_of_answer, 0.15);
    for within in [0.0, 20.0, 60.0] {
        let levels: Vec<f64> =
            days.iter().map(|day| day.iter().filter(|wait| **wait <= within).count() as f64 / day.len() as f64).collect();
        expect(&format!("share served within {within} s"), &levels, theory.service_level(within), 0.05);
    }
}

#[test]
fn impatient_callers_leave_and_wait_as_erlang_a_says() {
    let load = Load { agents: 6, erlangs: 6.5, service: 120.0 };
    let theory = load.erlang_a(90.0);
    let profile = Profile::mmn(6, 6.5, SERVICE, Some(Millis::from_secs(90)));
    let days: Vec<Vec<Wait>> = (1..=DAYS).map(|seed| waits(&profile, seed)).collect();
    let left: Vec<f64> = days
        .iter()
        .map(|day| day.iter().filter(|wait| matches!(wait.outcome, Outcome::Abandoned { .. })).count() as f64 / day.len() as f64)
        .collect();
    expect("share who leave", &left, theory.abandons, 0.06);
    let speeds: Vec<f64> = days.iter().map(|day| mean(&answered(day))).collect();
    expect("mean wait of the served in seconds", &speeds, theory.speed_of_answer, 0.08);
}
