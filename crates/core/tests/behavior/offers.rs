//! Offers that are not taken.

use crate::office::{ANNA, BERT, Office, SUPPORT};
use dreiklang_core::{
    Action, Actor, Command, Event, Input,
    agent::{Availability, NotReadyReason, Occupation},
    conversation::CauseKind,
    ids::AgentId,
    limits,
    output::HangUpReason,
    routing::OfferOutcome,
};

fn last_outcome(office: &Office) -> OfferOutcome {
    let ended = office.events.iter().rev().find_map(|stamped| match &stamped.event {
        Event::OfferEnded { outcome, .. } => Some(*outcome),
        _ => None,
    });
    ended.expect("an offer has ended")
}

#[test]
fn an_agent_who_misses_an_offer_becomes_not_ready_and_the_next_is_asked() {
    let mut office = Office::with_agents(&[ANNA, BERT]);
    let customer = office.call(SUPPORT);
    let enqueued_at = office.conversation(customer).visit.as_ref().unwrap().enqueued_at;
    let leg = office.offered_leg(ANNA).unwrap();
    office.pass(19_999);
    assert!(office.offered_leg(ANNA).is_some());
    office.pass(1);
    assert_eq!(last_outcome(&office), OfferOutcome::NoAnswer);
    let told = office
        .actions
        .iter()
        .any(|(_, action)| matches!(action, Action::HangUp { leg: told, reason: HangUpReason::NoAnswer, .. } if *told == leg));
    assert!(told);
    assert_eq!(office.agent(ANNA).availability, Availability::not_ready(NotReadyReason::NoAnswer));
    assert!(office.offered_leg(BERT).is_some());
    assert_eq!(office.conversation(customer).visit.as_ref().unwrap().enqueued_at, enqueued_at);
}

#[test]
fn an_agent_who_picks_up_just_too_late_is_hung_up() {
    let mut office = Office::with_agents(&[ANNA]);
    let customer = office.call(SUPPORT);
    let leg = office.offered_leg(ANNA).unwrap();
    // The wake-up is late; the deadline counts all the same.
    office.now.0 += 20_000;
    office.connect(leg);
    assert_eq!(last_outcome(&office), OfferOutcome::NoAnswer);
    assert!(office.conversation(customer).talk.is_none());
    office.obey_hang_ups();
    assert_eq!(office.agent(ANNA).leg, None);
}

#[test]
fn every_way_an_agents_telephone_can_fail_is_told_apart() {
    let cases = [
        (CauseKind::Declined, OfferOutcome::Declined, NotReadyReason::Declined),
        (CauseKind::FarEnd, OfferOutcome::Declined, NotReadyReason::Declined),
        (CauseKind::Busy, OfferOutcome::Busy, NotReadyReason::Busy),
        (CauseKind::NoAnswer, OfferOutcome::NoAnswer, NotReadyReason::NoAnswer),
        (CauseKind::Unreachable, OfferOutcome::Unreachable, NotReadyReason::Unreachable),
        (CauseKind::Timeout, OfferOutcome::Unreachable, NotReadyReason::Unreachable),
        (CauseKind::Network, OfferOutcome::Unreachable, NotReadyReason::Unreachable),
        (CauseKind::Refused, OfferOutcome::Unreachable, NotReadyReason::Unreachable),
        (CauseKind::Failure, OfferOutcome::Unreachable, NotReadyReason::Unreachable),
    ];
    for (cause, outcome, reason) in cases {
        let mut office = Office::with_agents(&[ANNA]);
        let customer = office.call(SUPPORT);
        let leg = office.offered_leg(ANNA).unwrap();
        office.end(leg, cause);
        assert_eq!(last_outcome(&office), outcome, "{cause:?}");
        assert_eq!(office.agent(ANNA).availability, Availability::not_ready(reason), "{cause:?}");
        assert_eq!(office.agent(ANNA).occupation, Occupation::Idle);
        assert!(office.conversation(customer).visit.is_some(), "the caller keeps waiting");
    }
}

