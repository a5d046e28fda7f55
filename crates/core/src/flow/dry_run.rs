//! A flow carried out on paper: what a caller would hear who answers like this.

use super::{Doing, Flow, Heard, NodeKey, PRIVATE_KEY, PRIVATE_VALUE, Run, ServiceAnswer, ServiceRequest, Situation, Step, Typed};
use crate::{
    config::Destination,
    endpoint::{Line, Party},
    expression::Value,
    limits::{FLOW_MAX, FLOW_STEPS, TEXT_CHARS},
    output::Prompt,
    queue::Request,
    text::clip,
    time::Timestamp,
    world::World,
};
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;

/// The call that is played through.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Script {
    /// Who calls.
    #[serde(default)]
    pub caller: Party,
    /// What was dialed.
    #[serde(default)]
    pub dialed: String,
    /// Over which line.
    pub line: Line,
    /// The language spoken, as far as it is known at the beginning.
    #[serde(default)]
    pub language: Option<String>,
    /// When. The clock stands still meanwhile.
    pub at: Timestamp,
    /// What comes whenever the flow waits for something, in order. After the last, nothing comes any more.
    #[serde(default)]
    pub answers: Vec<Answer>,
}

/// One thing that comes while a flow waits.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    /// The caller presses these keys, one after the other.
    Keys(String),
    /// The caller does nothing until the time is up.
    Nothing,
    /// Whom the flow would hand the caller to, or the queue it leads to, cannot be had; or a service that is asked.
    Unavailable,
    /// A service that is asked answers this.
    Service(ServiceAnswer),
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Trace {
    /// Node by node.
    pub steps: Vec<TraceStep>,
    /// How it ended.
    pub end: TraceEnd,
}

/// One node.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TraceStep {
    /// Which.
    pub node: NodeKey,
    /// What the caller heard there, in order.
    pub said: Vec<Prompt>,
    /// What a service was asked there.
    pub asked: Option<ServiceRequest>,
    /// Keys pressed there; [`PRIVATE_VALUE`] where they are private.
    pub keyed: String,
    /// The way out that was taken; `None` at the end.
    pub exit: Option<String>,
    /// Variables that changed.
    pub set: Vec<(String, Value)>,
    /// What could not be computed and was passed over.
    pub problem: Option<String>,
}

/// How a dry run ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum TraceEnd {
    /// The caller was led out of the flow.
    Led {
        /// Where.
        to: Destination,
        /// With what, into a queue.
        request: Option<Box<Request>>,
    },
    /// The caller was let go.
    Finished,
    /// The flow could not go on, and the caller went to its fallback.
    Fallback {
        /// Why.
        problem: String,
    },
}

/// Plays a call through. The flow should be valid in this world; what is missing shows in the trace.
pub fn dry_run(world: &World, flow: &Flow, script: &Script) -> Trace {
    let mut paper = Paper {
        world,
        flow,
        script,
        language: script.language.clone(),
        run: Run::new(flow, 0, script.at, script.at + FLOW_MAX),
        answers: script.answers.iter().cloned().collect(),
        keys: VecDeque::new(),
        typed: Typed::default(),
        steps: Vec::new(),
    };
    let end = paper.play().unwrap_or_else(|problem| TraceEnd::Fallback { problem: clip(problem, TEXT_CHARS) });
    Trace { steps: paper.steps, end }
}

struct Paper<'a> {
    world: &'a World,
    flow: &'a Flow,
    script: &'a Script,
    language: Option<String>,
    run: Run,
    answers: VecDeque<Answer>,
    /// Keys of the answer at hand that are still to be pressed.
    keys: VecDeque<char>,
    typed: Typed,
    steps: Vec<TraceStep>,
}

