//! Which numbers outside may be called, and how many at once.

use crate::office::{ANNA, BERT, Office, QUEUE, SUPPORT, queue};
use dreiklang_core::{
    Action, Command, Event, Input, Refusal,
    callback::{CallbackOutcome, CallbackRules},
    config::{Change, Destination, OutboundRules, Tenant},
    conversation::{CauseKind, SegmentKind},
    endpoint::{Endpoint, Line, Party},
    ids::LegId,
    input::TransferTarget,
    queue::{Condition, OverflowRule, WaitingRules},
    time::Millis,
};

fn transfer(office: &mut Office, customer: LegId, to: TransferTarget) -> Result<(), Refusal> {
    let conversation = office.conversation_id(customer);
    office.ask(Command::Transfer { conversation, to })
}

fn outside() -> TransferTarget {
    TransferTarget::Number("+49891234567".to_owned())
}

fn bar(office: &mut Office, outbound: OutboundRules) {
    let outbound_line = Some(Line::Connected);
    office.put(Change::PutTenant(Tenant { name: "Test".to_owned(), outbound_line, outbound: Box::new(outbound), ..Tenant::default() }));
}

#[test]
fn numbers_that_may_not_be_called_are_called_by_nobody() {
    let mut office = Office::with_agents(&[ANNA]);
    bar(&mut office, OutboundRules { allowed: vec!["+49".to_owned()], denied: vec!["+4989".to_owned()], at_once: None });
    let (customer, leg) = office.talk(SUPPORT, ANNA);
    for barred in ["+49891234567", "0049891234567", "+882161234567"] {
        let number = TransferTarget::Number(barred.to_owned());
        let refused = transfer(&mut office, customer, number.clone()).unwrap_err();
        assert!(
            matches!(&refused, Refusal::NotAllowed { reason } if reason.contains(barred) && reason.contains("outbound.allowed")),
            "{refused}"
        );
        let conversation = office.conversation_id(customer);
        assert!(matches!(office.ask(Command::Consult { conversation, to: number }), Err(Refusal::NotAllowed { .. })));
        office.give(Input::TransferRequested { leg, target: barred.to_owned() });
    }
    let answers = office.actions.iter().filter(|(_, action)| matches!(action, Action::AnswerTransfer { accepted: false, .. })).count();
    assert_eq!(answers, 3, "the telephone's own wish is declined too");
    assert!(transfer(&mut office, customer, TransferTarget::Number("+49301234567".to_owned())).is_ok());
}

#[test]
fn no_more_numbers_outside_are_called_at_once_than_allowed() {
    let mut office = Office::with_agents(&[ANNA, BERT]);
    bar(&mut office, OutboundRules { at_once: Some(1), ..OutboundRules::default() });
    let (first, _) = office.talk(SUPPORT, ANNA);
    let (second, _) = office.talk(SUPPORT, BERT);
    transfer(&mut office, first, outside()).unwrap();
    let refused = transfer(&mut office, second, outside()).unwrap_err();
    assert!(matches!(&refused, Refusal::WrongState { reason } if reason.contains("outbound.at_once")), "{refused}");
    office.end(first, CauseKind::FarEnd);
    office.obey_hang_ups();
    assert!(transfer(&mut office, second, outside()).is_ok(), "the first one is over");
}

#[test]
fn a_rule_that_leads_to_a_number_that_may_not_be_called_is_passed_over() {
    let mut office = Office::new();
    bar(&mut office, OutboundRules { denied: vec!["+49900".to_owned()], ..OutboundRules::default() });
    let to = |number: &str| Destination::Number(number.to_owned());
    let rule = |number: &str| OverflowRule { when: Condition::NoAgents { after: Millis(0) }, to: to(number) };
    let overflow = vec![rule("+499001234"), rule("+49301234")];
    office.put(Change::PutQueue(dreiklang_core::queue::Settings {
        waiting: Box::new(WaitingRules { overflow, ..WaitingRules::default() }),
        ..queue(QUEUE, "Support")
    }));
    office.call(SUPPORT);
    let called: Vec<_> =
        office.actions.iter().filter_map(|(_, action)| if let Action::Dial { to, .. } = action { Some(to) } else { None }).collect();
    assert_eq!(called, [&Endpoint::Number("+49301234".to_owned())]);
}

