//! A new process goes on where the former one fell.

use crate::office::{ANNA, Office, QUEUE, SUPPORT, queue};
use dreiklang_core::{
    Action, Command, Engine, Event, Input, World,
    agent::{Availability, Occupation},
    config::Change,
    conversation::{CauseKind, SegmentKind, TerminationReason},
    endpoint::Line,
    ids::{LegId, TenantId},
    limits,
    queue::{Allowance, FlowOutReason, Outcome},
    routing::OfferOutcome,
};

/// The former process is gone; a new one has read the journal and takes over.
fn crash(office: &mut Office) {
    office.engine = Engine::replay(World::new(TenantId(7)), office.events.clone());
    assert!(office.engine.poll_output().is_none(), "a replay utters nothing");
    office.actions.clear();
    office.give(Input::TookOver);
}

fn survey(office: &mut Office, live: &[LegId]) {
    for line in [Line::Connected, Line::Extended, Line::Unified] {
        office.give(Input::Survey { line, live: if line == Line::Connected { live.to_vec() } else { Vec::new() } });
    }
}

#[test]
fn what_nobody_answered_is_wished_again_under_the_same_id_and_every_line_is_asked() {
    let mut office = Office::with_agents(&[ANNA]);
    let customer = office.call(SUPPORT);
    let open: Vec<_> = office.engine.world().pending().iter().map(|(id, action)| (id, action.clone())).collect();
    assert!(open.iter().any(|(_, action)| matches!(action, Action::Dial { .. })));
    crash(&mut office);
    assert_eq!(office.actions[..open.len()], open);
    let asked: Vec<Line> = office.actions[open.len()..]
        .iter()
        .filter_map(|(_, action)| match action {
            Action::Survey { line } => Some(*line),
            _ => None,
        })
        .collect();
    assert_eq!(asked, [Line::Connected, Line::Extended, Line::Unified]);
    assert!(office.engine.world().conversation_of(customer).is_some());
}

#[test]
fn a_leg_whose_far_end_has_changed_is_ended_by_what_was_told_last() {
    let mut office = Office::with_agents(&[ANNA]);
    let (customer, agent) = office.talk(SUPPORT, ANNA);
    let place = office.conversation(customer).place();
    for token in [Some("another"), None, Some("another")] {
        office.give(Input::Connected { leg: agent, token: token.map(str::to_owned) });
    }
    let told = |event: &Event| matches!(event, Event::LegConnected { leg, .. } if *leg == agent);
    assert_eq!((office.count(told), office.conversation(customer).place()), (2, place), "the same again is no news");
    crash(&mut office);
    survey(&mut office, &[]);
    let ended: Vec<&str> = office
        .actions
        .iter()
        .filter_map(|(_, action)| match action {
            Action::EndGhost { leg, token, .. } if *leg == agent => Some(token.as_str()),
            _ => None,
        })
        .collect();
    assert_eq!(ended, ["another"]);
}

#[test]
fn what_was_answered_is_not_wished_again() {
    let mut office = Office::with_agents(&[ANNA]);
    office.talk(SUPPORT, ANNA);
    let open: Vec<_> = office.engine.world().pending().iter().map(|(id, _)| id).collect();
    for action in open {
        office.give(Input::ActionDone { action });
    }
    crash(&mut office);
    assert!(office.actions.iter().all(|(_, action)| matches!(action, Action::Survey { .. })));
}

#[test]
fn legs_that_died_end_for_both_and_the_agent_is_free_without_wrap_up() {
    let mut office = Office::with_agents(&[ANNA]);
    let mut settings = queue(QUEUE, "Support");
    settings.wrap_up = Allowance::UntilFinished;
    office.put(Change::PutQueue(settings));
    let (customer, agent) = office.talk(SUPPORT, ANNA);
    crash(&mut office);
    survey(&mut office, &[]);
    let ghosts: Vec<LegId> = office
        .actions
        .iter()
        .filter_map(|(_, action)| match action {
            Action::EndGhost { leg, .. } => Some(*leg),
            _ => None,
        })
        .collect();
    assert_eq!(ghosts, [customer, agent]);
    assert_eq!(office.engine.world().conversations().len(), 0);
    assert_eq!(office.agent(ANNA).occupation, Occupation::Idle);
    assert_eq!(office.agent(ANNA).availability, Availability::Ready);
    let restarted =
        |event: &Event| matches!(event, Event::ConversationEnded { termination, .. } if termination.reason == TerminationReason::Restarted);
    assert_eq!(office.count(restarted), 1);
}

#[test]
fn who_waited_on_a_dead_line_has_not_abandoned_and_the_agent_is_not_blamed() {
    let mut office = Office::with_agents(&[ANNA]);
    office.call(SUPPORT);
    crash(&mut office);
    survey(&mut office, &[]);
    let failure = |event: &Event| matches!(event, Event::VisitEnded { outcome: Outcome::FlowOut { reason: FlowOutReason::Failure }, .. });
    assert_eq!(office.count(failure), 1);
    assert_eq!(office.count(|event| matches!(event, Event::OfferEnded { outcome: OfferOutcome::Withdrawn, .. })), 1);
    assert!(office.agent(ANNA).is_routable());
}

