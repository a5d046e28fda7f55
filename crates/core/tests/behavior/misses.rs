//! Offers that are not taken, by the rules of their queue.

use crate::office::{ANNA, BERT, Office, QUEUE, SUPPORT, queue};
use dreiklang_core::{
    Actor, Command, Event, Refusal,
    agent::{Availability, Duty, NotReadyReason, Occupation},
    config::{Change, validate},
    conversation::CauseKind,
    ids::{AgentId, LegId},
    limits,
    queue::{AgentRules, MissRules, OnMiss, RoutingRules, Settings},
    routing::{Strategy, Verdict},
    time::Millis,
};

const CARL: AgentId = AgentId(3);
/// Longer than a telephone rings.
const RINGS_OUT: i64 = 20_000;

fn settings(missed: MissRules) -> Settings {
    Settings { agents: Box::new(AgentRules { missed, ..AgentRules::default() }), ..queue(QUEUE, "Support") }
}

fn office(agents: &[AgentId], missed: MissRules) -> Office {
    let mut office = Office::with_agents(agents);
    office.put(Change::PutQueue(settings(missed)));
    office
}

fn pass_over() -> MissRules {
    MissRules { no_answer: OnMiss::PassOver, ..MissRules::default() }
}

fn miss(office: &mut Office) {
    office.pass(RINGS_OUT);
    office.obey_hang_ups();
}

#[test]
fn who_is_passed_over_stays_ready_and_the_next_one_is_asked() {
    let mut office = office(&[ANNA, BERT], pass_over());
    let first = office.call(SUPPORT);
    miss(&mut office);
    assert_eq!(office.agent(ANNA).availability, Availability::Ready);
    assert!(office.offered_leg(BERT).is_some());
    let second = office.call(SUPPORT);
    let leg = office.offered_leg(ANNA).expect("other visits are offered to who was passed over");
    office.connect(leg);
    assert!(office.conversation(second).talk.is_some());
    assert!(office.conversation(first).offer.is_some());
}

#[test]
fn a_visit_that_everybody_missed_asks_again_after_a_while_and_nobody_is_stuck() {
    let mut office = office(&[ANNA], MissRules { ask_again: Some(Millis::from_secs(30)), ..pass_over() });
    let customer = office.call(SUPPORT);
    miss(&mut office);
    assert!(office.agent(ANNA).is_routable());
    assert!(office.offered_leg(ANNA).is_none(), "Anna has just missed it");
    let why = office.events.iter().rev().find_map(|stamped| match &stamped.event {
        Event::Decided { decision, .. } => Some(decision.clone()),
        _ => None,
    });
    let why = why.unwrap();
    assert_eq!((why.idle, why.candidates[0].verdict), (0, Verdict::PassedOver));
    office.pass(29_999);
    assert!(office.offered_leg(ANNA).is_none());
    office.pass(1);
    let leg = office.offered_leg(ANNA).expect("she is asked again");
    office.connect(leg);
    assert!(office.conversation(customer).talk.is_some());
}

#[test]
fn without_asking_again_a_visit_waits_for_somebody_else() {
    let mut office = office(&[ANNA], MissRules { ask_again: None, ..pass_over() });
    office.call(SUPPORT);
    miss(&mut office);
    office.pass(3_600_000);
    assert!(office.offered_leg(ANNA).is_none());
    office.put(Change::PutAgent(crate::office::agent(BERT, "Bert")));
    office.ready(BERT);
    assert!(office.offered_leg(BERT).is_some());
}

#[test]
fn a_younger_visit_goes_past_one_that_its_agent_missed() {
    let mut office = office(&[ANNA], pass_over());
    let elder = office.call(SUPPORT);
    let younger = office.call(SUPPORT);
    miss(&mut office);
    let leg = office.offered_leg(ANNA).unwrap();
    assert_eq!(office.conversation_id(leg), office.conversation_id(younger));
    assert!(office.conversation(elder).offer.is_none());
}

#[test]
fn who_misses_too_many_in_a_row_is_not_ready_after_all() {
    let mut office = office(&[ANNA], MissRules { no_answer: OnMiss::NotReadyAfter { misses: 3 }, ..MissRules::default() });
    for _ in 0..3 {
        office.call(SUPPORT);
    }
    miss(&mut office);
    miss(&mut office);
    assert_eq!((office.agent(ANNA).missed, &office.agent(ANNA).availability), (2, &Availability::Ready));
    miss(&mut office);
    assert_eq!(office.agent(ANNA).availability, Availability::not_ready(NotReadyReason::NoAnswer));
}

