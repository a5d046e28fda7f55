//! From the journal to jobs: every fact once to every webhook that wants it.
//!
//! The place reached is written after the jobs, so a crash in between makes some twice and loses none.

use super::{deliver, event::Translator};
use crate::{
    api::document::{webhook::Webhook, write},
    error::{Problem, chain},
    runtime::Commit,
    state::{AppState, now},
};
use dreiklang_core::{Stamped, ids::TenantId};
use dreiklang_store::{LoadError, NewDocument, NewJob};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::{collections::HashMap, time::Duration};
use tokio::sync::{broadcast, watch};

/// The store's word for the place reached.
const PLACE: &str = "webhook_place";
/// How often new tenants are looked for.
const TENANTS_PAUSE: Duration = Duration::from_secs(5);
/// Pause after the store failed.
const STORE_PAUSE: Duration = Duration::from_secs(5);
/// While nothing is sent, the place is written at most this often.
const IDLE_PLACE: Duration = Duration::from_secs(30);

#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
struct Place {
    seq: u64,
}

/// A tenant's webhook as the dispatcher needs it.
#[derive(Clone, Debug)]
struct Receiver {
    id: String,
    webhook: Webhook,
}

pub(super) async fn run(state: AppState) {
    let mut running = HashMap::new();
    let mut stopping = state.stopping();
    loop {
        for handle in state.runtime().tenants().all() {
            running.entry(handle.tenant()).or_insert_with(|| tokio::spawn(keep(state.clone(), handle.tenant())));
        }
        running.retain(|_, task| !task.is_finished());
        tokio::select! {
            () = tokio::time::sleep(TENANTS_PAUSE) => {}
            // The sender lives in `state`.
            _ = stopping.wait_for(|stopping| *stopping) => break,
        }
    }
    for task in running.into_values() {
        task.abort();
    }
}

async fn keep(state: AppState, tenant: TenantId) {
    loop {
        match follow(&state, tenant).await {
            Ok(()) => return,
            Err(problem) => {
                tracing::warn!(%tenant, code = problem.code(), %problem, "webhooks wait");
                tokio::time::sleep(STORE_PAUSE).await;
            }
        }
    }
}

/// Until the tenant is gone, or the store fails.
async fn follow(state: &AppState, tenant: TenantId) -> Result<(), Problem> {
    let Some(handle) = state.runtime().tenants().get(tenant) else { return Ok(()) };
    let mut commits = handle.commits();
    let mut changes = state.webhook_changes();
    let (known, version) = handle
        .read(|world| {
            let mut translator = Translator::default();
            world.conversations().for_each(|conversation| translator.know(conversation));
            (translator, world.version())
        })
        .await?;
    let mut dispatcher =
        Dispatcher { state, tenant, translator: known, receivers: Vec::new(), reached: place(state, tenant, version).await? };
    dispatcher.written().await?;
    let mut idle = tokio::time::interval(IDLE_PLACE);
    loop {
        dispatcher.receivers = receivers(state, tenant).await?;
        dispatcher.catch_up().await?;
        wait(&mut commits, &mut changes, &mut dispatcher, &mut idle).await?;
    }
}

/// Hands on commits until the webhooks change or something was missed.
async fn wait(
    commits: &mut broadcast::Receiver<Commit>,
    changes: &mut watch::Receiver<u64>,
    dispatcher: &mut Dispatcher<'_>,
    idle: &mut tokio::time::Interval,
) -> Result<(), Problem> {
    let mut unwritten = false;
    loop {
        tokio::select! {
            commit = commits.recv() => match commit {
                Ok(commit) if commit.first().is_some_and(|first| first.seq > dispatcher.reached + 1) => return Ok(()),
                Ok(commit) => {
                    if dispatcher.dispatch(&commit).await? {
                        dispatcher.written().await?;
                        unwritten = false;
                    } else {
                        unwritten = true;
                    }
                }
                Err(broadcast::error::RecvError::Lagged(_)) => return Ok(()),
                Err(broadcast::error::RecvError::Closed) => {
                    return Err(Problem::new(crate::error::Code::Unavailable, "the tenant's owner is gone"));
                }
            },
            // The sender lives in the state.
            _ = changes.changed() => return Ok(()),
            _ = idle.tick(), if unwritten => {
                dispatcher.written().await?;
                unwritten = false;
            }
        }
    }
}

