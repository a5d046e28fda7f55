//! What the engine answers: facts, wishes, replies and the time of its next wake-up.

use crate::{
    agent::{self, Availability, Duty},
    config,
    conversation::{Cause, Direction, Quality, Role, SegmentKind, Termination},
    endpoint::{Endpoint, Line, Party},
    ids::{ActionId, AgentId, CommandId, ConversationId, LegId, NumberId, OfferId, QueueId, RecordingId, VisitId},
    input::{Actor, TransferTarget},
    queue::{Outcome, SkillRequirement},
    refusal::Refusal,
    time::{Millis, Timestamp},
};
use serde::{Deserialize, Serialize};

/// One thing that comes out of the engine. Order matters: an event must be durable before any later action is carried out.
#[derive(Clone, Debug, PartialEq)]
pub enum Output {
    /// A fact, to be appended to the tenant's journal.
    Event(Stamped),
    /// A wish, to be carried out once all events before it are durable, and answered by `ActionDone` or `ActionFailed`.
    Action(ActionId, Action),
    /// The answer to a command.
    Reply(CommandId, Result<(), Refusal>),
    /// Hand in `Input::Wake` at this time, or any other input earlier. The latest one counts.
    WakeAt(Timestamp),
}

/// A fact with its place in the tenant's history.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Stamped {
    /// Counts up by one from 1, without gaps, per tenant.
    pub seq: u64,
    /// When it happened, as the engine was told.
    pub at: Timestamp,
    /// The fact.
    #[serde(flatten)]
    pub event: Event,
}

/// Facts. Each carries what reports need, so that a reader of the journal needs no second look at the state.
///
/// Stored for years: fields are only ever added, with `#[serde(default)]`, and variants never change their meaning.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
#[allow(missing_docs, reason = "the fields repeat the words of the glossary; what is not obvious is said at the variant")]
pub enum Event {
    /// A configuration document was taken over.
    Configured {
        change: config::Change,
    },
    /// A conversation exists from now on.
    ConversationStarted {
        conversation: ConversationId,
        line: Line,
        direction: Direction,
        caller: Party,
        dialed: String,
        /// The number document that was dialed; `None` when there is none.
        #[serde(default)]
        number: Option<NumberId>,
    },
    /// A leg belongs to the conversation from now on.
    LegAdded {
        conversation: ConversationId,
        leg: LegId,
        role: Role,
        line: Line,
        direction: Direction,
        endpoint: Endpoint,
    },
    LegRinging {
        conversation: ConversationId,
        leg: LegId,
    },
    LegConnected {
        conversation: ConversationId,
        leg: LegId,
        token: Option<String>,
    },
    /// A party put its own telephone on hold, or took it back.
    LegHeld {
        conversation: ConversationId,
        leg: LegId,
        held: bool,
    },
    /// A leg is over. Written once per leg, always classified.
    LegEnded {
        conversation: ConversationId,
        leg: LegId,
        role: Role,
        line: Line,
        started_at: Timestamp,
        connected_at: Option<Timestamp>,
        termination: Termination,
        /// What the line said, where it said something.
        #[serde(default)]
        cause: Option<Cause>,
        /// The line never said that it ended: we stopped waiting for it.
        #[serde(default)]
        given_up: bool,
    },
    LegMeasured {
        conversation: ConversationId,
        leg: LegId,
        quality: Quality,
    },
    /// The conversation's open segment was closed and, unless the conversation ended, `next` opened at the same instant.
    SegmentClosed {
        conversation: ConversationId,
        kind: SegmentKind,
        from: Timestamp,
        to: Timestamp,
        queue: Option<QueueId>,
        agent: Option<AgentId>,
        next: Option<SegmentKind>,
    },
    VisitStarted {
        visit: VisitId,
        conversation: ConversationId,
        queue: QueueId,
        priority: u8,
        skills: Vec<SkillRequirement>,
        enqueued_at: Timestamp,
    },
    /// The visit is over; exactly one per `VisitStarted`.
    VisitEnded {
        visit: VisitId,
        conversation: ConversationId,
        queue: QueueId,
        enqueued_at: Timestamp,
        outcome: Outcome,
        wait: Millis,
        agent: Option<AgentId>,
    },
    OfferMade {
        offer: OfferId,
        visit: Option<VisitId>,
        conversation: ConversationId,
        queue: Option<QueueId>,
        agent: AgentId,
        leg: LegId,
        rings_until: Timestamp,
    },
    /// The offer is over; exactly one per `OfferMade`.
    OfferEnded {
        offer: OfferId,
        conversation: ConversationId,
        queue: Option<QueueId>,
        agent: AgentId,
        made_at: Timestamp,
        outcome: crate::routing::OfferOutcome,
    },
    /// Customer and agent (or, after a transfer outside, an external party: `agent` is `None`) hear each other from now on.
    TalkStarted {
        conversation: ConversationId,
        queue: Option<QueueId>,
        agent: Option<AgentId>,
        leg: LegId,
    },
    /// That ended: by transfer, or with the conversation.
    TalkEnded {
        conversation: ConversationId,
        queue: Option<QueueId>,
        agent: Option<AgentId>,
        leg: LegId,
        talk: Millis,
        hold: Millis,
    },
    HoldStarted {
        conversation: ConversationId,
        by: Actor,
    },
    HoldEnded {
        conversation: ConversationId,
    },
    TransferStarted {
        conversation: ConversationId,
        by: Actor,
        to: TransferTarget,
    },
    /// `failure` is `None` when the target has the customer now; else the words for people, and the customer went where `TransferReturned` rules say.
    TransferEnded {
        conversation: ConversationId,
        to: TransferTarget,
        failure: Option<String>,
    },
    RecordingStarted {
        conversation: ConversationId,
        recording: RecordingId,
    },
    RecordingFinished {
        conversation: ConversationId,
        recording: RecordingId,
        path: String,
        duration: Millis,
        channels: u8,
    },
    RecordingFailed {
        conversation: ConversationId,
        recording: RecordingId,
        reason: String,
    },
    /// We began to end it; the customer's leg is told to hang up and its end awaited.
    ConversationEnding {
        conversation: ConversationId,
        termination: Termination,
    },
    /// The customer has left; nothing of it comes any more except ends of other legs, late figures, recordings and wrap-up.
    ConversationEnded {
        conversation: ConversationId,
        started_at: Timestamp,
        termination: Termination,
    },
    DutyChanged {
        agent: AgentId,
        duty: Duty,
        by: Actor,
    },
    AvailabilityChanged {
        agent: AgentId,
        availability: Availability,
        by: Actor,
    },
    /// An availability chosen during a conversation, applied after wrap-up.
    AvailabilityPlanned {
        agent: AgentId,
        availability: Option<Availability>,
        by: Actor,
    },
    ReachabilityChanged {
        agent: AgentId,
        reachable: bool,
    },
    /// What the agent is busy with changed. Says nothing an attentive reader could not derive; here so that reports of agents' time need no derivation.
    OccupationChanged {
        agent: AgentId,
        occupation: agent::Occupation,
        from: agent::Occupation,
        since: Timestamp,
    },
    /// `until` is `None` when wrap-up ends only by the agent's choice.
    WrapUpStarted {
        agent: AgentId,
        conversation: ConversationId,
        queue: Option<QueueId>,
        until: Option<Timestamp>,
    },
    WrapUpEnded {
        agent: AgentId,
        conversation: ConversationId,
        queue: Option<QueueId>,
        started_at: Timestamp,
        disposition: Option<String>,
        by: Actor,
    },
    /// A wish was uttered; it stays open until `ActionSettled`.
    ActionRequested {
        action: ActionId,
        wish: Action,
    },
    /// The wish was answered, or lost its meaning.
    ActionSettled {
        action: ActionId,
        failure: Option<ActionFailure>,
    },
    /// A process took over this tenant.
    TookOver {},
    /// New conversations are refused from now on (or again accepted).
    DrainChanged {
        on: bool,
    },
}

