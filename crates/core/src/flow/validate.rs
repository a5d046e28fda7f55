//! Whether a flow can be published.

use super::{AskService, Collect, Flow, Menu, Method, Node, NodeKey, Survey, Told, Variable, interpret, private, service, text};
use crate::{
    config::{self, Destination, check_name, check_unique, invalid, room},
    expression::{Expression, Type},
    limits::{
        ANSWER_KEYS, ASK_ATTEMPTS, ASK_WAIT, FLOW_CASES, FLOW_LANGUAGES, FLOW_NODES, FLOW_VARIABLES, FLOWS_PER_TENANT, SERVICE_LIMIT,
        SERVICE_PATH_BYTES, SKILLS_ASKED,
    },
    queue::SkillRequirement,
    refusal::Refusal,
    world::World,
};
use std::collections::{BTreeMap, BTreeSet};

/// Keys that menus can name (ITU-T Q.23, without the letters that telephones lack).
const KEYS: &str = "0123456789*#";

pub(crate) fn put_flow(world: &World, flow: &Flow) -> Result<(), Refusal> {
    problems(world, flow).into_iter().next().map_or(Ok(()), Err)
}

/// All that keeps a flow from being published, with fields and remedies; what would only follow from something else is left out.
pub fn problems(world: &World, flow: &Flow) -> Vec<Refusal> {
    let mut found = Vec::new();
    let mut note = |checked: Result<(), Refusal>| found.extend(checked.err());
    note(check_name("flow.name", &flow.name));
    let others = world.flows().filter(|(id, ..)| *id != flow.id).map(|(_, _, other)| &other.name);
    note(check_unique("flow.name", &flow.name, others));
    note(room(world.flow(flow.id).is_some(), world.flows().count(), FLOWS_PER_TENANT, "flows"));
    if flow.nodes.is_empty() || flow.nodes.len() > FLOW_NODES {
        note(invalid("flow.nodes", format!("must hold 1 to {FLOW_NODES} nodes")));
        return found;
    }
    note(check_variables(flow));
    let types = interpret::types(flow);
    for (key, node) in &flow.nodes {
        let field = format!("flow.nodes.{key}");
        note(check_key(&field, key));
        note(check_exits(flow, &field, node));
        note(check_node(world, flow, &field, node, &types));
    }
    if flow.nodes.contains_key(&flow.start) {
        note(check_reachable(flow));
    } else {
        note(invalid("flow.start", format!("\"{}\" is no node; name the node a call begins with", flow.start)));
    }
    note(check_private(flow));
    note(match flow.fallback {
        Destination::Flow(_) => {
            invalid("flow.fallback", "is a flow, which may fail as well; choose a queue, an agent, a number or a message".to_owned())
        }
        _ => config::check_destination(world, "flow.fallback", &flow.fallback),
    });
    found
}

/// Whether no published flow has a node or fallback for which `names` is true; `field` is what would be removed.
pub(crate) fn not_named(
    world: &World,
    field: &str,
    node: impl Fn(&Node) -> bool,
    fallback: impl Fn(&Destination) -> bool,
) -> Result<(), Refusal> {
    let found = world.flows().find_map(|(_, _, flow)| {
        let node = flow.nodes.iter().find(|(_, found)| node(found)).map(|(key, _)| format!("in node {key}"));
        let where_to = node.or_else(|| fallback(&flow.fallback).then(|| "as its fallback".to_owned()))?;
        Some((flow, where_to))
    });
    match found {
        Some((flow, place)) => invalid(field, format!("is named by flow \"{}\" {place}; change the flow first", flow.name)),
        None => Ok(()),
    }
}

fn check_key(field: &str, key: &str) -> Result<(), Refusal> {
    const CHARS: usize = 40;
    let fits = (1..=CHARS).contains(&key.len()) && key.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(&byte));
    if fits { Ok(()) } else { invalid(field, format!("\"{key}\" is no name for a node; use 1 to {CHARS} letters, digits, _ and -")) }
}

fn check_variables(flow: &Flow) -> Result<(), Refusal> {
    if flow.variables.len() > FLOW_VARIABLES {
        return invalid("flow.variables", format!("holds more than {FLOW_VARIABLES}"));
    }
    for (name, variable) in &flow.variables {
        let field = format!("flow.variables.{name}");
        // A name that expressions can read as a variable and as nothing else.
        let read = Expression::parse(name).is_ok_and(|read| read.source() == name && read.variables() == BTreeSet::from([name.as_str()]));
        if !read || name.len() > 40 {
            return invalid(&field, "is no name for a variable; use up to 40 letters, digits and _, a letter first".to_owned());
        }
        if interpret::is_built_in(name) {
            return invalid(&field, "means something else in every flow already; choose another name".to_owned());
        }
        check_variable(&field, variable)?;
    }
    Ok(())
}

