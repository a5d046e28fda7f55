//! How conversations begin, or do not.

use crate::office::{ANNA, Office, QUEUE, SUPPORT, number, queue};
use dreiklang_core::{
    Action, Event, Input,
    config::{Change, Target},
    conversation::{CauseKind, SegmentKind, Termination, TerminationReason, TerminationResult},
    endpoint::{Line, Party},
    ids::LegId,
    limits,
    output::{ActionFailure, Prompt, RejectReason},
};

fn rejected(office: &Office, wanted: RejectReason) -> bool {
    matches!(office.actions.last(), Some((_, Action::Reject { reason, .. })) if *reason == wanted)
}

fn last_end(office: &Office) -> Termination {
    let ends = office.events.iter().rev().find_map(|stamped| match &stamped.event {
        Event::ConversationEnded { termination, .. } => Some(*termination),
        _ => None,
    });
    ends.expect("a conversation has ended")
}

#[test]
fn a_number_nobody_has_is_refused_and_recorded() {
    let mut office = Office::new();
    office.arrive("+49309999");
    assert!(rejected(&office, RejectReason::UnknownNumber));
    assert_eq!(last_end(&office).reason, TerminationReason::UnknownNumber);
    assert_eq!(office.engine.world().conversations().len(), 0);
}

#[test]
fn nobody_is_taken_in_while_draining_and_again_after_it() {
    let mut office = Office::new();
    office.give(Input::Drain { on: true });
    office.arrive(SUPPORT);
    assert!(rejected(&office, RejectReason::Draining));
    office.give(Input::Drain { on: false });
    office.call(SUPPORT);
    assert_eq!(office.engine.world().waiting(QUEUE).count(), 1);
}

#[test]
fn a_full_queue_refuses_counting_those_who_still_hear_the_greeting() {
    let mut office = Office::new();
    let mut settings = queue(QUEUE, "Support");
    settings.max_waiting = 2;
    office.put(Change::PutQueue(settings));
    office.call(SUPPORT);
    office.arrive(SUPPORT);
    office.arrive(SUPPORT);
    assert!(rejected(&office, RejectReason::Busy));
    assert_eq!(last_end(&office), Termination { result: TerminationResult::Us, reason: TerminationReason::Full });
}

#[test]
fn the_same_arrival_twice_is_one_conversation() {
    let mut office = Office::new();
    let leg = office.call(SUPPORT);
    let again = || Input::Arrived { leg, line: Line::Connected, caller: Party::default(), dialed: SUPPORT.to_owned() };
    office.give(again());
    assert_eq!(office.engine.world().conversations().len(), 1);
    office.end(leg, CauseKind::FarEnd);
    let events = office.events.len();
    office.give(again());
    assert_eq!(office.events.len(), events, "not after its end either");
}

#[test]
fn a_greeting_is_heard_before_the_queue() {
    let mut office = Office::new();
    let mut document = number(1, SUPPORT, Target::Queue(QUEUE));
    document.greeting = Some(Prompt::File { name: "hello.wav".to_owned() });
    office.put(Change::PutNumber(document));
    let customer = office.call(SUPPORT);
    assert_eq!(office.conversation(customer).place(), Some(SegmentKind::Greeting));
    let play = office.conversation(customer).playing.unwrap();
    office.give(Input::ActionDone { action: play });
    assert_eq!(office.conversation(customer).place(), Some(SegmentKind::Greeting), "being under way is not being over");
    office.give(Input::PlayFinished { leg: customer, play });
    assert_eq!(office.conversation(customer).place(), Some(SegmentKind::Queue));
}

#[test]
fn a_greeting_that_cannot_be_played_or_never_ends_does_not_keep_the_caller() {
    for fails in [true, false] {
        let mut office = Office::new();
        let mut document = number(1, SUPPORT, Target::Queue(QUEUE));
        document.greeting = Some(Prompt::File { name: "hello.wav".to_owned() });
        office.put(Change::PutNumber(document));
        let customer = office.call(SUPPORT);
        let action = office.conversation(customer).playing.unwrap();
        if fails {
            office.give(Input::ActionFailed {
                action,
                failure: ActionFailure { code: "MEDIA-001".to_owned(), detail: "no file".to_owned() },
            });
        } else {
            office.pass(limits::PROMPT_MAX.0 as i64);
        }
        assert_eq!(office.conversation(customer).place(), Some(SegmentKind::Queue));
    }
}

#[test]
fn a_caller_who_leaves_during_the_greeting_has_not_been_offered() {
    let mut office = Office::new();
    let mut document = number(1, SUPPORT, Target::Queue(QUEUE));
    document.greeting = Some(Prompt::File { name: "hello.wav".to_owned() });
    office.put(Change::PutNumber(document));
    let customer = office.call(SUPPORT);
    office.end(customer, CauseKind::FarEnd);
    assert_eq!(office.count(|event| matches!(event, Event::VisitStarted { .. })), 0);
    assert_eq!(last_end(&office), Termination { result: TerminationResult::Caller, reason: TerminationReason::Abandoned });
}

