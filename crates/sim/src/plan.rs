//! Who does what on one day, drawn from a profile and a seed before the day begins.
//!
//! A plan says when somebody acts; how, is drawn from that one's own stream. So leaving out a part of a plan leaves the rest
//! as it was.

use crate::{
    chance::{Chance, Stream},
    profile::{Faults, Profile},
};
use dreiklang_core::{
    endpoint::Line,
    time::{Millis, Timestamp},
};

/// 2026-03-02, a Monday, 00:00 UTC.
pub const MIDNIGHT: Timestamp = Timestamp(1_772_409_600_000);

/// One day.
#[derive(Clone, Debug)]
pub struct Plan {
    /// What all chance comes from.
    pub seed: u64,
    /// Who calls.
    pub calls: Vec<Call>,
    /// Who writes.
    pub letters: Vec<Letter>,
    /// Who works.
    pub shifts: Vec<Shift>,
    /// What happens to the installation.
    pub incidents: Vec<Incident>,
    /// What lines do wrong.
    pub faults: Faults,
}

/// One person who calls.
#[derive(Clone, Copy, Debug)]
pub struct Call {
    /// Which stream of chance is this one's.
    pub index: u64,
    /// When.
    pub at: Timestamp,
    /// Which of the profile's numbers.
    pub dialed: usize,
}

/// One person who writes, or work of another system.
#[derive(Clone, Copy, Debug)]
pub struct Letter {
    /// Which stream of chance is this one's.
    pub index: u64,
    /// When.
    pub at: Timestamp,
}

/// One agent's day.
#[derive(Clone, Debug)]
pub struct Shift {
    /// Which of the profile's agents.
    pub agent: usize,
    /// Signs in.
    pub from: Timestamp,
    /// Wants to sign out.
    pub to: Timestamp,
    /// Breaks begin.
    pub breaks: Vec<Timestamp>,
    /// The laptop falls asleep.
    pub sleeps: Vec<Timestamp>,
}

/// Something that happens to the installation.
#[derive(Clone, Copy, Debug)]
pub struct Incident {
    /// Which stream of chance is this one's.
    pub index: u64,
    /// When.
    pub at: Timestamp,
    /// What.
    pub kind: IncidentKind,
}

/// Kinds of incidents.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IncidentKind {
    /// The owner is replaced by another process.
    TakeOver,
    /// A line fails for some minutes.
    Outage(Line),
    /// The store is slow for some minutes.
    SlowStore,
    /// An administrator changes something.
    Change,
    /// A supervisor steps in.
    Intervention,
    /// No new conversations for a while.
    Drain,
}

impl Plan {
    /// The day of this seed.
    pub fn new(profile: &Profile, seed: u64) -> Plan {
        Plan {
            seed,
            calls: calls(profile, seed),
            letters: letters(profile, seed),
            shifts: (0..profile.agents.len()).map(|agent| shift(profile, seed, agent)).collect(),
            incidents: incidents(profile, seed),
            faults: profile.faults,
        }
    }
}

fn letters(profile: &Profile, seed: u64) -> Vec<Letter> {
    let mut chance = Chance::new(seed, Stream::Letters, 0);
    let (from, to) = (MIDNIGHT + profile.opens, MIDNIGHT + profile.closes);
    let times = poisson(&mut chance, profile.letters, from, to);
    times.into_iter().zip(0..).map(|(at, index)| Letter { index, at }).collect()
}