#[test]
fn taking_one_makes_the_count_of_misses_begin_anew() {
    let mut office = office(&[ANNA], MissRules { no_answer: OnMiss::NotReadyAfter { misses: 2 }, ..MissRules::default() });
    office.call(SUPPORT);
    let second = office.call(SUPPORT);
    miss(&mut office);
    assert_eq!(office.agent(ANNA).missed, 1);
    let leg = office.offered_leg(ANNA).unwrap();
    office.connect(leg);
    assert_eq!(office.agent(ANNA).missed, 0);
    office.end(second, CauseKind::FarEnd);
    office.obey_hang_ups();
    office.call(SUPPORT);
    miss(&mut office);
    assert_eq!(office.agent(ANNA).availability, Availability::Ready);
}

#[test]
fn even_where_everybody_stays_ready_an_empty_desk_is_noticed() {
    let mut office = office(&[ANNA], MissRules { ask_again: Some(Millis::from_secs(5)), ..pass_over() });
    office.call(SUPPORT);
    for _ in 1..limits::MISSES_IN_A_ROW {
        miss(&mut office);
        assert_eq!(office.agent(ANNA).availability, Availability::Ready);
        office.pass(5_000);
    }
    miss(&mut office);
    assert_eq!(office.agent(ANNA).availability, Availability::not_ready(NotReadyReason::NoAnswer));
}

#[test]
fn each_way_of_missing_has_a_rule_of_its_own() {
    let rules = MissRules { declined: OnMiss::PassOver, busy: OnMiss::PassOver, ..MissRules::default() };
    for (cause, stays) in
        [(CauseKind::Declined, true), (CauseKind::Busy, true), (CauseKind::Unreachable, false), (CauseKind::NoAnswer, false)]
    {
        let mut office = office(&[ANNA], rules);
        office.call(SUPPORT);
        let leg = office.offered_leg(ANNA).unwrap();
        office.end(leg, cause);
        assert_eq!(office.agent(ANNA).availability == Availability::Ready, stays, "{cause:?}");
    }
}

#[test]
fn who_missed_something_is_ready_again_after_the_set_time() {
    let mut office = office(&[ANNA], MissRules { ready_again: Some(Millis::from_secs(120)), ..MissRules::default() });
    office.call(SUPPORT);
    miss(&mut office);
    assert_eq!(office.agent(ANNA).availability, Availability::not_ready(NotReadyReason::NoAnswer));
    office.pass(119_999);
    assert!(office.offered_leg(ANNA).is_none());
    office.pass(1);
    assert!(office.offered_leg(ANNA).is_some());
}

#[test]
fn a_choice_or_going_home_takes_the_return_back() {
    let rules = MissRules { ready_again: Some(Millis::from_secs(120)), ..MissRules::default() };
    let lunch = Availability::NotReady { reason: "lunch".to_owned() };
    let choice = Command::SetAvailability { agent: ANNA, availability: lunch.clone() };
    let home = Command::SetDuty { agent: ANNA, duty: Duty::SignedOut };
    for (command, availability) in [(choice, lunch), (home, Availability::not_ready(NotReadyReason::NoAnswer))] {
        let mut office = office(&[ANNA], rules);
        office.call(SUPPORT);
        miss(&mut office);
        office.ask_as(Actor::Agent(ANNA), command).unwrap();
        office.pass(200_000);
        assert_eq!(office.agent(ANNA).availability, availability);
    }
}

#[test]
fn who_pulls_a_customer_meanwhile_returns_afterwards_unless_something_else_was_chosen() {
    let lunch = Availability::NotReady { reason: "lunch".to_owned() };
    for choice in [None, Some(lunch)] {
        let mut office = office(&[ANNA], MissRules { ready_again: Some(Millis::from_secs(120)), ..MissRules::default() });
        let customer = office.call(SUPPORT);
        miss(&mut office);
        let conversation = office.conversation_id(customer);
        office.ask_as(Actor::Agent(ANNA), Command::Pull { conversation, agent: ANNA }).unwrap();
        let leg = office.offered_leg(ANNA).unwrap();
        office.connect(leg);
        if let Some(availability) = choice.clone() {
            office.ask(Command::SetAvailability { agent: ANNA, availability }).unwrap();
        }
        office.pass(200_000);
        office.end(customer, CauseKind::FarEnd);
        office.obey_hang_ups();
        assert_eq!(office.agent(ANNA).availability, choice.unwrap_or(Availability::Ready));
    }
}

