//! A conversation as it is at present, and what of it is open: visit, offer, talk, transfer.
//!
//! Where the customer is, is said by the open segment alone; the options beside it hold what that place needs.

use super::{Consult, Direction, Hearing, Leg, Member, SegmentKind, Supervision, Termination};
use crate::{
    callback::KeptPlace,
    callers::Treatment,
    config::Target,
    endpoint::{Line, Party},
    flow::Run,
    ids::{
        ActionId, AgentId, CallbackId, CallerListId, ConversationId, LegId, MessageId, NumberId, OfferId, QueueId, RecordingId, VisitId,
    },
    input::{Actor, TransferTarget},
    limits::LEGS_PER_CONVERSATION,
    queue::{self, Estimate, Preferred, Request, SkillRequirement, Terms, Turn},
    time::{Millis, Timestamp},
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// One customer request, from arrival until its last leg has ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Conversation {
    /// Which.
    pub id: ConversationId,
    /// The line the customer is on.
    pub line: Line,
    /// Who called whom.
    pub direction: Direction,
    /// The customer, as the network says.
    pub caller: Party,
    /// What was dialed.
    pub dialed: String,
    /// The number document that was dialed.
    pub number: Option<NumberId>,
    /// Where the number led when the conversation began.
    pub target: Option<Target>,
    /// Skills the number asked for on top of any queue's.
    pub skills: Vec<SkillRequirement>,
    /// Priority the number gave.
    pub priority: Option<u8>,
    /// The language spoken with the customer, as far as a number or flow has said.
    #[serde(default)]
    pub language: Option<String>,
    /// The agent the number prefers.
    #[serde(default)]
    pub preferred: Option<Preferred>,
    /// The list of callers that decides about it, and what the list said when it began.
    #[serde(default)]
    pub listed: Option<Box<Listed>>,
    /// When it began.
    pub started_at: Timestamp,
    /// The customer's leg; `None` only between two events of the same instant.
    pub customer: Option<LegId>,
    /// Legs that have not ended, the customer's first as long as it lives.
    pub legs: Vec<Leg>,
    /// Where the customer is; `None` once the customer has left.
    pub segment: Option<Segment>,
    /// The prompt that plays once to the customer; what follows its end depends on the place. Formerly the greeting alone.
    #[serde(alias = "greeting")]
    pub playing: Option<ActionId>,
    /// The way through a call flow.
    #[serde(default)]
    pub run: Option<Box<Run>>,
    /// Times it has entered a flow.
    #[serde(default)]
    pub flows: u8,
    /// The stay in a queue.
    pub visit: Option<Visit>,
    /// The agent's telephone that rings.
    pub offer: Option<Offer>,
    /// Further agents' telephones that ring for the same visit, where a queue asks several at once. Empty without `offer`.
    #[serde(default)]
    pub also: Vec<Offer>,
    /// The party the customer talks to.
    pub talk: Option<Talk>,
    /// The hand-over under way.
    pub transfer: Option<Transfer>,
    /// Whom the agent of the talk asks meanwhile.
    #[serde(default)]
    pub consult: Option<Consult>,
    /// The callback it is for, until the customer is connected: it stands in line without one.
    #[serde(default)]
    pub callback: Option<CallbackId>,
    /// The agent who calls the customer back.
    #[serde(default)]
    pub dialing: Option<Dialing>,
    /// The number to be called back is asked for.
    #[serde(default)]
    pub asking: Option<Asking>,
    /// The place in line that a callback would keep.
    #[serde(default)]
    pub kept_place: Option<KeptPlace>,
    /// The message the customer is leaving.
    #[serde(default)]
    pub message: Option<MessageId>,
    /// Who takes part in the talk beside customer and other party: it is a conference.
    #[serde(default)]
    pub members: Vec<Member>,
    /// Who follows the talk, or is called for that.
    #[serde(default)]
    pub supervisors: Vec<Supervision>,
    /// What its line was last told as a whole about who hears whom; `None` once it was told something about one or two legs.
    #[serde(default)]
    pub mixed: Option<Vec<Hearing>>,
    /// The recording under way.
    pub recording: Option<RecordingId>,
    /// Somebody ended the recording by choice: no queue's rule begins another one.
    #[serde(default)]
    pub record_no_more: bool,
    /// Queue of the last visit; where the customer returns to when a transfer fails.
    pub last_queue: Option<QueueId>,
    /// The agent who talked last, and for which queue.
    #[serde(default)]
    pub last_talk: Option<LastTalk>,
    /// The customer is asked how the talk was.
    #[serde(default)]
    pub surveyed: bool,
    /// Visits so far.
    pub visits: u32,
    /// Time in queues, visits that are over.
    #[serde(default)]
    pub waited: Millis,
    /// Times it was led out of a queue by rule.
    #[serde(default)]
    pub overflows: u8,
    /// It hears something for the last time, and is let go like this afterwards.
    #[serde(default)]
    pub farewell: Option<Termination>,
    /// How it is going to have ended, from the moment we began to end it.
    pub ending: Option<Termination>,
}

