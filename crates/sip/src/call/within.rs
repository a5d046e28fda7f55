//! What the peer sends within a call, apart from ACK and CANCEL (RFC 3261 §12.2.2).

use std::time::Instant;

use super::{Call, Phase};
use crate::event::{Cause, CauseKind, Event};
use crate::hop::Hop;
use crate::message::{Method, Request};
use crate::transaction::key::ServerKey;
use crate::transaction::table::{Table, unsupported};

impl Call {
    /// A request with our tag. It gets exactly one final response, now or by the outside later.
    pub(crate) fn on_request(&mut self, table: &mut Table, now: Instant, server: ServerKey, hop: &Hop, request: Request) {
        if matches!(self.phase, Phase::Inviting(_)) {
            return self.on_early_request(table, now, server, &request);
        }
        let Some(dialog) = self.dialog.as_mut().filter(|dialog| dialog.matches(&request.headers)) else {
            return self.reply(table, now, server, &request, 481);
        };
        if !dialog.accept_seq(request.headers.cseq_number().unwrap_or_default()) {
            return self.reply_with(table, now, server, &request, 500, &[("Retry-After", "1")]);
        }
        follow(&mut dialog.hop, hop, &request);
        if request.method == Method::Bye {
            return self.on_bye(table, now, server, &request);
        }
        if self.ended {
            return self.reply(table, now, server, &request, 481);
        }
        if let Some(tags) = unsupported(&table.config, &request.headers) {
            return self.reply_with(table, now, server, &request, 420, &[("Unsupported", &tags)]);
        }
        match request.method {
            Method::Invite | Method::Update => self.on_change_request(table, now, server, request),
            Method::Refer if matches!(self.phase, Phase::Talking) => self.on_refer(table, now, server, request),
            Method::Refer => self.reply(table, now, server, &request, 491),
            Method::Notify => self.on_notify(table, now, server, &request),
            Method::Info => {
                self.reply(table, now, server, &request, 200);
                let content_type = request.headers.get("Content-Type").map(str::to_owned);
                self.emit(table, Event::Info { call: self.id, content_type, body: request.body });
            }
            Method::Options => {
                let mut response = self.response(&request, 200, "");
                response.headers.push("Accept", "application/sdp");
                table.describe_abilities(&mut response.headers);
                table.describe_server(&mut response.headers);
                table.respond(now, server, &response);
            }
            _ => {
                let (status, allow) = table.refusal_of(&request.method);
                self.reply_with(table, now, server, &request, status, &[("Allow", &allow)]);
            }
        }
    }

    /// A request in an early dialog of our INVITE. Only a BYE makes sense there: the callee accepted, its 200 was lost
    /// for good, and it hangs up.
    fn on_early_request(&mut self, table: &mut Table, now: Instant, server: ServerKey, request: &Request) {
        if request.method != Method::Bye || !self.owns_early(&request.headers) {
            return self.reply(table, now, server, request, 481);
        }
        self.reply(table, now, server, request, 200);
        let mut cause = Cause::new(CauseKind::RemoteHangUp, None);
        cause.reason = request.headers.get("Reason").map(str::to_owned);
        self.end(table, cause);
        self.cancel(table, now, None);
    }

    fn on_bye(&mut self, table: &mut Table, now: Instant, server: ServerKey, request: &Request) {
        self.reply(table, now, server, request, 200);
        let mut cause = Cause::new(CauseKind::RemoteHangUp, None);
        cause.reason = request.headers.get("Reason").map(str::to_owned);
        match self.phase {
            // A caller may end an early dialog by BYE; its INVITE still wants a final response (RFC 3261 §15.1.2).
            Phase::Ringing(_) => {
                cause.status = Some(487);
                self.refuse(table, now, 487, "", &[], cause);
            }
            _ => self.finish(table, now, cause),
        }
    }
}

/// Remembers a newer way to the peer: its new connection, or its new port behind a NAT.
fn follow(known: &mut Hop, source: &Hop, request: &Request) {
    if known.transport != source.transport {
        return;
    }
    if known.transport.is_reliable() {
        // Another machine of the peer opened this connection for its own requests; ours keep their way.
        if known.remote.ip() == source.remote.ip() {
            known.connection = source.connection;
        }
    } else if request.headers.top_via().is_ok_and(|via| via.rport().is_some()) {
        known.remote = source.remote;
    }
}
