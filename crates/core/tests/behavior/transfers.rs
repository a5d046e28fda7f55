//! Handing a customer on.

use crate::office::{ANNA, BERT, OTHER_QUEUE, Office, QUEUE, SALES, SUPPORT, number};
use dreiklang_core::{
    Action, Actor, Command, Event, Input, Refusal,
    agent::Occupation,
    config::{Change, Target, Tenant},
    conversation::{CauseKind, Role, SegmentKind, TerminationReason},
    ids::{AgentId, LegId},
    input::TransferTarget,
    limits,
    output::{HangUpReason, Prompt},
};

fn outside_leg(office: &Office, customer: LegId) -> LegId {
    office.conversation(customer).legs.iter().find(|leg| leg.role == Role::External).map(|leg| leg.id).expect("somebody outside is called")
}

fn transfer(office: &mut Office, customer: LegId, to: TransferTarget) -> Result<(), Refusal> {
    let conversation = office.conversation_id(customer);
    office.ask(Command::Transfer { conversation, to })
}

fn outside() -> TransferTarget {
    TransferTarget::Number("+49891234567".to_owned())
}

#[test]
fn to_a_queue_the_customer_waits_there_and_the_agent_is_free() {
    let mut office = Office::with_agents(&[ANNA]);
    let (customer, leg) = office.talk(SUPPORT, ANNA);
    transfer(&mut office, customer, TransferTarget::Queue(OTHER_QUEUE)).unwrap();
    assert_eq!(office.conversation(customer).visit.as_ref().unwrap().queue, OTHER_QUEUE);
    let told = office
        .actions
        .iter()
        .any(|(_, action)| matches!(action, Action::HangUp { leg: told, reason: HangUpReason::Transferred, .. } if *told == leg));
    assert!(told);
    assert_eq!(office.count(|event| matches!(event, Event::TransferEnded { failure: None, .. })), 1);
    assert_eq!(office.agent(ANNA).occupation, Occupation::Idle);
}

#[test]
fn to_a_free_agent_who_takes_it() {
    let mut office = Office::with_agents(&[ANNA, BERT]);
    let (customer, _) = office.talk(SUPPORT, ANNA);
    transfer(&mut office, customer, TransferTarget::Agent(BERT)).unwrap();
    assert_eq!(office.conversation(customer).place(), Some(SegmentKind::Transfer));
    let ringback = |action: &Action| matches!(action, Action::Play { prompt: Prompt::Ringback, .. });
    assert!(office.actions.iter().any(|(_, action)| ringback(action)));
    let leg = office.offered_leg(BERT).unwrap();
    office.connect(leg);
    assert_eq!(office.conversation(customer).talk.as_ref().unwrap().agent, Some(BERT));
    assert_eq!(office.count(|event| matches!(event, Event::TransferEnded { failure: None, .. })), 1);
}

#[test]
fn to_an_agent_who_is_not_free_is_refused_and_the_customer_stays() {
    let mut office = Office::with_agents(&[ANNA]);
    let (customer, _) = office.talk(SUPPORT, ANNA);
    assert!(matches!(transfer(&mut office, customer, TransferTarget::Agent(ANNA)), Err(Refusal::WrongState { .. })));
    assert!(matches!(transfer(&mut office, customer, TransferTarget::Agent(AgentId(99))), Err(Refusal::NotFound { .. })));
    assert_eq!(office.conversation(customer).place(), Some(SegmentKind::Talk));
}

#[test]
fn a_target_who_does_not_answer_sends_the_customer_back_to_the_front() {
    let mut office = Office::with_agents(&[ANNA, BERT]);
    let (customer, _) = office.talk(SUPPORT, ANNA);
    office.pass(1_000);
    transfer(&mut office, customer, TransferTarget::Agent(BERT)).unwrap();
    office.pass(limits::TRANSFER_RING.0 as i64);
    let visit = office.conversation(customer).visit.clone().unwrap();
    assert_eq!((visit.queue, visit.priority), (QUEUE, limits::PRIORITY_MAX));
    assert_eq!(office.count(|event| matches!(event, Event::TransferEnded { failure: Some(_), .. })), 1);
}

