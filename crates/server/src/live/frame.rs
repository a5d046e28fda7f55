//! Facts as they are told to live clients: text frames `{"v":1,"seq":…,"at":…,"type":…, …}`.
//!
//! A fact is told as it stands in the journal, with two exceptions: wishes to lines are left out, and so is what lines need after a
//! crash. Whoever may not see a conversation does not get its facts, but the figures that change with them: after every fact that
//! changes a queue, a frame `queue` says how many wait. An agent to whom a conversation comes gets a frame `conversation` first, since
//! its earlier facts were none of the agent's business, and a frame `conversation_gone` when it is the agent's no longer.

use super::view::Viewer;
use axum::extract::ws::Utf8Bytes;
use dreiklang_core::{
    Event, Stamped, World,
    agent::Occupation,
    config::{Change, Mailbox},
    conversation::Visit,
    endpoint::{Line, Party},
    ids::{AgentId, ConversationId, QueueId, VisitId},
    routing::OfferOutcome,
    time::Timestamp,
    written::Channel,
};
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// Version of the protocol.
pub const VERSION: u32 = 1;

/// Who gets a frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Audience {
    /// Everybody.
    Everybody,
    /// Those who see everything, and these agents.
    Conversation(Vec<AgentId>),
    /// Those who see everything.
    All,
    /// Only this agent.
    Only(AgentId),
}

/// A frame, written once for everybody.
#[derive(Clone, Debug, PartialEq)]
pub struct Frame {
    /// The fact it belongs to.
    pub seq: u64,
    /// When that happened.
    pub at: Timestamp,
    /// Who gets it.
    pub audience: Audience,
    /// Not a fact itself, but what follows from several.
    pub derived: bool,
    /// What is sent.
    pub text: Utf8Bytes,
}

impl Frame {
    /// Whether this viewer gets it.
    pub fn is_for(&self, viewer: Viewer) -> bool {
        match (&self.audience, viewer) {
            (Audience::Everybody, _) => true,
            (Audience::Only(agent), Viewer::Agent(viewer)) => *agent == viewer,
            (Audience::Only(_), _) => false,
            (Audience::All, viewer) => viewer == Viewer::All,
            (Audience::Conversation(agents), viewer) => viewer.sees(agents),
        }
    }
}

/// What is known of a conversation, to introduce it to an agent.
#[derive(Clone, Debug)]
struct Known {
    about: About,
    started_at: Timestamp,
    queue: Option<QueueId>,
    enqueued_at: Option<Timestamp>,
    agents: BTreeSet<AgentId>,
    /// The customer has left.
    over: bool,
}

impl Known {
    fn is_call(&self) -> bool {
        matches!(self.about, About::Call { .. })
    }
}

/// Who called, or wrote.
#[derive(Clone, Debug)]
enum About {
    Call { line: Line, caller: Party, dialed: String },
    Written { channel: Channel, customer: Party, subject: Option<String>, link: Option<String> },
}

/// Turns facts into frames; remembers what the facts themselves do not say.
#[derive(Clone, Debug, Default)]
pub struct Teller {
    conversations: HashMap<ConversationId, Known>,
    waiting: BTreeMap<QueueId, BTreeMap<VisitId, Timestamp>>,
    /// The same of those who write.
    writing: BTreeMap<QueueId, BTreeMap<VisitId, Timestamp>>,
    /// Who is going to finish notes about what is being closed.
    noting: HashMap<ConversationId, AgentId>,
    /// Whose messages are whose business.
    serving: BTreeMap<AgentId, BTreeSet<QueueId>>,
}

