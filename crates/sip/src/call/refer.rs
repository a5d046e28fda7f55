//! REFER in both directions with its implicit subscription (RFC 3515).
//!
//! NOTIFYs of one referral leave one after the other, each after the answer to the one before, because their order tells
//! the peer how the transfer went and datagrams may overtake each other.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::Call;
use super::replaces::Replaces;
use crate::event::Event;
use crate::limits::NOTIFY_QUEUE_MAX;
use crate::message::{Method, NameAddr, Request, reason_phrase};
use crate::transaction::key::{ClientKey, ServerKey};
use crate::transaction::table::{Owner, Table};

/// How long a subscription lasts without a final NOTIFY.
const SUBSCRIPTION: Duration = Duration::from_secs(180);

/// The outside must have answered a REFER by then; the peer's own timer is 32 s.
const ANSWER_WITHIN: Duration = Duration::from_secs(30);

/// A REFER of the peer.
pub(super) struct Referral {
    /// The request while it is unanswered.
    open: Option<(ServerKey, Arc<Request>)>,
    event: String,
    until: Instant,
    queue: VecDeque<(u16, String, State)>,
    sending: Option<(ClientKey, State)>,
    last: (u16, String),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Active,
    Done,
    TimedOut,
}

impl Referral {
    /// Whether NOTIFYs are under way.
    pub(super) fn is_sending(&self) -> bool {
        self.sending.is_some() || !self.queue.is_empty()
    }

    pub(super) fn deadline(&self) -> Option<Instant> {
        let ending =
            self.queue.iter().any(|(_, _, state)| *state != State::Active) || self.sending.is_some_and(|(_, state)| state != State::Active);
        (!ending).then_some(self.until)
    }
}

/// A REFER of ours.
pub(super) struct Referring {
    key: ClientKey,
    answered: bool,
    until: Instant,
}

impl Referring {
    pub(super) fn deadline(&self) -> Instant {
        self.until
    }
}

impl Call {
    pub(super) fn on_refer(&mut self, table: &mut Table, now: Instant, server: ServerKey, request: Request) {
        if self.referral.is_some() {
            return self.reply(table, now, server, &request, 491);
        }
        let mut targets = request.headers.all("Refer-To");
        let (Some(refer_to), None) = (targets.next().map(str::to_owned), targets.next()) else {
            drop(targets);
            return self.reply(table, now, server, &request, 400);
        };
        drop(targets);
        let replaces =
            NameAddr::parse(&refer_to).ok().and_then(|target| target.uri.headers).and_then(|headers| Replaces::in_uri_headers(&headers));
        let referred_by = request.headers.get("Referred-By").map(str::to_owned);
        // From the second REFER of a dialog on, the subscription is told apart by its id (RFC 3515 §2.4.6).
        let event = match (self.referrals_seen, request.headers.cseq_number()) {
            (0, _) | (_, None) => "refer".to_owned(),
            (_, Some(number)) => format!("refer;id={number}"),
        };
        self.referrals_seen = self.referrals_seen.saturating_add(1);
        self.referral = Some(Referral {
            open: Some((server, Arc::new(request))),
            event,
            until: now + ANSWER_WITHIN,
            queue: VecDeque::new(),
            sending: None,
            last: (100, reason_phrase(100).to_owned()),
        });
        self.emit(table, Event::Refer { call: self.id, refer_to, referred_by, replaces });
    }

    /// The outside takes the REFER on (202 and a first NOTIFY), or refuses it.
    pub(crate) fn answer_refer(&mut self, table: &mut Table, now: Instant, answer: Result<(), u16>) {
        let Some(referral) = &mut self.referral else { return };
        let Some((server, request)) = referral.open.take() else { return };
        match answer {
            Ok(()) => {
                referral.until = now + SUBSCRIPTION;
                referral.queue.push_back((100, reason_phrase(100).to_owned(), State::Active));
                let contact = self.contact.clone();
                self.reply_with(table, now, server, &request, 202, &[("Contact", &contact)]);
                self.send_notify(table, now);
            }
            Err(status) => {
                self.referral = None;
                self.reply(table, now, server, &request, status.max(300));
            }
        }
    }

    /// Ends a REFER that nobody will answer any more (RFC 3261 §15.1.2).
    pub(super) fn drop_open_refer(&mut self, table: &mut Table, now: Instant) {
        if let Some((server, request)) = self.referral.as_mut().and_then(|referral| referral.open.take()) {
            self.referral = None;
            self.reply(table, now, server, &request, 487);
        }
    }

    /// Tells the peer how the referred call fares. A final status ends the subscription.
    pub(crate) fn notify_refer(&mut self, table: &mut Table, now: Instant, status: u16, reason: &str) {
        let Some(referral) = &mut self.referral else { return };
        if self.ended || referral.open.is_some() || referral.deadline().is_none() {
            return;
        }
        let reason = if reason.is_empty() { reason_phrase(status) } else { reason };
        let state = if status >= 200 { State::Done } else { State::Active };
        if state == State::Active && referral.queue.len() >= NOTIFY_QUEUE_MAX {
            return;
        }
        referral.queue.push_back((status, reason.to_owned(), state));
        self.send_notify(table, now);
    }

