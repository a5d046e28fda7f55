//! The kinds of days there are.

use super::{Arrivals, Callers, Dialed, Faults, Incidents, Profile, Spike, Work, company};
use dreiklang_core::{
    config::Change,
    ids::{AgentId, QueueId},
    time::Millis,
};
use std::collections::BTreeSet;

/// What [`named`] knows, with a word on each.
pub const NAMES: &[(&str, &str)] = &[
    ("quiet", "a small office and few calls"),
    ("office", "sixteen agents, five queues, about a thousand calls, people being people"),
    ("spike", "the same, with ten times the calls for a quarter of an hour"),
    ("faults", "the same, with everything going wrong that can"),
    ("mmn", "the day of the textbook: one queue, patient callers, agents who only answer (Erlang C)"),
    ("mmn-patience", "the same with callers who lose patience (Erlang A)"),
];

/// The kind of day with this name.
pub fn named(name: &str) -> Option<Profile> {
    Some(match name {
        "quiet" => quiet(),
        "office" => office(),
        "spike" => spike(),
        "faults" => faults(),
        "mmn" => Profile::mmn(10, 8.0, Millis::from_secs(180), None),
        "mmn-patience" => Profile::mmn(10, 11.0, Millis::from_secs(180), Some(Millis::from_secs(120))),
        _ => return None,
    })
}

const fn hour(hour: u64) -> Millis {
    Millis::from_secs(hour * 3_600)
}

fn with_documents(name: &'static str, documents: Vec<Change>, opens: Millis, closes: Millis) -> Profile {
    let dialed = documents.iter().filter_map(|change| match change {
        Change::PutNumber(number) => Some(Dialed { number: number.number.clone(), line: number.line, weight: 1.0 }),
        _ => None,
    });
    let agents: Vec<AgentId> = documents
        .iter()
        .filter_map(|change| match change {
            Change::PutAgent(settings) => Some(settings.id),
            _ => None,
        })
        .collect();
    let queues: Vec<QueueId> = documents
        .iter()
        .filter_map(|change| match change {
            Change::PutQueue(settings) => Some(settings.id),
            _ => None,
        })
        .collect::<BTreeSet<QueueId>>()
        .into_iter()
        .collect();
    Profile {
        name,
        opens,
        closes,
        dialed: dialed.collect(),
        queues,
        agents,
        documents,
        arrivals: Arrivals { per_hour: 60.0, shape: Vec::new(), spikes: Vec::new() },
        letters: 0.0,
        callers: Callers { talk: Millis::from_secs(180), hang_up: 1.0, ..Callers::default() },
        work: Work::default(),
        faults: Faults::default(),
        incidents: Incidents::default(),
    }
}

impl Profile {
    /// The day of the textbook: Poisson arrivals with `erlangs` of work, exponential service, agents who answer at once, lines
    /// that take no time.
    pub fn mmn(agents: usize, erlangs: f64, service: Millis, patience: Option<Millis>) -> Profile {
        let name = if patience.is_some() { "mmn-patience" } else { "mmn" };
        let mut profile = with_documents(name, company::plain(agents), hour(0), hour(24));
        profile.arrivals.per_hour = erlangs * 3_600_000.0 / service.0 as f64;
        profile.callers = Callers { patience, talk: service, hang_up: 1.0, ..Callers::default() };
        profile
    }
}

fn office() -> Profile {
    let mut profile = with_documents("office", company::office(16), hour(8), hour(18));
    // The direct number of one agent is dialed rarely.
    if let Some(direct) = profile.dialed.last_mut() {
        direct.weight = 0.15;
    }
    profile.arrivals = Arrivals { per_hour: 105.0, shape: vec![0.5, 1.0, 1.5, 1.3, 0.8, 0.7, 1.1, 1.3, 1.0, 0.6], spikes: Vec::new() };
    profile.letters = 250.0;
    profile.callers = Callers {
        patience: Some(Millis::from_secs(150)),
        talk: Millis::from_secs(170),
        withheld: 0.1,
        misdialed: 0.02,
        keys_per_minute: 0.5,
        hang_up: 0.7,
        call_again: 0.2,
    };
    profile.work = Work {
        answer_delay: Millis::from_secs(4),
        misses: 0.03,
        declines: 0.03,
        busy: 0.01,
        breaks: 3.0,
        break_length: Millis::from_secs(720),
        sleeps: 0.3,
        notices_after: Millis::from_secs(45),
        finishes_after: Millis::from_secs(40),
        early_finishes: 0.3,
        holds: 0.2,
        hold_length: Millis::from_secs(25),
        by_telephone: 0.4,
        transfers: 0.1,
        consults: 0.08,
        notes: 0.05,
        ragged_shifts: true,
    };
    profile.faults = Faults { latency_least: Millis(10), latency_most: Millis(150), ..Faults::default() };
    profile
}

fn quiet() -> Profile {
    let office = office();
    let mut profile = with_documents("quiet", company::office(5), hour(9), hour(12));
    profile.arrivals.per_hour = 20.0;
    profile.letters = 12.0;
    (profile.callers, profile.work, profile.faults) = (office.callers, office.work, office.faults);
    profile
}

fn spike() -> Profile {
    let mut profile = Profile { name: "spike", ..office() };
    profile.arrivals.spikes.push(Spike { from: hour(11), lasts: Millis::from_secs(900), factor: 10.0 });
    profile
}

fn faults() -> Profile {
    let mut profile = Profile { name: "faults", ..office() };
    profile.arrivals.spikes.push(Spike { from: hour(14), lasts: Millis::from_secs(300), factor: 6.0 });
    profile.work.misses = 0.06;
    profile.work.declines = 0.05;
    profile.work.busy = 0.03;
    profile.work.sleeps = 2.0;
    profile.work.holds = 0.3;
    profile.work.transfers = 0.15;
    profile.work.consults = 0.15;
    profile.faults = Faults {
        latency_least: Millis(5),
        latency_most: Millis(400),
        late: 0.03,
        late_most: Millis::from_secs(90),
        twice: 0.04,
        lost: 0.01,
        refused: 0.01,
        unanswered: 0.01,
        ignored: 0.005,
        breaks_per_minute: 0.01,
        repeated: 0.05,
    };
    profile.incidents = Incidents { take_overs: 3.0, outages: 2.0, slow_store: 2.0, changes: 25.0, interventions: 60.0, drains: 0.5 };
    profile
}
