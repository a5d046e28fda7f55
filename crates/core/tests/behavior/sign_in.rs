//! Signing into and out of single queues.

use crate::office::{ANNA, BERT, OTHER_QUEUE, Office, QUEUE, SALES, SUPPORT, agent, queue};
use dreiklang_core::{
    Actor, Command, Engine, Event, Refusal, World,
    agent::{Availability, Duty, NotReadyReason},
    config::{Change, Number, Target},
    endpoint::Line,
    ids::{AgentId, NumberId, QueueId, TenantId},
    queue::{AgentRules, MissRules, OnMiss, Preferred, Ring, RoutingRules, Settings},
    time::Millis,
};

fn out_of(queue: QueueId) -> Command {
    Command::SignOutOfQueue { agent: ANNA, queue }
}

fn into(queue: QueueId) -> Command {
    Command::SignIntoQueue { agent: ANNA, queue }
}

#[test]
fn who_is_signed_out_of_a_queue_serves_the_others() {
    let mut office = Office::with_agents(&[ANNA]);
    office.ask_as(Actor::Agent(ANNA), out_of(QUEUE)).unwrap();
    office.call(SUPPORT);
    assert!(office.offered_leg(ANNA).is_none());
    let customer = office.call(SALES);
    let leg = office.offered_leg(ANNA).unwrap();
    assert_eq!(office.conversation_id(leg), office.conversation_id(customer));
}

#[test]
fn signing_in_brings_who_waits() {
    let mut office = Office::with_agents(&[ANNA]);
    office.ask(out_of(QUEUE)).unwrap();
    office.call(SUPPORT);
    office.ask(into(QUEUE)).unwrap();
    assert!(office.offered_leg(ANNA).is_some());
}

#[test]
fn a_queue_that_everybody_signed_out_of_is_without_staff() {
    let mut office = Office::with_agents(&[ANNA]);
    office.ask(out_of(QUEUE)).unwrap();
    let last = |wanted: QueueId| {
        office.events.iter().rev().find_map(|stamped| match &stamped.event {
            Event::QueueStaffed { queue, staffed } if *queue == wanted => Some(*staffed),
            _ => None,
        })
    };
    assert_eq!((last(QUEUE), last(OTHER_QUEUE)), (Some(false), Some(true)));
}

#[test]
fn agents_sign_themselves_and_supervisors_anybody_and_twice_is_no_news() {
    let mut office = Office::with_agents(&[ANNA, BERT]);
    assert!(matches!(office.ask_as(Actor::Agent(BERT), out_of(QUEUE)), Err(Refusal::NotAllowed { .. })));
    office.ask(out_of(QUEUE)).unwrap();
    let events = office.events.len();
    office.ask(out_of(QUEUE)).unwrap();
    assert_eq!(office.events.len(), events);
    assert!(matches!(office.ask(out_of(QueueId(99))), Err(Refusal::WrongState { .. })));
}

#[test]
fn nobody_signs_out_of_a_queue_whose_call_rings() {
    let mut office = Office::with_agents(&[ANNA]);
    office.call(SUPPORT);
    assert!(matches!(office.ask(out_of(QUEUE)), Err(Refusal::WrongState { .. })));
    office.ask(out_of(OTHER_QUEUE)).unwrap();
    let leg = office.offered_leg(ANNA).unwrap();
    office.connect(leg);
    office.ask(out_of(QUEUE)).unwrap();
}

#[test]
fn it_lasts_over_restarts_and_going_home() {
    let mut office = Office::with_agents(&[ANNA]);
    office.ask(out_of(QUEUE)).unwrap();
    office.ask(Command::SetDuty { agent: ANNA, duty: Duty::SignedOut }).unwrap();
    office.ask(Command::SetDuty { agent: ANNA, duty: Duty::OnDuty }).unwrap();
    assert!(!office.agent(ANNA).works_for(QUEUE));
    let replayed = Engine::replay(World::new(TenantId(7)), office.events.clone());
    assert!(!replayed.world().agent(ANNA).unwrap().works_for(QUEUE));
}

#[test]
fn it_goes_with_the_assignment() {
    let mut office = Office::with_agents(&[ANNA]);
    office.ask(out_of(QUEUE)).unwrap();
    let mut settings = agent(ANNA, "Anna");
    settings.queues.remove(&QUEUE);
    office.put(Change::PutAgent(settings));
    assert!(office.agent(ANNA).signed_out.is_empty());
    office.put(Change::PutAgent(agent(ANNA, "Anna")));
    office.call(SUPPORT);
    assert!(office.offered_leg(ANNA).is_some());
}

#[test]
fn neither_a_ring_nor_a_preference_brings_back_who_is_signed_out() {
    let mut office = Office::with_agents(&[ANNA]);
    let ring = Ring { after: Millis::from_secs(5), agents: [ANNA].into(), queues: [OTHER_QUEUE].into(), ..Ring::default() };
    let routing = RoutingRules { rings: vec![ring], ..RoutingRules::default() };
    office.put(Change::PutQueue(Settings { routing, ..queue(QUEUE, "Support") }));
    let preferred = Some(Preferred { agent: ANNA, wait: Millis::from_secs(60) });
    office.put(Change::PutNumber(Number { preferred, ..Number::new(NumberId(9), "+49309", Line::Connected, Target::Queue(QUEUE)) }));
    office.ask(out_of(QUEUE)).unwrap();
    let customer = office.call("+49309");
    assert_eq!(office.conversation(customer).visit.as_ref().unwrap().terms.preferred, None, "nobody is waited for in vain");
    office.pass(100_000);
    assert!(office.offered_leg(ANNA).is_none());
    office.ask(into(QUEUE)).unwrap();
    assert!(office.offered_leg(ANNA).is_some());
}

