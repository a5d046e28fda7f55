//! Flows of random days: small, and with every kind of node that can be drawn.

use crate::day::{AGENTS, QUEUES, opening};
use dreiklang_core::{
    Engine,
    config::{Change, Destination, validate},
    expression::{Expression, Type},
    flow::{AskService, Case, Collect, Flow, Menu, Method, Node, Survey, Told, Variable},
    ids::{AgentId, FlowId, QueueId, ServiceId, TenantId},
    output::Prompt,
    time::{Millis, Timestamp},
};

pub const FLOWS: u128 = 2;

fn says(text: &str) -> Told {
    Told::new(Prompt::Text { text: text.to_owned(), language: "en".to_owned() })
}

fn expression(source: &str) -> Expression {
    source.parse().unwrap()
}

pub const SERVICE: ServiceId = ServiceId(1);

/// Asks about the code; what is sent cannot always be computed.
fn look_up(how: u8) -> AskService {
    AskService {
        send: [("n".to_owned(), expression(if how.is_multiple_of(13) { "1 / (n - 2)" } else { "n" }))].into(),
        take: [("code".to_owned(), "/code".to_owned()), ("n".to_owned(), "/list/0".to_owned())].into(),
        limit: Millis::from_secs(1 + u64::from(how) % 20),
        timeout: how.is_multiple_of(2).then(|| "menu".to_owned()),
        ..AskService::new(SERVICE, "/codes/{code}/{caller}", "tongue", "menu")
    }
}

/// Whether such a flow asks for something private.
fn is_private(how: u8) -> bool {
    how % 3 < 2
}

/// One of many flows with this id.
pub fn flow(id: u128, how: u8) -> Flow {
    let queue = QueueId(1 + u128::from(how) % QUEUES);
    let to = match how % 5 {
        3 => Destination::Callback(queue),
        0 => Destination::Agent(AgentId(1 + u128::from(how) % AGENTS)),
        1 => Destination::Number("+49891234567".to_owned()),
        2 if id > 1 => Destination::Flow(FlowId(id - 1)),
        _ => Destination::Message(says("Goodbye").prompt),
    };
    let again = |to: &str| how.is_multiple_of(3).then(|| to.to_owned());
    let menu = Menu {
        wait: Millis::from_secs(1 + u64::from(how) % 30),
        attempts: 1 + how % 3,
        interrupt: how.is_multiple_of(2),
        ..Menu::new(
            says("Press 1, or 5"),
            [('1', "ask"), ('5', if how.is_multiple_of(4) { "rate" } else { "count" })],
            if how < 128 { "queue" } else { "bye" },
        )
    };
    let collect = Collect {
        least: 1 + how % 2,
        check: how.is_multiple_of(5).then(|| expression("code != '55'")),
        ..Collect::new(says("Your code"), "code", 2 + how % 3, if is_private(how) { "secret" } else { "transfer" }, "count")
    };
    let secret = Collect { private: true, ..Collect::new(says("Your secret number"), "pin", 1 + how % 4, "verify", "count") };
    let verify = AskService {
        method: Method::Post,
        send: [("pin".to_owned(), expression("pin")), ("n".to_owned(), expression("n"))].into(),
        ..AskService::new(SERVICE, "/pins/{caller}", if how.is_multiple_of(2) { "transfer" } else { "menu" }, "transfer")
    };
    let count = [("n".to_owned(), expression(if how.is_multiple_of(7) { "n + 1 / n" } else { "n + 1" }))];
    // Without the limit of steps, some of these would go in circles for ever.
    let cases = vec![Case { when: expression("n > 3 || caller == ''"), to: "queue".to_owned() }];
    let nodes = [
        ("start", Node::Greet { says: says("Welcome"), next: "hint".to_owned() }),
        ("hint", Node::Say { says: says("You are number {n}"), interrupt: how % 2 == 1, next: "menu".to_owned() }),
        ("menu", Node::Menu(Box::new(menu))),
        ("ask", Node::Collect(Box::new(collect))),
        ("secret", Node::Collect(Box::new(secret))),
        ("verify", Node::AskService(Box::new(verify))),
        ("count", Node::Set { values: count.into(), next: "which".to_owned() }),
        ("which", Node::Branch { cases, otherwise: if how.is_multiple_of(11) { "count" } else { "look_up" }.to_owned() }),
        (
            "rate",
            Node::Survey(Box::new(Survey {
                into: Some("n".to_owned()),
                ..Survey::new("satisfaction", says("How was it?"), "which", "bye")
            })),
        ),
        ("look_up", Node::AskService(Box::new(look_up(how)))),
        ("tongue", Node::Language { language: expression("n == 2 ? 'de' : ''"), next: "menu".to_owned() }),
        (
            "queue",
            Node::Queue {
                queue,
                priority: how.is_multiple_of(2).then(|| expression("50 + n")),
                skills: Vec::new(),
                otherwise: again("bye"),
            },
        ),
        ("transfer", Node::Transfer { to, otherwise: again("queue") }),
        ("bye", Node::HangUp { says: how.is_multiple_of(2).then(|| says("Goodbye")) }),
    ];
    let reached = |key: &str| match key {
        "tongue" | "look_up" => !how.is_multiple_of(11),
        "rate" => how.is_multiple_of(4),
        "secret" | "verify" => is_private(how),
        "bye" => how >= 128 || how.is_multiple_of(3) || how.is_multiple_of(4),
        _ => true,
    };
    let fallback = if how.is_multiple_of(2) { Destination::Queue(queue) } else { Destination::HangUp };
    let mut flow = Flow::new(FlowId(id), &format!("Flow {id}"), nodes.into_iter().filter(|(key, _)| reached(key)), fallback);
    let first = if how.is_multiple_of(11) { "-250" } else { "1" };
    flow.variables.insert("n".to_owned(), Variable { default: Some(expression(first)), ..Variable::new(Type::Int) });
    if is_private(how) {
        flow.variables.insert("pin".to_owned(), Variable::new(Type::String));
    }
    flow.variables.insert("code".to_owned(), Variable::new(Type::String));
    flow
}

#[test]
fn every_flow_that_can_be_drawn_can_be_published() {
    let mut engine = Engine::new(TenantId(1));
    opening(0).into_iter().for_each(|input| engine.handle(Timestamp(0), input));
    for id in 1..=FLOWS {
        for how in 0..=u8::MAX {
            let refused = validate(engine.world(), &Change::PutFlow(Box::new(flow(id, how)))).err();
            assert_eq!(refused, None, "flow {id} drawn from {how}");
        }
    }
}
