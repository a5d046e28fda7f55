//! What each event changes.
//!
//! Total: an event about something that is not there changes nothing but the version, so that replay never fails on what a
//! later release may leave out.

use super::{DepartedLeg, OpenRecording, Timer, World};
use crate::{
    agent::{self, Agent, Availability, Occupation},
    config::Change,
    conversation::{Conversation, Leg, Offer, Role, Segment, SegmentKind, Talk, Transfer, Visit},
    endpoint::{Endpoint, Line},
    ids::{AgentId, ConversationId, LegId},
    limits,
    output::{Action, Event, HangUpReason, Stamped},
    queue::Queue,
    time::{Millis, Timestamp},
};

impl World {
    /// Takes over one fact: the only way a world changes.
    ///
    /// # Panics
    /// When `stamped.seq` is not the next one: a journal with a gap must not be decided upon.
    pub fn apply(&mut self, stamped: &Stamped) {
        assert_eq!(stamped.seq, self.version + 1, "events are applied in order and without gaps");
        self.version = stamped.seq;
        self.at = stamped.at;
        let at = stamped.at;
        match &stamped.event {
            Event::Configured { change } => self.apply_configured(at, change),
            Event::ConversationStarted { conversation, line, direction, caller, dialed, number } => {
                let document = number.and_then(|id| self.numbers.get(&id));
                let started = Conversation {
                    id: *conversation,
                    line: *line,
                    direction: *direction,
                    caller: caller.clone(),
                    dialed: dialed.clone(),
                    number: *number,
                    target: document.map(|number| number.target),
                    skills: document.map(|number| number.skills.clone()).unwrap_or_default(),
                    priority: document.and_then(|number| number.priority),
                    started_at: at,
                    customer: None,
                    legs: Vec::new(),
                    segment: Some(Segment { kind: SegmentKind::SetUp, from: at, queue: None, agent: None }),
                    greeting: None,
                    visit: None,
                    offer: None,
                    talk: None,
                    transfer: None,
                    recording: None,
                    last_queue: None,
                    visits: 0,
                    ending: None,
                };
                self.conversations.insert(*conversation, started);
                self.timers.set(Timer::Conversation(*conversation), at + limits::CONVERSATION_MAX);
            }
            Event::ConversationEnding { conversation, termination } => {
                if let Some(found) = self.conversations.get_mut(conversation) {
                    found.ending = Some(*termination);
                }
                self.timers.clear(Timer::Conversation(*conversation));
            }
            Event::ConversationEnded { conversation, .. } => {
                if let Some(found) = self.conversations.get_mut(conversation) {
                    found.segment = None;
                    found.greeting = None;
                }
                self.timers.clear(Timer::Conversation(*conversation));
                self.timers.clear(Timer::Prompt(*conversation));
                self.forget_when_done(*conversation);
            }
            Event::SegmentClosed { conversation, to, next, .. } => {
                if let Some(found) = self.conversations.get_mut(conversation) {
                    if found.greeting.take().is_some() {
                        self.timers.clear(Timer::Prompt(*conversation));
                    }
                    if let Some(kind) = next {
                        // A visit or talk that begins now says itself whose segment it is.
                        let (queue, agent) = found.talk.as_ref().map_or((None, None), |talk| (talk.queue, talk.agent));
                        found.segment = Some(Segment { kind: *kind, from: *to, queue, agent });
                    }
                }
            }
            Event::LegAdded { .. }
            | Event::LegRinging { .. }
            | Event::LegConnected { .. }
            | Event::LegHeld { .. }
            | Event::LegEnded { .. }
            | Event::LegMeasured { .. } => self.apply_leg(stamped),
            Event::VisitStarted { .. } | Event::VisitEnded { .. } => self.apply_visit(stamped),
            Event::OfferMade { offer, conversation, queue, agent, leg, rings_until, .. } => {
                if let Some(found) = self.conversations.get_mut(conversation) {
                    found.offer =
                        Some(Offer { id: *offer, agent: *agent, leg: *leg, queue: *queue, made_at: at, rings_until: *rings_until });
                    self.timers.set(Timer::Ring(*conversation), *rings_until);
                }
            }
            Event::OfferEnded { conversation, .. } => {
                if let Some(found) = self.conversations.get_mut(conversation) {
                    found.offer = None;
                }
                self.timers.clear(Timer::Ring(*conversation));
            }
            Event::TalkStarted { conversation, queue, agent, leg } => {
                if let Some(found) = self.conversations.get_mut(conversation) {
                    found.talk =
                        Some(Talk { leg: *leg, agent: *agent, queue: *queue, started_at: at, hold: Millis::default(), held_since: None });
                    if let Some(segment) = &mut found.segment {
                        (segment.queue, segment.agent) = (*queue, *agent);
                    }
                }
            }
            Event::TalkEnded { conversation, .. } => {
                if let Some(found) = self.conversations.get_mut(conversation) {
                    found.talk = None;
                }
            }
            Event::HoldStarted { conversation, .. } => {
                if let Some(talk) = self.conversations.get_mut(conversation).and_then(|found| found.talk.as_mut()) {
                    talk.held_since.get_or_insert(at);
                }
            }
            Event::HoldEnded { conversation } => {
                if let Some(talk) = self.conversations.get_mut(conversation).and_then(|found| found.talk.as_mut())
                    && let Some(since) = talk.held_since.take()
                {
                    talk.hold = talk.hold + at.since(since);
                }
            }
            Event::TransferStarted { conversation, by, to } => {
                if let Some(found) = self.conversations.get_mut(conversation) {
                    found.transfer = Some(Transfer { to: to.clone(), by: by.clone(), leg: None, started_at: at });
                }
            }
            Event::TransferEnded { conversation, .. } => {
                if let Some(transfer) = self.conversations.get_mut(conversation).and_then(|found| found.transfer.take())
                    && let Some(leg) = transfer.leg
                {
                    self.timers.clear(Timer::TransferRing(leg));
                }
            }
            Event::RecordingStarted { conversation, recording } => {
                if let Some(found) = self.conversations.get_mut(conversation) {
                    found.recording = Some(*recording);
                    let open = OpenRecording { conversation: *conversation, line: found.line, started_at: at, stopping: false };
                    self.recordings.insert(*recording, open);
                }
            }
            Event::RecordingFinished { conversation, recording, .. } | Event::RecordingFailed { conversation, recording, .. } => {
                if let Some(found) = self.conversations.get_mut(conversation)
                    && found.recording == Some(*recording)
                {
                    found.recording = None;
                }
                self.recordings.remove(recording);
                self.timers.clear(Timer::Recording(*recording));
            }
            Event::DutyChanged { .. }
            | Event::AvailabilityChanged { .. }
            | Event::AvailabilityPlanned { .. }
            | Event::ReachabilityChanged { .. }
            | Event::OccupationChanged { .. }
            | Event::WrapUpStarted { .. }
            | Event::WrapUpEnded { .. } => self.apply_agent(stamped),
            Event::ActionRequested { action, wish } => {
                self.apply_wish(at, wish);
                // The greeting has a deadline of its own, which also settles its action.
                if let Action::Play { conversation, repeat: false, .. } = wish {
                    if let Some(found) = self.conversations.get_mut(conversation) {
                        found.greeting = Some(*action);
                    }
                    self.timers.set(Timer::Prompt(*conversation), at + limits::PROMPT_MAX);
                } else {
                    self.timers.set(Timer::Action(*action), at + limits::ACTION_MAX);
                }
                self.pending.insert(*action, wish.clone());
            }
            Event::ActionSettled { action, failure } => {
                self.timers.clear(Timer::Action(*action));
                if let Some(wish) = self.pending.remove(*action)
                    && failure.is_some()
                {
                    self.apply_failure(at, &wish);
                }
            }
            Event::TookOver {} => {
                self.took_over = stamped.seq;
                self.took_over_at = at;
            }
            Event::DrainChanged { on } => self.draining = *on,
        }
    }

