//! Back into a queue: by wish, or because a transfer failed.

use crate::office::{ANNA, BERT, OTHER_QUEUE, Office, QUEUE, SALES, SUPPORT, agent, number, queue};
use dreiklang_core::{
    Action, Actor, Command, Event, Refusal,
    agent::{Availability, Occupation},
    config::{Change, Target},
    conversation::{CauseKind, SegmentKind},
    ids::LegId,
    input::TransferTarget,
    limits,
    output::HangUpReason,
    queue::{Allowance, CallRules, Condition, OverflowRule, Ring, RoutingRules, Settings, WaitingRules},
    time::{Millis, Timestamp},
};

fn requeue(office: &mut Office, customer: LegId, keep_wait: bool) -> Result<(), Refusal> {
    let conversation = office.conversation_id(customer);
    office.ask(Command::Requeue { conversation, queue: None, keep_wait })
}

fn ago(office: &Office, ms: i64) -> Timestamp {
    Timestamp(office.now.0 - ms)
}

/// Carla has waited for 40 s and talks to Anna for 5 s.
fn after_a_wait() -> (Office, LegId, LegId) {
    let mut office = Office::new();
    office.put(Change::PutAgent(agent(ANNA, "Anna")));
    let customer = office.call(SUPPORT);
    office.pass(39_999);
    office.ready(ANNA);
    let leg = office.offered_leg(ANNA).unwrap();
    office.connect(leg);
    office.pass(5_000);
    (office, customer, leg)
}

#[test]
fn the_time_waited_before_counts_where_that_is_wanted() {
    for keep_wait in [false, true] {
        let (mut office, customer, leg) = after_a_wait();
        requeue(&mut office, customer, keep_wait).unwrap();
        let visit = office.conversation(customer).visit.clone().unwrap();
        assert_eq!((visit.queue, visit.enqueued_at), (QUEUE, office.now), "figures count a visit that begins now");
        let since = if keep_wait { ago(&office, 40_000) } else { office.now };
        assert_eq!(visit.in_line_since(), since, "the talk is no wait");
        let told = |action: &Action| matches!(action, Action::HangUp { leg: told, reason: HangUpReason::Transferred, .. } if *told == leg);
        assert!(office.actions.iter().any(|(_, action)| told(action)));
    }
}

#[test]
fn who_keeps_the_wait_asks_for_no_more_than_those_who_stand_behind() {
    for keep_wait in [false, true] {
        let (mut office, customer, _) = after_a_wait();
        office.put(Change::PutAgent(agent(BERT, "Bert")));
        let ring = |after| Ring { after: Millis::from_secs(after), agents: [BERT].into(), ..Ring::default() };
        let routing = RoutingRules { rings: vec![ring(30), ring(60)], ..RoutingRules::default() };
        office.put(Change::PutQueue(Settings { routing, ..queue(QUEUE, "Support") }));
        requeue(&mut office, customer, keep_wait).unwrap();
        let ring = |office: &Office| office.conversation(customer).visit.as_ref().unwrap().ring;
        assert_eq!(ring(&office), u8::from(keep_wait));
        office.pass(20_000);
        assert_eq!(ring(&office), if keep_wait { 2 } else { 0 });
        office.pass(40_000);
        assert_eq!(ring(&office), 2);
    }
}

#[test]
fn every_queue_the_customer_has_been_in_counts_once() {
    let (mut office, customer, _) = after_a_wait();
    requeue(&mut office, customer, true).unwrap();
    office.obey_hang_ups();
    office.pass(7_000);
    let leg = office.offered_leg(ANNA).unwrap();
    office.connect(leg);
    let conversation = office.conversation_id(customer);
    office.ask(Command::Requeue { conversation, queue: Some(OTHER_QUEUE), keep_wait: true }).unwrap();
    let visit = office.conversation(customer).visit.clone().unwrap();
    assert_eq!((visit.queue, visit.in_line_since()), (OTHER_QUEUE, ago(&office, 47_000)));
}

