//! Time zones by their IANA names, from the data that is built in.
//!
//! Never from the machine: two machines with different zone files would decide differently.

use crate::time::Timestamp;
use jiff::tz::{TimeZone, TimeZoneDatabase};

/// The zone of that name, such as `Europe/Berlin` or `UTC`; nothing when there is none.
pub(crate) fn named(name: &str) -> Option<TimeZone> {
    TimeZoneDatabase::bundled().get(name).ok()
}

/// A moment as the calendar wants it; the ends of representable time for moments beyond them.
pub(crate) fn instant(moment: Timestamp) -> jiff::Timestamp {
    let end = if moment.0 < 0 { jiff::Timestamp::MIN } else { jiff::Timestamp::MAX };
    jiff::Timestamp::from_millisecond(moment.0).unwrap_or(end)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zones_are_known_without_files_of_the_machine() {
        for name in ["Europe/Berlin", "America/New_York", "Australia/Sydney", "Asia/Kolkata", "UTC"] {
            assert!(named(name).is_some(), "{name}");
        }
        assert!(named("Mars/Olympus_Mons").is_none());
        assert!(named("").is_none());
    }

    #[test]
    fn moments_beyond_the_calendar_are_its_ends() {
        assert_eq!(instant(Timestamp(i64::MAX)), jiff::Timestamp::MAX);
        assert_eq!(instant(Timestamp(i64::MIN)), jiff::Timestamp::MIN);
    }
}
