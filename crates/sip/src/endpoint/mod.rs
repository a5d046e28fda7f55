//! The one struct the outside drives: every call, every transaction, without sockets or a clock of its own.
//!
//! Put something in (`handle_*` or a wish such as [`Endpoint::invite`]), then drain [`Endpoint::poll_output`], then wait
//! until [`Endpoint::poll_timeout`] or the next message. A wish about a call that has ended is void and does nothing, so
//! that the outside need not win races against the peer.
//!
//! # Layout
//!
//! - `receive`: sorting what arrives, refusing what cannot be served
//! - `outside`: requests that belong to no call, in both directions
//! - `tombstone`: answering latecomers of calls that are over

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

mod outside;
mod receive;
mod tombstone;

use tombstone::Tombstones;

use crate::call::Call;
use crate::call::dialog::{parse_tag, tag_text};
pub use crate::call::outgoing::Invite;
use crate::call::replaces::Replaces;
use crate::call::token;
pub use crate::call::token::BadToken;
use crate::config::Config;
use crate::event::{CallId, Cause, CauseKind, Event, Output, RequestId};
use crate::hop::Hop;
use crate::message::Method;
use crate::transaction::key::{ServerKey, TimerKey};
use crate::transaction::table::{Failure, Owner, Table};

/// A SIP user agent for any number of calls.
pub struct Endpoint {
    table: Table,
    calls: HashMap<CallId, Call>,
    /// Calls by our tag.
    tags: HashMap<u64, CallId>,
    tombstones: Tombstones,
    /// Requests of peers that the outside has not answered.
    open_requests: HashMap<RequestId, ServerKey>,
    last_call: u64,
    last_request: u64,
}

impl Endpoint {
    /// An endpoint without calls. `seed` must be secret and fresh: tags, branches and Call-IDs come from it.
    #[must_use]
    pub fn new(config: Config, seed: [u8; 32]) -> Endpoint {
        Endpoint {
            table: Table::new(config, seed),
            calls: HashMap::new(),
            tags: HashMap::new(),
            tombstones: Tombstones::default(),
            open_requests: HashMap::new(),
            last_call: 0,
            last_request: 0,
        }
    }

    /// The settings it was built with.
    #[must_use]
    pub fn config(&self) -> &Config {
        &self.table.config
    }

    /// Calls that have not ended.
    #[must_use]
    pub fn live_calls(&self) -> usize {
        self.calls.values().filter(|call| call.is_live()).count()
    }

    /// Transactions in progress or absorbing repetitions.
    #[must_use]
    pub fn transactions(&self) -> usize {
        self.table.len()
    }