#[test]
fn a_leg_that_is_never_connected_is_hung_up_and_then_given_up() {
    let mut office = Office::new();
    let customer = office.arrive(SUPPORT);
    office.pass(limits::ANSWER_MAX.0 as i64);
    assert!(matches!(office.actions.last(), Some((_, Action::HangUp { leg, .. })) if *leg == customer));
    office.pass(limits::HANG_UP_MAX.0 as i64);
    assert_eq!(office.engine.world().conversations().len(), 0);
    assert_eq!(last_end(&office).reason, TerminationReason::Timeout);
    let hang_ups = |office: &Office| office.actions.iter().filter(|(_, action)| matches!(action, Action::HangUp { .. })).count();
    assert_eq!(hang_ups(&office), 1);
    office.connect(customer);
    assert_eq!(hang_ups(&office), 2, "it lives after all and is told again");
}

#[test]
fn an_answer_that_fails_ends_the_conversation() {
    let mut office = Office::new();
    let customer = office.arrive(SUPPORT);
    office.fail_last_action();
    assert!(matches!(office.actions.last(), Some((_, Action::HangUp { leg, .. })) if *leg == customer));
    office.end(customer, CauseKind::Ours);
    assert_eq!(office.engine.world().conversations().len(), 0);
    assert_eq!(last_end(&office), Termination { result: TerminationResult::Us, reason: TerminationReason::Failure });
}

#[test]
fn a_hang_up_that_fails_is_tried_again_until_it_succeeds_or_the_leg_is_given_up() {
    let mut office = Office::new();
    let customer = office.arrive(SUPPORT);
    office.fail_last_action();
    office.fail_last_action();
    let hang_ups = |office: &Office| office.actions.iter().filter(|(_, action)| matches!(action, Action::HangUp { .. })).count();
    assert_eq!(hang_ups(&office), 1, "not at once");
    office.pass(limits::HANG_UP_RETRY.0 as i64);
    assert_eq!(hang_ups(&office), 2);
    office.fail_last_action();
    office.pass(limits::HANG_UP_RETRY.0 as i64);
    assert_eq!(hang_ups(&office), 3);
    let (action, _) = office.actions.last().cloned().unwrap();
    office.give(Input::ActionDone { action });
    office.pass(limits::HANG_UP_MAX.0 as i64);
    assert_eq!(hang_ups(&office), 3);
    assert!(office.engine.world().leg(customer).is_none());
}

#[test]
fn a_direct_number_rings_its_agent_and_is_refused_when_the_agent_is_not_free() {
    let mut office = Office::with_agents(&[ANNA]);
    office.put(Change::PutNumber(number(3, "+49303000", Target::Agent(ANNA))));
    let customer = office.call("+49303000");
    let played = office.actions.iter().any(|(_, action)| matches!(action, Action::Play { prompt: Prompt::Ringback, .. }));
    assert!(played, "the caller hears it ring");
    office.arrive("+49303000");
    assert!(rejected(&office, RejectReason::Unavailable));
    let leg = office.offered_leg(ANNA).unwrap();
    office.connect(leg);
    assert_eq!(office.conversation(customer).place(), Some(SegmentKind::Talk));
    assert_eq!(office.count(|event| matches!(event, Event::VisitStarted { .. })), 0);
}

#[test]
fn a_direct_call_nobody_answers_ends_classified() {
    let mut office = Office::with_agents(&[ANNA]);
    office.put(Change::PutNumber(number(3, "+49303000", Target::Agent(ANNA))));
    let customer = office.call("+49303000");
    office.pass(limits::TRANSFER_RING.0 as i64);
    office.end(customer, CauseKind::Ours);
    assert_eq!(last_end(&office), Termination { result: TerminationResult::Agent, reason: TerminationReason::NoAnswer });
    office.obey_hang_ups();
    assert_eq!(office.engine.world().conversations().len(), 0);
}

#[test]
fn a_conversation_both_ends_forgot_is_ended() {
    let mut office = Office::with_agents(&[ANNA]);
    office.talk(SUPPORT, ANNA);
    office.pass(limits::CONVERSATION_MAX.0 as i64);
    office.obey_hang_ups();
    assert_eq!(last_end(&office).reason, TerminationReason::TooLong);
    assert!(office.agent(ANNA).is_routable());
}

#[test]
fn texts_from_outside_are_cut_to_a_size_we_keep() {
    let mut office = Office::new();
    let long = "x".repeat(100_000);
    let caller = Party { number: Some(long.clone()), name: Some(long.clone()) };
    office.give(Input::Arrived { leg: LegId(5), line: Line::Connected, caller, dialed: long });
    let bytes = serde_json::to_string(&office.events.last().unwrap()).unwrap().len();
    assert!(bytes < 2_000);
}

#[test]
fn a_wake_up_that_comes_early_is_asked_for_again() {
    let mut office = Office::new();
    office.arrive(SUPPORT);
    let due = office.wake_at.take().unwrap();
    office.now.0 = due.0 - 1;
    office.give(Input::Wake);
    assert_eq!(office.wake_at, Some(due));
}
