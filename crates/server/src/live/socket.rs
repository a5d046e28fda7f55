//! One live client.
//!
//! It gets the present state, then frames. It may resume with `?after=SEQ`: then it gets what it missed instead of the state, or, when
//! that is too much, a frame `resync` with the state. A client that does not keep up is closed with a code and may resume.

use super::{
    frame::VERSION,
    hub::{self, Batch, Place},
    view::Viewer,
};
use crate::{
    api::{extract::Query, guard::guard},
    auth::{Permission, Principal, session},
    error::{Code, Problem},
    limits,
    state::AppState,
};
use axum::{
    extract::{
        State,
        ws::{CloseFrame, Message, Utf8Bytes, WebSocket, WebSocketUpgrade, rejection::WebSocketUpgradeRejection},
    },
    response::Response,
};
use serde::Deserialize;
use serde_json::json;
use std::time::Instant;
use tokio::sync::{broadcast, watch};
use utoipa::IntoParams;
use utoipa_axum::{router::OpenApiRouter, routes};

/// The client did not keep up.
const CLOSE_SLOW: u16 = 4008;
/// The server stops; come back in a moment.
const CLOSE_STOPPING: u16 = 1012;
/// The client spoke in a way it should not.
const CLOSE_POLICY: u16 = 1008;
/// The tenant's owner is not there; come back in a moment.
const CLOSE_AGAIN: u16 = 1013;
/// The name of the protocol, for clients that ask for one.
const PROTOCOL: &str = "dreiklang.v1";

#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct Resume {
    /// The `seq` of the last frame seen.
    after: Option<u64>,
}

pub(crate) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(guard(Permission::ReadLive, routes!(listen)))
}

/// Tells what happens as it happens, over a WebSocket.
///
/// Text frames `{"v": 1, "seq": …, "at": …, "type": …}`: first `hello` with the present state (`snapshot`), then facts and, after facts that
/// change a queue, `queue`. Clients only listen. Who resumes with `after` gets `resumed`, the facts missed and `figures`, or `resync` with
/// the present state. Browsers without a cookie send their token as the protocol `bearer.<token>` beside `dreiklang.v1`.
#[utoipa::path(get, path = "/live", tag = "live", operation_id = "listen", params(Resume),
    responses((status = 101, description = "Frames follow.")))]
