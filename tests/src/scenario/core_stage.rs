//! Plays scenarios on the core alone: lines that do at once what they are told, and a clock that only the scenario moves.
//!
//! What people hear is what the core's last wish about their leg says; lines with audio measure it instead.

use super::stage::{Counts, Score, Sound, Stage, written_place};
use anyhow::{Context, Result, bail, ensure};
use dreiklang_core::{
    Action, Actor, Command, Engine, Event, Input, Output, Refusal, Stamped,
    config::{self, Change, Mailbox},
    conversation::{Cause, CauseKind, Conversation, Direction, Role},
    endpoint::{Endpoint, Line, Party},
    expression::Plain,
    flow::{PathPart, ServiceAnswer, ServiceRequest},
    ids::{
        ActionId, AgentId, CallerListId, CommandId, ConversationId, FlowId, HoursId, LegId, NumberId, QueueId, RecordingId, ServiceId,
        SkillId, TenantId,
    },
    output::{ActionFailure, Prompt},
    stats::{Daybook, Ledger, Subject},
    time::{Millis, Timestamp},
    voicemail::MessageState,
};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};
use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    time::Duration,
};

/// What a leg is let hear.
#[derive(Clone, Debug)]
enum Hearing {
    Nothing,
    Legs(BTreeSet<LegId>),
    Prompt(Prompt, ActionId),
}

/// The core, the people, and what they hear.
pub struct CoreStage {
    engine: Engine,
    now: Timestamp,
    /// For ids of what comes from outside.
    last_id: u128,
    documents: BTreeMap<(String, String), Map<String, Value>>,
    ids: BTreeMap<(String, String), String>,
    /// Callers by name; agents and parties outside are found by their legs.
    callers: BTreeMap<String, LegId>,
    hearing: BTreeMap<LegId, Hearing>,
    paused: BTreeSet<ConversationId>,
    /// Since when recordings run.
    recorded: BTreeMap<RecordingId, Timestamp>,
    ledger: Ledger,
    books: Daybook,
    /// What customers said about agents.
    scores: Vec<(AgentId, Score)>,
    /// What services were asked and have not answered, oldest first.
    asked: Vec<(ServiceId, ActionId, ServiceRequest)>,
    reply: Option<Result<(), Refusal>>,
    /// All facts, as they are written.
    facts: Vec<String>,
}

impl Default for CoreStage {
    fn default() -> CoreStage {
        let mut stage = CoreStage {
            engine: Engine::new(TenantId(7)),
            now: Timestamp(1_700_000_000_000),
            last_id: 1_000_000,
            documents: BTreeMap::new(),
            ids: BTreeMap::new(),
            callers: BTreeMap::new(),
            hearing: BTreeMap::new(),
            paused: BTreeSet::new(),
            recorded: BTreeMap::new(),
            ledger: Ledger::default(),
            books: Daybook::default(),
            scores: Vec::new(),
            asked: Vec::new(),
            reply: None,
            facts: Vec::new(),
        };
        let tenant = config::Tenant {
            name: "Scenario".to_owned(),
            caller_number: Some("+4930999".to_owned()),
            outbound_line: Some(Line::Connected),
            ..config::Tenant::default()
        };
        stage.give(Input::Configure { change: Change::PutTenant(tenant) });
        stage
    }
}

impl CoreStage {
    fn next_id(&mut self) -> u128 {
        self.last_id += 1;
        self.last_id
    }

    fn give(&mut self, input: Input) {
        let mut inputs = VecDeque::from([input]);
        while let Some(input) = inputs.pop_front() {
            self.engine.handle(self.now, input);
            while let Some(output) = self.engine.poll_output() {
                match output {
                    Output::Event(stamped) => self.observe(&stamped),
                    Output::Action(id, action) => inputs.extend(self.carry_out(id, &action)),
                    Output::Reply(_, reply) => self.reply = Some(reply),
                    Output::WakeAt(_) => {}
                }
            }
        }
    }

