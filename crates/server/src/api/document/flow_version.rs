//! Every version of a flow that was published, so that an administrator can look back and return to one.

use super::{flow::Flow, flow_draft, kind::Kind, write::Step};
use crate::{
    auth::Principal,
    error::Problem,
    limits::FLOW_VERSIONS,
    state::{AppState, now},
};
use dreiklang_core::{Actor, ids::TenantId};
use dreiklang_store::NewDocument;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The store's word.
const KIND: &str = "flow_version";

/// One published version of a flow.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct FlowVersion {
    /// Counts the changes of the flow, from 1.
    pub version: u64,
    /// When it was published, in milliseconds since 1970.
    pub published_at: i64,
    /// By whom.
    #[schema(value_type = Object)]
    pub by: Actor,
    /// What it said, with ids for references.
    pub flow: Flow,
}

/// So that versions sort by their number.
fn id(flow: &str, version: u64) -> String {
    format!("{flow}.{version:010}")
}

/// All versions of a flow that are kept, oldest first.
///
/// # Errors
/// When the store fails.
pub(crate) async fn all(state: &AppState, tenant: TenantId, flow: &str) -> Result<Vec<FlowVersion>, Problem> {
    let mut found = Vec::new();
    for stored in stored(state, tenant, flow).await? {
        found.push(serde_json::from_value(stored.body).map_err(|error| Problem::failure(&error))?);
    }
    Ok(found)
}

/// One version of a flow.
///
/// # Errors
/// `API-003` when it is not kept.
pub(crate) async fn read(state: &AppState, tenant: TenantId, flow: &str, version: u64) -> Result<FlowVersion, Problem> {
    let id = id(flow, version);
    let stored = state.store().get(tenant, KIND, &id).await?.ok_or_else(|| Problem::not_found("version", &id))?;
    serde_json::from_value(stored.body).map_err(|error| Problem::failure(&error))
}

async fn stored(state: &AppState, tenant: TenantId, flow: &str) -> Result<Vec<dreiklang_store::Document>, Problem> {
    let documents = state.store().list(tenant, KIND, Some(flow), FLOW_VERSIONS + 1).await?;
    let own = |document: &dreiklang_store::Document| document.id.strip_prefix(flow).is_some_and(|rest| rest.starts_with('.'));
    Ok(documents.into_iter().take_while(own).collect())
}

/// Keeps what these steps have published, and forgets what is too old or of a flow that is gone.
///
/// # Errors
/// When the store fails.
pub(crate) async fn keep(
    state: &AppState,
    principal: &Principal,
    steps: &[Step],
    former: &[Option<dreiklang_store::Document>],
) -> Result<(), Problem> {
    let tenant = principal.tenant;
    for (step, former) in steps.iter().zip(former).filter(|(step, _)| step.kind == Flow::KIND) {
        let Some(body) = &step.body else {
            for old in stored(state, tenant, &step.id).await? {
                state.store().delete(tenant, KIND, &old.id, None).await?;
            }
            flow_draft::forget(state, tenant, &step.id).await?;
            continue;
        };
        let version = former.as_ref().map_or(0, |former| former.version) + 1;
        let flow = serde_json::from_value(body.clone()).map_err(|error| Problem::failure(&error))?;
        let kept = FlowVersion { version, published_at: now().0, by: principal.actor(principal.agent), flow };
        let document = NewDocument {
            kind: KIND.to_owned(),
            id: id(&step.id, version),
            name: None,
            expected_version: None,
            body: serde_json::to_value(&kept).map_err(|error| Problem::failure(&error))?,
        };
        state.store().put(tenant, document).await?;
        let present = stored(state, tenant, &step.id).await?;
        for old in present.iter().take(present.len().saturating_sub(FLOW_VERSIONS)) {
            state.store().delete(tenant, KIND, &old.id, None).await?;
        }
    }
    Ok(())
}
