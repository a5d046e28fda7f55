//! Documents: what holds together, and what changes mean for who is there.

use crate::office::{ANNA, OTHER_QUEUE, Office, QUEUE, SUPPORT, agent, number, queue};
use dreiklang_core::{
    Event, Refusal,
    config::{Change, Skill, Target, Tenant, validate},
    conversation::CauseKind,
    endpoint::Endpoint,
    ids::{AgentId, NumberId, QueueId, SkillId},
    output::Prompt,
    queue::{Allowance, FlowOutReason, Outcome, SkillRequirement},
    time::Millis,
};

fn field(office: &Office, change: Change) -> String {
    match validate(office.engine.world(), &change) {
        Err(Refusal::Invalid { field, .. }) => field,
        other => panic!("{change:?}: {other:?}"),
    }
}

fn bad_queue(office: &Office, spoil: impl FnOnce(&mut dreiklang_core::queue::Settings)) -> String {
    let mut settings = queue(QueueId(50), "New");
    spoil(&mut settings);
    field(office, Change::PutQueue(settings))
}

fn bad_agent(office: &Office, spoil: impl FnOnce(&mut dreiklang_core::agent::Settings)) -> String {
    let mut settings = agent(AgentId(50), "New");
    spoil(&mut settings);
    field(office, Change::PutAgent(settings))
}

fn bad_number(office: &Office, spoil: impl FnOnce(&mut dreiklang_core::config::Number)) -> String {
    let mut document = number(50, "+4930555", Target::Queue(QUEUE));
    spoil(&mut document);
    field(office, Change::PutNumber(document))
}

#[test]
fn a_queue_that_does_not_hold_together_is_refused_with_the_field() {
    let office = Office::new();
    let unknown = vec![SkillRequirement { skill: SkillId(9), level: 1 }];
    assert_eq!(bad_queue(&office, |queue| queue.name = " ".to_owned()), "queue.name");
    assert_eq!(bad_queue(&office, |queue| queue.name = "support".to_owned()), "queue.name", "taken but for its capitals");
    assert_eq!(bad_queue(&office, |queue| queue.name = "x".repeat(101)), "queue.name");
    assert_eq!(bad_queue(&office, |queue| queue.ring = Millis(2_999)), "queue.ring");
    assert_eq!(bad_queue(&office, |queue| queue.ring = Millis(120_001)), "queue.ring");
    assert_eq!(bad_queue(&office, |queue| queue.priority = 101), "queue.priority");
    assert_eq!(bad_queue(&office, |queue| queue.skills = unknown), "queue.skills");
    assert_eq!(bad_queue(&office, |queue| queue.max_waiting = 0), "queue.max_waiting");
    assert_eq!(bad_queue(&office, |queue| queue.max_wait = Some(Millis(10))), "queue.max_wait");
    assert_eq!(bad_queue(&office, |queue| queue.service_level.target = f64::NAN), "queue.service_level.target");
    assert_eq!(bad_queue(&office, |queue| queue.service_level.within = Millis(0)), "queue.service_level.within");
    assert_eq!(bad_queue(&office, |queue| queue.short_abandon = Millis(300_001)), "queue.short_abandon");
    let endless = Allowance::Timed { duration: Millis(3_600_001) };
    assert_eq!(bad_queue(&office, |queue| queue.wrap_up = endless), "queue.wrap_up.duration");
    for name in ["../secret", "/etc/passwd", ".hidden", "a\\b", ""] {
        assert_eq!(bad_queue(&office, |queue| queue.hold_music = Prompt::File { name: name.to_owned() }), "queue.hold_music");
    }
    let spoken = |text: &str, language: &str| Prompt::Text { text: text.to_owned(), language: language.to_owned() };
    assert_eq!(bad_queue(&office, |queue| queue.hold_music = spoken("", "en")), "queue.hold_music");
    assert_eq!(bad_queue(&office, |queue| queue.hold_music = spoken("Hello", "e n")), "queue.hold_music");
}

#[test]
fn an_agent_that_does_not_hold_together_is_refused_with_the_field() {
    let office = Office::with_agents(&[ANNA]);
    assert_eq!(bad_agent(&office, |agent| agent.name = "anna".to_owned()), "agent.name");
    assert_eq!(bad_agent(&office, |agent| agent.endpoint = Endpoint::Desk("anna".to_owned())), "agent.endpoint");
    assert_eq!(bad_agent(&office, |agent| agent.endpoint = Endpoint::Desk("with space".to_owned())), "agent.endpoint");
    assert_eq!(bad_agent(&office, |agent| agent.endpoint = Endpoint::Number("12x".to_owned())), "agent.endpoint");
    assert_eq!(bad_agent(&office, |agent| agent.queues = [QueueId(99)].into()), "agent.queues");
    assert_eq!(bad_agent(&office, |agent| agent.skills = [(SkillId(99), 1)].into()), "agent.skills");
}

#[test]
fn a_number_that_does_not_hold_together_is_refused_with_the_field() {
    let office = Office::new();
    assert_eq!(bad_number(&office, |number| number.number = SUPPORT.to_owned()), "number.number");
    assert_eq!(bad_number(&office, |number| number.number = "+49 30".to_owned()), "number.number");
    assert_eq!(bad_number(&office, |number| number.number = "+12345678901234567".to_owned()), "number.number");
    assert_eq!(bad_number(&office, |number| number.target = Target::Queue(QueueId(9))), "number.target");
    assert_eq!(bad_number(&office, |number| number.target = Target::Agent(AgentId(9))), "number.target");
    assert_eq!(bad_number(&office, |number| number.priority = Some(101)), "number.priority");
    assert_eq!(bad_number(&office, |number| number.greeting = Some(Prompt::Music)), "number.greeting");
}

