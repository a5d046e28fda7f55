//! What is said of a day, or of many.

use crate::stage::Outcome;
use dreiklang_core::stats::{Figures, Interval};
use serde::Serialize;

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
    pub kpis: Option<Figures>,
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
    total: Interval,
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
        for interval in outcome.queues.values() {
            self.total.merge(interval);
        }
        // Counters of a day that went wrong need not add up.
        self.kpis = self.total.balance().is_ok().then(|| self.total.figures());
    }
}
