//! How a change to documents is made: checked, stored, taken over by the owner, told to the lines, noted in the audit log.

use super::{
    agent::Agent,
    flow_version,
    kind::{Document, Kind},
    phone::Phone,
    reference,
    webhook::Webhook,
};
use crate::{
    api::extract::IfMatch,
    auth::{Principal, secret},
    error::{Code, Problem, chain},
    limits,
    runtime::{CommandError, TenantHandle},
    setup,
    state::{AppState, now},
    webhooks::address,
};
use dreiklang_core::{
    Event, Refusal, Stamped, World,
    config::{self, Change},
    ids::TenantId,
    limits::NAME_CHARS,
};
use dreiklang_store::{AuditNote, NewDocument};
use serde_json::{Value, json};
use std::{
    pin::Pin,
    task::{Context, Poll},
};

/// One document written or removed.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Step {
    pub kind: &'static str,
    pub id: String,
    pub name: String,
    /// As the store wants it: 0 = there is none yet, `None` = whatever is there.
    pub expected: Option<u64>,
    /// `None` removes it.
    pub body: Option<Value>,
    /// Told to the owner before all changes, or where the document goes, before all that go.
    pub announcement: Option<Change>,
    pub change: Option<Change>,
}

/// Kinds whose changes the lines have to know.
const OF_LINES: &[&str] = &["trunk", "phone", "number", "connection"];

/// Writes one document.
///
/// # Errors
/// When it is not acceptable, or somebody else changed it meanwhile.
pub(crate) async fn put<K: Kind>(
    state: &AppState,
    principal: &Principal,
    present: Option<(&str, IfMatch)>,
    body: K,
) -> Result<Document<K>, Problem> {
    let writer = state.writer(principal.tenant);
    let _turn = writer.lock().await;
    put_in_turn(
        state,
        principal,
        present.map_or_else(|| Place::New(secret::new_id(K::PREFIX)), |(id, version)| Place::At(id, version)),
        body,
    )
    .await
}

/// Where a document is written.
pub(crate) enum Place<'a> {
    /// Nothing of this id is there yet.
    New(String),
    /// In place of this one, if it has this version.
    At(&'a str, IfMatch),
}

/// Writes one document. The caller holds the tenant's writer.
///
/// # Errors
/// As [`put`].
pub(crate) async fn put_in_turn<K: Kind>(
    state: &AppState,
    principal: &Principal,
    place: Place<'_>,
    mut body: K,
) -> Result<Document<K>, Problem> {
    let tenant = principal.tenant;
    reference::resolve(state.store(), tenant, body.references()).await?;
    let former = match place {
        Place::At(id, _) => Some(read::<K>(state, tenant, id).await?),
        Place::New(_) => None,
    };
    body.keep_secrets(former.as_ref().map(|former| &former.body));
    check(state, tenant, &body).await?;
    let (id, expected) = match place {
        Place::At(id, if_match) => (id.to_owned(), if_match.expected()),
        Place::New(id) => {
            room::<K>(state, tenant).await?;
            (id, Some(0))
        }
    };
    let step = Step {
        kind: K::KIND,
        expected,
        name: body.name().to_owned(),
        body: Some(serde_json::to_value(&body).map_err(|error| Problem::failure(&error))?),
        announcement: None,
        change: body.change(&id)?,
        id: id.clone(),
    };
    execute(state, principal, vec![step]).await?;
    let mut written = read::<K>(state, tenant, &id).await?;
    if former.is_some() || !K::SHOWS_SECRETS_ONCE {
        written.body.hide_secrets();
    }
    Ok(written)
}