/// The key 1 in the queue leads to a callback.
fn calling_back(denied: &str) -> Office {
    let mut office = Office::with_agents(&[]);
    bar(&mut office, OutboundRules { denied: vec![denied.to_owned()], ..OutboundRules::default() });
    let keys = [('1', Destination::Callback(QUEUE))].into();
    office.put(Change::PutQueue(dreiklang_core::queue::Settings {
        waiting: Box::new(WaitingRules { keys, ..WaitingRules::default() }),
        callbacks: CallbackRules { attempts: 1, gap: Millis::from_secs(60), most: 5 },
        ..queue(QUEUE, "Support")
    }));
    office
}

fn request(office: &mut Office, number: &str) -> Result<(), Refusal> {
    let party = Party { number: Some(number.to_owned()), name: None };
    office.ask(Command::RequestCallback { queue: QUEUE, party, at: None, priority: None, language: None })
}

#[test]
fn callers_make_us_call_back_no_number_that_may_not_be_called() {
    let mut office = calling_back("+88");
    let customer = office.call(SUPPORT);
    for digit in "10088216123456#".chars() {
        office.give(Input::Digit { leg: customer, digit });
    }
    assert_eq!(office.conversation(customer).place(), Some(SegmentKind::Callback), "another number is asked for");
    assert_eq!(office.engine.world().callbacks().len(), 0);
    for digit in "0301234567#".chars() {
        office.give(Input::Digit { leg: customer, digit });
    }
    assert_eq!(office.engine.world().callbacks().len(), 1);
    assert!(matches!(request(&mut office, "+88216123456"), Err(Refusal::Invalid { field, .. }) if field == "number"));
}

#[test]
fn a_callback_whose_number_is_barred_meanwhile_is_not_called() {
    let mut office = calling_back("+88");
    office.put(Change::PutAgent(crate::office::agent(ANNA, "Anna")));
    office.ready(ANNA);
    request(&mut office, "+49891234567").unwrap();
    let leg = office.offered_leg(ANNA).expect("it is offered");
    bar(&mut office, OutboundRules { denied: vec!["+4989".to_owned()], ..OutboundRules::default() });
    office.connect(leg);
    office.obey_hang_ups();
    let called =
        |(_, action): &(_, Action)| matches!(action, Action::Dial { to: Endpoint::Number(number), .. } if number.starts_with("+4989"));
    assert!(!office.actions.iter().any(called));
    assert_eq!(office.engine.world().conversations().len(), 0);
    assert!(office.agent(ANNA).is_routable(), "the agent has nothing to do any more");
    let failed = |event: &Event| matches!(event, Event::CallbackEnded { outcome, .. } if *outcome != CallbackOutcome::Connected);
    assert_eq!(office.count(failed), 1);
}

#[test]
fn rules_that_no_number_begins_with_are_refused() {
    let mut office = Office::new();
    for (rules, field) in [
        (OutboundRules { allowed: vec!["+49 30".to_owned()], ..OutboundRules::default() }, "tenant.outbound.allowed"),
        (OutboundRules { denied: vec!["+".to_owned()], ..OutboundRules::default() }, "tenant.outbound.denied"),
        (OutboundRules { denied: vec!["+49".to_owned(); 201], ..OutboundRules::default() }, "tenant.outbound.denied"),
        (OutboundRules { at_once: Some(0), ..OutboundRules::default() }, "tenant.outbound.at_once"),
    ] {
        let change = Change::PutTenant(Tenant { name: "Test".to_owned(), outbound: Box::new(rules), ..Tenant::default() });
        let refused = dreiklang_core::config::validate(office.engine.world(), &change).unwrap_err();
        assert!(matches!(&refused, Refusal::Invalid { field: named, .. } if named == field), "{refused}");
    }
    office.pass(1);
}
