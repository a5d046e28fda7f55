//! Flows that are being drawn: kept beside what is published, in whatever state they are, until they are published or given up.
//!
//! No call ever sees one. A draft has its flow's id, so that there is one of each flow; of a flow that is not published yet it has
//! the id the flow will have.

use super::{
    flow::Flow,
    kind::Kind,
    reference,
    write::{self, Place},
};
use crate::{
    api::extract::IfMatch,
    auth::{Principal, secret},
    error::{Code, Problem},
    limits::{DRAFT_PROBLEMS, FLOW_DRAFTS},
    state::AppState,
};
use dreiklang_core::{Actor, flow, ids::TenantId};
use dreiklang_store::NewDocument;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use utoipa::ToSchema;

/// The store's word.
const KIND: &str = "flow_draft";

/// What is written of a draft.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DraftWrite {
    /// The flow as far as it is drawn; anything that is a JSON object.
    #[schema(value_type = Object)]
    pub flow: Map<String, Value>,
    /// The version of the published flow it builds on, 0 for none; absent: as the draft says, or else the present one.
    #[serde(default)]
    pub based_on: Option<u64>,
}

/// A stored draft.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Stored {
    flow: Map<String, Value>,
    based_on: u64,
    by: Actor,
}

/// The draft of a flow.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct FlowDraft {
    /// The flow's id, or the id it will have.
    pub id: String,
    /// Counts the changes of the draft, from 1; also in the `ETag`.
    pub version: u64,
    /// When it was last changed, in milliseconds since 1970.
    pub updated_at: i64,
    /// By whom.
    #[schema(value_type = Object)]
    pub by: Actor,
    /// The version of the published flow it builds on; 0 for none.
    pub based_on: u64,
    /// The flow as far as it is drawn.
    #[schema(value_type = Object)]
    pub flow: Map<String, Value>,
    /// What keeps it from being published, as things are now; empty when nothing does.
    pub problems: Vec<DraftProblem>,
}

/// Something that keeps a draft from being published.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct DraftProblem {
    /// Where, as far as that can be told.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    /// What is wrong and what would help.
    pub detail: String,
}

impl From<Problem> for DraftProblem {
    fn from(problem: Problem) -> DraftProblem {
        DraftProblem { field: problem.offending_field().map(str::to_owned), detail: problem.detail().to_owned() }
    }
}

/// A draft with what is wrong with it.
///
/// # Errors
/// `API-003` when there is none.
pub(crate) async fn read(state: &AppState, tenant: TenantId, id: &str) -> Result<FlowDraft, Problem> {
    let found = state.store().get(tenant, KIND, id).await?;
    shown(state, tenant, found.ok_or_else(|| Problem::not_found("draft of flow", id))?).await
}

/// Drafts by id, beginning after the id `after`.
///
/// # Errors
/// When the store fails.
pub(crate) async fn list(state: &AppState, tenant: TenantId, after: Option<&str>, rows: usize) -> Result<Vec<FlowDraft>, Problem> {
    let mut drafts = Vec::new();
    for found in state.store().list(tenant, KIND, after, rows).await? {
        drafts.push(shown(state, tenant, found).await?);
    }
    Ok(drafts)
}

async fn shown(state: &AppState, tenant: TenantId, found: dreiklang_store::Document) -> Result<FlowDraft, Problem> {
    let Stored { flow, based_on, by } = serde_json::from_value(found.body).map_err(|error| Problem::failure(&error))?;
    let problems = problems(state, tenant, &found.id, &flow).await?;
    Ok(FlowDraft { id: found.id, version: found.version, updated_at: found.updated_at.0, by, based_on, flow, problems })
}

/// Keeps a draft; without an id, that of a new flow.
///
/// # Errors
/// When there is no such flow or draft, somebody else changed it meanwhile, or there are too many.
pub(crate) async fn put(
    state: &AppState,
    principal: &Principal,
    present: Option<(&str, IfMatch)>,
    written: DraftWrite,
) -> Result<FlowDraft, Problem> {
    let tenant = principal.tenant;
    let writer = state.writer(tenant);
    let _turn = writer.lock().await;
    let (id, expected) = match present {
        Some((id, version)) => (id.to_owned(), version.expected()),
        None => (secret::new_id(Flow::PREFIX), Some(0)),
    };
    let former = state.store().get(tenant, KIND, &id).await?;
    let published = state.store().get(tenant, Flow::KIND, &id).await?;
    if present.is_some() && former.is_none() && published.is_none() {
        return Err(Problem::not_found("flow", &id));
    }
    if former.is_none() && drafts(state, tenant).await? >= FLOW_DRAFTS {
        return Err(Problem::new(Code::LimitReached, format!("A tenant has at most {FLOW_DRAFTS} drafts; publish or delete some.")));
    }
    let kept: Option<Stored> =
        former.map(|former| serde_json::from_value(former.body)).transpose().map_err(|error| Problem::failure(&error))?;
    let based_on = written.based_on.or(kept.map(|kept| kept.based_on)).unwrap_or_else(|| published.map_or(0, |flow| flow.version));
    let stored = Stored { flow: written.flow, based_on, by: principal.actor(principal.agent) };
    let name = stored.flow.get("name").cloned();
    let document = NewDocument {
        kind: KIND.to_owned(),
        id: id.clone(),
        name: None,
        expected_version: expected,
        body: serde_json::to_value(&stored).map_err(|error| Problem::failure(&error))?,
    };
    state.store().put(tenant, document).await?;
    write::note(state, principal, "flow_draft.saved", &id, json!({ "name": name })).await?;
    read(state, tenant, &id).await
}

