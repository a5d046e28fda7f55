//! The figures of a morning.

use crate::office::{ANNA, BERT, OTHER_QUEUE, Office, QUEUE, SUPPORT, number, queue};
use dreiklang_core::{
    Action, Command, Event, Input,
    config::{Change, Target},
    conversation::CauseKind,
    endpoint::{Line, Party},
    ids::{ActionId, LegId, NumberId},
    input::TransferTarget,
    queue::{Allowance, FlowOutReason, RecordingPolicy},
    stats::{
        Attribution, Daybook, Kind, Ledger, SLOT, Subject, Terms, Value, View,
        meter::{Reach, Unit},
        slot,
    },
    time::{Millis, Timestamp},
};
use std::collections::BTreeMap;

#[test]
fn a_morning_is_counted_as_a_person_would_count_it() {
    let mut office = Office::with_agents(&[ANNA]);
    let mut settings = queue(QUEUE, "Support");
    settings.wrap_up = Allowance::Timed { duration: Millis::from_secs(30) };
    office.put(Change::PutQueue(settings));

    // Answered after 3 s, talks 100 s, wraps up 30 s.
    let first = office.call(SUPPORT);
    office.pass(3_000);
    let leg = office.offered_leg(ANNA).unwrap();
    office.connect(leg);
    // One leaves after 4 s, one after 40 s; the third is answered after 128 s.
    let short = office.call(SUPPORT);
    let abandoning = office.call(SUPPORT);
    let patient = office.call(SUPPORT);
    office.pass(4_000);
    office.end(short, CauseKind::FarEnd);
    office.pass(36_000);
    office.end(abandoning, CauseKind::FarEnd);
    office.pass(60_000);
    office.end(first, CauseKind::FarEnd);
    office.obey_hang_ups();
    office.pass(30_000);
    assert!(office.conversation(patient).offer.is_some());
    // The agent misses it once, another one takes it.
    office.pass(20_000);
    office.put(Change::PutAgent(crate::office::agent(BERT, "Bert")));
    office.ready(BERT);
    let leg = office.offered_leg(BERT).unwrap();
    office.connect(leg);
    office.pass(50_000);
    office.end(leg, CauseKind::FarEnd);
    office.end(patient, CauseKind::Ours);
    office.pass(30_000);

    let total = books(&office).total(Subject::Queue(QUEUE));
    total.interval.balance().unwrap();
    let figures = View { interval: &total.interval, states: &total.states, terms: Terms::default() }.figures(Kind::Queue);
    let expected = [
        ("offered", Value::Whole(4)),
        ("answered", Value::Whole(2)),
        ("abandoned", Value::Whole(2)),
        ("short_abandoned", Value::Whole(1)),
        ("service_level", Value::Part(1.0 / 3.0)),
        ("offers_no_answer", Value::Whole(1)),
        ("handled", Value::Whole(2)),
        ("average_talk", Value::Part(75_000.0)),
        ("average_wrap_up", Value::Part(30_000.0)),
        ("average_handle_time", Value::Part(105_000.0)),
        ("longest_wait", Value::Whole(150_001)),
        ("average_speed_of_answer", Value::Part((3_000.0 + 150_001.0) / 2.0)),
    ];
    for (key, value) in expected {
        assert_eq!(figures.get(key), Some(&value), "{key}");
    }
}

/// What the office's day books.
pub fn books(office: &Office) -> Daybook {
    let (mut ledger, mut books) = (Ledger::default(), Daybook::default());
    for stamped in &office.events {
        ledger.observe(stamped, &mut books);
    }
    books
}

