//! Flows that ask a service of the organization: whatever becomes of it, the caller is led on.

use crate::{
    flows::{
        FLOW, HOTLINE, bye, ends, exits, expression, hear_out, lead_hotline_to, node, path, press, said, says, to_queue, variable, waits_in,
    },
    office::{ANNA, OTHER_QUEUE, Office, QUEUE, number},
};
use dreiklang_core::{
    Action, Event, Input, Refusal,
    config::{Change, Destination, Service, Target, validate},
    conversation::CauseKind,
    endpoint::{Line, Party},
    expression::{Type, Value},
    flow::{Answer, AskService, Flow, FlowEnd, Method, Node, PathPart, Script, ServiceAnswer, ServiceRequest, TraceEnd, Variable, dry_run},
    ids::{ActionId, LegId, ServiceId},
    time::Millis,
};

const CRM: ServiceId = ServiceId(1);

fn crm() -> Change {
    Change::PutService(Service { id: CRM, name: "CRM".to_owned() })
}

/// Looks the caller up, and says the name.
fn look_up() -> AskService {
    AskService {
        send: [("brand".to_owned(), expression("'shop'"))].into(),
        take: [("name", "/customer/name"), ("vip", "/customer/vip"), ("orders", "/orders")]
            .map(|(name, place)| (name.to_owned(), place.to_owned()))
            .into(),
        status: Some("status".to_owned()),
        timeout: Some("slow".to_owned()),
        ..AskService::new(CRM, "/customers/{caller}", "hello", "support")
    }
}

fn flow(asked: AskService) -> Flow {
    let nodes = [
        ("start", Node::AskService(Box::new(asked))),
        ("hello", Node::Say { says: says("Hello {name}."), interrupt: true, next: "support".to_owned() }),
        ("slow", Node::Say { says: says("We could not look you up."), interrupt: true, next: "support".to_owned() }),
        ("support", to_queue()),
    ];
    let mut flow = path(nodes);
    let kinds = [("name", Type::String), ("vip", Type::Bool), ("orders", Type::List), ("status", Type::Int)];
    flow.variables = kinds.map(|(name, kind)| (name.to_owned(), Variable::new(kind))).into();
    flow
}

fn office(asked: AskService) -> Office {
    let mut office = Office::with_agents(&[ANNA]);
    office.put(crm());
    lead_hotline_to(&mut office, flow(asked));
    office
}

fn asked(office: &Office) -> Vec<(ActionId, ServiceRequest)> {
    let request = |(id, action): &(ActionId, Action)| match action {
        Action::AskService { request, .. } => Some((*id, request.as_ref().clone())),
        _ => None,
    };
    office.actions.iter().filter_map(request).collect()
}

fn answer(status: u16, body: Value) -> ServiceAnswer {
    ServiceAnswer { status, body }
}

fn customer(name: &str) -> ServiceAnswer {
    let customer = Value::map([("name", Value::from(name)), ("vip", Value::Bool(true))]);
    answer(200, Value::map([("customer", customer), ("orders", Value::List(vec![Value::Int(7)]))]))
}

fn reply(office: &mut Office, answer: ServiceAnswer) {
    let (action, _) = asked(office).pop().expect("a service is asked");
    office.give(Input::ServiceAnswered { action, answer });
}

fn problem(office: &Office) -> Option<String> {
    office.events.iter().rev().find_map(|stamped| match &stamped.event {
        Event::FlowStepped { problem, .. } => Some(problem.clone()),
        _ => None,
    })?
}

fn waits_for_service(office: &Office, leg: LegId) -> bool {
    let id = office.conversation_id(leg);
    office.engine.world().pending().of_conversation(id).any(|(_, action)| matches!(action, Action::AskService { .. }))
}

