//! Makes up days of a contact center, as the journal would tell them.

use dreiklang_core::{
    Actor, Event, Stamped,
    agent::{self, Availability, Duty, Occupation},
    config::Change,
    conversation::SegmentKind,
    endpoint::{Endpoint, Line},
    ids::{AgentId, ConversationId, LegId, OfferId, QueueId, RecordingId, TenantId, VisitId},
    queue::{self, FlowOutReason, Outcome, ServiceLevel},
    routing::OfferOutcome,
    time::{Millis, Timestamp},
};
use serde_json::json;

pub const TENANT: TenantId = TenantId(1);
pub const OTHER: TenantId = TenantId(2);

/// Writes events one after the other.
pub struct Story {
    pub seq: u64,
    pub events: Vec<Stamped>,
    next: u128,
}

/// What a call was made up of, to compare the reports with.
#[derive(Clone, Copy, Debug)]
pub struct Call {
    pub queue: QueueId,
    pub agent: AgentId,
    pub start: i64,
    pub wait: u64,
    /// Offers that ring out before, 5 s each, within the wait.
    pub missed: u64,
    pub talk: u64,
    pub hold: u64,
    pub wrap_up: u64,
    pub recorded: bool,
}

impl Default for Call {
    fn default() -> Self {
        Call { queue: QueueId(1), agent: AgentId(1), start: 0, wait: 8_000, missed: 0, talk: 60_000, hold: 0, wrap_up: 0, recorded: false }
    }
}

impl Story {
    pub fn new() -> Story {
        Story::after(0)
    }

    /// Goes on after event `seq`.
    pub fn after(seq: u64) -> Story {
        Story { seq, events: Vec::new(), next: u128::from(seq) << 32 }
    }

    pub fn tell(&mut self, at: i64, event: Event) {
        self.seq += 1;
        self.events.push(Stamped { seq: self.seq, at: Timestamp(at), event });
    }

    /// As the journal has it; fields not named take their defaults.
    pub fn tell_json(&mut self, at: i64, event: serde_json::Value) {
        self.tell(at, serde_json::from_value(event).unwrap());
    }

    pub fn id(&mut self) -> u128 {
        self.next += 1;
        self.next
    }

    pub fn queue(&mut self, at: i64, id: QueueId, name: &str, within: Millis) {
        let mut settings: queue::Settings = serde_json::from_value(json!({ "id": id, "name": name })).unwrap();
        settings.service_level = ServiceLevel { target: 0.8, within };
        self.tell(at, Event::Configured { change: Change::PutQueue(settings) });
    }

    pub fn agent(&mut self, at: i64, id: AgentId, name: &str) {
        let settings = agent::Settings::new(id, name, Line::Connected, Endpoint::Desk(name.to_owned()));
        self.tell(at, Event::Configured { change: Change::PutAgent(settings) });
    }

    pub fn duty(&mut self, at: i64, agent: AgentId, duty: Duty) {
        self.tell(at, Event::DutyChanged { agent, duty, by: Actor::System });
    }

    pub fn availability(&mut self, at: i64, agent: AgentId, availability: Availability) {
        self.tell(at, Event::AvailabilityChanged { agent, availability, by: Actor::System });
    }

    pub fn occupation(&mut self, at: i64, agent: AgentId, occupation: Occupation) {
        self.tell(at, Event::OccupationChanged { agent, occupation, from: Occupation::Idle, since: Timestamp(0) });
    }

    pub fn arrives(&mut self, at: i64, caller: &str) -> (ConversationId, LegId) {
        let (conversation, leg) = (ConversationId(self.id()), LegId(self.id()));
        self.tell_json(
            at,
            json!({ "type": "conversation_started", "conversation": conversation, "line": "connected", "direction": "inbound",
                "caller": { "number": caller, "name": null }, "dialed": "+4930111" }),
        );
        self.tell_json(
            at,
            json!({ "type": "leg_added", "conversation": conversation, "leg": leg, "role": { "kind": "customer" }, "line": "connected",
                "direction": "inbound", "endpoint": { "kind": "number", "value": caller } }),
        );
        (conversation, leg)
    }

    pub fn enters(&mut self, at: i64, conversation: ConversationId, queue: QueueId) -> VisitId {
        let visit = VisitId(self.id());
        let enqueued_at = Timestamp(at);
        let (priority, skills, terms) = (50, Vec::new(), Default::default());
        self.tell(at, Event::VisitStarted { visit, conversation, queue, priority, skills, enqueued_at, terms });
        visit
    }

    pub fn leaves(
        &mut self,
        at: i64,
        (visit, conversation, queue): (VisitId, ConversationId, QueueId),
        since: i64,
        outcome: Outcome,
        agent: Option<AgentId>,
    ) {
        let enqueued_at = Timestamp(since);
        let wait = Timestamp(at).since(enqueued_at);
        self.tell(at, Event::VisitEnded { visit, conversation, queue, enqueued_at, outcome, wait, agent });
    }

