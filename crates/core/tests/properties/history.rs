//! What only a history can show: that things which begin end once, that time is tiled, that turns are kept, and that
//! figures balance.

use dreiklang_core::{
    Action, Event, Stamped, World,
    agent::{Agent, Duty, Occupation},
    conversation::{Conversation, Purpose, SegmentKind},
    flow::PRIVATE_KEY,
    ids::{ActionId, AgentId, CallbackId, ConversationId, LegId, MessageId, OfferId, QueueId, RecordingId, VisitId},
    limits,
    routing::{Strategy, Verdict, asked},
    stats::{Daybook, Key, Ledger, SLOT, Subject},
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
    flows: BTreeSet<ConversationId>,
    members: BTreeSet<LegId>,
    written: BTreeSet<ConversationId>,
    supervisions: BTreeSet<LegId>,
    /// What each leg was last wished to hear: whom, and whether a prompt.
    heard: BTreeMap<LegId, (BTreeSet<LegId>, bool)>,
    chosen: BTreeSet<AgentId>,
    pulled: Option<AgentId>,
    recordings: BTreeSet<RecordingId>,
    messages: BTreeSet<MessageId>,
    callbacks: BTreeSet<CallbackId>,
    open_legs: BTreeSet<LegId>,
    actions: BTreeMap<ActionId, Action>,
    minted: BTreeSet<u128>,
    ledger: Ledger,
    /// The same, written down and read back entry by entry.
    copied: Ledger,
    books: Daybook,
    /// Time agents were signed in or busy, measured from one event to the next.
    signed_in: BTreeMap<AgentId, Millis>,
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
            flows: BTreeSet::new(),
            members: BTreeSet::new(),
            written: BTreeSet::new(),
            supervisions: BTreeSet::new(),
            heard: BTreeMap::new(),
            chosen: BTreeSet::new(),
            pulled: None,
            recordings: BTreeSet::new(),
            messages: BTreeSet::new(),
            callbacks: BTreeSet::new(),
            open_legs: BTreeSet::new(),
            actions: BTreeMap::new(),
            minted: BTreeSet::new(),
            ledger: Ledger::default(),
            copied: Ledger::default(),
            books: Daybook::default(),
            signed_in: BTreeMap::new(),
        }
    }

    pub fn observe(&mut self, stamped: &Stamped) {
        expect_nothing_private(&self.world, stamped);
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
            Event::Decided { decision, .. } => {
                assert!(decision.candidates.len() <= limits::EXPLAINED);
                let asked = decision.candidates.iter().filter(|candidate| candidate.verdict == Verdict::Chosen).count();
                assert_eq!(asked, decision.chosen.len().min(limits::EXPLAINED), "who is asked is named first");
                self.chosen.extend(&decision.chosen);
            }
            Event::VisitPulled { agent, .. } => self.pulled = Some(*agent),
            Event::OfferMade { offer, agent, purpose: Purpose::Pull, .. } => {
                self.fresh(offer.0);
                assert_eq!(self.pulled.take(), Some(*agent), "a pull says who wanted it");
                assert!(self.world.agent(*agent).is_some_and(Agent::can_be_rung), "who pulls can be rung");
                self.offers.insert(*offer);
            }
            Event::OfferMade { offer, visit, conversation, agent, .. } => {
                self.fresh(offer.0);
                assert!(visit.is_none() || self.chosen.remove(agent), "every offer of a visit is explained");
                self.offers.insert(*offer);
                self.expect_fair(visit.is_some(), *conversation, *agent, stamped.at);
            }
            Event::OfferEnded { offer, .. } | Event::WrittenOfferEnded { offer, .. } => {
                assert!(self.offers.remove(offer), "an offer ends once");
            }
            Event::WrittenOpened { conversation, .. } => assert!(self.written.insert(*conversation), "it is opened once"),
            Event::WrittenClosed { conversation, .. } => assert!(self.written.remove(conversation), "it is closed once"),
            Event::WrittenQueued { visit, queue, .. } => {
                self.fresh(visit.0);
                self.visits.insert(*visit, *queue);
            }
            Event::WrittenUnqueued { visit, queue, .. } => {
                assert_eq!(self.visits.remove(visit), Some(*queue), "a stay ends once");
            }
            Event::WrittenOffered { offer, agent, channel, .. } => {
                self.fresh(offer.0);
                assert!(self.chosen.remove(agent), "every offer is explained");
                self.offers.insert(*offer);
                assert!(self.world.agent(*agent).is_some_and(|agent| agent.is_free_for(*channel)), "only who has room is asked");
            }
            Event::WrittenTaken { agent, channel, .. } => {
                assert!(self.world.agent(*agent).is_some_and(|agent| agent.has_room_for(*channel)), "nobody has more than fits");
            }
            Event::WrapUpEnded { disposition, missing, .. } => assert!(disposition.is_none() || !missing, "what is there is not missing"),
            Event::TalkStarted { conversation, .. } => assert!(self.talks.insert(*conversation), "one talk at a time"),
            Event::TalkEnded { conversation, talk, hold, .. } => {
                assert!(self.talks.remove(conversation), "a talk ends once");
                let started = self.world.conversation(*conversation).and_then(|found| found.talk.as_ref()).expect("there is one");
                assert_eq!(*talk + *hold, stamped.at.since(started.started_at), "talk and hold make up the whole");
            }
            Event::ConsultStarted { conversation, .. } => assert!(self.consults.insert(*conversation), "one consult at a time"),
            Event::ConsultEnded { conversation, .. } => assert!(self.consults.remove(conversation), "a consult ends once"),
            Event::CallbackRequested { callback, .. } => {
                self.fresh(callback.0);
                self.callbacks.insert(*callback);
            }
            Event::CallbackEnded { callback, .. } => assert!(self.callbacks.remove(callback), "a callback ends once"),
            Event::MessageStarted { message, .. } => {
                self.fresh(message.0);
                self.messages.insert(*message);
            }
            Event::MessageLeft { message, .. } | Event::MessageDiscarded { message, .. } => {
                assert!(self.messages.remove(message), "a message is left or not, once");
            }
            Event::FlowEntered { conversation, .. } => assert!(self.flows.insert(*conversation), "one flow at a time"),
            Event::FlowLeft { conversation, .. } => assert!(self.flows.remove(conversation), "a flow is left once"),
            Event::MemberJoined { leg, .. } => assert!(self.members.insert(*leg), "who joins was not there"),
            Event::MemberLeft { leg, .. } => assert!(self.members.remove(leg), "who leaves was there"),
            Event::SupervisionStarted { leg, .. } => assert!(self.supervisions.insert(*leg), "a supervision begins once"),
            Event::SupervisionEnded { leg, .. } => assert!(self.supervisions.remove(leg), "a supervision ends once"),
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
                self.hear(wish);
            }
            Event::ActionSettled { action, .. } => assert!(self.actions.remove(action).is_some(), "an action is settled once"),
            _ => {}
        }
        self.book(stamped);
        self.world.apply(stamped);
    }

    fn book(&mut self, stamped: &Stamped) {
        let passed = stamped.at.since(self.world.at());
        for agent in self.world.agents().filter(|agent| is_at_work(agent)) {
            let sum = self.signed_in.entry(agent.settings.id).or_default();
            *sum = *sum + passed;
        }
        if let Some(key) = self.ledger.observe(stamped, &mut self.books) {
            match self.ledger.entry(key) {
                Some(entry) => {
                    let text = serde_json::to_string(&(key, entry)).unwrap();
                    let (key, entry) = serde_json::from_str(&text).unwrap();
                    self.copied.restore(key, entry);
                }
                None => self.copied.forget(key),
            }
        }
    }

    /// Takes over what legs hear by a wish.
    fn hear(&mut self, wish: &Action) {
        match wish {
            Action::Bridge { a, b, .. } => {
                self.heard.insert(*a, ([*b].into(), false));
                self.heard.insert(*b, ([*a].into(), false));
            }
            Action::Play { leg, .. } => _ = self.heard.insert(*leg, (BTreeSet::new(), true)),
            Action::Silence { leg, .. } => _ = self.heard.insert(*leg, (BTreeSet::new(), false)),
            Action::Mix { parties, .. } => {
                for party in parties {
                    self.heard.insert(party.leg, (party.voices.iter().copied().collect(), party.prompt.is_some()));
                }
            }
            _ => {}
        }
    }

    /// Whatever the order of hold, consult, conference and supervision: lines were told what the state says.
    fn expect_heard(&self) {
        for conversation in self.world.conversations() {
            for party in conversation.hearing(&dreiklang_core::output::Prompt::Music) {
                let wanted = (party.voices.iter().copied().collect(), party.prompt.is_some());
                assert_eq!(self.heard.get(&party.leg), Some(&wanted), "{} hears what it should: {conversation:?}", party.leg);
            }
        }
    }

    fn fresh(&mut self, id: u128) {
        assert!(self.minted.insert(id), "ids are given once");
    }

    /// Whether an offer is made to whom it is due, seen from the world right before it.
    fn expect_fair(&self, from_queue: bool, conversation: ConversationId, agent: AgentId, now: Timestamp) {
        let chosen = self.world.agent(agent).expect("the agent exists");
        assert!(chosen.is_routable(), "only routable agents are offered something: {chosen:?}");
        if !from_queue {
            return;
        }
        let served = self.world.conversation(conversation).expect("the conversation exists");
        assert!(suits(&self.world, chosen, served), "{chosen:?} is not what is asked for by {served:?}");
        let queue = self.world.queue(served.visit.as_ref().expect("it waits").queue).expect("there is one");
        let strategy = queue.settings.routing.strategy;
        if let Some(first) = &served.offer {
            assert_eq!(strategy, Strategy::RingAll, "several telephones ring where the queue wants that");
            assert_eq!(first.made_at, now, "they begin to ring together");
        } else {
            let waiting = || self.world.conversations().filter(|found| found.wants_agent() && suits(&self.world, chosen, found));
            let first =
                waiting().min_by(|one, other| self.due(one, now).total_cmp(&self.due(other, now)).then(one.turn().cmp(&other.turn())));
            let (first, served_due) = (first.expect("one waits at least"), self.due(served, now));
            assert!(
                first.id == conversation || (self.due(first, now) - served_due).abs() < 1e-6,
                "who comes first is served first: {first:?} before {served:?}"
            );
            self.expect_no_elder_of_equal_class_is_passed_over(served, waiting());
        }
        let idle = || self.world.agents().filter(|agent| agent.is_routable() && suits(&self.world, agent, served));
        let asked = asked(&self.world, served).expect("it waits");
        let levels = |agent: &Agent| {
            let skills: i64 = asked.skills.iter().map(|need| i64::from(agent.settings.skills.get(&need.skill).copied().unwrap_or(0))).sum();
            let spoken = agent.settings.languages.iter().filter(|(tag, _)| asked.languages.iter().any(|asked| asked == *tag));
            skills + spoken.map(|(_, level)| i64::from(*level)).max().unwrap_or(0)
        };
        let first = match strategy {
            Strategy::LongestIdle | Strategy::RingAll => idle().min_by_key(|agent| (agent.idle_since, agent.settings.id)),
            Strategy::FewestCalls => idle().min_by_key(|agent| (agent.taken, agent.idle_since, agent.settings.id)),
            Strategy::SkillLevel => idle().min_by_key(|agent| (-levels(agent), agent.idle_since, agent.settings.id)),
            Strategy::RoundRobin => {
                let next = idle().filter(|agent| Some(agent.settings.id) > queue.last_offered).min_by_key(|agent| agent.settings.id);
                next.or_else(|| idle().min_by_key(|agent| agent.settings.id))
            }
        };
        assert_eq!(first.map(|agent| agent.settings.id), Some(agent), "the agent whom {strategy:?} names is asked first");
    }

    /// Who waits for the same in the same queue with the same priority, and came earlier, is never overtaken.
    fn expect_no_elder_of_equal_class_is_passed_over<'a>(&self, served: &Conversation, waiting: impl Iterator<Item = &'a Conversation>) {
        let class = |found: &Conversation| {
            found.visit.as_ref().map(|visit| (visit.queue, visit.priority, visit.skills.clone(), visit.terms.language.clone()))
        };
        let since = |found: &Conversation| found.visit.as_ref().map(|visit| visit.in_line_since());
        for other in waiting.filter(|other| class(other) == class(served)) {
            assert!(since(served) <= since(other), "{other:?} came before {served:?}");
        }
    }

    /// A number for a visit's turn, computed with fractions from the definition: the lower is due first.
    fn due(&self, conversation: &Conversation, now: Timestamp) -> f64 {
        let visit = conversation.visit.as_ref().expect("it waits");
        let rules = &self.world.queue(visit.queue).expect("there is one").settings.routing;
        let waited = now.since(visit.in_line_since()).0 as f64;
        let own = f64::from(visit.priority);
        let (priority, time) = match rules.aging.filter(|aging| visit.priority <= aging.max) {
            None => (own, waited),
            Some(aging) => {
                let (step, every) = (f64::from(aging.step), aging.every.0 as f64);
                let grown = (own + (step * waited / every + 1e-12).floor()).min(f64::from(aging.max));
                (grown, waited - (grown - own) * every / step)
            }
        };
        // Whole priorities before any time: a day has fewer than 1e9 milliseconds, times a weight of at most 1000.
        -(priority * 1e12 + time.floor().max(0.0) * f64::from(rules.weight))
    }

    /// What must hold for the figures between two inputs.
    pub fn expect_figures(&self) {
        assert_eq!(self.ledger, self.copied, "each event says whose entry it changed");
        let mut books = self.books.clone();
        self.ledger.book_present(self.world.at(), &mut books);
        let subjects: BTreeSet<Subject> = books.tallies.keys().map(|(subject, _)| *subject).collect();
        for ((subject, _), tally) in &books.tallies {
            tally.interval.balance().expect("offered = answered + abandoned + flow-out in every interval");
            assert_eq!(tally.states.residual(), 0, "states tile the time signed in: {subject:?} {tally:?}");
            assert!(tally.states.signed_in <= SLOT, "an agent has no more time than there is");
        }
        for subject in subjects {
            let total = books.total(subject);
            let (interval, spent) = (&total.interval, &total.spent);
            match subject {
                Subject::Queue(queue) => {
                    let waiting = self.world.queue(queue).map_or(0, |queue| queue.waiting.len() as u64);
                    assert_eq!(interval.entered - interval.offered, waiting, "who entered and has not left is waiting");
                    let writing = self.world.queue(queue).map_or(0, |queue| queue.written.len() as u64);
                    let left: u64 = interval.written.values().map(|writing| writing.entered - writing.offered).sum();
                    assert_eq!(left, writing, "the same of those who write");
                }
                Subject::Agent(agent) => {
                    let measured = self.signed_in.get(&agent).copied().unwrap_or_default();
                    assert_eq!(total.states.signed_in, measured, "{agent}");
                }
                Subject::Number(_) | Subject::Line(_) => {}
            }
            assert_eq!((interval.wait_all, interval.wait_answered), (spent.wait_all, spent.wait_answered), "{subject:?}");
            assert_eq!(interval.wrap_up, spent.wrap_up, "{subject:?}");
            if self.talks.is_empty() {
                assert_eq!((interval.talk, interval.hold), (spent.talk, spent.hold), "{subject:?}");
                assert_eq!(interval.talks, interval.handled);
            }
        }
        // What is over leaves nothing behind; what is not is remembered.
        let alive: BTreeSet<Key> = self.world.conversations().map(|found| Key::Conversation(found.id)).collect();
        assert!(self.ledger.open_conversations().all(|id| alive.contains(&Key::Conversation(id)) || self.is_expected(id)));
        assert!(alive.iter().all(|key| self.ledger.entry(*key).is_some()));
    }

    /// Whether something of an ended conversation may still come.
    fn is_expected(&self, id: ConversationId) -> bool {
        let wraps_up = |agent: &Agent| matches!(agent.occupation, Occupation::WrapUp { conversation, .. } if conversation == id);
        self.world.agents().any(wraps_up) || self.world.recordings().any(|(_, recording)| recording.conversation == id)
    }

    /// What must hold between two inputs.
    pub fn expect_balanced(&self) {
        self.expect_heard();
        let open: BTreeSet<ActionId> = self.world.pending().iter().map(|(id, _)| id).collect();
        assert_eq!(open, self.actions.keys().copied().collect());
        assert_eq!(self.recordings, self.world.recordings().map(|(id, _)| id).collect());
        assert_eq!(self.open_legs.len(), self.world.conversations().map(|found| found.legs.len()).sum::<usize>());
    }

    /// What must hold when everybody has gone home.
    pub fn expect_nothing_open(&self) {
        assert!(self.conversations.is_empty() && self.tiled.is_empty(), "every conversation has ended");
        assert!(self.visits.is_empty() && self.offers.is_empty() && self.talks.is_empty());
        assert!(self.flows.is_empty(), "nobody stays in a flow");
        assert!(
            self.consults.is_empty()
                && self.recordings.is_empty()
                && self.messages.is_empty()
                && self.callbacks.is_empty()
                && self.open_legs.is_empty()
        );
        assert!(self.members.is_empty() && self.supervisions.is_empty() && self.written.is_empty());
        assert_eq!(self.world.written().len(), 0);
        // A line nobody answers for may just be asked once more.
        assert!(self.actions.values().all(|action| matches!(action, Action::Survey { .. })));
        assert_eq!(self.world.conversations().len(), 0);
    }
}

