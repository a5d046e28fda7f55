//! What flows are refused for before they are published, and what a dry run shows.

use crate::{
    flows::{FLOW, expression, menu, says, words},
    office::{OTHER_QUEUE, Office, QUEUE, SUPPORT, number},
};
use dreiklang_core::{
    Refusal,
    config::{Change, Destination, Target, validate},
    endpoint::{Line, Party},
    expression::{Type, Value},
    flow::{Answer, Collect, Flow, Node, Script, Told, TraceEnd, Variable, dry_run},
    ids::{FlowId, HoursId, QueueId},
    output::Prompt,
};

/// The field a flow is refused for, after one change to a good one.
fn refused(change: impl FnOnce(&mut Flow)) -> (String, String) {
    let mut office = Office::new();
    let taken = Flow::new(FlowId(9), "Taken", [("start", Node::HangUp { says: None })], Destination::HangUp);
    office.put(Change::PutFlow(Box::new(taken)));
    let mut flow = menu();
    flow.variables.insert("n".to_owned(), Variable::new(Type::Int));
    validate(office.engine.world(), &Change::PutFlow(Box::new(flow.clone()))).unwrap();
    change(&mut flow);
    match validate(office.engine.world(), &Change::PutFlow(Box::new(flow))) {
        Err(Refusal::Invalid { field, problem }) => (field, problem),
        other => panic!("{other:?}"),
    }
}

fn field(change: impl FnOnce(&mut Flow)) -> String {
    let (field, problem) = refused(change);
    assert!(problem.contains(';') || problem.contains("must") || problem.contains("holds"), "{field}: {problem} names no remedy");
    field
}

fn put(flow: &mut Flow, key: &str, node: Node) {
    flow.nodes.insert(key.to_owned(), node);
}

fn say(text: &str, next: &str) -> Node {
    Node::Say { says: says(text), interrupt: false, next: next.to_owned() }
}

/// Puts a node before the first.
fn first(flow: &mut Flow, node: Node) {
    put(flow, "first", node);
    flow.start = "first".to_owned();
}

#[test]
fn a_flow_is_refused_with_the_field_and_a_remedy() {
    assert_eq!(field(|flow| flow.name = "taken".to_owned()), "flow.name");
    assert_eq!(field(|flow| flow.start = "nowhere".to_owned()), "flow.start");
    assert_eq!(field(|flow| flow.nodes.clear()), "flow.nodes");
    assert_eq!(field(|flow| put(flow, "lonely", say("Hello", "menu"))), "flow.nodes.lonely");
    assert_eq!(field(|flow| put(flow, "two words", say("Hello", "menu"))), "flow.nodes.two words");
    assert_eq!(field(|flow| put(flow, "start", say("Hello", "nowhere"))), "flow.nodes.start.next");
    assert_eq!(field(|flow| flow.fallback = Destination::Queue(QueueId(77))), "flow.fallback");
    assert_eq!(field(|flow| flow.fallback = Destination::Flow(FlowId(9))), "flow.fallback");
}

#[test]
fn every_way_out_of_a_menu_has_to_lead_somewhere() {
    let menu = |change: fn(&mut dreiklang_core::flow::Menu)| {
        field(|flow| match flow.nodes.get_mut("menu") {
            Some(Node::Menu(menu)) => change(menu),
            other => panic!("{other:?}"),
        })
    };
    assert_eq!(menu(|menu| menu.otherwise = "x".to_owned()), "flow.nodes.menu.otherwise");
    assert_eq!(menu(|menu| drop(menu.keys.insert('3', "x".to_owned()))), "flow.nodes.menu.keys.3");
    assert_eq!(menu(|menu| drop(menu.keys.insert('A', "bye".to_owned()))), "flow.nodes.menu.keys.A");
    assert_eq!(menu(|menu| menu.attempts = 0), "flow.nodes.menu.attempts");
    assert_eq!(menu(|menu| menu.wait = dreiklang_core::time::Millis(1)), "flow.nodes.menu.wait");
    assert_eq!(menu(|menu| menu.says = Told::new(Prompt::Music)), "flow.nodes.menu.says");
}

#[test]
fn expressions_have_to_be_of_the_right_kind_and_about_variables_that_exist() {
    let set = |name: &'static str, source: &'static str| {
        field(move |flow| first(flow, Node::Set { values: [(name.to_owned(), expression(source))].into(), next: "start".to_owned() }))
    };
    assert_eq!(set("n", "'text'"), "flow.nodes.first.values.n");
    assert_eq!(set("unknown", "1"), "flow.nodes.first.values.unknown");
    let (field_of, problem) = refused(|flow| first(flow, say("You are {m}", "start")));
    assert_eq!(field_of, "flow.nodes.first.says");
    assert!(problem.contains("there is no variable m"), "{problem}");
    assert_eq!(field(|flow| first(flow, say("You are {n", "start"))), "flow.nodes.first.says");
    assert_eq!(field(|flow| first(flow, say("It is {now}", "start"))), "flow.nodes.first.says");
    let language = |source: &str| Node::Language { language: expression(source), next: "start".to_owned() };
    assert_eq!(field(|flow| first(flow, language("7"))), "flow.nodes.first.language");
}