    fn observe(&mut self, stamped: &Stamped) {
        if let Event::LegEnded { leg, .. } = &stamped.event {
            self.hearing.remove(leg);
            for hearing in self.hearing.values_mut() {
                if let Hearing::Legs(legs) = hearing {
                    legs.remove(leg);
                }
            }
        }
        if let Event::SurveyAnswered { question, score, most, agent: Some(agent), .. } = &stamped.event {
            self.scores.push((*agent, Score { question: question.clone(), score: (*score).into(), most: (*most).into() }));
        }
        self.facts.extend(serde_json::to_string(stamped));
        self.ledger.observe(stamped, &mut self.books);
    }

    /// What an obedient line answers.
    fn carry_out(&mut self, id: ActionId, action: &Action) -> Vec<Input> {
        let done = Input::ActionDone { action: id };
        match action {
            Action::Answer { leg, .. } => {
                self.hearing.insert(*leg, Hearing::Nothing);
                vec![done, Input::Connected { leg: *leg, token: None }]
            }
            Action::Dial { leg, .. } => vec![done, Input::Ringing { leg: *leg }],
            Action::HangUp { leg, .. } => {
                vec![done, Input::Ended { leg: *leg, cause: Cause { kind: CauseKind::Ours, detail: None } }]
            }
            Action::Play { leg, prompt, .. } => {
                self.hearing.insert(*leg, Hearing::Prompt(prompt.clone(), id));
                vec![done]
            }
            Action::Bridge { a, b, .. } => {
                self.hearing.insert(*a, Hearing::Legs(BTreeSet::from([*b])));
                self.hearing.insert(*b, Hearing::Legs(BTreeSet::from([*a])));
                vec![done]
            }
            Action::Mix { parties, .. } => {
                for party in parties {
                    let hears = match &party.prompt {
                        _ if !party.voices.is_empty() => Hearing::Legs(party.voices.iter().copied().collect()),
                        Some(prompt) => Hearing::Prompt(prompt.clone(), id),
                        None => Hearing::Nothing,
                    };
                    self.hearing.insert(party.leg, hears);
                }
                vec![done]
            }
            Action::Silence { leg, .. } => {
                self.hearing.insert(*leg, Hearing::Nothing);
                vec![done]
            }
            Action::PauseRecording { conversation, .. } => {
                self.paused.insert(*conversation);
                vec![done]
            }
            Action::ResumeRecording { conversation, .. } => {
                self.paused.remove(conversation);
                vec![done]
            }
            Action::StopRecording { recording, .. } => {
                let since = self.recorded.remove(recording).unwrap_or(self.now);
                let (path, duration) = (format!("{recording}.wav"), self.now.since(since));
                vec![done, Input::RecordingFinished { recording: *recording, path, duration, channels: 2 }]
            }
            Action::AskService { service, request, .. } => {
                self.asked.push((*service, id, request.as_ref().clone()));
                vec![done]
            }
            Action::Survey { line } => vec![Input::Survey { line: *line, live: Vec::new() }],
            Action::StartRecording { recording, .. } => {
                self.recorded.entry(*recording).or_insert(self.now);
                vec![done]
            }
            Action::Reject { .. } | Action::RecordRight { .. } | Action::AnswerTransfer { .. } | Action::EndGhost { .. } => vec![done],
        }
    }

    /// The id of a document, made up when it is first named.
    fn id_of(&mut self, kind: &str, name: &str) -> Result<String> {
        if let Some(id) = self.ids.get(&(kind.to_owned(), name.to_owned())) {
            return Ok(id.clone());
        }
        let number = self.next_id();
        let id = match kind {
            "queue" => QueueId(number).to_string(),
            "agent" => AgentId(number).to_string(),
            "number" => NumberId(number).to_string(),
            "skill" => SkillId(number).to_string(),
            "flow" => FlowId(number).to_string(),
            "service" => ServiceId(number).to_string(),
            "hours" => HoursId(number).to_string(),
            "caller_list" => CallerListId(number).to_string(),
            "written" => ConversationId(number).to_string(),
            other => bail!("there are no documents of the kind {other}"),
        };
        self.ids.insert((kind.to_owned(), name.to_owned()), id.clone());
        Ok(id)
    }

