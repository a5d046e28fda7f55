//! What is recorded, from when to when.

use crate::office::{ANNA, BERT, OTHER_QUEUE, Office, QUEUE, SUPPORT, queue};
use dreiklang_core::{
    Action, Command, Event, Input, config::Change, conversation::CauseKind, input::TransferTarget, limits, queue::RecordingPolicy,
    time::Millis,
};

fn office(policy: RecordingPolicy) -> Office {
    let mut office = Office::with_agents(&[ANNA, BERT]);
    let mut settings = queue(QUEUE, "Support");
    settings.recording = policy;
    office.put(Change::PutQueue(settings));
    office
}

fn about_recordings(office: &Office) -> Vec<&Action> {
    office.actions.iter().map(|(_, action)| action).filter(|action| action.recording().is_some()).collect()
}

#[test]
fn from_the_answer_both_are_recorded_before_they_hear_each_other() {
    let mut office = office(RecordingPolicy::FromAnswer);
    let (customer, agent) = office.talk(SUPPORT, ANNA);
    let start = office.actions.iter().position(
        |(_, action)| matches!(action, Action::StartRecording { left, right: Some(right), .. } if *left == customer && *right == agent),
    );
    let bridge = office.actions.iter().position(|(_, action)| matches!(action, Action::Bridge { .. }));
    assert!(start.unwrap() < bridge.unwrap());
}

#[test]
fn from_the_queue_the_agent_joins_a_recording_that_runs() {
    let mut office = office(RecordingPolicy::FromQueue);
    let customer = office.call(SUPPORT);
    let leg = office.offered_leg(ANNA).unwrap();
    assert!(matches!(about_recordings(&office)[..], [Action::StartRecording { left, right: None, .. }] if *left == customer));
    office.connect(leg);
    assert!(matches!(about_recordings(&office)[..], [_, Action::RecordRight { right: Some(right), .. }] if *right == leg));
}

#[test]
fn without_a_policy_nothing_is_recorded() {
    let mut office = office(RecordingPolicy::Off);
    let (customer, _) = office.talk(SUPPORT, ANNA);
    office.end(customer, CauseKind::FarEnd);
    assert!(about_recordings(&office).is_empty());
}

#[test]
fn a_recording_is_stopped_with_the_customer_and_may_be_reported_later() {
    let mut office = office(RecordingPolicy::FromAnswer);
    let (customer, _) = office.talk(SUPPORT, ANNA);
    office.end(customer, CauseKind::FarEnd);
    let Some(Action::StopRecording { recording, .. }) = about_recordings(&office).last() else { panic!("it is stopped") };
    let recording = *recording;
    office.obey_hang_ups();
    assert_eq!(office.engine.world().conversations().len(), 0);
    for _ in 0..2 {
        let path = "2024/a.wav".to_owned();
        office.give(Input::RecordingFinished { recording, path, duration: Millis(5_000), channels: 2 });
    }
    assert_eq!(office.count(|event| matches!(event, Event::RecordingFinished { .. })), 1);
    assert_eq!(office.engine.world().recordings().len(), 0);
}

#[test]
fn a_recording_nobody_closes_is_written_off() {
    let mut office = office(RecordingPolicy::FromAnswer);
    let (customer, _) = office.talk(SUPPORT, ANNA);
    office.end(customer, CauseKind::FarEnd);
    office.pass(limits::RECORDING_CLOSE_MAX.0 as i64);
    assert_eq!(office.count(|event| matches!(event, Event::RecordingFailed { .. })), 1);
    assert_eq!(office.engine.world().recordings().len(), 0);
}

#[test]
fn a_recording_that_fails_does_not_disturb_the_talk() {
    let mut office = office(RecordingPolicy::FromAnswer);
    let (customer, _) = office.talk(SUPPORT, ANNA);
    let recording = office.conversation(customer).recording.unwrap();
    office.give(Input::RecordingFailed { recording, reason: "disk full".to_owned() });
    assert!(office.conversation(customer).talk.is_some());
    assert_eq!(office.conversation(customer).recording, None);
}

#[test]
fn on_a_transfer_to_an_agent_the_recording_follows() {
    let mut office = office(RecordingPolicy::FromAnswer);
    let (customer, _) = office.talk(SUPPORT, ANNA);
    let conversation = office.conversation_id(customer);
    office.ask(Command::Transfer { conversation, to: TransferTarget::Agent(BERT) }).unwrap();
    assert!(matches!(about_recordings(&office).last(), Some(Action::RecordRight { right: None, .. })));
    let leg = office.offered_leg(BERT).unwrap();
    office.connect(leg);
    assert!(matches!(about_recordings(&office).last(), Some(Action::RecordRight { right: Some(right), .. }) if *right == leg));
    assert_eq!(office.count(|event| matches!(event, Event::RecordingStarted { .. })), 1);
}

#[test]
fn a_queue_that_may_not_record_ends_the_recording() {
    let mut office = office(RecordingPolicy::FromAnswer);
    let (customer, _) = office.talk(SUPPORT, ANNA);
    let conversation = office.conversation_id(customer);
    office.ask(Command::Transfer { conversation, to: TransferTarget::Queue(OTHER_QUEUE) }).unwrap();
    assert!(matches!(about_recordings(&office).last(), Some(Action::StopRecording { .. })));
    assert_eq!(office.conversation(customer).recording, None);
}

#[test]
fn a_recording_that_cannot_follow_to_the_agent_is_closed_with_what_it_has() {
    let mut office = office(RecordingPolicy::FromQueue);
    let customer = office.call(SUPPORT);
    let leg = office.offered_leg(ANNA).unwrap();
    office.connect(leg);
    let (action, _) = office.actions.iter().rev().find(|(_, action)| matches!(action, Action::RecordRight { .. })).cloned().unwrap();
    office.fail(action);
    assert!(matches!(office.actions.last(), Some((_, Action::StopRecording { .. }))));
    assert!(office.conversation(customer).talk.is_some());
    office.fail_last_action();
    assert_eq!(office.engine.world().recordings().len(), 1, "it may still be reported");
}