/// The place reached before; a tenant without one begins now, since nobody wants to hear the whole past.
async fn place(state: &AppState, tenant: TenantId, version: u64) -> Result<u64, Problem> {
    let stored = state.store().get(tenant, PLACE, PLACE).await?;
    Ok(stored.and_then(|stored| serde_json::from_value::<Place>(stored.body).ok()).map_or(version, |place| place.seq.min(version)))
}

async fn receivers(state: &AppState, tenant: TenantId) -> Result<Vec<Receiver>, Problem> {
    let all = write::all::<Webhook>(state.store(), tenant).await?;
    Ok(all
        .into_iter()
        .filter(|document| document.body.enabled)
        .map(|document| Receiver { id: document.id, webhook: document.body })
        .collect())
}

struct Dispatcher<'a> {
    state: &'a AppState,
    tenant: TenantId,
    translator: Translator,
    receivers: Vec<Receiver>,
    reached: u64,
}

impl Dispatcher<'_> {
    /// Reads what the journal has beyond the place reached.
    async fn catch_up(&mut self) -> Result<(), Problem> {
        loop {
            let loaded = match self.state.store().load(self.tenant, self.reached).await {
                Ok(loaded) => loaded,
                Err(LoadError::Pruned { oldest }) => {
                    tracing::warn!(tenant = %self.tenant, from = self.reached, to = oldest, "events before were removed and are not sent to webhooks");
                    self.reached = oldest.saturating_sub(1);
                    continue;
                }
                Err(LoadError::Failed(failure)) => return Err(failure.into()),
            };
            if loaded.events.is_empty() {
                return Ok(());
            }
            for part in loaded.events.chunks(crate::limits::DISPATCH_EVENTS) {
                self.dispatch(part).await?;
                self.written().await?;
            }
            if !loaded.more {
                return Ok(());
            }
        }
    }

    /// Makes jobs of facts; whether there were any.
    async fn dispatch(&mut self, facts: &[Stamped]) -> Result<bool, Problem> {
        let mut any = false;
        let reached = self.reached;
        for stamped in facts.iter().filter(|stamped| stamped.seq > reached) {
            if let Some(event) = self.translator.translate(self.tenant, stamped) {
                for receiver in &self.receivers {
                    any |= offer(self.state, self.tenant, &receiver.id, &receiver.webhook, &event).await?;
                }
            }
            self.reached = stamped.seq;
        }
        Ok(any)
    }

    async fn written(&self) -> Result<(), Problem> {
        let document = NewDocument {
            kind: PLACE.to_owned(),
            id: PLACE.to_owned(),
            name: None,
            expected_version: None,
            body: json!(Place { seq: self.reached }),
        };
        self.state.store().put(self.tenant, document).await?;
        Ok(())
    }
}

/// Makes a job of an event for a webhook that wants it.
async fn offer(state: &AppState, tenant: TenantId, id: &str, webhook: &Webhook, event: &Value) -> Result<bool, Problem> {
    let kind = event["type"].as_str().unwrap_or_default();
    if !webhook.types.is_empty() && !webhook.types.iter().any(|wanted| wanted == kind) {
        return Ok(false);
    }
    deliver_event(state, tenant, id, event.clone()).await?;
    Ok(true)
}

/// Makes a job of an event for a webhook.
pub(crate) async fn deliver_event(state: &AppState, tenant: TenantId, webhook: &str, event: Value) -> Result<(), Problem> {
    let job = NewJob { kind: deliver::kind_of(webhook), run_at: now(), payload: json!({ "webhook": webhook, "event": event }) };
    match state.store().add_job(tenant, job).await {
        Ok(_) => {}
        // A receiver that is down for very long must not stop the others.
        Err(failure @ dreiklang_store::Failure::TooLarge { .. }) => {
            tracing::warn!(%tenant, webhook, error = chain(&failure), "an event is not sent: too many deliveries wait");
        }
        Err(failure) => return Err(failure.into()),
    }
    state.deliveries_changed();
    Ok(())
}
