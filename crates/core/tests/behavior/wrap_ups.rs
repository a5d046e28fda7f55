//! Wrap-up by the queue's rules, and what became of conversations.

use crate::office::{ANNA, BERT, Office, QUEUE, SUPPORT, queue};
use dreiklang_core::{
    Actor, Command, Event, Input, Refusal,
    agent::{Duty, Occupation},
    config::{Change, Tenant, validate},
    conversation::CauseKind,
    ids::LegId,
    input::TransferTarget,
    limits,
    queue::{AgentRules, Allowance, CallRules, Disposition, Settings, WrapUpRules},
    time::{Millis, Timestamp},
};

fn codes() -> Vec<Disposition> {
    vec![Disposition::new("solved", "Solved"), Disposition { follow_up: true, ..Disposition::new("open", "Still open") }]
}

fn settings(wrap_up: Allowance, rules: WrapUpRules) -> Settings {
    Settings { wrap_up, agents: Box::new(AgentRules { wrap_up: rules, ..AgentRules::default() }), ..queue(QUEUE, "Support") }
}

fn talking(wrap_up: Allowance, rules: WrapUpRules) -> (Office, LegId) {
    let mut office = Office::with_agents(&[ANNA]);
    office.put(Change::PutQueue(settings(wrap_up, rules)));
    let (customer, _) = office.talk(SUPPORT, ANNA);
    (office, customer)
}

fn wrapping_up(wrap_up: Allowance, rules: WrapUpRules) -> Office {
    let (mut office, customer) = talking(wrap_up, rules);
    office.end(customer, CauseKind::FarEnd);
    office.obey_hang_ups();
    assert!(matches!(office.agent(ANNA).occupation, Occupation::WrapUp { .. }));
    office
}

fn half_a_minute() -> Allowance {
    Allowance::Timed { duration: Millis::from_secs(30) }
}

fn ends_at(office: &Office) -> Option<Timestamp> {
    match office.agent(ANNA).occupation {
        Occupation::WrapUp { until, .. } => until,
        _ => None,
    }
}

fn say(code: &str) -> Command {
    Command::SetDisposition { agent: ANNA, disposition: Some(code.to_owned()) }
}

/// The disposition of the last wrap-up that ended, and whether it is missing.
fn last(office: &Office) -> (Option<String>, bool) {
    let ended = office.events.iter().rev().find_map(|stamped| match &stamped.event {
        Event::WrapUpEnded { disposition, missing, .. } => Some((disposition.clone(), *missing)),
        _ => None,
    });
    ended.expect("a wrap-up has ended")
}

#[test]
fn timed_wrap_up_can_be_lengthened_once() {
    let mut office = wrapping_up(half_a_minute(), WrapUpRules { extension: Some(Millis::from_secs(20)), ..WrapUpRules::default() });
    let ends = ends_at(&office).unwrap();
    office.pass(10_000);
    office.ask_as(Actor::Agent(ANNA), Command::ExtendWrapUp { agent: ANNA }).unwrap();
    assert_eq!(ends_at(&office), Some(ends + Millis::from_secs(20)));
    assert!(matches!(office.ask(Command::ExtendWrapUp { agent: ANNA }), Err(Refusal::WrongState { .. })));
    office.pass(39_999);
    assert!(ends_at(&office).is_some());
    office.pass(1);
    assert!(office.agent(ANNA).is_routable());
    assert!(!office.agent(ANNA).extended, "the next wrap-up can be lengthened again");
}

#[test]
fn wrap_up_is_not_lengthened_where_the_queue_does_not_allow_it_or_where_there_is_none() {
    let mut office = wrapping_up(half_a_minute(), WrapUpRules::default());
    assert!(matches!(office.ask(Command::ExtendWrapUp { agent: ANNA }), Err(Refusal::WrongState { .. })));
    office.pass(30_000);
    assert!(matches!(office.ask(Command::ExtendWrapUp { agent: ANNA }), Err(Refusal::WrongState { .. })));
}

#[test]
fn wrap_up_until_it_is_finished_ends_by_itself_when_it_is_forgotten() {
    let mut office = wrapping_up(Allowance::UntilFinished, WrapUpRules::default());
    office.pass(i64::try_from(limits::WRAP_UP_MAX.0).unwrap() - 1);
    assert!(matches!(office.agent(ANNA).occupation, Occupation::WrapUp { .. }));
    office.pass(1);
    assert!(office.agent(ANNA).is_routable());
    let mut office = wrapping_up(Allowance::UntilFinished, WrapUpRules { longest: Some(Millis::from_secs(60)), ..WrapUpRules::default() });
    office.pass(60_000);
    assert!(office.agent(ANNA).is_routable());
}

