//! Waiting lines: what they are set up with, and how a stay in one can end.

mod agents;
mod calls;
mod request;
mod routing;
mod waiting;

pub use agents::{AgentRules, Disposition, MissRules, OnMiss, WrapUpRules};
pub use calls::{CallRules, ConsultDrop};
pub use request::{Preferred, Request, Terms, Waited};
pub use routing::{Aging, Ring, RoutingRules};
pub use waiting::{Announcements, Closed, Condition, Estimate, OverflowRule, Pace, WaitingRules};

use crate::{
    callback::CallbackRules,
    ids::{AgentId, ConversationId, QueueId, SkillId, VisitId},
    output::Prompt,
    time::{Millis, Timestamp},
    voicemail::MailboxRules,
    written::WrittenRules,
};
use serde::{Deserialize, Serialize};
use std::{
    cmp::{Ordering, Reverse},
    collections::BTreeSet,
};

/// What an administrator sets up.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Settings {
    /// Which queue.
    pub id: QueueId,
    /// Shown to people; unique in the tenant.
    pub name: String,
    /// Skills every agent needs to be offered a visit of this queue.
    #[serde(default)]
    pub skills: Vec<SkillRequirement>,
    /// Priority of visits that bring none of their own: 0 to [`crate::limits::PRIORITY_MAX`], higher is served first.
    #[serde(default = "defaults::priority")]
    pub priority: u8,
    /// How long an offer rings.
    #[serde(default = "defaults::ring")]
    pub ring: Millis,
    /// What callers hear while they wait.
    #[serde(default = "defaults::hold_music")]
    pub hold_music: Prompt,
    /// What the agent's time after a conversation is.
    #[serde(default)]
    pub wrap_up: Allowance,
    /// Whether and from when conversations are recorded.
    #[serde(default)]
    pub recording: RecordingPolicy,
    /// The promise by which service level is measured.
    #[serde(default)]
    pub service_level: ServiceLevel,
    /// Callers who leave within this time were not yet customers of the queue (short abandons).
    #[serde(default = "defaults::short_abandon")]
    pub short_abandon: Millis,
    /// How many may wait; the next is refused. At most [`crate::limits::WAITING_PER_QUEUE`].
    #[serde(default = "defaults::max_waiting")]
    pub max_waiting: u32,
    /// How long one may wait; then the conversation ends. `None` = as long as the caller stays.
    #[serde(default)]
    pub max_wait: Option<Millis>,
    /// Rules for what happens during a call.
    #[serde(default)]
    pub calls: Box<CallRules>,
    /// How agents are chosen, and how visits take turns.
    #[serde(default)]
    pub routing: RoutingRules,
    /// Rules for those who wait.
    #[serde(default)]
    pub waiting: Box<WaitingRules>,
    /// How messages for everybody in it are taken.
    #[serde(default)]
    pub voicemail: Box<MailboxRules>,
    /// Rules for its agents.
    #[serde(default)]
    pub agents: Box<AgentRules>,
    /// How customers are called back.
    #[serde(default)]
    pub callbacks: CallbackRules,
    /// Rules for those who write.
    #[serde(default)]
    pub written: WrittenRules,
}

impl Settings {
    /// A queue that asks for nothing special: the defaults of every field.
    pub fn new(id: QueueId, name: &str) -> Settings {
        Settings {
            id,
            name: name.to_owned(),
            skills: Vec::new(),
            priority: defaults::priority(),
            ring: defaults::ring(),
            hold_music: defaults::hold_music(),
            wrap_up: Allowance::default(),
            recording: RecordingPolicy::default(),
            service_level: ServiceLevel::default(),
            short_abandon: defaults::short_abandon(),
            max_waiting: defaults::max_waiting(),
            max_wait: None,
            calls: Box::default(),
            routing: RoutingRules::default(),
            waiting: Box::default(),
            voicemail: Box::default(),
            agents: Box::default(),
            callbacks: CallbackRules::default(),
            written: WrittenRules::default(),
        }
    }
}

/// A skill and the least level of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct SkillRequirement {
    /// Which skill.
    pub skill: SkillId,
    /// At least this level, 1 to [`crate::limits::SKILL_LEVEL_MAX`].
    #[serde(default = "defaults::level")]
    pub level: u8,
}

/// How long an agent may finish notes before the next offer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Allowance {
    /// No wrap-up: routable at once.
    #[default]
    None,
    /// Ends by itself after `duration`; the agent may end it earlier.
    Timed {
        /// How long.
        duration: Millis,
    },
    /// Ends when the agent (or a supervisor) says so, and at the latest after [`WrapUpRules::longest`].
    UntilFinished,
}

/// Whether and from when a queue's conversations are recorded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RecordingPolicy {
    /// Not at all: the default, since recording needs a legal ground.
    #[default]
    Off,
    /// From the moment customer and agent hear each other.
    FromAnswer,
    /// From the moment the customer enters the queue.
    FromQueue,
}

/// "`target` of the offered visits answered within `within`".
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct ServiceLevel {
    /// Share, 0 to 1.
    pub target: f64,
    /// Waiting time that still counts as served in time.
    pub within: Millis,
}

impl Default for ServiceLevel {
    /// 80 % within 20 s, the most common promise in the field.
    fn default() -> Self {
        ServiceLevel { target: 0.8, within: Millis::from_secs(20) }
    }
}