/// Removes one document.
///
/// # Errors
/// When it is not there, still used, or changed meanwhile.
pub(crate) async fn remove<K: Kind>(state: &AppState, principal: &Principal, id: &str, if_match: IfMatch) -> Result<(), Problem> {
    let tenant = principal.tenant;
    let writer = state.writer(tenant);
    let _turn = writer.lock().await;
    let present = read::<K>(state, tenant, id).await?;
    if K::KIND == Agent::KIND
        && let Some(phone) = first::<Phone>(state, tenant, |phone| phone.agent == id).await?
    {
        return Err(Problem::new(Code::StillUsed, format!("The telephone \"{}\" belongs to this agent; remove it first.", phone.user)));
    }
    let step = Step {
        kind: K::KIND,
        id: id.to_owned(),
        name: present.body.name().to_owned(),
        expected: if_match.expected(),
        body: None,
        announcement: None,
        change: K::removal(id)?,
    };
    execute(state, principal, vec![step]).await.map(|_| ())
}

/// One document, with secrets.
///
/// # Errors
/// `API-003` when it is not there.
pub(crate) async fn read<K: Kind>(state: &AppState, tenant: TenantId, id: &str) -> Result<Document<K>, Problem> {
    let stored = state.store().get(tenant, K::KIND, id).await?;
    Document::from_store(stored.ok_or_else(|| Problem::not_found(K::WHAT, id))?)
}

/// Every document of a kind, with secrets.
///
/// # Errors
/// When the store fails.
pub(crate) async fn all<K: Kind>(store: &dreiklang_store::Store, tenant: TenantId) -> Result<Vec<Document<K>>, Problem> {
    let mut found = Vec::new();
    let mut after: Option<String> = None;
    loop {
        let page = store.list(tenant, K::KIND, after.as_deref(), usize::MAX).await?;
        let Some(last) = page.last() else { return Ok(found) };
        after = Some(last.id.clone());
        for stored in page {
            found.push(Document::from_store(stored)?);
        }
    }
}

async fn first<K: Kind>(state: &AppState, tenant: TenantId, wanted: impl Fn(&K) -> bool) -> Result<Option<K>, Problem> {
    Ok(all::<K>(state.store(), tenant).await?.into_iter().map(|document| document.body).find(|body| wanted(body)))
}

async fn room<K: Kind>(state: &AppState, tenant: TenantId) -> Result<(), Problem> {
    if K::MOST < usize::MAX && all::<K>(state.store(), tenant).await?.len() >= K::MOST {
        return Err(Problem::new(Code::LimitReached, format!("A tenant has at most {} of these.", K::MOST)));
    }
    Ok(())
}

/// Checks what neither the kind alone nor the core knows.
pub(crate) async fn check<K: Kind>(state: &AppState, tenant: TenantId, body: &K) -> Result<(), Problem> {
    body.check()?;
    // Names within the tenant are compared by the store.
    let any: &(dyn std::any::Any + Send + Sync) = body;
    if let Some(phone) = any.downcast_ref::<Phone>() {
        if state.store().get(tenant, Agent::KIND, &phone.agent).await?.is_none() {
            return Err(Problem::invalid("agent", format!("There is no agent {}.", phone.agent)));
        }
        taken_elsewhere(state, tenant, &phone.user).await?;
    }
    if let Some(webhook) = any.downcast_ref::<Webhook>() {
        address::check_text(&webhook.url, state.config().webhooks.allow_local)?;
    }
    if let Some(service) = any.downcast_ref::<super::service::Service>() {
        crate::services::address::check_text(&service.address, state.config().services.rules())?;
    }
    if let Some(number) = any.downcast_ref::<super::number::Number>() {
        check_greeting(state, tenant, number.greeting.as_ref()).await?;
    }
    if let Some(agent) = any.downcast_ref::<Agent>() {
        check_greeting(state, tenant, agent.voicemail.greeting.as_ref()).await?;
        check_greeting(state, tenant, agent.confirm.as_ref()).await?;
    }
    if let Some(flow) = any.downcast_ref::<super::flow::Flow>() {
        for prompt in flow.prompts() {
            check_greeting(state, tenant, Some(prompt)).await?;
        }
    }
    if let Some(queue) = any.downcast_ref::<super::queue::Queue>() {
        check_greeting(state, tenant, Some(&queue.hold_music)).await?;
        for prompt in queue.waiting.prompts().chain(&queue.voicemail.greeting) {
            check_greeting(state, tenant, Some(prompt)).await?;
        }
    }
    if let Some(list) = any.downcast_ref::<super::caller_list::CallerList>() {
        check_greeting(state, tenant, list.prompt()).await?;
    }
    Ok(())
}

