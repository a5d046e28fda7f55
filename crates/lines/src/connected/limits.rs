//! Every limit of the Connected line, with its unit and the reason for its size.

use std::time::Duration;

/// Wishes waiting for the driver. One decision seldom brings more than ten; this is a burst of a thousand calls.
pub const WORK_QUEUED: usize = 16_384;
/// Audio events waiting for the driver.
pub const MEDIA_EVENTS_QUEUED: usize = 65_536;
/// Notices waiting for the server.
pub const NOTICES_QUEUED: usize = 16_384;
/// Results of prompts and name look-ups waiting for the driver; also how many may be under way at once.
pub const BACKGROUND_RESULTS: usize = 1_024;
/// Legs alive: bounds memory; the machine's limit comes earlier.
pub const LEGS: usize = 20_000;
/// How often peers' names are looked up again: names move, and so do session border controllers behind them.
pub const RESOLVE_EVERY: Duration = Duration::from_secs(60);
/// Longest dialed text taken from a request; numbers have 15 digits, names of telephones are short.
pub const DIALED_CHARS: usize = 128;
/// Longest displayed name taken over.
pub const NAME_CHARS: usize = 100;
/// How long a peer may leave our call without any answer before the next address is tried.
pub const PEER_SILENT: Duration = Duration::from_secs(8);
/// How long a transfer that Teams asked for may wait until the new call is placed; the core does it at once.
pub const REFERRAL_DIALED: Duration = Duration::from_secs(10);
/// Datagrams and commands handled before outputs are drained and others get their turn.
pub const BATCH: usize = 256;
/// How long no audio at all may come from a party that is not on hold before its leg is ended: longer than any pause in which a
/// telephone may stop sending, shorter than a forgotten call is worth.
pub const SILENCE: Duration = Duration::from_secs(60);
