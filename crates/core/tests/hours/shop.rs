//! Opening hours to ask.

use dreiklang_core::{
    hours::{Because, Date, Exception, Holiday, Holidays, Hours, HoursState, Span, Week},
    ids::{HolidaysId, HoursId},
    time::Timestamp,
};
use std::collections::BTreeMap;

pub fn at(text: &str) -> Timestamp {
    Timestamp(text.parse::<jiff::Timestamp>().unwrap().as_millisecond())
}

pub fn date(text: &str) -> Date {
    text.parse().unwrap()
}

/// Spans such as `09:00-12:00 13:00-17:30`.
pub fn spans(text: &str) -> Vec<Span> {
    let span = |text: &str| {
        let (from, to) = text.split_once('-').unwrap();
        Span::new(from.parse().unwrap(), to.parse().unwrap())
    };
    text.split_whitespace().map(span).collect()
}

/// Open at these spans from Monday to Friday.
pub fn shop(zone: &str, text: &str) -> Hours {
    Hours { week: Week::working_days(&spans(text)), ..Hours::new(HoursId(1), "Shop", zone) }
}

pub fn exception(name: &str, first: &str, last: Option<&str>, text: &str) -> Exception {
    Exception { name: name.to_owned(), first: date(first), last: last.map(date), spans: spans(text) }
}

pub fn holidays(days: &[(&str, &str, bool)]) -> BTreeMap<HolidaysId, Holidays> {
    let days = days.iter().map(|(day, name, yearly)| Holiday { date: date(day), name: (*name).to_owned(), yearly: *yearly });
    let id = HolidaysId(1);
    BTreeMap::from([(id, Holidays { id, name: "Holidays".to_owned(), days: days.collect() })])
}

pub fn state(hours: &Hours, sets: &BTreeMap<HolidaysId, Holidays>, moment: &str) -> HoursState {
    hours.state(sets, at(moment))
}

/// Asserts what is true at a moment: open or not, and until when.
#[track_caller]
pub fn expect(hours: &Hours, moment: &str, open: bool, until: Option<&str>) {
    let found = state(hours, &BTreeMap::new(), moment);
    assert_eq!((found.open, found.until.map(shown)), (open, until.map(str::to_owned)), "at {moment}");
}

pub fn shown(moment: Timestamp) -> String {
    jiff::Timestamp::from_millisecond(moment.0).unwrap().to_string()
}

pub fn because(found: &HoursState) -> String {
    match &found.because {
        Because::Weekly => "week".to_owned(),
        Because::Exception { name } => format!("exception {name}"),
        Because::Holiday { name } => format!("holiday {name}"),
        Because::Switched { by } => format!("switched by {by:?}"),
    }
}