#[test]
fn an_agent_declines_on_the_desk() {
    let mut office = Office::with_agents(&[ANNA, BERT]);
    office.call(SUPPORT);
    office.ask_as(Actor::Agent(ANNA), Command::Decline { agent: ANNA }).unwrap();
    assert_eq!(last_outcome(&office), OfferOutcome::Declined);
    assert!(office.offered_leg(BERT).is_some());
    assert!(office.ask(Command::Decline { agent: ANNA }).is_err(), "there is nothing any more");
}

#[test]
fn a_dial_that_fails_counts_as_unreachable() {
    let mut office = Office::with_agents(&[ANNA]);
    office.call(SUPPORT);
    office.fail_last_action();
    assert_eq!(last_outcome(&office), OfferOutcome::Unreachable);
}

#[test]
fn an_agent_who_missed_an_offer_must_choose_ready_again() {
    let mut office = Office::with_agents(&[ANNA]);
    office.call(SUPPORT);
    office.pass(20_000);
    office.obey_hang_ups();
    assert!(!office.agent(ANNA).is_routable());
    office.ask_as(Actor::Agent(ANNA), Command::SetAvailability { agent: ANNA, availability: Availability::Ready }).unwrap();
    assert!(office.offered_leg(ANNA).is_some());
}

#[test]
fn an_agent_who_becomes_unreachable_while_it_rings_is_judged_by_the_offer() {
    let mut office = Office::with_agents(&[ANNA]);
    let customer = office.call(SUPPORT);
    let leg = office.offered_leg(ANNA).unwrap();
    office.give(Input::Reachable { agent: ANNA, reachable: false });
    assert!(office.offered_leg(ANNA).is_some());
    office.connect(leg);
    assert!(office.conversation(customer).talk.is_some());
}

#[test]
fn an_unreachable_agent_is_offered_nothing() {
    let mut office = Office::with_agents(&[ANNA]);
    office.give(Input::Reachable { agent: ANNA, reachable: false });
    office.call(SUPPORT);
    assert!(office.offered_leg(ANNA).is_none());
    office.give(Input::Reachable { agent: ANNA, reachable: true });
    assert!(office.offered_leg(ANNA).is_some());
}

#[test]
fn a_break_chosen_while_it_rings_outlasts_the_missed_offer() {
    let mut office = Office::with_agents(&[ANNA]);
    office.call(SUPPORT);
    let pause = Availability::NotReady { reason: "lunch".to_owned() };
    office.ask(Command::SetAvailability { agent: ANNA, availability: pause.clone() }).unwrap();
    assert_eq!(office.agent(ANNA).availability, Availability::Ready, "it is only planned");
    office.pass(20_000);
    assert_eq!(office.agent(ANNA).availability, pause);
}

#[test]
fn the_agents_telephone_shows_the_customer_and_rings_a_little_longer_than_the_offer() {
    let mut office = Office::with_agents(&[ANNA]);
    let customer = office.call(SUPPORT);
    let caller = office.conversation(customer).caller.clone();
    let Some((_, Action::Dial { caller: shown, ring_limit, .. })) = office.actions.last() else { panic!("the agent is dialed") };
    assert_eq!(*shown, caller);
    assert!(ring_limit.0 > 20_000);
}

#[test]
fn a_caller_with_too_many_telephones_still_ringing_off_is_offered_on_when_one_is_done() {
    let agents: Vec<AgentId> = (1..=limits::LEGS_PER_CONVERSATION as u128 + 1).map(AgentId).collect();
    let mut office = Office::with_agents(&agents);
    let customer = office.call(SUPPORT);
    for agent in &agents[..limits::LEGS_PER_CONVERSATION - 1] {
        assert!(office.offered_leg(*agent).is_some());
        office.ask(Command::Decline { agent: *agent }).unwrap();
    }
    assert!(office.conversation(customer).offer.is_none(), "its legs are used up");
    let slow = office.conversation(customer).legs.iter().find(|leg| leg.ending).map(|leg| leg.id).unwrap();
    office.end(slow, CauseKind::Ours);
    assert!(office.conversation(customer).offer.is_some());
}
