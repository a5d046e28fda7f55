//! One client transaction: RFC 3261 §17.1 with the Accepted state of RFC 6026 §8.
//!
//! Decides when a request is repeated, when it has failed, which responses reach the transaction's user and when a final
//! response is to be acknowledged. It neither builds messages nor sends them.

use std::time::{Duration, Instant};

use super::timer::{LIFETIME, T1, T2, T4, TIMER_D};

/// Where a client transaction stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClientState {
    /// The request is out, nothing came back ("Calling" for INVITE, "Trying" for the rest).
    Calling,
    /// A provisional response came.
    Proceeding,
    /// A final response came that is not a 2xx to INVITE; repetitions of it are absorbed.
    Completed,
    /// A 2xx to INVITE came; further 2xx are passed on.
    Accepted,
    /// Nothing more can happen.
    Terminated,
}

/// What a response causes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct OnResponse {
    /// Hand the response to the transaction's user.
    pub deliver: bool,
    /// Send the hop-by-hop ACK for it (RFC 3261 §17.1.1.3).
    pub acknowledge: bool,
}

/// What a deadline causes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnTimer {
    /// Too early, or the transaction merely ended.
    Nothing,
    /// Send the request again.
    Retransmit,
    /// Timer B or F: no final response came in time.
    TimedOut,
}

/// The state machine; its owner keeps the bytes.
#[derive(Debug, Clone)]
pub struct ClientTransaction {
    invite: bool,
    reliable: bool,
    state: ClientState,
    interval: Duration,
    repeat_at: Option<Instant>,
    end_at: Option<Instant>,
    /// Provisional responses no longer lift the limit of its life.
    orphaned: bool,
}

impl ClientTransaction {
    /// A transaction whose request is sent at `now`.
    #[must_use]
    pub fn new(now: Instant, invite: bool, reliable: bool) -> ClientTransaction {
        ClientTransaction {
            invite,
            reliable,
            state: ClientState::Calling,
            interval: T1,
            repeat_at: (!reliable).then_some(now + T1),
            end_at: Some(now + LIFETIME),
            orphaned: false,
        }
    }

    /// Where it stands.
    #[must_use]
    pub fn state(&self) -> ClientState {
        self.state
    }

    /// When [`ClientTransaction::on_timer`] is due.
    #[must_use]
    pub fn deadline(&self) -> Option<Instant> {
        match (self.repeat_at, self.end_at) {
            (Some(repeat), Some(end)) => Some(repeat.min(end)),
            (repeat, end) => repeat.or(end),
        }
    }

    /// A response with this status arrived.
    pub fn on_response(&mut self, now: Instant, status: u16) -> OnResponse {
        if self.invite { self.on_invite_response(now, status) } else { self.on_other_response(now, status) }
    }

    fn on_invite_response(&mut self, now: Instant, status: u16) -> OnResponse {
        let mut outcome = OnResponse::default();
        match (self.state, status) {
            (ClientState::Calling | ClientState::Proceeding, 100..=199) => {
                // A provisional response stops timers A and B; how long a phone may ring is the user's decision.
                let end_at = self.end_at.filter(|_| self.orphaned);
                self.become_state(ClientState::Proceeding, end_at);
                outcome.deliver = true;
            }
            (ClientState::Calling | ClientState::Proceeding, 200..=299) => {
                self.become_state(ClientState::Accepted, Some(now + LIFETIME));
                outcome.deliver = true;
            }
            // A fork may still accept after another refused; its user must end that call, so it is passed on.
            (ClientState::Accepted | ClientState::Completed, 200..=299) => outcome.deliver = true,
            (ClientState::Calling | ClientState::Proceeding, 300..) => {
                if self.reliable {
                    self.become_state(ClientState::Terminated, None);
                } else {
                    self.become_state(ClientState::Completed, Some(now + TIMER_D));
                }
                outcome.deliver = true;
                outcome.acknowledge = true;
            }
            (ClientState::Completed, 300..) => outcome.acknowledge = true,
            _ => {}
        }
        outcome
    }

    fn on_other_response(&mut self, now: Instant, status: u16) -> OnResponse {
        let mut outcome = OnResponse::default();
        if !matches!(self.state, ClientState::Calling | ClientState::Proceeding) {
            return outcome;
        }
        outcome.deliver = true;
        if status >= 200 {
            if self.reliable {
                self.become_state(ClientState::Terminated, None);
            } else {
                self.become_state(ClientState::Completed, Some(now + T4));
            }
        } else if self.state == ClientState::Calling {
            self.state = ClientState::Proceeding;
            self.interval = T2;
            self.repeat_at = (!self.reliable).then_some(now + T2);
        }
        outcome
    }

    /// The deadline has been reached.
    pub fn on_timer(&mut self, now: Instant) -> OnTimer {
        if self.end_at.is_some_and(|end| end <= now) {
            let waiting = matches!(self.state, ClientState::Calling | ClientState::Proceeding);
            self.become_state(ClientState::Terminated, None);
            return if waiting { OnTimer::TimedOut } else { OnTimer::Nothing };
        }
        if self.repeat_at.is_some_and(|repeat| repeat <= now) {
            // INVITE doubles without bound (timer A); the others stop growing at T2 (timer E).
            self.interval = if self.invite { self.interval * 2 } else { (self.interval * 2).min(T2) };
            self.repeat_at = Some(now + self.interval);
            return OnTimer::Retransmit;
        }
        OnTimer::Nothing
    }

