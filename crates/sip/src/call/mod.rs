//! One call: an INVITE of ours or of a peer and everything that follows from it until both ends know that it is over.
//!
//! A call outlives its [`Event::Ended`] while signalling is still owed: a CANCEL waiting for a provisional response, a BYE
//! waiting for the ACK or for its own answer. What a call leaves behind is answered by the endpoint's tombstones.
//!
//! # Layout
//!
//! - [`body`]: the SDP in a body, alone or in a multipart
//! - [`replaces`]: naming a dialog that a new call takes the place of
//! - `dialog`: numbers, tags, route set and next hop
//! - `outgoing`: our INVITE until its final response, forks, CANCEL
//! - `incoming`: their INVITE until our final response, the 2xx until its ACK
//! - `within`: what the peer sends within the call
//! - `change`: re-INVITE in both directions, glare
//! - `refer`: REFER in both directions and its NOTIFYs
//! - `session_timer`: RFC 4028
//! - `farewell`: hanging up, BYE, the one way every call ends
//! - `token`: enough text to end the call from another process

use std::sync::Arc;
use std::time::Instant;

pub mod body;
pub(crate) mod change;
pub(crate) mod dialog;
pub(crate) mod farewell;
pub(crate) mod incoming;
pub(crate) mod outgoing;
pub(crate) mod refer;
pub mod replaces;
pub(crate) mod session_timer;
pub(crate) mod token;
pub(crate) mod within;

use change::Change;
use dialog::Dialog;
use farewell::Farewell;
use incoming::{Ringing, Unacked};
use outgoing::Inviting;
use refer::{Referral, Referring};
use session_timer::SessionTimer;

use crate::digest::Credentials;
use crate::event::{CallId, CauseKind, Event};
use crate::hop::Hop;
use crate::message::{Request, Response};
use crate::transaction::key::{ClientKey, ServerKey};
use crate::transaction::table::{Failure, Table};

/// How far a call has come.
enum Phase {
    /// Our INVITE has no final response yet.
    Inviting(Box<Inviting>),
    /// Their INVITE has no final response yet.
    Ringing(Box<Ringing>),
    /// There is a confirmed dialog, from the 2xx until the BYE has been dealt with.
    Talking,
    /// Nothing is owed any more.
    Over,
}

/// The ACK for the last 2xx to an INVITE of ours, to be repeated with every repetition of that 2xx.
struct LastAck {
    number: u32,
    hop: Hop,
    bytes: Arc<[u8]>,
}

/// One call.
pub(crate) struct Call {
    pub(crate) id: CallId,
    /// Our tag in all its dialogs.
    pub(crate) tag: u64,
    /// Whether the Call-ID is ours, which decides who waits longer after glare (RFC 3261 §14.1).
    outgoing: bool,
    phase: Phase,
    /// [`Event::Ended`] has been emitted.
    ended: bool,
    farewell: Farewell,
    /// Our Contact in this call.
    pub(crate) contact: String,
    credentials: Option<Credentials>,
    /// The realms that the INVITE was challenged by.
    realms: Vec<String>,
    dialog: Option<Dialog>,
    /// The INVITE transaction that made the call, while repetitions of its 2xx are possible.
    invite_key: Option<ClientKey>,
    /// The 2xx carried an offer, and the ACK waits for our answer: the number of the INVITE.
    owed_ack: Option<u32>,
    last_ack: Option<LastAck>,
    unacked: Option<Unacked>,
    /// Tags of other forks whose 2xx has been answered with ACK and BYE.
    strays: Vec<String>,
    local_sdp: Option<Vec<u8>>,
    remote_sdp: Option<Vec<u8>>,
    change: Change,
    session: SessionTimer,
    referral: Option<Referral>,
    referrals_seen: u32,
    referring: Option<Referring>,
}

impl Call {
    fn new(id: CallId, tag: u64, outgoing: bool, contact: String, phase: Phase) -> Call {
        Call {
            id,
            tag,
            outgoing,
            phase,
            ended: false,
            farewell: Farewell::None,
            contact,
            credentials: None,
            realms: Vec::new(),
            dialog: None,
            invite_key: None,
            owed_ack: None,
            last_ack: None,
            unacked: None,
            strays: Vec::new(),
            local_sdp: None,
            remote_sdp: None,
            change: Change::default(),
            session: SessionTimer::default(),
            referral: None,
            referrals_seen: 0,
            referring: None,
        }
    }

    /// Whether the endpoint can forget the call.
    pub(crate) fn is_over(&self) -> bool {
        matches!(self.phase, Phase::Over)
    }

    /// Whether the outside still knows the call.
    pub(crate) fn is_live(&self) -> bool {
        !self.ended
    }

    /// The peer's tags whose 2xx must only be acknowledged again, once the call is forgotten.
    pub(crate) fn known_tags(&mut self) -> Vec<String> {
        let mut tags = std::mem::take(&mut self.strays);
        tags.extend(self.dialog.as_ref().map(|dialog| dialog.remote_tag.clone()));
        tags
    }

    /// A transaction that outlives the call and that nothing else would end.
    pub(crate) fn open_transaction(&self) -> Option<ClientKey> {
        self.change.pending_key()
    }

    /// The dialog, confirmed or early.
    pub(crate) fn dialog(&self) -> Option<&Dialog> {
        self.dialog.as_ref()
    }

