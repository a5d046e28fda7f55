//! Recording by command, and what must not be in a recording.

use crate::office::{ANNA, BERT, OTHER_QUEUE, Office, QUEUE, SUPPORT, queue};
use dreiklang_core::{
    Action, Actor, Command, Event, Input, Refusal,
    config::Change,
    conversation::{CauseKind, Gap, PauseReason},
    ids::{ActionId, ConversationId, LegId, RecordingId},
    input::TransferTarget,
    limits,
    queue::RecordingPolicy,
    time::{Millis, Timestamp},
};

fn recorded() -> (Office, ConversationId, LegId, RecordingId) {
    let mut office = Office::with_agents(&[ANNA, BERT]);
    for (id, name) in [(QUEUE, "Support"), (OTHER_QUEUE, "Sales")] {
        let mut settings = queue(id, name);
        settings.recording = RecordingPolicy::FromAnswer;
        office.put(Change::PutQueue(settings));
    }
    let (customer, _) = office.talk(SUPPORT, ANNA);
    let found = office.conversation(customer);
    let (id, recording) = (found.id, found.recording.unwrap());
    (office, id, customer, recording)
}

fn pause(office: &mut Office, conversation: ConversationId, secure: bool) -> Result<(), Refusal> {
    office.ask_as(Actor::Agent(ANNA), Command::PauseRecording { conversation, secure, at_most: None })
}

fn last(office: &Office, wanted: impl Fn(&Action) -> bool) -> Option<ActionId> {
    office.actions.iter().rev().find(|(_, action)| wanted(action)).map(|(id, _)| *id)
}

fn confirm_pause(office: &mut Office) {
    let action = last(office, |action| matches!(action, Action::PauseRecording { .. })).unwrap();
    office.give(Input::ActionDone { action });
}

fn finish(office: &mut Office, recording: RecordingId) -> Vec<Gap> {
    office.give(Input::RecordingFinished { recording, path: "a.wav".to_owned(), duration: Millis(1), channels: 2 });
    let gaps = |event: &Event| match event {
        Event::RecordingFinished { gaps, .. } => Some(gaps.clone()),
        _ => None,
    };
    office.events.iter().rev().find_map(|stamped| gaps(&stamped.event)).expect("the recording is finished")
}

fn is_paused(office: &Office, recording: RecordingId) -> bool {
    office.engine.world().recordings().any(|(id, open)| id == recording && open.pause.is_some())
}

#[test]
fn a_pause_is_a_gap_with_its_author_and_reason() {
    let (mut office, id, customer, recording) = recorded();
    pause(&mut office, id, false).unwrap();
    confirm_pause(&mut office);
    let from = office.now;
    office.pass(5_000);
    office.ask(Command::ResumeRecording { conversation: id }).unwrap();
    assert!(matches!(office.actions.last(), Some((_, Action::ResumeRecording { .. }))));
    office.end(customer, CauseKind::FarEnd);
    let expected = Gap { from, to: Timestamp(from.0 + 5_000), by: Actor::Agent(ANNA), reason: PauseReason::Choice };
    assert_eq!(finish(&mut office, recording), [expected]);
}

#[test]
fn a_secure_pause_ends_by_itself_and_any_other_does_not() {
    for secure in [true, false] {
        let (mut office, id, _, recording) = recorded();
        pause(&mut office, id, secure).unwrap();
        confirm_pause(&mut office);
        office.pass(limits::SECURE_PAUSE.0 as i64);
        assert_eq!(is_paused(&office, recording), !secure);
        let resumed = last(&office, |action| matches!(action, Action::ResumeRecording { .. })).is_some();
        assert_eq!(resumed, secure);
    }
}

#[test]
fn a_secure_pause_ends_with_the_talk() {
    let (mut office, id, _, recording) = recorded();
    pause(&mut office, id, true).unwrap();
    confirm_pause(&mut office);
    office.ask(Command::Transfer { conversation: id, to: TransferTarget::Agent(BERT) }).unwrap();
    assert!(!is_paused(&office, recording));
}

#[test]
fn a_conversation_that_ends_in_a_pause_ends_the_recording_without_resuming_it() {
    for by_customer in [true, false] {
        let (mut office, id, customer, recording) = recorded();
        let agent = office.conversation(customer).talk.as_ref().unwrap().leg;
        pause(&mut office, id, true).unwrap();
        confirm_pause(&mut office);
        office.pass(1_000);
        office.end(if by_customer { customer } else { agent }, CauseKind::FarEnd);
        assert_eq!(last(&office, |action| matches!(action, Action::ResumeRecording { .. })), None);
        let gaps = finish(&mut office, recording);
        assert_eq!((gaps.len(), gaps[0].to.since(gaps[0].from)), (1, Millis(1_000)));
    }
}

