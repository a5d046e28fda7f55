//! What callers type privately: it does what it is for, and stands nowhere.

use crate::{
    flows::{
        FLOW, HOTLINE, ends, exits, expression, hear_out, lead_hotline_to, node, path, press, said, says, to_queue, variable, waits_in,
    },
    office::{Office, QUEUE, SUPPORT, queue},
};
use dreiklang_core::{
    Action, Command, Engine, Event, Input, Refusal, World,
    config::{Change, Destination, Service, validate},
    conversation::{CauseKind, PauseReason},
    endpoint::{Line, Party},
    expression::{Type, Value},
    flow::{
        Answer, AskService, Case, Collect, Flow, FlowEnd, Menu, Method, Node, PRIVATE_KEY, PRIVATE_VALUE, Script, ServiceAnswer,
        ServiceRequest, Survey, Variable, dry_run,
    },
    ids::{ActionId, LegId, ServiceId, TenantId},
    queue::RecordingPolicy,
    time::Millis,
};

const BANK: ServiceId = ServiceId(1);
const PIN: &str = "86428642";

/// Asks for a secret number of eight keys, and a service whether it is right.
fn bank() -> Flow {
    let pin = Collect {
        least: 4,
        private: true,
        check: Some(expression("size(pin) == 8")),
        wrong: Some(says("Eight keys, please.")),
        attempts: 2,
        ..Collect::new(says("Your secret number."), "pin", 8, "ask", "support")
    };
    let ask = AskService {
        method: Method::Post,
        send: [("pin".to_owned(), expression("pin")), ("brand".to_owned(), expression("'bank'"))].into(),
        take: [("name".to_owned(), "/name".to_owned())].into(),
        ..AskService::new(BANK, "/customers/{caller}", "hello", "support")
    };
    let nodes = [
        ("start", Node::Say { says: says("Welcome."), interrupt: true, next: "pin".to_owned() }),
        ("pin", Node::Collect(Box::new(pin))),
        ("ask", Node::AskService(Box::new(ask))),
        ("hello", Node::Say { says: says("Hello {name}."), interrupt: false, next: "support".to_owned() }),
        ("support", to_queue()),
    ];
    let mut flow = path(nodes);
    flow.variables = [("pin", Type::String), ("name", Type::String)].map(|(name, kind)| (name.to_owned(), Variable::new(kind))).into();
    flow
}

fn change_node(flow: &mut Flow, node: &str, change: impl FnOnce(&mut Node)) {
    change(flow.nodes.get_mut(node).unwrap());
}

fn office(flow: Flow) -> Office {
    let mut office = Office::new();
    office.put(Change::PutService(Service { id: BANK, name: "Bank".to_owned() }));
    lead_hotline_to(&mut office, flow);
    office
}

fn asked(office: &Office) -> Vec<(ActionId, ServiceRequest)> {
    let request = |(id, action): &(ActionId, Action)| match action {
        Action::AskService { request, .. } => Some((*id, request.as_ref().clone())),
        _ => None,
    };
    office.actions.iter().filter_map(request).collect()
}

fn sent(request: &ServiceRequest) -> Vec<(&str, Option<&Value>)> {
    request.private.iter().map(|value| (value.name.as_str(), value.value())).collect()
}

/// Nothing that is kept or could be printed says what was typed.
fn assert_stands_nowhere(office: &Office, typed: &str) {
    let written = serde_json::to_string(&office.events).unwrap();
    let printed = format!("{:?} {:?} {:?}", office.events, office.engine, office.actions);
    let kept = serde_json::to_string(office.engine.world()).unwrap();
    let carried = serde_json::to_string(&office.actions).unwrap();
    for text in [&written, &printed, &kept, &carried] {
        assert!(!text.contains(typed), "{typed} in {text}");
    }
    for stamped in &office.events {
        match &stamped.event {
            Event::FlowKeyed { key, .. } => assert_eq!(*key, PRIVATE_KEY),
            Event::FlowStepped { set, .. } => assert!(set.iter().all(|(name, _)| name != "pin"), "{set:?}"),
            _ => {}
        }
    }
    let replayed = Engine::replay(World::new(TenantId(7)), office.events.clone());
    assert_eq!(replayed.world(), office.engine.world(), "the facts make the same world");
}

