//! Opening hours: a week with several spans a day, dated exceptions, sets of holidays, a time zone, and a switch for supervisors.
//!
//! An exception for a day goes before a holiday, a holiday before the week. A span belongs to the day it begins on: the night shift
//! of a Friday ends on Saturday morning even when that Saturday is a holiday. Says what is open and until when; what follows from it
//! is the business of queues and flows.

mod import;
mod span;
mod state;
mod switch;
mod validate;

pub use import::{ImportError, import};
pub use span::{Span, TimeOfDay};
pub use switch::{Override, Switch};
pub(crate) use validate::{put_holidays, put_hours};

use crate::{
    ids::{HolidaysId, HoursId},
    input::Actor,
    time::Timestamp,
};
pub use jiff::civil::Date;
use jiff::civil::Weekday;
use serde::{Deserialize, Serialize};

/// When something is open. Nothing written for a day means closed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hours {
    /// Which.
    pub id: HoursId,
    /// Shown to people; unique in the tenant.
    pub name: String,
    /// Where the clocks hang that all times here are read from, as an IANA name such as `Europe/Berlin`.
    pub time_zone: String,
    /// An ordinary week.
    #[serde(default)]
    pub week: Week,
    /// Days that differ. No day is in two of them.
    #[serde(default)]
    pub exceptions: Vec<Exception>,
    /// Sets of days off.
    #[serde(default)]
    pub holidays: Vec<HolidaysId>,
    /// What is open on a holiday; normally nothing.
    #[serde(default)]
    pub on_holidays: Vec<Span>,
}

/// The spans of an ordinary week, by the day they begin on.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[allow(missing_docs, reason = "the names say it all")]
pub struct Week {
    pub monday: Vec<Span>,
    pub tuesday: Vec<Span>,
    pub wednesday: Vec<Span>,
    pub thursday: Vec<Span>,
    pub friday: Vec<Span>,
    pub saturday: Vec<Span>,
    pub sunday: Vec<Span>,
}

/// Days on which other spans count than those of the week, holidays or not.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exception {
    /// Shown to people as the reason.
    pub name: String,
    /// The first of the days, or the only one.
    pub first: Date,
    /// The last of the days, when there are several.
    #[serde(default)]
    pub last: Option<Date>,
    /// When it is open on each of them; closed when there is none.
    #[serde(default)]
    pub spans: Vec<Span>,
}

/// A set of days off, for any number of opening hours.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holidays {
    /// Which.
    pub id: HolidaysId,
    /// Shown to people; unique in the tenant.
    pub name: String,
    /// The days.
    #[serde(default)]
    pub days: Vec<Holiday>,
}

/// A day off.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holiday {
    /// Which day.
    pub date: Date,
    /// Shown to people as the reason.
    pub name: String,
    /// Comes again on the same date in each later year.
    #[serde(default)]
    pub yearly: bool,
}

/// Whether something is open, why, and when that changes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HoursState {
    /// Open, or closed.
    pub open: bool,
    /// What decides it.
    pub because: Because,
    /// When it will be the other way round; nothing when that is further ahead than anybody looks.
    pub until: Option<Timestamp>,
}

/// What decides whether something is open.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Because {
    /// The ordinary week.
    Weekly,
    /// An exception.
    Exception {
        /// Its name.
        name: String,
    },
    /// A holiday.
    Holiday {
        /// Its name.
        name: String,
    },
    /// Somebody switched it.
    Switched {
        /// Who.
        by: Actor,
    },
}

impl Hours {
    /// Always closed, in that time zone.
    pub fn new(id: HoursId, name: &str, time_zone: &str) -> Hours {
        Hours {
            id,
            name: name.to_owned(),
            time_zone: time_zone.to_owned(),
            week: Week::default(),
            exceptions: Vec::new(),
            holidays: Vec::new(),
            on_holidays: Vec::new(),
        }
    }
}

impl Week {
    /// The same spans from Monday to Friday, none at the weekend.
    pub fn working_days(spans: &[Span]) -> Week {
        let day = || spans.to_vec();
        Week { monday: day(), tuesday: day(), wednesday: day(), thursday: day(), friday: day(), ..Week::default() }
    }

    /// The same spans every day.
    pub fn every_day(spans: &[Span]) -> Week {
        Week { saturday: spans.to_vec(), sunday: spans.to_vec(), ..Week::working_days(spans) }
    }

    /// The spans that begin on that day.
    pub fn on(&self, day: Weekday) -> &[Span] {
        match day {
            Weekday::Monday => &self.monday,
            Weekday::Tuesday => &self.tuesday,
            Weekday::Wednesday => &self.wednesday,
            Weekday::Thursday => &self.thursday,
            Weekday::Friday => &self.friday,
            Weekday::Saturday => &self.saturday,
            Weekday::Sunday => &self.sunday,
        }
    }
}

impl Exception {
    /// The last of its days.
    pub fn last_day(&self) -> Date {
        self.last.unwrap_or(self.first)
    }

    fn covers(&self, date: Date) -> bool {
        (self.first..=self.last_day()).contains(&date)
    }
}

impl Holiday {
    /// The day this holiday falls on in that year, if it does.
    fn in_year(&self, year: i16) -> Option<Date> {
        if self.date.year() == year {
            return Some(self.date);
        }
        // The 29th of February exists in some years only.
        let again = self.yearly && year > self.date.year();
        again.then(|| Date::new(year, self.date.month(), self.date.day()).ok()).flatten()
    }
}
