//! Conversations as programs see them.

use crate::{
    api::{
        document::agent::{Endpoint, Line},
        v1::recordings::Recording,
    },
    metrics::word,
};
use dreiklang_core::conversation::Termination;
use dreiklang_store::report::{conversations::ConversationRow, details};
use serde::Serialize;
use utoipa::ToSchema;

/// A conversation in a list.
#[derive(Debug, Serialize, ToSchema)]
pub struct Conversation {
    /// Which.
    pub id: String,
    /// The line it came over.
    pub line: Line,
    /// `inbound` or `outbound`.
    pub direction: String,
    /// The customer's number; absent when withheld.
    pub caller_number: Option<String>,
    /// The customer's name, as the network says.
    pub caller_name: Option<String>,
    /// What was dialed.
    pub dialed: String,
    /// When it began.
    pub started_at: i64,
    /// When the customer left; absent while it goes on.
    pub ended_at: Option<i64>,
    /// How it ended.
    pub termination: Option<Ended>,
    /// `answered`, `abandoned`, `flow_out` or `unserved`; absent while nothing is decided.
    pub outcome: Option<String>,
    /// The last queue.
    pub queue: Option<String>,
    /// The last agent.
    pub agent: Option<String>,
    /// Sum of its waits in queues.
    pub wait_ms: u64,
    /// Sum of its talks.
    pub talk_ms: u64,
    /// Sum of its holds.
    pub hold_ms: u64,
    /// Number of its recordings.
    pub recordings: u64,
}

/// How something ended.
#[derive(Debug, Serialize, ToSchema)]
pub struct Ended {
    /// Whose doing: `success`, `caller`, `agent`, `upstream`, `us` or `unknown`.
    pub result: String,
    /// The reason, such as `hung_up`.
    pub reason: String,
}

/// A conversation with everything that is known of it.
#[derive(Debug, Serialize, ToSchema)]
pub struct ConversationDetails {
    /// The conversation.
    #[serde(flatten)]
    pub conversation: Conversation,
    /// Every party's connection.
    pub legs: Vec<Leg>,
    /// Its stays in queues.
    pub visits: Vec<Visit>,
    /// Its offers to agents.
    pub offers: Vec<Offer>,
    /// What the customer's time was spent with; without gap or overlap.
    pub segments: Vec<Segment>,
    /// Who talked with the customer.
    pub talks: Vec<Talk>,
    /// Its recordings.
    pub recordings_made: Vec<Recording>,
    /// What the customer said in surveys.
    pub scores: Vec<Score>,
}

/// One party's connection.
#[derive(Debug, Serialize, ToSchema)]
pub struct Leg {
    /// Which.
    pub id: String,
    /// `customer`, `agent` or `external`.
    pub role: String,
    /// Which agent.
    pub agent: Option<String>,
    /// Over which line.
    pub line: Line,
    /// `inbound` or `outbound`.
    pub direction: Option<String>,
    /// Where it ends.
    pub endpoint: Option<Endpoint>,
    /// When it began.
    pub started_at: i64,
    /// When it began to ring.
    pub ringing_at: Option<i64>,
    /// When audio was there.
    pub connected_at: Option<i64>,
    /// When it ended.
    pub ended_at: Option<i64>,
    /// How.
    pub termination: Option<Ended>,
    /// Audio figures of both directions.
    pub quality: Option<Quality>,
}

/// Audio figures.
#[derive(Debug, Serialize, ToSchema)]
pub struct Quality {
    /// From the far end to us.
    pub received: Option<Stream>,
    /// From us to the far end.
    pub sent: Option<Stream>,
    /// There and back.
    pub round_trip_ms: Option<f64>,
    /// Rated poor by the rule of Microsoft's call quality dashboard.
    pub poor: bool,
    /// Audio was encrypted between the far end and us.
    pub encrypted: bool,
    /// It was, but its key was told over a connection that is not (no TLS): who reads that can listen.
    pub key_exposed: bool,
}

/// Audio figures of one direction.
#[derive(Debug, Serialize, ToSchema)]
pub struct Stream {
    /// Packets that arrived, or were sent.
    pub packets: u64,
    /// Packets that did not arrive.
    pub lost: u64,
    /// Jitter.
    pub jitter_ms: f64,
    /// Mean opinion score, 1 to 4.5.
    pub mos: Option<f64>,
}