/// A prompt that is not there would be silence at the first call; better to say so now.
async fn check_greeting(state: &AppState, tenant: TenantId, prompt: Option<&super::queue::Prompt>) -> Result<(), Problem> {
    let Some(super::queue::Prompt::File { name }) = prompt else { return Ok(()) };
    let path = crate::api::v1::prompts::path_of(&state.prompts(tenant), name)?;
    if tokio::fs::try_exists(&path).await.unwrap_or(false) {
        return Ok(());
    }
    Err(Problem::invalid("prompt", format!("There is no prompt \"{name}\"; upload it first.")))
}

/// Telephones of all tenants sign in at the same place, so their user names must differ.
pub(crate) async fn taken_elsewhere(state: &AppState, tenant: TenantId, user: &str) -> Result<(), Problem> {
    let mut after: Option<String> = None;
    loop {
        let tenants = state.store().tenants(after.as_deref()).await?;
        let Some(last) = tenants.last() else { return Ok(()) };
        after = Some(last.name.clone());
        for other in tenants.iter().filter(|other| other.id != tenant) {
            if state.store().get_by_name(other.id, Phone::KIND, user).await?.is_some() {
                return Err(
                    Problem::new(Code::NameTaken, format!("\"{user}\" is taken in this installation; choose another.")).field("user")
                );
            }
        }
    }
}

/// Refuses names that are empty, too long or not printable.
pub(crate) fn check_name(name: &str) -> Result<(), Problem> {
    if name.trim().is_empty() {
        return Err(Problem::invalid("name", "The name is empty."));
    }
    if name.chars().count() > NAME_CHARS || name.chars().any(char::is_control) {
        return Err(Problem::invalid("name", format!("A name has at most {NAME_CHARS} printable characters.")));
    }
    Ok(())
}

/// Whether the owner would take over all these changes, one after the other.
///
/// # Errors
/// The owner's refusal, with the index of the step.
pub(crate) async fn validate(handle: &TenantHandle, changes: Vec<(usize, Change)>) -> Result<(), (Option<usize>, Problem)> {
    let outcome = match changes.as_slice() {
        [] => Ok(Ok(())),
        [(index, change)] => {
            let (index, change) = (*index, change.clone());
            handle.read(move |world| config::validate(world, &change).map_err(|refusal| (index, refusal))).await
        }
        _ => match handle.read(World::clone).await {
            // Many changes are tried on a copy, so that the tenant goes on deciding meanwhile.
            Ok(world) => {
                let tried = tokio::task::spawn_blocking(move || try_all(world, changes)).await;
                Ok(tried.map_err(|error| (None, Problem::failure(&error)))?)
            }
            Err(error) => Err(error),
        },
    };
    match outcome {
        Ok(Ok(())) => Ok(()),
        Ok(Err((index, refusal))) => Err((Some(index), in_our_words(refusal.into()))),
        Err(error) => Err((None, error.into())),
    }
}

/// What the owner is told, each with its step: announcements first, so that documents may name each other. What goes stays whole
/// until everything else is in effect: a call may still come to it.
pub(crate) fn changes_of(steps: &[Step]) -> Vec<(usize, Change)> {
    let some = |going: bool, which: fn(&Step) -> &Option<Change>| {
        let steps = steps.iter().enumerate().filter(move |(_, step)| step.body.is_none() == going);
        steps.filter_map(move |(index, step)| which(step).clone().map(|change| (index, change)))
    };
    let both = |going| some(going, |step| &step.announcement).chain(some(going, |step| &step.change));
    both(false).chain(both(true)).collect()
}

/// The first step whose effect is in doubt when the owner refuses the change of this place: announcements take effect for many steps
/// before the first of them does.
fn first_in_doubt(steps: &[Step], places: &[usize], refused: usize) -> usize {
    let Some(step) = places.get(refused).copied() else { return 0 };
    let going = |index: usize| steps.get(index).is_some_and(|step| step.body.is_none());
    // A step that is announced stands there twice; until the second time only its announcement has been heard.
    let announcing = places.iter().skip(refused + 1).any(|later| *later == step);
    if announcing { (0..steps.len()).find(|index| going(*index) == going(step)).unwrap_or(0) } else { step }
}

