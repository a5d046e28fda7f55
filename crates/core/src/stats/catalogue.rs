//! Every figure with its formula as text and as code, in the order in which pages show them, one file per topic.
//!
//! Definitions differ between products; ours say which visits and which ring time are inside. Waiting time begins when the
//! visit does and ends when customer and agent hear each other, so it holds the ringing of all offers.

mod agents;
mod callbacks;
mod offers;
mod predictions;
mod surveys;
mod talks;
mod visits;
mod written;

use super::{
    figure::{Figure, Missing, Value},
    tally::Kind,
};
use crate::time::Millis;

/// Every figure.
pub static FIGURES: &[Figure] = &{
    const PARTS: [&[Figure]; 8] = [
        visits::FIGURES,
        callbacks::FIGURES,
        predictions::FIGURES,
        talks::FIGURES,
        offers::FIGURES,
        surveys::FIGURES,
        agents::FIGURES,
        written::FIGURES,
    ];
    let mut all = [visits::FIGURES[0]; count(&PARTS)];
    let (mut part, mut next) = (0, 0);
    while part < PARTS.len() {
        let mut place = 0;
        while place < PARTS[part].len() {
            all[next] = PARTS[part][place];
            (place, next) = (place + 1, next + 1);
        }
        part += 1;
    }
    all
};

const fn count(parts: &[&[Figure]]) -> usize {
    let (mut sum, mut part) = (0, 0);
    while part < parts.len() {
        sum += parts[part].len();
        part += 1;
    }
    sum
}

/// Figures of the field that the product cannot compute.
pub static MISSING: &[Missing] = &[
    Missing {
        key: "adherence",
        title: "Adherence",
        formula: "time in the scheduled state ÷ time scheduled",
        needs: "a schedule of each agent's day; the product plans no shifts and imports none",
    },
    Missing {
        key: "conformance",
        title: "Conformance",
        formula: "time worked ÷ time scheduled",
        needs: "a schedule of each agent's day; the product plans no shifts and imports none",
    },
    Missing {
        key: "shrinkage",
        title: "Shrinkage",
        formula: "paid time not available for conversations ÷ paid time",
        needs: "paid time (holidays, sickness, training), which the product does not know; of time signed in, see not_ready_share",
    },
    Missing {
        key: "net_promoter_score",
        title: "Net promoter score (NPS)",
        formula: "share of promoters − share of detractors",
        needs: "a scale from 0 to 10, on which it is defined; one key gives 0 to 9",
    },
];

const VISITED: &[Kind] = &[Kind::Queue, Kind::Number, Kind::Line];
const QUEUE: &[Kind] = &[Kind::Queue];
const AGENT: &[Kind] = &[Kind::Agent];
const WRITTEN: &[Kind] = &[Kind::Queue, Kind::Agent];
const DIALED: &[Kind] = &[Kind::Number, Kind::Line];
const ALL: &[Kind] = &[Kind::Queue, Kind::Agent, Kind::Number, Kind::Line];

fn whole(count: u64) -> Option<Value> {
    Some(Value::Whole(count))
}

fn span(span: Millis) -> Option<Value> {
    Some(Value::Whole(span.0))
}

fn ratio(part: u64, whole: u64) -> Option<Value> {
    (whole > 0).then(|| Value::Part(part as f64 / whole as f64))
}

fn mean(sum: Millis, count: u64) -> Option<Value> {
    ratio(sum.0, count)
}

