//! The lab's own interface: people, calls, subscriptions, consent, faults; with a description in OpenAPI and one small page.
//!
//! # Layout
//!
//! `operations` (what can be asked), `description` (OpenAPI, from the same table), `page.html`, `graph` (the few things of Microsoft
//! Graph that set-up programs ask for). Open to everybody who reaches the lab: it is a laboratory.

mod description;
pub(crate) mod graph;
mod operations;

use crate::{
    origin::message::{Reply, Request},
    shell::Hub,
};
use serde_json::json;
use std::sync::Arc;

/// Answers what is meant for the lab itself; `None` when it is not.
pub(crate) async fn answer(hub: &Arc<Hub>, request: &Request) -> Option<Reply> {
    let segments = request.segments();
    let path: Vec<&str> = segments.iter().map(String::as_str).collect();
    match (request.method.as_str(), path.as_slice()) {
        ("GET", [""] | ["lab"]) => Some(Reply::text(200, "text/html; charset=utf-8", include_str!("page.html"))),
        ("GET", ["lab", "ca.pem"]) => {
            Some(hub.ca_pem.clone().map_or_else(|| Reply::empty(404), |pem| Reply::text(200, "application/x-pem-file", pem)))
        }
        ("GET", ["lab", "openapi.json"]) => Some(Reply::json(200, &description::openapi(&hub.base))),
        ("GET", ["lab", "event-grid", "validate"]) => {
            let (id, code) = (request.query("id").unwrap_or_default(), request.query("code").unwrap_or_default());
            let is_valid = hub.with(|state| state.subscriptions.validate_by_hand(&id, &code));
            let (status, text) =
                if is_valid { (200, "Webhook successfully validated as a subscription endpoint.") } else { (404, "Unknown.") };
            Some(Reply::text(status, "text/plain", text))
        }
        (_, ["lab", "api", rest @ ..]) => Some(operations::answer(hub, request, rest).await.unwrap_or_else(|problem| problem.reply())),
        _ => None,
    }
}

/// What is wrong with a request to the lab.
struct Problem {
    status: u16,
    text: String,
}

impl Problem {
    fn new(status: u16, text: impl Into<String>) -> Problem {
        Problem { status, text: text.into() }
    }

    fn reply(&self) -> Reply {
        Reply::json(self.status, &json!({ "error": self.text }))
    }
}
