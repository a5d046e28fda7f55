//! What is said of a day, or of many.

use crate::stage::Outcome;
use dreiklang_core::stats::{Counter, Kind, Tally, Terms, Value, View};
use serde::Serialize;
use std::collections::BTreeMap;

/// The sum of one or more days.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Report {
    /// Seed of the first day.
    pub seed: u64,
    /// Days; only said when there was more than one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seeds: Option<u64>,
    /// Conversations that began.
    pub conversations: u64,
    /// Days on which something happened that must never happen.
    pub violations: u64,
    /// The figures over all queues and days.
    pub kpis: Option<Kpis>,
    /// How long it took; only said when asked for, because it is never the same twice.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub took_ms: Option<u64>,
    /// Facts written.
    #[serde(skip)]
    pub events: u64,
    /// Inputs handled.
    #[serde(skip)]
    pub inputs: u64,
    /// Answered visits whose wait had been predicted.
    #[serde(skip)]
    pub estimates: u64,
    /// Of these, with a wait in the predicted range.
    #[serde(skip)]
    pub estimates_held: u64,
    #[serde(skip)]
    queues: Tally,
    #[serde(skip)]
    agents: Tally,
}

/// Figures of a day, by the same formulas as the reports of a real one. Those of nothing are left out.
#[derive(Clone, Debug, Serialize)]
pub struct Kpis {
    /// Of all queues together.
    #[serde(flatten)]
    pub queues: BTreeMap<&'static str, Value>,
    /// Of all agents together.
    pub agents: BTreeMap<&'static str, Value>,
}

impl Kpis {
    /// One figure of the queues as a number.
    pub fn number(&self, key: &str) -> Option<f64> {
        match self.queues.get(key)? {
            Value::Whole(count) => Some(*count as f64),
            Value::Part(part) => Some(*part),
        }
    }
}

impl Report {
    /// Of nothing yet.
    pub fn new(seed: u64, seeds: u64) -> Report {
        Report { seed, seeds: (seeds > 1).then_some(seeds), ..Report::default() }
    }

    /// Adds a day.
    pub fn add(&mut self, outcome: &Outcome) {
        self.conversations += outcome.conversations;
        self.events += outcome.events;
        self.inputs += outcome.inputs;
        self.estimates += outcome.estimates;
        self.estimates_held += outcome.estimates_held;
        self.violations += u64::from(!outcome.findings.is_empty());
        self.queues.absorb(&outcome.queues);
        self.agents.absorb(&outcome.agents);
        // Counters of a day that went wrong need not add up.
        self.kpis = self
            .queues
            .interval
            .balance()
            .is_ok()
            .then(|| Kpis { queues: figures(Kind::Queue, &self.queues), agents: figures(Kind::Agent, &self.agents) });
    }
}

fn figures(kind: Kind, tally: &Tally) -> BTreeMap<&'static str, Value> {
    View { interval: &tally.interval, states: &tally.states, terms: Terms::default() }.figures(kind)
}