/// Declares the figures of one topic: key, title, unit, of whom, formula, code.
macro_rules! figures {
    ($($key:ident: $title:literal, $unit:ident, $of:ident, $formula:literal, $compute:expr;)*) => {
        pub(super) const FIGURES: &[crate::stats::Figure] = &[$(
            crate::stats::Figure {
                key: stringify!($key),
                title: $title,
                unit: crate::stats::Unit::$unit,
                of: super::$of,
                formula: $formula,
                compute: $compute,
            },
        )*];
    };
}
use figures;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::{Denominator, Interval, States, Terms, View, counter::Longest};
    use std::collections::BTreeSet;

    /// Ten visits: six answered (five in time), three abandoned (one short), one moved on.
    fn example() -> Interval {
        Interval {
            entered: 11,
            offered: 10,
            answered: 6,
            answered_in_time: 5,
            abandoned: 3,
            abandoned_in_time: 2,
            short_abandoned: 1,
            flow_out: 1,
            wait_answered: Millis(60_000),
            wait_all: Millis(150_000),
            longest_wait: Longest(Millis(40_000)),
            handled: 5,
            held: 2,
            hold_abandoned: 1,
            transfers: 3,
            talk: Millis(500_000),
            hold: Millis(50_000),
            wrap_up: Millis(100_000),
            surveys_offered: 4,
            surveys_answered: 2,
            survey_answers: 3,
            survey_top: 2,
            survey_points: 2_250,
            estimates: 4,
            estimates_held: 3,
            estimate_short: Millis(6_000),
            estimate_long: Millis(2_000),
            ..Interval::default()
        }
    }

    fn part(interval: &Interval, terms: Terms, key: &str) -> Option<f64> {
        let states = States::default();
        match (View { interval, states: &states, terms }).figures(Kind::Queue).get(key)? {
            Value::Whole(count) => Some(*count as f64),
            Value::Part(part) => Some(*part),
        }
    }

    #[test]
    fn figures_follow_their_formulas() {
        let interval = example();
        let figure = |key| part(&interval, Terms::default(), key);
        let expected = [
            ("service_level", 5.0 / 9.0),
            ("service_level_asterisk", 5.0 / 6.0),
            ("service_level_asterisk_2", 7.0 / 9.0),
            ("abandon_rate", 0.3),
            ("abandon_rate_without_short", 2.0 / 9.0),
            ("average_speed_of_answer", 10_000.0),
            ("average_wait", 15_000.0),
            ("longest_wait", 40_000.0),
            ("average_handle_time", 130_000.0),
            ("average_talk", 100_000.0),
            ("hold_rate", 0.4),
            ("hold_abandon_rate", 0.5),
            ("transfer_rate", 0.5),
            ("survey_response_rate", 0.5),
            ("customer_satisfaction", 2.0 / 3.0),
            ("average_score", 0.75),
            ("estimates_held_share", 0.75),
            ("estimate_error", 2_000.0),
            ("estimate_bias", 1_000.0),
        ];
        for (key, value) in expected {
            assert_eq!(figure(key), Some(value), "{key}");
        }
    }

    #[test]
    fn a_service_level_is_told_by_the_denominator_asked_for() {
        let interval = example();
        let level = |denominator| part(&interval, Terms { denominator, within: None }, "service_level");
        assert_eq!(level(Denominator::Answered), Some(5.0 / 6.0));
        assert_eq!(level(Denominator::AnsweredAndAbandoned), Some(5.0 / 8.0));
        assert_eq!(level(Denominator::AnsweredAndAllAbandoned), Some(5.0 / 9.0));
        assert_eq!(level(Denominator::Offered), Some(0.5));
    }

    #[test]
    fn a_service_level_is_told_by_the_threshold_asked_for() {
        let mut interval = example();
        for wait in [4_000, 8_000, 25_000] {
            interval.answers_by.count(Millis(wait));
        }
        let within = |seconds| {
            part(&interval, Terms { within: Some(Millis::from_secs(seconds)), denominator: Denominator::Offered }, "service_level")
        };
        assert_eq!((within(5), within(10), within(30)), (Some(0.1), Some(0.2), Some(0.3)));
        assert_eq!(within(11), None, "nobody counted by that threshold");
    }

    #[test]
    fn figures_of_nothing_are_not_zero_but_absent() {
        let (interval, states) = (Interval::default(), States::default());
        for kind in ALL {
            let figures = View { interval: &interval, states: &states, terms: Terms::default() }.figures(*kind);
            for figure in FIGURES.iter().filter(|figure| figure.of.contains(kind) && figure.formula.contains('÷')) {
                assert!(!figures.contains_key(figure.key), "{}", figure.key);
            }
        }
    }

    #[test]
    fn every_figure_is_there_once_with_a_formula_and_no_other_says_it_cannot_be_computed() {
        for kind in ALL {
            let mut keys = BTreeSet::new();
            for figure in FIGURES.iter().filter(|figure| figure.of.contains(kind)) {
                assert!(keys.insert(figure.key), "{}", figure.key);
                assert!(!figure.formula.is_empty() && !figure.title.is_empty());
            }
            assert!(MISSING.iter().all(|missing| !keys.contains(missing.key)));
        }
    }
}
