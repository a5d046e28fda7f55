//! The pages that come with the program: a small start page, and the pages of error codes.
//!
//! The start page uses the same interface as everybody else. It needs no build step and loads nothing from elsewhere.

use crate::{
    error::{Code, Problem},
    state::AppState,
};
use axum::{
    Router,
    extract::Path,
    http::{HeaderName, HeaderValue, header},
    response::{IntoResponse, Redirect, Response},
    routing::get,
};

/// Pages may run our script and style and talk to us, and nothing else.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; media-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

mod errors;

use errors::PAGES;

/// The routes.
pub fn router() -> Router<AppState> {
    Router::new()
        .route("/", get(|| async { page("text/html; charset=utf-8", include_str!("index.html")) }))
        .route("/app.css", get(|| async { page("text/css; charset=utf-8", include_str!("app.css")) }))
        .route("/app.js", get(|| async { page("text/javascript; charset=utf-8", include_str!("app.js")) }))
        .route("/favicon.ico", get(|| async { Redirect::permanent("/icon.svg") }))
        .route("/icon.svg", get(|| async { page("image/svg+xml", include_str!("icon.svg")) }))
        .route("/docs/errors/{code}", get(error_page))
}

fn page(kind: &'static str, text: &'static str) -> Response {
    let headers = [
        (header::CONTENT_TYPE, kind),
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::CACHE_CONTROL, "no-cache"),
        (HeaderName::from_static("permissions-policy"), "camera=(), geolocation=(), microphone=()"),
    ];
    (headers, text).into_response()
}

async fn error_page(Path(code): Path<String>) -> Result<Response, Problem> {
    let found = PAGES.iter().find(|(known, _)| *known == code);
    let (_, text) = found.ok_or_else(|| Problem::new(Code::NotFound, "There is no such code."))?;
    let mut response = page("text/markdown; charset=utf-8", text);
    response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static("default-src 'none'"));
    Ok(response)
}
