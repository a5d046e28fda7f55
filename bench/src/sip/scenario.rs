//! What a run is told once: where the peer is, who we are, how long things take.

use crate::timers::Nanos;
use dreiklang_sip::digest::Credentials;
use std::net::SocketAddr;

/// Who ends a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum HangUp {
    /// The one who called.
    Caller,
    /// The one who answered.
    Answerer,
}

/// The parameters of all calls.
#[derive(Clone, Debug)]
pub struct Scenario {
    /// Where requests go.
    pub peer: SocketAddr,
    /// Our address as callers.
    pub caller_address: SocketAddr,
    /// Our address as answerers.
    pub answer_address: SocketAddr,
    /// Distinguishes this process's calls from those of earlier ones.
    pub run: String,
    /// Callers' numbers are this followed by eight digits that count the calls.
    pub caller_prefix: String,
    /// Credentials of the callers, for peers that challenge them.
    pub caller_credentials: Option<Credentials>,
    /// Time between being connected and hanging up.
    pub hold: Nanos,
    /// Time between an offer and its answer.
    pub ring: Nanos,
    /// Time after which a call that is not connected has failed.
    pub patience: Nanos,
    /// Who ends calls.
    pub hang_up: HangUp,
    /// A call counts as connected as soon as the caller has an answer: for an answering side that is not ours, or a peer that
    /// hides the caller's number.
    pub connected_on_answer: bool,
}

/// Digits that count the calls in a caller's number.
const COUNT_DIGITS: usize = 8;
/// Calls until numbers repeat.
const COUNT_MODULUS: u64 = 100_000_000;

impl Scenario {
    /// The number a call comes from.
    pub fn caller_number(&self, call: u64) -> String {
        format!("{}{:0COUNT_DIGITS$}", self.caller_prefix, call % COUNT_MODULUS)
    }

    /// The call that a number belongs to: the latest of up to `started` calls that could have it. Peers may write the number
    /// with other prefixes, so only the last digits of the prefix are compared.
    pub fn call_of_number(&self, number: &str, started: u64) -> Option<u64> {
        let digits: String = number.chars().filter(char::is_ascii_digit).collect();
        let (head, count) = digits.split_at_checked(digits.len().checked_sub(COUNT_DIGITS)?)?;
        let prefix: String = self.caller_prefix.chars().filter(char::is_ascii_digit).collect();
        let tail = &prefix[prefix.len().saturating_sub(4)..];
        if !head.ends_with(tail) {
            return None;
        }
        let count: u64 = count.parse().ok()?;
        let latest = started.checked_sub(1)?;
        let call = latest - latest % COUNT_MODULUS + count;
        if call <= latest { Some(call) } else { call.checked_sub(COUNT_MODULUS) }
    }
}

#[cfg(test)]
pub(crate) fn sample() -> Scenario {
    Scenario {
        peer: SocketAddr::from(([127, 0, 0, 1], 5060)),
        caller_address: SocketAddr::from(([127, 0, 0, 1], 7001)),
        answer_address: SocketAddr::from(([127, 0, 0, 1], 7002)),
        run: "r1".to_owned(),
        caller_prefix: "+4999".to_owned(),
        caller_credentials: None,
        hold: 0,
        ring: 0,
        patience: 10_000_000_000,
        hang_up: HangUp::Caller,
        connected_on_answer: false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_leads_back_to_its_call_however_the_peer_writes_it() {
        let scenario = sample();
        assert_eq!(scenario.caller_number(42), "+499900000042");
        for written in ["+499900000042", "00499900000042", "499900000042"] {
            assert_eq!(scenario.call_of_number(written, 50), Some(42), "{written}");
        }
        assert_eq!(scenario.call_of_number("bench0042", 50), None);
        assert_eq!(scenario.call_of_number("+491500000042", 50), None);
        assert_eq!(scenario.call_of_number("+499900000042", 0), None);
    }

    #[test]
    fn numbers_that_repeat_belong_to_the_latest_call() {
        let scenario = sample();
        let call = 3 * COUNT_MODULUS + 7;
        assert_eq!(scenario.call_of_number(&scenario.caller_number(call), call + 1), Some(call));
        assert_eq!(scenario.call_of_number(&scenario.caller_number(call - 8), call + 1), Some(call - 8));
    }
}