/// What a list of callers said about a customer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Listed {
    /// Which list.
    pub list: CallerListId,
    /// What becomes of the customer.
    pub treatment: Treatment,
}

/// The open stretch of the customer's time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Segment {
    /// What it is.
    pub kind: SegmentKind,
    /// Since when.
    pub from: Timestamp,
    /// The queue it counts for.
    pub queue: Option<QueueId>,
    /// The agent it counts for.
    pub agent: Option<AgentId>,
}

/// One stay in one queue.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Visit {
    /// Which.
    pub id: VisitId,
    /// In which queue.
    pub queue: QueueId,
    /// Higher is served first.
    pub priority: u8,
    /// Asked of the agent on top of the queue's skills; sorted, each skill once.
    pub skills: Vec<SkillRequirement>,
    /// When it began.
    pub enqueued_at: Timestamp,
    /// What else it goes by.
    #[serde(default)]
    pub terms: Terms,
    /// How many of the queue's rings it has reached.
    #[serde(default)]
    pub ring: u8,
    /// The stage for which it has been said that nobody could be asked, and why; `None` after an offer.
    #[serde(default)]
    pub unserved: Option<(u8, bool)>,
    /// Its key in the order of service, where the queue lets its priority grow.
    #[serde(default)]
    pub aged: Option<i64>,
    /// What the wait was predicted to be when it began.
    #[serde(default)]
    pub estimate: Option<Estimate>,
    /// Announcements so far, and when the last was.
    #[serde(default)]
    pub announced: Option<(u32, Timestamp)>,
    /// The queue's overflow rules that led nowhere, one bit each.
    #[serde(default)]
    pub passed_over: u32,
    /// Agents who did not take it and are not asked again, until when; `None` = not at all.
    #[serde(default)]
    pub missed_by: BTreeMap<AgentId, Option<Timestamp>>,
}

/// One attempt to give the conversation to one agent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Offer {
    /// Which.
    pub id: OfferId,
    /// To whom.
    pub agent: AgentId,
    /// The agent's leg.
    pub leg: LegId,
    /// Whose queue it comes from; `None` for direct calls and transfers to an agent.
    pub queue: Option<QueueId>,
    /// Since when.
    pub made_at: Timestamp,
    /// Then it counts as not answered.
    pub rings_until: Timestamp,
    /// Since when the telephone's answer waits for being confirmed by a key.
    #[serde(default)]
    pub answered_at: Option<Timestamp>,
    /// What the agent is wanted for.
    #[serde(default)]
    pub purpose: Purpose,
}

/// What an offer wants an agent for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Purpose {
    /// To take the customer.
    #[default]
    Serve,
    /// To take the customer, as somebody wished whatever the agent's turn or readiness.
    Pull,
    /// To be asked by the agent who has the customer.
    Consult,
}

