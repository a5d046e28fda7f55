//! Callers who are treated apart, and the order of service changed by hand.

use crate::office::{ANNA, BERT, Office, QUEUE, SUPPORT, queue};
use dreiklang_core::{
    Action, Actor, Command, Event, Input, Refusal,
    callers::{CallerList, Treatment},
    config::{Change, validate},
    conversation::{CauseKind, SegmentKind, Termination, TerminationReason, TerminationResult},
    endpoint::{Line, Party},
    ids::{CallerListId, LegId},
    output::{Prompt, RejectReason},
    queue::Preferred,
    time::Millis,
};

fn list(id: u128, name: &str, callers: &[&str], treatment: Treatment) -> Change {
    let callers = callers.iter().map(|caller| ((*caller).to_owned(), "a note".to_owned())).collect();
    Change::PutCallerList(Box::new(CallerList { callers, ..CallerList::new(CallerListId(id), name, treatment) }))
}

fn favor(priority: u8) -> Treatment {
    Treatment::Favor { priority, skills: Vec::new(), preferred: None }
}

fn words(text: &str) -> Prompt {
    Prompt::Text { text: text.to_owned(), language: "en".to_owned() }
}

fn arrive_from(office: &mut Office, id: u128, caller: Option<&str>) -> LegId {
    let caller = Party { number: caller.map(str::to_owned), name: None };
    office.give(Input::Arrived { leg: LegId(id), line: Line::Connected, caller, dialed: SUPPORT.to_owned() });
    LegId(id)
}

fn call_from(office: &mut Office, id: u128, caller: &str) -> LegId {
    let leg = arrive_from(office, id, Some(caller));
    office.connect(leg);
    leg
}

fn last_end(office: &Office) -> Termination {
    let end = office.events.iter().rev().find_map(|stamped| match &stamped.event {
        Event::ConversationEnded { termination, .. } => Some(*termination),
        _ => None,
    });
    end.expect("a conversation has ended")
}

const BLOCKED: Termination = Termination { result: TerminationResult::Caller, reason: TerminationReason::Blocked };

#[test]
fn a_blocked_caller_is_refused_without_an_answer() {
    let mut office = Office::with_agents(&[ANNA]);
    office.put(list(1, "Nuisance", &["+49171*"], Treatment::Block { message: None }));
    arrive_from(&mut office, 1, Some("+491711234"));
    assert!(matches!(office.actions.last(), Some((_, Action::Reject { reason: RejectReason::Blocked, .. }))));
    assert_eq!(last_end(&office), BLOCKED);
    assert_eq!(office.count(|event| matches!(event, Event::CallerListed { list: CallerListId(1), .. })), 1);
    call_from(&mut office, 2, "+49172");
    assert!(office.offered_leg(ANNA).is_some(), "others get through");
}

#[test]
fn a_blocked_caller_may_be_told_why_and_takes_no_place_in_the_queue() {
    let mut office = Office::new();
    office.put(Change::PutQueue(dreiklang_core::queue::Settings { max_waiting: 1, ..queue(QUEUE, "Support") }));
    office.put(list(1, "Nuisance", &["+49171"], Treatment::Block { message: Some(words("You are not let in.")) }));
    let blocked = call_from(&mut office, 1, "+49171");
    assert_eq!(office.conversation(blocked).place(), Some(SegmentKind::Greeting));
    let said =
        matches!(office.actions.last(), Some((_, Action::Play { prompt, repeat: false, .. })) if *prompt == words("You are not let in."));
    assert!(said);
    let other = call_from(&mut office, 2, "+49172");
    assert_eq!(office.conversation(other).place(), Some(SegmentKind::Queue), "the only place is free");
    let play = office.conversation(blocked).playing.unwrap();
    office.give(Input::PlayFinished { leg: blocked, play });
    office.obey_hang_ups();
    assert_eq!(last_end(&office), BLOCKED);
    assert_eq!(office.count(|event| matches!(event, Event::VisitStarted { .. })), 1);
}

#[test]
fn who_shows_no_number_is_blocked_only_where_a_list_says_so() {
    let mut office = Office::new();
    let withheld = |withheld| {
        let list = CallerList::new(CallerListId(1), "Nameless", Treatment::Block { message: None });
        Change::PutCallerList(Box::new(CallerList { withheld, ..list }))
    };
    office.put(withheld(false));
    arrive_from(&mut office, 1, None);
    assert!(matches!(office.actions.last(), Some((_, Action::Answer { .. }))));
    office.put(withheld(true));
    arrive_from(&mut office, 2, None);
    assert!(matches!(office.actions.last(), Some((_, Action::Reject { reason: RejectReason::Blocked, .. }))));
    office.put(Change::RemoveCallerList(CallerListId(1)));
    arrive_from(&mut office, 3, None);
    assert!(matches!(office.actions.last(), Some((_, Action::Answer { .. }))));
}

#[test]
fn a_favored_caller_is_served_before_others_who_came_first() {
    let mut office = Office::new();
    office.put(list(1, "Best customers", &["+49171*"], favor(90)));
    let first = call_from(&mut office, 1, "+49172");
    let favored = call_from(&mut office, 2, "+491711");
    assert_eq!(office.engine.world().waiting(QUEUE).map(|found| found.customer).collect::<Vec<_>>(), [Some(favored), Some(first)]);
    office.put(Change::PutAgent(crate::office::agent(ANNA, "Anna")));
    office.ready(ANNA);
    assert_eq!(office.conversation(favored).offer.as_ref().map(|offer| offer.agent), Some(ANNA));
}

