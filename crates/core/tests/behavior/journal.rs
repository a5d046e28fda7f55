//! The journal of version 1 is kept for years: what was written once must be read for ever.
//!
//! `tests/data/journal-v1.jsonl` holds every kind of event. It is never rewritten for a change of the code; new kinds and
//! fields get a file of their own. `UPDATE_GOLDEN=1` writes it anew while version 1 is not released.

use crate::office::{ANNA, BERT, OTHER_QUEUE, Office, QUEUE, SALES, SUPPORT, agent, number, queue};
use dreiklang_core::{
    Action, Command, Engine, Event, Input, Stamped, World,
    agent::{Availability, Duty},
    config::{Change, Skill, Target},
    conversation::{CauseKind, Quality, Stream},
    endpoint::Line,
    ids::{AgentId, LegId, NumberId, SkillId, TenantId},
    input::TransferTarget,
    output::{ActionFailure, Prompt},
    queue::{Allowance, RecordingPolicy, SkillRequirement},
    time::Millis,
};
use std::collections::BTreeSet;

const GOLDEN: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/journal-v1.jsonl");

/// Exhaustive on purpose: a new kind of event does not compile until it is named here, and then wants a golden line.
fn kind(event: &Event) -> &'static str {
    match event {
        Event::Configured { .. } => "configured",
        Event::ConversationStarted { .. } => "conversation_started",
        Event::CallerListed { .. } => "caller_listed",
        Event::LegAdded { .. } => "leg_added",
        Event::LegRinging { .. } => "leg_ringing",
        Event::LegConnected { .. } => "leg_connected",
        Event::LegHeld { .. } => "leg_held",
        Event::LegEnded { .. } => "leg_ended",
        Event::LegMeasured { .. } => "leg_measured",
        Event::SegmentClosed { .. } => "segment_closed",
        Event::VisitStarted { .. } => "visit_started",
        Event::PriorityChanged { .. } => "priority_changed",
        Event::VisitWidened { .. } => "visit_widened",
        Event::Decided { .. } => "decided",
        Event::VisitEnded { .. } => "visit_ended",
        Event::VisitEstimated { .. } => "visit_estimated",
        Event::EstimateMeasured { .. } => "estimate_measured",
        Event::PaceMeasured { .. } => "pace_measured",
        Event::VisitOverflowed { .. } => "visit_overflowed",
        Event::OverflowPassedOver { .. } => "overflow_passed_over",
        Event::FlowEntered { .. } => "flow_entered",
        Event::FlowStepped { .. } => "flow_stepped",
        Event::FlowWaiting { .. } => "flow_waiting",
        Event::SurveyOffered { .. } => "survey_offered",
        Event::SurveyAnswered { .. } => "survey_answered",
        Event::FlowKeyed { .. } => "flow_keyed",
        Event::FlowAskedAgain { .. } => "flow_asked_again",
        Event::FlowSuspended { .. } => "flow_suspended",
        Event::FlowLeft { .. } => "flow_left",
        Event::Announced { .. } => "announced",
        Event::FarewellStarted { .. } => "farewell_started",
        Event::VisitPulled { .. } => "visit_pulled",
        Event::Requeued { .. } => "requeued",
        Event::QueueStaffed { .. } => "queue_staffed",
        Event::QueueClosed { .. } => "queue_closed",
        Event::NoticeChanged { .. } => "notice_changed",
        Event::WrittenOpened { .. } => "written_opened",
        Event::WrittenQueued { .. } => "written_queued",
        Event::WrittenOffered { .. } => "written_offered",
        Event::WrittenOfferEnded { .. } => "written_offer_ended",
        Event::WrittenUnqueued { .. } => "written_unqueued",
        Event::WrittenTaken { .. } => "written_taken",
        Event::WrittenReleased { .. } => "written_released",
        Event::WrittenDisposed { .. } => "written_disposed",
        Event::WrittenWrapUpStarted { .. } => "written_wrap_up_started",
        Event::WrittenWrapUpEnded { .. } => "written_wrap_up_ended",
        Event::WrittenClosed { .. } => "written_closed",
        Event::HoursOverridden { .. } => "hours_overridden",
        Event::LanguageChosen { .. } => "language_chosen",
        Event::OfferMade { .. } => "offer_made",
        Event::OfferEnded { .. } => "offer_ended",
        Event::OfferAnswered { .. } => "offer_answered",
        Event::AgentPassedOver { .. } => "agent_passed_over",
        Event::AgentsAskedAgain { .. } => "agents_asked_again",
        Event::ReturnPlanned { .. } => "return_planned",
        Event::DispositionSet { .. } => "disposition_set",
        Event::TalkStarted { .. } => "talk_started",
        Event::TalkEnded { .. } => "talk_ended",
        Event::HoldStarted { .. } => "hold_started",
        Event::HoldEnded { .. } => "hold_ended",
        Event::TransferStarted { .. } => "transfer_started",
        Event::TransferEnded { .. } => "transfer_ended",
        Event::ConsultStarted { .. } => "consult_started",
        Event::ConsultCalled { .. } => "consult_called",
        Event::ConsultAnswered { .. } => "consult_answered",
        Event::ConsultTurned { .. } => "consult_turned",
        Event::ConsultEnded { .. } => "consult_ended",
        Event::CallbackOffered { .. } => "callback_offered",
        Event::NumberTyped { .. } => "number_typed",
        Event::CallbackRequested { .. } => "callback_requested",
        Event::CallbackRepeated { .. } => "callback_repeated",
        Event::CallbackRescheduled { .. } => "callback_rescheduled",
        Event::CallbackCalled { .. } => "callback_called",
        Event::CallbackMissed { .. } => "callback_missed",
        Event::CallbackEnded { .. } => "callback_ended",
        Event::MessageStarted { .. } => "message_started",
        Event::MessageLeft { .. } => "message_left",
        Event::MessageDiscarded { .. } => "message_discarded",
        Event::MessageMarked { .. } => "message_marked",
        Event::MessageDeleted { .. } => "message_deleted",
        Event::MemberJoined { .. } => "member_joined",
        Event::MemberLeft { .. } => "member_left",
        Event::SupervisionStarted { .. } => "supervision_started",
        Event::SupervisionAnswered { .. } => "supervision_answered",
        Event::SupervisionChanged { .. } => "supervision_changed",
        Event::SupervisionEnded { .. } => "supervision_ended",
        Event::RecordingStarted { .. } => "recording_started",
        Event::RecordingPaused { .. } => "recording_paused",
        Event::RecordingResumed { .. } => "recording_resumed",
        Event::RecordingPauseFailed { .. } => "recording_pause_failed",
        Event::RecordingRefused { .. } => "recording_refused",
        Event::RecordingFinished { .. } => "recording_finished",
        Event::RecordingFailed { .. } => "recording_failed",
        Event::ConversationEnding { .. } => "conversation_ending",
        Event::ConversationEnded { .. } => "conversation_ended",
        Event::DutyChanged { .. } => "duty_changed",
        Event::AvailabilityChanged { .. } => "availability_changed",
        Event::AvailabilityPlanned { .. } => "availability_planned",
        Event::DutyPlanned { .. } => "duty_planned",
        Event::ProfileChosen { .. } => "profile_chosen",
        Event::QueueSignIn { .. } => "queue_sign_in",
        Event::ReachabilityChanged { .. } => "reachability_changed",
        Event::OccupationChanged { .. } => "occupation_changed",
        Event::WrapUpStarted { .. } => "wrap_up_started",
        Event::WrapUpExtended { .. } => "wrap_up_extended",
        Event::WrapUpEnded { .. } => "wrap_up_ended",
        Event::ActionRequested { .. } => "action_requested",
        Event::ActionSettled { .. } => "action_settled",
        Event::TookOver {} => "took_over",
        Event::DrainChanged { .. } => "drain_changed",
    }
}