    fn send_notify(&mut self, table: &mut Table, now: Instant) {
        let (Some(referral), Some(dialog)) = (&mut self.referral, &mut self.dialog) else { return };
        if referral.sending.is_some() {
            return;
        }
        let Some((status, reason, state)) = referral.queue.pop_front() else { return };
        let mut notify = dialog.request(Method::Notify);
        let hop = dialog.next_hop();
        let headers = &mut notify.headers;
        headers.push("Contact", &self.contact);
        headers.push("Event", &referral.event);
        match state {
            State::Active => {
                let left = referral.until.saturating_duration_since(now).as_secs();
                headers.push("Subscription-State", &format!("active;expires={left}"));
            }
            State::Done => headers.push("Subscription-State", "terminated;reason=noresource"),
            State::TimedOut => headers.push("Subscription-State", "terminated;reason=timeout"),
        }
        headers.push("Content-Type", "message/sipfrag;version=2.0");
        table.describe_self(headers);
        notify.body = format!("SIP/2.0 {status} {}\r\n", reason.replace(['\r', '\n'], " ")).into_bytes();
        referral.last = (status, reason);
        let key = table.send(now, notify, hop, Owner::Call(self.id));
        referral.sending = Some((key, state));
    }

    /// A final response (or 408 for none) to a NOTIFY or REFER of ours. Returns whether it was one.
    pub(super) fn on_refer_response(&mut self, table: &mut Table, now: Instant, key: ClientKey, status: u16) -> bool {
        if let Some(referral) = &mut self.referral
            && let Some((sending, state)) = referral.sending
            && sending == key
        {
            if status >= 200 {
                referral.sending = None;
                if status == 481 || state != State::Active {
                    self.referral = None;
                }
                self.send_notify(table, now);
                self.bye_if_due(table, now);
            }
            return true;
        }
        if let Some(referring) = &mut self.referring
            && referring.key == key
        {
            if status >= 200 && !referring.answered {
                referring.answered = true;
                if status >= 300 {
                    self.referring = None;
                }
                self.emit(table, Event::ReferAnswered { call: self.id, status });
            }
            return true;
        }
        false
    }

    pub(super) fn on_refer_timer(&mut self, table: &mut Table, now: Instant) {
        if let Some(referral) = &mut self.referral
            && referral.deadline().is_some_and(|at| at <= now)
        {
            if referral.open.is_some() {
                self.answer_refer(table, now, Err(500));
            } else {
                let (status, reason) = referral.last.clone();
                referral.queue.push_back((status, reason, State::TimedOut));
                self.send_notify(table, now);
            }
        }
        if let Some(referring) = self.referring.take_if(|referring| referring.until <= now) {
            if !referring.answered {
                table.abandon(referring.key);
            }
            let reason = reason_phrase(408).to_owned();
            self.emit(table, Event::ReferProgress { call: self.id, status: 408, reason, terminated: true });
        }
    }

    /// Asks the peer to call somebody else.
    pub(crate) fn refer(&mut self, table: &mut Table, now: Instant, refer_to: &str, referred_by: Option<&str>) -> bool {
        if !self.is_talking() || self.referring.is_some() {
            return false;
        }
        let Some(dialog) = &mut self.dialog else { return false };
        let mut request = dialog.request(Method::Refer);
        let hop = dialog.next_hop();
        request.headers.push("Contact", &self.contact);
        request.headers.push("Refer-To", refer_to);
        if let Some(referred_by) = referred_by {
            request.headers.push("Referred-By", referred_by);
        }
        table.describe_abilities(&mut request.headers);
        table.describe_self(&mut request.headers);
        let key = table.send(now, request, hop, Owner::Call(self.id));
        self.referring = Some(Referring { key, answered: false, until: now + SUBSCRIPTION });
        true
    }

    pub(super) fn on_notify(&mut self, table: &mut Table, now: Instant, server: ServerKey, request: &Request) {
        let package = request.headers.get("Event").unwrap_or_default();
        let package = package.split(';').next().unwrap_or_default().trim();
        if !package.eq_ignore_ascii_case("refer") {
            return self.reply_with(table, now, server, request, 489, &[("Allow-Events", "refer")]);
        }
        let Some(referring) = &mut self.referring else {
            return self.reply(table, now, server, request, 481);
        };
        let state = request.headers.get("Subscription-State").unwrap_or_default();
        let terminated = state.trim_start().get(..10).is_some_and(|word| word.eq_ignore_ascii_case("terminated"));
        referring.until = now + SUBSCRIPTION;
        if terminated {
            self.referring = None;
        }
        self.reply(table, now, server, request, 200);
        if let Some((status, reason)) = sipfrag_status(&request.body) {
            self.emit(table, Event::ReferProgress { call: self.id, status, reason, terminated });
        } else if terminated {
            let reason = reason_phrase(500).to_owned();
            self.emit(table, Event::ReferProgress { call: self.id, status: 500, reason, terminated });
        }
    }
}

/// The status line of a `message/sipfrag` body (RFC 3420).
fn sipfrag_status(body: &[u8]) -> Option<(u16, String)> {
    let text = std::str::from_utf8(body).ok()?;
    let line = text.lines().next()?.strip_prefix("SIP/2.0 ")?;
    let (status, reason) = line.split_once(' ').unwrap_or((line, ""));
    let status = status.parse().ok().filter(|status| (100..700).contains(status))?;
    Some((status, reason.trim().to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_status_of_a_sipfrag_is_read_and_nonsense_is_not() {
        assert_eq!(sipfrag_status(b"SIP/2.0 180 Ringing\r\n"), Some((180, "Ringing".to_owned())));
        assert_eq!(sipfrag_status(b"SIP/2.0 200"), Some((200, String::new())));
        assert_eq!(sipfrag_status(b"SIP/2.0 42 Odd"), None);
        assert_eq!(sipfrag_status(b""), None);
        assert_eq!(sipfrag_status(&[0xff]), None);
    }
}
