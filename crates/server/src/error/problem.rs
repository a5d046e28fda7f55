//! RFC 9457 problem details: the one shape of every refusal and failure on the wire.

use crate::{error::Code, runtime::CommandError};
use axum::{
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use dreiklang_core::Refusal;
use serde::Serialize;

/// Where the pages of the codes are found, relative to the server.
const PAGES: &str = "/docs/errors/";

/// What went wrong, for the one who asked. What only the operator may see goes to the log under the same request id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem(Box<Parts>);

#[derive(Debug, Clone, PartialEq, Eq)]
struct Parts {
    status: StatusCode,
    code: &'static str,
    title: &'static str,
    detail: String,
    field: Option<String>,
    retry_after_s: Option<u64>,
    etag: Option<String>,
}

/// A [`Problem`] as it goes over the wire.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[schema(as = Problem)]
pub struct ProblemBody {
    /// Address of the code's page.
    #[serde(rename = "type")]
    #[schema(example = "/docs/errors/API-003")]
    pub kind: String,
    /// Short text, the same for every occurrence of the code.
    pub title: String,
    /// The HTTP status, repeated.
    pub status: u16,
    /// Stable code, such as `API-003`.
    pub code: String,
    /// What happened this time and what would help.
    pub detail: String,
    /// The field that is not acceptable, where there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    /// The request this answers; the server's log knows it.
    pub request_id: String,
}

tokio::task_local! {
    /// The id of the request being answered; set by the outermost layer.
    pub(crate) static REQUEST_ID: String;
}

/// The id of the request being answered, or an empty text outside of one.
pub fn request_id() -> String {
    REQUEST_ID.try_with(String::clone).unwrap_or_default()
}

impl Problem {
    /// A problem with a code of this crate.
    pub fn new(code: Code, detail: impl Into<String>) -> Problem {
        Problem(Box::new(Parts {
            status: code.status(),
            code: code.as_str(),
            title: code.title(),
            detail: detail.into(),
            field: None,
            retry_after_s: None,
            etag: None,
        }))
    }

    /// Something is not there.
    pub fn not_found(what: &str, id: impl std::fmt::Display) -> Problem {
        Problem::new(Code::NotFound, format!("There is no {what} {id}."))
    }

    /// A value is not acceptable; `problem` says what would be.
    pub fn invalid(field: &str, problem: impl Into<String>) -> Problem {
        Problem::new(Code::Invalid, problem).field(field)
    }

    /// A failure of ours: `error` goes to the log, the one who asked learns only that it happened.
    pub fn failure(error: &dyn std::error::Error) -> Problem {
        tracing::error!(code = Code::Failure.as_str(), request_id = request_id(), error = chain(error), "request failed");
        Problem::new(Code::Failure, "Something of ours failed; the log has the details under this request id.")
    }

    /// Names the field.
    pub fn field(mut self, field: impl Into<String>) -> Problem {
        self.0.field = Some(field.into());
        self
    }

    /// Says in which part of a larger whole the field lies.
    pub fn within(self, place: &str) -> Problem {
        let field = match &self.0.field {
            Some(field) => format!("{place}: {field}"),
            None => place.to_owned(),
        };
        self.field(field)
    }

    /// Says when to come back.
    pub fn retry_after(mut self, seconds: u64) -> Problem {
        self.0.retry_after_s = Some(seconds);
        self
    }

    /// Says which version is there now.
    pub fn etag(mut self, version: u64) -> Problem {
        self.0.etag = Some(format!("\"{version}\""));
        self
    }

    /// The code, such as `API-003`.
    pub fn code(&self) -> &'static str {
        self.0.code
    }

    /// The HTTP status.
    pub fn status(&self) -> StatusCode {
        self.0.status
    }

    /// What happened this time.
    pub fn detail(&self) -> &str {
        &self.0.detail
    }

    /// The field that is not acceptable.
    pub fn offending_field(&self) -> Option<&str> {
        self.0.field.as_deref()
    }

    /// As it goes over the wire.
    pub fn body(&self) -> ProblemBody {
        ProblemBody {
            kind: format!("{PAGES}{}", self.0.code),
            title: self.0.title.to_owned(),
            status: self.0.status.as_u16(),
            code: self.0.code.to_owned(),
            detail: self.0.detail.clone(),
            field: self.0.field.clone(),
            request_id: request_id(),
        }
    }
}

/// An error with all its sources, outermost first.
pub fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(inner) = source {
        text.push_str(": ");
        text.push_str(&inner.to_string());
        source = inner.source();
    }
    text
}

impl std::fmt::Display for Problem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.0.field {
            Some(field) => write!(f, "{} {}: {}: {}", self.0.code, self.0.title, field, self.0.detail),
            None => write!(f, "{} {}: {}", self.0.code, self.0.title, self.0.detail),
        }
    }
}

impl std::error::Error for Problem {}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Problem {
        let (status, title) = match &refusal {
            Refusal::NotFound { .. } => (StatusCode::NOT_FOUND, "Not found"),
            Refusal::WrongState { .. } => (StatusCode::CONFLICT, "Not possible in the present state"),
            Refusal::Invalid { .. } => (StatusCode::UNPROCESSABLE_ENTITY, "The configuration does not hold together"),
            Refusal::NotAllowed { .. } => (StatusCode::FORBIDDEN, "Not allowed"),
            Refusal::Full { .. } => (StatusCode::CONFLICT, "A limit is reached"),
        };
        let code = refusal.code();
        let (detail, field) = match refusal {
            Refusal::Invalid { field, problem } => (problem, Some(field)),
            other => (other.to_string(), None),
        };
        Problem(Box::new(Parts { status, code, title, detail, field, retry_after_s: None, etag: None }))
    }
}

impl From<CommandError> for Problem {
    fn from(error: CommandError) -> Problem {
        match error {
            CommandError::Refused(refusal) => refusal.into(),
            CommandError::Unavailable => Problem::new(Code::Unavailable, error.to_string()).retry_after(1),
        }
    }
}

impl From<dreiklang_store::Failure> for Problem {
    fn from(failure: dreiklang_store::Failure) -> Problem {
        use dreiklang_store::Failure;
        match &failure {
            Failure::TooLarge { what, limit } => Problem::new(Code::LimitReached, format!("{what} is limited to {limit}")),
            Failure::Full | Failure::Closed => {
                tracing::error!(code = failure.code(), request_id = request_id(), %failure, "request failed");
                Problem::new(Code::Unavailable, format!("{failure} ({})", failure.code())).retry_after(10)
            }
            _ => Problem::failure(&failure),
        }
    }
}

impl From<dreiklang_store::PutError> for Problem {
    fn from(error: dreiklang_store::PutError) -> Problem {
        use dreiklang_store::PutError;
        match error {
            PutError::Conflict { actual: 0 } => Problem::new(Code::NotFound, "It was removed meanwhile."),
            PutError::Conflict { actual } => {
                Problem::new(Code::Changed, format!("It is at version {actual} now; read it again and repeat the change.")).etag(actual)
            }
            PutError::NameTaken { name } => Problem::new(Code::NameTaken, format!("\"{name}\" is taken.")).field("name"),
            PutError::Failed(failure) => failure.into(),
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let body = serde_json::to_vec(&self.body()).unwrap_or_default();
        let mut response = (self.0.status, body).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if let Some(seconds) = self.0.retry_after_s {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        if let Some(etag) = self.0.etag.and_then(|etag| HeaderValue::from_str(&etag).ok()) {
            headers.insert(header::ETAG, etag);
        }
        if self.0.status == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"dreiklang\""));
        }
        response
    }
}