/// Wishes to a line. Each is idempotent: carried out twice it changes nothing the second time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
#[allow(missing_docs, reason = "the fields repeat the words of the glossary; what is not obvious is said at the variant")]
pub enum Action {
    /// Accept an arriving leg; answered by `Input::Connected` or `Input::Ended`.
    Answer { conversation: ConversationId, leg: LegId, line: Line },
    /// Refuse an arriving leg.
    Reject { conversation: ConversationId, leg: LegId, line: Line, reason: RejectReason },
    /// Call somebody; answered by `Ringing`, `Connected` or `Ended`. The core itself ends the ringing.
    Dial { conversation: ConversationId, leg: LegId, line: Line, to: Endpoint, caller: Party, ring_limit: Millis },
    /// End a leg in whatever state it is; answered by `Ended`.
    HangUp { conversation: ConversationId, leg: LegId, line: Line, reason: HangUpReason },
    /// Let this leg alone hear a prompt, in place of whatever it heard. A prompt that plays once is answered by `PlayFinished` with this action's id.
    Play { conversation: ConversationId, leg: LegId, line: Line, prompt: Prompt, repeat: bool },
    /// Let two legs hear each other, and nothing else.
    Bridge { conversation: ConversationId, a: LegId, b: LegId, line: Line },
    /// Let this leg hear nothing.
    Silence { conversation: ConversationId, leg: LegId, line: Line },
    /// Record `left` on the left channel and `right`, as soon as there is one, on the right; carried out before a `Bridge` uttered later.
    StartRecording { conversation: ConversationId, recording: RecordingId, line: Line, left: LegId, right: Option<LegId> },
    /// The right channel is from now on this leg.
    RecordRight { conversation: ConversationId, recording: RecordingId, line: Line, right: Option<LegId> },
    /// Close a recording; answered by `RecordingFinished` or `RecordingFailed`.
    StopRecording { conversation: ConversationId, recording: RecordingId, line: Line },
    /// Tell the telephone that asked for a transfer how it went.
    AnswerTransfer { conversation: ConversationId, leg: LegId, line: Line, accepted: bool },
    /// End a leg of a former process from what was kept of it.
    EndGhost { conversation: ConversationId, leg: LegId, line: Line, token: String },
    /// Ask a line which legs live with it; answered by `Input::Survey`.
    Survey { line: Line },
}

