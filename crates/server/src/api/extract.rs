//! Bodies, queries and versions, with problems that say what is wrong.

use crate::{
    error::{Code, Problem},
    limits,
};
use axum::{
    Json,
    extract::{FromRequest, FromRequestParts, Request, rejection::JsonRejection},
    http::{HeaderMap, header, request::Parts},
    response::{IntoResponse, Response},
};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

/// A JSON body.
pub struct Body<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Body<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        match Json::<T>::from_request(request, state).await {
            Ok(Json(value)) => Ok(Body(value)),
            Err(rejection) => Err(match rejection {
                JsonRejection::JsonDataError(error) => Problem::new(Code::Malformed, inner(&error)),
                JsonRejection::JsonSyntaxError(error) => Problem::new(Code::Malformed, format!("The body is not JSON: {}", inner(&error))),
                JsonRejection::MissingJsonContentType(_) => {
                    Problem::new(Code::UnsupportedBody, "Send the body as \"Content-Type: application/json\".")
                }
                other if other.status() == axum::http::StatusCode::PAYLOAD_TOO_LARGE => {
                    Problem::new(Code::TooLarge, format!("A body has at most {} bytes.", limits::BODY_BYTES))
                }
                other => Problem::new(Code::Malformed, other.body_text()),
            }),
        }
    }
}

/// What the reader itself says, without the words around it.
fn inner(error: &dyn std::error::Error) -> String {
    let mut error = error;
    while let Some(source) = error.source() {
        error = source;
    }
    error.to_string()
}

/// A query.
pub struct Query<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for Query<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        axum::extract::Query::<T>::from_request_parts(parts, state)
            .await
            .map(|query| Query(query.0))
            .map_err(|rejection| Problem::new(Code::Malformed, format!("The query cannot be read: {}", inner(&rejection))))
    }
}

/// What version a change builds on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IfMatch {
    /// This one.
    Version(u64),
    /// Whatever is there.
    Any,
}

impl IfMatch {
    /// As the store wants it.
    pub fn expected(self) -> Option<u64> {
        match self {
            IfMatch::Version(version) => Some(version),
            IfMatch::Any => None,
        }
    }
}

impl<S: Send + Sync> FromRequestParts<S> for IfMatch {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        if_match(&parts.headers)
    }
}

fn if_match(headers: &HeaderMap) -> Result<IfMatch, Problem> {
    let Some(value) = headers.get(header::IF_MATCH) else {
        return Err(Problem::new(
            Code::VersionMissing,
            "Send the ETag you read as If-Match, or If-Match: * to overwrite whatever is there.",
        ));
    };
    let text = value.to_str().unwrap_or_default().trim();
    if text == "*" {
        return Ok(IfMatch::Any);
    }
    text.strip_prefix('"')
        .and_then(|text| text.strip_suffix('"'))
        .and_then(|text| text.parse().ok())
        .map(IfMatch::Version)
        .ok_or_else(|| Problem::new(Code::Malformed, format!("If-Match {text:?} is not an ETag of ours, such as \"3\" in quotes.")))
}

/// Which rows of a list.
#[derive(Clone, Debug, Default, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct PageQuery {
    /// The `next` of the page before.
    pub cursor: Option<String>,
    /// Rows at most.
    #[param(minimum = 1, maximum = 500, default = 50)]
    pub limit: Option<u32>,
}

impl PageQuery {
    /// Rows at most, within our limit.
    pub fn rows(&self) -> Result<usize, Problem> {
        rows(self.limit)
    }
}

/// Rows at most, within our limit.
pub fn rows(limit: Option<u32>) -> Result<usize, Problem> {
    match limit.unwrap_or(limits::PAGE_ROWS) {
        rows @ 1..=limits::PAGE_ROWS_MAX => Ok(rows as usize),
        _ => Err(Problem::invalid("limit", format!("A page has 1 to {} rows.", limits::PAGE_ROWS_MAX))),
    }
}

/// A page of a list.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub struct Page<T> {
    /// The rows.
    pub items: Vec<T>,
    /// Send this as `cursor` for the following rows; absent at the end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

impl<T> Page<T> {
    /// A page from up to `rows` + 1 rows: the one too many only says that there is more.
    pub fn cut(mut items: Vec<T>, rows: usize, cursor: impl Fn(&T) -> String) -> Page<T> {
        let more = items.len() > rows;
        items.truncate(rows);
        let next = if more { items.last().map(cursor) } else { None };
        Page { items, next }
    }
}

impl<T: Serialize> IntoResponse for Page<T> {
    fn into_response(self) -> Response {
        Json(self).into_response()
    }
}

/// Reads an id from an address; one of a wrong form is not there.
pub fn id<I: std::str::FromStr>(what: &str, text: &str) -> Result<I, Problem> {
    text.parse().map_err(|_| Problem::not_found(what, text.chars().take(64).collect::<String>()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_is_read_from_its_quotes() {
        let read = |text: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::IF_MATCH, axum::http::HeaderValue::from_static(text));
            if_match(&headers)
        };
        assert_eq!(read("\"3\"").unwrap(), IfMatch::Version(3));
        assert_eq!(read("*").unwrap(), IfMatch::Any);
        assert_eq!(read("3").unwrap_err().code(), "API-001");
        assert_eq!(if_match(&HeaderMap::new()).unwrap_err().code(), "API-005");
    }

    #[test]
    fn a_page_says_where_the_next_begins() {
        let page = Page::cut(vec![1, 2, 3], 2, |row| row.to_string());
        assert_eq!((page.items, page.next.as_deref()), (vec![1, 2], Some("2")));
        assert_eq!(Page::cut(vec![1, 2], 2, |row| row.to_string()).next, None);
    }
}
