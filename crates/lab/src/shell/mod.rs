//! Around the plain state: the clock that moves it on, and everything it wishes done outside.
//!
//! # Layout
//!
//! `Hub` is the lock around the state; whatever changes it goes through [`Hub::with`], which carries out the wishes afterwards.
//! `deliver` (callbacks and Event Grid), `load` (files and speech), `socket` (media and transcription).

mod deliver;
mod load;
mod socket;

use crate::{
    acs::{Service, callbacks::CallbackKeys},
    entra::Entra,
    event_grid::{Parcel, Subscriptions},
    exchange::{Exchange, effect::Effect, wishes},
    faults::Chance,
    origin::message::{Reply, Request},
    people::sound::FRAME_MS,
};
use dreiklang_media::prompt::Library;
use serde_json::json;
use std::{
    collections::HashMap,
    io,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::{
    sync::{mpsc, watch},
    time::{Instant, MissedTickBehavior},
};

/// Longest wait for an application or a file.
const HTTP_TIME: Duration = Duration::from_secs(30);

/// Everything that changes.
pub(crate) struct State {
    pub(crate) exchange: Exchange,
    pub(crate) entra: Entra,
    pub(crate) service: Service,
    pub(crate) chance: Chance,
    pub(crate) subscriptions: Subscriptions,
}

/// The lab's middle.
pub(crate) struct Hub {
    state: Mutex<State>,
    pub(crate) keys: CallbackKeys,
    /// Where the lab is reached, without a slash at the end.
    pub(crate) base: String,
    pub(crate) ca_pem: Option<String>,
    http: reqwest::Client,
    prompts: Option<Library>,
    step: watch::Sender<u64>,
    callbacks: Mutex<HashMap<String, mpsc::Sender<deliver::Callback>>>,
    sockets: Mutex<HashMap<u64, mpsc::Sender<String>>>,
    grid_retries_ms: Vec<u64>,
}

/// What a hub is made of.
pub(crate) struct Parts {
    pub(crate) state: State,
    pub(crate) keys: CallbackKeys,
    pub(crate) base: String,
    pub(crate) ca_pem: Option<String>,
    pub(crate) prompts: Option<Library>,
    pub(crate) grid_retries_ms: Vec<u64>,
}

impl Hub {
    pub(crate) fn new(parts: Parts) -> io::Result<Arc<Hub>> {
        // Whoever develops a bot has a certificate of his own making.
        let http = reqwest::Client::builder().tls_danger_accept_invalid_certs(true).no_proxy().timeout(HTTP_TIME).build();
        Ok(Arc::new(Hub {
            state: Mutex::new(parts.state),
            keys: parts.keys,
            base: parts.base,
            ca_pem: parts.ca_pem,
            http: http.map_err(io::Error::other)?,
            prompts: parts.prompts,
            step: watch::Sender::new(0),
            callbacks: Mutex::new(HashMap::new()),
            sockets: Mutex::new(HashMap::new()),
            grid_retries_ms: parts.grid_retries_ms,
        }))
    }

    /// Changes the state, then does what it wishes.
    pub(crate) fn with<T>(self: &Arc<Hub>, act: impl FnOnce(&mut State) -> T) -> T {
        let mut state = lock(&self.state);
        let result = act(&mut state);
        let wishes = wishes(&mut state.exchange);
        let mut deliveries = Vec::new();
        let mut parcels = Vec::new();
        let mut others = Vec::new();
        for wish in wishes {
            match wish {
                Effect::Callback { uri, connection, event } => {
                    let faults = state.exchange.faults.clone();
                    let fortune = state.chance.callback(&faults);
                    let claims = self.keys.callback_claims(&mut state.exchange);
                    deliveries.push((connection, deliver::Callback { uri, event, claims, fortune }));
                }
                Effect::Grid(event) => {
                    let faults = state.exchange.faults.clone();
                    for subscription in state.subscriptions.for_event(&event) {
                        let fortune = state.chance.grid(&faults);
                        parcels.push(Parcel { subscription, event: event.clone(), fortune });
                    }
                }
                Effect::OpenSocket { id, url, connection, correlation } => {
                    let token = self.keys.for_socket(&mut state.exchange, &connection);
                    others.push(Wish::Socket(socket::Opening { id, url, connection, correlation, token }));
                }
                Effect::Upload { url, content_type, bytes } => {
                    let State { exchange, entra, .. } = &mut *state;
                    let token = entra.managed_identity_token(&exchange.directory, "https://storage.azure.com", exchange.seconds());
                    others.push(Wish::Upload { url, content_type, bytes, token });
                }
                Effect::Load { ticket, sources } => others.push(Wish::Load { ticket, sources }),
                Effect::SocketText { id, text } => self.socket_text(id, text),
                Effect::CloseSocket { id } => drop(lock(&self.sockets).remove(&id)),
            }
        }
        drop(state);
        for (connection, callback) in deliveries {
            self.queue_callback(&connection, callback);
        }
        for parcel in parcels {
            let hub = Arc::clone(self);
            tokio::spawn(async move { hub.deliver_parcel(parcel).await });
        }
        for wish in others {
            let hub = Arc::clone(self);
            match wish {
                Wish::Socket(opening) => tokio::spawn(async move { hub.run_socket(opening).await }),
                Wish::Load { ticket, sources } => tokio::spawn(async move { hub.load(ticket, sources).await }),
                Wish::Upload { url, content_type, bytes, token } => {
                    tokio::spawn(async move { hub.upload(&url, content_type, bytes, &token).await })
                }
            };
        }
        result
    }

    /// Changes with every 20 ms.
    pub(crate) fn steps(&self) -> watch::Receiver<u64> {
        self.step.subscribe()
    }

    /// Moves the lab on until it is dropped.
    pub(crate) async fn run(self: Arc<Hub>) {
        // The lab's clock is never ahead: tokens from the future are not believed.
        let frame = Duration::from_millis(FRAME_MS);
        let mut ticks = tokio::time::interval_at(Instant::now() + frame, frame);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Burst);
        loop {
            ticks.tick().await;
            self.with(|state| state.exchange.step());
            self.step.send_modify(|step| *step += 1);
        }
    }

    /// Answers one request.
    pub(crate) async fn answer(self: Arc<Hub>, request: Request) -> Reply {
        tracing::debug!(method = request.method, target = request.target, "asked");
        if let Some(reply) = crate::control::answer(&self, &request).await {
            return reply;
        }
        let reply = self.with(|state| {
            let State { exchange, entra, service, chance, .. } = state;
            let reply = service.answer(exchange, entra, &self.keys, chance, &request);
            reply.or_else(|| crate::control::graph::answer(exchange, entra, &request)).or_else(|| {
                let now = exchange.seconds();
                entra.answer(&request, &exchange.directory, &mut exchange.post.dice, now)
            })
        });
        let reply = reply.unwrap_or_else(|| {
            let text = format!("The lab has nothing at {} {}. What it has: {}/lab/", request.method, request.path(), self.base);
            Reply::json(404, &json!({ "error": { "code": "NotFound", "message": text } }))
        });
        tracing::debug!(method = request.method, target = request.target, status = reply.status, "answered");
        reply
    }
}

enum Wish {
    Socket(socket::Opening),
    Load { ticket: u64, sources: Vec<crate::exchange::effect::Source> },
    Upload { url: String, content_type: &'static str, bytes: Vec<u8>, token: String },
}

/// A panic elsewhere leaves the state usable.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