impl Paper<'_> {
    fn play(&mut self) -> Result<TraceEnd, String> {
        loop {
            self.steps.push(TraceStep {
                node: self.run.node.clone(),
                said: Vec::new(),
                asked: None,
                keyed: String::new(),
                exit: None,
                set: Vec::new(),
                problem: None,
            });
            let step = match self.situation().arrive()? {
                Doing::Pass(step) => step,
                Doing::Say(prompt) => {
                    self.hear(prompt);
                    self.situation().said().map_err(|_| "nothing follows what was said".to_owned())?
                }
                Doing::Ask(prompt) => {
                    self.hear(prompt);
                    self.answer()?
                }
                Doing::AskService(_, request) => {
                    self.last(|step| step.asked = Some(*request));
                    self.service().ok_or_else(|| "the node asks no service".to_owned())?
                }
                Doing::Lead(to, request) => {
                    if self.answers.front() != Some(&Answer::Unavailable) {
                        return Ok(TraceEnd::Led { to, request });
                    }
                    self.answers.pop_front();
                    self.situation().not_had().ok_or_else(|| "where the node leads cannot be had".to_owned())?
                }
                Doing::Finish(prompt) => {
                    prompt.into_iter().for_each(|prompt| self.hear(prompt));
                    return Ok(TraceEnd::Finished);
                }
            };
            self.take(step);
            if self.run.steps >= FLOW_STEPS {
                return Err(format!("it takes more than {FLOW_STEPS} steps; look for a loop that never waits"));
            }
        }
    }

    /// What the script has for a question.
    fn answer(&mut self) -> Result<Step, String> {
        loop {
            if self.keys.is_empty()
                && let Some(Answer::Keys(keys)) = self.answers.front()
            {
                self.keys = keys.chars().collect();
                self.answers.pop_front();
            }
            let heard = match self.keys.pop_front() {
                Some(key) => {
                    let (private, part) = (self.situation().is_private(), self.situation().types_privately(key));
                    self.last(|step| match private {
                        true => PRIVATE_VALUE.clone_into(&mut step.keyed),
                        false => step.keyed.push(key),
                    });
                    let heard = self.situation().pressed(key)?;
                    if part && matches!(heard, Heard::Answered(_)) {
                        // What is typed beyond a private answer counts nowhere.
                        self.keys.clear();
                    }
                    heard
                }
                None => {
                    if self.answers.front() == Some(&Answer::Nothing) {
                        self.answers.pop_front();
                    }
                    self.situation().nothing_pressed()?
                }
            };
            match heard {
                Heard::More(key, _) if self.situation().is_private() => {
                    self.run.keyed.push(PRIVATE_KEY);
                    self.typed.keyed.push(key);
                }
                Heard::More(key, _) => self.run.keyed.push(key),
                Heard::Answered(step) => return Ok(step),
                Heard::Again(prompt) => {
                    self.run.keyed.clear();
                    self.typed.keyed.clear();
                    self.run.attempt = self.run.attempt.saturating_add(1);
                    self.hear(prompt);
                }
            }
        }
    }

    /// What the script has for a service that is asked; whatever else comes, the service does not answer.
    fn service(&mut self) -> Option<Step> {
        match self.answers.front().cloned() {
            Some(Answer::Service(answer)) => {
                self.answers.pop_front();
                self.situation().answered(&answer)
            }
            Some(Answer::Unavailable) => {
                self.answers.pop_front();
                self.situation().unanswered("the service cannot be reached".to_owned())
            }
            Some(Answer::Nothing) => {
                self.answers.pop_front();
                self.situation().service_late()
            }
            Some(Answer::Keys(_)) | None => self.situation().service_late(),
        }
    }

    fn take(&mut self, step: Step) {
        if let Some(language) = step.language {
            self.language = language.map(|tag| tag.to_ascii_lowercase());
        }
        let mut set = step.set;
        let kept = step.kept.as_ref().map(|kept| kept.name.as_str());
        self.run.step(&step.to, &set, kept);
        self.typed.keyed.clear();
        if let Some((name, value)) = step.kept.as_ref().and_then(|kept| Some((kept.name.clone(), kept.value()?.clone()))) {
            set.push((name.clone(), Value::from(PRIVATE_VALUE)));
            self.typed.values.insert(name, value);
        }
        self.last(|last| (last.exit, last.set, last.problem) = (Some(step.exit), set, step.problem));
    }

    fn hear(&mut self, prompt: Prompt) {
        self.last(|step| step.said.push(prompt));
    }

    fn last(&mut self, change: impl FnOnce(&mut TraceStep)) {
        if let Some(step) = self.steps.last_mut() {
            change(step);
        }
    }

    fn situation(&self) -> Situation<'_> {
        Situation {
            world: self.world,
            flow: self.flow,
            at: self.script.at,
            caller: &self.script.caller,
            dialed: &self.script.dialed,
            line: self.script.line,
            language: self.language.as_deref(),
            queue: None,
            request: Request { language: self.language.clone(), ..Request::default() },
            greeted: false,
            run: &self.run,
            typed: Some(&self.typed),
        }
    }
}
