//! People who take conversations: what they are set up with, and the four layers of their state.
//!
//! Duty (at work or not), availability (ready or not, chosen), occupation (computed) and reachability (told by the line) are
//! kept apart, because mixing them is how contact centers get agents that are stuck.

use crate::{
    endpoint::{Endpoint, Line},
    ids::{AgentId, ConversationId, LegId, OfferId, QueueId, SkillId},
    output::Prompt,
    queue::SkillRequirement,
    time::Timestamp,
    voicemail::MailboxRules,
    written::{Channel, Share, Work},
};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// What an administrator sets up.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settings {
    /// Which agent.
    pub id: AgentId,
    /// Shown to people; unique in the tenant.
    pub name: String,
    /// The line the agent is reached over.
    pub line: Line,
    /// What rings when a conversation is offered.
    pub endpoint: Endpoint,
    /// Queues the agent serves.
    #[serde(default)]
    pub queues: BTreeSet<QueueId>,
    /// Skills with their levels, 1 to [`crate::limits::SKILL_LEVEL_MAX`].
    #[serde(default)]
    pub skills: BTreeMap<SkillId, u8>,
    /// Languages as BCP 47 tags with their levels, 1 to [`crate::limits::SKILL_LEVEL_MAX`].
    #[serde(default)]
    pub languages: BTreeMap<String, u8>,
    /// How messages for this agent are taken.
    #[serde(default)]
    pub voicemail: Box<MailboxRules>,
    /// The queue of callers who want just this agent, among `queues`: direct numbers lead there, and transfers while the agent is
    /// busy. Others who serve it help out.
    #[serde(default)]
    pub personal: Option<QueueId>,
    /// What the agent hears on answering, where the telephone might be answered by a mailbox or somebody else: the conversation
    /// is given only to who presses `1`. `None` gives it at once.
    #[serde(default)]
    pub confirm: Option<Prompt>,
    /// Sets of the queues, by name, between which the agent chooses what to work for.
    #[serde(default)]
    pub profiles: BTreeMap<String, BTreeSet<QueueId>>,
    /// What the agent takes in writing, and how much of it at a time; nothing of channels that are not named.
    #[serde(default)]
    pub channels: BTreeMap<Channel, Share>,
    /// May listen to other agents' talks, whisper, barge in and take over by own wish. (Whoever supervises by other rights may
    /// name anybody.)
    #[serde(default)]
    pub supervises: bool,
}

impl Settings {
    /// An agent who serves no queue yet.
    pub fn new(id: AgentId, name: &str, line: Line, endpoint: Endpoint) -> Settings {
        let (queues, skills, languages, profiles, voicemail, channels) = Default::default();
        let (personal, confirm, supervises) = (None, None, false);
        Settings {
            id,
            name: name.to_owned(),
            line,
            endpoint,
            queues,
            skills,
            languages,
            personal,
            confirm,
            profiles,
            channels,
            supervises,
            voicemail,
        }
    }
}

/// At work or not.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Duty {
    /// Not signed in.
    #[default]
    SignedOut,
    /// Signed in, but not working conversations at present.
    OffDuty,
    /// Working.
    OnDuty,
}

/// Ready or not, as chosen by the agent, or by a rule when offers are missed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum Availability {
    /// Give me conversations.
    Ready,
    /// Do not.
    NotReady {
        /// Why: one of the tenant's codes, or one of [`NotReadyReason`]'s own.
        reason: String,
    },
}

impl Availability {
    /// Not ready for a reason the product itself gives.
    pub fn not_ready(reason: NotReadyReason) -> Availability {
        Availability::NotReady { reason: reason.as_str().to_owned() }
    }
}

/// Reasons given by rules of the product; the tenant's own codes are free texts beside them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotReadyReason {
    /// Just signed in.
    SignedIn,
    /// An offer rang out (RONA).
    NoAnswer,
    /// An offer was declined.
    Declined,
    /// The telephone was busy with something we do not know of.
    Busy,
    /// The telephone could not be reached.
    Unreachable,
}

impl NotReadyReason {
    /// The code as stored and shown.
    pub fn as_str(self) -> &'static str {
        match self {
            NotReadyReason::SignedIn => "signed_in",
            NotReadyReason::NoAnswer => "no_answer",
            NotReadyReason::Declined => "declined",
            NotReadyReason::Busy => "busy",
            NotReadyReason::Unreachable => "unreachable",
        }
    }
}

