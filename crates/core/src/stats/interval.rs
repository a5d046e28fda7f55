//! Counters of one queue, agent, number or line (or of many) over one stretch of time.
//!
//! Everything here is booked when it ends: a visit in the interval of its end, a talk in the interval of its end, wrap-up in the
//! interval of *its* end. Sums over intervals are therefore exact, while a single short interval may hold a talk without its
//! wrap-up. [`Spent`] has the same times where they passed.

use super::{
    counter::{Counter, Longest, counters},
    teams::TeamsOutcome,
    waits::Waits,
};
use crate::{
    queue::{FlowOutReason, Outcome},
    routing::OfferOutcome,
    time::Millis,
    written::Channel,
};
use std::collections::BTreeMap;

counters! {
    /// Plain counters; the figures people know come from them by the formulas of [`super::FIGURES`].
    Interval {
        /// Conversations that began.
        conversations: u64,
        /// Visits that began.
        entered: u64,
        /// Visits that ended.
        offered: u64,
        /// Of these, taken by an agent.
        answered: u64,
        /// Of these, taken within the time the queue promised then.
        answered_in_time: u64,
        /// Visits ended by the caller, short ones included.
        abandoned: u64,
        /// Of these, within the time the queue promised then.
        abandoned_in_time: u64,
        /// Of these, within the queue's short-abandon time.
        short_abandoned: u64,
        /// Visits that left without agent and without the caller's doing.
        flow_out: u64,
        /// The same by reason.
        flow_outs: BTreeMap<FlowOutReason, u64>,
        /// Visits by what Teams' own reports would call their end.
        teams: BTreeMap<TeamsOutcome, u64>,
        /// Waits of answered visits by length.
        answers_by: Waits,
        /// Waits of abandoned visits by length.
        abandons_by: Waits,
        /// Waiting time of answered visits.
        wait_answered: Millis,
        /// Waiting time of abandoned visits.
        wait_abandoned: Millis,
        /// Waiting time of all ended visits.
        wait_all: Millis,
        /// Longest waiting time of an ended visit.
        longest_wait: Longest,
        /// Talks with an agent that began.
        talks: u64,
        /// Talks with an agent that ended.
        handled: u64,
        /// Their time without hold.
        talk: Millis,
        /// Their time on hold.
        hold: Millis,
        /// Of these talks, with hold.
        held: u64,
        /// Of these talks, ended by the customer leaving while on hold.
        hold_abandoned: u64,
        /// Wrap-up time that ended.
        wrap_up: Millis,
        /// Talks in which the customer was handed to somebody else, with or without asking first.
        transfers: u64,
        /// Hand-overs that failed.
        transfers_failed: u64,
        /// Talks' consults that began.
        consults: u64,
        /// Parties who joined a talk.
        joined: u64,
        /// Talks' supervisions that were answered.
        supervisions: u64,
        /// Offers that ended, however.
        offers: u64,
        /// Of these, taken.
        offers_accepted: u64,
        /// Of these, not answered (RONA), one for each attempt.
        offers_no_answer: u64,
        /// Of these, declined.
        offers_declined: u64,
        /// Of these, that found the telephone busy or not at all.
        offers_unreachable: u64,
        /// Of these, taken back.
        offers_withdrawn: u64,
        /// Answered visits whose wait had been predicted.
        estimates: u64,
        /// Of these, with a wait in the predicted range.
        estimates_held: u64,
        /// Σ distance between the wait and the likely one, of those that waited longer.
        estimate_short: Millis,
        /// The same of those that waited less.
        estimate_long: Millis,
        /// Waiting callers who were offered to be called back.
        callbacks_offered: u64,
        /// Callbacks that were promised.
        callbacks_requested: u64,
        /// Of these, with the place in line kept.
        callbacks_place_kept: u64,
        /// Times an open callback was asked for once more.
        callbacks_repeated: u64,
        /// Times customers were called.
        callback_attempts: u64,
        /// Callbacks that ended with a talk.
        callbacks_connected: u64,
        /// Callbacks that ended because the customer or an agent could not be had.
        callbacks_failed: u64,
        /// Callbacks that were taken back.
        callbacks_cancelled: u64,
        /// Callbacks whose customer called again and was answered.
        callbacks_overtaken: u64,
        /// Time from asking to the talk, of callbacks connected.
        callback_time: Millis,
        /// Customers who were asked how the talk was when the agent had ended it.
        surveys_offered: u64,
        /// Of these, who gave at least one score.
        surveys_answered: u64,
        /// Scores customers gave.
        survey_answers: u64,
        /// Of these, in the top box: the best score, or one of the two best where there are five or more to choose from.
        survey_top: u64,
        /// Σ where a score lies on its scale, from the worst (0) to the best (1,000).
        survey_points: u64,
        /// Answered conversations old enough to say whether the caller called again. Not rolled up: counted when asked for.
        first_contacts: u64,
        /// Of these, whose caller called again. Not rolled up: counted when asked for.
        called_again: u64,
        /// Conversations in writing by channel; in none of the counters above.
        written: BTreeMap<Channel, Writing>,
    }
}

