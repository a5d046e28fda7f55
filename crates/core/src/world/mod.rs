//! Everything that is true of a tenant at one moment, and the only way it changes: by applying events.
//!
//! Decides nothing; what happens next is the engine's business. Serializable, so that a snapshot is `serde` of a world.

mod apply;
mod departed;
mod pending;
mod timers;

pub use departed::{Departed, DepartedLeg};
pub use pending::Pending;
pub use timers::{Timer, Timers};

use crate::{
    agent::Agent,
    callback::{Callback, Callbacks},
    callers::CallerList,
    config::{self, Mailbox},
    conversation::{Conversation, Gap, Leg, Pause, Visit},
    endpoint::Line,
    flow::{Editions, Flow},
    hours::{Holidays, Hours, HoursState, Override},
    ids::{
        AgentId, CallbackId, CallerListId, ConversationId, FlowId, HolidaysId, HoursId, LegId, MessageId, NumberId, QueueId, RecordingId,
        ServiceId, SkillId, TenantId,
    },
    output::Prompt,
    queue::Queue,
    time::Timestamp,
    voicemail::{MailboxRules, Message, Messages, OpenMessage},
    written::Written,
};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// One tenant's state.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct World {
    pub(crate) tenant: TenantId,
    pub(crate) version: u64,
    pub(crate) at: Timestamp,
    pub(crate) settings: config::Tenant,
    pub(crate) skills: BTreeMap<SkillId, config::Skill>,
    pub(crate) numbers: BTreeMap<NumberId, config::Number>,
    pub(crate) queues: BTreeMap<QueueId, Queue>,
    pub(crate) agents: BTreeMap<AgentId, Agent>,
    pub(crate) conversations: BTreeMap<ConversationId, Conversation>,
    pub(crate) legs: BTreeMap<LegId, ConversationId>,
    pub(crate) departed: Departed,
    pub(crate) recordings: BTreeMap<RecordingId, OpenRecording>,
    #[serde(default)]
    pub(crate) callbacks: Callbacks,
    #[serde(default)]
    pub(crate) messages: Messages,
    /// Messages that are being left.
    #[serde(default)]
    pub(crate) leaving: BTreeMap<MessageId, OpenMessage>,
    pub(crate) pending: Pending,
    pub(crate) timers: Timers,
    pub(crate) draining: bool,
    /// Sequence number of the last takeover; legs added before it are a former process's.
    pub(crate) took_over: u64,
    #[serde(default)]
    pub(crate) took_over_at: Timestamp,
    /// Conversations with a consult of a queue that nobody has answered yet.
    #[serde(default)]
    pub(crate) queue_consults: BTreeSet<ConversationId>,
    #[serde(default)]
    pub(crate) flows: BTreeMap<FlowId, Editions>,
    #[serde(default)]
    pub(crate) services: BTreeMap<ServiceId, config::Service>,
    #[serde(default)]
    pub(crate) caller_lists: BTreeMap<CallerListId, CallerList>,
    #[serde(default)]
    pub(crate) hours: BTreeMap<HoursId, Hours>,
    #[serde(default)]
    pub(crate) holidays: BTreeMap<HolidaysId, Holidays>,
    #[serde(default)]
    pub(crate) overrides: BTreeMap<HoursId, Override>,
    #[serde(default)]
    pub(crate) written: BTreeMap<ConversationId, Written>,
}

/// A recording that was begun and not yet reported closed; it may outlive its conversation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpenRecording {
    /// What is recorded.
    pub conversation: ConversationId,
    /// Who records.
    pub line: Line,
    /// Since when.
    pub started_at: Timestamp,
    /// It was told to close.
    pub stopping: bool,
    /// Nothing is recorded at present.
    #[serde(default)]
    pub pause: Option<Pause>,
    /// What was not recorded before.
    #[serde(default)]
    pub gaps: Vec<Gap>,
    /// The message it is.
    #[serde(default)]
    pub message: Option<MessageId>,
}

impl World {
    /// A tenant in which nothing ever happened.
    pub fn new(tenant: TenantId) -> World {
        World {
            tenant,
            version: 0,
            at: Timestamp::default(),
            settings: config::Tenant::default(),
            skills: BTreeMap::new(),
            numbers: BTreeMap::new(),
            queues: BTreeMap::new(),
            agents: BTreeMap::new(),
            conversations: BTreeMap::new(),
            legs: BTreeMap::new(),
            departed: Departed::default(),
            recordings: BTreeMap::new(),
            callbacks: Callbacks::default(),
            messages: Messages::default(),
            leaving: BTreeMap::new(),
            pending: Pending::default(),
            timers: Timers::default(),
            draining: false,
            took_over: 0,
            took_over_at: Timestamp::default(),
            queue_consults: BTreeSet::new(),
            flows: BTreeMap::new(),
            services: BTreeMap::new(),
            caller_lists: BTreeMap::new(),
            hours: BTreeMap::new(),
            holidays: BTreeMap::new(),
            overrides: BTreeMap::new(),
            written: BTreeMap::new(),
        }
    }

