//! Taking a certain waiting customer, whoever's turn it is.

use crate::office::{ANNA, BERT, OTHER_QUEUE, Office, QUEUE, SUPPORT, agent};
use dreiklang_core::{
    Action, Actor, Command, Event, Input, Refusal,
    agent::{Availability, Duty, Occupation},
    config::Change,
    conversation::{CauseKind, Purpose},
    ids::{AgentId, ConversationId, LegId},
    output::HangUpReason,
    queue::{Outcome, Settings},
    routing::{OfferOutcome, Strategy},
};
use std::collections::BTreeSet;

/// Nobody is ready; two customers wait, and Anna is on a break.
fn waiting() -> (Office, LegId, LegId) {
    let mut office = Office::with_agents(&[ANNA]);
    rest(&mut office, ANNA);
    let (first, second) = (office.call(SUPPORT), office.call(SUPPORT));
    (office, first, second)
}

fn rest(office: &mut Office, id: AgentId) {
    let availability = Availability::NotReady { reason: "break".to_owned() };
    office.ask(Command::SetAvailability { agent: id, availability }).unwrap();
}

fn pull(office: &mut Office, by: Actor, customer: LegId, id: AgentId) -> Result<(), Refusal> {
    let conversation = office.conversation_id(customer);
    office.ask_as(by, Command::Pull { conversation, agent: id })
}

#[test]
fn a_customer_further_back_is_had_by_an_agent_who_is_not_even_ready() {
    let (mut office, first, second) = waiting();
    pull(&mut office, Actor::Agent(ANNA), second, ANNA).unwrap();
    let offer = office.conversation(second).offer.clone().unwrap();
    assert_eq!((offer.agent, offer.purpose), (ANNA, Purpose::Pull));
    office.connect(offer.leg);
    assert_eq!(office.conversation(second).talk.as_ref().unwrap().agent, Some(ANNA));
    assert!(office.conversation(first).visit.is_some());
    let answered = |event: &Event| matches!(event, Event::VisitEnded { outcome: Outcome::Answered, agent: Some(ANNA), .. });
    assert_eq!(office.count(answered), 1, "the queue has answered a customer");
}

#[test]
fn a_pull_that_is_not_answered_leaves_the_place_in_line_and_the_reason_for_the_break() {
    let (mut office, first, second) = waiting();
    let before = office.conversation(second).turn();
    pull(&mut office, Actor::Agent(ANNA), second, ANNA).unwrap();
    office.pass(30_000);
    assert!(office.conversation(second).offer.is_none());
    assert_eq!(office.conversation(second).turn(), before);
    assert_eq!(office.agent(ANNA).availability, Availability::NotReady { reason: "break".to_owned() });
    office.obey_hang_ups();
    office.ready(ANNA);
    assert!(office.conversation(first).offer.is_some(), "and the first in line is the first again");
}

#[test]
fn telephones_that_ring_for_it_already_are_taken_back_without_blame() {
    let mut office = Office::with_agents(&[ANNA, BERT, AgentId(3)]);
    rest(&mut office, AgentId(3));
    let mut settings = Settings { max_waiting: 10, ..Settings::new(QUEUE, "Support") };
    settings.routing.strategy = Strategy::RingAll;
    office.put(Change::PutQueue(settings));
    let customer = office.call(SUPPORT);
    assert_eq!(office.conversation(customer).offers().count(), 2);
    pull(&mut office, Actor::User("lead".to_owned()), customer, AgentId(3)).unwrap();
    let offers: Vec<AgentId> = office.conversation(customer).offers().map(|offer| offer.agent).collect();
    assert_eq!(offers, [AgentId(3)]);
    let withdrawn = |event: &Event| matches!(event, Event::OfferEnded { outcome: OfferOutcome::Withdrawn, .. });
    assert_eq!(office.count(withdrawn), 2);
    let elsewhere = |action: &Action| matches!(action, Action::HangUp { reason: HangUpReason::AnsweredElsewhere, .. });
    assert_eq!(office.actions.iter().filter(|(_, action)| elsewhere(action)).count(), 2);
    for id in [ANNA, BERT] {
        assert_eq!((office.agent(id).occupation, &office.agent(id).availability), (Occupation::Idle, &Availability::Ready));
    }
    assert_eq!(pull(&mut office, Actor::Agent(AgentId(3)), customer, AgentId(3)).unwrap_err().code(), "CORE-002", "it rings there already");
}

#[test]
fn agents_pull_for_themselves_and_from_their_queues_only() {
    let (mut office, _, second) = waiting();
    office.put(Change::PutAgent(dreiklang_core::agent::Settings { queues: BTreeSet::from([OTHER_QUEUE]), ..agent(BERT, "Bert") }));
    office.ready(BERT);
    assert!(matches!(pull(&mut office, Actor::Agent(BERT), second, BERT), Err(Refusal::NotAllowed { .. })));
    assert!(matches!(pull(&mut office, Actor::Agent(BERT), second, ANNA), Err(Refusal::NotAllowed { .. })));
    assert_eq!(pull(&mut office, Actor::User("lead".to_owned()), second, BERT), Ok(()), "a supervisor may send anybody");
}

#[test]
fn who_cannot_be_rung_or_does_not_wait_is_refused_with_the_reason() {
    let (mut office, first, second) = waiting();
    let lead = || Actor::User("lead".to_owned());
    pull(&mut office, lead(), second, ANNA).unwrap();
    assert!(matches!(pull(&mut office, lead(), first, ANNA), Err(Refusal::WrongState { .. })), "her telephone rings");
    let leg = office.offered_leg(ANNA).unwrap();
    office.connect(leg);
    assert!(matches!(pull(&mut office, lead(), second, ANNA), Err(Refusal::WrongState { .. })), "who talks does not wait");
    assert!(matches!(pull(&mut office, lead(), first, AgentId(9)), Err(Refusal::NotFound { .. })));
    let gone = Command::Pull { conversation: ConversationId(1), agent: ANNA };
    assert!(matches!(office.ask(gone), Err(Refusal::NotFound { .. })));
    office.put(Change::PutAgent(agent(BERT, "Bert")));
    office.give(Input::Reachable { agent: BERT, reachable: true });
    assert!(matches!(pull(&mut office, lead(), first, BERT), Err(Refusal::WrongState { .. })), "who has gone home is not rung");
    assert_eq!(office.agent(BERT).duty, Duty::SignedOut);
}

#[test]
fn a_customer_who_leaves_while_it_rings_has_abandoned_the_queue() {
    let (mut office, _, second) = waiting();
    pull(&mut office, Actor::Agent(ANNA), second, ANNA).unwrap();
    office.pass(10_000);
    office.end(second, CauseKind::FarEnd);
    assert_eq!(office.count(|event| matches!(event, Event::VisitEnded { outcome: Outcome::Abandoned { short: false }, .. })), 1);
    assert_eq!(office.agent(ANNA).occupation, Occupation::Idle);
}
