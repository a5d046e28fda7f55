//! One server transaction: RFC 3261 §17.2 with the Accepted state of RFC 6026 §7.
//!
//! Decides what a repeated request or an ACK means and when a final response is repeated. 2xx to INVITE are repeated by
//! the call, not here: only it sees their ACK.

use std::time::{Duration, Instant};

use super::timer::{LIFETIME, T1, T2, T4};

/// Where a server transaction stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ServerState {
    /// No final response yet ("Trying" or "Proceeding").
    Proceeding,
    /// A final response was sent that is not a 2xx to INVITE.
    Completed,
    /// The ACK for it came; more ACKs are absorbed.
    Confirmed,
    /// A 2xx to INVITE was sent; repeated INVITEs are absorbed.
    Accepted,
    /// Nothing more can happen.
    Terminated,
}

/// What an ACK that matches the transaction means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnAck {
    /// It belongs to our refusal and ends here.
    Absorbed,
    /// It belongs to the 2xx: for the call.
    Deliver,
}

/// What a deadline causes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnTimer {
    /// Too early, or the transaction ended.
    Nothing,
    /// Send the last response again.
    Retransmit,
}

/// The state machine; its owner keeps the bytes.
#[derive(Debug, Clone)]
pub struct ServerTransaction {
    invite: bool,
    reliable: bool,
    state: ServerState,
    interval: Duration,
    repeat_at: Option<Instant>,
    end_at: Option<Instant>,
}

impl ServerTransaction {
    /// A transaction whose request has just arrived.
    ///
    /// A request other than INVITE is forgotten when its user stays silent for longer than the peer waits.
    #[must_use]
    pub fn new(now: Instant, invite: bool, reliable: bool) -> ServerTransaction {
        ServerTransaction {
            invite,
            reliable,
            state: ServerState::Proceeding,
            interval: T1,
            repeat_at: None,
            end_at: (!invite).then_some(now + LIFETIME),
        }
    }

    /// Where it stands.
    #[must_use]
    pub fn state(&self) -> ServerState {
        self.state
    }

    /// When [`ServerTransaction::on_timer`] is due.
    #[must_use]
    pub fn deadline(&self) -> Option<Instant> {
        match (self.repeat_at, self.end_at) {
            (Some(repeat), Some(end)) => Some(repeat.min(end)),
            (repeat, end) => repeat.or(end),
        }
    }

    /// The same request arrived again. Returns whether the last response (if any) is to be sent again.
    #[must_use]
    pub fn on_repeated_request(&self) -> bool {
        matches!(self.state, ServerState::Proceeding | ServerState::Completed)
    }

    /// The user sends a response with this status. Returns whether it may be sent.
    pub fn on_send(&mut self, now: Instant, status: u16) -> bool {
        if self.state != ServerState::Proceeding {
            return false;
        }
        match (self.invite, status) {
            (_, ..=199) => {}
            (true, 200..=299) => {
                self.state = ServerState::Accepted;
                self.end_at = Some(now + LIFETIME);
            }
            (true, _) => {
                self.state = ServerState::Completed;
                self.repeat_at = (!self.reliable).then_some(now + T1);
                self.end_at = Some(now + LIFETIME);
            }
            (false, _) if self.reliable => self.state = ServerState::Terminated,
            (false, _) => {
                self.state = ServerState::Completed;
                self.end_at = Some(now + LIFETIME);
            }
        }
        true
    }

    /// The user wants the request to stay unanswered; repetitions of it are absorbed for as long as they may come.
    pub fn ignore(&mut self, now: Instant) {
        self.state = ServerState::Confirmed;
        self.repeat_at = None;
        self.end_at = Some(now + LIFETIME);
    }

    /// An ACK arrived that matches this INVITE.
    pub fn on_ack(&mut self, now: Instant) -> OnAck {
        match self.state {
            ServerState::Completed => {
                self.repeat_at = None;
                if self.reliable {
                    self.state = ServerState::Terminated;
                    self.end_at = None;
                } else {
                    self.state = ServerState::Confirmed;
                    self.end_at = Some(now + T4);
                }
                OnAck::Absorbed
            }
            // Some user agents reuse the INVITE's branch for the ACK of a 2xx (RFC 6026 §7.1).
            ServerState::Accepted => OnAck::Deliver,
            _ => OnAck::Absorbed,
        }
    }