    pub fn offers(
        &mut self,
        from: i64,
        to: i64,
        (visit, conversation, queue): (VisitId, ConversationId, QueueId),
        agent: AgentId,
        outcome: OfferOutcome,
    ) -> LegId {
        let (offer, leg) = (OfferId(self.id()), LegId(self.id()));
        let rings_until = Timestamp(from + 20_000);
        self.occupation(from, agent, Occupation::Offered { offer, conversation });
        self.tell(
            from,
            Event::OfferMade {
                offer,
                visit: Some(visit),
                conversation,
                queue: Some(queue),
                agent,
                leg,
                rings_until,
                purpose: Default::default(),
            },
        );
        self.tell(to, Event::OfferEnded { offer, conversation, queue: Some(queue), agent, made_at: Timestamp(from), outcome });
        if outcome != OfferOutcome::Accepted {
            self.occupation(to, agent, Occupation::Idle);
        }
        leg
    }

    pub fn ends(&mut self, at: i64, conversation: ConversationId, leg: LegId, started: i64, reason: &str) {
        let termination = json!({ "result": "success", "reason": reason });
        self.tell_json(
            at,
            json!({ "type": "leg_ended", "conversation": conversation, "leg": leg, "role": { "kind": "customer" }, "line": "connected",
                "started_at": started, "connected_at": null, "termination": termination }),
        );
        self.tell_json(
            at,
            json!({ "type": "conversation_ended", "conversation": conversation, "started_at": started, "termination": termination }),
        );
    }

    /// A whole answered call; returns when everything of it is over.
    pub fn answered(&mut self, call: Call) -> (ConversationId, i64) {
        let Call { queue, agent, start, .. } = call;
        let (conversation, leg) = self.arrives(start, "+49301234567");
        let place = (self.enters(start, conversation, queue), conversation, queue);
        let mut now = start;
        for _ in 0..call.missed {
            self.offers(now, now + 5_000, place, agent, OfferOutcome::NoAnswer);
            now += 5_000;
        }
        let answered = start + i64::try_from(call.wait).unwrap();
        assert!(now <= answered, "the missed offers fit into the wait");
        let agent_leg = self.offers(now, answered, place, agent, OfferOutcome::Accepted);
        self.leaves(answered, place, start, Outcome::Answered, Some(agent));
        let segment = |kind, from, to, next| Event::SegmentClosed {
            conversation,
            kind,
            from: Timestamp(from),
            to: Timestamp(to),
            queue: Some(queue),
            agent: None,
            next,
        };
        self.tell(answered, segment(SegmentKind::Queue, start, answered, Some(SegmentKind::Talk)));
        self.occupation(answered, agent, Occupation::Talking { conversation });
        self.tell(answered, Event::TalkStarted { conversation, queue: Some(queue), agent: Some(agent), leg: agent_leg });
        let recording = RecordingId(self.id());
        if call.recorded {
            self.tell(answered, Event::RecordingStarted { conversation, recording, by: None });
        }
        let over = answered + i64::try_from(call.talk + call.hold).unwrap();
        let (talk, hold) = (Millis(call.talk), Millis(call.hold));
        self.tell(over, segment(SegmentKind::Talk, answered, over, None));
        self.tell(over, Event::TalkEnded { conversation, queue: Some(queue), agent: Some(agent), leg: agent_leg, talk, hold });
        self.ends(over, conversation, leg, start, "hung_up");
        if call.recorded {
            let path = format!("{conversation}.wav");
            self.tell(
                over,
                Event::RecordingFinished { conversation, recording, path, duration: Millis(call.talk), channels: 2, gaps: Vec::new() },
            );
        }
        let mut done = over;
        if call.wrap_up > 0 {
            done += i64::try_from(call.wrap_up).unwrap();
            let (queue, until) = (Some(queue), None);
            self.tell(over, Event::WrapUpStarted { agent, conversation, queue, until });
            self.occupation(over, agent, Occupation::WrapUp { conversation, queue, until });
            let disposition = Some("solved".to_owned());
            self.tell(
                done,
                Event::WrapUpEnded {
                    agent,
                    conversation,
                    queue,
                    started_at: Timestamp(over),
                    disposition,
                    missing: false,
                    by: Actor::Agent(agent),
                },
            );
        }
        self.occupation(done, agent, Occupation::Idle);
        (conversation, done)
    }

    /// A call whose caller gives up.
    pub fn abandoned(&mut self, queue: QueueId, start: i64, wait: i64, short: bool) -> ConversationId {
        let (conversation, leg) = self.arrives(start, "+49309999999");
        let visit = self.enters(start, conversation, queue);
        self.leaves(start + wait, (visit, conversation, queue), start, Outcome::Abandoned { short }, None);
        self.ends(start + wait, conversation, leg, start, "abandoned");
        conversation
    }

    /// A call that waits too long.
    pub fn flows_out(&mut self, queue: QueueId, start: i64, wait: i64) -> ConversationId {
        let (conversation, leg) = self.arrives(start, "+49308888888");
        let visit = self.enters(start, conversation, queue);
        let outcome = Outcome::FlowOut { reason: FlowOutReason::MaxWait };
        self.leaves(start + wait, (visit, conversation, queue), start, outcome, None);
        self.ends(start + wait, conversation, leg, start, "max_wait");
        conversation
    }
}

/// Small pseudo-random numbers, the same in every run.
pub struct Dice(pub u64);

impl Dice {
    /// From 0 to `below` - 1.
    pub fn roll(&mut self, below: u64) -> u64 {
        // Knuth's MMIX constants; the low bits are the poor ones.
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % below
    }
}
