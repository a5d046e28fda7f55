//! The formulas, each as text beside its code, so that a page can print what a number means next to the number.
//!
//! Definitions differ between products; ours say which visits and which ring time are inside. Waiting time begins when the
//! visit does and ends when customer and agent hear each other, so it holds the ringing of all offers.

use super::Interval;
use crate::time::Millis;
use serde::{Deserialize, Serialize};

/// A figure as people know it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Formula {
    /// For programs; the name of the field in [`Figures`].
    pub key: &'static str,
    /// For people.
    pub title: &'static str,
    /// How it is computed, in the words of the counters.
    pub formula: &'static str,
    /// What the number counts.
    pub unit: Unit,
}

/// What a figure's number counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unit {
    /// Visits or talks.
    Count,
    /// A share from 0 to 1.
    Share,
    /// Milliseconds.
    Milliseconds,
}

/// All figures of an interval. Means and shares of nothing are `None`, never zero.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "each field is the formula of the same key in FORMULAS")]
pub struct Figures {
    pub offered: u64,
    pub answered: u64,
    pub abandoned: u64,
    pub short_abandoned: u64,
    pub flow_out: u64,
    pub service_level: Option<f64>,
    pub abandon_rate: Option<f64>,
    pub average_speed_of_answer: Option<f64>,
    pub average_wait: Option<f64>,
    pub longest_wait: u64,
    pub handled: u64,
    pub average_handle_time: Option<f64>,
    pub average_talk: Option<f64>,
    pub average_hold: Option<f64>,
    pub average_wrap_up: Option<f64>,
    pub offers_no_answer: u64,
}

macro_rules! formulas {
    ($($key:ident: $title:literal = $formula:literal, $unit:ident;)*) => {
        /// Every figure with its formula, in the order in which pages show them.
        pub const FORMULAS: &[Formula] = &[$(
            Formula { key: stringify!($key), title: $title, formula: $formula, unit: Unit::$unit },
        )*];
    };
}

formulas! {
    offered: "Offered" = "visits ended = answered + abandoned + flow-out", Count;
    answered: "Answered" = "visits ended by an agent taking them, booked when taken", Count;
    abandoned: "Abandoned" = "visits ended by the caller hanging up, short abandons included", Count;
    short_abandoned: "Short abandons" = "abandoned within the queue's short-abandon time", Count;
    flow_out: "Flow-out" = "visits ended without agent and without the caller's doing", Count;
    service_level: "Service level" = "answered within the promised time ÷ (offered − short abandons)", Share;
    abandon_rate: "Abandon rate" = "abandoned ÷ offered", Share;
    average_speed_of_answer: "Average speed of answer (ASA)" = "Σ wait of answered, ringing included ÷ answered", Milliseconds;
    average_wait: "Average wait (AWT)" = "Σ wait of all offered ÷ offered", Milliseconds;
    longest_wait: "Longest wait" = "greatest wait of an offered visit", Milliseconds;
    handled: "Handled" = "talks with an agent that came from the queue, booked at their end", Count;
    average_handle_time: "Average handle time (AHT)" = "(Σ talk + Σ hold + Σ wrap-up) ÷ handled", Milliseconds;
    average_talk: "Average talk" = "Σ talk without hold ÷ handled", Milliseconds;
    average_hold: "Average hold" = "Σ hold ÷ handled", Milliseconds;
    average_wrap_up: "Average wrap-up (ACW)" = "Σ wrap-up ÷ handled", Milliseconds;
    offers_no_answer: "Not answered offers (RONA)" = "offers that rang out, one for each attempt", Count;
}

/// Counters that do not add up; only tampering or a fault of ours makes such.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{residual} of {offered} offered visits are neither answered nor abandoned nor flow-out")]
pub struct Unbalanced {
    /// Visits that ended.
    pub offered: u64,
    /// What is left over (or, negative, counted twice).
    pub residual: i128,
}

