//! Azure Communication Services: identity and Call Automation as their interfaces, over the [`crate::exchange`].
//!
//! # Layout
//!
//! This file is the way of a request: who asks (`signature`), was it asked before (`repeat`), which version, then the operation
//! (`operations/`, `identity`). `identifier`, `body` and `refusal` are the words. Leaves out: what an operation does to a call.

mod body;
pub(crate) mod callbacks;
pub(crate) mod identifier;
pub(crate) mod identity;
mod operations;
pub(crate) mod refusal;
mod repeat;
mod signature;

use crate::{
    entra::Entra,
    exchange::Exchange,
    faults::Chance,
    origin::message::{Reply, Request},
};
use callbacks::CallbackKeys;
use refusal::Refusal;
use repeat::Repeats;
use serde_json::Value;

/// Versions of Call Automation that are answered.
pub(crate) const CALLING_VERSIONS: &[&str] = &["2026-03-12", "2025-06-15"];
/// Versions of identity and consent that are answered.
const IDENTITY_VERSIONS: &[&str] = &["2022-10-01", "2023-10-01", "2025-03-02-preview", "2025-06-30", "2026-07-22", "2026-09-23"];

/// The service's part of the lab beside the calls.
pub(crate) struct Service {
    repeats: Repeats,
    /// Host and port of the resource's endpoint: what requests for recordings are signed for.
    host: String,
}

impl Service {
    pub(crate) fn new(host: String) -> Service {
        Service { repeats: Repeats::default(), host }
    }

    /// Answers what is meant for the service; `None` when it is not.
    pub(crate) fn answer(
        &mut self,
        exchange: &mut Exchange,
        entra: &Entra,
        keys: &CallbackKeys,
        chance: &mut Chance,
        request: &Request,
    ) -> Option<Reply> {
        let segments = request.segments();
        let path: Vec<&str> = segments.iter().map(String::as_str).collect();
        let is_ours =
            matches!(path.first(), Some(&("calling" | "identities" | "teamsUser" | "access"))) || path.starts_with(&["v1", "objects"]);
        if !is_ours {
            return None;
        }
        if request.method == "OPTIONS" {
            let reply = Reply::empty(204).with("access-control-allow-origin", "*").with("access-control-allow-headers", "*");
            return Some(reply.with("access-control-allow-methods", "GET, PUT, POST, DELETE, OPTIONS"));
        }
        if let Some(reply) = keys.answer(request) {
            return Some(reply);
        }
        let faults = exchange.faults.clone();
        if faults.outage {
            return Some(Refusal::new(503, "ServiceUnavailable", "The service is unavailable.").reply());
        }
        let reply = self.guarded(exchange, entra, keys, chance, request, &path).unwrap_or_else(|refusal| refusal.reply());
        Some(with_correlation(reply, exchange, request))
    }

    fn guarded(
        &mut self,
        exchange: &mut Exchange,
        entra: &Entra,
        keys: &CallbackKeys,
        chance: &mut Chance,
        request: &Request,
        path: &[&str],
    ) -> Result<Reply, Refusal> {
        let now = exchange.seconds();
        if path == ["access", "teamsExtension", ":exchangeAccessToken"] && request.method == "POST" {
            version(request, IDENTITY_VERSIONS)?;
            return identity::exchange_for_agent(exchange, keys, entra, request);
        }
        if path == ["access", "entra", ":exchangeAccessToken"] && request.method == "POST" {
            version(request, IDENTITY_VERSIONS)?;
            return identity::exchange_for_user(exchange, keys, entra, request);
        }
        let host = (path[0] == "v1").then_some(self.host.as_str());
        signature::check(request, &exchange.directory, entra, now, host)?;
        let faults = exchange.faults.clone();
        if chance.happens(&faults, faults.throttle) {
            return Err(Refusal { retry_after_s: Some(faults.retry_after_s), ..Refusal::too_many("Too many requests.") });
        }
        if chance.happens(&faults, faults.fail_before) {
            return Err(Refusal::new(500, "InternalServerError", "The server made a mistake (on purpose)."));
        }
        if path[0] == "v1" {
            return operations::recording::document(exchange, request, path);
        }
        if path[0] != "calling" {
            version(request, IDENTITY_VERSIONS)?;
            return identity::answer(exchange, keys, entra, request, path);
        }
        let version = version(request, CALLING_VERSIONS)?;
        let reply = match self.repeats.before(request, exchange.post.now)? {
            Some(reply) => reply.with("repeatability-result", "accepted"),
            None => {
                let reply = operations::answer(exchange, request, path, &version).unwrap_or_else(|refusal| refusal.reply());
                self.repeats.remember(request, &reply, exchange.post.now);
                reply
            }
        };
        if chance.happens(&faults, faults.fail_after) {
            return Err(Refusal::new(500, "InternalServerError", "The server made a mistake after it did what was asked (on purpose)."));
        }
        Ok(reply)
    }
}

fn version(request: &Request, known: &[&str]) -> Result<String, Refusal> {
    let version = request.query("api-version").ok_or_else(|| {
        Refusal::new(400, "MissingApiVersionParameter", "The api-version query parameter (?api-version=) is required for all requests.")
    })?;
    if known.contains(&version.as_str()) {
        return Ok(version);
    }
    let text = format!("The api-version `{version}` is not supported; the lab knows {}.", known.join(", "));
    Err(Refusal::new(400, "UnsupportedApiVersion", text))
}

/// The headers by which requests are found again.
fn with_correlation(reply: Reply, exchange: &mut Exchange, request: &Request) -> Reply {
    let chain = exchange.guid();
    let reply = reply.with("X-Microsoft-Skype-Chain-ID", chain);
    match request.header("x-ms-client-request-id").filter(|_| request.header("x-ms-return-client-request-id").is_some()) {
        Some(id) => reply.with("x-ms-client-request-id", id.to_owned()),
        None => reply,
    }
}

/// A request's body as JSON.
pub(crate) fn json_of(request: &Request) -> Result<Value, Refusal> {
    request.json().map_err(|error| Refusal::field(format!("The body is not JSON: {error}.")))
}

#[cfg(test)]
mod tests;