#[test]
fn outside_the_conversation_goes_on_until_one_of_them_leaves() {
    let mut office = Office::with_agents(&[ANNA]);
    let (customer, _) = office.talk(SUPPORT, ANNA);
    transfer(&mut office, customer, outside()).unwrap();
    let leg = outside_leg(&office, customer);
    let Some((_, Action::Dial { caller, .. })) = office.actions.last() else { panic!("somebody is dialed") };
    assert_eq!(caller.number.as_deref(), Some("+4930999"), "carriers want our own number");
    office.connect(leg);
    assert_eq!(office.conversation(customer).place(), Some(SegmentKind::Talk));
    assert!(office.agent(ANNA).occupation == Occupation::Idle);
    office.pass(60_000);
    office.end(leg, CauseKind::FarEnd);
    office.obey_hang_ups();
    assert_eq!(office.engine.world().conversations().len(), 0);
    assert_eq!(office.count(|event| matches!(event, Event::TalkEnded { agent: None, .. })), 1);
}

#[test]
fn outside_every_failure_brings_the_customer_back() {
    for cause in [CauseKind::Busy, CauseKind::NoAnswer, CauseKind::Unreachable, CauseKind::Failure, CauseKind::FarEnd] {
        let mut office = Office::with_agents(&[ANNA]);
        let (customer, _) = office.talk(SUPPORT, ANNA);
        transfer(&mut office, customer, outside()).unwrap();
        let leg = outside_leg(&office, customer);
        office.end(leg, cause);
        assert_eq!(office.conversation(customer).place(), Some(SegmentKind::Queue), "{cause:?}");
    }
    let mut office = Office::with_agents(&[ANNA]);
    let (customer, _) = office.talk(SUPPORT, ANNA);
    transfer(&mut office, customer, outside()).unwrap();
    let leg = outside_leg(&office, customer);
    office.pass(limits::TRANSFER_RING.0 as i64);
    assert_eq!(office.conversation(customer).place(), Some(SegmentKind::Queue));
    let told = office
        .actions
        .iter()
        .any(|(_, action)| matches!(action, Action::HangUp { leg: told, reason: HangUpReason::NoAnswer, .. } if *told == leg));
    assert!(told);
}

#[test]
fn outside_needs_a_plausible_number_and_a_line() {
    let mut office = Office::with_agents(&[ANNA]);
    let (customer, _) = office.talk(SUPPORT, ANNA);
    for nonsense in ["", "+", "hello", "+49 30 1", "+1234567890123456"] {
        let refused = transfer(&mut office, customer, TransferTarget::Number(nonsense.to_owned()));
        assert!(matches!(refused, Err(Refusal::Invalid { .. })), "{nonsense}");
    }
    office.put(Change::PutTenant(Tenant { name: "Test".to_owned(), ..Tenant::default() }));
    assert!(matches!(transfer(&mut office, customer, outside()), Err(Refusal::WrongState { .. })));
}

#[test]
fn a_customer_who_leaves_meanwhile_ends_the_transfer() {
    let mut office = Office::with_agents(&[ANNA]);
    let (customer, _) = office.talk(SUPPORT, ANNA);
    transfer(&mut office, customer, outside()).unwrap();
    let leg = outside_leg(&office, customer);
    office.end(customer, CauseKind::FarEnd);
    assert!(office.actions.iter().any(|(_, action)| matches!(action, Action::HangUp { leg: told, .. } if *told == leg)));
    office.connect(leg);
    office.obey_hang_ups();
    assert_eq!(office.engine.world().conversations().len(), 0);
    assert_eq!(office.count(|event| matches!(event, Event::TransferEnded { failure: Some(_), .. })), 1);
}

