//! The permission an operation asks for: checked before it runs, and written into its description.

use crate::{
    auth::{Permission, Principal},
    error::{Code, Problem, problem::ProblemBody},
    state::AppState,
};
use axum::{extract::Request, middleware, middleware::Next, response::Response};
use utoipa::{
    ToSchema,
    openapi::{
        ContentBuilder, Ref, ResponseBuilder,
        extensions::Extensions,
        path::{Operation, PathItem},
        security::SecurityRequirement,
    },
};
use utoipa_axum::router::UtoipaMethodRouter;

pub(super) const TOKEN_SCHEME: &str = "token";
pub(super) const COOKIE_SCHEME: &str = "cookie";

/// Lets only principals with `permission` through to these operations.
pub(crate) fn guard(permission: Permission, operations: UtoipaMethodRouter<AppState>) -> UtoipaMethodRouter<AppState> {
    let (schemas, mut paths, routes) = operations;
    for item in paths.paths.values_mut() {
        for operation in operations_of(item) {
            let roles: Vec<&str> = permission.roles().iter().map(|role| role.as_str()).collect();
            let extensions = Extensions::from_iter([("x-roles", serde_json::Value::from(roles))]);
            operation.extensions.get_or_insert_default().merge(extensions);
            operation.security = Some(vec![
                SecurityRequirement::new(TOKEN_SCHEME, Vec::<String>::new()),
                SecurityRequirement::new(COOKIE_SCHEME, Vec::<String>::new()),
            ]);
            describe_problems(operation);
        }
    }
    let routes = routes.route_layer(middleware::from_fn(move |request: Request, next: Next| check(permission, request, next)));
    (schemas, paths, routes)
}

/// Operations that anybody may call.
pub(crate) fn open(operations: UtoipaMethodRouter<AppState>) -> UtoipaMethodRouter<AppState> {
    let (schemas, mut paths, routes) = operations;
    for item in paths.paths.values_mut() {
        operations_of(item).for_each(describe_problems);
    }
    (schemas, paths, routes)
}

fn describe_problems(operation: &mut Operation) {
    let content = ContentBuilder::new().schema(Some(Ref::from_schema_name(ProblemBody::name()))).build();
    let response = ResponseBuilder::new()
        .description("Something was wrong; `code` says what, and has a page.")
        .content("application/problem+json", content)
        .build();
    operation.responses.responses.insert("default".to_owned(), response.into());
}

fn operations_of(item: &mut PathItem) -> impl Iterator<Item = &mut Operation> {
    [&mut item.get, &mut item.put, &mut item.post, &mut item.delete, &mut item.patch].into_iter().flatten()
}

async fn check(permission: Permission, request: Request, next: Next) -> Result<Response, Problem> {
    let principal = request
        .extensions()
        .get::<Principal>()
        .ok_or_else(|| Problem::new(Code::NotSignedIn, "Sign in, or send an API token as \"Authorization: Bearer …\"."))?;
    principal.require(permission)?;
    Ok(next.run(request).await)
}
