//! What machines ask: alive, ready, figures.
//!
//! Alive means the process answers. Ready means it should be sent work: the store can be read, every tenant has an owner whose
//! journal can be written, and it is not about to stop. Trunks that are down are reported but do not make it unready: another
//! process would not reach them either.

use crate::{
    auth::{Permission, Principal},
    error::{Code, Problem},
    http::Peer,
    metrics::{Present, QueueFigures},
    state::{AppState, now},
};
use axum::{
    Json, Router,
    extract::{ConnectInfo, Request, State},
    http::{StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};
use dreiklang_core::{World, agent::Occupation};
use serde::Serialize;
use std::{collections::HashMap, time::Duration};

/// What `/readyz` answers.
#[derive(Debug, Serialize)]
struct Readiness {
    ready: bool,
    /// What stands in the way.
    problems: Vec<String>,
    /// What does not stand in the way but should be looked at.
    warnings: Vec<String>,
}

/// The three routes.
pub fn router() -> Router<AppState> {
    Router::new().route("/livez", get(|| async { "alive\n" })).route("/readyz", get(ready)).route("/metrics", get(metrics))
}

async fn ready(State(state): State<AppState>) -> Response {
    let mut problems = state.runtime().problems();
    if *state.stopping().borrow() {
        problems.push("the interface is stopping".to_owned());
    }
    match state.store().tenants(None).await {
        Ok(tenants) => {
            for tenant in tenants {
                let answers = match state.runtime().tenants().get(tenant.id) {
                    Some(handle) => handle.read(|_| ()).await.is_ok(),
                    None => false,
                };
                if !answers {
                    problems.push(format!("tenant \"{}\" has no owner", tenant.name));
                }
            }
        }
        Err(failure) => problems.push(format!("{}: {failure}", failure.code())),
    }
    let warnings = state
        .runtime()
        .peers()
        .borrow()
        .iter()
        .filter(|(_, health)| !health.up)
        .map(|((_, trunk, peer), health)| format!("trunk \"{trunk}\", {peer}: {}", health.detail))
        .collect();
    problems.sort();
    problems.dedup();
    let ready = problems.is_empty();
    let status = if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, Json(Readiness { ready, problems, warnings })).into_response()
}

async fn metrics(State(state): State<AppState>, request: Request) -> Result<Response, Problem> {
    // On the main listener, figures are for this machine and for those who may see live figures anyway. Behind a proxy on this
    // machine every request comes from this machine, so a forwarded one does not count as such.
    let forwarded = request.headers().contains_key("x-forwarded-for") || request.headers().contains_key(header::FORWARDED);
    let local = request.extensions().get::<ConnectInfo<Peer>>().is_some_and(|peer| peer.0.0.ip().to_canonical().is_loopback());
    let allowed = request.extensions().get::<Principal>().is_some_and(|principal| principal.may(Permission::ReadReports));
    let own_listener = state.config().http.admin_listen.is_some();
    if !(allowed || own_listener || (local && !forwarded)) {
        return Err(Problem::new(Code::NotSignedIn, "Figures are for this machine, or for tokens that may see reports."));
    }
    state.metrics().present(&present(&state).await);
    Ok(([(header::CONTENT_TYPE, "application/openmetrics-text; version=1.0.0; charset=utf-8")], state.metrics().encode()).into_response())
}

async fn present(state: &AppState) -> Present {
    let mut all = Present::default();
    for handle in state.runtime().tenants().all() {
        // A tenant without owner has no present state.
        if let Ok(present) = handle.read(present_of).await {
            all.queues.extend(present.queues);
            for (occupation, count) in present.agents {
                *all.agents.entry(occupation).or_default() += count;
            }
            for (place, count) in present.conversations {
                *all.conversations.entry(place).or_default() += count;
            }
        }
    }
    all
}

fn present_of(world: &World) -> Present {
    let now = now();
    let queues = world
        .queues()
        .map(|queue| {
            let oldest = queue.waiting.iter().map(|turn| turn.enqueued_at).min();
            QueueFigures {
                name: queue.settings.name.clone(),
                waiting: queue.waiting.len(),
                longest: oldest.map_or(Duration::ZERO, |since| Duration::from_millis(now.since(since).0)),
            }
        })
        .collect();
    let mut agents = HashMap::new();
    for agent in world.agents() {
        let occupation = match agent.occupation {
            Occupation::Idle if agent.is_routable() => "ready",
            Occupation::Idle => "idle",
            Occupation::Offered { .. } => "offered",
            Occupation::Talking { .. } => "talking",
            Occupation::Consulting { .. } => "consulting",
            Occupation::Supervising { .. } => "supervising",
            Occupation::WrapUp { .. } => "wrap_up",
        };
        *agents.entry(occupation).or_default() += 1;
    }
    let mut conversations = HashMap::new();
    for conversation in world.conversations() {
        let stage = conversation.place().map_or("over", crate::live::view::place_word);
        *conversations.entry((conversation.line.as_str(), stage)).or_default() += 1;
    }
    Present { queues, agents, conversations }
}