/// Another process takes over; what only the former one knew is gone.
fn crash(office: &mut Office) {
    let written = serde_json::to_string(&office.events).unwrap();
    office.engine = Engine::replay(World::new(TenantId(7)), serde_json::from_str::<Vec<_>>(&written).unwrap());
    office.actions.clear();
    office.give(Input::TookOver);
}

#[test]
fn what_a_caller_types_privately_reaches_the_service_and_stands_nowhere() {
    let mut office = office(bank());
    let caller = office.call(HOTLINE);
    hear_out(&mut office, caller);
    press(&mut office, caller, PIN);
    let (action, request) = asked(&office).pop().unwrap();
    assert_eq!(sent(&request), [("pin", Some(&Value::from(PIN)))]);
    assert_eq!(request.send, [("brand".to_owned(), Value::from("bank"))]);
    assert_eq!(variable(&office, caller, "pin"), Some(Value::from("")), "the world does not know it");
    assert_eq!(office.count(|event| matches!(event, Event::FlowStepped { private: Some(name), .. } if name == "pin")), 1);
    assert_stands_nowhere(&office, PIN);
    office
        .give(Input::ServiceAnswered { action, answer: ServiceAnswer { status: 200, body: Value::map([("name", Value::from("Carla"))]) } });
    hear_out(&mut office, caller);
    assert_eq!(waits_in(&office, caller), Some(QUEUE));
    assert_stands_nowhere(&office, PIN);
}

#[test]
fn the_key_that_ends_the_words_before_is_part_of_a_private_answer() {
    let mut office = office(bank());
    let caller = office.call(HOTLINE);
    press(&mut office, caller, PIN);
    assert_eq!(sent(&asked(&office).pop().unwrap().1), [("pin", Some(&Value::from(PIN)))]);
    assert_stands_nowhere(&office, PIN);
}

#[test]
fn a_wrong_private_answer_is_asked_for_again_as_often_as_any_other() {
    let mut office = office(bank());
    let caller = office.call(HOTLINE);
    hear_out(&mut office, caller);
    press(&mut office, caller, "86428#");
    assert_eq!(said(&office, caller).pop().as_deref(), Some("Eight keys, please."));
    hear_out(&mut office, caller);
    press(&mut office, caller, "8642864");
    office.pass(3_000);
    assert_eq!(exits(&office), ["start next", "pin otherwise"], "the time for another key is over");
    assert_eq!(waits_in(&office, caller), Some(QUEUE));
    assert!(asked(&office).is_empty());
    assert_stands_nowhere(&office, "86428");
}

#[test]
fn a_check_that_cannot_be_computed_does_not_say_of_what() {
    let mut flow = bank();
    change_node(&mut flow, "pin", |node| {
        let Node::Collect(collect) = node else { panic!("{node:?}") };
        collect.check = Some(expression("int(pin + 'x') > 0"));
    });
    let mut office = office(flow);
    let caller = office.call(HOTLINE);
    press(&mut office, caller, PIN);
    assert!(matches!(ends(&office).as_slice(), [FlowEnd::Failed { problem }] if problem.contains("of what was typed")));
    assert_stands_nowhere(&office, PIN);
    let mut flow = bank();
    change_node(&mut flow, "ask", |node| {
        let Node::AskService(asked) = node else { panic!("{node:?}") };
        asked.send.insert("pin".to_owned(), expression("int(pin + 'x')"));
    });
    let mut office = self::office(flow);
    let caller = office.call(HOTLINE);
    press(&mut office, caller, PIN);
    assert_eq!(exits(&office), ["start next", "pin next", "ask failed"]);
    assert_stands_nowhere(&office, PIN);
}

#[test]
fn keys_typed_beyond_a_private_answer_count_nowhere_for_a_moment() {
    let mut flow = bank();
    let keys = ('0'..='9').map(|key| (key, "support"));
    flow.nodes.insert("ask".to_owned(), Node::Menu(Box::new(Menu::new(says("Press a key."), keys, "support"))));
    flow.nodes.remove("hello");
    let mut office = office(flow);
    let caller = office.call(HOTLINE);
    hear_out(&mut office, caller);
    press(&mut office, caller, PIN);
    for _ in 0..3 {
        office.pass(1_500);
        press(&mut office, caller, "7");
    }
    assert_eq!(node(&office, caller).as_deref(), Some("ask"));
    press(&mut office, caller, "#");
    assert_eq!(office.count(|event| matches!(event, Event::FlowAskedAgain { .. })), 0, "the key that ends an answer ends the rest of it");
    press(&mut office, caller, "5");
    assert_eq!(exits(&office), ["start next", "pin next", "ask keys.5"]);
}