#[test]
fn a_customer_who_hangs_up_on_hold_is_a_hold_abandon_and_one_who_was_taken_back_is_not() {
    let mut office = Office::with_agents(&[ANNA]);
    for leaves_on_hold in [true, false] {
        let (customer, _) = office.talk(SUPPORT, ANNA);
        let conversation = office.conversation_id(customer);
        office.pass(10_000);
        office.ask(Command::Hold { conversation }).unwrap();
        office.pass(5_000);
        if !leaves_on_hold {
            office.ask(Command::Resume { conversation }).unwrap();
        }
        office.end(customer, CauseKind::FarEnd);
        office.obey_hang_ups();
    }
    let books = books(&office);
    for subject in [Subject::Queue(QUEUE), Subject::Agent(ANNA), Subject::Line(Line::Connected), Subject::Number(NumberId(1))] {
        let total = books.total(subject).interval;
        assert_eq!((total.handled, total.held, total.hold_abandoned), (2, 2, 1), "{subject:?}");
        assert_eq!((total.talk, total.hold), (Millis(20_000), Millis(10_000)), "{subject:?}");
    }
}

#[test]
fn a_talk_over_a_border_is_booked_where_it_ended_or_where_it_passed() {
    let mut office = Office::with_agents(&[ANNA]);
    let border = slot(office.now) + SLOT;
    office.pass(border.since(office.now).0 as i64 - 60_000);
    let (customer, _) = office.talk(SUPPORT, ANNA);
    let conversation = office.conversation_id(customer);
    office.pass(30_000);
    office.ask(Command::Hold { conversation }).unwrap();
    office.pass(50_000);
    office.end(customer, CauseKind::FarEnd);
    let books = books(&office);
    let queue = |slot| books.tallies.get(&(Subject::Queue(QUEUE), slot)).cloned().unwrap_or_default();
    let times = |slot, attribution| {
        let interval = queue(slot).attributed(attribution);
        (interval.handled, interval.talk.0, interval.hold.0)
    };
    assert_eq!(times(slot(Timestamp(border.0 - 1)), Attribution::Completion), (0, 0, 0));
    assert_eq!(times(border, Attribution::Completion), (1, 30_000, 50_000));
    assert_eq!(times(slot(Timestamp(border.0 - 1)), Attribution::Spread), (0, 30_000, 30_000));
    assert_eq!(times(border, Attribution::Spread), (1, 0, 20_000));
}

#[test]
fn hand_overs_count_for_the_talk_they_ended_and_moving_one_who_waits_is_no_transfer() {
    let mut office = Office::with_agents(&[ANNA]);
    let (customer, _) = office.talk(SUPPORT, ANNA);
    let conversation = office.conversation_id(customer);
    office.ask(Command::Transfer { conversation, to: TransferTarget::Queue(OTHER_QUEUE) }).unwrap();
    office.obey_hang_ups();
    let waiting = office.call(SUPPORT);
    let conversation = office.conversation_id(waiting);
    office.ask(Command::Transfer { conversation, to: TransferTarget::Queue(OTHER_QUEUE) }).unwrap();
    let books = books(&office);
    let (from, to) = (books.total(Subject::Queue(QUEUE)).interval, books.total(Subject::Queue(OTHER_QUEUE)).interval);
    assert_eq!((from.offered, from.answered, from.flow_out, from.transfers), (2, 1, 1, 1));
    assert_eq!(from.flow_outs, BTreeMap::from([(FlowOutReason::Transferred, 1)]));
    assert_eq!((to.entered, to.transfers), (2, 0));
    assert_eq!(books.total(Subject::Agent(ANNA)).interval.transfers, 1);
}

#[test]
fn a_consult_that_is_completed_is_a_transfer_and_one_that_is_taken_back_is_not() {
    for completes in [true, false] {
        let mut office = Office::with_agents(&[ANNA, BERT]);
        let (customer, _) = office.talk(SUPPORT, ANNA);
        let conversation = office.conversation_id(customer);
        office.ask(Command::Consult { conversation, to: TransferTarget::Agent(BERT) }).unwrap();
        let leg = office.offered_leg(BERT).unwrap();
        office.connect(leg);
        office.pass(4_000);
        let command = if completes { Command::CompleteConsult { conversation } } else { Command::CancelConsult { conversation } };
        office.ask(command).unwrap();
        let books = books(&office);
        let anna = books.total(Subject::Agent(ANNA));
        assert_eq!((anna.interval.consults, anna.interval.transfers), (1, u64::from(completes)));
        assert_eq!(anna.states.consulting, Millis(4_000));
        assert_eq!(books.total(Subject::Agent(BERT)).states.consulting, Millis(4_000), "who is asked is busy, too");
    }
}