/// Later changes may build on earlier ones.
fn try_all(mut world: World, changes: Vec<(usize, Change)>) -> Result<(), (usize, Refusal)> {
    for (index, change) in changes {
        config::validate(&world, &change).map_err(|refusal| (index, refusal))?;
        world.apply(&Stamped { seq: world.version() + 1, at: world.at(), event: Event::Configured { change } });
    }
    Ok(())
}

/// Hands changes to the owner in order, many at a time, so that they share its commits. Returns how many were taken over before
/// one was not.
pub(crate) async fn configure_all(handle: &TenantHandle, changes: Vec<Change>) -> Result<(), (usize, CommandError)> {
    for (chunk, changes) in changes.chunks(limits::CHANGES_AT_ONCE).enumerate() {
        let mut asked: Vec<_> = changes.iter().map(|change| Box::pin(handle.configure(change.clone()))).collect();
        let mut answered: Vec<Option<Result<(), CommandError>>> = Vec::with_capacity(asked.len());
        for future in &mut asked {
            // Once polled, a change has its place in the owner's queue; so they arrive in order.
            answered.push(std::future::poll_fn(|context| Poll::Ready(poll_once(future.as_mut(), context))).await);
        }
        for (index, (future, answer)) in asked.into_iter().zip(answered).enumerate() {
            let answer = match answer {
                Some(answer) => answer,
                None => future.await,
            };
            answer.map_err(|error| (chunk * limits::CHANGES_AT_ONCE + index, error))?;
        }
    }
    Ok(())
}

fn poll_once<T>(future: Pin<&mut impl Future<Output = T>>, context: &mut Context<'_>) -> Option<T> {
    match future.poll(context) {
        Poll::Ready(answer) => Some(answer),
        Poll::Pending => None,
    }
}

/// Carries out steps that belong together. The caller holds the tenant's writer.
///
/// # Errors
/// When a step is not acceptable; then none has an effect.
pub(crate) async fn execute(state: &AppState, principal: &Principal, steps: Vec<Step>) -> Result<(), Problem> {
    let tenant = principal.tenant;
    let handle = state.tenant(tenant)?;
    let changes = changes_of(&steps);
    validate(&handle, changes.clone()).await.map_err(|(_, problem)| problem)?;
    let mut former = Vec::with_capacity(steps.len());
    for step in &steps {
        former.push(state.store().get(tenant, step.kind, &step.id).await?);
    }
    store(state, tenant, &steps).await?;
    let (places, changes): (Vec<usize>, Vec<Change>) = changes.into_iter().unzip();
    if let Err((index, error)) = configure_all(&handle, changes).await {
        let first = first_in_doubt(&steps, &places, index);
        restore(state, tenant, &steps[first..], &former[first..]).await;
        // Changes after the refused one may be on their way to the owner already. If this fails too, the next start-up does it.
        if let Err(problem) = setup::agree(state, tenant).await {
            tracing::warn!(%tenant, %problem, "the owner does not agree with the store yet");
        }
        return Err(match error {
            CommandError::Refused(refusal) => in_our_words(refusal.into()),
            other => other.into(),
        });
    }
    if steps.iter().any(|step| OF_LINES.contains(&step.kind)) {
        setup::tell_lines(state, tenant).await?;
    }
    if steps.iter().any(|step| step.kind == Webhook::KIND) {
        state.webhooks_changed();
    }
    flow_version::keep(state, principal, &steps, &former).await?;
    note_steps(state, principal, &steps, &former).await
}