counters! {
    /// What of one channel was written about and answered. Booked when it ended, like everything in [`Interval`].
    Writing {
        /// Stays in a queue that began.
        entered: u64,
        /// Stays in a queue that ended.
        offered: u64,
        /// Of these, taken by an agent.
        answered: u64,
        /// Of these, taken within the time the queue promised then.
        answered_in_time: u64,
        /// Stays ended by the customer.
        abandoned: u64,
        /// Stays that ended without agent and without the customer's doing.
        flow_out: u64,
        /// Waiting time of those that were taken.
        wait_answered: Millis,
        /// Longest waiting time of a stay that ended.
        longest_wait: Longest,
        /// Times an agent had one and has it no longer.
        handled: u64,
        /// Their time with the agent.
        handling: Millis,
        /// Of these, moved to a queue again.
        moved: u64,
        /// Time of notes that ended.
        wrap_up: Millis,
        /// Offers that ended, however.
        offers: u64,
        /// Of these, taken.
        offers_accepted: u64,
        /// Of these, not answered.
        offers_no_answer: u64,
        /// Of these, declined.
        offers_declined: u64,
        /// Of these, taken back.
        offers_withdrawn: u64,
    }
}

counters! {
    /// The times of [`Interval`], booked where they passed instead of where they ended.
    Spent {
        /// Waiting time of visits that were answered.
        wait_answered: Millis,
        /// Waiting time of visits that were abandoned.
        wait_abandoned: Millis,
        /// Waiting time of all visits that have ended.
        wait_all: Millis,
        /// Time of talks without hold.
        talk: Millis,
        /// Time of talks on hold.
        hold: Millis,
        /// Wrap-up time.
        wrap_up: Millis,
    }
}

/// Counters that do not add up; only tampering or a fault of ours makes such.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{residual} of {offered} offered visits are neither answered nor abandoned nor flow-out")]
pub struct Unbalanced {
    /// Visits that ended.
    pub offered: u64,
    /// What is left over (or, negative, counted twice).
    pub residual: i128,
}

impl Interval {
    pub(super) fn visit_ended(&mut self, outcome: Outcome, wait: Millis, within: Millis, teams: Option<TeamsOutcome>) {
        self.offered += 1;
        self.wait_all = self.wait_all + wait;
        self.longest_wait.absorb(&Longest(wait));
        let in_time = u64::from(wait <= within);
        match outcome {
            Outcome::Answered => {
                self.answered += 1;
                self.answered_in_time += in_time;
                self.answers_by.count(wait);
                self.wait_answered = self.wait_answered + wait;
            }
            Outcome::Abandoned { short } => {
                self.abandoned += 1;
                self.abandoned_in_time += in_time;
                self.short_abandoned += u64::from(short);
                self.abandons_by.count(wait);
                self.wait_abandoned = self.wait_abandoned + wait;
            }
            Outcome::FlowOut { reason } => {
                self.flow_out += 1;
                *self.flow_outs.entry(reason).or_default() += 1;
            }
        }
        if let Some(outcome) = teams {
            *self.teams.entry(outcome).or_default() += 1;
        }
    }

    pub(super) fn offer_ended(&mut self, outcome: OfferOutcome) {
        self.offers += 1;
        *match outcome {
            OfferOutcome::Accepted => &mut self.offers_accepted,
            OfferOutcome::NoAnswer => &mut self.offers_no_answer,
            OfferOutcome::Declined => &mut self.offers_declined,
            OfferOutcome::Busy | OfferOutcome::Unreachable => &mut self.offers_unreachable,
            OfferOutcome::Withdrawn => &mut self.offers_withdrawn,
        } += 1;
    }

