//! What a figure is: a name, a unit, a formula as text, and the same formula as code beside it.

use super::{interval::Interval, states::States, tally::Kind};
use crate::time::Millis;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A figure as people know it.
#[derive(Clone, Copy, Debug)]
pub struct Figure {
    /// For programs; unique among the figures of a kind.
    pub key: &'static str,
    /// For people.
    pub title: &'static str,
    /// What the number counts.
    pub unit: Unit,
    /// Of whom it is told.
    pub of: &'static [Kind],
    /// How it is computed, in the words of the other figures and counters.
    pub formula: &'static str,
    /// The same as code; nothing where there is nothing to divide by.
    pub compute: fn(&View<'_>) -> Option<Value>,
}

/// What a figure's number counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unit {
    /// Visits, talks, offers.
    Count,
    /// A share from 0 to 1.
    Share,
    /// Milliseconds.
    Milliseconds,
}

impl Unit {
    /// The word on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Unit::Count => "count",
            Unit::Share => "share",
            Unit::Milliseconds => "milliseconds",
        }
    }
}

/// The number itself.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Value {
    /// A count or a sum of milliseconds, exact.
    Whole(u64),
    /// A share or a mean.
    Part(f64),
}

/// By which promise service levels are told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Terms {
    /// Served in time is who was answered within this; one of [`super::THRESHOLDS`]. `None` = what the queue promised when each
    /// visit ended.
    pub within: Option<Millis>,
    /// What is divided by.
    pub denominator: Denominator,
}

/// What a service level is a share of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Denominator {
    /// Offered − short abandons.
    #[default]
    OfferedLessShort,
    /// Answered alone.
    Answered,
    /// Answered and abandoned, without short abandons.
    AnsweredAndAbandoned,
    /// The same with short abandons.
    AnsweredAndAllAbandoned,
    /// Everything offered: with flow-outs, too.
    Offered,
}

/// What formulas are computed from.
#[derive(Clone, Copy, Debug)]
pub struct View<'a> {
    /// Counters.
    pub interval: &'a Interval,
    /// An agent's time.
    pub states: &'a States,
    /// The promise.
    pub terms: Terms,
}

impl View<'_> {
    /// Every figure of a kind; those of which there is nothing to divide by are left out.
    pub fn figures(&self, kind: Kind) -> BTreeMap<&'static str, Value> {
        let of_kind = super::FIGURES.iter().filter(|figure| figure.of.contains(&kind));
        of_kind.filter_map(|figure| Some((figure.key, (figure.compute)(self)?))).collect()
    }

    pub(super) fn answered_in_time(&self) -> Option<u64> {
        match self.terms.within {
            None => Some(self.interval.answered_in_time),
            Some(within) => self.interval.answers_by.within(within),
        }
    }

    pub(super) fn abandoned_in_time(&self) -> Option<u64> {
        match self.terms.within {
            None => Some(self.interval.abandoned_in_time),
            Some(within) => self.interval.abandons_by.within(within),
        }
    }

    pub(super) fn denominator(&self) -> u64 {
        let i = self.interval;
        match self.terms.denominator {
            Denominator::OfferedLessShort => i.offered.saturating_sub(i.short_abandoned),
            Denominator::Answered => i.answered,
            Denominator::AnsweredAndAbandoned => (i.answered + i.abandoned).saturating_sub(i.short_abandoned),
            Denominator::AnsweredAndAllAbandoned => i.answered + i.abandoned,
            Denominator::Offered => i.offered,
        }
    }
}

/// A figure that the product cannot compute, and why: better than a zero nobody can trust.
#[derive(Clone, Copy, Debug)]
pub struct Missing {
    /// For programs.
    pub key: &'static str,
    /// For people.
    pub title: &'static str,
    /// How it is defined.
    pub formula: &'static str,
    /// What the product would have to know.
    pub needs: &'static str,
}