#[test]
fn agents_time_is_tiled_from_sign_in_to_the_end_of_the_last_talk() {
    let mut office = Office::with_agents(&[ANNA]);
    office.pass(20_000);
    let customer = office.call(SUPPORT);
    office.pass(3_000);
    let leg = office.offered_leg(ANNA).unwrap();
    office.connect(leg);
    office.pass(60_000);
    office.put(Change::RemoveAgent(ANNA));
    office.pass(10_000);
    office.end(customer, CauseKind::FarEnd);
    office.obey_hang_ups();
    office.pass(500_000);
    let states = books(&office).total(Subject::Agent(ANNA)).states;
    assert_eq!((states.idle, states.offered, states.talking), (Millis(20_000), Millis(3_000), Millis(70_000)));
    assert_eq!((states.signed_in, states.residual()), (Millis(93_000), 0), "who is removed in a talk finishes it");
}

#[test]
fn every_leg_is_metered_once_and_recordings_without_their_pauses() {
    let mut office = Office::with_agents(&[ANNA]);
    let mut settings = queue(QUEUE, "Support");
    settings.recording = RecordingPolicy::FromAnswer;
    office.put(Change::PutQueue(settings));
    let (customer, leg) = office.talk(SUPPORT, ANNA);
    let conversation = office.conversation_id(customer);
    let recording = office.conversation(customer).recording.unwrap();
    let begin = office.now;
    office.pass(10_000);
    office.ask(Command::PauseRecording { conversation, secure: false, at_most: None }).unwrap();
    let asked = |(_, action): &&(ActionId, Action)| matches!(action, Action::PauseRecording { .. });
    let action = office.actions.iter().rev().find(asked).map(|(id, _)| *id).unwrap();
    office.give(Input::ActionDone { action });
    office.pass(4_000);
    office.ask(Command::ResumeRecording { conversation }).unwrap();
    office.pass(6_000);
    office.end(customer, CauseKind::FarEnd);
    office.obey_hang_ups();
    office.pass(700);
    let (path, duration) = ("a.wav".to_owned(), Millis(20_000));
    office.give(Input::RecordingFinished { recording, path, duration, channels: 2 });
    let metered = books(&office).metered;
    let legs: Vec<_> = metered.iter().filter_map(|record| Some((record.leg?, record.unit, record.reach?, record.quantity.0))).collect();
    assert_eq!(legs.len(), office.count(|event| matches!(event, Event::LegEnded { .. })));
    assert!(legs.contains(&(customer, Unit::Connected, Reach::Outside, 20_000)), "{legs:?}");
    assert!(legs.contains(&(leg, Unit::Connected, Reach::Inside, 20_000)), "{legs:?}");
    let recorded = metered.last().unwrap();
    assert_eq!((recorded.unit, recorded.recording, recorded.quantity), (Unit::Recorded, Some(recording), Millis(16_000)));
    assert_eq!((recorded.from, recorded.to, recorded.queue), (begin, begin + duration, Some(QUEUE)));
}

#[test]
fn legs_on_microsofts_platform_are_metered_for_its_minutes_too() {
    let mut office = Office::new();
    office.put(Change::PutNumber(dreiklang_core::config::Number { line: Line::Unified, ..number(1, SUPPORT, Target::Queue(QUEUE)) }));
    let leg = LegId(77);
    let caller = Party { number: Some("+491".to_owned()), name: None };
    office.give(Input::Arrived { leg, line: Line::Unified, caller, dialed: SUPPORT.to_owned() });
    office.connect(leg);
    office.pass(7_000);
    office.end(leg, CauseKind::FarEnd);
    let units: Vec<_> = books(&office).metered.iter().map(|record| (record.unit, record.quantity.0)).collect();
    assert_eq!(units, [(Unit::Connected, 7_000), (Unit::Platform, 7_000)]);
}