/// Gives a draft up. What is published stays.
///
/// # Errors
/// When there is none, or somebody else changed it meanwhile.
pub(crate) async fn remove(state: &AppState, principal: &Principal, id: &str, version: IfMatch) -> Result<(), Problem> {
    let tenant = principal.tenant;
    let writer = state.writer(tenant);
    let _turn = writer.lock().await;
    if state.store().get(tenant, KIND, id).await?.is_none() {
        return Err(Problem::not_found("draft of flow", id));
    }
    state.store().delete(tenant, KIND, id, version.expected()).await?;
    write::note(state, principal, "flow_draft.removed", id, json!({})).await
}

/// Publishes a draft, which is then gone. Should the process die between the two, the draft is left and builds on an older version.
///
/// # Errors
/// When the draft cannot be published, or draft or flow were changed meanwhile.
pub(crate) async fn publish(state: &AppState, principal: &Principal, id: &str, version: IfMatch) -> Result<super::Document<Flow>, Problem> {
    let tenant = principal.tenant;
    let writer = state.writer(tenant);
    let _turn = writer.lock().await;
    let draft = read(state, tenant, id).await?;
    if version.expected().is_some_and(|expected| expected != draft.version) {
        let detail = format!("The draft is at version {} now; read it again and look at it before it is published.", draft.version);
        return Err(Problem::new(Code::Changed, detail).etag(draft.version));
    }
    let published = state.store().get(tenant, Flow::KIND, id).await?.map_or(0, |flow| flow.version);
    if published != draft.based_on {
        let detail = format!(
            "The flow is at version {published} and this draft builds on version {}; compare them, and save the draft with \"based_on\": {published}.",
            draft.based_on
        );
        return Err(Problem::new(Code::Changed, detail).field("based_on").etag(draft.version));
    }
    let flow: Flow = serde_json::from_value(Value::Object(draft.flow)).map_err(|error| Problem::invalid("flow", error.to_string()))?;
    let place = if published == 0 { Place::New(id.to_owned()) } else { Place::At(id, IfMatch::Version(published)) };
    let written = write::put_in_turn(state, principal, place, flow).await?;
    state.store().delete(tenant, KIND, id, None).await?;
    write::note(state, principal, "flow_draft.published", id, json!({ "name": written.body.name, "version": written.version })).await?;
    Ok(written)
}

/// The flow of a draft, where it can be read.
///
/// # Errors
/// When there is no draft, or it cannot be read yet.
pub(crate) async fn flow(state: &AppState, tenant: TenantId, id: &str) -> Result<Flow, Problem> {
    let draft = read(state, tenant, id).await?;
    serde_json::from_value(Value::Object(draft.flow)).map_err(|error| Problem::invalid("flow", error.to_string()))
}

/// A flow is gone, and its draft with it.
///
/// # Errors
/// When the store fails.
pub(crate) async fn forget(state: &AppState, tenant: TenantId, id: &str) -> Result<(), Problem> {
    state.store().delete(tenant, KIND, id, None).await?;
    Ok(())
}

async fn drafts(state: &AppState, tenant: TenantId) -> Result<usize, Problem> {
    let mut count = 0;
    let mut after: Option<String> = None;
    loop {
        let page = state.store().list(tenant, KIND, after.as_deref(), usize::MAX).await?;
        let Some(last) = page.last() else { return Ok(count) };
        count += page.len();
        after = Some(last.id.clone());
    }
}

/// What keeps a draft from being published: first of all that it cannot be read, then what it names, then whether it holds together.
async fn problems(state: &AppState, tenant: TenantId, id: &str, drawn: &Map<String, Value>) -> Result<Vec<DraftProblem>, Problem> {
    let mut flow: Flow = match serde_json::from_value(Value::Object(drawn.clone())) {
        Ok(flow) => flow,
        Err(error) => return Ok(vec![DraftProblem { field: None, detail: format!("It cannot be read yet: {error}") }]),
    };
    let mut found = Vec::new();
    for named in flow.references() {
        found.extend(reference::resolve(state.store(), tenant, vec![named]).await.err());
    }
    found.extend(write::check(state, tenant, &flow).await.err());
    if found.is_empty() {
        found = flow.unreadable();
    }
    if found.is_empty() {
        let core = flow.to_core(id)?;
        let refused = state.tenant(tenant)?.read(move |world| flow::problems(world, &core)).await?;
        found = refused.into_iter().map(|refusal| write::in_our_words(refusal.into())).collect();
    }
    Ok(found.into_iter().take(DRAFT_PROBLEMS).map(DraftProblem::from).collect())
}
