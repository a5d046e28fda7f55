//! Waiting.

use crate::office::{ANNA, BERT, OTHER_QUEUE, Office, QUEUE, SALES, SUPPORT, agent, number, queue};
use dreiklang_core::{
    Action, Command, Event,
    config::{Change, Skill, Target},
    conversation::{CauseKind, TerminationReason},
    ids::{AgentId, SkillId},
    output::HangUpReason,
    queue::{FlowOutReason, Outcome, SkillRequirement},
    routing::OfferOutcome,
    time::Millis,
};

const GERMAN: SkillId = SkillId(1);

fn outcomes(office: &Office) -> Vec<Outcome> {
    let outcome = |event: &Event| match event {
        Event::VisitEnded { outcome, .. } => Some(*outcome),
        _ => None,
    };
    office.events.iter().filter_map(|stamped| outcome(&stamped.event)).collect()
}

#[test]
fn a_caller_who_leaves_soon_is_a_short_abandon_and_later_a_full_one() {
    let mut office = Office::new();
    let soon = office.call(SUPPORT);
    office.pass(5_000);
    office.end(soon, CauseKind::FarEnd);
    let late = office.call(SUPPORT);
    office.pass(5_001);
    office.end(late, CauseKind::FarEnd);
    assert_eq!(outcomes(&office), [Outcome::Abandoned { short: true }, Outcome::Abandoned { short: false }]);
}

#[test]
fn a_caller_whose_line_breaks_has_not_abandoned() {
    let mut office = Office::new();
    let customer = office.call(SUPPORT);
    office.end(customer, CauseKind::Network);
    assert_eq!(outcomes(&office), [Outcome::FlowOut { reason: FlowOutReason::Failure }]);
}

#[test]
fn when_the_caller_leaves_the_ringing_telephone_stops_and_the_agent_keeps_the_place() {
    let mut office = Office::with_agents(&[ANNA, BERT]);
    let customer = office.call(SUPPORT);
    let leg = office.offered_leg(ANNA).unwrap();
    let idle_since = office.agent(ANNA).idle_since;
    office.pass(4_000);
    office.end(customer, CauseKind::FarEnd);
    assert!(matches!(office.actions.last(), Some((_, Action::HangUp { leg: told, reason: HangUpReason::CallerGone, .. })) if *told == leg));
    assert_eq!(office.count(|event| matches!(event, Event::OfferEnded { outcome: OfferOutcome::Withdrawn, .. })), 1);
    assert_eq!(office.agent(ANNA).idle_since, idle_since);
    assert!(!office.agent(ANNA).is_routable(), "the telephone still rings");
    office.end(leg, CauseKind::Ours);
    office.call(SUPPORT);
    assert!(office.offered_leg(ANNA).is_some(), "Anna is first again");
}

#[test]
fn an_agent_who_picks_up_after_the_caller_left_is_hung_up() {
    let mut office = Office::with_agents(&[ANNA]);
    let customer = office.call(SUPPORT);
    let leg = office.offered_leg(ANNA).unwrap();
    office.end(customer, CauseKind::FarEnd);
    let told = office.actions.last().unwrap().0;
    office.connect(leg);
    assert_eq!(office.actions.last().unwrap().0, told, "the telephone has been told already");
    office.give(dreiklang_core::Input::ActionDone { action: told });
    office.connect(leg);
    assert_eq!(office.count(|event| matches!(event, Event::TalkStarted { .. })), 0);
    office.end(leg, CauseKind::FarEnd);
    assert!(office.agent(ANNA).is_routable());
    assert_eq!(office.engine.world().conversations().len(), 0);
}

#[test]
fn who_has_waited_too_long_flows_out() {
    let mut office = Office::new();
    let mut settings = queue(QUEUE, "Support");
    settings.max_wait = Some(Millis::from_secs(60));
    office.put(Change::PutQueue(settings));
    let customer = office.call(SUPPORT);
    office.pass(60_000);
    assert_eq!(outcomes(&office), [Outcome::FlowOut { reason: FlowOutReason::MaxWait }]);
    assert!(matches!(office.actions.last(), Some((_, Action::HangUp { leg, .. })) if *leg == customer));
    office.end(customer, CauseKind::FarEnd);
    let ended =
        |event: &Event| matches!(event, Event::ConversationEnded { termination, .. } if termination.reason == TerminationReason::MaxWait);
    assert_eq!(office.count(ended), 1, "by our reason, even if the caller was faster");
}

#[test]
fn a_higher_priority_is_served_before_a_longer_wait() {
    let mut office = Office::with_agents(&[ANNA]);
    let mut vip = number(3, "+49303000", Target::Queue(QUEUE));
    vip.priority = Some(90);
    office.put(Change::PutNumber(vip));
    let (talking, _) = office.talk(SUPPORT, ANNA);
    let early = office.call(SUPPORT);
    office.pass(10_000);
    let important = office.call("+49303000");
    office.end(talking, CauseKind::FarEnd);
    office.obey_hang_ups();
    assert!(office.conversation(important).offer.is_some());
    assert!(office.conversation(early).offer.is_none());
}

