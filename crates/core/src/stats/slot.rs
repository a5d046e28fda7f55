//! Intervals: the quarter hours in which figures are kept, and the wider ones that are summed from them.

use crate::{
    time::{Millis, Timestamp},
    zone,
};
use jiff::{ToSpan as _, tz::TimeZone};
use serde::{Deserialize, Serialize};

/// Width of the intervals that are kept. All time zones are whole quarters of an hour apart, so that any wider interval of any
/// zone is a sum of these.
pub const SLOT: Millis = Millis::from_secs(15 * 60);
const SLOT_MS: i64 = 15 * 60 * 1_000;

/// When the kept interval began that contains `at`.
pub fn slot(at: Timestamp) -> Timestamp {
    Timestamp(at.0.div_euclid(SLOT_MS).saturating_mul(SLOT_MS))
}

/// Cuts a stretch at the borders of the kept intervals. Of a stretch longer than [`crate::limits::SPREAD_MAX`] only the end is
/// looked at: a clock was set in between.
pub(super) fn spread(from: Timestamp, to: Timestamp, mut each: impl FnMut(Timestamp, Millis)) {
    let mut from = if to.since(from) > crate::limits::SPREAD_MAX { Timestamp(to.0 - crate::limits::SPREAD_MAX.0 as i64) } else { from };
    while from < to {
        let slot = slot(from);
        let end = (slot + SLOT).min(to);
        each(slot, end.since(from));
        from = end;
    }
}

/// Width of the intervals of a report.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Width {
    /// 15 minutes.
    #[serde(rename = "15m")]
    QuarterHour,
    /// 30 minutes.
    #[serde(rename = "30m")]
    HalfHour,
    /// 60 minutes.
    #[serde(rename = "60m")]
    Hour,
    /// A calendar day, which has 23 or 25 hours where clocks are changed.
    #[serde(rename = "day")]
    Day,
    /// Everything in one.
    #[default]
    #[serde(rename = "total")]
    Total,
}

/// The intervals of one width by the clock of one time zone.
#[derive(Clone, Debug)]
pub struct Clock {
    zone: TimeZone,
}

impl Clock {
    /// By the IANA name of a zone, such as `Europe/Berlin` or `UTC`; `None` when there is none of that name.
    pub fn named(name: &str) -> Option<Clock> {
        zone::named(name).map(|zone| Clock { zone })
    }

    /// When the interval of this width began that contains `at`; never before `start`, which is where a total begins.
    ///
    /// Hours and half hours are those of the clock on the wall. An hour that a change of clocks repeats is two intervals; one
    /// of which it leaves out a part is shorter.
    pub fn begin(&self, at: Timestamp, width: Width, start: Timestamp) -> Timestamp {
        let begin = match width {
            Width::QuarterHour => slot(at),
            Width::HalfHour => self.on_the_wall(at, 30 * 60),
            Width::Hour => self.on_the_wall(at, 60 * 60),
            Width::Day => {
                let day = zone::instant(at).to_zoned(self.zone.clone());
                day.start_of_day().map_or(start, |begin| Timestamp(begin.timestamp().as_millisecond()))
            }
            Width::Total => start,
        };
        begin.max(start)
    }

    fn on_the_wall(&self, at: Timestamp, seconds: i64) -> Timestamp {
        let instant = zone::instant(at);
        let offset = self.zone.to_offset(instant);
        let local = instant.as_second() + i64::from(offset.seconds());
        let past = local.rem_euclid(seconds);
        let begin = Timestamp((instant.as_second() - past).saturating_mul(1_000));
        // The clock was changed since: the interval began with that.
        let same = |moment: &Timestamp| self.zone.to_offset(zone::instant(*moment)) == offset;
        if same(&begin) {
            return begin;
        }
        let mut first = slot(at);
        while first > begin && same(&Timestamp(first.0 - SLOT_MS)) {
            first = Timestamp(first.0 - SLOT_MS);
        }
        first
    }

    /// The instant's date and time with the zone's offset, for people and spreadsheets.
    pub fn written(&self, at: Timestamp) -> String {
        let zoned = zone::instant(at).to_zoned(self.zone.clone());
        format!("{}", zoned.strftime("%Y-%m-%dT%H:%M:%S%:z"))
    }

