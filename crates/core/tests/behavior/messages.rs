//! Messages that callers leave when nobody can take them.

use crate::office::{ANNA, BERT, Office, QUEUE, SUPPORT, agent, queue};
use dreiklang_core::{
    Action, Actor, Command, Event, Input, Refusal,
    agent::Duty,
    config::{Change, Destination, Mailbox, validate},
    conversation::{CauseKind, SegmentKind, TerminationReason},
    endpoint::Line,
    ids::{AgentId, LegId, MessageId, RecordingId},
    input::TransferTarget,
    output::Prompt,
    queue::{FlowOutReason, Outcome, RecordingPolicy, WaitingRules},
    time::Millis,
    voicemail::{Discard, MailboxRules, MessageState},
};

const BOX: Mailbox = Mailbox::Queue(QUEUE);

fn rules() -> MailboxRules {
    MailboxRules { longest: Millis::from_secs(60), most: 2, ..MailboxRules::default() }
}

/// Nobody is at work; the key 1 leads to the queue's mailbox and 2 to Anna's.
fn office() -> Office {
    let mut office = Office::new();
    office.put(Change::PutAgent(agent(ANNA, "Anna")));
    let keys = [('1', Destination::Voicemail(BOX)), ('2', Destination::Voicemail(Mailbox::Agent(ANNA)))].into();
    office.put(Change::PutQueue(dreiklang_core::queue::Settings {
        waiting: Box::new(WaitingRules { keys, ..WaitingRules::default() }),
        voicemail: Box::new(rules()),
        recording: RecordingPolicy::FromQueue,
        ..queue(QUEUE, "Support")
    }));
    office
}

fn press(office: &mut Office, leg: LegId, digit: char) {
    office.give(Input::Digit { leg, digit });
}

fn hear_out(office: &mut Office, leg: LegId) {
    let play = office.conversation(leg).playing.expect("something is played");
    office.give(Input::PlayFinished { leg, play });
}

/// Calls and presses the key; the greeting plays.
fn at_greeting(office: &mut Office, key: char) -> LegId {
    let customer = office.call(SUPPORT);
    let before = office.conversation(customer).recording;
    press(office, customer, key);
    if let Some(recording) = before {
        finish(office, recording, 100);
    }
    customer
}

/// The same, and the tone has sounded.
fn speaking(office: &mut Office, key: char) -> (LegId, RecordingId) {
    let customer = at_greeting(office, key);
    hear_out(office, customer);
    hear_out(office, customer);
    (customer, office.conversation(customer).recording.expect("it is recorded"))
}

fn finish(office: &mut Office, recording: RecordingId, ms: u64) {
    office.give(Input::RecordingFinished { recording, path: "m.wav".to_owned(), duration: Millis(ms), channels: 1 });
}

/// A message of ten seconds.
fn leave(office: &mut Office, key: char) -> MessageId {
    let (customer, recording) = speaking(office, key);
    office.pass(10_000);
    office.end(customer, CauseKind::FarEnd);
    finish(office, recording, 10_000);
    office.engine.world().messages().iter().last().expect("it was left").id
}

fn discarded(office: &Office) -> Vec<Discard> {
    let reason = |event: &Event| match event {
        Event::MessageDiscarded { reason, .. } => Some(*reason),
        _ => None,
    };
    office.events.iter().filter_map(|stamped| reason(&stamped.event)).collect()
}

fn messages(office: &Office) -> usize {
    office.engine.world().messages().len()
}

#[test]
fn a_caller_hears_greeting_and_tone_and_is_recorded_from_the_tone_on_alone() {
    let mut office = office();
    let customer = at_greeting(&mut office, '1');
    assert_eq!(office.conversation(customer).place(), Some(SegmentKind::Voicemail));
    assert_eq!(office.conversation(customer).recording, None, "what the queue recorded of the wait is closed");
    hear_out(&mut office, customer);
    let last: Vec<&Action> = office.actions.iter().rev().take(2).map(|(_, action)| action).collect();
    assert!(
        matches!(last[..], [Action::Play { prompt: Prompt::Beep, repeat: false, .. }, Action::StartRecording { left, right: None, .. }] if *left == customer)
    );
}

#[test]
fn hanging_up_leaves_the_message_once_it_is_on_disk() {
    let mut office = office();
    let (customer, recording) = speaking(&mut office, '1');
    office.pass(10_000);
    office.end(customer, CauseKind::FarEnd);
    assert_eq!(messages(&office), 0);
    finish(&mut office, recording, 10_000);
    let message = office.engine.world().messages().iter().next().unwrap().clone();
    assert_eq!((message.mailbox, message.recording, message.duration), (BOX, recording, Millis(10_000)));
    assert_eq!(message.state, MessageState::New);
    assert!(message.caller.number.is_some());
    let outcome = Outcome::FlowOut { reason: FlowOutReason::Voicemail };
    assert_eq!(office.count(|event| matches!(event, Event::VisitEnded { outcome: ended, .. } if *ended == outcome)), 1);
    let why = |event: &Event| matches!(event, Event::VisitOverflowed { reason: FlowOutReason::Key, .. });
    assert_eq!(office.count(why), 1, "why is kept too");
}