#[test]
fn the_agent_wraps_up_and_rules_for_those_who_enter_do_not_turn_the_customer_away() {
    let (mut office, customer, _) = after_a_wait();
    let overflow = vec![OverflowRule { when: Condition::Length { at_least: 0 }, to: dreiklang_core::config::Destination::HangUp }];
    office.put(Change::PutQueue(Settings {
        wrap_up: Allowance::UntilFinished,
        waiting: Box::new(WaitingRules { overflow, ..WaitingRules::default() }),
        ..queue(QUEUE, "Support")
    }));
    requeue(&mut office, customer, true).unwrap();
    assert!(office.conversation(customer).visit.is_some());
    assert!(matches!(office.agent(ANNA).occupation, Occupation::WrapUp { .. }));
}

#[test]
fn a_customer_on_hold_can_go_back_but_none_who_waits_or_is_consulted_about() {
    let (mut office, customer, _) = after_a_wait();
    let conversation = office.conversation_id(customer);
    office.ask(Command::Consult { conversation, to: TransferTarget::Number("+49891234567".to_owned()) }).unwrap();
    assert!(matches!(requeue(&mut office, customer, true), Err(Refusal::WrongState { .. })));
    office.ask(Command::CancelConsult { conversation }).unwrap();
    office.ask(Command::Hold { conversation }).unwrap();
    assert_eq!(requeue(&mut office, customer, true), Ok(()));
    assert!(matches!(requeue(&mut office, customer, true), Err(Refusal::WrongState { .. })), "who waits is in line already");
}

#[test]
fn without_a_queue_one_has_to_be_named_and_agents_do_it_in_their_own_talk_only() {
    let mut office = Office::with_agents(&[ANNA, BERT]);
    office.put(Change::PutNumber(number(3, "+49303000", Target::Agent(ANNA))));
    let (customer, _) = office.talk("+49303000", ANNA);
    assert!(matches!(requeue(&mut office, customer, true), Err(Refusal::Invalid { field, .. }) if field == "queue"));
    let conversation = office.conversation_id(customer);
    let command = Command::Requeue { conversation, queue: Some(QUEUE), keep_wait: false };
    assert!(matches!(office.ask_as(Actor::Agent(BERT), command.clone()), Err(Refusal::NotAllowed { .. })));
    office.ask_as(Actor::Agent(ANNA), command).unwrap();
    assert_eq!(office.conversation(customer).visit.as_ref().unwrap().queue, QUEUE);
    office.ask(Command::CloseQueue { queue: OTHER_QUEUE, reason: "drill".to_owned(), until: None }).unwrap();
    let leg = office.offered_leg(BERT).or(office.offered_leg(ANNA)).unwrap();
    office.connect(leg);
    let closed = office.ask(Command::Requeue { conversation, queue: Some(OTHER_QUEUE), keep_wait: false });
    assert!(matches!(closed, Err(Refusal::WrongState { .. })));
}

/// Anna, whose queue gives failed transfers back, has transferred her customer outside.
fn transferred(take_back: Option<Millis>, also_ready: bool) -> (Office, LegId, LegId) {
    let mut office = Office::with_agents(if also_ready { &[ANNA, BERT] } else { &[ANNA] });
    let calls = Box::new(CallRules { take_back, ..CallRules::default() });
    office.put(Change::PutQueue(Settings { calls, wrap_up: Allowance::UntilFinished, ..queue(QUEUE, "Support") }));
    let (customer, _) = office.talk(SUPPORT, ANNA);
    let conversation = office.conversation_id(customer);
    office.ask(Command::Transfer { conversation, to: TransferTarget::Number("+49891234567".to_owned()) }).unwrap();
    office.obey_hang_ups();
    let outside = office.conversation(customer).transfer.as_ref().unwrap().leg.unwrap();
    (office, customer, outside)
}

#[test]
fn a_failed_transfer_comes_back_to_the_agent_first_and_the_notes_can_wait() {
    let (mut office, customer, outside) = transferred(Some(Millis::from_secs(20)), true);
    assert!(matches!(office.agent(ANNA).occupation, Occupation::WrapUp { .. }));
    office.end(outside, CauseKind::Busy);
    assert_eq!(office.conversation(customer).offers().map(|offer| offer.agent).collect::<Vec<_>>(), [ANNA], "Bert has been idle longer");
    let leg = office.offered_leg(ANNA).unwrap();
    office.connect(leg);
    assert_eq!(office.agent(ANNA).occupation, Occupation::Talking { conversation: office.conversation_id(customer) });
}

