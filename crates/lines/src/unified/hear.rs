//! What each leg hears: noted as what is wanted, and brought about one call at a time, step by step.
//!
//! Because a step is made of what is wanted when its turn comes, wishes that were overtaken by later ones are not carried out at all.

use super::{
    call::{CallKey, Job, Leg, Playing, Stage, Wants, What},
    driver::{Done, Driver, Due},
    limits,
    plan::{self, Step},
    prompts::Shelf,
    registry::Ready,
};
use dreiklang_core::{
    conversation::Hearing,
    ids::{ActionId, LegId, TenantId},
    output::Prompt,
};
use dreiklang_microsoft::{
    Failure,
    acs::{
        RequestId,
        identifier::Identifier,
        model::{Play, PlayOptions},
    },
};
use std::{collections::BTreeSet, sync::Arc, time::Duration};

/// What became of a job about what is heard.
pub(super) struct Outcome {
    /// Steps that were taken, with the length of what plays.
    taken: Vec<(Step, Option<Duration>)>,
    /// The step that was not, and why.
    failed: Option<(Step, Failure)>,
    /// Who came from another call.
    moved: Option<LegId>,
}

impl Driver {
    /// Lets a leg hear a prompt.
    pub(super) fn play(&mut self, tenant: TenantId, action: ActionId, id: LegId, prompt: Prompt, repeat: bool) {
        let wants = if repeat { Wants::Prompt(prompt) } else { Wants::Once(action, prompt) };
        self.want(tenant, action, vec![(id, wants)]);
    }

    /// Lets a leg hear nothing.
    pub(super) fn silence(&mut self, tenant: TenantId, action: ActionId, id: LegId) {
        self.want(tenant, action, vec![(id, Wants::Nothing)]);
    }

    /// Lets two legs hear each other.
    pub(super) fn bridge(&mut self, tenant: TenantId, action: ActionId, a: LegId, b: LegId) {
        let strangers = [a, b].iter().any(|id| !self.calls.legs.contains_key(id) && !self.departed.has(id));
        if strangers {
            let detail = "one of the two is on another line; give the agent a way on this line".to_owned();
            return self.failed(tenant, action, "LINE-022", detail);
        }
        if let (Some(here), Some(there)) = (self.calls.legs.get(&a), self.calls.legs.get(&b))
            && here.call != there.call
        {
            // Two who were called before there was a call to call them into: callbacks that several agents' telephones rang for.
            let (key, from) = (here.call, there.call);
            self.push(tenant, key, Job { action, what: What::Move { leg: b, from } });
        }
        let voices = |other: LegId| Wants::Voices(BTreeSet::from([other]));
        self.want(tenant, action, vec![(a, voices(b)), (b, voices(a))]);
    }

    /// Lets every one of these legs hear what is said of it.
    pub(super) fn mix(&mut self, tenant: TenantId, action: ActionId, parties: Vec<Hearing>) {
        let wants = parties.into_iter().map(|Hearing { leg, voices, prompt }| match (voices.is_empty(), prompt) {
            (false, _) => (leg, Wants::Voices(voices.into_iter().collect())),
            (true, Some(prompt)) => (leg, Wants::Prompt(prompt)),
            (true, None) => (leg, Wants::Nothing),
        });
        self.want(tenant, action, wants.collect());
    }

    fn want(&mut self, tenant: TenantId, action: ActionId, wants: Vec<(LegId, Wants)>) {
        let mut key = None;
        for (id, wants) in wants {
            if let Some(leg) = self.calls.legs.get_mut(&id).filter(|leg| leg.tenant == tenant) {
                leg.wants = wants;
                leg.restarts = 0;
                key = Some(leg.call);
            }
        }
        match key {
            Some(key) => self.push(tenant, key, Job { action, what: What::Hear }),
            // All of them have just ended; the core hears of it by itself.
            None => self.done(tenant, action),
        }
    }

    /// Puts a job into a call's lane.
    pub(super) fn push(&mut self, tenant: TenantId, key: CallKey, job: Job) {
        let Some(call) = self.calls.calls.get_mut(&key) else { return self.done(tenant, job.action) };
        if call.lane.len() >= limits::LANE {
            let action = job.action;
            return self.failed(tenant, action, "LINE-002", "more is wished of one call than it can take".to_owned());
        }
        call.lane.push_back(job);
        self.advance(key);
    }