#[test]
fn variables_have_names_of_their_own_and_defaults_of_their_kind() {
    let declare = |name: &'static str, variable: Variable| field(move |flow| drop(flow.variables.insert(name.to_owned(), variable)));
    assert_eq!(declare("caller", Variable::new(Type::String)), "flow.variables.caller");
    assert_eq!(declare("two words", Variable::new(Type::String)), "flow.variables.two words");
    assert_eq!(declare("true", Variable::new(Type::Bool)), "flow.variables.true");
    assert_eq!(declare("at", Variable::new(Type::Timestamp)), "flow.variables.at.kind");
    let wrong = Variable { default: Some(expression("'a'")), ..Variable::new(Type::Int) };
    assert_eq!(declare("m", wrong), "flow.variables.m.default");
}

#[test]
fn what_a_node_names_has_to_be_there() {
    let hours = Node::Hours { hours: HoursId(5), open: "start".to_owned(), closed: "bye".to_owned() };
    assert_eq!(field(|flow| first(flow, hours)), "flow.nodes.first.hours");
    let transfer = |to| Node::Transfer { to, otherwise: Some("start".to_owned()) };
    assert_eq!(field(|flow| first(flow, transfer(Destination::Flow(FLOW)))), "flow.nodes.first.to");
    assert_eq!(field(|flow| first(flow, transfer(Destination::Number("now".to_owned())))), "flow.nodes.first.to");
    let collect = Collect::new(says("?"), "nothing", 3, "start", "bye");
    assert_eq!(field(|flow| first(flow, Node::Collect(Box::new(collect)))), "flow.nodes.first.into");
    let collect = Collect { least: 4, ..Collect::new(says("?"), "n", 3, "start", "bye") };
    assert_eq!(field(|flow| first(flow, Node::Collect(Box::new(collect)))), "flow.nodes.first.least");
}

#[test]
fn what_a_flow_or_number_names_is_not_removed() {
    let mut office = Office::new();
    office.put(Change::PutFlow(Box::new(menu())));
    office.put(Change::PutNumber(number(3, "+49303000", Target::Flow(FLOW))));
    office.put(Change::PutNumber(number(1, SUPPORT, Target::Flow(FLOW))));
    office.put(Change::PutNumber(number(2, "+49302000", Target::Flow(FLOW))));
    let no = |change: Change| match validate(office.engine.world(), &change) {
        Err(Refusal::Invalid { problem, .. }) => problem,
        other => panic!("{other:?}"),
    };
    assert!(no(Change::RemoveQueue(QUEUE)).contains("in node support"));
    assert!(no(Change::RemoveQueue(OTHER_QUEUE)).contains("as its fallback"));
    assert!(no(Change::RemoveFlow(FLOW)).contains("number"));
}

fn script(answers: Vec<Answer>) -> Script {
    Script {
        caller: Party { number: Some("+49170".to_owned()), name: None },
        dialed: "+49303000".to_owned(),
        line: Line::Connected,
        language: None,
        at: dreiklang_core::time::Timestamp(1_700_000_000_000),
        answers,
    }
}

#[test]
fn a_dry_run_shows_what_would_be_heard_and_where_it_leads() {
    let office = Office::new();
    let trace = dry_run(office.engine.world(), &menu(), &script(vec![Answer::Nothing, Answer::Keys("71".to_owned())]));
    let path: Vec<(&str, &str, Option<&str>)> =
        trace.steps.iter().map(|step| (step.node.as_str(), step.keyed.as_str(), step.exit.as_deref())).collect();
    assert_eq!(path, [("start", "", Some("next")), ("menu", "71", Some("keys.1")), ("support", "", None)]);
    assert_eq!(trace.steps[1].said, [words("Press 1 or 2."), words("Once more: 1 or 2."), words("Once more: 1 or 2.")]);
    assert!(matches!(trace.end, TraceEnd::Led { to: Destination::Queue(QUEUE), .. }), "{:?}", trace.end);
}

#[test]
fn a_dry_run_goes_on_where_nobody_is_to_be_had_and_ends_where_the_flow_ends() {
    let office = Office::new();
    let trace = dry_run(office.engine.world(), &menu(), &script(vec![Answer::Keys("1".to_owned()), Answer::Unavailable]));
    assert!(matches!(&trace.end, TraceEnd::Fallback { .. }), "{:?}", trace.end);
    let trace = dry_run(office.engine.world(), &menu(), &script(Vec::new()));
    assert_eq!(trace.end, TraceEnd::Finished);
}

#[test]
fn a_dry_run_shows_variables_and_loops() {
    let office = Office::new();
    let mut flow = menu();
    flow.variables.insert("n".to_owned(), Variable::new(Type::Int));
    put(&mut flow, "start", Node::Set { values: [("n".to_owned(), expression("n + 1"))].into(), next: "start".to_owned() });
    let trace = dry_run(office.engine.world(), &flow, &script(Vec::new()));
    assert_eq!(trace.steps[4].set, [("n".to_owned(), Value::Int(5))]);
    assert!(matches!(&trace.end, TraceEnd::Fallback { problem } if problem.contains("loop")), "{:?}", trace.end);
}
