//! A day as text: one line per fact that a supervisor would care about, and per thing that went wrong.

use crate::plan::MIDNIGHT;
use dreiklang_core::{
    Action, Actor, Command, Event, Stamped, World,
    agent::Availability,
    conversation::Role,
    ids::{AgentId, ConversationId, LegId, QueueId},
    queue::Outcome,
    time::{Millis, Timestamp},
};
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Debug,
};

/// The lines so far.
#[derive(Debug, Default)]
pub struct Trace {
    wanted: bool,
    lines: Vec<String>,
    calls: BTreeMap<ConversationId, usize>,
    kinds: BTreeSet<String>,
    facts: BTreeMap<String, String>,
}

/// What is worth telling apart though it is the same kind of fact.
fn moment(event: &Event) -> Option<&'static str> {
    match event {
        Event::FlowStepped { private: Some(_), .. } => Some("Moment::TypedPrivately"),
        Event::FlowStepped { exit, .. } if exit == "asked_again" => Some("Moment::TypedInAnotherProcess"),
        // The first attempt begins anew.
        Event::FlowAskedAgain { attempt: 1, .. } => Some("Moment::TypedInAnotherProcess"),
        Event::RecordingPaused { by: Actor::System, .. } => Some("Moment::PausedForWhatIsPrivate"),
        _ => None,
    }
}

/// The name of an enum's variant, as the source calls it.
pub fn kind(value: &impl Debug) -> String {
    let text = format!("{value:?}");
    text.chars().take_while(char::is_ascii_alphanumeric).collect()
}

/// What tells facts apart that are to be read for ever: the fact's kind, and that of the wish or document in it.
pub fn fact_kind(event: &Event) -> String {
    match event {
        Event::ActionRequested { wish, .. } => format!("ActionRequested {}", kind(wish)),
        Event::Configured { change } => format!("Configured {}", kind(change)),
        _ => kind(event),
    }
}

/// `09:14:03.120`, since midnight of the day; a day later it goes on with `1+09:14:03.120`.
pub fn clock(at: Timestamp) -> String {
    let ms = at.since(MIDNIGHT).0;
    let (days, hours, minutes, seconds) = (ms / 86_400_000, ms / 3_600_000 % 24, ms / 60_000 % 60, ms / 1_000 % 60);
    let days = if days > 0 { format!("{days}+") } else { String::new() };
    format!("{days}{hours:02}:{minutes:02}:{seconds:02}.{:03}", ms % 1_000)
}

fn seconds(span: Millis) -> String {
    if span.0.is_multiple_of(1_000) { format!("{} s", span.0 / 1_000) } else { format!("{:.1} s", span.0 as f64 / 1_000.0) }
}

impl Trace {
    pub(crate) fn new(wanted: bool) -> Trace {
        Trace { wanted, ..Trace::default() }
    }

    /// Lines, kinds of everything, and the first fact of each kind.
    pub(crate) fn into_parts(self) -> (Vec<String>, BTreeSet<String>, BTreeMap<String, String>) {
        (self.lines, self.kinds, self.facts)
    }

    pub(crate) fn note(&mut self, at: Timestamp, text: &str) {
        if self.wanted {
            self.lines.push(format!("{} -- {text}", clock(at)));
        }
    }

    pub(crate) fn action(&mut self, wish: &Action) {
        if self.wanted {
            self.kinds.insert(format!("Action::{}", kind(wish)));
        }
    }

    pub(crate) fn command(&mut self, command: &Command) {
        if self.wanted {
            self.kinds.insert(format!("Command::{}", kind(command)));
        }
    }

    /// A fact, and the world right after it.
    pub(crate) fn fact(&mut self, stamped: &Stamped, world: &World) {
        if !self.wanted {
            return;
        }
        self.kinds.insert(format!("Event::{}", kind(&stamped.event)));
        self.facts.entry(fact_kind(&stamped.event)).or_insert_with(|| serde_json::to_string(stamped).unwrap_or_default());
        self.kinds.extend(moment(&stamped.event).map(str::to_owned));
        if let Event::ConversationStarted { conversation, .. } = &stamped.event {
            let number = self.calls.len() + 1;
            self.calls.insert(*conversation, number);
        }
        if let Some(text) = self.say(stamped, world) {
            self.lines.push(format!("{} {text}", clock(stamped.at)));
        }
    }

