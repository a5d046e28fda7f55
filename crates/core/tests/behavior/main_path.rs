//! A call comes, waits, is taken and ends.

use crate::office::{ANNA, BERT, Office, QUEUE, SUPPORT, queue};
use dreiklang_core::{
    Action, Command, Event,
    agent::Occupation,
    config::Change,
    conversation::{CauseKind, SegmentKind, TerminationReason, TerminationResult},
    queue::{Allowance, Outcome},
    routing::OfferOutcome,
    time::Millis,
};

#[test]
fn a_call_is_answered_hears_music_and_waits_in_the_queue() {
    let mut office = Office::new();
    let customer = office.arrive(SUPPORT);
    assert!(matches!(office.actions.last().unwrap().1, Action::Answer { leg, .. } if leg == customer));
    office.connect(customer);
    assert_eq!(office.conversation(customer).place(), Some(SegmentKind::Queue));
    assert!(matches!(office.actions.last().unwrap().1, Action::Play { leg, repeat: true, .. } if leg == customer));
    assert_eq!(office.engine.world().waiting(QUEUE).count(), 1);
}

#[test]
fn a_waiting_call_is_offered_to_the_agent_idle_longest_and_bridged_when_taken() {
    let mut office = Office::with_agents(&[ANNA, BERT]);
    let customer = office.call(SUPPORT);
    let leg = office.offered_leg(ANNA).expect("Anna was ready first");
    assert_eq!(office.offered_leg(BERT), None);
    office.pass(3_000);
    office.connect(leg);
    assert_eq!(office.conversation(customer).place(), Some(SegmentKind::Talk));
    assert!(matches!(office.actions.last().unwrap().1, Action::Bridge { a, b, .. } if a == customer && b == leg));
    assert!(matches!(office.agent(ANNA).occupation, Occupation::Talking { .. }));
    let answered =
        |event: &Event| matches!(event, Event::VisitEnded { outcome: Outcome::Answered, wait: Millis(3_000), agent: Some(ANNA), .. });
    assert_eq!(office.count(answered), 1);
    assert_eq!(office.count(|event| matches!(event, Event::OfferEnded { outcome: OfferOutcome::Accepted, .. })), 1);
}

#[test]
fn when_the_customer_hangs_up_the_agent_is_hung_up_and_wraps_up_for_the_allowed_time() {
    let mut office = Office::with_agents(&[ANNA]);
    let mut settings = queue(QUEUE, "Support");
    settings.wrap_up = Allowance::Timed { duration: Millis::from_secs(30) };
    office.put(Change::PutQueue(settings));
    let (customer, leg) = office.talk(SUPPORT, ANNA);
    office.pass(60_000);
    office.end(customer, CauseKind::FarEnd);
    assert!(matches!(office.actions.last().unwrap().1, Action::HangUp { leg: told, .. } if told == leg));
    assert!(matches!(office.agent(ANNA).occupation, Occupation::WrapUp { .. }));
    let ended = |event: &Event| {
        matches!(event, Event::ConversationEnded { termination, .. }
            if termination.result == TerminationResult::Caller && termination.reason == TerminationReason::HungUp)
    };
    assert_eq!(office.count(ended), 1);
    office.obey_hang_ups();
    assert_eq!(office.engine.world().conversations().len(), 0);
    office.pass(29_999);
    assert!(!office.agent(ANNA).is_routable());
    office.pass(1);
    assert!(office.agent(ANNA).is_routable());
}

#[test]
fn when_the_agent_hangs_up_the_customer_is_hung_up() {
    let mut office = Office::with_agents(&[ANNA]);
    let (customer, leg) = office.talk(SUPPORT, ANNA);
    office.end(leg, CauseKind::FarEnd);
    assert!(matches!(office.actions.last().unwrap().1, Action::HangUp { leg: told, .. } if told == customer));
    assert_eq!(office.conversation(customer).place(), Some(SegmentKind::Ending));
    office.end(customer, CauseKind::Ours);
    assert_eq!(office.engine.world().conversations().len(), 0);
    assert!(office.agent(ANNA).is_routable());
}

#[test]
fn a_freed_agent_gets_the_one_who_has_waited_longest() {
    let mut office = Office::with_agents(&[ANNA]);
    let (first, _) = office.talk(SUPPORT, ANNA);
    office.pass(1_000);
    let second = office.call(SUPPORT);
    office.pass(1_000);
    let third = office.call(SUPPORT);
    office.end(first, CauseKind::FarEnd);
    office.obey_hang_ups();
    assert!(office.conversation(second).offer.is_some());
    assert!(office.conversation(third).offer.is_none());
}

#[test]
fn a_command_to_hang_up_ends_both_legs() {
    let mut office = Office::with_agents(&[ANNA]);
    let (customer, _) = office.talk(SUPPORT, ANNA);
    let conversation = office.conversation_id(customer);
    office.ask(Command::HangUp { conversation }).unwrap();
    office.obey_hang_ups();
    assert_eq!(office.engine.world().conversations().len(), 0);
    assert_eq!(office.count(|event| matches!(event, Event::LegEnded { .. })), 2);
}
