//! While two hear each other: hold, loss, ends.

use crate::office::{ANNA, BERT, Office, QUEUE, SUPPORT};
use dreiklang_core::{
    Action, Actor, Command, Event, Input,
    agent::Occupation,
    conversation::{CauseKind, SegmentKind, TerminationReason, TerminationResult},
    ids::LegId,
    limits,
    queue::Outcome,
    time::Millis,
};

#[test]
fn a_held_customer_hears_music_and_the_agent_nothing_until_resumed() {
    let mut office = Office::with_agents(&[ANNA]);
    let (customer, leg) = office.talk(SUPPORT, ANNA);
    let conversation = office.conversation_id(customer);
    office.pass(10_000);
    office.ask_as(Actor::Agent(ANNA), Command::Hold { conversation }).unwrap();
    assert_eq!(office.conversation(customer).place(), Some(SegmentKind::Hold));
    let last: Vec<&Action> = office.actions.iter().rev().take(2).map(|(_, action)| action).collect();
    assert!(matches!(last[1], Action::Play { leg: told, repeat: true, .. } if *told == customer));
    assert!(matches!(last[0], Action::Silence { leg: told, .. } if *told == leg));
    assert!(office.ask(Command::Hold { conversation }).is_err());
    office.pass(5_000);
    office.ask(Command::Resume { conversation }).unwrap();
    assert!(matches!(office.actions.last(), Some((_, Action::Bridge { .. }))));
    assert!(office.ask(Command::Resume { conversation }).is_err());
    office.pass(10_000);
    office.end(customer, CauseKind::FarEnd);
    let told = |event: &Event| matches!(event, Event::TalkEnded { talk: Millis(20_000), hold: Millis(5_000), .. });
    assert_eq!(office.count(told), 1);
}

#[test]
fn two_who_are_to_hear_each_other_are_named_again_until_their_line_has_answered() {
    let mut office = Office::with_agents(&[ANNA]);
    let (customer, leg) = office.talk(SUPPORT, ANNA);
    let bridges = |office: &Office| -> Vec<_> {
        let wanted = |action: &&(_, Action)| matches!(&action.1, Action::Bridge { a, b, .. } if (*a, *b) == (customer, leg));
        office.actions.iter().filter(wanted).map(|(id, _)| *id).collect()
    };
    let first = bridges(&office);
    assert_eq!(first.len(), 1);
    let deadline = i64::try_from(limits::ACTION_MAX.0).unwrap();
    office.pass(deadline);
    let again = bridges(&office);
    assert_eq!(again.len(), 2, "nobody said that they hear each other");
    office.give(Input::ActionDone { action: again[1] });
    office.pass(10 * deadline);
    assert_eq!(bridges(&office).len(), 2);
}

#[test]
fn an_agents_telephone_can_hold_and_take_back() {
    let mut office = Office::with_agents(&[ANNA]);
    let (customer, leg) = office.talk(SUPPORT, ANNA);
    let conversation = office.conversation_id(customer);
    office.give(Input::HeldByParty { leg, held: true });
    assert_eq!(office.conversation(customer).place(), Some(SegmentKind::Hold));
    assert!(office.ask(Command::Resume { conversation }).is_err(), "only the telephone itself can take it back");
    office.give(Input::HeldByParty { leg, held: false });
    assert_eq!(office.conversation(customer).place(), Some(SegmentKind::Talk));
}

#[test]
fn a_customer_who_holds_us_changes_no_place() {
    let mut office = Office::with_agents(&[ANNA]);
    let (customer, _) = office.talk(SUPPORT, ANNA);
    office.give(Input::HeldByParty { leg: customer, held: true });
    assert_eq!(office.conversation(customer).place(), Some(SegmentKind::Talk));
    assert_eq!(office.count(|event| matches!(event, Event::LegHeld { held: true, .. })), 1);
}

#[test]
fn a_customer_who_leaves_on_hold_ends_hold_talk_and_conversation() {
    let mut office = Office::with_agents(&[ANNA]);
    let (customer, _) = office.talk(SUPPORT, ANNA);
    let conversation = office.conversation_id(customer);
    office.ask(Command::Hold { conversation }).unwrap();
    office.pass(7_000);
    office.end(customer, CauseKind::FarEnd);
    assert_eq!(office.count(|event| matches!(event, Event::HoldEnded { .. })), 1);
    assert_eq!(office.count(|event| matches!(event, Event::TalkEnded { talk: Millis(0), hold: Millis(7_000), .. })), 1);
    office.obey_hang_ups();
    assert!(office.agent(ANNA).is_routable());
}