#[test]
fn a_favored_caller_keeps_a_higher_priority_of_the_queue() {
    let mut office = Office::new();
    office.put(Change::PutQueue(dreiklang_core::queue::Settings { priority: 70, ..queue(QUEUE, "Support") }));
    office.put(list(1, "Good customers", &["+49171*"], favor(60)));
    let favored = call_from(&mut office, 1, "+491711");
    assert_eq!(office.conversation(favored).visit.as_ref().unwrap().priority, 70);
}

#[test]
fn a_favored_caller_waits_for_the_own_agent_first() {
    let mut office = Office::with_agents(&[ANNA, BERT]);
    let preferred = Some(Preferred { agent: BERT, wait: Millis::from_secs(60) });
    office.put(list(1, "Bert's customers", &["+49171"], Treatment::Favor { priority: 50, skills: Vec::new(), preferred }));
    let favored = call_from(&mut office, 1, "+49171");
    assert_eq!(office.conversation(favored).offer.as_ref().map(|offer| offer.agent), Some(BERT), "Anna has been idle longer");
    assert!(validate(office.engine.world(), &Change::RemoveAgent(BERT)).is_err(), "the list prefers him");
}

#[test]
fn a_list_that_blocks_goes_before_one_that_favors_and_the_higher_priority_before_the_lower() {
    let mut office = Office::new();
    office.put(list(1, "Good", &["+4917*"], favor(60)));
    office.put(list(2, "Better", &["+49171*"], favor(80)));
    let favored = call_from(&mut office, 1, "+491711");
    assert_eq!(office.conversation(favored).visit.as_ref().unwrap().priority, 80);
    office.put(list(3, "Nuisance", &["+491711"], Treatment::Block { message: None }));
    arrive_from(&mut office, 2, Some("+491711"));
    assert_eq!(last_end(&office), BLOCKED);
}

#[test]
fn what_a_list_gave_stays_when_the_list_changes_in_mid_call() {
    let mut office = Office::with_agents(&[ANNA]);
    office.put(list(1, "Good", &["+49171"], favor(90)));
    let favored = call_from(&mut office, 1, "+49171");
    office.put(Change::RemoveCallerList(CallerListId(1)));
    let leg = office.offered_leg(ANNA).unwrap();
    office.connect(leg);
    office.end(leg, CauseKind::Network);
    assert_eq!(office.conversation(favored).request().least_priority, 90);
}

#[test]
fn a_list_that_does_not_hold_together_is_refused_with_the_remedy() {
    let office = Office::new();
    let refused = |change: Change| match validate(office.engine.world(), &change) {
        Err(Refusal::Invalid { field, problem }) => (field, problem),
        other => panic!("{other:?}"),
    };
    let (field, problem) = refused(list(1, "All", &["*"], favor(50)));
    assert_eq!(field, "caller_list.callers");
    assert!(problem.contains("names everybody"), "{problem}");
    assert_eq!(refused(list(1, "Two", &["+49*1*"], favor(50))).0, "caller_list.callers");
    assert_eq!(refused(list(1, "Space", &["+49 1"], favor(50))).0, "caller_list.callers");
    assert_eq!(refused(list(1, "", &["+491"], favor(50))).0, "caller_list.name");
    assert_eq!(refused(list(1, "High", &["+491"], favor(101))).0, "caller_list.treatment.priority");
    let endless = Treatment::Block { message: Some(Prompt::Music) };
    assert_eq!(refused(list(1, "Endless", &["+491"], endless)).0, "caller_list.treatment.message");
    let preferred = Some(Preferred { agent: ANNA, wait: Millis::from_secs(60) });
    let nobody = Treatment::Favor { priority: 50, skills: Vec::new(), preferred };
    assert_eq!(refused(list(1, "Nobody", &["+491"], nobody)).0, "caller_list.treatment.preferred.agent");
}

#[test]
fn a_supervisor_lets_somebody_who_waits_go_first() {
    let mut office = Office::new();
    let first = office.call(SUPPORT);
    let second = office.call(SUPPORT);
    let conversation = office.conversation_id(second);
    let refused = office.ask_as(Actor::Agent(ANNA), Command::SetPriority { conversation, priority: 90 });
    assert!(matches!(refused, Err(Refusal::NotAllowed { .. })));
    assert!(matches!(office.ask(Command::SetPriority { conversation, priority: 101 }), Err(Refusal::Invalid { .. })));
    office.ask(Command::SetPriority { conversation, priority: 90 }).unwrap();
    office.ask(Command::SetPriority { conversation, priority: 90 }).unwrap();
    assert_eq!(office.count(|event| matches!(event, Event::PriorityChanged { .. })), 1, "twice is once");
    assert_eq!(office.engine.world().waiting(QUEUE).map(|found| found.customer).collect::<Vec<_>>(), [Some(second), Some(first)]);
    office.put(Change::PutAgent(crate::office::agent(ANNA, "Anna")));
    office.ready(ANNA);
    assert_eq!(office.conversation(second).offer.as_ref().map(|offer| offer.agent), Some(ANNA));
    office.ask(Command::SetPriority { conversation, priority: 10 }).unwrap();
    assert_eq!(office.conversation(second).offer.as_ref().map(|offer| offer.agent), Some(ANNA), "what rings, rings on");
    let leg = office.offered_leg(ANNA).unwrap();
    office.connect(leg);
    assert!(matches!(office.ask(Command::SetPriority { conversation, priority: 90 }), Err(Refusal::WrongState { .. })));
}