impl Teller {
    /// Knows what the world knows.
    pub fn of(world: &World) -> Teller {
        let mut teller = Teller::default();
        for conversation in world.conversations() {
            let agents = conversation.talk.iter().filter_map(|talk| talk.agent).chain(conversation.offers().map(|offer| offer.agent));
            let known = Known {
                about: About::Call { line: conversation.line, caller: conversation.caller.clone(), dialed: conversation.dialed.clone() },
                started_at: conversation.started_at,
                queue: super::view::queue_of(conversation),
                enqueued_at: conversation.visit.as_ref().map(|visit| visit.enqueued_at),
                agents: agents.collect(),
                over: conversation.is_over(),
            };
            teller.conversations.insert(conversation.id, known);
            if let Some(visit) = &conversation.visit {
                teller.waiting.entry(visit.queue).or_default().insert(visit.id, visit.enqueued_at);
            }
        }
        for written in world.written() {
            let known = Known {
                about: About::Written {
                    channel: written.channel,
                    customer: written.customer.clone(),
                    subject: written.subject.clone(),
                    link: written.link.clone(),
                },
                started_at: written.started_at,
                queue: written.queue(),
                enqueued_at: written.visit.as_ref().map(Visit::in_line_since),
                agents: written.offers.iter().map(|offer| offer.agent).chain(written.agent()).collect(),
                over: written.is_over(),
            };
            teller.conversations.insert(written.id, known);
            if let Some(visit) = &written.visit {
                teller.writing.entry(visit.queue).or_default().insert(visit.id, visit.in_line_since());
            }
        }
        for agent in world.agents() {
            teller.serving.insert(agent.settings.id, agent.settings.queues.clone());
            let known = conversation_of(agent.occupation).and_then(|conversation| teller.conversations.get_mut(&conversation));
            if let Some(known) = known {
                known.agents.insert(agent.settings.id);
            }
        }
        teller
    }

    /// The frames of one fact, in the order they are sent.
    pub fn tell(&mut self, stamped: &Stamped) -> Vec<Frame> {
        let mut frames = Vec::new();
        let touched = self.learn(stamped, &mut frames);
        if let Some(audience) = self.audience(&stamped.event)
            && let Some(text) = fact(stamped)
        {
            frames.push(Frame { seq: stamped.seq, at: stamped.at, audience, derived: false, text });
        }
        if let Some(queue) = touched {
            frames.push(self.queue_frame(stamped, queue));
        }
        self.forget(stamped, &mut frames);
        frames
    }

    /// Remembers what a fact says; returns the queue it changes.
    fn learn(&mut self, stamped: &Stamped, frames: &mut Vec<Frame>) -> Option<QueueId> {
        match &stamped.event {
            Event::ConversationStarted { conversation, line, caller, dialed, .. } => {
                let known = Known {
                    about: About::Call { line: *line, caller: caller.clone(), dialed: dialed.clone() },
                    started_at: stamped.at,
                    queue: None,
                    enqueued_at: None,
                    agents: BTreeSet::new(),
                    over: false,
                };
                self.conversations.insert(*conversation, known);
                None
            }
            Event::VisitStarted { visit, conversation, queue, enqueued_at, .. } => {
                if let Some(known) = self.conversations.get_mut(conversation) {
                    known.queue = Some(*queue);
                    known.enqueued_at = Some(*enqueued_at);
                }
                self.waiting.entry(*queue).or_default().insert(*visit, *enqueued_at);
                Some(*queue)
            }
            Event::VisitEnded { visit, queue, .. } => {
                self.waiting.entry(*queue).or_default().remove(visit);
                Some(*queue)
            }
            Event::OfferMade { conversation, agent, .. } => {
                self.introduce(stamped, *conversation, *agent, frames);
                None
            }
            Event::TalkStarted { conversation, agent: Some(agent), .. }
            | Event::SupervisionStarted { conversation, supervisor: agent, .. } => {
                self.introduce(stamped, *conversation, *agent, frames);
                None
            }
            Event::WrittenOpened { conversation, channel, customer, subject, link, .. } => {
                let (customer, subject, link) = (customer.clone(), subject.clone(), link.clone());
                let known = Known {
                    about: About::Written { channel: *channel, customer, subject, link },
                    started_at: stamped.at,
                    queue: None,
                    enqueued_at: None,
                    agents: BTreeSet::new(),
                    over: false,
                };
                self.conversations.insert(*conversation, known);
                None
            }
            Event::WrittenQueued { visit, conversation, queue, terms, .. } => {
                let since = terms.in_line_since.unwrap_or(stamped.at);
                if let Some(known) = self.conversations.get_mut(conversation) {
                    (known.queue, known.enqueued_at) = (Some(*queue), Some(since));
                }
                self.writing.entry(*queue).or_default().insert(*visit, since);
                Some(*queue)
            }
            Event::WrittenUnqueued { visit, queue, .. } => {
                self.writing.entry(*queue).or_default().remove(visit);
                Some(*queue)
            }
            Event::WrittenOffered { conversation, agent, .. } | Event::WrittenTaken { conversation, agent, .. } => {
                self.introduce(stamped, *conversation, *agent, frames);
                None
            }
            Event::Configured { change: Change::PutAgent(settings) } => {
                self.serving.insert(settings.id, settings.queues.clone());
                None
            }
            Event::Configured { change: Change::RemoveAgent(agent) } => {
                self.serving.remove(agent);
                None
            }
            _ => None,
        }
    }