    /// Nobody waits for the outcome any more: a ringing INVITE, which has no timer of its own, ends by this instant.
    pub fn end_by(&mut self, at: Instant) {
        self.orphaned = true;
        self.end_at = Some(self.end_at.map_or(at, |end| end.min(at)));
    }

    /// The request could not be delivered. Returns whether the user is to be told.
    pub fn on_transport_error(&mut self) -> bool {
        let waiting = matches!(self.state, ClientState::Calling | ClientState::Proceeding);
        self.become_state(ClientState::Terminated, None);
        waiting
    }

    fn become_state(&mut self, state: ClientState, end_at: Option<Instant>) {
        self.state = state;
        self.repeat_at = None;
        self.end_at = end_at;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Runs the timers until the transaction ends; returns the seconds·2 (half seconds) of every retransmission.
    fn run(transaction: &mut ClientTransaction, start: Instant) -> (Vec<u128>, Vec<OnTimer>) {
        let mut repeats = Vec::new();
        let mut others = Vec::new();
        while let Some(at) = transaction.deadline() {
            match transaction.on_timer(at) {
                OnTimer::Retransmit => repeats.push((at - start).as_millis() / 500),
                other => others.push(other),
            }
        }
        (repeats, others)
    }

    #[test]
    fn an_unanswered_invite_is_sent_seven_times_and_times_out_after_64_t1() {
        let start = Instant::now();
        let mut transaction = ClientTransaction::new(start, true, false);
        let (repeats, others) = run(&mut transaction, start);
        assert_eq!(repeats, [1, 3, 7, 15, 31, 63]);
        assert_eq!(others, [OnTimer::TimedOut]);
        assert_eq!(transaction.state(), ClientState::Terminated);
    }

    #[test]
    fn an_unanswered_bye_is_repeated_every_t2_in_the_end() {
        let start = Instant::now();
        let mut transaction = ClientTransaction::new(start, false, false);
        let (repeats, others) = run(&mut transaction, start);
        assert_eq!(repeats, [1, 3, 7, 15, 23, 31, 39, 47, 55, 63]);
        assert_eq!(others, [OnTimer::TimedOut]);
    }

    #[test]
    fn nothing_is_repeated_over_a_stream() {
        let start = Instant::now();
        let mut transaction = ClientTransaction::new(start, true, true);
        let (repeats, others) = run(&mut transaction, start);
        assert!(repeats.is_empty());
        assert_eq!(others, [OnTimer::TimedOut]);
    }

    #[test]
    fn a_ringing_invite_neither_repeats_nor_times_out() {
        let start = Instant::now();
        let mut transaction = ClientTransaction::new(start, true, false);
        assert!(transaction.on_response(start, 180).deliver);
        assert_eq!(transaction.deadline(), None);
    }

    #[test]
    fn an_orphan_ends_even_when_it_goes_on_ringing() {
        let start = Instant::now();
        let mut transaction = ClientTransaction::new(start, true, false);
        transaction.on_response(start, 180);
        transaction.end_by(start + LIFETIME);
        transaction.on_response(start, 180);
        assert_eq!(transaction.deadline(), Some(start + LIFETIME));
    }

    #[test]
    fn a_refusal_is_acknowledged_every_time_and_delivered_once() {
        let start = Instant::now();
        let mut transaction = ClientTransaction::new(start, true, false);
        assert_eq!(transaction.on_response(start, 486), OnResponse { deliver: true, acknowledge: true });
        assert_eq!(transaction.on_response(start, 486), OnResponse { deliver: false, acknowledge: true });
        assert_eq!(transaction.on_response(start, 200), OnResponse { deliver: true, acknowledge: false });
        assert_eq!(transaction.deadline(), Some(start + TIMER_D));
        assert_eq!(transaction.on_timer(start + TIMER_D), OnTimer::Nothing);
        assert_eq!(transaction.state(), ClientState::Terminated);
    }

    #[test]
    fn every_2xx_to_invite_is_delivered_until_timer_m() {
        let start = Instant::now();
        let mut transaction = ClientTransaction::new(start, true, false);
        for _ in 0..3 {
            assert_eq!(transaction.on_response(start, 200), OnResponse { deliver: true, acknowledge: false });
        }
        assert_eq!(transaction.on_response(start, 180), OnResponse::default());
        assert_eq!(transaction.deadline(), Some(start + LIFETIME));
    }

    #[test]
    fn a_final_response_to_bye_is_delivered_once_and_absorbed_for_t4() {
        let start = Instant::now();
        let mut transaction = ClientTransaction::new(start, false, false);
        assert!(transaction.on_response(start, 100).deliver);
        assert_eq!(transaction.deadline(), Some(start + T2));
        assert!(transaction.on_response(start, 200).deliver);
        assert!(!transaction.on_response(start, 200).deliver);
        assert_eq!(transaction.deadline(), Some(start + T4));
    }
}
