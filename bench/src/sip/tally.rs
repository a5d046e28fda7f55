//! What is counted during one step.

use crate::histogram::Histogram;
use std::collections::BTreeMap;

/// Distinct causes of failure kept apart; peers send few, and a broken one must not fill memory.
const CAUSES_MAX: usize = 64;

/// Counts of one step. Calls count only if they began in the measured part of it.
#[derive(Clone, Default)]
pub struct Tally {
    /// Calls begun.
    pub offered: u64,
    /// Callers that got an answer.
    pub answered: u64,
    /// Calls with both ends in conversation.
    pub connected: u64,
    /// Calls that ended as they should.
    pub completed: u64,
    /// Calls that did not.
    pub failed: u64,
    /// Failed calls by cause: a status code or a sentence.
    pub causes: BTreeMap<String, u64>,
    /// INVITE sent → 200 received, by the caller.
    pub answer: Histogram,
    /// INVITE sent by the caller → INVITE received by the answerer.
    pub arrival: Histogram,
    /// INVITE sent → both ends in conversation.
    pub connect: Histogram,
    /// BYE sent → 200 received.
    pub goodbye: Histogram,
    /// How late calls were begun: our own weakness, not the peer's.
    pub lateness: Histogram,
    /// Messages we repeated because nothing came: INVITE, BYE, 200.
    pub repeats_sent: u64,
    /// Messages the peer repeated.
    pub repeats_seen: u64,
    /// Datagrams that are no SIP message.
    pub malformed: u64,
    /// Offers to an agent who was in a call: an error of the peer.
    pub double_offers: u64,
    /// Offers whose caller could not be told.
    pub unmatched: u64,
    /// Calls not begun because too many were up.
    pub held_back: u64,
}

impl Tally {
    /// Counts a failure.
    pub fn fail(&mut self, cause: &str) {
        self.failed += 1;
        if let Some(count) = self.causes.get_mut(cause) {
            *count += 1;
        } else if self.causes.len() < CAUSES_MAX {
            self.causes.insert(cause.to_owned(), 1);
        }
    }

    /// Failed calls in percent of those offered.
    pub fn failed_pct(&self) -> f64 {
        self.failed as f64 * 100.0 / self.offered.max(1) as f64
    }

    /// Causes as one line.
    pub fn causes_text(&self) -> String {
        self.causes.iter().map(|(cause, count)| format!("{count} × {cause}")).collect::<Vec<_>>().join(", ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_broken_peer_cannot_fill_the_list_of_causes() {
        let mut tally = Tally::default();
        for status in 0..1_000 {
            tally.fail(&status.to_string());
        }
        tally.fail("7");
        assert_eq!((tally.failed, tally.causes.len(), tally.causes["7"]), (1_001, CAUSES_MAX, 2));
    }
}
