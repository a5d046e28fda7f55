//! What is kept of one queue, agent, number or line for one quarter of an hour.

use super::{
    counter::{Counter, counters},
    interval::{Interval, Spent},
    meter::Metered,
    states::States,
};
use crate::{
    endpoint::Line,
    ids::{AgentId, NumberId, QueueId},
    time::Timestamp,
};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, fmt};

counters! {
    /// Everything that is kept.
    Tally {
        /// Booked when it ended.
        interval: Interval,
        /// Times booked where they passed.
        spent: Spent,
        /// An agent's time by state.
        states: States,
    }
}

/// Where times are booked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Attribution {
    /// Where what took them ended: a talk from 9:50 to 10:10 counts 20 minutes at 10:10.
    #[default]
    Completion,
    /// Where they passed: 10 minutes before ten and 10 after. Counts stay where things ended.
    Spread,
}

impl Tally {
    /// The counters with their times booked as wanted.
    pub fn attributed(&self, attribution: Attribution) -> Interval {
        let mut interval = self.interval.clone();
        if attribution == Attribution::Spread {
            let Spent { wait_answered, wait_abandoned, wait_all, talk, hold, wrap_up } = self.spent;
            (interval.wait_answered, interval.wait_abandoned, interval.wait_all) = (wait_answered, wait_abandoned, wait_all);
            (interval.talk, interval.hold, interval.wrap_up) = (talk, hold, wrap_up);
        }
        interval
    }
}

/// Whose figures.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Queues'.
    Queue,
    /// Agents'.
    Agent,
    /// Those of dialed numbers.
    Number,
    /// Those of the customers' lines.
    Line,
}

impl Kind {
    /// The word on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Kind::Queue => "queue",
            Kind::Agent => "agent",
            Kind::Number => "number",
            Kind::Line => "line",
        }
    }
}

/// One of whom figures are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Subject {
    /// A queue.
    Queue(QueueId),
    /// An agent.
    Agent(AgentId),
    /// A number that was dialed.
    Number(NumberId),
    /// The line customers came over.
    Line(Line),
}

impl Subject {
    /// Its kind.
    pub fn kind(&self) -> Kind {
        match self {
            Subject::Queue(_) => Kind::Queue,
            Subject::Agent(_) => Kind::Agent,
            Subject::Number(_) => Kind::Number,
            Subject::Line(_) => Kind::Line,
        }
    }
}

/// Its id, or the line's word.
impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Subject::Queue(id) => id.fmt(f),
            Subject::Agent(id) => id.fmt(f),
            Subject::Number(id) => id.fmt(f),
            Subject::Line(line) => f.write_str(line.as_str()),
        }
    }
}

/// Where bookings go.
pub trait Books {
    /// The counters of somebody in the kept interval that began then.
    fn tally(&mut self, subject: Subject, slot: Timestamp) -> &mut Tally;
    /// Something to be rated later.
    fn meter(&mut self, metered: Metered);
}

/// Books in memory.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Daybook {
    /// By whom, and by the interval's beginning.
    pub tallies: BTreeMap<(Subject, Timestamp), Tally>,
    /// In order.
    pub metered: Vec<Metered>,
}

impl Books for Daybook {
    fn tally(&mut self, subject: Subject, slot: Timestamp) -> &mut Tally {
        self.tallies.entry((subject, slot)).or_default()
    }

    fn meter(&mut self, metered: Metered) {
        self.metered.push(metered);
    }
}

impl Daybook {
    /// Everything that was counted for somebody.
    pub fn total(&self, subject: Subject) -> Tally {
        let mut total = Tally::default();
        for tally in self.of(subject) {
            total.absorb(tally);
        }
        total
    }

    /// Everything that was counted for all of a kind.
    pub fn sum(&self, kind: Kind) -> Tally {
        let mut total = Tally::default();
        for (_, tally) in self.tallies.iter().filter(|((subject, _), _)| subject.kind() == kind) {
            total.absorb(tally);
        }
        total
    }

    /// What was counted for somebody, interval by interval.
    pub fn of(&self, subject: Subject) -> impl Iterator<Item = &Tally> {
        self.tallies.range((subject, Timestamp(i64::MIN))..=(subject, Timestamp(i64::MAX))).map(|(_, tally)| tally)
    }
}
