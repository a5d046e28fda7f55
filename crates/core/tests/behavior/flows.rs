//! Customers in call flows: what they hear, press and where that leads.

use crate::office::{ANNA, BERT, OTHER_QUEUE, Office, QUEUE, SUPPORT, number, queue};
use dreiklang_core::{
    Action, Command, Event, Input, Refusal,
    callers::{CallerList, Treatment},
    config::{Change, Destination, Mailbox, Target, Tenant},
    conversation::{CauseKind, SegmentKind, TerminationReason, TerminationResult},
    endpoint::Line,
    expression::{Expression, Type, Value},
    flow::{AskedSkill, Case, Collect, Flow, FlowEnd, Menu, Node, Told, Variable},
    hours::{Hours, Span, TimeOfDay, Week},
    ids::{CallerListId, FlowId, HoursId, LegId, SkillId},
    limits::{FLOW_MAX, FLOW_STEPS, FLOWS_PER_CONVERSATION},
    output::Prompt,
    queue::{Condition, OverflowRule, Settings, WaitingRules},
    time::{Millis, Timestamp},
};

pub const FLOW: FlowId = FlowId(1);
pub const HOTLINE: &str = "+49303000";

pub fn words(text: &str) -> Prompt {
    Prompt::Text { text: text.to_owned(), language: "en".to_owned() }
}

pub fn says(text: &str) -> Told {
    Told::new(words(text))
}

pub fn expression(source: &str) -> Expression {
    source.parse().unwrap()
}

pub fn to_queue() -> Node {
    Node::Queue { queue: QUEUE, priority: None, skills: Vec::new(), otherwise: None }
}

pub fn bye() -> Node {
    Node::HangUp { says: Some(says("Goodbye.")) }
}

fn transfer(to: Destination, otherwise: Option<&str>) -> Node {
    Node::Transfer { to, otherwise: otherwise.map(str::to_owned) }
}

/// A menu between two queues, and the end.
pub fn menu() -> Flow {
    let asked =
        Menu { wrong: Some(says("Once more: 1 or 2.")), ..Menu::new(says("Press 1 or 2."), [('1', "support"), ('2', "bye")], "bye") };
    let nodes = [
        ("start", Node::Greet { says: says("Welcome."), next: "menu".to_owned() }),
        ("menu", Node::Menu(Box::new(asked))),
        ("support", to_queue()),
        ("bye", bye()),
    ];
    Flow::new(FLOW, "Hotline", nodes, Destination::Queue(OTHER_QUEUE))
}

/// An office whose hotline leads to this flow.
pub fn office_with(flow: Flow) -> Office {
    let mut office = Office::with_agents(&[ANNA]);
    lead_hotline_to(&mut office, flow);
    office
}

pub fn lead_hotline_to(office: &mut Office, flow: Flow) {
    let id = flow.id;
    dreiklang_core::config::validate(office.engine.world(), &Change::PutFlow(Box::new(flow.clone()))).unwrap();
    office.put(Change::PutFlow(Box::new(flow)));
    office.put(Change::PutNumber(number(3, HOTLINE, Target::Flow(id))));
}

