//! The present state, as far as somebody may see it.

use crate::{
    api::{
        document::agent::{Channel, Line},
        v1::state::Duty,
    },
    auth::{Permission, Principal},
    limits,
};
use dreiklang_core::{
    World,
    agent::{self, Availability, Occupation},
    conversation::{self, SegmentKind},
    ids::{AgentId, ConversationId, QueueId},
    queue,
    time::Timestamp,
    written::{self, WorkState},
};
use serde::Serialize;
use std::collections::HashMap;
use utoipa::ToSchema;

/// How much somebody may see.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Viewer {
    /// Everything.
    All,
    /// Figures of queues, states of agents, and the conversations of this one.
    Agent(AgentId),
    /// Figures of queues and states of agents.
    Figures,
}

impl Viewer {
    /// What this principal may see.
    pub fn of(principal: &Principal) -> Viewer {
        match principal.agent {
            _ if principal.may(Permission::ReadAnyConversation) => Viewer::All,
            Some(agent) if principal.may(Permission::ReadOwnConversations) => Viewer::Agent(agent),
            _ => Viewer::Figures,
        }
    }

    /// Whether a conversation of these agents is visible.
    pub fn sees(self, agents: &[AgentId]) -> bool {
        match self {
            Viewer::All => true,
            Viewer::Agent(agent) => agents.contains(&agent),
            Viewer::Figures => false,
        }
    }
}

/// The present state of a tenant.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct Snapshot {
    /// The last fact this state contains.
    pub seq: u64,
    /// When it was taken.
    pub at: i64,
    /// New conversations are refused because a process is about to stop.
    pub draining: bool,
    /// Every queue.
    pub queues: Vec<QueueState>,
    /// Every agent.
    pub agents: Vec<AgentState>,
    /// Conversations under way that one may see, oldest first.
    pub conversations: Vec<ConversationState>,
    /// There are more conversations than are shown here.
    pub more_conversations: bool,
}

/// A queue at present.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct QueueState {
    /// Which.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Visits waiting, those to whom a telephone rings included.
    pub waiting: usize,
    /// When the longest waiting visit began.
    pub oldest_enqueued_at: Option<i64>,
    /// Conversations in writing that wait, those that are being offered included.
    pub writing: usize,
    /// When the oldest of them was put there.
    pub oldest_writing_at: Option<i64>,
    /// Agents who serve it and are on duty.
    pub agents_on_duty: usize,
    /// Those of them to whom an offer could be made now.
    pub agents_ready: usize,
    /// Those of them who are talking.
    pub agents_talking: usize,
    /// The promise: waiting time that still counts as served in time.
    pub service_level_within_ms: u64,
    /// The promise: share.
    pub service_level_target: f64,
}

/// An agent at present.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct AgentState {
    /// Which.
    pub id: String,
    /// The name.
    pub name: String,
    /// At work or not.
    pub duty: Duty,
    /// Ready or not.
    pub availability: AvailabilityState,
    /// Availability to take on after the present conversation and its wrap-up.
    pub planned: Option<AvailabilityState>,
    /// Duty to take on after the present conversation and its wrap-up.
    pub planned_duty: Option<Duty>,
    /// Whether a call would get through.
    pub reachable: bool,
    /// Whether an offer could be made now.
    pub routable: bool,
    /// Busy with what.
    pub occupation: OccupationState,
    /// Since when `occupation` is what it is.
    pub occupation_since: i64,
    /// Since when duty and availability are what they are.
    pub state_since: i64,
    /// Ids of the queues the agent serves.
    pub queues: Vec<String>,
    /// Those of them the agent is signed out of.
    pub signed_out: Vec<String>,
    /// The duty profile the agent chose; `null` = all queues.
    pub profile: Option<String>,
    /// Offers missed in a row.
    pub missed: u8,
    /// What became of the present conversation, as far as it was said.
    pub disposition: Option<String>,
    /// The present wrap-up was lengthened already.
    pub wrap_up_extended: bool,
    /// What the agent has to see to in writing.
    pub written: Vec<Work>,
}

/// A conversation in writing that an agent has to see to.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct Work {
    /// Which.
    pub conversation: String,
    /// How the customer writes.
    pub channel: Channel,
    /// `offered` (take or decline it), `open` (answer it) or `wrap_up` (finish notes).
    #[schema(example = "open")]
    pub state: &'static str,
    /// Since when.
    pub since: i64,
    /// When that ends by itself; absent while it is open.
    pub until: Option<i64>,
}

impl Work {
    fn of((id, work): (&ConversationId, &written::Work)) -> Work {
        let (state, until) = match work.state {
            WorkState::Offered { until, .. } => ("offered", Some(until.0)),
            WorkState::Open => ("open", None),
            WorkState::WrapUp { until } => ("wrap_up", Some(until.0)),
        };
        Work { conversation: id.to_string(), channel: work.channel.into(), state, since: work.since.0, until }
    }
}