fn check_variable(field: &str, variable: &Variable) -> Result<(), Refusal> {
    if matches!(variable.kind, Type::Null | Type::Timestamp | Type::Duration) {
        return invalid(&format!("{field}.kind"), "must be any, bool, int, double, string, list or map".to_owned());
    }
    let Some(default) = &variable.default else { return Ok(()) };
    match default.evaluate(&crate::expression::Scope::new()) {
        Ok(value) if variable.takes(&value) => Ok(()),
        Ok(_) => invalid(&format!("{field}.default"), "is of another kind than the variable; change one of them".to_owned()),
        Err(error) => invalid(&format!("{field}.default"), format!("{error}; a text stands in quotes")),
    }
}

fn check_exits(flow: &Flow, field: &str, node: &Node) -> Result<(), Refusal> {
    match node.exits().into_iter().find(|(_, to)| !flow.nodes.contains_key(*to)) {
        Some((exit, to)) => invalid(&format!("{field}.{exit}"), format!("leads to \"{to}\", which is no node; name one or draw it")),
        None => Ok(()),
    }
}

fn check_reachable(flow: &Flow) -> Result<(), Refusal> {
    let mut reached = BTreeSet::from([flow.start.as_str()]);
    let mut next = vec![flow.start.as_str()];
    while let Some(key) = next.pop() {
        for (_, to) in flow.nodes.get(key).map(Node::exits).unwrap_or_default() {
            if reached.insert(to) {
                next.push(to);
            }
        }
    }
    match flow.nodes.keys().find(|key| !reached.contains(key.as_str())) {
        Some(lonely) => invalid(&format!("flow.nodes.{lonely}"), "is never come to; lead to it or remove it".to_owned()),
        None => Ok(()),
    }
}

/// What is typed privately may be looked at by its own question and be sent to services, and nothing else: whatever else becomes of
/// it would be written down.
fn check_private(flow: &Flow) -> Result<(), Refusal> {
    let private = flow.private_variables();
    if private.is_empty() {
        return Ok(());
    }
    let read = |field: String, name: &str| {
        let remedy = "is typed privately; only the check of its own question may look at it, and send of an ask_service with method post";
        invalid(&field, format!("looks at {name}, which {remedy}"))
    };
    for (key, node) in &flow.nodes {
        let field = format!("flow.nodes.{key}");
        for (name, told) in node.told() {
            let sources = told.prompts().flat_map(text::sources);
            if let Some(found) = first_read(sources, &private) {
                return read(format!("{field}.{name}"), found);
            }
        }
        for (name, expression) in node.expressions() {
            let Some(found) = private::reads(expression, &private) else { continue };
            let own = |name: &str| expression.variables().into_iter().filter(|read| private.contains_key(read)).all(|read| read == name);
            let allowed = match node {
                Node::Collect(collect) => collect.private && own(&collect.into),
                Node::AskService(asked) => asked.method == Method::Post,
                _ => false,
            };
            if !allowed {
                return read(format!("{field}.{name}"), found);
            }
        }
        if let Node::AskService(asked) = node
            && let Some(found) = first_read(text::sources_of(&asked.path).into_iter(), &private)
        {
            return read(format!("{field}.path"), found);
        }
        if let Some((place, name)) = writes(node).into_iter().find(|(_, name)| private.contains_key(name)) {
            let asked = private.get(name).map_or("", |asks| asks.as_str());
            return invalid(
                &format!("{field}.{place}"),
                format!("sets {name}, which node {asked} asks for privately; use another variable"),
            );
        }
    }
    Ok(())
}

fn first_read<'a, 'b>(sources: impl Iterator<Item = &'b str>, private: &BTreeMap<&'a str, &NodeKey>) -> Option<&'a str> {
    sources.filter_map(|source| Expression::parse(source).ok()).find_map(|expression| private::reads(&expression, private))
}

/// Variables that a node sets where everybody can see it, each with its field.
fn writes(node: &Node) -> Vec<(String, &str)> {
    match node {
        Node::Set { values, .. } => values.keys().map(|name| (format!("values.{name}"), name.as_str())).collect(),
        Node::Collect(collect) if !collect.private => vec![("into".to_owned(), &collect.into)],
        Node::Survey(survey) => survey.into.iter().map(|name| ("into".to_owned(), name.as_str())).collect(),
        Node::AskService(asked) => {
            let taken = asked.take.keys().map(|name| (format!("take.{name}"), name.as_str()));
            taken.chain(asked.status.iter().map(|name| ("status".to_owned(), name.as_str()))).collect()
        }
        _ => Vec::new(),
    }
}