#[test]
fn a_customer_who_survived_gets_another_agent_when_only_the_agents_leg_died() {
    let mut office = Office::with_agents(&[ANNA]);
    let (customer, _) = office.talk(SUPPORT, ANNA);
    crash(&mut office);
    survey(&mut office, &[customer]);
    assert_eq!(office.conversation(customer).place(), Some(SegmentKind::Queue));
    assert!(office.conversation(customer).offer.is_some());
}

#[test]
fn who_survived_goes_on_undisturbed() {
    let mut office = Office::with_agents(&[ANNA]);
    let (customer, agent) = office.talk(SUPPORT, ANNA);
    crash(&mut office);
    survey(&mut office, &[customer, agent]);
    assert_eq!(office.conversation(customer).place(), Some(SegmentKind::Talk));
    office.end(customer, CauseKind::FarEnd);
    office.obey_hang_ups();
    assert!(office.agent(ANNA).is_routable());
}

#[test]
fn a_leg_that_belongs_to_nobody_is_hung_up() {
    let mut office = Office::new();
    crash(&mut office);
    survey(&mut office, &[LegId(4_711)]);
    assert!(office.actions.iter().any(|(_, action)| matches!(action, Action::HangUp { leg: LegId(4_711), .. })));
    office.pass(limits::ACTION_MAX.0 as i64);
    assert!(office.engine.world().pending().is_empty(), "nothing of it stays");
}

#[test]
fn a_leg_younger_than_the_takeover_is_not_taken_for_dead() {
    let mut office = Office::new();
    crash(&mut office);
    let customer = office.call(SUPPORT);
    survey(&mut office, &[]);
    assert_eq!(office.conversation(customer).place(), Some(SegmentKind::Queue));
}

#[test]
fn a_survey_nobody_asked_for_is_ignored() {
    let mut office = Office::with_agents(&[ANNA]);
    let (customer, _) = office.talk(SUPPORT, ANNA);
    survey(&mut office, &[]);
    assert!(office.conversation(customer).talk.is_some());
    crash(&mut office);
    let legs: Vec<LegId> = office.conversation(customer).legs.iter().map(|leg| leg.id).collect();
    survey(&mut office, &legs);
    survey(&mut office, &[]);
    assert!(office.conversation(customer).talk.is_some());
}

#[test]
fn a_line_that_cannot_say_is_asked_again_when_it_matters() {
    let mut office = Office::with_agents(&[ANNA]);
    office.talk(SUPPORT, ANNA);
    crash(&mut office);
    let asked = |office: &Office, wanted: Line| {
        office.actions.iter().rev().find(|(_, action)| matches!(action, Action::Survey { line } if *line == wanted)).map(|(id, _)| *id)
    };
    for line in [Line::Connected, Line::Extended] {
        let action = asked(&office, line).unwrap();
        office.fail(action);
    }
    office.actions.clear();
    office.pass(limits::SURVEY_RETRY.0 as i64);
    assert!(asked(&office, Line::Connected).is_some());
    assert!(asked(&office, Line::Extended).is_none(), "nobody is reached over it");
}

#[test]
fn an_offer_that_ran_out_while_nobody_was_in_charge_is_nobodys_fault() {
    let mut office = Office::with_agents(&[ANNA]);
    let customer = office.call(SUPPORT);
    office.now.0 += 120_000;
    crash(&mut office);
    assert_eq!(office.agent(ANNA).availability, Availability::Ready);
    assert!(office.conversation(customer).offer.is_none(), "her telephone is being hung up first");
    office.obey_hang_ups();
    assert!(office.conversation(customer).offer.is_some());
}

#[test]
fn a_new_process_takes_calls_although_the_former_one_was_draining() {
    let mut office = Office::new();
    office.give(Input::Drain { on: true });
    crash(&mut office);
    office.call(SUPPORT);
    assert_eq!(office.engine.world().waiting(QUEUE).count(), 1);
}

#[test]
fn a_leg_whose_end_is_told_before_the_survey_still_has_its_far_end_told() {
    let mut office = Office::with_agents(&[ANNA]);
    let (customer, agent) = office.talk(SUPPORT, ANNA);
    office.end(customer, CauseKind::FarEnd);
    crash(&mut office);
    assert!(office.actions.iter().any(|(_, action)| matches!(action, Action::HangUp { leg, .. } if *leg == agent)));
    office.end(agent, CauseKind::Ours);
    assert!(office.actions.iter().any(|(_, action)| matches!(action, Action::EndGhost { leg, .. } if *leg == agent)));
    assert!(office.agent(ANNA).is_routable());
}

#[test]
fn only_the_last_wish_about_what_somebody_hears_is_repeated() {
    let mut office = Office::with_agents(&[ANNA]);
    let (customer, _) = office.talk(SUPPORT, ANNA);
    let conversation = office.conversation_id(customer);
    office.ask(Command::Hold { conversation }).unwrap();
    office.ask(Command::Resume { conversation }).unwrap();
    crash(&mut office);
    let hearing: Vec<&Action> = office.actions.iter().map(|(_, action)| action).filter(|action| action.is_hearing()).collect();
    assert!(matches!(hearing[..], [Action::Bridge { .. }]), "{hearing:?}");
}
