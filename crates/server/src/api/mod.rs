//! The interface for programs: `/api/v1`.
//!
//! Every operation has a stable id, asks for one permission, answers problems in one shape, and is described by the OpenAPI
//! document that is generated from it. Times are milliseconds since 1970-01-01T00:00:00Z, spans are milliseconds.
//!
//! # Layout
//!
//! `guard` (permission of an operation), `extract` (bodies, queries, versions), `document` (everything that is set up), `v1` (the
//! operations).

pub mod document;
pub mod extract;
pub(crate) mod guard;
pub mod v1;

use crate::{error::problem::ProblemBody, state::AppState};
use axum::{Json, Router, routing::get};
use utoipa::{
    Modify, OpenApi,
    openapi::security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityScheme},
};
use utoipa_axum::router::OpenApiRouter;

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Dreiklang",
        description = "The contact center's interface for programs and pages. Times are milliseconds since 1970-01-01T00:00:00Z, spans are \
                       milliseconds. Every failure is a problem (RFC 9457) with a stable code.",
        license(name = "Apache-2.0", identifier = "Apache-2.0")
    ),
    servers((url = "/api/v1")),
    components(schemas(ProblemBody)),
    modifiers(&Schemes)
)]
struct Description;

struct Schemes;

impl Modify for Schemes {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        let components = document.components.get_or_insert_default();
        components.add_security_scheme(
            guard::TOKEN_SCHEME,
            SecurityScheme::Http(HttpBuilder::new().scheme(HttpAuthScheme::Bearer).description(Some("An API token.")).build()),
        );
        components.add_security_scheme(
            guard::COOKIE_SCHEME,
            SecurityScheme::ApiKey(ApiKey::Cookie(ApiKeyValue::with_description(
                "__Host-dreiklang",
                "The cookie of a signed-in page; changes also need the header X-CSRF-Token.",
            ))),
        );
    }
}

/// All operations and their description.
pub fn router() -> (Router<AppState>, utoipa::openapi::OpenApi) {
    OpenApiRouter::with_openapi(Description::openapi()).merge(v1::router()).merge(crate::live::router()).split_for_parts()
}

/// The description as a program reads it: `/api/v1/openapi.json`.
pub fn openapi() -> utoipa::openapi::OpenApi {
    router().1
}

pub(crate) fn document_route(document: utoipa::openapi::OpenApi) -> Router<AppState> {
    let document = std::sync::Arc::new(document);
    Router::new().route(
        "/api/v1/openapi.json",
        get(move || {
            let document = std::sync::Arc::clone(&document);
            async move { Json((*document).clone()) }
        }),
    )
}