    fn apply_configured(&mut self, at: Timestamp, change: &Change) {
        match change {
            Change::PutSkill(skill) => {
                self.skills.insert(skill.id, skill.clone());
            }
            Change::PutQueue(settings) => match self.queues.get_mut(&settings.id) {
                Some(queue) => queue.settings = settings.clone(),
                None => {
                    self.queues.insert(settings.id, Queue { settings: settings.clone(), waiting: Default::default() });
                }
            },
            Change::PutAgent(settings) => match self.agents.get_mut(&settings.id) {
                Some(agent) => {
                    // Another kind of telephone is reached in another way; what was known of the old one says nothing.
                    let desk = |endpoint: &Endpoint| matches!(endpoint, Endpoint::Desk(_));
                    if desk(&agent.settings.endpoint) != desk(&settings.endpoint) {
                        agent.reachable = !desk(&settings.endpoint);
                    }
                    agent.settings = settings.clone();
                    agent.retiring = false;
                }
                None => {
                    self.agents.insert(settings.id, Agent::new(settings.clone(), at));
                }
            },
            Change::PutNumber(number) => {
                self.numbers.insert(number.id, number.clone());
            }
            Change::PutTenant(settings) => self.settings = settings.clone(),
            Change::RemoveSkill(id) => {
                self.skills.remove(id);
            }
            Change::RemoveQueue(id) => {
                self.queues.remove(id);
            }
            Change::RemoveAgent(id) => {
                if let Some(agent) = self.agents.get_mut(id) {
                    agent.retiring = true;
                }
                self.retire_when_done(*id);
            }
            Change::RemoveNumber(id) => {
                self.numbers.remove(id);
            }
        }
    }