    fn call(&self, conversation: &ConversationId) -> String {
        match self.calls.get(conversation) {
            Some(number) => format!("call {number}"),
            None => conversation.to_string(),
        }
    }

    fn say(&self, stamped: &Stamped, world: &World) -> Option<String> {
        let call = |conversation| self.call(conversation);
        Some(match &stamped.event {
            Event::Configured { change } if world.at() > MIDNIGHT => format!("an administrator: {change:?}"),
            Event::Configured { .. } => return None,
            Event::ConversationStarted { conversation, caller, dialed, line, .. } => {
                let caller = caller.number.as_deref().unwrap_or("somebody");
                format!("{} begins: {caller} dials {dialed} on the {} line", call(conversation), line.as_str())
            }
            Event::LegAdded { conversation, role, leg, .. } if *role != Role::Customer => {
                format!("{} is connected to {}: {leg} is called", call(conversation), who(world, *role))
            }
            Event::LegConnected { conversation, leg, .. } => format!("{}: {} answers", call(conversation), whose(world, *leg)),
            Event::LegEnded { conversation, leg, role, termination, cause, given_up, .. } => {
                let cause = match (cause, given_up) {
                    (_, true) => "given up".to_owned(),
                    (Some(cause), false) => format!("the line says {:?}", cause.kind),
                    (None, false) => "the line says nothing".to_owned(),
                };
                let (result, reason) = (termination.result, termination.reason);
                format!("{}: {}'s leg {leg} ends: {result:?}, {reason:?} ({cause})", call(conversation), who(world, *role))
            }
            Event::SegmentClosed { conversation, kind, from, to, next, .. } => match next {
                Some(next) => format!("{} goes from {kind:?} to {next:?} after {}", call(conversation), seconds(to.since(*from))),
                None => format!("{} leaves {kind:?} after {}", call(conversation), seconds(to.since(*from))),
            },
            Event::VisitStarted { conversation, queue, priority, .. } => {
                format!("{} waits in {} with priority {priority}", call(conversation), queue_name(world, *queue))
            }
            Event::VisitEnded { conversation, queue, outcome, wait, .. } => {
                let outcome = match outcome {
                    Outcome::Answered => "is answered".to_owned(),
                    Outcome::Abandoned { short } => format!("gives up{}", if *short { " at once" } else { "" }),
                    Outcome::FlowOut { reason } => format!("flows out ({reason:?})"),
                };
                format!("{} {outcome} in {} after {}", call(conversation), queue_name(world, *queue), seconds(*wait))
            }
            Event::Decided { conversation, decision, .. } => {
                let names: Vec<String> = decision.chosen.iter().map(|agent| agent_name(world, *agent)).collect();
                if names.is_empty() {
                    format!("{} finds nobody ({:?}, ring {})", call(conversation), decision.strategy, decision.ring)
                } else {
                    let (names, idle) = (names.join(" and "), decision.idle);
                    format!("{} chooses {names} of {idle} who are idle ({:?})", call(conversation), decision.strategy)
                }
            }
            Event::FlowStepped { conversation, node, exit, to, .. } => {
                format!("{}: the flow goes from {node} by {exit} to {to}", call(conversation))
            }
            Event::FlowLeft { conversation, end, .. } => format!("{} leaves the flow: {end:?}", call(conversation)),
            Event::VisitWidened { conversation, ring, .. } => format!("{} asks for less: ring {ring}", call(conversation)),
            Event::LegRinging { conversation, leg } => format!("{}: {}'s telephone rings", call(conversation), whose(world, *leg)),
            Event::RecordingStarted { conversation, .. } => format!("{} is recorded", call(conversation)),
            Event::RecordingFinished { conversation, .. } => format!("{}: the recording is closed", call(conversation)),
            Event::OfferMade { conversation, agent, rings_until, .. } => {
                let rings = seconds(rings_until.since(stamped.at));
                format!("{} offered to {} (rings {rings})", call(conversation), agent_name(world, *agent))
            }
            Event::OfferEnded { conversation, agent, outcome, .. } => {
                format!("{}: the offer to {} ends: {outcome:?}", call(conversation), agent_name(world, *agent))
            }
            Event::TalkStarted { conversation, agent, .. } => {
                let partner = agent.map_or_else(|| "somebody outside".to_owned(), |agent| agent_name(world, agent));
                format!("{} talks to {partner}", call(conversation))
            }
            Event::TalkEnded { conversation, talk, hold, .. } => {
                format!("{}: the talk ends after {} and {} on hold", call(conversation), seconds(*talk), seconds(*hold))
            }
            Event::HoldStarted { conversation, .. } => format!("{} is put on hold", call(conversation)),
            Event::HoldEnded { conversation } => format!("{} is taken back", call(conversation)),
            Event::TransferStarted { conversation, to, .. } => format!("{} is transferred to {to:?}", call(conversation)),
            Event::TransferEnded { conversation, failure, .. } => match failure {
                Some(why) => format!("{}: the transfer fails: {why}", call(conversation)),
                None => format!("{}: the transfer succeeds", call(conversation)),
            },
            Event::ConversationEnding { conversation, termination } => {
                format!("{} is being ended: {:?}, {:?}", call(conversation), termination.result, termination.reason)
            }
            Event::ConversationEnded { conversation, termination, .. } => {
                format!("{} is over: {:?}, {:?}", call(conversation), termination.result, termination.reason)
            }
            Event::DutyChanged { agent, duty, .. } => format!("{} is {duty:?}", agent_name(world, *agent)),
            Event::AvailabilityChanged { agent, availability, .. } => match availability {
                Availability::Ready => format!("{} is ready", agent_name(world, *agent)),
                Availability::NotReady { reason } => format!("{} is not ready: {reason}", agent_name(world, *agent)),
            },
            Event::ReachabilityChanged { agent, reachable } => {
                format!("{} is {}", agent_name(world, *agent), if *reachable { "reachable" } else { "unreachable" })
            }
            Event::WrapUpStarted { agent, until, .. } => match until {
                Some(until) => format!("{} wraps up until {}", agent_name(world, *agent), clock(*until)),
                None => format!("{} wraps up", agent_name(world, *agent)),
            },
            Event::WrapUpEnded { agent, .. } => format!("{} has wrapped up", agent_name(world, *agent)),
            Event::ActionRequested { wish, .. } => match wish.conversation() {
                Some(conversation) => format!("{}: the core wishes {}", call(&conversation), kind(wish)),
                None => format!("the core wishes {wish:?}"),
            },
            Event::ActionSettled { failure: Some(failure), .. } => format!("a wish fails: {}", failure.detail),
            Event::LegAdded { .. } | Event::ActionSettled { .. } | Event::LegMeasured { .. } | Event::OccupationChanged { .. } => {
                return None;
            }
            other => format!("{other:?}"),
        })
    }
}

fn who(world: &World, role: Role) -> String {
    match role {
        Role::Customer => "the caller".to_owned(),
        Role::Agent(agent) => agent_name(world, agent),
        Role::External => "somebody outside".to_owned(),
    }
}

fn whose(world: &World, leg: LegId) -> String {
    world.leg(leg).map_or_else(|| "somebody".to_owned(), |leg| who(world, leg.role))
}

fn agent_name(world: &World, agent: AgentId) -> String {
    world.agent(agent).map_or_else(|| agent.to_string(), |agent| agent.settings.name.clone())
}

fn queue_name(world: &World, queue: QueueId) -> String {
    world.queue(queue).map_or_else(|| queue.to_string(), |queue| queue.settings.name.clone())
}
