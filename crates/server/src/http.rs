//! The listener: connections, what surrounds every request, and the way everything hangs together.
//!
//! What surrounds a request, from outside in: an id, log line and figures; security headers; a time limit; who asks; repeated
//! commands; then the operation with its permission.

use crate::{
    api,
    auth::{secret, session},
    error::{Code, Problem, problem},
    health, hooks, idempotency, limits, live,
    state::AppState,
    web, webhooks,
};
use axum::{
    Router,
    extract::{ConnectInfo, DefaultBodyLimit, MatchedPath, Request, State, connect_info::Connected},
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    middleware::{self, Next},
    response::{IntoResponse, Response},
    serve::{IncomingStream, Listener},
};
use std::{
    future::Future,
    io,
    net::SocketAddr,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::{Duration, Instant},
};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore},
    time::Sleep,
};

/// The header with a request's id; taken over when the caller sends a sensible one.
pub const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// Longest request id taken over, in bytes.
const REQUEST_ID_BYTES: usize = 64;
/// Pause after the system could not give us a connection (out of file descriptors): it gets better when others end.
const ACCEPT_PAUSE: Duration = Duration::from_millis(200);

/// The address a connection comes from.
#[derive(Clone, Copy, Debug)]
pub struct Peer(pub SocketAddr);

