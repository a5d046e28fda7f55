//! What a scenario does and looks at, over Connected.

use super::*;

impl Stage for ConnectedStage {
    fn look_again(&self, looks: u32) -> bool {
        wait::a_moment();
        looks < LOOKS_MAX
    }

    fn set(&mut self, kind: &str, name: &str, field: &str, value: Value) -> Result<()> {
        let id = self.id_of(kind, name)?;
        let value = self.resolve(value)?;
        let (field, value) = words::field(kind, field, value);
        let key = (kind.to_owned(), name.to_owned());
        let fields = self.documents.get_mut(&key).context("a document has fields")?;
        fields.insert(field, value);
        let (path, _) = words::collection(kind, name)?;
        let document = Value::Object(fields.clone());
        if id.is_empty() {
            let id = self.runtime.block_on(self.center.create(path, document))?;
            self.ids.insert(key, id);
            return Ok(());
        }
        self.runtime.block_on(self.center.replace(&format!("{path}/{id}"), &document))
    }

    fn sign_in(&mut self, agent: &str) -> Result<()> {
        let id = self.id_of("agent", agent)?;
        // So that the order of signing in is the order of idle time.
        self.pass(Duration::from_millis(1))?;
        self.ask(agent, json!({ "type": "set_duty", "agent": id, "duty": "on_duty" }))?;
        self.ask(agent, json!({ "type": "set_availability", "agent": id, "availability": { "state": "ready" } }))
    }

    fn dial(&mut self, caller: &str, number: &str, from: Option<&str>) -> Result<()> {
        if self.people.find(caller).is_none() {
            let shown = from.map_or_else(|| format!("+4917{}", 1_000_000 + self.outside.len()), str::to_owned);
            self.runtime.block_on(self.people.add(caller, &shown, None, self.center.server.sip))?;
            self.reach(&shown)?;
        }
        ensure!(self.leg_of(&self.world()?, caller).is_none(), "{caller} is in a call already");
        let who = self.person(caller)?;
        let before = who.phone.state().borrow().call.clone();
        self.runtime.block_on(who.phone.call(number));
        // A call that is not taken is over before anybody sees it.
        let refused = || matches!(who.phone.state().borrow().call, CallState::Over { .. }) && before == CallState::Idle;
        self.until(&format!("{caller}'s call to arrive"), |world| (self.leg_of(world, caller).is_some() || refused()).then_some(()))
    }

    fn answer(&mut self, person: &str) -> Result<()> {
        self.wait_to_ring(person)?;
        self.runtime.block_on(self.person(person)?.phone.answer());
        let connected = |world: &World| self.leg_of(world, person).is_none_or(|leg| leg.connected_at.is_some()).then_some(());
        self.until(&format!("{person} to be connected"), connected)
    }

    fn decline(&mut self, person: &str) -> Result<()> {
        self.wait_to_ring(person)?;
        self.runtime.block_on(self.person(person)?.phone.decline());
        self.wait_to_end(person)
    }

    fn hang_up(&mut self, person: &str) -> Result<()> {
        ensure!(self.leg_of(&self.world()?, person).is_some(), "{person} is in no call");
        self.runtime.block_on(self.person(person)?.phone.hang_up());
        self.wait_to_end(person)
    }

    fn lose(&mut self, person: &str) -> Result<()> {
        bail!("{person}'s connection cannot break here: that is noticed by a minute without audio")
    }

    fn press(&mut self, person: &str, keys: &str) -> Result<()> {
        // Who types a number has a telephone there.
        if let Some(number) = keys.strip_suffix('#').and_then(|keys| keys.get(1..)) {
            self.outsider(number)?;
        }
        let before = self.world()?.version();
        ensure!(self.person(person)?.phone.press(keys), "{person}'s telephone cannot press keys in this call");
        // Most keys change something; those that do not need no waiting for.
        for _ in 0..keys.len() * LOOKS_PER_KEY {
            if self.world()?.version() > before {
                break;
            }
            wait::a_moment();
        }
        Ok(())
    }

    fn hear_out(&mut self, person: &str) -> Result<()> {
        let begin = Instant::now();
        let first = self.people.hears(person).filter(|heard| !heard.is_empty());
        while begin.elapsed() < SOON {
            let now = self.people.hears(person).filter(|heard| !heard.is_empty());
            if now != first {
                return Ok(());
            }
            wait::a_moment();
        }
        bail!("{person} hears {first:?}, which does not end")
    }

