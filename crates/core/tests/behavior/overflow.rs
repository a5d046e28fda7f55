//! Ways out of a queue by rule: long, slow, deserted or closed.

use crate::office::{ANNA, BERT, OTHER_QUEUE, Office, QUEUE, SALES, SUPPORT, queue};
use dreiklang_core::{
    Action, Actor, Command, Event, Input,
    agent::Duty,
    config::{Change, Destination},
    conversation::{CauseKind, SegmentKind, TerminationReason},
    hours::{Hours, Span, Switch, TimeOfDay, Week},
    ids::{HoursId, LegId},
    output::{Prompt, RejectReason},
    queue::{Condition, FlowOutReason, Outcome, OverflowRule, WaitingRules},
    time::{Millis, Timestamp},
};

fn rules(overflow: Vec<(Condition, Destination)>) -> WaitingRules {
    let overflow = overflow.into_iter().map(|(when, to)| OverflowRule { when, to }).collect();
    WaitingRules { overflow, ..WaitingRules::default() }
}

fn with_rule(office: &mut Office, when: Condition, to: Destination) {
    office.put(Change::PutQueue(dreiklang_core::queue::Settings { waiting: Box::new(rules(vec![(when, to)])), ..queue(QUEUE, "Support") }));
}

fn flow_outs(office: &Office) -> Vec<FlowOutReason> {
    let reason = |event: &Event| match event {
        Event::VisitEnded { outcome: Outcome::FlowOut { reason }, .. } => Some(*reason),
        _ => None,
    };
    office.events.iter().filter_map(|stamped| reason(&stamped.event)).collect()
}

fn farewell() -> Prompt {
    Prompt::Text { text: "Please call tomorrow.".to_owned(), language: "en".to_owned() }
}

/// What the leg was last let hear.
fn hears(office: &Office, wanted: LegId) -> Option<Prompt> {
    office.actions.iter().rev().find_map(|(_, action)| match action {
        Action::Play { leg, prompt, .. } if *leg == wanted => Some(prompt.clone()),
        _ => None,
    })
}

fn waits_in(office: &Office, leg: LegId) -> Option<dreiklang_core::ids::QueueId> {
    office.conversation(leg).visit.as_ref().map(|visit| visit.queue)
}

#[test]
fn who_comes_when_too_many_wait_is_led_on_and_counted_in_both_queues() {
    let mut office = Office::new();
    with_rule(&mut office, Condition::Length { at_least: 1 }, Destination::Queue(OTHER_QUEUE));
    let first = office.call(SUPPORT);
    let second = office.call(SUPPORT);
    assert_eq!(waits_in(&office, first), Some(QUEUE));
    assert_eq!(waits_in(&office, second), Some(OTHER_QUEUE));
    assert_eq!(flow_outs(&office), [FlowOutReason::Overlong]);
}

#[test]
fn a_full_queue_with_a_rule_for_length_takes_the_call_and_leads_it_on() {
    let mut office = Office::new();
    let waiting = rules(vec![(Condition::Length { at_least: 1 }, Destination::Message(farewell()))]);
    office.put(Change::PutQueue(dreiklang_core::queue::Settings { max_waiting: 1, waiting: Box::new(waiting), ..queue(QUEUE, "Support") }));
    office.call(SUPPORT);
    let second = office.call(SUPPORT);
    assert_eq!(hears(&office, second), Some(farewell()));
    let play = office.conversation(second).playing.unwrap();
    office.give(Input::PlayFinished { leg: second, play });
    assert_eq!(office.conversation(second).ending.map(|ending| ending.reason), Some(TerminationReason::Full));
}

#[test]
fn after_the_wait_of_the_rule_the_customer_is_led_on_at_that_time_even_while_a_telephone_rings() {
    let mut office = Office::new();
    with_rule(&mut office, Condition::Waited { after: Millis::from_secs(30) }, Destination::Queue(OTHER_QUEUE));
    let customer = office.call(SUPPORT);
    office.pass(25_000);
    office.put(Change::PutAgent(crate::office::agent(ANNA, "Anna")));
    office.ready(ANNA);
    let ringing = office.offered_leg(ANNA).unwrap();
    office.pass(4_998);
    assert_eq!(waits_in(&office, customer), Some(QUEUE));
    office.pass(1);
    assert_eq!(flow_outs(&office), [FlowOutReason::TimedOut]);
    assert_eq!(waits_in(&office, customer), Some(OTHER_QUEUE));
    assert!(office.engine.world().leg(ringing).is_some_and(|leg| leg.ending), "the offer was taken back");
    office.obey_hang_ups();
    assert!(office.agent(ANNA).planned.is_none());
    assert!(office.offered_leg(ANNA).is_some(), "Anna serves the other queue too, and is not blamed");
}