/// One line for one document, and one for many that were changed together.
async fn note_steps(
    state: &AppState,
    principal: &Principal,
    steps: &[Step],
    former: &[Option<dreiklang_store::Document>],
) -> Result<(), Problem> {
    let what = |step: &Step, former: &Option<dreiklang_store::Document>| match (&step.body, former) {
        (None, _) => "removed",
        (Some(_), None) => "created",
        (Some(_), Some(_)) => "changed",
    };
    if let ([step], [former]) = (steps, former) {
        let action = format!("{}.{}", step.kind, what(step, former));
        return note(state, principal, &action, &step.id, json!({ "name": step.name })).await;
    }
    let documents: Vec<_> = steps
        .iter()
        .zip(former)
        .take(limits::AUDITED_DOCUMENTS)
        .map(|(step, former)| json!({ "kind": step.kind, "name": step.name, "action": what(step, former) }))
        .collect();
    note(state, principal, "configuration.applied", "configuration", json!({ "changes": steps.len(), "documents": documents })).await
}

async fn store(state: &AppState, tenant: TenantId, steps: &[Step]) -> Result<(), Problem> {
    let puts: Vec<NewDocument> = steps
        .iter()
        .filter_map(|step| {
            Some(NewDocument {
                kind: step.kind.to_owned(),
                id: step.id.clone(),
                name: Some(step.name.clone()),
                expected_version: step.expected,
                body: step.body.clone()?,
            })
        })
        .collect();
    if !puts.is_empty() {
        state.store().put_all(tenant, puts).await?;
    }
    for step in steps.iter().filter(|step| step.body.is_none()) {
        state.store().delete(tenant, step.kind, &step.id, step.expected).await?;
    }
    Ok(())
}

/// Gives the store back what it had before. Failing leaves the newer document, which the next start-up takes over.
async fn restore(state: &AppState, tenant: TenantId, steps: &[Step], former: &[Option<dreiklang_store::Document>]) {
    for (step, former) in steps.iter().zip(former) {
        let restored = match former {
            Some(former) => {
                let document = NewDocument {
                    kind: step.kind.to_owned(),
                    id: step.id.clone(),
                    name: former.name.clone(),
                    expected_version: None,
                    body: former.body.clone(),
                };
                state.store().put(tenant, document).await.map(|_| ())
            }
            None => state.store().delete(tenant, step.kind, &step.id, None).await.map(|_| ()),
        };
        if let Err(error) = restored {
            tracing::error!(code = error.code(), kind = step.kind, id = %step.id, error = chain(&error), "a refused change could not be taken back in the store");
        }
    }
}

/// Notes who did what.
///
/// # Errors
/// When the store fails.
pub(crate) async fn note(state: &AppState, principal: &Principal, action: &str, subject: &str, detail: Value) -> Result<(), Problem> {
    let note =
        AuditNote { at: now(), actor: principal.actor(principal.agent), action: action.to_owned(), subject: subject.to_owned(), detail };
    state.store().audit(principal.tenant, note).await?;
    Ok(())
}

/// The core names fields in its own words; ours carry their units.
pub(crate) fn in_our_words(problem: Problem) -> Problem {
    let Some(field) = problem.offending_field() else { return problem };
    let field = field.split_once('.').map_or(field, |(_, rest)| rest);
    let field = match field {
        "ring" | "short_abandon" | "max_wait" | "wrap_up.duration" | "service_level.within" => format!("{field}_ms"),
        // Spans of a flow's nodes: `nodes.menu.wait`.
        span if span.starts_with("nodes.") && [".wait", ".between", ".limit"].iter().any(|end| span.ends_with(end)) => format!("{span}_ms"),
        // Spans within rules: `waiting.overflow[0].when.after`, `waiting.announcements.every`.
        span if span.ends_with(".after") || span.ends_with(".every") || span.ends_with("preferred.wait") => format!("{span}_ms"),
        other => other.to_owned(),
    };
    problem.field(field)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_is_named_as_in_the_request() {
        for (theirs, ours) in
            [("queue.ring", "ring_ms"), ("queue.service_level.target", "service_level.target"), ("skill.name", "name"), ("skill", "skill")]
        {
            let problem = in_our_words(Problem::invalid(theirs, "x"));
            assert_eq!(problem.offending_field(), Some(ours));
        }
    }
}