    fn ask(&mut self, by: &str, command: Value) -> Result<()> {
        let command = self.resolve(command)?;
        let to = [&command["to"]["id"], &command["party"]["number"]];
        let outside = matches!(command["to"]["kind"].as_str(), Some("number" | "person")) || command["party"].is_object();
        if let Some(who) = to.iter().find_map(|who| who.as_str()).filter(|_| outside) {
            self.outsider(who)?;
        }
        let (method, path, body) = words::operation(&command)?;
        let matters = command["type"].as_str().is_some_and(|kind| BY_THEMSELVES.contains(&kind));
        let Some(id) = self.known("agent", by).map(str::to_owned).filter(|_| matters) else {
            self.request(method, &path, body).with_context(|| format!("{by} asks for {}", command["type"]))?;
            return Ok(());
        };
        if !self.sessions.contains_key(by) {
            let session = self.runtime.block_on(self.center.sign_in_as_agent(by, &id))?;
            self.sessions.insert(by.to_owned(), session);
        }
        let session = self.sessions.get(by).context("who signed in has a session")?;
        let asked = self.runtime.block_on(self.center.request_as(session, method, &path, body));
        asked.with_context(|| format!("{by} asks for {}", command["type"]))?;
        Ok(())
    }

    fn written_place(&self, writer: &str) -> Option<String> {
        written_place(&self.world().ok()?, self.known("written", writer)?.parse().ok()?)
    }

    fn service_answers(&mut self, service: &str, answer: Option<Value>) -> Result<()> {
        let asked = self.services.get(service).with_context(|| format!("there is no service {service}"))?.clone();
        let begin = Instant::now();
        while begin.elapsed() < SOON {
            if let Some(question) = asked.look(|questions| (!questions.is_empty()).then(|| questions.remove(0))) {
                let before = self.world()?.version();
                question.answer(answer);
                return self.until("the answer to arrive", |world| (world.version() > before).then_some(()));
            }
            wait::a_moment();
        }
        bail!("nobody asked {service}")
    }

    fn mark(&mut self, by: &str, mailbox: &str, state: &str) -> Result<()> {
        let place = self.mailbox(mailbox).with_context(|| format!("nobody knows {mailbox}"))?;
        let what = format!("a message in the mailbox of {mailbox}");
        let id = self.until(&what, |world| world.messages().of(place).next().map(|message| message.id))?;
        self.ask(by, json!({ "type": "mark_message", "message": id, "state": state }))
    }

    fn pass(&mut self, time: Duration) -> Result<()> {
        self.door.get_mut().pass(time)?;
        Ok(())
    }

    fn rings(&self, person: &str) -> bool {
        // So that what leads to it has happened.
        self.world().is_ok()
            && self.people.find(person).is_some_and(|who| matches!(who.phone.state().borrow().call, CallState::Rings { .. }))
    }

    fn hears(&self, person: &str) -> Option<BTreeSet<Sound>> {
        let world = self.world().ok()?;
        let name = |place: usize| -> Option<String> {
            let who = self.people.get(place)?;
            // Who is called back goes by the number.
            let leg = self.leg_of(&world, &who.name);
            let called_back = leg.is_some_and(|leg| leg.role == Role::Customer && leg.direction == Direction::Outbound);
            Some(if called_back { who.user.clone() } else { who.name.clone() })
        };
        let sound = |heard: Heard| -> Sound {
            match heard {
                Heard::Person(place) => Sound::Person(name(place).unwrap_or_default()),
                Heard::Music => Sound::Music,
                Heard::Ringback => Sound::Ringback,
                Heard::Beep => Sound::Tone,
                Heard::Text(place) => Sound::Text(self.people.text_at(place)),
                Heard::Other => Sound::Text("something else".to_owned()),
            }
        };
        Some(self.people.hears(person)?.into_iter().map(sound).collect())
    }

    fn occupation(&self, agent: &str) -> Option<String> {
        let state = serde_json::to_value(self.world().ok()?.agent(self.agent_id(agent)?)?.occupation).ok()?;
        state["state"].as_str().map(str::to_owned)
    }