    fn apply_leg(&mut self, stamped: &Stamped) {
        let at = stamped.at;
        match &stamped.event {
            Event::LegAdded { conversation, leg, role, line, direction, endpoint } => {
                let Some(found) = self.conversations.get_mut(conversation) else { return };
                found.legs.push(Leg {
                    id: *leg,
                    role: *role,
                    line: *line,
                    direction: *direction,
                    endpoint: endpoint.clone(),
                    started_at: at,
                    ringing_at: None,
                    connected_at: None,
                    held: false,
                    ending: false,
                    ending_reason: None,
                    token: None,
                    measured: false,
                    since: stamped.seq,
                });
                self.legs.insert(*leg, *conversation);
                match role {
                    Role::Customer => {
                        found.customer = Some(*leg);
                        self.timers.set(Timer::Answer(*leg), at + limits::ANSWER_MAX);
                    }
                    Role::Agent(id) => {
                        if let Some(agent) = self.agents.get_mut(id) {
                            agent.leg = Some(*leg);
                        }
                    }
                    Role::External => {
                        if let Some(transfer) = &mut found.transfer {
                            transfer.leg = Some(*leg);
                        }
                        self.timers.set(Timer::TransferRing(*leg), at + limits::TRANSFER_RING);
                    }
                }
            }
            Event::LegRinging { leg, .. } => {
                if let Some(leg) = self.leg_mut(*leg) {
                    leg.ringing_at.get_or_insert(at);
                }
            }
            Event::LegConnected { leg, token, .. } => {
                self.timers.clear(Timer::Answer(*leg));
                self.timers.clear(Timer::TransferRing(*leg));
                if let Some(leg) = self.leg_mut(*leg) {
                    leg.connected_at.get_or_insert(at);
                    leg.token.clone_from(token);
                }
            }
            Event::LegHeld { leg, held, .. } => {
                if let Some(leg) = self.leg_mut(*leg) {
                    leg.held = *held;
                }
            }
            Event::LegEnded { conversation, leg, line, given_up, .. } => {
                for timer in [Timer::Answer(*leg), Timer::TransferRing(*leg), Timer::HangUp(*leg), Timer::HangUpAgain(*leg)] {
                    self.timers.clear(timer);
                }
                self.legs.remove(leg);
                let mut measured = false;
                let mut of_agent = None;
                if let Some(found) = self.conversations.get_mut(conversation) {
                    if let Some(index) = found.legs.iter().position(|candidate| candidate.id == *leg) {
                        let gone = found.legs.remove(index);
                        measured = gone.measured;
                        if let Role::Agent(agent) = gone.role {
                            of_agent = Some(agent);
                        }
                    }
                    if found.customer == Some(*leg) {
                        found.customer = None;
                    }
                }
                self.departed.insert(DepartedLeg { leg: *leg, conversation: *conversation, line: *line, measured, given_up: *given_up });
                if let Some(id) = of_agent {
                    if let Some(agent) = self.agents.get_mut(&id)
                        && agent.leg == Some(*leg)
                    {
                        agent.leg = None;
                    }
                    self.retire_when_done(id);
                }
                self.forget_when_done(*conversation);
            }
            Event::LegMeasured { leg, .. } => {
                if let Some(leg) = self.leg_mut(*leg) {
                    leg.measured = true;
                } else if let Some(leg) = self.departed.get_mut(*leg) {
                    leg.measured = true;
                }
            }
            _ => {}
        }
    }