/// By thinning: candidates at the highest rate of the day, of which those are kept that the moment's rate allows.
fn calls(profile: &Profile, seed: u64) -> Vec<Call> {
    let mut chance = Chance::new(seed, Stream::Arrivals, 0);
    let arrivals = &profile.arrivals;
    let most_factor = arrivals.shape.iter().copied().fold(if arrivals.shape.is_empty() { 1.0 } else { 0.0 }, f64::max)
        * arrivals.spikes.iter().map(|spike| spike.factor).fold(1.0, f64::max);
    let most_per_ms = arrivals.per_hour * most_factor / 3_600_000.0;
    let mut calls = Vec::new();
    if most_per_ms <= 0.0 {
        return calls;
    }
    let mut at = profile.opens.0 as f64;
    loop {
        at += -(1.0 - chance.unit()).ln() / most_per_ms;
        let keep = chance.unit();
        let dialed = chance.pick_by_weight(profile.dialed.iter().map(|dialed| dialed.weight)).unwrap_or_default();
        if at >= profile.closes.0 as f64 {
            return calls;
        }
        let at = Millis(at as u64);
        if keep * most_factor < factor(profile, at) {
            calls.push(Call { index: calls.len() as u64, at: MIDNIGHT + at, dialed });
        }
    }
}

fn factor(profile: &Profile, at: Millis) -> f64 {
    let arrivals = &profile.arrivals;
    let open = (profile.closes - profile.opens).0.max(1);
    let parts = arrivals.shape.len() as u64;
    let usual = arrivals.shape.get(((at - profile.opens).0 * parts / open) as usize).copied().unwrap_or(1.0);
    let spike = arrivals.spikes.iter().find(|spike| spike.from <= at && at < spike.from + spike.lasts);
    usual * spike.map_or(1.0, |spike| spike.factor)
}

fn shift(profile: &Profile, seed: u64, agent: usize) -> Shift {
    // Not the stream that decides what the agent does later.
    let mut chance = Chance::new(seed, Stream::Arrivals, 1 + agent as u64);
    let (from, to) = if profile.work.ragged_shifts {
        let late = chance.exponential(Millis::from_secs(900));
        let early = chance.exponential(Millis::from_secs(900));
        (profile.opens + late, profile.closes - early)
    } else {
        // Nobody calls before, and the work that is left at closing time is done.
        (profile.opens, profile.closes + Millis::from_secs(12 * 3_600))
    };
    let (from, to) = (MIDNIGHT + from, MIDNIGHT + to.max(from + Millis::from_secs(600)));
    let breaks = poisson(&mut chance, profile.work.breaks, from, to);
    let sleeps = poisson(&mut chance, profile.work.sleeps, from, to);
    Shift { agent, from, to, breaks, sleeps }
}

fn poisson(chance: &mut Chance, mean: f64, from: Timestamp, to: Timestamp) -> Vec<Timestamp> {
    let span = to.since(from);
    let mut times = Vec::new();
    if mean <= 0.0 {
        return times;
    }
    let mut at = from;
    loop {
        at = at + chance.exponential(Millis((span.0 as f64 / mean) as u64)) + Millis(1);
        if at >= to {
            return times;
        }
        times.push(at);
    }
}

fn incidents(profile: &Profile, seed: u64) -> Vec<Incident> {
    let lines = [Line::Connected, Line::Extended, Line::Unified];
    let mut chance = Chance::new(seed, Stream::Incidents, 0);
    let (from, to) = (MIDNIGHT + profile.opens, MIDNIGHT + profile.closes);
    let rates = &profile.incidents;
    let mut found: Vec<(Timestamp, IncidentKind)> = Vec::new();
    let mut add = |chance: &mut Chance, mean: f64, kind: IncidentKind| {
        found.extend(poisson(chance, mean, from, to).into_iter().map(|at| (at, kind)));
    };
    add(&mut chance, rates.take_overs, IncidentKind::TakeOver);
    for line in lines {
        add(&mut chance, rates.outages / lines.len() as f64, IncidentKind::Outage(line));
    }
    add(&mut chance, rates.slow_store, IncidentKind::SlowStore);
    add(&mut chance, rates.changes, IncidentKind::Change);
    add(&mut chance, rates.interventions, IncidentKind::Intervention);
    add(&mut chance, rates.drains, IncidentKind::Drain);
    found.sort_by_key(|(at, _)| *at);
    found.into_iter().enumerate().map(|(index, (at, kind))| Incident { index: index as u64, at, kind }).collect()
}
