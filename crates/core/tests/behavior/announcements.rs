//! What those who wait are told, and how good predictions are.

use crate::office::{ANNA, Office, QUEUE, SUPPORT, queue};
use dreiklang_core::{
    Action, Command, Event, Input,
    config::{Change, Destination},
    conversation::CauseKind,
    ids::LegId,
    output::Prompt,
    queue::{Announcements, FlowOutReason, Outcome, Settings, WaitingRules},
    time::Millis,
};

fn text(words: &str) -> Prompt {
    Prompt::Text { text: words.to_owned(), language: "en".to_owned() }
}

fn with(announcements: Announcements) -> Office {
    let mut office = Office::new();
    let waiting = WaitingRules { announcements, ..WaitingRules::default() };
    office.put(Change::PutQueue(Settings { waiting: Box::new(waiting), ..queue(QUEUE, "Support") }));
    office
}

fn told(office: &Office, wanted: LegId) -> Vec<Prompt> {
    let prompt = |action: &Action| match action {
        Action::Play { leg, prompt, .. } if *leg == wanted => Some(prompt.clone()),
        _ => None,
    };
    office.actions.iter().filter_map(|(_, action)| prompt(action)).collect()
}

fn hear_out(office: &mut Office, leg: LegId) {
    let play = office.conversation(leg).playing.unwrap();
    office.give(Input::PlayFinished { leg, play });
}

#[test]
fn the_initial_announcement_is_heard_before_the_music_and_comfort_comes_in_turn() {
    let comfort = vec![text("Please stay."), text("Soon.")];
    let every = Some(Millis::from_secs(30));
    let mut office = with(Announcements { initial: Some(text("Hello.")), every, comfort, ..Announcements::default() });
    let customer = office.call(SUPPORT);
    hear_out(&mut office, customer);
    for _ in 0..3 {
        office.pass(30_000);
        hear_out(&mut office, customer);
    }
    let music = Prompt::Music;
    let expected =
        [text("Hello."), music.clone(), text("Please stay."), music.clone(), text("Soon."), music.clone(), text("Please stay."), music];
    assert_eq!(told(&office, customer), expected);
}

#[test]
fn the_place_in_line_is_told_and_counts_down() {
    let mut office = with(Announcements { every: Some(Millis::from_secs(30)), position: true, ..Announcements::default() });
    let first = office.call(SUPPORT);
    let second = office.call(SUPPORT);
    office.pass(30_000);
    assert_eq!(told(&office, second).last(), Some(&text("You are number 2 in line.")));
    hear_out(&mut office, second);
    office.end(first, CauseKind::FarEnd);
    office.pass(30_000);
    assert_eq!(told(&office, second).last(), Some(&text("You are next.")));
}

#[test]
fn an_announcement_delays_neither_the_offer_nor_the_talk() {
    let mut office = with(Announcements { initial: Some(text("Hello.")), ..Announcements::default() });
    office.put(Change::PutAgent(crate::office::agent(ANNA, "Anna")));
    office.ready(ANNA);
    let customer = office.call(SUPPORT);
    let leg = office.offered_leg(ANNA).expect("it rings while the announcement plays");
    let play = office.conversation(customer).playing.unwrap();
    office.connect(leg);
    assert!(matches!(office.actions.last(), Some((_, Action::Bridge { .. }))));
    // Late news of the prompt change nothing.
    let before = office.events.len();
    office.give(Input::PlayFinished { leg: customer, play });
    assert_eq!(office.events.len(), before);
}

#[test]
fn a_prompt_that_fails_is_followed_by_music() {
    let mut office = with(Announcements { initial: Some(text("Hello.")), ..Announcements::default() });
    let customer = office.call(SUPPORT);
    office.fail_last_action();
    assert_eq!(told(&office, customer).last(), Some(&Prompt::Music));
}

#[test]
fn a_key_leads_out_of_the_queue_and_others_do_nothing() {
    let mut office = Office::new();
    let keys = [('2', Destination::Message(text("Goodbye.")))].into();
    office
        .put(Change::PutQueue(Settings { waiting: Box::new(WaitingRules { keys, ..WaitingRules::default() }), ..queue(QUEUE, "Support") }));
    let customer = office.call(SUPPORT);
    office.give(Input::Digit { leg: customer, digit: '1' });
    assert!(office.conversation(customer).visit.is_some());
    office.give(Input::Digit { leg: customer, digit: '2' });
    assert_eq!(told(&office, customer).last(), Some(&text("Goodbye.")));
    let by_key = |event: &Event| matches!(event, Event::VisitEnded { outcome: Outcome::FlowOut { reason: FlowOutReason::Key }, .. });
    assert_eq!(office.count(by_key), 1);
    hear_out(&mut office, customer);
    assert!(office.conversation(customer).ending.is_some());
}

#[test]
fn a_notice_is_told_to_those_who_wait_and_those_who_come() {
    let mut office = Office::new();
    let waits = office.call(SUPPORT);
    let notice = text("We know of the outage.");
    office.ask(Command::SetNotice { queue: QUEUE, notice: Some(notice.clone()) }).unwrap();
    let comes = office.call(SUPPORT);
    assert_eq!(told(&office, waits).last(), Some(&notice));
    assert_eq!(told(&office, comes), [notice]);
    office.ask(Command::SetNotice { queue: QUEUE, notice: None }).unwrap();
    let later = office.call(SUPPORT);
    assert_eq!(told(&office, later), [Prompt::Music]);
    assert!(office.ask(Command::SetNotice { queue: QUEUE, notice: Some(Prompt::Music) }).is_err(), "music never ends");
}

#[test]
fn the_wait_is_predicted_from_the_pace_and_the_prediction_is_measured() {
    let mut office = with(Announcements { every: Some(Millis::from_secs(60)), estimate: true, ..Announcements::default() });
    office.put(Change::PutAgent(crate::office::agent(ANNA, "Anna")));
    office.ready(ANNA);
    let (mut talking, _) = office.talk(SUPPORT, ANNA);
    let callers: Vec<LegId> = (0..6).map(|_| office.call(SUPPORT)).collect();
    assert_eq!(office.count(|event| matches!(event, Event::VisitEstimated { .. })), 0, "nothing is known yet");
    for caller in callers {
        office.pass(100_000);
        office.end(talking, CauseKind::FarEnd);
        office.obey_hang_ups();
        let leg = office.offered_leg(ANNA).unwrap();
        office.connect(leg);
        talking = caller;
    }
    let estimate = office.engine.estimate(QUEUE).expect("there is a basis now");
    assert_eq!(estimate.likely, Millis::from_secs(100));
    let late = office.call(SUPPORT);
    office.pass(60_000);
    assert_eq!(told(&office, late).last(), Some(&text("The wait is likely to be between 1 and 2 minutes.")));
    office.pass(40_000);
    office.end(talking, CauseKind::FarEnd);
    office.obey_hang_ups();
    let leg = office.offered_leg(ANNA).unwrap();
    office.connect(leg);
    let held = |event: &Event| matches!(event, Event::EstimateMeasured { held: true, wait: Millis(100_000), .. });
    assert_eq!(office.count(held), 1);
}