#[test]
fn a_caller_who_hangs_up_while_typing_leaves_nothing() {
    let mut office = office(bank());
    let caller = office.call(HOTLINE);
    hear_out(&mut office, caller);
    press(&mut office, caller, "8642864");
    office.end(caller, CauseKind::FarEnd);
    assert_eq!(ends(&office), [FlowEnd::Ended]);
    assert_stands_nowhere(&office, "8642864");
}

#[test]
fn a_new_process_puts_a_private_question_again_without_counting_it_as_an_attempt() {
    let mut office = office(bank());
    let caller = office.call(HOTLINE);
    hear_out(&mut office, caller);
    press(&mut office, caller, "8642");
    crash(&mut office);
    assert_eq!(said(&office, caller), ["Your secret number."]);
    hear_out(&mut office, caller);
    press(&mut office, caller, "1234#");
    assert_eq!(said(&office, caller).pop().as_deref(), Some("Eight keys, please."), "there are two attempts");
    press(&mut office, caller, PIN);
    assert_eq!(sent(&asked(&office).pop().unwrap().1), [("pin", Some(&Value::from(PIN)))]);
    assert_stands_nowhere(&office, PIN);
}

#[test]
fn a_new_process_in_which_nothing_was_typed_yet_goes_on() {
    let mut office = office(bank());
    let caller = office.call(HOTLINE);
    hear_out(&mut office, caller);
    hear_out(&mut office, caller);
    crash(&mut office);
    assert_eq!(said(&office, caller), [""; 0]);
    press(&mut office, caller, PIN);
    assert_eq!(asked(&office).len(), 1);
}

#[test]
fn a_new_process_goes_back_to_the_question_when_a_service_has_to_be_told_the_answer() {
    let mut office = office(bank());
    let caller = office.call(HOTLINE);
    hear_out(&mut office, caller);
    press(&mut office, caller, PIN);
    let (former, _) = asked(&office).pop().unwrap();
    crash(&mut office);
    assert!(asked(&office).is_empty(), "without the answer it is not asked");
    assert_eq!(exits(&office).last().map(String::as_str), Some("ask asked_again"));
    assert_eq!(said(&office, caller), ["Your secret number."]);
    office.give(Input::ServiceAnswered { action: former, answer: ServiceAnswer { status: 200, body: Value::Null } });
    assert_eq!(node(&office, caller).as_deref(), Some("pin"), "an answer to the former process comes too late");
    press(&mut office, caller, PIN);
    assert_eq!(sent(&asked(&office).pop().unwrap().1), [("pin", Some(&Value::from(PIN)))]);
    assert_stands_nowhere(&office, PIN);
}

#[test]
fn a_service_that_is_asked_later_is_not_asked_without_what_was_typed() {
    let mut flow = bank();
    change_node(&mut flow, "pin", |node| {
        let Node::Collect(collect) = node else { panic!("{node:?}") };
        collect.next = "thanks".to_owned();
    });
    flow.nodes.insert("thanks".to_owned(), Node::Say { says: says("Thank you."), interrupt: false, next: "ask".to_owned() });
    let mut office = office(flow);
    let caller = office.call(HOTLINE);
    hear_out(&mut office, caller);
    press(&mut office, caller, PIN);
    crash(&mut office);
    hear_out(&mut office, caller);
    assert!(asked(&office).is_empty());
    assert_eq!(node(&office, caller).as_deref(), Some("pin"));
    press(&mut office, caller, PIN);
    hear_out(&mut office, caller);
    assert_eq!(sent(&asked(&office).pop().unwrap().1), [("pin", Some(&Value::from(PIN)))]);
}

/// A caller who is recorded in the queue and leaves it for the bank's flow by a key.
fn recorded() -> (Office, LegId) {
    let mut office = office(bank());
    let mut settings = queue(QUEUE, "Support");
    settings.recording = RecordingPolicy::FromQueue;
    settings.waiting.keys = [('0', Destination::Flow(FLOW))].into();
    office.put(Change::PutQueue(settings));
    let caller = office.call(SUPPORT);
    (office, caller)
}