    /// Puts ids in the place of `@kind:name`, in keys and values.
    fn resolve(&mut self, value: Value) -> Result<Value> {
        Ok(match value {
            Value::String(text) => Value::String(self.resolve_text(text)?),
            Value::Array(list) => list.into_iter().map(|item| self.resolve(item)).collect::<Result<_>>()?,
            Value::Object(fields) => {
                let mut resolved = Map::new();
                for (key, item) in fields {
                    resolved.insert(self.resolve_text(key)?, self.resolve(item)?);
                }
                Value::Object(resolved)
            }
            other => other,
        })
    }

    fn resolve_text(&mut self, text: String) -> Result<String> {
        match text.strip_prefix('@').and_then(|rest| rest.split_once(':')) {
            Some(("call", person)) => Ok(self.call_of(person).with_context(|| format!("{person} is in no call"))?.id.to_string()),
            Some(("leg", person)) => Ok(self.living_leg(person)?.to_string()),
            Some((kind, name)) => self.id_of(kind, name),
            None => Ok(text),
        }
    }

    fn agent_id(&self, name: &str) -> Option<AgentId> {
        self.ids.get(&("agent".to_owned(), name.to_owned()))?.parse().ok()
    }

    fn agent(&self, name: &str) -> Option<&dreiklang_core::agent::Agent> {
        self.engine.world().agent(self.agent_id(name)?)
    }

    fn mailbox(&self, name: &str) -> Option<Mailbox> {
        let queue = self.ids.get(&("queue".to_owned(), name.to_owned())).and_then(|id| id.parse().ok());
        queue.map(Mailbox::Queue).or_else(|| self.agent_id(name).map(Mailbox::Agent))
    }

    /// The leg of a caller, of an agent, or of a party outside by the number dialed.
    fn leg_of(&self, person: &str) -> Option<LegId> {
        let world = self.engine.world();
        if let Some(leg) = self.callers.get(person) {
            return world.leg(*leg).map(|leg| leg.id);
        }
        let agent = self.agent_id(person);
        let of_person = |leg: &&dreiklang_core::conversation::Leg| match leg.role {
            Role::Agent(id) => Some(id) == agent,
            Role::External => [Endpoint::Number(person.to_owned()), Endpoint::Person(person.to_owned())].contains(&leg.endpoint),
            // Who is called back goes by the number.
            Role::Customer => leg.direction == Direction::Outbound && leg.endpoint == Endpoint::Number(person.to_owned()),
        };
        world.conversations().flat_map(|found| &found.legs).filter(|leg| !leg.ending).find(of_person).map(|leg| leg.id)
    }

    fn living_leg(&self, person: &str) -> Result<LegId> {
        self.leg_of(person).with_context(|| format!("{person} is in no call"))
    }

    fn call_of(&self, person: &str) -> Option<&Conversation> {
        self.leg_of(person).and_then(|leg| self.engine.world().conversation_of(leg))
    }

    fn name_of(&self, leg: LegId) -> String {
        let by_leg = self.callers.iter().find(|(_, known)| **known == leg).map(|(name, _)| name.clone());
        let world = self.engine.world();
        by_leg.unwrap_or_else(|| match world.leg(leg).map(|found| (found.role, found.endpoint.clone())) {
            Some((Role::Agent(id), _)) => world.agent(id).map(|agent| agent.settings.name.clone()).unwrap_or_default(),
            Some((_, Endpoint::Number(name) | Endpoint::Person(name))) => name,
            _ => leg.to_string(),
        })
    }