    fn apply_visit(&mut self, stamped: &Stamped) {
        match &stamped.event {
            Event::VisitStarted { visit, conversation, queue, priority, skills, enqueued_at } => {
                let Some(found) = self.conversations.get_mut(conversation) else { return };
                let visit = Visit { id: *visit, queue: *queue, priority: *priority, skills: skills.clone(), enqueued_at: *enqueued_at };
                let turn = visit.turn(*conversation);
                found.visit = Some(visit);
                if let Some(segment) = &mut found.segment {
                    segment.queue = Some(*queue);
                }
                found.last_queue = Some(*queue);
                found.visits += 1;
                if let Some(queue) = self.queues.get_mut(queue) {
                    queue.waiting.insert(turn);
                    if let Some(longest) = queue.settings.max_wait {
                        self.timers.set(Timer::MaxWait(*conversation), *enqueued_at + longest);
                    }
                }
            }
            Event::VisitEnded { conversation, .. } => {
                self.timers.clear(Timer::MaxWait(*conversation));
                let Some(visit) = self.conversations.get_mut(conversation).and_then(|found| found.visit.take()) else { return };
                if let Some(queue) = self.queues.get_mut(&visit.queue) {
                    queue.waiting.remove(&visit.turn(*conversation));
                }
            }
            _ => {}
        }
    }

    fn apply_agent(&mut self, stamped: &Stamped) {
        let at = stamped.at;
        let id = match &stamped.event {
            Event::DutyChanged { agent, .. }
            | Event::AvailabilityChanged { agent, .. }
            | Event::AvailabilityPlanned { agent, .. }
            | Event::ReachabilityChanged { agent, .. }
            | Event::OccupationChanged { agent, .. }
            | Event::WrapUpStarted { agent, .. }
            | Event::WrapUpEnded { agent, .. } => *agent,
            _ => return,
        };
        let Some(agent) = self.agents.get_mut(&id) else { return };
        let could_be_offered = is_willing(agent);
        match &stamped.event {
            Event::DutyChanged { duty, .. } => {
                agent.duty = *duty;
                agent.state_since = at;
            }
            Event::AvailabilityChanged { availability, .. } => {
                agent.availability = availability.clone();
                agent.planned = None;
                agent.state_since = at;
            }
            Event::AvailabilityPlanned { availability, .. } => agent.planned.clone_from(availability),
            Event::ReachabilityChanged { reachable, .. } => agent.reachable = *reachable,
            Event::OccupationChanged { occupation, .. } => {
                // An offer that was taken back leaves the agent's place among the idle as it was.
                if *occupation == Occupation::Idle && !matches!(agent.occupation, Occupation::Offered { .. }) {
                    agent.idle_since = at;
                }
                agent.occupation = *occupation;
                agent.occupation_since = at;
            }
            Event::WrapUpStarted { until: Some(until), .. } => self.timers.set(Timer::WrapUp(id), *until),
            Event::WrapUpEnded { .. } => self.timers.clear(Timer::WrapUp(id)),
            _ => {}
        }
        if !could_be_offered && is_willing(agent) {
            agent.idle_since = at;
        }
        self.retire_when_done(id);
    }

