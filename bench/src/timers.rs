//! Deadlines of everything that waits, in one heap.
//!
//! A timer cannot be cancelled; whoever set it decides on firing whether it still matters.

use std::{cmp::Reverse, collections::BinaryHeap, time::Instant};

/// Nanoseconds since the generator started.
pub type Nanos = u64;

/// One millisecond.
pub const MS: Nanos = 1_000_000;
/// One second.
pub const SECOND: Nanos = 1_000 * MS;

/// The generator's clock.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    epoch: Instant,
}

impl Clock {
    /// Begins to count.
    pub fn start() -> Clock {
        Clock { epoch: Instant::now() }
    }

    /// Time since the start.
    pub fn now(&self) -> Nanos {
        u64::try_from(self.epoch.elapsed().as_nanos()).unwrap_or(u64::MAX)
    }
}

/// What is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Timer {
    /// Send the caller's request with this CSeq again unless it was answered.
    CallRepeat {
        /// Number of the call.
        call: u64,
        /// CSeq of the request.
        cseq: u32,
    },
    /// The call is not connected: give it up.
    CallGiveUp(u64),
    /// The caller has talked long enough.
    CallHangUp(u64),
    /// Nothing of the call can arrive any more.
    CallForget(u64),
    /// Answer a ringing leg.
    LegAnswer(u64),
    /// Send the leg's answer or goodbye again unless it was acknowledged.
    LegRepeat {
        /// Number of the leg.
        leg: u64,
        /// CSeq of the request that the message belongs to.
        cseq: u32,
    },
    /// The one who answered has talked long enough.
    LegHangUp(u64),
    /// Nothing of the leg can arrive any more.
    LegForget(u64),
    /// Send a telephone's sign-in again unless it was answered.
    PhoneRepeat {
        /// Index of the telephone.
        phone: usize,
        /// CSeq of the request.
        cseq: u32,
    },
    /// A sign-in is about to run out.
    PhoneRefresh(usize),
}

/// All deadlines.
#[derive(Debug, Default)]
pub struct Timers {
    heap: BinaryHeap<Reverse<(Nanos, Timer)>>,
    moved_ahead: bool,
}

impl Timers {
    /// Sets a timer.
    pub fn set(&mut self, at: Nanos, timer: Timer) {
        self.moved_ahead |= self.next().is_none_or(|next| at < next);
        self.heap.push(Reverse((at, timer)));
    }

    /// The next deadline.
    pub fn next(&self) -> Option<Nanos> {
        self.heap.peek().map(|Reverse((at, _))| *at)
    }

    /// Takes one timer that is due.
    pub fn pop_due(&mut self, now: Nanos) -> Option<Timer> {
        if self.next()? > now {
            return None;
        }
        self.heap.pop().map(|Reverse((_, timer))| timer)
    }

    /// Whether the next deadline came closer since this was asked last: whoever sleeps until it has to know.
    pub fn take_moved_ahead(&mut self) -> bool {
        std::mem::take(&mut self.moved_ahead)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timers_fire_in_order_and_not_before_they_are_due() {
        let mut timers = Timers::default();
        timers.set(30, Timer::CallHangUp(3));
        assert!(timers.take_moved_ahead());
        timers.set(40, Timer::CallHangUp(4));
        assert!(!timers.take_moved_ahead());
        timers.set(10, Timer::CallHangUp(1));
        assert!(timers.take_moved_ahead());
        assert_eq!(timers.pop_due(9), None);
        assert_eq!(timers.pop_due(35), Some(Timer::CallHangUp(1)));
        assert_eq!(timers.pop_due(35), Some(Timer::CallHangUp(3)));
        assert_eq!(timers.pop_due(35), None);
        assert_eq!(timers.next(), Some(40));
    }
}
