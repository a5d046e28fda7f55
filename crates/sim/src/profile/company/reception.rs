//! The call flow of the made-up company: every kind of node, and ways round in circles that end by themselves.

use super::{BILLING, ENGLISH, SALES, SHOP_HOURS, SUPPORT, words};
use dreiklang_core::{
    config::Destination,
    expression::{Expression, Type},
    flow::{AskService, AskedSkill, Case, Collect, Flow, Menu, Method, Node, Survey, Told, Variable},
    ids::{AgentId, FlowId, QueueId, ServiceId},
    time::Millis,
};

pub const RECEPTION: FlowId = FlowId(1);
pub const SURVEY: FlowId = FlowId(2);

pub const CRM: ServiceId = ServiceId(1);

fn says(text: &str) -> Told {
    Told { languages: [("de".to_owned(), words("Bitte wählen Sie."))].into(), ..Told::new(words(text)) }
}

fn expression(source: &str) -> Expression {
    source.parse().unwrap_or_else(|error| panic!("{source}: {error}"))
}

fn queue(queue: QueueId, priority: Option<&str>, otherwise: Option<&str>) -> Node {
    let skills = vec![AskedSkill { skill: ENGLISH, level: 1, when: Some(expression("language == 'en'")) }];
    Node::Queue { queue, priority: priority.map(expression), skills, otherwise: otherwise.map(str::to_owned) }
}

fn transfer(to: Destination, otherwise: &str) -> Node {
    Node::Transfer { to, otherwise: Some(otherwise.to_owned()) }
}

/// What callers of the reception go through.
pub fn flow() -> Flow {
    let menu = Menu {
        attempts: 2,
        wait: Millis::from_secs(6),
        ..Menu::new(
            says("Press 1, 2, 3 or 9."),
            [('1', "code"), ('2', "assistant"), ('3', "german"), ('7', "secret"), ('9', "menu")],
            "count",
        )
    };
    let code = Collect {
        least: 2,
        check: Some(expression("code != '00'")),
        ..Collect::new(says("Press your number."), "code", 4, "secret", "rank")
    };
    let rank = [("vip".to_owned(), expression("code.startsWith('1')"))].into();
    let count = [("rounds".to_owned(), expression("rounds + 1"))].into();
    let cases = vec![
        Case { when: expression("vip && hours.Shop"), to: "sales".to_owned() },
        Case { when: expression("100 / size(caller) > 50"), to: "sorry".to_owned() },
    ];
    let look_up = AskService {
        send: [("rounds".to_owned(), expression("rounds"))].into(),
        take: [("vip".to_owned(), "/customer/vip".to_owned()), ("rounds".to_owned(), "/customer/rounds".to_owned())].into(),
        limit: Millis::from_secs(4),
        timeout: Some("support".to_owned()),
        ..AskService::new(CRM, "/customers/{code}", "which", "rank")
    };
    let secret = Collect {
        private: true,
        least: 2,
        attempts: 2,
        check: Some(expression("pin != '12'")),
        ..Collect::new(says("Press your secret number."), "pin", 4, "wait", "look_up")
    };
    let verify = AskService {
        method: Method::Post,
        send: [("pin".to_owned(), expression("pin")), ("rounds".to_owned(), expression("rounds"))].into(),
        take: [("vip".to_owned(), "/customer/vip".to_owned())].into(),
        limit: Millis::from_secs(4),
        ..AskService::new(CRM, "/pins/{caller}", "look_up", "rank")
    };
    let again = vec![Case { when: expression("rounds < 3"), to: "menu".to_owned() }];
    let nodes = [
        ("start", Node::Greet { says: says("Welcome to the reception."), next: "open".to_owned() }),
        ("open", Node::Hours { hours: SHOP_HOURS, open: "menu".to_owned(), closed: "closed".to_owned() }),
        ("closed", Node::Say { says: says("The shop is closed, {caller}."), interrupt: true, next: "menu".to_owned() }),
        ("menu", Node::Menu(Box::new(menu))),
        ("german", Node::Language { language: expression("'de'"), next: "menu".to_owned() }),
        ("code", Node::Collect(Box::new(code))),
        ("look_up", Node::AskService(Box::new(look_up))),
        ("secret", Node::Collect(Box::new(secret))),
        ("wait", Node::Say { says: says("Please wait."), interrupt: false, next: "verify".to_owned() }),
        ("verify", Node::AskService(Box::new(verify))),
        ("rank", Node::Set { values: rank, next: "which".to_owned() }),
        ("which", Node::Branch { cases, otherwise: "support".to_owned() }),
        ("count", Node::Set { values: count, next: "again".to_owned() }),
        ("again", Node::Branch { cases: again, otherwise: "support".to_owned() }),
        ("assistant", transfer(Destination::Agent(AgentId(2)), "outside")),
        ("outside", transfer(Destination::Number("+49891234567".to_owned()), "support")),
        ("sales", queue(SALES, Some("vip ? 90 : 10"), Some("support"))),
        ("support", queue(SUPPORT, None, Some("sorry"))),
        ("sorry", Node::HangUp { says: Some(says("We are sorry.")) }),
    ];
    let mut flow = Flow::new(RECEPTION, "Reception", nodes, Destination::Queue(BILLING));
    for (name, kind) in [("code", Type::String), ("pin", Type::String), ("vip", Type::Bool), ("rounds", Type::Int)] {
        flow.variables.insert(name.to_owned(), Variable::new(kind));
    }
    flow
}

/// What customers of support are asked when the agent has ended the talk.
pub fn survey() -> Flow {
    let satisfaction =
        Survey { into: Some("score".to_owned()), attempts: 2, ..Survey::new("satisfaction", says("Press 1 to 5."), "which", "bye") };
    let nodes = [
        ("start", Node::Survey(Box::new(satisfaction))),
        (
            "which",
            Node::Branch { cases: vec![Case { when: expression("score == 1"), to: "again".to_owned() }], otherwise: "bye".to_owned() },
        ),
        ("again", Node::Survey(Box::new(Survey::new("again", says("Press 1 to 5 once more."), "bye", "bye")))),
        ("bye", Node::HangUp { says: Some(says("Thank you.")) }),
    ];
    let mut flow = Flow::new(SURVEY, "Survey", nodes, Destination::HangUp);
    flow.variables.insert("score".to_owned(), Variable::new(Type::Int));
    flow
}