    /// Who may hear the messages of a mailbox.
    fn hearers(&self, mailbox: Mailbox) -> Vec<AgentId> {
        match mailbox {
            Mailbox::Agent(agent) => vec![agent],
            Mailbox::Queue(queue) => self.serving.iter().filter(|(_, queues)| queues.contains(&queue)).map(|(agent, _)| *agent).collect(),
        }
    }

    fn introduce(&mut self, stamped: &Stamped, conversation: ConversationId, agent: AgentId, frames: &mut Vec<Frame>) {
        let Some(known) = self.conversations.get_mut(&conversation) else { return };
        if !known.agents.insert(agent) {
            return;
        }
        let text = match &known.about {
            About::Call { line, caller, dialed } => json!({
                "v": VERSION, "seq": stamped.seq, "at": stamped.at, "type": "conversation",
                "conversation": conversation, "line": line, "caller": caller, "dialed": dialed,
                "started_at": known.started_at, "queue": known.queue, "enqueued_at": known.enqueued_at,
            }),
            About::Written { channel, customer, subject, link } => json!({
                "v": VERSION, "seq": stamped.seq, "at": stamped.at, "type": "written",
                "conversation": conversation, "channel": channel, "customer": customer, "subject": subject, "link": link,
                "started_at": known.started_at, "queue": known.queue, "enqueued_at": known.enqueued_at,
            }),
        };
        frames.push(Frame {
            seq: stamped.seq,
            at: stamped.at,
            audience: Audience::Only(agent),
            derived: true,
            text: text.to_string().into(),
        });
    }

    fn queue_frame(&self, stamped: &Stamped, queue: QueueId) -> Frame {
        let of = |line: &BTreeMap<QueueId, BTreeMap<VisitId, Timestamp>>| {
            line.get(&queue).map_or((0, None), |waiting| (waiting.len(), waiting.values().min().copied()))
        };
        let ((waiting, oldest), (writing, oldest_writing)) = (of(&self.waiting), of(&self.writing));
        let text = json!({
            "v": VERSION, "seq": stamped.seq, "at": stamped.at, "type": "queue",
            "queue": queue, "waiting": waiting, "oldest_enqueued_at": oldest,
            "writing": writing, "oldest_writing_at": oldest_writing,
        });
        Frame { seq: stamped.seq, at: stamped.at, audience: Audience::Everybody, derived: true, text: text.to_string().into() }
    }