fn check_node(world: &World, flow: &Flow, field: &str, node: &Node, types: &BTreeMap<String, Type>) -> Result<(), Refusal> {
    for (name, told) in node.told() {
        check_told(&format!("{field}.{name}"), told, types)?;
    }
    for (name, expression) in node.expressions() {
        let wanted = match node {
            Node::Language { .. } => Type::String,
            Node::Queue { .. } if name == "priority" => Type::Int,
            Node::Set { .. } | Node::AskService(_) => Type::Any,
            _ => Type::Bool,
        };
        check_expression(&format!("{field}.{name}"), expression, wanted, types)?;
    }
    match node {
        Node::Menu(menu) => check_menu(field, menu),
        Node::Collect(collect) => check_collect(flow, field, collect),
        Node::Hours { hours, .. } if world.hours_of(*hours).is_none() => {
            invalid(&format!("{field}.hours"), format!("names {hours}, which does not exist; create the opening hours first"))
        }
        Node::Branch { cases, .. } if cases.is_empty() || cases.len() > FLOW_CASES => {
            invalid(&format!("{field}.cases"), format!("must hold 1 to {FLOW_CASES} conditions"))
        }
        Node::Set { values, .. } => {
            for (name, value) in values {
                let field = format!("{field}.values.{name}");
                let Some(variable) = flow.variables.get(name) else {
                    return invalid(&field, "is no variable of this flow; declare it under variables".to_owned());
                };
                check_expression(&field, value, variable.kind, types)?;
            }
            Ok(())
        }
        Node::Survey(survey) => check_survey(flow, field, survey),
        Node::AskService(asked) => check_service(world, flow, field, asked, types),
        Node::Queue { queue, skills, .. } => {
            config::check_destination(world, &format!("{field}.queue"), &Destination::Queue(*queue))?;
            let needs: Vec<SkillRequirement> =
                skills.iter().map(|asked| SkillRequirement { skill: asked.skill, level: asked.level }).collect();
            if needs.len() > SKILLS_ASKED {
                return invalid(&format!("{field}.skills"), format!("asks for more than {SKILLS_ASKED}"));
            }
            needs.iter().try_for_each(|need| config::check_skill(world, &format!("{field}.skills"), *need))
        }
        Node::Transfer { to, .. } if *to == Destination::Flow(flow.id) => {
            invalid(&format!("{field}.to"), "is this flow itself; lead to one of its nodes".to_owned())
        }
        Node::Transfer { to, .. } => config::check_destination(world, &format!("{field}.to"), to),
        Node::Voicemail { mailbox, .. } => config::check_destination(world, &format!("{field}.mailbox"), &Destination::Voicemail(*mailbox)),
        Node::Callback { queue, .. } => config::check_destination(world, &format!("{field}.queue"), &Destination::Callback(*queue)),
        Node::Greet { .. } | Node::Say { .. } | Node::Hours { .. } | Node::Branch { .. } | Node::Language { .. } | Node::HangUp { .. } => {
            Ok(())
        }
    }
}

fn check_told(field: &str, told: &Told, types: &BTreeMap<String, Type>) -> Result<(), Refusal> {
    if told.languages.len() > FLOW_LANGUAGES {
        return invalid(&format!("{field}.languages"), format!("holds more than {FLOW_LANGUAGES}"));
    }
    for language in told.languages.keys() {
        config::check_language(&format!("{field}.languages"), language)?;
    }
    for prompt in told.prompts() {
        config::check_announcement(field, prompt)?;
        if let Err(problem) = text::check(prompt, types) {
            return invalid(field, problem);
        }
    }
    Ok(())
}

fn check_expression(field: &str, expression: &Expression, wanted: Type, types: &BTreeMap<String, Type>) -> Result<(), Refusal> {
    match expression.check(types) {
        Ok(found) if found == wanted || found == Type::Any || wanted == Type::Any => Ok(()),
        Ok(found) => {
            let problem = format!("is {}, where {} is needed; convert it or change it", found.article(), wanted.article());
            invalid(field, problem)
        }
        Err(error) => invalid(field, error.to_string()),
    }
}

fn check_menu(field: &str, menu: &Menu) -> Result<(), Refusal> {
    if menu.keys.is_empty() {
        return invalid(&format!("{field}.keys"), "is empty; say what follows at least one key".to_owned());
    }
    if let Some(key) = menu.keys.keys().find(|key| !KEYS.contains(**key)) {
        return invalid(&format!("{field}.keys.{key}"), format!("is not a key of a telephone; choose one of {KEYS}"));
    }
    check_patience(field, menu.attempts, &[("wait", menu.wait)])
}

