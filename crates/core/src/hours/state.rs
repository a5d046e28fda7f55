//! Whether something is open at a moment, and when that changes.
//!
//! Spans are turned into moments first, so that nothing flickers when clocks are changed: a time of day is reached the first moment
//! clocks show it or a later one. When an hour comes twice, spans begin and end in the first of the two; when it is skipped, what
//! would begin or end in it does so as it is skipped.

use super::{Because, Exception, Holidays, Hours, HoursState, Override, Span, span::DAY_MINUTES};
use crate::{ids::HolidaysId, limits::HOURS_DAYS_AHEAD, time::Timestamp, zone};
use jiff::{
    civil::{Date, Time},
    tz::{AmbiguousOffset, TimeZone},
};
use std::collections::BTreeMap;

impl Hours {
    /// Whether it is open at a moment by these hours alone, and when that changes. `holidays` are the sets there are; ones that are
    /// missing have no days.
    pub fn state(&self, holidays: &BTreeMap<HolidaysId, Holidays>, at: Timestamp) -> HoursState {
        Calendar::new(self, holidays, at).state()
    }

    /// The same, with the switch taken into account.
    pub fn state_switched(&self, holidays: &BTreeMap<HolidaysId, Holidays>, switched: Option<&Override>, at: Timestamp) -> HoursState {
        let forced = switched.and_then(|switched| Some((switched, switched.switch.forces(at)?)));
        let Some((switched, open)) = forced else { return self.state(holidays, at) };
        let until = switched.switch.until().and_then(|end| {
            let then = self.state(holidays, end);
            if then.open == open { then.until } else { Some(end) }
        });
        HoursState { open, because: Because::Switched { by: switched.by.clone() }, until }
    }
}

/// The hours around a moment.
struct Calendar<'a> {
    hours: &'a Hours,
    zone: TimeZone,
    at: jiff::Timestamp,
    /// What clocks show as the day then.
    today: Date,
    holidays: BTreeMap<Date, &'a str>,
}

/// What counts on a day.
struct Plan<'a> {
    spans: &'a [Span],
    because: Why<'a>,
}

#[derive(Clone, Copy)]
enum Why<'a> {
    Week,
    Exception(&'a str),
    Holiday(&'a str),
}

impl From<Why<'_>> for Because {
    fn from(why: Why<'_>) -> Because {
        match why {
            Why::Week => Because::Weekly,
            Why::Exception(name) => Because::Exception { name: name.to_owned() },
            Why::Holiday(name) => Because::Holiday { name: name.to_owned() },
        }
    }
}

impl<'a> Calendar<'a> {
    fn new(hours: &'a Hours, sets: &'a BTreeMap<HolidaysId, Holidays>, at: Timestamp) -> Calendar<'a> {
        // A zone that is not known is refused when the document is written; a later release could know fewer.
        let zone = zone::named(&hours.time_zone).unwrap_or(TimeZone::UTC);
        let at = zone::instant(at);
        let today = zone.to_datetime(at).date();
        let mut holidays = BTreeMap::new();
        for day in hours.holidays.iter().filter_map(|id| sets.get(id)).flat_map(|set| &set.days) {
            for date in (today.year() - 1..=today.year().saturating_add(2)).filter_map(|year| day.in_year(year)) {
                // Of two names, the first set's.
                holidays.entry(date).or_insert(day.name.as_str());
            }
        }
        Calendar { hours, zone, at, today, holidays }
    }

    fn plan(&self, date: Date) -> Plan<'a> {
        let covers = |exception: &&Exception| exception.covers(date);
        if let Some(exception) = self.hours.exceptions.iter().find(covers) {
            return Plan { spans: &exception.spans, because: Why::Exception(&exception.name) };
        }
        if let Some(name) = self.holidays.get(&date) {
            return Plan { spans: &self.hours.on_holidays, because: Why::Holiday(name) };
        }
        Plan { spans: self.hours.week.on(date.weekday()), because: Why::Week }
    }

    fn state(&self) -> HoursState {
        // Since when it is open, and how far that reaches; spans that touch or overlap are one.
        let mut open: Option<(Why<'a>, jiff::Timestamp)> = None;
        // A span of yesterday may still last. From then on, moments come in order, because the times of day they are made of do.
        let days = self.today.yesterday().unwrap_or(self.today).series(jiff::Span::new().days(1)).take(HOURS_DAYS_AHEAD);
        for date in days {
            let plan = self.plan(date);
            let mut spans = plan.spans.to_vec();
            spans.sort_by_key(|span| span.from);
            for span in spans {
                let (from, to) = (self.reached(date, span.from.minutes()), self.reached(date, span.end()));
                if to <= from || to <= self.at {
                    continue;
                }
                match &mut open {
                    Some((_, until)) if from <= *until => *until = to.max(*until),
                    Some((why, until)) => return state(true, *why, Some(*until)),
                    None if from <= self.at => open = Some((plan.because, to)),
                    None => return state(false, self.plan(self.today).because, Some(from)),
                }
            }
        }
        match open {
            // As far as anybody looks, it is open; if it ends there, that is not because it closes.
            Some((why, until)) => {
                let end = self.today.checked_add(jiff::Span::new().days(HOURS_DAYS_AHEAD as i64 - 1)).unwrap_or(Date::MAX);
                state(true, why, (until < self.reached(end, 0)).then_some(until))
            }
            None => state(false, self.plan(self.today).because, None),
        }
    }

    /// The first moment clocks show that time of that day or a later one. `minutes` may reach into the next day.
    fn reached(&self, date: Date, minutes: u16) -> jiff::Timestamp {
        let date = if minutes < DAY_MINUTES { date } else { date.tomorrow().unwrap_or(Date::MAX) };
        let minutes = minutes % DAY_MINUTES;
        let time = Time::new((minutes / 60) as i8, (minutes % 60) as i8, 0, 0).unwrap_or_default();
        let shown = date.to_datetime(time);
        match self.zone.to_ambiguous_timestamp(shown).offset() {
            AmbiguousOffset::Unambiguous { offset } => offset.to_timestamp(shown).unwrap_or(jiff::Timestamp::MAX),
            AmbiguousOffset::Fold { before, .. } => before.to_timestamp(shown).unwrap_or(jiff::Timestamp::MAX),
            AmbiguousOffset::Gap { before, .. } => {
                let behind = before.to_timestamp(shown).unwrap_or(jiff::Timestamp::MAX);
                let skipped_at = self.zone.preceding(behind.checked_add(jiff::SignedDuration::from_nanos(1)).unwrap_or(behind)).next();
                skipped_at.map_or(behind, |transition| transition.timestamp())
            }
        }
    }
}

fn state(open: bool, why: Why<'_>, until: Option<jiff::Timestamp>) -> HoursState {
    HoursState { open, because: why.into(), until: until.map(|until| Timestamp(until.as_millisecond())) }
}