impl Interval {
    /// Whether offered = answered + abandoned + flow-out.
    ///
    /// # Errors
    /// With what is left over when not.
    pub fn balance(&self) -> Result<(), Unbalanced> {
        match self.residual() {
            0 => Ok(()),
            residual => Err(Unbalanced { offered: self.offered, residual }),
        }
    }

    /// All figures.
    pub fn figures(&self) -> Figures {
        debug_assert_eq!(self.balance(), Ok(()));
        Figures {
            offered: self.offered,
            answered: self.answered,
            abandoned: self.abandoned,
            short_abandoned: self.short_abandoned,
            flow_out: self.flow_out,
            service_level: ratio(self.answered_in_time, self.offered.saturating_sub(self.short_abandoned)),
            abandon_rate: ratio(self.abandoned, self.offered),
            average_speed_of_answer: mean(self.wait_answered, self.answered),
            average_wait: mean(self.wait_all, self.offered),
            longest_wait: self.longest_wait.0,
            handled: self.handled,
            average_handle_time: mean(self.talk + self.hold + self.wrap_up, self.handled),
            average_talk: mean(self.talk, self.handled),
            average_hold: mean(self.hold, self.handled),
            average_wrap_up: mean(self.wrap_up, self.handled),
            offers_no_answer: self.offers_no_answer,
        }
    }
}

fn mean(sum: Millis, count: u64) -> Option<f64> {
    ratio(sum.0, count)
}

fn ratio(part: u64, whole: u64) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Ten visits: six answered (five in time), three abandoned (one short), one moved on.
    fn example() -> Interval {
        Interval {
            entered: 11,
            offered: 10,
            answered: 6,
            answered_in_time: 5,
            abandoned: 3,
            short_abandoned: 1,
            flow_out: 1,
            wait_answered: Millis(60_000),
            wait_all: Millis(150_000),
            longest_wait: Millis(40_000),
            handled: 5,
            talk: Millis(500_000),
            hold: Millis(50_000),
            wrap_up: Millis(100_000),
            ..Interval::default()
        }
    }

    #[test]
    fn figures_follow_their_formulas() {
        let figures = example().figures();
        assert_eq!(figures.service_level, Some(5.0 / 9.0));
        assert_eq!(figures.abandon_rate, Some(0.3));
        assert_eq!(figures.average_speed_of_answer, Some(10_000.0));
        assert_eq!(figures.average_wait, Some(15_000.0));
        assert_eq!(figures.average_handle_time, Some(130_000.0));
        assert_eq!(figures.average_talk, Some(100_000.0));
    }

    #[test]
    fn figures_of_nothing_are_not_zero_but_absent() {
        let figures = Interval::default().figures();
        assert_eq!(figures.service_level, None);
        assert_eq!(figures.average_handle_time, None);
    }

    #[test]
    fn a_visit_that_is_lost_shows_as_residual() {
        let mut interval = example();
        interval.offered += 1;
        assert_eq!(interval.balance(), Err(Unbalanced { offered: 11, residual: 1 }));
    }

    #[test]
    fn every_formula_names_a_figure_and_every_figure_has_one() {
        let figures = serde_json::to_value(example().figures()).unwrap();
        let mut keys: Vec<&str> = figures.as_object().unwrap().keys().map(String::as_str).collect();
        let mut formulas: Vec<&str> = FORMULAS.iter().map(|formula| formula.key).collect();
        keys.sort_unstable();
        formulas.sort_unstable();
        assert_eq!(keys, formulas);
    }

    #[test]
    fn merging_is_like_counting_in_one() {
        let (mut sum, part) = (example(), example());
        sum.merge(&part);
        assert_eq!(sum.offered, 20);
        assert_eq!(sum.longest_wait, part.longest_wait);
        assert_eq!(sum.figures().average_wait, part.figures().average_wait);
        assert_eq!(sum.balance(), Ok(()));
    }
}
