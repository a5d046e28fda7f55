//! Everything here that is bounded.

use std::time::Duration;

/// Longest an attempt may take, from the first byte sent to the last received.
pub const ATTEMPT: Duration = Duration::from_secs(15);
/// Longest a connection may take to come about.
pub const CONNECT: Duration = Duration::from_secs(5);
/// Longest all attempts of an operation take together, their pauses included. A caller's telephone rings for 30 seconds.
pub const OPERATION: Duration = Duration::from_secs(25);
/// Most attempts of an operation.
pub const ATTEMPTS: u32 = 5;
/// Pause before the second attempt, where the service names none; it doubles each time.
pub const PAUSE: Duration = Duration::from_millis(400);
/// Largest answer that is read, files apart.
pub const ANSWER_BYTES: usize = 1024 * 1024;
/// Longest piece of an answer that is repeated in an error.
pub const TOLD_CHARS: usize = 300;
/// Pages of a list that are read.
pub const PAGES: usize = 20;
/// A token is renewed when it has this long to go.
pub const TOKEN_MARGIN: Duration = Duration::from_secs(300);
/// Longest webhook request that is looked at.
pub const WEBHOOK_BYTES: usize = 1024 * 1024;
/// Longest token in a webhook's header.
pub const JWT_BYTES: usize = 16 * 1024;
/// Difference of clocks that is tolerated.
pub const LEEWAY: Duration = Duration::from_secs(120);
/// Published keys are kept for this long.
pub const KEYS_FRESH: Duration = Duration::from_secs(3_600);
/// A key nobody knows lets the published keys be read again at most this often.
pub const KEYS_AGAIN: Duration = Duration::from_secs(10);
/// Most keys one issuer publishes.
pub const KEYS: usize = 64;
/// Events in one delivery.
pub const EVENTS: usize = 200;
