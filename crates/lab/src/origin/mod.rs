//! The one origin of the lab: a listener with TLS (or plain) in front of everything Microsoft's side answers.
//!
//! # Layout
//!
//! `authority` (the local certificates) → `listener` (connections) → `serve` (requests as plain [`message`]s to one function).

pub(crate) mod authority;
pub(crate) mod listener;
pub(crate) mod message;

use axum::{
    body::{Body, to_bytes},
    extract::Request as HttpRequest,
    http::Response,
};
use message::{Reply, Request};
use std::{future::Future, io, sync::Arc};
use tokio::sync::watch;

/// Bytes of a request's body.
const BODY_BYTES_MAX: usize = 8 * 1024 * 1024;

/// Answers requests until `stop` says so.
pub(crate) async fn serve<A, F>(listener: listener::Listener, answer: A, mut stop: watch::Receiver<bool>) -> io::Result<()>
where
    A: Fn(Request) -> F + Send + Sync + 'static,
    F: Future<Output = Reply> + Send + 'static,
{
    let answer = Arc::new(answer);
    let service = move |request: HttpRequest| {
        let answer = Arc::clone(&answer);
        async move { respond(request, answer.as_ref()).await }
    };
    let router = axum::Router::new().fallback(service);
    let stopped = async move {
        // An error means that nobody is left who could stop it, which is a stop.
        let _ = stop.wait_for(|stop| *stop).await;
    };
    axum::serve(listener, router).with_graceful_shutdown(stopped).await
}

async fn respond<A, F>(request: HttpRequest, answer: &A) -> Response<Body>
where
    A: Fn(Request) -> F,
    F: Future<Output = Reply>,
{
    let (parts, body) = request.into_parts();
    let Ok(body) = to_bytes(body, BODY_BYTES_MAX).await else {
        return Reply::empty(413).into_response();
    };
    let target = parts.uri.path_and_query().map_or_else(|| "/".to_owned(), |target| target.as_str().to_owned());
    let request = Request { method: parts.method.as_str().to_owned(), target, headers: parts.headers, body: body.to_vec() };
    answer(request).await.into_response()
}
