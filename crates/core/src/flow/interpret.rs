//! What a node wants of whoever carries the flow out, and what follows from what happens there. Does nothing itself.

use super::{
    AskService, Collect, Flow, Node, NodeKey, PathPart, PrivateValue, Run, Score, ServiceAnswer, ServiceRequest, Told, Typed, private, text,
};
use crate::{
    config::{Destination, check_language},
    conversation::Conversation,
    endpoint::{Line, Party},
    expression::{Expression, Scope, Type, Value},
    ids::ServiceId,
    limits::{FLOW_VALUE_BYTES, PRIORITY_MAX},
    output::Prompt,
    queue::{Request, SkillRequirement},
    time::{Millis, Timestamp},
    world::World,
};
use std::collections::{BTreeMap, BTreeSet};

/// Why a private question is put again.
const FORGOTTEN: &str = "what was typed privately went with the process that heard it";

/// What a flow can look at beside its own variables, with the types expressions see.
const BUILT_IN: &[(&str, Type)] = &[
    ("caller", Type::String),
    ("caller_name", Type::String),
    ("dialed", Type::String),
    ("line", Type::String),
    ("language", Type::String),
    ("queue", Type::String),
    ("now", Type::Timestamp),
    ("hours", Type::Map),
];

/// A way out of a node.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Step {
    /// Its name, as [`Node::exits`] says.
    pub(crate) exit: String,
    /// Where it leads.
    pub(crate) to: NodeKey,
    /// Variables that change with it.
    pub(crate) set: Vec<(String, Value)>,
    /// The language the customer speaks from now on, where the node says so; `None` within for none in particular.
    pub(crate) language: Option<Option<String>>,
    /// What could not be computed and was passed over.
    pub(crate) problem: Option<String>,
    /// The score the customer gave with it.
    pub(crate) score: Option<Score>,
    /// The variable that takes what the customer typed privately.
    pub(crate) kept: Option<PrivateValue>,
}

impl Step {
    pub(crate) fn new(exit: &str, to: &str) -> Step {
        Step { exit: exit.to_owned(), to: to.to_owned(), set: Vec::new(), language: None, problem: None, score: None, kept: None }
    }
}

/// What a node wants when a customer comes to it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Doing {
    /// Nothing: on at once.
    Pass(Step),
    /// Say this, then go on.
    Say(Prompt),
    /// Put a question.
    Ask(Prompt),
    /// Ask a service.
    AskService(ServiceId, Box<ServiceRequest>),
    /// Lead the customer out of the flow; into a queue with this request.
    Lead(Destination, Option<Box<Request>>),
    /// Let the customer go.
    Finish(Option<Prompt>),
}

/// What follows a key or its absence.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Heard {
    /// It is part of an answer that is not complete; the next one is waited for this long.
    More(char, Millis),
    /// It answers the question.
    Answered(Step),
    /// It does not: the question is put again in these words.
    Again(Prompt),
}

/// What a flow knows about the call when it has to decide.
pub(crate) struct Situation<'a> {
    pub(crate) world: &'a World,
    pub(crate) flow: &'a Flow,
    pub(crate) at: Timestamp,
    pub(crate) caller: &'a Party,
    pub(crate) dialed: &'a str,
    pub(crate) line: Line,
    pub(crate) language: Option<&'a str>,
    pub(crate) queue: Option<&'a str>,
    /// What number and call ask of queues already.
    pub(crate) request: Request,
    /// The customer has been in a flow before.
    pub(crate) greeted: bool,
    pub(crate) run: &'a Run,
    /// What the customer typed privately, as far as this process was there.
    pub(crate) typed: Option<&'a Typed>,
}

/// The types of everything expressions of this flow can look at.
pub(super) fn types(flow: &Flow) -> BTreeMap<String, Type> {
    let own = flow.variables.iter().map(|(name, variable)| (name.clone(), variable.kind));
    own.chain(BUILT_IN.iter().map(|(name, kind)| ((*name).to_owned(), *kind))).collect()
}

/// Whether flows cannot have a variable of this name, because it means something already.
pub(super) fn is_built_in(name: &str) -> bool {
    BUILT_IN.iter().any(|(known, _)| *known == name)
}