const KINDS: usize = 35;

fn wish(action: &Action) -> &'static str {
    match action {
        Action::Answer { .. } => "answer",
        Action::Reject { .. } => "reject",
        Action::Dial { .. } => "dial",
        Action::HangUp { .. } => "hang_up",
        Action::Play { .. } => "play",
        Action::Bridge { .. } => "bridge",
        Action::Mix { .. } => "mix",
        Action::Silence { .. } => "silence",
        Action::StartRecording { .. } => "start_recording",
        Action::RecordRight { .. } => "record_right",
        Action::PauseRecording { .. } => "pause_recording",
        Action::ResumeRecording { .. } => "resume_recording",
        Action::StopRecording { .. } => "stop_recording",
        Action::AnswerTransfer { .. } => "answer_transfer",
        Action::EndGhost { .. } => "end_ghost",
        Action::AskService { .. } => "ask_service",
        Action::Survey { .. } => "survey",
    }
}

const WISHES: usize = 13;

/// A day on which everything happens once.
fn eventful_day() -> Vec<Stamped> {
    let mut office = Office::with_agents(&[ANNA, BERT]);
    configure_everything(&mut office);
    office.arrive("+49300000");
    talk_with_everything(&mut office);
    transfer_everywhere(&mut office);

    office.give(Input::Drain { on: true });
    office.give(Input::Drain { on: false });
    office.talk(SALES, BERT);
    office.give(Input::TookOver);
    for line in [Line::Connected, Line::Extended, Line::Unified] {
        office.give(Input::Survey { line, live: vec![LegId(9)] });
    }
    let action = office.engine.world().pending().iter().next().unwrap().0;
    office.give(Input::ActionFailed { action, failure: ActionFailure { code: "LINE-001".to_owned(), detail: "no".to_owned() } });
    office.pass(1_000_000);
    office.ask(Command::SetDuty { agent: BERT, duty: Duty::SignedOut }).unwrap();
    office.put(Change::RemoveAgent(AgentId(3)));
    office.events
}

