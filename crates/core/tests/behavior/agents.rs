//! What agents choose.

use crate::office::{ANNA, BERT, Office, QUEUE, SUPPORT, agent, queue};
use dreiklang_core::{
    Actor, Command, Event, Input, Refusal,
    agent::{Availability, Duty, NotReadyReason, Occupation},
    config::{Change, Tenant},
    conversation::CauseKind,
    queue::Allowance,
    time::Millis,
};

fn not_ready(reason: &str) -> Availability {
    Availability::NotReady { reason: reason.to_owned() }
}

fn wrapping_up(allowance: Allowance) -> Office {
    let mut office = Office::with_agents(&[ANNA]);
    let mut settings = queue(QUEUE, "Support");
    settings.wrap_up = allowance;
    office.put(Change::PutQueue(settings));
    let (customer, _) = office.talk(SUPPORT, ANNA);
    office.end(customer, CauseKind::FarEnd);
    office.obey_hang_ups();
    assert!(matches!(office.agent(ANNA).occupation, Occupation::WrapUp { .. }));
    office
}

#[test]
fn a_first_sign_in_is_not_ready_and_later_ones_keep_what_was_chosen() {
    let mut office = Office::new();
    office.put(Change::PutAgent(agent(ANNA, "Anna")));
    office.ask(Command::SetDuty { agent: ANNA, duty: Duty::OnDuty }).unwrap();
    assert_eq!(office.agent(ANNA).availability, Availability::not_ready(NotReadyReason::SignedIn));
    office.ask(Command::SetAvailability { agent: ANNA, availability: Availability::Ready }).unwrap();
    office.ask(Command::SetDuty { agent: ANNA, duty: Duty::SignedOut }).unwrap();
    office.ask(Command::SetDuty { agent: ANNA, duty: Duty::OnDuty }).unwrap();
    assert_eq!(office.agent(ANNA).availability, Availability::Ready);
}

#[test]
fn nobody_goes_home_with_a_customer_on_the_line_or_a_ringing_telephone() {
    let mut office = Office::with_agents(&[ANNA]);
    office.call(SUPPORT);
    let go = Command::SetDuty { agent: ANNA, duty: Duty::SignedOut };
    assert!(matches!(office.ask(go.clone()), Err(Refusal::WrongState { .. })));
    let leg = office.offered_leg(ANNA).unwrap();
    office.connect(leg);
    assert!(matches!(office.ask(go), Err(Refusal::WrongState { .. })));
    assert_eq!(office.agent(ANNA).duty, Duty::OnDuty);
}

#[test]
fn who_plans_to_go_home_finishes_the_talk_and_its_notes_first() {
    let mut office = Office::with_agents(&[ANNA]);
    let mut settings = queue(QUEUE, "Support");
    settings.wrap_up = Allowance::Timed { duration: Millis::from_secs(10) };
    office.put(Change::PutQueue(settings));
    let (customer, _) = office.talk(SUPPORT, ANNA);
    office.call(SUPPORT);
    let plan = |duty| Command::PlanDuty { agent: ANNA, duty };
    office.ask_as(Actor::Agent(ANNA), plan(Duty::SignedOut)).unwrap();
    office.end(customer, CauseKind::FarEnd);
    office.obey_hang_ups();
    assert_eq!((office.agent(ANNA).duty, office.agent(ANNA).planned_duty), (Duty::OnDuty, Some(Duty::SignedOut)));
    office.pass(10_000);
    assert_eq!((office.agent(ANNA).duty, office.agent(ANNA).planned_duty), (Duty::SignedOut, None));
    assert!(office.offered_leg(ANNA).is_none(), "the customer who waits is for others");
}