fn check_collect(flow: &Flow, field: &str, collect: &Collect) -> Result<(), Refusal> {
    match flow.variables.get(&collect.into).map(|variable| variable.kind) {
        Some(Type::String | Type::Int | Type::Any) => {}
        Some(_) => return invalid(&format!("{field}.into"), "has to be a string or an int; keys are nothing else".to_owned()),
        None => return invalid(&format!("{field}.into"), "is no variable of this flow; declare it under variables".to_owned()),
    }
    if !(1..=ANSWER_KEYS).contains(&collect.most) {
        return invalid(&format!("{field}.most"), format!("must be from 1 to {ANSWER_KEYS}"));
    }
    if !(1..=collect.most).contains(&collect.least) {
        return invalid(&format!("{field}.least"), "must be from 1 to what most says".to_owned());
    }
    if collect.end_key.is_some_and(|key| !"*#".contains(key)) {
        return invalid(&format!("{field}.end_key"), "must be * or #, or nothing".to_owned());
    }
    check_patience(field, collect.attempts, &[("wait", collect.wait), ("between", collect.between)])
}

fn check_survey(flow: &Flow, field: &str, survey: &Survey) -> Result<(), Refusal> {
    check_name(&format!("{field}.question"), &survey.question)?;
    if survey.most > 9 || survey.least >= survey.most {
        return invalid(&format!("{field}.most"), "must be a key from 1 to 9 that is higher than least".to_owned());
    }
    if let Some(name) = &survey.into
        && !flow.variables.get(name).is_some_and(|variable| matches!(variable.kind, Type::Int | Type::Any))
    {
        return invalid(&format!("{field}.into"), "has to name a variable of this flow that is an int".to_owned());
    }
    check_patience(field, survey.attempts, &[("wait", survey.wait)])
}

fn check_service(world: &World, flow: &Flow, field: &str, asked: &AskService, types: &BTreeMap<String, Type>) -> Result<(), Refusal> {
    if world.service(asked.service).is_none() {
        return invalid(&format!("{field}.service"), format!("there is no service {}; create it first", asked.service));
    }
    // Elsewhere than within the service nothing is asked; whatever is computed is a name within the path.
    let apart = asked.path.contains("//") || asked.path.contains(['?', '#', '\\']) || asked.path.chars().any(char::is_whitespace);
    if !asked.path.starts_with('/') || apart || asked.path.len() > SERVICE_PATH_BYTES {
        let remedy = format!("has to be a path of up to {SERVICE_PATH_BYTES} characters such as /customers/{{caller}}; values go to send");
        return invalid(&format!("{field}.path"), remedy);
    }
    if let Err(problem) = text::check_text(&asked.path, types) {
        return invalid(&format!("{field}.path"), problem);
    }
    if asked.send.len() > FLOW_VARIABLES {
        return invalid(&format!("{field}.send"), format!("holds more than {FLOW_VARIABLES}"));
    }
    if let Some(name) = asked.send.keys().find(|name| name.is_empty() || name.len() > 40 || name.chars().any(char::is_control)) {
        return invalid(&format!("{field}.send"), format!("\"{name}\" is no name; use 1 to 40 characters"));
    }
    for (name, place) in &asked.take {
        let field = format!("{field}.take.{name}");
        if !flow.variables.contains_key(name) {
            return invalid(&field, "is no variable of this flow; declare it under variables".to_owned());
        }
        if place.len() > SERVICE_PATH_BYTES || !service::is_place(place) {
            return invalid(&field, "has to be a JSON Pointer such as /customer/name".to_owned());
        }
    }
    if let Some(name) = &asked.status
        && !flow.variables.get(name).is_some_and(|variable| matches!(variable.kind, Type::Int | Type::Any))
    {
        return invalid(&format!("{field}.status"), "has to name a variable of this flow that is an int".to_owned());
    }
    config::check_span(&format!("{field}.limit"), asked.limit, *SERVICE_LIMIT.start(), *SERVICE_LIMIT.end())
}

fn check_patience(field: &str, attempts: u8, waits: &[(&str, crate::time::Millis)]) -> Result<(), Refusal> {
    if !(1..=ASK_ATTEMPTS).contains(&attempts) {
        return invalid(&format!("{field}.attempts"), format!("must be from 1 to {ASK_ATTEMPTS}"));
    }
    waits.iter().try_for_each(|(name, wait)| config::check_span(&format!("{field}.{name}"), *wait, *ASK_WAIT.start(), *ASK_WAIT.end()))
}
