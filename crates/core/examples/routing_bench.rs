//! How long the engine takes to decide, by the size of the contact center: `cargo run --release --example routing_bench`.
//!
//! Two decisions, each as one whole call of the engine with all its events and actions drained: an agent becomes free while
//! many wait, and a caller arrives while many agents are idle (and as many callers wait whom none of them can help).
//! One JSON line per way of choosing, decision and size, in microseconds. `aging` is longest idle with priorities that grow, a
//! weight and rings; `ring_all` rings twenty telephones at once and is measured with all that this makes to be done.
#![allow(clippy::disallowed_methods, reason = "a measurement reads the clock; the engine does not")]

use dreiklang_core::{
    Actor, Command, Engine, Input,
    agent::{self, Availability, Duty},
    config::{Change, Number, Skill, Target, Tenant},
    conversation::{Cause, CauseKind},
    endpoint::{Endpoint, Line, Party},
    ids::{AgentId, CommandId, LegId, NumberId, QueueId, SkillId, TenantId},
    queue::{self, Aging, Ring, RoutingRules, SkillRequirement},
    routing::Strategy,
    time::{Millis, Timestamp},
};
use std::time::{Duration, Instant};

const EASY: &str = "+49301";
const HARD: &str = "+49302";
const SIZES: [usize; 3] = [10, 1_000, 10_000];
const ROUNDS: usize = 20_000;

fn main() {
    for (name, rules) in ways() {
        for size in SIZES {
            report(name, "agent_free_to_offer", size, agent_becomes_free(size, &rules));
        }
        for size in SIZES {
            report(name, "visit_arrives_to_offer", size, visit_arrives(size, &rules));
        }
    }
}

fn ways() -> Vec<(&'static str, RoutingRules)> {
    let way = |strategy| RoutingRules { strategy, ..RoutingRules::default() };
    let ring = |after: u64| Ring { after: Millis::from_secs(after), lower: 1, ..Ring::default() };
    let aging = Aging { every: Millis::from_secs(10), step: 1, max: 90 };
    vec![
        ("longest_idle", way(Strategy::LongestIdle)),
        ("round_robin", way(Strategy::RoundRobin)),
        ("fewest_calls", way(Strategy::FewestCalls)),
        ("skill_level", way(Strategy::SkillLevel)),
        ("aging", RoutingRules { aging: Some(aging), weight: 250, rings: vec![ring(3_600), ring(7_200)], ..RoutingRules::default() }),
        ("ring_all", way(Strategy::RingAll)),
    ]
}

fn report(way: &str, decision: &str, size: usize, mut times: Vec<Duration>) {
    times.sort_unstable();
    let at = |share: f64| times[((times.len() - 1) as f64 * share) as usize].as_nanos() as f64 / 1_000.0;
    println!(
        "{{\"way\":\"{way}\",\"decision\":\"{decision}\",\"agents\":{size},\"waiting\":{size},\"rounds\":{},\"p50_us\":{:.1},\"p99_us\":{:.1},\"max_us\":{:.1}}}",
        times.len(),
        at(0.5),
        at(0.99),
        at(1.0)
    );
}

/// Everybody waits, nobody is ready; agents become ready one at a time, are offered the first caller, and decline.
fn agent_becomes_free(size: usize, rules: &RoutingRules) -> Vec<Duration> {
    let mut center = Center::new(size, false, rules);
    for _ in 0..size {
        center.call(EASY);
    }
    let mut times = Vec::with_capacity(ROUNDS);
    for round in 0..ROUNDS {
        center.now.0 += 1;
        let id = AgentId((round % size) as u128 + 1);
        times.push(center.choose(id, Availability::Ready));
        let leg = center.engine.world().agent(id).and_then(|agent| agent.leg).expect("somebody waits");
        center.end(leg, CauseKind::Declined);
    }
    times
}