#[test]
fn a_tenant_that_does_not_hold_together_is_refused_with_the_field() {
    let office = Office::new();
    let tenant = || Tenant { name: "Test".to_owned(), ..Tenant::default() };
    let twice = vec!["a".to_owned(), "a".to_owned()];
    assert_eq!(field(&office, Change::PutTenant(Tenant::default())), "tenant.name");
    assert_eq!(field(&office, Change::PutTenant(Tenant { caller_number: Some("x".to_owned()), ..tenant() })), "tenant.caller_number");
    assert_eq!(field(&office, Change::PutTenant(Tenant { not_ready_reasons: twice, ..tenant() })), "tenant.not_ready_reasons");
}

#[test]
fn what_is_used_is_not_removed_before_its_users() {
    let mut office = Office::with_agents(&[ANNA]);
    office.put(Change::PutSkill(Skill { id: SkillId(1), name: "German".to_owned() }));
    let mut settings = agent(ANNA, "Anna");
    settings.skills.insert(SkillId(1), 1);
    office.put(Change::PutAgent(settings.clone()));
    assert_eq!(field(&office, Change::RemoveSkill(SkillId(1))), "skill");
    assert_eq!(field(&office, Change::RemoveQueue(QUEUE)), "queue");
    office.put(Change::RemoveNumber(NumberId(1)));
    assert_eq!(field(&office, Change::RemoveQueue(QUEUE)), "queue", "Anna still serves it");
    settings.queues.remove(&QUEUE);
    office.put(Change::PutAgent(settings));
    assert_eq!(validate(office.engine.world(), &Change::RemoveQueue(QUEUE)), Ok(()));
    office.put(Change::PutNumber(number(9, "+49309", Target::Agent(ANNA))));
    assert_eq!(field(&office, Change::RemoveAgent(ANNA)), "agent");
    let missing = validate(office.engine.world(), &Change::RemoveNumber(NumberId(77)));
    assert!(matches!(missing, Err(Refusal::NotFound { .. })));
}

#[test]
fn what_does_not_hold_together_or_changes_nothing_is_passed_over() {
    let mut office = Office::new();
    let events = office.events.len();
    let mut settings = queue(QUEUE, "Support");
    office.put(Change::PutQueue(settings.clone()));
    settings.name = String::new();
    office.put(Change::PutQueue(settings));
    office.put(Change::RemoveQueue(QUEUE));
    assert_eq!(office.events.len(), events);
}

#[test]
fn who_waits_in_a_removed_queue_flows_out_and_is_let_go() {
    let mut office = Office::new();
    let customer = office.call(SUPPORT);
    office.put(Change::PutNumber(number(1, SUPPORT, Target::Queue(OTHER_QUEUE))));
    office.put(Change::RemoveQueue(QUEUE));
    let gone = |event: &Event| matches!(event, Event::VisitEnded { outcome: Outcome::FlowOut { reason: FlowOutReason::QueueRemoved }, .. });
    assert_eq!(office.count(gone), 1);
    assert!(office.conversation(customer).leg(customer).unwrap().ending);
    office.end(customer, CauseKind::Ours);
    assert_eq!(office.engine.world().conversations().len(), 0);
}

#[test]
fn who_still_hears_the_greeting_of_a_removed_queue_is_let_go_after_it() {
    let mut office = Office::new();
    let mut document = number(1, SUPPORT, Target::Queue(QUEUE));
    document.greeting = Some(Prompt::File { name: "hello.wav".to_owned() });
    office.put(Change::PutNumber(document));
    let customer = office.call(SUPPORT);
    office.put(Change::PutNumber(number(1, SUPPORT, Target::Queue(OTHER_QUEUE))));
    office.put(Change::RemoveQueue(QUEUE));
    let play = office.conversation(customer).playing.unwrap();
    office.give(dreiklang_core::Input::PlayFinished { leg: customer, play });
    assert!(office.conversation(customer).leg(customer).unwrap().ending);
}

#[test]
fn an_agent_who_begins_to_serve_a_queue_gets_who_waits_there() {
    let mut office = Office::with_agents(&[ANNA]);
    let mut settings = agent(ANNA, "Anna");
    settings.queues.clear();
    office.put(Change::PutAgent(settings.clone()));
    let customer = office.call(SUPPORT);
    assert!(office.conversation(customer).offer.is_none());
    settings.queues.insert(QUEUE);
    office.put(Change::PutAgent(settings));
    assert!(office.conversation(customer).offer.is_some());
}

#[test]
fn a_number_that_changes_is_found_under_its_new_text_only() {
    let mut office = Office::new();
    office.put(Change::PutNumber(number(1, "+4930777", Target::Queue(QUEUE))));
    office.call("+4930777");
    assert_eq!(office.engine.world().waiting(QUEUE).count(), 1);
    office.arrive(SUPPORT);
    assert_eq!(office.engine.world().conversations().len(), 1);
}