#[test]
fn a_telephone_that_asks_is_told_before_it_is_hung_up() {
    let mut office = Office::with_agents(&[ANNA, BERT]);
    office.put(Change::PutNumber(number(3, "+49303000", Target::Agent(BERT))));
    let targets = [
        (SALES, SegmentKind::Queue),
        ("bert", SegmentKind::Transfer),
        ("+49303000", SegmentKind::Transfer),
        ("+4989123", SegmentKind::Transfer),
        ("ben@contoso.example", SegmentKind::Transfer),
    ];
    for (target, place) in targets {
        let (customer, leg) = office.talk(SUPPORT, ANNA);
        let mark = office.actions.len();
        office.give(Input::TransferRequested { leg, target: target.to_owned() });
        assert_eq!(office.conversation(customer).place(), Some(place), "{target}");
        let about_leg: Vec<&Action> = office.actions[mark..]
            .iter()
            .map(|(_, action)| action)
            .filter(|action| action.needs_leg(leg) && !action.is_hearing())
            .collect();
        assert!(matches!(about_leg[..], [Action::AnswerTransfer { accepted: true, .. }, Action::HangUp { .. }]), "{about_leg:?}");
        office.end(customer, CauseKind::FarEnd);
        office.obey_hang_ups();
        // Bert's telephone rang in vain; Anna is to be asked first again.
        office
            .ask(Command::SetAvailability {
                agent: BERT,
                availability: dreiklang_core::agent::Availability::NotReady { reason: "x".to_owned() },
            })
            .unwrap();
        office.ask(Command::SetAvailability { agent: BERT, availability: dreiklang_core::agent::Availability::Ready }).unwrap();
        office.pass(1);
    }
}

#[test]
fn a_telephone_that_asks_for_nonsense_is_refused_and_keeps_the_customer() {
    let mut office = Office::with_agents(&[ANNA]);
    let (customer, leg) = office.talk(SUPPORT, ANNA);
    for target in ["nonsense", "anna"] {
        office.give(Input::TransferRequested { leg, target: target.to_owned() });
        assert!(matches!(office.actions.last(), Some((_, Action::AnswerTransfer { accepted: false, .. }))));
        assert_eq!(office.conversation(customer).place(), Some(SegmentKind::Talk));
    }
    office.give(Input::TransferRequested { leg: customer, target: SALES.to_owned() });
    assert!(matches!(office.actions.last(), Some((_, Action::AnswerTransfer { leg, accepted: false, .. })) if *leg == customer));
}

#[test]
fn a_direct_call_that_fails_to_be_transferred_ends_classified() {
    let mut office = Office::with_agents(&[ANNA]);
    office.put(Change::PutNumber(number(3, "+49303000", Target::Agent(ANNA))));
    let (customer, _) = office.talk("+49303000", ANNA);
    transfer(&mut office, customer, outside()).unwrap();
    let leg = outside_leg(&office, customer);
    office.end(leg, CauseKind::Busy);
    assert_eq!(office.conversation(customer).place(), Some(SegmentKind::Ending), "there is no queue to return to");
    office.obey_hang_ups();
    let busy =
        |event: &Event| matches!(event, Event::ConversationEnded { termination, .. } if termination.reason == TerminationReason::Busy);
    assert_eq!(office.count(busy), 1);
}

#[test]
fn a_full_queue_refuses_the_transfer() {
    let mut office = Office::with_agents(&[ANNA]);
    let mut settings = crate::office::queue(OTHER_QUEUE, "Sales");
    settings.max_waiting = 1;
    office.put(Change::PutQueue(settings));
    let (customer, _) = office.talk(SUPPORT, ANNA);
    office.call(SALES);
    assert!(matches!(transfer(&mut office, customer, TransferTarget::Queue(OTHER_QUEUE)), Err(Refusal::Full { .. })));
}

#[test]
fn an_agent_who_is_not_in_it_cannot_transfer() {
    let mut office = Office::with_agents(&[ANNA, BERT]);
    let (customer, _) = office.talk(SUPPORT, ANNA);
    let conversation = office.conversation_id(customer);
    let command = Command::Transfer { conversation, to: TransferTarget::Queue(OTHER_QUEUE) };
    assert!(matches!(office.ask_as(Actor::Agent(BERT), command), Err(Refusal::NotAllowed { .. })));
}