    fn audience(&self, event: &Event) -> Option<Audience> {
        let of = |conversation: &ConversationId| {
            let agents = self.conversations.get(conversation).map(|known| known.agents.iter().copied().collect());
            Some(Audience::Conversation(agents.unwrap_or_default()))
        };
        match event {
            // Why an agent was chosen names others: that is asked for where it may be read.
            Event::ActionRequested { .. } | Event::ActionSettled { .. } | Event::Decided { .. } => None,
            Event::Configured { .. } => Some(Audience::All),
            Event::CallbackRequested { queue, .. }
            | Event::CallbackRepeated { queue, .. }
            | Event::CallbackRescheduled { queue, .. }
            | Event::CallbackEnded { queue, .. } => Some(Audience::Conversation(self.hearers(Mailbox::Queue(*queue)))),
            Event::MessageLeft { mailbox, .. } | Event::MessageMarked { mailbox, .. } | Event::MessageDeleted { mailbox, .. } => {
                Some(Audience::Conversation(self.hearers(*mailbox)))
            }
            Event::DutyChanged { .. }
            | Event::AvailabilityChanged { .. }
            | Event::AvailabilityPlanned { .. }
            | Event::DutyPlanned { .. }
            | Event::ReturnPlanned { .. }
            | Event::QueueSignIn { .. }
            | Event::ProfileChosen { .. }
            | Event::ReachabilityChanged { .. }
            | Event::OccupationChanged { .. }
            | Event::PaceMeasured { .. }
            | Event::QueueStaffed { .. }
            | Event::QueueClosed { .. }
            | Event::NoticeChanged { .. }
            | Event::HoursOverridden { .. }
            | Event::TookOver {}
            | Event::DrainChanged { .. } => Some(Audience::Everybody),
            Event::ConversationStarted { conversation, .. }
            | Event::LegAdded { conversation, .. }
            | Event::LegRinging { conversation, .. }
            | Event::LegConnected { conversation, .. }
            | Event::LegHeld { conversation, .. }
            | Event::LegEnded { conversation, .. }
            | Event::LegMeasured { conversation, .. }
            | Event::SegmentClosed { conversation, .. }
            | Event::VisitStarted { conversation, .. }
            | Event::VisitEnded { conversation, .. }
            | Event::OfferMade { conversation, .. }
            | Event::OfferEnded { conversation, .. }
            | Event::OfferAnswered { conversation, .. }
            | Event::AgentPassedOver { conversation, .. }
            | Event::AgentsAskedAgain { conversation, .. }
            | Event::DispositionSet { conversation, .. }
            | Event::TalkStarted { conversation, .. }
            | Event::TalkEnded { conversation, .. }
            | Event::HoldStarted { conversation, .. }
            | Event::HoldEnded { conversation, .. }
            | Event::VisitEstimated { conversation, .. }
            | Event::EstimateMeasured { conversation, .. }
            | Event::VisitOverflowed { conversation, .. }
            | Event::OverflowPassedOver { conversation, .. }
            | Event::Announced { conversation, .. }
            | Event::FarewellStarted { conversation, .. }
            | Event::VisitPulled { conversation, .. }
            | Event::Requeued { conversation, .. }
            | Event::FlowEntered { conversation, .. }
            | Event::FlowStepped { conversation, .. }
            | Event::FlowWaiting { conversation, .. }
            | Event::FlowKeyed { conversation, .. }
            | Event::SurveyOffered { conversation, .. }
            | Event::SurveyAnswered { conversation, .. }
            | Event::FlowAskedAgain { conversation, .. }
            | Event::FlowSuspended { conversation, .. }
            | Event::FlowLeft { conversation, .. }
            | Event::LanguageChosen { conversation, .. }
            | Event::CallerListed { conversation, .. }
            | Event::PriorityChanged { conversation, .. }
            | Event::VisitWidened { conversation, .. }
            | Event::TransferStarted { conversation, .. }
            | Event::TransferEnded { conversation, .. }
            | Event::MemberJoined { conversation, .. }
            | Event::MemberLeft { conversation, .. }
            | Event::SupervisionStarted { conversation, .. }
            | Event::SupervisionAnswered { conversation, .. }
            | Event::SupervisionChanged { conversation, .. }
            | Event::SupervisionEnded { conversation, .. }
            | Event::ConsultStarted { conversation, .. }
            | Event::ConsultCalled { conversation, .. }
            | Event::ConsultAnswered { conversation, .. }
            | Event::ConsultTurned { conversation, .. }
            | Event::ConsultEnded { conversation, .. }
            | Event::CallbackOffered { conversation, .. }
            | Event::NumberTyped { conversation, .. }
            | Event::CallbackCalled { conversation, .. }
            | Event::CallbackMissed { conversation, .. }
            | Event::MessageStarted { conversation, .. }
            | Event::MessageDiscarded { conversation, .. }
            | Event::RecordingStarted { conversation, .. }
            | Event::RecordingPaused { conversation, .. }
            | Event::RecordingResumed { conversation, .. }
            | Event::RecordingPauseFailed { conversation, .. }
            | Event::RecordingRefused { conversation, .. }
            | Event::RecordingFinished { conversation, .. }
            | Event::RecordingFailed { conversation, .. }
            | Event::ConversationEnding { conversation, .. }
            | Event::ConversationEnded { conversation, .. }
            | Event::WrapUpStarted { conversation, .. }
            | Event::WrapUpExtended { conversation, .. }
            | Event::WrapUpEnded { conversation, .. }
            | Event::WrittenOpened { conversation, .. }
            | Event::WrittenQueued { conversation, .. }
            | Event::WrittenOffered { conversation, .. }
            | Event::WrittenOfferEnded { conversation, .. }
            | Event::WrittenUnqueued { conversation, .. }
            | Event::WrittenTaken { conversation, .. }
            | Event::WrittenReleased { conversation, .. }
            | Event::WrittenDisposed { conversation, .. }
            | Event::WrittenWrapUpStarted { conversation, .. }
            | Event::WrittenWrapUpEnded { conversation, .. }
            | Event::WrittenClosed { conversation, .. } => of(conversation),
        }
    }