    fn apply_wish(&mut self, at: Timestamp, wish: &Action) {
        match wish {
            Action::HangUp { leg, reason, .. } => {
                self.timers.clear(Timer::HangUpAgain(*leg));
                self.mark_ending(at, *leg, *reason);
            }
            Action::StopRecording { recording, .. } => {
                if let Some(open) = self.recordings.get_mut(recording) {
                    open.stopping = true;
                    if let Some(found) = self.conversations.get_mut(&open.conversation)
                        && found.recording == Some(*recording)
                    {
                        found.recording = None;
                    }
                    self.timers.set(Timer::Recording(*recording), at + limits::RECORDING_CLOSE_MAX);
                }
            }
            Action::Survey { line } => self.timers.clear(Timer::Survey(*line)),
            _ => {}
        }
    }

    fn mark_ending(&mut self, at: Timestamp, id: LegId, reason: HangUpReason) {
        let Some(leg) = self.leg_mut(id) else { return };
        if leg.ending {
            return;
        }
        leg.ending = true;
        leg.ending_reason = Some(reason);
        self.timers.clear(Timer::Answer(id));
        self.timers.clear(Timer::TransferRing(id));
        self.timers.set(Timer::HangUp(id), at + limits::HANG_UP_MAX);
    }

    /// Some wishes have to be uttered again later when they cannot be carried out now.
    fn apply_failure(&mut self, at: Timestamp, wish: &Action) {
        match wish {
            Action::Survey { line } if self.misses(*line) => {
                let pause = at.since(self.took_over_at).clamp(limits::SURVEY_RETRY, limits::SURVEY_RETRY_MAX);
                self.timers.set(Timer::Survey(*line), at + pause);
            }
            Action::HangUp { leg, .. } if self.legs.contains_key(leg) => {
                self.timers.set(Timer::HangUpAgain(*leg), at + limits::HANG_UP_RETRY);
            }
            _ => {}
        }
    }

    /// Whether it matters what lives on this line: legs of a former process do, or somebody is reached over it.
    fn misses(&self, line: Line) -> bool {
        let former = |leg: &Leg| leg.line == line && leg.since < self.took_over;
        self.settings.outbound_line == Some(line)
            || self.numbers.values().any(|number| number.line == line)
            || self.agents.values().any(|agent| agent.settings.line == line)
            || self.conversations.values().flat_map(|found| &found.legs).any(former)
    }

    fn leg_mut(&mut self, leg: LegId) -> Option<&mut Leg> {
        let conversation = self.legs.get(&leg)?;
        self.conversations.get_mut(conversation)?.leg_mut(leg)
    }

    /// A conversation is kept until the customer has left and its last leg has ended.
    fn forget_when_done(&mut self, id: ConversationId) {
        if self.conversations.get(&id).is_some_and(|found| found.is_over() && found.legs.is_empty()) {
            self.conversations.remove(&id);
        }
    }

    /// An agent removed while busy disappears with the last thing that kept it.
    fn retire_when_done(&mut self, id: AgentId) {
        let done = |agent: &Agent| agent.retiring && agent.occupation == Occupation::Idle && agent.leg.is_none();
        if self.agents.get(&id).is_some_and(done) {
            self.agents.remove(&id);
            self.timers.clear(Timer::WrapUp(id));
        }
    }
}

/// Routable but for what the agent is busy with.
fn is_willing(agent: &Agent) -> bool {
    agent.duty == agent::Duty::OnDuty && agent.availability == Availability::Ready && agent.reachable
}