fn is_paused(office: &Office) -> Option<PauseReason> {
    let (_, open) = office.engine.world().recordings().next().expect("there is a recording");
    open.pause.as_ref().map(|pause| pause.reason)
}

#[test]
fn nothing_is_recorded_while_something_private_is_typed() {
    let (mut office, caller) = recorded();
    let id = office.conversation_id(caller);
    assert_eq!(is_paused(&office), None);
    press(&mut office, caller, "0");
    assert_eq!(is_paused(&office), Some(PauseReason::Secure), "the key that ends the welcome may be the first of the answer");
    hear_out(&mut office, caller);
    let refused = office.ask(Command::ResumeRecording { conversation: id });
    assert!(matches!(refused, Err(Refusal::WrongState { .. })), "{refused:?}");
    press(&mut office, caller, "8642");
    assert_eq!(is_paused(&office), Some(PauseReason::Secure));
    press(&mut office, caller, "8642");
    assert_eq!(is_paused(&office), None);
    let wishes: Vec<_> = office.actions.iter().filter(|(_, action)| action.recording().is_some()).map(|(_, action)| action).collect();
    assert!(matches!(wishes.as_slice(), [Action::StartRecording { .. }, Action::PauseRecording { .. }, Action::ResumeRecording { .. }]));
}

#[test]
fn a_recording_that_ends_with_the_call_is_not_resumed_before() {
    let (mut office, caller) = recorded();
    press(&mut office, caller, "0");
    hear_out(&mut office, caller);
    press(&mut office, caller, "8642");
    office.end(caller, CauseKind::FarEnd);
    assert!(!office.actions.iter().any(|(_, action)| matches!(action, Action::ResumeRecording { .. })));
    let (_, open) = office.engine.world().recordings().next().unwrap();
    assert!(open.stopping && open.gaps.len() == 1);
}

#[test]
fn a_pause_that_somebody_chose_stays_and_does_not_end_in_mid_answer() {
    let (mut office, caller) = recorded();
    let id = office.conversation_id(caller);
    office.ask(Command::PauseRecording { conversation: id, secure: false, at_most: Some(Millis(2_000)) }).unwrap();
    press(&mut office, caller, "0");
    assert_eq!(is_paused(&office), Some(PauseReason::Choice));
    press(&mut office, caller, "8");
    office.pass(2_500);
    assert_eq!(is_paused(&office), Some(PauseReason::Secure), "its time is over, the answer is not");
    press(&mut office, caller, "6428642");
    assert_eq!(is_paused(&office), None);
    let (mut office, caller) = recorded();
    let id = office.conversation_id(caller);
    office.ask(Command::PauseRecording { conversation: id, secure: false, at_most: None }).unwrap();
    press(&mut office, caller, "0");
    press(&mut office, caller, PIN);
    assert_eq!(is_paused(&office), Some(PauseReason::Choice), "who chose it ends it");
}

#[test]
fn a_line_that_cannot_pause_does_not_record_on() {
    let (mut office, caller) = recorded();
    press(&mut office, caller, "0");
    let pause = office.actions.iter().rev().find(|(_, action)| matches!(action, Action::PauseRecording { .. })).unwrap().0;
    office.fail(pause);
    assert!(office.actions.iter().any(|(_, action)| matches!(action, Action::StopRecording { .. })));
    press(&mut office, caller, PIN);
    assert_eq!(asked(&office).len(), 1, "the call goes on");
}