#[test]
fn a_service_is_asked_about_the_caller_and_the_flow_goes_on_by_its_answer() {
    let mut office = office(look_up());
    let caller = office.call(HOTLINE);
    let number = office.conversation(caller).caller.number.clone().unwrap();
    let (_, request) = asked(&office).pop().unwrap();
    assert_eq!(request.method, Method::Get);
    assert_eq!(request.path, [PathPart::Written("/customers/".to_owned()), PathPart::Computed(number), PathPart::Written(String::new())]);
    assert_eq!(request.send, [("brand".to_owned(), Value::from("shop"))]);
    reply(&mut office, customer("Carla"));
    assert_eq!(said(&office, caller), ["Hello Carla."]);
    assert_eq!(variable(&office, caller, "vip"), Some(Value::Bool(true)));
    assert_eq!(variable(&office, caller, "orders"), Some(Value::List(vec![Value::Int(7)])));
    assert_eq!(variable(&office, caller, "status"), Some(Value::Int(200)));
    assert_eq!(exits(&office), ["start next"]);
    hear_out(&mut office, caller);
    assert_eq!(waits_in(&office, caller), Some(QUEUE));
}

#[test]
fn what_is_missing_leaves_its_variable_and_what_is_of_another_kind_is_told() {
    let mut office = office(look_up());
    let caller = office.call(HOTLINE);
    let customer = Value::map([("name", Value::Int(42)), ("vip", Value::from("maybe"))]);
    reply(&mut office, answer(200, Value::map([("customer", customer), ("orders", Value::Null)])));
    assert_eq!(said(&office, caller), ["Hello 42."], "a number can be a text");
    assert_eq!(variable(&office, caller, "vip"), Some(Value::Bool(false)));
    assert_eq!(variable(&office, caller, "orders"), Some(Value::List(Vec::new())));
    assert!(problem(&office).unwrap().contains("/customer/vip"));
}

#[test]
fn an_answer_that_says_no_is_a_failure_with_its_status() {
    let mut office = office(look_up());
    let caller = office.call(HOTLINE);
    reply(&mut office, ServiceAnswer { status: 404, ..customer("Nobody") });
    assert_eq!(waits_in(&office, caller), Some(QUEUE));
    assert_eq!(exits(&office), ["start failed"]);
    assert_eq!(problem(&office).as_deref(), Some("the service answered 404"));
    let set = office.events.iter().find_map(|stamped| match &stamped.event {
        Event::FlowStepped { set, .. } => Some(set.clone()),
        _ => None,
    });
    assert_eq!(set, Some(vec![("status".to_owned(), Value::Int(404))]), "nothing else is taken from it");
}

#[test]
fn a_service_that_cannot_be_reached_is_a_failure() {
    let mut office = office(look_up());
    let caller = office.call(HOTLINE);
    let (action, _) = asked(&office).pop().unwrap();
    office.give(Input::ActionDone { action });
    assert!(waits_for_service(&office, caller), "being asked is no answer");
    office.fail(action);
    assert_eq!(exits(&office), ["start failed"]);
    assert_eq!(problem(&office).as_deref(), Some("it cannot be done"));
    assert_eq!(waits_in(&office, caller), Some(QUEUE));
}

#[test]
fn a_service_that_does_not_answer_in_time_is_not_waited_for() {
    let mut office = office(look_up());
    let caller = office.call(HOTLINE);
    office.pass(4_999);
    assert!(waits_for_service(&office, caller));
    office.pass(1);
    assert_eq!(exits(&office), ["start timeout"]);
    assert_eq!(said(&office, caller), ["We could not look you up."]);
    assert!(!waits_for_service(&office, caller));
    let before = office.events.len();
    reply(&mut office, customer("Carla"));
    assert_eq!(office.events.len(), before, "an answer that comes too late changes nothing");
}

#[test]
fn without_a_way_of_its_own_a_late_service_is_a_failure() {
    let mut office = Office::with_agents(&[ANNA]);
    office.put(crm());
    let mut flow = flow(AskService { timeout: None, limit: Millis(800), ..look_up() });
    flow.nodes.remove("slow");
    lead_hotline_to(&mut office, flow);
    let caller = office.call(HOTLINE);
    office.pass(800);
    assert_eq!(exits(&office), ["start failed"]);
    assert_eq!(waits_in(&office, caller), Some(QUEUE));
}

