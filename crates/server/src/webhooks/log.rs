//! What became of deliveries, for the last few of each webhook.
//!
//! Kept as one document per webhook in the store: deliveries under way and given up are jobs there anyway, so this holds only results.

use crate::{error::Problem, state::AppState};
use dreiklang_core::ids::TenantId;
use dreiklang_store::NewDocument;
use serde::{Deserialize, Serialize};

/// The store's word.
const KIND: &str = "webhook_log";
/// Results remembered of each webhook: enough to see a pattern.
const RESULTS: usize = 50;

/// One try to deliver.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Delivery {
    /// The event's id.
    pub event: String,
    /// The event's type.
    #[serde(rename = "type")]
    pub kind: String,
    /// When it was tried.
    pub at: i64,
    /// Which try, from 1.
    pub attempt: u32,
    /// The receiver's HTTP status; absent when it did not answer.
    pub status: Option<u16>,
    /// What went wrong; absent when it was accepted.
    pub error: Option<String>,
    /// How long it took.
    pub took_ms: u64,
    /// Number for sending it again; absent when it was accepted.
    pub job: Option<u64>,
}

/// The last results, newest first.
pub(crate) async fn read(state: &AppState, tenant: TenantId, webhook: &str) -> Result<Vec<Delivery>, Problem> {
    match state.store().get(tenant, KIND, webhook).await? {
        Some(stored) => Ok(serde_json::from_value(stored.body).unwrap_or_default()),
        None => Ok(Vec::new()),
    }
}

/// Adds a result.
pub(crate) async fn add(state: &AppState, tenant: TenantId, webhook: &str, delivery: Delivery) -> Result<(), Problem> {
    let mut results = read(state, tenant, webhook).await?;
    results.insert(0, delivery);
    results.truncate(RESULTS);
    let body = serde_json::to_value(&results).map_err(|error| Problem::failure(&error))?;
    let document = NewDocument { kind: KIND.to_owned(), id: webhook.to_owned(), name: None, expected_version: None, body };
    state.store().put(tenant, document).await?;
    Ok(())
}