/// What a living leg is needed for. A leg that is none of this is being ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// The customer's.
    Customer,
    /// Rings for an offer.
    Offer,
    /// The other party of the talk.
    Talk,
    /// Rings outside, to be given the customer.
    Transfer,
    /// Is consulted, or rings outside for that.
    Consult,
    /// Of the agent who calls the customer back.
    Dialing,
    /// Is in the talk beside customer and other party.
    Member,
    /// Follows the talk, or rings for that.
    Supervisor,
}

/// Customer and another party hearing each other (or the customer held by that one).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Talk {
    /// The other party's leg.
    pub leg: LegId,
    /// Who that is; `None` for somebody outside.
    pub agent: Option<AgentId>,
    /// The queue it came from.
    pub queue: Option<QueueId>,
    /// Since when.
    pub started_at: Timestamp,
    /// Time on hold that is over.
    pub hold: Millis,
    /// Since when the customer is on hold.
    pub held_since: Option<Timestamp>,
}

impl Talk {
    /// Time on hold and time talking, hold left out, up to `now`.
    pub fn durations(&self, now: Timestamp) -> (Millis, Millis) {
        let hold = self.hold + self.held_since.map(|since| now.since(since)).unwrap_or_default();
        (now.since(self.started_at) - hold, hold)
    }
}

/// A talk with an agent that is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LastTalk {
    /// With whom.
    pub agent: AgentId,
    /// The queue it came from.
    pub queue: Option<QueueId>,
}

/// An agent who hears a customer's telephone ring.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dialing {
    /// Who.
    pub agent: AgentId,
    /// The agent's leg.
    pub leg: LegId,
    /// For which queue.
    pub queue: Option<QueueId>,
}

/// A customer who is asked for the number to be called back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Asking {
    /// From which queue.
    pub queue: QueueId,
    /// What has been typed.
    pub digits: String,
}

/// A hand-over that has begun and not yet succeeded or failed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Transfer {
    /// To whom.
    pub to: TransferTarget,
    /// On whose behalf.
    pub by: Actor,
    /// The agent who had the customer.
    #[serde(default)]
    pub from: Option<AgentId>,
    /// The leg to a party outside.
    pub leg: Option<LegId>,
    /// Since when.
    pub started_at: Timestamp,
}

impl Conversation {
    /// One of its legs that has not ended.
    pub fn leg(&self, id: LegId) -> Option<&Leg> {
        self.legs.iter().find(|leg| leg.id == id)
    }

    pub(crate) fn leg_mut(&mut self, id: LegId) -> Option<&mut Leg> {
        self.legs.iter_mut().find(|leg| leg.id == id)
    }

    /// The customer's leg, as long as it lives.
    pub fn customer_leg(&self) -> Option<&Leg> {
        self.customer.and_then(|id| self.leg(id))
    }

    /// What the customer's time is spent with; `None` once the customer has left.
    pub fn place(&self) -> Option<SegmentKind> {
        self.segment.map(|segment| segment.kind)
    }

    /// Whether the customer has left; only other legs' ends are awaited.
    pub fn is_over(&self) -> bool {
        self.segment.is_none()
    }

    /// Every agent's telephone that rings for it.
    pub fn offers(&self) -> impl Iterator<Item = &Offer> {
        self.offer.iter().chain(&self.also)
    }

    /// The offer for which this leg rings.
    pub fn offer_over(&self, leg: LegId) -> Option<&Offer> {
        self.offers().find(|offer| offer.leg == leg)
    }

    /// What one of its legs is needed for.
    pub fn part_of(&self, leg: LegId) -> Option<Part> {
        self.parts().find(|(wanted, _)| *wanted == leg).map(|(_, part)| part)
    }