#[test]
fn a_customer_is_led_on_when_the_last_agent_goes_home_after_the_time_of_grace() {
    let mut office = Office::with_agents(&[ANNA]);
    with_rule(&mut office, Condition::NoAgents { after: Millis::from_secs(60) }, Destination::HangUp);
    let talking = office.talk(SUPPORT, ANNA).0;
    let waiting = office.call(SUPPORT);
    office.end(talking, CauseKind::FarEnd);
    office.obey_hang_ups();
    let offered = office.offered_leg(ANNA).unwrap();
    office.end(offered, CauseKind::NoAnswer);
    office.ask(Command::SetDuty { agent: ANNA, duty: Duty::SignedOut }).unwrap();
    office.pass(59_999);
    assert_eq!(office.conversation(waiting).place(), Some(SegmentKind::Queue));
    office.pass(1);
    assert_eq!(flow_outs(&office), [FlowOutReason::NoAgents]);
}

#[test]
fn an_agent_who_comes_in_time_stops_the_time_of_grace() {
    let mut office = Office::with_agents(&[ANNA]);
    office.ask(Command::SetDuty { agent: ANNA, duty: Duty::SignedOut }).unwrap();
    with_rule(&mut office, Condition::NoAgents { after: Millis::from_secs(60) }, Destination::HangUp);
    let waiting = office.call(SUPPORT);
    office.pass(59_000);
    office.ask(Command::SetDuty { agent: ANNA, duty: Duty::OnDuty }).unwrap();
    office.pass(600_000);
    assert!(flow_outs(&office).is_empty());
    assert!(office.conversation(waiting).visit.is_some());
}

#[test]
fn a_closed_queue_refuses_the_call_or_leads_it_on_by_rule_and_serves_who_waits() {
    let mut office = Office::with_agents(&[ANNA]);
    let (_, leg) = office.talk(SUPPORT, ANNA);
    let waits = office.call(SUPPORT);
    office.ask(Command::CloseQueue { queue: QUEUE, reason: "fire drill".to_owned(), until: None }).unwrap();
    let late = office.arrive(SUPPORT);
    assert!(
        office
            .actions
            .iter()
            .any(|(_, action)| matches!(action, Action::Reject { leg, reason: RejectReason::Unavailable, .. } if *leg == late))
    );
    with_rule(&mut office, Condition::Closed, Destination::Queue(OTHER_QUEUE));
    let led = office.call(SUPPORT);
    assert_eq!(waits_in(&office, led), Some(OTHER_QUEUE));
    office.end(leg, CauseKind::FarEnd);
    office.obey_hang_ups();
    assert!(office.conversation(waits).offer.is_some(), "who waited when it closed is served");
    office.ask(Command::OpenQueue { queue: QUEUE }).unwrap();
    let open = office.call(SUPPORT);
    assert_eq!(waits_in(&office, open), Some(QUEUE));
}

#[test]
fn outside_its_hours_a_queue_takes_nobody_unless_somebody_switches_it_open() {
    let mut office = Office::new();
    let id = HoursId(1);
    let nine_to_five = Span::new(TimeOfDay::new(9, 0).unwrap(), TimeOfDay::new(17, 0).unwrap());
    let hours = Hours { week: Week::every_day(&[nine_to_five]), ..Hours::new(id, "Office", "Europe/Berlin") };
    office.put(Change::PutHours(Box::new(hours)));
    let waiting = Box::new(WaitingRules { hours: Some(id), ..WaitingRules::default() });
    office.put(Change::PutQueue(dreiklang_core::queue::Settings { waiting, ..queue(QUEUE, "Support") }));
    // The office's clock stands at 23:13 in Berlin.
    let late = office.arrive(SUPPORT);
    assert!(office.actions.iter().any(|(_, action)| matches!(action, Action::Reject { leg, .. } if *leg == late)));
    office.ask(Command::SetHoursOverride { hours: id, to: Switch::ForcedOpen { until: None } }).unwrap();
    let open = office.call(SUPPORT);
    assert_eq!(waits_in(&office, open), Some(QUEUE));
    office.ask(Command::SetHoursOverride { hours: id, to: Switch::Automatic }).unwrap();
    office.now.0 += 12 * 3_600_000;
    let morning = office.call(SUPPORT);
    assert_eq!(waits_in(&office, morning), Some(QUEUE));
    let refused = dreiklang_core::config::validate(office.engine.world(), &Change::RemoveHours(id));
    assert!(refused.unwrap_err().to_string().contains("goes by them"));
}