    /// Lets go of what is over, and tells agents what is no longer theirs.
    fn forget(&mut self, stamped: &Stamped, frames: &mut Vec<Frame>) {
        match &stamped.event {
            Event::OfferEnded { conversation, agent, outcome, .. } if *outcome != OfferOutcome::Accepted => {
                self.leave(stamped, *conversation, *agent, frames);
            }
            Event::WrittenOfferEnded { conversation, agent, outcome, .. } if *outcome != OfferOutcome::Accepted => {
                self.leave(stamped, *conversation, *agent, frames);
            }
            // Notes may have to be finished about what is closed.
            Event::WrittenReleased { conversation, agent, moved: true, .. } | Event::WrittenWrapUpEnded { conversation, agent, .. } => {
                self.leave(stamped, *conversation, *agent, frames);
            }
            Event::WrittenWrapUpStarted { conversation, agent, .. } => {
                self.noting.insert(*conversation, *agent);
            }
            Event::WrittenClosed { conversation, .. } => {
                let notes = self.noting.remove(conversation);
                let agents = self.conversations.get_mut(conversation).map(|known| {
                    known.over = true;
                    known.agents.clone()
                });
                for agent in agents.into_iter().flatten().filter(|agent| Some(*agent) != notes) {
                    self.leave(stamped, *conversation, agent, frames);
                }
                if notes.is_none() {
                    self.conversations.remove(conversation);
                }
            }
            // Until an agent is busy with something else, the conversation is still the agent's: notes may have to be finished.
            Event::OccupationChanged { agent, occupation, .. } => {
                let present = conversation_of(*occupation);
                let left: Vec<_> = self
                    .conversations
                    .iter()
                    .filter(|(conversation, known)| Some(**conversation) != present && known.is_call() && known.agents.contains(agent))
                    .map(|(conversation, _)| *conversation)
                    .collect();
                for conversation in left {
                    self.leave(stamped, conversation, *agent, frames);
                }
            }
            Event::ConversationEnded { conversation, .. } => {
                if let Some(known) = self.conversations.get_mut(conversation) {
                    known.over = true;
                    if known.agents.is_empty() {
                        self.conversations.remove(conversation);
                    }
                }
            }
            Event::Configured { change: Change::RemoveQueue(queue) } if self.waiting.get(queue).is_none_or(BTreeMap::is_empty) => {
                self.waiting.remove(queue);
                self.writing.remove(queue);
            }
            _ => {}
        }
    }

