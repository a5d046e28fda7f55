//! Facts: all that ever happens in a tenant, as it is kept.

use super::{Action, ActionFailure, Prompt};
use crate::{
    agent::{self, Availability, Duty},
    callback::{CallbackOutcome, KeptPlace},
    callers::Treatment,
    config::{self, Destination, Mailbox},
    conversation::{
        Cause, ConsultOutcome, Direction, Facing, Gap, MemberEnd, PauseReason, Purpose, Quality, Role, SegmentKind, SupervisionMode,
        SupervisionOutcome, Termination, TerminationReason,
    },
    endpoint::{Endpoint, Line, Party},
    expression::Value,
    flow::FlowEnd,
    hours::Switch,
    ids::{
        ActionId, AgentId, CallbackId, CallerListId, ConversationId, FlowId, HoursId, LegId, MessageId, NumberId, OfferId, QueueId,
        RecordingId, VisitId,
    },
    input::{Actor, TransferTarget},
    queue::{Closed, Estimate, FlowOutReason, Outcome, SkillRequirement, Terms},
    time::{Millis, Timestamp},
    voicemail::{Discard, MessageState},
    written::Channel,
};
use serde::{Deserialize, Serialize};

/// Facts. Each carries what reports need, so that a reader of the journal needs no second look at the state.
///
/// Stored for years: fields are only ever added, with `#[serde(default)]`, and variants never change their meaning.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
#[rustfmt::skip] // Short variants as rows of a table: one variant with comments inside would spread out all the others.
#[allow(missing_docs, reason = "the fields repeat the words of the glossary; what is not obvious is said at the variant")]
pub enum Event {
    /// A configuration document was taken over.
    Configured { change: config::Change },
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
        /// The callback it is for; its customer is called when an agent has taken it.
        #[serde(default)]
        callback: Option<CallbackId>,
    },
    /// The caller is on a list, which decides what becomes of the call.
    CallerListed { conversation: ConversationId, list: CallerListId, treatment: Box<Treatment> },
    /// A leg belongs to the conversation from now on.
    LegAdded { conversation: ConversationId, leg: LegId, role: Role, line: Line, direction: Direction, endpoint: Endpoint },
    LegRinging { conversation: ConversationId, leg: LegId },
    LegConnected { conversation: ConversationId, leg: LegId, token: Option<String> },
    /// A party put its own telephone on hold, or took it back.
    LegHeld { conversation: ConversationId, leg: LegId, held: bool },
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
    LegMeasured { conversation: ConversationId, leg: LegId, quality: Quality },
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
        #[serde(default)]
        terms: Terms,
    },
    /// The customer came to a flow, and in it to the node it begins with.
    FlowEntered {
        conversation: ConversationId,
        flow: FlowId,
        /// The version that was published then; it holds for this call to the end of the flow.
        version: u32,
        /// Then it ends at the latest.
        ends_at: Timestamp,
    },
    /// From one node to the next.
    FlowStepped {
        conversation: ConversationId,
        flow: FlowId,
        node: String,
        /// The way out that was taken, such as `next`, `keys.1` or `otherwise`.
        exit: String,
        /// The node it leads to.
        to: String,
        /// Variables that changed.
        #[serde(default)]
        set: Vec<(String, Value)>,
        /// What could not be computed and was passed over.
        #[serde(default)]
        problem: Option<String>,
        /// The variable that took what the customer typed privately; what that was stands nowhere.
        #[serde(default)]
        private: Option<String>,
    },
    /// The node has said what it had to say and waits until then.
    FlowWaiting { conversation: ConversationId, node: String, until: Timestamp },
    /// The customer pressed a key that is part of an answer; the next one is waited for until then. Of a private answer, `key` is
    /// only [`PRIVATE_KEY`](crate::flow::PRIVATE_KEY).
    FlowKeyed { conversation: ConversationId, node: String, key: char, until: Timestamp },
    /// The answer was wrong, or none came: the question is put again.
    FlowAskedAgain {
        conversation: ConversationId,
        node: String,
        /// Which attempt begins, counted from 1.
        attempt: u8,
    },
    /// The customer is being handed to somebody by a flow, which goes on when that fails.
    FlowSuspended { conversation: ConversationId, node: String },
    /// The agent has ended the talk, and the customer is asked how it was.
    SurveyOffered { conversation: ConversationId, flow: FlowId, queue: Option<QueueId>, agent: AgentId },
    /// The customer gave a score in a flow; `queue` and `agent` are those of the last talk before.
    SurveyAnswered {
        conversation: ConversationId,
        flow: FlowId,
        question: String,
        score: u8,
        least: u8,
        /// The best.
        most: u8,
        queue: Option<QueueId>,
        agent: Option<AgentId>,
    },
    /// The customer is no longer in the flow; exactly one per `FlowEntered`.
    FlowLeft {
        conversation: ConversationId,
        flow: FlowId,
        version: u32,
        /// The last node.
        node: String,
        entered_at: Timestamp,
        steps: u32,
        end: FlowEnd,
    },
    /// Somebody changed how soon a waiting visit is served.
    PriorityChanged { visit: VisitId, conversation: ConversationId, queue: QueueId, priority: u8, by: Actor },
    /// A flow or a person said which language the customer speaks; it holds for visits that begin from now on.
    LanguageChosen { conversation: ConversationId, language: Option<String> },
    /// The visit asks for less from now on: `ring` of the queue's rings are reached, and `preferred` is who is still waited
    /// for alone.
    VisitWidened { visit: VisitId, conversation: ConversationId, queue: QueueId, ring: u8, preferred: Option<AgentId> },
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
    /// An agent was looked for, and why that went as it did: before every offer of a visit, and once whenever a visit that
    /// finds nobody begins to wait or asks for less.
    Decided { conversation: ConversationId, visit: VisitId, queue: QueueId, decision: crate::routing::Decision },
    OfferMade {
        offer: OfferId,
        visit: Option<VisitId>,
        conversation: ConversationId,
        queue: Option<QueueId>,
        agent: AgentId,
        leg: LegId,
        rings_until: Timestamp,
        #[serde(default)]
        purpose: Purpose,
    },
    /// The wait was predicted when the visit began.
    VisitEstimated {
        visit: VisitId,
        conversation: ConversationId,
        queue: QueueId,
        /// 1 is next.
        position: u32,
        estimate: Estimate,
    },
    /// An agent took a visit whose wait had been predicted: how good the prediction was.
    EstimateMeasured {
        visit: VisitId,
        conversation: ConversationId,
        queue: QueueId,
        estimate: Estimate,
        wait: Millis,
        /// The wait lay in the predicted range.
        held: bool,
    },
    /// An answer came while somebody had waited for `gap`; what estimates learn from.
    PaceMeasured {
        queue: QueueId,
        gap: Millis,
        /// Agents able to serve the queue at that time.
        able: u32,
    },
    /// A rule leads the customer out of the queue; the visit's end follows.
    VisitOverflowed { visit: VisitId, conversation: ConversationId, queue: QueueId, reason: FlowOutReason, to: Destination },
    /// A rule applies, but where it leads cannot be had: the customer goes on waiting, and that rule is not asked again.
    OverflowPassedOver {
        visit: VisitId,
        conversation: ConversationId,
        queue: QueueId,
        /// Which of the queue's rules, from 0.
        rule: u8,
        to: Destination,
    },
    /// Those who wait are told something, or it was their turn and there was nothing to tell.
    Announced {
        visit: VisitId,
        conversation: ConversationId,
        queue: QueueId,
        /// Counts up from 0 within the visit.
        step: u32,
    },
    /// The customer hears something for the last time and is then let go.
    FarewellStarted { conversation: ConversationId, termination: Termination },
    /// Somebody wanted this visit for a certain agent, whose telephone rings for it next; no turn counted.
    VisitPulled { visit: VisitId, conversation: ConversationId, queue: QueueId, agent: AgentId, by: Actor },
    /// Somebody puts the customer of a talk back into a queue; with `keep_wait` the time in queues before counts there.
    Requeued { conversation: ConversationId, queue: QueueId, keep_wait: bool, by: Actor },
    /// Somebody came to work for a queue that nobody served, or the last one left.
    QueueStaffed { queue: QueueId, staffed: bool },
    /// A queue was closed or opened by hand, or opens as was set.
    QueueClosed {
        queue: QueueId,
        /// `None` = open.
        closed: Option<Closed>,
        by: Actor,
    },
    /// What everybody who waits in or comes to a queue is told first.
    NoticeChanged { queue: QueueId, notice: Option<Prompt>, by: Actor },
    /// The agent's telephone was answered, and whoever did is asked to press a key, so that no mailbox takes a conversation. All
    /// telephones that ring for the conversation ring until `rings_until` now.
    OfferAnswered { offer: OfferId, conversation: ConversationId, agent: AgentId, leg: LegId, rings_until: Timestamp },
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
    TalkStarted { conversation: ConversationId, queue: Option<QueueId>, agent: Option<AgentId>, leg: LegId },
    /// That ended: by transfer, or with the conversation.
    TalkEnded { conversation: ConversationId, queue: Option<QueueId>, agent: Option<AgentId>, leg: LegId, talk: Millis, hold: Millis },
    HoldStarted { conversation: ConversationId, by: Actor },
    HoldEnded { conversation: ConversationId },
    TransferStarted { conversation: ConversationId, by: Actor, to: TransferTarget },
    /// `failure` is `None` when the target has the customer now; else the words for people, and the customer went where `TransferReturned` rules say.
    TransferEnded { conversation: ConversationId, to: TransferTarget, failure: Option<String> },
    /// The agent of the talk asks somebody; the customer is on hold meanwhile.
    ConsultStarted { conversation: ConversationId, agent: AgentId, by: Actor, to: TransferTarget },
    /// The party outside that is consulted is being called. (Agents are made an offer.)
    ConsultCalled { conversation: ConversationId, leg: LegId },
    /// The target is there; `agent` is `None` for a party outside.
    ConsultAnswered { conversation: ConversationId, agent: Option<AgentId>, leg: LegId },
    /// Whom the agent hears from now on.
    ConsultTurned { conversation: ConversationId, facing: Facing, by: Actor },
    /// The consult is over; exactly one per `ConsultStarted`. `target` is the agent who had answered.
    ConsultEnded {
        conversation: ConversationId,
        agent: AgentId,
        to: TransferTarget,
        target: Option<AgentId>,
        started_at: Timestamp,
        answered_at: Option<Timestamp>,
        outcome: ConsultOutcome,
        by: Actor,
    },
    /// The customer is offered to be called back.
    CallbackOffered { conversation: ConversationId, queue: QueueId },
    /// The customer types the number to be called back.
    NumberTyped { conversation: ConversationId, digits: String },
    /// Somebody is going to be called back.
    CallbackRequested {
        callback: CallbackId,
        queue: QueueId,
        number: String,
        name: Option<String>,
        place: KeptPlace,
        /// When it stands in line.
        due: Timestamp,
        /// The conversation in which it was asked for.
        conversation: Option<ConversationId>,
        by: Actor,
    },
    /// It was asked for once more; it stays one.
    CallbackRepeated { callback: CallbackId, queue: QueueId, conversation: Option<ConversationId>, by: Actor },
    /// It stands in line at another time: by choice, or because the queue is closed.
    CallbackRescheduled { callback: CallbackId, queue: QueueId, due: Timestamp, in_line_since: Timestamp, by: Actor },
    /// An agent has taken it, and the customer's telephone is being called.
    CallbackCalled {
        callback: CallbackId,
        conversation: ConversationId,
        queue: Option<QueueId>,
        agent: AgentId,
        /// The agent's leg.
        leg: LegId,
        /// 1 is the first.
        attempt: u8,
    },
    /// The customer could not be had; it stands in line again at `next`.
    CallbackMissed {
        callback: CallbackId,
        queue: QueueId,
        conversation: ConversationId,
        reason: TerminationReason,
        attempts: u8,
        next: Timestamp,
    },
    /// The callback is over; exactly one per `CallbackRequested`.
    CallbackEnded {
        callback: CallbackId,
        queue: QueueId,
        outcome: CallbackOutcome,
        requested_at: Timestamp,
        in_line_since: Timestamp,
        attempts: u8,
        conversation: Option<ConversationId>,
        by: Actor,
    },
    /// The customer is asked for a message.
    MessageStarted { conversation: ConversationId, message: MessageId, mailbox: Mailbox },
    /// A message can be heard.
    MessageLeft {
        conversation: ConversationId,
        message: MessageId,
        mailbox: Mailbox,
        caller: Party,
        recording: RecordingId,
        duration: Millis,
        /// When it is forgotten.
        expires_at: Timestamp,
    },
    /// No message came of it; exactly one of this and `MessageLeft` per `MessageStarted`.
    MessageDiscarded {
        conversation: ConversationId,
        message: MessageId,
        mailbox: Mailbox,
        recording: Option<RecordingId>,
        reason: Discard,
    },
    /// Somebody has heard a message, done what it asks for, or takes that back.
    MessageMarked { message: MessageId, mailbox: Mailbox, from: MessageState, state: MessageState, by: Actor },
    /// A message is forgotten, by choice or because its time is over.
    MessageDeleted { message: MessageId, mailbox: Mailbox, by: Actor },
    /// Somebody takes part in the talk beside customer and other party.
    MemberJoined { conversation: ConversationId, leg: LegId, agent: Option<AgentId>, by: Actor },
    /// And does not any more; exactly one per `MemberJoined`. `problem` is what the line said where it could not.
    MemberLeft {
        conversation: ConversationId,
        leg: LegId,
        agent: Option<AgentId>,
        joined_at: Timestamp,
        end: MemberEnd,
        problem: Option<String>,
    },
    /// A supervisor is called to follow the talk of `agent`.
    SupervisionStarted { conversation: ConversationId, supervisor: AgentId, agent: AgentId, leg: LegId, mode: SupervisionMode, by: Actor },
    /// The supervisor is there.
    SupervisionAnswered { conversation: ConversationId, supervisor: AgentId, leg: LegId },
    /// What the supervisor takes part in from now on.
    SupervisionChanged { conversation: ConversationId, supervisor: AgentId, mode: SupervisionMode, by: Actor },
    /// The supervision is over; exactly one per `SupervisionStarted`. `problem` is what the line said where it could not.
    SupervisionEnded {
        conversation: ConversationId,
        supervisor: AgentId,
        leg: LegId,
        mode: SupervisionMode,
        started_at: Timestamp,
        answered_at: Option<Timestamp>,
        outcome: SupervisionOutcome,
        by: Actor,
        problem: Option<String>,
    },
    RecordingStarted {
        conversation: ConversationId,
        recording: RecordingId,
        /// Who wanted it; `None` when a queue's rule did.
        #[serde(default)]
        by: Option<Actor>,
    },
    /// Nothing is recorded from now on, until `until` at the latest.
    RecordingPaused { conversation: ConversationId, recording: RecordingId, by: Actor, reason: PauseReason, until: Option<Timestamp> },
    /// The pause that began at `from` is over.
    RecordingResumed { conversation: ConversationId, recording: RecordingId, by: Actor, from: Timestamp, reason: PauseReason },
    /// A pause could not be kept for sure; the recording is ended because of it.
    RecordingPauseFailed { conversation: ConversationId, recording: RecordingId, problem: String },
    /// Somebody ends the recording by choice: nothing more of this conversation is recorded by rule.
    RecordingRefused { conversation: ConversationId, recording: RecordingId, by: Actor },
    RecordingFinished {
        conversation: ConversationId,
        recording: RecordingId,
        path: String,
        duration: Millis,
        channels: u8,
        /// What was left out, in order.
        #[serde(default)]
        gaps: Vec<Gap>,
    },
    RecordingFailed { conversation: ConversationId, recording: RecordingId, reason: String },
    /// We began to end it; the customer's leg is told to hang up and its end awaited.
    ConversationEnding { conversation: ConversationId, termination: Termination },
    /// The customer has left; nothing of it comes any more except ends of other legs, late figures, recordings and wrap-up.
    ConversationEnded { conversation: ConversationId, started_at: Timestamp, termination: Termination },
    DutyChanged { agent: AgentId, duty: Duty, by: Actor },
    AvailabilityChanged { agent: AgentId, availability: Availability, by: Actor },
    /// An availability chosen during a conversation, applied after wrap-up.
    AvailabilityPlanned { agent: AgentId, availability: Option<Availability>, by: Actor },
    /// A duty chosen during a conversation, applied after wrap-up; `None` takes the plan back.
    DutyPlanned { agent: AgentId, duty: Option<Duty>, by: Actor },
    /// The agent works for the queues of this duty profile, `None` = all; the sign-ins that this meant are told before.
    ProfileChosen { agent: AgentId, profile: Option<String>, by: Actor },
    /// The agent works for this one of the assigned queues from now on, or no longer.
    QueueSignIn { agent: AgentId, queue: QueueId, signed_in: bool, by: Actor },
    ReachabilityChanged { agent: AgentId, reachable: bool },
    /// What the agent is busy with changed. Says nothing an attentive reader could not derive; here so that reports of agents' time need no derivation.
    OccupationChanged { agent: AgentId, occupation: agent::Occupation, from: agent::Occupation, since: Timestamp },
    /// An agent who did not take an offer stays ready, and is not asked for the same visit until `until` (or not at all).
    AgentPassedOver { visit: VisitId, conversation: ConversationId, queue: QueueId, agent: AgentId, until: Option<Timestamp> },
    /// These agents, passed over before, may be asked for the visit again.
    AgentsAskedAgain { visit: VisitId, conversation: ConversationId, queue: QueueId, agents: Vec<AgentId> },
    /// An agent who became not ready by a rule is going to be ready again by itself, unless something else is chosen before.
    ReturnPlanned { agent: AgentId, due: Timestamp },
    /// What became of the conversation, as the agent says; it may be said again until wrap-up is over.
    DispositionSet {
        agent: AgentId,
        conversation: ConversationId,
        queue: Option<QueueId>,
        disposition: Option<String>,
        /// The customer is to hear from us again.
        follow_up: bool,
        by: Actor,
    },
    /// `until` is `None` when wrap-up ends only by the agent's choice.
    WrapUpStarted { agent: AgentId, conversation: ConversationId, queue: Option<QueueId>, until: Option<Timestamp> },
    /// The agent takes longer, once.
    WrapUpExtended { agent: AgentId, conversation: ConversationId, queue: Option<QueueId>, until: Timestamp, by: Actor },
    WrapUpEnded {
        agent: AgentId,
        conversation: ConversationId,
        queue: Option<QueueId>,
        started_at: Timestamp,
        disposition: Option<String>,
        /// The queue asks for a disposition and there is none.
        #[serde(default)]
        missing: bool,
        by: Actor,
    },
    /// Somebody writes, or another system has work for an agent: a conversation without a telephone exists from now on.
    WrittenOpened {
        conversation: ConversationId,
        channel: Channel,
        customer: Party,
        subject: Option<String>,
        /// Where it can be read.
        link: Option<String>,
        language: Option<String>,
        by: Actor,
    },
    /// It waits in a queue.
    WrittenQueued {
        conversation: ConversationId,
        channel: Channel,
        visit: VisitId,
        queue: QueueId,
        priority: u8,
        skills: Vec<SkillRequirement>,
        terms: Terms,
        by: Actor,
    },
    /// An agent is asked to take it, until then.
    WrittenOffered {
        offer: OfferId,
        conversation: ConversationId,
        channel: Channel,
        visit: VisitId,
        queue: QueueId,
        agent: AgentId,
        until: Timestamp,
    },
    /// The offer is over; exactly one per `WrittenOffered`.
    WrittenOfferEnded {
        offer: OfferId,
        conversation: ConversationId,
        channel: Channel,
        queue: QueueId,
        agent: AgentId,
        made_at: Timestamp,
        outcome: crate::routing::OfferOutcome,
    },
    /// It waits no longer; exactly one per `WrittenQueued`. `within` is what the queue promised.
    WrittenUnqueued {
        conversation: ConversationId,
        channel: Channel,
        visit: VisitId,
        queue: QueueId,
        enqueued_at: Timestamp,
        outcome: Outcome,
        wait: Millis,
        within: Millis,
        agent: Option<AgentId>,
    },
    /// An agent has it.
    WrittenTaken { conversation: ConversationId, channel: Channel, queue: QueueId, agent: AgentId },
    /// And has it no longer; exactly one per `WrittenTaken`. It was closed, or is in a queue again (`moved`).
    WrittenReleased {
        conversation: ConversationId,
        channel: Channel,
        queue: QueueId,
        agent: AgentId,
        since: Timestamp,
        moved: bool,
    },
    /// What became of it, as its agent says.
    WrittenDisposed { conversation: ConversationId, queue: QueueId, agent: AgentId, disposition: String, follow_up: bool, by: Actor },
    /// Its agent finishes notes.
    WrittenWrapUpStarted { conversation: ConversationId, channel: Channel, queue: QueueId, agent: AgentId, until: Timestamp },
    WrittenWrapUpEnded {
        conversation: ConversationId,
        channel: Channel,
        queue: QueueId,
        agent: AgentId,
        started_at: Timestamp,
        disposition: Option<String>,
        /// The queue asks for a disposition and there is none.
        missing: bool,
        by: Actor,
    },
    /// It is over for the customer; exactly one per `WrittenOpened`.
    WrittenClosed { conversation: ConversationId, channel: Channel, started_at: Timestamp, termination: Termination, by: Actor },
    /// A wish was uttered; it stays open until `ActionSettled`.
    ActionRequested { action: ActionId, wish: Action },
    /// The wish was answered, or lost its meaning.
    ActionSettled { action: ActionId, failure: Option<ActionFailure> },
    /// A process took over this tenant.
    TookOver {},
    /// New conversations are refused from now on (or again accepted).
    DrainChanged { on: bool },
    /// Opening hours were switched against the clock, or back.
    HoursOverridden { hours: HoursId, to: Switch, by: Actor },
}