    /// When so many days ago on this clock's calendar began, seen from `at`; the days of a repeated question.
    pub fn days_before(&self, at: Timestamp, days: u16) -> Timestamp {
        let zoned = zone::instant(at).to_zoned(self.zone.clone());
        zoned.checked_sub(i32::from(days).days()).map_or(at, |moment| Timestamp(moment.timestamp().as_millisecond()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        Timestamp(text.parse::<jiff::Timestamp>().unwrap().as_millisecond())
    }

    fn begins(zone: &str, width: Width, moment: &str) -> String {
        let clock = Clock::named(zone).unwrap();
        clock.written(clock.begin(at(moment), width, Timestamp(i64::MIN)))
    }

    #[test]
    fn a_stretch_is_cut_at_quarter_hours_and_nothing_is_lost() {
        let mut parts = Vec::new();
        spread(at("2026-01-01T09:10:00Z"), at("2026-01-01T09:31:00Z"), |slot, span| parts.push((slot, span)));
        let minutes = |count: u64| Millis::from_secs(count * 60);
        let expected =
            [(at("2026-01-01T09:00:00Z"), minutes(5)), (at("2026-01-01T09:15:00Z"), minutes(15)), (at("2026-01-01T09:30:00Z"), minutes(1))];
        assert_eq!(parts, expected);
        let mut none = 0;
        spread(at("2026-01-01T09:10:00Z"), at("2026-01-01T09:00:00Z"), |_, _| none += 1);
        assert_eq!(none, 0);
    }

    #[test]
    fn a_stretch_out_of_a_clock_set_wrong_is_bounded() {
        let mut count = 0u64;
        spread(Timestamp(0), at("2026-01-01T00:00:00Z"), |_, _| count += 1);
        assert!(count <= crate::limits::SPREAD_MAX.0 / SLOT.0 + 1);
    }

    #[test]
    fn hours_are_those_of_the_clock_on_the_wall() {
        assert_eq!(begins("Asia/Kolkata", Width::Hour, "2026-01-01T10:20:00Z"), "2026-01-01T15:00:00+05:30");
        assert_eq!(begins("Asia/Kathmandu", Width::HalfHour, "2026-01-01T10:20:00Z"), "2026-01-01T16:00:00+05:45");
        assert_eq!(begins("UTC", Width::HalfHour, "2026-01-01T10:44:59Z"), "2026-01-01T10:30:00+00:00");
    }

    #[test]
    fn an_hour_that_comes_twice_is_two_intervals_and_its_day_has_25() {
        assert_eq!(begins("Europe/Berlin", Width::Hour, "2026-10-25T00:45:00Z"), "2026-10-25T02:00:00+02:00");
        assert_eq!(begins("Europe/Berlin", Width::Hour, "2026-10-25T01:45:00Z"), "2026-10-25T02:00:00+01:00");
        let mut hours = std::collections::BTreeSet::new();
        let clock = Clock::named("Europe/Berlin").unwrap();
        let mut slots = 0;
        let mut moment = at("2026-10-24T22:00:00Z");
        while clock.begin(moment, Width::Day, Timestamp(0)) == at("2026-10-24T22:00:00Z") {
            hours.insert(clock.begin(moment, Width::Hour, Timestamp(0)));
            (moment, slots) = (moment + SLOT, slots + 1);
        }
        assert_eq!((hours.len(), slots), (25, 100));
    }

    #[test]
    fn an_hour_that_is_left_out_makes_a_day_of_23() {
        let clock = Clock::named("Europe/Berlin").unwrap();
        let (from, to) = (at("2026-03-28T23:00:00Z"), at("2026-03-29T22:00:00Z"));
        assert_eq!(clock.begin(Timestamp(to.0 - 1), Width::Day, Timestamp(0)), from);
        assert_eq!(clock.begin(to, Width::Day, Timestamp(0)), to);
        assert_eq!(to.since(from), Millis::from_secs(23 * 3_600));
    }

    #[test]
    fn a_change_of_half_an_hour_makes_a_shorter_interval_that_begins_with_it() {
        // Lord Howe puts its clocks back from 02:00 to 01:30.
        assert_eq!(begins("Australia/Lord_Howe", Width::Hour, "2026-04-04T14:45:00Z"), "2026-04-05T01:00:00+11:00");
        assert_eq!(begins("Australia/Lord_Howe", Width::Hour, "2026-04-04T15:20:00Z"), "2026-04-05T01:30:00+10:30");
    }
}