fn configure_everything(office: &mut Office) {
    office.put(Change::PutSkill(Skill { id: SkillId(1), name: "German".to_owned() }));
    office.put(Change::PutSkill(Skill { id: SkillId(2), name: "Latin".to_owned() }));
    let mut support = queue(QUEUE, "Support");
    support.recording = RecordingPolicy::FromQueue;
    support.wrap_up = Allowance::Timed { duration: Millis::from_secs(30) };
    support.hold_music = Prompt::File { name: "music.wav".to_owned() };
    support.max_wait = Some(Millis::from_secs(600));
    office.put(Change::PutQueue(support));
    let mut anna = agent(ANNA, "Anna");
    anna.skills.insert(SkillId(1), 5);
    office.put(Change::PutAgent(anna));
    office.put(Change::PutAgent(agent(AgentId(3), "Carl")));
    let mut document = number(1, SUPPORT, Target::Queue(QUEUE));
    document.greeting = Some(Prompt::Text { text: "Willkommen".to_owned(), language: "de".to_owned() });
    document.skills = vec![SkillRequirement { skill: SkillId(1), level: 2 }];
    document.priority = Some(70);
    office.put(Change::PutNumber(document));
    office.put(Change::PutNumber(number(4, "+49304", Target::Agent(AgentId(3)))));
    office.put(Change::RemoveNumber(NumberId(4)));
    office.put(Change::RemoveSkill(SkillId(2)));
}

fn talk_with_everything(office: &mut Office) {
    let customer = office.call(SUPPORT);
    let play = office.conversation(customer).playing.unwrap();
    office.pass(2_000);
    office.give(Input::PlayFinished { leg: customer, play });
    let leg = office.offered_leg(ANNA).unwrap();
    office.give(Input::Ringing { leg });
    office.pass(3_000);
    office.connect(leg);
    let conversation = office.conversation_id(customer);
    office.ask(Command::Hold { conversation }).unwrap();
    office.pass(1_000);
    office.ask(Command::Resume { conversation }).unwrap();
    office.give(Input::HeldByParty { leg, held: true });
    office.give(Input::HeldByParty { leg, held: false });
    let lunch = Availability::NotReady { reason: "lunch".to_owned() };
    office.ask(Command::SetAvailability { agent: ANNA, availability: lunch }).unwrap();
    let recording = office.conversation(customer).recording.unwrap();
    let stream = Stream { packets: 100, lost: 1, jitter_ms: 2.5, mos: Some(4.3) };
    let quality = Quality { received: Some(stream.clone()), sent: Some(stream), round_trip_ms: Some(20.0), ..Quality::default() };
    office.give(Input::Measured { leg: customer, quality });
    office.end(customer, CauseKind::FarEnd);
    office.give(Input::RecordingFinished { recording, path: "2024/a.wav".to_owned(), duration: Millis(6_000), channels: 2 });
    office.obey_hang_ups();
    office.ask(Command::FinishWrapUp { agent: ANNA, disposition: Some("solved".to_owned()) }).unwrap();
    office.ask(Command::SetAvailability { agent: ANNA, availability: Availability::Ready }).unwrap();
}

