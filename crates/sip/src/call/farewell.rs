//! How calls end: one funnel for every cause, and the BYE that may have to wait.
//!
//! The outside hears [`Event::Ended`] at once. On the wire a BYE waits for the ACK of our own 2xx (RFC 3261 §15) and for
//! NOTIFYs that must arrive before it.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::{Call, Phase};
use crate::digest;
use crate::event::{Cause, CauseKind, Event};
use crate::message::{Method, Request, Response};
use crate::transaction::key::ClientKey;
use crate::transaction::table::{Owner, Table};

/// How long a BYE waits for NOTIFYs before it.
const NOTIFY_PATIENCE: Duration = Duration::from_secs(4);

/// What is still owed to the peer after the end.
#[derive(Debug)]
pub(super) enum Farewell {
    /// No BYE was wanted so far.
    None,
    /// A BYE leaves as soon as it may.
    Waiting { reason: Option<String>, notifies_until: Instant },
    /// The BYE is out.
    Sent { key: ClientKey, reason: Option<String>, authorized: bool },
}

impl Farewell {
    pub(super) fn deadline(&self) -> Option<Instant> {
        match self {
            Farewell::Waiting { notifies_until, .. } => Some(*notifies_until),
            _ => None,
        }
    }

    pub(super) fn is_bye(&self, key: ClientKey) -> bool {
        matches!(self, Farewell::Sent { key: bye, .. } if *bye == key)
    }
}

impl Call {
    /// Tells the outside that the call is over, once.
    pub(super) fn end(&mut self, table: &mut Table, cause: Cause) {
        if self.ended {
            return;
        }
        table.emit(Event::Ended { call: self.id, cause });
        self.ended = true;
        self.local_sdp = None;
        self.remote_sdp = None;
    }

    /// Ends the call from our side by whatever its state asks for.
    pub(crate) fn hang_up(&mut self, table: &mut Table, now: Instant, kind: CauseKind, status: Option<u16>, reason: Option<&str>) {
        if self.ended {
            return;
        }
        match self.phase {
            Phase::Inviting(_) => {
                self.end(table, Cause::new(kind, status));
                self.cancel(table, now, reason);
            }
            Phase::Ringing(_) => {
                let extra: Vec<(String, String)> = reason.map(|reason| ("Reason".to_owned(), reason.to_owned())).into_iter().collect();
                self.refuse(table, now, status.unwrap_or(480), "", &extra, Cause::new(kind, status.or(Some(480))));
            }
            Phase::Talking => {
                self.end(table, Cause::new(kind, status));
                self.say_bye(table, now, reason);
            }
            Phase::Over => {}
        }
    }

    /// Wants a BYE, now or as soon as it may leave.
    pub(super) fn say_bye(&mut self, table: &mut Table, now: Instant, reason: Option<&str>) {
        if let Some(number) = self.owed_ack.take() {
            self.acknowledge(table, number, None);
        }
        self.drop_incoming_change(table, now);
        self.drop_open_refer(table, now);
        self.farewell = Farewell::Waiting { reason: reason.map(str::to_owned), notifies_until: now + NOTIFY_PATIENCE };
        self.bye_if_due(table, now);
    }

    /// Sends a BYE that has been waiting, when nothing holds it back any more.
    pub(super) fn bye_if_due(&mut self, table: &mut Table, now: Instant) {
        let Farewell::Waiting { reason, notifies_until } = &self.farewell else { return };
        let waits_for_ack = self.unacked.as_ref().is_some_and(|unacked| unacked.initial);
        let waits_for_notify = *notifies_until > now && self.referral.as_ref().is_some_and(|referral| referral.is_sending());
        if waits_for_ack || waits_for_notify {
            return;
        }
        let reason = reason.clone();
        self.send_bye(table, now, reason, None);
    }

    pub(super) fn on_farewell_timer(&mut self, table: &mut Table, now: Instant) {
        if matches!(&self.farewell, Farewell::Waiting { notifies_until, .. } if *notifies_until <= now) {
            if self.unacked.as_ref().is_some_and(|unacked| unacked.initial) {
                // Only the ACK, or its absence, decides now; their own deadline is set.
                if let Farewell::Waiting { notifies_until, .. } = &mut self.farewell {
                    *notifies_until = now + NOTIFY_PATIENCE;
                }
            } else {
                self.bye_if_due(table, now);
            }
        }
    }

    fn send_bye(&mut self, table: &mut Table, now: Instant, reason: Option<String>, challenge: Option<&Response>) {
        let Some(dialog) = &mut self.dialog else {
            self.phase = Phase::Over;
            return;
        };
        let mut bye = dialog.request(Method::Bye);
        let hop = dialog.next_hop();
        if let Some(reason) = &reason {
            bye.headers.push("Reason", reason);
        }
        table.describe_self(&mut bye.headers);
        let authorized = challenge.is_some_and(|challenge| self.authorize(table, &mut bye, challenge));
        if challenge.is_some() && !authorized {
            self.phase = Phase::Over;
            return;
        }
        self.unacked = None;
        let key = table.send(now, bye, hop, Owner::Call(self.id));
        self.farewell = Farewell::Sent { key, reason, authorized };
    }

    pub(super) fn on_bye_response(&mut self, table: &mut Table, now: Instant, response: &Arc<Response>) {
        if response.is_provisional() {
            return;
        }
        if let Farewell::Sent { authorized: false, reason, .. } = &self.farewell
            && matches!(response.status, 401 | 407)
            && self.credentials.is_some()
        {
            let reason = reason.clone();
            self.send_bye(table, now, reason, Some(response));
            return;
        }
        self.phase = Phase::Over;
    }

    /// Answers a challenge with the call's credentials.
    ///
    /// They are meant for the trunk that the INVITE went to. Whoever picked up can send challenges as well, to have a
    /// digest computed that it may then guess the password from; so within the call only the realm counts that the
    /// INVITE was challenged by.
    pub(super) fn authorize(&mut self, table: &mut Table, request: &mut Request, challenge: &Response) -> bool {
        let Some(credentials) = &self.credentials else { return false };
        let realms = realms_of(challenge);
        if self.dialog.is_none() {
            self.realms = realms;
        } else if realms.is_empty() || realms.iter().any(|realm| !self.realms.contains(realm)) {
            return false;
        }
        let cnonce = format!("{:016x}", table.random.next_u64());
        digest::authorize(request, challenge, credentials, &cnonce)
    }

    /// The peer's BYE, or whatever else ends the call without owing it anything.
    pub(super) fn finish(&mut self, table: &mut Table, now: Instant, cause: Cause) {
        self.drop_incoming_change(table, now);
        self.drop_open_refer(table, now);
        self.end(table, cause);
        self.unacked = None;
        self.phase = Phase::Over;
    }
}

/// The realms named by the challenges of a response.
fn realms_of(challenge: &Response) -> Vec<String> {
    ["WWW-Authenticate", "Proxy-Authenticate"]
        .into_iter()
        .flat_map(|name| challenge.headers.all(name))
        .filter_map(|value| {
            let at = value.to_ascii_lowercase().find("realm")?;
            value[at..].split('"').nth(1).map(str::to_owned)
        })
        .collect()
}