    fn put<T: DeserializeOwned>(&mut self, fields: Map<String, Value>, change: fn(T) -> Change) -> Result<()> {
        let change = change(serde_json::from_value(Value::Object(fields)).context("the document is not as the core knows it")?);
        config::validate(self.engine.world(), &change)?;
        self.give(Input::Configure { change });
        Ok(())
    }
}

impl Stage for CoreStage {
    fn look_again(&self, _looks: u32) -> bool {
        // Everything happens at once here.
        false
    }

    fn set(&mut self, kind: &str, name: &str, field: &str, value: Value) -> Result<()> {
        let id = self.id_of(kind, name)?;
        let value = self.resolve(value)?;
        let key = (kind.to_owned(), name.to_owned());
        let mut fields = self.documents.get(&key).cloned().unwrap_or_else(|| {
            let first = match kind {
                "agent" => json!({ "name": name, "line": "connected", "endpoint": { "kind": "address", "value": name } }),
                "number" => json!({ "number": name, "line": "connected" }),
                "flow" => json!({ "name": name, "start": "start", "fallback": { "kind": "hang_up" } }),
                "hours" => json!({ "name": name, "time_zone": "UTC" }),
                _ => json!({ "name": name }),
            };
            first.as_object().cloned().unwrap_or_default()
        });
        fields.insert("id".to_owned(), json!(id));
        fields.insert(field.to_owned(), value);
        self.documents.insert(key, fields.clone());
        match kind {
            "queue" => self.put(fields, Change::PutQueue),
            "agent" => self.put(fields, Change::PutAgent),
            "number" => self.put(fields, Change::PutNumber),
            "skill" => self.put(fields, Change::PutSkill),
            "flow" => self.put(fields, |flow| Change::PutFlow(Box::new(flow))),
            "service" => self.put(fields, Change::PutService),
            "hours" => self.put(fields, |hours| Change::PutHours(Box::new(hours))),
            "caller_list" => self.put(fields, |list| Change::PutCallerList(Box::new(list))),
            other => bail!("there are no documents of the kind {other}"),
        }
    }

    fn sign_in(&mut self, agent: &str) -> Result<()> {
        let id = self.id_of("agent", agent)?;
        // So that the order of signing in is the order of idle time.
        self.pass(Duration::from_millis(1))?;
        self.ask(agent, json!({ "type": "set_duty", "agent": id, "duty": "on_duty" }))?;
        self.ask(agent, json!({ "type": "set_availability", "agent": id, "availability": { "state": "ready" } }))
    }

    fn dial(&mut self, caller: &str, number: &str, from: Option<&str>) -> Result<()> {
        ensure!(self.leg_of(caller).is_none(), "{caller} is in a call already");
        let leg = LegId(self.next_id());
        self.callers.insert(caller.to_owned(), leg);
        let shown = from.map_or_else(|| format!("+4917{}", leg.0), str::to_owned);
        let party = Party { number: Some(shown), name: Some(caller.to_owned()) };
        self.give(Input::Arrived { leg, line: Line::Connected, caller: party, dialed: number.to_owned() });
        Ok(())
    }

    fn answer(&mut self, person: &str) -> Result<()> {
        ensure!(self.rings(person), "{person}'s telephone does not ring");
        let leg = self.living_leg(person)?;
        self.hearing.insert(leg, Hearing::Nothing);
        self.give(Input::Connected { leg, token: None });
        Ok(())
    }

    fn decline(&mut self, person: &str) -> Result<()> {
        ensure!(self.rings(person), "{person}'s telephone does not ring");
        let leg = self.living_leg(person)?;
        self.give(Input::Ended { leg, cause: Cause { kind: CauseKind::Declined, detail: None } });
        Ok(())
    }

    fn hang_up(&mut self, person: &str) -> Result<()> {
        let leg = self.living_leg(person)?;
        self.give(Input::Ended { leg, cause: Cause { kind: CauseKind::FarEnd, detail: None } });
        Ok(())
    }