fn transfer_everywhere(office: &mut Office) {
    let customer = office.call(SUPPORT);
    let play = office.conversation(customer).playing.unwrap();
    office.give(Input::PlayFinished { leg: customer, play });
    let leg = office.offered_leg(ANNA).unwrap();
    office.connect(leg);
    let recording = office.conversation(customer).recording.unwrap();
    office.give(Input::TransferRequested { leg, target: "bert".to_owned() });
    let leg = office.offered_leg(BERT).unwrap();
    office.connect(leg);
    let conversation = office.conversation_id(customer);
    office.ask(Command::Transfer { conversation, to: TransferTarget::Number("+49891234567".to_owned()) }).unwrap();
    let outside = office.conversation(customer).transfer.as_ref().unwrap().leg.unwrap();
    office.end(outside, CauseKind::Busy);
    office.ask(Command::Transfer { conversation, to: TransferTarget::Queue(OTHER_QUEUE) }).unwrap();
    office.give(Input::RecordingFailed { recording, reason: "disk full".to_owned() });
    office.ask(Command::HangUp { conversation }).unwrap();
    office.obey_hang_ups();
    office.pass(40_000);
}

/// Whether all that was written is still there; fields may have been added since.
fn holds(now: &serde_json::Value, written: &serde_json::Value) -> bool {
    use serde_json::Value::{Array, Object};
    match (now, written) {
        (Object(now), Object(written)) => written.iter().all(|(key, value)| now.get(key).is_some_and(|now| holds(now, value))),
        (Array(now), Array(written)) => now.len() == written.len() && now.iter().zip(written).all(|(now, written)| holds(now, written)),
        _ => now == written,
    }
}

#[test]
#[expect(clippy::disallowed_methods, reason = "the golden file is the test's own")]
fn every_kind_of_event_and_wish_of_version_1_is_still_read() {
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        let lines: Vec<String> = eventful_day().iter().map(|stamped| serde_json::to_string(stamped).unwrap()).collect();
        std::fs::write(GOLDEN, lines.join("\n") + "\n").unwrap();
    }
    let text = std::fs::read_to_string(GOLDEN).unwrap();
    let (mut kinds, mut wishes) = (BTreeSet::new(), BTreeSet::new());
    let mut world = World::new(TenantId(7));
    for line in text.lines() {
        let stamped: Stamped = serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
        let written: serde_json::Value = serde_json::from_str(line).unwrap();
        assert_eq!(written["type"], kind(&stamped.event));
        let again = serde_json::to_value(&stamped).unwrap();
        assert!(holds(&again, &written), "something is lost or changed: {line}");
        kinds.insert(kind(&stamped.event));
        if let Event::ActionRequested { wish: action, .. } = &stamped.event {
            wishes.insert(wish(action));
        }
        world.apply(&stamped);
    }
    assert_eq!(kinds.len(), KINDS, "{kinds:?}");
    assert_eq!(wishes.len(), WISHES, "{wishes:?}");
    assert_eq!(dreiklang_core::check::check(&world), []);
    assert_eq!(world.conversations().len(), 0);
    assert_eq!(world.agents().map(|agent| agent.settings.name.as_str()).collect::<Vec<_>>(), ["Anna", "Bert"]);
}

#[test]
fn events_a_snapshot_holds_already_are_passed_over() {
    let day = eventful_day();
    let whole = Engine::replay(World::new(TenantId(7)), day.clone());
    let mut half = World::new(TenantId(7));
    for stamped in &day[..day.len() / 2] {
        half.apply(stamped);
    }
    assert_eq!(Engine::replay(half, day).world(), whole.world());
}

#[test]
#[should_panic(expected = "without gaps")]
fn a_journal_with_a_gap_is_not_decided_upon() {
    let mut day = eventful_day();
    day.remove(10);
    Engine::replay(World::new(TenantId(7)), day);
}