#[test]
fn what_became_of_a_conversation_is_said_while_talking_or_afterwards_and_may_be_changed() {
    let rules = WrapUpRules { dispositions: codes(), ..WrapUpRules::default() };
    let (mut office, customer) = talking(half_a_minute(), rules);
    office.ask_as(Actor::Agent(ANNA), say("open")).unwrap();
    assert_eq!(office.agent(ANNA).disposition.as_deref(), Some("open"));
    assert_eq!(office.count(|event| matches!(event, Event::DispositionSet { follow_up: true, .. })), 1);
    office.end(customer, CauseKind::FarEnd);
    office.obey_hang_ups();
    office.ask_as(Actor::Agent(ANNA), say("solved")).unwrap();
    office.pass(30_000);
    assert_eq!(last(&office), (Some("solved".to_owned()), false));
    assert_eq!(office.agent(ANNA).disposition, None, "the next conversation begins without");
    assert!(matches!(office.ask(say("solved")), Err(Refusal::WrongState { .. })));
}

#[test]
fn saying_the_same_twice_is_no_news_and_it_can_be_taken_back() {
    let (mut office, _) = talking(half_a_minute(), WrapUpRules { dispositions: codes(), ..WrapUpRules::default() });
    office.ask(say("open")).unwrap();
    let events = office.events.len();
    office.ask(say("open")).unwrap();
    assert_eq!(office.events.len(), events);
    office.ask(Command::SetDisposition { agent: ANNA, disposition: None }).unwrap();
    assert_eq!(office.agent(ANNA).disposition, None);
}

#[test]
fn only_codes_of_the_queue_are_accepted_or_the_tenants_or_where_neither_has_any_all() {
    let (mut office, _) = talking(half_a_minute(), WrapUpRules { dispositions: codes(), ..WrapUpRules::default() });
    let Err(Refusal::Invalid { field, problem }) = office.ask(say("other")) else { panic!("it is not one of them") };
    assert_eq!((field.as_str(), problem.as_str()), ("disposition", "is not one of solved, open"));

    let (mut office, _) = talking(half_a_minute(), WrapUpRules::default());
    office.ask(say("anything at all")).unwrap();
    assert!(office.ask(say(" ")).is_err());
    let tenant = Tenant { name: "Test".to_owned(), dispositions: vec![Disposition::new("sold", "Sold")], ..Tenant::default() };
    office.put(Change::PutTenant(tenant));
    assert!(office.ask(say("solved")).is_err());
    office.ask(say("sold")).unwrap();
}

#[test]
fn who_has_to_say_what_became_of_it_does_not_leave_wrap_up_before() {
    let rules = WrapUpRules { dispositions: codes(), required: true, ..WrapUpRules::default() };
    let mut office = wrapping_up(Allowance::UntilFinished, rules);
    let finish = |disposition: Option<&str>| Command::FinishWrapUp { agent: ANNA, disposition: disposition.map(str::to_owned) };
    let anna = || Actor::Agent(ANNA);
    assert!(matches!(office.ask_as(anna(), finish(None)), Err(Refusal::Invalid { .. })));
    let home = Command::SetDuty { agent: ANNA, duty: Duty::SignedOut };
    assert!(matches!(office.ask_as(anna(), home.clone()), Err(Refusal::WrongState { .. })));
    assert!(matches!(office.ask_as(anna(), finish(Some("nonsense"))), Err(Refusal::Invalid { .. })));
    assert!(matches!(office.agent(ANNA).occupation, Occupation::WrapUp { .. }));
    office.ask_as(anna(), say("solved")).unwrap();
    office.ask_as(anna(), home).unwrap();
    assert_eq!(last(&office), (Some("solved".to_owned()), false));
}

#[test]
fn a_disposition_that_never_comes_ends_with_wrap_up_and_is_marked_as_missing() {
    let rules = WrapUpRules { dispositions: codes(), required: true, longest: Some(Millis::from_secs(300)), ..WrapUpRules::default() };
    let mut office = wrapping_up(Allowance::UntilFinished, rules.clone());
    office.pass(300_000);
    assert_eq!(last(&office), (None, true));
    assert!(office.agent(ANNA).is_routable(), "nobody is stuck");

    let mut office = wrapping_up(Allowance::UntilFinished, rules);
    office.ask(Command::FinishWrapUp { agent: ANNA, disposition: None }).unwrap();
    assert_eq!(last(&office), (None, true), "a supervisor may end it for an agent who is gone");
}

#[test]
fn without_a_demand_nothing_is_missing() {
    let mut office = wrapping_up(half_a_minute(), WrapUpRules { dispositions: codes(), ..WrapUpRules::default() });
    office.pass(30_000);
    assert_eq!(last(&office), (None, false));
}

#[test]
fn without_wrap_up_the_disposition_said_while_talking_is_forgotten_with_the_talk() {
    let (mut office, customer) = talking(Allowance::None, WrapUpRules { dispositions: codes(), ..WrapUpRules::default() });
    office.ask(say("solved")).unwrap();
    office.end(customer, CauseKind::FarEnd);
    office.obey_hang_ups();
    assert_eq!(office.agent(ANNA).disposition, None);
    assert_eq!(office.count(|event| matches!(event, Event::DispositionSet { .. })), 1);
}