    /// Begins the next job of a call, if none is under way.
    pub(super) fn advance(&mut self, key: CallKey) {
        loop {
            let Some(call) = self.calls.calls.get_mut(&key).filter(|call| !call.busy) else { return };
            let Some(name) = call.id.clone() else { return };
            let Some(job) = call.lane.pop_front() else { return };
            let (tenant, ready) = (call.tenant, Arc::clone(&call.ready));
            let overtaken = matches!(job.what, What::Hear) && call.lane.iter().any(|later| matches!(later.what, What::Hear));
            if overtaken {
                self.done(tenant, job.action);
                continue;
            }
            match job.what {
                What::Hear => {
                    let legs = self.there(key);
                    let legs: Vec<&Leg> = legs.iter().filter_map(|id| self.calls.legs.get(id)).collect();
                    let playing = self.calls.calls.get(&key).and_then(|call| call.playing.as_ref());
                    match plan::steps(&legs, playing) {
                        Ok(steps) if steps.is_empty() => self.done(tenant, job.action),
                        Ok(steps) => return self.take(key, tenant, job.action, ready, name, steps),
                        Err(problem) => self.failed(tenant, job.action, "LINE-023", problem),
                    }
                }
                What::Move { leg, from } => return self.fetch_over(key, tenant, job.action, ready, name, leg, from),
                What::Record(record) => {
                    if self.begin_record(key, tenant, job.action, ready, name, record) {
                        return;
                    }
                }
            }
        }
    }

    /// Who is in a call and stays.
    fn there(&self, key: CallKey) -> Vec<LegId> {
        self.calls.legs_of(key).into_iter().filter(|id| self.calls.legs.get(id).is_some_and(Leg::is_there)).collect()
    }

    fn take(&mut self, key: CallKey, tenant: TenantId, action: ActionId, ready: Arc<Ready>, name: String, steps: Vec<Step>) {
        let Some(call) = self.calls.calls.get_mut(&key) else { return };
        call.busy = true;
        call.prompts += 1;
        let context = format!("music_{key}_{}", call.prompts);
        for step in &steps {
            match step {
                Step::PlayAll { leg, prompt, once } => {
                    let context = once.map_or_else(|| context.clone(), |action| action.to_string());
                    // Noted before: its end may be told before the answer comes.
                    call.playing = Some(Playing { leg: *leg, prompt: prompt.clone(), context });
                    if let (Some(leg), Some(_)) = (self.calls.legs.get_mut(leg), once) {
                        leg.begun = *once;
                    }
                }
                Step::PlayTo { leg, action, .. } => {
                    if let Some(leg) = self.calls.legs.get_mut(leg) {
                        leg.begun = Some(*action);
                    }
                }
                Step::Cancel => call.playing = None,
                Step::Mute(..) | Step::Hold(..) | Step::Unhold(..) => {}
            }
        }
        let worker = Worker { tenant, ready, name, context, shelf: self.shelf.clone(), address: self.config.address.clone() };
        self.run_apart(async move { Done::Lane { call: key, tenant, action, outcome: worker.run(steps).await } });
    }

    #[allow(clippy::too_many_arguments, reason = "the parts of one job")]
    fn fetch_over(&mut self, key: CallKey, tenant: TenantId, action: ActionId, ready: Arc<Ready>, name: String, leg: LegId, from: CallKey) {
        let who = self.calls.legs.get(&leg).filter(|leg| leg.call == from && leg.stage == Stage::Connected).map(|leg| leg.who.clone());
        let source = self.calls.calls.get(&from).and_then(|call| call.id.clone());
        let (Some(who), Some(source), Some(call)) = (who, source, self.calls.calls.get_mut(&key)) else { return self.advance(key) };
        call.busy = true;
        self.run_apart(async move {
            let result = ready.client.move_here(&name, &source, &who, &format!("move_{leg}"), RequestId(action.0)).await;
            let failed = result.err().map(|failure| (Step::Unhold(leg, who), failure));
            let moved = failed.is_none().then_some(leg);
            Done::Lane { call: key, tenant, action, outcome: Outcome { taken: Vec::new(), failed, moved } }
        });
    }

    /// A job has ended.
    pub(super) fn lane_done(&mut self, key: CallKey, tenant: TenantId, action: ActionId, outcome: Outcome) {
        let Some(call) = self.calls.calls.get_mut(&key) else { return self.done(tenant, action) };
        call.busy = false;
        for (step, length) in outcome.taken {
            self.taken(&step, length);
        }
        if let Some(id) = outcome.moved {
            let from = self.calls.legs.get_mut(&id).map(|leg| std::mem::replace(&mut leg.call, key));
            if let Some(from) = from.filter(|from| self.calls.legs_of(*from).is_empty()) {
                self.call_over(from, None);
            }
            // What is wanted of the two follows in the lane.
            return self.advance(key);
        }
        match outcome.failed {
            None => self.done(tenant, action),
            Some((step, failure)) => self.not_taken(key, tenant, action, &step, &failure),
        }
        self.advance(key);
    }

    fn taken(&mut self, step: &Step, length: Option<Duration>) {
        match step {
            Step::Mute(id, _) => {
                if let Some(leg) = self.calls.legs.get_mut(id) {
                    leg.muted = true;
                }
            }
            Step::Hold(id, _, prompt) => {
                if let Some(leg) = self.calls.legs.get_mut(id) {
                    leg.held = Some(prompt.clone());
                }
            }
            Step::Unhold(id, _) => {
                if let Some(leg) = self.calls.legs.get_mut(id) {
                    leg.held = None;
                }
            }
            Step::PlayAll { leg, once: Some(action), .. } | Step::PlayTo { leg, action, .. } => {
                self.later(length.unwrap_or_default() + limits::PLAYED, Due::Played(*leg, *action));
            }
            Step::PlayAll { once: None, .. } | Step::Cancel => {}
        }
    }