#[test]
fn a_planned_end_of_work_is_taken_back_by_planning_to_stay_and_begins_at_once_without_a_conversation() {
    let mut office = Office::with_agents(&[ANNA, BERT]);
    let (customer, _) = office.talk(SUPPORT, ANNA);
    let plan = |duty| Command::PlanDuty { agent: ANNA, duty };
    office.ask(plan(Duty::OffDuty)).unwrap();
    office.ask(plan(Duty::OnDuty)).unwrap();
    office.end(customer, CauseKind::FarEnd);
    office.obey_hang_ups();
    assert!(office.agent(ANNA).is_routable());
    office.ask(plan(Duty::OffDuty)).unwrap();
    assert_eq!(office.agent(ANNA).duty, Duty::OffDuty);
    assert!(matches!(office.ask_as(Actor::Agent(BERT), plan(Duty::OnDuty)), Err(Refusal::NotAllowed { .. })));
}

#[test]
fn who_planned_to_go_home_goes_after_an_offer_that_was_missed() {
    let mut office = Office::with_agents(&[ANNA]);
    office.call(SUPPORT);
    office.ask(Command::PlanDuty { agent: ANNA, duty: Duty::SignedOut }).unwrap();
    office.ask_as(Actor::Agent(ANNA), Command::Decline { agent: ANNA }).unwrap();
    assert_eq!(office.agent(ANNA).duty, Duty::SignedOut);
}

#[test]
fn going_home_during_wrap_up_ends_it() {
    let mut office = wrapping_up(Allowance::UntilFinished);
    office.ask(Command::SetDuty { agent: ANNA, duty: Duty::SignedOut }).unwrap();
    assert_eq!(office.agent(ANNA).occupation, Occupation::Idle);
    assert_eq!(office.count(|event| matches!(event, Event::WrapUpEnded { .. })), 1);
}

#[test]
fn wrap_up_until_it_is_finished_ends_by_choice() {
    let mut office = wrapping_up(Allowance::UntilFinished);
    office.pass(1_000_000);
    assert!(matches!(office.agent(ANNA).occupation, Occupation::WrapUp { .. }));
    let finish = Command::FinishWrapUp { agent: ANNA, disposition: Some("solved".to_owned()) };
    office.ask_as(Actor::Agent(ANNA), finish.clone()).unwrap();
    assert!(office.agent(ANNA).is_routable());
    assert!(office.ask(finish).is_err());
    let kept = |event: &Event| matches!(event, Event::WrapUpEnded { disposition: Some(code), .. } if code == "solved");
    assert_eq!(office.count(kept), 1);
}

#[test]
fn no_wrap_up_means_routable_at_once() {
    let mut office = Office::with_agents(&[ANNA]);
    let (customer, leg) = office.talk(SUPPORT, ANNA);
    office.end(customer, CauseKind::FarEnd);
    assert_eq!(office.agent(ANNA).occupation, Occupation::Idle);
    office.end(leg, CauseKind::Ours);
    assert!(office.agent(ANNA).is_routable());
    assert_eq!(office.count(|event| matches!(event, Event::WrapUpStarted { .. })), 0);
}

#[test]
fn what_is_chosen_while_busy_is_planned_and_applied_after_wrap_up() {
    let mut office = Office::with_agents(&[ANNA]);
    let mut settings = queue(QUEUE, "Support");
    settings.wrap_up = Allowance::Timed { duration: Millis::from_secs(10) };
    office.put(Change::PutQueue(settings));
    let (customer, _) = office.talk(SUPPORT, ANNA);
    office.ask(Command::SetAvailability { agent: ANNA, availability: not_ready("lunch") }).unwrap();
    assert_eq!(office.agent(ANNA).planned, Some(not_ready("lunch")));
    office.end(customer, CauseKind::FarEnd);
    office.obey_hang_ups();
    assert_eq!(office.agent(ANNA).availability, Availability::Ready);
    office.pass(10_000);
    assert_eq!(office.agent(ANNA).availability, not_ready("lunch"));
    assert_eq!(office.agent(ANNA).planned, None);
}

#[test]
fn a_plan_is_dropped_by_choosing_what_is_already_so() {
    let mut office = Office::with_agents(&[ANNA]);
    office.talk(SUPPORT, ANNA);
    office.ask(Command::SetAvailability { agent: ANNA, availability: not_ready("lunch") }).unwrap();
    office.ask(Command::SetAvailability { agent: ANNA, availability: Availability::Ready }).unwrap();
    assert_eq!(office.agent(ANNA).planned, None);
}

