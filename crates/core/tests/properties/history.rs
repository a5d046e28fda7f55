//! What only a history can show: that things which begin end once, that time is tiled, that turns are kept, and that
//! figures balance.

use dreiklang_core::{
    Action, Event, Stamped, World,
    agent::Agent,
    conversation::{Conversation, SegmentKind},
    ids::{ActionId, AgentId, ConversationId, LegId, OfferId, QueueId, RecordingId, VisitId},
    stats::Interval,
    time::{Millis, Timestamp},
};
use std::collections::{BTreeMap, BTreeSet};

/// Reads the journal as a report would, event by event.
pub struct History {
    pub world: World,
    pub legs: Vec<LegId>,
    conversations: BTreeMap<ConversationId, (Timestamp, Option<SegmentKind>)>,
    tiled: BTreeMap<ConversationId, Timestamp>,
    visits: BTreeMap<VisitId, QueueId>,
    offers: BTreeSet<OfferId>,
    talks: BTreeSet<ConversationId>,
    consults: BTreeSet<ConversationId>,
    recordings: BTreeSet<RecordingId>,
    open_legs: BTreeSet<LegId>,
    actions: BTreeMap<ActionId, Action>,
    minted: BTreeSet<u128>,
    intervals: BTreeMap<QueueId, Interval>,
}

impl History {
    pub fn new(world: World) -> History {
        History {
            world,
            legs: Vec::new(),
            conversations: BTreeMap::new(),
            tiled: BTreeMap::new(),
            visits: BTreeMap::new(),
            offers: BTreeSet::new(),
            talks: BTreeSet::new(),
            consults: BTreeSet::new(),
            recordings: BTreeSet::new(),
            open_legs: BTreeSet::new(),
            actions: BTreeMap::new(),
            minted: BTreeSet::new(),
            intervals: BTreeMap::new(),
        }
    }

    pub fn observe(&mut self, stamped: &Stamped) {
        assert_eq!(stamped.seq, self.world.version() + 1);
        assert!(stamped.at >= self.world.at(), "time does not go back in the journal");
        match &stamped.event {
            Event::ConversationStarted { conversation, .. } => {
                self.fresh(conversation.0);
                self.conversations.insert(*conversation, (stamped.at, Some(SegmentKind::SetUp)));
                self.tiled.insert(*conversation, stamped.at);
            }
            Event::SegmentClosed { conversation, kind, from, to, next, .. } => {
                assert_eq!(self.tiled.insert(*conversation, *to), Some(*from), "segments leave no gap and do not overlap");
                let open = self.conversations.get_mut(conversation).expect("the conversation has started");
                assert_eq!(open.1, Some(*kind), "the segment that is closed is the open one");
                open.1 = *next;
            }
            Event::ConversationEnded { conversation, started_at, .. } => {
                let (began, open) = self.conversations.remove(conversation).expect("a conversation ends once");
                assert_eq!((began, open), (*started_at, None), "the last segment ends with the conversation");
                assert_eq!(self.tiled.remove(conversation), Some(stamped.at), "segments reach to the end");
            }
            Event::LegAdded { leg, .. } => {
                assert!(self.open_legs.insert(*leg), "a leg is added once");
                self.legs.push(*leg);
            }
            Event::LegEnded { leg, .. } => assert!(self.open_legs.remove(leg), "a leg ends once"),
            Event::VisitStarted { visit, queue, .. } => {
                self.fresh(visit.0);
                self.visits.insert(*visit, *queue);
            }
            Event::VisitEnded { visit, queue, .. } => {
                assert_eq!(self.visits.remove(visit), Some(*queue), "a visit ends once");
            }
            Event::OfferMade { offer, visit, conversation, agent, .. } => {
                self.fresh(offer.0);
                self.offers.insert(*offer);
                self.expect_fair(visit.is_some(), *conversation, *agent);
            }
            Event::OfferEnded { offer, .. } => assert!(self.offers.remove(offer), "an offer ends once"),
            Event::TalkStarted { conversation, .. } => assert!(self.talks.insert(*conversation), "one talk at a time"),
            Event::TalkEnded { conversation, talk, hold, .. } => {
                assert!(self.talks.remove(conversation), "a talk ends once");
                let started = self.world.conversation(*conversation).and_then(|found| found.talk.as_ref()).expect("there is one");
                assert_eq!(*talk + *hold, stamped.at.since(started.started_at), "talk and hold make up the whole");
            }
            Event::ConsultStarted { conversation, .. } => assert!(self.consults.insert(*conversation), "one consult at a time"),
            Event::ConsultEnded { conversation, .. } => assert!(self.consults.remove(conversation), "a consult ends once"),
            Event::RecordingStarted { recording, .. } => {
                self.fresh(recording.0);
                self.recordings.insert(*recording);
            }
            Event::RecordingFinished { recording, .. } | Event::RecordingFailed { recording, .. } => {
                assert!(self.recordings.remove(recording), "a recording is closed once");
            }
            Event::ActionRequested { action, wish } => {
                self.fresh(action.0);
                self.actions.insert(*action, wish.clone());
            }
            Event::ActionSettled { action, .. } => assert!(self.actions.remove(action).is_some(), "an action is settled once"),
            _ => {}
        }
        if let Some(queue) = Interval::queue_of(&stamped.event) {
            self.intervals.entry(queue).or_default().observe(&stamped.event, Millis::from_secs(20), stamped.at);
        }
        self.world.apply(stamped);
    }

