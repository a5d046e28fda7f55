//! From jobs to receivers: one POST each, signed, tried again with growing pauses for a day.
//!
//! The signature is `X-Dreiklang-Signature: t=<seconds>,v1=<hex>`: HMAC-SHA256 with the webhook's secret over `<seconds>.<body>`. The
//! time is signed too, so that a receiver can refuse old deliveries that somebody repeats.

use super::{
    address,
    log::{self, Delivery},
};
use crate::{
    api::document::{kind::Document, webhook::Webhook},
    error::{Problem, chain},
    limits,
    state::{AppState, now},
};
use data_encoding::HEXLOWER;
use dreiklang_core::time::{Millis, Timestamp};
use dreiklang_store::{Job, Retry};
use hmac::{Hmac, KeyInit, Mac};
use reqwest::{StatusCode, header};
use serde::Deserialize;
use serde_json::Value;
use sha2::Sha256;
use std::{
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::sync::Semaphore;

/// The store's words for deliveries begin so; the lane follows.
const KIND: &str = "webhook/";
/// How long a claimed job stays ours: a delivery, and room for a slow store.
const HOLD: Millis = Millis::from_secs(60);
/// Looked for due jobs at least this often, should a notice get lost.
const LOOK: Duration = Duration::from_secs(30);
/// Pause after the store failed.
const STORE_PAUSE: Duration = Duration::from_secs(5);
/// Longest pause a receiver may ask for by Retry-After.
const RETRY_AFTER_MAX: Millis = Millis::from_secs(3_600);

#[derive(Debug, Deserialize)]
struct Payload {
    webhook: String,
    event: Value,
}

/// The kind of job for a webhook's deliveries.
pub(crate) fn kind_of(webhook: &str) -> String {
    let lane = webhook.bytes().fold(0_usize, |sum, byte| sum.wrapping_mul(31).wrapping_add(usize::from(byte))) % limits::DELIVERY_LANES;
    format!("{KIND}{lane}")
}

pub(super) async fn run(state: AppState) {
    let mut lanes = tokio::task::JoinSet::new();
    for lane in 0..limits::DELIVERY_LANES {
        lanes.spawn(run_lane(state.clone(), format!("{KIND}{lane}")));
    }
    while lanes.join_next().await.is_some() {}
}

async fn run_lane(state: AppState, kind: String) {
    let places = Arc::new(Semaphore::new(limits::DELIVERIES_PER_LANE));
    let mut changes = state.delivery_changes();
    loop {
        changes.mark_unchanged();
        let free = places.available_permits();
        let claimed = if free == 0 { Ok(Vec::new()) } else { state.store().claim_jobs(&[&kind], now(), HOLD, free).await };
        match claimed {
            Ok(jobs) => {
                for job in jobs {
                    let Ok(place) = Arc::clone(&places).try_acquire_owned() else { break };
                    let state = state.clone();
                    tokio::spawn(async move {
                        work(&state, job).await;
                        drop(place);
                        state.deliveries_changed();
                    });
                }
            }
            Err(failure) => {
                tracing::warn!(error = chain(&failure), "webhooks wait for the store");
                tokio::time::sleep(STORE_PAUSE).await;
            }
        }
        // With every place taken, the end of a delivery wakes us; a job that is due already must not.
        let pause = if places.available_permits() == 0 {
            LOOK
        } else {
            match state.store().next_job_at(&[&kind]).await {
                Ok(Some(at)) => Duration::from_millis(at.since(now()).0).min(LOOK),
                _ => LOOK,
            }
        };
        if pause.is_zero() {
            continue;
        }
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            changed = changes.changed() => if changed.is_err() { return },
        }
    }
}

async fn work(state: &AppState, job: Job) {
    let outcome = attempt(state, &job).await;
    if let Err(problem) = outcome {
        // The claim runs out and the job comes back.
        tracing::warn!(code = problem.code(), %problem, "the outcome of a delivery could not be kept");
    }
}

/// What became of a try.
struct Outcome {
    status: Option<u16>,
    error: Option<String>,
    not_before: Option<Timestamp>,
    /// The receiver does not exist any more, or never will take it.
    give_up: bool,
}

async fn attempt(state: &AppState, job: &Job) -> Result<(), Problem> {
    let payload: Payload = match serde_json::from_value(job.payload.clone()) {
        Ok(payload) => payload,
        Err(error) => {
            tracing::error!(%error, "a delivery cannot be read and is dropped");
            state.store().complete_job(job).await?;
            return Ok(());
        }
    };
    let Some(stored) = state.store().get(job.tenant, "webhook", &payload.webhook).await? else {
        state.store().complete_job(job).await?;
        return Ok(());
    };
    let webhook = Document::<Webhook>::from_store(stored)?.body;
    if !webhook.enabled {
        state.store().complete_job(job).await?;
        return Ok(());
    }
    let started = Instant::now();
    let outcome = post(state, &webhook, &payload.event).await;
    let accepted = outcome.error.is_none();
    state.metrics().delivered(if accepted { "accepted" } else { "failed" });
    let too_old = now().since(job.created_at).0 >= limits::DELIVERY_LIFE.as_millis() as u64;
    let retry = match &outcome.error {
        None => {
            state.store().complete_job(job).await?;
            None
        }
        Some(_) if outcome.give_up || too_old => {
            state.store().complete_job(job).await?;
            None
        }
        Some(error) => {
            let not_before = later(now(), job.attempts).max(outcome.not_before.unwrap_or_default());
            Some(state.store().fail_job(job, error, now(), Some(not_before)).await?)
        }
    };
    if let Some(error) = &outcome.error {
        tracing::info!(tenant = %job.tenant, webhook = %payload.webhook, attempt = job.attempts, error, "a webhook did not accept an event");
    }
    let text = |name: &str| payload.event[name].as_str().unwrap_or_default().to_owned();
    let delivery = Delivery {
        event: text("id"),
        kind: text("type"),
        at: now().0,
        attempt: job.attempts,
        status: outcome.status,
        error: outcome.error,
        took_ms: started.elapsed().as_millis() as u64,
        job: matches!(retry, Some(Retry::At(_) | Retry::GivenUp)).then_some(job.id.0),
    };
    log::add(state, job.tenant, &payload.webhook, delivery).await
}