#[test]
fn the_pound_key_skips_the_greeting_and_then_ends_the_message() {
    let mut office = office();
    let customer = at_greeting(&mut office, '1');
    press(&mut office, customer, '5');
    assert_eq!(office.conversation(customer).recording, None, "other keys mean nothing");
    press(&mut office, customer, '#');
    let recording = office.conversation(customer).recording.unwrap();
    press(&mut office, customer, '#');
    assert_eq!(office.conversation(customer).ending.map(|ending| ending.reason), Some(TerminationReason::MessageLeft));
    finish(&mut office, recording, 5_000);
    assert_eq!(messages(&office), 1);
}

#[test]
fn the_longest_message_ends_by_itself() {
    let mut office = office();
    let (customer, recording) = speaking(&mut office, '1');
    office.pass(59_999);
    assert!(office.conversation(customer).ending.is_none());
    office.pass(1);
    assert!(office.conversation(customer).ending.is_some());
    finish(&mut office, recording, 60_000);
    assert_eq!(messages(&office), 1);
}

#[test]
fn who_hangs_up_before_the_tone_or_right_after_it_has_left_none() {
    let mut office = office();
    let customer = at_greeting(&mut office, '1');
    office.end(customer, CauseKind::FarEnd);
    let (customer, recording) = speaking(&mut office, '1');
    office.end(customer, CauseKind::FarEnd);
    finish(&mut office, recording, 1_999);
    assert_eq!(discarded(&office), [Discard::NothingSaid, Discard::TooShort]);
    assert_eq!(messages(&office), 0);
}

#[test]
fn a_recording_that_fails_lets_the_caller_go_instead_of_speaking_to_nobody() {
    let mut office = office();
    let (customer, recording) = speaking(&mut office, '1');
    office.give(Input::RecordingFailed { recording, reason: "disk full".to_owned() });
    assert_eq!(office.conversation(customer).ending.map(|ending| ending.reason), Some(TerminationReason::Failure));
    assert_eq!(discarded(&office), [Discard::NotRecorded]);
}

#[test]
fn a_recording_that_is_never_closed_is_no_message() {
    let mut office = office();
    let (customer, _) = speaking(&mut office, '1');
    office.end(customer, CauseKind::FarEnd);
    office.pass(200_000);
    assert_eq!(discarded(&office), [Discard::NotRecorded]);
}

#[test]
fn a_greeting_that_cannot_be_played_is_skipped() {
    let mut office = office();
    let customer = at_greeting(&mut office, '1');
    let play = office.conversation(customer).playing.unwrap();
    office.fail(play);
    assert!(office.conversation(customer).recording.is_some());
}

#[test]
fn after_a_restart_a_message_whose_caller_is_gone_is_what_was_recorded() {
    let mut office = office();
    let (_, recording) = speaking(&mut office, '1');
    office.give(Input::TookOver);
    office.give(Input::Survey { line: Line::Connected, live: Vec::new() });
    finish(&mut office, recording, 7_000);
    assert_eq!(messages(&office), 1);
}

#[test]
fn a_full_mailbox_takes_no_more_and_the_customer_goes_on_waiting() {
    let mut office = office();
    leave(&mut office, '1');
    let (speaker, _) = speaking(&mut office, '1');
    let customer = office.call(SUPPORT);
    press(&mut office, customer, '1');
    assert_eq!(office.conversation(customer).place(), Some(SegmentKind::Queue), "one is kept and one is being left");
    office.end(speaker, CauseKind::FarEnd);
}

#[test]
fn agents_take_care_of_their_own_messages_and_those_of_queues_they_serve() {
    let mut office = office();
    let mut bert = agent(BERT, "Bert");
    bert.queues.clear();
    office.put(Change::PutAgent(bert));
    let shared = leave(&mut office, '1');
    let annas = leave(&mut office, '2');
    let heard = |message| Command::MarkMessage { message, state: MessageState::Heard };
    office.ask_as(Actor::Agent(ANNA), heard(shared)).unwrap();
    office.ask_as(Actor::Agent(ANNA), heard(annas)).unwrap();
    for message in [shared, annas] {
        let refused = office.ask_as(Actor::Agent(BERT), Command::DeleteMessage { message });
        assert!(matches!(refused, Err(Refusal::NotAllowed { .. })));
    }
    let message = office.engine.world().message(annas).unwrap();
    assert_eq!((message.state, message.marked.as_ref().map(|(by, _)| by.clone())), (MessageState::Heard, Some(Actor::Agent(ANNA))));
    office.ask(Command::DeleteMessage { message: annas }).unwrap();
    assert!(matches!(office.ask(Command::DeleteMessage { message: annas }), Err(Refusal::NotFound { .. })));
}

