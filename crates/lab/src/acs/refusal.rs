//! What the service says when it does not do what it is asked.

use crate::origin::message::Reply;
use serde_json::{Value, json};

/// A refusal, in the shape of Communication Services.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) status: u16,
    pub(crate) code: String,
    pub(crate) message: String,
    pub(crate) retry_after_s: Option<u32>,
}

impl Refusal {
    pub(crate) fn new(status: u16, code: &str, message: impl Into<String>) -> Refusal {
        Refusal { status, code: code.to_owned(), message: message.into(), retry_after_s: None }
    }

    /// A field that is missing or wrong.
    pub(crate) fn field(message: impl Into<String>) -> Refusal {
        Refusal::new(400, "8500", message)
    }

    /// A call, recording or participant that is not there.
    pub(crate) fn not_found(what: &str) -> Refusal {
        Refusal::new(404, "8522", format!("{what} not found."))
    }

    /// Not in the state the call is in.
    pub(crate) fn state(message: impl Into<String>) -> Refusal {
        Refusal::new(400, "8501", message)
    }

    pub(crate) fn too_many(message: impl Into<String>) -> Refusal {
        Refusal { retry_after_s: Some(1), ..Refusal::new(429, "TooManyRequests", message) }
    }

    pub(crate) fn body(&self) -> Value {
        json!({ "error": { "code": self.code, "message": self.message } })
    }

    pub(crate) fn reply(&self) -> Reply {
        let reply = Reply::json(self.status, &self.body());
        match self.retry_after_s {
            Some(seconds) => reply.with("retry-after", seconds.to_string()),
            None => reply,
        }
    }
}