/// A stay in a queue.
#[derive(Debug, Serialize, ToSchema)]
pub struct Visit {
    /// Which.
    pub id: String,
    /// In which queue.
    pub queue: String,
    /// Higher is served first.
    pub priority: Option<u8>,
    /// When it began.
    pub enqueued_at: i64,
    /// When it ended.
    pub ended_at: Option<i64>,
    /// `answered`, `abandoned` or `flow_out`.
    pub outcome: Option<String>,
    /// The caller left within the queue's short-abandon time.
    pub short_abandon: bool,
    /// Why it left the queue without agent and without the caller's doing.
    pub flow_out_reason: Option<String>,
    /// How long it took.
    pub wait_ms: Option<u64>,
    /// The promise at that time.
    pub service_level_within_ms: Option<u64>,
    /// Who took it.
    pub agent: Option<String>,
}

/// An offer to an agent.
#[derive(Debug, Serialize, ToSchema)]
pub struct Offer {
    /// Which.
    pub id: String,
    /// Of which stay.
    pub visit: Option<String>,
    /// Of which queue.
    pub queue: Option<String>,
    /// To whom.
    pub agent: String,
    /// When it was made.
    pub made_at: i64,
    /// When it ended.
    pub ended_at: Option<i64>,
    /// `accepted`, `declined`, `no_answer`, `busy`, `unreachable` or `withdrawn`.
    pub outcome: Option<String>,
}

/// A stretch of the customer's time.
#[derive(Debug, Serialize, ToSchema)]
pub struct Segment {
    /// `set_up`, `greeting`, `queue`, `talk`, `hold`, `transfer` or `ending`.
    pub kind: String,
    /// Its beginning.
    pub from: i64,
    /// Its end.
    pub to: i64,
    /// The queue it counts for.
    pub queue: Option<String>,
    /// The agent it was with.
    pub agent: Option<String>,
}

/// Somebody talking with the customer.
#[derive(Debug, Serialize, ToSchema)]
pub struct Talk {
    /// Whose connection.
    pub leg: String,
    /// The queue it came from.
    pub queue: Option<String>,
    /// Which agent; absent for somebody outside.
    pub agent: Option<String>,
    /// When it began.
    pub started_at: i64,
    /// When it ended.
    pub ended_at: Option<i64>,
    /// Without holds.
    pub talk_ms: u64,
    /// On hold.
    pub hold_ms: u64,
    /// Notes afterwards.
    pub wrap_up_ms: u64,
    /// The code chosen for it.
    pub disposition: Option<String>,
    /// Notes are over, and nobody chose a code though the queue asks for one.
    pub disposition_missing: bool,
}

/// What a customer said in a survey.
#[derive(Debug, Serialize, ToSchema)]
pub struct Score {
    /// When.
    pub at: i64,
    /// The flow that asked.
    pub flow: String,
    /// Which of its questions.
    pub question: String,
    /// Between `least` and `most`.
    pub score: u8,
    /// The worst.
    pub least: u8,
    /// The best.
    pub most: u8,
    /// The queue of the talk that it is about.
    pub queue: Option<String>,
    /// The agent of that talk.
    pub agent: Option<String>,
}

impl Ended {
    pub(super) fn of(termination: Termination) -> Ended {
        Ended { result: word(&termination.result), reason: word(&termination.reason) }
    }
}

impl Conversation {
    pub(super) fn of(row: &ConversationRow) -> Conversation {
        Conversation {
            id: row.id.to_string(),
            line: row.line.into(),
            direction: word(&row.direction),
            caller_number: row.caller.number.clone(),
            caller_name: row.caller.name.clone(),
            dialed: row.dialed.clone(),
            started_at: row.started_at.0,
            ended_at: row.ended_at.map(|at| at.0),
            termination: row.termination.map(Ended::of),
            outcome: row.outcome.as_ref().map(word),
            queue: row.queue.map(|id| id.to_string()),
            agent: row.agent.map(|id| id.to_string()),
            wait_ms: row.wait.0,
            talk_ms: row.talk.0,
            hold_ms: row.hold.0,
            recordings: row.recordings,
        }
    }
}