/// What the agent is busy with; computed, never set.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "state")]
pub enum Occupation {
    /// Nothing.
    #[default]
    Idle,
    /// An offer rings.
    Offered {
        /// Which.
        offer: OfferId,
        /// Of which conversation.
        conversation: ConversationId,
    },
    /// In a conversation.
    Talking {
        /// Which.
        conversation: ConversationId,
    },
    /// Asking somebody while the customer is on hold, or being asked.
    Consulting {
        /// About which conversation.
        conversation: ConversationId,
    },
    /// Following the talk of another agent, or called for that.
    Supervising {
        /// Of which conversation.
        conversation: ConversationId,
    },
    /// Finishing notes of a conversation.
    WrapUp {
        /// Which.
        conversation: ConversationId,
        /// Whose queue it came from.
        queue: Option<QueueId>,
        /// When it ends by itself; `None` = by choice only.
        until: Option<Timestamp>,
    },
}

/// One agent's present state.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Agent {
    /// As set up.
    pub settings: Settings,
    /// At work or not.
    pub duty: Duty,
    /// Ready or not.
    pub availability: Availability,
    /// Availability to take on after the present conversation and its wrap-up.
    pub planned: Option<Availability>,
    /// Duty to take on after the present conversation and its wrap-up.
    #[serde(default)]
    pub planned_duty: Option<Duty>,
    /// Whether a call would get through.
    pub reachable: bool,
    /// Busy with what.
    pub occupation: Occupation,
    /// Since when `occupation` is what it is.
    pub occupation_since: Timestamp,
    /// Since when duty and availability are what they are.
    pub state_since: Timestamp,
    /// Since when the agent has had neither a call nor anything in writing while routable; the measure of "longest idle".
    pub idle_since: Timestamp,
    /// Removed from the configuration while busy: disappears when done.
    pub retiring: bool,
    /// The leg to the agent's telephone, from its dialing to its end. It may outlive the occupation for the moment the line
    /// needs to end it; until then the telephone would be busy for a new offer.
    #[serde(default)]
    pub leg: Option<LegId>,
    /// Conversations taken from queues since signing in.
    #[serde(default)]
    pub taken: u32,
    /// Offers missed in a row: since the last that was taken, or the last change of availability.
    #[serde(default)]
    pub missed: u8,
    /// The code chosen for the conversation that the agent is in or wraps up.
    #[serde(default)]
    pub disposition: Option<String>,
    /// The present wrap-up was lengthened already.
    #[serde(default)]
    pub extended: bool,
    /// Queues among those of the settings for which the agent does not work at present, each with whether a rule said so; then
    /// only until the agent comes to work again.
    #[serde(default)]
    pub signed_out: BTreeMap<QueueId, bool>,
    /// The duty profile chosen last; `None` = all queues.
    #[serde(default)]
    pub profile: Option<String>,
    /// Conversations in writing to see to.
    #[serde(default)]
    pub work: BTreeMap<ConversationId, Work>,
}

impl Agent {
    /// An agent who has never signed in.
    ///
    /// A telephone that signs in is unreachable until its line says otherwise; all others are reachable until it does.
    pub fn new(settings: Settings, now: Timestamp) -> Agent {
        Agent {
            reachable: !matches!(settings.endpoint, Endpoint::Desk(_)),
            settings,
            duty: Duty::SignedOut,
            availability: Availability::not_ready(NotReadyReason::SignedIn),
            planned: None,
            planned_duty: None,
            occupation: Occupation::Idle,
            occupation_since: now,
            state_since: now,
            idle_since: now,
            retiring: false,
            leg: None,
            taken: 0,
            missed: 0,
            disposition: None,
            extended: false,
            signed_out: BTreeMap::new(),
            profile: None,
            work: BTreeMap::new(),
        }
    }

    /// Whether the agent serves this queue and is signed into it.
    pub fn works_for(&self, queue: QueueId) -> bool {
        self.settings.queues.contains(&queue) && !self.signed_out.contains_key(&queue)
    }

    /// Whether the agent has every asked skill at the asked level.
    pub fn has_skills(&self, asked: &[SkillRequirement]) -> bool {
        asked.iter().all(|need| self.settings.skills.get(&need.skill).is_some_and(|level| *level >= need.level))
    }

    /// Whether a call may be offered now: free to be rung and ready, and nothing in writing keeps calls away.
    pub fn is_routable(&self) -> bool {
        self.wants_more() && self.can_be_rung() && !self.is_undisturbed()
    }

    /// Signed in, reachable, idle with a free telephone, and not about to disappear; on duty or not.
    pub fn can_supervise(&self) -> bool {
        self.duty != Duty::SignedOut && self.has_free_telephone()
    }

    /// On duty, reachable, idle with a free telephone, and not about to disappear; ready or not.
    pub fn can_be_rung(&self) -> bool {
        self.duty == Duty::OnDuty && self.has_free_telephone()
    }

    fn has_free_telephone(&self) -> bool {
        self.reachable && self.occupation == Occupation::Idle && self.leg.is_none() && !self.retiring
    }
}