    /// Every leg that is needed, with what for.
    pub fn parts(&self) -> impl Iterator<Item = (LegId, Part)> + '_ {
        let one = |leg: Option<LegId>, part: Part| leg.map(|leg| (leg, part)).into_iter();
        one(self.customer, Part::Customer)
            .chain(self.offers().map(|offer| (offer.leg, Part::Offer)))
            .chain(one(self.talk.as_ref().map(|talk| talk.leg), Part::Talk))
            .chain(one(self.transfer.as_ref().and_then(|transfer| transfer.leg), Part::Transfer))
            .chain(one(self.consult.as_ref().and_then(|consult| consult.leg), Part::Consult))
            .chain(one(self.dialing.as_ref().map(|dialing| dialing.leg), Part::Dialing))
            .chain(self.members.iter().map(|member| (member.leg, Part::Member)))
            .chain(self.supervisors.iter().map(|one| (one.leg, Part::Supervisor)))
    }

    /// Whether it waits for an agent and could be given one now.
    pub fn wants_agent(&self) -> bool {
        self.visit.is_some() && self.offer.is_none() && self.legs.len() < LEGS_PER_CONVERSATION
    }

    /// The queue that is consulted and of which nobody has been found yet; `None` also while there is no room for a leg.
    pub fn consulted_queue(&self) -> Option<QueueId> {
        let consult = self.consult.as_ref().filter(|consult| consult.leg.is_none() && self.offer.is_none())?;
        match consult.to {
            TransferTarget::Queue(queue) if self.legs.len() < LEGS_PER_CONVERSATION => Some(queue),
            _ => None,
        }
    }

    /// What it asks for in any queue, as its number and flow have said.
    pub fn request(&self) -> Request {
        let mut skills = self.skills.clone();
        let (mut preferred, mut least_priority) = (self.preferred, 0);
        if let Some(Treatment::Favor { priority, skills: more, preferred: other }) = self.listed.as_deref().map(|listed| &listed.treatment)
        {
            skills.extend(more);
            preferred = other.or(preferred);
            least_priority = *priority;
        }
        Request {
            priority: self.priority,
            least_priority,
            skills,
            preferred,
            language: self.language.clone(),
            in_line_since: None,
            returning: false,
        }
    }

    /// Whether the customer is not let in; some hear why before they are let go.
    pub fn is_blocked(&self) -> bool {
        self.listed.as_ref().is_some_and(|listed| matches!(listed.treatment, Treatment::Block { .. }))
    }

    /// Its place in the order of service, while it waits.
    pub fn turn(&self) -> Option<Turn> {
        self.visit.as_ref().map(|visit| visit.turn(self.id))
    }
}

impl Visit {
    /// One that begins; what the queue adds to it is set by the world.
    pub(crate) fn new(id: VisitId, queue: QueueId, priority: u8, skills: Vec<SkillRequirement>, at: Timestamp, terms: Terms) -> Visit {
        Visit {
            id,
            queue,
            priority,
            skills,
            enqueued_at: at,
            terms,
            ring: 0,
            unserved: None,
            aged: None,
            estimate: None,
            announced: None,
            passed_over: 0,
            missed_by: BTreeMap::new(),
        }
    }

    /// Since when the customer has been in line.
    pub fn in_line_since(&self) -> Timestamp {
        self.terms.in_line_since.unwrap_or(self.enqueued_at)
    }

    /// How far it has come in asking for less: rings reached, and whether it still waits for one agent alone.
    pub fn stage(&self) -> (u8, bool) {
        (self.ring, self.terms.preferred.is_some())
    }

    /// When the next change of what it asks for is due: the end of the wait for one agent, or the next ring. Rings are reached by
    /// the time in line, so that whoever kept an earlier place never asks for more than who stands behind.
    pub fn widens_at(&self, queue: &queue::Settings) -> Option<Timestamp> {
        let ring = queue.routing.rings.get(usize::from(self.ring)).map(|ring| self.in_line_since() + ring.after);
        self.terms.preferred.map(|waited| waited.until).into_iter().chain(ring).min()
    }

    /// When the first of those who are not asked for it may be asked again.
    pub fn asks_again_at(&self) -> Option<Timestamp> {
        self.missed_by.values().flatten().min().copied()
    }

    /// Its place in the order of service.
    pub fn turn(&self, conversation: ConversationId) -> Turn {
        Turn { priority: self.priority, enqueued_at: self.in_line_since(), visit: self.id, conversation, aged: self.aged }
    }
}