/// A flow of one path, from `start` on.
pub fn path(nodes: impl IntoIterator<Item = (&'static str, Node)>) -> Flow {
    Flow::new(FLOW, "Path", nodes, Destination::Queue(OTHER_QUEUE))
}

pub fn said(office: &Office, wanted: LegId) -> Vec<String> {
    let text = |action: &Action| match action {
        Action::Play { leg, prompt: Prompt::Text { text, .. }, .. } if *leg == wanted => Some(text.clone()),
        _ => None,
    };
    office.actions.iter().filter_map(|(_, action)| text(action)).collect()
}

pub fn hear_out(office: &mut Office, leg: LegId) {
    let play = office.conversation(leg).playing.expect("something is being said");
    office.give(Input::PlayFinished { leg, play });
}

pub fn press(office: &mut Office, leg: LegId, keys: &str) {
    for digit in keys.chars() {
        office.give(Input::Digit { leg, digit });
    }
}

pub fn node(office: &Office, leg: LegId) -> Option<String> {
    office.conversation(leg).run.as_ref().map(|run| run.node.clone())
}

pub fn variable(office: &Office, leg: LegId, name: &str) -> Option<Value> {
    office.conversation(leg).run.as_ref().and_then(|run| run.variables.get(name)).cloned()
}

pub fn waits_in(office: &Office, leg: LegId) -> Option<dreiklang_core::ids::QueueId> {
    office.conversation(leg).visit.as_ref().map(|visit| visit.queue)
}

pub fn ends(office: &Office) -> Vec<FlowEnd> {
    let end = |event: &Event| match event {
        Event::FlowLeft { end, .. } => Some(end.clone()),
        _ => None,
    };
    office.events.iter().filter_map(|stamped| end(&stamped.event)).collect()
}

pub fn exits(office: &Office) -> Vec<String> {
    let exit = |event: &Event| match event {
        Event::FlowStepped { node, exit, .. } => Some(format!("{node} {exit}")),
        _ => None,
    };
    office.events.iter().filter_map(|stamped| exit(&stamped.event)).collect()
}

#[test]
fn a_caller_is_greeted_chooses_and_is_offered_to_an_agent() {
    let mut office = office_with(menu());
    let customer = office.call(HOTLINE);
    assert_eq!(office.conversation(customer).place(), Some(SegmentKind::Flow));
    assert_eq!(said(&office, customer), ["Welcome."]);
    hear_out(&mut office, customer);
    assert_eq!(said(&office, customer).last().unwrap(), "Press 1 or 2.");
    hear_out(&mut office, customer);
    press(&mut office, customer, "1");
    assert_eq!(waits_in(&office, customer), Some(QUEUE));
    assert!(office.offered_leg(ANNA).is_some());
    assert_eq!(exits(&office), ["start next", "menu keys.1"]);
    assert_eq!(ends(&office), [FlowEnd::Led { to: Destination::Queue(QUEUE) }]);
}

#[test]
fn a_key_during_the_question_is_enough() {
    let mut office = office_with(menu());
    let customer = office.call(HOTLINE);
    press(&mut office, customer, "1");
    assert_eq!(node(&office, customer).as_deref(), Some("start"), "a greeting is heard to its end");
    hear_out(&mut office, customer);
    let question = office.conversation(customer).playing.unwrap();
    press(&mut office, customer, "1");
    assert_eq!(waits_in(&office, customer), Some(QUEUE));
    let before = office.events.len();
    office.give(Input::PlayFinished { leg: customer, play: question });
    assert_eq!(office.events.len(), before, "that the question is over comes too late");
}

#[test]
fn a_question_that_must_be_heard_out_takes_no_key_before() {
    let mut flow = menu();
    let Some(Node::Menu(asked)) = flow.nodes.get_mut("menu") else { panic!("a menu") };
    asked.interrupt = false;
    let mut office = office_with(flow);
    let customer = office.call(HOTLINE);
    hear_out(&mut office, customer);
    press(&mut office, customer, "1");
    assert_eq!(node(&office, customer).as_deref(), Some("menu"));
    hear_out(&mut office, customer);
    press(&mut office, customer, "1");
    assert_eq!(waits_in(&office, customer), Some(QUEUE));
}

#[test]
fn wrong_keys_and_silence_are_asked_again_and_then_led_on() {
    let mut office = office_with(menu());
    let customer = office.call(HOTLINE);
    hear_out(&mut office, customer);
    hear_out(&mut office, customer);
    press(&mut office, customer, "7");
    assert_eq!(said(&office, customer).last().unwrap(), "Once more: 1 or 2.");
    hear_out(&mut office, customer);
    office.pass(4_999);
    assert_eq!(office.count(|event| matches!(event, Event::FlowAskedAgain { .. })), 1);
    office.pass(1);
    assert_eq!(office.count(|event| matches!(event, Event::FlowAskedAgain { attempt: 3, .. })), 1);
    hear_out(&mut office, customer);
    office.pass(5_000);
    assert_eq!(said(&office, customer).last().unwrap(), "Goodbye.");
    hear_out(&mut office, customer);
    let ending = office.conversation(customer).ending.unwrap();
    assert_eq!((ending.result, ending.reason), (TerminationResult::Success, TerminationReason::HungUp));
    assert_eq!(ends(&office), [FlowEnd::Finished]);
}

fn ask_for_code(change: impl FnOnce(&mut Collect), kind: Type) -> Flow {
    let mut collect = Collect::new(says("Your number?"), "code", 4, "tell", "support");
    change(&mut collect);
    let mut flow = path([
        ("start", Node::Collect(Box::new(collect))),
        ("tell", Node::Say { says: says("You are {code}."), interrupt: false, next: "support".to_owned() }),
        ("support", to_queue()),
    ]);
    flow.variables.insert("code".to_owned(), Variable::new(kind));
    flow
}

#[test]
fn keys_are_collected_until_there_are_enough() {
    let mut office = office_with(ask_for_code(|_| (), Type::String));
    let customer = office.call(HOTLINE);
    press(&mut office, customer, "0042");
    assert_eq!(variable(&office, customer, "code"), Some(Value::from("0042")));
    assert_eq!(said(&office, customer).last().unwrap(), "You are 0042.");
}

#[test]
fn the_end_key_or_a_pause_completes_an_answer() {
    for by_key in [true, false] {
        let mut office = office_with(ask_for_code(|_| (), Type::Int));
        let customer = office.call(HOTLINE);
        hear_out(&mut office, customer);
        press(&mut office, customer, "07");
        if by_key {
            press(&mut office, customer, "#");
        } else {
            office.pass(2_999);
            assert_eq!(node(&office, customer).as_deref(), Some("start"));
            office.pass(1);
        }
        assert_eq!(variable(&office, customer, "code"), Some(Value::Int(7)));
    }
}

#[test]
fn an_answer_that_is_too_short_or_does_not_hold_is_asked_for_again() {
    let strict = |collect: &mut Collect| {
        collect.least = 2;
        collect.attempts = 4;
        collect.check = Some(expression("code.startsWith('1')"));
    };
    let mut office = office_with(ask_for_code(strict, Type::String));
    let customer = office.call(HOTLINE);
    for wrong in ["1#", "22#", "*"] {
        hear_out(&mut office, customer);
        press(&mut office, customer, wrong);
        assert_eq!(node(&office, customer).as_deref(), Some("start"), "{wrong}");
    }
    hear_out(&mut office, customer);
    press(&mut office, customer, "12#");
    assert_eq!(variable(&office, customer, "code"), Some(Value::from("12")));
}

#[test]
fn keys_already_pressed_survive_a_takeover() {
    let mut office = office_with(ask_for_code(|_| (), Type::String));
    let customer = office.call(HOTLINE);
    hear_out(&mut office, customer);
    press(&mut office, customer, "12");
    office.give(Input::TookOver);
    office.give(Input::Survey { line: Line::Connected, live: vec![customer] });
    press(&mut office, customer, "34");
    assert_eq!(variable(&office, customer, "code"), Some(Value::from("1234")));
}

#[test]
fn a_key_that_ends_an_explanation_answers_the_question_behind_it() {
    let nodes = [
        ("start", Node::Say { says: says("We explain a lot."), interrupt: true, next: "menu".to_owned() }),
        ("menu", Node::Menu(Box::new(Menu::new(says("Press 1."), [('1', "support")], "support")))),
        ("support", to_queue()),
    ];
    let mut office = office_with(path(nodes));
    let customer = office.call(HOTLINE);
    press(&mut office, customer, "1");
    assert_eq!(exits(&office), ["start next", "menu keys.1"]);
    assert_eq!(waits_in(&office, customer), Some(QUEUE));
}

#[test]
fn flows_go_by_opening_hours() {
    let day = Span::new(TimeOfDay::new(8, 0).unwrap(), TimeOfDay::new(18, 0).unwrap());
    let shop = Hours { week: Week::every_day(&[day]), ..Hours::new(HoursId(1), "Shop", "UTC") };
    let nodes = [
        ("start", Node::Hours { hours: HoursId(1), open: "which".to_owned(), closed: "bye".to_owned() }),
        (
            "which",
            Node::Branch { cases: vec![Case { when: expression("hours.Shop"), to: "support".to_owned() }], otherwise: "bye".to_owned() },
        ),
        ("support", to_queue()),
        ("bye", bye()),
    ];
    for (hour, open) in [(12, true), (22, false)] {
        let mut office = Office::new();
        office.now = Timestamp(1_700_006_400_000 + hour * 3_600_000);
        office.put(Change::PutHours(Box::new(shop.clone())));
        lead_hotline_to(&mut office, path(nodes.clone()));
        let customer = office.call(HOTLINE);
        assert_eq!(waits_in(&office, customer).is_some(), open, "at {hour}");
    }
}

#[test]
fn a_condition_that_cannot_be_computed_does_not_hold_and_is_noted() {
    let cases = vec![
        Case { when: expression("10 / n > 1"), to: "bye".to_owned() },
        Case { when: expression("n == 0 && caller.startsWith('+4917')"), to: "support".to_owned() },
    ];
    let mut flow = path([("start", Node::Branch { cases, otherwise: "bye".to_owned() }), ("support", to_queue()), ("bye", bye())]);
    flow.variables.insert("n".to_owned(), Variable::new(Type::Int));
    let mut office = office_with(flow);
    let customer = office.call(HOTLINE);
    assert_eq!(waits_in(&office, customer), Some(QUEUE));
    assert_eq!(office.count(|event| matches!(event, Event::FlowStepped { problem: Some(_), .. })), 1);
}

#[test]
fn a_value_that_cannot_be_computed_leads_to_the_fallback() {
    let mut flow = path([
        ("start", Node::Set { values: [("n".to_owned(), expression("10 / n"))].into(), next: "support".to_owned() }),
        ("support", to_queue()),
    ]);
    flow.variables.insert("n".to_owned(), Variable::new(Type::Int));
    let mut office = office_with(flow);
    let customer = office.call(HOTLINE);
    assert_eq!(waits_in(&office, customer), Some(OTHER_QUEUE));
    assert!(matches!(&ends(&office)[..], [FlowEnd::Failed { problem }] if problem.contains("10 / n")), "{:?}", ends(&office));
}

#[test]
fn the_chosen_language_decides_what_is_said_and_who_is_asked() {
    let spoken = Told { languages: [("de".to_owned(), words("Guten Tag."))].into(), ..says("Good day.") };
    let nodes = [
        ("start", Node::Menu(Box::new(Menu::new(says("Press 1, Deutsch 2."), [('1', "say"), ('2', "german")], "say")))),
        ("german", Node::Language { language: expression("'de-AT'"), next: "say".to_owned() }),
        ("say", Node::Say { says: spoken, interrupt: false, next: "support".to_owned() }),
        ("support", to_queue()),
    ];
    let mut office = office_with(path(nodes));
    let customer = office.call(HOTLINE);
    press(&mut office, customer, "2");
    assert_eq!(said(&office, customer).last().unwrap(), "Guten Tag.");
    hear_out(&mut office, customer);
    let visit = office.conversation(customer).visit.clone().unwrap();
    assert_eq!(visit.terms.language.as_deref(), Some("de-at"));
}

#[test]
fn a_flow_says_with_which_priority_and_skills_a_customer_waits() {
    let asked = |skill, when: Option<&str>| AskedSkill { skill: SkillId(skill), level: 2, when: when.map(expression) };
    let node = Node::Queue {
        queue: QUEUE,
        priority: Some(expression("caller == '' ? 10 : 900")),
        skills: vec![asked(1, None), asked(2, Some("dialed == 'x'"))],
        otherwise: None,
    };
    let mut office = Office::new();
    for id in [1, 2] {
        office.put(Change::PutSkill(dreiklang_core::config::Skill { id: SkillId(id), name: format!("Skill {id}") }));
    }
    lead_hotline_to(&mut office, path([("start", node)]));
    let customer = office.call(HOTLINE);
    let visit = office.conversation(customer).visit.clone().unwrap();
    assert_eq!(visit.priority, 100, "more than the highest is the highest");
    assert_eq!(visit.skills.iter().map(|need| (need.skill, need.level)).collect::<Vec<_>>(), [(SkillId(1), 2)]);
    let removed = dreiklang_core::config::validate(office.engine.world(), &Change::RemoveSkill(SkillId(1)));
    assert!(matches!(removed, Err(Refusal::Invalid { .. })));
}

#[test]
fn a_queue_that_is_full_or_closed_sends_the_customer_on_in_the_flow_or_to_the_fallback() {
    for drawn in [true, false] {
        let otherwise = drawn.then(|| "bye".to_owned());
        let mut nodes = vec![("start", Node::Queue { queue: QUEUE, priority: None, skills: Vec::new(), otherwise })];
        if drawn {
            nodes.push(("bye", bye()));
        }
        let mut office = Office::new();
        lead_hotline_to(&mut office, path(nodes));
        office.ask(Command::CloseQueue { queue: QUEUE, reason: "drill".to_owned(), until: None }).unwrap();
        let customer = office.call(HOTLINE);
        if drawn {
            assert_eq!(said(&office, customer), ["Goodbye."]);
        } else {
            assert_eq!(waits_in(&office, customer), Some(OTHER_QUEUE));
        }
    }
}

#[test]
fn an_agent_who_does_not_answer_a_flow_gives_the_customer_back_to_it() {
    let nodes = [("start", transfer(Destination::Agent(ANNA), Some("bye"))), ("bye", bye())];
    let mut office = office_with(path(nodes));
    let customer = office.call(HOTLINE);
    assert_eq!(office.conversation(customer).place(), Some(SegmentKind::Transfer));
    let leg = office.offered_leg(ANNA).unwrap();
    office.end(leg, CauseKind::Declined);
    assert_eq!(said(&office, customer), ["Goodbye."]);
    assert_eq!(exits(&office), ["start otherwise"]);
}

#[test]
fn an_agent_who_answers_a_flow_has_the_customer_for_good() {
    let nodes = [("start", transfer(Destination::Agent(ANNA), Some("bye"))), ("bye", bye())];
    let mut office = office_with(path(nodes));
    let customer = office.call(HOTLINE);
    let leg = office.offered_leg(ANNA).unwrap();
    office.connect(leg);
    assert_eq!(ends(&office), [FlowEnd::Led { to: Destination::Agent(ANNA) }]);
    assert_eq!(office.conversation(customer).place(), Some(SegmentKind::Talk));
    office.end(leg, CauseKind::Network);
    assert_eq!(office.conversation(customer).place(), Some(SegmentKind::Ending), "there is neither queue nor flow to return to");
}

#[test]
fn a_party_outside_who_is_busy_leads_to_the_fallback_where_nothing_else_is_drawn() {
    let mut office = office_with(path([("start", transfer(Destination::Number("+49891234567".to_owned()), None))]));
    let customer = office.call(HOTLINE);
    let outside = office.conversation(customer).transfer.as_ref().unwrap().leg.unwrap();
    office.end(outside, CauseKind::Busy);
    assert_eq!(waits_in(&office, customer), Some(OTHER_QUEUE));
    assert!(matches!(&ends(&office)[..], [FlowEnd::Failed { .. }]));
}

#[test]
fn a_number_outside_without_a_line_is_not_tried() {
    let nodes = [("start", transfer(Destination::Number("+49891234567".to_owned()), Some("bye"))), ("bye", bye())];
    let mut office = office_with(path(nodes));
    office.put(Change::PutTenant(Tenant { name: "Test".to_owned(), ..Tenant::default() }));
    let customer = office.call(HOTLINE);
    assert_eq!(said(&office, customer), ["Goodbye."]);
}

#[test]
fn a_customer_who_hangs_up_in_a_flow_leaves_nothing_behind() {
    let mut office = office_with(menu());
    let customer = office.call(HOTLINE);
    office.end(customer, CauseKind::FarEnd);
    assert_eq!(ends(&office), [FlowEnd::Ended]);
    assert_eq!(office.engine.world().conversations().len(), 0);
    assert!(office.engine.world().timers().is_empty(), "{:?}", office.engine.world().timers());
}

#[test]
fn a_customer_who_hangs_up_while_a_flow_has_somebody_called_leaves_nothing_behind() {
    let nodes = [("start", transfer(Destination::Agent(ANNA), Some("bye"))), ("bye", bye())];
    let mut office = office_with(path(nodes));
    let customer = office.call(HOTLINE);
    office.end(customer, CauseKind::FarEnd);
    office.obey_hang_ups();
    assert_eq!(ends(&office), [FlowEnd::Ended]);
    assert_eq!(office.engine.world().conversations().len(), 0);
}

#[test]
fn a_supervisor_can_end_a_call_in_a_flow_but_not_transfer_it() {
    let mut office = office_with(menu());
    let customer = office.call(HOTLINE);
    let conversation = office.conversation_id(customer);
    let to = dreiklang_core::input::TransferTarget::Queue(QUEUE);
    assert!(matches!(office.ask(Command::Transfer { conversation, to }), Err(Refusal::WrongState { .. })));
    office.ask(Command::HangUp { conversation }).unwrap();
    assert_eq!(ends(&office), [FlowEnd::Ended]);
    office.obey_hang_ups();
    assert_eq!(office.engine.world().conversations().len(), 0);
}

#[test]
fn a_prompt_that_cannot_be_played_holds_nobody_up() {
    let mut office = office_with(menu());
    let customer = office.call(HOTLINE);
    office.fail_last_action();
    assert_eq!(node(&office, customer).as_deref(), Some("menu"));
    office.fail_last_action();
    press(&mut office, customer, "1");
    assert_eq!(waits_in(&office, customer), Some(QUEUE));
}

#[test]
fn a_circle_that_never_waits_is_cut_and_led_to_the_fallback() {
    let nodes = [
        ("start", Node::Set { values: [("n".to_owned(), expression("n + 1"))].into(), next: "again".to_owned() }),
        (
            "again",
            Node::Branch { cases: vec![Case { when: expression("n < 0"), to: "support".to_owned() }], otherwise: "start".to_owned() },
        ),
        ("support", to_queue()),
    ];
    let mut flow = path(nodes);
    flow.variables.insert("n".to_owned(), Variable::new(Type::Int));
    let mut office = office_with(flow);
    let customer = office.call(HOTLINE);
    assert_eq!(waits_in(&office, customer), Some(OTHER_QUEUE));
    assert_eq!(ends(&office), [FlowEnd::TooManySteps]);
    assert_eq!(exits(&office).len(), FLOW_STEPS as usize);
}

#[test]
fn a_customer_who_stays_in_a_flow_too_long_is_led_to_the_fallback() {
    let asked = Menu { wait: Millis::from_secs(60), ..Menu::new(says("Press 1."), [('1', "start")], "start") };
    let mut office = office_with(path([("start", Node::Menu(Box::new(asked)))]));
    let customer = office.call(HOTLINE);
    let mut passed = 0;
    while passed < FLOW_MAX.0 - 10_000 {
        hear_out(&mut office, customer);
        office.pass(10_000);
        press(&mut office, customer, "1");
        passed += 10_000;
    }
    assert!(ends(&office).is_empty());
    office.pass(10_000);
    assert_eq!(ends(&office), [FlowEnd::TooLong]);
    assert_eq!(waits_in(&office, customer), Some(OTHER_QUEUE));
}

#[test]
fn flows_that_lead_to_each_other_for_ever_come_to_an_end() {
    let other = FlowId(2);
    let mut office = Office::new();
    office.put(Change::PutFlow(Box::new(Flow::new(other, "Other", [("start", bye())], Destination::HangUp))));
    lead_hotline_to(&mut office, path([("start", transfer(Destination::Flow(other), None))]));
    let there = Flow::new(other, "Other", [("start", transfer(Destination::Flow(FLOW), None))], Destination::HangUp);
    office.put(Change::PutFlow(Box::new(there)));
    let customer = office.call(HOTLINE);
    assert_eq!(office.conversation(customer).flows, FLOWS_PER_CONVERSATION);
    assert!(office.conversation(customer).visit.is_some() || office.conversation(customer).ending.is_some());
    assert_eq!(ends(&office).len(), usize::from(FLOWS_PER_CONVERSATION));
}

#[test]
fn a_rule_leads_out_of_a_queue_into_a_flow_where_the_greeting_is_not_repeated() {
    let mut office = office_with(menu());
    let rule = OverflowRule { when: Condition::Waited { after: Millis::from_secs(30) }, to: Destination::Flow(FLOW) };
    let waiting = Box::new(WaitingRules { overflow: vec![rule], ..WaitingRules::default() });
    office.put(Change::PutQueue(Settings { waiting, ..queue(QUEUE, "Support") }));
    office.talk(SUPPORT, ANNA);
    let customer = office.call(HOTLINE);
    hear_out(&mut office, customer);
    press(&mut office, customer, "1");
    assert_eq!(waits_in(&office, customer), Some(QUEUE));
    office.pass(30_000);
    assert_eq!(node(&office, customer).as_deref(), Some("menu"));
    assert_eq!(said(&office, customer).iter().filter(|text| *text == "Welcome.").count(), 1);
}

#[test]
fn a_call_keeps_the_version_of_the_flow_it_began_with() {
    let mut office = office_with(menu());
    let first = office.call(HOTLINE);
    let next = path([("start", to_queue())]);
    office.put(Change::PutFlow(Box::new(next.clone())));
    let kept = |office: &Office| office.engine.world().editions(FLOW).map(|editions| editions.kept().collect::<Vec<_>>());
    assert_eq!(kept(&office), Some(vec![(1, 1), (2, 0)]));
    let second = office.call(HOTLINE);
    assert_eq!(waits_in(&office, second), Some(QUEUE));
    hear_out(&mut office, first);
    assert_eq!(said(&office, first).last().unwrap(), "Press 1 or 2.");
    press(&mut office, first, "1");
    assert_eq!(waits_in(&office, first), Some(QUEUE));
    assert_eq!(kept(&office), Some(vec![(2, 0)]));
    let version = office.engine.world().flow(FLOW).unwrap().0;
    office.put(Change::PutFlow(Box::new(next)));
    assert_eq!(office.engine.world().flow(FLOW).unwrap().0, version, "what is published already is no new version");
}

#[test]
fn a_flow_removed_in_mid_call_serves_that_call_to_its_end() {
    let mut office = office_with(menu());
    let customer = office.call(HOTLINE);
    office.put(Change::PutNumber(number(3, HOTLINE, Target::Queue(QUEUE))));
    office.put(Change::RemoveFlow(FLOW));
    assert!(office.engine.world().flow(FLOW).is_none());
    hear_out(&mut office, customer);
    press(&mut office, customer, "1");
    assert_eq!(waits_in(&office, customer), Some(QUEUE));
    assert!(office.engine.world().editions(FLOW).is_none());
}

#[test]
fn a_queue_removed_in_mid_call_leads_to_the_fallback() {
    let nodes = [("start", Node::Say { says: says("Welcome."), interrupt: false, next: "support".to_owned() }), ("support", to_queue())];
    let mut office = Office::new();
    lead_hotline_to(&mut office, path(nodes));
    let customer = office.call(HOTLINE);
    lead_hotline_to(&mut office, path([("start", bye())]));
    office.put(Change::PutNumber(number(1, SUPPORT, Target::Queue(OTHER_QUEUE))));
    office.put(Change::RemoveQueue(QUEUE));
    hear_out(&mut office, customer);
    assert_eq!(waits_in(&office, customer), Some(OTHER_QUEUE));
}

#[test]
fn keys_of_agents_and_late_keys_change_nothing() {
    let mut office = office_with(menu());
    office.put(Change::PutAgent(crate::office::agent(BERT, "Bert")));
    let (_, agent) = office.talk(SUPPORT, ANNA);
    let customer = office.call(HOTLINE);
    let before = office.events.len();
    press(&mut office, agent, "1");
    office.give(Input::Digit { leg: customer, digit: 'x' });
    assert_eq!(office.events.len(), before);
}

#[test]
fn a_line_that_lost_the_customer_with_the_former_process_ends_the_flow() {
    let mut office = office_with(menu());
    office.call(HOTLINE);
    office.give(Input::TookOver);
    office.give(Input::Survey { line: Line::Connected, live: Vec::new() });
    assert_eq!(ends(&office), [FlowEnd::Ended]);
    assert_eq!(office.engine.world().conversations().len(), 0);
}

#[test]
fn a_flow_offers_a_callback_which_keeps_the_place_and_goes_on_where_none_is_promised() {
    let callback = |otherwise: Option<&str>| Node::Callback { queue: QUEUE, otherwise: otherwise.map(str::to_owned) };
    let mut office = Office::new();
    lead_hotline_to(&mut office, path([("start", callback(Some("bye"))), ("bye", bye())]));
    let favor = Treatment::Favor { priority: 90, skills: Vec::new(), preferred: None };
    let list = CallerList::new(CallerListId(1), "Good customers", favor);
    office.put(Change::PutCallerList(Box::new(CallerList { callers: [("+4917*".to_owned(), String::new())].into(), ..list })));
    let customer = office.call(HOTLINE);
    assert_eq!(office.conversation(customer).place(), Some(SegmentKind::Callback));
    assert_eq!(ends(&office), [FlowEnd::Led { to: Destination::Callback(QUEUE) }]);
    office.give(Input::Digit { leg: customer, digit: '#' });
    assert_eq!(office.engine.world().callbacks().iter().count(), 1, "it is promised");
    let place = office.engine.world().callbacks().iter().next().map(|callback| callback.place.priority);
    assert_eq!(place, Some(Some(90)), "a favored caller is called back sooner, too");
    let mut settings = queue(QUEUE, "Support");
    settings.callbacks.most = 0;
    office.put(Change::PutQueue(settings));
    let late = office.call(HOTLINE);
    assert_eq!(said(&office, late).last().map(String::as_str), Some("Goodbye."), "no more are promised");
}

#[test]
fn a_flow_leads_to_a_mailbox() {
    let mailbox = Mailbox::Queue(QUEUE);
    let mut office = office_with(path([("start", Node::Voicemail { mailbox, otherwise: None })]));
    let customer = office.call(HOTLINE);
    assert_eq!(office.conversation(customer).place(), Some(SegmentKind::Voicemail));
    assert_eq!(ends(&office), [FlowEnd::Led { to: Destination::Voicemail(mailbox) }]);
}