#[test]
fn a_removed_agent_does_not_return() {
    let mut office = office(&[ANNA], MissRules { ready_again: Some(Millis::from_secs(120)), ..MissRules::default() });
    office.call(SUPPORT);
    office.put(Change::RemoveAgent(ANNA));
    miss(&mut office);
    assert!(office.engine.world().agent(ANNA).is_none());
    office.pass(200_000);
}

#[test]
fn a_break_chosen_while_it_rings_counts_also_where_one_would_stay_ready() {
    let mut office = office(&[ANNA], MissRules { ready_again: Some(Millis::from_secs(30)), ..pass_over() });
    office.call(SUPPORT);
    let lunch = Availability::NotReady { reason: "lunch".to_owned() };
    office.ask(Command::SetAvailability { agent: ANNA, availability: lunch.clone() }).unwrap();
    miss(&mut office);
    assert_eq!(office.agent(ANNA).availability, lunch);
    office.pass(100_000);
    assert_eq!(office.agent(ANNA).availability, lunch);
}

#[test]
fn where_all_telephones_ring_each_who_misses_is_passed_over() {
    let mut office = Office::with_agents(&[ANNA, BERT]);
    let routing = RoutingRules { strategy: Strategy::RingAll, ..RoutingRules::default() };
    office.put(Change::PutQueue(Settings { routing, ..settings(pass_over()) }));
    office.call(SUPPORT);
    miss(&mut office);
    assert!(office.agent(ANNA).is_routable() && office.agent(BERT).is_routable());
    office.put(Change::PutAgent(crate::office::agent(CARL, "Carl")));
    office.ready(CARL);
    assert!(office.offered_leg(CARL).is_some());
    office.pass(60_000);
    assert!(office.agent(ANNA).occupation == Occupation::Idle || office.agent(ANNA).leg.is_some());
}

#[test]
fn in_round_robin_who_was_passed_over_is_left_out() {
    let mut office = Office::with_agents(&[ANNA, BERT, CARL]);
    let routing = RoutingRules { strategy: Strategy::RoundRobin, ..RoutingRules::default() };
    office.put(Change::PutQueue(Settings { routing, ..settings(MissRules { ask_again: None, ..pass_over() }) }));
    office.call(SUPPORT);
    for agent in [ANNA, BERT, CARL] {
        assert!(office.offered_leg(agent).is_some(), "{agent}");
        miss(&mut office);
    }
    assert!([ANNA, BERT, CARL].iter().all(|agent| office.offered_leg(*agent).is_none()));
}

#[test]
fn a_direct_call_that_is_missed_makes_not_ready_as_ever() {
    let mut office = office(&[ANNA, BERT], pass_over());
    let (customer, _) = office.talk(SUPPORT, ANNA);
    let conversation = office.conversation_id(customer);
    office.ask(Command::Transfer { conversation, to: dreiklang_core::input::TransferTarget::Agent(BERT) }).unwrap();
    office.pass(i64::try_from(limits::TRANSFER_RING.0).unwrap());
    assert_eq!(office.agent(BERT).availability, Availability::not_ready(NotReadyReason::NoAnswer));
}

#[test]
fn rules_out_of_bounds_are_refused_with_the_field() {
    let office = Office::new();
    let refused = |missed: MissRules| match validate(office.engine.world(), &Change::PutQueue(settings(missed))) {
        Err(Refusal::Invalid { field, .. }) => field,
        other => panic!("{other:?}"),
    };
    let rules = MissRules::default;
    let after = |misses| OnMiss::NotReadyAfter { misses };
    assert_eq!(refused(MissRules { no_answer: after(1), ..rules() }), "queue.agents.missed.no_answer.misses");
    assert_eq!(refused(MissRules { busy: after(11), ..rules() }), "queue.agents.missed.busy.misses");
    assert_eq!(refused(MissRules { ready_again: Some(Millis(1)), ..rules() }), "queue.agents.missed.ready_again");
    assert_eq!(refused(MissRules { ask_again: Some(Millis(1)), ..rules() }), "queue.agents.missed.ask_again");
}

#[test]
fn a_caller_who_leaves_takes_the_passing_over_along() {
    let mut office = office(&[ANNA], pass_over());
    let customer: LegId = office.call(SUPPORT);
    miss(&mut office);
    office.end(customer, CauseKind::FarEnd);
    office.call(SUPPORT);
    assert!(office.offered_leg(ANNA).is_some());
}