#[test]
fn who_is_asked_about_a_conversation_does_not_say_what_becomes_of_it() {
    let mut office = Office::with_agents(&[ANNA, BERT]);
    office.put(Change::PutQueue(settings(half_a_minute(), WrapUpRules { dispositions: codes(), ..WrapUpRules::default() })));
    let (customer, _) = office.talk(SUPPORT, ANNA);
    let conversation = office.conversation_id(customer);
    office.ask(Command::Consult { conversation, to: TransferTarget::Agent(BERT) }).unwrap();
    let leg = office.offered_leg(BERT).unwrap();
    office.connect(leg);
    let of_bert = Command::SetDisposition { agent: BERT, disposition: Some("solved".to_owned()) };
    assert!(matches!(office.ask(of_bert), Err(Refusal::WrongState { .. })));
    office.ask(say("solved")).unwrap();
    office.ask(Command::CompleteConsult { conversation }).unwrap();
    office.obey_hang_ups();
    office.ask(Command::FinishWrapUp { agent: ANNA, disposition: None }).unwrap();
    assert_eq!(last(&office), (Some("solved".to_owned()), false), "who had the customer says it, after handing over too");
}

#[test]
fn notes_that_end_because_the_talk_goes_on_miss_nothing() {
    let mut office = Office::with_agents(&[ANNA]);
    let rules = WrapUpRules { dispositions: codes(), required: true, ..WrapUpRules::default() };
    let take_back = Box::new(CallRules { take_back: Some(Millis::from_secs(60)), ..CallRules::default() });
    office.put(Change::PutQueue(Settings { calls: take_back, ..settings(half_a_minute(), rules) }));
    let (customer, _) = office.talk(SUPPORT, ANNA);
    let conversation = office.conversation_id(customer);
    office.ask(Command::Transfer { conversation, to: TransferTarget::Number("+49891234567".to_owned()) }).unwrap();
    let outside = office.conversation(customer).transfer.as_ref().unwrap().leg.unwrap();
    office.end(outside, CauseKind::Busy);
    assert_eq!(last(&office), (None, false), "the customer is on the way back to Anna");
}

#[test]
fn rules_that_change_in_mid_wrap_up_count_from_then_on_and_nobody_is_stuck() {
    let rules = WrapUpRules { dispositions: codes(), required: true, ..WrapUpRules::default() };
    let mut office = wrapping_up(Allowance::UntilFinished, rules);
    office.put(Change::PutQueue(settings(Allowance::None, WrapUpRules::default())));
    office.ask_as(Actor::Agent(ANNA), Command::FinishWrapUp { agent: ANNA, disposition: None }).unwrap();
    assert_eq!(last(&office), (None, false));
}

#[test]
fn a_new_owner_knows_what_was_said_and_when_wrap_up_ends() {
    let rules = WrapUpRules { dispositions: codes(), extension: Some(Millis::from_secs(20)), ..WrapUpRules::default() };
    let mut office = wrapping_up(half_a_minute(), rules);
    office.ask(say("open")).unwrap();
    office.ask(Command::ExtendWrapUp { agent: ANNA }).unwrap();
    office.give(Input::TookOver);
    assert_eq!(office.agent(ANNA).disposition.as_deref(), Some("open"));
    office.pass(50_000);
    assert_eq!(last(&office), (Some("open".to_owned()), false));
}

#[test]
fn rules_that_do_not_hold_together_are_refused_with_the_field() {
    let office = Office::new();
    let refused = |wrap_up: Allowance, rules: WrapUpRules| {
        let change = Change::PutQueue(settings(wrap_up, rules));
        match validate(office.engine.world(), &change) {
            Err(Refusal::Invalid { field, .. }) => field,
            other => panic!("{other:?}"),
        }
    };
    let second = Some(Millis::from_secs(1));
    let rules = WrapUpRules::default;
    assert_eq!(refused(Allowance::None, WrapUpRules { extension: second, ..rules() }), "queue.agents.wrap_up.extension");
    assert_eq!(refused(half_a_minute(), WrapUpRules { extension: Some(Millis(1)), ..rules() }), "queue.agents.wrap_up.extension");
    assert_eq!(refused(half_a_minute(), WrapUpRules { longest: second, ..rules() }), "queue.agents.wrap_up.longest");
    assert_eq!(refused(Allowance::None, WrapUpRules { required: true, ..rules() }), "queue.agents.wrap_up.required");
    let twice = vec![Disposition::new("a", "A"), Disposition::new("a", "B")];
    assert_eq!(refused(Allowance::None, WrapUpRules { dispositions: twice, ..rules() }), "queue.agents.wrap_up.dispositions");
    let spaced = vec![Disposition::new("call back", "Call back")];
    assert_eq!(refused(Allowance::None, WrapUpRules { dispositions: spaced, ..rules() }), "queue.agents.wrap_up.dispositions.code");
}