#[test]
fn over_several_queues_the_longest_wait_is_served_first() {
    let mut office = Office::with_agents(&[ANNA]);
    let (talking, _) = office.talk(SUPPORT, ANNA);
    let sales = office.call(SALES);
    office.pass(1_000);
    let support = office.call(SUPPORT);
    office.end(talking, CauseKind::FarEnd);
    office.obey_hang_ups();
    assert!(office.conversation(sales).offer.is_some());
    assert!(office.conversation(support).offer.is_none());
}

#[test]
fn an_agent_without_the_skill_is_passed_over() {
    let mut office = Office::with_agents(&[ANNA, BERT]);
    office.put(Change::PutSkill(Skill { id: GERMAN, name: "German".to_owned() }));
    let mut bert = agent(BERT, "Bert");
    bert.skills.insert(GERMAN, 3);
    office.put(Change::PutAgent(bert));
    let mut german = number(3, "+49303000", Target::Queue(QUEUE));
    german.skills = vec![SkillRequirement { skill: GERMAN, level: 3 }];
    office.put(Change::PutNumber(german.clone()));
    office.call("+49303000");
    assert!(office.offered_leg(BERT).is_some());

    german.skills[0].level = 4;
    office.put(Change::PutNumber(german));
    let demanding = office.call("+49303000");
    assert!(office.conversation(demanding).offer.is_none());
    let easy = office.call(SUPPORT);
    assert!(office.conversation(easy).offer.is_some(), "who asks for less is not kept waiting");
}

#[test]
fn an_agent_who_learns_the_skill_gets_the_one_who_waits_for_it() {
    let mut office = Office::with_agents(&[ANNA]);
    office.put(Change::PutSkill(Skill { id: GERMAN, name: "German".to_owned() }));
    let mut settings = queue(QUEUE, "Support");
    settings.skills = vec![SkillRequirement { skill: GERMAN, level: 1 }];
    office.put(Change::PutQueue(settings));
    let customer = office.call(SUPPORT);
    assert!(office.conversation(customer).offer.is_none());
    let mut anna = agent(ANNA, "Anna");
    anna.skills.insert(GERMAN, 1);
    office.put(Change::PutAgent(anna));
    assert!(office.conversation(customer).offer.is_some());
}

#[test]
fn many_different_demands_in_one_queue_are_all_met() {
    let mut office = Office::new();
    let skills = 80u128;
    for skill in 1..=skills {
        office.put(Change::PutSkill(Skill { id: SkillId(skill), name: format!("Skill {skill}") }));
        let mut demanding = number(100 + skill, &format!("+4940{}", 1_000 + skill), Target::Queue(QUEUE));
        demanding.skills = vec![SkillRequirement { skill: SkillId(skill), level: 1 }];
        office.put(Change::PutNumber(demanding));
    }
    let mut settings = queue(QUEUE, "Support");
    settings.max_waiting = 100;
    office.put(Change::PutQueue(settings));
    let callers: Vec<_> = (1..=skills).map(|skill| office.call(&format!("+4940{}", 1_000 + skill))).collect();
    // One agent after the other, each able to do one thing: beyond the limit of indexed classes too.
    for (position, customer) in callers.iter().enumerate().rev() {
        let id = AgentId(1_000 + position as u128);
        let mut expert = agent(id, &format!("Expert {position}"));
        expert.endpoint = dreiklang_core::endpoint::Endpoint::Address(format!("expert{position}"));
        expert.skills.insert(SkillId(position as u128 + 1), 1);
        office.put(Change::PutAgent(expert));
        office.ready(id);
        assert_eq!(office.conversation(*customer).offer.as_ref().map(|offer| offer.agent), Some(id));
    }
    // And the other way round: the experts are idle, the callers come.
    for customer in callers {
        office.end(customer, CauseKind::FarEnd);
    }
    office.obey_hang_ups();
    for skill in (1..=skills).rev() {
        let customer = office.call(&format!("+4940{}", 1_000 + skill));
        let expert = AgentId(1_000 + skill - 1);
        assert_eq!(office.conversation(customer).offer.as_ref().map(|offer| offer.agent), Some(expert));
    }
}

#[test]
fn a_supervisor_can_end_or_move_who_waits() {
    let mut office = Office::new();
    let first = office.call(SUPPORT);
    let conversation = office.conversation_id(first);
    let to = dreiklang_core::input::TransferTarget::Queue(OTHER_QUEUE);
    office.ask(Command::Transfer { conversation, to }).unwrap();
    assert_eq!(office.engine.world().waiting(OTHER_QUEUE).count(), 1);
    office.ask(Command::HangUp { conversation }).unwrap();
    let expected = [Outcome::FlowOut { reason: FlowOutReason::Transferred }, Outcome::FlowOut { reason: FlowOutReason::Ended }];
    assert_eq!(outcomes(&office), expected);
    assert!(office.ask(Command::HangUp { conversation }).is_err(), "it is being ended already");
}
