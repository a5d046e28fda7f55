//! Callers and answerers: small user agents of our own, which share only the reading and writing of messages with the product.
//!
//! # Layout
//!
//! `scenario` (what a run is told) → `exchange` (sockets and threads) → `world` (all state, no socket) → `caller` (who calls),
//! `answerer` (who answers), `phone` (who signs in) on top of `dialog` (requests within a call), `session` (session
//! descriptions) and `outbox` (what they have in common: timers, messages to send, counts in `tally`).

pub mod answerer;
pub mod caller;
pub mod dialog;
pub mod exchange;
pub mod outbox;
pub mod phone;
pub mod scenario;
pub mod session;
pub mod tally;
pub mod world;

use crate::timers::{MS, Nanos, SECOND};

/// First repetition interval (RFC 3261 §17.1.1.1 T1).
pub const T1: Nanos = 500 * MS;
/// Longest repetition interval of everything but INVITE (T2).
pub const T2: Nanos = 4 * SECOND;
/// How long a transaction goes on without an answer (64 × T1: timers B, F and H).
pub const TRANSACTION_LIMIT: Nanos = 64 * T1;
/// How long what is over is remembered, to answer repetitions. Far less than the standard's 32 s, which at 5,000 calls a second
/// would be memory for nothing: on a healthy way the first repetition comes after 0.5 s.
pub const LINGER: Nanos = 5 * SECOND;

/// After a message was sent `repeats` times again: when to look at it next; `None` when it is given up.
pub fn next_repeat(repeats: u32, longest: Nanos) -> Option<Nanos> {
    let interval = |n: u32| (T1 << n.min(7)).min(longest);
    let passed: Nanos = (0..repeats).map(interval).sum();
    (passed < TRANSACTION_LIMIT).then(|| interval(repeats).min(TRANSACTION_LIMIT - passed))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repetition_follows_the_standards_intervals_and_ends_after_32_seconds() {
        let all = |longest| (0..).map_while(move |n| next_repeat(n, longest)).map(|interval| interval / MS).collect::<Vec<_>>();
        assert_eq!(all(Nanos::MAX), [500, 1_000, 2_000, 4_000, 8_000, 16_000, 500]);
        assert_eq!(all(T2), [500, 1_000, 2_000, 4_000, 4_000, 4_000, 4_000, 4_000, 4_000, 4_000, 500]);
    }
}