    fn lose(&mut self, person: &str) -> Result<()> {
        let leg = self.living_leg(person)?;
        self.give(Input::Ended { leg, cause: Cause { kind: CauseKind::Network, detail: None } });
        Ok(())
    }

    fn press(&mut self, person: &str, keys: &str) -> Result<()> {
        let leg = self.living_leg(person)?;
        for digit in keys.chars() {
            self.give(Input::Digit { leg, digit });
        }
        Ok(())
    }

    fn hear_out(&mut self, person: &str) -> Result<()> {
        let leg = self.living_leg(person)?;
        let Some(Hearing::Prompt(_, play)) = self.hearing.get(&leg).cloned() else { bail!("{person} hears no prompt") };
        self.hearing.insert(leg, Hearing::Nothing);
        self.give(Input::PlayFinished { leg, play });
        Ok(())
    }

    fn ask(&mut self, by: &str, command: Value) -> Result<()> {
        let command: Command = serde_json::from_value(self.resolve(command)?).context("the command is not as the core knows it")?;
        let actor = self.agent_id(by).map_or_else(|| Actor::User(by.to_owned()), Actor::Agent);
        let id = CommandId(self.next_id());
        self.reply = None;
        self.give(Input::Command { id, by: actor, command });
        self.reply.take().context("the core did not answer")?.map_err(anyhow::Error::from)
    }

    fn written_place(&self, writer: &str) -> Option<String> {
        let id = self.ids.get(&("written".to_owned(), writer.to_owned()))?.parse().ok()?;
        written_place(self.engine.world(), id)
    }

    fn service_answers(&mut self, service: &str, answer: Option<Value>) -> Result<()> {
        let id: ServiceId = self.id_of("service", service)?.parse()?;
        let place = self.asked.iter().position(|(asked, ..)| *asked == id).with_context(|| format!("nobody asked {service}"))?;
        let (_, action, _) = self.asked.remove(place);
        self.give(match answer {
            Some(body) => {
                let Plain(body) = serde_json::from_value(body)?;
                Input::ServiceAnswered { action, answer: ServiceAnswer { status: 200, body } }
            }
            None => {
                let failure = ActionFailure { code: "TEST-001".to_owned(), detail: "it cannot be reached".to_owned() };
                Input::ActionFailed { action, failure }
            }
        });
        Ok(())
    }

    fn mark(&mut self, by: &str, mailbox: &str, state: &str) -> Result<()> {
        let id = self.mailbox(mailbox).and_then(|mailbox| self.engine.world().messages().of(mailbox).next()).map(|message| message.id);
        let id = id.with_context(|| format!("{mailbox} has no message"))?;
        self.ask(by, json!({ "type": "mark_message", "message": id, "state": state }))
    }

    fn pass(&mut self, time: Duration) -> Result<()> {
        let until = self.now + Millis(u64::try_from(time.as_millis())?);
        while let Some((due, _)) = self.engine.world().timers().next().filter(|(due, _)| *due <= until) {
            self.now = self.now.max(due);
            self.give(Input::Wake);
        }
        self.now = until;
        Ok(())
    }

    fn rings(&self, person: &str) -> bool {
        let leg = self.leg_of(person).and_then(|leg| self.engine.world().leg(leg));
        leg.is_some_and(|leg| leg.direction == Direction::Outbound && leg.connected_at.is_none())
    }

    fn hears(&self, person: &str) -> Option<BTreeSet<Sound>> {
        let heard = match self.hearing.get(&self.leg_of(person)?)? {
            Hearing::Nothing => BTreeSet::new(),
            Hearing::Legs(legs) => legs.iter().map(|leg| Sound::Person(self.name_of(*leg))).collect(),
            Hearing::Prompt(Prompt::Music, _) => BTreeSet::from([Sound::Music]),
            Hearing::Prompt(Prompt::Ringback, _) => BTreeSet::from([Sound::Ringback]),
            Hearing::Prompt(Prompt::Beep, _) => BTreeSet::from([Sound::Tone]),
            Hearing::Prompt(Prompt::Text { text, .. }, _) => BTreeSet::from([Sound::Text(text.clone())]),
            Hearing::Prompt(Prompt::File { name }, _) => BTreeSet::from([Sound::File(name.clone())]),
        };
        Some(heard)
    }

