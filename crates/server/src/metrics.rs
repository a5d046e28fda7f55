//! Figures for Prometheus.
//!
//! Names are part of the interface: base units, no id ever a label. Counters are fed with the facts of the
//! journal as they become durable; what describes a present state is computed when somebody asks.

use crate::{limits, runtime};
use dreiklang_core::{
    Event, Stamped,
    conversation::{Direction, Termination},
    endpoint::Line,
    queue::Outcome,
    routing::OfferOutcome,
};
use prometheus_client::{
    encoding::{EncodeLabelSet, text},
    metrics::{counter::Counter, family::Family, gauge::Gauge, histogram::Histogram, info::Info},
    registry::{Registry, Unit},
};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, atomic::AtomicU64},
    time::Duration,
};

/// Bounds of waiting times, in seconds; those of the usual promises.
const ANSWER_BOUNDS: [f64; 9] = [1.0, 5.0, 10.0, 15.0, 20.0, 30.0, 60.0, 120.0, 300.0];
/// Bounds of requests and deliveries, in seconds.
const REQUEST_BOUNDS: [f64; 9] = [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 2.0, 10.0];

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct ConversationLabels {
    line: &'static str,
    direction: &'static str,
    result: String,
    reason: String,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct StageLabels {
    line: &'static str,
    stage: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct OutcomeLabels {
    outcome: String,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct QueueLabels {
    queue: String,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct OccupationLabels {
    occupation: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct RequestLabels {
    operation: String,
    status: u16,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct ResultLabels {
    result: &'static str,
}

type SecondsGauge = Gauge<f64, AtomicU64>;

/// A stretch of waiting, for [`Metrics::present`].
#[derive(Clone, Debug, Default, PartialEq)]
pub struct QueueFigures {
    /// The queue's name.
    pub name: String,
    /// Visits waiting.
    pub waiting: usize,
    /// How long the longest has waited.
    pub longest: Duration,
}

/// What describes the present state of all tenants of this process, for [`Metrics::present`].
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Present {
    /// Every queue.
    pub queues: Vec<QueueFigures>,
    /// Agents by occupation.
    pub agents: HashMap<&'static str, i64>,
    /// Conversations by line and stage.
    pub conversations: HashMap<(&'static str, &'static str), i64>,
}

/// Every figure. Cheap to clone.
#[derive(Clone)]
pub struct Metrics {
    registry: Arc<Mutex<Registry>>,
    conversations: Family<ConversationLabels, Counter>,
    conversations_active: Family<StageLabels, Gauge>,
    offers: Family<OutcomeLabels, Counter>,
    visits: Family<OutcomeLabels, Counter>,
    waiting: Family<QueueLabels, Gauge>,
    longest_wait: Family<QueueLabels, SecondsGauge>,
    answer: Histogram,
    agents: Family<OccupationLabels, Gauge>,
    runtime: runtime::Metrics,
    takeovers: Counter,
    actions: Family<ResultLabels, Counter>,
    requests: Family<RequestLabels, Histogram>,
    recording_failures: Counter,
    live_clients: Gauge,
    live_lag: Histogram,
    deliveries: Family<ResultLabels, Counter>,
    /// Line and direction of conversations under way, so that their end can be counted with both.
    under_way: Arc<Mutex<HashMap<dreiklang_core::ids::ConversationId, (Line, Direction)>>>,
}

impl Default for Metrics {
    fn default() -> Self {
        Metrics::new()
    }
}

impl Metrics {
    /// All figures at zero.
    pub fn new() -> Metrics {
        let metrics = Metrics {
            registry: Arc::default(),
            conversations: Family::default(),
            conversations_active: Family::default(),
            offers: Family::default(),
            visits: Family::default(),
            waiting: Family::default(),
            longest_wait: Family::default(),
            answer: Histogram::new(ANSWER_BOUNDS),
            agents: Family::default(),
            runtime: runtime::Metrics::default(),
            takeovers: Counter::default(),
            actions: Family::default(),
            requests: Family::new_with_constructor(|| Histogram::new(REQUEST_BOUNDS)),
            recording_failures: Counter::default(),
            live_clients: Gauge::default(),
            live_lag: Histogram::new(REQUEST_BOUNDS),
            deliveries: Family::default(),
            under_way: Arc::default(),
        };
        metrics.register();
        metrics
    }

    fn register(&self) {
        let mut registry = self.lock();
        let all = registry.sub_registry_with_prefix("dreiklang");
        all.register("conversations", "Conversations that ended, by whose doing and why", self.conversations.clone());
        all.register("conversations_active", "Conversations under way, by what the customer is in", self.conversations_active.clone());
        all.register("offers", "Offers to agents that ended, by how", self.offers.clone());
        all.register("queue_visits", "Queue visits that ended, by how", self.visits.clone());
        all.register("queue_waiting", "Visits waiting", self.waiting.clone());
        all.register_with_unit(
            "queue_longest_wait",
            "How long the longest waiting visit has waited",
            Unit::Seconds,
            self.longest_wait.clone(),
        );
        all.register_with_unit("queue_answer", "Waiting time of answered visits", Unit::Seconds, self.answer.clone());
        all.register("agents", "Agents by what they are busy with", self.agents.clone());
        all.register_with_unit("decision", "Time the core takes for one input", Unit::Seconds, self.runtime.decision.clone());
        all.register_with_unit("journal_append", "Time until facts are durable", Unit::Seconds, self.runtime.append.clone());
        all.register("takeovers", "Times a process took over a tenant", self.takeovers.clone());
        all.register("actions", "Wishes of the core that lines carried out or could not", self.actions.clone());
        all.register_with_unit("api_request", "Time to answer a request, by operation", Unit::Seconds, self.requests.clone());
        all.register("recording_failures", "Recordings that could not be made", self.recording_failures.clone());
        all.register("live_clients", "Live connections of pages and programs", self.live_clients.clone());
        all.register_with_unit("live_lag", "Time from a fact to its sending to live clients", Unit::Seconds, self.live_lag.clone());
        all.register("webhook_deliveries", "Tries to deliver to webhooks", self.deliveries.clone());
        let version = env!("CARGO_PKG_VERSION").to_owned();
        all.register("build", "The program's version", Info::new(vec![("version".to_owned(), version)]));
    }

    /// Counts a fact. To be called once per fact, after it became durable.
    pub fn observe(&self, stamped: &Stamped) {
        match &stamped.event {
            Event::ConversationStarted { conversation, line, direction, .. } => {
                let mut under_way = self.under_way.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
                if under_way.len() < dreiklang_core::limits::CONVERSATIONS_PER_TENANT {
                    under_way.insert(*conversation, (*line, *direction));
                }
            }
            Event::ConversationEnded { conversation, termination, .. } => {
                let mut under_way = self.under_way.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
                let (line, direction) = under_way
                    .remove(conversation)
                    .map_or(("unknown", "unknown"), |(line, direction)| (line.as_str(), direction_word(direction)));
                let Termination { result, reason } = termination;
                let labels = ConversationLabels { line, direction, result: word(result), reason: word(reason) };
                self.conversations.get_or_create(&labels).inc();
            }
            Event::OfferEnded { outcome, .. } => {
                self.offers.get_or_create(&OutcomeLabels { outcome: word::<OfferOutcome>(outcome) }).inc();
            }
            Event::VisitEnded { outcome, wait, .. } => {
                let text = match outcome {
                    Outcome::Answered => "answered",
                    Outcome::Abandoned { short: true } => "abandoned_short",
                    Outcome::Abandoned { short: false } => "abandoned",
                    Outcome::FlowOut { .. } => "flow_out",
                };
                self.visits.get_or_create(&OutcomeLabels { outcome: text.to_owned() }).inc();
                if *outcome == Outcome::Answered {
                    self.answer.observe(Duration::from_millis(wait.0).as_secs_f64());
                }
            }
            Event::RecordingFailed { .. } => {
                self.recording_failures.inc();
            }
            Event::ActionSettled { failure, .. } => {
                let result = if failure.is_none() { "done" } else { "failed" };
                self.actions.get_or_create(&ResultLabels { result }).inc();
            }
            Event::TookOver {} => {
                self.takeovers.inc();
            }
            _ => {}
        }
    }

    /// Replaces what describes the present state.
    pub fn present(&self, present: &Present) {
        self.waiting.clear();
        self.longest_wait.clear();
        let mut other = QueueFigures { name: "other".to_owned(), ..QueueFigures::default() };
        for (index, queue) in present.queues.iter().enumerate() {
            if index < limits::QUEUES_IN_METRICS {
                self.set_queue(queue);
            } else {
                other.waiting += queue.waiting;
                other.longest = other.longest.max(queue.longest);
                self.set_queue(&other);
            }
        }
        self.agents.clear();
        for (occupation, count) in &present.agents {
            self.agents.get_or_create(&OccupationLabels { occupation }).set(*count);
        }
        self.conversations_active.clear();
        for ((line, stage), count) in &present.conversations {
            self.conversations_active.get_or_create(&StageLabels { line, stage }).set(*count);
        }
    }

    fn set_queue(&self, queue: &QueueFigures) {
        let labels = QueueLabels { queue: queue.name.clone() };
        self.waiting.get_or_create(&labels).set(i64::try_from(queue.waiting).unwrap_or(i64::MAX));
        self.longest_wait.get_or_create(&labels).set(queue.longest.as_secs_f64());
    }

    /// What the owners measure, to be handed to the runtime.
    pub fn runtime(&self) -> runtime::Metrics {
        self.runtime.clone()
    }

    pub(crate) fn answered(&self, operation: String, status: u16, took: Duration) {
        self.requests.get_or_create(&RequestLabels { operation, status }).observe(took.as_secs_f64());
    }

    pub(crate) fn live_clients(&self, count: usize) {
        self.live_clients.set(i64::try_from(count).unwrap_or(i64::MAX));
    }

    pub(crate) fn live_lag(&self, lag: Duration) {
        self.live_lag.observe(lag.as_secs_f64());
    }

    pub(crate) fn delivered(&self, result: &'static str) {
        self.deliveries.get_or_create(&ResultLabels { result }).inc();
    }

    /// Lets other parts of the process add figures of their own, such as those of media.
    pub fn with_registry<T>(&self, add: impl FnOnce(&mut Registry) -> T) -> T {
        add(&mut self.lock())
    }

    /// Everything in the OpenMetrics text format.
    pub fn encode(&self) -> String {
        let mut out = String::new();
        // Writing into a String does not fail.
        let _ = text::encode(&mut out, &self.lock());
        out
    }

    fn lock(&self) -> MutexGuard<'_, Registry> {
        self.registry.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}

fn direction_word(direction: Direction) -> &'static str {
    match direction {
        Direction::Inbound => "inbound",
        Direction::Outbound => "outbound",
    }
}

/// The word an enum without fields has on the wire.
pub(crate) fn word<T: serde::Serialize>(value: &T) -> String {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(text)) => text,
        _ => "unknown".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use dreiklang_core::{
        conversation::{TerminationReason, TerminationResult},
        ids::{ConversationId, QueueId, VisitId},
        time::{Millis, Timestamp},
    };

    fn fact(event: Event) -> Stamped {
        Stamped { seq: 1, at: Timestamp(0), event }
    }

    #[test]
    fn an_answered_visit_is_counted_with_its_wait() {
        let metrics = Metrics::new();
        metrics.observe(&fact(Event::VisitEnded {
            visit: VisitId(1),
            conversation: ConversationId(1),
            queue: QueueId(1),
            enqueued_at: Timestamp(0),
            outcome: Outcome::Answered,
            wait: Millis(12_000),
            agent: None,
        }));
        let text = metrics.encode();
        assert!(text.contains("dreiklang_queue_visits_total{outcome=\"answered\"} 1"), "{text}");
        assert!(text.contains("dreiklang_queue_answer_seconds_bucket{le=\"15.0\"} 1"), "{text}");
        assert!(text.contains("dreiklang_queue_answer_seconds_bucket{le=\"10.0\"} 0"), "{text}");
    }

    #[test]
    fn an_end_is_counted_with_whose_doing_it_was() {
        let metrics = Metrics::new();
        let termination = Termination { result: TerminationResult::Caller, reason: TerminationReason::Abandoned };
        metrics.observe(&fact(Event::ConversationEnded { conversation: ConversationId(1), started_at: Timestamp(0), termination }));
        let text = metrics.encode();
        assert!(
            text.contains("dreiklang_conversations_total{line=\"unknown\",direction=\"unknown\",result=\"caller\",reason=\"abandoned\"} 1"),
            "{text}"
        );
    }

    #[test]
    fn many_queues_share_one_label() {
        let metrics = Metrics::new();
        let queue = |index| QueueFigures { name: format!("q{index}"), waiting: 1, longest: Duration::from_secs(3) };
        let present = Present { queues: (0..limits::QUEUES_IN_METRICS + 7).map(queue).collect(), ..Present::default() };
        metrics.present(&present);
        let text = metrics.encode();
        assert!(text.contains("dreiklang_queue_waiting{queue=\"other\"} 7"));
        assert!(text.contains("dreiklang_queue_longest_wait_seconds{queue=\"q0\"} 3.0"));
        metrics.present(&Present::default());
        assert!(!metrics.encode().contains("queue=\"other\""), "what is gone is not shown");
    }
}