    /// Whose state this is.
    pub fn tenant(&self) -> TenantId {
        self.tenant
    }

    /// Sequence number of the last event applied; 0 when there was none.
    pub fn version(&self) -> u64 {
        self.version
    }

    /// Time of the last event applied.
    pub fn at(&self) -> Timestamp {
        self.at
    }

    /// Whether new conversations are refused because a process is about to stop.
    pub fn is_draining(&self) -> bool {
        self.draining
    }

    /// The tenant's own settings.
    pub fn settings(&self) -> &config::Tenant {
        &self.settings
    }

    /// All skills.
    pub fn skills(&self) -> impl ExactSizeIterator<Item = &config::Skill> {
        self.skills.values()
    }

    /// One skill.
    pub fn skill(&self, id: SkillId) -> Option<&config::Skill> {
        self.skills.get(&id)
    }

    /// All numbers.
    pub fn numbers(&self) -> impl ExactSizeIterator<Item = &config::Number> {
        self.numbers.values()
    }

    /// One number.
    pub fn number(&self, id: NumberId) -> Option<&config::Number> {
        self.numbers.get(&id)
    }

    /// All queues, each with those who wait in it in the order they are served.
    pub fn queues(&self) -> impl ExactSizeIterator<Item = &Queue> {
        self.queues.values()
    }

    /// One queue.
    pub fn queue(&self, id: QueueId) -> Option<&Queue> {
        self.queues.get(&id)
    }

    /// The conversations in a queue, first to be served first.
    pub fn waiting(&self, queue: QueueId) -> impl Iterator<Item = &Conversation> {
        self.queues.get(&queue).into_iter().flat_map(|queue| &queue.waiting).filter_map(|turn| self.conversations.get(&turn.conversation))
    }

    /// All agents.
    pub fn agents(&self) -> impl ExactSizeIterator<Item = &Agent> {
        self.agents.values()
    }

    /// One agent.
    pub fn agent(&self, id: AgentId) -> Option<&Agent> {
        self.agents.get(&id)
    }

    /// All published flows with their versions.
    pub fn flows(&self) -> impl Iterator<Item = (FlowId, u32, &Flow)> {
        self.flows.iter().filter_map(|(id, editions)| editions.published().map(|(version, flow)| (*id, version, flow)))
    }

    /// A published flow and its version.
    pub fn flow(&self, id: FlowId) -> Option<(u32, &Flow)> {
        self.flows.get(&id)?.published()
    }

    /// Every version of a flow that somebody needs.
    pub fn editions(&self, id: FlowId) -> Option<&Editions> {
        self.flows.get(&id)
    }

    /// Whether what this customer types now may be private.
    pub fn types_privately(&self, id: ConversationId) -> bool {
        let run = self.conversations.get(&id).and_then(|found| found.run.as_deref());
        let flow = run.and_then(|run| Some((run, self.editions(run.flow)?.edition(run.version)?)));
        flow.is_some_and(|(run, flow)| flow.hears_privately(&run.node))
    }

    /// All services that flows can ask.
    pub fn services(&self) -> impl ExactSizeIterator<Item = &config::Service> {
        self.services.values()
    }

    /// One service that flows can ask.
    pub fn service(&self, id: ServiceId) -> Option<&config::Service> {
        self.services.get(&id)
    }

    /// All lists of callers.
    pub fn caller_lists(&self) -> impl ExactSizeIterator<Item = &CallerList> {
        self.caller_lists.values()
    }

    /// One list of callers.
    pub fn caller_list(&self, id: CallerListId) -> Option<&CallerList> {
        self.caller_lists.get(&id)
    }

    /// All opening hours.
    pub fn hours(&self) -> impl ExactSizeIterator<Item = &Hours> {
        self.hours.values()
    }

    /// Opening hours by their id.
    pub fn hours_of(&self, id: HoursId) -> Option<&Hours> {
        self.hours.get(&id)
    }

    /// How somebody switched opening hours, when somebody did.
    pub fn hours_override(&self, id: HoursId) -> Option<&Override> {
        self.overrides.get(&id)
    }

    /// Whether that is open at a moment, the switch taken into account; nothing when there are no such hours.
    pub fn is_open(&self, id: HoursId, at: Timestamp) -> Option<HoursState> {
        self.hours.get(&id).map(|hours| hours.state_switched(&self.holidays, self.overrides.get(&id), at))
    }