    fn fresh(&mut self, id: u128) {
        assert!(self.minted.insert(id), "ids are given once");
    }

    /// Whether an offer is made to whom it is due, seen from the world right before it.
    fn expect_fair(&self, from_queue: bool, conversation: ConversationId, agent: AgentId) {
        let chosen = self.world.agent(agent).expect("the agent exists");
        assert!(chosen.is_routable(), "only routable agents are offered something: {chosen:?}");
        if !from_queue {
            return;
        }
        let served = self.world.conversation(conversation).expect("the conversation exists");
        assert!(suits(&self.world, chosen, served), "{chosen:?} has not the skills for {served:?}");
        let waiting = self.world.conversations().filter(|found| found.wants_agent());
        let first = waiting.filter(|found| suits(&self.world, chosen, found)).min_by_key(|found| found.turn());
        assert_eq!(first.map(|found| found.id), Some(conversation), "who comes first is served first");
        let idle = self.world.agents().filter(|agent| agent.is_routable() && suits(&self.world, agent, served));
        let longest = idle.min_by_key(|agent| (agent.idle_since, agent.settings.id)).map(|agent| agent.settings.id);
        assert_eq!(longest, Some(agent), "the agent idle longest is asked first");
    }

    /// What must hold between two inputs.
    pub fn expect_balanced(&self) {
        for (queue, interval) in &self.intervals {
            interval.balance().expect("offered = answered + abandoned + flow-out");
            let waiting = self.world.queue(*queue).map_or(0, |queue| queue.waiting.len() as u64);
            assert_eq!(interval.entered - interval.offered, waiting, "who entered and has not left is waiting");
        }
        let open: BTreeSet<ActionId> = self.world.pending().iter().map(|(id, _)| id).collect();
        assert_eq!(open, self.actions.keys().copied().collect());
        assert_eq!(self.recordings, self.world.recordings().map(|(id, _)| id).collect());
        assert_eq!(self.open_legs.len(), self.world.conversations().map(|found| found.legs.len()).sum::<usize>());
    }

    /// What must hold when everybody has gone home.
    pub fn expect_nothing_open(&self) {
        assert!(self.conversations.is_empty() && self.tiled.is_empty(), "every conversation has ended");
        assert!(self.visits.is_empty() && self.offers.is_empty() && self.talks.is_empty());
        assert!(self.consults.is_empty() && self.recordings.is_empty() && self.open_legs.is_empty());
        // A line nobody answers for may just be asked once more.
        assert!(self.actions.values().all(|action| matches!(action, Action::Survey { .. })));
        assert_eq!(self.world.conversations().len(), 0);
    }
}

fn suits(world: &World, agent: &Agent, conversation: &Conversation) -> bool {
    let Some(visit) = &conversation.visit else { return false };
    let own = world.queue(visit.queue).map(|queue| queue.settings.skills.clone()).unwrap_or_default();
    agent.settings.queues.contains(&visit.queue) && agent.has_skills(&own) && agent.has_skills(&visit.skills)
}