/// Answers requests on `listener` (and, when given, health checks and metrics on `admin`) until `shutdown` is ready; then takes no new
/// connections, ends live ones and lets requests under way finish for [`limits::DRAIN_TIME`].
///
/// # Errors
/// When the listener breaks.
pub async fn serve(
    state: AppState,
    listener: TcpListener,
    admin: Option<TcpListener>,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> io::Result<()> {
    let background = [tokio::spawn(live::follow_all(state.clone())), tokio::spawn(webhooks::run(state.clone()))];
    let stopping = {
        let mut stopping = state.stopping();
        // The sender lives in the state we hold.
        move || async move { drop(stopping.wait_for(|stopping| *stopping).await) }
    };
    let mut all = tokio::spawn(answer(router(state.clone(), admin.is_none()), listener, stopping.clone()()));
    let admin = admin.map(|admin| tokio::spawn(answer(health::router().with_state(state.clone()), admin, stopping())));
    let ended = tokio::select! {
        ended = &mut all => Some(ended),
        () = shutdown => None,
    };
    state.stop();
    let outcome = match ended {
        Some(ended) => ended.map_err(io::Error::other)?,
        None => match tokio::time::timeout(limits::DRAIN_TIME, &mut all).await {
            Ok(ended) => ended.map_err(io::Error::other)?,
            Err(_) => {
                tracing::warn!("requests under way were cut off");
                all.abort();
                Ok(())
            }
        },
    };
    if let Some(admin) = admin {
        admin.abort();
    }
    for task in background {
        task.abort();
    }
    outcome
}

async fn answer(router: Router, listener: TcpListener, stop: impl Future<Output = ()> + Send + 'static) -> io::Result<()> {
    let limited = Limited { listener, places: Arc::new(Semaphore::new(limits::CONNECTIONS)) };
    axum::serve(limited, router.into_make_service_with_connect_info::<Peer>()).with_graceful_shutdown(stop).await
}

/// Everything that is answered on the main listener.
pub fn router(state: AppState, with_admin: bool) -> Router {
    let (api, document) = api::router();
    let mut router = Router::new().nest("/api/v1", api).merge(api::document_route(document)).merge(web::router());
    if with_admin {
        router = router.merge(health::router());
    }
    router
        .fallback(|| async { Problem::new(Code::NotFound, "There is nothing at this address.") })
        .method_not_allowed_fallback(|| async { Problem::new(Code::MethodNotAllowed, "This address does not know this method.") })
        .layer(middleware::from_fn_with_state(state.clone(), idempotency::layer))
        .layer(middleware::from_fn_with_state(state.clone(), session::layer))
        .layer(DefaultBodyLimit::max(limits::BODY_BYTES))
        // What Microsoft sends has proof of its own, which is no sign-in of ours.
        .merge(hooks::router())
        .layer(middleware::from_fn_with_state(state.clone(), around))
        .with_state(state)
}

/// Id, time limit, headers, log line and figures of every request.
async fn around(State(state): State<AppState>, request: Request, next: Next) -> Response {
    let started = Instant::now();
    let id = request_id(request.headers());
    let method = request.method().clone();
    let path = request.extensions().get::<MatchedPath>().map_or("other", MatchedPath::as_str).to_owned();
    let peer = request.extensions().get::<ConnectInfo<Peer>>().map(|info| info.0.0);
    let answered = problem::REQUEST_ID.scope(id.clone(), async {
        match tokio::time::timeout(limits::REQUEST_TIME, next.run(request)).await {
            Ok(response) => response,
            Err(_) => Problem::new(Code::TooSlow, format!("The answer took more than {} seconds.", limits::REQUEST_TIME.as_secs()))
                .into_response(),
        }
    });
    let mut response = answered.await;
    let took = started.elapsed();
    let status = response.status().as_u16();
    tracing::debug!(request_id = %id, %method, path, status, peer = ?peer, ms = took.as_millis() as u64, "request");
    state.metrics().answered(format!("{method} {path}"), status, took);
    protect(response.headers_mut());
    if let Ok(value) = HeaderValue::from_str(&id) {
        response.headers_mut().insert(REQUEST_ID, value);
    }
    response
}

/// Headers that keep browsers from doing what no page of ours asks for.
fn protect(headers: &mut HeaderMap) {
    let mut set = |name: HeaderName, value: &'static str| {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    };
    set(header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    set(header::REFERRER_POLICY, "same-origin");
    set(header::X_FRAME_OPTIONS, "DENY");
    set(HeaderName::from_static("cross-origin-opener-policy"), "same-origin");
    set(HeaderName::from_static("cross-origin-resource-policy"), "same-origin");
    set(header::CONTENT_SECURITY_POLICY, "default-src 'none'; frame-ancestors 'none'");
    set(header::CACHE_CONTROL, "no-store");
}

fn request_id(headers: &HeaderMap) -> String {
    headers
        .get(REQUEST_ID)
        .and_then(|value| value.to_str().ok())
        .filter(|id| !id.is_empty() && id.len() <= REQUEST_ID_BYTES)
        .filter(|id| id.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.')))
        .map_or_else(|| secret::new_id("req"), str::to_owned)
}

/// A plain answer without a body.
pub(crate) fn no_content() -> StatusCode {
    StatusCode::NO_CONTENT
}

/// A listener with a bounded number of connections.
struct Limited {
    listener: TcpListener,
    places: Arc<Semaphore>,
}

impl Listener for Limited {
    type Io = Connection;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Connection, SocketAddr) {
        loop {
            // Waiting here leaves further connections in the system's queue, where they cost nothing.
            let Ok(place) = Arc::clone(&self.places).acquire_owned().await else {
                std::future::pending::<()>().await;
                continue;
            };
            match self.listener.accept().await {
                Ok((stream, address)) => {
                    // Small answers must not wait for more; failing to say so only costs time.
                    let _ = stream.set_nodelay(true);
                    let silence = Box::pin(tokio::time::sleep(limits::CONNECTION_IDLE));
                    return (Connection { stream, silence, _place: place }, address);
                }
                Err(error) if is_of_one_connection(&error) => {}
                Err(error) => {
                    tracing::warn!(%error, "no connection could be accepted");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            }
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }
}

fn is_of_one_connection(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::ConnectionRefused | io::ErrorKind::ConnectionAborted | io::ErrorKind::ConnectionReset)
}

/// A connection that ends when it has been silent for too long, and gives its place back.
struct Connection {
    stream: TcpStream,
    silence: Pin<Box<Sleep>>,
    _place: OwnedSemaphorePermit,
}

impl Connected<IncomingStream<'_, Limited>> for Peer {
    fn connect_info(stream: IncomingStream<'_, Limited>) -> Peer {
        Peer(*stream.remote_addr())
    }
}

impl AsyncRead for Connection {
    fn poll_read(mut self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let read = Pin::new(&mut self.stream).poll_read(context, buffer);
        if read.is_ready() {
            if buffer.filled().len() > before {
                self.silence.as_mut().reset(tokio::time::Instant::now() + limits::CONNECTION_IDLE);
            }
            return read;
        }
        match self.silence.as_mut().poll(context) {
            Poll::Ready(()) => Poll::Ready(Err(io::ErrorKind::TimedOut.into())),
            Poll::Pending => Poll::Pending,
        }
    }
}

impl AsyncWrite for Connection {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }

    fn poll_write_vectored(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[io::IoSlice<'_>]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(context, bytes)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sensible_request_id_is_taken_over_and_another_is_not() {
        let with = |id: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(REQUEST_ID, HeaderValue::from_str(id).unwrap());
            request_id(&headers)
        };
        assert_eq!(with("trace-1.a_B"), "trace-1.a_B");
        for senseless in ["", "with space", "<script>", &"x".repeat(65)] {
            assert!(with(senseless).starts_with("req_"), "{senseless:?}");
        }
    }
}