/// Ready or not.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum AvailabilityState {
    /// Takes conversations.
    Ready,
    /// Does not.
    NotReady {
        /// Why.
        reason: String,
    },
}

/// Busy with what.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum OccupationState {
    /// Nothing.
    Idle,
    /// An offer rings.
    Offered {
        /// Of which conversation.
        conversation: String,
    },
    /// In a conversation.
    Talking {
        /// Which.
        conversation: String,
    },
    /// Asking somebody, or being asked, while a customer is on hold.
    Consulting {
        /// About which conversation.
        conversation: String,
    },
    /// Following the talk of another agent, or called for that.
    Supervising {
        /// Of which conversation.
        conversation: String,
    },
    /// Finishing notes of a conversation.
    WrapUp {
        /// Which.
        conversation: String,
        /// When it ends by itself.
        until: Option<i64>,
    },
}

/// A conversation at present.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct ConversationState {
    /// Which.
    pub id: String,
    /// The line the customer is on.
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
    /// Where the customer is: `set_up`, `greeting`, `queue`, `talk`, `hold`, `transfer`, `ending` or `over`.
    pub place: String,
    /// Since when.
    pub place_since: Option<i64>,
    /// The queue this counts for.
    pub queue: Option<String>,
    /// When the present stay in the queue began.
    pub enqueued_at: Option<i64>,
    /// The agent it is with or offered to.
    pub agent: Option<String>,
    /// It is being recorded.
    pub recording: bool,
}

/// The present state before it is known who looks: read once, shown to many.
#[derive(Clone, Debug)]
pub struct Whole {
    /// Without conversations.
    snapshot: Snapshot,
    /// Those that everybody who sees all is shown, and those that belong to an agent.
    conversations: Vec<Seen>,
    more: bool,
}

#[derive(Clone, Debug)]
struct Seen {
    state: ConversationState,
    agents: Vec<AgentId>,
    /// Among the first, which are shown to those who see all.
    first: bool,
}

impl Whole {
    /// Everything that anybody may see of the world.
    pub fn of(world: &World, now: Timestamp) -> Whole {
        // Owners wait while this is read, so everybody is looked at once.
        let mut occupied: HashMap<ConversationId, Vec<AgentId>> = HashMap::new();
        let mut serving: HashMap<QueueId, Serving> = HashMap::new();
        for agent in world.agents() {
            if let Some(conversation) = occupied_with(agent) {
                occupied.entry(conversation).or_default().push(agent.settings.id);
            }
            for queue in agent.settings.queues.iter().filter(|queue| agent.works_for(**queue)) {
                let serving = serving.entry(*queue).or_default();
                serving.on_duty += usize::from(agent.duty == agent::Duty::OnDuty);
                serving.ready += usize::from(agent.is_routable());
                serving.talking += usize::from(matches!(agent.occupation, Occupation::Talking { .. }));
            }
        }
        let mut conversations = Vec::new();
        for (index, conversation) in world.conversations().enumerate() {
            let first = index < limits::SNAPSHOT_CONVERSATIONS;
            let agents = occupied.remove(&conversation.id).unwrap_or_default();
            if first || !agents.is_empty() {
                conversations.push(Seen { state: ConversationState::of(conversation), agents, first });
            }
        }
        let queues = world.queues().map(|queue| QueueState::of(queue, serving.get(&queue.settings.id).copied().unwrap_or_default()));
        Whole {
            snapshot: Snapshot {
                seq: world.version(),
                at: now.0,
                draining: world.is_draining(),
                queues: queues.collect(),
                agents: world.agents().map(AgentState::of).collect(),
                conversations: Vec::new(),
                more_conversations: false,
            },
            conversations,
            more: world.conversations().len() > limits::SNAPSHOT_CONVERSATIONS,
        }
    }

    /// What somebody may see of it.
    pub fn seen_by(&self, viewer: Viewer) -> Snapshot {
        let mut snapshot = self.snapshot.clone();
        let seen = self.conversations.iter().filter(|seen| if viewer == Viewer::All { seen.first } else { viewer.sees(&seen.agents) });
        snapshot.conversations = seen.map(|seen| seen.state.clone()).collect();
        snapshot.more_conversations = viewer == Viewer::All && self.more;
        snapshot
    }
}

/// Agents of a queue.
#[derive(Clone, Copy, Debug, Default)]
struct Serving {
    on_duty: usize,
    ready: usize,
    talking: usize,
}

/// The agent a conversation is with or offered to.
pub(crate) fn agent_of(conversation: &conversation::Conversation) -> Option<AgentId> {
    conversation.talk.as_ref().and_then(|talk| talk.agent).or(conversation.offer.as_ref().map(|offer| offer.agent))
}

