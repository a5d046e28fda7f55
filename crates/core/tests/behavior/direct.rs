//! Callers who want just one agent, and people of the organization who are no agents.

use crate::office::{ANNA, BERT, OTHER_QUEUE, Office, QUEUE, SALES, SUPPORT, agent, number, queue};
use dreiklang_core::{
    Action, Command, Event, Refusal,
    agent::{Occupation, Settings},
    config::{Change, Destination, Mailbox, Target},
    conversation::{CauseKind, Role, SegmentKind},
    endpoint::Endpoint,
    ids::QueueId,
    input::TransferTarget,
    queue::{Condition, OverflowRule, WaitingRules},
    time::Millis,
};

const DIRECT: &str = "+49303000";
const PERSONAL: QueueId = QueueId(3);

fn personal(queues: &[QueueId]) -> Settings {
    let mut settings = Settings { personal: Some(PERSONAL), ..agent(ANNA, "Anna") };
    settings.queues.extend(queues);
    settings
}

/// Anna has a number and a queue of her own, in which two may wait for up to a minute; Bert does not serve it.
fn office() -> Office {
    let mut office = Office::with_agents(&[ANNA, BERT]);
    let when = Condition::Waited { after: Millis::from_secs(60) };
    let overflow = vec![OverflowRule { when, to: Destination::Voicemail(Mailbox::Agent(ANNA)) }];
    let waiting = Box::new(WaitingRules { overflow, ..WaitingRules::default() });
    office.put(Change::PutQueue(dreiklang_core::queue::Settings { max_waiting: 2, waiting, ..queue(PERSONAL, "Anna's callers") }));
    office.put(Change::PutAgent(personal(&[PERSONAL])));
    office.put(Change::PutNumber(number(3, DIRECT, Target::Agent(ANNA))));
    office
}

#[test]
fn a_direct_number_rings_its_agent_through_the_queue_of_the_own() {
    let mut office = office();
    let (customer, _) = office.talk(DIRECT, ANNA);
    assert_eq!(office.conversation(customer).talk.as_ref().unwrap().queue, Some(PERSONAL));
}

#[test]
fn callers_of_a_busy_agent_wait_for_just_that_one_and_then_leave_a_message() {
    let mut office = office();
    let (_, leg) = office.talk(SUPPORT, ANNA);
    let (first, second) = (office.call(DIRECT), office.call(DIRECT));
    for customer in [first, second] {
        assert_eq!(office.conversation(customer).visit.as_ref().unwrap().queue, PERSONAL);
    }
    assert!(office.offered_leg(BERT).is_none());
    let third = office.arrive(DIRECT);
    assert!(matches!(office.actions.last(), Some((_, Action::Reject { leg, .. })) if *leg == third), "the queue is full");
    office.end(leg, CauseKind::FarEnd);
    office.obey_hang_ups();
    let leg = office.offered_leg(ANNA).unwrap();
    office.connect(leg);
    assert!(office.conversation(first).talk.is_some());
    office.pass(60_000);
    assert_eq!(office.conversation(second).place(), Some(SegmentKind::Voicemail));
}

#[test]
fn who_helps_out_is_asked_after_the_agent() {
    let mut office = office();
    let mut bert = agent(BERT, "Bert");
    bert.queues.insert(PERSONAL);
    office.put(Change::PutAgent(bert));
    office.call(DIRECT);
    let leg = office.offered_leg(ANNA).expect("the agent is asked first, idle longer or not");
    office.end(leg, CauseKind::Declined);
    assert!(office.offered_leg(BERT).is_none(), "the agent may be back in a moment");
    office.pass(20_000);
    assert!(office.offered_leg(BERT).is_some());
}