#[test]
fn a_rule_signs_out_who_misses_until_coming_to_work_again() {
    let mut office = Office::with_agents(&[ANNA]);
    let missed = MissRules { no_answer: OnMiss::SignOut, ..MissRules::default() };
    office.put(Change::PutQueue(Settings { agents: Box::new(AgentRules { missed, ..AgentRules::default() }), ..queue(QUEUE, "Support") }));
    let customer = office.call(SUPPORT);
    office.pass(20_000);
    office.obey_hang_ups();
    assert!(office.agent(ANNA).is_routable() && !office.agent(ANNA).works_for(QUEUE));
    assert!(office.conversation(customer).visit.is_some());
    office.ask(Command::SetDuty { agent: ANNA, duty: Duty::SignedOut }).unwrap();
    office.ask(Command::SetDuty { agent: ANNA, duty: Duty::OnDuty }).unwrap();
    assert!(office.offered_leg(ANNA).is_some());
}

#[test]
fn who_helps_out_from_another_queue_becomes_not_ready_instead() {
    let mut office = Office::new();
    let missed = MissRules { no_answer: OnMiss::SignOut, ..MissRules::default() };
    let ring = Ring { after: Millis::from_secs(5), queues: [OTHER_QUEUE].into(), ..Ring::default() };
    office.put(Change::PutQueue(Settings {
        agents: Box::new(AgentRules { missed, ..AgentRules::default() }),
        routing: RoutingRules { rings: vec![ring], ..RoutingRules::default() },
        ..queue(QUEUE, "Support")
    }));
    let helper = AgentId(3);
    let mut settings = agent(helper, "Carl");
    settings.queues.remove(&QUEUE);
    office.put(Change::PutAgent(settings));
    office.ready(helper);
    office.call(SUPPORT);
    office.pass(5_000);
    assert!(office.offered_leg(helper).is_some());
    office.pass(20_000);
    assert_eq!(office.agent(helper).availability, Availability::not_ready(NotReadyReason::NoAnswer));
}

fn choose(profile: Option<&str>) -> Command {
    Command::ChooseProfile { agent: ANNA, profile: profile.map(str::to_owned) }
}

/// Anna works for support in the office and for sales at home.
fn with_profiles() -> Office {
    let mut office = Office::with_agents(&[ANNA]);
    let profiles = [("office".to_owned(), [QUEUE].into()), ("home".to_owned(), [OTHER_QUEUE].into())].into();
    office.put(Change::PutAgent(dreiklang_core::agent::Settings { profiles, ..agent(ANNA, "Anna") }));
    office
}

#[test]
fn a_duty_profile_says_what_an_agent_works_for_until_another_is_chosen() {
    let mut office = with_profiles();
    office.ask_as(Actor::Agent(ANNA), choose(Some("home"))).unwrap();
    assert!(!office.agent(ANNA).works_for(QUEUE) && office.agent(ANNA).works_for(OTHER_QUEUE));
    assert_eq!(office.agent(ANNA).profile.as_deref(), Some("home"));
    office.call(SUPPORT);
    assert!(office.offered_leg(ANNA).is_none());
    office.ask(choose(Some("office"))).unwrap();
    assert!(office.offered_leg(ANNA).is_some());
    assert!(!office.agent(ANNA).works_for(OTHER_QUEUE));
    office.ask(choose(None)).unwrap();
    assert!(office.agent(ANNA).signed_out.is_empty());
    assert_eq!(office.agent(ANNA).profile, None);
}

#[test]
fn choosing_the_same_profile_again_undoes_single_choices() {
    let mut office = with_profiles();
    office.ask(choose(Some("home"))).unwrap();
    office.ask(into(QUEUE)).unwrap();
    office.ask(choose(Some("home"))).unwrap();
    assert!(!office.agent(ANNA).works_for(QUEUE));
    let events = office.events.len();
    office.ask(choose(Some("home"))).unwrap();
    assert_eq!(office.events.len(), events);
}

#[test]
fn a_profile_that_is_none_is_refused_with_those_there_are() {
    let mut office = with_profiles();
    let text = office.ask(choose(Some("beach"))).unwrap_err().to_string();
    assert!(text.contains("home, office"), "{text}");
    assert!(matches!(office.ask_as(Actor::Agent(BERT), choose(None)), Err(Refusal::NotAllowed { .. })));
}

#[test]
fn no_profile_is_chosen_that_leaves_the_queue_whose_call_rings() {
    let mut office = with_profiles();
    office.call(SUPPORT);
    assert!(matches!(office.ask(choose(Some("home"))), Err(Refusal::WrongState { .. })));
    office.ask(choose(Some("office"))).unwrap();
}

#[test]
fn a_profile_goes_with_its_document_and_holds_only_queues_of_the_agent() {
    let mut office = with_profiles();
    office.ask(choose(Some("home"))).unwrap();
    office.put(Change::PutAgent(agent(ANNA, "Anna")));
    assert_eq!(office.agent(ANNA).profile, None);
    let profiles = [("home".to_owned(), [QueueId(99)].into())].into();
    let change = Change::PutAgent(dreiklang_core::agent::Settings { profiles, ..agent(ANNA, "Anna") });
    let text = dreiklang_core::config::validate(office.engine.world(), &change).unwrap_err().to_string();
    assert!(text.contains("agent.profiles.home"), "{text}");
}
