//! What a kind of day is like, as data: who is there, how many call, what people do, and what goes wrong.

pub(crate) mod company;
mod named;

pub use named::{NAMES, named};

use dreiklang_core::{
    config::Change,
    endpoint::Line,
    ids::{AgentId, QueueId},
    time::Millis,
};

/// A kind of day.
#[derive(Clone, Debug)]
pub struct Profile {
    /// What it is called on the command line.
    pub name: &'static str,
    /// When the first call may arrive, since midnight.
    pub opens: Millis,
    /// When the last call may arrive, since midnight.
    pub closes: Millis,
    /// The documents in force when the day begins.
    pub documents: Vec<Change>,
    /// What callers dial.
    pub dialed: Vec<Dialed>,
    /// Queues that people transfer to.
    pub queues: Vec<QueueId>,
    /// Who works.
    pub agents: Vec<AgentId>,
    /// How many call, and when.
    pub arrivals: Arrivals,
    /// How many write, on average in a day.
    pub letters: f64,
    /// What callers are like.
    pub callers: Callers,
    /// What agents are like.
    pub work: Work,
    /// What lines do wrong.
    pub faults: Faults,
    /// What happens to the whole installation.
    pub incidents: Incidents,
}

/// A number that callers dial.
#[derive(Clone, Debug)]
pub struct Dialed {
    /// As the line delivers it.
    pub number: String,
    /// The line it arrives on.
    pub line: Line,
    /// How often, as against the others.
    pub weight: f64,
}

/// A Poisson process with a daily profile.
#[derive(Clone, Debug)]
pub struct Arrivals {
    /// Mean calls per hour where the factor is 1.
    pub per_hour: f64,
    /// Factor in each equal part of the opening time; empty = 1 all day.
    pub shape: Vec<f64>,
    /// Short times with many more calls.
    pub spikes: Vec<Spike>,
}

/// A short time with many more calls.
#[derive(Clone, Copy, Debug)]
pub struct Spike {
    /// Since midnight.
    pub from: Millis,
    /// How long.
    pub lasts: Millis,
    /// How many times the usual number of calls.
    pub factor: f64,
}

/// What callers are like. Shares are per call unless said otherwise.
#[derive(Clone, Copy, Debug, Default)]
pub struct Callers {
    /// Mean of the exponentially distributed patience; `None` = endless.
    pub patience: Option<Millis>,
    /// Mean of the exponentially distributed time that a talk takes, hold included.
    pub talk: Millis,
    /// Withhold their number.
    pub withheld: f64,
    /// Give up while it still rings.
    pub misdialed: f64,
    /// Press a key, per minute of waiting.
    pub keys_per_minute: f64,
    /// End the talk themselves; else the agent does.
    pub hang_up: f64,
    /// Call again after having given up.
    pub call_again: f64,
}

/// What agents are like. Shares are per offer or per talk.
#[derive(Clone, Copy, Debug, Default)]
pub struct Work {
    /// Mean time until the telephone is picked up; zero = at once.
    pub answer_delay: Millis,
    /// Offers that are missed.
    pub misses: f64,
    /// Offers that are declined.
    pub declines: f64,
    /// Offers that find the telephone busy.
    pub busy: f64,
    /// Mean breaks in a shift.
    pub breaks: f64,
    /// Mean length of a break.
    pub break_length: Millis,
    /// Mean number of times in a shift that the laptop falls asleep without a word.
    pub sleeps: f64,
    /// Mean time until an agent notices having been made not ready.
    pub notices_after: Millis,
    /// Mean time until open-ended wrap-up is finished.
    pub finishes_after: Millis,
    /// Wrap-ups that are finished early.
    pub early_finishes: f64,
    /// Talks with hold.
    pub holds: f64,
    /// Mean length of a hold.
    pub hold_length: Millis,
    /// Holds and transfers that are made with the telephone's own keys.
    pub by_telephone: f64,
    /// Talks that are transferred.
    pub transfers: f64,
    /// Talks in which somebody is asked first.
    pub consults: f64,
    /// Talks in which something is written down about the customer.
    pub notes: f64,
    /// Come late, leave early and change queues in mid-shift.
    pub ragged_shifts: bool,
}

/// What lines do wrong. Shares are per report or per action.
#[derive(Clone, Copy, Debug, Default)]
pub struct Faults {
    /// Least time an action or a report takes.
    pub latency_least: Millis,
    /// Most time an action or a report usually takes.
    pub latency_most: Millis,
    /// Reports that come late.
    pub late: f64,
    /// How late at most.
    pub late_most: Millis,
    /// Reports that come twice, the second time some time later.
    pub twice: f64,
    /// Reports that are lost.
    pub lost: f64,
    /// Actions that are refused.
    pub refused: f64,
    /// Actions that are carried out and not answered.
    pub unanswered: f64,
    /// Actions that are neither carried out nor answered.
    pub ignored: f64,
    /// Talks that break off, per minute.
    pub breaks_per_minute: f64,
    /// Reports that are handed in twice at once, to prove that nothing comes of it.
    pub repeated: f64,
}

/// What happens to the whole installation: means per day.
#[derive(Clone, Copy, Debug, Default)]
pub struct Incidents {
    /// The owner is replaced.
    pub take_overs: f64,
    /// A line fails for some minutes.
    pub outages: f64,
    /// The store is slow for some minutes.
    pub slow_store: f64,
    /// Administrators change something.
    pub changes: f64,
    /// Supervisors step in.
    pub interventions: f64,
    /// No new conversations for a while.
    pub drains: f64,
}

impl Faults {
    /// Nothing goes wrong any more, and takes as long as before.
    pub fn none_of(self) -> Faults {
        Faults { latency_least: self.latency_least, latency_most: self.latency_most, ..Faults::default() }
    }
}

impl Profile {
    /// The day's calls on average, spikes left out.
    pub fn mean_calls(&self) -> f64 {
        let hours = (self.closes - self.opens).0 as f64 / 3_600_000.0;
        let shape =
            if self.arrivals.shape.is_empty() { 1.0 } else { self.arrivals.shape.iter().sum::<f64>() / self.arrivals.shape.len() as f64 };
        hours * self.arrivals.per_hour * shape
    }
}