#[test]
fn a_transfer_to_a_busy_agent_with_a_queue_waits_there_and_rings_a_free_one_at_once() {
    let mut office = office();
    let (customer, _) = office.talk(SALES, ANNA);
    let (other, _) = office.talk(SALES, BERT);
    let conversation = office.conversation_id(other);
    office.ask(Command::Transfer { conversation, to: TransferTarget::Agent(ANNA) }).unwrap();
    assert_eq!(office.conversation(other).visit.as_ref().unwrap().queue, PERSONAL);
    assert_eq!(office.count(|event| matches!(event, Event::TransferEnded { failure: None, .. })), 1);
    assert_eq!(office.agent(BERT).occupation, Occupation::Idle);
    // The other way round there is no queue.
    office.obey_hang_ups();
    let busy = office.talk(SUPPORT, BERT).0;
    let conversation = office.conversation_id(customer);
    let refused = office.ask(Command::Transfer { conversation, to: TransferTarget::Agent(BERT) });
    assert!(matches!(refused, Err(Refusal::WrongState { .. })));
    assert!(office.conversation(busy).talk.is_some());
}

#[test]
fn the_own_queue_is_one_of_the_agents_and_cannot_be_taken_away_alone() {
    let mut office = office();
    let refused = |office: &mut Office, change: Change| {
        let events = office.events.len();
        let answer = dreiklang_core::config::validate(office.engine.world(), &change);
        assert_eq!(office.events.len(), events);
        answer.unwrap_err().to_string()
    };
    let text = refused(&mut office, Change::PutAgent(personal(&[])));
    assert!(text.contains("agent.personal") && text.contains("add it to the agent's queues"), "{text}");
    let text = refused(&mut office, Change::RemoveQueue(PERSONAL));
    assert!(text.contains("Anna"), "{text}");
}

fn ada() -> String {
    "ada@example.com".to_owned()
}

#[test]
fn a_customer_is_handed_to_a_person_of_the_organization_and_comes_back_when_nobody_answers() {
    let mut office = Office::with_agents(&[ANNA]);
    let (customer, _) = office.talk(SUPPORT, ANNA);
    let conversation = office.conversation_id(customer);
    office.ask(Command::Transfer { conversation, to: TransferTarget::Person(ada()) }).unwrap();
    let dialed =
        office.actions.iter().any(|(_, action)| matches!(action, Action::Dial { to: Endpoint::Person(name), .. } if *name == ada()));
    assert!(dialed);
    let leg = office.conversation(customer).legs.iter().find(|leg| leg.role == Role::External).unwrap().id;
    office.end(leg, CauseKind::NoAnswer);
    assert_eq!(office.conversation(customer).visit.as_ref().unwrap().queue, QUEUE);
    assert_eq!(office.count(|event| matches!(event, Event::TransferEnded { failure: Some(_), .. })), 1);
}

#[test]
fn a_person_is_consulted_and_given_the_customer() {
    let mut office = Office::with_agents(&[ANNA]);
    let (customer, _) = office.talk(SUPPORT, ANNA);
    let conversation = office.conversation_id(customer);
    office.ask(Command::Consult { conversation, to: TransferTarget::Person(ada()) }).unwrap();
    let leg = office.conversation(customer).legs.iter().find(|leg| leg.role == Role::External).unwrap().id;
    office.connect(leg);
    office.ask(Command::CompleteConsult { conversation }).unwrap();
    assert_eq!(office.conversation(customer).talk.as_ref().unwrap().leg, leg);
}

#[test]
fn rules_lead_to_people_and_names_that_are_none_are_refused() {
    let mut office = Office::new();
    let overflow = |name: &str| {
        let overflow = vec![OverflowRule { when: Condition::Closed, to: Destination::Person(name.to_owned()) }];
        let waiting = Box::new(WaitingRules { overflow, ..WaitingRules::default() });
        Change::PutQueue(dreiklang_core::queue::Settings { waiting, ..queue(OTHER_QUEUE, "Sales") })
    };
    for wrong in ["", "ada", "ada@", "@example.com", "ada@example", "ada lovelace@example.com", "ada@example..com", "<ada@example.com>"] {
        let text = dreiklang_core::config::validate(office.engine.world(), &overflow(wrong)).unwrap_err().to_string();
        assert!(text.contains("name@domain") || text.contains("Person"), "{wrong}: {text}");
    }
    office.put(overflow("ada@example.com"));
    office.ask(Command::CloseQueue { queue: OTHER_QUEUE, reason: "party".to_owned(), until: None }).unwrap();
    let customer = office.call(SALES);
    assert_eq!(office.conversation(customer).place(), Some(SegmentKind::Transfer));
}