    fn not_taken(&mut self, key: CallKey, tenant: TenantId, action: ActionId, step: &Step, failure: &Failure) {
        if failure.is_gone() {
            // The call, or somebody in it, is gone; that is told by itself, or found out now.
            self.count(key, super::count::Count::Now);
        }
        match step {
            // A greeting is skipped, as everywhere; nobody waits for a prompt that does not come.
            Step::PlayAll { leg, once: Some(once), .. } | Step::PlayTo { leg, action: once, .. } => {
                tracing::error!(code = "MEDIA-002", %failure, "a prompt cannot be played");
                let uncertain = matches!(failure, Failure::Uncertain(_));
                if uncertain {
                    self.later(limits::PLAYED, Due::Played(*leg, *once));
                } else {
                    self.prompt_ended(*leg, *once);
                }
                self.done(tenant, action);
            }
            Step::PlayAll { once: None, .. } => {
                tracing::error!(code = "MEDIA-002", %failure, "music cannot be played");
                if !matches!(failure, Failure::Uncertain(_))
                    && let Some(call) = self.calls.calls.get_mut(&key)
                {
                    call.playing = None;
                }
                self.done(tenant, action);
            }
            Step::Cancel | Step::Mute(..) | Step::Hold(..) | Step::Unhold(..) => {
                self.failed(tenant, action, "LINE-021", failure.to_string());
            }
        }
    }

    /// Music has ended that should go on.
    pub(super) fn music_ended(&mut self, key: CallKey) {
        let Some(call) = self.calls.calls.get_mut(&key) else { return };
        let Some(playing) = call.playing.take() else { return };
        let tenant = call.tenant;
        let Some(leg) = self.calls.legs.get_mut(&playing.leg) else { return };
        if leg.wants != Wants::Prompt(playing.prompt) || leg.restarts >= limits::RESTARTS {
            return;
        }
        leg.restarts += 1;
        // Nobody waits for an answer to this one: the core knows no such action and passes it over.
        self.push(tenant, key, Job { action: ActionId(0), what: What::Hear });
    }
}

/// Carries out the steps of a job.
struct Worker {
    tenant: TenantId,
    ready: Arc<Ready>,
    name: String,
    context: String,
    shelf: Shelf,
    address: String,
}

impl Worker {
    async fn run(self, steps: Vec<Step>) -> Outcome {
        let mut taken = Vec::new();
        for step in steps {
            match self.step(&step).await {
                Ok(length) => taken.push((step, length)),
                Err(failure) => return Outcome { taken, failed: Some((step, failure)), moved: None },
            }
        }
        Outcome { taken, failed: None, moved: None }
    }

    async fn step(&self, step: &Step) -> Result<Option<Duration>, Failure> {
        let client = &self.ready.client;
        match step {
            Step::Cancel => client.cancel_media(&self.name).await.map(|()| None),
            Step::Mute(_, who) => client.mute(&self.name, who, RequestId::new()).await.map(|()| None),
            Step::Unhold(_, who) => client.unhold(&self.name, who).await.map(|()| None),
            Step::Hold(_, who, prompt) => {
                let playable = match prompt {
                    Some(prompt) => self.playable(prompt).await.ok(),
                    None => None,
                };
                client.hold(&self.name, who, playable.as_ref().map(|playable| &playable.source)).await.map(|()| None)
            }
            Step::PlayAll { prompt, once, .. } => self.play(prompt, Vec::new(), *once).await,
            Step::PlayTo { who, prompt, action, .. } => self.play(prompt, vec![who.clone()], Some(*action)).await,
        }
    }

    async fn play(&self, prompt: &Prompt, to: Vec<Identifier>, once: Option<ActionId>) -> Result<Option<Duration>, Failure> {
        let playable = match (self.playable(prompt).await, once) {
            (Ok(playable), _) => playable,
            // Music that is missing falls back to the built-in, so that nobody waits in silence.
            (Err(_), None) => self.playable(&Prompt::Music).await?,
            (Err(failure), Some(_)) => return Err(failure),
        };
        let request = Play {
            play_sources: vec![playable.source],
            // Only what plays to everybody can take the place of what plays now.
            interrupt_call_media_operation: to.is_empty(),
            play_to: to,
            play_options: PlayOptions { repeat: once.is_none() },
            operation_context: Some(once.map_or_else(|| self.context.clone(), |action| action.to_string())),
        };
        self.ready.client.play(&self.name, &request).await.map(|()| Some(playable.length))
    }

    async fn playable(&self, prompt: &Prompt) -> Result<super::prompts::Playable, Failure> {
        let speaks = self.ready.settings.speech.is_some();
        self.shelf.playable(self.tenant, prompt.clone(), self.address.clone(), speaks).await.map_err(Failure::Impossible)
    }
}