    /// When [`Endpoint::handle_timeout`] must be called at the latest.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Instant> {
        self.table.timers.next()
    }

    /// The next thing to send or to know. To be called until it returns `None`, after everything else.
    pub fn poll_output(&mut self) -> Option<Output> {
        self.table.outputs.pop_front()
    }

    /// Does everything that is due.
    pub fn handle_timeout(&mut self, now: Instant) {
        while let Some(due) = self.table.timers.pop_due(now) {
            match due {
                TimerKey::Client(key) => {
                    if let Some((key, owner)) = self.table.on_client_timer(now, key) {
                        self.fail(now, key, owner, Failure::TimedOut);
                    }
                }
                TimerKey::Server(key) => {
                    if let Some(forgotten) = self.table.on_server_timer(now, key) {
                        self.open_requests.remove(&forgotten);
                    }
                }
                TimerKey::Call(call) => self.with_call(now, call, |call, table| call.on_timer(table, now)),
                TimerKey::Tombstones => {
                    let next = self.tombstones.expire(now);
                    self.table.timers.set(TimerKey::Tombstones, next);
                }
            }
        }
    }

    /// A send or a connection failed: what was waiting for an answer over it fails now instead of at its timeout.
    ///
    /// Established calls survive the loss of a connection; their next request opens another one.
    pub fn handle_transport_error(&mut self, now: Instant, hop: &Hop) {
        for (key, owner) in self.table.on_transport_error(hop) {
            self.fail(now, key, owner, Failure::Transport);
        }
    }

    fn fail(&mut self, now: Instant, key: crate::transaction::key::ClientKey, owner: Owner, failure: Failure) {
        match owner {
            Owner::Nobody => {}
            Owner::Call(call) => self.with_call(now, call, |call, table| call.on_failure(table, now, key, failure)),
            Owner::Request(id) => self.fail_request(id, failure),
        }
    }

    /// Runs `action` on a call and settles what follows from it.
    fn with_call(&mut self, now: Instant, id: CallId, action: impl FnOnce(&mut Call, &mut Table)) {
        if let Some(call) = self.calls.get_mut(&id) {
            action(call, &mut self.table);
            self.settle(now, id);
        }
    }

    fn settle(&mut self, now: Instant, id: CallId) {
        let Some(call) = self.calls.get_mut(&id) else { return };
        if !call.is_over() {
            let deadline = call.deadline();
            self.table.timers.set(TimerKey::Call(id), deadline);
            return;
        }
        self.table.timers.set(TimerKey::Call(id), None);
        let (tag, known_tags) = (call.tag, call.known_tags());
        if let Some(key) = call.open_transaction() {
            self.table.orphan(now, key);
        }
        self.calls.remove(&id);
        self.tags.remove(&tag);
        if !known_tags.is_empty() {
            let next = self.tombstones.insert(now, tag, known_tags);
            self.table.timers.set(TimerKey::Tombstones, next);
        }
    }

    fn next_call(&mut self) -> (CallId, u64) {
        self.last_call += 1;
        (CallId(self.last_call), self.table.random.next_u64())
    }

    fn is_full(&self) -> bool {
        self.calls.len() >= self.table.config.calls_max || self.table.is_full()
    }

    // ---- calls ------------------------------------------------------------------------------------------------------

    /// Places a call. Its fate comes as events; when the endpoint is full that is [`CauseKind::Overloaded`].
    pub fn invite(&mut self, now: Instant, invite: Invite) -> CallId {
        let (id, tag) = self.next_call();
        if self.is_full() {
            let cause = Cause::new(CauseKind::Overloaded, Some(503));
            self.table.emit(Event::Ended { call: id, cause });
            return id;
        }
        let call = Call::place(&mut self.table, now, id, tag, invite);
        self.calls.insert(id, call);
        self.tags.insert(tag, id);
        self.settle(now, id);
        id
    }

    /// Tells the caller that it rings (180), or gives it early media (183).
    pub fn ring(&mut self, now: Instant, call: CallId, sdp: Option<Vec<u8>>) {
        self.with_call(now, call, |call, table| call.ring(table, now, sdp));
    }

    /// Says in everything of this call from now on that we are reached at this Contact (a whole value). For peers that know us
    /// by a name of their own.
    pub fn set_contact(&mut self, call: CallId, contact: &str) {
        if let Some(call) = self.calls.get_mut(&call) {
            contact.clone_into(&mut call.contact);
        }
    }

    /// Name and port of a call's first route, when it is a name: look it up and tell [`Endpoint::set_route`], so that the call
    /// survives the end of the connection it came by.
    #[must_use]
    pub fn route_name(&self, call: CallId) -> Option<(Arc<str>, u16)> {
        self.calls.get(&call)?.dialog()?.route_name()
    }

    /// Where the name of a call's first route leads.
    pub fn set_route(&mut self, call: CallId, address: SocketAddr) {
        if let Some(dialog) = self.calls.get_mut(&call).and_then(Call::dialog_mut) {
            dialog.set_route(address);
        }
    }

    /// Accepts a call; [`Event::Acknowledged`] follows. `sdp` is the answer, or the offer when the INVITE had none.
    pub fn answer(&mut self, now: Instant, call: CallId, sdp: Vec<u8>) {
        self.with_call(now, call, |call, table| call.answer(table, now, sdp));
    }

    /// Refuses a call that is not answered yet, with a status of 300 or more; an empty `reason` is filled in.
    pub fn reject(&mut self, now: Instant, call: CallId, status: u16, reason: &str, extra: Vec<(String, String)>) {
        let status = status.clamp(300, 699);
        let cause = Cause::new(CauseKind::Local, Some(status));
        self.with_call(now, call, |call, table| call.refuse(table, now, status, reason, &extra, cause));
    }

    /// Forgets a call that is not answered yet without sending anything: for scanners. Repetitions are absorbed.
    pub fn ignore(&mut self, now: Instant, call: CallId) {
        self.with_call(now, call, |call, table| call.ignore(table, now));
    }

    /// Ends a call in whatever state it is: CANCEL, BYE or a 480. `reason` becomes the Reason header (RFC 3326).
    pub fn hang_up(&mut self, now: Instant, call: CallId, reason: Option<&str>) {
        self.with_call(now, call, |call, table| call.hang_up(table, now, CauseKind::Local, None, reason));
    }

    /// Sends the ACK that waits for our answer, after an [`Event::Answered`] whose SDP was an offer.
    pub fn acknowledge(&mut self, now: Instant, call: CallId, sdp: Option<Vec<u8>>) {
        self.with_call(now, call, |call, table| call.acknowledge_with(table, now, sdp));
    }

    /// Changes the session to `sdp`. Waits while another change is under way; only the newest waiting one is sent.
    pub fn reinvite(&mut self, now: Instant, call: CallId, sdp: Vec<u8>) {
        self.with_call(now, call, |call, table| call.reinvite(table, now, sdp));
    }

    /// Answers [`Event::Reinvite`]: with SDP, or with the status that refuses it (488 for media we cannot do).
    pub fn answer_reinvite(&mut self, now: Instant, call: CallId, answer: Result<Vec<u8>, u16>) {
        self.with_call(now, call, |call, table| call.answer_change(table, now, answer.map_err(|status| (status, None))));
    }

    /// Refuses [`Event::Reinvite`], and says why in the words of a Warning header (RFC 3261 §20.43).
    pub fn refuse_reinvite(&mut self, now: Instant, call: CallId, status: u16, warning: &str) {
        self.with_call(now, call, |call, table| call.answer_change(table, now, Err((status, Some(warning)))));
    }

    /// Answers [`Event::Refer`]: takes it on (202, then NOTIFY 100), or refuses it.
    pub fn answer_refer(&mut self, now: Instant, call: CallId, answer: Result<(), u16>) {
        self.with_call(now, call, |call, table| call.answer_refer(table, now, answer));
    }

    /// Tells the peer how the call it asked for fares; a status of 200 or more is the last word.
    pub fn notify_refer(&mut self, now: Instant, call: CallId, status: u16, reason: &str) {
        self.with_call(now, call, |call, table| call.notify_refer(table, now, status, reason));
    }

    /// Asks the peer to call `refer_to` (a whole header value). `false` when the call is not established or another
    /// REFER is under way.
    pub fn refer(&mut self, now: Instant, call: CallId, refer_to: &str, referred_by: Option<&str>) -> bool {
        let mut sent = false;
        self.with_call(now, call, |call, table| sent = call.refer(table, now, refer_to, referred_by));
        sent
    }

    /// The established call that a Replaces header names (RFC 3891 §3), if it is ours.
    #[must_use]
    pub fn call_replaced_by(&self, replaces: &Replaces) -> Option<CallId> {
        let call = self.calls.get(self.tags.get(&parse_tag(&replaces.to_tag)?)?)?;
        let dialog = call.dialog()?;
        let same = dialog.call_id == replaces.call_id && dialog.remote_tag == replaces.from_tag;
        (same && call.is_talking()).then_some(call.id)
    }

    /// What Replaces must say to name this established call to its peer's system.
    #[must_use]
    pub fn replaces_of(&self, call: CallId) -> Option<Replaces> {
        let call = self.calls.get(&call).filter(|call| call.is_talking())?;
        let dialog = call.dialog()?;
        Some(Replaces {
            call_id: dialog.call_id.clone(),
            to_tag: dialog.remote_tag.clone(),
            from_tag: tag_text(call.tag),
            early_only: false,
        })
    }

    /// The Call-ID header of a call whose dialog exists, for logs and traces.
    #[must_use]
    pub fn sip_call_id(&self, call: CallId) -> Option<&str> {
        self.calls.get(&call)?.dialog().map(|dialog| dialog.call_id.as_str())
    }

    /// An established call as one line of text, to be kept where it survives this process.
    #[must_use]
    pub fn dialog_token(&self, call: CallId) -> Option<String> {
        let call = self.calls.get(&call).filter(|call| call.is_talking())?;
        call.dialog().map(token::write)
    }

    /// Ends a call that a lost process had, by its token.
    ///
    /// # Errors
    /// When the token cannot be read.
    pub fn end_ghost(&mut self, now: Instant, token: &str) -> Result<(), BadToken> {
        let mut dialog = token::read(token)?;
        let mut bye = dialog.request(Method::Bye);
        self.table.describe_self(&mut bye.headers);
        self.table.send(now, bye, dialog.next_hop(), Owner::Nobody);
        Ok(())
    }

    /// Whether nothing is left: no call, no transaction, no deadline. So it is 32 s after the last call.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        self.table.is_empty()
            && self.calls.is_empty()
            && self.tags.is_empty()
            && self.tombstones.is_empty()
            && self.open_requests.is_empty()
    }
}