    /// All sets of holidays.
    pub fn holidays(&self) -> impl ExactSizeIterator<Item = &Holidays> {
        self.holidays.values()
    }

    /// One set of holidays.
    pub fn holiday_set(&self, id: HolidaysId) -> Option<&Holidays> {
        self.holidays.get(&id)
    }

    /// All conversations, those included whose customer has left and of which some leg has not ended yet
    /// ([`Conversation::is_over`]); oldest first.
    pub fn conversations(&self) -> impl ExactSizeIterator<Item = &Conversation> {
        self.conversations.values()
    }

    /// One conversation.
    pub fn conversation(&self, id: ConversationId) -> Option<&Conversation> {
        self.conversations.get(&id)
    }

    /// All conversations in writing that are not closed, or about which notes are being finished; oldest first.
    pub fn written(&self) -> impl ExactSizeIterator<Item = &Written> {
        self.written.values()
    }

    /// One conversation in writing.
    pub fn written_of(&self, id: ConversationId) -> Option<&Written> {
        self.written.get(&id)
    }

    /// The stay in a queue of whoever calls or writes.
    pub fn visit(&self, id: ConversationId) -> Option<&Visit> {
        match self.conversations.get(&id) {
            Some(found) => found.visit.as_ref(),
            None => self.written.get(&id)?.visit.as_ref(),
        }
    }

    /// The conversation a living leg belongs to.
    pub fn conversation_of(&self, leg: LegId) -> Option<&Conversation> {
        self.legs.get(&leg).and_then(|id| self.conversations.get(id))
    }

    /// A living leg.
    pub fn leg(&self, id: LegId) -> Option<&Leg> {
        self.conversation_of(id).and_then(|conversation| conversation.leg(id))
    }

    /// Legs that ended lately.
    pub fn departed(&self) -> &Departed {
        &self.departed
    }

    /// Whether a queue takes nobody at this time: closed by hand, or outside its hours.
    pub fn is_closed(&self, queue: &Queue, at: Timestamp) -> bool {
        let outside = |hours| self.is_open(hours, at).is_some_and(|state| !state.open);
        queue.closed.is_some() || queue.settings.waiting.hours.is_some_and(outside)
    }

    /// What somebody hears who is put on hold in this conversation.
    pub fn hold_music(&self, conversation: &Conversation) -> Prompt {
        let queue = conversation.talk.as_ref().and_then(|talk| talk.queue).or(conversation.last_queue);
        queue.and_then(|queue| self.queues.get(&queue)).map_or(Prompt::Music, |queue| queue.settings.hold_music.clone())
    }

    /// Recordings not yet reported closed.
    pub fn recordings(&self) -> impl ExactSizeIterator<Item = (RecordingId, &OpenRecording)> {
        self.recordings.iter().map(|(id, recording)| (*id, recording))
    }

    /// Open callbacks.
    pub fn callbacks(&self) -> &Callbacks {
        &self.callbacks
    }

    /// One of them.
    pub fn callback(&self, id: CallbackId) -> Option<&Callback> {
        self.callbacks.get(id)
    }

    /// Messages that can be heard.
    pub fn messages(&self) -> &Messages {
        &self.messages
    }

    /// One of them.
    pub fn message(&self, id: MessageId) -> Option<&Message> {
        self.messages.get(id)
    }

    /// Messages that are being left, or whose audio is not on disk yet.
    pub fn leaving(&self) -> impl ExactSizeIterator<Item = (MessageId, &OpenMessage)> {
        self.leaving.iter().map(|(id, open)| (*id, open))
    }

    /// How a mailbox takes messages; `None` when its owner is not there (any more).
    pub fn mailbox(&self, mailbox: Mailbox) -> Option<&MailboxRules> {
        match mailbox {
            Mailbox::Queue(id) => self.queues.get(&id).map(|queue| queue.settings.voicemail.as_ref()),
            Mailbox::Agent(id) => self.agents.get(&id).filter(|agent| !agent.retiring).map(|agent| agent.settings.voicemail.as_ref()),
        }
    }

    /// Whether messages of a mailbox are an agent's business: the own, and those of queues the agent serves.
    pub fn may_hear(&self, agent: AgentId, mailbox: Mailbox) -> bool {
        match mailbox {
            Mailbox::Agent(owner) => owner == agent,
            Mailbox::Queue(queue) => self.agents.get(&agent).is_some_and(|agent| agent.settings.queues.contains(&queue)),
        }
    }

    /// Actions not yet answered.
    pub fn pending(&self) -> &Pending {
        &self.pending
    }

    /// All deadlines.
    pub fn timers(&self) -> &Timers {
        &self.timers
    }
}