#[test]
fn an_answer_that_comes_twice_counts_once() {
    let mut office = office(look_up());
    office.call(HOTLINE);
    reply(&mut office, customer("Carla"));
    let before = office.events.len();
    reply(&mut office, customer("Karla"));
    let (action, _) = asked(&office).pop().unwrap();
    office.fail(action);
    assert_eq!(office.events.len(), before);
}

#[test]
fn a_caller_who_hangs_up_is_not_asked_about_any_more() {
    let mut office = office(look_up());
    let caller = office.call(HOTLINE);
    office.end(caller, CauseKind::FarEnd);
    assert_eq!(ends(&office), [FlowEnd::Ended]);
    assert!(office.engine.world().pending().is_empty());
    let before = office.events.len();
    reply(&mut office, customer("Carla"));
    assert_eq!(office.events.len(), before);
}

#[test]
fn keys_mean_nothing_while_a_service_is_asked() {
    let mut office = office(look_up());
    let caller = office.call(HOTLINE);
    press(&mut office, caller, "1#");
    assert_eq!(node(&office, caller).as_deref(), Some("start"));
    assert!(waits_for_service(&office, caller));
}

#[test]
fn a_new_process_asks_again_what_was_not_answered() {
    let mut office = office(look_up());
    let caller = office.call(HOTLINE);
    office.give(Input::TookOver);
    let twice = asked(&office);
    assert_eq!(twice.len(), 2);
    assert_eq!(twice[0], twice[1], "with the same id, so that the service can tell");
    reply(&mut office, customer("Carla"));
    assert_eq!(said(&office, caller), ["Hello Carla."]);
}

#[test]
fn a_new_process_that_comes_too_late_leads_the_caller_on() {
    let mut office = office(look_up());
    let caller = office.call(HOTLINE);
    office.now = dreiklang_core::time::Timestamp(office.now.0 + 100_000);
    office.give(Input::TookOver);
    office.give(Input::Wake);
    assert_eq!(exits(&office), ["start timeout"]);
    assert_eq!(node(&office, caller).as_deref(), Some("slow"));
}

#[test]
fn what_cannot_be_computed_for_a_service_is_a_failure() {
    let bad = AskService { send: [("n".to_owned(), expression("1 / size(name)"))].into(), ..look_up() };
    let mut office = office(bad);
    let caller = office.call(HOTLINE);
    assert_eq!(asked(&office), []);
    assert_eq!(exits(&office), ["start failed"]);
    assert_eq!(waits_in(&office, caller), Some(QUEUE));
}

#[test]
fn a_service_stays_as_long_as_a_flow_asks_it() {
    let mut office = office(look_up());
    let refused = validate(office.engine.world(), &Change::RemoveService(CRM));
    assert!(matches!(refused, Err(Refusal::Invalid { problem, .. }) if problem.contains("change the flow first")));
    let caller = office.call(HOTLINE);
    lead_hotline_to(&mut office, path([("start", bye())]));
    office.put(Change::RemoveService(CRM));
    assert!(office.engine.world().service(CRM).is_none());
    reply(&mut office, customer("Carla"));
    assert_eq!(said(&office, caller), ["Hello Carla."], "a call that is under way is led on");
}

#[test]
fn a_caller_in_an_older_flow_whose_service_is_gone_is_led_on() {
    let nodes = [
        ("start", Node::Say { says: says("Welcome."), interrupt: false, next: "ask".to_owned() }),
        ("ask", Node::AskService(Box::new(AskService::new(CRM, "/", "support", "support")))),
        ("support", to_queue()),
    ];
    let mut office = Office::new();
    office.put(crm());
    lead_hotline_to(&mut office, path(nodes));
    let caller = office.call(HOTLINE);
    lead_hotline_to(&mut office, path([("start", bye())]));
    office.put(Change::RemoveService(CRM));
    hear_out(&mut office, caller);
    assert_eq!(exits(&office), ["start next", "ask failed"]);
    assert_eq!(waits_in(&office, caller), Some(QUEUE));
}