    fn duty(&self, agent: &str) -> Option<String> {
        serde_json::to_value(self.world().ok()?.agent(self.agent_id(agent)?)?.duty).ok()?.as_str().map(str::to_owned)
    }

    fn availability(&self, agent: &str) -> Option<String> {
        let state = serde_json::to_value(&self.world().ok()?.agent(self.agent_id(agent)?)?.availability).ok()?;
        state["reason"].as_str().or(state["state"].as_str()).map(str::to_owned)
    }

    fn place(&self, caller: &str) -> Option<String> {
        let kind = self.call_of(&self.world().ok()?, caller)?.place()?;
        serde_json::to_value(kind).ok()?.as_str().map(str::to_owned)
    }

    fn waits_in(&self, caller: &str) -> Option<String> {
        let world = self.world().ok()?;
        let queue = self.call_of(&world, caller)?.visit.as_ref()?.queue;
        world.queue(queue).map(|queue| queue.settings.name.clone())
    }

    fn counts(&self, queue: &str) -> Counts {
        let id = self.known("queue", queue).unwrap_or_default();
        let Ok(now) = self.world().map(|world| world.at().0) else { return Counts::default() };
        let (from, to) = (now - 86_400_000, now + 86_400_000);
        let report = self.request(Method::GET, &format!("reports/queues?from={from}&to={to}&only={id}"), None).unwrap_or_default();
        let count = |key: &str| report["rows"][0]["figures"][key].as_u64().unwrap_or_default();
        Counts { offered: count("offered"), answered: count("answered"), abandoned: count("abandoned"), flow_out: count("flow_out") }
    }

    fn service_asked(&self, service: &str) -> Option<String> {
        self.services.get(service)?.look(|questions| Some(questions.first()?.path.replace("%2B", "+")))
    }

    fn service_sent(&self, service: &str) -> Option<String> {
        let body = self.services.get(service)?.look(|questions| Some(questions.first()?.body.clone()))?;
        body.as_object()?.values().find_map(|value| value.as_str().map(str::to_owned))
    }

    fn is_kept(&self, text: &str) -> Result<bool> {
        let mut folders = vec![self.center.server.folder().to_owned()];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder)? {
                let path = entry?.path();
                if path.is_dir() {
                    folders.push(path);
                } else if std::fs::read(&path)?.windows(text.len()).any(|part| part == text.as_bytes()) {
                    return Ok(true);
                }
            }
        }
        Ok(false)
    }

    fn scores_of(&self, agent: &str) -> Vec<Score> {
        let id = json!(self.known("agent", agent));
        let list = self.request(Method::GET, "conversations", None).unwrap_or_default();
        let mut scores = Vec::new();
        for item in list["items"].as_array().into_iter().flatten() {
            let path = format!("conversations/{}", item["id"].as_str().unwrap_or_default());
            let found = self.request(Method::GET, &path, None).unwrap_or_default();
            for score in found["scores"].as_array().into_iter().flatten().filter(|score| score["agent"] == id) {
                let number = |key: &str| score[key].as_u64().unwrap_or_default();
                let question = score["question"].as_str().unwrap_or_default().to_owned();
                scores.push(Score { question, score: number("score"), most: number("most") });
            }
        }
        scores
    }

    fn callbacks(&self, queue: &str) -> usize {
        let id = self.known("queue", queue).and_then(|id| id.parse::<QueueId>().ok());
        self.world().map_or(0, |world| world.callbacks().iter().filter(|callback| Some(callback.queue) == id).count())
    }

    fn messages(&self, mailbox: &str) -> (usize, usize) {
        let (Some(mailbox), Ok(world)) = (self.mailbox(mailbox), self.world()) else { return (0, 0) };
        let messages = world.messages();
        let unheard = messages.of(mailbox).filter(|message| message.state == MessageState::New).count();
        (unheard, messages.of(mailbox).count())
    }

    fn is_recorded(&self, person: &str) -> bool {
        let Ok(world) = self.world() else { return false };
        let recording = self.call_of(&world, person).and_then(|found| found.recording);
        world.recordings().any(|(id, open)| Some(id) == recording && open.pause.is_none() && !open.stopping)
    }
}