    fn leave(&mut self, stamped: &Stamped, conversation: ConversationId, agent: AgentId, frames: &mut Vec<Frame>) {
        let Some(known) = self.conversations.get_mut(&conversation) else { return };
        if !known.agents.remove(&agent) {
            return;
        }
        if known.over && known.agents.is_empty() {
            self.conversations.remove(&conversation);
        }
        let text = json!({ "v": VERSION, "seq": stamped.seq, "at": stamped.at, "type": "conversation_gone", "conversation": conversation });
        frames.push(Frame {
            seq: stamped.seq,
            at: stamped.at,
            audience: Audience::Only(agent),
            derived: true,
            text: text.to_string().into(),
        });
    }
}

/// What an agent is busy with.
fn conversation_of(occupation: Occupation) -> Option<ConversationId> {
    match occupation {
        Occupation::Idle => None,
        Occupation::Offered { conversation, .. }
        | Occupation::Talking { conversation }
        | Occupation::Consulting { conversation }
        | Occupation::Supervising { conversation }
        | Occupation::WrapUp { conversation, .. } => Some(conversation),
    }
}

/// A fact as text, without what is nobody's business; `None` when it is told to nobody.
fn fact(stamped: &Stamped) -> Option<Utf8Bytes> {
    let Ok(Value::Object(fields)) = serde_json::to_value(stamped) else { return None };
    let mut frame = Map::with_capacity(fields.len() + 1);
    frame.insert("v".to_owned(), VERSION.into());
    for (name, value) in fields {
        let hidden = matches!(stamped.event, Event::LegConnected { .. }) && name == "token"
            || matches!(stamped.event, Event::RecordingFinished { .. }) && name == "path";
        if !hidden {
            frame.insert(name, value);
        }
    }
    Some(Value::Object(frame).to_string().into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use dreiklang_core::{
        agent::Availability,
        conversation::Direction,
        ids::{LegId, OfferId},
        queue::Outcome,
        time::Millis,
    };

    const CALL: ConversationId = ConversationId(1);
    const QUEUE: QueueId = QueueId(2);
    const VISIT: VisitId = VisitId(3);
    const ADA: AgentId = AgentId(4);
    const GRACE: AgentId = AgentId(5);

    struct Story {
        teller: Teller,
        seq: u64,
    }

    impl Story {
        fn tell(&mut self, event: Event) -> Vec<Frame> {
            self.seq += 1;
            self.teller.tell(&Stamped { seq: self.seq, at: Timestamp(1_000 * self.seq as i64), event })
        }

        fn arrived() -> Story {
            let mut story = Story { teller: Teller::default(), seq: 0 };
            let caller = Party { number: Some("+4930123456".into()), name: None };
            story.tell(Event::ConversationStarted {
                conversation: CALL,
                line: Line::Connected,
                direction: Direction::Inbound,
                caller,
                dialed: "100".into(),
                number: None,
                callback: None,
            });
            story
        }

        fn offered(agent: AgentId) -> (Story, Vec<Frame>) {
            let mut story = Story::arrived();
            story.tell(Event::VisitStarted {
                visit: VISIT,
                conversation: CALL,
                queue: QUEUE,
                priority: 50,
                skills: vec![],
                enqueued_at: Timestamp(2_000),
                terms: Default::default(),
            });
            let frames = story.tell(Event::OfferMade {
                offer: OfferId(6),
                visit: Some(VISIT),
                conversation: CALL,
                queue: Some(QUEUE),
                agent,
                leg: LegId(7),
                rings_until: Timestamp(9_000),
                purpose: Default::default(),
            });
            (story, frames)
        }
    }

    fn kinds(frames: &[Frame], viewer: Viewer) -> Vec<String> {
        frames
            .iter()
            .filter(|frame| frame.is_for(viewer))
            .map(|frame| serde_json::from_str::<Value>(&frame.text).unwrap()["type"].as_str().unwrap().to_owned())
            .collect()
    }

    #[test]
    fn a_queue_says_how_many_wait_to_everybody() {
        let mut story = Story::arrived();
        let frames = story.tell(Event::VisitStarted {
            visit: VISIT,
            conversation: CALL,
            queue: QUEUE,
            priority: 50,
            skills: vec![],
            enqueued_at: Timestamp(2_000),
            terms: Default::default(),
        });
        assert_eq!(kinds(&frames, Viewer::All), ["visit_started", "queue"]);
        assert_eq!(kinds(&frames, Viewer::Figures), ["queue"]);
        let frame: Value = serde_json::from_str(&frames[1].text).unwrap();
        assert_eq!((frame["waiting"].clone(), frame["oldest_enqueued_at"].clone(), frame["v"].clone()), (json!(1), json!(2_000), json!(1)));
        let frames = story.tell(Event::VisitEnded {
            visit: VISIT,
            conversation: CALL,
            queue: QUEUE,
            enqueued_at: Timestamp(2_000),
            outcome: Outcome::Answered,
            wait: Millis(1),
            agent: None,
        });
        let frame: Value = serde_json::from_str(&frames[1].text).unwrap();
        assert_eq!((frame["waiting"].clone(), frame["oldest_enqueued_at"].clone()), (json!(0), Value::Null));
    }

    #[test]
    fn an_agent_learns_of_a_conversation_when_it_is_offered_and_not_before() {
        let (_, frames) = Story::offered(ADA);
        assert_eq!(kinds(&frames, Viewer::Agent(ADA)), ["conversation", "offer_made"]);
        assert!(frames[0].text.contains("+4930123456"));
        assert_eq!(kinds(&frames, Viewer::Agent(GRACE)), Vec::<String>::new());
        assert_eq!(kinds(&frames, Viewer::Figures), Vec::<String>::new());
        assert_eq!(kinds(&frames, Viewer::All), ["offer_made"]);
    }

    #[test]
    fn an_agent_who_missed_an_offer_hears_no_more_of_it() {
        let (mut story, _) = Story::offered(ADA);
        let frames = story.tell(Event::OfferEnded {
            offer: OfferId(6),
            conversation: CALL,
            queue: Some(QUEUE),
            agent: ADA,
            made_at: Timestamp(3_000),
            outcome: OfferOutcome::NoAnswer,
        });
        assert_eq!(kinds(&frames, Viewer::Agent(ADA)), ["offer_ended", "conversation_gone"], "the end itself it hears");
        let frames = story.tell(Event::HoldEnded { conversation: CALL });
        assert_eq!(kinds(&frames, Viewer::Agent(ADA)), Vec::<String>::new());
        assert_eq!(kinds(&frames, Viewer::All), ["hold_ended"]);
    }

    #[test]
    fn states_of_agents_are_for_everybody() {
        let mut story = Story::arrived();
        let frames =
            story.tell(Event::AvailabilityChanged { agent: ADA, availability: Availability::Ready, by: dreiklang_core::Actor::Agent(ADA) });
        assert_eq!(kinds(&frames, Viewer::Figures), ["availability_changed"]);
    }

    #[test]
    fn what_lines_need_is_told_to_nobody() {
        let mut story = Story::arrived();
        let frames = story.tell(Event::LegConnected { conversation: CALL, leg: LegId(7), token: Some("secret".into()) });
        assert!(frames.iter().all(|frame| !frame.text.contains("secret")));
        assert_eq!(kinds(&frames, Viewer::All), ["leg_connected"]);
        let frames = story.tell(Event::ActionSettled { action: dreiklang_core::ids::ActionId(1), failure: None });
        assert!(frames.is_empty());
    }

    #[test]
    fn memory_ends_with_the_conversation() {
        let (mut story, _) = Story::offered(ADA);
        let termination = dreiklang_core::conversation::Termination {
            result: dreiklang_core::conversation::TerminationResult::Success,
            reason: dreiklang_core::conversation::TerminationReason::HungUp,
        };
        story.tell(Event::ConversationEnded { conversation: CALL, started_at: Timestamp(0), termination });
        assert_eq!(story.teller.conversations.len(), 1, "the agent still has notes to finish");
        story.tell(Event::OccupationChanged {
            agent: ADA,
            occupation: Occupation::Idle,
            from: Occupation::Talking { conversation: CALL },
            since: Timestamp(0),
        });
        assert!(story.teller.conversations.is_empty());
    }
}