#[test]
fn every_other_use_of_a_private_answer_is_refused_with_the_field_and_a_remedy() {
    let office = office(bank());
    let refused = |change: &dyn Fn(&mut Flow)| {
        let mut flow = bank();
        change(&mut flow);
        match validate(office.engine.world(), &Change::PutFlow(Box::new(flow))) {
            Err(Refusal::Invalid { field, problem }) => {
                assert!(problem.contains("; only the check") || problem.contains("; use another"), "{problem}");
                field.replace("flow.nodes.", "")
            }
            other => panic!("{other:?}"),
        }
    };
    let instead = |node: Node| move |flow: &mut Flow| drop(flow.nodes.insert("hello".to_owned(), node.clone()));
    let next = || "support".to_owned();
    let say = |text: &str| Node::Say { says: says(text), interrupt: false, next: next() };
    assert_eq!(refused(&instead(say("You typed {pin}."))), "hello.says");
    assert_eq!(refused(&instead(Node::HangUp { says: Some(says("{pin + ''}")) })), "hello.says");
    let set = |name: &str, value: &str| Node::Set { values: [(name.to_owned(), expression(value))].into(), next: next() };
    assert_eq!(refused(&instead(set("name", "'x' + pin"))), "hello.values.name");
    assert_eq!(refused(&instead(set("pin", "'x'"))), "hello.values.pin");
    let branch = Node::Branch { cases: vec![Case { when: expression("pin == '1'"), to: next() }], otherwise: next() };
    assert_eq!(refused(&instead(branch)), "hello.cases[0].when");
    assert_eq!(refused(&instead(Node::Language { language: expression("pin"), next: next() })), "hello.language");
    let queue = Node::Queue { queue: QUEUE, priority: Some(expression("size(pin)")), skills: Vec::new(), otherwise: None };
    assert_eq!(refused(&|flow| drop(flow.nodes.insert("support".to_owned(), queue.clone()))), "support.priority");
    let open = Collect { most: 3, ..Collect::new(says("Again."), "pin", 3, "support", "support") };
    assert_eq!(refused(&instead(Node::Collect(Box::new(open.clone())))), "hello.into");
    let other = Collect { into: "name".to_owned(), private: true, check: Some(expression("pin == name")), ..open };
    assert_eq!(refused(&instead(Node::Collect(Box::new(Collect { private: false, ..other.clone() })))), "hello.check");
    let with_two = |flow: &mut Flow| {
        flow.variables.insert("second".to_owned(), Variable::new(Type::String));
        let second = Collect { into: "second".to_owned(), check: Some(expression("pin == second")), ..other.clone() };
        flow.nodes.insert("hello".to_owned(), Node::Collect(Box::new(second)));
    };
    assert_eq!(refused(&with_two), "hello.check");
    let survey = Survey { into: Some("pin".to_owned()), ..Survey::new("q", says("?"), "support", "support") };
    let as_number = |flow: &mut Flow| {
        flow.variables.insert("pin".to_owned(), Variable::new(Type::Any));
        flow.nodes.insert("hello".to_owned(), Node::Survey(Box::new(survey.clone())));
    };
    assert_eq!(refused(&as_number), "hello.into");
    let ask = |change: fn(&mut AskService)| {
        move |flow: &mut Flow| {
            change_node(flow, "ask", |node| {
                let Node::AskService(asked) = node else { panic!("{node:?}") };
                change(asked);
            });
        }
    };
    assert_eq!(refused(&ask(|asked| asked.method = Method::Get)), "ask.send.pin");
    assert_eq!(refused(&ask(|asked| asked.path = "/pins/{pin}".to_owned())), "ask.path");
    assert_eq!(refused(&ask(|asked| drop(asked.take.insert("pin".to_owned(), "/pin".to_owned())))), "ask.take.pin");
}

#[test]
fn a_dry_run_shows_marks_in_place_of_a_private_answer() {
    let office = office(bank());
    let script = Script {
        caller: Party { number: Some("+49170".to_owned()), name: None },
        dialed: HOTLINE.to_owned(),
        line: Line::Connected,
        language: None,
        at: office.now,
        answers: vec![
            Answer::Keys("5555#".to_owned()),
            Answer::Keys(format!("{PIN}77")),
            Answer::Service(ServiceAnswer { status: 200, body: Value::map([("name", Value::from("Carla"))]) }),
        ],
    };
    let trace = dry_run(office.engine.world(), &bank(), &script);
    let keyed: Vec<(&str, &str)> = trace.steps.iter().map(|step| (step.node.as_str(), step.keyed.as_str())).collect();
    assert_eq!(keyed, [("start", ""), ("pin", PRIVATE_VALUE), ("ask", ""), ("hello", ""), ("support", "")]);
    assert_eq!(trace.steps[1].set, [("pin".to_owned(), Value::from(PRIVATE_VALUE))]);
    assert_eq!(trace.steps[2].asked.as_ref().map(|request| request.private.len()), Some(1));
    assert!(!format!("{trace:?}").contains("8642"), "{trace:?}");
    assert!(!serde_json::to_string(&trace).unwrap().contains("8642"));
}