impl Action {
    /// The line that has to carry it out.
    pub fn line(&self) -> Line {
        match self {
            Action::Answer { line, .. }
            | Action::Reject { line, .. }
            | Action::Dial { line, .. }
            | Action::HangUp { line, .. }
            | Action::Play { line, .. }
            | Action::Bridge { line, .. }
            | Action::Silence { line, .. }
            | Action::StartRecording { line, .. }
            | Action::RecordRight { line, .. }
            | Action::StopRecording { line, .. }
            | Action::AnswerTransfer { line, .. }
            | Action::EndGhost { line, .. }
            | Action::Survey { line } => *line,
        }
    }

    /// The conversation it is about; `None` for what concerns a whole line.
    pub fn conversation(&self) -> Option<ConversationId> {
        match self {
            Action::Answer { conversation, .. }
            | Action::Reject { conversation, .. }
            | Action::Dial { conversation, .. }
            | Action::HangUp { conversation, .. }
            | Action::Play { conversation, .. }
            | Action::Bridge { conversation, .. }
            | Action::Silence { conversation, .. }
            | Action::StartRecording { conversation, .. }
            | Action::RecordRight { conversation, .. }
            | Action::StopRecording { conversation, .. }
            | Action::AnswerTransfer { conversation, .. }
            | Action::EndGhost { conversation, .. } => Some(*conversation),
            Action::Survey { .. } => None,
        }
    }

    /// Whether it loses its meaning when this leg ends. Refusals and ends of ghosts are about legs that are over already.
    pub fn needs_leg(&self, wanted: LegId) -> bool {
        match self {
            Action::Answer { leg, .. }
            | Action::Dial { leg, .. }
            | Action::HangUp { leg, .. }
            | Action::Play { leg, .. }
            | Action::Silence { leg, .. }
            | Action::AnswerTransfer { leg, .. } => *leg == wanted,
            Action::Bridge { a, b, .. } => *a == wanted || *b == wanted,
            Action::Reject { .. }
            | Action::StartRecording { .. }
            | Action::RecordRight { .. }
            | Action::StopRecording { .. }
            | Action::EndGhost { .. }
            | Action::Survey { .. } => false,
        }
    }

    /// The recording it is about.
    pub fn recording(&self) -> Option<RecordingId> {
        match self {
            Action::StartRecording { recording, .. } | Action::RecordRight { recording, .. } | Action::StopRecording { recording, .. } => {
                Some(*recording)
            }
            _ => None,
        }
    }

    /// Whether it decides what a leg hears, so that a later one of this kind makes it meaningless.
    pub fn is_hearing(&self) -> bool {
        matches!(self, Action::Play { .. } | Action::Bridge { .. } | Action::Silence { .. })
    }
}

/// Why an action was not carried out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub struct ActionFailure {
    /// Stable code with a page in `docs/errors`.
    pub code: String,
    /// For the operator.
    pub detail: String,
}

/// Why an arriving leg is refused; each line has a way to say it to the network.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RejectReason {
    /// Nobody has this number here.
    UnknownNumber,
    /// No room: too many conversations or callers waiting.
    Busy,
    /// We are about to stop; another node should take it.
    Draining,
    /// The number leads nowhere at present.
    Unavailable,
}

/// Why we end a leg; shown to the network where it can be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HangUpReason {
    /// The conversation is over.
    Normal,
    /// Somebody else took it, so that the telephone need not show a missed call.
    AnsweredElsewhere,
    /// It rang too long.
    NoAnswer,
    /// The caller is gone.
    CallerGone,
    /// The leg was replaced by a transfer.
    Transferred,
    /// Something of ours failed.
    Failure,
}

/// What a leg is let hear.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Prompt {
    /// An audio file among the tenant's prompts.
    File {
        /// Its name there.
        name: String,
    },
    /// A text, spoken.
    Text {
        /// What is said.
        text: String,
        /// BCP 47 tag such as `de` or `en-GB`.
        language: String,
    },
    /// The built-in hold music.
    Music,
    /// The sound of a ringing telephone.
    Ringback,
}
