//! What a queue does for those who wait: where they overflow to, what they are told, and which keys lead out.

use crate::{
    config::Destination,
    ids::HoursId,
    output::Prompt,
    time::{Millis, Timestamp},
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A queue's rules for those who wait. The default does nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct WaitingRules {
    /// When the queue takes callers; `None` = always.
    pub hours: Option<HoursId>,
    /// Tried in order; the first that applies leads the customer away.
    pub overflow: Vec<OverflowRule>,
    /// What those who wait are told.
    pub announcements: Announcements,
    /// Keys that lead out of the queue.
    pub keys: BTreeMap<char, Destination>,
}

/// One way out of a queue by rule.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OverflowRule {
    /// When it applies.
    pub when: Condition,
    /// Where it leads.
    pub to: Destination,
}

/// When an overflow rule applies. What depends on time is checked at that time, also while an agent's telephone rings: the
/// offer is taken back then, because a promise about waiting holds for the customer and not for the ringing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Condition {
    /// So many wait already when the customer comes.
    Length {
        /// Waiting, without the one who comes.
        at_least: u32,
    },
    /// The customer has waited so long.
    Waited {
        /// Since the visit began.
        after: Millis,
    },
    /// When the customer comes, the likely wait is so long; never applies while there is no basis for an estimate.
    EstimatedWait {
        /// The likely wait.
        at_least: Millis,
    },
    /// Nobody who serves the queue has been on duty for so long, while the customer waits.
    NoAgents {
        /// Zero applies at once.
        after: Millis,
    },
    /// The queue is closed when the customer comes, by its hours or by hand. Who waits already is served.
    Closed,
}

/// What those who wait are told beside the music.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Announcements {
    /// Heard on entering.
    pub initial: Option<Prompt>,
    /// How often something is told; `None` tells nothing after the initial one.
    pub every: Option<Millis>,
    /// Tell the place in the line.
    pub position: bool,
    /// Tell the estimated wait, as a range, where there is a basis for it.
    pub estimate: bool,
    /// Told in turn, one at a time, between position and estimate.
    pub comfort: Vec<Prompt>,
}

/// A queue that takes nobody at present.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Closed {
    /// For people.
    pub reason: String,
    /// When it opens by itself; `None` = when somebody opens it.
    pub until: Option<Timestamp>,
}

/// A prediction of a wait, in which most of such waits lie ([`Pace`] says how it is made).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Estimate {
    /// Hardly shorter.
    pub low: Millis,
    /// Most likely.
    pub likely: Millis,
    /// Hardly longer.
    pub high: Millis,
}

impl Estimate {
    /// Whether a wait was as predicted.
    pub fn holds(&self, wait: Millis) -> bool {
        self.low <= wait && wait <= self.high
    }
}

/// How fast a queue serves, learned from the time between two answers while somebody waited all the time.
///
/// Each such gap, multiplied by the agents able to serve then, is the work one answer costs in agent-milliseconds, whatever
/// else these agents do. The estimate for place *p* is *p* × work ÷ agents able to serve now. Its range reaches as far to both
/// sides as 1.6 × √*p* mean absolute deviations, in which about four of five waits lie when gaps are independent. Whole
/// numbers throughout, so that a world read back from its text decides the same.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Pace {
    /// Mean work per answer in agent-milliseconds, recent answers counting more.
    pub work: u64,
    /// Mean distance from that mean.
    pub deviation: u64,
    /// Answers learned from.
    pub samples: u32,
    /// Since when somebody has waited without anybody being answered.
    pub since: Option<Timestamp>,
}

/// Answers needed before there is an estimate.
const SAMPLES_MIN: u32 = 3;
/// A new gap counts as one of so many at most: about the last 20 answers matter.
const MEMORY: u32 = 10;
/// Width of the range in mean absolute deviations.
const DEVIATIONS: f64 = 1.6;

impl Pace {
    /// Learns from one answer that came `gap` after the last, with `able` agents.
    pub fn learn(&mut self, gap: Millis, able: usize) {
        let work = gap.0.saturating_mul(u64::try_from(able.max(1)).unwrap_or(u64::MAX));
        self.samples = self.samples.saturating_add(1);
        if self.samples == 1 {
            self.work = work;
            return;
        }
        let one_of = i128::from(self.samples.min(MEMORY));
        let toward = |mean: u64, new: u64| {
            let moved = i128::from(mean) + (i128::from(new) - i128::from(mean)) / one_of;
            u64::try_from(moved).unwrap_or(u64::MAX)
        };
        self.deviation = toward(self.deviation, work.abs_diff(self.work));
        self.work = toward(self.work, work);
    }

    /// The wait of whoever stands at `position` (1 is next) with `able` agents.
    pub fn estimate(&self, position: usize, able: usize) -> Option<Estimate> {
        if self.samples < SAMPLES_MIN || able == 0 {
            return None;
        }
        let (position, able) = (position.max(1) as f64, able as f64);
        let likely = position * self.work as f64 / able;
        let spread = DEVIATIONS * position.sqrt() * self.deviation as f64 / able;
        let millis = |value: f64| Millis(value.max(0.0).round() as u64);
        Some(Estimate { low: millis(likely - spread), likely: millis(likely), high: millis(likely + spread) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_is_no_estimate_without_a_basis() {
        let mut pace = Pace::default();
        assert_eq!(pace.estimate(1, 3), None);
        for _ in 0..SAMPLES_MIN {
            pace.learn(Millis::from_secs(10), 2);
        }
        assert_eq!(pace.estimate(1, 0), None, "nobody could serve");
        assert!(pace.estimate(1, 2).is_some());
    }

    #[test]
    fn the_estimate_grows_with_the_place_and_shrinks_with_agents() {
        let mut pace = Pace::default();
        for _ in 0..10 {
            pace.learn(Millis::from_secs(30), 2);
        }
        let likely = |position, able| pace.estimate(position, able).map(|estimate| estimate.likely);
        assert_eq!(likely(1, 2), Some(Millis::from_secs(30)));
        assert_eq!(likely(4, 2), Some(Millis::from_secs(120)));
        assert_eq!(likely(4, 4), Some(Millis::from_secs(60)));
    }

    #[test]
    fn gaps_that_vary_widen_the_range() {
        let (mut even, mut uneven) = (Pace::default(), Pace::default());
        for round in 0..20 {
            even.learn(Millis::from_secs(30), 1);
            uneven.learn(Millis::from_secs(if round % 2 == 0 { 10 } else { 50 }), 1);
        }
        let width = |pace: &Pace| pace.estimate(3, 1).map(|estimate| estimate.high.0 - estimate.low.0);
        assert!(width(&even) < width(&uneven), "{even:?} {uneven:?}");
    }
}
