//! Where agents' time went. At every instant an agent who is signed in, or still busy, is in exactly one state, so that the
//! states of any stretch of time add up to the time signed in.

use super::counter::counters;
use crate::{
    agent::{Availability, Duty, NotReadyReason, Occupation},
    time::{Millis, Timestamp},
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

counters! {
    /// Time by state, booked where it passed.
    States {
        /// Signed in, or still busy after signing out: the sum of all the others.
        signed_in: Millis,
        /// Signed in with nothing to do, but not on duty.
        off_duty: Millis,
        /// On duty, ready, and with nothing to do.
        idle: Millis,
        /// An offer rang.
        offered: Millis,
        /// In a conversation, holds included.
        talking: Millis,
        /// No call, but something in writing to answer or to finish notes about.
        writing: Millis,
        /// Asking somebody while the customer is on hold, or being asked.
        consulting: Millis,
        /// Following the talk of somebody else, or called for that.
        supervising: Millis,
        /// Finishing notes.
        wrap_up: Millis,
        /// On duty with nothing to do, but not ready, by reason.
        not_ready: BTreeMap<String, Millis>,
    }
}

impl States {
    /// Signed in less the sum of the states: zero, or the day has a gap or an overlap.
    pub fn residual(&self) -> i128 {
        let not_ready = self.not_ready.values().map(|span| i128::from(span.0)).sum::<i128>();
        let busy = [self.offered, self.talking, self.writing, self.consulting, self.supervising, self.wrap_up, self.idle, self.off_duty];
        i128::from(self.signed_in.0) - not_ready - busy.iter().map(|span| i128::from(span.0)).sum::<i128>()
    }

    /// Time with conversations of one's own: talking, consulting, writing, wrap-up.
    pub fn handling(&self) -> Millis {
        self.talking + self.consulting + self.writing + self.wrap_up
    }

    /// Time on duty with nothing to do, but not ready.
    pub fn not_ready_total(&self) -> Millis {
        self.not_ready.values().fold(Millis::default(), |sum, span| sum + *span)
    }
}

/// What an agent is at present, and since when.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Present {
    duty: Duty,
    /// Why not ready; `None` = ready.
    reason: Option<String>,
    busy: Busy,
    /// Conversations in writing that the agent has, notes included.
    #[serde(default)]
    writes: u16,
    since: Timestamp,
}

/// What of an occupation matters here.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Busy {
    #[default]
    Idle,
    Offered,
    Talking,
    Consulting,
    Supervising,
    WrapUp,
}

impl Present {
    /// An agent of whom nothing was heard before `since`.
    pub(super) fn new(since: Timestamp) -> Present {
        let reason = Some(NotReadyReason::SignedIn.as_str().to_owned());
        Present { duty: Duty::SignedOut, reason, busy: Busy::Idle, writes: 0, since }
    }

    /// Takes over what changed at `at`; what was until then goes to `book`.
    pub(super) fn change(&mut self, at: Timestamp, change: Changed<'_>, book: impl FnMut(Timestamp, &dyn Fn(&mut States))) {
        // A clock that jumped back must not make stretches overlap.
        let at = at.max(self.since);
        self.book(at, book);
        match change {
            Changed::Duty(duty) => self.duty = duty,
            Changed::Availability(Availability::Ready) => self.reason = None,
            Changed::Availability(Availability::NotReady { reason }) => self.reason = Some(reason.clone()),
            Changed::Given => self.writes = self.writes.saturating_add(1),
            Changed::Taken => self.writes = self.writes.saturating_sub(1),
            Changed::Occupation(occupation) => {
                self.busy = match occupation {
                    Occupation::Idle => Busy::Idle,
                    Occupation::Offered { .. } => Busy::Offered,
                    Occupation::Talking { .. } => Busy::Talking,
                    Occupation::Consulting { .. } => Busy::Consulting,
                    Occupation::Supervising { .. } => Busy::Supervising,
                    Occupation::WrapUp { .. } => Busy::WrapUp,
                }
            }
        }
        self.since = at;
    }

    /// Books the stretch that is under way up to `until`, interval by interval.
    pub fn book(&self, until: Timestamp, mut book: impl FnMut(Timestamp, &dyn Fn(&mut States))) {
        if self.duty == Duty::SignedOut && self.busy == Busy::Idle && self.writes == 0 {
            return;
        }
        super::slot::spread(self.since, until, |slot, span| book(slot, &|states: &mut States| self.add(states, span)));
    }

    fn add(&self, states: &mut States, span: Millis) {
        states.signed_in = states.signed_in + span;
        let state = match self.busy {
            Busy::Offered => &mut states.offered,
            Busy::Talking => &mut states.talking,
            Busy::Consulting => &mut states.consulting,
            Busy::Supervising => &mut states.supervising,
            Busy::WrapUp => &mut states.wrap_up,
            Busy::Idle if self.writes > 0 => &mut states.writing,
            Busy::Idle if self.duty != Duty::OnDuty => &mut states.off_duty,
            Busy::Idle => match &self.reason {
                Some(reason) => states.not_ready.entry(reason.clone()).or_default(),
                None => &mut states.idle,
            },
        };
        *state = *state + span;
    }
}

/// What about an agent changed.
#[derive(Clone, Copy, Debug)]
pub(super) enum Changed<'a> {
    Duty(Duty),
    Availability(&'a Availability),
    Occupation(&'a Occupation),
    /// One conversation in writing more to answer, or to finish notes about.
    Given,
    /// One less.
    Taken,
}