impl<'a> Situation<'a> {
    /// Of a real conversation that is in a flow.
    pub(crate) fn of(
        world: &'a World,
        found: &'a Conversation,
        flow: &'a Flow,
        run: &'a Run,
        typed: Option<&'a Typed>,
        at: Timestamp,
    ) -> Situation<'a> {
        let queue = found.last_queue.and_then(|queue| world.queue(queue));
        Situation {
            world,
            flow,
            at,
            caller: &found.caller,
            dialed: &found.dialed,
            line: found.line,
            language: found.language.as_deref(),
            queue: queue.map(|queue| queue.settings.name.as_str()),
            request: found.request(),
            greeted: found.flows > 1,
            run,
            typed,
        }
    }

    fn node(&self) -> Result<&'a Node, String> {
        self.flow.nodes.get(&self.run.node).ok_or_else(|| format!("there is no node {}", self.run.node))
    }

    /// What the customer's node wants now.
    ///
    /// # Errors
    /// Why the flow cannot go on.
    pub(crate) fn arrive(&self) -> Result<Doing, String> {
        let node = self.node()?;
        Ok(match node {
            Node::Greet { next, .. } if self.greeted => Doing::Pass(Step::new("next", next)),
            Node::Greet { says, .. } | Node::Say { says, .. } => Doing::Say(self.words(says)?),
            Node::Menu(menu) => Doing::Ask(self.words(&menu.says)?),
            Node::Survey(survey) => Doing::Ask(self.words(&survey.says)?),
            Node::Collect(collect) => Doing::Ask(self.words(&collect.says)?),
            Node::Hours { hours, open, closed } => {
                let state = self.world.is_open(*hours, self.at).ok_or_else(|| format!("there are no opening hours {hours} any more"))?;
                Doing::Pass(if state.open { Step::new("open", open) } else { Step::new("closed", closed) })
            }
            Node::Branch { cases, otherwise } => {
                let mut problem = None;
                for (index, case) in cases.iter().enumerate() {
                    match self.truth(&case.when) {
                        Ok(true) => return Ok(Doing::Pass(Step { problem, ..Step::new(&format!("cases[{index}].to"), &case.to) })),
                        Ok(false) => {}
                        Err(error) => problem = Some(error),
                    }
                }
                Doing::Pass(Step { problem, ..Step::new("otherwise", otherwise) })
            }
            Node::Set { values, next } => {
                let computed = values.iter().map(|(name, value)| Ok((name.clone(), self.storable(name, self.value(value)?)?)));
                Doing::Pass(Step { set: computed.collect::<Result<_, String>>()?, ..Step::new("next", next) })
            }
            Node::Language { language, next } => {
                let tag = self.value(language)?;
                let tag = tag.as_str().ok_or_else(|| "the language has to be a text such as \"de\"".to_owned())?;
                let tag = (!tag.is_empty()).then(|| tag.to_owned());
                if let Some(tag) = &tag {
                    check_language("language", tag).map_err(|refusal| refusal.to_string())?;
                }
                Doing::Pass(Step { language: Some(tag), ..Step::new("next", next) })
            }
            Node::AskService(asked) => match (self.forgotten(asked), self.service_request(asked)) {
                (Some(question), _) => Doing::Pass(Step { problem: Some(FORGOTTEN.to_owned()), ..Step::new("asked_again", question) }),
                (None, Ok(request)) => Doing::AskService(asked.service, Box::new(request)),
                (None, Err(problem)) => Doing::Pass(asked.failed(problem)),
            },
            Node::Queue { queue, priority, skills, .. } => {
                let mut request = self.request.clone();
                if let Some(priority) = priority {
                    let number = self.value(priority)?.as_int().ok_or_else(|| "the priority has to be a whole number".to_owned())?;
                    request.priority = Some(u8::try_from(number.clamp(0, PRIORITY_MAX.into())).unwrap_or(PRIORITY_MAX));
                }
                for asked in skills {
                    let wanted = match &asked.when {
                        Some(when) => self.truth(when)?,
                        None => true,
                    };
                    if wanted && self.world.skill(asked.skill).is_some() {
                        request.skills.push(SkillRequirement { skill: asked.skill, level: asked.level });
                    }
                }
                Doing::Lead(Destination::Queue(*queue), Some(Box::new(request)))
            }
            Node::Transfer { to, .. } => Doing::Lead(to.clone(), None),
            Node::Voicemail { mailbox, .. } => Doing::Lead(Destination::Voicemail(*mailbox), None),
            Node::Callback { queue, .. } => Doing::Lead(Destination::Callback(*queue), None),
            Node::HangUp { says } => Doing::Finish(says.as_ref().map(|says| self.words(says)).transpose()?),
        })
    }

    /// What was to be said has been said: on, or waiting for a key this long.
    pub(crate) fn said(&self) -> Result<Step, Millis> {
        match self.node() {
            Ok(Node::Menu(menu)) => Err(menu.wait),
            Ok(Node::Collect(collect)) => Err(collect.wait),
            Ok(Node::Survey(survey)) => Err(survey.wait),
            Ok(Node::Greet { next, .. } | Node::Say { next, .. }) => Ok(Step::new("next", next)),
            // Nothing is said elsewhere; should it be, the customer is not left standing.
            _ => Err(Millis::from_secs(1)),
        }
    }

    /// What the node asks a service, or why it cannot.
    fn service_request(&self, asked: &AskService) -> Result<ServiceRequest, String> {
        if self.world.service(asked.service).is_none() {
            return Err("there is no such service any more".to_owned());
        }
        let path = text::compute(&asked.path, &self.scope(&text::sources_of(&asked.path)))?.into_iter();
        let path = path.map(|(computed, piece)| if computed { PathPart::Computed(piece) } else { PathPart::Written(piece) });
        let known = self.flow.private_variables();
        let (hidden, open): (Vec<_>, Vec<_>) = asked.send.iter().partition(|(_, value)| private::reads(value, &known).is_some());
        let send = open.into_iter().map(|(name, value)| Ok((name.clone(), keepable(name, self.value(value)?)?)));
        let hidden = hidden.into_iter().map(|(name, value)| Ok(PrivateValue::new(name, keepable(name, self.private_value(value)?)?)));
        Ok(ServiceRequest {
            method: asked.method,
            path: path.collect(),
            send: send.collect::<Result<_, String>>()?,
            private: hidden.collect::<Result<_, String>>()?,
            limit: asked.limit,
        })
    }

    /// The node that has to ask again for what is sent to a service and was typed in a process that is gone.
    fn forgotten(&self, asked: &AskService) -> Option<&'a NodeKey> {
        let known = self.flow.private_variables();
        let sent: BTreeSet<&str> = asked.send.values().flat_map(Expression::variables).collect();
        let has = |name: &str| self.typed.is_some_and(|typed| typed.values.contains_key(name));
        let lost = known.keys().find(|name| sent.contains(**name) && self.run.private.contains_key(**name) && !has(name))?;
        self.run.private.get(*lost)
    }

    /// Computes what may hold something private: why it fails may say what it is.
    fn private_value(&self, expression: &Expression) -> Result<Value, String> {
        let mut scope = self.scope(&[expression.source()]);
        for (name, value) in self.typed.iter().flat_map(|typed| &typed.values) {
            scope.set(name.clone(), value.clone());
        }
        expression.evaluate(&scope).map_err(|_| format!("{expression} cannot be computed of what was typed"))
    }

    /// Whether what is typed now is private.
    pub(crate) fn is_private(&self) -> bool {
        self.flow.private_question(&self.run.node).is_some()
    }

    /// Whether part of a private answer was typed in a process that is gone.
    pub(crate) fn is_forgotten(&self) -> bool {
        self.is_private() && self.keyed().chars().count() != self.run.keyed.chars().count()
    }

    /// Whether this key is part of an answer that is private, rather than the one that ends it.
    pub(crate) fn types_privately(&self, key: char) -> bool {
        self.flow.private_question(&self.run.node).is_some_and(|collect| collect.end_key != Some(key))
    }

    /// Keys of the answer so far.
    fn keyed(&self) -> &'a str {
        if self.is_private() { self.typed.map_or("", |typed| typed.keyed.as_str()) } else { &self.run.keyed }
    }

    fn asked_service(&self) -> Option<&'a AskService> {
        match self.node() {
            Ok(Node::AskService(asked)) => Some(asked),
            _ => None,
        }
    }

    /// Whether a service is being asked.
    pub(crate) fn asks_service(&self) -> bool {
        self.asked_service().is_some()
    }

    /// The way on after a service's answer.
    pub(crate) fn answered(&self, answer: &ServiceAnswer) -> Option<Step> {
        self.asked_service().map(|asked| asked.answered(self.flow, answer))
    }

    /// The way on when a service could not be asked.
    pub(crate) fn unanswered(&self, problem: String) -> Option<Step> {
        self.asked_service().map(|asked| asked.failed(problem))
    }

    /// The way on when a service did not answer in time.
    pub(crate) fn service_late(&self) -> Option<Step> {
        self.asked_service().map(AskService::timed_out)
    }

    /// Whether a key counts while the prompt plays.
    pub(crate) fn may_interrupt(&self) -> bool {
        match self.node() {
            Ok(Node::Say { interrupt, .. }) => *interrupt,
            Ok(Node::Menu(menu)) => menu.interrupt,
            Ok(Node::Collect(collect)) => collect.interrupt,
            Ok(Node::Survey(survey)) => survey.interrupt,
            _ => false,
        }
    }

    /// Whether the node puts a question.
    pub(crate) fn asks(&self) -> bool {
        matches!(self.node(), Ok(Node::Menu(_) | Node::Collect(_) | Node::Survey(_)))
    }

    /// The question in its own words.
    ///
    /// # Errors
    /// Why the flow cannot go on.
    pub(crate) fn question(&self) -> Result<Prompt, String> {
        match self.arrive()? {
            Doing::Ask(prompt) => Ok(prompt),
            _ => Err("nothing was asked".to_owned()),
        }
    }

    /// The customer pressed a key where the node asks for one.
    ///
    /// # Errors
    /// Why the flow cannot go on.
    pub(crate) fn pressed(&self, key: char) -> Result<Heard, String> {
        match self.node()? {
            Node::Menu(menu) => match menu.keys.get(&key) {
                Some(to) => Ok(Heard::Answered(Step::new(&format!("keys.{key}"), to))),
                None => self.again(),
            },
            Node::Survey(survey) => match survey.scored(key) {
                Some(step) => Ok(Heard::Answered(step)),
                None => self.again(),
            },
            Node::Collect(collect) if collect.end_key == Some(key) => self.complete(collect, self.keyed()),
            Node::Collect(collect) if key.is_ascii_digit() || collect.end_key.is_none() => {
                let keyed = format!("{}{key}", self.keyed());
                if keyed.len() >= usize::from(collect.most) {
                    self.complete(collect, &keyed)
                } else {
                    Ok(Heard::More(key, collect.between))
                }
            }
            Node::Collect(_) => self.again(),
            _ => Err("a key came where none is asked for".to_owned()),
        }
    }

    /// No key came in time.
    ///
    /// # Errors
    /// Why the flow cannot go on.
    pub(crate) fn nothing_pressed(&self) -> Result<Heard, String> {
        match self.node()? {
            Node::Collect(collect) if !self.keyed().is_empty() => self.complete(collect, self.keyed()),
            _ => self.again(),
        }
    }

    /// The way on when the destination of the node cannot be had; `None` for the fallback.
    pub(crate) fn not_had(&self) -> Option<Step> {
        match self.node() {
            Ok(
                Node::Queue { otherwise, .. }
                | Node::Transfer { otherwise, .. }
                | Node::Voicemail { otherwise, .. }
                | Node::Callback { otherwise, .. },
            ) => otherwise.as_ref().map(|to| Step::new("otherwise", to)),
            _ => None,
        }
    }

    /// An answer is complete: right, or wrong.
    fn complete(&self, collect: &Collect, keyed: &str) -> Result<Heard, String> {
        if keyed.len() < usize::from(collect.least) {
            return self.again();
        }
        let whole = self.flow.variables.get(&collect.into).is_some_and(|variable| variable.kind == Type::Int);
        let value = match (whole, keyed.parse::<i64>()) {
            (true, Ok(number)) => Value::Int(number),
            (true, Err(_)) => return self.again(),
            (false, _) => Value::from(keyed),
        };
        if let Some(check) = &collect.check {
            let scope = self.scope(&[check.source()]).with(collect.into.clone(), value.clone());
            let right = check.evaluate(&scope).map_err(|error| match collect.private {
                true => format!("{check} cannot be computed of what was typed"),
                false => format!("{check}: {error}"),
            })?;
            if right != Value::Bool(true) {
                return self.again();
            }
        }
        if collect.private {
            let kept = Some(PrivateValue::new(&collect.into, value));
            return Ok(Heard::Answered(Step { kept, ..Step::new("next", &collect.next) }));
        }
        Ok(Heard::Answered(Step { set: vec![(collect.into.clone(), value)], ..Step::new("next", &collect.next) }))
    }

    /// A wrong answer, or none: the question again as long as there are attempts.
    fn again(&self) -> Result<Heard, String> {
        let (says, wrong, attempts, otherwise) = match self.node()? {
            Node::Menu(menu) => (&menu.says, &menu.wrong, menu.attempts, &menu.otherwise),
            Node::Collect(collect) => (&collect.says, &collect.wrong, collect.attempts, &collect.otherwise),
            Node::Survey(survey) => (&survey.says, &survey.wrong, survey.attempts, &survey.otherwise),
            _ => return Err("nothing was asked".to_owned()),
        };
        if self.run.attempt >= attempts {
            return Ok(Heard::Answered(Step::new("otherwise", otherwise)));
        }
        Ok(Heard::Again(self.words(wrong.as_ref().unwrap_or(says))?))
    }

    fn words(&self, told: &Told) -> Result<Prompt, String> {
        let prompt = told.choose(self.language);
        let sources = text::sources(prompt);
        if sources.is_empty() { Ok(prompt.clone()) } else { text::fill(prompt, &self.scope(&sources)) }
    }

    fn truth(&self, expression: &Expression) -> Result<bool, String> {
        self.value(expression)?.as_bool().ok_or_else(|| format!("{expression} is neither true nor false"))
    }

    fn value(&self, expression: &Expression) -> Result<Value, String> {
        expression.evaluate(&self.scope(&[expression.source()])).map_err(|error| format!("{expression}: {error}"))
    }

    /// A value as a variable can hold it.
    fn storable(&self, name: &str, value: Value) -> Result<Value, String> {
        let Some(variable) = self.flow.variables.get(name) else { return Err(format!("there is no variable {name}")) };
        if !variable.takes(&value) {
            return Err(format!("the value for {name} is not of the kind it was declared with"));
        }
        keepable(name, value)
    }

    /// Everything expressions with these texts can look at.
    fn scope(&self, sources: &[&str]) -> Scope {
        let mut scope = self.run.variables.clone();
        scope.set("caller", self.caller.number.clone().unwrap_or_default());
        scope.set("caller_name", self.caller.name.clone().unwrap_or_default());
        scope.set("dialed", self.dialed);
        scope.set("line", self.line.as_str());
        scope.set("language", self.language.unwrap_or_default());
        scope.set("queue", self.queue.unwrap_or_default());
        scope.set("now", self.at);
        // To compute all opening hours of a large tenant would take too long; those that are not named are not looked at.
        let named = |name: &str| sources.iter().any(|source| source.contains(name));
        let open = |id| self.world.is_open(id, self.at).is_some_and(|state| state.open);
        let hours = self.world.hours().filter(|hours| named(&hours.name)).map(|hours| (hours.name.clone(), Value::Bool(open(hours.id))));
        scope.set("hours", if named("hours") { Value::map(hours) } else { Value::map::<String>([]) });
        scope
    }
}

/// A value that is small enough to be kept.
fn keepable(name: &str, value: Value) -> Result<Value, String> {
    match weight(&value) {
        Some(bytes) if bytes <= FLOW_VALUE_BYTES => Ok(value),
        Some(_) => Err(format!("the value for {name} is longer than {FLOW_VALUE_BYTES} bytes")),
        None => Err(format!("the value for {name} is infinite or not a number")),
    }
}

/// About how many bytes a value takes; nothing for numbers that cannot be kept.
pub(super) fn weight(value: &Value) -> Option<usize> {
    const EACH: usize = 8;
    match value {
        Value::Null | Value::Bool(_) | Value::Int(_) | Value::Timestamp(_) | Value::Duration(_) => Some(EACH),
        Value::Double(number) => number.is_finite().then_some(EACH),
        Value::String(text) => Some(EACH + text.len()),
        Value::List(list) => list.iter().try_fold(EACH, |sum, element| Some(sum + weight(element)?)),
        Value::Map(map) => map.iter().try_fold(EACH, |sum, (key, value)| Some(sum + EACH + key.to_string().len() + weight(value)?)),
    }
}