async fn listen(
    State(state): State<AppState>,
    principal: Principal,
    Query(resume): Query<Resume>,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Result<Response, Problem> {
    let upgrade = upgrade.map_err(|rejection| Problem::new(Code::Malformed, format!("This is a WebSocket: {}", rejection.body_text())))?;
    state.tenant(principal.tenant)?;
    let place = state.hubs().enter(principal.tenant, &principal.id)?;
    let upgrade = upgrade.protocols([PROTOCOL]).max_message_size(limits::CLIENT_FRAME_BYTES).max_frame_size(limits::CLIENT_FRAME_BYTES);
    Ok(upgrade.on_upgrade(move |socket| async move {
        let client = Client { viewer: Viewer::of(&principal), principal, socket, stopping: state.stopping(), state, _place: place };
        client.run(resume.after).await;
    }))
}

struct Client {
    state: AppState,
    principal: Principal,
    viewer: Viewer,
    socket: WebSocket,
    stopping: watch::Receiver<bool>,
    _place: Place,
}

/// What a client waited for.
enum Happened {
    Facts(Batch),
    Heard,
    Tick,
}

/// The client is gone, or has to go.
enum Over {
    Gone,
    Close(u16, &'static str),
}

impl Client {
    async fn run(mut self, after: Option<u64>) {
        let over = match self.begin(after).await {
            Ok((frames, reached)) => self.follow(frames, reached).await,
            Err(over) => over,
        };
        if let Over::Close(code, reason) = over {
            let close = Message::Close(Some(CloseFrame { code, reason: Utf8Bytes::from_static(reason) }));
            // It may be gone; then it needs no reason.
            let _ = tokio::time::timeout(limits::FRAME_TIME, self.socket.send(close)).await;
        }
    }

    /// Sends what comes first; returns where frames continue.
    async fn begin(&mut self, after: Option<u64>) -> Result<(broadcast::Receiver<Batch>, u64), Over> {
        let tenant = self.principal.tenant;
        // Listening begins before the state is read, so that nothing falls in between.
        let viewer = self.viewer;
        let again = Over::Close(CLOSE_AGAIN, "the tenant is not available at present");
        let Some(frames) = self.state.hubs().hub(tenant).listen().await else { return Err(again) };
        let Ok(whole) = self.state.hubs().whole(&self.state, tenant).await else { return Err(again) };
        let snapshot = whole.seen_by(viewer);
        drop(whole);
        let reached = snapshot.seq;
        let missed = match after {
            Some(after) => hub::replay(self.state.store(), tenant, after, reached, viewer)
                .await
                .map_err(|_| Over::Close(CLOSE_AGAIN, "the journal cannot be read"))?,
            None => None,
        };
        match missed {
            Some(missed) => {
                self.text(json!({ "v": VERSION, "seq": after, "type": "resumed" }).to_string().into()).await?;
                for frame in missed.into_iter().filter(|frame| frame.is_for(viewer)) {
                    self.text(frame.text).await?;
                }
                self.text(
                    json!({ "v": VERSION, "seq": reached, "at": snapshot.at, "type": "figures", "queues": snapshot.queues })
                        .to_string()
                        .into(),
                )
                .await?;
            }
            None => {
                let kind = if after.is_some() { "resync" } else { "hello" };
                let frame = json!({
                    "v": VERSION, "seq": reached, "at": snapshot.at, "type": kind,
                    "me": { "name": self.principal.name, "roles": self.principal.roles, "agent": self.principal.agent },
                    "snapshot": snapshot,
                });
                self.text(frame.to_string().into()).await?;
            }
        }
        Ok((frames, reached))
    }

    async fn follow(&mut self, mut frames: broadcast::Receiver<Batch>, reached: u64) -> Over {
        let mut ping = tokio::time::interval(limits::PING_INTERVAL);
        ping.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        ping.reset();
        let mut heard = Instant::now();
        let mut stopping = self.stopping.clone();
        loop {
            // What happened is decided first and acted on afterwards: both need the socket.
            let happened = tokio::select! {
                batch = frames.recv() => match batch {
                    Ok(batch) => Happened::Facts(batch),
                    Err(broadcast::error::RecvError::Lagged(_)) => return Over::Close(CLOSE_SLOW, "too slow; resume with ?after="),
                    Err(broadcast::error::RecvError::Closed) => return Over::Close(CLOSE_AGAIN, "the tenant is not available at present"),
                },
                message = self.socket.recv() => match message {
                    Some(Ok(Message::Close(_)) | Err(_)) | None => return Over::Gone,
                    Some(Ok(Message::Text(_) | Message::Binary(_))) => return Over::Close(CLOSE_POLICY, "clients only listen here; commands go to the API"),
                    Some(Ok(Message::Ping(_) | Message::Pong(_))) => Happened::Heard,
                },
                _ = ping.tick() => Happened::Tick,
                // The sender lives in `state`.
                _ = stopping.wait_for(|stopping| *stopping) => return Over::Close(CLOSE_STOPPING, "the server stops; come back in a moment"),
            };
            match happened {
                Happened::Facts(batch) => {
                    let viewer = self.viewer;
                    for frame in batch.iter().filter(|frame| frame.seq > reached && frame.is_for(viewer)) {
                        if let Err(over) = self.text(frame.text.clone()).await {
                            return over;
                        }
                    }
                }
                Happened::Heard => heard = Instant::now(),
                Happened::Tick if heard.elapsed() > limits::PONG_TIME => return Over::Gone,
                Happened::Tick => {
                    if !still_allowed(&self.state, &self.principal, self.viewer).await {
                        return Over::Close(CLOSE_POLICY, "no longer signed in");
                    }
                    if let Err(over) = self.send(Message::Ping(axum::body::Bytes::new())).await {
                        return over;
                    }
                }
            }
        }
    }

    async fn text(&mut self, text: Utf8Bytes) -> Result<(), Over> {
        self.send(Message::Text(text)).await
    }

    async fn send(&mut self, message: Message) -> Result<(), Over> {
        match tokio::time::timeout(limits::FRAME_TIME, self.socket.send(message)).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) => Err(Over::Gone),
            Err(_) => Err(Over::Close(CLOSE_SLOW, "too slow; resume with ?after=")),
        }
    }
}

/// Whether the user or token is still there with the same rights; checked with every ping.
async fn still_allowed(state: &AppState, principal: &Principal, viewer: Viewer) -> bool {
    match session::refreshed(state, principal).await {
        Ok(Some(principal)) => principal.may(Permission::ReadLive) && Viewer::of(&principal) == viewer,
        Ok(None) => false,
        // A store that cannot be read right now is no reason to throw everybody out.
        Err(_) => true,
    }
}