#[test]
fn a_question_to_a_service_is_refused_with_the_field_and_a_remedy() {
    let mut office = Office::new();
    office.put(crm());
    let refused = |change: fn(&mut AskService)| {
        let mut asked = look_up();
        change(&mut asked);
        match validate(office.engine.world(), &Change::PutFlow(Box::new(flow(asked)))) {
            Err(Refusal::Invalid { field, problem }) => {
                let helps =
                    [';', '/'].into_iter().any(|mark| problem.contains(mark)) || problem.contains("must") || problem.contains("has to");
                assert!(helps, "{problem}");
                field.replace("flow.nodes.start.", "")
            }
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(refused(|asked| asked.service = ServiceId(9)), "service");
    for path in ["customers", "/a//b", "/a?b=1", "/a#b", "/a b", "/{nobody}", "/{orders}", "/a\\b"] {
        let mut asked = look_up();
        asked.path = path.to_owned();
        let answer = validate(office.engine.world(), &Change::PutFlow(Box::new(flow(asked))));
        assert!(matches!(answer, Err(Refusal::Invalid { field, .. }) if field == "flow.nodes.start.path"), "{path}");
    }
    assert_eq!(refused(|asked| drop(asked.send.insert(String::new(), expression("1")))), "send");
    assert_eq!(refused(|asked| drop(asked.send.insert("x".to_owned(), expression("nobody")))), "send.x");
    assert_eq!(refused(|asked| drop(asked.take.insert("nobody".to_owned(), "/x".to_owned()))), "take.nobody");
    assert_eq!(refused(|asked| drop(asked.take.insert("name".to_owned(), "x".to_owned()))), "take.name");
    assert_eq!(refused(|asked| asked.status = Some("name".to_owned())), "status");
    assert_eq!(refused(|asked| asked.limit = Millis::from_secs(21)), "limit");
    assert_eq!(refused(|asked| asked.next = "x".to_owned()), "next");
    assert_eq!(refused(|asked| asked.timeout = Some("x".to_owned())), "timeout");
}

#[test]
fn services_have_names_of_their_own() {
    let mut office = Office::new();
    office.put(crm());
    let twin = Change::PutService(Service { id: ServiceId(2), name: "crm".to_owned() });
    assert!(matches!(validate(office.engine.world(), &twin), Err(Refusal::Invalid { field, .. }) if field == "service.name"));
    assert!(matches!(validate(office.engine.world(), &Change::RemoveService(ServiceId(2))), Err(Refusal::NotFound { .. })));
}

#[test]
fn a_dry_run_is_told_what_services_answer() {
    let mut office = Office::new();
    office.put(crm());
    office.put(Change::PutNumber(number(3, HOTLINE, Target::Queue(OTHER_QUEUE))));
    let play = |answers: Vec<Answer>| {
        let caller = Party { number: Some("+4917".to_owned()), name: None };
        let script = Script { caller, dialed: HOTLINE.to_owned(), line: Line::Connected, language: None, at: office.now, answers };
        let trace = dry_run(office.engine.world(), &flow(look_up()), &script);
        assert!(matches!(&trace.end, TraceEnd::Led { to: Destination::Queue(QUEUE), .. }), "{trace:?}");
        trace
    };
    let good = play(vec![Answer::Service(customer("Carla"))]);
    assert_eq!(good.steps[0].exit.as_deref(), Some("next"));
    assert_eq!(good.steps[0].asked.as_ref().map(|request| request.path.len()), Some(3));
    assert_eq!(good.steps[1].node, "hello");
    assert_eq!(play(vec![Answer::Service(answer(500, Value::Null))]).steps[0].exit.as_deref(), Some("failed"));
    assert_eq!(play(vec![Answer::Unavailable]).steps[0].exit.as_deref(), Some("failed"));
    assert_eq!(play(vec![Answer::Nothing]).steps[0].exit.as_deref(), Some("timeout"));
    assert_eq!(play(Vec::new()).steps[0].exit.as_deref(), Some("timeout"));
    assert_eq!(FLOW, flow(look_up()).id);
}