#[test]
fn a_queue_closed_until_a_time_opens_by_itself() {
    let mut office = Office::new();
    let until = Timestamp(office.now.0 + 60_000);
    office.ask(Command::CloseQueue { queue: QUEUE, reason: "meeting".to_owned(), until: Some(until) }).unwrap();
    office.pass(59_999);
    assert!(office.engine.world().queue(QUEUE).unwrap().closed.is_some());
    office.pass(1);
    assert!(office.engine.world().queue(QUEUE).unwrap().closed.is_none());
    let refused = office.ask_as(Actor::Agent(ANNA), Command::CloseQueue { queue: QUEUE, reason: "tired".to_owned(), until: None });
    assert_eq!(refused.unwrap_err().code(), "CORE-004");
}

#[test]
fn a_rule_whose_place_cannot_be_had_is_passed_over_and_the_next_one_is_asked() {
    let mut office = Office::with_agents(&[BERT]);
    office.ask(Command::SetDuty { agent: BERT, duty: Duty::SignedOut }).unwrap();
    let waiting = rules(vec![
        (Condition::Waited { after: Millis::from_secs(10) }, Destination::Agent(BERT)),
        (Condition::Waited { after: Millis::from_secs(20) }, Destination::Queue(OTHER_QUEUE)),
    ]);
    office.put(Change::PutQueue(dreiklang_core::queue::Settings { waiting: Box::new(waiting), ..queue(QUEUE, "Support") }));
    let customer = office.call(SUPPORT);
    office.pass(19_999);
    assert_eq!(waits_in(&office, customer), Some(QUEUE));
    assert_eq!(office.count(|event| matches!(event, Event::OverflowPassedOver { rule: 0, .. })), 1);
    office.pass(1);
    assert_eq!(waits_in(&office, customer), Some(OTHER_QUEUE));
}

#[test]
fn rules_that_lead_in_circles_end_with_the_customer_waiting() {
    let mut office = Office::new();
    let after = Condition::Length { at_least: 0 };
    let there = rules(vec![(after, Destination::Queue(OTHER_QUEUE))]);
    let back = rules(vec![(after, Destination::Queue(QUEUE))]);
    office.put(Change::PutQueue(dreiklang_core::queue::Settings { waiting: Box::new(there), ..queue(QUEUE, "Support") }));
    office.put(Change::PutQueue(dreiklang_core::queue::Settings { waiting: Box::new(back), ..queue(OTHER_QUEUE, "Sales") }));
    let customer = office.call(SALES);
    assert_eq!(office.conversation(customer).place(), Some(SegmentKind::Queue));
    assert_eq!(flow_outs(&office).len(), 10);
}

#[test]
fn a_changed_rule_holds_for_those_who_wait_already() {
    let mut office = Office::new();
    let customer = office.call(SUPPORT);
    office.pass(50_000);
    with_rule(&mut office, Condition::Waited { after: Millis::from_secs(60) }, Destination::Queue(OTHER_QUEUE));
    office.pass(10_000);
    assert_eq!(waits_in(&office, customer), Some(OTHER_QUEUE));
}

#[test]
fn a_queue_that_a_rule_leads_to_cannot_be_removed() {
    let mut office = Office::new();
    with_rule(&mut office, Condition::Closed, Destination::Queue(OTHER_QUEUE));
    office.put(Change::RemoveNumber(dreiklang_core::ids::NumberId(2)));
    let refused = dreiklang_core::config::validate(office.engine.world(), &Change::RemoveQueue(OTHER_QUEUE));
    assert!(refused.unwrap_err().to_string().contains("leads to it by a rule"));
}