#[test]
fn a_message_is_forgotten_in_its_time() {
    let mut office = office();
    let id = leave(&mut office, '1');
    let kept = i64::try_from(MailboxRules::default().keep.0).unwrap();
    office.pass(kept - 1);
    assert!(office.engine.world().message(id).is_some());
    office.pass(1);
    assert!(office.engine.world().message(id).is_none());
    assert_eq!(office.count(|event| matches!(event, Event::MessageDeleted { by: Actor::System, .. })), 1);
}

#[test]
fn who_leaves_a_message_can_be_let_go_by_a_supervisor_but_not_be_transferred() {
    let mut office = office();
    let (customer, recording) = speaking(&mut office, '1');
    let conversation = office.conversation_id(customer);
    let refused = office.ask(Command::Transfer { conversation, to: TransferTarget::Queue(QUEUE) });
    assert!(matches!(refused, Err(Refusal::WrongState { .. })));
    office.ask(Command::HangUp { conversation }).unwrap();
    finish(&mut office, recording, 9_000);
    assert_eq!(messages(&office), 1, "what was said counts");
}

#[test]
fn nobody_with_unheard_messages_is_removed_and_what_is_said_meanwhile_is_discarded() {
    let mut office = office();
    let message = leave(&mut office, '2');
    office.put(Change::PutQueue(queue(QUEUE, "Support")));
    let refusal = validate(office.engine.world(), &Change::RemoveAgent(ANNA)).unwrap_err();
    assert!(refusal.to_string().contains("nobody has heard"), "{refusal}");
    office.ask(Command::MarkMessage { message, state: MessageState::Done }).unwrap();
    let keys = [('2', Destination::Voicemail(Mailbox::Agent(ANNA)))].into();
    let waiting = Box::new(WaitingRules { keys, ..WaitingRules::default() });
    office.put(Change::PutQueue(dreiklang_core::queue::Settings { waiting, ..queue(QUEUE, "Support") }));
    let (customer, recording) = speaking(&mut office, '2');
    let refusal = validate(office.engine.world(), &Change::RemoveAgent(ANNA)).unwrap_err();
    assert!(refusal.to_string().contains("leads to it"), "{refusal}");
    office.put(Change::PutQueue(queue(QUEUE, "Support")));
    office.put(Change::RemoveAgent(ANNA));
    assert_eq!(messages(&office), 0, "what was done is forgotten with the agent");
    office.end(customer, CauseKind::FarEnd);
    finish(&mut office, recording, 9_000);
    assert_eq!(discarded(&office), [Discard::MailboxRemoved]);
}

#[test]
fn an_agent_who_comes_back_while_somebody_speaks_does_not_interrupt() {
    let mut office = office();
    let (customer, _) = speaking(&mut office, '1');
    office.ready(ANNA);
    assert_eq!(office.conversation(customer).place(), Some(SegmentKind::Voicemail));
    assert_eq!(office.offered_leg(ANNA), None);
    office.ask(Command::SetDuty { agent: ANNA, duty: Duty::SignedOut }).unwrap();
}

#[test]
fn a_mailbox_that_does_not_hold_together_is_refused_with_its_field() {
    let office = Office::new();
    let problem = |rules: MailboxRules| {
        let settings = dreiklang_core::queue::Settings { voicemail: Box::new(rules), ..queue(QUEUE, "Support") };
        validate(office.engine.world(), &Change::PutQueue(settings)).unwrap_err().to_string()
    };
    assert!(problem(MailboxRules { greeting: Some(Prompt::Music), ..rules() }).starts_with("queue.voicemail.greeting"));
    assert!(problem(MailboxRules { longest: Millis(1), ..rules() }).starts_with("queue.voicemail.longest"));
    assert!(problem(MailboxRules { shortest: Millis::from_secs(61), ..rules() }).starts_with("queue.voicemail.shortest"));
    assert!(problem(MailboxRules { keep: Millis(1), ..rules() }).starts_with("queue.voicemail.keep"));
    assert!(problem(MailboxRules { most: 0, ..rules() }).starts_with("queue.voicemail.most"));
    let keys = [('1', Destination::Voicemail(Mailbox::Agent(AgentId(99))))].into();
    let waiting = Box::new(WaitingRules { keys, ..WaitingRules::default() });
    let settings = dreiklang_core::queue::Settings { waiting, ..queue(QUEUE, "Support") };
    let refusal = validate(office.engine.world(), &Change::PutQueue(settings)).unwrap_err().to_string();
    assert!(refusal.starts_with("queue.waiting.keys.1") && refusal.contains("does not exist"), "{refusal}");
}