/// When to try again: the pause doubles with every try, and is up to a fifth longer by chance, so that many deliveries that failed
/// together do not come back together.
fn later(now: Timestamp, attempts: u32) -> Timestamp {
    let first = limits::DELIVERY_PAUSE.as_millis() as u64;
    let pause = first.saturating_mul(1 << attempts.saturating_sub(1).min(20)).min(limits::DELIVERY_PAUSE_MAX.as_millis() as u64);
    let mut chance = [0_u8; 2];
    crate::auth::password::fill(&mut chance);
    now + Millis(pause + pause / 5 * u64::from(u16::from_le_bytes(chance)) / u64::from(u16::MAX))
}

async fn post(state: &AppState, webhook: &Webhook, event: &Value) -> Outcome {
    let failed = |error: String, give_up: bool| Outcome { status: None, error: Some(error), not_before: None, give_up };
    let allow_local = state.config().webhooks.allow_local;
    let url = match address::check_text(&webhook.url, allow_local) {
        Ok(url) => url,
        Err(problem) => return failed(problem.to_string(), true),
    };
    let place = match address::resolve(&url, allow_local).await {
        Ok(place) => place,
        Err(error) => return failed(error, false),
    };
    // A client per delivery: it is bound to the address that was checked. Redirects would lead away from it.
    let client = reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .timeout(limits::DELIVERY_TIME)
        .no_proxy()
        .user_agent(concat!("Dreiklang/", env!("CARGO_PKG_VERSION")))
        .resolve(url.host_str().unwrap_or_default(), place)
        .build();
    let client = match client {
        Ok(client) => client,
        Err(error) => return failed(chain(&error), false),
    };
    let body = event.to_string();
    let request = client
        .post(url)
        .header(header::CONTENT_TYPE, "application/cloudevents+json; charset=utf-8")
        .header("X-Dreiklang-Signature", signature(&webhook.secret, now().0 / 1_000, &body))
        .body(body);
    let mut response = match request.send().await {
        Ok(response) => response,
        Err(error) => return failed(chain(&error), false),
    };
    let status = response.status();
    let not_before = retry_after(&response);
    if status.is_success() {
        return Outcome { status: Some(status.as_u16()), error: None, not_before: None, give_up: false };
    }
    let mut answer = Vec::new();
    while answer.len() < limits::DELIVERY_ANSWER_BYTES
        && let Ok(Some(part)) = response.chunk().await
    {
        answer.extend_from_slice(&part[..part.len().min(limits::DELIVERY_ANSWER_BYTES - answer.len())]);
    }
    let answer = String::from_utf8_lossy(&answer);
    // "Gone" is how a receiver says that it will never want this again.
    Outcome {
        status: Some(status.as_u16()),
        error: Some(format!("HTTP {}: {answer}", status.as_u16())),
        not_before,
        give_up: status == StatusCode::GONE,
    }
}

fn retry_after(response: &reqwest::Response) -> Option<Timestamp> {
    let seconds: u64 = response.headers().get(header::RETRY_AFTER)?.to_str().ok()?.trim().parse().ok()?;
    Some(now() + Millis::from_secs(seconds).min(RETRY_AFTER_MAX))
}

/// What a receiver compares.
pub(crate) fn signature(secret: &str, seconds: i64, body: &str) -> String {
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret.as_bytes()) else { return String::new() };
    mac.update(format!("{seconds}.{body}").as_bytes());
    format!("t={seconds},v1={}", HEXLOWER.encode(&mac.finalize().into_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_webhook_keeps_its_lane_and_many_are_spread() {
        assert_eq!(kind_of("whk_1"), kind_of("whk_1"));
        let lanes: std::collections::BTreeSet<_> = (0..100).map(|_| kind_of(&crate::auth::secret::new_id("whk"))).collect();
        assert!(lanes.len() > limits::DELIVERY_LANES / 2, "{lanes:?}");
    }

    #[test]
    fn the_pause_grows_up_to_an_hour_and_differs_each_time() {
        let at = |attempts| later(Timestamp(0), attempts).0;
        assert!((5_000..=6_000).contains(&at(1)));
        assert!((10_000..=12_000).contains(&at(2)));
        assert!((3_600_000..=4_320_000).contains(&at(40)));
        let several: std::collections::BTreeSet<_> = (0..20).map(|_| at(10)).collect();
        assert!(several.len() > 1);
    }

    #[test]
    fn a_signature_covers_time_and_body() {
        // Computed with: printf '1700000000.{"a":1}' | openssl dgst -sha256 -hmac whsec_test
        let known = signature("whsec_test", 1_700_000_000, "{\"a\":1}");
        assert_eq!(known, "t=1700000000,v1=38877139021993b830af32feea6e18a8da83eb2f6e49ee50bd9e4cf4ca4d3789");
        assert_ne!(known, signature("whsec_test", 1_700_000_001, "{\"a\":1}"));
        assert_ne!(known, signature("whsec_other", 1_700_000_000, "{\"a\":1}"));
    }
}