fn suits(world: &World, agent: &Agent, conversation: &Conversation) -> bool {
    let missed = conversation.visit.as_ref().is_some_and(|visit| visit.missed_by.contains_key(&agent.settings.id));
    !missed && asked(world, conversation).is_some_and(|asked| asked.misfit(agent).is_none())
}

/// Signed in, or still busy. Who was removed is gone from the figures as soon as nothing is left to do, even if a telephone
/// still has to be hung up.
fn is_at_work(agent: &Agent) -> bool {
    agent.occupation != Occupation::Idle || (agent.duty != Duty::SignedOut && !agent.retiring)
}

/// Whether something was typed privately.
pub fn is_private(stamped: &Stamped) -> bool {
    matches!(&stamped.event, Event::FlowKeyed { key: PRIVATE_KEY, .. } | Event::FlowStepped { private: Some(_), .. })
}

/// Of what is typed privately a fact says no more than that it was.
fn expect_nothing_private(world: &World, stamped: &Stamped) {
    match &stamped.event {
        Event::FlowKeyed { node, key, .. } => assert_eq!(node == "secret", *key == PRIVATE_KEY, "{stamped:?}"),
        Event::FlowStepped { node, set, private, .. } => {
            assert!(set.iter().all(|(name, _)| name != "pin"), "{stamped:?}");
            assert!(private.is_none() || node == "secret", "{stamped:?}");
        }
        Event::ActionRequested { wish: Action::AskService { conversation, request, .. }, .. } => {
            assert!(request.private.iter().all(|value| value.value().is_none()), "{stamped:?}");
            let sends = world.conversation(*conversation).and_then(|found| found.run.as_ref()).is_some_and(|run| run.node == "verify");
            assert_eq!(sends, !request.private.is_empty(), "{stamped:?}");
        }
        _ => {}
    }
}