    /// The deadline has been reached.
    pub fn on_timer(&mut self, now: Instant) -> OnTimer {
        if self.end_at.is_some_and(|end| end <= now) {
            self.state = ServerState::Terminated;
            self.repeat_at = None;
            self.end_at = None;
            return OnTimer::Nothing;
        }
        if self.repeat_at.is_some_and(|repeat| repeat <= now) {
            self.interval = (self.interval * 2).min(T2);
            self.repeat_at = Some(now + self.interval);
            return OnTimer::Retransmit;
        }
        OnTimer::Nothing
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_of_invite_is_repeated_until_its_ack_and_acks_are_absorbed_for_t4() {
        let start = Instant::now();
        let mut transaction = ServerTransaction::new(start, true, false);
        assert!(transaction.on_send(start, 486));
        assert!(!transaction.on_send(start, 200), "a second final response must not leave");
        assert_eq!(transaction.deadline(), Some(start + T1));
        assert_eq!(transaction.on_timer(start + T1), OnTimer::Retransmit);
        assert_eq!(transaction.deadline(), Some(start + T1 * 3));
        assert_eq!(transaction.on_ack(start + T1 * 2), OnAck::Absorbed);
        assert!(!transaction.on_repeated_request());
        assert_eq!(transaction.deadline(), Some(start + T1 * 2 + T4));
        assert_eq!(transaction.on_timer(start + T1 * 2 + T4), OnTimer::Nothing);
        assert_eq!(transaction.state(), ServerState::Terminated);
    }

    #[test]
    fn a_refusal_without_ack_gives_up_after_64_t1() {
        let start = Instant::now();
        let mut transaction = ServerTransaction::new(start, true, false);
        transaction.on_send(start, 603);
        let mut repeats = 0;
        while let Some(at) = transaction.deadline() {
            if transaction.on_timer(at) == OnTimer::Retransmit {
                repeats += 1;
            }
            assert!(at <= start + LIFETIME);
        }
        assert_eq!(repeats, 10);
        assert_eq!(transaction.state(), ServerState::Terminated);
    }

    #[test]
    fn a_2xx_keeps_absorbing_repeated_invites_without_repeating_itself() {
        let start = Instant::now();
        let mut transaction = ServerTransaction::new(start, true, false);
        transaction.on_send(start, 200);
        assert!(!transaction.on_repeated_request());
        assert_eq!(transaction.on_ack(start), OnAck::Deliver);
        assert_eq!(transaction.deadline(), Some(start + LIFETIME));
    }

    #[test]
    fn a_repeated_bye_is_answered_again_for_64_t1() {
        let start = Instant::now();
        let mut transaction = ServerTransaction::new(start, false, false);
        transaction.on_send(start, 200);
        assert!(transaction.on_repeated_request());
        assert_eq!(transaction.deadline(), Some(start + LIFETIME));
    }

    #[test]
    fn a_request_that_its_user_forgets_is_forgotten_after_64_t1() {
        let start = Instant::now();
        let mut transaction = ServerTransaction::new(start, false, false);
        assert_eq!(transaction.deadline(), Some(start + LIFETIME));
        assert_eq!(transaction.on_timer(start + LIFETIME), OnTimer::Nothing);
        assert_eq!(transaction.state(), ServerState::Terminated);
        assert_eq!(ServerTransaction::new(start, true, false).deadline(), None, "a call may ring for longer");
    }

    #[test]
    fn a_final_response_over_a_stream_ends_a_non_invite_transaction_at_once() {
        let start = Instant::now();
        let mut transaction = ServerTransaction::new(start, false, true);
        transaction.on_send(start, 200);
        assert_eq!(transaction.state(), ServerState::Terminated);
    }
}