/// How a visit ended. Offered = answered + abandoned + flow-out, per queue and interval of the visit's end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Outcome {
    /// An agent took it.
    Answered,
    /// The caller left.
    Abandoned {
        /// Within the queue's short-abandon time.
        short: bool,
    },
    /// It left the queue without agent and without the caller's doing.
    FlowOut {
        /// How.
        reason: FlowOutReason,
    },
}

/// Ways out of a queue other than an agent or the caller's patience.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FlowOutReason {
    /// Moved by a person.
    Transferred,
    /// Longest wait exceeded.
    MaxWait,
    /// The queue was removed.
    QueueRemoved,
    /// Ended by a failure or restart of ours.
    Failure,
    /// Ended by a supervisor or administrator.
    Ended,
    /// Too many waited already.
    Overlong,
    /// Led away by rule after a certain wait.
    TimedOut,
    /// The likely wait was too long.
    EstimatedWait,
    /// Nobody was at work who serves the queue.
    NoAgents,
    /// The queue was closed.
    Closed,
    /// The customer pressed a key that leads out.
    Key,
    /// Led by rule or key to a mailbox; [`crate::Event::VisitOverflowed`] says why.
    Voicemail,
    /// Is going to be called back instead, or was asked for it.
    Callback,
}

/// A visit's place in the order of service of its queue: higher priority first, then the longer wait; where priority grows
/// with waiting, the visits that age come after those above its reach, in the order that [`Aging`] explains.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Turn {
    /// Of the visit.
    pub priority: u8,
    /// When the visit began, or since when its place was kept.
    pub enqueued_at: Timestamp,
    /// Decides between visits of the same millisecond.
    pub visit: VisitId,
    /// Who waits.
    pub conversation: ConversationId,
    /// The key of a visit whose priority grows.
    #[serde(default)]
    pub aged: Option<i64>,
}

impl Turn {
    /// Visits that age differ by their key alone, which holds their priority already.
    fn key(&self) -> (Option<i64>, Reverse<u8>, Timestamp, VisitId, ConversationId) {
        let priority = if self.aged.is_some() { 0 } else { self.priority };
        (self.aged, Reverse(priority), self.enqueued_at, self.visit, self.conversation)
    }
}

impl Ord for Turn {
    fn cmp(&self, other: &Self) -> Ordering {
        self.key().cmp(&other.key())
    }
}

impl PartialOrd for Turn {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// One queue's present state.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Queue {
    /// As set up.
    pub settings: Settings,
    /// Everybody in it, first to be served first; those to whom an agent's telephone rings included.
    pub waiting: BTreeSet<Turn>,
    /// The agent to whom it made its last offer; round robin goes on after that one.
    #[serde(default)]
    pub last_offered: Option<AgentId>,
    /// Closed by somebody.
    #[serde(default)]
    pub closed: Option<Closed>,
    /// Since when nobody has been on duty who serves it; `None` while somebody is, or as long as nobody ever looked.
    #[serde(default)]
    pub deserted_since: Option<Timestamp>,
    /// How fast it serves.
    #[serde(default)]
    pub pace: Pace,
    /// Told to everybody who waits or comes: an emergency, say.
    #[serde(default)]
    pub notice: Option<Prompt>,
    /// How many of those in it are callbacks.
    #[serde(default)]
    pub callbacks: u32,
    /// Everybody in it who writes, first to be served first; no caller's position counts them.
    #[serde(default)]
    pub written: BTreeSet<Turn>,
}

impl Queue {
    /// One in which nobody waits yet.
    pub fn new(settings: Settings) -> Queue {
        let (waiting, last_offered, closed, deserted_since, pace, notice, callbacks, written) = Default::default();
        Queue { settings, waiting, last_offered, closed, deserted_since, pace, notice, callbacks, written }
    }

    /// Whether a rule says where callers go while it is closed.
    pub fn leads_on_when_closed(&self) -> bool {
        self.settings.waiting.overflow.iter().any(|rule| rule.when == Condition::Closed)
    }

    /// Whether one more may come when `coming` are already on their way: to wait, or to be led on by a rule for long queues.
    pub fn takes_one_more(&self, coming: usize) -> bool {
        let length = |rule: &OverflowRule| matches!(rule.when, Condition::Length { .. });
        self.has_room_beside(coming) || self.settings.waiting.overflow.iter().any(length)
    }

    /// Whether one more may wait when `coming` are already on their way.
    pub fn has_room_beside(&self, coming: usize) -> bool {
        // Callbacks have a limit of their own, and take no line from anybody.
        self.waiting.len() - (self.callbacks as usize).min(self.waiting.len()) + coming
            < self.settings.max_waiting.min(crate::limits::WAITING_PER_QUEUE) as usize
    }
}

mod defaults {
    use super::{Millis, Prompt};

    pub fn priority() -> u8 {
        50
    }
    pub fn level() -> u8 {
        1
    }
    pub fn ring() -> Millis {
        Millis::from_secs(20)
    }
    pub fn short_abandon() -> Millis {
        Millis::from_secs(5)
    }
    pub fn max_waiting() -> u32 {
        200
    }
    pub fn hold_music() -> Prompt {
        Prompt::Music
    }
}
