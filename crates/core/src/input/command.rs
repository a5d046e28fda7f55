//! What people and programs can ask of the core.

use crate::{
    agent,
    conversation::SupervisionMode,
    endpoint::{Endpoint, Party},
    hours::Switch,
    ids::{AgentId, CallbackId, ConversationId, HoursId, LegId, MessageId, QueueId},
    output::Prompt,
    queue::Preferred,
    time::{Millis, Timestamp},
    voicemail::MessageState,
    written::Letter,
};
use serde::{Deserialize, Serialize};

/// What people and programs can ask of the core.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Command {
    /// Begin or end work.
    SetDuty {
        /// Whose.
        agent: AgentId,
        /// The new duty.
        duty: agent::Duty,
    },
    /// Begin or end work after the present conversation and its wrap-up; at once where there is none.
    PlanDuty {
        /// Whose.
        agent: AgentId,
        /// The new duty; the present one takes the plan back.
        duty: agent::Duty,
    },
    /// Become ready or not ready. During a conversation it applies once wrap-up is over.
    SetAvailability {
        /// Whose.
        agent: AgentId,
        /// The new availability.
        availability: agent::Availability,
    },
    /// Work for one of the assigned queues again.
    SignIntoQueue {
        /// Who.
        agent: AgentId,
        /// Which queue.
        queue: QueueId,
    },
    /// Work for one of the assigned queues no longer, and for the others as before.
    SignOutOfQueue {
        /// Who.
        agent: AgentId,
        /// Which queue.
        queue: QueueId,
    },
    /// Work for the queues of one of the agent's duty profiles, and for no others.
    ChooseProfile {
        /// Who.
        agent: AgentId,
        /// Its name; `None` = all queues the agent serves.
        profile: Option<String>,
    },
    /// End wrap-up before its time.
    FinishWrapUp {
        /// Whose.
        agent: AgentId,
        /// The code chosen for the conversation.
        disposition: Option<String>,
    },
    /// Take longer for wrap-up, once, by what the queue allows.
    ExtendWrapUp {
        /// Whose.
        agent: AgentId,
    },
    /// Say what became of the conversation that the agent is in or wraps up; `None` takes it back.
    SetDisposition {
        /// Whose.
        agent: AgentId,
        /// One of the queue's codes.
        disposition: Option<String>,
    },
    /// Let the customer hear music until `Resume`.
    Hold {
        /// Which conversation.
        conversation: ConversationId,
    },
    /// Undo `Hold`.
    Resume {
        /// Which conversation.
        conversation: ConversationId,
    },
    /// Hand the customer to somebody else and leave, without asking first.
    Transfer {
        /// Which conversation.
        conversation: ConversationId,
        /// To whom.
        to: TransferTarget,
    },
    /// Let a certain agent have a certain waiting customer, whoever's turn it is. Agents pull for themselves, from queues they
    /// serve; being ready is not needed for it.
    Pull {
        /// Which conversation; it waits in a queue.
        conversation: ConversationId,
        /// Whose telephone rings.
        agent: AgentId,
    },
    /// Put the customer of a talk back into a queue.
    Requeue {
        /// Which conversation.
        conversation: ConversationId,
        /// Which queue; `None` is the one the customer was in last.
        #[serde(default)]
        queue: Option<QueueId>,
        /// The customer stands in line as one who has waited as long as in all queues before; otherwise as one who comes now.
        #[serde(default)]
        keep_wait: bool,
    },
    /// Ask somebody before handing the customer over, who hears music meanwhile.
    Consult {
        /// Which conversation.
        conversation: ConversationId,
        /// Who is asked. Of a queue, the agent who has been idle longest; nobody's place in it is touched.
        to: TransferTarget,
    },
    /// Turn from the consulted party to the customer, or back; the other one hears music.
    SwapConsult {
        /// Which conversation.
        conversation: ConversationId,
    },
    /// Give the customer to the consulted party and leave.
    CompleteConsult {
        /// Which conversation.
        conversation: ConversationId,
    },
    /// Let customer, agent and consulted party talk with each other: a conference. Somebody else joins it by one more consult.
    MergeConsult {
        /// Which conversation.
        conversation: ConversationId,
    },
    /// Let one party of a conference go: the agent of the talk anybody, others themselves. The rest goes on.
    DropParty {
        /// Which conversation.
        conversation: ConversationId,
        /// Whose leg; not the customer's.
        leg: LegId,
    },
    /// Call a supervisor to follow a talk. Agents do that for themselves, when they may supervise.
    Supervise {
        /// Which conversation.
        conversation: ConversationId,
        /// The supervisor whose telephone rings.
        agent: AgentId,
        /// What the supervisor takes part in.
        #[serde(default)]
        mode: SupervisionMode,
    },
    /// Listen, whisper and barge, in any order.
    ChangeSupervision {
        /// Which conversation.
        conversation: ConversationId,
        /// The supervisor.
        agent: AgentId,
        /// What the supervisor takes part in from now on.
        mode: SupervisionMode,
    },
    /// Let the supervisor go.
    EndSupervision {
        /// Which conversation.
        conversation: ConversationId,
        /// The supervisor.
        agent: AgentId,
    },
    /// Let the supervisor have the customer; the agent leaves.
    TakeOver {
        /// Which conversation.
        conversation: ConversationId,
        /// The supervisor.
        agent: AgentId,
    },
    /// Let the consulted party go, and go back to the customer.
    CancelConsult {
        /// Which conversation.
        conversation: ConversationId,
    },
    /// Say which language the customer speaks; it holds for every queue entered from now on, and `None` for none in particular.
    SetLanguage {
        /// Which conversation.
        conversation: ConversationId,
        /// A BCP 47 tag such as `de` or `en-GB`.
        language: Option<String>,
    },
    /// Serve a waiting customer sooner or later than others. Not for agents.
    SetPriority {
        /// Which conversation.
        conversation: ConversationId,
        /// For the present stay in its queue, 0 to [`crate::limits::PRIORITY_MAX`].
        priority: u8,
    },
    /// Let a queue take nobody; who waits already is served.
    CloseQueue {
        /// Which queue.
        queue: QueueId,
        /// For people.
        reason: String,
        /// When it opens by itself.
        #[serde(default)]
        until: Option<Timestamp>,
    },
    /// Undo `CloseQueue`.
    OpenQueue {
        /// Which queue.
        queue: QueueId,
    },
    /// Tell everybody who waits in or comes to a queue something first; `None` takes it back.
    SetNotice {
        /// Which queue.
        queue: QueueId,
        /// What is told.
        notice: Option<Prompt>,
    },
    /// Call somebody back from a queue.
    RequestCallback {
        /// Which queue.
        queue: QueueId,
        /// Who.
        party: Party,
        /// When it stands in line; `None` = from now on.
        #[serde(default)]
        at: Option<Timestamp>,
        /// Overrides the queue's priority.
        #[serde(default)]
        priority: Option<u8>,
        /// The customer's language, as a BCP 47 tag.
        #[serde(default)]
        language: Option<String>,
    },
    /// Call nobody back after all.
    CancelCallback {
        /// Which callback.
        callback: CallbackId,
    },
    /// Call back at another time.
    RescheduleCallback {
        /// Which callback.
        callback: CallbackId,
        /// When it stands in line; `None` = from now on.
        #[serde(default)]
        at: Option<Timestamp>,
    },
    /// Say whether a message has been taken care of.
    MarkMessage {
        /// Which message.
        message: MessageId,
        /// Its new state.
        state: MessageState,
    },
    /// Forget a message.
    DeleteMessage {
        /// Which message.
        message: MessageId,
    },
    /// Record the conversation from now on.
    StartRecording {
        /// Which conversation.
        conversation: ConversationId,
    },
    /// Record nothing for a while.
    PauseRecording {
        /// Which conversation.
        conversation: ConversationId,
        /// Something is said that must not be recorded: the pause ends by itself, after `at_most` or with the talk.
        #[serde(default)]
        secure: bool,
        /// How long at most; a secure pause has a limit even when none is given.
        #[serde(default)]
        at_most: Option<Millis>,
    },
    /// Record again.
    ResumeRecording {
        /// Which conversation.
        conversation: ConversationId,
    },
    /// Record no more of this conversation.
    StopRecording {
        /// Which conversation.
        conversation: ConversationId,
    },
    /// Let the offered agent refuse the present offer.
    Decline {
        /// Whose offer.
        agent: AgentId,
    },
    /// Leave the conversation as its agent: ends it for the customer too.
    HangUp {
        /// Which conversation.
        conversation: ConversationId,
    },
    /// Let somebody who writes, or work of another system, wait in a queue. Not for agents.
    OpenWritten {
        /// What it is, and what it asks for.
        letter: Box<Letter>,
    },
    /// Take what is offered, or what waits in a queue the agent works for.
    TakeWritten {
        /// Which conversation.
        conversation: ConversationId,
        /// Who takes it.
        agent: AgentId,
    },
    /// Do not take what is offered.
    DeclineWritten {
        /// Which conversation.
        conversation: ConversationId,
        /// Whose offer.
        agent: AgentId,
    },
    /// Let it wait in a queue: another one, or the same again for somebody else.
    MoveWritten {
        /// Which conversation.
        conversation: ConversationId,
        /// Which queue; `None` is the one it is in or was in last.
        #[serde(default)]
        queue: Option<QueueId>,
        /// The agent who is waited for first.
        #[serde(default)]
        preferred: Option<Preferred>,
    },
    /// It is done, or the customer is gone.
    CloseWritten {
        /// Which conversation.
        conversation: ConversationId,
        /// The customer ended it.
        #[serde(default)]
        by_customer: bool,
        /// What became of it; one of the queue's codes.
        #[serde(default)]
        disposition: Option<String>,
    },
    /// Finish the notes about it.
    FinishWritten {
        /// Which conversation.
        conversation: ConversationId,
        /// What became of it; one of the queue's codes.
        #[serde(default)]
        disposition: Option<String>,
    },
    /// Open or close against the clock, or let the clock decide again. Not for agents.
    SetHoursOverride {
        /// Which opening hours.
        hours: HoursId,
        /// How.
        to: Switch,
    },
}

/// Where a transfer goes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", content = "id", rename_all = "snake_case")]
pub enum TransferTarget {
    /// Another queue, or the same again.
    Queue(QueueId),
    /// A certain agent.
    Agent(AgentId),
    /// A telephone number outside.
    Number(String),
    /// A person of the organization, by sign-in name (`name@domain`); not an agent of ours.
    Person(String),
}

impl TransferTarget {
    /// The endpoint of a target that is called outside of queues and agents.
    pub fn as_endpoint(&self) -> Option<Endpoint> {
        match self {
            TransferTarget::Number(number) => Some(Endpoint::Number(number.clone())),
            TransferTarget::Person(name) => Some(Endpoint::Person(name.clone())),
            TransferTarget::Queue(_) | TransferTarget::Agent(_) => None,
        }
    }
}