#[test]
fn when_the_agent_does_not_take_it_in_time_anybody_may() {
    let (mut office, customer, outside) = transferred(Some(Millis::from_secs(10)), true);
    office.ask(Command::SetAvailability { agent: ANNA, availability: Availability::NotReady { reason: "break".to_owned() } }).unwrap();
    office.end(outside, CauseKind::Busy);
    assert!(office.conversation(customer).offer.is_none(), "Anna has planned a break, which counts");
    office.pass(10_000);
    assert_eq!(office.conversation(customer).offers().map(|offer| offer.agent).collect::<Vec<_>>(), [BERT]);
}

#[test]
fn without_the_rule_the_customer_is_first_in_line_for_everybody() {
    let (mut office, customer, outside) = transferred(None, true);
    office.end(outside, CauseKind::Busy);
    assert_eq!(office.conversation(customer).offers().map(|offer| offer.agent).collect::<Vec<_>>(), [BERT]);
    assert!(matches!(office.agent(ANNA).occupation, Occupation::WrapUp { .. }), "her notes are her own business");
}

#[test]
fn an_agent_who_has_gone_home_meanwhile_is_not_waited_for() {
    let (mut office, customer, outside) = transferred(Some(Millis::from_secs(20)), true);
    office.ask(Command::SetDuty { agent: ANNA, duty: dreiklang_core::agent::Duty::SignedOut }).unwrap();
    office.end(outside, CauseKind::Busy);
    assert_eq!(office.conversation(customer).offers().map(|offer| offer.agent).collect::<Vec<_>>(), [BERT]);
}

#[test]
fn a_customer_of_no_queue_comes_back_to_the_agent_or_is_let_go() {
    for answers in [true, false] {
        let mut office = Office::with_agents(&[ANNA]);
        office.put(Change::PutNumber(number(3, "+49303000", Target::Agent(ANNA))));
        let (customer, _) = office.talk("+49303000", ANNA);
        let conversation = office.conversation_id(customer);
        office.ask(Command::Transfer { conversation, to: TransferTarget::Number("+49891234567".to_owned()) }).unwrap();
        office.obey_hang_ups();
        let outside = office.conversation(customer).transfer.as_ref().unwrap().leg.unwrap();
        office.end(outside, CauseKind::NoAnswer);
        assert_eq!(office.conversation(customer).place(), Some(SegmentKind::Transfer));
        let leg = office.offered_leg(ANNA).unwrap();
        if answers {
            office.connect(leg);
            assert_eq!(office.conversation(customer).place(), Some(SegmentKind::Talk));
        } else {
            office.pass(limits::TRANSFER_RING.0 as i64);
            assert_eq!(office.conversation(customer).place(), Some(SegmentKind::Ending));
        }
    }
}

#[test]
fn the_time_for_a_take_back_is_bounded() {
    let office = Office::new();
    for take_back in [Millis(0), limits::PREFERRED_WAIT_MAX + Millis(1)] {
        let calls = Box::new(CallRules { take_back: Some(take_back), ..CallRules::default() });
        let refused =
            dreiklang_core::config::validate(office.engine.world(), &Change::PutQueue(Settings { calls, ..queue(QUEUE, "Support") }));
        assert!(matches!(refused, Err(Refusal::Invalid { field, .. }) if field == "queue.calls.take_back"));
    }
}

#[test]
fn a_supervisor_may_put_a_talk_back_and_it_is_written_down() {
    let mut office = Office::with_agents(&[ANNA]);
    let (customer, _) = office.talk(SALES, ANNA);
    requeue(&mut office, customer, false).unwrap();
    let by = |event: &Event| matches!(event, Event::Requeued { queue: OTHER_QUEUE, keep_wait: false, by: Actor::User(_), .. });
    assert_eq!(office.count(by), 1);
}
