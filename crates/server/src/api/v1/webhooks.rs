//! What became of webhooks' deliveries, sending one again, and a test.

use crate::{
    api::{
        document::{webhook::Webhook, write},
        extract::{Page, id},
        guard::guard,
    },
    auth::{Permission as P, Principal, secret},
    error::{Code, Problem},
    http::no_content,
    state::{AppState, now},
    webhooks::{deliver_event, event, kind_of, log},
};
use axum::{
    extract::{Path, State},
    http::StatusCode,
};
use dreiklang_store::JobId;
use log::Delivery;
use serde_json::json;
use utoipa_axum::{router::OpenApiRouter, routes};

pub(super) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(guard(P::ReadSetup, routes!(deliveries)))
        .routes(guard(P::WriteConfiguration, routes!(resend)))
        .routes(guard(P::WriteConfiguration, routes!(test)))
}

/// Lists the last tries to deliver, newest first.
#[utoipa::path(get, path = "/webhooks/{id}/deliveries", tag = "webhooks", operation_id = "listDeliveries", params(("id" = String, Path, description = "Which webhook.")),
    responses((status = 200, description = "The last fifty.", body = Page<Delivery>)))]
async fn deliveries(State(state): State<AppState>, principal: Principal, Path(id): Path<String>) -> Result<Page<Delivery>, Problem> {
    write::read::<Webhook>(&state, principal.tenant, &id).await?;
    Ok(Page { items: log::read(&state, principal.tenant, &id).await?, next: None })
}

/// Sends a delivery that failed once more, at once.
#[utoipa::path(post, path = "/webhooks/{id}/deliveries/{job}/resend", tag = "webhooks", operation_id = "resendDelivery",
    params(("id" = String, Path, description = "Which webhook."), ("job" = String, Path, description = "The delivery's `job`.")),
    responses((status = 204, description = "On its way.")))]
async fn resend(
    State(state): State<AppState>,
    principal: Principal,
    Path((webhook, job)): Path<(String, String)>,
) -> Result<StatusCode, Problem> {
    write::read::<Webhook>(&state, principal.tenant, &webhook).await?;
    let job = JobId(id("delivery", &job)?);
    let before = JobId(job.0.saturating_sub(1));
    let found = state.store().jobs(principal.tenant, Some(before), 1).await?;
    let is_its = found
        .first()
        .is_some_and(|found| found.id == job && found.kind == kind_of(&webhook) && found.payload["webhook"] == webhook.as_str());
    if !is_its || !state.store().retry_job(principal.tenant, job, now()).await? {
        return Err(Problem::new(Code::NotFound, "This delivery was accepted meanwhile, given up, or is being made right now."));
    }
    state.deliveries_changed();
    write::note(&state, &principal, "webhook.resent", &webhook, json!({ "job": job.0 })).await?;
    Ok(no_content())
}

/// Sends a test event.
#[utoipa::path(post, path = "/webhooks/{id}/test", tag = "webhooks", operation_id = "testWebhook", params(("id" = String, Path, description = "Which webhook.")),
    responses((status = 202, description = "On its way; the list of deliveries says what became of it.")))]
async fn test(State(state): State<AppState>, principal: Principal, Path(id): Path<String>) -> Result<StatusCode, Problem> {
    let webhook = write::read::<Webhook>(&state, principal.tenant, &id).await?;
    if !webhook.body.enabled {
        return Err(Problem::invalid("enabled", "The webhook is turned off; turn it on first."));
    }
    let data = json!({ "by": principal.name, "webhook": webhook.body.name });
    let event = event::envelope(principal.tenant, &secret::new_id("evt"), event::TEST, &id, now(), data);
    deliver_event(&state, principal.tenant, &id, event).await?;
    Ok(StatusCode::ACCEPTED)
}