    /// Offered minus answered, abandoned and flow-out: zero, or the counters were tampered with.
    pub fn residual(&self) -> i128 {
        i128::from(self.offered) - i128::from(self.answered) - i128::from(self.abandoned) - i128::from(self.flow_out)
    }

    /// Whether offered = answered + abandoned + flow-out, for calls and for each channel, and flow-out is the sum of its reasons.
    ///
    /// # Errors
    /// With what is left over when not.
    pub fn balance(&self) -> Result<(), Unbalanced> {
        for writing in self.written.values() {
            writing.balance()?;
        }
        let reasons: u64 = self.flow_outs.values().sum();
        match self.residual() + i128::from(self.flow_out) - i128::from(reasons) {
            0 => Ok(()),
            residual => Err(Unbalanced { offered: self.offered, residual }),
        }
    }
}

impl Writing {
    pub(super) fn unqueued(&mut self, outcome: Outcome, wait: Millis, within: Millis) {
        self.offered += 1;
        self.longest_wait.absorb(&Longest(wait));
        match outcome {
            Outcome::Answered => {
                self.answered += 1;
                self.answered_in_time += u64::from(wait <= within);
                self.wait_answered = self.wait_answered + wait;
            }
            Outcome::Abandoned { .. } => self.abandoned += 1,
            Outcome::FlowOut { .. } => self.flow_out += 1,
        }
    }

    pub(super) fn offer_ended(&mut self, outcome: OfferOutcome) {
        self.offers += 1;
        *match outcome {
            OfferOutcome::Accepted => &mut self.offers_accepted,
            // There is no telephone that could be busy or away.
            OfferOutcome::NoAnswer | OfferOutcome::Busy | OfferOutcome::Unreachable => &mut self.offers_no_answer,
            OfferOutcome::Declined => &mut self.offers_declined,
            OfferOutcome::Withdrawn => &mut self.offers_withdrawn,
        } += 1;
    }

    fn balance(&self) -> Result<(), Unbalanced> {
        match i128::from(self.offered) - i128::from(self.answered) - i128::from(self.abandoned) - i128::from(self.flow_out) {
            0 => Ok(()),
            residual => Err(Unbalanced { offered: self.offered, residual }),
        }
    }
}

impl Spent {
    pub(super) fn wait(&mut self, outcome: Outcome, span: Millis) {
        self.wait_all = self.wait_all + span;
        match outcome {
            Outcome::Answered => self.wait_answered = self.wait_answered + span,
            Outcome::Abandoned { .. } => self.wait_abandoned = self.wait_abandoned + span,
            Outcome::FlowOut { .. } => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_visit_that_is_lost_shows_as_residual() {
        let mut interval = Interval::default();
        interval.visit_ended(Outcome::Answered, Millis(3), Millis(2), None);
        interval.visit_ended(Outcome::FlowOut { reason: FlowOutReason::Key }, Millis(3), Millis(2), None);
        assert_eq!(interval.balance(), Ok(()));
        interval.offered += 1;
        assert_eq!(interval.balance(), Err(Unbalanced { offered: 3, residual: 1 }));
    }

    #[test]
    fn merging_is_like_counting_in_one() {
        let visits = [
            (Outcome::Answered, 3_000),
            (Outcome::Abandoned { short: true }, 1_000),
            (Outcome::FlowOut { reason: FlowOutReason::MaxWait }, 90_000),
            (Outcome::Abandoned { short: false }, 30_000),
        ];
        let (mut whole, mut parts) = (Interval::default(), [Interval::default(), Interval::default()]);
        for (number, (outcome, wait)) in visits.into_iter().enumerate() {
            let teams = TeamsOutcome::of(outcome, None, false);
            whole.visit_ended(outcome, Millis(wait), Millis(20_000), teams);
            parts[number % 2].visit_ended(outcome, Millis(wait), Millis(20_000), teams);
        }
        let [mut sum, other] = parts;
        sum.absorb(&other);
        assert_eq!(sum, whole);
        assert_eq!(sum.longest_wait, Longest(Millis(90_000)));
        assert!(!sum.is_nothing() && Interval::default().is_nothing());
    }
}