    pub(crate) fn dialog_mut(&mut self) -> Option<&mut Dialog> {
        self.dialog.as_mut()
    }

    /// Whether the dialog is confirmed and not yet being ended.
    pub(crate) fn is_talking(&self) -> bool {
        matches!(self.phase, Phase::Talking) && !self.ended
    }

    /// When [`Call::on_timer`] is due.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        let phase = match &self.phase {
            Phase::Inviting(inviting) => inviting.deadline(),
            Phase::Ringing(ringing) => ringing.deadline(),
            Phase::Talking | Phase::Over => None,
        };
        let session = if self.ended { [None, None] } else { [self.session.refresh_at(), self.session.expire_at()] };
        [
            phase,
            session[0],
            session[1],
            self.unacked.as_ref().map(Unacked::deadline),
            self.change.deadline(),
            self.referral.as_ref().and_then(Referral::deadline),
            self.referring.as_ref().map(Referring::deadline),
            self.farewell.deadline(),
        ]
        .into_iter()
        .flatten()
        .min()
    }

    /// A deadline has been reached.
    pub(crate) fn on_timer(&mut self, table: &mut Table, now: Instant) {
        match self.phase {
            Phase::Inviting(_) => self.on_inviting_timer(table, now),
            Phase::Ringing(_) => self.on_ringing_timer(table, now),
            Phase::Talking => {
                self.on_unacked_timer(table, now);
                self.on_change_timer(table, now);
                self.on_refer_timer(table, now);
                self.on_session_timer(table, now);
                self.on_farewell_timer(table, now);
            }
            Phase::Over => {}
        }
    }

    fn on_session_timer(&mut self, table: &mut Table, now: Instant) {
        if self.ended {
            return;
        }
        if self.session.expire_at().is_some_and(|at| at <= now) {
            self.hang_up(table, now, CauseKind::SessionExpired, None, Some("SIP;cause=408;text=\"Session timer expired\""));
        } else if self.session.refresh_at().is_some_and(|at| at <= now) {
            self.refresh(table, now);
        }
    }

    /// A response to a request of this call.
    pub(crate) fn on_response(&mut self, table: &mut Table, now: Instant, key: ClientKey, hop: &Hop, response: Response) {
        let response = Arc::new(response);
        if matches!(&self.phase, Phase::Inviting(inviting) if inviting.key == key) {
            self.on_invite_response(table, now, hop, &response);
        } else if self.invite_key == Some(key) {
            self.on_late_invite_response(table, now, hop, &response);
        } else if self.change.is_pending(key) {
            self.on_change_response(table, now, &response);
        } else if self.farewell.is_bye(key) {
            self.on_bye_response(table, now, &response);
        } else if self.on_refer_response(table, now, key, response.status) {
        } else if response.is_success() && response.headers.cseq().is_ok_and(|cseq| cseq.method == crate::message::Method::Invite) {
            self.acknowledge_again(table, &response);
        }
    }

    /// A request of this call got no final response.
    pub(crate) fn on_failure(&mut self, table: &mut Table, now: Instant, key: ClientKey, failure: Failure) {
        if matches!(&self.phase, Phase::Inviting(inviting) if inviting.key == key) {
            self.on_invite_failure(table, failure);
        } else if self.change.is_pending(key) {
            self.on_change_failure(table, now, failure);
        } else if self.farewell.is_bye(key) {
            self.phase = Phase::Over;
        } else {
            self.on_refer_response(table, now, key, 408);
        }
    }

    /// A 2xx to an INVITE that has already been acknowledged came again.
    fn acknowledge_again(&self, table: &mut Table, response: &Response) {
        if let Some(last) = &self.last_ack
            && response.headers.cseq_number() == Some(last.number)
        {
            table.transmit(last.hop.clone(), Arc::clone(&last.bytes));
        }
    }

    /// Sends the ACK for the 2xx with this number and remembers it.
    fn acknowledge(&mut self, table: &mut Table, number: u32, sdp: Option<Vec<u8>>) {
        let Some(dialog) = &self.dialog else { return };
        let hop = dialog.next_hop();
        let mut ack = dialog.ack(number);
        if let Some(sdp) = sdp {
            ack.headers.push("Content-Type", "application/sdp");
            ack.body = sdp;
        }
        let bytes = table.send_ack(ack, &hop);
        self.last_ack = Some(LastAck { number, hop, bytes });
    }

    /// Answers a request of the peer that belongs to this call.
    fn reply(&self, table: &mut Table, now: Instant, server: ServerKey, request: &Request, status: u16) {
        self.reply_with(table, now, server, request, status, &[]);
    }

    fn reply_with(&self, table: &mut Table, now: Instant, server: ServerKey, request: &Request, status: u16, extra: &[(&str, &str)]) {
        let mut response = self.response(request, status, "");
        for (name, value) in extra {
            response.headers.push(name, value);
        }
        table.respond(now, server, &response);
    }

    /// A response with our tag.
    fn response(&self, request: &Request, status: u16, reason: &str) -> Response {
        let mut response = Response::to_request(request, status, reason);
        if status > 100 {
            response.headers.add_to_tag(&dialog::tag_text(self.tag));
        }
        response
    }

    fn emit(&self, table: &mut Table, event: Event) {
        if !self.ended {
            table.emit(event);
        }
    }
}
