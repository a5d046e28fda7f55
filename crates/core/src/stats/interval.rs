//! Counters of one queue (or of all, or of one agent) over one stretch of time.
//!
//! Everything is booked when it ends: a visit in the interval of its end, a talk in the interval of its end, wrap-up in the
//! interval of *its* end. Sums over intervals are therefore exact, while a single short interval may hold a talk without its
//! wrap-up.

use crate::{
    ids::QueueId,
    output::Event,
    queue::{FlowOutReason, Outcome},
    routing::OfferOutcome,
    time::Millis,
};
use serde::{Deserialize, Serialize};

/// Plain counters; the figures people know come from them by the formulas in [`super::FORMULAS`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Interval {
    /// Visits that began.
    pub entered: u64,
    /// Visits that ended.
    pub offered: u64,
    /// Of these, taken by an agent.
    pub answered: u64,
    /// Of these, taken within the promised time.
    pub answered_in_time: u64,
    /// Visits ended by the caller, short ones included.
    pub abandoned: u64,
    /// Of these, within the queue's short-abandon time.
    pub short_abandoned: u64,
    /// Visits that left without agent and without the caller's doing.
    pub flow_out: u64,
    /// Of these, moved elsewhere by a person.
    pub flow_out_transferred: u64,
    /// Waiting time of answered visits.
    pub wait_answered: Millis,
    /// Waiting time of abandoned visits.
    pub wait_abandoned: Millis,
    /// Waiting time of all ended visits.
    pub wait_all: Millis,
    /// Longest waiting time of an ended visit.
    pub longest_wait: Millis,
    /// Talks with an agent that ended.
    pub handled: u64,
    /// Their time without hold.
    pub talk: Millis,
    /// Their time on hold.
    pub hold: Millis,
    /// Of these talks, with hold.
    pub held: u64,
    /// Wrap-up time that ended.
    pub wrap_up: Millis,
    /// Offers that ended, however.
    pub offers: u64,
    /// Of these, not answered (RONA), one for each attempt.
    pub offers_no_answer: u64,
    /// Of these, declined.
    pub offers_declined: u64,
    /// Of these, that found the telephone busy or not at all.
    pub offers_unreachable: u64,
}

impl Interval {
    /// Adds what an event contributes. Give it the events of one queue (see [`Interval::queue_of`]) with that queue's
    /// promised time, or any selection with a promised time of your own.
    pub fn observe(&mut self, event: &Event, within: Millis, now: crate::time::Timestamp) {
        match event {
            Event::VisitStarted { .. } => self.entered += 1,
            Event::VisitEnded { outcome, wait, .. } => self.observe_visit(*outcome, *wait, within),
            Event::TalkEnded { agent: Some(_), talk, hold, .. } => {
                self.handled += 1;
                self.talk = self.talk + *talk;
                self.hold = self.hold + *hold;
                self.held += u64::from(hold.0 > 0);
            }
            Event::WrapUpEnded { started_at, .. } => self.wrap_up = self.wrap_up + now.since(*started_at),
            Event::OfferEnded { outcome, .. } => {
                self.offers += 1;
                match outcome {
                    OfferOutcome::NoAnswer => self.offers_no_answer += 1,
                    OfferOutcome::Declined => self.offers_declined += 1,
                    OfferOutcome::Busy | OfferOutcome::Unreachable => self.offers_unreachable += 1,
                    OfferOutcome::Accepted | OfferOutcome::Withdrawn => {}
                }
            }
            _ => {}
        }
    }

    fn observe_visit(&mut self, outcome: Outcome, wait: Millis, within: Millis) {
        self.offered += 1;
        self.wait_all = self.wait_all + wait;
        self.longest_wait = self.longest_wait.max(wait);
        match outcome {
            Outcome::Answered => {
                self.answered += 1;
                self.answered_in_time += u64::from(wait <= within);
                self.wait_answered = self.wait_answered + wait;
            }
            Outcome::Abandoned { short } => {
                self.abandoned += 1;
                self.short_abandoned += u64::from(short);
                self.wait_abandoned = self.wait_abandoned + wait;
            }
            Outcome::FlowOut { reason } => {
                self.flow_out += 1;
                self.flow_out_transferred += u64::from(reason == FlowOutReason::Transferred);
            }
        }
    }

    /// The queue whose counters an event belongs to; `None` when it counts for no queue.
    pub fn queue_of(event: &Event) -> Option<QueueId> {
        match event {
            Event::VisitStarted { queue, .. } | Event::VisitEnded { queue, .. } => Some(*queue),
            Event::TalkEnded { queue, .. } | Event::WrapUpEnded { queue, .. } | Event::OfferEnded { queue, .. } => *queue,
            _ => None,
        }
    }

    /// Adds another interval of the same queue, or of another one for a sum.
    pub fn merge(&mut self, other: &Interval) {
        let Interval {
            entered,
            offered,
            answered,
            answered_in_time,
            abandoned,
            short_abandoned,
            flow_out,
            flow_out_transferred,
            wait_answered,
            wait_abandoned,
            wait_all,
            longest_wait,
            handled,
            talk,
            hold,
            held,
            wrap_up,
            offers,
            offers_no_answer,
            offers_declined,
            offers_unreachable,
        } = other;
        self.entered += entered;
        self.offered += offered;
        self.answered += answered;
        self.answered_in_time += answered_in_time;
        self.abandoned += abandoned;
        self.short_abandoned += short_abandoned;
        self.flow_out += flow_out;
        self.flow_out_transferred += flow_out_transferred;
        self.wait_answered = self.wait_answered + *wait_answered;
        self.wait_abandoned = self.wait_abandoned + *wait_abandoned;
        self.wait_all = self.wait_all + *wait_all;
        self.longest_wait = self.longest_wait.max(*longest_wait);
        self.handled += handled;
        self.talk = self.talk + *talk;
        self.hold = self.hold + *hold;
        self.held += held;
        self.wrap_up = self.wrap_up + *wrap_up;
        self.offers += offers;
        self.offers_no_answer += offers_no_answer;
        self.offers_declined += offers_declined;
        self.offers_unreachable += offers_unreachable;
    }

    /// Offered minus answered, abandoned and flow-out: zero, or the counters were tampered with.
    pub fn residual(&self) -> i128 {
        i128::from(self.offered) - i128::from(self.answered) - i128::from(self.abandoned) - i128::from(self.flow_out)
    }
}