/// The queue the present place of a conversation counts for.
pub(crate) fn queue_of(conversation: &conversation::Conversation) -> Option<QueueId> {
    conversation.visit.as_ref().map(|visit| visit.queue).or(conversation.talk.as_ref().and_then(|talk| talk.queue))
}

/// The conversation an agent is offered, talks in or finishes notes about.
fn occupied_with(agent: &agent::Agent) -> Option<ConversationId> {
    match agent.occupation {
        Occupation::Idle => None,
        Occupation::Offered { conversation, .. }
        | Occupation::Talking { conversation }
        | Occupation::Consulting { conversation }
        | Occupation::Supervising { conversation }
        | Occupation::WrapUp { conversation, .. } => Some(conversation),
    }
}

impl QueueState {
    fn of(queue: &queue::Queue, serving: Serving) -> QueueState {
        let settings = &queue.settings;
        QueueState {
            id: settings.id.to_string(),
            name: settings.name.clone(),
            waiting: queue.waiting.len(),
            oldest_enqueued_at: dreiklang_core::stats::oldest_waiting(queue).map(|since| since.0),
            writing: queue.written.len(),
            oldest_writing_at: queue.written.iter().map(|turn| turn.enqueued_at.0).min(),
            agents_on_duty: serving.on_duty,
            agents_ready: serving.ready,
            agents_talking: serving.talking,
            service_level_within_ms: settings.service_level.within.0,
            service_level_target: settings.service_level.target,
        }
    }
}

impl AgentState {
    /// One agent's.
    pub fn of(agent: &agent::Agent) -> AgentState {
        AgentState {
            id: agent.settings.id.to_string(),
            name: agent.settings.name.clone(),
            duty: agent.duty.into(),
            availability: (&agent.availability).into(),
            planned: agent.planned.as_ref().map(Into::into),
            planned_duty: agent.planned_duty.map(Into::into),
            reachable: agent.reachable,
            routable: agent.is_routable(),
            occupation: match agent.occupation {
                Occupation::Idle => OccupationState::Idle,
                Occupation::Offered { conversation, .. } => OccupationState::Offered { conversation: conversation.to_string() },
                Occupation::Talking { conversation } => OccupationState::Talking { conversation: conversation.to_string() },
                Occupation::Consulting { conversation } => OccupationState::Consulting { conversation: conversation.to_string() },
                Occupation::Supervising { conversation } => OccupationState::Supervising { conversation: conversation.to_string() },
                Occupation::WrapUp { conversation, until, .. } => {
                    OccupationState::WrapUp { conversation: conversation.to_string(), until: until.map(|at| at.0) }
                }
            },
            occupation_since: agent.occupation_since.0,
            state_since: agent.state_since.0,
            queues: agent.settings.queues.iter().map(ToString::to_string).collect(),
            signed_out: agent.signed_out.keys().map(ToString::to_string).collect(),
            profile: agent.profile.clone(),
            missed: agent.missed,
            disposition: agent.disposition.clone(),
            wrap_up_extended: agent.extended,
            written: agent.work.iter().map(Work::of).collect(),
        }
    }
}

impl From<&Availability> for AvailabilityState {
    fn from(availability: &Availability) -> Self {
        match availability {
            Availability::Ready => AvailabilityState::Ready,
            Availability::NotReady { reason } => AvailabilityState::NotReady { reason: reason.clone() },
        }
    }
}

impl ConversationState {
    /// One conversation's.
    pub fn of(conversation: &conversation::Conversation) -> ConversationState {
        ConversationState {
            id: conversation.id.to_string(),
            line: conversation.line.into(),
            direction: crate::metrics::word(&conversation.direction),
            caller_number: conversation.caller.number.clone(),
            caller_name: conversation.caller.name.clone(),
            dialed: conversation.dialed.clone(),
            started_at: conversation.started_at.0,
            place: conversation.place().map_or("over", place_word).to_owned(),
            place_since: conversation.segment.map(|segment| segment.from.0),
            queue: queue_of(conversation).map(|queue| queue.to_string()),
            enqueued_at: conversation.visit.as_ref().map(|visit| visit.enqueued_at.0),
            agent: agent_of(conversation).map(|agent| agent.to_string()),
            recording: conversation.recording.is_some(),
        }
    }
}

/// Where a customer is, in a word.
pub fn place_word(kind: SegmentKind) -> &'static str {
    match kind {
        SegmentKind::SetUp => "set_up",
        SegmentKind::Greeting => "greeting",
        SegmentKind::Flow => "flow",
        SegmentKind::Queue => "queue",
        SegmentKind::Talk => "talk",
        SegmentKind::Hold => "hold",
        SegmentKind::Transfer => "transfer",
        SegmentKind::Voicemail => "voicemail",
        SegmentKind::Callback => "callback",
        SegmentKind::Dialing => "dialing",
        SegmentKind::Ending => "ending",
    }
}