#[test]
fn a_pause_that_fails_ends_the_recording_and_says_what_to_do() {
    let (mut office, id, customer, recording) = recorded();
    pause(&mut office, id, true).unwrap();
    office.fail_last_action();
    assert!(matches!(office.actions.last(), Some((_, Action::StopRecording { recording: stopped, .. })) if *stopped == recording));
    let told = |event: &Event| matches!(event, Event::RecordingPauseFailed { problem, .. } if problem.contains("start a new one"));
    assert_eq!(office.count(told), 1);
    assert!(office.conversation(customer).talk.is_some(), "the talk goes on");
}

#[test]
fn a_pause_that_nobody_confirms_in_time_ends_the_recording() {
    let (mut office, id, _, _) = recorded();
    pause(&mut office, id, true).unwrap();
    office.pass(limits::PAUSE_ANSWER_MAX.0 as i64);
    assert!(matches!(office.actions.last(), Some((_, Action::StopRecording { .. }))));
}

#[test]
fn a_late_failure_of_a_pause_that_is_over_changes_nothing() {
    let (mut office, id, customer, recording) = recorded();
    pause(&mut office, id, true).unwrap();
    let (action, _) = office.actions.last().cloned().unwrap();
    office.ask(Command::ResumeRecording { conversation: id }).unwrap();
    let events = office.events.len();
    office.fail(action);
    assert_eq!(office.events.len(), events);
    assert_eq!(office.conversation(customer).recording, Some(recording));
}

#[test]
fn a_pause_lasts_through_hold_and_consult() {
    let (mut office, id, _, recording) = recorded();
    pause(&mut office, id, true).unwrap();
    confirm_pause(&mut office);
    office.ask(Command::Hold { conversation: id }).unwrap();
    office.ask(Command::Consult { conversation: id, to: TransferTarget::Agent(BERT) }).unwrap();
    assert!(is_paused(&office, recording));
}

#[test]
fn a_pause_can_turn_into_a_secure_one_but_not_back_by_accident() {
    let (mut office, id, _, recording) = recorded();
    pause(&mut office, id, false).unwrap();
    confirm_pause(&mut office);
    pause(&mut office, id, true).unwrap();
    confirm_pause(&mut office);
    assert!(matches!(pause(&mut office, id, false), Err(Refusal::WrongState { .. })));
    assert!(matches!(pause(&mut office, id, true), Err(Refusal::WrongState { .. })));
    assert!(is_paused(&office, recording));
}

#[test]
fn stopped_by_choice_no_queue_records_the_customer_again_but_a_person_can() {
    let (mut office, id, customer, recording) = recorded();
    office.ask_as(Actor::Agent(ANNA), Command::StopRecording { conversation: id }).unwrap();
    finish(&mut office, recording);
    office.ask(Command::Transfer { conversation: id, to: TransferTarget::Queue(OTHER_QUEUE) }).unwrap();
    let leg = office.offered_leg(BERT).unwrap();
    office.connect(leg);
    assert_eq!(office.conversation(customer).recording, None);
    office.ask_as(Actor::Agent(BERT), Command::StartRecording { conversation: id }).unwrap();
    assert!(office.conversation(customer).recording.is_some());
    let by = |event: &Event| matches!(event, Event::RecordingStarted { by: Some(Actor::Agent(agent)), .. } if *agent == BERT);
    assert_eq!(office.count(by), 1);
}

#[test]
fn what_makes_no_sense_is_refused() {
    let (mut office, id, _, recording) = recorded();
    assert!(matches!(office.ask(Command::StartRecording { conversation: id }), Err(Refusal::WrongState { .. })));
    assert!(matches!(office.ask(Command::ResumeRecording { conversation: id }), Err(Refusal::WrongState { .. })));
    let for_ever = Command::PauseRecording { conversation: id, secure: true, at_most: Some(limits::CONVERSATION_MAX) };
    assert!(matches!(office.ask(for_ever), Err(Refusal::Invalid { .. })));
    for _ in 0..limits::RECORDING_GAPS * 2 {
        if pause(&mut office, id, false).is_ok() {
            office.ask(Command::ResumeRecording { conversation: id }).unwrap();
        }
    }
    assert!(matches!(pause(&mut office, id, false), Err(Refusal::Full { .. })));
    office.ask(Command::StopRecording { conversation: id }).unwrap();
    finish(&mut office, recording);
    assert!(matches!(pause(&mut office, id, true), Err(Refusal::WrongState { .. })));
    assert!(matches!(office.ask(Command::StopRecording { conversation: id }), Err(Refusal::WrongState { .. })));
}
