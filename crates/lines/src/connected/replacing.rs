//! A call that takes another's place: somebody in Teams has taken over a talk (RFC 3891).
//!
//! The leg stays, with its audio sockets; the call behind it changes. So the core sees the talk go on, and whoever is at the
//! other end hears the new person at once. Only Teams may do this, and only with calls to and from Teams: the certificate has
//! proved who asks, and a Call-ID with both tags is nothing that can be guessed.

use super::{driver::Driver, teams::Teams};
use dreiklang_core::{Input, ids::TenantId};
use dreiklang_media::ids::StreamId;
use dreiklang_sip::{call::replaces::Replaces, event::CallId};
use std::time::Instant;

impl Driver {
    /// Lets a new call of Teams take the place of the one it names.
    pub(super) fn replace(&mut self, now: Instant, call: CallId, tenant: TenantId, teams: &Teams, replaces: &str, offer: Option<&[u8]>) {
        let Some(replaces) = Replaces::parse(replaces) else {
            return self.endpoint.reject(now, call, 400, "Bad Request", Vec::new());
        };
        let found = self.endpoint.call_replaced_by(&replaces).and_then(|old| Some((old, self.legs.of_call(old)?)));
        let leg = found.and_then(|(old, id)| Some((old, self.legs.get_mut(id)?)));
        let Some((old, leg)) = leg.filter(|(_, leg)| leg.tenant == tenant && leg.teams.as_ref() == Some(teams) && leg.connected) else {
            return self.endpoint.reject(now, call, 481, "Call/Transaction Does Not Exist", Vec::new());
        };
        // RFC 3891 §3: it asks for a call that is not answered yet, and this one is.
        if replaces.early_only {
            return self.endpoint.reject(now, call, 486, "Busy Here", Vec::new());
        }
        let (id, group) = (leg.id, leg.group());
        let fresh = leg.session.as_ref().map(super::session::Session::renewed);
        let (Some(mut session), Some(offer)) = (fresh, offer) else {
            return self.endpoint.reject(now, call, 488, "Not Acceptable Here", Vec::new());
        };
        let answer = match session.answer(offer) {
            Ok(answer) => answer,
            Err(problem) => {
                tracing::warn!(leg = %id, %problem, "a call that was to take another's place has no usable audio");
                return self.endpoint.reject(now, call, problem.status(), "Not Acceptable Here", Vec::new());
            }
        };
        tracing::info!(leg = %id, "somebody else in Teams takes the talk over");
        let held = session.is_held();
        let changed = leg.held != held;
        leg.held = held;
        leg.transfer_asked = false;
        let edits = session.edits(StreamId(id.0));
        leg.session = Some(session);
        self.legs.replace_call(id, call);
        self.endpoint.answer(now, call, answer);
        if let Some(group) = group {
            self.media.apply(group, edits);
        }
        // After a crash only the new call can be ended.
        let token = self.endpoint.dialog_token(call);
        self.tell(tenant, Input::Connected { leg: id, token });
        if changed {
            self.tell(tenant, Input::HeldByParty { leg: id, held });
        }
        self.endpoint.hang_up(now, old, Some("SIP;cause=200;text=\"Replaced\""));
    }
}