#[test]
fn a_customer_whose_agent_is_cut_off_returns_to_the_front_of_the_queue() {
    for cause in [CauseKind::Network, CauseKind::MediaLost, CauseKind::Timeout, CauseKind::Failure] {
        let mut office = Office::with_agents(&[ANNA]);
        let (customer, leg) = office.talk(SUPPORT, ANNA);
        let waiting = office.call(SUPPORT);
        office.pass(60_000);
        office.give(Input::Reachable { agent: ANNA, reachable: false });
        office.end(leg, cause);
        assert_eq!(office.conversation(customer).place(), Some(SegmentKind::Queue), "{cause:?}");
        let order: Vec<LegId> = office.engine.world().waiting(QUEUE).filter_map(|found| found.customer).collect();
        assert_eq!(order, [customer, waiting]);
        assert_eq!(office.count(|event| matches!(event, Event::VisitEnded { outcome: Outcome::Answered, .. })), 1);
    }
}

#[test]
fn a_bridge_that_fails_gives_the_agent_up_but_not_the_customer() {
    let mut office = Office::with_agents(&[ANNA]);
    let (customer, leg) = office.talk(SUPPORT, ANNA);
    office.fail_last_action();
    assert_eq!(office.conversation(customer).place(), Some(SegmentKind::Queue));
    assert!(office.conversation(customer).leg(leg).unwrap().ending);
}

#[test]
fn a_customer_whose_agents_keep_breaking_off_is_let_go_in_the_end() {
    let mut office = Office::with_agents(&[ANNA]);
    let customer = office.call(SUPPORT);
    for _ in 0..limits::VISITS_PER_CONVERSATION {
        let leg = office.offered_leg(ANNA).unwrap();
        office.connect(leg);
        office.end(leg, CauseKind::Network);
    }
    assert_eq!(office.conversation(customer).place(), Some(SegmentKind::Ending));
    office.obey_hang_ups();
    assert_eq!(office.engine.world().conversations().len(), 0);
}

#[test]
fn a_leg_whose_end_is_never_told_does_not_keep_anybody() {
    let mut office = Office::with_agents(&[ANNA]);
    let (customer, leg) = office.talk(SUPPORT, ANNA);
    office.end(customer, CauseKind::FarEnd);
    assert!(!office.agent(ANNA).is_routable(), "the telephone is still being hung up");
    office.pass(limits::HANG_UP_MAX.0 as i64);
    assert!(office.agent(ANNA).is_routable());
    let given_up = |event: &Event| matches!(event, Event::LegEnded { leg: ended, given_up: true, .. } if *ended == leg);
    assert_eq!(office.count(given_up), 1);
    assert_eq!(office.engine.world().conversations().len(), 0);
}

#[test]
fn whose_doing_an_end_was_is_told_apart() {
    let mut office = Office::with_agents(&[ANNA, BERT]);
    let (first, leg) = office.talk(SUPPORT, ANNA);
    office.end(leg, CauseKind::FarEnd);
    office.end(first, CauseKind::Ours);
    office.ask(Command::SetDuty { agent: ANNA, duty: dreiklang_core::agent::Duty::OffDuty }).unwrap();
    let (second, _) = office.talk(SUPPORT, BERT);
    let conversation = office.conversation_id(second);
    office.ask(Command::HangUp { conversation }).unwrap();
    office.obey_hang_ups();
    let ends: Vec<_> = office
        .events
        .iter()
        .filter_map(|stamped| match &stamped.event {
            Event::ConversationEnded { termination, .. } => Some((termination.result, termination.reason)),
            _ => None,
        })
        .collect();
    assert_eq!(ends, [(TerminationResult::Agent, TerminationReason::HungUp), (TerminationResult::Us, TerminationReason::Ended)]);
    assert!(matches!(office.agent(ANNA).occupation, Occupation::Idle));
}

#[test]
fn figures_of_a_leg_count_once_even_after_its_end() {
    let mut office = Office::new();
    let customer = office.call(SUPPORT);
    office.end(customer, CauseKind::FarEnd);
    for _ in 0..2 {
        office.give(Input::Measured { leg: customer, quality: Default::default() });
    }
    assert_eq!(office.count(|event| matches!(event, Event::LegMeasured { .. })), 1);
}
