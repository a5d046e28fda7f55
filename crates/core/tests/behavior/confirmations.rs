//! Telephones that a mailbox might answer: only who presses the key has the conversation.

use crate::office::{ANNA, BERT, Office, QUEUE, SALES, SUPPORT, agent, queue};
use dreiklang_core::{
    Action, Command, Engine, Event, Input, World,
    agent::{Availability, NotReadyReason, Settings},
    config::Change,
    conversation::CauseKind,
    ids::{AgentId, LegId, TenantId},
    input::TransferTarget,
    limits,
    output::{HangUpReason, Prompt},
    queue::RoutingRules,
    routing::{OfferOutcome, Strategy},
    time::Millis,
};

fn words() -> Prompt {
    Prompt::Text { text: "Press 1 to take the call.".to_owned(), language: "en".to_owned() }
}

fn asked(id: AgentId, name: &str) -> Change {
    Change::PutAgent(Settings { confirm: Some(words()), ..agent(id, name) })
}

/// Anna's telephone is asked for the key.
fn office() -> Office {
    let mut office = Office::with_agents(&[ANNA]);
    office.put(asked(ANNA, "Anna"));
    office
}

fn press(office: &mut Office, leg: LegId, digit: char) {
    office.give(Input::Digit { leg, digit });
}

fn outcomes(office: &Office) -> Vec<OfferOutcome> {
    let ended = |event: &Event| match event {
        Event::OfferEnded { outcome, .. } => Some(*outcome),
        _ => None,
    };
    office.events.iter().filter_map(|stamped| ended(&stamped.event)).collect()
}

#[test]
fn the_customer_is_given_to_who_presses_the_key() {
    let mut office = office();
    let customer = office.call(SUPPORT);
    let leg = office.offered_leg(ANNA).unwrap();
    office.connect(leg);
    assert!(office.conversation(customer).talk.is_none());
    let told = |(_, action): &(_, Action)| matches!(action, Action::Play { leg: told, prompt, repeat: true, .. } if *told == leg && *prompt == words());
    assert!(office.actions.iter().any(told));
    for digit in ['2', '#', '9'] {
        press(&mut office, leg, digit);
    }
    assert!(office.conversation(customer).talk.is_none());
    office.pass(3_000);
    press(&mut office, leg, '1');
    assert_eq!(office.conversation(customer).talk.as_ref().unwrap().agent, Some(ANNA));
    assert_eq!(outcomes(&office), [OfferOutcome::Accepted]);
    press(&mut office, leg, '1');
    assert_eq!(outcomes(&office), [OfferOutcome::Accepted]);
}

#[test]
fn a_mailbox_that_answers_is_no_answer_and_the_customer_goes_to_the_next() {
    let mut office = Office::with_agents(&[ANNA, BERT]);
    office.put(asked(ANNA, "Anna"));
    let customer = office.call(SUPPORT);
    let leg = office.offered_leg(ANNA).unwrap();
    office.pass(15_000);
    office.connect(leg);
    // The ring time alone would be over after five more seconds: too few to listen and press.
    office.pass(9_999);
    assert_eq!(office.conversation(customer).offer.as_ref().unwrap().agent, ANNA);
    office.pass(1);
    assert_eq!(outcomes(&office), [OfferOutcome::NoAnswer]);
    assert!(
        office
            .actions
            .iter()
            .any(|(_, action)| matches!(action, Action::HangUp { leg: told, reason: HangUpReason::NoAnswer, .. } if *told == leg))
    );
    assert_eq!(office.agent(ANNA).availability, Availability::not_ready(NotReadyReason::NoAnswer));
    assert!(office.offered_leg(BERT).is_some());
    press(&mut office, leg, '1');
    assert!(office.conversation(customer).talk.is_none(), "too late");
}

#[test]
fn a_mailbox_that_hangs_up_is_no_answer_either() {
    let mut office = office();
    office.call(SUPPORT);
    let leg = office.offered_leg(ANNA).unwrap();
    office.connect(leg);
    office.end(leg, CauseKind::FarEnd);
    assert_eq!(outcomes(&office), [OfferOutcome::NoAnswer]);
}

#[test]
fn a_customer_who_hangs_up_meanwhile_blames_nobody() {
    let mut office = office();
    let customer = office.call(SUPPORT);
    let leg = office.offered_leg(ANNA).unwrap();
    office.connect(leg);
    office.end(customer, CauseKind::FarEnd);
    assert_eq!(outcomes(&office), [OfferOutcome::Withdrawn]);
    office.obey_hang_ups();
    assert!(office.agent(ANNA).is_routable());
}

#[test]
fn where_several_ring_the_first_key_has_the_customer_and_nobody_rings_without_end() {
    let agents: Vec<AgentId> = (1..=6).map(AgentId).collect();
    let mut office = Office::with_agents(&agents);
    let routing = RoutingRules { strategy: Strategy::RingAll, ..RoutingRules::default() };
    let ring = limits::RING_MAX;
    office.put(Change::PutQueue(dreiklang_core::queue::Settings { routing, ring, ..queue(QUEUE, "Support") }));
    for id in &agents {
        office.put(asked(*id, &format!("Agent{}", id.0)));
    }
    let customer = office.call(SUPPORT);
    let made = office.now;
    let legs: Vec<LegId> = office.conversation(customer).offers().map(|offer| offer.leg).collect();
    assert_eq!(legs.len(), 6);
    office.pass(115_000);
    for leg in &legs[..5] {
        office.connect(*leg);
        office.pass(2_000);
    }
    let ends: Vec<Millis> = office.conversation(customer).offers().map(|offer| offer.rings_until.since(made)).collect();
    assert_eq!(ends, [limits::RING_MAX + limits::CONFIRM; 6]);
    press(&mut office, legs[3], '1');
    assert_eq!(office.conversation(customer).talk.as_ref().unwrap().leg, legs[3]);
    assert_eq!(office.conversation(customer).offers().count(), 0);
}

#[test]
fn who_is_consulted_confirms_as_well() {
    let mut office = Office::with_agents(&[ANNA, BERT]);
    office.put(asked(BERT, "Bert"));
    let (customer, _) = office.talk(SALES, ANNA);
    let conversation = office.conversation_id(customer);
    office.ask(Command::Consult { conversation, to: TransferTarget::Agent(BERT) }).unwrap();
    let leg = office.offered_leg(BERT).unwrap();
    office.connect(leg);
    assert_eq!(office.count(|event| matches!(event, Event::ConsultAnswered { .. })), 0);
    press(&mut office, leg, '1');
    assert_eq!(office.count(|event| matches!(event, Event::ConsultAnswered { .. })), 1);
}

#[test]
fn it_is_remembered_over_a_restart() {
    let mut office = office();
    office.call(SUPPORT);
    let leg = office.offered_leg(ANNA).unwrap();
    office.connect(leg);
    let mut replayed = Engine::replay(World::new(TenantId(7)), office.events.clone());
    replayed.handle(office.now, Input::Digit { leg, digit: '1' });
    assert!(replayed.world().conversation_of(leg).unwrap().talk.is_some());
}