/// Everybody is idle, and as many callers wait for a skill nobody has; easy callers arrive one at a time and leave again.
fn visit_arrives(size: usize, rules: &RoutingRules) -> Vec<Duration> {
    let mut center = Center::new(size, true, rules);
    // One place is left for those who arrive.
    for _ in 1..size {
        center.call(HARD);
    }
    let mut times = Vec::with_capacity(ROUNDS);
    for _ in 0..ROUNDS {
        center.now.0 += 1;
        let customer = center.arrive(EASY);
        times.push(center.give(Input::Connected { leg: customer, token: None }));
        let found = center.engine.world().conversation_of(customer).expect("it waits");
        let rung: Vec<LegId> = found.offers().map(|offer| offer.leg).collect();
        assert!(!rung.is_empty(), "agents are idle");
        center.end(customer, CauseKind::FarEnd);
        for leg in rung {
            center.end(leg, CauseKind::Ours);
        }
    }
    times
}

struct Center {
    engine: Engine,
    now: Timestamp,
    next: u128,
}

impl Center {
    fn new(agents: usize, ready: bool, rules: &RoutingRules) -> Center {
        let mut center = Center { engine: Engine::new(TenantId(1)), now: Timestamp(1_700_000_000_000), next: 1_000_000 };
        let skill = SkillId(1);
        center.put(Change::PutTenant(Tenant { name: "Bench".to_owned(), ..Tenant::default() }));
        center.put(Change::PutSkill(Skill { id: skill, name: "Rare".to_owned() }));
        center.put(Change::PutQueue(queue::Settings {
            max_waiting: 10_000,
            routing: rules.clone(),
            ..queue::Settings::new(QueueId(1), "Queue")
        }));
        for (id, text, skills) in [(1, EASY, vec![]), (2, HARD, vec![SkillRequirement { skill, level: 1 }])] {
            let target = Target::Queue(QueueId(1));
            center.put(Change::PutNumber(Number { skills, ..Number::new(NumberId(id), text, Line::Connected, target) }));
        }
        for id in (1..=agents as u128).map(AgentId) {
            center.now.0 += 1;
            let endpoint = Endpoint::Address(id.to_string());
            center.put(Change::PutAgent(agent::Settings {
                queues: [QueueId(1)].into(),
                ..agent::Settings::new(id, &id.to_string(), Line::Connected, endpoint)
            }));
            center.command(Command::SetDuty { agent: id, duty: Duty::OnDuty });
            if ready {
                center.choose(id, Availability::Ready);
            }
        }
        center
    }

    fn put(&mut self, change: Change) {
        self.give(Input::Configure { change });
    }

    fn choose(&mut self, agent: AgentId, availability: Availability) -> Duration {
        self.command(Command::SetAvailability { agent, availability })
    }

    fn command(&mut self, command: Command) -> Duration {
        self.next += 1;
        self.give(Input::Command { id: CommandId(self.next), by: Actor::System, command })
    }

    fn arrive(&mut self, dialed: &str) -> LegId {
        self.next += 1;
        let leg = LegId(self.next);
        self.give(Input::Arrived { leg, line: Line::Connected, caller: Party::default(), dialed: dialed.to_owned() });
        leg
    }

    fn call(&mut self, dialed: &str) {
        let leg = self.arrive(dialed);
        self.give(Input::Connected { leg, token: None });
    }

    fn end(&mut self, leg: LegId, kind: CauseKind) {
        self.give(Input::Ended { leg, cause: Cause { kind, detail: None } });
    }

    /// Hands in an input, answers every action as done, and says how long the input took.
    fn give(&mut self, input: Input) -> Duration {
        let began = Instant::now();
        self.engine.handle(self.now, input);
        let mut outputs = Vec::new();
        while let Some(output) = self.engine.poll_output() {
            outputs.push(output);
        }
        let took = began.elapsed();
        for output in outputs {
            if let dreiklang_core::Output::Action(action, _) = output {
                self.engine.handle(self.now, Input::ActionDone { action });
                while self.engine.poll_output().is_some() {}
            }
        }
        took
    }
}