    fn occupation(&self, agent: &str) -> Option<String> {
        let state = serde_json::to_value(self.agent(agent)?.occupation).ok()?;
        state["state"].as_str().map(str::to_owned)
    }

    fn duty(&self, agent: &str) -> Option<String> {
        serde_json::to_value(self.agent(agent)?.duty).ok()?.as_str().map(str::to_owned)
    }

    fn availability(&self, agent: &str) -> Option<String> {
        let state = serde_json::to_value(&self.agent(agent)?.availability).ok()?;
        state["reason"].as_str().or(state["state"].as_str()).map(str::to_owned)
    }

    fn place(&self, caller: &str) -> Option<String> {
        let kind = self.call_of(caller)?.place()?;
        serde_json::to_value(kind).ok()?.as_str().map(str::to_owned)
    }

    fn waits_in(&self, caller: &str) -> Option<String> {
        let queue = self.call_of(caller)?.visit.as_ref()?.queue;
        self.engine.world().queue(queue).map(|queue| queue.settings.name.clone())
    }

    fn counts(&self, queue: &str) -> Counts {
        let id = self.ids.get(&("queue".to_owned(), queue.to_owned())).and_then(|id| id.parse().ok());
        let interval = id.map(|id: QueueId| self.books.total(Subject::Queue(id)).interval).unwrap_or_default();
        Counts { offered: interval.offered, answered: interval.answered, abandoned: interval.abandoned, flow_out: interval.flow_out }
    }

    fn service_asked(&self, service: &str) -> Option<String> {
        let id: ServiceId = self.ids.get(&("service".to_owned(), service.to_owned()))?.parse().ok()?;
        let (.., request) = self.asked.iter().find(|(asked, ..)| *asked == id)?;
        let part = |part: &PathPart| match part {
            PathPart::Written(text) | PathPart::Computed(text) => text.clone(),
        };
        Some(request.path.iter().map(part).collect())
    }

    fn service_sent(&self, service: &str) -> Option<String> {
        let id: ServiceId = self.ids.get(&("service".to_owned(), service.to_owned()))?.parse().ok()?;
        let (.., request) = self.asked.iter().find(|(asked, ..)| *asked == id)?;
        request.private.first()?.value()?.as_str().map(str::to_owned)
    }

    fn is_kept(&self, text: &str) -> Result<bool> {
        let world = serde_json::to_string(self.engine.world())?;
        Ok(world.contains(text) || self.facts.iter().any(|fact| fact.contains(text)))
    }

    fn scores_of(&self, agent: &str) -> Vec<Score> {
        let id = self.agent_id(agent);
        self.scores.iter().filter(|(rated, _)| Some(*rated) == id).map(|(_, score)| score.clone()).collect()
    }

    fn callbacks(&self, queue: &str) -> usize {
        let id = self.ids.get(&("queue".to_owned(), queue.to_owned())).and_then(|id| id.parse().ok());
        self.engine.world().callbacks().iter().filter(|callback| Some(callback.queue) == id).count()
    }

    fn messages(&self, mailbox: &str) -> (usize, usize) {
        let Some(mailbox) = self.mailbox(mailbox) else { return (0, 0) };
        let messages = self.engine.world().messages();
        let unheard = messages.of(mailbox).filter(|message| message.state == MessageState::New).count();
        (unheard, messages.of(mailbox).count())
    }

    fn is_recorded(&self, person: &str) -> bool {
        self.call_of(person).is_some_and(|found| found.recording.is_some() && !self.paused.contains(&found.id))
    }
}
