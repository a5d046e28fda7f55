//! How a change to documents is made: checked, stored, taken over by the owner, told to the lines, noted in the audit log.

use super::{
    agent::Agent,
    kind::{Document, Kind},
    phone::Phone,
    reference,
    webhook::Webhook,
};
use crate::{
    api::extract::IfMatch,
    auth::{Principal, secret},
    error::{Code, Problem, chain},
    runtime::{CommandError, TenantHandle},
    setup,
    state::{AppState, now},
    webhooks::address,
};
use dreiklang_core::{
    Event, Stamped,
    config::{self, Change},
    ids::TenantId,
    limits::NAME_CHARS,
};
use dreiklang_store::{AuditNote, NewDocument};
use serde_json::{Value, json};

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
    pub change: Option<Change>,
}

/// Kinds whose changes the lines have to know.
const OF_LINES: &[&str] = &["trunk", "phone", "number"];

/// Writes one document.
///
/// # Errors
/// When it is not acceptable, or somebody else changed it meanwhile.
pub(crate) async fn put<K: Kind>(
    state: &AppState,
    principal: &Principal,
    present: Option<(&str, IfMatch)>,
    mut body: K,
) -> Result<Document<K>, Problem> {
    let tenant = principal.tenant;
    let writer = state.writer(tenant);
    let _turn = writer.lock().await;
    reference::resolve(state.store(), tenant, body.references()).await?;
    let former = match present {
        Some((id, _)) => Some(read::<K>(state, tenant, id).await?),
        None => None,
    };
    body.keep_secrets(former.as_ref().map(|former| &former.body));
    check(state, tenant, &body).await?;
    let (id, expected) = match present {
        Some((id, if_match)) => (id.to_owned(), if_match.expected()),
        None => {
            room::<K>(state, tenant).await?;
            (secret::new_id(K::PREFIX), Some(0))
        }
    };
    let step = Step {
        kind: K::KIND,
        expected,
        name: body.name().to_owned(),
        body: Some(serde_json::to_value(&body).map_err(|error| Problem::failure(&error))?),
        change: body.change(&id)?,
        id: id.clone(),
    };
    execute(state, principal, vec![step]).await?;
    let mut written = read::<K>(state, tenant, &id).await?;
    if present.is_some() || !K::SHOWS_SECRETS_ONCE {
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
    if let Some(number) = any.downcast_ref::<super::number::Number>() {
        check_greeting(state, tenant, number.greeting.as_ref()).await?;
    }
    if let Some(queue) = any.downcast_ref::<super::queue::Queue>() {
        check_greeting(state, tenant, Some(&queue.hold_music)).await?;
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
    let asked = handle.read(move |world| {
        let mut changed;
        let mut world = world;
        for (place, (index, change)) in changes.iter().enumerate() {
            if let Err(refusal) = config::validate(world, change) {
                return Err((*index, refusal));
            }
            // Later changes may build on earlier ones; the last needs no further world.
            if place + 1 < changes.len() {
                let mut next = world.clone();
                next.apply(&Stamped { seq: world.version() + 1, at: world.at(), event: Event::Configured { change: change.clone() } });
                changed = next;
                world = &changed;
            }
        }
        Ok(())
    });
    match asked.await {
        Ok(Ok(())) => Ok(()),
        Ok(Err((index, refusal))) => Err((Some(index), in_our_words(refusal.into()))),
        Err(error) => Err((None, error.into())),
    }
}

/// Carries out steps that belong together. The caller holds the tenant's writer.
///
/// # Errors
/// When a step is not acceptable; then none has an effect.
pub(crate) async fn execute(state: &AppState, principal: &Principal, steps: Vec<Step>) -> Result<(), Problem> {
    let tenant = principal.tenant;
    let handle = state.tenant(tenant)?;
    let changes = steps.iter().enumerate().filter_map(|(index, step)| step.change.clone().map(|change| (index, change))).collect();
    validate(&handle, changes).await.map_err(|(_, problem)| problem)?;
    let mut former = Vec::with_capacity(steps.len());
    for step in &steps {
        former.push(state.store().get(tenant, step.kind, &step.id).await?);
    }
    store(state, tenant, &steps).await?;
    for (index, step) in steps.iter().enumerate() {
        let Some(change) = step.change.clone() else { continue };
        if let Err(error) = handle.configure(change).await {
            restore(state, tenant, &steps[index..], &former[index..]).await;
            return Err(match error {
                CommandError::Refused(refusal) => in_our_words(refusal.into()),
                other => other.into(),
            });
        }
    }
    if steps.iter().any(|step| OF_LINES.contains(&step.kind)) {
        setup::tell_lines(state, tenant).await?;
    }
    if steps.iter().any(|step| step.kind == Webhook::KIND) {
        state.webhooks_changed();
    }
    for (step, former) in steps.iter().zip(&former) {
        let what = match (&step.body, former) {
            (None, _) => "removed",
            (Some(_), None) => "created",
            (Some(_), Some(_)) => "changed",
        };
        note(state, principal, &format!("{}.{what}", step.kind), &step.id, json!({ "name": step.name })).await?;
    }
    Ok(())
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
fn in_our_words(problem: Problem) -> Problem {
    let Some(field) = problem.offending_field() else { return problem };
    let field = field.split_once('.').map_or(field, |(_, rest)| rest);
    let field = match field {
        "ring" | "short_abandon" | "max_wait" | "wrap_up.duration" | "service_level.within" => format!("{field}_ms"),
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