impl ConversationDetails {
    pub(super) fn of(found: &details::ConversationDetails) -> ConversationDetails {
        ConversationDetails {
            conversation: Conversation::of(&found.conversation),
            legs: found.legs.iter().map(Leg::of).collect(),
            visits: found.visits.iter().map(Visit::of).collect(),
            offers: found.offers.iter().map(Offer::of).collect(),
            segments: found.segments.iter().map(Segment::of).collect(),
            talks: found.talks.iter().map(Talk::of).collect(),
            recordings_made: found.recordings.iter().map(Recording::of).collect(),
            scores: found.scores.iter().map(Score::of).collect(),
        }
    }
}

impl Leg {
    pub(super) fn of(row: &details::LegRow) -> Leg {
        let stream = |stream: &dreiklang_core::conversation::Stream| Stream {
            packets: stream.packets,
            lost: stream.lost,
            jitter_ms: stream.jitter_ms,
            mos: stream.mos,
        };
        Leg {
            id: row.id.to_string(),
            role: row.role.clone(),
            agent: row.agent.map(|id| id.to_string()),
            line: row.line.into(),
            direction: row.direction.as_ref().map(word),
            endpoint: row.endpoint.clone().map(Into::into),
            started_at: row.started_at.0,
            ringing_at: row.ringing_at.map(|at| at.0),
            connected_at: row.connected_at.map(|at| at.0),
            ended_at: row.ended_at.map(|at| at.0),
            termination: row.termination.map(Ended::of),
            quality: row.quality.as_ref().map(|quality| Quality {
                received: quality.received.as_ref().map(stream),
                sent: quality.sent.as_ref().map(stream),
                round_trip_ms: quality.round_trip_ms,
                poor: quality.poor,
                encrypted: quality.encrypted,
                key_exposed: quality.key_exposed,
            }),
        }
    }
}

impl Visit {
    pub(super) fn of(row: &details::VisitRow) -> Visit {
        use dreiklang_core::queue::Outcome;
        Visit {
            id: row.id.to_string(),
            queue: row.queue.to_string(),
            priority: row.priority,
            enqueued_at: row.enqueued_at.0,
            ended_at: row.ended_at.map(|at| at.0),
            outcome: row.outcome.map(|outcome| match outcome {
                Outcome::Answered => "answered".to_owned(),
                Outcome::Abandoned { .. } => "abandoned".to_owned(),
                Outcome::FlowOut { .. } => "flow_out".to_owned(),
            }),
            short_abandon: matches!(row.outcome, Some(Outcome::Abandoned { short: true })),
            flow_out_reason: match &row.outcome {
                Some(Outcome::FlowOut { reason }) => Some(word(reason)),
                _ => None,
            },
            wait_ms: row.wait.map(|span| span.0),
            service_level_within_ms: row.within.map(|span| span.0),
            agent: row.agent.map(|id| id.to_string()),
        }
    }
}

impl Offer {
    pub(super) fn of(row: &details::OfferRow) -> Offer {
        Offer {
            id: row.id.to_string(),
            visit: row.visit.map(|id| id.to_string()),
            queue: row.queue.map(|id| id.to_string()),
            agent: row.agent.to_string(),
            made_at: row.made_at.0,
            ended_at: row.ended_at.map(|at| at.0),
            outcome: row.outcome.as_ref().map(word),
        }
    }
}

impl Segment {
    pub(super) fn of(row: &details::SegmentRow) -> Segment {
        Segment {
            kind: word(&row.kind),
            from: row.from.0,
            to: row.to.0,
            queue: row.queue.map(|id| id.to_string()),
            agent: row.agent.map(|id| id.to_string()),
        }
    }
}

impl Talk {
    pub(super) fn of(row: &details::TalkRow) -> Talk {
        Talk {
            leg: row.leg.to_string(),
            queue: row.queue.map(|id| id.to_string()),
            agent: row.agent.map(|id| id.to_string()),
            started_at: row.started_at.0,
            ended_at: row.ended_at.map(|at| at.0),
            talk_ms: row.talk.0,
            hold_ms: row.hold.0,
            wrap_up_ms: row.wrap_up.0,
            disposition: row.disposition.clone(),
            disposition_missing: row.disposition_missing,
        }
    }
}

impl Score {
    fn of(row: &details::ScoreRow) -> Score {
        Score {
            at: row.at.0,
            flow: row.flow.to_string(),
            question: row.question.clone(),
            score: row.score,
            least: row.least,
            most: row.most,
            queue: row.queue.map(|id| id.to_string()),
            agent: row.agent.map(|id| id.to_string()),
        }
    }
}
