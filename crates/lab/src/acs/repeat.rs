//! Repeatable requests: the same id gets the same answer, and nothing is done twice.

use super::refusal::Refusal;
use crate::origin::message::{Reply, Request};
use sha2::{Digest, Sha256};
use std::collections::HashMap;

/// How long an answer is remembered.
const KEPT_MS: u64 = 10 * 60 * 1_000;
/// Answers remembered.
const KEPT_MAX: usize = 20_000;

/// Remembers answers.
#[derive(Default)]
pub(crate) struct Repeats(HashMap<String, Remembered>);

struct Remembered {
    of: [u8; 32],
    reply: Reply,
    at: u64,
}

impl Repeats {
    /// The answer given before, if this request was asked before; a refusal when its id was used for another.
    pub(crate) fn before(&self, request: &Request, now: u64) -> Result<Option<Reply>, Refusal> {
        let Some(id) = id_of(request)? else { return Ok(None) };
        match self.0.get(&id).filter(|remembered| remembered.at + KEPT_MS > now) {
            Some(remembered) if remembered.of != hash(request) => {
                Err(Refusal::field("The Repeatability-Request-ID was used for a different request."))
            }
            Some(remembered) => Ok(Some(remembered.reply.clone())),
            None => Ok(None),
        }
    }

    /// Remembers an answer, if the request can be repeated and the answer was not that it should be asked again.
    pub(crate) fn remember(&mut self, request: &Request, reply: &Reply, now: u64) {
        let Ok(Some(id)) = id_of(request) else { return };
        if reply.status == 429 || reply.status >= 500 {
            return;
        }
        if self.0.len() >= KEPT_MAX {
            self.0.retain(|_, remembered| remembered.at + KEPT_MS > now);
        }
        if self.0.len() < KEPT_MAX {
            self.0.insert(id, Remembered { of: hash(request), reply: reply.clone(), at: now });
        }
    }
}

/// The request's id; both headers have to be there and right.
fn id_of(request: &Request) -> Result<Option<String>, Refusal> {
    match (request.header("repeatability-request-id"), request.header("repeatability-first-sent")) {
        (None, None) => Ok(None),
        (Some(id), Some(sent)) => {
            let is_guid = id.len() == 36 && id.chars().all(|letter| letter.is_ascii_hexdigit() || letter == '-');
            if !is_guid {
                return Err(Refusal::field("The Repeatability-Request-ID header is not a GUID."));
            }
            if jiff::fmt::rfc2822::parse(sent).is_err() {
                return Err(Refusal::field("The Repeatability-First-Sent header is not a date of HTTP."));
            }
            Ok(Some(id.to_ascii_lowercase()))
        }
        _ => Err(Refusal::field("Repeatability-Request-ID and Repeatability-First-Sent belong together.")),
    }
}

fn hash(request: &Request) -> [u8; 32] {
    let mut hash = Sha256::new();
    hash.update(request.method.as_bytes());
    hash.update(b"\n");
    hash.update(request.target.as_bytes());
    hash.update(b"\n");
    hash.update(&request.body);
    hash.finalize().into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::origin::message::tests::request;

    fn repeatable(body: &str) -> Request {
        let mut request = request("POST", "/calling/callConnections", body);
        request.headers.insert("repeatability-request-id", "88a78ccb-0000-4000-8000-000000000000".parse().unwrap());
        request.headers.insert("repeatability-first-sent", "Mon, 23 Nov 2026 04:25:09 GMT".parse().unwrap());
        request
    }

    #[test]
    fn the_same_request_gets_the_same_answer_for_a_while_and_another_is_refused() {
        let mut repeats = Repeats::default();
        assert_eq!(repeats.before(&repeatable("a"), 0), Ok(None));
        repeats.remember(&repeatable("a"), &Reply::empty(201), 0);
        assert_eq!(repeats.before(&repeatable("a"), 1), Ok(Some(Reply::empty(201))));
        assert_eq!(repeats.before(&repeatable("b"), 1).unwrap_err().status, 400);
        assert_eq!(repeats.before(&repeatable("a"), KEPT_MS), Ok(None));
        repeats.remember(&repeatable("c"), &Reply::empty(503), KEPT_MS);
        assert_eq!(repeats.before(&repeatable("c"), KEPT_MS), Ok(None), "a failure may be tried again");
    }

    #[test]
    fn half_of_it_is_refused() {
        let mut half = repeatable("");
        half.headers.remove("repeatability-first-sent");
        assert!(Repeats::default().before(&half, 0).is_err());
        assert_eq!(Repeats::default().before(&request("POST", "/", ""), 0), Ok(None));
    }
}
