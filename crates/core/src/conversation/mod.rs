//! One customer request: its legs, its place, its segments, and how things end.

mod classify;
mod consult;
mod hearing;
mod parties;
mod recording;
mod state;

pub use classify::leg_termination;
pub use consult::{Consult, ConsultOutcome, Facing};
pub use hearing::Hearing;
pub use parties::{Member, MemberEnd, Supervision, SupervisionMode, SupervisionOutcome};
pub use recording::{Gap, Pause, PauseReason};
pub use state::{Asking, Conversation, Dialing, LastTalk, Listed, Offer, Part, Purpose, Segment, Talk, Transfer, Visit};

use crate::{
    ids::{AgentId, LegId},
    output::HangUpReason,
    time::Timestamp,
};
use serde::{Deserialize, Serialize};

/// Who began it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// The far end called us.
    Inbound,
    /// We called.
    Outbound,
}

/// What a leg is for in its conversation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", content = "id", rename_all = "snake_case")]
pub enum Role {
    /// The customer.
    Customer,
    /// An agent of ours.
    Agent(AgentId),
    /// Somebody outside to whom the customer was transferred.
    External,
}

/// What a stretch of the customer's time was. The segments of a conversation tile it without gap or overlap.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SegmentKind {
    /// From the first sign to the connected leg.
    SetUp,
    /// Hearing a greeting.
    Greeting,
    /// In a call flow.
    Flow,
    /// In a queue, including the ringing of offers.
    Queue,
    /// With an agent or a party outside.
    Talk,
    /// On hold.
    Hold,
    /// Being handed to somebody, while that one's telephone rings.
    Transfer,
    /// Leaving a message, from its greeting on.
    Voicemail,
    /// Being asked for the number to call back.
    Callback,
    /// Being called back, while the agent listens.
    Dialing,
    /// Being ended.
    Ending,
}

/// How a leg or conversation ended: always both parts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Termination {
    /// Whose doing, coarse enough for a metric's label.
    pub result: TerminationResult,
    /// The reason, from a closed list.
    pub reason: TerminationReason,
}

/// Whose doing an end was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TerminationResult {
    /// As it should be.
    Success,
    /// The customer's.
    Caller,
    /// The agent's.
    Agent,
    /// The network's or a peer's.
    Upstream,
    /// Ours.
    Us,
    /// Could not be told.
    Unknown,
}

/// Why something ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TerminationReason {
    /// A party hung up after talking.
    HungUp,
    /// A conversation in writing was closed.
    Finished,
    /// The caller left before anybody answered.
    Abandoned,
    /// Handed on.
    Transferred,
    /// A message was left.
    MessageLeft,
    /// The customer is going to be called back.
    CallbackPromised,
    /// Nobody answered.
    NoAnswer,
    /// Declined by a person.
    Declined,
    /// Busy.
    Busy,
    /// The far end could not be found or reached.
    Unreachable,
    /// Dialed number unknown here.
    UnknownNumber,
    /// Refused for lack of room.
    Full,
    /// Refused because we were about to stop.
    Draining,
    /// The queue was closed.
    Closed,
    /// The caller is on a list of those who are not let in.
    Blocked,
    /// The queue's longest wait was exceeded.
    MaxWait,
    /// Answered by another device or agent.
    AnsweredElsewhere,
    /// The offer was taken back.
    Withdrawn,
    /// No audio arrived any more.
    MediaLost,
    /// The far end refused what was offered (formats, credentials, rights).
    Refused,
    /// A network between us failed.
    NetworkFailure,
    /// A peer did not answer in time.
    Timeout,
    /// A process of ours was restarted.
    Restarted,
    /// Something of ours failed.
    Failure,
    /// Ended by a supervisor or administrator.
    Ended,
    /// The longest life of a conversation was exceeded.
    TooLong,
    /// Could not be told.
    Unknown,
}

/// Why a line says a leg ended, in words every line can say.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cause {
    /// The class.
    pub kind: CauseKind,
    /// The line's own code beside it, such as `486` or `560480`, for the trace.
    #[serde(default)]
    pub detail: Option<String>,
}

/// Classes of causes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CauseKind {
    /// The far end hung up (or gave up, while it was still ringing).
    FarEnd,
    /// We did, by an action of the core.
    Ours,
    /// The far end is busy.
    Busy,
    /// A person declined.
    Declined,
    /// It rang and nobody answered.
    NoAnswer,
    /// Unknown, not signed in, or no way there.
    Unreachable,
    /// The far end did not want what we offered.
    Refused,
    /// No answer from the network.
    Timeout,
    /// The connection broke.
    Network,
    /// Audio stopped for too long.
    MediaLost,
    /// Something of ours failed.
    Failure,
}

/// Audio figures of one leg; what was received by us, and what the far end says of what it received.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Quality {
    /// From the far end to us.
    pub received: Option<Stream>,
    /// From us to the far end.
    pub sent: Option<Stream>,
    /// There and back, in milliseconds.
    pub round_trip_ms: Option<f64>,
    /// Rated poor by the rule of Microsoft's call quality dashboard.
    pub poor: bool,
    /// Audio was encrypted between the far end and us.
    #[serde(default)]
    pub encrypted: bool,
    /// It was, but its key was told over a connection that is not: who reads that can listen.
    #[serde(default)]
    pub key_exposed: bool,
}

/// Figures of one direction.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Stream {
    /// Packets that arrived (or were sent).
    pub packets: u64,
    /// Packets that did not arrive.
    pub lost: u64,
    /// Interarrival jitter in milliseconds.
    pub jitter_ms: f64,
    /// Mean opinion score 1–4.5 by the E-model, where it could be computed.
    pub mos: Option<f64>,
}

/// One party's connection.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Leg {
    /// Which.
    pub id: LegId,
    /// What for.
    pub role: Role,
    /// Over which line.
    pub line: crate::endpoint::Line,
    /// Who called whom.
    pub direction: Direction,
    /// Where it ends.
    pub endpoint: crate::endpoint::Endpoint,
    /// When it began.
    pub started_at: Timestamp,
    /// When the far end began to ring.
    pub ringing_at: Option<Timestamp>,
    /// When audio was there.
    pub connected_at: Option<Timestamp>,
    /// The party holds us with its own telephone.
    pub held: bool,
    /// We told it to end and wait for its `Ended`.
    pub ending: bool,
    /// Why we told it to end.
    #[serde(default)]
    pub ending_reason: Option<HangUpReason>,
    /// What the line needs to end it after a crash of ours.
    pub token: Option<String>,
    /// Its audio figures have come.
    #[serde(default)]
    pub measured: bool,
    /// Sequence number of the event that added it; tells legs of a former process from those of this one.
    #[serde(default)]
    pub since: u64,
}
