//! The operations of version 1.
//!
//! # Layout
//!
//! `session` (signing in), `documents` (what is set up), `flows` (dry runs, versions), `flow_drafts`, `prompts`, `state` (commands to agents),
//! `queues` (commands to queues), `hours` (opening hours by clock and hand), `conversations` (live, past, commands), `written` (chats, mail, tasks), `recordings`,
//! `messages` (left by callers), `callbacks`, `reports`, `live` (present figures), `users` (people and tokens), `webhooks`
//! (deliveries, test), `audit`, `apply` (everything as one document), `status` (lines).

mod apply;
mod audit;
mod callbacks;
mod conversations;
mod documents;
mod flow_drafts;
mod flows;
mod hours;
mod live;
mod messages;
pub mod prompts;
mod queues;
mod recordings;
mod reports;
mod session;
pub mod state;
mod status;
pub mod users;
mod webhooks;
mod written;

use crate::state::AppState;
use utoipa_axum::router::OpenApiRouter;

pub use apply::{Applied, Change, Configuration, apply, export};

pub(super) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .merge(session::router())
        .merge(documents::router())
        .merge(flows::router())
        .merge(flow_drafts::router())
        .merge(prompts::router())
        .merge(state::router())
        .merge(queues::router())
        .merge(hours::router())
        .merge(conversations::router())
        .merge(written::router())
        .merge(recordings::router())
        .merge(reports::router())
        .merge(live::router())
        .merge(callbacks::router())
        .merge(messages::router())
        .merge(users::router())
        .merge(webhooks::router())
        .merge(audit::router())
        .merge(apply::router())
        .merge(status::router())
}
