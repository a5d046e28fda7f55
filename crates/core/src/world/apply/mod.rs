//! What each event changes; one file per kind of fact where it is more than a line.
//!
//! Total: an event about something that is not there changes nothing but the version, so that replay never fails on what a
//! later release may leave out.

mod agent;
mod callback;
mod configured;
mod consult;
mod flow;
mod leg;
mod message;
mod missed;
mod parties;
mod recording;
mod visit;
mod waiting;
mod wish;
mod written;

use super::{Timer, World};
use crate::{
    agent::Agent,
    conversation::{Conversation, LastTalk, Leg, Listed, Offer, Purpose, Segment, SegmentKind, Talk, Transfer},
    hours::{Override, Switch},
    ids::{ActionId, AgentId, ConversationId, LegId},
    limits,
    output::{Action, Event, Stamped},
    time::Millis,
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
            Event::ConversationStarted { conversation, line, direction, caller, dialed, number, callback } => {
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
                    language: document.and_then(|number| number.language.clone()),
                    preferred: document.and_then(|number| number.preferred),
                    listed: None,
                    started_at: at,
                    customer: None,
                    legs: Vec::new(),
                    segment: Some(Segment { kind: SegmentKind::SetUp, from: at, queue: None, agent: None }),
                    playing: None,
                    run: None,
                    flows: 0,
                    visit: None,
                    offer: None,
                    also: Vec::new(),
                    talk: None,
                    transfer: None,
                    consult: None,
                    callback: *callback,
                    dialing: None,
                    asking: None,
                    kept_place: None,
                    message: None,
                    members: Vec::new(),
                    supervisors: Vec::new(),
                    mixed: None,
                    recording: None,
                    record_no_more: false,
                    last_queue: None,
                    last_talk: None,
                    surveyed: false,
                    visits: 0,
                    waited: Millis::default(),
                    overflows: 0,
                    farewell: None,
                    ending: None,
                };
                self.conversations.insert(*conversation, started);
                let longest = if callback.is_some() { limits::CALLBACK_WAIT_MAX } else { limits::CONVERSATION_MAX };
                self.timers.set(Timer::Conversation(*conversation), at + longest);
                if let Some(callback) = callback {
                    self.line_up(*callback, *conversation);
                }
            }
            Event::CallerListed { conversation, list, treatment } => {
                if let Some(found) = self.conversations.get_mut(conversation) {
                    found.listed = Some(Box::new(Listed { list: *list, treatment: treatment.as_ref().clone() }));
                }
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
                    found.playing = None;
                }
                self.timers.clear(Timer::Conversation(*conversation));
                self.timers.clear(Timer::Prompt(*conversation));
                self.forget_when_done(*conversation);
            }
            Event::SegmentClosed { conversation, to, next, .. } => {
                if let Some(found) = self.conversations.get_mut(conversation) {
                    if found.playing.take().is_some() {
                        self.timers.clear(Timer::Prompt(*conversation));
                    }
                    if found.asking.is_some() && *next != Some(SegmentKind::Callback) {
                        found.asking = None;
                        self.timers.clear(Timer::Asking(*conversation));
                    }
                    if *next != Some(SegmentKind::Dialing) {
                        found.dialing = None;
                    }
                    if found.message.is_some() && *next != Some(SegmentKind::Voicemail) {
                        found.message = None;
                        self.timers.clear(Timer::Message(*conversation));
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
            Event::FlowEntered { .. }
            | Event::FlowStepped { .. }
            | Event::FlowWaiting { .. }
            | Event::FlowKeyed { .. }
            | Event::FlowAskedAgain { .. }
            | Event::FlowSuspended { .. }
            | Event::FlowLeft { .. }
            | Event::SurveyOffered { .. } => self.apply_flow(stamped),
            // It is for reports.
            Event::SurveyAnswered { .. } => {}
            Event::VisitStarted { .. }
            | Event::VisitWidened { .. }
            | Event::PriorityChanged { .. }
            | Event::Decided { .. }
            | Event::VisitEnded { .. } => self.apply_visit(stamped),
            Event::LanguageChosen { conversation, language } => {
                if let Some(found) = self.conversations.get_mut(conversation) {
                    found.language.clone_from(language);
                }
            }
            Event::VisitEstimated { .. }
            | Event::PaceMeasured { .. }
            | Event::VisitOverflowed { .. }
            | Event::OverflowPassedOver { .. }
            | Event::Announced { .. }
            | Event::FarewellStarted { .. }
            | Event::QueueStaffed { .. }
            | Event::QueueClosed { .. }
            | Event::NoticeChanged { .. } => self.apply_waiting(stamped),
            // What they lead to is told by facts of their own.
            Event::EstimateMeasured { .. } | Event::VisitPulled { .. } | Event::Requeued { .. } => {}
            Event::OfferMade { offer, conversation, queue, agent, leg, rings_until, purpose, .. } => {
                if let Some(queue) = queue.and_then(|id| self.queues.get_mut(&id)) {
                    queue.last_offered = Some(*agent);
                }
                if let Some(found) = self.conversations.get_mut(conversation) {
                    let offer = Offer {
                        id: *offer,
                        agent: *agent,
                        leg: *leg,
                        queue: *queue,
                        made_at: at,
                        rings_until: *rings_until,
                        answered_at: None,
                        purpose: *purpose,
                    };
                    match found.offer {
                        None => found.offer = Some(offer),
                        Some(_) => found.also.push(offer),
                    }
                    if *purpose == Purpose::Consult {
                        self.timers.clear(Timer::ConsultWait(*conversation));
                    }
                    self.timers.set(Timer::Ring(*conversation), *rings_until);
                }
            }
            Event::OfferAnswered { conversation, offer, rings_until, .. } => {
                if let Some(found) = self.conversations.get_mut(conversation) {
                    for made in found.offer.iter_mut().chain(&mut found.also) {
                        made.rings_until = *rings_until;
                        if made.id == *offer {
                            made.answered_at = Some(at);
                        }
                    }
                    self.timers.set(Timer::Ring(*conversation), *rings_until);
                }
            }
            Event::OfferEnded { conversation, offer, .. } => {
                self.apply_missed(stamped);
                if let Some(found) = self.conversations.get_mut(conversation) {
                    found.also.retain(|other| other.id != *offer);
                    if found.offer.as_ref().is_some_and(|first| first.id == *offer) {
                        found.offer = (!found.also.is_empty()).then(|| found.also.remove(0));
                    }
                    if found.offer.is_some() {
                        return;
                    }
                    // A consult of a queue goes on waiting, within the time it has.
                    if let Some(consult) = found.consult.as_ref().filter(|_| self.queue_consults.contains(conversation)) {
                        self.timers.set(Timer::ConsultWait(*conversation), consult.started_at + limits::CONSULT_WAIT);
                    }
                }
                self.timers.clear(Timer::Ring(*conversation));
            }
            Event::TalkStarted { conversation, queue, agent, leg } => {
                if let (Some(_), Some(state)) = (queue, agent.and_then(|id| self.agents.get_mut(&id))) {
                    state.taken = state.taken.saturating_add(1);
                }
                if let Some(found) = self.conversations.get_mut(conversation) {
                    found.talk =
                        Some(Talk { leg: *leg, agent: *agent, queue: *queue, started_at: at, hold: Millis::default(), held_since: None });
                    if let Some(segment) = &mut found.segment {
                        (segment.queue, segment.agent) = (*queue, *agent);
                    }
                }
            }
            Event::TalkEnded { conversation, agent, queue, .. } => {
                if let Some(found) = self.conversations.get_mut(conversation) {
                    found.talk = None;
                    found.last_talk = agent.map(|agent| LastTalk { agent, queue: *queue }).or(found.last_talk);
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
                    let from = found.talk.as_ref().and_then(|talk| talk.agent);
                    found.transfer = Some(Transfer { to: to.clone(), by: by.clone(), from, leg: None, started_at: at });
                }
            }
            Event::TransferEnded { conversation, .. } => {
                if let Some(transfer) = self.conversations.get_mut(conversation).and_then(|found| found.transfer.take())
                    && let Some(leg) = transfer.leg
                {
                    self.timers.clear(Timer::TransferRing(leg));
                }
            }
            Event::ConsultStarted { .. }
            | Event::ConsultCalled { .. }
            | Event::ConsultAnswered { .. }
            | Event::ConsultTurned { .. }
            | Event::ConsultEnded { .. } => self.apply_consult(stamped),
            Event::MemberJoined { .. }
            | Event::MemberLeft { .. }
            | Event::SupervisionStarted { .. }
            | Event::SupervisionAnswered { .. }
            | Event::SupervisionChanged { .. }
            | Event::SupervisionEnded { .. } => self.apply_parties(stamped),
            Event::RecordingStarted { .. }
            | Event::RecordingPaused { .. }
            | Event::RecordingResumed { .. }
            | Event::RecordingRefused { .. }
            | Event::RecordingFinished { .. }
            | Event::RecordingFailed { .. } => self.apply_recording(stamped),
            // Its consequence is a wish of its own.
            Event::RecordingPauseFailed { .. } => {}
            Event::AgentPassedOver { .. } | Event::AgentsAskedAgain { .. } | Event::ReturnPlanned { .. } => self.apply_missed(stamped),
            Event::DutyChanged { .. }
            | Event::AvailabilityChanged { .. }
            | Event::AvailabilityPlanned { .. }
            | Event::DutyPlanned { .. }
            | Event::QueueSignIn { .. }
            | Event::ProfileChosen { .. }
            | Event::ReachabilityChanged { .. }
            | Event::OccupationChanged { .. }
            | Event::DispositionSet { .. }
            | Event::WrapUpStarted { .. }
            | Event::WrapUpExtended { .. }
            | Event::WrapUpEnded { .. } => self.apply_agent(stamped),
            Event::CallbackOffered { .. }
            | Event::NumberTyped { .. }
            | Event::CallbackRequested { .. }
            | Event::CallbackRescheduled { .. }
            | Event::CallbackCalled { .. }
            | Event::CallbackMissed { .. }
            | Event::CallbackEnded { .. } => self.apply_callback(stamped),
            Event::CallbackRepeated { .. } => {}
            Event::MessageStarted { .. }
            | Event::MessageLeft { .. }
            | Event::MessageDiscarded { .. }
            | Event::MessageMarked { .. }
            | Event::MessageDeleted { .. } => self.apply_message(stamped),
            Event::ActionRequested { action, wish } => {
                self.apply_wish(at, wish);
                match wish {
                    // What the customer hears once has a deadline of its own, which also settles its action.
                    Action::Play { conversation, leg, repeat: false, .. } if self.is_customer(*conversation, *leg) => {
                        if let Some(found) = self.conversations.get_mut(conversation) {
                            found.playing = Some(*action);
                        }
                        self.timers.set(Timer::Prompt(*conversation), at + limits::PROMPT_MAX);
                    }
                    Action::Play { repeat: false, .. } => self.timers.set(Timer::Action(*action), at + limits::PROMPT_MAX),
                    Action::PauseRecording { .. } | Action::ResumeRecording { .. } => {
                        self.timers.set(Timer::Action(*action), at + limits::PAUSE_ANSWER_MAX);
                    }
                    _ => self.timers.set(Timer::Action(*action), at + limits::ACTION_MAX),
                }
                self.pending.insert(*action, wish.clone());
            }
            Event::ActionSettled { action, failure } => {
                self.timers.clear(Timer::Action(*action));
                if let Some(wish) = self.pending.remove(*action) {
                    self.stop_waiting_for_prompt(*action, &wish);
                    if failure.is_some() {
                        self.apply_failure(at, &wish);
                    }
                }
            }
            Event::TookOver {} => {
                self.took_over = stamped.seq;
                self.took_over_at = at;
            }
            Event::DrainChanged { on } => self.draining = *on,
            Event::WrittenOpened { .. }
            | Event::WrittenQueued { .. }
            | Event::WrittenOffered { .. }
            | Event::WrittenOfferEnded { .. }
            | Event::WrittenUnqueued { .. }
            | Event::WrittenTaken { .. }
            | Event::WrittenReleased { .. }
            | Event::WrittenDisposed { .. }
            | Event::WrittenWrapUpStarted { .. }
            | Event::WrittenWrapUpEnded { .. }
            | Event::WrittenClosed { .. } => self.apply_written(stamped),
            Event::HoursOverridden { hours, to, by } => {
                self.timers.clear(Timer::HoursOverride(*hours));
                match to {
                    Switch::Automatic => {
                        self.overrides.remove(hours);
                    }
                    Switch::ForcedClosed { until } | Switch::ForcedOpen { until } => {
                        if let Some(until) = until {
                            self.timers.set(Timer::HoursOverride(*hours), *until);
                        }
                        self.overrides.insert(*hours, Override { switch: *to, by: by.clone(), since: at });
                    }
                }
            }
        }
    }

    pub(super) fn leg_mut(&mut self, leg: LegId) -> Option<&mut Leg> {
        let conversation = self.legs.get(&leg)?;
        self.conversations.get_mut(conversation)?.leg_mut(leg)
    }

    fn is_customer(&self, conversation: ConversationId, leg: LegId) -> bool {
        self.conversations.get(&conversation).is_some_and(|found| found.customer == Some(leg))
    }

    /// A prompt that was answered, superseded or given up is not waited for.
    fn stop_waiting_for_prompt(&mut self, action: ActionId, wish: &Action) {
        if let Action::Play { conversation, repeat: false, .. } = wish
            && let Some(found) = self.conversations.get_mut(conversation)
            && found.playing == Some(action)
        {
            found.playing = None;
            self.timers.clear(Timer::Prompt(*conversation));
        }
    }

    /// A conversation is kept until the customer has left and its last leg has ended.
    pub(super) fn forget_when_done(&mut self, id: ConversationId) {
        if self.conversations.get(&id).is_some_and(|found| found.is_over() && found.legs.is_empty()) {
            self.conversations.remove(&id);
        }
    }

    /// An agent removed while busy disappears with the last thing that kept it.
    pub(super) fn retire_when_done(&mut self, id: AgentId) {
        let done = |agent: &Agent| agent.retiring && agent.has_nothing_to_do() && agent.leg.is_none();
        if self.agents.get(&id).is_some_and(done) {
            self.agents.remove(&id);
            self.timers.clear(Timer::WrapUp(id));
            self.timers.clear(Timer::ReadyAgain(id));
        }
    }
}