#[test]
fn a_reason_must_be_one_of_the_tenants_where_it_has_any() {
    let mut office = Office::with_agents(&[ANNA]);
    let reasons = vec!["lunch".to_owned()];
    office.put(Change::PutTenant(Tenant { name: "Test".to_owned(), not_ready_reasons: reasons, ..Tenant::default() }));
    let choose = |reason: &str| Command::SetAvailability { agent: ANNA, availability: not_ready(reason) };
    assert!(matches!(office.ask(choose("nap")), Err(Refusal::Invalid { .. })));
    assert!(office.ask(choose("lunch")).is_ok());
    assert!(matches!(office.ask(choose("  ")), Err(Refusal::Invalid { .. })));
}

#[test]
fn agents_act_for_themselves_only() {
    let mut office = Office::with_agents(&[ANNA, BERT]);
    let (customer, _) = office.talk(SUPPORT, ANNA);
    let conversation = office.conversation_id(customer);
    let duty = Command::SetDuty { agent: ANNA, duty: Duty::OffDuty };
    assert!(matches!(office.ask_as(Actor::Agent(BERT), duty), Err(Refusal::NotAllowed { .. })));
    let hang_up = Command::HangUp { conversation };
    assert!(matches!(office.ask_as(Actor::Agent(BERT), hang_up.clone()), Err(Refusal::NotAllowed { .. })));
    assert!(office.ask_as(Actor::Agent(ANNA), hang_up).is_ok());
}

#[test]
fn what_is_not_there_is_not_found() {
    let mut office = Office::new();
    assert!(matches!(office.ask(Command::Decline { agent: ANNA }), Err(Refusal::NotFound { .. })));
    let conversation = dreiklang_core::ids::ConversationId(1);
    assert!(matches!(office.ask(Command::Hold { conversation }), Err(Refusal::NotFound { .. })));
}

#[test]
fn an_agent_who_comes_back_starts_at_the_end_of_the_idle() {
    let mut office = Office::with_agents(&[ANNA, BERT]);
    office.pass(1_000);
    office.ask(Command::SetAvailability { agent: ANNA, availability: not_ready("lunch") }).unwrap();
    office.pass(1_000);
    office.ask(Command::SetAvailability { agent: ANNA, availability: Availability::Ready }).unwrap();
    office.call(SUPPORT);
    assert!(office.offered_leg(BERT).is_some());
}

#[test]
fn an_agent_removed_while_talking_disappears_when_done() {
    let mut office = Office::with_agents(&[ANNA]);
    let mut settings = queue(QUEUE, "Support");
    settings.wrap_up = Allowance::UntilFinished;
    office.put(Change::PutQueue(settings));
    let (customer, _) = office.talk(SUPPORT, ANNA);
    office.put(Change::RemoveAgent(ANNA));
    assert!(office.agent(ANNA).retiring);
    office.end(customer, CauseKind::FarEnd);
    office.obey_hang_ups();
    assert!(office.engine.world().agent(ANNA).is_none());
}

#[test]
fn an_agent_removed_during_wrap_up_disappears_at_once() {
    let mut office = wrapping_up(Allowance::UntilFinished);
    office.put(Change::RemoveAgent(ANNA));
    assert!(office.engine.world().agent(ANNA).is_none());
}

#[test]
fn a_removed_agent_who_is_put_back_in_time_stays() {
    let mut office = Office::with_agents(&[ANNA]);
    let (customer, _) = office.talk(SUPPORT, ANNA);
    office.put(Change::RemoveAgent(ANNA));
    office.put(Change::PutAgent(agent(ANNA, "Anna")));
    office.end(customer, CauseKind::FarEnd);
    office.obey_hang_ups();
    assert!(office.agent(ANNA).is_routable());
}

#[test]
fn being_told_the_same_reachability_twice_is_no_news() {
    let mut office = Office::with_agents(&[ANNA]);
    let events = office.events.len();
    office.give(Input::Reachable { agent: ANNA, reachable: true });
    assert_eq!(office.events.len(), events);
}
